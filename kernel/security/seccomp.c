// SPDX-License-Identifier: MIT
/*
 * The seccomp state of threads: mode and filters, how they are set and inherited.
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

int seccomp_set_strict(void)
{
	struct uthread *u = uthread_current();
	int err = -EINVAL;

	irqlock_lock(&u->proc->lock);
	if (u->seccomp_mode != SECCOMP_MODE_FILTER) {
		set_mode_locked(u, SECCOMP_MODE_STRICT);
		err = 0;
	}
	irqlock_unlock(&u->proc->lock);
	return err;
}

/* ---- All threads at once ---- */

/* Of the others, one whose filters are not among mine. NULL: each can have mine instead. */
static const struct uthread *find_odd_locked(struct proc *p, const struct uthread *me)
{
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		if (u == me || u->has_left_filters || u->seccomp_mode == SECCOMP_MODE_DISABLED)
			continue;
		if (u->seccomp_mode != SECCOMP_MODE_FILTER ||
			!call_filter_is_before(u->filters, me->filters))
			return u;
	}
	return NULL;
}

/* What they had is among the older ones of mine, so nothing is freed here. */
static void give_all_locked(struct proc *p, const struct uthread *me)
{
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		struct call_filter *old = u->filters;

		if (u == me || u->has_left_filters)
			continue;
		call_filter_get(me->filters);
		call_filter_use(me->filters);
		WRITE_ONCE(u->filters, me->filters);
		if (me->no_new_privs)
			WRITE_ONCE(u->no_new_privs, true);
		set_mode_locked(u, SECCOMP_MODE_FILTER);
		call_filter_unuse(old);
		call_filter_put(old);
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

void seccomp_follow(struct uthread *u, struct uthread *from)
{
	struct call_filter *old = u->filters;

	if (from->filters == old && from->seccomp_mode == u->seccomp_mode)
		return;
	irqlock_lock(&from->proc->lock);
	seccomp_inherit_locked(u, from);
	irqlock_unlock(&from->proc->lock);
	call_filter_unuse(old); /* the new one has it */
	call_filter_put(old);
}

/* What another thread changes about our filters it changes before this, or not at all. */
void seccomp_leave(struct uthread *u)
{
	if (LIKELY(READ_ONCE(u->seccomp_mode) == SECCOMP_MODE_DISABLED))
		return;
	irqlock_lock(&u->proc->lock);
	u->has_left_filters = true;
	irqlock_unlock(&u->proc->lock);
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
