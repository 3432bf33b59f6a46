// SPDX-License-Identifier: MIT
/*
 * Registered buffers: memory of the program that is pinned once and then read and written by its
 * physical pages (IORING_OP_READ_FIXED and its kin), whatever becomes of the mapping.
 *
 * A buffer is a few runs: pieces of adjacent pages, as addresses of the direct map. A request's iter walks the
 * runs themselves. Rings that cloned a table share its buffers.
 *
 * Locks   ring->lock [l]; a buffer does not change while it exists
 * Spec    man 2 io_uring_register: IORING_REGISTER_BUFFERS
 */
#include <linux/uio.h>

#include "mm/page.h"
#include "mm/slab.h"
#include "ring/tables.h"

enum { BUFFERS_MOST = 1 << 14 /* Linux: IORING_MAX_REG_BUFFERS */ };
#define BUFFER_LONGEST (1ul << 30) /* man 2 io_uring_register */

/*
 *   [I] all but refs
 */
struct ring_buffer {
	refcount refs; /* [a] slots of tables */
	uint64_t addr; /* as the program named it */
	size_t len;
	struct ring_pages pages;
	unsigned nr_runs;
	struct iter_segment *runs;
	size_t *ends; /* of each run, from the buffer's start; NULL when there is one */
	struct iter_segment one;
};

/* ---- Runs ---- */

static char *address_of(const struct ring_buffer *b, size_t page)
{
	return page_to_virt(b->pages.page[page]);
}

static bool continues(const struct ring_buffer *b, size_t page)
{
	return page && address_of(b, page) == address_of(b, page - 1) + PAGE_SIZE;
}

static int find_runs(struct ring_buffer *b)
{
	size_t skipped = b->addr & PAGE_MASK, left = b->len, done = 0;
	struct iter_segment *run;

	for (size_t i = 0; i < b->pages.nr; i++)
		b->nr_runs += !continues(b, i);
	b->runs = &b->one;
	if (b->nr_runs > 1) {
		b->runs = mem_alloc(b->nr_runs * sizeof(*b->runs), 0);
		b->ends = mem_alloc(b->nr_runs * sizeof(*b->ends), 0);
		if (!b->runs || !b->ends)
			return -ENOMEM;
	}
	run = b->runs - 1;
	for (size_t i = 0; i < b->pages.nr; i++) {
		size_t n = MIN(left, PAGE_SIZE - skipped);

		if (!continues(b, i))
			*++run =
				(struct iter_segment){(uintptr_t)address_of(b, i) + skipped, 0};
		run->len += n;
		done += n;
		left -= n;
		skipped = 0;
		if (b->ends)
			b->ends[run - b->runs] = done;
	}
	return 0;
}

/* The run that has the byte at offset, and where that run begins. The end belongs to the last. */
static unsigned find_run(const struct ring_buffer *b, size_t offset, size_t *start)
{
	unsigned lo = 0, hi = b->nr_runs - 1;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (offset < b->ends[mid])
			hi = mid;
		else
			lo = mid + 1;
	}
	*start = lo ? b->ends[lo - 1] : 0;
	return lo;
}

/* ---- Buffers ---- */

void ring_buffer_put(struct ring_buffer *b)
{
	if (!refcount_put(&b->refs))
		return;
	ring_pages_free(&b->pages);
	if (b->runs != &b->one)
		mem_free(b->runs);
	mem_free(b->ends);
	mem_free(b);
}

void ring_buffer_range(const struct ring_buffer *b, uint64_t *addr, size_t *len)
{
	*addr = b->addr;
	*len = b->len;
}

static int create(const struct ring *ring, uint64_t addr, size_t len, struct ring_buffer **out)
{
	size_t nr_pages = ((addr & PAGE_MASK) + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct ring_buffer *b = mem_alloc(sizeof(*b), SLAB_ZERO);
	int err;

	if (!b)
		return -ENOMEM;
	refcount_init(&b->refs, 1);
	b->addr = addr;
	b->len = len;
	err = ring_pages_pin(ring, &b->pages, addr, nr_pages);
	if (!err)
		err = find_runs(b);
	if (err) {
		ring_buffer_put(b);
		return err;
	}
	*out = b;
	return 0;
}

/* man 2 io_uring_register: EFAULT, EOVERFLOW */
static int check(const struct iovec *iov)
{
	uint64_t base = (uintptr_t)iov->iov_base, end;

	if (!base)
		return iov->iov_len ? -EFAULT : 0;
	if (!iov->iov_len || iov->iov_len > BUFFER_LONGEST)
		return -EFAULT;
	return __builtin_add_overflow(base, ALIGN_UP(iov->iov_len, PAGE_SIZE), &end)
		       ? -EOVERFLOW
		       : 0;
}

/* What the i-th entries of the arrays describe; *out NULL: an empty slot. */
static int create_node(
	const struct ring *ring, uptr iovs, uptr tags, unsigned i, struct ring_node **out)
{
	struct iovec iov = {0};
	struct ring_buffer *b;
	uint64_t tag;
	int err = ring_read_tag(tags, i, &tag);

	*out = NULL;
	if (err || (!uptr_is_null(iovs) && user_get(iov, uptr_add(iovs, i * sizeof(iov)))))
		return -EFAULT;
	err = check(&iov);
	if (err)
		return err;
	if (!iov.iov_base)
		return tag ? -EINVAL : 0;
	err = create(ring, (uintptr_t)iov.iov_base, iov.iov_len, &b);
	if (err)
		return err;
	*out = ring_node_create(false, b, tag);
	if (*out)
		return 0;
	ring_buffer_put(b);
	return -ENOMEM;
}

/* ---- Registering ---- */

int ring_buffers_register(struct ring *ring, uptr iovs, unsigned nr, uptr tags)
{
	struct ring_table *t = &ring->buffers;
	int err;

	if (t->nodes)
		return -EBUSY;
	if (!nr || nr > BUFFERS_MOST)
		return -EINVAL;
	err = ring_table_create(t, nr);
	for (unsigned i = 0; !err && i < nr; i++)
		err = create_node(ring, iovs, tags, i, &t->nodes[i]);
	if (err && t->nodes) {
		ring_table_forget_tags(t);
		ring_table_destroy(ring, t);
	}
	return err;
}

int ring_buffers_unregister(struct ring *ring)
{
	if (!ring->buffers.nodes)
		return -ENXIO;
	ring_table_destroy(ring, &ring->buffers);
	return 0;
}

int64_t ring_buffers_update(struct ring *ring, const struct ring_update *u)
{
	struct ring_table *t = &ring->buffers;
	uint32_t end;

	if (__builtin_add_overflow(u->offset, u->nr, &end))
		return -EOVERFLOW;
	if (!t->nodes)
		return -ENXIO;
	if (end > t->nr)
		return -EINVAL;
	for (unsigned i = 0; i < u->nr; i++) {
		struct ring_node *node;
		int err = create_node(ring, u->data, u->tags, i, &node);

		if (err)
			return i ? (int64_t)i : err;
		ring_table_set(ring, t, u->offset + i, node);
	}
	return u->nr;
}

/* ---- Cloning: both rings locked ---- */

/* man 2 io_uring_register, in this order. *nr: slots to copy. */
static int check_clone(const struct ring *to, const struct ring *from,
	const struct io_uring_clone_buffers *c, uint32_t *nr)
{
	uint32_t from_end, to_end;

	if (to->user != from->user)
		return -EINVAL;
	if (!c->nr && (c->dst_off || c->src_off))
		return -EINVAL;
	if (to->buffers.nodes && !(c->flags & IORING_REGISTER_DST_REPLACE))
		return -EBUSY;
	if (!from->buffers.nodes)
		return -ENXIO;
	*nr = c->nr ? c->nr : from->buffers.nr;
	if (*nr > from->buffers.nr)
		return -EINVAL;
	if (__builtin_add_overflow(*nr, c->src_off, &from_end) || from_end > from->buffers.nr)
		return -EOVERFLOW;
	if (__builtin_add_overflow(*nr, c->dst_off, &to_end))
		return -EOVERFLOW;
	return to_end > BUFFERS_MOST ? -EINVAL : 0;
}

static int clone_slots(struct ring_table *fresh, const struct ring_table *from,
	const struct io_uring_clone_buffers *c, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct ring_node *node = from->nodes[c->src_off + i], *copy;

		if (!node)
			continue;
		copy = ring_node_create(false, node->buffer, 0);
		if (!copy)
			return -ENOMEM;
		refcount_get(&node->buffer->refs);
		fresh->nodes[c->dst_off + i] = copy;
	}
	return 0;
}

int ring_buffers_clone(
	struct ring *to, struct ring *from, const struct io_uring_clone_buffers *c)
{
	struct ring_table fresh, *old = &to->buffers;
	uint32_t nr;
	int err = check_clone(to, from, c, &nr);

	if (!err)
		err = ring_table_create(&fresh, MAX(nr + c->dst_off, old->nr));
	if (err)
		return err;
	err = clone_slots(&fresh, &from->buffers, c, nr);
	if (err) {
		ring_table_destroy(to, &fresh);
		return err;
	}
	/* what is outside of the range stays */
	for (uint32_t i = 0; i < old->nr; i++) {
		if (i >= c->dst_off && i - c->dst_off < nr)
			continue;
		fresh.nodes[i] = old->nodes[i];
		old->nodes[i] = NULL;
	}
	ring_table_destroy(to, old);
	*old = fresh;
	return 0;
}

/* ---- Using ---- */

static bool is_within(const struct ring_buffer *b, uint64_t addr, size_t len)
{
	return addr >= b->addr && len <= b->len && addr - b->addr <= b->len - len;
}

int ring_buffer_iter(struct ring_node *node, struct iter *it, uint64_t addr, size_t len)
{
	const struct ring_buffer *b = node->buffer;
	size_t start;
	unsigned run;

	if (!is_within(b, addr, len) || len > ITER_MAX_BYTES)
		return -EFAULT;
	run = find_run(b, addr - b->addr, &start);
	iter_init_segments(
		it, b->runs + run, b->nr_runs - run, addr - b->addr - start, len, true, true);
	return 0;
}

/* The pieces of one element of a vector; how many. segments NULL: only counts. */
static unsigned pieces_of(const struct ring_buffer *b, const struct iter_segment *element,
	struct iter_segment *segments)
{
	size_t offset = element->addr - b->addr, left = element->len, start;
	unsigned run = find_run(b, offset, &start), nr = 0;

	for (; left; run++, nr++) {
		size_t skipped = nr ? 0 : offset - start;
		size_t n = MIN(left, b->runs[run].len - skipped);

		if (segments)
			segments[nr] = (struct iter_segment){b->runs[run].addr + skipped, n};
		left -= n;
	}
	return nr;
}

/* The vector, whose elements are the program's addresses, as pieces of the buffer. */
static int translate(const struct ring_buffer *b, const struct iter *vector, struct iter *it)
{
	struct iter_segment *segments;
	unsigned nr = 0;

	for (unsigned i = 0; i < vector->nr_segments; i++) {
		if (!is_within(b, vector->segments[i].addr, vector->segments[i].len))
			return -EFAULT;
		nr += pieces_of(b, &vector->segments[i], NULL);
	}
	segments = mem_alloc(MAX(nr, 1u) * sizeof(*segments), SLAB_ZERO);
	if (!segments)
		return -ENOMEM;
	iter_init_segments(it, segments, MAX(nr, 1u), 0, vector->left, true, false);
	for (unsigned i = 0; i < vector->nr_segments; i++)
		segments += pieces_of(b, &vector->segments[i], segments);
	return 0;
}

int ring_buffer_iter_vector(struct ring_node *node, struct iter *it, uptr iov, size_t nr)
{
	struct iter vector;
	int err = iter_init_iovec(&vector, iov, nr);

	if (err)
		return err;
	err = translate(node->buffer, &vector, it);
	iter_fini(&vector);
	return err;
}
