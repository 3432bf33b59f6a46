// SPDX-License-Identifier: MIT
/*
 * The threads that a call names.
 *
 * A process's threads are visited one after another, with a reference each: its lock cannot be held
 * while something is done to them.
 */
#include "sys/whom.h"

#include "proc/proc.h"

struct walk {
	enum whom whom;
	int who;
	void (*fn)(struct thread *t, void *ctx);
	void *ctx;
	bool has_any;
};

static bool matches(struct proc *p, const struct walk *w)
{
	const struct cred *c;
	bool is_match;

	if (w->whom == WHOM_GROUP) {
		irqlock_lock(&proc_tree_lock);
		is_match = p->group && p->group->nr == w->who;
		irqlock_unlock(&proc_tree_lock);
		return is_match;
	}
	c = proc_get_cred(p);
	is_match = c->uid == (uint32_t)w->who;
	cred_put(c);
	return is_match;
}

static void visit(struct proc *p, void *ctx)
{
	struct walk *w = ctx;

	if (!matches(p, w))
		return;
	for (unsigned index = 0;; index++) {
		struct thread *t = NULL;
		unsigned i = 0;

		irqlock_lock(&p->lock);
		list_for_each (u, &p->threads, struct uthread, proc_link) {
			if (i++ == index) {
				t = u->thread;
				thread_get(t);
				break;
			}
		}
		irqlock_unlock(&p->lock);
		if (!t)
			return;
		w->has_any = true;
		w->fn(t, w->ctx);
		thread_put(t);
	}
}

int threads_named(enum whom whom, int who, void (*fn)(struct thread *t, void *ctx), void *ctx)
{
	struct walk w = {.whom = whom, .who = who, .fn = fn, .ctx = ctx};
	struct thread *t = arch_current();

	if (whom == WHOM_THREAD) {
		if (who < 0 || (who && uthread_find(who, &t)))
			return -ESRCH;
		fn(t, ctx);
		if (who)
			thread_put(t);
		return 0;
	}
	if (!who && whom == WHOM_GROUP)
		w.who = proc_current()->group->nr;
	else if (!who)
		w.who = (int)cred_current()->uid;
	proc_for_each(visit, &w);
	return w.has_any ? 0 : -ESRCH;
}
