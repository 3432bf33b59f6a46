// SPDX-License-Identifier: MIT
/*
 * The memory of a process: a tree of regions over a page table.
 *
 * A region is a range with one kind of contents and one protection: anonymous (private or
 * shared), or a file's pages through its page cache. Pages appear by faults; fork shares whole
 * page-table pages and copies a table only when one side writes into its 2 MiB (docs/tour).
 *
 * Locks   vm->lock  RANK_VMSPACE, rwlock: readers fault and look, writers change regions.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"
#include "lib/cpumask.h"
#include "lib/rbtree.h"
#include "lib/refcount.h"
#include "mm/page_source.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"
#include "uaccess/uaccess.h"

enum vm_flags {
	VM_READ = 1,
	VM_WRITE = 2,
	VM_EXEC = 4,
	VM_SHARED = 8,
	VM_GROWSDOWN = 16,
	VM_LOCKED = 32,
	VM_NORESERVE = 64,
	VM_MAYREAD = 128, /* what mprotect may add, from how the file was opened */
	VM_MAYWRITE = 256,
	VM_MAYEXEC = 512,
	VM_DONTFORK = 1024,
	VM_WIPEONFORK = 2048,
	VM_DONTDUMP = 4096,
	VM_HUGE = 8192,
	VM_NOHUGE = 16384,
	VM_SPECIAL = 32768, /* vdso and the like: not split, not remapped by others */
	VM_ONFAULT = 65536, /* mlock2 */
};

/*
 *   [V] vm->lock to write, any hold to read
 */
struct region {
	struct rbtree_node node; /* [V] by start, with the largest gap below */
	vaddr_t start, end;      /* [V] with a source: source->lock as well, to write */
	vaddr_t gap, max_gap;    /* [V] free addresses below; the largest of the subtree */
	uint32_t flags;          /* [V] VM_* */
	arch_pte own_leaf;  /* [V] what maps a page of its own, less the address: by flags */
	struct vmspace *vm; /* [I] */
	struct page_source *source;   /* [V] NULL: anonymous; one reference */
	struct list_node source_link; /* source->lock: source->regions */
	uint64_t offset_pages;        /* [V] of start in the source */
	const char *label;            /* [I] "[heap]", "[stack]", "[vdso]" or NULL */
};

#define VM_MAY_ALL (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

struct vmspace {
	refcount refs; /* [a] */
	struct rwlock lock;
	struct rbtree regions;      /* [V] */
	paddr_t root;               /* [I] top page table */
	struct spinlock table_lock; /* [T] page-table contents; RANK_PAGE_TABLE */
	struct cpumask cpus;        /* [a] CPUs that may hold translations */
	struct region *hint;        /* [a] found last; [V] to forget it */
	struct list dying;	/* [V] regions whose source is put when lock has been given back */
	unsigned nr_regions;        /* [V] */
	uint32_t membarrier;	/* [a] proc/membarrier.c: the commands it registered for */
	uint64_t nr_mapped;         /* [V] pages in regions (total_vm) */
	uint64_t nr_data;           /* [V] of those, private and writable: RLIMIT_DATA */
	uint64_t nr_resident;       /* [T] pages present */
	uint64_t peak_resident, peak_mapped; /* see vmspace_counts */
	vaddr_t pin_start, pin_end;  /* [T] mm/vmpin.c: pinned pages are within; both 0: none was */
	bool lock_future, lock_on_fault;     /* [V] mlockall(MCL_FUTURE, MCL_ONFAULT) */
	uint64_t nr_locked;                  /* [V] */
	uint64_t nr_committed;               /* [V] pages accounted for overcommit */
	vaddr_t brk_start, brk;              /* [V] */
	vaddr_t mmap_top;  /* [I] after exec: where bottom-up... top-down search starts */
	vaddr_t stack_top; /* [I] after exec */
	vaddr_t arg_start, arg_end, env_start, env_end; /* [V] /proc/PID/cmdline */
	vaddr_t code_start, code_end, data_start, data_end;
	vaddr_t vdso;
	uint64_t auxv[48]; /* [I] after exec: /proc/PID/auxv */
};

/*
 * What mm has to know of the process that asks, and does not see from its rank: bytes, copied
 * from the rlimits by whoever calls (sys/mem.c, proc/trap.c).
 */
struct vm_limits {
	uint64_t as, data, stack, memlock; /* UINT64_MAX: none */
	bool may_lock;                     /* CAP_IPC_LOCK: memlock does not hold */
};
/* Set by proc/ at start: the current process's limits. */
extern void (*vm_current_limits)(struct vm_limits *out);

void vmspace_init(void); /* after slab_init and kmap_init */
MUST_CHECK int vmspace_create(struct vmspace **out);
/* fork: copies regions, shares page tables copy-on-write. Locks both. -ENOMEM leaves nothing. */
MUST_CHECK int vmspace_fork(struct vmspace *from, struct vmspace **out);
void vmspace_get(struct vmspace *vm);
void vmspace_put(struct vmspace *vm); /* the last one frees all; sleeps */

struct map_req {
	vaddr_t addr;   /* hint, or exact with MAP_FIXED */
	size_t size;    /* bytes, > 0 */
	uint32_t flags; /* VM_* */
	uint32_t
		map_flags; /* MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_POPULATE, MAP_32BIT, MAP_LOCKED ... */
	struct page_source *source;
	uint64_t offset_pages;
	const char *label;
};
/*
 * mmap(2)'s rules and errors: -ENOMEM, -EINVAL, -EEXIST, -EPERM, -EAGAIN. Takes its own reference of
 * the source. Without any VM_MAY*: anonymous and private mappings may have everything, shared ones
 * what they have.
 */
MUST_CHECK int vmspace_map(struct vmspace *vm, const struct map_req *req, vaddr_t *out);
MUST_CHECK int vmspace_unmap(struct vmspace *vm, vaddr_t start, size_t size);
/*
 * What is left of one mapping of a source with these operations, whose first page began at start: all
 * regions of that source which lie where they would lie then. -EINVAL: there is none.
 */
MUST_CHECK int vmspace_unmap_source(
	struct vmspace *vm, vaddr_t start, const struct page_source_ops *ops);
MUST_CHECK int vmspace_protect(struct vmspace *vm, vaddr_t start, size_t size, uint32_t prot);
MUST_CHECK int vmspace_remap(struct vmspace *vm, vaddr_t old, size_t old_size, size_t new_size,
	uint32_t flags, vaddr_t new_addr, vaddr_t *out);
MUST_CHECK int vmspace_advise(struct vmspace *vm, vaddr_t start, size_t size, int advice);
MUST_CHECK int vmspace_lock_range(
	struct vmspace *vm, vaddr_t start, size_t size, bool lock, bool on_fault);
MUST_CHECK int vmspace_lock_all(struct vmspace *vm, int flags); /* mlockall; 0: munlockall */
MUST_CHECK int vmspace_resident(struct vmspace *vm, vaddr_t start, size_t pages, uint8_t *vec);
/* Pages accounted against overcommit by shared memory that is no region (tmpfs). -ENOMEM. */
MUST_CHECK int vm_commit(uint64_t pages);
void vm_uncommit(uint64_t pages);
MUST_CHECK int vmspace_sync(struct vmspace *vm, vaddr_t start, size_t size, int flags);
/* Linux's brk: the new break, or the old one when it could not move. */
vaddr_t vmspace_set_brk(struct vmspace *vm, vaddr_t brk);

/*
 * A fault at a user address, by its program or by the kernel copying. 0: try again.
 * -EFAULT: SIGSEGV, with *code SEGV_MAPERR or SEGV_ACCERR; -EIO: SIGBUS; -ENOMEM: out of memory.
 */
MUST_CHECK int vmspace_fault(struct vmspace *vm, vaddr_t addr, unsigned fault_flags, int *code);

/*
 * The current thread uses vm from now on; NULL: the kernel's addresses alone. For exec and exit.
 * The caller keeps its reference of the old one until after.
 */
void vmspace_use(struct vmspace *vm);
/* The scheduler's switch, when prev->vm != next->vm. Interrupts off. */
void vmspace_switch(struct vmspace *prev, struct vmspace *next);

/* Whether this CPU has vm's tables loaded; a kernel thread may run over them, and drops them here. */
bool vmspace_is_loaded(struct vmspace *vm);

/* Reads or writes another process's memory (ptrace, /proc/PID/mem, process_vm_readv); returns bytes. */
size_t vmspace_access(
	struct vmspace *vm, vaddr_t addr, void *buf, size_t len, bool write, bool force);

/*
 * One region after another for /proc/PID/maps: the first whose end is above `after`. Copies; a
 * source comes with a reference of its own: vmspace_region_done.
 */
bool vmspace_next_region(struct vmspace *vm, vaddr_t after, struct region *out);
/* Puts what the copy holds: once for each that vmspace_next_region gave. */
void vmspace_region_done(struct region *copy);

/*
 * What a word of memory is shared by: *source and *index name the page when a shared mapping of a
 * source has it, without a reference (to be compared, not followed); NULL: the address space alone.
 * -EFAULT: nothing is mapped there.
 */
MUST_CHECK int vmspace_identify(
	struct vmspace *vm, vaddr_t addr, const struct page_source **source, uint64_t *index);

/*
 * nr pages from start on, each with a reference, written through the direct map from now on: pages of
 * private memory are the program's own, and stay the ones that it sees, also after fork. A
 * region that may not be written is -EFAULT; -ENOMEM; -EINTR: killed. Sleeps.
 */
MUST_CHECK int vmspace_pin(struct vmspace *vm, vaddr_t start, size_t nr, struct page **pages);
void pages_unpin(struct page **pages, size_t nr);
