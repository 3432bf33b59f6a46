// SPDX-License-Identifier: MIT
/*
 * How fast the TSC and the APIC's timer run.
 *
 * Two kinds of answers. Somebody who knows says it: CPUID leaf 0x15, or the hypervisor. Or we
 * measure: read a counter of known rate (HPET, ACPI PM timer, PIT) at the two ends of a window.
 *
 * A reading is taken between two reads of the TSC, and half their distance bounds its error; so
 * does one tick of the counter. The window stays open just until the sum of the errors is small
 * against its length: some hundred microseconds where reading is quick, some milliseconds where it
 * is not. All counters are read at both ends of the same window, the APIC's timer among them, so
 * that one wait serves for all. The one with the smallest error wins; another that differs by more
 * than 2 % beyond the errors is reported. An answer from somebody who knows is taken if no
 * measurement contradicts it, and then the window may be coarser.
 *
 * A guest may be stalled by its host for longer than a counter takes to wrap, and a PIT that has
 * wrapped looks like a PIT that has hardly moved. A window so long that the counter could have
 * wrapped says nothing about it; when that leaves no counter, another window is opened.
 *
 * Rejected: the average of many short windows (same error, more code); a fixed window of 10 ms or
 * more (the whole start takes less).
 *
 * Spec    Intel SDM vol.2 CPUID leaf 15H, vol.3 18.7.3; IA-PC HPET 1.0a 2.3; ACPI 6.5 4.8.2.1;
 *         Intel 8254 data sheet
 */
#include "calibrate.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "cpuid.h"
#include "debug/log.h"
#include "interrupts.h"
#include "io.h"
#include "lib/bits.h"
#include "mm/kmap.h"
#include "paravirt.h"

#define PPM		1000000ul
#define TYPICAL_TSC_HZ	3000000000ul /* only to compare counters by */
#define SLOWEST_TSC_HZ	500000000ul  /* to say in TSC ticks how long a counter takes to wrap */

enum {
	GOOD_PPM = 500,		 /* of a measurement that stands alone */
	COARSE_PPM = 5000,	 /* of one that only checks a claim */
	DISAGREE_PPM = 20000,
	READ_TRIES = 3,
	WINDOW_TRIES = 16,	 /* when the host stalls us in each of them, something else is wrong */
	MAX_READS = 50000,	 /* of a counter that does not move, or not fast enough */
	FALLBACK_MHZ = 1000,
};

static uint64_t tsc_rate, apic_rate; /* [I] after arch_counter_calibrate */
static uint64_t apic_ppm;	     /* [I] likewise */

uint64_t tsc_hz(void)
{
	return tsc_rate;
}

uint64_t apic_timer_hz(void)
{
	return apic_rate;
}

uint64_t apic_timer_ppm(void)
{
	return apic_ppm;
}

void tsc_spin_us(uint64_t us)
{
	/* 10 GHz: a TSC whose rate we do not know yet is not faster */
	uint64_t ticks_per_us = tsc_rate ? tsc_rate / PPM + 1 : 10000;
	uint64_t start = arch_counter_read();

	while (arch_counter_read() - start < us * ticks_per_us)
		arch_cpu_relax();
}

/* ---- HPET ---- */

enum {
	HPET_CAPABILITIES = 0x00, /* high word: femtoseconds per tick */
	HPET_CONFIG = 0x10,
	HPET_COUNTER = 0xf0,
	HPET_MMIO_SIZE = 0x400,
	HPET_CONFIG_ENABLE = 1,
	HPET_MAX_PERIOD_FS = 100000000,
};
#define FS_PER_SEC 1000000000000000ull

static void *hpet;

static uint64_t hpet_start(void)
{
	uint32_t period_fs;

	if (!machine.hpet_addr)
		return 0;
	if (!hpet && kmap_phys(&hpet, machine.hpet_addr, HPET_MMIO_SIZE, PTE_WRITE | PTE_UNCACHED, "HPET"))
		return 0;
	period_fs = mmio_read32(hpet, HPET_CAPABILITIES + 4);
	if (period_fs == 0 || period_fs > HPET_MAX_PERIOD_FS)
		return 0;
	mmio_write32(hpet, HPET_CONFIG, mmio_read32(hpet, HPET_CONFIG) | HPET_CONFIG_ENABLE);
	return FS_PER_SEC / period_fs;
}

static uint64_t hpet_read(void)
{
	return mmio_read32(hpet, HPET_COUNTER);
}

/* ---- ACPI PM timer ---- */

enum { PM_TIMER_HZ = 3579545, SPACE_IO = 1 };

static uint64_t pm_timer_start(void)
{
	return machine.pm_timer.addr && machine.pm_timer.space == SPACE_IO ? PM_TIMER_HZ : 0;
}

static uint64_t pm_timer_read(void)
{
	return io_read32((uint16_t)machine.pm_timer.addr);
}

/* ---- PIT, channel 2: the one whose gate is ours and whose output goes nowhere ---- */

enum {
	PIT_HZ = 1193182,
	PIT_CHANNEL2 = 0x42,
	PIT_COMMAND = 0x43,
	PIT_CHANNEL2_MODE0 = 0xb0, /* both bytes, count down once */
	PIT_LATCH_CHANNEL2 = 0x80,
	PORT_B = 0x61,
	PORT_B_GATE2 = 1,
	PORT_B_SPEAKER = 2,
	PIT_MAX = 0xffff,
};

static uint64_t pit_start(void)
{
	uint8_t port_b = io_read8(PORT_B);

	io_write8(PORT_B, (uint8_t)((port_b & ~PORT_B_SPEAKER) | PORT_B_GATE2));
	io_write8(PIT_COMMAND, PIT_CHANNEL2_MODE0);
	io_write8(PIT_CHANNEL2, PIT_MAX & 0xff);
	io_write8(PIT_CHANNEL2, PIT_MAX >> 8);
	return PIT_HZ;
}

static uint64_t pit_read(void)
{
	uint8_t low;

	io_write8(PIT_COMMAND, PIT_LATCH_CHANNEL2);
	low = io_read8(PIT_CHANNEL2);
	return PIT_MAX - (low | (uint64_t)io_read8(PIT_CHANNEL2) << 8); /* made to count upwards */
}

/* ---- The window ---- */

static const struct counter {
	const char *name;
	uint64_t mask;
	uint64_t (*start)(void); /* its rate in Hz; 0: not there */
	uint64_t (*read)(void);
} counters[NR_CALIBRATE_COUNTERS] = {
	{ "HPET", UINT32_MAX, hpet_start, hpet_read },
	{ "PM timer", 0xffffff, pm_timer_start, pm_timer_read },
	{ "PIT", PIT_MAX, pit_start, pit_read },
};

static uint64_t apic_count_up(void)
{
	return UINT32_MAX - apic_timer_count();
}

/* One reading and the TSC at its time, the best of a few tries. */
struct reading {
	uint64_t value;
	uint64_t tsc;
	uint64_t error; /* of tsc, in its ticks */
};

static struct reading take(uint64_t (*read)(void))
{
	struct reading best = { .error = UINT64_MAX };

	for (unsigned i = 0; i < READ_TRIES; i++) {
		uint64_t before = arch_counter_read(), value = read(), after = arch_counter_read();

		if (after - before < best.error)
			best = (struct reading){ value, before + (after - before) / 2, after - before };
	}
	best.error = best.error / 2 + 1;
	return best;
}

static bool may_have_wrapped(uint64_t tsc_ticks, uint64_t counter_hz, uint64_t mask)
{
	return mul_div_u64(tsc_ticks, counter_hz, SLOWEST_TSC_HZ) > mask;
}

/* What two readings of a counter say. hz 0: it has not moved, or may have wrapped. */
static struct calibrate_result evaluate(
	const struct reading *a, const struct reading *b, uint64_t counter_hz, uint64_t mask)
{
	struct calibrate_result r = { .ppm = PPM };
	uint64_t counted = (b->value - a->value) & mask, ticks = b->tsc - a->tsc;

	if (!counted || !ticks || may_have_wrapped(ticks, counter_hz, mask))
		return r;
	r.hz = mul_div_u64(ticks, counter_hz, counted);
	r.ppm = mul_div_u64(a->error + b->error, PPM, ticks) + PPM / counted + 1;
	return r;
}

static bool is_contradiction(struct calibrate_result a, struct calibrate_result b)
{
	uint64_t apart = a.hz > b.hz ? a.hz - b.hz : b.hz - a.hz;

	return mul_div_u64(apart, PPM, MAX(a.hz, b.hz)) > DISAGREE_PPM + a.ppm + b.ppm;
}

/* The start of a window: every counter's rate (0: not there) and first reading. */
struct window {
	uint64_t hz[NR_CALIBRATE_COUNTERS];
	struct reading first[NR_CALIBRATE_COUNTERS];
	struct reading apic;
};

static struct window window_open(void)
{
	struct window w;

	apic_timer_set_mode(APIC_TIMER_MASKED);
	apic_timer_set_count(UINT32_MAX);
	for (unsigned i = 0; i < NR_CALIBRATE_COUNTERS; i++) {
		w.hz[i] = counters[i].start();
		if (w.hz[i])
			w.first[i] = take(counters[i].read);
	}
	w.apic = take(apic_count_up);
	return w;
}

/* The counter that gets good soonest: its own tick and the time of a reading are short. -1: none. */
static int quickest(const struct window *w, unsigned dead)
{
	uint64_t best_error = UINT64_MAX;
	int best = -1;

	for (unsigned i = 0; i < NR_CALIBRATE_COUNTERS; i++) {
		uint64_t error;

		if (!w->hz[i] || dead & BIT(i))
			continue;
		error = 2 * w->first[i].error + TYPICAL_TSC_HZ / w->hz[i];
		if (error < best_error) {
			best_error = error;
			best = (int)i;
		}
	}
	return best;
}

/* Keeps the window open until this counter is good to `ppm`; false if it does not count. */
static bool wait_for(const struct window *w, unsigned i, uint64_t ppm)
{
	const struct counter *c = &counters[i];
	struct calibrate_result r = { .hz = 0 };

	for (unsigned n = 0; n < MAX_READS; n++) {
		struct reading now = take(c->read);

		r = evaluate(&w->first[i], &now, w->hz[i], c->mask);
		if (r.ppm <= ppm || may_have_wrapped(now.tsc - w->first[i].tsc, w->hz[i], c->mask))
			break;
	}
	return r.hz != 0;
}

static void measure_once(uint64_t ppm, struct calibrate_results *out)
{
	struct window w = window_open();
	struct reading last;
	unsigned dead = 0;
	int quick;

	while ((quick = quickest(&w, dead)) >= 0 && !wait_for(&w, (unsigned)quick, ppm))
		dead |= (unsigned)BIT(quick);

	*out = (struct calibrate_results){ .best = -1 };
	for (unsigned i = 0; i < NR_CALIBRATE_COUNTERS; i++) {
		struct calibrate_result *r = &out->by[i];

		if (w.hz[i]) {
			last = take(counters[i].read);
			*r = evaluate(&w.first[i], &last, w.hz[i], counters[i].mask);
		}
		r->name = counters[i].name;
		if (r->hz && (out->best < 0 || r->ppm < out->by[out->best].ppm))
			out->best = (int)i;
	}
	last = take(apic_count_up);
	apic_timer_set_count(0);
	out->apic_ticks = last.value - w.apic.value;
	out->tsc_ticks = last.tsc - w.apic.tsc;
	if (out->apic_ticks && out->tsc_ticks)
		out->apic_ppm = evaluate(&w.apic, &last, 1, UINT32_MAX).ppm;
}

void calibrate_measure(uint64_t ppm, struct calibrate_results *out)
{
	for (unsigned n = 0; n < WINDOW_TRIES; n++) {
		measure_once(ppm, out);
		if (out->best >= 0)
			return;
	}
}

/* ---- Who knows ---- */

enum { LEAF_TSC_CRYSTAL = 0x15, LEAF_FREQUENCY = 0x16 };

/* Leaf 15H: the TSC is crystal * EBX / EAX, and the APIC's timer is the crystal. */
static uint64_t crystal_tsc_hz(uint64_t *crystal_hz)
{
	struct x86_cpuid c = x86_cpuid_checked(LEAF_TSC_CRYSTAL, 0);

	*crystal_hz = c.reg[REG_ECX];
	if (!c.reg[REG_EAX] || !c.reg[REG_EBX] || !c.reg[REG_ECX])
		return 0;
	return mul_div_u64(c.reg[REG_ECX], c.reg[REG_EBX], c.reg[REG_EAX]);
}

static struct calibrate_result find_claim(uint64_t *apic_hz)
{
	struct calibrate_result claim = { .ppm = 0 };

	claim.hz = paravirt_tsc_hz(&claim.name);
	*apic_hz = paravirt_apic_timer_hz();
	if (!claim.hz) {
		claim.hz = crystal_tsc_hz(apic_hz);
		claim.name = "CPUID";
	}
	return claim;
}

/* The rate printed on the box, when nothing can be measured. */
static struct calibrate_result guess(void)
{
	uint64_t mhz = x86_cpuid_checked(LEAF_FREQUENCY, 0).reg[REG_EAX] & 0xffff;

	log_err("time: no way to measure the TSC; %s", mhz ? "taking CPUID's base frequency" : "guessing 1 GHz");
	return (struct calibrate_result){ "guess", (mhz ? mhz : FALLBACK_MHZ) * PPM, PPM };
}

static void report_contradictions(const struct calibrate_results *m)
{
	for (unsigned i = 0; i < NR_CALIBRATE_COUNTERS; i++) {
		const struct calibrate_result *r = &m->by[i];

		if (r->hz && is_contradiction(*r, m->by[m->best]))
			log_warning("time: %s says %lu Hz, %s %lu Hz", r->name, r->hz, m->by[m->best].name,
				m->by[m->best].hz);
	}
}

static struct calibrate_result choose(struct calibrate_result claim, struct calibrate_results *m)
{
	if (m->best < 0)
		return claim.hz ? claim : guess();
	report_contradictions(m);
	if (!claim.hz)
		return m->by[m->best];
	if (!is_contradiction(claim, m->by[m->best]))
		return claim;
	log_warning("time: %s claims %lu Hz but %s measures %lu Hz", claim.name, claim.hz,
		m->by[m->best].name, m->by[m->best].hz);
	calibrate_measure(GOOD_PPM, m);
	return m->best < 0 ? claim : m->by[m->best];
}

uint64_t arch_counter_calibrate(void)
{
	struct calibrate_results m;
	struct calibrate_result result, claim = find_claim(&apic_rate);

	calibrate_measure(claim.hz ? COARSE_PPM : GOOD_PPM, &m);
	result = choose(claim, &m);
	tsc_rate = result.hz;
	if (!apic_rate && m.tsc_ticks) {
		apic_rate = mul_div_u64(m.apic_ticks, tsc_rate, m.tsc_ticks);
		apic_ppm = m.apic_ppm;
	}
	if (!apic_rate) {
		log_err("time: the APIC timer does not count; taking 1 GHz");
		apic_rate = FALLBACK_MHZ * PPM;
	}
	log_info("time: TSC %lu.%03lu MHz by %s (+-%lu ppm), APIC timer %lu.%03lu MHz (+-%lu)", tsc_rate / PPM,
		tsc_rate / 1000 % 1000, result.name, result.ppm, apic_rate / PPM, apic_rate / 1000 % 1000, apic_ppm);
	if (!x86_has(X86_FEATURE_INVARIANT_TSC) && !x86_has(X86_FEATURE_HYPERVISOR))
		log_warning("time: this CPU's TSC changes with its frequency: clocks will drift");
	timer_hw_init();
	return tsc_rate;
}

const char *arch_counter_name(void)
{
	return "tsc";
}
