// SPDX-License-Identifier: MIT
/*
 * Locks that programs put on files: flock, POSIX records, open-file-description records.
 *
 *     kind         owner                 goes when
 *     LOCK_FLOCK   the open file         its last reference goes
 *     LOCK_OFD     the open file         its last reference goes
 *     LOCK_POSIX   the descriptor table  any descriptor of the file in that table is closed
 *
 * flock knows nothing of the others; POSIX and OFD records see each other.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/base.h"
#include "lib/list.h"
#include "sync/waitq.h"

enum lock_kind { LOCK_FLOCK, LOCK_POSIX, LOCK_OFD };

struct file_locks; /* of one inode: locks.c */

/* What is asked for: type F_RDLCK, F_WRLCK, F_UNLCK, bytes start..end, both included. */
struct lock_request {
	struct inode *inode;
	enum lock_kind kind;
	short type;
	int64_t start, end;
	const void *owner;
	int pid;
};

/* A request that could not be granted: who waits for whom. Zero before the first try. */
struct lock_wait {
	struct list_node link;
	const struct lock_request *request;
	const void *blocker;      /* an owner; NULL: has given up what was in the way */
	struct file_locks *locks; /* kept alive meanwhile; its queue tells of changes */
};

/*
 * Grants it, or not: -EAGAIN, and with `wait` that is noted there; -EDEADLK if waiting would be for ever;
 * -ENOLCK, -ENOMEM (flock).
 */
MUST_CHECK int locks_try(const struct lock_request *req, struct lock_wait *wait);
struct waitq *locks_waitq(struct lock_wait *wait);
void locks_end_wait(struct lock_wait *wait); /* also when there was none */
/* F_GETLK: the first lock in the way becomes *req's description; F_UNLCK when there is none. */
void locks_test(struct lock_request *req);

/* A descriptor of this table was closed: POSIX locks of the table's owner on the inode go. */
void locks_descriptor_closed(struct file *f, const void *table);
/* The last reference goes: its flock and its description's records. */
void locks_file_released(struct file *f);

/* One lock for /proc/locks. */
struct lock_info {
	enum lock_kind kind;
	short type;
	int pid;
	uint32_t dev;
	uint64_t ino;
	int64_t start, end;
	bool is_waiting;
};
/* The n-th, counted from 0, locks and then who waits; false: there are fewer. */
bool locks_get_info(unsigned n, struct lock_info *out);
