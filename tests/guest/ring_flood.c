// SPDX-License-Identifier: MIT
/*
 * Requests that go on (multishot), fed by somebody who never lets them run dry: bytes come all the time,
 * the buffers come back, and the completions are taken. Who has submitted one can be killed, and comes
 * back to its program. Linux lets go of such a request after a while since it has multishot reads: before,
 * it never did.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "ring_net.h"
#include "supervisor.h"

enum { NR_ENTRIES = 32768, ENOUGH = 20000 };

/* In memory that processes share. */
struct flood {
	union {
		struct io_uring_buf bufs[NR_ENTRIES];
		struct {
			uint16_t pad[7], tail; /* of the buffers */
		};
	};
	struct ring ring;
	unsigned op;
	int from, to;
	char byte;
	uint32_t nr;        /* completions that were taken */
	uint32_t has_ended; /* the request, for want of something: another one is submitted */
	uint32_t is_over;   /* nothing is fed any more */
};

static void fill(struct flood *f)
{
	static const char bytes[4096];

	while (write(f->to, bytes, sizeof(bytes)) == sizeof(bytes))
		;
}

static void give_back(struct flood *f, unsigned nr)
{
	__atomic_store_n(&f->tail, (uint16_t)(f->tail + nr), __ATOMIC_RELEASE);
}

static void *feed(void *arg)
{
	struct flood *f = arg;

	while (!__atomic_load_n(&f->is_over, __ATOMIC_RELAXED)) {
		struct ring_result got;
		unsigned nr = 0;

		fill(f);
		while (nr < 4096 && ring_peek(&f->ring, &got)) {
			nr += got.flags & IORING_CQE_F_BUFFER;
			if (!(got.flags & IORING_CQE_F_MORE))
				__atomic_store_n(&f->has_ended, 1, __ATOMIC_RELEASE);
		}
		give_back(f, nr);
		__atomic_fetch_add(&f->nr, nr, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void submit(struct flood *f)
{
	struct io_uring_sqe *sqe;

	f->has_ended = 0;
	sqe = prep_selected(&f->ring, f->op, 1, f->from);
	sqe->ioprio = f->op == IORING_OP_RECV ? IORING_RECV_MULTISHOT : 0;
	sqe->off = f->op == IORING_OP_RECV ? 0 : UINT64_MAX;
	CHECK_EQ(ring_submit(&f->ring, 0), 1);
}

/* Submits again when it has ended by want; lets it go on, where only the thread itself does that. */
static void keep_up(struct flood *f)
{
	if (__atomic_load_n(&f->has_ended, __ATOMIC_ACQUIRE))
		submit(f);
	if (f->ring.p.flags & IORING_SETUP_DEFER_TASKRUN)
		CHECK_EQ(ring_enter(f->ring.fd, 0, 0, IORING_ENTER_GETEVENTS), 0);
}

static struct flood *make_flood(unsigned op)
{
	struct flood *f = mmap(
		NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd[2];

	NEWER(kernel_has_op(IORING_OP_READ_MULTISHOT));
	CHECK(f != MAP_FAILED);
	if (op == IORING_OP_RECV)
		pair(fd, SOCK_STREAM);
	else
		CHECK_OK(pipe(fd));
	f->from = fd[op != IORING_OP_RECV ? 0 : 1];
	f->to = fd[op != IORING_OP_RECV ? 1 : 0];
	CHECK_OK(fcntl(f->to, F_SETFL, O_NONBLOCK));
	f->op = op;
	return f;
}

static void open_flood(struct flood *f, unsigned flags)
{
	struct ring_buf_reg reg = {
		.ring_addr = (uintptr_t)f->bufs, .ring_entries = NR_ENTRIES, .bgid = GROUP};

	memset(&f->ring, 0, sizeof(f->ring));
	f->ring.p.flags = flags | IORING_SETUP_CQSIZE;
	f->ring.p.cq_entries = 65536;
	ring_open_with(&f->ring, 8);
	for (unsigned i = 0; i < NR_ENTRIES; i++)
		f->bufs[i] = (struct io_uring_buf){
			.addr = (uintptr_t)&f->byte, .len = 1, .bid = (uint16_t)i};
	f->tail = NR_ENTRIES - 1;
	CHECK_EQ(ring_register(f->ring.fd, IORING_REGISTER_PBUF_RING, &reg, 1), 0);
}

static void wait_for(const struct flood *f, uint32_t nr)
{
	while (__atomic_load_n(&f->nr, __ATOMIC_RELAXED) < nr)
		sleep_ms(1);
}

/* ---- Another process feeds it ---- */

static _Noreturn void be_flooded(struct flood *f, unsigned flags)
{
	open_flood(f, flags);
	if (CHECK_OK(fork()) == 0) {
		(void)feed(f);
		_exit(0);
	}
	submit(f);
	for (;;) {
		sleep_ms(1);
		keep_up(f);
	}
}

static void expect_it_can_be_killed(unsigned op, unsigned flags)
{
	struct flood *f = make_flood(op);
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		be_flooded(f, flags);
	wait_for(f, ENOUGH);
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
	f->is_over = 1;
}

TEST(ring_flood, a_receive_can_be_killed)
{
	expect_it_can_be_killed(IORING_OP_RECV, 0);
}

TEST(ring_flood, a_deferred_receive_can_be_killed)
{
	expect_it_can_be_killed(
		IORING_OP_RECV, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
}

TEST(ring_flood, a_receive_of_a_submission_thread_can_be_killed)
{
	expect_it_can_be_killed(IORING_OP_RECV, IORING_SETUP_SQPOLL);
}

TEST(ring_flood, a_read_can_be_killed)
{
	expect_it_can_be_killed(IORING_OP_READ_MULTISHOT, 0);
}

/* ---- Another thread feeds it ---- */

static void expect_to_return(unsigned op, unsigned flags)
{
	struct flood *f = make_flood(op);
	pthread_t t;

	open_flood(f, flags);
	CHECK_EQ(pthread_create(&t, NULL, feed, f), 0);
	submit(f);
	while (__atomic_load_n(&f->nr, __ATOMIC_RELAXED) < ENOUGH)
		keep_up(f);
	f->is_over = 1;
	CHECK_EQ(pthread_join(t, NULL), 0);
	ring_close(&f->ring);
}

TEST(ring_flood, its_thread_goes_on_with_the_program)
{
	expect_to_return(IORING_OP_RECV, 0);
}

TEST(ring_flood, its_thread_goes_on_when_it_is_told_nothing)
{
	expect_to_return(IORING_OP_RECV, IORING_SETUP_COOP_TASKRUN);
}

TEST(ring_flood, its_thread_comes_back_from_each_entering)
{
	expect_to_return(
		IORING_OP_RECV, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
}

TEST(ring_flood, its_thread_goes_on_beside_a_read)
{
	expect_to_return(IORING_OP_READ_MULTISHOT, 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* What it waits for does not end, and there is always something else to do on the ring. */
TEST(ring_flood, who_waits_for_what_it_cancels_hears_signals)
{
	struct flood *f = make_flood(IORING_OP_RECV);
	struct io_uring_sync_cancel_reg reg = {.addr = 77, .fd = -1, .timeout = {-1, -1}};
	struct sigaction act = {.sa_handler = on_alarm};
	struct itimerval often = {{1, 0}, {1, 0}}, never = {{0, 0}, {0, 0}};
	struct seccomp_notif n;
	sigset_t set;
	pthread_t t;
	int l;

	NEWER(has_calls());
	CHECK_OK(sigaction(SIGALRM, &act, NULL));
	CHECK_OK(l = add_listener(__NR_mkdirat, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
	open_flood(f, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	(void)prep(&f->ring, IORING_OP_MKDIRAT, 77, AT_FDCWD, "d", 0700);
	CHECK_EQ(ring_submit(&f->ring, 0), 1);
	n = hear(l);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0); /* the feeder does not get it */
	CHECK_EQ(pthread_create(&t, NULL, feed, f), 0);
	CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
	submit(f);
	CHECK_OK(setitimer(ITIMER_REAL, &often,
		NULL)); /* should it not be there when the first one comes */
	CHECK_ERRNO(ring_register(f->ring.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), EINTR);
	CHECK_OK(setitimer(ITIMER_REAL, &never, NULL));
	f->is_over = 1;
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_OK(answer(l, n.id, 0, 0, 0));
	ring_close(&f->ring);
}
