// SPDX-License-Identifier: MIT
/*
 * Cancelling: by what a request is called, by its file, by its operation; or everything.
 *
 * A parked request is taken back at once. One on a fiber is interrupted and ends by itself. One that
 * waits for those before it (drain) has not begun, and goes with its chain.
 *
 * Locks   ring->lock [l]
 * Spec    man 2 io_uring_enter: IORING_OP_ASYNC_CANCEL; man 2 io_uring_register: SYNC_CANCEL
 */
#include "fs/vfs/fdtable.h"
#include "lib/hash.h"
#include "ring/opcodes.h"
#include "ring/tables.h"

enum {
	KNOWN = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY |
		IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_USERDATA |
		IORING_ASYNC_CANCEL_OP,
};

/* What is looked for, with the file in place of its number. */
struct wanted {
	const struct req_cancel *by;
	const struct file *file;
	bool by_user_data;
};

static bool matches(const struct req *r, const struct wanted *w)
{
	uint32_t flags = w->by->flags;

	if (r->flags & REQ_CANCELLED &&
		flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY))
		return false; /* told already */
	if (flags & IORING_ASYNC_CANCEL_ANY)
		return true;
	if (flags & IORING_ASYNC_CANCEL_FD && r->file != w->file)
		return false;
	if (flags & IORING_ASYNC_CANCEL_OP && r->opcode != w->by->opcode)
		return false;
	return !w->by_user_data || r->user_data == w->by->user_data;
}

/* ---- Requests that have not begun ---- */

static void cancel_waiting_chain(struct req *head)
{
	struct ring *ring = head->ring;

	list_remove(&head->link);
	for (struct req *r = head; r; r = r->next)
		ring->nr_begun++; /* which req_discard takes off again */
	req_cancel_chain(head, false);
}

static unsigned cancel_drained(struct ring *ring, const struct wanted *w, bool only_one)
{
	unsigned nr = 0;

	list_for_each_safe (r, &ring->drained, struct req, link) {
		if (!matches(r, w))
			continue;
		cancel_waiting_chain(r);
		nr++;
		if (only_one)
			break;
	}
	return nr;
}

/* ---- By a key ---- */

/* 0 with *nr counted, -EALREADY: it ends by itself. */
static int cancel_one(struct req *r, unsigned *nr)
{
	int err = req_cancel(r);

	if (!err)
		(*nr)++;
	return err;
}

/* The list may change while something is cancelled: it is begun anew each time. */
static struct req *find(struct ring *ring, const struct wanted *w, const struct req *not_this)
{
	if (w->by_user_data && ring->by_user_data) {
		for (struct req *r = ring->by_user_data[hash_u64(w->by->user_data) >>
							(64 - ring->hash_bits)];
			r; r = r->hash_next) {
			if (r != not_this && matches(r, w))
				return r;
		}
		return NULL;
	}
	list_for_each (r, &ring->active, struct req, link) {
		if (r != not_this && matches(r, w))
			return r;
	}
	return NULL;
}

static int64_t cancel_wanted(
	struct ring *ring, const struct wanted *w, const struct req *not_this)
{
	bool all = w->by->flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY);
	unsigned nr = 0;
	int err = -ENOENT;

	do {
		struct req *r = find(ring, w, not_this);

		if (!r)
			break;
		err = cancel_one(r, &nr);
	} while (all);
	if (all || !nr)
		nr += cancel_drained(ring, w, !all);
	if (all)
		return nr;
	return nr ? 0 : err;
}

static int find_file(struct ring *ring, const struct req_cancel *what, struct file **out)
{
	struct ring_node *node;

	if (!(what->flags & IORING_ASYNC_CANCEL_FD_FIXED))
		return fd_get_file(uthread_current()->files, what->fd, false, out);
	node = ring_table_get(&ring->files, (uint32_t)what->fd);
	if (!node)
		return -EBADF;
	file_get(node->file);
	*out = node->file;
	ring_node_put(ring, node);
	return 0;
}

int64_t ring_cancel(
	struct ring *ring, const struct req_cancel *what, const struct req *not_this)
{
	uint32_t flags = what->flags;
	struct wanted w = {.by = what};
	struct file *f = NULL;
	int64_t n;

	w.by_user_data = flags & IORING_ASYNC_CANCEL_USERDATA ||
			 !(flags & (IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY |
					   IORING_ASYNC_CANCEL_OP));
	if (flags & IORING_ASYNC_CANCEL_FD) {
		int err = find_file(ring, what, &f);

		if (err)
			return err;
		w.file = f;
	}
	n = cancel_wanted(ring, &w, not_this);
	if (f)
		file_put(f);
	return n;
}

int cancel_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->off || sqe->splice_fd_in || sqe->flags & IOSQE_BUFFER_SELECT)
		return -EINVAL;
	r->cancel = (struct req_cancel){.user_data = sqe->addr,
		.fd = sqe->fd,
		.flags = sqe->cancel_flags,
		.opcode = (uint8_t)sqe->len};
	if (sqe->cancel_flags & ~(uint32_t)KNOWN)
		return -EINVAL;
	if (sqe->cancel_flags & IORING_ASYNC_CANCEL_FD &&
		sqe->cancel_flags & IORING_ASYNC_CANCEL_ANY)
		return -EINVAL;
	return 0;
}

int64_t cancel_issue(struct req *r)
{
	return ring_cancel(r->ring, &r->cancel, r);
}

/* ---- Everything ---- */

static void kill_one(struct req *r)
{
	if (r->flags & REQ_ON_FIBER) {
		r->flags |= REQ_CANCELLED;
		fiber_interrupt(&r->call.job, true);
	} else {
		(void)req_cancel(r);
	}
}

bool ring_cancel_all(struct ring *ring, const struct ring_task *task)
{
	list_for_each_safe (r, &ring->drained, struct req, link) {
		if (!task || r->task == task)
			cancel_waiting_chain(r);
	}
	for (;;) {
		struct req *found = NULL;

		list_for_each (r, &ring->active, struct req, link) {
			if (!(r->flags & REQ_CANCELLED) && (!task || r->task == task)) {
				found = r;
				break;
			}
		}
		if (!found)
			break;
		kill_one(found);
		ring_run_ready(ring); /* hard links go on, and are found in their turn */
	}
	return !list_is_empty(&ring->active);
}
