// SPDX-License-Identifier: MIT
/*
 * TORUS_OP_SYSCALL: the same calls through both doors, with the same arguments, results and effects.
 */
#include <linux/audit.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

#include "../../kernel/abi/torus.h"
#include "filter.h"
#include "ring.h"

struct call {
	long nr, a[6];
};
#define A(x) ((long)(uintptr_t)(x))

static void put_call(struct ring *r, const struct call *c, uint64_t data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, TORUS_OP_SYSCALL, data);

	sqe->fd = (int)c->nr;
	sqe->off = (uint64_t)c->a[0];
	sqe->addr = (uint64_t)c->a[1];
	sqe->len = (uint32_t)c->a[2];
	sqe->rw_flags = (int)((uint64_t)c->a[2] >> 32);
	sqe->addr3 = (uint64_t)c->a[3];
	sqe->__pad2[0] = (uint64_t)c->a[4];
	sqe->file_index = (uint32_t)c->a[5];
}

static int by_ring(struct ring *r, const struct call *c)
{
	struct ring_result got;

	put_call(r, c, 7);
	got = ring_run(r);
	CHECK_EQ(got.user_data, 7u);
	return got.res;
}

static int by_call(const struct call *c)
{
	long n = syscall(c->nr, c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5]);

	return n < 0 ? -errno : (int)n;
}

static void both_say_the_same(struct ring *r, const struct call *c)
{
	int there = by_call(c), here = by_ring(r, c);

	if (there != here)
		FAIL("call %ld: %d by the ring, %d by the call", c->nr, here, there);
}

TEST(ring_call, questions_have_the_same_answers)
{
	static char buf[4096];
	int fd, pipes[2];
	struct ring r;

	NEWER(has_calls());
	CHECK_OK(fd = open("f", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(write(fd, "0123456789", 10), 10);
	CHECK_OK(pipe(pipes));
	CHECK_OK(symlink("f", "link"));
	ring_open(&r, 8, 0);
	{
		const struct call calls[] = {
			{__NR_getpid, {0}},
			{__NR_gettid, {0}},
			{__NR_getppid, {0}},
			{__NR_getpgid, {0}},
			{__NR_getsid, {0}},
			{__NR_getuid, {0}},
			{__NR_geteuid, {0}},
			{__NR_getgid, {0}},
			{__NR_getgroups, {32, A(buf)}},
			{__NR_getresuid, {A(buf), A(buf + 8), A(buf + 16)}},
			{__NR_uname, {A(buf)}},
			{__NR_uname, {0}},
			{__NR_getcwd, {A(buf), sizeof(buf)}},
			{__NR_getcwd, {A(buf), 1}},
			{__NR_readlinkat, {AT_FDCWD, A("link"), A(buf), 100}},
			{__NR_readlinkat, {AT_FDCWD, A("f"), A(buf), 100}},
			{__NR_faccessat, {AT_FDCWD, A("f"), R_OK}},
			{__NR_faccessat, {AT_FDCWD, A("none"), R_OK}},
			{__NR_newfstatat, {AT_FDCWD, A("f"), A(buf), 0}},
			{__NR_fstat, {fd, A(buf)}},
			{__NR_fstat, {99, A(buf)}},
			{__NR_statfs, {A("/"), A(buf)}},
			{__NR_fcntl, {fd, F_GETFL}},
			{__NR_fcntl, {99, F_GETFL}},
			{__NR_lseek, {fd, 3, SEEK_SET}},
			{__NR_lseek, {pipes[0], 0, SEEK_SET}},
			{__NR_pread64, {fd, A(buf), 4, 2}},
			{__NR_pread64, {fd, 8, 4, 2}},
			{__NR_pwrite64, {fd, A("xy"), 2, 1}},
			{__NR_ioctl, {fd, 0x541B, A(buf)}},
			{__NR_ioctl, {fd, 0x5401, A(buf)}},
			{__NR_getrlimit, {RLIMIT_NOFILE, A(buf)}},
			{__NR_prlimit64, {0, RLIMIT_STACK, 0, A(buf)}},
			{__NR_getrusage, {RUSAGE_SELF, A(buf)}},
			{__NR_clock_getres, {CLOCK_MONOTONIC, A(buf)}},
			{__NR_clock_gettime, {CLOCK_REALTIME, A(buf)}},
			{__NR_clock_gettime, {4711, A(buf)}},
			{__NR_sysinfo, {A(buf)}},
			{__NR_getitimer, {ITIMER_REAL, A(buf)}},
			{__NR_sched_get_priority_max, {1}},
			{__NR_kill, {getpid(), 0}},
			{__NR_kill, {99999999, 0}},
			{__NR_getxattr, {A("f"), A("user.none"), A(buf), 10}},
			{__NR_mincore, {A(buf) & -4096, 4096, A(buf)}},
			{__NR_madvise, {1, 4096, 4}},
			{__NR_flock, {fd, LOCK_SH}},
			{__NR_getrandom, {A(buf), 16, 0}},
			{__NR_membarrier, {0, 0, 0}},
			{__NR_wait4, {-1, 0, 1 /* WNOHANG */, 0}},
			{100000, {0}},
		};

		for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			both_say_the_same(&r, &calls[i]);
	}
	ring_close(&r);
}

TEST(ring_call, effects_are_the_process_s)
{
	static const struct timespec ms = {0, 1000000};
	struct call c;
	struct ring r;
	struct stat st;
	char *p;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	c = (struct call){__NR_mkdir, {A("d"), 0755}};
	CHECK_EQ(by_ring(&r, &c), 0);
	c = (struct call){__NR_chdir, {A("d")}};
	CHECK_EQ(by_ring(&r, &c), 0);
	CHECK_OK(stat("../d", &st));
	c = (struct call){__NR_umask, {027}};
	CHECK_EQ(by_ring(&r, &c), 022);
	CHECK_EQ(umask(0), 027);
	c = (struct call){__NR_dup, {0}};
	CHECK(fcntl(by_ring(&r, &c), F_GETFD) >= 0);
	CHECK((p = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
		MAP_FAILED);
	c = (struct call){__NR_mprotect, {A(p), 4096, PROT_READ | PROT_WRITE}};
	CHECK_EQ(by_ring(&r, &c), 0);
	p[0] = 1;
	c = (struct call){__NR_munmap, {A(p), 8192}};
	CHECK_EQ(by_ring(&r, &c), 0);
	c = (struct call){__NR_nanosleep, {A(&ms), 0}};
	CHECK_EQ(by_ring(&r, &c), 0);
	ring_close(&r);
}

TEST(ring_call, an_address_is_a_result)
{
	struct call c = {__NR_mmap,
		{0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}};
	struct io_uring_cqe *cqe;
	struct ring r;
	char *p;

	NEWER(has_calls());
	ring_open(&r, 8, IORING_SETUP_CQE32);
	put_call(&r, &c, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	cqe = (struct io_uring_cqe *)(void *)(r.rings + r.p.cq_off.cqes);
	CHECK_EQ(cqe->res, INT32_MAX);
	p = (char *)(uintptr_t)cqe->big_cqe[0];
	p[4095] = 1;
	CHECK_OK(munmap(p, 4096));
	ring_close(&r);
}

/* The whole result and the short one say the same, also of a call that was interrupted. */
TEST(ring_call, cancelled_call_has_one_result)
{
	struct io_uring_cqe *cqe;
	struct call c = {__NR_read};
	struct ring r;
	int fd[2];
	char byte;

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	c.a[0] = (unsigned)fd[0];
	c.a[1] = (uintptr_t)&byte;
	c.a[2] = 1;
	ring_open(&r, 8, IORING_SETUP_CQE32);
	put_call(&r, &c, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 2)->addr = 1;
	CHECK_EQ(ring_submit(&r, 2), 1);
	cqe = (struct io_uring_cqe *)(void *)(r.rings + r.p.cq_off.cqes);
	if (cqe->user_data != 1)
		cqe += 2;
	CHECK_EQ(cqe->res, -ECANCELED);
	CHECK_EQ((int64_t)cqe->big_cqe[0], -ECANCELED);
	ring_close(&r);
}

TEST(ring_call, six_words_are_read_at_once)
{
	uint64_t words[6] = {0, 0, 0, 0, 0, 0};
	struct io_uring_sqe *sqe;
	struct ring r;
	int in, out;

	NEWER(has_calls());
	CHECK_OK(in = open("in", O_RDWR | O_CREAT, 0600));
	CHECK_OK(out = open("out", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(write(in, "abcdef", 6), 6);
	CHECK_EQ(lseek(in, 1, SEEK_SET), 1);
	ring_open(&r, 8, 0);
	words[0] = (uint64_t)in;
	words[2] = (uint64_t)out;
	words[4] = 4;
	sqe = ring_sqe(&r, TORUS_OP_SYSCALL, 1);
	sqe->fd = __NR_copy_file_range;
	sqe->ioprio = TORUS_SYSCALL_INDIRECT;
	sqe->off = (uint64_t)(uintptr_t)words;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 4);
	sqe = ring_sqe(&r, TORUS_OP_SYSCALL, 2);
	sqe->fd = __NR_copy_file_range;
	sqe->ioprio = TORUS_SYSCALL_INDIRECT;
	sqe->off = 8;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, -EFAULT);
	ring_close(&r);
}

TEST(ring_call, calls_about_the_caller_are_refused)
{
	static const int own[] = {__NR_exit, __NR_execve, __NR_fork, __NR_rt_sigreturn,
		__NR_arch_prctl, __NR_setuid, __NR_rt_sigprocmask, __NR_io_uring_enter,
		__NR_rseq};
	struct call c = {__NR_sched_getaffinity, {0}};
	struct call unshare = {__NR_close_range, {1000, 1000, CLOSE_RANGE_UNSHARE}};
	struct call close = {__NR_close_range, {1000, 1000, 0}};
	struct ring r;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct call one = {own[i], {0}};

		CHECK_EQ(by_ring(&r, &one), -EINVAL);
	}
	CHECK_EQ(by_ring(&r, &c), -EINVAL);
	CHECK_EQ(by_ring(&r, &unshare), -EINVAL);
	CHECK_EQ(by_ring(&r, &close), 0);
	ring_close(&r);
}

TEST(ring_call, one_that_waits_holds_nobody_up_and_is_cancelled)
{
	struct call c = {__NR_read, {0}};
	struct ring r;
	char buf[4];
	int fd[2];

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	c.a[0] = fd[0];
	c.a[1] = A(buf);
	c.a[2] = 4;
	put_call(&r, &c, 1);
	put_call(&r, &c, 2);
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 1), 3);
	RING_EXPECT(&r, 3, 0);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 4)->addr = 2;
	CHECK_EQ(ring_submit(&r, 2), 1);
	for (int i = 0; i < 2; i++) {
		struct ring_result got = ring_take(&r);

		CHECK(got.user_data == 2
				? got.res == -ECANCELED
				: got.user_data == 4 && (got.res == 0 || got.res == -EALREADY));
	}
	CHECK_EQ(write(fd[1], "abc", 3), 3);
	RING_EXPECT(&r, 1, 3);
	ring_close(&r);
}

/* A call on a fiber has no mask of signals to change for its length; nor does a later one find it changed. */
TEST(ring_call, a_mask_of_signals_is_the_thread_s_alone)
{
	static const uint64_t none;
	static const struct timespec at_once;
	struct call masked[2], plain[2], broken;
	struct epoll_event event;
	struct ring r;
	int fd[2], epoll;

	NEWER(has_calls());
	CHECK_OK(epoll = epoll_create1(0));
	CHECK_OK(pipe(fd));
	CHECK_OK(close(fd[0]));
	masked[0] = (struct call){__NR_ppoll, {0, 0, A(&at_once), A(&none), 8}};
	masked[1] = (struct call){__NR_epoll_pwait, {epoll, A(&event), 1, 0, A(&none), 8}};
	plain[0] = (struct call){__NR_ppoll, {0, 0, A(&at_once), 0, 8}};
	plain[1] = (struct call){__NR_epoll_pwait, {epoll, A(&event), 1, 0, 0, 8}};
	broken = (struct call){__NR_write, {fd[1], A("x"), 1}};
	ring_open(&r, 8, 0);
	for (int i = 0; i < 2; i++) {
		put_call(&r, &masked[i], 1);
		CHECK_EQ(ring_submit(&r, 1), 1);
		RING_EXPECT(&r, 1, -EINVAL);
		put_call(&r, &broken, 2); /* on the fiber that was used last */
		CHECK_EQ(ring_submit(&r, 1), 1);
		RING_EXPECT(&r, 2, -EPIPE);
		put_call(&r, &plain[i], 3);
		CHECK_EQ(ring_submit(&r, 1), 1);
		RING_EXPECT(&r, 3, 0);
	}
	ring_close(&r);
}

TEST(ring_call, more_wait_than_can_be_begun_and_all_end)
{
	enum { CALLS = 300 };
	const struct call c = {__NR_poll, {0, 0, (uint64_t)-1}};

	NEWER(has_calls());
	IN_CHILD({
		struct ring r;

		ring_open(&r, 512, 0);
		for (unsigned i = 0; i < CALLS; i++)
			put_call(&r, &c, i);
		CHECK_EQ(ring_submit(&r, 0), CALLS);
	});
}

/* A thread with a request of its own that sleeps in a call: somebody else has to see to the request. */
struct sleeper {
	struct ring r;
	int request[2], call[2];
	pid_t tid;
	char c[2];
};

static void *sleep_with_request(void *arg)
{
	struct sleeper *s = arg;

	ring_open(&s->r, 4, 0);
	(void)ring_read_byte(&s->r, s->request[0], &s->c[0], 1);
	CHECK_EQ(ring_submit(&s->r, 0), 1);
	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
	CHECK_EQ(read(s->call[0], &s->c[1], 1), 1);
	return NULL;
}

TEST(ring_call, a_request_goes_on_while_all_fibers_wait)
{
	enum { CALLS = 300 };
	const struct call c = {__NR_poll, {0, 0, (uint64_t)-1}};
	struct sleeper s = {0};
	pthread_t thread;
	struct ring r;

	NEWER(has_calls());
	CHECK_OK(pipe(s.request));
	CHECK_OK(pipe(s.call));
	CHECK_EQ(pthread_create(&thread, NULL, sleep_with_request, &s), 0);
	while (!__atomic_load_n(&s.tid, __ATOMIC_ACQUIRE))
		sched_yield();
	wait_until_sleeping(s.tid);
	ring_open(&r, 512, 0);
	for (unsigned i = 0; i < CALLS; i++)
		put_call(&r, &c, i);
	CHECK_EQ(ring_submit(&r, 0), CALLS);
	CHECK_EQ(write(s.request[1], "x", 1), 1);
	while (!ring_ready(&s.r))
		sched_yield();
	RING_EXPECT(&s.r, 1, 1);
	CHECK_EQ(s.c[0], 'x');
	CHECK_EQ(write(s.call[1], "y", 1), 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* ---- Filters ---- */

static void put_open(struct ring *r, uint64_t data, uint8_t flags)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_OPENAT, data);

	sqe->fd = AT_FDCWD;
	sqe->addr = (uint64_t)(uintptr_t) "/";
	sqe->open_flags = O_RDONLY;
	sqe->flags = flags;
}

TEST(ring_call, filter_of_a_call_holds_for_its_operation)
{
	struct call c = {__NR_openat, {AT_FDCWD, A("/"), O_RDONLY}};
	struct ring r;

	NEWER(has_calls());
	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	filter(__NR_openat, SECCOMP_RET_ERRNO | EDOM);
	CHECK_EQ(by_call(&c), -EDOM);
	CHECK_EQ(by_ring(&r, &c), -EDOM);
	put_open(&r, 1, 0);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, -EDOM);
	ring_sqe(&r, IORING_OP_NOP, 2)->flags =
		IOSQE_IO_LINK; /* a chain is refused as a whole */
	put_open(&r, 3, 0);
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT(&r, 2, -ECANCELED);
	RING_EXPECT(&r, 3, -EDOM);
	ring_close(&r);
}

TEST(ring_call, filter_of_reading_holds_for_the_ring)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	int fd[2];
	char c;

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	ring_open(&r, 8, 0);
	filter(__NR_read, SECCOMP_RET_ERRNO | EDOM);
	sqe = ring_sqe(&r, IORING_OP_READ, 1);
	sqe->fd = fd[0];
	sqe->addr = (uint64_t)(uintptr_t)&c;
	sqe->len = 1;
	sqe->off = (uint64_t)-1;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, -EDOM);
	ring_close(&r);
}

TEST(ring_call, filter_that_kills_does_so_from_the_ring)
{
	pid_t pid;

	NEWER(has_calls());
	CHECK_OK(pid = fork());
	if (pid == 0) {
		struct ring r;

		ring_open(&r, 8, 0);
		filter(__NR_openat, SECCOMP_RET_KILL_PROCESS);
		put_open(&r, 1, 0);
		(void)ring_submit(&r, 1);
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSYS);
}

/* kernel.shm_rmid_forced: segments go when who made them ends, which is the thread whose ring it was. */
static void force_removal(const char *text)
{
	int fd = CHECK_OK(open("/proc/sys/kernel/shm_rmid_forced", O_WRONLY));

	CHECK_EQ(write(fd, text, 1), 1);
	CHECK_OK(close(fd));
}

TEST(ring_call, a_segment_is_made_by_who_has_the_ring)
{
	struct shmid_ds ds;
	int tell[2], id;

	NEWER(has_calls());
	CHECK_OK(pipe(tell));
	force_removal("1");
	IN_CHILD({
		const struct call get = {__NR_shmget, {IPC_PRIVATE, 4096, IPC_CREAT | 0600}};
		struct ring r;

		ring_open(&r, 8, 0);
		id = by_ring(&r, &get);
		CHECK(id >= 0);
		for (int i = 0; i < 20; i++) /* the same fibers do other jobs */
			CHECK_EQ(by_ring(&r, &(const struct call){__NR_mkdir, {A("/"), 0}}),
				-EEXIST);
		CHECK_OK(shmctl(id, IPC_STAT, &ds));
		CHECK_EQ(ds.shm_cpid, getpid());
		CHECK_EQ(write(tell[1], &id, sizeof(id)), sizeof(id));
	});
	CHECK_EQ(read(tell[0], &id, sizeof(id)), sizeof(id));
	CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
	force_removal("0");
}
