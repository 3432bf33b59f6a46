// SPDX-License-Identifier: MIT
/*
 * Kernel translations are the same on every CPU, so every CPU forgets them: one call to all, who
 * flush page by page or, beyond FLUSH_ALL_PAGES, everything (refilling costs less than asking for
 * each).
 *
 * Locks   none: the request lives on the caller's stack until all have answered.
 */
#include "mm/tlb.h"

#include "arch/arch.h"
#include "irq/ipi.h"
#include "lib/assert.h"
#include "sync/preempt.h"

enum { FLUSH_ALL_PAGES = 64 };

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
