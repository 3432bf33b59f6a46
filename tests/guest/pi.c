// SPDX-License-Identifier: MIT
/*
 * Futexes that are locks: man 2 futex, "Priority-inheritance futexes".
 */
#include "guest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

static volatile uint32_t lock, cond;
static volatile int ready, done;

static long futex(volatile uint32_t *at, int op, uint32_t val, const void *timeout,
	volatile uint32_t *at2, uint32_t val3)
{
	return syscall(SYS_futex, at, op, val, timeout, at2, val3);
}

static pthread_t spawn(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, run, arg), 0);
	return thread;
}

TEST(pi, lock_writes_the_owner)
{
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock, gettid());
	CHECK_ERRNO(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_ERRNO(futex(&lock, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock, 0);
	CHECK_ERRNO(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
}

TEST(pi, owner_that_does_not_exist)
{
	lock = 0x3ffffff0;
	CHECK_ERRNO(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), ESRCH);
}

static void *lock_and_unlock(void *arg)
{
	(void)arg;
	ready = 1;
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock & FUTEX_TID_MASK, gettid());
	done = 1;
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

TEST(pi, unlock_hands_over)
{
	pthread_t other;

	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	other = spawn(lock_and_unlock, NULL);
	while (!ready)
		sleep_ms(1);
	sleep_ms(50);
	CHECK_EQ(lock, (uint32_t)gettid() | FUTEX_WAITERS);
	CHECK_EQ(done, 0);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(pthread_join(other, NULL), 0);
	CHECK_EQ(done, 1);
	CHECK_EQ(lock & FUTEX_TID_MASK, 0);
}

TEST(pi, wait_for_a_lock_times_out)
{
	struct timespec ts;
	pid_t pid;
	volatile uint32_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK_OK(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	pid = CHECK_OK(fork());
	if (!pid) {
		CHECK_ERRNO(futex(shared, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
		CHECK_OK(clock_gettime(CLOCK_REALTIME, &ts));
		ts.tv_sec += ts.tv_nsec > 950000000;
		ts.tv_nsec = (ts.tv_nsec + 50000000) % 1000000000;
		CHECK_ERRNO(futex(shared, FUTEX_LOCK_PI, 0, &ts, NULL, 0), ETIMEDOUT);
		ts.tv_nsec = 1000000000;
		CHECK_ERRNO(futex(shared, FUTEX_LOCK_PI, 0, &ts, NULL, 0), EINVAL);
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
	CHECK_OK(futex(shared, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
}

static void *die_with_the_lock(void *arg)
{
	(void)arg;
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	ready = 1;
	sleep_ms(100);
	return NULL;
}

TEST(pi, lock_of_a_dead_thread_is_inherited)
{
	pthread_t other = spawn(die_with_the_lock, NULL);

	while (!ready)
		sleep_ms(1);
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock & FUTEX_TID_MASK, gettid());
	CHECK(lock & FUTEX_OWNER_DIED);
	CHECK_EQ(pthread_join(other, NULL), 0);
}

static void *wait_and_lock(void *arg)
{
	uint32_t seen = cond;

	(void)arg;
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	CHECK_OK(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, seen, NULL, &lock, 0));
	CHECK_EQ(lock & FUTEX_TID_MASK, gettid());
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

TEST(pi, requeue_to_a_lock)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		t[i] = spawn(wait_and_lock, NULL);
	while (ready < 3)
		sleep_ms(1);
	sleep_ms(50);
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_ERRNO(futex(&cond, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(
		futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 7), EAGAIN);
	CHECK_ERRNO(
		futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, (void *)10L, &lock, 0), EINVAL);
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 0), 3);
	sleep_ms(50);
	CHECK_EQ(done, 0);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(done, 3);
}

TEST(pi, requeue_to_a_free_lock_wakes_one)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		t[i] = spawn(wait_and_lock, NULL);
	while (ready < 2)
		sleep_ms(1);
	sleep_ms(50);
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 0), 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(done, 2);
	CHECK_EQ(lock & FUTEX_TID_MASK, 0);
}

static void *requeue_and_die(void *arg)
{
	(void)arg;
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 0), 2);
	sleep_ms(50);
	CHECK_EQ(done, 0);
	return NULL;
}

TEST(pi, requeue_to_the_lock_of_a_thread_that_dies)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		t[i] = spawn(wait_and_lock, NULL);
	while (ready < 2)
		sleep_ms(1);
	sleep_ms(50);
	CHECK_EQ(pthread_join(spawn(requeue_and_die, NULL), NULL), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(done, 2);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(pi, wait_for_requeue_begins_again_after_a_signal)
{
	struct sigaction act = {.sa_handler = nothing};
	pthread_t t;

	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	t = spawn(wait_and_lock, NULL);
	while (!ready)
		sleep_ms(1);
	sleep_ms(50);
	CHECK_EQ(pthread_kill(t, SIGUSR1), 0);
	sleep_ms(50);
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 0), 1);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(done, 1);
}

TEST(pi, wait_for_requeue_errors)
{
	struct timespec ts = {1, 0};

	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &ts, &cond, 0), EINVAL);
	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 1, &ts, &lock, 0), EAGAIN);
	CHECK_ERRNO(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &ts, &lock, 0), ETIMEDOUT);
}
