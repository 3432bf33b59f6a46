// SPDX-License-Identifier: MIT
/*
 * Do two CPUs agree what time it is?
 *
 * The TSC is the kernel's clock, on the word of the manual that all CPUs count alike from one
 * reset. Firmware that wrote to it, or a hypervisor that does not care, breaks that, and then time
 * runs backwards for whoever changes CPUs. So when a CPU joins, it and the one that started it
 * read and pass on the latest value for a short while: one that reads less than the other had
 * read before it has been caught. What is found is logged; nothing is put right.
 *
 * Neither waits for the other's turn, so a CPU that a hypervisor has taken away costs no time. Then
 * less is learned: at least whether the new one's readings lie between one of ours before and one
 * after. This finds what is wrong; it proves nothing right.
 */
#include "arch/arch.h"
#include "interrupts.h"
#include "lib/atomic.h"

enum { ROUNDS = 1000 }; /* some 100 us */

static void compare(struct tsc_check *c, int64_t skew)
{
	uint64_t latest = atomic_load_acquire(&c->latest); /* pairs with the other's exchange */
	uint64_t now = arch_counter_read() + (uint64_t)skew; /* LFENCE: not before that load */

	if (now >= latest)
		(void)atomic_cmpxchg(
			&c->latest, &latest, now); /* failed: the other has read since */
	else if (latest - now > atomic_load_relaxed(&c->worst))
		atomic_store_relaxed(&c->worst, latest - now);
}

void tsc_check_join(struct tsc_check *c, int64_t skew)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		compare(c, skew);
	atomic_store_release(&c->is_done, 1u); /* pairs with tsc_check_watch */
}

uint64_t tsc_check_watch(struct tsc_check *c)
{
	while (!atomic_load_acquire(&c->is_done)) /* pairs with tsc_check_join */
		compare(c, 0);
	compare(c, 0);
	return atomic_load_relaxed(&c->worst);
}
