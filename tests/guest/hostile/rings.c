// SPDX-License-Identifier: MIT
/*
 * The walk of rings: a victim's threads make rings of every kind, fill in entries that no well-meaning
 * program would, register what comes to hand, and write into the shared memory of each other's rings
 * while the kernel reads it: heads, tails, arrays, entries that are being submitted.
 *
 * A ring that is closed stays mapped, so that whoever meddles with it does not end the victim.
 */
#include "hostile.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "../../../kernel/abi/io_uring.h"
#include "../../../kernel/abi/torus.h"

#define ONE_OF(state, set) ((set)[below(state, sizeof(set) / sizeof(*(set)))])

enum {
	RINGS = 4,
	TURNS = 600, /* of each thread */
	CHILD_TURNS = 20,
	WORDS = 16, /* of the head of a ring's memory, which one meddles with */
};

struct ring {
	int fd;
	unsigned flags, sq_entries, cq_entries, array, cqes;
	uint32_t *rings; /* NULL: nobody has made it yet */
	char *sqes;
	size_t rings_size, sqes_size;
	_Atomic unsigned sq_tail;
	unsigned tail_at, head_at, cq_tail_at, cq_head_at;
};

static struct ring rings[RINGS]; /* by all threads, without a lock */

static const unsigned kinds[] = {0, 0, IORING_SETUP_SQPOLL,
	IORING_SETUP_SQPOLL | IORING_SETUP_ATTACH_WQ,
	IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	IORING_SETUP_SQE128 | IORING_SETUP_CQE32,
	IORING_SETUP_SQE_MIXED | IORING_SETUP_CQE_MIXED,
	IORING_SETUP_NO_SQARRAY | IORING_SETUP_SUBMIT_ALL, IORING_SETUP_IOPOLL,
	IORING_SETUP_R_DISABLED, IORING_SETUP_NO_MMAP, IORING_SETUP_CQSIZE};

/* ---- Making one ---- */

static void *map(int fd, uint64_t offset, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		(off_t)offset);
}

static void take_up(struct ring *r, int fd, const struct io_uring_params *p)
{
	bool is_own = p->flags & IORING_SETUP_NO_MMAP;
	size_t cqe = p->flags & IORING_SETUP_CQE32 ? 32 : 16,
	       sqe = p->flags & IORING_SETUP_SQE128 ? 128 : 64;
	struct ring new = {.fd = fd,
		.flags = p->flags,
		.sq_entries = p->sq_entries,
		.cq_entries = p->cq_entries,
		.array = p->sq_off.array / 4,
		.cqes = p->cq_off.cqes,
		.tail_at = p->sq_off.tail / 4,
		.head_at = p->sq_off.head / 4,
		.cq_tail_at = p->cq_off.tail / 4,
		.cq_head_at = p->cq_off.head / 4};

	new.rings_size = p->cq_off.cqes + p->cq_entries *cqe + p->sq_entries * 4ul;
	new.sqes_size = p->sq_entries *sqe;
	new.rings =
		is_own ? (void *)p->cq_off.resv2 : map(fd, IORING_OFF_SQ_RING, new.rings_size);
	new.sqes = is_own ? (void *)p->sq_off.resv2 : map(fd, IORING_OFF_SQES, new.sqes_size);
	if (new.rings != MAP_FAILED && (void *)new.sqes != MAP_FAILED)
		*r = new;
}

static void make_ring(uint64_t *s, struct ring *r)
{
	struct io_uring_params p = {.flags = ONE_OF(s, kinds)};
	long fd;

	if (below(s, 10) == 0)
		p.flags ^= 1u << below(s, 20);
	p.cq_entries = (unsigned)below(s, 64);
	p.sq_thread_idle = 1;
	p.wq_fd = (unsigned)rings[below(s, RINGS)].fd;
	p.cq_off.resv2 = TO_TARGETS;
	p.sq_off.resv2 = TO_TARGETS + 0x8000;
	fd = syscall(SYS_io_uring_setup, 1 + below(s, 33), &p);
	if (fd >= 0 && !(p.flags & IORING_SETUP_REGISTERED_FD_ONLY))
		take_up(r, (int)fd, &p);
}

/* ---- Entries ---- */

static uint32_t some_fd(uint64_t *s)
{
	return (uint32_t)(below(s, 6) ? draw_descriptor(s)
				      : (uint64_t)rings[below(s, RINGS)].fd);
}

static uint64_t some_address(uint64_t *s)
{
	const struct ring *r = &rings[below(s, RINGS)];

	switch (below(s, 8)) {
	case 0:
		return (uintptr_t)r->rings + below(s, 8192);
	case 1:
		return (uintptr_t)r->sqes + below(s, 512);
	case 2:
		return FLICKERING + below(s, 8192);
	case 3:
		return draw_path(s);
	default:
		return draw_pointer(s);
	}
}

static uint64_t some_number(uint64_t *s)
{
	switch (below(s, 5)) {
	case 0:
		return draw_size(s);
	case 1:
		return draw_flags(s);
	case 2:
		return some_address(s);
	default:
		return below(s, 4);
	}
}

static void draw_call_entry(uint64_t *s, bool is_root, struct io_uring_sqe *e)
{
	const struct call *call = &hostile_calls[below(s, nr_hostile_calls)];
	uint64_t args[6];

	if ((is_root && is_machine_wide(call->nr)) || is_final(call->nr))
		return;
	draw_arguments(s, call, args);
	e->opcode = TORUS_OP_SYSCALL;
	e->fd = call->nr;
	e->off = args[0];
	e->addr = args[1];
	e->len = (uint32_t)args[2];
	e->rw_flags = (int)(args[2] >> 32);
	e->addr3 = args[3];
	e->__pad2[0] = args[4];
	e->file_index = (uint32_t)args[5];
}

static struct io_uring_sqe draw_entry(uint64_t *s, bool is_root)
{
	struct io_uring_sqe e = {.opcode = (uint8_t)below(s, RING_OPS + 1),
		.fd = (int)some_fd(s),
		.user_data = below(s, 16)};

	if (e.opcode == RING_OPS && below(s, 8) == 0)
		e.opcode = TORUS_OP_SPAWN;
	if (below(s, 3) == 0)
		e.flags = (uint8_t)draw(s) & (uint8_t)draw(s) & 0x7f;
	if (below(s, 3))
		e.addr = some_address(s);
	if (below(s, 3))
		e.len = (uint32_t)some_number(s);
	if (below(s, 2))
		e.off = some_number(s);
	if (below(s, 3) == 0)
		e.rw_flags = (int)some_number(s);
	if (below(s, 4) == 0)
		e.buf_index = (uint16_t)below(s, 4);
	if (below(s, 4) == 0)
		e.ioprio = (uint16_t)draw_flags(s);
	if (below(s, 4) == 0)
		e.file_index = (uint32_t)some_number(s);
	if (below(s, 6) == 0)
		e.addr3 = some_number(s);
	if (below(s, 20) == 0)
		e.personality = (uint16_t)below(s, 3);
	if (below(s, 10) == 0)
		draw_call_entry(s, is_root, &e);
	return e;
}

static void put_entries(uint64_t *s, struct ring *r, bool is_root, unsigned nr)
{
	size_t size = r->flags & IORING_SETUP_SQE128 ? 128 : 64;

	for (unsigned i = 0; i < nr; i++) {
		unsigned tail = r->sq_tail++, at = tail & (r->sq_entries - 1);
		struct io_uring_sqe e = draw_entry(s, is_root);

		memcpy(r->sqes + at * size, &e, sizeof(e));
		if (r->array)
			r->rings[r->array + at] = below(s, 50) ? at : (uint32_t)draw(s);
		__atomic_store_n(&r->rings[r->tail_at], tail + 1, __ATOMIC_RELEASE);
	}
}

/* ---- Turns ---- */

static void submit(uint64_t *s, struct ring *r, bool is_root)
{
	static const unsigned ways[] = {IORING_ENTER_GETEVENTS, IORING_ENTER_GETEVENTS, 0,
		IORING_ENTER_SQ_WAKEUP, IORING_ENTER_SQ_WAIT | IORING_ENTER_SQ_WAKEUP};
	struct ring_getevents_arg arg = {
		.ts = (uintptr_t) & (struct __kernel_timespec){0, 500000}};
	unsigned nr = (unsigned)below(s, 5), flags = ONE_OF(s, ways);

	put_entries(s, r, is_root, nr);
	if (below(s, 30) == 0)
		flags ^= 1u << below(s, 9);
	(void)syscall(SYS_io_uring_enter, r->fd, below(s, 10) ? nr : below(s, 100), below(s, 3),
		flags | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

static void read_completions(struct ring *r)
{
	__atomic_store_n(&r->rings[r->cq_head_at],
		__atomic_load_n(&r->rings[r->cq_tail_at], __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
	(void)syscall(SYS_io_uring_enter, r->fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0);
}

/* A structure of numbers that may be pointers, and how many of what. */
static void register_something(uint64_t *s, struct ring *r)
{
	uint64_t words[WORDS] = {0};
	unsigned op = (unsigned)below(s, RING_REGISTER_OPS + 1);

	for (unsigned i = 0; i < WORDS; i++) {
		if (below(s, 3) == 0)
			words[i] = below(s, 2) ? some_number(s)
					       : below(s, 64) << 32 | below(s, 64);
	}
	if (op == IORING_REGISTER_SYNC_CANCEL) { /* a wait that ends */
		words[2] = 0;
		words[3] = 1000;
	}
	if (op == IORING_REGISTER_RESIZE_RINGS)
		memcpy(words,
			(uint32_t[4]){1 + below(s, 64), 1 + below(s, 64), below(s, 4) * 8}, 16);
	(void)syscall(SYS_io_uring_register, r->fd, op, below(s, 8) ? words : NULL,
		below(s, 2) ? 1 : below(s, 5));
}

/* Writes where the kernel reads. */
static void meddle(uint64_t *s, struct ring *r)
{
	uint64_t value = below(s, 2) ? draw(s) : some_number(s);

	switch (below(s, 4)) {
	case 0:
		r->rings[below(s, WORDS)] = (uint32_t)value;
		break;
	case 1:
		if (r->array)
			r->rings[r->array + below(s, r->sq_entries)] = (uint32_t)value;
		break;
	case 2:
		memcpy((char *)r->rings + r->cqes + below(s, r->cq_entries) * 16, &value, 8);
		break;
	default:
		for (int i = 0; i < 100; i++) /* while it is copied, with luck */
			((volatile uint8_t *)r->sqes)[below(s, r->sqes_size)] =
				(uint8_t)draw(s);
	}
}

static void turn(uint64_t *s, bool is_root)
{
	struct ring *r = &rings[below(s, RINGS)];

	switch (r->rings ? below(s, 32) : 0) {
	case 0:
		make_ring(s, r);
		break;
	case 1:
		close(r->fd);
		break;
	case 2:
		(void)mmap((void *)(ARENA + below(s, 16) * 4096), 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 3 ... 8:
		register_something(s, r);
		break;
	case 9 ... 12:
		meddle(s, r);
		break;
	case 13 ... 15:
		read_completions(r);
		break;
	default:
		submit(s, r, is_root);
	}
}

/* A child with the parent's rings goes on for a few turns, and may outlive it. */
static void fork_off(struct walk *w)
{
	if (fork() != 0)
		return;
	for (int i = 0; i < CHILD_TURNS; i++)
		turn(&w->chance, w->is_root);
	_exit(0);
}

bool has_new_rings(void)
{
	struct io_uring_query_hdr hdr = {.query_op = IO_URING_QUERY_OPCODES};

	return syscall(SYS_io_uring_register, -1, IORING_REGISTER_QUERY, &hdr, 0) == 0;
}

void walk_of_rings(struct walk *w)
{
	w->board->tid = (int)syscall(SYS_gettid);
	for (int i = 0; i < TURNS; i++) {
		if (below(&w->chance, TURNS) == 0)
			fork_off(w);
		if (below(&w->chance, 4 * TURNS) == 0)
			kill(getpid(), SIGKILL); /* whatever the others are at */
		turn(&w->chance, w->is_root);
		w->board->made++;
	}
	w->board->done = true;
}
