// SPDX-License-Identifier: MIT
/*
 * /sys/devices/system/cpu: which CPUs there are, and how they lie to each other.
 *
 * Every CPU that is there is online, and stays so.
 *
 * Spec    Linux: Documentation/ABI/stable/sysfs-devices-system-cpu, admin-guide/cputopology
 */
#include "arch/arch.h"
#include "arch/cpu.h"
#include "fs/sys/sysfs_priv.h"
#include "lib/cpumask.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"

/* ---- Which there are ---- */

static int show_all(struct text *out, const struct proc_node *n UNUSED)
{
	struct cpumask all;

	cpumask_fill(&all);
	text_add_list(out, &all, cpu_count());
	text_add(out, "\n");
	return 0;
}

static int show_none(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "\n");
	return 0;
}

static int show_kernel_max(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%u\n", MAX_CPUS - 1);
	return 0;
}

/* ---- cpuN/topology ---- */

static struct cpu_place place_of(const struct proc_node *n)
{
	struct cpu_place place;

	arch_cpu_place((unsigned)n->number, &place);
	return place;
}

static int show_package(struct text *out, const struct proc_node *n)
{
	text_add(out, "%u\n", place_of(n).package);
	return 0;
}

static int show_core(struct text *out, const struct proc_node *n)
{
	text_add(out, "%u\n", place_of(n).core);
	return 0;
}

/* A package has one die, as far as we look. */
static int show_die(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "0\n");
	return 0;
}

/* The CPUs of its package, or of its core alone. */
static void get_beside(const struct proc_node *n, bool is_core, struct cpumask *out)
{
	struct cpu_place me = place_of(n), it;

	cpumask_zero(out);
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		arch_cpu_place(cpu, &it);
		if (it.package == me.package && (!is_core || it.core == me.core))
			cpumask_set(out, cpu);
	}
}

static bool is_of_core(const struct proc_node *n)
{
	const char *name = n->entry->name;

	return strcmp(name, "core_cpus") == 0 || strcmp(name, "core_cpus_list") == 0 ||
	       strcmp(name, "thread_siblings") == 0 ||
	       strcmp(name, "thread_siblings_list") == 0;
}

static int show_mask(struct text *out, const struct proc_node *n)
{
	struct cpumask beside;

	get_beside(n, is_of_core(n), &beside);
	text_add_mask(out, &beside, cpu_count());
	text_add(out, "\n");
	return 0;
}

static int show_list(struct text *out, const struct proc_node *n)
{
	struct cpumask beside;

	get_beside(n, is_of_core(n), &beside);
	text_add_list(out, &beside, cpu_count());
	text_add(out, "\n");
	return 0;
}

static const struct proc_entry topology_entries[] = {
	PROC_TEXT("core_cpus", 0444, show_mask),
	PROC_TEXT("core_cpus_list", 0444, show_list),
	PROC_TEXT("core_id", 0444, show_core),
	PROC_TEXT("core_siblings", 0444, show_mask),
	PROC_TEXT("core_siblings_list", 0444, show_list),
	PROC_TEXT("die_cpus", 0444, show_mask),
	PROC_TEXT("die_cpus_list", 0444, show_list),
	PROC_TEXT("die_id", 0444, show_die),
	PROC_TEXT("package_cpus", 0444, show_mask),
	PROC_TEXT("package_cpus_list", 0444, show_list),
	PROC_TEXT("physical_package_id", 0444, show_package),
	PROC_TEXT("thread_siblings", 0444, show_mask),
	PROC_TEXT("thread_siblings_list", 0444, show_list),
	{0},
};
static const struct proc_entry cpu_entries[] = {
	{.name = "cache",
		.mode = S_IFDIR | 0755,
		.dir = &sys_cache_ops,
		.is_there = sys_cache_is_there},
	PROC_FOLDER("topology", topology_entries),
	{0},
};
static const struct proc_entry cpu_dir = {.mode = S_IFDIR | 0755, .children = cpu_entries};

/* ---- The folder ---- */

static int cpu_lookup(
	const struct proc_node *dir UNUSED, const char *name, size_t len, struct proc_node *out)
{
	char text[8];
	uint64_t nr;

	if (len < 4 || len > sizeof(text) || memcmp(name, "cpu", 3) != 0 ||
		(name[3] == '0' && len > 4))
		return -ENOENT;
	memcpy(text, name + 3, len - 3);
	text[len - 3] = '\0';
	if (parse_u64(text, 10, &nr) || nr >= cpu_count())
		return -ENOENT;
	out->entry = &cpu_dir;
	out->number = nr;
	return 0;
}

static int cpu_next(const struct proc_node *dir UNUSED, uint64_t *cursor, char *name,
	size_t size, struct proc_node *out)
{
	if (*cursor >= cpu_count())
		return -ENOENT;
	out->entry = &cpu_dir;
	out->number = (*cursor)++;
	snformat(name, size, "cpu%lu", out->number);
	return 0;
}

const struct proc_dir_ops sys_cpu_ops = {.lookup = cpu_lookup, .next = cpu_next};

const struct proc_entry sys_cpu_entries[] = {
	PROC_TEXT("isolated", 0444, show_none),
	PROC_TEXT("kernel_max", 0444, show_kernel_max),
	PROC_TEXT("offline", 0444, show_none),
	PROC_TEXT("online", 0444, show_all),
	PROC_TEXT("possible", 0444, show_all),
	PROC_TEXT("present", 0444, show_all),
	{0},
};
