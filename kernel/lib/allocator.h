// SPDX-License-Identifier: MIT
/*
 * Where a container of lib/ gets its nodes: lib ranks below mm, so memory comes in through this
 * interface. mm offers one over the slab; tests offer ones that fail at the n-th call.
 */
#pragma once

#include "lib/base.h"

struct allocator {
	/* Zeroed memory, aligned to 8 bytes at least, or null. May be asked in any context in
	 * which the container itself is used. */
	void *(*alloc)(struct allocator *self, size_t size);
	/* `size` is the one it was allocated with. Never null. */
	void (*free)(struct allocator *self, void *object, size_t size);
};
