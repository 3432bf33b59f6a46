// SPDX-License-Identifier: MIT
/*
 * Decompression of .xz files. Input is hostile: every length, distance and checksum is checked.
 *
 * Spec    The .xz File Format 1.1.0; LZMA and LZMA2 as Igor Pavlov's LZMA SDK specifies them
 */
#pragma once

#include "lib/base.h"
#include "lib/window.h"

struct xz; /* 30 KiB: from the heap */
extern const size_t xz_size;

/*
 * How many bytes of window the stream at `data` needs.
 * Returns  0; -EINVAL (damaged, or a filter or check that is not supported), -ENODATA (cut short)
 */
MUST_CHECK int xz_window_size(const uint8_t *data, size_t size, size_t *window);
/*
 * One stream from data[*used] on; *used moves behind it.
 * Returns  0; -EINVAL (damaged, not supported, or wants a larger window), -ENODATA (cut short), or
 *          what the sink said
 */
MUST_CHECK int xz_unpack(struct xz *state, uint8_t *window, size_t window_size,
	const uint8_t *data, size_t size, size_t *used, byte_sink *sink, void *ctx);
