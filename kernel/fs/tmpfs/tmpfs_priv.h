// SPDX-License-Identifier: MIT
/*
 * What the files of tmpfs share.
 */
#pragma once

#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/inode.h"
#include "lib/list.h"
#include "mm/pagecache.h"
#include "sync/spinlock.h"

/*
 * One instance.   [a] atomic   [I] immutable
 */
struct tmpfs {
	uint64_t max_pages;      /* [a] UINT64_MAX: no limit */
	uint64_t used_pages;     /* [a] */
	uint64_t max_inodes;     /* [a] UINT64_MAX: no limit */
	uint64_t used_inodes;    /* [a] */
	uint32_t mode, uid, gid; /* [I] of the root */
};

/*
 * A name in a directory, in the order of creation. The first name of an inode is in its node, more
 * (hard links) have memory of their own.
 *
 *   [d] the directory's inode->lock
 */
struct tmpfs_entry {
	struct list_node link; /* [d] in the directory's entries */
	int64_t cookie;        /* [d] rising along the list: the position for getdents */
	struct dentry *dentry; /* [d] NULL: not in use */
	bool is_allocated;     /* [I] */
};

struct tmpfs_xattr;

/*
 * What an inode of tmpfs has beside the generic part.   [i] inode->lock
 */
struct tmpfs_node {
	struct tmpfs *fs;         /* [I] */
	struct inode *inode;      /* [I] */
	struct tmpfs_entry entry; /* its first name */
	struct list
		xattrs; /* [i] struct tmpfs_xattr.link; not initialised when empty: head.next NULL */
	union {
		struct {                     /* a directory */
			struct list entries; /* [i] */
			int64_t next_cookie; /* [i] */
			struct tmpfs_entry *
				cursor; /* [i] where somebody's getdents stopped: not read yet */
		};
		struct { /* a regular file */
			struct pagecache cache;
			uint32_t seals;           /* [i] F_SEAL_* */
			int32_t nr_writable_maps; /* [a] */
		};
	};
};

static inline struct tmpfs_node *tmpfs_node(const struct inode *i)
{
	return i->private_data;
}
static inline struct tmpfs *tmpfs_of(const struct super *s)
{
	return s->private_data;
}

enum {
	TMPFS_FIRST_COOKIE = 2, /* 0 is ".", 1 is ".." */
	TMPFS_DIRENT_SIZE = 20, /* Linux: what a name adds to a directory's size */
};

/* inode.c: tmpfs_new_inode's inode has no name, and is owned as one made in dir (NULL: by root). */
void tmpfs_evict(struct inode *i);
void tmpfs_init_inodes(void);
void tmpfs_init_memfd(void);

/* file.c */
extern const struct file_ops tmpfs_file_ops;
extern const struct page_source_ops tmpfs_source_ops;
extern const struct pagecache_ops tmpfs_cache_ops;
MUST_CHECK int tmpfs_set_size(struct inode *i, int64_t size); /* inode->lock held */

/* xattr.c */
int64_t tmpfs_getxattr(struct inode *i, const char *name, void *buf, size_t size);
int tmpfs_setxattr(
	struct inode *i, const char *name, const void *value, size_t size, unsigned flags);
int64_t tmpfs_listxattr(struct inode *i, char *buf, size_t size);
void tmpfs_free_xattrs(struct tmpfs_node *n);
