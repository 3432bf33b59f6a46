// SPDX-License-Identifier: MIT
/*
 * Signals: the way back to user mode.
 *
 * signal_deliver looks at what is pending for the thread and then for the process, one signal
 * after the other, until one has a handler or nothing is left. A handler gets its frame from the
 * machine (arch_signal_push) and runs as soon as the thread is in user mode; when more is pending
 * THREAD_SIGNAL is still set and the machine calls again, so that handlers nest as on Linux:
 * the last one laid out runs first.
 *
 * A system call that a signal interrupted left one of the ERESTART numbers in the frame. It is
 * settled here, before the frame is saved for the handler:
 *
 *                        no handler            handler          handler with SA_RESTART
 *     ERESTARTSYS        again                 -EINTR           again
 *     ERESTARTNOINTR     again                 again            again
 *     ERESTARTNOHAND     again                 -EINTR           -EINTR
 *     RESTARTBLOCK       by restart_syscall    -EINTR           -EINTR
 *
 * Locks   proc->lock [p]
 * Spec    man 7 signal; man 2 sigaction, sigaltstack, sigreturn, restart_syscall
 */
#include <asm/unistd.h>
#include <linux/signal.h>

#include "arch/arch.h"
#include "proc/proc.h"
#include "proc/rseq.h"
#include "proc/signal.h"
#include "proc/signal_priv.h"

bool signal_is_pending(void)
{
	return READ_ONCE(arch_current()->flags) & (THREAD_SIGNAL | THREAD_KILLED);
}

void signal_recalculate(struct uthread *u)
{
	const struct proc *p = u->proc;
	uint64_t ready = (u->pending.set | p->signals.pending.set) & ~u->sigmask;
	bool is_wanted = ready || p->signals.is_stopping || (p->flags & PROC_STOPPED);
	uint32_t flags = atomic_load_relaxed(&u->thread->flags);

	if (is_wanted && !(flags & THREAD_SIGNAL))
		atomic_or(&u->thread->flags, THREAD_SIGNAL);
	else if (!is_wanted && (flags & THREAD_SIGNAL))
		atomic_and(&u->thread->flags, ~(uint32_t)THREAD_SIGNAL);
}

/* p->lock held. */
static void set_mask_locked(struct uthread *u, uint64_t mask)
{
	uint64_t newly;

	mask &= ~SIGNALS_UNBLOCKABLE;
	newly = mask & ~u->sigmask;
	u->sigmask = mask;
	if (newly)
		signal_retarget(u->proc, newly);
	signal_recalculate(u);
}

void signal_set_mask(uint64_t mask)
{
	struct uthread *u = uthread_current();

	if (u->sigmask == (mask & ~SIGNALS_UNBLOCKABLE))
		return;
	irqlock_lock(&u->proc->lock);
	set_mask_locked(u, mask);
	irqlock_unlock(&u->proc->lock);
}

void signal_set_temporary_mask(uint64_t mask)
{
	struct uthread *u = uthread_current();

	u->saved_sigmask = u->sigmask;
	u->has_saved_sigmask = true;
	atomic_or(&u->thread->flags, THREAD_NOTIFY); /* signal_deliver puts it back */
	signal_set_mask(mask);
}

void signal_end_temporary_mask(void)
{
	struct uthread *u = uthread_current();

	if (!u->has_saved_sigmask)
		return;
	u->has_saved_sigmask = false;
	signal_set_mask(u->saved_sigmask);
}

int signal_take(uint64_t set, siginfo_t *info)
{
	struct uthread *u = uthread_current();
	struct proc *p = u->proc;
	int sig;

	siginfo_clear_rest(info);
	irqlock_lock(&p->lock);
	sig = sigpending_take(&u->pending, set, info);
	if (!sig)
		sig = sigpending_take(&p->signals.pending, set, info);
	if (sig)
		signal_recalculate(u);
	irqlock_unlock(&p->lock);
	return sig ? 0 : -EAGAIN;
}

uint64_t signal_pending_set(void)
{
	struct uthread *u = uthread_current();
	struct proc *p;
	uint64_t set;

	if (!u)
		return 0;
	p = u->proc;
	irqlock_lock(&p->lock); /* pairs with the look at waiters in reach() */
	set = u->pending.set | p->signals.pending.set;
	irqlock_unlock(&p->lock);
	return set;
}

/* ---- Interrupted calls ---- */

static void settle_call(struct arch_frame *f, bool has_handler, uint64_t action_flags)
{
	int64_t nr = arch_syscall_nr(f);

	if (nr < 0)
		return;
	switch (-arch_syscall_result(f)) {
	case ERESTARTSYS:
		if (has_handler && !(action_flags & SA_RESTART))
			break;
		FALLTHROUGH;
	case ERESTARTNOINTR:
		arch_syscall_restart(f, (uint64_t)nr);
		return;
	case ERESTARTNOHAND:
		if (has_handler)
			break;
		arch_syscall_restart(f, (uint64_t)nr);
		return;
	case ERESTART_RESTARTBLOCK:
		if (has_handler)
			break;
		arch_syscall_restart(f, __NR_restart_syscall);
		return;
	default:
		return;
	}
	arch_syscall_set_result(f, -EINTR);
}

/* ---- Handlers ---- */

/* Where the handler's frame goes; 0: on the current stack. */
static vaddr_t stack_for(const struct uthread *u, const struct arch_frame *f, uint64_t flags)
{
	if (!(flags & SA_ONSTACK) || !u->altstack.size ||
		uthread_is_on_altstack(u, arch_frame_sp(f)))
		return 0;
	return u->altstack.sp.addr + u->altstack.size;
}

static void push_handler(struct arch_frame *f, struct uthread *u, int sig, siginfo_t *info,
	const struct ksigaction *action, uint64_t old_mask)
{
	struct arch_signal s = {
		.sig = sig,
		.info = info,
		.old_mask = old_mask,
		.handler = action->handler,
		.restorer = action->restorer,
		.flags = action->flags,
		.sp = stack_for(u, f, action->flags),
		.altstack_sp = u->altstack.sp.addr,
		.altstack_size = u->altstack.size,
		.altstack_flags = u->altstack.flags,
		.fault_addr = u->fault.addr,
		.trap_nr = u->fault.nr,
		.trap_error = u->fault.error,
	};

	siginfo_clear_rest(info);
	if (u->rseq.addr)
		rseq_return(f);
	settle_call(f, true, action->flags);
	if (UNLIKELY(arch_signal_push(f, &s))) {
		signal_set_mask(old_mask);
		if (sig == SIGSEGV)
			signal_force_kill(SIGSEGV); /* its handler cannot run either */
		else
			signal_force(SIGSEGV, SI_KERNEL, 0);
		return;
	}
	arch_syscall_forget(f);
	if (u->altstack.flags & (int)SS_AUTODISARM)
		u->altstack = (struct sigaltstack_state){.flags = SS_DISABLE};
}

/* The mask while the handler runs; the one it returns to is the result. p->lock held. */
static uint64_t enter_handler(struct uthread *u, int sig, const struct ksigaction *action)
{
	uint64_t old = u->has_saved_sigmask ? u->saved_sigmask : u->sigmask;
	uint64_t mask = u->sigmask | action->mask;

	if (!(action->flags & SA_NODEFER))
		mask |= SIGBIT(sig);
	u->has_saved_sigmask = false;
	if (action->flags & SA_RESETHAND)
		u->proc->signals.actions->action[sig - 1].handler = HANDLER_DEFAULT;
	set_mask_locked(u, mask);
	return old;
}

/* ---- One after the other ---- */

NORETURN static void end_thread(struct proc *p) NOT_ANALYSED
{
	int sig = p->signals.fatal_signal;

	irqlock_unlock(&p->lock);
	if (sig)
		proc_exit_group(sig);
	proc_exit_thread(0);
}

/*
 * The next signal with a handler: its number, with *info and *action. 0: nothing is left.
 * p->lock is held at entry and return, and let go between when the process stops or ends.
 */
static int next_handled(
	struct uthread *u, siginfo_t *info, struct ksigaction *action) NOT_ANALYSED
{
	struct proc *p = u->proc;
	int sig;

	for (;;) {
		if (UNLIKELY(thread_is_killed()))
			end_thread(p);
		if (UNLIKELY(p->signals.is_stopping || p->signals.report ||
			     (p->flags & PROC_STOPPED)) &&
			job_stop_if_asked(p))
			continue;
		sig = sigpending_take(&u->pending, ~u->sigmask, info);
		if (!sig)
			sig = sigpending_take(&p->signals.pending, ~u->sigmask, info);
		if (!sig)
			return 0;
		switch (signal_disposition(p, sig)) {
		case DISP_IGNORE:
			break;
		case DISP_HANDLER:
			*action = p->signals.actions->action[sig - 1];
			return sig;
		case DISP_STOP:
			job_begin_stop(p, sig);
			break;
		case DISP_FATAL:
			p->signals.fatal_signal = sig;
			end_thread(p);
		}
	}
}

void signal_deliver(struct arch_frame *f) NOT_ANALYSED
{
	struct uthread *u = uthread_current();
	struct proc *p = u->proc;
	struct ksigaction action;
	uint64_t old_mask;
	siginfo_t info;
	int sig;

	irqlock_lock(&p->lock);
	sig = next_handled(u, &info, &action);
	if (sig) {
		old_mask = enter_handler(u, sig, &action);
		irqlock_unlock(&p->lock);
		push_handler(f, u, sig, &info, &action, old_mask);
		return;
	}
	signal_recalculate(u);
	irqlock_unlock(&p->lock);
	settle_call(f, false, 0);
	signal_end_temporary_mask();
}
