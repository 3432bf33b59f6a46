// SPDX-License-Identifier: MIT
/*
 * Words for operations that have a ring (states.h): io_uring as a program uses it. Its queues are
 * mapped by mmap and reached through the page tables, like any memory of a simulated program.
 */
#pragma once

#include "abi/io_uring.h"
#include "abi/torus.h"
#include "arch/sim/test/states.h"

enum { RING_ENTRIES = 8 };

/* A ring that this program has: in its own variables. */
struct sim_ring {
	struct io_uring_params p;
	uint64_t fd;
	uint64_t queues, entries; /* where they are mapped */
	uint32_t sq_tail, cq_head;
	uint32_t nr_new; /* entries that no io_uring_enter was told of */
};

void make_ring(struct sim_ring *r, uint32_t setup_flags);
/* The same with IORING_SETUP_ATTACH_WQ: it shares the submission thread of `to`. */
void attach_ring(struct sim_ring *r, uint32_t setup_flags, const struct sim_ring *to);
/* Its memory and its descriptor: what is in flight is cancelled. */
void end_ring(struct sim_ring *r);
/* An entry, for the next submission. */
void add_entry(struct sim_ring *r, const struct io_uring_sqe *sqe);
void store_bytes(uint64_t to, const void *from, size_t len);
#define ADD(r, ...) add_entry(r, &(struct io_uring_sqe){__VA_ARGS__})
/* A read of 8 bytes, which is what write_byte() writes. */
#define ADD_READ(r, from, to, ...)                                                             \
	ADD(r, .opcode = IORING_OP_READ, .fd = (int)(from), .addr = (to), .len = 8, __VA_ARGS__)
/* io_uring_enter: all that were added are taken. */
void submit(struct sim_ring *r);
/* The next completion; waits for it. The result may be an error. */
struct io_uring_cqe next_completion(struct sim_ring *r);
/* The same, of this name, and a result that is none: as DO() for a call. */
#define DONE(r, name) completed(r, name, __LINE__)
uint64_t completed(struct sim_ring *r, uint64_t name, int line);
/* The next one has this name and this result. */
#define ENDS_WITH(r, name, result) ends_with(r, name, result, __LINE__)
void ends_with(struct sim_ring *r, uint64_t name, int result, int line);
