// SPDX-License-Identifier: MIT
/*
 * Births: see birth.h.
 *
 * Until the child has a number nobody knows of it, and every step may fail and is undone in reverse.
 * What can be shared by the flags (memory, descriptors, actions, the place in the file tree) is
 * counted, and a step either takes a reference or makes a copy. A spawned child has none of its maker's
 * memory and registers: exec gives it those, as it does for process 1.
 *
 * A signal that is pending when the child would appear sends the caller round the call again: so
 * a signal to a group or a stop of the process reaches either both or none. A fiber has no signals: it makes
 * no child for a process that is to end.
 *
 * Locks   proc_tree_lock, then the parent's proc->lock, for the moment of birth.
 * Spec    man 2 clone (clone3), man 2 fork, man 2 vfork
 */
#include "proc/birth.h"

#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/vmspace.h"
#include "proc/cpu_limit.h"
#include "proc/pidfd.h"
#include "proc/rseq.h"
#include "proc/signal_priv.h"
#include "sched/sched.h"
#include "security/seccomp.h"

static bool has(const struct birth *b, uint64_t flag)
{
	return b->params->flags & flag;
}

/* ---- The flags ---- */

int birth_check_flags(uint64_t flags, const struct proc *p)
{
	if ((flags & CLONE_NEWNS) && (flags & CLONE_FS))
		return -EINVAL;
	if ((flags & CLONE_NEWUSER) && (flags & CLONE_FS))
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if ((flags & CLONE_PARENT) && p->pid->nr == 1)
		return -EINVAL; /* whose parent is the kernel */
	if ((flags & CLONE_PIDFD) && (flags & (CLONE_DETACHED | CLONE_THREAD)))
		return -EINVAL;
	if ((flags & (CLONE_NEWNS | CLONE_ABSENT_NAMESPACES) & ~CLONE_NEWUSER) &&
		!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & CLONE_ABSENT_NAMESPACES)
		return -EINVAL;
	return 0;
}

/* ---- The parts ---- */

static bool is_spawn(const struct birth *b)
{
	return b->spawn_main;
}

/* The first steps of clone's child, in its own thread. */
static void child_main(void *arg)
{
	struct uthread *u = arg;

	if (!uptr_is_null(u->set_child_tid) && user_put(u->set_child_tid, u->tid_nr))
		u->set_child_tid =
			UPTR_NULL; /* a bad address is nobody's business: man 2 clone */
	arch_user_enter();
}

/* What a thread inherits without sharing it. */
static void copy_uthread(struct birth *b)
{
	struct uthread *u = b->user, *from = b->parent;

	memcpy(u->comm, from->comm, sizeof(u->comm));
	u->sigmask = is_spawn(b) ? ~SIGNALS_UNBLOCKABLE : from->sigmask;
	u->personality = from->personality;
	u->timer_slack_ns = from->timer_slack_ns;
	u->ioprio = from->ioprio;
	u->no_new_privs = from->no_new_privs;
	u->ipc_ns = from->ipc_ns;
	u->policy = from->policy;
	if (!is_spawn(b) && (!has(b, CLONE_VM) || has(b, CLONE_VFORK)))
		u->altstack = from->altstack;
	if (has(b, CLONE_CHILD_SETTID))
		u->set_child_tid = b->params->child_tid;
	if (has(b, CLONE_CHILD_CLEARTID))
		u->clear_child_tid = b->params->child_tid;
	cred_set_own(u, cred_current()); /* a fiber has what its job has */
	cred_get(u->cred);
	u->is_vfork = has(b, CLONE_VFORK);
	u->call_work = from->call_work & CALL_TRACED;
}

static int copy_descriptors(struct birth *b)
{
	struct fdtable *from = uthread_current()->files;

	if (b->is_clean)
		return fdtable_create(&b->user->files);
	if (!has(b, CLONE_FILES))
		return fdtable_copy(from, &b->user->files);
	fdtable_get(from);
	b->user->files = from;
	return 0;
}

static int copy_files(struct birth *b)
{
	struct uthread *from = uthread_current();
	int err = copy_descriptors(b);

	if (err)
		return err;
	if (has(b, CLONE_FS)) {
		fs_context_share(from->fs);
		b->user->fs = from->fs;
		return 0;
	}
	err = fs_context_copy(from->fs, &b->user->fs);
	if (!err && has(b, CLONE_NEWNS)) {
		err = fs_context_unshare_mounts(b->user->fs);
		if (err)
			fs_context_leave(b->user->fs);
	}
	if (err)
		fdtable_put(b->user->files);
	return err;
}

static void drop_files(struct uthread *u)
{
	fs_context_leave(u->fs);
	fdtable_put(u->files);
}

static int copy_memory(struct birth *b)
{
	struct vmspace *vm = arch_current()->vm;

	if (is_spawn(b))
		return 0;
	if (!has(b, CLONE_VM))
		return vmspace_fork(vm, &b->proc->vm);
	vmspace_get(vm);
	b->proc->vm = vm;
	return 0;
}

/* The parts of a process that is not the caller's. */
static int make_proc(struct birth *b)
{
	struct proc *p, *from = b->parent->proc;
	int err = proc_create(&p);

	if (err)
		return err;
	b->proc = p;
	irqlock_lock(&from->lock);
	memcpy(p->rlimits, from->rlimits, sizeof(p->rlimits));
	p->flags = (from->flags & PROC_DUMPABLE) | PROC_FORK_NO_EXEC;
	if (is_spawn(b))
		p->flags |= PROC_UNBORN;
	p->oom_score_adj = from->oom_score_adj;
	p->exe = from->exe;
	if (p->exe)
		file_get(p->exe);
	irqlock_unlock(&from->lock);
	err = signals_copy(p, from, has(b, CLONE_SIGHAND));
	if (err)
		goto put_exe;
	if (b->params->flags & CLONE_CLEAR_SIGHAND)
		signals_clear_handlers(p);
	err = copy_memory(b);
	if (err)
		goto fini_signals;
	err = cpu_limit_inherit(p);
	if (err)
		goto put_memory;
	return 0;

put_memory:
	if (p->vm)
		vmspace_put(p->vm);
fini_signals:
	signals_fini(p);
put_exe:
	if (p->exe)
		file_put(p->exe);
	proc_discard(p);
	return err;
}

static void unmake_proc(struct proc *p)
{
	cpu_limit_fini(p);
	if (p->vm)
		vmspace_put(p->vm);
	signals_fini(p);
	if (p->exe)
		file_put(p->exe);
	proc_discard(p);
}

/* How it will be scheduled: as the caller, unless that asked for a fresh start. */
static void copy_scheduling(struct birth *b)
{
	struct thread *t = b->thread, *from = b->parent->thread;
	struct sched_params params = from->base;

	t->affinity = from->affinity; /* nobody knows t yet */
	if (b->parent->resets_on_fork) {
		bool is_rt =
			params.policy == SCHED_CLASS_FIFO || params.policy == SCHED_CLASS_RR;

		params.nice = is_rt ? 0 : MAX(params.nice, 0);
		if (is_rt) {
			params.policy = SCHED_CLASS_FAIR;
			b->user->policy = SCHED_NORMAL;
		}
	}
	if (params.policy != SCHED_CLASS_FAIR || params.nice)
		(void)!sched_set_params(t, &params); /* they are valid: they are ours */
}

/* What the program sees of the machine: registers, TLS. */
static int copy_machine(struct birth *b)
{
	const struct clone_params *params = b->params;
	struct thread *t = b->thread;

	arch_user_copy_current(t);
	if (has(b, CLONE_SETTLS)) {
		int err = arch_user_set_tls(t, params->tls.addr);

		if (err)
			return err;
	}
	arch_frame_clone(
		arch_user_frame(t), arch_user_frame(arch_current()), params->stack.addr);
	rseq_clone(b->user, b->parent, has(b, CLONE_VM));
	return 0;
}

static int make_thread(struct birth *b)
{
	int err;

	if (is_spawn(b))
		err = thread_create(&b->thread, b->user->comm, b->spawn_main, b->spawn_arg);
	else
		err = thread_create(&b->thread, b->user->comm, child_main, b->user);
	if (err)
		return err;
	b->user->thread = b->thread;
	err = thread_fpu_create(b->thread, !is_spawn(b));
	if (!err && !is_spawn(b))
		err = copy_machine(b);
	if (err) {
		thread_discard(b->thread);
		return err;
	}
	copy_scheduling(b);
	return 0;
}

/* ---- A descriptor for the child ---- */

static int make_pidfd(struct birth *b)
{
	struct uthread *me = b->parent;
	int err;

	if (!has(b, CLONE_PIDFD))
		return 0;
	err = fd_reserve(me->files, 0, proc_rlimit(RLIMIT_NOFILE), &b->pidfd);
	if (err)
		return err;
	err = pidfd_open_file(b->pid, 0, &b->pidfd_file);
	if (err)
		goto unreserve;
	err = user_put(b->params->pidfd, b->pidfd);
	if (err)
		goto put_file;
	return 0;

put_file:
	file_put(b->pidfd_file);
	b->pidfd_file = NULL;
unreserve:
	fd_unreserve(me->files, b->pidfd);
	return err;
}

static void unmake_pidfd(struct birth *b)
{
	if (!b->pidfd_file)
		return;
	file_put(b->pidfd_file);
	fd_unreserve(b->parent->files, b->pidfd);
}

/* ---- The moment of birth ---- */

/* man 2 clone3: the array has one number for each nested namespace, innermost first. */
static int read_wanted_tid(const struct clone_params *params, int *tid)
{
	*tid = 0;
	if (!params->set_tid_size)
		return 0;
	if (params->set_tid_size > 1)
		return -EINVAL; /* there is one namespace */
	if (user_get(*tid, params->set_tid))
		return -EFAULT;
	if (*tid < 1 || *tid >= pid_get_max())
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) || capable(CAP_CHECKPOINT_RESTORE) ? 0 : -EPERM;
}

static void add_thread(struct birth *b, struct proc *p)
{
	struct uthread *u = b->user;

	u->tid = b->pid;
	u->tid_nr = b->pid->nr;
	u->pid_nr = p->pid->nr;
	u->proc = p;
	pid_attach_locked(b->pid, PID_THREAD, &u->tid_link);
	list_add_tail(&p->threads, &u->proc_link);
	p->nr_threads++;
	p->nr_live++;
}

static void add_proc(struct birth *b, struct proc *p)
{
	struct proc *from = b->parent->proc, *parent = from;

	p->pid = b->pid;
	p->leader = b->thread;
	/* a fiber that makes children for itself is no thread: the first one's they are */
	p->parent_thread = b->parent->tid ? b->parent : from->leader->user;
	p->exit_signal = b->params->exit_signal;
	if (has(b, CLONE_PARENT)) {
		parent = from->parent;
		p->parent_thread = from->parent_thread;
		p->exit_signal = from->exit_signal;
	}
	p->parent = parent;
	p->parent_nr = parent->pid->nr;
	list_add_tail(&parent->children, &p->child_link);
	p->tty = from->tty;
	pid_attach_locked(b->pid, PID_PROCESS, &p->pid_link);
	proc_enter_group_locked(p, from->group);
	proc_enter_session_locked(p, from->session);
}

/* SIGKILL and exit_group reach its threads at once, but its fibers only when the last of these ends. */
static bool is_to_end(const struct proc *p)
{
	return p->signals.fatal_signal || (p->flags & PROC_EXITING);
}

static int appear(struct birth *b, int wanted_tid)
{
	struct proc *from = b->parent->proc;
	int err;

	irqlock_lock(&proc_tree_lock);
	irqlock_lock(&from->lock);
	if (signal_is_pending() || is_to_end(from))
		err = -ERESTARTNOINTR;
	else if (wanted_tid)
		err = pid_assign_at_locked(b->pid, wanted_tid);
	else
		err = pid_assign_locked(b->pid);
	if (err)
		goto unlock;
	b->thread->user = b->user;
	b->thread->release = uthread_release;
	b->thread->vm = b->proc->vm;
	if (b->proc != from)
		add_proc(b, b->proc);
	seccomp_inherit_locked(b->user, b->parent);
	add_thread(b, b->proc);
	if (b->proc == from)
		proc_get(from); /* the thread's */
	else
		proc_get(b->proc); /* the first one is the tree's */
unlock:
	irqlock_unlock(&from->lock);
	irqlock_unlock(&proc_tree_lock);
	return err;
}

/* Everything that can fail, in order. The child has a number afterwards and does not run. */
static int build(struct birth *b)
{
	int err, wanted_tid;

	err = read_wanted_tid(b->params, &wanted_tid);
	if (err)
		return err;
	err = uthread_create(&b->user);
	if (err)
		return err;
	copy_uthread(b);
	err = copy_files(b);
	if (err)
		goto free_uthread;
	b->proc = b->parent->proc;
	if (!has(b, CLONE_THREAD)) {
		err = make_proc(b);
		if (err)
			goto drop_files;
	}
	err = make_thread(b);
	if (err)
		goto unmake_proc;
	err = pid_create(&b->pid);
	if (err)
		goto discard_thread;
	err = make_pidfd(b);
	if (err)
		goto put_pid;
	err = appear(b, wanted_tid);
	if (err)
		goto unmake_pidfd;
	return 0;

unmake_pidfd:
	unmake_pidfd(b);
put_pid:
	pid_put(b->pid);
discard_thread:
	thread_discard(b->thread);
unmake_proc:
	if (!has(b, CLONE_THREAD))
		unmake_proc(b->proc);
drop_files:
	drop_files(b->user);
free_uthread:
	cred_put(b->user->cred);
	uthread_free(b->user);
	return err;
}

int birth_begin(struct birth *b)
{
	const struct cred *cred = cred_current();
	int err = cred_count_process(cred);

	if (err)
		return err;
	err = build(b);
	if (err)
		cred_uncount_process(cred);
	else if (!has(b, CLONE_THREAD))
		cpu_limit_look(b->proc);
	return err;
}

void birth_set_trace(const struct birth *b)
{
	struct uthread *u = b->user;

	if (!proc_wants_trace)
		return;
	if (proc_wants_trace(u->pid_nr))
		atomic_or(&u->call_work, CALL_TRACED);
	else
		atomic_and(&u->call_work, (uint8_t)~CALL_TRACED);
}
