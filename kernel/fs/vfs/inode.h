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

#include "abi/stat.h"
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
	/* flags: RENAME_NOREPLACE is already checked, and a RENAME_WHITEOUT's inode is made by mknod; -EINVAL: not supported. */
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new_d, unsigned flags);
	int (*tmpfile)(
		struct inode *dir, struct dentry *d, uint32_t mode); /* nlink 0 afterwards */
	/* The target of a symlink into buf (NUL-terminated); its length. */
	int (*readlink)(struct inode *inode, char *buf, size_t size);
	/* A symlink that jumps to an object and not to a path (/proc/PID/fd/N). -ENOSYS: use readlink. */
	int (*jump)(struct inode *inode, struct mount **mnt, struct dentry **d);
	/*
	 * Called for each cached name of this directory that is DENTRY_REVALIDATE, by who holds no
	 * reference: under RCU, may not sleep. False: the name is looked up again (/proc/PID).
	 */
	bool (*revalidate)(struct dentry *d);
	int (*setattr)(struct inode *inode, const struct iattr *attr);
	void (*getattr)(struct inode *inode, struct kstat *out); /* NULL: from the fields */
	int (*permission)(struct inode *inode, unsigned mask);	  /* NULL: mode bits; may sleep */
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

enum inode_flags {
	INODE_LINKABLE =
		1, /* made by O_TMPFILE without O_EXCL: may get its first name by link */
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
	uint32_t flags;                  /* [a] enum inode_flags */
	char *link;			 /* [I] a symlink's target in memory of its own, or NULL: readlink */
	int32_t write_count;		 /* [a] > 0 open for writing, < 0 mapped as a program (ETXTBSY) */
	void *locks;			 /* fs/vfs/locks.c: flock, POSIX, OFD */
	void *watches;			 /* fs/vfs/inotify.c */
	void *pipe;			 /* ipc/pipe.c: a FIFO's buffer while open */
	void *socket;			 /* net/unix: a bound name */
	void *private_data;		 /* the filesystem's */
	struct rcu_head rcu;
};

enum dentry_flags {
	DENTRY_MOUNTED = 1,	/* something is mounted here, in some namespace */
	DENTRY_NO_CACHE = 2,	/* never found again by name: each lookup asks the filesystem */
	DENTRY_REVALIDATE = 4,	/* ask inode_ops.revalidate at each hit */
	DENTRY_CANT_MOUNT = 8,	/* removed: nothing may be mounted here any more */
	DENTRY_UNLINKED = 16,	/* its name is gone: path_text adds " (deleted)" */
};

enum { DENTRY_SHORT_NAME = 40 };

/*
 * A name shorter than DENTRY_SHORT_NAME is in short_name, a longer one in memory freed after a
 * grace period. See dentry.c for the life of a dentry and for what readers without a lock may
 * assume.
 *
 *   [I] immutable   [a] atomic
 *   [D] dentry_lock and dentry_seq to write, and the parent's inode->lock; read under RCU
 */
struct dentry {
	struct dentry *hash_next;   /* [D] */
	struct dentry **hash_slot;  /* [D] what points here; NULL: not hashed */
	uint32_t hash;		    /* [D] of parent and name */
	uint32_t name_len;	    /* [D] */
	struct dentry *parent;	    /* [D] itself for a root; one reference */
	struct inode *inode;	    /* [D] NULL: negative; one reference. Never cleared once set */
	const char *name;	    /* [D] with a NUL */
	char short_name[DENTRY_SHORT_NAME];
	uint32_t refs;		    /* [a] a count and DENTRY_REF_* bits: dentry_get and dentry_put */
	uint32_t flags;		    /* [a] enum dentry_flags */
	struct super *super;	    /* [I] */
	struct list children;	    /* [D] child_link; the newest first */
	struct list_node child_link; /* [D] in parent->children */
	struct list_node lru_link;  /* [D] */
	void *private_data;	    /* the filesystem's */
	struct rcu_head rcu;
};

struct super_ops {
	void (*evict)(struct inode *inode); /* no reference and no link is left: free what it holds */
	int (*statfs)(struct super *s, struct kstatfs *out);
	int (*show_options)(struct super *s, char *buf, size_t size); /* ",size=4k"; < 0: none */
	int (*remount)(struct super *s, unsigned flags, const char *data);
	void (*unmount)(struct super *s);
};
struct kstatfs {
	uint64_t type, block_size, blocks, free_blocks, available_blocks, files, free_files, fsid, name_max;
};
/*
 *   [I] immutable once mounted   [a] atomic
 */
enum super_flags {
	SUPER_RDONLY = 1,	 /* MS_RDONLY: no mount of it can be written to */
	SUPER_KEEPS_NAMES = 256, /* [I] its directories are the dentry tree: a cached name stays until it is
				  * removed, and a name that is not cached does not exist */
	SUPER_NO_EXEC = 512,	 /* [I] proc, sysfs: nothing in it is ever a program or a device */
	SUPER_NO_DEV = 1024,
	SUPER_INTERNAL = 2048,	 /* [I] anonymous files: never in anybody's tree */
};
struct super {
	refcount refs;		   /* [a] of inodes and mounts; the last calls ops->unmount */
	uint32_t nr_claims;	   /* [a] see super_claim */
	const struct filesystem *fs;	 /* [I] */
	const struct super_ops *ops;	 /* [I] */
	struct dentry *root;	   /* [I] the filesystem's mount() sets it; one reference */
	uint32_t dev;		   /* [I] */
	uint32_t flags;		   /* [a] enum super_flags */
	uint32_t magic, block_size; /* [I] statfs, stat */
	uint64_t next_ino;	   /* [a] for filesystems that count */
	struct mutex rename_lock;  /* RANK_RENAME: a name moves to another directory */
	void *private_data;
	struct rcu_head rcu;
};
/* One kind of filesystem; linker set `filesystems`. */
struct filesystem {
	const char *name;
	bool needs_device;
	/* *out has a claim for the caller (super_claim) */
	int (*mount)(const struct filesystem *fs, const char *source, unsigned flags, const char *data, struct super **out);
};
SET_DECLARE(const struct filesystem, filesystems);

/*
 * Flags are MS_RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, NODIRATIME, RELATIME, NOSYMFOLLOW of
 * <linux/mount.h>; MOUNT_* below are the kernel's own.
 *
 *   [I] immutable   [a] atomic
 *   [M] mount_lock to write, with dentry_seq where walks look; read under RCU
 */
struct mount {
	refcount refs;		   /* [a] */
	uint32_t flags;		   /* [M] */
	struct mount *parent;	   /* [M] itself: not in a tree, or a namespace's root; one reference */
	struct dentry *mountpoint; /* [M] in parent; one reference */
	struct dentry *root;	   /* [I] in super; one reference */
	struct super *super;	   /* [I] one reference */
	struct mount *hash_next;   /* [M] by parent and mountpoint; the newest first */
	struct list_node point_link; /* [M] by mountpoint, whatever the parent */
	int32_t writers;	   /* [a] writes under way, and files open for writing */
	uint32_t id;		   /* [I] */
	struct mount_ns *ns;	   /* [M] NULL: in no tree (any more) */
	char *source;		   /* [I] "proc", "/dev/vda1" */
	struct list children;	   /* [M] */
	struct list_node child_link, ns_link; /* [M] */
	struct list_node peer_link;	      /* [M] the ring of a peer group; itself when alone */
	struct list slaves;		      /* [M] */
	struct list_node slave_link;	      /* [M] in master->slaves */
	struct mount *master;		      /* [M] whose changes it gets; NULL: no slave */
	uint32_t propagation;	   /* [M] MS_SHARED or MS_UNBINDABLE; 0: private or slave */
	uint32_t peer_group;	   /* [M] of a shared mount; else 0 */
	uint32_t expiry;	   /* [M] umount2(MNT_EXPIRE) was here once */
	struct mount *changed_next; /* [M] while a tree becomes read-only: mount_setattr */
	bool is_detached;	   /* [M] the root of a tree that only a descriptor holds: mount_fd.c */
	struct mount *old_parent;     /* [M] while it is taken down: the references to give back */
	struct dentry *old_mountpoint; /* [M] */
	struct rcu_head rcu;
};

/* ---- Inodes and dentries: fs/vfs/inode.c, dentry.c ---- */

/*
 * A new inode: one reference, nlink 1, times now, owner and group 0, the next number, fops NULL.
 * Holds its super.
 */
MUST_CHECK int inode_create(struct super *s, const struct inode_ops *ops, uint32_t mode, struct inode **out);
/* The owner of what a program makes in dir: fsuid, fsgid or a setgid directory's group; umask is done. */
void inode_init_owner(struct inode *i, const struct inode *dir, uint32_t mode);
void inode_get(struct inode *i);
void inode_put(struct inode *i);
void dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
/* Both take over the reference to the inode, also when they fail. */
MUST_CHECK int dentry_create_root(struct super *s, struct inode *root, struct dentry **out);
/* In lookup, create and their like: the dentry becomes positive. */
void dentry_set_inode(struct dentry *d, struct inode *i);
/* The kernel's own entry in a directory of a SUPER_KEEPS_NAMES filesystem, unless there is one: -EEXIST. */
MUST_CHECK int dentry_add(struct dentry *dir, const char *name, struct inode *i);
/* Takes a name out of the cache (and drops the reference that a kept name holds), as unlink does: by a
 * filesystem whose contents change by themselves. The caller holds a reference. */
void dentry_drop(struct dentry *d);
/* The cached child of this name, with a reference; NULL. */
struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len);
/* Frees up to nr cached names that nobody uses; how many. */
unsigned dentry_shrink(unsigned nr);
/* A directory of a SUPER_KEEPS_NAMES filesystem without names in it; dir->inode->lock held. */
bool dentry_has_children(struct dentry *dir);

/* Changes attributes and times the common way; for filesystems whose inodes live in memory. */
void inode_set_attr_simple(struct inode *i, const struct iattr *attr);
/* What stat says. */
void inode_get_attr(struct inode *i, struct kstat *out);
struct timespec64 inode_now(void);
void inode_touch(struct inode *i, unsigned which); /* IATTR_ATIME | ... to now */
/* After a read: the access time by the mount's rules (noatime, relatime ...). Cheap. */
void inode_accessed(struct mount *mnt, struct inode *i, unsigned file_flags);

/* ---- Supers and mounts: fs/vfs/super.c, mount.c ---- */

/* For filesystem.mount: no root yet; an anonymous device number. */
MUST_CHECK int super_create(const struct filesystem *fs, const struct super_ops *ops, uint32_t magic,
	uint32_t flags, struct super **out);
void super_get(struct super *s);
void super_put(struct super *s);
/*
 * A reference of somebody who can reach the names: a mount, or who may yet make one. super_create gives one.
 * With the last the names go, whose inodes hold the super; so only super_release ends a super that has a root.
 */
void super_claim(struct super *s);
void super_release(struct super *s); /* may sleep */
/* A mount in nobody's tree, for the kernel's own files; takes over the claim. */
MUST_CHECK int mount_create_internal(struct super *s, struct mount **out);
void mount_get(struct mount *m);
void mount_put(struct mount *m);
/* Calls fn on each mount of the tree that m is in, oldest first, the tree held still. */
void mount_for_each_beside(struct mount *m, void (*fn)(struct mount *m, void *ctx), void *ctx);
/* Around every change of what is on a mount: -EROFS. */
MUST_CHECK int mount_want_write(struct mount *m);
void mount_end_write(struct mount *m);
/* The root of the first namespace (a tmpfs called rootfs), and what fs/vfs/ needs. boot/main.c. */
void vfs_init(void);
