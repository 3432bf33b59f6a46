// SPDX-License-Identifier: MIT
/*
 * System call seccomp, and what filters make of the others.
 *
 * A call that a filter leaves to a supervisor waits for it here (security/supervise.h), or on a fiber when a
 * ring asks for it (ring/supervise.c). Nobody traces, so SECCOMP_RET_TRACE is ENOSYS.
 *
 * Spec    man 2 seccomp, seccomp_unotify
 */
#include "sys/seccomp.h"

#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "arch/arch.h"
#include "debug/log.h"
#include "fs/vfs/fdtable.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "security/callfilter.h"
#include "security/seccomp.h"
#include "security/supervise.h"
#include "sys/syscall.h"
#include "sys/user_dispatch.h"

#define FLAGS_KNOWN                                                                            \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |                                 \
		SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER |            \
		SECCOMP_FILTER_FLAG_TSYNC_ESRCH | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

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
		return is_its_call ? call->nr
				   : -EPERM; /* the register as it was; the signal says why */
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

/* Of a call of u; may not return. ANSWERED: *result. ASKS: *by has the listener, if there is one. */
static enum seccomp_verdict judge(const struct uthread *u, const struct seccomp_data *call,
	bool is_its_call, struct call_filter **by, int64_t *result)
{
	uint8_t mode = READ_ONCE(u->seccomp_mode);
	uint32_t answer, action;

	if (mode == SECCOMP_MODE_NOTHING) {
		*result = -EPERM;
		return SECCOMP_ANSWERS;
	}
	if (mode == SECCOMP_MODE_STRICT) {
		if (is_strictly_allowed(call->nr))
			return SECCOMP_ALLOWS;
		say(call, SECCOMP_RET_KILL_THREAD);
		end_thread(u, SIGKILL, is_its_call);
		*result = -ENOSYS;
		return SECCOMP_ANSWERS;
	}
	answer = call_filter_ask(READ_ONCE(u->filters), call, by);
	action = answer & SECCOMP_RET_ACTION_FULL;
	if (action == SECCOMP_RET_ALLOW)
		return SECCOMP_ALLOWS;
	if (action == SECCOMP_RET_LOG || (*by)->is_logged)
		say(call, answer);
	if (action == SECCOMP_RET_LOG)
		return SECCOMP_ALLOWS;
	if (action == SECCOMP_RET_USER_NOTIF)
		return SECCOMP_ASKS;
	*result = refuse(u, call, answer, is_its_call);
	return SECCOMP_ANSWERS;
}

bool seccomp_allows(struct arch_frame *f)
{
	struct seccomp_data call = {.nr = (int)arch_syscall_nr(f),
		.arch = ARCH_AUDIT,
		.instruction_pointer = arch_frame_pc(f)};
	enum seccomp_verdict verdict;
	struct call_filter *by;
	int64_t result;

	for (unsigned i = 0; i < ARRAY_LEN(call.args); i++)
		call.args[i] = arch_syscall_arg(f, i);
	verdict = judge(uthread_current(), &call, true, &by, &result);
	if (verdict == SECCOMP_ALLOWS)
		return true;
	if (verdict == SECCOMP_ASKS && call_supervise(by, &call, &result))
		return true;
	arch_syscall_set_result(f, result);
	return false;
}

enum seccomp_verdict seccomp_judge(const struct uthread *u, int nr, const uint64_t a[6],
	struct seccomp_question *q, int64_t *result)
{
	enum seccomp_verdict verdict;

	q->call = (struct seccomp_data){.nr = nr, .arch = ARCH_AUDIT};
	memcpy(q->call.args, a, sizeof(q->call.args));
	verdict = judge(u, &q->call, false, &q->by, result);
	if (verdict == SECCOMP_ASKS)
		call_filter_get(q->by);
	return verdict;
}

bool seccomp_ask(struct seccomp_question *q, int64_t *result)
{
	bool is_allowed = call_supervise(q->by, &q->call, result);

	seccomp_forget(q);
	return is_allowed;
}

void seccomp_forget(struct seccomp_question *q)
{
	call_filter_put(q->by);
}

bool seccomp_allows_step(int nr, const uint64_t a[6], int64_t *result)
{
	struct seccomp_question q;

	switch (seccomp_judge(uthread_current(), nr, a, &q, result)) {
	case SECCOMP_ALLOWS:
		return true;
	case SECCOMP_ASKS:
		if (seccomp_ask(&q, result))
			return true;
		if (*result == -ERESTARTSYS)
			*result = -EINTR;
		return false;
	default:
		return false;
	}
}

/* ---- The call ---- */

/* Attached, and the reference is the thread's; otherwise it is given back. */
static int64_t attach(struct call_filter *f, unsigned flags)
{
	int err = seccomp_attach(
		f, flags & SECCOMP_FILTER_FLAG_TSYNC, flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH);

	if (err)
		call_filter_put(f);
	return err;
}

/* The same with a listener: its descriptor. */
static int64_t attach_with_listener(struct call_filter *f, unsigned flags)
{
	struct fdtable *files = uthread_current()->files;
	struct file *listener;
	int64_t err;
	int fd;

	err = fd_reserve(files, 0, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (err)
		goto put_filter;
	err = call_listener_create(
		f, flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &listener);
	if (err)
		goto unreserve;
	err = attach(f, flags);
	if (err) {
		fd_unreserve(files, fd);
		file_put(listener);
		return err;
	}
	fd_install(files, fd, listener, true);
	return fd;

unreserve:
	fd_unreserve(files, fd);
put_filter:
	call_filter_put(f);
	return err;
}

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
	if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		return attach_with_listener(f, flags);
	return attach(f, flags);
}

/* man 2 seccomp: which flags go together. A thread's number and a descriptor cannot both be the result. */
static bool are_flags_ok(unsigned flags)
{
	if (flags & ~(unsigned)FLAGS_KNOWN)
		return false;
	if (!(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return !(flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	return !(flags & SECCOMP_FILTER_FLAG_TSYNC) || flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
}

static int64_t set_filter(uptr prog, unsigned flags)
{
	return are_flags_ok(flags) ? add_filter(prog, flags) : -EINVAL;
}

static int64_t tell_sizes(uptr at)
{
	const struct seccomp_notif_sizes sizes = {sizeof(struct seccomp_notif),
		sizeof(struct seccomp_notif_resp), sizeof(struct seccomp_data)};

	return user_put(at, sizes) ? -EFAULT : 0;
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
	case SECCOMP_RET_USER_NOTIF:
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

/* Errors: EACCES, EBUSY, EFAULT, EINVAL, EMFILE, ENFILE, ENOMEM, EOPNOTSUPP, ESRCH. */
SYSCALL3(seccomp, unsigned, operation, unsigned, flags, uptr, args)
{
	switch (operation) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || !uptr_is_null(args) ? -EINVAL : seccomp_set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return set_filter(args, flags);
	case SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : tell_action(args);
	case SECCOMP_GET_NOTIF_SIZES:
		return flags ? -EINVAL : tell_sizes(args);
	default:
		return -EINVAL;
	}
}
