// SPDX-License-Identifier: MIT
/*
 * Nobody may notice an interrupt or a thread switch: every register, segment and flag, and the
 * vector registers, are compared before and after.
 */
#include "arch/x86_64/test/registers.h"

#include "cpu.h"
#include "interrupts.h"
#include "msr.h"

#include "arch/arch.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/kmap.h"
#include "sched/sched.h"
#include "sync/preempt.h"
#include "time/clock.h"
#include "time/timer.h"

static_assert(VECTOR_TEST == 0xf0, "TEST_VECTOR");
static_assert(offsetof(struct registers, rflags) == 128, "REGS_RFLAGS");
static_assert(offsetof(struct registers, gs) == 146, "REGS_GS");

/* Intel SDM vol.1 3.4.3. All flags an interrupt might disturb; TF and NT would do other things. */
enum {
	FLAG_CF = 1 << 0,
	FLAG_ALWAYS = 1 << 1,
	FLAG_PF = 1 << 2,
	FLAG_AF = 1 << 4,
	FLAG_ZF = 1 << 6,
	FLAG_SF = 1 << 7,
	FLAG_IF = 1 << 9,
	FLAG_DF = 1 << 10,
	FLAG_OF = 1 << 11,
	FLAG_AC = 1 << 18,
};
enum { FLAGS_ARITHMETIC = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF };

static uint32_t nr_handled;

/* Leaves nothing as it was that C code may change; a handler that uses them all. */
static void scramble(void)
{
	nr_handled++;
	__asm__ volatile("mov $-1, %%rax; mov %%rax, %%rcx; mov %%rax, %%rdx; mov %%rax, %%rbx;"
			 "mov %%rax, %%rsi; mov %%rax, %%rdi; mov %%rax, %%r8; mov %%rax, %%r9;"
			 "mov %%rax, %%r10; mov %%rax, %%r11; mov %%rax, %%r12; mov %%rax, %%r13;"
			 "mov %%rax, %%r14; mov %%rax, %%r15; add %%rax, %%rax"
			 :
			 :
			 : "rax", "rcx", "rdx", "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
			 "r14", "r15", "cc", "memory");
}

static void fill(struct registers *r, uint64_t seed, uint64_t flags)
{
	uint64_t *word = &r->rax;

	memset(r, 0, sizeof(*r));
	for (unsigned i = 0; i < offsetof(struct registers, rflags) / sizeof(*word); i++)
		word[i] = (seed + i) * 0x9e3779b97f4a7c15ull;
	r->rflags = flags | FLAG_ALWAYS;
	r->ds = r->es = SEL_KERNEL_DATA;
}

static void expect_same(const struct registers *in, const struct registers *out)
{
	static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9",
		"r10", "r11", "r12", "r13", "r14", "r15", "rflags"};
	const uint64_t *a = &in->rax, *b = &out->rax;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (a[i] != b[i])
			test_fail(__FILE__, __LINE__, "%s was %lx, is %lx", names[i], a[i], b[i]);
	EXPECT_EQ(in->cs, out->cs);
	EXPECT_EQ(in->ss, out->ss);
	EXPECT_EQ(in->ds, out->ds);
	EXPECT_EQ(in->es, out->es);
	EXPECT_EQ(in->fs, out->fs);
	EXPECT_EQ(in->gs, out->gs);
}

TEST(interrupt, leaves_every_register_segment_and_flag_as_it_was)
{
	static const uint64_t flags[] = {0, FLAGS_ARITHMETIC, FLAG_DF, FLAG_AC, FLAG_IF,
		FLAG_CF | FLAG_SF | FLAG_DF | FLAG_AC, FLAGS_ARITHMETIC | FLAG_DF | FLAG_AC | FLAG_IF};
	struct registers in, out;

	x86_test_interrupt = scramble;
	for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
		uint32_t before = nr_handled;

		fill(&in, i + 1, flags[i]);
		preempt_disable();
		test_regs_software_interrupt(&in, &out);
		EXPECT_EQ(msr_read(MSR_GS_BASE), (uint64_t)arch_cpu());
		preempt_enable();
		expect_same(&in, &out);
		EXPECT_EQ(nr_handled, before + 1);
	}
	x86_test_interrupt = NULL;
}

/* ---- The same for the interrupts of a device: the timer, while the CPU waits ---- */

static bool ticks_on;

static void tick(struct timer *t)
{
	scramble();
	if (ticks_on)
		timer_start(t, clock_monotonic_ns() + NS_PER_MS);
}

TEST(interrupt, of_the_timer_leaves_every_register_as_it_was)
{
	struct registers in, out;
	struct timer timer;

	timer_init(&timer, tick);
	ticks_on = true;
	preempt_disable(); /* the timer is this CPU's, and must wake it */
	timer_start(&timer, clock_monotonic_ns() + NS_PER_MS);
	for (unsigned i = 0; i < 20; i++) {
		fill(&in, 100 + i, FLAGS_ARITHMETIC | FLAG_DF | FLAG_IF);
		test_regs_halt(&in, &out);
		expect_same(&in, &out);
	}
	ticks_on = false;
	timer_stop(&timer);
	preempt_enable();
}

/* ---- Threads ---- */

static void switch_away(void)
{
	sched_yield();
}

static void keep_registers(void *arg)
{
	unsigned *failed = arg;

	for (unsigned i = 0; i < 500; i++) {
		struct registers in, out;

		fill(&in, (uint64_t)arg + i, 0);
		memset(&out, 0, sizeof(out));
		test_regs_call(&in, &out, switch_away);
		if (in.rbx != out.rbx || in.rbp != out.rbp || in.r12 != out.r12 || in.r13 != out.r13 ||
			in.r14 != out.r14 || in.r15 != out.r15 || in.rsp != out.rsp || in.cs != out.cs ||
			in.ss != out.ss || (out.rflags & (FLAG_DF | FLAG_AC)) ||
			(in.rflags & FLAG_IF) != (out.rflags & FLAG_IF))
			(*failed)++;
	}
}

/* More threads than CPUs, so that each yield changes the thread. */
enum { NR_KEEPERS = 12 };

static void run_keepers(void (*fn)(void *), unsigned *failed)
{
	struct thread *t[NR_KEEPERS];
	unsigned nr = 0;

	for (; nr < NR_KEEPERS; nr++) {
		failed[nr] = 0;
		if (thread_create(&t[nr], "keeper", fn, &failed[nr]))
			break;
		thread_start(t[nr]);
	}
	EXPECT_EQ(nr, NR_KEEPERS);
	for (unsigned i = 0; i < nr; i++) {
		thread_join(t[i]);
		EXPECT_EQ(failed[i], 0);
	}
}

TEST(context, switch_between_threads_keeps_the_callee_saved_registers_and_flags)
{
	unsigned failed[NR_KEEPERS];

	run_keepers(keep_registers, failed);
}

/* ---- Two contexts by hand: exactly one switch there, one back ---- */

static struct arch_context here, there;
static void *there_arg;
static unsigned nr_there;

static void other_context(void *arg)
{
	there_arg = arg;
	for (;;) {
		nr_there++;
		scramble();
		arch_context_switch(&there, &here);
	}
}

static void there_and_back(void)
{
	arch_context_switch(&here, &there);
}

TEST(context, first_switch_enters_with_the_argument_and_the_way_back_keeps_everything)
{
	struct registers in, out;
	vaddr_t bottom, top;
	bool were_on;

	if (kstack_alloc(&bottom, &top))
		return test_fail(__FILE__, __LINE__, "no stack");
	nr_there = 0;
	arch_context_init(&there, bottom, top, other_context, &in);
	were_on = arch_irq_save();
	for (unsigned i = 0; i < 100; i++) {
		fill(&in, 1000 + i, 0);
		test_regs_call(&in, &out, there_and_back);
		EXPECT(in.rbx == out.rbx && in.rbp == out.rbp && in.r12 == out.r12 && in.r13 == out.r13 &&
			in.r14 == out.r14 && in.r15 == out.r15 && in.rsp == out.rsp);
		EXPECT(!arch_irq_enabled());
	}
	arch_irq_restore(were_on);
	EXPECT_EQ(nr_there, 100);
	EXPECT(there_arg == &in);
	kstack_free(bottom);
}

/* ---- Vector registers ---- */

struct xmm_file {
	uint8_t byte[NR_VECTOR_REGISTERS * VECTOR_REGISTER_SIZE];
};

static void fill_xmm(struct xmm_file *f, uint64_t seed)
{
	for (unsigned i = 0; i < sizeof(f->byte); i++)
		f->byte[i] = (uint8_t)((seed + i) * 0x9e3779b97f4a7c15ull >> 56);
}

TEST(interrupt, leaves_the_vector_registers_as_they_were)
{
	struct xmm_file in, out;

	if (thread_fpu_begin())
		return test_fail(__FILE__, __LINE__, "no memory for the vector state");
	x86_test_interrupt = scramble;
	for (unsigned i = 0; i < 100; i++) {
		fill_xmm(&in, i);
		test_xmm_software_interrupt(&in, &out);
		EXPECT(memcmp(&in, &out, sizeof(in)) == 0);
	}
	x86_test_interrupt = NULL;
	thread_fpu_end();
}

static void keep_xmm(void *arg)
{
	unsigned *failed = arg;

	if (thread_fpu_begin()) {
		*failed = 1;
		return;
	}
	for (unsigned i = 0; i < 500; i++) {
		struct xmm_file in, out;

		fill_xmm(&in, (uint64_t)arg + i);
		test_xmm_call(&in, &out, switch_away);
		if (memcmp(&in, &out, sizeof(in)) != 0)
			(*failed)++;
	}
	thread_fpu_end();
}

TEST(context, switch_between_threads_keeps_the_vector_registers)
{
	unsigned failed[NR_KEEPERS];

	run_keepers(keep_xmm, failed);
}
