// SPDX-License-Identifier: MIT
/*
 * /sys/devices/system/cpu/cpuN/cache: what caches a CPU has, and with whom it shares each.
 *
 * A folder's number is the CPU's, and above INDEX_SHIFT the cache's.
 *
 * Spec    Linux: Documentation/ABI/testing/sysfs-devices-system-cpu (cache/)
 */
#include "arch/arch.h"
#include "arch/cpu.h"
#include "fs/sys/sysfs_priv.h"
#include "lib/cpumask.h"
#include "lib/fmt.h"
#include "lib/string.h"

enum { INDEX_SHIFT = 16, INDEX_PREFIX = 5 /* "index" */ };

static struct cpu_cache cache_of(const struct proc_node *n)
{
	struct cpu_cache c;

	(void)!arch_cpu_cache(
		n->number & (BIT(INDEX_SHIFT) - 1), (unsigned)(n->number >> INDEX_SHIFT), &c);
	return c;
}

static int show_type(struct text *out, const struct proc_node *n)
{
	static const char *const types[] = {
		[CPU_CACHE_DATA] = "Data",
		[CPU_CACHE_INSTRUCTIONS] = "Instruction",
		[CPU_CACHE_UNIFIED] = "Unified",
	};
	unsigned type = cache_of(n).type;

	text_add(out, "%s\n", type < ARRAY_LEN(types) && types[type] ? types[type] : "Unknown");
	return 0;
}

static int show_size(struct text *out, const struct proc_node *n)
{
	text_add(out, "%luK\n", cache_of(n).bytes >> 10);
	return 0;
}

#define CACHE_NUMBER(field)                                                                    \
	static int show_##field(struct text *out, const struct proc_node *n)                   \
	{                                                                                      \
		text_add(out, "%lu\n", (uint64_t)cache_of(n).field);                           \
		return 0;                                                                      \
	}
CACHE_NUMBER(id)
CACHE_NUMBER(level)
CACHE_NUMBER(line)
CACHE_NUMBER(partitions)
CACHE_NUMBER(sets)
CACHE_NUMBER(ways)

static void get_sharers(const struct proc_node *n, struct cpumask *out)
{
	uint64_t id = cache_of(n).id;
	struct cpu_cache it;

	cpumask_zero(out);
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		if (arch_cpu_cache(cpu, (unsigned)(n->number >> INDEX_SHIFT), &it) &&
			it.id == id)
			cpumask_set(out, cpu);
	}
}

static int show_shared_mask(struct text *out, const struct proc_node *n)
{
	struct cpumask sharers;

	get_sharers(n, &sharers);
	text_add_mask(out, &sharers, cpu_count());
	text_add(out, "\n");
	return 0;
}

static int show_shared_list(struct text *out, const struct proc_node *n)
{
	struct cpumask sharers;

	get_sharers(n, &sharers);
	text_add_list(out, &sharers, cpu_count());
	text_add(out, "\n");
	return 0;
}

static const struct proc_entry index_entries[] = {
	PROC_TEXT("coherency_line_size", 0444, show_line),
	PROC_TEXT("id", 0444, show_id),
	PROC_TEXT("level", 0444, show_level),
	PROC_TEXT("number_of_sets", 0444, show_sets),
	PROC_TEXT("physical_line_partition", 0444, show_partitions),
	PROC_TEXT("shared_cpu_list", 0444, show_shared_list),
	PROC_TEXT("shared_cpu_map", 0444, show_shared_mask),
	PROC_TEXT("size", 0444, show_size),
	PROC_TEXT("type", 0444, show_type),
	PROC_TEXT("ways_of_associativity", 0444, show_ways),
	{0},
};
static const struct proc_entry index_dir = {.mode = S_IFDIR | 0755, .children = index_entries};

/* ---- The folder ---- */

static int index_at(const struct proc_node *dir, uint64_t index, struct proc_node *out)
{
	struct cpu_cache c;

	if (index > UINT8_MAX || !arch_cpu_cache((unsigned)dir->number, (unsigned)index, &c))
		return -ENOENT;
	out->entry = &index_dir;
	out->number = dir->number | index << INDEX_SHIFT;
	return 0;
}

static int cache_lookup(
	const struct proc_node *dir, const char *name, size_t len, struct proc_node *out)
{
	if (len != INDEX_PREFIX + 1 || memcmp(name, "index", INDEX_PREFIX) != 0 ||
		name[INDEX_PREFIX] < '0' || name[INDEX_PREFIX] > '9')
		return -ENOENT;
	return index_at(dir, (uint64_t)(name[INDEX_PREFIX] - '0'), out);
}

static int cache_next(const struct proc_node *dir, uint64_t *cursor, char *name, size_t size,
	struct proc_node *out)
{
	if (*cursor > 9 || index_at(dir, *cursor, out))
		return -ENOENT;
	snformat(name, size, "index%lu", (*cursor)++);
	return 0;
}

const struct proc_dir_ops sys_cache_ops = {.lookup = cache_lookup, .next = cache_next};

bool sys_cache_is_there(void)
{
	struct cpu_cache c;

	return arch_cpu_cache(0, 0, &c);
}
