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
		sleep_ms(50);
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
