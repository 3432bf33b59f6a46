// SPDX-License-Identifier: MIT
/*
 * Futexes: waits against wakes, requeues and waiters that give up, by threads that borrow one
 * address space. What is counted: each wake-up that a waker was told of reached one waiter,
 * and no waiter that nobody woke thinks it was.
 */
#include "arch/arch.h"
#include "ipc/futex.h"
#include "ipc/futex_priv.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "mm/vmspace.h"
#include "sched/sched.h"
#include "time/clock.h"
#include "time/timer.h"
#include "uaccess/uaccess.h"

#include <linux/futex.h>
#include <linux/mman.h>

enum { WAITERS = 4, ROUNDS = 50 };
#define AREA  0x10000000ul
#define WORD  UPTR(AREA)
#define OTHER UPTR(AREA + 64)

static struct vmspace *vm;

static bool borrow(void)
{
	struct map_req req = {.addr = AREA,
		.size = PAGE_SIZE,
		.flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE,
		.map_flags = MAP_FIXED};
	vaddr_t at;

	if (vmspace_create(&vm))
		return false;
	vmspace_use(vm);
	return vmspace_map(vm, &req, &at) == 0;
}

static void give_back(void)
{
	vmspace_use(NULL);
	vmspace_put(vm);
}

static void set_word(uptr at, uint32_t value)
{
	EXPECT_EQ(user_write(at, &value, sizeof(value)), 0);
}

static struct futex_key key_of(uptr at)
{
	struct futex_key key = {0};

	EXPECT_EQ(futex_key_get(at, true, &key), 0);
	return key;
}

/* ---- A waiter, as ops/futex.c is one ---- */

struct sleeper {
	struct futex_waiter waiter;
	uint32_t is_told; /* [a] */
};

static void tell(struct futex_waiter *w, bool is_handover UNUSED)
{
	struct sleeper *s = container_of(w, struct sleeper, waiter);

	atomic_store(&s->is_told, 1);
	sched_wake(w->thread);
}

static void sleeper_init(struct sleeper *s, uptr at)
{
	*s = (struct sleeper){.waiter = {.key = key_of(at),
				      .wake = tell,
				      .bitset = FUTEX_BITSET_MATCH_ANY,
				      .thread = arch_current()}};
}

static void sleep_until_told(struct sleeper *s)
{
	for (;;) {
		sched_set_blocked();
		if (atomic_load(&s->is_told))
			break;
		sched_switch();
	}
	sched_set_running();
}

/* FUTEX_OP of <linux/futex.h> shifts into the sign bit. */
static uint32_t encode(uint32_t op, int32_t arg, uint32_t cmp, int32_t cmp_arg)
{
	return op << 28 | cmp << 24 | ((uint32_t)arg & 0xfff) << 12 | ((uint32_t)cmp_arg & 0xfff);
}

TEST(futex, wait_compares_the_word)
{
	struct sleeper s;

	REQUIRE(borrow());
	set_word(WORD, 7);
	sleeper_init(&s, WORD);
	EXPECT_EQ(futex_queue(&s.waiter, WORD, 8), -EAGAIN);
	EXPECT(!futex_unqueue(&s.waiter));
	EXPECT_EQ(futex_queue(&s.waiter, WORD, 7), 0);
	EXPECT(futex_unqueue(&s.waiter));
	EXPECT(!futex_unqueue(&s.waiter));
	give_back();
}

TEST(futex, wait_on_a_page_that_is_not_there_yet)
{
	struct sleeper s;

	REQUIRE(borrow());
	sleeper_init(&s, OTHER);
	EXPECT_EQ(futex_queue(&s.waiter, OTHER, 0), 0); /* brought in: zero */
	EXPECT(futex_unqueue(&s.waiter));
	EXPECT_EQ(futex_queue(&s.waiter, UPTR(AREA + PAGE_SIZE), 0), -EFAULT);
	give_back();
}

TEST(futex, wakes_by_address_and_bitset)
{
	struct futex_key key, other;
	struct sleeper s;

	REQUIRE(borrow());
	set_word(WORD, 1);
	key = key_of(WORD);
	other = key_of(OTHER);
	sleeper_init(&s, WORD);
	s.waiter.bitset = 4;
	EXPECT_EQ(futex_queue(&s.waiter, WORD, 1), 0);
	EXPECT_EQ(futex_wake(&other, 2, FUTEX_BITSET_MATCH_ANY), 0);
	EXPECT_EQ(futex_wake(&key, 2, 3), 0);
	EXPECT_EQ(futex_wake(&key, 2, 6), 1);
	EXPECT(atomic_load(&s.is_told));
	EXPECT(!futex_unqueue(&s.waiter));
	EXPECT_EQ(futex_wake(&key, 2, FUTEX_BITSET_MATCH_ANY), 0);
	give_back();
}

TEST(futex, requeue_moves_and_compares)
{
	struct futex_key key, other;
	struct sleeper s[3];
	uint32_t expected = 5;

	REQUIRE(borrow());
	set_word(WORD, 1);
	key = key_of(WORD);
	other = key_of(OTHER);
	for (unsigned i = 0; i < ARRAY_LEN(s); i++) {
		sleeper_init(&s[i], WORD);
		EXPECT_EQ(futex_queue(&s[i].waiter, WORD, 1), 0);
	}
	EXPECT_EQ(futex_requeue(&key, &other, 1, 9, WORD, &expected), -EAGAIN);
	expected = 1;
	EXPECT_EQ(futex_requeue(&key, &other, 1, 1, WORD, &expected), 2);
	EXPECT(atomic_load(&s[0].is_told)); /* first come first */
	EXPECT_EQ(futex_wake(&other, 9, FUTEX_BITSET_MATCH_ANY), 1);
	EXPECT(atomic_load(&s[1].is_told));
	EXPECT_EQ(futex_wake(&key, 9, FUTEX_BITSET_MATCH_ANY), 1);
	EXPECT(atomic_load(&s[2].is_told));
	give_back();
}

/* ---- More than one section of the lock takes ---- */

enum { CROWD = 200 };

static struct sleeper crowd[CROWD];

/* All wait at WORD, which holds 1; every other one has bit 1 as well as bit 0. */
static void gather(void)
{
	set_word(WORD, 1);
	for (unsigned i = 0; i < CROWD; i++) {
		sleeper_init(&crowd[i], WORD);
		crowd[i].waiter.bitset = i % 2 ? 3 : 1;
		EXPECT_EQ(futex_queue(&crowd[i].waiter, WORD, 1), 0);
	}
}

static unsigned nr_told(unsigned from, unsigned to)
{
	unsigned nr = 0;

	for (unsigned i = from; i < to; i++)
		nr += atomic_load(&crowd[i].is_told);
	return nr;
}

TEST(futex, a_crowd_is_woken_in_the_order_it_came)
{
	struct futex_key key;

	REQUIRE(borrow());
	key = key_of(WORD);
	gather();
	EXPECT_EQ(futex_wake(&key, 90, 2), 90);
	EXPECT_EQ(nr_told(0, 180), 90);
	EXPECT_EQ(nr_told(180, CROWD), 0);
	EXPECT_EQ(futex_wake(&key, 100, 1), 100);
	EXPECT_EQ(nr_told(0, 190), 190);
	EXPECT_EQ(futex_wake(&key, CROWD, 1), 10);
	EXPECT_EQ(futex_wake(&key, CROWD, 1), 0);
	give_back();
}

TEST(futex, a_crowd_moves_to_another_word_in_its_order)
{
	struct futex_key key, other;
	uint32_t expected = 1;

	REQUIRE(borrow());
	key = key_of(WORD);
	other = key_of(OTHER);
	gather();
	EXPECT_EQ(futex_requeue(&key, &key, 0, CROWD, WORD, &expected), CROWD);
	EXPECT_EQ(futex_requeue(&key, &other, 10, 170, WORD, &expected), 180);
	EXPECT_EQ(nr_told(0, CROWD), 10);
	EXPECT_EQ(futex_wake(&key, CROWD, 1), 20);
	EXPECT_EQ(nr_told(180, CROWD), 20);
	EXPECT_EQ(futex_wake(&other, 100, 1), 100);
	EXPECT_EQ(nr_told(0, 110), 110);
	EXPECT_EQ(nr_told(110, 180), 0);
	EXPECT_EQ(futex_wake(&other, CROWD, 1), 70);
	give_back();
}

/* How many a section showed; takes off all but the first. */
static unsigned take_section(struct futex_bucket *b, struct futex_walk *walk)
{
	unsigned nr = 0;

	irqlock_lock(&b->lock);
	futex_for_section(w, b, walk)
	{
		if (nr++)
			futex_wake_waiter(b, w, false);
	}
	irqlock_unlock(&b->lock);
	return nr;
}

TEST(futex, a_walk_goes_on_whoever_left_and_shows_nobody_who_came_later)
{
	struct futex_key key;
	struct futex_walk walk = {.key = &key};
	struct futex_bucket *b;
	struct sleeper late;
	unsigned nr, nr_sections = 1;

	REQUIRE(borrow());
	key = key_of(WORD);
	b = futex_bucket_of(&key);
	gather();
	nr = take_section(b, &walk);
	EXPECT(nr < CROWD - 1 && !futex_walk_is_over(&walk));
	EXPECT(futex_unqueue(&crowd[0].waiter));  /* where it was, */
	EXPECT(futex_unqueue(&crowd[nr].waiter)); /* and where it would go on */
	sleeper_init(&late, WORD);
	EXPECT_EQ(futex_queue(&late.waiter, WORD, 1), 0);
	for (nr++; !futex_walk_is_over(&walk); nr_sections++)
		nr += take_section(b, &walk);
	EXPECT_EQ(nr, CROWD);
	EXPECT(!atomic_load(&late.is_told));
	/* the first of each section is there, but for one, and the late one */
	EXPECT_EQ(futex_wake(&key, CROWD, 1), (int)nr_sections);
	EXPECT(atomic_load(&late.is_told));
	give_back();
}

TEST(futex, word_operations)
{
	uint32_t value;

	REQUIRE(borrow());
	set_word(WORD, 10);
	EXPECT_EQ(futex_change_word(WORD, encode(FUTEX_OP_ADD, -3, FUTEX_OP_CMP_EQ, 10)), 1);
	EXPECT_EQ(user_get(value, WORD), 0);
	EXPECT_EQ(value, 7);
	EXPECT_EQ(futex_change_word(WORD,
			  encode(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 4, FUTEX_OP_CMP_LT, 7)),
		0);
	EXPECT_EQ(user_get(value, WORD), 0);
	EXPECT_EQ(value, 23);
	EXPECT_EQ(futex_change_word(UPTR(AREA + PAGE_SIZE), 0), -EFAULT);
	give_back();
}

/* ---- All at once ---- */

static uint32_t nr_woken;   /* [a] waiters that were */
static uint32_t nr_said;    /* [a] what the wakers were told */
static uint32_t nr_left;    /* [a] waiters that still run */
static uint32_t generation; /* [a] what the word holds */

static void wait_often(void *arg)
{
	bool gives_up = arg;

	vmspace_use(vm);
	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		struct sleeper s;

		sleeper_init(&s, WORD);
		if (futex_queue(&s.waiter, WORD, atomic_load(&generation)))
			continue; /* it changed meanwhile */
		if (gives_up)
			sched_yield();
		else
			sleep_until_told(&s);
		if (!futex_unqueue(&s.waiter))
			atomic_add(&nr_woken, 1);
	}
	vmspace_use(NULL);
	atomic_sub(&nr_left, 1);
}

/* Changes the word and wakes, in turn directly and by way of another word, until all are done. */
static void wake_until_done(void)
{
	struct futex_key key = key_of(WORD), other = key_of(OTHER);

	for (unsigned i = 0; atomic_load(&nr_left); i++) {
		uint32_t value = atomic_load(&generation) + 1;
		int n;

		set_word(WORD, value);
		atomic_store(&generation, value);
		if (i % 2) {
			n = futex_requeue(&key, &other, 2, 9, WORD, NULL);
			EXPECT_GE(n, 0);
			atomic_add(&nr_said, (uint32_t)MIN(n, 2));
			n = futex_wake(&other, 9, FUTEX_BITSET_MATCH_ANY);
		} else {
			n = futex_wake(&key, 9, FUTEX_BITSET_MATCH_ANY);
		}
		EXPECT_GE(n, 0);
		atomic_add(&nr_said, (uint32_t)MAX(n, 0));
		sched_yield();
	}
}

TEST(futex, no_wake_up_is_lost_or_invented)
{
	struct thread *t[WAITERS];

	REQUIRE(borrow());
	nr_woken = nr_said = generation = 0;
	set_word(WORD, 0);
	nr_left = WAITERS;
	for (uintptr_t i = 0; i < WAITERS; i++) {
		REQUIRE(thread_create(&t[i], "futex", wait_often, (void *)(i % 2)) == 0);
		thread_start(t[i]);
	}
	wake_until_done();
	for (unsigned i = 0; i < WAITERS; i++)
		thread_join(t[i]);
	EXPECT_EQ(nr_woken, nr_said);
	give_back();
}
