// SPDX-License-Identifier: MIT
/*
 * epoll sets.
 *
 * An item is one watched file of one set. It has a waiter on the file's queue (two when reading
 * and writing have different ones). A wake-up puts the item on the ready list and wakes one
 * waiter of the set; collecting takes items off the list one by one, asks each file what
 * holds now, and reports it:
 *
 *     the list says "may be ready", the file's poll says whether.
 *     level-triggered items go back to the end of the list; edge-triggered ones wait for the next
 *     wake-up; one-shot ones ask for nothing more until EPOLL_CTL_MOD.
 *
 * An item is off the list before its file is asked, so an event that comes meanwhile puts it on
 * again, and no edge is lost.
 *
 * A set holds no reference to the files in it. A file whose last reference goes away has its
 * items taken out (epoll_forget_file); a set that goes away takes out its own. Both do it under
 * the set's lock, so an item in the tree has a file that exists. Items count references of the
 * set's memory, which the file's side needs to find the lock.
 *
 * Sets in sets, and the order of their locks: epoll_nest.c.
 *
 * Locks   set->lock   RANK_EPOLL [m]   items; key from the end: outer sets first
 *         f->flags_lock  RANK_FILE [f] the items of a file; of a set's file in a set's: by depth
 *         set->queue.lock  RANK_WAITQ, key order [q]  the ready list and who waits for it
 * Spec    man 7 epoll, man 2 epoll_ctl
 */
#include "fs/proc/entry.h"
#include "fs/vfs/epoll_priv.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "fs/vfs/inode.h"
#include "lib/fmt.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/cred.h"

enum { SHARE_OF_MEMORY = 25 };

uint64_t epoll_max_watches; /* [a] */

/* How an item behaves; everything else in `events` is poll's. */
#define HOW_BITS (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)
static const uint32_t EXCLUSIVE_MAY_HAVE =
	EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
static const uint32_t ANY_OUT = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

static const struct file_ops epoll_ops;

bool epoll_is_set(const struct file *f)
{
	return f->ops == &epoll_ops;
}

struct waitq *epoll_waitq(struct file *set)
{
	return &((struct epoll *)set->private_data)->queue;
}

static void set_put(struct epoll *ep)
{
	if (!refcount_put(&ep->refs))
		return;
	user_release(ep->user);
	mem_free(ep);
}

/* ---- Finding items ---- */

struct item_key {
	const struct file *file;
	int64_t fd;
};

static int compare(const void *key, const struct rbtree_node *node)
{
	const struct item *it = container_of(node, struct item, node);
	const struct item_key *k = key;

	if (k->file != it->file)
		return (uintptr_t)k->file < (uintptr_t)it->file ? -1 : 1;
	return k->fd < it->fd ? -1 : k->fd > it->fd;
}

static bool item_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	const struct item *it = container_of(a, struct item, node);

	return compare(&(struct item_key){it->file, it->fd}, b) < 0;
}

static struct item *item_find(struct epoll *ep, const struct file *f, int fd)
	MUST_HOLD(ep->lock)
{
	return rbtree_object(
		rbtree_find(&ep->items, &(struct item_key){f, fd}, compare), struct item, node);
}

/* ---- Becoming ready ---- */

/* Returns whether somebody took the wake-up. Any context. */
static bool item_set_ready(struct item *it)
{
	struct epoll *ep = it->set;
	unsigned nr_woken;

	irqlock_lock_nested(&ep->queue.lock, atomic_load_acquire(&ep->order));
	if (!list_node_is_linked(&it->ready_link))
		list_add_tail(&ep->ready, &it->ready_link);
	nr_woken = waitq_wake_locked(&ep->queue, 1, POLLIN | POLLRDNORM);
	irqlock_unlock(&ep->queue.lock);
	return nr_woken > 0;
}

/* The watched file's queue is locked. */
static bool hook_wake(struct waiter *w, uint64_t key)
{
	struct item *it = container_of(w, struct hook, waiter)->item;
	uint32_t events = READ_ONCE(it->events);

	if (!(events & ~HOW_BITS) || (key && !(key & events)))
		return false;
	return item_set_ready(it) || !w->is_exclusive;
}

static uint32_t item_poll(const struct item *it)
{
	return it->file->ops->poll(it->file) & it->events;
}

/* ---- Putting an item in and taking it out ---- */

static void add_hook(struct item *it, struct hook *h, struct waitq *q)
{
	if (!q)
		return;
	h->item = it;
	h->queue = q;
	h->waiter.wake = hook_wake;
	h->waiter.is_exclusive = it->events & EPOLLEXCLUSIVE;
	waitq_add(q, &h->waiter);
}

/* Queues that the wanted events need and that it has no waiter on yet. */
static void item_hook(struct item *it)
{
	struct file *f = it->file;
	struct waitq *in = NULL, *out = NULL;

	if (!f->ops->waitq)
		return;
	if (!(it->events & ANY_OUT) ||
		(it->events & ~(ANY_OUT | HOW_BITS | EPOLLERR | EPOLLHUP)))
		in = f->ops->waitq(f, POLLIN);
	if (it->events & ANY_OUT)
		out = f->ops->waitq(f, POLLOUT);
	if (in && !it->hooks[0].queue)
		add_hook(it, &it->hooks[0], in);
	if (out && out != it->hooks[0].queue && !it->hooks[1].queue)
		add_hook(it, &it->hooks[1], out);
}

static void item_unhook(struct item *it)
{
	for (unsigned i = 0; i < ARRAY_LEN(it->hooks); i++)
		if (it->hooks[i].queue)
			waitq_remove(it->hooks[i].queue, &it->hooks[i].waiter);
}

static void file_add_item(struct file *f, struct item *it)
{
	struct item *first;

	irqlock_lock(&f->flags_lock);
	first = f->epoll_items;
	it->next_of_file = first;
	if (first)
		first->prev_of_file = it;
	WRITE_ONCE(f->epoll_items, it);
	f->was_watched = true;
	irqlock_unlock(&f->flags_lock);
}

static void file_remove_item(struct file *f, struct item *it)
{
	irqlock_lock(&f->flags_lock);
	if (it->prev_of_file)
		it->prev_of_file->next_of_file = it->next_of_file;
	else
		WRITE_ONCE(f->epoll_items, it->next_of_file);
	if (it->next_of_file)
		it->next_of_file->prev_of_file = it->prev_of_file;
	irqlock_unlock(&f->flags_lock);
}

/* Out of everything, and freed. Its reference of the set is left to the caller to put. */
static void item_remove(struct epoll *ep, struct item *it) MUST_HOLD(ep->lock)
{
	item_unhook(it);
	/* No wake-up sees it any more, but one may have put it on the list. */
	irqlock_lock(&ep->queue.lock);
	if (list_node_is_linked(&it->ready_link))
		list_remove(&it->ready_link);
	irqlock_unlock(&ep->queue.lock);
	rbtree_erase(&ep->items, &it->node);
	file_remove_item(it->file, it);
	user_uncharge(ep->user, USER_EPOLL_WATCHES);
	mem_free(it);
}

/* After the events changed: what holds already makes it ready now. */
static void item_refresh(struct item *it)
{
	item_hook(it);
	/* pairs with the unlock or atomic operation before others look for waiters */
	atomic_fence();
	if (item_poll(it))
		item_set_ready(it);
}

static int item_add(struct epoll *ep, struct file *f, int fd, const struct epoll_event *event)
	MUST_HOLD(ep->lock)
{
	struct item *it;

	if (!user_charge(ep->user, USER_EPOLL_WATCHES, READ_ONCE(epoll_max_watches)))
		return -ENOSPC;
	it = mem_alloc(sizeof(*it), SLAB_ZERO);
	if (!it) {
		user_uncharge(ep->user, USER_EPOLL_WATCHES);
		return -ENOMEM;
	}
	it->file = f;
	it->fd = fd;
	it->events = event->events;
	it->data = event->data;
	it->set = ep;
	refcount_get(&ep->refs);
	rbtree_insert(&ep->items, &it->node, item_less);
	file_add_item(f, it);
	item_refresh(it);
	return 0;
}

static void item_modify(struct item *it, const struct epoll_event *event)
{
	WRITE_ONCE(it->events, event->events);
	it->data = event->data;
	item_refresh(it);
}

/* ---- epoll_ctl ---- */

static int control_locked(struct epoll *ep, int op, int fd, struct file *f,
	const struct epoll_event *event) MUST_HOLD(ep->lock)
{
	struct item *it = item_find(ep, f, fd);

	switch (op) {
	case EPOLL_CTL_ADD:
		return it ? -EEXIST : item_add(ep, f, fd, event);
	case EPOLL_CTL_MOD:
		if (!it)
			return -ENOENT;
		if (it->events & EPOLLEXCLUSIVE)
			return -EINVAL;
		item_modify(it, event);
		return 0;
	case EPOLL_CTL_DEL:
		if (!it)
			return -ENOENT;
		item_remove(ep, it);
		set_put(ep); /* not the last: the file has one */
		return 0;
	}
	return -EINVAL;
}

int epoll_control_once(
	struct epoll *ep, int op, int fd, struct file *f, const struct epoll_event *event)
{
	int err;

	mutex_lock(&ep->lock);
	err = control_locked(ep, op, fd, f, event);
	mutex_unlock(&ep->lock);
	return err;
}

int epoll_control(
	struct file *set, int op, int fd, struct file *target, const struct epoll_event *event)
{
	struct epoll_event e = {0};

	if (!target->ops->poll)
		return -EPERM;
	if (set == target || !epoll_is_set(set))
		return -EINVAL;
	if (op != EPOLL_CTL_DEL)
		e = *event;
	if (e.events & EPOLLEXCLUSIVE) {
		if (op == EPOLL_CTL_MOD)
			return -EINVAL;
		if (op == EPOLL_CTL_ADD &&
			(epoll_is_set(target) || (e.events & ~EXCLUSIVE_MAY_HAVE)))
			return -EINVAL;
	}
	e.events |= EPOLLERR | EPOLLHUP;
	if (op == EPOLL_CTL_ADD && (epoll_is_set(target) || READ_ONCE(set->epoll_items)))
		return epoll_add_nested(set, fd, target, &e);
	return epoll_control_once(set->private_data, op, fd, target, &e);
}

/* ---- Collecting ---- */

/*
 * Takes the first item off the list. *last, NULL at first, becomes who is the last one then; *more:
 * that one is still to come. What is made ready since is behind it, and not for this turn: no item
 * comes twice.
 */
static struct item *pop_ready(struct epoll *ep, struct list_node **last, bool *more)
{
	struct item *it;

	irqlock_lock(&ep->queue.lock);
	if (!*last)
		*last = ep->ready.head.prev;
	it = list_pop_head(&ep->ready, struct item, ready_link);
	*more = it && &it->ready_link != *last;
	irqlock_unlock(&ep->queue.lock);
	return it;
}

/* An item that was taken off stays ready; a wake-up may have put it on the list meanwhile. */
static void keep_ready(struct epoll *ep, struct item *it, struct list *again)
{
	irqlock_lock(&ep->queue.lock);
	if (list_node_is_linked(&it->ready_link))
		list_remove(&it->ready_link);
	list_add_tail(again, &it->ready_link);
	irqlock_unlock(&ep->queue.lock);
}

static bool is_level_triggered(const struct item *it)
{
	return !(it->events & (EPOLLET | EPOLLONESHOT));
}

/*
 * Items taken are on `again` if they stay ready. There they are linked, so wake-ups leave them alone.
 * How many events were written; -EFAULT if not even the first.
 */
static int64_t collect_locked(struct epoll *ep, uptr to, unsigned max, struct list *again)
	MUST_HOLD(ep->lock)
{
	struct list_node *last = NULL;
	bool more = true;
	int64_t nr = 0;

	while (more && nr < max) {
		struct item *it = pop_ready(ep, &last, &more);
		struct epoll_event e;

		if (!it)
			break;
		e.events = item_poll(it);
		e.data = it->data;
		if (!e.events)
			continue;
		if (user_put(to, e)) {
			keep_ready(ep, it, again);
			return nr ? nr : -EFAULT;
		}
		to = uptr_add(to, sizeof(e));
		nr++;
		if (is_level_triggered(it))
			keep_ready(ep, it, again);
		else if (it->events & EPOLLONESHOT)
			WRITE_ONCE(it->events, it->events & HOW_BITS);
	}
	return nr;
}

/*
 * The common case, without the queue's lock: one level-triggered item, which stays where it is as it is
 * ready. Only holders of ep->lock take items off, so the first one is no stranger.
 * 0: not that case.
 */
static int64_t collect_only(struct epoll *ep, uptr to) MUST_HOLD(ep->lock)
{
	struct list_node *first = READ_ONCE(ep->ready.head.next);
	struct epoll_event e;
	struct item *it;

	if (first == &ep->ready.head || READ_ONCE(first->next) != &ep->ready.head)
		return 0;
	it = container_of(first, struct item, ready_link);
	if (!is_level_triggered(it) || !(e.events = item_poll(it)))
		return 0;
	e.data = it->data;
	if (user_put(to, e))
		return -EFAULT;
	if (waitq_has_waiters(&ep->queue)) /* it is ready for others, too */
		waitq_wake_one(&ep->queue, POLLIN | POLLRDNORM);
	return 1;
}

int64_t epoll_collect(struct file *set, uptr events, unsigned max)
{
	struct epoll *ep = set->private_data;
	struct list again;
	int64_t nr;

	if (list_is_empty(&ep->ready)) /* a hint; who is queued and sees it is woken later */
		return 0;
	mutex_lock(&ep->lock);
	nr = collect_only(ep, events);
	if (nr) {
		mutex_unlock(&ep->lock);
		return nr;
	}
	list_init(&again);
	nr = collect_locked(ep, events, max, &again);
	irqlock_lock(&ep->queue.lock);
	list_splice_tail(&ep->ready, &again);
	if (!list_is_empty(&ep->ready) && waitq_has_waiters(&ep->queue))
		waitq_wake_locked(&ep->queue, 1, POLLIN | POLLRDNORM);
	irqlock_unlock(&ep->queue.lock);
	mutex_unlock(&ep->lock);
	return nr;
}

void epoll_wake_next(struct file *set)
{
	struct epoll *ep = set->private_data;

	if (!list_is_empty(&ep->ready))
		waitq_wake_one(&ep->queue, POLLIN | POLLRDNORM);
}

/* ---- A set's own file ---- */

/* Whether the list has an item that is ready; takes those off that are not. */
static bool has_ready_locked(struct epoll *ep) MUST_HOLD(ep->lock)
{
	struct list_node *last = NULL;
	bool more = true;

	while (more) {
		struct item *it = pop_ready(ep, &last, &more);

		if (!it)
			break;
		if (!item_poll(it))
			continue;
		irqlock_lock(&ep->queue.lock);
		if (!list_node_is_linked(&it->ready_link))
			list_add_head(&ep->ready, &it->ready_link);
		irqlock_unlock(&ep->queue.lock);
		return true;
	}
	return false;
}

static uint32_t epoll_poll(struct file *f)
{
	struct epoll *ep = f->private_data;
	bool is_ready;

	if (list_is_empty(&ep->ready))
		return 0;
	mutex_lock_nested(&ep->lock, epoll_mutex_key(ep));
	is_ready = has_ready_locked(ep);
	mutex_unlock(&ep->lock);
	return is_ready ? POLLIN | POLLRDNORM : 0;
}

static struct waitq *epoll_file_waitq(struct file *f, uint32_t events UNUSED)
{
	return epoll_waitq(f);
}

static void epoll_fdinfo(struct file *f, struct text *out)
{
	struct epoll *ep = f->private_data;

	mutex_lock(&ep->lock);
	rbtree_for_each (it, &ep->items, struct item, node)
		text_add(out, "tfd: %8d events: %8x data: %16lx  pos:%ld ino:%lx sdev:%x\n",
			it->fd, it->events, it->data, it->file->pos, it->file->inode->ino,
			it->file->inode->super->dev);
	mutex_unlock(&ep->lock);
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->private_data;
	struct rbtree_node *node;

	mutex_lock(&ep->lock);
	while ((node = rbtree_first(&ep->items))) {
		item_remove(ep, container_of(node, struct item, node));
		set_put(ep);
	}
	mutex_unlock(&ep->lock);
	set_put(ep);
}

/* Some item of f, as the set it is in; with a reference. */
static struct epoll *some_set_of(struct file *f)
{
	struct epoll *ep = NULL;

	irqlock_lock(&f->flags_lock);
	if (f->epoll_items) {
		ep = ((struct item *)f->epoll_items)->set;
		refcount_get(&ep->refs);
	}
	irqlock_unlock(&f->flags_lock);
	return ep;
}

void epoll_forget_file(struct file *f)
{
	struct item_key first = {f, INT64_MIN};
	struct epoll *ep;

	while ((ep = some_set_of(f))) {
		struct item *it;

		mutex_lock(&ep->lock);
		while ((it = rbtree_object(rbtree_lower_bound(&ep->items, &first, compare),
				struct item, node)) &&
			it->file == f) {
			item_remove(ep, it);
			set_put(ep);
		}
		mutex_unlock(&ep->lock);
		set_put(ep);
	}
}

static const struct file_ops epoll_ops = {
	.name = "[eventpoll]",
	.seek = file_seek_nowhere,
	.poll = epoll_poll,
	.waitq = epoll_file_waitq,
	.fdinfo = epoll_fdinfo,
	.release = epoll_release,
};

int epoll_create(struct file **out)
{
	struct epoll *ep = mem_alloc(sizeof(*ep), SLAB_ZERO);
	int err;

	if (!ep)
		return -ENOMEM;
	mutex_init(&ep->lock, RANK_EPOLL, "epoll");
	rbtree_init(&ep->items, NULL);
	waitq_init(&ep->queue);
	list_init(&ep->ready);
	ep->order = 1;
	refcount_init(&ep->refs, 1);
	ep->user = user_get_current();
	err = file_open_anonymous(&ep->file, &epoll_ops, "[eventpoll]", ep, O_RDWR,
		FILE_READ | FILE_WRITE | FILE_STREAM);
	if (err) {
		set_put(ep);
		return err;
	}
	*out = ep->file;
	return 0;
}

void epoll_init(void)
{
	struct page_stats stats;

	/* man 7 epoll: a twenty-fifth of memory */
	page_get_stats(&stats);
	epoll_max_watches = stats.total * PAGE_SIZE / SHARE_OF_MEMORY / sizeof(struct item);
}
