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
#include "sync/waitq.h"
#include "uaccess/iter.h"

struct dentry;
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
	 * wake both. Lives as long as the file. With poll only.
	 */
	struct waitq *(*waitq)(struct file *f, uint32_t events);
	int64_t (*ioctl)(struct file *f, unsigned cmd, uintptr_t arg); /* NULL: -ENOTTY */
	int64_t (*seek)(struct file *f, int64_t offset, int whence);   /* NULL: -ESPIPE */
	int (*iterate)(struct file *f, struct dir_sink *sink);	       /* directories, from f->pos */
	int (*fsync)(struct file *f, bool data_only);
	int (*fallocate)(struct file *f, int mode, int64_t offset, int64_t len);
	/* What mmap maps; NULL: -ENODEV. Takes no reference. */
	int (*map)(struct file *f, uint32_t vm_flags, struct page_source **out);
	/* The flags that fcntl(F_SETFL) changed; may refuse. */
	int (*set_flags)(struct file *f, unsigned flags);
	void (*flush)(struct file *f); /* each close of a descriptor */
	void (*release)(struct file *f); /* the last reference is gone */
	/* Lines after pos/flags/mnt_id in /proc/PID/fdinfo. */
	int (*fdinfo)(struct file *f, char *buf, size_t size);
	const char *name; /* "pipe", "eventfd": for anonymous files' links in /proc */
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
};

enum file_mode {
	FILE_READ = 1,
	FILE_WRITE = 2,
	FILE_SEEK = 4,	 /* has a position that lseek and pread accept */
	FILE_PATH = 8,	 /* O_PATH: no operations */
	FILE_STREAM = 16, /* no position at all: pread gives -ESPIPE */
	FILE_WROTE = 32, /* holds write access of its inode (ETXTBSY, remount) */
};

/* A file without a name in any tree (pipe, eventfd ...): dentry and inode of an internal mount. */
MUST_CHECK int file_open_anonymous(struct file **out, const struct file_ops *ops, const char *name,
	void *private_data, unsigned flags, unsigned mode);
void file_get(struct file *f);
void file_put(struct file *f);
