// SPDX-License-Identifier: MIT
/*
 * Files of /proc/PID about what a process uses: what it read and wrote, its timers.
 *
 * Spec    man 5 proc
 */
#include "fs/proc/procfs_priv.h"
#include "proc/proc.h"
#include "proc/ptimer.h"

/* ---- io ---- */

/* Of a thread alone; of a process all threads that ever were, and children that were waited for. */
static void get_counts(
	const struct proc_node *n, const struct proc_whom *w, struct io_counts *out)
{
	struct proc_times sum, children;

	if (n->is_task) {
		*out = w->thread ? w->thread->user->io : (struct io_counts){0};
		return;
	}
	proc_get_times(w->proc, &sum);
	irqlock_lock(&w->proc->lock);
	children = w->proc->child_times;
	irqlock_unlock(&w->proc->lock);
	proc_times_add(&sum, &children);
	*out = sum.io;
}

/* No disk: nothing is fetched from one, nor written to it. */
int proc_show_io(struct text *out, const struct proc_node *n)
{
	struct io_counts io;
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	err = proc_may_look(&w);
	if (!err) {
		get_counts(n, &w, &io);
		text_add(out, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", io.rchar,
			io.wchar, io.syscr, io.syscw);
		text_add(out, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
	}
	proc_whom_put(&w);
	return err;
}

/* ---- timers ---- */

static void add_timer(struct text *out, const struct ptimer_info *t)
{
	static const char *const notify[] = {"signal", "none", "thread"};

	text_add(out, "ID: %d\nsignal: %d/%016lx\n", t->id, t->sig, t->value);
	text_add(out, "notify: %s/%s.%d\nClockID: %d\n", notify[t->notify],
		t->is_of_thread ? "tid" : "pid", t->target, t->clock);
}

/* The newest first. */
int proc_show_timers(struct text *out, const struct proc_node *n)
{
	struct ptimer_info t;
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	for (int id = PTIMER_LAST; ptimer_get_info(w.proc, id, &t); id = t.id - 1)
		add_timer(out, &t);
	proc_whom_put(&w);
	return 0;
}
