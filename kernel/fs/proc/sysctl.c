// SPDX-License-Identifier: MIT
/*
 * /proc/sys: settings of the running system, one number or name in a file. A file is here only when
 * what it says holds: what can be read is so, and what can be written takes effect.
 *
 * Spec    man 5 proc; Linux: admin-guide/sysctl
 */
#include <linux/capability.h>
#include "abi/stat.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/epoll.h"
#include "fs/vfs/file.h"
#include "fs/vfs/dnotify.h"
#include "fs/vfs/inotify.h"
#include "fs/vfs/mount_ops.h"
#include "ipc/aio.h"
#include "ipc/ipc_ns.h"
#include "ipc/pipe.h"
#include "lib/atomic.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/commit.h"
#include "proc/proc.h"
#include "proc/uts.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "security/random.h"
#include "time/clock.h"

enum {
	UUID_BYTES = 16,
	NGROUPS = 65536,
	OVERFLOW_ID = 65534,
	MAP_COUNT = 65530,
	MIN_ADDR = 65536, /* mm/vmspace_priv.h: VM_MIN_ADDR */
	RR_TIMESLICE_MS = 100,
	MAX_FD = 1048576,
	THREADS_MOST = 0x3fffffff, /* <linux/futex.h>: FUTEX_TID_MASK */
};

static int parse_in(char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	if (parse_u64(text_trimmed(text), 10, out) || *out < min || *out > max)
		return -EINVAL;
	return 0;
}

/* ---- kernel/ ---- */

static int show_ostype(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%s\n", UTS_SYSNAME);
	return 0;
}

static int show_osrelease(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%s\n", UTS_RELEASE);
	return 0;
}

static int show_version(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%s\n", UTS_VERSION);
	return 0;
}

static int show_name(struct text *out, const struct proc_node *n)
{
	char name[UTS_NAME_SIZE];

	uts_get_name(strcmp(n->entry->name, "hostname") == 0 ? UTS_NODE : UTS_DOMAIN, name);
	text_add(out, "%s\n", name);
	return 0;
}

static int write_name(const struct proc_node *n, char *text, size_t len UNUSED)
{
	text = text_trimmed(text);
	return uts_set_name(strcmp(n->entry->name, "hostname") == 0 ? UTS_NODE : UTS_DOMAIN,
		text, strlen(text));
}

static int show_pid_max(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%d\n", pid_get_max());
	return 0;
}

static int write_pid_max(const struct proc_node *n UNUSED, char *text, size_t len UNUSED)
{
	uint64_t value;
	int err = parse_in(text, 0, INT32_MAX, &value);

	return err ? err : pid_set_max((int)value);
}

static int show_aio_nr(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%lu\n", (unsigned long)atomic_load_relaxed(&aio_count));
	return 0;
}

static int show_constant(struct text *out, const struct proc_node *n)
{
	static const struct {
		const char *name;
		unsigned value;
	} constants[] = {{"cap_last_cap", CAP_LAST_CAP}, {"ngroups_max", NGROUPS},
		{"overflowuid", OVERFLOW_ID}, {"overflowgid", OVERFLOW_ID}, {"nr_open", MAX_FD},
		{"max_map_count", MAP_COUNT}, {"randomize_va_space", 2}, {"dmesg_restrict", 0},
		{"kptr_restrict", 0}, {"tainted", 0}, {"mmap_min_addr", MIN_ADDR},
		{"sched_rr_timeslice_ms", RR_TIMESLICE_MS}, {"panic_on_oops", 1},
		{"leases-enable", 0}, {"protected_fifos", 0}, {"protected_hardlinks", 0},
		{"protected_regular", 0}, {"protected_symlinks", 0}, {"suid_dumpable", 0},
		{"admin_reserve_kbytes", 0}, {"legacy_va_layout", 0}, {"nr_hugepages", 0},
		{"oom_kill_allocating_task", 0}, {"overcommit_kbytes", 0}, {"panic_on_oom", 0},
		{"user_reserve_kbytes", 0}};

	for (unsigned i = 0; i < ARRAY_LEN(constants); i++)
		if (strcmp(constants[i].name, n->entry->name) == 0)
			text_add(out, "%u\n", constants[i].value);
	return 0;
}

static int show_arch(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%s\n", arch_platform());
	return 0;
}

/* man 2 syslog: the console's level, then that of lines without one, the lowest, the first. */
static int show_printk(struct text *out, const struct proc_node *n UNUSED)
{
	/* the console's level is one above the last that is shown */
	text_add(out, "%d\t%d\t%d\t%d\n", log_get_console_level() + 1, LOG_WARNING, 1,
		LOG_DEBUG);
	return 0;
}

/* The first number; the others stay as they are. */
static int write_printk(const struct proc_node *n UNUSED, char *text, size_t len UNUSED)
{
	uint64_t level;
	size_t end = 0;

	text = text_trimmed(text);
	while (text[end] && !char_is_space(text[end]))
		end++;
	text[end] = '\0';
	if (parse_in(text, 0, INT32_MAX, &level))
		return -EINVAL;
	log_set_console_level((int)MIN(level, LOG_DEBUG + 1ul) - 1);
	return 0;
}

/* ---- kernel/random/ ---- */

static void add_uuid(struct text *out, const uint8_t *b)
{
	for (unsigned i = 0; i < UUID_BYTES; i++)
		text_add(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	text_add(out, "\n");
}

/* Version 4 of RFC 4122: random, with the version and the variant in their places. */
static void make_uuid(uint8_t *b)
{
	random_bytes(b, UUID_BYTES);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
}

static int show_uuid(struct text *out, const struct proc_node *n UNUSED)
{
	uint8_t b[UUID_BYTES];

	make_uuid(b);
	add_uuid(out, b);
	return 0;
}

/* The same for as long as the system runs. */
static int show_boot_id(struct text *out, const struct proc_node *n UNUSED)
{
	static uint8_t id[UUID_BYTES];
	static uint32_t is_made;
	uint8_t fresh[UUID_BYTES];

	make_uuid(fresh);
	if (!atomic_xchg(&is_made, 1))
		memcpy(id, fresh, sizeof(id));
	add_uuid(out, id);
	return 0;
}

static int show_entropy(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "256\n"); /* the generator's state is full from the start */
	return 0;
}

static bool is_runtime(const struct proc_node *n)
{
	return str_equal(n->entry->name, "sched_rt_runtime_us");
}

static int show_rt_limit(struct text *out, const struct proc_node *n)
{
	uint64_t ns = READ_ONCE(*(is_runtime(n) ? &sched_rt_runtime_ns : &sched_rt_period_ns));

	if (ns == UINT64_MAX)
		text_add(out, "-1\n");
	else
		text_add(out, "%llu\n", ns / NS_PER_US);
	return 0;
}

/* The part is not longer than the whole; -1: all of it. */
static int write_rt_limit(const struct proc_node *n, char *text, size_t len UNUSED)
{
	uint64_t us, period = READ_ONCE(sched_rt_period_ns);
	uint64_t runtime = READ_ONCE(sched_rt_runtime_ns);
	int err = 0;

	if (is_runtime(n) && str_equal(text_trimmed(text), "-1")) {
		WRITE_ONCE(sched_rt_runtime_ns, UINT64_MAX);
		return 0;
	}
	err = parse_in(text, is_runtime(n) ? 0 : 1, INT32_MAX, &us);
	if (err)
		return err;
	*(is_runtime(n) ? &runtime : &period) = us * NS_PER_US;
	if (runtime != UINT64_MAX && runtime > period)
		return -EINVAL;
	WRITE_ONCE(sched_rt_period_ns, period);
	WRITE_ONCE(sched_rt_runtime_ns, runtime);
	return 0;
}

/* ---- fs/ ---- */

static int show_file_nr(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%lu\t0\t%lu\n", file_count(), file_max);
	return 0;
}

static int show_pipe_max(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%u\n", READ_ONCE(pipe_max_bytes));
	return 0;
}

static int write_pipe_max(const struct proc_node *n UNUSED, char *text, size_t len UNUSED)
{
	uint64_t value;
	int err = parse_in(text, 0, UINT32_MAX, &value);

	return err ? err : pipe_set_max_bytes(value);
}

/* ---- vm/ ---- */

static int show_overcommit(struct text *out, const struct proc_node *n)
{
	bool is_mode = strcmp(n->entry->name, "overcommit_memory") == 0;

	text_add(out, "%u\n",
		is_mode ? READ_ONCE(vm_overcommit_mode) : READ_ONCE(vm_overcommit_ratio));
	return 0;
}

static int write_overcommit(const struct proc_node *n, char *text, size_t len UNUSED)
{
	bool is_mode = strcmp(n->entry->name, "overcommit_memory") == 0;
	uint64_t value;
	int err = parse_in(text, 0, is_mode ? 2 : INT32_MAX, &value);

	if (err)
		return err;
	if (is_mode)
		WRITE_ONCE(vm_overcommit_mode, (uint32_t)value);
	else
		WRITE_ONCE(vm_overcommit_ratio, (uint32_t)value);
	return 0;
}

/*
 * 2 and 3: names that nobody uses go; there are no pages to drop, as every file is in memory. They
 * go in pieces, so that a kill ends it.
 */
static int write_drop_caches(const struct proc_node *n UNUSED, char *text, size_t len UNUSED)
{
	enum { NAMES = 2, BATCH = 256 };
	uint64_t what;

	if (parse_in(text, 1, 4, &what))
		return -EINVAL;
	while ((what & NAMES) && !thread_is_killed() && dentry_shrink(BATCH) == BATCH)
		;
	return 0;
}

/* ---- Numbers that are variables ---- */

static int show_number(struct text *out, const struct proc_node *n)
{
	text_add(out, "%lu\n", atomic_load_relaxed(n->entry->number->value));
	return 0;
}

static int write_number(const struct proc_node *n, char *text, size_t len UNUSED)
{
	const struct proc_number *number = n->entry->number;
	uint64_t value;
	int err = parse_in(text, number->min, number->max, &value);

	if (err == 0)
		atomic_store_relaxed(number->value, value);
	return err;
}

#define PROC_NUMBER(name_, value_, min_, max_)                                                 \
	{                                                                                      \
		.name = name_, .mode = S_IFREG | 0644, .show = show_number,                    \
		.write = write_number, .number = &(const struct proc_number)                   \
		{                                                                              \
			value_, min_, max_                                                     \
		}                                                                              \
	}

/* ---- The tables ---- */

static const struct proc_entry random_entries[] = {
	PROC_TEXT("boot_id", 0444, show_boot_id),
	PROC_TEXT("entropy_avail", 0444, show_entropy),
	PROC_TEXT("poolsize", 0444, show_entropy),
	PROC_TEXT("uuid", 0444, show_uuid),
	{0},
};
static const struct proc_entry kernel_entries[] = {
	PROC_TEXT("arch", 0444, show_arch),
	PROC_TEXT("cap_last_cap", 0444, show_constant),
	PROC_TEXT("dmesg_restrict", 0444, show_constant),
	PROC_SETTING("domainname", 0644, show_name, write_name),
	PROC_SETTING("hostname", 0644, show_name, write_name),
	PROC_TEXT("kptr_restrict", 0444, show_constant),
	PROC_TEXT("ngroups_max", 0444, show_constant),
	PROC_TEXT("osrelease", 0444, show_osrelease),
	PROC_TEXT("ostype", 0444, show_ostype),
	PROC_TEXT("overflowgid", 0444, show_constant),
	PROC_TEXT("overflowuid", 0444, show_constant),
	PROC_TEXT("panic_on_oops", 0444, show_constant),
	PROC_SETTING("pid_max", 0644, show_pid_max, write_pid_max),
	PROC_SETTING("printk", 0644, show_printk, write_printk),
	PROC_FOLDER("random", random_entries),
	PROC_TEXT("randomize_va_space", 0444, show_constant),
	PROC_TEXT("sched_rr_timeslice_ms", 0444, show_constant),
	PROC_SETTING("sched_rt_period_us", 0644, show_rt_limit, write_rt_limit),
	PROC_SETTING("sched_rt_runtime_us", 0644, show_rt_limit, write_rt_limit),
	PROC_SETTING("shm_next_id", 0644, proc_show_shm_next_id, proc_write_shm_next_id),
	PROC_SETTING("shm_rmid_forced", 0644, proc_show_shm_forced, proc_write_shm_forced),
	PROC_NUMBER("shmall", &ipc_ns_root.shm.max_pages, 0, UINT64_MAX),
	PROC_NUMBER("shmmax", &ipc_ns_root.shm.max_bytes, 0, UINT64_MAX),
	PROC_NUMBER("shmmni", &ipc_ns_root.shm.max_segments, 0, SYSV_INDEXES),
	PROC_TEXT("tainted", 0444, show_constant),
	PROC_NUMBER("threads-max", &thread_max, 1, THREADS_MOST),
	PROC_TEXT("version", 0444, show_version),
	{0},
};
static const struct proc_entry inotify_entries[] = {
	PROC_NUMBER("max_queued_events", &inotify_max_events, 0, INT32_MAX),
	PROC_NUMBER("max_user_instances", &inotify_max_instances, 0, INT32_MAX),
	PROC_NUMBER("max_user_watches", &inotify_max_watches, 0, INT32_MAX),
	{0},
};
static const struct proc_entry epoll_entries[] = {
	PROC_NUMBER("max_user_watches", &epoll_max_watches, 0, INT64_MAX),
	{0},
};
static const struct proc_entry fs_entries[] = {
	PROC_FOLDER("epoll", epoll_entries),
	PROC_NUMBER("dir-notify-enable", &dnotify_enabled, 0, INT32_MAX),
	PROC_FOLDER("inotify", inotify_entries),
	PROC_NUMBER("aio-max-nr", &aio_max, 0, INT64_MAX),
	PROC_TEXT("aio-nr", 0444, show_aio_nr),
	PROC_NUMBER("file-max", &file_max, 0, INT64_MAX),
	PROC_TEXT("file-nr", 0444, show_file_nr),
	PROC_TEXT("leases-enable", 0444, show_constant),
	PROC_NUMBER("mount-max", &mount_max, 1, INT32_MAX),
	PROC_TEXT("nr_open", 0444, show_constant),
	PROC_TEXT("overflowgid", 0444, show_constant),
	PROC_TEXT("overflowuid", 0444, show_constant),
	PROC_SETTING("pipe-max-size", 0644, show_pipe_max, write_pipe_max),
	PROC_NUMBER("pipe-user-pages-hard", &pipe_user_hard, 0, INT64_MAX),
	PROC_NUMBER("pipe-user-pages-soft", &pipe_user_soft, 0, INT64_MAX),
	PROC_TEXT("protected_fifos", 0444, show_constant),
	PROC_TEXT("protected_hardlinks", 0444, show_constant),
	PROC_TEXT("protected_regular", 0444, show_constant),
	PROC_TEXT("protected_symlinks", 0444, show_constant),
	PROC_TEXT("suid_dumpable", 0444, show_constant),
	{0},
};
static const struct proc_entry vm_entries[] = {
	PROC_TEXT("admin_reserve_kbytes", 0444, show_constant),
	PROC_SETTING("drop_caches", 0200, NULL, write_drop_caches),
	PROC_TEXT("legacy_va_layout", 0444, show_constant),
	PROC_TEXT("max_map_count", 0444, show_constant),
	PROC_TEXT("mmap_min_addr", 0444, show_constant),
	PROC_TEXT("nr_hugepages", 0444, show_constant),
	PROC_TEXT("oom_kill_allocating_task", 0444, show_constant),
	PROC_TEXT("overcommit_kbytes", 0444, show_constant),
	PROC_SETTING("overcommit_memory", 0644, show_overcommit, write_overcommit),
	PROC_SETTING("overcommit_ratio", 0644, show_overcommit, write_overcommit),
	PROC_TEXT("panic_on_oom", 0444, show_constant),
	PROC_TEXT("user_reserve_kbytes", 0444, show_constant),
	{0},
};
const struct proc_entry proc_sys_entries[] = {
	PROC_FOLDER("fs", fs_entries),
	PROC_FOLDER("kernel", kernel_entries),
	PROC_FOLDER("vm", vm_entries),
	{0},
};
