// SPDX-License-Identifier: MIT
/*
 * Atomics do what their names say to every width, evaluate operands once, and pass an
 * interleave point exactly where lib/atomic.h promises one; reference counts stick instead of
 * wrapping.
 */
// FLAGS: -DINTERLEAVE
#include "lib/atomic.h"

#include "lib/refcount.h"
#include "lib/test.h"

static unsigned points;

void sim_interleave(void)
{
	points++;
}

#define EXPECT_POINTS(n, statement)                                                            \
	do {                                                                                   \
		points = 0;                                                                    \
		statement;                                                                     \
		EXPECT_EQ(points, n);                                                          \
	} while (0)

TEST(atomic, read_modify_write_returns_the_old_value)
{
	uint32_t x = 5;

	EXPECT_EQ(atomic_fetch_add(&x, 3), 5);
	EXPECT_EQ(atomic_fetch_sub(&x, 1), 8);
	EXPECT_EQ(atomic_fetch_or(&x, 8u), 7);
	EXPECT_EQ(atomic_fetch_and(&x, 9u), 15);
	EXPECT_EQ(atomic_fetch_xor(&x, 1u), 9);
	EXPECT_EQ(atomic_xchg(&x, 77), 8);
	EXPECT_EQ(atomic_load(&x), 77);
}

TEST(atomic, works_on_every_width_and_on_pointers)
{
	uint8_t b = 255;
	uint16_t h = 1;
	uint64_t q = 1ull << 40;
	int *p = NULL, target = 0;

	EXPECT_EQ(atomic_fetch_add(&b, 1), 255);
	EXPECT_EQ(b, 0);
	atomic_store_release(&h, 9);
	EXPECT_EQ(atomic_load_acquire(&h), 9);
	atomic_add(&q, 1);
	EXPECT_EQ(atomic_load_relaxed(&q), (1ll << 40) + 1);
	atomic_store(&p, &target);
	EXPECT(atomic_xchg(&p, (int *)NULL) == &target);
}

TEST(atomic, cmpxchg_stores_on_match_and_reports_otherwise)
{
	uint32_t x = 1, expected = 1;

	EXPECT(atomic_cmpxchg(&x, &expected, 2));
	EXPECT_EQ(x, 2);
	EXPECT_EQ(expected, 1);
	EXPECT(!atomic_cmpxchg(&x, &expected, 3));
	EXPECT_EQ(x, 2);
	EXPECT_EQ(expected, 2); /* what was found */
	EXPECT(atomic_cmpxchg_acquire(&x, &expected, 4));
}

TEST(atomic, operands_are_evaluated_once)
{
	uint32_t cells[3] = {0}, *p = cells;
	uint32_t v = 10;

	(void)atomic_fetch_add(p++, v++);
	EXPECT(p == cells + 1);
	EXPECT_EQ(v, 11);
	EXPECT_EQ(cells[0], 10);
	EXPECT_EQ(cells[1], 0);
}

TEST(atomic, interleave_points_are_at_ordering_accesses_and_every_modification)
{
	uint32_t x = 0, expected = 0;

	EXPECT_POINTS(0, (void)atomic_load_relaxed(&x));
	EXPECT_POINTS(0, atomic_store_relaxed(&x, 0));
	EXPECT_POINTS(1, (void)atomic_load_acquire(&x));
	EXPECT_POINTS(1, atomic_store_release(&x, 0));
	EXPECT_POINTS(1, (void)atomic_load(&x));
	EXPECT_POINTS(1, atomic_store(&x, 0));
	EXPECT_POINTS(1, (void)atomic_xchg(&x, 0));
	EXPECT_POINTS(1, atomic_add_relaxed(&x, 0));
	EXPECT_POINTS(1, (void)atomic_cmpxchg_relaxed(&x, &expected, 0));
	EXPECT_POINTS(1, atomic_fence());
}

TEST(refcount, last_put_is_true_exactly_once)
{
	refcount ref;

	refcount_init(&ref, 1);
	refcount_get(&ref);
	EXPECT(refcount_try_get(&ref));
	EXPECT_EQ(refcount_read(&ref), 3);
	EXPECT(!refcount_put(&ref));
	EXPECT(!refcount_put(&ref));
	EXPECT(refcount_put(&ref));
}

TEST(refcount, try_get_refuses_a_dying_object)
{
	refcount ref;

	refcount_init(&ref, 0);
	EXPECT(!refcount_try_get(&ref));
	EXPECT_EQ(refcount_read(&ref), 0);
}

TEST(refcount, overflow_leaks_instead_of_wrapping)
{
	refcount ref;

	refcount_init(&ref, REFCOUNT_MAX);
	refcount_get(&ref);
	EXPECT_EQ(refcount_read(&ref), REFCOUNT_STUCK);
	for (int i = 0; i < 10; i++)
		EXPECT(!refcount_put(&ref));
	EXPECT_EQ(refcount_read(&ref), REFCOUNT_STUCK);
	EXPECT(refcount_try_get(&ref));
	refcount_get(&ref);
	EXPECT_EQ(refcount_read(&ref), REFCOUNT_STUCK);
}
