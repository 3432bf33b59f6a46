// SPDX-License-Identifier: MIT
/*
 * What inotify.c and dnotify.c share: the list of an inode's watches.
 */
#pragma once

#include "fs/vfs/inode.h"
#include "lib/base.h"

struct instance;

/*
 *   [l] notify_lock   [I] immutable
 */
struct watch {
	struct instance *instance; /* [I] NULL: of dnotify.c */
	struct inode *inode;       /* [I] one reference */
	struct watch *next;        /* [l] of the same inode; when ended, of the list to free */
	uint32_t mask;             /* [l] IN_* */
	int wd;                    /* [I] */
};

/* Beside IN_*, for dnotify only: a name became another in the same directory. */
enum { NOTIFY_RENAMED = 0x10000000 };

extern struct irqlock notify_lock; /* irq, RANK_EVENT: all watches */

/* First of its inode's. Locked. */
void watch_begin_locked(struct watch *w);
/* Off its inode; then on the list of those to free. Locked. */
void watch_end_locked(struct watch *w, struct watch **dead);
void watches_free(struct watch *dead); /* puts the inodes, which sleeps */

/* Signals for those who watch the directory by F_NOTIFY; IN_* and NOTIFY_RENAMED. A thread. */
void dnotify_event(struct inode *dir, uint32_t mask);
