// SPDX-License-Identifier: MIT
/*
 * Completions: into the queue that the program reads, or, when that is full, onto a list from which
 * they move there later. None is lost while there is memory.
 *
 *     ring_post    writes an entry; the program may see it at once
 *     ring_commit  after a few of them: wakes who waits, signals the eventfd, ends timeouts that count
 *     ring_announce  there may be some as soon as somebody enters: tells who waits elsewhere than in the ring
 *
 * With IORING_SETUP_CQE_MIXED an entry may be as long as two. It does not wrap around: where only the last
 * place is left, an entry that says nothing (IORING_CQE_F_SKIP) takes that.
 *
 * The program owns cq_head and may write anything there. It can only make the queue look full or
 * empty by that, which harms nobody else.
 *
 * Locks   ring->lock [l], of all but ring_announce; who sends to another ring has that one's, too
 */
#include <linux/poll.h>

#include "ipc/eventfd.h"
#include "lib/atomic.h"
#include "mm/slab.h"
#include "ring/cq.h"
#include "sync/rcu.h"

static bool is_long(const struct ring *ring, uint32_t flags)
{
	return flags & IORING_CQE_F_32 && ring->flags & IORING_SETUP_CQE_MIXED;
}

static void write_entry(struct ring *ring, uint64_t user_data, int32_t res, uint32_t flags,
	const uint64_t big[2])
{
	uint32_t at = ring->cq_tail & ring->q.cq_mask, size = is_long(ring, flags) ? 2 : 1;
	struct io_uring_cqe *cqe = &ring->q.cqes[at << ring->cqe_shift];

	cqe->user_data = user_data;
	cqe->res = res;
	cqe->flags = flags;
	if (ring->cqe_shift || UNLIKELY(size > 1)) {
		cqe->big_cqe[0] = big ? big[0] : 0;
		cqe->big_cqe[1] = big ? big[1] : 0;
	}
	ring_cq_show(ring, size);
}

/* Whether an entry of these flags can be written now. */
static bool make_room(struct ring *ring, uint32_t flags)
{
	uint32_t mask = ring->q.cq_mask;

	if (LIKELY(!is_long(ring, flags)))
		return ring_cq_used(ring) < ring->q.cq_entries;
	if ((ring->cq_tail & mask) == mask && ring_cq_used(ring) < ring->q.cq_entries)
		write_entry(ring, 0, 0, IORING_CQE_F_SKIP, NULL);
	return (ring->cq_tail & mask) != mask && ring_cq_used(ring) < ring->q.cq_entries - 1;
}

static void set_sq_flag(struct ring *ring, uint32_t flag, bool on)
{
	if (on)
		atomic_or(&ring->shared->sq_flags, flag);
	else
		atomic_and(&ring->shared->sq_flags, ~flag);
}

static bool add_overflow(struct ring *ring, uint64_t user_data, int32_t res, uint32_t flags,
	const uint64_t big[2])
{
	struct ring_overflow *o = mem_alloc(sizeof(*o), 0);

	if (!o) { /* man 7 io_uring: the count of what was dropped */
		atomic_store(&ring->shared->cq_overflow, ring->shared->cq_overflow + 1);
		return false;
	}
	o->user_data = user_data;
	o->res = res;
	o->flags = flags;
	o->big[0] = big ? big[0] : 0;
	o->big[1] = big ? big[1] : 0;
	if (list_is_empty(&ring->overflow))
		set_sq_flag(ring, IORING_SQ_CQ_OVERFLOW, true);
	list_add_tail(&ring->overflow, &o->link);
	return true;
}

static NOINLINE bool post_slowly(struct ring *ring, uint64_t user_data, int32_t res,
	uint32_t flags, const uint64_t big[2], bool is_counted)
{
	bool is_there = true;

	if (LIKELY(list_is_empty(&ring->overflow) && make_room(ring, flags)))
		write_entry(ring, user_data, res, flags, big);
	else
		is_there = add_overflow(ring, user_data, res, flags, big);
	ring->nr_counted += is_there && is_counted;
	ring->has_posted |= is_there;
	return is_there;
}

bool ring_post(struct ring *ring, uint64_t user_data, int32_t res, uint32_t flags,
	const uint64_t big[2], bool is_counted)
{
	debug_assert(mutex_is_mine(&ring->lock));
	if (UNLIKELY(ring->cqe_shift || flags & IORING_CQE_F_32 ||
		     !list_is_empty(&ring->overflow) ||
		     ring_cq_used(ring) >= ring->q.cq_entries))
		return post_slowly(ring, user_data, res, flags, big, is_counted);
	ring_cq_write(ring, 0, user_data, res, flags);
	ring_cq_show(ring, 1);
	ring->nr_counted += is_counted;
	ring->has_posted = true;
	return true;
}

bool ring_post_if_room(
	struct ring *ring, uint64_t user_data, int32_t res, uint32_t flags, bool is_counted)
{
	bool is_there = list_is_empty(&ring->overflow) && make_room(ring, flags);

	debug_assert(mutex_is_mine(&ring->lock));
	if (is_there)
		write_entry(ring, user_data, res, flags, NULL);
	ring->nr_counted += is_there && is_counted;
	ring->has_posted |= is_there;
	return is_there;
}

void ring_flush_overflow(struct ring *ring)
{
	while (!list_is_empty(&ring->overflow)) {
		struct ring_overflow *o =
			list_first(&ring->overflow, struct ring_overflow, link);

		if (!make_room(ring, o->flags))
			return;
		list_remove(&o->link);
		write_entry(ring, o->user_data, o->res, o->flags, o->big);
		mem_free(o);
		if (list_is_empty(&ring->overflow))
			set_sq_flag(ring, IORING_SQ_CQ_OVERFLOW, false);
	}
}

unsigned ring_nr_ready(struct ring *ring)
{
	return READ_ONCE(ring->cq_tail) - atomic_load_relaxed(&ring->shared->cq_head);
}

/*
 * IORING_REGISTER_EVENTFD_ASYNC: only of what somebody else did than who submitted it, or was to do (IOSQE_ASYNC).
 */
static void signal_eventfd(struct ring *ring, bool is_async)
{
	const struct ring_shared *s;
	bool is_disabled;

	rcu_read_lock();
	s = rcu_load(ring->shared);
	is_disabled = READ_ONCE(s->cq_flags) & IORING_CQ_EVENTFD_DISABLED;
	rcu_read_unlock();
	if (!is_disabled && (!ring->eventfd_async || is_async))
		(void)!eventfd_signal(ring->eventfd, 1);
}

void ring_commit(struct ring *ring)
{
	bool is_async = ring->has_posted_async;

	if (!ring->has_posted)
		return;
	ring->has_posted = ring->has_posted_async = false;
	if (!list_is_empty(&ring->timeouts))
		timeouts_count(ring);
	atomic_fence(); /* the tail, then the look for waiters; pairs with op_park and ring_wait */
	if (waitq_has_waiters(&ring->cq_wait))
		waitq_wake_all(&ring->cq_wait, POLLIN | POLLRDNORM);
	if (ring->eventfd)
		signal_eventfd(ring, is_async || fiber_is_current());
}

/* ring->lock may be held for long: the eventfd stays by the other one. */
void ring_announce(struct ring *ring)
{
	waitq_wake_all(&ring->cq_wait, POLLIN | POLLRDNORM);
	spinlock_lock(&ring->map_lock);
	if (ring->eventfd)
		signal_eventfd(ring, false);
	spinlock_unlock(&ring->map_lock);
}
