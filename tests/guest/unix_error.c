// SPDX-License-Identifier: MIT
/* unix(7): which error comes first, and when a writer is killed. */
#include "unix.h"

#include <poll.h>
#include <sys/resource.h>

static char big[1000000];

static volatile int nr_signals;

static void count_signal(int sig)
{
	(void)sig;
	nr_signals++;
}

static void count_sigpipe(void)
{
	struct sigaction sa = {.sa_handler = count_signal};

	CHECK_OK(sigaction(SIGPIPE, &sa, NULL));
}

/* A pair whose first end can take no more bytes; the writer's end waits. */
static void full_pair(int fd[2])
{
	pair(fd, SOCK_STREAM);
	CHECK_OK(fcntl(fd[0], F_SETFL, O_NONBLOCK));
	while (write(fd[0], big, 4096) > 0) {
	}
	while (write(fd[0], big, 1) > 0) {
	}
	CHECK_OK(fcntl(fd[0], F_SETFL, 0));
}

/*
 * A reader that goes when its writer sleeps, after so many bytes, and then when it sleeps again; how is what it does
 * to its end at last. It leaves when the writer has gone on and waits for it.
 */
static pid_t leave_later(int fd[2], size_t bytes, int how)
{
	pid_t writer = getpid(), pid = CHECK_OK(fork());

	if (!pid) {
		close(fd[0]);
		wait_until_sleeping(writer);
		for (size_t done = 0; done < bytes;)
			done += (size_t)CHECK_OK(read(fd[1], big, 4096));
		if (bytes)
			wait_until_sleeping(writer);
		if (how >= 0) {
			CHECK_OK(shutdown(fd[1], how));
			wait_until_sleeping(writer);
		}
		_exit(0);
	}
	close(fd[1]);
	return pid;
}

/* What a waiting writer was told is not said again. */
static void expect_end(int fd)
{
	char c;
	int before = nr_signals;

	CHECK_ERRNO(write(fd, "x", 1), EPIPE);
	CHECK_EQ(nr_signals, before + 1);
	CHECK_EQ(read(fd, &c, 1), 0);
}

TEST(unix_error, waiting_writer_is_reset)
{
	pid_t pid;
	int fd[2];

	count_sigpipe();
	full_pair(fd);
	pid = leave_later(fd, 0, -1);
	CHECK_ERRNO(write(fd[0], big, sizeof(big)), ECONNRESET);
	CHECK_EQ(nr_signals, 0);
	expect_end(fd[0]);
	EXPECT_CHILD(pid, 0);
}

TEST(unix_error, waiting_sender_is_reset)
{
	pid_t pid;
	int fd[2];

	count_sigpipe();
	full_pair(fd);
	pid = leave_later(fd, 0, -1);
	CHECK_ERRNO(send(fd[0], big, sizeof(big), 0), ECONNRESET);
	CHECK_EQ(nr_signals, 0);
	expect_end(fd[0]);
	EXPECT_CHILD(pid, 0);
}

TEST(unix_error, waiting_writer_says_what_it_moved)
{
	pid_t pid;
	int fd[2];
	ssize_t n;

	count_sigpipe();
	full_pair(fd);
	pid = leave_later(fd, 180000, -1);
	n = CHECK_OK(write(fd[0], big, sizeof(big)));
	CHECK(n > 0 && n < (ssize_t)sizeof(big));
	CHECK_EQ(nr_signals, 0);
	expect_end(fd[0]);
	EXPECT_CHILD(pid, 0);
}

/* The end was there before the writer came: that is looked at first, and the error waits for the reader. */
TEST(unix_error, writer_that_comes_later_finds_the_end)
{
	char c;
	int fd[2];

	count_sigpipe();
	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "x", 1), 1);
	close(fd[1]);
	CHECK_ERRNO(write(fd[0], "x", 1), EPIPE);
	CHECK_EQ(nr_signals, 1);
	CHECK_ERRNO(read(fd[0], &c, 1), ECONNRESET);
	CHECK_EQ(read(fd[0], &c, 1), 0);
}

/* A writer that waits is told by its errno alone. */
TEST(unix_error, waiting_writer_whose_reader_shuts_down)
{
	pid_t pid;
	int fd[2];

	count_sigpipe();
	full_pair(fd);
	pid = leave_later(fd, 0, SHUT_RD);
	CHECK_ERRNO(write(fd[0], big, sizeof(big)), EPIPE);
	CHECK_EQ(nr_signals, 0);
	EXPECT_CHILD(pid, 0);
}

TEST(unix_error, comes_before_messages)
{
	char c;
	int fd[2];

	pair(fd, SOCK_SEQPACKET);
	CHECK_EQ(send(fd[0], "x", 1, 0), 1);
	CHECK_EQ(send(fd[1], "y", 1, 0), 1);
	close(fd[1]);
	CHECK_ERRNO(recv(fd[0], &c, 1, 0), ECONNRESET);
	CHECK_EQ(recv(fd[0], &c, 1, 0), 1);
	CHECK_EQ(recv(fd[0], &c, 1, 0), 0);
}

TEST(unix_error, accept_without_waiting_after_shutdown)
{
	int l = listener("l");

	CHECK_OK(shutdown(l, SHUT_RD));
	CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
	CHECK_OK(fcntl(l, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(accept(l, NULL, NULL), EAGAIN);
}

TEST(unix_error, listener_connects_to_itself)
{
	CHECK_ERRNO(connect_to(listener("l"), "l"), EINVAL);
}

/* A name is made before it is seen that there is one already, and goes again. */
TEST(unix_error, second_name_is_tried_first)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "\0taken"};
	int fd = sock(SOCK_STREAM), other = sock(SOCK_STREAM);

	CHECK_OK(bind_to(fd, "one"));
	CHECK_OK(bind(other, (struct sockaddr *)&un, 8));
	put_file("file", "");
	CHECK_ERRNO(bind_to(fd, "one"), EADDRINUSE);
	CHECK_ERRNO(bind_to(fd, "file"), EADDRINUSE);
	CHECK_ERRNO(bind_to(fd, "absent/two"), ENOENT);
	CHECK_ERRNO(bind_to(fd, "file/two"), ENOTDIR);
	CHECK_ERRNO(bind_to(fd, "two"), EINVAL);
	CHECK(!exists("two"));
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&un, 8), EINVAL);
	CHECK_OK(listen(fd, 1));
	CHECK_OK(connect_to(sock(SOCK_STREAM), "one"));
}

/* Not by the C library, which tries without the flags. */
static int accept_by(int fd, int flags)
{
	return (int)syscall(SYS_accept4, fd, NULL, NULL, flags);
}

TEST(unix_error, accept_looks_at_the_socket_last)
{
	int dgram = sock(SOCK_DGRAM), file, free_fd;
	struct rlimit none;

	put_file("file", "");
	CHECK_OK(file = open("file", O_RDONLY));
	CHECK_ERRNO(accept_by(-1, 1), EBADF);
	CHECK_ERRNO(accept_by(file, 1), EINVAL);
	CHECK_ERRNO(accept_by(dgram, 1), EINVAL);
	CHECK_ERRNO(accept_by(file, 0), ENOTSOCK);
	CHECK_ERRNO(accept_by(dgram, 0), EOPNOTSUPP);
	CHECK_OK(free_fd = dup(file));
	CHECK_OK(close(free_fd));
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &none));
	none.rlim_cur = (rlim_t)free_fd;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
	CHECK_ERRNO(accept_by(file, 1), EINVAL);
	CHECK_ERRNO(accept_by(file, 0), EMFILE);
	CHECK_ERRNO(accept_by(dgram, 0), EMFILE);
}
