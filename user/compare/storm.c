// SPDX-License-Identifier: MIT
/*
 * user/bin/storm.c once more with liburing, as far as that goes: io_uring begins no processes.
 *
 * posix_spawn() is a call that sleeps until the new process has its program, so there is never more than one that
 * begins. That they end is heard of by the ring (a poll of each one's descriptor), how they ended by another call.
 */
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <poll.h>
#include <time.h>

#include "hosted.h"

enum {
	ENTRIES = 1024,
	PLACES = 128,
	RUNS_MAX = 10000000,
	NS_A_MS = 1000000,
	MS_A_SECOND = 1000
};

static struct io_uring ring;
static int places[PLACES]; /* descriptors of processes */
static char **program;
static unsigned nr_left, nr_run, nr_failed;
static unsigned nr_going; /* places that have a process */

/* EAGAIN: the machine has no room for so many at once, so this place rests, and others do its work. */
static void failed(int error)
{
	if (error == EAGAIN && nr_going) {
		nr_left++;
		return;
	}
	complain("%s: %s", program[0], error_text(-error));
	nr_failed++;
	nr_left = 0; /* the next would fail as well */
}

static void next(unsigned place)
{
	struct io_uring_sqe *sqe;
	pid_t pid;
	int err;

	if (!nr_left)
		return;
	nr_left--;
	err = posix_spawn(&pid, program[0], NULL, NULL, program, environ);
	if (err)
		return failed(err);
	nr_going++;
	places[place] = must_libc(pidfd_open(pid, 0), "pidfd_open");
	sqe = next_entry(&ring, 1);
	io_uring_prep_poll_add(sqe, places[place], POLLIN);
	io_uring_sqe_set_data64(sqe, place);
}

static void ended(__u64 place, int res, unsigned flags)
{
	siginfo_t info;

	(void)flags;
	must(res, "poll");
	must_libc(waitid(P_PIDFD, (id_t)places[place], &info, WEXITED), "waitid");
	close(places[place]);
	nr_run++;
	nr_going--;
	if (info.si_code != CLD_EXITED || info.si_status)
		nr_failed++;
	next((unsigned)place);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MS_A_SECOND + (uint64_t)now.tv_nsec / NS_A_MS;
}

int main(int argc, char **argv)
{
	uint64_t begin, ms;
	char *end;
	long nr = argc > 1 ? strtol(argv[1], &end, 10) : 0;

	if (argc < 3 || *end || nr <= 0 || nr > RUNS_MAX) {
		complain("usage: storm N PROGRAM [ARGUMENT...]");
		return 2;
	}
	must(io_uring_queue_init(ENTRIES, &ring, 0), "io_uring");
	nr_left = (unsigned)nr;
	program = argv + 2;
	begin = now_ms();
	for (unsigned i = 0; i < PLACES; i++)
		next(i);
	while (nr_going)
		deliver(&ring, ended);
	ms = now_ms() - begin;
	ms = ms ? ms : 1;
	printf("%u processes in %llu ms: %llu a second\n", nr_run, (unsigned long long)ms,
		(unsigned long long)(nr_run * (uint64_t)MS_A_SECOND / ms));
	if (nr_failed)
		complain("%u failed", nr_failed);
	return nr_failed != 0;
}
