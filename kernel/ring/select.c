// SPDX-License-Identifier: MIT
/*
 * Choosing provided buffers. What was chosen leaves the group when it is known how much of it was used:
 *
 *     select -> the request tries -> commit: used, the completion names it
 *                                 -> return: nothing was done, it is the next one's
 *                                 -> keep:   the request will go on with it later
 *
 * This is right because a request has the ring's lock from select to one of these.
 *
 * The program may write entries of a ring at any time. Each word is read once where it matters, and what
 * it says is only an address and a length, which are checked where memory is touched.
 *
 * Locks   ring->lock [l]
 */
#include "lib/atomic.h"
#include "mm/slab.h"
#include "ring/groups.h"

enum { BUNDLE_MOST = 256 /* Linux: PEEK_MAX_IMPORT */ };

/* ---- Entries of a ring ---- */

static struct io_uring_buf *entry_of(const struct ring_group *g, uint16_t index)
{
	unsigned at = index & g->mask;
	struct io_uring_buf *page = page_to_virt(g->pages.page[at / ENTRIES_PER_PAGE]);

	return page + at % ENTRIES_PER_PAGE;
}

static unsigned nr_entries(const struct ring_group *g)
{
	const struct io_uring_buf_ring *br = page_to_virt(g->pages.page[0]);
	/* pairs with the program's release: entries are there when the tail is seen */
	uint16_t nr = (uint16_t)(atomic_load_acquire(&br->tail) - g->head);

	return MIN((unsigned)nr, g->mask + 1u);
}

/*
 * IOU_PBUF_RING_INC: so many bytes leave the entries that were chosen. Whether some of the last one is left. A datagram
 * may have been longer than all of them (MSG_TRUNC).
 */
static bool consume_bytes(struct ring_group *g, unsigned chosen, size_t used)
{
	for (unsigned left = MIN(chosen, nr_entries(g)); used && left; left--) {
		struct io_uring_buf *buf = entry_of(g, g->head);
		uint32_t len = READ_ONCE(buf->len);
		uint32_t n = (uint32_t)MIN(used, (size_t)len);

		if (len > n || !n) {
			WRITE_ONCE(buf->addr, READ_ONCE(buf->addr) + n);
			WRITE_ONCE(buf->len, len - n);
			return true;
		}
		WRITE_ONCE(buf->len, 0);
		g->head++;
		used -= n;
	}
	return false;
}

/* Of the entries that a bundle chose, those that so many bytes filled, the last one perhaps in part. */
static unsigned nr_filled(const struct ring_group *g, unsigned chosen, size_t used)
{
	unsigned nr = 0;

	do
		used -= MIN(
			used, (size_t)READ_ONCE(entry_of(g, (uint16_t)(g->head + nr))->len));
	while (++nr < chosen && used);
	return nr;
}

/* ---- Choosing ---- */

static void note(struct req *r, uint16_t id, unsigned nr)
{
	r->flags |= REQ_HAS_BUFFER;
	r->buf_id = id;
	r->nr_bufs = (uint16_t)nr;
}

bool ring_buffer_is_out(const struct req *r)
{
	const struct ring_group *g = group_find(r->ring, r->buf_group);

	if (!g)
		return false;
	return group_is_ring(g) ? !nr_entries(g) : list_is_empty(&g->list);
}

int ring_buffer_select(struct req *r, uptr *addr, size_t *len)
{
	struct ring_group *g = group_find(r->ring, r->buf_group);
	uint64_t at;
	uint32_t room;
	uint16_t id;

	if (!g)
		return -ENOBUFS;
	if (group_is_ring(g)) {
		const struct io_uring_buf *buf = entry_of(g, g->head);

		if (!nr_entries(g))
			return -ENOBUFS;
		at = READ_ONCE(buf->addr);
		room = READ_ONCE(buf->len);
		id = READ_ONCE(buf->bid);
	} else {
		const struct provided *p;

		if (list_is_empty(&g->list))
			return -ENOBUFS;
		p = list_first(&g->list, struct provided, link);
		at = p->addr;
		room = p->len;
		id = p->id;
	}
	*addr = UPTR(at);
	if (!*len || *len > room)
		*len = room;
	note(r, id, 1);
	return 0;
}

/* How many entries a bundle of up to max bytes looks at: by the first one's length, as Linux does. */
static unsigned nr_to_look_at(const struct ring_group *g, size_t max)
{
	unsigned nr = MIN(nr_entries(g), (unsigned)BUNDLE_MOST);
	uint32_t first = READ_ONCE(entry_of(g, g->head)->len);

	if (!max || !nr)
		return nr;
	if (!first)
		return 0;
	if (g->flags & IOU_PBUF_RING_INC)
		return 1;
	return (unsigned)MIN((size_t)nr, DIV_ROUND_UP(max, (size_t)first));
}

/* The segments of so many entries, cut at max bytes; how many are used, or -EFAULT. */
static int fill(
	struct ring_group *g, unsigned nr, size_t max, struct iter_segment *to, size_t *sum)
{
	unsigned i = 0;

	*sum = 0;
	for (; i < nr && *sum < max; i++) {
		struct io_uring_buf *buf = entry_of(g, (uint16_t)(g->head + i));
		size_t len = READ_ONCE(buf->len);

		if (len > max - *sum && !(g->flags & IOU_PBUF_RING_INC)) {
			if (i)
				break; /* only the first one is cut */
			WRITE_ONCE(buf->len, (uint32_t)max);
		}
		len = MIN(len, max - *sum);
		to[i] = (struct iter_segment){READ_ONCE(buf->addr), len};
		if (!user_range_ok(UPTR(to[i].addr), len))
			return -EFAULT;
		*sum += len;
	}
	return (int)i;
}

static int select_one(struct req *r, struct iter *it, size_t max)
{
	uptr addr;
	int err = ring_buffer_select(r, &addr, &max);

	return err ? err : iter_init_user(it, addr, max);
}

int ring_buffers_select(struct req *r, struct iter *it, size_t max)
{
	struct ring_group *g = group_find(r->ring, r->buf_group);
	struct iter_segment *segments;
	size_t sum;
	int nr;

	if (!g || !group_is_ring(g))
		return select_one(r, it, max);
	nr = (int)nr_to_look_at(g, max);
	if (nr <= 1)
		return nr ? select_one(r, it, max) : -ENOBUFS;
	segments = mem_alloc((unsigned)nr * sizeof(*segments), 0);
	if (!segments)
		return -ENOMEM;
	nr = fill(g, (unsigned)nr, max ? MIN(max, ITER_MAX_BYTES) : ITER_MAX_BYTES, segments,
		&sum);
	if (nr <= 0) {
		mem_free(segments);
		return nr ? nr : -ENOBUFS;
	}
	iter_init_segments(it, segments, (unsigned)nr, 0, sum, false, false);
	note(r, READ_ONCE(entry_of(g, g->head)->bid), (unsigned)nr);
	return 0;
}

/* ---- Using what was chosen ---- */

/* Whether some of it is left. */
static bool consume(struct ring_group *g, unsigned chosen, size_t used)
{
	if (!group_is_ring(g)) {
		(void)group_remove_from_list(g, 1);
		return false;
	}
	if (g->flags & IOU_PBUF_RING_INC)
		return consume_bytes(g, chosen, used);
	g->head += (uint16_t)(chosen > 1 ? nr_filled(g, chosen, used) : 1);
	return false;
}

uint32_t ring_buffer_commit(struct req *r, int32_t used)
{
	uint32_t flags = IORING_CQE_F_BUFFER | (uint32_t)r->buf_id << IORING_CQE_BUFFER_SHIFT;
	struct ring_group *g = group_find(r->ring, r->buf_group);

	/* what is used bit by bit is not used at all by no bytes */
	if (r->nr_bufs && (used < 0 || (used == 0 && g && g->flags & IOU_PBUF_RING_INC))) {
		ring_buffer_return(r);
		return 0;
	}
	r->flags &= (uint16_t)~REQ_HAS_BUFFER;
	if (g && r->nr_bufs && consume(g, r->nr_bufs, (size_t)used))
		flags |= IORING_CQE_F_BUF_MORE;
	r->nr_bufs = 0;
	return flags;
}

void ring_buffer_return(struct req *r)
{
	r->flags &= (uint16_t)~REQ_HAS_BUFFER;
	r->nr_bufs = 0;
}

void ring_buffer_keep(struct req *r)
{
	struct ring_group *g = group_find(r->ring, r->buf_group);

	if (g && r->nr_bufs && group_is_ring(g))
		g->head += r->nr_bufs;
	else if (g && r->nr_bufs)
		(void)group_remove_from_list(g, 1);
	r->nr_bufs = 0;
}
