// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): futexes.
 */
#include "arch/sim/test/states.h"

#include "sched/thread.h"

#include <linux/futex.h>
#include <linux/sched.h>

/* ---- Futexes ---- */

static void wake_later(uintptr_t word)
{
	sim_yield(3);
	sim_store32(word, 1);
	(void)DO(futex, word, FUTEX_WAKE, 1);
}

JOINT_OPERATION(futex_wait)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = sure_child(wake_later, word);

	while (!sim_load32(word)) {
		wait_futex(word, 0);
	}
	join(pid);
}

static void hold_pi(uintptr_t word)
{
	for (unsigned i = 0; i < 3; i++) {
		if (ASK(futex, word, FUTEX_LOCK_PI, 0, 0))
			return;
		sim_yield(1);
		TRY(futex, word, FUTEX_UNLOCK_PI, 0);
	}
}

JOINT_OPERATION(futex_pi)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = child(hold_pi, word);

	for (unsigned i = 0; i < 3; i++) {
		(void)DO(futex, word, FUTEX_LOCK_PI, 0, 0);
		EXPECT_EQ(sim_load32(word) & FUTEX_TID_MASK, DO(gettid, 0));
		(void)DO(futex, word, FUTEX_UNLOCK_PI, 0);
	}
	join(pid);
}

/* Two locks in opposite orders: who would close the circle is told. What is lent comes back. */
static void lock_opposite(uintptr_t word)
{
	for (unsigned i = 0; i < 2; i++) {
		if (ASK(futex, word + 4, FUTEX_LOCK_PI, 0, 0))
			return;
		sim_yield(1);
		if (!ASK(futex, word, FUTEX_LOCK_PI, 0, 0))
			TRY(futex, word, FUTEX_UNLOCK_PI, 0);
		TRY(futex, word + 4, FUTEX_UNLOCK_PI, 0);
	}
}

JOINT_OPERATION(futex_pi_circle)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = child(lock_opposite, word);
	int priority = 5;

	(void)DO(sched_setscheduler, 0, SCHED_FIFO, OBJECT(priority));
	for (unsigned i = 0; i < 2; i++) {
		int64_t err;

		(void)DO(futex, word, FUTEX_LOCK_PI, 0, 0);
		err = ASK(futex, word + 4, FUTEX_LOCK_PI, 0, 0);
		if (err == 0)
			(void)DO(futex, word + 4, FUTEX_UNLOCK_PI, 0);
		else if (err != -EDEADLK)
			states_give_up("futex", __LINE__, err);
		(void)DO(futex, word, FUTEX_UNLOCK_PI, 0);
		EXPECT_EQ(arch_current()->lent, 0);
	}
	join(pid);
}

/* Who ends with a lock leaves it to the next. */
static void take_and_end(uintptr_t word)
{
	struct {
		uint64_t next, offset, pending;
	} head = {word + 8, (uint64_t)-8, 0};
	uint64_t at = word + 64;

	while (!sim_store(at, &head, sizeof(head)))
		;
	/* a list of one: its node is behind the word, and leads back to the head */
	while (!sim_store(word + 8, &at, sizeof(at)))
		;
	(void)DO(set_robust_list, at, sizeof(head));
	sim_store32(word, (uint32_t)SIM_CALL(__NR_gettid, 0));
}

JOINT_OPERATION(futex_of_the_dead)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = sure_child(take_and_end, word);
	uint32_t value;

	while (!((value = sim_load32(word)) & FUTEX_OWNER_DIED)) {
		int64_t err = value && sim_cmpxchg32(word, value, value | FUTEX_WAITERS)
				      ? SIM_CALL(__NR_futex, word, FUTEX_WAIT,
						value | FUTEX_WAITERS, 0)
				      : SIM_CALL(__NR_sched_yield, 0);

		if (err && err != -EAGAIN && err != -EINTR)
			states_give_up("futex", __LINE__, err);
	}
	join(pid);
}

JOINT_OPERATION(futex_of_several)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = sure_child(wake_later, word + 4);
	struct futex_waitv w[2] = {
		{.uaddr = word, .flags = FUTEX_32}, {.uaddr = word + 4, .flags = FUTEX_32}};

	while (!sim_load32(word + 4)) {
		int64_t n = SIM_CALL(__NR_futex_waitv, STRING(w), 2, 0, 0, 0);

		if (n < 0 && n != -EAGAIN && n != -EINTR)
			states_give_up("futex_waitv", __LINE__, n);
	}
	join(pid);
}

/* A condition, and the lock that goes with it: the words at 0 and 4. */
static void requeue_later(uintptr_t word)
{
	int64_t err;

	sim_yield(3);
	while ((err = ASK(futex, word + 4, FUTEX_LOCK_PI, 0, 0)) == -ESRCH)
		sim_store32(word + 4, 0); /* another of us had it, for whom nobody waited */
	if (err)
		states_give_up("futex", __LINE__, err);
	sim_store32(word, 1); /* who comes later does not wait */
	(void)DO(futex, word, FUTEX_CMP_REQUEUE_PI, 1, 5, word + 4, 1);
	sim_yield(1);
	TRY(futex, word + 4, FUTEX_UNLOCK_PI, 0);
}

JOINT_OPERATION(futex_requeue_to_a_lock)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = sure_child(requeue_later, word);
	int64_t err;

	do
		err = SIM_CALL(__NR_futex, word, FUTEX_WAIT_REQUEUE_PI, 0, 0, word + 4);
	while (states_is_interrupted(err) || (err == -EAGAIN && !sim_load32(word)));
	if (err && err != -EAGAIN)
		states_give_up("futex", __LINE__, err);
	if (!err)
		(void)DO(futex, word + 4, FUTEX_UNLOCK_PI, 0);
	join(pid);
}
