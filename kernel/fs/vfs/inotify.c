// SPDX-License-Identifier: MIT
/*
 * inotify: programs watch inodes and read what happened to them.
 *
 * An instance (a file) has watches, numbered by wd, each on one inode of which it holds a reference;
 * an inode has the list of its watches. What happens is told by fs/vfs and by who moves bytes
 * (notify.h), and becomes an event in the queue of each instance that asked for it. An event that
 * equals the last one in the queue is not queued twice; a full queue gets one IN_Q_OVERFLOW.
 *
 * A watch ends by inotify_rm_watch, IN_ONESHOT, the end of its inode's last name, the end of its
 * filesystem, or with its instance; all but the last leave IN_IGNORED.
 *
 * Locks   notify_lock  irq, RANK_EVENT: everything here. Watches that ended are put on a list and freed
 *         after the lock, since the inode's last put sleeps.
 * Spec    man 7 inotify
 */
#include "fs/vfs/inotify.h"

#include "fs/proc/entry.h"
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/notify_priv.h"
#include "fs/vfs/super_priv.h"
#include "lib/fmt.h"
#include "lib/idr.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "sync/waitq.h"

#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/poll.h>

/* man 7 inotify: /proc/sys/fs/inotify */
uint64_t inotify_max_events = 16384, inotify_max_instances = 128,
	 inotify_max_watches = 65536; /* [a] */

struct event {
	struct list_node link;
	uint32_t mask, cookie;
	int wd;
	uint32_t name_len;
	char name[]; /* without a NUL */
};

/*
 *   [l] notify_lock   [I] immutable
 */
struct instance {
	struct list events; /* [l] */
	unsigned nr_events; /* [l] */
	uint64_t nr_bytes;  /* [l] as read would give */
	bool is_gone;       /* [l] the file is closed: no more events */
	struct idr watches; /* [l] by wd */
	struct user *user;  /* [I] whose limits count it and its watches; one reference */
	struct waitq readable;
};

uint32_t inotify_nr_watches;
static uint32_t next_cookie; /* [a] */
struct irqlock notify_lock = IRQLOCK_INIT(RANK_EVENT, "notify");

/* ---- Events ---- */

static size_t padded_name(uint32_t len)
{
	return len ? ALIGN_UP((size_t)len + 1, sizeof(struct inotify_event)) : 0;
}

static bool is_same(const struct event *e, const struct event *other)
{
	return e->mask == other->mask && e->wd == other->wd && e->cookie == other->cookie &&
	       e->name_len == other->name_len && !memcmp(e->name, other->name, e->name_len);
}

static struct event *new_event(
	int wd, uint32_t mask, uint32_t cookie, const char *name, size_t len)
{
	struct event *e = mem_alloc(sizeof(*e) + len, 0);

	if (!e)
		return NULL;
	e->wd = wd;
	e->mask = mask;
	e->cookie = cookie;
	e->name_len = (uint32_t)len;
	if (len)
		memcpy(e->name, name, len);
	return e;
}

/* notify_lock held. Without memory, or room, the reader learns that something is missing. */
static void queue_event(struct instance *in, int wd, uint32_t mask, uint32_t cookie,
	const char *name, size_t len)
{
	struct event *last = list_last(&in->events, struct event, link), *e = NULL;

	if (in->is_gone)
		return;
	if (in->nr_events < READ_ONCE(inotify_max_events))
		e = new_event(wd, mask, cookie, name, len);
	if (!e) {
		if (last && last->mask == IN_Q_OVERFLOW)
			return;
		e = new_event(-1, IN_Q_OVERFLOW, 0, NULL, 0);
		if (!e)
			return;
	} else if (last && is_same(last, e)) {
		mem_free(e);
		return;
	}
	list_add_tail(&in->events, &e->link);
	in->nr_events++;
	in->nr_bytes += sizeof(struct inotify_event) + padded_name(e->name_len);
	waitq_wake_all(&in->readable, POLLIN | POLLRDNORM);
}

/* ---- Watches ---- */

void watch_begin_locked(struct watch *w)
{
	inode_get(w->inode);
	w->next = w->inode->watches;
	WRITE_ONCE(w->inode->watches, w);
	atomic_add(&inotify_nr_watches, 1);
}

void watch_end_locked(struct watch *w, struct watch **dead)
{
	struct watch **at = (struct watch **)&w->inode->watches;

	while (*at != w)
		at = &(*at)->next;
	WRITE_ONCE(*at, w->next);
	w->next = *dead;
	*dead = w;
	atomic_sub(&inotify_nr_watches, 1);
}

void watches_free(struct watch *dead)
{
	while (dead) {
		struct watch *next = dead->next;

		inode_put(dead->inode);
		mem_free(dead);
		dead = next;
	}
}

/* Off its instance as well, with a last word. */
static void end_watch(struct watch *w, struct watch **dead)
{
	watch_end_locked(w, dead);
	if (!w->instance)
		return;
	(void)idr_free(&w->instance->watches, (uint64_t)w->wd);
	queue_event(w->instance, w->wd, IN_IGNORED, 0, NULL, 0);
	user_uncharge(w->instance->user, USER_INOTIFY_WATCHES);
}

/* Tells every watch of an inode; true: there are some of dnotify, too. notify_lock held. */
static bool tell(struct inode *i, uint32_t mask, uint32_t cookie, const char *name, size_t len,
	bool is_unlinked, struct watch **dead)
{
	struct watch *w = i->watches, *next;
	bool has_others = false;

	for (; w; w = next) {
		next = w->next;
		has_others |= !w->instance;
		if (!w->instance || !(w->mask & mask & IN_ALL_EVENTS))
			continue;
		if (is_unlinked && w->mask & IN_EXCL_UNLINK)
			continue;
		queue_event(w->instance, w->wd, mask, cookie, name, len);
		if (w->mask & IN_ONESHOT)
			end_watch(w, dead);
	}
	return has_others;
}

void inotify_event(
	struct inode *i, uint32_t mask, uint32_t cookie, const char *name, size_t len)
{
	struct watch *dead = NULL;
	bool has_others;

	irqlock_lock(&notify_lock);
	has_others = tell(i, mask & ~(uint32_t)NOTIFY_RENAMED, cookie, name, len, false, &dead);
	irqlock_unlock(&notify_lock);
	watches_free(dead);
	if (UNLIKELY(has_others))
		dnotify_event(i, mask);
}

void inotify_moved(struct inode *from, struct inode *to, const struct name_key *old_name,
	const struct dentry *d)
{
	uint32_t dir = S_ISDIR(d->inode->mode) ? IN_ISDIR : 0;
	uint32_t cookie = atomic_fetch_add(&next_cookie, 1) + 1;

	inotify_event(from, IN_MOVED_FROM | dir | (from == to ? NOTIFY_RENAMED : 0), cookie,
		old_name->text, old_name->len);
	inotify_event(to, IN_MOVED_TO | dir, cookie, d->name, d->name_len);
}

void inotify_path_event(const struct path *p, uint32_t mask)
{
	struct dentry *d = p->dentry;
	struct inode *i = d->inode;
	bool is_unlinked = d->flags & DENTRY_UNLINKED, has_others = false;
	struct inode *parent = NULL;
	struct watch *dead = NULL;

	if (S_ISDIR(i->mode))
		mask |= IN_ISDIR;
	irqlock_lock(&dentry_lock); /* the name and the parent stand still */
	irqlock_lock(&notify_lock);
	if (d->parent != d && d->parent->inode->watches &&
		tell(d->parent->inode, mask, 0, d->name, d->name_len, is_unlinked, &dead)) {
		parent = d->parent->inode;
		inode_get(parent);
	}
	if (i->watches)
		has_others = tell(i, mask, 0, NULL, 0, is_unlinked, &dead);
	irqlock_unlock(&notify_lock);
	irqlock_unlock(&dentry_lock);
	watches_free(dead);
	if (UNLIKELY(parent)) {
		dnotify_event(parent, mask);
		inode_put(parent);
	}
	if (UNLIKELY(has_others))
		dnotify_event(i, mask);
}

void inotify_inode_gone(struct inode *i)
{
	struct watch *dead = NULL;

	irqlock_lock(&notify_lock);
	(void)tell(i, IN_DELETE_SELF, 0, NULL, 0, false, &dead);
	while (i->watches)
		end_watch(i->watches, &dead);
	irqlock_unlock(&notify_lock);
	watches_free(dead);
}

/* ---- The file ---- */

static int64_t copy_event(struct iter *to, const struct event *e)
{
	size_t padded = padded_name(e->name_len);
	struct inotify_event head = {
		.wd = e->wd, .mask = e->mask, .cookie = e->cookie, .len = (uint32_t)padded};

	if (iter_write(to, &head, sizeof(head)) != sizeof(head) ||
		iter_write(to, e->name, e->name_len) != e->name_len ||
		iter_zero(to, padded - e->name_len) != padded - e->name_len)
		return -EFAULT;
	return (int64_t)(sizeof(head) + padded);
}

/* The first event if it fits in `room`; off the queue. */
static int64_t take_event(struct instance *in, size_t room, struct event **out)
{
	int64_t err = 0;

	irqlock_lock(&notify_lock);
	*out = list_first(&in->events, struct event, link);
	if (!*out) {
		err = -EAGAIN;
	} else {
		size_t size = sizeof(struct inotify_event) + padded_name((*out)->name_len);

		if (size > room) {
			err = -EINVAL;
		} else {
			list_remove(&(*out)->link);
			in->nr_events--;
			in->nr_bytes -= size;
		}
	}
	irqlock_unlock(&notify_lock);
	return err;
}

static int64_t inotify_read(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct instance *in = f->private_data;
	int64_t done = 0;

	for (;;) {
		struct event *e;
		int64_t n = take_event(in, to->left, &e);

		if (n)
			return done ? done : n;
		n = copy_event(to, e);
		mem_free(e);
		if (n < 0)
			return n; /* what was copied is lost, as on Linux */
		done += n;
	}
}

static uint32_t inotify_poll(struct file *f)
{
	const struct instance *in = f->private_data;

	return READ_ONCE(in->nr_events) ? POLLIN | POLLRDNORM : 0;
}

static struct waitq *inotify_waitq(struct file *f, uint32_t events UNUSED)
{
	return &((struct instance *)f->private_data)->readable;
}

static int64_t inotify_ioctl(struct file *f, unsigned cmd, uintptr_t arg)
{
	const struct instance *in = f->private_data;
	int n = (int)READ_ONCE(in->nr_bytes);

	if (cmd != FIONREAD)
		return -ENOTTY;
	return user_put(UPTR(arg), n);
}

static void instance_free(struct instance *in)
{
	user_uncharge(in->user, USER_INOTIFY_INSTANCES);
	user_release(in->user);
	mem_free(in);
}

static void inotify_release(struct file *f)
{
	struct instance *in = f->private_data;
	struct watch *dead = NULL, *w;
	struct event *e;
	uint64_t wd = 0;

	irqlock_lock(&notify_lock);
	in->is_gone = true;
	while ((w = idr_find(&in->watches, &wd)))
		end_watch(w, &dead);
	irqlock_unlock(&notify_lock);
	watches_free(dead);
	while ((e = list_pop_head(&in->events, struct event, link)))
		mem_free(e);
	idr_fini(&in->watches);
	instance_free(in);
}

/* The first watch from *wd on, as a line of so many bytes; 0: there is none. */
static size_t watch_line(struct instance *in, uint64_t *wd, char *line, size_t size)
{
	const struct watch *w;
	size_t len = 0;

	irqlock_lock(&notify_lock);
	w = idr_find(&in->watches, wd);
	if (w)
		len = snformat(line, size,
			"inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:0\n", w->wd,
			(unsigned long)w->inode->ino, w->inode->super->dev,
			w->mask & (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK));
	irqlock_unlock(&notify_lock);
	return len;
}

static void inotify_fdinfo(struct file *f, struct text *out)
{
	char line[128];
	size_t len;

	for (uint64_t wd = 0; (len = watch_line(f->private_data, &wd, line, sizeof(line)));
		wd++)
		text_add_bytes(out, line, len);
}

static const struct file_ops inotify_ops = {
	.read = inotify_read,
	.poll = inotify_poll,
	.waitq = inotify_waitq,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
	.fdinfo = inotify_fdinfo,
	.name = "inotify",
};

int inotify_create(unsigned flags, struct file **out)
{
	struct instance *in = mem_alloc(sizeof(*in), SLAB_ZERO);
	int err;

	if (!in)
		return -ENOMEM;
	in->user = user_get_current();
	if (!user_charge(in->user, USER_INOTIFY_INSTANCES, READ_ONCE(inotify_max_instances))) {
		user_release(in->user);
		mem_free(in);
		return -EMFILE;
	}
	list_init(&in->events);
	waitq_init(&in->readable);
	idr_init(&in->watches, 1, INT32_MAX, &mem_allocator);
	err = file_open_anonymous(
		out, &inotify_ops, "inotify", in, flags & O_NONBLOCK, FILE_READ | FILE_STREAM);
	if (err)
		instance_free(in);
	return err;
}

/* ---- Adding and removing ---- */

static struct watch *find_watch(const struct instance *in, const struct inode *i)
{
	for (struct watch *w = i->watches; w; w = w->next)
		if (w->instance == in)
			return w;
	return NULL;
}

/* There is one already: its wd, changed as asked. */
static int change_watch(struct watch *w, uint32_t mask)
{
	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	w->mask = mask & IN_MASK_ADD ? w->mask | mask : mask;
	return w->wd;
}

/* notify_lock held; new_watch is used, or left to the caller. */
static int add_watch_locked(
	struct instance *in, struct inode *i, uint32_t mask, struct watch **new_watch)
{
	struct watch *w = find_watch(in, i);
	uint64_t wd;
	int err;

	if (w)
		return change_watch(w, mask);
	w = *new_watch;
	err = idr_alloc_cyclic(&in->watches, w, &wd);
	if (err)
		return err;
	/* the number is used up, as on Linux */
	if (!user_charge(in->user, USER_INOTIFY_WATCHES, READ_ONCE(inotify_max_watches))) {
		(void)idr_free(&in->watches, wd);
		return -ENOSPC;
	}
	*new_watch = NULL;
	*w = (struct watch){.instance = in, .inode = i, .mask = mask, .wd = (int)wd};
	watch_begin_locked(w);
	return w->wd;
}

int inotify_add(struct file *f, struct inode *i, uint32_t mask)
{
	struct watch *w;
	int wd;

	if (f->ops != &inotify_ops)
		return -EINVAL;
	w = mem_alloc(sizeof(*w), 0);
	if (!w)
		return -ENOMEM;
	irqlock_lock(&notify_lock);
	wd = add_watch_locked(f->private_data, i, mask, &w);
	irqlock_unlock(&notify_lock);
	mem_free(w);
	return wd;
}

bool inotify_is_file(const struct file *f)
{
	return f->ops == &inotify_ops;
}

int inotify_remove(struct file *f, int wd)
{
	struct instance *in = f->private_data;
	struct watch *dead = NULL, *w = NULL;

	if (f->ops != &inotify_ops)
		return -EINVAL;
	irqlock_lock(&notify_lock);
	if (wd > 0)
		w = idr_lookup(&in->watches, (uint64_t)wd);
	if (w)
		end_watch(w, &dead);
	irqlock_unlock(&notify_lock);
	watches_free(dead);
	return dead ? 0 : -EINVAL;
}
