// SPDX-License-Identifier: MIT
/*
 * One call that has long to do, without waiting for anything, ends when its process is killed.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "guest.h"

enum { SOON_MS = 5 };

/* A child makes the call and is killed soon. Where it left the position of fd, which the test has too. */
static off_t kill_soon(void (*call)(int fd), int fd)
{
	int ready[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe(ready));
	CHECK_OK(pid = fork());
	if (pid == 0) {
		CHECK_EQ(write(ready[1], "x", 1), 1);
		call(fd);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	sleep_ms(SOON_MS);
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
	CHECK_OK(close(ready[0]));
	CHECK_OK(close(ready[1]));
	return CHECK_OK(lseek(fd, 0, SEEK_CUR));
}

/* Sooner or later it is killed in the call, and not after it. */
static void expect_killed_in_call(void (*call)(int fd), int fd, off_t start, off_t end)
{
	for (int tries = 0; tries < 10; tries++) {
		CHECK_EQ(lseek(fd, start, SEEK_SET), start);
		if (kill_soon(call, fd) < end)
			return;
	}
	FAIL("the call goes on to its end");
}

/* The whole of it is kept in memory, so it cannot be larger. */
enum { FILE_SIZE = 128 << 20 };

static void send_all(int fd)
{
	(void)!sendfile(CHECK_OK(open("/dev/null", O_WRONLY)), fd, NULL, FILE_SIZE);
}

TEST_WITHIN(killed, sendfile_from_file_to_file, 60)
{
	int fd = CHECK_OK(open("in", O_RDWR | O_CREAT, 0600));

	CHECK_OK(ftruncate(fd, FILE_SIZE));
	expect_killed_in_call(send_all, fd, 0, FILE_SIZE);
}

/* The most that one call moves. */
#define WHOLE 0x7ffff000l
enum { PIECES = 1024 };
#define PIECE (WHOLE / PIECES / 4096 * 4096)

/* Its parent's memory, all of it to the same place. */
static void read_all(int fd)
{
	static struct iovec v[PIECES];
	void *to =
		mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(to != MAP_FAILED);
	for (unsigned i = 0; i < PIECES; i++)
		v[i] = (struct iovec){to, PIECE};
	(void)!readv(fd, v, PIECES);
}

TEST_WITHIN(killed, read_of_memory_by_proc, 60)
{
	char *from = mmap(NULL, WHOLE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int fd = CHECK_OK(open("/proc/self/mem", O_RDONLY));
	off_t start = (off_t)(uintptr_t)from, whole = (off_t)PIECE * PIECES;

	CHECK(from != MAP_FAILED);
	expect_killed_in_call(read_all, fd, start, start + whole);
}
