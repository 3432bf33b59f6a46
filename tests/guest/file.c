// SPDX-License-Identifier: MIT
/* open(2), read(2), write(2), lseek(2), ftruncate(2), dup(2), fcntl(2) on regular files. Directories: dir.c. */
#include "guest.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int make(const char *content)
{
	put_file("f", content);
	return CHECK_OK(open("f", O_RDWR));
}

TEST(file, create_write_read)
{
	char buf[20];
	int fd = CHECK_OK(open("new", O_RDWR | O_CREAT | O_EXCL, 0640));
	struct stat st;

	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 5);
	CHECK_MEM(buf, "hello", 5);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 0);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_nlink, 1);
}

TEST(file, open_of_missing_is_enoent)
{
	CHECK_ERRNO(open("missing", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("missing/x", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("", O_RDONLY | O_CREAT, 0600), ENOENT);
}

TEST(file, exclusive_create_of_existing_is_eexist)
{
	put_file("f", "x");
	CHECK_OK(symlink("nowhere", "dangling"));
	CHECK_ERRNO(open("f", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	CHECK_ERRNO(open(".", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	CHECK_ERRNO(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
}

TEST(file, create_through_dangling_link)
{
	CHECK_OK(symlink("target", "dangling"));
	CHECK_OK(open("dangling", O_CREAT | O_RDWR, 0600));
	CHECK(exists("target"));
}

TEST(file, truncate_on_open)
{
	struct stat st;
	int fd = make("content");

	CHECK_OK(open("f", O_WRONLY | O_TRUNC));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 0);
}

TEST(file, access_mode_is_kept)
{
	char c = 0;
	int r, w;

	put_file("f", "abc");
	r = CHECK_OK(open("f", O_RDONLY));
	w = CHECK_OK(open("f", O_WRONLY));
	CHECK_ERRNO(write(r, &c, 1), EBADF);
	CHECK_ERRNO(read(w, &c, 1), EBADF);
	CHECK_ERRNO(ftruncate(r, 0), EINVAL);
	CHECK_EQ(fcntl(r, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_EQ(fcntl(w, F_GETFL) & O_ACCMODE, O_WRONLY);
}

TEST(file, getfl_shows_the_flags_of_open)
{
	int fd = CHECK_OK(open(
		"f", O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_TRUNC, 0600));

	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_APPEND | O_NONBLOCK | 0100000);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_OK(fcntl(fd, F_SETFL, O_RDONLY));
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | 0100000);
}

TEST(file, third_access_mode_can_do_neither)
{
	char c = 0;
	int fd;

	put_file("f", "abc");
	fd = CHECK_OK(open("f", O_ACCMODE));
	CHECK_ERRNO(read(fd, &c, 1), EBADF);
	CHECK_ERRNO(write(fd, &c, 1), EBADF);
}

TEST(file, append_always_writes_at_the_end)
{
	char buf[20];
	int fd;

	put_file("f", "0123");
	fd = CHECK_OK(open("f", O_RDWR | O_APPEND));
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(fd, "ab", 2), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
	CHECK_EQ(pwrite(fd, "c", 1, 0), 1); /* Linux: appends even so */
	CHECK_EQ(get_file("f", buf, sizeof(buf)), 7);
	CHECK_STREQ(buf, "0123abc");
}

TEST(file, seek_and_holes)
{
	char buf[8];
	int fd = make("");

	CHECK_EQ(lseek(fd, 5000, SEEK_SET), 5000);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(lseek(fd, -1, SEEK_CUR), 5000);
	CHECK_EQ(lseek(fd, -2, SEEK_END), 4999);
	CHECK_EQ(read(fd, buf, 8), 2);
	CHECK_MEM(buf, "\0x", 2);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 99), EINVAL);
	CHECK_ERRNO(lseek(fd, -5002, SEEK_END), EINVAL);
	CHECK_EQ(lseek(fd, 1L << 40, SEEK_SET), 1L << 40);
	CHECK_EQ(read(fd, buf, 8), 0);
}

TEST(file, seek_data_and_hole)
{
	int fd = make("");

	CHECK_OK(ftruncate(fd, 40960));
	CHECK_EQ(pwrite(fd, "x", 1, 8192), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 8192);
	CHECK_EQ(lseek(fd, 8192, SEEK_HOLE), 12288);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_ERRNO(lseek(fd, 12288, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 40960, SEEK_HOLE), ENXIO);
	CHECK_ERRNO(lseek(fd, 40960, SEEK_DATA), ENXIO);
}

TEST(file, pread_and_pwrite_leave_the_position)
{
	char buf[4];
	int fd = make("abcdef");

	CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
	CHECK_EQ(pread(fd, buf, 3, 3), 3);
	CHECK_MEM(buf, "def", 3);
	CHECK_EQ(pwrite(fd, "XY", 2, 0), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1);
	CHECK_ERRNO(pread(fd, buf, 1, -1), EINVAL);
	CHECK_ERRNO(pwrite(fd, buf, 1, -1), EINVAL);
	CHECK_EQ(pread(fd, buf, 4, 100), 0);
}

TEST(file, vectors)
{
	char a[2], b[3], c[10];
	struct iovec out[] = {{"12", 2}, {"345", 3}, {"6", 1}},
		     in[] = {{a, 2}, {b, 3}, {c, 10}};
	int fd = make("");

	CHECK_EQ(writev(fd, out, 3), 6);
	CHECK_EQ(preadv(fd, in, 3, 1), 5);
	CHECK_MEM(a, "23", 2);
	CHECK_MEM(b, "456", 3);
	CHECK_EQ(pwritev(fd, out + 2, 1, 0), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
	CHECK_ERRNO(preadv(fd, in, 3, -5), EINVAL);
	out[1].iov_len = -1;
	CHECK_ERRNO(writev(fd, out, 3), EINVAL);
}

TEST(file, preadv2_flags)
{
	char buf[4];
	struct iovec in = {buf, 4};
	int fd = make("abcd");

	CHECK_EQ(syscall(SYS_preadv2, fd, &in, 1, -1L, -1L, 0), 4); /* -1: at the position */
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	CHECK_ERRNO(syscall(SYS_preadv2, fd, &in, 1, 0L, 0L, 0x4000), EOPNOTSUPP);
	CHECK_EQ(syscall(SYS_pwritev2, fd, &in, 1, 0L, 0L, 0x10 /* RWF_APPEND */), 4);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 8);
}

TEST(file, zero_length_read_and_write)
{
	int fd = make("abc");

	CHECK_EQ(read(fd, NULL, 0), 0);
	CHECK_EQ(write(fd, NULL, 0), 0);
	CHECK_ERRNO(read(99, NULL, 0), EBADF);
}

TEST(file, ftruncate_grows_with_zeros_and_shrinks)
{
	char buf[10];
	int fd = make("abcdef");

	CHECK_OK(ftruncate(fd, 3));
	CHECK_OK(ftruncate(fd, 8));
	CHECK_EQ(pread(fd, buf, 10, 0), 8);
	CHECK_MEM(buf, "abc\0\0\0\0\0", 8);
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_OK(truncate("f", 1));
	CHECK_EQ(lseek(fd, 0, SEEK_END), 1);
	CHECK_ERRNO(truncate("f", -1), EINVAL);
	CHECK_ERRNO(truncate(".", 0), EISDIR);
	CHECK_ERRNO(truncate("missing", 0), ENOENT);
}

TEST(file, truncate_of_a_page_clears_its_rest)
{
	char page[4096], buf[4096];
	int fd = make("");

	memset(page, 'x', sizeof(page));
	CHECK_EQ(write(fd, page, 4096), 4096);
	CHECK_OK(ftruncate(fd, 100));
	CHECK_OK(ftruncate(fd, 4096));
	CHECK_EQ(pread(fd, buf, 4096, 0), 4096);
	CHECK_EQ(buf[99], 'x');
	CHECK_EQ(buf[100], 0);
	CHECK_EQ(buf[4095], 0);
}

TEST(file, unlinked_file_lives_until_closed)
{
	struct stat st;
	char buf[4];
	int fd = make("abc");

	CHECK_OK(unlink("f"));
	CHECK(!exists("f"));
	CHECK_EQ(read(fd, buf, 4), 3);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
}

TEST(file, descriptors_are_the_lowest_free)
{
	int a = make("x"), b = CHECK_OK(dup(a)), c = CHECK_OK(dup(a));

	CHECK_EQ(b, a + 1);
	CHECK_EQ(c, a + 2);
	CHECK_OK(close(b));
	CHECK_EQ(open("f", O_RDONLY), b);
	CHECK_ERRNO(close(99), EBADF);
	CHECK_ERRNO(close(-1), EBADF);
}

TEST(file, dup_shares_the_position)
{
	char c;
	int a = make("abc"), b = CHECK_OK(dup(a)), other = CHECK_OK(open("f", O_RDONLY));

	CHECK_EQ(read(a, &c, 1), 1);
	CHECK_EQ(read(b, &c, 1), 1);
	CHECK_EQ(c, 'b');
	CHECK_EQ(read(other, &c, 1), 1);
	CHECK_EQ(c, 'a');
}

TEST(file, dup2_and_dup3)
{
	int a = make("abc");

	CHECK_EQ(dup2(a, 40), 40);
	CHECK_EQ(dup2(a, a), a);
	CHECK_ERRNO(dup2(99, 99), EBADF);
	CHECK_ERRNO(dup2(99, 5), EBADF);
	CHECK_ERRNO(dup2(a, -1), EBADF);
	CHECK_ERRNO(dup2(a, 1 << 30), EBADF);
	CHECK_EQ(dup3(a, 41, O_CLOEXEC), 41);
	CHECK_EQ(fcntl(41, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(syscall(SYS_dup3, a, a, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_dup3, a, 42, O_APPEND), EINVAL);
	CHECK_EQ(dup2(41, 40), 40);
	CHECK_EQ(fcntl(40, F_GETFD), 0);
}

TEST(file, dupfd)
{
	int a = make("x");

	CHECK_EQ(fcntl(a, F_DUPFD, 50), 50);
	CHECK_EQ(fcntl(a, F_DUPFD, 50), 51);
	CHECK_EQ(fcntl(a, F_DUPFD_CLOEXEC, 60), 60);
	CHECK_EQ(fcntl(60, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(fcntl(a, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(a, F_DUPFD, 1 << 30), EINVAL);
	CHECK_ERRNO(fcntl(99, F_DUPFD, 0), EBADF);
	CHECK_ERRNO(fcntl(a, 9999), EINVAL);
}

TEST(file, close_range)
{
	int a = make("x");

	for (int fd = 20; fd < 30; fd++)
		CHECK_EQ(dup2(a, fd), fd);
	CHECK_OK(syscall(SYS_close_range, 22, 25, 0));
	CHECK_EQ(fcntl(21, F_GETFD), 0);
	CHECK_ERRNO(fcntl(22, F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(25, F_GETFD), EBADF);
	CHECK_EQ(fcntl(26, F_GETFD), 0);
	CHECK_OK(syscall(SYS_close_range, 26, ~0U, 4 /* CLOEXEC */));
	CHECK_EQ(fcntl(27, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_close_range, 5, 6, 8), EINVAL);
}

TEST(file, fork_shares_the_position)
{
	char c;
	int fd = make("abc");

	IN_CHILD(CHECK_EQ(lseek(fd, 2, SEEK_SET), 2));
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 'c');
}

TEST(file, o_path_can_only_name)
{
	struct stat st;
	char c;
	int fd;

	put_file("f", "abc");
	fd = CHECK_OK(open("f", O_PATH));
	CHECK_ERRNO(read(fd, &c, 1), EBADF);
	CHECK_ERRNO(write(fd, &c, 1), EBADF);
	CHECK_ERRNO(ioctl(fd, FIONREAD, &st), EBADF);
	CHECK_ERRNO(syscall(SYS_fchmod, fd, 0600), EBADF);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 3);
	CHECK_EQ(fcntl(fd, F_GETFL), O_PATH);
	CHECK_OK(symlink("f", "l"));
	fd = CHECK_OK(open("l", O_PATH | O_NOFOLLOW));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode & S_IFMT, S_IFLNK);
}

TEST(file, o_nofollow_refuses_links)
{
	put_file("f", "abc");
	CHECK_OK(symlink("f", "l"));
	CHECK_ERRNO(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_OK(open("f", O_RDONLY | O_NOFOLLOW));
}

TEST(file, o_directory_wants_a_directory)
{
	put_file("f", "abc");
	CHECK_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(open(".", O_RDWR), EISDIR);
	CHECK_ERRNO(open(".", O_WRONLY), EISDIR);
	CHECK_ERRNO(open(".", O_RDONLY | O_CREAT, 0600), EISDIR);
	CHECK_ERRNO(open("f/", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("new/", O_RDWR | O_CREAT, 0600), EISDIR);
}

TEST(file, reading_a_directory_is_eisdir)
{
	char c;
	int fd = CHECK_OK(open(".", O_RDONLY));

	CHECK_ERRNO(read(fd, &c, 1), EISDIR);
	CHECK_ERRNO(write(fd, &c, 1), EBADF);
	CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
}

TEST(file, tmpfile_has_no_name_until_linked)
{
	char path[40];
	struct stat st;
	int fd = CHECK_OK(open(".", O_TMPFILE | O_RDWR, 0600));

	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	CHECK_OK(stat("named", &st));
	CHECK_EQ(st.st_size, 3);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_ERRNO(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	fd = CHECK_OK(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "never", AT_SYMLINK_FOLLOW), ENOENT);
}

TEST(file, fallocate)
{
	struct stat st;
	int fd = make("abc");

	CHECK_OK(fallocate(fd, 0, 0, 10000));
	CHECK_EQ(lseek(fd, 0, SEEK_END), 10000);
	CHECK_OK(fallocate(fd, 1 /* KEEP_SIZE */, 0, 50000));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 10000);
	CHECK_ERRNO(fallocate(fd, 0, -1, 10), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERRNO(fallocate(fd, 2 /* PUNCH_HOLE without KEEP_SIZE */, 0, 10), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, 0, LONG_MAX - 10, 100), EFBIG);
}

TEST(file, punch_hole)
{
	char buf[8192];
	int fd = make("");

	memset(buf, 'x', sizeof(buf));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(write(fd, buf, 8192), 8192);
	CHECK_OK(fallocate(fd, 3, 4000, 8192 + 96 + 4));
	CHECK_EQ(lseek(fd, 0, SEEK_END), 24576);
	CHECK_EQ(pread(fd, buf, 2, 3999), 2);
	CHECK_MEM(buf, "x\0", 2);
	CHECK_EQ(pread(fd, buf, 2, 12291), 2);
	CHECK_MEM(buf, "\0x", 2);
	CHECK_EQ(lseek(fd, 4096, SEEK_DATA), 12288);
}

TEST(file, blocks_count_what_is_there)
{
	struct stat st;
	int fd = make("");

	CHECK_OK(ftruncate(fd, 1 << 20));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_blocks, 0);
	CHECK_EQ(pwrite(fd, "x", 1, 500000), 1);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_blocks, 8);
}

TEST(file, size_limits)
{
	int fd = make("");

	CHECK_ERRNO(pwrite(fd, "x", 1, LONG_MAX), EINVAL);
	CHECK_ERRNO(lseek(fd, LONG_MAX, SEEK_END) < 0 ? -1 : lseek(fd, 1, SEEK_CUR), EINVAL);
}

TEST(file, bad_buffers)
{
	int fd = make("abcdef");

	CHECK_ERRNO(read(fd, (void *)8, 3), EFAULT);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_ERRNO(write(fd, (void *)8, 3), EFAULT);
	CHECK_ERRNO(open((void *)8, O_RDONLY), EFAULT);
	CHECK_ERRNO(read(fd, (void *)0xffff888000000000, 3), EFAULT);
	CHECK_ERRNO(syscall(SYS_readv, fd, (void *)8, 1), EFAULT);
}

TEST(file, sync_calls)
{
	int fd = make("x");

	CHECK_OK(fsync(fd));
	CHECK_OK(fdatasync(fd));
	CHECK_OK(syscall(SYS_syncfs, fd));
	CHECK_OK(syscall(SYS_sync));
	CHECK_ERRNO(syscall(SYS_syncfs, 99), EBADF);
	CHECK_ERRNO(fsync(99), EBADF);
	CHECK_OK(syscall(SYS_sync_file_range, fd, 0L, 0L, 7));
	CHECK_ERRNO(syscall(SYS_sync_file_range, fd, 0L, 0L, 8), EINVAL);
}

TEST(file, fadvise)
{
	int fd = make("x"), p[2];

	for (int advice = 0; advice < 6; advice++)
		CHECK_OK(syscall(SYS_fadvise64, fd, 0L, 0L, advice));
	CHECK_ERRNO(syscall(SYS_fadvise64, fd, 0L, 0L, 6), EINVAL);
	CHECK_OK(pipe(p));
	CHECK_ERRNO(syscall(SYS_fadvise64, p[0], 0L, 0L, 0), ESPIPE);
	CHECK_OK(syscall(SYS_readahead, fd, 0L, 10L));
}

TEST(file, copy_file_range)
{
	char buf[10];
	off_t in = 1;
	int from = make("abcdef"), to = CHECK_OK(open("to", O_RDWR | O_CREAT, 0600));

	CHECK_EQ(syscall(SYS_copy_file_range, from, &in, to, NULL, 3L, 0), 3);
	CHECK_EQ(in, 4);
	CHECK_EQ(lseek(to, 0, SEEK_CUR), 3);
	CHECK_EQ(get_file("to", buf, 10), 3);
	CHECK_STREQ(buf, "bcd");
	CHECK_EQ(syscall(SYS_copy_file_range, from, NULL, to, NULL, 100L, 0), 6);
	CHECK_EQ(syscall(SYS_copy_file_range, from, NULL, to, NULL, 100L, 0), 0);
	CHECK_ERRNO(syscall(SYS_copy_file_range, from, NULL, to, NULL, 1L, 1), EINVAL);
}

TEST(file, sendfile)
{
	char buf[10];
	off_t at = 2;
	int from = make("abcdef"), to = CHECK_OK(open("to", O_RDWR | O_CREAT, 0600)), p[2];

	CHECK_EQ(syscall(SYS_sendfile, to, from, &at, 3L), 3);
	CHECK_EQ(at, 5);
	CHECK_EQ(lseek(from, 0, SEEK_CUR), 0);
	CHECK_EQ(syscall(SYS_sendfile, to, from, NULL, 100L), 6);
	CHECK_EQ(get_file("to", buf, 10), 9);
	CHECK_STREQ(buf, "cdeabcdef");
	CHECK_OK(pipe(p));
	CHECK_EQ(syscall(SYS_sendfile, p[1], from, (off_t[]){0}, 4L), 4);
	CHECK_EQ(read(p[0], buf, 10), 4);
	CHECK_ERRNO(syscall(SYS_sendfile, to, p[0], NULL, 1L), EINVAL);
}

TEST(file, getdents_of_a_file_is_enotdir)
{
	char buf[100];
	int fd = make("x");

	CHECK_ERRNO(syscall(SYS_getdents64, fd, buf, 100), ENOTDIR);
}

TEST(file, ioctls)
{
	int fd = make("abcdef"), n = 0, on = 1;

	CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
	CHECK_OK(ioctl(fd, FIONREAD, &n));
	CHECK_EQ(n, 4);
	CHECK_OK(ioctl(fd, FIOCLEX));
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_OK(ioctl(fd, FIONCLEX));
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_OK(ioctl(fd, FIONBIO, &on));
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &n), ENOTTY);
	CHECK_ERRNO(ioctl(99, FIOCLEX), EBADF);
	CHECK(!isatty(fd));
	CHECK_EQ(errno, ENOTTY);
}

TEST(file, device_nodes)
{
	char buf[16] = "junk";
	int zero = CHECK_OK(open("/dev/zero", O_RDWR)),
	    null = CHECK_OK(open("/dev/null", O_RDWR));
	int full = CHECK_OK(open("/dev/full", O_RDWR)),
	    random = CHECK_OK(open("/dev/urandom", O_RDONLY));

	CHECK_EQ(read(zero, buf, 16), 16);
	CHECK_MEM(buf, "\0\0\0\0\0\0\0\0", 8);
	CHECK_EQ(write(zero, buf, 16), 16);
	CHECK_EQ(read(null, buf, 16), 0);
	CHECK_EQ(write(null, buf, 16), 16);
	CHECK_EQ(read(full, buf, 16), 16);
	CHECK_ERRNO(write(full, buf, 16), ENOSPC);
	CHECK_EQ(read(random, buf, 16), 16);
	CHECK(memcmp(buf, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16) != 0);
	CHECK_EQ(lseek(null, 100, SEEK_SET), 0);
}

TEST(file, etxtbsy_write_to_a_running_program)
{
	int fd = open("/proc/self/exe", O_WRONLY);

	CHECK_EQ(fd, -1);
	CHECK_EQ(errno, ETXTBSY);
}

TEST(file, reopen_through_proc)
{
	char path[40], c;
	int fd = make("abc"), again;

	CHECK_OK(unlink("f"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
	again = CHECK_OK(open(path, O_RDONLY));
	CHECK_EQ(read(again, &c, 1), 1);
	CHECK_EQ(c, 'a');
}

TEST(file, o_direct_is_for_pipes)
{
	int fd[2];

	CHECK_ERRNO(open("f", O_CREAT | O_RDWR | O_DIRECT, 0644), EINVAL);
	CHECK_OK(access("f", F_OK));
	CHECK_ERRNO(open("/dev/null", O_RDWR | O_DIRECT), EINVAL);
	CHECK_ERRNO(open(".", O_RDONLY | O_DIRECT), EINVAL);
	CHECK_OK(mkfifo("fifo", 0600));
	CHECK_ERRNO(open("fifo", O_RDWR | O_DIRECT), EINVAL);
	fd[0] = CHECK_OK(open("fifo", O_RDWR));
	CHECK_OK(fcntl(fd[0], F_SETFL, O_DIRECT));
	CHECK(fcntl(fd[0], F_GETFL) & O_DIRECT);
	fd[0] = CHECK_OK(open("f", O_RDWR));
	CHECK_ERRNO(fcntl(fd[0], F_SETFL, O_DIRECT), EINVAL);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	CHECK_ERRNO(fcntl(fd[0], F_SETFL, O_DIRECT), EINVAL);
	fd[0] = CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_ERRNO(fcntl(fd[0], F_SETFL, O_DIRECT), EINVAL);
	CHECK_ERRNO(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_DIRECT), EINVAL);
}
