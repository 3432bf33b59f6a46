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
 * Sets in sets. The queue of a set is woken inside a wake-up of another queue, with that one
 * locked. To keep the order, a set has a number, higher than that of every set in it; queues of
 * sets are locked in the order of these numbers, their mutexes the other way round, from the outer
 * set to the inner. Numbers never fall, as somebody may hold a lock by the old one. So what limits
 * the nesting to MAX_LEVEL sets, and forbids loops, is counted anew from the items for each set
 * that is added to another.
 *
 * Locks   nest_lock   RANK_EPOLL_NEST  the order of sets, and adding sets to sets
 *         set->lock   RANK_EPOLL [m]   items; key from the end: outer sets first
 *         f->flags_lock  RANK_FILE [f] the items of a file; of a set's file in a set's: by depth
 *         set->queue.lock  RANK_WAITQ, key order [q]  the ready list and who waits for it
 * Spec    man 7 epoll, man 2 epoll_ctl
 */
#include "fs/vfs/epoll.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "fs/vfs/inode.h"
#include "lib/fmt.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

enum {
	MAX_LEVEL = 5, /* man 2 epoll_ctl, ELOOP: "a nesting depth ... greater than 5" */
	SHARE_OF_MEMORY = 25,
};

uint64_t epoll_max_watches; /* [a] */

/* How an item behaves; everything else in `events` is poll's. */
#define HOW_BITS (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)
static const uint32_t EXCLUSIVE_MAY_HAVE =
	EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
static const uint32_t ANY_OUT = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

struct epoll {
	struct mutex lock;
	struct rbtree items; /* [m] by file and number */
	struct waitq queue;  /* its lock is [q] */
	struct list ready;   /* [q] */
	uint64_t order;      /* [a] written under nest_lock; above that of any set in it */
	uint64_t round;      /* nest_lock: the last search that came by */
	int depth;           /* nest_lock: what that search found here */
	struct file *file;   /* [I] the set's own; no reference */
	struct user *user;   /* [I] who made it, and whose items are counted; one reference */
	refcount refs;       /* [a] the file, and each item */
};

struct hook {
	struct waiter waiter;
	struct waitq *queue; /* [I] NULL: not used */
	struct item *item;   /* [I] */
};

struct item {
	struct rbtree_node node;     /* [m] */
	struct file *file;           /* [I] no reference */
	int fd;                      /* [I] */
	uint32_t events;             /* [m] to write; wake-ups read it */
	uint64_t data;               /* [m] */
	struct epoll *set;           /* [I] one reference */
	struct list_node ready_link; /* [q] */
	struct item *next_of_file;   /* [f] NULL: the last */
	struct item *prev_of_file;   /* [f] NULL: the first */
	struct hook hooks[2];
};

static struct mutex nest_lock = MUTEX_INIT(RANK_EPOLL_NEST, "epoll nesting");

static const struct file_ops epoll_ops;

bool epoll_is_set(const struct file *f)
{
	return f->ops == &epoll_ops;
}

struct waitq *epoll_waitq(struct file *set)
{
	return &((struct epoll *)set->private_data)->queue;
}

static uint64_t mutex_key(const struct epoll *ep)
{
	return UINT64_MAX - atomic_load_relaxed(&ep->order);
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

/* ---- Sets in sets ---- */

static uint64_t nest_round; /* nest_lock: of the search under way */

/*
 * How many sets lie one in another from ep down, with ep; -ELOOP: `what` is one of them. A set that is
 * there on many ways is looked at once.
 */
static int depth_below(struct epoll *ep, const struct epoll *what) MUST_HOLD(nest_lock)
{
	int deepest = 0;

	if (ep == what)
		return -ELOOP;
	if (ep->round == nest_round)
		return ep->depth;
	ep->round = nest_round;
	mutex_lock_nested(&ep->lock, mutex_key(ep));
	rbtree_for_each (it, &ep->items, struct item, node) {
		int depth =
			epoll_is_set(it->file) ? depth_below(it->file->private_data, what) : 0;

		deepest = depth < 0 ? depth : MAX(deepest, depth);
		if (deepest < 0)
			break;
	}
	mutex_unlock(&ep->lock);
	ep->depth = deepest + 1; /* after -ELOOP nobody asks */
	return deepest < 0 ? deepest : ep->depth;
}

/* The same upwards from a set, by its file; `locked` are held already. There is no loop. */
static int depth_above(struct file *f, unsigned locked) NOT_ANALYSED /* locked with a key */
{
	struct epoll *ep = f->private_data;
	int most = 0;

	if (ep->round == nest_round)
		return ep->depth;
	ep->round = nest_round;
	/* A set that has an item here cannot go away: its release takes the item out first. */
	irqlock_lock_nested(&f->flags_lock, locked);
	for (struct item *it = f->epoll_items; it; it = it->next_of_file)
		most = MAX(most, depth_above(it->set->file, locked + 1));
	irqlock_unlock(&f->flags_lock);
	ep->depth = most + 1;
	return ep->depth;
}

/* The file of a set that has f in it and is not behind that place in the order; with a reference. */
static struct file *container_not_behind(struct file *f, uint64_t order)
{
	struct file *found = NULL;

	irqlock_lock(&f->flags_lock);
	for (struct item *it = f->epoll_items; it && !found; it = it->next_of_file)
		/* One that is being released loses its items soon, and wakes nobody. */
		if (it->set->order <= order && refcount_try_get(&it->set->file->refs))
			found = it->set->file;
	irqlock_unlock(&f->flags_lock);
	return found;
}

/* The sets around it rise first, so that the order holds at every moment. */
static void set_raise(struct file *f, uint64_t order) MUST_HOLD(nest_lock)
{
	struct epoll *ep = f->private_data;
	struct file *around;

	while ((around = container_not_behind(f, order))) {
		set_raise(around, order + 1);
		file_put(around);
	}
	if (ep->order < order)
		atomic_store_release(
			&ep->order, order); /* pairs with the load in item_set_ready */
}

static int set_prepare_nesting(struct file *set, struct file *inner) MUST_HOLD(nest_lock)
{
	struct epoll *ep = inner->private_data;
	int below;

	nest_round++;
	below = depth_below(ep, set->private_data);
	if (below < 0)
		return below;
	nest_round++;
	if (below + depth_above(set, 0) > MAX_LEVEL)
		return -ELOOP;
	set_raise(set, ep->order + 1);
	return 0;
}

/*
 * An event of a file wakes every set above it, on each way up: with sets in sets those ways multiply.
 * So a file has only so many of each length, as on Linux; of the length one, any number.
 */
static bool ways_up_are_few(struct file *f, unsigned depth,
	unsigned ways[MAX_LEVEL]) NOT_ANALYSED /* locked with a key */
{
	static const unsigned most[MAX_LEVEL] = {UINT32_MAX, 500, 100, 50, 10};
	bool is_fine = true;

	/* A set that has an item here cannot go away: its release takes the item out first. */
	irqlock_lock_nested(&f->flags_lock, depth);
	for (struct item *it = f->epoll_items; it && is_fine; it = it->next_of_file) {
		struct file *above = it->set->file;

		if (READ_ONCE(above->epoll_items))
			is_fine = depth + 1 < MAX_LEVEL &&
				  ways_up_are_few(above, depth + 1, ways);
		else
			is_fine = ++ways[depth] <= most[depth];
	}
	irqlock_unlock(&f->flags_lock);
	return is_fine;
}

/* The same of every file in a set, and in sets in it. */
static bool ways_from_set_are_few(struct epoll *ep) MUST_HOLD(nest_lock)
{
	bool is_fine = true;

	if (ep->round == nest_round)
		return true;
	ep->round = nest_round;
	mutex_lock_nested(&ep->lock, mutex_key(ep));
	rbtree_for_each (it, &ep->items, struct item, node) {
		unsigned ways[MAX_LEVEL] = {0};

		is_fine = epoll_is_set(it->file) ? ways_from_set_are_few(it->file->private_data)
						 : ways_up_are_few(it->file, 0, ways);
		if (!is_fine)
			break;
	}
	mutex_unlock(&ep->lock);
	return is_fine;
}

static bool ways_are_few(struct file *f) MUST_HOLD(nest_lock)
{
	unsigned ways[MAX_LEVEL] = {0};

	nest_round++;
	return epoll_is_set(f) ? ways_from_set_are_few(f->private_data)
			       : ways_up_are_few(f, 0, ways);
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

static int control_once(
	struct epoll *ep, int op, int fd, struct file *f, const struct epoll_event *event)
{
	int err;

	mutex_lock(&ep->lock);
	err = control_locked(ep, op, fd, f, event);
	mutex_unlock(&ep->lock);
	return err;
}

/* Adds a set, or to a set that is in another. */
static int add_nested(struct file *set, int fd, struct file *f, const struct epoll_event *event)
{
	struct epoll *ep = set->private_data;
	int err = 0;

	mutex_lock(&nest_lock);
	if (epoll_is_set(f))
		err = set_prepare_nesting(set, f);
	if (!err)
		err = control_once(ep, EPOLL_CTL_ADD, fd, f, event);
	if (!err && !ways_are_few(f)) {
		(void)control_once(ep, EPOLL_CTL_DEL, fd, f, NULL);
		err = -EINVAL;
	}
	mutex_unlock(&nest_lock);
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
		return add_nested(set, fd, target, &e);
	return control_once(set->private_data, op, fd, target, &e);
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
	mutex_lock_nested(&ep->lock, mutex_key(ep));
	is_ready = has_ready_locked(ep);
	mutex_unlock(&ep->lock);
	return is_ready ? POLLIN | POLLRDNORM : 0;
}

static struct waitq *epoll_file_waitq(struct file *f, uint32_t events UNUSED)
{
	return epoll_waitq(f);
}

static int epoll_fdinfo(struct file *f, char *buf, size_t size)
{
	struct epoll *ep = f->private_data;
	size_t n = 0;

	mutex_lock(&ep->lock);
	rbtree_for_each (it, &ep->items, struct item, node) {
		if (n >= size)
			break;
		n += snformat(buf + n, size - n,
			"tfd: %8d events: %8x data: %16lx  pos:%ld ino:%lx sdev:%x\n", it->fd,
			it->events, it->data, it->file->pos, it->file->inode->ino,
			it->file->inode->super->dev);
	}
	mutex_unlock(&ep->lock);
	return (int)MIN(n, size);
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
