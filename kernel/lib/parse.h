// SPDX-License-Identifier: MIT
/*
 * Numbers from text: the command line, /proc and /sys files. Nothing overflows silently and
 * nothing trailing is ignored.
 *
 * Returns  0 and the value in *out; -EINVAL for what is not one; -ERANGE for one that is too
 *          large. *out and *at are written only on success.
 *
 * The take_ functions read the front of *at and move *at behind it; the others want the whole
 * string to be the value. Base 0 means by prefix: 0x hexadecimal, 0 octal, else decimal.
 */
#pragma once

#include "lib/base.h"

MUST_CHECK int parse_take_u64(const char **at, unsigned base, uint64_t *out);

/* A number in any base, then perhaps K, M, G, T, P or E (powers of 1024, either case). */
MUST_CHECK int parse_take_size(const char **at, uint64_t *out);

/* "first-last", both included and in this order, or "first" alone: CPU lists and the like. */
MUST_CHECK int parse_take_range(const char **at, uint64_t *first, uint64_t *last);

MUST_CHECK int parse_u64(const char *s, unsigned base, uint64_t *out);
MUST_CHECK int parse_s64(const char *s, unsigned base, int64_t *out);
MUST_CHECK int parse_size(const char *s, uint64_t *out);
MUST_CHECK int parse_range(const char *s, uint64_t *first, uint64_t *last);

/* 1 y yes on true, 0 n no off false; any case. */
MUST_CHECK int parse_bool(const char *s, bool *out);
