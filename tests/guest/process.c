// SPDX-License-Identifier: MIT
/* fork(2), vfork(2), clone(2), clone3(2), _exit(2), wait4(2), waitid(2), pidfd_open(2), prctl(2). Exec: exec.c. */
#include "guest.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pid_t child_exiting(int status)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(status);
	return pid;
}

static pid_t child_waiting(void)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static long clone3(struct clone_args *args, size_t size)
{
	return syscall(SYS_clone3, args, size);
}

TEST(process, fork_copies_memory)
{
	static int value = 1;
	int local = 2;

	IN_CHILD(CHECK_EQ(value, 1); CHECK_EQ(local, 2); value = local = 3);
	CHECK_EQ(value, 1);
	CHECK_EQ(local, 2);
}

TEST(process, fork_returns_the_pid)
{
	pid_t me = getpid(), pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_EQ(getppid(), me);
		CHECK(getpid() != me);
		CHECK_EQ(getpid(), syscall(SYS_gettid));
		_exit(0);
	}
	CHECK(pid > 0);
	EXPECT_CHILD(pid, 0);
}

TEST(process, exit_status_has_eight_bits)
{
	EXPECT_CHILD(child_exiting(0x1234), 0x34);
	EXPECT_CHILD(child_exiting(-1), 255);
}

TEST(process, wait_without_children_is_echild)
{
	CHECK_ERRNO(wait(NULL), ECHILD);
	CHECK_ERRNO(waitpid(1, NULL, 0), ECHILD);
	CHECK_ERRNO(waitpid(-12345, NULL, WNOHANG), ECHILD);
	CHECK_ERRNO(waitpid(-1, NULL, 0x100), EINVAL);
	CHECK_ERRNO(waitpid(INT_MIN, NULL, 0), ESRCH);
}

TEST(process, wnohang)
{
	pid_t pid = child_waiting();
	int status = 77;

	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(status, 77);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_ERRNO(waitpid(pid, &status, WNOHANG), ECHILD);
}

TEST(process, wait_of_a_certain_child)
{
	pid_t a = child_exiting(1), b = child_exiting(2);
	int status;

	CHECK_EQ(waitpid(b, &status, 0), b);
	CHECK_EQ(WEXITSTATUS(status), 2);
	CHECK_EQ(wait(&status), a);
	CHECK_EQ(WEXITSTATUS(status), 1);
}

TEST(process, wait_by_group)
{
	pid_t a = child_waiting(), b = child_exiting(5);
	int status;

	CHECK_OK(setpgid(a, a));
	CHECK_EQ(waitpid(0, &status, 0), b);
	CHECK_ERRNO(waitpid(0, &status, WNOHANG), ECHILD);
	kill(a, SIGKILL);
	CHECK_EQ(waitpid(-a, &status, 0), a);
}

TEST(process, stopped_and_continued)
{
	pid_t pid = child_waiting();
	int status;

	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0); /* reported once */
	kill(pid, SIGCONT);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	kill(pid, SIGSTOP);
	kill(pid, SIGKILL); /* a stopped process can be killed */
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
}

TEST(process, waitid_fields)
{
	siginfo_t si;
	pid_t pid = child_exiting(9);

	CHECK_OK(waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
	CHECK_EQ(si.si_signo, SIGCHLD);
	CHECK_EQ(si.si_code, CLD_EXITED);
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_status, 9);
	CHECK_EQ(si.si_uid, 0);
	CHECK_OK(waitid(P_ALL, 0, &si, WEXITED)); /* it was left */
	CHECK_ERRNO(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &si, 0), EINVAL);
	CHECK_ERRNO(waitid(9, 0, &si, WEXITED), EINVAL);
	pid = child_waiting();
	memset(&si, 1, sizeof(si));
	CHECK_OK(waitid(P_PID, pid, &si, WEXITED | WNOHANG));
	CHECK_EQ(si.si_pid, 0);
	CHECK_EQ(si.si_signo, 0);
	kill(pid, SIGTERM);
	CHECK_OK(waitid(P_PID, pid, &si, WEXITED));
	CHECK_EQ(si.si_code, CLD_KILLED);
	CHECK_EQ(si.si_status, SIGTERM);
}

TEST(process, waitid_stop_and_continue)
{
	siginfo_t si;
	pid_t pid = child_waiting();

	kill(pid, SIGSTOP);
	CHECK_OK(waitid(P_PID, pid, &si, WSTOPPED));
	CHECK_EQ(si.si_code, CLD_STOPPED);
	CHECK_EQ(si.si_status, SIGSTOP);
	kill(pid, SIGCONT);
	CHECK_OK(waitid(P_PID, pid, &si, WCONTINUED));
	CHECK_EQ(si.si_code, CLD_CONTINUED);
	CHECK_EQ(si.si_status, SIGCONT);
	kill(pid, SIGKILL);
	EXPECT_KILLED(pid, SIGKILL);
}

TEST(process, wait4_gives_usage)
{
	struct rusage ru;
	pid_t pid = CHECK_OK(fork());
	int status;

	if (pid == 0) {
		for (volatile long i = 0; i < 30000000; i++) {
		}
		_exit(0);
	}
	CHECK_EQ(wait4(pid, &status, 0, &ru), pid);
	CHECK(ru.ru_utime.tv_sec > 0 || ru.ru_utime.tv_usec > 0);
	CHECK(ru.ru_maxrss > 0);
	CHECK_OK(getrusage(RUSAGE_CHILDREN, &ru));
	CHECK(ru.ru_utime.tv_sec > 0 || ru.ru_utime.tv_usec > 0);
	CHECK_ERRNO(getrusage(5, &ru), EINVAL);
}

static long own_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long ms_of(struct timeval t)
{
	return t.tv_sec * 1000 + t.tv_usec / 1000;
}

static void read_zeros(void)
{
	static char buf[1 << 20];
	static int zero = -1;

	if (zero < 0)
		zero = CHECK_OK(open("/dev/zero", O_RDONLY));
	CHECK_EQ(read(zero, buf, sizeof(buf)), sizeof(buf));
}

static void compute(void)
{
	for (volatile int i = 0; i < 1000000; i++)
		;
}

enum { HALF_A_SECOND = 500 };

struct split {
	long program, kernel; /* ms */
};

/* What half a second of this work adds to them. */
static struct split time_of(void (*work)(void))
{
	long end = own_ms(CLOCK_PROCESS_CPUTIME_ID) + HALF_A_SECOND;
	struct rusage before, after;

	CHECK_OK(getrusage(RUSAGE_SELF, &before));
	while (own_ms(CLOCK_PROCESS_CPUTIME_ID) < end)
		work();
	CHECK_OK(getrusage(RUSAGE_SELF, &after));
	return (struct split){ms_of(after.ru_utime) - ms_of(before.ru_utime),
		ms_of(after.ru_stime) - ms_of(before.ru_stime)};
}

/* The time for which a machine stood still may go to the wrong one: then it is tried again. */
TEST(process, time_is_split_as_it_was_spent)
{
	int tries = 0;

	while (time_of(read_zeros).kernel <= HALF_A_SECOND / 2)
		CHECK(tries++ < 5);
	while (time_of(compute).program <= HALF_A_SECOND / 2)
		CHECK(tries++ < 5);
}

static volatile sig_atomic_t nr_sigchld;
static siginfo_t chld;

static void on_chld(int sig, siginfo_t *si, void *uc)
{
	nr_sigchld++;
	chld = *si;
}

TEST(process, sigchld_comes_with_its_facts)
{
	struct sigaction act = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO};
	pid_t pid;

	CHECK_OK(sigaction(SIGCHLD, &act, NULL));
	pid = child_exiting(6);
	while (!nr_sigchld)
		sleep_ms(1);
	CHECK_EQ(chld.si_code, CLD_EXITED);
	CHECK_EQ(chld.si_pid, pid);
	CHECK_EQ(chld.si_status, 6);
	EXPECT_CHILD(pid, 6);
}

TEST(process, nocldstop)
{
	struct sigaction act = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_NOCLDSTOP};
	pid_t pid;
	int status;

	CHECK_OK(sigaction(SIGCHLD, &act, NULL));
	pid = child_waiting();
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(nr_sigchld, 0);
	kill(pid, SIGKILL);
	while (!nr_sigchld)
		sleep_ms(1);
	EXPECT_KILLED(pid, SIGKILL);
}

TEST(process, ignored_sigchld_leaves_no_zombies)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = child_exiting(1);
	CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
	while (kill(pid, 0) == 0) /* Linux lets the wait end a moment before the name is gone */
		sleep_ms(1);
	CHECK_EQ(errno, ESRCH);
}

TEST(process, nocldwait)
{
	struct sigaction act = {
		.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_NOCLDWAIT | SA_RESTART};
	pid_t pid;

	CHECK_OK(sigaction(SIGCHLD, &act, NULL));
	pid = child_exiting(1);
	CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
	CHECK_EQ(nr_sigchld, 1);
}

TEST(process, orphans_go_to_init_or_the_subreaper)
{
	int fd[2], status;
	pid_t pid, orphan, parent;

	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	CHECK_OK(pipe(fd));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		parent = getpid();
		if (fork() == 0) {
			while (getppid() == parent)
				sleep_ms(5);
			parent = getppid();
			CHECK_EQ(write(fd[1], &parent, sizeof(parent)), sizeof(parent));
			_exit(3);
		}
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(read(fd[0], &parent, sizeof(parent)), sizeof(parent));
	CHECK_EQ(parent, getpid());
	orphan = wait(&status);
	CHECK(orphan > 0);
	CHECK_EQ(WEXITSTATUS(status), 3);
}

/* Each forks the next and is gone; one that is missed would go on for ever. */
TEST(process, kill_of_a_group_catches_who_is_being_forked)
{
	enum { ROUNDS = 100 };

	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = CHECK_OK(fork());

		if (pid == 0) {
			CHECK_OK(setpgid(0, 0));
			while (fork() == 0) {
			}
			_exit(0);
		}
		(void)!setpgid(pid, pid);
		usleep(i % 10 * 100);
		CHECK_OK(kill(-pid, SIGKILL));
		while (wait(NULL) > 0) {
		}
		CHECK_EQ(errno, ECHILD);
	}
}

TEST(process, parent_death_signal)
{
	int fd[2];
	char c = 0;
	pid_t pid;

	CHECK_OK(pipe(fd));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		if (fork() == 0) {
			CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
			CHECK_EQ(write(fd[1], "r", 1), 1);
			pause();
		}
		CHECK_EQ(read(fd[0], &c, 1), 1);
		_exit(0);
	}
	close(fd[1]);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(read(fd[0], &c, 1), 0); /* the last writer is gone */
}

TEST(process, vfork_shares_memory_until_exit)
{
	static volatile int value;
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		value = 5;
		_exit(4);
	}
	CHECK(pid > 0);
	CHECK_EQ(value, 5);
	EXPECT_CHILD(pid, 4);
}

TEST(process, clone3_arguments)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	char big[256] = {0};
	pid_t pid;

	CHECK_ERRNO(clone3(&args, 63), EINVAL);
	CHECK_ERRNO(clone3(&args, 8192), E2BIG);
	big[200] = 1;
	CHECK_ERRNO(clone3((void *)big, sizeof(big)), E2BIG);
	args.flags = CLONE_THREAD;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.flags = CLONE_SIGHAND;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.flags = 0xff; /* the exit signal does not belong here */
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.flags = 0;
	args.stack = 4096;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.stack = 0;
	args.exit_signal = 65;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.exit_signal = SIGCHLD;
	args.flags = CLONE_PIDFD | CLONE_PARENT_SETTID; /* both to one place */
	args.pidfd = args.parent_tid = (uintptr_t)big;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.flags = 0;
	pid = CHECK_OK(clone3(&args, sizeof(args)));
	if (pid == 0)
		_exit(8);
	EXPECT_CHILD(pid, 8);
}

TEST(process, clone3_gives_the_number_that_is_asked_for)
{
	pid_t want = 4321, taken = getpid(), two[2] = {4322, 4323}, bad = 0, pid;
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&want, .set_tid_size = 1};

	pid = CHECK_OK(clone3(&args, sizeof(args)));
	if (pid == 0)
		_exit(getpid() == want ? 3 : 4);
	CHECK_EQ(pid, want);
	args.set_tid = (uintptr_t)&pid;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EEXIST); /* a zombie has it still */
	EXPECT_CHILD(pid, 3);
	args.set_tid = (uintptr_t)&taken;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EEXIST);
	args.set_tid = (uintptr_t)&bad;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	bad = -1;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	bad = 1 << 30;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.set_tid = (uintptr_t)two;
	args.set_tid_size = 2;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.set_tid_size = 33;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.set_tid_size = 0;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.set_tid = 0;
	args.set_tid_size = 1;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EINVAL);
	args.set_tid = 8;
	CHECK_ERRNO(clone3(&args, sizeof(args)), EFAULT);
	args.set_tid = (uintptr_t)&want;
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_ERRNO(clone3(&args, sizeof(args)), EPERM));
}

TEST(process, clone_flag_rules)
{
	CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD, 0L, NULL, NULL, 0L), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_SIGHAND, 0L, NULL, NULL, 0L), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS, 0L, NULL, NULL, 0L), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID, 0L, NULL, NULL, 0L),
		EINVAL);
}

TEST(process, clone_set_and_clear_tid)
{
	int *tid = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	    parent_tid = 0;
	pid_t pid = CHECK_OK(syscall(SYS_clone,
		CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID | SIGCHLD, 0L,
		&parent_tid, tid, 0L));

	if (pid == 0) {
		CHECK_EQ(*tid, syscall(SYS_getpid));
		_exit(0);
	}
	CHECK_EQ(parent_tid, pid);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(*tid, pid); /* nobody shares the memory: not cleared */
}

TEST(process, clone_files_and_fs_are_shared)
{
	char cwd[100];
	pid_t pid = CHECK_OK(
		syscall(SYS_clone, CLONE_FILES | CLONE_FS | SIGCHLD, 0L, NULL, NULL, 0L));

	if (pid == 0) {
		CHECK_EQ(dup2(0, 77), 77);
		CHECK_OK(chdir("/dev"));
		umask(0123);
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(fcntl(77, F_GETFD), 0);
	CHECK_STREQ(getcwd(cwd, 100), "/dev");
	CHECK_EQ(umask(022), 0123);
}

TEST(process, clone_exit_signal)
{
	pid_t pid = CHECK_OK(syscall(SYS_clone, 0L, 0L, NULL, NULL, 0L));

	if (pid == 0)
		_exit(3);
	CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD); /* a "clone" child */
	CHECK_EQ(waitpid(pid, NULL, __WALL), pid);
	pid = CHECK_OK(syscall(SYS_clone, 0L, 0L, NULL, NULL, 0L));
	if (pid == 0)
		_exit(3);
	CHECK_EQ(waitpid(pid, NULL, __WCLONE), pid);
}

TEST(process, pidfd_of_clone)
{
	int pidfd = -1;
	siginfo_t si;
	pid_t pid = CHECK_OK(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0L, &pidfd, NULL, 0L));

	if (pid == 0) {
		pause();
		_exit(0);
	}
	CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	struct pollfd p = {pidfd, POLLIN, 0};
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_OK(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0));
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_OK(waitid(P_PIDFD, pidfd, &si, WEXITED));
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_status, SIGTERM);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), ESRCH);
}

TEST(process, pidfd_open_errors)
{
	pid_t pid = child_exiting(0);
	int fd;

	CHECK_ERRNO(syscall(SYS_pidfd_open, -1, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_open, pid, 1), EINVAL);
	fd = CHECK_OK(syscall(SYS_pidfd_open, pid, 0));
	EXPECT_CHILD(pid, 0);
	CHECK_ERRNO(syscall(SYS_pidfd_open, pid, 0), ESRCH);
	CHECK_ERRNO(read(fd, &pid, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0), EBADF);
	fd = CHECK_OK(syscall(SYS_pidfd_open, getpid(), O_NONBLOCK));
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* The first kind of pidfd: good for a signal and for nothing else. */
TEST(process, proc_folder_takes_a_signal)
{
	pid_t pid = child_waiting();
	siginfo_t si;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = CHECK_OK(open(path, O_PATH));
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), EBADF);
	fd = CHECK_OK(open(path, O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 0, 0), EBADF);
	CHECK_ERRNO(waitid(P_PIDFD, fd, &si, WEXITED), EBADF);
	CHECK_OK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	EXPECT_KILLED(pid, SIGTERM);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	fd = CHECK_OK(open("/proc/self/task", O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), EBADF);
	fd = CHECK_OK(open("/proc/thread-self", O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), EBADF);
}

TEST(process, pidfd_getfd)
{
	int fd[2], pidfd, mine;
	char c;
	pid_t pid;

	CHECK_OK(pipe(fd));
	pid = child_waiting();
	close(fd[1]);
	pidfd = CHECK_OK(syscall(SYS_pidfd_open, pid, 0));
	mine = CHECK_OK(syscall(SYS_pidfd_getfd, pidfd, fd[1], 0));
	CHECK_EQ(fcntl(mine, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(mine, "x", 1), 1);
	CHECK_EQ(read(fd[0], &c, 1), 1);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, pidfd, 99, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, pidfd, 0, 1), EINVAL);
	kill(pid, SIGKILL);
	EXPECT_KILLED(pid, SIGKILL);
}

TEST(process, prctl_name)
{
	char name[16] = "";

	CHECK_OK(prctl(PR_SET_NAME, "a-very-long-name-indeed"));
	CHECK_OK(prctl(PR_GET_NAME, name));
	CHECK_STREQ(name, "a-very-long-nam");
	CHECK_ERRNO(prctl(PR_SET_NAME, 8L), EFAULT);
	CHECK_ERRNO(prctl(12345), EINVAL);
	IN_CHILD(CHECK_OK(prctl(PR_GET_NAME, name)); CHECK_STREQ(name, "a-very-long-nam"));
}

TEST(process, prctl_small_settings)
{
	int value = -1;

	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK_OK(prctl(PR_SET_DUMPABLE, 0));
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 0);
	CHECK_OK(prctl(PR_SET_KEEPCAPS, 1));
	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 1);
	CHECK_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_OK(prctl(PR_GET_PDEATHSIG, &value));
	CHECK_EQ(value, 0);
	CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	CHECK(prctl(PR_GET_TIMERSLACK) >= 0);
}

TEST(process, exit_closes_and_unlocks)
{
	int fd[2];
	char c;
	pid_t pid;

	CHECK_OK(pipe(fd));
	pid = CHECK_OK(fork());
	if (pid == 0)
		_exit(0);
	close(fd[1]);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(read(fd[0], &c, 1), 0);
}

TEST(process, hundred_children)
{
	pid_t pids[100];

	for (int i = 0; i < 100; i++)
		pids[i] = child_exiting(i);
	for (int i = 0; i < 100; i++)
		EXPECT_CHILD(pids[i], i);
	CHECK_ERRNO(wait(NULL), ECHILD);
}

TEST(process, chain_of_forks)
{
	pid_t first = getpid();
	int depth = 0, status;

	while (depth < 40) {
		pid_t pid = CHECK_OK(fork());

		if (pid) {
			CHECK_EQ(waitpid(pid, &status, 0), pid);
			CHECK_EQ(status, 0);
			break;
		}
		depth++;
	}
	if (getpid() != first)
		_exit(0);
}

TEST(process, getppid_of_an_orphan_changes)
{
	CHECK(getppid() > 0);
	CHECK_EQ(getpgid(0), getpid());
	CHECK_EQ(getsid(0), getsid(getppid()));
}

/* ---- What is left for the others ---- */

/* A real-time program that never waits keeps its CPU for a part of each second only: man 7 sched. */
TEST_WITHIN(process, a_realtime_thread_leaves_time_to_others, 60)
{
	struct sched_param high = {.sched_priority = 50};
	volatile int *stage =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t first;
	pid_t pid;

	CHECK(stage != MAP_FAILED);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	CHECK_OK(sched_setaffinity(0, sizeof(first), &first));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		struct timespec start, now;

		if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &high))
			_exit(2);
		*stage = 1;
		clock_gettime(CLOCK_MONOTONIC, &start);
		do {
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while (*stage != 2 && now.tv_sec - start.tv_sec < 20);
		_exit(*stage != 2);
	}
	while (*stage != 1) { /* without this CPU it cannot see that */
	}
	*stage = 2;
	EXPECT_CHILD(pid, 0);
}

TEST(process, the_share_of_realtime_threads_is_a_setting)
{
	static const char period[] = "/proc/sys/kernel/sched_rt_period_us";
	static const char runtime[] = "/proc/sys/kernel/sched_rt_runtime_us";
	char text[32];

	CHECK(get_file(period, text, sizeof(text)) > 0);
	CHECK_STREQ(text, "1000000\n");
	CHECK(get_file(runtime, text, sizeof(text)) > 0);
	CHECK_STREQ(text, "950000\n");
	int fd = CHECK_OK(open(runtime, O_WRONLY));
	CHECK_ERRNO(write(fd, "1000001", 7), EINVAL);
	CHECK_EQ(write(fd, "-1", 2), 2);
	CHECK(get_file(runtime, text, sizeof(text)) > 0);
	CHECK_STREQ(text, "-1\n");
	CHECK_EQ(pwrite(fd, "950000\n", 7, 0), 7);
	CHECK(get_file(runtime, text, sizeof(text)) > 0);
	CHECK_STREQ(text, "950000\n");
}
