// SPDX-License-Identifier: MIT
/*
 * The seccomp state of threads: mode and filters, how they are set and inherited.
 *
 * A submission thread of a ring makes calls for whoever can write to memory, so it is no way around filters: it has
 * its maker's. When that thread has ended, it may do what at least one of the others still may: as long as one has
 * only filters that it has too, nothing changes; when the last such gets more, or ends, it takes those of a thread that
 * has all of its own. Where there is none, filters have parted that cannot be put together, and it may make no call.
 */
#include "security/seccomp.h"

#include "lib/assert.h"
#include "proc/proc.h"
#include "security/callfilter.h"
#include "security/supervise.h"

static void set_mode_locked(struct uthread *u, uint8_t mode)
{
	WRITE_ONCE(u->seccomp_mode, mode);
	/* pairs with trap_syscall: the next call looks, and finds mode and filters */
	atomic_or(&u->call_work, CALL_SECCOMP);
}

/* All that a is forbidden is forbidden to b as well. */
static bool is_within(const struct uthread *a, const struct uthread *b)
{
	return a->seccomp_mode == SECCOMP_MODE_DISABLED ||
	       (a->seccomp_mode == b->seccomp_mode &&
		       call_filter_is_before(a->filters, b->filters));
}

/* What u had is among the older ones of those that it gets, so nothing is freed here. */
static void give_locked(struct uthread *u, const struct uthread *from)
{
	struct call_filter *old = u->filters;

	if (from->filters) {
		call_filter_get(from->filters);
		call_filter_use(from->filters);
	}
	WRITE_ONCE(u->filters, from->filters);
	if (from->no_new_privs)
		WRITE_ONCE(u->no_new_privs, true);
	set_mode_locked(u, from->seccomp_mode);
	call_filter_unuse(old);
	call_filter_put(old);
}

/* ---- Submission threads ---- */

/*
 * The least strict of those that still make calls and have all of its filters; the first that has none but its own.
 * NULL: none, but perhaps there is nobody.
 */
static const struct uthread *find_example_locked(
	struct proc *p, const struct uthread *submitter, bool *is_anybody)
{
	const struct uthread *best = NULL;

	*is_anybody = false;
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		if (u->has_left_filters)
			continue;
		*is_anybody = true;
		if (is_within(u, submitter))
			return u;
		if (is_within(submitter, u) && (!best || is_within(u, best)))
			best = u;
	}
	return best;
}

static void follow_locked(struct proc *p, struct uthread *submitter)
{
	const struct uthread *example = submitter->maker;
	bool is_anybody = true;

	if (submitter->seccomp_mode == SECCOMP_MODE_NOTHING)
		return;
	if (!example)
		example = find_example_locked(p, submitter, &is_anybody);
	if (!example && is_anybody)
		set_mode_locked(submitter, SECCOMP_MODE_NOTHING);
	else if (example && !is_within(example, submitter))
		give_locked(submitter, example);
}

/* Threads have got filters, or one makes no more calls. */
static void follow_all_locked(struct proc *p)
{
	list_for_each (u, &p->submitters, struct uthread, proc_link)
		follow_locked(p, u);
}

void seccomp_join(struct uthread *submitter, struct uthread *maker)
{
	struct proc *p = maker->proc;

	irqlock_lock(&p->lock);
	seccomp_inherit_locked(submitter, maker);
	submitter->maker = maker;
	list_add_tail(&p->submitters, &submitter->proc_link);
	irqlock_unlock(&p->lock);
}

void seccomp_part(struct uthread *submitter)
{
	struct proc *p = submitter->proc;

	irqlock_lock(&p->lock);
	list_remove(&submitter->proc_link);
	submitter->maker = NULL;
	irqlock_unlock(&p->lock);
	seccomp_release(submitter);
	submitter->seccomp_mode = SECCOMP_MODE_DISABLED;
	submitter->call_work &= (uint8_t)~CALL_SECCOMP;
}

/* ---- Setting ---- */

int seccomp_set_strict(void)
{
	struct uthread *u = uthread_current();
	int err = -EINVAL;

	irqlock_lock(&u->proc->lock);
	if (u->seccomp_mode != SECCOMP_MODE_FILTER) {
		set_mode_locked(u, SECCOMP_MODE_STRICT);
		follow_all_locked(u->proc);
		err = 0;
	}
	irqlock_unlock(&u->proc->lock);
	return err;
}

/* Of the others, one whose filters are not among mine. NULL: each can have mine instead. */
static const struct uthread *find_odd_locked(struct proc *p, const struct uthread *me)
{
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		if (u != me && !u->has_left_filters && !is_within(u, me))
			return u;
	}
	list_for_each (u, &p->submitters, struct uthread, proc_link) {
		if (u->seccomp_mode != SECCOMP_MODE_NOTHING && !is_within(u, me))
			return u;
	}
	return NULL;
}

static void give_all_locked(struct proc *p, const struct uthread *me)
{
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		if (u != me && !u->has_left_filters)
			give_locked(u, me);
	}
}

static bool has_listener(const struct call_filter *f)
{
	while (f && (!f->listener || !call_listener_is_open(f->listener)))
		f = f->older;
	return f;
}

static int attach_locked(struct uthread *me, struct call_filter *f, bool all_threads, int *odd)
{
	const struct uthread *other;
	int err;

	if (me->seccomp_mode == SECCOMP_MODE_STRICT)
		return -EINVAL;
	if (f->listener && has_listener(me->filters))
		return -EBUSY;
	err = call_filter_check(f, me->filters);
	if (err)
		return err;
	if (all_threads) {
		other = find_odd_locked(me->proc, me);
		*odd = other ? other->tid_nr : 0;
		if (other)
			return 0;
	}
	call_filter_chain(f, me->filters);
	WRITE_ONCE(me->filters, f);
	set_mode_locked(me, SECCOMP_MODE_FILTER);
	if (all_threads)
		give_all_locked(me->proc, me);
	follow_all_locked(me->proc);
	return 0;
}

int seccomp_attach(struct call_filter *f, bool all_threads, bool is_error_alone)
{
	struct uthread *me = uthread_current();
	int err, odd = 0;

	irqlock_lock(&me->proc->lock);
	err = attach_locked(me, f, all_threads, &odd);
	irqlock_unlock(&me->proc->lock);
	if (err || !odd)
		return err;
	return is_error_alone ? -ESRCH : odd;
}

/* ---- Birth and end ---- */

void seccomp_inherit_locked(struct uthread *u, const struct uthread *from)
{
	if (LIKELY(from->seccomp_mode == SECCOMP_MODE_DISABLED))
		return;
	if (from->filters) {
		call_filter_get(from->filters);
		call_filter_use(from->filters);
	}
	u->filters = from->filters;
	u->seccomp_mode = from->seccomp_mode;
	u->no_new_privs = from->no_new_privs; /* perhaps since it was copied */
	u->call_work |= CALL_SECCOMP;
}

/*
 * What another thread changes about our filters it changes before this, or not at all. A thread that is alone leaves
 * nobody who would have to know.
 */
void seccomp_leave(struct uthread *u)
{
	struct proc *p = u->proc;

	if (LIKELY(READ_ONCE(u->seccomp_mode) == SECCOMP_MODE_DISABLED &&
		    READ_ONCE(p->nr_threads) == 1))
		return;
	irqlock_lock(&p->lock);
	u->has_left_filters = true;
	list_for_each (it, &p->submitters, struct uthread, proc_link) {
		if (it->maker == u)
			it->maker = NULL;
	}
	follow_all_locked(p);
	irqlock_unlock(&p->lock);
	call_filter_unuse(u->filters);
}

void seccomp_release(struct uthread *u)
{
	if (LIKELY(!u->filters))
		return;
	if (!u->has_left_filters)
		call_filter_unuse(u->filters);
	call_filter_put(u->filters);
	u->filters = NULL;
	u->seccomp_mode = SECCOMP_MODE_DISABLED;
}
