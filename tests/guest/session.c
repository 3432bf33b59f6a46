// SPDX-License-Identifier: MIT
/*
 * Process groups and sessions, limits, usage, scheduling.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

TEST(session, setsid_makes_a_session)
{
	IN_CHILD({
		pid_t me = getpid();

		if (setsid() != me || getsid(0) != me || getpgrp() != me)
			_exit(1);
		if (setsid() != -1 || errno != EPERM)
			_exit(2);
		if (setpgid(0, 0) != -1 || errno != EPERM)
			_exit(3);
		_exit(0);
	});
}

TEST(session, setpgid_rules)
{
	int pipes[2];
	char c;
	pid_t child, other;

	CHECK_OK(pipe(pipes));
	child = fork();
	if (!child) {
		close(pipes[1]);
		(void)!read(pipes[0], &c, 1);
		_exit(0);
	}
	CHECK_OK(setpgid(child, 0));
	CHECK_EQ(getpgid(child), child);
	CHECK_OK(setpgid(child, getpgrp()));
	CHECK_ERRNO(setpgid(child, -1), EINVAL);
	CHECK_ERRNO(setpgid(99999, 0), ESRCH);
	CHECK_ERRNO(setpgid(getppid(), 0), ESRCH);
	CHECK_ERRNO(setpgid(child, 99999), EPERM);
	CHECK_ERRNO(getpgid(99999), ESRCH);
	CHECK_ERRNO(getsid(99999), ESRCH);
	other = fork();
	if (!other)
		_exit(setsid() < 0);
	close(pipes[1]);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK_EQ(waitpid(other, NULL, 0), other);
}

TEST(session, child_in_another_session_is_out_of_reach)
{
	int ready[2];
	char c;
	pid_t child;

	CHECK_OK(pipe(ready));
	child = fork();
	if (!child) {
		setsid();
		(void)!write(ready[1], "x", 1);
		pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	CHECK_ERRNO(setpgid(child, getpgrp()), EPERM);
	CHECK_EQ(getsid(child), child);
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, NULL, 0), child);
}

TEST(session, orphaned_stopped_group_is_hung_up)
{
	int status, report[2];
	char c = 0;
	pid_t middle;

	CHECK_OK(pipe(report));
	middle = fork();
	if (!middle) {
		pid_t child = fork();

		if (!child) {
			struct sigaction act = {.sa_handler = SIG_DFL};

			setpgid(0, 0);
			sigaction(SIGHUP, &act, NULL);
			raise(SIGSTOP);
			(void)!write(report[1], "c", 1); /* never: SIGHUP ended it */
			_exit(0);
		}
		setpgid(child, child);
		waitpid(child, &status, WUNTRACED);
		_exit(WIFSTOPPED(status) ? 0 : 1);
	}
	CHECK_EQ(waitpid(middle, &status, 0), middle);
	CHECK_EQ(status, 0);
	close(report[1]);
	CHECK_EQ(read(report[0], &c, 1), 0);
}

TEST(session, rlimit_rules)
{
	struct rlimit r, old;

	CHECK_OK(getrlimit(RLIMIT_CORE, &old));
	r = (struct rlimit){5, 4};
	CHECK_ERRNO(setrlimit(RLIMIT_CORE, &r), EINVAL);
	r = (struct rlimit){5, 6};
	CHECK_OK(setrlimit(RLIMIT_CORE, &r));
	CHECK_OK(syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, NULL, &old));
	CHECK_EQ(old.rlim_cur, 5);
	CHECK_EQ(old.rlim_max, 6);
	CHECK_ERRNO(syscall(SYS_prlimit64, 0, 16, NULL, &old), EINVAL);
	CHECK_ERRNO(syscall(SYS_prlimit64, 99999, RLIMIT_CORE, NULL, &old), ESRCH);
	CHECK_ERRNO(syscall(SYS_getrlimit, RLIMIT_CORE, NULL), EFAULT);
	CHECK_OK(syscall(SYS_setuid, 1000));
	r = (struct rlimit){5, 7};
	CHECK_ERRNO(setrlimit(RLIMIT_CORE, &r), EPERM);
	CHECK_ERRNO(syscall(SYS_prlimit64, 1, RLIMIT_CORE, NULL, &old), EPERM);
	r = (struct rlimit){1, 2};
	CHECK_OK(setrlimit(RLIMIT_CORE, &r));
	r = (struct rlimit){1, 1 << 21};
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &r), EPERM);
}

TEST(session, usage)
{
	struct rusage ru;
	struct tms t;

	CHECK_OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_maxrss > 0);
	CHECK_OK(getrusage(RUSAGE_CHILDREN, &ru));
	CHECK_OK(getrusage(RUSAGE_THREAD, &ru));
	CHECK_ERRNO(getrusage(7, &ru), EINVAL);
	CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, NULL), EFAULT);
	CHECK(times(&t) >= 0);
	CHECK_ERRNO(syscall(SYS_times, 8), EFAULT);
}

TEST(session, busy_time_is_counted)
{
	struct rusage before, after;
	long us = 0;

	CHECK_OK(getrusage(RUSAGE_SELF, &before));
	for (int rounds = 0; us < 20000 && rounds < 100000; rounds++) {
		for (volatile int i = 0; i < 10000; i++)
			;
		CHECK_OK(getrusage(RUSAGE_SELF, &after));
		us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
		     (after.ru_utime.tv_usec - before.ru_utime.tv_usec) +
		     (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
		     (after.ru_stime.tv_usec - before.ru_stime.tv_usec);
	}
	CHECK(us >= 20000);
}

TEST(session, policies)
{
	struct sched_param p = {0};

	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	p.sched_priority = 5;
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p), EINVAL);
	CHECK_OK(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &p));
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_RR);
	p.sched_priority = 0;
	CHECK_OK(syscall(SYS_sched_getparam, 0, &p));
	CHECK_EQ(p.sched_priority, 5);
	p.sched_priority = 100;
	CHECK_ERRNO(syscall(SYS_sched_setparam, 0, &p), EINVAL);
	p.sched_priority = 0;
	CHECK_OK(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &p));
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
	CHECK_OK(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER | 0x40000000, &p));
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER | 0x40000000);
	IN_CHILD({ _exit(syscall(SYS_sched_getscheduler, 0) != SCHED_OTHER); });
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, 77, &p), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, -1, &p), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, -1, SCHED_OTHER, &p), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 99999, SCHED_OTHER, &p), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_getparam, 0, NULL), EINVAL);
	CHECK_EQ(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
	CHECK_EQ(syscall(SYS_sched_get_priority_min, SCHED_FIFO), 1);
	CHECK_EQ(syscall(SYS_sched_get_priority_max, SCHED_OTHER), 0);
	CHECK_ERRNO(syscall(SYS_sched_get_priority_max, 99), EINVAL);
}

TEST(session, nice_values)
{
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 5));
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 15);
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 100));
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 1);
	CHECK_OK(setpriority(PRIO_PROCESS, 0, -30));
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 40);
	CHECK_OK(setpriority(PRIO_PGRP, 0, 3));
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PGRP, 0), 17);
	CHECK_ERRNO(setpriority(9, 0, 0), EINVAL);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 99999, 0), ESRCH);
	CHECK_OK(syscall(SYS_setuid, 1000));
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, 2), EACCES);
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 4));
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 1, 19), EPERM);
}

TEST(session, affinity)
{
	unsigned long mask[16] = {0}, one[16] = {1};
	long size = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

	CHECK_EQ(size, 8);
	CHECK(mask[0] & 1);
	CHECK_OK(syscall(SYS_sched_setaffinity, 0, sizeof(one), one));
	CHECK_EQ(syscall(SYS_sched_getaffinity, 0, 8, mask), 8);
	CHECK_EQ(mask[0], 1);
	memset(one, 0, sizeof(one));
	CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof(one), one), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 7, mask), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 99999, 8, mask), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, 8, 8), EFAULT);
}

/* More processes than any table has at first; all of them end. */
TEST_WITHIN(session, thousands_of_processes, 120)
{
	enum { NR = 2000 };
	int gate[2], status, ended = 0;
	char c;

	CHECK_OK(pipe(gate));
	for (int i = 0; i < NR; i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (!child) {
			close(gate[1]);
			(void)!read(gate[0], &c, 1);
			_exit(i & 0x7f);
		}
	}
	close(gate[1]);
	while (wait(&status) > 0)
		ended++;
	CHECK_EQ(ended, NR);
}
