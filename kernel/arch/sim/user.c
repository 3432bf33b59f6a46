// SPDX-License-Identifier: MIT
/*
 * User mode of the simulated machine. A program is a C function on a user thread: it has no
 * registers, its local variables are the host's, and its memory is what it reaches by sim_load and
 * sim_store. What it asks of the kernel is real: sim_syscall goes through the same door, and comes
 * back by the same way, as a program on hardware.
 *
 *     sim_become_program -> arch_user_enter -> the function
 *         sim_syscall -> trap_syscall -> to_user: trap_user_return, signal handlers -> result
 *
 * A program runs on its thread's kernel stack, below its frame; entering user mode anew (exec, a
 * child's first time) leaves what was on that stack behind. Interrupts find a program like any
 * kernel code, so signals arrive at its next call, or its next fault.
 *
 * A signal handler is a C function handler(sig, siginfo, NULL). What it interrupted is kept on
 * the host's heap in the place of a frame on the user stack, and comes back by rt_sigreturn.
 */
#include "arch/sim/sim_priv.h"

#include "mm/poison.h"
#include "proc/signal.h"
#include "sched/sched.h"
#include "sync/preempt.h"

#include <asm/unistd.h>
#include <elf.h>
#include <linux/sched.h>
#include <string.h>

struct sim_handler {
	struct sim_handler *outer;
	struct arch_frame frame; /* what was interrupted */
	struct arch_signal signal;
	siginfo_t info;
	bool is_running;
};

/* ---- Frames ---- */

struct arch_frame *arch_user_frame(const struct thread *t)
{
	return (struct arch_frame *)(t->kstack_top - SIM_FRAME_ROOM);
}

void arch_user_frame_init(struct arch_frame *f, vaddr_t pc, vaddr_t sp)
{
	*f = (struct arch_frame){.pc = pc,
		.sp = sp,
		.was_irq_enabled = true,
		.is_user = true,
		.is_fresh = true,
		.syscall_nr = -1};
}

void arch_frame_set_pc(struct arch_frame *f, vaddr_t pc)
{
	f->pc = pc;
}

void arch_frame_clone(struct arch_frame *child, const struct arch_frame *parent, vaddr_t sp)
{
	*child = *parent;
	child->result = 0;
	child->syscall_nr = -1;
	if (sp)
		child->sp = sp;
}

void arch_syscall_restart(struct arch_frame *f, uint64_t nr)
{
	f->syscall_nr = (int64_t)nr;
	f->is_restart = true;
}

void arch_syscall_forget(struct arch_frame *f)
{
	f->syscall_nr = -1;
}

void arch_fpu_copy_current(void *area UNUSED)
{
}

/* ---- The way back, and in ---- */

static void user_return(struct arch_frame *f)
{
	sim_irq_off();
	for (;;) {
		if (preempt_resched_wanted())
			sched_preempt_irq();
		else if (READ_ONCE(arch_current()->flags) & THREAD_RETURN_WORK)
			trap_user_return(f);
		else
			break;
	}
	sim_irq_on();
}

/* Until the program itself may go on: handlers first, the one pushed last first. */
static void to_user(struct arch_frame *f)
{
	for (;;) {
		struct sim_handler *h;

		user_return(f);
		h = arch_current()->arch.handlers;
		if (!h || h->is_running)
			return;
		h->is_running = true;
		((void (*)(int, void *, void *))h->signal.handler)(
			h->signal.sig, &h->info, NULL);
		f->syscall_nr = __NR_rt_sigreturn;
		trap_syscall(f);
	}
}

int64_t sim_syscall(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	uint64_t a4, uint64_t a5)
{
	struct arch_frame *f = arch_user_frame(arch_current());

	f->syscall_nr = (int64_t)nr;
	f->arg[0] = a0;
	f->arg[1] = a1;
	f->arg[2] = a2;
	f->arg[3] = a3;
	f->arg[4] = a4;
	f->arg[5] = a5;
	do {
		f->is_restart = false;
		f->result = -ENOSYS;
		trap_syscall(f);
		if (f->is_fresh)
			arch_user_enter();
		to_user(f);
	} while (f->is_restart);
	f->syscall_nr = -1;
	return f->result;
}

static void run_program(void *frame)
{
	struct arch_frame *f = frame;
	vaddr_t bottom = arch_current()->kstack_bottom;

	/* What the frames that were left behind had marked as theirs. */
	memory_unpoison((void *)bottom, (vaddr_t)__builtin_frame_address(0) - bottom);
	f->is_fresh = false;
	to_user(f);
	((void (*)(uintptr_t))f->pc)(f->sp);
	(void)SIM_CALL(__NR_exit_group, 0);
	sim_report("arch/sim: exit_group returned");
}

void arch_user_enter(void)
{
	struct thread *me = arch_current();
	void *old;

	sim_irq_off(); /* until on the new stack */
	sim_jump(&old, sim_stack_prepare(me->kstack_top - SIM_FRAME_ROOM, run_program,
			       arch_user_frame(me)));
	sim_report("arch/sim: a stack that was left is continued");
}

void sim_become_program(void (*fn)(uintptr_t arg), uintptr_t arg)
{
	arch_user_frame_init(arch_user_frame(arch_current()), (vaddr_t)fn, arg);
	arch_user_enter();
}

/* The child's frame is a copy of ours: it says for a moment what the child is to be. */
int64_t sim_clone(uint64_t flags, void (*fn)(uintptr_t arg), uintptr_t arg, uint64_t parent_tid,
	uint64_t child_tid, uint64_t tls)
{
	struct arch_frame *f = arch_user_frame(arch_current());
	vaddr_t pc = f->pc, sp = f->sp;
	int64_t result;

	f->pc = (vaddr_t)fn;
	f->sp = arg;
	result = SIM_CALL(__NR_clone, flags, 0, parent_tid, child_tid, tls);
	f->pc = pc;
	f->sp = sp;
	return result;
}

/* ---- Memory ---- */

static bool access_memory(uint64_t at, void *buf, size_t len, bool is_write)
{
	bool is_done = sim_user_access(at, buf, len, is_write);

	if (!is_done)
		to_user(arch_user_frame(arch_current()));
	return is_done;
}

bool sim_load(void *to, uint64_t from, size_t len)
{
	return access_memory(from, to, len, false);
}

bool sim_store(uint64_t to, const void *from, size_t len)
{
	return access_memory(to, (void *)(uintptr_t)from, len, true);
}

/* ---- TLS ---- */

int arch_user_set_tls(struct thread *t, vaddr_t tls)
{
	if (tls >= ARCH_USER_END)
		return -EPERM;
	t->arch.tls = tls;
	return 0;
}

void arch_user_copy_current(struct thread *child)
{
	child->arch = (struct arch_user){.tls = arch_current()->arch.tls};
}

void arch_user_reset(void)
{
	struct arch_user *u = &arch_current()->arch;

	while (u->handlers) {
		struct sim_handler *h = u->handlers;

		u->handlers = h->outer;
		__builtin_free(h);
	}
	u->tls = 0;
}

int64_t arch_user_prctl(int option UNUSED, uintptr_t arg UNUSED)
{
	return -EINVAL;
}

void arch_user_switch(struct thread *prev UNUSED, struct thread *next UNUSED)
{
}

/* ---- Signals ---- */

/* None of the program's stack; what programs expect at least. */
size_t arch_signal_frame_size(void)
{
	return MINSIGSTKSZ;
}

int arch_signal_push(struct arch_frame *f, const struct arch_signal *s)
{
	struct arch_user *u = &arch_current()->arch;
	struct sim_handler *h = __builtin_malloc(sizeof(*h));

	if (!h)
		return -EFAULT;
	*h = (struct sim_handler){.outer = u->handlers, .frame = *f, .signal = *s};
	memcpy(&h->info, s->info, sizeof(h->info));
	u->handlers = h;
	return 0;
}

int arch_signal_pop(struct arch_frame *f, struct arch_signal_restored *out)
{
	struct arch_user *u = &arch_current()->arch;
	struct sim_handler *h = u->handlers;

	if (!h)
		return -EFAULT;
	*f = h->frame;
	*out = (struct arch_signal_restored){
		.mask = h->signal.old_mask,
		.altstack_sp = h->signal.altstack_sp,
		.altstack_size = h->signal.altstack_size,
		.altstack_flags = h->signal.altstack_flags,
	};
	u->handlers = h->outer;
	__builtin_free(h);
	return 0;
}

void arch_trap_signal(const struct arch_frame *f UNUSED, const struct trap_info *info UNUSED,
	int *sig, int *code)
{
	*sig = SIGSEGV;
	*code = SI_KERNEL;
}

/* ---- What exec asks ---- */

size_t arch_vdso_image(const void **start UNUSED)
{
	return 0;
}

uint64_t arch_hwcap(unsigned n UNUSED)
{
	return 0;
}

const char *arch_platform(void)
{
	return "sim";
}

bool arch_elf_machine_ok(uint16_t machine)
{
	return machine == EM_X86_64;
}
