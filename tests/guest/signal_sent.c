// SPDX-License-Identifier: MIT
/* kill(2), rt_sigqueueinfo(2), F_SETOWN, PR_SET_PDEATHSIG: whom a number names, and what a signal says of its sender. */
#include "guest.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

static const struct timespec at_once;

static sigset_t block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	return set;
}

/* Takes it, which is blocked and pending. */
static siginfo_t take(int sig)
{
	sigset_t set = block(sig);
	siginfo_t si;

	CHECK_EQ(sigtimedwait(&set, &si, &at_once), sig);
	return si;
}

static bool is_pending(int sig)
{
	sigset_t set;

	CHECK_OK(sigpending(&set));
	return sigismember(&set, sig);
}

static void in_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, run, arg), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static long queue(pid_t pid, int sig, siginfo_t *si)
{
	return syscall(SYS_rt_sigqueueinfo, pid, sig, si);
}

static long queue_to_thread(pid_t pid, pid_t tid, int sig, siginfo_t *si)
{
	return syscall(SYS_rt_tgsigqueueinfo, pid, tid, sig, si);
}

/* ---- Threads ---- */

static void *pretend(void *arg)
{
	siginfo_t si = {.si_code = SI_USER};

	CHECK_OK(queue_to_thread(getpid(), gettid(), SIGUSR1, &si));
	CHECK_EQ(take(SIGUSR1).si_code, SI_USER);
	si.si_code = SI_TKILL;
	CHECK_OK(queue_to_thread(getpid(), gettid(), SIGUSR1, &si));
	CHECK_EQ(take(SIGUSR1).si_code, SI_TKILL);
	CHECK_ERRNO(queue_to_thread(getpid(), getpid(), SIGUSR1, &si), EPERM);
	CHECK_ERRNO(queue(getpid(), SIGUSR1, &si), EPERM);
	CHECK_OK(queue(gettid(), SIGUSR1, &si));
	CHECK_EQ(take(SIGUSR1).si_code, SI_TKILL);
	return arg;
}

TEST(signal_sent, only_to_itself_may_a_thread_claim_any_origin)
{
	block(SIGUSR1);
	in_thread(pretend, NULL);
}

static void *be_named(void *arg)
{
	siginfo_t si = {.si_code = SI_QUEUE};
	pid_t tid = gettid();

	(void)arg;
	CHECK_OK(kill(tid, 0));
	CHECK_ERRNO(kill(tid, 99), EINVAL);
	CHECK_ERRNO(kill(-tid, 0), ESRCH);
	CHECK_OK(kill(tid, SIGUSR1));
	CHECK_OK(queue(tid, SIGUSR2, &si));
	IN_CHILD(CHECK_OK(kill(tid, SIGALRM)));
	return NULL;
}

/* It is the process that gets it. */
TEST(signal_sent, kill_knows_a_process_by_any_thread)
{
	block(SIGUSR1);
	block(SIGUSR2);
	block(SIGALRM);
	in_thread(be_named, NULL);
	CHECK_EQ(take(SIGUSR1).si_code, SI_USER);
	CHECK_EQ(take(SIGUSR2).si_code, SI_QUEUE);
	CHECK_EQ(take(SIGALRM).si_code, SI_USER);
}

static void *own_the_pipe(void *arg)
{
	int *fd = arg;

	CHECK_OK(fcntl(fd[0], F_SETOWN, gettid()));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	for (int i = 0; i < 10000 && !is_pending(SIGIO); i++)
		sleep_ms(1);
	return NULL;
}

TEST(signal_sent, the_owner_of_a_file_may_be_any_thread)
{
	int fd[2];

	block(SIGIO);
	CHECK_OK(pipe(fd));
	CHECK_OK(fcntl(fd[0], F_SETFL, O_ASYNC));
	in_thread(own_the_pipe, fd);
	CHECK_EQ(take(SIGIO).si_signo, SIGIO);
}

/* ---- What a siginfo says ---- */

enum { KNOWN_BYTES = 48, A_REALTIME_SIGNAL = 40 };

/* Bytes that no layout has: only with a code whose layout is known are they let through. */
TEST(signal_sent, an_unknown_code_must_say_nothing_beyond)
{
	static const struct {
		int sig, code, error;
	} all[] = {
		{SIGUSR1, SI_USER, 0},
		{SIGUSR1, SI_QUEUE, 0},
		{SIGUSR1, SI_TIMER, 0},
		{SIGUSR1, SI_MESGQ, 0},
		{SIGUSR1, SI_ASYNCIO, 0},
		{SIGUSR1, SI_SIGIO, 0},
		{SIGUSR1, SI_TKILL, 0},
		{SIGUSR1, -7, 0},
		{SIGUSR1, -8, E2BIG},
		{SIGUSR1, -60, 0},
		{SIGUSR1, -61, E2BIG},
		{SIGUSR1, SI_KERNEL, 0},
		{SIGUSR1, SI_KERNEL + 1, E2BIG},
		{SIGUSR1, 1, 0},
		{SIGUSR1, 6, 0},
		{SIGUSR1, 7, E2BIG},
		{SIGCHLD, 6, 0},
		{SIGCHLD, 7, E2BIG},
		{SIGIO, 6, 0},
		{SIGIO, 7, E2BIG},
		{SIGSYS, 2, 0},
		{SIGSYS, 3, E2BIG},
		{SIGBUS, 5, 0},
		{SIGBUS, 6, E2BIG},
		{SIGTRAP, 6, 0},
		{SIGTRAP, 7, E2BIG},
		{SIGILL, 11, 0},
		{SIGILL, 12, E2BIG},
		{SIGFPE, 15, 0},
		{SIGFPE, 16, E2BIG},
		{SIGSEGV, 9, 0},
		{SIGSEGV, 11, E2BIG},
		{A_REALTIME_SIGNAL, 6, 0},
		{A_REALTIME_SIGNAL, 7, E2BIG},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		siginfo_t si = {.si_code = all[i].code};
		long result;

		block(all[i].sig);
		((char *)&si)[KNOWN_BYTES] = 1;
		result = queue(getpid(), all[i].sig, &si) ? errno : 0;
		if (result != all[i].error)
			FAIL("signal %d with code %d: %s", all[i].sig, all[i].code,
				errno_name(result));
		((char *)&si)[KNOWN_BYTES] = 0;
		if (result)
			CHECK_OK(queue(getpid(), all[i].sig, &si));
		CHECK_EQ(take(all[i].sig).si_code, all[i].code);
	}
}

/* What a signalfd tells of a siginfo whose every field has a value. */
static struct signalfd_siginfo told(int sig, int code)
{
	struct signalfd_siginfo out;
	siginfo_t si = {.si_code = code};
	sigset_t set = block(sig);
	int fd = CHECK_OK(signalfd(-1, &set, 0));

	for (int i = 16; i < KNOWN_BYTES; i++)
		((unsigned char *)&si)[i] = (unsigned char)i;
	CHECK_OK(queue(getpid(), sig, &si));
	CHECK_EQ(read(fd, &out, sizeof(out)), sizeof(out));
	close(fd);
	CHECK_EQ(out.ssi_signo, sig);
	CHECK_EQ(out.ssi_code, code);
	return out;
}

TEST(signal_sent, signalfd_knows_the_fields_of_each_code)
{
	static const struct {
		int sig, code;
	} all[] = {
		{SIGUSR1, SI_USER},
		{SIGUSR1, SI_QUEUE},
		{SIGUSR1, SI_TIMER},
		{SIGUSR1, SI_SIGIO},
		{SIGUSR1, SI_TKILL},
		{SIGUSR1, SI_ASYNCNL},
		{SIGUSR1, SI_KERNEL},
		{SIGUSR1, 1},
		{SIGUSR1, 6},
		{SIGUSR1, 7},
		{A_REALTIME_SIGNAL, 1},
		{A_REALTIME_SIGNAL, 6},
		{SIGIO, 1},
		{SIGCHLD, 1},
		{SIGCHLD, 6},
		{SIGSYS, 1},
		{SIGSYS, 2},
		{SIGSYS, 3},
		{SIGSEGV, 1},
		{SIGSEGV, 0},
		{SIGBUS, 2},
		{SIGBUS, 4},
		{SIGBUS, 5},
		{SIGBUS, 6},
		{SIGTRAP, 1},
		{SIGTRAP, 6},
		{SIGILL, 1},
		{SIGFPE, 1},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct signalfd_siginfo s = told(all[i].sig, all[i].code);

		SHOW("%d %d: pid %x uid %x fd %x tid %x band %x overrun %x trapno %x",
			all[i].sig, all[i].code, s.ssi_pid, s.ssi_uid, s.ssi_fd, s.ssi_tid,
			s.ssi_band, s.ssi_overrun, s.ssi_trapno);
		SHOW("%d %d: status %x int %x ptr %llx utime %llx stime %llx addr %llx lsb %x",
			all[i].sig, all[i].code, s.ssi_status, s.ssi_int,
			(unsigned long long)s.ssi_ptr, (unsigned long long)s.ssi_utime,
			(unsigned long long)s.ssi_stime, (unsigned long long)s.ssi_addr,
			s.ssi_addr_lsb);
		SHOW("%d %d: syscall %x call %llx arch %x", all[i].sig, all[i].code,
			s.ssi_syscall, (unsigned long long)s.ssi_call_addr, s.ssi_arch);
	}
}

TEST(signal_sent, signalfd_tells_of_a_chosen_signal_of_a_file)
{
	sigset_t set = block(SIGRTMIN);
	int fd[2], sfd = CHECK_OK(signalfd(-1, &set, 0));
	struct signalfd_siginfo si;

	CHECK_OK(pipe(fd));
	CHECK_OK(fcntl(fd[0], F_SETOWN, getpid()));
	CHECK_OK(fcntl(fd[0], F_SETSIG, SIGRTMIN));
	CHECK_OK(fcntl(fd[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(read(sfd, &si, sizeof(si)), sizeof(si));
	CHECK_EQ(si.ssi_code, 1 /* POLL_IN */);
	CHECK_EQ(si.ssi_fd, fd[0]);
	CHECK_EQ(si.ssi_band, 0x41 /* POLLIN, POLLRDNORM */);
	CHECK_EQ(si.ssi_pid, 0);
}

/* ---- The death of a parent ---- */

enum { MANY_THREADS = 12 };

static pthread_barrier_t all_ready;

static void *want_death_signal(void *arg)
{
	CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGRTMIN + (int)(intptr_t)arg));
	pthread_barrier_wait(&all_ready);
	for (;;)
		pause();
	return NULL;
}

/* Waits for its parent's end with many threads, each with a signal of its own. */
static _Noreturn void be_orphaned(int to_parent, int to_test)
{
	pthread_t thread;
	pid_t parent = getppid();

	for (int i = 0; i < MANY_THREADS; i++)
		block(SIGRTMIN + i);
	CHECK_EQ(pthread_barrier_init(&all_ready, NULL, MANY_THREADS + 1), 0);
	for (intptr_t i = 0; i < MANY_THREADS; i++)
		CHECK_EQ(pthread_create(&thread, NULL, want_death_signal, (void *)i), 0);
	pthread_barrier_wait(&all_ready);
	CHECK_EQ(write(to_parent, "r", 1), 1);
	for (int i = 0; i < MANY_THREADS; i++) {
		sigset_t set = block(SIGRTMIN + i);
		siginfo_t si;

		CHECK_EQ(sigwaitinfo(&set, &si), SIGRTMIN + i);
		CHECK_EQ(si.si_code, SI_USER);
		CHECK_EQ(si.si_pid, parent);
		CHECK_EQ(si.si_uid, 0);
	}
	CHECK_EQ(write(to_test, "k", 1), 1);
	_exit(0);
}

/* What a child says that its parent leaves behind, once it is ready; the parent ends as this user. */
static char hear_orphan(void (*orphan)(int to_parent, int to_test), uid_t uid)
{
	int ready[2], result[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(result));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		if (CHECK_OK(fork()) == 0)
			orphan(ready[1], result[1]);
		CHECK_EQ(read(ready[0], &c, 1), 1);
		CHECK_OK(setresuid(uid, uid, uid));
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
	close(result[1]);
	CHECK_EQ(read(result[0], &c, 1), 1);
	return c;
}

TEST(signal_sent, parent_death_says_who_died_to_each_thread)
{
	CHECK_EQ(hear_orphan(be_orphaned, 0), 'k');
}

static _Noreturn void look_when_orphaned(int to_parent, int to_test)
{
	pid_t parent = getppid();

	block(SIGUSR1);
	CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	CHECK_EQ(write(to_parent, "r", 1), 1);
	while (getppid() == parent)
		sleep_ms(1);
	for (int i = 0; i < 1000 && !is_pending(SIGUSR1); i++)
		sleep_ms(1); /* it comes with the new parent, or a little later */
	CHECK_EQ(write(to_test, is_pending(SIGUSR1) ? "y" : "n", 1), 1);
	_exit(0);
}

/* As kill(2) of the one who dies: not to a process that is not his to signal. */
TEST(signal_sent, parent_death_asks_for_the_right)
{
	CHECK_EQ(hear_orphan(look_when_orphaned, 0), 'y');
	CHECK_EQ(hear_orphan(look_when_orphaned, 1000), 'n');
}

/* ---- Actions ---- */

static void nothing(int sig)
{
	(void)sig;
}

TEST(signal_sent, resethand_takes_the_handler_only)
{
	struct sigaction act = {.sa_handler = nothing,
				 .sa_flags = (int)(SA_RESETHAND | SA_RESTART | SA_NODEFER)},
			 old;

	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, SIGUSR2);
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == SIG_DFL);
	CHECK_EQ(old.sa_flags & act.sa_flags, act.sa_flags);
	CHECK_EQ(sigismember(&old.sa_mask, SIGUSR2), 1);
}
