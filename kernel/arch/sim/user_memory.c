// SPDX-License-Identifier: MIT
/*
 * User memory of the simulated machine: the tables of the address space that this CPU has loaded
 * are walked in software for each page that a copy touches, and a page that is not there, or not
 * writable, faults into trap_page_fault as on hardware.
 *
 * There is no TLB. Between the walk and the access nothing can come, since the machine's own
 * files are no interleave points; before each walk there is one.
 */
#include "arch/sim/sim_priv.h"

#include "mm/phys.h"
#include "sched/thread.h"
#include "sync/preempt.h"

#include <string.h>

enum { INDEX_BITS = 9, INDEX_MASK = (1 << INDEX_BITS) - 1, TRAP_NR_PAGE_FAULT = 14 };

/* ---- One page ---- */

/* Where the byte is, or NULL. A write must be allowed at each level: shared tables forbid it. */
static char *translate(vaddr_t va, bool is_write, bool *is_present)
{
	paddr_t table = sim_this_cpu->arch.root;

	*is_present = false;
	if (!table)
		return NULL;
	for (unsigned level = ARCH_TOP_LEVEL;; level--) {
		unsigned shift = PAGE_SHIFT + INDEX_BITS * level;
		arch_pte pte = ((arch_pte *)phys_to_virt(table))[va >> shift & INDEX_MASK];
		unsigned flags;

		if (!arch_pte_is_present(pte))
			return NULL;
		if (is_write && !arch_pte_is_writable(pte)) {
			*is_present = true;
			return NULL;
		}
		if (!arch_pte_is_leaf(pte, level)) {
			table = arch_pte_paddr(pte, level);
			continue;
		}
		flags = arch_pte_flags(pte, level);
		if ((flags & PTE_NONE) || !(flags & PTE_USER))
			return NULL;
		return (char *)phys_to_virt(arch_pte_paddr(pte, level)) +
		       (va & (BIT(shift) - 1));
	}
}

/* The same, bringing the page in. NULL: it cannot be, or must not be now. */
static char *reach(vaddr_t va, unsigned flags, struct arch_frame *user)
{
	for (;;) {
		struct trap_info info = {.kind = TRAP_PAGE_FAULT,
			.name = "page fault",
			.nr = TRAP_NR_PAGE_FAULT,
			.addr = va};
		struct arch_frame kernel = {
			.pc = (vaddr_t)__builtin_return_address(0),
			.fp = (vaddr_t)__builtin_frame_address(0),
			.was_irq_enabled = sim.self->irq_on,
			.syscall_nr = -1,
		};
		bool is_present;
		char *at;

		sim_interleave();
		at = translate(va, flags & FAULT_WRITE, &is_present);
		if (at)
			return at;
		if (!arch_current()->vm || !preempt_is_enabled() || !sim.self->irq_on)
			return NULL;
		info.flags = flags | (is_present ? FAULT_PRESENT : 0);
		if (!trap_page_fault(user ? user : &kernel, &info))
			return NULL;
		if (user && (READ_ONCE(arch_current()->flags) & THREAD_RETURN_WORK))
			return NULL; /* a signal: the instruction is not begun again yet */
	}
}

/* ---- Any number of pages ---- */

enum how { READ, WRITE, ZERO };

static size_t copy(vaddr_t at, char *buf, size_t len, enum how how, struct arch_frame *user)
{
	unsigned flags = (how == READ ? 0 : FAULT_WRITE) | (user ? FAULT_USER : 0);
	size_t done = 0;

	while (done < len) {
		size_t n = MIN(len - done, PAGE_SIZE - ((at + done) & (PAGE_SIZE - 1)));
		char *page = reach(at + done, flags, user);

		if (!page)
			break;
		if (how == READ)
			memcpy(buf + done, page, n);
		else if (how == WRITE)
			memcpy(page, buf + done, n);
		else
			memset(page, 0, n);
		done += n;
	}
	return done;
}

size_t arch_user_read(void *to, vaddr_t from, size_t len)
{
	return copy(from, to, len, READ, NULL);
}

size_t arch_user_write(vaddr_t to, const void *from, size_t len)
{
	return copy(to, (char *)(uintptr_t)from, len, WRITE, NULL);
}

size_t arch_user_zero(vaddr_t to, size_t len)
{
	return copy(to, NULL, len, ZERO, NULL);
}

bool sim_user_access(vaddr_t at, void *buf, size_t len, bool is_write)
{
	return copy(at, buf, len, is_write ? WRITE : READ, arch_user_frame(arch_current())) ==
	       len;
}

int64_t arch_user_read_string(char *to, vaddr_t from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (copy(from + i, to + i, 1, READ, NULL) == 0)
			return -EFAULT;
		if (!to[i])
			return (int64_t)i;
	}
	return (int64_t)size;
}

/* ---- Words: aligned, so within one page, and in one step ---- */

int arch_user_load32(uint32_t *out, vaddr_t at)
{
	char *page = reach(at, 0, NULL);

	if (!page)
		return -EFAULT;
	memcpy(out, page, sizeof(*out));
	return 0;
}

int arch_user_store32(vaddr_t at, uint32_t value)
{
	char *page = reach(at, FAULT_WRITE, NULL);

	if (!page)
		return -EFAULT;
	memcpy(page, &value, sizeof(value));
	return 0;
}

int arch_user_cmpxchg32(vaddr_t at, uint32_t expected, uint32_t desired, uint32_t *old)
{
	char *page = reach(at, FAULT_WRITE, NULL);

	if (!page)
		return -EFAULT;
	memcpy(old, page, sizeof(*old));
	if (*old == expected)
		memcpy(page, &desired, sizeof(desired));
	return 0;
}
