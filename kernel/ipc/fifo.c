// SPDX-License-Identifier: MIT
/*
 * Who has a pipe open: FIFOs find it by their inode, and the last file frees it with whatever
 * is in it.
 *
 * Opening never waits here. Each open counts (reader_opens, writer_opens), and a file remembers
 * the other side's count as it was before: an open that waits for a peer has met one when that
 * side is open now, or was meanwhile. f->pos keeps the number, as a pipe has no position.
 *
 * Locks   fifo_lock [f]: inode->pipe and pipe->files; spin, leaf
 * Spec    man 7 fifo
 */
#include <asm/poll.h>
#include <linux/fcntl.h>

#include "fs/vfs/inode.h"
#include "ipc/pipe.h"
#include "ipc/pipe_priv.h"
#include "sync/spinlock.h"

static struct irqlock fifo_lock = IRQLOCK_INIT(RANK_EVENT, "fifos");

/* The inode's pipe with one more file; `fresh` becomes it if there is none, else is NULLed by us. */
static struct pipe *fifo_attach(struct inode *inode, struct pipe **fresh)
{
	struct pipe *p;

	irqlock_lock(&fifo_lock);
	if (!inode->pipe && *fresh) {
		(*fresh)->fifo = inode;
		inode->pipe = *fresh;
		*fresh = NULL;
	}
	p = inode->pipe;
	if (p)
		p->files++;
	irqlock_unlock(&fifo_lock);
	return p;
}

static int fifo_get(struct inode *inode, struct pipe **out)
{
	struct pipe *fresh = NULL;
	int err;

	*out = fifo_attach(inode, &fresh);
	if (*out)
		return 0;
	err = pipe_alloc(&fresh);
	if (err)
		return -ENOMEM; /* as Linux, whatever was short */
	*out = fifo_attach(inode, &fresh);
	if (fresh)
		pipe_free(fresh);
	return 0;
}

void pipe_put(struct pipe *p)
{
	bool is_last;

	irqlock_lock(&fifo_lock);
	is_last = --p->files == 0;
	if (is_last && p->fifo)
		p->fifo->pipe = NULL;
	irqlock_unlock(&fifo_lock);
	if (is_last)
		pipe_free(p);
}

/* Counts the file in. False: a writer that may not wait, and no reader. */
static bool fifo_count(struct pipe *p, struct file *f) MUST_HOLD(p->lock)
{
	bool reads = f->mode & FILE_READ, writes = f->mode & FILE_WRITE;

	if (!reads && (f->flags & O_NONBLOCK) && !p->readers && !file_is_anonymous(f))
		return false;
	f->pos = reads ? p->writer_opens : p->reader_opens;
	/* One that has a peer already has seen it come: its end is a hang-up. */
	if (reads && p->writers)
		f->pos--;
	WRITE_ONCE(p->readers, p->readers + reads);
	WRITE_ONCE(p->writers, p->writers + writes);
	WRITE_ONCE(p->reader_opens, p->reader_opens + reads);
	WRITE_ONCE(p->writer_opens, p->writer_opens + writes);
	return true;
}

int pipe_fifo_open(struct inode *inode, struct file *f)
{
	struct pipe *p;
	bool is_counted;
	int err = fifo_get(inode, &p);

	if (err)
		return err;
	mutex_lock(&p->lock);
	is_counted = fifo_count(p, f);
	mutex_unlock(&p->lock);
	if (!is_counted) {
		pipe_put(p);
		return -ENXIO;
	}
	f->ops = &pipe_ops;
	f->private_data = p;
	f->mode = (f->mode & ~(uint32_t)FILE_SEEK) | FILE_STREAM;
	/* Opens that wait for us; the pipe's state for reading and writing is as it was. */
	waitq_wake_all(&p->readable, 0);
	waitq_wake_all(&p->writable, 0);
	return 0;
}

bool pipe_fifo_has_peer(struct file *f)
{
	struct pipe *p = f->private_data;

	if (file_is_anonymous(f))
		return true; /* Linux: pipe.opened_by_proc_is_the_same_pipe_and_does_not_wait */
	if (f->mode & FILE_READ)
		return READ_ONCE(p->writers) || (uint32_t)f->pos != READ_ONCE(p->writer_opens);
	return READ_ONCE(p->readers) || (uint32_t)f->pos != READ_ONCE(p->reader_opens);
}

bool pipe_fifo_leave(struct file *f)
{
	struct pipe *p = f->private_data;
	bool has_peer;

	mutex_lock(&p->lock);
	has_peer = pipe_fifo_has_peer(f);
	if (!has_peer) {
		WRITE_ONCE(p->readers, p->readers - !!(f->mode & FILE_READ));
		WRITE_ONCE(p->writers, p->writers - !!(f->mode & FILE_WRITE));
		f->mode &= ~(uint32_t)(FILE_READ | FILE_WRITE); /* the release counts no more */
	}
	mutex_unlock(&p->lock);
	return !has_peer;
}

struct waitq *pipe_fifo_queue(struct file *f)
{
	struct pipe *p = f->private_data;

	return f->mode & FILE_READ ? &p->readable : &p->writable;
}
