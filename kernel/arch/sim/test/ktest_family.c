// SPDX-License-Identifier: MIT
/*
 * Families at random: processes and threads that fork, exec, end, wait, change groups and sessions,
 * stop, go on and kill each other, each by what the seed says. Nobody knows what comes out; but every
 * process ends when it is killed, every zombie is somebody's, and in the end nothing is left.
 */
#include "arch/sim/program.h"

#include "lib/test.h"
#include "mm/fail.h"
#include "proc/signal.h"

#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>

enum { MAX_ALIVE = 24, ACTS = 6, ROUNDS = 3 };

static const char program_name[] = "/program";
static unsigned budget; /* forks and threads that are still allowed in this round */

static void live(uintptr_t depth);

static void live_as_thread(uintptr_t depth)
{
	live(depth);
	sim_exit_thread();
}

static void live_after_exec(uintptr_t sp UNUSED)
{
	sim_after_exec();
	live(3);
}

static void have_child(uintptr_t depth)
{
	static const uint64_t kinds[] = {SIGCHLD, SIGCHLD, SIGCHLD | CLONE_PARENT, 0,
		SIGCHLD | CLONE_VFORK, SIGCHLD | CLONE_VM, SIGCHLD | CLONE_FILES | CLONE_FS};

	if (budget == 0)
		return;
	budget--;
	(void)sim_clone(kinds[sim_random(ARRAY_LEN(kinds))], live, depth + 1, 0, 0, 0);
}

static void have_thread(uintptr_t depth)
{
	if (budget == 0)
		return;
	budget--;
	(void)sim_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				CLONE_SYSVSEM,
		live_as_thread, depth + 1, 0, 0, 0);
}

/* Someone that exists, perhaps: ids are small here. */
static uint64_t someone(void)
{
	return 2 + sim_random(MAX_ALIVE);
}

static void send_something(void)
{
	static const int signals[] = {
		SIGCONT, SIGCONT, SIGSTOP, SIGTSTP, SIGTERM, SIGKILL, SIGCHLD, SIGUSR1};
	uint64_t sig = (uint64_t)signals[sim_random(ARRAY_LEN(signals))], pid = someone();

	switch (sim_random(4)) {
	case 0:
		(void)SIM_CALL(__NR_kill, 0, sig);
		break;
	case 1:
		(void)SIM_CALL(__NR_kill, (uint64_t) - (int64_t)pid, sig);
		break;
	case 2:
		(void)SIM_CALL(__NR_tgkill, pid, pid, sig);
		break;
	default:
		(void)SIM_CALL(__NR_kill, pid, sig);
	}
}

static void wait_somehow(void)
{
	static const uint64_t options[] = {WNOHANG, WNOHANG | WUNTRACED | WCONTINUED,
		WNOHANG | __WALL, WNOHANG | __WNOTHREAD, WNOHANG | __WCLONE, 0};
	uint64_t how = options[sim_random(ARRAY_LEN(options))];

	if (sim_random(3) == 0)
		(void)SIM_CALL(__NR_waitid, P_ALL, 0, 0, WEXITED | WNOWAIT | WNOHANG);
	(void)SIM_CALL(__NR_wait4,
		sim_random(2)   ? (uint64_t)-1
		: sim_random(2) ? 0
				: someone(),
		0, how);
}

static void change_place(void)
{
	switch (sim_random(6)) {
	case 0:
		(void)SIM_CALL(__NR_setsid, 0);
		break;
	case 1:
		(void)SIM_CALL(__NR_setpgid, someone(), 0);
		break;
	case 2:
		(void)SIM_CALL(__NR_setpgid, 0, someone());
		break;
	case 3:
		(void)SIM_CALL(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1);
		break;
	case 4:
		(void)SIM_CALL(__NR_prctl, PR_SET_PDEATHSIG, sim_random(2) ? SIGKILL : SIGTERM);
		break;
	default:
		(void)SIM_CALL(__NR_getpgid, someone());
		(void)SIM_CALL(__NR_getsid, someone());
		(void)SIM_CALL(__NR_getppid, 0);
	}
}

static void ignore_children(void)
{
	struct ksigaction action = {
		.handler = (uintptr_t)SIG_IGN, .flags = sim_random(2) ? SA_NOCLDWAIT : 0};

	(void)SIM_CALL(__NR_rt_sigaction, SIGCHLD, sim_scratch(&action, sizeof(action)), 0,
		sizeof(uint64_t));
}

static void end_somehow(void)
{
	switch (sim_random(4)) {
	case 0:
		(void)SIM_CALL(__NR_exit, 1);
		break;
	case 1:
		(void)SIM_CALL(__NR_exit_group, 2);
		break;
	case 2:
		(void)SIM_CALL(
			__NR_execve, sim_scratch(program_name, sizeof(program_name)), 0, 0);
		break;
	default:
		break;
	}
}

static void live(uintptr_t depth)
{
	for (unsigned i = 0; i < ACTS; i++) {
		switch (sim_random(8)) {
		case 0:
		case 1:
			have_child(depth);
			break;
		case 2:
			have_thread(depth);
			break;
		case 3:
			send_something();
			break;
		case 4:
			wait_somehow();
			break;
		case 5:
			change_place();
			break;
		case 6:
			if (sim_random(4) == 0)
				ignore_children();
			sim_yield(1);
			break;
		default:
			if (depth && sim_random(2))
				end_somehow();
		}
	}
}

static bool lacks_memory; /* now and then an allocation fails, whoever's it is */

static void raise_a_family(void)
{
	sim_make_program(program_name, live_after_exec);
	budget = MAX_ALIVE;
	for (unsigned i = 0; i < 3; i++)
		(void)sim_spawn(live, 1);
	for (uint64_t turns = sim_random(40); turns; turns--) {
		if (lacks_memory)
			fail_arm_boot(1 + sim_random(100));
		sim_yield(1);
	}
	fail_arm_boot(0);
	/* Whoever is made meanwhile is killed by the next turn: its parent was. */
	for (unsigned i = 0; i < 8; i++) {
		(void)SIM_CALL(__NR_kill, (uint64_t)-1, SIGKILL);
		(void)SIM_CALL(__NR_wait4, (uint64_t)-1, 0, WNOHANG | __WALL);
	}
	sim_wait_all();
	(void)SIM_CALL(__NR_unlink, sim_scratch(program_name, sizeof(program_name)));
}

TEST(family, at_random)
{
	sim_program_rounds(raise_a_family, ROUNDS);
}

TEST(family, at_random_with_failing_allocations)
{
	lacks_memory = true;
	sim_program_rounds(raise_a_family, ROUNDS);
}

/* ---- exec with threads ---- */

static unsigned nr_execs;

static void say_exec(uintptr_t sp UNUSED)
{
	sim_after_exec();
	nr_execs++;
	sim_exit_process(5);
}

static void call_for_ever(uintptr_t arg UNUSED)
{
	for (;;)
		(void)SIM_CALL(__NR_getppid, 0);
}

static void pause_for_ever(uintptr_t arg UNUSED)
{
	for (;;)
		(void)SIM_CALL(__NR_pause, 0);
}

static void exec_it(uintptr_t arg UNUSED)
{
	int64_t err =
		SIM_CALL(__NR_execve, sim_scratch(program_name, sizeof(program_name)), 0, 0);

	EXPECT_EQ(err, -EAGAIN); /* another thread's exec came first: we are about to end */
	for (;;)
		(void)SIM_CALL(__NR_pause, 0);
}

static void have_threads_and_exec(uintptr_t who)
{
	(void)sim_thread(call_for_ever, 0);
	(void)sim_thread(pause_for_ever, 0);
	if (who)
		(void)sim_thread(exec_it, 0);
	if (who == 1)
		pause_for_ever(0);
	exec_it(0);
}

/* By the first thread, by another, by two at a time: one of them becomes the program. */
static void exec_by_each(void)
{
	sim_make_program(program_name, say_exec);
	nr_execs = 0;
	for (uintptr_t who = 0; who < 3; who++)
		EXPECT_EQ(sim_wait(sim_spawn(have_threads_and_exec, who)), 5 << 8);
	EXPECT_EQ(nr_execs, 3);
	(void)SIM_CALL(__NR_unlink, sim_scratch(program_name, sizeof(program_name)));
}

TEST(family, exec_ends_the_other_threads)
{
	sim_program_rounds(exec_by_each, ROUNDS);
}

/* ---- Each child is told of once ---- */

enum { CHILDREN = 8 };

static void end_with(uintptr_t status)
{
	if (sim_random(2))
		(void)sim_thread(pause_for_ever, 0);
	sim_yield((unsigned)sim_random(4));
	sim_exit_process((int)status);
}

static unsigned seen[CHILDREN];

static void wait_for_some(void)
{
	uint64_t at = sim_map(PAGE_SIZE);

	while (SIM_CALL(__NR_wait4, (uint64_t)-1, at, 0) > 0)
		seen[sim_load32(at) >> 8 & 0xff]++;
	(void)SIM_CALL(__NR_munmap, at, PAGE_SIZE);
}

static void wait_too(uintptr_t arg UNUSED)
{
	wait_for_some();
	sim_exit_thread();
}

static void have_children(uintptr_t arg UNUSED)
{
	for (unsigned i = 0; i < CHILDREN / 2; i++)
		(void)sim_spawn(end_with, i);
	(void)sim_thread(wait_too, 0);
	for (unsigned i = CHILDREN / 2; i < CHILDREN; i++)
		(void)sim_spawn(end_with, i);
	wait_for_some();
	for (unsigned i = 0; i < CHILDREN; i++)
		while (!READ_ONCE(seen[i])) /* the other thread has it, and says so soon */
			sim_yield(1);
}

static void count_children(void)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		seen[i] = 0;
	EXPECT_EQ(sim_wait(sim_spawn(have_children, 0)), 0);
	for (unsigned i = 0; i < CHILDREN; i++)
		EXPECT_EQ(seen[i], 1);
}

TEST(family, two_threads_wait_and_each_child_is_seen_once)
{
	sim_program_rounds(count_children, ROUNDS);
}
