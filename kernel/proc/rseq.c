// SPDX-License-Identifier: MIT
/*
 * Restartable sequences.
 *
 * A thread registers a struct rseq in its memory. The kernel keeps cpu_id right in it, and looks at
 * rseq_cs: when the thread was taken off its CPU in user mode, or gets a signal, while its program
 * counter lies in the critical section that rseq_cs names, it continues at the section's abort
 * handler instead.
 *
 * The scheduler only compares numbers (sched/core.c, THREAD_RSEQ); the memory is touched on the way to user
 * mode. A thread that was in a system call cannot have been in a critical section (man: system calls
 * there are an error), so nothing is done for it unless it changed its CPU.
 *
 * Spec    linux/rseq.h; the layout of 32 bytes that Linux 6.1 has
 */
#include "proc/rseq.h"

#include <linux/rseq.h>

#include "arch/arch.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "sched/thread.h"
#include "uaccess/uaccess.h"

static_assert(sizeof(struct rseq) == 32, "struct rseq as programs register it");

enum { NO_CPU = UINT32_MAX }; /* written at the next way back */

void rseq_clone(struct uthread *child, const struct uthread *parent, bool shares_vm)
{
	child->rseq = shares_vm ? UPTR_NULL : parent->rseq;
	child->rseq_len = shares_vm ? 0 : parent->rseq_len;
	child->rseq_sig = shares_vm ? 0 : parent->rseq_sig;
	child->thread->seen_cpu = (uint32_t)NO_CPU;
	if (child->rseq.addr)
		atomic_or(&child->thread->flags, THREAD_RSEQ | THREAD_NOTIFY);
}

void rseq_exec(void)
{
	struct uthread *u = uthread_current();

	u->rseq = UPTR_NULL;
	u->rseq_len = u->rseq_sig = 0;
	atomic_and(&u->thread->flags, ~(uint32_t)THREAD_RSEQ);
}

/* ---- The program's memory ---- */

static uptr field(const struct uthread *u, size_t offset)
{
	return uptr_add(u->rseq, offset);
}

static int write_cpu(struct uthread *u)
{
	uint32_t cpu = arch_cpu()->id; /* a switch after this sets THREAD_NOTIFY again */
	uint32_t both[2] = {cpu, cpu};

	static_assert(
		offsetof(struct rseq, cpu_id_start) == 0 && offsetof(struct rseq, cpu_id) == 4,
		"two words");
	if (u->thread->seen_cpu == cpu)
		return 0;
	if (user_write(u->rseq, both, sizeof(both)))
		return -EFAULT;
	u->thread->seen_cpu = cpu;
	return 0;
}

static bool is_in_section(const struct rseq_cs *cs, uint64_t pc)
{
	return pc - cs->start_ip < cs->post_commit_offset;
}

/* Checks what the program wrote. -EINVAL: it is not a critical section. */
static int check_section(const struct uthread *u, const struct rseq_cs *cs)
{
	uint32_t signature;

	if (cs->start_ip >= ARCH_USER_END || cs->abort_ip >= ARCH_USER_END ||
		cs->start_ip + cs->post_commit_offset >= ARCH_USER_END ||
		cs->start_ip + cs->post_commit_offset < cs->start_ip || cs->version > 0 ||
		cs->flags)
		return -EINVAL;
	if (is_in_section(cs, cs->abort_ip))
		return -EINVAL;
	if (user_get(signature, UPTR(cs->abort_ip - sizeof(signature))))
		return -EFAULT;
	return signature == u->rseq_sig ? 0 : -EINVAL;
}

static int leave_section(struct uthread *u, struct arch_frame *f)
{
	struct rseq_cs cs;
	uint64_t section, none = 0;
	int err;

	if (user_get(section, field(u, offsetof(struct rseq, rseq_cs))))
		return -EFAULT;
	if (LIKELY(!section))
		return 0;
	if (section >= ARCH_USER_END || user_get(cs, UPTR(section)))
		return -EFAULT;
	err = check_section(u, &cs);
	if (err)
		return err;
	/* also when it has left the section: the program does not clear the pointer at its end */
	if (user_put(field(u, offsetof(struct rseq, rseq_cs)), none))
		return -EFAULT;
	if (is_in_section(&cs, arch_frame_pc(f)))
		arch_frame_set_pc(f, cs.abort_ip);
	return 0;
}

void rseq_return(struct arch_frame *f)
{
	struct uthread *u = uthread_current();

	if (write_cpu(u) || leave_section(u, f))
		signal_force(SIGSEGV, SI_KERNEL, 0);
}

/* ---- rseq(2) ---- */

static int64_t unregister(struct uthread *u, uptr area, uint32_t len, uint32_t sig)
{
	uint32_t reset[2] = {0, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED};
	uint64_t none = 0;

	if (!u->rseq.addr || u->rseq.addr != area.addr || len != sizeof(struct rseq))
		return -EINVAL;
	if (u->rseq_sig != sig)
		return -EPERM;
	if (user_write(area, reset, sizeof(reset)) ||
		user_put(field(u, offsetof(struct rseq, rseq_cs)), none))
		return -EFAULT;
	rseq_exec();
	return 0;
}

int64_t rseq_register(uptr area, uint32_t len, int flags, uint32_t sig)
{
	struct uthread *u = uthread_current();

	if (flags & RSEQ_FLAG_UNREGISTER) {
		if (flags & ~RSEQ_FLAG_UNREGISTER)
			return -EINVAL;
		return unregister(u, area, len, sig);
	}
	if (flags)
		return -EINVAL;
	if (u->rseq.addr) {
		if (u->rseq.addr != area.addr || len != sizeof(struct rseq))
			return -EINVAL;
		return u->rseq_sig == sig ? -EBUSY : -EPERM;
	}
	if (!IS_ALIGNED(area.addr, __alignof__(struct rseq)) || len != sizeof(struct rseq))
		return -EINVAL;
	if (!user_range_ok(area, len))
		return -EFAULT;
	u->rseq = area;
	u->rseq_len = len;
	u->rseq_sig = sig;
	u->thread->seen_cpu = (uint32_t)NO_CPU;
	atomic_or(&u->thread->flags, THREAD_RSEQ | THREAD_NOTIFY);
	return 0;
}
