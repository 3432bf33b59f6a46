// SPDX-License-Identifier: MIT
/*
 * Signals: sending, and the queues.
 *
 * Sending does at once what does not wait for a thread: SIGCONT continues and takes back stops
 * (job.c), an ignored signal is forgotten, one whose action ends the process marks every thread
 * killed. Anything else is queued, for the process or one thread, and a thread that does not
 * block it is prodded: THREAD_SIGNAL is set, which ends its waits, and a CPU that runs it in
 * user mode is interrupted. Delivery is signal_deliver.c.
 *
 *     kill -> signal_send_proc -> job_prepare -> queue -> choose a thread -> signal_prod
 *     return to user mode -> signal_deliver -> sigpending_take -> arch_signal_push
 *
 * Standard signals are pending once; each real-time signal queues. An entry that cannot be
 * had for memory or RLIMIT_SIGPENDING loses its siginfo only, but for a real-time signal from
 * sigqueue(3), which then fails with -EAGAIN.
 *
 * THREAD_SIGNAL is set by anybody under proc->lock and cleared by its thread alone under it
 * (signal_recalculate), so it is exact there, and a thread whose signal another one took looks
 * once for nothing.
 *
 * Locks   proc->lock [p], irq: also the timer interrupt sends
 * Spec    man 7 signal; man 2 kill, sigqueue, sigaction
 */
#include "proc/signal.h"

#include <linux/capability.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/signal.h>

#include "irq/ipi.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/signal_priv.h"
#include "sched/sched.h"
#include "sync/rcu.h"

static_assert(sizeof(siginfo_t) == SI_MAX_SIZE, "siginfo_t is 128 bytes");
static_assert(offsetof(siginfo_t, _sifields) + sizeof(union __sifields) == SIGINFO_USED,
	"what Linux keeps of a siginfo_t");

/*
 * Who waits for signals without being chosen for delivery (signalfd, sigtimedwait) waits on one
 * of these, by process. They are for ever, because a poll on a signalfd may outlive the
 * process that began it.
 */
enum { SIGNAL_WAITQS = 64 };
static struct waitq waitqs[SIGNAL_WAITQS];

struct waitq *signal_waitq(const struct proc *p)
{
	return &waitqs[((uintptr_t)p >> 8) % SIGNAL_WAITQS];
}

/* ---- What a process does about a signal; p->lock held ---- */

enum disposition signal_disposition(const struct proc *p, int sig)
{
	const struct sigactions *a = p->signals.actions;
	uint64_t bit = SIGBIT(sig);

	if (a->custom & bit) {
		uintptr_t handler = a->action[sig - 1].handler;

		if (handler == HANDLER_IGNORE)
			return DISP_IGNORE;
		if (handler != HANDLER_DEFAULT)
			return DISP_HANDLER;
	}
	if ((SIGNALS_IGNORED & bit) || proc_is_init(p))
		return DISP_IGNORE;
	return SIGNALS_STOPPING & bit ? DISP_STOP : DISP_FATAL;
}

void signal_default_locked(struct proc *p, int sig)
{
	struct sigactions *a = p->signals.actions;

	a->custom &= ~SIGBIT(sig);
	a->ignored &= ~SIGBIT(sig);
}

/* ---- Queues; p->lock held ---- */

void sigpending_init(struct sigpending *pending)
{
	pending->set = 0;
	list_init(&pending->queue);
}

bool sigqueue_charge(struct sigqueue *q, struct user *user, const struct proc *p)
{
	if (!user_charge(user, USER_SIGNALS, p->rlimits[RLIMIT_SIGPENDING].soft))
		return false;
	user_hold(user);
	q->user = user;
	return true;
}

void sigqueue_free(struct sigqueue *q)
{
	if (UNLIKELY(q->user)) {
		user_uncharge(q->user, USER_SIGNALS);
		user_release(q->user);
	}
	mem_free(q);
}

/* It is on no queue. p->lock is held, or its process has ended and with it every timer. */
static void free_entry(struct sigqueue *q)
{
	if (q->timer) {
		siginfo_t nobody;

		ptimer_signal_taken(q->timer, &nobody); /* goes on with its next interval */
		return;
	}
	sigqueue_free(q);
}

/* Nobody can reach the queue any more, or p->lock is held. */
void sigpending_flush(struct sigpending *pending)
{
	struct sigqueue *q;

	pending->set = 0;
	while ((q = list_pop_head(&pending->queue, struct sigqueue, link)))
		free_entry(q);
}

void sigpending_remove(struct sigpending *pending, uint64_t set)
{
	if (LIKELY(!(pending->set & set)))
		return;
	pending->set &= ~set;
	list_for_each_safe (q, &pending->queue, struct sigqueue, link) {
		if (!(SIGBIT(sigqueue_info(q)->si_signo) & set))
			continue;
		list_remove(&q->link);
		free_entry(q);
	}
}

static void info_of_nobody(siginfo_t *info, int sig)
{
	siginfo_clear(info);
	info->si_signo = sig;
	info->si_code = SI_USER;
}

/* Takes the oldest entry of sig, and clears its bit when there is no other. */
static void take_signal(struct sigpending *pending, int sig, siginfo_t *info)
{
	struct sigqueue *found = NULL;
	bool is_last = true;

	list_for_each (q, &pending->queue, struct sigqueue, link) {
		if (sigqueue_info(q)->si_signo != sig)
			continue;
		if (found) {
			is_last = false;
			break;
		}
		found = q;
		if (sig < SIG_REALTIME)
			break;
	}
	if (is_last)
		pending->set &= ~SIGBIT(sig);
	if (!found) {
		info_of_nobody(info, sig);
		return;
	}
	siginfo_copy(info, found->info);
	list_remove(&found->link);
	if (found->timer)
		ptimer_signal_taken(found->timer, info);
	else
		free_entry(found);
}

int sigpending_take_ready(struct sigpending *pending, uint64_t set, siginfo_t *info)
{
	uint64_t ready = pending->set & set;
	int sig;

	if (ready & SIGNALS_SYNCHRONOUS)
		ready &= SIGNALS_SYNCHRONOUS;
	sig = (int)bits_lowest(ready) + 1;
	take_signal(pending, sig, info);
	return sig;
}

/* ---- Whom it reaches; p->lock held ---- */

void signal_prod(struct thread *t)
{
	atomic_or(&t->flags, THREAD_SIGNAL);
	atomic_fence(); /* the flag before wait_flags: pairs with wait_prepare and wait_sleep */
	/* the current thread, too: an interrupt may have found it between its look and its sleep */
	if (atomic_load_relaxed(&t->wait_flags) == WAIT_SIGNAL && sched_wake(t))
		return;
	thread_kick(t);
}

static bool wants(const struct thread *t, uint64_t bit)
{
	return !(t->user->sigmask & bit);
}

static struct thread *choose(struct proc *p, struct thread *t, uint64_t bit)
{
	if (t)
		return wants(t, bit) ? t : NULL;
	if (p->leader && wants(p->leader, bit))
		return p->leader;
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		if (wants(u->thread, bit))
			return u->thread;
	}
	return NULL;
}

static void kill_all(struct proc *p, int sig)
{
	if (!p->signals.fatal_signal)
		p->signals.fatal_signal = sig;
	list_for_each (u, &p->threads, struct uthread, proc_link)
		thread_kill(u->thread);
}

static bool is_stopped(const struct proc *p)
{
	return (p->flags & PROC_STOPPED) || p->signals.is_stopping;
}

/* After it was queued. */
static void reach(struct proc *p, struct thread *t, int sig)
{
	struct thread *target;

	if (sig == SIGKILL) {
		kill_all(p, sig);
		return;
	}
	target = choose(p, t, SIGBIT(sig));
	if (waitq_has_waiters(signal_waitq(p)))
		waitq_wake_all(signal_waitq(p), 0); /* perhaps nothing that is asked for */
	if (!target)
		return;
	if (signal_disposition(p, sig) == DISP_FATAL && !is_stopped(p))
		kill_all(p, sig);
	else
		signal_prod(target);
}

void signal_retarget(struct proc *p, uint64_t blocked)
{
	uint64_t left = p->signals.pending.set & blocked;

	if (LIKELY(!left))
		return;
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		if (u->thread == arch_current() || !(left & ~u->sigmask))
			continue;
		left &= u->sigmask;
		signal_prod(u->thread);
		if (!left)
			return;
	}
}

/* ---- Sending; p->lock held ---- */

/* A blocked signal is never ignored: the action may change before it is unblocked. */
static bool is_ignored(const struct proc *p, const struct thread *t, int sig)
{
	const struct uthread *u = (t ? t : p->leader)->user;

	return !(u->sigmask & SIGBIT(sig)) && signal_disposition(p, sig) == DISP_IGNORE;
}

/*
 * Standard signals are pending once for each queue, which is limit enough; real-time ones count
 * against RLIMIT_SIGPENDING of the receiver's user.
 */
static bool count_entry(struct sigqueue *q, const struct proc *p, const struct thread *t)
{
	bool is_counted;

	rcu_read_lock();
	is_counted = sigqueue_charge(q, rcu_load((t ? t : p->leader)->user->cred)->user, p);
	rcu_read_unlock();
	return is_counted;
}

static struct sigqueue *create_entry(const struct proc *p, const struct thread *t, int sig)
{
	struct sigqueue *q = mem_alloc(sizeof(*q), 0);

	if (UNLIKELY(!q))
		return NULL;
	q->timer = NULL;
	q->user = NULL;
	if (sig >= SIG_REALTIME && !count_entry(q, p, t)) {
		mem_free(q);
		return NULL;
	}
	return q;
}

static int enqueue(struct proc *p, struct thread *t, int sig, const siginfo_t *info)
{
	struct sigpending *pending = t ? &t->user->pending : &p->signals.pending;
	struct sigqueue *q = create_entry(p, t, sig);

	if (UNLIKELY(!q)) {
		if (sig >= SIG_REALTIME && info && info->si_code != SI_USER)
			return -EAGAIN;
		pending->set |= SIGBIT(sig); /* the bit alone says it */
		return 0;
	}
	if (info) {
		siginfo_copy(q->info, info);
	} else {
		siginfo_clear(q->info);
		sigqueue_info(q)->si_code = SI_KERNEL;
	}
	sigqueue_info(q)->si_signo = sig;
	list_add_tail(&pending->queue, &q->link);
	pending->set |= SIGBIT(sig);
	return 0;
}

static struct sigpending *pending_of(struct proc *p, struct thread *t)
{
	return t ? &t->user->pending : &p->signals.pending;
}

static int send_locked(struct proc *p, struct thread *t, int sig, const siginfo_t *info)
{
	struct sigpending *pending = pending_of(p, t);
	int err;

	if (p->flags & (PROC_EXITING | PROC_ZOMBIE))
		return 0;
	if (t && uthread_is_leaving(t->user))
		return 0;
	job_prepare(p, sig);
	if (is_ignored(p, t, sig))
		return 0;
	if (sig < SIG_REALTIME && (pending->set & SIGBIT(sig)))
		return 0;
	err = enqueue(p, t, sig, info);
	if (err)
		return err;
	reach(p, t, sig);
	return 0;
}

bool signal_send_timer(struct proc *p, struct thread *t, struct sigqueue *q)
{
	struct sigpending *pending = pending_of(p, t);
	int sig = sigqueue_info(q)->si_signo;

	if ((p->flags & (PROC_EXITING | PROC_ZOMBIE)) || (t && uthread_is_leaving(t->user)))
		return false;
	job_prepare(p, sig);
	if (is_ignored(p, t, sig))
		return false;
	list_add_tail(&pending->queue, &q->link);
	pending->set |= SIGBIT(sig);
	reach(p, t, sig);
	return true;
}

void signal_send_locked(struct proc *p, int sig, const siginfo_t *info)
{
	(void)send_locked(p, NULL, sig, info); /* by SI_USER or the kernel: never -EAGAIN */
}

int signal_send_proc(struct proc *p, int sig, const siginfo_t *info)
{
	int err;

	if (sig == 0)
		return 0;
	irqlock_lock(&p->lock);
	err = send_locked(p, NULL, sig, info);
	irqlock_unlock(&p->lock);
	return err;
}

int signal_send_thread(struct thread *t, int sig, const siginfo_t *info)
{
	struct proc *p = t->user->proc;
	int err;

	if (sig == 0)
		return 0;
	irqlock_lock(&p->lock);
	err = send_locked(p, t, sig, info);
	irqlock_unlock(&p->lock);
	return err;
}

void signal_kernel_proc(struct proc *p, int sig)
{
	(void)!signal_send_proc(p, sig, NULL); /* from the kernel: never -EAGAIN */
}

void signal_send_group_if(int pgrp, int sig, const siginfo_t *info,
	bool (*may)(struct proc *p, const void *ctx), const void *ctx)
{
	struct pid *pid;

	if (pid_find(pgrp, &pid))
		return;
	irqlock_lock(&proc_tree_lock);
	list_for_each (p, &pid->users[PID_GROUP], struct proc, group_link)
		if (!may || may(p, ctx))
			/* a full queue of one is no error of all */
			(void)!signal_send_proc(p, sig, info);
	irqlock_unlock(&proc_tree_lock);
	pid_put(pid);
}

void signal_send_group(int pgrp, int sig, const siginfo_t *info)
{
	signal_send_group_if(pgrp, sig, info, NULL, NULL);
}

/* ---- A fault of the current thread ---- */

void signal_force_info(const siginfo_t *info)
{
	struct uthread *u = uthread_current();
	struct proc *p = u->proc;
	int sig = info->si_signo;
	bool is_blocked;

	irqlock_lock(&p->lock);
	is_blocked = u->sigmask & SIGBIT(sig);
	if (is_blocked || signal_disposition(p, sig) != DISP_HANDLER) {
		/* also process 1 ends by its own fault */
		u->sigmask &= ~SIGBIT(sig);
		signal_default_locked(p, sig);
		kill_all(p, sig);
	} else if (!(u->pending.set & SIGBIT(sig))) {
		(void)enqueue(p, u->thread, sig, info); /* sig < SIG_REALTIME: 0 */
		signal_prod(u->thread);
	}
	irqlock_unlock(&p->lock);
}

void signal_force(int sig, int code, uintptr_t addr)
{
	siginfo_t info;

	siginfo_clear(&info);
	info.si_signo = sig;
	info.si_code = code;
	info._sifields._sigfault._addr = (void *)addr;
	signal_force_info(&info);
}

void signal_force_kill(int sig)
{
	struct proc *p = proc_current();

	irqlock_lock(&p->lock);
	kill_all(p, sig);
	irqlock_unlock(&p->lock);
}

/* ---- May the current process signal p? man 2 kill ---- */

static bool is_same_session(const struct proc *p) MUST_HOLD(proc_tree_lock)
{
	return p->session == proc_current()->session;
}

static bool cred_may_signal(struct proc *p)
{
	const struct cred *mine = cred_current(), *its;
	bool is_ok;

	if (p == proc_current())
		return true;
	its = proc_get_cred(p);
	is_ok = mine->euid == its->suid || mine->euid == its->uid || mine->uid == its->suid ||
		mine->uid == its->uid;
	cred_put(its);
	return is_ok || capable(CAP_KILL);
}

int signal_permission_locked(struct proc *p, int sig)
{
	return cred_may_signal(p) || (sig == SIGCONT && is_same_session(p)) ? 0 : -EPERM;
}

int signal_permission(struct proc *p, int sig)
{
	int err;

	if (LIKELY(cred_may_signal(p)))
		return 0;
	irqlock_lock(&proc_tree_lock);
	err = signal_permission_locked(p, sig);
	irqlock_unlock(&proc_tree_lock);
	return err;
}

/* ---- Life ---- */

static void actions_put(struct sigactions *a)
{
	if (refcount_put(&a->refs))
		mem_free(a);
}

static struct sigactions *actions_create(void)
{
	struct sigactions *a = mem_alloc(sizeof(*a), 0);

	if (!a)
		return NULL;
	refcount_init(&a->refs, 1);
	a->custom = a->ignored = 0;
	return a;
}

static void actions_copy(struct sigactions *to, const struct sigactions *from)
{
	to->custom = from->custom;
	to->ignored = from->ignored;
	for (uint64_t left = to->custom; left; left &= left - 1)
		to->action[bits_lowest(left)] = from->action[bits_lowest(left)];
}

static int signals_start(struct proc *p, struct sigactions *a)
{
	p->signals = (struct signals){.actions = a};
	sigpending_init(&p->signals.pending);
	return 0;
}

int signals_init(struct proc *first)
{
	struct sigactions *a = actions_create();

	if (!a)
		return -ENOMEM;
	for (unsigned i = 0; i < SIGNAL_WAITQS; i++)
		waitq_init(&waitqs[i]);
	return signals_start(first, a);
}

int signals_copy(struct proc *child, struct proc *parent, bool is_shared)
{
	struct sigactions *a = parent->signals.actions;

	if (is_shared) {
		refcount_get(&a->refs);
		return signals_start(child, a);
	}
	a = actions_create();
	if (!a)
		return -ENOMEM;
	irqlock_lock(&parent->lock);
	actions_copy(a, parent->signals.actions);
	irqlock_unlock(&parent->lock);
	return signals_start(child, a);
}

void signals_clear_handlers(struct proc *p)
{
	struct sigactions *a = p->signals.actions;

	a->custom = a->ignored;
	for (uint64_t left = a->ignored; left; left &= left - 1)
		a->action[bits_lowest(left)] = (struct ksigaction){.handler = HANDLER_IGNORE};
}

int signals_exec_prepare(struct proc *p)
{
	struct sigactions *old = p->signals.actions, *new;

	if (refcount_read(&old->refs) == 1)
		return 0;
	new = actions_create();
	if (!new)
		return -ENOMEM;
	irqlock_lock(&p->lock);
	actions_copy(new, old);
	p->signals.actions = new;
	irqlock_unlock(&p->lock);
	actions_put(old);
	return 0;
}

void signals_exec(struct proc *p)
{
	struct uthread *u = uthread_current();

	irqlock_lock(&p->lock);
	signals_clear_handlers(p);
	irqlock_unlock(&p->lock);
	u->altstack = (struct sigaltstack_state){.flags = SS_DISABLE};
	u->restart.fn = NULL;
}

void signals_fini(struct proc *p)
{
	struct sigactions *a;

	irqlock_lock(&p->lock); /* /proc reads them */
	sigpending_flush(&p->signals.pending);
	a = p->signals.actions;
	p->signals.actions = NULL;
	irqlock_unlock(&p->lock);
	actions_put(a);
}

void signals_thread_exit(void)
{
	struct uthread *u = uthread_current();
	struct proc *p = u->proc;
	bool is_stopped_now;
	int sig;

	irqlock_lock(&p->lock);
	u->sigmask = ~0ull;
	is_stopped_now = job_thread_leaves(p);
	sig = p->signals.group_stop_signal;
	signal_retarget(p, ~0ull);
	sigpending_flush(&u->pending);
	irqlock_unlock(&p->lock);
	if (is_stopped_now)
		job_report(p, CLD_STOPPED, sig);
}
