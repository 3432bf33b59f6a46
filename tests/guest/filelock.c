// SPDX-License-Identifier: MIT
/*
 * Locks on files: POSIX records, open-file-description records, flock; and who gets a file's signals.
 * man 2 fcntl, flock
 */
#include "guest.h"

#include <pthread.h>
#include <sys/file.h>
#include <poll.h>
#include <sched.h>

static int open_locked(const char *name)
{
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT, 0644));

	CHECK_EQ(pwrite(fd, "0123456789", 10, 0), 10);
	return fd;
}

static struct flock range(short type, off_t start, off_t len)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

/* What F_GETLK tells another process about the bytes. */
static void show_conflict(int fd, short type, off_t start, off_t len)
{
	pid_t parent = getpid(), pid = CHECK_OK(fork());

	if (!pid) {
		struct flock l = range(type, start, len);

		CHECK_OK(fcntl(fd, F_GETLK, &l));
		SHOW("%d+%d: type %d whence %d start %d len %d pid %s", (int)start, (int)len,
			l.l_type, l.l_whence, (int)l.l_start, (int)l.l_len,
			l.l_pid == parent ? "parent"
			: l.l_pid == -1   ? "-1"
					  : "other");
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
}

TEST(filelock, records_are_split_and_joined)
{
	int fd = open_locked("f");
	struct flock l;

	l = range(F_WRLCK, 0, 100);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	l = range(F_UNLCK, 40, 20);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	show_conflict(fd, F_RDLCK, 0, 0);
	show_conflict(fd, F_RDLCK, 40, 20);
	show_conflict(fd, F_RDLCK, 45, 100);
	l = range(F_RDLCK, 50, 100);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	show_conflict(fd, F_RDLCK, 50, 10);
	show_conflict(fd, F_WRLCK, 50, 10);
	l = range(F_WRLCK, 40, 10);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	show_conflict(fd, F_WRLCK, 0, 0);
	l = range(F_UNLCK, 0, 0);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	show_conflict(fd, F_WRLCK, 0, 0);
}

TEST(filelock, ranges_by_whence_and_negative_lengths)
{
	int fd = open_locked("f");
	struct flock l;

	CHECK_OK(lseek(fd, 5, SEEK_SET));
	l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 1, .l_len = -2};
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	show_conflict(fd, F_WRLCK, 0, 0);
	l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -1, .l_len = 0};
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	show_conflict(fd, F_WRLCK, 7, 0);
	l = range(F_WRLCK, -1, 5);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EINVAL);
	l = range(F_WRLCK, 1, -2);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EINVAL);
	l = range(F_WRLCK, 5, LONG_MAX);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EOVERFLOW);
	l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = LONG_MAX};
	CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EOVERFLOW);
	l = (struct flock){.l_type = F_WRLCK, .l_whence = 7};
	CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EINVAL);
	l = range(17, 0, 1);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EINVAL);
	l = range(F_UNLCK, 0, 1);
	CHECK_ERRNO(fcntl(fd, F_GETLK, &l), EINVAL);
}

TEST(filelock, the_type_must_fit_how_the_file_was_opened)
{
	struct flock l = range(F_WRLCK, 0, 0);
	int fd = open_locked("f"), in, out;

	in = CHECK_OK(open("f", O_RDONLY));
	out = CHECK_OK(open("f", O_WRONLY));
	CHECK_ERRNO(fcntl(in, F_SETLK, &l), EBADF);
	CHECK_OK(fcntl(out, F_SETLK, &l));
	l = range(F_RDLCK, 0, 0);
	CHECK_ERRNO(fcntl(out, F_SETLK, &l), EBADF);
	CHECK_OK(fcntl(in, F_SETLK, &l));
	CHECK_ERRNO(fcntl(in, F_SETLK, (void *)8), EFAULT);
	CHECK_ERRNO(fcntl(99, F_SETLK, &l), EBADF);
	close(fd);
}

TEST(filelock, another_process_is_refused_or_waits)
{
	int fd = open_locked("f"), status, ready[2];
	struct flock l = range(F_WRLCK, 0, 10);
	pid_t pid;
	char c;

	CHECK_OK(fcntl(fd, F_SETLK, &l));
	CHECK_OK(pipe(ready));
	pid = CHECK_OK(fork());
	if (!pid) {
		l = range(F_RDLCK, 9, 1);
		errno = 0;
		CHECK(fcntl(fd, F_SETLK, &l) == -1 && (errno == EAGAIN || errno == EACCES));
		SHOW("refused with %s", errno_name(errno));
		CHECK_EQ(write(ready[1], "x", 1), 1);
		CHECK_OK(fcntl(fd, F_SETLKW, &l));
		_exit(3);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	wait_until_sleeping(pid);
	usleep(20000);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	l = range(F_UNLCK, 5, 0);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	EXPECT_CHILD(pid, 3);
}

TEST(filelock, closing_any_descriptor_of_the_file_drops_records)
{
	int fd = open_locked("f"), other = CHECK_OK(open("f", O_RDONLY));
	struct flock l = range(F_WRLCK, 0, 0);

	CHECK_OK(fcntl(fd, F_SETLK, &l));
	show_conflict(fd, F_WRLCK, 0, 0);
	CHECK_OK(close(other));
	show_conflict(fd, F_WRLCK, 0, 0);
}

TEST(filelock, a_child_does_not_inherit_records)
{
	int fd = open_locked("f");
	struct flock l = range(F_WRLCK, 0, 0);
	pid_t pid;

	CHECK_OK(fcntl(fd, F_SETLK, &l));
	pid = CHECK_OK(fork());
	if (!pid) {
		l = range(F_RDLCK, 0, 1);
		CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EAGAIN);
		CHECK_OK(close(fd)); /* nor does its close drop them */
		fd = CHECK_OK(open("f", O_RDWR));
		CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EAGAIN);
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
}

/* It ends when it has got byte 0, and so gives byte 5 up. */
static pid_t child_with_5_that_waits_for_0(int fd)
{
	struct flock l;
	int ready[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe(ready));
	pid = CHECK_OK(fork());
	if (!pid) {
		l = range(F_WRLCK, 5, 1);
		CHECK_OK(fcntl(fd, F_SETLK, &l));
		CHECK_EQ(write(ready[1], "x", 1), 1);
		l = range(F_WRLCK, 0, 1);
		CHECK_OK(fcntl(fd, F_SETLKW, &l));
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	wait_until_sleeping(pid);
	return pid;
}

TEST(filelock, waiting_in_a_circle_is_edeadlk)
{
	int fd = open_locked("f");
	struct flock l = range(F_WRLCK, 0, 1);
	pid_t pid;

	CHECK_OK(fcntl(fd, F_SETLK, &l));
	pid = child_with_5_that_waits_for_0(fd);
	l = range(F_WRLCK, 5, 1);
	CHECK_ERRNO(fcntl(fd, F_SETLKW, &l), EDEADLK);
	l = range(F_UNLCK, 0, 1);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	EXPECT_CHILD(pid, 0);
}

/*
 * The child waits for byte 0 and is let go; before it has run again, it waits for nobody, so that its
 * byte 5 can be waited for. One CPU and SCHED_FIFO keep it from running.
 */
TEST(filelock, who_was_let_go_is_in_no_circle)
{
	int fd = open_locked("f");
	struct sched_param high = {.sched_priority = 10};
	struct flock l = range(F_WRLCK, 0, 1);
	cpu_set_t first;
	pid_t pid;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	CHECK_OK(sched_setaffinity(0, sizeof(first), &first));
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	pid = child_with_5_that_waits_for_0(fd);
	CHECK_OK(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &high));
	l = range(F_UNLCK, 0, 1);
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	l = range(F_WRLCK, 5, 1);
	CHECK_OK(fcntl(fd, F_SETLKW, &l));
	EXPECT_CHILD(pid, 0);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(filelock, a_signal_ends_the_wait)
{
	struct sigaction a = {.sa_handler = nothing};
	int fd = open_locked("f");
	struct flock l = range(F_WRLCK, 0, 0);
	pid_t pid;

	CHECK_OK(fcntl(fd, F_SETLK, &l));
	pid = CHECK_OK(fork());
	if (!pid) {
		CHECK_OK(sigaction(SIGALRM, &a, NULL));
		pid = send_when_asleep(SIGALRM);
		CHECK_ERRNO(fcntl(fd, F_SETLKW, &l), EINTR);
		EXPECT_CHILD(pid, 0);
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
}

TEST(filelock, ofd_locks_belong_to_the_open_file)
{
	int fd = open_locked("f"), same = CHECK_OK(dup(fd)),
	    other = CHECK_OK(open("f", O_RDWR));
	struct flock l = range(F_WRLCK, 0, 10);

	CHECK_OK(fcntl(fd, F_OFD_SETLK, &l));
	CHECK_OK(fcntl(same, F_OFD_SETLK, &l));
	CHECK_ERRNO(fcntl(other, F_OFD_SETLK, &l), EAGAIN);
	CHECK_ERRNO(fcntl(other, F_SETLK, &l), EAGAIN);
	CHECK_OK(fcntl(other, F_OFD_GETLK, &l));
	SHOW("type %d start %d len %d pid %d", l.l_type, (int)l.l_start, (int)l.l_len,
		(int)l.l_pid);
	l.l_pid = 1;
	CHECK_ERRNO(fcntl(other, F_OFD_SETLK, &l), EINVAL);
	CHECK_OK(close(fd));
	l = range(F_WRLCK, 0, 10);
	CHECK_ERRNO(fcntl(other, F_OFD_SETLK, &l), EAGAIN);
	CHECK_OK(close(same));
	CHECK_OK(fcntl(other, F_OFD_SETLK, &l));
}

TEST(filelock, flock_rules)
{
	int fd = open_locked("f"), same = CHECK_OK(dup(fd)),
	    other = CHECK_OK(open("f", O_RDONLY));
	struct flock l = range(F_WRLCK, 0, 0);

	CHECK_OK(flock(fd, LOCK_EX));
	CHECK_OK(flock(same, LOCK_EX | LOCK_NB));
	CHECK_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(fcntl(fd, F_SETLK, &l)); /* they do not see each other */
	CHECK_OK(flock(fd, LOCK_SH));
	CHECK_OK(flock(other, LOCK_SH | LOCK_NB));
	CHECK_ERRNO(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK); /* and the shared one is lost */
	CHECK_OK(flock(other, LOCK_EX | LOCK_NB));
	CHECK_OK(flock(other, LOCK_UN));
	CHECK_OK(flock(fd, LOCK_EX | LOCK_NB));
	CHECK_OK(close(fd));
	CHECK_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(close(same));
	CHECK_OK(flock(other, LOCK_SH | LOCK_NB));
	CHECK_ERRNO(flock(other, 0), EINVAL);
	CHECK_ERRNO(flock(other, LOCK_SH | LOCK_EX), EINVAL);
	CHECK_ERRNO(flock(99, LOCK_SH), EBADF);
}

TEST(filelock, flock_passes_to_a_child)
{
	int fd = open_locked("f"), other;
	pid_t pid;

	CHECK_OK(flock(fd, LOCK_EX));
	pid = CHECK_OK(fork());
	if (!pid) {
		CHECK_OK(flock(fd, LOCK_UN)); /* the parent's too: one open file */
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
	other = CHECK_OK(open("f", O_RDWR));
	CHECK_OK(flock(other, LOCK_EX | LOCK_NB));
}

TEST(filelock, owner_and_signal_of_a_file)
{
	struct f_owner_ex o = {.type = F_OWNER_PID, .pid = getpid()};
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_EQ(fcntl(fd[0], F_GETOWN), 0);
	CHECK_OK(fcntl(fd[0], F_SETOWN, getpid()));
	CHECK_EQ(fcntl(fd[0], F_GETOWN), getpid());
	CHECK_OK(fcntl(fd[0], F_GETOWN_EX, &o));
	SHOW("type %d", o.type);
	CHECK_OK(fcntl(fd[0], F_SETOWN, -getpgrp()));
	CHECK_OK(fcntl(fd[0], F_GETOWN_EX, &o));
	SHOW("type %d %s", o.type, o.pid == getpgrp() ? "group" : "?");
	CHECK_ERRNO(fcntl(fd[0], F_SETOWN, 0x3ffffff), ESRCH);
	o.type = 9;
	CHECK_ERRNO(fcntl(fd[0], F_SETOWN_EX, &o), EINVAL);
	CHECK_EQ(fcntl(fd[0], F_GETSIG), 0);
	CHECK_OK(fcntl(fd[0], F_SETSIG, SIGUSR1));
	CHECK_EQ(fcntl(fd[0], F_GETSIG), SIGUSR1);
	CHECK_ERRNO(fcntl(fd[0], F_SETSIG, 65), EINVAL);
	CHECK_ERRNO(fcntl(fd[0], 9999, 0), EINVAL);
}

/* Owned by a thread that is not the first: as a process, and as a thread. */
static void *own_and_ask(void *arg)
{
	struct f_owner_ex o = {.type = F_OWNER_TID, .pid = gettid()};
	int fd = *(int *)arg;

	CHECK_OK(fcntl(fd, F_SETOWN_EX, &o));
	CHECK_EQ(fcntl(fd, F_GETOWN), gettid());
	CHECK_OK(fcntl(fd, F_SETOWN, gettid()));
	CHECK_EQ(fcntl(fd, F_GETOWN), 0);
	CHECK_OK(fcntl(fd, F_GETOWN_EX, &o));
	CHECK_EQ(o.type, F_OWNER_PID);
	CHECK_EQ(o.pid, 0);
	o = (struct f_owner_ex){.type = F_OWNER_TID, .pid = gettid()};
	CHECK_OK(fcntl(fd, F_SETOWN_EX, &o));
	return NULL;
}

TEST(filelock, owner_is_named_while_there_is_one)
{
	struct f_owner_ex o;
	pthread_t thread;
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(fcntl(fd[0], F_GETOWN_EX, &o));
	CHECK_EQ(o.type, F_OWNER_TID);
	CHECK_EQ(o.pid, 0);
	CHECK_OK(fcntl(fd[0], F_SETOWN, getpid()));
	CHECK_OK(fcntl(fd[0], F_SETOWN, 0));
	CHECK_OK(fcntl(fd[0], F_GETOWN_EX, &o));
	CHECK_EQ(o.type, F_OWNER_PID);
	CHECK_EQ(o.pid, 0);
	CHECK_EQ(pthread_create(&thread, NULL, own_and_ask, &fd[0]), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	for (int i = 0; i < 1000 && fcntl(fd[0], F_GETOWN); i++)
		sleep_ms(1); /* joined is not quite gone */
	CHECK_OK(fcntl(fd[0], F_GETOWN_EX, &o));
	CHECK_EQ(o.type, F_OWNER_TID);
	CHECK_EQ(o.pid, 0);
	CHECK_OK(pid = fork());
	if (!pid) {
		CHECK_OK(setpgid(0, 0));
		CHECK_OK(fcntl(fd[0], F_SETOWN, getpid()));
		CHECK_OK(fcntl(fd[1], F_SETOWN, -getpid()));
		_exit(0);
	}
	CHECK_OK(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT));
	CHECK_EQ(fcntl(fd[0], F_GETOWN), pid);
	CHECK_EQ(fcntl(fd[1], F_GETOWN), -pid);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(fcntl(fd[0], F_GETOWN), 0);
	CHECK_EQ(fcntl(fd[1], F_GETOWN), 0);
}

static volatile sig_atomic_t got_signal, got_fd, got_code;

static void on_io(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = sig;
	got_fd = info->si_fd;
	got_code = info->si_code;
}

static void await_signal(int sig)
{
	for (int i = 0; i < 1000 && got_signal != sig; i++)
		usleep(10000);
	CHECK_EQ(got_signal, sig);
}

TEST(filelock, async_sends_a_signal_when_data_come)
{
	struct sigaction a = {.sa_sigaction = on_io, .sa_flags = SA_SIGINFO};
	int fd[2], signal = SIGRTMIN + 1;
	char c;

	CHECK_OK(pipe(fd));
	CHECK_OK(sigaction(SIGIO, &a, NULL));
	CHECK_OK(sigaction(signal, &a, NULL));
	CHECK_OK(fcntl(fd[0], F_SETOWN, getpid()));
	CHECK_OK(fcntl(fd[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	await_signal(SIGIO);
	CHECK_OK(fcntl(fd[0], F_SETSIG, signal));
	CHECK_EQ(read(fd[0], &c, 1), 1);
	CHECK_EQ(write(fd[1], "y", 1), 1);
	await_signal(signal);
	CHECK_EQ(got_fd, fd[0]);
	CHECK_EQ(got_code, POLL_IN);
}

/* F_SETOWN takes any group, F_SETSIG any signal: rights are asked for when it is sent, of each member. */
TEST(filelock, async_asks_for_rights_over_each_member_of_a_group)
{
	int fd[2], ready[2], status;
	pid_t theirs = CHECK_OK(fork()), mine;

	if (!theirs)
		for (;;)
			pause();
	CHECK_OK(setpgid(theirs, theirs));
	CHECK_OK(pipe(ready));
	mine = CHECK_OK(fork());
	if (!mine) {
		setpgid(0, theirs);
		setresuid(1000, 1000, 1000);
		write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &(char){0}, 1), 1);
	IN_CHILD({
		CHECK_OK(pipe(fd));
		CHECK_OK(setresuid(1000, 1000, 1000));
		CHECK_OK(fcntl(fd[0], F_SETOWN, -theirs));
		CHECK_OK(fcntl(fd[0], F_SETSIG, SIGKILL));
		CHECK_OK(fcntl(fd[0], F_SETFL, O_ASYNC));
		for (int i = 0; i < 100; i++) {
			CHECK_EQ(write(fd[1], "x", 1), 1);
			sleep_ms(2);
		}
	});
	EXPECT_KILLED(mine, SIGKILL);
	CHECK_EQ(waitpid(theirs, &status, WNOHANG), 0);
	CHECK_OK(kill(theirs, SIGKILL));
	EXPECT_KILLED(theirs, SIGKILL);
}

/* What has ended and was not waited for has no threads to ask for their rights. */
TEST(filelock, async_owner_may_be_a_zombie)
{
	int fd[2], status;
	siginfo_t info;
	pid_t child;

	CHECK_OK(pipe(fd));
	child = CHECK_OK(fork());
	if (!child)
		_exit(3);
	CHECK_OK(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	CHECK_OK(fcntl(fd[0], F_SETOWN, child));
	CHECK_OK(fcntl(fd[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	sleep_ms(50); /* for the worker that sends */
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(WEXITSTATUS(status), 3);
}
