// SPDX-License-Identifier: MIT
/*
 * Entries that end at once, for which no request is made.
 *
 * Most entries want nothing but their operation: they have no flags, and their ring neither filters nor
 * traces nor drains, which one look says for many of them (struct ring_batch). Where such an operation need
 * not wait, a ring_quick does it straight from the entry, and its completion is posted. Anything else is
 * left to submit.c, which begins anew: a quick operation that says RING_NOT_QUICK has done nothing.
 *
 * The entry stands where the program may change it meanwhile. So each of its fields is read once, which
 * `volatile` sees to, and what was read is what is checked.
 *
 * Locks   ring->lock [l]
 */
#include "ring/quick.h"

#include "ring/cq.h"
#include "ring/tables.h"
#include "sys/trace.h"

/* Nothing that a quick operation does changes any of this. */
static bool is_plain(const struct ring *ring, const struct ring_task *task)
{
	return !(ring->flags & IORING_SETUP_IOPOLL) && !ring->cqe_shift && !ring->sqpoll &&
	       !ring->restrictions && !ring->is_dead && !task->is_leaving && !ring->chain &&
	       !ring->drain_next && list_is_empty(&ring->overflow) &&
	       list_is_empty(&ring->drained) && list_is_empty(&ring->ready) &&
	       !READ_ONCE(task->user->call_work) && !trace_is_on;
}

/* One entry: its result. */
static inline int64_t try_entry(struct ring_batch *b, const volatile struct io_uring_sqe *sqe)
{
	uint32_t word;
	ring_quick *quick = ring_entry_quick(sqe, &word);

	return quick && !sqe->personality ? quick(b, sqe, word >> 8) : RING_NOT_QUICK;
}

/* The one at this place of the queue: whether it has been done. */
static inline bool submit_at(struct ring_batch *b, uint32_t at)
{
	struct ring *ring = b->ring;
	const volatile struct io_uring_sqe *sqe = ring_entry_at(ring, at);
	int64_t n = LIKELY(sqe) ? try_entry(b, sqe) : RING_NOT_QUICK;

	if (UNLIKELY(n < 0)) {
		if (n == RING_NOT_QUICK)
			return false;
		n = req_result(n, false);
	}
	ring_cq_write(ring, sqe->user_data, (int32_t)n, 0);
	return true;
}

unsigned ring_submit_quickly(struct ring_batch *b, unsigned nr)
{
	struct ring *ring = b->ring;
	unsigned done = 0, used = ring_cq_used(ring), size = ring->q.cq_entries;

	if (used >= size || !is_plain(ring, b->task))
		return 0;
	nr = MIN(nr, size - used);
	while (done < nr && submit_at(b, ring->sq_head + done))
		done++;
	ring->sq_head += done;
	ring->nr_counted += done;
	ring->has_posted |= done > 0;
	return done;
}

/* ---- The file that entries name ---- */

struct file *ring_batch_find(struct ring_batch *b, int fd, bool is_fixed)
{
	if (is_fixed) {
		const struct ring_node *node = ring_table_look(&b->ring->files, (uint32_t)fd);

		return node ? node->file : NULL;
	}
	if (b->file)
		file_put(b->file);
	b->file = NULL;
	b->fd = fd;
	return fd_get_file(b->task->user->files, fd, false, &b->file) ? NULL : b->file;
}
