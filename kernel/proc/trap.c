// SPDX-License-Identifier: MIT
/*
 * What the machine reports about a program: faults become pages or signals, and before each
 * return to user mode what others asked of the thread is done.
 *
 * Context  trap_page_fault and trap_user with interrupts on, unless the trapped code had them off;
 *          trap_user_return with interrupts off
 */
#include "arch/arch.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "proc/ring_work.h"
#include "proc/rseq.h"
#include "proc/signal.h"
#include "sync/preempt.h"

static void remember_fault(uintptr_t addr, const struct trap_info *info)
{
	struct uthread *u = uthread_current();

	u->fault.addr = addr;
	u->fault.nr = info->nr;
	u->fault.error = info->code;
}

/* A page the address space could not give to its program. */
static void signal_for_fault(const struct trap_info *info, int err, int code)
{
	remember_fault(info->addr, info);
	switch (err) {
	case -EIO:
		signal_force(SIGBUS, BUS_ADRERR, info->addr);
		break;
	case -ENOMEM:
		signal_force_kill(SIGKILL);
		break;
	case -EINTR: /* killed while it waited: the way back ends it */
		break;
	default:
		signal_force(SIGSEGV, code, info->addr);
	}
}

bool trap_page_fault(struct arch_frame *f, const struct trap_info *info)
{
	struct thread *t = arch_current();
	bool is_user = arch_frame_is_user(f);
	int err, code = SEGV_MAPERR;

	if (!t->vm || !preempt_is_enabled())
		return false;
	if (!is_user && !arch_frame_irq_enabled(f))
		return false;
	err = vmspace_fault(t->vm, info->addr, info->flags, &code);
	if (LIKELY(!err))
		return true;
	if (is_user)
		signal_for_fault(info, err, code);
	return is_user;
}

void trap_user(struct arch_frame *f, const struct trap_info *info)
{
	uintptr_t addr = info->kind == TRAP_PAGE_FAULT ? info->addr : arch_frame_pc(f);
	int sig = SIGSEGV, code = SI_KERNEL;

	remember_fault(info->kind == TRAP_PAGE_FAULT ? info->addr : 0, info);
	arch_trap_signal(f, info, &sig, &code);
	signal_force(sig, code, code == SI_KERNEL ? 0 : addr);
}

void trap_user_return(struct arch_frame *f)
{
	struct uthread *u = uthread_current();

	arch_irq_enable();
	if (atomic_load_relaxed(&u->thread->flags) & THREAD_RING)
		ring_hooks->run();
	if (atomic_load_relaxed(&u->thread->flags) & THREAD_NOTIFY) {
		/* before the looks below: who sets it again is heard the next time */
		atomic_and(&u->thread->flags, ~(uint32_t)THREAD_NOTIFY);
		if (u->rseq.addr)
			rseq_return(f);
	}
	if (u->has_saved_sigmask || signal_is_pending())
		signal_deliver(f);
	arch_irq_disable();
}
