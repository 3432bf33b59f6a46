// SPDX-License-Identifier: MIT
/* pipe(2), pipe2(2), pipe(7): ends, atomicity, capacity, SIGPIPE. FIFOs are in fifo.c. */
#include "guest.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

TEST(pipe, bytes_come_in_order)
{
	char buf[16];
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_EQ(write(fd[1], "hello ", 6), 6);
	CHECK_EQ(write(fd[1], "world", 5), 5);
	CHECK_EQ(read(fd[0], buf, sizeof(buf)), 11);
	CHECK_MEM(buf, "hello world", 11);
}

TEST(pipe, descriptors_are_the_lowest)
{
	int fd[2];

	close(0);
	CHECK_OK(pipe(fd));
	CHECK_EQ(fd[0], 0);
	CHECK_EQ(fd[1], 3);
}

TEST(pipe, read_without_writer_is_end)
{
	char c;
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_OK(close(fd[1]));
	CHECK_EQ(read(fd[0], &c, 1), 1);
	CHECK_EQ(read(fd[0], &c, 1), 0);
	CHECK_EQ(read(fd[0], &c, 1), 0);
}

TEST(pipe, wrong_end_is_ebadf)
{
	char c = 0;
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_ERRNO(read(fd[1], &c, 1), EBADF);
	CHECK_ERRNO(write(fd[0], &c, 1), EBADF);
}

TEST(pipe, write_without_reader_is_epipe_and_sigpipe)
{
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(close(fd[0]));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		(void)!write(fd[1], "x", 1);
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(fd[1], "x", 1), EPIPE);
	CHECK_EQ(write(fd[1], "x", 0), 0);
}

TEST(pipe, nonblocking_answers_eagain)
{
	char c;
	int fd[2];

	CHECK_OK(pipe2(fd, O_NONBLOCK));
	CHECK_ERRNO(read(fd[0], &c, 1), EAGAIN);
	CHECK_EQ(read(fd[0], &c, 0), 0);
	CHECK_EQ(fcntl(fd[0], F_GETFL), O_RDONLY | O_NONBLOCK);
	CHECK_EQ(fcntl(fd[1], F_GETFL), O_WRONLY | O_NONBLOCK);
}

TEST(pipe, cloexec)
{
	int fd[2];

	CHECK_OK(pipe2(fd, O_CLOEXEC));
	CHECK_EQ(fcntl(fd[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd[1], F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(pipe2(fd, 1), EINVAL);
	CHECK_ERRNO(pipe2(fd, O_APPEND), EINVAL);
}

TEST(pipe, bad_pointer_leaves_no_descriptors)
{
	int before = dup(0), after;

	close(before);
	CHECK_ERRNO(syscall(SYS_pipe2, (void *)8, 0), EFAULT);
	after = CHECK_OK(dup(0));
	CHECK_EQ(after, before);
}

TEST(pipe, capacity_is_sixteen_pages)
{
	static char page[4096];
	int fd[2], pages = 0;

	CHECK_OK(pipe2(fd, O_NONBLOCK));
	CHECK_EQ(fcntl(fd[0], F_GETPIPE_SZ), 65536);
	while (write(fd[1], page, sizeof(page)) == sizeof(page))
		pages++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(pages, 16);
}

TEST(pipe, capacity_can_change)
{
	static char page[4096];
	int fd[2];

	CHECK_OK(pipe2(fd, O_NONBLOCK));
	CHECK_EQ(fcntl(fd[1], F_SETPIPE_SZ, 1), 4096);
	CHECK_EQ(fcntl(fd[1], F_SETPIPE_SZ, 5000), 8192);
	CHECK_EQ(write(fd[1], page, 4096), 4096);
	CHECK_EQ(write(fd[1], page, 4096), 4096);
	CHECK_ERRNO(fcntl(fd[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK_EQ(fcntl(fd[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	CHECK_EQ(write(fd[1], page, 4096), 4096);
	CHECK_EQ(fcntl(fd[0], F_GETPIPE_SZ), 1 << 20);
}

TEST(pipe, small_writes_are_whole_or_not)
{
	static char page[4096];
	int fd[2], n = 0;

	CHECK_OK(pipe2(fd, O_NONBLOCK));
	for (int i = 0; i < 15; i++)
		CHECK_EQ(write(fd[1], page, 4096), 4096);
	CHECK_EQ(write(fd[1], page, 4000), 4000);
	CHECK_ERRNO(write(fd[1], page, 200), EAGAIN); /* up to PIPE_BUF: all or nothing */
	CHECK_EQ(write(fd[1], page, 96), 96);
	CHECK_OK(ioctl(fd[0], FIONREAD, &n));
	CHECK_EQ(n, 65536);
}

TEST(pipe, big_write_without_waiting_is_short)
{
	static char big[100000];
	int fd[2];

	CHECK_OK(pipe2(fd, O_NONBLOCK));
	CHECK_EQ(write(fd[1], big, sizeof(big)), 65536);
	CHECK_ERRNO(write(fd[1], big, sizeof(big)), EAGAIN);
}

TEST(pipe, blocking_big_write_is_complete)
{
	static char big[300000];
	size_t got = 0;
	ssize_t n;
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = i * 7;
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(fd[0]);
		CHECK_EQ(write(fd[1], big, sizeof(big)), sizeof(big));
		_exit(0);
	}
	close(fd[1]);
	while ((n = read(fd[0], big, 777)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			CHECK_EQ(big[i], (char)((got + i) * 7));
		got += n;
	}
	CHECK_EQ(got, sizeof(big));
	EXPECT_CHILD(pid, 0);
}

TEST(pipe, blocked_read_is_woken_by_write)
{
	char c;
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(read(fd[0], &c, 1), 1);
		_exit(c);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(write(fd[1], "\x2a", 1), 1);
	EXPECT_CHILD(pid, 42);
}

TEST(pipe, blocked_read_is_woken_by_last_close)
{
	char c;
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(fd[1]);
		CHECK_EQ(read(fd[0], &c, 1), 0);
		_exit(0);
	}
	wait_until_sleeping(pid);
	close(fd[1]);
	EXPECT_CHILD(pid, 0);
}

TEST(pipe, blocked_write_ends_when_the_reader_goes)
{
	static char big[200000];
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		close(fd[0]);
		CHECK_EQ(write(fd[1], big, sizeof(big)), 65536); /* what went in counts */
		CHECK_ERRNO(write(fd[1], big, 1), EPIPE);
		_exit(0);
	}
	wait_until_sleeping(pid);
	close(fd[0]);
	EXPECT_CHILD(pid, 0);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(pipe, signal_interrupts_a_blocked_read)
{
	struct sigaction act = {.sa_handler = nothing};
	char c;
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_ERRNO(read(fd[0], &c, 1), EINTR);
		_exit(0);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGUSR1);
	EXPECT_CHILD(pid, 0);
}

TEST(pipe, sa_restart_restarts_a_blocked_read)
{
	struct sigaction act = {.sa_handler = nothing, .sa_flags = SA_RESTART};
	char c;
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(read(fd[0], &c, 1), 1);
		_exit(0);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGUSR1);
	sleep_ms(20);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	EXPECT_CHILD(pid, 0);
}

TEST(pipe, partial_write_wins_over_a_signal)
{
	struct sigaction act = {.sa_handler = nothing};
	static char big[200000];
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(write(fd[1], big, sizeof(big)), 65536);
		_exit(0);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGUSR1);
	EXPECT_CHILD(pid, 0);
}

TEST(pipe, bad_buffer_is_efault)
{
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_ERRNO(write(fd[1], (void *)8, 1), EFAULT);
	CHECK_EQ(write(fd[1], "abc", 3), 3);
	CHECK_ERRNO(read(fd[0], (void *)8, 3), EFAULT);
	CHECK_ERRNO(read(fd[0], (void *)-4096L, 3), EFAULT);
}

TEST(pipe, lseek_pread_mmap_fail)
{
	char c;
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_ERRNO(lseek(fd[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERRNO(pread(fd[0], &c, 1, 0), ESPIPE);
	CHECK_ERRNO(pwrite(fd[1], &c, 1, 0), ESPIPE);
	CHECK_ERRNO(ftruncate(fd[1], 0), EINVAL);
	CHECK_ERRNO(fsync(fd[1]), EINVAL);
}

TEST(pipe, fstat_says_fifo)
{
	struct stat st;
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_OK(fstat(fd[0], &st));
	CHECK_EQ(st.st_mode, S_IFIFO | 0600);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(st.st_blksize, 4096);
	CHECK_EQ(st.st_uid, geteuid());
}

TEST(pipe, poll_states)
{
	static char big[65536];
	struct pollfd p[2];
	int fd[2];

	CHECK_OK(pipe(fd));
	p[0] = (struct pollfd){fd[0], POLLIN, 0};
	p[1] = (struct pollfd){fd[1], POLLOUT, 0};
	CHECK_EQ(poll(p, 2, 0), 1);
	CHECK_EQ(p[0].revents, 0);
	CHECK_EQ(p[1].revents, POLLOUT);
	CHECK_EQ(write(fd[1], big, sizeof(big)), sizeof(big));
	CHECK_EQ(poll(p, 2, 0), 1);
	CHECK_EQ(p[0].revents, POLLIN);
	CHECK_EQ(p[1].revents, 0);
	close(fd[1]);
	CHECK_EQ(poll(p, 1, 0), 1);
	CHECK_EQ(p[0].revents, POLLIN | POLLHUP);
	CHECK_EQ(read(fd[0], big, sizeof(big)), sizeof(big));
	CHECK_EQ(poll(p, 1, 0), 1);
	CHECK_EQ(p[0].revents, POLLHUP);
}

TEST(pipe, poll_writer_without_reader_is_pollerr)
{
	struct pollfd p;
	int fd[2];

	CHECK_OK(pipe(fd));
	close(fd[0]);
	p = (struct pollfd){fd[1], POLLOUT, 0};
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT | POLLERR);
}

TEST(pipe, vectors)
{
	char a[3], b[4];
	struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[2] = {{a, 3}, {b, 4}};
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_EQ(writev(fd[1], out, 3), 7);
	CHECK_EQ(readv(fd[0], in, 2), 7);
	CHECK_MEM(a, "abc", 3);
	CHECK_MEM(b, "defg", 4);
	CHECK_ERRNO(writev(fd[1], out, -1), EINVAL);
	CHECK_ERRNO(writev(fd[1], out, 1025), EINVAL);
	CHECK_EQ(writev(fd[1], out, 0), 0);
}

TEST(pipe, packet_mode_keeps_boundaries)
{
	char buf[16];
	int fd[2];

	CHECK_OK(pipe2(fd, O_DIRECT));
	CHECK_EQ(write(fd[1], "abc", 3), 3);
	CHECK_EQ(write(fd[1], "defgh", 5), 5);
	CHECK_EQ(read(fd[0], buf, 2), 2); /* the rest of the packet is lost */
	CHECK_EQ(read(fd[0], buf, sizeof(buf)), 5);
	CHECK_MEM(buf, "defgh", 5);
}

/* What a shell's <(command) does: the other end may be gone before the open. man 5 proc, /proc/PID/fd. */
TEST(pipe, opened_by_proc_is_the_same_pipe_and_does_not_wait)
{
	char path[40], data[8];
	int fd[2], again, writer;

	CHECK_OK(pipe(fd));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[1]);
	writer = CHECK_OK(open(path, O_WRONLY));
	CHECK_EQ(write(fd[1], "one", 3), 3);
	CHECK_EQ(write(writer, "two", 3), 3);
	close(fd[1]);
	close(writer);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
	again = CHECK_OK(open(path, O_RDONLY));
	CHECK_EQ(read(again, data, 4), 4);
	CHECK(!memcmp(data, "onet", 4));
	CHECK_EQ(read(fd[0], data, 4), 2);
	CHECK_EQ(read(again, data, 4), 0);
	writer = CHECK_OK(open(path, O_WRONLY | O_NONBLOCK));
	CHECK_EQ(write(writer, "x", 1), 1);
	CHECK_EQ(read(again, data, 4), 1);
	close(again);
	close(fd[0]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", writer);
	CHECK_OK(open(path, O_WRONLY | O_NONBLOCK));
}
