// SPDX-License-Identifier: MIT
/*
 * What a spawned child does before its program: each step is the body of a system call.
 *
 * The child has no memory yet. Names that its calls take from a program are given to it
 * (uthread.given_input), as to a fiber whose names were kept. Its filters are asked before each step.
 *
 * Locks   none: the plan is the child's until it says what came of it
 * Spec    abi/torus.h; man 3 posix_spawn for the order of things
 */
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#include "fs/vfs/fdtable.h"
#include "proc/action.h"
#include "proc/given.h"
#include "proc/ids.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "ring/spawn_priv.h"
#include "sys/dispatch.h"
#include "sys/seccomp.h"
#include "sys/trace.h"

/*
 * Whether the child's filters let it make a call that is not made by its number: 0, or what it comes to
 * instead, as an error. These have no other result than that they were made.
 */
static int ask_filters(long nr, const uint64_t a[SYSCALL_ARGS])
{
	int64_t n;

	if (!(READ_ONCE(uthread_current()->call_work) & CALL_SECCOMP) ||
		seccomp_allows_step((int)nr, a, &n))
		return 0;
	return n < 0 ? (int)n : -EPERM;
}

static int ask_filters_of(long nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	const uint64_t a[SYSCALL_ARGS] = {a0, a1, a2};

	return ask_filters(nr, a);
}

/* A step is a call: filters are asked, and who traces the child sees it. */
static int64_t call(
	long nr, const char *name, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t a[SYSCALL_ARGS] = {a0, a1, a2, a3};
	struct uthread *u = uthread_current();
	unsigned work = READ_ONCE(u->call_work);
	struct given_input given = {.name = {{UPTR(nr == __NR_openat ? a1 : a0), name}}};
	int64_t n;

	u->given_input = name ? &given : NULL;
	if (work & CALL_TRACED)
		trace_enter((uint64_t)nr, a);
	if (!(work & CALL_SECCOMP) || seccomp_allows_step((int)nr, a, &n))
		n = sys_dispatch((uint64_t)nr, a);
	if (work & CALL_TRACED)
		trace_leave((uint64_t)nr, a, n);
	u->given_input = NULL;
	return n;
}

static int call_plainly(long nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	int64_t n = call(nr, NULL, a0, a1, a2, 0);

	return n < 0 ? (int)n : 0;
}

static int open_as(const struct torus_file_action *a, const char *name)
{
	int64_t fd =
		call(__NR_openat, name, (uint64_t)(int64_t)a->from, a->path, a->flags, a->mode);
	int err;

	if (fd < 0 || fd == a->fd)
		return fd < 0 ? (int)fd : 0;
	err = call_plainly(
		__NR_dup3, (uint64_t)fd, (uint64_t)(int64_t)a->fd, a->flags & O_CLOEXEC);
	if (!err)
		err = call_plainly(__NR_close, (uint64_t)fd, 0, 0);
	return err;
}

static int duplicate(const struct torus_file_action *a)
{
	if (a->from == a->fd)
		return fd_set_cloexec(uthread_current()->files, a->fd, false);
	return call_plainly(__NR_dup2, (uint64_t)(int64_t)a->from, (uint64_t)(int64_t)a->fd, 0);
}

static int inherit(const struct spawn_plan *p, const struct torus_file_action *a)
{
	struct file *f;
	int err = fd_get_file(p->files, a->from, true, &f);

	if (err)
		return err;
	err = fd_replace(uthread_current()->files, a->fd, f, proc_rlimit(RLIMIT_NOFILE), false);
	if (err)
		file_put(f);
	return err;
}

static int take_action(const struct spawn_plan *p, unsigned i)
{
	const struct torus_file_action *a = &p->actions[i];
	int64_t n;

	switch (a->action) {
	case TORUS_FILE_OPEN:
		return open_as(a, p->names[i]);
	case TORUS_FILE_CLOSE:
		n = call_plainly(__NR_close, (uint64_t)(int64_t)a->fd, 0, 0);
		return n == -EBADF ? 0 : (int)n;
	case TORUS_FILE_DUP:
		return duplicate(a);
	case TORUS_FILE_INHERIT:
		return inherit(p, a);
	case TORUS_FILE_CHDIR:
		return (int)call(__NR_chdir, p->names[i], a->path, 0, 0, 0);
	case TORUS_FILE_FCHDIR:
		return call_plainly(__NR_fchdir, (uint64_t)(int64_t)a->fd, 0, 0);
	default:
		return call_plainly(
			__NR_close_range, (uint64_t)(int64_t)a->fd, (uint32_t)~0u, 0);
	}
}

static void default_signals(uint64_t set)
{
	for (int sig = 1; sig <= SIGNALS; sig++) {
		struct sigaction old;

		if (!(set & SIGBIT(sig)) || signal_action(sig, NULL, &old))
			continue;
		if (old.sa_handler == SIG_IGN)
			(void)!signal_action(
				sig, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	}
}

/* As a process of whoever it is; its files come later. */
static int place_itself(struct spawn_plan *p)
{
	const struct torus_spawn *w = &p->want;
	int err = 0;

	if (w->flags & TORUS_SPAWN_SETSID)
		err = call_plainly(__NR_setsid, 0, 0, 0);
	if (!err && w->flags & TORUS_SPAWN_PGROUP)
		err = call_plainly(__NR_setpgid, 0, (uint64_t)(int64_t)w->pgroup, 0);
	for (unsigned i = 0; !err && i < w->nr_limits; i++) {
		const struct torus_limit *l = &p->limits[i];
		const struct rlimit_pair pair = {l->soft, l->hard};

		err = ask_filters_of(__NR_prlimit64, 0, l->resource, w->limits);
		if (!err)
			err = rlimit_exchange(proc_current(), l->resource, &pair, NULL);
	}
	if (!err && w->flags & TORUS_SPAWN_SIGDEFAULT)
		default_signals(w->sigdefault);
	return err;
}

static int set_groups(struct spawn_plan *p)
{
	struct cred *c;
	int err = ask_filters_of(__NR_setgroups, p->want.nr_groups, p->want.groups, 0);

	if (err)
		return err;
	if (!capable(CAP_SETGID))
		return -EPERM;
	err = cred_prepare(&c);
	if (err)
		return err;
	ids_set_groups(c, p->groups, p->want.nr_groups);
	p->groups = NULL; /* the credentials' */
	cred_commit(c);
	return 0;
}

static int change_identity(struct spawn_plan *p)
{
	const struct torus_spawn *w = &p->want;
	int err = 0;

	if (w->flags & TORUS_SPAWN_GROUPS)
		err = set_groups(p);
	if (!err && w->flags & TORUS_SPAWN_GID)
		err = call_plainly(__NR_setresgid, w->gid, w->gid, w->gid);
	if (!err && w->flags & TORUS_SPAWN_UID)
		err = call_plainly(__NR_setresuid, w->uid, w->uid, w->uid);
	if (!err && w->flags & TORUS_SPAWN_NO_NEW_PRIVS)
		err = call_plainly(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0);
	return err;
}

static int run_program(struct spawn_plan *p)
{
	const struct torus_spawn *w = &p->want;
	const uint64_t a[SYSCALL_ARGS] = {
		(uint64_t)(int64_t)p->dirfd, w->path, w->argv, w->envp, w->at_flags};
	const struct exec_params params = {.dirfd = p->dirfd,
		.path = p->path,
		.at_flags = (int)w->at_flags,
		.args = p->args};
	bool is_plain = p->dirfd == AT_FDCWD && !w->at_flags;
	int err = is_plain ? ask_filters_of(__NR_execve, a[1], a[2], a[3])
			   : ask_filters(__NR_execveat, a);

	if (!err)
		err = proc_exec(&params);
	if (!err)
		signal_set_mask(w->sigmask);
	return err;
}

int spawn_become(struct spawn *s)
{
	struct spawn_plan *p = container_of(s, struct spawn_plan, spawn);
	int err = place_itself(p);

	for (unsigned i = 0; !err && i < p->want.nr_actions; i++)
		err = take_action(p, i);
	if (!err)
		err = change_identity(p);
	return err ? err : run_program(p);
}
