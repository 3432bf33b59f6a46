// SPDX-License-Identifier: MIT
/*
 * The side of the program whose call a supervisor answers: it tells of the call, waits, and meanwhile takes what it
 * is given.
 *
 *     NEW --RECV--> HEARD --SEND--> ANSWERED: the result, or the call is made after all
 *      `---------------'-- a signal: the notice goes, the call is restarted or ends with EINTR
 *
 * Descriptors are put into its table by the thread itself, so that its limits hold, and a table that only it
 * uses is changed by nobody else.
 *
 * Locks   listener->lock [L], not held while a gift is taken
 */
#include <linux/resource.h>
#include <linux/poll.h>

#include "fs/vfs/fdtable.h"
#include "proc/proc.h"
#include "security/supervise_priv.h"

/* ---- Gifts ---- */

static int accept_file(const struct call_gift *g)
{
	struct fdtable *t = uthread_current()->files;
	uint64_t limit = proc_rlimit(RLIMIT_NOFILE);
	int err, fd = (int)g->fd;

	if (g->is_at)
		err = fd_replace(t, fd, g->file, limit, g->is_cloexec);
	else
		err = fd_reserve(t, 0, limit, &fd);
	if (err)
		return err;
	if (!g->is_at)
		fd_install(t, fd, g->file, g->is_cloexec);
	return fd;
}

static void end_gift(struct call_gift *g, int result)
{
	g->result = result;
	g->state = GIFT_DONE;
	waitq_wake_all(&g->waitq, 0);
}

static void take_gifts(struct call_listener *l, struct call_notice *n) MUST_HOLD(l->lock)
{
	struct call_gift *g;

	while ((g = list_pop_head(&n->gifts, struct call_gift, link))) {
		int fd;

		g->state = GIFT_TAKEN;
		irqlock_unlock(&l->lock);
		file_get(g->file); /* the table's */
		fd = accept_file(g);
		if (fd < 0)
			file_put(g->file);
		irqlock_lock(&l->lock);
		if (g->is_answer && fd < 0)
			n->state = NOTICE_HEARD;
		else if (g->is_answer)
			n->answer = (struct seccomp_notif_resp){.val = fd};
		end_gift(g, fd);
	}
}

static void refuse_gifts(struct call_notice *n)
{
	struct call_gift *g;

	while ((g = list_pop_head(&n->gifts, struct call_gift, link)))
		end_gift(g, -ESRCH);
}

/* ---- The wait ---- */

/* A look without the lock: what is seen is looked at again with it. */
static bool has_news(
	const struct call_listener *l, const struct call_notice *n, enum wait_flags flags)
{
	return READ_ONCE(n->state) == NOTICE_ANSWERED || !list_is_empty(&n->gifts) ||
	       call_notice_is_patient(l, n) != (flags == WAIT_KILLABLE);
}

/* 0, or -ERESTARTSYS without an answer. */
static int wait_for_answer(struct call_listener *l, struct call_notice *n) MUST_HOLD(l->lock)
{
	for (;;) {
		bool is_patient = call_notice_is_patient(l, n);
		enum wait_flags flags = is_patient ? WAIT_KILLABLE : WAIT_SIGNAL;
		int err;

		take_gifts(l, n);
		if (n->state == NOTICE_ANSWERED)
			return 0;
		irqlock_unlock(&l->lock);
		err = WAIT_EVENT(&n->waitq, flags, WAIT_FOREVER, has_news(l, n, flags));
		irqlock_lock(&l->lock);
		if (err && n->state != NOTICE_ANSWERED &&
			is_patient == call_notice_is_patient(l, n))
			return -ERESTARTSYS;
	}
}

void call_listener_announce(struct call_listener *l)
{
	l->nr_due++;
	call_listener_wake(l, &l->waitq, POLLIN | POLLRDNORM);
}

bool call_supervise(struct call_filter *f, const struct seccomp_data *call, int64_t *result)
{
	struct call_notice n = {.tid = uthread_current()->tid_nr, .call = call};
	struct call_listener *l = f->listener;
	int err = -ENOSYS;

	if (!l) {
		*result = -ENOSYS;
		return false;
	}
	list_init(&n.gifts);
	waitq_init(&n.waitq);
	irqlock_lock(&l->lock);
	if (!l->is_closed) {
		n.id = l->next_id++;
		list_add_tail(&l->notices, &n.link);
		call_listener_announce(l);
		err = wait_for_answer(l, &n);
		refuse_gifts(&n);
		list_remove(&n.link);
	}
	irqlock_unlock(&l->lock);
	*result = err ? err : n.answer.error ? n.answer.error : n.answer.val;
	return !err && n.answer.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}
