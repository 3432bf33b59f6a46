// SPDX-License-Identifier: MIT
/* execve(2), execveat(2): arguments, environment, scripts, formats, what is kept and what is reset; getauxval(3). */
#include "guest.h"

#include <elf.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define SELF "/proc/self/exe"

extern char **environ;

/* Whether /proc/self/cmdline is some path, then these words, and no more. */
static int cmdline_is_bytes(const char *words, size_t len)
{
	char text[600];
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text));
	size_t first = strnlen(text, n > 0 ? (size_t)n : 0) + 1;

	close(fd);
	return n == (ssize_t)(first + len) && !memcmp(text + first, words, len);
}
#define cmdline_is(words) cmdline_is_bytes(words, sizeof(words))

/* `--helper WORD ...`: looks at what the test says was kept, and answers by its exit status. */
int guest_helper(int argc, char **argv)
{
	sigset_t set;
	struct sigaction act;
	char name[17] = "";

	if (argc == 0)
		return 99;
	if (!strcmp(argv[0], "exit"))
		return atoi(argv[1]);
	if (!strcmp(argv[0], "args"))
		return argc;
	if (!strcmp(argv[0], "env")) {
		int n = 0;

		while (environ[n])
			n++;
		return n;
	}
	if (!strcmp(argv[0], "fd"))
		return fcntl(atoi(argv[1]), F_GETFD) < 0 ? 0 : 1;
	if (!strcmp(argv[0], "mask")) {
		sigprocmask(SIG_SETMASK, NULL, &set);
		return sigismember(&set, atoi(argv[1]));
	}
	if (!strcmp(argv[0], "pending")) {
		sigpending(&set);
		return sigismember(&set, atoi(argv[1]));
	}
	if (!strcmp(argv[0], "action")) {
		sigaction(atoi(argv[1]), NULL, &act);
		return act.sa_handler == SIG_IGN ? 1 : act.sa_handler == SIG_DFL ? 0 : 2;
	}
	if (!strcmp(argv[0], "altstack")) {
		stack_t ss;

		sigaltstack(NULL, &ss);
		return ss.ss_flags;
	}
	if (!strcmp(argv[0], "pid"))
		return getpid() == atoi(argv[1]) && syscall(SYS_gettid) == atoi(argv[1]);
	if (!strcmp(argv[0], "name")) {
		prctl(PR_GET_NAME, name);
		return strcmp(name, argv[1]) == 0;
	}
	if (!strcmp(argv[0], "secure"))
		return getauxval(AT_SECURE) | (geteuid() == 1000) << 1 |
		       (prctl(PR_GET_DUMPABLE) == 1) << 2;
	if (!strcmp(argv[0], "umask"))
		return umask(0);
	if (!strcmp(argv[0], "cmdline")) /* a script of that name, by #! */
		return !cmdline_is("--helper\0cmdline\0x");
	return 98;
}

static pid_t run(char *const argv[])
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		execve(SELF, argv, environ);
		_exit(90);
	}
	return pid;
}

#define RUN(...) run((char *[]){"test", "--helper", __VA_ARGS__, NULL})

static void copy_self(const char *to, int mode)
{
	static char buf[1 << 16];
	int in = CHECK_OK(open(SELF, O_RDONLY)),
	    out = CHECK_OK(open(to, O_WRONLY | O_CREAT | O_TRUNC, mode));
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK_EQ(write(out, buf, n), n);
	close(in);
	close(out);
}

TEST(exec, runs_and_exits)
{
	EXPECT_CHILD(RUN("exit", "42"), 42);
}

TEST(exec, arguments_arrive)
{
	EXPECT_CHILD(RUN("args", "a", "", "c"), 4);
}

TEST(exec, environment_arrives)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		execve(SELF, (char *[]){"t", "--helper", "env", NULL},
			(char *[]){"A=1", "B=2", "", NULL});
		_exit(90);
	}
	EXPECT_CHILD(pid, 3);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		execve(SELF, (char *[]){"t", "--helper", "env", NULL}, NULL);
		_exit(90);
	}
	EXPECT_CHILD(pid, 0);
}

TEST(exec, errors)
{
	put_file("text", "no program");
	put_file("noexec", "#!/bin/sh\n");
	CHECK_OK(chmod("text", 0755));
	CHECK_ERRNO(execve("missing", NULL, NULL), ENOENT);
	CHECK_ERRNO(execve("", NULL, NULL), ENOENT);
	CHECK_ERRNO(execve("noexec", NULL, NULL), EACCES);
	CHECK_ERRNO(execve(".", NULL, NULL), EACCES);
	CHECK_ERRNO(execve("text", NULL, NULL), ENOEXEC);
	CHECK_ERRNO(execve("text/x", NULL, NULL), ENOTDIR);
	CHECK_ERRNO(execve("/dev/null", NULL, NULL), EACCES);
	CHECK_ERRNO(syscall(SYS_execve, 8L, NULL, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_execve, SELF, 8L, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_execve, SELF, (char *[]){(void *)8, NULL}, NULL), EFAULT);
}

TEST(exec, empty_and_short_files)
{
	put_file("empty", "");
	put_file("short", "\x7f"
			  "ELF");
	CHECK_OK(chmod("empty", 0755));
	CHECK_OK(chmod("short", 0755));
	CHECK_ERRNO(execve("empty", NULL, NULL), ENOEXEC);
	CHECK_ERRNO(execve("short", NULL, NULL), ENOEXEC);
}

TEST(exec, damaged_headers)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} damage[] = {
		{offsetof(Elf64_Ehdr, e_ident) + EI_CLASS, 9},
		{offsetof(Elf64_Ehdr, e_type), 7},
		{offsetof(Elf64_Ehdr, e_machine), 3 /* another, not i386 */ + 5},
		{offsetof(Elf64_Ehdr, e_phentsize), 3},
		{offsetof(Elf64_Ehdr, e_phnum), 0},
	};

	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		int fd;

		copy_self("p", 0755);
		fd = CHECK_OK(open("p", O_RDWR));
		CHECK_EQ(pwrite(fd, &damage[i].value, 1, damage[i].offset), 1);
		close(fd);
		if (damage[i].offset == EI_CLASS)
			continue; /* Linux does not look at it */
		CHECK_ERRNO(execve("p", (char *[]){"p", NULL}, NULL), ENOEXEC);
	}
}

TEST(exec, truncated_program)
{
	copy_self("p", 0755);
	CHECK_OK(truncate("p", 100));
	CHECK_ERRNO(execve("p", (char *[]){"p", NULL}, NULL), ENOEXEC);
	CHECK_OK(truncate("p", 63));
	CHECK_ERRNO(execve("p", (char *[]){"p", NULL}, NULL), ENOEXEC);
}

TEST(exec, file_open_for_writing_is_etxtbsy)
{
	int fd;

	copy_self("p", 0755);
	fd = CHECK_OK(open("p", O_RDWR));
	CHECK_ERRNO(execve("p", (char *[]){"p", NULL}, NULL), ETXTBSY);
	close(fd);
}

TEST(exec, script)
{
	char path[200], text[300];

	copy_self("prog", 0755);
	CHECK(getcwd(path, sizeof(path)));
	snprintf(text, sizeof(text), "#!%s/prog --helper\n", path);
	put_file("script", text);
	CHECK_OK(chmod("script", 0755));
	pid_t pid = CHECK_OK(fork());
	if (pid == 0) { /* prog "--helper" "./script" "x" */
		execve("./script", (char *[]){"ignored", "x", NULL}, environ);
		_exit(90);
	}
	EXPECT_CHILD(pid, 98);
	snprintf(text, sizeof(text), "#!  %s/prog \t --helper args \t\n",
		path); /* one word: "--helper args" */
	put_file("script", text);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		execve("./script", (char *[]){"ignored", NULL}, environ);
		_exit(90);
	}
	EXPECT_CHILD(pid, 0); /* a pattern that no test matches */
}

TEST(exec, script_leaves_no_trace_of_the_first_argument)
{
	char path[200], text[300];

	copy_self("prog", 0755);
	CHECK(getcwd(path, sizeof(path)));
	snprintf(text, sizeof(text), "#!%s/prog --helper\n", path);
	put_file("cmdline", text);
	CHECK_OK(chmod("cmdline", 0755));
	pid_t pid = CHECK_OK(fork());
	if (pid == 0) {
		execve("cmdline", (char *[]){"replaced", "x", NULL}, environ);
		_exit(90);
	}
	EXPECT_CHILD(pid, 0);
}

TEST(exec, script_errors)
{
	char text[600] = "#!";

	put_file("s", "#!/missing\n");
	CHECK_OK(chmod("s", 0755));
	CHECK_ERRNO(execve("s", NULL, NULL), ENOENT);
	put_file("s", "#!\n");
	CHECK_ERRNO(execve("s", NULL, NULL), ENOEXEC);
	put_file("s", "#!  \t\n");
	CHECK_ERRNO(execve("s", NULL, NULL), ENOEXEC);
	memset(text + 2, '/', 500);
	put_file("s", text);
	CHECK_ERRNO(execve("s", NULL, NULL), ENOEXEC);
	put_file("s", "#!./s\n");
	CHECK_ERRNO(execve("./s", (char *[]){"s", NULL}, NULL), ELOOP);
}

TEST(exec, cloexec_descriptors_close)
{
	CHECK_EQ(dup2(0, 50), 50);
	CHECK_EQ(dup3(0, 51, O_CLOEXEC), 51);
	EXPECT_CHILD(RUN("fd", "50"), 1);
	EXPECT_CHILD(RUN("fd", "51"), 0);
	CHECK_EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
}

TEST(exec, failed_exec_keeps_cloexec_descriptors)
{
	CHECK_EQ(dup3(0, 51, O_CLOEXEC), 51);
	CHECK_ERRNO(execve("missing", NULL, NULL), ENOENT);
	CHECK_EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
}

static void nothing(int sig)
{
}

TEST(exec, signal_state)
{
	static char stack[20000];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
	sigset_t set;

	signal(SIGUSR1, nothing);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(sigaltstack(&ss, NULL));
	EXPECT_CHILD(RUN("action", "10"), 0);
	EXPECT_CHILD(RUN("action", "12"), 1);
	EXPECT_CHILD(RUN("mask", "15"), 1);
	EXPECT_CHILD(RUN("altstack"), SS_DISABLE);
}

TEST(exec, pending_signals_stay)
{
	sigset_t set;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
		raise(SIGTERM);
		execve(SELF, (char *[]){"t", "--helper", "pending", "15", NULL}, environ);
	}
	EXPECT_CHILD(pid, 1);
}

TEST(exec, name_is_the_file)
{
	EXPECT_CHILD(RUN("name", "exe"), 1);
	copy_self("a-rather-long-file-name", 0755);
	pid_t pid = CHECK_OK(fork());
	if (pid == 0) {
		execve("./a-rather-long-file-name",
			(char *[]){"t", "--helper", "name", "a-rather-long-f", NULL}, environ);
		_exit(90);
	}
	EXPECT_CHILD(pid, 1);
}

TEST(exec, umask_and_cwd_stay)
{
	umask(025);
	EXPECT_CHILD(RUN("umask"), 025);
}

TEST(exec, setuid_program)
{
	char path[200];

	CHECK_OK(mkdir("d", 0755));
	copy_self("d/p", 0755);
	CHECK_OK(chown("d/p", 1000, 1000));
	CHECK_OK(chmod("d/p", 04755));
	CHECK(getcwd(path, sizeof(path)));
	pid_t pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(setresuid(2000, 2000, 2000));
		execve("d/p", (char *[]){"p", "--helper", "secure", NULL}, environ);
		_exit(90);
	}
	EXPECT_CHILD(pid, 1 | 2); /* secure, other user, not dumpable */
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(setresuid(2000, 2000, 2000));
		CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		execve("d/p", (char *[]){"p", "--helper", "secure", NULL}, environ);
		_exit(90);
	}
	EXPECT_CHILD(pid, 4);
	EXPECT_CHILD(RUN("secure"), 4);
}

static int run_as_2000(void *arg)
{
	(void)arg;
	CHECK_OK(setresuid(2000, 2000, 2000));
	execve("d/p", (char *[]){"p", "--helper", "secure", NULL}, environ);
	_exit(90);
}

/* The other could change its working directory: man 2 execve. */
TEST(exec, setuid_program_that_shares_its_place_gains_nothing)
{
	static char stack[65536] __attribute__((aligned(16)));

	CHECK_OK(mkdir("d", 0755));
	copy_self("d/p", 0755);
	CHECK_OK(chown("d/p", 1000, 1000));
	CHECK_OK(chmod("d/p", 04755));
	EXPECT_CHILD(CHECK_OK(clone(run_as_2000, stack + sizeof(stack), SIGCHLD, NULL)), 1 | 2);
	EXPECT_CHILD(
		CHECK_OK(clone(run_as_2000, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL)),
		1 | 4);
}

TEST(exec, execveat)
{
	int fd = CHECK_OK(open(SELF, O_RDONLY | O_CLOEXEC)), dir = CHECK_OK(open(".", O_PATH));
	char *argv[] = {"t", "--helper", "exit", "7", NULL};
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		_exit(90);
	}
	EXPECT_CHILD(pid, 7);
	copy_self("p", 0755);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		syscall(SYS_execveat, dir, "p", argv, environ, 0);
		_exit(90);
	}
	EXPECT_CHILD(pid, 7);
	CHECK_OK(symlink("p", "l"));
	CHECK_ERRNO(syscall(SYS_execveat, dir, "l", argv, environ, AT_SYMLINK_NOFOLLOW), ELOOP);
	CHECK_ERRNO(syscall(SYS_execveat, dir, "p", argv, environ, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_execveat, fd, "", argv, environ, 0), ENOENT);
	CHECK_ERRNO(syscall(SYS_execveat, 99, "p", argv, environ, 0), EBADF);
}

TEST(exec, argument_too_long)
{
	size_t size = 32 * 4096;
	char *big = malloc(size + 10);

	memset(big, 'x', size + 10);
	big[size] = 0; /* MAX_ARG_STRLEN is 32 pages with the end */
	CHECK_ERRNO(execve(SELF, (char *[]){"t", big, NULL}, NULL), E2BIG);
	big[size - 1] = 0;
	EXPECT_CHILD(run((char *[]){"t", "--helper", "args", big, NULL}), 2);
}

TEST(exec, arguments_too_many)
{
	static char *argv[200000];
	static char word[100];

	memset(word, 'y', 99);
	for (int i = 0; i < 199999; i++)
		argv[i] = word;
	CHECK_ERRNO(execve(SELF, argv, NULL), E2BIG);
}

TEST(exec, arguments_are_limited_by_the_stack_limit)
{
	static char *argv[1500];
	static char word[1000];
	struct rlimit limit = {1 << 20, 1 << 20};

	memset(word, 'y', 999);
	for (int i = 0; i < 1499; i++)
		argv[i] = word;
	argv[1] = "--helper";
	argv[2] = "exit";
	argv[3] = "5";
	EXPECT_CHILD(run(argv), 5);
	CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
	CHECK_ERRNO(execve(SELF, argv, NULL), E2BIG);
}

static char pid_text[20];

static void *exec_in_thread(void *arg)
{
	execve(SELF, (char *[]){"t", "--helper", "pid", pid_text, NULL}, environ);
	return NULL;
}

TEST(exec, from_another_thread_becomes_the_leader)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		pthread_t thread;

		snprintf(pid_text, sizeof(pid_text), "%d", getpid());
		pthread_create(&thread, NULL, exec_in_thread, NULL);
		for (;;)
			pause();
	}
	EXPECT_CHILD(pid, 1);
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

TEST(exec, other_threads_end)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		pthread_t thread;

		for (int i = 0; i < 5; i++)
			pthread_create(&thread, NULL, sleep_for_ever, NULL);
		execve(SELF, (char *[]){"t", "--helper", "exit", "3", NULL}, environ);
	}
	EXPECT_CHILD(pid, 3);
}

TEST(exec, vfork_and_exec)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(SELF, (char *[]){"t", "--helper", "exit", "11", NULL}, environ);
		_exit(90);
	}
	EXPECT_CHILD(pid, 11);
}

TEST(exec, auxiliary_vector)
{
	CHECK_EQ(getauxval(AT_PAGESZ), 4096);
	CHECK_EQ(getauxval(AT_UID), getuid());
	CHECK_EQ(getauxval(AT_EGID), getegid());
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK_EQ(getauxval(AT_CLKTCK), 100);
	CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	CHECK(getauxval(AT_PHNUM) > 1);
	CHECK(getauxval(AT_ENTRY) != 0);
	CHECK(getauxval(AT_RANDOM) != 0);
	CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
	CHECK_MEM((char *)getauxval(AT_SYSINFO_EHDR),
		"\x7f"
		"ELF",
		4);
	CHECK_STREQ((char *)getauxval(AT_PLATFORM), "x86_64");
	CHECK_STREQ((char *)getauxval(AT_EXECFN), "/tests/exec");
	CHECK_EQ(getauxval(AT_HWCAP) & 1, 1);
	CHECK_EQ(getauxval(AT_MINSIGSTKSZ) >= 1000, 1);
}

TEST(exec, random_bytes_differ)
{
	uint8_t mine[16];
	char path[64];
	int fd[2];
	pid_t pid;

	memcpy(mine, (void *)getauxval(AT_RANDOM), 16);
	CHECK_OK(pipe(fd));
	(void)path;
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_MEM((void *)getauxval(AT_RANDOM), mine, 16); /* fork keeps them */
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
}

TEST(exec, stack_is_aligned_and_executable_only_if_asked)
{
	char line[300];
	FILE *maps = fopen("/proc/self/maps", "r");
	bool seen = false;

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "[stack]")) {
			seen = true;
			CHECK(strstr(line, " rw-p "));
		}
	CHECK(seen);
}

/* Types in their order, without those that depend on the machine or came after Linux 6.1. */
TEST(exec, auxiliary_vector_is_complete)
{
	static const unsigned long want[] = {AT_SYSINFO_EHDR, AT_MINSIGSTKSZ, AT_HWCAP,
		AT_PAGESZ, AT_CLKTCK, AT_PHDR, AT_PHENT, AT_PHNUM, AT_BASE, AT_FLAGS, AT_ENTRY,
		AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE, AT_RANDOM, AT_HWCAP2, AT_EXECFN,
		AT_PLATFORM, AT_NULL};
	unsigned long v[128];
	int fd = CHECK_OK(open("/proc/self/auxv", O_RDONLY)), n = 0;
	ssize_t len = CHECK_OK(read(fd, v, sizeof(v)));

	for (ssize_t i = 0; i * 16 < len && n < (int)(sizeof(want) / sizeof(want[0])); i++) {
		if (v[2 * i] != want[n])
			FAIL("entry %d is %lu, not %lu", (int)i, v[2 * i], want[n]);
		n++;
	}
	CHECK_EQ(n, sizeof(want) / sizeof(want[0]));
}

/* s1 is run by s2, and so on; the last by this program. */
static void chain_of_scripts(int nr)
{
	char path[200], text[300], name[20];

	copy_self("prog", 0755);
	CHECK(getcwd(path, sizeof(path)));
	for (int i = 1; i <= nr; i++) {
		if (i == nr)
			snprintf(text, sizeof(text), "#!%s/prog --helper\n", path);
		else
			snprintf(text, sizeof(text), "#!%s/s%d\n", path, i + 1);
		snprintf(name, sizeof(name), "s%d", i);
		put_file(name, text);
		CHECK_OK(chmod(name, 0755));
	}
}

TEST(exec, scripts_of_scripts)
{
	pid_t pid;

	chain_of_scripts(5);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		execve("./s1", (char *[]){"s1", NULL}, environ);
		_exit(errno == ELOOP ? 91 : 90);
	}
	EXPECT_CHILD(pid, 98);
	chain_of_scripts(6);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		execve("./s1", (char *[]){"s1", NULL}, environ);
		_exit(errno == ELOOP ? 91 : 90);
	}
	EXPECT_CHILD(pid, 91);
}

TEST(exec, script_whose_interpreter_cannot_run)
{
	put_file("s", "#!/tmp\n");
	CHECK_OK(chmod("s", 0755));
	CHECK_ERRNO(execve("./s", (char *[]){"s", NULL}, environ), EACCES);
	put_file("plain", "#!/bin/sh\n");
	put_file("s", "#!./plain\n");
	CHECK_ERRNO(execve("./s", (char *[]){"s", NULL}, environ), EACCES);
	put_file("s", "#!./s/x\n");
	CHECK_ERRNO(execve("./s", (char *[]){"s", NULL}, environ), ENOTDIR);
	put_file("s", "#!relative");
	CHECK_ERRNO(execve("./s", (char *[]){"s", NULL}, environ), ENOENT);
	put_file("s", " #!/bin/sh\n");
	CHECK_ERRNO(execve("./s", (char *[]){"s", NULL}, environ), ENOEXEC);
}

static volatile int thread_ready;

static void *exec_fails(void *arg)
{
	(void)arg;
	thread_ready = 1;
	pause();
	return NULL;
}

TEST(exec, failed_exec_keeps_the_other_threads)
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, exec_fails, NULL), 0);
	while (!thread_ready)
		sleep_ms(1);
	CHECK_ERRNO(execve("missing", NULL, NULL), ENOENT);
	put_file("text", "words");
	CHECK_OK(chmod("text", 0755));
	CHECK_ERRNO(execve("./text", NULL, NULL), ENOEXEC);
	sleep_ms(20);
	CHECK_EQ(pthread_kill(t, 0), 0);
	CHECK_EQ(get_number("/proc/self/status", "Threads:"), 2);
}
