// SPDX-License-Identifier: MIT
/*
 * What mmap needs of descriptors and page caches until those are in the tree: weak, so that the real
 * ones win. Goes when they are there.
 */
#include "fs/vfs/fdtable.h"
#include "mm/pagecache.h"

WEAK struct borrowed_file fd_borrow(int fd UNUSED)
{
	return (struct borrowed_file){0};
}

WEAK int pagecache_create_shared(uint64_t nr_pages UNUSED, struct page_source **out UNUSED)
{
	return -ENOSYS;
}
