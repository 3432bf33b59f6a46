// SPDX-License-Identifier: MIT
/*
 * Entries that end at once, without a request: quick.c.
 */
#pragma once

#include "fs/vfs/fdtable.h"
#include "proc/proc.h"
#include "ring/ring_priv.h"

/* What the entries of one submission have in common. */
struct ring_batch {
	struct ring *ring;
	struct ring_task *task;
	struct file *file; /* [l] the one they named last by a number; one reference; NULL */
	int fd;            /* [l] that number */
};

/*
 * A whole operation, for an entry that wants nothing else (but is_fixed: IOSQE_FIXED_FILE). A result, -errno; or
 * RING_NOT_QUICK, and it has done nothing. The program may be changing the entry.
 */
typedef int64_t ring_quick(
	struct ring_batch *b, const volatile struct io_uring_sqe *sqe, bool is_fixed);
#define RING_NOT_QUICK INT64_MIN
/* By opcode, of all that a byte can say; NULL: it needs a request. opcodes.c */
extern ring_quick *const ring_quick_operations[256];

/* The entry that the queue has at this place; NULL: the program's array names none. */
static inline const void *ring_entry_at(const struct ring *ring, uint32_t at)
{
	at &= ring->q.sq_mask;
	if (ring->q.sq_array) {
		at = READ_ONCE(ring->q.sq_array[at]);
		if (UNLIKELY(at >= ring->q.sq_entries))
			return NULL;
	}
	return (const char *)ring->q.sqes.at + ((size_t)at << ring->sqe_shift);
}

/* What may do it at once, by its first four fields, which *word gets; NULL: it needs a request. */
static inline ring_quick *ring_entry_quick(
	const volatile struct io_uring_sqe *sqe, uint32_t *word)
{
	static_assert(offsetof(struct io_uring_sqe, opcode) == 0, "the lowest byte");
	static_assert(offsetof(struct io_uring_sqe, flags) == 1, "the next");
	static_assert(offsetof(struct io_uring_sqe, ioprio) == 2, "the upper half");
	*word = *(const volatile uint32_t *)(const volatile void *)sqe;
	if (*word & ~(0xffu | IOSQE_FIXED_FILE << 8))
		return NULL;
	return ring_quick_operations[*word & 0xff];
}

/* The next entries of the queue, up to nr that are there, until one needs a request; how many were done. */
unsigned ring_submit_quickly(struct ring_batch *b, unsigned nr);
/* For such an operation: the file that fd means now, until the next entry. NULL: none. */
struct file *ring_batch_find(struct ring_batch *b, int fd, bool is_fixed);
static inline struct file *ring_batch_file(struct ring_batch *b, int fd, bool is_fixed)
{
	if (LIKELY(!is_fixed && b->file && fdtable_refers(b->task->user->files, fd, b->file)))
		return b->file;
	return ring_batch_find(b, fd, is_fixed);
}

/* A request is to begin that may mean the same file: it need not look for it. */
static inline void ring_batch_give_file(struct ring_batch *b, struct req *r)
{
	if (!b->file || r->fd != b->fd || r->sqe_flags & IOSQE_FIXED_FILE ||
		!(r->type->flags & OPCODE_FILE) ||
		!fdtable_refers(b->task->user->files, r->fd, b->file))
		return;
	r->file = b->file;
	b->file = NULL;
}

/* Before a request begins, and at the end. */
static inline void ring_batch_forget(struct ring_batch *b)
{
	if (UNLIKELY(b->file))
		file_put(b->file);
	b->file = NULL;
}
