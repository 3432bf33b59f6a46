// SPDX-License-Identifier: MIT
/*
 * Kernel translations are the same on every CPU, so every CPU forgets them: one call to all, who
 * flush page by page or, beyond FLUSH_ALL_PAGES, everything (refilling costs less than asking for
 * each). An address space's are known to those CPUs whose bit is in vm->cpus: mm/vmspace.c sets
 * it before it loads the root. A CPU that runs a kernel thread over them drops them altogether
 * and is not asked again.
 *
 * Locks   none: the request lives on the caller's stack until all have answered.
 */
#include "mm/tlb.h"

#include "arch/arch.h"
#include "irq/ipi.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "mm/vmspace.h"
#include "sync/preempt.h"

enum { FLUSH_ALL_PAGES = 64, FLUSH_USER_PAGES = 32 };

struct flush {
	vaddr_t start;
	size_t size;
};

static void flush_here(void *arg)
{
	const struct flush *f = arg;

	if (f->size > FLUSH_ALL_PAGES * PAGE_SIZE) {
		arch_tlb_flush_all();
		return;
	}
	for (size_t at = 0; at < f->size; at += PAGE_SIZE)
		arch_tlb_flush_page(f->start + at);
}

void tlb_flush_kernel(vaddr_t start, size_t size)
{
	struct flush f = {start, size};

	debug_assert(arch_irq_enabled() || cpu_count() == 1);
	preempt_disable(); /* "here" and "others" are about the same CPU */
	flush_here(&f);
	if (cpu_count() > 1)
		ipi_call_others(flush_here, &f);
	preempt_enable();
}

struct vm_flush {
	struct vmspace *vm;
	vaddr_t start;
	size_t size;
};

static void flush_vm_here(const struct vm_flush *f)
{
	if (f->size > FLUSH_USER_PAGES * PAGE_SIZE) {
		arch_root_set(arch_root_get());
		return;
	}
	for (size_t at = 0; at < f->size; at += PAGE_SIZE)
		arch_tlb_flush_page(f->start + at);
}

static void flush_vm_asked(void *arg)
{
	const struct vm_flush *f = arg;

	if (vmspace_is_loaded(f->vm))
		flush_vm_here(f);
}

void tlb_flush_vm(struct vmspace *vm, vaddr_t start, size_t size)
{
	struct vm_flush f = {vm, start, size};

	preempt_disable(); /* "here" and "others" are about the same CPU */
	if (vmspace_is_loaded(vm))
		flush_vm_here(&f);
	if (cpu_count() > 1) {
		struct cpumask others;

		atomic_fence(); /* the tables were changed before; pairs with the one in load() */
		others = vm->cpus;
		cpumask_clear(&others, arch_cpu()->id);
		if (!cpumask_is_empty(&others)) {
			debug_assert(arch_irq_enabled());
			ipi_call(&others, flush_vm_asked, &f);
		}
	}
	preempt_enable();
}

static void flush_users_here(void *arg UNUSED)
{
	arch_root_set(arch_root_get());
}

void tlb_flush_all_users(void)
{
	preempt_disable();
	flush_users_here(NULL);
	if (cpu_count() > 1)
		ipi_call_others(flush_users_here, NULL);
	preempt_enable();
}
