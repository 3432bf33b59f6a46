// SPDX-License-Identifier: MIT
/*
 * Process 1 of `./torus run -- PROGRAM`: runs one program and tells how it ended.
 *
 * What to run is in files that ./torus puts into the initramfs:
 *
 *     /torus/argv      the program and its arguments, each ended by a zero byte
 *     /torus/environ   the environment, likewise
 *     /torus/stdin     if present, the program's standard input; the terminal otherwise
 *     /torus/exact     if present, output passes the terminal unchanged (no CR before LF)
 *
 * The program's status, as a shell would say it, is the last thing that this prints:
 * a line "\x1etorus-exit STATUS\x1e", which ./torus takes out of what it shows. So the status
 * needs nothing of the kernel but a console that prints. As a process 1 should, it reaps
 * whatever lost its parent.
 *
 * Spec    man 7 boot, man 2 reboot; sh(1p), 2.8.2: exit status for commands
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
	MAX_WORDS = 4096,
	STATUS_NOT_FOUND = 127, /* sh(1p) 2.8.2 */
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_SIGNAL = 128
};

static void say(const char *text)
{
	(void)!write(1, text, strlen(text));
}

/* A kernel may lack one; a root filesystem may have brought its own. */
static void mount_on(const char *path, const char *type, unsigned long flags, const char *data)
{
	mkdir(path, 0755);
	(void)mount(type, path, type, flags, data);
}

static void mount_all(void)
{
	mount_on("/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_on("/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_on("/dev", "devtmpfs", MS_NOSUID, NULL);
	mount_on("/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=620,ptmxmode=666");
	mount_on("/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL);
	mount_on("/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
	(void)symlink("/proc/self/fd", "/dev/fd");
	(void)symlink("fd/0", "/dev/stdin");
	(void)symlink("fd/1", "/dev/stdout");
	(void)symlink("fd/2", "/dev/stderr");
}

/* The words of a file of zero-ended strings, and a null pointer. */
static char **words_of(const char *path)
{
	static char *none[1];
	struct stat st;
	char **words, *text;
	size_t nr = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return none;
	text = calloc(1, st.st_size + 1);
	words = calloc(MAX_WORDS + 1, sizeof(*words));
	if (!text || !words || read(fd, text, st.st_size) != st.st_size)
		return none;
	close(fd);
	for (char *at = text; at < text + st.st_size && nr < MAX_WORDS; at += strlen(at) + 1)
		words[nr++] = at;
	return words;
}

/* The serial line that the user sees: ttyS0, if the kernel's console is another; the console else. */
static void open_terminal(void)
{
	int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/console", O_RDWR | O_NOCTTY);
	if (fd < 0)
		return; /* whatever the kernel has opened */
	for (int to = 0; to < 3; to++)
		dup2(fd, to);
	if (fd > 2)
		close(fd);
}

static void make_exact(void)
{
	struct termios settings;

	if (access("/torus/exact", F_OK) < 0 || tcgetattr(1, &settings) < 0)
		return;
	settings.c_oflag &= ~OPOST;
	(void)tcsetattr(1, TCSANOW, &settings);
}

static int wait_for(pid_t pid)
{
	int status;
	pid_t done;

	do {
		done = wait(&status);
	} while (done != pid && (done > 0 || errno == EINTR));
	if (done != pid)
		return STATUS_NOT_EXECUTABLE;
	return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static _Noreturn void become(char **argv, char **environ_words)
{
	int input = open("/torus/stdin", O_RDONLY), error;

	if (input >= 0) {
		dup2(input, 0);
		close(input);
	}
	environ = environ_words;
	execvp(argv[0], argv);
	error = errno;
	say(argv[0]);
	say(": ");
	say(strerror(error));
	say("\n");
	_exit(error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

/*
 * The leader of the session that has the terminal. It is not the program: when a leader ends, the
 * terminal hangs up, and what the program wrote last might still be on its way. Its group is an
 * orphaned one, so ^Z does not stop a program that nobody could continue.
 */
static _Noreturn void lead(char **argv, char **environ_words)
{
	static const int from_keys[] = {SIGINT, SIGQUIT, SIGHUP};
	int status;
	pid_t pid;

	setsid();
	(void)ioctl(0, TIOCSCTTY, 1);
	pid = fork();
	if (pid == 0)
		become(argv, environ_words);
	for (size_t i = 0; i < sizeof(from_keys) / sizeof(*from_keys); i++)
		signal(from_keys[i], SIG_IGN);
	status = pid < 0 ? STATUS_NOT_EXECUTABLE : wait_for(pid);
	(void)tcdrain(1);
	_exit(status);
}

int main(void)
{
	char **argv = words_of("/torus/argv"), **env = words_of("/torus/environ");
	char text[40];
	pid_t pid;

	mount_all();
	open_terminal();
	make_exact();
	pid = fork();
	if (pid == 0)
		lead(argv, env);
	snprintf(text, sizeof(text), "\x1etorus-exit %d\x1e\n",
		pid < 0 ? STATUS_NOT_EXECUTABLE : wait_for(pid));
	kill(-1, SIGKILL); /* nobody speaks after the last word */
	open_terminal();   /* it has hung up */
	say(text);
	(void)tcdrain(1);
	sync();
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
