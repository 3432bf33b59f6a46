// SPDX-License-Identifier: MIT
/*
 * Hypervisor leaves of CPUID, and the one thing we want of kvmclock: the rate of the TSC.
 *
 * kvmclock gives a formula from TSC to nanoseconds (a factor and a shift) in a page of ours. We
 * read the factor once and switch it off again: the TSC itself is our clock, and KVM offers the
 * page only where the TSC can be trusted or is emulated.
 *
 * Spec    Linux: Documentation/virt/kvm/x86/cpuid.rst and msr.rst (interface documents); VMware
 *         KB 1009458 (leaf 0x40000010)
 */
#include "paravirt.h"

#include "arch/arch.h"
#include "cpuid.h"
#include "lib/endian.h"
#include "lib/string.h"
#include "mm/page.h"
#include "msr.h"

enum {
	LEAF_BASE = 0x40000000,
	LEAF_KVM_FEATURES = 0x40000001,
	LEAF_TIMING = 0x40000010, /* EAX: TSC kHz, EBX: APIC timer kHz */
	NR_LEAVES_SANE = 0x1000,
	MSR_KVM_SYSTEM_TIME = 0x4b564d01,
	XAPIC_MAX_ID = 255,
	EXTENDED_MAX_ID = 0x7fff,
};
#define KVM_FEATURE_CLOCKSOURCE2   BIT(3)
#define KVM_FEATURE_MSI_EXT_DEST   BIT(15)
#define KVM_SYSTEM_TIME_ENABLE	   1ull

/* What KVM writes into our page. */
struct pvclock {
	uint32_t version; /* odd while KVM writes */
	uint32_t pad;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul; /* ns = (ticks << shift) * mul >> 32 */
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad2[2];
} PACKED;

/* One leaf of the hypervisor's range, zeroes where it has none. */
static struct x86_cpuid leaf(uint32_t number)
{
	struct x86_cpuid none = { { 0 } };
	uint32_t max;

	if (!x86_has(X86_FEATURE_HYPERVISOR))
		return none;
	max = x86_cpuid(LEAF_BASE, 0).reg[REG_EAX];
	/* Old KVM says 0 and means its features leaf. */
	if (number > MAX(max, (uint32_t)LEAF_KVM_FEATURES) || max > (uint32_t)LEAF_BASE + NR_LEAVES_SANE)
		return none;
	return x86_cpuid(number, 0);
}

const char *paravirt_name(void)
{
	static char name[13];
	struct x86_cpuid c = leaf(LEAF_BASE);

	le32_put(name, c.reg[REG_EBX]);
	le32_put(name + 4, c.reg[REG_ECX]);
	le32_put(name + 8, c.reg[REG_EDX]);
	return name;
}

static uint32_t kvm_features(void)
{
	return str_equal(paravirt_name(), "KVMKVMKVM") ? leaf(LEAF_KVM_FEATURES).reg[REG_EAX] : 0;
}

static uint64_t kvmclock_tsc_hz(void)
{
	const volatile struct pvclock *clock;
	struct page *page;
	uint64_t hz = 0;

	if (!(kvm_features() & KVM_FEATURE_CLOCKSOURCE2) || page_alloc(&page, 0, PAGE_ALLOC_ZERO))
		return 0;
	clock = page_to_virt(page);
	msr_write(MSR_KVM_SYSTEM_TIME, page_to_phys(page) | KVM_SYSTEM_TIME_ENABLE);
	if (clock->tsc_to_system_mul && clock->tsc_shift > -32 && clock->tsc_shift < 32) {
		hz = (1000000000ull << 32) / clock->tsc_to_system_mul;
		hz = clock->tsc_shift < 0 ? hz << -clock->tsc_shift : hz >> clock->tsc_shift;
	}
	msr_write(MSR_KVM_SYSTEM_TIME, 0);
	page_put(page);
	return hz;
}

uint64_t paravirt_tsc_hz(const char **source)
{
	uint64_t hz = leaf(LEAF_TIMING).reg[REG_EAX] * 1000ull;

	*source = "hypervisor leaf";
	if (!hz) {
		hz = kvmclock_tsc_hz();
		*source = "kvmclock";
	}
	return hz;
}

uint64_t paravirt_apic_timer_hz(void)
{
	return leaf(LEAF_TIMING).reg[REG_EBX] * 1000ull;
}

bool paravirt_can_message(uint64_t apic_id)
{
	if (apic_id <= XAPIC_MAX_ID)
		return true;
	return apic_id <= EXTENDED_MAX_ID && (kvm_features() & KVM_FEATURE_MSI_EXT_DEST);
}
