// SPDX-License-Identifier: MIT
/*
 * IORING_SETUP_SQPOLL: entries that a thread of the kernel takes, alone or for several rings.
 */
#include "filter.h"
#include "ring.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Nobody enters, but to wake a thread that says it sleeps. */
static void wait_ready(struct ring *r, unsigned nr)
{
	while (ring_ready(r) < nr) {
		if (ring_load(r, r->p.sq_off.flags) & IORING_SQ_NEED_WAKEUP)
			CHECK_OK(ring_enter(r->fd, 0, 0, IORING_ENTER_SQ_WAKEUP));
		usleep(1000);
	}
}

static void wait_submitted(struct ring *r)
{
	while (ring_load(r, r->p.sq_off.head) != *ring_word(r, r->p.sq_off.tail)) {
		if (ring_load(r, r->p.sq_off.flags) & IORING_SQ_NEED_WAKEUP)
			CHECK_OK(ring_enter(r->fd, 0, 0, IORING_ENTER_SQ_WAKEUP));
		usleep(1000);
	}
}

static void open_sqpoll(struct ring *r, unsigned flags, unsigned idle_ms)
{
	memset(r, 0, sizeof(*r));
	r->p.flags = IORING_SETUP_SQPOLL | flags;
	r->p.sq_thread_idle = idle_ms;
	ring_open_with(r, 8);
}

TEST(ring_sqpoll, entries_are_taken_without_a_call)
{
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	open_sqpoll(&r, 0, 10000);
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	wait_ready(&r, 1);
	RING_EXPECT(&r, 1, 0);
	(void)ring_read_byte(&r, fd[0], &c, 2);
	usleep(20000);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_EQ(write(fd[1], "q", 1), 1);
	wait_ready(&r, 1);
	RING_EXPECT(&r, 2, 1);
	CHECK_EQ(c, 'q');
	ring_close(&r);
}

TEST(ring_sqpoll, idle_thread_sleeps_and_is_woken)
{
	struct ring r;
	int looks = 0;

	open_sqpoll(&r, 0, 1);
	for (;;) {
		while (!(ring_load(&r, r.p.sq_off.flags) & IORING_SQ_NEED_WAKEUP))
			usleep(1000);
		usleep(20000); /* it says so, and then looks once more */
		(void)ring_sqe(&r, IORING_OP_NOP, 1);
		usleep(20000);
		if (!ring_ready(&r))
			break;
		RING_EXPECT(&r, 1, 0); /* that was the look */
		CHECK(++looks < 10);
	}
	CHECK_EQ(ring_enter(r.fd, 1, 1, IORING_ENTER_SQ_WAKEUP | IORING_ENTER_GETEVENTS), 1);
	RING_EXPECT(&r, 1, 0);
	ring_close(&r);
}

TEST(ring_sqpoll, disabled_ring_takes_nothing)
{
	struct ring r;

	open_sqpoll(&r, IORING_SETUP_R_DISABLED, 1000);
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	usleep(20000);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_ERRNO(ring_enter(r.fd, 1, 0, IORING_ENTER_SQ_WAKEUP), EBADFD);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	CHECK_EQ(ring_enter(r.fd, 1, 1, IORING_ENTER_SQ_WAKEUP | IORING_ENTER_GETEVENTS), 1);
	RING_EXPECT(&r, 1, 0);
	ring_close(&r);
}

TEST(ring_sqpoll, room_is_waited_for)
{
	struct ring_result got;
	struct ring r;

	open_sqpoll(&r, 0, 1);
	for (unsigned i = 0; i < 100; i++) {
		(void)ring_sqe(&r, IORING_OP_NOP, i);
		CHECK_OK(ring_enter(r.fd, 1, 0, IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT));
		if (ring_ready(&r) == 16)
			while (ring_peek(&r, &got))
				CHECK_EQ(got.res, 0);
	}
	ring_close(&r);
}

TEST(ring_sqpoll, flags_that_do_not_go_with_it)
{
	struct io_uring_params p = {.flags = IORING_SETUP_SQPOLL | IORING_SETUP_COOP_TASKRUN};

	CHECK_ERRNO(ring_setup(4, &p), EINVAL);
	p = (struct io_uring_params){.flags = IORING_SETUP_SQ_AFF};
	CHECK_ERRNO(ring_setup(4, &p), EINVAL);
	p = (struct io_uring_params){
		.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF, .sq_thread_cpu = 5000};
	CHECK_ERRNO(ring_setup(4, &p), EINVAL);
}

/* More than there are of other fibers: calls find one, and the end is not held up. */
/* As many as there are at once: a chain ends where the program ended it. */
TEST(ring_sqpoll, long_chain_is_one)
{
	enum { LONG = 100 };
	struct ring r = {.p = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1}};

	ring_open_with(&r, 128);
	while (!(ring_load(&r, r.p.sq_off.flags) & IORING_SQ_NEED_WAKEUP))
		usleep(1000);
	for (unsigned i = 0; i < LONG; i++) /* there is no such group */
		(void)ring_push(&r, (struct io_uring_sqe){.opcode = IORING_OP_REMOVE_BUFFERS,
					    .flags = i + 1 < LONG ? IOSQE_IO_LINK : 0,
					    .fd = 1,
					    .buf_group = 10,
					    .user_data = i});
	wait_ready(&r, LONG);
	for (unsigned i = 0; i < LONG; i++)
		RING_EXPECT(&r, i, i ? -ECANCELED : -ENOENT);
	ring_close(&r);
}

TEST_WITHIN(ring_sqpoll, very_many_threads_hold_up_no_end, 60)
{
	enum { RINGS = 260 };

	IN_CHILD({
		struct io_uring_params p = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1};
		struct io_uring_sqe *sqe;
		struct ring r;

		for (int i = 0; i < RINGS; i++) {
			struct io_uring_params one = p;

			if (ring_setup(1, &one) < 0)
				break;
		}
		ring_open(&r, 8, 0);
		for (uint64_t i = 0; i < 2; i++) {
			sqe = ring_sqe(&r, IORING_OP_OPENAT, i);
			sqe->fd = AT_FDCWD;
			sqe->addr = (uintptr_t) "/";
		}
		CHECK_EQ(ring_submit(&r, 0), 2);
	});
}

TEST(ring_sqpoll, threads_count_as_the_users)
{
	struct rlimit limit = {2, 2};

	IN_CHILD({
		struct io_uring_params a = {.flags = IORING_SETUP_SQPOLL}, b = a, c = a;
		int fd;

		CHECK_OK(setrlimit(RLIMIT_NPROC, &limit));
		CHECK_OK(setresuid(4321, 4321, 4321));
		fd = CHECK_OK(ring_setup(4, &a)); /* beside the process itself */
		CHECK_ERRNO(ring_setup(4, &b), EAGAIN);
		CHECK_OK(close(fd));
		for (int tries = 0; tries < 10000 && ring_setup(4, &c) < 0; tries++) {
			CHECK_EQ(errno, EAGAIN);
			usleep(1000); /* its end */
		}
		CHECK(c.sq_entries);
	});
}

/* For a process that ends: a ring whose thread waits for a pipe. */
static void leave_polling(unsigned idle_ms)
{
	static char c;
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	open_sqpoll(&r, 0, idle_ms);
	(void)ring_read_byte(&r, fd[0], &c, 1);
}

TEST(ring_sqpoll, process_ends_while_it_polls)
{
	int status;
	pid_t pid;

	for (unsigned i = 0; i < 4; i++) {
		CHECK_OK(pid = fork());
		if (pid == 0) {
			leave_polling(i & 1 ? 1 : 10000);
			usleep(5000);
			if (i & 2)
				raise(SIGKILL);
			_exit(5);
		}
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, i & 2 ? SIGKILL : 5 << 8);
	}
}

/* ---- One thread for several rings ---- */

static int attach(struct ring *r, unsigned flags, int fd)
{
	memset(r, 0, sizeof(*r));
	r->p.flags = IORING_SETUP_ATTACH_WQ | flags;
	r->p.sq_thread_idle = 50;
	r->p.wq_fd = (unsigned)fd;
	return ring_setup(8, &r->p);
}

/* It would end who does not expect it. */
TEST(ring_sqpoll, broken_pipe_signals_nobody)
{
	struct ring r;
	int fd[2];

	signal(SIGPIPE, SIG_DFL);
	CHECK_OK(pipe(fd));
	CHECK_OK(close(fd[0]));
	open_sqpoll(&r, 0, 10000);
	(void)ring_push(&r, (struct io_uring_sqe){.opcode = IORING_OP_WRITE,
				    .fd = fd[1],
				    .addr = (uintptr_t) "x",
				    .len = 1,
				    .user_data = 1});
	wait_ready(&r, 1);
	RING_EXPECT(&r, 1, -EPIPE);
	ring_close(&r);
}

TEST(ring_sqpoll, rings_share_a_thread)
{
	enum { RINGS = 5 };
	struct ring r[RINGS];
	int fd[2];
	char c[RINGS];

	CHECK_OK(pipe(fd));
	open_sqpoll(&r[0], 0, 50);
	for (unsigned i = 1; i < RINGS; i++) {
		CHECK_OK(r[i].fd = attach(&r[i], IORING_SETUP_SQPOLL, r[0].fd));
		ring_map(&r[i]);
	}
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < RINGS; i++) {
			for (unsigned k = 0; k < 8; k++)
				(void)ring_sqe(&r[i], IORING_OP_NOP, i * 100 + k);
		}
		for (unsigned i = 0; i < RINGS; i++) {
			wait_ready(&r[i], 8);
			for (unsigned k = 0; k < 8; k++)
				RING_EXPECT(&r[i], i * 100 + k, 0);
		}
		if (round == 10)
			usleep(100000); /* it sleeps, for all of them */
	}
	/* the first goes; the others are served as before */
	(void)ring_read_byte(&r[0], fd[0], &c[0], 1);
	for (unsigned i = 0; i < RINGS - 1; i++) {
		ring_close(&r[i]);
		(void)ring_read_byte(&r[i + 1], fd[0], &c[i + 1], i);
		usleep(2000);
		wait_submitted(&r[i + 1]);
		CHECK_EQ(write(fd[1], "x", 1), 1);
		wait_ready(&r[i + 1], 1);
		RING_EXPECT(&r[i + 1], i, 1);
	}
	ring_close(&r[RINGS - 1]);
}

static long available_mb(void)
{
	return get_number("/proc/meminfo", "MemAvailable:") / 1024;
}

/* Each has 400 KB of memory, and the thread is there for the first. */
TEST(ring_sqpoll, closed_rings_leave_nothing_with_the_thread_they_share)
{
	enum { RINGS = 300, LEAST_MB = 40 };
	struct ring first;
	long before;

	open_sqpoll(&first, 0, 50);
	before = available_mb();
	for (unsigned i = 0; i < RINGS; i++) {
		struct io_uring_params p = {
			.flags = IORING_SETUP_SQPOLL | IORING_SETUP_ATTACH_WQ,
			.wq_fd = (unsigned)first.fd};

		CHECK_OK(close(CHECK_OK(ring_setup(4096, &p))));
	}
	while (available_mb() < before - LEAST_MB) /* or this never ends */
		usleep(10000);
	(void)ring_sqe(&first, IORING_OP_NOP, 1);
	wait_ready(&first, 1);
	RING_EXPECT(&first, 1, 0);
	ring_close(&first);
}

TEST(ring_sqpoll, what_cannot_be_attached_to)
{
	struct ring r, plain, other;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&plain, 4, 0);
	open_sqpoll(&r, 0, 50);
	CHECK_ERRNO(attach(&other, IORING_SETUP_SQPOLL, 999), ENXIO);
	CHECK_ERRNO(attach(&other, IORING_SETUP_SQPOLL, fd[0]), EINVAL);
	CHECK_ERRNO(attach(&other, IORING_SETUP_SQPOLL, plain.fd), EINVAL);
	CHECK_ERRNO(attach(&other, 0, 999), ENXIO);
	CHECK_ERRNO(attach(&other, 0, fd[0]), EINVAL);
	CHECK_OK(close(attach(&other, 0, r.fd)));
	CHECK_OK(close(attach(&other, 0, plain.fd)));
	ring_close(&r);
	ring_close(&plain);
}

TEST(ring_sqpoll, another_process_has_its_own)
{
	struct ring r, other;

	open_sqpoll(&r, 0, 50);
	IN_CHILD({
		CHECK_OK(other.fd = attach(&other, IORING_SETUP_SQPOLL, r.fd));
		ring_map(&other);
		(void)ring_sqe(&other, IORING_OP_NOP, 1);
		wait_ready(&other, 1);
		RING_EXPECT(&other, 1, 0);
	});
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	wait_ready(&r, 1);
	ring_close(&r);
}

TEST(ring_sqpoll, ring_of_a_process_that_has_ended)
{
	int fd[2], got, status;
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(pid = fork());
	if (pid == 0) {
		struct ring r;
		pid_t maker = getpid();

		open_sqpoll(&r, 0, 50);
		if (fork() == 0) { /* who keeps the ring */
			while (getppid() == maker)
				usleep(1000);
			do {
				usleep(1000);
				got = ring_enter(r.fd, 1, 0, IORING_ENTER_SQ_WAKEUP);
			} while (got >= 0);
			got = errno;
			CHECK_EQ(write(fd[1], &got, sizeof(got)), (ssize_t)sizeof(got));
		}
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(read(fd[0], &got, sizeof(got)), (ssize_t)sizeof(got));
	CHECK_EQ(got, EOWNERDEAD);
}

/* ---- Threads that end ---- */

struct made {
	struct ring r;
	int fd;
	char c;
};

static void *own_id(void)
{
	return (void *)(intptr_t)gettid();
}

/* A thread that returns its own. */
static void join_and_see_it_gone(pthread_t thread)
{
	void *id;

	CHECK_EQ(pthread_join(thread, &id), 0);
	wait_until_gone((pid_t)(intptr_t)id);
}

static void *make_and_end(void *arg)
{
	struct made *m = arg;

	open_sqpoll(&m->r, 0, 50);
	(void)ring_read_byte(&m->r, m->fd, &m->c, 1);
	wait_submitted(&m->r);
	return own_id();
}

TEST(ring_sqpoll, thread_of_the_kernel_outlives_its_maker)
{
	struct made m = {0};
	pthread_t thread;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	m.fd = fd[0];
	CHECK_EQ(pthread_create(&thread, NULL, make_and_end, &m), 0);
	join_and_see_it_gone(thread);
	usleep(20000);
	CHECK_EQ(ring_ready(&m.r), 0u);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	wait_ready(&m.r, 1);
	RING_EXPECT(&m.r, 1, 1);
	CHECK_EQ(m.c, 'x');
	(void)ring_read_byte(&m.r, fd[0], &c, 2);
	wait_submitted(&m.r);
	CHECK_EQ(write(fd[1], "y", 1), 1);
	wait_ready(&m.r, 1);
	RING_EXPECT(&m.r, 2, 1);
	CHECK_EQ(c, 'y');
	ring_close(&m.r);
}

TEST(ring_sqpoll, exec_ends_it)
{
	int status;
	pid_t pid;

	for (unsigned i = 0; i < 4; i++) {
		CHECK_OK(pid = fork());
		if (pid == 0) {
			leave_polling(i & 1 ? 1 : 10000);
			if (i & 2)
				usleep(5000);
			(void)execl("/proc/self/exe", "ring_sqpoll", "nothing.at_all", NULL);
			_exit(5);
		}
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 5);
	}
}

static void *make_forbid_and_end(void *arg)
{
	struct made *m = arg;

	open_sqpoll(&m->r, 0, 50);
	if (m->fd)
		usleep(5000);
	filter(__NR_read, SECCOMP_RET_ERRNO | EDOM);
	return own_id();
}

/* Linux asks no filter about a ring. */
TEST(ring_sqpoll, filters_of_its_maker_hold)
{
	pthread_t thread;
	struct ring r;
	char c;

	NEWER(has_calls());
	for (int i = 0; i < 2; i++) {
		struct made m = {.fd = i};

		CHECK_EQ(pthread_create(&thread, NULL, make_forbid_and_end, &m), 0);
		join_and_see_it_gone(thread);
		(void)ring_read_byte(&m.r, 0, &c, 1);
		wait_ready(&m.r, 1);
		RING_EXPECT(&m.r, 1, -EDOM);
		ring_close(&m.r);
	}
	open_sqpoll(&r, 0, 50);
	filter(__NR_read, SECCOMP_RET_ERRNO | EDOM);
	(void)ring_read_byte(&r, 0, &c, 1);
	wait_ready(&r, 1);
	RING_EXPECT(&r, 1, -EDOM);
	ring_close(&r);
}

static void *make_only(void *arg)
{
	struct made *m = arg;

	if (m->fd)
		filter(m->fd, SECCOMP_RET_ERRNO | EDOM);
	open_sqpoll(&m->r, 0, 50);
	return own_id();
}

/* A ring whose submission thread is there, and its maker is not. With nr that had a filter against this call. */
static void make_and_leave(struct made *m, int nr)
{
	pthread_t thread;

	*m = (struct made){.fd = nr};
	CHECK_EQ(pthread_create(&thread, NULL, make_only, m), 0);
	join_and_see_it_gone(thread);
	(void)ring_sqe(&m->r, IORING_OP_NOP, 1);
	wait_ready(&m->r, 1);
	RING_EXPECT(&m->r, 1, 0);
}

static int result_of_open(struct made *m)
{
	struct io_uring_sqe sqe = {.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .user_data = 2};

	sqe.addr = (uintptr_t) "/";
	(void)ring_push(&m->r, sqe);
	wait_ready(&m->r, 1);
	return ring_take(&m->r).res;
}

/* Who is left forbids itself to open files: the ring is no way around that. */
TEST(ring_sqpoll, filters_that_come_after_its_maker_hold)
{
	static const unsigned flags[] = {0, SECCOMP_FILTER_FLAG_TSYNC};

	NEWER(has_calls());
	for (unsigned i = 0; i < 2; i++) {
		IN_CHILD({
			struct made m;

			make_and_leave(&m, 0);
			CHECK(result_of_open(&m) >= 0);
			CHECK_OK(filter_with(__NR_openat, SECCOMP_RET_ERRNO | EDOM, flags[i]));
			CHECK_EQ(result_of_open(&m), -EDOM);
			CHECK_OK(filter_with(__NR_read, SECCOMP_RET_ERRNO | EIO, flags[i]));
			(void)ring_read_byte(&m.r, 0, &m.c, 3);
			wait_ready(&m.r, 1);
			RING_EXPECT(&m.r, 3, -EIO);
		});
	}
}

struct other {
	pthread_t thread;
	int start[2]; /* it forbids itself to open files, and says so by the second */
	int said[2];
	int end[2];
};

static void *forbid_and_stay(void *arg)
{
	struct other *o = arg;
	char c;

	CHECK_EQ(read(o->start[0], &c, 1), 1);
	filter(__NR_openat, SECCOMP_RET_ERRNO | EDOM);
	CHECK_EQ(write(o->said[1], "x", 1), 1);
	CHECK_EQ(read(o->end[0], &c, 1), 1);
	return NULL;
}

static void start_other(struct other *o)
{
	CHECK_OK(pipe(o->start));
	CHECK_OK(pipe(o->said));
	CHECK_OK(pipe(o->end));
	CHECK_EQ(pthread_create(&o->thread, NULL, forbid_and_stay, o), 0);
}

static void let_forbid(struct other *o)
{
	char c;

	CHECK_EQ(write(o->start[1], "x", 1), 1);
	CHECK_EQ(read(o->said[0], &c, 1), 1);
}

static void let_end(struct other *o)
{
	CHECK_EQ(write(o->end[1], "x", 1), 1);
	CHECK_EQ(pthread_join(o->thread, NULL), 0);
}

/* As long as one thread may open files, the ring may, and nothing is won by it. */
TEST(ring_sqpoll, filters_of_all_who_are_left_hold)
{
	struct other first, last;
	struct made m;

	NEWER(has_calls());
	make_and_leave(&m, 0);
	start_other(&first);
	start_other(&last);
	let_forbid(&first);
	CHECK(result_of_open(&m) >= 0);
	filter(__NR_openat, SECCOMP_RET_ERRNO | EBUSY);
	CHECK(result_of_open(&m) >= 0);
	let_forbid(&last);
	CHECK_EQ(result_of_open(&m), -EBUSY); /* the first of those that there are */
	let_end(&first);
	let_end(&last);
	CHECK_EQ(result_of_open(&m), -EBUSY);
	ring_close(&m.r);
}

/* The last one that may ends. */
static void *may_open(void *arg)
{
	char c;

	CHECK_EQ(read(*(int *)arg, &c, 1), 1);
	return own_id();
}

TEST(ring_sqpoll, filters_hold_when_the_last_without_them_ends)
{
	pthread_t thread;
	struct made m;
	int fd[2];

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	make_and_leave(&m, 0);
	CHECK_EQ(pthread_create(&thread, NULL, may_open, &fd[0]), 0);
	filter(__NR_openat, SECCOMP_RET_ERRNO | EDOM);
	CHECK(result_of_open(&m) >= 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	join_and_see_it_gone(thread);
	CHECK_EQ(result_of_open(&m), -EDOM);
	ring_close(&m.r);
}

TEST(ring_sqpoll, filters_that_have_parted_forbid_all)
{
	struct made m;

	NEWER(has_calls());
	make_and_leave(&m, __NR_mkdirat);
	CHECK(result_of_open(&m) >= 0);
	/* as a thread with a filter of its own; Linux gives its number, too */
	CHECK(filter_with(__NR_getppid, SECCOMP_RET_ERRNO | EDOM, SECCOMP_FILTER_FLAG_TSYNC) >
		0);
	CHECK(result_of_open(&m) >= 0);
	filter(__NR_getppid, SECCOMP_RET_ERRNO | EDOM);
	CHECK_EQ(result_of_open(&m), -EPERM);
	(void)ring_sqe(&m.r, IORING_OP_NOP, 1);
	wait_ready(&m.r, 1);
	RING_EXPECT(&m.r, 1, 0);
	ring_close(&m.r);
}
