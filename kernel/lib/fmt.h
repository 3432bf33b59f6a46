// SPDX-License-Identifier: MIT
/*
 * The one text formatter, with printf's language.
 *
 *     %d %i %u %x %X %o %c %s %p %%     lengths hh h l ll z j t
 *     flags - 0 + space #, width and precision, either as number or as *
 *
 * There is no floating point and no %n. %p is 0x and sixteen digits, so addresses line up. A
 * null %s prints (null); a conversion that does not exist is printed as it stands, since the
 * compiler has already refused it (PRINTF_LIKE).
 *
 * Context  any: no allocation, no lock, no static state, about 200 bytes of stack
 * Spec     C17 7.21.6.1
 */
#pragma once

#include <stdarg.h>

#include "lib/base.h"

/* Where text goes: called with one piece after the other, none of them terminated. */
typedef void fmt_sink(void *ctx, const char *text, size_t len);

/* Formats into a sink. Returns the number of characters sent. Consumes `args`. */
size_t fmt_vformat(fmt_sink *sink, void *ctx, const char *fmt, va_list args) PRINTF_LIKE(3, 0);
size_t fmt_format(fmt_sink *sink, void *ctx, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * Formats into buf[size], cut where the buffer ends and always terminated (unless size is 0).
 *
 * Returns  the length of the whole text without its terminator: size or more means it was cut
 */
size_t snformat(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
size_t vsnformat(char *buf, size_t size, const char *fmt, va_list args) PRINTF_LIKE(3, 0);
