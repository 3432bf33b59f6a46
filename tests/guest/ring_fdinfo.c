// SPDX-License-Identifier: MIT
/* /proc/PID/fdinfo of a ring: its queues, what is registered, what waits. */
#include "ring.h"

#include <grp.h>

static char text[16384];

/* From the line after pos, flags, mnt_id and ino on, or whatever begins with `key`. */
static const char *shown_from(int fd, const char *key)
{
	char path[40];
	const char *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK_OK(get_file(path, text, sizeof(text)));
	at = strstr(text, key);
	CHECK(at != NULL);
	return at;
}

static void check_shown(int fd, const char *key, const char *want)
{
	const char *got = shown_from(fd, key);

	if (strncmp(got, want, strlen(want)))
		FAIL("%.300s, not %s", got, want);
}

TEST(ring_fdinfo, queues_and_what_is_in_them)
{
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 4, 0);
	check_shown(r.fd, "SqMask:",
		"SqMask:\t0x3\nSqHead:\t0\nSqTail:\t0\nCachedSqHead:\t0\n"
		"CqMask:\t0x7\nCqHead:\t0\nCqTail:\t0\nCachedCqTail:\t0\nSQEs:\t0\nCQEs:\t0\n"
		"SqThread:\t-1\nSqThreadCpu:\t-1\nUserFiles:\t0\nUserBufs:\t0\nPollList:\n"
		"CqOverflowList:\n");
	ring_next(&r, IORING_OP_NOP, -1)->user_data = 77;
	CHECK_EQ(ring_enter(r.fd, 1, 0, 0), 1);
	sqe = ring_next(&r, IORING_OP_READ_FIXED, 5);
	*sqe = (struct io_uring_sqe){.opcode = IORING_OP_READ_FIXED,
		.fd = 5,
		.flags = IOSQE_ASYNC,
		.off = 9,
		.addr = 0xabc,
		.rw_flags = 0x10,
		.buf_index = 3,
		.user_data = 1ull << 40};
	check_shown(r.fd, "SqHead:", "SqHead:\t1\nSqTail:\t2\nCachedSqHead:\t1\n");
	check_shown(r.fd, "CqTail:", "CqTail:\t1\nCachedCqTail:\t1\nSQEs:\t1\n");
	check_shown(r.fd, "SQEs:",
		"SQEs:\t1\n    1: opcode:READ_FIXED, fd:5, flags:10, off:9, addr:0xabc, "
		"rw_flags:0x10, "
		"buf_index:3 user_data:1099511627776\nCQEs:\t1\n    0: user_data:77, res:0, "
		"flag:0\n");
	ring_close(&r);
}

TEST(ring_fdinfo, entries_of_twice_the_size)
{
	struct ring r;

	ring_open(&r, 4, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
	ring_next(&r, IORING_OP_NOP, -1)->user_data = 7;
	check_shown(r.fd, " user_data:7",
		" user_data:7, e0:0x0, e1:0x0, e2:0x0, e3:0x0, e4:0x0, e5:0x0, e6:0x0, "
		"e7:0x0\nCQEs:");
	CHECK_EQ(ring_enter(r.fd, 1, 0, 0), 1);
	check_shown(r.fd,
		"CQEs:", "CQEs:\t1\n    0: user_data:7, res:0, flag:0, extra1:0, extra2:0\n");
	ring_close(&r);
}

TEST(ring_fdinfo, what_is_registered)
{
	static char buf[8192] __attribute__((aligned(4096)));
	struct iovec v[2] = {{buf, 4096}, {buf + 4096, 100}};
	struct ring r;
	char want[200];
	int fd[3];

	CHECK_OK(pipe(fd));
	put_file("file", "");
	fd[1] = (int)CHECK_OK(open("file", O_RDONLY));
	fd[2] = -1;
	ring_open(&r, 4, 0);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_FILES, fd, 3));
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_BUFFERS, v, 2));
	check_shown(r.fd, "UserFiles:", "UserFiles:\t3\n    0: \n    1: file\n    2: <none>\n");
	snprintf(want, sizeof(want), "UserBufs:\t2\n    0: %p/4096\n    1: %p/100\nPollList:\n",
		buf, buf + 4096);
	check_shown(r.fd, "UserBufs:", want);
	ring_close(&r);
}

TEST(ring_fdinfo, identities)
{
	gid_t groups[2] = {5, 6};
	struct ring r;

	CHECK_OK(setgroups(2, groups));
	ring_open(&r, 4, 0);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 0), 1);
	check_shown(r.fd, "Personalities:",
		"Personalities:\n    1\n\tUid:\t0\t\t0\t\t0\t\t0\n\tGid:\t0\t\t0\t\t0\t\t0\n"
		"\tGroups:\t5 6\n\tCapEff:\t000001ffffffffff\nPollList:\n");
	ring_close(&r);
}

TEST(ring_fdinfo, what_waits_and_what_had_no_room)
{
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	ring_next(&r, IORING_OP_POLL_ADD, fd[0])->poll32_events = 1;
	CHECK_EQ(ring_enter(r.fd, 1, 0, 0), 1);
	check_shown(r.fd, "PollList:", "PollList:\n  op=6, task_works=0\nCqOverflowList:\n");
	for (uint64_t i = 0; i < 10; i++) {
		ring_next(&r, IORING_OP_NOP, -1)->user_data = i;
		CHECK_EQ(ring_enter(r.fd, 1, 0, 0), 1);
	}
	check_shown(r.fd, "CqOverflowList:",
		"CqOverflowList:\n  user_data=8, res=0, flags=0\n  user_data=9, res=0, "
		"flags=0\n");
	ring_close(&r);
}

/* Whoever has the ring's lock: a ring that reads about itself. */
TEST(ring_fdinfo, a_ring_may_read_of_itself)
{
	char path[40];
	struct ring r;
	int fd;

	ring_open(&r, 4, 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r.fd);
	fd = (int)CHECK_OK(open(path, O_RDONLY));
	ring_next_rw(&r, IORING_OP_READ, fd, text, sizeof(text), 0);
	CHECK_EQ(ring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
	CHECK(ring_take(&r).res > 0);
	CHECK(strstr(text, "SqMask:\t0x3\n") && strstr(text, "CqOverflowList:\n"));
	ring_close(&r);
}
