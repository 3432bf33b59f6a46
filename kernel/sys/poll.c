// SPDX-License-Identifier: MIT
/*
 * poll, ppoll, select, pselect6.
 *
 * select is a poll of the files whose bits are set, which asks for hang-ups and errors only where
 * man 2 select says that they make a file readable or writable.
 *
 * Interrupted by a signal, if nothing is ready: poll goes on with the rest of its time if no handler ran (a restart
 * block); the others report what is left of their time, and start again with that.
 */
#include <asm/poll.h>
#include <linux/resource.h>

#include "lib/string.h"
#include "mm/slab.h"
#include "ops/poll.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "sys/sigmask.h"
#include "sys/syscall.h"
#include "sys/timeout.h"

enum {
	FEW_FDS = 112,                   /* on the stack */
	STICKY_TIMEOUTS_BIT = 0x4000000, /* personality(2): select leaves the timeout alone */
};

static int64_t run_poll(struct pollfd *fds, unsigned nr, uint32_t always, uint64_t timeout_ns,
	uint64_t deadline_ns)
{
	struct poll_op p;
	int64_t n;

	poll_op_prepare(&p, fds, nr, always);
	p.may_wait = timeout_ns != 0;
	p.timeout_ns = timeout_ns;
	p.op.deadline_ns = deadline_ns;
	n = op_run(&p.op);
	return n == 0 && signal_is_pending() ? -EINTR : n; /* even if it was not to wait */
}

/* ---- poll ---- */

/* Only what changed is written: another thread may be changing the other members. */
static int write_revents(uptr to, const struct pollfd *fds, unsigned nr, const short *before)
{
	for (unsigned i = 0; i < nr; i++)
		if (fds[i].revents != before[i] &&
			user_write(uptr_add(to,
					   i * sizeof(*fds) + offsetof(struct pollfd, revents)),
				&fds[i].revents, sizeof(fds[i].revents)))
			return -EFAULT;
	return 0;
}

static int64_t poll_fds(uptr user_fds, unsigned nr, struct pollfd *fds, short *before,
	uint64_t timeout_ns, uint64_t deadline_ns)
{
	int64_t n;

	if (user_read(fds, user_fds, nr * sizeof(*fds)))
		return -EFAULT;
	for (unsigned i = 0; i < nr; i++)
		before[i] = fds[i].revents;
	n = run_poll(fds, nr, POLLERR | POLLHUP, timeout_ns, deadline_ns);
	if (n < 0)
		return n;
	return write_revents(user_fds, fds, nr, before) ? -EFAULT : n;
}

static NOINLINE int64_t poll_many(
	uptr user_fds, unsigned nr, uint64_t timeout_ns, uint64_t deadline_ns)
{
	struct pollfd *fds;
	int64_t n;

	if (nr > proc_rlimit(RLIMIT_NOFILE))
		return -EINVAL;
	fds = mem_alloc(nr * (sizeof(*fds) + sizeof(short)), 0);
	if (!fds)
		return -ENOMEM;
	n = poll_fds(user_fds, nr, fds, (short *)(fds + nr), timeout_ns, deadline_ns);
	mem_free(fds);
	return n;
}

static int64_t poll_common(
	uptr user_fds, unsigned nr, uint64_t timeout_ns, uint64_t deadline_ns)
{
	struct pollfd fds[FEW_FDS];
	short before[FEW_FDS];

	if (nr > FEW_FDS)
		return poll_many(user_fds, nr, timeout_ns, deadline_ns);
	if (UNLIKELY(nr > proc_rlimit(RLIMIT_NOFILE)))
		return -EINVAL;
	return poll_fds(user_fds, nr, fds, before, timeout_ns, deadline_ns);
}

/* arg: the array, its length, the deadline. */
static int64_t poll_again(struct restart *r)
{
	int64_t n = poll_common(UPTR(r->arg[0]), (unsigned)r->arg[1], WAIT_FOREVER, r->arg[2]);

	return n == -EINTR ? -ERESTART_RESTARTBLOCK : n;
}

/* Errors: EFAULT, EINTR, EINVAL, ENOMEM. */
SYSCALL3(poll, uptr, fds, unsigned, nr, int, timeout_ms)
{
	uint64_t timeout = timeout_from_ms(timeout_ms);
	uint64_t deadline = timeout_ms > 0 ? clock_deadline_ns(timeout) : WAIT_FOREVER;
	int64_t n = poll_common(fds, nr, timeout, deadline);

	if (n != -EINTR)
		return n;
	if (timeout == 0)
		deadline = clock_monotonic_ns(); /* over already */
	uthread_current()->restart =
		(struct restart){.fn = poll_again, .arg = {fds.addr, nr, deadline}};
	return -ERESTART_RESTARTBLOCK;
}

/* ---- What is left ---- */

struct time_left {
	uptr to; /* null: nothing is to be written */
	bool is_timeval;
	uint64_t timeout_ns; /* as given */
	uint64_t deadline_ns;
};

static int write_left(const struct time_left *t)
{
	uint64_t now = clock_monotonic_ns();
	uint64_t left = t->deadline_ns > now ? t->deadline_ns - now : 0;
	int64_t parts[2] = {(int64_t)(left / NS_PER_SEC), (int64_t)(left % NS_PER_SEC)};

	if (t->is_timeval)
		parts[1] /= (int64_t)NS_PER_US;
	return user_put(t->to, parts);
}

/* The result of a call that also reports the rest of its time: man 2 select, "Linux notes". */
static int64_t finish(int64_t n, const struct time_left *t)
{
	bool is_sticky = uthread_current()->personality & STICKY_TIMEOUTS_BIT;

	if (n == -EINTR)
		n = -ERESTARTNOHAND;
	sigmask_end(n == -ERESTARTNOHAND);
	if (uptr_is_null(t->to) || t->timeout_ns == 0 || t->deadline_ns == WAIT_FOREVER)
		return n;
	if ((is_sticky || write_left(t)) && n == -ERESTARTNOHAND)
		return -EINTR; /* it would start again with all of its time */
	return n;
}

static int read_time(struct time_left *t, uptr ts)
{
	int err = timeout_read(ts, &t->timeout_ns);

	if (err)
		return err;
	t->to = ts;
	t->is_timeval = false;
	t->deadline_ns = t->timeout_ns && t->timeout_ns != WAIT_FOREVER
				 ? clock_deadline_ns(t->timeout_ns)
				 : WAIT_FOREVER;
	return 0;
}

SYSCALL5(ppoll, uptr, fds, unsigned, nr, uptr, timeout, uptr, sigmask, size_t, sigset_size)
{
	struct time_left t;
	int err = read_time(&t, timeout);

	if (!err)
		err = sigmask_use(sigmask, sigset_size);
	if (err)
		return err;
	return finish(poll_common(fds, nr, t.timeout_ns, t.deadline_ns), &t);
}

/* ---- select ---- */

enum { SELECT_IN, SELECT_OUT, SELECT_EX, SELECT_SETS };

static const short select_events[SELECT_SETS] = {
	[SELECT_IN] = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
	[SELECT_OUT] = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
	[SELECT_EX] = POLLPRI,
};

/* FD_SETSIZE descriptors fit on the stack. */
enum { WORD_BITS = 64, FEW_WORDS = 1024 / WORD_BITS };

struct select_call {
	unsigned nr;       /* descriptors looked at */
	unsigned nr_words; /* of each set */
	uptr user[SELECT_SETS];
	uint64_t *words; /* the three sets */
	struct pollfd *fds;
};

static int read_sets(struct select_call *s)
{
	memset(s->words, 0, SELECT_SETS * s->nr_words * sizeof(*s->words));
	for (unsigned k = 0; k < SELECT_SETS; k++)
		if (!uptr_is_null(s->user[k]) &&
			user_read(&s->words[k * s->nr_words], s->user[k],
				s->nr_words * sizeof(*s->words)))
			return -EFAULT;
	return 0;
}

static inline uint64_t word_mask(const struct select_call *s, unsigned w)
{
	unsigned rest = s->nr - w * WORD_BITS;

	return rest >= WORD_BITS ? UINT64_MAX : BIT(rest) - 1;
}

/* The files that any set names, in order; how many. */
static unsigned gather_fds(struct select_call *s)
{
	unsigned nr = 0;

	for (unsigned w = 0; w < s->nr_words; w++) {
		const uint64_t *set = &s->words[w];
		uint64_t in = set[0], out = set[s->nr_words], ex = set[2 * s->nr_words];
		uint64_t any = (in | out | ex) & word_mask(s, w);

		for (; any; any &= any - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(any);
			int events = (in >> bit & 1 ? select_events[SELECT_IN] : 0) |
				     (out >> bit & 1 ? select_events[SELECT_OUT] : 0) |
				     (ex >> bit & 1 ? select_events[SELECT_EX] : 0);

			s->fds[nr++] = (struct pollfd){
				.fd = (int)(w * WORD_BITS + bit), .events = (short)events};
		}
	}
	return nr;
}

/* The three sets become what is ready; how many bits that are. -EBADF. */
static int64_t scatter_fds(struct select_call *s, unsigned nr)
{
	int64_t bits = 0;

	memset(s->words, 0, SELECT_SETS * s->nr_words * sizeof(*s->words));
	for (unsigned i = 0; i < nr; i++) {
		const struct pollfd *fd = &s->fds[i];
		unsigned w = (unsigned)fd->fd / WORD_BITS, bit = (unsigned)fd->fd % WORD_BITS;

		if (!fd->revents)
			continue;
		if (UNLIKELY(fd->revents & POLLNVAL))
			return -EBADF;
		for (unsigned k = 0; k < SELECT_SETS; k++) {
			/* asked for by this set, and not only by another */
			if (!(fd->revents & select_events[k]) ||
				!(fd->events & select_events[k] & ~(POLLHUP | POLLERR)))
				continue;
			s->words[k * s->nr_words + w] |= BIT(bit);
			bits++;
		}
	}
	return bits;
}

static int64_t select_sets(struct select_call *s, const struct time_left *t)
{
	unsigned nr;
	int64_t n;

	if (read_sets(s))
		return -EFAULT;
	nr = gather_fds(s);
	n = run_poll(s->fds, nr, 0, t->timeout_ns, t->deadline_ns);
	if (n >= 0)
		n = scatter_fds(s, nr);
	if (n < 0)
		return n;
	for (unsigned k = 0; k < SELECT_SETS; k++)
		if (!uptr_is_null(s->user[k]) &&
			user_write(s->user[k], &s->words[k * s->nr_words],
				s->nr_words * sizeof(*s->words)))
			return -EFAULT;
	return n;
}

static NOINLINE int64_t select_many(struct select_call *s, const struct time_left *t)
{
	size_t bytes_of_sets = SELECT_SETS * s->nr_words * sizeof(*s->words);
	int64_t n;

	s->words = mem_alloc(bytes_of_sets + s->nr * sizeof(*s->fds), 0);
	if (!s->words)
		return -ENOMEM;
	s->fds = (struct pollfd *)((char *)s->words + bytes_of_sets);
	n = select_sets(s, t);
	mem_free(s->words);
	return n;
}

static int64_t select_common(int nr, uptr in, uptr out, uptr ex, const struct time_left *t)
{
	uint64_t words[SELECT_SETS * FEW_WORDS];
	struct pollfd fds[FEW_FDS];
	struct select_call s = {.user = {in, out, ex}, .words = words, .fds = fds};
	unsigned most;

	if (nr < 0)
		return -EINVAL;
	/* Linux: bits beyond the table's present size are not looked at. */
	rcu_read_lock();
	most = rcu_load(uthread_current()->files->array)->size;
	rcu_read_unlock();
	s.nr = MIN((unsigned)nr, most);
	s.nr_words = DIV_ROUND_UP(s.nr, WORD_BITS);
	if (s.nr > FEW_FDS)
		return select_many(&s, t);
	return select_sets(&s, t);
}

/* Errors: EBADF, EFAULT, EINTR, EINVAL, ENOMEM. */
SYSCALL5(select, int, nr, uptr, in, uptr, out, uptr, ex, uptr, timeout)
{
	struct time_left t = {.timeout_ns = WAIT_FOREVER, .deadline_ns = WAIT_FOREVER};
	struct __kernel_old_timeval tv;
	int err;

	if (!uptr_is_null(timeout)) {
		int64_t sec;

		if (user_get(tv, timeout))
			return -EFAULT;
		if (__builtin_add_overflow(tv.tv_sec, tv.tv_usec / 1000000, &sec))
			return -EINVAL;
		err = timeout_from_parts(
			sec, tv.tv_usec % 1000000 * (int64_t)NS_PER_US, &t.timeout_ns);
		if (err)
			return err;
		t.to = timeout;
		t.is_timeval = true;
		if (t.timeout_ns && t.timeout_ns != WAIT_FOREVER)
			t.deadline_ns = clock_deadline_ns(t.timeout_ns);
	}
	return finish(select_common(nr, in, out, ex, &t), &t);
}

SYSCALL6(
	pselect6, int, nr, uptr, in, uptr, out, uptr, ex, uptr, timeout, uptr, sigmask_and_size)
{
	uint64_t sigmask[2] = {
		0, 0}; /* the pointer and the size: a seventh argument does not fit */
	struct time_left t;
	int err;

	if (!uptr_is_null(sigmask_and_size) && user_get(sigmask, sigmask_and_size))
		return -EFAULT;
	err = read_time(&t, timeout);
	if (!err)
		err = sigmask_use(UPTR(sigmask[0]), sigmask[1]);
	if (err)
		return err;
	return finish(select_common(nr, in, out, ex, &t), &t);
}
