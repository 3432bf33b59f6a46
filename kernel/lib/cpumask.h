// SPDX-License-Identifier: MIT
/*
 * Sets of CPUs, by their number. Copied by assignment (32 bytes). The owner's lock protects a
 * mask, except for the _atomic operations (see lib/bitmap.h).
 */
#pragma once

#include "lib/bitmap.h"

enum { MAX_CPUS = 256 }; /* ids in the MADT we look at; more are reported and left parked */

struct cpumask {
	BITMAP(bits, MAX_CPUS);
};

static inline void cpumask_zero(struct cpumask *mask)
{
	*mask = (struct cpumask){0};
}

static inline void cpumask_fill(struct cpumask *mask)
{
	bitmap_set_range(mask->bits, 0, MAX_CPUS);
}

static inline struct cpumask cpumask_of(unsigned cpu)
{
	struct cpumask mask = {0};

	bitmap_set(mask.bits, cpu);
	return mask;
}

static inline bool cpumask_test(const struct cpumask *mask, unsigned cpu)
{
	return bitmap_test(mask->bits, cpu);
}

static inline void cpumask_set(struct cpumask *mask, unsigned cpu)
{
	bitmap_set(mask->bits, cpu);
}

static inline void cpumask_clear(struct cpumask *mask, unsigned cpu)
{
	bitmap_clear(mask->bits, cpu);
}

static inline void cpumask_set_atomic(struct cpumask *mask, unsigned cpu)
{
	bitmap_set_atomic(mask->bits, cpu);
}

static inline void cpumask_clear_atomic(struct cpumask *mask, unsigned cpu)
{
	bitmap_clear_atomic(mask->bits, cpu);
}

static inline bool cpumask_test_and_set_atomic(struct cpumask *mask, unsigned cpu)
{
	return bitmap_test_and_set_atomic(mask->bits, cpu);
}

static inline bool cpumask_test_and_clear_atomic(struct cpumask *mask, unsigned cpu)
{
	return bitmap_test_and_clear_atomic(mask->bits, cpu);
}

static inline unsigned cpumask_count(const struct cpumask *mask)
{
	return (unsigned)bitmap_count(mask->bits, MAX_CPUS);
}

static inline bool cpumask_is_empty(const struct cpumask *mask)
{
	return bitmap_is_empty(mask->bits, MAX_CPUS);
}

static inline bool cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	return bitmap_equal(a->bits, b->bits, MAX_CPUS);
}

static inline bool cpumask_intersects(const struct cpumask *a, const struct cpumask *b)
{
	return bitmap_intersects(a->bits, b->bits, MAX_CPUS);
}

static inline bool cpumask_is_subset(const struct cpumask *inner, const struct cpumask *outer)
{
	return bitmap_is_subset(inner->bits, outer->bits, MAX_CPUS);
}

static inline struct cpumask cpumask_and(const struct cpumask *a, const struct cpumask *b)
{
	struct cpumask both;

	for (size_t i = 0; i < ARRAY_LEN(both.bits); i++)
		both.bits[i] = READ_ONCE(a->bits[i]) & READ_ONCE(b->bits[i]);
	return both;
}

static inline struct cpumask cpumask_or(const struct cpumask *a, const struct cpumask *b)
{
	struct cpumask either;

	for (size_t i = 0; i < ARRAY_LEN(either.bits); i++)
		either.bits[i] = READ_ONCE(a->bits[i]) | READ_ONCE(b->bits[i]);
	return either;
}

/* The members of `a` that are not in `b`. */
static inline struct cpumask cpumask_and_not(const struct cpumask *a, const struct cpumask *b)
{
	struct cpumask rest;

	for (size_t i = 0; i < ARRAY_LEN(rest.bits); i++)
		rest.bits[i] = READ_ONCE(a->bits[i]) & ~READ_ONCE(b->bits[i]);
	return rest;
}

/* The first member at or after `from`, or MAX_CPUS. */
static inline unsigned cpumask_find(const struct cpumask *mask, unsigned from)
{
	return (unsigned)bitmap_find_one(mask->bits, MAX_CPUS, from);
}

static inline unsigned cpumask_first(const struct cpumask *mask)
{
	return cpumask_find(mask, 0);
}

/* Each member upwards; declares unsigned `cpu`. */
#define cpumask_for_each(cpu, mask)                                                            \
	for (unsigned cpu = cpumask_first(mask); cpu < MAX_CPUS;                               \
		cpu = cpumask_find((mask), cpu + 1))
