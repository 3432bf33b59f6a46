// SPDX-License-Identifier: MIT
/*
 * Kinds of rings: where their memory is, which numbers they have, other sizes of queues and entries.
 */
#include "ring.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

/* 0, or the errno. */
static int try_map(int fd, uint64_t offset, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (p == MAP_FAILED)
		return errno;
	CHECK_OK(munmap(p, size));
	return 0;
}

TEST(ring_setup, regions_are_mapped_at_their_offsets)
{
	struct ring r;

	ring_open(&r, 8, 0);
	CHECK_EQ(try_map(r.fd, IORING_OFF_SQ_RING, r.rings_size), 0);
	CHECK_EQ(try_map(r.fd, IORING_OFF_CQ_RING, 64), 0);
	CHECK_EQ(try_map(r.fd, IORING_OFF_SQES, r.sqes_size), 0);
	CHECK_EQ(try_map(r.fd, 0x18000000, PAGE), ENOMEM);
	CHECK_EQ(try_map(r.fd, 0x80000000, PAGE), ENOMEM);
	CHECK_EQ(try_map(r.fd, IORING_OFF_SQES + (1 << 20), PAGE), ENOMEM);
	CHECK_EQ(try_map(r.fd, IORING_OFF_SQES, r.sqes_size + (1 << 20)), 0);
	ring_close(&r);
}

TEST(ring_setup, flags_that_need_others)
{
	const unsigned wrong[] = {IORING_SETUP_REGISTERED_FD_ONLY, IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_SQ_AFF, IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_HYBRID_IOPOLL,
		IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED,
		IORING_SETUP_SQE128 | IORING_SETUP_SQE_MIXED};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct io_uring_params p = {.flags = wrong[i]};

		CHECK_ERRNO(ring_setup(4, &p), EINVAL);
	}
}

TEST(ring_setup, without_a_free_descriptor)
{
	const struct rlimit few = {10, 10};
	struct io_uring_params p = {0};
	int fd;

	CHECK_OK(setrlimit(RLIMIT_NOFILE, &few));
	while ((fd = dup(0)) >= 0)
		;
	CHECK_ERRNO(ring_setup(4, &p), EMFILE);
	for (fd = 0; fd < 10; fd++)
		CHECK_OK(fcntl(fd, F_GETFD));
	CHECK_ERRNO(ring_setup(4, &p), EMFILE);
	CHECK_ERRNO(dup(0), EMFILE);
}

/* ---- Memory of the program's own ---- */

/* A ring whose queues are `at`, its entries a page after so many. */
static void open_own(struct ring *r, unsigned entries, unsigned flags, char *at, size_t pages)
{
	memset(r, 0, sizeof(*r));
	memset(at, 0xff, 2 * pages * PAGE); /* the kernel begins with what it needs */
	r->p.flags = flags | IORING_SETUP_NO_MMAP;
	r->rings = at;
	r->sqes = at + pages * PAGE;
	r->p.cq_off.resv2 = (uintptr_t)r->rings;
	r->p.sq_off.resv2 = (uintptr_t)r->sqes;
	CHECK_OK(r->fd = ring_setup(entries, &r->p));
}

TEST(ring_setup, queues_in_the_program_s_memory)
{
	struct ring r;
	char *at = map_pages(8);

	NEWER(ring_has_setup(IORING_SETUP_NO_MMAP));
	/* two pages of each, which the kernel finds wherever they are */
	open_own(&r, 64, 0, at, 4);
	CHECK(r.p.cq_off.cqes + r.p.cq_entries * sizeof(struct io_uring_cqe) <= 4 * PAGE);
	CHECK_EQ(try_map(r.fd, IORING_OFF_SQ_RING, PAGE), ENOMEM);
	CHECK_EQ(try_map(r.fd, IORING_OFF_SQES, PAGE), ENOMEM);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 64; i++)
			(void)ring_sqe(&r, IORING_OP_NOP, round * 100 + i);
		CHECK_EQ(ring_submit(&r, 64), 64);
		for (unsigned i = 0; i < 64; i++)
			RING_EXPECT(&r, round * 100 + i, 0);
	}
	/* it is the ring's, whatever becomes of the addresses */
	(void)ring_sqe(&r, IORING_OP_NOP, 7);
	r.to_submit = 0;
	CHECK_OK(munmap(at, 8 * PAGE));
	CHECK_EQ(ring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
	CHECK_OK(close(r.fd));
}

TEST(ring_setup, errors_of_the_program_s_memory)
{
	struct io_uring_params p = {.flags = IORING_SETUP_NO_MMAP};
	const struct rlimit none = {0, 0};
	char *at = map_pages(4);

	NEWER(ring_has_setup(IORING_SETUP_NO_MMAP));
	CHECK_ERRNO(ring_setup(4, &p), EFAULT);
	p.cq_off.resv2 = (uintptr_t)at;
	CHECK_ERRNO(ring_setup(4, &p), EFAULT);
	p.sq_off.resv2 = (uintptr_t)at + PAGE + 64;
	CHECK_ERRNO(ring_setup(4, &p), EINVAL);
	p.sq_off.resv2 = -(uint64_t)PAGE;
	CHECK_ERRNO(ring_setup(64, &p), EOVERFLOW);
	p.sq_off.resv2 = 0x10000; /* nothing there */
	CHECK_ERRNO(ring_setup(4, &p), EFAULT);
	CHECK_OK(mprotect(at + PAGE, PAGE, PROT_READ));
	p.sq_off.resv2 = (uintptr_t)at + PAGE;
	CHECK_ERRNO(ring_setup(4, &p), EFAULT);
	p.sq_off.resv2 = (uintptr_t)at + 2 * PAGE;
	IN_CHILD({
		CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &none));
		CHECK_OK(setuid(1000));
		CHECK_ERRNO(ring_setup(4, &p), ENOMEM);
	});
	CHECK_OK(close(ring_setup(4, &p)));
}

TEST(ring_setup, a_ring_that_has_no_descriptor)
{
	const unsigned reg = IORING_REGISTER_USE_REGISTERED_RING;
	struct io_uring_rsrc_update up = {0};
	int table[1] = {-1}, before, after;
	struct ring r;

	NEWER(ring_has_setup(IORING_SETUP_NO_MMAP));
	before = CHECK_OK(dup(0));
	open_own(&r, 8, IORING_SETUP_REGISTERED_FD_ONLY, map_pages(2), 1);
	after = CHECK_OK(dup(0));
	CHECK_EQ(after, before + 1);
	CHECK_EQ(r.fd, 0);
	(void)ring_sqe(&r, IORING_OP_NOP, 5);
	CHECK_EQ(ring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_REGISTERED_RING),
		1);
	RING_EXPECT(&r, 5, 0);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES | reg, table, 1), 0);
	for (int i = 1; i < 16; i++) {
		open_own(&r, 8, IORING_SETUP_REGISTERED_FD_ONLY, map_pages(2), 1);
		CHECK_EQ(r.fd, i);
	}
	CHECK_ERRNO(ring_setup(4, &r.p), EBUSY);
	up.offset = 3;
	CHECK_EQ(ring_register(2, IORING_UNREGISTER_RING_FDS | reg, &up, 1), 1);
	CHECK_EQ(ring_setup(4, &r.p), 3);
}

/* ---- What entries may be ---- */

TEST(ring_setup, a_polled_ring_does_what_needs_no_device)
{
	struct io_uring_sqe *sqe;
	char buf[16];
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, IORING_SETUP_IOPOLL);
	(void)ring_next(&r, IORING_OP_NOP, -1);
	CHECK_EQ(ring_run(&r).res, 0);
	(void)ring_next(&r, IORING_OP_REMOVE_BUFFERS, 10);
	CHECK_EQ(ring_run(&r).res, -ENOENT);
	sqe = ring_next(&r, IORING_OP_PROVIDE_BUFFERS, 1);
	sqe->addr = (uintptr_t)buf;
	sqe->len = sizeof(buf);
	CHECK_EQ(ring_run(&r).res, 0);
	(void)ring_next(&r, IORING_OP_FILES_UPDATE, -1);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	(void)ring_next(&r, IORING_OP_POLL_ADD, fd[0]);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	ring_close(&r);
}

/* What a polled ring, or a request that wants to be polled, says of this file. */
static int read_polled(struct ring *r, int op, int fd, int rw_flags)
{
	static char buf[16];
	struct io_uring_sqe *sqe = ring_next_rw(r, op, fd, buf, sizeof(buf), 0);

	sqe->rw_flags = rw_flags;
	return ring_run(r).res;
}

TEST(ring_setup, a_polled_ring_moves_no_bytes_of_what_has_no_device)
{
	int file, ro, fd[2];
	struct ring r;

	file = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));
	ro = CHECK_OK(open("file", O_RDONLY));
	CHECK_OK(pipe(fd));
	ring_open(&r, 8, IORING_SETUP_IOPOLL);
	CHECK_EQ(read_polled(&r, IORING_OP_READ, file, 0), -EOPNOTSUPP);
	CHECK_EQ(read_polled(&r, IORING_OP_WRITE, file, 0), -EOPNOTSUPP);
	CHECK_EQ(read_polled(&r, IORING_OP_READ, file, RWF_HIPRI), -EOPNOTSUPP);
	CHECK_EQ(read_polled(&r, IORING_OP_READ, fd[0], 0), -EOPNOTSUPP);
	CHECK_EQ(read_polled(&r, IORING_OP_WRITE, ro, 0), -EBADF);
	CHECK_EQ(read_polled(&r, IORING_OP_READ, 99, 0), -EBADF);
	ring_close(&r);
	ring_open(&r, 8, 0);
	CHECK_EQ(read_polled(&r, IORING_OP_READ, file, RWF_HIPRI), -EINVAL);
	CHECK_EQ(read_polled(&r, IORING_OP_READ, file, 0), 0);
	ring_close(&r);
}

TEST(ring_setup, priority_of_a_disk_must_be_one)
{
	char buf[16];
	struct ring r;

	ring_open(&r, 8, 0);
	ring_next_rw(&r, IORING_OP_READ, 128, buf, sizeof(buf), 0)->ioprio = 0xffff;
	ring_next_rw(&r, IORING_OP_READ, 128, buf, sizeof(buf), 0)->ioprio = 2 << 13 | 4;
	CHECK_EQ(ring_submit(&r, 0), 1); /* the first ends the submission */
	CHECK_EQ(ring_take(&r).res, -EINVAL);
	CHECK_EQ(ring_enter(r.fd, 1, 0, 0), 1);
	CHECK_EQ(ring_take(&r).res, -EBADF);
	ring_close(&r);
}

TEST(ring_setup, a_ring_closes_no_ring)
{
	struct ring r, other;

	ring_open(&r, 8, 0);
	ring_open(&other, 8, 0);
	(void)ring_next(&r, IORING_OP_CLOSE, r.fd);
	CHECK_EQ(ring_run(&r).res, -EBADF);
	(void)ring_next(&r, IORING_OP_CLOSE, other.fd);
	CHECK_EQ(ring_run(&r).res, -EBADF);
	ring_close(&other);
	ring_close(&r);
}

/* ---- Other sizes ---- */

static int resize(struct ring *r, unsigned sq, unsigned cq, unsigned flags)
{
	struct io_uring_params p = {.sq_entries = sq, .cq_entries = cq, .flags = flags};

	return ring_register(r->fd, IORING_REGISTER_RESIZE_RINGS, &p, 1);
}

/* The same, and the new queues are mapped. */
static void resized(struct ring *r, unsigned sq, unsigned cq)
{
	r->p.sq_entries = sq;
	r->p.cq_entries = cq;
	r->p.flags = IORING_SETUP_CQSIZE;
	CHECK_EQ(ring_register(r->fd, IORING_REGISTER_RESIZE_RINGS, &r->p, 1), 0);
	CHECK_OK(munmap(r->rings, r->rings_size));
	CHECK_OK(munmap(r->sqes, r->sqes_size));
	ring_map(r);
}

static bool can_resize(void)
{
	struct ring r;
	int err;

	if (!ring_has_setup(IORING_SETUP_DEFER_TASKRUN))
		return false;
	ring_open(&r, 4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	err = resize(&r, 4, 0, 0);
	ring_close(&r);
	return err == 0;
}

static void open_deferred(struct ring *r, unsigned entries, unsigned flags)
{
	ring_open(r, entries, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | flags);
}

TEST(ring_setup, a_ring_grows_and_shrinks_with_what_is_in_it)
{
	static const unsigned sizes[] = {8, 64, 16, 1024, 8};
	uint64_t next = 1, expected = 1;
	struct ring r;

	NEWER(can_resize());
	for (unsigned kind = 0; kind < 4; kind++) {
		open_deferred(&r, 8,
			(kind & 1 ? IORING_SETUP_SQE128 : 0) |
				(kind & 2 ? IORING_SETUP_CQE32 : 0));
		for (unsigned i = 0; i < 50; i++) {
			unsigned size = sizes[i % 5];

			for (unsigned k = 0; k < 5; k++)
				(void)ring_sqe(&r, IORING_OP_NOP, next++);
			CHECK_EQ(ring_submit(&r, 0), 5);
			(void)ring_sqe(&r, IORING_OP_NOP, next++); /* is not taken yet */
			resized(&r, size, size);
			CHECK_EQ(ring_ready(&r), 5u);
			CHECK_EQ(ring_submit(&r, 6), 1);
			for (unsigned k = 0; k < 6; k++)
				RING_EXPECT(&r, expected++, 0);
		}
		ring_close(&r);
	}
}

enum { AREA_PAGES = 16 }; /* of queues in the program's memory, and as many of entries */

/* The queues of a ring in the program's memory move to `to`, with other sizes. */
static int move_own(struct ring *r, char *to, unsigned sq, unsigned cq)
{
	struct io_uring_params p = {
		.sq_entries = sq, .cq_entries = cq, .flags = IORING_SETUP_CQSIZE};

	p.cq_off.resv2 = (uintptr_t)to;
	p.sq_off.resv2 = (uintptr_t)to + AREA_PAGES * PAGE;
	memset(to, 0xff, 2 * AREA_PAGES * PAGE);
	if (ring_register(r->fd, IORING_REGISTER_RESIZE_RINGS, &p, 1))
		return -1;
	CHECK_EQ(p.cq_off.resv2, (uintptr_t)to);
	r->p = p;
	r->rings = to;
	r->sqes = to + AREA_PAGES * PAGE;
	return 0;
}

TEST(ring_setup, queues_in_the_program_s_memory_move)
{
	static const unsigned sizes[] = {8, 64, 16, 128, 8};
	uint64_t next = 1, expected = 1;
	char *area[2], *was = NULL;
	struct ring r;

	NEWER(can_resize());
	for (unsigned i = 0; i < 2; i++)
		area[i] = map_pages(2 * AREA_PAGES);
	open_own(&r, 8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, area[1],
		AREA_PAGES);
	CHECK_ERRNO(resize(&r, 8, 0, 0), EFAULT); /* there is no other memory */
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 5; k++)
			(void)ring_sqe(&r, IORING_OP_NOP, next++);
		CHECK_EQ(ring_submit(&r, 0), 5);
		(void)ring_sqe(&r, IORING_OP_NOP, next++); /* is not taken yet */
		for (unsigned at = 0; was && at < 2 * AREA_PAGES * PAGE; at++)
			CHECK_EQ((unsigned char)was[at], 0xee);
		was = r.rings;
		CHECK_EQ(move_own(&r, area[i % 2], sizes[i % 5], sizes[i % 5]), 0);
		memset(was, 0xee, 2 * AREA_PAGES * PAGE); /* where nobody looks or writes */
		CHECK_EQ(ring_ready(&r), 5u);
		CHECK_EQ(ring_submit(&r, 6), 1);
		for (unsigned k = 0; k < 6; k++)
			RING_EXPECT(&r, expected++, 0);
	}
	CHECK_OK(close(r.fd));
}

TEST(ring_setup, what_does_not_fit_keeps_its_size)
{
	struct ring r;

	NEWER(can_resize());
	ring_open(&r, 8, 0);
	CHECK_ERRNO(resize(&r, 8, 0, 0), EINVAL);
	ring_close(&r);
	open_deferred(&r, 8, 0);
	CHECK_ERRNO(resize(&r, 0, 0, 0), EINVAL);
	CHECK_ERRNO(resize(&r, 1 << 20, 0, 0), EINVAL);
	CHECK_ERRNO(resize(&r, 8, 0, IORING_SETUP_CQE32), EINVAL);
	CHECK_ERRNO(resize(&r, 8, 4, IORING_SETUP_CQSIZE), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RESIZE_RINGS, NULL, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RESIZE_RINGS, (void *)8, 1), EFAULT);
	CHECK_EQ(resize(&r, 1 << 20, 0, IORING_SETUP_CLAMP), 0);
	resized(&r, 8, 16);
	for (unsigned i = 0; i < 7; i++)
		(void)ring_sqe(&r, IORING_OP_NOP, 1 + i);
	CHECK_ERRNO(resize(&r, 4, 8, IORING_SETUP_CQSIZE), EOVERFLOW);
	CHECK_EQ(ring_submit(&r, 0), 7);
	CHECK_ERRNO(resize(&r, 2, 4, IORING_SETUP_CQSIZE), EOVERFLOW);
	for (unsigned i = 0; i < 7; i++)
		(void)ring_sqe(&r, IORING_OP_NOP, 8 + i);
	CHECK_EQ(ring_submit(&r, 0), 7);
	for (unsigned i = 0; i < 4; i++)
		(void)ring_sqe(&r, IORING_OP_NOP, 15 + i);
	CHECK_EQ(ring_submit(&r, 0), 4);
	CHECK(ring_load(&r, r.p.sq_off.flags) & IORING_SQ_CQ_OVERFLOW);
	CHECK_ERRNO(resize(&r, 64, 0, 0), EOVERFLOW);
	for (unsigned i = 0; i < 3; i++)
		RING_EXPECT(&r, 1 + i, 0);
	resized(&r, 64, 64); /* there is room for those that had none */
	CHECK_EQ(ring_ready(&r), 15u);
	for (unsigned i = 3; i < 18; i++)
		RING_EXPECT(&r, 1 + i, 0);
	ring_close(&r);
}

/* What the program writes to its completions is believed only as far as nobody else is harmed: it may be no length. */
TEST(ring_setup, completions_that_say_what_is_not_are_not_moved)
{
	struct io_uring_cqe *cqe;
	struct ring r;

	NEWER(can_resize() && ring_has_setup(IORING_SETUP_CQE_MIXED));
	open_deferred(&r, 8, IORING_SETUP_CQE_MIXED);
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	cqe = (struct io_uring_cqe *)((char *)r.rings + r.p.cq_off.cqes);
	cqe->flags |= IORING_CQE_F_32; /* and there is no second half */
	CHECK_ERRNO(resize(&r, 16, 0, 0), EOVERFLOW);
	cqe->flags &= ~IORING_CQE_F_32;
	resized(&r, 16, 16);
	RING_EXPECT(&r, 1, 0);
	ring_close(&r);
}

struct sender {
	int fd, nr;
};

static void *send_messages(void *arg)
{
	struct sender *s = arg;
	struct ring from;

	ring_open(&from, 8, 0);
	for (int i = 0; i < s->nr; i++) {
		struct io_uring_sqe *sqe = ring_next(&from, IORING_OP_MSG_RING, s->fd);

		sqe->off = (uint64_t)i;
		CHECK_EQ(ring_run(&from).res, 0);
	}
	ring_close(&from);
	return NULL;
}

/* The queues that the program has mapped become others of these sizes, if what is in them fits. */
static bool try_to_resize(struct ring *r, unsigned sq, unsigned cq)
{
	struct io_uring_params p = {
		.sq_entries = sq, .cq_entries = cq, .flags = IORING_SETUP_CQSIZE};

	if (ring_register(r->fd, IORING_REGISTER_RESIZE_RINGS, &p, 1))
		return false;
	CHECK_OK(munmap(r->rings, r->rings_size));
	CHECK_OK(munmap(r->sqes, r->sqes_size));
	r->p = p;
	ring_map(r);
	return true;
}

/* With two areas: in the program's memory, now in the one and then in the other. */
static void resize_while_another_posts(char *const area[2], unsigned flags)
{
	/* in the program's memory each move waits for all who look at the old one */
	const unsigned messages = area ? 4000 : 20000;
	struct sender s = {.nr = (int)messages};
	uint64_t next = 0;
	pthread_t thread;
	unsigned at = 1;
	struct ring r;

	if (area)
		open_own(&r, 8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | flags,
			area[0], AREA_PAGES);
	else
		open_deferred(&r, 8, flags);
	s.fd = r.fd;
	CHECK_EQ(pthread_create(&thread, NULL, send_messages, &s), 0);
	for (unsigned i = 0; next < messages; i++) {
		unsigned sq = 8u << i % 5, cq = 256u << i % 3;
		struct ring_result got;

		if (area ? move_own(&r, area[at], sq, cq) == 0 : try_to_resize(&r, sq, cq))
			at ^= 1;
		else
			CHECK_EQ(errno, EOVERFLOW);
		CHECK_OK(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS));
		while (ring_peek(&r, &got)) {
			CHECK_EQ(got.user_data, next);
			next++;
		}
	}
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_OK(close(r.fd));
}

TEST_WITHIN(ring_setup, a_ring_is_resized_while_another_posts, 60)
{
	NEWER(can_resize());
	resize_while_another_posts(NULL, 0);
}

TEST_WITHIN(ring_setup, a_ring_of_the_program_s_memory_is_resized_while_another_posts, 60)
{
	char *const area[2] = {map_pages(2 * AREA_PAGES), map_pages(2 * AREA_PAGES)};

	NEWER(can_resize());
	resize_while_another_posts(area, IORING_SETUP_TASKRUN_FLAG);
}

TEST(ring_setup, no_network_card_is_polled)
{
	uint64_t words[16] = {0};
	struct ring r;

	NEWER(ring_has_setup(IORING_SETUP_NO_MMAP));
	ring_open(&r, 8, 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_NAPI, NULL, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_NAPI, words, 0), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_NAPI, words, 1), EOPNOTSUPP);
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_NAPI, words, 1), EOPNOTSUPP);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_ZCRX_IFQ, words, 1), EOPNOTSUPP);
	ring_close(&r);
}

/* ---- Entries of two sizes ---- */

struct mixed_result {
	uint64_t user_data, big[2];
	int res;
	bool is_long;
	unsigned nr_skipped; /* places before it that say nothing */
};

static bool take_mixed(struct ring *r, struct mixed_result *out)
{
	struct io_uring_cqe *cqes =
		(struct io_uring_cqe *)(void *)(r->rings + r->p.cq_off.cqes);
	unsigned head = *ring_word(r, r->p.cq_off.head);

	*out = (struct mixed_result){0};
	for (;; head++, out->nr_skipped++) {
		const struct io_uring_cqe *cqe = &cqes[head & (r->p.cq_entries - 1)];

		if (head == ring_load(r, r->p.cq_off.tail))
			return false;
		if (cqe->flags & IORING_CQE_F_SKIP)
			continue;
		out->user_data = cqe->user_data;
		out->res = cqe->res;
		out->is_long = cqe->flags & IORING_CQE_F_32;
		if (out->is_long) {
			CHECK((head & (r->p.cq_entries - 1)) != r->p.cq_entries - 1);
			memcpy(out->big, cqe + 1, sizeof(out->big));
		}
		head += out->is_long ? 2 : 1;
		break;
	}
	__atomic_store_n(ring_word(r, r->p.cq_off.head), head, __ATOMIC_RELEASE);
	return true;
}

static void put_long(struct ring *r, uint64_t data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_NOP, data);

	sqe->rw_flags = IORING_NOP_CQE32;
	sqe->off = data + 1000;
	sqe->addr = data + 2000;
}

static void expect_mixed(struct ring *r, uint64_t data, bool is_long, unsigned nr_skipped)
{
	struct mixed_result got;

	CHECK(take_mixed(r, &got));
	CHECK_EQ(got.user_data, data);
	CHECK_EQ(got.res, 0);
	CHECK_EQ(got.is_long, is_long);
	CHECK_EQ(got.nr_skipped, nr_skipped);
	if (is_long) {
		CHECK_EQ(got.big[0], data + 1000);
		CHECK_EQ(got.big[1], data + 2000);
	}
}

TEST(ring_setup, completions_of_two_sizes)
{
	struct io_uring_params p = {.cq_entries = 1};
	struct ring r;

	NEWER(ring_has_setup(IORING_SETUP_CQE_MIXED));
	p.flags = IORING_SETUP_CQE_MIXED | IORING_SETUP_CQSIZE;
	CHECK_ERRNO(ring_setup(1, &p), EOVERFLOW);
	ring_open(&r, 4, 0);
	put_long(&r, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, -EINVAL);
	ring_close(&r);
	ring_open(&r, 4, IORING_SETUP_CQE_MIXED); /* 8 completions */
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	put_long(&r, 2);
	put_long(&r, 3);
	CHECK_EQ(ring_submit(&r, 0), 3);
	CHECK_EQ(ring_ready(&r), 5u);
	expect_mixed(&r, 1, false, 0);
	expect_mixed(&r, 2, true, 0);
	expect_mixed(&r, 3, true, 0);
	(void)ring_sqe(&r, IORING_OP_NOP, 4);
	(void)ring_sqe(&r, IORING_OP_NOP, 5);
	put_long(&r, 6); /* in place 7 it would wrap around */
	CHECK_EQ(ring_submit(&r, 0), 3);
	expect_mixed(&r, 4, false, 0);
	expect_mixed(&r, 5, false, 0);
	expect_mixed(&r, 6, true, 1);
	ring_close(&r);
}

/* All are waited for, but the next needs two places where one is free. */
TEST(ring_setup, completions_of_two_sizes_are_as_many_as_fit)
{
	struct ring r;

	NEWER(ring_has_setup(IORING_SETUP_CQE_MIXED));
	ring_open(&r, 4, IORING_SETUP_CQE_MIXED); /* 8 completions */
	(void)ring_sqe(&r, IORING_OP_NOP, 0);
	CHECK_EQ(ring_submit(&r, 0), 1);
	expect_mixed(&r, 0, false, 0);
	for (unsigned i = 1; i <= 3; i++)
		put_long(&r, i);
	(void)ring_sqe(&r, IORING_OP_NOP, 4);
	CHECK_EQ(ring_submit(&r, 0), 4);
	put_long(&r, 5);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 7u);
	CHECK_EQ(ring_enter(r.fd, 0, 8, IORING_ENTER_GETEVENTS), 0);
	CHECK_EQ(ring_ready(&r), 7u);
	expect_mixed(&r, 1, true, 0);
	CHECK_EQ(ring_enter(r.fd, 0, 6, IORING_ENTER_GETEVENTS), 0);
	CHECK_EQ(ring_ready(&r), 7u);
	ring_close(&r);
}

TEST(ring_setup, completions_of_two_sizes_that_find_no_room)
{
	struct mixed_result got;
	struct ring r;

	NEWER(ring_has_setup(IORING_SETUP_CQE_MIXED));
	for (unsigned entries = 1; entries <= 4; entries *= 2) {
		uint64_t expected = 0;

		ring_open(&r, entries, IORING_SETUP_CQE_MIXED);
		for (unsigned i = 0; i < 60; i++) {
			if (i % 3)
				put_long(&r, i);
			else
				(void)ring_sqe(&r, IORING_OP_NOP, i);
			CHECK_EQ(ring_submit(&r, 0), 1);
		}
		while (expected < 60) {
			while (take_mixed(&r, &got)) {
				CHECK_EQ(got.user_data, expected);
				CHECK_EQ(got.is_long, expected % 3 != 0);
				CHECK(!got.is_long || got.big[1] == expected + 2000);
				expected++;
			}
			__atomic_store_n(ring_word(&r, r.p.cq_off.head),
				ring_load(&r, r.p.cq_off.tail), __ATOMIC_RELEASE);
			CHECK_OK(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS));
		}
		ring_close(&r);
	}
}

TEST(ring_setup, entries_of_two_sizes)
{
	struct io_uring_params p = {.flags = IORING_SETUP_SQE_MIXED};
	struct ring r;

	NEWER(ring_has_setup(IORING_SETUP_SQE_MIXED));
	CHECK_ERRNO(ring_setup(1, &p), EOVERFLOW);
	ring_open(&r, 4, 0);
	(void)ring_sqe(&r, IORING_OP_NOP128, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, -EINVAL);
	ring_close(&r);
	ring_open(&r, 4, IORING_SETUP_SQE128);
	(void)ring_sqe(&r, IORING_OP_NOP128, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 0);
	ring_close(&r);
	ring_open(&r, 4, IORING_SETUP_SQE_MIXED | IORING_SETUP_SUBMIT_ALL);
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	(void)ring_sqe(&r, IORING_OP_NOP128, 2);
	(void)ring_sqe(&r, 250, 3);              /* its second half, whatever is there */
	(void)ring_sqe(&r, IORING_OP_NOP128, 4); /* in the last place */
	CHECK_EQ(ring_submit(&r, 0), 4);
	RING_EXPECT(&r, 1, 0);
	RING_EXPECT(&r, 2, 0);
	RING_EXPECT(&r, 4, -EINVAL);
	(void)ring_sqe(&r, IORING_OP_NOP128, 5); /* of which half is submitted */
	CHECK_EQ(ring_submit(&r, 0), 1);
	RING_EXPECT(&r, 5, -EINVAL);
	ring_close(&r);
}

TEST(ring_setup, commands_have_no_driver)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	(void)ring_next(&r, IORING_OP_URING_CMD, fd[0]);
	CHECK_EQ(ring_run(&r).res, -EOPNOTSUPP);
	(void)ring_next(&r, IORING_OP_URING_CMD, 99);
	CHECK_EQ(ring_run(&r).res, -EBADF);
	sqe = ring_next(&r, IORING_OP_URING_CMD, fd[0]);
	sqe->uring_cmd_flags = 1u << 30;
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	ring_next(&r, IORING_OP_URING_CMD, fd[0])->__pad1 = 1;
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	ring_close(&r);
}
