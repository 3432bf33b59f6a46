// SPDX-License-Identifier: MIT
/*
 * The runner that is linked with each file of guest tests: `pipe [PATTERN]` runs what matches.
 *
 * It asks little of the kernel, so that the first tests run early: fork, wait4, mkdir, and
 * rt_sigtimedwait for the time limit. Every line is one write, so that lines of several
 * processes do not mix.
 */
#include "guest.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <sys/mman.h>

static struct guest_test *tests, **last = &tests;
static const struct guest_test *current;
static pid_t current_pid;

void guest_add(struct guest_test *test)
{
	*last = test;
	last = &test->next;
}

/* ---- Lines ---- */

static void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void print_text(char *line, size_t size, int len)
{
	if (len > (int)size - 2)
		len = size - 2;
	for (int i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || (unsigned char)line[i] > '~')
			line[i] = '?';
	line[len] = '\n';
	if (write(1, line, len + 1) < 0)
		_exit(CHILD_FAILED);
}

static void print(const char *fmt, ...)
{
	char line[900];
	va_list args;

	va_start(args, fmt);
	print_text(line, sizeof(line), vsnprintf(line, sizeof(line), fmt, args));
	va_end(args);
}

/* The end of this process with `kind area.name: where why`, or with a note if it is a child. */
static _Noreturn void end(const char *kind, const char *where, const char *fmt, va_list args)
{
	char why[700];

	vsnprintf(why, sizeof(why), fmt, args);
	if (getpid() == current_pid) {
		print("%s %s.%s: %s%s", kind, current->area, current->name, where, why);
		_exit(REPORTED);
	}
	print("# %s.%s: in a child: %s%s", current->area, current->name, where, why);
	_exit(CHILD_FAILED);
}

void guest_fail(const char *file, int line, const char *fmt, ...)
{
	char where[80];
	va_list args;

	snprintf(where, sizeof(where),
		"%s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
	va_start(args, fmt);
	end("not ok", where, fmt, args);
}

void guest_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end("skip", "", fmt, args);
}

void guest_show(const char *fmt, ...)
{
	char line[900];
	va_list args;
	int len = snprintf(line, sizeof(line), "= %s.%s: ", current->area, current->name);

	va_start(args, fmt);
	len += vsnprintf(line + len, sizeof(line) - len, fmt, args);
	va_end(args);
	print_text(line, sizeof(line), len);
}

const char *errno_name(int error)
{
	static char number[16];
#define NAME(e) [e] = #e
	static const char *const names[] = {
		[0] = "no errno",
		NAME(EPERM),
		NAME(ENOENT),
		NAME(ESRCH),
		NAME(EINTR),
		NAME(EIO),
		NAME(ENXIO),
		NAME(E2BIG),
		NAME(ENOEXEC),
		NAME(EBADF),
		NAME(ECHILD),
		NAME(EAGAIN),
		NAME(ENOMEM),
		NAME(EACCES),
		NAME(EFAULT),
		NAME(ENOTBLK),
		NAME(EBUSY),
		NAME(EEXIST),
		NAME(EXDEV),
		NAME(ENODEV),
		NAME(ENOTDIR),
		NAME(EISDIR),
		NAME(EINVAL),
		NAME(ENFILE),
		NAME(EMFILE),
		NAME(ENOTTY),
		NAME(ETXTBSY),
		NAME(EFBIG),
		NAME(ENOSPC),
		NAME(ESPIPE),
		NAME(EROFS),
		NAME(EMLINK),
		NAME(EPIPE),
		NAME(EDOM),
		NAME(ERANGE),
		NAME(EDEADLK),
		NAME(ENAMETOOLONG),
		NAME(ENOLCK),
		NAME(ENOSYS),
		NAME(ENOTEMPTY),
		NAME(ELOOP),
		NAME(ENODATA),
		NAME(ETIME),
		NAME(EOVERFLOW),
		NAME(EBADFD),
		NAME(EILSEQ),
		NAME(ENOTSOCK),
		NAME(EDESTADDRREQ),
		NAME(EMSGSIZE),
		NAME(EPROTOTYPE),
		NAME(ENOPROTOOPT),
		NAME(EPROTONOSUPPORT),
		NAME(ESOCKTNOSUPPORT),
		NAME(EOPNOTSUPP),
		NAME(EPFNOSUPPORT),
		NAME(EAFNOSUPPORT),
		NAME(EADDRINUSE),
		NAME(EADDRNOTAVAIL),
		NAME(ENETDOWN),
		NAME(ENETUNREACH),
		NAME(ECONNABORTED),
		NAME(ECONNRESET),
		NAME(ENOBUFS),
		NAME(EISCONN),
		NAME(ENOTCONN),
		NAME(ETOOMANYREFS),
		NAME(ETIMEDOUT),
		NAME(ECONNREFUSED),
		NAME(EALREADY),
		NAME(EINPROGRESS),
		NAME(ESTALE),
		NAME(ECANCELED),
		NAME(EOWNERDEAD),
		NAME(ENOTRECOVERABLE),
	};
#undef NAME
	if (error >= 0 && error < (int)(sizeof(names) / sizeof(*names)) && names[error])
		return names[error];
	snprintf(number, sizeof(number), "errno %d", error);
	return number;
}

/* ---- Helpers of tests ---- */

void guest_expect_child(const char *file, int line, pid_t pid, int status)
{
	int came;

	if (waitpid(pid, &came, 0) != pid)
		guest_fail(file, line, "waiting for the child: %s", errno_name(errno));
	if (WIFSIGNALED(came))
		guest_fail(file, line,
			"the child was killed by signal %d, expected exit status %d",
			WTERMSIG(came), status);
	if (!WIFEXITED(came) || WEXITSTATUS(came) != status)
		guest_fail(file, line, "the child's exit status was %d, not %d",
			WEXITSTATUS(came), status);
}

void guest_expect_killed(const char *file, int line, pid_t pid, int sig)
{
	int came;

	if (waitpid(pid, &came, 0) != pid)
		guest_fail(file, line, "waiting for the child: %s", errno_name(errno));
	if (!WIFSIGNALED(came) || WTERMSIG(came) != sig)
		guest_fail(file, line, "the child's status was 0x%x, not killed by signal %d",
			came, sig);
}

void sleep_ms(unsigned ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR) {
	}
}

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* It has long to get there: a slow machine may stand still meanwhile. */
void wait_until_sleeping(pid_t pid)
{
	char path[40], stat[400];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int tries = 0; tries < 3000; tries++) {
		char *state;

		if (get_file(path, stat, sizeof(stat)) < 0) {
			sleep_ms(100);
			return;
		}
		state = strrchr(stat, ')');
		if (state && (state[2] == 'S' || state[2] == 'T' || state[2] == 'Z'))
			return;
		sleep_ms(2);
	}
	FAIL("process %d did not fall asleep", pid);
}

void announce_sleep(volatile pid_t *sleeper)
{
	__atomic_store_n(sleeper, gettid(), __ATOMIC_SEQ_CST);
}

void wait_until_asleep(const volatile pid_t *sleeper)
{
	pid_t tid;

	while (!(tid = __atomic_load_n(sleeper, __ATOMIC_SEQ_CST)))
		sleep_ms(1);
	wait_until_sleeping(tid);
}

void wait_until_gone(pid_t tid)
{
	for (int tries = 0; tries < 5000; tries++) {
		if (syscall(SYS_tgkill, getpid(), tid, 0) < 0)
			return;
		sleep_ms(2);
	}
	FAIL("thread %d does not end", tid);
}

pid_t send_when_asleep(int sig)
{
	pid_t sleeper = gettid(), pid = CHECK_OK(fork());

	if (pid == 0) {
		wait_until_sleeping(sleeper);
		CHECK_OK(kill(sleeper, sig));
		_exit(0);
	}
	return pid;
}

void put_file(const char *path, const char *content)
{
	int fd = CHECK_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	CHECK_EQ(write(fd, content, strlen(content)), strlen(content));
	CHECK_OK(close(fd));
}

ssize_t get_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0, n;

	if (fd < 0)
		return -1;
	while (len < (ssize_t)size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	buf[len] = 0;
	close(fd);
	return len;
}

bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

long long get_number(const char *path, const char *key)
{
	static char text[65536];
	size_t len = strlen(key);

	if (get_file(path, text, sizeof(text)) < 0)
		return -1;
	for (char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
		if (!strncmp(line, key, len))
			return strtoll(line + len + strspn(line + len, ": \t"), NULL, 0);
	return -1;
}

long long word_of_cmdline(const char *key, long long otherwise)
{
	char text[2048], *at;

	if (get_file("/proc/cmdline", text, sizeof(text)) < 0)
		return otherwise;
	at = strstr(text, key);
	return at ? strtoll(at + strlen(key), NULL, 0) : otherwise;
}

__attribute__((weak)) int guest_helper(int argc, char **argv)
{
	(void)argv;
	return argc;
}

/* ---- Running ---- */

static void make_own_folder(void)
{
	char path[200];

	umask(022);
	snprintf(path, sizeof(path), "/tmp/%s.%s", current->area, current->name);
	if (mkdir(path, 0777) < 0 || chdir(path) < 0)
		(void)!chdir("/"); /* what needs a folder will say so */
}

/* The status of the child, or -1 when its time is over. */
static int wait_for(pid_t pid, unsigned seconds)
{
	struct timespec limit = {seconds, 0};
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return status;
		if (sigtimedwait(&set, NULL, &limit) < 0) {
			if (errno == EAGAIN)
				return -1;
			if (errno != EINTR) /* not there yet: no limit */
				return waitpid(pid, &status, 0) == pid ? status : -1;
		}
	}
}

/* A test is not: init.c. */
static void be_spared_no_more(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	(void)!write(fd, "0", 1);
	close(fd);
}

/* Runs one test; whether it did not fail. */
static bool run_test(const struct guest_test *test)
{
	const char *why = NULL;
	char text[40];
	int status;
	pid_t pid;

	current = test;
	pid = fork();
	if (pid == 0) {
		sigset_t none;

		current_pid = getpid();
		setpgid(0, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		make_own_folder();
		be_spared_no_more();
		test->run();
		if (getpid() != current_pid)
			_exit(0);
		print("ok %s.%s", test->area, test->name);
		_exit(0);
	}
	if (pid < 0) {
		print("not ok %s.%s: fork: %s", test->area, test->name, errno_name(errno));
		return false;
	}
	status = wait_for(pid, test->seconds);
	kill(-pid, SIGKILL);
	if (status < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		why = "no end in its time";
	} else if (WIFSIGNALED(status)) {
		snprintf(text, sizeof(text), "killed by signal %d", WTERMSIG(status));
		why = text;
	} else if (WEXITSTATUS(status) && WEXITSTATUS(status) != REPORTED) {
		snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
		why = text;
	}
	if (why)
		print("not ok %s.%s: %s", test->area, test->name, why);
	while (waitpid(-1, NULL, WNOHANG) > 0) {
	}
	return !why && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	const char *pattern = argc > 1 ? argv[1] : "*";
	bool good = true;
	sigset_t set;

	if (!strcmp(pattern, "--helper"))
		return guest_helper(argc - 2, argv + 2);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (struct guest_test *test = tests; test; test = test->next) {
		char name[200];

		snprintf(name, sizeof(name), "%s.%s", test->area, test->name);
		if (fnmatch(pattern, name, 0) == 0)
			good &= run_test(test);
	}
	return !good;
}
