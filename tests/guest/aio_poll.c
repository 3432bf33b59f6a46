// SPDX-License-Identifier: MIT
/* io_submit(2) with IOCB_CMD_POLL: requests that wait for a file, io_cancel(2), and how they end otherwise. */
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "guest.h"

enum { DATA = 77, A_WHILE_MS = 30 };

static aio_context_t context(unsigned nr)
{
	aio_context_t c = 0;

	CHECK_OK(syscall(SYS_io_setup, nr, &c));
	return c;
}

static struct iocb poll_of(int fd, unsigned events)
{
	return (struct iocb){.aio_data = DATA,
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = events};
}

static struct iocb counted(struct iocb q, int counter)
{
	q.aio_flags = IOCB_FLAG_RESFD;
	q.aio_resfd = (uint32_t)counter;
	return q;
}

static long submit(aio_context_t c, struct iocb *q)
{
	return syscall(SYS_io_submit, c, 1L, &q);
}

static long cancel(aio_context_t c, struct iocb *q)
{
	struct io_event e;

	return syscall(SYS_io_cancel, c, q, &e);
}

/* Up to nr events, the first of which may be waited for. */
static long events(aio_context_t c, long nr, struct io_event *e, unsigned ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	return CHECK_OK(syscall(SYS_io_getevents, c, ms ? 1L : 0L, nr, e, &t));
}

/* The next event, of q; its res, of which only what was asked for is the same everywhere: Linux says of a
 * request that has waited what the file was woken for. */
static unsigned end_of(aio_context_t c, struct iocb *q)
{
	struct io_event e = {0};

	CHECK_EQ(events(c, 1, &e, 10000), 1);
	CHECK_EQ(e.data, DATA);
	CHECK_EQ(e.obj, (uintptr_t)q);
	CHECK_EQ(e.res2, 0);
	return (unsigned)e.res & ((unsigned)q->aio_buf | POLLERR | POLLHUP);
}

static bool is_quiet(aio_context_t c)
{
	struct io_event e;

	return events(c, 1, &e, A_WHILE_MS) == 0;
}

static uint64_t count_of(int counter)
{
	uint64_t n;

	CHECK_EQ(read(counter, &n, sizeof(n)), sizeof(n));
	return n;
}

static void add_one(int fd)
{
	const uint64_t one = 1;

	CHECK_EQ(write(fd, &one, sizeof(one)), sizeof(one));
}

TEST(aio_poll, waits_until_ready)
{
	aio_context_t c = context(4);
	struct iocb q;
	int fd[2];

	CHECK_OK(pipe(fd));
	q = poll_of(fd[0], POLLIN);
	q.aio_key = 99;
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(q.aio_key, 0);
	CHECK(is_quiet(c));
	add_one(fd[1]);
	CHECK_EQ(end_of(c, &q), POLLIN);
	CHECK(is_quiet(c)); /* once */
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(end_of(c, &q), POLLIN); /* already */
}

/* Asks for POLLIN, which `happen(arg)` brings. */
static void check_kind(aio_context_t c, int fd, void (*happen)(int), int arg)
{
	struct iocb q = poll_of(fd, POLLIN);

	CHECK_EQ(submit(c, &q), 1);
	CHECK(is_quiet(c));
	happen(arg);
	CHECK_EQ(end_of(c, &q), POLLIN);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(end_of(c, &q), POLLIN);
}

static void set_time(int fd)
{
	const struct itimerspec t = {.it_value.tv_nsec = 10000000};

	CHECK_OK(timerfd_settime(fd, 0, &t, NULL));
}

static void kill_it(int pid)
{
	CHECK_OK(kill(pid, SIGKILL));
}

static void make_file(int arg)
{
	CHECK_OK(close((int)CHECK_OK(open("new", O_CREAT | O_RDWR, 0600))));
}

static void connect_to(int fd)
{
	const struct sockaddr name = {AF_UNIX, "sock"};

	CHECK_OK(connect(fd, &name, sizeof(name)));
}

TEST(aio_poll, of_all_kinds_of_files)
{
	const struct sockaddr name = {AF_UNIX, "sock"};
	struct epoll_event e = {.events = EPOLLIN};
	aio_context_t c = context(4);
	int fd[2], one, pid;

	one = (int)CHECK_OK(eventfd(0, 0));
	check_kind(c, one, add_one, one);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	check_kind(c, fd[0], add_one, fd[1]);
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
	check_kind(c, fd[0], add_one, fd[1]);
	one = (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(bind(one, &name, sizeof(name)));
	CHECK_OK(listen(one, 1));
	check_kind(c, one, connect_to, (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0)));
	one = (int)CHECK_OK(timerfd_create(CLOCK_MONOTONIC, 0));
	check_kind(c, one, set_time, one);
	CHECK_OK(pipe(fd));
	one = (int)CHECK_OK(epoll_create1(0));
	CHECK_OK(epoll_ctl(one, EPOLL_CTL_ADD, fd[0], &e));
	check_kind(c, one, add_one, fd[1]);
	one = (int)CHECK_OK(inotify_init());
	CHECK_OK(inotify_add_watch(one, ".", IN_CREATE));
	check_kind(c, one, make_file, 0);
	pid = (int)CHECK_OK(fork());
	if (!pid) {
		pause();
		_exit(0);
	}
	check_kind(c, (int)CHECK_OK(syscall(SYS_pidfd_open, pid, 0)), kill_it, pid);
}

/* Linux: what is pending when it is submitted, and no more; nobody's thread looks later. */
TEST(aio_poll, of_a_signalfd_looks_once)
{
	struct epoll_event e = {.events = EPOLLIN};
	aio_context_t c = context(4);
	struct iocb q, around;
	sigset_t set;
	int fd, ep;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	fd = (int)CHECK_OK(signalfd(-1, &set, 0));
	ep = (int)CHECK_OK(epoll_create1(0));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	q = poll_of(fd, POLLIN);
	around = poll_of(ep, POLLIN);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK(is_quiet(c));
	CHECK_ERRNO(cancel(c, &q), EINPROGRESS);
	CHECK_EQ(end_of(c, &q), 0);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(end_of(c, &q), POLLIN);
	CHECK_EQ(submit(c, &around), 1);
	CHECK_EQ(end_of(c, &around), POLLIN);
}

TEST(aio_poll, hang_ups_and_errors_come_unasked)
{
	aio_context_t c = context(4);
	struct iocb q;
	int fd[2];

	CHECK_OK(pipe(fd));
	q = poll_of(fd[0], 0);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_OK(close(fd[1]));
	CHECK_EQ(end_of(c, &q), POLLHUP);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(end_of(c, &q), POLLHUP);
	CHECK_OK(pipe(fd));
	q = poll_of(fd[1], 0);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_OK(close(fd[0]));
	CHECK_EQ(end_of(c, &q), POLLERR);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	q = poll_of(fd[0], POLLIN | POLLRDHUP);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_OK(close(fd[1]));
	CHECK_EQ(end_of(c, &q), POLLIN | POLLRDHUP | POLLHUP);
}

/* As poll(2) has it, and not as the ring does. */
TEST(aio_poll, end_of_what_is_sent_does_not_come_unasked)
{
	aio_context_t c = context(4);
	struct iocb q;
	int fd[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	CHECK_OK(shutdown(fd[1], SHUT_WR));
	q = poll_of(fd[0], POLLPRI);
	CHECK_EQ(submit(c, &q), 1);
	CHECK(is_quiet(c));
	q = poll_of(fd[0], POLLRDHUP);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(end_of(c, &q), POLLRDHUP);
}

TEST(aio_poll, waits_for_room)
{
	aio_context_t c = context(4);
	char some[4096] = {0};
	struct iocb q;
	int fd[2];

	CHECK_OK(pipe2(fd, O_NONBLOCK));
	while (write(fd[1], some, sizeof(some)) > 0)
		;
	q = poll_of(fd[1], POLLOUT);
	CHECK_EQ(submit(c, &q), 1);
	CHECK(is_quiet(c));
	for (int i = 0; i < 16; i++)
		CHECK_EQ(read(fd[0], some, sizeof(some)), sizeof(some));
	CHECK_EQ(end_of(c, &q), POLLOUT);
}

TEST(aio_poll, of_files_that_are_always_ready)
{
	aio_context_t c = context(4);
	struct iocb q;
	int fd = (int)CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));

	q = poll_of(fd, POLLIN | POLLOUT | POLLWRNORM);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(end_of(c, &q), POLLIN | POLLOUT | POLLWRNORM);
	q = poll_of((int)CHECK_OK(open(".", O_RDONLY)), POLLIN);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(end_of(c, &q), POLLIN);
	q = poll_of(fd, POLLPRI);
	CHECK_ERRNO(submit(c, &q), EINVAL); /* which will never be */
	q = poll_of(fd, 0);
	CHECK_ERRNO(submit(c, &q), EINVAL);
}

TEST(aio_poll, what_is_wrong_is_not_submitted)
{
	aio_context_t c = context(4);
	struct iocb q;
	int fd[2];

	CHECK_OK(pipe(fd));
	q = poll_of(fd[1], 0x10000 | POLLOUT);
	CHECK_ERRNO(submit(c, &q), EINVAL);
	q = poll_of(fd[1], POLLOUT);
	q.aio_offset = 1;
	CHECK_ERRNO(submit(c, &q), EINVAL);
	q.aio_offset = 0;
	q.aio_nbytes = 1;
	CHECK_ERRNO(submit(c, &q), EINVAL);
	q.aio_nbytes = 0;
	q.aio_rw_flags = 1;
	CHECK_ERRNO(submit(c, &q), EINVAL);
	q.aio_rw_flags = 0;
	q.aio_reserved2 = 1;
	CHECK_ERRNO(submit(c, &q), EINVAL);
	q = poll_of(99, 0x10000);
	CHECK_ERRNO(submit(c, &q), EBADF);
	q = poll_of((int)CHECK_OK(open(".", O_PATH)), POLLIN);
	CHECK_ERRNO(submit(c, &q), EBADF);
	q = counted(poll_of(fd[1], 0x10000), 99);
	CHECK_ERRNO(submit(c, &q), EBADF);
	q = counted(poll_of(fd[1], POLLOUT), fd[0]);
	CHECK_ERRNO(submit(c, &q), EINVAL);
	q = poll_of(fd[1], POLLOUT);
	q.aio_flags = IOCB_FLAG_IOPRIO | 1 << 5; /* neither is looked at */
	q.aio_reqprio = (int16_t)(7 << 13);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(end_of(c, &q), POLLOUT);
}

TEST(aio_poll, is_cancelled)
{
	int counter = (int)CHECK_OK(eventfd(0, EFD_NONBLOCK)), fd[2];
	aio_context_t c = context(4), other = context(4);
	struct iocb q, same;
	uint64_t n;

	CHECK_OK(pipe(fd));
	q = counted(poll_of(fd[0], POLLIN), counter);
	same = q;
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(submit(c, &q), 1); /* the same again: two requests */
	CHECK_ERRNO(cancel(other, &q), EINVAL);
	CHECK_ERRNO(cancel(c, &same), EINVAL); /* they are known by their addresses */
	q.aio_key = 1;
	CHECK_ERRNO(cancel(c, &q), EINVAL);
	q.aio_key = 0;
	CHECK_ERRNO(cancel(c + 4096, &q), EINVAL);
	CHECK_ERRNO(read(counter, &n, sizeof(n)), EAGAIN);
	CHECK_ERRNO(cancel(c, &q), EINPROGRESS);
	CHECK_EQ(end_of(c, &q), 0);
	CHECK_EQ(count_of(counter), 1);
	CHECK(is_quiet(c));
	add_one(fd[1]);
	CHECK_EQ(end_of(c, &q), POLLIN);
	CHECK_ERRNO(cancel(c, &q), EINVAL);
	CHECK_EQ(count_of(counter), 1);
}

TEST(aio_poll, takes_a_place)
{
	enum { MOST = 1000 };
	static struct iocb q[MOST];
	struct io_event e[8];
	aio_context_t c = context(8);
	int fd[2], nr = 0;

	CHECK_OK(pipe(fd));
	for (; nr < MOST; nr++) {
		q[nr] = poll_of(fd[0], POLLIN);
		if (submit(c, &q[nr]) != 1)
			break;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK(nr >= 8);
	CHECK_ERRNO(cancel(c, &q[3]), EINPROGRESS);
	CHECK_EQ(end_of(c, &q[3]), 0);
	CHECK_EQ(submit(c, &q[3]), 1);
	add_one(fd[1]);
	for (int left = nr; left; left -= (int)events(c, 8, e, 10000))
		;
	CHECK(is_quiet(c));
}

static aio_context_t shared; /* by the threads of a test */

static int reader_is_gone(int fd)
{
	for (int i = 0; i < 1000; i++) {
		struct pollfd p = {.fd = fd};

		if (poll(&p, 1, 0) == 1 && p.revents & POLLERR)
			return 1;
		sleep_ms(10);
	}
	return 0;
}

static void *submit_here(void *q)
{
	CHECK_EQ(submit(shared, q), 1);
	return NULL;
}

TEST(aio_poll, is_of_no_thread_and_no_descriptor)
{
	aio_context_t c = shared = context(4);
	struct iocb q;
	pthread_t t;
	int fd[2];

	CHECK_OK(pipe(fd));
	q = poll_of(fd[0], POLLIN);
	CHECK_EQ(pthread_create(&t, NULL, submit_here, &q), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_OK(close(fd[0]));
	CHECK(is_quiet(c));
	add_one(fd[1]); /* it has a reader still */
	CHECK_EQ(end_of(c, &q), POLLIN);
	signal(SIGPIPE, SIG_IGN);
	CHECK(reader_is_gone(fd[1]));
	CHECK_ERRNO(write(fd[1], "x", 1), EPIPE);
}

TEST(aio_poll, the_counter_may_be_the_file)
{
	aio_context_t c = context(4);
	int fd = (int)CHECK_OK(eventfd(0, 0));
	struct iocb q = counted(poll_of(fd, POLLIN), fd), second = q;
	uint64_t sum;

	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(submit(c, &second), 1);
	CHECK(is_quiet(c));
	add_one(fd);
	for (int i = 0; i < 2; i++) {
		struct io_event e;

		CHECK_EQ(events(c, 1, &e, 10000), 1);
	}
	for (sum = 0; sum < 3;) /* the events may be there before it counts them */
		sum += count_of(fd);
	CHECK_EQ(sum, 3);
	CHECK_EQ(poll(&(struct pollfd){fd, POLLIN, 0}, 1, A_WHILE_MS), 0);
}

TEST(aio_poll, ends_with_its_context)
{
	int counter = (int)CHECK_OK(eventfd(0, 0)), fd[2];
	aio_context_t c = context(4);
	struct iocb q;

	CHECK_OK(pipe(fd));
	q = counted(poll_of(fd[0], POLLIN), counter);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_OK(close(fd[0]));
	CHECK_OK(syscall(SYS_io_destroy, c));
	CHECK_EQ(count_of(counter), 2);
	CHECK(reader_is_gone(fd[1]));
	CHECK_ERRNO(cancel(c, &q), EINVAL);
}

static void *get_until_the_end(void *sleeper)
{
	struct io_event e;

	announce_sleep(sleeper);
	CHECK_ERRNO(syscall(SYS_io_getevents, shared, 1L, 1L, &e, NULL), EINVAL);
	return NULL;
}

TEST(aio_poll, who_waits_is_told_of_the_end)
{
	aio_context_t c = shared = context(4);
	volatile pid_t sleeper = 0;
	struct iocb q;
	pthread_t t;
	int fd[2];

	CHECK_OK(pipe(fd));
	q = poll_of(fd[0], POLLIN);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_EQ(pthread_create(&t, NULL, get_until_the_end, (void *)&sleeper), 0);
	wait_until_asleep(&sleeper);
	CHECK_OK(syscall(SYS_io_destroy, c));
	CHECK_EQ(pthread_join(t, NULL), 0);
}

/* Nothing is written where the ring was, and the requests go on. */
TEST(aio_poll, an_unmapped_ring)
{
	int counter = (int)CHECK_OK(eventfd(0, 0)), fd[2];
	aio_context_t c = context(4);
	struct io_event e;
	struct iocb q;
	char *there;

	CHECK_OK(pipe(fd));
	q = counted(poll_of(fd[0], POLLIN), counter);
	CHECK_EQ(submit(c, &q), 1);
	CHECK_OK(munmap((void *)c, 4096));
	CHECK_ERRNO(submit(c, &q), EINVAL);
	CHECK_ERRNO(cancel(c, &q), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_getevents, c, 0L, 1L, &e, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_destroy, c), EINVAL);
	there = mmap((void *)c, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK_EQ((uintptr_t)there, c);
	memset(there, 0x55, 4096);
	add_one(fd[1]);
	CHECK_EQ(count_of(counter), 1);
	for (int i = 0; i < 4096; i++)
		CHECK_EQ(there[i], 0x55);
}

/* A program that may not write its ring has its events all the same. */
TEST(aio_poll, a_ring_to_be_read)
{
	aio_context_t c = context(4);
	struct iocb q;
	int fd[2];

	CHECK_OK(pipe(fd));
	q = poll_of(fd[0], POLLIN);
	CHECK_OK(mprotect((void *)c, 4096, PROT_READ));
	CHECK_EQ(submit(c, &q), 1);
	add_one(fd[1]);
	CHECK_EQ(end_of(c, &q), POLLIN);
}

/* ---- The process' end ---- */

/* A child with this many polls of a pipe's read end, which only they have; where it can be written to. */
static pid_t leave_polls(unsigned nr, int *to, void (*then)(void))
{
	int fd[2], ready[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe(fd));
	CHECK_OK(pipe(ready));
	pid = (pid_t)CHECK_OK(fork());
	if (!pid) {
		struct iocb q = poll_of(fd[0], POLLIN), *list[100];
		aio_context_t context_of_child = context(nr);

		for (unsigned i = 0; i < 100; i++)
			list[i] = &q;
		CHECK_OK(close(fd[1]));
		for (unsigned i = 0; i < nr; i += 100)
			CHECK_EQ(syscall(SYS_io_submit, context_of_child,
					 nr - i < 100 ? nr - i : 100L, list),
				nr - i < 100 ? nr - i : 100);
		CHECK_OK(close(fd[0]));
		CHECK_EQ(write(ready[1], "r", 1), 1);
		then();
		_exit(0);
	}
	CHECK_OK(close(fd[0]));
	CHECK_OK(close(ready[1]));
	CHECK_EQ(read(ready[0], &c, 1), 1);
	*to = fd[1];
	return pid;
}

static void end_now(void)
{
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static long number_in(const char *path)
{
	char text[32] = {0};

	CHECK(get_file(path, text, sizeof(text)) > 0);
	return atol(text);
}

TEST(aio_poll, exit_ends_many)
{
	long before = number_in("/proc/sys/fs/aio-nr");
	int fd;
	pid_t pid = leave_polls(10000, &fd, end_now);

	EXPECT_CHILD(pid, 0);
	CHECK(reader_is_gone(fd));
	for (int i = 0; number_in("/proc/sys/fs/aio-nr") != before; i++) {
		CHECK(i < 1000);
		sleep_ms(20);
	}
}

TEST(aio_poll, many_are_woken_at_once)
{
	enum { NR = 5000 };
	static struct iocb q[NR];
	static struct io_event e[NR];
	int counter = (int)CHECK_OK(eventfd(0, 0)), fd[2];
	aio_context_t c = context(NR);
	uint64_t sum = 0;
	long nr = 0;

	CHECK_OK(pipe(fd));
	for (unsigned i = 0; i < NR; i++) {
		q[i] = counted(poll_of(fd[0], POLLIN), counter);
		q[i].aio_data = i;
		CHECK_EQ(submit(c, &q[i]), 1);
	}
	add_one(fd[1]);
	while (nr < NR)
		nr += events(c, NR - nr, e + nr, 10000);
	for (unsigned i = 0; i < NR; i++) {
		CHECK(e[i].res & POLLIN);
		sum += e[i].data;
	}
	CHECK_EQ(sum, (uint64_t)NR * (NR - 1) / 2);
	for (uint64_t n = 0; n < NR;)
		n += count_of(counter);
}

TEST(aio_poll, a_kill_ends_them)
{
	int fd;
	pid_t pid = leave_polls(100, &fd, wait_for_ever);

	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
	CHECK(reader_is_gone(fd));
}

static void exec_sleeper(void)
{
	execl("/proc/self/exe", "aio_poll", "--helper", NULL);
}

int guest_helper(int argc, char **argv)
{
	wait_for_ever();
	return 0;
}

TEST(aio_poll, exec_ends_them)
{
	int fd;
	pid_t pid = leave_polls(100, &fd, exec_sleeper);

	CHECK(reader_is_gone(fd));
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
}

/* ---- At the same time ---- */

enum { ROUNDS = 300 };
static int shared_eventfd;
static volatile bool is_over;

/* Wakes all the time, sometimes for nothing. */
static void *add_and_take(void *arg)
{
	uint64_t n;

	while (!is_over) {
		add_one(shared_eventfd);
		(void)!read(shared_eventfd, &n, sizeof(n));
	}
	return arg;
}

/* Each poll ends once: woken, cancelled or both at once. */
TEST_WITHIN(aio_poll, woken_and_cancelled_at_once, 60)
{
	aio_context_t c = context(8);
	struct iocb q;
	pthread_t t;

	shared_eventfd = (int)CHECK_OK(eventfd(0, EFD_NONBLOCK));
	q = poll_of(shared_eventfd, POLLIN);
	CHECK_EQ(pthread_create(&t, NULL, add_and_take, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct io_event e[2];

		CHECK_EQ(submit(c, &q), 1);
		if (i % 4)
			sched_yield();
		if (cancel(c, &q) == -1)
			CHECK(errno == EINPROGRESS || errno == EINVAL);
		CHECK_EQ(events(c, 2, e, 10000), 1);
		CHECK(e[0].res == 0 || e[0].res & POLLIN);
	}
	is_over = true;
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK(is_quiet(c));
}

static void *get_all_the_time(void *arg)
{
	struct timespec short_time = {0, 1000000};
	struct io_event e[4];

	while (!is_over)
		syscall(SYS_io_getevents, *(volatile aio_context_t *)&shared, 4L, 4L, e,
			&short_time);
	return arg;
}

/* And contexts that end meanwhile, with somebody in io_getevents. */
TEST_WITHIN(aio_poll, destroyed_at_once, 60)
{
	pthread_t t[2];

	shared_eventfd = (int)CHECK_OK(eventfd(0, EFD_NONBLOCK));
	CHECK_EQ(pthread_create(&t[0], NULL, add_and_take, NULL), 0);
	CHECK_EQ(pthread_create(&t[1], NULL, get_all_the_time, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct iocb q[3], *list[] = {&q[0], &q[1], &q[2]};

		for (unsigned j = 0; j < 3; j++)
			q[j] = poll_of(shared_eventfd, POLLIN);
		shared = context(4);
		CHECK_EQ(syscall(SYS_io_submit, shared, 3L, list), 3);
		CHECK_OK(syscall(SYS_io_destroy, shared));
	}
	is_over = true;
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}
