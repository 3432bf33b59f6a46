// SPDX-License-Identifier: MIT
/*
 * A ring: what is full is handed to the sink, and the next byte goes to the front. `at` is below
 * `size` between calls, so a byte can always be put.
 */
#include "lib/window.h"

#include "lib/string.h"

void window_init(struct window *w, uint8_t *bytes, size_t size, byte_sink *sink, void *ctx)
{
	*w = (struct window){.bytes = bytes, .size = size, .sink = sink, .ctx = ctx};
}

int window_flush(struct window *w)
{
	size_t from = w->sent, len = w->at - from;

	w->sent = w->at;
	if (w->at == w->size)
		w->at = w->sent = 0;
	return len ? w->sink(w->ctx, w->bytes + from, len) : 0;
}

/* n bytes have been put at `at`, where there was room for them. */
static int advance(struct window *w, size_t n)
{
	w->at += n;
	w->total += n;
	return w->at < w->size ? 0 : window_flush(w);
}

int window_write(struct window *w, const uint8_t *bytes, size_t len)
{
	int err = 0;

	while (len && !err) {
		size_t n = MIN(len, w->size - w->at);

		memcpy(w->bytes + w->at, bytes, n);
		bytes += n;
		len -= n;
		err = advance(w, n);
	}
	return err;
}

int window_fill(struct window *w, uint8_t byte, size_t len)
{
	int err = 0;

	while (len && !err) {
		size_t n = MIN(len, w->size - w->at);

		memset(w->bytes + w->at, byte, n);
		len -= n;
		err = advance(w, n);
	}
	return err;
}

int window_copy(struct window *w, uint64_t distance, size_t len)
{
	int err = 0;

	if (distance == 0 || distance > w->size || distance > w->total)
		return -EINVAL;
	while (len && !err) {
		size_t from = w->at >= distance ? w->at - distance : w->at + w->size - distance;
		size_t room = MIN(w->size - w->at, w->size - from), n = MIN(len, room);

		for (size_t i = 0; i < n; i++) /* may overlap: then it repeats */
			w->bytes[w->at + i] = w->bytes[from + i];
		len -= n;
		err = advance(w, n);
	}
	return err;
}
