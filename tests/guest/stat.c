// SPDX-License-Identifier: MIT
/* stat(2), statx(2), statfs(2), utimensat(2): what is told of a file, and its times. */
#include "guest.h"

#include <linux/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <utime.h>

static int times(const char *path, long a_sec, long a_nsec, long m_sec, long m_nsec, int flags)
{
	struct timespec ts[2] = {{a_sec, a_nsec}, {m_sec, m_nsec}};

	return utimensat(AT_FDCWD, path, ts, flags);
}

TEST(stat, fields_of_a_new_file)
{
	struct stat st;
	time_t now = time(NULL);

	put_file("f", "hello");
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0644);
	CHECK_EQ(st.st_uid, 0);
	CHECK_EQ(st.st_gid, 0);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_blksize, 4096);
	CHECK_EQ(st.st_blocks, 8);
	CHECK_EQ(st.st_rdev, 0);
	CHECK(st.st_ino > 0);
	CHECK(st.st_mtime >= now - 1 && st.st_mtime <= now + 5);
}

TEST(stat, set_times)
{
	struct stat st;

	put_file("f", "");
	CHECK_OK(times("f", 1000, 123456789, 2000, 5, 0));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK_EQ(st.st_atim.tv_nsec, 123456789);
	CHECK_EQ(st.st_mtim.tv_sec, 2000);
	CHECK_EQ(st.st_mtim.tv_nsec, 5);
}

TEST(stat, utime_omit_and_now)
{
	struct stat st;

	put_file("f", "");
	CHECK_OK(times("f", 1000, 0, 2000, 0, 0));
	CHECK_OK(times("f", 0, UTIME_OMIT, 0, UTIME_NOW, 0));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK(st.st_mtim.tv_sec > 2000);
	CHECK_OK(times("missing", 0, UTIME_OMIT, 0, UTIME_OMIT, 0));
}

TEST(stat, utimensat_errors)
{
	put_file("f", "");
	CHECK_ERRNO(times("f", 0, 1000000000, 0, 0, 0), EINVAL);
	CHECK_ERRNO(times("f", 0, -1, 0, 0, 0), EINVAL);
	CHECK_ERRNO(times("missing", 0, 0, 0, 0, 0), ENOENT);
	CHECK_ERRNO(times("f", 0, 0, 0, 0, 0x8000), EINVAL);
}

TEST(stat, times_of_a_link_itself)
{
	struct stat st;

	put_file("f", "");
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(times("l", 7, 0, 8, 0, AT_SYMLINK_NOFOLLOW));
	CHECK_OK(lstat("l", &st));
	CHECK_EQ(st.st_mtim.tv_sec, 8);
	CHECK_OK(stat("f", &st));
	CHECK(st.st_mtim.tv_sec > 8);
}

TEST(stat, futimens_and_old_calls)
{
	struct timespec ts[2] = {{10, 0}, {20, 0}};
	struct timeval tv[2] = {{30, 500}, {40, 0}};
	struct utimbuf times_ = {50, 60};
	struct stat st;
	int fd;

	put_file("f", "");
	fd = CHECK_OK(open("f", O_RDONLY));
	CHECK_OK(futimens(fd, ts));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mtim.tv_sec, 20);
	CHECK_OK(syscall(SYS_utimes, "f", tv));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_atim.tv_nsec, 500000);
	CHECK_OK(syscall(SYS_utime, "f", &times_));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mtim.tv_sec, 60);
	tv[0].tv_usec = 1000000;
	CHECK_ERRNO(syscall(SYS_utimes, "f", tv), EINVAL);
}

TEST(stat, utimes_permissions)
{
	put_file("f", "");
	CHECK_OK(chmod("f", 0666));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(utimensat(AT_FDCWD, "f", NULL, 0)); /* now: writing is enough */
	CHECK_ERRNO(times("f", 1, 0, 1, 0, 0), EPERM);
}

TEST(stat, utimes_now_without_write_permission_is_eacces)
{
	put_file("f", "");
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(utimensat(AT_FDCWD, "f", NULL, 0), EACCES);
}

TEST(stat, write_and_truncate_change_mtime_and_ctime)
{
	struct stat st;
	int fd;

	put_file("f", "abc");
	CHECK_OK(times("f", 1, 0, 1, 0, 0));
	fd = CHECK_OK(open("f", O_RDWR));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_mtim.tv_sec > 1);
	CHECK_EQ(st.st_atim.tv_sec, 1);
	CHECK_OK(times("f", 1, 0, 1, 0, 0));
	CHECK_OK(ftruncate(fd, 0));
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_mtim.tv_sec > 1);
}

TEST(stat, chmod_and_link_change_ctime_only)
{
	struct stat before, after;

	put_file("f", "");
	CHECK_OK(stat("f", &before));
	sleep_ms(20);
	CHECK_OK(chmod("f", 0600));
	CHECK_OK(stat("f", &after));
	CHECK_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	CHECK(after.st_ctim.tv_sec != before.st_ctim.tv_sec ||
		after.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
	before = after;
	sleep_ms(20);
	CHECK_OK(link("f", "g"));
	CHECK_OK(stat("f", &after));
	CHECK(after.st_ctim.tv_sec != before.st_ctim.tv_sec ||
		after.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
}

TEST(stat, devices)
{
	struct stat st;

	CHECK_OK(stat("/dev/null", &st));
	CHECK_EQ(st.st_mode, S_IFCHR | 0666);
	CHECK_EQ(st.st_rdev, makedev(1, 3));
	CHECK_OK(stat("/dev/zero", &st));
	CHECK_EQ(st.st_rdev, makedev(1, 5));
	CHECK_OK(stat("/dev/full", &st));
	CHECK_EQ(st.st_rdev, makedev(1, 7));
	CHECK_OK(stat("/dev/random", &st));
	CHECK_EQ(st.st_rdev, makedev(1, 8));
	CHECK_OK(stat("/dev/urandom", &st));
	CHECK_EQ(st.st_rdev, makedev(1, 9));
	CHECK_OK(stat("/dev/tty", &st));
	CHECK_EQ(st.st_rdev, makedev(5, 0));
	CHECK_OK(stat("/dev/console", &st));
	CHECK_EQ(st.st_rdev, makedev(5, 1));
}

TEST(stat, statx_basics)
{
	struct statx sx;

	put_file("f", "hello");
	CHECK_OK(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_BTIME, &sx));
	CHECK_EQ(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	CHECK_EQ(sx.stx_size, 5);
	CHECK_EQ(sx.stx_mode, S_IFREG | 0644);
	CHECK_EQ(sx.stx_nlink, 1);
	CHECK_EQ(sx.stx_blksize, 4096);
	CHECK(sx.stx_mask & STATX_BTIME);
	CHECK(sx.stx_btime.tv_sec > 1000000);
}

TEST(stat, statx_errors)
{
	struct statx sx;

	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0, 0x80000000U, &sx), EINVAL);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0x40000, STATX_SIZE, &sx), EINVAL);
	CHECK_ERRNO(
		syscall(SYS_statx, AT_FDCWD, ".", AT_STATX_SYNC_TYPE, STATX_SIZE, &sx), EINVAL);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "", 0, STATX_SIZE, &sx), ENOENT);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0, STATX_SIZE, (void *)8), EFAULT);
	CHECK_OK(syscall(SYS_statx, AT_FDCWD, "", AT_EMPTY_PATH, STATX_SIZE, &sx));
}

TEST(stat, statfs_of_tmpfs_and_proc)
{
	struct statfs fs;

	CHECK_OK(statfs("/tmp", &fs));
	CHECK_EQ(fs.f_type, 0x01021994);
	CHECK_EQ(fs.f_bsize, 4096);
	CHECK_EQ(fs.f_namelen, 255);
	CHECK(fs.f_blocks > 0 && fs.f_bfree > 0 && fs.f_bavail > 0 && fs.f_files > 0);
	CHECK_OK(statfs("/proc", &fs));
	CHECK_EQ(fs.f_type, 0x9fa0);
	CHECK_OK(fstatfs(CHECK_OK(open("/tmp", O_RDONLY)), &fs));
	CHECK_ERRNO(statfs("/missing", &fs), ENOENT);
	CHECK_ERRNO(fstatfs(99, &fs), EBADF);
}

TEST(stat, statfs_counts_what_is_used)
{
	static char block[65536];
	struct statfs before, after;
	int fd = CHECK_OK(open("f", O_CREAT | O_RDWR, 0600));

	CHECK_OK(statfs(".", &before));
	memset(block, 1, sizeof(block));
	for (int i = 0; i < 16; i++)
		CHECK_EQ(write(fd, block, sizeof(block)), sizeof(block));
	CHECK_OK(statfs(".", &after));
	CHECK_EQ(before.f_bfree - after.f_bfree, 256);
}
