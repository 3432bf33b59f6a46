// SPDX-License-Identifier: MIT
/*
 * A CPU as /proc/cpuinfo describes it, with the feature names that programs look for, and its place
 * among the others, which is in the parts of its APIC id.
 *
 * Spec    Intel SDM vol.2 CPUID, vol.3 9.9.1 (parts of an APIC id); AMD APM vol.3 appendix E; the names
 *         are Linux's
 */
#include "cpuid.h"
#include "interrupts.h"

#include "arch/arch.h"
#include "lib/fmt.h"
#include "lib/string.h"

struct flag_word {
	uint32_t leaf, subleaf;
	enum x86_cpuid_reg reg;
	const char *const *names; /* by bit; NULL: not shown */
};

// clang-format off
static const char *const names_1_edx[32] = {"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8",
	"apic", NULL, "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36", "pn", "clflush", NULL, "dts",
	"acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", NULL, "pbe"};
static const char *const names_1_ecx[32] = {"pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx",
	"est", "tm2", "ssse3", NULL, NULL, "fma", "cx16", "xtpr", "pdcm", NULL, "pcid", "dca", "sse4_1", "sse4_2",
	"x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes", "xsave", NULL, "avx", "f16c", "rdrand",
	"hypervisor"};
static const char *const names_7_ebx[32] = {"fsgsbase", "tsc_adjust", NULL, "bmi1", NULL, "avx2", NULL, "smep",
	"bmi2", "erms", "invpcid", NULL, NULL, NULL, NULL, NULL, "avx512f", "avx512dq", "rdseed", "adx", "smap",
	"avx512ifma", NULL, "clflushopt", "clwb", NULL, NULL, NULL, "avx512cd", "sha_ni", "avx512bw", "avx512vl"};
static const char *const names_7_ecx[32] = {NULL, "avx512vbmi", "umip", "pku", "ospke", NULL, "avx512_vbmi2", NULL,
	"gfni", "vaes", "vpclmulqdq", "avx512_vnni", "avx512_bitalg", NULL, "avx512_vpopcntdq", NULL, "la57",
	[22] = "rdpid"};
static const char *const names_ext_edx[32] = {[11] = "syscall", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt",
	[26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow"};
static const char *const names_ext_ecx[32] = {"lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a",
	"misalignsse", "3dnowprefetch", "osvw"};
// clang-format on

static const struct flag_word words[] = {
	{1, 0, REG_EDX, names_1_edx},
	{0x80000001, 0, REG_EDX, names_ext_edx},
	{1, 0, REG_ECX, names_1_ecx},
	{0x80000001, 0, REG_ECX, names_ext_ecx},
	{7, 0, REG_EBX, names_7_ebx},
	{7, 0, REG_ECX, names_7_ecx},
};

struct out {
	char *buf;
	size_t len, size;
};

static void add(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void add(struct out *o, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	o->len += vsnformat(o->buf + o->len, o->size - o->len, fmt, args);
	va_end(args);
	o->len = MIN(o->len, o->size - 1);
}

static void add_flags(struct out *o)
{
	add(o, "flags\t\t:");
	for (unsigned w = 0; w < ARRAY_LEN(words); w++) {
		struct x86_cpuid c = x86_cpuid_checked(words[w].leaf, words[w].subleaf);

		for (unsigned bit = 0; bit < 32; bit++)
			if ((c.reg[words[w].reg] >> bit & 1) && words[w].names[bit])
				add(o, " %s", words[w].names[bit]);
	}
	add(o, "\n");
}

static void add_brand(struct out *o)
{
	enum { FIRST_LEAF = 0x80000002, LEAVES = 3 };
	char brand[LEAVES * sizeof(struct x86_cpuid) + 1] = "";
	const char *start = brand;

	for (uint32_t i = 0; i < LEAVES; i++) {
		struct x86_cpuid c = x86_cpuid_checked(FIRST_LEAF + i, 0);

		memcpy(brand + i * sizeof(c), &c, sizeof(c));
	}
	while (*start == ' ')
		start++;
	add(o, "model name\t: %s\n", *start ? start : "unknown");
}

/* ---- Where it is ---- */

enum {
	LEAF_TOPOLOGY = 0xb, /* one subleaf for each level: threads, cores */
	LEAF_CACHES = 4,
	LEAF_SIZES = 0x80000008,
	TOPOLOGY_SHIFT_MASK = 31,
	SHIFTS_KNOWN = 1 << 16,
	HTT = BIT(28), /* leaf 1, EDX: EBX tells how many APIC ids a package has */
};

struct id_shifts {
	unsigned core, package;
};

static unsigned bits_for(unsigned nr)
{
	unsigned bits = 0;

	while (1u << bits < nr)
		bits++;
	return bits;
}

/* Older CPUs: how many ids a package has, and how many of those are cores (Intel or AMD). */
static struct id_shifts old_shifts(void)
{
	struct x86_cpuid one = x86_cpuid_checked(1, 0);
	uint32_t ids = one.reg[REG_EDX] & HTT ? one.reg[REG_EBX] >> 16 & 0xff : 1;
	uint32_t caches = x86_cpuid_checked(LEAF_CACHES, 0).reg[REG_EAX];
	uint32_t sizes = x86_cpuid_checked(LEAF_SIZES, 0).reg[REG_ECX];
	uint32_t cores = caches ? (caches >> 26) + 1 : (sizes & 0xff) + 1;
	uint32_t threads = MAX(ids / cores, 1u);

	return (struct id_shifts){
		.core = bits_for(threads),
		.package = bits_for(ids),
	};
}

static struct id_shifts find_shifts(void)
{
	struct x86_cpuid threads = x86_cpuid_checked(LEAF_TOPOLOGY, 0),
			 cores = x86_cpuid_checked(LEAF_TOPOLOGY, 1);

	if (!threads.reg[REG_EBX])
		return old_shifts();
	return (struct id_shifts){
		.core = threads.reg[REG_EAX] & TOPOLOGY_SHIFT_MASK,
		.package = cores.reg[REG_EBX] ? cores.reg[REG_EAX] & TOPOLOGY_SHIFT_MASK
					      : threads.reg[REG_EAX] & TOPOLOGY_SHIFT_MASK,
	};
}

void arch_cpu_place(unsigned cpu, struct cpu_place *out)
{
	static uint32_t shifts; /* [a] both, once they are known: CPUID is slow in a guest */
	uint32_t id = (uint32_t)cpus[cpu]->hw_id, both = READ_ONCE(shifts);
	struct id_shifts s;

	if (!both) {
		s = find_shifts();
		both = SHIFTS_KNOWN | s.package << 8 | s.core;
		WRITE_ONCE(shifts, both);
	}
	s = (struct id_shifts){.core = both & 0xff, .package = both >> 8 & 0xff};
	out->package = id >> s.package;
	out->core = (id & ((1u << s.package) - 1)) >> s.core;
	out->thread = id & ((1u << s.core) - 1);
}

static void add_place(struct out *o, unsigned cpu)
{
	unsigned siblings = 0, cores = 0;
	struct cpu_place me, it;

	arch_cpu_place(cpu, &me);
	for (unsigned i = 0; i < cpu_count(); i++) {
		arch_cpu_place(i, &it);
		siblings += it.package == me.package;
		cores += it.package == me.package && it.thread == 0;
	}
	add(o, "physical id\t: %u\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
		me.package, siblings, me.core, MAX(cores, 1u));
}

/* ---- The whole ---- */

void arch_cpu_info(unsigned cpu, char *buf, size_t size)
{
	enum { FAMILY_SHIFT = 8, EXT_FAMILY_SHIFT = 20, MODEL_SHIFT = 4, EXT_MODEL_SHIFT = 16 };
	struct x86_cpuid id = x86_cpuid_checked(0, 0), one = x86_cpuid_checked(1, 0);
	uint32_t eax = one.reg[REG_EAX], family = eax >> FAMILY_SHIFT & 15,
		 model = eax >> MODEL_SHIFT & 15;
	struct out o = {.buf = buf, .size = size};
	char vendor[13] = "";
	uint64_t hz = tsc_hz();
	uint32_t sizes;

	if (family == 15)
		family += eax >> EXT_FAMILY_SHIFT & 0xff;
	if (family >= 6)
		model |= (eax >> EXT_MODEL_SHIFT & 15) << 4;
	memcpy(vendor, &id.reg[REG_EBX], 4);
	memcpy(vendor + 4, &id.reg[REG_EDX], 4);
	memcpy(vendor + 8, &id.reg[REG_ECX], 4);
	add(&o, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", cpu,
		vendor, family, model);
	add_brand(&o);
	add(&o, "stepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n", eax & 15, hz / 1000000,
		hz / 1000 % 1000);
	add_place(&o, cpu);
	add(&o,
		"apicid\t\t: %lu\ninitial apicid\t: %lu\nfpu\t\t: yes\nfpu_exception\t: "
		"yes\ncpuid level\t: %u\nwp\t\t: yes\n",
		cpus[cpu]->hw_id, cpus[cpu]->hw_id, id.reg[REG_EAX]);
	add_flags(&o);
	add(&o, "bugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: %u\n",
		hz / 500000, hz / 5000 % 100, (one.reg[REG_EBX] >> 8 & 0xff) * 8, CACHE_LINE);
	sizes = x86_cpuid_checked(LEAF_SIZES, 0).reg[REG_EAX];
	add(&o, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n",
		sizes & 0xff, sizes >> 8 & 0xff);
}
