// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): requests of a ring that have several completions, buffers that
 * were provided, messages between rings, a shared submission thread, programs spawned.
 */
#include "arch/sim/test/rings.h"

#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/un.h>
#include <linux/wait.h>

#include "abi/socket.h"

enum { GROUP = 3, BUFFERS = 4, BUFFER_SIZE = 100 };

/* ---- Buffers ---- */

/* A list: by an entry. */
static void provide_list(struct sim_ring *r, uint64_t at)
{
	ADD(r, .opcode = IORING_OP_PROVIDE_BUFFERS, .fd = BUFFERS, .addr = at,
		.len = BUFFER_SIZE, .buf_group = GROUP, .user_data = 99);
	submit(r);
	EXPECT_EQ(DONE(r, 99), 0);
}

/* A ring in the program's memory; the buffers are in the page behind it. */
static void provide_ring(struct sim_ring *r, uint64_t at, uint16_t flags)
{
	struct ring_buf_reg reg = {
		.ring_addr = at, .ring_entries = BUFFERS, .bgid = GROUP, .flags = flags};

	(void)DO(io_uring_register, r->fd, IORING_REGISTER_PBUF_RING, OBJECT(reg), 1);
	for (uint16_t i = 0; i < BUFFERS; i++) {
		struct io_uring_buf buf = {
			.addr = at + PAGE_SIZE + i * BUFFER_SIZE, .len = BUFFER_SIZE, .bid = i};

		store_bytes(at + i * sizeof(buf), &buf, offsetof(struct io_uring_buf, resv));
	}
	store_bytes(at + offsetof(struct io_uring_buf, resv), &(uint16_t){BUFFERS}, 2);
}

/* What came, in which buffer; the request goes on if it may. */
static unsigned took_buffer(struct sim_ring *r, uint64_t name, int line)
{
	struct io_uring_cqe cqe = next_completion(r);

	if (cqe.res < 0)
		states_give_up("completion", line, cqe.res);
	EXPECT_EQ(cqe.user_data, name);
	EXPECT(cqe.res == 8 || cqe.res == 16); /* a second helper's too */
	EXPECT(cqe.flags & IORING_CQE_F_BUFFER);
	return cqe.flags >> IORING_CQE_BUFFER_SHIFT;
}

JOINT_OPERATION(ring_read_of_list)
{
	uint64_t fd[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid, left;
	struct sim_ring r;

	make_pipe(fd, 0);
	make_ring(&r, 0);
	provide_list(&r, at);
	ADD(&r, .opcode = IORING_OP_READ, .fd = (int)fd[0], .len = BUFFER_SIZE,
		.flags = IOSQE_BUFFER_SELECT, .buf_group = GROUP, .user_data = 1);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(sim_load32(at + took_buffer(&r, 1, __LINE__) * BUFFER_SIZE), 0x34333231);
	ADD(&r, .opcode = IORING_OP_REMOVE_BUFFERS, .fd = BUFFERS, .buf_group = GROUP,
		.user_data = 2);
	submit(&r);
	left = DONE(&r, 2);
	EXPECT(left == BUFFERS - 1 || (left < BUFFERS && !states_is_undisturbed()));
	end_ring(&r);
	join(pid);
}

/* Cancelled with buffers left. */
JOINT_OPERATION(ring_read_multishot)
{
	uint64_t fd[2], at = MAP(2 * PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	make_ring(&r, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	provide_ring(&r, at, 0);
	ADD(&r, .opcode = IORING_OP_READ_MULTISHOT, .fd = (int)fd[0],
		.flags = IOSQE_BUFFER_SELECT, .buf_group = GROUP, .user_data = 1);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(sim_load32(at + PAGE_SIZE + took_buffer(&r, 1, __LINE__) * BUFFER_SIZE),
		0x34333231);
	ADD(&r, .opcode = IORING_OP_ASYNC_CANCEL, .addr = 1, .user_data = 2,
		.flags = IOSQE_CQE_SKIP_SUCCESS);
	submit(&r);
	while (next_completion(&r).res > 0) /* the same */
		;
	end_ring(&r);
	join(pid);
}

/* By and by into one buffer, and left so. */
JOINT_OPERATION(ring_recv_multishot)
{
	uint64_t fd[2], at = MAP(2 * PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_sockets(fd, SOCK_STREAM);
	make_ring(&r, 0);
	provide_ring(&r, at, IOU_PBUF_RING_INC);
	ADD(&r, .opcode = IORING_OP_RECV, .fd = (int)fd[0], .ioprio = IORING_RECV_MULTISHOT,
		.flags = IOSQE_BUFFER_SELECT, .buf_group = GROUP, .user_data = 1);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(took_buffer(&r, 1, __LINE__), 0);
	end_ring(&r);
	join(pid);
}

/* The buffers' memory is the kernel's, and what is mapped outlives the ring. */
OPERATION(ring_mapped_buffers)
{
	struct ring_buf_reg reg = {
		.ring_entries = BUFFERS, .bgid = GROUP, .flags = IOU_PBUF_RING_MMAP};
	struct sim_ring r;
	uint64_t at;

	make_ring(&r, 0);
	(void)DO(io_uring_register, r.fd, IORING_REGISTER_PBUF_RING, OBJECT(reg), 1);
	at = DO(mmap, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r.fd,
		IORING_OFF_PBUF_RING | GROUP << IORING_OFF_PBUF_SHIFT);
	end_ring(&r);
	sim_store32(at, 1);
	(void)DO(munmap, at, PAGE_SIZE);
}

/* ---- Several completions ---- */

JOINT_OPERATION(ring_poll_multishot)
{
	uint64_t fd[2], pid;
	struct sim_ring r;

	make_sockets(fd, SOCK_STREAM);
	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_POLL_ADD, .fd = (int)fd[0], .len = IORING_POLL_ADD_MULTI,
		.poll32_events = POLLIN, .user_data = 1);
	submit(&r);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DONE(&r, 1), POLLIN);
	ADD(&r, .opcode = IORING_OP_POLL_REMOVE, .addr = 1, .user_data = 2,
		.flags = IOSQE_CQE_SKIP_SUCCESS);
	submit(&r);
	while (next_completion(&r).res == POLLIN)
		;
	end_ring(&r);
	join(pid);
}

static const struct sockaddr_un server = {.sun_family = AF_UNIX, .sun_path = "\0multi"};
enum { SERVER_LEN = sizeof(server.sun_family) + 6 };

static void connect_twice(uintptr_t listener)
{
	TRY(close, listener);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0);

		(void)DO(connect, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	}
}

/* The second connection is accepted or not, when the ring ends. */
JOINT_OPERATION(ring_accept_multishot)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0), pid;
	struct sim_ring r;

	(void)DO(bind, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(listen, fd, 8);
	make_ring(&r, 0);
	ADD(&r, .opcode = IORING_OP_ACCEPT, .fd = (int)fd, .ioprio = IORING_ACCEPT_MULTISHOT,
		.user_data = 1);
	submit(&r);
	pid = sure_child(connect_twice, fd);
	(void)DO(close, DONE(&r, 1));
	(void)DO(close, fd);
	end_ring(&r);
	join(pid);
}

/* ---- Two rings ---- */

static struct sim_ring other;

static void take_message(uintptr_t name)
{
	EXPECT_EQ(DONE(&other, name), 77);
}

/* Another process waits on the ring to which the message goes. */
JOINT_OPERATION(ring_message)
{
	struct sim_ring r;
	uint64_t pid;

	make_ring(&r, 0);
	make_ring(&other, 0);
	pid = child(take_message, 55);
	ADD(&r, .opcode = IORING_OP_MSG_RING, .fd = (int)other.fd, .len = 77, .off = 55,
		.user_data = 1);
	submit(&r);
	EXPECT_EQ(DONE(&r, 1), 0);
	join(pid);
	end_ring(&r);
	end_ring(&other);
}

/* A registered file goes from one ring to the other, which is told by its own thread. */
OPERATION(ring_message_file)
{
	int none[1] = {-1}, files[1];
	uint64_t fd[2];
	struct sim_ring r;

	make_pipe(fd, 0);
	files[0] = (int)fd[0];
	make_ring(&r, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	make_ring(&other, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	(void)DO(io_uring_register, r.fd, IORING_REGISTER_FILES, OBJECT(files), 1);
	(void)DO(io_uring_register, other.fd, IORING_REGISTER_FILES, OBJECT(none), 1);
	ADD(&r, .opcode = IORING_OP_MSG_RING, .fd = (int)other.fd, .addr = IORING_MSG_SEND_FD,
		.addr3 = 0, .file_index = 1, .off = 55, .user_data = 1);
	submit(&r);
	EXPECT_EQ(DONE(&r, 1), 0);
	EXPECT_EQ(DONE(&other, 55), 0);
	end_ring(&r);
	end_ring(&other);
}

/* The first goes, and its submission thread stays for the other. */
JOINT_OPERATION(ring_shared_sqpoll)
{
	uint64_t fd[2], none[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;
	struct sim_ring r;

	make_pipe(fd, 0);
	make_pipe(none, 0);
	make_ring(&r, IORING_SETUP_SQPOLL);
	attach_ring(&other, IORING_SETUP_SQPOLL, &r);
	ADD_READ(&r, none[0], at);
	submit(&r);
	end_ring(&r);
	ADD_READ(&other, fd[0], at, .user_data = 1);
	submit(&other);
	pid = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DONE(&other, 1), 8);
	end_ring(&other);
	join(pid);
}

/* ---- Programs ---- */

static void be_program(uintptr_t sp UNUSED)
{
	TRY(getppid, 0);
}

static uint64_t spawn(struct sim_ring *r, uint64_t path)
{
	struct torus_file_action actions[] = {
		{.action = TORUS_FILE_DUP, .fd = 20, .from = (int)r->fd},
		{.action = TORUS_FILE_CLOSE_FROM, .fd = 21}};
	uint64_t argv[2] = {path};
	struct torus_spawn s = {.path = path,
		.argv = OBJECT(argv),
		.actions = OBJECT(actions),
		.nr_actions = ARRAY_LEN(actions)};

	ADD(r, .opcode = TORUS_OP_SPAWN, .fd = AT_FDCWD, .addr = OBJECT(s), .len = sizeof(s),
		.user_data = 1);
	submit(r);
	return DONE(r, 1);
}

OPERATION(ring_spawn)
{
	uint64_t path = MAP(PAGE_SIZE, MAP_PRIVATE), fd;
	struct sim_ring r;

	states_pause_failing(); /* the file is not what is tried */
	sim_make_program(states_file, be_program);
	states_go_on_failing();
	store_bytes(path, states_file, sizeof(states_file));
	make_ring(&r, 0);
	fd = spawn(&r, path);
	(void)DO(waitid, P_PIDFD, fd, 0, WEXITED, 0);
	end_ring(&r);
}

OPERATION(ring_spawn_nothing)
{
	uint64_t path = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct torus_spawn s = {.path = path, .argv = path + 8};
	struct sim_ring r;

	store_bytes(path, "/none", 6);
	make_ring(&r, 0);
	ADD(&r, .opcode = TORUS_OP_SPAWN, .fd = AT_FDCWD, .addr = OBJECT(s), .len = sizeof(s),
		.user_data = 1);
	submit(&r);
	ENDS_WITH(&r, 1, -ENOENT);
	end_ring(&r);
}
