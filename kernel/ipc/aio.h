// SPDX-License-Identifier: MIT
/*
 * Contexts of native AIO: where the events of requests wait until a program takes them.
 *
 * A context is known by the address of its ring, memory of the program that libaio reads directly. Requests
 * are sys/aio.c's; each one has a place for its event before it begins.
 *
 * Spec    man 2 io_setup, io_submit, io_getevents; libaio for the ring
 */
#pragma once

#include <linux/aio_abi.h>

#include "lib/base.h"
#include "uaccess/uaccess.h"

struct aio_context;
struct proc;
struct waitq;

extern uint64_t aio_max;   /* [a] /proc/sys/fs/aio-max-nr: requests, in all contexts */
extern uint64_t aio_count; /* [a] aio-nr: what they were made for */

/* For the current process; nr as io_setup has it. -EINVAL, -EAGAIN, -ENOMEM. */
MUST_CHECK int aio_create(unsigned nr, uint64_t *id);
/* No more requests, and who waits is told; when it returns those that were begun are over. -EINVAL: there is none. */
MUST_CHECK int aio_destroy(uint64_t id);
/* Of the current process, with a reference. -EINVAL. */
MUST_CHECK int aio_get(uint64_t id, struct aio_context **out);
void aio_put(struct aio_context *c);
/* How many places its ring has. */
unsigned aio_places(const struct aio_context *c);
/* A place for an event, which is posted or given back. -EAGAIN: all are taken; -EFAULT. */
MUST_CHECK int aio_reserve(struct aio_context *c);
void aio_give_back(struct aio_context *c);
/* The event is in its place, and who waits is woken. In the memory of the program. */
void aio_post(struct aio_context *c, const struct io_event *e);
/* Up to nr events to the program; how many. -EFAULT, -EINVAL: it was destroyed. */
MUST_CHECK int64_t aio_take(struct aio_context *c, uptr to, int64_t nr);
/* How often something changed for who waits; they are woken by the queue. */
uint32_t aio_changes(const struct aio_context *c);
struct waitq *aio_waitq(struct aio_context *c);
/* exec and the end of the process: all of its contexts go. */
void aio_end(struct proc *p);
