// SPDX-License-Identifier: MIT
/*
 * This CPU's one-shot timer: by TSC deadline where the CPU has it, else by the APIC's counter.
 *
 * With a deadline the CPU compares the TSC itself: one MSR write, exact, never early. The APIC's
 * counter has its own rate and 32 bits; a deadline becomes a count, rounded up and cut to what
 * fits, and the interrupt handler arms again when the TSC has not come that far. Because the rate is
 * only known as well as it was measured, a long way is made a little short on purpose, by the
 * measurement's error, and the rest is a short way that is exact enough.
 *
 * Locks   none: each CPU has its own, touched with interrupts off
 * Spec    Intel SDM vol.3 11.5.4
 */
#include "arch/arch.h"
#include "cpuid.h"
#include "debug/log.h"
#include "interrupts.h"
#include "lib/bits.h"
#include "msr.h"
#include "sync/preempt.h"

enum { RATIO_SHIFT = 32, PPM = 1000000, SMALL_PER_SEC = 50000 /* 20 us */ };

static bool is_by_deadline;	 /* [I] after timer_hw_init */
static uint64_t counts_per_tick; /* [I] APIC counts per TSC tick, << RATIO_SHIFT */
static uint64_t max_ticks;	 /* [I] the longest way one count goes */
static uint64_t doubt;		 /* [I] the rate's error, << RATIO_SHIFT */
static uint64_t small_ticks;	 /* [I] an error that does not matter */
static PERCPU(uint64_t, armed_for); /* [c] the deadline; 0: none. By APIC counter only */

void timer_hw_init(void)
{
	is_by_deadline = x86_has(X86_FEATURE_TSC_DEADLINE);
	if (!is_by_deadline) {
		counts_per_tick = mul_div_u64(apic_timer_hz(), 1ull << RATIO_SHIFT, tsc_hz());
		max_ticks = mul_div_u64(UINT32_MAX, 1ull << RATIO_SHIFT, counts_per_tick) - 1;
		doubt = (apic_timer_ppm() << RATIO_SHIFT) / PPM;
		small_ticks = tsc_hz() / SMALL_PER_SEC;
	}
	log_info("timer: %s", is_by_deadline ? "TSC deadline" : "APIC one-shot");
	timer_hw_init_cpu();
}

void timer_hw_init_cpu(void)
{
	apic_timer_set_mode(is_by_deadline ? APIC_TIMER_TSC_DEADLINE : APIC_TIMER_ONE_SHOT);
}

static void start_count(uint64_t deadline)
{
	uint64_t now = arch_counter_read();
	uint64_t ticks = deadline > now ? MIN(deadline - now, max_ticks) : 0;
	uint64_t error = mul_u64_u64_shr(ticks, doubt, RATIO_SHIFT);

	if (error > small_ticks)
		ticks -= error;
	apic_timer_set_count((uint32_t)mul_u64_u64_shr(ticks, counts_per_tick, RATIO_SHIFT) + 1);
}

void arch_timer_arm(uint64_t deadline)
{
	bool were_enabled;

	deadline = MAX(deadline, 1ul); /* 0 would disarm */
	if (is_by_deadline) {
		msr_write(MSR_TSC_DEADLINE, deadline);
		return;
	}
	were_enabled = arch_irq_save();
	percpu(armed_for) = deadline;
	start_count(deadline);
	arch_irq_restore(were_enabled);
}

void arch_timer_cancel(void)
{
	bool were_enabled;

	if (is_by_deadline) {
		msr_write(MSR_TSC_DEADLINE, 0);
		return;
	}
	were_enabled = arch_irq_save();
	percpu(armed_for) = 0;
	apic_timer_set_count(0);
	arch_irq_restore(were_enabled);
}

void timer_hw_interrupt(void)
{
	if (!is_by_deadline) {
		uint64_t deadline = percpu(armed_for);

		if (!deadline)
			return; /* cancelled when it was already on its way */
		if (arch_counter_read() < deadline) {
			start_count(deadline);
			return;
		}
		percpu(armed_for) = 0;
	}
	trap_timer();
}
