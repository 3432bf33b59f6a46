// SPDX-License-Identifier: MIT
/*
 * System calls of processes: their life, their numbers, groups and sessions.
 *
 * Spec    man 2: clone, clone3, fork, vfork, execve, execveat, exit, exit_group, wait4, waitid,
 *         getpid, gettid, getppid, setpgid, setsid, set_tid_address, unshare, getcpu
 */
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "ops/wait.h"
#include "proc/pidfd.h"
#include "proc/session.h"
#include "sys/rusage.h"
#include "sys/syscall.h"
#include "sys/wait.h"

/* ---- Numbers ---- */

SYSCALL0(getpid)
{
	return uthread_current()->pid_nr;
}

SYSCALL0(gettid)
{
	return uthread_current()->tid_nr;
}

SYSCALL0(getppid)
{
	return READ_ONCE(proc_current()->parent_nr);
}

SYSCALL1(getpgid, int, pid)
{
	return proc_get_group(pid);
}

SYSCALL0(getpgrp)
{
	return proc_get_group(0);
}

SYSCALL2(setpgid, int, pid, int, group)
{
	return proc_set_group(pid, group);
}

SYSCALL1(getsid, int, pid)
{
	return proc_get_session(pid);
}

SYSCALL0(setsid)
{
	return proc_new_session();
}

SYSCALL1(set_tid_address, uptr, at)
{
	struct uthread *u = uthread_current();

	u->clear_child_tid = at;
	return u->tid_nr;
}

SYSCALL3(getcpu, uptr, cpu, uptr, node, uptr, cache)
{
	uint32_t nr = arch_cpu()->id, zero = 0; /* one node */

	(void)cache; /* unused since Linux 2.6.24: man 2 getcpu */
	if (!uptr_is_null(cpu) && user_put(cpu, nr))
		return -EFAULT;
	if (!uptr_is_null(node) && user_put(node, zero))
		return -EFAULT;
	return 0;
}

/* ---- Birth ---- */

SYSCALL0(fork)
{
	return proc_clone(&(struct clone_params){.exit_signal = SIGCHLD});
}

SYSCALL0(vfork)
{
	return proc_clone(&(struct clone_params){
		.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD});
}

/* The order of arguments is x86-64's; other machines differ (man 2 clone, "C library/kernel"). */
SYSCALL5(clone, uint64_t, flags, uptr, stack, uptr, parent_tid, uptr, child_tid, uptr, tls)
{
	struct clone_params params = {
		.flags = (uint32_t)flags & ~(uint64_t)CSIGNAL,
		.pidfd = parent_tid,
		.child_tid = child_tid,
		.parent_tid = parent_tid,
		.stack = stack,
		.tls = tls,
		.exit_signal = (int)(flags & CSIGNAL),
	};

	if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
		return -EINVAL; /* both would be written to the same place */
	return proc_clone(&params);
}

enum { SET_TID_MAX = 32 /* Linux: MAX_PID_NS_LEVEL */ };

static int check_clone3(const struct clone_args *a)
{
	uint64_t known = 0xffffffffull | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;

	if (a->set_tid_size > SET_TID_MAX || !a->set_tid != !a->set_tid_size)
		return -EINVAL;
	if (a->exit_signal & ~(uint64_t)CSIGNAL || a->exit_signal > SIGNALS)
		return -EINVAL;
	if ((a->flags & ~known) || (a->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))))
		return -EINVAL;
	if (a->flags & CLONE_INTO_CGROUP)
		return -EINVAL; /* there are none */
	if ((a->flags & CLONE_SIGHAND) && (a->flags & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
		return -EINVAL;
	if ((a->flags & CLONE_PIDFD) && (a->flags & CLONE_PARENT_SETTID) &&
		a->pidfd == a->parent_tid)
		return -EINVAL; /* both would be written to the same place */
	if (!a->stack != !a->stack_size)
		return -EINVAL;
	return user_range_ok(UPTR(a->stack), a->stack_size) ? 0 : -EINVAL;
}

SYSCALL2(clone3, uptr, args, size_t, size)
{
	struct clone_args a;
	struct clone_params params;
	int err;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	err = user_read_struct(&a, sizeof(a), args, size);
	if (!err)
		err = check_clone3(&a);
	if (err)
		return err;
	params = (struct clone_params){
		.flags = a.flags,
		.pidfd = UPTR(a.pidfd),
		.child_tid = UPTR(a.child_tid),
		.parent_tid = UPTR(a.parent_tid),
		.tls = UPTR(a.tls),
		.stack = UPTR(a.stack + a.stack_size),
		.exit_signal = (int)a.exit_signal,
		.set_tid = UPTR(a.set_tid),
		.set_tid_size = a.set_tid_size,
	};
	return proc_clone(&params);
}

/* ---- Another program ---- */

static int64_t exec(int dirfd, uptr path, uptr argv, uptr envp, int at_flags)
{
	struct pathname name;
	int err = pathname_read(&name, path, at_flags & AT_EMPTY_PATH);

	if (err)
		return err;
	err = proc_exec(&(struct exec_params){
		.dirfd = dirfd,
		.path = name.text,
		.at_flags = at_flags,
		.argv = argv,
		.envp = envp,
	});
	pathname_free(&name);
	return err;
}

SYSCALL3(execve, uptr, path, uptr, argv, uptr, envp)
{
	return exec(AT_FDCWD, path, argv, envp, 0);
}

SYSCALL5(execveat, int, dirfd, uptr, path, uptr, argv, uptr, envp, int, flags)
{
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return exec(dirfd, path, argv, envp, flags);
}

/* ---- The end ---- */

SYSCALL1(exit, int, status)
{
	proc_exit_thread(status & 0xff);
}

SYSCALL1(exit_group, int, status)
{
	proc_exit_group((status & 0xff) << 8);
}

/* ---- Children ---- */

/* Runs the operation and writes what was asked for: 1, 0, or an error. */
static int64_t wait_for(struct wait_op *w, uptr usage)
{
	int64_t n = op_run(&w->op);

	if (n == 1 && !uptr_is_null(usage)) {
		struct rusage ru;

		rusage_fill(&ru, &w->news.times);
		if (user_put(usage, ru))
			return -EFAULT;
	}
	return n;
}

SYSCALL4(wait4, int, pid, uptr, status, int, options, uptr, usage)
{
	struct wait_what what = {.type = WAIT_FOR_PID, .nr = pid, .options = options | WEXITED};
	struct wait_op w;
	int64_t n;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1) {
		what.type = WAIT_FOR_ANY;
	} else if (pid <= 0) {
		what.type = WAIT_FOR_GROUP;
		what.nr = pid ? -pid : proc_get_group(0);
	}
	wait_op_prepare(&w, &what);
	n = wait_for(&w, usage);
	if (n <= 0)
		return n;
	if (!uptr_is_null(status) && user_put(status, w.news.status))
		return -EFAULT;
	return w.news.pid;
}

/* Which children waitid means; a pid with a reference for P_PIDFD. */
static int read_waitid(int type, int id, struct wait_what *what)
{
	struct borrowed_file b;
	int err;

	what->nr = id;
	switch (type) {
	case P_ALL:
		what->type = WAIT_FOR_ANY;
		return 0;
	case P_PID:
		what->type = WAIT_FOR_PID;
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		what->type = WAIT_FOR_GROUP;
		if (!id)
			what->nr = proc_get_group(0);
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		break;
	default:
		return -EINVAL;
	}
	if (id < 0)
		return -EINVAL;
	what->type = WAIT_FOR_PIDFD;
	b = fd_borrow(id);
	if (!b.file)
		return -EBADF;
	err = pidfd_get_pid(b.file, &what->pid);
	if (!err) {
		pid_get(what->pid);
		if (b.file->flags & O_NONBLOCK)
			what->options |= WNOHANG;
	}
	fd_release(b);
	return err;
}

/*
 * Zeros where there is no news: man 2 waitid promises them for WNOHANG, Linux writes them also when
 * the call fails (process_wait.waitid_that_fails_writes_zeros). The rest of the siginfo is left alone.
 */
static int write_siginfo(uptr to, const struct wait_news *news)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	if (news) {
		info.si_signo = SIGCHLD;
		info.si_code = news->why;
		info.si_pid = news->pid;
		info.si_uid = (uint32_t)news->uid;
		info.si_status = news->code;
	}
	return user_write(to, &info, offsetof(siginfo_t, si_status) + sizeof(info.si_status));
}

int waitid_prepare(struct wait_op *w, int type, int id, int options)
{
	struct wait_what what = {.options = options};
	int err;

	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
			      __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	err = read_waitid(type, id, &what);
	if (!err)
		wait_op_prepare(w, &what);
	return err;
}

int64_t waitid_finish(const struct wait_op *w, int64_t n, int options, uptr info)
{
	if (n == 0 && !(options & WNOHANG))
		n = -EAGAIN; /* a pidfd with O_NONBLOCK */
	if (!uptr_is_null(info) && write_siginfo(info, n > 0 ? &w->news : NULL))
		return -EFAULT;
	return n < 0 ? n : 0;
}

SYSCALL5(waitid, int, type, int, id, uptr, info, int, options, uptr, usage)
{
	struct wait_op w;
	int64_t n = waitid_prepare(&w, type, id, options);

	return waitid_finish(&w, n ? n : wait_for(&w, usage), options, info);
}

/* ---- Sharing less ---- */

SYSCALL1(unshare, uint64_t, flags)
{
	return proc_unshare(flags);
}
