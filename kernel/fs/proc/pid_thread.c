// SPDX-License-Identifier: MIT
/*
 * Files of /proc/PID about what its threads do: scheduling, the system call one is in, children.
 *
 * Spec    man 5 proc
 */
#include <linux/capability.h>

#include "arch/arch.h"
#include "debug/panic.h"
#include "fs/proc/procfs_priv.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "time/clock.h"

enum { SYMBOL_SIZE = 96 };
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

int proc_write_timerslack(const struct proc_node *n, char *text, size_t len UNUSED)
{
	struct proc_whom w;
	uint64_t value;
	int err;

	if (parse_u64(text_trimmed(text), 10, &value))
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

/* ---- Where it waits ---- */

/*
 * The callers of a thread that is blocked, innermost first; how many. It may wake meanwhile: then
 * what was found is thrown away.
 */
static unsigned callers_of(struct thread *t, vaddr_t *callers, unsigned max)
{
	uint64_t switches = READ_ONCE(t->nr_switches);
	unsigned nr = 0;
	vaddr_t fp;

	if (READ_ONCE(t->state) != THREAD_BLOCKED || !arch_context_frame_pointer(&t->ctx, &fp))
		return 0;
	while (nr < max && fp >= t->kstack_bottom && fp < t->kstack_top &&
		arch_backtrace_step(&fp, &callers[nr]))
		nr++;
	return READ_ONCE(t->state) == THREAD_BLOCKED && READ_ONCE(t->nr_switches) == switches
		       ? nr
		       : 0;
}

/* Of the parts that make a thread wait, whoever asked them to. */
static bool is_of_waiting(const char *symbol)
{
	static const char *const parts[] = {
		"sched_", "runq_", "op_", "waitq_", "wait_", "mutex_", "timer_sleep"};

	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		if (strncmp(symbol, parts[i], strlen(parts[i])) == 0)
			return true;
	return false;
}

/* Of what symbol_describe says: up to the offset. */
static size_t name_len(const char *described)
{
	const char *plus = strchr(described, '+');

	return plus ? (size_t)(plus - described) : strlen(described);
}

/* The name of the function that waits, without an end; "0": it runs, or may not be looked at. */
int proc_show_wchan(struct text *out, const struct proc_node *n)
{
	vaddr_t callers[BACKTRACE_DEPTH];
	char name[SYMBOL_SIZE];
	struct proc_whom w;
	unsigned nr = 0, i = 0;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	if (w.thread && proc_may_look(&w) == 0)
		nr = callers_of(w.thread, callers, ARRAY_LEN(callers));
	proc_whom_put(&w);
	for (; i < nr; i++) {
		symbol_describe(callers[i] - 1, name, sizeof(name));
		if (!is_of_waiting(name))
			break;
	}
	if (i < nr && !strncmp(name, "0x", 2))
		i = nr;
	text_add_bytes(out, i < nr ? name : "0", i < nr ? name_len(name) : 1);
	return 0;
}

/* man 5 proc: the functions a thread is in, for who may do anything. */
int proc_show_stack(struct text *out, const struct proc_node *n)
{
	vaddr_t callers[BACKTRACE_DEPTH];
	char name[SYMBOL_SIZE];
	struct proc_whom w;
	unsigned nr = 0;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	if (!capable(CAP_SYS_ADMIN))
		err = -EACCES;
	else if (w.thread)
		nr = callers_of(w.thread, callers, ARRAY_LEN(callers));
	proc_whom_put(&w);
	for (unsigned i = 0; i < nr; i++) {
		symbol_describe(callers[i] - 1, name, sizeof(name));
		text_add(out, "[<0>] %s\n", name);
	}
	return err;
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
