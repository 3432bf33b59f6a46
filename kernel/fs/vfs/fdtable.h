// SPDX-License-Identifier: MIT
/*
 * Descriptors: a process's table from small numbers to open files. Lookups take no lock (RCU);
 * CLONE_FILES shares a table between processes.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/base.h"
#include "lib/refcount.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"

/* What a lookup sees at once: replaced by a larger one as a whole. */
struct fdarray {
	unsigned size;	    /* [I] a multiple of 64 */
	uint64_t *open;	    /* [F] bit: the number is used or reserved */
	uint64_t *cloexec;  /* [F] */
	struct rcu_head rcu;
	struct file *files[]; /* [F] to write, published */
};

/*
 *   [F] lock   [a] atomic
 */
struct fdtable {
	refcount refs;		/* [a] 1: nobody but the current thread changes it */
	struct irqlock lock;	/* RANK_FD */
	struct fdarray *array;	/* [F] to replace, published */
	unsigned first_free;	/* [F] no number below it is free */
};

MUST_CHECK int fdtable_create(struct fdtable **out);
MUST_CHECK int fdtable_copy(struct fdtable *from, struct fdtable **out);
void fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t); /* the last one closes everything; sleeps */
/* The file with a reference; -EBADF. O_PATH files only with allow_path. */
MUST_CHECK int fd_get_file(struct fdtable *t, int fd, bool allow_path, struct file **out);
/* Whether fd means this file now, of which the caller has a reference. */
static inline bool fdtable_refers(struct fdtable *t, int fd, const struct file *f)
{
	const struct fdarray *a;
	bool is_it;

	rcu_read_lock();
	a = rcu_load(t->array);
	is_it = (unsigned)fd < a->size && atomic_load_relaxed(&a->files[fd]) == f;
	rcu_read_unlock();
	return is_it;
}
/*
 * The current thread's descriptor for the length of one system call: no reference is taken when
 * nobody else can close it meanwhile. file NULL: -EBADF. Give it back with fd_release; it must not
 * outlive the call. O_PATH files are not given.
 */
struct borrowed_file {
	struct file *file;
	bool is_counted;
};
/* Numbers beyond every table: files that a fiber was given for its job (uthread.given). */
enum { FD_GIVEN = 0x7fffff00, FDS_GIVEN = 2 };
/* And those under which a fiber that takes files (uthread.takes_files) gets what a call opens. */
enum { FD_TAKEN = 0x7fffff10, FDS_TAKEN = 2 };
struct borrowed_file fd_borrow(int fd);
struct borrowed_file fd_borrow_path(int fd); /* O_PATH files too */
static inline void fd_release(struct borrowed_file b)
{
	if (b.is_counted)
		file_put(b.file);
}

/* The lowest free number >= min, reserved; -EMFILE when it would reach limit; -ENOMEM. */
MUST_CHECK int fd_reserve(struct fdtable *t, int min, uint64_t limit, int *fd);
void fd_unreserve(struct fdtable *t, int fd);
/* Makes a reserved number refer to the file; takes over the caller's reference. */
void fd_install(struct fdtable *t, int fd, struct file *f, bool close_on_exec);
MUST_CHECK int fd_close(struct fdtable *t, int fd); /* -EBADF */
/* dup2/dup3: newfd refers to f afterwards (takes over the reference). -EBADF, -EBUSY, -ENOMEM. */
MUST_CHECK int fd_replace(struct fdtable *t, int fd, struct file *f, uint64_t limit, bool close_on_exec);
MUST_CHECK int fd_get_cloexec(struct fdtable *t, int fd, bool *on);
MUST_CHECK int fd_set_cloexec(struct fdtable *t, int fd, bool on);
void fdtable_close_on_exec(struct fdtable *t);
/* close_range(2): closes, or marks, all in [first, last]. */
void fdtable_close_range(struct fdtable *t, unsigned first, unsigned last, bool cloexec_only);
/* The first used number >= fd, or -1; for /proc/PID/fd. */
int fdtable_next(struct fdtable *t, int fd);
