// SPDX-License-Identifier: MIT
/*
 * Files of /proc/PID about what its threads do: scheduling, the system call one is in, children.
 *
 * Spec    man 5 proc
 */
#include <linux/capability.h>

#include "arch/arch.h"
#include "fs/proc/procfs_priv.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "time/clock.h"

enum { SYSCALL_ARGS = 6, DEFAULT_SLACK_NS = 50000 /* man 2 prctl: PR_SET_TIMERSLACK */ };

int proc_show_schedstat(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%lu 0 %lu\n", w.thread ? w.thread->cpu_ns : 0,
		w.thread ? w.thread->nr_switches : 0);
	proc_whom_put(&w);
	return 0;
}

int proc_show_timerslack(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%lu\n", w.thread ? w.thread->user->timer_slack_ns : 0);
	proc_whom_put(&w);
	return 0;
}

int proc_write_timerslack(const struct proc_node *n, char *text, size_t len)
{
	struct proc_whom w;
	uint64_t value;
	int err;

	while (len && char_is_space(text[len - 1]))
		text[--len] = '\0';
	if (parse_u64(text, 10, &value))
		return -EINVAL;
	err = proc_whom_get(n, &w);
	if (err)
		return err;
	if (w.proc != proc_current() && !capable(CAP_SYS_NICE))
		err = -EPERM;
	else if (w.thread)
		WRITE_ONCE(w.thread->user->timer_slack_ns, value ? value : DEFAULT_SLACK_NS);
	proc_whom_put(&w);
	return err;
}

/* Where it waits in the kernel: as on a Linux without symbols, nothing is said. */
int proc_show_wchan(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "0");
	return 0;
}

static void sched_line(struct text *out, const char *name, uint64_t value)
{
	text_add(out, "%-45s:%21lu\n", name, value);
}

int proc_show_sched(struct text *out, const struct proc_node *n)
{
	struct proc_whom w;
	uint64_t ns, switches, preempted;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	text_add(out, "%s (%d, #threads: %u)\n", proc_whom_comm(&w), n->pid->nr,
		READ_ONCE(w.proc->nr_threads));
	text_add(out, "-------------------------------------------------------------------\n");
	if (w.thread) {
		ns = sched_cpu_time_ns(w.thread);
		switches = READ_ONCE(w.thread->nr_switches);
		preempted = READ_ONCE(w.thread->nr_preempted);
		text_add(out, "%-45s:%14lu.%06lu\n", "se.sum_exec_runtime",
			(uint64_t)(ns / NS_PER_MS), (uint64_t)(ns % NS_PER_MS));
		sched_line(out, "nr_switches", switches);
		sched_line(out, "nr_voluntary_switches", switches - MIN(preempted, switches));
		sched_line(out, "nr_involuntary_switches", preempted);
		sched_line(out, "se.load.weight", w.thread->fair.weight);
		sched_line(out, "policy", w.thread->user->policy);
	}
	proc_whom_put(&w);
	return 0;
}

/* The call a thread is in, its arguments, stack pointer and place in the program. */
int proc_show_syscall(struct text *out, const struct proc_node *n)
{
	const struct arch_frame *f;
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	err = proc_may_look(&w);
	if (!err && (!w.thread || (w.thread != arch_current() &&
					  READ_ONCE(w.thread->state) != THREAD_BLOCKED))) {
		text_add(out, "running\n");
	} else if (!err) {
		f = arch_user_frame(w.thread);
		text_add(out, "%ld", arch_syscall_nr(f));
		for (unsigned i = 0; i < SYSCALL_ARGS && arch_syscall_nr(f) >= 0; i++)
			text_add(out, " 0x%lx", arch_syscall_arg(f, i));
		text_add(out, " 0x%lx 0x%lx\n", arch_frame_sp(f), arch_frame_pc(f));
	}
	proc_whom_put(&w);
	return err == -EACCES ? -EPERM : err;
}

/* Up to MAX_CHILDREN numbers of the thread's children beyond the first `skip`. */
enum { MAX_CHILDREN = 64 };

static unsigned get_children(const struct proc_whom *w, unsigned skip, int *nr)
{
	unsigned seen = 0, count = 0;

	irqlock_lock(&proc_tree_lock);
	list_for_each (c, &w->proc->children, struct proc, child_link)
		if (c->parent_thread == w->thread->user && seen++ >= skip &&
			count < MAX_CHILDREN)
			nr[count++] = c->pid->nr;
	irqlock_unlock(&proc_tree_lock);
	return count;
}

int proc_show_children(struct text *out, const struct proc_node *n)
{
	int nr[MAX_CHILDREN];
	struct proc_whom w;
	unsigned skip = 0, count = MAX_CHILDREN;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	for (; w.thread && count == MAX_CHILDREN; skip += count) {
		count = get_children(&w, skip, nr);
		for (unsigned i = 0; i < count; i++)
			text_add(out, "%d ", nr[i]);
	}
	proc_whom_put(&w);
	return 0;
}
