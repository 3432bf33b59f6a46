// SPDX-License-Identifier: MIT
/*
 * Entries that end at once, for which no request is made.
 *
 * Most entries want nothing but their operation: they have no flags, and their ring neither filters nor
 * traces nor drains, which one look says for many of them (struct ring_batch). Where such an operation need
 * not wait, a ring_quick does it straight from the entry, and its completion is posted. Anything else is
 * left to submit.c, which begins anew: a quick operation that says RING_NOT_QUICK has done nothing.
 *
 * A chain of such entries is done one after the other, once all of it has been looked at: nothing of a chain
 * with a wrong entry begins. When one of it must wait, it and what follows it become requests.
 *
 * The entry stands where the program may change it meanwhile. Whether it suits is a look, and no promise: of a
 * chain or of one entry. What the operation then uses it reads once, which `volatile` sees to, and checks as the
 * system call would check its arguments.
 *
 * The program sees the completions when all are written.
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

/* One entry, and what its first fields say: its result. */
static inline int64_t try_entry(
	struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word)
{
	ring_quick_run *run = ring_quick_operations[word & QUICK_OPCODE].run;

	return run && !sqe->personality ? run(b, sqe, word) : RING_NOT_QUICK;
}

/* ---- Chains ---- */

/* The entry after so many, if it may be quick. */
static bool find_quick(const struct ring *ring, uint32_t after,
	const volatile struct io_uring_sqe **sqe, uint32_t *word)
{
	if (!ring_entry_find(ring, ring->sq_head + after, sqe))
		return false;
	*word = ring_entry_word(*sqe);
	return ring_entry_is_quick(*word);
}

/*
 * How many entries the chain has that begins after so many that were done, if it ends here, and each may be
 * quick and is right: none of them must have been begun when one is wrong. 0: it needs requests.
 */
static unsigned chain_length(
	struct ring_batch *b, struct ring *ring, uint32_t done, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		const volatile struct io_uring_sqe *sqe;
		uint32_t word;

		if (!find_quick(ring, done + i, &sqe, &word) || sqe->personality ||
			!ring_quick_operations[word & QUICK_OPCODE].suits(b, sqe, word))
			return 0;
		if (!(word & QUICK_LINK))
			return i ? i + 1 : 0;
	}
	return 0;
}

/* One of a chain; *is_broken: as one before it failed, and it may itself. False: it needs a request. */
static bool submit_linked(
	struct ring_batch *b, struct ring *ring, uint32_t done, bool *is_broken)
{
	const volatile struct io_uring_sqe *sqe;
	uint32_t word;
	int64_t n = -ECANCELED;

	if (!find_quick(ring, done, &sqe, &word))
		return false;
	if (!*is_broken)
		n = try_entry(b, sqe, word);
	if (n == RING_NOT_QUICK)
		return false;
	if (n < 0)
		n = req_result(n, false);
	if (n < 0 || (ring_quick_operations[word & QUICK_OPCODE].must_be_whole &&
			     n != (int64_t)sqe->len))
		*is_broken = true;
	ring_cq_write(ring, done, sqe->user_data, (int32_t)n, 0);
	return true;
}

/*
 * A whole chain, one after the other; how many of it were done. What follows one that needs a request is a
 * chain by itself.
 */
static NOINLINE unsigned submit_chain(
	struct ring_batch *b, struct ring *ring, uint32_t done, unsigned nr)
{
	unsigned length = chain_length(b, ring, done, nr), i = 0;
	bool is_broken = false;

	while (i < length && submit_linked(b, ring, done + i, &is_broken))
		i++;
	return i;
}

/* ---- The queue ---- */

/* The one after so many that were done, whose completions the program does not see yet. Whether it has been done. */
static inline bool submit_alone(struct ring_batch *b, struct ring *ring, uint32_t done)
{
	const volatile struct io_uring_sqe *sqe;
	uint32_t word;
	int64_t n;

	if (UNLIKELY(!ring_entry_find(ring, ring->sq_head + done, &sqe)))
		return false;
	word = ring_entry_word(sqe);
	if (UNLIKELY(word & ~(uint32_t)(QUICK_OPCODE | QUICK_FIXED)))
		return false;
	n = try_entry(b, sqe, word);
	if (UNLIKELY(n < 0)) {
		if (n == RING_NOT_QUICK)
			return false;
		n = req_result(n, false);
	}
	ring_cq_write(ring, done, sqe->user_data, (int32_t)n, 0);
	return true;
}

/* Whether the entry after so many is linked to the next one. */
static inline bool is_linked(const struct ring *ring, uint32_t after)
{
	const volatile struct io_uring_sqe *sqe;

	return ring_entry_find(ring, ring->sq_head + after, &sqe) &&
	       ring_entry_word(sqe) & QUICK_LINK;
}

unsigned ring_submit_quickly(struct ring_batch *b, unsigned nr)
{
	struct ring *ring = b->ring;
	unsigned done = 0, chained, used = ring_cq_used(ring), size = ring->q.cq_entries;

	if (used >= size || !is_plain(ring, b->task))
		return 0;
	nr = MIN(nr, size - used);
	do {
		while (done < nr && submit_alone(b, ring, done))
			done++;
		chained = done < nr && is_linked(ring, done)
				  ? submit_chain(b, ring, done, nr - done)
				  : 0;
		done += chained;
	} while (chained);
	ring_cq_show(ring, done);
	ring->sq_head += done;
	ring->nr_counted += done;
	ring->has_posted |= done > 0;
	return done;
}

/* ---- The file that entries name ---- */

struct file *ring_batch_find(struct ring_batch *b, int fd, uint32_t word)
{
	if (word & QUICK_FIXED) {
		const struct ring_node *node = ring_table_look(&b->ring->files, (uint32_t)fd);

		return node ? node->file : NULL;
	}
	if (b->file)
		file_put(b->file);
	b->file = NULL;
	b->fd = fd;
	return fd_get_file(b->task->user->files, fd, false, &b->file) ? NULL : b->file;
}
