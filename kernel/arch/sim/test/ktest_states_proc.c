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

OPERATION(fork_and_wait)
{
	uint64_t a = child(do_nothing, 0), b = child(do_nothing, 0);

	join(b);
	join(a);
}

OPERATION(vfork_and_wait)
{
	int64_t pid = sim_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, do_nothing, 0, 0, 0, 0);

	if (pid < 0)
		states_give_up("vfork", __LINE__, pid);
	join((uint64_t)pid);
}

static void end_thread(uintptr_t arg UNUSED)
{
	sim_yield(2);
	sim_exit_thread();
}

OPERATION(thread_and_join)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_PRIVATE);
	int64_t tid =
		sim_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				  CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
			end_thread, 0, word, word, 0);
	uint32_t value;

	if (tid < 0)
		states_give_up("thread", __LINE__, tid);
	while ((value = sim_load32(word))) {
		wait_futex(word, value);
	}
}

/* The process ends while its threads wait in calls, or make some. */
static void end_with_threads(uintptr_t arg UNUSED)
{
	(void)sim_thread(make_calls, 0);
	(void)sim_thread(sleep_for_ever, 0);
}

OPERATION(end_of_threads)
{
	join(child(end_with_threads, 0));
}

static void end_as_program(uintptr_t sp UNUSED)
{
	states_note_end();
}

/* A new program in the place of one with threads: before the old one is gone an errno, then an end. */
OPERATION(exec)
{
	uint64_t set = BIT(SIGUSR1 - 1);

	states_pause_failing(); /* the file is not what is tried */
	sim_make_program(states_file, end_as_program);
	states_go_on_failing();
	if (sim_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
		    make_calls, 0, 0, 0, 0) < 0)
		states_give_up("clone", __LINE__, -ENOMEM);
	/* the handler goes with the program: what comes later stays pending */
	(void)DO(rt_sigprocmask, SIG_BLOCK, OBJECT(set), 0, sizeof(set));
	(void)DO(execve, STRING(states_file), 0, 0);
}

OPERATION(pidfd_poll)
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

OPERATION(signal_wait)
{
	uint64_t set = BIT(SIGUSR2 - 1), pid;

	(void)DO(rt_sigprocmask, SIG_BLOCK, OBJECT(set), 0, sizeof(set));
	pid = child(signal_parent, DO(getpid, 0));
	EXPECT_EQ(DO(rt_sigtimedwait, OBJECT(set), 0, 0, sizeof(set)), SIGUSR2);
	join(pid);
}

OPERATION(signalfd)
{
	uint64_t set = BIT(SIGUSR2 - 1), pid, fd, at = MAP(PAGE_SIZE, MAP_PRIVATE);

	(void)DO(rt_sigprocmask, SIG_BLOCK, OBJECT(set), 0, sizeof(set));
	fd = DO(signalfd4, (uint64_t)-1, OBJECT(set), sizeof(set), 0);
	pid = child(signal_parent, DO(getpid, 0));
	EXPECT_EQ(DO(read, fd, at, 128), 128);
	EXPECT_EQ(sim_load32(at), SIGUSR2);
	join(pid);
}

/* A process that is stopped and goes on, seen by its parent. */
OPERATION(job_control)
{
	uint64_t pid = child(sleep_for_ever, 0);

	(void)DO(kill, pid, SIGSTOP);
	EXPECT_EQ(DO(wait4, pid, 0, WUNTRACED, 0), pid);
	(void)DO(kill, pid, SIGCONT);
	EXPECT_EQ(DO(wait4, pid, 0, WCONTINUED, 0), pid);
	(void)DO(kill, pid, SIGKILL);
	join(pid);
}
