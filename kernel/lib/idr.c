// SPDX-License-Identifier: MIT
/*
 * Ids on a radix tree, which finds the first free key by itself.
 */
#include "lib/idr.h"

#include "lib/assert.h"

void idr_init(struct idr *idr, uint64_t min, uint64_t max, struct allocator *allocator)
{
	assert(min <= max && max < UINT64_MAX);
	radix_init(&idr->items, allocator);
	idr->min = min;
	idr->max = max;
	idr->next = min;
}

void idr_fini(struct idr *idr)
{
	radix_clear(&idr->items);
}

int idr_alloc_from(struct idr *idr, void *item, uint64_t from, uint64_t *out)
{
	uint64_t id;
	int err;

	if (!radix_find_free(&idr->items, MAX(from, idr->min), &id) || id > idr->max)
		return -ENOSPC;
	err = radix_insert(&idr->items, id, item);
	if (err)
		return err;
	*out = id;
	return 0;
}

int idr_alloc(struct idr *idr, void *item, uint64_t *out)
{
	return idr_alloc_from(idr, item, idr->min, out);
}

int idr_alloc_cyclic(struct idr *idr, void *item, uint64_t *out)
{
	int err = idr_alloc_from(idr, item, idr->next, out);

	if (err == -ENOSPC)
		err = idr_alloc(idr, item, out);
	if (!err)
		idr->next = *out + 1; /* past max is fine: it turns round on the next call */
	return err;
}

int idr_alloc_at(struct idr *idr, void *item, uint64_t id)
{
	if (id < idr->min || id > idr->max)
		return -ENOSPC;
	return radix_insert(&idr->items, id, item);
}

void *idr_lookup(const struct idr *idr, uint64_t id)
{
	return radix_lookup(&idr->items, id);
}

void *idr_free(struct idr *idr, uint64_t id)
{
	return radix_erase(&idr->items, id);
}

void *idr_find(const struct idr *idr, uint64_t *id)
{
	return radix_find(&idr->items, id);
}
