// SPDX-License-Identifier: MIT
/*
 * The clocks that programs name.
 *
 * Real time is monotonic time plus an offset (time/clock.c). Whoever waits for a real time waits
 * by monotonic time and looks again when the offset changes: an operation parks on clock_was_set,
 * which is woken then.
 *
 * A clock of CPU time is named by a number made of a process or thread id: ~id << 3, bit 2 for a
 * thread, and what is counted (user and system, user, or as the scheduler counts). Id 0 is the
 * caller.
 *
 * Spec    man 2 clock_getres, man 3 clock_getcpuclockid, time(7)
 */
#include "proc/clocks.h"

#include <linux/capability.h>
#include <linux/time.h>

#include "lib/atomic.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "time/clock.h"

enum {
	CPU_CLOCK_SHIFT = 3,
	CPU_CLOCK_OF_THREAD = 4,
	CPU_CLOCK_WHAT = 3,
	CPU_CLOCK_PROF = 0,
	CPU_CLOCK_VIRT = 1,
	CPU_CLOCK_SCHED = 2, /* 3 is a clock behind a descriptor: there are none */
};

/* What clock_getres says of the coarse clocks: a tick of Linux at 250 Hz. */
static const uint64_t COARSE_NS = 4 * NS_PER_MS;

struct waitq clock_was_set = WAITQ_INIT(clock_was_set);
static uint32_t set_count; /* [a] */
static int32_t tai_offset; /* [a] seconds */

enum clock_kind clock_kind_of(int id)
{
	if (id < 0)
		return (id & CPU_CLOCK_WHAT) > CPU_CLOCK_SCHED ? CLOCK_IS_NONE : CLOCK_IS_CPU;
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		return CLOCK_IS_REAL;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return CLOCK_IS_MONOTONIC;
	case CLOCK_MONOTONIC_RAW:
		return CLOCK_IS_RAW;
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return CLOCK_IS_COARSE;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return CLOCK_IS_CPU;
	default:
		return CLOCK_IS_NONE;
	}
}

/* ---- CPU time ---- */

/* The number of a dynamic clock for the two that have one of their own. */
static int dynamic_id(int id)
{
	if (id == CLOCK_PROCESS_CPUTIME_ID)
		return (int)(~0u << CPU_CLOCK_SHIFT) | CPU_CLOCK_SCHED;
	if (id == CLOCK_THREAD_CPUTIME_ID)
		return (int)(~0u << CPU_CLOCK_SHIFT) | CPU_CLOCK_OF_THREAD | CPU_CLOCK_SCHED;
	return id;
}

static int id_of(int id)
{
	return ~(id >> CPU_CLOCK_SHIFT);
}

bool clock_is_own_thread(int id)
{
	int nr;

	if (clock_kind_of(id) != CLOCK_IS_CPU)
		return false;
	id = dynamic_id(id);
	nr = id_of(id);
	return (id & CPU_CLOCK_OF_THREAD) && (nr == 0 || nr == uthread_current()->tid_nr);
}

static int64_t choose_time(int id, uint64_t user_ns, uint64_t system_ns)
{
	return (int64_t)((id & CPU_CLOCK_WHAT) == CPU_CLOCK_VIRT ? user_ns
								 : user_ns + system_ns);
}

static int read_thread(int id, int64_t *ns)
{
	int nr = id_of(id), err = 0;
	struct thread *t = arch_current();
	uint64_t user_ns, system_ns;

	if (nr)
		err = uthread_find(nr, &t);
	if (err)
		return -EINVAL;
	if (t->user->proc != proc_current())
		err = -EINVAL; /* other processes' threads have no clock for us */
	uthread_get_times(t, &user_ns, &system_ns);
	*ns = choose_time(id, user_ns, system_ns);
	if (nr)
		thread_put(t);
	return err;
}

static int find_process(int nr, struct proc **out)
{
	if (nr) {
		return proc_find(nr, out) ? -EINVAL : 0;
	}
	*out = proc_current();
	proc_get(*out);
	return 0;
}

static int read_process(int id, int64_t *ns)
{
	struct proc_times times;
	struct proc *p;
	int err = find_process(id_of(id), &p);

	if (err)
		return err;
	proc_get_times(p, &times);
	*ns = choose_time(id, times.user_ns, times.system_ns);
	proc_put(p);
	return 0;
}

int clock_get_owner(int id, int *general, struct proc **p, struct thread **t)
{
	int nr, err;

	id = dynamic_id(id);
	nr = id_of(id);
	*general = id;
	if (id & CPU_CLOCK_OF_THREAD) {
		err = uthread_find(nr ? nr : uthread_current()->tid_nr, t);
		return err || (*t)->user->proc != proc_current() ? -EINVAL : 0;
	}
	err = find_process(nr, p);
	if (!err && *p == proc_current())
		proc_put(*p);
	return err;
}

unsigned clock_cpu_speed(int id)
{
	unsigned nr_threads;
	struct proc *p;

	id = dynamic_id(id);
	if (id & CPU_CLOCK_OF_THREAD)
		return 1;
	if (find_process(id_of(id), &p))
		return 0;
	nr_threads = READ_ONCE(p->nr_threads);
	proc_put(p);
	return MAX(nr_threads, 1u);
}

/* ---- All ---- */

int clock_read(int id, int64_t *ns)
{
	switch (clock_kind_of(id)) {
	case CLOCK_IS_REAL:
		*ns = clock_realtime_ns();
		if (id == CLOCK_TAI)
			*ns += (int64_t)NS_PER_SEC * clock_tai_offset();
		return 0;
	case CLOCK_IS_COARSE:
		if (id == CLOCK_REALTIME_COARSE) {
			*ns = clock_realtime_ns();
			return 0;
		}
		FALLTHROUGH;
	case CLOCK_IS_MONOTONIC:
	case CLOCK_IS_RAW:
		*ns = (int64_t)clock_monotonic_ns();
		return 0;
	case CLOCK_IS_CPU:
		id = dynamic_id(id);
		return id & CPU_CLOCK_OF_THREAD ? read_thread(id, ns) : read_process(id, ns);
	default:
		return -EINVAL;
	}
}

int clock_resolution(int id, uint64_t *ns)
{
	int64_t now;
	int err = clock_read(id, &now); /* whether there is such a clock now */

	if (!err)
		*ns = clock_kind_of(id) == CLOCK_IS_COARSE ? COARSE_NS : 1;
	return err;
}

uint64_t clock_to_monotonic(int id, uint64_t at)
{
	int64_t offset = 0;

	if (clock_kind_of(id) == CLOCK_IS_REAL)
		offset = clock_realtime_ns() - (int64_t)clock_monotonic_ns();
	if (id == CLOCK_TAI)
		offset += (int64_t)NS_PER_SEC * clock_tai_offset();
	if (at == UINT64_MAX || (offset < 0 && at > UINT64_MAX + (uint64_t)offset))
		return UINT64_MAX;
	return offset > 0 && at < (uint64_t)offset ? 0 : at - (uint64_t)offset;
}

void clock_start_timer(struct timer *t, int id, uint64_t at)
{
	uint32_t was_set;

	do {
		was_set = clock_set_count();
		timer_start(t, clock_to_monotonic(id, at));
	} while (UNLIKELY(was_set != clock_set_count()));
}

/* ---- Setting ---- */

void clock_set_real(int64_t ns)
{
	clock_set_realtime_ns(ns);
	atomic_add(&set_count, 1); /* before the wake-up: who is woken compares */
	waitq_wake_all(&clock_was_set, 0);
}

uint32_t clock_set_count(void)
{
	return atomic_load(&set_count);
}

int clock_tai_offset(void)
{
	return atomic_load_relaxed(&tai_offset);
}

void clock_set_tai_offset(int seconds)
{
	atomic_store(&tai_offset, seconds);
	atomic_add(&set_count, 1);
	waitq_wake_all(&clock_was_set, 0);
}

int clock_set(int id, int64_t ns)
{
	if (clock_kind_of(id) == CLOCK_IS_CPU)
		return -EPERM;
	if (id != CLOCK_REALTIME)
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	/* Linux: monotonic time is never more than real time, so no time before its start */
	if (ns < (int64_t)clock_monotonic_ns())
		return -EINVAL;
	clock_set_real(ns);
	return 0;
}
