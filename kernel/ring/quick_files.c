// SPDX-License-Identifier: MIT
/*
 * Opening and asking about what is in memory, and emptying slots, without a request (quick.c).
 *
 * A slot with a tag is left to a request: its completion would come among those of quick entries, which the
 * program does not see yet.
 *
 * Locks   ring->lock [l]
 */
#include <linux/fcntl.h>

#include "proc/proc.h"
#include "ring/opcodes.h"
#include "ring/tables.h"
#include "sys/open.h"
#include "sys/stat.h"

bool openat_suits(
	struct ring_batch *b UNUSED, const volatile struct io_uring_sqe *sqe, uint32_t word)
{
	return !(word & QUICK_FIXED) && !sqe->buf_index &&
	       !(sqe->file_index && sqe->open_flags & O_CLOEXEC);
}

bool close_suits(
	struct ring_batch *b UNUSED, const volatile struct io_uring_sqe *sqe, uint32_t word)
{
	return !(word & QUICK_FIXED) && sqe->file_index && !sqe->fd && !sqe->off &&
	       !sqe->addr && !sqe->len && !sqe->rw_flags && !sqe->buf_index;
}

bool statx_suits(
	struct ring_batch *b UNUSED, const volatile struct io_uring_sqe *sqe, uint32_t word)
{
	return !(word & QUICK_FIXED) && !sqe->buf_index && !sqe->splice_fd_in;
}

static bool has_tag(const struct ring *ring, uint32_t slot)
{
	const struct ring_node *node = ring_table_look(&ring->files, slot - 1);

	return node && node->tag;
}

/* As openat_now; with a slot *taken is the file. */
static int64_t open_here(
	const volatile struct io_uring_sqe *sqe, bool takes, struct file **taken)
{
	struct uthread *u = uthread_current();
	int64_t n;

	u->takes_files = takes;
	n = openat_now(sqe->fd, UPTR(sqe->addr), sqe->open_flags);
	*taken = u->taken[0];
	u->taken[0] = NULL;
	u->nr_reserved = 0;
	u->takes_files = false;
	return n;
}

/* Names mean what they mean to the thread that asks. */
static bool is_own(const struct ring_batch *b)
{
	return uthread_current() == b->task->user && !fiber_is_current();
}

int64_t openat_quick(
	struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word)
{
	uint32_t slot = sqe->file_index;
	struct file *taken;
	int64_t n;

	if (!openat_suits(b, sqe, word) || has_tag(b->ring, slot) || !is_own(b))
		return RING_NOT_QUICK;
	n = open_here(sqe, slot, &taken);
	if (n < 0)
		return n == -EAGAIN ? RING_NOT_QUICK : n;
	return slot ? ring_files_install(b->ring, taken, slot) : n;
}

int64_t statx_quick(
	struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word)
{
	int64_t n;

	if (!statx_suits(b, sqe, word) || !is_own(b))
		return RING_NOT_QUICK;
	n = statx_now(
		sqe->fd, UPTR(sqe->addr), (int)sqe->statx_flags, sqe->len, UPTR(sqe->addr2));
	return n == -EAGAIN ? RING_NOT_QUICK : n;
}

int64_t close_quick(
	struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word)
{
	uint32_t slot = sqe->file_index;

	if (!slot || !close_suits(b, sqe, word) || has_tag(b->ring, slot))
		return RING_NOT_QUICK;
	return ring_files_remove(b->ring, slot - 1);
}
