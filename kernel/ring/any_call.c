// SPDX-License-Identifier: MIT
/*
 * TORUS_OP_SYSCALL: any system call as a request, but for those that are about the thread that calls.
 *
 * The call runs on a fiber, which has the descriptors, the place in the file tree, the memory and the
 * process of the submitter, and is not the submitter: its registers, its stack, its signal mask, its
 * credentials, its scheduling are not there to be asked for or changed.
 *
 * Spec    abi/torus.h
 */
#include <asm/unistd.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/ioprio.h>
#include <linux/resource.h>

#include "ring/opcodes.h"
#include "sys/dispatch.h"

/* About the caller whatever the arguments are. */
static const uint16_t own[] = {
	/* its registers and stack, its beginning and end */
	__NR_rt_sigreturn,
	__NR_sigaltstack,
	__NR_clone,
	__NR_clone3,
	__NR_fork,
	__NR_vfork,
	__NR_execve,
	__NR_execveat,
	__NR_exit,
	__NR_exit_group,
	__NR_restart_syscall,
	__NR_arch_prctl,
	__NR_set_thread_area,
	__NR_get_thread_area,
	/* what the kernel keeps for it */
	__NR_set_tid_address,
	__NR_set_robust_list,
	__NR_rseq,
	__NR_prctl,
	__NR_personality,
	__NR_unshare,
	__NR_setns,
	__NR_seccomp,
	__NR_getcpu,
	__NR_sched_yield,
	/* its signals */
	__NR_rt_sigprocmask,
	__NR_rt_sigpending,
	__NR_rt_sigsuspend,
	__NR_rt_sigtimedwait,
	__NR_pause,
	/* its credentials */
	__NR_setuid,
	__NR_setgid,
	__NR_setreuid,
	__NR_setregid,
	__NR_setresuid,
	__NR_setresgid,
	__NR_setfsuid,
	__NR_setfsgid,
	__NR_setgroups,
	__NR_capset,
	/* its rings: a request that submits requests */
	__NR_io_uring_setup,
	__NR_io_uring_enter,
	__NR_io_uring_register,
};

/* About the caller when they name thread 0. */
static const uint16_t own_if_zero[] = {
	__NR_sched_setaffinity,
	__NR_sched_getaffinity,
	__NR_sched_setparam,
	__NR_sched_getparam,
	__NR_sched_setscheduler,
	__NR_sched_getscheduler,
	__NR_sched_setattr,
	__NR_sched_getattr,
	__NR_sched_rr_get_interval,
	__NR_get_robust_list,
};

static bool is_in(const uint16_t *list, unsigned nr_list, uint64_t nr)
{
	for (unsigned i = 0; i < nr_list; i++) {
		if (list[i] == nr)
			return true;
	}
	return false;
}

/* A lock with priority inheritance has the thread that waits as its owner. */
static bool is_own_futex(uint64_t op)
{
	switch ((int)op & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_TRYLOCK_PI:
	case FUTEX_UNLOCK_PI:
	case FUTEX_WAIT_REQUEUE_PI:
		return true;
	default:
		return false;
	}
}

static bool is_about_caller(uint64_t nr, const uint64_t a[SYSCALL_ARGS])
{
	if (is_in(own, ARRAY_LEN(own), nr))
		return true;
	if ((int)a[0] == 0 && is_in(own_if_zero, ARRAY_LEN(own_if_zero), nr))
		return true;
	switch (nr) {
	case __NR_close_range: /* the fiber would part from the table, not the caller */
		return a[2] & CLOSE_RANGE_UNSHARE;
	case __NR_futex:
		return is_own_futex(a[1]);
	case __NR_getpriority:
	case __NR_setpriority:
		return (int)a[0] == PRIO_PROCESS && (int)a[1] == 0;
	case __NR_ioprio_get:
	case __NR_ioprio_set:
		return (int)a[0] == IOPRIO_WHO_PROCESS && (int)a[1] == 0;
	case __NR_getrusage:
		return (int)a[0] == RUSAGE_THREAD;
	default:
		return false;
	}
}

int any_call_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	uint64_t *a = r->call.a;
	int err = 0;

	call_begin(r, (uint64_t)(uint32_t)sqe->fd);
	req_post_long(r);
	if (sqe->buf_index || sqe->ioprio & ~TORUS_SYSCALL_INDIRECT ||
		sqe->flags & IOSQE_FIXED_FILE)
		return -EINVAL;
	if (sqe->ioprio & TORUS_SYSCALL_INDIRECT) {
		err = user_read(a, UPTR(sqe->off), SYSCALL_ARGS * sizeof(*a));
	} else {
		a[0] = sqe->off;
		a[1] = sqe->addr;
		a[2] = sqe->len | (uint64_t)(uint32_t)sqe->rw_flags << 32;
		a[3] = sqe->addr3;
		a[4] = sqe->__pad2[0];
		a[5] = sqe->file_index;
	}
	if (!err && is_about_caller(r->call.nr, a))
		err = -EINVAL;
	return err;
}
