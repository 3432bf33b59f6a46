// SPDX-License-Identifier: MIT
/*
 * fcntl(F_NOTIFY): the owner of an open directory gets a signal when something happens in it.
 *
 * What inotify tells in a queue is told here by SIGIO, or by F_SETSIG's signal with the descriptor in it. A
 * watch is one open file's in one descriptor table, and ends when any descriptor of that file in that table
 * is closed, with the file, or, if DN_MULTISHOT was not given, with the first event.
 *
 * A signal cannot be sent under notify_lock. Each event has a number; who tells of it looks for one watch
 * after the other that was told of none as late, and lets the lock go in between. Of two events at once
 * on two CPUs the earlier may be told by the signal of the later.
 *
 * Locks   notify_lock
 * Spec    man 2 fcntl (File and directory change notification)
 */
#include "fs/vfs/dnotify.h"

#include <linux/fcntl.h>

#include "fs/vfs/notify.h"
#include "fs/vfs/notify_priv.h"
#include "mm/slab.h"
#include "proc/signal.h"

/*
 *   [l] notify_lock   [I] immutable
 */
struct directory_watch {
	struct watch watch;
	struct file *file; /* [I] not counted: its end ends the watch */
	const void *table; /* [I] */
	int fd;            /* [l] for si_fd */
	bool stays;        /* [l] DN_MULTISHOT */
	uint64_t told;     /* [l] the last event */
};

uint64_t dnotify_enabled = 1;
static uint64_t last_event; /* [l] */

static const struct {
	uint32_t dn, in;
} events[] = {
	{DN_ACCESS, IN_ACCESS},
	{DN_MODIFY, IN_MODIFY},
	{DN_CREATE, IN_CREATE | IN_MOVED_TO},
	{DN_DELETE, IN_DELETE | IN_MOVED_FROM},
	{DN_RENAME, NOTIFY_RENAMED},
	{DN_ATTRIB, IN_ATTRIB},
};

static struct directory_watch *of(struct watch *w)
{
	return container_of(w, struct directory_watch, watch);
}

/* ---- Events ---- */

/* A watch that wants the event and was not told of it; its file (a reference) and descriptor. */
static struct file *next_to_tell_locked(
	const struct inode *dir, uint32_t mask, uint64_t event, int *fd, struct watch **dead)
{
	for (struct watch *w = dir->watches; w; w = w->next) {
		struct directory_watch *d = of(w);

		if (w->instance || !(w->mask & mask) || d->told >= event)
			continue;
		d->told = event;
		if (!file_try_get(d->file))
			continue; /* it ends just now */
		*fd = d->fd;
		if (!d->stays)
			watch_end_locked(w, dead);
		return d->file;
	}
	return NULL;
}

void dnotify_event(struct inode *dir, uint32_t mask)
{
	struct watch *dead = NULL;
	uint64_t event = 0;
	struct file *f;
	int fd = -1;

	do {
		irqlock_lock(&notify_lock);
		if (!event)
			event = ++last_event;
		f = next_to_tell_locked(dir, mask, event, &fd, &dead);
		irqlock_unlock(&notify_lock);
		if (f) {
			file_signal_owner(f, fd, POLL_MSG);
			file_put(f);
		}
	} while (f);
	watches_free(dead);
}

/* ---- Setting and ending ---- */

static struct directory_watch *find_locked(const struct file *f, const void *table)
{
	for (struct watch *w = f->inode->watches; w; w = w->next) {
		if (!w->instance && of(w)->file == f && (!table || of(w)->table == table))
			return of(w);
	}
	return NULL;
}

void dnotify_end(struct file *f, const void *table)
{
	struct watch *dead = NULL;
	struct directory_watch *d;

	irqlock_lock(&notify_lock);
	while ((d = find_locked(f, table)))
		watch_end_locked(&d->watch, &dead);
	irqlock_unlock(&notify_lock);
	watches_free(dead);
}

static uint32_t mask_of(uint64_t dn)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < ARRAY_LEN(events); i++)
		mask |= dn & events[i].dn ? events[i].in : 0;
	return mask;
}

int dnotify_set(struct file *f, const void *table, int fd, uint64_t dn)
{
	struct directory_watch *d, *fresh;

	if (!READ_ONCE(dnotify_enabled))
		return -EINVAL;
	if (!(dn & ~(uint64_t)DN_MULTISHOT)) {
		dnotify_end(f, table);
		return 0;
	}
	if (!S_ISDIR(f->inode->mode))
		return -ENOTDIR;
	fresh = mem_alloc(sizeof(*fresh), SLAB_ZERO);
	if (!fresh)
		return -ENOMEM;
	irqlock_lock(&notify_lock);
	d = find_locked(f, table);
	if (!d) {
		d = fresh;
		fresh = NULL;
		d->file = f;
		d->table = table;
		d->watch.inode = f->inode;
		watch_begin_locked(&d->watch);
	}
	d->fd = fd;
	d->watch.mask |= mask_of(dn);
	d->stays |= !!(dn & DN_MULTISHOT);
	irqlock_unlock(&notify_lock);
	mem_free(fresh);
	return 0;
}
