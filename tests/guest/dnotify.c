// SPDX-License-Identifier: MIT
/* fcntl(2), F_NOTIFY: a signal when something happens in a directory. */
#include "guest.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static int nr_signals;
static siginfo_t last;

static void count(int sig, siginfo_t *si, void *context)
{
	(void)sig, (void)context;
	nr_signals++;
	last = *si;
}

static void handle(int sig)
{
	struct sigaction act = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_RESTART};

	CHECK_OK(sigaction(sig, &act, NULL));
}

/* How many signals came since the last time. */
static int signals(void)
{
	int n = nr_signals;

	nr_signals = 0;
	return n;
}

static void make(const char *name)
{
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT, 0644));

	CHECK_EQ(write(fd, "text", 4), 4);
	CHECK_OK(close(fd));
}

/* "d", watched, with "f" and "sub" in it, and "other" beside it; its descriptor. */
static int folder(void)
{
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(mkdir("d/sub", 0755));
	CHECK_OK(mkdir("other", 0755));
	make("d/f");
	handle(SIGIO);
	return CHECK_OK(open("d", O_RDONLY | O_DIRECTORY));
}

TEST(dnotify, tells_once)
{
	int fd = folder();

	CHECK_OK(fcntl(fd, F_NOTIFY, DN_CREATE));
	CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
	CHECK_EQ(signals(), 0);
	make("d/g");
	CHECK_EQ(signals(), 1);
	SHOW("code is SI_KERNEL: %d, band %ld", last.si_code == SI_KERNEL, (long)last.si_band);
	make("d/h");
	CHECK_EQ(signals(), 0);
}

TEST(dnotify, multishot_tells_until_it_is_taken_away)
{
	int fd = folder();

	CHECK_OK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	make("d/g");
	make("d/h");
	CHECK_EQ(signals(), 2);
	CHECK_OK(fcntl(fd, F_NOTIFY, DN_DELETE)); /* added to what there is */
	CHECK_OK(unlink("d/g"));
	make("d/i");
	CHECK_EQ(signals(), 2);
	CHECK_OK(fcntl(fd, F_NOTIFY, DN_MULTISHOT)); /* nothing: no more */
	make("d/j");
	CHECK_EQ(signals(), 0);
}

TEST(dnotify, each_kind_of_event)
{
	static const unsigned kinds[] = {
		DN_ACCESS, DN_MODIFY, DN_CREATE, DN_DELETE, DN_RENAME, DN_ATTRIB};
	static const char *const names[] = {
		"access", "modify", "create", "delete", "rename", "attrib"};
	char c[100];
	int fd = folder(), f = CHECK_OK(open("d/f", O_RDWR)), again;

	for (int i = 0; i < 6; i++) {
		CHECK_OK(fcntl(fd, F_NOTIFY, kinds[i] | DN_MULTISHOT));
		CHECK_OK(pread(f, c, 1, 0));
		SHOW("%s, read: %d", names[i], signals());
		CHECK_OK(pwrite(f, "x", 1, 0));
		SHOW("%s, write: %d", names[i], signals());
		CHECK_OK(truncate("d/f", 2));
		SHOW("%s, truncate: %d", names[i], signals());
		CHECK_OK(fchmod(f, 0600 + i));
		SHOW("%s, chmod: %d", names[i], signals());
		CHECK_OK(utimensat(AT_FDCWD, "d/f", NULL, 0));
		SHOW("%s, utime: %d", names[i], signals());
		CHECK_OK(mkdir("d/dir", 0755));
		SHOW("%s, mkdir: %d", names[i], signals());
		CHECK_OK(chmod("d/dir", 0700));
		SHOW("%s, chmod of a directory: %d", names[i], signals());
		CHECK_OK(rename("d/dir", "d/moved"));
		SHOW("%s, renamed within: %d", names[i], signals());
		CHECK_OK(rename("d/moved", "other/moved"));
		SHOW("%s, renamed out: %d", names[i], signals());
		CHECK_OK(rename("other/moved", "d/moved"));
		SHOW("%s, renamed in: %d", names[i], signals());
		CHECK_OK(rmdir("d/moved"));
		SHOW("%s, rmdir: %d", names[i], signals());
		CHECK_OK(link("d/f", "d/link"));
		SHOW("%s, link: %d", names[i], signals());
		CHECK_OK(unlink("d/link"));
		SHOW("%s, unlink: %d", names[i], signals());
		CHECK_OK(chmod("d", 0755));
		SHOW("%s, chmod of itself: %d", names[i], signals());
		again = CHECK_OK(open("d", O_RDONLY));
		CHECK_OK(syscall(SYS_getdents64, again, c, sizeof(c)));
		CHECK_OK(close(again));
		SHOW("%s, listed: %d", names[i], signals());
		make("d/sub/deep");
		CHECK_OK(unlink("d/sub/deep"));
		SHOW("%s, in a folder below: %d", names[i], signals());
		CHECK_OK(fcntl(fd, F_NOTIFY, 0));
	}
}

TEST(dnotify, chosen_signal_says_which_descriptor)
{
	int fd = folder(), other = CHECK_OK(open("other", O_RDONLY));

	handle(SIGRTMIN);
	CHECK_OK(fcntl(fd, F_SETSIG, SIGRTMIN));
	CHECK_OK(fcntl(other, F_SETSIG, SIGRTMIN));
	CHECK_OK(fcntl(fd, F_NOTIFY, DN_CREATE));
	CHECK_OK(fcntl(other, F_NOTIFY, DN_DELETE | DN_CREATE | DN_MULTISHOT));
	make("other/f");
	CHECK_EQ(signals(), 1);
	CHECK_EQ(last.si_fd, other);
	SHOW("code %d, band %lx", last.si_code, (long)last.si_band);
	make("d/g");
	CHECK_EQ(signals(), 1);
	CHECK_EQ(last.si_fd, fd);
	/* two openings of one directory are told both */
	CHECK_OK(fcntl(fd, F_NOTIFY, DN_CREATE));
	other = CHECK_OK(open("d", O_RDONLY));
	CHECK_OK(fcntl(other, F_SETSIG, SIGRTMIN));
	CHECK_OK(fcntl(other, F_NOTIFY, DN_CREATE));
	make("d/h");
	CHECK_EQ(signals(), 2);
}

TEST(dnotify, ends_with_any_descriptor_of_it)
{
	int fd = folder(), copy = CHECK_OK(dup(fd));

	CHECK_OK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	IN_CHILD(close(fd), close(copy)); /* another table: nothing ends */
	make("d/g");
	CHECK_EQ(signals(), 1);
	CHECK_OK(close(copy));
	make("d/h");
	CHECK_EQ(signals(), 0);
	CHECK_OK(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	CHECK_OK(close(fd));
	make("d/i");
	CHECK_EQ(signals(), 0);
}

TEST(dnotify, refuses)
{
	int fd = folder(), f = CHECK_OK(open("d/f", O_RDONLY)), path;

	CHECK_ERRNO(fcntl(f, F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK_OK(fcntl(f, F_NOTIFY, 0));
	path = CHECK_OK(open("d", O_PATH));
	CHECK_ERRNO(fcntl(path, F_NOTIFY, DN_CREATE), EBADF);
	CHECK_OK(fcntl(fd, F_NOTIFY, 0x40000000)); /* bits that mean nothing */
	make("d/g");
	CHECK_EQ(signals(), 0);
}

TEST(dnotify, can_be_forbidden)
{
	char text[20];
	int fd = folder();

	CHECK(get_file("/proc/sys/fs/dir-notify-enable", text, sizeof(text)) > 0);
	CHECK_STREQ(text, "1\n");
	put_file("/proc/sys/fs/dir-notify-enable", "0");
	CHECK_ERRNO(fcntl(fd, F_NOTIFY, DN_CREATE), EINVAL);
	put_file("/proc/sys/fs/dir-notify-enable", "1");
	CHECK_OK(fcntl(fd, F_NOTIFY, DN_CREATE));
}

/* Not of directories: what else O_ASYNC's signal says. */
TEST(dnotify, band_of_a_pipe_is_what_poll_says)
{
	int fd[2];

	CHECK_OK(pipe(fd));
	handle(SIGRTMIN);
	CHECK_OK(fcntl(fd[0], F_SETOWN, getpid()));
	CHECK_OK(fcntl(fd[0], F_SETSIG, SIGRTMIN));
	CHECK_OK(fcntl(fd[0], F_SETFL, O_ASYNC));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	for (int i = 0; i < 10000 && !nr_signals; i++)
		usleep(1000);
	CHECK_EQ(last.si_code, POLL_IN);
	CHECK_EQ(last.si_fd, fd[0]);
	SHOW("band %lx", (long)last.si_band);
}
