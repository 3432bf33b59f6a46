// SPDX-License-Identifier: MIT
/*
 * System call seccomp, and what filters make of the others.
 *
 * As a Linux before 5.0: no supervisor is asked (SECCOMP_RET_USER_NOTIF, its flags and
 * SECCOMP_GET_NOTIF_SIZES are unknown); and nobody traces, so SECCOMP_RET_TRACE is ENOSYS.
 *
 * Spec    man 2 seccomp
 */
#include "sys/seccomp.h"

#include <asm/unistd.h>
#include <linux/capability.h>

#include "arch/arch.h"
#include "debug/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "security/callfilter.h"
#include "security/seccomp.h"
#include "sys/syscall.h"
#include "sys/user_dispatch.h"

#define FLAGS_KNOWN                                                                            \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |                                 \
		SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

/* ---- What becomes of a call ---- */

static void say(const struct seccomp_data *call, uint32_t answer)
{
	const struct uthread *u = uthread_current();

	log_info("seccomp: %s (%d): call %d at %#lx: action %#x", u->comm, u->pid_nr, call->nr,
		(unsigned long)call->instruction_pointer, answer);
}

/*
 * The last thread ends its process by the signal; another one ends alone, and at once. Not for its ring:
 * there the ring's lock is held, and the process ends.
 */
static void end_thread(const struct uthread *u, int sig, bool is_its_call)
{
	if (!is_its_call || READ_ONCE(u->proc->nr_live) == 1)
		signal_force_kill(sig);
	else
		proc_end_thread_by(sig);
}

static void trap(const struct seccomp_data *call, uint32_t answer)
{
	syscall_send_sigsys(
		call->nr, call->instruction_pointer, SYS_SECCOMP, answer & SECCOMP_RET_DATA);
}

static bool is_strictly_allowed(int nr)
{
	return nr == __NR_read || nr == __NR_write || nr == __NR_exit ||
	       nr == __NR_rt_sigreturn;
}

/* The call is not made: its result, after what else the answer asks for. */
static int64_t refuse(const struct uthread *u, const struct seccomp_data *call, uint32_t answer,
	bool is_its_call)
{
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_TRAP:
		if (u == uthread_current())
			trap(call, answer);
		return call->nr; /* the register as it was */
	case SECCOMP_RET_ERRNO:
		return -(int64_t)MIN(answer & SECCOMP_RET_DATA, (uint32_t)MAX_ERRNO);
	case SECCOMP_RET_TRACE:
		return -ENOSYS;
	case SECCOMP_RET_KILL_THREAD:
		say(call, answer);
		end_thread(u, SIGSYS, is_its_call);
		return -ENOSYS;
	default:
		say(call, answer);
		signal_force_kill(SIGSYS);
		return -ENOSYS;
	}
}

/* Whether u may make the call; if not, *result is what it gets. May not return. */
static bool judge(const struct uthread *u, const struct seccomp_data *call, bool is_its_call,
	int64_t *result)
{
	const struct call_filter *by;
	uint32_t answer;

	if (READ_ONCE(u->seccomp_mode) == SECCOMP_MODE_STRICT) {
		if (is_strictly_allowed(call->nr))
			return true;
		say(call, SECCOMP_RET_KILL_THREAD);
		end_thread(u, SIGKILL, is_its_call);
		*result = -ENOSYS;
		return false;
	}
	answer = call_filter_ask(READ_ONCE(u->filters), call, &by);
	if ((answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW)
		return true;
	if ((answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_LOG || by->is_logged)
		say(call, answer);
	if ((answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_LOG)
		return true;
	*result = refuse(u, call, answer, is_its_call);
	return false;
}

bool seccomp_allows(struct arch_frame *f)
{
	struct seccomp_data call = {.nr = (int)arch_syscall_nr(f),
		.arch = ARCH_AUDIT,
		.instruction_pointer = arch_frame_pc(f)};
	int64_t result;

	for (unsigned i = 0; i < ARRAY_LEN(call.args); i++)
		call.args[i] = arch_syscall_arg(f, i);
	if (judge(uthread_current(), &call, true, &result))
		return true;
	arch_syscall_set_result(f, result);
	return false;
}

int64_t seccomp_judge(const struct uthread *u, int nr, const uint64_t a[6])
{
	struct seccomp_data call = {.nr = nr, .arch = ARCH_AUDIT};
	int64_t result;

	memcpy(call.args, a, sizeof(call.args));
	if (judge(u, &call, false, &result))
		return 0;
	return result < 0 ? result : -EPERM; /* SECCOMP_RET_TRAP: the signal says why */
}

/* ---- The call ---- */

static int64_t add_filter(uptr at, unsigned flags)
{
	struct sock_fprog prog;
	struct call_filter *f;
	int err;

	if (user_get(prog, at))
		return -EFAULT;
	if (!prog.len || prog.len > BPF_MAXINSNS)
		return -EINVAL;
	if (!uthread_current()->no_new_privs && !capable(CAP_SYS_ADMIN))
		return -EACCES;
	err = call_filter_create(UPTR((uintptr_t)prog.filter), prog.len, &f);
	if (err)
		return err;
	f->is_logged = flags & SECCOMP_FILTER_FLAG_LOG;
	err = seccomp_attach(
		f, flags & SECCOMP_FILTER_FLAG_TSYNC, flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
	if (err)
		call_filter_put(f);
	return err;
}

static int64_t set_filter(uptr prog, unsigned flags)
{
	if (flags & ~(unsigned)FLAGS_KNOWN)
		return -EINVAL;
	return add_filter(prog, flags);
}

static int64_t tell_action(uptr at)
{
	uint32_t action;

	if (user_get(action, at))
		return -EFAULT;
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

int64_t seccomp_prctl(uint64_t mode, uptr prog)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT:
		return seccomp_set_strict();
	case SECCOMP_MODE_FILTER:
		return set_filter(prog, 0);
	default:
		return -EINVAL;
	}
}

/* Errors: EACCES, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP, ESRCH. */
SYSCALL3(seccomp, unsigned, operation, unsigned, flags, uptr, args)
{
	switch (operation) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || !uptr_is_null(args) ? -EINVAL : seccomp_set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return set_filter(args, flags);
	case SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : tell_action(args);
	default:
		return -EINVAL;
	}
}
