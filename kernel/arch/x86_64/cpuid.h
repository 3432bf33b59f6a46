// SPDX-License-Identifier: MIT
/*
 * What this CPU can do. Filled on the boot CPU by arch_init_early, immutable afterwards; all CPUs
 * are taken to be alike.
 *
 * One row per feature the kernel asks about: name, CPUID leaf, subleaf, register, bit. Sources:
 * Intel SDM vol.2 CPUID; AMD APM vol.3 appendix E for leaves from 0x80000000.
 */
#pragma once

#include "lib/base.h"

enum x86_cpuid_reg { REG_EAX, REG_EBX, REG_ECX, REG_EDX };

#define X86_FEATURES(X)                                                                        \
	X(FXSR, "fxsr", 1, 0, REG_EDX, 24)                                                     \
	X(PGE, "pge", 1, 0, REG_EDX, 13)                                                       \
	X(PAT, "pat", 1, 0, REG_EDX, 16)                                                       \
	X(MCE, "mce", 1, 0, REG_EDX, 7)                                                        \
	X(APIC, "apic", 1, 0, REG_EDX, 9)                                                      \
	X(PCID, "pcid", 1, 0, REG_ECX, 17)                                                     \
	X(X2APIC, "x2apic", 1, 0, REG_ECX, 21)                                                 \
	X(TSC_DEADLINE, "tsc_deadline", 1, 0, REG_ECX, 24)                                     \
	X(XSAVE, "xsave", 1, 0, REG_ECX, 26)                                                   \
	X(AVX, "avx", 1, 0, REG_ECX, 28)                                                       \
	X(RDRAND, "rdrand", 1, 0, REG_ECX, 30)                                                 \
	X(HYPERVISOR, "hypervisor", 1, 0, REG_ECX, 31)                                         \
	X(FSGSBASE, "fsgsbase", 7, 0, REG_EBX, 0)                                              \
	X(SMEP, "smep", 7, 0, REG_EBX, 7)                                                      \
	X(ERMS, "erms", 7, 0, REG_EBX, 9)                                                      \
	X(INVPCID, "invpcid", 7, 0, REG_EBX, 10)                                               \
	X(RDSEED, "rdseed", 7, 0, REG_EBX, 18)                                                 \
	X(SMAP, "smap", 7, 0, REG_EBX, 20)                                                     \
	X(UMIP, "umip", 7, 0, REG_ECX, 2)                                                      \
	X(FSRM, "fsrm", 7, 0, REG_EDX, 4)                                                      \
	X(ARAT, "arat", 6, 0, REG_EAX, 2)                                                      \
	X(XSAVEOPT, "xsaveopt", 0xd, 1, REG_EAX, 0)                                            \
	X(XSAVEC, "xsavec", 0xd, 1, REG_EAX, 1)                                                \
	X(NX, "nx", 0x80000001, 0, REG_EDX, 20)                                                \
	X(PAGE_1G, "pdpe1gb", 0x80000001, 0, REG_EDX, 26)                                      \
	X(RDTSCP, "rdtscp", 0x80000001, 0, REG_EDX, 27)                                        \
	X(INVARIANT_TSC, "invariant_tsc", 0x80000007, 0, REG_EDX, 8)

enum x86_feature {
#define X86_FEATURE_ID(id, ...) X86_FEATURE_##id,
	X86_FEATURES(X86_FEATURE_ID)
#undef X86_FEATURE_ID
	NR_X86_FEATURES
};
static_assert(NR_X86_FEATURES <= 64, "one word holds all feature bits");

extern uint64_t x86_features; /* bit n: enum x86_feature n; cpuid.c */

static inline bool x86_has(enum x86_feature f)
{
	return x86_features >> f & 1;
}

struct x86_cpuid {
	uint32_t reg[4]; /* indexed by enum x86_cpuid_reg */
};

/* One leaf as the CPU gives it. Ask only up to the maximum of its range. */
static inline struct x86_cpuid x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct x86_cpuid c;

	__asm__ volatile("cpuid"
			 : "=a"(c.reg[REG_EAX]), "=b"(c.reg[REG_EBX]), "=c"(c.reg[REG_ECX]),
			 "=d"(c.reg[REG_EDX])
			 : "a"(leaf), "c"(subleaf));
	return c;
}

/* One leaf, or zeroes if the CPU does not have it. */
struct x86_cpuid x86_cpuid_checked(uint32_t leaf, uint32_t subleaf);

/* Family and model with their extensions added; for the few decisions no feature bit tells. */
struct x86_model {
	uint32_t family, model, stepping;
	char vendor[13];
};
extern struct x86_model x86_model;

void x86_cpuid_init(void); /* boot CPU */
