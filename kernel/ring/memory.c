// SPDX-License-Identifier: MIT
/*
 * The memory of a ring: its queues, as the kernel has them and as programs map them.
 *
 *     the kernel's own       [ head | completions, array ]  [ entries ]
 *     NO_MMAP: the program's [ head, completions, array ]   [ entries ]
 *
 * The head has a page of its own, so that resizing replaces all but that page. What a program of its own
 * has mapped stays as it is; what it maps anew, or touches first, is the new. With NO_MMAP the head goes
 * with the rest, and who looks at it, as every wake-up does, is an RCU reader or has the lock.
 *
 * The program's own memory is pinned. Where its pages lie apart they are mapped one after another.
 *
 * Locks   ring->lock and map_lock [l] [m] to replace the queues; map_lock for page faults
 * Spec    man 2 io_uring_setup, mmap of the ring
 */
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/kmap.h"
#include "mm/page.h"
#include "ring/tables.h"

/* ---- In one piece ---- */

static int alloc_memory(struct ring_memory *m, size_t size)
{
	unsigned order = 0;
	int err;

	m->size = ALIGN_UP(size, PAGE_SIZE);
	while (PAGE_SIZE << order < m->size)
		order++;
	err = order > PAGE_MAX_ORDER ? -ENOMEM : page_alloc(&m->page, order, PAGE_ALLOC_ZERO);
	if (err)
		return err;
	page_split(m->page);
	m->at = page_to_virt(m->page);
	for (size_t i = m->size >> PAGE_SHIFT; i < 1ul << order; i++)
		page_put(m->page + i); /* more than was asked for */
	return 0;
}

static bool is_in_one_piece(const struct ring_pages *p)
{
	for (size_t i = 1; i < p->nr; i++) {
		if (p->page[i] != p->page[0] + i)
			return false;
	}
	return true;
}

/* Linux checks it as it does a region that is registered. */
static int pin_memory(
	const struct ring *ring, struct ring_memory *m, uint64_t addr, size_t size)
{
	uint64_t end;
	int err;

	m->size = ALIGN_UP(size, PAGE_SIZE);
	if (!addr)
		return -EFAULT;
	if (addr & PAGE_MASK)
		return -EINVAL;
	if (__builtin_add_overflow(addr, m->size, &end))
		return -EOVERFLOW;
	err = ring_pages_pin(ring, &m->users, addr, m->size >> PAGE_SHIFT);
	if (err)
		return err;
	if (is_in_one_piece(&m->users)) {
		m->at = page_to_virt(m->users.page[0]);
		return 0;
	}
	err = kmap_pages(&m->at, m->users.page, m->users.nr, "memory of a ring");
	m->is_mapped = !err;
	return err;
}

void ring_memory_free(struct ring_memory *m)
{
	if (m->is_mapped)
		kmap_unmap(m->at);
	ring_pages_free(&m->users);
	for (size_t i = 0; m->page && i < m->size >> PAGE_SHIFT; i++)
		page_put(m->page + i);
	*m = (struct ring_memory){0};
}

bool ring_memory_is_mapped(const struct ring *ring)
{
	return ring->q.rings.is_mapped || ring->q.sqes.is_mapped;
}

/* ---- The queues ---- */

/* Where what is, in bytes from the beginning of what the program maps. */
struct layout {
	size_t cqes, array, end; /* array: end without one */
	size_t sqes_size;
};

static struct layout layout_of(const struct ring *ring, const struct io_uring_params *p)
{
	bool has_array = !(p->flags & IORING_SETUP_NO_SQARRAY);
	struct layout l;

	l.cqes = p->flags & IORING_SETUP_NO_MMAP ? sizeof(struct ring_shared) : PAGE_SIZE;
	l.array = l.cqes +
		  ((size_t)p->cq_entries * sizeof(struct io_uring_cqe) << ring->cqe_shift);
	l.end = l.array + (has_array ? p->sq_entries * sizeof(uint32_t) : 0);
	l.sqes_size = (size_t)p->sq_entries << ring->sqe_shift;
	return l;
}

static void tell_offsets(struct io_uring_params *p, const struct layout *l)
{
	bool is_users = p->flags & IORING_SETUP_NO_MMAP;

	/* resv2: user_addr, for which the older header has no name */
	p->sq_off = (struct io_sqring_offsets){
		.head = offsetof(struct ring_shared, sq_head),
		.tail = offsetof(struct ring_shared, sq_tail),
		.ring_mask = offsetof(struct ring_shared, sq_mask),
		.ring_entries = offsetof(struct ring_shared, sq_entries),
		.flags = offsetof(struct ring_shared, sq_flags),
		.dropped = offsetof(struct ring_shared, sq_dropped),
		.array = l->array < l->end ? (uint32_t)l->array : 0,
		.resv2 = is_users ? p->sq_off.resv2 : 0,
	};
	p->cq_off = (struct io_cqring_offsets){
		.head = offsetof(struct ring_shared, cq_head),
		.tail = offsetof(struct ring_shared, cq_tail),
		.ring_mask = offsetof(struct ring_shared, cq_mask),
		.ring_entries = offsetof(struct ring_shared, cq_entries),
		.overflow = offsetof(struct ring_shared, cq_overflow),
		.cqes = (uint32_t)l->cqes,
		.flags = offsetof(struct ring_shared, cq_flags),
		.resv2 = is_users ? p->cq_off.resv2 : 0,
	};
}

static int get_memory(struct ring *ring, const struct io_uring_params *p,
	const struct layout *l, struct ring_queues *q)
{
	int err = 0;

	if (p->flags & IORING_SETUP_NO_MMAP) {
		err = pin_memory(ring, &q->rings, p->cq_off.resv2, l->end);
		return err ? err : pin_memory(ring, &q->sqes, p->sq_off.resv2, l->sqes_size);
	}
	if (!ring->head.at)
		err = alloc_memory(&ring->head, PAGE_SIZE);
	if (!err)
		err = alloc_memory(&q->rings, l->end - l->cqes);
	return err ? err : alloc_memory(&q->sqes, l->sqes_size);
}

int ring_queues_create(struct ring *ring, struct io_uring_params *p, struct ring_queues *q)
{
	const bool is_users = p->flags & IORING_SETUP_NO_MMAP;
	struct layout l = layout_of(ring, p);
	char *cqes;
	int err;

	*q = (struct ring_queues){.sq_entries = p->sq_entries,
		.sq_mask = p->sq_entries - 1,
		.cq_entries = p->cq_entries,
		.cq_mask = p->cq_entries - 1};
	err = get_memory(ring, p, &l, q);
	if (err) {
		ring_queues_free(q);
		return err;
	}
	cqes = (char *)q->rings.at + (is_users ? l.cqes : 0);
	q->cqes = (void *)cqes;
	q->sq_array = l.array < l.end ? (void *)(cqes + (l.array - l.cqes)) : NULL;
	q->shared = is_users ? q->rings.at : ring->head.at;
	if (!ring->shared) {
		ring->shared = q->shared;
		memset(ring->shared, 0, sizeof(*ring->shared));
	}
	tell_offsets(p, &l);
	return 0;
}

void ring_queues_publish(struct ring *ring)
{
	struct ring_shared *s = ring->shared;

	s->sq_entries = ring->q.sq_entries;
	s->cq_entries = ring->q.cq_entries;
	s->sq_mask = ring->q.sq_mask;
	s->cq_mask = ring->q.cq_mask;
}

void ring_queues_free(struct ring_queues *q)
{
	ring_memory_free(&q->rings);
	ring_memory_free(&q->sqes);
}

/* ---- What programs map ---- */

static struct ring *ring_of_source(struct page_source *s)
{
	return container_of(s, struct ring, source);
}

/*
 * Each region is mapped from its beginning, and as far as anybody likes. -ENOMEM: there is none, or it is
 * the program's own. Linux: ring_setup.regions_are_mapped_at_their_offsets.
 */
static int may_map(struct page_source *s, uint64_t first)
{
	struct ring *ring = ring_of_source(s);
	bool is_there;

	switch (first << PAGE_SHIFT) {
	case IORING_OFF_SQ_RING:
	case IORING_OFF_CQ_RING:
	case IORING_OFF_SQES:
		is_there = !(ring->flags & IORING_SETUP_NO_MMAP);
		break;
	case IORING_MAP_OFF_PARAM_REGION:
		is_there = ring_region_is_mapped(ring);
		break;
	default:
		is_there = ring_groups_begin_at(ring, first);
	}
	return is_there ? 0 : -ENOMEM;
}

static int page_of(
	struct ring *ring, const struct ring_memory *m, uint64_t index, struct page **out)
{
	int err = -EFAULT;

	spinlock_lock(&ring->map_lock);
	if (m->page && index < m->size >> PAGE_SHIFT) {
		*out = m->page + index;
		page_get(*out);
		err = 0;
	}
	spinlock_unlock(&ring->map_lock);
	return err;
}

static int get_ring_page(struct ring *ring, uint64_t index, struct page **out)
{
	return index ? page_of(ring, &ring->q.rings, index - 1, out)
		     : page_of(ring, &ring->head, 0, out);
}

/* The offsets of mmap are megabytes apart: each region begins at one of them. */
static int get_page(
	struct page_source *s, uint64_t index, bool is_write UNUSED, struct page **out)
{
	struct ring *ring = ring_of_source(s);
	uint64_t base = index << PAGE_SHIFT & IORING_OFF_MMAP_MASK;

	switch (base) {
	case IORING_OFF_SQ_RING:
	case IORING_OFF_CQ_RING:
		return get_ring_page(ring, index - (base >> PAGE_SHIFT), out);
	case IORING_OFF_SQES:
		return page_of(ring, &ring->q.sqes, index - (base >> PAGE_SHIFT), out);
	case IORING_MAP_OFF_PARAM_REGION:
		return ring_region_get_page(ring, index, out);
	default:
		return ring_groups_get_page(ring, index, out);
	}
}

static void source_get(struct page_source *s)
{
	ring_get(ring_of_source(s));
}

static void source_put(struct page_source *s)
{
	ring_put(ring_of_source(s));
}

const struct page_source_ops ring_source_ops = {
	.get_page = get_page, .may_map = may_map, .get = source_get, .put = source_put};
