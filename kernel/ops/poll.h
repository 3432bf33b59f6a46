// SPDX-License-Identifier: MIT
/*
 * Waiting for one of many files: poll, select.
 */
#pragma once

#include <asm/poll.h>

#include "fs/vfs/fdtable.h"
#include "lib/base.h"
#include "ops/op.h"

struct poll_op;

/* One queue that a parked poll waits on. */
struct poll_entry {
	struct waiter waiter;
	struct poll_op *poll;      /* [I] */
	struct waitq *queue;       /* [I] */
	uint32_t wanted;           /* [I] a wake-up with other events is none */
	unsigned index;            /* [I] in fds */
	struct borrowed_file file; /* given back by the first entry of its index */
};

enum { POLL_FEW = 6 };

struct poll_op {
	struct op op;
	struct pollfd *fds; /* kernel memory of the caller's */
	unsigned nr_fds;
	uint32_t always; /* events that are reported unasked: POLLERR | POLLHUP, or none */
	bool may_wait;
	uint64_t timeout_ns;        /* from the first wait on, if deadline_ns is WAIT_FOREVER */
	struct poll_entry *entries; /* `few`, or memory of its own */
	unsigned nr_entries;
	bool is_armed;
	struct poll_entry few[POLL_FEW];
};

/*
 * The result is how many fds have revents, 0 at the deadline; revents are written in every case. An
 * fd that is not open has POLLNVAL, a negative one is passed over.
 * A wait ended by a signal is -EINTR.
 */
void poll_op_prepare(struct poll_op *p, struct pollfd *fds, unsigned nr, uint32_t always);
