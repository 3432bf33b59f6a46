// SPDX-License-Identifier: MIT
/* socket(7), signal(7): what ends the waiting of readers and writers: SO_*TIMEO, SO_RCVLOWAT, SO_SNDBUF, signals. */
#include "unix.h"

#include <sys/time.h>

static char big[1000000];

static void set_timeout(int fd, int name, long seconds, long us)
{
	struct timeval tv = {seconds, us};

	CHECK_OK(setsockopt(fd, SOL_SOCKET, name, &tv, sizeof(tv)));
}

static void nothing(int sig)
{
	(void)sig;
}

static void handle_with_restart(int sig)
{
	struct sigaction sa = {.sa_handler = nothing, .sa_flags = SA_RESTART};

	CHECK_OK(sigaction(sig, &sa, NULL));
}

/* signal(7): calls on sockets with a timeout are not begun anew. */
TEST(unix_wait, timeout_makes_a_signal_end_a_read)
{
	char c;
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	set_timeout(fd[0], SO_RCVTIMEO, 10, 0);
	handle_with_restart(SIGALRM);
	pid = send_when_asleep(SIGALRM);
	CHECK_ERRNO(read(fd[0], &c, 1), EINTR);
	EXPECT_CHILD(pid, 0);
	pid = send_when_asleep(SIGALRM);
	CHECK_ERRNO(recv(fd[0], &c, 1, 0), EINTR);
	EXPECT_CHILD(pid, 0);
}

static void fill(int fd, size_t piece)
{
	CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	while (write(fd, big, piece) > 0) {
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK_OK(fcntl(fd, F_SETFL, 0));
}

TEST(unix_wait, timeout_makes_a_signal_end_a_write)
{
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	fill(fd[0], 4096);
	set_timeout(fd[0], SO_SNDTIMEO, 10, 0);
	handle_with_restart(SIGALRM);
	pid = send_when_asleep(SIGALRM);
	CHECK_ERRNO(write(fd[0], big, 100000), EINTR);
	EXPECT_CHILD(pid, 0);
}

TEST(unix_wait, without_timeout_a_read_is_begun_anew)
{
	char c;
	int fd[2];
	pid_t pid, reader = getpid();

	pair(fd, SOCK_STREAM);
	handle_with_restart(SIGALRM);
	CHECK_OK(pid = fork());
	if (!pid) {
		wait_until_sleeping(reader);
		CHECK_OK(kill(reader, SIGALRM));
		sleep_ms(100);
		CHECK_EQ(write(fd[1], "x", 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(fd[0], &c, 1), 1);
	EXPECT_CHILD(pid, 0);
}

/* The longest there is lies beyond the end of a clock of 64 bits. */
TEST(unix_wait, longest_timeout)
{
	char c;
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	set_timeout(fd[0], SO_RCVTIMEO, 18446744071, 0);
	while (now_ms() < 4000)
		sleep_ms(50);
	CHECK_OK(pid = fork());
	if (!pid) {
		wait_until_sleeping(getppid());
		CHECK_EQ(write(fd[1], "x", 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(fd[0], &c, 1), 1);
	EXPECT_CHILD(pid, 0);
}

/* The reader takes a second for what fits, and much longer for all. */
TEST(unix_wait, send_timeout_begins_anew_with_each_piece)
{
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	set_timeout(fd[0], SO_SNDTIMEO, 3, 0);
	CHECK_OK(pid = fork());
	if (!pid) {
		close(fd[0]);
		do {
			sleep_ms(250);
		} while (CHECK_OK(recv(fd[1], big, 65536, 0)) > 0);
		_exit(0);
	}
	close(fd[1]);
	CHECK_EQ(send(fd[0], big, sizeof(big), 0), sizeof(big));
	close(fd[0]);
	EXPECT_CHILD(pid, 0);
}

/* Less room than a writer is woken for is found at the end of the first time; what follows has its own. */
static void send_twice_as_long(ssize_t (*send_all)(int))
{
	int64_t begin;
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	fill(fd[0], 4096);
	set_timeout(fd[0], SO_SNDTIMEO, 0, 300000);
	CHECK_OK(pid = fork());
	if (!pid) {
		sleep_ms(50);
		for (unsigned i = 0; i < 4; i++)
			CHECK_EQ(read(fd[1], big, 4096), 4096);
		sleep_ms(2000);
		_exit(0);
	}
	begin = now_ms();
	CHECK(send_all(fd[0]) > 0);
	CHECK(now_ms() - begin >= 590);
	CHECK_OK(kill(pid, SIGKILL));
}

static ssize_t send_much(int fd)
{
	return send(fd, big, sizeof(big), 0);
}

static ssize_t write_much(int fd)
{
	return write(fd, big, sizeof(big));
}

TEST(unix_wait, send_timeout_that_ran_out_begins_anew)
{
	send_twice_as_long(send_much);
}

TEST(unix_wait, write_timeout_that_ran_out_begins_anew)
{
	send_twice_as_long(write_much);
}

TEST(unix_wait, larger_buffer_lets_a_writer_go_on)
{
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	set_option(fd[0], SO_SNDBUF, 4096);
	fill(fd[0], 512);
	CHECK_OK(pid = fork());
	if (!pid) {
		CHECK_EQ(write(fd[0], "x", 1), 1);
		_exit(0);
	}
	wait_until_sleeping(pid);
	set_option(fd[0], SO_SNDBUF, 200000);
	EXPECT_CHILD(pid, 0);
}

/* Two bytes now, two in 100 ms. */
static pid_t write_by_twos(int fd)
{
	pid_t pid = CHECK_OK(fork());

	if (!pid) {
		CHECK_EQ(write(fd, "ab", 2), 2);
		sleep_ms(100);
		CHECK_EQ(write(fd, "cd", 2), 2);
		sleep_ms(300);
		_exit(0);
	}
	return pid;
}

/* read(2) as recv(2). */
TEST(unix_wait, low_water_mark_of_read)
{
	char buf[8];
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	set_option(fd[0], SO_RCVLOWAT, 4);
	pid = write_by_twos(fd[1]);
	CHECK_EQ(read(fd[0], buf, 8), 4);
	CHECK_MEM(buf, "abcd", 4);
	EXPECT_CHILD(pid, 0);
	pid = write_by_twos(fd[1]);
	CHECK_EQ(readv(fd[0], (struct iovec[2]){{buf, 3}, {buf + 3, 4}}, 2), 4);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	CHECK_EQ(read(fd[0], buf, 2), 2); /* no more was asked for */
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	CHECK_OK(fcntl(fd[0], F_SETFL, O_NONBLOCK));
	CHECK_EQ(read(fd[0], buf, 8), 2);
	CHECK_ERRNO(read(fd[0], buf, 8), EAGAIN);
	CHECK_OK(fcntl(fd[0], F_SETFL, 0));
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	set_timeout(fd[0], SO_RCVTIMEO, 0, 50000);
	CHECK_EQ(read(fd[0], buf, 8), 2);
	set_timeout(fd[0], SO_RCVTIMEO, 0, 0);
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	handle_with_restart(SIGALRM);
	pid = send_when_asleep(SIGALRM);
	CHECK_EQ(read(fd[0], buf, 8), 2);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	send_fd(fd[1], fd[1]); /* which ends what is read together */
	CHECK_EQ(write(fd[1], "cd", 2), 2);
	CHECK_EQ(read(fd[0], buf, 8), 3);
	CHECK_EQ(recv(fd[0], buf, 8, MSG_DONTWAIT), 2);
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	close(fd[1]);
	CHECK_EQ(read(fd[0], buf, 8), 2);
	CHECK_EQ(read(fd[0], buf, 8), 0);
}

TEST(unix_wait, low_water_mark)
{
	char buf[8];
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	set_option(fd[0], SO_RCVLOWAT, 4);
	pid = write_by_twos(fd[1]);
	CHECK_EQ(recv(fd[0], buf, 8, 0), 4);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	CHECK_EQ(recv(fd[0], buf, 2, 0), 2); /* no more was asked for */
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	CHECK_EQ(recv(fd[0], buf, 8, MSG_PEEK), 2);
	CHECK_EQ(recv(fd[0], buf, 8, MSG_DONTWAIT), 2);
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	set_timeout(fd[0], SO_RCVTIMEO, 0, 50000);
	CHECK_EQ(recv(fd[0], buf, 8, 0), 2);
	set_timeout(fd[0], SO_RCVTIMEO, 0, 0);
	CHECK_EQ(write(fd[1], "ab", 2), 2);
	close(fd[1]);
	CHECK_EQ(recv(fd[0], buf, 8, 0), 2);
}
