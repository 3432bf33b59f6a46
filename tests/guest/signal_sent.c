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
	for (int i = 0; i < 1000 && !is_pending(SIGIO); i++)
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
