// SPDX-License-Identifier: MIT
/*
 * Names of unix sockets.
 *
 * A name is a path (an inode of type socket, made by bind, whose `socket` field points to us), or
 * abstract (begins with NUL; a table of our own). A socket gets one name and keeps it; the
 * name of a path is what bind was given, whatever becomes of the file.
 *
 * Abstract names of different types do not meet, as on Linux, whose table is by type.
 *
 * Locks   names_lock  RANK_UNIX_NAMES [n]  inode->socket, the table, who gets addr
 * Spec    man 7 unix: "Address format", "Pathname sockets", "Autobind feature"
 */
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "lib/atomic.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/unix/unix_priv.h"
#include "security/random.h"

enum { TABLE_SIZE = 256, AUTOBIND_NAMES = 0x100000, FAMILY_LEN = sizeof(uint16_t) };

static struct mutex names_lock = MUTEX_INIT(RANK_UNIX_NAMES, "unix names");
static struct list table[TABLE_SIZE]; /* [n] zero: empty */
static uint32_t autobind_next;        /* [n] */

/* ---- Addresses ---- */

int unix_check_addr(const struct socket_addr *a)
{
	return a->len <= FAMILY_LEN || a->len > FAMILY_LEN + UNIX_PATH_MAX ||
			       a->family != AF_UNIX
		       ? -EINVAL
		       : 0;
}

/* A program's address, or what is wrong with it; a path gets its NUL. */
static int make_addr(const struct socket_addr *from, struct unix_addr **out)
{
	struct unix_addr *a;
	int err = unix_check_addr(from);

	if (err)
		return err;
	a = mem_alloc(sizeof(*a), SLAB_ZERO);
	if (!a)
		return -ENOMEM;
	refcount_init(&a->refs, 1);
	memcpy(a->bytes, from->bytes, from->len);
	a->len = from->len;
	if (!unix_addr_is_abstract(a))
		a->len = FAMILY_LEN + (unsigned)strlen((char *)a->bytes + FAMILY_LEN) + 1;
	*out = a;
	return 0;
}

static const char *path_of(const struct unix_addr *a)
{
	return (const char *)a->bytes + FAMILY_LEN;
}

void unix_copy_addr(struct unix_sock *u, struct socket_addr *out)
{
	const struct unix_addr *a = atomic_load_acquire(&u->addr); /* pairs with set_addr */

	out->len = 0;
	if (!a)
		return;
	memcpy(out->bytes, a->bytes, a->len);
	out->len = a->len;
}

int unix_get_name(struct socket *s, bool peer, struct socket_addr *out)
{
	struct unix_sock *u = unix_of(s);
	int err = 0;

	mutex_lock(&u->lock);
	if (peer && !u->peer)
		err = -ENOTCONN;
	else
		unix_copy_addr(peer ? u->peer : u, out);
	mutex_unlock(&u->lock);
	if (!err && !out->len) { /* without a name: the family alone */
		out->family = AF_UNIX;
		out->len = FAMILY_LEN;
	}
	return err;
}

/* ---- The table of abstract names ---- */

static struct list *bucket_of(const struct unix_addr *a)
{
	static struct hash_key key; /* [n] */
	struct list *l;

	if (!key.k0) {
		random_bytes(&key, sizeof(key));
		key.k0 |= 1;
	}
	l = &table[hash_bytes(&key, a->bytes, a->len) % TABLE_SIZE];
	if (!l->head.next)
		list_init(l);
	return l;
}

static struct unix_sock *find_abstract(const struct unix_addr *a, int type)
	MUST_HOLD(names_lock)
{
	list_for_each (u, bucket_of(a), struct unix_sock, hash_link)
		if (u->base.type == type && u->addr->len == a->len &&
			!memcmp(u->addr->bytes, a->bytes, a->len))
			return u;
	return NULL;
}

static void set_addr(struct unix_sock *u, struct unix_addr *a) MUST_HOLD(names_lock)
{
	atomic_store_release(&u->addr, a); /* pairs with unix_copy_addr */
}

static int bind_abstract_locked(struct unix_sock *u, struct unix_addr *a) MUST_HOLD(names_lock)
{
	if (u->addr)
		return -EINVAL;
	if (find_abstract(a, u->base.type))
		return -EADDRINUSE;
	set_addr(u, a);
	list_add_tail(bucket_of(a), &u->hash_link);
	return 0;
}

static int bind_abstract(struct unix_sock *u, struct unix_addr *a)
{
	int err;

	mutex_lock(&names_lock);
	err = bind_abstract_locked(u, a);
	mutex_unlock(&names_lock);
	return err;
}

/* man 7 unix: five hexadecimal digits behind the NUL. */
static void write_autobind_name(struct unix_addr *a, uint32_t n)
{
	static const char digits[] = "0123456789abcdef";

	a->family = AF_UNIX;
	a->bytes[FAMILY_LEN] = 0;
	for (unsigned i = 0; i < 5; i++)
		a->bytes[FAMILY_LEN + 1 + i] = (uint8_t)digits[n >> (16 - 4 * i) & 0xf];
	a->len = FAMILY_LEN + 1 + 5;
}

int unix_autobind(struct unix_sock *u)
{
	struct unix_addr *a;
	int err = -EADDRINUSE;

	if (atomic_load_acquire(&u->addr))
		return 0;
	a = mem_alloc(sizeof(*a), SLAB_ZERO);
	if (!a)
		return -ENOMEM;
	refcount_init(&a->refs, 1);
	mutex_lock(&names_lock);
	for (uint32_t i = 0; i < AUTOBIND_NAMES && err == -EADDRINUSE; i++) {
		write_autobind_name(a, autobind_next++ % AUTOBIND_NAMES);
		err = bind_abstract_locked(u, a);
	}
	mutex_unlock(&names_lock);
	if (err)
		mem_free(a);
	if (err == -EADDRINUSE)
		return -ENOSPC;
	return err == -EINVAL ? 0 : err; /* somebody else bound it meanwhile */
}

/* ---- Paths ---- */

struct binding {
	struct unix_sock *sock;
	struct unix_addr *addr;
};

static int claim_path(void *by, const struct path *at)
{
	struct binding *b = by;
	struct unix_sock *u = b->sock;
	int err = 0;

	mutex_lock(&names_lock);
	if (u->addr) {
		err = -EINVAL;
	} else {
		path_get(at);
		at->dentry->inode->socket = u;
		u->path = *at;
		set_addr(u, b->addr);
	}
	mutex_unlock(&names_lock);
	return err;
}

static int bind_path(struct unix_sock *u, struct unix_addr *a)
{
	/* Linux: so fchmod(2) before bind(2) keeps others out from the beginning */
	uint32_t mode = READ_ONCE(u->base.file->inode->mode) & ~(uint32_t)S_IFMT;
	int err = vfs_make_socket(path_of(a), mode, claim_path, &(struct binding){u, a});

	return err == -EEXIST ? -EADDRINUSE : err;
}

int unix_bind(struct socket *s, const struct socket_addr *addr)
{
	struct unix_sock *u = unix_of(s);
	struct unix_addr *a;
	int err;

	if (addr->len == FAMILY_LEN && addr->family == AF_UNIX)
		return unix_autobind(u);
	err = make_addr(addr, &a);
	if (err)
		return err;
	err = unix_addr_is_abstract(a) ? bind_abstract(u, a) : bind_path(u, a);
	if (err)
		mem_free(a);
	return err;
}

void unix_forget_name(struct unix_sock *u)
{
	struct path p = {0};

	if (!atomic_load_acquire(&u->addr))
		return;
	mutex_lock(&names_lock);
	if (list_node_is_linked(&u->hash_link))
		list_remove(&u->hash_link);
	if (u->path.dentry) {
		p = u->path;
		p.dentry->inode->socket = NULL;
		u->path = (struct path){0};
	}
	mutex_unlock(&names_lock);
	if (p.dentry)
		path_put(&p);
}

/* ---- Finding ---- */

static int find_path(const char *name, int type, struct unix_sock **out)
{
	struct unix_sock *u = NULL;
	struct path p;
	int err;

	err = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	err = inode_permission(p.dentry->inode, 2);
	if (!err) {
		mutex_lock(&names_lock);
		u = p.dentry->inode->socket;
		if (u)
			unix_get(u);
		mutex_unlock(&names_lock);
		err = u ? 0 : -ECONNREFUSED;
	}
	path_put(&p);
	if (!err && u->base.type != type) {
		unix_put(u);
		err = -EPROTOTYPE;
	}
	if (!err)
		*out = u;
	return err;
}

int unix_find(const struct socket_addr *addr, int type, struct unix_sock **out)
{
	struct unix_sock *u;
	struct unix_addr *a;
	int err = make_addr(addr, &a);

	if (err)
		return err;
	if (unix_addr_is_abstract(a)) {
		mutex_lock(&names_lock);
		u = find_abstract(a, type);
		if (u)
			unix_get(u);
		mutex_unlock(&names_lock);
		err = u ? 0 : -ECONNREFUSED;
		if (u)
			*out = u;
	} else {
		err = find_path(path_of(a), type, out);
	}
	mem_free(a);
	return err;
}
