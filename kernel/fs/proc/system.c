// SPDX-License-Identifier: MIT
/*
 * The files of /proc that are about the whole system, and the table of its root.
 *
 * Spec    man 5 proc
 */
#include <linux/major.h>
#include "abi/stat.h"

#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "dev/char/chardev.h"
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/file.h"
#include "irq/irq.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/commit.h"
#include "mm/pagecache.h"
#include "proc/proc.h"
#include "proc/uts.h"
#include "sched/load.h"
#include "sched/sched.h"
#include "time/clock.h"

enum { TTYS_MINOR = 64, CENTISECOND_NS = 10000000, CPUINFO_SIZE = 4096, HUGE_PAGE_KIB = 2048 };

/* ---- Numbers ---- */

static uint64_t kib(uint64_t pages)
{
	return pages << (PAGE_SHIFT - 10);
}

static int show_meminfo(struct text *out, const struct proc_node *n UNUSED)
{
	struct page_stats pages;
	uint64_t cached = pagecache_total_pages();
	struct slab_stats slabs;

	page_get_stats(&pages);
	slab_get_stats(&slabs);
	text_add(out,
		"MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n",
		kib(pages.total), kib(pages.free), kib(pages.free));
	text_add(out,
		"Buffers:        %8u kB\nCached:         %8lu kB\nSwapCached:     %8u kB\n", 0,
		kib(cached), 0);
	text_add(out,
		"SwapTotal:      %8u kB\nSwapFree:       %8u kB\nDirty:          %8u "
		"kB\nWriteback:      %8u kB\n",
		0, 0, 0, 0);
	text_add(out, "Shmem:          %8lu kB\n", kib(cached));
	text_add(out,
		"Slab:           %8lu kB\nSReclaimable:   %8u kB\nSUnreclaim:     %8lu kB\n",
		kib(slabs.nr_pages), 0, kib(slabs.nr_pages));
	text_add(out, "CommitLimit:    %8lu kB\nCommitted_AS:   %8lu kB\n",
		kib(vm_commit_limit()), kib(vm_committed()));
	text_add(out,
		"HugePages_Total:   %5u\nHugePages_Free:    %5u\nHugePages_Rsvd:    "
		"%5u\nHugePages_Surp:    %5u\n",
		0, 0, 0, 0);
	text_add(out, "Hugepagesize:   %8u kB\n", HUGE_PAGE_KIB);
	return 0;
}

static uint64_t idle_ns_of(unsigned cpu, struct sched_stats *s)
{
	sched_get_stats(cpu, s);
	return s->idle_ns;
}

static int show_uptime(struct text *out, const struct proc_node *n UNUSED)
{
	uint64_t up = clock_monotonic_ns() / CENTISECOND_NS, idle = 0;
	struct sched_stats s;

	for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
		idle += idle_ns_of(cpu, &s);
	idle /= CENTISECOND_NS;
	text_add(out, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
	return 0;
}

struct cpu_times {
	uint64_t user, system, idle; /* ns */
};

static struct irqlock cpu_times_lock = IRQLOCK_INIT(RANK_EVENT, "cpu times");
static struct {
	struct cpu_times times;
	struct irq_samples found;
} seen[MAX_CPUS]; /* cpu_times_lock: at the last look */

/*
 * The time that is not idle is split as the CPU's interrupts found it since somebody looked last, so
 * that no number ever falls.
 */
static void get_cpu_times(unsigned cpu, uint64_t up, struct cpu_times *t)
{
	struct irq_samples found;
	struct sched_stats s;
	uint64_t busy, kernel, all;

	irqlock_lock(&cpu_times_lock);
	*t = seen[cpu].times;
	irq_get_samples(cpu, &found);
	kernel = found.kernel - seen[cpu].found.kernel;
	all = kernel + (found.user - seen[cpu].found.user);
	t->idle = MAX(t->idle, MIN(idle_ns_of(cpu, &s), up));
	busy = up - MIN(up, t->idle + t->user + t->system);
	kernel = busy / MAX(all, 1ul) * kernel;
	t->system += kernel;
	t->user += busy - kernel;
	seen[cpu].times = *t;
	seen[cpu].found = found;
	irqlock_unlock(&cpu_times_lock);
}

static void cpu_line(struct text *out, const struct cpu_times *t)
{
	text_add(out, " %lu 0 %lu %lu 0 0 0 0 0 0\n", t->user / CENTISECOND_NS,
		t->system / CENTISECOND_NS, t->idle / CENTISECOND_NS);
}

static int show_stat(struct text *out, const struct proc_node *n UNUSED)
{
	uint64_t up = clock_monotonic_ns(), switches = 0, interrupts = 0;
	unsigned running = 0, count = cpu_count();
	struct cpu_times t, sum = {0};
	struct sched_stats s;

	for (unsigned cpu = 0; cpu < count; cpu++) {
		sched_get_stats(cpu, &s);
		switches += s.nr_switches;
		running += s.nr_ready;
		get_cpu_times(cpu, up, &t);
		sum.user += t.user;
		sum.system += t.system;
		sum.idle += t.idle;
	}
	text_add(out, "cpu ");
	cpu_line(out, &sum);
	for (unsigned cpu = 0; cpu < count; cpu++) {
		get_cpu_times(cpu, up, &t);
		text_add(out, "cpu%u", cpu);
		cpu_line(out, &t);
	}
	for (unsigned irq = 0; irq < arch_irq_count(); irq++)
		interrupts += irq_count_total(irq);
	text_add(out,
		"intr %lu\nctxt %lu\nbtime %ld\nprocesses %d\nprocs_running %u\nprocs_blocked "
		"0\n",
		interrupts, switches, (clock_realtime_ns() - (int64_t)up) / (int64_t)NS_PER_SEC,
		pid_get_last(), MAX(running, 1u));
	return 0;
}

static int show_loadavg(struct text *out, const struct proc_node *n UNUSED)
{
	struct load_averages load;

	load_get(&load);
	text_add(out, "%u.%02u %u.%02u %u.%02u %u/%u %d\n", load.centi[0] / 100,
		load.centi[0] % 100, load.centi[1] / 100, load.centi[1] % 100,
		load.centi[2] / 100, load.centi[2] % 100, load.running, thread_count(),
		pid_get_last());
	return 0;
}

/* ---- What it is ---- */

static int show_version(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%s version %s (torus) %s\n", UTS_SYSNAME, UTS_RELEASE, UTS_VERSION);
	return 0;
}

static int show_cmdline(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%s\n", bootinfo.cmdline);
	return 0;
}

static int show_cpuinfo(struct text *out, const struct proc_node *n UNUSED)
{
	char *buf = mem_alloc(CPUINFO_SIZE, 0);

	if (!buf)
		return -ENOMEM;
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		arch_cpu_info(cpu, buf, CPUINFO_SIZE);
		text_add(out, "%s\n", buf);
	}
	mem_free(buf);
	return 0;
}

static int show_filesystems(struct text *out, const struct proc_node *n UNUSED)
{
	SET_FOREACH (const struct filesystem, fs, filesystems)
		text_add(out, "%s\t%s\n", fs->needs_device ? "" : "nodev", fs->name);
	return 0;
}

static void device_line(const struct chardev *dev, void *ctx)
{
	const char *name = dev->name ? dev->name : dev->ops ? dev->ops->name : NULL;

	text_add(ctx, "%3u %s\n", dev->major, name ? name : "char");
}

static int show_devices(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "Character devices:\n");
	chardev_for_each(device_line, out);
	text_add(out, "\nBlock devices:\n");
	return 0;
}

static void irq_line(unsigned irq, const char *name, uint64_t count, void *ctx)
{
	text_add(ctx, "%4u: %10lu  %s\n", irq, count, name);
}

static int show_interrupts(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "           TOTAL\n");
	irq_for_each(irq_line, out);
	return 0;
}

static int show_nothing(struct text *out UNUSED, const struct proc_node *n UNUSED)
{
	return 0;
}

/* man 5 proc: name, what it can (read, write, unblank), flags, device. */
static int show_consoles(struct text *out, const struct proc_node *n UNUSED)
{
	char name[16];
	int port = arch_console_port();

	if (port < 0)
		return 0;
	snformat(name, sizeof(name), "ttyS%d", port);
	text_add(out, "%-20s -W- (EC p a) %4d:%d\n", name, TTY_MAJOR, TTYS_MINOR + port);
	return 0;
}

static int show_tty_drivers(struct text *out, const struct proc_node *n UNUSED)
{
	static const struct {
		const char *driver, *node, *minors, *kind;
		int major;
	} rows[] = {
		{"/dev/tty", "/dev/tty", "0", "system:/dev/tty", TTYAUX_MAJOR},
		{"/dev/console", "/dev/console", "1", "system:console", TTYAUX_MAJOR},
		{"/dev/ptmx", "/dev/ptmx", "2", "system", TTYAUX_MAJOR},
		{"serial", "/dev/ttyS", "64-67", "serial", TTY_MAJOR},
		{"pty_slave", "/dev/pts", "0-1048575", "pty:slave", UNIX98_PTY_SLAVE_MAJOR},
		{"pty_master", "/dev/ptm", "0-1048575", "pty:master", UNIX98_PTY_MASTER_MAJOR},
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		text_add(out, "%-20s %-13s %3d %7s %s\n", rows[i].driver, rows[i].node,
			rows[i].major, rows[i].minors, rows[i].kind);
	return 0;
}

static int show_ldiscs(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "n_tty       0\n");
	return 0;
}

static void slab_line(const char *name, size_t size, uint64_t in_use, uint64_t pages, void *ctx)
{
	uint64_t all = MAX(pages * PAGE_SIZE / size, in_use);
	struct text *out = ctx;
	size_t begin = out->len;

	text_add(out, "%-17s", name);
	for (size_t i = begin; i < begin + strlen(name) && i < out->len; i++)
		if (out->buf[i] == ' ')
			out->buf[i] = '_'; /* a name is one word */
	text_add(out,
		" %6lu %6lu %6lu %4lu %4u : tunables    0    0    0 : slabdata %6lu "
		"%6lu      0\n",
		in_use, all, size, MAX(PAGE_SIZE / size, 1ul), 1u, pages, pages);
}

static int show_slabinfo(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out,
		"slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
		"<objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : "
		"slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	slab_for_each_cache(slab_line, out);
	return 0;
}

static int show_zoneinfo(struct text *out, const struct proc_node *n UNUSED)
{
	struct page_stats pages;

	page_get_stats(&pages);
	text_add(out,
		"Node 0, zone   Normal\n  pages free     %lu\n        spanned  %lu\n        "
		"present  %lu\n        managed  %lu\n",
		pages.free, pages.total, pages.total, pages.total);
	return 0;
}

static int show_swaps(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static int show_buddyinfo(struct text *out, const struct proc_node *n UNUSED)
{
	struct page_stats pages;

	page_get_stats(&pages);
	text_add(out, "Node 0, zone   Normal %6lu\n", pages.free);
	return 0;
}

static int show_vmstat(struct text *out, const struct proc_node *n UNUSED)
{
	struct page_stats pages;

	page_get_stats(&pages);
	text_add(out, "nr_free_pages %lu\nnr_file_pages %lu\n", pages.free,
		pagecache_total_pages());
	return 0;
}

/* ---- self, thread-self, mounts ---- */

static int readlink_self(const struct proc_node *n UNUSED, char *buf, size_t size)
{
	const struct uthread *u = uthread_current();

	return u ? (int)snformat(buf, size, "%d", u->proc->pid->nr) : -ENOENT;
}

static int readlink_thread_self(const struct proc_node *n UNUSED, char *buf, size_t size)
{
	const struct uthread *u = uthread_current();

	return u ? (int)snformat(buf, size, "%d/task/%d", u->proc->pid->nr, u->tid_nr)
		 : -ENOENT;
}

/* What is below self under the same name. */
static int readlink_own(const struct proc_node *n, char *buf, size_t size)
{
	return (int)snformat(buf, size, "self/%s", n->entry->name);
}

static void getattr_own(const struct proc_node *n, struct kstat *out)
{
	out->size = (int64_t)(sizeof("self/") - 1 + strlen(n->entry->name));
}

#define PROC_LINK_OWN(name_)                                                                   \
	{                                                                                      \
		.name = name_, .mode = S_IFLNK | 0777, .readlink = readlink_own,               \
		.getattr = getattr_own                                                         \
	}

static const struct proc_entry tty_entries[] = {
	PROC_TEXT("drivers", 0444, show_tty_drivers),
	PROC_TEXT("ldiscs", 0444, show_ldiscs),
	{0},
};
static const struct proc_entry root_entries[] = {
	PROC_LINK("self", readlink_self),
	PROC_LINK("thread-self", readlink_thread_self),
	PROC_LINK_OWN("mounts"),
	PROC_LINK_OWN("net"),
	PROC_TEXT("buddyinfo", 0400, show_buddyinfo),
	PROC_TEXT("cmdline", 0444, show_cmdline),
	PROC_TEXT("cpuinfo", 0444, show_cpuinfo),
	PROC_TEXT("consoles", 0444, show_consoles),
	PROC_TEXT("devices", 0444, show_devices),
	PROC_TEXT("diskstats", 0444, show_nothing), /* a line for each disk */
	PROC_TEXT("filesystems", 0444, show_filesystems),
	PROC_TEXT("interrupts", 0444, show_interrupts),
	PROC_TEXT("loadavg", 0444, show_loadavg),
	PROC_TEXT("locks", 0444, proc_show_locks),
	PROC_TEXT("meminfo", 0444, show_meminfo),
	PROC_TEXT("partitions", 0444, show_nothing), /* and its head with the first */
	PROC_TEXT("slabinfo", 0400, show_slabinfo),
	PROC_TEXT("stat", 0444, show_stat),
	PROC_TEXT("swaps", 0444, show_swaps),
	PROC_FOLDER("sysvipc", proc_sysvipc_entries),
	PROC_FOLDER("tty", tty_entries),
	PROC_TEXT("uptime", 0444, show_uptime),
	PROC_TEXT("version", 0444, show_version),
	PROC_TEXT("vmstat", 0444, show_vmstat),
	PROC_TEXT("zoneinfo", 0444, show_zoneinfo),
	PROC_FOLDER("sys", proc_sys_entries),
	{0},
};
const struct proc_entry proc_root = {
	.mode = S_IFDIR | 0555, .children = root_entries, .dir = &proc_root_dir_ops};
