// SPDX-License-Identifier: MIT
/*
 * IORING_REGISTER_RESIZE_RINGS: other sizes for the queues of a ring in use. Entries that are not taken yet
 * and completions that are not read move along; heads and tails stay what they are, also when they move
 * (NO_MMAP: the program names other memory, from when the call returns).
 *
 * Only of rings with IORING_SETUP_DEFER_TASKRUN, whose one thread is here and not in the queues. Others
 * may post completions and wait for them meanwhile.
 *
 * Locks   ring->lock [l]; map_lock [m] while the queues are replaced
 * Spec    man 2 io_uring_register, man 3 io_uring_resize_rings
 */
#include "lib/atomic.h"
#include "lib/string.h"
#include "ring/tables.h"
#include "sync/rcu.h"

static const uint32_t KNOWN = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
/* What the new queues have of the old ones. */
static const uint32_t INHERITED = IORING_SETUP_NO_SQARRAY | IORING_SETUP_SQE128 |
				  IORING_SETUP_CQE32 | IORING_SETUP_NO_MMAP |
				  IORING_SETUP_CQE_MIXED | IORING_SETUP_SQE_MIXED;

static const char *old_entry(const struct ring *ring, uint32_t at)
{
	const struct ring_queues *q = &ring->q;

	at &= q->sq_mask;
	if (q->sq_array)
		at = READ_ONCE(q->sq_array[at]);
	return at < q->sq_entries ? (char *)q->sqes.at + ((size_t)at << ring->sqe_shift) : NULL;
}

/* An entry that the array does not name is dropped when its turn comes. -EOVERFLOW. */
static int move_entries(struct ring *ring, struct ring_queues *to)
{
	uint32_t head = ring->sq_head, tail = atomic_load_acquire(&ring->shared->sq_tail);

	if (tail - head > to->sq_entries)
		return -EOVERFLOW;
	for (uint32_t i = head; i != tail; i++) {
		const char *from = old_entry(ring, i);
		uint32_t at = i & to->sq_mask;

		if (from)
			memcpy((char *)to->sqes.at + ((size_t)at << ring->sqe_shift), from,
				1ul << ring->sqe_shift);
		if (to->sq_array)
			to->sq_array[at] = from ? at : UINT32_MAX;
	}
	return 0;
}

/* How many it says it takes: it lies where the program writes. */
static uint32_t places_of(const struct ring *ring, const struct io_uring_cqe *cqe)
{
	bool is_long =
		ring->flags & IORING_SETUP_CQE_MIXED && READ_ONCE(cqe->flags) & IORING_CQE_F_32;

	return is_long ? 2 : 1;
}

static struct io_uring_cqe *place(
	const struct ring *ring, const struct ring_queues *q, uint32_t at)
{
	return &q->cqes[(at & q->cq_mask) << ring->cqe_shift];
}

/* -EOVERFLOW: also of one that would wrap around, as those of two places never do, or would end behind the tail. */
static int move_completions(struct ring *ring, struct ring_queues *to)
{
	uint32_t at = atomic_load_acquire(&ring->shared->cq_head), left = ring->cq_tail - at;

	/* whose list has some is full, and more than full: man 3 io_uring_resize_rings */
	if (left > to->cq_entries || !list_is_empty(&ring->overflow))
		return -EOVERFLOW;
	while (left) {
		uint32_t nr = places_of(ring, place(ring, &ring->q, at));

		if (nr > left || nr > to->cq_entries - (at & to->cq_mask))
			return -EOVERFLOW;
		for (left -= nr; nr; nr--, at++)
			memcpy(place(ring, to, at), place(ring, &ring->q, at),
				sizeof(struct io_uring_cqe) << ring->cqe_shift);
	}
	return 0;
}

/* In memory of the program that is another one: what is in the head, but for the sizes. [m] */
static void move_head(struct ring *ring, struct ring_shared *to)
{
	struct ring_shared *from = ring->shared;

	if (to == from)
		return;
	memset(to, 0, sizeof(*to));
	atomic_store(&to->sq_head, atomic_load(&from->sq_head));
	atomic_store(&to->sq_tail, atomic_load(&from->sq_tail));
	atomic_store(&to->cq_head, atomic_load(&from->cq_head));
	atomic_store(&to->cq_tail, ring->cq_tail);
	atomic_store(&to->sq_dropped, atomic_load(&from->sq_dropped));
	atomic_store(&to->sq_flags, atomic_load(&from->sq_flags));
	atomic_store(&to->cq_flags, atomic_load(&from->cq_flags));
	atomic_store(&to->cq_overflow, atomic_load(&from->cq_overflow));
	rcu_publish(ring->shared, to);
}

/* Who tells something by the head, without the lock, may have found the old one. */
static void leave_head(struct ring *ring, struct ring_shared *old)
{
	if (old == ring->shared)
		return;
	rcu_synchronize();
	atomic_or(&ring->shared->sq_flags, atomic_load(&old->sq_flags) & IORING_SQ_TASKRUN);
}

/* Exchanges the ring's queues with these. */
static int replace(struct ring *ring, struct ring_queues *q)
{
	struct ring_queues old;
	int err = move_entries(ring, q);

	if (err)
		return err;
	spinlock_lock(&ring->map_lock);
	err = move_completions(ring, q);
	if (!err) {
		old = ring->q;
		ring->q = *q;
		*q = old;
		move_head(ring, ring->q.shared);
		ring_queues_publish(ring);
	}
	spinlock_unlock(&ring->map_lock);
	if (!err)
		leave_head(ring, q->shared);
	return err;
}

/* Errors: EINVAL (what is not known, or not for this ring), EFAULT, ENOMEM, EOVERFLOW. */
int ring_resize(struct ring *ring, uptr arg)
{
	struct io_uring_params p;
	struct ring_queues q;
	int err;

	if (!(ring->flags & IORING_SETUP_DEFER_TASKRUN))
		return -EINVAL;
	if (user_get(p, arg))
		return -EFAULT;
	if (p.flags & ~KNOWN)
		return -EINVAL;
	p.flags |= ring->flags & INHERITED;
	err = ring_choose_sizes(p.sq_entries, &p);
	if (!err)
		err = ring_queues_create(ring, &p, &q);
	if (err)
		return err;
	err = user_put(arg, p);
	if (!err) {
		ring_flush_overflow(ring);
		err = replace(ring, &q);
	}
	ring_queues_free(&q);
	return err;
}
