// SPDX-License-Identifier: MIT
/*
 * The words of the tests of user/bin: a program with its arguments, and what it said.
 *
 *     RUN("typed\n", "cat", "-");             input, program, arguments
 *     EXPECT(0, "typed\n", "");               status, standard output, standard error
 *
 * The programs need what Linux has not, so it has nothing to say of them. Their twins with liburing (user/compare)
 * run there too: TEST_BOTH(area, name) makes the test `name` of ours and the test `name_liburing` of theirs. The harness
 * puts ours into /bin and the twins, where liburing is installed, into /bin/liburing.
 */
#pragma once

#include "guest.h"
#include "ring.h"

enum { TEXT_SIZE = 65536, WORDS_MAX = 16 };

#define TWINS "/bin/liburing"

static const char *programs = "/bin"; /* the folder that start() looks into */

static inline void need_programs(void)
{
	NEWER(has_calls());
}

static inline void need_twins(void)
{
	programs = TWINS;
	if (access(TWINS, F_OK))
		SKIP("liburing was not there when the programs were made");
}

#define TEST_BOTH(area_, name_)                                                                \
	static void both_##name_(void);                                                        \
	TEST(area_, name_)                                                                     \
	{                                                                                      \
		need_programs();                                                               \
		both_##name_();                                                                \
	}                                                                                      \
	TEST(area_, name_##_liburing)                                                          \
	{                                                                                      \
		need_twins();                                                                  \
		both_##name_();                                                                \
	}                                                                                      \
	static void both_##name_(void)

/* What a program said. */
struct said {
	int status; /* of exit, or 128 and the signal */
	char out[TEXT_SIZE], err[TEXT_SIZE];
};
static struct said said;

static inline void read_back(int fd, char *text)
{
	ssize_t n = CHECK_OK(pread(fd, text, TEXT_SIZE - 1, 0));

	text[n] = 0;
	close(fd);
}

static inline int scratch(void)
{
	return CHECK_OK(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

static inline _Noreturn void become(char *const argv[], int in, int out, int err)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", programs, argv[0]);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	execv(path, argv);
	_exit(99);
}

static inline pid_t start(char *const argv[], int in, int out, int err)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		become(argv, in, out, err);
	return pid;
}

static inline int status_of(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Runs a program with this input; what came of it is in `said`. */
static inline void run_words(const char *input, char *const argv[])
{
	int in = scratch(), out = scratch(), err = scratch();

	CHECK_EQ(write(in, input, strlen(input)), strlen(input));
	CHECK_EQ(lseek(in, 0, SEEK_SET), 0);
	said.status = status_of(start(argv, in, out, err));
	close(in);
	read_back(out, said.out);
	read_back(err, said.err);
}
#define RUN(input, ...) run_words(input, (char *const[]){__VA_ARGS__, NULL})

#define EXPECT(status_, out_, err_)                                                            \
	do {                                                                                   \
		CHECK_STREQ(said.err, err_);                                                   \
		CHECK_STREQ(said.out, out_);                                                   \
		CHECK_EQ(said.status, status_);                                                \
	} while (0)

static inline void put_large(const char *path, unsigned size)
{
	FILE *f = fopen(path, "w");

	CHECK(f);
	for (unsigned i = 0; i < size; i++)
		putc((int)(i * 7 + i / 251), f);
	CHECK_OK(fclose(f));
}

static inline void expect_same(const char *a, const char *b)
{
	static char one[TEXT_SIZE], other[TEXT_SIZE];
	int fd = CHECK_OK(open(a, O_RDONLY)), fd2 = CHECK_OK(open(b, O_RDONLY));
	ssize_t n, n2;

	do {
		n = CHECK_OK(read(fd, one, sizeof(one)));
		n2 = CHECK_OK(read(fd2, other, sizeof(other)));
		CHECK_EQ(n, n2);
		CHECK_MEM(one, other, n);
	} while (n);
	close(fd);
	close(fd2);
}
