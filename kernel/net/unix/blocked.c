// SPDX-License-Identifier: MIT
/*
 * Senders that found no room at another socket, and are told when there is some.
 *
 * Who waits, waits on its own `writable`. For whose room is kept here, a pair of sockets once: threads that
 * send with one socket to several wait for the room of each. A pair is forgotten when there is room,
 * or when one of the two dies; so those who come, find no room and go leave nothing behind.
 *
 * Neither refers to the other: who dies takes itself off both kinds of list, under the lock under
 * which a sender is woken.
 *
 * Locks   blocked_lock  RANK_UNIX_BLOCKED [b]  spinning, below socket locks: these lists of all
 *         sockets. Only who holds the lock of whose room it is adds a pair.
 */
#include <asm/poll.h>

#include "lib/atomic.h"
#include "mm/slab.h"
#include "net/unix/unix_priv.h"

/* A sender that found no room: told when there is some, by its own writable queue. */
struct unix_blocked {
	struct list_node link;        /* [b] to_wait_for->blocked */
	struct list_node sender_link; /* [b] sender->waits_for */
	struct unix_sock *to_wait_for, *sender; /* [I] no references */
};

static struct spinlock blocked_lock = SPINLOCK_INIT(RANK_UNIX_BLOCKED, "unix blocked");

static bool is_blocked_on(struct unix_sock *to_wait_for, struct unix_sock *u)
{
	bool is_there = false;

	spinlock_lock(&blocked_lock);
	list_for_each (b, &u->waits_for, struct unix_blocked, sender_link)
		is_there |= b->to_wait_for == to_wait_for;
	spinlock_unlock(&blocked_lock);
	return is_there;
}

int unix_block_on(struct unix_sock *to_wait_for, struct unix_sock *u)
{
	struct unix_blocked *b;

	debug_assert(to_wait_for->state != UNIX_DEAD);
	if (is_blocked_on(to_wait_for, u))
		return 0;
	b = mem_alloc(sizeof(*b), SLAB_ZERO);
	if (!b)
		return -ENOMEM;
	b->to_wait_for = to_wait_for;
	b->sender = u;
	spinlock_lock(&blocked_lock);
	list_add_tail(&to_wait_for->blocked, &b->link);
	list_add_tail(&u->waits_for, &b->sender_link);
	spinlock_unlock(&blocked_lock);
	return 0;
}

/* The next who waits for u's room, told and taken off. */
static struct unix_blocked *wake_next(struct unix_sock *u)
{
	struct unix_blocked *b;

	spinlock_lock(&blocked_lock);
	b = list_pop_head(&u->blocked, struct unix_blocked, link);
	if (b) {
		list_remove(&b->sender_link);
		/* it cannot die before we let go */
		waitq_wake_all(&b->sender->base.writable, POLLOUT | POLLWRNORM | POLLWRBAND);
	}
	spinlock_unlock(&blocked_lock);
	return b;
}

void unix_unblock(struct unix_sock *u)
{
	struct unix_blocked *b;

	/* nobody is added while we hold u->lock */
	if (READ_ONCE(u->blocked.head.next) == &u->blocked.head)
		return;
	while ((b = wake_next(u)))
		mem_free(b);
}

/* The next for whose room u waits, taken off. */
static struct unix_blocked *leave_next(struct unix_sock *u)
{
	struct unix_blocked *b;

	spinlock_lock(&blocked_lock);
	b = list_pop_head(&u->waits_for, struct unix_blocked, sender_link);
	if (b)
		list_remove(&b->link);
	spinlock_unlock(&blocked_lock);
	return b;
}

void unix_forget_blocked(struct unix_sock *u)
{
	struct unix_blocked *b;

	/* with the lock even if there is none: somebody may be waking us */
	while ((b = leave_next(u)))
		mem_free(b);
}
