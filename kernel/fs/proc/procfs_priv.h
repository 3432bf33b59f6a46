// SPDX-License-Identifier: MIT
/*
 * What the files of /proc share: whom a node is about, and their tables.
 */
#pragma once

#include "fs/proc/entry.h"

struct fdtable;
struct fs_context;
struct proc;
struct thread;
struct vmspace;

extern const struct proc_entry proc_root; /* system.c */
extern const struct proc_entry proc_pid_dir,
	proc_task_dir;                             /* pid.c: what a process, a thread has */
extern const struct proc_entry proc_sys_entries[]; /* sysctl.c */
/* sysvipc.c */
extern const struct proc_entry proc_sysvipc_entries[];
int proc_show_shm_forced(struct text *out, const struct proc_node *n);
int proc_write_shm_forced(const struct proc_node *n, char *text, size_t len);
int proc_show_shm_next_id(struct text *out, const struct proc_node *n);
int proc_write_shm_next_id(const struct proc_node *n, char *text, size_t len);
int proc_show_locks(struct text *out, const struct proc_node *n); /* locks.c */
extern const struct proc_dir_ops proc_root_dir_ops; /* pid.c: processes by number */

/* ---- Whom a node is about: whom.c ---- */

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
/* Its thread's name; "?" when it has none. */
const char *proc_whom_comm(const struct proc_whom *w);
bool proc_node_is_alive(const struct proc_node *n);

/* ---- Tables in other files ---- */

extern const struct proc_dir_ops proc_fd_ops, proc_fdinfo_ops; /* fd.c */
int proc_show_maps(                                            /* maps.c */
	struct text *out, const struct proc_node *n, uint64_t *cursor, size_t enough);
int proc_show_smaps(
	struct text *out, const struct proc_node *n, uint64_t *cursor, size_t enough);
int proc_show_smaps_rollup(struct text *out, const struct proc_node *n);
int proc_write_clear_refs(const struct proc_node *n, char *text, size_t len);
extern const struct file_ops proc_mem_ops, proc_pagemap_ops;       /* maps.c */
int proc_show_mounts(struct text *out, const struct proc_node *n); /* mounts.c */
int proc_show_mountinfo(struct text *out, const struct proc_node *n);
int proc_show_mountstats(struct text *out, const struct proc_node *n);

/* pid_stat.c */
int proc_show_stat(struct text *out, const struct proc_node *n);
int proc_show_statm(struct text *out, const struct proc_node *n);
int proc_show_status(struct text *out, const struct proc_node *n);
/* pid_text.c */
int proc_show_cmdline(struct text *out, const struct proc_node *n);
int proc_show_environ(struct text *out, const struct proc_node *n);
int proc_show_auxv(struct text *out, const struct proc_node *n);
int proc_show_comm(struct text *out, const struct proc_node *n);
int proc_write_comm(const struct proc_node *n, char *text, size_t len);
int proc_show_limits(struct text *out, const struct proc_node *n);
int proc_show_oom_score(struct text *out, const struct proc_node *n);
int proc_show_oom_adj(struct text *out, const struct proc_node *n);
int proc_write_oom_adj(const struct proc_node *n, char *text, size_t len);
int proc_show_oom_score_adj(struct text *out, const struct proc_node *n);
int proc_write_oom_score_adj(const struct proc_node *n, char *text, size_t len);
int proc_show_personality(struct text *out, const struct proc_node *n);
/* pid_thread.c */
int proc_show_schedstat(struct text *out, const struct proc_node *n);
int proc_show_sched(struct text *out, const struct proc_node *n);
int proc_show_timerslack(struct text *out, const struct proc_node *n);
int proc_write_timerslack(const struct proc_node *n, char *text, size_t len);
int proc_show_wchan(struct text *out, const struct proc_node *n);
int proc_show_stack(struct text *out, const struct proc_node *n);
int proc_show_syscall(struct text *out, const struct proc_node *n);
int proc_show_children(struct text *out, const struct proc_node *n);
/* pid_use.c */
int proc_show_io(struct text *out, const struct proc_node *n);
int proc_show_timers(struct text *out, const struct proc_node *n);
extern const struct proc_entry proc_net_entries[]; /* net.c */
