// SPDX-License-Identifier: MIT
/*
 * The pages of a file in memory.
 *
 * An index is looked up without a lock, under RCU: a page that leaves the cache is put only
 * after a grace period (unless the whole cache dies, when nobody can be looking), so whoever
 * found it may take a reference, or even copy from it with preemption held off. That is how read
 * works: it copies under RCU, and only where the copy stops at a user page that is not there does it
 * take a reference and go on with faults allowed.
 *
 * A new page is complete before it is put in: write copies into it first, then publishes it.
 *
 *     truncate: size -> truncations++ -> pages leave the index -> leave every address space -> RCU -> freed
 *
 * The same order keeps faults right: get_page looks at size under the lock, and mm looks at
 * source.truncations again before it believes a page that it was given.
 *
 * Locks   pc->lock  RANK_PAGECACHE   changes of the index. What reads and writes bytes keeps two
 *         writers, and writers and truncation, apart by the owner's lock (the inode's).
 */
#include "mm/pagecache.h"

#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "sched/thread.h"
#include "sync/rcu.h"
#include "uaccess/iter.h"

static_assert(sizeof(struct rcu_head) <= sizeof(struct list_node), "page->lru holds one");

enum { NODE_SIZE_MAX = 640 }; /* of lib/radix.c: 64 slots and some words */

static struct slab_cache *node_cache;

static uint64_t index_of(int64_t pos)
{
	return (uint64_t)pos >> PAGE_SHIFT;
}

static size_t offset_in_page(int64_t pos)
{
	return (size_t)pos & (PAGE_SIZE - 1);
}

static uint64_t pages_of(int64_t size)
{
	return DIV_ROUND_UP((uint64_t)size, PAGE_SIZE);
}

/* ---- Nodes of the index: freed when no lookup can be in them ---- */

struct node_memory {
	uint8_t node[NODE_SIZE_MAX - sizeof(struct rcu_head)] ALIGNED(8);
	struct rcu_head rcu;
};

static void *node_alloc(struct allocator *self UNUSED, size_t size)
{
	debug_assert(size <= sizeof(((struct node_memory *)0)->node));
	(void)size;
	return slab_alloc(node_cache, SLAB_ZERO);
}

static void node_free_rcu(struct rcu_head *head)
{
	slab_free(node_cache, container_of(head, struct node_memory, rcu));
}

static void node_free(struct allocator *self UNUSED, void *object, size_t size UNUSED)
{
	rcu_call(&((struct node_memory *)object)->rcu, node_free_rcu);
}

static void node_free_now(struct allocator *self UNUSED, void *object, size_t size UNUSED)
{
	slab_free(node_cache, object);
}

static struct allocator node_allocator = {.alloc = node_alloc, .free = node_free};
/* For a cache that nobody can look into any more. */
static struct allocator last_allocator = {.alloc = node_alloc, .free = node_free_now};

void pagecache_init_system(void)
{
	if (slab_cache_create(&node_cache, "page index", sizeof(struct node_memory), 0))
		panic("mm: no memory for page caches");
}

static uint64_t total_pages; /* [a] in all caches */

uint64_t pagecache_total_pages(void)
{
	return atomic_load_relaxed(&total_pages);
}

void pagecache_init(struct pagecache *pc, const struct page_source_ops *source_ops,
	const struct pagecache_ops *ops, void *owner)
{
	page_source_init(&pc->source, source_ops);
	pc->ops = ops;
	mutex_init(&pc->lock, RANK_PAGECACHE, "page cache");
	radix_init(&pc->pages, &node_allocator);
	pc->first = NULL;
	pc->nr_pages = 0;
	pc->size = 0;
	pc->owner = owner;
}

static void uncharge(struct pagecache *pc, uint64_t nr)
{
	if (nr && pc->ops && pc->ops->uncharge)
		pc->ops->uncharge(pc, nr);
}

static int charge(struct pagecache *pc, uint64_t nr)
{
	return pc->ops && pc->ops->charge ? pc->ops->charge(pc, nr) : 0;
}

void pagecache_fini(struct pagecache *pc)
{
	debug_assert(list_is_empty(&pc->source.regions));
	if (pc->first)
		page_put(pc->first);
	pc->first = NULL;
	radix_for_each(item, key, &pc->pages) page_put(item);
	uncharge(pc, pc->nr_pages);
	atomic_sub(&total_pages, pc->nr_pages);
	pc->pages.allocator = &last_allocator;
	radix_clear(&pc->pages);
	pc->nr_pages = 0;
}

/* ---- One page ---- */

/* Under RCU or pc->lock. The first page has a place of its own: small files need no node. */
static inline struct page *look_up(const struct pagecache *pc, uint64_t index)
{
	return index ? radix_lookup_rcu(&pc->pages, index) : rcu_load(pc->first);
}

/* The page at index, with a reference; NULL. */
static struct page *find(struct pagecache *pc, uint64_t index)
{
	struct page *p;

	rcu_read_lock();
	p = look_up(pc, index);
	if (p)
		page_get(p);
	rcu_read_unlock();
	return p;
}

/* Puts a page that is complete at an index that has none: -EEXIST. Takes over its reference. */
static int insert_locked(struct pagecache *pc, uint64_t index, struct page *p)
	MUST_HOLD(pc->lock)
{
	int err = 0;

	p->index = index;
	if (index)
		err = radix_insert(&pc->pages, index, p);
	else if (pc->first)
		err = -EEXIST;
	else
		rcu_publish(pc->first, p); /* pairs with the rcu_load in look_up */
	if (!err) {
		pc->nr_pages++;
		atomic_add(&total_pages, 1);
	}
	return err;
}

/* A new page for index, charged and filled, with one reference: the cache's to be. */
static int new_page(struct pagecache *pc, uint64_t index, struct page **out)
{
	int err;

	err = charge(pc, 1);
	if (err)
		return err;
	err = page_alloc(out, 0, pc->ops && pc->ops->fill ? 0 : PAGE_ALLOC_ZERO);
	if (!err && pc->ops && pc->ops->fill) {
		err = pc->ops->fill(pc, *out, index);
		if (err)
			page_put(*out);
	}
	if (err)
		uncharge(pc, 1);
	return err;
}

/* For faults: nothing is created at or beyond the end of the file. */
static int create(struct pagecache *pc, uint64_t index, bool within_size, struct page **out)
{
	struct page *p;
	int err = 0;

	mutex_lock(&pc->lock);
	p = look_up(pc, index);
	if (within_size && index >= pages_of(atomic_load_relaxed(&pc->size))) {
		err = -EFAULT;
	} else if (!p) {
		err = new_page(pc, index, &p);
		if (!err) {
			err = insert_locked(pc, index, p);
			if (err) {
				page_put(p);
				uncharge(pc, 1);
			}
		}
	}
	if (!err)
		page_get(p);
	mutex_unlock(&pc->lock);
	*out = p;
	return err;
}

int pagecache_get(struct pagecache *pc, uint64_t index, bool may_create, struct page **out)
{
	*out = find(pc, index);
	if (*out)
		return 0;
	if (!may_create && !(pc->ops && pc->ops->fill))
		return 0;
	return create(pc, index, false, out);
}

int pagecache_source_get_page(
	struct page_source *s, uint64_t index, bool is_write UNUSED, struct page **out)
{
	struct pagecache *pc = container_of(s, struct pagecache, source);
	struct page *p;

	/* pairs with the store in pagecache_truncate: the page leaves after the size has shrunk */
	if (index >= pages_of(atomic_load_acquire(&pc->size)))
		return -EFAULT;
	p = find(pc, index);
	if (p) {
		*out = p;
		return 0;
	}
	return create(pc, index, true, out);
}

void pagecache_source_find_pages(
	struct page_source *s, uint64_t first, unsigned nr, struct page **out)
{
	struct pagecache *pc = container_of(s, struct pagecache, source);
	/* as in get_page; mm looks at source.truncations before it believes any of these */
	uint64_t end = pages_of(atomic_load_acquire(&pc->size));

	rcu_read_lock();
	for (unsigned i = 0; i < nr; i++) {
		out[i] = first + i < end ? look_up(pc, first + i) : NULL;
		if (out[i])
			page_get(out[i]);
	}
	rcu_read_unlock();
}

/* ---- Bytes ---- */

/* What the copy under RCU left: holes that must be filled, user pages that must be brought in. */
static NOINLINE size_t read_slowly(struct pagecache *pc, struct iter *to, uint64_t index,
	size_t offset, size_t len, int *err)
{
	struct page *p;
	size_t n;

	*err = pagecache_get(pc, index, false, &p);
	if (*err)
		return 0;
	if (!p) {
		n = iter_zero(to, len);
	} else {
		n = iter_write(to, (char *)page_to_virt(p) + offset, len);
		page_put(p);
	}
	if (n < len)
		*err = -EFAULT;
	return n;
}

int64_t pagecache_read(struct pagecache *pc, struct iter *to, int64_t pos)
{
	int64_t size = atomic_load_relaxed(&pc->size), done = 0;
	int err = 0;

	while (pos < size && to->left && !err) {
		size_t offset = offset_in_page(pos);
		size_t len = MIN(PAGE_SIZE - offset, to->left), n = 0;
		struct page *p;

		len = MIN(len, (size_t)(size - pos));
		rcu_read_lock();
		p = look_up(pc, index_of(pos));
		if (p)
			n = iter_write(to, (char *)page_to_virt(p) + offset, len);
		rcu_read_unlock();
		if (UNLIKELY(n < len))
			n += read_slowly(pc, to, index_of(pos), offset + n, len - n, &err);
		pos += (int64_t)n;
		done += (int64_t)n;
		if (UNLIKELY(thread_is_killed()))
			break;
	}
	return done ? done : err;
}

/* Into a page that is in the cache; the caller keeps truncation away. */
static size_t write_present(struct page *p, struct iter *from, size_t offset, size_t len)
{
	return iter_read(from, (char *)page_to_virt(p) + offset, len);
}

/* A page that is not there yet: filled with what is copied before anyone can see it. */
static NOINLINE size_t write_new(struct pagecache *pc, struct iter *from, uint64_t index,
	size_t offset, size_t len, int *err)
{
	struct page *p, *other;
	char *at;
	size_t n;

	*err = charge(pc, 1);
	if (*err)
		return 0;
	*err = page_alloc(&p, 0, 0);
	if (*err) {
		uncharge(pc, 1);
		return 0;
	}
	at = page_to_virt(p);
	n = iter_read(from, at + offset, len);
	if (!n) {
		*err = -EFAULT;
		goto drop;
	}
	memset(at, 0, offset);
	memset(at + offset + n, 0, PAGE_SIZE - offset - n);
	mutex_lock(&pc->lock);
	other = look_up(pc, index);
	if (other) /* a fault was faster: its page is all zeroes, or has what the mapping wrote */
		memcpy((char *)page_to_virt(other) + offset, at + offset, n);
	else
		*err = insert_locked(pc, index, p);
	mutex_unlock(&pc->lock);
	if (!other && !*err)
		return n;
	if (*err) {
		iter_revert(from, n);
		n = 0;
	}
drop:
	page_put(p);
	uncharge(pc, 1);
	return n;
}

/* With a disk below, the rest of the page must be read first. */
static size_t write_filled(struct pagecache *pc, struct iter *from, uint64_t index,
	size_t offset, size_t len, int *err)
{
	struct page *p;
	size_t n;

	*err = create(pc, index, false, &p);
	if (*err)
		return 0;
	n = write_present(p, from, offset, len);
	page_put(p);
	return n;
}

int64_t pagecache_write(struct pagecache *pc, struct iter *from, int64_t pos)
{
	int64_t done = 0;
	int err = 0;

	while (from->left && !err) {
		size_t offset = offset_in_page(pos), len = MIN(PAGE_SIZE - offset, from->left),
		       n;
		struct page *p;

		rcu_read_lock(); /* for the index; the page cannot leave: the owner's lock */
		p = look_up(pc, index_of(pos));
		rcu_read_unlock();
		if (p)
			n = write_present(p, from, offset, len);
		else if (pc->ops && pc->ops->fill)
			n = write_filled(pc, from, index_of(pos), offset, len, &err);
		else
			n = write_new(pc, from, index_of(pos), offset, len, &err);
		if (n < len && !err)
			err = -EFAULT;
		pos += (int64_t)n;
		done += (int64_t)n;
		if (UNLIKELY(thread_is_killed()))
			break;
	}
	return done ? done : err;
}

/* ---- Taking pages out ---- */

/* Pages on their way out: linked by link.next, freed after one grace period together. */
static void put_chain(struct rcu_head *head)
{
	struct page *p = container_of((struct list_node *)head, struct page, lru);

	while (p) {
		struct page *next = (struct page *)p->link.next;

		page_put(p);
		p = next;
	}
}

static void free_chain_later(struct page *first)
{
	if (first)
		rcu_call((struct rcu_head *)&first->lru, put_chain);
}

/* Takes pages [first, last) out of the index; gives them as a chain. */
static struct page *take_out(struct pagecache *pc, uint64_t first, uint64_t last)
{
	struct page *chain = NULL;
	uint64_t nr = 0;

	mutex_lock(&pc->lock);
	if (!first && last && pc->first) {
		chain = pc->first;
		chain->link.next = NULL;
		atomic_store_relaxed(&pc->first, NULL);
		nr++;
	}
	for (uint64_t key = MAX(first, (uint64_t)1);; key++) {
		struct page *p = radix_find(&pc->pages, &key);

		if (!p || key >= last)
			break;
		radix_erase(&pc->pages, key);
		p->link.next = (struct list_node *)chain;
		chain = p;
		nr++;
	}
	pc->nr_pages -= nr;
	atomic_sub(&total_pages, nr);
	mutex_unlock(&pc->lock);
	uncharge(pc, nr);
	return chain;
}

static void zero_part(struct pagecache *pc, uint64_t index, size_t from, size_t to)
{
	struct page *p;

	if (from == to)
		return;
	p = find(pc, index);
	if (p) {
		memset((char *)page_to_virt(p) + from, 0, to - from);
		page_put(p);
	}
}

/* [first, last) as pages. The order is the file head's. */
static void remove_pages(struct pagecache *pc, uint64_t first, uint64_t last, bool private_too)
{
	struct page *chain;

	/* pairs with the look of a fault after it has the page: mm/vmspace */
	atomic_add(&pc->source.truncations, 1u);
	chain = take_out(pc, first, last);
	if (!list_is_empty(&pc->source.regions))
		page_source_unmap(&pc->source, first, last - first, private_too);
	free_chain_later(chain);
}

void pagecache_truncate(struct pagecache *pc, int64_t size)
{
	int64_t old = atomic_load_relaxed(&pc->size);

	atomic_store_release(&pc->size, size); /* pairs with the load in get_page */
	if (size >= old)
		return;
	remove_pages(pc, pages_of(size), UINT64_MAX, true);
	if (offset_in_page(size))
		zero_part(pc, index_of(size), offset_in_page(size), PAGE_SIZE);
}

int pagecache_punch(struct pagecache *pc, int64_t start, int64_t end)
{
	uint64_t first = pages_of(start), last = index_of(end);

	if (index_of(start) == index_of(end)) {
		zero_part(pc, index_of(start), offset_in_page(start), offset_in_page(end));
		return 0;
	}
	if (offset_in_page(start))
		zero_part(pc, index_of(start), offset_in_page(start), PAGE_SIZE);
	zero_part(pc, last, 0, offset_in_page(end));
	if (first < last)
		remove_pages(pc, first, last, false);
	return 0;
}

int64_t pagecache_seek(struct pagecache *pc, int64_t pos, bool data)
{
	int64_t size = atomic_load_relaxed(&pc->size);
	uint64_t index = index_of(pos), key;

	mutex_lock(&pc->lock);
	if (data) {
		key = index;
		if ((index || !pc->first) && !radix_find(&pc->pages, &key))
			key = pages_of(size);
	} else if (!index && !pc->first) {
		key = 0;
	} else if (!radix_find_free(&pc->pages, MAX(index, (uint64_t)1), &key)) {
		key = pages_of(size);
	}
	mutex_unlock(&pc->lock);
	if (key == index)
		return pos;
	return key >= pages_of(size) ? size : (int64_t)(key << PAGE_SHIFT);
}

/* ---- Shared anonymous memory ---- */

/*
 *   [I] immutable   [a] atomic
 */
struct shared_memory {
	refcount refs; /* [a] */
	uint64_t nr;   /* [I] pages, committed as a whole */
	struct pagecache cache;
};

static struct shared_memory *shared_of(struct page_source *s)
{
	return container_of(s, struct shared_memory, cache.source);
}

static void shared_get(struct page_source *s)
{
	refcount_get(&shared_of(s)->refs);
}

static void shared_put(struct page_source *s)
{
	struct shared_memory *m = shared_of(s);

	if (!refcount_put(&m->refs))
		return;
	pagecache_fini(&m->cache);
	vm_uncommit(m->nr);
	mem_free(m);
}

static int shared_punch(struct page_source *s, uint64_t first, uint64_t nr)
{
	return pagecache_punch(&shared_of(s)->cache, (int64_t)(first << PAGE_SHIFT),
		(int64_t)((first + nr) << PAGE_SHIFT));
}

static int shared_describe(
	struct page_source *s UNUSED, char *path, size_t size, uint32_t *dev, uint64_t *ino)
{
	*dev = 1; /* Linux: the internal tmpfs; the first anonymous number */
	*ino = (uintptr_t)s >> 6 & 0xffffffff;
	return str_copy(path, "/dev/zero (deleted)", size) < 0 ? -ENAMETOOLONG : 0;
}

static const struct page_source_ops shared_source_ops = {
	.get_page = pagecache_source_get_page,
	.find_pages = pagecache_source_find_pages,
	.punch = shared_punch,
	.get = shared_get,
	.put = shared_put,
	.describe = shared_describe,
};

int pagecache_create_shared(uint64_t nr_pages, struct page_source **out)
{
	struct shared_memory *m;
	int err;

	err = vm_commit(nr_pages);
	if (err)
		return err;
	m = mem_alloc(sizeof(*m), SLAB_ZERO);
	if (!m) {
		vm_uncommit(nr_pages);
		return -ENOMEM;
	}
	refcount_init(&m->refs, 1);
	m->nr = nr_pages;
	pagecache_init(&m->cache, &shared_source_ops, NULL, NULL);
	m->cache.size = (int64_t)(nr_pages << PAGE_SHIFT);
	*out = &m->cache.source;
	return 0;
}
