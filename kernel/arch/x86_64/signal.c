// SPDX-License-Identifier: MIT
/*
 * The frame that a signal handler finds on its stack, and the way back from it.
 *
 *     high   what the program had pushed; 128 bytes below it that it may use without (red zone)
 *            vector state, aligned to 64: FXSAVE or XSAVE format, and FP_XSTATE_MAGIC2
 *            struct frame: return address, ucontext, siginfo            <- rsp of the handler
 *     low
 *
 * rsp is 8 below a multiple of 16, as after a call. Debuggers and unwinders know the frame by its
 * restorer, and the extent of the vector state by the software bytes in its FXSAVE part: the
 * second magic number at its end says that it was not cut.
 *
 * rt_sigreturn takes from the frame what the program could have loaded into its registers itself,
 * and nothing else: segments stay the program's, the flags it cannot change are kept, the address
 * must be of its half.
 *
 * Spec    System V psABI x86-64 3.2.2 (red zone), 3.2.3 (alignment); <asm/sigcontext.h>, <asm/ucontext.h>:
 *         comments there tell the rules; Linux: the handler starts with initial vector state
 */
#include "cpu.h"
#include "cpuid.h"

#include "arch/arch.h"
#include "lib/string.h"
#include "sched/thread.h"
#include "uaccess/uaccess.h"

#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/ucontext.h>
#include <linux/signal.h>

struct frame {
	uint64_t restorer;
	struct ucontext uc;
	siginfo_t info; /* only if the handler asked for it (SA_SIGINFO) */
};
static_assert(offsetof(struct frame, uc) == 8, "the handler's third argument");
static_assert(offsetof(struct ucontext, uc_mcontext) == 40, "as the C libraries know it");
static_assert(offsetof(struct ucontext, uc_sigmask) == 296, "as the C libraries know it");
static_assert(sizeof(siginfo_t) == 128, "SI_MAX_SIZE");

enum {
	RED_ZONE = 128,
	SOFTWARE_OFFSET = 464, /* in the FXSAVE part: bytes that no processor uses */
	HEADER_OFFSET = 512,   /* Intel SDM vol.1 13.4.2 */
	HEADER_SIZE = 64,
};
static_assert(SOFTWARE_OFFSET + sizeof(struct _fpx_sw_bytes) == HEADER_OFFSET, "sw_reserved");

/* user_fpu.S: 0 or -EFAULT */
int x86_user_xsave(vaddr_t to, uint32_t low, uint32_t high);
int x86_user_xrstor(vaddr_t from, uint32_t low, uint32_t high);
int x86_user_fxsave(vaddr_t to);
int x86_user_fxrstor(vaddr_t from);

/* Flags a program may set for itself: AC OF DF TF SF ZF AF PF CF, and RF. Intel SDM vol.1 3.4.3 */
#define RFLAGS_USER    0x50dd5ul
#define RFLAGS_HANDLER (~(BIT(8) | BIT(10) | BIT(16))) /* starts without TF, DF, RF */

/* ---- Vector state ---- */

static size_t state_size(void)
{
	return arch_fpu_size() + (x86_fpu_components() ? FP_XSTATE_MAGIC2_SIZE : 0);
}

static int state_push(vaddr_t at)
{
	uint64_t components = x86_fpu_components();
	uint32_t magic2 = FP_XSTATE_MAGIC2, size = (uint32_t)arch_fpu_size();
	struct _fpx_sw_bytes software = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = size + FP_XSTATE_MAGIC2_SIZE,
		.xfeatures = components,
		.xstate_size = size,
	};
	int err;

	if (!components)
		return x86_user_fxsave(at);
	/* Reserved parts of the header are not written by XSAVE, and XRSTOR wants zeros. */
	err = user_zero(UPTR(at + HEADER_OFFSET), HEADER_SIZE);
	if (!err)
		err = x86_user_xsave(at, (uint32_t)components, (uint32_t)(components >> 32));
	if (!err)
		err = user_put(UPTR(at + SOFTWARE_OFFSET), software);
	if (!err)
		err = user_put(UPTR(at + size), magic2);
	return err;
}

/* Whether what is there was saved by XSAVE, as a whole; *components is what it can have. */
static int state_is_extended(vaddr_t at, uint64_t *components, bool *is_extended)
{
	struct _fpx_sw_bytes software;
	uint32_t magic2;

	*is_extended = false;
	if (user_get(software, UPTR(at + SOFTWARE_OFFSET)))
		return -EFAULT;
	if (software.magic1 != FP_XSTATE_MAGIC1 ||
		software.xstate_size < HEADER_OFFSET + HEADER_SIZE ||
		software.xstate_size > arch_fpu_size() ||
		software.xstate_size > software.extended_size)
		return 0;
	if (user_get(magic2, UPTR(at + software.xstate_size)))
		return -EFAULT;
	*is_extended = magic2 == FP_XSTATE_MAGIC2;
	*components = software.xfeatures;
	return 0;
}

/* What the frame does not have starts anew. */
static int state_pop(vaddr_t at)
{
	uint64_t components = x86_fpu_components(), saved = 0;
	bool is_extended = false;
	int err = 0;

	if (!at) {
		x86_fpu_reset();
		return 0;
	}
	if (!IS_ALIGNED(at, (vaddr_t)ARCH_FPU_ALIGN) || !user_range_ok(UPTR(at), state_size()))
		return -EFAULT;
	if (components)
		err = state_is_extended(at, &saved, &is_extended);
	if (err)
		return err;
	x86_fpu_reset();
	if (!is_extended)
		return x86_user_fxrstor(at);
	saved &= components;
	return x86_user_xrstor(at, (uint32_t)saved, (uint32_t)(saved >> 32));
}

/* ---- A handler is to run ---- */

static bool is_on_stack(const struct arch_signal *s, vaddr_t sp)
{
	return sp > s->altstack_sp && sp - s->altstack_sp <= s->altstack_size;
}

/* Where the vector state and the frame go. -EFAULT: not where they may. */
static int place(
	const struct arch_frame *f, const struct arch_signal *s, vaddr_t *state, vaddr_t *frame)
{
	vaddr_t sp = s->sp ? s->sp : f->rsp - RED_ZONE;
	bool is_alternate =
		s->sp || (!(s->altstack_flags & (int)SS_AUTODISARM) && is_on_stack(s, f->rsp));

	*state = ALIGN_DOWN(sp - state_size(), (vaddr_t)ARCH_FPU_ALIGN);
	*frame = ALIGN_DOWN(*state - sizeof(struct frame), (vaddr_t)16) - 8;
	if (is_alternate && !is_on_stack(s, *frame))
		return -EFAULT; /* it would grow out of the alternate stack */
	return user_range_ok(UPTR(*frame), sp - *frame) ? 0 : -EFAULT;
}

size_t arch_signal_frame_size(void)
{
	return RED_ZONE + state_size() + ARCH_FPU_ALIGN + sizeof(struct frame) + 16 + 8;
}

static void save_registers(
	struct sigcontext *sc, const struct arch_frame *f, const struct arch_signal *s)
{
	*sc = (struct sigcontext){
		.r8 = f->r8,
		.r9 = f->r9,
		.r10 = f->r10,
		.r11 = f->r11,
		.r12 = f->r12,
		.r13 = f->r13,
		.r14 = f->r14,
		.r15 = f->r15,
		.rdi = f->rdi,
		.rsi = f->rsi,
		.rbp = f->rbp,
		.rbx = f->rbx,
		.rdx = f->rdx,
		.rax = f->rax,
		.rcx = f->rcx,
		.rsp = f->rsp,
		.rip = f->rip,
		.eflags = f->rflags,
		.cs = (uint16_t)f->cs,
		.ss = (uint16_t)f->ss,
		.err = s->trap_error,
		.trapno = s->trap_nr,
		.oldmask = s->old_mask,
		.cr2 = s->fault_addr,
	};
}

int arch_signal_push(struct arch_frame *f, const struct arch_signal *s)
{
	bool has_info = s->flags & SA_SIGINFO;
	vaddr_t state, at;
	struct frame frame;

	if (!(s->flags & SA_RESTORER) || s->handler >= ARCH_USER_END ||
		place(f, s, &state, &at))
		return -EFAULT;
	frame.restorer = s->restorer;
	frame.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	if (x86_fpu_components())
		frame.uc.uc_flags |= UC_FP_XSTATE;
	frame.uc.uc_link = NULL;
	frame.uc.uc_stack = (stack_t){.ss_sp = (void *)s->altstack_sp,
		.ss_flags = s->altstack_flags,
		.ss_size = s->altstack_size};
	save_registers(&frame.uc.uc_mcontext, f, s);
	frame.uc.uc_mcontext.fpstate = (struct _fpstate *)state;
	memcpy(&frame.uc.uc_sigmask, &s->old_mask, sizeof(frame.uc.uc_sigmask));
	if (has_info)
		memcpy(&frame.info, s->info, sizeof(frame.info));
	if (state_push(state) ||
		user_write(UPTR(at), &frame,
			has_info ? sizeof(frame) : offsetof(struct frame, info)))
		return -EFAULT;

	x86_fpu_reset();
	f->vector = X86_VECTOR_NONE;
	f->rdi = (uint64_t)s->sig;
	f->rsi = at + offsetof(struct frame, info);
	f->rdx = at + offsetof(struct frame, uc);
	f->rax = 0; /* a variadic handler's count of vector arguments */
	f->rip = s->handler;
	f->rsp = at;
	f->rflags &= RFLAGS_HANDLER;
	return 0;
}

/* ---- rt_sigreturn ---- */

static void restore_registers(struct arch_frame *f, const struct sigcontext *sc)
{
	*f = (struct arch_frame){
		.r8 = sc->r8,
		.r9 = sc->r9,
		.r10 = sc->r10,
		.r11 = sc->r11,
		.r12 = sc->r12,
		.r13 = sc->r13,
		.r14 = sc->r14,
		.r15 = sc->r15,
		.rdi = sc->rdi,
		.rsi = sc->rsi,
		.rbp = sc->rbp,
		.rbx = sc->rbx,
		.rdx = sc->rdx,
		.rax = sc->rax,
		.rcx = sc->rcx,
		.rsp = sc->rsp,
		.rip = sc->rip,
		.rflags = (f->rflags & ~RFLAGS_USER) | (sc->eflags & RFLAGS_USER),
		.cs = SEL_USER_CODE,
		.ss = SEL_USER_DATA,
		.vector = X86_VECTOR_NONE,
	};
}

/* The restorer's RET has taken the first word off. */
int arch_signal_pop(struct arch_frame *f, struct arch_signal_restored *out)
{
	vaddr_t at = f->rsp - sizeof(uint64_t);
	struct ucontext uc;

	if (user_get(uc, UPTR(at + offsetof(struct frame, uc))))
		return -EFAULT;
	if (uc.uc_mcontext.rip >= ARCH_USER_END)
		return -EFAULT;
	if (state_pop((vaddr_t)uc.uc_mcontext.fpstate))
		return -EFAULT;
	restore_registers(f, &uc.uc_mcontext);
	memcpy(&out->mask, &uc.uc_sigmask, sizeof(out->mask));
	out->altstack_sp = (vaddr_t)uc.uc_stack.ss_sp;
	out->altstack_size = uc.uc_stack.ss_size;
	out->altstack_flags = uc.uc_stack.ss_flags;
	return 0;
}

/* ---- What a trap means ---- */

/* Of exceptions that were raised and are not masked, the worst. Intel SDM vol.1 8.5, 11.5 */
static int arithmetic_code(uint32_t raised)
{
	enum {
		INVALID = 1,
		DENORMAL = 2,
		ZERO = 4,
		OVERFLOW = 8,
		UNDERFLOW = 16,
		PRECISION = 32
	};

	if (raised & INVALID)
		return FPE_FLTINV;
	if (raised & ZERO)
		return FPE_FLTDIV;
	if (raised & OVERFLOW)
		return FPE_FLTOVF;
	if (raised & (DENORMAL | UNDERFLOW))
		return FPE_FLTUND;
	return raised & PRECISION ? FPE_FLTRES : SI_KERNEL;
}

static int x87_code(void)
{
	uint16_t status, control;

	__asm__ volatile("fnstsw %0" : "=am"(status));
	__asm__ volatile("fnstcw %0" : "=m"(control));
	return arithmetic_code(status & ~(uint32_t)control & 0x3f);
}

static int simd_code(void)
{
	enum { MASKS_SHIFT = 7 };
	uint32_t mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return arithmetic_code(mxcsr & ~(mxcsr >> MASKS_SHIFT) & 0x3f);
}

/* DR6, of which trap_info.code has the bits that are set. Intel SDM vol.3 17.2.3 */
static int debug_code(uint64_t dr6)
{
	enum { BREAKPOINTS = 0xf, SINGLE_STEP = 1 << 14 };

	if (dr6 & SINGLE_STEP)
		return TRAP_TRACE;
	return dr6 & BREAKPOINTS ? TRAP_HWBKPT : TRAP_BRKPT;
}

/* Signals and codes: Linux. Page faults are the caller's, who asked the address space. */
void arch_trap_signal(
	const struct arch_frame *f UNUSED, const struct trap_info *info, int *sig, int *code)
{
	*sig = SIGSEGV;
	*code = SI_KERNEL;
	switch (info->nr) {
	case VECTOR_DIVIDE:
		*sig = SIGFPE;
		*code = FPE_INTDIV;
		break;
	case VECTOR_DEBUG:
		*sig = SIGTRAP;
		*code = debug_code(info->code);
		break;
	case VECTOR_BREAKPOINT:
		*sig = SIGTRAP;
		break;
	case VECTOR_INVALID_OPCODE:
		*sig = SIGILL;
		*code = ILL_ILLOPN;
		break;
	case VECTOR_NOT_PRESENT:
	case VECTOR_STACK:
		*sig = SIGBUS;
		break;
	case VECTOR_X87:
		*sig = SIGFPE;
		*code = x87_code();
		break;
	case VECTOR_ALIGNMENT:
		*sig = SIGBUS;
		*code = BUS_ADRALN;
		break;
	case VECTOR_SIMD:
		*sig = SIGFPE;
		*code = simd_code();
		break;
	}
}
