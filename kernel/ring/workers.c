// SPDX-License-Identifier: MIT
/*
 * How many of a process' calls are done at once, and where: IORING_REGISTER_IOWQ_MAX_WORKERS, IOWQ_AFF.
 *
 *     bounded     calls about files on disks, which end by themselves: paths, fsync, fallocate, splice of such files
 *     unbounded   those that may wait for ever: any call by its number, splice of other files
 *     neither     what Linux, too, does at once: close, socket, pipe ...; what parks; what a supervisor is asked
 *
 * Linux has workers for each thread, and so limits; here the fibers are the process', and the threads share them. What
 * is beyond a limit stands in line (proc/fiber.h). Before a program sets one it is told what Linux has, but nothing
 * stands in line for that: a few bounded workers are enough where most calls need none, and here each call has one.
 *
 * Locks   ring->lock [l]; the limits themselves are proc/fiber.c's
 * Spec    man 2 io_uring_register
 */
#include <linux/resource.h>

#include "arch/arch.h"
#include "lib/cpumask.h"
#include "proc/proc.h"
#include "ring/tables.h"

static const enum fiber_kind kinds[] = {
	[IO_WQ_BOUND] = FIBER_BOUNDED, [IO_WQ_UNBOUND] = FIBER_UNBOUNDED};

static uint32_t at_most(uint64_t nr)
{
	nr = MIN(nr, proc_rlimit(RLIMIT_NPROC));
	return (uint32_t)MIN(nr, (uint64_t)INT32_MAX);
}

void ring_workers_begin(const struct ring *ring)
{
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		uint32_t told = READ_ONCE(ring->iowq_max[i]);

		if (UNLIKELY(told) && !fiber_limit(kinds[i]))
			fiber_set_limit(kinds[i], told);
	}
}

static uint32_t linux_limit(const struct ring *ring, enum fiber_kind kind)
{
	enum { BOUNDED_PER_CPU = 4 }; /* or the entries of the ring */

	return kind == FIBER_BOUNDED ? MIN(ring->q.sq_entries, BOUNDED_PER_CPU * cpu_count())
				     : at_most(UINT64_MAX);
}

int ring_workers_limit(struct ring *ring, uptr arg)
{
	uint32_t set[2], old[2];

	if (user_get(set, arg))
		return -EFAULT;
	if (set[0] > INT32_MAX || set[1] > INT32_MAX)
		return -EINVAL;
	ring_workers_begin(ring);
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		old[i] = fiber_limit(kinds[i]);
		if (!old[i])
			old[i] = linux_limit(ring, kinds[i]);
		if (!set[i]) /* only asks */
			continue;
		WRITE_ONCE(ring->iowq_max[i], MAX(at_most(set[i]), 1u));
		fiber_set_limit(kinds[i], ring->iowq_max[i]);
	}
	return user_put(arg, old);
}

/*
 * Fibers begin on the CPU of the thread they work for, and a restriction of that thread is theirs; there is no worker
 * that could be elsewhere. Any set will do, as on Linux 6.1: which CPU does the work changes no result.
 */
int ring_workers_check_cpus(uptr arg, unsigned len)
{
	struct cpumask set;

	return user_read(&set, arg, MIN((size_t)len, sizeof(set))) ? -EFAULT : 0;
}
