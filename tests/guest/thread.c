// SPDX-License-Identifier: MIT
/* Threads: futex(2), robust lists, pthreads(7) as a C library uses them, membarrier(2), rseq(2), sched(7) calls. */
#include "guest.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>

static long futex(volatile uint32_t *word, int op, uint32_t val, const void *timeout,
	volatile uint32_t *word2, uint32_t val3)
{
	return syscall(SYS_futex, word, op, val, timeout, word2, val3);
}

static volatile uint32_t word, word2;
static volatile int ready, done;

static void spawn(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, run, arg), 0);
	CHECK_EQ(pthread_detach(thread), 0);
}

static void wait_for_count(volatile int *count, int want)
{
	for (int i = 0; i < 10000 && *count < want; i++)
		sleep_ms(1);
	CHECK_EQ(*count, want);
}

/* Of those that `ready` counts, in this order. */
static volatile pid_t sleepers[4];

static void be_next_to_sleep(void)
{
	announce_sleep(&sleepers[__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST)]);
}

static void wait_for_sleepers(unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		wait_until_asleep(&sleepers[i]);
}

static void *waiter(void *arg)
{
	be_next_to_sleep();
	while (futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) < 0 && errno == EINTR) {
	}
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(thread, futex_wait_compares)
{
	struct timespec ts = {0, 1000000};

	word = 5;
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 5, &ts, NULL, 0), ETIMEDOUT);
}

TEST(thread, futex_errors)
{
	struct timespec bad = {0, 1000000000};

	CHECK_ERRNO(
		futex((void *)((uintptr_t)&word + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex((void *)8, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}

TEST(thread, futex_wake_counts)
{
	for (int i = 0; i < 4; i++)
		spawn(waiter, NULL);
	wait_for_sleepers(4);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	wait_for_count(&done, 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 3);
	wait_for_count(&done, 4);
}

/* Linux: the number is signed, and is compared after each. */
TEST(thread, futex_wake_of_less_than_one_wakes_one)
{
	for (int i = 0; i < 4; i++)
		spawn(waiter, NULL);
	wait_for_sleepers(4);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, UINT32_MAX, NULL, NULL, 0), 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0), 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, UINT32_MAX, (void *)UINT32_MAX, &word2,
			 FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0)),
		1);
	CHECK_EQ(futex(&word2, FUTEX_WAKE_OP_PRIVATE, UINT32_MAX, (void *)UINT32_MAX, &word,
			 FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0)),
		1);
	wait_for_count(&done, 4);
}

TEST(thread, futex_requeue)
{
	for (int i = 0; i < 3; i++)
		spawn(waiter, NULL);
	wait_for_sleepers(3);
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10L, &word2, 0), 3);
	wait_for_count(&done, 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&word2, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
	wait_for_count(&done, 3);
	CHECK_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1L, &word2, 9), EAGAIN);
}

static void *bit_waiter(void *arg)
{
	be_next_to_sleep();
	futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uintptr_t)arg);
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(thread, futex_bitset)
{
	spawn(bit_waiter, (void *)1);
	spawn(bit_waiter, (void *)2);
	wait_for_sleepers(2);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 4), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2), 1);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 3), 1);
	CHECK_ERRNO(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 0), EINVAL);
}

TEST(thread, futex_bitset_timeout_is_absolute)
{
	struct timespec ts;
	int64_t before = now_ms();

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 30000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &ts, NULL, ~0U), ETIMEDOUT);
	CHECK(now_ms() - before >= 29);
	ts.tv_sec = 0;
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &ts, NULL,
			    ~0U),
		ETIMEDOUT);
}

TEST(thread, futex_wake_op)
{
	spawn(waiter, NULL);
	wait_for_sleepers(1);
	word2 = 10;
	/* word2 += 5; wake one of word; and of word2 if it was greater than 20 */
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1L, &word2,
			 FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_GT, 20)),
		1);
	CHECK_EQ(word2, 15);
	wait_for_count(&done, 1);
}

TEST(thread, futex_shared_between_processes)
{
	volatile uint32_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_OK(futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0));
		_exit(4);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	EXPECT_CHILD(pid, 4);
}

TEST(thread, futex_private_is_not_shared)
{
	volatile uint32_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec ts = {0, 200000000};
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_ERRNO(futex(shared, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0), ETIMEDOUT);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(futex(shared, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	EXPECT_CHILD(pid, 0);
}

TEST(thread, futex_waitv)
{
	struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} v[2] = {{0, (uintptr_t)&word, 2 | FUTEX_PRIVATE_FLAG, 0},
		{0, (uintptr_t)&word2, 2 | FUTEX_PRIVATE_FLAG, 0}};
	struct timespec past = {0, 1};

	CHECK_ERRNO(syscall(449, v, 2, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
	v[1].val = 1;
	CHECK_ERRNO(syscall(449, v, 2, 0, NULL, CLOCK_MONOTONIC), EAGAIN);
	CHECK_ERRNO(syscall(449, v, 0, 0, NULL, CLOCK_MONOTONIC), EINVAL);
	CHECK_ERRNO(syscall(449, v, 129, 0, NULL, CLOCK_MONOTONIC), EINVAL);
	v[0].flags = 99;
	CHECK_ERRNO(syscall(449, v, 2, 0, NULL, CLOCK_MONOTONIC), EINVAL);
	/* all of them are read before the first word is looked for */
	v[0].flags = 2;
	v[0].uaddr = UINT64_MAX - 3;
	CHECK_ERRNO(syscall(449, v, 2, 0, NULL, CLOCK_MONOTONIC), EFAULT);
	v[1].flags = 99;
	CHECK_ERRNO(syscall(449, v, 2, 0, NULL, CLOCK_MONOTONIC), EINVAL);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long total;

static void *adder(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&mutex);
		total++;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

TEST(thread, mutex_excludes)
{
	pthread_t threads[4];
	void *result;

	for (long i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, adder, (void *)i), 0);
	for (long i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, i);
	}
	CHECK_EQ(total, 80000);
}

static void *consumer(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (total == 0)
		pthread_cond_wait(&cond, &mutex);
	total--;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

TEST(thread, condition_variables)
{
	pthread_t threads[5];

	for (int i = 0; i < 5; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, consumer, NULL), 0);
	for (int i = 0; i < 5; i++) {
		pthread_mutex_lock(&mutex);
		total++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
	}
	for (int i = 0; i < 5; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(total, 0);
}

static pthread_mutex_t *shared_mutex(int protocol)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *m =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attr, protocol), 0);
	CHECK_EQ(pthread_mutex_init(m, &attr), 0);
	return m;
}

TEST(thread, robust_mutex_of_a_dead_process)
{
	pthread_mutex_t *m = shared_mutex(PTHREAD_PRIO_NONE);

	IN_CHILD(CHECK_EQ(pthread_mutex_lock(m), 0));
	CHECK_EQ(pthread_mutex_lock(m), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(m), 0);
	CHECK_EQ(pthread_mutex_unlock(m), 0);
	CHECK_EQ(pthread_mutex_lock(m), 0);
}

TEST(thread, robust_mutex_wakes_a_waiter)
{
	pthread_mutex_t *m = shared_mutex(PTHREAD_PRIO_NONE);
	int fd[2];
	char c;
	pid_t owner, waiter_pid;

	CHECK_OK(pipe(fd));
	owner = CHECK_OK(fork());
	if (owner == 0) {
		CHECK_EQ(pthread_mutex_lock(m), 0);
		CHECK_EQ(write(fd[1], "x", 1), 1);
		pause();
	}
	CHECK_EQ(read(fd[0], &c, 1), 1);
	waiter_pid = CHECK_OK(fork());
	if (waiter_pid == 0) {
		CHECK_EQ(pthread_mutex_lock(m), EOWNERDEAD);
		_exit(0);
	}
	wait_until_sleeping(waiter_pid);
	kill(owner, SIGKILL);
	EXPECT_KILLED(owner, SIGKILL);
	EXPECT_CHILD(waiter_pid, 0);
}

TEST(thread, pi_mutex)
{
	pthread_mutex_t *m = shared_mutex(PTHREAD_PRIO_INHERIT);
	pid_t pid;

	CHECK_EQ(pthread_mutex_lock(m), 0);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(pthread_mutex_trylock(m), EBUSY);
		CHECK_EQ(pthread_mutex_lock(m), 0);
		CHECK_EQ(pthread_mutex_unlock(m), 0);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(pthread_mutex_unlock(m), 0);
	EXPECT_CHILD(pid, 0);
}

TEST(thread, futex_pi_by_hand)
{
	uint32_t tid = syscall(SYS_gettid);
	struct timespec past = {0, 1};

	CHECK_OK(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(word, tid);
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_ERRNO(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_OK(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(word, 0);
	CHECK_ERRNO(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
	word = 999999; /* an owner that does not exist */
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &past, NULL, 0), ESRCH);
}

static __thread int local = 7;

static void *look_at_local(void *arg)
{
	local++;
	return (void *)(long)local;
}

TEST(thread, thread_local_storage)
{
	pthread_t thread;
	void *result;

	local = 100;
	CHECK_EQ(pthread_create(&thread, NULL, look_at_local, NULL), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK_EQ((long)result, 8);
	CHECK_EQ(local, 100);
}

static volatile pid_t tid_seen, handler_tid;

static void note_tid(int sig)
{
	handler_tid = syscall(SYS_gettid);
}

static void *sleeper(void *arg)
{
	tid_seen = syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

TEST(thread, signal_to_one_thread)
{
	pthread_t thread;

	signal(SIGUSR1, note_tid);
	CHECK_EQ(pthread_create(&thread, NULL, sleeper, NULL), 0);
	while (!tid_seen)
		sleep_ms(1);
	CHECK(tid_seen != getpid());
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	while (!handler_tid)
		sleep_ms(1);
	CHECK_EQ(handler_tid, tid_seen);
}

TEST(thread, process_signal_goes_to_a_thread_that_takes_it)
{
	pthread_t thread;
	sigset_t set;

	signal(SIGUSR1, note_tid);
	CHECK_EQ(pthread_create(&thread, NULL, sleeper, NULL), 0);
	while (!tid_seen)
		sleep_ms(1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	kill(getpid(), SIGUSR1);
	while (!handler_tid)
		sleep_ms(1);
	CHECK_EQ(handler_tid, tid_seen);
}

TEST(thread, exit_group_ends_all)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		for (int i = 0; i < 4; i++)
			spawn(sleeper, NULL);
		_exit(12);
	}
	EXPECT_CHILD(pid, 12);
}

TEST(thread, fatal_signal_ends_all)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		for (int i = 0; i < 4; i++)
			spawn(sleeper, NULL);
		syscall(SYS_tkill, syscall(SYS_gettid), SIGTERM);
		sleep_ms(10000);
	}
	EXPECT_KILLED(pid, SIGTERM);
}

static void *exit_later(void *arg)
{
	sleep_ms(50);
	_exit(33);
	return NULL;
}

TEST(thread, leader_may_exit_first)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		spawn(exit_later, NULL);
		syscall(SYS_exit, 1);
	}
	EXPECT_CHILD(pid, 33);
}

TEST(thread, process_lives_until_its_last_thread)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		spawn(exit_later, NULL);
		syscall(SYS_exit, 1);
	}
	sleep_ms(10);
	CHECK_OK(kill(pid, 0));
	EXPECT_CHILD(pid, 33);
}

static void *nothing(void *arg)
{
	return arg;
}

TEST(thread, create_and_join_many)
{
	for (int i = 0; i < 200; i++) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, nothing, NULL), 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
}

static void *cancellable(void *arg)
{
	char c;

	be_next_to_sleep();
	read(*(int *)arg, &c, 1);
	return NULL;
}

TEST(thread, cancellation)
{
	pthread_t thread;
	void *result;
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_EQ(pthread_create(&thread, NULL, cancellable, fd), 0);
	wait_for_sleepers(1);
	CHECK_EQ(pthread_cancel(thread), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
}

TEST(thread, semaphores_between_processes)
{
	sem_t *sem =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK_OK(sem_init(sem, 1, 0));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		for (int i = 0; i < 100; i++)
			CHECK_OK(sem_wait(sem));
		_exit(0);
	}
	for (int i = 0; i < 100; i++)
		CHECK_OK(sem_post(sem));
	EXPECT_CHILD(pid, 0);
}

TEST(thread, membarrier)
{
	long commands = CHECK_OK(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0));

	CHECK(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	CHECK_OK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
	CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), EPERM);
	CHECK_OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	CHECK_OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	CHECK_ERRNO(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);
}

TEST(thread, rseq)
{
	static struct {
		uint32_t cpu_id_start, cpu_id;
		uint64_t cs;
		uint32_t flags, pad[3];
	} area __attribute__((aligned(32)));

	CHECK_ERRNO(syscall(SYS_rseq, (char *)&area + 4, 32, 0, 0x53053053), EINVAL);
	CHECK_ERRNO(syscall(SYS_rseq, &area, 31, 0, 0x53053053), EINVAL);
	CHECK_OK(syscall(SYS_rseq, &area, 32, 0, 0x53053053));
	sched_yield();
	CHECK(area.cpu_id < 64);
	CHECK_EQ(area.cpu_id, area.cpu_id_start);
	CHECK_ERRNO(syscall(SYS_rseq, &area, 32, 0, 0x53053053), EBUSY);
	CHECK_ERRNO(syscall(SYS_rseq, &area, 32, 0, 1), EPERM);
	CHECK_OK(syscall(SYS_rseq, &area, 32, 1, 0x53053053));
	CHECK_EQ(area.cpu_id, -1U);
}

TEST(thread, affinity)
{
	cpu_set_t set, one;
	unsigned cpu;

	CHECK_OK(sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) >= 1);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
	CHECK_OK(syscall(SYS_getcpu, &cpu, NULL, NULL));
	CHECK_EQ(cpu, 0);
	CPU_ZERO(&one);
	CHECK_ERRNO(sched_setaffinity(0, sizeof(one), &one), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 4L, &set), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 999999, sizeof(set), &set), ESRCH);
}

TEST(thread, scheduling_policies)
{
	struct sched_param p = {.sched_priority = 10};
	struct timespec ts;

	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), 0);
	CHECK_OK(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_FIFO);
	p.sched_priority = 0;
	CHECK_OK(syscall(SYS_sched_getparam, 0, &p));
	CHECK_EQ(p.sched_priority, 10);
	p.sched_priority = 100;
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &p), EINVAL);
	p.sched_priority = 1;
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, 99, &p), EINVAL);
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
	CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
	CHECK_OK(syscall(SYS_sched_rr_get_interval, 0, &ts));
	p.sched_priority = 0;
	CHECK_OK(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
	CHECK_OK(setresuid(1000, 1000, 1000));
	p.sched_priority = 1;
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p), EPERM);
}

TEST(thread, nice)
{
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 5));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 15); /* 20 - nice */
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 100));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 10));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, 5), EACCES);
	CHECK_OK(setpriority(PRIO_PROCESS, 0, 12));
	CHECK_ERRNO(setpriority(9, 0, 5), EINVAL);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 999999, 5), ESRCH);
}
