// SPDX-License-Identifier: MIT
/* splice(2), tee(2), vmsplice(2), sendfile(2), copy_file_range(2). */
#include "guest.h"

#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char buf[200000];

/* A file of n bytes that tell their place, open for reading and writing at its beginning. */
static int make_file(const char *name, int n)
{
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));

	for (int i = 0; i < n; i++)
		buf[i] = (char)(i * 7 + i / 251);
	CHECK_EQ(write(fd, buf, n), n);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void check_bytes(const char *p, int from, int n)
{
	for (int i = 0; i < n; i++)
		CHECK_EQ(p[i], (char)((from + i) * 7 + (from + i) / 251));
}

static int queued(int fd)
{
	int n;

	CHECK_OK(ioctl(fd, FIONREAD, &n));
	return n;
}

TEST(splice, errors)
{
	int a[2], b[2], f = make_file("f", 100), g = make_file("g", 0);
	loff_t off = 0, bad = -1;

	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	CHECK_ERRNO(splice(-1, NULL, a[1], NULL, 1, 0), EBADF);
	CHECK_ERRNO(splice(f, NULL, -1, NULL, 1, 0), EBADF);
	CHECK_EQ(splice(-1, NULL, -1, NULL, 0, 0), 0);
	CHECK_ERRNO(splice(f, NULL, a[1], NULL, 1, 16), EINVAL);
	CHECK_ERRNO(splice(f, NULL, g, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(f, NULL, a[0], NULL, 1, 0), EBADF);
	CHECK_ERRNO(splice(a[1], NULL, f, NULL, 1, 0), EBADF);
	CHECK_ERRNO(splice(a[0], NULL, a[1], NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(a[0], &off, b[1], NULL, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(f, NULL, a[1], &off, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(f, &bad, a[1], NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(a[0], NULL, b[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_OK(fcntl(g, F_SETFL, O_APPEND));
	CHECK_EQ(write(a[1], "x", 1), 1);
	CHECK_ERRNO(splice(a[0], NULL, g, NULL, 1, 0), EINVAL);
	close(a[1]);
	CHECK_EQ(read(a[0], buf, 1), 1);
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 1, 0), 0);
	signal(SIGPIPE, SIG_IGN);
	close(b[0]);
	CHECK_ERRNO(splice(f, NULL, b[1], NULL, 1, 0), EPIPE);
}

TEST(splice, file_to_pipe_moves_the_position_or_the_offset)
{
	int p[2], f = make_file("f", 10000);
	loff_t off = 5000;

	CHECK_OK(pipe(p));
	CHECK_EQ(splice(f, NULL, p[1], NULL, 100, 0), 100);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 100);
	CHECK_EQ(splice(f, &off, p[1], NULL, 4000, 0), 4000);
	CHECK_EQ(off, 9000);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 100);
	CHECK_EQ(splice(f, &off, p[1], NULL, 4000, 0), 1000);
	CHECK_EQ(splice(f, &off, p[1], NULL, 4000, 0), 0);
	CHECK_EQ(queued(p[0]), 5100);
	CHECK_EQ(read(p[0], buf, sizeof(buf)), 5100);
	check_bytes(buf, 0, 100);
	check_bytes(buf + 100, 5000, 5000);
}

TEST(splice, file_to_full_pipe_goes_as_far_as_there_is_room)
{
	int p[2], f = make_file("f", 150000);

	CHECK_OK(pipe(p));
	CHECK_EQ(splice(f, NULL, p[1], NULL, 150000, 0), 65536);
	CHECK_ERRNO(splice(f, NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_EQ(read(p[0], buf, 65536), 65536);
	check_bytes(buf, 0, 65536);
	CHECK_EQ(splice(f, NULL, p[1], NULL, 150000, 0), 65536);
	CHECK_EQ(read(p[0], buf, 65536), 65536);
	check_bytes(buf, 65536, 65536);
}

TEST(splice, pipe_to_file)
{
	int p[2], f = make_file("f", 0);
	loff_t off = 4090;

	CHECK_OK(pipe(p));
	CHECK_EQ(write(p[1], "abcdefghij", 10), 10);
	CHECK_EQ(splice(p[0], NULL, f, NULL, 4, 0), 4);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 4);
	CHECK_EQ(splice(p[0], NULL, f, &off, 100, 0), 6);
	CHECK_EQ(off, 4096);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 4);
	CHECK_EQ(pread(f, buf, 4, 0), 4);
	CHECK_MEM(buf, "abcd", 4);
	CHECK_EQ(pread(f, buf, 100, 4090), 6);
	CHECK_MEM(buf, "efghij", 6);
	CHECK_EQ(queued(p[0]), 0);
}

TEST(splice, pipe_to_pipe_and_tee)
{
	int a[2], b[2];

	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	CHECK_EQ(write(a[1], "abcdefghij", 10), 10);
	CHECK_EQ(tee(a[0], b[1], 4, 0), 4);
	CHECK_EQ(queued(a[0]), 10);
	CHECK_EQ(write(a[1], "k", 1), 1);
	CHECK_EQ(write(b[1], "-", 1), 1);
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 100, 0), 11);
	CHECK_EQ(read(b[0], buf, 100), 16);
	CHECK_MEM(buf, "abcd-abcdefghijk", 16);
	CHECK_EQ(write(a[1], "new", 3), 3);
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 2, 0), 2);
	CHECK_EQ(read(a[0], buf, 100), 1);
	CHECK_EQ(buf[0], 'w');
	CHECK_EQ(read(b[0], buf, 100), 2);
	CHECK_MEM(buf, "ne", 2);
	CHECK_ERRNO(tee(a[0], b[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(tee(a[0], a[1], 1, 0), EINVAL);
	CHECK_EQ(tee(a[0], b[1], 0, 0), 0);
	close(a[1]);
	CHECK_EQ(tee(a[0], b[1], 1, 0), 0);
}

TEST(splice, waits_for_bytes_and_for_room)
{
	int a[2], b[2];
	pid_t pid;

	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		long n = 0, got;

		while ((got = splice(a[0], NULL, b[1], NULL, 100000, 0)) > 0) {
			n += got;
			if (n == 200000)
				_exit(0);
		}
		_exit(1);
	}
	CHECK_OK(fcntl(b[0], F_SETFL, 0));
	usleep(20000);
	if (fork() == 0) {
		for (int i = 0; i < 200000; i++)
			buf[i] = (char)(i * 7 + i / 251);
		_exit(write(a[1], buf, 200000) != 200000);
	}
	usleep(20000);
	for (int n = 0; n < 200000;) {
		int got = CHECK_OK(read(b[0], buf, 5000));

		check_bytes(buf, n, got);
		n += got;
	}
	EXPECT_CHILD(pid, 0);
}

TEST(splice, to_and_from_a_socket)
{
	int p[2], s[2];

	CHECK_OK(pipe(p));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_EQ(write(p[1], "hello", 5), 5);
	CHECK_EQ(splice(p[0], NULL, s[0], NULL, 5, 0), 5);
	CHECK_EQ(splice(s[1], NULL, p[1], NULL, 100, 0), 5);
	CHECK_EQ(read(p[0], buf, 100), 5);
	CHECK_MEM(buf, "hello", 5);
	CHECK_OK(fcntl(s[1], F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(splice(s[1], NULL, p[1], NULL, 100, 0), EAGAIN);
	close(s[0]);
	CHECK_EQ(splice(s[1], NULL, p[1], NULL, 100, 0), 0);
}

TEST(splice, vmsplice_both_ways)
{
	struct iovec iov[2] = {{"abc", 3}, {"defg", 4}};
	char out[3], out2[10];
	struct iovec in[2] = {{out, 3}, {out2, 10}};
	int p[2];

	CHECK_OK(pipe(p));
	CHECK_EQ(vmsplice(p[1], iov, 2, 0), 7);
	CHECK_EQ(vmsplice(p[0], in, 2, 0), 7);
	CHECK_MEM(out, "abc", 3);
	CHECK_MEM(out2, "defg", 4);
	CHECK_ERRNO(vmsplice(p[0], in, 2, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(vmsplice(make_file("f", 1), iov, 2, 0), EBADF);
	CHECK_ERRNO(vmsplice(p[1], iov, 2, 16), EINVAL);
}

static void nothing(int sig)
{
	(void)sig;
}

/* vmsplice waits unless it is told not to, however the pipe is open. */
TEST(splice, vmsplice_looks_at_its_own_flag)
{
	struct sigaction act = {.sa_handler = nothing};
	struct iovec v = {buf, 1};
	int fd[2];
	pid_t pid;

	CHECK_OK(sigaction(SIGALRM, &act, NULL));
	CHECK_OK(pipe2(fd, O_NONBLOCK));
	CHECK_ERRNO(vmsplice(fd[0], &v, 1, SPLICE_F_NONBLOCK), EAGAIN);
	pid = send_when_asleep(SIGALRM);
	CHECK_ERRNO(vmsplice(fd[0], &v, 1, 0), EINTR);
	EXPECT_CHILD(pid, 0);
	while (write(fd[1], buf, 4096) == 4096) {
	}
	CHECK_ERRNO(vmsplice(fd[1], &v, 1, SPLICE_F_NONBLOCK), EAGAIN);
	pid = send_when_asleep(SIGALRM);
	CHECK_ERRNO(vmsplice(fd[1], &v, 1, 0), EINTR);
	EXPECT_CHILD(pid, 0);
}

/* It waits for some room, not for all. */
TEST(splice, vmsplice_takes_what_fits)
{
	enum { PAGES = 4 };
	static _Alignas(4096) char from[2 * PAGES * 4096];
	struct iovec v = {from, sizeof(from)};
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_EQ(fcntl(fd[1], F_SETPIPE_SZ, PAGES * 4096), PAGES * 4096);
	CHECK_EQ(vmsplice(fd[1], &v, 1, 0), PAGES * 4096);
	CHECK_ERRNO(vmsplice(fd[1], &v, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_OK(pid = fork());
	if (!pid) {
		CHECK_EQ(vmsplice(fd[1], &v, 1, 0), 4096);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(read(fd[0], buf, 4096), 4096);
	EXPECT_CHILD(pid, 0);
}

TEST(splice, sendfile_to_file_pipe_and_socket)
{
	int p[2], s[2], f = make_file("f", 10000),
			g = CHECK_OK(open("g", O_RDWR | O_CREAT, 0600));
	off_t off = 100;

	CHECK_EQ(sendfile(g, f, NULL, 6000), 6000);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 6000);
	CHECK_EQ(lseek(g, 0, SEEK_CUR), 6000);
	CHECK_EQ(sendfile(g, f, NULL, 6000), 4000);
	CHECK_EQ(sendfile(g, f, NULL, 6000), 0);
	CHECK_EQ(pread(g, buf, 20000, 0), 10000);
	check_bytes(buf, 0, 10000);
	CHECK_OK(pipe(p));
	CHECK_EQ(sendfile(p[1], f, &off, 200), 200);
	CHECK_EQ(off, 300);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 10000);
	CHECK_EQ(read(p[0], buf, 300), 200);
	check_bytes(buf, 100, 200);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_EQ(sendfile(s[0], f, &off, 20000), 9700);
	CHECK_EQ(recv(s[1], buf, 20000, MSG_WAITALL | MSG_DONTWAIT), 9700);
	check_bytes(buf, 300, 9700);
	CHECK_ERRNO(sendfile(g, p[0], NULL, 1), EINVAL);
	CHECK_ERRNO(sendfile(g, s[0], NULL, 1), EINVAL);
	CHECK_ERRNO(sendfile(p[0], f, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(-1, f, NULL, 1), EBADF);
	CHECK_OK(fcntl(g, F_SETFL, O_APPEND));
	CHECK_ERRNO(sendfile(g, f, NULL, 1), EINVAL);
	off = -1;
	CHECK_ERRNO(sendfile(p[1], f, &off, 1), EINVAL);
}

TEST(splice, copy_file_range)
{
	int f = make_file("f", 10000), g = CHECK_OK(open("g", O_RDWR | O_CREAT, 0600)), p[2];
	int r = CHECK_OK(open("f", O_RDONLY));
	loff_t in = 1000, out = 50;

	CHECK_EQ(syscall(SYS_copy_file_range, f, &in, g, &out, 2000, 0), 2000);
	CHECK_EQ(in, 3000);
	CHECK_EQ(out, 2050);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 0);
	CHECK_EQ(lseek(g, 0, SEEK_END), 2050);
	CHECK_EQ(pread(g, buf, 3000, 50), 2000);
	check_bytes(buf, 1000, 2000);
	CHECK_EQ(syscall(SYS_copy_file_range, f, NULL, g, NULL, 20000, 0), 10000);
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 10000);
	CHECK_EQ(lseek(g, 0, SEEK_CUR), 12050);
	CHECK_EQ(syscall(SYS_copy_file_range, f, NULL, g, NULL, 20000, 0), 0);
	CHECK_ERRNO(syscall(SYS_copy_file_range, f, NULL, g, NULL, 1, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_copy_file_range, g, NULL, r, NULL, 1, 0), EBADF);
	in = 0, out = 10;
	CHECK_ERRNO(syscall(SYS_copy_file_range, f, &in, f, &out, 100, 0), EINVAL);
	CHECK_OK(pipe(p));
	CHECK_ERRNO(syscall(SYS_copy_file_range, f, NULL, p[1], NULL, 1, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_copy_file_range, CHECK_OK(open(".", O_RDONLY)), NULL, g, NULL,
			    1, 0),
		EISDIR);
	CHECK_OK(fcntl(g, F_SETFL, O_APPEND));
	CHECK_ERRNO(syscall(SYS_copy_file_range, f, NULL, g, NULL, 1, 0), EBADF);
}
