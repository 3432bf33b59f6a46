// SPDX-License-Identifier: MIT
/*
 * Between epoll.c (sets and their items) and epoll_nest.c (sets in sets). Locks: epoll.c.
 */
#pragma once

#include "fs/vfs/epoll.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "lib/refcount.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

struct epoll {
	struct mutex lock;
	struct rbtree items; /* [m] by file and number */
	struct waitq queue;  /* its lock is [q] */
	struct list ready;   /* [q] */
	uint64_t order;      /* [a] written under nest_lock; above that of any set in it */
	uint64_t round;      /* nest_lock: the last search that came by */
	int depth;           /* nest_lock: what that search found here */
	struct file *file;   /* [I] the set's own; no reference */
	struct user *user;   /* [I] who made it, and whose items are counted; one reference */
	refcount refs;       /* [a] the file, and each item */
};

struct hook {
	struct waiter waiter;
	struct waitq *queue; /* [I] NULL: not used */
	struct item *item;   /* [I] */
};

struct item {
	struct rbtree_node node;     /* [m] */
	struct file *file;           /* [I] no reference */
	int fd;                      /* [I] */
	uint32_t events;             /* [m] to write; wake-ups read it */
	uint64_t data;               /* [m] */
	struct epoll *set;           /* [I] one reference */
	struct list_node ready_link; /* [q] */
	struct item *next_of_file;   /* [f] NULL: the last */
	struct item *prev_of_file;   /* [f] NULL: the first */
	struct hook hooks[2];
};

/* Outer sets first. */
static inline uint64_t epoll_mutex_key(const struct epoll *ep)
{
	return UINT64_MAX - atomic_load_relaxed(&ep->order);
}

/* ---- epoll.c ---- */
/* EPOLL_CTL_*, once it is clear that the two may come together. */
MUST_CHECK int epoll_control_once(
	struct epoll *ep, int op, int fd, struct file *f, const struct epoll_event *event);

/* ---- epoll_nest.c ---- */
/* Adds a set, or to a set that is in another. -ELOOP: too deep, or a loop; -EINVAL: too many ways. */
MUST_CHECK int epoll_add_nested(
	struct file *set, int fd, struct file *f, const struct epoll_event *event);
