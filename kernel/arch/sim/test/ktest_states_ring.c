// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): requests of a ring that wait without a stack; and that they go with it.
 */
#include "arch/sim/test/rings.h"

#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time.h>

#include "abi/socket.h"
#include "lib/atomic.h"

OPERATION(ring_nop)
{
	struct sim_ring r;

	make_ring(&r, 0);
	for (uint64_t i = 0; i < 3; i++)
		ADD(&r, .opcode = IORING_OP_NOP, .user_data = i);
	submit(&r);
	for (uint64_t i = 0; i < 3; i++)
		EXPECT_EQ(DONE(&r, i), 0);
	end_ring(&r);
}

JOINT_OPERATION(ring_pipe_read)
{
	uint64_t fd[2], to = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	make_ring(&r, 0);
	ADD_READ(&r, fd[0], to, .user_data = 1);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DONE(&r, 1), 8);
	end_ring(&r);
	join(pid);
}

JOINT_OPERATION(ring_pipe_write)
{
	uint64_t fd[2], from = MAP(BULK, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	(void)DO(fcntl, fd[1], F_SETPIPE_SZ, PAGE_SIZE);
	states_other_end = fd[1];
	pid = child(read_to_end, fd[0]);
	(void)DO(close, fd[0]);
	make_ring(&r, 0);
	for (uint64_t done = 0; done < BULK;) {
		ADD(&r, .opcode = IORING_OP_WRITE, .fd = (int)fd[1], .addr = from,
			.len = (uint32_t)(BULK - done), .user_data = done);
		submit(&r);
		done += DONE(&r, done);
	}
	end_ring(&r);
	(void)DO(close, fd[1]);
	EXPECT_WHOLE(sim_wait((int64_t)pid), 0);
}

JOINT_OPERATION(ring_poll)
{
	uint64_t fd[2], pid;
	struct sim_ring r;

	make_sockets(fd, SOCK_STREAM);
	make_ring(&r, IORING_SETUP_COOP_TASKRUN);
	ADD(&r, .opcode = IORING_OP_POLL_ADD, .fd = (int)fd[0], .poll32_events = POLLIN,
		.user_data = 1);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DONE(&r, 1), POLLIN);
	end_ring(&r);
	join(pid);
}

OPERATION(ring_timeout)
{
	struct __kernel_timespec ts = {.tv_nsec = 20000};
	struct sim_ring r;

	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_TIMEOUT, .addr = OBJECT(ts), .len = 1, .user_data = 1);
	submit(&r);
	ENDS_WITH(&r, 1, -ETIME);
	end_ring(&r);
}

/* ---- A ring that is closed while what waits on it is woken ---- */

enum { ROUNDS = 3000 };

static uint32_t nr_sent; /* [a] */

static void send_soon(uintptr_t fd)
{
	uint64_t at = sim_scratch("x", 1);

	sim_yield((unsigned)sim_random(4));
	(void)SIM_CALL(__NR_sendto, fd, at, 1, MSG_NOSIGNAL, 0, 0);
	atomic_add(&nr_sent, 1);
	sim_exit_thread();
}

/* The request goes with its ring, whoever has just woken it, and the socket with the request: its peer is told. */
static void close_as_it_is_woken(void)
{
	uint64_t fd[2], to = MAP(PAGE_SIZE, MAP_PRIVATE);

	for (uint32_t i = 1; i <= test_rounds(ROUNDS); i++) {
		struct pollfd p;
		struct sim_ring r;

		make_sockets(fd, SOCK_STREAM);
		make_ring(&r, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
		ADD_READ(&r, fd[0], to);
		submit(&r);
		(void)sim_thread(send_soon, fd[1]);
		(void)DO(close, fd[0]);
		end_ring(&r);
		while (atomic_load(&nr_sent) < i)
			sim_yield(1);
		p = (struct pollfd){.fd = (int)fd[1]};
		EXPECT_EQ(SIM_CALL(__NR_poll, OBJECT(p), 1, (uint64_t)-1), 1);
		(void)DO(close, fd[1]);
	}
}

TEST(promise, what_waits_on_a_ring_goes_with_it)
{
	sim_program(close_as_it_is_woken);
}

/* One that waits, one in a chain behind it, and one that does not exist. */
OPERATION(ring_cancel)
{
	uint64_t fd[2], to = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct sim_ring r;

	make_pipe(fd, 0);
	make_ring(&r, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	ADD(&r, .opcode = IORING_OP_READ, .fd = (int)fd[0], .addr = to, .len = 9,
		.flags = IOSQE_IO_LINK, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_NOP, .user_data = 2);
	ADD(&r, .opcode = IORING_OP_ASYNC_CANCEL, .addr = 1, .user_data = 3);
	ADD(&r, .opcode = IORING_OP_ASYNC_CANCEL, .addr = 77, .user_data = 4);
	submit(&r);
	ENDS_WITH(&r, 1, -ECANCELED);
	ENDS_WITH(&r, 2, -ECANCELED);
	ENDS_WITH(&r, 3, 0);
	ENDS_WITH(&r, 4, -ENOENT);
	end_ring(&r);
}

/* What one writes the next reads; its time is never up. */
JOINT_OPERATION(ring_chain)
{
	uint64_t a[2], b[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct __kernel_timespec ts = {.tv_sec = 1000};
	struct sim_ring r;

	make_pipe(a, 0);
	make_pipe(b, 0);
	make_ring(&r, 0);
	ADD_READ(&r, a[0], at, .flags = IOSQE_IO_LINK, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_LINK_TIMEOUT, .addr = OBJECT(ts), .len = 1,
		.flags = IOSQE_IO_LINK, .user_data = 9);
	ADD(&r, .opcode = IORING_OP_WRITE, .fd = (int)b[1], .addr = at, .len = 8,
		.flags = IOSQE_IO_LINK, .user_data = 2);
	ADD_READ(&r, b[0], at + 100, .user_data = 3);
	submit(&r);
	pid = sure_child(write_byte, a[1]);
	EXPECT_EQ(DONE(&r, 1), 8);
	ENDS_WITH(&r, 9, -ECANCELED); /* the time, with what it was for */
	EXPECT_EQ(DONE(&r, 2), 8);
	EXPECT_EQ(DONE(&r, 3), 8);
	EXPECT_EQ(sim_load32(at + 100), 0x34333231);
	end_ring(&r);
	join(pid);
}

JOINT_OPERATION(ring_drain)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	make_ring(&r, 0);
	ADD_READ(&r, fd[0], at, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_NOP, .flags = IOSQE_IO_DRAIN, .user_data = 2);
	ADD(&r, .opcode = IORING_OP_NOP, .user_data = 3);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DONE(&r, 1), 8);
	EXPECT_EQ(DONE(&r, 2), 0);
	EXPECT_EQ(DONE(&r, 3), 0);
	end_ring(&r);
	join(pid);
}

enum { FUTEX2_SIZE_U32 = 2, ANY_BIT = -1 };

static void wake_by_ring(uintptr_t word)
{
	struct sim_ring r;

	make_ring(&r, 0);
	sim_store32(word, 1);
	ADD(&r, .opcode = IORING_OP_FUTEX_WAKE, .fd = FUTEX2_SIZE_U32, .addr = word, .addr2 = 1,
		.addr3 = (uint32_t)ANY_BIT, .user_data = 1);
	submit(&r);
	(void)DONE(&r, 1);
}

JOINT_OPERATION(ring_futex)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid;
	struct io_uring_cqe cqe;
	struct sim_ring r;

	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_FUTEX_WAIT, .fd = FUTEX2_SIZE_U32, .addr = word,
		.addr3 = (uint32_t)ANY_BIT, .user_data = 1);
	submit(&r);
	pid = sure_child(wake_by_ring, word);
	cqe = next_completion(&r);
	if (cqe.res && cqe.res != -EAGAIN)
		states_give_up("FUTEX_WAIT", __LINE__, cqe.res);
	end_ring(&r);
	join(pid);
}

/* The ring's end is the end of all that is in it: a worker cancels them. */
static void leave_requests(struct sim_ring *r)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct __kernel_timespec ts = {.tv_sec = 1000};

	make_pipe(fd, 0);
	make_ring(r, 0);
	ADD_READ(r, fd[0], at, .flags = IOSQE_IO_LINK);
	ADD(r, .opcode = IORING_OP_NOP);
	ADD(r, .opcode = IORING_OP_POLL_ADD, .fd = (int)fd[0], .poll32_events = POLLIN);
	ADD(r, .opcode = IORING_OP_TIMEOUT, .addr = OBJECT(ts), .len = 1);
	ADD(r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_read, .off = fd[0], .addr = at, .len = 8);
	ADD(r, .opcode = IORING_OP_NOP, .flags = IOSQE_IO_DRAIN);
	submit(r);
}

OPERATION(ring_closed)
{
	struct sim_ring r;

	leave_requests(&r);
	end_ring(&r);
	sim_yield(2);
}

OPERATION(ring_left)
{
	struct sim_ring r;

	leave_requests(&r);
	sim_yield(2);
}

/* A thread's requests wait on without it, and are cancelled when they are woken; the ring is its process'. */
static struct sim_ring shared;
static uint64_t shared_pipe;

static void read_and_end(uintptr_t to)
{
	ADD_READ(&shared, shared_pipe, to, .user_data = 1);
	submit(&shared);
	sim_yield(1);
}

JOINT_OPERATION(ring_of_thread)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct io_uring_cqe cqe;

	make_pipe(fd, 0);
	shared_pipe = fd[0];
	make_ring(&shared, 0);
	(void)helper(THREAD, read_and_end, at, 0);
	(void)DO(write, fd[1], at + 100, 8);
	cqe = next_completion(&shared);
	if (cqe.res != 8) /* it came before the read, or before the end */
		EXPECT_EQ(cqe.res, -ECANCELED);
	end_ring(&shared);
}

static void leave_own(uintptr_t arg UNUSED)
{
	struct sim_ring r;

	leave_requests(&r);
	sim_yield(1);
}

/* A call in a worker, which ends with its thread, and others that wait on: the process ends. */
OPERATION(ring_left_by_threads)
{
	struct sim_ring own;

	leave_requests(&own);
	(void)helper(THREAD, leave_own, 0, 0);
	sim_yield(2);
	(void)helper(THREAD, leave_own, 0, 0);
	sim_yield(4);
}

/* The owner sleeps in another call, which the woken request is to end: a fiber sees to it. */
JOINT_OPERATION(ring_owner_sleeps)
{
	uint64_t a[2], b[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};
	struct sim_ring r;

	make_pipe(a, 0);
	make_pipe(b, 0);
	make_ring(&r, 0);
	ADD_READ(&r, a[0], at, .flags = IOSQE_IO_LINK, .user_data = 1);
	ADD(&r, .opcode = IORING_OP_WRITE, .fd = (int)b[1], .addr = at, .len = 8,
		.user_data = 2);
	submit(&r);
	pid = sure_child(write_byte, a[1]);
	p[0].fd = (int)b[0];
	p[1].fd = (int)r.fd; /* it fails */
	(void)DO(poll, OBJECT(p), 2, (uint64_t)-1);
	EXPECT_EQ(DONE(&r, 1), 8);
	EXPECT_EQ(DONE(&r, 2), 8);
	EXPECT_EQ(DO(read, b[0], at + 100, 9), 8);
	end_ring(&r);
	join(pid);
}
