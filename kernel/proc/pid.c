// SPDX-License-Identifier: MIT
/*
 * Process ids: numbers in use, and who uses them.
 *
 * A struct pid is one number. It is on the table while a thread, a process, a group or a session
 * has it (users[]); the table has one reference for all of those. A pidfd, and a process that has
 * ended but is still looked at, keep the structure longer, when the number may be another's.
 *
 * Numbers go round: a number just freed stays unused for long. After the first round they begin at
 * 300, because the numbers below belong to what a system starts first.
 *
 * Locks   proc_tree_lock [T]: the table and the users.
 * Spec    man 5 proc: /proc/sys/kernel/pid_max; man 2 clone3: set_tid
 */
#include "lib/idr.h"
#include "mm/slab.h"
#include "proc/proc_priv.h"

enum {
	PID_MAX_DEFAULT = 32768, /* man 5 proc: pid_max, one greater than the largest id */
	PID_MAX_LIMIT = 4 << 20, /* the same */
	PID_MAX_LEAST = 301,     /* Linux: sysctl's lower bound */
	PID_RESERVED = 300,      /* Linux: where the second round begins */
};

struct pid_ns {
	struct idr ids; /* [T] struct pid */
	int max;        /* [T] ids are below it */
	int next;       /* [T] where the next search begins */
};

struct pid_ns pid_ns_root = {.max = PID_MAX_DEFAULT, .next = 1};
struct irqlock proc_tree_lock = IRQLOCK_INIT(RANK_PROC_TREE, "proc-tree");
static struct slab_cache *pid_cache; /* [I] */

void pid_init(void)
{
	int err = slab_cache_create(&pid_cache, "pid", sizeof(struct pid), 0);

	if (err)
		panic("proc: no memory for process ids (error %d)", err);
	idr_init(&pid_ns_root.ids, 1, PID_MAX_LIMIT - 1, &mem_allocator);
}

/* ---- References ---- */

int pid_create(struct pid **out)
{
	struct pid *p = slab_alloc(pid_cache, 0);

	if (!p)
		return -ENOMEM;
	refcount_init(&p->refs, 1);
	p->nr = 0;
	p->ns = &pid_ns_root;
	for (unsigned use = 0; use < PID_USES; use++)
		list_init(&p->users[use]);
	waitq_init(&p->exited);
	*out = p;
	return 0;
}

void pid_get(struct pid *p)
{
	refcount_get(&p->refs);
}

void pid_put(struct pid *p)
{
	if (refcount_put(&p->refs))
		slab_free(pid_cache, p);
}

/* ---- Numbers; tree locked ---- */

/* The first free number in [from, ns->max). -EAGAIN, -ENOMEM. */
static int number_from(struct pid_ns *ns, struct pid *p, int from, uint64_t *nr)
{
	int err = idr_alloc_from(&ns->ids, p, (uint64_t)from, nr);

	if (!err && *nr >= (uint64_t)ns->max) {
		(void)idr_free(&ns->ids, *nr);
		err = -ENOSPC;
	}
	return err == -ENOSPC ? -EAGAIN : err;
}

int pid_assign_locked(struct pid *p)
{
	struct pid_ns *ns = p->ns;
	uint64_t nr;
	int err = number_from(ns, p, ns->next, &nr);

	if (err == -EAGAIN && ns->next > PID_RESERVED)
		err = number_from(ns, p, PID_RESERVED, &nr);
	if (err)
		return err;
	ns->next = (int)nr + 1;
	p->nr = (int)nr;
	pid_get(p); /* the table's */
	return 0;
}

int pid_assign_at_locked(struct pid *p, int nr)
{
	struct pid_ns *ns = p->ns;
	int err;

	if (nr < 1 || nr >= ns->max)
		return -EINVAL;
	err = idr_alloc_at(&ns->ids, p, (uint64_t)nr);
	if (err)
		return err;
	p->nr = nr;
	pid_get(p);
	return 0;
}

void pid_attach_locked(struct pid *p, enum pid_use use, struct list_node *link)
{
	list_add_tail(&p->users[use], link);
}

void pid_detach_locked(struct pid *p, struct list_node *link)
{
	list_remove(link);
	for (unsigned use = 0; use < PID_USES; use++) {
		if (!list_is_empty(&p->users[use]))
			return;
	}
	(void)idr_free(&p->ns->ids, (uint64_t)p->nr);
	pid_put(p);
}

struct pid *pid_lookup_locked(int nr)
{
	return nr > 0 ? idr_lookup(&pid_ns_root.ids, (uint64_t)nr) : NULL;
}

bool pid_is_of(int nr, enum pid_use use)
{
	struct pid *p;
	bool is;

	irqlock_lock(&proc_tree_lock);
	p = pid_lookup_locked(nr);
	is = p && !list_is_empty(&p->users[use]);
	irqlock_unlock(&proc_tree_lock);
	return is;
}

struct pid *pid_next_locked(int *nr)
{
	uint64_t id = (uint64_t)*nr;
	struct pid *p = idr_find(&pid_ns_root.ids, &id);

	*nr = (int)id;
	return p;
}

/* ---- For others ---- */

int pid_find(int nr, struct pid **out)
{
	struct pid *p;

	irqlock_lock(&proc_tree_lock);
	p = pid_lookup_locked(nr);
	if (p)
		pid_get(p);
	irqlock_unlock(&proc_tree_lock);
	if (!p)
		return -ESRCH;
	*out = p;
	return 0;
}

int pid_get_last(void)
{
	return READ_ONCE(pid_ns_root.next) - 1;
}

int pid_get_max(void)
{
	return READ_ONCE(pid_ns_root.max);
}

int pid_set_max(int max)
{
	if (max < PID_MAX_LEAST || max > PID_MAX_LIMIT)
		return -EINVAL;
	irqlock_lock(&proc_tree_lock);
	pid_ns_root.max = max;
	irqlock_unlock(&proc_tree_lock);
	return 0;
}
