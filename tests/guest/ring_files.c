// SPDX-License-Identifier: MIT
/*
 * Rings and the table of descriptors of the thread that uses them: it may get another one.
 */
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>

#include "ring.h"

static void expect_no_writer(int from)
{
	struct pollfd p = {.fd = from, .events = POLLIN};
	char c;

	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(read(from, &c, 1), 0);
}

/* A child that has our table, until the other end of the pipe is closed. */
static pid_t share_table(int until)
{
	char c;
	pid_t pid = (pid_t)CHECK_OK(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));

	if (!pid)
		_exit(read(until, &c, 1) == 1 ? 0 : 1);
	return pid;
}

TEST(ring_files, closing_in_a_table_of_its_own_closes)
{
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	CHECK_OK(syscall(SYS_close_range, fd[1], fd[1], CLOSE_RANGE_UNSHARE));
	expect_no_writer(fd[0]);
}

/* Who has the other table ends, and with it the last descriptor. */
TEST(ring_files, a_table_that_was_left_is_not_kept)
{
	struct ring r;
	int fd[2], until[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(pipe(until));
	ring_open(&r, 8, 0);
	pid = share_table(until[0]);
	CHECK_OK(syscall(SYS_close_range, fd[1], fd[1], CLOSE_RANGE_UNSHARE));
	CHECK_EQ(write(until[1], "x", 1), 1);
	EXPECT_CHILD(pid, 0);
	expect_no_writer(fd[0]);
}

/* A POSIX lock belongs to the table. One that nobody shares is not changed for another. */
TEST(ring_files, locks_stay_with_a_table_that_is_not_shared)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct ring r;
	int fd;

	CHECK_OK(fd = open("f", O_RDWR | O_CREAT, 0600));
	ring_open(&r, 8, 0);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	CHECK_OK(unshare(CLONE_FILES));
	IN_CHILD(CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EAGAIN));
}
