// SPDX-License-Identifier: MIT
/*
 * Whom to end when memory is out.
 *
 * The one that has most in memory, where oom_score_adj counts as thousandths of all RAM; -1000 is
 * never chosen, nor is process 1. Who shares its memory is killed with it. One victim at a time:
 * until it has given its memory back, others that run out wait for it. They wait in short sleeps,
 * because nothing tells of a page that comes back.
 *
 * Locks   is_choosing [a]: who sets it chooses; victim belongs to that thread.
 * Spec    man 5 proc, /proc/PID/oom_score_adj
 */
#include "debug/log.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/oom.h"
#include "mm/page.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "time/timer.h"

enum {
	ADJ_NEVER = -1000, /* <linux/oom.h>: OOM_SCORE_ADJ_MIN */
	ADJ_UNIT = 1000,
	WAIT_ROUNDS = 500, /* then somebody else is chosen: the victim is stuck */
};
#define WAIT_NS 10000000ul

static uint32_t is_choosing; /* [a] */
static unsigned nr_waits;    /* for this victim */

/* By whose end memory comes: no reference, which would be held until the next time. */
static struct {
	int nr; /* 0: nobody's */
	uint64_t start_ns;
} victim;

static bool is_victim(const struct proc *p)
{
	return victim.nr == p->pid->nr && victim.start_ns == p->start_ns;
}

struct choice {
	struct proc *best; /* with a reference */
	int64_t points;
	uint64_t resident;
	uint64_t total; /* pages of RAM */
};

static void consider(struct proc *p, void *ctx)
{
	struct choice *c = ctx;
	uint64_t resident = 0;
	int64_t points;
	bool is_eligible;

	irqlock_lock(&p->lock);
	is_eligible =
		p->vm && p->pid->nr != 1 && p->oom_score_adj != ADJ_NEVER && !is_victim(p);
	if (is_eligible)
		resident = p->vm->nr_resident;
	points = (int64_t)resident + (int64_t)c->total * p->oom_score_adj / ADJ_UNIT;
	irqlock_unlock(&p->lock);
	if (!is_eligible || (c->best && points <= c->points))
		return;
	proc_get(p);
	if (c->best)
		proc_put(c->best);
	c->best = p;
	c->points = points;
	c->resident = resident;
}

static void name_of(struct proc *p, char name[static sizeof(((struct uthread *)0)->comm)])
{
	irqlock_lock(&p->lock);
	str_copy(name, p->leader && p->leader->user ? p->leader->user->comm : "?",
		sizeof(((struct uthread *)0)->comm));
	irqlock_unlock(&p->lock);
}

static bool victim_is_alive(void)
{
	struct proc *p;
	bool has_memory;

	if (!victim.nr || proc_find(victim.nr, &p))
		return false;
	irqlock_lock(&p->lock);
	has_memory = is_victim(p) && p->vm;
	irqlock_unlock(&p->lock);
	proc_put(p);
	return has_memory;
}

/* Who shares the victim's memory keeps it, so it goes along: a child of vfork, or its parent. */
static void kill_if_sharing(struct proc *p, void *ctx)
{
	const struct choice *c = ctx;
	bool is_sharing;

	irqlock_lock(&p->lock);
	is_sharing = p->vm && p->vm == READ_ONCE(c->best->vm) && p->pid->nr != 1 &&
		     p->oom_score_adj != ADJ_NEVER;
	irqlock_unlock(&p->lock);
	if (is_sharing)
		signal_kernel_proc(p, SIGKILL);
}

/* By who set is_choosing. False: nobody is left. */
static bool choose_locked(void)
{
	char name[sizeof(((struct uthread *)0)->comm)];
	struct choice c = {0};
	struct page_stats stats;

	if (victim_is_alive() && ++nr_waits < WAIT_ROUNDS)
		return true;
	page_get_stats(&stats);
	c.total = stats.total;
	proc_for_each(consider, &c);
	victim.nr = 0;
	nr_waits = 0;
	if (!c.best)
		return false;
	victim.nr = c.best->pid->nr;
	victim.start_ns = c.best->start_ns;
	name_of(c.best, name);
	log_warning("oom: out of memory (%lu of %lu KiB free): process %d (%s) has %lu KiB in "
		    "memory, adj %d, and is killed",
		stats.free * (PAGE_SIZE / KIB), stats.total * (PAGE_SIZE / KIB), victim.nr,
		name, c.resident * (PAGE_SIZE / KIB), c.best->oom_score_adj);
	proc_for_each(kill_if_sharing, &c);
	signal_kernel_proc(c.best, SIGKILL); /* should it have got another memory meanwhile */
	proc_put(c.best);
	return true;
}

static bool choose_and_kill(void)
{
	bool will_come = true;

	if (!atomic_xchg(&is_choosing, 1u)) {
		will_come = choose_locked();
		atomic_store(&is_choosing, 0u);
	}
	if (will_come && !thread_is_killed())
		(void)!sleep_ns(WAIT_NS);
	return will_come && !thread_is_killed();
}

void oom_init(void)
{
	oom_choose_and_kill = choose_and_kill;
}
