// SPDX-License-Identifier: MIT
/*
 * The pages of one file, or of a piece of shared anonymous memory, by index.
 *
 * A filesystem fills pages that are absent (`fill`); one without a disk leaves that NULL, and an
 * absent page is a hole of zeroes. mm maps a page cache through its page_source.
 */
#pragma once

#include "lib/base.h"
#include "lib/radix.h"
#include "lib/refcount.h"
#include "mm/page_source.h"

struct iter;
struct pagecache;

struct pagecache_ops {
	int (*fill)(struct pagecache *pc, struct page *p, uint64_t index); /* NULL: zeroes */
	/* Before nr new pages are put in (quota, overcommit): -ENOSPC, -ENOMEM. NULL: allowed. */
	int (*charge)(struct pagecache *pc, uint64_t nr);
	void (*uncharge)(struct pagecache *pc, uint64_t nr);
};

/*
 *   [p] lock   [a] atomic
 */
struct pagecache {
	struct page_source source;
	const struct pagecache_ops *ops;
	struct mutex lock;	/* RANK_PAGECACHE: putting pages in and taking them out */
	struct page *first;	/* [p] index 0; published */
	struct radix pages;	/* [p] struct page, from index 1 on; looked up under RCU */
	uint64_t nr_pages;	/* [p] */
	int64_t size;		/* [a] bytes; faults beyond its last page are SIGBUS */
	void *owner;		/* the inode, or NULL */
};

void pagecache_init_system(void); /* before the first cache; needs mem_alloc */
void pagecache_init(struct pagecache *pc, const struct page_source_ops *source_ops, const struct pagecache_ops *ops,
	void *owner);
void pagecache_fini(struct pagecache *pc); /* drops all pages */
/*
 * The owner's lock (an inode's) keeps writes, truncate and punch apart; reads and faults come at any
 * time. Pages that leave are freed after a grace period.
 */
/* How many pages all caches hold. */
uint64_t pagecache_total_pages(void);
/* The page, with a reference; *out NULL for a hole when !create. -ENOMEM, -ENOSPC, fill's errors. */
MUST_CHECK int pagecache_get(struct pagecache *pc, uint64_t index, bool create, struct page **out);
/* Bytes between an iter and the cache at pos; holes read as zeroes. Moved so far, or -errno when nothing was.
 * read stops at size; write does not look at it. The owner's lock keeps two writes apart. */
int64_t pagecache_read(struct pagecache *pc, struct iter *to, int64_t pos);
int64_t pagecache_write(struct pagecache *pc, struct iter *from, int64_t pos);
/* Sets size; shrinking frees what lies beyond, zeroes the tail of the last page and unmaps. */
void pagecache_truncate(struct pagecache *pc, int64_t size);
/* Frees whole pages in [start, end) and zeroes the edges. */
MUST_CHECK int pagecache_punch(struct pagecache *pc, int64_t start, int64_t end);
/* The next byte >= pos that is data (or in a hole); size if there is none. */
int64_t pagecache_seek(struct pagecache *pc, int64_t pos, bool data);
/* page_source_ops.get_page for any page cache. */
int pagecache_source_get_page(struct page_source *s, uint64_t index, bool is_write, struct page **out);
/* page_source_ops.find_pages, likewise. */
void pagecache_source_find_pages(
	struct page_source *s, uint64_t first, unsigned nr, struct page **out);

/* Shared anonymous memory (MAP_SHARED | MAP_ANONYMOUS): a counted cache with no file. Commits
 * its pages until it goes. -ENOMEM. */
MUST_CHECK int pagecache_create_shared(uint64_t nr_pages, struct page_source **out);
