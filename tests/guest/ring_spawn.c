// SPDX-License-Identifier: MIT
/*
 * TORUS_OP_SPAWN: a program as a request. What the child is like is compared with a child of fork() and
 * execve(), by what it says of itself.
 */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../../kernel/abi/torus.h"
#include "filter.h"
#include "ring.h"

#define SELF   "/proc/self/exe"
#define P(x)   ((uint64_t)(uintptr_t)(x))
#define TEXT   4096
#define CHILDREN 40

extern char **environ;

/* ---- The program that is spawned ---- */

static void say_descriptors(void)
{
	for (int fd = 3; fd < 64; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0)
			printf("fd %d %o cloexec %d\n", fd, st.st_mode & S_IFMT,
				fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
}

/* All that a child may have of its parent. */
static void say_all(void)
{
	char cwd[256] = "", name[17] = "";
	struct rlimit lim;
	sigset_t mask;

	say_descriptors();
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig < 65; sig++) {
		struct sigaction act;

		if (sigismember(&mask, sig) == 1)
			printf("blocks %d\n", sig);
		if (sigaction(sig, NULL, &act) == 0 && act.sa_handler != SIG_DFL)
			printf("%d is %s\n", sig, act.sa_handler == SIG_IGN ? "ignored" : "handled");
	}
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		CHECK_OK(getrlimit(i, &lim));
		printf("limit %d %lld %lld\n", i, (long long)lim.rlim_cur,
			(long long)lim.rlim_max);
	}
	prctl(PR_GET_NAME, name);
	printf("cwd %s name %s umask %o\n", getcwd(cwd, sizeof(cwd)), name, umask(0));
	printf("uid %d %d gid %d %d groups %d\n", getuid(), geteuid(), getgid(), getegid(),
		getgroups(0, NULL));
	printf("group is %s, session is %s\n", getpgrp() == getpid() ? "its own" : "its parent's",
		getsid(0) == getpid() ? "its own" : "its parent's");
	printf("no_new_privs %d dumpable %d nice %d death %d\n",
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE),
		getpriority(PRIO_PROCESS, 0), 0);
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
}

int guest_helper(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[0], "exit"))
		return atoi(argv[1]);
	if (argc && !strcmp(argv[0], "args"))
		return argc;
	if (argc > 1 && !strcmp(argv[0], "parent"))
		return getppid() == atoi(argv[1]);
	if (argc && !strcmp(argv[0], "say")) {
		say_all();
		fflush(stdout);
		return 0;
	}
	if (argc && !strcmp(argv[0], "sleep"))
		for (;;)
			pause();
	return 99;
}

/* ---- Spawning ---- */

#define HELPER(...) ((char *[]){"test", "--helper", __VA_ARGS__, NULL})

static struct torus_spawn program(char *const *argv)
{
	return (struct torus_spawn){.path = P(SELF), .argv = P(argv), .envp = P(environ)};
}

static struct io_uring_sqe *put_spawn(struct ring *r, const struct torus_spawn *w, uint64_t data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, TORUS_OP_SPAWN, data);

	sqe->fd = AT_FDCWD;
	sqe->addr = P(w);
	sqe->len = sizeof(*w);
	return sqe;
}

/* A pidfd, or -errno. */
static int spawn(struct ring *r, const struct torus_spawn *w)
{
	struct ring_result got;

	put_spawn(r, w, 3);
	got = ring_run(r);
	CHECK_EQ(got.user_data, 3u);
	return got.res;
}

#define EXPECT_END(pidfd, why, code)                                                           \
	do {                                                                                   \
		siginfo_t si_ = {0};                                                           \
		CHECK_OK(waitid(P_PIDFD, (id_t)(pidfd), &si_, WEXITED));                       \
		CHECK_EQ(si_.si_code, why);                                                    \
		CHECK_EQ(si_.si_status, code);                                                 \
		CHECK_OK(close(pidfd));                                                        \
	} while (0)

static void expect_no_children(void)
{
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_EQ(errno, ECHILD);
}

static void read_all(int fd, char text[TEXT])
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, TEXT - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
}

/* What the spawned program prints on descriptor 1. */
static void output_of(struct ring *r, struct torus_spawn *w, char text[TEXT])
{
	struct torus_file_action dup = {TORUS_FILE_DUP, 1, 0, 0, 0, 0, 0};
	int fd[2], pidfd;

	CHECK_OK(pipe2(fd, O_CLOEXEC));
	dup.from = fd[1];
	if (!w->nr_actions) {
		w->actions = P(&dup);
		w->nr_actions = 1;
	}
	CHECK_OK(pidfd = spawn(r, w));
	close(fd[1]);
	read_all(fd[0], text);
	EXPECT_END(pidfd, CLD_EXITED, 0);
}

static void output_of_fork(char *const *argv, char text[TEXT])
{
	pid_t pid;
	int fd[2];

	CHECK_OK(pipe2(fd, O_CLOEXEC));
	CHECK_OK(pid = fork());
	if (pid == 0) {
		dup2(fd[1], 1);
		execve(SELF, argv, environ);
		_exit(90);
	}
	close(fd[1]);
	read_all(fd[0], text);
	EXPECT_CHILD(pid, 0);
}

static bool says(const char *text, const char *line)
{
	return strstr(text, line) != NULL;
}

/* ---- Programs ---- */

TEST(ring_spawn, program_runs_and_its_end_is_waited_for)
{
	struct torus_spawn w;
	struct ring r;
	int pidfd, nr = 0;

	NEWER(has_spawn());
	ring_open(&r, 8, 0);
	w = program(HELPER("exit", "7"));
	w.pid = P(&nr);
	CHECK_OK(pidfd = spawn(&r, &w));
	CHECK(nr > 1);
	CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	EXPECT_END(pidfd, CLD_EXITED, 7);
	expect_no_children();
	ring_close(&r);
}

TEST(ring_spawn, child_is_as_a_child_of_fork_and_exec)
{
	static char by_fork[TEXT], by_spawn[TEXT];
	struct rlimit lim = {100, 200};
	struct torus_spawn w;
	struct ring r;
	sigset_t mask;

	NEWER(has_spawn());
	ring_open(&r, 8, 0);
	CHECK_OK(fcntl(r.fd, F_SETFD, FD_CLOEXEC));
	CHECK_OK(chdir("/tmp"));
	CHECK_OK(open("/", O_RDONLY));
	CHECK_OK(open("/", O_RDONLY | O_CLOEXEC));
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &lim));
	CHECK_OK(nice(3));
	umask(027);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGHUP, (void (*)(int))exit);
	output_of_fork(HELPER("say"), by_fork);
	w = program(HELPER("say"));
	output_of(&r, &w, by_spawn);
	if (strcmp(by_fork, by_spawn))
		FAIL("by fork:\n%s\nby spawn:\n%s", by_fork, by_spawn);
	CHECK(says(by_spawn, "blocks 12\n") && says(by_spawn, "10 is ignored"));
	ring_close(&r);
}

TEST(ring_spawn, arguments_and_environment_are_those_of_the_submission)
{
	char word[] = "say", *argv[] = {"test", "--helper", word, NULL}, *envp[] = {"A=1", "B=2", NULL};
	static char text[TEXT];
	struct torus_file_action dup = {TORUS_FILE_DUP, 1, 0, 0, 0, 0, 0};
	struct io_uring_sqe *sqe;
	struct torus_spawn w;
	struct ring r;
	int fd[2], late[2], pidfd;
	char c;

	NEWER(has_spawn());
	CHECK_OK(pipe2(fd, O_CLOEXEC));
	CHECK_OK(pipe2(late, O_CLOEXEC));
	ring_open(&r, 8, 0);
	w = program(argv);
	w.envp = P(envp);
	dup.from = fd[1];
	w.actions = P(&dup);
	w.nr_actions = 1;
	/* behind something that waits, so that it begins late */
	sqe = ring_next_rw(&r, IORING_OP_READ, late[0], &c, 1, (uint64_t)-1);
	sqe->user_data = 1;
	sqe->flags = IOSQE_IO_LINK;
	put_spawn(&r, &w, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	memset(word, 'x', 3);
	memset(&w, 0xff, sizeof(w));
	dup.from = 77;
	envp[0] = NULL;
	CHECK_EQ(write(late[1], "x", 1), 1);
	RING_EXPECT(&r, 1, 1);
	CHECK_OK(pidfd = ring_take(&r).res);
	close(fd[1]);
	read_all(fd[0], text);
	EXPECT_END(pidfd, CLD_EXITED, 0);
	CHECK(says(text, "env A=1\nenv B=2\n"));
	ring_close(&r);
}

TEST(ring_spawn, descriptor_is_a_direct_one)
{
	int files[2] = {-1, -1};
	struct io_uring_sqe *sqe;
	struct torus_spawn w;
	struct ring r;
	int pid = 0;

	NEWER(has_spawn());
	ring_open(&r, 8, 0);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_FILES, files, 2));
	w = program(HELPER("exit", "3"));
	w.pid = P(&pid);
	put_spawn(&r, &w, 1)->file_index = 2;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 0);
	sqe = ring_sqe(&r, IORING_OP_POLL_ADD, 2);
	sqe->fd = 1;
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->poll32_events = POLLIN;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, POLLIN);
	EXPECT_CHILD(pid, 3);
	ring_close(&r);
}

TEST(ring_spawn, many_at_once)
{
	struct torus_spawn w;
	struct ring r;
	int pidfd[CHILDREN];

	NEWER(has_spawn());
	ring_open(&r, 64, 0);
	w = program(HELPER("exit", "5"));
	for (int i = 0; i < CHILDREN; i++)
		put_spawn(&r, &w, (uint64_t)i);
	CHECK_EQ(ring_submit(&r, CHILDREN), CHILDREN);
	for (int i = 0; i < CHILDREN; i++)
		CHECK_OK(pidfd[i] = ring_take(&r).res);
	for (int i = 0; i < CHILDREN; i++)
		EXPECT_END(pidfd[i], CLD_EXITED, 5);
	expect_no_children();
	ring_close(&r);
}

TEST(ring_spawn, submission_thread_spawns_too)
{
	static char text[TEXT];
	struct torus_file_action dup = {TORUS_FILE_DUP, 1, 0, 0, 0, 0, 0};
	struct torus_spawn w;
	struct ring r;
	int fd[2], pidfd;

	NEWER(has_spawn());
	CHECK_OK(pipe2(fd, O_CLOEXEC));
	ring_open(&r, 8, IORING_SETUP_SQPOLL);
	w = program(HELPER("say"));
	dup.from = fd[1];
	w.actions = P(&dup);
	w.nr_actions = 1;
	put_spawn(&r, &w, 1);
	CHECK_OK(pidfd = ring_take(&r).res);
	close(fd[1]);
	read_all(fd[0], text);
	CHECK(!says(text, "blocks"));
	ring_close(&r); /* the thread ends, and the child is still ours */
	EXPECT_END(pidfd, CLD_EXITED, 0);
	expect_no_children();
}

TEST(ring_spawn, signal_of_its_end_is_the_parents)
{
	struct torus_spawn w;
	siginfo_t si = {0};
	sigset_t set;
	struct ring r;
	int pidfd;

	NEWER(has_spawn());
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ring_open(&r, 8, 0);
	w = program(HELPER("sleep"));
	CHECK_OK(pidfd = spawn(&r, &w));
	CHECK_OK(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0));
	CHECK_EQ(sigwaitinfo(&set, &si), SIGCHLD);
	CHECK_EQ(si.si_status, SIGTERM);
	EXPECT_END(pidfd, CLD_KILLED, SIGTERM);
	ring_close(&r);
}

/* ---- Waiting for it ---- */

static struct io_uring_sqe *put_wait(struct ring *r, int type, int id, siginfo_t *si, uint64_t data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_WAITID, data);

	sqe->fd = id;
	sqe->len = (uint32_t)type;
	sqe->addr2 = P(si);
	sqe->file_index = WEXITED;
	return sqe;
}

TEST(ring_spawn, end_is_waited_for_by_a_request)
{
	struct torus_spawn w;
	siginfo_t si = {0};
	struct ring r;
	int pidfd;

	NEWER(has_spawn());
	ring_open(&r, 8, 0);
	put_wait(&r, P_ALL, 0, &si, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, -ECHILD);
	put_wait(&r, P_PIDFD, r.fd, &si, 2);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, -EBADF);
	w = program(HELPER("sleep"));
	CHECK_OK(pidfd = spawn(&r, &w));
	put_wait(&r, P_PIDFD, pidfd, &si, 3)->file_index = 0;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 3, -EINVAL);
	put_wait(&r, P_PIDFD, pidfd, &si, 4)->file_index = WEXITED | WNOHANG;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 4, 0);
	CHECK_EQ(si.si_signo, 0);
	put_wait(&r, P_PIDFD, pidfd, &si, 5);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 6)->addr = 5;
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT(&r, 5, -ECANCELED);
	RING_EXPECT(&r, 6, 0);
	put_wait(&r, P_PIDFD, pidfd, &si, 7);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_OK(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0));
	RING_EXPECT(&r, 7, 0);
	CHECK_EQ(si.si_code, CLD_KILLED);
	CHECK_EQ(si.si_status, SIGTERM);
	expect_no_children();
	ring_close(&r);
}

/* Started, heard and reaped by one submission. */
TEST(ring_spawn, one_chain_starts_reads_and_waits)
{
	static char text[TEXT];
	struct torus_file_action dup = {TORUS_FILE_DUP, 1, 0, 0, 0, 0, 0};
	struct io_uring_sqe *sqe;
	struct torus_spawn w;
	siginfo_t si = {0};
	struct ring r;
	int fd[2], pidfd;

	NEWER(has_spawn());
	CHECK_OK(pipe2(fd, O_CLOEXEC));
	ring_open(&r, 8, 0);
	w = program(HELPER("say"));
	dup.from = fd[1];
	w.actions = P(&dup);
	w.nr_actions = 1;
	put_spawn(&r, &w, 1)->flags = IOSQE_IO_LINK;
	sqe = ring_next_rw(&r, IORING_OP_READ, fd[0], text, TEXT - 1, (uint64_t)-1);
	sqe->user_data = 2;
	sqe->flags = IOSQE_IO_HARDLINK; /* a short read is none the worse */
	put_wait(&r, P_ALL, 0, &si, 3);
	CHECK_EQ(ring_submit(&r, 3), 3);
	CHECK_OK(pidfd = ring_take(&r).res);
	CHECK(ring_take(&r).res > 0);
	RING_EXPECT(&r, 3, 0);
	CHECK_EQ(si.si_code, CLD_EXITED);
	expect_no_children();
	close(pidfd);
	ring_close(&r);
}

/* ---- Attributes ---- */

TEST(ring_spawn, attributes_are_the_childs)
{
	static char text[TEXT];
	struct torus_limit limit = {RLIMIT_NOFILE, 0, 50, 60};
	uint32_t groups[] = {5, 6, 7};
	struct torus_spawn w;
	struct ring r;

	NEWER(has_spawn());
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	ring_open(&r, 8, 0);
	w = program(HELPER("say"));
	w.flags = TORUS_SPAWN_SETSID | TORUS_SPAWN_SIGMASK | TORUS_SPAWN_SIGDEFAULT |
		  TORUS_SPAWN_GROUPS | TORUS_SPAWN_GID | TORUS_SPAWN_UID |
		  TORUS_SPAWN_NO_NEW_PRIVS;
	w.sigmask = 1ull << (SIGINT - 1);
	w.sigdefault = 1ull << (SIGUSR1 - 1);
	w.uid = 1000;
	w.gid = 100;
	w.groups = P(groups);
	w.nr_groups = 3;
	w.limits = P(&limit);
	w.nr_limits = 1;
	output_of(&r, &w, text);
	CHECK(says(text, "blocks 2\n"));
	CHECK(!says(text, "10 is ignored") && says(text, "12 is ignored"));
	CHECK(says(text, "uid 1000 1000 gid 100 100 groups 3"));
	CHECK(says(text, "group is its own, session is its own"));
	CHECK(says(text, "no_new_privs 1"));
	CHECK(says(text, "limit 7 50 60"));
	CHECK_EQ(getuid(), 0u);
	ring_close(&r);
}

TEST(ring_spawn, group_is_a_new_one_or_a_given_one)
{
	struct torus_spawn w;
	struct ring r;
	int a, b, first = 0, second = 0;

	NEWER(has_spawn());
	ring_open(&r, 8, 0);
	w = program(HELPER("sleep"));
	w.flags = TORUS_SPAWN_PGROUP;
	w.pid = P(&first);
	CHECK_OK(a = spawn(&r, &w));
	CHECK_EQ(getpgid(first), first);
	w.pgroup = first;
	w.pid = P(&second);
	CHECK_OK(b = spawn(&r, &w));
	CHECK_EQ(getpgid(second), first);
	CHECK_OK(kill(-first, SIGKILL));
	EXPECT_END(a, CLD_KILLED, SIGKILL);
	EXPECT_END(b, CLD_KILLED, SIGKILL);
	ring_close(&r);
}

/* ---- File actions ---- */

TEST(ring_spawn, file_actions_come_one_after_another)
{
	static char text[TEXT];
	struct torus_spawn w;
	struct ring r;
	struct torus_file_action actions[] = {
		{TORUS_FILE_CHDIR, 0, 0, 0, P("/tmp/spawn"), 0, 0},
		{TORUS_FILE_OPEN, 1, AT_FDCWD, O_WRONLY | O_CREAT | O_TRUNC, P("out"), 0600, 0},
		{TORUS_FILE_OPEN, 9, AT_FDCWD, O_RDONLY | O_DIRECTORY, P("/proc"), 0, 0},
		{TORUS_FILE_FCHDIR, 9, 0, 0, 0, 0, 0},
		{TORUS_FILE_DUP, 20, 9, 0, 0, 0, 0},
		{TORUS_FILE_CLOSE, 9, 0, 0, 0, 0, 0},
		{TORUS_FILE_CLOSE, 9, 0, 0, 0, 0, 0}, /* which is no error */
		{TORUS_FILE_DUP, 30, 20, 0, 0, 0, 0},
		{TORUS_FILE_CLOSE_FROM, 25, 0, 0, 0, 0, 0},
	};
	int pidfd;

	NEWER(has_spawn());
	CHECK_OK(mkdir("/tmp/spawn", 0700));
	ring_open(&r, 8, 0);
	w = program(HELPER("say"));
	w.actions = P(actions);
	w.nr_actions = 9;
	CHECK_OK(pidfd = spawn(&r, &w));
	EXPECT_END(pidfd, CLD_EXITED, 0);
	CHECK(get_file("/tmp/spawn/out", text, sizeof(text)) > 0);
	CHECK(says(text, "cwd /proc"));
	CHECK(says(text, "fd 20 40000 cloexec 0"));
	CHECK(!says(text, "fd 9 ") && !says(text, "fd 30 "));
	CHECK_OK(unlink("/tmp/spawn/out"));
	ring_close(&r);
}

TEST(ring_spawn, clean_child_has_what_it_is_given)
{
	static char text[TEXT];
	struct torus_spawn w;
	struct ring r;
	int fd[2], kept, pidfd;

	NEWER(has_spawn());
	CHECK_OK(pipe2(fd, O_CLOEXEC));
	CHECK_OK(kept = open("/", O_RDONLY));
	CHECK_OK(open("/tmp", O_RDONLY));
	struct torus_file_action actions[] = {
		{TORUS_FILE_INHERIT, 1, fd[1], 0, 0, 0, 0},
		{TORUS_FILE_INHERIT, 5, kept, 0, 0, 0, 0},
	};

	ring_open(&r, 8, 0);
	w = program(HELPER("say"));
	w.flags = TORUS_SPAWN_CLEAN;
	w.actions = P(actions);
	w.nr_actions = 2;
	CHECK_OK(pidfd = spawn(&r, &w));
	close(fd[1]);
	read_all(fd[0], text);
	EXPECT_END(pidfd, CLD_EXITED, 0);
	CHECK(says(text, "fd 5 40000 cloexec 0\n"));
	CHECK(!strstr(strstr(text, "fd 5") + 4, "fd "));
	ring_close(&r);
}

/* ---- What fails ---- */

/* A good spawn with these changes fails so, and nothing is left. */
#define EXPECT_ERROR(err, ...)                                                                 \
	do {                                                                                   \
		struct torus_spawn w = good;                                                   \
		__VA_ARGS__;                                                                   \
		CHECK_EQ(spawn(&r, &w), -(err));                                               \
		expect_no_children();                                                          \
	} while (0)

TEST(ring_spawn, failure_leaves_no_child_and_no_word)
{
	struct torus_file_action bad = {TORUS_FILE_DUP, 5, 99, 0, 0, 0, 0};
	struct torus_limit limit = {RLIMIT_NOFILE, 0, 1, 0};
	struct torus_spawn good;
	sigset_t set;
	struct ring r;
	int fd;

	NEWER(has_spawn());
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ring_open(&r, 8, 0);
	good = program(HELPER("exit", "0"));

	EXPECT_ERROR(ENOENT, w.path = P("/nowhere"));
	EXPECT_ERROR(EACCES, w.path = P("/tmp"));
	EXPECT_ERROR(ENOENT, w.path = P(""));
	EXPECT_ERROR(EFAULT, w.path = 1);
	EXPECT_ERROR(EFAULT, w.argv = 1);
	EXPECT_ERROR(EFAULT, w.envp = 1);
	EXPECT_ERROR(EFAULT, w.actions = 1, w.nr_actions = 1);
	EXPECT_ERROR(EFAULT, w.pid = 1);
	EXPECT_ERROR(EINVAL, w.flags = 1u << 31);
	EXPECT_ERROR(EINVAL, w.exit_signal = 65);
	EXPECT_ERROR(EINVAL, w.namespaces = CLONE_FS);
	EXPECT_ERROR(E2BIG, w.nr_actions = TORUS_SPAWN_ACTIONS_MAX + 1);
	EXPECT_ERROR(EINVAL, w.limits = P(&limit), w.nr_limits = 1);
	EXPECT_ERROR(EBADF, w.actions = P(&bad), w.nr_actions = 1);
	EXPECT_ERROR(EINVAL, w.flags = TORUS_SPAWN_PGROUP, w.pgroup = -1);
	EXPECT_ERROR(EPERM, w.flags = TORUS_SPAWN_PGROUP, w.pgroup = 1);
	put_file("/tmp/noprogram", "nonsense");
	CHECK_OK(chmod("/tmp/noprogram", 0700));
	EXPECT_ERROR(ENOEXEC, w.path = P("/tmp/noprogram"));
	put_spawn(&r, &good, 1)->len = 8;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, -EINVAL);

	CHECK_OK(sigpending(&set));
	CHECK_EQ(sigismember(&set, SIGCHLD), 0);
	CHECK_OK(fd = dup(0)); /* nothing was left open */
	CHECK_EQ(fd, r.fd + 1);
	ring_close(&r);
}

/* Begins a spawn, as request 1, whose child waits for a FIFO's other end: until it has its number. */
static void begin_unborn(struct ring *r, volatile int *nr)
{
	struct torus_file_action open_fifo = {
		TORUS_FILE_OPEN, 0, AT_FDCWD, O_RDONLY, P("/tmp/spawn.fifo"), 0, 0};
	struct torus_spawn w = program(HELPER("exit", "0"));

	(void)mkfifo("/tmp/spawn.fifo", 0600);
	w.actions = P(&open_fifo);
	w.nr_actions = 1;
	w.pid = P(nr);
	put_spawn(r, &w, 1);
	CHECK_EQ(ring_submit(r, 0), 1);
	while (!*nr)
		sleep_ms(1);
}

TEST(ring_spawn, unborn_child_is_cancelled)
{
	struct io_uring_sqe *sqe;
	struct ring_result got;
	struct ring r;
	int nr = 0;

	NEWER(has_spawn());
	ring_open(&r, 8, 0);
	begin_unborn(&r, &nr);
	sleep_ms(20);
	expect_no_children(); /* it is there, and nobody waits for it */
	CHECK_OK(kill(nr, 0));
	sqe = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 2);
	sqe->addr = 1;
	CHECK_EQ(ring_submit(&r, 2), 1);
	for (int i = 0; i < 2; i++) {
		got = ring_take(&r);
		if (got.user_data == 1)
			CHECK_EQ(got.res, -ECANCELED);
		else
			CHECK_EQ(got.res, -EALREADY);
	}
	CHECK_EQ(kill(nr, 0), -1);
	CHECK_EQ(errno, ESRCH);
	expect_no_children();
	ring_close(&r);
}

TEST(ring_spawn, unborn_child_is_killed)
{
	struct ring r;
	int nr = 0;

	NEWER(has_spawn());
	ring_open(&r, 8, 0);
	begin_unborn(&r, &nr);
	sleep_ms(20);
	CHECK_OK(kill(nr, SIGKILL));
	CHECK_EQ(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
	RING_EXPECT(&r, 1, -EINTR);
	expect_no_children();
	ring_close(&r);
}

TEST(ring_spawn, parent_ends_while_a_child_is_unborn)
{
	volatile int *nr = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	NEWER(has_spawn());
	CHECK_OK(pid = fork());
	if (pid == 0) {
		struct ring r;

		ring_open(&r, 8, 0);
		begin_unborn(&r, nr);
		_exit(4);
	}
	EXPECT_CHILD(pid, 4);
	CHECK_EQ(kill(*nr, 0), -1);
	CHECK_EQ(errno, ESRCH);
}

/* ---- Filters ---- */

static void expect_refused(int nr, uint32_t answer, int err)
{
	struct torus_file_action chdir = {TORUS_FILE_CHDIR, 0, 0, 0, P("/"), 0, 0};

	IN_CHILD({
		struct torus_spawn w = program(HELPER("exit", "0"));
		struct ring r;

		w.actions = P(&chdir);
		w.nr_actions = 1;
		ring_open(&r, 8, 0);
		filter(nr, answer);
		CHECK_EQ(spawn(&r, &w), -err);
		expect_no_children();
	});
}

TEST(ring_spawn, filter_is_asked_about_every_step)
{
	NEWER(has_spawn());
	expect_refused(__NR_clone, SECCOMP_RET_ERRNO | EDOM, EDOM);
	expect_refused(__NR_chdir, SECCOMP_RET_ERRNO | EDOM, EDOM);
	expect_refused(__NR_execve, SECCOMP_RET_ERRNO | EDOM, EDOM);
	expect_refused(__NR_execve, SECCOMP_RET_KILL_PROCESS, EINTR); /* the child's end */
}

/* ---- A supervisor ---- */

static int listener; /* the test's own: its thread answers */
static int nr_asked;
static struct seccomp_notif_resp say;

static void *answer_all(void *arg)
{
	for (;;) {
		struct seccomp_notif n = {0};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n))
			continue;
		say.id = n.id;
		if (n.pid != (unsigned)getpid())
			__atomic_add_fetch(&nr_asked, 1, __ATOMIC_SEQ_CST);
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &say);
	}
	return NULL;
}

static int spawn_supervised(int nr, struct seccomp_notif_resp what)
{
	struct torus_file_action chdir = {TORUS_FILE_CHDIR, 0, 0, 0, P("/"), 0, 0};
	struct torus_spawn w = program(HELPER("exit", "0"));
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {4, code};
	pthread_t thread;
	struct ring r;
	int n;

	say = what;
	nr_asked = 0;
	w.actions = P(&chdir);
	w.nr_actions = 1;
	ring_open(&r, 8, 0);
	CHECK_EQ(pthread_create(&thread, NULL, answer_all, NULL), 0);
	listener = (int)CHECK_OK(syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog));
	n = spawn(&r, &w);
	return n;
}

static void expect_supervised(int nr, int error, uint32_t flags, int want, int want_asked)
{
	const struct seccomp_notif_resp what = {.error = error, .flags = flags};

	IN_CHILD({
		int n = spawn_supervised(nr, what);

		CHECK_EQ(n < 0 ? n : 0, want);
		CHECK_EQ(nr_asked, want_asked);
	});
}

TEST(ring_spawn, a_supervisor_is_asked_about_every_step)
{
	NEWER(has_spawn());
	expect_supervised(__NR_chdir, -EDOM, 0, -EDOM, 1);
	expect_supervised(__NR_chdir, 0, 0, 0, 1);
	expect_supervised(__NR_chdir, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE, 0, 1);
	expect_supervised(__NR_execve, -EDOM, 0, -EDOM, 1);
	expect_supervised(__NR_execve, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE, 0, 1);
	expect_supervised(__NR_clone, -EDOM, 0, -EDOM, 0);
	expect_supervised(__NR_clone, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE, 0, 0);
}
