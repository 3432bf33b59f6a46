// SPDX-License-Identifier: MIT
/*
 * Decompression of Zstandard frames, without dictionaries. Input is hostile: every length, distance and
 * code is checked.
 *
 * Spec    RFC 8878
 */
#pragma once

#include "lib/base.h"
#include "lib/window.h"

struct zstd; /* 150 KiB: from the heap */
extern const size_t zstd_size;

/* How many bytes of window the frame at `data` needs. -EINVAL, -ENODATA: as below. */
MUST_CHECK int zstd_window_size(const uint8_t *data, size_t size, size_t *window);
/*
 * One frame from data[*used] on, perhaps one to be skipped; *used moves behind it.
 * Returns  0; -EINVAL (damaged, a dictionary, or wants a larger window), -ENODATA (cut short), or
 *          what the sink said
 */
MUST_CHECK int zstd_unpack(struct zstd *state, uint8_t *window, size_t window_size,
	const uint8_t *data, size_t size, size_t *used, byte_sink *sink, void *ctx);
