// SPDX-License-Identifier: MIT
/*
 * The fuzzer of rings (ktest_fuzz.c): io_uring_setup and io_uring_register.
 */
#include "arch/sim/test/fuzz.h"

#include "lib/string.h"

#include <linux/mman.h>

/* ---- A ring ---- */

static const uint32_t kinds[] = {0,
	IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
		IORING_SETUP_NO_MMAP,
	IORING_SETUP_SQPOLL, IORING_SETUP_SQPOLL | IORING_SETUP_ATTACH_WQ,
	IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	IORING_SETUP_SQE128 | IORING_SETUP_CQE32,
	IORING_SETUP_SQE_MIXED | IORING_SETUP_CQE_MIXED,
	IORING_SETUP_NO_SQARRAY | IORING_SETUP_SUBMIT_ALL, IORING_SETUP_IOPOLL,
	IORING_SETUP_R_DISABLED, IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER,
	IORING_SETUP_NO_MMAP, IORING_SETUP_CQSIZE, IORING_SETUP_ATTACH_WQ};

static unsigned index_of(const struct fuzz_ring *r)
{
	return (unsigned)(r - fuzz_rings);
}

int fuzz_fd_of(const struct fuzz_ring *r)
{
	return FIRST_RING + (int)index_of(r);
}

static uint64_t map_queue(int fd, size_t size, uint64_t offset)
{
	int64_t at = SIM_CALL(__NR_mmap, 0, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_POPULATE, (uint64_t)fd, offset);

	return at < 0 ? 0 : (uint64_t)at;
}

/* At its usual number, with its queues mapped; what was there before stays mapped. */
static void take_up(struct fuzz_ring *r, int64_t fd, const struct io_uring_params *p)
{
	size_t cqe = p->flags & IORING_SETUP_CQE32 ? 32 : 16,
	       sqe = p->flags & IORING_SETUP_SQE128 ? 128 : 64;
	struct fuzz_ring new = {.is_made = true, .p = *p};

	(void)SIM_CALL(__NR_dup2, (uint64_t)fd, (uint64_t)fuzz_fd_of(r));
	(void)SIM_CALL(__NR_close, (uint64_t)fd);
	if (p->flags & IORING_SETUP_NO_MMAP) {
		new.queues = p->cq_off.resv2;
		new.entries = p->sq_off.resv2;
	} else {
		new.queues = map_queue(fuzz_fd_of(r),
			p->cq_off.cqes + p->cq_entries * cqe + p->sq_entries * sizeof(uint32_t),
			IORING_OFF_SQ_RING);
		new.entries = map_queue(fuzz_fd_of(r), p->sq_entries * sqe, IORING_OFF_SQES);
	}
	if (new.queues &&new.entries)
		*r = new;
}

void fuzz_setup(struct fuzz_ring *r, const uint8_t byte[FUZZ_BYTES])
{
	uint64_t at, mine = QUEUES_AT + index_of(r) * QUEUES_SIZE;
	struct io_uring_params p = {
		.flags = kinds[byte[0] % ARRAY_LEN(kinds)] | (byte[1] ? 1u << byte[1] % 20 : 0),
		.cq_entries = byte[3],
		.sq_thread_idle = 1,
		.wq_fd = FIRST_RING + byte[4] % NR_RINGS,
		.cq_off.resv2 = mine,
		.sq_off.resv2 = mine + ENTRIES_IN_QUEUES,
	};
	int64_t fd;

	at = sim_scratch(&p, sizeof(p));
	fd = SIM_CALL(__NR_io_uring_setup, byte[2] ? byte[2] % 34 : 8, at);
	while (!sim_load(&p, at, sizeof(p)))
		;
	if (fd >= 0 && !(p.flags & IORING_SETUP_REGISTERED_FD_ONLY))
		take_up(r, fd, &p);
}

/* ---- Registering ---- */

enum {
	WORDS = 16,
	USER_SQ_WORD = offsetof(struct io_uring_params, sq_off.resv2) / 8,
	USER_CQ_WORD = offsetof(struct io_uring_params, cq_off.resv2) / 8,
};

/* Its argument, as words; returns how many of what. */
static unsigned fill(uint64_t w[WORDS], unsigned op, const uint8_t *b)
{
	switch (op) {
	case IORING_REGISTER_EVENTFD:
	case IORING_REGISTER_EVENTFD_ASYNC:
		w[0] = b[2] ? fuzz_draw('f', b[2]) : 11;
		return 1;
	case IORING_REGISTER_FILES_UPDATE:
		w[0] = b[2] % 10;
		w[1] = fuzz_draw('D', b[3]);
		return 1 + b[4] % 8;
	case IORING_REGISTER_FILES_UPDATE2:
		w[0] = b[2] % 10;
		w[1] = fuzz_draw('D', b[3]);
		w[2] = b[5] & 1 ? fuzz_draw('b', b[5]) : 0;
		w[3] = 1 + b[4] % 8;
		return 32;
	case IORING_REGISTER_BUFFERS_UPDATE:
		w[0] = b[2] % 10;
		w[1] = fuzz_draw('v', b[3]);
		w[2] = b[5] & 1 ? fuzz_draw('b', b[5]) : 0;
		w[3] = 1 + b[4] % 4;
		return 32;
	case IORING_REGISTER_FILES2:
	case IORING_REGISTER_BUFFERS2:
		w[0] = (1 + b[2] % 8) | (uint64_t)(b[3] & 1) << 32;
		w[2] = b[3] & 1 ? 0 : fuzz_draw(op == IORING_REGISTER_FILES2 ? 'D' : 'v', b[4]);
		w[3] = b[5] & 1 ? fuzz_draw('b', b[5]) : 0;
		return 32;
	case IORING_REGISTER_PROBE:
		return b[2];
	case IORING_UNREGISTER_PERSONALITY:
		return b[2] % 4;
	case IORING_REGISTER_RESTRICTIONS:
		for (unsigned i = 0; i < 6; i += 2)
			w[i] = b[2 + i] % 5 | (uint64_t)b[3 + i] << 16;
		return b[8] % 4;
	case IORING_REGISTER_IOWQ_AFF:
		w[0] = b[2];
		return 8;
	case IORING_REGISTER_IOWQ_MAX_WORKERS:
		w[0] = b[2] | (uint64_t)b[3] << 32;
		return 2;
	case IORING_REGISTER_RING_FDS:
	case IORING_UNREGISTER_RING_FDS:
		w[0] = b[2] < 0x80 ? UINT32_MAX : b[2] % 17u;
		w[1] = FIRST_RING + b[3] % NR_RINGS;
		return 1;
	case IORING_REGISTER_PBUF_RING:
	case IORING_UNREGISTER_PBUF_RING:
		w[0] = b[5] & IOU_PBUF_RING_MMAP ? 0
						 : GROUPS_AT + b[2] % NR_GROUPS * GROUP_SIZE;
		w[1] = (b[4] ? 1u << b[4] % 7 : 64) | (uint64_t)(b[2] % 8) << 32 |
		       (uint64_t)(b[5] & 3) << 48;
		return 1;
	case IORING_REGISTER_SYNC_CANCEL:
		w[0] = b[2] % 16;
		w[1] = fuzz_draw('f', b[3]) | (uint64_t)b[4] << 32;
		w[3] = b[5] * 1000ul; /* nanoseconds */
		w[4] = b[6];
		return 1;
	case IORING_REGISTER_FILE_ALLOC_RANGE:
		w[0] = b[2] % 10 | (uint64_t)(b[3] % 10) << 32;
		return 0;
	case IORING_REGISTER_PBUF_STATUS:
		w[0] = b[2] % 8;
		return 1;
	case IORING_REGISTER_CLOCK:
		w[0] = b[2] & 1 ? 7 : 1; /* CLOCK_BOOTTIME, CLOCK_MONOTONIC */
		return 0;
	case IORING_REGISTER_CLONE_BUFFERS:
		w[0] = (FIRST_RING + b[2] % NR_RINGS) | (uint64_t)(b[3] & 3) << 32;
		w[1] = b[4] % 4 | (uint64_t)(b[5] % 4) << 32;
		w[2] = b[6] % 4;
		return 1;
	case IORING_REGISTER_RESIZE_RINGS:
		w[0] = (1 + b[2] % 64) | (uint64_t)(1 + b[3] % 64) << 32;
		w[1] = b[4] & 1 ? IORING_SETUP_CQSIZE : b[4] & 2 ? IORING_SETUP_CLAMP : 0;
		w[USER_SQ_WORD] = QUEUES_AT + b[5] % NR_RINGS * QUEUES_SIZE; /* NO_MMAP */
		w[USER_CQ_WORD] = QUEUES_AT + b[6] % NR_RINGS * QUEUES_SIZE + ENTRIES_IN_QUEUES;
		return 1;
	default:
		for (unsigned i = 0; i < 8; i++)
			w[i] = fuzz_draw('b', b[2 + i]);
		return b[10] % 4;
	}
}

static void register_region(int fd, const uint8_t *b)
{
	struct io_uring_region_desc desc = {
		.user_addr = b[2] & 1 ? DATA_AT + PAGE_SIZE * (b[3] % 8) : 0,
		.size = PAGE_SIZE * (1 + b[4] % 4),
		.flags = b[2] & 1 ? IORING_MEM_REGION_TYPE_USER : 0};
	struct io_uring_mem_region_reg reg = {
		.region_uptr = sim_scratch(&desc, sizeof(desc)), .flags = b[5] & 1};

	(void)SIM_CALL(__NR_io_uring_register, (uint64_t)fd, IORING_REGISTER_MEM_REGION,
		sim_scratch(&reg, sizeof(reg)), 1);
}

/* A message without a ring of one's own. */
static void send_message(const uint8_t *b)
{
	struct io_uring_sqe e = {.opcode = IORING_OP_MSG_RING,
		.fd = FIRST_RING + b[2] % NR_RINGS,
		.len = b[3],
		.off = b[4] % 16,
		.msg_ring_flags = b[5]};

	(void)SIM_CALL(__NR_io_uring_register, (uint64_t)-1, IORING_REGISTER_SEND_MSG_RING,
		sim_scratch(&e, sizeof(e)), 1);
}

/* Those whose argument is not a structure of words. */
static uint64_t array_of(unsigned op, const uint8_t *b)
{
	switch (op) {
	case IORING_REGISTER_BUFFERS:
		return fuzz_draw('v', b[2]);
	case IORING_REGISTER_FILES:
		return fuzz_draw('D', b[2]);
	default:
		return 0;
	}
}

/* Those that want no argument. */
static bool is_bare(unsigned op)
{
	return op == IORING_UNREGISTER_BUFFERS || op == IORING_UNREGISTER_FILES ||
	       op == IORING_UNREGISTER_EVENTFD || op == IORING_REGISTER_PERSONALITY ||
	       op == IORING_UNREGISTER_PERSONALITY || op == IORING_REGISTER_ENABLE_RINGS ||
	       op == IORING_UNREGISTER_IOWQ_AFF;
}

void fuzz_register(struct fuzz_ring *r, const uint8_t byte[FUZZ_BYTES])
{
	unsigned op = byte[0] % RING_REGISTER_OPS, nr;
	uint64_t words[WORDS] = {0}, at;

	if (op == IORING_REGISTER_MEM_REGION) {
		register_region(fuzz_fd_of(r), byte);
		return;
	}
	if (op == IORING_REGISTER_SEND_MSG_RING) {
		send_message(byte);
		return;
	}
	at = array_of(op, byte);
	if (at) {
		nr = 1 + byte[3] % 8;
	} else if (is_bare(op) && byte[1] < 0xf0) {
		nr = op == IORING_UNREGISTER_PERSONALITY ? byte[2] % 4 : 0;
	} else {
		nr = fill(words, op, byte);
		at = sim_scratch(words, sizeof(words));
	}
	(void)SIM_CALL(__NR_io_uring_register, (uint64_t)fuzz_fd_of(r), op, at, nr);
}
