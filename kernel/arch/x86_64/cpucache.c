// SPDX-License-Identifier: MIT
/*
 * The caches of a CPU, from whichever leaf describes them.
 *
 * Intel's leaf 4 and AMD's leaf 0x8000001d have one form: a subleaf for each cache. AMD's CPUs (and
 * hypervisors) without the latter tell sizes in 0x80000005 and 0x80000006, where nothing says who shares
 * a cache: the third level is the package's, the others are the CPU's own.
 *
 * All CPUs are taken to be alike: the leaves are read where the question is asked.
 *
 * Spec    Intel SDM vol.2 CPUID leaf 4; AMD APM vol.3 appendix E.4.4, E.4.5, E.4.15
 */
#include "cpuid.h"

#include "arch/arch.h"
#include "lib/string.h"

enum {
	LEAF_INTEL = 4,
	LEAF_AMD = 0x1d, /* and these of the range at 0x80000000 */
	LEAF_AMD_L1 = 5,
	LEAF_AMD_L2_L3 = 6,
	LEAF_EXTENDED = 1,
	TOPOLOGY_EXTENSIONS = BIT(22), /* 0x80000001, ECX: there is LEAF_AMD */
	FULLY_ASSOCIATIVE = BIT(9),    /* leaf 4, EAX */
	L3_UNIT_KB = 512,
	OLD_CACHES = 4,
};

static struct x86_cpuid extended(uint32_t leaf, uint32_t subleaf)
{
	return x86_cpuid_checked(0x80000000 | leaf, subleaf);
}

static uint64_t id_of(unsigned cpu, unsigned nr_sharing)
{
	unsigned bits = 0;

	while (1u << bits < nr_sharing)
		bits++;
	return cpus[cpu]->hw_id >> bits;
}

/* One subleaf of the common form; its type is none after the last. */
static bool of_subleaf(unsigned cpu, const struct x86_cpuid *leaf, struct cpu_cache *out)
{
	uint32_t a = leaf->reg[REG_EAX], b = leaf->reg[REG_EBX];

	*out = (struct cpu_cache){
		.type = (enum cpu_cache_type)(a & 31),
		.level = a >> 5 & 7,
		.line = (b & 0xfff) + 1,
		.partitions = (b >> 12 & 0x3ff) + 1,
		.ways = a & FULLY_ASSOCIATIVE ? 0 : (b >> 22) + 1,
		.sets = leaf->reg[REG_ECX] + 1,
	};
	out->bytes = (uint64_t)out->line * out->partitions * ((b >> 22) + 1) * out->sets;
	out->id = id_of(cpu, (a >> 14 & 0xfff) + 1);
	return out->type != CPU_CACHE_NONE;
}

/* Of 0x80000006: how many ways a code stands for; 0: fully associative, or none of these. */
static unsigned ways_of(uint32_t code)
{
	static const uint8_t ways[16] = {[1] = 1,
		[2] = 2,
		[3] = 3,
		[4] = 4,
		[5] = 6,
		[6] = 8,
		[8] = 16,
		[10] = 32,
		[11] = 48,
		[12] = 64,
		[13] = 96,
		[14] = 128};

	return ways[code & 15];
}

static bool of_sizes(unsigned cpu, unsigned index, struct cpu_cache *out)
{
	static const struct {
		enum cpu_cache_type type;
		unsigned level;
		uint32_t leaf;
		enum x86_cpuid_reg reg;
	} caches[OLD_CACHES] = {
		{CPU_CACHE_DATA, 1, LEAF_AMD_L1, REG_ECX},
		{CPU_CACHE_INSTRUCTIONS, 1, LEAF_AMD_L1, REG_EDX},
		{CPU_CACHE_UNIFIED, 2, LEAF_AMD_L2_L3, REG_ECX},
		{CPU_CACHE_UNIFIED, 3, LEAF_AMD_L2_L3, REG_EDX},
	};
	uint32_t word, kb;

	if (index >= OLD_CACHES)
		return false;
	word = extended(caches[index].leaf, 0).reg[caches[index].reg];
	kb = caches[index].level == 1   ? word >> 24
	     : caches[index].level == 2 ? word >> 16
					: (word >> 18) * L3_UNIT_KB;
	*out = (struct cpu_cache){
		.type = caches[index].type,
		.level = caches[index].level,
		.line = word & 0xff,
		.bytes = (uint64_t)kb << 10,
		.ways = caches[index].level == 1 ? word >> 16 & 0xff : ways_of(word >> 12),
		.partitions = word >> 8 & (caches[index].level == 1 ? 0xff : 15),
	};
	if (out->line == 0 || kb == 0)
		return false;
	out->sets = (uint32_t)(out->bytes / out->line / MAX(out->ways, 1u));
	out->id = cpus[cpu]->hw_id;
	if (out->level == 3) {
		struct cpu_place place;

		arch_cpu_place(cpu, &place);
		out->id = place.package;
	}
	return true;
}

bool arch_cpu_cache(unsigned cpu, unsigned index, struct cpu_cache *out)
{
	struct x86_cpuid leaf = x86_cpuid_checked(LEAF_INTEL, index);

	if (strcmp(x86_model.vendor, "AuthenticAMD") == 0) {
		if (!(extended(LEAF_EXTENDED, 0).reg[REG_ECX] & TOPOLOGY_EXTENSIONS))
			return of_sizes(cpu, index, out);
		leaf = extended(LEAF_AMD, index);
	}
	return of_subleaf(cpu, &leaf, out);
}
