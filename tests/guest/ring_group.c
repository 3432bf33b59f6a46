// SPDX-License-Identifier: MIT
/*
 * Provided buffers at sockets: which is chosen and told of, receives that go on (multishot), bundles.
 */
#include "ring_net.h"

/* ---- Provided buffers ---- */

TEST(ring_group, receive_into_a_provided_buffer)
{
	static char bufs[NR_BUFS * BUF_LEN];
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide(&r, bufs, 0, 2);
	(void)prep_selected(&r, IORING_OP_RECV, 1, fd[1]);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	expect(&r, 1, 3, BUFFER(0));
	CHECK(!memcmp(bufs, "abc", 3));
	prep_selected(&r, IORING_OP_RECV, 2, fd[1])->len = 2;
	CHECK_EQ(write(fd[0], "defg", 4), 4);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, 2, BUFFER(1));
	CHECK(!memcmp(bufs + BUF_LEN, "de", 2));
	(void)prep_selected(&r, IORING_OP_RECV, 3, fd[1]);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 3, -ENOBUFS, 0);
}

TEST(ring_group, recvmsg_into_a_provided_buffer)
{
	static char bufs[NR_BUFS * BUF_LEN];
	struct iovec in[2] = {{NULL, 5}};
	struct msghdr from = {.msg_iov = in, .msg_iovlen = 1};
	struct ring r;
	int fd[2];

	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	pair(fd, SOCK_DGRAM);
	provide(&r, bufs, 0, NR_BUFS);
	CHECK_EQ(write(fd[0], "abcdefgh", 8), 8);
	prep_selected(&r, IORING_OP_RECVMSG, 1, fd[1])->addr = (uintptr_t)&from;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, 5, BUFFER(0));
	CHECK(!memcmp(bufs, "abcde", 5));
	CHECK_EQ(from.msg_flags & MSG_TRUNC, MSG_TRUNC);
	from.msg_iovlen = 2;
	prep_selected(&r, IORING_OP_RECVMSG, 2, fd[1])->addr = (uintptr_t)&from;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, -EINVAL, 0);
}

TEST(ring_group, end_of_stream_uses_no_buffer)
{
	static char bufs[NR_BUFS * BUF_LEN];
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide(&r, bufs, 0, 1);
	CHECK_OK(shutdown(fd[0], SHUT_WR));
	(void)prep_selected(&r, IORING_OP_RECV, 1, fd[1]);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, 0, 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	(void)prep_selected(&r, IORING_OP_RECV, 2, fd[0]);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, 1, BUFFER(0));
}

TEST(ring_group, multishot_receive)
{
	static char bufs[NR_BUFS * BUF_LEN];
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide(&r, bufs, 0, NR_BUFS);
	prep_selected(&r, IORING_OP_RECV, 1, fd[1])->ioprio = IORING_RECV_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 0), 1);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(write(fd[0], "abc", 3), 3);
		expect(&r, 1, 3, BUFFER(i) | MORE);
	}
	CHECK_OK(close(fd[0]));
	expect(&r, 1, 0, 0);
	CHECK(!memcmp(bufs + 2 * BUF_LEN, "abc", 3));
}

TEST(ring_group, multishot_receive_fills_buffers_and_ends_without_one)
{
	static char bufs[NR_BUFS * BUF_LEN], many[3 * BUF_LEN];
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide(&r, bufs, 0, 2);
	prep_selected(&r, IORING_OP_RECV, 1, fd[1])->ioprio = IORING_RECV_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(write(fd[0], many, sizeof(many)), (int)sizeof(many));
	expect(&r, 1, BUF_LEN, BUFFER(0) | MORE);
	expect(&r, 1, BUF_LEN, BUFFER(1) | MORE);
	expect(&r, 1, -ENOBUFS, 0);
}

/* One is given back before the next message: Linux has it since 6.5 for RECV, and since 6.7 for READ. */
TEST(ring_group, multishot_waits_without_a_buffer)
{
	static const unsigned ops[] = {IORING_OP_RECV, IORING_OP_READ_MULTISHOT};
	static char bufs[BUF_LEN];
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	NEWER(ring_has_op(&r, IORING_OP_READ_MULTISHOT));
	for (unsigned i = 0; i < 2; i++) {
		struct io_uring_sqe *sqe;

		pair(fd, SOCK_STREAM);
		provide(&r, bufs, 0, 1);
		sqe = prep_selected(&r, ops[i], 1, fd[1]);
		if (ops[i] == IORING_OP_RECV)
			sqe->ioprio = IORING_RECV_MULTISHOT;
		else
			sqe->len = 0;
		CHECK_EQ(ring_submit(&r, 0), 1);
		for (unsigned k = 0; k < 3; k++) {
			CHECK_EQ(write(fd[0], "abc", 3), 3);
			expect(&r, 1, 3, BUFFER(0) | MORE);
			if (k < 2)
				provide(&r, bufs, 0, 1);
		}
		CHECK_EQ(write(fd[0], "abc", 3), 3);
		expect(&r, 1, -ENOBUFS, 0);
	}
	ring_close(&r);
}

/* A multishot receive that ends, without being asked to, after `most` bytes: optlen, since Linux 6.17. */
static struct io_uring_sqe *prep_capped(struct ring *r, uint64_t data, int fd, unsigned most)
{
	struct io_uring_sqe *sqe = prep_selected(r, IORING_OP_RECV, data, fd);

	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->file_index = most;
	return sqe;
}

TEST(ring_group, multishot_receive_ends_after_so_many_bytes)
{
	static char bufs[NR_BUFS * BUF_LEN], many[3 * BUF_LEN];
	struct ring_result got;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide(&r, bufs, 0, NR_BUFS);
	(void)prep_capped(&r, 1, fd[1], BUF_LEN + 5);
	CHECK_EQ(write(fd[0], many, 3), 3);
	CHECK_EQ(ring_submit(&r, 1), 1);
	got = ring_take(&r);
	SKIP_IF(got.res == -EINVAL); /* before Linux 6.17 */
	CHECK_EQ(got.res, 3);
	CHECK_EQ(got.flags & ~IORING_CQE_F_SOCK_NONEMPTY, BUFFER(0) | MORE);
	CHECK_EQ(write(fd[0], many, sizeof(many)), (int)sizeof(many));
	expect(&r, 1, BUF_LEN, BUFFER(1) | MORE);
	expect(&r, 1, 2, BUFFER(2)); /* the last, though there is more and a buffer */
	(void)prep_capped(&r, 2, fd[1], 2 * BUF_LEN - 2);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, BUF_LEN, BUFFER(3) | MORE);
	expect(&r, 2, -ENOBUFS, 0);
}

TEST(ring_group, only_a_multishot_receive_has_an_end)
{
	static char bufs[BUF_LEN];
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide(&r, bufs, 0, 1);
	CHECK_EQ(write(fd[0], "abc", 3), 3);
	prep_capped(&r, 1, fd[1], 2)->ioprio = 0;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, -EINVAL, 0);
	prep_capped(&r, 2, fd[1], 2)->opcode = IORING_OP_RECVMSG;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, -EINVAL, 0);
}

TEST(ring_group, multishot_receive_of_datagrams)
{
	static char bufs[NR_BUFS * BUF_LEN];
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_DGRAM);
	provide(&r, bufs, 0, NR_BUFS);
	CHECK_EQ(write(fd[0], "a", 1), 1);
	CHECK_EQ(write(fd[0], "bc", 2), 2);
	prep_selected(&r, IORING_OP_RECV, 1, fd[1])->ioprio = IORING_RECV_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 2), 1);
	expect(&r, 1, 1, BUFFER(0) | MORE);
	expect(&r, 1, 2, BUFFER(1) | MORE);
	cancel(&r, 1);
}

TEST(ring_group, multishot_recvmsg)
{
	static char bufs[NR_BUFS * BUF_LEN];
	struct io_uring_recvmsg_out *out = (void *)bufs;
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "here"},
			   me = {.sun_family = AF_UNIX, .sun_path = "me"};
	struct msghdr from = {.msg_namelen = 8, .msg_controllen = 0};
	struct io_uring_sqe *sqe;
	struct ring r;
	int a, b;

	ring_open(&r, 8, 0);
	CHECK_OK(a = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(b = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(bind(a, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK_OK(bind(b, (struct sockaddr *)&me, sizeof(sa_family_t) + 3));
	provide(&r, bufs, 0, NR_BUFS);
	sqe = prep_selected(&r, IORING_OP_RECVMSG, 1, a);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->addr = (uintptr_t)&from;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(sendto(b, "hello", 5, 0, (struct sockaddr *)&addr, sizeof(addr)), 5);
	expect(&r, 1, (int)sizeof(*out) + 8 + 5, BUFFER(0) | MORE);
	CHECK_EQ(out->namelen, (unsigned)sizeof(sa_family_t) + 3);
	CHECK_EQ(out->controllen, 0u);
	CHECK_EQ(out->payloadlen, 5u);
	CHECK_EQ(out->flags, 0u);
	CHECK(!memcmp(bufs + sizeof(*out) + sizeof(sa_family_t), "me", 3));
	CHECK(!memcmp(bufs + sizeof(*out) + 8, "hello", 5));
	CHECK_EQ(sendto(b, bufs, BUF_LEN, 0, (struct sockaddr *)&addr, sizeof(addr)), BUF_LEN);
	expect(&r, 1, BUF_LEN, BUFFER(1) | MORE);
	out = (void *)(bufs + BUF_LEN);
	CHECK_EQ(out->flags, (unsigned)MSG_TRUNC);
	CHECK_EQ(out->payloadlen, (unsigned)(BUF_LEN - sizeof(*out) - 8));
	cancel(&r, 1);
}

TEST(ring_group, multishot_recvmsg_needs_room_for_its_header)
{
	static char bufs[NR_BUFS * BUF_LEN];
	struct msghdr from = {.msg_namelen = BUF_LEN};
	struct io_uring_sqe *sqe;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_DGRAM);
	provide(&r, bufs, 0, NR_BUFS);
	CHECK_EQ(write(fd[0], "a", 1), 1);
	sqe = prep_selected(&r, IORING_OP_RECVMSG, 1, fd[1]);
	sqe->addr = (uintptr_t)&from;
	sqe->ioprio = IORING_RECV_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 1, -EFAULT, 0);
}

TEST(ring_group, send_of_provided_buffers)
{
	static char bufs[NR_BUFS * BUF_LEN], back[NR_BUFS * BUF_LEN];
	struct ring_result got;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	memcpy(bufs, "abc", 3);
	provide(&r, bufs, 0, 2);
	prep_selected(&r, IORING_OP_SEND, 1, fd[0])->len = 3;
	CHECK_EQ(ring_submit(&r, 1), 1);
	got = ring_take(&r);
	SKIP_IF(got.res == -EOPNOTSUPP); /* before Linux 6.10 */
	CHECK_EQ(got.res, 3);
	CHECK_EQ(got.flags, BUFFER(0));
	CHECK_EQ(read(fd[1], back, sizeof(back)), 3);
	(void)prep_selected(&r, IORING_OP_SEND, 2, fd[0]);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, BUF_LEN, BUFFER(1));
	(void)prep_selected(&r, IORING_OP_SEND, 3, fd[0]);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 3, -ENOBUFS, 0);
}

/* A group as a ring of NR_BUFS entries of BUF_LEN bytes. */
static void provide_ring(struct ring *r, char *bufs)
{
	struct io_uring_buf_ring *br =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct io_uring_buf_reg reg = {
		.ring_addr = (uintptr_t)br, .ring_entries = NR_BUFS, .bgid = GROUP};

	CHECK(br != MAP_FAILED);
	CHECK_OK(ring_register(r->fd, IORING_REGISTER_PBUF_RING, &reg, 1));
	for (unsigned i = 0; i < NR_BUFS; i++) {
		br->bufs[i].addr = (uintptr_t)(bufs + i * BUF_LEN);
		br->bufs[i].len = BUF_LEN;
		br->bufs[i].bid = (uint16_t)i;
	}
	__atomic_store_n(&br->tail, NR_BUFS, __ATOMIC_RELEASE);
}

enum { BUNDLE = 1 << 4 /* IORING_RECVSEND_BUNDLE */ };

TEST(ring_group, bundle_received)
{
	static char bufs[NR_BUFS * BUF_LEN], many[BUF_LEN + 10] = "many";
	struct ring_result got;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide_ring(&r, bufs);
	prep_selected(&r, IORING_OP_RECV, 1, fd[1])->ioprio = BUNDLE;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(write(fd[0], many, sizeof(many)), (int)sizeof(many));
	got = ring_take(&r);
	SKIP_IF(got.res == -EINVAL); /* before Linux 6.10 */
	CHECK_EQ(got.res, (int)sizeof(many));
	CHECK_EQ(got.flags & ~IORING_CQE_F_SOCK_NONEMPTY, BUFFER(0));
	CHECK(!memcmp(bufs, many, sizeof(many)));
	/* two were used */
	prep_selected(&r, IORING_OP_RECV, 2, fd[1])->ioprio = BUNDLE | IORING_RECV_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(write(fd[0], many, 5), 5);
	expect(&r, 2, 5, BUFFER(2) | MORE);
	CHECK_EQ(write(fd[0], many, 5), 5);
	expect(&r, 2, 5, BUFFER(3) | MORE);
	CHECK_EQ(write(fd[0], many, 5), 5);
	expect(&r, 2, -ENOBUFS, 0);
}

TEST(ring_group, bundles_end_after_so_many_bytes)
{
	static char bufs[NR_BUFS * BUF_LEN], many[NR_BUFS * BUF_LEN];
	struct ring_result got;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide_ring(&r, bufs);
	prep_capped(&r, 1, fd[1], 2 * BUF_LEN)->ioprio = BUNDLE | IORING_RECV_MULTISHOT;
	CHECK_EQ(write(fd[0], many, sizeof(many)), (int)sizeof(many));
	CHECK_EQ(ring_submit(&r, 1), 1);
	got = ring_take(&r);
	SKIP_IF(got.res == -EINVAL); /* before Linux 6.17 */
	CHECK_EQ(got.res, 2 * BUF_LEN);
	CHECK_EQ(got.flags & ~IORING_CQE_F_SOCK_NONEMPTY, BUFFER(0));
	prep_capped(&r, 2, fd[1], 1)->ioprio = BUNDLE | IORING_RECV_MULTISHOT;
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect(&r, 2, 1, BUFFER(2));
}

TEST(ring_group, bundle_sent)
{
	static char bufs[NR_BUFS * BUF_LEN], back[NR_BUFS * BUF_LEN];
	struct ring_result got;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	pair(fd, SOCK_STREAM);
	provide_ring(&r, bufs);
	memset(bufs + BUF_LEN, 'x', BUF_LEN);
	prep_selected(&r, IORING_OP_SEND, 1, fd[0])->ioprio = BUNDLE;
	CHECK_EQ(ring_submit(&r, 1), 1);
	got = ring_take(&r);
	SKIP_IF(got.res == -EOPNOTSUPP || got.res == -EINVAL);
	CHECK_EQ(got.res, NR_BUFS * BUF_LEN);
	CHECK_EQ(got.flags, BUFFER(0));
	CHECK_EQ(read(fd[1], back, sizeof(back)), NR_BUFS * BUF_LEN);
	CHECK(!memcmp(back, bufs, sizeof(back)));
}
