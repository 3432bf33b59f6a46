// SPDX-License-Identifier: MIT
/*
 * Futexes that are locks: man 2 futex, "Priority-inheritance futexes".
 */
#include "guest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/mman.h>

static volatile uint32_t lock, cond;
static volatile int ready, done;

static long futex(volatile uint32_t *at, int op, uint32_t val, const void *timeout,
	volatile uint32_t *at2, uint32_t val3)
{
	return syscall(SYS_futex, at, op, val, timeout, at2, val3);
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

TEST(pi, a_word_that_is_not_there_or_cannot_be_written)
{
	static const int lockers[] = {FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI,
		FUTEX_LOCK_PI_PRIVATE, FUTEX_LOCK_PI2_PRIVATE, FUTEX_TRYLOCK_PI_PRIVATE};
	uint32_t *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *fixed = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(none != MAP_FAILED && fixed != MAP_FAILED);
	for (size_t i = 0; i < sizeof(lockers) / sizeof(lockers[0]); i++) {
		CHECK_ERRNO(futex(none, lockers[i], 0, NULL, NULL, 0), EFAULT);
		CHECK_ERRNO(futex(fixed, lockers[i], 0, NULL, NULL, 0), EFAULT);
		CHECK_ERRNO(futex((void *)8, lockers[i], 0, NULL, NULL, 0), EFAULT);
	}
	CHECK_ERRNO(futex(none, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(fixed, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
	CHECK_ERRNO(
		futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, none, 0), EFAULT);
	CHECK_ERRNO(
		futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, none, 7), EAGAIN);
	CHECK_ERRNO(
		futex(none, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 0), EFAULT);
}

static void *lock_and_unlock(void *arg)
{
	(void)arg;
	be_next_to_sleep();
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
	wait_for_sleepers(1);
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

/* When somebody waits for it: Linux knows of no other owner that has died. */
static void *die_with_the_lock(void *waiter)
{
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	ready = 1;
	wait_until_asleep(waiter);
	return NULL;
}

TEST(pi, lock_of_a_dead_thread_is_inherited)
{
	volatile pid_t waiter = 0;
	pthread_t other = spawn(die_with_the_lock, (void *)&waiter);

	while (!ready)
		sleep_ms(1);
	announce_sleep(&waiter);
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock & FUTEX_TID_MASK, gettid());
	CHECK(lock & FUTEX_OWNER_DIED);
	CHECK_EQ(pthread_join(other, NULL), 0);
}

static void *wait_and_lock(void *arg)
{
	uint32_t seen = cond;

	(void)arg;
	be_next_to_sleep();
	CHECK_OK(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, seen, NULL, &lock, 0));
	CHECK_EQ(lock & FUTEX_TID_MASK, gettid());
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

/* So many threads that sleep at the condition. */
static void spawn_waiters(pthread_t *t, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		t[i] = spawn(wait_and_lock, NULL);
	wait_for_sleepers(nr);
}

TEST(pi, requeue_to_a_lock)
{
	pthread_t t[3];

	spawn_waiters(t, 3);
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

	spawn_waiters(t, 2);
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 0), 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(done, 2);
	CHECK_EQ(lock & FUTEX_TID_MASK, 0);
}

TEST(pi, requeue_of_none_but_the_first)
{
	pthread_t t[2];

	spawn_waiters(t, 2);
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, NULL, &lock, 0), 1);
	while (!done)
		sleep_ms(1);
	sleep_ms(50);
	CHECK_EQ(done, 1);
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, NULL, &lock, 0), 1);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(done, 2);
}

static void *wait_in_vain(void *arg)
{
	struct timespec until;

	(void)arg;
	CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &until));
	until.tv_sec += 4; /* long enough to be found in it */
	be_next_to_sleep();
	CHECK_ERRNO(
		futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &until, &lock, 0), ETIMEDOUT);
	return NULL;
}

/* The word that is waited for comes first; whose the lock is matters when there is somebody for it. */
TEST(pi, requeue_to_the_lock_of_nobody_there)
{
	pthread_t t;

	lock = 0x3ffffff0;
	CHECK_ERRNO(
		futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 7), EAGAIN);
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 0), 0);
	t = spawn(wait_in_vain, NULL);
	wait_for_sleepers(1);
	CHECK_ERRNO(
		futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 7), EAGAIN);
	CHECK_ERRNO(
		futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock, 0), ESRCH);
	CHECK_EQ(pthread_join(t, NULL), 0);
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

	spawn_waiters(t, 2);
	CHECK_EQ(pthread_join(spawn(requeue_and_die, NULL), NULL), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(done, 2);
}

static volatile sig_atomic_t nr_signals;

static void count_signal(int sig)
{
	(void)sig;
	nr_signals++;
}

TEST(pi, wait_for_requeue_begins_again_after_a_signal)
{
	struct sigaction act = {.sa_handler = count_signal};
	pthread_t t;

	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	spawn_waiters(&t, 1);
	CHECK_EQ(pthread_kill(t, SIGUSR1), 0);
	while (!nr_signals)
		sleep_ms(1);
	wait_for_sleepers(1);
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

/* ---- Inheritance: /proc shows what a thread runs with ---- */

/* Field 18 of /proc/PID/stat: 20 + nice, or -1 - priority. */
static int prio_of(pid_t tid)
{
	char path[60], text[600], *at;
	int prio = 99;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	CHECK(f != NULL);
	CHECK(fgets(text, sizeof(text), f) != NULL);
	fclose(f);
	at = strrchr(text, ')');
	CHECK_EQ(sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %d",
			 &prio),
		1);
	return prio;
}

static void become(int policy, int priority)
{
	struct sched_param p = {.sched_priority = priority};

	CHECK_OK(syscall(SYS_sched_setscheduler, 0, policy, &p));
}

static void await(volatile int *flag)
{
	while (!*flag)
		sleep_ms(1);
}

/* A thread that takes `first`, then waits for `second`, and gives both back. */
struct holder {
	pthread_t thread;
	int policy, priority;
	volatile uint32_t *first, *second;
	long timeout_ms; /* for the second; 0: none */
	volatile int tid, has_first, may_go_on, result;
	volatile pid_t sleeper; /* at the second */
};

static void *hold(void *arg)
{
	struct holder *h = arg;
	struct timespec ts;

	become(h->policy, h->priority);
	h->tid = gettid();
	if (h->first)
		CHECK_OK(futex(h->first, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	h->has_first = 1;
	if (h->second) {
		CHECK_OK(clock_gettime(CLOCK_REALTIME, &ts));
		ts.tv_nsec += h->timeout_ms * 1000000;
		ts.tv_sec += ts.tv_nsec / 1000000000;
		ts.tv_nsec %= 1000000000;
		announce_sleep(&h->sleeper);
		h->result = futex(h->second, FUTEX_LOCK_PI_PRIVATE, 0,
				    h->timeout_ms ? &ts : NULL, NULL, 0)
				    ? errno
				    : 0;
		if (!h->result)
			CHECK_OK(futex(h->second, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	}
	await(&h->may_go_on);
	if (h->first)
		CHECK_OK(futex(h->first, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

static void start_holder(struct holder *h)
{
	h->thread = spawn(hold, h);
	await(&h->has_first);
	if (h->second)
		wait_until_asleep(&h->sleeper);
}

static void end_holder(struct holder *h)
{
	h->may_go_on = 1;
	CHECK_EQ(pthread_join(h->thread, NULL), 0);
}

static volatile uint32_t lock_a, lock_b, lock_c;

TEST(pi, owner_has_the_priority_of_its_best_waiter)
{
	struct holder low = {.first = &lock_a},
		      mid = {.policy = SCHED_FIFO, .priority = 10, .second = &lock_a},
		      high = {.policy = SCHED_RR, .priority = 30, .second = &lock_a};

	start_holder(&low);
	CHECK_EQ(prio_of(low.tid), 20);
	start_holder(&mid);
	CHECK_EQ(prio_of(low.tid), -11);
	start_holder(&high);
	CHECK_EQ(prio_of(low.tid), -31);
	CHECK_EQ(syscall(SYS_sched_getscheduler, low.tid), SCHED_OTHER);
	CHECK_EQ(prio_of(mid.tid), -11);
	low.may_go_on = 1;
	high.may_go_on = 1;
	mid.may_go_on = 1;
	end_holder(&high);
	end_holder(&mid);
	end_holder(&low);
}

TEST(pi, inheritance_ends_with_the_lock)
{
	struct holder high = {
		.policy = SCHED_FIFO, .priority = 30, .second = &lock_a, .may_go_on = 1};

	CHECK_OK(futex(&lock_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	start_holder(&high);
	CHECK_EQ(prio_of(gettid()), -31);
	CHECK_OK(futex(&lock_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(prio_of(gettid()), 20);
	end_holder(&high);
}

TEST(pi, inheritance_ends_with_the_waiter)
{
	struct holder high = {.policy = SCHED_FIFO,
		.priority = 30,
		.second = &lock_a,
		.timeout_ms = 4000, /* long enough to be found in it */
		.may_go_on = 1};

	CHECK_OK(futex(&lock_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	start_holder(&high);
	CHECK_EQ(prio_of(gettid()), -31);
	end_holder(&high);
	CHECK_EQ(high.result, ETIMEDOUT);
	CHECK_EQ(prio_of(gettid()), 20);
}

TEST(pi, inheritance_goes_along_a_chain_of_locks)
{
	struct holder low = {.first = &lock_a}, mid = {.first = &lock_b, .second = &lock_a},
		      other = {.policy = SCHED_FIFO,
			      .priority = 5,
			      .first = &lock_c,
			      .second = &lock_b},
		      high = {.policy = SCHED_FIFO,
			      .priority = 40,
			      .second = &lock_c,
			      .may_go_on = 1};

	start_holder(&low);
	start_holder(&mid);
	start_holder(&other);
	CHECK_EQ(prio_of(low.tid), -6);
	CHECK_EQ(prio_of(mid.tid), -6);
	start_holder(&high);
	CHECK_EQ(prio_of(low.tid), -41);
	CHECK_EQ(prio_of(mid.tid), -41);
	CHECK_EQ(prio_of(other.tid), -41);
	end_holder(&low);
	sleep_ms(50);
	CHECK_EQ(prio_of(mid.tid), -41);
	end_holder(&mid);
	sleep_ms(50);
	CHECK_EQ(prio_of(other.tid), -41);
	end_holder(&other);
	end_holder(&high);
}

TEST(pi, inheritance_follows_a_waiter_that_is_changed)
{
	struct holder low = {.first = &lock_a}, mid = {.first = &lock_b, .second = &lock_a},
		      other = {.second = &lock_b, .may_go_on = 1};
	struct sched_param p = {.sched_priority = 7};

	start_holder(&low);
	start_holder(&mid);
	start_holder(&other);
	CHECK_EQ(prio_of(low.tid), 20);
	CHECK_OK(syscall(SYS_sched_setscheduler, other.tid, SCHED_FIFO, &p));
	CHECK_EQ(prio_of(mid.tid), -8);
	CHECK_EQ(prio_of(low.tid), -8);
	p.sched_priority = 0;
	CHECK_OK(syscall(SYS_sched_setscheduler, other.tid, SCHED_OTHER, &p));
	CHECK_EQ(prio_of(mid.tid), 20);
	CHECK_EQ(prio_of(low.tid), 20);
	low.may_go_on = 1;
	end_holder(&mid);
	end_holder(&low);
	end_holder(&other);
}

TEST(pi, an_owner_that_is_changed_keeps_what_it_inherits)
{
	struct holder low = {.first = &lock_a}, high = {.policy = SCHED_FIFO,
							.priority = 30,
							.second = &lock_a,
							.may_go_on = 1};
	struct sched_param p = {.sched_priority = 20};

	start_holder(&low);
	start_holder(&high);
	CHECK_OK(syscall(SYS_sched_setscheduler, low.tid, SCHED_FIFO, &p));
	CHECK_EQ(prio_of(low.tid), -31);
	p.sched_priority = 50;
	CHECK_OK(syscall(SYS_sched_setscheduler, low.tid, SCHED_FIFO, &p));
	CHECK_EQ(prio_of(low.tid), -51);
	p.sched_priority = 0;
	CHECK_OK(syscall(SYS_sched_setscheduler, low.tid, SCHED_OTHER, &p));
	CHECK_EQ(prio_of(low.tid), -31);
	end_holder(&low);
	CHECK_EQ(pthread_join(high.thread, NULL), 0);
}

TEST(pi, a_cycle_of_locks_is_refused)
{
	struct holder one = {.first = &lock_a, .second = &lock_b},
		      two = {.first = &lock_b, .second = &lock_c};

	CHECK_OK(futex(&lock_c, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	start_holder(&two);
	start_holder(&one);
	CHECK_ERRNO(futex(&lock_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_ERRNO(futex(&lock_b, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_OK(futex(&lock_c, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	two.may_go_on = 1;
	end_holder(&one);
	end_holder(&two);
	CHECK_EQ(one.result, 0);
	CHECK_EQ(two.result, 0);
}

/* Who gets the lock, in turn. */
static volatile int order[4];
static volatile int nr_order;

struct turn {
	pthread_t thread;
	int nice, policy, priority, nr;
	volatile pid_t tid;
};

static void *take_turn(void *arg)
{
	struct turn *t = arg;

	CHECK_OK(setpriority(PRIO_PROCESS, gettid(), t->nice));
	become(t->policy, t->priority);
	announce_sleep(&t->tid);
	CHECK_OK(futex(&lock_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	order[nr_order++] = t->nr;
	CHECK_OK(futex(&lock_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

TEST(pi, waiters_are_served_by_priority_and_not_by_nice)
{
	struct turn turns[] = {{.nice = 10, .nr = 1}, {.nice = -10, .nr = 2},
		{.policy = SCHED_FIFO, .priority = 3, .nr = 3},
		{.policy = SCHED_FIFO, .priority = 9, .nr = 4}};

	CHECK_OK(futex(&lock_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	for (int i = 0; i < 4; i++) {
		turns[i].thread = spawn(take_turn, &turns[i]);
		wait_until_asleep(&turns[i].tid);
	}
	CHECK_OK(futex(&lock_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(turns[i].thread, NULL), 0);
	CHECK_EQ(order[0], 4);
	CHECK_EQ(order[1], 3);
	CHECK_EQ(order[2], 1);
	CHECK_EQ(order[3], 2);
}

static void *wait_to_be_requeued(void *arg)
{
	become(SCHED_FIFO, *(int *)arg);
	be_next_to_sleep();
	CHECK_OK(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &lock_a, 0));
	CHECK_OK(futex(&lock_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

TEST(pi, requeueing_lends_too)
{
	int ten = 10, twenty = 20;
	pthread_t a, b;

	a = spawn(wait_to_be_requeued, &ten);
	b = spawn(wait_to_be_requeued, &twenty);
	wait_for_sleepers(2);
	CHECK_OK(futex(&lock_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10L, &lock_a, 0), 2);
	CHECK_EQ(prio_of(gettid()), -21);
	CHECK_OK(futex(&lock_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(prio_of(gettid()), 20);
	CHECK_EQ(pthread_join(a, NULL), 0);
	CHECK_EQ(pthread_join(b, NULL), 0);
}

/* ---- The inversion that inheritance is for, on one CPU ---- */

static volatile int high_has_it, mid_is_done;

static void *work_while_locked(void *arg)
{
	(void)arg;
	become(SCHED_FIFO, 10);
	CHECK_OK(futex(&lock_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	ready = 1;
	for (int i = 0; i < 3; i++)
		sleep_ms(20);
	CHECK_OK(futex(&lock_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

static void *want_it(void *arg)
{
	(void)arg;
	become(SCHED_FIFO, 30);
	CHECK_OK(futex(&lock_a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	high_has_it = 1;
	CHECK_EQ(mid_is_done, 0);
	CHECK_OK(futex(&lock_a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

/* Keeps the CPU from anybody below it, until the best has the lock or a while has passed. */
static void *keep_busy(void *arg)
{
	struct timespec start, now;

	(void)arg;
	become(SCHED_FIFO, 20);
	CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &start));
	do
		CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &now));
	while (!high_has_it && now.tv_sec - start.tv_sec < 8);
	mid_is_done = 1;
	return NULL;
}

TEST(pi, no_inversion_on_one_cpu)
{
	pthread_t low, mid, high;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK_OK(sched_setaffinity(0, sizeof(one), &one));
	become(SCHED_FIFO, 40);
	low = spawn(work_while_locked, NULL);
	while (!ready)
		sleep_ms(1);
	high = spawn(want_it, NULL);
	sleep_ms(10);
	mid = spawn(keep_busy, NULL);
	CHECK_EQ(pthread_join(high, NULL), 0);
	CHECK_EQ(pthread_join(mid, NULL), 0);
	CHECK_EQ(pthread_join(low, NULL), 0);
	CHECK_EQ(high_has_it, 1);
}
