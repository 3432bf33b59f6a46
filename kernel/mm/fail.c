// SPDX-License-Identifier: MIT
/*
 * Failing the n-th allocation: a counter, and whose allocations it counts.
 *
 * failalloc=N counts every allocation from the first one on and says which one it failed, by the
 * functions that asked for it, so that what happens next can be read as its consequence.
 *
 * A test of the kernel arms it for itself; failsome=N (proc/fail_some.c) for all programs.
 *
 * Locks   none; the counter is atomic, and only one test arms it at a time.
 */
#include "mm/fail.h"

#ifdef DEBUG

#include "arch/arch.h"
#include "debug/log.h"
#include "debug/panic.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/hash.h"
#include "lib/parse.h"
#include "sync/preempt.h"

enum { CALLERS_SHOWN = 5 };

enum fail_mode { FAIL_OFF, FAIL_THREAD, FAIL_CHOSEN, FAIL_EVERYONE, FAIL_SOME };

static uint32_t mode;                             /* [a] enum fail_mode */
static const struct thread *whose;                /* written before mode, read after it */
static bool (*is_chosen)(const struct thread *t); /* the same */
static uint64_t countdown;                        /* [a] allocations until the one that fails */
static uint32_t has_fired;                        /* [a] */
static uint64_t some_of; /* [a] FAIL_SOME: one of so many; countdown is only counted on */

static void arm(uint64_t nth, enum fail_mode m)
{
	atomic_store(&countdown, nth);
	atomic_store(&has_fired, 0);
	if (nth)
		atomic_store(&mode, m);
}

void fail_arm(uint64_t nth)
{
	atomic_store(&mode, FAIL_OFF);
	whose = arch_current();
	arm(nth, FAIL_THREAD);
}

void fail_arm_for(uint64_t nth, bool (*is_counted)(const struct thread *t))
{
	atomic_store(&mode, FAIL_OFF);
	is_chosen = is_counted;
	arm(nth, FAIL_CHOSEN);
}

void fail_arm_some(uint64_t one_of, bool (*is_counted)(const struct thread *t))
{
	atomic_store(&mode, FAIL_OFF);
	is_chosen = is_counted;
	some_of = one_of;
	arm(one_of, FAIL_SOME);
}

bool fail_disarm(void)
{
	atomic_store(&mode, FAIL_OFF);
	return atomic_xchg(&has_fired, 0);
}

bool fail_has_fired(void)
{
	return atomic_load(&has_fired);
}

void fail_arm_boot(uint64_t nth)
{
	atomic_store(&countdown, nth);
	atomic_store(&has_fired, 0);
	atomic_store(&mode, nth ? FAIL_EVERYONE : FAIL_OFF);
}

static void say_who(void)
{
	vaddr_t callers[CALLERS_SHOWN];
	unsigned nr = backtrace_capture(arch_frame_pointer(), callers, CALLERS_SHOWN);

	log_write(LOG_NOTICE, "mm: failalloc: this allocation fails");
	for (unsigned i = 1; i < nr; i++) {
		char name[80];

		symbol_describe(callers[i], name, sizeof(name));
		log_write(LOG_NOTICE, "mm: failalloc:   in %s", name);
	}
}

bool fail_now(void)
{
	uint32_t m = atomic_load_acquire(&mode); /* pairs with the stores of fail_arm */

	if (LIKELY(m == FAIL_OFF))
		return false;
	if (m != FAIL_EVERYONE && in_interrupt())
		return false;
	if (m == FAIL_THREAD && arch_current() != whose)
		return false;
	if ((m == FAIL_CHOSEN || m == FAIL_SOME) && !is_chosen(arch_current()))
		return false;
	if (m == FAIL_SOME)
		return hash_u64(atomic_fetch_add(&countdown, 1)) % some_of == 0;
	if (atomic_fetch_sub(&countdown, 1) != 1)
		return false;
	atomic_store(&mode, FAIL_OFF);
	atomic_store(&has_fired, 1);
	if (m == FAIL_EVERYONE)
		say_who();
	return true;
}

static int set_failalloc(const char *value)
{
	uint64_t nth;

	if (parse_u64(value, 0, &nth))
		return -EINVAL;
	fail_arm_boot(nth);
	return 0;
}
CMDLINE_WORD(
	failalloc, "failalloc", set_failalloc, "N: the N-th allocation of the start fails");

#endif
