// SPDX-License-Identifier: MIT
/*
 * Accepting and connecting by the ring; cancelling what waits at sockets; programs that end meanwhile.
 */
#include "ring_net.h"

/* ---- Accepting and connecting ---- */

TEST(ring_accept, accept_waits_and_tells_the_address)
{
	struct sockaddr_un addr, who = {0};
	socklen_t len = sizeof(who);
	struct io_uring_sqe *sqe;
	struct ring r;
	int l, c;

	ring_open(&r, 8, 0);
	l = listener(&addr, "l", 4);
	sqe = prep(&r, IORING_OP_ACCEPT, 1, l, &who, 0);
	sqe->addr2 = (uintptr_t)&len;
	sqe->accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 0u);
	c = connected(&addr);
	struct ring_result got = ring_take(&r);

	CHECK(got.res > c);
	CHECK_EQ(fcntl(got.res, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(got.res, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(len, (socklen_t)sizeof(sa_family_t));
	CHECK_EQ(who.sun_family, AF_UNIX);
	CHECK_EQ(write(c, "x", 1), 1);
	CHECK_EQ(read(got.res, &who, 4), 1);
}

TEST(ring_accept, accept_on_what_does_not_listen)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	pair(fd, SOCK_STREAM);
	(void)prep(&r, IORING_OP_ACCEPT, 1, fd[0], NULL, 0);
	pair(fd, SOCK_DGRAM);
	(void)prep(&r, IORING_OP_ACCEPT, 2, fd[0], NULL, 0);
	CHECK_EQ(ring_submit(&r, 2), 2);
	expect(&r, 1, -EINVAL, 0);
	expect(&r, 2, -EOPNOTSUPP, 0);
}

TEST(ring_accept, multishot_accept)
{
	struct sockaddr_un addr;
	struct ring r;
	int l, last = 0;

	ring_open(&r, 8, 0);
	l = listener(&addr, "l", 4);
	(void)connected(&addr);
	prep(&r, IORING_OP_ACCEPT, 1, l, NULL, 0)->ioprio = IORING_ACCEPT_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 1), 1);
	for (int i = 0; i < 4; i++) {
		struct ring_result got = ring_take(&r);

		CHECK_EQ(got.user_data, 1u);
		CHECK(got.res > last);
		CHECK_EQ(got.flags & MORE, MORE);
		last = got.res;
		(void)connected(&addr);
	}
	CHECK(ring_take(&r).res > last);
	cancel(&r, 1);
}

TEST(ring_accept, accept_into_a_slot)
{
	struct sockaddr_un addr;
	struct io_uring_sqe *sqe;
	struct ring r;
	int files[3] = {-1, -1, -1}, l, c;
	char buf[4];

	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	l = listener(&addr, "l", 8);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_FILES, files, 3));
	c = connected(&addr);
	prep(&r, IORING_OP_ACCEPT, 1, l, NULL, 0)->file_index = 2;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, 0, 0);
	CHECK_EQ(write(c, "abc", 3), 3);
	prep(&r, IORING_OP_RECV, 2, 1, buf, 4)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, 3, 0);
	sqe = prep(&r, IORING_OP_ACCEPT, 3, l, NULL, 0);
	sqe->file_index = 1;
	sqe->accept_flags = SOCK_CLOEXEC;
	sqe = prep(&r, IORING_OP_ACCEPT, 4, l, NULL, 0);
	sqe->file_index = 1;
	sqe->ioprio = IORING_ACCEPT_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 2), 2);
	expect(&r, 3, -EINVAL, 0);
	expect(&r, 4, -EINVAL, 0);
	for (int i = 0; i < 3; i++)
		(void)connected(&addr);
	sqe = prep(&r, IORING_OP_ACCEPT, 5, l, NULL, 0);
	sqe->file_index = IORING_FILE_INDEX_ALLOC;
	sqe->ioprio = IORING_ACCEPT_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 3), 1);
	expect(&r, 5, 2, MORE);
	expect(&r, 5, 0, MORE);
	expect(&r, 5, -ENFILE, 0);
}

TEST(ring_accept, connect_and_refuse)
{
	struct sockaddr_un addr, none = {.sun_family = AF_UNIX, .sun_path = "none"};
	struct ring r;
	int l, c;

	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	l = listener(&addr, "l", 4);
	CHECK_OK(c = socket(AF_UNIX, SOCK_STREAM, 0));
	prep(&r, IORING_OP_CONNECT, 1, c, &none, 0)->addr2 = sizeof(none);
	prep(&r, IORING_OP_CONNECT, 2, c, &addr, 0)->addr2 = 1000;
	prep(&r, IORING_OP_CONNECT, 3, c, (void *)16, 0)->addr2 = 10;
	prep(&r, IORING_OP_CONNECT, 4, c, &addr, 0)->addr2 = sizeof(addr);
	prep(&r, IORING_OP_CONNECT, 5, c, &addr, 0)->addr2 = sizeof(addr);
	CHECK_EQ(ring_submit(&r, 5), 5);
	expect(&r, 1, -ENOENT, 0);
	expect(&r, 2, -EINVAL, 0);
	expect(&r, 3, -EFAULT, 0);
	expect(&r, 4, 0, 0);
	expect(&r, 5, -EISCONN, 0);
	CHECK_OK(accept(l, NULL, NULL));
}

TEST(ring_accept, chain_of_accept_receive_send)
{
	struct sockaddr_un addr;
	struct io_uring_sqe *sqe;
	struct ring r;
	int files[1] = {-1}, l, c;
	char buf[4] = "", back[4] = "";

	ring_open(&r, 8, 0);
	l = listener(&addr, "l", 4);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_FILES, files, 1));
	sqe = prep(&r, IORING_OP_ACCEPT, 1, l, NULL, 0);
	sqe->file_index = 1;
	sqe->flags = IOSQE_IO_LINK;
	prep(&r, IORING_OP_RECV, 2, 0, buf, 3)->flags = IOSQE_IO_LINK | IOSQE_FIXED_FILE;
	prep(&r, IORING_OP_SEND, 3, 0, buf, 3)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_submit(&r, 0), 3);
	c = connected(&addr);
	CHECK_EQ(write(c, "abc", 3), 3);
	expect(&r, 1, 0, 0);
	expect(&r, 2, 3, 0);
	expect(&r, 3, 3, 0);
	CHECK_EQ(read(c, back, 4), 3);
	CHECK(!memcmp(back, "abc", 3));
}

/* ---- Cancelling, ending ---- */

TEST(ring_accept, cancel_each_kind)
{
	static char big[1 << 20], bufs[NR_BUFS * BUF_LEN];
	char c;
	struct iovec iov = {&c, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct sockaddr_un addr;
	struct ring r;
	int fd[2], l;

	ring_open(&r, 16, 0);
	pair(fd, SOCK_STREAM);
	l = listener(&addr, "l", 4);
	CHECK_OK(fcntl(fd[0], F_SETFL, O_NONBLOCK));
	while (write(fd[0], big, sizeof(big)) > 0)
		continue;
	provide(&r, bufs, 0, NR_BUFS);
	(void)prep(&r, IORING_OP_SEND, 1, fd[0], big, 100);
	(void)prep(&r, IORING_OP_SENDMSG, 2, fd[0], &msg, 1);
	(void)prep(&r, IORING_OP_RECV, 3, fd[0], big, 100);
	(void)prep(&r, IORING_OP_RECVMSG, 4, fd[0], &msg, 1);
	(void)prep(&r, IORING_OP_ACCEPT, 5, l, NULL, 0);
	prep(&r, IORING_OP_ACCEPT, 6, l, NULL, 0)->ioprio = IORING_ACCEPT_MULTISHOT;
	prep_selected(&r, IORING_OP_RECV, 7, fd[0])->ioprio = IORING_RECV_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 0), 7);
	CHECK_EQ(ring_ready(&r), 0u);
	for (uint64_t i = 1; i <= 7; i++)
		cancel(&r, i);
}

TEST(ring_accept, cancelled_part_way_tells_how_far)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	char buf[6];
	int fd[2];
	struct ring_result a, b;

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	prep(&r, IORING_OP_RECV, 1, fd[1], buf, 6)->msg_flags = MSG_WAITALL;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	CHECK_EQ(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS), 0);
	sqe = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 2);
	sqe->addr = 1;
	CHECK_EQ(ring_submit(&r, 2), 1);
	a = ring_take(&r);
	b = ring_take(&r);
	CHECK_EQ(a.user_data == 1 ? a.res : b.res, 3);
	CHECK_EQ(a.user_data == 2 ? a.res : b.res, 0);
}

TEST(ring_accept, accept_that_is_cancelled_leaves_the_connection_to_another)
{
	struct sockaddr_un addr;
	struct io_uring_sqe *sqe;
	struct ring r;
	int l;
	unsigned accepted = 0;

	ring_open(&r, 8, 0);
	l = listener(&addr, "l", 4);
	(void)prep(&r, IORING_OP_ACCEPT, 1, l, NULL, 0);
	(void)prep(&r, IORING_OP_ACCEPT, 2, l, NULL, 0);
	CHECK_EQ(ring_submit(&r, 0), 2);
	(void)connected(&addr);
	sqe = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 3);
	sqe->addr = 1;
	CHECK_EQ(ring_submit(&r, 2), 1);
	for (int i = 0; i < 2; i++) {
		struct ring_result got = ring_take(&r);

		accepted += got.user_data != 3 && got.res >= 0;
	}
	if (!accepted) { /* the other one is still to come */
		struct ring_result got = ring_take(&r);

		CHECK(got.res >= 0);
		CHECK_EQ(got.user_data, 2u);
	}
}

TEST(ring_accept, process_that_ends_with_receives_in_flight)
{
	int fd[2];
	char buf[4];

	pair(fd, SOCK_STREAM);
	IN_CHILD(struct ring r; ring_open(&r, 64, 0); close(fd[0]);
		 for (unsigned i = 0; i < 50; i++)(void)
			 prep(&r, IORING_OP_RECV, i, fd[1], buf, 4);
		 CHECK_EQ(ring_submit(&r, 0), 50););
	CHECK_OK(close(fd[1]));
	CHECK_EQ(read(fd[0], buf, 4), 0);
}

TEST(ring_accept, ring_that_ends_with_receives_in_flight)
{
	struct ring r;
	int fd[2];
	char buf[4];

	pair(fd, SOCK_STREAM);
	ring_open(&r, 64, 0);
	for (unsigned i = 0; i < 50; i++)
		(void)prep(&r, IORING_OP_RECV, i, fd[1], buf, 4);
	CHECK_EQ(ring_submit(&r, 0), 50);
	ring_close(&r);
	CHECK_OK(close(fd[1]));
	CHECK_EQ(read(fd[0], buf, 4), 0);
}

/* Accepts so many, one request each, and says so to each by a byte. */
static void serve(int l, unsigned nr)
{
	struct ring r;

	ring_open(&r, 4, 0);
	while (nr--) {
		int fd;

		(void)prep(&r, IORING_OP_ACCEPT, 1, l, NULL, 0);
		CHECK_EQ(ring_submit(&r, 1), 1);
		CHECK_OK(fd = ring_take(&r).res);
		CHECK_EQ(write(fd, "x", 1), 1);
		CHECK_OK(close(fd));
	}
}

TEST(ring_accept, no_connection_is_forgotten_by_two_who_accept)
{
	enum { EACH = 200, WIDTH = 4 };
	struct sockaddr_un addr;
	int l = listener(&addr, "l", 2 * WIDTH), fd[WIDTH];
	pid_t pid[2];
	char c;

	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			serve(l, EACH);
			_exit(0);
		}
	}
	for (int n = 0; n < 2 * EACH; n += WIDTH) {
		for (int i = 0; i < WIDTH; i++)
			fd[i] = connected(&addr);
		for (int i = 0; i < WIDTH; i++) {
			CHECK_EQ(read(fd[i], &c, 1), 1);
			CHECK_OK(close(fd[i]));
		}
	}
	EXPECT_CHILD(pid[0], 0);
	EXPECT_CHILD(pid[1], 0);
}
