// SPDX-License-Identifier: MIT
/*
 * Starting the other CPUs.
 *
 * A CPU is started by two inter-processor interrupts: INIT puts it in a state where it waits, and
 * STARTUP names a page below 1 MiB where it begins in real mode (trampoline.S). From there it
 * climbs to long mode on a small page table of our own: that one page where it is, executable and
 * not writable, and everything of the kernel's. In C it changes to the kernel's table and joins.
 *
 * One CPU is started at a time, and passes two doors. It claims its start by exchanging a word in
 * the page; then, in C, it arrives by moving a word in its struct cpu. Where we stop waiting, we
 * close that door by the same step, so that exactly one side has its way, and a CPU that comes too
 * late stops there. It is also sent INIT again, and stays in its wait-for-STARTUP state: parked.
 *
 * The page and the four tables of the climb are kept for good, because nobody can tell when a CPU
 * that was given up on its way will look at them for the last time.
 *
 * The 10 ms that the MP specification wants after INIT are for CPUs of the last century; on the
 * newer ones, and in emulators, STARTUP may follow at once.
 *
 * Spec    Intel SDM vol.3 9.4.4; Intel MultiProcessor Specification 1.4 B.4
 */
#include "arch/arch.h"
#include "cpu.h"
#include "cpuid.h"
#include "debug/log.h"
#include "interrupts.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/bootmem.h"
#include "mm/page.h"
#include "mm/pgtable.h"
#include "msr.h"
#include "sched/thread.h"
#include "trampoline.h"

enum {
	LOW_MEMORY_END = 0xa0000,
	INIT_OLD_DELAY_US = 10000,
	INIT_OLD_FAMILY = 6, /* families before it need the delay */
	STARTUP_RETRY_US = 300,
	CLAIM_WAIT_US = 3000000, /* an emulator on a busy host may be slow */
	ARRIVAL_WAIT_US = 10000000,
	POLL_US = 5,
	TABLE_ENTRIES = 512,
	KERNEL_HALF = 256, /* the first top-level entry of kernel addresses */
};

/* cpu->arch.arrival; both moves are from the first. */
enum { ARRIVAL_AWAITED, ARRIVED, ARRIVAL_GIVEN_UP };

struct far_pointer {
	uint32_t offset;
	uint16_t selector;
} PACKED;

/* In the page at TRAMPOLINE_DATA. */
struct trampoline_data {
	uint32_t claim; /* [a] 1: a start is wanted */
	uint32_t cr3;
	uint32_t efer;
	struct far_pointer far_32;
	uint16_t pad0;
	struct far_pointer far_64;
	uint16_t pad1[2];
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint32_t pad2;
	uint64_t cr4, cr0;
	uint64_t cpu, stack, entry;
	uint64_t gdt[4];
} PACKED ALIGNED(8);

static_assert(offsetof(struct trampoline_data, claim) == DATA_CLAIM, "trampoline.S");
static_assert(offsetof(struct trampoline_data, cr3) == DATA_CR3, "trampoline.S");
static_assert(offsetof(struct trampoline_data, efer) == DATA_EFER, "trampoline.S");
static_assert(offsetof(struct trampoline_data, far_32) == DATA_FAR_32, "trampoline.S");
static_assert(offsetof(struct trampoline_data, far_64) == DATA_FAR_64, "trampoline.S");
static_assert(offsetof(struct trampoline_data, gdt_limit) == DATA_GDT_LIMIT, "trampoline.S");
static_assert(offsetof(struct trampoline_data, cr4) == DATA_CR4, "trampoline.S");
static_assert(offsetof(struct trampoline_data, cr0) == DATA_CR0, "trampoline.S");
static_assert(offsetof(struct trampoline_data, cpu) == DATA_CPU, "trampoline.S");
static_assert(offsetof(struct trampoline_data, stack) == DATA_STACK, "trampoline.S");
static_assert(offsetof(struct trampoline_data, entry) == DATA_ENTRY, "trampoline.S");

/* Flat segments, accessed already. Intel SDM vol.3 3.4.5 */
#define GDT_CODE32 0x00cf9b000000fffful
#define GDT_DATA   0x00cf93000000fffful
#define GDT_CODE64 0x00af9b000000fffful

#define EFER_LMA BIT(10)

extern const uint8_t trampoline_start[], trampoline_end[], trampoline_32[], trampoline_64[];

static paddr_t trampoline_page; /* [I] 0: there is no place for one */
static paddr_t kernel_root;	/* [I] after the first start */
static struct tsc_check clocks; /* the CPU being started compares its with ours */

/* The highest free page of low memory: the lower ones are the firmware's and loaders' favourites. */
void arch_reserve_memory(void)
{
	trampoline_page = bootmem_find(PAGE_SIZE, PAGE_SIZE, LOW_MEMORY_END);
	if (trampoline_page)
		bootmem_reserve(trampoline_page, trampoline_page + PAGE_SIZE, "start of other CPUs");
}

/* ---- The page and its table ---- */

/* CR3 is loaded before there are 64-bit registers, so the root must lie below 4 GiB. */
static paddr_t low_table(void)
{
	struct page *page;

	return page_alloc(&page, 0, PAGE_ALLOC_ZERO | PAGE_ALLOC_LOW) ? 0 : page_to_phys(page);
}

static struct pgtable climb = {.alloc_table = low_table}; /* [I] after the first start */

paddr_t smp_climb_root(void)
{
	return climb.root;
}

/* -ENOMEM: the next start tries again, with what this one got. */
static int climb_init(void)
{
	static bool is_mapped;
	int err = -ENOMEM;

	if (is_mapped)
		return 0;
	if (!climb.root)
		climb.root = low_table();
	if (climb.root)
		err = pgtable_map(&climb, trampoline_page, trampoline_page, PAGE_SIZE, PTE_EXEC, 0);
	is_mapped = !err;
	return err;
}

static struct trampoline_data *trampoline_fill(struct cpu *cpu)
{
	uint8_t *page = phys_to_virt(trampoline_page);
	struct trampoline_data *data = (void *)(page + TRAMPOLINE_DATA);
	uint32_t base = (uint32_t)trampoline_page;

	kernel_root = arch_root_get();
	memcpy((arch_pte *)phys_to_virt(climb.root) + KERNEL_HALF,
		(arch_pte *)phys_to_virt(kernel_root) + KERNEL_HALF,
		(TABLE_ENTRIES - KERNEL_HALF) * sizeof(arch_pte));
	assert(trampoline_end - trampoline_start <= TRAMPOLINE_DATA);
	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));

	*data = (struct trampoline_data){
		.cr3 = (uint32_t)climb.root,
		.efer = (uint32_t)(msr_read(MSR_EFER) & ~EFER_LMA),
		.far_32 = { base + (uint32_t)(trampoline_32 - trampoline_start), TRAMPOLINE_CODE32_SEL },
		.far_64 = { base + (uint32_t)(trampoline_64 - trampoline_start), TRAMPOLINE_CODE64_SEL },
		.gdt_limit = sizeof(data->gdt) - 1,
		.gdt_base = base + TRAMPOLINE_DATA + offsetof(struct trampoline_data, gdt),
		.cr4 = x86_cr4_read(),
		.cr0 = x86_cr0_read(),
		.cpu = (vaddr_t)cpu,
		.stack = cpu->current->kstack_top,
		.entry = (vaddr_t)x86_secondary_entry,
		.gdt = { 0, GDT_CODE32, GDT_DATA, GDT_CODE64 },
	};
	clocks = (struct tsc_check){.latest = arch_counter_read()};
	atomic_store_release(&data->claim, 1); /* pairs with the exchange in trampoline.S */
	return data;
}

/* ---- The two interrupts ---- */

static bool wait_until(const uint32_t *word, uint32_t value, uint64_t us)
{
	for (uint64_t waited = 0; waited < us; waited += POLL_US) {
		if (atomic_load_acquire(word) == value) /* pairs with whoever answers */
			return true;
		tsc_spin_us(POLL_US);
	}
	return false;
}

static bool send_start(struct cpu *cpu, struct trampoline_data *data)
{
	uint8_t page_number = (uint8_t)(trampoline_page >> PAGE_SHIFT);

	apic_send((uint32_t)cpu->hw_id, APIC_ICR_INIT, 0);
	if (x86_model.family < INIT_OLD_FAMILY)
		tsc_spin_us(INIT_OLD_DELAY_US);
	apic_send((uint32_t)cpu->hw_id, APIC_ICR_STARTUP, page_number);
	if (wait_until(&data->claim, 0, STARTUP_RETRY_US))
		return true;
	apic_send((uint32_t)cpu->hw_id, APIC_ICR_STARTUP, page_number);
	if (wait_until(&data->claim, 0, CLAIM_WAIT_US))
		return true;
	return atomic_xchg(&data->claim, 0u) == 0; /* at the last moment? */
}

/* When it has claimed its start, how does it end? If badly, it stops as soon as it gets to C. */
static bool has_arrived(struct cpu *cpu)
{
	uint32_t was = ARRIVAL_AWAITED;

	if (wait_until(&cpu->arch.arrival, ARRIVED, ARRIVAL_WAIT_US))
		return true;
	/* At the last moment? */
	return !atomic_cmpxchg(&cpu->arch.arrival, &was, ARRIVAL_GIVEN_UP);
}

int arch_cpu_start(struct cpu *cpu)
{
	struct trampoline_data *data;
	uint64_t ticks;
	int err;

	if (!trampoline_page) {
		log_err("smp: no usable page below 1 MiB to start CPU %u in", cpu->id);
		return -ETIMEDOUT;
	}
	err = climb_init();
	if (err)
		return err;
	data = trampoline_fill(cpu);
	if (!send_start(cpu, data) || !has_arrived(cpu)) {
		apic_send((uint32_t)cpu->hw_id, APIC_ICR_INIT, 0);
		return -ETIMEDOUT;
	}
	ticks = tsc_check_watch(&clocks);
	if (ticks)
		log_err("smp: the TSC of CPU %u differs from ours by %lu ticks or more: time "
			"may run backwards",
			cpu->id, ticks);
	return 0;
}

void x86_secondary_entry(struct cpu *cpu)
{
	uint32_t was = ARRIVAL_AWAITED;

	arch_root_set(kernel_root);
	/* Pairs with has_arrived: from here on the page is free for the next. */
	if (!atomic_cmpxchg(&cpu->arch.arrival, &was, ARRIVED))
		arch_cpu_stop();
	tsc_check_join(&clocks, 0);
	smp_secondary_main(cpu);
}
