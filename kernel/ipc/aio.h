// SPDX-License-Identifier: MIT
/*
 * Contexts of native AIO: where the events of requests wait until a program takes them.
 *
 * A context is known by the address of its ring, memory of the program that libaio reads directly. Requests
 * are sys/aio.c's, and those that wait ops/aio_poll.c's; each one has a place for its event before it begins.
 *
 * Spec    man 2 io_setup, io_submit, io_getevents; libaio for the ring
 */
#pragma once

#include <linux/aio_abi.h>

#include "lib/base.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "lib/refcount.h"
#include "sync/mutex.h"
#include "sync/waitq.h"
#include "uaccess/uaccess.h"

struct aio_request;
struct page;
struct proc;

extern uint64_t aio_max;   /* [a] /proc/sys/fs/aio-max-nr: requests, in all contexts */
extern uint64_t aio_count; /* [a] aio-nr: what they were made for */

/*
 *   [I] immutable    [p] proc->lock    [c] lock    [a] atomic
 */
struct aio_context {
	refcount refs;
	struct rbtree_node node; /* [p] proc->aio, by `at` */
	uint64_t at;             /* [I] where the program has the ring */
	size_t size;             /* [I] of the mapping */
	struct page **
		pages; /* [I] of the ring, one reference each: it stays ours if it is unmapped */
	uint32_t nr;   /* [I] places; one is always free */
	uint32_t wanted;      /* [I] as io_setup said: what is counted */
	struct mutex lock;    /* RANK_AIO: the ring, and the requests that wait */
	bool is_dead;         /* [c] */
	uint32_t tail;        /* [c] */
	uint32_t nr_begun;    /* [c] places that were reserved and not posted to */
	struct list waiting;  /* [c] struct aio_request.link */
	uint32_t nr_requests; /* [a] those that have waited, while they exist */
	uint32_t changes;     /* [a] */
	struct waitq waitq;
};

/* For the current process; nr as io_setup has it. -EINVAL, -EAGAIN, -ENOMEM. */
MUST_CHECK int aio_create(unsigned nr, uint64_t *id);
/* No more requests, and who waits is told; when it returns those that were begun are over. -EINVAL: there is none. */
MUST_CHECK int aio_destroy(uint64_t id);
/* Of the current process, with a reference. -EINVAL. */
MUST_CHECK int aio_get(uint64_t id, struct aio_context **out);
void aio_put(struct aio_context *c);
/* A place for an event, which is posted or given back. -EAGAIN: all are taken; -EINVAL: it was destroyed. */
MUST_CHECK int aio_reserve(struct aio_context *c);
void aio_give_back(struct aio_context *c);
/* The event is in its place, and who waits is woken. */
void aio_post(struct aio_context *c, const struct io_event *e);
void aio_post_locked(struct aio_context *c, const struct io_event *e) MUST_HOLD(c->lock);
/* Up to nr events to the program; how many. -EFAULT, -EINVAL: it was destroyed. */
MUST_CHECK int64_t aio_take(struct aio_context *c, uptr to, int64_t nr);
/* How often something changed for who waits; they are woken by the queue. */
uint32_t aio_changes(const struct aio_context *c);
/* exec and the end of the process: all of its contexts go, and with them what waits. */
void aio_end(struct proc *p);

/* ---- Requests that wait ---- */

struct aio_request_type {
	/* Off the list already: it ends. True: it has; else it ends soon, by itself. lock held. */
	bool (*cancel)(struct aio_request *r);
	/* It has ended, and nobody refers to it: gives back what it holds, and then aio_request_fini. Sleeps. */
	void (*free)(struct aio_request *r);
};

/* What its context knows of one; part of what its door keeps. */
struct aio_request {
	const struct aio_request_type *type; /* [I] */
	struct list_node link;               /* [c] context->waiting, unless it ends */
	struct aio_context *context;         /* [I] one reference */
	struct io_event event;               /* [I] but for res */
};

/* It exists: the context's end waits for it. */
void aio_request_init(struct aio_request *r, const struct aio_request_type *type,
	struct aio_context *c, const struct io_event *e);
/* No more. */
void aio_request_fini(struct aio_request *r);
/* The first that waits and was made by the iocb at obj ends: -EINPROGRESS, and an event. -EINVAL: none. */
MUST_CHECK int aio_cancel(struct aio_context *c, uint64_t obj);
