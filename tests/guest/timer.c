// SPDX-License-Identifier: MIT
/*
 * Clocks, sleeping, and timers that send signals: man 2 clock_gettime, clock_nanosleep, timer_create,
 * setitimer; man 7 signal about what restarts a sleep.
 */
#include "guest.h"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static volatile sig_atomic_t count;
static volatile siginfo_t last;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	count++;
	last = *info;
}

static void on(int sig, int flags)
{
	struct sigaction act = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};

	CHECK_OK(sigaction(sig, &act, NULL));
}

static long long now_ns(clockid_t id)
{
	struct timespec ts;

	CHECK_OK(clock_gettime(id, &ts));
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static struct timespec ns_of(long long ns)
{
	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

enum { MS = 1000000 };

/* ---- Clocks ---- */

TEST(timer, clocks_there_are)
{
	for (int id = 0; id <= 12; id++) {
		struct timespec ts;
		long got = syscall(SYS_clock_gettime, id, &ts);

		SHOW("clock %d: %s", id, got ? errno_name(errno) : "reads");
		got = syscall(SYS_clock_getres, id, &ts);
		SHOW("clock %d: resolution %s %ld", id, got ? errno_name(errno) : "",
			got ? 0 : ts.tv_nsec);
	}
	CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_clock_getres, 77, NULL), EINVAL);
	CHECK_OK(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
}

TEST(timer, clocks_go_on)
{
	static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
		CLOCK_BOOTTIME, CLOCK_TAI};

	for (unsigned i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		long long before = now_ns(ids[i]);

		usleep(2000);
		CHECK(now_ns(ids[i]) >= before + 2 * MS);
	}
}

TEST(timer, cpu_time_stands_still_in_a_sleep)
{
	long long before, thread;
	int tries = 0;

	do { /* a machine that stands still does so on the way to a sleep, too */
		CHECK(tries++ < 10);
		before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		thread = now_ns(CLOCK_THREAD_CPUTIME_ID);
		usleep(100000);
	} while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - before >= 50 * MS ||
		 now_ns(CLOCK_THREAD_CPUTIME_ID) - thread >= 50 * MS);
	while (now_ns(CLOCK_THREAD_CPUTIME_ID) - thread < 10 * MS) {
	}
}

TEST(timer, cpu_clock_of_a_process)
{
	clockid_t id;
	pid_t pid;

	CHECK_EQ(clock_getcpuclockid(getpid(), &id), 0);
	while (now_ns(id) <= 0) { /* Linux counts it by ticks */
	}
	pid = CHECK_OK(fork());
	if (!pid) {
		pause();
		_exit(0);
	}
	CHECK_EQ(clock_getcpuclockid(pid, &id), 0);
	CHECK(now_ns(id) >= 0);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_OK(waitpid(pid, NULL, 0));
	CHECK_ERRNO(syscall(SYS_clock_gettime, (~pid << 3) | 2, &(struct timespec){0}), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_gettime, (~0u << 3) | 3, &(struct timespec){0}), EINVAL);
}

TEST(timer, settime_errors)
{
	struct timespec ts = {0, 1000000000};

	CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &ts), EINVAL);
	CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &(struct timespec){1, 0}), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, 8), EFAULT);
	CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &(struct timespec){-1, 0}), EINVAL);
	CHECK_OK(setuid(1000));
	CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &(struct timespec){1700000000, 0}), EPERM);
}

TEST(timer, setting_the_clock_moves_it)
{
	long long before = now_ns(CLOCK_REALTIME), mono = now_ns(CLOCK_MONOTONIC);
	struct timespec later = ns_of(before + 3600LL * 1000000000);

	CHECK_OK(clock_settime(CLOCK_REALTIME, &later));
	CHECK(now_ns(CLOCK_REALTIME) >= before + 3600LL * 1000000000);
	CHECK(now_ns(CLOCK_MONOTONIC) - mono < 600LL * 1000 * MS);
	later = ns_of(before + now_ns(CLOCK_MONOTONIC) - mono);
	CHECK_OK(clock_settime(CLOCK_REALTIME, &later));
}

/* ---- Sleeping ---- */

TEST(timer, nanosleep_errors)
{
	struct timespec bad = {0, 1000000000}, negative = {-1, 0};

	CHECK_ERRNO(syscall(SYS_nanosleep, &bad, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_nanosleep, &negative, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_nanosleep, 8, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, 99, 0, &bad, NULL), EINVAL);
	CHECK_ERRNO(
		syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &bad, NULL), EOPNOTSUPP);
	CHECK_ERRNO(
		syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_COARSE, 0, 8, NULL), EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &bad, NULL),
		EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, 8, NULL), EFAULT);
}

TEST(timer, sleep_until)
{
	static const clockid_t ids[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};

	for (unsigned i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		long long at = now_ns(ids[i]) + 5 * MS;
		struct timespec ts = ns_of(at);

		CHECK_OK(syscall(SYS_clock_nanosleep, ids[i], TIMER_ABSTIME, &ts, NULL));
		CHECK(now_ns(ids[i]) >= at);
		ts = ns_of(1);
		CHECK_OK(syscall(SYS_clock_nanosleep, ids[i], TIMER_ABSTIME, &ts, NULL));
	}
}

TEST(timer, sleep_on_cpu_time_of_a_child)
{
	pid_t pid = CHECK_OK(fork());
	struct timespec ts = {0, 20 * MS};

	if (!pid) {
		for (;;) {
		}
	}
	CHECK_OK(syscall(SYS_clock_nanosleep, (~pid << 3) | 2, 0, &ts, NULL));
	CHECK(now_ns((clockid_t)((~pid << 3) | 2)) >= 20 * MS);
	CHECK_OK(kill(pid, SIGKILL));
}

TEST(timer, handler_ends_a_sleep_even_with_sa_restart)
{
	struct timespec ts = {100, 0}, left = {0};
	pid_t pid;

	on(SIGALRM, SA_RESTART);
	pid = send_when_asleep(SIGALRM);
	CHECK_ERRNO(syscall(SYS_nanosleep, &ts, &left), EINTR);
	CHECK(left.tv_sec > 50 && left.tv_sec < 100);
	CHECK_EQ(count, 1);
	EXPECT_CHILD(pid, 0);
	left.tv_sec = -1;
	ts = ns_of(now_ns(CLOCK_MONOTONIC) + 100000LL * MS);
	pid = send_when_asleep(SIGALRM);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, &left),
		EINTR);
	CHECK_EQ(left.tv_sec, -1);
	EXPECT_CHILD(pid, 0);
}

TEST(timer, stop_does_not_shorten_a_sleep)
{
	enum { LONG_MS = 2500 }; /* to be found in it */
	long long start = now_ns(CLOCK_MONOTONIC);
	pid_t pid = CHECK_OK(fork());
	int status;

	if (!pid) {
		struct timespec ts = ns_of((long long)LONG_MS * MS);

		_exit(syscall(SYS_nanosleep, &ts, NULL) ? 1 : 0);
	}
	wait_until_sleeping(pid);
	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= (long long)LONG_MS * MS);
}

/* ---- timer_create ---- */

static int make_timer(clockid_t clock, int notify, int sig, int value)
{
	struct sigevent e = {.sigev_notify = notify, .sigev_signo = sig};
	int id;

	e.sigev_value.sival_int = value;
	CHECK_OK(syscall(SYS_timer_create, clock, &e, &id));
	return id;
}

static void set_timer(int id, int flags, long long first, long long interval)
{
	struct itimerspec its = {.it_value = ns_of(first), .it_interval = ns_of(interval)};

	CHECK_OK(syscall(SYS_timer_settime, id, flags, &its, NULL));
}

TEST(timer, expires_with_its_value)
{
	struct itimerspec left;
	int id;

	on(SIGUSR1, 0);
	id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 77);
	CHECK_OK(syscall(SYS_timer_gettime, id, &left));
	CHECK_EQ(left.it_value.tv_sec | left.it_value.tv_nsec, 0);
	set_timer(id, 0, 5 * MS, 0);
	while (!count)
		usleep(1000);
	CHECK_EQ(last.si_code, SI_TIMER);
	CHECK_EQ(last.si_value.sival_int, 77);
	CHECK_EQ(last.si_timerid, id);
	CHECK_EQ(syscall(SYS_timer_getoverrun, id), 0);
	CHECK_OK(syscall(SYS_timer_gettime, id, &left));
	CHECK_EQ(left.it_value.tv_sec | left.it_value.tv_nsec, 0);
	CHECK_OK(syscall(SYS_timer_delete, id));
	CHECK_ERRNO(syscall(SYS_timer_delete, id), EINVAL);
}

TEST(timer, default_event_is_sigalrm_with_the_id)
{
	int id;

	on(SIGALRM, 0);
	CHECK_OK(syscall(SYS_timer_create, CLOCK_REALTIME, NULL, &id));
	set_timer(id, TIMER_ABSTIME, now_ns(CLOCK_REALTIME) + 5 * MS, 0);
	while (!count)
		usleep(1000);
	CHECK_EQ(last.si_value.sival_int, id);
}

TEST(timer, overrun_of_a_blocked_signal)
{
	sigset_t set;
	siginfo_t info;
	int id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
	long long start;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	set_timer(id, 0, 2 * MS, 2 * MS);
	usleep(50000);
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	CHECK(info.si_overrun >= 20);
	CHECK_EQ(syscall(SYS_timer_getoverrun, id), info.si_overrun);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	/* it counts anew: no more than there was time for since the first */
	CHECK(info.si_overrun <= (now_ns(CLOCK_MONOTONIC) - start) / (2 * MS));
}

static void wait_until_pending(int sig)
{
	sigset_t set;

	do {
		usleep(1000);
		CHECK_OK(sigpending(&set));
	} while (!sigismember(&set, sig));
}

TEST(timer, deleted_while_its_signal_is_pending)
{
	sigset_t set;
	siginfo_t info;
	int id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 9);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	set_timer(id, 0, 1, 0);
	wait_until_pending(SIGUSR1);
	CHECK_OK(syscall(SYS_timer_delete, id));
	CHECK_EQ(sigtimedwait(&set, &info, &(struct timespec){0, 0}), SIGUSR1);
	CHECK_EQ(info.si_value.sival_int, 9);
}

TEST(timer, set_again_while_its_signal_is_pending)
{
	sigset_t set;
	siginfo_t info;
	int id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 3);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	set_timer(id, 0, 1, 0);
	wait_until_pending(SIGUSR1);
	set_timer(id, 0, 2500LL * MS, 0);
	CHECK_EQ(sigtimedwait(&set, &info, &(struct timespec){0, 0}), SIGUSR1);
	CHECK_EQ(sigtimedwait(&set, &info, &(struct timespec){0, 0}), -1);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	CHECK_EQ(info.si_value.sival_int, 3);
}

TEST(timer, set_again_after_its_signal_was_discarded)
{
	int id = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 4);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	set_timer(id, 0, 1, 0);
	wait_until_pending(SIGUSR1);
	signal(SIGUSR1, SIG_IGN); /* takes it off the queue */
	on(SIGUSR1, 0);
	CHECK_OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	CHECK_EQ(count, 0);
	set_timer(id, 0, MS, 0);
	while (!count)
		usleep(1000);
}

TEST(timer, notifies_nobody)
{
	struct itimerspec left;
	int id = make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);

	set_timer(id, 0, 100000LL * MS, 0);
	CHECK_OK(syscall(SYS_timer_gettime, id, &left));
	CHECK(left.it_value.tv_sec > 50);
	set_timer(id, 0, 20 * MS, 0);
	usleep(30000);
	CHECK_OK(syscall(SYS_timer_gettime, id, &left));
	CHECK_EQ(left.it_value.tv_sec | left.it_value.tv_nsec, 0);
}

TEST(timer, thread_as_target)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
	int id;

	on(SIGUSR2, 0);
	e.sigev_notify_thread_id = gettid();
	CHECK_OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id));
	set_timer(id, 0, MS, 0);
	while (!count)
		usleep(1000);
	e.sigev_notify_thread_id = getppid();
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
}

TEST(timer, create_errors)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
	int id;

	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
	e.sigev_signo = SIGUSR1;
	e.sigev_notify = 77;
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, 77, NULL, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, NULL, &id), EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8), EFAULT);
	CHECK_ERRNO(
		syscall(SYS_timer_settime, 12345, 0, &(struct itimerspec){0}, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_gettime, 12345, &(struct itimerspec){0}), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_getoverrun, -1), EINVAL);
}

/* ---- Timers that are made while another thread guesses their ids ---- */

static volatile int next_id, is_over;

static void is_there_or_not(long n)
{
	CHECK(n == 0 || (n < 0 && errno == EINVAL));
}

/* Sets and deletes timers that are about to be. */
static void *guess(void *may_exist)
{
	const struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};

	while (!is_over) {
		for (int id = next_id, end = id + 3; id < end; id++) {
			long n = syscall(SYS_timer_settime, id, 0, &at_once, NULL);

			is_there_or_not(n);
			CHECK(may_exist || n < 0);
			n = syscall(SYS_timer_delete, id);
			is_there_or_not(n);
			CHECK(may_exist || n < 0);
		}
	}
	return NULL;
}

enum { GUESSED_FOR_MS = 2500 };

TEST(timer, its_id_is_guessed_while_it_is_made)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	int64_t end = now_ms() + GUESSED_FOR_MS;
	pthread_t other;

	on(SIGUSR1, 0);
	CHECK_EQ(pthread_create(&other, NULL, guess, &end), 0);
	while (now_ms() < end) {
		int id;

		CHECK_OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id));
		next_id = id + 1;
		is_there_or_not(syscall(SYS_timer_delete, id));
	}
	is_over = 1;
	CHECK_EQ(pthread_join(other, NULL), 0);
}

/* It is refused for want of room for its signal: at no time is it there. */
TEST(timer, its_id_is_guessed_while_it_is_refused)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct rlimit none = {0, 0};
	int64_t end = now_ms() + GUESSED_FOR_MS;
	pthread_t other;

	on(SIGUSR1, 0);
	CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &none));
	CHECK_EQ(pthread_create(&other, NULL, guess, NULL), 0);
	for (int id; now_ms() < end; next_id = (next_id + 1) % 1000)
		CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EAGAIN);
	is_over = 1;
	CHECK_EQ(pthread_join(other, NULL), 0);
}

TEST(timer, cpu_time_timer)
{
	int id;

	on(SIGUSR1, 0);
	id = make_timer(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 5);
	set_timer(id, 0, 20 * MS, 0);
	while (!count) {
	}
	CHECK_EQ(last.si_value.sival_int, 5);
	CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) >= 20 * MS);
}

TEST(timer, not_inherited_by_a_child)
{
	int id = make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	struct itimerval timer = {{0, 0}, {100, 0}}, left;
	pid_t pid;

	CHECK_OK(setitimer(ITIMER_REAL, &timer, NULL));
	pid = CHECK_OK(fork());
	if (!pid) {
		CHECK_ERRNO(syscall(SYS_timer_getoverrun, id), EINVAL);
		CHECK_OK(getitimer(ITIMER_REAL, &left));
		CHECK_EQ(left.it_value.tv_sec, 0);
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
}

TEST(timer, alarm_tells_what_was_left)
{
	unsigned ten, twenty;
	int64_t start;

	do { /* it is rounded, half a second up */
		start = now_ms();
		CHECK_EQ(alarm(10), 0);
		ten = alarm(20);
		twenty = alarm(0);
	} while (now_ms() - start > 400);
	CHECK_EQ(ten, 10);
	CHECK_EQ(twenty, 20);
	CHECK_EQ(alarm(0), 0);
}

TEST(timer, profiling_timer_counts_both)
{
	struct itimerval timer = {{0, 0}, {0, 20000}};

	on(SIGPROF, 0);
	CHECK_OK(setitimer(ITIMER_PROF, &timer, NULL));
	while (!count)
		getppid();
}

/* ---- timerfd and the clock ---- */

TEST(timer, timerfd_is_canceled_by_setting_the_clock)
{
	int fd = CHECK_OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	long long now = now_ns(CLOCK_REALTIME);
	struct itimerspec its = {.it_value = ns_of(now + 100000LL * MS)};
	struct timespec ts;
	uint64_t ticks;

	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
	CHECK_ERRNO(read(fd, &ticks, 8), EAGAIN);
	ts = ns_of(now_ns(CLOCK_REALTIME));
	CHECK_OK(clock_settime(CLOCK_REALTIME, &ts));
	CHECK_ERRNO(read(fd, &ticks, 8), ECANCELED);
	CHECK_ERRNO(read(fd, &ticks, 8), EAGAIN);
}

static void set_clock_again(void)
{
	struct timespec ts = ns_of(now_ns(CLOCK_REALTIME));

	CHECK_OK(clock_settime(CLOCK_REALTIME, &ts));
}

/* man 2 timerfd_create, NOTES: it is told if no read told it, and the timer is set nevertheless. */
TEST(timer, timerfd_settime_tells_that_the_clock_was_set)
{
	const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	int fd = CHECK_OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	struct itimerspec its = {.it_value = ns_of(now_ns(CLOCK_REALTIME) + 100000LL * MS)};
	struct itimerspec old = {.it_interval = {77, 0}}, left, none = {{0}, {0}};
	uint64_t ticks;

	set_clock_again();
	CHECK_OK(timerfd_settime(fd, flags, &its, NULL));
	set_clock_again();
	CHECK_ERRNO(timerfd_settime(fd, flags, &its, &old), ECANCELED);
	CHECK_EQ(old.it_interval.tv_sec, 77);
	CHECK_OK(timerfd_gettime(fd, &left));
	CHECK(left.it_value.tv_sec > 50);
	CHECK_ERRNO(read(fd, &ticks, 8), EAGAIN);
	CHECK_OK(timerfd_settime(fd, flags, &its, &old));
	CHECK_EQ(old.it_interval.tv_sec, 0);
	set_clock_again();
	CHECK_ERRNO(read(fd, &ticks, 8), ECANCELED);
	CHECK_OK(timerfd_settime(fd, flags, &its, NULL));
	set_clock_again();
	/* one that is not set leaves it to a read */
	CHECK_OK(timerfd_settime(fd, flags, &none, NULL));
	CHECK_ERRNO(read(fd, &ticks, 8), ECANCELED);
}

/* Of one that is not set any more poll says nothing, a read that does not wait does. */
TEST(timer, timerfd_that_was_disarmed_is_not_ready)
{
	const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	int fd = CHECK_OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	struct itimerspec its = {.it_value = ns_of(now_ns(CLOCK_REALTIME) + 100000LL * MS)};
	struct itimerspec none = {{0}, {0}};
	struct pollfd p = {fd, POLLIN, 0};
	uint64_t ticks;

	CHECK_OK(timerfd_settime(fd, flags, &its, NULL));
	CHECK_EQ(poll(&p, 1, 0), 0);
	set_clock_again();
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_OK(timerfd_settime(fd, flags, &none, NULL));
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_ERRNO(read(fd, &ticks, 8), ECANCELED);
	CHECK_ERRNO(read(fd, &ticks, 8), EAGAIN);
	/* the next time is told of, as nobody set it since */
	set_clock_again();
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_ERRNO(read(fd, &ticks, 8), ECANCELED);
	CHECK_OK(timerfd_settime(fd, flags, &its, NULL));
	set_clock_again();
	CHECK_OK(timerfd_settime(fd, flags, &none, NULL));
	set_clock_again();
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_ERRNO(read(fd, &ticks, 8), ECANCELED);
	CHECK_EQ(poll(&p, 1, 0), 0);
}

TEST(timer, timerfd_settime_without_cancel_does_not_tell)
{
	int fd = CHECK_OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	struct itimerspec its = {.it_value = ns_of(now_ns(CLOCK_REALTIME) + 100000LL * MS)};

	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
	set_clock_again();
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
}

TEST(timer, timerfd_follows_the_clock)
{
	int fd = CHECK_OK(timerfd_create(CLOCK_REALTIME, 0));
	long long now = now_ns(CLOCK_REALTIME), mono = now_ns(CLOCK_MONOTONIC);
	struct itimerspec its = {.it_value = ns_of(now + 100000LL * MS)};
	struct timespec ts = ns_of(now + 200000LL * MS);
	uint64_t ticks;

	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	CHECK_OK(clock_settime(CLOCK_REALTIME, &ts));
	CHECK_EQ(read(fd, &ticks, 8), 8);
	CHECK_EQ(ticks, 1);
	ts = ns_of(now + now_ns(CLOCK_MONOTONIC) - mono);
	CHECK_OK(clock_settime(CLOCK_REALTIME, &ts));
}

TEST(timer, adjtimex_reads)
{
	char buf[512] = {0}; /* struct timex begins with modes: 0 */

	CHECK(syscall(SYS_adjtimex, buf) >= 0);
	CHECK_ERRNO(syscall(SYS_adjtimex, 8), EFAULT);
	CHECK_OK(setuid(1000));
	*(unsigned *)buf = 0x0002; /* ADJ_FREQUENCY */
	CHECK_ERRNO(syscall(SYS_adjtimex, buf), EPERM);
}
