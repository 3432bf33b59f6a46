// SPDX-License-Identifier: MIT
/*
 * System calls of descriptors that refer to processes.
 *
 * Spec    man 2: pidfd_open, pidfd_getfd, pidfd_send_signal, process_madvise; process_mrelease has
 *         no page: observed
 */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/pidfd.h>
#include <linux/resource.h>

#include "fs/proc/procfs.h"
#include "fs/vfs/fdtable.h"
#include "lib/string.h"
#include "mm/vmspace.h"
#include "proc/access.h"
#include "proc/pidfd.h"
#include "proc/proc.h"
#include "sys/file.h"
#include "sys/syscall.h"
#include "uaccess/iter.h"

/*
 * The process that a descriptor refers to, with a reference. -EBADF, -ESRCH. A folder /proc/PID was
 * the first kind of pidfd, and may still be signalled.
 */
static int proc_of_pidfd(int fd, bool may_be_folder, struct proc **out)
{
	struct borrowed_file b = fd_borrow(fd);
	struct pid *pid;
	int err;

	if (!b.file)
		return -EBADF;
	err = pidfd_get_pid(b.file, &pid);
	if (err && may_be_folder)
		err = procfs_get_pid(b.file, &pid);
	if (!err)
		err = proc_get_by_pid(pid, out);
	fd_release(b);
	return err;
}

SYSCALL2(pidfd_open, int, nr, unsigned, flags)
{
	struct file *f;
	struct proc *p;
	int err;

	if (flags & ~PIDFD_NONBLOCK)
		return -EINVAL;
	if (nr <= 0)
		return -EINVAL;
	err = proc_find(nr, &p);
	if (err) {
		struct thread *t; /* a thread that is not its process's first */

		if (uthread_find(nr, &t))
			return err;
		thread_put(t);
		return -EINVAL;
	}
	err = pidfd_open_file(p->pid, flags, &f);
	proc_put(p);
	return err ? err : sys_give_fd(f, true);
}

/* The file of another process's descriptor, with a reference. */
static int get_file_of(struct proc *p, int fd, struct file **out)
{
	struct fdtable *files = proc_get_files(p);
	int err;

	if (!files)
		return -ESRCH;
	err = fd_get_file(files, fd, true, out);
	fdtable_put(files);
	return err;
}

SYSCALL3(pidfd_getfd, int, pidfd, int, fd, unsigned, flags)
{
	struct file *f;
	struct proc *p;
	int err;

	if (flags)
		return -EINVAL;
	err = proc_of_pidfd(pidfd, false, &p);
	if (err)
		return err;
	err = proc_check_access(p);
	if (!err)
		err = get_file_of(p, fd, &f);
	proc_put(p);
	return err ? err : sys_give_fd(f, true);
}

SYSCALL4(pidfd_send_signal, int, pidfd, int, sig, uptr, info, unsigned, flags)
{
	siginfo_t si;
	struct proc *p;
	int err;

	if (flags)
		return -EINVAL;
	if (!uptr_is_null(info)) {
		if (user_get(si, info))
			return -EFAULT;
		if (si.si_signo != sig)
			return -EINVAL;
	}
	err = proc_of_pidfd(pidfd, true, &p);
	if (err)
		return err;
	if (sig < 0 || sig > SIGNALS) {
		err = -EINVAL;
	} else if (uptr_is_null(info)) {
		memset(&si, 0, sizeof(si));
		si.si_signo = sig;
		si.si_code = SI_USER;
		si.si_pid = uthread_current()->pid_nr;
		si.si_uid = cred_current()->uid;
	} else if (p != proc_current() && (si.si_code >= 0 || si.si_code == SI_TKILL)) {
		err = -EPERM; /* only the kernel and tgkill say those of themselves */
	}
	if (!err)
		err = signal_permission(p, sig);
	if (!err)
		err = signal_send_proc(p, sig, &si);
	proc_put(p);
	return err;
}

/* ---- Advice about another's memory ---- */

/* man 2 process_madvise: what cannot be noticed but by how long things take. */
static bool may_advise(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED;
}

static int64_t advise_all(struct vmspace *vm, const struct iter *ranges, int advice)
{
	size_t done = 0;

	for (unsigned i = 0; i < ranges->nr_segments; i++) {
		const struct iter_segment *r = &ranges->segments[i];
		int err = vmspace_advise(vm, r->addr, r->len, advice);

		if (err)
			return done ? (int64_t)done : err;
		done += r->len;
	}
	return (int64_t)done;
}

static int64_t advise_proc(struct proc *p, const struct iter *ranges, int advice)
{
	struct vmspace *vm;
	int64_t result;

	if (!may_advise(advice))
		return -EINVAL;
	if (proc_check_access(p))
		return -EACCES;
	vm = proc_get_vm(p);
	if (!vm)
		return -ESRCH;
	result = capable(CAP_SYS_NICE) ? advise_all(vm, ranges, advice) : -EPERM;
	vmspace_put(vm);
	return result;
}

/* Errors: EACCES, EBADF, EFAULT, EINVAL, ENOMEM, EPERM, ESRCH. */
SYSCALL5(process_madvise, int, pidfd, uptr, vec, size_t, nr, int, advice, unsigned, flags)
{
	struct iter ranges;
	struct proc *p;
	int64_t result;

	if (flags)
		return -EINVAL;
	result = iter_init_iovec(&ranges, vec, nr);
	if (result)
		return result;
	result = proc_of_pidfd(pidfd, false, &p);
	if (!result) {
		result = advise_proc(p, &ranges, advice);
		proc_put(p);
	}
	iter_fini(&ranges);
	return result;
}

/* ---- The memory of a process that ends ---- */

struct sharers {
	struct vmspace *vm;
	bool all_end;
};

static void look_at_sharer(struct proc *p, void *ctx)
{
	struct sharers *s = ctx;

	irqlock_lock(&p->lock);
	if (p->vm == s->vm && !(p->flags & PROC_EXITING) && !p->signals.fatal_signal)
		s->all_end = false;
	irqlock_unlock(&p->lock);
}

/* Whoever could look at private pages is about to end: a killed thread begins no child. */
static int release_private(struct vmspace *vm)
{
	struct region r;
	int err = 0;

	for (vaddr_t at = 0; !err && vmspace_next_region(vm, at, &r); at = r.end) {
		bool is_kept = r.flags & (VM_SHARED | VM_LOCKED | VM_SPECIAL);

		vmspace_region_done(&r);
		if (!is_kept)
			err = vmspace_advise(vm, r.start, r.end - r.start, MADV_DONTNEED);
	}
	return err ? -EAGAIN : 0; /* it has changed meanwhile, or no memory for a table */
}

static int64_t release_memory(struct proc *p)
{
	struct sharers s = {.vm = proc_get_vm(p), .all_end = true};
	int err = -EINVAL;

	if (!s.vm)
		return -ESRCH;
	proc_for_each(look_at_sharer, &s);
	if (s.all_end)
		err = release_private(s.vm);
	vmspace_put(s.vm);
	return err;
}

/*
 * Gives back at once what a killed process will give back when it gets to run. Errors: EAGAIN,
 * EBADF, EINVAL (also: it is not ending, or shares its memory with one that is not), ESRCH.
 */
SYSCALL2(process_mrelease, int, pidfd, unsigned, flags)
{
	struct proc *p;
	int64_t result;

	if (flags)
		return -EINVAL;
	result = proc_of_pidfd(pidfd, false, &p);
	if (!result) {
		result = release_memory(p);
		proc_put(p);
	}
	return result;
}
