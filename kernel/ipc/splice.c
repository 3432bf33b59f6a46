// SPDX-License-Identifier: MIT
/*
 * Moving bytes between files.
 *
 *     pipe -> pipe   slots change hands; a part of one, or tee, shares the page
 *     file -> pipe   a file whose pages can be mapped gives references to them; others are read
 *     pipe -> file   the slot's bytes are written from where they lie: one copy
 *     file -> file   the same from a page of the input
 *
 * A shared page belongs to neither slot (PIPE_SLOT_OWN is gone from both): nothing is appended to it
 * and it is not used again. As on Linux, who changes a file after its pages went into a pipe changes
 * what will be read.
 *
 * A file's read and write take locks that come before a pipe's, so they run without it. While
 * the first slot of a pipe is being written to a file the pipe is `is_tail_busy`: other readers wait. That
 * state never outlasts the call of write.
 *
 * Spec    man 2 splice, tee, sendfile, copy_file_range
 */
#include "ipc/splice.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "abi/stat.h"
#include "fs/vfs/inode.h"
#include "ipc/pipe.h"
#include "ipc/pipe_priv.h"
#include "lib/atomic.h"
#include "mm/page_source.h"

bool splice_is_pipe(const struct file *f)
{
	return pipe_of(f);
}

static int64_t wait_for(struct splice *s, struct file *f, uint32_t events)
{
	s->waits_for = f;
	s->events = events;
	return -EAGAIN;
}

/* ---- Pipe to pipe ---- */

static void lock_two(struct pipe *a, struct pipe *b) NOT_ANALYSED
{
	struct pipe *first = a < b ? a : b, *second = a < b ? b : a;

	mutex_lock_nested(&first->lock, (uintptr_t)first);
	mutex_lock_nested(&second->lock, (uintptr_t)second);
}

static void unlock_two(struct pipe *a, struct pipe *b) NOT_ANALYSED
{
	mutex_unlock(&a->lock);
	mutex_unlock(&b->lock);
}

/* The first n bytes of `from` also in the other pipe. Both locked. */
static void share_slot(struct pipe *out, struct pipe_slot *from, size_t n) NOT_ANALYSED
{
	from->flags &= (uint16_t)~PIPE_SLOT_OWN;
	page_get(from->page);
	*pipe_slot_at(out, out->head) = *from;
	pipe_slot_at(out, out->head)->len = (uint16_t)n;
	WRITE_ONCE(out->head, out->head + 1);
}

static size_t move_slots(
	struct pipe *in, struct pipe *out, size_t left, bool is_tee) NOT_ANALYSED
{
	size_t done = 0;

	for (uint32_t i = in->tail; i != in->head && done < left && !pipe_is_full(out); i++) {
		struct pipe_slot *from = pipe_slot_at(in, i);
		size_t n = MIN((size_t)from->len, left - done);

		if (is_tee || n < from->len) {
			share_slot(out, from, n);
			if (!is_tee) {
				from->offset = (uint16_t)(from->offset + n);
				from->len = (uint16_t)(from->len - n);
			}
		} else {
			*pipe_slot_at(out, out->head) = *from;
			WRITE_ONCE(out->head, out->head + 1);
			WRITE_ONCE(in->tail, in->tail + 1);
		}
		done += n;
	}
	return done;
}

static int64_t pipe_to_pipe(struct splice *s, bool is_tee)
{
	struct pipe *in = pipe_of(s->in), *out = pipe_of(s->out);
	bool was_full;
	int64_t n = 0;

	lock_two(in, out);
	was_full = pipe_is_full(in);
	if (!out->readers)
		n = -EPIPE;
	else if (!in->is_tail_busy)
		n = (int64_t)move_slots(in, out, s->left, is_tee);
	if (n == 0 && (in->is_tail_busy || (in->tail == in->head && in->writers)))
		n = wait_for(s, s->in, POLLIN);
	else if (n == 0 && in->tail != in->head)
		n = wait_for(s, s->out, POLLOUT);
	unlock_two(in, out);
	if (n == -EPIPE)
		pipe_send_sigpipe();
	if (n <= 0)
		return n;
	pipe_wake_readers(out);
	if (was_full && !is_tee)
		pipe_wake_writers(in);
	return n;
}

int64_t splice_pipe_to_pipe(struct splice *s)
{
	return pipe_to_pipe(s, false);
}

int64_t splice_tee(struct splice *s)
{
	return pipe_to_pipe(s, true);
}

/* ---- Positions ---- */

static bool has_shared_pos(const struct file *f, const int64_t *pos)
{
	return !pos && (f->mode & FILE_SEEK);
}

/* Its own position, locked, or the caller's; end_pos undoes it. */
static int64_t *begin_pos(struct file *f, int64_t *pos) NOT_ANALYSED
{
	if (!has_shared_pos(f, pos))
		return pos ? pos : &f->pos;
	mutex_lock(&f->pos_lock);
	return &f->pos;
}

static void end_pos(struct file *f, const int64_t *pos) NOT_ANALYSED
{
	if (has_shared_pos(f, pos))
		mutex_unlock(&f->pos_lock);
}

static int64_t read_file(struct file *f, struct page *p, size_t len, int64_t *pos)
{
	struct iter it;

	iter_init_kernel(&it, page_to_virt(p), len);
	return f->ops->read(f, &it, pos);
}

static int64_t write_file(
	struct file *f, const struct pipe_slot *s, size_t len, int64_t *caller_pos)
{
	int64_t *pos = begin_pos(f, caller_pos), n;
	struct iter it;

	iter_init_kernel(&it, (char *)page_to_virt(s->page) + s->offset, len);
	n = f->ops->write(f, &it, pos);
	end_pos(f, caller_pos);
	return n;
}

/* ---- A piece of a file, as a slot ---- */

/* From the file's own pages. -ENODEV: they cannot be had. */
static int64_t slot_of_mapping(struct file *f, size_t len, int64_t pos, struct pipe_slot *out)
{
	int64_t left = atomic_load_relaxed(&f->inode->size) - pos;
	size_t offset = (size_t)pos % PAGE_SIZE;
	struct page_source *source;
	int err;

	if (!f->ops->map || !S_ISREG(f->inode->mode) || pos < 0)
		return -ENODEV;
	if (left <= 0)
		return 0;
	err = f->ops->map(f, &(uint32_t){0}, &source);
	if (err)
		return -ENODEV;
	len = MIN(len, PAGE_SIZE - offset);
	len = MIN(len, (size_t)left);
	err = source->ops->get_page(source, (uint64_t)pos / PAGE_SIZE, false, &out->page);
	if (err)
		return err == -EFAULT ? 0 : err; /* cut meanwhile */
	out->offset = (uint16_t)offset;
	out->len = (uint16_t)len;
	out->flags = 0;
	return (int64_t)len;
}

static int64_t slot_by_reading(struct file *f, size_t len, int64_t *pos, struct pipe_slot *out)
{
	int64_t n;
	int err = page_alloc(&out->page, 0, 0);

	if (err)
		return err;
	n = read_file(f, out->page, MIN(len, (size_t)PAGE_SIZE), pos);
	if (n <= 0) {
		page_put(out->page);
		return n;
	}
	out->offset = 0;
	out->len = (uint16_t)n;
	out->flags = PIPE_SLOT_OWN;
	return n;
}

/* The next at most a page of the input; its position moves on. */
static int64_t next_slot(struct file *f, size_t len, int64_t *caller_pos, struct pipe_slot *out)
{
	int64_t *pos = begin_pos(f, caller_pos), n;

	n = slot_of_mapping(f, len, *pos, out);
	if (n > 0)
		*pos += n;
	else if (n == -ENODEV)
		n = slot_by_reading(f, len, pos, out);
	end_pos(f, caller_pos);
	return n;
}

/* What was taken and could not be delivered is not taken; only for inputs with a position. */
static void give_back(struct file *f, size_t len, int64_t *caller_pos)
{
	int64_t *pos = begin_pos(f, caller_pos);

	if ((f->mode & FILE_SEEK) || caller_pos)
		*pos -= (int64_t)len;
	end_pos(f, caller_pos);
}

/* ---- File to pipe ---- */

static int64_t push_slot(struct pipe *p, const struct pipe_slot *s)
{
	int64_t err = 0;

	mutex_lock(&p->lock);
	if (!p->readers) {
		err = -EPIPE;
	} else if (pipe_is_full(p)) {
		err = -EAGAIN;
	} else {
		*pipe_slot_at(p, p->head) = *s;
		WRITE_ONCE(p->head, p->head + 1);
	}
	mutex_unlock(&p->lock);
	return err;
}

/* One slot: bytes, 0 at the end, -EAGAIN with who is waited for. */
static int64_t one_to_pipe(struct splice *s, struct pipe *p)
{
	struct pipe_slot slot;
	int64_t n, err;

	if (!READ_ONCE(p->readers))
		return -EPIPE;
	if (pipe_is_full(p)) /* before anything is read that cannot be given back */
		return wait_for(s, s->out, POLLOUT);
	n = next_slot(s->in, s->left, s->in_pos, &slot);
	if (n == -EAGAIN)
		return wait_for(s, s->in, POLLIN);
	if (n <= 0)
		return n;
	err = push_slot(p, &slot);
	if (!err)
		return n;
	page_put(slot.page);
	give_back(s->in, (size_t)n, s->in_pos);
	return err == -EAGAIN ? wait_for(s, s->out, POLLOUT) : err;
}

int64_t splice_file_to_pipe(struct splice *s)
{
	struct pipe *p = pipe_of(s->out);
	int64_t done = 0, n;

	if (!s->in->ops->read)
		return -EINVAL;
	do {
		n = one_to_pipe(s, p);
		if (n <= 0)
			break;
		done += n;
		s->left -= (size_t)n;
	} while (s->left && ((s->in->mode & FILE_SEEK) || s->in_pos));
	s->left += (size_t)done; /* the caller counts */
	if (done)
		pipe_wake_readers(p);
	if (n == -EPIPE)
		pipe_send_sigpipe();
	return done ? done : n;
}

/* ---- Pipe to file ---- */

/* The first slot's bytes, kept from other readers until release_tail. 0: end, -EAGAIN. */
static int64_t hold_tail(struct splice *s, struct pipe *p, struct pipe_slot *out)
{
	int64_t n;

	mutex_lock(&p->lock);
	if (p->is_tail_busy || (p->tail == p->head && p->writers)) {
		n = wait_for(s, s->in, POLLIN);
	} else if (p->tail == p->head) {
		n = 0;
	} else {
		*out = *pipe_slot_at(p, p->tail);
		page_get(out->page);
		p->is_tail_busy = true;
		n = out->len;
	}
	mutex_unlock(&p->lock);
	return n;
}

static void release_tail(struct pipe *p, const struct pipe_slot *held, int64_t n)
{
	bool was_full;

	mutex_lock(&p->lock);
	was_full = pipe_is_full(p);
	p->is_tail_busy = false;
	if (n > 0) {
		struct pipe_slot *s = pipe_slot_at(p, p->tail);

		s->offset = (uint16_t)(s->offset + n);
		s->len = (uint16_t)(s->len - n);
		if (s->len == 0) {
			pipe_release_slot(p, s);
			WRITE_ONCE(p->tail, p->tail + 1);
		}
	}
	was_full &= !pipe_is_full(p);
	mutex_unlock(&p->lock);
	page_put(held->page);
	if (waitq_has_waiters(&p->readable)) /* who came while it was busy */
		waitq_wake_all(&p->readable, POLLIN | POLLRDNORM);
	if (was_full)
		pipe_wake_writers(p);
}

int64_t splice_pipe_to_file(struct splice *s)
{
	struct pipe *p = pipe_of(s->in);
	int64_t done = 0, n = 0;

	if (!s->out->ops->write)
		return -EINVAL;
	while (s->left > (size_t)done) {
		struct pipe_slot slot;
		size_t len;

		n = hold_tail(s, p, &slot);
		if (n <= 0)
			break;
		len = MIN((size_t)n, s->left - (size_t)done);
		n = write_file(s->out, &slot, len, s->out_pos);
		if (n == -EAGAIN)
			n = wait_for(s, s->out, POLLOUT);
		release_tail(p, &slot, n);
		if (n <= 0)
			break;
		done += n;
	}
	return done ? done : n;
}

/* ---- File to file ---- */

int64_t splice_file_to_file(struct splice *s)
{
	int64_t done = 0, n = 0;

	while (s->left > (size_t)done) {
		struct pipe_slot slot;
		int64_t got = next_slot(s->in, s->left - (size_t)done, s->in_pos, &slot);

		if (got <= 0) {
			n = got == -EAGAIN ? wait_for(s, s->in, POLLIN) : got;
			break;
		}
		n = write_file(s->out, &slot, (size_t)got, s->out_pos);
		page_put(slot.page);
		if (n < got)
			give_back(s->in, (size_t)(got - MAX(n, (int64_t)0)), s->in_pos);
		if (n == -EAGAIN)
			n = wait_for(s, s->out, POLLOUT);
		if (n <= 0)
			break;
		done += n;
		if (UNLIKELY(thread_is_killed()))
			break;
	}
	return done ? done : n;
}
