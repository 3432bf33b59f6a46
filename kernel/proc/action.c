// SPDX-License-Identifier: MIT
/*
 * Signals: what a program decides about them, each for itself.
 *
 * Setting an action to "ignore" (by itself or by default) throws away what of that signal is
 * pending, for the process and each thread. SIGKILL and SIGSTOP have no other action than theirs.
 *
 * Locks   proc->lock [p]
 * Spec    man 2 sigaction, sigaltstack, sigreturn
 */
#include "proc/action.h"

#include "arch/arch.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "proc/signal_priv.h"

/* The flags that are kept; others are cleared, which is how a program finds what is known. */
#define SA_KNOWN                                                                               \
	((unsigned long)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS |        \
			 SA_RESTORER | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND))

static void read_action(const struct sigactions *a, int sig, struct sigaction *out)
{
	const struct ksigaction *k = &a->action[sig - 1];

	*out = (struct sigaction){0};
	if (!(a->custom & SIGBIT(sig)))
		return;
	out->sa_handler = (__sighandler_t)k->handler;
	out->sa_flags = k->flags;
	out->sa_restorer = (__sigrestore_t)k->restorer;
	out->sa_mask = k->mask;
}

static void write_action(struct sigactions *a, int sig, const struct sigaction *new)
{
	struct ksigaction *k = &a->action[sig - 1];

	k->handler = (uintptr_t) new->sa_handler;
	k->flags = new->sa_flags &SA_KNOWN;
	k->restorer = (uintptr_t) new->sa_restorer;
	k->mask = new->sa_mask & ~SIGNALS_UNBLOCKABLE;
	a->custom |= SIGBIT(sig);
	if (k->handler == HANDLER_IGNORE)
		a->ignored |= SIGBIT(sig);
	else
		a->ignored &= ~SIGBIT(sig);
}

/* POSIX.1-2017 2.4.3: an action of ignoring discards what is pending. */
static void discard_ignored(struct proc *p, int sig)
{
	uintptr_t handler = p->signals.actions->action[sig - 1].handler;

	if (LIKELY(handler != HANDLER_IGNORE) &&
		!(handler == HANDLER_DEFAULT && (SIGNALS_IGNORED & SIGBIT(sig))))
		return;
	sigpending_remove(&p->signals.pending, SIGBIT(sig));
	list_for_each (u, &p->threads, struct uthread, proc_link)
		sigpending_remove(&u->pending, SIGBIT(sig));
}

int signal_action(int sig, const struct sigaction *new, struct sigaction *old)
{
	struct proc *p = proc_current();

	if (sig < 1 || sig > SIGNALS || (new && (SIGNALS_UNBLOCKABLE & SIGBIT(sig))))
		return -EINVAL;
	irqlock_lock(&p->lock);
	if (old)
		read_action(p->signals.actions, sig, old);
	if (new) {
		write_action(p->signals.actions, sig, new);
		discard_ignored(p, sig);
	}
	irqlock_unlock(&p->lock);
	return 0;
}

/* ---- The alternate stack ---- */

/* SS_ONSTACK, SS_DISABLE or 0, as seen with the stack pointer sp. */
static int altstack_state(const struct uthread *u, vaddr_t sp)
{
	if (!u->altstack.size)
		return SS_DISABLE;
	return uthread_is_on_altstack(u, sp) ? SS_ONSTACK : 0;
}

void altstack_get(stack_t *out, vaddr_t sp)
{
	const struct uthread *u = uthread_current();

	*out = (stack_t){
		.ss_sp = (void *)u->altstack.sp.addr,
		.ss_flags = altstack_state(u, sp) | (u->altstack.flags & (int)SS_FLAG_BITS),
		.ss_size = u->altstack.size,
	};
}

int altstack_set(const stack_t *ss, vaddr_t sp)
{
	struct uthread *u = uthread_current();
	int mode = ss->ss_flags & ~(int)SS_FLAG_BITS;

	if (uthread_is_on_altstack(u, sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		u->altstack = (struct sigaltstack_state){.flags = ss->ss_flags};
		return 0;
	}
	if (ss->ss_size < MINSIGSTKSZ)
		return -ENOMEM;
	u->altstack = (struct sigaltstack_state){
		.sp = UPTR(ss->ss_sp),
		.size = ss->ss_size,
		.flags = ss->ss_flags,
	};
	return 0;
}

/* ---- The return from a handler ---- */

int64_t signal_return(struct arch_frame *f)
{
	struct arch_signal_restored r;
	stack_t ss;

	if (arch_signal_pop(f, &r)) {
		arch_syscall_forget(f);
		signal_force(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	signal_set_mask(r.mask);
	ss = (stack_t){
		.ss_sp = (void *)r.altstack_sp,
		.ss_flags = r.altstack_flags,
		.ss_size = r.altstack_size,
	};
	(void)!altstack_set(
		&ss, arch_frame_sp(f)); /* as on Linux: what is wrong has no effect */
	return arch_syscall_result(f);
}
