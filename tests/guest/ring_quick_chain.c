// SPDX-License-Identifier: MIT
/*
 * io_uring: chains of entries that end at once: what breaks one, what follows one that waits, and that nothing
 * of a chain with a wrong entry begins. And slots that are emptied.
 */
#include "ring_quick.h"

enum { TEXT_SIZE = 16 };

static struct io_uring_sqe *push_emptying(struct ring *r, uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_CLOSE, user_data);

	sqe->fd = 0;
	sqe->file_index = 1;
	return sqe;
}

/* Slot 1: opened, read, and emptied, as entries 1, 2 and 3. */
static struct io_uring_sqe *push_chain(struct ring *r, const char *path, char *to, unsigned len)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_OPENAT, 1);

	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)path;
	sqe->file_index = 1;
	sqe->flags = IOSQE_IO_LINK;
	push_move(r, IORING_OP_READ, 0, to, len, 0, 2)->flags =
		IOSQE_IO_LINK | IOSQE_FIXED_FILE;
	return push_emptying(r, 3);
}

static void open_with_slot(struct ring *r)
{
	int none = -1;

	ring_open(r, 16, 0);
	CHECK_OK(ring_register(r->fd, IORING_REGISTER_FILES, &none, 1));
}

/* Whether slot 1 has a file. */
static bool is_slot_used(struct ring *r)
{
	char byte;

	push_move(r, IORING_OP_READ, 0, &byte, 1, 0, 9)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_submit(r, 1), 1);
	return ring_take(r).res != -EBADF;
}

TEST(ring_quick_chain, chain_opens_reads_and_closes)
{
	char text[TEXT_SIZE] = "";
	struct ring r;

	CHECK_OK(close(file_with("a", "text")));
	open_with_slot(&r);
	for (int i = 0; i < 40; i++) {
		(void)push_chain(&r, "a", text, 4);
		CHECK_EQ(ring_submit(&r, 3), 3);
		RING_EXPECT(&r, 1, 0);
		RING_EXPECT(&r, 2, 4);
		RING_EXPECT(&r, 3, 0);
		CHECK(!strcmp(text, "text"));
	}
	CHECK(!is_slot_used(&r));
	ring_close(&r);
}

TEST(ring_quick_chain, chain_is_broken_by_a_failure_or_a_short_read)
{
	char text[TEXT_SIZE] = "";
	struct ring r;

	CHECK_OK(close(file_with("a", "text")));
	open_with_slot(&r);
	(void)push_chain(&r, "none", text, 4);
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT_ALL(&r, 3, -ENOENT, -ECANCELED, -ECANCELED);
	CHECK(!is_slot_used(&r));
	(void)push_chain(&r, "a", text, 5);
	(void)ring_sqe(&r, IORING_OP_NOP, 4);
	CHECK_EQ(ring_submit(&r, 4), 4);
	RING_EXPECT_ALL(&r, 4, 0, 4, -ECANCELED, 0);
	CHECK(is_slot_used(&r));
	(void)push_chain(&r, "a", NULL, 4);
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT_ALL(&r, 3, 0, -EFAULT, -ECANCELED);
	ring_close(&r);
}

TEST(ring_quick_chain, nothing_of_a_chain_with_a_wrong_entry_begins)
{
	int fd = file_with("a", "text");
	char text[TEXT_SIZE] = "";
	struct ring r;

	open_with_slot(&r);
	push_chain(&r, "a", text, 4)->addr = 1; /* a close has no address */
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT_ALL(&r, 3, -ECANCELED, -ECANCELED, -EINVAL);
	CHECK_EQ(text[0], 0);
	CHECK(!is_slot_used(&r));
	push_move(&r, IORING_OP_WRITE, fd, "TEXT", 4, 0, 1)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, 2)->ioprio = 1;
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT_ALL(&r, 2, -ECANCELED, -EINVAL);
	CHECK_EQ(pread(fd, text, 4, 0), 4);
	CHECK(!strcmp(text, "text"));
	ring_close(&r);
}

TEST(ring_quick_chain, chain_goes_on_when_one_of_it_waits)
{
	char text[TEXT_SIZE] = "";
	int fd = file_with("a", "text"), s[2];
	struct ring r;

	make_pair(SOCK_STREAM, s);
	ring_open(&r, 16, 0);
	push_move(&r, IORING_OP_READ, fd, text, 4, 0, 1)->flags = IOSQE_IO_LINK;
	push_move(&r, IORING_OP_READ, s[0], text, 1, 0, 2)->flags = IOSQE_IO_LINK;
	(void)push_move(&r, IORING_OP_READ, fd, text + 4, 4, 0, 3);
	push_send(&r, s[0], "x", 1, 4)->flags = IOSQE_IO_LINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 5);
	CHECK_EQ(ring_submit(&r, 3), 5);
	RING_EXPECT(&r, 1, 4);
	RING_EXPECT(&r, 4, 1);
	RING_EXPECT(&r, 5, 0);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(s[1], "T", 1), 1);
	CHECK_EQ(ring_enter(r.fd, 0, 2, IORING_ENTER_GETEVENTS), 0);
	RING_EXPECT(&r, 2, 1);
	RING_EXPECT(&r, 3, 4);
	CHECK(!strcmp(text, "Texttext"));
	ring_close(&r);
}

TEST(ring_quick_chain, chain_without_an_end_ends_with_its_submission)
{
	struct ring r;

	ring_open(&r, 16, 0);
	ring_sqe(&r, IORING_OP_NOP, 1)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, 2)->flags = IOSQE_IO_LINK;
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT_ALL(&r, 2, 0, 0);
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 3, 0);
	ring_close(&r);
}

TEST(ring_quick_chain, emptied_slot_tells_its_tag)
{
	int fd = file_with("a", "text");
	uint64_t tag = 4;
	struct io_uring_rsrc_register reg = {
		.nr = 1, .data = (uintptr_t)&fd, .tags = (uintptr_t)&tag};
	char text[TEXT_SIZE] = "";
	struct ring r;

	ring_open(&r, 16, 0);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)));
	push_move(&r, IORING_OP_READ, 0, text, 4, 0, 1)->flags = IOSQE_FIXED_FILE;
	(void)push_emptying(&r, 2);
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 4), 3);
	RING_EXPECT_ALL(&r, 4, 4, 0, 0, 0);
	ring_close(&r);
}
