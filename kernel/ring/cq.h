// SPDX-License-Identifier: MIT
/*
 * The completion queue's own words, for those who fill it: cq.c, quick.c. All with ring->lock.
 */
#pragma once

#include "lib/atomic.h"
#include "ring/ring_priv.h"

/* Entries between the program's head and our tail. More than there are: a head that is a lie. */
static inline uint32_t ring_cq_used(const struct ring *ring)
{
	/* pairs with the release by which the program says that it has read them */
	return ring->cq_tail - atomic_load_acquire(&ring->shared->cq_head);
}

/* So many places have been written. */
static inline void ring_cq_show(struct ring *ring, uint32_t size)
{
	ring->cq_tail += size;
	/* pairs with the program's acquire: the entry is there when its tail is seen */
	atomic_store_release(&ring->shared->cq_tail, ring->cq_tail);
}

/* A completion of 16 bytes in a queue of such, where there is room for it: `after` so many that are not shown yet. */
static inline void ring_cq_write(
	struct ring *ring, uint32_t after, uint64_t user_data, int32_t res, uint32_t flags)
{
	struct io_uring_cqe *cqe = &ring->q.cqes[(ring->cq_tail + after) & ring->q.cq_mask];

	cqe->user_data = user_data;
	cqe->res = res;
	cqe->flags = flags;
}
