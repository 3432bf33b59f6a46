// SPDX-License-Identifier: MIT
/* Namespaces of mounts as files: /proc/PID/ns/mnt, setns, bind mounts of them. man 7 namespaces */
#include "guest.h"

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

/* A process in a namespace of its own, where the folder "m" has a tmpfs with a file "inner". */
static pid_t start_inner(void)
{
	int ready[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe(ready));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(unshare(CLONE_NEWNS));
		CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		CHECK_OK(mount("inner", "m", "tmpfs", 0, NULL));
		CHECK_OK(mknod("m/inner", S_IFREG | 0600, 0));
		CHECK_OK(write(ready[1], "x", 1));
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	return pid;
}

static const char *file_of(pid_t pid)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	return path;
}

static void check_name(const char *link)
{
	char text[64] = "";

	CHECK_OK(readlink(link, text, sizeof(text) - 1));
	CHECK(strncmp(text, "mnt:[", 5) == 0 && text[strlen(text) - 1] == ']');
}

TEST(namespace, file_says_which)
{
	struct stat mine, other, again;
	struct statfs fs;
	char link[64], c;
	pid_t pid;
	int fd;

	CHECK_OK(mkdir("m", 0755));
	pid = start_inner();
	check_name("/proc/self/ns/mnt");
	CHECK_OK(stat("/proc/self/ns/mnt", &mine));
	CHECK_OK(stat("/proc/thread-self/ns/mnt", &again));
	CHECK_OK(stat(file_of(pid), &other));
	CHECK_EQ(mine.st_mode, S_IFREG | 0444);
	CHECK_EQ(mine.st_nlink, 1);
	CHECK(mine.st_ino == again.st_ino && mine.st_dev == again.st_dev);
	CHECK(mine.st_ino != other.st_ino && mine.st_dev == other.st_dev);
	fd = CHECK_OK(open("/proc/self/ns/mnt", O_RDONLY));
	CHECK_OK(fstatfs(fd, &fs));
	CHECK_EQ(fs.f_type, NSFS_MAGIC);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	check_name(link);
	CHECK_ERRNO(read(fd, &c, 1), EINVAL);
	CHECK_ERRNO(open("/proc/self/ns/mnt", O_RDWR), EPERM);
	CHECK_EQ(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWNS);
	CHECK_ERRNO(ioctl(fd, NS_GET_PARENT), EINVAL);
	CHECK_ERRNO(ioctl(fd, NS_GET_OWNER_UID), EINVAL);
	CHECK_OK(stat("/proc/self/ns", &again));
	CHECK_EQ(again.st_mode, S_IFDIR | 0511);
}

TEST(namespace, entered_by_file_and_by_pidfd)
{
	pid_t pid;
	int fd, pidfd;

	CHECK_OK(mkdir("m", 0755));
	pid = start_inner();
	fd = CHECK_OK(open(file_of(pid), O_RDONLY | O_CLOEXEC));
	pidfd = CHECK_OK(syscall(SYS_pidfd_open, pid, 0));
	IN_CHILD({
		char here[PATH_MAX], cwd[PATH_MAX];

		CHECK(getcwd(here, sizeof(here)));
		CHECK_OK(setns(fd, 0));
		CHECK(getcwd(cwd, sizeof(cwd)));
		CHECK(strcmp(cwd, "/") == 0);
		CHECK_OK(chdir(here));
		CHECK_OK(access("m/inner", F_OK));
	});
	IN_CHILD({
		char here[PATH_MAX];

		CHECK(getcwd(here, sizeof(here)));
		CHECK_OK(setns(pidfd, CLONE_NEWNS));
		CHECK_OK(chdir(here));
		CHECK_OK(access("m/inner", F_OK));
	});
	CHECK_ERRNO(access("m/inner", F_OK), ENOENT);
}

TEST(namespace, held_by_its_file)
{
	pid_t pid;
	int fd;

	CHECK_OK(mkdir("m", 0755));
	pid = start_inner();
	fd = CHECK_OK(open(file_of(pid), O_RDONLY | O_CLOEXEC));
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
	CHECK_ERRNO(open(file_of(pid), O_RDONLY), ENOENT);
	IN_CHILD({
		char here[PATH_MAX];

		CHECK(getcwd(here, sizeof(here)));
		CHECK_OK(setns(fd, CLONE_NEWNS));
		CHECK_OK(chdir(here));
		CHECK_OK(access("m/inner", F_OK));
	});
}

static int sleep_on(void *arg)
{
	(void)arg;
	return poll(NULL, 0, 10000);
}

TEST(namespace, what_setns_refuses)
{
	int fd, pidfd, file, p[2];

	fd = CHECK_OK(open("/proc/self/ns/mnt", O_RDONLY));
	pidfd = CHECK_OK(syscall(SYS_pidfd_open, getpid(), 0));
	file = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));
	CHECK_OK(pipe(p));
	CHECK_ERRNO(setns(-1, 0), EBADF);
	CHECK_ERRNO(setns(99, -1), EBADF);
	CHECK_ERRNO(setns(file, 0), EINVAL);
	CHECK_ERRNO(setns(p[0], CLONE_NEWNS), EINVAL);
	CHECK_ERRNO(setns(fd, CLONE_NEWUTS), EINVAL);
	CHECK_ERRNO(setns(fd, -1), EINVAL);
	CHECK_ERRNO(setns(pidfd, 0), EINVAL);
	CHECK_ERRNO(setns(pidfd, CLONE_VM), EINVAL);
	IN_CHILD({
		CHECK_OK(setresuid(1000, 1000, 1000));
		CHECK_ERRNO(setns(fd, 0), EPERM);
		CHECK_ERRNO(setns(fd, CLONE_NEWUTS), EINVAL);
		CHECK_ERRNO(open("/proc/1/ns/mnt", O_RDONLY), EACCES);
		CHECK_ERRNO(readlink("/proc/1/ns/mnt", (char[8]){0}, 8), EACCES);
	});
	IN_CHILD({
		static char stack[65536] __attribute__((aligned(16)));
		int flags = CLONE_FS | CLONE_VM | SIGCHLD;

		CHECK_OK(clone(sleep_on, stack + sizeof(stack), flags, NULL));
		CHECK_ERRNO(setns(fd, 0), EINVAL);
	});
}

TEST(namespace, mounted_file_holds_it)
{
	char here[PATH_MAX];
	struct stat st, mounted;
	pid_t pid;

	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mkdir("held", 0755));
	CHECK_OK(mount("held", "held", "tmpfs", 0, NULL));
	CHECK_OK(mount(NULL, "held", NULL, MS_PRIVATE, NULL));
	CHECK_OK(mknod("held/ns", S_IFREG | 0600, 0));
	CHECK(getcwd(here, sizeof(here)));
	CHECK_ERRNO(mount("/proc/self/ns/mnt", "held/ns", NULL, MS_BIND, NULL), EINVAL);
	pid = start_inner();
	CHECK_OK(stat(file_of(pid), &st));
	CHECK_OK(mount(file_of(pid), "held/ns", NULL, MS_BIND, NULL));
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
	CHECK_OK(stat("held/ns", &mounted));
	CHECK(st.st_ino == mounted.st_ino && st.st_dev == mounted.st_dev);
	IN_CHILD({
		int fd = CHECK_OK(open("held/ns", O_RDONLY));

		CHECK_OK(setns(fd, CLONE_NEWNS));
		CHECK_OK(chdir(here));
		CHECK_OK(access("m/inner", F_OK));
	});
	IN_CHILD({ /* a copy of this namespace does without it */
		CHECK_OK(unshare(CLONE_NEWNS));
		CHECK_OK(stat("held/ns", &mounted));
		CHECK(st.st_dev != mounted.st_dev);
	});
	CHECK_OK(umount("held/ns"));
	CHECK_OK(umount("held"));
}

/* Each namespace holds the next by a mount; the end of the first is the end of all. */
TEST_WITHIN(namespace, long_chain_ends, 60)
{
	enum { LENGTH = 100 };

	CHECK_OK(mkdir("m", 0755));
	IN_CHILD({
		char here[PATH_MAX];

		CHECK_OK(unshare(CLONE_NEWNS));
		CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		CHECK_OK(mount("chain", "m", "tmpfs", 0, NULL));
		CHECK_OK(mknod("m/next", S_IFREG | 0600, 0));
		CHECK(getcwd(here, sizeof(here)));
		CHECK_OK(open("/proc/self/ns/mnt", O_RDONLY)); /* held until the end */
		for (int i = 0; i < LENGTH; i++) {
			int mine = CHECK_OK(open("/proc/self/ns/mnt", O_RDONLY)), next;
			char path[64];

			CHECK_OK(unshare(CLONE_NEWNS));
			next = CHECK_OK(open("/proc/self/ns/mnt", O_RDONLY));
			CHECK_OK(setns(mine, 0));
			snprintf(path, sizeof(path), "/proc/self/fd/%d", next);
			CHECK_OK(chdir(here));
			CHECK_OK(mount(path, "m/next", NULL, MS_BIND, NULL));
			CHECK_OK(setns(next, 0));
			CHECK_OK(close(mine));
			CHECK_OK(close(next));
		}
	});
	CHECK_OK(rmdir("m"));
}
