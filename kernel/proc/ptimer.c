// SPDX-License-Identifier: MIT
/*
 * Timers that belong to a process and send it signals: timer_create(2), setitimer(2), alarm(2).
 *
 * All are a struct ptimer: a clock, the time it is to show, an interval, and the signal. A kernel
 * timer is armed for the monotonic time when that may be so; its callback looks at the clock and
 * either expires or arms it again. So real time that was set (which fires the timer at
 * once), and CPU time, which is guessed ahead, need nothing else.
 *
 *     armed --callback, the clock shows it--> signal queued --taken--> next interval: armed
 *                                             (interval timers of setitimer: armed at once)
 *
 * A timer of timer_create owns its entry of the signal queue, which counts against RLIMIT_SIGPENDING
 * for as long as the timer exists. While it is queued the timer rests:
 * the intervals that went by are counted when the signal is taken (ptimer_signal_taken), which is
 * the overrun; a blocked or slow program costs nothing, and no interval is too short.
 *
 * A process's CPU time grows no faster than it has threads: a timer on it is armed for when that
 * could be enough, and for later and later while the process does not run.
 *
 * Locks   proc->lock [p]; the kernel timer's under it. A timer is freed after timer_stop_sync,
 *         with p->lock released: the callback takes it.
 * Spec    man 2 timer_create, timer_settime, timer_getoverrun, setitimer; man 7 signal
 */
#include "proc/ptimer.h"

#include <limits.h>
#include <linux/time.h>

#include "lib/assert.h"
#include "lib/idr.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/clocks.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "proc/signal_priv.h"
#include "time/clock.h"
#include "time/timer.h"

enum { ITIMERS = 3 };

/* CPU time is looked at no more often than Linux does it, and less often while it stands still. */
static const uint64_t LOOK_MIN_NS = 4 * NS_PER_MS, LOOK_MAX_NS = 128 * NS_PER_MS;

/*
 *   [p] proc->lock      [I] immutable
 */
struct ptimer {
	struct proc *proc;     /* [I] whose it is: it outlives the timer */
	int id;                /* [I] of timer_create; -1 - ITIMER_* */
	int clock;             /* [I] */
	struct proc *cpu_proc; /* [I] a CPU clock's, with a reference; NULL */
	struct thread *cpu_thread;
	int notify;             /* [I] SIGEV_* without THREAD_ID */
	int sig;                /* [I] */
	struct thread *target;  /* [I] SIGEV_THREAD_ID: with a reference; NULL: the process */
	struct sigqueue *entry; /* [I] timer_create's */
	struct timer timer;
	struct waiter was_set;      /* on clock_was_set while armed by real time */
	bool is_deleted;            /* [p] */
	bool is_queued;             /* [p] the signal waits to be taken */
	bool has_expired;           /* [p] and is of the setting that holds now */
	uint64_t expires;           /* [p] what the clock is to show; 0: not armed */
	uint64_t interval;          /* [p] */
	uint64_t last_cpu, look_ns; /* [p] CPU clocks: at the last look; the next wait */
	int overrun;                /* [p] of the signal taken last */
};

struct ptimers {
	struct idr ids;                 /* [p] */
	struct ptimer *itimer[ITIMERS]; /* [p] made when first set */
};

/* ---- The clock of a timer ---- */

static bool is_cpu(const struct ptimer *t)
{
	return t->cpu_proc || t->cpu_thread;
}

/* Takes the lock of the process that a CPU clock is of: not with p->lock held. */
static uint64_t read_clock(const struct ptimer *t)
{
	bool is_user_only = t->clock < 0 && (t->clock & 3) == 1; /* proc/clocks.c: VIRT */
	uint64_t user_ns = 0, system_ns = 0;
	struct proc_times times;
	int64_t now = 0;

	if (t->cpu_thread) {
		uthread_get_times(t->cpu_thread, &user_ns, &system_ns);
	} else if (t->cpu_proc) {
		proc_get_times(t->cpu_proc, &times);
		user_ns = times.user_ns;
		system_ns = times.system_ns;
	} else {
		(void)!clock_read(t->clock, &now); /* a clock of the system: it exists */
		return (uint64_t)now;
	}
	return is_user_only ? user_ns : user_ns + system_ns;
}

static uint64_t next_cpu_look(struct ptimer *t, uint64_t now)
{
	unsigned speed = t->cpu_proc ? MAX(READ_ONCE(t->cpu_proc->nr_threads), 1u) : 1;
	uint64_t wait = t->expires > now ? (t->expires - now) / speed : 0;

	t->look_ns = now == t->last_cpu ? MIN(t->look_ns * 2, LOOK_MAX_NS) : LOOK_MIN_NS;
	t->last_cpu = now;
	return clock_monotonic_ns() + MAX(wait, t->look_ns);
}

/* Arms the kernel timer for t->expires. p->lock held. */
static void arm(struct ptimer *t, uint64_t now)
{
	if (is_cpu(t)) {
		timer_start(&t->timer, next_cpu_look(t, now));
		return;
	}
	if (clock_kind_of(t->clock) == CLOCK_IS_REAL && !t->was_set.queue)
		waitq_add(&clock_was_set, &t->was_set);
	clock_start_timer(&t->timer, t->clock, t->expires);
}

/* The clock was set: the callback looks again. clock_was_set is locked. */
static bool fire_now(struct waiter *w, uint64_t key UNUSED)
{
	timer_start(&container_of(w, struct ptimer, was_set)->timer, 0);
	return false;
}

/* ---- Expiry ---- */

/* How many intervals have gone by beyond the one that ended at t->expires; moves it on. */
static uint64_t move_on(struct ptimer *t, uint64_t now)
{
	uint64_t missed = now > t->expires ? (now - t->expires) / t->interval : 0;

	t->expires += (missed + 1) * t->interval;
	return missed;
}

static void expire_itimer(struct ptimer *t, uint64_t now)
{
	struct proc *p = t->proc;
	bool is_pending = p->signals.pending.set & SIGBIT(t->sig);

	signal_send_locked(p, t->sig, NULL);
	if (!t->interval) {
		t->expires = 0;
		return;
	}
	move_on(t, now);
	if (is_pending) /* nobody takes them: do not spend all time on sending */
		t->expires = MAX(t->expires, now + LOOK_MIN_NS);
	arm(t, now);
}

static void expire(struct ptimer *t, uint64_t now)
{
	if (t->id < 0) {
		expire_itimer(t, now);
		return;
	}
	if (t->is_queued)
		return;
	if (t->notify != SIGEV_NONE && signal_send_timer(t->proc, t->target, t->entry)) {
		t->is_queued = t->has_expired = true;
		return; /* goes on when the signal is taken */
	}
	/* ignored now: the action may change, and the next interval will tell */
	if (!t->interval) {
		t->expires = 0;
		return;
	}
	move_on(t, now);
	t->expires = MAX(t->expires, now + LOOK_MIN_NS);
	arm(t, now);
}

static void on_timer(struct timer *timer)
{
	struct ptimer *t = container_of(timer, struct ptimer, timer);
	uint64_t now = read_clock(t);

	irqlock_lock(&t->proc->lock);
	if (t->expires && !t->is_deleted && !t->is_queued) {
		if (now >= t->expires)
			expire(t, now);
		else
			arm(t, now);
	}
	irqlock_unlock(&t->proc->lock);
}

void ptimer_signal_taken(struct ptimer *t, siginfo_t *info)
{
	uint64_t missed = 0;
	/* CPU clocks cannot be read under the lock: what they missed shows at the next look */
	uint64_t now = is_cpu(t) ? t->expires : read_clock(t);

	t->is_queued = false;
	if (t->has_expired && t->interval)
		missed = move_on(t, now);
	else if (t->has_expired)
		t->expires = 0;
	t->has_expired = false;
	if (t->expires)
		arm(t, now); /* the next interval, or what was set while the signal waited */
	t->overrun = (int)MIN(missed, (uint64_t)INT_MAX);
	info->_sifields._timer._overrun = t->overrun;
}

/* ---- Settings ---- */

/* p->lock held. */
static void read_setting(const struct ptimer *t, uint64_t now, struct timer_setting *out)
{
	uint64_t expires = t->expires;

	*out = (struct timer_setting){.interval = t->interval};
	if (!expires)
		return;
	if (now >= expires && t->interval && (t->is_queued || t->notify == SIGEV_NONE))
		expires += ((now - expires) / t->interval + 1) * t->interval;
	if (now < expires)
		out->value = expires - now;
	else if (t->notify != SIGEV_NONE)
		out->value = 1; /* about to expire: 0 would say it is not armed */
}

/* p->lock held; `now` was read before. */
static void write_setting(
	struct ptimer *t, uint64_t now, bool is_absolute, const struct timer_setting *new)
{
	timer_stop(&t->timer);
	t->interval = new->interval;
	t->overrun = 0;
	t->has_expired = false;
	t->expires = new->value;
	if (!new->value)
		return;
	if (!is_absolute)
		t->expires = new->value < UINT64_MAX - now ? now + new->value : UINT64_MAX;
	t->last_cpu = now;
	t->look_ns = LOOK_MIN_NS;
	if (t->notify != SIGEV_NONE && !t->is_queued)
		arm(t, now);
}

static void stop_for_good(struct ptimer *t)
{
	waitq_remove(&clock_was_set, &t->was_set);
	timer_stop_sync(&t->timer);
	if (t->target)
		thread_put(t->target);
	if (t->cpu_thread)
		thread_put(t->cpu_thread);
	if (t->cpu_proc && t->cpu_proc != t->proc)
		proc_put(t->cpu_proc);
	mem_free(t);
}

static struct ptimer *ptimer_alloc(struct proc *p, int clock)
{
	struct ptimer *t = mem_alloc(sizeof(*t), SLAB_ZERO);

	if (!t)
		return NULL;
	t->proc = p;
	t->clock = clock;
	timer_init(&t->timer, on_timer);
	t->was_set.wake = fire_now;
	return t;
}

/* The process's set, made when it has none. */
static int get_all(struct proc *p, struct ptimers **out)
{
	struct ptimers *all = READ_ONCE(p->timers);

	if (all) {
		*out = all;
		return 0;
	}
	all = mem_alloc(sizeof(*all), SLAB_ZERO);
	if (!all)
		return -ENOMEM;
	idr_init(&all->ids, 0, INT_MAX, &mem_allocator);
	irqlock_lock(&p->lock);
	if (p->timers) {
		mem_free(all);
		all = p->timers;
	} else {
		p->timers = all;
	}
	irqlock_unlock(&p->lock);
	*out = all;
	return 0;
}

/* ---- Interval timers ---- */

static const struct {
	int clock, sig;
} itimer_kinds[ITIMERS] = {
	[ITIMER_REAL] = {CLOCK_MONOTONIC, SIGALRM},
	[ITIMER_VIRTUAL] = {(int)(~0u << 3) | 1, SIGVTALRM}, /* user time: proc/clocks.c */
	[ITIMER_PROF] = {(int)(~0u << 3) | 2, SIGPROF},
};

static int itimer_find(int which, bool may_create, struct ptimer **out)
{
	struct proc *p = proc_current();
	struct ptimer *t = NULL;
	struct ptimers *all;
	int err;

	*out = NULL;
	if (which < 0 || which >= ITIMERS)
		return -EINVAL;
	if (!p->timers && !may_create)
		return 0;
	err = get_all(p, &all);
	if (err)
		return err;
	if (!READ_ONCE(all->itimer[which]) && may_create) {
		t = ptimer_alloc(p, itimer_kinds[which].clock);
		if (!t)
			return -ENOMEM;
		t->id = -1 - which;
		t->sig = itimer_kinds[which].sig;
		t->cpu_proc = t->clock < 0 ? p : NULL;
	}
	irqlock_lock(&p->lock);
	if (!all->itimer[which]) {
		all->itimer[which] = t;
		t = NULL;
	}
	*out = all->itimer[which];
	irqlock_unlock(&p->lock);
	mem_free(t);
	return 0;
}

int itimer_get(int which, struct timer_setting *out)
{
	struct ptimer *t;
	uint64_t now;
	int err = itimer_find(which, false, &t);

	*out = (struct timer_setting){0};
	if (err || !t)
		return err;
	now = read_clock(t);
	irqlock_lock(&t->proc->lock);
	read_setting(t, now, out);
	irqlock_unlock(&t->proc->lock);
	return 0;
}

int itimer_set(int which, const struct timer_setting *new, struct timer_setting *old)
{
	struct ptimer *t;
	uint64_t now;
	int err = itimer_find(which, new->value, &t);

	*old = (struct timer_setting){0};
	if (err || !t)
		return err;
	now = read_clock(t);
	irqlock_lock(&t->proc->lock);
	read_setting(t, now, old);
	write_setting(t, now, false, new);
	irqlock_unlock(&t->proc->lock);
	return 0;
}

/* ---- timer_create ---- */

/* p->lock held. */
static struct ptimer *find_locked(struct proc *p, int id)
{
	return p->timers && id >= 0 ? idr_lookup(&p->timers->ids, (uint64_t)id) : NULL;
}

/* What CPU time the clock is of. */
static int attach_clock(struct ptimer *t, int clock)
{
	switch (clock_kind_of(clock)) {
	case CLOCK_IS_NONE:
		return -EINVAL;
	case CLOCK_IS_COARSE:
	case CLOCK_IS_RAW:
		return -EOPNOTSUPP;
	case CLOCK_IS_CPU:
		return clock_get_owner(clock, &t->clock, &t->cpu_proc, &t->cpu_thread);
	default:
		/* waking a sleeping machine needs a battery clock that can */
		return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM
			       ? -EOPNOTSUPP
			       : 0;
	}
}

static int attach_event(struct ptimer *t, const struct sigevent *event)
{
	int err;

	t->notify = event->sigev_notify & ~SIGEV_THREAD_ID;
	t->sig = event->sigev_signo;
	switch (event->sigev_notify) {
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		err = uthread_find(event->sigev_notify_thread_id, &t->target);
		if (err)
			return -EINVAL;
		if (t->target->user->proc != t->proc)
			return -EINVAL;
		FALLTHROUGH;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		return t->sig > 0 && t->sig <= SIGNALS ? 0 : -EINVAL;
	case SIGEV_NONE:
		return 0;
	default:
		return -EINVAL;
	}
}

static int create_entry(struct ptimer *t, const struct sigevent *event)
{
	siginfo_t *info;

	t->entry = mem_alloc(sizeof(*t->entry), SLAB_ZERO);
	if (!t->entry)
		return -EAGAIN;
	if (!sigqueue_charge(t->entry, cred_current()->user, t->proc)) {
		mem_free(t->entry);
		t->entry = NULL;
		return -EAGAIN;
	}
	t->entry->timer = t;
	info = sigqueue_info(t->entry);
	info->si_signo = t->sig;
	info->si_code = SI_TIMER;
	if (event)
		info->_sifields._timer._sigval = event->sigev_value;
	return 0;
}

/*
 * From now on it can be found, by another thread that guesses the id, too: it is whole, and the caller looks at it no
 * more.
 */
static int publish(struct ptimer *t, struct ptimers *all, bool tells_id, int *id)
{
	struct proc *p = t->proc;
	siginfo_t *info = sigqueue_info(t->entry);
	uint64_t nr;
	int err;

	irqlock_lock(&p->lock);
	err = idr_alloc_cyclic(&all->ids, t, &nr);
	if (!err) {
		*id = t->id = (int)nr;
		info->_sifields._timer._tid = t->id;
		if (tells_id)
			info->_sifields._timer._sigval.sival_int = t->id;
	}
	irqlock_unlock(&p->lock);
	return err ? -EAGAIN : 0;
}

int ptimer_create(int clock, const struct sigevent *event, int *id)
{
	static const struct sigevent alarm = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct proc *p = proc_current();
	struct ptimers *all;
	struct ptimer *t;
	int err = get_all(p, &all);

	if (err)
		return err;
	t = ptimer_alloc(p, clock);
	if (!t)
		return -EAGAIN;
	err = attach_clock(t, clock);
	if (!err)
		err = attach_event(t, event ? event : &alarm);
	if (!err)
		err = create_entry(t, event);
	if (err)
		goto free_timer;
	err = publish(t, all, !event, id);
	if (err)
		goto free_entry;
	return 0;

free_entry:
	sigqueue_free(t->entry);
free_timer:
	stop_for_good(t);
	return err;
}

/* ---- For /proc ---- */

/* The last at or below id. p->lock held. */
static struct ptimer *find_below_locked(struct proc *p, int id)
{
	struct ptimer *last = NULL, *t;

	for (uint64_t at = 0; p->timers; at++) {
		t = idr_find(&p->timers->ids, &at);
		if (!t || at > (uint64_t)id)
			break;
		last = t;
	}
	return last;
}

bool ptimer_get_info(struct proc *p, int id, struct ptimer_info *out)
{
	struct ptimer *t;

	irqlock_lock(&p->lock);
	t = id >= 0 ? find_below_locked(p, id) : NULL;
	if (t) {
		*out = (struct ptimer_info){.id = t->id,
			.sig = t->sig,
			.clock = t->clock,
			.notify = t->notify,
			.target = t->target ? t->target->user->tid_nr : p->pid->nr,
			.is_of_thread = t->target != NULL};
		if (t->entry)
			out->value = (uint64_t)(uintptr_t)sigqueue_info(t->entry)
					     ->_sifields._timer._sigval.sival_ptr;
	}
	irqlock_unlock(&p->lock);
	return t != NULL;
}

/* Out of reach for the callback and the queue. p->lock held. */
static void detach_locked(struct ptimer *t)
{
	t->is_deleted = true;
	if (!t->entry)
		return;
	t->entry->timer = NULL;
	if (!list_node_is_linked(&t->entry->link))
		sigqueue_free(t->entry); /* else who takes the signal frees it */
	t->entry = NULL;
}

int ptimer_delete(int id)
{
	struct proc *p = proc_current();
	struct ptimer *t;

	irqlock_lock(&p->lock);
	t = find_locked(p, id);
	if (t) {
		idr_free(&p->timers->ids, (uint64_t)id);
		detach_locked(t);
	}
	irqlock_unlock(&p->lock);
	if (!t)
		return -EINVAL;
	stop_for_good(t);
	return 0;
}

/*
 * The clock is read before the lock, by the timer's own description of it. A timer that is
 * deleted by another thread meanwhile is a race of the program: it is looked up again under
 * the lock.
 */
static int read_clock_of(struct proc *p, int id, uint64_t *now)
{
	struct ptimer copy, *t;

	irqlock_lock(&p->lock);
	t = find_locked(p, id);
	if (t) {
		copy = *t;
		if (copy.cpu_proc)
			proc_get(copy.cpu_proc);
		if (copy.cpu_thread)
			thread_get(copy.cpu_thread);
	}
	irqlock_unlock(&p->lock);
	if (!t)
		return -EINVAL;
	*now = read_clock(&copy);
	if (copy.cpu_proc)
		proc_put(copy.cpu_proc);
	if (copy.cpu_thread)
		thread_put(copy.cpu_thread);
	return 0;
}

int ptimer_get(int id, struct timer_setting *out)
{
	struct proc *p = proc_current();
	struct ptimer *t;
	uint64_t now;
	int err = read_clock_of(p, id, &now);

	if (err)
		return err;
	irqlock_lock(&p->lock);
	t = find_locked(p, id);
	if (t)
		read_setting(t, now, out);
	irqlock_unlock(&p->lock);
	return t ? 0 : -EINVAL;
}

int ptimer_set(
	int id, bool is_absolute, const struct timer_setting *new, struct timer_setting *old)
{
	struct proc *p = proc_current();
	struct ptimer *t;
	uint64_t now;
	int err = read_clock_of(p, id, &now);

	if (err)
		return err;
	irqlock_lock(&p->lock);
	t = find_locked(p, id);
	if (t) {
		read_setting(t, now, old);
		write_setting(t, now, is_absolute, new);
	}
	irqlock_unlock(&p->lock);
	return t ? 0 : -EINVAL;
}

int ptimer_overrun(int id)
{
	struct proc *p = proc_current();
	struct ptimer *t;
	int overrun = -EINVAL;

	irqlock_lock(&p->lock);
	t = find_locked(p, id);
	if (t)
		overrun = t->overrun;
	irqlock_unlock(&p->lock);
	return overrun;
}

/* ---- Life ---- */

void ptimers_exec(struct proc *p)
{
	struct ptimer *t;
	uint64_t id;

	if (!p->timers)
		return;
	for (;;) {
		id = 0;
		irqlock_lock(&p->lock);
		t = idr_find(&p->timers->ids, &id);
		if (t) {
			idr_free(&p->timers->ids, id);
			detach_locked(t);
		}
		irqlock_unlock(&p->lock);
		if (!t)
			return;
		stop_for_good(t);
	}
}

void ptimers_fini(struct proc *p)
{
	struct ptimers *all = p->timers;

	if (!all)
		return;
	ptimers_exec(p);
	for (unsigned i = 0; i < ITIMERS; i++) {
		if (!all->itimer[i])
			continue;
		irqlock_lock(&p->lock);
		detach_locked(all->itimer[i]);
		irqlock_unlock(&p->lock);
		stop_for_good(all->itimer[i]);
	}
	irqlock_lock(&p->lock);
	p->timers = NULL;
	irqlock_unlock(&p->lock);
	idr_fini(&all->ids);
	mem_free(all);
}
