// SPDX-License-Identifier: MIT
/*
 * Where the pages of a mapped object come from.
 *
 * Implemented by the page cache (mm/pagecache.h), by devices that can be mapped and by the vDSO;
 * declared here because mm never includes fs. A source knows the regions that map it, so that
 * truncation can take its pages out of every address space.
 */
#pragma once

#include "lib/base.h"
#include "lib/list.h"
#include "sync/mutex.h"

struct page;
struct page_source;

struct page_source_ops {
	/*
	 * The page at this index, with a reference; brought in when it is absent. Sleeps.
	 * is_write: a shared mapping will write to it. -EFAULT beyond the end (SIGBUS), -ENOMEM,
	 * -EIO, -ENOSPC (SIGBUS as well).
	 */
	int (*get_page)(struct page_source *s, uint64_t index, bool is_write, struct page **out);
	/*
	 * Those of nr pages that are there already, each with a reference; NULL for the others. Never
	 * waits. What a fault maps beside the page it was for. NULL: nothing to say.
	 */
	void (*find_pages)(struct page_source *s, uint64_t first, unsigned nr, struct page **out);
	/* mmap: whether a mapping may begin here: 0, -errno. NULL: anywhere. */
	int (*may_map)(struct page_source *s, uint64_t first);
	/* References to whatever the source is part of. put may sleep. */
	void (*get)(struct page_source *s);
	void (*put)(struct page_source *s);
	/* For /proc/PID/maps: path, device, inode. NULL: nothing to say. */
	int (*describe)(struct page_source *s, char *path, size_t size, uint32_t *dev, uint64_t *ino);
	/* A shared writable mapping of it begins, or ends: seals, open-for-writing counts. NULL: free. */
	int (*map_writable)(struct page_source *s);
	void (*unmap_writable)(struct page_source *s);
	/*
	 * A region maps it from now on (vm->lock held), or no more (not held): for who counts them. NULL:
	 * nobody does. Regions of a source that counts stay apart, also where one continues the other.
	 */
	void (*attach)(struct page_source *s);
	void (*detach)(struct page_source *s);
	/* MADV_REMOVE: these pages become a hole of zeroes. NULL: -EOPNOTSUPP. */
	int (*punch)(struct page_source *s, uint64_t first, uint64_t nr_pages);
	/* msync, fsync of what mappings wrote. NULL: memory is all there is. */
	int (*sync)(struct page_source *s, uint64_t first, uint64_t nr_pages);
};

/*
 *   [s] lock   [a] atomic
 */
struct page_source {
	const struct page_source_ops *ops; /* [I] */
	struct mutex lock;	 /* RANK_PAGE_SOURCE */
	struct list regions;	 /* [s] struct region.source_link */
	uint32_t truncations;	 /* [a] goes up before pages are taken away: a fault looks twice */
};

void page_source_init(struct page_source *s, const struct page_source_ops *ops);
/*
 * Takes pages [first, first + nr) out of every address space that maps them; with private_too also the
 * private copies (truncation), else only the source's own pages (hole punching keeps copies).
 * mm/vmspace.c. Sleeps; the caller has removed the pages from the source, or holds off new ones.
 */
void page_source_unmap(struct page_source *s, uint64_t first, uint64_t nr, bool private_too);
