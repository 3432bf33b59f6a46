// SPDX-License-Identifier: MIT
/*
 * io_uring's ABI: what <linux/io_uring.h> of linux-libc-dev has, and what came after it.
 *
 * Numbers of Linux 6.19. man 7 io_uring, man 2 io_uring_setup, io_uring_enter, io_uring_register.
 */
#pragma once

#include <linux/io_uring.h>

/* ---- Operations after IORING_OP_SENDMSG_ZC ---- */

enum {
	IORING_OP_READ_MULTISHOT = 49,
	IORING_OP_WAITID,
	IORING_OP_FUTEX_WAIT,
	IORING_OP_FUTEX_WAKE,
	IORING_OP_FUTEX_WAITV,
	IORING_OP_FIXED_FD_INSTALL,
	IORING_OP_FTRUNCATE,
	IORING_OP_BIND,
	IORING_OP_LISTEN,
	IORING_OP_RECV_ZC,
	IORING_OP_EPOLL_WAIT,
	IORING_OP_READV_FIXED,
	IORING_OP_WRITEV_FIXED,
	IORING_OP_PIPE,
	IORING_OP_NOP128,
	IORING_OP_URING_CMD128,
	RING_OPS, /* how many there are */
};

/* ---- Setup ---- */

#define IORING_SETUP_NO_MMAP            (1U << 14)
#define IORING_SETUP_REGISTERED_FD_ONLY (1U << 15)
#define IORING_SETUP_NO_SQARRAY         (1U << 16)
#define IORING_SETUP_HYBRID_IOPOLL      (1U << 17)
#define IORING_SETUP_CQE_MIXED          (1U << 18)
#define IORING_SETUP_SQE_MIXED          (1U << 19)

#define IORING_FEAT_REG_REG_RING    (1U << 13)
#define IORING_FEAT_RECVSEND_BUNDLE (1U << 14)
#define IORING_FEAT_MIN_TIMEOUT     (1U << 15)
#define IORING_FEAT_RW_ATTR         (1U << 16)
#define IORING_FEAT_NO_IOWAIT       (1U << 17)

/* ---- Entering ---- */

#define IORING_ENTER_ABS_TIMER   (1U << 5)
#define IORING_ENTER_EXT_ARG_REG (1U << 6)
#define IORING_ENTER_NO_IOWAIT   (1U << 7)

/* What EXT_ARG points to; the older header calls min_wait_usec `pad`. */
struct ring_getevents_arg {
	__u64 sigmask;
	__u32 sigmask_sz;
	__u32 min_wait_usec;
	__u64 ts;
};

/* ---- Completions ---- */

#define IORING_CQE_F_BUF_MORE (1U << 4)
#define IORING_CQE_F_SKIP     (1U << 5)
#define IORING_CQE_F_32       (1U << 15)

/* ---- Flags of single operations ---- */

#define IORING_NOP_INJECT_RESULT (1U << 0)
#define IORING_NOP_FILE          (1U << 1)
#define IORING_NOP_FIXED_FILE    (1U << 2)
#define IORING_NOP_FIXED_BUFFER  (1U << 3)
#define IORING_NOP_TW            (1U << 4)
#define IORING_NOP_CQE32         (1U << 5)

#define IORING_URING_CMD_MULTISHOT (1U << 1)

#define IORING_TIMEOUT_MULTISHOT (1U << 6)

#define IORING_RECVSEND_BUNDLE     (1U << 4)
#define IORING_SEND_VECTORIZED     (1U << 5)
#define IORING_ACCEPT_DONTWAIT     (1U << 1)
#define IORING_ACCEPT_POLL_FIRST   (1U << 2)
#define IORING_MSG_RING_FLAGS_PASS (1U << 1)
#define IORING_FIXED_FD_NO_CLOEXEC (1U << 0)

/* ---- Registering ---- */

enum {
	IORING_REGISTER_PBUF_STATUS = 26,
	IORING_REGISTER_NAPI = 27,
	IORING_UNREGISTER_NAPI = 28,
	IORING_REGISTER_CLOCK = 29,
	IORING_REGISTER_CLONE_BUFFERS = 30,
	IORING_REGISTER_SEND_MSG_RING = 31,
	IORING_REGISTER_ZCRX_IFQ = 32,
	IORING_REGISTER_RESIZE_RINGS = 33,
	IORING_REGISTER_MEM_REGION = 34,
	IORING_REGISTER_QUERY = 35,
	IORING_REGISTER_ZCRX_CTRL = 36,
	RING_REGISTER_OPS, /* how many there are */
};
/* Or'ed to a number above: the descriptor is an index of IORING_REGISTER_RING_FDS. */
#define IORING_REGISTER_USE_REGISTERED_RING (1U << 31)

#define IORING_OFF_PBUF_RING  0x80000000ULL
#define IORING_OFF_PBUF_SHIFT 16
#define IOU_PBUF_RING_MMAP    (1U << 0)
#define IOU_PBUF_RING_INC     (1U << 1)
enum { IORING_MAX_PBUF_ENTRIES = 32768 };

/* struct io_uring_buf_reg as it is now: the older header calls flags `pad`. */
struct ring_buf_reg {
	__u64 ring_addr;
	__u32 ring_entries;
	__u16 bgid;
	__u16 flags; /* IOU_PBUF_RING_* */
	__u64 resv[3];
};

struct io_uring_buf_status {
	__u32 buf_group;
	__u32 head;
	__u32 resv[8];
};

struct io_uring_clock_register {
	__u32 clockid;
	__u32 resv[3];
};

#define IORING_REGISTER_SRC_REGISTERED (1U << 0)
#define IORING_REGISTER_DST_REPLACE    (1U << 1)
struct io_uring_clone_buffers {
	__u32 src_fd;
	__u32 flags;
	__u32 src_off;
	__u32 dst_off;
	__u32 nr;
	__u32 pad[3];
};

/* The older header has no opcode. */
struct ring_sync_cancel_reg {
	__u64 addr;
	__s32 fd;
	__u32 flags;
	struct __kernel_timespec timeout;
	__u8 opcode;
	__u8 pad[7];
	__u64 pad2[3];
};
_Static_assert(sizeof(struct ring_sync_cancel_reg) == sizeof(struct io_uring_sync_cancel_reg),
	"the same, with a name more");

#define IORING_MAP_OFF_PARAM_REGION    0x20000000ULL
#define IORING_MEM_REGION_TYPE_USER    1U /* region_desc.flags */
#define IORING_MEM_REGION_REG_WAIT_ARG 1U /* mem_region_reg.flags */
struct io_uring_region_desc {
	__u64 user_addr;
	__u64 size;
	__u32 flags;
	__u32 id;
	__u64 mmap_offset;
	__u64 resv[4];
};
struct io_uring_mem_region_reg {
	__u64 region_uptr;
	__u64 flags;
	__u64 resv[2];
};

/* What IORING_ENTER_EXT_ARG_REG names, by its offset in the region. */
#define IORING_REG_WAIT_TS (1U << 0)
struct io_uring_reg_wait {
	struct __kernel_timespec ts;
	__u32 min_wait_usec;
	__u32 flags;
	__u64 sigmask;
	__u32 sigmask_sz;
	__u32 pad[3];
	__u64 pad2[2];
};
_Static_assert(sizeof(struct io_uring_reg_wait) == 64, "one line");

/* IORING_REGISTER_QUERY: a list of these. */
enum { IO_URING_QUERY_OPCODES, IO_URING_QUERY_ZCRX, IO_URING_QUERY_SCQ };
struct io_uring_query_hdr {
	__u64 next_entry;
	__u64 query_data;
	__u32 query_op;
	__u32 size;
	__s32 result;
	__u32 resv[3];
};
struct io_uring_query_opcode {
	__u32 nr_request_opcodes;
	__u32 nr_register_opcodes;
	__u64 feature_flags;
	__u64 ring_setup_flags;
	__u64 enter_flags;
	__u64 sqe_flags;
	__u32 nr_query_opcodes;
	__u32 pad;
};
