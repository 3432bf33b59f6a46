// SPDX-License-Identifier: MIT
/*
 * Inodes, dentries, superblocks, mounts: the usual four, less the open file (file.h).
 *
 *     dentry   a name in a directory; positive (has an inode) or negative; cached
 *     inode    a file: its attributes and operations
 *     super    one filesystem instance
 *     mount    a super's subtree attached at a dentry of another mount
 */
#pragma once

#include <linux/stat.h>

#include "fs/vfs/file.h"
#include "lib/base.h"
#include "lib/list.h"
#include "lib/refcount.h"
#include "lib/set.h"
#include "sync/mutex.h"
#include "sync/rcu.h"

struct iattr;
struct kstat;
struct kstatfs;

struct timespec64 {
	int64_t sec;
	uint32_t nsec;
};

struct inode_ops {
	/* Fills `d` (negative until then) by dentry_set_inode when the name exists; 0 also when not. */
	int (*lookup)(struct inode *dir, struct dentry *d);
	int (*create)(struct inode *dir, struct dentry *d, uint32_t mode);
	int (*mkdir)(struct inode *dir, struct dentry *d, uint32_t mode);
	int (*mknod)(struct inode *dir, struct dentry *d, uint32_t mode, uint32_t rdev);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*link)(struct inode *dir, struct dentry *d, struct inode *target);
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	/* flags: RENAME_NOREPLACE is already checked; RENAME_EXCHANGE, RENAME_WHITEOUT as supported. */
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new_d, unsigned flags);
	int (*tmpfile)(struct inode *dir, struct dentry *d, uint32_t mode);
	/* The target of a symlink into buf (NUL-terminated); its length. */
	int (*readlink)(struct inode *inode, char *buf, size_t size);
	/* A symlink that jumps to an object and not to a path (/proc/PID/fd/N). -ENOSYS: use readlink. */
	int (*jump)(struct inode *inode, struct mount **mnt, struct dentry **d);
	int (*setattr)(struct inode *inode, const struct iattr *attr);
	void (*getattr)(struct inode *inode, struct kstat *out); /* NULL: from the fields */
	int (*permission)(struct inode *inode, unsigned mask);	  /* NULL: mode bits */
	int64_t (*getxattr)(struct inode *inode, const char *name, void *buf, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size, unsigned flags);
	int64_t (*listxattr)(struct inode *inode, char *buf, size_t size);
	/* Makes a file ready: sets ops and private_data. NULL: inode->fops. */
	int (*open)(struct inode *inode, struct file *f);
};

enum iattr_valid {
	IATTR_MODE = 1,
	IATTR_UID = 2,
	IATTR_GID = 4,
	IATTR_SIZE = 8,
	IATTR_ATIME = 16,
	IATTR_MTIME = 32,
	IATTR_CTIME = 64,
	IATTR_ATIME_SET = 128, /* to the value given, not to now */
	IATTR_MTIME_SET = 256,
	IATTR_KILL_SUID = 512, /* a write or chown drops setuid bits */
};
struct iattr {
	unsigned valid;
	uint32_t mode, uid, gid;
	int64_t size;
	struct timespec64 atime, mtime, ctime;
};

/* What stat and statx report. */
struct kstat {
	uint64_t ino, size, blocks; /* blocks of 512 bytes */
	uint32_t dev, rdev, mode, nlink, uid, gid, block_size;
	uint64_t attributes, attributes_mask; /* STATX_ATTR_* */
	struct timespec64 atime, mtime, ctime, btime;
	bool has_btime;
};

/*
 *   [I] immutable   [i] inode->lock   [a] atomic
 */
struct inode {
	refcount refs;			 /* [a] */
	struct super *super;		 /* [I] */
	const struct inode_ops *ops;	 /* [I] */
	const struct file_ops *fops;	 /* [I] */
	uint64_t ino;			 /* [I] */
	uint32_t mode;			 /* [i] with the type, S_IF* */
	uint32_t uid, gid;		 /* [i] */
	uint32_t nlink;			 /* [i] */
	uint32_t rdev;			 /* [I] */
	int64_t size;			 /* [i] to write; read anywhere by atomic load */
	uint64_t blocks;		 /* [i] */
	struct timespec64 atime, mtime, ctime, btime; /* [i] */
	struct mutex lock;		 /* RANK_INODE: contents of a directory, attributes, size */
	struct page_source *source;	 /* [I] regular files */
	int32_t write_count;		 /* [a] > 0 open for writing, < 0 mapped as a program (ETXTBSY) */
	void *locks;			 /* fs/vfs/locks.c: flock, POSIX, OFD */
	void *watches;			 /* fs/vfs/inotify.c */
	void *pipe;			 /* ipc/pipe.c: a FIFO's buffer while open */
	void *socket;			 /* net/unix: a bound name */
	void *private_data;		 /* the filesystem's */
	struct rcu_head rcu;
};

enum dentry_flags { DENTRY_MOUNTED = 1, DENTRY_UNHASHED = 2, DENTRY_NEGATIVE = 4, DENTRY_NO_CACHE = 8 };

/*
 *   [I] immutable   [D] the directory's inode lock and rename_lock; read under RCU   [a] atomic
 */
struct dentry {
	refcount refs;		   /* [a] */
	uint32_t flags;		   /* [a] enum dentry_flags */
	struct dentry *parent;	   /* [D] itself for a root; one reference */
	struct inode *inode;	   /* [D] NULL: negative; one reference */
	struct super *super;	   /* [I] */
	uint32_t hash;		   /* [D] of parent and name */
	uint32_t name_len;	   /* [D] */
	const char *name;	   /* [D] short_name or memory freed after a grace period */
	char short_name[40];
	struct list_node hash_link, lru_link, child_link;
	struct list children;	   /* [D] */
	void *private_data;	   /* the filesystem's */
	struct rcu_head rcu;
};

struct super_ops {
	void (*evict)(struct inode *inode); /* no reference and no link is left: free what it holds */
	int (*statfs)(struct super *s, struct kstatfs *out);
	int (*show_options)(struct super *s, char *buf, size_t size);
	int (*remount)(struct super *s, unsigned flags, const char *data);
	void (*unmount)(struct super *s);
};
struct kstatfs {
	uint64_t type, block_size, blocks, free_blocks, available_blocks, files, free_files, fsid, name_max;
};
struct super {
	refcount refs;
	const struct filesystem *fs;
	const struct super_ops *ops;
	struct dentry *root;
	uint32_t dev;
	uint32_t flags; /* SB_RDONLY ... as MS_* */
	void *private_data;
};

/* One kind of filesystem; linker set `filesystems`. */
struct filesystem {
	const char *name;
	bool needs_device;
	int (*mount)(const struct filesystem *fs, const char *source, unsigned flags, const char *data, struct super **out);
};
SET_DECLARE(const struct filesystem, filesystems);

struct mount {
	refcount refs;
	struct mount *parent;	   /* the mount tree's lock */
	struct dentry *mountpoint; /* in parent */
	struct dentry *root;	   /* in super */
	struct super *super;
	uint32_t flags;		   /* MNT_*: ro nosuid nodev noexec noatime relatime nosymfollow */
	int32_t writers;	   /* [a] files open for writing */
	uint32_t id;
	char *source;		   /* "proc", "/dev/vda1" */
	struct list children;
	struct list_node child_link, hash_link, ns_link;
	struct mount_ns *ns;
	uint32_t propagation, peer_group;
};

MUST_CHECK int inode_create(struct super *s, const struct inode_ops *ops, uint32_t mode, struct inode **out);
void inode_get(struct inode *i);
void inode_put(struct inode *i);
void dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
MUST_CHECK int dentry_create_root(struct super *s, struct inode *root, struct dentry **out);
/* In lookup, create and their like: the dentry becomes positive; takes over the reference. */
void dentry_set_inode(struct dentry *d, struct inode *i);
/* Changes attributes and times the common way; for filesystems whose inodes live in memory. */
void inode_set_attr_simple(struct inode *i, const struct iattr *attr);
struct timespec64 inode_now(void);
void inode_touch(struct inode *i, unsigned which); /* IATTR_ATIME | ... to now */
