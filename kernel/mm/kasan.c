// SPDX-License-Identifier: MIT
/*
 * KASAN: the compiler calls a function here before each load and store, and it looks up whether
 * those bytes may be touched now. Only RAM in the direct map is checked, which is where pages and
 * objects are; stacks, kernel mappings and the image have guard pages and pass.
 *
 * The shadow has one byte for 8 bytes of RAM: 0, all may be touched; 1 to 7, only so many of the
 * first; otherwise enum poison_kind, why not. It lies at the end of the kmap area, its pages are
 * set aside at boot, and it is cleared when checking starts, so what was allocated before may be
 * touched. The allocators poison what is given to them (mm/poison.h).
 *
 * This file is compiled without the sanitizers, and calls nothing that is not, until it reports.
 *
 * Locks   none: a shadow byte belongs to whoever owns the memory.
 * Spec    the names and the meaning of the calls: LLVM AddressSanitizer, "outlined" checks
 */
#include "mm/kasan.h"

#ifdef KASAN

#include "arch/arch.h"
#include "debug/log.h"
#include "debug/panic.h"
#include "lib/assert.h"
#include "mm/bootmem.h"
#include "mm/page.h"
#include "mm/phys.h"
#include "mm/poison.h"
#include "mm/slab_debug.h"

enum { GRANULE = 8, GRANULE_SHIFT = 3, FIRST_POISON = 0x80 };

static bool is_on;		      /* set once, by the boot CPU; cleared by the report that panics */
static uint8_t *shadow;		      /* [I] of physical address 0 */
static kasan_report_fn *report_hook; /* set by tests, one at a time */

static uint8_t *shadow_of(vaddr_t va)
{
	return &shadow[(va - arch_layout.direct_base) >> GRANULE_SHIFT];
}

/* ---- Reports ---- */

static const char *describe(uint8_t value)
{
	switch (value) {
	case POISON_FREE_OBJECT:
		return "use-after-free";
	case POISON_FREE_PAGE:
		return "use of a free page";
	default: /* a red zone, or the part of a granule behind the end */
		return "out-of-bounds access";
	}
}

static NOINLINE void report(vaddr_t at, size_t size, bool is_write, vaddr_t pc)
{
	const char *what = describe(*shadow_of(at));
	struct slab_report object;
	char where[80];

	if (report_hook) {
		report_hook(at, size, is_write, what);
		return;
	}
	is_on = false;
	symbol_describe(pc, where, sizeof(where));
	log_emergency("kasan: %s in %s: %s of %zu bytes at %#lx", what, where,
		is_write ? "write" : "read", size, at);
	if (slab_describe((const void *)at, &object)) {
		log_emergency("kasan: byte %zu of a %s object at %p (%zu bytes)", object.offset,
			object.cache, object.obj, object.size);
		slab_print_traces(&object);
	}
	panic("kasan: %s in %s", what, where);
}

/* ---- Checks ---- */

/* The first byte of the range that may not be touched, or its end. */
static vaddr_t first_bad(vaddr_t at, vaddr_t end)
{
	while (at < end) {
		uint8_t value = *shadow_of(at);
		vaddr_t next = ALIGN_DOWN(at, GRANULE) + GRANULE;

		if (value >= FIRST_POISON)
			return at;
		if (value && (MIN(next, end) - 1) % GRANULE >= value)
			return MAX(at, ALIGN_DOWN(at, GRANULE) + value);
		at = next;
	}
	return end;
}

static ALWAYS_INLINE void check(vaddr_t at, size_t size, bool is_write, vaddr_t pc)
{
	vaddr_t bad;

	if (UNLIKELY(!is_on) || at < arch_layout.direct_base || at >= arch_layout.direct_end)
		return;
	if (LIKELY(size <= GRANULE && *shadow_of(at) == 0 && *shadow_of(at + size - 1) == 0))
		return;
	bad = first_bad(at, at + size);
	if (bad < at + size)
		report(bad, size, is_write, pc);
}

#define DEFINE_CHECKS(size)                                                                    \
	void __asan_load##size##_noabort(vaddr_t at);                                          \
	void __asan_load##size##_noabort(vaddr_t at)                                           \
	{                                                                                      \
		check(at, size, false, (vaddr_t)__builtin_return_address(0));                  \
	}                                                                                      \
	void __asan_store##size##_noabort(vaddr_t at);                                         \
	void __asan_store##size##_noabort(vaddr_t at)                                          \
	{                                                                                      \
		check(at, size, true, (vaddr_t)__builtin_return_address(0));                   \
	}
DEFINE_CHECKS(1)
DEFINE_CHECKS(2)
DEFINE_CHECKS(4)
DEFINE_CHECKS(8)
DEFINE_CHECKS(16)

void __asan_loadN_noabort(vaddr_t at, size_t size);
void __asan_loadN_noabort(vaddr_t at, size_t size)
{
	if (size)
		check(at, size, false, (vaddr_t)__builtin_return_address(0));
}

void __asan_storeN_noabort(vaddr_t at, size_t size);
void __asan_storeN_noabort(vaddr_t at, size_t size)
{
	if (size)
		check(at, size, true, (vaddr_t)__builtin_return_address(0));
}

/* Called before functions that do not return, to clear the shadow of the stack: we have none. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}

/* ---- Poisoning ---- */

static void set_shadow(uint8_t *from, const uint8_t *to, uint8_t value)
{
	while (from < to)
		*from++ = value;
}

void memory_poison(const void *at, size_t size, enum poison_kind kind)
{
	vaddr_t va = (vaddr_t)at;

	if (is_on)
		set_shadow(shadow_of(va), shadow_of(ALIGN_UP(va + size, GRANULE)), (uint8_t)kind);
}

void memory_unpoison(const void *at, size_t size)
{
	vaddr_t va = (vaddr_t)at, end = va + size;

	if (!is_on)
		return;
	set_shadow(shadow_of(va), shadow_of(end), 0);
	if (end % GRANULE)
		*shadow_of(end) = end % GRANULE;
}

/* ---- Start ---- */

void kasan_map_shadow(void)
{
	size_t per_page = PAGE_SIZE / GRANULE;
	size_t size = ALIGN_UP(ALIGN_UP(bootmem_max_pfn(), 1ul << PAGE_MAX_ORDER) * per_page, GIB);

	arch_layout.kmap_end = ALIGN_DOWN(arch_layout.kmap_end - size, GIB);
	assert(arch_layout.kmap_end > arch_layout.kmap_base);
	shadow = (uint8_t *)arch_layout.kmap_end;
	bootmem_map_array((vaddr_t)shadow, per_page, "the KASAN shadow");
}

static void clear_shadow(paddr_t start, paddr_t end, void *ctx UNUSED)
{
	set_shadow(shadow_of(arch_layout.direct_base + start), shadow_of(arch_layout.direct_base + end), 0);
}

void kasan_start(void)
{
	bootmem_for_each_ram(clear_shadow, NULL);
	is_on = true;
	log_info("mm: KASAN checks every access to RAM");
}

void kasan_set_report_hook(kasan_report_fn *fn)
{
	report_hook = fn;
}

#endif
