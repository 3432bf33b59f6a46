// SPDX-License-Identifier: MIT
/*
 * Sets in sets.
 *
 * The queue of a set is woken inside a wake-up of another queue, with that one locked. To keep the order, a
 * set has a number, higher than that of every set in it; queues of sets are locked in the order of these
 * numbers, their mutexes the other way round, from the outer set to the inner. Numbers never fall, as somebody
 * may hold a lock by the old one. So what limits the nesting to MAX_LEVEL sets, and forbids loops, is counted
 * anew from the items for each set that is added to another.
 *
 * Locks   nest_lock   RANK_EPOLL_NEST  the order of sets, and adding sets to sets
 *         others: epoll.c
 * Spec    man 2 epoll_ctl, ELOOP
 */
#include "fs/vfs/epoll_priv.h"
#include "fs/vfs/file.h"

enum { MAX_LEVEL = 5 /* man 2 epoll_ctl, ELOOP: "a nesting depth ... greater than 5" */ };

static struct mutex nest_lock = MUTEX_INIT(RANK_EPOLL_NEST, "epoll nesting");
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
	mutex_lock_nested(&ep->lock, epoll_mutex_key(ep));
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
	mutex_lock_nested(&ep->lock, epoll_mutex_key(ep));
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

int epoll_add_nested(struct file *set, int fd, struct file *f, const struct epoll_event *event)
{
	struct epoll *ep = set->private_data;
	int err = 0;

	mutex_lock(&nest_lock);
	if (epoll_is_set(f))
		err = set_prepare_nesting(set, f);
	if (!err)
		err = epoll_control_once(ep, EPOLL_CTL_ADD, fd, f, event);
	if (!err && !ways_are_few(f)) {
		(void)!epoll_control_once(ep, EPOLL_CTL_DEL, fd, f, NULL);
		err = -EINVAL;
	}
	mutex_unlock(&nest_lock);
	return err;
}
