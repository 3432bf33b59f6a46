// SPDX-License-Identifier: MIT
/*
 * Shared subtrees: a mount made in one place appears in others.
 *
 *     shared    one of a ring of peers (peer_link, one peer_group); what changes below one, changes
 *               below all
 *     slave     gets the changes of its master and gives none back; may be shared as well, and so
 *               passes them on to peers of its own
 *     private   neither; unbindable: nor may it be copied
 *
 * Peers of a slave group all hang on their master's list of slaves.
 *
 * Who gets the changes below a mount is found by walking: its ring, and for each member of the
 * ring its slaves, each with its own ring and slaves in turn. The walk below needs no stack: a
 * mount's next is below it (its slaves), or beside it, or above (its master's next).
 *
 * Locks   mount_lock
 * Spec    man 7 mount_namespaces: SHARED SUBTREES
 */
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/mount_priv.h"
#include "lib/assert.h"
#include "lib/atomic.h"

#include <linux/mount.h>

static uint32_t next_group = 1; /* [M] */

void propagation_init_mount(struct mount *m)
{
	m->peer_link = (struct list_node){&m->peer_link, &m->peer_link};
}

static bool is_shared(const struct mount *m)
{
	return m->propagation & MS_SHARED;
}

static struct mount *next_peer(struct mount *m)
{
	return container_of(m->peer_link.next, struct mount, peer_link);
}

static bool is_alone(const struct mount *m)
{
	return m->peer_link.next == &m->peer_link;
}

static void leave_ring(struct mount *m)
{
	m->peer_link.next->prev = m->peer_link.prev;
	m->peer_link.prev->next = m->peer_link.next;
	propagation_init_mount(m);
	m->peer_group = 0;
	m->propagation &= ~(uint32_t)MS_SHARED;
}

static void join_ring(struct mount *m, struct mount *peer)
{
	m->peer_link.next = peer->peer_link.next;
	m->peer_link.prev = &peer->peer_link;
	peer->peer_link.next->prev = &m->peer_link;
	peer->peer_link.next = &m->peer_link;
	m->peer_group = peer->peer_group;
	m->propagation |= MS_SHARED;
}

static void set_master(struct mount *m, struct mount *master)
{
	if (m->master)
		list_remove(&m->slave_link);
	m->master = master;
	if (master)
		list_add_tail(&master->slaves, &m->slave_link);
}

static void make_shared(struct mount *m)
{
	if (is_shared(m))
		return;
	m->peer_group = next_group++;
	m->propagation = MS_SHARED;
}

/* No peer any more; its slaves, and it itself, get a peer it had as master, or the master it has. */
static void make_slave(struct mount *m)
{
	struct mount *master = is_alone(m) ? m->master : next_peer(m);

	leave_ring(m);
	list_for_each_safe (s, &m->slaves, struct mount, slave_link)
		set_master(s, master);
	if (m->master != master)
		set_master(m, master);
}

void propagation_change(struct mount *m, unsigned type)
{
	if (type == MS_SHARED) {
		make_shared(m);
		return;
	}
	make_slave(m);
	if (type == MS_SLAVE)
		return;
	set_master(m, NULL);
	m->propagation = type == MS_UNBINDABLE ? MS_UNBINDABLE : 0;
}

void propagation_copy(struct mount *m, struct mount *old, unsigned how)
{
	if (how & COPY_SLAVE) {
		if (is_shared(old))
			set_master(m, old);
	} else if (!(how & COPY_PRIVATE)) {
		if (is_shared(old))
			join_ring(m, old);
		if (old->master)
			set_master(m, old->master);
	}
	if (how & COPY_UNBINDABLE)
		m->propagation |= old->propagation & MS_UNBINDABLE;
	if (how & COPY_MAKE_SHARED)
		make_shared(m);
}

/* ---- Who gets the changes of a mount ---- */

/* The first slave of a ring's members from m on, up to (not with) `until`; NULL. */
static struct mount *first_slave_of_ring(struct mount *m)
{
	struct mount *at = m;

	do {
		struct mount *s = list_first(&at->slaves, struct mount, slave_link);

		if (s)
			return s;
		at = next_peer(at);
	} while (at != m);
	return NULL;
}

/*
 * Calls fn for everything that gets what happens at `origin`, masters before slaves. Stops at the
 * first error. Depth: slaves of slaves of slaves; a chain is as long as somebody made it, so its
 * rest is refused beyond a bound.
 */
enum { MAX_SLAVE_DEPTH = 32 };

typedef int visit_fn(struct mount *to, struct mount *from, void *ctx);

static int visit_slaves(struct mount *ring, visit_fn *fn, void *ctx, unsigned depth)
{
	struct mount *member = ring;
	int err;

	if (depth > MAX_SLAVE_DEPTH)
		return -ENOSPC;
	if (!first_slave_of_ring(ring))
		return 0;
	do {
		list_for_each (s, &member->slaves, struct mount, slave_link) {
			err = fn(s, member, ctx);
			if (err)
				return err;
		}
		/* their slaves in turn; a ring of slaves once, from its first member on this list */
		list_for_each (s, &member->slaves, struct mount, slave_link) {
			bool is_first = true;

			list_for_each (t, &member->slaves, struct mount, slave_link) {
				if (t == s)
					break;
				if (s->peer_group && t->peer_group == s->peer_group)
					is_first = false;
			}
			err = is_first ? visit_slaves(s, fn, ctx, depth + 1) : 0;
			if (err)
				return err;
		}
		member = next_peer(member);
	} while (member != ring);
	return 0;
}

static int visit_all(struct mount *origin, visit_fn *fn, void *ctx)
{
	for (struct mount *peer = next_peer(origin); peer != origin; peer = next_peer(peer)) {
		int err = fn(peer, origin, ctx);

		if (err)
			return err;
	}
	return visit_slaves(origin, fn, ctx, 0);
}

/* ---- Mounting ---- */

struct spread {
	struct mount *tree;
	struct dentry *mountpoint;
	struct list copies; /* ns_link: the roots, with old_parent saying where each belongs */
};

/* The copy that was made for this mount, or the tree itself. */
static struct mount *copy_made_for(struct spread *s, const struct mount *to)
{
	list_for_each (c, &s->copies, struct mount, ns_link)
		if (c->old_parent == to)
			return c;
	return s->tree;
}

/* A copy for a peer of somebody served already is that copy's peer; for a slave, its slave. */
static int spread_to(struct mount *to, struct mount *from, void *ctx)
{
	struct spread *s = ctx;
	struct mount *source = copy_made_for(s, from), *copy;
	unsigned how = COPY_PEER;
	int err;

	if (!to->ns || !dentry_is_below(s->mountpoint, to->root))
		return 0;
	if (to->peer_group != from->peer_group || !to->peer_group) {
		how = COPY_SLAVE | (is_shared(to) ? COPY_MAKE_SHARED : 0);
		list_for_each (c, &s->copies, struct mount, ns_link)
			if (to->peer_group && c->old_parent->peer_group == to->peer_group) {
				source = c;
				how = COPY_PEER;
			}
	}
	err = mount_tree_copy(source, source->root, how, &copy);
	if (err)
		return err;
	copy->old_parent = to;
	list_add_tail(&s->copies, &copy->ns_link);
	return mount_ns_may_grow(to->ns, copy);
}

static void drop_copies(struct spread *s)
{
	struct list doomed = LIST_INIT(doomed);
	struct mount *c;

	while ((c = list_pop_head(&s->copies, struct mount, ns_link))) {
		c->old_parent = NULL;
		mount_tree_take_down(c, &doomed);
	}
	mount_tree_release(&doomed); /* copies: no filesystem ends with them */
}

int propagation_attach(struct mount *tree, struct mount *parent, struct dentry *mountpoint)
{
	struct spread s = {
		.tree = tree, .mountpoint = mountpoint, .copies = LIST_INIT(s.copies)};
	struct mount *c;
	int err = mount_ns_may_grow(parent->ns, tree);

	if (!err && is_shared(parent)) {
		for (struct mount *m = tree; m; m = mount_tree_next(m, tree))
			make_shared(m);
		err = visit_all(parent, spread_to, &s);
	}
	if (err) {
		drop_copies(&s);
		return err;
	}
	mount_attach(tree, parent, mountpoint);
	mount_ns_adopt(parent->ns, tree);
	while ((c = list_pop_head(&s.copies, struct mount, ns_link))) {
		struct mount *to = c->old_parent;

		c->old_parent = NULL;
		mount_attach(c, to, mountpoint);
		mount_ns_adopt(to->ns, c);
	}
	return 0;
}

/* ---- Unmounting ---- */

struct copies {
	const struct mount *of;
	void (*fn)(struct mount *copy, void *ctx);
	void *ctx;
};

static int find_copy(struct mount *to, struct mount *from UNUSED, void *ctx)
{
	struct copies *c = ctx;
	struct mount *m = mount_find_rcu(to, c->of->mountpoint);

	if (m && m != c->of)
		c->fn(m, c->ctx);
	return 0;
}

void propagation_for_each_copy(
	struct mount *m, void (*fn)(struct mount *copy, void *ctx), void *ctx)
{
	struct copies c = {.of = m, .fn = fn, .ctx = ctx};

	if (m->parent != m)
		(void)visit_all(m->parent, find_copy, &c); /* find_copy never fails */
}
