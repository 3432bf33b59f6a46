// SPDX-License-Identifier: MIT
/*
 * Files in flight, and sockets that only they refer to.
 *
 * A message may carry the file of a unix socket; put on the queue of that very socket, or round
 * a ring of them, it keeps the socket alive for ever though no process can reach it. The
 * collector finds such sockets:
 *
 *     candidates  sockets whose file has no other references than those in messages
 *     reached     candidates that are carried by a message on a queue which is not a candidate's;
 *                 and whatever is carried on the queue of a reached one
 *     the rest    cannot be received by anybody: the files in messages on their queues are put, and
 *                 the sockets die of that
 *
 * The queue of a listener counts with the queues of its embryos.
 *
 * Exactness comes from the flight lock: who puts a message with files on a queue, takes it off, or
 * copies its files (MSG_PEEK) holds it, outside of socket locks. So while the collector holds
 * it, every file in flight is in a message on a queue. A file whose count is that of its messages
 * can get another reference only through one of those messages, that is, under the flight lock.
 *
 * It runs as a work item after a release while something is in flight.
 *
 * Locks   flight_lock  RANK_UNIX_FLIGHT [g]; under it socket locks, by address
 */
#include <linux/capability.h>
#include <linux/resource.h>

#include "irq/work.h"
#include "lib/atomic.h"
#include "net/unix/unix_priv.h"
#include "proc/proc.h"

static struct mutex flight_lock = MUTEX_INIT(RANK_UNIX_FLIGHT, "unix files in flight");
static struct list in_flight = LIST_INIT(in_flight); /* [g] struct unix_sock.flight_link */

void unix_flight_lock(void) NOT_ANALYSED
{
	mutex_lock(&flight_lock);
}

void unix_flight_unlock(void) NOT_ANALYSED
{
	mutex_unlock(&flight_lock);
}

static struct unix_sock *unix_of_file(const struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->family == AF_UNIX ? unix_of(s) : NULL;
}

/* man 7 unix: as many as he may have open, and what makes him pass is beyond it. */
static bool has_too_many(const struct user *user)
{
	return atomic_load_relaxed(&user->count[USER_FILES_IN_FLIGHT]) >
		       proc_rlimit(RLIMIT_NOFILE) &&
	       !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

int unix_flight_begin(struct control_files *f)
{
	if (has_too_many(cred_current()->user))
		return -ETOOMANYREFS;
	f->user = user_get_current();
	atomic_add_relaxed(&f->user->count[USER_FILES_IN_FLIGHT], f->nr);
	for (unsigned i = 0; i < f->nr; i++) {
		struct unix_sock *u = unix_of_file(f->files[i]);

		if (u && u->nr_in_flight++ == 0)
			list_add_tail(&in_flight, &u->flight_link);
	}
	return 0;
}

void unix_flight_end(struct control_files *f)
{
	for (unsigned i = 0; i < f->nr; i++) {
		struct unix_sock *u = unix_of_file(f->files[i]);

		if (u && --u->nr_in_flight == 0)
			list_remove(&u->flight_link);
	}
	atomic_sub_relaxed(&f->user->count[USER_FILES_IN_FLIGHT], f->nr);
	user_release(f->user);
	f->user = NULL;
}

/* ---- The collector ---- */

static bool is_candidate(const struct unix_sock *u)
{
	return u->nr_in_flight && refcount_read(&u->base.file->refs) == u->nr_in_flight;
}

typedef void visit_fn(struct unix_sock *carried);

static void visit_queue(struct unix_sock *u, visit_fn *fn) MUST_HOLD(u->lock)
{
	list_for_each (b, &u->recvq, struct unix_buf, link)
		for (unsigned i = 0; b->files && i < b->files->nr; i++) {
			struct unix_sock *carried = unix_of_file(b->files->files[i]);

			if (carried)
				fn(carried);
		}
}

/* Every socket carried on u's queue, and on those of its embryos. */
static void visit_carried(struct unix_sock *u, visit_fn *fn)
{
	mutex_lock(&u->lock);
	visit_queue(u, fn);
	list_for_each (e, &u->embryos, struct unix_sock, embryo_link) {
		mutex_lock_nested(&e->lock, UINT64_MAX);
		visit_queue(e, fn);
		mutex_unlock(&e->lock);
	}
	mutex_unlock(&u->lock);
}

static void count_inside(struct unix_sock *carried)
{
	carried->nr_inside++;
}

static struct unix_sock *reached; /* [g] a stack: what they carry is reached, too */

static void reach(struct unix_sock *u)
{
	if (u->is_reached)
		return;
	u->is_reached = true;
	u->next_reached = reached;
	reached = u;
}

/* Sets is_reached of everything in flight that is not garbage; whether there is any garbage. */
static bool mark(void)
{
	bool is_garbage = false;

	list_for_each (u, &in_flight, struct unix_sock, flight_link) {
		u->nr_inside = 0;
		u->is_reached = !is_candidate(u);
	}
	/* How often candidates are carried by candidates: the rest is from outside. */
	list_for_each (u, &in_flight, struct unix_sock, flight_link)
		if (!u->is_reached)
			visit_carried(u, count_inside);
	list_for_each (u, &in_flight, struct unix_sock, flight_link)
		if (u->nr_inside < u->nr_in_flight)
			reach(u); /* nothing, if it was no candidate */
	/* What a reached one carries is reached. (Those that are no candidates carry from outside.) */
	while (reached) {
		struct unix_sock *u = reached;

		reached = u->next_reached;
		visit_carried(u, reach);
	}
	list_for_each (u, &in_flight, struct unix_sock, flight_link)
		is_garbage |= !u->is_reached;
	return is_garbage;
}

/* Takes the messages with files off a queue that nobody can receive from. */
static void strip_queue(struct unix_sock *u, struct list *to) MUST_HOLD(u->lock)
{
	list_for_each_safe (b, &u->recvq, struct unix_buf, link) {
		if (!b->files)
			continue;
		list_remove(&b->link);
		WRITE_ONCE(u->nr_queued, u->nr_queued - 1);
		WRITE_ONCE(u->nr_files, u->nr_files - b->files->nr);
		list_add_tail(to, &b->link);
	}
}

static void strip(struct unix_sock *u, struct list *to)
{
	mutex_lock(&u->lock);
	strip_queue(u, to);
	list_for_each (e, &u->embryos, struct unix_sock, embryo_link) {
		mutex_lock_nested(&e->lock, UINT64_MAX);
		strip_queue(e, to);
		mutex_unlock(&e->lock);
	}
	mutex_unlock(&u->lock);
}

static void collect(struct work *w UNUSED)
{
	struct list garbage = LIST_INIT(garbage);
	struct unix_buf *b;

	mutex_lock(&flight_lock);
	if (mark()) {
		list_for_each (u, &in_flight, struct unix_sock, flight_link)
			if (!u->is_reached)
				strip(u, &garbage);
		list_for_each (i, &garbage, struct unix_buf, link)
			unix_flight_end(i->files);
	}
	mutex_unlock(&flight_lock);
	while ((b = list_pop_head(&garbage, struct unix_buf, link)))
		unix_buf_destroy(
			b); /* puts the files: releases the sockets, and asks for us again */
}

static struct work collector = WORK_INIT(collect);

void unix_collect_later(void)
{
	/* a hint without the lock: who put something in flight after this look releases later */
	if (READ_ONCE(in_flight.head.next) != &in_flight.head)
		work_queue(&collector);
}
