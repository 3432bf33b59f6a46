// SPDX-License-Identifier: MIT
/*
 * Process 1 of the machine that runs the guest tests. It mounts what a Linux program expects to
 * find, runs the lines of /tests/plan (`PROGRAM [PATTERN]`), says that it is done, and switches
 * the machine off.
 *
 * A kernel that lacks one of the filesystems gets the tests all the same; what needs it fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *text)
{
	(void)!write(1, text, strlen(text));
}

/* Whoever runs tests is never to end for want of memory: on Torus' debug kernels that spares it failsome=, too. */
static void be_spared(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	(void)!write(fd, "-1000", 5);
	close(fd);
}

static void mount_on(const char *path, const char *type)
{
	mkdir(path, 0755);
	(void)mount(type, path, type, 0, NULL);
}

/* Descriptors 0 to 2. The kernel has opened /dev/console, unless the archive had none. */
static void open_console(void)
{
	int fd;

	if (fcntl(1, F_GETFD) >= 0)
		return;
	fd = open("/dev/console", O_RDWR);
	if (fd < 0)
		return;
	for (int to = 0; to < 3; to++)
		dup2(fd, to);
}

static void run(char *line)
{
	char *pattern = strchr(line, ' ');
	char path[100];
	int status;
	pid_t pid, done;

	if (pattern)
		*pattern++ = 0;
	snprintf(path, sizeof(path), "/tests/%s", line);
	pid = fork();
	if (pid == 0) {
		char *argv[] = {path, pattern, NULL};
		char *envp[] = {"PATH=/bin:/sbin:/usr/bin", "HOME=/", "TERM=linux", NULL};

		setsid();
		execve(path, argv, envp);
		say("# cannot execute ");
		say(path);
		say("\n");
		_exit(1);
	}
	if (pid < 0) {
		say("# fork failed\n");
		return;
	}
	do {
		done = wait(&status); /* and whatever lost its parent */
	} while (done != pid && (done > 0 || errno == EINTR));
	if (WIFSIGNALED(status)) {
		char text[140];

		snprintf(text, sizeof(text), "# %s was killed by signal %d\n", path,
			WTERMSIG(status));
		say(text);
	}
}

int main(void)
{
	static char plan[65536];
	ssize_t len = 0;
	int fd;

	open_console();
	mount_on("/proc", "proc");
	mount_on("/sys", "sysfs");
	mount_on("/dev", "devtmpfs");
	mount_on("/dev/pts", "devpts");
	mount_on("/dev/shm", "tmpfs");
	mount_on("/tmp", "tmpfs");
	chmod("/tmp", 01777);
	be_spared();
	say("# guest tests start\n");
	fd = open("/tests/plan", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		len = read(fd, plan, sizeof(plan) - 1);
	if (len <= 0)
		say("# there is no /tests/plan\n");
	for (char *line = strtok(plan, "\n"); line; line = strtok(NULL, "\n"))
		run(line);
	say("# guest tests end\n");
	sync();
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT); /* with QEMU's -no-reboot the same */
	for (;;)
		pause();
}
