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
 * A whole operation, for an entry that wants nothing else; word is what ring_entry_word read of it. A result, -errno; or
 * RING_NOT_QUICK, and it has done nothing. The program may be changing the entry.
 */
typedef int64_t ring_quick_run(
	struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word);
#define RING_NOT_QUICK INT64_MIN
/* Whether it would try to: a later entry of a chain must not be wrong when an earlier one begins. */
typedef bool ring_quick_suits(
	struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word);
struct ring_quick {
	ring_quick_run *run; /* NULL: it needs a request */
	ring_quick_suits *suits;
	bool must_be_whole; /* a result less than len breaks a chain */
};
/* By opcode, of all that a byte can say. opcodes.c */
extern const struct ring_quick ring_quick_operations[256];

/* The entry that the queue has at this place. False: the program's array names none. */
static inline bool ring_entry_find(
	const struct ring *ring, uint32_t at, const volatile struct io_uring_sqe **sqe)
{
	size_t index = at & ring->q.sq_mask;

	if (ring->q.sq_array) {
		index = READ_ONCE(ring->q.sq_array[index]);
		if (UNLIKELY(index >= ring->q.sq_entries))
			return false;
	}
	*sqe = (void *)((char *)ring->q.sqes.at + (index << ring->sqe_shift));
	return true;
}

/* What its first four fields say, together: the flags in QUICK_FIXED and so on. */
enum {
	QUICK_OPCODE = 0xff,
	QUICK_FIXED = IOSQE_FIXED_FILE << 8,
	QUICK_LINK = IOSQE_IO_LINK << 8,
	QUICK_FLAGS = QUICK_FIXED | QUICK_LINK
};
static inline uint32_t ring_entry_word(const volatile struct io_uring_sqe *sqe)
{
	static_assert(offsetof(struct io_uring_sqe, opcode) == 0, "the lowest byte");
	static_assert(offsetof(struct io_uring_sqe, flags) == 1, "the next");
	static_assert(offsetof(struct io_uring_sqe, ioprio) == 2, "the upper half");
	return *(const volatile uint32_t *)(const volatile void *)sqe;
}
/* Whether it may be done at once. */
static inline bool ring_entry_is_quick(uint32_t word)
{
	return !(word & ~(uint32_t)(QUICK_OPCODE | QUICK_FLAGS)) &&
	       ring_quick_operations[word & QUICK_OPCODE].run;
}

/* The next entries of the queue, up to nr that are there, until one needs a request; how many were done. */
unsigned ring_submit_quickly(struct ring_batch *b, unsigned nr);
/* For such an operation: the file that fd means now, until the next entry. NULL: none. */
struct file *ring_batch_find(struct ring_batch *b, int fd, uint32_t word);
static inline struct file *ring_batch_file(struct ring_batch *b, int fd, uint32_t word)
{
	if (LIKELY(!(word & QUICK_FIXED) && b->file &&
		    fdtable_refers(b->task->user->files, fd, b->file)))
		return b->file;
	return ring_batch_find(b, fd, word);
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
