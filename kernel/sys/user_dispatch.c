// SPDX-License-Identifier: MIT
/*
 * Syscall user dispatch: a thread's calls are its own business, but for those from one range of addresses
 * and while its selector allows them. It is asked before filters are, and only about calls by SYSCALL: an
 * entry in a ring comes from no address.
 *
 * Spec    man 2 prctl (PR_SET_SYSCALL_USER_DISPATCH); Linux: Documentation/admin-guide/syscall-user-dispatch
 */
#include "sys/user_dispatch.h"

#include <linux/prctl.h>

#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "proc/proc.h"

void syscall_send_sigsys(int nr, uintptr_t pc, int code, int error)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_signo = SIGSYS;
	si.si_code = code;
	si.si_errno = error;
	si.si_call_addr = (void *)pc;
	si.si_syscall = nr;
	si.si_arch = ARCH_AUDIT;
	signal_force_info(&si);
}

bool user_dispatch_allows(struct arch_frame *f)
{
	const struct own_calls *d = &uthread_current()->own_calls;
	int nr = (int)arch_syscall_nr(f);
	uint8_t selected = SYSCALL_DISPATCH_FILTER_BLOCK;

	if (arch_frame_pc(f) - d->start < d->len)
		return true;
	if (!uptr_is_null(d->selector) && user_get(selected, d->selector)) {
		signal_force_kill(SIGSEGV);
		return false;
	}
	if (selected == SYSCALL_DISPATCH_FILTER_ALLOW)
		return true;
	if (selected == SYSCALL_DISPATCH_FILTER_BLOCK)
		syscall_send_sigsys(nr, arch_frame_pc(f), SYS_USER_DISPATCH, 0);
	else
		signal_force_kill(SIGSYS);
	arch_syscall_set_result(f, nr);
	return false;
}

int user_dispatch_prctl(uint64_t mode, uint64_t start, uint64_t len, uptr selector)
{
	struct uthread *u = uthread_current();

	if (mode == PR_SYS_DISPATCH_OFF) {
		if (start || len || !uptr_is_null(selector))
			return -EINVAL;
		atomic_and(&u->call_work, (uint8_t)~CALL_DISPATCHED);
	} else if (mode == PR_SYS_DISPATCH_ON) {
		if (start && start + len <= start)
			return -EINVAL;
		if (!uptr_is_null(selector) && !user_range_ok(selector, 1))
			return -EFAULT;
		atomic_or(&u->call_work, CALL_DISPATCHED);
	} else {
		return -EINVAL;
	}
	u->own_calls = (struct own_calls){start, len, selector};
	return 0;
}
