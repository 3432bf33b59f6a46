// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): sockets.
 */
#include "arch/sim/test/states.h"

#include <linux/un.h>

#include "abi/socket.h"

/* ---- Sockets ---- */

static const struct sockaddr_un server = {.sun_family = AF_UNIX, .sun_path = "\0server"};
enum { SERVER_LEN = sizeof(server.sun_family) + 7 };

/* Little room, so that who sends waits for who receives. */
static void make_narrow(uint64_t fd)
{
	int size = PAGE_SIZE;

	(void)DO(setsockopt, fd, SOL_SOCKET, SO_SNDBUF, OBJECT(size), sizeof(size));
}

static void connect_and_send(uintptr_t fd)
{
	TRY(close, fd);
	fd = DO(socket, AF_UNIX, SOCK_STREAM, 0);
	make_narrow(fd);
	(void)DO(connect, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	write_bulk(fd);
}

JOINT_OPERATION(socket_accept)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0), to = MAP(PAGE_SIZE, MAP_PRIVATE),
		 pid, n, sum = 0;
	uint64_t peer;

	(void)DO(bind, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(listen, fd, 1);
	pid = sure_child(connect_and_send, fd);
	peer = DO(accept4, fd, 0, 0, 0);
	while ((n = DO(read, peer, to, PAGE_SIZE)))
		sum += n;
	EXPECT_WHOLE(sum, BULK);
	(void)DO(close, peer); /* who has us accept in vain gets an error */
	(void)DO(close, fd);
	join(pid);
}

static void connect_for_each(uintptr_t fd)
{
	TRY(close, fd);
	for (unsigned i = 0; i < 2; i++) {
		fd = DO(socket, AF_UNIX, SOCK_STREAM, 0);
		if (ASK(connect, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN))
			return; /* the listener is gone */
	}
}

static bool is_accepted; /* by the first thread */

/* Until it is: again after each connection that ended. */
static void connect_until_accepted(uintptr_t listener)
{
	uint64_t fd;

	TRY(close, listener);
	while (!READ_ONCE(is_accepted)) {
		fd = DO(socket, AF_UNIX, SOCK_STREAM, 0);
		if (ASK(connect, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN))
			return; /* the listener is gone */
		(void)ASK(read, fd, STRING("x"), 1);
		TRY(close, fd);
	}
}

static void accept_too(uintptr_t fd)
{
	uint64_t peer = DO(accept4, fd, 0, 0, 0);

	(void)DO(close, peer);
}

/* Two wait for the same, and each wake-up is one's: who is struck after it leaves it to the other. */
JOINT_OPERATION(socket_accept_by_two)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0), acceptor, pid, peer;

	is_accepted = false;
	(void)DO(bind, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(listen, fd, 4);
	acceptor = child(accept_too, fd);
	pid = sure_child(connect_until_accepted, fd);
	peer = DO(accept4, fd, 0, 0, 0);
	WRITE_ONCE(is_accepted, true);
	(void)DO(close, peer);
	(void)DO(close, fd);
	TRY(kill, acceptor, SIGKILL); /* it may wait for ever */
	join(acceptor);
	join(pid);
}

JOINT_OPERATION(socket_send)
{
	uint64_t fd[2], from = MAP(BULK, MAP_PRIVATE), pid;

	make_sockets(fd, SOCK_STREAM);
	make_narrow(fd[1]);
	states_other_end = fd[1];
	pid = child(read_to_end, fd[0]);
	(void)DO(close, fd[0]);
	for (uint64_t done = 0; done < BULK;)
		done += DO(sendto, fd[1], from, BULK - done, MSG_NOSIGNAL, 0, 0);
	(void)DO(shutdown, fd[1], 1);
	EXPECT_WHOLE(sim_wait((int64_t)pid), 0);
}

/* A message with descriptors, in scratch memory; the parts at `at`. */
struct passing {
	struct msghdr_abi {
		uint64_t name, name_len, iov, iov_len, control, control_len, flags;
	} msg;
	uint64_t iov[2];
	struct {
		uint64_t len;
		int level, type, fd[2];
	} control;
};

static uint64_t passing_at(uint64_t at, uint64_t fd0, uint64_t fd1)
{
	struct passing p = {
		.msg = {.iov = at + offsetof(struct passing, iov),
			.iov_len = 1,
			.control = at + offsetof(struct passing, control),
			.control_len = sizeof(p.control)},
		.iov = {at, 1},
		.control = {.len = sizeof(p.control),
			.level = SOL_SOCKET,
			.type = SCM_RIGHTS,
			.fd = {(int)fd0, (int)fd1}},
	};

	while (!sim_store(at, &p, sizeof(p)))
		;
	return at;
}

OPERATION(descriptors_pass)
{
	uint64_t s[2], p[2], at = MAP(PAGE_SIZE, MAP_PRIVATE), got[2];

	make_sockets(s, SOCK_DGRAM);
	make_pipe(p, 0);
	(void)DO(sendmsg, s[0], passing_at(at, p[0], p[1]), 0);
	(void)DO(close, p[0]);
	(void)DO(close, p[1]);
	(void)DO(recvmsg, s[1], passing_at(at, 0, 0), 0);
	get_pair(at + offsetof(struct passing, control) + 16, got);
	EXPECT_EQ(DO(write, got[1], at, 3), 3);
	EXPECT_EQ(DO(read, got[0], at, 9), 3);
}

/* Sockets that only hold each other, in each other's queues. */
OPERATION(descriptors_in_a_ring)
{
	uint64_t a[2], b[2], at = MAP(PAGE_SIZE, MAP_PRIVATE);

	make_sockets(a, SOCK_STREAM);
	make_sockets(b, SOCK_STREAM);
	(void)DO(sendmsg, a[0], passing_at(at, b[0], b[1]), 0);
	(void)DO(sendmsg, b[0], passing_at(at, a[0], a[1]), 0);
	(void)DO(sendmsg, a[1], passing_at(at, a[1], b[1]), 0);
}

/* The second and third connection wait for room; the listener ends with some not accepted. */
JOINT_OPERATION(socket_backlog)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0), pid, peer;

	(void)DO(bind, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(listen, fd, 0);
	pid = sure_child(connect_for_each, fd);
	peer = DO(accept4, fd, 0, 0, 0);
	(void)DO(close, fd);
	(void)DO(close, peer);
	join(pid);
}

JOINT_OPERATION(datagrams)
{
	uint64_t fd[2], from = MAP(PAGE_SIZE, MAP_PRIVATE), nr = 0, pid, n;

	make_sockets(fd, SOCK_SEQPACKET);
	make_narrow(fd[1]);
	pid = child(write_bulk, fd[1]);
	(void)DO(close, fd[1]);
	while ((n = DO(recvfrom, fd[0], from, PAGE_SIZE, MSG_TRUNC, 0, 0)))
		nr += n;
	EXPECT_WHOLE(nr, BULK);
	join(pid);
}

static void accept_one(uintptr_t fd)
{
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE), peer;

	sim_yield(2);
	peer = DO(accept4, fd, 0, 0, 0);
	while (DO(read, peer, at, PAGE_SIZE))
		;
}

/* The second waits until the first was taken out of the queue. */
JOINT_OPERATION(socket_connect)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0), one, two, pid;

	(void)DO(bind, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(listen, fd, 0);
	one = DO(socket, AF_UNIX, SOCK_STREAM, 0);
	two = DO(socket, AF_UNIX, SOCK_STREAM, 0);
	(void)DO(connect, one, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	pid = sure_child(accept_one, fd);
	(void)DO(connect, two, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(sendto, one, STRING("x"), 1, MSG_NOSIGNAL, 0, 0);
	(void)DO(shutdown, one, 1);
	(void)DO(shutdown, two, 1); /* for who accepts it in the place of another */
	join(pid);
}
