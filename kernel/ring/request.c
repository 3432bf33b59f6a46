// SPDX-License-Identifier: MIT
/*
 * The life of a request.
 *
 *     req_create -> (prepare) -> req_queue -> req_begin: policy, file, issue
 *         a result          -> req_complete -> CQE, the next of its chain, free
 *         OP_PARKED         -> on ring->active until it is woken: req_continue -> issue again
 *         on a fiber        -> ends there; if it never blocked, here
 *
 * Everything happens under ring->lock. Requests whose turn comes while another one ends are put on
 * ring->ready and begin in ring_settle, so that a chain of any length needs no stack.
 *
 * A woken request may be on its owner's list although it is being issued, or has ended: it was woken
 * between the moment it was armed and a try that succeeded. Its memory then waits for the list.
 *
 * Locks   ring->lock [l]
 */
#include <asm/unistd.h>

#include "fs/vfs/fdtable.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/signal.h"
#include "ring/ring_priv.h"
#include "ring/tables.h"
#include "sys/trace.h"

enum { FREE_MAX = 64, HASH_BITS_FIRST = 6, HASH_BITS_MAX = 20 };

/* ---- Memory ---- */

/* All requests of a ring have one reference of it, and who submits many of them is as one more. */
void req_hold_ring(struct ring *ring)
{
	if (ring->nr_reqs++ == 0)
		ring_get(ring);
}

void req_let_ring_go(struct ring *ring)
{
	if (--ring->nr_reqs == 0)
		ring_put(ring); /* the caller has another reference */
}

struct req *req_create(struct ring *ring, struct ring_task *task)
{
	struct req *r = ring->free;

	if (r) {
		ring->free = r->next;
		ring->nr_free--;
	} else {
		r = mem_alloc(sizeof(*r), 0);
		if (!r)
			return NULL;
	}
	__builtin_memset(r, 0, offsetof(struct req, fd)); /* a few stores */
	req_hold_ring(ring);
	r->ring = ring;
	ring_task_take(task);
	r->task = task;
	ring->nr_begun++;
	return r;
}

static void free_memory(struct req *r)
{
	struct ring *ring = r->ring;

	if (ring->nr_free < FREE_MAX && !ring->is_dead) {
		r->next = ring->free;
		ring->free = r;
		ring->nr_free++;
	} else {
		mem_free(r);
	}
	req_let_ring_go(ring);
}

static void put_file(struct req *r)
{
	if (r->node)
		ring_node_put(r->ring, r->node);
	else if (r->file)
		file_put(r->file);
	r->file = NULL;
	r->node = NULL;
}

/* All that it has, but for its memory. */
static void give_back(struct req *r)
{
	if (r->type && r->type->clean)
		r->type->clean(r);
	put_file(r);
	if (r->cred)
		cred_put(r->cred);
	r->cred = NULL;
	ring_task_give_back(r->task);
}

void req_discard(struct req *r)
{
	if (UNLIKELY(r->error > 0))
		req_forget_verdict(r);
	r->ring->nr_begun--;
	give_back(r);
	free_memory(r);
}

/* ---- Finding ---- */

struct req **req_bucket(const struct ring *ring, uint64_t user_data)
{
	return &ring->by_user_data[hash_u64(user_data) >> (64 - ring->hash_bits)];
}

static void enter_bucket(struct req *r, struct req **at)
{
	r->hash_next = *at;
	if (*at)
		(*at)->hash_at = &r->hash_next;
	r->hash_at = at;
	*at = r;
}

static void leave_bucket(struct req *r)
{
	*r->hash_at = r->hash_next;
	if (r->hash_next)
		r->hash_next->hash_at = r->hash_at;
	r->hash_at = NULL;
}

void req_move_to_bucket(struct req *r, struct req **bucket)
{
	leave_bucket(r);
	enter_bucket(r, bucket);
}

static void add_to_bucket(struct ring *ring, struct req *r)
{
	enter_bucket(r, req_bucket(ring, r->user_data));
}

/* A larger table, with all active requests in it, if there is memory for one: nothing depends on it. */
static bool grow_hash(struct ring *ring)
{
	unsigned bits = ring->by_user_data ? ring->hash_bits + 2 : HASH_BITS_FIRST;
	struct req **table;

	if (bits > HASH_BITS_MAX)
		return false;
	table = mem_alloc(sizeof(struct req *) << bits, SLAB_ZERO);
	if (!table)
		return false;
	mem_free(ring->by_user_data);
	ring->by_user_data = table;
	ring->hash_bits = bits;
	list_for_each (r, &ring->active, struct req, link)
		add_to_bucket(ring, r);
	return true;
}

void req_track(struct req *r)
{
	struct ring *ring = r->ring;

	r->hash_at = NULL;
	list_add_tail(&ring->active, &r->link);
	ring->nr_active++;
	ring->nr_tracked++;
	if ((!ring->by_user_data || ring->nr_active > 2u << ring->hash_bits) && grow_hash(ring))
		return;
	if (ring->by_user_data)
		add_to_bucket(ring, r);
}

void req_untrack(struct req *r)
{
	list_remove(&r->link);
	r->ring->nr_active--;
	if (r->hash_at)
		leave_bucket(r);
}

struct req *req_find(struct ring *ring, uint64_t user_data, req_match *is_it, const void *what)
{
	if (LIKELY(ring->by_user_data)) {
		struct req *r = *req_bucket(ring, user_data);

		while (r && (r->user_data != user_data || !is_it(r, what)))
			r = r->hash_next;
		return r;
	}
	list_for_each (r, &ring->active, struct req, link) {
		if (r->user_data == user_data && is_it(r, what))
			return r;
	}
	return NULL;
}

bool req_is_open(const struct req *r, const void *opcode)
{
	return r->opcode == *(const uint8_t *)opcode && !(r->flags & REQ_CANCELLED);
}

/* ---- Completing ---- */

int32_t req_result(int64_t result, bool is_cancelled)
{
	if (LIKELY(result >= 0))
		return (int32_t)MIN(result, (int64_t)INT32_MAX);
	if (result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
		result == -ERESTART_RESTARTBLOCK || result == -EINTR)
		return is_cancelled ? -ECANCELED : -EINTR;
	return (int32_t)result;
}

static void post_result(struct req *r, int32_t result)
{
	uint32_t flags = r->cqe_flags;

	if (UNLIKELY(trace_is_on))
		ring_trace_end(r, result);
	if (r->flags & REQ_HAS_BUFFER)
		flags |= ring_buffer_commit(r, result);
	if (r->flags & REQ_SKIP_SUCCESS && !(r->flags & REQ_FAILED))
		return;
	if (r->ring->is_dead)
		return;
	r->ring->has_posted_async |= (r->sqe_flags & IOSQE_ASYNC) != 0;
	(void)ring_post(
		r->ring, r->user_data, result, flags, r->big, !(r->flags & REQ_NOT_COUNTED));
}

/* The rest of a broken chain. */
void req_cancel_chain(struct req *r, bool is_silent)
{
	while (r) {
		struct req *next = r->next;

		if (is_silent)
			r->flags |= REQ_SKIP_SUCCESS;
		else
			r->flags &= (uint16_t)~REQ_SKIP_SUCCESS;
		if (UNLIKELY(trace_is_on))
			ring_trace_end(r, r->error < 0 ? r->error : -ECANCELED);
		if (!(r->flags & REQ_SKIP_SUCCESS) && !r->ring->is_dead)
			(void)ring_post(r->ring, r->user_data,
				r->error < 0 ? r->error : -ECANCELED, 0, NULL,
				!(r->flags & REQ_NOT_COUNTED));
		req_discard(r);
		r = next;
	}
}

/* What follows it: the next of its chain gets its turn, or the rest is cancelled. */
static void go_on_with_chain(struct req *r)
{
	struct req *next;

	link_timeout_disarm(r);
	next = r->next;
	r->next = NULL;
	if (!next)
		return;
	if (r->flags & REQ_FAILED && !(r->flags & REQ_HARD_LINK))
		req_cancel_chain(next, r->flags & REQ_SKIP_CHAIN);
	else
		req_queue(next);
}

static void fail(struct req *r, int32_t result)
{
	if (result == -ETIME && timeout_is_success(r))
		return;
	/* Linux: a linked timeout that is to skip its completion never has one */
	if (r->opcode == IORING_OP_LINK_TIMEOUT && r->flags & REQ_SKIP_SUCCESS)
		return;
	r->flags |= REQ_FAILED;
	if (r->flags & REQ_SKIP_SUCCESS)
		r->flags = (uint16_t)((r->flags & ~REQ_SKIP_SUCCESS) | REQ_SKIP_CHAIN);
}

static void start_drained(struct ring *ring)
{
	while (!list_is_empty(&ring->drained)) {
		struct req *r = list_first(&ring->drained, struct req, link);

		if (r->flags & REQ_DRAIN && ring->nr_begun)
			return;
		list_remove(&r->link);
		for (struct req *it = r; it; it = it->next)
			ring->nr_begun++;
		list_add_tail(&ring->ready, &r->link);
	}
}

void req_complete(struct req *r, int64_t n)
{
	struct ring *ring = r->ring;
	int32_t result = req_result(n, r->flags & REQ_CANCELLED);

	if (r->flags & (REQ_IS_PARKED | REQ_ON_FIBER))
		req_untrack(r);
	r->flags &= (uint16_t) ~(REQ_IS_PARKED | REQ_ON_FIBER);
	if (result < 0 || r->flags & REQ_FAILED)
		fail(r, result);
	if (UNLIKELY(n < 0 && n != result)) /* the kernel's own numbers stay here */
		r->big[0] = (uint64_t)(int64_t)result;
	post_result(r, result);
	if (r->next || r->timeout)
		go_on_with_chain(r);
	ring->nr_begun--;
	/* off its queues, after which nobody wakes it any more */
	give_back(r);
	if (atomic_load(&r->is_listed))
		r->flags |= REQ_IS_DONE;
	else
		free_memory(r);
}

bool req_post_more(struct req *r, int64_t result, uint32_t flags)
{
	struct ring *ring = r->ring;

	if (ring->is_dead)
		return false;
	if (UNLIKELY(trace_is_on))
		ring_trace_end(r, result);
	if (r->flags & REQ_HAS_BUFFER)
		flags |= ring_buffer_commit(r, (int32_t)result);
	if (ring_post_if_room(ring, r->user_data, (int32_t)result, flags | IORING_CQE_F_MORE,
		    !(r->flags & REQ_NOT_COUNTED)))
		return true;
	r->cqe_flags |= flags; /* its last completion names the buffer, too */
	return false;
}

/* ---- Issuing ---- */

struct fdtable *req_get_files(const struct req *r)
{
	struct uthread *u = r->task->user;
	struct fdtable *files;

	if (LIKELY(u == uthread_current()))
		return u->files;
	irqlock_lock(&u->proc->lock);
	files = u->files;
	fdtable_get(files);
	irqlock_unlock(&u->proc->lock);
	return files;
}

void req_put_files(const struct req *r, struct fdtable *files)
{
	if (UNLIKELY(r->task->user != uthread_current()))
		fdtable_put(files);
}

int req_get_file(struct req *r, bool is_fixed)
{
	struct fdtable *files;
	int err;

	if (is_fixed) {
		r->node = ring_table_get(&r->ring->files, (uint32_t)r->fd);
		if (!r->node)
			return -EBADF;
		r->file = r->node->file;
		return 0;
	}
	files = req_get_files(r);
	err = fd_get_file(files, r->fd, false, &r->file);
	req_put_files(r, files);
	return err;
}

static int64_t issue_now(struct req *r)
{
	if (r->type->issue)
		return r->type->issue(r);
	return r->op.type->issue(&r->op);
}

/* With other credentials. */
static int64_t issue_as(struct req *r)
{
	const struct cred *before = cred_act_with(r->cred);
	int64_t n = issue_now(r);

	(void)cred_act_with(before);
	return n;
}

/* A fiber takes on credentials that it is told of; what goes on with nobody is without (leave.c). */
static int64_t issue(struct req *r)
{
	if (UNLIKELY(r->cred && !(r->type->flags & (OPCODE_CALL | OPCODE_NEEDS_NOBODY))))
		return issue_as(r);
	return issue_now(r);
}

static void issued(struct req *r, int64_t n)
{
	if (n != OP_PARKED) {
		req_complete(r, n);
		return;
	}
	if (!(r->flags & (REQ_IS_PARKED | REQ_ON_FIBER))) {
		r->flags |= REQ_IS_PARKED;
		req_track(r);
	}
	if (UNLIKELY(r->next && r->next->opcode == IORING_OP_LINK_TIMEOUT))
		link_timeout_arm(r);
}

/* Whether the current thread has the memory and the descriptors that the request is about. */
static bool is_at_home(const struct req *r)
{
	const struct uthread *u = uthread_current();

	return u && u->proc == r->task->user->proc;
}

/*
 * The first issue: in its owner's process. Another process that shares the ring may have ended what the
 * request waited for; it leaves it to the owner.
 */
void req_begin(struct req *r)
{
	int64_t n = r->ring->is_dead || r->task->is_leaving ? -ECANCELED : r->error;

	if (!n && UNLIKELY(!is_at_home(r))) {
		r->is_due = true;
		req_list_for_owner(r);
		return;
	}
	if (!n && r->type->flags & OPCODE_FILE && !r->file)
		n = req_get_file(r, r->sqe_flags & IOSQE_FIXED_FILE);
	if (LIKELY(!n))
		issued(r, issue(r));
	else if (LIKELY(r->error <= 0))
		req_complete(r, n);
	else if (n > 0)
		req_take_verdict(r);
	else
		req_end_without_verdict(r, n);
}

void req_queue(struct req *r)
{
	list_add_tail(&r->ring->ready, &r->link);
}

void req_continue(struct req *r)
{
	if (UNLIKELY(r->is_due)) {
		r->is_due = false;
		req_begin(r);
		return;
	}
	if (r->flags & REQ_IS_DONE) {
		free_memory(r);
		return;
	}
	if (UNLIKELY(ring_task_is_orphan(r->task)) && !(r->type->flags & OPCODE_NEEDS_NOBODY))
		r->flags |= REQ_CANCELLED;
	if (r->flags & REQ_CANCELLED)
		req_complete(r, r->type->flags & OPCODE_PARKS ? op_end(&r->op) : -EINTR);
	else
		issued(r, issue(r));
}

bool req_interrupt_call(struct req *r, bool is_kill)
{
	bool is_asking = r->error > 0;

	if (!fiber_interrupt(is_asking ? req_asking_job(r) : &r->call.job, is_kill))
		return false;
	if (is_asking) {
		req_end_without_verdict(r, -ECANCELED);
		return true;
	}
	r->cred = r->call.job.cred; /* the job's until now */
	req_complete(r, -ECANCELED);
	return true;
}

int req_cancel(struct req *r)
{
	int64_t result;

	if (r->flags & REQ_CANCELLED)
		return -EALREADY;
	r->flags |= REQ_CANCELLED;
	if (r->flags & REQ_ON_FIBER)
		return req_interrupt_call(r, false) ? 0 : -EALREADY;
	if (!op_cancel(&r->op, &result)) {
		return 0; /* it was woken, and will find that it is cancelled */
	}
	req_complete(r, result);
	return 0;
}

void ring_run_ready(struct ring *ring)
{
	do {
		while (!list_is_empty(&ring->ready))
			req_begin(list_pop_head(&ring->ready, struct req, link));
		if (!list_is_empty(&ring->drained))
			start_drained(ring);
	} while (!list_is_empty(&ring->ready));
}

void ring_settle(struct ring *ring)
{
	ring_run_ready(ring);
	ring_commit(ring);
}

void ring_unlock(struct ring *ring)
{
	ring_settle(ring);
	mutex_unlock(&ring->lock);
}
