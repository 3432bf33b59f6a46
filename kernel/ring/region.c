// SPDX-License-Identifier: MIT
/*
 * The region of a ring: memory that the program fills with the arguments of its waits once
 * (IORING_ENTER_EXT_ARG_REG), instead of passing them with each.
 *
 * Locks   ring->lock [l]; ring->region is set once, under map_lock too, for page faults
 * Spec    man 2 io_uring_register: IORING_REGISTER_MEM_REGION
 */
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "ring/tables.h"

struct ring_region {
	struct ring_pages pages;
	bool is_for_waits;
};

/* man: E2BIG, EFAULT, EINVAL, EOVERFLOW */
static int check(const struct io_uring_region_desc *d)
{
	uint64_t end;

	if (d->resv[0] || d->resv[1] || d->resv[2] || d->resv[3] ||
		d->flags & ~IORING_MEM_REGION_TYPE_USER)
		return -EINVAL;
	if (!(d->flags & IORING_MEM_REGION_TYPE_USER) != !d->user_addr)
		return -EFAULT;
	if (!d->size || d->mmap_offset || d->id)
		return -EINVAL;
	if (d->size >> PAGE_SHIFT > INT32_MAX)
		return -E2BIG;
	if ((d->user_addr | d->size) & PAGE_MASK)
		return -EINVAL;
	return __builtin_add_overflow(d->user_addr, d->size, &end) ? -EOVERFLOW : 0;
}

static int create(struct ring *ring, struct io_uring_region_desc *d, struct ring_region **out)
{
	struct ring_region *region;
	size_t nr;
	int err = check(d);

	if (err)
		return err;
	nr = d->size >> PAGE_SHIFT;
	region = mem_alloc(sizeof(*region), SLAB_ZERO);
	if (!region)
		return -ENOMEM;
	if (d->flags & IORING_MEM_REGION_TYPE_USER)
		err = ring_pages_pin(ring, &region->pages, d->user_addr, nr);
	else
		err = ring_pages_alloc(ring, &region->pages, nr);
	if (err) {
		mem_free(region);
		return err;
	}
	if (!(d->flags & IORING_MEM_REGION_TYPE_USER))
		d->mmap_offset = IORING_MAP_OFF_PARAM_REGION;
	*out = region;
	return 0;
}

static void destroy(struct ring_region *region)
{
	ring_pages_free(&region->pages);
	mem_free(region);
}

int ring_region_register(struct ring *ring, uptr arg)
{
	struct io_uring_mem_region_reg reg;
	struct io_uring_region_desc desc;
	struct ring_region *region;
	int err;

	if (ring->region)
		return -EBUSY;
	if (user_get(reg, arg) || user_get(desc, UPTR(reg.region_uptr)))
		return -EFAULT;
	if (reg.resv[0] || reg.resv[1] || reg.flags & ~(uint64_t)IORING_MEM_REGION_REG_WAIT_ARG)
		return -EINVAL;
	/* nobody waits by it while it appears */
	if (reg.flags & IORING_MEM_REGION_REG_WAIT_ARG &&
		!(ring->flags & IORING_SETUP_R_DISABLED))
		return -EINVAL;
	err = create(ring, &desc, &region);
	if (err)
		return err;
	region->is_for_waits = reg.flags & IORING_MEM_REGION_REG_WAIT_ARG;
	if (user_put(UPTR(reg.region_uptr), desc)) {
		destroy(region);
		return -EFAULT;
	}
	spinlock_lock(&ring->map_lock);
	ring->region = region;
	spinlock_unlock(&ring->map_lock);
	return 0;
}

void ring_region_fini(struct ring *ring)
{
	if (ring->region)
		destroy(ring->region);
	ring->region = NULL;
}

int ring_region_get_wait(struct ring *ring, uint64_t offset, struct io_uring_reg_wait *out)
{
	const struct ring_region *region = ring->region;
	const char *page;

	if (!region || !region->is_for_waits || offset & (sizeof(long) - 1) ||
		offset > (region->pages.nr << PAGE_SHIFT) - sizeof(*out))
		return -EFAULT;
	for (size_t done = 0, n; done < sizeof(*out); done += n, offset += n) {
		page = page_to_virt(region->pages.page[offset >> PAGE_SHIFT]);
		n = MIN(sizeof(*out) - done, PAGE_SIZE - (offset & PAGE_MASK));
		memcpy((char *)out + done, page + (offset & PAGE_MASK), n);
	}
	compiler_barrier(); /* what is looked at is what was copied */
	return 0;
}

bool ring_region_is_mapped(struct ring *ring)
{
	bool is_mapped;

	spinlock_lock(&ring->map_lock);
	is_mapped = ring->region && !ring->region->pages.is_pinned;
	spinlock_unlock(&ring->map_lock);
	return is_mapped;
}

int ring_region_get_page(struct ring *ring, uint64_t index, struct page **out)
{
	uint64_t at = index - (IORING_MAP_OFF_PARAM_REGION >> PAGE_SHIFT);
	int err = -EFAULT;

	spinlock_lock(&ring->map_lock);
	if (ring->region && !ring->region->pages.is_pinned && at < ring->region->pages.nr) {
		*out = ring->region->pages.page[at];
		page_get(*out);
		err = 0;
	}
	spinlock_unlock(&ring->map_lock);
	return err;
}
