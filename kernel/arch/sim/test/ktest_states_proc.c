// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): processes, threads, sleeping and signals.
 */
#include "arch/sim/test/states.h"

#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/wait.h>

/* ---- Processes and threads ---- */

JOINT_OPERATION(fork_and_wait)
{
	uint64_t a = child(do_nothing, 0), b = child(do_nothing, 0);

	join(b);
	join(a);
}

JOINT_OPERATION(vfork_and_wait)
{
	join(helper(CLONE_VM | CLONE_VFORK | SIGCHLD, do_nothing, 0, 0));
}

static void end_thread(uintptr_t arg UNUSED)
{
	sim_yield(2);
}

JOINT_OPERATION(thread_and_join)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_PRIVATE);
	uint32_t value;

	(void)helper(THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, end_thread, 0, word);
	while ((value = sim_load32(word))) {
		wait_futex(word, value);
	}
}

/* The process ends while its threads wait in calls, or make some. */
static void end_with_threads(uintptr_t arg UNUSED)
{
	(void)helper(THREAD, make_calls, 0, 0);
	(void)helper(THREAD, sleep_for_ever, 0, 0);
}

JOINT_OPERATION(end_of_threads)
{
	join(child(end_with_threads, 0));
}

static void end_as_program(uintptr_t sp UNUSED)
{
	states_note_end();
}

/* A new program in the place of one with threads: before the old one is gone an errno, then an end. */
JOINT_OPERATION(exec)
{
	uint64_t set = BIT(SIGUSR1 - 1);

	states_pause_failing(); /* the file is not what is tried */
	sim_make_program(states_file, end_as_program);
	states_go_on_failing();
	(void)helper(THREAD, make_calls, 0, 0);
	/* the handler goes with the program: what comes later stays pending */
	(void)DO(rt_sigprocmask, SIG_BLOCK, OBJECT(set), 0, sizeof(set));
	(void)DO(execve, STRING(states_file), 0, 0);
}

JOINT_OPERATION(pidfd_poll)
{
	uint64_t pid = child(do_nothing, 0), fd = DO(pidfd_open, pid, 0);
	struct pollfd p = {.fd = (int)fd, .events = POLLIN};

	EXPECT_EQ(DO(poll, OBJECT(p), 1, (uint64_t)-1), 1);
	(void)DO(waitid, P_PIDFD, fd, 0, WEXITED, 0);
}

/* ---- Sleeping, and signals ---- */

OPERATION(sleep)
{
	struct __kernel_timespec ts = {.tv_nsec = 30000};
	uint64_t at = OBJECT(ts);

	(void)DO(clock_nanosleep, CLOCK_MONOTONIC, 0, at, at);
}

JOINT_OPERATION(signal_wait)
{
	uint64_t set = BIT(SIGUSR2 - 1), pid;

	(void)DO(rt_sigprocmask, SIG_BLOCK, OBJECT(set), 0, sizeof(set));
	pid = sure_child(signal_parent, DO(getpid, 0));
	EXPECT_EQ(DO(rt_sigtimedwait, OBJECT(set), 0, 0, sizeof(set)), SIGUSR2);
	join(pid);
}

JOINT_OPERATION(signalfd)
{
	uint64_t set = BIT(SIGUSR2 - 1), pid, fd, at = MAP(PAGE_SIZE, MAP_PRIVATE);

	(void)DO(rt_sigprocmask, SIG_BLOCK, OBJECT(set), 0, sizeof(set));
	fd = DO(signalfd4, (uint64_t)-1, OBJECT(set), sizeof(set), 0);
	pid = sure_child(signal_parent, DO(getpid, 0));
	EXPECT_EQ(DO(read, fd, at, 128), 128);
	EXPECT_EQ(sim_load32(at), SIGUSR2);
	join(pid);
}

/* A process that is stopped and goes on, seen by its parent. */
JOINT_OPERATION(job_control)
{
	uint64_t pid = child(sleep_for_ever, 0);

	(void)DO(kill, pid, SIGSTOP);
	EXPECT_EQ(DO(wait4, pid, 0, WUNTRACED, 0), pid);
	(void)DO(kill, pid, SIGCONT);
	EXPECT_EQ(DO(wait4, pid, 0, WCONTINUED, 0), pid);
	(void)DO(kill, pid, SIGKILL);
	join(pid);
}
