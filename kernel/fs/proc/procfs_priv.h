// SPDX-License-Identifier: MIT
/*
 * How /proc is made: every file and folder is a struct proc_entry in a constant table, and an inode of
 * it is a struct proc_node, the entry together with whom it is about.
 *
 * An entry is exactly one of: a text (show, perhaps write), a folder with a table of its own
 * (children), a folder whose names come from the system (dir), a link (readlink, jump), or a file
 * with operations of its own (fops).
 */
#pragma once

#include "fs/vfs/inode.h"
#include "lib/base.h"

struct cpumask;
struct fdtable;
struct file;
struct fs_context;
struct pid;
struct proc;
struct proc_node;
struct thread;
struct vmspace;

/* ---- Text that grows ---- */

struct text {
	char *buf;
	size_t len, size;
	bool is_short_of_memory; /* what follows is lost: the read fails with -ENOMEM */
};
void text_add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_add_bytes(struct text *t, const char *s, size_t len);
/* With the bytes of `special`, and those that are no text, as \ooo: names in mounts and maps. */
void text_add_escaped(struct text *t, const char *s, const char *special);
/* As Linux shows sets of CPUs: "f" or "ff,ffffffff" of nr bits, and "0-3,7". */
void text_add_mask(struct text *t, const struct cpumask *mask, unsigned nr);
void text_add_list(struct text *t, const struct cpumask *mask, unsigned nr);
void text_free(struct text *t);

/* ---- Entries ---- */

struct proc_dir_ops {
	/* The name's node: fills entry, and pid or number, of *out. -ENOENT. */
	int (*lookup)(const struct proc_node *dir, const char *name, size_t len,
		struct proc_node *out);
	/*
	 * The next name at or after *cursor, which moves on (0 at first); its node in *out as for
	 * lookup. -ENOENT: no more.
	 */
	int (*next)(const struct proc_node *dir, uint64_t *cursor, char *name, size_t size,
		struct proc_node *out);
};

struct proc_entry {
	const char *name;
	uint32_t mode; /* with the type */
	int (*show)(struct text *out, const struct proc_node *n);
	int (*write)(const struct proc_node *n, char *text, size_t len); /* NUL-terminated */
	const struct proc_entry *children; /* ends with a name of NULL */
	const struct proc_dir_ops *dir;    /* before children, where both are */
	int (*readlink)(const struct proc_node *n, char *buf, size_t size); /* length */
	int (*jump)(const struct proc_node *n, struct mount **mnt, struct dentry **d);
	const struct file_ops *fops;
	bool (*is_there)(void); /* NULL: always */
};

/*
 * What an inode of /proc is about. Folders below hand pid and number on.
 */
struct proc_node {
	const struct proc_entry *entry;
	struct pid *pid; /* a process, or in task/ a thread; a reference; NULL: the system */
	bool is_task;    /* pid is a thread's */
	uint64_t number; /* a descriptor in fd/, an address in map_files/ */
	uint64_t ino;
};

static inline const struct proc_node *proc_node_of(const struct inode *inode)
{
	return inode->private_data;
}
/* Of an open file in /proc. */
const struct proc_node *proc_node_of_file(const struct file *f);

extern const struct proc_entry proc_root; /* system.c */
extern const struct proc_entry proc_pid_dir,
	proc_task_dir;                             /* pid.c: what a process, a thread has */
extern const struct proc_entry proc_sys_entries[]; /* sysctl.c */
int proc_show_locks(struct text *out, const struct proc_node *n); /* locks.c */
extern const struct proc_dir_ops proc_root_dir_ops; /* pid.c: processes by number */

/* ---- Whom a node is about: pid.c ---- */

struct proc_whom {
	struct proc *proc;     /* a reference */
	struct thread *thread; /* a reference; NULL: a zombie */
};
/* -ESRCH: it is gone. */
MUST_CHECK int proc_whom_get(const struct proc_node *n, struct proc_whom *w);
void proc_whom_put(struct proc_whom *w);
/* Of its thread, with a reference; NULL: it has none (any more). */
struct fdtable *proc_whom_files(const struct proc_whom *w);
struct fs_context *proc_whom_fs(const struct proc_whom *w);
/* Whether the current process may look into it, as ptrace(2) would: -EACCES. */
MUST_CHECK int proc_may_look(const struct proc_whom *w);
/* The memory, checked by proc_may_look, with a reference; *vm NULL when it has none. -ESRCH, -EACCES. */
MUST_CHECK int proc_node_vm(const struct proc_node *n, struct vmspace **vm);
bool proc_node_is_alive(const struct proc_node *n);

/* ---- Tables in other files ---- */

extern const struct proc_dir_ops proc_fd_ops, proc_fdinfo_ops;   /* fd.c */
int proc_show_maps(struct text *out, const struct proc_node *n); /* maps.c */
int proc_show_smaps(struct text *out, const struct proc_node *n);
int proc_show_smaps_rollup(struct text *out, const struct proc_node *n);
extern const struct file_ops proc_mem_ops, proc_pagemap_ops;       /* maps.c */
int proc_show_mounts(struct text *out, const struct proc_node *n); /* mounts.c */
int proc_show_mountinfo(struct text *out, const struct proc_node *n);
int proc_show_mountstats(struct text *out, const struct proc_node *n);
