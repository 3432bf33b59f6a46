// SPDX-License-Identifier: MIT
/*
 * Address spaces: from creation to the last reference, and which one a CPU has loaded.
 *
 * A kernel thread runs over whatever address space its CPU had before: nothing in the kernel's
 * half differs. So a CPU's bit in vm->cpus outlives the thread that set it; it goes when the CPU loads
 * another root, or when somebody asks for a flush and finds a kernel thread there. Before the tables
 * are freed, every CPU that still has them is told to load the kernel's own root.
 *
 * The kernel's half of every root is copied from the kernel's root when the root is made; what
 * may be added to that half later hangs below entries that vmspace_init fills at start.
 *
 * Locks   vm->lock, vm->table_lock. loaded [c]: this CPU, interrupts off.
 */
#include "mm/vmspace.h"

#include "arch/cpu.h"
#include "irq/ipi.h"
#include "lib/atomic.h"
#include "mm/phys.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "mm/vmspace_priv.h"
#include "sched/thread.h"
#include "sync/preempt.h"

paddr_t vmspace_kernel_root;
struct page *vmspace_zero_page;
void (*vm_current_limits)(struct vm_limits *out);

static struct slab_cache *vmspace_cache; /* [I] after vmspace_init */
static PERCPU(struct vmspace *, loaded); /* [c] NULL: the kernel's root */

/* ---- Start ---- */

/* Kernel mappings come and go below these entries of every root. */
static void fill_kernel_entries(void)
{
	size_t step = PAGE_SIZE << (9 * ARCH_TOP_LEVEL);
	arch_pte *root = phys_to_virt(vmspace_kernel_root);

	for (vaddr_t va = ALIGN_DOWN(arch_layout.kmap_base, step); va < arch_layout.kmap_end;
		va += step) {
		arch_pte *entry = &root[(va / step) & 511];
		struct page *p;

		if (arch_pte_is_present(*entry))
			continue;
		if (page_alloc(&p, 0, PAGE_ALLOC_ZERO))
			panic("mm: no memory for the kernel's page tables");
		*entry = arch_pte_table(page_to_phys(p));
	}
}

void vmspace_init(void)
{
	int err = slab_cache_create(
		&vmspace_cache, "vmspace", sizeof(struct vmspace), CACHE_LINE);

	if (!err)
		err = page_alloc(&vmspace_zero_page, 0, PAGE_ALLOC_ZERO);
	if (err)
		panic("mm: no memory for address spaces");
	region_init_cache();
	vmspace_kernel_root = arch_root_get();
	if (vmspace_kernel_root) {
		fill_kernel_entries();
		vmtable_init();
	}
}

/* Only a process has limits. */
void vmspace_limits(struct vm_limits *out)
{
	*out = (struct vm_limits){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, true};
	if (arch_current()->user && vm_current_limits)
		vm_current_limits(out);
}

/* ---- Which one is loaded ---- */

/* Interrupts off. */
static void load(struct vmspace *vm)
{
	struct vmspace *old = percpu(loaded);
	unsigned cpu = arch_cpu()->id;

	if (old == vm)
		return;
	if (vm)
		cpumask_set_atomic(
			&vm->cpus, cpu); /* a fence; pairs with the one in tlb_flush_vm */
	percpu(loaded) = vm;
	arch_root_set(vm ? vm->root : vmspace_kernel_root);
	if (old)
		cpumask_clear_atomic(&old->cpus, cpu);
}

void vmspace_switch(struct vmspace *prev UNUSED, struct vmspace *next)
{
	if (next)
		load(next);
}

void vmspace_use(struct vmspace *vm)
{
	struct thread *t = arch_current();
	bool were_enabled = arch_irq_save();

	t->vm = vm;
	load(vm);
	arch_irq_restore(were_enabled);
}

bool vmspace_is_loaded(struct vmspace *vm)
{
	bool were_enabled = arch_irq_save(), is_loaded = percpu(loaded) == vm;

	if (is_loaded && arch_current()->vm != vm) {
		load(NULL);
		is_loaded = false;
	}
	arch_irq_restore(were_enabled);
	return is_loaded;
}

static void unload_asked(void *vm)
{
	if (percpu(loaded) == vm)
		load(NULL);
}

static void unload_everywhere(struct vmspace *vm)
{
	struct cpumask mask = vm->cpus;

	if (!cpumask_is_empty(&mask))
		ipi_call(&mask, unload_asked, vm);
	debug_assert(cpumask_is_empty(&vm->cpus));
}

/* ---- Life ---- */

int vmspace_create(struct vmspace **out)
{
	struct vmspace *vm = slab_alloc(vmspace_cache, SLAB_ZERO);
	int err;

	if (!vm)
		return -ENOMEM;
	err = vmtable_create(vm);
	if (err) {
		slab_free(vmspace_cache, vm);
		return err;
	}
	refcount_init(&vm->refs, 1);
	rwlock_init(&vm->lock, RANK_VMSPACE, "vmspace");
	spinlock_init(&vm->table_lock, RANK_PAGE_TABLE, "page tables");
	region_init_tree(vm);
	vm->mmap_top = ARCH_USER_END;
	*out = vm;
	return 0;
}

void vmspace_get(struct vmspace *vm)
{
	refcount_get(&vm->refs);
}

void vmspace_put(struct vmspace *vm)
{
	if (!refcount_put(&vm->refs))
		return;
	unload_everywhere(vm);
	vm_uncommit(vm->nr_committed);
	region_forget_all(vm);
	vmtable_destroy(vm);
	slab_free(vmspace_cache, vm);
}

/* ---- fork ---- */

static void copy_facts(const struct vmspace *from, struct vmspace *to)
{
	to->brk_start = from->brk_start;
	to->brk = from->brk;
	to->mmap_top = from->mmap_top;
	to->stack_top = from->stack_top;
	to->arg_start = from->arg_start;
	to->arg_end = from->arg_end;
	to->env_start = from->env_start;
	to->env_end = from->env_end;
	to->code_start = from->code_start;
	to->code_end = from->code_end;
	to->data_start = from->data_start;
	to->data_end = from->data_end;
	to->vdso = from->vdso;
	__builtin_memcpy(to->auxv, from->auxv, sizeof(to->auxv));
}

/* What the child must not see is taken out of its tables again. */
static int wipe_exceptions(const struct vmspace *from, struct vmspace *to)
{
	struct gather g;
	int err = 0;

	gather_init(&g, to);
	rbtree_for_each (r, &from->regions, struct region, node) {
		if (err || !(r->flags & (VM_DONTFORK | VM_WIPEONFORK)))
			continue;
		spinlock_lock(&to->table_lock);
		err = vmtable_prepare(to, r->start, r->end, false, &g);
		if (!err)
			vmtable_zap(to, r->start, r->end, &g);
		spinlock_unlock(&to->table_lock);
	}
	gather_finish(&g);
	region_drop_exceptions(to);
	return err;
}

int vmspace_fork(struct vmspace *from, struct vmspace **out)
{
	bool has_exceptions = false;
	struct vmspace *to;
	int err = vmspace_create(&to);

	if (err)
		return err;
	rwlock_write_lock(&from->lock);
	copy_facts(from, to);
	err = region_copy_all(from, to, &has_exceptions);
	if (!err) {
		spinlock_lock(&from->table_lock);
		vmtable_share(from, to);
		spinlock_unlock(&from->table_lock);
		tlb_flush_vm(from, 0, ARCH_USER_END);
		if (UNLIKELY(from->pin_end))
			err = vmspace_copy_pinned(from, to);
		if (UNLIKELY(has_exceptions && !err))
			err = wipe_exceptions(from, to);
	}
	rwlock_write_unlock(&from->lock);
	if (err) {
		vmspace_put(to);
		return err;
	}
	*out = to;
	return 0;
}
