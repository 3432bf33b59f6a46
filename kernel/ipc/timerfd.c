// SPDX-License-Identifier: MIT
/*
 * timerfd: a timer that is read, and polled.
 *
 * The kernel timer is armed for the monotonic time when the clock should show `expires`; its
 * callback counts one tick and wakes readers. It is armed for the next interval only when the tick
 * is read: the intervals in between are reckoned then. A timer by real time hears of changes of that
 * clock through clock_was_set, and looks again.
 *
 * Locks   lock [l] RANK_EVENT; the queue is woken after it is released. A timer is started under it.
 * Spec    man 2 timerfd_create
 */
#include "ipc/timerfd.h"

#include <asm/poll.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/time.h>
#include <linux/timerfd.h>

#include "fs/proc/entry.h"
#include "fs/vfs/file.h"
#include "lib/fmt.h"
#include "mm/slab.h"
#include "proc/clocks.h"
#include "proc/cred.h"
#include "sync/spinlock.h"
#include "time/clock.h"
#include "time/timer.h"

/*
 *   [l] lock      [I] immutable
 */
struct timerfd {
	struct irqlock lock;
	int clock; /* [I] */
	struct timer timer;
	struct waiter was_set; /* on clock_was_set, for clocks of real time */
	bool is_expired;       /* [l] a tick has come and the next interval not begun */
	bool is_cancelable;    /* [l] TFD_TIMER_CANCEL_ON_SET */
	bool is_absolute;      /* [l] as it was set: for fdinfo */
	uint32_t seen_sets;    /* [l] clock_set_count() when it was armed or last read */
	uint32_t polled_sets;  /* [l] the same, or disarmed: what poll has seen */
	uint64_t expires;      /* [l] what the clock is to show; 0: not armed */
	uint64_t interval;     /* [l] */
	uint64_t ticks;        /* [l] */
	struct waitq readable;
};

static uint64_t now_of(const struct timerfd *t)
{
	int64_t now = 0;

	(void)!clock_read(t->clock, &now); /* checked when it was created */
	return (uint64_t)now;
}

/* Lock held. */
static void arm(struct timerfd *t)
{
	t->is_expired = false;
	clock_start_timer(&t->timer, t->clock, t->expires);
}

static bool is_canceled(const struct timerfd *t)
{
	return t->is_cancelable && t->seen_sets != clock_set_count();
}

/* Linux: of what was before it was disarmed only a read hears (timer.timerfd_that_was_disarmed_is_not_ready). */
static bool is_ready(const struct timerfd *t)
{
	return t->ticks || (is_canceled(t) && t->polled_sets != clock_set_count());
}

static void on_timer(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	bool is_due = false;

	irqlock_lock(&t->lock);
	if (t->expires && !t->is_expired) {
		is_due = now_of(t) >= t->expires;
		if (is_due) {
			t->ticks++;
			t->is_expired = true;
		} else {
			arm(t);
		}
	}
	is_due |= is_canceled(t);
	irqlock_unlock(&t->lock);
	if (is_due)
		waitq_wake_all(&t->readable, POLLIN | POLLRDNORM);
}

/* The clock was set, and its queue is locked: the callback does the rest. */
static bool fire_now(struct waiter *w, uint64_t key UNUSED)
{
	timer_start(&container_of(w, struct timerfd, was_set)->timer, 0);
	return false;
}

/* Begins the next interval, counting those that went by. Lock held. */
static void catch_up(struct timerfd *t)
{
	uint64_t now, missed;

	if (!t->is_expired)
		return;
	if (!t->interval) {
		t->expires = 0;
		t->is_expired = false;
		return;
	}
	now = now_of(t);
	missed = now > t->expires ? (now - t->expires) / t->interval : 0;
	t->ticks += missed;
	t->expires += (missed + 1) * t->interval;
	arm(t);
}

static int64_t timerfd_read(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct timerfd *t = f->private_data;
	uint64_t ticks;

	if (to->left < sizeof(ticks))
		return -EINVAL;
	irqlock_lock(&t->lock);
	if (is_canceled(t)) {
		t->seen_sets = t->polled_sets = clock_set_count();
		t->ticks = 0;
		irqlock_unlock(&t->lock);
		return -ECANCELED;
	}
	if (t->ticks)
		catch_up(t);
	ticks = t->ticks;
	t->ticks = 0;
	irqlock_unlock(&t->lock);
	if (!ticks)
		return -EAGAIN;
	return iter_write(to, &ticks, sizeof(ticks)) == sizeof(ticks) ? (int64_t)sizeof(ticks)
								      : -EFAULT;
}

static uint32_t timerfd_poll(struct file *f)
{
	struct timerfd *t = f->private_data;
	bool is_now;

	irqlock_lock(&t->lock);
	is_now = is_ready(t);
	irqlock_unlock(&t->lock);
	return is_now ? POLLIN : 0; /* Linux: events.none_says_normal_data */
}

static struct waitq *timerfd_waitq(struct file *f, uint32_t events UNUSED)
{
	struct timerfd *t = f->private_data;

	return &t->readable;
}

/* Lock held. Does not count a tick as read. */
static void read_setting(struct timerfd *t, struct timer_setting *out)
{
	uint64_t now = now_of(t);

	if (t->interval)
		catch_up(t);
	*out = (struct timer_setting){.interval = t->interval};
	if (t->expires && !t->is_expired)
		out->value = t->expires > now ? t->expires - now : 1;
}

static void timerfd_fdinfo(struct file *f, struct text *out)
{
	struct timerfd *t = f->private_data;
	struct timer_setting s;
	uint64_t ticks;

	irqlock_lock(&t->lock);
	ticks = t->ticks;
	read_setting(t, &s);
	irqlock_unlock(&t->lock);
	text_add(out,
		"clockid: %d\nticks: %llu\nsettime flags: 0%o\n"
		"it_value: (%llu, %llu)\nit_interval: (%llu, %llu)\n",
		t->clock, (unsigned long long)ticks,
		(t->is_absolute ? TFD_TIMER_ABSTIME : 0) |
			(t->is_cancelable ? TFD_TIMER_CANCEL_ON_SET : 0),
		(unsigned long long)(s.value / NS_PER_SEC),
		(unsigned long long)(s.value % NS_PER_SEC),
		(unsigned long long)(s.interval / NS_PER_SEC),
		(unsigned long long)(s.interval % NS_PER_SEC));
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->private_data;

	waitq_remove(&clock_was_set, &t->was_set);
	timer_stop_sync(&t->timer);
	mem_free(t);
}

static const struct file_ops timerfd_ops = {
	.name = "[timerfd]",
	.read = timerfd_read,
	.seek = file_seek_nowhere,
	.poll = timerfd_poll,
	.waitq = timerfd_waitq,
	.fdinfo = timerfd_fdinfo,
	.release = timerfd_release,
};

static bool is_alarm(int clock)
{
	return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

int timerfd_create(struct file **out, int clock, unsigned flags)
{
	struct timerfd *t;
	int err;

	if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME &&
		!is_alarm(clock))
		return -EINVAL;
	if (is_alarm(clock) && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	t = mem_alloc(sizeof(*t), SLAB_ZERO);
	if (!t)
		return -ENOMEM;
	irqlock_init(&t->lock, RANK_EVENT, "timerfd");
	waitq_init(&t->readable);
	timer_init(&t->timer, on_timer);
	t->clock = clock;
	t->was_set.wake = fire_now;
	err = file_open_anonymous(out, &timerfd_ops, timerfd_ops.name, t,
		O_RDWR | (flags & O_NONBLOCK), FILE_READ | FILE_WRITE | FILE_STREAM);
	if (err)
		mem_free(t);
	else if (clock_kind_of(clock) == CLOCK_IS_REAL)
		waitq_add(&clock_was_set, &t->was_set);
	return err;
}

int timerfd_get(struct file *f, struct timer_setting *out)
{
	struct timerfd *t = f->private_data;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	irqlock_lock(&t->lock);
	read_setting(t, out);
	irqlock_unlock(&t->lock);
	return 0;
}

int timerfd_set(struct file *f, unsigned flags, const struct timer_setting *new,
	struct timer_setting *old)
{
	struct timerfd *t = f->private_data;
	bool was_canceled, is_told;
	uint64_t now;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	if (is_alarm(t->clock) && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	irqlock_lock(&t->lock);
	was_canceled = is_canceled(t);
	read_setting(t, old);
	timer_stop(
		&t->timer); /* a callback that runs now waits for the lock, and looks again */
	now = now_of(t);
	t->is_expired = false;
	t->ticks = 0;
	t->interval = new->interval;
	t->expires = new->value;
	t->is_absolute = flags & TFD_TIMER_ABSTIME;
	t->is_cancelable = clock_kind_of(t->clock) == CLOCK_IS_REAL && t->is_absolute &&
			   (flags & TFD_TIMER_CANCEL_ON_SET);
	if (new->value && !t->is_absolute)
		t->expires = new->value < UINT64_MAX - now ? now + new->value : UINT64_MAX;
	if (t->expires)
		arm(t);
	/* man 2 timerfd_create, NOTES: the caller hears what no read told, and the timer is set */
	is_told = was_canceled && t->is_cancelable && t->expires;
	if (is_told || !was_canceled || !t->is_cancelable)
		t->seen_sets = clock_set_count(); /* else a read tells still */
	t->polled_sets = clock_set_count();
	irqlock_unlock(&t->lock);
	return is_told ? -ECANCELED : 0;
}
