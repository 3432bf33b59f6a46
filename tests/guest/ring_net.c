// SPDX-License-Identifier: MIT
/*
 * Bytes on sockets by the ring: sending and receiving on unix sockets, messages, zero copy.
 * Provided buffers and what goes on after a completion: ring_group.c. Accepting, cancelling, programs that end: ring_accept.c.
 */
#include "ring_net.h"

/* ---- Sending and receiving ---- */

TEST(ring_net, send_then_receive)
{
	struct ring r;
	char buf[16] = "";
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	(void)prep(&r, IORING_OP_SEND, 1, fd[0], "hello", 5);
	(void)prep(&r, IORING_OP_RECV, 2, fd[1], buf, sizeof(buf));
	CHECK_EQ(ring_submit(&r, 2), 2);
	expect(&r, 1, 5, 0);
	expect(&r, 2, 5, 0);
	CHECK(!memcmp(buf, "hello", 5));
}

TEST(ring_net, receive_waits_for_bytes)
{
	struct ring r;
	char buf[16] = "";
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	(void)prep(&r, IORING_OP_RECV, 1, fd[1], buf, sizeof(buf));
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	expect(&r, 1, 3, 0);
	CHECK(!memcmp(buf, "abc", 3));
}

/* As recv(2), also for none; a read of nothing does not. */
TEST(ring_net, receive_of_nothing_waits_for_bytes)
{
	struct ring r;
	char c;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	(void)prep(&r, IORING_OP_RECV, 1, fd[1], &c, 0);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 0u);
	(void)prep(&r, IORING_OP_READ, 2, fd[1], &c, 0);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, 0, 0);
	CHECK_EQ(write(fd[0], "a", 1), 1);
	expect(&r, 1, 0, 0);
	CHECK_EQ(read(fd[1], &c, 1), 1);
}

TEST(ring_net, nonblocking_socket_waits_too)
{
	struct ring r;
	char buf[16];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM | SOCK_NONBLOCK);
	(void)prep(&r, IORING_OP_RECV, 1, fd[1], buf, sizeof(buf));
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	expect(&r, 1, 3, 0);
}

TEST(ring_net, receive_timeout_of_the_socket_says_nothing)
{
	struct timeval soon = {.tv_usec = 1000};
	struct ring r;
	char buf[16];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	CHECK_OK(setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)));
	(void)prep(&r, IORING_OP_RECV, 1, fd[1], buf, sizeof(buf));
	CHECK_EQ(ring_submit(&r, 0), 1);
	usleep(20000);
	CHECK_EQ(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS), 0);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	expect(&r, 1, 3, 0);
}

TEST(ring_net, dontwait_does_not_wait)
{
	struct ring r;
	char buf[16];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	prep(&r, IORING_OP_RECV, 1, fd[1], buf, sizeof(buf))->msg_flags = MSG_DONTWAIT;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, -EAGAIN, 0);
	prep(&r, IORING_OP_RECV, 2, fd[1], buf, sizeof(buf))->msg_flags = MSG_DONTWAIT;
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, 3, 0);
}

TEST(ring_net, waitall_takes_several_messages)
{
	struct ring r;
	char buf[6];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	prep(&r, IORING_OP_RECV, 1, fd[1], buf, 6)->msg_flags = MSG_WAITALL;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	CHECK_EQ(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS), 0);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_EQ(write(fd[0], "def", 3), 3);
	expect(&r, 1, 6, 0);
	CHECK(!memcmp(buf, "abcdef", 6));
}

/* Messages with borders too, each where the one before it ended. */
TEST(ring_net, waitall_takes_several_messages_of_seqpacket)
{
	struct ring r;
	char buf[16] = "";
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_SEQPACKET);
	prep(&r, IORING_OP_RECV, 1, fd[1], buf, 6)->msg_flags = MSG_WAITALL;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	CHECK_EQ(write(fd[0], "defg", 4), 4);
	expect(&r, 1, 6, 0);
	CHECK(!memcmp(buf, "abcdef", 7));
	CHECK_EQ(write(fd[0], "hi", 2), 2);
	prep(&r, IORING_OP_RECV, 2, fd[1], buf, 6)->msg_flags = MSG_WAITALL;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_OK(close(fd[0]));
	expect(&r, 2, 2, 0);
}

TEST(ring_net, waitall_ends_short_with_the_peer_and_breaks_its_chain)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	char buf[6];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	sqe = prep(&r, IORING_OP_RECV, 1, fd[1], buf, 6);
	sqe->msg_flags = MSG_WAITALL;
	sqe->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	CHECK_OK(close(fd[0]));
	expect(&r, 1, 3, 0);
	expect(&r, 2, -ECANCELED, 0);
}

TEST(ring_net, send_of_more_than_fits)
{
	static char big[4 << 20];
	struct ring r;
	int fd[2], n, taken = 0;
	ssize_t got;

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	(void)prep(&r, IORING_OP_SEND, 1, fd[0], big, sizeof(big));
	CHECK_EQ(ring_submit(&r, 1), 1);
	n = ring_take(&r).res;
	CHECK(n > 0 && n < (int)sizeof(big));
	prep(&r, IORING_OP_SEND, 2, fd[0], big, sizeof(big))->msg_flags = MSG_WAITALL;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_OK(fcntl(fd[1], F_SETFL, O_NONBLOCK));
	while (taken < n + (int)sizeof(big)) {
		got = read(fd[1], big, sizeof(big));
		if (got > 0)
			taken += (int)got;
		else
			CHECK_OK(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS));
	}
	expect(&r, 2, (int)sizeof(big), 0);
	CHECK_EQ(taken, n + (int)sizeof(big));
}

TEST(ring_net, no_signal_when_the_peer_is_gone)
{
	struct ring r;
	char buf[4];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	CHECK_OK(close(fd[1]));
	(void)prep(&r, IORING_OP_SEND, 1, fd[0], "x", 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, -EPIPE, 0);
	(void)prep(&r, IORING_OP_RECV, 2, fd[0], buf, 4);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, 0, 0);
}

TEST(ring_net, waiting_receive_sees_the_peer_go)
{
	struct ring r;
	char buf[4];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	(void)prep(&r, IORING_OP_RECV, 1, fd[0], buf, 4);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_OK(close(fd[1]));
	expect(&r, 1, 0, 0);
}

TEST(ring_net, waiting_send_sees_the_peer_go)
{
	static char big[1 << 20];
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	CHECK_OK(fcntl(fd[0], F_SETFL, O_NONBLOCK));
	while (write(fd[0], big, sizeof(big)) > 0)
		continue;
	(void)prep(&r, IORING_OP_SEND, 1, fd[0], big, 100);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_OK(close(fd[1]));
	expect(&r, 1, -EPIPE, 0);
}

TEST(ring_net, what_is_no_socket)
{
	struct ring r;
	char buf[4];
	int fd;

	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	CHECK_OK(fd = open("/dev/null", O_RDWR));
	(void)prep(&r, IORING_OP_RECV, 1, fd, buf, 4);
	(void)prep(&r, IORING_OP_SEND, 2, fd, buf, 4);
	(void)prep(&r, IORING_OP_ACCEPT, 3, fd, NULL, 0);
	CHECK_EQ(ring_submit(&r, 3), 3);
	expect_each(&r, 3, -ENOTSOCK);
}

TEST(ring_net, wrong_entries)
{
	struct ring r;
	char buf[4];
	int fd[2];
	uint64_t n = 0;

	ring_open(&r, 32, IORING_SETUP_SUBMIT_ALL);
	pair(fd, SOCK_STREAM);
	prep(&r, IORING_OP_RECV, ++n, fd[0], buf, 4)->ioprio = 1 << 9;
	prep(&r, IORING_OP_SEND, ++n, fd[0], buf, 4)->ioprio = 1 << 9;
	prep(&r, IORING_OP_RECV, ++n, fd[0], buf, 4)->addr2 = 1;
	prep(&r, IORING_OP_RECV, ++n, fd[0], buf, 4)->file_index = 1;
	prep(&r, IORING_OP_SENDMSG, ++n, fd[0], buf, 1)->addr2 = 1;
	prep(&r, IORING_OP_SENDMSG, ++n, fd[0], buf, 1)->file_index = 1;
	prep(&r, IORING_OP_RECV, ++n, fd[0], buf, 0)->ioprio = IORING_RECV_MULTISHOT;
	prep(&r, IORING_OP_SEND, ++n, fd[0], buf, 4)->ioprio = IORING_RECV_MULTISHOT;
	(void)prep(&r, IORING_OP_ACCEPT, ++n, fd[0], NULL, 1);
	prep(&r, IORING_OP_ACCEPT, ++n, fd[0], NULL, 0)->buf_index = 1;
	prep(&r, IORING_OP_ACCEPT, ++n, fd[0], NULL, 0)->accept_flags = 1;
	prep(&r, IORING_OP_ACCEPT, ++n, fd[0], NULL, 0)->ioprio = 1 << 9;
	(void)prep(&r, IORING_OP_CONNECT, ++n, fd[0], NULL, 1);
	prep(&r, IORING_OP_CONNECT, ++n, fd[0], NULL, 0)->buf_index = 1;
	prep(&r, IORING_OP_CONNECT, ++n, fd[0], NULL, 0)->ioprio = 1;
	prep(&r, IORING_OP_CONNECT, ++n, fd[0], NULL, 0)->rw_flags = 1;
	CHECK_EQ(ring_submit(&r, (unsigned)n), (int)n);
	for (uint64_t i = 1; i <= n; i++)
		expect(&r, i, -EINVAL, 0);
	prep_selected(&r, IORING_OP_CONNECT, 50, fd[0]);
	prep_selected(&r, IORING_OP_SENDMSG, 51, fd[0]);
	CHECK_EQ(ring_submit(&r, 2), 2);
	expect(&r, 50, -EOPNOTSUPP, 0);
	expect(&r, 51, -EOPNOTSUPP, 0);
}

TEST(ring_net, bad_addresses)
{
	struct ring r;
	int fd[2];
	char *nowhere = (char *)16;

	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	pair(fd, SOCK_STREAM);
	(void)prep(&r, IORING_OP_SEND, 1, fd[0], nowhere, 4);
	(void)prep(&r, IORING_OP_SENDMSG, 2, fd[0], nowhere, 1);
	(void)prep(&r, IORING_OP_RECVMSG, 3, fd[0], nowhere, 1);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	(void)prep(&r, IORING_OP_RECV, 4, fd[1], nowhere, 4);
	CHECK_EQ(ring_submit(&r, 4), 4);
	expect_each(&r, 4, -EFAULT);
}

TEST(ring_net, bad_memory_does_not_end_it)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	(void)prep(&r, IORING_OP_SENDMSG, 1, fd[0], NULL, 1);
	(void)prep(&r, IORING_OP_RECVMSG, 2, fd[0], NULL, 1);
	prep(&r, IORING_OP_CONNECT, 3, fd[0], NULL, 0)->addr2 = 8;
	CHECK_EQ(ring_submit(&r, 3), 3);
	expect_each(&r, 3, -EFAULT);
}

TEST(ring_net, poll_first_waits_before_the_first_try)
{
	struct ring r;
	char buf[4];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	prep(&r, IORING_OP_RECV, 1, fd[1], buf, 4)->ioprio = IORING_RECVSEND_POLL_FIRST;
	prep(&r, IORING_OP_SEND, 2, fd[0], "abcd", 4)->ioprio = IORING_RECVSEND_POLL_FIRST;
	CHECK_EQ(ring_submit(&r, 2), 2);
	expect(&r, 2, 4, 0);
	expect(&r, 1, 4, 0);
}

/* ---- Messages ---- */

TEST(ring_net, sendmsg_and_recvmsg)
{
	char a[3], b[8] = "";
	struct iovec out[2] = {{"abc", 3}, {"def", 3}}, in[2] = {{a, 3}, {b, 8}};
	struct msghdr to = {.msg_iov = out, .msg_iovlen = 2},
		      from = {.msg_iov = in, .msg_iovlen = 2, .msg_flags = -1};
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_DGRAM);
	(void)prep(&r, IORING_OP_RECVMSG, 1, fd[1], &from, 1);
	(void)prep(&r, IORING_OP_SENDMSG, 2, fd[0], &to, 1);
	CHECK_EQ(ring_submit(&r, 2), 2);
	expect(&r, 2, 6, 0);
	expect(&r, 1, 6, 0);
	CHECK(!memcmp(a, "abc", 3) && !memcmp(b, "def", 3));
	CHECK_EQ(from.msg_flags, 0);
}

TEST(ring_net, datagram_that_is_cut)
{
	char a[3];
	struct iovec in = {a, 3};
	struct msghdr from = {.msg_iov = &in, .msg_iovlen = 1};
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_DGRAM);
	CHECK_EQ(write(fd[0], "abcdef", 6), 6);
	prep(&r, IORING_OP_RECVMSG, 1, fd[1], &from, 1)->msg_flags = MSG_PEEK;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, 3, 0);
	CHECK_EQ(from.msg_flags & MSG_TRUNC, MSG_TRUNC);
	prep(&r, IORING_OP_RECVMSG, 1, fd[1], &from, 1)->msg_flags = MSG_TRUNC;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, 6, 0);
}

TEST(ring_net, message_with_a_file)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} give = {0}, get = {0};
	char c = 'x';
	struct iovec iov = {&c, 1};
	struct msghdr to = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &give,
		.msg_controllen = sizeof(give)};
	struct msghdr from = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &get,
		.msg_controllen = sizeof(get)};
	struct ring r;
	int fd[2], pipes[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	CHECK_OK(pipe(pipes));
	give.h = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&give.h), &pipes[1], sizeof(int));
	prep(&r, IORING_OP_RECVMSG, 1, fd[1], &from, 1)->msg_flags = MSG_CMSG_CLOEXEC;
	(void)prep(&r, IORING_OP_SENDMSG, 2, fd[0], &to, 1);
	CHECK_EQ(ring_submit(&r, 2), 2);
	expect(&r, 2, 1, 0);
	expect(&r, 1, 1, 0);
	CHECK_EQ((size_t)from.msg_controllen, CMSG_LEN(sizeof(int)) + 4);
	memcpy(&pipes[1], CMSG_DATA(&get.h), sizeof(int));
	CHECK_EQ(fcntl(pipes[1], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(pipes[1], "y", 1), 1);
	CHECK_EQ(read(pipes[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
}

TEST(ring_net, message_without_room_for_bytes_gives_its_file)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct ring r;
	int fd[2], got;

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	memcpy(CMSG_DATA(&control.head), &fd[0], sizeof(int));
	CHECK_EQ(sendmsg(fd[0], &msg, 0), 1);
	msg.msg_iovlen = 0;
	memset(&control, 0, sizeof(control));
	(void)prep(&r, IORING_OP_RECVMSG, 1, fd[1], &msg, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, 0, 0);
	CHECK_EQ(msg.msg_controllen, sizeof(control));
	memcpy(&got, CMSG_DATA(&control.head), sizeof(int));
	CHECK(got > fd[1]);
}

TEST(ring_net, recvmsg_tells_who_sent)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "here"}, who,
			   me = {.sun_family = AF_UNIX, .sun_path = "me"};
	char buf[8];
	struct iovec in = {buf, 8};
	struct msghdr from = {
		.msg_iov = &in, .msg_iovlen = 1, .msg_name = &who, .msg_namelen = sizeof(who)};
	struct ring r;
	int a, b;

	ring_open(&r, 8, 0);
	CHECK_OK(a = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(b = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(bind(a, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK_OK(bind(b, (struct sockaddr *)&me, sizeof(me)));
	(void)prep(&r, IORING_OP_RECVMSG, 1, a, &from, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(sendto(b, "abc", 3, 0, (struct sockaddr *)&addr, sizeof(addr)), 3);
	expect(&r, 1, 3, 0);
	CHECK(!strcmp(who.sun_path, "me"));
	/* the address of SEND is newer than that of SENDMSG */
	from = (struct msghdr){.msg_iov = &in,
		.msg_iovlen = 1,
		.msg_name = &addr,
		.msg_namelen = sizeof(addr)};
	(void)prep(&r, IORING_OP_SENDMSG, 2, b, &from, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, 8, 0);
}

/* ---- Newer than Debian's kernel, or more than Linux has ---- */

TEST(ring_net, zero_copy_send_is_notified)
{
	struct io_uring_sqe *sqe;
	struct ring_result got;
	struct ring r;
	char buf[8];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	sqe = prep(&r, IORING_OP_SEND_ZC, 1, fd[0], "abc", 3);
	sqe->ioprio = IORING_SEND_ZC_REPORT_USAGE;
	CHECK_EQ(ring_submit(&r, 2), 1);
	got = ring_take(&r);
	CHECK_EQ(got.flags, MORE);
	SKIP_IF(got.res == -EOPNOTSUPP); /* Linux: only of some families */
	CHECK_EQ(got.res, 3);
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 1u);
	CHECK_EQ(got.flags, IORING_CQE_F_NOTIF);
	CHECK_EQ((unsigned)got.res, IORING_NOTIF_USAGE_ZC_COPIED);
	CHECK_EQ(read(fd[1], buf, 8), 3);
	/* one that fails tells of it, too; a silent one is none */
	CHECK_OK(close(fd[1]));
	(void)prep(&r, IORING_OP_SEND_ZC, 2, fd[0], "abc", 3);
	CHECK_EQ(ring_submit(&r, 2), 1);
	expect(&r, 2, -EPIPE, MORE);
	expect(&r, 2, 0, IORING_CQE_F_NOTIF);
	prep(&r, IORING_OP_SEND_ZC, 3, fd[0], "abc", 3)->flags = IOSQE_CQE_SKIP_SUCCESS;
	CHECK_EQ(ring_submit(&r, 1), 1);
	CHECK_EQ(ring_take(&r).res, -EINVAL);
}

TEST(ring_net, zero_copy_send_from_registered_memory)
{
	static char area[4096] = "..abc";
	struct iovec iov = {area, sizeof(area)};
	struct io_uring_sqe *sqe;
	struct ring_result got;
	struct ring r;
	char buf[8];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_BUFFERS, &iov, 1));
	sqe = prep(&r, IORING_OP_SEND_ZC, 1, fd[0], area + 2, 3);
	sqe->ioprio = IORING_RECVSEND_FIXED_BUF;
	CHECK_EQ(ring_submit(&r, 2), 1);
	got = ring_take(&r);
	SKIP_IF(got.res == -EOPNOTSUPP);
	CHECK_EQ(got.res, 3);
	expect(&r, 1, 0, IORING_CQE_F_NOTIF);
	CHECK_EQ(read(fd[1], buf, 8), 3);
	CHECK(!memcmp(buf, "abc", 3));
	sqe = prep(&r, IORING_OP_SEND_ZC, 2, fd[0], area + 4095, 3);
	sqe->ioprio = IORING_RECVSEND_FIXED_BUF;
	CHECK_EQ(ring_submit(&r, 2), 1);
	CHECK_EQ(ring_take(&r).res, -EFAULT);
}

TEST(ring_net, vector_by_send)
{
	struct iovec iov[2] = {{"abc", 3}, {"de", 2}};
	struct ring_result got;
	struct ring r;
	char back[8];
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	prep(&r, IORING_OP_SEND, 1, fd[0], iov, 2)->ioprio = 1
							     << 5; /* IORING_SEND_VECTORIZED */
	CHECK_EQ(ring_submit(&r, 1), 1);
	got = ring_take(&r);
	SKIP_IF(got.res == -EINVAL); /* before Linux 6.17 */
	CHECK_EQ(got.res, 5);
	CHECK_EQ(read(fd[1], back, 8), 5);
	CHECK(!memcmp(back, "abcde", 5));
}
