// SPDX-License-Identifier: MIT
/* Calls that C libraries no longer make, or make by a newer one: as programs without a library would. */
#include "guest.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static void make_file(const char *name)
{
	close(open(name, O_CREAT | O_WRONLY, 0644));
}

/* man 2 getdents: the type is in the last byte. */
struct old_dirent {
	uint64_t ino, off;
	uint16_t len;
	char name[];
};

TEST(older, getdents)
{
	union {
		char bytes[1024];
		uint64_t align;
	} u;
	unsigned files = 0, dirs = 0;
	long n;
	int fd;

	make_file("file");
	CHECK_OK(mkdir("dir", 0755));
	fd = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(syscall(SYS_getdents, fd, u.bytes, 8), EINVAL);
	n = CHECK_OK(syscall(SYS_getdents, fd, u.bytes, sizeof(u.bytes)));
	for (long at = 0; at < n;) {
		struct old_dirent *d = (void *)(u.bytes + at);
		int type = u.bytes[at + d->len - 1];

		CHECK(d->ino && d->len % 8 == 0);
		files += type == 8 && strcmp(d->name, "file") == 0; /* DT_REG */
		dirs += type == 4;                                  /* DT_DIR */
		at += d->len;
	}
	CHECK_EQ(files, 1);
	CHECK_EQ(dirs, 3);
	CHECK_EQ(syscall(SYS_getdents, fd, u.bytes, sizeof(u.bytes)), 0);
	CHECK_ERRNO(syscall(SYS_getdents, -1, u.bytes, sizeof(u.bytes)), EBADF);
}

TEST(older, creat_truncates)
{
	struct stat st;
	int fd = CHECK_OK((int)syscall(SYS_creat, "f", 0640));

	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_OK((int)syscall(SYS_creat, "f", 0600));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(st.st_mode & 0777, 0640);
}

TEST(older, names_below_a_descriptor)
{
	char target[10];
	int dir;

	CHECK_OK(mkdir("d", 0755));
	dir = CHECK_OK(open("d", O_PATH));
	CHECK_OK(mknodat(dir, "fifo", S_IFIFO | 0600, 0));
	CHECK_OK(symlinkat("fifo", dir, "link"));
	CHECK_OK(syscall(SYS_renameat, dir, "fifo", dir, "other"));
	CHECK_OK(faccessat(dir, "other", F_OK, 0));
	CHECK_ERRNO(faccessat(dir, "link", F_OK, 0), ENOENT);
	CHECK_OK(mkdirat(dir, "sub", 0755));
	CHECK_OK(linkat(dir, "other", dir, "sub/again", 0));
	CHECK_EQ(readlinkat(dir, "link", target, sizeof(target)), 4);
	CHECK_MEM(target, "fifo", 4);
	CHECK_ERRNO(unlinkat(dir, "sub", 0), EISDIR);
	CHECK_ERRNO(unlinkat(dir, "sub", AT_REMOVEDIR), ENOTEMPTY);
	CHECK_OK(unlinkat(dir, "sub/again", 0));
	CHECK_OK(unlinkat(dir, "sub", AT_REMOVEDIR));
	CHECK_ERRNO(mkdirat(-1, "x", 0755), EBADF);
	CHECK_ERRNO(linkat(dir, "other", -1, "x", 0), EBADF);
	CHECK_ERRNO(mknodat(-1, "x", S_IFIFO | 0600, 0), EBADF);
	CHECK_ERRNO(symlinkat("x", AT_FDCWD, "missing/x"), ENOENT);
	CHECK_ERRNO(syscall(SYS_renameat, dir, "other", -1, "x"), EBADF);
}

TEST(older, owners_of_files_links_and_descriptors)
{
	struct stat st;
	int fd;

	make_file("f");
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(lchown("l", 1, 2));
	CHECK_OK(lstat("l", &st));
	CHECK(st.st_uid == 1 && st.st_gid == 2);
	CHECK_OK(stat("l", &st));
	CHECK(st.st_uid == 0 && st.st_gid == 0);
	fd = CHECK_OK(open("f", O_RDONLY));
	CHECK_OK(fchown(fd, 3, (gid_t)-1));
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_uid == 3 && st.st_gid == 0);
	CHECK_OK(fchownat(fd, "", 4, 5, AT_EMPTY_PATH));
	CHECK_OK(fchownat(AT_FDCWD, "l", 6, 7, AT_SYMLINK_NOFOLLOW));
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_uid == 4 && st.st_gid == 5);
	CHECK_ERRNO(fchownat(AT_FDCWD, "f", 0, 0, 0x40000000), EINVAL);
	CHECK_ERRNO(fchownat(AT_FDCWD, "", 0, 0, 0), ENOENT);
}

TEST(older, futimesat)
{
	struct timeval times[2] = {{.tv_sec = 10, .tv_usec = 5}, {.tv_sec = 20, .tv_usec = 6}};
	struct stat st;
	int fd;

	make_file("f");
	CHECK_OK(syscall(SYS_futimesat, AT_FDCWD, "f", times));
	CHECK_OK(stat("f", &st));
	CHECK(st.st_atim.tv_sec == 10 && st.st_atim.tv_nsec == 5000);
	CHECK(st.st_mtim.tv_sec == 20 && st.st_mtim.tv_nsec == 6000);
	fd = CHECK_OK(open("f", O_RDWR));
	times[1].tv_sec = 30;
	CHECK_OK(syscall(SYS_futimesat, fd, NULL, times));
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_mtim.tv_sec, 30);
	times[0].tv_usec = 1000000;
	CHECK_ERRNO(syscall(SYS_futimesat, AT_FDCWD, "f", times), EINVAL);
	CHECK_ERRNO(syscall(SYS_futimesat, AT_FDCWD, "missing", NULL), ENOENT);
}

TEST(older, without_flags)
{
	uint64_t mask = 0;
	int fd = CHECK_OK((int)syscall(SYS_inotify_init));

	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK(inotify_add_watch(fd, ".", IN_CREATE) > 0);
	fd = CHECK_OK((int)syscall(SYS_signalfd, -1, &mask, sizeof(mask)));
	CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	fd = CHECK_OK((int)syscall(SYS_eventfd, 7));
	CHECK_EQ(read(fd, &mask, sizeof(mask)), 8);
	CHECK_EQ(mask, 7);
}

TEST(older, set_tid_address_gives_the_thread)
{
	static int word;

	CHECK_EQ(syscall(SYS_set_tid_address, &word), getpid());
}
