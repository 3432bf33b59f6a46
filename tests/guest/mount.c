// SPDX-License-Identifier: MIT
/* Mounts: flags, bind, move, propagation, unmounting, new roots; each test in a namespace of its own. */
#include "guest.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A namespace of its own, nothing of which gets out, and a tmpfs at "m". */
static int begin(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	return mkdir("m", 0755) || mount("none", "m", "tmpfs", 0, NULL) ? -1 : 0;
}

static void touch(const char *name)
{
	close(open(name, O_WRONLY | O_CREAT, 0644));
}

static int is_there(const char *name)
{
	return access(name, F_OK) == 0;
}

TEST(mount, covers_and_uncovers)
{
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("m", 0755));
	touch("m/below");
	CHECK_OK(mount("none", "m", "tmpfs", 0, NULL));
	CHECK(!is_there("m/below"));
	touch("m/above");
	CHECK_ERRNO(rmdir("m"), EBUSY);
	CHECK_OK(umount("m"));
	CHECK(is_there("m/below"));
	CHECK(!is_there("m/above"));
}

TEST(mount, read_only_mounts_refuse_changes)
{
	int fd;

	CHECK_OK(begin());
	touch("m/file");
	fd = open("m/file", O_RDWR);
	CHECK_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EBUSY);
	CHECK_OK(close(fd));
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	CHECK_ERRNO(open("m/file", O_RDWR), EROFS);
	CHECK_ERRNO(open("m/new", O_RDWR | O_CREAT, 0644), EROFS);
	CHECK_ERRNO(mkdir("m/dir", 0755), EROFS);
	CHECK_ERRNO(mkdir("m/file", 0755), EEXIST);
	CHECK_ERRNO(unlink("m/file"), EROFS);
	CHECK_ERRNO(rename("m/file", "m/other"), EROFS);
	CHECK_ERRNO(chmod("m/file", 0600), EROFS);
	CHECK_ERRNO(access("m/file", W_OK), EROFS);
	CHECK_ERRNO(truncate("m/file", 0), EROFS);
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	CHECK_OK(unlink("m/file"));
}

TEST(mount, nodev_noexec_nosymfollow)
{
	CHECK_OK(begin());
	CHECK_OK(mknod("m/null", S_IFCHR | 0666, makedev(1, 3)));
	CHECK_OK(symlink("null", "m/link"));
	close(open("m/program", O_WRONLY | O_CREAT, 0755));
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOEXEC | 256, NULL));
	CHECK_ERRNO(open("m/null", O_RDONLY), EACCES);
	CHECK_ERRNO(open("m/link", O_RDONLY), ELOOP);
	CHECK_OK(close(open("m/null", O_PATH)));
	CHECK_ERRNO(access("m/program", X_OK), EACCES);
	CHECK_ERRNO(execl("m/program", "program", NULL), EACCES);
}

TEST(mount, statfs_shows_flags)
{
	struct statfs st;

	CHECK_OK(begin());
	CHECK_OK(mount(NULL, "m", NULL,
		MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOSUID | MS_NOATIME, NULL));
	CHECK_OK(statfs("m", &st));
	SHOW("%lx", (long)st.f_flags);
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND, NULL));
	CHECK_OK(statfs("m", &st));
	SHOW("%lx", (long)st.f_flags);
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_STRICTATIME | MS_NODIRATIME, NULL));
	CHECK_OK(statfs("m", &st));
	SHOW("%lx", (long)st.f_flags);
}

TEST(mount, errors)
{
	CHECK_OK(begin());
	touch("m/file");
	CHECK_OK(mkdir("m/dir", 0755));
	CHECK_ERRNO(mount("none", "m", "nofs", 0, NULL), ENODEV);
	CHECK_ERRNO(mount("none", "missing", "tmpfs", 0, NULL), ENOENT);
	CHECK_ERRNO(mount("none", "m", NULL, 0, NULL), EINVAL);
	CHECK_ERRNO(mount("none", "m/file", "tmpfs", 0, NULL), ENOTDIR);
	CHECK_ERRNO(mount("m/dir", "m/file", NULL, MS_BIND, NULL), ENOTDIR);
	CHECK_ERRNO(mount("missing", "m/dir", NULL, MS_BIND, NULL), ENOENT);
	CHECK_ERRNO(mount(NULL, "m/dir", NULL, MS_REMOUNT, NULL), EINVAL);
	CHECK_ERRNO(mount(NULL, "m/dir", NULL, MS_PRIVATE, NULL), EINVAL);
	CHECK_ERRNO(mount(NULL, "m", NULL, MS_PRIVATE | MS_SHARED, NULL), EINVAL);
	CHECK_ERRNO(mount("m/dir", "m", NULL, MS_MOVE, NULL), EINVAL);
	CHECK_ERRNO(umount("m/dir"), EINVAL);
	CHECK_ERRNO(umount("missing"), ENOENT);
	CHECK_ERRNO(umount2("m", 64), EINVAL);
	CHECK_ERRNO(umount2("m", MNT_EXPIRE | MNT_DETACH), EINVAL);
}

TEST(mount, is_for_the_capable)
{
	CHECK_OK(begin());
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(mount("none", "m", "tmpfs", 0, NULL), EPERM);
	CHECK_ERRNO(umount("m"), EPERM);
	CHECK_ERRNO(unshare(CLONE_NEWNS), EPERM);
	CHECK_ERRNO(syscall(SYS_pivot_root, "m", "m"), EPERM);
}

TEST(mount, bind_shows_the_same_files)
{
	struct stat a, b;

	CHECK_OK(begin());
	CHECK_OK(mkdir("m/dir", 0755));
	touch("m/dir/file");
	CHECK_OK(mkdir("view", 0755));
	CHECK_OK(mount("m/dir", "view", NULL, MS_BIND, NULL));
	CHECK_OK(stat("m/dir/file", &a));
	CHECK_OK(stat("view/file", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_dev, b.st_dev);
	CHECK_ERRNO(link("m/dir/file", "view/other"), EXDEV);
	CHECK_ERRNO(rename("m/dir/file", "view/other"), EXDEV);
	CHECK_OK(stat("view/..", &a));
	CHECK_OK(stat(".", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
}

TEST(mount, bind_of_a_file)
{
	char c = 0;
	int fd;

	CHECK_OK(begin());
	fd = open("m/a", O_RDWR | O_CREAT, 0644);
	CHECK_EQ(write(fd, "a", 1), 1);
	touch("m/b");
	CHECK_OK(mount("m/a", "m/b", NULL, MS_BIND, NULL));
	fd = open("m/b", O_RDONLY);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 'a');
	CHECK_ERRNO(unlink("m/b"), EBUSY);
	CHECK_OK(close(fd));
	CHECK_OK(umount("m/b"));
	CHECK_OK(unlink("m/b"));
}

/* One directory is a mountpoint below two parents: it stays one until the last mount is gone. */
TEST(mount, a_place_is_covered_below_each_parent_alone)
{
	CHECK_OK(begin());
	CHECK_OK(mkdir("m/dir", 0755));
	CHECK_OK(mkdir("n", 0755));
	CHECK_OK(mount("m", "n", NULL, MS_BIND, NULL));
	CHECK_OK(mount("none", "m/dir", "tmpfs", 0, NULL));
	touch("m/dir/first");
	CHECK(!is_there("n/dir/first"));
	CHECK_OK(mount("none", "n/dir", "tmpfs", 0, NULL));
	touch("n/dir/second");
	CHECK_OK(umount("m/dir"));
	CHECK(!is_there("m/dir/first") && !is_there("m/dir/second"));
	CHECK(is_there("n/dir/second"));
	CHECK_ERRNO(rmdir("n/dir"), EBUSY);
	CHECK_OK(umount("n/dir"));
	CHECK_OK(rmdir("n/dir"));
	CHECK(!is_there("m/dir"));
}

TEST(mount, rbind_takes_what_is_below)
{
	CHECK_OK(begin());
	CHECK_OK(mkdir("m/sub", 0755));
	CHECK_OK(mount("none", "m/sub", "tmpfs", 0, NULL));
	touch("m/sub/file");
	CHECK_OK(mkdir("one", 0755));
	CHECK_OK(mkdir("all", 0755));
	CHECK_OK(mount("m", "one", NULL, MS_BIND, NULL));
	CHECK_OK(mount("m", "all", NULL, MS_BIND | MS_REC, NULL));
	CHECK(!is_there("one/sub/file"));
	CHECK(is_there("all/sub/file"));
}

TEST(mount, move_takes_everything_along)
{
	CHECK_OK(begin());
	CHECK_OK(mkdir("m/sub", 0755));
	CHECK_OK(mount("none", "m/sub", "tmpfs", 0, NULL));
	touch("m/sub/file");
	CHECK_OK(mkdir("n", 0755));
	CHECK_ERRNO(mount("m", "m/sub", NULL, MS_MOVE, NULL), ELOOP);
	CHECK_OK(mount("m", "n", NULL, MS_MOVE, NULL));
	CHECK(is_there("n/sub/file"));
	CHECK(!is_there("m/sub"));
}

TEST(mount, busy_lazy_and_expiring_unmounts)
{
	int fd;

	CHECK_OK(begin());
	fd = open("m/file", O_RDWR | O_CREAT, 0644);
	CHECK_ERRNO(umount("m"), EBUSY);
	CHECK_ERRNO(umount2("m", MNT_EXPIRE), EBUSY);
	CHECK_OK(umount2("m", MNT_DETACH));
	CHECK(!is_there("m/file"));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_OK(close(fd));
	CHECK_OK(mount("none", "m", "tmpfs", 0, NULL));
	CHECK_ERRNO(umount2("m", MNT_EXPIRE), EAGAIN);
	CHECK_OK(umount2("m", MNT_EXPIRE));
	CHECK_ERRNO(umount("m"), EINVAL);
}

TEST(mount, below_a_mount_is_busy)
{
	CHECK_OK(begin());
	CHECK_OK(mkdir("m/sub", 0755));
	CHECK_OK(mount("none", "m/sub", "tmpfs", 0, NULL));
	CHECK_ERRNO(umount("m"), EBUSY);
	CHECK_OK(umount2("m", MNT_DETACH));
	CHECK(!is_there("m/sub"));
}

TEST(mount, peers_get_what_is_mounted)
{
	CHECK_OK(begin());
	CHECK_OK(mount(NULL, "m", NULL, MS_SHARED, NULL));
	CHECK_OK(mkdir("m/sub", 0755));
	CHECK_OK(mkdir("peer", 0755));
	CHECK_OK(mount("m", "peer", NULL, MS_BIND, NULL));
	CHECK_OK(mount("none", "m/sub", "tmpfs", 0, NULL));
	touch("m/sub/file");
	CHECK(is_there("peer/sub/file"));
	CHECK_OK(umount("peer/sub"));
	CHECK(!is_there("m/sub/file"));
}

TEST(mount, slaves_get_and_do_not_give)
{
	CHECK_OK(begin());
	CHECK_OK(mount(NULL, "m", NULL, MS_SHARED, NULL));
	CHECK_OK(mkdir("m/one", 0755));
	CHECK_OK(mkdir("m/two", 0755));
	CHECK_OK(mkdir("slave", 0755));
	CHECK_OK(mount("m", "slave", NULL, MS_BIND, NULL));
	CHECK_OK(mount(NULL, "slave", NULL, MS_SLAVE, NULL));
	CHECK_OK(mount("none", "m/one", "tmpfs", 0, NULL));
	touch("m/one/file");
	CHECK(is_there("slave/one/file"));
	CHECK_OK(mount("none", "slave/two", "tmpfs", 0, NULL));
	touch("slave/two/file");
	CHECK(!is_there("m/two/file"));
}

TEST(mount, unbindable_is_not_copied)
{
	CHECK_OK(begin());
	CHECK_OK(mkdir("view", 0755));
	CHECK_OK(mount(NULL, "m", NULL, MS_UNBINDABLE, NULL));
	CHECK_ERRNO(mount("m", "view", NULL, MS_BIND, NULL), EINVAL);
	CHECK_OK(mount(NULL, "m", NULL, MS_PRIVATE, NULL));
	CHECK_OK(mount("m", "view", NULL, MS_BIND, NULL));
}

TEST(mount, namespaces_are_apart)
{
	CHECK_OK(begin());
	IN_CHILD({
		if (unshare(CLONE_NEWNS) || umount("m") || is_there("m/file"))
			_exit(1);
		_exit(0);
	});
	touch("m/file");
	CHECK(is_there("m/file"));
}

TEST(mount, pivot_root_changes_the_root)
{
	CHECK_OK(begin());
	CHECK_OK(mkdir("m/old", 0755));
	touch("m/here");
	CHECK_ERRNO(syscall(SYS_pivot_root, ".", "m/old"), EINVAL);
	CHECK_OK(chdir("m"));
	/* the root of an initramfs cannot be put away: both kernels say so, or neither */
	if (syscall(SYS_pivot_root, ".", "old") == 0) {
		CHECK(is_there("/here"));
		CHECK(is_there("/old"));
	} else {
		SHOW("no pivot");
		CHECK_OK(mount(".", "/", NULL, MS_MOVE, NULL));
		CHECK_OK(chroot("."));
		CHECK(is_there("/here"));
	}
}
