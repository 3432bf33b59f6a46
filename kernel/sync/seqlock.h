// SPDX-License-Identifier: MIT
/*
 * Sequence counters: readers of a small record take no lock and try again if a writer was busy.
 * Writers are serialised by a lock of their own, with preemption held off while writing.
 *
 *     do {
 *             seq = seq_read_begin(&s);
 *             copy each field by READ_ONCE
 *     } while (seq_read_retry(&s, seq));
 */
#pragma once

#include "lib/atomic.h"
#include "lib/base.h"
#include "sync/preempt.h"

struct seqcount {
	uint32_t seq; /* [a] odd while a writer is inside */
};

static inline uint32_t seq_read_begin(const struct seqcount *s)
{
	uint32_t seq;

	while ((seq = atomic_load_acquire(&s->seq)) & 1) /* pairs with seq_write_end */
		arch_cpu_relax();
	return seq;
}

static inline bool seq_read_retry(const struct seqcount *s, uint32_t seq)
{
	atomic_fence_acquire(); /* the record's loads come before this; pairs with seq_write_begin */
	return atomic_load_relaxed(&s->seq) != seq;
}

static inline void seq_write_begin(struct seqcount *s)
{
	preempt_disable();
	atomic_store_relaxed(&s->seq, s->seq + 1);
	atomic_fence_release(); /* odd is seen before any store to the record */
}

static inline void seq_write_end(struct seqcount *s)
{
	atomic_store_release(&s->seq, s->seq + 1);
	preempt_enable();
}
