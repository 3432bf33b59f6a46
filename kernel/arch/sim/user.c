// SPDX-License-Identifier: MIT
/*
 * User mode of the simulated machine: a first version, in which nothing is mapped for programs and
 * none can be entered.
 */
#include "arch/sim/sim_priv.h"

#include "sched/thread.h"

#include <elf.h>
#include <string.h>

/* ---- Frames ---- */

struct arch_frame *arch_user_frame(const struct thread *t)
{
	return (struct arch_frame *)t->kstack_top - 1;
}

void arch_user_frame_init(struct arch_frame *f, vaddr_t pc, vaddr_t sp)
{
	*f = (struct arch_frame){.pc = pc, .sp = sp, .was_irq_enabled = true, .syscall_nr = -1};
}

void arch_frame_set_pc(struct arch_frame *f, vaddr_t pc)
{
	f->pc = pc;
}

void arch_user_enter(void)
{
	sim_report("arch/sim: user mode is not there yet");
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
}

void arch_syscall_forget(struct arch_frame *f)
{
	f->syscall_nr = -1;
}

void arch_fpu_copy_current(void *area UNUSED)
{
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
	child->arch = arch_current()->arch;
}

void arch_user_reset(void)
{
	memset(&arch_current()->arch, 0, sizeof(struct arch_user));
}

int64_t arch_user_prctl(int option UNUSED, uintptr_t arg UNUSED)
{
	return -EINVAL;
}

void arch_user_switch(struct thread *prev UNUSED, struct thread *next UNUSED)
{
}

/* ---- Copies: nothing is mapped ---- */

size_t arch_user_read(void *to UNUSED, vaddr_t from UNUSED, size_t len UNUSED)
{
	return 0;
}

size_t arch_user_write(vaddr_t to UNUSED, const void *from UNUSED, size_t len UNUSED)
{
	return 0;
}

size_t arch_user_zero(vaddr_t to UNUSED, size_t len UNUSED)
{
	return 0;
}

int64_t arch_user_read_string(char *to UNUSED, vaddr_t from UNUSED, size_t size UNUSED)
{
	return -EFAULT;
}

int arch_user_load32(uint32_t *out UNUSED, vaddr_t at UNUSED)
{
	return -EFAULT;
}

int arch_user_store32(vaddr_t at UNUSED, uint32_t value UNUSED)
{
	return -EFAULT;
}

int arch_user_cmpxchg32(vaddr_t at UNUSED, uint32_t expected UNUSED, uint32_t desired UNUSED,
	uint32_t *old UNUSED)
{
	return -EFAULT;
}

/* ---- Signals ---- */

size_t arch_signal_frame_size(void)
{
	return 2048; /* MINSIGSTKSZ */
}

int arch_signal_push(struct arch_frame *f UNUSED, const struct arch_signal *s UNUSED)
{
	return -EFAULT;
}

int arch_signal_pop(struct arch_frame *f UNUSED, struct arch_signal_restored *out UNUSED)
{
	return -EFAULT;
}

void arch_trap_signal(const struct arch_frame *f UNUSED, const struct trap_info *info UNUSED,
	int *sig, int *code)
{
	*sig = 11; /* SIGSEGV */
	*code = 0;
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
