// SPDX-License-Identifier: MIT
/*
 * io_uring: entries that end at once stand among others in one submission, and keep their order with
 * them: descriptors that change hands between two of them, a full completion queue, an array that names no
 * entry, positions that files keep, ends of files. Sends, which find room or wait for it. And opens: at once, or
 * when a FIFO has its other end.
 */
#include "ring_quick.h"

#include <linux/fs.h>
#include <linux/stat.h>

TEST(ring_quick, reads_around_a_close_and_an_open_see_what_the_number_means)
{
	int fd = file_with("a", "first");
	char a[8] = "", b[8] = "", c[8] = "";
	struct ring r;

	CHECK_OK(close(file_with("b", "second")));
	ring_open(&r, 8, 0);
	(void)push_move(&r, IORING_OP_READ, fd, a, 5, 0, 1);
	(void)push_move(&r, IORING_OP_READ, fd, a + 1, 1, 4, 2);
	ring_sqe(&r, IORING_OP_CLOSE, 3)->fd = fd;
	(void)push_move(&r, IORING_OP_READ, fd, b, 5, 0, 4);
	CHECK_EQ(ring_submit(&r, 4), 4);
	RING_EXPECT_ALL(&r, 4, 5, 1, 0, -EBADF);
	CHECK(!strcmp(a, "ftrst"));
	CHECK_EQ(CHECK_OK(open("b", O_RDONLY)), fd);
	(void)push_move(&r, IORING_OP_READ, fd, c, 8, 0, 1);
	(void)push_move(&r, IORING_OP_READ, 77, c, 8, 0, 2);
	(void)push_move(&r, IORING_OP_WRITE, fd, c, 8, 0, 3);
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT_ALL(&r, 3, 6, -EBADF, -EBADF);
	CHECK(!strcmp(c, "second"));
	ring_close(&r);
}

TEST(ring_quick, two_files_by_turns)
{
	int fds[2] = {file_with("a", "one"), file_with("b", "three")};
	char to[8][8] = {""};
	struct ring r;

	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		(void)push_move(&r, IORING_OP_READ, fds[i % 2], to[i], 8, 0, i);
	CHECK_EQ(ring_submit(&r, 8), 8);
	for (unsigned i = 0; i < 8; i++) {
		RING_EXPECT(&r, i, i % 2 ? 5 : 3);
		CHECK(!strcmp(to[i], i % 2 ? "three" : "one"));
	}
	ring_close(&r);
}

TEST(ring_quick, positions_ends_and_bad_memory)
{
	int fd = file_with("a", "0123456789"), full = CHECK_OK(open("/dev/full", O_RDWR));
	char *two = map_pages(2), a[8] = "";
	struct ring r;

	CHECK_OK(mprotect(two + PAGE, PAGE, PROT_NONE));
	CHECK_OK(lseek(fd, 2, SEEK_SET));
	ring_open(&r, 16, 0);
	(void)push_move(&r, IORING_OP_READ, fd, a, 2, UINT64_MAX, 1); /* the file's own */
	(void)push_move(&r, IORING_OP_READ, fd, a + 2, 2, UINT64_MAX, 2);
	(void)push_move(&r, IORING_OP_READ, fd, a, 2, (uint64_t)-2, 3);
	(void)push_move(&r, IORING_OP_READ, fd, a, 2, INT64_MAX, 4);
	(void)push_move(&r, IORING_OP_READ, fd, a + 4, 4, 8, 5);
	(void)push_move(&r, IORING_OP_READ, fd, a, 4, 10, 6);
	(void)push_move(&r, IORING_OP_READ, fd, two + PAGE, 4, 0, 7);
	(void)push_move(&r, IORING_OP_WRITE, fd, two + PAGE, 4, 0, 8);
	(void)push_move(&r, IORING_OP_WRITE, full, a, 4, 0, 9);
	(void)push_move(&r, IORING_OP_READ, fd, a, 0, 0, 10);
	(void)push_move(&r, IORING_OP_READ, fd, (void *)~0ul, 4, 0, 11);
	CHECK_EQ(ring_submit(&r, 11), 11);
	RING_EXPECT_ALL(
		&r, 11, 2, 2, -EINVAL, -EINVAL, 2, 0, -EFAULT, -EFAULT, -ENOSPC, 0, -EFAULT);
	CHECK(!memcmp(a, "234589", 6));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
	ring_close(&r);
}

/* One by one: Linux lets a thread of its own write, while the next entries begin. */
TEST(ring_quick, writes_at_positions_and_at_the_end)
{
	int fd = file_with("a", "");
	char a[8] = "";
	struct ring r;

	ring_open(&r, 8, 0);
	(void)push_move(&r, IORING_OP_WRITE, fd, "abcd", 4, 0, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 4);
	(void)push_move(&r, IORING_OP_WRITE, fd, "XY", 2, 1, 2);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, 2);
	push_move(&r, IORING_OP_WRITE, fd, "Z", 1, 0, 3)->rw_flags = RWF_APPEND;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 3, 1);
	(void)push_move(&r, IORING_OP_READ, fd, a, 8, 0, 4);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 4, 5);
	CHECK(!strcmp(a, "aXYdZ"));
	ring_close(&r);
}

TEST(ring_quick, more_than_the_completion_queue_holds_overflow_in_order)
{
	struct ring r;

	memset(&r, 0, sizeof(r));
	r.p.flags = IORING_SETUP_CQSIZE;
	r.p.cq_entries = 8;
	ring_open_with(&r, 8);
	for (unsigned i = 0; i < 20; i++) {
		(void)ring_sqe(&r, IORING_OP_NOP, i);
		if (i % 5 == 4)
			CHECK_EQ(ring_submit(&r, 0), 5);
	}
	CHECK_EQ(ring_ready(&r), 8u);
	CHECK(ring_load(&r, r.p.sq_off.flags) & IORING_SQ_CQ_OVERFLOW);
	for (unsigned i = 0; i < 20; i++) {
		if (!ring_ready(&r))
			CHECK_EQ(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS), 0);
		RING_EXPECT(&r, i, 0);
	}
	ring_close(&r);
}

TEST(ring_quick, place_that_names_no_entry_is_dropped)
{
	struct ring r;

	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < 4; i++)
		(void)ring_sqe(&r, IORING_OP_NOP, i);
	ring_word(&r, r.p.sq_off.array)[2] = 8;
	CHECK_EQ(ring_submit(&r, 0), 2);
	CHECK_EQ(ring_load(&r, r.p.sq_off.dropped), 1u);
	RING_EXPECT(&r, 0, 0);
	RING_EXPECT(&r, 1, 0);
	CHECK_EQ(ring_enter(r.fd, 4, 0, 0), 1);
	RING_EXPECT(&r, 3, 0);
	ring_close(&r);
}

TEST(ring_quick, waits_for_what_drains)
{
	char to, a[4] = "";
	int pipes[2], fd = file_with("a", "abc");
	struct ring r;

	CHECK_OK(pipe(pipes));
	ring_open(&r, 8, 0);
	(void)push_move(&r, IORING_OP_READ, pipes[0], &to, 1, 0, 1);
	ring_sqe(&r, IORING_OP_NOP, 2)->flags = IOSQE_IO_DRAIN;
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	(void)push_move(&r, IORING_OP_READ, fd, a, 3, 0, 4);
	CHECK_EQ(ring_submit(&r, 0), 4);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK(!a[0]);
	CHECK_EQ(write(pipes[1], "x", 1), 1);
	CHECK_EQ(ring_enter(r.fd, 0, 4, IORING_ENTER_GETEVENTS), 0);
	RING_EXPECT_ALL(&r, 4, 1, 0, 0, 3);
	ring_close(&r);
}

TEST(ring_quick, registered_files_and_memory)
{
	char *memory = map_pages(1);
	struct iovec iov = {memory, PAGE};
	int fds[2] = {file_with("a", "abc"), -1};
	struct ring r;

	ring_open(&r, 8, 0);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_FILES, fds, 2));
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_BUFFERS, &iov, 1));
	push_move(&r, IORING_OP_READ_FIXED, 0, memory, 8, 1, 1)->flags = IOSQE_FIXED_FILE;
	push_move(&r, IORING_OP_READ, 0, memory + 8, 8, 0, 2)->flags = IOSQE_FIXED_FILE;
	push_move(&r, IORING_OP_READ, 1, memory, 8, 0, 3)->flags = IOSQE_FIXED_FILE;
	push_move(&r, IORING_OP_READ, 2, memory, 8, 0, 4)->flags = IOSQE_FIXED_FILE;
	push_move(&r, IORING_OP_WRITE_FIXED, fds[0], memory, 2, 3, 5)->buf_index = 0;
	push_move(&r, IORING_OP_WRITE_FIXED, fds[0], memory, 2, 3, 6)->buf_index = 1;
	(void)push_move(&r, IORING_OP_READ_FIXED, fds[0], memory + PAGE - 1, 2, 0, 7);
	CHECK_EQ(ring_submit(&r, 0), 6); /* a wrong entry ends the submission */
	RING_EXPECT_ALL(&r, 6, 2, 3, -EBADF, -EBADF, 2, -EFAULT);
	CHECK_EQ(ring_enter(r.fd, 1, 0, 0), 1);
	RING_EXPECT(&r, 7, -EFAULT);
	CHECK(!strcmp(memory, "bc") && !strcmp(memory + 8, "abc"));
	CHECK_EQ(pread(fds[0], memory + 64, 8, 0), 5);
	CHECK(!strcmp(memory + 64, "abcbc"));
	ring_close(&r);
}

/* ---- Opening ---- */

TEST(ring_quick, position_of_the_file_moves_with_each)
{
	int fd = file_with("a", "0123456789"), fds[2];
	char text[16] = "";
	struct ring r;

	CHECK_OK(pipe(fds));
	ring_open(&r, 8, 0);
	CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
	(void)push_move(&r, IORING_OP_READ, fd, text, 2, (uint64_t)-1, 1);
	(void)push_move(&r, IORING_OP_READ, fd, text + 2, 1, 0, 2);
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT_ALL(&r, 2, 2, 1);
	(void)push_move(&r, IORING_OP_WRITE, fd, "abc", 3, (uint64_t)-1, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 3);
	(void)push_move(&r, IORING_OP_READ, fd, text + 3, 8, (uint64_t)-1, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 3);
	(void)push_move(&r, IORING_OP_READ, fd, text, 8, (uint64_t)-1, 1);
	(void)push_move(&r, IORING_OP_READ, fd, text, 8, (uint64_t)-2, 2);
	(void)push_move(&r, IORING_OP_WRITE, fds[1], "x", 1, (uint64_t)-1, 3);
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT_ALL(&r, 3, 0, -EINVAL, 1);
	CHECK(!strcmp(text, "230789"));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
	CHECK_OK(fcntl(fd, F_SETFL, O_APPEND));
	CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
	(void)push_move(&r, IORING_OP_WRITE, fd, "end", 3, (uint64_t)-1, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 3);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 13);
	CHECK_EQ(pread(fd, text, 16, 0), 13);
	CHECK(!memcmp(text, "0123abc789end", 13));
	ring_close(&r);
}

static void push_statx(struct ring *r, int dir, const char *path, int flags, struct statx *to,
	uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_STATX, user_data);

	sqe->fd = dir;
	sqe->addr = (uintptr_t)path;
	sqe->statx_flags = (unsigned)flags;
	sqe->len = STATX_BASIC_STATS;
	sqe->addr2 = (uintptr_t)to;
}

TEST(ring_quick, statx_says_what_the_call_says)
{
	int fd = file_with("a", "text");
	struct statx here = {0}, there = {0};
	struct ring r;

	CHECK_OK(symlink("a", "a_link"));
	ring_open(&r, 8, 0);
	push_statx(&r, AT_FDCWD, "a_link", AT_SYMLINK_NOFOLLOW, &here, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 0);
	CHECK(S_ISLNK(here.stx_mode));
	push_statx(&r, fd, "", AT_EMPTY_PATH, &here, 1);
	push_statx(&r, AT_FDCWD, "none", 0, &there, 2);
	push_statx(&r, 99, "a", 0, &there, 3);
	push_statx(&r, fd, "a", 0, &there, 4);
	push_statx(&r, AT_FDCWD, "a", 0, (struct statx *)1, 5);
	push_statx(&r, AT_FDCWD, "a", 1, &there, 6);
	push_statx(&r, AT_FDCWD, (const char *)1, 0, &there, 7);
	CHECK_EQ(ring_submit(&r, 7), 7);
	RING_EXPECT_ALL(&r, 7, 0, -ENOENT, -EBADF, -ENOTDIR, -EFAULT, -EINVAL, -EFAULT);
	CHECK_OK(syscall(SYS_statx, AT_FDCWD, "a", 0, STATX_BASIC_STATS, &there));
	CHECK_EQ(here.stx_ino, there.stx_ino);
	CHECK_EQ(here.stx_size, 4);
	CHECK(!memcmp(&here, &there, sizeof(here)));
	ring_close(&r);
}

TEST(ring_quick, sends_among_others_keep_their_order)
{
	char text[16] = "";
	struct ring r;
	int s[2];

	make_pair(SOCK_STREAM, s);
	ring_open(&r, 8, 0);
	(void)push_send(&r, s[0], "one", 3, 1);
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	(void)push_send(&r, s[0], "two", 3, 3);
	(void)push_send(&r, s[1], "", 0, 4);
	ring_sqe(&r, IORING_OP_CLOSE, 5)->fd = s[0];
	(void)push_send(&r, s[0], "three", 5, 6);
	CHECK_EQ(ring_submit(&r, 6), 6);
	RING_EXPECT_ALL(&r, 6, 3, 0, 3, 0, 0, -EBADF);
	CHECK_EQ(read(s[1], text, sizeof(text)), 6);
	CHECK(!strcmp(text, "onetwo"));
	ring_close(&r);
}

TEST(ring_quick, send_without_room_waits_and_lets_others_pass)
{
	char some[4096] = "";
	struct ring r;
	int s[2], nr = 0;

	make_pair(SOCK_SEQPACKET, s);
	ring_open(&r, 8, 0);
	while (send(s[0], some, sizeof(some), MSG_DONTWAIT) > 0)
		nr++;
	CHECK(nr > 0);
	(void)push_send(&r, s[0], "last", 4, 1);
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 1), 2);
	RING_EXPECT(&r, 2, 0);
	CHECK_EQ(ring_ready(&r), 0);
	while (nr-- > 0)
		CHECK_EQ(read(s[1], some, sizeof(some)), (ssize_t)sizeof(some));
	CHECK_EQ(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
	RING_EXPECT(&r, 1, 4);
	CHECK_EQ(read(s[1], some, sizeof(some)), 4);
	CHECK(!memcmp(some, "last", 4));
	ring_close(&r);
}

TEST(ring_quick, sends_say_what_is_wrong)
{
	int stream[2], dgram[2], file = file_with("a", "text");
	char byte = 1;
	struct ring r;

	make_pair(SOCK_STREAM, stream);
	make_pair(SOCK_DGRAM, dgram);
	ring_open(&r, 8, 0);
	(void)push_send(&r, file, "x", 1, 1);
	(void)push_send(&r, 99, "x", 1, 2);
	(void)push_send(&r, stream[0], (const char *)-4096, 8, 3);
	(void)push_send(&r, stream[0], NULL, 8, 4);
	(void)push_send(&r, dgram[0], "", 0, 5);
	CHECK_OK(close(stream[1]));
	push_send(&r, stream[0], "x", 1, 6)->msg_flags = MSG_NOSIGNAL;
	(void)push_send(&r, CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0)), "x", 1, 7);
	CHECK_EQ(ring_submit(&r, 7), 7);
	RING_EXPECT_ALL(&r, 7, -ENOTSOCK, -EBADF, -EFAULT, -EPIPE, 0, -EPIPE, -ENOTCONN);
	CHECK_EQ(recv(dgram[1], &byte, 1, 0), 0);
	push_send(&r, dgram[0], "x", 1, 1)->__pad3[0] = 1;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, -EINVAL);
	ring_close(&r);
}

TEST(ring_quick, send_wakes_a_receive_of_its_own_ring)
{
	char text[8] = "";
	struct ring r;
	int s[2];

	make_pair(SOCK_SEQPACKET, s);
	ring_open(&r, 8, 0);
	(void)push_move(&r, IORING_OP_RECV, s[1], text, sizeof(text), 0, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 0);
	(void)push_send(&r, s[0], "text", 5, 2);
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 3), 2);
	RING_EXPECT_ALL(&r, 3, 5, 5, 0);
	CHECK(!strcmp(text, "text"));
	ring_close(&r);
}

static void push_open(
	struct ring *r, int dir, const char *path, unsigned flags, uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_OPENAT, user_data);

	sqe->fd = dir;
	sqe->addr = (uintptr_t)path;
	sqe->open_flags = flags;
}

static int open_by_ring(struct ring *r, int dir, const char *path, unsigned flags)
{
	push_open(r, dir, path, flags, 1);
	CHECK_EQ(ring_submit(r, 1), 1);
	return ring_take(r).res;
}

TEST(ring_quick, opens_say_what_openat_says)
{
	int dir = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY)), fd;
	struct stat by_call, by_ring;
	struct ring r;

	CHECK_OK(close(file_with("a", "abc")));
	CHECK_OK(symlink("a", "link"));
	CHECK_OK(symlink("loop", "loop"));
	ring_open(&r, 8, 0);
	fd = CHECK_OK(open_by_ring(&r, AT_FDCWD, "link", O_RDWR | O_CLOEXEC));
	CHECK_OK(fstat(fd, &by_ring));
	CHECK_OK(stat("a", &by_call));
	CHECK_EQ(by_ring.st_ino, by_call.st_ino);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH), O_RDWR);
	CHECK_EQ(open_by_ring(&r, dir, "a", O_RDONLY), fd + 1);
	CHECK_EQ(open_by_ring(&r, dir, "none", O_RDONLY), -ENOENT);
	CHECK_EQ(open_by_ring(&r, dir, "a", O_DIRECTORY), -ENOTDIR);
	CHECK_EQ(open_by_ring(&r, dir, "loop", O_RDONLY), -ELOOP);
	CHECK_EQ(open_by_ring(&r, dir, "link", O_NOFOLLOW), -ELOOP);
	CHECK_EQ(open_by_ring(&r, 99, "a", O_RDONLY), -EBADF);
	CHECK_EQ(open_by_ring(&r, fd, "a", O_RDONLY), -ENOTDIR);
	CHECK_EQ(open_by_ring(&r, dir, (const char *)1, O_RDONLY), -EFAULT);
	CHECK_EQ(open_by_ring(&r, dir, "", O_RDONLY), -ENOENT);
	CHECK_EQ(open_by_ring(&r, dir, ".", O_RDWR), -EISDIR);
	CHECK_EQ(open_by_ring(&r, dir, "link", O_PATH | O_NOFOLLOW), fd + 2);
	ring_close(&r);
}

/* Not on Linux, which tries with O_NONBLOCK first: the FIFO is then open, or ENXIO. */
TEST(ring_quick, open_of_a_fifo_waits_for_its_other_end)
{
	struct ring r;
	int fd;

	NEWER(has_calls());
	CHECK_OK(mkfifo("fifo", 0600));
	ring_open(&r, 8, 0);
	CHECK_EQ(open_by_ring(&r, AT_FDCWD, "fifo", O_WRONLY | O_NONBLOCK), -ENXIO);
	push_open(&r, AT_FDCWD, "fifo", O_RDONLY, 1);
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 1), 2);
	RING_EXPECT(&r, 2, 0);
	fd = CHECK_OK(open("fifo", O_WRONLY));
	CHECK_EQ(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
	CHECK_OK(ring_take(&r).res);
	CHECK_EQ(write(fd, "x", 1), 1);
	ring_close(&r);
}
