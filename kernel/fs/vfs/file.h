// SPDX-License-Identifier: MIT
/*
 * An open file: what a descriptor refers to.
 *
 * file_ops never wait for the outside world. A read that finds nothing, or a write that finds no
 * room, returns -EAGAIN, and the caller (ops/) parks the operation on the wait queue that the
 * file names for it, unless the file is O_NONBLOCK. So pipes, sockets, terminals, timers and
 * events have one non-blocking implementation each, which both doors, poll and epoll share.
 * Waiting for the kernel itself (a disk, a mutex, memory) just blocks.
 */
#pragma once

#include "lib/base.h"
#include "lib/refcount.h"
#include "sync/mutex.h"
#include "sync/rcu.h"
#include "sync/waitq.h"
#include "uaccess/iter.h"

struct dentry;
struct text;
struct file;
struct inode;
struct mount;
struct page_source;
struct cred;

/* What getdents fills: returns false when the buffer is full, and the entry does not count. */
struct dir_sink {
	bool (*emit)(struct dir_sink *sink, const char *name, size_t len, int64_t next_pos, uint64_t ino, unsigned type);
};

struct file_ops {
	/* Bytes moved, 0 at the end, -EAGAIN when it would wait for the outside. *pos advances. */
	int64_t (*read)(struct file *f, struct iter *to, int64_t *pos);
	int64_t (*write)(struct file *f, struct iter *from, int64_t *pos);
	/* POLL* bits that hold now; NULL: always readable and writable, and nothing ever waits. */
	uint32_t (*poll)(struct file *f);
	/*
	 * The queue that is woken, with POLL* bits as its key, when one of these events may have
	 * come: POLLIN or POLLOUT, or both where the file has one queue for all. Errors and hang-ups
	 * wake both. Lives as long as the file. With poll only. A blocking write to a file that has
	 * it goes on, and parks again, until everything is written.
	 */
	struct waitq *(*waitq)(struct file *f, uint32_t events);
	/*
	 * How long, in ns, a call that said -EAGAIN may wait for these events from now on (asked
	 * each time it parks); NULL or WAIT_FOREVER: for ever. When that is over a read ends
	 * with read_expired's result, anything else with -EAGAIN. (SO_SNDTIMEO, VTIME)
	 */
	uint64_t (*wait_limit)(struct file *f, uint32_t events);
	int64_t (*read_expired)(struct file *f, struct iter *to); /* NULL: -EAGAIN */
	/* What ends a read that waits before it is tried again, where that is not what a new one is
	 * told: 0, or its error. NULL: nothing. (a terminal whose other side is gone) */
	int (*read_lost)(struct file *f);
	int64_t (*ioctl)(struct file *f, unsigned cmd, uintptr_t arg); /* NULL: -ENOTTY */
	int64_t (*seek)(struct file *f, int64_t offset, int whence);   /* NULL: -ESPIPE */
	int (*iterate)(struct file *f, struct dir_sink *sink);	       /* directories, from f->pos */
	int (*fsync)(struct file *f, bool data_only);
	int (*fallocate)(struct file *f, int mode, int64_t offset, int64_t len);
	/* What mmap maps; NULL: -ENODEV. Takes no reference. May take VM_MAY* away (seals). *out NULL:
	 * anonymous memory, private or shared as asked (/dev/zero). */
	int (*map)(struct file *f, uint32_t *vm_flags, struct page_source **out);
	/* The flags that fcntl(F_SETFL) changed; may refuse. */
	int (*set_flags)(struct file *f, unsigned flags);
	void (*flush)(struct file *f); /* each close of a descriptor */
	void (*release)(struct file *f); /* the last reference is gone */
	/* Adds lines to /proc/PID/fdinfo. The text (fs/proc/entry.h) grows: no spinning lock is held. */
	void (*fdinfo)(struct file *f, struct text *out);
	const char *name; /* "pipe", "[eventfd]": for anonymous files' links in /proc, as Linux has them */
};

/*
 *   [I] immutable once open    [P] pos_lock    [a] atomic    [f] flags_lock
 */
struct file {
	refcount refs;			/* [a] */
	const struct file_ops *ops;	/* [I] */
	struct dentry *dentry;		/* [I] one reference; anonymous files too */
	struct mount *mount;		/* [I] one reference */
	struct inode *inode;		/* [I] dentry's */
	uint32_t flags;			/* [f] O_* as F_GETFL gives them; read anywhere */
	uint32_t mode;			/* [I] FILE_READ | FILE_WRITE | ... */
	int64_t pos;			/* [P] */
	struct mutex pos_lock;		/* for files with a position */
	const struct cred *cred;	/* [I] the opener's */
	void *private_data;		/* [I] of ops */
	struct irqlock flags_lock;
	int owner_pid, owner_type, owner_sig; /* [f] F_SETOWN, F_SETSIG */
	void *epoll_items;		/* [f] fs/vfs/epoll.c: the sets that watch it, or NULL */
	bool was_watched;		/* [f] there has been one */
	int owner_fd;			/* [f] si_fd: the number by which O_ASYNC was set */
	uint32_t owner_uid, owner_euid;	/* [f] of who set the owner */
	struct file_async *async;	/* [P] fs/vfs/async.c: O_ASYNC's waiter, or NULL */
	struct rcu_head rcu;
};

enum file_mode {
	FILE_READ = 1,
	FILE_WRITE = 2,
	FILE_SEEK = 4,	 /* has a position that lseek and pread accept */
	FILE_PATH = 8,	 /* O_PATH: no operations */
	FILE_STREAM = 16, /* no position at all: pread gives -ESPIPE */
	FILE_RUNS = 4096, /* a program: nobody may write the inode until its last reference goes */
	FILE_WROTE = 32, /* holds write access of its inode (ETXTBSY, remount) */
	FILE_NO_LOCK_POS = 64, /* read and write do not use the position: pos_lock is not taken */
	FILE_RCU_FREE = 128, /* a lookup without a lock may still see it (fdtable.c) */
	FILE_NOWAIT = 256, /* preadv2 and pwritev2 may be told RWF_NOWAIT */
	FILE_OPENED = 512, /* open succeeded: release is due */
	FILE_NEW_FIFO = 1024, /* to file_open_anonymous: an inode of its own, a FIFO's (pipe) */
	FILE_HOLDS_TREE = 8192, /* its mount is the root of a tree that goes with it: mount_fd.c */
	FILE_NEW_SOCKET = 2048, /* the same, a socket's; other anonymous files share one inode */
};
/* One more: SCM_RIGHTS refuses it, as it may hold the socket that would carry it. */
enum { FILE_NOT_SENT = 16384 };
/* And one: preadv2 may be told RWF_NOWAIT, pwritev2 not. */
enum { FILE_READ_NOWAIT = 32768 };

/* A write at this position goes to the end of a regular file (RWF_APPEND). */
#define FILE_POS_APPEND (-1)

/*
 * Opens what path_open has found and allowed: takes references of its own on mount and dentry,
 * gets write access of inode and mount, and calls the file's open (inode->ops->open; devices by
 * dev/char/chardev.h). `flags` are open's, less O_CREAT, O_EXCL and O_TRUNC; f->flags keeps
 * O_NOCTTY while open looks at it, and loses it then.
 * Truncating is the caller's. A FIFO is the caller's too: file_create, then its own rules.
 *
 * Returns  0; -ETXTBSY, -EROFS (a read-only mount), -ENXIO (a socket, a device without a driver), -ENFILE, -ENOMEM,
 *          -EINVAL (O_DIRECT where it is refused), or what open said
 */
MUST_CHECK int file_open(struct file **out, struct mount *m, struct dentry *d, unsigned flags);
/* Its first half: everything but the call of open. Then file_put, or file_opened after setting ops. */
MUST_CHECK int file_create(struct file **out, struct mount *m, struct dentry *d, unsigned flags);
/* Write access: > 0 open for writing. -ETXTBSY while it runs as a program. Paired with inode_put_write. */
MUST_CHECK int inode_get_write(struct inode *i);
void inode_put_write(struct inode *i);
/* exec: nobody writes it while it runs. -ETXTBSY while somebody has it open for writing. */
MUST_CHECK int inode_deny_write(struct inode *i);
void inode_allow_write(struct inode *i);
static inline void file_opened(struct file *f)
{
	f->mode |= FILE_OPENED;
}

/*
 * A file without a name in any tree (pipe, eventfd ...): dentry and inode of an internal mount.
 * mode: FILE_READ, FILE_WRITE, FILE_STREAM ... as above. ops->release is not called on failure.
 */
MUST_CHECK int file_open_anonymous(struct file **out, const struct file_ops *ops, const char *name,
	void *private_data, unsigned flags, unsigned mode);
/* Another open file of the same inode and ops: a pipe's other end. */
MUST_CHECK int file_open_same(
	struct file **out, struct file *f, void *private_data, unsigned flags, unsigned mode);
/* file_put calls it before release when a set has watched f: no set watches it afterwards. Sleeps. */
void epoll_forget_file(struct file *f);
/* file_ops.seek of a file without a position whose lseek Linux accepts all the same: nothing happens. */
int64_t file_seek_nowhere(struct file *f, int64_t offset, int whence);
/* Of a directory whose positions are the filesystem's own words: SEEK_END has no meaning. */
int64_t file_seek_dir(struct file *f, int64_t offset, int whence);
void file_get(struct file *f);
MUST_CHECK bool file_try_get(struct file *f); /* false: its last reference is gone */
void file_put(struct file *f); /* the last one releases; may sleep */
/* Whether it is in no tree: shown as pipe:[ino], socket:[ino], anon_inode:name, or
 * /memfd:NAME (deleted). */
bool file_is_anonymous(const struct file *f);
/* Text of such a file for /proc/PID/fd; its length. */
size_t file_anonymous_name(const struct file *f, char *buf, size_t size);
/* O_ASYNC goes on or off: fs/vfs/async.c. Sleeps. 0, -ENOMEM. */
MUST_CHECK int file_set_async(struct file *f, bool on);
/* SIGIO or F_SETSIG's signal to F_SETOWN's owner, about fd. band: POLL_IN, POLL_OUT, POLL_MSG. */
void file_signal_owner(struct file *f, int fd, int band);
void file_init(void); /* gives file_create and anonymous files; needs inode_create */
/* How many are open, and the limit (fs.file-max). */
uint64_t file_count(void);
extern uint64_t file_max;
