// SPDX-License-Identifier: MIT
/*
 * Process 1 of the machine that runs the program tests (tests/programs/run). It runs the lines of
 * /tests/plan, `NAME<tab>SECONDS<tab>PROGRAM`, one after another, and writes what each prints to
 * the console in a form that the host can take apart whatever it contains:
 *
 *     @begin shell.loops
 *     |a line of its standard output or standard error
 *     \a last line without a line feed
 *     @end shell.loops exit 0 1234          (or `signal 9`, `timeout 60`; then milliseconds)
 *
 * Each test gets a session, an empty /tmp of its own as its working folder, and no terminal. What
 * it leaves running is killed: process 1 is the only process between two tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 4096

static char line[LINE_BYTES];
static size_t line_len;

static void write_all(const char *text, size_t len)
{
	while (len) {
		ssize_t put = write(1, text, len);

		if (put < 0 && errno != EINTR)
			return;
		if (put > 0) {
			text += put;
			len -= put;
		}
	}
}

static void say(const char *text)
{
	write_all(text, strlen(text));
}

static void mount_on(const char *path, const char *type, const char *data)
{
	mkdir(path, 0755);
	(void)mount(type, path, type, 0, data);
}

/* As on any machine that has booted; without AF_INET there is nothing to do. man 7 netdevice */
static void bring_loopback_up(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
}

/* The console as a byte stream: no echo, no line feed made into two characters. */
static void make_console_raw(void)
{
	struct termios mode;

	if (fcntl(1, F_GETFD) < 0) {
		int fd = open("/dev/console", O_RDWR);

		for (int to = 0; fd >= 0 && to < 3; to++)
			dup2(fd, to);
	}
	if (tcgetattr(1, &mode) == 0) {
		mode.c_oflag &= ~OPOST;
		mode.c_lflag &= ~(ECHO | ICANON | ISIG);
		tcsetattr(1, TCSANOW, &mode);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* ---- What a test prints ---- */

static void flush_line(char mark)
{
	char head = mark, tail = '\n';

	write_all(&head, 1);
	write_all(line, line_len);
	write_all(&tail, 1);
	line_len = 0;
}

static void take_output(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			flush_line('|');
			continue;
		}
		line[line_len++] = data[i];
		if (line_len == sizeof(line))
			flush_line('\\');
	}
}

/* Reads what is there, a bounded amount: `yes` must not outrun its time limit. False at the end. */
static int drain(int fd)
{
	char data[4096];
	ssize_t got = 0;

	for (int part = 0; part < 16 && (got = read(fd, data, sizeof(data))) > 0; part++)
		take_output(data, got);
	return got != 0;
}

/* ---- One test ---- */

static void become_test(const char *program, int out)
{
	static char *envp[] = {"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "TERM=vt100", "LC_ALL=C.UTF-8", "USER=root", "LOGNAME=root",
		"SHELL=/bin/sh", NULL};
	char *argv[] = {(char *)program, NULL};
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	if (null > 2)
		close(null);
	if (chdir("/tmp") < 0)
		_exit(126);
	execve(program, argv, envp);
	dprintf(2, "cannot execute %s: %s\n", program, strerror(errno));
	_exit(127);
}

/* Waits for the test itself; orphans that end meanwhile are reaped. 0, or -1 when its time is up. */
static int wait_for(pid_t test, int out, int64_t deadline, int *status)
{
	struct pollfd wait = {out, POLLIN, 0};

	for (;;) {
		int left = deadline - now_ms();
		pid_t done;

		while ((done = waitpid(-1, status, WNOHANG)) > 0) {
			if (done == test)
				return 0;
		}
		if (left <= 0)
			return -1;
		if (wait.fd < 0 || poll(&wait, 1, left < 20 ? left : 20) == 0)
			continue;
		if (wait.revents && !drain(out))
			wait.fd = -1;
		if (wait.fd < 0)
			poll(NULL, 0, 5);
	}
}

static void kill_the_rest(void)
{
	kill(-1, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

static void run(const char *name, int seconds, const char *program)
{
	int64_t begin = now_ms();
	int out[2], status = 0, late;
	char how[LINE_BYTES];
	pid_t test;

	snprintf(how, sizeof(how), "@begin %s\n", name);
	say(how);
	mount_on("/tmp", "tmpfs", "mode=1777");
	if (pipe2(out, O_CLOEXEC) < 0)
		return;
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	test = fork();
	if (test == 0)
		become_test(program, out[1]);
	close(out[1]);
	late = test < 0 || wait_for(test, out[0], begin + seconds * 1000LL, &status) < 0;
	kill_the_rest();
	drain(out[0]);
	if (line_len)
		flush_line('\\');
	close(out[0]);
	while (umount2("/tmp", MNT_DETACH) == 0)
		;
	if (late)
		snprintf(how, sizeof(how), "@end %s timeout %d %lld\n", name, seconds,
			(long long)(now_ms() - begin));
	else
		snprintf(how, sizeof(how), "@end %s %s %d %lld\n", name,
			WIFSIGNALED(status) ? "signal" : "exit",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			(long long)(now_ms() - begin));
	say(how);
}

int main(void)
{
	char entry[LINE_BYTES];
	FILE *plan;

	make_console_raw();
	mount_on("/proc", "proc", NULL);
	mount_on("/sys", "sysfs", NULL);
	mount_on("/dev", "devtmpfs", NULL);
	mount_on("/dev/pts", "devpts", "ptmxmode=0666,mode=620,gid=5");
	mount_on("/dev/shm", "tmpfs", "mode=1777");
	mount_on("/run", "tmpfs", NULL);
	bring_loopback_up();
	(void)symlink("/proc/self/fd", "/dev/fd");
	(void)symlink("fd/0", "/dev/stdin");
	(void)symlink("fd/1", "/dev/stdout");
	(void)symlink("fd/2", "/dev/stderr");
	(void)symlink("pts/ptmx", "/dev/ptmx");
	plan = fopen("/tests/plan", "re");
	say("@start\n");
	while (plan && fgets(entry, sizeof(entry), plan)) {
		char *name = strtok(entry, "\t\n"), *seconds = strtok(NULL, "\t\n"),
		     *program = strtok(NULL, "\t\n");

		if (program)
			run(name, atoi(seconds), program);
	}
	say("@done\n");
	sync();
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT); /* with QEMU's -no-reboot the same */
	for (;;)
		pause();
}
