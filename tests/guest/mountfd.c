// SPDX-License-Identifier: MIT
/* Mounts by descriptors: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2). */
#include "guest.h"

#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

static void begin(void)
{
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mkdir("n", 0755));
	CHECK_OK(mount("none", "m", "tmpfs", 0, NULL));
	put_file("m/file", "x");
	CHECK_OK(mkdir("m/d", 0755));
	CHECK_OK(mount("none", "m/d", "tmpfs", 0, NULL));
	put_file("m/d/deep", "y");
}

static int open_tree(const char *path, unsigned flags)
{
	return syscall(SYS_open_tree, AT_FDCWD, path, flags);
}

static int move_mount(int from, const char *to)
{
	return syscall(SYS_move_mount, from, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH);
}

static int config(int fd, unsigned cmd, const char *key, const char *value, int aux)
{
	return syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

TEST(mountfd, a_clone_is_moved_to_a_place)
{
	int fd;

	begin();
	fd = CHECK_OK(open_tree("m", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(faccessat(fd, "file", F_OK, 0), 0);
	CHECK_ERRNO(faccessat(fd, "d/deep", F_OK, 0), ENOENT);
	CHECK_OK(move_mount(fd, "n"));
	CHECK(exists("n/file"));
	CHECK(!exists("n/d/deep"));
	CHECK_OK(close(fd));
	CHECK(exists("n/file"));
	CHECK_OK(umount2("n", 0));
	CHECK(!exists("n/file"));
}

TEST(mountfd, a_recursive_clone_has_what_is_below)
{
	int fd;

	begin();
	fd = CHECK_OK(open_tree("m", OPEN_TREE_CLONE | AT_RECURSIVE));
	CHECK_EQ(faccessat(fd, "d/deep", F_OK, 0), 0);
	CHECK_OK(move_mount(fd, "n"));
	CHECK(exists("n/d/deep"));
	CHECK_OK(move_mount(fd, "m/d")); /* once more, from where it is now */
	CHECK(!exists("n/file"));
	CHECK(exists("m/d/d/deep"));
}

TEST(mountfd, without_a_place_it_goes_with_its_descriptor)
{
	int fd, file;

	begin();
	fd = CHECK_OK(open_tree("m", OPEN_TREE_CLONE | AT_RECURSIVE));
	file = CHECK_OK(openat(fd, "d/deep", O_RDONLY));
	CHECK_OK(close(fd));
	CHECK_OK(umount2("m/d", MNT_DETACH));
	CHECK_OK(umount2("m", 0));
	CHECK_EQ(read(file, (char[2]){0}, 2), 1);
}

TEST(mountfd, a_detached_tree_is_in_no_namespace)
{
	char path[40];
	int fd;

	begin();
	fd = CHECK_OK(open_tree("m", OPEN_TREE_CLONE));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_ERRNO(mount(path, "n", NULL, MS_BIND, NULL), EINVAL);
	CHECK_ERRNO(mount("none", path, "tmpfs", 0, NULL), EINVAL);
	CHECK_ERRNO(umount2(path, 0), EINVAL);
	CHECK_ERRNO(open_tree(path, OPEN_TREE_CLONE), EINVAL);
	CHECK_OK(fchdir(fd));
	CHECK(exists("file"));
}

TEST(mountfd, open_tree_without_clone_names_a_place)
{
	int fd;

	begin();
	fd = CHECK_OK(open_tree("m", 0));
	CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_ERRNO(read(fd, (char[1]){0}, 1), EBADF);
	CHECK_OK(move_mount(fd, "n"));
	CHECK(exists("n/file"));
	CHECK(!exists("m/file"));
	close(fd);
	CHECK(exists("n/file"));
}

TEST(mountfd, move_mount_errors)
{
	int fd;

	begin();
	fd = CHECK_OK(open_tree("m/file", OPEN_TREE_CLONE));
	CHECK_ERRNO(move_mount(fd, "n"), EINVAL); /* a file over a directory */
	CHECK_ERRNO(move_mount(fd, "missing"), ENOENT);
	put_file("target", "");
	CHECK_OK(move_mount(fd, "target"));
	fd = CHECK_OK(open_tree("m", 0));
	CHECK_ERRNO(move_mount(fd, "m/d"), ELOOP);
	CHECK_ERRNO(move_mount(CHECK_OK(open_tree("n", 0)), "m"), EINVAL); /* no mount */
	CHECK_ERRNO(syscall(SYS_move_mount, fd, "", AT_FDCWD, "n", 0), ENOENT);
	CHECK_ERRNO(syscall(SYS_move_mount, fd, "", AT_FDCWD, "n", 0x1000), EINVAL);
	CHECK_ERRNO(open_tree("m", AT_RECURSIVE), EINVAL);
	CHECK_ERRNO(open_tree("m", 4), EINVAL);
	CHECK_ERRNO(open_tree("missing", 0), ENOENT);
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_ERRNO(open_tree("m", OPEN_TREE_CLONE), EPERM);
		 CHECK_OK(open_tree("m", 0)); CHECK_ERRNO(move_mount(fd, "n"), EPERM);
		 CHECK_ERRNO(syscall(SYS_fsopen, "tmpfs", 0), EPERM);
		 CHECK_ERRNO(syscall(SYS_fspick, AT_FDCWD, "m", 0), EPERM);
		 CHECK_ERRNO(syscall(SYS_fsmount, 0, 0, 0), EPERM));
}

TEST(mountfd, a_filesystem_is_made_bit_by_bit)
{
	struct statfs st;
	char c;
	int fs, fd;

	begin();
	fs = CHECK_OK(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC));
	CHECK_EQ(fcntl(fs, F_GETFD), FD_CLOEXEC);
	CHECK_OK(config(fs, FSCONFIG_SET_STRING, "source", "name", 0));
	CHECK_OK(config(fs, FSCONFIG_SET_STRING, "size", "1m", 0));
	CHECK_OK(config(fs, FSCONFIG_SET_STRING, "mode", "711", 0));
	CHECK_ERRNO(syscall(SYS_fsmount, fs, 0, 0), EINVAL); /* not yet */
	CHECK_OK(config(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	CHECK_ERRNO(config(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBUSY);
	CHECK_ERRNO(config(fs, FSCONFIG_SET_STRING, "size", "1m", 0), EBUSY);
	CHECK_ERRNO(read(fs, &c, 1), ENODATA);
	fd = CHECK_OK(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC));
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(syscall(SYS_fsmount, fs, 0, 0), EBUSY);
	CHECK_OK(move_mount(fd, "n"));
	CHECK_OK(statfs("n", &st));
	CHECK_EQ(st.f_blocks * st.f_bsize, 1 << 20);
	CHECK_EQ(st.f_flags & (ST_NOEXEC | ST_NOSUID | ST_RDONLY | ST_RELATIME),
		ST_NOEXEC | ST_RELATIME);
	CHECK_OK(config(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	CHECK_OK(config(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	CHECK_ERRNO(open("n/new", O_CREAT | O_WRONLY, 0600), EROFS);
}

TEST(mountfd, fspick_changes_what_is_mounted)
{
	struct statfs st;
	int fs;

	begin();
	fs = CHECK_OK(syscall(SYS_fspick, AT_FDCWD, "m", 0));
	CHECK_OK(config(fs, FSCONFIG_SET_STRING, "size", "2m", 0));
	CHECK_OK(config(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	CHECK_OK(statfs("m", &st));
	CHECK_EQ(st.f_blocks * st.f_bsize, 2 << 20);
	CHECK_OK(config(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	CHECK_OK(config(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	CHECK_ERRNO(open("m/file", O_WRONLY), EROFS);
	CHECK_OK(config(fs, FSCONFIG_SET_FLAG, "rw", NULL, 0));
	CHECK_OK(config(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	CHECK_OK(open("m/file", O_WRONLY));
	CHECK_ERRNO(syscall(SYS_fspick, AT_FDCWD, "n", 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fspick, AT_FDCWD, "m", 16), EINVAL);
	CHECK_ERRNO(config(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBUSY);
}

TEST(mountfd, fsconfig_errors)
{
	int fs, other = CHECK_OK(open("/", O_RDONLY));

	begin();
	CHECK_ERRNO(syscall(SYS_fsopen, "nosuchfs", 0), ENODEV);
	CHECK_ERRNO(syscall(SYS_fsopen, "tmpfs", 2), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsopen, NULL, 0), EFAULT);
	fs = CHECK_OK(syscall(SYS_fsopen, "tmpfs", 0));
	CHECK_ERRNO(config(fs, FSCONFIG_SET_FLAG, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(config(fs, FSCONFIG_SET_FLAG, "ro", "x", 0), EINVAL);
	CHECK_ERRNO(config(fs, FSCONFIG_SET_STRING, "size", NULL, 0), EINVAL);
	CHECK_ERRNO(config(fs, FSCONFIG_SET_STRING, "size", "1m", 1), EINVAL);
	CHECK_ERRNO(config(fs, FSCONFIG_CMD_CREATE, "x", NULL, 0), EINVAL);
	CHECK_ERRNO(config(fs, 99, NULL, NULL, 0), EOPNOTSUPP);
	CHECK_ERRNO(config(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), EBUSY);
	CHECK_ERRNO(config(other, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(config(999, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBADF);
	CHECK_ERRNO(config(-1, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EINVAL);
	CHECK_OK(config(fs, FSCONFIG_SET_STRING, "source", "a", 0));
	CHECK_ERRNO(config(fs, FSCONFIG_SET_STRING, "source", "b", 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsmount, other, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsmount, 999, 0, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_fsmount, fs, 2, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fsmount, fs, 0, MOUNT_ATTR__ATIME), EINVAL);
}

TEST(mountfd, setattr_of_a_detached_tree)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	int fd;

	begin();
	fd = CHECK_OK(open_tree("m", OPEN_TREE_CLONE | AT_RECURSIVE));
	CHECK_OK(syscall(
		SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)));
	CHECK_OK(move_mount(fd, "n"));
	CHECK_ERRNO(open("n/file", O_WRONLY), EROFS);
	CHECK_ERRNO(open("n/d/deep", O_WRONLY), EROFS);
	CHECK_OK(open("m/file", O_WRONLY));
}

/* More often than a kernel could keep them: each has a device number of its own. */
TEST(mountfd, filesystems_that_are_never_mounted_leave_nothing)
{
	for (int i = 0; i < 5000; i++) {
		int fs = CHECK_OK(syscall(SYS_fsopen, "tmpfs", 0));

		CHECK_OK(config(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
		CHECK_OK(close(fs));
	}
}
