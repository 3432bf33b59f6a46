// SPDX-License-Identifier: MIT
/*
 * System calls about signals: man 2 sigaction, sigprocmask, sigpending, sigsuspend, sigtimedwait,
 * sigaltstack, sigreturn, kill, tgkill, rt_sigqueueinfo, pause, restart_syscall.
 */
#include <linux/signal.h>

#include "arch/arch.h"
#include "lib/string.h"
#include "ops/signal.h"
#include "proc/action.h"
#include "proc/kill.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

enum { SIGSET_SIZE = 8 }; /* of the kernel's sigset_t: every call checks it */

/* sigset_t of a program without the two that cannot be blocked. */
static int read_set(uptr from, uint64_t *out)
{
	return user_get(*out, from);
}

/* ---- Actions and masks ---- */

SYSCALL4(rt_sigaction, int, sig, uptr, new, uptr, old, size_t, size)
{
	struct sigaction act, was;
	int err;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (!uptr_is_null(new) && user_get(act, new))
		return -EFAULT;
	err = signal_action(
		sig, uptr_is_null(new) ? NULL : &act, uptr_is_null(old) ? NULL : &was);
	if (!err && !uptr_is_null(old))
		err = user_put(old, was);
	return err;
}

static int change_mask(int how, uint64_t set)
{
	uint64_t mask = uthread_current()->sigmask;

	switch (how) {
	case SIG_BLOCK:
		mask |= set;
		break;
	case SIG_UNBLOCK:
		mask &= ~set;
		break;
	case SIG_SETMASK:
		mask = set;
		break;
	default:
		return -EINVAL;
	}
	signal_set_mask(mask);
	return 0;
}

SYSCALL4(rt_sigprocmask, int, how, uptr, new, uptr, old, size_t, size)
{
	uint64_t set, was = uthread_current()->sigmask;
	int err;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (!uptr_is_null(new)) {
		if (read_set(new, &set))
			return -EFAULT;
		err = change_mask(how, set);
		if (err)
			return err;
	}
	return uptr_is_null(old) ? 0 : user_put(old, was);
}

SYSCALL2(rt_sigpending, uptr, set, size_t, size)
{
	uint64_t pending;

	if (size > SIGSET_SIZE)
		return -EINVAL;
	pending = signal_pending_set() & uthread_current()->sigmask;
	return user_write(set, &pending, size);
}

SYSCALL2(sigaltstack, uptr, new, uptr, old)
{
	vaddr_t sp = arch_frame_sp(arch_user_frame(arch_current()));
	stack_t ss, was;
	int err = 0;

	if (!uptr_is_null(new) && user_get(ss, new))
		return -EFAULT;
	altstack_get(&was, sp);
	if (!uptr_is_null(new))
		err = altstack_set(&ss, sp);
	if (!err && !uptr_is_null(old))
		err = user_put(old, was);
	return err;
}

SYSCALL0(rt_sigreturn)
{
	return signal_return(arch_user_frame(arch_current()));
}

SYSCALL0(restart_syscall)
{
	struct restart *r = &uthread_current()->restart;

	return r->fn ? r->fn(r) : -EINTR;
}

/* ---- Waiting ---- */

SYSCALL2(rt_sigsuspend, uptr, set, size_t, size)
{
	struct pause_op p;
	uint64_t mask;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (read_set(set, &mask))
		return -EFAULT;
	signal_set_temporary_mask(mask);
	pause_op_prepare(&p);
	return op_run(&p.op);
}

SYSCALL0(pause)
{
	struct pause_op p;

	pause_op_prepare(&p);
	return op_run(&p.op);
}

SYSCALL4(rt_sigtimedwait, uptr, set, uptr, info, uptr, timeout, size_t, size)
{
	uint64_t wanted, deadline = WAIT_FOREVER;
	struct sigwait_op w;
	siginfo_t taken;
	int64_t sig;
	int err;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (read_set(set, &wanted))
		return -EFAULT;
	if (!uptr_is_null(timeout)) {
		err = deadline_read(timeout, &deadline);
		if (err)
			return err;
	}
	sigwait_op_prepare(&w, wanted & ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP)), &taken, deadline);
	sig = op_run(&w.op);
	if (sig > 0 && !uptr_is_null(info) && user_put(info, taken))
		return -EFAULT;
	return sig;
}

/* ---- Sending ---- */

SYSCALL2(kill, int, pid, int, sig)
{
	return kill_processes(pid, sig);
}

SYSCALL2(tkill, int, tid, int, sig)
{
	if (tid <= 0)
		return -EINVAL;
	return kill_thread(0, tid, sig);
}

SYSCALL3(tgkill, int, tgid, int, tid, int, sig)
{
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return kill_thread(tgid, tid, sig);
}

/* What a program may claim about a signal's origin: not the kernel's or kill's codes. */
static int read_info(uptr from, int sig, siginfo_t *info)
{
	if (user_get(*info, from))
		return -EFAULT;
	info->si_signo = sig;
	return signal_check_info(info);
}

SYSCALL3(rt_sigqueueinfo, int, pid, int, sig, uptr, uinfo)
{
	siginfo_t info;
	int err = read_info(uinfo, sig, &info);

	return err ? err : kill_with_info(pid, sig, &info);
}

SYSCALL4(rt_tgsigqueueinfo, int, tgid, int, tid, int, sig, uptr, uinfo)
{
	siginfo_t info;
	int err = read_info(uinfo, sig, &info);

	if (err)
		return err;
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return kill_thread_with_info(tgid, tid, sig, &info);
}
