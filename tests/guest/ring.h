// SPDX-License-Identifier: MIT
/*
 * A ring by bare system calls, for the tests of io_uring.
 *
 *     struct ring r;
 *
 *     ring_open(&r, 8, 0);
 *     *ring_sqe(&r, IORING_OP_NOP, 1) ...       an entry, zeroed, with its user_data
 *     CHECK_EQ(ring_submit(&r, 1), 1);          submits all, waits for so many completions
 *     cqe = ring_take(&r);                      the next completion, a copy; fails if there is none
 */
#pragma once

#include <linux/time_types.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "../../kernel/abi/io_uring.h"
#include "../../kernel/abi/torus.h"
#include "guest.h"

enum { PAGE = 4096 };

static inline char *map_pages(size_t nr)
{
	char *p = mmap(
		NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

struct ring {
	int fd;
	struct io_uring_params p;
	char *rings;
	char *sqes;
	size_t rings_size, sqes_size;
	unsigned to_submit;
};

struct ring_result {
	uint64_t user_data;
	int32_t res;
	uint32_t flags;
};

static inline int ring_setup(unsigned entries, struct io_uring_params *p)
{
	return (int)syscall(__NR_io_uring_setup, entries, p);
}

static inline int ring_enter(int fd, unsigned submit, unsigned wait, unsigned flags)
{
	return (int)syscall(__NR_io_uring_enter, fd, submit, wait, flags, NULL, 0);
}

static inline int ring_register(int fd, unsigned op, const void *arg, unsigned nr)
{
	return (int)syscall(__NR_io_uring_register, fd, op, arg, nr);
}

static inline unsigned *ring_word(const struct ring *r, unsigned offset)
{
	return (unsigned *)(void *)(r->rings + offset);
}

static inline unsigned ring_load(const struct ring *r, unsigned offset)
{
	return __atomic_load_n(ring_word(r, offset), __ATOMIC_ACQUIRE);
}

static inline void ring_map(struct ring *r)
{
	size_t cqe = r->p.flags & IORING_SETUP_CQE32 ? 32 : 16;
	size_t sqe = r->p.flags & IORING_SETUP_SQE128 ? 128 : 64;
	size_t sq, cq;

	sq = r->p.sq_off.array + r->p.sq_entries * sizeof(unsigned);
	cq = r->p.cq_off.cqes + r->p.cq_entries * cqe;
	r->rings_size = sq > cq ? sq : cq;
	r->sqes_size = r->p.sq_entries * sqe;
	r->rings = mmap(NULL, r->rings_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		r->fd, IORING_OFF_SQ_RING);
	CHECK(r->rings != MAP_FAILED);
	r->sqes = mmap(NULL, r->sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		r->fd, IORING_OFF_SQES);
	CHECK(r->sqes != MAP_FAILED);
}

/* With what p says already; the sizes come back in it. */
static inline void ring_open_with(struct ring *r, unsigned entries)
{
	r->to_submit = 0;
	CHECK_OK(r->fd = ring_setup(entries, &r->p));
	ring_map(r);
}

static inline void ring_open(struct ring *r, unsigned entries, unsigned flags)
{
	memset(r, 0, sizeof(*r));
	r->p.flags = flags;
	ring_open_with(r, entries);
}

static inline void ring_close(struct ring *r)
{
	CHECK_OK(munmap(r->rings, r->rings_size));
	CHECK_OK(munmap(r->sqes, r->sqes_size));
	CHECK_OK(close(r->fd));
}

/* Puts an entry into the queue, whole before a thread of the kernel may look; where it stands. */
static inline struct io_uring_sqe *ring_push(struct ring *r, struct io_uring_sqe entry)
{
	unsigned tail = *ring_word(r, r->p.sq_off.tail), at = tail & (r->p.sq_entries - 1);
	size_t size = r->p.flags & IORING_SETUP_SQE128 ? 128 : 64;
	struct io_uring_sqe *sqe = (struct io_uring_sqe *)(void *)(r->sqes + at * size);

	CHECK(tail - ring_load(r, r->p.sq_off.head) < r->p.sq_entries);
	memset(sqe, 0, size);
	*sqe = entry;
	ring_word(r, r->p.sq_off.array)[at] = at;
	__atomic_store_n(ring_word(r, r->p.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	r->to_submit++;
	return sqe;
}

/* The next entry, zeroed but for these, and already in the queue. */
static inline struct io_uring_sqe *ring_sqe(struct ring *r, unsigned opcode, uint64_t user_data)
{
	return ring_push(
		r, (struct io_uring_sqe){
			   .opcode = (uint8_t)opcode, .fd = -1, .user_data = user_data});
}

/* A byte from where the file stands. */
static inline struct io_uring_sqe *ring_read_byte(
	struct ring *r, int fd, char *to, uint64_t user_data)
{
	return ring_push(r, (struct io_uring_sqe){.opcode = IORING_OP_READ,
				    .fd = fd,
				    .addr = (uintptr_t)to,
				    .len = 1,
				    .off = UINT64_MAX,
				    .user_data = user_data});
}

/* Submits what was put in, waits for so many completions; what io_uring_enter says. */
static inline int ring_submit(struct ring *r, unsigned wait)
{
	unsigned nr = r->to_submit;

	r->to_submit = 0;
	return ring_enter(r->fd, nr, wait, wait ? IORING_ENTER_GETEVENTS : 0);
}

static inline unsigned ring_ready(const struct ring *r)
{
	return ring_load(r, r->p.cq_off.tail) - *ring_word(r, r->p.cq_off.head);
}

/* The next completion if there is one. */
static inline bool ring_peek(struct ring *r, struct ring_result *out)
{
	unsigned head = *ring_word(r, r->p.cq_off.head),
		 shift = r->p.flags & IORING_SETUP_CQE32 ? 1 : 0;
	struct io_uring_cqe *cqes =
		(struct io_uring_cqe *)(void *)(r->rings + r->p.cq_off.cqes);
	struct io_uring_cqe *cqe = &cqes[(head & (r->p.cq_entries - 1)) << shift];

	if (head == ring_load(r, r->p.cq_off.tail))
		return false;
	*out = (struct ring_result){cqe->user_data, cqe->res, cqe->flags};
	__atomic_store_n(ring_word(r, r->p.cq_off.head), head + 1, __ATOMIC_RELEASE);
	return true;
}

/* The next completion, for which it waits. */
static inline struct ring_result ring_take(struct ring *r)
{
	struct ring_result result;

	while (!ring_peek(r, &result))
		CHECK_OK(ring_enter(r->fd, 0, 1, IORING_ENTER_GETEVENTS));
	return result;
}

/* The next completion is this one. */
#define RING_EXPECT(r, data, res_)                                                             \
	do {                                                                                   \
		struct ring_result ring_got_ = ring_take(r);                                   \
		CHECK_EQ(ring_got_.user_data, (uint64_t)(data));                               \
		CHECK_EQ(ring_got_.res, (int32_t)(res_));                                      \
	} while (0)

/* The next nr completions, in whatever order: that of `data` has the result want[data]. */
static inline void ring_expect_all(struct ring *r, unsigned nr, const int *want)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < nr; i++) {
		struct ring_result got = ring_take(r);

		CHECK(got.user_data < 64 && !(seen & 1ull << got.user_data));
		seen |= 1ull << got.user_data;
		CHECK_EQ(got.res, want[got.user_data]);
	}
}
#define RING_EXPECT_ALL(r, nr, ...) ring_expect_all(r, nr, (const int[]){0, __VA_ARGS__})

/* ---- Shorter, where user_data does not matter ---- */

static inline struct io_uring_sqe *ring_next(struct ring *r, unsigned opcode, int fd)
{
	struct io_uring_sqe *sqe = ring_sqe(r, opcode, 0);

	sqe->fd = fd;
	return sqe;
}

/* A read, write, send or recv. */
static inline struct io_uring_sqe *ring_next_rw(
	struct ring *r, unsigned opcode, int fd, const void *buf, unsigned len, uint64_t off)
{
	struct io_uring_sqe *sqe = ring_next(r, opcode, fd);

	sqe->addr = (uintptr_t)buf;
	sqe->len = len;
	sqe->off = off;
	return sqe;
}

/* Submits the one entry that was put in: its completion. */
static inline struct ring_result ring_run(struct ring *r)
{
	CHECK_EQ(ring_submit(r, 1), 1);
	return ring_take(r);
}

/* Whether the kernel knows these flags of a ring: it says so itself, if it is new enough to be asked. */
static inline bool ring_has_setup(uint64_t flags)
{
	struct io_uring_query_opcode opcodes = {0};
	struct io_uring_query_hdr hdr = {.query_data = (uintptr_t)&opcodes,
		.query_op = IO_URING_QUERY_OPCODES,
		.size = sizeof(opcodes)};

	return ring_register(-1, IORING_REGISTER_QUERY, &hdr, 0) == 0 &&
	       (opcodes.ring_setup_flags & flags) == flags;
}

/* Whether IORING_REGISTER_PROBE names the operation. */
static inline bool ring_has_op(struct ring *r, unsigned opcode)
{
	struct {
		struct io_uring_probe probe;
		struct io_uring_probe_op ops[256];
	} all = {0};

	CHECK_OK(ring_register(r->fd, IORING_REGISTER_PROBE, &all, 256));
	return opcode < all.probe.ops_len && all.ops[opcode].flags & IO_URING_OP_SUPPORTED;
}

/* The same, by a ring of its own. */
static inline bool kernel_has_op(unsigned opcode)
{
	struct ring r;
	bool has;

	ring_open(&r, 4, 0);
	has = ring_has_op(&r, opcode);
	ring_close(&r);
	return has;
}

/* What only Torus has, for NEWER(): calls and programs as requests. */
static inline bool has_calls(void)
{
	return kernel_has_op(TORUS_OP_SYSCALL);
}

static inline bool has_spawn(void)
{
	return kernel_has_op(TORUS_OP_SPAWN);
}
