// SPDX-License-Identifier: MIT
/*
 * A group of provided buffers: groups.c makes them, select.c takes from them.
 */
#pragma once

#include "lib/list.h"
#include "lib/radix.h"
#include "mm/page.h"
#include "ring/tables.h"

enum { ENTRIES_PER_PAGE = PAGE_SIZE / sizeof(struct io_uring_buf) };

struct provided {
	struct list_node link;
	uint64_t addr;
	uint32_t len;
	uint16_t id;
};

/*
 *   [I] once it is found by its number, but for list and head
 */
struct ring_group {
	uint16_t id;
	uint16_t head; /* [l] of a ring: the next entry to be taken */
	uint16_t mask;
	uint16_t flags;               /* IOU_PBUF_RING_* */
	unsigned nr;                  /* [l] on the list */
	struct list list;             /* [l] struct provided */
	struct ring_pages pages;      /* of a ring; none: a list */
	struct list_node mapped_link; /* [m] groups->mapped */
};

struct ring_groups {
	struct radix by_id;
	struct ring_group *last; /* found last */
	struct list mapped;      /* [m] rings in the kernel's memory */
};

static inline bool group_is_ring(const struct ring_group *g)
{
	return g->pages.page;
}
/* NULL: there is none of this number. */
struct ring_group *group_find(struct ring *ring, unsigned id);
/* Takes so many off its list; how many there were. */
unsigned group_remove_from_list(struct ring_group *g, unsigned nr);
