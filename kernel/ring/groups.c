// SPDX-License-Identifier: MIT
/*
 * Provided buffers: the program gives memory beforehand, and a request that has something to put
 * somewhere takes some of it (IOSQE_BUFFER_SELECT). A group has a number and one of two forms.
 *
 *     a list   IORING_OP_PROVIDE_BUFFERS adds, IORING_OP_REMOVE_BUFFERS takes away
 *     a ring   the program writes entries and a tail into shared memory, we keep the head
 *
 * Here groups come and go; select.c chooses from them.
 *
 * Locks   ring->lock [l]; the list of rings that can be mapped also map_lock [m], for page faults
 * Spec    man 3 io_uring_register_buf_ring, man 2 io_uring_enter
 */
#include "ring/groups.h"

#include "lib/atomic.h"
#include "mm/slab.h"

enum {
	BUFFERS_OF_LIST = 1 << 16, /* buffer numbers have 16 bits */
};

/* ---- Finding ---- */

struct ring_group *group_find(struct ring *ring, unsigned id)
{
	struct ring_groups *groups = ring->groups;

	if (!groups)
		return NULL;
	if (groups->last && groups->last->id == id)
		return groups->last;
	groups->last = radix_lookup(&groups->by_id, id);
	return groups->last;
}

static int create_groups(struct ring *ring)
{
	struct ring_groups *groups;

	if (ring->groups)
		return 0;
	groups = mem_alloc(sizeof(*groups), SLAB_ZERO);
	if (!groups)
		return -ENOMEM;
	radix_init(&groups->by_id, &mem_allocator);
	list_init(&groups->mapped);
	atomic_store_release(&ring->groups, groups); /* pairs with the acquire of a fault */
	return 0;
}

static int create(struct ring *ring, unsigned id, struct ring_group **out)
{
	struct ring_group *g;
	int err = create_groups(ring);

	if (err)
		return err;
	g = mem_alloc(sizeof(*g), SLAB_ZERO);
	if (!g)
		return -ENOMEM;
	g->id = (uint16_t)id;
	list_init(&g->list);
	err = radix_insert(&ring->groups->by_id, id, g);
	if (err) {
		mem_free(g);
		return err;
	}
	*out = g;
	return 0;
}

unsigned group_remove_from_list(struct ring_group *g, unsigned nr)
{
	unsigned done = 0;

	for (; done < nr && !list_is_empty(&g->list); done++)
		mem_free(list_pop_head(&g->list, struct provided, link));
	g->nr -= done;
	return done;
}

static void destroy(struct ring *ring, struct ring_group *g)
{
	struct ring_groups *groups = ring->groups;

	(void)radix_erase(&groups->by_id, g->id);
	if (groups->last == g)
		groups->last = NULL;
	spinlock_lock(&ring->map_lock);
	if (list_node_is_linked(&g->mapped_link))
		list_remove(&g->mapped_link);
	spinlock_unlock(&ring->map_lock);
	(void)group_remove_from_list(g, g->nr);
	ring_pages_free(&g->pages); /* who has it mapped keeps the pages */
	mem_free(g);
}

void ring_groups_fini(struct ring *ring)
{
	struct ring_groups *groups = ring->groups;
	struct ring_group *g;
	uint64_t id = 0;

	if (!groups)
		return;
	for (; (g = radix_find(&groups->by_id, &id)) != NULL; id = 0)
		destroy(ring, g);
	radix_clear(&groups->by_id);
	atomic_store(&ring->groups, NULL);
	mem_free(groups);
}

/* ---- Lists: IORING_OP_PROVIDE_BUFFERS, IORING_OP_REMOVE_BUFFERS ---- */

enum { W_ADDR, W_LEN, W_NR, W_ID };

int provide_buffers_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	uint64_t nr = (uint32_t)sqe->fd, size, end;

	if (sqe->rw_flags || sqe->splice_fd_in)
		return -EINVAL;
	if (sqe->fd <= 0 || nr > BUFFERS_OF_LIST)
		return -E2BIG;
	if (!sqe->len)
		return -EINVAL;
	size = nr * sqe->len;
	if (__builtin_add_overflow(sqe->addr, size, &end))
		return -EOVERFLOW;
	if (!user_range_ok(UPTR(sqe->addr), size))
		return -EFAULT;
	if (sqe->off >= BUFFERS_OF_LIST)
		return -E2BIG;
	if (sqe->off + nr > BUFFERS_OF_LIST)
		return -EINVAL;
	r->words.w[W_ADDR] = sqe->addr;
	r->words.w[W_LEN] = sqe->len;
	r->words.w[W_NR] = nr;
	r->words.w[W_ID] = sqe->off;
	return 0;
}

/* 0 when at least one was added. */
static int add(struct ring_group *g, const struct req *r)
{
	for (unsigned i = 0; i < r->words.w[W_NR]; i++) {
		struct provided *p;

		if (g->nr == UINT16_MAX)
			return i ? 0 : -EOVERFLOW;
		p = mem_alloc(sizeof(*p), 0);
		if (!p)
			return i ? 0 : -ENOMEM;
		p->addr = r->words.w[W_ADDR] + i * r->words.w[W_LEN];
		p->len = (uint32_t)MIN(r->words.w[W_LEN], ITER_MAX_BYTES);
		p->id = (uint16_t)(r->words.w[W_ID] + i);
		list_add_tail(&g->list, &p->link);
		g->nr++;
	}
	return 0;
}

int64_t provide_buffers_issue(struct req *r)
{
	struct ring_group *g = group_find(r->ring, r->buf_group);
	int err = g ? 0 : create(r->ring, r->buf_group, &g);

	if (err)
		return err;
	return group_is_ring(g) ? -EINVAL : add(g, r);
}

int remove_buffers_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->rw_flags || sqe->addr || sqe->len || sqe->off || sqe->splice_fd_in)
		return -EINVAL;
	if (sqe->fd <= 0 || sqe->fd > BUFFERS_OF_LIST)
		return -EINVAL;
	r->words.w[W_NR] = (uint32_t)sqe->fd;
	return 0;
}

int64_t remove_buffers_issue(struct req *r)
{
	struct ring_group *g = group_find(r->ring, r->buf_group);

	if (!g)
		return -ENOENT;
	return group_is_ring(g)
		       ? -EINVAL
		       : (int64_t)group_remove_from_list(g, (unsigned)r->words.w[W_NR]);
}

/* ---- Rings: io_uring_register ---- */

/* man 3 io_uring_register_buf_ring */
static int check_reg(const struct ring_buf_reg *reg)
{
	if (reg->resv[0] || reg->resv[1] || reg->resv[2] ||
		reg->flags & ~(IOU_PBUF_RING_MMAP | IOU_PBUF_RING_INC))
		return -EINVAL;
	if (!(reg->flags & IOU_PBUF_RING_MMAP) && !reg->ring_addr)
		return -EFAULT;
	if (reg->flags & IOU_PBUF_RING_MMAP ? reg->ring_addr != 0 : reg->ring_addr & PAGE_MASK)
		return -EINVAL;
	if (!reg->ring_entries || reg->ring_entries & (reg->ring_entries - 1) ||
		reg->ring_entries > IORING_MAX_PBUF_ENTRIES)
		return -EINVAL;
	return 0;
}

static int get_pages(struct ring *ring, struct ring_group *g, const struct ring_buf_reg *reg)
{
	size_t nr = DIV_ROUND_UP((size_t)reg->ring_entries, (size_t)ENTRIES_PER_PAGE);
	int err;

	if (!(reg->flags & IOU_PBUF_RING_MMAP))
		return ring_pages_pin(ring, &g->pages, reg->ring_addr, nr);
	err = ring_pages_alloc(ring, &g->pages, nr);
	if (err)
		return err;
	spinlock_lock(&ring->map_lock);
	list_add_tail(&ring->groups->mapped, &g->mapped_link);
	spinlock_unlock(&ring->map_lock);
	return 0;
}

int ring_groups_register(struct ring *ring, uptr arg)
{
	struct ring_buf_reg reg;
	struct ring_group *g;
	int err;

	if (user_get(reg, arg))
		return -EFAULT;
	err = check_reg(&reg);
	if (err)
		return err;
	g = group_find(ring, reg.bgid);
	if (g && (group_is_ring(g) || g->nr))
		return -EEXIST;
	if (!g)
		err = create(ring, reg.bgid, &g);
	if (err)
		return err;
	g->mask = (uint16_t)(reg.ring_entries - 1);
	g->flags = reg.flags;
	g->head = 0;
	err = get_pages(ring, g, &reg);
	if (err)
		destroy(ring, g);
	return err;
}

/* The ring of this number. -ENOENT, -EINVAL. */
static int find_ring(struct ring *ring, unsigned id, struct ring_group **out)
{
	*out = id <= UINT16_MAX ? group_find(ring, id) : NULL;
	if (!*out)
		return -ENOENT;
	return group_is_ring(*out) ? 0 : -EINVAL;
}

int ring_groups_unregister(struct ring *ring, uptr arg)
{
	struct ring_buf_reg reg;
	struct ring_group *g;
	int err;

	if (user_get(reg, arg))
		return -EFAULT;
	if (reg.resv[0] || reg.resv[1] || reg.resv[2] || reg.flags)
		return -EINVAL;
	err = find_ring(ring, reg.bgid, &g);
	if (!err)
		destroy(ring, g);
	return err;
}

int ring_groups_status(struct ring *ring, uptr arg)
{
	struct io_uring_buf_status status;
	struct ring_group *g;
	int err;

	if (user_get(status, arg))
		return -EFAULT;
	for (unsigned i = 0; i < ARRAY_LEN(status.resv); i++) {
		if (status.resv[i])
			return -EINVAL;
	}
	err = find_ring(ring, status.buf_group, &g);
	if (err)
		return err;
	status.head = g->head;
	return user_put(arg, status);
}

/* ---- Rings that are mapped ---- */

/* Page `index` of what mmap sees of the ring is this group's `*at`-th. */
static bool has_page(const struct ring_group *g, uint64_t index, uint64_t *at)
{
	uint64_t base = IORING_OFF_PBUF_RING | (uint64_t)g->id << IORING_OFF_PBUF_SHIFT;

	*at = index - (base >> PAGE_SHIFT);
	return *at < g->pages.nr;
}

bool ring_groups_begin_at(struct ring *ring, uint64_t index)
{
	struct ring_groups *groups = atomic_load_acquire(&ring->groups);
	bool found = false;
	uint64_t at;

	if (!groups)
		return false;
	spinlock_lock(&ring->map_lock);
	list_for_each (g, &groups->mapped, struct ring_group, mapped_link)
		found |= has_page(g, index, &at) && at == 0;
	spinlock_unlock(&ring->map_lock);
	return found;
}

int ring_groups_get_page(struct ring *ring, uint64_t index, struct page **out)
{
	struct ring_groups *groups = atomic_load_acquire(&ring->groups);
	uint64_t best = UINT64_MAX;

	if (!groups)
		return -EFAULT;
	spinlock_lock(&ring->map_lock);
	/* a long one reaches into the next one's place: the nearer beginning has it */
	list_for_each (g, &groups->mapped, struct ring_group, mapped_link) {
		uint64_t at;

		if (has_page(g, index, &at) && at < best) {
			best = at;
			*out = g->pages.page[at];
		}
	}
	if (best != UINT64_MAX)
		page_get(*out);
	spinlock_unlock(&ring->map_lock);
	return best == UINT64_MAX ? -EFAULT : 0;
}
