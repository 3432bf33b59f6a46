// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states. Each one below is a small program that waits for the outside
 * world somewhere, with other processes that make it go on, and that knows what must come out. It is
 * run, in a process of its own, in three ways:
 *
 *     fail.NAME   its first thread's n-th allocation fails, for n = 1, 2, ... until there is none: the
 *                 call says so, and nothing leaks
 *     kill.NAME   it is killed at some moment of its run, as a timer's signal comes: the others
 *                 end too, and nothing leaks
 *     signal.NAME the same with a signal that it handles: what was interrupted is done again, or
 *                 goes on, and the result is the same
 *
 * Which moments: seeds choose. A program's duration is taken first, in virtual time, so that every
 * part of it is as likely.
 */
#include "arch/sim/program.h"

#include "lib/test.h"
#include "mm/fail.h"
#include "proc/proc.h"
#include "time/clock.h"

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/un.h>
#include <linux/wait.h>
#include <string.h>

#include "abi/socket.h"

enum { KILLS = 12, MAX_ALLOCATIONS = 400, LEFT_OVER = 99 };

enum way { PLAIN, FAIL, KILL, HANDLE };

static void (*operation)(void);
static enum way way;
static uint64_t nth;         /* FAIL */
static uint64_t moment_ns;   /* KILL, HANDLE: from its start on */
static uint64_t duration_ns; /* of the last whole run */
static bool has_fired;       /* FAIL */
static bool is_complete;     /* the last run came to its end */
static unsigned nr_handled;

/* ---- Calls of an operation ---- */

/* A failed call ends the operation; that is right when an allocation was made to fail. */
static NORETURN void give_up(const char *call, int line, int64_t err)
{
	if (way == FAIL)
		has_fired = fail_disarm();
	if (!has_fired ||
		(err != -ENOMEM && err != -EAGAIN && err != -ENOBUFS && err != -ENOLCK))
		test_fail(__FILE__, line, "%s: %lld%s", call, (long long)err,
			has_fired ? ", an allocation failed" : "");
	sim_exit_process(LEFT_OVER);
}

/* A call that must work. Interrupted, it is made again. */
#define DO(nr, ...)                                                                            \
	({                                                                                     \
		int64_t do_;                                                                   \
		do                                                                             \
			do_ = SIM_CALL(__NR_##nr, __VA_ARGS__);                                \
		while (do_ == -EINTR && way == HANDLE);                                        \
		if (do_ < 0)                                                                   \
			give_up(#nr, __LINE__, do_);                                           \
		(uint64_t) do_;                                                                \
	})

/* Memory of the operation, touched by the kernel. */
#define MAP(size, kind)                                                                        \
	DO(mmap, 0, size, PROT_READ | PROT_WRITE, (kind) | MAP_ANONYMOUS | MAP_POPULATE,       \
		(uint64_t)-1, 0)

/* A child of the operation. */
static uint64_t child(void (*fn)(uintptr_t), uintptr_t arg)
{
	int64_t pid = sim_clone(SIGCHLD, fn, arg, 0, 0, 0);

	if (pid < 0)
		give_up("clone", __LINE__, pid);
	return (uint64_t)pid;
}

static void join(uint64_t pid)
{
	(void)DO(wait4, pid, 0, 0, 0);
}

/* What others do to an operation is not what is made to fail or killed: it may find nobody. */
#define TRY(nr, ...) ((void)SIM_CALL(__NR_##nr, __VA_ARGS__))

static void get_pair(uint64_t at, uint64_t fd[2])
{
	fd[0] = sim_load32(at);
	fd[1] = sim_load32(at + 4);
}

static void make_pipe(uint64_t fd[2], unsigned flags)
{
	uint64_t at = sim_scratch(&(uint64_t){0}, 8);

	(void)DO(pipe2, at, flags);
	get_pair(at, fd);
}

static void make_sockets(uint64_t fd[2], unsigned type)
{
	uint64_t at = sim_scratch(&(uint64_t){0}, 8);

	(void)DO(socketpair, AF_UNIX, type, 0, at);
	get_pair(at, fd);
}

/* ---- One run ---- */

static void note_signal(int sig UNUSED, void *info UNUSED, void *context UNUSED)
{
	nr_handled++;
}

static void arm_timer(int sig)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig};
	struct __kernel_itimerspec its = {.it_value.tv_nsec = (long)moment_ns};
	uint64_t at = sim_scratch(&(int){0}, sizeof(int));

	EXPECT_EQ(SIM_CALL(__NR_timer_create, CLOCK_MONOTONIC,
			  sim_scratch(&event, sizeof(event)), at),
		0);
	EXPECT_EQ(
		SIM_CALL(__NR_timer_settime, sim_load32(at), 0, sim_scratch(&its, sizeof(its))),
		0);
}

static uint64_t start_ns;

static void note_end(void)
{
	if (way == FAIL)
		has_fired = fail_disarm();
	duration_ns = MAX(clock_monotonic_ns() - start_ns, 1ul);
	is_complete = true;
}

static void run_operation(uintptr_t arg UNUSED)
{
	TRY(setpgid, 0, 0);
	if (way == HANDLE)
		sim_action(SIGUSR1, note_signal, sim_random(2) ? SA_RESTART : 0);
	if (way == KILL || way == HANDLE)
		arm_timer(way == KILL ? SIGKILL : SIGUSR1);
	start_ns = clock_monotonic_ns();
	if (way == FAIL)
		fail_arm(nth);
	operation();
	note_end();
}

static const char fifo_name[] = "/fifo", file_name[] = "/file", folder[] = "/folder",
		  inside[] = "/folder/x", moved[] = "/moved";

/* What an operation may leave: names, and sockets that the next end of any socket frees. */
static void clean_up(void)
{
	TRY(unlink, sim_scratch(fifo_name, sizeof(fifo_name)));
	TRY(unlink, sim_scratch(file_name, sizeof(file_name)));
	TRY(unlink, sim_scratch(moved, sizeof(moved)));
	TRY(unlink, sim_scratch(inside, sizeof(inside)));
	TRY(rmdir, sim_scratch(folder, sizeof(folder)));
	TRY(close, (uint64_t)SIM_CALL(__NR_socket, AF_UNIX, SOCK_DGRAM, 0));
}

/* Its other processes are of its group, and process 1's when it has ended. */
static void run_once(void)
{
	int64_t pid;
	int status;

	is_complete = has_fired = false;
	pid = sim_spawn(run_operation, 0);
	status = sim_wait(pid);
	TRY(kill, (uint64_t)-pid, SIGKILL);
	sim_wait_all();
	if (way == FAIL && fail_disarm()) /* it was killed for it */
		has_fired = true;
	clean_up();
	if (way == KILL)
		EXPECT(is_complete || status == SIGKILL);
	else if (way != FAIL || !has_fired)
		EXPECT(is_complete && status == 0);
	else
		EXPECT(is_complete || status == LEFT_OVER << 8 || status == SIGSEGV);
}

static void each_failure(void)
{
	way = PLAIN;
	run_once();
	way = FAIL;
	for (nth = 1; nth < MAX_ALLOCATIONS; nth++) {
		run_once();
		if (!has_fired)
			return;
	}
	test_fail(__FILE__, __LINE__, "there is no end of allocations");
}

static void some_moments(enum way w)
{
	uint64_t longest_ns;

	way = PLAIN;
	run_once();
	longest_ns = duration_ns;
	way = w;
	for (unsigned i = 0; i < KILLS; i++) {
		moment_ns = 1 + sim_random(longest_ns);
		run_once();
	}
}

static void kills(void)
{
	some_moments(KILL);
}

static void signals(void)
{
	some_moments(HANDLE);
}

#define OPERATION(name)                                                                        \
	static void name(void);                                                                \
	TEST(fail, name)                                                                       \
	{                                                                                      \
		operation = name;                                                              \
		sim_program_rounds(each_failure, 1);                                           \
	}                                                                                      \
	TEST(kill, name)                                                                       \
	{                                                                                      \
		operation = name;                                                              \
		sim_program_rounds(kills, 1);                                                  \
	}                                                                                      \
	TEST(signal, name)                                                                     \
	{                                                                                      \
		operation = name;                                                              \
		sim_program_rounds(signals, 1);                                                \
	}                                                                                      \
	static void name(void)

/* ---- Pipes ---- */

enum { BULK = 6 * PAGE_SIZE };

static void write_bulk(uintptr_t fd)
{
	uint64_t from = sim_map(BULK);

	for (uint64_t done = 0; done < BULK;) {
		int64_t n = SIM_CALL(__NR_write, fd, from, MIN(BULK - done, 5000ul));

		if (n <= 0)
			return;
		done += (uint64_t)n;
	}
}

OPERATION(pipe_read)
{
	uint64_t fd[2], to = MAP(PAGE_SIZE, MAP_PRIVATE), pid, n, sum = 0;

	make_pipe(fd, 0);
	(void)DO(fcntl, fd[1], F_SETPIPE_SZ, PAGE_SIZE);
	pid = child(write_bulk, fd[1]);
	(void)DO(close, fd[1]);
	while ((n = DO(read, fd[0], to, 3000)))
		sum += n;
	EXPECT_EQ(sum, BULK);
	join(pid);
}

static uint64_t other_end;

static void read_to_end(uintptr_t fd)
{
	uint64_t to = sim_map(PAGE_SIZE), sum = 0;
	int64_t n;

	TRY(close, other_end);
	while ((n = SIM_CALL(__NR_read, fd, to, 1000)) > 0)
		sum += (uint64_t)n;
	if (way != KILL && !has_fired)
		sim_exit_process(sum == BULK ? 0 : 1);
}

OPERATION(pipe_write)
{
	uint64_t fd[2], from = MAP(BULK, MAP_PRIVATE), pid;

	make_pipe(fd, 0);
	(void)DO(fcntl, fd[1], F_SETPIPE_SZ, PAGE_SIZE);
	other_end = fd[1];
	pid = child(read_to_end, fd[0]);
	(void)DO(close, fd[0]);
	for (uint64_t done = 0; done < BULK;)
		done += DO(write, fd[1], from, BULK - done);
	(void)DO(close, fd[1]);
	EXPECT_EQ(sim_wait((int64_t)pid), 0);
}

OPERATION(splice_and_tee)
{
	uint64_t a[2], b[2], to = MAP(PAGE_SIZE, MAP_PRIVATE), pid, n, sum = 0;

	make_pipe(a, 0);
	make_pipe(b, 0);
	pid = child(write_bulk, a[1]);
	(void)DO(close, a[1]);
	while ((n = DO(tee, a[0], b[1], PAGE_SIZE, 0))) {
		for (uint64_t done = 0; done < n;)
			done += DO(read, b[0], to, n - done);
		for (uint64_t done = 0; done < n;)
			done += DO(splice, a[0], 0, b[1], 0, n - done, 0);
		for (uint64_t done = 0; done < n;)
			done += DO(read, b[0], to, n - done);
		sum += n;
	}
	EXPECT_EQ(sum, BULK);
	join(pid);
}

static void open_writing(uintptr_t arg UNUSED)
{
	int64_t fd;

	fd = SIM_CALL(__NR_open, sim_scratch(fifo_name, sizeof(fifo_name)), O_WRONLY);
	if (fd >= 0)
		TRY(write, (uint64_t)fd, sim_scratch("x", 1), 1);
}

OPERATION(fifo_open)
{
	uint64_t fd, pid;

	(void)DO(mknod, sim_scratch(fifo_name, sizeof(fifo_name)), 0010600, 0);
	pid = child(open_writing, 0);
	fd = DO(open, sim_scratch(fifo_name, sizeof(fifo_name)), O_RDONLY);
	EXPECT_EQ(DO(read, fd, sim_scratch("", 1), 1), 1);
	join(pid);
	(void)DO(unlink, sim_scratch(fifo_name, sizeof(fifo_name)));
}

/* ---- Processes and threads ---- */

static void do_nothing(uintptr_t arg UNUSED)
{
}

OPERATION(fork_and_wait)
{
	uint64_t a = child(do_nothing, 0), b = child(do_nothing, 0);

	join(b);
	join(a);
}

OPERATION(vfork_and_wait)
{
	int64_t pid = sim_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, do_nothing, 0, 0, 0, 0);

	if (pid < 0)
		give_up("vfork", __LINE__, pid);
	join((uint64_t)pid);
}

static void end_thread(uintptr_t arg UNUSED)
{
	sim_yield(2);
	sim_exit_thread();
}

OPERATION(thread_and_join)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_PRIVATE);
	int64_t tid =
		sim_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				  CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
			end_thread, 0, word, word, 0);
	uint32_t value;

	if (tid < 0)
		give_up("thread", __LINE__, tid);
	while ((value = sim_load32(word))) {
		int64_t err = SIM_CALL(__NR_futex, word, FUTEX_WAIT, value, 0);

		if (err && err != -EAGAIN && err != -EINTR)
			give_up("futex", __LINE__, err);
	}
}

/* The process ends while its threads wait in calls, or make some. */
static void make_calls(uintptr_t arg UNUSED)
{
	for (;;)
		TRY(getppid, 0);
}

static void sleep_for_ever(uintptr_t arg UNUSED)
{
	for (;;)
		TRY(pause, 0);
}

static void end_with_threads(uintptr_t arg UNUSED)
{
	(void)sim_thread(make_calls, 0);
	(void)sim_thread(sleep_for_ever, 0);
}

OPERATION(end_of_threads)
{
	join(child(end_with_threads, 0));
}

static void end_as_program(uintptr_t sp UNUSED)
{
	note_end();
}

/* A new program in the place of one with threads: before the old one is gone an errno, then an end. */
OPERATION(exec)
{
	uint64_t set = BIT(SIGUSR1 - 1);

	fail_arm(0); /* the file is not what is tried */
	sim_make_program(file_name, end_as_program);
	fail_arm(way == FAIL ? nth : 0);
	if (sim_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
		    make_calls, 0, 0, 0, 0) < 0)
		give_up("clone", __LINE__, -ENOMEM);
	/* the handler goes with the program: what comes later stays pending */
	(void)DO(rt_sigprocmask, SIG_BLOCK, sim_scratch(&set, sizeof(set)), 0, sizeof(set));
	(void)DO(execve, sim_scratch(file_name, sizeof(file_name)), 0, 0);
}

OPERATION(pidfd_poll)
{
	uint64_t pid = child(do_nothing, 0), fd = DO(pidfd_open, pid, 0);
	struct pollfd p = {.fd = (int)fd, .events = POLLIN};

	EXPECT_EQ(DO(poll, sim_scratch(&p, sizeof(p)), 1, (uint64_t)-1), 1);
	(void)DO(waitid, P_PIDFD, fd, 0, WEXITED, 0);
}

/* ---- Futexes ---- */

static void wake_later(uintptr_t word)
{
	sim_yield(3);
	sim_store32(word, 1);
	TRY(futex, word, FUTEX_WAKE, 1);
}

OPERATION(futex_wait)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = child(wake_later, word);

	while (!sim_load32(word)) {
		int64_t err = SIM_CALL(__NR_futex, word, FUTEX_WAIT, 0, 0);

		if (err && err != -EAGAIN && err != -EINTR)
			give_up("futex", __LINE__, err);
	}
	join(pid);
}

static void hold_pi(uintptr_t word)
{
	for (unsigned i = 0; i < 3; i++) {
		if (SIM_CALL(__NR_futex, word, FUTEX_LOCK_PI, 0, 0))
			return;
		sim_yield(1);
		TRY(futex, word, FUTEX_UNLOCK_PI, 0);
	}
}

OPERATION(futex_pi)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = child(hold_pi, word);

	for (unsigned i = 0; i < 3; i++) {
		(void)DO(futex, word, FUTEX_LOCK_PI, 0, 0);
		EXPECT_EQ(sim_load32(word) & FUTEX_TID_MASK, DO(gettid, 0));
		(void)DO(futex, word, FUTEX_UNLOCK_PI, 0);
	}
	join(pid);
}

/* Who ends with a lock leaves it to the next. */
static void take_and_end(uintptr_t word)
{
	struct {
		uint64_t next, offset, pending;
	} head = {word + 8, (uint64_t)-8, 0};
	uint64_t at = word + 64;

	while (!sim_store(at, &head, sizeof(head)))
		;
	/* a list of one: its node is behind the word, and leads back to the head */
	while (!sim_store(word + 8, &at, sizeof(at)))
		;
	TRY(set_robust_list, at, sizeof(head));
	sim_store32(word, (uint32_t)SIM_CALL(__NR_gettid, 0));
}

OPERATION(futex_of_the_dead)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_SHARED), pid = child(take_and_end, word);
	uint32_t value;

	while (!((value = sim_load32(word)) & FUTEX_OWNER_DIED)) {
		int64_t err = value && sim_cmpxchg32(word, value, value | FUTEX_WAITERS)
				      ? SIM_CALL(__NR_futex, word, FUTEX_WAIT,
						value | FUTEX_WAITERS, 0)
				      : SIM_CALL(__NR_sched_yield, 0);

		if (err && err != -EAGAIN && err != -EINTR)
			give_up("futex", __LINE__, err);
	}
	join(pid);
}

/* ---- Sockets ---- */

static const struct sockaddr_un server = {.sun_family = AF_UNIX, .sun_path = "\0server"};
enum { SERVER_LEN = sizeof(server.sun_family) + 7 };

static void connect_and_send(uintptr_t fd)
{
	TRY(close, fd);
	fd = (uintptr_t)SIM_CALL(__NR_socket, AF_UNIX, SOCK_STREAM, 0);
	if (SIM_CALL(__NR_connect, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN) == 0)
		write_bulk(fd);
}

OPERATION(socket_accept)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0), to = MAP(PAGE_SIZE, MAP_PRIVATE),
		 pid, n, sum = 0;
	uint64_t peer;

	(void)DO(bind, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(listen, fd, 1);
	pid = child(connect_and_send, fd);
	peer = DO(accept4, fd, 0, 0, 0);
	while ((n = DO(read, peer, to, PAGE_SIZE)))
		sum += n;
	EXPECT_EQ(sum, BULK);
	join(pid);
}

OPERATION(socket_send)
{
	uint64_t fd[2], from = MAP(BULK, MAP_PRIVATE), pid;

	make_sockets(fd, SOCK_STREAM);
	other_end = fd[1];
	pid = child(read_to_end, fd[0]);
	(void)DO(close, fd[0]);
	for (uint64_t done = 0; done < BULK;)
		done += DO(sendto, fd[1], from, BULK - done, MSG_NOSIGNAL, 0, 0);
	(void)DO(shutdown, fd[1], 1);
	EXPECT_EQ(sim_wait((int64_t)pid), 0);
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

static void connect_two(uintptr_t fd)
{
	uint64_t at;

	TRY(close, fd);
	for (unsigned i = 0; i < 2; i++) {
		fd = (uintptr_t)SIM_CALL(__NR_socket, AF_UNIX, SOCK_STREAM, 0);
		at = sim_scratch(&server, SERVER_LEN);
		if (SIM_CALL(__NR_connect, fd, at, SERVER_LEN))
			return;
	}
}

/* The second and third connection wait for room; the listener ends with some not accepted. */
OPERATION(socket_backlog)
{
	uint64_t fd = DO(socket, AF_UNIX, SOCK_STREAM, 0), pid, peer;

	(void)DO(bind, fd, sim_scratch(&server, SERVER_LEN), SERVER_LEN);
	(void)DO(listen, fd, 0);
	pid = child(connect_two, fd);
	peer = DO(accept4, fd, 0, 0, 0);
	(void)DO(close, fd);
	(void)DO(close, peer);
	join(pid);
}

OPERATION(datagrams)
{
	uint64_t fd[2], from = MAP(PAGE_SIZE, MAP_PRIVATE), nr = 0, pid;

	make_sockets(fd, SOCK_SEQPACKET);
	pid = child(write_bulk, fd[1]);
	(void)DO(close, fd[1]);
	while (nr < BULK)
		nr += DO(recvfrom, fd[0], from, PAGE_SIZE, MSG_TRUNC, 0, 0);
	EXPECT_EQ(nr, BULK);
	join(pid);
}

/* ---- Waiting for several ---- */

static void write_byte(uintptr_t fd)
{
	sim_yield(2);
	TRY(write, fd, sim_scratch("12345678", 8), 8);
}

OPERATION(epoll)
{
	uint64_t fd[2], ep = DO(epoll_create1, 0), at, pid;
	struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data = 7};

	make_pipe(fd, 0);
	(void)DO(epoll_ctl, ep, EPOLL_CTL_ADD, fd[0], sim_scratch(&e, sizeof(e)));
	pid = child(write_byte, fd[1]);
	at = MAP(PAGE_SIZE, MAP_PRIVATE);
	EXPECT_EQ(DO(epoll_wait, ep, at, 4, (uint64_t)-1), 1);
	EXPECT_EQ(sim_load32(at), EPOLLIN);
	EXPECT_EQ(DO(epoll_wait, ep, at, 4, 0), 0);
	join(pid);
}

OPERATION(poll)
{
	uint64_t a[2], b[2], at, pid;
	struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};

	make_pipe(a, 0);
	make_sockets(b, SOCK_STREAM);
	p[0].fd = (int)a[0];
	p[1].fd = (int)b[0];
	pid = child(write_byte, b[1]);
	at = sim_scratch(p, sizeof(p));
	EXPECT_EQ(DO(poll, at, 2, (uint64_t)-1), 1);
	EXPECT_EQ(sim_load32(at + 12) >> 16, POLLIN);
	join(pid);
}

OPERATION(epoll_of_epolls)
{
	uint64_t fd[2], in, out, at, pid;
	struct epoll_event e = {.events = EPOLLIN};

	make_sockets(fd, SOCK_STREAM);
	in = DO(epoll_create1, 0);
	out = DO(epoll_create1, 0);
	(void)DO(epoll_ctl, out, EPOLL_CTL_ADD, in, sim_scratch(&e, sizeof(e)));
	(void)DO(epoll_ctl, in, EPOLL_CTL_ADD, fd[0], sim_scratch(&e, sizeof(e)));
	pid = child(write_byte, fd[1]);
	at = MAP(PAGE_SIZE, MAP_PRIVATE);
	EXPECT_EQ(DO(epoll_wait, out, at, 4, (uint64_t)-1), 1);
	EXPECT_EQ(DO(epoll_wait, in, at, 4, 0), 1);
	(void)DO(close, fd[0]);
	join(pid);
}

OPERATION(eventfd)
{
	uint64_t fd = DO(eventfd2, 0, 0), pid = child(write_byte, fd);

	EXPECT_EQ(DO(read, fd, sim_scratch(&(uint64_t){0}, 8), 8), 8);
	join(pid);
}

OPERATION(timerfd)
{
	struct __kernel_itimerspec its = {.it_value.tv_nsec = 20000};
	uint64_t fd = DO(timerfd_create, CLOCK_MONOTONIC, 0);

	(void)DO(timerfd_settime, fd, 0, sim_scratch(&its, sizeof(its)), 0);
	EXPECT_EQ(DO(read, fd, sim_scratch(&(uint64_t){0}, 8), 8), 8);
}

/* ---- Files ---- */

static void lock_too(uintptr_t arg UNUSED)
{
	int64_t fd = SIM_CALL(__NR_open, sim_scratch(file_name, sizeof(file_name)), O_RDWR);

	for (unsigned i = 0; fd >= 0 && i < 2; i++) {
		if (SIM_CALL(__NR_flock, (uint64_t)fd, 2))
			return;
		sim_yield(2);
		TRY(flock, (uint64_t)fd, 8);
	}
}

OPERATION(file_lock)
{
	uint64_t fd =
		DO(open, sim_scratch(file_name, sizeof(file_name)), O_RDWR | O_CREAT, 0600);
	uint64_t pid = child(lock_too, 0);

	for (unsigned i = 0; i < 2; i++) {
		(void)DO(flock, fd, 2); /* LOCK_EX */
		sim_yield(1);
		(void)DO(flock, fd, 8); /* LOCK_UN */
	}
	join(pid);
	(void)DO(unlink, sim_scratch(file_name, sizeof(file_name)));
}

static void lock_range(uintptr_t arg UNUSED)
{
	int64_t fd = SIM_CALL(__NR_open, sim_scratch(file_name, sizeof(file_name)), O_RDWR);
	struct flock range = {.l_type = F_WRLCK, .l_start = 10, .l_len = 10};

	if (fd < 0 || SIM_CALL(__NR_fcntl, (uint64_t)fd, F_SETLKW,
			      sim_scratch(&range, sizeof(range))))
		return;
	sim_yield(3);
}

OPERATION(range_lock)
{
	uint64_t fd =
		DO(open, sim_scratch(file_name, sizeof(file_name)), O_RDWR | O_CREAT, 0600);
	struct flock range = {.l_type = F_WRLCK, .l_start = 15, .l_len = 20};
	uint64_t pid = child(lock_range, 0);

	(void)DO(fcntl, fd, F_SETLKW, sim_scratch(&range, sizeof(range)));
	range.l_len = 20;
	range.l_type = F_UNLCK;
	(void)DO(fcntl, fd, F_SETLK, sim_scratch(&range, sizeof(range)));
	join(pid);
	(void)DO(unlink, sim_scratch(file_name, sizeof(file_name)));
}

OPERATION(files_come_and_go)
{
	uint64_t fd, at = MAP(BULK, MAP_PRIVATE);

	(void)DO(mkdir, sim_scratch(folder, sizeof(folder)), 0700);
	fd = DO(open, sim_scratch(inside, sizeof(inside)), O_RDWR | O_CREAT, 0600);
	for (uint64_t done = 0; done < BULK;)
		done += DO(pwrite64, fd, at, BULK - done, done);
	(void)DO(
		rename, sim_scratch(inside, sizeof(inside)), sim_scratch(moved, sizeof(moved)));
	EXPECT_EQ(DO(pread64, fd, at, 100, PAGE_SIZE), 100);
	(void)DO(ftruncate, fd, 100);
	(void)DO(unlink, sim_scratch(moved, sizeof(moved)));
	(void)DO(rmdir, sim_scratch(folder, sizeof(folder)));
}

static void make_file(uintptr_t arg UNUSED)
{
	int64_t fd = SIM_CALL(
		__NR_open, sim_scratch(file_name, sizeof(file_name)), O_RDWR | O_CREAT, 0600);

	if (fd >= 0)
		TRY(unlink, sim_scratch(file_name, sizeof(file_name)));
}

OPERATION(inotify)
{
	uint64_t fd = DO(inotify_init1, 0), at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;

	(void)DO(inotify_add_watch, fd, sim_scratch("/", 2), 0x100); /* IN_CREATE */
	pid = child(make_file, 0);
	EXPECT_GT(DO(read, fd, at, PAGE_SIZE), 16);
	join(pid);
}

/* ---- Memory ---- */

OPERATION(memory)
{
	uint64_t at = DO(mmap, 0, 16 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	uint64_t pid, fd[2];

	make_pipe(fd, 0);
	/* the kernel brings the pages in, so that a failure is an errno */
	(void)DO(madvise, at, 16 * PAGE_SIZE, 23); /* MADV_POPULATE_WRITE */
	pid = child(do_nothing, 0);
	(void)DO(mprotect, at + 4 * PAGE_SIZE, PAGE_SIZE, PROT_READ);
	at = DO(mremap, at, 3 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE);
	(void)DO(madvise, at, PAGE_SIZE, 4); /* MADV_DONTNEED */
	(void)DO(munmap, at + PAGE_SIZE, PAGE_SIZE);
	join(pid);
}

/* ---- Sleeping, and signals ---- */

OPERATION(sleep)
{
	struct __kernel_timespec ts = {.tv_nsec = 30000};
	uint64_t at = sim_scratch(&ts, sizeof(ts));

	(void)DO(clock_nanosleep, CLOCK_MONOTONIC, 0, at, at);
}

static void signal_parent(uintptr_t pid)
{
	sim_yield(2);
	TRY(kill, pid, SIGUSR2);
}

OPERATION(signal_wait)
{
	uint64_t set = BIT(SIGUSR2 - 1), pid;

	(void)DO(rt_sigprocmask, SIG_BLOCK, sim_scratch(&set, sizeof(set)), 0, sizeof(set));
	pid = child(signal_parent, DO(getpid, 0));
	EXPECT_EQ(DO(rt_sigtimedwait, sim_scratch(&set, sizeof(set)), 0, 0, sizeof(set)),
		SIGUSR2);
	join(pid);
}

OPERATION(signalfd)
{
	uint64_t set = BIT(SIGUSR2 - 1), pid, fd, at = MAP(PAGE_SIZE, MAP_PRIVATE);

	(void)DO(rt_sigprocmask, SIG_BLOCK, sim_scratch(&set, sizeof(set)), 0, sizeof(set));
	fd = DO(signalfd4, (uint64_t)-1, sim_scratch(&set, sizeof(set)), sizeof(set), 0);
	pid = child(signal_parent, DO(getpid, 0));
	EXPECT_EQ(DO(read, fd, at, 128), 128);
	EXPECT_EQ(sim_load32(at), SIGUSR2);
	join(pid);
}

/* A process that is stopped and goes on, seen by its parent. */
OPERATION(job_control)
{
	uint64_t pid = child(sleep_for_ever, 0);

	(void)DO(kill, pid, SIGSTOP);
	EXPECT_EQ(DO(wait4, pid, 0, WUNTRACED, 0), pid);
	(void)DO(kill, pid, SIGCONT);
	EXPECT_EQ(DO(wait4, pid, 0, WCONTINUED, 0), pid);
	(void)DO(kill, pid, SIGKILL);
	join(pid);
}
