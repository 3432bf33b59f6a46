// SPDX-License-Identifier: MIT
/*
 * The vDSO's pages and their place in a program.
 *
 *     base - PAGE_SIZE    [vvar]  struct vdso_data, read-only
 *     base                [vdso]  the image, an ELF shared object: AT_SYSINFO_EHDR
 *
 * One copy of the image for all programs; a debugger that writes a breakpoint into it gets a
 * private one, as with any private mapping. The pages are never freed.
 *
 * Locks   none: everything is immutable after vdso_init, but for the offset, one atomic word
 */
#include "time/vdso.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/page_source.h"
#include "mm/vmspace.h"
#include "time/clock.h"
#include "time/vdso_data.h"

#include <linux/mman.h>

enum { DATA_PAGE, FIRST_IMAGE_PAGE, MAX_PAGES = 4 };

static struct page *pages[MAX_PAGES]; /* [I] */
static unsigned nr_pages;	      /* [I] 0: there is no vDSO */
static struct vdso_data *data;	      /* [I] in pages[DATA_PAGE] */
static struct page_source source;

/* ---- A page source ---- */

static int get_page(
	struct page_source *s UNUSED, uint64_t index, bool is_write UNUSED, struct page **out)
{
	if (index >= nr_pages)
		return -EFAULT;
	page_get(pages[index]);
	*out = pages[index];
	return 0;
}

static void get_or_put(struct page_source *s UNUSED)
{
}

static const struct page_source_ops source_ops = {
	.get_page = get_page,
	.get = get_or_put,
	.put = get_or_put,
};

/* ---- Start ---- */

static int alloc_pages(unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		int err = page_alloc(&pages[i], 0, PAGE_ALLOC_ZERO);

		if (err) {
			while (i > 0)
				page_put(pages[--i]);
			return err;
		}
	}
	return 0;
}

void vdso_init(void)
{
	const char *image;
	size_t size = arch_vdso_image((const void **)&image);
	unsigned nr = FIRST_IMAGE_PAGE + (unsigned)DIV_ROUND_UP(size, PAGE_SIZE);

	if (size == 0)
		return;
	assert(nr <= MAX_PAGES);
	if (alloc_pages(nr)) {
		log_err("time: no memory for the vDSO");
		return;
	}
	for (size_t done = 0; done < size; done += PAGE_SIZE)
		memcpy(page_to_virt(pages[FIRST_IMAGE_PAGE + done / PAGE_SIZE]), image + done,
			MIN(size - done, PAGE_SIZE));
	data = page_to_virt(pages[DATA_PAGE]);
	*data = (struct vdso_data){
		.start = clock_scale.start,
		.mult = clock_scale.mult,
		.realtime_offset = clock_realtime_offset(),
	};
	page_source_init(&source, &source_ops);
	nr_pages = nr;
}

void vdso_set_realtime_offset(int64_t offset)
{
	if (data)
		atomic_store_relaxed(&data->realtime_offset, offset);
}

/* ---- In a program ---- */

int vdso_map(struct vmspace *vm)
{
	struct map_req image = {
		.size = (nr_pages - FIRST_IMAGE_PAGE) * PAGE_SIZE,
		.flags = VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_SPECIAL,
		.source = &source,
		.offset_pages = FIRST_IMAGE_PAGE,
		.label = "[vdso]",
	};
	struct map_req vvar = {
		.size = FIRST_IMAGE_PAGE * PAGE_SIZE,
		.flags = VM_READ | VM_MAYREAD | VM_DONTDUMP | VM_SPECIAL,
		.map_flags = MAP_FIXED_NOREPLACE,
		.source = &source,
		.offset_pages = DATA_PAGE,
		.label = "[vvar]",
	};
	vaddr_t base;
	int err;

	vm->vdso = 0;
	if (nr_pages == 0)
		return 0;
	err = vmspace_map(vm, &image, &base);
	if (err)
		return err;
	vvar.addr = base - vvar.size;
	err = vmspace_map(vm, &vvar, &vvar.addr);
	if (err == -EEXIST)
		return vmspace_unmap(vm, base, image.size); /* the program does without */
	if (!err)
		vm->vdso = base;
	return err;
}
