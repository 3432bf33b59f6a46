// SPDX-License-Identifier: MIT
/*
 * /proc/PID and /proc/PID/task/TID: their names, links, and the table of what is in them.
 *
 * Spec    man 5 proc
 */
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/path.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"

enum { PATH_SIZE = 4096 };

/* ---- Links: exe, cwd, root ---- */

static int path_of(const struct proc_node *n, struct path *out)
{
	struct proc_whom w;
	const char *what = n->entry->name;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	err = proc_may_look(&w);
	if (err == 0 && strcmp(what, "exe") == 0) {
		irqlock_lock(&w.proc->lock);
		if (w.proc->exe) {
			*out = (struct path){w.proc->exe->mount, w.proc->exe->dentry};
			path_get(out);
		} else {
			err = -ENOENT;
		}
		irqlock_unlock(&w.proc->lock);
	} else if (err == 0) {
		struct fs_context *fs = proc_whom_fs(&w);

		if (!fs)
			err = -ENOENT;
		else if (strcmp(what, "cwd") == 0)
			fs_context_get_cwd(fs, out);
		else
			fs_context_get_root(fs, out);
		if (fs)
			fs_context_put(fs);
	}
	proc_whom_put(&w);
	return err;
}

static int readlink_path(const struct proc_node *n, char *buf, size_t size)
{
	char *text, *whole;
	struct path p;
	int err = path_of(n, &p);

	if (err)
		return err;
	whole = mem_alloc(PATH_SIZE, 0);
	err = whole ? path_text(&p, whole, PATH_SIZE, &text) : -ENOMEM;
	if (err == 0) {
		size_t len = MIN(strlen(text), size - 1);

		memcpy(buf, text, len);
		buf[len] = '\0';
		err = (int)len;
	}
	mem_free(whole);
	path_put(&p);
	return err;
}

static int jump_path(const struct proc_node *n, struct mount **mnt, struct dentry **d)
{
	struct path p;
	int err = path_of(n, &p);

	if (err)
		return err;
	*mnt = p.mnt;
	*d = p.dentry;
	return 0;
}

/* ---- Namespaces: ns/ ---- */

/* The process's namespace of mounts, with a reference. */
static int mounts_of(const struct proc_node *n, struct mount_ns **out)
{
	struct fs_context *fs = NULL;
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	err = proc_may_look(&w);
	if (err == 0)
		fs = proc_whom_fs(&w);
	proc_whom_put(&w);
	if (!fs)
		return err ? err : -ENOENT;
	*out = fs_context_get_mounts(fs);
	fs_context_put(fs);
	return 0;
}

static int readlink_mnt_ns(const struct proc_node *n, char *buf, size_t size)
{
	struct mount_ns *ns;
	int err = mounts_of(n, &ns);

	if (err)
		return err;
	err = (int)snformat(buf, size, "mnt:[%u]", mount_ns_number(ns));
	mount_ns_put(ns);
	return err;
}

static int jump_mnt_ns(const struct proc_node *n, struct mount **mnt, struct dentry **d)
{
	struct mount_ns *ns;
	struct path p;
	int err = mounts_of(n, &ns);

	if (err)
		return err;
	err = mount_ns_get_path(ns, &p);
	mount_ns_put(ns);
	if (err)
		return err;
	*mnt = p.mnt;
	*d = p.dentry;
	return 0;
}

/* Kinds that the kernel has not are absent: man 7 namespaces. */
static const struct proc_entry ns_entries[] = {
	PROC_JUMP("mnt", readlink_mnt_ns, jump_mnt_ns),
	{0},
};

/* ---- Folders of processes and threads ---- */

static int parse_number(const char *name, size_t len, int *nr)
{
	int64_t v = 0;

	if (len == 0 || len > 9 || (name[0] == '0' && len > 1))
		return -ENOENT;
	for (size_t i = 0; i < len; i++) {
		if (!char_is_digit(name[i]))
			return -ENOENT;
		v = v * 10 + (name[i] - '0');
	}
	*nr = (int)v;
	return 0;
}

/* The pid of this number if it is in use as a process (or a thread of `of`), with a reference. */
static struct pid *used_pid(int nr, struct proc *of)
{
	struct uthread *u;
	struct pid *pid;

	irqlock_lock(&proc_tree_lock);
	pid = pid_lookup_locked(nr);
	if (pid && of) {
		u = list_first(&pid->users[PID_THREAD], struct uthread, tid_link);
		if (!u || u->proc != of)
			pid = NULL;
	} else if (pid && list_is_empty(&pid->users[PID_PROCESS]) &&
		   list_is_empty(&pid->users[PID_THREAD])) {
		pid = NULL;
	}
	if (pid)
		pid_get(pid);
	irqlock_unlock(&proc_tree_lock);
	return pid;
}

static int root_lookup(
	const struct proc_node *dir UNUSED, const char *name, size_t len, struct proc_node *out)
{
	int nr, err = parse_number(name, len, &nr);

	if (err)
		return err;
	out->pid = used_pid(nr, NULL);
	out->entry = &proc_pid_dir;
	if (!out->pid)
		return -ENOENT;
	irqlock_lock(&proc_tree_lock);
	out->is_task =
		list_is_empty(&out->pid->users[PID_PROCESS]); /* a thread by its own number */
	irqlock_unlock(&proc_tree_lock);
	return 0;
}

static int root_next(const struct proc_node *dir UNUSED, uint64_t *cursor, char *name,
	size_t size, struct proc_node *out)
{
	for (int nr = (int)MAX(*cursor, 1ul); nr < pid_get_max(); nr++) {
		struct pid *pid = used_pid(nr, NULL);
		bool is_process;

		if (!pid)
			continue;
		irqlock_lock(&proc_tree_lock);
		is_process = !list_is_empty(&pid->users[PID_PROCESS]);
		irqlock_unlock(&proc_tree_lock);
		if (!is_process) {
			pid_put(pid);
			continue;
		}
		*cursor = (uint64_t)nr + 1;
		snformat(name, size, "%d", nr);
		out->pid = pid;
		out->entry = &proc_pid_dir;
		return 0;
	}
	return -ENOENT;
}

const struct proc_dir_ops proc_root_dir_ops = {.lookup = root_lookup, .next = root_next};

static int task_lookup(
	const struct proc_node *dir, const char *name, size_t len, struct proc_node *out)
{
	struct proc_whom w;
	int nr, err = parse_number(name, len, &nr);

	if (err == 0)
		err = proc_whom_get(dir, &w);
	if (err)
		return -ENOENT;
	out->pid = used_pid(nr, w.proc);
	out->entry = &proc_task_dir;
	out->is_task = true;
	proc_whom_put(&w);
	return out->pid ? 0 : -ENOENT;
}

/* The thread with the smallest number from *cursor on. */
static int task_next(const struct proc_node *dir, uint64_t *cursor, char *name, size_t size,
	struct proc_node *out)
{
	struct pid *best = NULL;
	struct proc_whom w;
	int err = proc_whom_get(dir, &w);

	if (err)
		return -ENOENT;
	irqlock_lock(&proc_tree_lock);
	irqlock_lock(&w.proc->lock);
	list_for_each (u, &w.proc->threads, struct uthread, proc_link)
		if (u->tid && (uint64_t)u->tid->nr >= *cursor &&
			(!best || u->tid->nr < best->nr))
			best = u->tid;
	if (best)
		pid_get(best);
	irqlock_unlock(&w.proc->lock);
	irqlock_unlock(&proc_tree_lock);
	proc_whom_put(&w);
	if (!best)
		return -ENOENT;
	*cursor = (uint64_t)best->nr + 1;
	snformat(name, size, "%d", best->nr);
	out->pid = best;
	out->entry = &proc_task_dir;
	out->is_task = true;
	return 0;
}

static const struct proc_dir_ops task_ops = {.lookup = task_lookup, .next = task_next};

/* ---- The tables ---- */

#define PATH_LINK(name_) PROC_JUMP(name_, readlink_path, jump_path)

#define COMMON_ENTRIES                                                                         \
	PROC_TEXT("stat", 0444, proc_show_stat), PROC_TEXT("status", 0444, proc_show_status),  \
		PROC_TEXT("statm", 0444, proc_show_statm),                                     \
		PROC_TEXT("cmdline", 0444, proc_show_cmdline),                                 \
		PROC_TEXT("environ", 0400, proc_show_environ),                                 \
		PROC_TEXT("auxv", 0400, proc_show_auxv),                                       \
		PROC_TEXT("limits", 0444, proc_show_limits),                                   \
		PROC_SETTING("comm", 0644, proc_show_comm, proc_write_comm),                   \
		PROC_TEXT("personality", 0400, proc_show_personality),                         \
		PROC_TEXT("sched", 0444, proc_show_sched),                                     \
		PROC_TEXT("schedstat", 0444, proc_show_schedstat),                             \
		PROC_TEXT("syscall", 0400, proc_show_syscall),                                 \
		PROC_TEXT("stack", 0400, proc_show_stack),                                     \
		PROC_TEXT("wchan", 0444, proc_show_wchan),                                     \
		PROC_RECORDS("maps", 0444, proc_show_maps),                                    \
		PROC_RECORDS("smaps", 0444, proc_show_smaps),                                  \
		PROC_TEXT("smaps_rollup", 0444, proc_show_smaps_rollup),                       \
		PROC_SETTING("clear_refs", 0200, NULL, proc_write_clear_refs),                 \
		PROC_TEXT("mounts", 0444, proc_show_mounts),                                   \
		PROC_TEXT("mountinfo", 0444, proc_show_mountinfo),                             \
		PROC_TEXT("oom_score", 0444, proc_show_oom_score),                             \
		PROC_SETTING("oom_adj", 0644, proc_show_oom_adj, proc_write_oom_adj),          \
		PROC_SETTING("oom_score_adj", 0644, proc_show_oom_score_adj,                   \
			proc_write_oom_score_adj),                                             \
		PROC_TEXT("io", 0400, proc_show_io), PROC_FOLDER("net", proc_net_entries),     \
		PROC_FILE("mem", 0600, &proc_mem_ops),                                         \
		PROC_FILE("pagemap", 0400, &proc_pagemap_ops),                                 \
		PROC_NAMES("fd", 0500, &proc_fd_ops),                                          \
		PROC_NAMES("fdinfo", 0555, &proc_fdinfo_ops),                                  \
		{.name = "ns", .mode = S_IFDIR | 0511, .children = ns_entries},                \
		PATH_LINK("exe"), PATH_LINK("cwd"), PATH_LINK("root")

static const struct proc_entry task_entries[] = {
	COMMON_ENTRIES,
	PROC_TEXT("children", 0444, proc_show_children),
	{0},
};
const struct proc_entry proc_task_dir = {.mode = S_IFDIR | 0555, .children = task_entries};

static const struct proc_entry pid_entries[] = {
	COMMON_ENTRIES,
	PROC_TEXT("mountstats", 0400, proc_show_mountstats),
	PROC_SETTING("timerslack_ns", 0666, proc_show_timerslack, proc_write_timerslack),
	PROC_TEXT("timers", 0444, proc_show_timers),
	PROC_NAMES("task", 0555, &task_ops),
	{0},
};
const struct proc_entry proc_pid_dir = {.mode = S_IFDIR | 0555, .children = pid_entries};
