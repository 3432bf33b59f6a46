// SPDX-License-Identifier: MIT
/* x86-64: what a system call, a trap and a signal do to registers; segment bases; the vDSO. */
#include "guest.h"

#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <asm/prctl.h>

static volatile int nr_signals, last_signal;
static siginfo_t info;
static ucontext_t context;
static uint64_t flags_in_handler, rsp_in_handler;
static unsigned mxcsr_in_handler;
static void (*change)(ucontext_t *uc);

static unsigned mxcsr_get(void)
{
	unsigned value;

	__asm__ volatile("stmxcsr %0" : "=m"(value));
	return value;
}

static void mxcsr_set(unsigned value)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static void note(int sig, siginfo_t *si, void *uc)
{
	__asm__ volatile("pushfq; popq %0" : "=r"(flags_in_handler));
	mxcsr_in_handler = mxcsr_get();
	rsp_in_handler = (uint64_t)__builtin_frame_address(0);
	nr_signals++;
	last_signal = sig;
	info = *si;
	memcpy(&context, uc, offsetof(ucontext_t, __fpregs_mem));
	if (change)
		change(uc);
}

static void watch(int sig)
{
	struct sigaction act = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_NODEFER};

	CHECK_OK(sigaction(sig, &act, NULL));
}

static void skip_bytes(ucontext_t *uc, unsigned n)
{
	uc->uc_mcontext.gregs[REG_RIP] += n;
}

static void skip_1(ucontext_t *uc)
{
	skip_bytes(uc, 1);
}

static void skip_2(ucontext_t *uc)
{
	skip_bytes(uc, 2);
}

static void skip_3(ucontext_t *uc)
{
	skip_bytes(uc, 3);
}

/* ---- System calls ---- */

TEST(cpu, a_call_changes_only_rax_rcx_r11)
{
	static const uint64_t numbers[] = {SYS_getppid, SYS_sched_yield, 9999};

	for (unsigned i = 0; i < 3000; i++) {
		uint64_t in[12], out[12], rax = numbers[i % 3], rcx;
		uint64_t flags = 0x246 | (i & 1 ? 0x400 : 0);

		for (unsigned k = 0; k < 12; k++)
			in[k] = 0x0123456789abcdefull * (i + k + 1);
		__asm__ volatile(
			"pushq %%rbp; pushq %%rbx\n"
			"movq %[out], %%rbx; pushq %%rbx\n"
			"movq %[in], %%rbp\n"
			"pushq %[flags]\n"
			"movq 0(%%rbp), %%rbx; movq 8(%%rbp), %%rdx; movq 16(%%rbp), %%rsi\n"
			"movq 24(%%rbp), %%rdi; movq 32(%%rbp), %%r8; movq 40(%%rbp), %%r9\n"
			"movq 48(%%rbp), %%r10; movq 56(%%rbp), %%r12; movq 64(%%rbp), %%r13\n"
			"movq 72(%%rbp), %%r14; movq 80(%%rbp), %%r15; movq 88(%%rbp), %%rbp\n"
			"popfq\n"
			"syscall\n"
			"1: pushq %%rbp; movq 8(%%rsp), %%rbp\n"
			"movq %%rbx, 0(%%rbp); movq %%rdx, 8(%%rbp); movq %%rsi, 16(%%rbp)\n"
			"movq %%rdi, 24(%%rbp); movq %%r8, 32(%%rbp); movq %%r9, 40(%%rbp)\n"
			"movq %%r10, 48(%%rbp); movq %%r12, 56(%%rbp); movq %%r13, 64(%%rbp)\n"
			"movq %%r14, 72(%%rbp); movq %%r15, 80(%%rbp)\n"
			"popq %%rbx; movq %%rbx, 88(%%rbp)\n"
			"pushfq; popq %%rdx; cld\n"
			"leaq 1b(%%rip), %%rbx; subq %%rbx, %%rcx\n"
			"popq %%rbx; popq %%rbx; popq %%rbp\n"
			: "+a"(rax), "=&c"(rcx), "=&d"(flags)
			: [in] "r"(in), [out] "r"(out), [flags] "2"(flags)
			: "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
			"memory", "cc");
		CHECK_MEM(out, in, sizeof(in));
		CHECK_EQ(rcx, 0);
		CHECK_EQ(flags & 0x400, i & 1 ? 0x400 : 0);
		if (i % 3 == 2)
			CHECK_EQ(rax, -ENOSYS);
	}
}

static long raw(uint64_t nr)
{
	__asm__ volatile("syscall" : "+a"(nr) : : "rcx", "r11", "memory");
	return (long)nr;
}

TEST(cpu, the_number_is_32_bits)
{
	CHECK_EQ(raw(SYS_getpid | 0x123400000000ull), getpid());
	CHECK_EQ(raw(-1ull), -ENOSYS);
	CHECK_EQ(raw(0xffffffffull), -ENOSYS);
	CHECK_EQ(raw(0x7fffffffull), -ENOSYS);
	CHECK_EQ(raw(5000), -ENOSYS);
}

TEST(cpu, alignment_flag_survives_a_call)
{
	uint64_t flags;

	__asm__ volatile("pushfq; orl $0x40000, (%%rsp); popfq\n"
			 "movl %1, %%eax; syscall\n"
			 "pushfq; popq %0; pushfq; andl $~0x40000, (%%rsp); popfq"
			 : "=r"(flags)
			 : "i"(SYS_getpid)
			 : "rax", "rcx", "r11", "memory", "cc");
	CHECK_EQ(flags & 0x40000, 0x40000);
}

/* ---- Traps ---- */

TEST(cpu, breakpoint_is_sigtrap)
{
	watch(SIGTRAP);
	__asm__ volatile("int3");
	CHECK_EQ(nr_signals, 1);
	CHECK_EQ(info.si_code, SI_KERNEL);
	CHECK_EQ(context.uc_mcontext.gregs[REG_TRAPNO], 3);
}

TEST(cpu, illegal_instruction_is_sigill)
{
	watch(SIGILL);
	change = skip_2;
	__asm__ volatile("ud2");
	CHECK_EQ(last_signal, SIGILL);
	CHECK_EQ(info.si_code, ILL_ILLOPN);
	CHECK_EQ((uintptr_t)info.si_addr, context.uc_mcontext.gregs[REG_RIP]);
	CHECK_EQ(context.uc_mcontext.gregs[REG_TRAPNO], 6);
}

TEST(cpu, division_by_zero_is_sigfpe)
{
	watch(SIGFPE);
	change = skip_2;
	__asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" : : : "eax", "ecx", "edx", "cc");
	CHECK_EQ(last_signal, SIGFPE);
	CHECK_EQ(info.si_code, FPE_INTDIV);
	CHECK_EQ((uintptr_t)info.si_addr, context.uc_mcontext.gregs[REG_RIP]);
}

TEST(cpu, privileged_instruction_is_sigsegv)
{
	watch(SIGSEGV);
	change = skip_1;
	__asm__ volatile("hlt");
	__asm__ volatile("cli");
	CHECK_EQ(nr_signals, 2);
	CHECK_EQ(info.si_code, SI_KERNEL);
	CHECK_EQ((uintptr_t)info.si_addr, 0);
	CHECK_EQ(context.uc_mcontext.gregs[REG_TRAPNO], 13);
}

TEST(cpu, non_canonical_address_is_sigsegv_of_the_kernel)
{
	watch(SIGSEGV);
	change = skip_2;
	__asm__ volatile("movb (%0), %%al" : : "a"(0x8000000000000000ul) : "memory");
	CHECK_EQ(info.si_code, SI_KERNEL);
	CHECK_EQ((uintptr_t)info.si_addr, 0);
}

TEST(cpu, kernel_address_is_not_mapped)
{
	watch(SIGSEGV);
	change = skip_2;
	__asm__ volatile("movb (%0), %%al" : : "a"(0xffffffff81000000ul) : "memory");
	CHECK_EQ(info.si_code, SEGV_MAPERR);
	CHECK_EQ((uintptr_t)info.si_addr, 0xffffffff81000000ul);
	CHECK_EQ(context.uc_mcontext.gregs[REG_TRAPNO], 14);
}

TEST(cpu, page_fault_says_where_and_how)
{
	volatile char *page =
		CHECK_OK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	watch(SIGSEGV);
	change = skip_3;
	__asm__ volatile("movb $1, (%0)" : : "a"(page + 5) : "memory");
	CHECK_EQ(info.si_code, SEGV_ACCERR);
	CHECK_EQ((uintptr_t)info.si_addr, (uintptr_t)page + 5);
	CHECK_EQ(context.uc_mcontext.gregs[REG_CR2], (uintptr_t)page + 5);
	CHECK_EQ(context.uc_mcontext.gregs[REG_ERR] & 6, 6);
}

TEST(cpu, jump_into_data_is_a_fault)
{
	static char data[16] = {(char)0xc3};
	int pid = CHECK_OK(fork());

	if (pid == 0) {
		((void (*)(void))data)();
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
}

static void mask_again(ucontext_t *uc)
{
	uc->uc_mcontext.fpregs->cwd = 0x37f;
	uc->uc_mcontext.fpregs->swd = 0;
}

/* QEMU's own processor raises no SSE exceptions, so it is the old unit's. */
TEST(cpu, x87_exception_has_a_code_and_the_frame_can_mask_it)
{
	uint16_t unmasked = 0x37f & ~4, control = 0;

	watch(SIGFPE);
	change = mask_again;
	__asm__ volatile("fldcw %1; fld1; fldz; fdivrp; fwait; fnstcw %0; fninit"
			 : "=m"(control)
			 : "m"(unmasked)
			 : "memory");
	CHECK_EQ(nr_signals, 1);
	CHECK_EQ(info.si_code, FPE_FLTDIV);
	CHECK_EQ(mxcsr_in_handler, 0x1f80);
	CHECK_EQ(control, 0x37f);
}

TEST(cpu, single_steps_are_traps)
{
	watch(SIGTRAP);
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n"
			 "nop; nop; nop\n"
			 "pushfq; andl $~0x100, (%%rsp); popfq" ::
				 : "memory", "cc");
	CHECK_EQ(nr_signals, 6);
	CHECK_EQ(info.si_code, TRAP_TRACE);
	CHECK_EQ(flags_in_handler & 0x100, 0);
}

TEST(cpu, single_step_over_a_call_traps_behind_it)
{
	uint64_t after;

	watch(SIGTRAP);
	__asm__ volatile("leaq 1f(%%rip), %%r12\n"
			 "pushfq; orl $0x100, (%%rsp); popfq\n"
			 "movl %1, %%eax; syscall\n"
			 "1: nop\n"
			 "pushfq; andl $~0x100, (%%rsp); popfq\n"
			 "movq %%r12, %0"
			 : "=r"(after)
			 : "i"(SYS_getpid)
			 : "rax", "rcx", "r11", "r12", "memory", "cc");
	SHOW("%d traps", nr_signals);
}

/* ---- Signal frames ---- */

TEST(cpu, a_handler_changes_no_register)
{
	double in[16], out[16];
	uint64_t rax = SYS_kill;

	watch(SIGUSR1);
	for (unsigned i = 0; i < 16; i++)
		in[i] = i * 1.5 + 1;
	__asm__ volatile(
		"movups (%3), %%xmm1; movups 16(%3), %%xmm15\n"
		"movq $0x1234, -8(%%rsp); movq $0x5678, -128(%%rsp)\n" /* the red zone */
		"movq $77, %%rbx; movq $78, %%r15\n"
		"syscall\n"
		"subq $77, %%rbx; subq $78, %%r15; addq %%r15, %%rbx\n"
		"cmpq $0x1234, -8(%%rsp); jne 1f\n"
		"cmpq $0x5678, -128(%%rsp); je 2f\n"
		"1: movl $99, %%eax\n"
		"2: addq %%rbx, %%rax\n"
		"movups %%xmm1, (%4); movups %%xmm15, 16(%4)"
		: "+a"(rax)
		: "D"((long)getpid()), "S"((long)SIGUSR1), "r"(in), "r"(out)
		: "rcx", "r11", "rbx", "r15", "xmm1", "xmm15", "memory", "cc");
	CHECK_EQ(rax, 0);
	CHECK_EQ(nr_signals, 1);
	CHECK_MEM(out, in, 32);
	CHECK_EQ(rsp_in_handler % 16,
		0); /* rbp of a function: 16 below the caller's alignment */
	CHECK_EQ(flags_in_handler & 0x400, 0);
}

TEST(cpu, the_frame_has_vector_state_in_the_known_format)
{
	watch(SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	CHECK(context.uc_mcontext.fpregs != NULL);
	CHECK_EQ((uintptr_t)context.uc_mcontext.fpregs % 64, 0);
	SHOW("uc_flags %lx", (unsigned long)context.uc_flags);
	CHECK_EQ(context.uc_link == NULL, 1);
	CHECK_EQ(context.uc_mcontext.gregs[REG_CSGSFS] & 0xffff, 0x33);
	SHOW("ss %llx", (long long)context.uc_mcontext.gregs[REG_CSGSFS] >> 48 & 0xffff);
}

static void set_xmm3(ucontext_t *uc)
{
	memset(&uc->uc_mcontext.fpregs->_xmm[3], 0x5a, 16);
	uc->uc_mcontext.gregs[REG_R12] = 4711;
}

TEST(cpu, a_handler_may_change_what_it_returns_to)
{
	uint64_t words[2] = {0}, r12 = 0;

	watch(SIGTRAP);
	change = set_xmm3;
	__asm__ volatile("int3; movups %%xmm3, (%1); movq %%r12, %0"
			 : "=r"(r12)
			 : "r"(words)
			 : "r12", "xmm3", "memory");
	CHECK_EQ(r12, 4711);
	CHECK_EQ(words[0], 0x5a5a5a5a5a5a5a5all);
	CHECK_EQ(words[1], 0x5a5a5a5a5a5a5a5all);
}

static void bad_rip(ucontext_t *uc)
{
	uc->uc_mcontext.gregs[REG_RIP] = 0x800000000000;
}

static void kernel_rip(ucontext_t *uc)
{
	uc->uc_mcontext.gregs[REG_RIP] = (long long)0xffffffff81000000ull;
}

static void bad_fpregs(ucontext_t *uc)
{
	uc->uc_mcontext.fpregs = (void *)64;
}

static void no_fpregs(ucontext_t *uc)
{
	uc->uc_mcontext.fpregs = NULL;
}

static void privileged_flags(ucontext_t *uc)
{
	uc->uc_mcontext.gregs[REG_EFL] =
		0x7fffff & ~0x100ll; /* IOPL 3, NT, VM and all, but TF */
}

static pid_t child_with(void (*fn)(ucontext_t *))
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		watch(SIGUSR1);
		change = fn;
		CHECK_OK(raise(SIGUSR1));
		__asm__ volatile("cld");
		_exit(0);
	}
	return pid;
}

TEST(cpu, sigreturn_refuses_what_cannot_be)
{
	EXPECT_KILLED(child_with(bad_rip), SIGSEGV);
	EXPECT_KILLED(child_with(kernel_rip), SIGSEGV);
	EXPECT_KILLED(child_with(bad_fpregs), SIGSEGV);
	EXPECT_CHILD(child_with(no_fpregs), 0);
}

TEST(cpu, sigreturn_keeps_privileged_flags)
{
	uint64_t flags;

	watch(SIGTRAP);
	change = privileged_flags;
	__asm__ volatile("int3; pushfq; popq %0; pushq $0x202; popfq"
			 : "=r"(flags)::"memory", "cc");
	CHECK_EQ(flags & 0x247fd5, 0x40cd5 | 0x200);
	watch(SIGSEGV);
	change = skip_1;
	__asm__ volatile("cli");
	CHECK_EQ(last_signal, SIGSEGV);
}

TEST(cpu, a_handler_outside_user_memory_ends_the_process)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK(signal(SIGUSR1, (void (*)(int))0xffff800000000000ul) != SIG_ERR);
		raise(SIGUSR1);
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
}

TEST(cpu, a_stack_that_cannot_hold_the_frame_ends_the_process)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		watch(SIGUSR1);
		__asm__ volatile("xorl %%esp, %%esp; movl $0x7fff0000, %%esp; syscall; ud2"
				 :
				 : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
				 : "memory");
	}
	EXPECT_KILLED(pid, SIGSEGV);
}

/* ---- Segment bases ---- */

static long arch_prctl(int option, uintptr_t arg)
{
	return syscall(SYS_arch_prctl, option, arg);
}

static uint64_t gs_word(void)
{
	uint64_t value;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(value));
	return value;
}

TEST(cpu, bases_are_set_and_read)
{
	static uint64_t word = 0xabcdef;
	uint64_t base = 0, fs = 0;

	CHECK_OK(arch_prctl(ARCH_SET_GS, (uintptr_t)&word));
	CHECK_EQ(gs_word(), 0xabcdef);
	CHECK_OK(arch_prctl(ARCH_GET_GS, (uintptr_t)&base));
	CHECK_EQ(base, (uintptr_t)&word);
	CHECK_OK(arch_prctl(ARCH_GET_FS, (uintptr_t)&fs));
	CHECK_EQ(fs, (uintptr_t)__builtin_thread_pointer());
	CHECK_ERRNO(arch_prctl(ARCH_SET_GS, 0xff00000000000000ul), EPERM);
	CHECK_ERRNO(arch_prctl(ARCH_SET_FS, 0xffff800000000000ul), EPERM);
	CHECK_ERRNO(arch_prctl(ARCH_GET_GS, 0), EFAULT);
	CHECK_ERRNO(arch_prctl(0x4242, 0), EINVAL);
	CHECK_EQ(gs_word(), 0xabcdef);
	for (unsigned i = 0; i < 50; i++)
		IN_CHILD(CHECK_EQ(gs_word(), 0xabcdef); word = 5;
			 CHECK_OK(arch_prctl(ARCH_SET_GS, 0)); sched_yield());
	CHECK_EQ(gs_word(), 0xabcdef);
}

TEST(cpu, gs_may_be_anything_and_is_kept)
{
	uint64_t in = 0xffff888000001000ull, out = 0;

	if (!(getauxval(AT_HWCAP2) & 2))
		SKIP("no FSGSBASE");
	for (unsigned i = 0; i < 2; i++) {
		__asm__ volatile("wrgsbase %0" : : "r"(in));
		if (i == 0)
			CHECK_OK(fork() ? 0 : 0);
		for (unsigned k = 0; k < 300; k++)
			sched_yield();
		for (volatile unsigned k = 0; k < 20000000; k++)
			;
		__asm__ volatile("rdgsbase %0" : "=r"(out));
		CHECK_EQ(out, in);
		in = 0x1000;
	}
}

TEST(cpu, data_selectors_are_kept)
{
	uint16_t ds, es, want = 0x2b;

	__asm__ volatile("movw %0, %%ds; movw %0, %%es" : : "r"(want));
	for (unsigned i = 0; i < 20; i++) {
		IN_CHILD(want = 0; __asm__ volatile("movw %0, %%ds; movw %0, %%es"
						    :
						    : "r"(want));
			 sched_yield());
		__asm__ volatile("movw %%ds, %0; movw %%es, %1" : "=r"(ds), "=r"(es));
		CHECK_EQ(ds, want);
		CHECK_EQ(es, want);
	}
}

/* ---- Vector state ---- */

TEST(cpu, vector_registers_survive_other_processes)
{
	uint64_t in[4] = {1, 2, 3, 4}, out[4];
	pid_t pid[4];

	for (unsigned i = 0; i < 4; i++) {
		pid[i] = CHECK_OK(fork());
		if (pid[i])
			continue;
		in[0] = 100 + i;
		for (unsigned k = 0; k < 300; k++) {
			long nr = SYS_sched_yield;

			__asm__ volatile(
				"movups (%1), %%xmm7; movups 16(%1), %%xmm12; syscall\n"
				"movups %%xmm7, (%2); movups %%xmm12, 16(%2)"
				: "+a"(nr)
				: "r"(in), "r"(out)
				: "rcx", "r11", "xmm7", "xmm12", "memory");
			CHECK_MEM(out, in, 32);
		}
		_exit(0);
	}
	for (unsigned i = 0; i < 4; i++)
		EXPECT_CHILD(pid[i], 0);
}

TEST(cpu, a_child_has_its_parents_vector_state)
{
	uint64_t in[2] = {0x1111, 0x2222}, out[2];
	long pid = SYS_fork;

	mxcsr_set(0x3f80); /* rounds down */
	__asm__ volatile("movups (%1), %%xmm9; syscall; movups %%xmm9, (%2)"
			 : "+a"(pid)
			 : "r"(in), "r"(out)
			 : "rcx", "r11", "xmm9", "memory");
	CHECK_MEM(out, in, 16);
	CHECK_EQ(mxcsr_get() & 0x6000, 0x2000);
	if (pid == 0)
		_exit(0);
	EXPECT_CHILD((pid_t)pid, 0);
}

/* ---- The vDSO ---- */

static const Elf64_Ehdr *vdso(void)
{
	return (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
}

/* By name, as a C library looks. */
static void *vdso_symbol(const char *name)
{
	const char *base = (const char *)vdso(), *strings = NULL;
	const Elf64_Phdr *ph = (const void *)(base + vdso()->e_phoff);
	const Elf64_Sym *symbols = NULL;
	const uint32_t *hash = NULL;
	const Elf64_Dyn *dyn = NULL;

	for (unsigned i = 0; i < vdso()->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(base + ph[i].p_offset);
	for (; dyn && dyn->d_tag; dyn++) {
		if (dyn->d_tag == DT_STRTAB)
			strings = base + dyn->d_un.d_ptr;
		if (dyn->d_tag == DT_SYMTAB)
			symbols = (const void *)(base + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_HASH)
			hash = (const void *)(base + dyn->d_un.d_ptr);
	}
	for (unsigned i = 0; hash && i < hash[1]; i++)
		if (!strcmp(strings + symbols[i].st_name, name))
			return (void *)(uintptr_t)(base + symbols[i].st_value);
	return NULL;
}

static int64_t ns_of(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000ll + ts->tv_nsec;
}

TEST(cpu, vdso_clocks_agree_with_the_calls)
{
	static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
		CLOCK_BOOTTIME, CLOCK_TAI};
	int (*get)(int, struct timespec *) = vdso_symbol("__vdso_clock_gettime");

	CHECK(vdso() != NULL && get != NULL);
	for (unsigned i = 0; i < sizeof(clocks) / sizeof(*clocks); i++)
		for (unsigned k = 0; k < 100; k++) {
			struct timespec a, b, c;

			CHECK_OK(syscall(SYS_clock_gettime, clocks[i], &a));
			CHECK_EQ(get(clocks[i], &b), 0);
			CHECK_OK(syscall(SYS_clock_gettime, clocks[i], &c));
			CHECK(ns_of(&a) <= ns_of(&b));
			CHECK(ns_of(&b) <= ns_of(&c));
			CHECK(b.tv_nsec >= 0 && b.tv_nsec < 1000000000);
		}
	struct timespec ts;
	CHECK_EQ(get(12345, &ts), -EINVAL);
	CHECK_EQ(get(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
	CHECK_EQ(get(-1, &ts), -EINVAL);
}

TEST(cpu, vdso_time_of_day)
{
	int (*get)(struct timeval *, void *) = vdso_symbol("__vdso_gettimeofday");
	long (*seconds)(long *) = vdso_symbol("__vdso_time");
	struct timeval a, b;
	long t = 0;

	CHECK(get && seconds);
	CHECK_OK(syscall(SYS_gettimeofday, &a, NULL));
	CHECK_EQ(get(&b, NULL), 0);
	CHECK(b.tv_sec >= a.tv_sec && b.tv_sec <= a.tv_sec + 2 && b.tv_usec < 1000000);
	CHECK(seconds(&t) >= b.tv_sec);
	CHECK(t >= b.tv_sec && t <= b.tv_sec + 2);
}

TEST(cpu, vdso_knows_the_cpu)
{
	long (*get)(unsigned *, unsigned *, void *) = vdso_symbol("__vdso_getcpu");
	long nr = CHECK_OK(sysconf(_SC_NPROCESSORS_ONLN));

	CHECK(get != NULL);
	for (int i = 0; i < nr; i++) {
		unsigned cpu = 77, node = 77;
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i, &set);
		CHECK_OK(sched_setaffinity(0, sizeof(set), &set));
		CHECK_EQ(get(&cpu, &node, NULL), 0);
		CHECK_EQ(cpu, i);
		CHECK_EQ(node, 0);
	}
	CHECK_EQ(get(NULL, NULL, NULL), 0);
}
