// SPDX-License-Identifier: MIT
/*
 * The supervisor's side: the file by which it hears of calls, answers them, and gives descriptors.
 *
 * The file has a reference of the filter, and the filter has the listener, which so lives longer than the
 * file. A call of a thread whose filter's listener was closed ends with ENOSYS, and so do those that wait.
 *
 * RECV sleeps while there is nothing to hear, O_NONBLOCK or not: as on Linux. A notice that was told of and is
 * gone again, because a signal came, makes one RECV say ENOENT: whoever was told of it by poll is not left
 * asleep. When no thread has the filter any more RECV says ENOENT, too (Linux 6.11; the oracle sleeps for ever).
 *
 * Locks   listener->lock [L]; programs' memory is read and written without
 * Spec    man 2 seccomp_unotify
 */
#include <linux/fcntl.h>
#include <linux/ioctl.h>
#include <linux/poll.h>

#include "fs/vfs/fdtable.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "security/random.h"
#include "security/supervise_priv.h"
#include "uaccess/uaccess.h"

/* <linux/seccomp.h> of Linux 6.6; the headers at hand are older. */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1ul
/* Accepted by Linux because programs were built with the wrong direction. */
#define NOTIF_ID_VALID_WRONG_DIR SECCOMP_IOR(2, __u64)

static struct call_listener *listener_of(const struct file *f)
{
	const struct call_filter *filter = f->private_data;

	return filter->listener;
}

static bool is_deserted(const struct call_filter *f)
{
	return !refcount_read(&f->users);
}

static struct call_notice *find(struct call_listener *l, uint64_t id) MUST_HOLD(l->lock)
{
	list_for_each (n, &l->notices, struct call_notice, link) {
		if (n->id == id)
			return n;
	}
	return NULL;
}

/* One that was heard and has no answer yet. -ENOENT, -EINPROGRESS. */
static int find_heard(struct call_listener *l, uint64_t id, struct call_notice **out)
	MUST_HOLD(l->lock)
{
	*out = find(l, id);
	if (!*out)
		return -ENOENT;
	return (*out)->state == NOTICE_HEARD ? 0 : -EINPROGRESS;
}

/* ---- RECV ---- */

/* Until there is one, or was: with the lock, if 0. -EINTR, -ENOENT. */
static int wait_for_notice(struct call_filter *f) NOT_ANALYSED
{
	struct call_listener *l = f->listener;
	int err = 0;

	for (;;) {
		irqlock_lock(&l->lock);
		if (l->nr_due) {
			l->nr_due--;
			return 0;
		}
		irqlock_unlock(&l->lock);
		if (err)
			return err;
		if (is_deserted(f))
			return -ENOENT;
		err = WAIT_EVENT_EXCLUSIVE(&l->waitq, WAIT_SIGNAL, WAIT_FOREVER,
			READ_ONCE(l->nr_due) || is_deserted(f));
	}
}

static int hear(struct call_listener *l, struct seccomp_notif *out) MUST_HOLD(l->lock)
{
	list_for_each (n, &l->notices, struct call_notice, link) {
		if (n->state != NOTICE_NEW)
			continue;
		n->state = NOTICE_HEARD;
		out->id = n->id;
		out->pid = (uint32_t)n->tid;
		out->data = *n->call;
		if (l->is_patient)
			waitq_wake_all(&n->waitq, 0); /* it waits otherwise from now on */
		waitq_wake_nr(&l->waitq, 0, POLLOUT | POLLWRNORM);
		return 0;
	}
	return -ENOENT;
}

/* The supervisor could not be told: as if it had not asked. */
static void unhear(struct call_listener *l, uint64_t id)
{
	struct call_notice *n;

	irqlock_lock(&l->lock);
	if (!find_heard(l, id, &n)) {
		n->state = NOTICE_NEW;
		waitq_wake_all(&n->waitq, 0);
		call_listener_announce(l);
	}
	irqlock_unlock(&l->lock);
}

static bool is_all_zero(const struct seccomp_notif *s)
{
	const uint64_t *word = (const void *)s;
	uint64_t all = 0;

	for (size_t i = 0; i < sizeof(*s) / sizeof(*word); i++)
		all |= word[i];
	return !all;
}

static int64_t receive(struct call_filter *f, uptr at) NOT_ANALYSED
{
	struct call_listener *l = f->listener;
	struct seccomp_notif out;
	int err;

	if (user_get(out, at))
		return -EFAULT;
	if (!is_all_zero(&out))
		return -EINVAL;
	err = wait_for_notice(f);
	if (err)
		return err;
	err = hear(l, &out);
	irqlock_unlock(&l->lock);
	if (!err && user_put(at, out)) {
		unhear(l, out.id);
		err = -EFAULT;
	}
	return err;
}

/* ---- SEND, ID_VALID, SET_FLAGS ---- */

static int64_t answer(struct call_listener *l, uptr at)
{
	struct seccomp_notif_resp given;
	struct call_notice *n;
	int err;

	if (user_get(given, at))
		return -EFAULT;
	if (given.flags & ~(uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		return -EINVAL;
	if (given.flags && (given.error || given.val))
		return -EINVAL;
	irqlock_lock(&l->lock);
	err = find_heard(l, given.id, &n);
	if (!err) {
		n->answer = given;
		n->state = NOTICE_ANSWERED;
		call_listener_wake(l, &n->waitq, 0);
	}
	irqlock_unlock(&l->lock);
	return err;
}

static int64_t tell_valid(struct call_listener *l, uptr at)
{
	struct call_notice *n;
	uint64_t id;
	int err;

	if (user_get(id, at))
		return -EFAULT;
	irqlock_lock(&l->lock);
	err = find_heard(l, id, &n);
	irqlock_unlock(&l->lock);
	return err ? -ENOENT : 0;
}

static int64_t set_flags(struct call_listener *l, uint64_t flags)
{
	if (flags & ~SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
		return -EINVAL;
	irqlock_lock(&l->lock);
	l->is_sync = flags & SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;
	irqlock_unlock(&l->lock);
	return 0;
}

/* ---- ADDFD ---- */

static int queue_gift(struct call_listener *l, uint64_t id, struct call_gift *g)
{
	struct call_notice *n;
	int err;

	irqlock_lock(&l->lock);
	err = find_heard(l, id, &n);
	if (!err && g->is_answer && !list_is_empty(&n->gifts))
		err = -EBUSY;
	if (!err) {
		if (g->is_answer)
			n->state = NOTICE_ANSWERED; /* nobody else's answer comes before it */
		list_add_tail(&n->gifts, &g->link);
		waitq_wake_all(&n->waitq, 0);
	}
	irqlock_unlock(&l->lock);
	return err;
}

/* A signal came: back, unless it is being taken at this moment. */
static bool take_back(struct call_listener *l, uint64_t id, struct call_gift *g)
{
	struct call_notice *n;
	bool is_queued;

	irqlock_lock(&l->lock);
	is_queued = g->state == GIFT_QUEUED;
	if (is_queued) {
		list_remove(&g->link);
		n = find(l, id);
		if (g->is_answer && n)
			n->state = NOTICE_HEARD;
	}
	irqlock_unlock(&l->lock);
	return is_queued;
}

static bool is_done(struct call_listener *l, const struct call_gift *g)
{
	bool is;

	irqlock_lock(&l->lock); /* whoever wakes us has let go of it then */
	is = g->state == GIFT_DONE;
	irqlock_unlock(&l->lock);
	return is;
}

static int64_t give(struct call_listener *l, uint64_t id, struct call_gift *g)
{
	int err;

	waitq_init(&g->waitq);
	err = queue_gift(l, id, g);
	if (err)
		return err;
	err = WAIT_EVENT(&g->waitq, WAIT_SIGNAL, WAIT_FOREVER, is_done(l, g));
	if (err && take_back(l, id, g))
		return -ERESTARTSYS;
	if (err) /* soon: it is being put into a table */
		(void)!WAIT_EVENT(&g->waitq, WAIT_BOUNDED, WAIT_FOREVER, is_done(l, g));
	return g->result;
}

static int64_t add_file(struct call_listener *l, uptr at, size_t size)
{
	struct seccomp_notif_addfd want;
	struct call_gift g = {0};
	int64_t n;

	if (size < sizeof(want) || size >= PAGE_SIZE)
		return -EINVAL;
	n = user_read_struct(&want, sizeof(want), at, size);
	if (n)
		return n;
	if (want.newfd_flags & ~(uint32_t)O_CLOEXEC)
		return -EINVAL;
	if (want.flags & ~(uint32_t)(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND))
		return -EINVAL;
	g.fd = want.newfd;
	g.is_at = want.flags & SECCOMP_ADDFD_FLAG_SETFD;
	g.is_answer = want.flags & SECCOMP_ADDFD_FLAG_SEND;
	g.is_cloexec = want.newfd_flags & O_CLOEXEC;
	if (g.fd && !g.is_at)
		return -EINVAL;
	n = fd_get_file(uthread_current()->files, (int)want.srcfd, false, &g.file);
	if (n)
		return n;
	n = give(l, want.id, &g);
	file_put(g.file);
	return n;
}

/* ---- The file ---- */

static int64_t listener_ioctl(struct file *file, unsigned cmd, uintptr_t arg)
{
	struct call_filter *f = file->private_data;
	struct call_listener *l = f->listener;

	switch (cmd) {
	case SECCOMP_IOCTL_NOTIF_RECV:
		return receive(f, UPTR(arg));
	case SECCOMP_IOCTL_NOTIF_SEND:
		return answer(l, UPTR(arg));
	case SECCOMP_IOCTL_NOTIF_ID_VALID:
	case NOTIF_ID_VALID_WRONG_DIR:
		return tell_valid(l, UPTR(arg));
	case SECCOMP_IOCTL_NOTIF_SET_FLAGS:
		return set_flags(l, arg);
	default:
		break;
	}
	/* of any size and direction */
	if (_IOC_TYPE(cmd) == SECCOMP_IOC_MAGIC &&
		_IOC_NR(cmd) == _IOC_NR(SECCOMP_IOCTL_NOTIF_ADDFD))
		return add_file(l, UPTR(arg), _IOC_SIZE(cmd));
	return -EINVAL;
}

static uint32_t listener_poll(struct file *file)
{
	struct call_listener *l = listener_of(file);
	uint32_t events = is_deserted(file->private_data) ? POLLHUP : 0;

	irqlock_lock(&l->lock);
	list_for_each (n, &l->notices, struct call_notice, link) {
		if (n->state == NOTICE_NEW)
			events |= POLLIN | POLLRDNORM;
		else if (n->state == NOTICE_HEARD)
			events |= POLLOUT | POLLWRNORM;
	}
	irqlock_unlock(&l->lock);
	return events;
}

static struct waitq *listener_waitq(struct file *file, uint32_t events UNUSED)
{
	return &listener_of(file)->waitq;
}

/* Nobody will answer any more. Gifts there are none: who gives one has the file. */
static void listener_release(struct file *file)
{
	struct call_listener *l = listener_of(file);

	irqlock_lock(&l->lock);
	l->is_closed = true;
	list_for_each (n, &l->notices, struct call_notice, link) {
		if (n->state == NOTICE_ANSWERED)
			continue;
		n->answer = (struct seccomp_notif_resp){.error = -ENOSYS};
		n->state = NOTICE_ANSWERED;
		waitq_wake_all(&n->waitq, 0);
	}
	irqlock_unlock(&l->lock);
	call_filter_put(file->private_data);
}

static const struct file_ops listener_ops = {
	.name = "seccomp notify",
	.poll = listener_poll,
	.waitq = listener_waitq,
	.ioctl = listener_ioctl,
	.release = listener_release,
};

/* ---- For the filter ---- */

int call_listener_create(struct call_filter *f, bool is_patient, struct file **out)
{
	struct call_listener *l = mem_alloc(sizeof(*l), SLAB_ZERO);
	int err;

	if (!l)
		return -ENOMEM;
	irqlock_init(&l->lock, RANK_EVENT, "call listener");
	list_init(&l->notices);
	waitq_init(&l->waitq);
	l->is_patient = is_patient;
	l->next_id = random_u64();
	err = file_open_anonymous(out, &listener_ops, listener_ops.name, f, O_RDWR,
		FILE_READ | FILE_WRITE | FILE_STREAM);
	if (err) {
		mem_free(l);
		return err;
	}
	f->listener = l;
	call_filter_get(f); /* the file's */
	return 0;
}

bool call_listener_is_open(const struct call_listener *l)
{
	return !READ_ONCE(l->is_closed);
}

void call_listener_hang_up(struct call_listener *l)
{
	waitq_wake_all(&l->waitq, POLLHUP);
}
