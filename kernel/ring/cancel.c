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
#include "proc/proc.h"
#include "ring/opcodes.h"
#include "ring/tables.h"

/* What is looked for, with the file in place of its number. */
struct wanted {
	const struct req_cancel *by;
	const struct file *file;
	const struct req *not_this;
	bool by_user_data;
};

static int find_file(
	struct ring *ring, struct fdtable *files, int fd, bool is_fixed, struct file **out)
{
	struct ring_node *node;

	if (!is_fixed)
		return fd_get_file(files, fd, false, out);
	node = ring_table_get(&ring->files, (uint32_t)fd);
	if (!node)
		return -EBADF;
	file_get(node->file);
	*out = node->file;
	ring_node_put(ring, node);
	return 0;
}

/*
 * Of one that a supervisor is asked about: it has no file before it begins (the supervisor may put another one there),
 * but its number means one. Its thread is still there, and may change its table.
 */
static bool means_file(const struct req *r, const struct file *f)
{
	struct fdtable *files;
	struct file *found = NULL;

	if (!(r->type->flags & OPCODE_FILE))
		return false;
	files = req_get_files(r);
	if (find_file(r->ring, files, r->fd, r->sqe_flags & IOSQE_FIXED_FILE, &found) == 0)
		file_put(found);
	req_put_files(r, files);
	return found == f;
}

static bool is_about(const struct req *r, const struct file *f)
{
	if (UNLIKELY(r->error == REQ_ASKS && r->flags & REQ_ON_FIBER))
		return means_file(r, f);
	return r->file == f;
}

static bool matches(const struct req *r, const void *what)
{
	const struct wanted *w = what;
	uint32_t flags = w->by->flags;

	if (r == w->not_this || r->opcode == IORING_OP_LINK_TIMEOUT)
		return false; /* which goes with what it is for */
	if (r->flags & REQ_CANCELLED &&
		flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY))
		return false; /* told already */
	if (flags & IORING_ASYNC_CANCEL_ANY)
		return true;
	if (flags & IORING_ASYNC_CANCEL_FD && !is_about(r, w->file))
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

/* ---- Each request once ---- */

/*
 * All active requests, though the list changes while they are cancelled: some go, and what was linked to
 * them comes, at the tail. So the last one is looked at and moved to the head, until as many were as there
 * are.
 */
struct sweep {
	uint64_t left;    /* to look at */
	uint64_t tracked; /* ring->nr_tracked at the last look */
};

static struct sweep sweep_begin(const struct ring *ring)
{
	return (struct sweep){ring->nr_active, ring->nr_tracked};
}

static struct req *sweep_next(struct ring *ring, struct sweep *s)
{
	struct req *r = list_last(&ring->active, struct req, link);

	s->left += ring->nr_tracked - s->tracked;
	s->tracked = ring->nr_tracked;
	if (!s->left || !r)
		return NULL;
	s->left--;
	list_remove(&r->link);
	list_add_head(&ring->active, &r->link);
	return r;
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

static struct req *find(struct ring *ring, const struct wanted *w)
{
	if (w->by_user_data)
		return req_find(ring, w->by->user_data, matches, w);
	list_for_each (r, &ring->active, struct req, link) {
		if (matches(r, w))
			return r;
	}
	return NULL;
}

/* Each of its bucket once: cancelling one may take others out, and one that is woken stays there, cancelled. */
static void cancel_bucket(struct ring *ring, const struct wanted *w, unsigned *nr)
{
	struct req **bucket = req_bucket(ring, w->by->user_data), *seen = NULL, *r;
	uint64_t tracked = ring->nr_tracked;

	while ((r = *bucket)) {
		req_move_to_bucket(r, &seen);
		if (r->user_data == w->by->user_data && matches(r, w))
			(void)cancel_one(r, nr);
	}
	while (seen)
		req_move_to_bucket(seen, bucket);
	assert(tracked == ring->nr_tracked); /* nothing begins meanwhile, and the table stays */
}

static int64_t cancel_all_wanted(struct ring *ring, const struct wanted *w)
{
	struct sweep sweep = sweep_begin(ring);
	struct req *r;
	unsigned nr = 0;

	if (w->by_user_data && ring->by_user_data) {
		cancel_bucket(ring, w, &nr);
	} else {
		while ((r = sweep_next(ring, &sweep))) {
			if (matches(r, w))
				(void)cancel_one(r, &nr);
		}
	}
	return nr + cancel_drained(ring, w, false);
}

static int64_t cancel_wanted(struct ring *ring, const struct wanted *w)
{
	bool all = w->by->flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY);
	unsigned nr = 0;
	struct req *r;
	int err = -ENOENT;

	if (all)
		return cancel_all_wanted(ring, w);
	r = find(ring, w);
	if (r)
		err = cancel_one(r, &nr);
	if (!nr)
		nr += cancel_drained(ring, w, true);
	return nr ? 0 : err;
}

int64_t ring_cancel(
	struct ring *ring, const struct req_cancel *what, const struct req *not_this)
{
	uint32_t flags = what->flags;
	struct wanted w = {.by = what, .not_this = not_this};
	struct file *f = NULL;
	int64_t n;

	w.by_user_data = flags & IORING_ASYNC_CANCEL_USERDATA ||
			 !(flags & (IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY |
					   IORING_ASYNC_CANCEL_OP));
	if (flags & IORING_ASYNC_CANCEL_FD) {
		int err = find_file(ring, uthread_current()->files, what->fd,
			flags & IORING_ASYNC_CANCEL_FD_FIXED, &f);

		if (err)
			return err;
		w.file = f;
	}
	n = cancel_wanted(ring, &w);
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
	if (sqe->cancel_flags & ~(uint32_t)RING_CANCEL_FLAGS)
		return -EINVAL;
	/* Linux: a contradiction, which SYNC_CANCEL takes for all requests */
	if (sqe->cancel_flags & IORING_ASYNC_CANCEL_ANY &&
		sqe->cancel_flags & (IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_OP))
		return -EINVAL;
	return 0;
}

int64_t cancel_issue(struct req *r)
{
	return ring_cancel(r->ring, &r->cancel, r);
}

/* ---- Everything ---- */

/* One on a fiber again and again: it may have been in line, or have waited on when it was cancelled. */
static bool kill_call(struct req *r)
{
	r->flags |= REQ_CANCELLED;
	return req_interrupt_call(r, true);
}

/* All orphans of a process end at the same time: together, or each would look at all requests. */
static bool is_of(const struct req *r, const struct ring_task *task)
{
	const struct proc *p;

	if (!task || r->task == task)
		return true;
	p = atomic_load(&task->orphan_of);
	return UNLIKELY(p != NULL) && atomic_load(&r->task->orphan_of) == p;
}

bool ring_cancel_all(struct ring *ring, const struct ring_task *task)
{
	struct sweep sweep;
	struct req *r;

	list_for_each_safe (head, &ring->drained, struct req, link) {
		if (is_of(head, task))
			cancel_waiting_chain(head);
	}
	sweep = sweep_begin(ring);
	while ((r = sweep_next(ring, &sweep))) {
		if ((r->flags & REQ_CANCELLED && !(r->flags & REQ_ON_FIBER)) || !is_of(r, task))
			continue;
		if (r->flags & REQ_ON_FIBER)
			(void)kill_call(r);
		else
			(void)req_cancel(r);
		ring_run_ready(ring); /* hard links go on, and are found in their turn */
	}
	return !list_is_empty(&ring->active);
}

bool ring_cancel_calls(struct ring *ring, const struct ring_task *task)
{
	struct sweep sweep = sweep_begin(ring);
	bool is_one_left = false;
	struct req *r;

	while ((r = sweep_next(ring, &sweep))) {
		if (r->task != task || !(r->flags & REQ_ON_FIBER))
			continue;
		if (!kill_call(r))
			is_one_left = true;
		ring_run_ready(ring);
	}
	return is_one_left;
}
