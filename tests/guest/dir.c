// SPDX-License-Identifier: MIT
/* Names: mkdir(2), rmdir(2), link(2), unlink(2), rename(2), symlink(2), getdents64(2). */
#include "guest.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif
#ifndef RENAME_WHITEOUT
#define RENAME_WHITEOUT 4
#endif

static ino_t inode(const char *path)
{
	struct stat st;

	CHECK_OK(lstat(path, &st));
	return st.st_ino;
}

static int links(const char *path)
{
	struct stat st;

	CHECK_OK(lstat(path, &st));
	return st.st_nlink;
}

static long rename2(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

TEST(dir, mkdir_and_rmdir)
{
	struct stat st;

	CHECK_OK(mkdir("d", 0751));
	CHECK_OK(stat("d", &st));
	CHECK_EQ(st.st_mode, S_IFDIR | 0751);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_ERRNO(mkdir("d", 0700), EEXIST);
	CHECK_ERRNO(mkdir("missing/x", 0700), ENOENT);
	CHECK_ERRNO(mkdir("", 0700), ENOENT);
	CHECK_OK(mkdir("e/", 0700));
	CHECK_OK(rmdir("d"));
	CHECK_ERRNO(rmdir("d"), ENOENT);
	CHECK_OK(rmdir("e/"));
}

TEST(dir, mkdir_below_a_file_is_enotdir)
{
	put_file("f", "");
	CHECK_ERRNO(mkdir("f/x", 0700), ENOTDIR);
	CHECK_ERRNO(rmdir("f"), ENOTDIR);
	CHECK_ERRNO(mkdir("f", 0700), EEXIST);
	CHECK_ERRNO(mkdir("f/", 0700), EEXIST);
}

TEST(dir, rmdir_errors)
{
	CHECK_OK(mkdir("d", 0700));
	put_file("d/f", "");
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("d/."), EINVAL);
	CHECK_ERRNO(rmdir("d/.."), ENOTEMPTY);
	CHECK_ERRNO(rmdir("/"), EBUSY);
	CHECK_OK(unlink("d/f"));
	CHECK_OK(mkdir("d/sub", 0700));
	CHECK_ERRNO(rmdir("d/sub/.."), ENOTEMPTY);
	CHECK_OK(symlink("d/sub", "l"));
	CHECK_ERRNO(rmdir("l"), ENOTDIR);
}

TEST(dir, subdirectories_count_as_links)
{
	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(mkdir("d/a", 0700));
	CHECK_OK(mkdir("d/b", 0700));
	CHECK_EQ(links("d"), 4);
	CHECK_OK(rmdir("d/a"));
	CHECK_EQ(links("d"), 3);
	CHECK_OK(rename("d/b", "b"));
	CHECK_EQ(links("d"), 2);
}

TEST(dir, removed_directory_stays_open_and_empty)
{
	int fd;

	CHECK_OK(mkdir("d", 0700));
	fd = CHECK_OK(open("d", O_RDONLY | O_DIRECTORY));
	CHECK_OK(rmdir("d"));
	CHECK_ERRNO(openat(fd, "f", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK_ERRNO(mkdirat(fd, "x", 0700), ENOENT);
	CHECK_OK(fchdir(fd));
	CHECK_ERRNO(syscall(SYS_getcwd, (char[100]){0}, 100), ENOENT);
}

TEST(dir, hard_links)
{
	put_file("f", "abc");
	CHECK_OK(link("f", "g"));
	CHECK_EQ(inode("f"), inode("g"));
	CHECK_EQ(links("f"), 2);
	CHECK_OK(unlink("f"));
	CHECK_EQ(links("g"), 1);
	CHECK_ERRNO(link("f", "h"), ENOENT);
	CHECK_ERRNO(link("g", "g"), EEXIST);
	CHECK_ERRNO(link(".", "h"), EPERM);
	CHECK_ERRNO(link("g", "/dev/x"), EXDEV);
}

TEST(dir, link_does_not_follow_unless_told)
{
	struct stat st;

	put_file("f", "");
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(link("l", "l2"));
	CHECK_OK(lstat("l2", &st));
	CHECK(S_ISLNK(st.st_mode));
	CHECK_OK(linkat(AT_FDCWD, "l", AT_FDCWD, "f2", AT_SYMLINK_FOLLOW));
	CHECK_OK(lstat("f2", &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_ERRNO(linkat(AT_FDCWD, "f", AT_FDCWD, "g", 1), EINVAL);
}

TEST(dir, unlink_errors)
{
	CHECK_OK(mkdir("d", 0700));
	put_file("f", "");
	CHECK_ERRNO(unlink("d"), EISDIR);
	CHECK_ERRNO(unlink("missing"), ENOENT);
	CHECK_ERRNO(unlink("f/"), ENOTDIR);
	CHECK_ERRNO(unlink("f/x"), ENOTDIR);
	CHECK_ERRNO(unlink(""), ENOENT);
	CHECK_ERRNO(unlink("."), EISDIR);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "f", 1), EINVAL);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
	CHECK_OK(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
}

TEST(dir, unlink_removes_the_link_not_its_target)
{
	put_file("f", "");
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(unlink("l"));
	CHECK(exists("f"));
	CHECK(!exists("l"));
}

TEST(dir, rename_replaces_files)
{
	char buf[10];
	ino_t a;

	put_file("a", "aaa");
	put_file("b", "bbb");
	a = inode("a");
	CHECK_OK(rename("a", "b"));
	CHECK(!exists("a"));
	CHECK_EQ(inode("b"), a);
	CHECK_EQ(get_file("b", buf, 10), 3);
	CHECK_STREQ(buf, "aaa");
}

TEST(dir, rename_to_itself_or_its_other_link_does_nothing)
{
	put_file("a", "");
	CHECK_OK(link("a", "b"));
	CHECK_OK(rename("a", "a"));
	CHECK_OK(rename("a", "b"));
	CHECK(exists("a"));
	CHECK(exists("b"));
}

TEST(dir, rename_errors)
{
	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(mkdir("d/sub", 0700));
	put_file("f", "");
	put_file("d/sub/f", "");
	CHECK_ERRNO(rename("missing", "x"), ENOENT);
	CHECK_ERRNO(rename("d", "d/sub/x"), EINVAL);
	CHECK_ERRNO(rename("d", "d/x"), EINVAL);
	CHECK_ERRNO(rename("f", "d"), EISDIR);
	CHECK_ERRNO(rename("d", "f"), ENOTDIR);
	CHECK_ERRNO(rename("f/", "g"), ENOTDIR);
	CHECK_ERRNO(rename("f", "g/"), ENOTDIR);
	CHECK_ERRNO(rename("d/sub", "d"), ENOTEMPTY);
	CHECK_ERRNO(rename(".", "x"), EBUSY);
	CHECK_ERRNO(rename("d/.", "x"), EBUSY);
	CHECK_ERRNO(rename("d", ".."), EBUSY);
	CHECK_ERRNO(rename("f", "/proc/x"), EXDEV);
}

TEST(dir, rename_directory_over_empty_directory)
{
	CHECK_OK(mkdir("a", 0700));
	CHECK_OK(mkdir("b", 0700));
	put_file("a/f", "");
	CHECK_OK(rename("a", "b"));
	CHECK(exists("b/f"));
	CHECK(!exists("a"));
	CHECK_OK(mkdir("c", 0700));
	CHECK_ERRNO(rename("c", "b"), ENOTEMPTY);
	CHECK_OK(rename("b/", "d/"));
}

TEST(dir, rename_moves_the_parent_of_a_directory)
{
	CHECK_OK(mkdir("a", 0700));
	CHECK_OK(mkdir("a/x", 0700));
	CHECK_OK(mkdir("b", 0700));
	CHECK_OK(rename("a/x", "b/y"));
	CHECK_EQ(inode("b/y/.."), inode("b"));
}

TEST(dir, rename_noreplace)
{
	put_file("a", "");
	put_file("b", "");
	CHECK_ERRNO(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
	CHECK_OK(rename2("a", "c", RENAME_NOREPLACE));
	CHECK(exists("c"));
	CHECK_ERRNO(rename2("c", "b", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	CHECK_ERRNO(rename2("c", "b", 8), EINVAL);
}

TEST(dir, rename_exchange)
{
	char buf[10];

	put_file("a", "aaa");
	CHECK_OK(mkdir("d", 0700));
	put_file("d/in", "");
	CHECK_OK(rename2("a", "d", RENAME_EXCHANGE));
	CHECK(exists("a/in"));
	CHECK_EQ(get_file("d", buf, 10), 3);
	CHECK_ERRNO(rename2("a", "missing", RENAME_EXCHANGE), ENOENT);
	CHECK_ERRNO(rename2("a", "a/in", RENAME_EXCHANGE), EINVAL);
}

static void check_whiteout(const char *path)
{
	struct stat st;

	CHECK_OK(lstat(path, &st));
	CHECK_EQ(st.st_mode, S_IFCHR);
	CHECK_EQ(st.st_rdev, 0);
	CHECK_EQ(st.st_nlink, 1);
}

TEST(dir, rename_whiteout_leaves_a_device_in_the_old_place)
{
	char buf[10];
	ino_t was;

	put_file("a", "aaa");
	was = inode("a");
	CHECK_OK(rename2("a", "b", RENAME_WHITEOUT));
	CHECK_EQ(inode("b"), was);
	CHECK_EQ(get_file("b", buf, 10), 3);
	check_whiteout("a");
	CHECK_ERRNO(open("a", O_RDWR), ENXIO);
	put_file("c", "c");
	CHECK_OK(rename2("b", "c", RENAME_WHITEOUT));
	check_whiteout("b");
	CHECK_EQ(inode("c"), was);
	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(mkdir("d/sub", 0700));
	CHECK_EQ(links("d"), 3);
	CHECK_OK(rename2("d/sub", "e", RENAME_WHITEOUT));
	CHECK_EQ(links("d"), 2);
	check_whiteout("d/sub");
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_OK(unlink("d/sub"));
	CHECK_OK(rmdir("d"));
	CHECK_OK(rename2(
		"e", "a_long_name_that_does_not_fit_into_the_dentry_itself", RENAME_WHITEOUT));
	CHECK_OK(rename2(
		"a_long_name_that_does_not_fit_into_the_dentry_itself", "e2", RENAME_WHITEOUT));
	check_whiteout("a_long_name_that_does_not_fit_into_the_dentry_itself");
	check_whiteout("e");
}

TEST(dir, rename_whiteout_without_room_moves_nothing)
{
	ino_t was;

	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mount("small", "m", "tmpfs", 0, "nr_inodes=3")); /* its root, and two */
	CHECK_OK(chdir("m"));
	put_file("a", "aaa");
	put_file("b", "");
	was = inode("a");
	CHECK_ERRNO(rename2("a", "b", RENAME_WHITEOUT), ENOSPC);
	CHECK_ERRNO(rename2("a", "c", RENAME_WHITEOUT), ENOSPC);
	CHECK_EQ(inode("a"), was);
	CHECK(inode("b") != was);
	CHECK_ERRNO(access("c", F_OK), ENOENT);
	CHECK_OK(unlink("b"));
	CHECK_OK(rename2("a", "c", RENAME_WHITEOUT));
	check_whiteout("a");
	CHECK_EQ(inode("c"), was);
}

TEST(dir, rename_whiteout_errors)
{
	put_file("a", "");
	put_file("b", "");
	CHECK_ERRNO(rename2("missing", "c", RENAME_WHITEOUT), ENOENT);
	CHECK_ERRNO(rename2("a", "b", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
	CHECK_ERRNO(rename2("a", "b", RENAME_WHITEOUT | RENAME_NOREPLACE), EEXIST);
	CHECK_OK(mkdir("d", 0700));
	put_file("d/in", "");
	CHECK_OK(mkdir("empty", 0700));
	CHECK_ERRNO(rename2("empty", "d", RENAME_WHITEOUT), ENOTEMPTY);
	CHECK_OK(rmdir("empty")); /* no whiteout came of it */
	CHECK(!exists("empty"));
	CHECK_OK(link("a", "a2"));
	CHECK_OK(rename2("a", "a2", RENAME_WHITEOUT)); /* one file: nothing is done */
	CHECK_EQ(links("a"), 2);
	IN_CHILD(CHECK_OK(chown(".", 1000, 1000)); CHECK_OK(setresuid(1000, 1000, 1000));
		 CHECK_OK(rename2("a", "c", RENAME_WHITEOUT)); check_whiteout("a"));
}

TEST(dir, rename_keeps_open_files)
{
	char buf[8];
	int fd;

	put_file("a", "abc");
	fd = CHECK_OK(open("a", O_RDONLY));
	put_file("b", "other");
	CHECK_OK(rename("b", "a"));
	CHECK_EQ(read(fd, buf, 8), 3);
}

TEST(dir, symlinks)
{
	char buf[16];
	struct stat st;

	CHECK_OK(symlink("some/target", "l"));
	CHECK_EQ(readlink("l", buf, 16), 11);
	CHECK_MEM(buf, "some/target", 11);
	CHECK_EQ(readlink("l", buf, 4), 4);
	CHECK_ERRNO(syscall(SYS_readlink, "l", buf, 0), EINVAL);
	CHECK_OK(lstat("l", &st));
	CHECK_EQ(st.st_mode, S_IFLNK | 0777);
	CHECK_EQ(st.st_size, 11);
	CHECK_ERRNO(stat("l", &st), ENOENT);
	CHECK_ERRNO(symlink("x", "l"), EEXIST);
	CHECK_ERRNO(symlink("", "m"), ENOENT);
	CHECK_ERRNO(readlink(".", buf, 16), EINVAL);
	CHECK_ERRNO(readlink("missing", buf, 16), ENOENT);
}

TEST(dir, readlinkat_of_an_empty_path)
{
	char buf[16];
	int fd;

	CHECK_OK(symlink("target", "l"));
	fd = CHECK_OK(open("l", O_PATH | O_NOFOLLOW));
	CHECK_EQ(readlinkat(fd, "", buf, 16), 6);
	CHECK_ERRNO(readlinkat(AT_FDCWD, "", buf, 16), ENOENT);
}

static int names(const char *path, char *all)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	CHECK(dir);
	*all = 0;
	while ((entry = readdir(dir))) {
		strcat(strcat(all, entry->d_name), " ");
		n++;
	}
	closedir(dir);
	return n;
}

TEST(dir, listing_has_dot_and_dotdot)
{
	char all[200];

	CHECK_OK(mkdir("d", 0700));
	CHECK_EQ(names("d", all), 2);
	CHECK_STREQ(all, ". .. ");
	put_file("d/f", "");
	CHECK_EQ(names("d", all), 3);
	CHECK(strstr(all, "f "));
}

TEST(dir, listing_types_and_inodes)
{
	struct dirent *entry;
	DIR *dir;

	CHECK_OK(mkdir("d", 0700));
	put_file("d/reg", "");
	CHECK_OK(mkdir("d/dir", 0700));
	CHECK_OK(symlink("x", "d/lnk"));
	CHECK_OK(mkfifo("d/fifo", 0600));
	CHECK_OK(mknod("d/chr", S_IFCHR | 0600, makedev(1, 3)));
	dir = opendir("d");
	while ((entry = readdir(dir))) {
		char path[300];
		int type = !strcmp(entry->d_name, "reg")    ? DT_REG
			   : !strcmp(entry->d_name, "lnk")  ? DT_LNK
			   : !strcmp(entry->d_name, "fifo") ? DT_FIFO
			   : !strcmp(entry->d_name, "chr")  ? DT_CHR
							    : DT_DIR;
		snprintf(path, sizeof(path), "d/%s", entry->d_name);
		CHECK_EQ(entry->d_type, type);
		CHECK_EQ(entry->d_ino, inode(path));
	}
}

TEST(dir, getdents_small_buffers)
{
	char buf[512];
	int fd = CHECK_OK(open(".", O_RDONLY)), total = 0;
	long n;

	put_file("file-with-a-longer-name", "");
	CHECK_ERRNO(syscall(SYS_getdents64, fd, buf, 10), EINVAL);
	while ((n = syscall(SYS_getdents64, fd, buf, 48)) > 0)
		for (long at = 0; at < n; at += *(unsigned short *)(buf + at + 16))
			total++;
	CHECK_EQ(n, 0);
	CHECK_EQ(total, 3);
	CHECK_EQ(syscall(SYS_getdents64, fd, buf, 512), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK(syscall(SYS_getdents64, fd, buf, 512) > 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_ERRNO(syscall(SYS_getdents64, fd, (void *)8, 512), EFAULT);
}

TEST(dir, telldir_and_seekdir)
{
	DIR *dir;
	struct dirent *entry;
	char name[260];
	long at;

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put_file(name, "");
	}
	dir = opendir(".");
	for (int i = 0; i < 10; i++)
		CHECK(readdir(dir));
	at = telldir(dir);
	entry = readdir(dir);
	strcpy(name, entry->d_name);
	while (readdir(dir)) {
	}
	seekdir(dir, at);
	CHECK_STREQ(readdir(dir)->d_name, name);
}

TEST(dir, big_directory_lists_each_name_once)
{
	static char seen[2000];
	struct dirent *entry;
	char name[20];
	DIR *dir;

	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(chdir("d"));
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		CHECK_OK(close(open(name, O_CREAT | O_WRONLY, 0600)));
	}
	dir = opendir(".");
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			CHECK_EQ(seen[atoi(entry->d_name)], 0);
			seen[atoi(entry->d_name)] = 1;
		}
	for (int i = 0; i < 2000; i++)
		CHECK_EQ(seen[i], 1);
}

TEST(dir, unlink_while_listing_skips_nothing)
{
	struct dirent *entry;
	char name[20];
	DIR *dir;
	int n = 0;

	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(chdir("d"));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%d", i);
		put_file(name, "");
	}
	dir = opendir(".");
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			CHECK_OK(unlink(entry->d_name));
			n++;
		}
	CHECK_EQ(n, 300);
	CHECK_OK(chdir(".."));
	CHECK_OK(rmdir("d"));
}

TEST(dir, mknod_types)
{
	struct stat st;

	CHECK_OK(mknod("r", S_IFREG | 0644, 0));
	CHECK_OK(mknod("z", 0600, 0));
	CHECK_OK(mknod("f", S_IFIFO | 0644, 0));
	CHECK_OK(mknod("c", S_IFCHR | 0644, makedev(1, 5)));
	CHECK_OK(stat("z", &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_OK(stat("c", &st));
	CHECK_EQ(st.st_rdev, makedev(1, 5));
	CHECK_ERRNO(mknod("d", S_IFDIR | 0700, 0), EPERM);
	CHECK_ERRNO(mknod("l", S_IFLNK | 0700, 0), EINVAL);
	CHECK_ERRNO(mknod("r", S_IFREG | 0644, 0), EEXIST);
	CHECK_OK(mknod("n", S_IFCHR | 0600, makedev(240, 77)));
	CHECK_ERRNO(open("n", O_RDONLY), ENXIO);
}

TEST(dir, deep_tree)
{
	for (int i = 0; i < 200; i++) {
		CHECK_OK(mkdir("d", 0700));
		CHECK_OK(chdir("d"));
	}
	CHECK_OK(mkdir("bottom", 0700));
	for (int i = 0; i < 200; i++)
		CHECK_OK(chdir(".."));
	CHECK(exists("d/d/d/d"));
}

TEST(dir, times_change_with_contents)
{
	struct stat before, after;

	CHECK_OK(mkdir("d", 0700));
	CHECK_OK(stat("d", &before));
	sleep_ms(20);
	put_file("d/f", "");
	CHECK_OK(stat("d", &after));
	CHECK(after.st_mtim.tv_sec > before.st_mtim.tv_sec ||
		after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
	CHECK_EQ(after.st_mtim.tv_nsec, after.st_ctim.tv_nsec);
}

/* A kernel may keep its names in a table that grows: nothing may be lost or be missing on the way. */
TEST_WITHIN(dir, names_are_found_while_thousands_come_and_go, 60)
{
	enum { KEPT = 50, MADE = 6000 };
	char name[64];
	pid_t looker;
	int status;

	CHECK_OK(mkdir("kept", 0700));
	CHECK_OK(mkdir("made", 0700));
	for (int i = 0; i < KEPT; i++) {
		snprintf(name, sizeof(name), "kept/%d", i);
		put_file(name, "x");
	}
	looker = fork();
	CHECK_OK(looker);
	if (!looker) {
		for (;;) {
			for (int i = 0; i < KEPT; i++) {
				snprintf(name, sizeof(name), "kept/%d", i);
				if (access(name, F_OK))
					_exit(1);
				snprintf(name, sizeof(name), "kept/missing%d", i);
				if (!access(name, F_OK) || errno != ENOENT)
					_exit(2);
			}
		}
	}
	for (int i = 0; i < MADE; i++) {
		snprintf(name, sizeof(name), "made/%d.%s", i,
			i % 8 ? "n" : "a name too long to be kept within an entry");
		CHECK_OK(mknod(name, S_IFREG | 0600, 0));
		CHECK_OK(access(name, F_OK));
	}
	for (int i = 0; i < MADE; i++) {
		snprintf(name, sizeof(name), "made/%d.%s", i,
			i % 8 ? "n" : "a name too long to be kept within an entry");
		CHECK_OK(unlink(name));
		CHECK_ERRNO(access(name, F_OK), ENOENT);
	}
	CHECK_OK(rmdir("made"));
	CHECK_OK(kill(looker, SIGKILL));
	CHECK_EQ(waitpid(looker, &status, 0), looker);
	CHECK(WIFSIGNALED(status));
}
