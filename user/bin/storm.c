// SPDX-License-Identifier: MIT
/*
 * storm N PROGRAM [ARGUMENT...]: runs a program N times, as many at once as there are places (128), and says how
 * many that were in a second.
 *
 * A place is a circle of two requests: a new process, and waiting for its end; closing its descriptor is linked
 * to that. All places together are one queue, so the kernel is entered when something has happened, not for each
 * process.
 */
#include <asm/siginfo.h>
#include <linux/time.h>

#include "lib/parse.h"
#include "ops.h"
#include "program.h"
#include "ring.h"

enum {
	ENTRIES = 1024,
	PLACES = 128,
	RUNS_MAX = 10000000,
	NS_A_MS = 1000000,
	MS_A_SECOND = 1000
};

struct place {
	struct reply spawned, ended;
	siginfo_t info;
};
static struct place places[PLACES];

static struct torus_spawn program; /* the same for all */
static unsigned nr_left, nr_run, nr_failed;
static unsigned nr_going; /* places that have a process, or asked for one */

static void next(struct place *p)
{
	if (!nr_left)
		return;
	nr_left--;
	nr_going++;
	ring_tell(op_spawn(AT_FDCWD, &program), &p->spawned);
}

/* -EAGAIN: the machine has no room for so many at once, so this place rests, and others do its work. */
static void failed(int error)
{
	if (error == -EAGAIN && nr_going) {
		nr_left++;
		return;
	}
	complain("%s: %s", (const char *)(uintptr_t)program.path, error_text(error));
	nr_failed++;
	nr_left = 0; /* the next would fail as well */
}

static void spawned(struct reply *reply)
{
	struct place *p = container_of(reply, struct place, spawned);
	struct io_uring_sqe *sqe;

	if (reply->res < 0) {
		nr_going--;
		failed(reply->res);
		return;
	}
	ring_room(2);
	sqe = ring_tell(op_wait(reply->res, &p->info), &p->ended);
	sqe->flags |= IOSQE_IO_HARDLINK;
	op_close(reply->res);
}

static void ended(struct reply *reply)
{
	struct place *p = container_of(reply, struct place, ended);

	nr_run++;
	nr_going--;
	if (reply->res < 0 || p->info.si_code != CLD_EXITED || p->info.si_status)
		nr_failed++;
	next(p);
}

static uint64_t now_ms(void)
{
	struct __kernel_timespec now;

	must(ring_call(__NR_clock_gettime, CLOCK_MONOTONIC, &now), "clock");
	return (uint64_t)now.tv_sec * MS_A_SECOND + (uint64_t)now.tv_nsec / NS_A_MS;
}

int main(int argc, char **argv)
{
	uint64_t begin, ms, nr;

	ring_open(ENTRIES, 0);
	if (argc < 3 || parse_u64(argv[1], 10, &nr) || !nr || nr > RUNS_MAX) {
		complain("usage: storm N PROGRAM [ARGUMENT...]");
		return 2;
	}
	nr_left = (unsigned)nr;
	program.path = (uintptr_t)argv[2];
	program.argv = (uintptr_t)(argv + 2);
	program.envp = (uintptr_t)environ;
	begin = now_ms();
	for (unsigned i = 0; i < PLACES; i++) {
		places[i].spawned.then = spawned;
		places[i].ended.then = ended;
		next(&places[i]);
	}
	ring_finish();
	ms = MAX(now_ms() - begin, 1ul);
	out("%u processes in %llu ms: %llu a second\n", nr_run, (unsigned long long)ms,
		(unsigned long long)(nr_run * (uint64_t)MS_A_SECOND / ms));
	if (nr_failed)
		complain("%u failed", nr_failed);
	return nr_failed != 0;
}
