// SPDX-License-Identifier: MIT
/*
 * The local APIC: each CPU's own interrupt controller and timer.
 *
 * Two ways to its registers: a page of device memory (xAPIC), or MSRs (x2APIC), which are faster
 * and carry 32-bit ids. x2APIC is used whenever the CPU has it; the firmware may have switched it
 * on already, and then there is no way back. The word nox2apic keeps the old way for tests.
 *
 * All interrupts are sent and received in physical destination mode. LINT1 is the NMI pin, as on
 * every PC; LINT0 carries the 8259, which is masked, so LINT0 is too.
 *
 * The command register of xAPIC is two words; interrupts are off between them, and whoever sends
 * from an NMI puts the upper word back, because he may stand between another sender's two.
 *
 * Spec    Intel SDM vol.3 chapter 11 (APIC), 11.12 (x2APIC)
 */
#include "arch/arch.h"
#include "arch/machine.h"
#include "cpuid.h"
#include "debug/log.h"
#include "interrupts.h"
#include "io.h"
#include "lib/assert.h"
#include "lib/cmdline.h"
#include "mm/kmap.h"
#include "msr.h"

/* Register offsets. Intel SDM vol.3 table 11-1. */
enum {
	APIC_REG_ID = 0x20,
	APIC_REG_VERSION = 0x30,
	APIC_REG_TPR = 0x80,
	APIC_REG_EOI = 0xb0,
	APIC_REG_SPURIOUS = 0xf0,
	APIC_REG_ERROR_STATUS = 0x280,
	APIC_REG_LVT_CMCI = 0x2f0,
	APIC_REG_ICR = 0x300, /* 64 bits in one MSR in x2APIC mode */
	APIC_REG_ICR_HIGH = 0x310,
	APIC_REG_LVT_TIMER = 0x320,
	APIC_REG_LVT_THERMAL = 0x330,
	APIC_REG_LVT_PERF = 0x340,
	APIC_REG_LVT_LINT0 = 0x350,
	APIC_REG_LVT_LINT1 = 0x360,
	APIC_REG_LVT_ERROR = 0x370,
	APIC_REG_TIMER_INITIAL = 0x380,
	APIC_REG_TIMER_CURRENT = 0x390,
	APIC_REG_TIMER_DIVIDE = 0x3e0,
};

#define APIC_BASE_EXTD	 BIT(10) /* IA32_APIC_BASE: x2APIC mode */
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_ADDR	 0x000ffffffffff000ul

enum {
	SPURIOUS_ENABLE = BIT(8),
	LVT_NMI = 4 << 8,
	LVT_MASKED = BIT(16),
	LVT_TIMER_TSC_DEADLINE = 2 << 17,
	ICR_BUSY = BIT(12),
	ICR_ASSERT = BIT(14), /* 1 in everything but the INIT de-assert of old */
	DIVIDE_BY_1 = 0xb,
	VERSION_MAX_LVT_SHIFT = 16,
	XAPIC_ID_SHIFT = 24,
	APIC_MMIO_SIZE = 0x400,
	MAX_LVT_WITH_THERMAL = 5, /* "max LVT entry" of an APIC with that entry, table 11-7 */
	MAX_LVT_WITH_PERF = 4,
	MAX_LVT_WITH_CMCI = 6,
	ICR_SPIN_LIMIT = 1000000,
};

static void *mmio;	      /* [I] after apic_init; NULL in x2APIC mode */
static bool is_x2;	      /* [I] after apic_init */
static bool is_x2_unwanted; /* nox2apic */

static int set_nox2apic(const char *value)
{
	if (*value)
		return -EINVAL;
	is_x2_unwanted = true;
	return 0;
}
CMDLINE_WORD(nox2apic, "nox2apic", set_nox2apic, "use the APIC by its memory registers");

static uint32_t apic_read(unsigned reg)
{
	if (is_x2)
		return (uint32_t)msr_read(MSR_X2APIC_BASE + reg / 16);
	return mmio_read32(mmio, reg);
}

static void apic_write(unsigned reg, uint32_t value)
{
	if (is_x2)
		msr_write(MSR_X2APIC_BASE + reg / 16, value);
	else
		mmio_write32(mmio, reg, value);
}

bool apic_is_x2(void)
{
	return is_x2;
}

uint32_t apic_id(void)
{
	uint32_t id = apic_read(APIC_REG_ID);

	return is_x2 ? id : id >> XAPIC_ID_SHIFT;
}

void apic_eoi(void)
{
	apic_write(APIC_REG_EOI, 0);
}

/* ---- Start ---- */

/* Puts this CPU's APIC in the mode that the boot CPU chose. */
static void enable(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE);

	/* From off to x2APIC there is no direct way: on first. Intel SDM vol.3 11.12.5 */
	if (!(base & APIC_BASE_ENABLE)) {
		base |= APIC_BASE_ENABLE;
		msr_write(MSR_APIC_BASE, base);
	}
	if (is_x2 && !(base & APIC_BASE_EXTD))
		msr_write(MSR_APIC_BASE, base | APIC_BASE_EXTD);
}

void apic_init(void)
{
	uint64_t base;
	int err;

	if (!x86_has(X86_FEATURE_APIC))
		panic("apic: this CPU has no local APIC");
	base = msr_read(MSR_APIC_BASE);
	is_x2 = (base & APIC_BASE_EXTD) || (x86_has(X86_FEATURE_X2APIC) && !is_x2_unwanted);
	if (!is_x2) {
		err = kmap_phys(&mmio, base & APIC_BASE_ADDR, APIC_MMIO_SIZE,
			PTE_WRITE | PTE_UNCACHED, "local APIC");
		if (err)
			panic("apic: cannot map the registers: error %d", err);
	}
	enable();
	log_info("apic: %s, id %u, version 0x%x", is_x2 ? "x2APIC" : "xAPIC", apic_id(),
		apic_read(APIC_REG_VERSION) & 0xff);
}

/* Entries beyond the first three exist only in newer APICs; all start masked here. */
static void mask_optional_lvts(void)
{
	unsigned max_lvt = apic_read(APIC_REG_VERSION) >> VERSION_MAX_LVT_SHIFT & 0xff;

	if (max_lvt >= MAX_LVT_WITH_PERF)
		apic_write(APIC_REG_LVT_PERF, LVT_MASKED);
	if (max_lvt >= MAX_LVT_WITH_THERMAL)
		apic_write(APIC_REG_LVT_THERMAL, LVT_MASKED);
	if (max_lvt >= MAX_LVT_WITH_CMCI)
		apic_write(APIC_REG_LVT_CMCI, LVT_MASKED);
}

void apic_init_cpu(void)
{
	enable();
	apic_write(APIC_REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_APIC_SPURIOUS);
	apic_write(APIC_REG_TPR, 0);
	mask_optional_lvts();
	apic_write(APIC_REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_REG_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_REG_LVT_LINT1, LVT_NMI);
	apic_write(APIC_REG_ERROR_STATUS, 0); /* a write makes it readable; 11.5.3 */
	apic_write(APIC_REG_LVT_ERROR, VECTOR_APIC_ERROR);
	apic_write(APIC_REG_TIMER_DIVIDE, DIVIDE_BY_1);
}

uint32_t apic_error_status(void)
{
	apic_write(APIC_REG_ERROR_STATUS, 0);
	return apic_read(APIC_REG_ERROR_STATUS);
}

/* ---- Other CPUs ---- */

static void wait_until_sent(void)
{
	for (unsigned i = 0; i < ICR_SPIN_LIMIT && apic_read(APIC_REG_ICR) & ICR_BUSY; i++)
		arch_cpu_relax();
}

void apic_send(uint32_t dest, enum apic_icr mode, uint8_t vector)
{
	uint32_t command = (uint32_t)mode | ICR_ASSERT | vector;
	uint32_t interrupted_dest;
	bool were_enabled;

	if (is_x2) {
		/*
		 * What the interrupt is about must be visible before it; a write of this MSR does
		 * not wait for stores. Intel SDM vol.3 11.12.3
		 */
		__asm__ volatile("mfence; lfence" ::: "memory");
		msr_write(MSR_X2APIC_BASE + APIC_REG_ICR / 16, (uint64_t)dest << 32 | command);
		return;
	}
	were_enabled = arch_irq_save();
	wait_until_sent();
	interrupted_dest = apic_read(APIC_REG_ICR_HIGH);
	apic_write(APIC_REG_ICR_HIGH, dest << XAPIC_ID_SHIFT);
	apic_write(APIC_REG_ICR, command);
	if (mode == APIC_ICR_NMI) { /* panic, the watchdog: perhaps from an NMI ourselves */
		wait_until_sent();
		apic_write(APIC_REG_ICR_HIGH, interrupted_dest);
	}
	arch_irq_restore(were_enabled);
}

void arch_ipi_send(struct cpu *cpu)
{
	apic_send((uint32_t)cpu->hw_id, APIC_ICR_FIXED, VECTOR_IPI);
}

void arch_nmi_send_others(void)
{
	struct cpu *self = arch_cpu();

	if (!mmio && !is_x2)
		return; /* a panic before apic_init: there are no others yet */
	for (unsigned i = 0; i < cpu_count(); i++) {
		if (cpus[i] != self)
			apic_send((uint32_t)cpus[i]->hw_id, APIC_ICR_NMI, 0);
	}
}

/* ---- The timer ---- */

void apic_timer_set_mode(enum apic_timer_mode mode)
{
	uint32_t lvt = VECTOR_TIMER;

	if (mode == APIC_TIMER_MASKED)
		lvt |= LVT_MASKED;
	else if (mode == APIC_TIMER_TSC_DEADLINE)
		lvt |= LVT_TIMER_TSC_DEADLINE;
	apic_write(APIC_REG_LVT_TIMER, lvt);
	/* The entry must have its new mode before the deadline MSR is written; 11.5.4.1 */
	__asm__ volatile("mfence" ::: "memory");
}

void apic_timer_set_count(uint32_t count)
{
	apic_write(APIC_REG_TIMER_INITIAL, count);
}

uint32_t apic_timer_count(void)
{
	return apic_read(APIC_REG_TIMER_CURRENT);
}
