// SPDX-License-Identifier: MIT
/*
 * Decompression of DEFLATE and of gzip files around it. Input is hostile: every length, distance and
 * code is checked.
 *
 * Spec    RFC 1951 (DEFLATE), RFC 1952 (gzip)
 */
#pragma once

#include "lib/base.h"
#include "lib/window.h"

struct inflate; /* 64 KiB and more: from the heap */
extern const size_t inflate_size;

/*
 * One DEFLATE stream from data[*used] on; *used moves behind it.
 *
 * Returns  0; -EINVAL (damaged), -ENODATA (cut short), or what the sink said
 */
MUST_CHECK int inflate(struct inflate *state, const uint8_t *data, size_t size, size_t *used,
	byte_sink *sink, void *ctx);
/* One gzip member: header, stream, checksum and length. */
MUST_CHECK int inflate_gzip(struct inflate *state, const uint8_t *data, size_t size,
	size_t *used, byte_sink *sink, void *ctx);
