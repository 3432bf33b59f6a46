// SPDX-License-Identifier: MIT
/*
 * Spawn: see spawn.h.
 *
 * The child and who makes it meet twice. First the child begins, when its number and its pidfd are
 * known; then it tells what came of it, after which `struct spawn` is the maker's alone. Who is first
 * of "the program begins" and "it is cancelled" is decided under the child's lock: a cancelled spawn
 * leaves no program behind, and a program that began is a success.
 *
 * Locks   the child's proc->lock [p]; proc_tree_lock
 */
#include "proc/spawn.h"

#include "fs/vfs/file.h"
#include "proc/birth.h"
#include "proc/pidfd.h"
#include "sched/sched.h"

/* ---- The child ---- */

/* It is a process like any other from now on, unless somebody was faster. */
static int be_born(struct spawn *s, struct proc *p)
{
	int err = 0;

	irqlock_lock(&p->lock);
	if (s->is_cancelled)
		err = -EINTR;
	else
		p->flags &= ~(uint32_t)PROC_UNBORN;
	irqlock_unlock(&p->lock);
	return err;
}

static void child_main(void *arg)
{
	struct spawn *s = arg;
	struct proc *p = proc_current();
	int err = s->result;

	if (!err)
		err = s->become(s);
	if (err && thread_is_killed())
		err = -EINTR;
	if (!err)
		err = be_born(s, p);
	s->result = err;
	atomic_store_release(&s->is_told, true); /* s may be gone now */
	waitq_wake_all(&p->vfork_done, 0);
	if (err)
		proc_exit_group(0);
	arch_user_enter();
}

/* ---- Who makes it ---- */

static void cancel(struct spawn *s, struct birth *b)
{
	struct proc *p = b->proc;

	irqlock_lock(&p->lock);
	if (p->flags & PROC_UNBORN) {
		s->is_cancelled = true;
		thread_kill(b->thread);
	}
	irqlock_unlock(&p->lock);
}

static bool is_told(const struct spawn *s)
{
	return atomic_load_acquire(&s->is_told);
}

/* The child's thread is ours to look at: it keeps the process, and so its queue. */
static int wait_for_child(struct spawn *s, struct birth *b)
{
	struct waitq *q = &b->proc->vfork_done;

	if (WAIT_EVENT(q, WAIT_SIGNAL, WAIT_FOREVER, is_told(s))) {
		cancel(s, b);
		(void)!WAIT_EVENT(q, WAIT_BOUNDED, WAIT_FOREVER, is_told(s));
	}
	return s->result;
}

static bool is_gone(struct pid *pid)
{
	bool is_gone;

	irqlock_lock(&proc_tree_lock);
	is_gone = !proc_of_pid_locked(pid);
	irqlock_unlock(&proc_tree_lock);
	return is_gone;
}

/* What must be there before the program: afterwards it is too late to fail. */
static int introduce(struct spawn *s, struct birth *b)
{
	int err = pidfd_open_file(b->pid, 0, &s->pidfd);

	if (!err && !uptr_is_null(s->number_at))
		err = user_put(s->number_at, b->pid->nr);
	return err;
}

int proc_spawn(struct spawn *s)
{
	const struct clone_params params = {
		.flags = s->namespaces, .exit_signal = s->exit_signal};
	struct birth b = {.params = &params,
		.parent = s->as,
		.spawn_main = child_main,
		.spawn_arg = s,
		.is_clean = s->is_clean};
	int err;

	s->pidfd = NULL;
	s->is_told = s->is_cancelled = false;
	err = birth_check_flags(params.flags, s->as->proc);
	if (!err)
		err = birth_begin(&b);
	if (err)
		return err;
	s->result = introduce(s, &b);
	birth_set_trace(&b);
	thread_start(b.thread);
	err = wait_for_child(s, &b);
	if (err) {
		(void)!WAIT_EVENT(&b.pid->exited, WAIT_BOUNDED, WAIT_FOREVER, is_gone(b.pid));
		if (s->pidfd)
			file_put(s->pidfd);
	}
	thread_put(b.thread);
	return err;
}
