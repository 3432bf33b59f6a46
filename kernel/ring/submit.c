// SPDX-License-Identifier: MIT
/*
 * Submission: entries become requests, one after another.
 *
 *     entry -> copied, so that the program cannot change it any more -> checked, decoded
 *           -> a chain, while entries say that the next one belongs to them
 *           -> begun at once; or kept until all before it have ended (drain)
 *
 * An entry that is wrong ends the submission with its completion, unless IORING_SETUP_SUBMIT_ALL; a
 * chain with one is taken to its end, and none of it is begun.
 *
 * Locks   ring->lock [l]
 */
#include "lib/atomic.h"
#include "lib/string.h"
#include "proc/cred.h"
#include "ring/quick.h"
#include "ring/tables.h"
#include "sys/ioprio.h"
#include "sys/trace.h"

enum { SQE_LINKS = IOSQE_IO_LINK | IOSQE_IO_HARDLINK };
enum { TRY_AGAIN_AFTER = 15 /* entries */ };

/* ---- One entry ---- */

static int check_flags(
	struct ring *ring, const struct io_uring_sqe *sqe, const struct ring_opcode *type)
{
	unsigned flags = sqe->flags;

	if (flags & ~(unsigned)RING_SQE_FLAGS)
		return -EINVAL;
	if (flags & IOSQE_BUFFER_SELECT && !(type->flags & OPCODE_BUFFERS))
		return -EOPNOTSUPP;
	if (flags & IOSQE_CQE_SKIP_SUCCESS)
		ring->no_drain = true;
	if (flags & IOSQE_IO_DRAIN && ring->no_drain)
		return -EOPNOTSUPP;
	if (sqe->ioprio && !(type->flags & (OPCODE_IOPRIO | OPCODE_DISK_PRIO)))
		return -EINVAL;
	if (ring->flags & IORING_SETUP_IOPOLL && !(type->flags & OPCODE_POLLS))
		return -EINVAL;
	return sqe->ioprio && type->flags & OPCODE_DISK_PRIO ? ioprio_check(sqe->ioprio) : 0;
}

static uint16_t flags_of(const struct io_uring_sqe *sqe)
{
	unsigned flags = 0;

	if (sqe->flags & SQE_LINKS)
		flags |= REQ_LINK;
	if (sqe->flags & IOSQE_IO_HARDLINK)
		flags |= REQ_HARD_LINK;
	if (sqe->flags & IOSQE_CQE_SKIP_SUCCESS)
		flags |= REQ_SKIP_SUCCESS;
	if (sqe->flags & IOSQE_BUFFER_SELECT)
		flags |= REQ_BUFFER_SELECT;
	if (sqe->flags & IOSQE_IO_DRAIN)
		flags |= REQ_DRAIN;
	return (uint16_t)flags;
}

/* Everything that can be wrong with an entry by itself. */
static int decode(struct req *r, const struct io_uring_sqe *sqe)
{
	struct ring *ring = r->ring;
	int err = r->error;

	r->user_data = sqe->user_data;
	r->opcode = sqe->opcode;
	r->sqe_flags = sqe->flags;
	r->fd = sqe->fd;
	r->buf_group = sqe->buf_group;
	r->flags = LIKELY(!sqe->flags) ? 0 : flags_of(sqe);
	if (err)
		return err;
	if (sqe->opcode >= TORUS_OP_LAST || !ring_opcodes[sqe->opcode].name)
		return -EINVAL;
	if (UNLIKELY(sqe->flags || sqe->ioprio || ring->flags & IORING_SETUP_IOPOLL))
		err = check_flags(ring, sqe, &ring_opcodes[sqe->opcode]);
	if (!err && UNLIKELY(ring->restrictions))
		err = ring_check_restrictions(ring, sqe);
	if (!err && UNLIKELY(sqe->personality))
		err = ring_get_personality(ring, sqe->personality, &r->cred);
	else if (UNLIKELY(ring->sqpoll))
		r->cred = ring_sqpoll_get_cred(ring);
	if (!err)
		err = ring_opcodes[sqe->opcode].prepare(r, sqe);
	if (err)
		return err;
	r->type = &ring_opcodes[sqe->opcode];
	if (UNLIKELY(trace_is_on))
		ring_trace_begin(r, sqe);
	if (UNLIKELY(READ_ONCE(r->task->user->call_work)))
		err = ring_policy(r, sqe);
	if (r->type->flags & OPCODE_PARKS)
		op_leave_thread(&r->op, req_woken);
	return err;
}

/* ---- Chains and draining ---- */

/* IORING_FEAT_SUBMIT_STABLE: what waits for its turn has read what it needs. Without memory it fails. */
static void keep_inputs(struct req *r)
{
	for (; r; r = r->next) {
		if (!(r->type->flags & OPCODE_CALL) || !call_keep_input(r))
			continue;
		if (r->error > 0)
			req_forget_verdict(r);
		r->error = -ENOMEM;
	}
}

static void begin_chain(struct ring *ring, struct req *head)
{
	bool must_drain = head->flags & REQ_DRAIN || ring->drain_next;

	ring->drain_next = head->flags & REQ_DRAIN;
	if (UNLIKELY(must_drain || !list_is_empty(&ring->drained))) {
		if (must_drain)
			head->flags |= REQ_DRAIN;
		keep_inputs(head);
		for (struct req *r = head; r; r = r->next)
			ring->nr_begun--;
		list_add_tail(&ring->drained, &head->link);
	} else {
		keep_inputs(head->next);
		req_queue(head);
	}
	ring_run_ready(ring);
}

/* An entry that belongs to no chain: mostly nothing is before it, and its turn has come. */
static void begin_alone(struct ring *ring, struct req *r)
{
	if (UNLIKELY(r->flags & REQ_DRAIN || ring->drain_next ||
		     !list_is_empty(&ring->drained) || !list_is_empty(&ring->ready))) {
		begin_chain(ring, r);
		return;
	}
	req_begin(r);
	if (UNLIKELY(!list_is_empty(&ring->ready)))
		ring_run_ready(ring);
}

/* The chain that was put together begins, or fails as a whole. */
static void end_chain(struct ring *ring)
{
	struct req *head = ring->chain;

	ring->chain = ring->chain_last = NULL;
	if (head->flags & REQ_FAILED)
		req_cancel_chain(head, false);
	else
		begin_chain(ring, head);
}

static void add_to_chain(struct ring *ring, struct req *r)
{
	if (ring->chain) {
		ring->chain_last->next = r;
		ring->chain->flags |= r->flags & REQ_DRAIN;
	} else {
		ring->chain = r;
	}
	ring->chain_last = r;
	if (r->error < 0)
		ring->chain->flags |= REQ_FAILED;
	if (!(r->flags & REQ_LINK))
		end_chain(ring);
}

/* Whether the submission goes on. */
static bool submit_one(struct ring_batch *b, struct req *r, const struct io_uring_sqe *sqe)
{
	struct ring *ring = b->ring;
	int err = decode(r, sqe);
	bool is_alone = !ring->chain && !(r->flags & REQ_LINK), goes_on;

	if (LIKELY(!err && is_alone))
		ring_batch_give_file(b, r);
	ring_batch_forget(b);
	if (LIKELY(!err)) {
		if (LIKELY(is_alone))
			begin_alone(ring, r);
		else
			add_to_chain(ring, r);
		return true;
	}
	goes_on = r->flags & REQ_LINK || ring->flags & IORING_SETUP_SUBMIT_ALL;
	r->error = (int16_t)err;
	if (is_alone)
		req_cancel_chain(r, false);
	else
		add_to_chain(ring, r);
	return goes_on;
}

/* ---- The queue ---- */

/* The next entry; NULL: there is none, which the program is told of. */
static const char *next_entry(struct ring *ring)
{
	const volatile struct io_uring_sqe *sqe;

	if (LIKELY(ring_entry_find(ring, ring->sq_head++, &sqe)))
		return (const char *)(uintptr_t)sqe;
	WRITE_ONCE(ring->shared->sq_dropped, ring->shared->sq_dropped + 1);
	return NULL;
}

/* Of 64 or 128 bytes: the second half is what some operations have for themselves (cmd). */
union entry {
	struct io_uring_sqe sqe;
	uint8_t bytes[128];
};

static void copy_entry(const struct ring *ring, union entry *to, const char *from)
{
	if (LIKELY(!(ring->flags & IORING_SETUP_SQE128)))
		to->sqe = *(const struct io_uring_sqe *)(const void *)from;
	else
		memcpy(to, from, sizeof(*to));
	compiler_barrier(); /* looked at once: what we decode is what we copied */
}

static bool is_wide(const struct io_uring_sqe *sqe)
{
	return sqe->opcode < TORUS_OP_LAST && ring_opcodes[sqe->opcode].flags & OPCODE_WIDE;
}

/*
 * The second half of an entry of 128 bytes, copied already when all entries are of that size. With
 * IORING_SETUP_SQE_MIXED it is the next place, which must not be the first one. -EINVAL.
 */
static int take_second_half(
	struct ring *ring, union entry *to, const char *from, unsigned *done, unsigned nr)
{
	size_t half = sizeof(struct io_uring_sqe),
	       at = (size_t)(from - (char *)ring->q.sqes.at);

	if (ring->flags & IORING_SETUP_SQE128)
		return 0;
	if (!(ring->flags & IORING_SETUP_SQE_MIXED) || *done >= nr ||
		at / half + 1 >= ring->q.sq_entries)
		return -EINVAL;
	memcpy(to->bytes + half, from + half, half);
	compiler_barrier();
	ring->sq_head++;
	(*done)++;
	return 0;
}

/* An entry that needs a request. Whether the submission goes on; *done entries were taken. */
static bool submit_at(
	struct ring_batch *b, struct req *r, const char *at, unsigned *done, unsigned nr)
{
	struct ring *ring = b->ring;
	union entry copy;

	(*done)++;
	copy_entry(ring, &copy, at);
	if (UNLIKELY(is_wide(&copy.sqe)))
		r->error = (int16_t)take_second_half(ring, &copy, at, done, nr);
	return submit_one(b, r, &copy.sqe);
}

/* How many entries there are: the lock may have been given back (small.c), and another thread taken some. */
static unsigned nr_there(const struct ring *ring)
{
	/* pairs with the program's release: its entries are there when their tail is seen */
	uint32_t there = atomic_load_acquire(&ring->shared->sq_tail) - ring->sq_head;

	return MIN(there, ring->q.sq_entries);
}

/* A first look, so that one that needs a request does not pay for more. */
static bool may_be_quick(struct ring *ring)
{
	const volatile struct io_uring_sqe *sqe;

	if (ring->sqpoll || ring->nr_slow) {
		ring->nr_slow -= ring->nr_slow > 0;
		return false;
	}
	return ring_entry_find(ring, ring->sq_head, &sqe) &&
	       ring_entry_is_quick(ring_entry_word(sqe));
}

/* The entries that end at once; the first that does not says what sort of files this ring is for. */
static unsigned submit_quickly(struct ring_batch *b, unsigned nr)
{
	unsigned done = ring_submit_quickly(b, nr);

	if (!done)
		b->ring->nr_slow = TRY_AGAIN_AFTER;
	return done;
}

/* Up to nr entries; how many were taken. */
static unsigned submit_entries(struct ring_batch *b, unsigned nr)
{
	struct ring *ring = b->ring;
	unsigned done = 0, there;
	bool goes_on = true;

	while (goes_on && done < nr && (there = nr_there(ring))) {
		unsigned quick = 0;
		const char *at;
		struct req *r;

		if (may_be_quick(ring))
			quick = submit_quickly(b, MIN(nr - done, there));
		if (quick) {
			done += quick;
			continue;
		}
		r = req_create(ring, b->task);
		at = r ? next_entry(ring) : NULL;
		if (!at) {
			if (r)
				req_discard(r);
			break;
		}
		goes_on = submit_at(b, r, at, &done, nr);
	}
	ring_batch_forget(b);
	return done;
}

int64_t ring_submit(struct ring *ring, struct ring_task *task, unsigned nr)
{
	struct ring_batch batch = {.ring = ring, .task = task};
	unsigned done;

	nr = MIN(nr, nr_there(ring));
	req_hold_ring(ring);
	done = submit_entries(&batch, nr);
	if (ring->chain)
		end_chain(ring);
	req_let_ring_go(ring);
	/* pairs with the program's acquire: it may use the entries again */
	atomic_store_release(&ring->shared->sq_head, ring->sq_head);
	return nr && !done ? -EAGAIN : (int64_t)done;
}
