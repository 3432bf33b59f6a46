// SPDX-License-Identifier: MIT
/*
 * Files of /proc/PID with a few words or numbers: its arguments and environment, its name, limits, how
 * the out-of-memory killer sees it.
 *
 * Spec    man 5 proc
 */
#include <asm/resource.h>
#include <linux/capability.h>

#include "fs/proc/procfs_priv.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/vmspace.h"
#include "proc/proc.h"

enum { COMMAND_SIZE = 16 };

/* ---- Words of its memory ---- */

static int show_memory_bytes(struct text *out, struct vmspace *vm, vaddr_t at, vaddr_t end)
{
	char piece[256];

	while (at < end) {
		size_t n = vmspace_access(
			vm, at, piece, MIN(sizeof(piece), end - at), false, true);

		if (n == 0)
			break;
		text_add_bytes(out, piece, n);
		at += n;
	}
	return 0;
}

/* A program that overwrote the end of its arguments has a title there: it goes on into the environment. */
int proc_show_cmdline(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	struct vmspace *vm;
	size_t len;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	vm = proc_get_vm(w.proc);
	proc_whom_put(&w);
	if (!vm)
		return 0;
	show_memory_bytes(out, vm, vm->arg_start, vm->arg_end);
	if (out->len && out->buf[out->len - 1] != '\0') {
		show_memory_bytes(out, vm, vm->env_start, vm->env_end);
		len = strnlen(out->buf, out->len);
		out->len = MIN(len + 1, out->len);
	}
	vmspace_put(vm);
	return 0;
}

int proc_show_environ(struct text *out, const struct proc_node *n)
{
	struct vmspace *vm;
	int err = proc_node_vm(n, &vm);

	if (err || !vm)
		return err;
	show_memory_bytes(out, vm, vm->env_start, vm->env_end);
	vmspace_put(vm);
	return 0;
}

int proc_show_auxv(struct text *out, const struct proc_node *n)
{
	struct vmspace *vm;
	int err = proc_node_vm(n, &vm);
	unsigned words = 0;

	if (err || !vm)
		return err;
	while (words + 2 < ARRAY_LEN(vm->auxv) && vm->auxv[words])
		words += 2;
	text_add_bytes(out, (const char *)vm->auxv, (words + 2) * sizeof(vm->auxv[0]));
	vmspace_put(vm);
	return 0;
}

/* ---- Small ones ---- */

int proc_show_comm(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%s\n", proc_whom_comm(&w));
	proc_whom_put(&w);
	return 0;
}

int proc_write_comm(const struct proc_node *n, char *text, size_t len UNUSED)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	if (w.proc != proc_current())
		err = -EINVAL;
	else if (w.thread)
		(void)str_copy(w.thread->user->comm, text, COMMAND_SIZE);
	proc_whom_put(&w);
	return err;
}

int proc_show_limits(struct text *out, const struct proc_node *n)
{
	static const struct {
		const char *name, *unit;
	} rows[RLIMITS] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_RSS] = {"Max resident set", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[RLIMIT_NICE] = {"Max nice priority", ""},
		[RLIMIT_RTPRIO] = {"Max realtime priority", ""},
		[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};
	struct rlimit_pair limits[RLIMITS];
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	irqlock_lock(&w.proc->lock);
	memcpy(limits, w.proc->rlimits, sizeof(limits));
	irqlock_unlock(&w.proc->lock);
	proc_whom_put(&w);
	text_add(
		out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIMITS; i++) {
		char soft[21] = "unlimited", hard[21] = "unlimited";

		if (limits[i].soft != RLIM_INFINITY)
			snformat(soft, sizeof(soft), "%lu", limits[i].soft);
		if (limits[i].hard != RLIM_INFINITY)
			snformat(hard, sizeof(hard), "%lu", limits[i].hard);
		text_add(out, "%-25s %-20s %-20s %-10s\n", rows[i].name, soft, hard,
			rows[i].unit);
	}
	return 0;
}

enum { OOM_ADJ_MIN = -1000, OOM_ADJ_MAX = 1000 };

int proc_show_oom_score_adj(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%d\n", w.proc->oom_score_adj);
	proc_whom_put(&w);
	return 0;
}

/* The scale before oom_score_adj: -17 (never) to 15. */
enum { OOM_ADJ_OLD_NEVER = -17, OOM_ADJ_OLD_MAX = 15 };

int proc_show_oom_adj(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int adj, err = proc_whom_get(n, &w);

	if (err)
		return err;
	adj = READ_ONCE(w.proc->oom_score_adj);
	text_add(out, "%d\n",
		adj == OOM_ADJ_MAX ? OOM_ADJ_OLD_MAX : adj * OOM_ADJ_OLD_NEVER / OOM_ADJ_MIN);
	proc_whom_put(&w);
	return 0;
}

static int set_oom_score_adj(const struct proc_node *n, int64_t value)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	irqlock_lock(&w.proc->lock);
	if (value < w.proc->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		err = -EACCES;
	else
		w.proc->oom_score_adj = (int)value;
	irqlock_unlock(&w.proc->lock);
	proc_whom_put(&w);
	return err;
}

int proc_write_oom_score_adj(const struct proc_node *n, char *text, size_t len UNUSED)
{
	int64_t value;

	if (parse_s64(text_trimmed(text), 10, &value) || value < OOM_ADJ_MIN ||
		value > OOM_ADJ_MAX)
		return -EINVAL;
	return set_oom_score_adj(n, value);
}

int proc_write_oom_adj(const struct proc_node *n, char *text, size_t len UNUSED)
{
	int64_t value;

	if (parse_s64(text_trimmed(text), 10, &value) || value < OOM_ADJ_OLD_NEVER ||
		value > OOM_ADJ_OLD_MAX)
		return -EINVAL;
	return set_oom_score_adj(n, value == OOM_ADJ_OLD_MAX
					    ? OOM_ADJ_MAX
					    : value * OOM_ADJ_MIN / OOM_ADJ_OLD_NEVER);
}

/* How much the out-of-memory killer would like it: share of memory in thousandths, and the wish. */
int proc_show_oom_score(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	struct vmspace *vm;
	struct page_stats pages;
	uint64_t resident = 0;
	int64_t score;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	vm = proc_get_vm(w.proc);
	if (vm) {
		resident = READ_ONCE(vm->nr_resident);
		vmspace_put(vm);
	}
	page_get_stats(&pages);
	score = (int64_t)(resident * 1000 / MAX(pages.total, 1ul)) + w.proc->oom_score_adj;
	text_add(out, "%ld\n", MAX(score, (int64_t)0) * 2 / 3);
	proc_whom_put(&w);
	return 0;
}

int proc_show_personality(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%08x\n", w.thread ? w.thread->user->personality : 0);
	proc_whom_put(&w);
	return 0;
}
