// SPDX-License-Identifier: MIT
/*
 * The fuzzer of rings (ktest_fuzz.c): entries. For each operation a word of letters says what its fields are for
 * (fuzz_draw), so that most entries come past the first check, and bytes with high values see to the others.
 */
#include "arch/sim/test/fuzz.h"

#include "lib/string.h"

#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/poll.h>

#include "abi/socket.h"

/* fd, addr, off (addr2), len, flags, ioprio, addr3, file_index (splice_fd_in) */
struct shape {
	uint8_t opcode;
	char letters[9];
};

static const struct shape shapes[] = {
	{IORING_OP_NOP, "fB0nB00B"},
	{IORING_OP_READ, "fbon0000"},
	{IORING_OP_WRITE, "fbon0000"},
	{IORING_OP_READ, "fbonrB00"},
	{IORING_OP_WRITE, "fbonrB00"},
	{IORING_OP_READV, "fvocr000"},
	{IORING_OP_WRITEV, "fvocr000"},
	{IORING_OP_READ_FIXED, "fbonr000"},
	{IORING_OP_WRITE_FIXED, "fbonr000"},
	{IORING_OP_READV_FIXED, "fvocr000"},
	{IORING_OP_WRITEV_FIXED, "fvocr000"},
	{IORING_OP_READ_MULTISHOT, "f0200000"},
	{IORING_OP_READ_MULTISHOT, "f0on0000"},
	{IORING_OP_POLL_ADD, "f0001000"},
	{IORING_OP_POLL_ADD, "R0011000"},
	{IORING_OP_POLL_ADD, "f00cB000"},
	{IORING_OP_POLL_REMOVE, "0uucB000"},
	{IORING_OP_SEND, "kb0nr000"},
	{IORING_OP_SEND, "kbSnrr0B"},
	{IORING_OP_RECV, "kb0n0000"},
	{IORING_OP_RECV, "kb0nrr00"},
	{IORING_OP_SENDMSG, "km01rr00"},
	{IORING_OP_RECVMSG, "km01rr00"},
	{IORING_OP_SEND_ZC, "kb0nrr00"},
	{IORING_OP_SENDMSG_ZC, "km01rr00"},
	{IORING_OP_ACCEPT, "l0000r0i"},
	{IORING_OP_ACCEPT, "lbb0rr0i"},
	{IORING_OP_CONNECT, "Ks700000"},
	{IORING_OP_CONNECT, "KsS00000"},
	{IORING_OP_BIND, "ksS00000"},
	{IORING_OP_LISTEN, "l00c0000"},
	{IORING_OP_SHUTDOWN, "k00c0000"},
	{IORING_OP_SOCKET, "10c00r0i"},
	{IORING_OP_PIPE, "0b00r00i"},
	{IORING_OP_TIMEOUT, "0tc1r000"},
	{IORING_OP_TIMEOUT, "0tc1B000"},
	{IORING_OP_LINK_TIMEOUT, "0t010000"},
	{IORING_OP_LINK_TIMEOUT, "0t01r000"},
	{IORING_OP_TIMEOUT_REMOVE, "0ut0r000"},
	{IORING_OP_ASYNC_CANCEL, "fu00B000"},
	{IORING_OP_ASYNC_CANCEL, "fu0uB000"},
	{IORING_OP_MSG_RING, "R0un0000"},
	{IORING_OP_MSG_RING, "RcucB0ui"},
	{IORING_OP_FUTEX_WAIT, "2w000009"},
	{IORING_OP_FUTEX_WAIT, "2w00009B"},
	{IORING_OP_FUTEX_WAKE, "2w100090"},
	{IORING_OP_FUTEX_WAITV, "0W0c0000"},
	{IORING_OP_WAITID, "0000000c"},
	{IORING_OP_WAITID, "Bb0c000B"},
	{IORING_OP_FILES_UPDATE, "0Dcc0000"},
	{IORING_OP_FIXED_FD_INSTALL, "c000c000"},
	{IORING_OP_PROVIDE_BUFFERS, "cb0n0000"},
	{IORING_OP_REMOVE_BUFFERS, "c0000000"},
	{IORING_OP_OPENAT, "dp0BB00i"},
	{IORING_OP_OPENAT, "dp0Br00i"},
	{IORING_OP_OPENAT2, "dphn000i"},
	{IORING_OP_CLOSE, "f000000i"},
	{IORING_OP_STATX, "dpbBr000"},
	{IORING_OP_RENAMEAT, "dppdc000"},
	{IORING_OP_UNLINKAT, "dp00r000"},
	{IORING_OP_MKDIRAT, "dp0B0000"},
	{IORING_OP_SYMLINKAT, "dpp00000"},
	{IORING_OP_LINKAT, "dppdr000"},
	{IORING_OP_FSETXATTR, "fxbB0000"},
	{IORING_OP_FGETXATTR, "fxbn0000"},
	{IORING_OP_SETXATTR, "0xbBc0p0"},
	{IORING_OP_GETXATTR, "0xbn00p0"},
	{IORING_OP_FSYNC, "f0o0c000"},
	{IORING_OP_SYNC_FILE_RANGE, "f0onc000"},
	{IORING_OP_FALLOCATE, "fnoB0000"},
	{IORING_OP_FTRUNCATE, "f0o00000"},
	{IORING_OP_FADVISE, "f0onc000"},
	{IORING_OP_MADVISE, "0b0nB000"},
	{IORING_OP_EPOLL_CTL, "fefc0000"},
	{IORING_OP_EPOLL_WAIT, "fb0c0000"},
	{IORING_OP_SPLICE, "fo2nr00f"},
	{IORING_OP_SPLICE, "foonr00f"},
	{IORING_OP_TEE, "f00nr00f"},
	{IORING_OP_URING_CMD, "fbon0000"},
	{IORING_OP_NOP128, "fB0nB000"},
	{IORING_OP_URING_CMD128, "fbon0000"},
	{IORING_OP_RECV_ZC, "kb0n0r00"},
	{TORUS_OP_SPAWN, "dP00000i"},
	{TORUS_OP_SPAWN, "dP00000i"},
};

/* What TORUS_OP_SYSCALL is asked for; calls that wait among them, none that ends more than the process. */
struct call {
	uint16_t nr;
	char letters[7];
};

static const struct call calls[] = {
	{__NR_getppid, ""},
	{__NR_read, "fbn"},
	{__NR_write, "fbn"},
	{__NR_readv, "fvc"},
	{__NR_poll, "bcB"},
	{__NR_nanosleep, "tb"},
	{__NR_futex, "wc0t"},
	{__NR_mmap, "bnBB"},
	{__NR_munmap, "bn"},
	{__NR_mprotect, "bnB"},
	{__NR_open, "pBB"},
	{__NR_close, "f"},
	{__NR_dup, "f"},
	{__NR_dup3, "ffr"},
	{__NR_epoll_wait, "fbcB"},
	{__NR_wait4, "B0B0"},
	{__NR_accept, "kb0"},
	{__NR_connect, "ksS"},
	{__NR_sendmsg, "kmr"},
	{__NR_recvmsg, "kmr"},
	{__NR_socketpair, "1c0b"},
	{__NR_pipe2, "br"},
	{__NR_eventfd2, "cr"},
	{__NR_fcntl, "fBB"},
	{__NR_ftruncate, "fo"},
	{__NR_splice, "f0f0nr"},
	{__NR_flock, "fB"},
	{__NR_unlink, "p"},
	{__NR_mkdir, "pB"},
	{__NR_rename, "pp"},
	{__NR_chdir, "p"},
	{__NR_getcwd, "bn"},
	{__NR_timerfd_settime, "fcbb"},
	{__NR_getdents64, "fbn"},
	{__NR_close_range, "ff0"},
	{__NR_process_vm_readv, "Bvcvc0"},
	{__NR_memfd_create, "pr"},
	{__NR_inotify_add_watch, "fpB"},
	{__NR_select, "Bbbbb"},
	{__NR_umask, "B"},
	{__NR_pause, ""},
};

/* Which shape a byte names: as many as there are, then calls. */
enum { CALLS_FROM = 0xd8 };
static_assert(ARRAY_LEN(shapes) <= CALLS_FROM, "a byte names them");

static void fill_call(struct io_uring_sqe *e, const uint8_t *byte)
{
	const struct call *call = &calls[byte[2] % ARRAY_LEN(calls)];
	uint64_t a[6] = {0};

	for (unsigned i = 0; call->letters[i]; i++)
		a[i] = fuzz_draw(call->letters[i], byte[3 + i]);
	e->opcode = TORUS_OP_SYSCALL;
	e->fd = call->nr;
	e->off = a[0];
	e->addr = a[1];
	e->len = (uint32_t)a[2];
	e->rw_flags = (int)(a[2] >> 32);
	e->addr3 = a[3];
	e->__pad2[0] = a[4];
	e->file_index = (uint32_t)a[5];
}

static void fill_shape(struct io_uring_sqe *e, const uint8_t *byte)
{
	const struct shape *s = &shapes[byte[0] % ARRAY_LEN(shapes)];

	e->opcode = s->opcode;
	e->fd = (int)fuzz_draw(s->letters[0], byte[2]);
	e->addr = fuzz_draw(s->letters[1], byte[3]);
	e->off = fuzz_draw(s->letters[2], byte[4]);
	e->len = (uint32_t)fuzz_draw(s->letters[3], byte[5]);
	e->rw_flags = (int)fuzz_draw(s->letters[4], byte[6]);
	e->ioprio = (uint16_t)fuzz_draw(s->letters[5], byte[7]);
	e->addr3 = fuzz_draw(s->letters[6], byte[8]);
	e->file_index = (uint32_t)fuzz_draw(s->letters[7], byte[9]);
	if (s->opcode == TORUS_OP_SPAWN)
		e->len = TORUS_SPAWN_SIZE_FIRST;
	if (s->opcode == IORING_OP_FUTEX_WAIT || s->opcode == IORING_OP_FUTEX_WAKE)
		e->addr3 = UINT32_MAX;
	if (e->flags & IOSQE_FIXED_FILE && e->fd >= 0)
		e->fd %= 8; /* that many are registered, if any */
}

struct io_uring_sqe fuzz_entry(const uint8_t byte[FUZZ_BYTES])
{
	struct io_uring_sqe e = {.flags = byte[1] & 0x7f,
		.buf_index = byte[10] % 8,
		.user_data = byte[11] % 16,
		.personality = byte[12] >= 0xf0 ? byte[12] % 4 : 0};

	if (byte[0] >= CALLS_FROM)
		fill_call(&e, byte);
	else
		fill_shape(&e, byte);
	return e;
}
