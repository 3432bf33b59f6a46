// SPDX-License-Identifier: MIT
/*
 * prctl: small settings of a thread or process. An option that belongs to something absent
 * (speculation control, other machines) is -EINVAL, as on a Linux without it.
 *
 * Spec    man 2 prctl
 */
#include <linux/capability.h>
#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#include "lib/string.h"
#include "proc/ids.h"
#include "proc/proc.h"
#include "sys/seccomp.h"
#include "sys/syscall.h"
#include "sys/user_dispatch.h"

enum { TASK_COMM_LEN = 16, TIMER_SLACK_DEFAULT_NS = 50000 };

static int64_t set_name(uptr from)
{
	struct uthread *u = uthread_current();
	char name[TASK_COMM_LEN] = {0};
	int n = user_read_string(name, from, sizeof(name));

	if (n < 0 && n != -ENAMETOOLONG)
		return n;
	name[sizeof(name) - 1] = '\0'; /* longer ones are cut */
	memcpy(u->comm, name, sizeof(u->comm));
	return 0;
}

static int64_t get_name(uptr to)
{
	return user_write(to, uthread_current()->comm, TASK_COMM_LEN);
}

static int64_t set_death_signal(uint64_t sig)
{
	if (sig > SIGNALS)
		return -EINVAL;
	uthread_current()->parent_death_signal = (int)sig;
	return 0;
}

static int64_t set_dumpable(uint64_t value)
{
	if (value > 1)
		return -EINVAL;
	proc_set_flag(proc_current(), PROC_DUMPABLE, value);
	return 0;
}

static int64_t set_no_new_privs(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	if (a != 1 || b || c || d)
		return -EINVAL;
	uthread_current()->no_new_privs = true;
	return 0;
}

static int64_t get_no_new_privs(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return a || b || c || d ? -EINVAL : uthread_current()->no_new_privs;
}

static int64_t put_int(uint64_t to, int value)
{
	return user_put(UPTR(to), value);
}

static int64_t set_timer_slack(int64_t ns)
{
	uthread_current()->timer_slack_ns = ns <= 0 ? TIMER_SLACK_DEFAULT_NS : (uint64_t)ns;
	return 0;
}

SYSCALL5(prctl, int, option, uint64_t, a, uint64_t, b, uint64_t, c, uint64_t, d)
{
	struct uthread *u = uthread_current();

	switch (option) {
	case PR_SET_PDEATHSIG:
		return set_death_signal(a);
	case PR_GET_PDEATHSIG:
		return put_int(a, u->parent_death_signal);
	case PR_GET_DUMPABLE:
		return !!(READ_ONCE(u->proc->flags) & PROC_DUMPABLE);
	case PR_SET_DUMPABLE:
		return set_dumpable(a);
	case PR_GET_KEEPCAPS:
		return !!(u->cred->securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return ids_set_keep_caps(a);
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return a == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_SET_NAME:
		return set_name(UPTR(a));
	case PR_GET_NAME:
		return get_name(UPTR(a));
	case PR_CAPBSET_READ:
		return a > CAP_LAST_CAP ? -EINVAL : (int64_t)(u->cred->cap_bounding >> a & 1);
	case PR_CAPBSET_DROP:
		return ids_drop_bounding(a);
	case PR_GET_SECUREBITS:
		return u->cred->securebits;
	case PR_SET_SECUREBITS:
		return ids_set_securebits(a);
	case PR_SET_TIMERSLACK:
		return set_timer_slack((int64_t)a);
	case PR_GET_TIMERSLACK:
		return (int64_t)MIN(u->timer_slack_ns, (uint64_t)INT64_MAX);
	case PR_SET_CHILD_SUBREAPER:
		proc_set_flag(u->proc, PROC_CHILD_SUBREAPER, a);
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_int(a, !!(READ_ONCE(u->proc->flags) & PROC_CHILD_SUBREAPER));
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(a, b, c, d);
	case PR_GET_NO_NEW_PRIVS:
		return get_no_new_privs(a, b, c, d);
	case PR_GET_SECCOMP:
		return u->seccomp_mode;
	case PR_SET_SECCOMP:
		return seccomp_prctl(a, UPTR(b));
	case PR_SET_SYSCALL_USER_DISPATCH:
		return user_dispatch_prctl(a, b, c, UPTR(d));
	case PR_GET_TID_ADDRESS:
		return user_put(UPTR(a), u->clear_child_tid.addr);
	case PR_CAP_AMBIENT:
		return ids_ambient(a, b, c, d);
	}
	return -EINVAL;
}

/*
 * man 2 personality: the old one; 0xffffffff only asks. Kept; ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC,
 * STICKY_TIMEOUTS and PER_LINUX32 (uname) mean something here.
 */
SYSCALL1(personality, uint32_t, persona)
{
	struct uthread *u = uthread_current();
	uint32_t old = u->personality;

	if (persona != 0xffffffff)
		u->personality = persona;
	return old;
}
