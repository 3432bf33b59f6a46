// SPDX-License-Identifier: MIT
/*
 * A listener, the calls that it hears of, and what is given to who makes them: what supervise.c (the side
 * of the program) and listener.c (the side of the supervisor) share.
 *
 * Notices and gifts lie on the stacks of those who wait for them. Whoever finds one has the lock until it has
 * woken its owner, who takes the lock before it leaves.
 *
 * Locks   listener->lock  RANK_EVENT [L]
 */
#pragma once

#include "lib/list.h"
#include "security/callfilter.h"
#include "security/supervise.h"
#include "sync/waitq.h"

/* NEW -> HEARD -> ANSWERED; back to HEARD when a gift that was to be the answer could not be given. */
enum notice_state { NOTICE_NEW, NOTICE_HEARD, NOTICE_ANSWERED };

/* A call whose thread waits. */
struct call_notice {
	struct list_node link;            /* [L] listener->notices */
	uint64_t id;                      /* [I] */
	int tid;                          /* [I] */
	const struct seccomp_data *call;  /* [I] */
	enum notice_state state;          /* [L] */
	struct seccomp_notif_resp answer; /* [L] */
	struct list gifts;  /* [L] struct call_gift.link, in the order of their coming */
	struct waitq waitq; /* its thread */
};

/* A file for the thread that waits: SECCOMP_IOCTL_NOTIF_ADDFD. */
struct call_gift {
	struct list_node link; /* [L] notice->gifts, while it is QUEUED */
	struct file *file;     /* [I] the supervisor's reference */
	uint32_t fd;           /* [I] with is_at: which number */
	bool is_at;            /* [I] SECCOMP_ADDFD_FLAG_SETFD */
	bool is_answer;        /* [I] SECCOMP_ADDFD_FLAG_SEND */
	bool is_cloexec;       /* [I] */
	enum { GIFT_QUEUED, GIFT_TAKEN, GIFT_DONE } state; /* [L] */
	int result;                                        /* [L] */
	struct waitq waitq;                                /* the supervisor */
};

/*
 *   [I] immutable    [L] lock
 */
struct call_listener {
	struct irqlock lock;
	bool is_patient;  /* [I] SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV */
	bool is_closed;   /* [L] */
	bool is_sync;     /* [L] SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP */
	uint64_t next_id; /* [L] */
	uint64_t
		nr_due; /* [L] how often a new notice was told of, less how often one was asked for */
	struct list notices; /* [L] the oldest first */
	struct waitq waitq;  /* supervisors; POLLIN wakes one of those that sleep in RECV */
};

/* Only a kill ends its wait from now on. */
static inline bool call_notice_is_patient(
	const struct call_listener *l, const struct call_notice *n)
{
	return l->is_patient && READ_ONCE(n->state) != NOTICE_NEW;
}

static inline void call_listener_wake(
	const struct call_listener *l, struct waitq *q, uint64_t key)
{
	if (l->is_sync)
		waitq_wake_handover(q, key);
	else
		waitq_wake_one(q, key);
}

/* Tells of a new notice. */
void call_listener_announce(struct call_listener *l) MUST_HOLD(l->lock);
