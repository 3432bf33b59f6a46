// SPDX-License-Identifier: MIT
/*
 * What the memory allocators ask of a machine, for one host program with one CPU: an arena that
 * stands for physical memory (reserved addresses, touched only where used), locks that check
 * only that they are not taken twice, a log that is silent. Included by one test file.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "debug/log.h"
#include "debug/panic.h"
#include "irq/ipi.h"
#include "lib/assert.h"
#include "mm/bootmem.h"
#include "mm/page.h"
#include "mm/poison.h"
#include "sync/preempt.h"
#include "sync/spinlock.h"

#define FAKE_PHYSICAL (6 * GIB) /* addresses; how much of it is RAM says bootinfo */

struct arch_layout arch_layout;
struct bootinfo bootinfo;
static struct cpu fake_cpu = {.self = &fake_cpu};
struct cpu *cpus[MAX_CPUS] = {&fake_cpu};
struct cpu *sim_this_cpu = &fake_cpu;
struct thread *sim_this_thread = (struct thread *)&fake_cpu; /* only compared */
static bool irqs_on = true;

unsigned cpu_count(void)
{
	return 1;
}

bool sim_irq_is_enabled(void)
{
	return irqs_on;
}

void sim_irq_on(void)
{
	irqs_on = true;
}

bool sim_irq_off(void)
{
	bool were_on = irqs_on;

	irqs_on = false;
	return were_on;
}

void sim_relax(void)
{
}

uint32_t sim_preempt_add(int32_t delta)
{
	return fake_cpu.preempt += (uint32_t)delta;
}

void arch_page_zero(void *page)
{
	__builtin_memset(page, 0, PAGE_SIZE);
}

void sched_preempt(void)
{
}

void ipi_call_others(void (*fn)(void *arg) UNUSED, void *arg UNUSED)
{
}

void irqlock_init(struct irqlock *l, enum lock_rank rank, const char *name)
{
	*l = (struct irqlock)IRQLOCK_INIT(rank, name);
}

void irqlock_lock(struct irqlock *l)
{
	bool were_on = sim_irq_off();

	assert(l->ticket.next == l->ticket.owner); /* not held: there is one CPU */
	l->ticket.next++;
	l->were_enabled = were_on;
}

void irqlock_unlock(struct irqlock *l)
{
	assert(l->ticket.next != l->ticket.owner);
	l->ticket.owner++;
	arch_irq_restore(l->were_enabled);
}

void spinlock_lock(struct spinlock *l)
{
	assert(l->ticket.next == l->ticket.owner);
	l->ticket.next++;
}

void spinlock_unlock(struct spinlock *l)
{
	assert(l->ticket.next != l->ticket.owner);
	l->ticket.owner++;
}

void log_write(enum log_level level UNUSED, const char *fmt UNUSED, ...)
{
}

void log_emergency(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

unsigned backtrace_capture(vaddr_t fp UNUSED, vaddr_t *out, unsigned max)
{
	if (max == 0)
		return 0;
	out[0] = (vaddr_t)__builtin_return_address(0);
	return 1;
}

void symbol_describe(vaddr_t addr, char *buf, size_t size)
{
	snprintf(buf, size, "%#lx", (unsigned long)addr);
}

static void *reserve(size_t size)
{
	void *p = mmap(NULL, size + (PAGE_SIZE << PAGE_MAX_ORDER), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return (void *)ALIGN_UP((uintptr_t)p, PAGE_SIZE << PAGE_MAX_ORDER);
}

/* A machine with this memory map, ready for bootmem_init. What was there before is gone. */
static void fake_machine(const struct mem_range *ranges, unsigned nr)
{
	static vaddr_t arena, array;

	if (!arena) {
		arena = (vaddr_t)reserve(FAKE_PHYSICAL);
		array = (vaddr_t)reserve((FAKE_PHYSICAL >> PAGE_SHIFT) * sizeof(struct page));
	}
	arch_layout.direct_base = arena;
	arch_layout.direct_end = arena + FAKE_PHYSICAL;
	arch_layout.phys_end = FAKE_PHYSICAL;
	arch_layout.page_base = array;
	bootinfo = (struct bootinfo){.nr_mem = nr};
	for (unsigned i = 0; i < nr; i++) {
		bootinfo.mem[i] = ranges[i];
		if (ranges[i].end - ranges[i].start < 256 * MIB)
			memory_unpoison((void *)(arena + ranges[i].start), ranges[i].end - ranges[i].start);
	}
	irqs_on = true;
	fake_cpu.preempt = 0;
}
