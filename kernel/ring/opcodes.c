// SPDX-License-Identifier: MIT
/*
 * The table of operations: what each is called, may be told, and is done by.
 */
#include "ring/opcodes.h"

#include <asm/unistd.h>

#include "ring/tables.h"

#define CALL_ROW(op, fn, flags_)                                                               \
	[op] = {#fn, OPCODE_CALL | (flags_), fn##_prepare, call_issue, call_clean, 0}
#define RW_ROW(op, name_, flags_, prepare_, nr_)                                               \
	[op] = {name_,                                                                         \
		OPCODE_FILE | OPCODE_PARKS | OPCODE_DISK_PRIO | OPCODE_POLLS | (flags_),       \
		prepare_, rw_issue, rw_clean, nr_}
#define NET_ROW(op, name_, flags_, prepare_, nr_)                                              \
	[op] = {name_, OPCODE_FILE | OPCODE_PARKS | (flags_), prepare_, net_issue, net_clean,  \
		nr_}

const struct ring_opcode ring_opcodes[TORUS_OP_LAST] = {
	[IORING_OP_NOP] = {"nop", OPCODE_POLLS, nop_prepare, nop_issue, NULL, -1},
	[IORING_OP_NOP128] = {"nop128", OPCODE_POLLS | OPCODE_WIDE, nop_prepare, nop_issue,
		NULL, -1},
	[IORING_OP_URING_CMD] = {"uring_cmd", OPCODE_FILE | OPCODE_POLLS | OPCODE_BUFFERS,
		uring_cmd_prepare, uring_cmd_issue, NULL, -1},
	[IORING_OP_URING_CMD128] = {"uring_cmd128",
		OPCODE_FILE | OPCODE_POLLS | OPCODE_BUFFERS | OPCODE_WIDE, uring_cmd_prepare,
		uring_cmd_issue, NULL, -1},

	RW_ROW(IORING_OP_READ, "read", OPCODE_BUFFERS, rw_prepare, __NR_read),
	RW_ROW(IORING_OP_WRITE, "write", 0, rw_prepare, __NR_write),
	RW_ROW(IORING_OP_READV, "readv", OPCODE_BUFFERS, rw_vector_prepare, __NR_preadv2),
	RW_ROW(IORING_OP_WRITEV, "writev", 0, rw_vector_prepare, __NR_pwritev2),
	RW_ROW(IORING_OP_READ_FIXED, "read_fixed", 0, rw_fixed_prepare, __NR_read),
	RW_ROW(IORING_OP_WRITE_FIXED, "write_fixed", 0, rw_fixed_prepare, __NR_write),
	RW_ROW(IORING_OP_READV_FIXED, "readv_fixed", 0, rw_fixed_vector_prepare, __NR_preadv2),
	RW_ROW(IORING_OP_WRITEV_FIXED, "writev_fixed", 0, rw_fixed_vector_prepare,
		__NR_pwritev2),
	RW_ROW(IORING_OP_READ_MULTISHOT, "read_multishot", OPCODE_BUFFERS,
		read_multishot_prepare, __NR_read),

	NET_ROW(IORING_OP_SEND, "send", OPCODE_IOPRIO | OPCODE_BUFFERS, send_prepare,
		__NR_sendto),
	NET_ROW(IORING_OP_SENDMSG, "sendmsg", OPCODE_IOPRIO, send_prepare, __NR_sendmsg),
	NET_ROW(IORING_OP_SEND_ZC, "send_zc", OPCODE_IOPRIO, send_prepare, __NR_sendto),
	NET_ROW(IORING_OP_SENDMSG_ZC, "sendmsg_zc", OPCODE_IOPRIO, send_prepare, __NR_sendmsg),
	NET_ROW(IORING_OP_RECV, "recv", OPCODE_IOPRIO | OPCODE_BUFFERS, recv_prepare,
		__NR_recvfrom),
	NET_ROW(IORING_OP_RECVMSG, "recvmsg", OPCODE_IOPRIO | OPCODE_BUFFERS, recv_prepare,
		__NR_recvmsg),
	NET_ROW(IORING_OP_ACCEPT, "accept", OPCODE_IOPRIO, accept_prepare, __NR_accept4),
	NET_ROW(IORING_OP_CONNECT, "connect", 0, connect_prepare, __NR_connect),

	[IORING_OP_POLL_ADD] = {"poll_add", OPCODE_FILE | OPCODE_PARKS, poll_add_prepare,
		poll_add_issue, poll_clean, -1},
	[IORING_OP_POLL_REMOVE] = {"poll_remove", 0, poll_remove_prepare, poll_remove_issue,
		NULL, -1},
	[IORING_OP_TIMEOUT] = {"timeout", OPCODE_PARKS | OPCODE_NEEDS_NOBODY, timeout_prepare,
		timeout_issue, timeout_clean, -1},
	[IORING_OP_TIMEOUT_REMOVE] = {"timeout_remove", 0, timeout_remove_prepare,
		timeout_remove_issue, NULL, -1},
	[IORING_OP_LINK_TIMEOUT] = {"link_timeout", OPCODE_PARKS | OPCODE_NEEDS_NOBODY,
		link_timeout_prepare, timeout_issue, timeout_clean, -1},
	[IORING_OP_ASYNC_CANCEL] = {"async_cancel", 0, cancel_prepare, cancel_issue, NULL, -1},
	[IORING_OP_MSG_RING] = {"msg_ring", OPCODE_FILE | OPCODE_POLLS, msg_ring_prepare,
		msg_ring_issue, NULL, -1},
	[IORING_OP_FUTEX_WAIT] = {"futex_wait", OPCODE_PARKS, ring_futex_wait_prepare, NULL,
		op_clean, __NR_futex},
	[IORING_OP_FUTEX_WAITV] = {"futex_waitv", OPCODE_PARKS, ring_futex_waitv_prepare, NULL,
		op_clean, __NR_futex_waitv},
	[IORING_OP_EPOLL_WAIT] = {"epoll_wait", OPCODE_FILE | OPCODE_PARKS, epoll_wait_prepare,
		epoll_wait_issue, op_clean, __NR_epoll_wait},
	[IORING_OP_WAITID] = {"waitid", OPCODE_PARKS, ring_waitid_prepare, ring_waitid_issue,
		op_clean, __NR_waitid},
	[IORING_OP_FUTEX_WAKE] = {"futex_wake", 0, futex_wake_prepare, futex_wake_issue, NULL,
		__NR_futex},

	[IORING_OP_FILES_UPDATE] = {"files_update", OPCODE_POLLS, files_update_prepare,
		files_update_issue, NULL, -1},
	[IORING_OP_FIXED_FD_INSTALL] = {"fixed_fd_install", OPCODE_FILE,
		fixed_fd_install_prepare, fixed_fd_install_issue, NULL, __NR_fcntl},
	[IORING_OP_PROVIDE_BUFFERS] = {"provide_buffers", OPCODE_POLLS, provide_buffers_prepare,
		provide_buffers_issue, NULL, -1},
	[IORING_OP_REMOVE_BUFFERS] = {"remove_buffers", OPCODE_POLLS, remove_buffers_prepare,
		remove_buffers_issue, NULL, -1},

	CALL_ROW(IORING_OP_FSYNC, fsync, OPCODE_FILE | OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_SYNC_FILE_RANGE, sync_file_range, OPCODE_FILE | OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_FALLOCATE, fallocate, OPCODE_FILE | OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_FADVISE, fadvise, OPCODE_FILE | OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_FTRUNCATE, ftruncate, OPCODE_FILE | OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_FSETXATTR, fsetxattr, OPCODE_FILE | OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_FGETXATTR, fgetxattr, OPCODE_FILE | OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_SHUTDOWN, shutdown, OPCODE_FILE | OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_BIND, bind, OPCODE_FILE),
	CALL_ROW(IORING_OP_LISTEN, listen, OPCODE_FILE),
	CALL_ROW(
		IORING_OP_SPLICE, ring_splice, OPCODE_FILE | OPCODE_BOUNDED | OPCODE_UNBOUNDED),
	CALL_ROW(IORING_OP_TEE, tee, OPCODE_FILE | OPCODE_BOUNDED | OPCODE_UNBOUNDED),
	CALL_ROW(IORING_OP_OPENAT, openat, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_OPENAT2, openat2, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_CLOSE, close, 0),
	CALL_ROW(IORING_OP_STATX, statx, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_RENAMEAT, renameat, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_UNLINKAT, unlinkat, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_MKDIRAT, mkdirat, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_SYMLINKAT, symlinkat, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_LINKAT, linkat, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_SETXATTR, setxattr, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_GETXATTR, getxattr, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_MADVISE, madvise, OPCODE_BOUNDED),
	CALL_ROW(IORING_OP_EPOLL_CTL, epoll_ctl, 0),
	CALL_ROW(IORING_OP_SOCKET, socket, 0),
	CALL_ROW(IORING_OP_PIPE, pipe, 0),
	CALL_ROW(TORUS_OP_SYSCALL, any_call, OPCODE_IOPRIO | OPCODE_UNBOUNDED),
	[TORUS_OP_SPAWN] = {"spawn", OPCODE_CALL | OPCODE_BOUNDED, spawn_prepare, call_issue,
		spawn_clean, 0},
};

const struct ring_quick ring_quick_operations[256] = {
	[IORING_OP_NOP] = {nop_quick, nop_suits, false},
	[IORING_OP_READ] = {read_quick, rw_suits, true},
	[IORING_OP_WRITE] = {write_quick, rw_suits, true},
	[IORING_OP_READ_FIXED] = {read_fixed_quick, rw_fixed_suits, true},
	[IORING_OP_WRITE_FIXED] = {write_fixed_quick, rw_fixed_suits, true},
	[IORING_OP_SEND] = {send_quick, send_suits, false},
	[IORING_OP_OPENAT] = {openat_quick, openat_suits, false},
	[IORING_OP_CLOSE] = {close_quick, close_suits, false},
	[IORING_OP_STATX] = {statx_quick, statx_suits, false},
};
