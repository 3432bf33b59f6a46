// SPDX-License-Identifier: MIT
/*
 * Telling inotify and F_NOTIFY what happens to files; nothing but a test of one pointer where nobody watches.
 *
 * Masks are IN_* of <linux/inotify.h>. Context: a thread; inode locks may be held.
 */
#pragma once

#include <linux/inotify.h>

#include "fs/vfs/path.h"
#include "lib/atomic.h"
#include "lib/base.h"

struct name_key;

/* fs/vfs/inotify.c */
void inotify_event(
	struct inode *i, uint32_t mask, uint32_t cookie, const char *name, size_t len);
void inotify_inode_gone(struct inode *i);
void inotify_moved(struct inode *from, struct inode *to, const struct name_key *old_name,
	const struct dentry *d);
void inotify_path_event(const struct path *p, uint32_t mask);
extern uint32_t inotify_nr_watches; /* [a] of the whole system: 0 is the common case */
/* fs/vfs/dnotify.c */
void dnotify_end(struct file *f, const void *table);

static inline bool notify_is_wanted(void)
{
	/* relaxed: a new watch may miss what happens now */
	return UNLIKELY(atomic_load_relaxed(&inotify_nr_watches));
}

/* The inode itself. */
static inline void notify_inode(struct inode *i, uint32_t mask)
{
	if (notify_is_wanted() && i->watches)
		inotify_event(i, mask | (S_ISDIR(i->mode) ? IN_ISDIR : 0), 0, NULL, 0);
}

/* A name in a directory was made or removed. */
static inline void notify_name(struct inode *dir, const struct dentry *d, uint32_t mask)
{
	if (notify_is_wanted() && dir->watches)
		inotify_event(dir, mask, 0, d->name, d->name_len);
}

/* d, which was called old_name in `from`, is in `to` now. */
static inline void notify_move(struct inode *from, struct inode *to,
	const struct name_key *old_name, const struct dentry *d)
{
	if (notify_is_wanted())
		inotify_moved(from, to, old_name, d);
}

/* The last name of an inode is gone, and nobody uses it. */
static inline void notify_inode_gone(struct inode *i)
{
	if (notify_is_wanted() && i->watches)
		inotify_inode_gone(i);
}

/* A file and, by its name, the directory that holds it: IN_ACCESS, IN_MODIFY, IN_OPEN, IN_CLOSE_*, IN_ATTRIB. */
static inline void notify_path(const struct path *p, uint32_t mask)
{
	if (notify_is_wanted())
		inotify_path_event(p, mask);
}

/* The same through an open file. */
static inline void notify_file(const struct file *f, uint32_t mask)
{
	if (notify_is_wanted())
		inotify_path_event(&(struct path){f->mount, f->dentry}, mask);
}

/* A descriptor of f in this table is closed; NULL: the last reference is gone. */
static inline void notify_closed(struct file *f, const void *table)
{
	if (notify_is_wanted() && f->inode->watches)
		dnotify_end(f, table);
}
