// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): requests of a ring that are system calls, which run on
 * fibers; sockets; registered things; a submission thread.
 */
#include "arch/sim/test/rings.h"

#include <linux/fcntl.h>
#include <linux/sched.h>
#include <linux/un.h>

#include "abi/socket.h"

static uint64_t keep_string(uint64_t at, const char *s)
{
	size_t len = 0;

	do
		while (!sim_store(at + len, s + len, 1))
			;
	while (s[len++]);
	return at;
}

/* A chain: its names are kept until its turn comes. */
OPERATION(ring_calls)
{
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE), folder = keep_string(at, states_folder),
		 inside = keep_string(at + 100, states_inside), fd;
	struct sim_ring r;

	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_MKDIRAT, .fd = AT_FDCWD, .addr = folder, .len = 0700,
		.flags = IOSQE_IO_LINK, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = inside, .len = 0600,
		.open_flags = O_CREAT | O_RDWR, .flags = IOSQE_IO_LINK, .user_data = 2);
	ADD(&r, .opcode = IORING_OP_STATX, .fd = AT_FDCWD, .addr = inside, .len = 0x7ff,
		.addr2 = at + 1000, .user_data = 3);
	submit(&r);
	EXPECT_EQ(DONE(&r, 1), 0);
	fd = DONE(&r, 2);
	EXPECT_EQ(DONE(&r, 3), 0);
	ADD(&r, .opcode = IORING_OP_CLOSE, .fd = (int)fd, .user_data = 4);
	submit(&r);
	EXPECT_EQ(DONE(&r, 4), 0);
	end_ring(&r);
}

/* On a fiber, which waits. */
JOINT_OPERATION(ring_any_call)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	make_ring(&r, 0);
	ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_read, .off = fd[0], .addr = at, .len = 8,
		.flags = IOSQE_IO_LINK, .user_data = 1);
	ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_getppid, .user_data = 2);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DONE(&r, 1), 8);
	(void)DONE(&r, 2);
	end_ring(&r);
	join(pid);
}

/* Two threads make calls by rings of their own: the fibers of their process go from hand to hand. */
enum { HANDS = 4 };

static void call_again_and_again(uintptr_t arg UNUSED)
{
	struct sim_ring r;

	make_ring(&r, 0);
	for (uint64_t i = 0; i < HANDS; i++) {
		ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_getppid, .user_data = i);
		submit(&r);
		(void)DONE(&r, i);
	}
	end_ring(&r);
}

JOINT_OPERATION(ring_calls_of_threads)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_PRIVATE);
	uint32_t value;

	(void)helper(THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, call_again_and_again,
		0, word);
	call_again_and_again(0);
	while ((value = sim_load32(word)))
		wait_futex(word, value);
}

static const struct sockaddr_un server = {.sun_family = AF_UNIX, .sun_path = "\0rings"};
enum { SERVER_LEN = sizeof(server.sun_family) + 6 };

static void connect_by_ring(uintptr_t listener)
{
	uint64_t fd, at = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct sim_ring r;

	TRY(close, listener);
	fd = DO(socket, AF_UNIX, SOCK_STREAM, 0);
	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_CONNECT, .fd = (int)fd,
		.addr = sim_scratch(&server, SERVER_LEN), .off = SERVER_LEN,
		.flags = IOSQE_IO_LINK, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_SEND, .fd = (int)fd, .addr = at, .len = 100,
		.msg_flags = MSG_NOSIGNAL, .user_data = 2);
	submit(&r);
	EXPECT_EQ(DONE(&r, 1), 0);
	EXPECT_EQ(DONE(&r, 2), 100);
}

JOINT_OPERATION(ring_sockets)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0), at = MAP(PAGE_SIZE, MAP_PRIVATE),
		 pid, peer;
	struct sim_ring r;

	(void)DO(bind, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(listen, fd, 1);
	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_ACCEPT, .fd = (int)fd, .user_data = 1);
	submit(&r);
	pid = sure_child(connect_by_ring, fd);
	peer = DONE(&r, 1);
	ADD(&r, .opcode = IORING_OP_RECV, .fd = (int)peer, .addr = at, .len = 1000,
		.user_data = 2);
	submit(&r);
	EXPECT_WHOLE(DONE(&r, 2), 100);
	(void)DO(close, peer);
	(void)DO(close, fd); /* who has us accept in vain gets an error */
	end_ring(&r);
	join(pid);
}

/* A registered file and registered memory, in use when the ring ends. */
OPERATION(ring_registered)
{
	uint64_t p[2], at = MAP(2 * PAGE_SIZE, MAP_PRIVATE);
	struct {
		uint64_t at, len;
	} iov = {at + 100, PAGE_SIZE};
	struct io_uring_cqe got;
	struct sim_ring r;
	int files[2];

	make_pipe(p, 0);
	files[0] = (int)p[0];
	files[1] = (int)p[1];
	make_ring(&r, 0);
	(void)DO(io_uring_register, r.fd, IORING_REGISTER_FILES, OBJECT(files), 2);
	(void)DO(io_uring_register, r.fd, IORING_REGISTER_BUFFERS, OBJECT(iov), 1);
	ADD(&r, .opcode = IORING_OP_READ_FIXED, .fd = 0, .addr = at + 200, .len = 50,
		.flags = IOSQE_FIXED_FILE, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_WRITE_FIXED, .fd = 1, .addr = at + 300, .len = 50,
		.flags = IOSQE_FIXED_FILE, .user_data = 2);
	ADD(&r, .opcode = IORING_OP_READ_FIXED, .fd = 0, .addr = at + 200, .len = 50,
		.flags = IOSQE_FIXED_FILE, .user_data = 3);
	submit(&r);
	EXPECT_EQ(DONE(&r, 2), 50);
	got = next_completion(
		&r); /* whoever comes first: the woken one, or the one that comes then */
	if (got.res < 0)
		states_give_up("READ_FIXED", __LINE__, got.res);
	EXPECT_EQ(got.res, 50);
	end_ring(&r);
}

JOINT_OPERATION(ring_sqpoll)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	make_ring(&r, IORING_SETUP_SQPOLL);
	ADD_READ(&r, fd[0], at, .user_data = 1);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DONE(&r, 1), 8);
	ADD_READ(&r, fd[0], at);
	submit(&r);
	end_ring(&r);
	join(pid);
}

/*
 * Calls on fibers, the CPU lent to them by the submission thread: one that has just ended what it waited for may do the
 * next and, if the process ends, be gone before its lender has looked.
 */
JOINT_OPERATION(ring_sqpoll_calls)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	make_ring(&r, IORING_SETUP_SQPOLL);
	ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_read, .off = fd[0], .addr = at,
		.len = 8);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	(void)DONE(&r, 0);
	for (unsigned i = 0; i < HANDS; i++)
		ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_getppid);
	submit(&r);
	for (unsigned i = 0; i < HANDS; i++)
		(void)DONE(&r, 0);
	end_ring(&r);
	join(pid);
}

/* The signal is the submission thread's, which takes none: it is not kept for it. */
OPERATION(ring_sqpoll_broken_pipe)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct sim_ring r;

	make_pipe(fd, 0);
	(void)DO(close, fd[0]);
	make_ring(&r, IORING_SETUP_SQPOLL);
	ADD(&r, .opcode = IORING_OP_WRITE, .fd = (int)fd[1], .addr = at, .len = 8,
		.user_data = 1);
	submit(&r);
	ENDS_WITH(&r, 1, -EPIPE);
	end_ring(&r);
}

/* The submission thread is a fiber that stays: a call that got none must not wait for it. */
OPERATION(ring_sqpoll_call)
{
	struct sim_ring r;

	make_ring(&r, IORING_SETUP_SQPOLL);
	ADD(&r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_getppid, .user_data = 1);
	submit(&r);
	(void)DONE(&r, 1);
	end_ring(&r);
}
