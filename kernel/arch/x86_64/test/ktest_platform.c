// SPDX-License-Identifier: MIT
/*
 * The platform's devices: vectors really arrive where they were aimed, the counters agree, the
 * battery clock tells a time.
 */
#include "arch/arch.h"
#include "arch/machine.h"
#include "calibrate.h"
#include "debug/log.h"
#include "interrupts.h"
#include "io.h"
#include "irq/irq.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "sched/sched.h"
#include "time/clock.h"

/* ---- Interrupts that arrive ---- */

static uint32_t nr_arrived;   /* [a] */
static uint32_t arrived_on;   /* before nr_arrived */

static enum irq_result on_arrival(unsigned irq UNUSED, void *ctx UNUSED)
{
	arrived_on = arch_cpu()->id;
	atomic_add(&nr_arrived, 1u);
	return IRQ_HANDLED;
}

static bool arrives(uint32_t nr)
{
	uint64_t limit = clock_monotonic_ns() + 10 * NS_PER_SEC;

	while (atomic_load(&nr_arrived) < nr) {
		if (clock_monotonic_ns() > limit)
			return false;
		arch_cpu_relax();
	}
	return true;
}

TEST(x86, a_message_arrives_on_the_cpu_it_was_aimed_at)
{
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		struct irq_action action;
		struct msi_message msg;
		unsigned irq;

		nr_arrived = 0;
		REQUIRE(arch_msi_alloc(cpu, &irq, &msg) == 0);
		REQUIRE(irq_add(irq, &action, on_arrival, NULL, "test") == 0);
		apic_send((uint32_t)cpus[cpu]->hw_id, APIC_ICR_FIXED, (uint8_t)msg.data);
		EXPECT(arrives(1));
		EXPECT_EQ(arrived_on, cpu);
		irq_remove(irq, &action);
		arch_msi_free(irq);
	}
}

/* The PIT's channel 0, on ISA line 0: counts down once and raises its output. 8254 data sheet. */
enum { PIT_CHANNEL0 = 0x40, PIT_COMMAND = 0x43, PIT_CHANNEL0_MODE0 = 0x30, PIT_TICKS = 200 };

static void pit_shoot(void)
{
	io_write8(PIT_COMMAND, PIT_CHANNEL0_MODE0);
	io_write8(PIT_CHANNEL0, PIT_TICKS & 0xff);
	io_write8(PIT_CHANNEL0, PIT_TICKS >> 8);
}

TEST(x86, a_line_of_the_ioapic_arrives_and_can_be_moved)
{
	struct irq_action action;
	unsigned irq;

	if (machine.nr_overrides == 0) { /* QEMU's microvm wires line 0 to input 2 and does not say so */
		test_skip("no table says where ISA line 0 arrives");
		return;
	}
	if (arch_irq_of_isa(0, &irq)) {
		test_skip("no I/O APIC has ISA line 0");
		return;
	}
	nr_arrived = 0;
	REQUIRE(irq_add(irq, &action, on_arrival, NULL, "test") == 0);
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		uint32_t before = atomic_load(&nr_arrived);

		REQUIRE(irq_set_cpu(irq, cpu) == 0);
		pit_shoot();
		EXPECT(arrives(before + 1));
		EXPECT_EQ(arrived_on, cpu);
	}
	irq_remove(irq, &action);
}

/* ---- Time ---- */

TEST(x86, the_counters_agree_about_the_tsc)
{
	enum { GOOD_PPM = 2000, TOLERANCE_PPM = 20000, PPM = 1000000 };
	struct calibrate_results m;
	bool were_enabled = arch_irq_save();
	unsigned nr = 0;

	calibrate_measure(GOOD_PPM, &m);
	timer_hw_init_cpu(); /* the measurement stopped this CPU's timer */
	arch_timer_arm(arch_counter_read());
	arch_irq_restore(were_enabled);
	for (unsigned i = 0; i < NR_CALIBRATE_COUNTERS; i++) {
		const struct calibrate_result *r = &m.by[i];
		int64_t apart;

		if (!r->hz)
			continue;
		nr++;
		apart = ((int64_t)r->hz - (int64_t)tsc_hz()) * PPM / (int64_t)tsc_hz();
		log_info("test: %s %lu Hz, off by %ld ppm (+-%lu)", r->name, r->hz, apart, r->ppm);
		EXPECT_LE(apart < 0 ? -apart : apart, TOLERANCE_PPM + (int64_t)r->ppm);
	}
	if (!nr)
		test_skip("no counter to compare with");
}

struct comparison {
	struct tsc_check check;
	int64_t skew;
};

static void compare_there(void *arg)
{
	struct comparison *c = arg;

	tsc_check_join(&c->check, c->skew);
}

/* What this CPU finds out about the TSC of CPU 1, of which `skew` is falsified. */
static uint64_t compare_with_cpu_1(int64_t skew)
{
	struct comparison c = {.check = {.latest = arch_counter_read()}, .skew = skew};
	struct cpumask there = cpumask_of(1), here = cpumask_of(0);
	struct thread *t;
	uint64_t worst;

	if (sched_set_affinity(arch_current(), &here) ||
		thread_create(&t, "compare", compare_there, &c))
		return UINT64_MAX;
	(void)sched_set_affinity(t, &there);
	thread_start(t);
	worst = tsc_check_watch(&c.check);
	thread_join(t);
	cpumask_fill(&here);
	(void)sched_set_affinity(arch_current(), &here);
	return worst;
}

TEST(x86, a_tsc_that_differs_between_cpus_is_found_out)
{
	const int64_t skew =
		(int64_t)(arch_counter_read() / 2); /* does not wrap, and is long */

	if (cpu_count() < 2) {
		test_skip("one CPU agrees with itself");
		return;
	}
	EXPECT_EQ(compare_with_cpu_1(0), 0);
	EXPECT(compare_with_cpu_1(skew) != 0);
	EXPECT(compare_with_cpu_1(-skew) != 0);
}

TEST(x86, the_battery_clock_tells_a_time_of_this_century)
{
	int64_t first, second;
	int err = arch_wallclock_read(&first);

	if (err == -ENODEV) {
		test_skip("no battery clock, or not set");
		return;
	}
	EXPECT_EQ(err, 0);
	EXPECT_GT(first, 1577836800); /* 2020-01-01 */
	EXPECT_LT(first, 4102444800); /* 2100-01-01 */
	EXPECT_EQ(arch_wallclock_read(&second), 0);
	EXPECT_GE(second, first);
	EXPECT_LE(second, first + 60);
}

TEST(x86, every_cpu_has_an_apic_id_of_its_own)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		for (unsigned j = 0; j < i; j++)
			EXPECT_NE(cpus[i]->hw_id, cpus[j]->hw_id);
	}
}
