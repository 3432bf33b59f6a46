// SPDX-License-Identifier: MIT
/*
 * The output of a decompressor: bytes go to a sink in order, and the last `size` of them can be copied from.
 */
#pragma once

#include "lib/base.h"

/* Where the bytes go, in order. Non-zero ends decompression with that error. */
typedef int byte_sink(void *ctx, const uint8_t *bytes, size_t len);

struct window {
	uint8_t *bytes;
	size_t size;
	size_t at;   /* where the next byte goes; at the end it starts over */
	size_t sent; /* bytes below `at` that the sink has had */
	uint64_t
		total; /* bytes that there are to copy from, ever: more than `size` is the same */
	byte_sink *sink;
	void *ctx;
};

void window_init(struct window *w, uint8_t *bytes, size_t size, byte_sink *sink, void *ctx);
/* Each returns 0 or what the sink said. */
MUST_CHECK int window_flush(struct window *w); /* the sink gets what it has not had */
MUST_CHECK int window_write(struct window *w, const uint8_t *bytes, size_t len);
MUST_CHECK int window_fill(struct window *w, uint8_t byte, size_t len);
/* What is `distance` back, again; -EINVAL: nothing is that far back. */
MUST_CHECK int window_copy(struct window *w, uint64_t distance, size_t len);

static ALWAYS_INLINE MUST_CHECK int window_put(struct window *w, uint8_t byte)
{
	w->bytes[w->at++] = byte;
	w->total++;
	return LIKELY(w->at < w->size) ? 0 : window_flush(w);
}

/* The byte `distance` back, 1 being the last; the caller knows that there is one. */
static ALWAYS_INLINE uint8_t window_get(const struct window *w, size_t distance)
{
	return w->bytes[w->at >= distance ? w->at - distance : w->at + w->size - distance];
}
