// SPDX-License-Identifier: MIT
/*
 * The ring: how these programs ask the kernel for anything.
 *
 * A request is an entry (struct io_uring_sqe) that the program writes into shared memory; its answer
 * is a completion that the kernel writes there. ops.h makes entries. What is done with one is said here:
 *
 *     fd = ring_await(op_open(AT_FDCWD, path, O_RDONLY, 0));     one thing, now
 *
 *     ring_tell(op_read(from, a, size, -1), &read);              several things at once: each has a
 *     ring_tell(op_write(to, b, len, -1), &write);               struct reply, which is there when
 *     ring_finish();                                             the request has ended
 *
 *     client->received.then = got_bytes;                         or a function, called when it has
 *     ring_tell(op_recv(...), &client->received);
 *     for (;;)
 *             ring_wait();
 *
 * Nothing reaches the kernel before ring_await, ring_finish, ring_wait or ring_submit, and then all of
 * it does, by one system call; none with IORING_SETUP_SQPOLL, where a thread of the kernel looks for
 * entries by itself, and a program that waits looks for completions until one is there.
 *
 * These programs have one thread each and so one ring, which nobody has to name. user/README.md
 */
#pragma once

#include "abi/io_uring.h"
#include "lib/base.h"

/* What became of a request. It must live until is_here; a request that may say more says so in flags. */
struct reply {
	int32_t res;    /* a value, or a negative error number */
	uint32_t flags; /* IORING_CQE_F_*; with _MORE the request goes on */
	bool is_here;
	void (*then)(struct reply *reply); /* or NULL. It may do anything, ring_await too */
};

/* Makes the ring, with so many entries and the flags of io_uring_setup; ends the program if there is none. */
void ring_open(unsigned entries, unsigned flags);

/* io_uring_register, which belongs to the set-up: a system call. */
int ring_register(unsigned op, const void *arg, unsigned nr);

/* The next entry, zero but for these. Submits when all are taken. */
struct io_uring_sqe *ring_sqe(unsigned opcode, int fd);

/* Sees to it that so many entries are free: what is linked must be submitted together. */
void ring_room(unsigned nr);

/* The reply to an entry. An entry without one is told of to nobody. Returns the entry. */
struct io_uring_sqe *ring_tell(struct io_uring_sqe *sqe, struct reply *reply);

/* Submits, and waits for nothing. */
void ring_submit(void);

/* Submits, waits until at least one request has said something, and delivers what is there. */
void ring_wait(void);

/* Submits, and delivers until this entry's request has ended: what it says. */
int ring_await(struct io_uring_sqe *sqe);

/* The same until a reply is here that was asked for before. */
int ring_until(const struct reply *reply);

/* Submits, and delivers until every reply is here. */
void ring_finish(void);

/* ---- Buffers that the kernel chooses from as bytes arrive (IORING_REGISTER_PBUF_RING) ---- */

/*
 * A group of them: `nr` (a power of two) of `size` bytes, numbered from 0.
 */
struct ring_buffers {
	struct io_uring_buf_ring *queue; /* of those that are free; the kernel takes from it */
	char *bytes;
	uint16_t nr, tail, group;
	uint32_t size;
};

/* Makes the group, all of it free. The memory is the caller's: nr * (size + 16) bytes, on a page. */
void ring_buffers_open(
	struct ring_buffers *b, uint16_t group, void *memory, uint16_t nr, uint32_t size);

static inline char *ring_buffer(const struct ring_buffers *b, unsigned id)
{
	return b->bytes + (size_t)id * b->size;
}

/* The number of the buffer that a completion filled. */
static inline unsigned ring_buffer_id(const struct reply *reply)
{
	return reply->flags >> IORING_CQE_BUFFER_SHIFT;
}

/* Gives one back, to be filled again. */
void ring_buffer_free(struct ring_buffers *b, unsigned id);
