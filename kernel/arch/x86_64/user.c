// SPDX-License-Identifier: MIT
/*
 * User mode on x86-64: what SYSCALL does, traps that programs cause, the way back to them, and
 * the registers that only programs use.
 *
 *     SYSCALL -> trap_entry.S -> trap_syscall ------------+
 *     trap    -> trap_entry.S -> x86_user_trap -> trap_*  +-> x86_user_return -> the program
 *
 * A program has a frame (its registers while it is in the kernel), vector state (fpu.c) and struct
 * arch_user: FS and GS bases, which are its TLS, and the selectors of the data segments, which mean
 * nothing in 64-bit mode but can be set and read. The kernel keeps its own base in GS; in kernel
 * mode the program's is in the other register, and swapgs exchanges them.
 *
 * Bases and selectors stay in the CPU while a thread runs and while kernel threads run after it:
 * only a switch to another user thread changes them.
 *
 * Spec    Intel SDM vol.3 5.8.8 (fast system calls), vol.2 SYSCALL, WRFSBASE, SWAPGS
 */
#include "cpu.h"
#include "cpuid.h"
#include "entry.h"
#include "msr.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sync/preempt.h"
#include "uaccess/uaccess.h"

#include <asm/prctl.h>
#include <linux/elf-em.h>

static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "entry.h");
static_assert(offsetof(struct cpu, preempt) == CPU_PREEMPT, "entry.h");
static_assert(offsetof(struct cpu, kstack_top) == CPU_KSTACK_TOP, "entry.h");
static_assert(offsetof(struct cpu, arch.scratch) == CPU_SCRATCH, "entry.h");
static_assert(offsetof(struct thread, flags) == THREAD_FLAGS, "entry.h");
static_assert(THREAD_RETURN_WORK == FLAGS_RETURN_WORK, "entry.h");
static_assert(offsetof(struct arch_frame, r10) == FRAME_R10, "entry.h");
static_assert(offsetof(struct arch_frame, r9) == FRAME_R9, "entry.h");
static_assert(offsetof(struct arch_frame, r8) == FRAME_R8, "entry.h");
static_assert(offsetof(struct arch_frame, rdi) == FRAME_RDI, "entry.h");
static_assert(offsetof(struct arch_frame, rsi) == FRAME_RSI, "entry.h");
static_assert(offsetof(struct arch_frame, rbp) == FRAME_RBP, "entry.h");
static_assert(offsetof(struct arch_frame, rdx) == FRAME_RDX, "entry.h");
static_assert(offsetof(struct arch_frame, rax) == FRAME_RAX, "entry.h");
static_assert(offsetof(struct arch_frame, vector) == FRAME_VECTOR, "entry.h");
static_assert(offsetof(struct arch_frame, rip) == FRAME_RIP, "entry.h");
static_assert(offsetof(struct arch_frame, cs) == FRAME_CS, "entry.h");
static_assert(offsetof(struct arch_frame, rflags) == FRAME_RFLAGS, "entry.h");
static_assert(offsetof(struct arch_frame, rsp) == FRAME_RSP, "entry.h");
static_assert(sizeof(struct arch_frame) == FRAME_SIZE, "entry.h");
static_assert(FRAME_SIZE % 16 == 0, "the stack stays aligned under a frame");
static_assert(FRAME_SYSCALL == X86_VECTOR_SYSCALL, "entry.h");
static_assert(FRAME_USER_SS == SEL_USER_DATA && FRAME_USER_CS == SEL_USER_CODE, "entry.h");
static_assert(RFLAGS_TF == X86_RFLAGS_TF, "entry.h");

/* Intel SDM vol.1 3.4.3. What the kernel never runs with, whatever the program had. */
#define RFLAGS_DF   BIT(10)
#define RFLAGS_IOPL (3ul << 12)
#define RFLAGS_NT   BIT(14)
#define RFLAGS_RF   BIT(16)
#define RFLAGS_AC   BIT(18)
#define RFLAGS_MASK                                                                            \
	(X86_RFLAGS_TF | X86_RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_RF |     \
		RFLAGS_AC)
#define RFLAGS_ALWAYS BIT(1)

enum { SYSCALL_INSN_SIZE = 2 };

void x86_syscall_entry(void); /* trap_entry.S; not a C function */

void x86_syscall_init_cpu(void)
{
	msr_write(MSR_STAR, (uint64_t)SEL_USER_BASE << 48 | (uint64_t)SEL_KERNEL_CODE << 32);
	msr_write(MSR_LSTAR, (uint64_t)x86_syscall_entry);
	msr_write(MSR_SYSCALL_MASK, RFLAGS_MASK);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE);
}

/* ---- Traps and the way back ---- */

static void user_exception(struct arch_frame *f)
{
	struct trap_info info = x86_trap_info(f);

	if (info.kind == TRAP_DEBUG) {
		info.code = x86_dr6_read() ^ DR6_NONE;
		x86_dr6_write(DR6_NONE);
	}
	arch_irq_enable();
	if (info.kind != TRAP_PAGE_FAULT || !trap_page_fault(f, &info))
		trap_user(f, &info);
	arch_irq_disable();
}

void x86_user_trap(struct arch_frame *f)
{
	if (f->vector < NR_EXCEPTIONS)
		user_exception(f);
	else
		x86_interrupt(f);
	x86_user_return(f);
}

void x86_user_return(struct arch_frame *f)
{
	for (;;) {
		debug_assert(!arch_irq_enabled() && preempt_is_enabled());
		if (preempt_resched_wanted())
			sched_preempt_irq();
		else if (READ_ONCE(arch_current()->flags) & THREAD_RETURN_WORK)
			trap_user_return(f);
		else
			break;
	}
	debug_assert(arch_frame_is_user(f) && f->rip <= ARCH_USER_END);
	debug_assert(arch_current()->held.nr == 0); /* no sleeping lock goes to user mode */
}

/* ---- Frames ---- */

struct arch_frame *arch_user_frame(const struct thread *t)
{
	return (struct arch_frame *)t->kstack_top - 1;
}

/* A pc that is none is left for the first instruction to fault on: IRET must not. */
void arch_user_frame_init(struct arch_frame *f, vaddr_t pc, vaddr_t sp)
{
	*f = (struct arch_frame){
		.vector = X86_VECTOR_NONE,
		.rip = MIN(pc, ARCH_USER_END),
		.cs = SEL_USER_CODE,
		.rflags = X86_RFLAGS_IF | RFLAGS_ALWAYS,
		.rsp = sp,
		.ss = SEL_USER_DATA,
	};
}

void arch_frame_set_pc(struct arch_frame *f, vaddr_t pc)
{
	f->vector = X86_VECTOR_NONE;
	f->rip = MIN(pc, ARCH_USER_END);
}

void arch_user_enter(void)
{
	struct thread *me = arch_current();

	arch_irq_disable();
	arch_cpu()->arch.tss.rsp[0] = me->kstack_top;
	x86_user_enter(arch_user_frame(me));
}

void arch_frame_clone(struct arch_frame *child, const struct arch_frame *parent, vaddr_t sp)
{
	*child = *parent;
	child->vector = X86_VECTOR_NONE;
	child->rax = 0;
	if (sp)
		child->rsp = sp;
}

void arch_syscall_restart(struct arch_frame *f, uint64_t nr)
{
	f->rax = nr;
	f->rip -= SYSCALL_INSN_SIZE;
}

void arch_syscall_forget(struct arch_frame *f)
{
	f->vector = X86_VECTOR_NONE;
}

/* ---- Bases and selectors ---- */

#define SELECTOR_READ(name)                                                                    \
	({                                                                                     \
		uint16_t selector_;                                                            \
		__asm__ volatile("movw %%" #name ", %0" : "=r"(selector_));                    \
		selector_;                                                                     \
	})

/* The program's GS base, while the kernel's is in use. Interrupts off: no swapgs in between. */
static uint64_t user_gs_base_read(void)
{
	uint64_t base;

	if (!x86_has(X86_FEATURE_FSGSBASE))
		return msr_read(MSR_KERNEL_GS_BASE);
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base));
	return base;
}

static void user_gs_base_write(uint64_t base)
{
	if (x86_has(X86_FEATURE_FSGSBASE))
		__asm__ volatile("swapgs; wrgsbase %0; swapgs" : : "r"(base));
	else
		msr_write(MSR_KERNEL_GS_BASE, base);
}

static uint64_t fs_base_read(void)
{
	uint64_t base;

	if (!x86_has(X86_FEATURE_FSGSBASE))
		return msr_read(MSR_FS_BASE);
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static void fs_base_write(uint64_t base)
{
	if (x86_has(X86_FEATURE_FSGSBASE))
		__asm__ volatile("wrfsbase %0" : : "r"(base));
	else
		msr_write(MSR_FS_BASE, base);
}

static void user_save(struct arch_user *u)
{
	u->fs_base = fs_base_read();
	u->gs_base = user_gs_base_read();
	u->ds = SELECTOR_READ(ds);
	u->es = SELECTOR_READ(es);
	u->fs = SELECTOR_READ(fs);
	u->gs = SELECTOR_READ(gs);
}

/* They are values the CPU has accepted from a program before; loading one may change its base. */
static NOINLINE void selectors_write(const struct arch_user *u)
{
	__asm__ volatile("movw %0, %%ds\n"
			 "movw %1, %%es\n"
			 "movw %2, %%fs\n"
			 "swapgs\n"
			 "movw %3, %%gs\n"
			 "swapgs"
			 :
			 : "r"(u->ds), "r"(u->es), "r"(u->fs), "r"(u->gs));
}

static void user_load(const struct arch_user *u)
{
	if (UNLIKELY(SELECTOR_READ(ds) != u->ds || SELECTOR_READ(es) != u->es ||
		     SELECTOR_READ(fs) != u->fs || SELECTOR_READ(gs) != u->gs))
		selectors_write(u);
	fs_base_write(u->fs_base);
	user_gs_base_write(u->gs_base);
}

void arch_user_switch(struct thread *prev, struct thread *next)
{
	if (prev->user)
		user_save(&prev->arch);
	if (next->user) {
		user_load(&next->arch);
		arch_cpu()->arch.tss.rsp[0] = next->kstack_top;
	}
}

int arch_user_set_tls(struct thread *t, vaddr_t tls)
{
	if (tls >= ARCH_USER_END)
		return -EPERM;
	t->arch.fs_base = tls; /* what a switch loads, */
	if (t == arch_current())
		fs_base_write(tls); /* and one in between saves again */
	return 0;
}

void arch_user_copy_current(struct thread *child)
{
	bool were_enabled = arch_irq_save();

	user_save(&child->arch);
	arch_irq_restore(were_enabled);
}

void arch_user_reset(void)
{
	struct arch_user *u = &arch_current()->arch;
	bool were_enabled = arch_irq_save();

	memset(u, 0, sizeof(*u));
	user_load(u);
	if (arch_current()->fpu)
		x86_fpu_reset();
	arch_irq_restore(were_enabled);
}

/* The program's GS base of the current thread; it may be any canonical address of its half. */
static int set_gs_base(vaddr_t base)
{
	bool were_enabled;

	if (base >= ARCH_USER_END)
		return -EPERM;
	were_enabled = arch_irq_save();
	user_gs_base_write(base);
	arch_irq_restore(were_enabled);
	return 0;
}

static int put_base(uint64_t base, uintptr_t to)
{
	return user_put(UPTR(to), base);
}

/* man 2 arch_prctl */
int64_t arch_user_prctl(int option, uintptr_t arg)
{
	bool were_enabled;
	uint64_t base;

	switch (option) {
	case ARCH_SET_FS:
		return arch_user_set_tls(arch_current(), arg);
	case ARCH_SET_GS:
		return set_gs_base(arg);
	case ARCH_GET_FS:
		return put_base(fs_base_read(), arg);
	case ARCH_GET_GS:
		were_enabled = arch_irq_save();
		base = user_gs_base_read();
		arch_irq_restore(were_enabled);
		return put_base(base, arg);
	case ARCH_GET_CPUID: /* CPUID may be executed, */
		return 1;
	case ARCH_SET_CPUID: /* and nothing can forbid it */
		return -ENODEV;
	default:
		return -EINVAL;
	}
}

/* ---- What exec asks ---- */

#define HWCAP2_FSGSBASE BIT(1) /* Linux: Documentation/x86/x86_64/fsgs.rst */
enum { CPUID_FEATURES = 1 };

extern const char vdso_image_start[], vdso_image_end[]; /* vdso/vdso.mk */

size_t arch_vdso_image(const void **start)
{
	*start = vdso_image_start;
	return (size_t)(vdso_image_end - vdso_image_start);
}

uint64_t arch_hwcap(unsigned n)
{
	if (n == 0)
		return x86_cpuid(CPUID_FEATURES, 0).reg[REG_EDX];
	return x86_has(X86_FEATURE_FSGSBASE) ? HWCAP2_FSGSBASE : 0;
}

const char *arch_platform(void)
{
	return "x86_64";
}

bool arch_elf_machine_ok(uint16_t machine)
{
	return machine == EM_X86_64;
}
