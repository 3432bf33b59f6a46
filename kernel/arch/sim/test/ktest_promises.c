// SPDX-License-Identifier: MIT
/*
 * Promises between processes, under random schedules: what was written is read once and in order, a
 * wake-up is one waiter's, an event that somebody waits for is seen, a queued signal is handled once,
 * descriptors that nobody can receive any more are gone, and who looks for a name ends while others move. A
 * promise to wake that is not kept is a hang, which the machine reports.
 */
#include "arch/sim/program.h"

#include "lib/atomic.h"
#include "lib/test.h"
#include "proc/signal.h"

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/poll.h>
#include <linux/time.h>
#include <linux/wait.h>

#include "abi/socket.h"

enum { ROUNDS = 3 };

static uint64_t fds[2]; /* of every process of a test */

static void make_fds(bool is_pipe, uint64_t flags)
{
	uint64_t at = sim_scratch(&(uint64_t){0}, sizeof(uint64_t));
	int64_t err = is_pipe ? SIM_CALL(__NR_pipe2, at, flags)
			      : SIM_CALL(__NR_socketpair, AF_UNIX, SOCK_STREAM | flags, 0, at);

	EXPECT_EQ(err, 0);
	fds[0] = sim_load32(at);
	fds[1] = sim_load32(at + 4);
}

static void close_fds(void)
{
	EXPECT_EQ(SIM_CALL(__NR_close, fds[0]), 0);
	EXPECT_EQ(SIM_CALL(__NR_close, fds[1]), 0);
}

/* ---- Pipes: each message once, and each writer's in order ---- */

enum { WRITERS = 3, READERS = 2, MESSAGES = 40, AT_A_TIME = 3 };

struct message {
	uint32_t writer, number;
};

static uint32_t nr_seen[WRITERS][MESSAGES]; /* [a] */

static void write_messages(uintptr_t writer)
{
	struct message m[AT_A_TIME];
	uint32_t number = 0;

	EXPECT_EQ(SIM_CALL(__NR_close, fds[0]), 0);
	while (number < MESSAGES) {
		uint32_t nr = (uint32_t)MIN(1 + sim_random(AT_A_TIME), MESSAGES - number);

		for (uint32_t i = 0; i < nr; i++)
			m[i] = (struct message){(uint32_t)writer, number++};
		EXPECT_EQ(SIM_CALL(__NR_write, fds[1], sim_scratch(m, sizeof(m)),
				  nr * sizeof(m[0])),
			(int64_t)(nr * sizeof(m[0])));
	}
}

static void read_messages(uintptr_t arg UNUSED)
{
	uint64_t at = sim_map(PAGE_SIZE);
	int64_t last[WRITERS] = {-1, -1, -1}, n;
	struct message m;

	EXPECT_EQ(SIM_CALL(__NR_close, fds[1]), 0);
	while ((n = SIM_CALL(__NR_read, fds[0], at, (1 + sim_random(AT_A_TIME)) * sizeof(m))) >
		0) {
		EXPECT_EQ(n % (int64_t)sizeof(m), 0);
		for (uint64_t i = 0; i < (uint64_t)n; i += sizeof(m)) {
			EXPECT(sim_load(&m, at + i, sizeof(m)));
			if (m.writer >= WRITERS || m.number >= MESSAGES) {
				test_fail(__FILE__, __LINE__, "read what nobody wrote");
				return;
			}
			EXPECT_LT(last[m.writer], m.number);
			last[m.writer] = m.number;
			atomic_fetch_add(&nr_seen[m.writer][m.number], 1u);
		}
	}
	EXPECT_EQ(n, 0);
}

static void change_size(uintptr_t arg UNUSED)
{
	EXPECT_EQ(SIM_CALL(__NR_close, fds[1]), 0);
	for (unsigned i = 0; i < 4; i++)
		(void)SIM_CALL(__NR_fcntl, fds[0], F_SETPIPE_SZ, PAGE_SIZE << sim_random(4));
}

static void exchange_messages(void)
{
	make_fds(true, 0);
	for (uintptr_t w = 0; w < WRITERS; w++)
		for (unsigned i = 0; i < MESSAGES; i++)
			nr_seen[w][i] = 0;
	for (uintptr_t w = 0; w < WRITERS; w++)
		(void)sim_spawn(write_messages, w);
	for (unsigned i = 0; i < READERS; i++)
		(void)sim_spawn(read_messages, 0);
	(void)sim_spawn(change_size, 0);
	close_fds();
	sim_wait_all();
	for (unsigned w = 0; w < WRITERS; w++)
		for (unsigned i = 0; i < MESSAGES; i++)
			EXPECT_EQ(nr_seen[w][i], 1);
}

TEST(promise, a_pipe_gives_each_message_once_and_in_order)
{
	sim_program_rounds(exchange_messages, ROUNDS);
}

/* ---- Futexes: a wake-up is one waiter's ---- */

enum { WAITERS = 5 };

static uint64_t words;                      /* two futexes */
static uint32_t nr_woken, nr_ended, nr_out; /* [a] of waiters: returned 0; ended; timed out */

static void wait_once(uintptr_t has_deadline)
{
	struct __kernel_timespec ts = {.tv_nsec = 1000 + (long)sim_random(40000)};
	int64_t err = SIM_CALL(__NR_futex, words, FUTEX_WAIT, 0,
		has_deadline ? sim_scratch(&ts, sizeof(ts)) : 0);

	EXPECT(err == 0 || (has_deadline && err == -ETIMEDOUT));
	atomic_fetch_add(err ? &nr_out : &nr_woken, 1u);
	atomic_fetch_add(&nr_ended, 1u);
}

static void wake_each(void)
{
	unsigned nr_wakes = 0;

	nr_woken = nr_ended = nr_out = 0;
	words = sim_map_shared(PAGE_SIZE);
	for (uintptr_t i = 0; i < WAITERS; i++)
		(void)sim_spawn(wait_once, i & 1);
	while (atomic_load(&nr_ended) < WAITERS) {
		int64_t n = sim_random(2) ? SIM_CALL(__NR_futex, words, FUTEX_REQUEUE, 1, 1,
						    words + 4)
					  : SIM_CALL(__NR_futex, words, FUTEX_WAKE, 1);

		EXPECT(n >= 0 && n <= 2);
		/* of a requeue's answer only the woken count, and those it moved are woken there */
		if (n == 2)
			n = 1;
		nr_wakes += (unsigned)n;
		n = SIM_CALL(__NR_futex, words + 4, FUTEX_WAKE, 1);
		EXPECT(n == 0 || n == 1);
		nr_wakes += (unsigned)n;
		sim_yield(1);
	}
	sim_wait_all();
	EXPECT_EQ(nr_woken, nr_wakes);
	EXPECT_EQ(nr_woken + nr_out, WAITERS);
	EXPECT_EQ(SIM_CALL(__NR_munmap, words, PAGE_SIZE), 0);
}

TEST(promise, a_futex_wake_up_is_consumed_by_one_waiter)
{
	sim_program_rounds(wake_each, ROUNDS);
}

/* A lock of a word and two calls, by processes of which one is killed waiting: nobody else waits
 * for ever, and nobody is in together with another. */
static uint32_t nr_inside;  /* [a] */
static uint32_t nr_entered; /* [a] */

enum { FREE, TAKEN, WAITED_FOR, TIMES = 6 };

static void enter_and_leave(uintptr_t arg UNUSED)
{
	for (unsigned i = 0; i < TIMES; i++) {
		if (!sim_cmpxchg32(words, FREE, TAKEN)) {
			while (sim_load32(words) != FREE ||
				!sim_cmpxchg32(words, FREE, WAITED_FOR)) {
				if (!sim_cmpxchg32(words, TAKEN, WAITED_FOR) &&
					sim_load32(words) != WAITED_FOR)
					continue;
				(void)SIM_CALL(__NR_futex, words, FUTEX_WAIT, WAITED_FOR, 0);
			}
		}
		EXPECT_EQ(atomic_fetch_add(&nr_inside, 1u), 0);
		atomic_fetch_add(&nr_entered, 1u);
		sim_yield((unsigned)sim_random(2));
		EXPECT_EQ(atomic_fetch_sub(&nr_inside, 1u), 1);
		if (sim_add32(words, (uint32_t)-1) != TAKEN) {
			sim_store32(words, FREE);
			(void)SIM_CALL(__NR_futex, words, FUTEX_WAKE, 1);
		}
	}
}

static void contend(void)
{
	words = sim_map_shared(PAGE_SIZE);
	nr_inside = nr_entered = 0;
	for (unsigned i = 0; i < 4; i++)
		(void)sim_spawn(enter_and_leave, 0);
	sim_wait_all();
	EXPECT_EQ(nr_entered, 4 * TIMES);
	EXPECT_EQ(SIM_CALL(__NR_munmap, words, PAGE_SIZE), 0);
}

TEST(promise, a_lock_on_a_futex_lets_everybody_in_alone)
{
	sim_program_rounds(contend, ROUNDS);
}

/* ---- epoll ---- */

enum { BYTES = 60 };

static uint64_t ep;
static uint32_t nr_read;    /* [a] */
static uint32_t nr_holding; /* [a] who has the event of EPOLLONESHOT */
static uint32_t epoll_flags;

static void write_bytes(uintptr_t arg UNUSED)
{
	for (unsigned i = 0; i < BYTES;) {
		unsigned n = 1 + (unsigned)sim_random(3);

		n = MIN(n, BYTES - i);
		EXPECT_EQ(SIM_CALL(__NR_write, fds[1], sim_scratch("abc", 3), n), n);
		i += n;
		sim_yield((unsigned)sim_random(3));
	}
}

/* What this event promises: of an edge, all there is; else as much as we like. */
static void take_bytes(void)
{
	uint64_t at = sim_scratch("123", 3);
	int64_t n;

	do {
		n = SIM_CALL(__NR_read, fds[0], at, 1 + sim_random(3));
		if (n > 0)
			atomic_fetch_add(&nr_read, (uint32_t)n);
	} while (n > 0 && (epoll_flags & EPOLLET));
	EXPECT(n > 0 || n == -EAGAIN);
}

static void poll_events(uintptr_t arg UNUSED)
{
	struct epoll_event e = {.events = EPOLLIN | epoll_flags};
	uint64_t at = sim_map(PAGE_SIZE);

	while (atomic_load(&nr_read) < BYTES) {
		int64_t n = SIM_CALL(__NR_epoll_wait, ep, at, 4, (uint64_t)-1);

		EXPECT_EQ(n, 1);
		if (n != 1 || sim_load32(at + 4) == 1)
			return; /* the other pipe: it is over */
		if (epoll_flags & EPOLLONESHOT)
			EXPECT_EQ(atomic_fetch_add(&nr_holding, 1u), 0);
		take_bytes();
		if (!(epoll_flags & EPOLLONESHOT))
			continue;
		atomic_fetch_sub(&nr_holding, 1u);
		EXPECT_EQ(SIM_CALL(__NR_epoll_ctl, ep, EPOLL_CTL_MOD, fds[0],
				  sim_scratch(&e, sizeof(e))),
			0);
	}
}

static void see_all_events(void)
{
	static const uint32_t flags[] = {
		0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT, EPOLLEXCLUSIVE};
	struct epoll_event e, end = {.events = EPOLLIN, .data = 1};
	int64_t event_fd = SIM_CALL(__NR_eventfd2, 0, 0);
	int64_t pid[3];

	epoll_flags = flags[sim_random(ARRAY_LEN(flags))];
	nr_read = nr_holding = 0;
	make_fds(sim_random(2), O_NONBLOCK);
	ep = (uint64_t)SIM_CALL(__NR_epoll_create1, 0);
	e = (struct epoll_event){.events = EPOLLIN | epoll_flags};
	EXPECT_EQ(
		SIM_CALL(__NR_epoll_ctl, ep, EPOLL_CTL_ADD, fds[0], sim_scratch(&e, sizeof(e))),
		0);
	EXPECT_EQ(SIM_CALL(__NR_epoll_ctl, ep, EPOLL_CTL_ADD, (uint64_t)event_fd,
			  sim_scratch(&end, sizeof(end))),
		0);
	pid[0] = sim_spawn(poll_events, 0);
	pid[1] = sim_spawn(poll_events, 0);
	pid[2] = sim_spawn(write_bytes, 0);
	(void)sim_wait(pid[2]);
	while (atomic_load(&nr_read) < BYTES) /* a lost event is a livelock here */
		(void)SIM_CALL(__NR_poll, 0, 0, 1);
	EXPECT_EQ(
		SIM_CALL(__NR_write, (uint64_t)event_fd, sim_scratch(&(uint64_t){1}, 8), 8), 8);
	(void)sim_wait(pid[0]);
	(void)sim_wait(pid[1]);
	EXPECT_EQ(nr_read, BYTES);
	close_fds();
	EXPECT_EQ(SIM_CALL(__NR_close, ep), 0);
	EXPECT_EQ(SIM_CALL(__NR_close, (uint64_t)event_fd), 0);
}

TEST(promise, epoll_tells_of_every_edge_and_level)
{
	sim_program_rounds(see_all_events, ROUNDS + 2);
}

/* ---- Signals: each queued one is handled once ---- */

enum { SENDERS = 2, QUEUED = 12, SIG_QUEUED = 40 };

static uint32_t nr_handled[SENDERS * QUEUED]; /* [a] by value */
static uint32_t nr_total;                     /* [a] */

static void count_value(int value)
{
	if (value < 0 || value >= SENDERS * QUEUED)
		test_fail(__FILE__, __LINE__, "a signal that nobody sent: %d", value);
	else
		atomic_fetch_add(&nr_handled[value], 1u);
	atomic_fetch_add(&nr_total, 1u);
}

static void handle_value(int sig UNUSED, void *info, void *context UNUSED)
{
	count_value(((siginfo_t *)info)->si_value.sival_int);
}

static void be_signalled(uintptr_t arg UNUSED)
{
	while (atomic_load(&nr_total) < SENDERS * QUEUED)
		(void)SIM_CALL(__NR_sched_yield, 0);
}

static void be_signalled_too(uintptr_t arg)
{
	be_signalled(arg);
	sim_exit_thread();
}

static void take_signals(uintptr_t arg UNUSED)
{
	uint64_t set = BIT(SIG_QUEUED - 1), at = sim_map(PAGE_SIZE);
	struct __kernel_timespec ts = {.tv_nsec = 50000};
	siginfo_t info;

	EXPECT_EQ(SIM_CALL(__NR_rt_sigprocmask, SIG_BLOCK, sim_scratch(&set, sizeof(set)), 0,
			  sizeof(set)),
		0);
	while (atomic_load(&nr_total) < SENDERS * QUEUED) {
		if (SIM_CALL(__NR_rt_sigtimedwait, sim_scratch(&set, sizeof(set)), at,
			    sim_scratch(&ts, sizeof(ts)), sizeof(set)) != SIG_QUEUED)
			continue;
		EXPECT(sim_load(&info, at, sizeof(info)));
		count_value(info.si_value.sival_int);
	}
	sim_exit_thread();
}

static void be_target(uintptr_t arg UNUSED)
{
	(void)sim_thread(be_signalled_too, 0);
	(void)sim_thread(take_signals, 0);
	be_signalled(0);
}

static int64_t target;

static void queue_signals(uintptr_t sender)
{
	for (unsigned i = 0; i < QUEUED; i++) {
		siginfo_t info = {.si_signo = SIG_QUEUED,
			.si_code = SI_QUEUE,
			.si_value.sival_int = (int)(sender * QUEUED + i)};

		EXPECT_EQ(SIM_CALL(__NR_rt_sigqueueinfo, (uint64_t)target, SIG_QUEUED,
				  sim_scratch(&info, sizeof(info))),
			0);
	}
}

static void stop_and_continue(uintptr_t arg UNUSED)
{
	for (unsigned i = 0; i < 4; i++) {
		(void)SIM_CALL(__NR_kill, (uint64_t)target, SIGSTOP);
		sim_yield((unsigned)sim_random(4));
		(void)SIM_CALL(__NR_kill, (uint64_t)target, SIGCONT);
	}
}

static void deliver_each(void)
{
	nr_total = 0;
	for (unsigned i = 0; i < SENDERS * QUEUED; i++)
		nr_handled[i] = 0;
	sim_action(SIG_QUEUED, handle_value, SA_RESTART);
	target = sim_spawn(be_target, 0);
	for (uintptr_t i = 0; i < SENDERS; i++)
		(void)sim_spawn(queue_signals, i);
	(void)sim_spawn(stop_and_continue, 0);
	sim_wait_all();
	for (unsigned i = 0; i < SENDERS * QUEUED; i++)
		EXPECT_EQ(nr_handled[i], 1);
}

TEST(promise, a_queued_signal_is_delivered_once)
{
	sim_program_rounds(deliver_each, ROUNDS);
}

/* ---- Descriptors in messages: what nobody can receive goes ---- */

enum { SOCKETS = 6, PASSES = 12 };

struct passing {
	uint64_t name, name_len, iov, iov_len, control, control_len, flags;
	uint64_t part[2];
	struct {
		uint64_t len;
		int level, type, fd[2];
	} rights;
};

static uint64_t put_message(uint64_t at, uint64_t fd)
{
	struct passing p = {.iov = at + offsetof(struct passing, part),
		.iov_len = 1,
		.control = at + offsetof(struct passing, rights),
		.control_len = sizeof(p.rights),
		.part = {at, 1},
		.rights = {.len = offsetof(struct passing, rights.fd[1]) -
				  offsetof(struct passing, rights),
			.level = SOL_SOCKET,
			.type = SCM_RIGHTS,
			.fd = {(int)fd}}};

	EXPECT(sim_store(at, &p, sizeof(p)));
	return at;
}

/* Sends sockets over sockets, receives some, closes some: rings of them stay in flight. */
static void pass_around(uintptr_t arg UNUSED)
{
	uint64_t at = sim_map(PAGE_SIZE);

	for (unsigned i = 0; i < PASSES; i++) {
		uint64_t a = 3 + sim_random(SOCKETS), b = 3 + sim_random(SOCKETS);

		if (sim_random(3))
			(void)SIM_CALL(__NR_sendmsg, a, put_message(at, b), MSG_DONTWAIT);
		else
			(void)SIM_CALL(__NR_recvmsg, a, put_message(at, 0), MSG_DONTWAIT);
		if (sim_random(8) == 0)
			(void)SIM_CALL(__NR_close, a);
	}
}

static void pass_and_end(uintptr_t arg UNUSED)
{
	int64_t err;

	for (unsigned i = 0; i < SOCKETS / 2; i++) {
		err = SIM_CALL(__NR_socketpair, AF_UNIX, i ? SOCK_STREAM : SOCK_DGRAM, 0,
			sim_scratch(&(uint64_t){0}, sizeof(uint64_t)));
		EXPECT_EQ(err, 0);
	}
	for (unsigned i = 0; i < 3; i++)
		(void)sim_spawn(pass_around, 0);
	pass_around(0);
}

static void leave_rings(void)
{
	(void)sim_spawn(pass_and_end, 0);
	sim_wait_all();
	/* the collector looks when a socket ends */
	(void)SIM_CALL(__NR_close, (uint64_t)SIM_CALL(__NR_socket, AF_UNIX, SOCK_DGRAM, 0));
}

TEST(promise, descriptors_that_nobody_can_receive_are_gone)
{
	sim_program_rounds(leave_rings, ROUNDS);
}

/* ---- Names that move all the time hold up nobody who looks for others ---- */

enum { LOOKS = 10, MOVERS = 3 };

static const char way[] = "/way/./../way/link/../way/./link/link/../way/./../way/file";
static const char names[][8] = {"/way/a", "/way/b", "/way/c", "/way/d", "/way/e", "/way/f"};
static uint32_t is_over; /* [a] */

#define TEXT(s) sim_scratch(s, sizeof(s))

static void rename_all_the_time(uintptr_t mover)
{
	const char *here = names[2 * mover], *there = names[2 * mover + 1];

	EXPECT_EQ(SIM_CALL(__NR_mknod, sim_scratch(here, 8), 0100600, 0), 0);
	while (!atomic_load(&is_over)) {
		EXPECT_EQ(
			SIM_CALL(__NR_rename, sim_scratch(here, 8), sim_scratch(there, 8)), 0);
		EXPECT_EQ(
			SIM_CALL(__NR_rename, sim_scratch(there, 8), sim_scratch(here, 8)), 0);
	}
	EXPECT_EQ(SIM_CALL(__NR_unlink, sim_scratch(here, 8)), 0);
}

static void look_while_names_move(void)
{
	uint64_t at = sim_map(PAGE_SIZE);

	atomic_store(&is_over, 0u);
	EXPECT_EQ(SIM_CALL(__NR_mkdir, TEXT("/way"), 0700), 0);
	EXPECT_EQ(SIM_CALL(__NR_symlink, TEXT("../way"), TEXT("/way/link")), 0);
	EXPECT_EQ(SIM_CALL(__NR_mknod, TEXT("/way/file"), 0100600, 0), 0);
	for (uintptr_t mover = 0; mover < MOVERS; mover++)
		(void)sim_spawn(rename_all_the_time, mover);
	for (unsigned i = 0; i < LOOKS; i++) {
		EXPECT_EQ(SIM_CALL(__NR_stat, TEXT(way), at), 0);
		EXPECT_EQ(SIM_CALL(__NR_chdir, TEXT("/way/link")), 0);
		EXPECT_EQ(SIM_CALL(__NR_getcwd, at, PAGE_SIZE), sizeof("/way"));
	}
	atomic_store(&is_over, 1u);
	sim_wait_all();
	EXPECT_EQ(SIM_CALL(__NR_chdir, TEXT("/")), 0);
	EXPECT_EQ(SIM_CALL(__NR_unlink, TEXT("/way/file")), 0);
	EXPECT_EQ(SIM_CALL(__NR_unlink, TEXT("/way/link")), 0);
	EXPECT_EQ(SIM_CALL(__NR_rmdir, TEXT("/way")), 0);
	EXPECT_EQ(SIM_CALL(__NR_munmap, at, PAGE_SIZE), 0);
}

TEST(promise, paths_are_found_while_names_move)
{
	sim_program_rounds(look_while_names_move, ROUNDS);
}
