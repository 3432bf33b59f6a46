// SPDX-License-Identifier: MIT
/*
 * Signals and timers by seeds: processes are killed, stopped and continued at every point of what
 * they do, and timers are deleted while they expire. Process 1 is the test: when a process is lost, or
 * a parent not told, its wait never ends and the run is reported.
 */
#include "arch/sim/program.h"

#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/time.h>
#include <linux/wait.h>

#include "arch/sim/test/rings.h"
#include "lib/test.h"

enum { ROUNDS = 6, SPAWNS = 20, SLEEPS = 3000, SOON_US = 20 };

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
		int64_t pid = sim_spawn(kinds[i % ARRAY_LEN(kinds)], 0);

		sim_kill(pid, i % 2 ? SIGKILL : SIGTERM);
		(void)sim_wait(pid);
	}
}

TEST(simsignal, kill_meets_exit)
{
	sim_program(kill_all_kinds);
}

static void stop_and_kill(void)
{
	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		int64_t pid = sim_spawn(i % 2 ? pause_for_ever : call_for_ever, 0);

		sim_kill(pid, SIGSTOP);
		if (i % 3)
			EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)pid, 0, WUNTRACED, 0), pid);
		if (i % 2)
			sim_kill(pid, SIGCONT);
		sim_kill(pid, SIGKILL);
		(void)sim_wait(pid);
	}
}

TEST(simsignal, stop_and_continue_meet_kill)
{
	sim_program(stop_and_kill);
}

static void stop_twice(void)
{
	int64_t pid = sim_spawn(call_for_ever, 0);

	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		sim_kill(pid, SIGSTOP);
		EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)pid, 0, WUNTRACED, 0), pid);
		sim_kill(pid, SIGCONT);
		EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)pid, 0, WCONTINUED, 0), pid);
	}
	sim_kill(pid, SIGKILL);
	(void)sim_wait(pid);
}

TEST(simsignal, each_stop_and_continuation_is_told)
{
	sim_program(stop_twice);
}

static void have_no_time(uintptr_t arg UNUSED)
{
	SIM_CALL(__NR_setrlimit, RLIMIT_CPU, sim_scratch(&(uint64_t[2]){0, 0}, 16));
	call_for_ever(0);
}

static void fork_meanwhile(uintptr_t arg UNUSED)
{
	(void)sim_thread(have_no_time, 0);
	for (;;)
		(void)SIM_CALL(__NR_wait4, (uint64_t)sim_spawn(exit_soon, 0), 0, 0, 0);
}

static void limit_who_forks(void)
{
	for (unsigned i = 0; i < test_rounds(ROUNDS); i++)
		(void)sim_wait(sim_spawn(fork_meanwhile, 0));
	sim_wait_all();
}

TEST(simsignal, end_of_cpu_time_meets_fork)
{
	sim_program(limit_who_forks);
}

/* Each forks the next and is gone. */
static void run_away(uintptr_t arg UNUSED)
{
	(void)sim_spawn(run_away, 0);
}

static void run_away_as_group(uintptr_t arg UNUSED)
{
	(void)SIM_CALL(__NR_setpgid, 0, 0);
	run_away(0);
}

static void kill_who_runs_away(void)
{
	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		int64_t pid = sim_spawn(run_away_as_group, 0);

		(void)SIM_CALL(__NR_setpgid, (uint64_t)pid, (uint64_t)pid); /* it may be late */
		sim_yield((unsigned)sim_random(8));
		sim_kill(i % 2 ? -1 : -pid, SIGKILL);
		sim_wait_all();
	}
}

TEST(simsignal, kill_of_many_meets_fork)
{
	sim_program(kill_who_runs_away);
}

static const char program[] = "/sleeper";

/* Programs that never end, by a ring: on a fiber, which no signal reaches. */
static void spawn_as_group(uintptr_t arg UNUSED)
{
	struct torus_spawn s = {.path = sim_map(PAGE_SIZE)};
	struct sim_ring r;

	(void)SIM_CALL(__NR_setpgid, 0, 0);
	store_bytes(s.path, program, sizeof(program));
	make_ring(&r, 0);
	for (unsigned i = 0; i < SPAWNS; i++) {
		ADD(&r, .opcode = TORUS_OP_SPAWN, .fd = AT_FDCWD,
			.addr = sim_scratch(&s, sizeof(s)), .len = sizeof(s));
		submit(&r);
		(void)next_completion(&r);
	}
}

static void kill_who_spawns(void)
{
	sim_make_program(program, pause_for_ever);
	for (unsigned i = 0; i < test_rounds(ROUNDS); i++) {
		int64_t pid = sim_spawn(spawn_as_group, 0);

		(void)SIM_CALL(__NR_setpgid, (uint64_t)pid, (uint64_t)pid); /* it may be late */
		sim_yield((unsigned)sim_random(100));
		sim_kill(-pid, SIGKILL);
		sim_wait_all();
	}
	(void)SIM_CALL(__NR_unlink, sim_scratch(program, sizeof(program)));
}

TEST(simsignal, kill_of_a_group_meets_spawn)
{
	sim_program(kill_who_spawns);
}

static void note_nothing(int sig UNUSED, void *info UNUSED, void *context UNUSED)
{
}

/* The timer's interrupt may come when the thread has looked for signals and does not sleep yet. */
static void suspend_until_alarm(void)
{
	uint64_t alarm = BIT(SIGALRM - 1), none = 0;
	uint64_t at = sim_map(PAGE_SIZE), none_at = at + 64;

	sim_action(SIGALRM, note_nothing, 0);
	EXPECT_EQ(SIM_CALL(__NR_rt_sigprocmask, SIG_BLOCK, sim_scratch(&alarm, sizeof(alarm)),
			  0, sizeof(alarm)),
		0);
	EXPECT(sim_store(none_at, &none, sizeof(none)));
	for (unsigned i = 0; i < test_rounds(SLEEPS); i++) {
		struct __kernel_old_itimerval in = {
			.it_value = {.tv_usec = 1 + (long)sim_random(SOON_US)}};

		EXPECT(sim_store(at, &in, sizeof(in)));
		EXPECT_EQ(SIM_CALL(__NR_setitimer, ITIMER_REAL, at, 0), 0);
		EXPECT_EQ(SIM_CALL(__NR_rt_sigsuspend, none_at, sizeof(none)), -EINTR);
	}
}

TEST(simsignal, alarm_meets_sleep)
{
	sim_program(suspend_until_alarm);
}

static void delete_expiring(void)
{
	struct __kernel_itimerspec its = {.it_value = {0, 1}, .it_interval = {0, 1000}};
	uint64_t id_at = sim_map(PAGE_SIZE), its_at = id_at + 64;
	int id = -1;

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
	sim_program(delete_expiring);
}
