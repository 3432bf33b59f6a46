// SPDX-License-Identifier: MIT
/*
 * The parts of the fuzzer of rings (ktest_fuzz.c): the victim's memory and descriptors, and how a byte of an input
 * becomes a number, a pointer, a descriptor.
 */
#pragma once

#include "abi/io_uring.h"
#include "abi/torus.h"
#include "arch/sim/fuzz.h"
#include "arch/sim/program.h"

/* ---- Where a victim has its memory ---- */

#define FUZZ_AT   0x20000000ul
#define DATA_AT   FUZZ_AT             /* buffers; the words of futexes are here too */
#define THINGS_AT (FUZZ_AT + 0x10000) /* structures that calls read */
#define GROUPS_AT (FUZZ_AT + 0x14000) /* rings of provided buffers */
#define NOTICE_AT (FUZZ_AT + 0x15000) /* what a supervisor has heard */
#define READ_ONLY (FUZZ_AT + 0x16000)
#define FORBIDDEN (FUZZ_AT + 0x17000)
#define QUEUES_AT (FUZZ_AT + 0x20000) /* of rings in the program's memory */
#define FUZZ_END  (FUZZ_AT + 0x40000)
#define NOWHERE   0x30000000ul
#define PROGRAM   "/fuzzed" /* what is spawned */

enum {
	DATA_SIZE = 0x10000,
	GROUP_SIZE = 0x400, /* a ring of 64 buffers */
	NR_GROUPS = 4,
	QUEUES_SIZE = 0x8000,
	ENTRIES_IN_QUEUES = 0x4000,
	NR_RINGS = 4,
	FIRST_RING = 40, /* its descriptor; what the pool has is below OPENED */
	OPENED = 24,
	SUPERVISOR = 23, /* the listener of a filter, when there is one */
	NR_FDS = 48, /* that bytes name */
	NR_NAMES = 16,
	NAME_SIZE = 16,
};

struct fuzz_ring {
	bool is_made;
	struct io_uring_params p;
	uint64_t queues, entries;
	uint32_t sq_tail, cq_head;
	uint32_t nr_new;
};

extern struct fuzz_ring fuzz_rings[NR_RINGS]; /* of all threads, without a lock */

/* ---- ktest_fuzz_things.c ---- */
void fuzz_make_memory(void);
void fuzz_make_files(void);
void fuzz_put(uint64_t at, const void *from, size_t len);
/*
 * What a byte means where `letter` is expected: 'b' a buffer, 'v' vectors, ... (the table at the
 * definition). High values of the byte are wrong on purpose.
 */
uint64_t fuzz_draw(char letter, uint8_t byte);

/* ---- ktest_fuzz_entries.c: SQEs ---- */
struct io_uring_sqe fuzz_entry(const uint8_t byte[FUZZ_BYTES]);

/* ---- ktest_fuzz_setup.c: io_uring_setup, io_uring_register ---- */
void fuzz_setup(struct fuzz_ring *r, const uint8_t byte[FUZZ_BYTES]);
void fuzz_register(struct fuzz_ring *r, const uint8_t byte[FUZZ_BYTES]);
int fuzz_fd_of(const struct fuzz_ring *r);

/* ---- ktest_fuzz_rights.c: filters and their supervisor, other users ---- */
void fuzz_rights(struct fuzz_ring *r, const uint8_t byte[FUZZ_BYTES]);
void fuzz_supervise(const uint8_t byte[FUZZ_BYTES]);
