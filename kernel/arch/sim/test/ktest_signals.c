// SPDX-License-Identifier: MIT
/*
 * Signals and timers by seeds: processes are killed, stopped and continued at every point of what
 * they do, and timers are deleted while they expire. Process 1 is the test: when a process is lost, or
 * a parent not told, its wait never ends and the run is reported.
 */
#include "arch/sim/sim.h"

#include <asm/signal.h>
#include <asm/unistd.h>
#include <linux/mman.h>
#include <linux/time.h>
#include <linux/wait.h>

#include "lib/atomic.h"
#include "lib/test.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "time/clock.h"
#include "time/timer.h"

enum { ROUNDS = 6 };

static uint32_t is_over; /* [a] */
static void (*program)(void);

static void run_first(uintptr_t arg UNUSED)
{
	program();
	atomic_store(&is_over, 1);
	for (;;)
		SIM_CALL(__NR_pause);
}

static void become_first(void *arg UNUSED)
{
	struct vmspace *vm;

	if (proc_adopt_init() || vmspace_create(&vm)) {
		test_fail(__FILE__, __LINE__, "no process 1");
		return;
	}
	proc_current()->vm = vm;
	vmspace_use(vm);
	sim_become_program(run_first, 0);
}

static void run_as_first(void (*fn)(void))
{
	program = fn;
	is_over = 0;
	REQUIRE(thread_spawn("first", become_first, NULL) == 0);
	while (!atomic_load(&is_over))
		EXPECT_EQ(sleep_ns(NS_PER_MS), 0);
}

static int64_t spawn(void (*fn)(uintptr_t arg))
{
	int64_t pid = sim_clone(SIGCHLD, fn, 0, 0, 0, 0);

	EXPECT_GT(pid, 0);
	return pid;
}

static void wait_for(int64_t pid)
{
	EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)pid, 0, 0, 0), pid);
}

static void send(int64_t pid, int sig)
{
	EXPECT_EQ(SIM_CALL(__NR_kill, (uint64_t)pid, (uint64_t)sig), 0);
}

/* ---- What the others do meanwhile ---- */

static void exit_soon(uintptr_t arg UNUSED)
{
	for (unsigned i = 0; i < 3; i++)
		SIM_CALL(__NR_sched_yield);
}

static void pause_for_ever(uintptr_t arg UNUSED)
{
	for (;;)
		SIM_CALL(__NR_pause);
}

static void call_for_ever(uintptr_t arg UNUSED)
{
	for (;;)
		SIM_CALL(__NR_getppid);
}

/* ---- The tests ---- */

static void kill_all_kinds(void)
{
	static void (*const kinds[])(uintptr_t) = {exit_soon, pause_for_ever, call_for_ever};

	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		int64_t pid = spawn(kinds[i % ARRAY_LEN(kinds)]);

		send(pid, i % 2 ? SIGKILL : SIGTERM);
		wait_for(pid);
	}
}

TEST(simsignal, kill_meets_exit)
{
	run_as_first(kill_all_kinds);
}

static void stop_and_kill(void)
{
	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		int64_t pid = spawn(i % 2 ? pause_for_ever : call_for_ever);

		send(pid, SIGSTOP);
		if (i % 3)
			EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)pid, 0, WUNTRACED, 0), pid);
		if (i % 2)
			send(pid, SIGCONT);
		send(pid, SIGKILL);
		wait_for(pid);
	}
}

TEST(simsignal, stop_and_continue_meet_kill)
{
	run_as_first(stop_and_kill);
}

static void stop_twice(void)
{
	int64_t pid = spawn(call_for_ever);

	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		send(pid, SIGSTOP);
		EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)pid, 0, WUNTRACED, 0), pid);
		send(pid, SIGCONT);
		EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)pid, 0, WCONTINUED, 0), pid);
	}
	send(pid, SIGKILL);
	wait_for(pid);
}

TEST(simsignal, each_stop_and_continuation_is_told)
{
	run_as_first(stop_twice);
}

static void delete_expiring(void)
{
	struct __kernel_itimerspec its = {.it_value = {0, 1}, .it_interval = {0, 1000}};
	int64_t at = SIM_CALL(__NR_mmap, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	uint64_t id_at = (uint64_t)at, its_at = id_at + 64;
	int id = -1;

	if (at < 0) {
		test_fail(__FILE__, __LINE__, "mmap: %lld", (long long)at);
		return;
	}
	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		EXPECT_EQ(SIM_CALL(__NR_timer_create, CLOCK_MONOTONIC, 0, id_at), 0);
		EXPECT(sim_load(&id, id_at, sizeof(id)));
		EXPECT(sim_store(its_at, &its, sizeof(its)));
		EXPECT_EQ(SIM_CALL(__NR_timer_settime, (uint64_t)id, 0, its_at, 0), 0);
		for (unsigned j = 0; j < i; j++)
			SIM_CALL(__NR_sched_yield);
		EXPECT_EQ(SIM_CALL(__NR_timer_delete, (uint64_t)id), 0);
	}
}

TEST(simsignal, timer_deletion_meets_expiry)
{
	run_as_first(delete_expiring);
}
