// SPDX-License-Identifier: MIT
/*
 * IOCB_CMD_POLL: polling one file for native AIO.
 *
 * An operation without a thread (op.h), as a ring's poll is, but nobody's: its context is the process's, and who
 * submitted it may have ended. So a worker goes on with what was woken.
 *
 *     submit: try -> ready: its event at once | parked: on context->waiting
 *     a wake-up (queue locked) -> `woken` -> deferred call -> worker: try again -> event, eventfd
 *     io_cancel, io_destroy, the process's end -> taken back, an event with 0; or, woken already, by the worker
 *
 * A wake-up comes under the queue's lock, where no work can be queued: hence the deferred call. The request may be
 * woken between its arming and a try that succeeds; then it is over, but its memory waits for the worker.
 *
 * Rejected: making it a request of a hidden ring. Those belong to threads, and end with them.
 *
 * Locks   context->lock [c], then what poll of the file takes
 * Spec    man 2 io_submit: IOCB_CMD_POLL
 */
#include "ops/aio_poll.h"

#include "fs/vfs/file.h"
#include "ipc/eventfd.h"
#include "irq/irq.h"
#include "irq/work.h"
#include "lib/atomic.h"
#include "lib/llist.h"
#include "mm/slab.h"
#include "ops/poll_file.h"

/*
 *   [I] immutable    [c] context->lock    [a] atomic
 */
struct aio_poll {
	struct aio_request request;
	struct poll_file_op wait;     /* [c] */
	struct file *file;            /* [I] one reference */
	struct file *counter;         /* [I] one reference; NULL */
	struct llist_node woken_link; /* of `woken` */
	uint32_t is_listed;           /* [a] on it */
	bool is_cancelled;            /* [c] the worker is to end it */
	bool is_over;                 /* [c] its event is posted */
};

static struct llist woken; /* [a] */

static struct aio_poll *poll_of(struct aio_request *request)
{
	return container_of(request, struct aio_poll, request);
}

/* ---- The operation ---- */

static int64_t issue(struct op *op)
{
	struct poll_file_op *p = container_of(op, struct poll_file_op, op);
	struct aio_poll *r = container_of(p, struct aio_poll, wait);

	do {
		uint32_t events = poll_file_try(p, r->file);

		if (events)
			return events;
		if (!poll_file_can_wait(p))
			return -EINVAL;
	} while (!poll_file_is_parked(p));
	return OP_PARKED;
}

static const struct op_type poll_type = {.name = "aio poll", .issue = issue};

/* Whether its memory is ours: it is not on the worker's list. */
static bool end(struct aio_request *request, int64_t res) MUST_HOLD(request->context->lock)
{
	struct aio_poll *r = poll_of(request);

	if (list_node_is_linked(&request->link))
		list_remove(&request->link);
	poll_file_leave(&r->wait);
	r->is_over = true;
	request->event.res = res;
	aio_post_locked(request->context, &request->event);
	if (r->counter)
		(void)!eventfd_signal(r->counter, 1);
	return !atomic_load(&r->is_listed);
}

static void give_back(struct aio_request *request)
{
	struct aio_poll *r = poll_of(request);

	file_put(r->file);
	if (r->counter)
		file_put(r->counter);
	aio_request_fini(request);
	mem_free(r);
}

/* ---- Woken ---- */

/* Whether it can be given back. */
static bool go_on_locked(struct aio_request *request) MUST_HOLD(request->context->lock)
{
	struct aio_poll *r = poll_of(request);
	int64_t n;

	atomic_store(&r->is_listed, 0u); /* before the look: who wakes it now lists it again */
	if (r->is_over)
		return true;
	n = r->is_cancelled ? 0 : issue(&r->wait.op);
	return n != OP_PARKED && end(request, n);
}

/* With a reference of the context: the last of the others may go as soon as the lock is given back. */
static void go_on_with(struct aio_request *request)
{
	struct aio_context *c = request->context;
	bool is_over;

	refcount_get(&c->refs);
	mutex_lock(&request->context->lock);
	is_over = go_on_locked(request);
	mutex_unlock(&request->context->lock);
	if (is_over)
		give_back(request);
	aio_put(c);
}

static void go_on(struct work *w UNUSED)
{
	struct llist_node *chain = llist_reverse(llist_take_all(&woken));

	llist_for_each_safe(r, chain, struct aio_poll, woken_link)
	{
		go_on_with(&r->request);
	}
}

static struct work going_on = WORK_INIT(go_on);

static void start_worker(struct deferred *d UNUSED)
{
	(void)work_queue(&going_on);
}

static struct deferred start = DEFERRED_INIT(start_worker);

/* Under the waker's lock, which keeps the request from ending meanwhile. */
static void note_woken(struct op *op, bool is_handover UNUSED)
{
	struct aio_poll *r = container_of(op, struct aio_poll, wait.op);

	if (atomic_xchg(&r->is_listed, 1u))
		return;
	if (llist_push(&woken, &r->woken_link)) /* who pushed the first asks for all */
		deferred_call(&start);
}

/* ---- Its life ---- */

static bool cancel(struct aio_request *request) MUST_HOLD(request->context->lock)
{
	struct aio_poll *r = poll_of(request);
	int64_t ignored;

	if (op_cancel(&r->wait.op, &ignored))
		return end(request, 0);
	r->is_cancelled = true;
	return false;
}

static const struct aio_request_type request_type = {.cancel = cancel, .free = give_back};

static struct aio_poll *create(struct aio_context *c, const struct aio_poll_params *params)
{
	struct aio_poll *r = mem_alloc(sizeof(*r), SLAB_ZERO);

	if (!r)
		return NULL;
	aio_request_init(&r->request, &request_type, c, &params->event);
	poll_file_prepare(&r->wait, &poll_type, params->events, false);
	op_leave_thread(&r->wait.op, note_woken);
	file_get(params->file);
	r->file = params->file;
	if (params->counter)
		file_get(params->counter);
	r->counter = params->counter;
	return r;
}

/* Parked, over, or -errno and as it was. */
static int begin_locked(struct aio_request *request, bool *is_over)
	MUST_HOLD(request->context->lock)
{
	struct aio_poll *r = poll_of(request);
	int64_t n = request->context->is_dead ? -EINVAL : issue(&r->wait.op);

	*is_over = true;
	if (n == OP_PARKED) {
		list_add_tail(&request->context->waiting, &request->link);
		*is_over = false;
	} else if (n >= 0) {
		*is_over = end(request, n);
	}
	return n < 0 && n != OP_PARKED ? (int)n : 0;
}

int aio_poll_submit(struct aio_context *c, const struct aio_poll_params *params)
{
	struct aio_request *request;
	struct aio_poll *r = create(c, params);
	bool is_over;
	int err;

	if (!r)
		return -EAGAIN;
	request = &r->request;
	mutex_lock(&request->context->lock);
	err = begin_locked(request, &is_over);
	mutex_unlock(&request->context->lock); /* which c keeps: the caller has it */
	if (is_over)
		give_back(request);
	return err;
}
