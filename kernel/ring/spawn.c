// SPDX-License-Identifier: MIT
/*
 * TORUS_OP_SPAWN: a process from nothing, as a request.
 *
 *     submission   the structure and all it points to are copied: a plan
 *     a fiber      proc_spawn (proc/spawn.h) by that plan; the result is a descriptor
 *     the child    takes its steps one after another (spawn_steps.c), then runs the program
 *
 * Locks   ring->lock [l] at submission; the plan is the fiber's and the child's after that
 * Spec    abi/torus.h
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/ids.h"
#include "proc/signal.h"
#include "ring/opcodes.h"
#include "ring/spawn_priv.h"

#define NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |            \
		CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME)

_Static_assert(sizeof(struct torus_spawn) == TORUS_SPAWN_SIZE_FIRST, "what programs know");

/* ---- The plan ---- */

static void free_plan(struct spawn_plan *p)
{
	for (unsigned i = 0; p->names && i < p->want.nr_actions; i++)
		mem_free(p->names[i]);
	mem_free(p->names);
	mem_free(p->actions);
	mem_free(p->limits);
	mem_free(p->groups);
	mem_free(p->path);
	exec_args_free(p->args);
	mem_free(p);
}

/* An array of the program's, or NULL for none. */
static int read_array(void *out, uint64_t from, unsigned nr, size_t size, unsigned max)
{
	void *copy, **to = out;

	if (nr > max)
		return -E2BIG;
	if (!nr)
		return 0;
	copy = mem_alloc(nr * size, 0);
	if (!copy)
		return -ENOMEM;
	*to = copy; /* the plan's: free_plan */
	return user_read(copy, UPTR(from), nr * size);
}

static int read_name(uint64_t from, bool may_be_empty, char **out)
{
	struct pathname name;
	int err = pathname_read(&name, UPTR(from), may_be_empty);

	if (err)
		return err;
	*out = mem_alloc(name.len + 1, 0);
	if (*out)
		memcpy(*out, name.text, name.len + 1);
	else
		err = -ENOMEM;
	pathname_free(&name);
	return err;
}

static int check_want(const struct torus_spawn *w)
{
	if (w->flags & ~TORUS_SPAWN_ALL || w->reserved || w->exit_signal > SIGNALS)
		return -EINVAL;
	if (w->at_flags & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return w->namespaces & ~(uint64_t)NAMESPACES ? -EINVAL : 0;
}

static int read_actions(struct spawn_plan *p)
{
	const struct torus_spawn *w = &p->want;
	int err = read_array(&p->actions, w->actions, w->nr_actions, sizeof(*p->actions),
		TORUS_SPAWN_ACTIONS_MAX);

	if (err || !w->nr_actions)
		return err;
	p->names = mem_alloc(w->nr_actions * sizeof(*p->names), SLAB_ZERO);
	if (!p->names)
		return -ENOMEM;
	for (unsigned i = 0; i < w->nr_actions; i++) {
		const struct torus_file_action *a = &p->actions[i];

		if (a->action > TORUS_FILE_CLOSE_FROM || a->reserved)
			return -EINVAL;
		if (a->action != TORUS_FILE_OPEN && a->action != TORUS_FILE_CHDIR)
			continue;
		err = read_name(a->path, false, &p->names[i]);
		if (err)
			return err;
	}
	return 0;
}

static int read_limits(struct spawn_plan *p)
{
	const struct torus_spawn *w = &p->want;
	int err = read_array(&p->limits, w->limits, w->nr_limits, sizeof(*p->limits),
		TORUS_SPAWN_LIMITS_MAX);

	for (unsigned i = 0; !err && i < w->nr_limits; i++) {
		const struct torus_limit *l = &p->limits[i];

		if (l->resource >= RLIMITS || l->reserved || l->soft > l->hard)
			err = -EINVAL;
	}
	return err;
}

static int read_plan(struct spawn_plan *p, const struct io_uring_sqe *sqe)
{
	struct torus_spawn *w = &p->want;
	int err;

	if (sqe->len < TORUS_SPAWN_SIZE_FIRST)
		return -EINVAL;
	if (sqe->len > PAGE_SIZE)
		return -E2BIG;
	err = user_read_struct(w, sizeof(*w), UPTR(sqe->addr), sqe->len);
	if (!err)
		err = check_want(w);
	if (!err)
		err = read_name(w->path, w->at_flags & AT_EMPTY_PATH, &p->path);
	if (!err)
		err = read_actions(p);
	if (!err)
		err = read_limits(p);
	if (!err && w->flags & TORUS_SPAWN_GROUPS)
		err = read_array(
			&p->groups, w->groups, w->nr_groups, sizeof(*p->groups), GROUPS_MAX);
	if (!err)
		err = exec_args_keep(UPTR(w->argv), UPTR(w->envp), &p->args);
	return err;
}

static void fill_spawn(struct spawn_plan *p, const struct req *r)
{
	struct torus_spawn *w = &p->want;
	struct uthread *as = r->task->user;

	p->spawn = (struct spawn){
		.as = as,
		.namespaces = w->namespaces,
		.exit_signal = w->exit_signal ? (int)w->exit_signal : SIGCHLD,
		.is_clean = w->flags & TORUS_SPAWN_CLEAN,
		.number_at = UPTR(w->pid),
		.become = spawn_become,
	};
	if (!(w->flags & TORUS_SPAWN_SIGMASK))
		w->sigmask = r->ring->sqpoll ? as->saved_sigmask : as->sigmask;
}

/* What a filter is asked about: the clone() that posix_spawn() would have made. */
static void fill_call(struct req *r, const struct torus_spawn *w)
{
	call_begin(r, __NR_clone);
	memset(r->call.a, 0, sizeof(r->call.a));
	r->call.a[0] = w->namespaces | CLONE_VM | CLONE_VFORK |
		       (w->exit_signal ? w->exit_signal : SIGCHLD);
}

int spawn_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	struct spawn_plan *p;
	int err;

	if (sqe->off || sqe->rw_flags || sqe->buf_index)
		return -EINVAL;
	if (sqe->flags & IOSQE_FIXED_FILE)
		return -EBADF;
	p = mem_alloc(sizeof(*p), SLAB_ZERO);
	if (!p)
		return -ENOMEM;
	err = read_plan(p, sqe);
	if (err) {
		free_plan(p);
		return err;
	}
	p->dirfd = sqe->fd;
	fill_spawn(p, r);
	fill_call(r, &p->want);
	r->call.slot = (int32_t)sqe->file_index;
	r->call.plan = p;
	return 0;
}

void spawn_clean(struct req *r)
{
	free_plan(r->call.plan);
}

/* ---- The request ---- */

int64_t spawn_run(struct req *r)
{
	struct spawn_plan *p = r->call.plan;
	struct fdtable *files = uthread_current()->files;
	int fd, err = fd_reserve(files, 0, proc_rlimit(RLIMIT_NOFILE), &fd);

	if (err)
		return err;
	p->files = files;
	err = proc_spawn(&p->spawn);
	if (err) {
		fd_unreserve(files, fd);
		return err;
	}
	fd_install(files, fd, p->spawn.pidfd, true);
	return fd;
}
