// SPDX-License-Identifier: MIT
/*
 * Pipes: bytes in pages, in a ring of slots.
 *
 * Reading and writing never wait for the other side: -EAGAIN, and the operation parks on
 * `readable` or `writable`. The lock is a mutex and is held while bytes are copied from or to the
 * program, once in each direction; a page fault then blocks the pipe for as long as memory takes.
 *
 * A write of at most PIPE_BUF (4096) bytes is all or nothing: it goes behind the bytes of the last
 * slot when it fits there, else into one free slot. Longer ones go as far as there is room.
 *
 * Pages are not given back at once: two stay with the pipe, so that a byte sent and received
 * over and over allocates nothing.
 *
 * Who wakes whom: a reader waits only while the pipe is empty, a writer only while it is full.
 * Whoever changes that state does so under the lock and looks for waiters afterwards. Those who look
 * without the lock (an empty pipe is seen from outside; pollers) have a fence between queueing
 * and looking (op_park, ops/poll.c), and the mutex's release orders our side.
 *
 * Locks   pipe->lock (RANK_PIPE); two pipes by address (splice.c)
 * Spec    man 7 pipe, man 2 pipe, man 2 fcntl (F_SETPIPE_SZ)
 */
#include "ipc/pipe.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/fcntl.h>

#include "fs/vfs/inode.h"
#include "ipc/pipe_priv.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/signal.h"

uint32_t pipe_max_bytes = 1 << 20; /* [a] */
uint64_t pipe_user_soft = 16384;   /* [a] man 7 pipe */
uint64_t pipe_user_hard;           /* [a] */

/* ---- Who pays ---- */

static bool is_beyond(uint64_t pages, const uint64_t *limit)
{
	uint64_t most = READ_ONCE(*limit);

	return UNLIKELY(most && pages > most) && !capable(CAP_SYS_RESOURCE) &&
	       !capable(CAP_SYS_ADMIN);
}

/* The user's pages with `more` added, or taken. */
static uint64_t charge(struct user *u, int64_t more)
{
	return atomic_fetch_add_relaxed(&u->count[USER_PIPE_PAGES], (uint64_t)more) +
	       (uint64_t)more;
}

/* The slots of a new pipe, charged; 0: he may have none. */
static uint32_t charge_new(struct user *u)
{
	uint32_t slots = PIPE_DEFAULT_SLOTS;
	uint64_t pages = charge(u, slots);

	if (is_beyond(pages, &pipe_user_soft)) {
		slots = PIPE_SMALL_SLOTS;
		pages = charge(u, PIPE_SMALL_SLOTS - PIPE_DEFAULT_SLOTS);
	}
	if (is_beyond(pages, &pipe_user_hard)) {
		(void)charge(u, -(int64_t)slots);
		return 0;
	}
	return slots;
}

/* ---- Life ---- */

int pipe_alloc(struct pipe **out)
{
	struct pipe *p = mem_alloc(sizeof(*p), SLAB_ZERO);
	uint32_t slots;

	if (!p)
		return -ENOMEM;
	p->user = user_get_current();
	slots = charge_new(p->user);
	if (!slots) {
		user_release(p->user);
		mem_free(p);
		return -ENFILE;
	}
	mutex_init(&p->lock, RANK_PIPE, "pipe");
	waitq_init(&p->readable);
	waitq_init(&p->writable);
	p->slots = p->few;
	p->mask = slots - 1;
	*out = p;
	return 0;
}

void pipe_free(struct pipe *p)
{
	while (p->tail != p->head)
		page_put(pipe_slot_at(p, p->tail++)->page);
	while (p->nr_spare)
		page_put(p->spare[--p->nr_spare]);
	if (p->slots != p->few)
		mem_free(p->slots);
	(void)charge(p->user, -((int64_t)p->mask + 1));
	user_release(p->user);
	mem_free(p);
}

int pipe_create(struct file *out[2], unsigned flags)
{
	struct pipe *p;
	int err = pipe_alloc(&p);

	if (err)
		return err;
	p->readers = p->writers = p->reader_opens = p->writer_opens = 1;
	p->files = 2;
	err = file_open_anonymous(&out[0], &pipe_ops, "pipe", p,
		O_RDONLY | (flags & O_NONBLOCK), FILE_READ | FILE_STREAM | FILE_NEW_FIFO);
	if (err) {
		pipe_free(p);
		return err;
	}
	p->fifo =
		out[0]->inode; /* /proc/PID/fd opens it again by its inode; nobody else can yet */
	p->fifo->pipe = p;
	err = file_open_same(&out[1], out[0], p, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)),
		FILE_WRITE | FILE_STREAM);
	if (err) {
		p->files = 1;
		file_put(out[0]);
	}
	return err;
}

void pipe_send_sigpipe(void)
{
	const struct uthread *u = uthread_current();
	siginfo_t info;

	if (!u)
		return;
	memset(&info, 0, sizeof(info));
	info.si_signo = SIGPIPE;
	info.si_code = SI_USER;
	info.si_pid = u->proc->pid->nr;
	info.si_uid = cred_current()->uid;
	(void)!signal_send_thread(
		u->thread, SIGPIPE, &info); /* a standard signal always gets in */
}

/* ---- Slots ---- */

void pipe_release_slot(struct pipe *p, struct pipe_slot *s)
{
	if ((s->flags & PIPE_SLOT_OWN) && p->nr_spare < PIPE_SPARE_PAGES)
		p->spare[p->nr_spare++] = s->page;
	else
		page_put(s->page);
}

void pipe_wake_readers(struct pipe *p)
{
	if (waitq_has_waiters(&p->readable))
		handover_wake(&p->reader_hint, &p->readable, POLLIN | POLLRDNORM);
}

void pipe_wake_writers(struct pipe *p)
{
	if (waitq_has_waiters(&p->writable))
		handover_wake(&p->writer_hint, &p->writable, POLLOUT | POLLWRNORM);
}

/* ---- Reading ---- */

/* Bytes copied, or -errno if none. */
static int64_t read_locked(struct pipe *p, struct iter *to) MUST_HOLD(p->lock)
{
	int64_t done = 0;

	while (p->tail != p->head && to->left && !p->is_tail_busy) {
		struct pipe_slot *s = pipe_slot_at(p, p->tail);
		size_t want = MIN((size_t)s->len, to->left);
		size_t n = iter_write(to, (char *)page_to_virt(s->page) + s->offset, want);
		bool is_packet = s->flags & PIPE_SLOT_PACKET;

		if (UNLIKELY(n < want))
			return done ? done : -EFAULT;
		done += (int64_t)n;
		s->offset = (uint16_t)(s->offset + n);
		s->len = (uint16_t)(s->len - n);
		if (s->len == 0 || is_packet) {
			pipe_release_slot(p, s);
			WRITE_ONCE(p->tail, p->tail + 1);
		}
		if (is_packet)
			break;
	}
	return done;
}

static int64_t pipe_read(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct pipe *p = f->private_data;
	bool was_full, is_over;
	int64_t n;

	if (!to->left)
		return 0;
	if (pipe_is_empty(p) && READ_ONCE(p->writers))
		return -EAGAIN;
	mutex_lock(&p->lock);
	was_full = pipe_is_full(p);
	is_over = p->tail == p->head && !p->writers;
	n = read_locked(p, to);
	was_full &= !pipe_is_full(p);
	mutex_unlock(&p->lock);
	if (was_full)
		pipe_wake_writers(p);
	if (n == 0 && !is_over)
		return -EAGAIN;
	return n;
}

/* ---- Writing ---- */

static int get_page(struct pipe *p, struct page **out) MUST_HOLD(p->lock)
{
	if (p->nr_spare) {
		*out = p->spare[--p->nr_spare];
		return 0;
	}
	return page_alloc(out, 0, 0);
}

/* What exceeds whole pages goes behind the last slot's bytes, if all of it fits there. */
static int64_t append_locked(struct pipe *p, struct iter *from) MUST_HOLD(p->lock)
{
	size_t n = from->left % PAGE_SIZE;
	struct pipe_slot *s;
	unsigned end;

	if (p->tail == p->head || n == 0)
		return 0;
	s = pipe_slot_at(p, p->head - 1);
	end = s->offset + s->len;
	if (s->flags != PIPE_SLOT_OWN || end + n > PAGE_SIZE)
		return 0;
	if (iter_read(from, (char *)page_to_virt(s->page) + end, n) < n)
		return -EFAULT;
	s->len = (uint16_t)(s->len + n);
	return (int64_t)n;
}

static int64_t fill_slot_locked(struct pipe *p, struct iter *from, unsigned flags)
	MUST_HOLD(p->lock)
{
	size_t want = MIN(from->left, (size_t)PAGE_SIZE), n;
	struct page *page;
	int err = get_page(p, &page);

	if (err)
		return err;
	n = iter_read(from, page_to_virt(page), want);
	if (n == 0) {
		page_put(page);
		return -EFAULT;
	}
	*pipe_slot_at(p, p->head) =
		(struct pipe_slot){.page = page, .len = (uint16_t)n, .flags = (uint16_t)flags};
	WRITE_ONCE(p->head, p->head + 1);
	return (int64_t)n;
}

/* Bytes taken, or -errno if none. */
static int64_t write_locked(struct pipe *p, struct iter *from, bool is_packet)
	MUST_HOLD(p->lock)
{
	unsigned flags = PIPE_SLOT_OWN | (is_packet ? PIPE_SLOT_PACKET : 0);
	int64_t done = is_packet ? 0 : append_locked(p, from);

	if (done < 0)
		return done;
	while (from->left) {
		size_t want = MIN(from->left, (size_t)PAGE_SIZE);
		int64_t n = pipe_is_full(p) ? -EAGAIN : fill_slot_locked(p, from, flags);

		if (n < 0)
			return done ? done : n;
		done += n;
		if ((size_t)n < want)
			break;
	}
	return done;
}

static int64_t pipe_write(struct file *f, struct iter *from, int64_t *pos UNUSED)
{
	struct pipe *p = f->private_data;
	int64_t n;

	if (!from->left)
		return 0;
	mutex_lock(&p->lock);
	n = p->readers ? write_locked(p, from, f->flags & O_DIRECT) : -EPIPE;
	mutex_unlock(&p->lock);
	if (n > 0)
		pipe_wake_readers(p);
	else if (n == -EPIPE)
		pipe_send_sigpipe();
	return n;
}

/* ---- The rest of a file ---- */

static uint32_t pipe_poll(struct file *f)
{
	const struct pipe *p = f->private_data;
	uint32_t events = 0;

	if (f->mode & FILE_READ) {
		if (!pipe_is_empty(p))
			events |= POLLIN | POLLRDNORM;
		/* A FIFO opened before its first writer has not been hung up by anyone. */
		if (!READ_ONCE(p->writers) && (uint32_t)f->pos != READ_ONCE(p->writer_opens))
			events |= POLLHUP;
	}
	if (f->mode & FILE_WRITE) {
		if (!pipe_is_full(p))
			events |= POLLOUT | POLLWRNORM;
		if (!READ_ONCE(p->readers))
			events |= POLLERR;
	}
	return events;
}

static struct waitq *pipe_waitq(struct file *f, uint32_t events)
{
	struct pipe *p = f->private_data;

	/* Of one direction only that queue is ever woken. */
	if (!(f->mode & FILE_WRITE))
		return &p->readable;
	if (!(f->mode & FILE_READ))
		return &p->writable;
	return events & (POLLIN | POLLRDNORM) ? &p->readable : &p->writable;
}

static int64_t pipe_ioctl(struct file *f, unsigned cmd, uintptr_t arg)
{
	struct pipe *p = f->private_data;
	int bytes = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	for (uint32_t i = p->tail; i != p->head; i++)
		bytes += pipe_slot_at(p, i)->len;
	mutex_unlock(&p->lock);
	return user_put(UPTR(arg), bytes);
}

/* O_DIRECT makes packets of the writes to come. */
static int pipe_set_flags(struct file *f UNUSED, unsigned flags UNUSED)
{
	return 0;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->private_data;

	mutex_lock(&p->lock);
	WRITE_ONCE(p->readers, p->readers - !!(f->mode & FILE_READ));
	WRITE_ONCE(p->writers, p->writers - !!(f->mode & FILE_WRITE));
	mutex_unlock(&p->lock);
	if (!p->readers != !p->writers) {
		waitq_wake_all(&p->readable, POLLIN | POLLRDNORM | POLLHUP);
		waitq_wake_all(&p->writable, POLLOUT | POLLWRNORM | POLLERR);
	}
	pipe_put(p);
}

const struct file_ops pipe_ops = {
	.name = "pipe",
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.waitq = pipe_waitq,
	.ioctl = pipe_ioctl,
	.set_flags = pipe_set_flags,
	.release = pipe_release,
};

/* ---- Size ---- */

static int resize_locked(struct pipe *p, uint32_t nr) MUST_HOLD(p->lock)
{
	uint32_t used = p->head - p->tail;
	struct pipe_slot *slots;

	if (used > nr)
		return -EBUSY;
	slots = mem_alloc(nr * sizeof(*slots), 0);
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < used; i++)
		slots[i] = *pipe_slot_at(p, p->tail + i);
	if (p->slots != p->few)
		mem_free(p->slots);
	p->slots = slots;
	/* A poller that reads these three one by one may see a mixture, and is woken below. */
	WRITE_ONCE(p->mask, nr - 1);
	WRITE_ONCE(p->tail, 0);
	WRITE_ONCE(p->head, used);
	return 0;
}

int pipe_set_max_bytes(uint64_t bytes)
{
	uint32_t size = PAGE_SIZE;

	if (bytes == 0 || bytes > BIT(31))
		return -EINVAL;
	while (size < bytes)
		size *= 2;
	WRITE_ONCE(pipe_max_bytes, size);
	return 0;
}

int64_t pipe_get_size(struct file *f)
{
	struct pipe *p = pipe_of(f);

	return p ? ((int64_t)p->mask + 1) * (int64_t)PAGE_SIZE : -EBADF;
}

/* To more slots only within the user's limits; fewer always. */
static int resize_charged_locked(struct pipe *p, uint32_t nr) MUST_HOLD(p->lock)
{
	int64_t more = (int64_t)nr - (int64_t)(p->mask + 1);
	uint64_t pages = charge(p->user, more);
	int err = -EPERM;

	if (more < 0 ||
		!(is_beyond(pages, &pipe_user_hard) || is_beyond(pages, &pipe_user_soft)))
		err = resize_locked(p, nr);
	if (err)
		(void)charge(p->user, -more);
	return err;
}

/* man 2 fcntl: rounded up to a power of two of pages; over the limit only with the capability. */
int64_t pipe_set_size(struct file *f, uint64_t bytes)
{
	struct pipe *p = pipe_of(f);
	uint64_t size = PAGE_SIZE;
	bool was_full;
	int err = 0;

	if (!p)
		return -EBADF;
	if ((uint32_t)bytes > BIT(31))
		return -EINVAL;
	while (size < (uint32_t)bytes)
		size *= 2;
	mutex_lock(&p->lock);
	was_full = pipe_is_full(p);
	if (size / PAGE_SIZE > p->mask + 1 && size > READ_ONCE(pipe_max_bytes) &&
		!capable(CAP_SYS_RESOURCE))
		err = -EPERM;
	else if (size / PAGE_SIZE != p->mask + 1)
		err = resize_charged_locked(p, (uint32_t)(size / PAGE_SIZE));
	was_full &= !pipe_is_full(p);
	mutex_unlock(&p->lock);
	if (was_full)
		pipe_wake_writers(p);
	return err ? err : (int64_t)size;
}
