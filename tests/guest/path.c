// SPDX-License-Identifier: MIT
/* path_resolution(7): dots, links, limits, the *at calls, openat2(2), working and root directories. */
#include "guest.h"

#include <linux/openat2.h>
#include <pthread.h>
#include <sys/mount.h>

static int open2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .resolve = resolve};

	return syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

TEST(path, dots_and_slashes)
{
	CHECK_OK(mkdir("d", 0700));
	put_file("d/f", "");
	CHECK(exists("d//f"));
	CHECK(exists("./d/./f"));
	CHECK(exists("d/../d/f"));
	CHECK(exists("/../../tmp"));
	CHECK(!exists("d/f/."));
	CHECK(!exists("d/f/.."));
	CHECK_EQ(errno, ENOTDIR);
}

TEST(path, name_max)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	CHECK_OK(mkdir(name, 0700));
	CHECK_OK(rmdir(name));
	name[255] = 'n';
	name[256] = 0;
	CHECK_ERRNO(mkdir(name, 0700), ENAMETOOLONG);
	CHECK_ERRNO(open(name, O_RDONLY), ENAMETOOLONG);
}

TEST(path, path_max)
{
	static char path[5000];

	for (int i = 0; i < 4095; i += 2)
		memcpy(path + i, "./", 2);
	path[4095] = 0;
	CHECK_OK(open(path, O_RDONLY)); /* 4095 characters and the end */
	path[4095] = '/';
	path[4096] = 0;
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
}

TEST(path, forty_links_are_followed)
{
	char from[8], to[8];

	put_file("l0", "");
	for (int i = 1; i <= 41; i++) {
		snprintf(from, sizeof(from), "l%d", i);
		snprintf(to, sizeof(to), "l%d", i - 1);
		CHECK_OK(symlink(to, from));
	}
	CHECK_OK(open("l40", O_RDONLY));
	CHECK_ERRNO(open("l41", O_RDONLY), ELOOP);
}

TEST(path, link_to_itself_is_eloop)
{
	CHECK_OK(symlink("me", "me"));
	CHECK_ERRNO(open("me", O_RDONLY), ELOOP);
	CHECK_ERRNO(open("me/x", O_RDONLY), ELOOP);
	CHECK_ERRNO(chdir("me"), ELOOP);
}

TEST(path, links_in_the_middle)
{
	CHECK_OK(mkdir("a", 0700));
	CHECK_OK(mkdir("a/b", 0700));
	put_file("a/f", "");
	CHECK_OK(symlink("a/b", "l"));
	CHECK(exists("l/../f")); /* the parent of what the link means */
	CHECK_OK(symlink("/tmp", "abs"));
	CHECK(exists("abs/path.links_in_the_middle"));
}

TEST(path, trailing_slash_follows_links)
{
	struct stat st;

	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(symlink("d", "l"));
	CHECK_OK(lstat("l/", &st));
	CHECK(S_ISDIR(st.st_mode));
	put_file("f", "");
	CHECK_OK(symlink("f", "m"));
	CHECK_ERRNO(lstat("m/", &st), ENOTDIR);
}

TEST(path, openat_with_a_directory)
{
	int dir, file;

	CHECK_OK(mkdir("d", 0700));
	put_file("d/f", "abc");
	dir = CHECK_OK(open("d", O_RDONLY | O_DIRECTORY));
	file = CHECK_OK(openat(dir, "f", O_RDONLY));
	CHECK_ERRNO(openat(file, "x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(openat(99, "x", O_RDONLY), EBADF);
	CHECK_OK(openat(99, "/tmp", O_RDONLY));
	CHECK_OK(openat(dir, "..", O_RDONLY));
	CHECK_OK(close(dir));
	dir = CHECK_OK(open("d", O_PATH));
	CHECK_OK(openat(dir, "f", O_RDONLY));
}

TEST(path, empty_path_flag)
{
	struct stat st;
	int fd;

	put_file("f", "abc");
	fd = CHECK_OK(open("f", O_RDONLY));
	CHECK_OK(fstatat(fd, "", &st, AT_EMPTY_PATH));
	CHECK_EQ(st.st_size, 3);
	CHECK_ERRNO(fstatat(fd, "", &st, 0), ENOENT);
	CHECK_OK(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
	CHECK(S_ISDIR(st.st_mode));
	CHECK_OK(linkat(fd, "", AT_FDCWD, "g", AT_EMPTY_PATH));
	CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, 0x40000), EINVAL);
}

TEST(path, chdir_and_getcwd)
{
	char buf[100];

	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(chdir("d"));
	CHECK_EQ(syscall(SYS_getcwd, buf, 100), strlen("/tmp/path.chdir_and_getcwd/d") + 1);
	CHECK_STREQ(buf, "/tmp/path.chdir_and_getcwd/d");
	CHECK_ERRNO(syscall(SYS_getcwd, buf, 5), ERANGE);
	CHECK_OK(rename("../d", "../e"));
	CHECK_OK(syscall(SYS_getcwd, buf, 100));
	CHECK_STREQ(buf, "/tmp/path.chdir_and_getcwd/e");
	CHECK_OK(chdir("/"));
	CHECK_EQ(syscall(SYS_getcwd, buf, 100), 2);
	CHECK_ERRNO(chdir("missing"), ENOENT);
	CHECK_ERRNO(chdir("/dev/null"), ENOTDIR);
}

TEST(path, fchdir)
{
	char buf[100];
	int fd = CHECK_OK(open("/tmp", O_RDONLY));

	CHECK_OK(fchdir(fd));
	CHECK_STREQ(getcwd(buf, 100), "/tmp");
	CHECK_ERRNO(fchdir(99), EBADF);
	CHECK_ERRNO(fchdir(CHECK_OK(open("/dev/null", O_RDONLY))), ENOTDIR);
}

TEST(path, chroot_confines)
{
	char buf[100];

	CHECK_OK(mkdir("jail", 0755));
	CHECK_OK(mkdir("jail/in", 0755));
	CHECK_OK(chroot("jail"));
	CHECK_OK(chdir("/"));
	CHECK(exists("/in"));
	CHECK(exists("/../../in"));
	CHECK(!exists("/tmp"));
	CHECK_STREQ(getcwd(buf, 100), "/");
}

TEST(path, cwd_outside_the_root_is_unreachable)
{
	char buf[100];

	CHECK_OK(mkdir("jail", 0755));
	CHECK_OK(chroot("jail"));
	CHECK(syscall(SYS_getcwd, buf, 100) > 0);
	CHECK_MEM(buf, "(unreachable)/", 14);
}

TEST(path, openat2_checks_its_arguments)
{
	struct open_how how = {.flags = O_RDONLY};
	char big[64] = {0};

	CHECK_OK(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how)));
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how) - 1), EINVAL);
	CHECK_OK(syscall(SYS_openat2, AT_FDCWD, ".", big, sizeof(big)));
	big[40] = 1;
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, ".", big, sizeof(big)), E2BIG);
	CHECK_ERRNO(open2(AT_FDCWD, ".", 1ULL << 40, 0), EINVAL);
	CHECK_ERRNO(open2(AT_FDCWD, ".", O_RDONLY, 0x100), EINVAL);
	how.mode = 0600;
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how)), EINVAL);
}

TEST(path, resolve_beneath)
{
	int dir;

	CHECK_OK(mkdir("d", 0700));
	put_file("f", "");
	put_file("d/in", "");
	CHECK_OK(symlink("../f", "d/up"));
	CHECK_OK(symlink("/tmp", "d/abs"));
	CHECK_OK(symlink("in", "d/down"));
	dir = CHECK_OK(open("d", O_PATH));
	CHECK_OK(open2(dir, "in", O_RDONLY, RESOLVE_BENEATH));
	CHECK_OK(open2(dir, "down", O_RDONLY, RESOLVE_BENEATH));
	CHECK_ERRNO(open2(dir, "../f", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open2(dir, "up", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open2(dir, "/tmp", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open2(dir, "abs", O_RDONLY, RESOLVE_BENEATH), EXDEV);
}

TEST(path, resolve_in_root)
{
	int dir;

	CHECK_OK(mkdir("d", 0700));
	put_file("d/in", "");
	CHECK_OK(symlink("/in", "d/abs"));
	dir = CHECK_OK(open("d", O_PATH));
	CHECK_OK(open2(dir, "/in", O_RDONLY, RESOLVE_IN_ROOT));
	CHECK_OK(open2(dir, "../../in", O_RDONLY, RESOLVE_IN_ROOT));
	CHECK_OK(open2(dir, "abs", O_RDONLY, RESOLVE_IN_ROOT));
}

TEST(path, resolve_no_symlinks_no_magic_no_xdev)
{
	int fd = CHECK_OK(open(".", O_PATH));
	char magic[40];

	put_file("f", "");
	CHECK_OK(symlink("f", "l"));
	CHECK_ERRNO(open2(AT_FDCWD, "l", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK_OK(open2(AT_FDCWD, "f", O_RDONLY, RESOLVE_NO_SYMLINKS));
	snprintf(magic, sizeof(magic), "/proc/self/fd/%d/f", fd);
	CHECK_OK(open2(AT_FDCWD, magic, O_RDONLY, 0));
	CHECK_ERRNO(open2(AT_FDCWD, magic, O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
	CHECK_ERRNO(open2(AT_FDCWD, "/proc/self", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
}

TEST(path, access_and_faccessat)
{
	put_file("f", "");
	CHECK_OK(chmod("f", 0600));
	CHECK_OK(access("f", F_OK));
	CHECK_OK(access("f", R_OK | W_OK));
	CHECK_ERRNO(access("f", X_OK), EACCES); /* root, but nobody may execute it */
	CHECK_ERRNO(access("missing", F_OK), ENOENT);
	CHECK_ERRNO(access("f", 8), EINVAL);
	CHECK_OK(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS));
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 1), EINVAL);
}

TEST(path, proc_self_links)
{
	char buf[100];
	ssize_t n;

	CHECK_OK(chdir("/tmp"));
	n = CHECK_OK(readlink("/proc/self/cwd", buf, 100));
	buf[n] = 0;
	CHECK_STREQ(buf, "/tmp");
	n = CHECK_OK(readlink("/proc/self/root", buf, 100));
	buf[n] = 0;
	CHECK_STREQ(buf, "/");
	n = CHECK_OK(readlink("/proc/self", buf, 100));
	buf[n] = 0;
	CHECK_EQ(atoi(buf), getpid());
}

TEST(path, deleted_names_in_proc)
{
	char path[40], buf[100];
	ssize_t n;
	int fd;

	put_file("f", "");
	fd = CHECK_OK(open("f", O_RDONLY));
	CHECK_OK(unlink("f"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = CHECK_OK(readlink(path, buf, 100));
	buf[n] = 0;
	CHECK_STREQ(buf, "/tmp/path.deleted_names_in_proc/f (deleted)");
}

TEST(path, bad_addresses)
{
	CHECK_ERRNO(chdir((void *)1), EFAULT);
	CHECK_ERRNO(mkdir((void *)1, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_stat, ".", (void *)1), EFAULT);
	CHECK_ERRNO(rename(".", (void *)1), EFAULT);
	CHECK_ERRNO(syscall(SYS_readlink, "/proc/self", (void *)1, 10), EFAULT);
}

static volatile bool is_over;

static void *rename_to_and_fro(void *arg)
{
	while (!is_over) {
		(void)!rename("x", "y");
		(void)!rename("y", "x");
	}
	return arg;
}

/* A walk that begins anew because names moved meanwhile has followed links already. */
TEST(path, links_are_followed_while_names_move)
{
	struct stat st;
	pthread_t t;

	CHECK_OK(mkdir("x", 0755));
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(close(CHECK_OK(creat("d/f", 0644))));
	CHECK_OK(symlink("./././d", "a"));
	CHECK_OK(symlink("../a/../d", "d/b"));
	CHECK_OK(symlink("../a/./f", "d/c"));
	CHECK_EQ(pthread_create(&t, NULL, rename_to_and_fro, NULL), 0);
	for (int i = 0; i < 3000; i++)
		CHECK_OK(stat("a/b/b/../a/b/c", &st));
	is_over = true;
	CHECK_EQ(pthread_join(t, NULL), 0);
}
