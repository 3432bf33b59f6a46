// SPDX-License-Identifier: MIT
/*
 * Entries that a filter leaves to a supervisor (SECCOMP_RET_USER_NOTIF).
 *
 * The filter is asked when the entry is submitted, as about every entry; the supervisor when its turn has come,
 * so that it does not act for an entry whose chain breaks before it. A fiber waits for the answer as the thread
 * of the entry, and is given descriptors in its place; nobody else waits, and the ring's lock is free.
 *
 *     ring_policy -> REQ_ASKS ... req_begin -> on a fiber: seccomp_ask
 *         the supervisor's result     completes the request, whatever it was to do
 *         CONTINUE                    it begins, on that fiber
 *
 * A request that is cancelled is to its supervisor as a call that a signal interrupts.
 *
 * Locks   ring->lock [l]; the fiber has none while it waits
 */
#include <asm/unistd.h>

#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "ring/ring_priv.h"
#include "ring/tables.h"
#include "sys/seccomp.h"

/*
 *   [I] immutable    [f] the fiber, or nobody yet
 */
struct req_ask {
	struct fiber_job job;
	struct req *req;                  /* [I] */
	bool is_asked;                    /* [f] the question is no longer ours to forget */
	struct seccomp_question question; /* [f] */
};

/* ---- What a filter says ---- */

static int keep_question(struct req *r, const struct seccomp_question *q)
{
	struct req_ask *ask = mem_alloc(sizeof(*ask), 0);

	if (!ask)
		return -ENOMEM;
	ask->req = r;
	ask->is_asked = false;
	ask->question = *q;
	r->ask = ask;
	r->error = REQ_ASKS;
	return 0;
}

int req_judge(struct req *r, int nr, const uint64_t a[6])
{
	struct seccomp_question q;
	int64_t n;
	int err;

	switch (seccomp_judge(r->task->user, nr, a, &q, &n)) {
	case SECCOMP_ALLOWS:
		return 0;
	case SECCOMP_ANSWERS:
		if (n < 0)
			return (int)n;
		r->big[0] = (uint64_t)n;
		r->error = REQ_ANSWERED;
		return 0;
	default:
		err = keep_question(r, &q);
		if (err)
			seccomp_forget(&q);
		return err;
	}
}

void req_forget_verdict(struct req *r)
{
	if (r->error == REQ_ASKS) {
		if (!r->ask->is_asked)
			seccomp_forget(&r->ask->question);
		mem_free(r->ask);
	}
	r->big[0] = 0;
	r->error = 0;
}

void req_end_without_verdict(struct req *r, int64_t n)
{
	req_forget_verdict(r);
	req_complete(r, n);
}

/* ---- Asking ---- */

struct fiber_job *req_asking_job(const struct req *r)
{
	return &r->ask->job;
}

static void complete(struct req *r, int64_t n)
{
	r->big[0] = (uint64_t)n; /* whole, if the completion has room */
	req_complete(r, n);
}

/* The supervisor lets the call be made. */
static void begin(struct req *r)
{
	req_untrack(r);
	r->flags &= (uint16_t)~REQ_ON_FIBER;
	req_begin(r);
}

static void run(struct fiber_job *job)
{
	struct req_ask *ask = container_of(job, struct req_ask, job);
	struct req *r = ask->req;
	struct ring *ring = r->ring;
	int64_t n = -EINTR;
	bool is_allowed = false;

	if (!(READ_ONCE(r->flags) & REQ_CANCELLED)) { /* while it was in line */
		ask->is_asked = true;
		is_allowed = seccomp_ask(&ask->question, &n);
	}
	ring_get(ring);
	mutex_lock(&ring->lock);
	req_forget_verdict(r); /* frees ask */
	if (!is_allowed)
		complete(r, n);
	else if (r->flags & REQ_CANCELLED)
		req_complete(r, -EINTR);
	else
		begin(r);
	ring_unlock(ring);
	ring_put(ring);
}

void req_take_verdict(struct req *r)
{
	struct req_ask *ask = r->ask;
	int err;

	if (r->error == REQ_ANSWERED) {
		uint64_t n = r->big[0];

		req_forget_verdict(r);
		complete(r, (int64_t)n);
		return;
	}
	ask->job = (struct fiber_job){.run = run, .as = r->task->user};
	err = r->type->flags & OPCODE_CALL ? call_keep_input(r) : 0;
	if (!err)
		err = fiber_start(&ask->job);
	if (err) {
		req_end_without_verdict(r, err);
		return;
	}
	/* the fiber comes to its end under our lock */
	r->flags |= REQ_ON_FIBER;
	req_track(r);
	if (r->next && r->next->opcode == IORING_OP_LINK_TIMEOUT)
		link_timeout_arm(r);
}
