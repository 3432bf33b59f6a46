// SPDX-License-Identifier: MIT
/*
 * All unix sockets, in the order in which they were made: for /proc/net/unix alone.
 *
 * A socket is on the list until its last reference goes. Whoever walks along holds the one it is at,
 * so that its place stays, and steps over those whose count has reached 0, and those that died
 * with their file.
 *
 * Locks   sockets_lock  RANK_UNIX_LIST [s]  spinning: the list; sock->lock outside of it, for a
 *         look at one socket
 */
#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/unix/unix_priv.h"
#include "security/random.h"

static struct spinlock sockets_lock = SPINLOCK_INIT(RANK_UNIX_LIST, "unix sockets");
static struct list sockets = LIST_INIT(sockets); /* [s] */
static struct hash_key id_key;                   /* [s] zero: not drawn yet */

void unix_list_add(struct unix_sock *u)
{
	spinlock_lock(&sockets_lock);
	list_add_tail(&sockets, &u->all_link);
	spinlock_unlock(&sockets_lock);
}

void unix_list_remove(struct unix_sock *u)
{
	spinlock_lock(&sockets_lock);
	list_remove(&u->all_link);
	spinlock_unlock(&sockets_lock);
}

/* ---- One after another ---- */

/* With a reference; gives up that of `at`. */
static struct unix_sock *step(struct unix_sock *at)
{
	struct unix_sock *next = NULL;
	struct list_node *n;

	spinlock_lock(&sockets_lock);
	n = at ? at->all_link.next : sockets.head.next;
	for (; n != &sockets.head && !next; n = n->next) {
		struct unix_sock *u = container_of(n, struct unix_sock, all_link);

		if (refcount_try_get(&u->refs))
			next = u;
	}
	spinlock_unlock(&sockets_lock);
	if (at)
		unix_put(at);
	return next;
}

/* A number in place of its address, which nobody is to learn. */
static uint64_t id_of(const struct unix_sock *u)
{
	uintptr_t address = (uintptr_t)u;
	struct hash_key fresh, key;

	random_bytes(&fresh, sizeof(fresh));
	spinlock_lock(&sockets_lock);
	if (!id_key.k0)
		id_key = (struct hash_key){fresh.k0 | 1, fresh.k1};
	key = id_key;
	spinlock_unlock(&sockets_lock);
	return hash_bytes(&key, &address, sizeof(address));
}

/* False: it died. */
static bool look_at(struct unix_sock *u, struct unix_info *out)
{
	struct socket_addr name = {0};
	const struct file *f;
	bool is_alive;

	*out = (struct unix_info){.id = id_of(u), .type = u->base.type};
	mutex_lock(&u->lock);
	is_alive = u->state != UNIX_DEAD;
	if (is_alive) { /* the file waits for our lock before it goes */
		f = READ_ONCE(u->base.file);
		out->ino = f ? f->inode->ino : 0;
		out->refs = refcount_read(&u->refs) - 1; /* without our own */
		out->is_listening = u->state == UNIX_LISTENING;
		out->is_connected = u->state == UNIX_CONNECTED || u->is_sent_to;
		unix_copy_addr(u, &name);
	}
	mutex_unlock(&u->lock);
	if (name.len > sizeof(name.family)) {
		out->name_len = name.len - (unsigned)sizeof(name.family);
		memcpy(out->name, name.bytes + sizeof(name.family), out->name_len);
	}
	return is_alive;
}

bool unix_info_next(struct unix_sock **at, struct unix_info *out)
{
	while ((*at = step(*at)))
		if (look_at(*at, out))
			return true;
	return false;
}
