// SPDX-License-Identifier: MIT
/*
 * eventfd: a 64-bit count. A write adds, a read takes all of it (or one, as a semaphore); a read of
 * zero and a write that would reach 2^64 - 1 wait.
 *
 * The count is one atomic word, and changes before anybody looks for waiters.
 *
 * Spec    man 2 eventfd
 */
#include "ipc/eventfd.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "fs/proc/entry.h"
#include "ipc/handover.h"
#include "lib/atomic.h"
#include "lib/fmt.h"
#include "mm/slab.h"

enum { EFD_SEMAPHORE = 1 }; /* man 2 eventfd; the UAPI headers lack it */
#define COUNT_MAX (UINT64_MAX - 1)

/*
 *   [a] atomic      [I] immutable
 */
struct eventfd {
	uint64_t count;    /* [a] */
	bool is_semaphore; /* [I] */
	struct waitq readable, writable;
	struct handover_hint hint;
};

/* What a read gets: all, or one. 0: there is nothing. */
static uint64_t take(struct eventfd *e)
{
	uint64_t count;

	if (!e->is_semaphore)
		return atomic_xchg(&e->count, 0);
	count = atomic_load_relaxed(&e->count);
	while (count && !atomic_cmpxchg(&e->count, &count, count - 1))
		;
	return count ? 1 : 0;
}

static NOINLINE int64_t read_count(struct eventfd *e, struct iter *to)
{
	uint64_t n = take(e);

	if (!n)
		return -EAGAIN;
	if (waitq_has_waiters(&e->writable))
		waitq_wake_all(&e->writable, POLLOUT | POLLWRNORM);
	return iter_write(to, &n, sizeof(n)) == sizeof(n) ? (int64_t)sizeof(n) : -EFAULT;
}

static int64_t eventfd_read(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct eventfd *e = f->private_data;

	if (to->left < sizeof(e->count))
		return -EINVAL;
	return READ_ONCE(e->count) ? read_count(e, to) : -EAGAIN;
}

/* Adds n unless that would exceed most. */
static bool add(struct eventfd *e, uint64_t n, uint64_t most)
{
	uint64_t count = atomic_load_relaxed(&e->count);

	do {
		if (count > most || n > most - count)
			return false;
	} while (!atomic_cmpxchg(&e->count, &count, count + n));
	return true;
}

/* One number; *is_all: its buffer has no more. */
static int write_one(struct eventfd *e, struct iter *from, bool *is_all)
{
	size_t piece = iter_piece(from);
	uint64_t n;

	if (piece < sizeof(n))
		return -EINVAL;
	*is_all = piece == sizeof(n);
	if (iter_read(from, &n, sizeof(n)) < sizeof(n))
		return -EFAULT;
	if (n == UINT64_MAX)
		return -EINVAL;
	if (!add(e, n, COUNT_MAX)) {
		iter_revert(from, sizeof(n));
		return -EAGAIN;
	}
	if (waitq_has_waiters(&e->readable))
		handover_wake(&e->hint, &e->readable, POLLIN | POLLRDNORM);
	return 0;
}

/* Linux: each buffer of a vector is a write of its own, up to one that is longer than a number. */
static int64_t eventfd_write(struct file *f, struct iter *from, int64_t *pos UNUSED)
{
	struct eventfd *e = f->private_data;
	int64_t done = 0;
	bool is_all;

	do {
		int err = write_one(e, from, &is_all);

		if (err)
			return done ? done : err;
		done += (int64_t)sizeof(e->count);
	} while (is_all && from->left);
	from->left = 0; /* complete: the rest of a longer buffer is not looked at */
	return done;
}

bool eventfd_is(const struct file *f)
{
	return f->ops->write == eventfd_write;
}

int eventfd_signal(struct file *f, uint64_t n)
{
	struct eventfd *e = f->private_data;

	if (!eventfd_is(f))
		return -EINVAL;
	if (!add(e, n, UINT64_MAX))
		atomic_store(&e->count, UINT64_MAX);
	waitq_wake_one(&e->readable, POLLIN | POLLRDNORM);
	return 0;
}

/* Linux: POLLIN and POLLOUT alone (events.none_says_normal_data). */
static uint32_t eventfd_poll(struct file *f)
{
	const struct eventfd *e = f->private_data;
	uint64_t count = READ_ONCE(e->count);
	uint32_t events = 0;

	if (count)
		events |= POLLIN;
	if (count == UINT64_MAX)
		events |= POLLERR;
	if (count < COUNT_MAX)
		events |= POLLOUT;
	return events;
}

static struct waitq *eventfd_waitq(struct file *f, uint32_t events)
{
	struct eventfd *e = f->private_data;

	return events & (POLLIN | POLLRDNORM) ? &e->readable : &e->writable;
}

static void eventfd_fdinfo(struct file *f, struct text *out)
{
	const struct eventfd *e = f->private_data;

	text_add(out, "eventfd-count: %16lx\n", READ_ONCE(e->count));
}

static void eventfd_release(struct file *f)
{
	mem_free(f->private_data);
}

static const struct file_ops eventfd_ops = {
	.name = "[eventfd]",
	.read = eventfd_read,
	.write = eventfd_write,
	.seek = file_seek_nowhere,
	.poll = eventfd_poll,
	.waitq = eventfd_waitq,
	.fdinfo = eventfd_fdinfo,
	.release = eventfd_release,
};

int eventfd_create(struct file **out, uint32_t count, unsigned flags)
{
	struct eventfd *e = mem_alloc(sizeof(*e), SLAB_ZERO);
	int err;

	if (!e)
		return -ENOMEM;
	waitq_init(&e->readable);
	waitq_init(&e->writable);
	e->count = count;
	e->is_semaphore = flags & EFD_SEMAPHORE;
	err = file_open_anonymous(out, &eventfd_ops, "[eventfd]", e,
		O_RDWR | (flags & O_NONBLOCK),
		FILE_READ | FILE_WRITE | FILE_STREAM | FILE_READ_NOWAIT);
	if (err)
		mem_free(e);
	return err;
}
