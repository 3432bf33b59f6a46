// SPDX-License-Identifier: MIT
/*
 * O_ASYNC: a signal for the file's owner when something can be read or written.
 *
 * A file that can be waited for has queues; O_ASYNC puts a waiter on them that stays. Its wake-up
 * comes under the queue's lock, where no signal can be sent and no work queued, so it goes by a
 * deferred call to a worker, who asks the file what holds now. Pipes, sockets and terminals need to
 * know nothing of it.
 *
 *     wake (queue locked) -> deferred call -> worker: poll, signal
 *
 * Spec    man 2 fcntl (F_SETOWN, F_SETSIG), man 7 signal (SIGIO)
 */
#include "fs/vfs/file.h"

#include <linux/fcntl.h>
#include <linux/poll.h>

#include "irq/irq.h"
#include "irq/work.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sync/rcu.h"

struct file_async {
	struct file *file; /* [I] not counted: it takes us along */
	struct waiter in, out;
	struct waitq *in_queue, *out_queue; /* [I] */
	struct deferred call;
	struct work work;
	uint32_t events; /* [a] POLL* bits that may have come */
};

/* ---- Signals to the owner ---- */

/* man 2 fcntl, F_SETOWN: as kill(2) would, by the rights of who set the owner. Puts `target`. */
static bool may_signal(const struct file *f, const struct cred *target)
{
	bool may = f->owner_euid == 0 || f->owner_euid == target->suid ||
		   f->owner_euid == target->uid || f->owner_uid == target->suid ||
		   f->owner_uid == target->uid;

	cred_put(target);
	return may;
}

static bool may_signal_proc(struct proc *p, const void *file)
{
	return may_signal(file, proc_get_cred(p));
}

static void send_to_thread(struct file *f, struct thread *t, int sig, const siginfo_t *info)
{
	if (may_signal(f, cred_get_of(t)))
		(void)!signal_send_thread(
			t, sig, info); /* a full queue: man 2 fcntl says SIGIO */
}

/* Only the signal that F_SETSIG chose says what it is about; its si_band is what poll would say. */
static siginfo_t make_info(int sig, int fd, int band)
{
	static const uint16_t events[] = {
		[POLL_IN] = POLLIN | POLLRDNORM,
		[POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
		[POLL_MSG] = POLLIN | POLLRDNORM | POLLMSG,
	};
	siginfo_t info = {0};

	info.si_signo = sig ? sig : SIGIO;
	info.si_code = sig ? band : SI_KERNEL;
	if (sig) {
		info.si_band = events[band];
		info.si_fd = fd;
	}
	return info;
}

void file_signal_owner(struct file *f, int fd, int band)
{
	siginfo_t info;
	struct thread *t;
	struct proc *p;
	int pid, type;

	irqlock_lock(&f->flags_lock);
	pid = f->owner_pid;
	type = f->owner_type;
	info = make_info(f->owner_sig, fd, band);
	irqlock_unlock(&f->flags_lock);
	if (!pid)
		return;
	if (type == F_OWNER_PGRP) {
		signal_send_group_if(pid, info.si_signo, &info, may_signal_proc, f);
	} else if (type == F_OWNER_TID) {
		if (!uthread_find(pid, &t)) {
			send_to_thread(f, t, info.si_signo, &info);
			thread_put(t);
		}
	} else if (!proc_find_by_tid(pid, &p)) {
		if (may_signal_proc(p, f))
			(void)!signal_send_proc(p, info.si_signo, &info);
		proc_put(p);
	}
}

static void send_sigio(struct file *f, int band)
{
	if (READ_ONCE(f->flags) & FASYNC)
		file_signal_owner(f, READ_ONCE(f->owner_fd), band);
}

/* ---- The waiter that stays ---- */

static void send(struct work *w)
{
	struct file_async *a = container_of(w, struct file_async, work);
	uint32_t events = atomic_xchg(&a->events, 0u) & a->file->ops->poll(a->file);

	if (events & (POLLIN | POLLHUP | POLLERR))
		send_sigio(a->file, POLL_IN);
	if (events & POLLOUT && a->file->mode & FILE_WRITE)
		send_sigio(a->file, POLL_OUT);
}

static void note(struct file_async *a, uint64_t key, uint32_t otherwise)
{
	atomic_or(&a->events, (key ? (uint32_t)key : otherwise) | POLLHUP | POLLERR);
	deferred_call(&a->call);
}

static void hand_over(struct deferred *d)
{
	work_queue(&container_of(d, struct file_async, call)->work);
}

static bool wake_in(struct waiter *w, uint64_t key)
{
	note(container_of(w, struct file_async, in), key, POLLIN);
	return false;
}

static bool wake_out(struct waiter *w, uint64_t key)
{
	note(container_of(w, struct file_async, out), key, POLLOUT);
	return false;
}

static int start(struct file *f)
{
	struct file_async *a = mem_alloc(sizeof(*a), SLAB_ZERO);

	if (!a)
		return -ENOMEM;
	a->file = f;
	a->work.fn = send;
	a->call.fn = hand_over;
	a->in.wake = wake_in;
	a->out.wake = wake_out;
	a->in_queue = f->ops->waitq(f, POLLIN);
	a->out_queue = f->ops->waitq(f, POLLOUT);
	waitq_add(a->in_queue, &a->in);
	if (a->out_queue != a->in_queue)
		waitq_add(a->out_queue, &a->out);
	f->async = a;
	return 0;
}

static void stop(struct file *f)
{
	struct file_async *a = f->async;

	f->async = NULL;
	waitq_remove(a->in_queue, &a->in);
	waitq_remove(a->out_queue, &a->out);
	/* nobody asks any more: until a call under way has begun, then until it has ended (it holds
	 * preemption off), then until the worker is done */
	while (atomic_load(&a->call.is_pending))
		sched_yield();
	rcu_synchronize();
	work_cancel(&a->work);
	mem_free(a);
}

/* A file without queues never has news: its flag is kept, and nothing comes of it (as on Linux). */
int file_set_async(struct file *f, bool on)
{
	int err = 0;

	mutex_lock(&f->pos_lock);
	if (on && !f->async && f->ops->waitq)
		err = start(f);
	else if (!on && f->async)
		stop(f);
	mutex_unlock(&f->pos_lock);
	return err;
}
