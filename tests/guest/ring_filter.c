// SPDX-License-Identifier: MIT
/*
 * Which call a filter is asked about for an entry of a ring, with which arguments: a supervisor hears of each, and says
 * that it is refused. Linux asks no filter about a ring.
 */
#include <linux/futex.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ring.h"
#include "supervisor.h"

enum { SLOT = 30, SLOTS = 32 };

/* The numbers that docs/abi/ring.md promises. */
static const uint64_t fixed_file = 1u << 31, given_offset = 1ull << 63;

static void open_with_slots(struct ring *r)
{
	int fds[SLOTS];

	ring_open(r, 8, 0);
	for (unsigned i = 0; i < SLOTS; i++)
		fds[i] = -1;
	fds[SLOT] = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));
	CHECK_OK(ring_register(r->fd, IORING_REGISTER_FILES, fds, SLOTS));
	CHECK_OK(close(fds[SLOT]));
}

/* The entry means this call, and nothing of it is done. */
static void expect_call(
	struct ring *r, struct io_uring_sqe entry, int nr, const uint64_t args[6])
{
	struct seccomp_notif n;
	int listener;

	IN_CHILD({
		(void)ring_push(r, entry);
		listener = CHECK_OK(add_listener(nr, 0));
		CHECK_EQ(ring_submit(r, 0), 1);
		CHECK(ring_ready(r) == 0); /* a filter that is not asked refuses nothing */
		n = hear(listener);
		CHECK_EQ(n.data.nr, nr);
		for (unsigned i = 0; i < 6; i++) {
			if (n.data.args[i] != args[i])
				FAIL("argument %u of call %d is %#llx, not %#llx", i, nr,
					(unsigned long long)n.data.args[i],
					(unsigned long long)args[i]);
		}
		CHECK_OK(answer(listener, n.id, 0, -EDOM, 0));
		RING_EXPECT(r, 0, -EDOM);
	});
}
#define EXPECT_CALL(r, entry, nr, ...)                                                         \
	expect_call(r, entry, nr, (const uint64_t[6]){__VA_ARGS__})
#define ENTRY(...) ((struct io_uring_sqe){__VA_ARGS__})
#define AT(x)      ((uintptr_t)(x))

TEST(ring_filter, reads_and_writes)
{
	struct iovec v = {"x", 1};
	struct ring r;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_WRITE, .fd = 1, .addr = AT("x"), .len = 1,
			.off = -1ull),
		__NR_write, 1, AT("x"), 1);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_WRITE, .fd = 1, .addr = AT("x"), .len = 1, .off = 7),
		__NR_pwrite64, 1, AT("x"), 1, 7);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_WRITE, .fd = 1, .addr = AT("x"), .len = 1, .off = 7,
			.rw_flags = RWF_APPEND),
		__NR_pwritev2, 1, 0, 1, 7, 0, RWF_APPEND);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_READV, .fd = -1, .addr = AT(&v), .len = 1, .off = 7,
			.rw_flags = RWF_NOWAIT),
		__NR_preadv2, -1ull, AT(&v), 1, 7, 0, RWF_NOWAIT);
	ring_close(&r);
}

TEST(ring_filter, destination_of_what_is_sent)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 1};
	struct iovec v[2] = {{"abc", 3}, {"de", 2}};
	struct ring r;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t op = i ? IORING_OP_SEND_ZC : IORING_OP_SEND;

		EXPECT_CALL(&r,
			ENTRY(.opcode = op, .fd = 1, .addr = AT("x"), .len = 1,
				.msg_flags = MSG_DONTWAIT),
			__NR_sendto, 1, AT("x"), 1, MSG_DONTWAIT, 0, 0);
		EXPECT_CALL(&r,
			ENTRY(.opcode = op, .fd = 1, .addr = AT("x"), .len = 1,
				.addr2 = AT(&to), .addr_len = sizeof(to)),
			__NR_sendto, 1, AT("x"), 1, 0, AT(&to), sizeof(to));
		EXPECT_CALL(&r,
			ENTRY(.opcode = op, .fd = 1, .addr = AT(v), .len = 2,
				.ioprio = IORING_SEND_VECTORIZED, .addr2 = AT(&to),
				.addr_len = sizeof(to)),
			__NR_sendto, 1, 0, 5, 0, AT(&to), sizeof(to));
	}
	ring_close(&r);
}

TEST(ring_filter, registered_files_are_no_descriptors)
{
	const uint64_t slot = fixed_file | SLOT;
	struct ring r;
	char c;

	NEWER(has_calls());
	open_with_slots(&r);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_WRITE, .flags = IOSQE_FIXED_FILE, .fd = SLOT,
			.addr = AT("x"), .len = 1, .off = -1ull),
		__NR_write, slot, AT("x"), 1);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_READ, .flags = IOSQE_FIXED_FILE, .fd = SLOT,
			.addr = AT(&c), .len = 1),
		__NR_pread64, slot, AT(&c), 1, 0);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_SENDMSG, .flags = IOSQE_FIXED_FILE, .fd = SLOT),
		__NR_sendmsg, slot, 0, 0);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_FTRUNCATE, .flags = IOSQE_FIXED_FILE, .fd = SLOT,
			.off = 5),
		__NR_ftruncate, slot, 5);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_FSYNC, .flags = IOSQE_FIXED_FILE, .fd = 1000000),
		__NR_fsync, fixed_file | 1000000);
	EXPECT_CALL(
		&r, ENTRY(.opcode = IORING_OP_CLOSE, .file_index = SLOT + 1), __NR_close, slot);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_FIXED_FD_INSTALL, .flags = IOSQE_FIXED_FILE,
			.fd = SLOT),
		__NR_fcntl, slot, F_DUPFD_CLOEXEC, 0);
	EXPECT_CALL(&r,
		ENTRY(.opcode = IORING_OP_FIXED_FD_INSTALL, .flags = IOSQE_FIXED_FILE,
			.fd = SLOT, .rw_flags = IORING_FIXED_FD_NO_CLOEXEC),
		__NR_fcntl, slot, F_DUPFD, 0);
	ring_close(&r);
}

/* "Write to this descriptor only": a slot of the same number is another file. */
TEST(ring_filter, what_one_descriptor_may_no_slot_may)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_write, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SLOT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};
	struct io_uring_sqe write_it = {
		.opcode = IORING_OP_WRITE, .fd = SLOT, .addr = AT("x"), .len = 1, .off = -1ull};
	struct ring r;

	NEWER(has_calls());
	open_with_slots(&r);
	CHECK_EQ(dup2(CHECK_OK(open("other", O_RDWR | O_CREAT, 0600)), SLOT), SLOT);
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	IN_CHILD({
		CHECK_OK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
		(void)ring_push(&r, write_it);
		(void)syscall(__NR_io_uring_enter, r.fd, 1, 0, 0, NULL, 0);
		RING_EXPECT(&r, 0, 1);
		write_it.flags = IOSQE_FIXED_FILE;
		(void)ring_push(&r, write_it);
		(void)syscall(__NR_io_uring_enter, r.fd, 1, 0, 0, NULL, 0);
		RING_EXPECT(&r, 0, -EDOM);
	});
	ring_close(&r);
}

TEST(ring_filter, splice_and_tee)
{
	struct io_uring_sqe e = {.opcode = IORING_OP_SPLICE,
		.fd = 5,
		.splice_fd_in = SLOT,
		.splice_off_in = -1ull,
		.off = -1ull,
		.len = 9,
		.splice_flags = 2};
	struct ring r;

	NEWER(has_calls());
	open_with_slots(&r);
	EXPECT_CALL(&r, e, __NR_splice, SLOT, 0, 5, 0, 9, 2);
	e.splice_off_in = 0; /* an offset, and not NULL */
	e.off = 4096;
	EXPECT_CALL(&r, e, __NR_splice, SLOT, given_offset, 5, given_offset | 4096, 9, 2);
	e.splice_flags |= SPLICE_F_FD_IN_FIXED;
	EXPECT_CALL(&r, e, __NR_splice, fixed_file | SLOT, given_offset, 5, given_offset | 4096,
		9, 2);
	e.flags = IOSQE_FIXED_FILE;
	e.opcode = IORING_OP_TEE;
	e.splice_off_in = e.off = 0;
	EXPECT_CALL(&r, e, __NR_tee, fixed_file | SLOT, fixed_file | 5, 9, 2);
	e.flags = 0;
	e.splice_flags = 0;
	EXPECT_CALL(&r, e, __NR_tee, SLOT, 5, 9, 0);
	ring_close(&r);
}

TEST(ring_filter, futexes)
{
	struct io_uring_sqe e = {.opcode = IORING_OP_FUTEX_WAIT, .fd = 2 | 128, .addr3 = 0xf0};
	unsigned word = 4711;
	struct ring r;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	e.addr = AT(&word);
	e.addr2 = word;
	EXPECT_CALL(&r, e, __NR_futex, AT(&word), FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, word,
		0, 0, 0xf0);
	e.opcode = IORING_OP_FUTEX_WAKE;
	e.fd = 2;
	e.addr2 = 7;
	EXPECT_CALL(&r, e, __NR_futex, AT(&word), FUTEX_WAKE_BITSET, 7, 0, 0, 0xf0);
	ring_close(&r);
}

TEST(ring_filter, names)
{
	const uint64_t here = (uint64_t)(int64_t)AT_FDCWD;
	struct io_uring_sqe e = {.fd = AT_FDCWD, .len = (uint32_t)AT_FDCWD};
	struct ring r;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	e.addr = AT("a");
	e.addr2 = AT("b");
	e.opcode = IORING_OP_RENAMEAT;
	EXPECT_CALL(&r, e, __NR_renameat2, here, AT("a"), here, AT("b"), 0);
	e.opcode = IORING_OP_LINKAT;
	EXPECT_CALL(&r, e, __NR_linkat, here, AT("a"), here, AT("b"), 0);
	ring_close(&r);
}
