// SPDX-License-Identifier: MIT
/* fifo(7): opening waits for the other side. And splice(2), tee(2), vmsplice(2) on pipes. */
#include "guest.h"

#include <poll.h>
#include <sys/uio.h>

TEST(fifo, open_waits_for_the_other_end)
{
	char buf[8];
	int fd;
	pid_t pid;

	CHECK_OK(mkfifo("p", 0600));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		wait_until_sleeping(getppid());
		fd = CHECK_OK(open("p", O_WRONLY));
		CHECK_EQ(write(fd, "hi", 2), 2);
		_exit(0);
	}
	fd = CHECK_OK(open("p", O_RDONLY));
	CHECK_EQ(read(fd, buf, 8), 2);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(read(fd, buf, 8), 0);
}

TEST(fifo, nonblocking_open)
{
	char c;
	int r;

	CHECK_OK(mkfifo("p", 0600));
	CHECK_ERRNO(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	r = CHECK_OK(open("p", O_RDONLY | O_NONBLOCK));
	CHECK_EQ(read(r, &c, 1), 0); /* no writer: the end */
	CHECK_OK(open("p", O_WRONLY | O_NONBLOCK));
	CHECK_ERRNO(read(r, &c, 1), EAGAIN);
}

TEST(fifo, read_write_open_never_waits)
{
	char c;
	int fd;

	CHECK_OK(mkfifo("p", 0600));
	fd = CHECK_OK(open("p", O_RDWR));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(read(fd, &c, 1), 1);
}

TEST(fifo, waiting_open_can_be_interrupted)
{
	pid_t pid;

	CHECK_OK(mkfifo("p", 0600));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		open("p", O_RDONLY);
		_exit(0);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGTERM);
	EXPECT_KILLED(pid, SIGTERM);
}

TEST(fifo, contents_go_with_the_last_descriptor)
{
	char c;
	int fd;

	CHECK_OK(mkfifo("p", 0600));
	fd = CHECK_OK(open("p", O_RDWR));
	CHECK_EQ(write(fd, "x", 1), 1);
	close(fd);
	fd = CHECK_OK(open("p", O_RDWR | O_NONBLOCK));
	CHECK_ERRNO(read(fd, &c, 1), EAGAIN);
}

TEST(fifo, poll_of_a_reader_without_writers)
{
	struct pollfd p;
	int w;

	CHECK_OK(mkfifo("p", 0600));
	p = (struct pollfd){CHECK_OK(open("p", O_RDONLY | O_NONBLOCK)), POLLIN, 0};
	CHECK_EQ(poll(&p, 1, 0), 0); /* there was never one: no hangup */
	w = CHECK_OK(open("p", O_WRONLY));
	close(w);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLHUP);
}

TEST(splice, file_to_pipe_to_file)
{
	char buf[16];
	int in, out, p[2];
	loff_t at = 2;

	put_file("in", "0123456789");
	in = CHECK_OK(open("in", O_RDONLY));
	out = CHECK_OK(open("out", O_RDWR | O_CREAT, 0600));
	CHECK_OK(pipe(p));
	CHECK_EQ(splice(in, &at, p[1], NULL, 5, 0), 5);
	CHECK_EQ(at, 7);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
	CHECK_EQ(splice(p[0], NULL, out, NULL, 100, 0), 5);
	CHECK_EQ(get_file("out", buf, 16), 5);
	CHECK_STREQ(buf, "23456");
	CHECK_EQ(splice(in, NULL, p[1], NULL, 100, 0), 10);
	CHECK_EQ(splice(in, NULL, p[1], NULL, 100, 0), 0);
}

TEST(splice, pipe_to_pipe)
{
	char buf[8];
	int a[2], b[2];

	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	CHECK_EQ(write(a[1], "abcdef", 6), 6);
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 4, 0), 4);
	CHECK_EQ(read(b[0], buf, 8), 4);
	CHECK_MEM(buf, "abcd", 4);
	CHECK_EQ(read(a[0], buf, 8), 2);
}

TEST(splice, errors)
{
	int in, p[2], q[2];
	loff_t at = 0;

	put_file("in", "x");
	in = CHECK_OK(open("in", O_RDWR));
	CHECK_OK(pipe2(p, O_NONBLOCK));
	CHECK_OK(pipe(q));
	CHECK_ERRNO(splice(in, NULL, in, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(p[0], &at, q[1], NULL, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(p[0], NULL, p[1], NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(splice(p[1], NULL, q[1], NULL, 1, 0), EBADF);
	CHECK_ERRNO(splice(99, NULL, q[1], NULL, 1, 0), EBADF);
	CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 1, 0x100), EINVAL);
	CHECK_EQ(splice(p[0], NULL, q[1], NULL, 0, 0), 0);
}

TEST(splice, tee_leaves_the_source)
{
	char buf[8];
	int a[2], b[2], in;

	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	CHECK_EQ(write(a[1], "abc", 3), 3);
	CHECK_EQ(tee(a[0], b[1], 10, 0), 3);
	CHECK_EQ(read(a[0], buf, 8), 3);
	CHECK_EQ(read(b[0], buf, 8), 3);
	CHECK_MEM(buf, "abc", 3);
	put_file("f", "");
	in = CHECK_OK(open("f", O_RDWR));
	CHECK_ERRNO(tee(in, b[1], 1, 0), EINVAL);
	CHECK_ERRNO(tee(a[0], b[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
}

TEST(splice, vmsplice)
{
	char buf[8] = "";
	struct iovec out = {"hello", 5}, in = {buf, 8};
	int p[2];

	CHECK_OK(pipe(p));
	CHECK_EQ(vmsplice(p[1], &out, 1, 0), 5);
	CHECK_EQ(vmsplice(p[0], &in, 1, 0), 5);
	CHECK_STREQ(buf, "hello");
}

TEST(splice, waits_for_data)
{
	char buf[4];
	int a[2], b[2];
	pid_t pid;

	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(splice(a[0], NULL, b[1], NULL, 10, 0), 2);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(write(a[1], "xy", 2), 2);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(read(b[0], buf, 4), 2);
}
