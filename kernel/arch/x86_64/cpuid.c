// SPDX-License-Identifier: MIT
/*
 * Asks the CPU what it can do, once, and puts it into words for the log.
 *
 * Spec    Intel SDM vol.2 CPUID; AMD APM vol.3 E.3 (brand string, leaves 0x80000002 to 4)
 */
#include "cpuid.h"

#include "arch/arch.h"
#include "lib/fmt.h"
#include "lib/string.h"

enum {
	LEAF_VENDOR = 0,
	LEAF_MODEL = 1,
	NR_BRAND_LEAVES = 3,
	BRAND_LEN = NR_BRAND_LEAVES * 16,
};
#define LEAF_EXTENDED 0x80000000u
#define LEAF_BRAND    0x80000002u

uint64_t x86_features;
struct x86_model x86_model;

static const struct {
	const char *name;
	uint32_t leaf, subleaf;
	enum x86_cpuid_reg reg;
	unsigned bit;
} features[NR_X86_FEATURES] = {
#define X86_FEATURE_ROW(id, name_, leaf_, subleaf_, reg_, bit_) {name_, leaf_, subleaf_, reg_, bit_},
	X86_FEATURES(X86_FEATURE_ROW)
#undef X86_FEATURE_ROW
};

struct x86_cpuid x86_cpuid_checked(uint32_t leaf, uint32_t subleaf)
{
	uint32_t range = leaf & LEAF_EXTENDED;

	if (x86_cpuid(range, 0).reg[REG_EAX] < leaf)
		return (struct x86_cpuid){0};
	return x86_cpuid(leaf, subleaf);
}

static void read_model(void)
{
	struct x86_cpuid v = x86_cpuid(LEAF_VENDOR, 0);
	uint32_t eax = x86_cpuid(LEAF_MODEL, 0).reg[REG_EAX];
	uint32_t family = eax >> 8 & 0xf, model = eax >> 4 & 0xf;

	memcpy(x86_model.vendor, &v.reg[REG_EBX], 4);
	memcpy(x86_model.vendor + 4, &v.reg[REG_EDX], 4);
	memcpy(x86_model.vendor + 8, &v.reg[REG_ECX], 4);
	x86_model.stepping = eax & 0xf;
	/* The extended fields count only for these families. */
	x86_model.model = family == 6 || family == 0xf ? model | (eax >> 16 & 0xf) << 4 : model;
	x86_model.family = family == 0xf ? family + (eax >> 20 & 0xff) : family;
}

void x86_cpuid_init(void)
{
	for (unsigned i = 0; i < NR_X86_FEATURES; i++) {
		struct x86_cpuid c = x86_cpuid_checked(features[i].leaf, features[i].subleaf);

		if (c.reg[features[i].reg] >> features[i].bit & 1)
			x86_features |= BIT(i);
	}
	read_model();
}

bool arch_cpu_is_virtual(void)
{
	return x86_has(X86_FEATURE_HYPERVISOR);
}

void arch_cpu_describe(char *buf, size_t size)
{
	char brand[BRAND_LEN + 1] = "";
	const char *name = brand;

	for (unsigned i = 0; i < NR_BRAND_LEAVES; i++) {
		struct x86_cpuid c = x86_cpuid_checked(LEAF_BRAND + i, 0);

		memcpy(brand + 16 * i, c.reg, 16);
	}
	while (*name == ' ')
		name++;
	snformat(buf, size, "%s (%s family %u model %u stepping %u):", name, x86_model.vendor, x86_model.family,
		x86_model.model, x86_model.stepping);
	for (unsigned i = 0; i < NR_X86_FEATURES; i++) {
		if (!x86_has((enum x86_feature)i))
			continue;
		if (str_append(buf, " ", size) < 0 || str_append(buf, features[i].name, size) < 0)
			return;
	}
}
