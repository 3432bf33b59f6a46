// SPDX-License-Identifier: MIT
/*
 * The words of a guest test. A test is a function that returns if all is well:
 *
 *     TEST(pipe, read_of_empty_without_writer_is_end)
 *     {
 *             int fd[2];
 *
 *             CHECK_OK(pipe(fd));
 *             CHECK_OK(close(fd[1]));
 *             CHECK_EQ(read(fd[0], buf, 1), 0);
 *             CHECK_ERRNO(write(fd[0], buf, 1), EBADF);
 *     }
 *
 * Each runs in a forked child that is the leader of its own process group, in a fresh directory
 * of its own under /tmp, with a time limit; the group is killed afterwards. What a test changes
 * in its own process needs no undoing; what it changes in the machine does.
 *
 * A CHECK_ that fails prints its text, the place and what came, and ends the process. In a child
 * of the test it ends that child with status CHILD_FAILED, so a test that forks looks at the
 * status: EXPECT_CHILD(pid, 0).
 *
 * SHOW() prints a line that must be the same on Linux and on Torus, for text that is not worth
 * spelling out in a check.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	REPORTED = 70,     /* exit status: the test has printed its own line */
	CHILD_FAILED = 71, /* a CHECK_ failed in a child of the test */
	DEFAULT_SECONDS = 20
};

struct guest_test {
	const char *area, *name;
	void (*run)(void);
	unsigned seconds;
	struct guest_test *next;
};

void guest_add(struct guest_test *test);

#define TEST_WITHIN(area_, name_, seconds_)                                                    \
	static void test_##area_##_##name_(void);                                              \
	__attribute__((constructor)) static void add_##area_##_##name_(void)                   \
	{                                                                                      \
		static struct guest_test test = {                                              \
			#area_, #name_, test_##area_##_##name_, seconds_, NULL};               \
		guest_add(&test);                                                              \
	}                                                                                      \
	static void test_##area_##_##name_(void)
#define TEST(area_, name_) TEST_WITHIN(area_, name_, DEFAULT_SECONDS)

/* Ends the process; the line is `not ok area.name: FILE:LINE: ...`. */
_Noreturn void guest_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends the test as skipped: this machine cannot show it. Say why. */
_Noreturn void guest_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void guest_show(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "EAGAIN" for EAGAIN; the number for what has no name here. */
const char *errno_name(int error);

#define FAIL(...) guest_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...) guest_skip(__VA_ARGS__)
#define SHOW(...) guest_show(__VA_ARGS__)

/*
 * The rest of the test is of something that Debian's kernel may be too old for, and `has` says that this one has
 * it: Torus must. The oracle has nothing to say then.
 */
#define NEWER(has)                                                                             \
	do {                                                                                   \
		if (!(has))                                                                    \
			SKIP("newer: no %s", #has);                                            \
	} while (0)

#define CHECK(condition)                                                                       \
	do {                                                                                   \
		if (!(condition))                                                              \
			FAIL("%s", #condition);                                                \
	} while (0)

/* Both are converted to long long. */
#define CHECK_EQ(got, want)                                                                    \
	do {                                                                                   \
		long long got_ = (long long)(got), want_ = (long long)(want);                  \
		if (got_ != want_)                                                             \
			FAIL("%s is %lld%s%s, not %lld", #got, got_, got_ == -1 ? " " : "",    \
				got_ == -1 ? errno_name(errno) : "", want_);                   \
	} while (0)

#define CHECK_STREQ(got, want)                                                                 \
	do {                                                                                   \
		const char *got_ = (got), *want_ = (want);                                     \
		if (strcmp(got_, want_))                                                       \
			FAIL("%s is \"%s\", not \"%s\"", #got, got_, want_);                   \
	} while (0)

#define CHECK_MEM(got, want, len)                                                              \
	do {                                                                                   \
		if (memcmp(got, want, len))                                                    \
			FAIL("%zu bytes of %s differ from %s", (size_t)(len), #got, #want);    \
	} while (0)

/* A call that must not return -1; its value. */
#define CHECK_OK(call)                                                                         \
	({                                                                                     \
		__typeof__(call) ok_ = (call);                                                 \
		if (ok_ == (__typeof__(ok_))-1)                                                \
			FAIL("%s: %s", #call, errno_name(errno));                              \
		ok_;                                                                           \
	})

/* A call that must return -1 with this errno. */
#define CHECK_ERRNO(call, error)                                                               \
	do {                                                                                   \
		errno = 0;                                                                     \
		long long value_ = (long long)(call);                                          \
		int errno_ = errno;                                                            \
		if (value_ != -1)                                                              \
			FAIL("%s is %lld, not %s", #call, value_, errno_name(error));          \
		if (errno_ != (error))                                                         \
			FAIL("%s: %s, not %s", #call, errno_name(errno_), errno_name(error));  \
	} while (0)

/* ---- Children ---- */

/* Waits for a child and fails unless it exits with this status. */
void guest_expect_child(const char *file, int line, pid_t pid, int status);
/* The same, unless it is killed by this signal. */
void guest_expect_killed(const char *file, int line, pid_t pid, int sig);
#define EXPECT_CHILD(pid, status) guest_expect_child(__FILE__, __LINE__, pid, status)
#define EXPECT_KILLED(pid, sig)   guest_expect_killed(__FILE__, __LINE__, pid, sig)

/* Runs the statement that follows in a child, which must get to its end. */
#define IN_CHILD(...)                                                                          \
	do {                                                                                   \
		pid_t child_ = CHECK_OK(fork());                                               \
		if (child_ == 0) {                                                             \
			__VA_ARGS__;                                                           \
			_exit(0);                                                              \
		}                                                                              \
		EXPECT_CHILD(child_, 0);                                                       \
	} while (0)

/*
 * What this program does when a test executes it again as `/proc/self/exe --helper WORD...`: an area
 * may define it. Gets the words.
 */
int guest_helper(int argc, char **argv);

/* ---- Small helpers ---- */

void sleep_ms(unsigned ms);
/* Milliseconds of CLOCK_MONOTONIC. */
int64_t now_ms(void);
/* Until the process or thread sleeps in the kernel, by /proc/PID/stat; without /proc, for a while. */
void wait_until_sleeping(pid_t pid);
/* A thread says who it is, as the last thing before the call that sleeps; another one waits for both. */
void announce_sleep(volatile pid_t *sleeper);
void wait_until_asleep(const volatile pid_t *sleeper);
/* Until a thread of this process has ended; joining it says so a little earlier. */
void wait_until_gone(pid_t tid);
/* A child that sends this process a signal as soon as it sleeps, and ends with 0. */
pid_t send_when_asleep(int sig);
/* A file with this content, created or replaced. */
void put_file(const char *path, const char *content);
/* All of a file up to size - 1 bytes, terminated; -1 and errno if it cannot be opened. */
ssize_t get_file(const char *path, char *buf, size_t size);
/* Whether the path exists. */
bool exists(const char *path);
/* The number after "key" (deep.names=) on the kernel's command line, by which a test is made larger. */
long long word_of_cmdline(const char *key, long long otherwise);
/* The value after "key" in a file of lines such as /proc/self/status, or -1. */
long long get_number(const char *path, const char *key);
