// SPDX-License-Identifier: MIT
/*
 * The protections hold, faults that are allowed are repaired, and the small parts do what arch.h says.
 */
#include "arch/x86_64/test/registers.h"

#include "cpu.h"
#include "cpuid.h"
#include "interrupts.h"
#include "layout.h"
#include "msr.h"

#include "arch/arch.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/kmap.h"
#include "mm/pgtable.h"
#include "sched/thread.h"

#define NON_CANONICAL 0x0000900000000000ul
#define USER_ADDRESS  0x0000000000400000ul /* nothing is mapped in the lower half */

static const uint64_t constant = 0x1122334455667788ull;
static uint64_t variable;

/* ---- Fix-ups ---- */

TEST(fixup, a_probe_of_good_memory_reads_it)
{
	uint64_t value = 0;

	EXPECT_EQ(arch_probe_read(&value, &constant, sizeof(value)), 0);
	EXPECT(value == constant);
	EXPECT_EQ(arch_probe_read(&value, NULL, 0), 0);
}

TEST(fixup, a_probe_of_bad_addresses_is_an_error)
{
	static const vaddr_t bad[] = {0, 8, USER_ADDRESS, NON_CANONICAL, ~NON_CANONICAL - 8, UINT64_MAX - 16};
	uint64_t value;

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_EQ(arch_probe_read(&value, (const void *)bad[i], sizeof(value)), -EFAULT);
}

TEST(fixup, a_probe_that_runs_into_a_guard_page_is_an_error)
{
	vaddr_t bottom, top;
	uint64_t words[2];

	if (kstack_alloc(&bottom, &top))
		return test_fail(__FILE__, __LINE__, "no stack");
	EXPECT_EQ(arch_probe_read(words, (const void *)(bottom - 8), sizeof(words)), -EFAULT);
	EXPECT_EQ(arch_probe_read(words, (const void *)bottom, sizeof(words)), 0);
	kstack_free(bottom);
}

/* ---- Protections ---- */

TEST(protection, code_and_constants_cannot_be_written)
{
	EXPECT_EQ(test_probe_write(&variable, 1), 0);
	EXPECT_EQ(test_probe_write((void *)arch_layout.text_start, 0), -EFAULT);
	EXPECT_EQ(test_probe_write((void *)(vaddr_t)test_probe_write, 0), -EFAULT);
	EXPECT_EQ(test_probe_write((void *)(arch_layout.text_end - 1), 0), -EFAULT);
	EXPECT_EQ(test_probe_write((void *)(vaddr_t)&constant, 0), -EFAULT);
	EXPECT_EQ(test_probe_write((void *)(arch_layout.rodata_end - 1), 0), -EFAULT);
	EXPECT(constant == 0x1122334455667788ull);
}

TEST(protection, data_cannot_be_executed)
{
	EXPECT_EQ(test_execute_data(), 0);
}

TEST(protection, the_low_half_is_not_mapped)
{
	uint8_t byte;

	EXPECT_EQ(arch_probe_read(&byte, (const void *)0x100000ul, 1), -EFAULT); /* the image's frame */
	EXPECT_EQ(test_probe_write((void *)0x1000ul, 0), -EFAULT);
}

TEST(protection, the_control_registers_say_what_the_cpu_has)
{
	uint64_t cr4 = x86_cr4_read();

	EXPECT(x86_cr0_read() & CR0_WP);
	EXPECT(msr_read(MSR_EFER) & EFER_NXE);
	EXPECT_EQ((cr4 & CR4_SMEP) != 0, x86_has(X86_FEATURE_SMEP));
	EXPECT_EQ((cr4 & CR4_SMAP) != 0, x86_has(X86_FEATURE_SMAP));
	EXPECT_EQ((cr4 & CR4_UMIP) != 0, x86_has(X86_FEATURE_UMIP));
	EXPECT_EQ((cr4 & CR4_PGE) != 0, x86_has(X86_FEATURE_PGE));
}

TEST(layout, every_part_is_in_its_window)
{
	const struct arch_layout *l = &arch_layout;

	EXPECT(l->image_base >= IMAGE_WINDOW && l->image_end <= IMAGE_WINDOW + IMAGE_WINDOW_SIZE);
	EXPECT(l->direct_base >= DIRECT_WINDOW && l->direct_end <= PAGES_WINDOW);
	EXPECT(l->page_base >= PAGES_WINDOW && l->kmap_base >= KMAP_WINDOW && l->kmap_end <= KASAN_WINDOW);
	EXPECT(IS_ALIGNED(l->direct_base, GIB) && IS_ALIGNED(l->kmap_base, GIB) && IS_ALIGNED(l->page_base, GIB));
	EXPECT(IS_ALIGNED(l->text_end, PAGE_SIZE) && IS_ALIGNED(l->data_start, PAGE_SIZE));
	EXPECT((vaddr_t)&constant >= l->rodata_start && (vaddr_t)&constant < l->rodata_end);
	EXPECT((vaddr_t)test_probe_write >= l->text_start && (vaddr_t)test_probe_write < l->text_end);
	EXPECT((vaddr_t)&variable >= l->data_start && (vaddr_t)&variable < l->image_end);
}

/* ---- The table on which other CPUs climb to long mode ---- */

struct climb_walk {
	unsigned nr_low, nr_bad;
};

static void look_at_climb_leaf(vaddr_t va, paddr_t pa, unsigned flags, unsigned level, void *ctx)
{
	struct climb_walk *w = ctx;
	bool is_low = va < DIRECT_WINDOW;

	w->nr_low += is_low;
	if ((flags & PTE_WRITE) && (flags & PTE_EXEC))
		w->nr_bad++;
	if (is_low && (va != pa || pa >= MIB || level != 0 || flags != PTE_EXEC))
		w->nr_bad++;
}

TEST(protection, the_climbs_table_adds_one_page_that_cannot_be_written)
{
	struct pgtable climb = {.root = smp_climb_root()};
	struct climb_walk w = {0};

	if (!climb.root)
		return test_skip("no other CPU was started");
	pgtable_for_each_leaf(&climb, look_at_climb_leaf, &w);
	EXPECT_EQ(w.nr_low, 1);
	EXPECT_EQ(w.nr_bad, 0);
}

/* ---- NMI ---- */

static vaddr_t nmi_at[8]; /* where on its stack the handler ran */
static unsigned nr_nmis, nmi_depth, nmi_max_depth, nr_nmis_inside;

/* INT does not hold NMIs off, so it stands for one that comes after a fault inside the handler. */
static void raise_nmi(void)
{
	__asm__ volatile("int $2" ::: "memory");
}

static void on_nmi(struct arch_frame *f)
{
	nmi_at[MIN(nr_nmis++, (unsigned)ARRAY_LEN(nmi_at) - 1)] = (vaddr_t)f;
	nmi_max_depth = MAX(nmi_max_depth, ++nmi_depth);
	for (; nr_nmis_inside > 0; nr_nmis_inside--)
		raise_nmi();
	nmi_depth--;
}

TEST(nmi, one_inside_another_overwrites_nothing_and_is_not_lost)
{
	bool were_on = arch_irq_save();
	vaddr_t bottom = (vaddr_t)percpu(x86_nmi_stack),
		middle = bottom + X86_IST_STACK_SIZE / 2;

	nr_nmis = nmi_max_depth = 0;
	x86_test_nmi = on_nmi;
	nr_nmis_inside = 0;
	raise_nmi();
	nr_nmis_inside = 3; /* the handler runs, is told, and runs once more */
	raise_nmi();
	raise_nmi();
	x86_test_nmi = NULL;
	arch_irq_restore(were_on);

	EXPECT_EQ(nr_nmis, 4);
	EXPECT_EQ(nmi_max_depth, 1);
	for (unsigned i = 0; i < 4; i++)
		EXPECT(nmi_at[i] > bottom && nmi_at[i] < bottom + X86_IST_STACK_SIZE);
	EXPECT(nmi_at[1] == nmi_at[2] && nmi_at[0] == nmi_at[3]);
	EXPECT_NE(nmi_at[0] > middle, nmi_at[1] > middle); /* the halves take turns */
}

/* ---- Page-table entries ---- */

TEST(pte, what_is_encoded_is_decoded)
{
	static const unsigned flags[] = {0, PTE_WRITE, PTE_EXEC, PTE_USER | PTE_WRITE, PTE_GLOBAL | PTE_EXEC,
		PTE_UNCACHED | PTE_WRITE, PTE_WRITE_COMBINE | PTE_WRITE | PTE_GLOBAL};
	static const paddr_t pa[] = {0, 0x40000000, 0xfffffc0000000};

	for (unsigned level = 0; level <= 2; level++) {
		for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
			for (unsigned j = 0; j < ARRAY_LEN(pa); j++) {
				arch_pte pte = arch_pte_leaf(pa[j], flags[i], level);

				EXPECT(arch_pte_is_present(pte) && arch_pte_is_leaf(pte, level));
				EXPECT_EQ(arch_pte_flags(pte, level), flags[i]);
				EXPECT(arch_pte_paddr(pte, level) == pa[j]);
			}
		}
	}
	EXPECT(!arch_pte_is_leaf(arch_pte_table(0x1000), 1));
	EXPECT(arch_pte_paddr(arch_pte_table(0x1234000), 1) == 0x1234000);
	EXPECT(!arch_pte_is_present(0));
}

/* ---- Small parts ---- */

static uint8_t page[3 * 4096] ALIGNED(4096);

TEST(page, zero_does_one_whole_page)
{
	memset(page, 0x5a, sizeof(page));
	arch_page_zero(page + PAGE_SIZE);
	for (unsigned i = 0; i < sizeof(page); i++)
		REQUIRE(page[i] == (i / PAGE_SIZE == 1 ? 0 : 0x5a));
}

NOINLINE static unsigned depth_of(unsigned more)
{
	unsigned depth = 0;
	vaddr_t fp, ra;

	if (more)
		depth = depth_of(more - 1);
	else
		for (fp = arch_frame_pointer(); depth < 100 && arch_backtrace_step(&fp, &ra);)
			depth++;
	compiler_barrier(); /* no tail call */
	return depth;
}

TEST(backtrace, has_a_step_for_every_call_and_ends)
{
	unsigned shallow = depth_of(1);

	EXPECT_GT(shallow, 2);
	EXPECT_LT(shallow, 90);
	EXPECT_EQ(depth_of(8), shallow + 7);
}

TEST(backtrace, a_broken_chain_ends_it)
{
	vaddr_t words[2], fp, ra;

	words[0] = (vaddr_t)words; /* points to itself */
	words[1] = 1;
	fp = (vaddr_t)words;
	EXPECT(!arch_backtrace_step(&fp, &ra));
	fp = NON_CANONICAL;
	EXPECT(!arch_backtrace_step(&fp, &ra));
	fp = (vaddr_t)words + 1;
	EXPECT(!arch_backtrace_step(&fp, &ra));
	fp = 0;
	EXPECT(!arch_backtrace_step(&fp, &ra));
}

TEST(fpu, a_fresh_state_has_the_default_control_words)
{
	uint16_t fcw = 0;
	uint32_t mxcsr = 0;

	if (thread_fpu_begin())
		return test_fail(__FILE__, __LINE__, "no memory for the vector state");
	__asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(fcw), "=m"(mxcsr));
	thread_fpu_end();
	EXPECT_EQ(fcw, 0x37f);	  /* Intel SDM vol.1 8.1.5 */
	EXPECT_EQ(mxcsr, 0x1f80); /* 10.2.3 */
}
