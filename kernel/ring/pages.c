// SPDX-License-Identifier: MIT
/*
 * Memory that programs and the kernel share, page by page: the program's own, pinned; or the kernel's,
 * which the program maps.
 *
 * Both count against RLIMIT_MEMLOCK of the user who made the ring, unless he had CAP_IPC_LOCK then.
 *
 * Locks   none: who has a ring_pages has it alone
 */
#include <linux/resource.h>

#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "ring/tables.h"

/* Memory for the list. -ENOMEM. */
static int begin(struct ring_pages *p, size_t nr, bool is_pinned)
{
	*p = (struct ring_pages){.nr = nr, .is_pinned = is_pinned};
	p->page = mem_alloc(nr * sizeof(struct page *), SLAB_ZERO);
	return p->page ? 0 : -ENOMEM;
}

static int charge(const struct ring *ring, struct ring_pages *p)
{
	struct user *u = ring->user;

	if (!u)
		return 0;
	if (!user_charge_nr(
		    u, USER_PINNED_PAGES, p->nr, proc_rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT))
		return -ENOMEM;
	user_hold(u);
	p->user = u;
	return 0;
}

int ring_pages_pin(const struct ring *ring, struct ring_pages *p, uint64_t addr, size_t nr)
{
	int err = begin(p, nr, true);

	if (err)
		return err;
	err = vmspace_pin(arch_current()->vm, ALIGN_DOWN(addr, PAGE_SIZE), nr, p->page);
	if (err) {
		mem_free(p->page);
		*p = (struct ring_pages){0};
		return err;
	}
	err = charge(ring, p);
	if (err)
		ring_pages_free(p);
	return err;
}

int ring_pages_alloc(const struct ring *ring, struct ring_pages *p, size_t nr)
{
	int err = begin(p, nr, false);

	if (!err)
		err = charge(ring, p);
	for (size_t i = 0; !err && i < nr; i++)
		err = page_alloc_zeroed(&p->page[i]);
	if (err)
		ring_pages_free(p);
	return err;
}

void ring_pages_free(struct ring_pages *p)
{
	if (p->page && p->is_pinned)
		pages_unpin(p->page, p->nr);
	for (size_t i = 0; p->page && !p->is_pinned && i < p->nr && p->page[i]; i++)
		page_put(p->page[i]);
	if (p->user) {
		user_uncharge_nr(p->user, USER_PINNED_PAGES, p->nr);
		user_release(p->user);
	}
	mem_free(p->page);
	*p = (struct ring_pages){0};
}
