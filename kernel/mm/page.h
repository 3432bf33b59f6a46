// SPDX-License-Identifier: MIT
/*
 * Page frames: a buddy allocator with per-CPU caches of small blocks.
 *
 * struct page is initialised when its 4 MiB block is first taken off the raw ranges that boot found,
 * so the cost of starting does not grow with RAM; before, it means nothing. A block of 2^order pages is allocated and freed by
 * its head page; page_split makes single pages of it.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"
#include "lib/list.h"
#include "mm/phys.h"

enum { PAGE_MAX_ORDER = 10 }; /* 4 MiB */

enum page_state {
	PAGE_RESERVED, /* not RAM, never given to the allocator, or not the head of its block */
	PAGE_FREE,     /* head of a free block */
	PAGE_CACHED,   /* in a per-CPU cache */
	PAGE_USED,     /* head of an allocated block */
	PAGE_SLAB,     /* in a slab, head or not */
};

/*
 *   [z] the zone's lock   [a] atomic   [o] whoever owns the block
 */
struct page {
	uint32_t refs;	   /* [a] 1 when allocated */
	uint8_t state;	   /* [z] enum page_state */
	uint8_t order;	   /* [z] of the block this page heads */
	uint8_t zone;	   /* [z] */
	uint8_t flags;	   /* [o] */
	union {
		struct list_node link; /* [z] free list; [o] while allocated */
		struct {	       /* slab: mm/slab.c */
			void *slab_free;      /* objects that came back */
			uint32_t slab_in_use; /* objects handed out */
			uint32_t slab_carved; /* objects that were ever handed out */
		};
		struct {		   /* page table of an address space: mm/vmtable.c */
			uint64_t table_groups; /* bit n: some of the entries from 8n have been used */
			uint16_t table_nr;     /* entries in use */
			uint16_t table_level;
		};
	};
	union {
		struct slab_cache *cache; /* slab */
		uint64_t private_data;	  /* [o] */
	};
	struct list_node lru; /* [o] slab: the list of its cache that it is on */
	uint64_t index;	      /* [o] page cache; slab: offset of the first object */
} ALIGNED(64);
static_assert(sizeof(struct page) == 64, "struct page is 64 bytes: a shift, and one cache line");

enum page_flags {
	PAGE_ALLOC_ZERO = 1,	       /* contents zero; else undefined */
	PAGE_ALLOC_LOW = 2,	       /* below 4 GiB, for devices that cannot reach further */
	PAGE_ALLOC_NO_FAIL_INJECT = 4, /* the failure injector leaves this one alone */
};

/* Bits of page->flags. */
enum { PAGE_PINNED = 1 /* anonymous memory; private_data counts the pins: mm/vmpin.c */ };

void page_init(void); /* after bootmem_map_all */
void page_init_cpu(void);
/*
 * RAM that start kept and needs no more: the initrd, whole or in pieces, upwards. Of each piece only
 * whole pages count. Any context.
 */
void page_give_late(paddr_t start, paddr_t end);

/*
 * Takes a block of 2^order pages.
 * Context  any; never sleeps. What other CPUs keep in their caches is asked for last, and only by
 *          a caller with interrupts and preemption on: others may get -ENOMEM before all is used
 * Returns  0 and the head page with refs == 1; -ENOMEM
 */
MUST_CHECK int page_alloc(struct page **out, unsigned order, unsigned flags);
/* One zeroed page, from those that this CPU keeps if there is one: cheaper than zeroing. */
MUST_CHECK int page_alloc_zeroed(struct page **out);
/* Gives back a single page, the caller's alone, that holds nothing but zeroes. */
void page_free_zeroed(struct page *p);
void page_get(struct page *p);
/* Drops a reference; the last frees the block. Any context. */
void page_put(struct page *p);
/* Makes 2^order single pages, each with refs == 1, of an allocated block with refs == 1. */
void page_split(struct page *p);

/* mm/vmpin.c */
bool page_is_sole_pinned(const struct page *p);
/* Of an anonymous page, by who has one of its entries: whether it is the only one, beside pins. */
static inline bool page_is_sole(const struct page *p)
{
	/* the acquire: whoever had it is done with it */
	return __atomic_load_n(&p->refs, __ATOMIC_ACQUIRE) == 1 ||
	       (UNLIKELY(p->flags & PAGE_PINNED) && page_is_sole_pinned(p));
}

static inline struct page *pfn_to_page(pfn_t pfn)
{
	return (struct page *)arch_layout.page_base + pfn;
}
static inline pfn_t page_to_pfn(const struct page *p)
{
	return (pfn_t)(p - (struct page *)arch_layout.page_base);
}
static inline paddr_t page_to_phys(const struct page *p)
{
	return page_to_pfn(p) << PAGE_SHIFT;
}
static inline void *page_to_virt(const struct page *p)
{
	return phys_to_virt(page_to_phys(p));
}
static inline struct page *virt_to_page(const void *va)
{
	return pfn_to_page(virt_to_phys(va) >> PAGE_SHIFT);
}

struct page_stats {
	uint64_t total;	 /* pages ever given to the zones */
	uint64_t free;	 /* in zones, raw ranges and per-CPU caches */
	uint64_t cached; /* of those, in per-CPU caches */
	uint64_t raw;	 /* of those, never touched yet */
};
void page_get_stats(struct page_stats *out);
/* Empties every CPU's cache into the zones. Interrupts on. */
void page_drain_caches(void);
/* The same if this context may wait for other CPUs, and there is something; whether it did. Any context. */
bool page_drain_if_allowed(void);
/* Debug: walks every free list and checks the invariants; panics with what is wrong. */
void page_check(void);
/* The largest order of which a block is free now, in zone lists or raw; -1 if none. For the log. */
int page_largest_free_order(void);
