// SPDX-License-Identifier: MIT
/* wait4(2), waitid(2): what counts as a child to wait for, what is written when there is none. More: process.c. */
#include "guest.h"

#include <pthread.h>
#include <sys/mman.h>

static pid_t child_exiting(int status)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(status);
	return pid;
}

/* Until it is a zombie, which stays one. */
static void await_end(pid_t pid)
{
	siginfo_t si;

	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	CHECK_EQ(si.si_pid, pid);
}

TEST(process_wait, the_ended_are_none_to_wait_for_without_wexited)
{
	pid_t pid = child_exiting(3), other;
	siginfo_t si;

	await_end(pid);
	CHECK_ERRNO(waitid(P_PID, (id_t)pid, &si, WSTOPPED), ECHILD);
	CHECK_ERRNO(waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOHANG), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &si, WCONTINUED | WNOHANG), ECHILD);
	CHECK_ERRNO(waitid(P_PGID, 0, &si, WCONTINUED), ECHILD);
	other = CHECK_OK(fork());
	if (other == 0)
		for (;;)
			pause();
	CHECK_OK(waitid(P_ALL, 0, &si, WSTOPPED | WNOHANG));
	CHECK_EQ(si.si_pid, 0);
	CHECK_OK(kill(other, SIGKILL));
	EXPECT_KILLED(other, SIGKILL);
	EXPECT_CHILD(pid, 3);
}

TEST(process_wait, a_wait_for_stops_ends_with_the_last_child)
{
	siginfo_t si;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		wait_until_sleeping(getppid());
		_exit(4);
	}
	CHECK_ERRNO(waitid(P_ALL, 0, &si, WSTOPPED), ECHILD);
	EXPECT_CHILD(pid, 4);
}

/* By the call itself: a library may look first. */
static long waitid_call(int type, pid_t id, void *info, int options)
{
	return syscall(SYS_waitid, type, id, info, options, NULL);
}

TEST(process_wait, waitid_that_fails_writes_zeros)
{
	siginfo_t si;

	memset(&si, 0x55, sizeof(si));
	CHECK_ERRNO(waitid_call(P_ALL, 0, &si, WEXITED), ECHILD);
	CHECK_EQ(si.si_signo, 0);
	CHECK_EQ(si.si_errno, 0);
	CHECK_EQ(si.si_code, 0);
	CHECK_EQ(si.si_pid, 0);
	CHECK_EQ(si.si_uid, 0);
	CHECK_EQ(si.si_status, 0);
	CHECK_EQ((unsigned char)((char *)&si)[40], 0x55);
	memset(&si, 0x55, sizeof(si));
	CHECK_ERRNO(waitid_call(P_ALL, 0, &si, 0), EINVAL);
	CHECK_EQ(si.si_pid, 0);
	memset(&si, 0x55, sizeof(si));
	CHECK_ERRNO(waitid_call(99, 0, &si, WEXITED), EINVAL);
	CHECK_EQ(si.si_pid, 0);
	CHECK_ERRNO(waitid_call(P_ALL, 0, (void *)8, WEXITED), EFAULT);
	CHECK_ERRNO(waitid_call(99, 0, (void *)8, WEXITED), EFAULT);
	CHECK_ERRNO(waitid_call(P_ALL, 0, NULL, WEXITED), ECHILD);
}

static bool is_pending(int sig)
{
	sigset_t set;

	CHECK_OK(sigpending(&set));
	return sigismember(&set, sig);
}

static void block_sigchld(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

TEST(process_wait, sigchld_that_is_ignored_is_not_sent_even_if_blocked)
{
	struct sigaction nowait = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};

	block_sigchld();
	signal(SIGCHLD, SIG_IGN);
	CHECK_ERRNO(waitpid(child_exiting(1), NULL, 0), ECHILD);
	CHECK(!is_pending(SIGCHLD));
	CHECK_OK(sigaction(SIGCHLD, &nowait, NULL));
	CHECK_ERRNO(waitpid(child_exiting(1), NULL, 0), ECHILD);
	CHECK(is_pending(SIGCHLD));
}

TEST(process_wait, another_signal_of_the_end_is_sent_though_sigchld_is_ignored)
{
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	signal(SIGCHLD, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	pid = CHECK_OK(syscall(SYS_clone, (long)SIGUSR1, 0L, NULL, NULL, 0L));
	if (pid == 0)
		_exit(5);
	CHECK_EQ(waitpid(pid, NULL, __WALL), pid);
	CHECK(is_pending(SIGUSR1));
}

/* ---- A stop that not all threads came to ---- */

static volatile int *shared;

static void *be_in_vfork(void *arg)
{
	pid_t pid = vfork();

	(void)arg;
	if (pid == 0) {
		shared[0] = getpid();
		while (!shared[1])
			sleep_ms(1);
		_exit(0);
	}
	for (;;)
		pause();
	return NULL;
}

static _Noreturn void stop_in_part(void)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, be_in_vfork, NULL), 0);
	for (;;)
		pause();
}

/* Until a thread of the process has taken the signal. */
static void wait_until_taken(pid_t pid, int sig)
{
	char path[40], text[4096], *mask;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	do {
		sleep_ms(1);
		CHECK(get_file(path, text, sizeof(text)) > 0);
		mask = strstr(text, "ShdPnd:\t");
		CHECK(mask != NULL);
	} while (strtoull(mask + 8, NULL, 16) & 1ull << (sig - 1));
}

/* The thread that waits for its vfork's child does not stop: SIGCONT comes before the stop is complete. */
TEST(process_wait, a_stop_that_was_not_complete_is_continued_too)
{
	siginfo_t si;
	pid_t pid;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	pid = CHECK_OK(fork());
	if (pid == 0)
		stop_in_part();
	while (!shared[0])
		sleep_ms(1);
	CHECK_OK(kill(pid, SIGSTOP));
	wait_until_taken(pid, SIGSTOP);
	sleep_ms(50);
	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOHANG));
	CHECK_EQ(si.si_pid, 0);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WSTOPPED | WCONTINUED | WNOHANG));
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_code, CLD_CONTINUED);
	CHECK_EQ(si.si_status, SIGCONT);
	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WSTOPPED | WCONTINUED | WNOHANG));
	CHECK_EQ(si.si_pid, 0);
	shared[1] = 1;
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
}
