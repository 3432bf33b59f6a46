// SPDX-License-Identifier: MIT
/* flock(2), POSIX and open-file-description record locks (man 2 fcntl). */
#include "guest.h"

#include <sys/file.h>

static int fd;

static int lock(int on, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(on, cmd, &fl);
}

static struct flock find(int on, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	CHECK_OK(fcntl(on, cmd, &fl));
	return fl;
}

static int make(void)
{
	return fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
}

TEST(lock, flock_excludes_other_opens)
{
	int a = make(), b = make(), shared = CHECK_OK(dup(a));

	CHECK_OK(flock(a, LOCK_EX));
	CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
	CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EAGAIN);
	CHECK_OK(flock(shared, LOCK_SH | LOCK_NB)); /* the same open file: converted */
	CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
	CHECK_OK(flock(a, LOCK_UN));
	CHECK_OK(flock(b, LOCK_EX | LOCK_NB));
	CHECK_ERRNO(flock(a, 16), EINVAL);
	CHECK_ERRNO(flock(99, LOCK_SH), EBADF);
}

TEST(lock, flock_goes_with_the_last_descriptor)
{
	int a = make(), b = make();

	CHECK_OK(flock(a, LOCK_EX));
	IN_CHILD(close(a));
	CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
	close(a);
	CHECK_OK(flock(b, LOCK_EX | LOCK_NB));
}

TEST(lock, flock_waits)
{
	int a = make(), b = make();
	pid_t pid;

	CHECK_OK(flock(a, LOCK_EX));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(flock(b, LOCK_EX));
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_OK(flock(a, LOCK_UN));
	EXPECT_CHILD(pid, 0);
}

TEST(lock, posix_between_processes)
{
	make();
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 10, 10));
	IN_CHILD(CHECK_ERRNO(lock(fd, F_SETLK, F_RDLCK, 15, 1), EAGAIN);
		 CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 10));
		 CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 20, 0)));
	CHECK_OK(lock(fd, F_SETLK, F_RDLCK, 10, 10));
	IN_CHILD(CHECK_OK(lock(fd, F_SETLK, F_RDLCK, 15, 1));
		 CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 15, 1), EAGAIN));
}

TEST(lock, posix_getlk_tells_who)
{
	pid_t me = getpid();

	make();
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 10, 10));
	CHECK_EQ(find(fd, F_GETLK, F_WRLCK, 0, 0).l_type, F_UNLCK); /* one's own do not count */
	IN_CHILD(struct flock fl = find(fd, F_GETLK, F_RDLCK, 0, 0);
		 CHECK_EQ(fl.l_type, F_WRLCK); CHECK_EQ(fl.l_pid, me); CHECK_EQ(fl.l_start, 10);
		 CHECK_EQ(fl.l_len, 10));
}

TEST(lock, posix_unlock_splits)
{
	make();
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 30));
	CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 10, 10));
	IN_CHILD(CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 10, 10));
		 struct flock fl = find(fd, F_GETLK, F_WRLCK, 10, 0); CHECK_EQ(fl.l_start, 20);
		 CHECK_EQ(fl.l_len, 10));
}

TEST(lock, posix_goes_with_any_close)
{
	int other;

	make();
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	other = CHECK_OK(open("f", O_RDONLY));
	close(other); /* the well known trap */
	IN_CHILD(CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0)));
}

TEST(lock, posix_is_not_inherited)
{
	make();
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	IN_CHILD(CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN));
}

TEST(lock, posix_needs_the_access_mode)
{
	int r, w;

	make();
	r = CHECK_OK(open("f", O_RDONLY));
	w = CHECK_OK(open("f", O_WRONLY));
	CHECK_ERRNO(lock(r, F_SETLK, F_WRLCK, 0, 0), EBADF);
	CHECK_ERRNO(lock(w, F_SETLK, F_RDLCK, 0, 0), EBADF);
	CHECK_OK(lock(r, F_SETLK, F_RDLCK, 0, 0));
}

TEST(lock, posix_ranges)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -5, .l_len = 5};

	make();
	CHECK_OK(ftruncate(fd, 100));
	CHECK_OK(fcntl(fd, F_SETLK, &fl));
	IN_CHILD(CHECK_EQ(find(fd, F_GETLK, F_WRLCK, 0, 0).l_start, 95));
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 50, -10)); /* 40 to 49 */
	IN_CHILD(CHECK_EQ(find(fd, F_GETLK, F_WRLCK, 0, 60).l_start, 40));
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, -1, 0), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, 99, 0, 0), EINVAL);
	fl.l_whence = 99;
	CHECK_ERRNO(fcntl(fd, F_SETLK, &fl), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, LONG_MAX, 2), EOVERFLOW);
}

TEST(lock, posix_waits_and_is_interrupted)
{
	pid_t pid;

	make();
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(lock(fd, F_SETLKW, F_WRLCK, 0, 0));
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 0, 0));
	EXPECT_CHILD(pid, 0);
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		lock(fd, F_SETLKW, F_WRLCK, 0, 0);
		_exit(0);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGTERM);
	EXPECT_KILLED(pid, SIGTERM);
}

TEST(lock, deadlock_is_found)
{
	int p[2];
	char c;
	pid_t pid;

	make();
	CHECK_OK(pipe(p));
	CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(lock(fd, F_SETLK, F_WRLCK, 1, 1));
		CHECK_EQ(write(p[1], "x", 1), 1);
		CHECK_OK(lock(fd, F_SETLKW, F_WRLCK, 0, 1));
		_exit(0);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	wait_until_sleeping(pid);
	CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK_OK(lock(fd, F_SETLK, F_UNLCK, 0, 1));
	EXPECT_CHILD(pid, 0);
}

TEST(lock, ofd_belongs_to_the_open_file)
{
	int a = make(), b = make();

	CHECK_OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
	CHECK_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
	IN_CHILD(CHECK_OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 20)));
	CHECK_EQ(find(b, F_OFD_GETLK, F_WRLCK, 0, 0).l_pid, -1);
	close(a);
	CHECK_OK(lock(b, F_OFD_SETLK, F_WRLCK, 0, 10));
}

TEST(lock, ofd_wants_a_zero_pid)
{
	struct flock fl = {.l_type = F_WRLCK, .l_pid = 5};

	make();
	CHECK_ERRNO(fcntl(fd, F_OFD_SETLK, &fl), EINVAL);
}
