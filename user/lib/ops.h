// SPDX-License-Identifier: MIT
/*
 * Entries of a ring, one function for each kind that these programs use. Each takes what the system call
 * of its name takes, and returns the entry, which ring.h's functions do something with. Flags that change
 * the entry itself are set on it: sqe->flags |= IOSQE_IO_LINK.
 *
 * An offset of -1 is the file's own position.
 *
 * Spec    man 2 io_uring_enter; abi/torus.h for what Linux has not
 */
#pragma once

#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/wait.h>

#include "abi/torus.h"
#include "ring.h"

struct open_how;
struct statx;

/* ---- Files ---- */

static inline struct io_uring_sqe *op_open(int dir, const char *path, int flags, unsigned mode)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_OPENAT, dir);

	sqe->addr = (uintptr_t)path;
	sqe->open_flags = (uint32_t)flags;
	sqe->len = mode;
	return sqe;
}

/* openat2: with rules about the way (struct open_how). */
static inline struct io_uring_sqe *op_open_how(
	int dir, const char *path, const struct open_how *how, size_t size)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_OPENAT2, dir);

	sqe->addr = (uintptr_t)path;
	sqe->addr2 = (uintptr_t)how;
	sqe->len = (uint32_t)size;
	return sqe;
}

/* What an entry opens goes into a slot of the ring's own table instead of a descriptor's place. */
static inline struct io_uring_sqe *into_slot(struct io_uring_sqe *sqe, unsigned slot)
{
	sqe->file_index = slot + 1;
	return sqe;
}

/* The entry's file is the one in a slot. */
static inline struct io_uring_sqe *on_slot(struct io_uring_sqe *sqe)
{
	sqe->flags |= IOSQE_FIXED_FILE;
	return sqe;
}

static inline struct io_uring_sqe *op_close(int fd)
{
	return ring_sqe(IORING_OP_CLOSE, fd);
}

static inline struct io_uring_sqe *op_close_slot(unsigned slot)
{
	return into_slot(ring_sqe(IORING_OP_CLOSE, 0), slot);
}

static inline struct io_uring_sqe *op_bytes(
	unsigned opcode, int fd, const void *bytes, unsigned len, int64_t offset)
{
	struct io_uring_sqe *sqe = ring_sqe(opcode, fd);

	sqe->addr = (uintptr_t)bytes;
	sqe->len = len;
	sqe->off = (uint64_t)offset;
	return sqe;
}

static inline struct io_uring_sqe *op_read(int fd, void *buf, unsigned len, int64_t offset)
{
	return op_bytes(IORING_OP_READ, fd, buf, len, offset);
}

static inline struct io_uring_sqe *op_write(
	int fd, const void *bytes, unsigned len, int64_t offset)
{
	return op_bytes(IORING_OP_WRITE, fd, bytes, len, offset);
}

static inline struct io_uring_sqe *op_splice(
	int from, int64_t from_offset, int to, int64_t to_offset, unsigned len)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_SPLICE, to);

	sqe->splice_fd_in = from;
	sqe->splice_off_in = (uint64_t)from_offset;
	sqe->off = (uint64_t)to_offset;
	sqe->len = len;
	return sqe;
}

static inline struct io_uring_sqe *op_pipe(int fds[2], int flags)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_PIPE, 0);

	sqe->addr = (uintptr_t)fds;
	sqe->rw_flags = flags;
	return sqe;
}

static inline struct io_uring_sqe *op_statx(
	int dir, const char *path, int flags, unsigned mask, struct statx *st)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_STATX, dir);

	sqe->addr = (uintptr_t)path;
	sqe->statx_flags = (uint32_t)flags;
	sqe->len = mask;
	sqe->addr2 = (uintptr_t)st;
	return sqe;
}

/* What getdents64 brings, each `len` bytes before the next. Not an operation: op_call(). */
struct dirent { /* man 2 getdents64 */
	uint64_t inode;
	int64_t offset;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* ---- Sockets ---- */

static inline struct io_uring_sqe *op_socket(int family, int type, int protocol)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_SOCKET, family);

	sqe->off = (uint64_t)type;
	sqe->len = (uint32_t)protocol;
	return sqe;
}

static inline struct io_uring_sqe *op_bind(int fd, const void *address, unsigned len)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_BIND, fd);

	sqe->addr = (uintptr_t)address;
	sqe->off = len;
	return sqe;
}

static inline struct io_uring_sqe *op_listen(int fd, unsigned backlog)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_LISTEN, fd);

	sqe->len = backlog;
	return sqe;
}

/* Each connection that comes is a reply: the number of a free slot, which it has taken. */
static inline struct io_uring_sqe *op_accept_all(int fd)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_ACCEPT, fd);

	sqe->ioprio = IORING_ACCEPT_MULTISHOT;
	sqe->file_index = IORING_FILE_INDEX_ALLOC;
	return sqe;
}

static inline struct io_uring_sqe *op_recv(int slot, void *buf, unsigned len)
{
	return on_slot(op_bytes(IORING_OP_RECV, slot, buf, len, 0));
}

/* Each piece that comes is a reply, in a buffer of the group. */
static inline struct io_uring_sqe *op_recv_all(int slot, const struct ring_buffers *b)
{
	struct io_uring_sqe *sqe = on_slot(ring_sqe(IORING_OP_RECV, slot));

	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = b->group;
	return sqe;
}

/* `flags` are send()'s; with MSG_WAITALL the reply comes when all is sent. */
static inline struct io_uring_sqe *op_send(
	int slot, const void *bytes, unsigned len, unsigned flags)
{
	struct io_uring_sqe *sqe = on_slot(op_bytes(IORING_OP_SEND, slot, bytes, len, 0));

	sqe->msg_flags = flags;
	return sqe;
}

/* ---- Time, and thinking better of it ---- */

/* For the entry before it, which has IOSQE_IO_LINK: so long and no longer. */
static inline struct io_uring_sqe *op_at_most(const struct __kernel_timespec *time)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_LINK_TIMEOUT, -1);

	sqe->addr = (uintptr_t)time;
	sqe->len = 1;
	return sqe;
}

/* The request that has this reply ends with -ECANCELED, if it is still there. */
static inline struct io_uring_sqe *op_cancel(const struct reply *reply)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_ASYNC_CANCEL, -1);

	sqe->addr = (uintptr_t)reply;
	return sqe;
}

/* ---- Processes ---- */

/* A new process; the reply is a descriptor for it. */
static inline struct io_uring_sqe *op_spawn(int dir, const struct torus_spawn *spawn)
{
	struct io_uring_sqe *sqe = ring_sqe(TORUS_OP_SPAWN, dir);

	sqe->addr = (uintptr_t)spawn;
	sqe->len = sizeof(*spawn);
	return sqe;
}

/* Until the process of a descriptor has ended; `info` is a siginfo_t of the kernel's. */
static inline struct io_uring_sqe *op_wait(int pidfd, void *info)
{
	struct io_uring_sqe *sqe = ring_sqe(IORING_OP_WAITID, pidfd);

	sqe->len = P_PIDFD;
	sqe->file_index = WEXITED;
	sqe->addr2 = (uintptr_t)info;
	return sqe;
}

/* ---- Any system call: op_call(__NR_getdents64, fd, buf, size) ---- */

static inline struct io_uring_sqe *op_call_words(
	unsigned nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct io_uring_sqe *sqe = ring_sqe(TORUS_OP_SYSCALL, (int)nr);

	sqe->off = a;
	sqe->addr = b;
	sqe->len = (uint32_t)c;
	sqe->rw_flags = (int)(c >> 32);
	sqe->addr3 = d;
	sqe->__pad2[0] = e;
	sqe->file_index = (uint32_t)f;
	return sqe;
}

#define OP_CALL_SIX(nr, a, b, c, d, e, f, ...)                                                 \
	op_call_words(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d),          \
		(uint64_t)(e), (uint64_t)(f))
#define op_call(...) OP_CALL_SIX(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* One, now. */
#define ring_call(...) ring_await(op_call(__VA_ARGS__))
