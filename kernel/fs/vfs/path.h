// SPDX-License-Identifier: MIT
/*
 * From a path name to a dentry on a mount.
 */
#pragma once

#include "fs/vfs/inode.h"
#include "lib/base.h"
#include "sync/seqlock.h"
#include "sync/spinlock.h"
#include "uaccess/uaccess.h"

struct file;
struct mount_ns;

/* A place in the tree; holds a reference on each. */
struct path {
	struct mount *mnt;
	struct dentry *dentry;
};
void path_get(const struct path *p);
void path_put(const struct path *p);

enum lookup_flags {
	LOOKUP_FOLLOW = 1,	/* a symlink at the end is followed */
	LOOKUP_DIRECTORY = 2,	/* -ENOTDIR otherwise */
	LOOKUP_EMPTY = 4,	/* "" means the starting point (AT_EMPTY_PATH) */
	LOOKUP_NO_XDEV = 8,	/* openat2's RESOLVE_* */
	LOOKUP_NO_MAGIC = 16,
	LOOKUP_NO_SYMLINKS = 32,
	LOOKUP_BENEATH = 64,
	LOOKUP_IN_ROOT = 128,
	LOOKUP_CACHED = 256,
	LOOKUP_PARENT = 512,	/* internal */
};

/* A path name copied from a program: memory of its own. -EFAULT, -ENAMETOOLONG, -ENOENT (empty). */
enum { PATHNAME_INLINE = 112 };
struct pathname {
	char *text; /* in `here`, or memory of its own: the structure is not copied */
	size_t len;
	char here[PATHNAME_INLINE];
};
/* A string of the program's, as user_read_string; for a fiber, as it was when it was submitted. */
MUST_CHECK int name_read(char *to, uptr from, size_t size);
MUST_CHECK int pathname_read(struct pathname *out, uptr from, bool allow_empty);
void pathname_free(struct pathname *n);

/* From AT_FDCWD, a descriptor, or the root for an absolute path, with the current process's root and rights. */
MUST_CHECK int path_lookup(int dirfd, const char *name, unsigned flags, struct path *out);
/* The same by a name in the program's memory: empty only with LOOKUP_EMPTY. */
MUST_CHECK int path_lookup_user(int dirfd, uptr name, unsigned flags, struct path *out);
/*
 * The directory of the last component, locked (inode->lock), and its dentry (maybe negative).
 * is_dir: trailing slashes allowed for a name to be created. path_unlock_parent undoes both.
 */
struct parent_path {
	struct path dir;
	struct dentry *child;
};
MUST_CHECK int path_lookup_parent(int dirfd, const char *name, unsigned flags, bool is_dir, struct parent_path *out);
void path_unlock_parent(struct parent_path *p);

struct open_how_kernel {
	unsigned flags; /* O_* */
	uint32_t mode;
	unsigned lookup; /* extra LOOKUP_* from openat2 */
	bool may_not_wait; /* open_run: -EAGAIN instead of a FIFO's other end */
};
MUST_CHECK int path_open(int dirfd, const char *name, const struct open_how_kernel *how, struct file **out);
/* Opens what is at a path already found: /proc/PID/fd/N, the program that exec runs. */
MUST_CHECK int path_open_at(const struct path *p, unsigned flags, struct file **out);
/* stat without a file: follows path_lookup's rules. */
MUST_CHECK int path_get_attr(int dirfd, const char *name, unsigned flags, struct kstat *out);
/*
 * Absolute path text as the process sees it, right-aligned in buf, with a NUL; " (deleted)" as Linux.
 * What lies outside the process's root is shown from the top of its mounts. -ENAMETOOLONG.
 */
MUST_CHECK int path_text(const struct path *p, char *buf, size_t size, char **out);
/* getcwd's: "(unreachable)" in front when it is; -ENOENT when it was removed. */
MUST_CHECK int path_text_of_cwd(char *buf, size_t size, char **out);

/* Rights: mask of 4 read, 2 write, 1 execute; by fsuid/fsgid and capabilities. 0, -EACCES, -EROFS. */
MUST_CHECK int inode_permission(struct inode *i, unsigned mask);
/* Operations on names with every check of their system call; fs/vfs/namei_ops.c. */
MUST_CHECK int vfs_mkdir(int dirfd, const char *name, uint32_t mode);
MUST_CHECK int vfs_mknod(int dirfd, const char *name, uint32_t mode, uint32_t rdev);
/*
 * A socket's name, for bind(2). Before anybody else finds it `claim` says whose it is (and takes a reference of the
 * path), or the name goes again and this is the error.
 */
MUST_CHECK int vfs_make_socket(const char *name, uint32_t mode,
	int (*claim)(void *by, const struct path *at), void *by);
MUST_CHECK int vfs_unlink(int dirfd, const char *name);
MUST_CHECK int vfs_rmdir(int dirfd, const char *name);
MUST_CHECK int vfs_symlink(const char *target, int dirfd, const char *name);
MUST_CHECK int vfs_link(int old_dirfd, const char *old, int new_dirfd, const char *name, int at_flags);
MUST_CHECK int vfs_rename(int old_dirfd, const char *old, int new_dirfd, const char *name, unsigned flags);
/*
 * chmod, chown, utimensat: rights, write access, the bits that a change of owner clears, ctime.
 * IATTR_ATIME without IATTR_ATIME_SET is now, and so for mtime. -EPERM, -EACCES, -EROFS.
 */
MUST_CHECK int vfs_setattr(const struct path *p, struct iattr *attr);
/* O_TRUNC, and with the lock ftruncate: the file is open for writing, so nothing is asked. Takes inode->lock. */
MUST_CHECK int path_set_size(const struct path *p, int64_t size);
MUST_CHECK int inode_set_size_locked(struct inode *i, int64_t size) MUST_HOLD(i->lock);
/* A write takes away setuid and setgid: before it, with inode->lock held. */
void inode_drop_setuid(struct inode *i);
MUST_CHECK int vfs_truncate(const struct path *p, int64_t size);
MUST_CHECK int vfs_mount(const char *source, const char *target, const char *fs, unsigned long flags, const char *data);
MUST_CHECK int vfs_umount(const char *target, int flags); /* MNT_*, UMOUNT_NOFOLLOW */
MUST_CHECK int vfs_pivot_root(const char *new_root, const char *put_old);

/*
 * A process's place: CLONE_FS shares it.
 *
 *   [f] lock and seq to write; read by copying under seq and RCU   [a] atomic
 */
struct fs_context {
	refcount refs;
	struct irqlock lock;   /* RANK_FS_CONTEXT */
	struct seqcount seq;
	struct path root, cwd; /* [f] */
	struct mount_ns *ns;   /* [f] the tree both belong to; one reference */
	struct list_node link; /* among all contexts: pivot_root looks at each */
	uint32_t umask;	       /* [a] */
	uint32_t nr_threads;   /* [a] that have it; refs counts those who look at it too */
};
extern struct fs_context fs_context_kernel; /* of threads without a user half; process 1 copies it */
struct fs_context *fs_context_current(void);
/* For a thread: a copy, or the same for one more; fs_context_leave ends either. */
MUST_CHECK int fs_context_copy(struct fs_context *from, struct fs_context **out);
void fs_context_share(struct fs_context *fs);
void fs_context_leave(struct fs_context *fs);
bool fs_context_is_shared(const struct fs_context *fs);
/* For who looks at it: these do not count as sharing it. */
void fs_context_get(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);
/* unshare(CLONE_NEWNS), clone: this context, which nobody shares, gets a copy of its tree. -EPERM, -ENOMEM, -ENOSPC. */
MUST_CHECK int fs_context_unshare_mounts(struct fs_context *fs);

/* ---- Namespaces of mounts: mount_ns.c ---- */

/* The one that the context is in, with a reference. */
struct mount_ns *fs_context_get_mounts(struct fs_context *fs);
void mount_ns_get(struct mount_ns *ns);
void mount_ns_put(struct mount_ns *ns); /* the last takes the tree down */
/* setns(2): the context, which nobody shares, is at the root of this tree. -EPERM, -EINVAL (shared). */
MUST_CHECK int fs_context_enter_mounts(struct fs_context *fs, struct mount_ns *ns);
/* A new file that stands for it, with references. -ENOMEM. */
MUST_CHECK int mount_ns_get_path(struct mount_ns *ns, struct path *out);
uint32_t mount_ns_number(const struct mount_ns *ns);
/* What an open file stands for, without a reference of its own; NULL: for no namespace. */
struct mount_ns *mount_ns_of_file(const struct file *f);

/* With references. */
void fs_context_get_root(struct fs_context *fs, struct path *out);
void fs_context_get_cwd(struct fs_context *fs, struct path *out);
void fs_context_set_root(struct fs_context *fs, const struct path *p); /* takes references of its own */
void fs_context_set_cwd(struct fs_context *fs, const struct path *p);
