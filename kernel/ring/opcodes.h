// SPDX-License-Identifier: MIT
/*
 * The operations: prepare, issue and clean of each family, for the table in opcodes.c.
 */
#pragma once

#include "ring/quick.h"
#include "ring/ring_priv.h"

/* ---- rw.c ---- */
int rw_prepare(struct req *r, const struct io_uring_sqe *sqe);
int rw_vector_prepare(struct req *r, const struct io_uring_sqe *sqe);
int rw_fixed_prepare(struct req *r, const struct io_uring_sqe *sqe);
int rw_fixed_vector_prepare(struct req *r, const struct io_uring_sqe *sqe);
int read_multishot_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t rw_issue(struct req *r);
ring_quick_run read_quick, write_quick, read_fixed_quick, write_fixed_quick;
ring_quick_suits rw_suits, rw_fixed_suits;
void rw_clean(struct req *r);

/* ---- calls.c: what is a system call, with its arguments from the entry ---- */
#define CALL(name) int name##_prepare(struct req *r, const struct io_uring_sqe *sqe);
CALL(fsync)
CALL(sync_file_range)
CALL(fallocate)
CALL(openat)
CALL(openat2)
CALL(close)
CALL(statx)
CALL(fadvise)
CALL(madvise)
CALL(epoll_ctl)
CALL(ring_splice)
CALL(tee)
CALL(shutdown)
CALL(renameat)
CALL(unlinkat)
CALL(mkdirat)
CALL(symlinkat)
CALL(linkat)
CALL(fsetxattr)
CALL(setxattr)
CALL(fgetxattr)
CALL(getxattr)
CALL(socket)
CALL(ftruncate)
CALL(bind)
CALL(listen)
CALL(pipe)
CALL(any_call)
#undef CALL
/* A call without its arguments yet. */
void call_begin(struct req *r, uint64_t nr);
/* Which of its arguments is the file that the entry names first (fd), and which its flags. */
unsigned call_file_at(const struct req *r);
enum { CALL_SPLICE_FLAGS = 5, CALL_TEE_FLAGS = 3 };
int64_t call_issue(struct req *r);
void call_clean(struct req *r);

/* ---- net_io.c ---- */
ring_quick_run send_quick;
ring_quick_suits send_suits;

/* ---- quick_files.c ---- */
ring_quick_run openat_quick, close_quick, statx_quick;
ring_quick_suits openat_suits, close_suits, statx_suits;

/* ---- spawn.c ---- */
int spawn_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t spawn_run(struct req *r); /* on its fiber: a descriptor, or -errno */
void spawn_clean(struct req *r);

/* ---- cancel.c ---- */
int cancel_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t cancel_issue(struct req *r);

/* ---- small.c ---- */
int nop_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t nop_issue(struct req *r);
ring_quick_run nop_quick;
ring_quick_suits nop_suits;
int uring_cmd_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t uring_cmd_issue(struct req *r);
int msg_ring_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t msg_ring_issue(struct req *r);
int ring_futex_wait_prepare(struct req *r, const struct io_uring_sqe *sqe);
int ring_futex_waitv_prepare(struct req *r, const struct io_uring_sqe *sqe);
int epoll_wait_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t epoll_wait_issue(struct req *r);
int ring_waitid_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t ring_waitid_issue(struct req *r);
/* linux/futex.h: the flags of the newer calls, which the header of 6.1 lacks. */
enum { FUTEX2_U32 = 2, FUTEX2_SIZE = 3, FUTEX2_IS_PRIVATE = 128 };
int futex_wake_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t futex_wake_issue(struct req *r);
void op_clean(struct req *r);

/* ---- net.c ---- */
int send_prepare(struct req *r, const struct io_uring_sqe *sqe);
int recv_prepare(struct req *r, const struct io_uring_sqe *sqe);
int accept_prepare(struct req *r, const struct io_uring_sqe *sqe);
int connect_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t net_issue(struct req *r);
void net_clean(struct req *r);
