// SPDX-License-Identifier: MIT
/*
 * The dentry cache: names that were looked up, so that most walks never ask a filesystem.
 *
 * A dentry hangs in two structures: a hash table by parent and name, for walks, and its parent's
 * list of children. It holds a reference on its parent, so a path to the root always exists.
 *
 *     created          negative, not findable; made so by a filesystem's lookup or create
 *     cached           in the hash; positive or negative
 *     unused           cached, count 0: on the LRU list until somebody finds it again or it is shrunk
 *     dropped          out of the hash for ever (unlinked, or never to be cached); freed at count 0
 *
 * In a SUPER_KEEPS_NAMES filesystem the tree itself holds one reference on every positive dentry, so
 * nothing of it is ever shrunk, a miss in the hash means that the name does not exist, and there
 * are no negative entries.
 *
 * Readers without a lock
 *     dentry_find_rcu runs under RCU alone. Dentries, inodes and long names are freed after a grace
 *     period; the chains may be changed under the reader, and a dentry that moves may take it to
 *     another chain or show half a name. All that is harmless in itself (a short name never leaves
 *     its 40 bytes, a long one knows its length) and wrong only if dentry_seq changed meanwhile,
 *     which the reader checks at its end. One counter for all moves, and not one per dentry, makes
 *     each step of a walk cheaper by two loads and a test; renames and mounts are rare, and a walk
 *     is a few hundred instructions.
 *
 * The table
 *     It begins with one page and becomes four times larger when it holds as many names as buckets, so
 *     nothing is sized by RAM, nothing filled at start. No step is long: each insertion moves
 *     a few buckets of the old table, under dentry_seq, and a miss in the new one looks there too.
 *
 * The count
 *     refs holds the count and four bits in one word, so that a put can decide by one compare and
 *     exchange that nothing else is to be done. Only the step from 1 to 0 of a dentry that must be
 *     freed or put on the LRU list takes the lock. A dentry found again stays on that list, and the
 *     shrinker passes over it.
 *
 * Locks   dentry_lock [D]  irq, RANK_DENTRY: hash chains to write, children, LRU, moves. Under it
 *                          nothing is freed and nothing sleeps.
 */
#include "fs/vfs/dentry_priv.h"

#include "fs/vfs/notify.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "security/random.h"
#include "sync/rcu.h"

enum {
	MIN_BUCKETS_LOG2 = 9,  /* one page */
	MAX_BUCKETS_LOG2 = 19, /* 4 MiB, the most that mem_alloc gives */
	GROWTH_LOG2 = 2,
	BUCKETS_PER_ADD = 4, /* moved at each insertion: all long before the next growth */
	PAGES_PER_UNUSED = 4, /* so many unused names: 6% of memory at most */
	MIN_UNUSED = 512,
	SHRINK_BATCH = 32,
};

/*
 * A hash table as one word, so that readers see its address and its size together: the array, a
 * power of two long and aligned to 64 bytes, and in the low bits 64 less the logarithm of its length.
 */
typedef uintptr_t table_word;

#define TABLE_SHIFT_MASK 63ul

struct seqcount dentry_seq;
struct irqlock dentry_lock = IRQLOCK_INIT(RANK_DENTRY, "dentry");

static struct slab_cache *dentry_cache;                               /* [I] */
static struct dentry *first_slots[1 << MIN_BUCKETS_LOG2] ALIGNED(64); /* [D] */
static table_word table;            /* [D] names are added here; read under RCU */
static table_word old_table;        /* [D] 0, or what still moves into table; read under RCU */
static struct dentry **retired;     /* [D] an old table that readers may be in */
static struct rcu_head retired_rcu; /* [D] */
static size_t nr_moved;             /* [D] buckets of old_table that are empty now */
static size_t nr_hashed;            /* [D] */
static size_t grow_at;              /* [D] so many names are a reason to grow */
static uint64_t hash_secret[2];     /* [I] */
static struct list unused = LIST_INIT(unused); /* [D] lru_link; the longest unused first */
static unsigned nr_unused;                     /* [D] on that list */
static unsigned max_unused;                    /* [I] */

/* A long name: several dentries may share one for a while. */
struct long_name {
	refcount refs;
	uint32_t len;
	struct rcu_head rcu;
	char text[];
};

/* ---- Keys ---- */

/* One multiplication folds a word into the hash; the secret keeps collisions from being planned. */
static inline uint64_t fold(uint64_t h, uint64_t word)
{
	unsigned __int128 product = (unsigned __int128)(h ^ word) * hash_secret[1];

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load_word(const char *p)
{
	uint64_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

/* The n < 8 bytes at p, zeroes above: two overlapping halves, or three bytes that may be the same. */
static inline uint64_t load_tail(const char *p, size_t n)
{
	uint32_t low, high;

	if (n >= 4) {
		__builtin_memcpy(&low, p, sizeof(low));
		__builtin_memcpy(&high, p + n - 4, sizeof(high));
		return low | (uint64_t)high << (8 * (n - 4));
	}
	if (!n)
		return 0;
	return (uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << (8 * (n / 2)) |
	       (uint64_t)(uint8_t)p[n - 1] << (8 * (n - 1));
}

/* Bit 7 of the first byte that is '/' is the lowest bit set; 0: none. */
static inline uint64_t slash_mask(uint64_t word)
{
	uint64_t x = word ^ 0x2f2f2f2f2f2f2f2full;

	return (x - 0x0101010101010101ull) & ~x & 0x8080808080808080ull;
}

/* The next word of a path, with zeroes beyond its end; nothing outside [begin, end) is touched. */
static inline uint64_t load_next(const char *begin, const char *p, const char *end)
{
	size_t left = (size_t)(end - p);

	if (LIKELY(left >= sizeof(uint64_t)))
		return load_word(p);
	if (LIKELY(left && (size_t)(end - begin) >= sizeof(uint64_t)))
		return load_word(end - sizeof(uint64_t)) >> (8 * (sizeof(uint64_t) - left));
	return load_tail(p, left);
}

const char *name_key_scan(
	struct name_key *out, const char *begin, const char *text, const char *end)
{
	const char *p = text;
	uint64_t h = hash_secret[0], first = 0;

	for (;;) {
		uint64_t word = load_next(begin, p, end), slash = slash_mask(word);
		size_t bytes = MIN((size_t)(end - p), sizeof(uint64_t));

		if (slash) {
			bytes = bits_lowest(slash) / 8;
			word &= (1ull << (8 * bytes)) - 1;
		}
		if (p == text)
			first = word;
		h = fold(h, word);
		p += bytes;
		if (bytes < 8 || p == end || *p == '/')
			break;
	}
	out->text = text;
	out->first = first;
	out->len = (uint32_t)(p - text);
	out->hash = (uint32_t)h;
	return p;
}

static inline struct dentry **table_slots(table_word t)
{
	return (struct dentry **)(t & ~TABLE_SHIFT_MASK);
}

static inline size_t table_size(table_word t)
{
	return (size_t)1 << (64 - (t & TABLE_SHIFT_MASK));
}

static inline struct dentry **bucket_of(
	table_word t, const struct dentry *parent, uint32_t hash)
{
	uint64_t mixed = (((uintptr_t)parent >> 6) + hash) * 0x9e3779b97f4a7c15ull;

	return &table_slots(t)[mixed >> (t & TABLE_SHIFT_MASK)];
}

static struct long_name *long_name_of(const char *text)
{
	return (struct long_name *)((uintptr_t)text - offsetof(struct long_name, text));
}

static void long_name_free(struct rcu_head *head)
{
	mem_free(container_of(head, struct long_name, rcu));
}

static void long_name_put(struct long_name *n)
{
	if (refcount_put(&n->refs))
		rcu_call(&n->rcu, long_name_free);
}

/* The len >= 8 bytes of both from the eighth on; the last word may overlap. */
static bool same_rest(const char *a, const char *b, size_t len)
{
	for (size_t i = 8; i + 8 <= len; i += 8)
		if (load_word(a + i) != load_word(b + i))
			return false;
	return load_word(a + len - 8) == load_word(b + len - 8);
}

static inline bool name_is(const struct dentry *d, const struct name_key *key)
{
	const char *name = READ_ONCE(d->name);

	if (READ_ONCE(d->name_len) != key->len)
		return false;
	if (LIKELY(key->len < DENTRY_SHORT_NAME)) /* padded with zeroes, so one word decides */
		return load_word(d->short_name) == key->first &&
			(key->len <= 8 || same_rest(d->short_name, key->text, key->len));
	return name != d->short_name && long_name_of(name)->len == key->len &&
		load_word(name) == key->first && same_rest(name, key->text, key->len);
}

struct dentry *dentry_find_rcu(struct dentry *parent, const struct name_key *key)
{
	table_word t = atomic_load_acquire(&table); /* pairs with the release in grow */

	do {
		/* pairs with rcu_publish in hash_insert */
		struct dentry *d = rcu_load(*bucket_of(t, parent, key->hash));

		for (; d; d = rcu_load(d->hash_next))
			if (READ_ONCE(d->hash) == key->hash && READ_ONCE(d->parent) == parent &&
				name_is(d, key))
				return d;
	} while (UNLIKELY(t != READ_ONCE(old_table) && (t = READ_ONCE(old_table))));
	return NULL;
}

/* ---- The table ---- */

static void hash_insert(struct dentry *d)
{
	struct dentry **slot = bucket_of(table, d->parent, d->hash);

	nr_hashed++;
	d->hash_next = *slot;
	if (d->hash_next)
		d->hash_next->hash_slot = &d->hash_next;
	d->hash_slot = slot;
	rcu_publish(*slot, d); /* pairs with rcu_load in dentry_find_rcu */
}

/* Leaves d->hash_next, which readers may be about to follow. */
static void hash_remove(struct dentry *d)
{
	if (!d->hash_slot)
		return;
	WRITE_ONCE(*d->hash_slot, d->hash_next);
	if (d->hash_next)
		d->hash_next->hash_slot = d->hash_slot;
	d->hash_slot = NULL;
	nr_hashed--;
}

static table_word table_make(struct dentry **slots, unsigned size_log2)
{
	debug_assert(!((uintptr_t)slots & TABLE_SHIFT_MASK));
	return (uintptr_t)slots | (64 - size_log2);
}

static void free_retired(struct rcu_head *head)
{
	struct dentry **slots;

	(void)head;
	irqlock_lock(&dentry_lock);
	slots = retired;
	retired = NULL;
	irqlock_unlock(&dentry_lock);
	if (slots != first_slots)
		mem_free(slots);
}

/* A few buckets of the old table; a walk that looked for a name meanwhile begins again. */
static void move_some_locked(void)
{
	table_word old = old_table;
	size_t end = MIN(nr_moved + BUCKETS_PER_ADD, table_size(old));

	seq_write_begin(&dentry_seq);
	for (; nr_moved < end; nr_moved++) {
		struct dentry *d;

		while ((d = table_slots(old)[nr_moved])) {
			hash_remove(d);
			hash_insert(d);
		}
	}
	if (nr_moved == table_size(old)) {
		WRITE_ONCE(old_table, 0);
		retired = table_slots(old);
		rcu_call(&retired_rcu, free_retired);
	}
	seq_write_end(&dentry_seq);
}

/* Names were added. One test where there is room. */
static void grow_if_crowded(void)
{
	unsigned size_log2 = 64 - (READ_ONCE(table) & TABLE_SHIFT_MASK) + GROWTH_LOG2;
	struct dentry **slots;

	if (LIKELY(READ_ONCE(nr_hashed) < READ_ONCE(grow_at)))
		return;
	slots = size_log2 > MAX_BUCKETS_LOG2
			? NULL
			: mem_alloc(sizeof(*slots) << size_log2, SLAB_ZERO);
	irqlock_lock(&dentry_lock);
	if (!slots) {
		grow_at *= 2; /* longer chains until then */
	} else if (nr_hashed >= grow_at && !old_table && !retired) {
		grow_at = (size_t)1 << size_log2;
		nr_moved = 0;
		WRITE_ONCE(old_table, table);
		/* release: pairs with the acquire in dentry_find_rcu, which then sees old_table */
		atomic_store_release(&table, table_make(slots, size_log2));
		slots = NULL;
	}
	irqlock_unlock(&dentry_lock);
	mem_free(slots);
}

/* ---- References ---- */

void dentry_get(struct dentry *d)
{
	/* relaxed: the caller holds a reference */
	uint32_t old = atomic_fetch_add_relaxed(&d->refs, 1);

	debug_assert((old & DENTRY_REF_COUNT) && !(old & DENTRY_REF_DEAD));
	(void)old;
}

bool dentry_try_get(struct dentry *d)
{
	uint32_t old = atomic_load_relaxed(&d->refs);

	do {
		if (old & DENTRY_REF_DEAD)
			return false;
	} while (!atomic_cmpxchg_acquire(&d->refs, &old, old + 1));
	return true;
}

static void leave_tree(struct dentry *d)
{
	hash_remove(d);
	if (list_node_is_linked(&d->child_link))
		list_remove(&d->child_link);
}

static void leave_lru(struct dentry *d)
{
	if (!list_node_is_linked(&d->lru_link))
		return;
	list_remove(&d->lru_link);
	nr_unused--;
	atomic_fetch_and(&d->refs, ~(uint32_t)DENTRY_REF_LRU);
}

static void dentry_free(struct rcu_head *head)
{
	slab_free(dentry_cache, container_of(head, struct dentry, rcu));
}

/* d is dead and in no structure. Returns the parent, whose reference the caller gets. */
static struct dentry *free_dead(struct dentry *d)
{
	struct dentry *parent = d->parent == d ? NULL : d->parent;

	if (d->name != d->short_name)
		long_name_put(long_name_of(d->name));
	if (d->inode) {
		if (!d->inode->nlink)
			notify_inode_gone(d->inode);
		inode_put(d->inode);
	}
	rcu_call(&d->rcu, dentry_free);
	return parent;
}

/* Count 0: dead, or unused from now on. The lock is held. */
static bool kill_if_unused(struct dentry *d)
{
	uint32_t old = atomic_load_relaxed(&d->refs);

	do {
		if (old & DENTRY_REF_COUNT)
			return false; /* found again */
	} while (!atomic_cmpxchg(&d->refs, &old, old | DENTRY_REF_DEAD));
	leave_tree(d);
	leave_lru(d);
	return true;
}

/* The put that may be the last. Returns whom to put next: the parent of what was freed. */
static struct dentry *put_last(struct dentry *d)
{
	bool is_dead = false, is_too_many = false;
	uint32_t old;

	irqlock_lock(&dentry_lock);
	old = atomic_fetch_sub(&d->refs, 1);
	debug_assert((old & DENTRY_REF_COUNT) && !(old & DENTRY_REF_DEAD));
	if ((old & DENTRY_REF_COUNT) == 1) {
		if (old & DENTRY_REF_DROP || !d->hash_slot) {
			is_dead = kill_if_unused(d);
		} else if (!(old & DENTRY_REF_LRU)) {
			list_add_tail(&unused, &d->lru_link);
			atomic_or(&d->refs, DENTRY_REF_LRU);
			is_too_many = ++nr_unused > max_unused;
		}
	}
	irqlock_unlock(&dentry_lock);
	if (is_too_many)
		(void)dentry_shrink(SHRINK_BATCH);
	return is_dead ? free_dead(d) : NULL;
}

void dentry_put(struct dentry *d)
{
	while (d) {
		uint32_t old = atomic_load_relaxed(&d->refs);

		while ((old & DENTRY_REF_COUNT) > 1 ||
			(old & (DENTRY_REF_LRU | DENTRY_REF_DROP)) == DENTRY_REF_LRU) {
			/* release: our accesses come before whoever frees it */
			if (atomic_cmpxchg_release(&d->refs, &old, old - 1))
				return;
		}
		d = put_last(d);
	}
}

unsigned dentry_shrink(unsigned nr)
{
	unsigned freed = 0;

	for (unsigned tries = 2 * nr; freed < nr && tries; tries--) {
		struct dentry *d;
		bool is_dead;

		irqlock_lock(&dentry_lock);
		d = list_first(&unused, struct dentry, lru_link);
		if (!d) {
			irqlock_unlock(&dentry_lock);
			break;
		}
		is_dead = kill_if_unused(d);
		if (!is_dead)
			leave_lru(d); /* in use: its next last put brings it back */
		irqlock_unlock(&dentry_lock);
		if (is_dead) {
			freed++;
			dentry_put(free_dead(d));
		}
	}
	return freed;
}

/* ---- Making them ---- */

static int set_name(struct dentry *d, const struct name_key *key)
{
	struct long_name *n;

	d->name_len = key->len;
	d->hash = key->hash;
	if (key->len < DENTRY_SHORT_NAME) {
		memset(d->short_name, 0, sizeof(d->short_name));
		memcpy(d->short_name, key->text, key->len);
		d->name = d->short_name;
		return 0;
	}
	n = mem_alloc(sizeof(*n) + key->len + 1, 0);
	if (!n)
		return -ENOMEM;
	refcount_init(&n->refs, 1);
	n->len = key->len;
	memcpy(n->text, key->text, key->len);
	n->text[key->len] = '\0';
	d->name = n->text;
	return 0;
}

static struct dentry *alloc(struct super *s)
{
	struct dentry *d = slab_alloc(dentry_cache, 0);

	if (!d)
		return NULL;
	d->hash_next = NULL;
	d->hash_slot = NULL;
	d->inode = NULL;
	d->refs = 1;
	d->flags = 0;
	d->super = s;
	list_init(&d->children);
	list_node_init(&d->child_link);
	list_node_init(&d->lru_link);
	d->private_data = NULL;
	return d;
}

int dentry_create(struct dentry *parent, const struct name_key *key, struct dentry **out)
{
	struct dentry *d = alloc(parent->super);

	if (!d)
		return -ENOMEM;
	if (set_name(d, key)) {
		slab_free(dentry_cache, d);
		return -ENOMEM;
	}
	dentry_get(parent);
	d->parent = parent;
	*out = d;
	return 0;
}

int dentry_create_root(struct super *s, struct inode *root, struct dentry **out)
{
	struct dentry *d = alloc(s);
	struct name_key key = {.text = "/", .len = 1};

	if (!d) {
		inode_put(root);
		return -ENOMEM;
	}
	(void)set_name(d, &key); /* a short one: cannot fail */
	d->parent = d;
	d->inode = root;
	d->refs |= DENTRY_REF_DROP;
	*out = d;
	return 0;
}

static void add_locked(struct dentry *d)
{
	list_add_head(&d->parent->children, &d->child_link);
	if (d->flags & DENTRY_NO_CACHE)
		atomic_or(&d->refs, DENTRY_REF_DROP);
	else
		hash_insert(d);
}

/* One more name than before: here the table grows. */
static void add_new_locked(struct dentry *d)
{
	add_locked(d);
	if (UNLIKELY(old_table))
		move_some_locked();
}

void dentry_add_to_cache(struct dentry *d)
{
	irqlock_lock(&dentry_lock);
	add_new_locked(d);
	irqlock_unlock(&dentry_lock);
	grow_if_crowded();
}

void dentry_set_inode(struct dentry *d, struct inode *i)
{
	rcu_publish(d->inode, i); /* pairs with rcu_load in walks */
	if (!dentry_keeps_names(d) || d->parent == d || d->flags & DENTRY_UNLINKED)
		return;
	irqlock_lock(&dentry_lock);
	if (!(d->refs & DENTRY_REF_KEPT)) {
		atomic_add(&d->refs, DENTRY_REF_KEPT + 1);
		add_new_locked(d);
	}
	irqlock_unlock(&dentry_lock);
	grow_if_crowded();
}

int dentry_add(struct dentry *dir, const char *name, struct inode *i)
{
	struct name_key key;
	struct dentry *d;
	int err;

	name_key_init(&key, name, strlen(name));
	mutex_lock(&dir->inode->lock);
	d = dentry_find_key(dir, &key);
	err = d ? -EEXIST : dentry_create(dir, &key, &d);
	if (!err)
		dentry_set_inode(d, i);
	mutex_unlock(&dir->inode->lock);
	if (d)
		dentry_put(d);
	if (err)
		inode_put(i);
	return err;
}

/* ---- Lookups with a reference ---- */

struct dentry *dentry_find_key(struct dentry *parent, const struct name_key *key)
{
	struct dentry *d;
	uint32_t seq;

	rcu_read_lock();
	seq = seq_read_begin(&dentry_seq);
	d = dentry_find_rcu(parent, key);
	if (d && !dentry_try_get(d))
		d = NULL;
	if (LIKELY(!seq_read_retry(&dentry_seq, seq))) {
		rcu_read_unlock();
		return d;
	}
	rcu_read_unlock();
	if (d)
		dentry_put(d);

	irqlock_lock(&dentry_lock); /* nothing moves now */
	d = dentry_find_rcu(parent, key);
	if (d && !dentry_try_get(d))
		d = NULL;
	irqlock_unlock(&dentry_lock);
	return d;
}

struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len)
{
	struct name_key key;

	name_key_init(&key, name, len);
	return dentry_find_key(dir, &key);
}

bool dentry_is_last_reference(const struct dentry *d)
{
	return (atomic_load_relaxed(&d->refs) & DENTRY_REF_COUNT) == 1;
}

bool dentry_has_children(struct dentry *dir)
{
	return !list_is_empty(&dir->children);
}

/* ---- Leaving and moving ---- */

/* Out of the cache for good. The caller holds a reference, so the tree's own is never the last. */
static void drop_locked(struct dentry *d)
{
	uint32_t old = d->refs;

	leave_tree(d);
	while (!atomic_cmpxchg(&d->refs, &old,
		((old & DENTRY_REF_KEPT) ? old - 1 - DENTRY_REF_KEPT : old) | DENTRY_REF_DROP))
		;
}

void dentry_drop(struct dentry *d)
{
	irqlock_lock(&dentry_lock);
	drop_locked(d);
	irqlock_unlock(&dentry_lock);
}

/* d gets a name like target's; what it had goes to *old, to be put after the lock. */
static void copy_name(struct dentry *d, const struct dentry *target, struct long_name **old)
{
	if (d->name != d->short_name)
		*old = long_name_of(d->name);
	if (target->name == target->short_name) {
		memcpy(d->short_name, target->short_name, DENTRY_SHORT_NAME);
		WRITE_ONCE(d->name, d->short_name);
	} else {
		refcount_get(&long_name_of(target->name)->refs);
		WRITE_ONCE(d->name, target->name);
	}
	WRITE_ONCE(d->name_len, target->name_len);
	WRITE_ONCE(d->hash, target->hash);
}

void dentry_move(struct dentry *d, struct dentry *target)
{
	struct dentry *old_parent = d->parent, *parent = target->parent;
	struct long_name *old_name = NULL;

	if (old_parent != parent)
		dentry_get(parent);
	irqlock_lock(&dentry_lock);
	seq_write_begin(&dentry_seq);
	drop_locked(target);
	leave_tree(d);
	copy_name(d, target, &old_name);
	WRITE_ONCE(d->parent, parent);
	add_locked(d);
	seq_write_end(&dentry_seq);
	irqlock_unlock(&dentry_lock);
	if (old_name)
		long_name_put(old_name);
	if (old_parent != parent)
		dentry_put(old_parent);
}

void dentry_exchange(struct dentry *a, struct dentry *b)
{
	struct dentry *parent = a->parent;
	char name[DENTRY_SHORT_NAME];
	const char *a_name = a->name == a->short_name ? NULL : a->name;
	const char *b_name = b->name == b->short_name ? NULL : b->name;
	uint32_t len = a->name_len, hash = a->hash;

	irqlock_lock(&dentry_lock);
	seq_write_begin(&dentry_seq);
	leave_tree(a);
	leave_tree(b);
	memcpy(name, a->short_name, sizeof(name));
	memcpy(a->short_name, b->short_name, sizeof(name));
	memcpy(b->short_name, name, sizeof(name));
	WRITE_ONCE(a->name, b_name ? b_name : a->short_name);
	WRITE_ONCE(b->name, a_name ? a_name : b->short_name);
	WRITE_ONCE(a->name_len, b->name_len);
	WRITE_ONCE(b->name_len, len);
	WRITE_ONCE(a->hash, b->hash);
	WRITE_ONCE(b->hash, hash);
	WRITE_ONCE(a->parent, b->parent); /* each keeps one child, so the references balance */
	WRITE_ONCE(b->parent, parent);
	add_locked(a);
	add_locked(b);
	seq_write_end(&dentry_seq);
	irqlock_unlock(&dentry_lock);
}

bool dentry_is_below(const struct dentry *d, const struct dentry *ancestor)
{
	for (; d != ancestor; d = d->parent)
		if (d->parent == d)
			return false;
	return true;
}

void dentry_drop_tree(struct dentry *root)
{
	struct dentry *d = root;

	/* Nobody uses it: leaves first, each put frees upward to what still has children. */
	for (;;) {
		struct dentry *child;

		irqlock_lock(&dentry_lock);
		child = list_first(&d->children, struct dentry, child_link);
		if (child)
			atomic_add(&child->refs, 1);
		else if (d != root)
			drop_locked(d);
		irqlock_unlock(&dentry_lock);
		if (child) {
			d = child; /* keeps the reference taken here until its own turn */
			continue;
		}
		if (d == root)
			break;
		child = d;
		d = d->parent; /* held by the reference on its way down, or the root's */
		dentry_put(child);
	}
	dentry_put(root);
}

void dentry_init_cache(void)
{
	struct page_stats stats;

	page_get_stats(&stats);
	table = table_make(first_slots, MIN_BUCKETS_LOG2);
	grow_at = ARRAY_LEN(first_slots);
	if (slab_cache_create(&dentry_cache, "dentry", sizeof(struct dentry), CACHE_LINE))
		panic("vfs: no memory for the dentry cache");
	max_unused = (unsigned)MAX(stats.total / PAGES_PER_UNUSED, (uint64_t)MIN_UNUSED);
	random_bytes(hash_secret, sizeof(hash_secret));
	hash_secret[1] |= 1;
}
