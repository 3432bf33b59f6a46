// SPDX-License-Identifier: MIT
/*
 * Everything generic code may ask of a machine, and the few calls a machine makes back.
 *
 * Three implementations keep this honest: x86_64, sim (a deterministic machine inside one host
 * process), and later aarch64. `tools/check-arch` checks that each name here is defined once per
 * architecture and that generic code uses no other arch_ name. Hot ones are inline, in
 * arch/<a>/arch_inline.h, included at the end of this file; types are in arch/<a>/arch_types.h:
 *
 *     struct arch_cpu       per-CPU machine state (part of struct cpu)
 *     struct arch_context   a thread that is not running: its stack pointer, TLS base, ...
 *     struct arch_frame     the registers a trap saved
 *     arch_pte              a page-table entry (integer)
 *     PAGE_SHIFT, KSTACK_SIZE, CACHE_LINE
 *
 * No function here allocates, sleeps or takes a lock unless it says so.
 */
#pragma once

#include "arch/cpu.h"
#include "lib/base.h"

struct bootinfo;
struct thread;

#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (PAGE_SIZE - 1)

/* ================ Start ================ */

/*
 * First thing on the boot CPU: descriptor tables, trap handlers, feature detection and the
 * protections (write-protect, NX, SMEP, SMAP, UMIP), so that any fault after it is reported.
 * Needs   nothing.
 */
void arch_init_early(void);

/*
 * Keeps back the RAM this machine needs at a certain place (x86: the page below 1 MiB in which
 * other CPUs start), by bootmem_reserve. Needs bootmem_init; before bootmem_release.
 */
void arch_reserve_memory(void);

/* Interrupt controllers, IPIs and this CPU's timer. Needs machine, the page allocator, kmap. */
void arch_init_interrupts(void);

/*
 * Starts CPU number `cpu->id`, whose fields are set and whose PERCPU area is ready,
 * with cpu->current as its idle thread; it enters smp_secondary_main() on that thread's stack.
 * Returns  0 if it does or certainly will; -ETIMEDOUT if it does not answer: then it never enters
 *          smp_secondary_main(), however late it wakes up.
 * Context  the boot CPU, sleeping allowed.
 */
MUST_CHECK int arch_cpu_start(struct cpu *cpu);

/* The same as arch_init_early and arch_init_interrupts for a CPU other than the first, on it. */
void arch_init_secondary(struct cpu *cpu);

/* ================ This CPU ================ */

static inline struct cpu *arch_cpu(void);	   /* see arch/cpu.h about preemption */
static inline struct thread *arch_current(void);  /* right even if preempted meanwhile */
static inline void arch_set_current(struct thread *t); /* context switch and start only */
static inline void arch_cpu_relax(void);	   /* in a loop that spins */

/* Reads, and adds to, arch_cpu()->preempt in one step that an interrupt cannot split. */
static inline uint32_t arch_preempt_get(void);
static inline void arch_preempt_add(int32_t delta);
static inline bool arch_preempt_sub_is_zero(int32_t delta); /* true when the result is 0 */

/*
 * Enables interrupts and waits for one, with no gap between: an interrupt that is pending at the
 * call ends it at once. Returns with interrupts disabled. Entered with interrupts disabled.
 */
void arch_cpu_wait(void);

/* Stops this CPU for ever, interrupts off. */
NORETURN void arch_cpu_stop(void);

/* Name and features of the CPU, for the log. */
void arch_cpu_describe(char *buf, size_t size);

/* Where a CPU is: a thread of a core of a package. Packages have numbers of their own, with gaps. */
struct cpu_place {
	unsigned package, core, thread;
};
void arch_cpu_place(unsigned cpu, struct cpu_place *out);

/* A cache of a CPU. Two CPUs whose caches of one index have the same id share it. */
enum cpu_cache_type {
	CPU_CACHE_NONE,
	CPU_CACHE_DATA,
	CPU_CACHE_INSTRUCTIONS,
	CPU_CACHE_UNIFIED
};
struct cpu_cache {
	enum cpu_cache_type type;
	unsigned level, line, partitions, sets;
	unsigned ways; /* 0: fully associative */
	uint64_t bytes, id;
};
/* The one of this index, from 0 on; false after the last. */
bool arch_cpu_cache(unsigned cpu, unsigned index, struct cpu_cache *out);

/* One CPU as /proc/cpuinfo shows it, lines of "name\t: value". */
void arch_cpu_info(unsigned cpu, char *buf, size_t size);

/* Whether somebody beneath us may take a CPU away in the middle of anything (a hypervisor). */
bool arch_cpu_is_virtual(void);

/* ================ Interrupt flag ================ */

static inline bool arch_irq_enabled(void);
static inline void arch_irq_enable(void);
static inline void arch_irq_disable(void);
static inline bool arch_irq_save(void);		/* disables; returns whether they were enabled */
static inline void arch_irq_restore(bool were_enabled);

/* ================ Threads ================ */

/*
 * Prepares a context that, when first switched to, runs entry(arg) on the stack that ends at
 * stack_top, with interrupts disabled. entry never returns.
 */
void arch_context_init(
	struct arch_context *ctx, vaddr_t stack_bottom, vaddr_t stack_top, void (*entry)(void *), void *arg);

/*
 * Saves the running context in *from, continues *to. Interrupts off on entry and on return. Saves
 * and restores callee-saved registers and the flags the ABI names; vector state is the caller's.
 */
void arch_context_switch(struct arch_context *from, struct arch_context *to);
/*
 * The frame pointer of what called arch_context_switch, for backtraces of a thread that does not run.
 * False: not known. The thread may begin to run meanwhile: what comes is memory-safe, and may be wrong.
 */
bool arch_context_frame_pointer(const struct arch_context *ctx, vaddr_t *fp);

/*
 * Vector and FPU state. The kernel itself uses none. A thread that needs some (a user thread, or
 * a kernel thread between arch_fpu_begin/end) has a state area of arch_fpu_size() bytes, aligned
 * to ARCH_FPU_ALIGN. The scheduler calls save for the thread it leaves and restore for the one it
 * enters, only for threads that have an area.
 */
size_t arch_fpu_size(void);
void arch_fpu_init(void *area);
void arch_fpu_save(void *area);
void arch_fpu_restore(const void *area);

/* ================ Traps ================ */

/* What a trap frame says; used by panic, the fault path and tests. */
vaddr_t arch_frame_pc(const struct arch_frame *f);
void arch_frame_set_pc(struct arch_frame *f, vaddr_t pc); /* of a frame from user mode */
vaddr_t arch_frame_sp(const struct arch_frame *f);
vaddr_t arch_frame_fp(const struct arch_frame *f);
bool arch_frame_is_user(const struct arch_frame *f);
bool arch_frame_irq_enabled(const struct arch_frame *f);
/* Prints every register of the frame (and control registers) through log_emergency. */
void arch_frame_print(const struct arch_frame *f);

/* The running function's frame pointer, and one step outwards: false at the end of the chain. */
static inline vaddr_t arch_frame_pointer(void);
bool arch_backtrace_step(vaddr_t *fp, vaddr_t *return_address);

/* Copies that survive a bad address: 0, or -EFAULT with nothing promised about *dst. Any context. */
MUST_CHECK int arch_probe_read(void *dst, const void *src, size_t len);

/*
 * Calls the machine makes. Each is defined in the folder named, never in arch/.
 *
 * Every interrupt is bracketed: enter (irq/: counts nesting, marks the CPU in interrupt), one of
 * the handlers below, exit (irq/: runs deferred work, then preempts if asked). All run with
 * interrupts off; exit may enable them while deferred work runs and switch threads.
 */
struct arch_frame *trap_interrupt_enter(struct arch_frame *f); /* irq/  returns the outer frame */
void trap_interrupt_exit(struct arch_frame *outer);	       /* irq/ */
void trap_irq(unsigned irq);				       /* irq/  a device interrupt */
void trap_timer(void);					       /* time/ the armed deadline passed */
void trap_ipi(void);					       /* irq/  look at the request bits */
void trap_nmi(struct arch_frame *f);			       /* debug/ */

enum trap_kind {
	TRAP_PAGE_FAULT, /* addr is the address; flags are FAULT_* */
	TRAP_PROTECTION, /* general protection, segment, stack segment */
	TRAP_ILLEGAL,	 /* undefined instruction */
	TRAP_ARITHMETIC,
	TRAP_DEBUG,
	TRAP_BREAKPOINT,
	TRAP_ALIGNMENT,
	TRAP_MACHINE_CHECK,
	TRAP_DOUBLE_FAULT,
	TRAP_OTHER,
};

enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_USER = 4, FAULT_EXEC = 8, FAULT_RESERVED = 16 };

struct trap_info {
	enum trap_kind kind;
	const char *name;   /* the machine's own words: "general protection fault" */
	uint64_t code;	    /* the machine's error code, for the report */
	uint64_t nr;	    /* the machine's number of the trap; programs see both in a sigcontext */
	vaddr_t addr;	    /* page faults */
	unsigned flags;	    /* page faults: FAULT_* */
};

/* A synchronous trap that the fix-up table did not repair. debug/ reports; mm/ will handle user's. */
void trap_fault(struct arch_frame *f, const struct trap_info *info);

/* Where a started CPU arrives, on its idle thread's stack, interrupts off. boot/smp.c. */
NORETURN void smp_secondary_main(struct cpu *cpu);

/* ================ User mode ================ */

/*
 * User addresses are [0, ARCH_USER_END), a constant of arch_types.h; the page below it is never
 * mapped, so that no copy and no instruction runs into the border. struct arch_user
 * (arch_types.h) is what a user thread has beside its frame and its vector state: TLS bases.
 *
 * The registers of a user thread that is in the kernel are always at the same place, at the top
 * of its kernel stack, whether it came by a system call or a trap.
 */
struct arch_frame *arch_user_frame(const struct thread *t);
/* Fills a frame with zeroes and what a program starts with: flags, segments, pc, sp. */
void arch_user_frame_init(struct arch_frame *f, vaddr_t pc, vaddr_t sp);
/* Leaves for user mode by the current thread's frame, through the way back that every trap
 * takes. The kernel stack is empty afterwards. Interrupts on or off. */
NORETURN void arch_user_enter(void);
/* A copy of the current thread's vector state, for a child's area. */
void arch_fpu_copy_current(void *area);

/* System calls. The number is -1 in a frame that another trap made (signals look at it). */
/* ARCH_AUDIT: which kind of call an arch_frame is, as filters of calls name it. */
static inline int64_t arch_syscall_nr(const struct arch_frame *f);
static inline uint64_t arch_syscall_arg(const struct arch_frame *f, unsigned n); /* 0..5 */
static inline void arch_syscall_set_result(struct arch_frame *f, int64_t result);
static inline int64_t arch_syscall_result(const struct arch_frame *f);
/* The program will make the call again: the same one, or number nr with the same arguments. */
void arch_syscall_restart(struct arch_frame *f, uint64_t nr);
/* Forgets that this frame is a system call's, so that nothing restarts it (rt_sigreturn). */
void arch_syscall_forget(struct arch_frame *f);
/* The child's frame after clone: result 0, and the new stack pointer unless 0. */
void arch_frame_clone(struct arch_frame *child, const struct arch_frame *parent, vaddr_t sp);

/* TLS: of the current thread, or of one that does not run yet (a new child). -EPERM: not canonical
 * or not the user's. */
MUST_CHECK int arch_user_set_tls(struct thread *t, vaddr_t tls);
/* A child starts with the running thread's. */
void arch_user_copy_current(struct thread *child);
/* exec: everything in struct arch_user, and vector state, as for a new program. */
void arch_user_reset(void);
/* arch_prctl and its like: what only this machine has. */
int64_t arch_user_prctl(int option, uintptr_t arg);
/* The scheduler's switch between threads of which at least one has a user half. Interrupts off. */
void arch_user_switch(struct thread *prev, struct thread *next);

/*
 * Copies to and from user addresses that the caller has checked to lie below ARCH_USER_END. They
 * return how many bytes were copied before a fault that trap_page_fault could not repair.
 */
size_t arch_user_read(void *to, vaddr_t from, size_t len);
size_t arch_user_write(vaddr_t to, const void *from, size_t len);
size_t arch_user_zero(vaddr_t to, size_t len);
/* Up to and with the NUL, at most size bytes: its length without the NUL; size if there was
 * none; -EFAULT. */
MUST_CHECK int64_t arch_user_read_string(char *to, vaddr_t from, size_t size);
/* Naturally aligned words, in one step. 0 or -EFAULT. *old gets what was there. */
MUST_CHECK int arch_user_load32(uint32_t *out, vaddr_t at);
MUST_CHECK int arch_user_store32(vaddr_t at, uint32_t value);
MUST_CHECK int arch_user_cmpxchg32(vaddr_t at, uint32_t expected, uint32_t desired, uint32_t *old);

/*
 * Signals: the machine lays out the frame a handler finds. `info` and the previous mask
 * are saved on the stack at sp (alternate or current, chosen by proc/signal.c; 0: the current
 * one) with all registers and vector state. 0, or -EFAULT: the stack is bad.
 */
struct arch_signal {
	int sig;
	const void *info;    /* siginfo_t */
	uint64_t old_mask;   /* restored by rt_sigreturn */
	vaddr_t handler, restorer;
	uint64_t flags;	     /* SA_* */
	vaddr_t sp;
	vaddr_t altstack_sp; /* what uc_stack says */
	size_t altstack_size;
	int altstack_flags;
	vaddr_t fault_addr;  /* cr2 and the like, of the last fault */
	uint64_t trap_nr, trap_error;
};
/* What a handler's frame takes of a stack at most: AT_MINSIGSTKSZ. */
size_t arch_signal_frame_size(void);
MUST_CHECK int arch_signal_push(struct arch_frame *f, const struct arch_signal *s);
/* rt_sigreturn: registers and vector state back from the frame at sp. -EFAULT, -EINVAL: SIGSEGV. */
struct arch_signal_restored {
	uint64_t mask;
	vaddr_t altstack_sp;
	size_t altstack_size;
	int altstack_flags;
};
MUST_CHECK int arch_signal_pop(struct arch_frame *f, struct arch_signal_restored *out);
/* What an instruction fault means: the signal and si_code of a trap from user mode. */
void arch_trap_signal(const struct arch_frame *f, const struct trap_info *info, int *sig, int *code);

/* The vDSO, an ELF shared object whose data page lies below it (time/vdso.c): its size; 0: none. */
size_t arch_vdso_image(const void **start);
/* AT_HWCAP, AT_HWCAP2 and AT_PLATFORM's text, for exec's auxiliary vector. */
uint64_t arch_hwcap(unsigned n);
const char *arch_platform(void);
/* Whether an ELF header's e_machine and class run here. */
bool arch_elf_machine_ok(uint16_t machine);

/*
 * Calls the machine makes, interrupts on unless said otherwise:
 *
 * trap_syscall     sys/   dispatches; stores the result in the frame
 * trap_page_fault  proc/  a fault at a user address, from either mode. True: it was repaired,
 *                         or a signal is on its way to the program (user mode). False: kernel
 *                         code whose fix-up must run. Interrupts as the frame had them.
 * trap_user        proc/  any other trap in user mode: becomes a signal
 * trap_user_return proc/  on the way to user mode while thread->flags has a bit of
 *                         THREAD_RETURN_WORK: kill, signals. Interrupts off on entry and return,
 *                         on meanwhile. The machine calls it again while bits are set.
 */
void trap_syscall(struct arch_frame *f);
MUST_CHECK bool trap_page_fault(struct arch_frame *f, const struct trap_info *info);
void trap_user(struct arch_frame *f, const struct trap_info *info);
void trap_user_return(struct arch_frame *f);

/* ================ Device interrupts ================ */

/* Interrupt numbers are dense: 0 .. arch_irq_count() - 1, a constant of the machine at any time. */
unsigned arch_irq_count(void);
/* The number of a global system interrupt or of a legacy ISA line; -EINVAL if no controller has it. */
MUST_CHECK int arch_irq_of_gsi(uint32_t gsi, unsigned *irq);
MUST_CHECK int arch_irq_of_isa(uint8_t line, unsigned *irq);
void arch_irq_mask(unsigned irq);
void arch_irq_unmask(unsigned irq);
void arch_irq_eoi(unsigned irq);
/* -EOPNOTSUPP for a message-signalled one: its message is in the device (allocate another). */
MUST_CHECK int arch_irq_set_cpu(unsigned irq, unsigned cpu);
/* A fresh message-signalled interrupt aimed at `cpu`: what the device has to write, and where. */
struct msi_message {
	uint64_t addr;
	uint32_t data;
};
/* -ENOSPC: no number or no vector left on that CPU; -ENODEV: messages cannot reach it. */
MUST_CHECK int arch_msi_alloc(unsigned cpu, unsigned *irq, struct msi_message *msg);
void arch_msi_free(unsigned irq);

/* ================ Other CPUs ================ */

/* Makes `cpu` call trap_ipi() soon. Its request bits are irq/ipi.c's. Any context. */
void arch_ipi_send(struct cpu *cpu);
/* Makes every other online CPU call trap_nmi(), even with interrupts off. For panic and watchdog. */
void arch_nmi_send_others(void);

/* ================ Time ================ */

/* A counter that only goes up, at the same rate on all CPUs; its rate is known after calibration. */
static inline uint64_t arch_counter_read(void);
/* Finds the counter's rate, and the timer's. Logs how. Returns Hz, never 0. Once, after
 * arch_init_interrupts, on the boot CPU; until then arch_timer_arm must not be called. */
uint64_t arch_counter_calibrate(void);
const char *arch_counter_name(void);
/* Arms this CPU's one-shot timer: trap_timer() once counter >= deadline; replaces what was armed. */
void arch_timer_arm(uint64_t deadline);
void arch_timer_cancel(void);
/* Seconds since 1970 by the battery clock; -ENODEV when there is none or it is not set. */
MUST_CHECK int arch_wallclock_read(int64_t *seconds);
/* Sets it; -ENODEV, -EINVAL (a time that it cannot show). */
MUST_CHECK int arch_wallclock_set(int64_t seconds);
/* A word from the machine's random generator: false when there is none, or none now. */
MUST_CHECK bool arch_random_word(uint64_t *out);

/* ================ Memory ================ */

/*
 * Where the kernel's address space has its parts; set before kmain runs, then immutable. Until
 * bootmem_map_all, only the first 4 GiB of physical memory are mapped at direct_base.
 */
struct arch_layout {
	vaddr_t direct_base;  /* physical address 0 in the map of all RAM */
	vaddr_t direct_end;
	vaddr_t page_base;    /* struct page of frame 0 */
	vaddr_t kmap_base;    /* kernel mappings with guard pages: mm/kmap.c */
	vaddr_t kmap_end;
	vaddr_t image_base;   /* where the image runs, after KASLR */
	paddr_t image_phys;   /* where the loader put it */
	paddr_t phys_end;     /* no table may name a physical address from here on */
	vaddr_t text_start, text_end, rodata_start, rodata_end, data_start, image_end;
	vaddr_t boot_stack_bottom, boot_stack_top; /* what kmain runs on */
	uint64_t entry_counter; /* arch_counter_read() at the kernel's first instructions */
};
extern struct arch_layout arch_layout;

/*
 * Page tables: levels of 512 entries, 4 KiB granule; level 0 maps 4 KiB, 1 maps 2 MiB, 2 maps
 * 1 GiB, ARCH_TOP_LEVEL is the root. mm/pgtable.c walks; the machine encodes one entry.
 */
enum pte_flags {
	PTE_WRITE = 1,
	PTE_EXEC = 2,
	PTE_USER = 4,
	PTE_GLOBAL = 8,
	PTE_UNCACHED = 16,	 /* device registers */
	PTE_WRITE_COMBINE = 32,	 /* framebuffers */
	/* What the hardware ignores, kept for mm/: in leaves of user tables only. */
	PTE_ANON = 64,	  /* the page is the tables' own: copied when written while shared */
	PTE_SPECIAL = 128, /* the page is not counted: the zero page, devices */
	PTE_NONE = 256,	  /* not present for the hardware: no access, but the page is kept here */
};
/* The address goes in as it is: arch_pte_leaf(pa, ...) == (arch_pte_leaf(0, ...) | pa). */
static inline arch_pte arch_pte_leaf(paddr_t pa, unsigned flags, unsigned level);
static inline arch_pte arch_pte_table(paddr_t pa);
static inline bool arch_pte_is_present(arch_pte pte);
static inline bool arch_pte_is_leaf(arch_pte pte, unsigned level);
static inline paddr_t arch_pte_paddr(arch_pte pte, unsigned level);
static inline unsigned arch_pte_flags(arch_pte pte, unsigned level); /* PTE_* of a leaf */
bool arch_pte_level_is_leafable(unsigned level); /* can this CPU map 1 GiB at once? */
/*
 * Of leaves and of entries that lead to a table: a walk may write only if all entries on its way
 * are writable. A table that two parents share is led to by read-only entries (mm/vmtable.h).
 */
static inline bool arch_pte_is_writable(arch_pte pte);
static inline arch_pte arch_pte_write_protect(arch_pte pte);
static inline arch_pte arch_pte_make_writable(arch_pte pte);
static inline bool arch_pte_is_anon(arch_pte pte);
static inline bool arch_pte_is_special(arch_pte pte);
/*
 * Whether something went through the leaf since arch_pte_forget_use, or since it was written: new
 * leaves count as used. A machine that does not note it says so of all. Forgetting changes the
 * entry in place while others may look, and holds once the TLBs are flushed.
 */
static inline bool arch_pte_was_used(arch_pte pte);
static inline void arch_pte_forget_use(arch_pte *at);
/* Orders table writes before the walks that follow (nothing on x86). */
static inline void arch_pte_publish(void);

paddr_t arch_root_get(void);
void arch_root_set(paddr_t root);

/* This CPU's TLB only; other CPUs are mm/tlb.c's business. */
void arch_tlb_flush_page(vaddr_t va);
void arch_tlb_flush_all(void); /* global entries too */

/* ================ The console of last resort, and the ways out ================ */

/* Bytes to the first serial port (or the host's standard output), polling. Any context. */
void arch_console_write(const char *s, size_t len);
/* One byte if there is one: -EAGAIN otherwise. */
int arch_console_read(void);
/* Which of a PC's serial ports (0: ttyS0) that is; -ENODEV: none of them. */
int arch_console_port(void);

/* I/O ports, where a machine has them: elsewhere 0xff is read and nothing is written. */
uint8_t arch_port_read8(uint16_t port);
void arch_port_write8(uint16_t port, uint8_t value);

/* Power off, restart: tries every documented way in order; returns only if all failed. */
void arch_power_off(void);
void arch_restart(void);
/* Ends the emulator with this status, when the command line said that one listens (exit=qemu). */
void arch_exit_emulator(unsigned status);

/* Zeroes a whole page, the fastest way this machine has. */
void arch_page_zero(void *page);

#include "arch_inline.h"
