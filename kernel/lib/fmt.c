// SPDX-License-Identifier: MIT
/*
 * The formatter: a loop over the format, a parser for one conversion, and two emitters (digits
 * and text), all writing into a sink.
 *
 * The log and panic print through here, so nothing in this file may take a lock, allocate, or
 * depend on anything that is initialised.
 */
#include "lib/fmt.h"

#include "lib/string.h"

enum {
	DIGITS_MAX = 22,     /* 2^64 - 1 in octal */
	POINTER_DIGITS = 16, /* %p: all of them, so that addresses line up */
	PAD_CHUNK = 16,
};

struct out {
	fmt_sink *sink;
	void *ctx;
	size_t len; /* characters sent so far */
};

enum length { LEN_CHAR, LEN_SHORT, LEN_INT, LEN_LONG }; /* LONG is every 64-bit one */

/* One conversion: "%-08.3lx". */
struct spec {
	bool left;      /* '-' */
	bool zero;      /* '0' */
	bool plus;      /* '+' */
	bool space;     /* ' ' */
	bool alternate; /* '#' */
	int width;
	int precision; /* -1: none given */
	enum length length;
	char conversion; /* 0 when the format ended inside it */
};

static void emit(struct out *out, const char *text, size_t len)
{
	if (len)
		out->sink(out->ctx, text, len);
	out->len += len;
}

static void emit_repeated(struct out *out, char c, long count)
{
	char chunk[PAD_CHUNK];

	if (count <= 0)
		return;
	memset(chunk, c, sizeof(chunk));
	for (; count > PAD_CHUNK; count -= PAD_CHUNK)
		emit(out, chunk, PAD_CHUNK);
	emit(out, chunk, (size_t)count);
}

/* Text padded with spaces to the width, on the side the flags say. */
static void emit_text(struct out *out, const struct spec *spec, const char *text, size_t len)
{
	long pad = spec->width - (long)len;

	if (!spec->left)
		emit_repeated(out, ' ', pad);
	emit(out, text, len);
	if (spec->left)
		emit_repeated(out, ' ', pad);
}

/* Writes the digits of `value` to the end of digits[DIGITS_MAX]; returns how many. */
static int make_digits(char *digits, uint64_t value, unsigned base, bool upper)
{
	const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	int count = 0;

	for (; value; value /= base)
		digits[DIGITS_MAX - ++count] = alphabet[value % base];
	return count;
}

/* [spaces] prefix [zeros] digits [spaces]; C17 7.21.6.1: a precision turns the 0 flag off. */
static void emit_number(struct out *out, const struct spec *spec, uint64_t value, unsigned base,
	const char *prefix)
{
	char buf[DIGITS_MAX];
	int digits = make_digits(buf, value, base, spec->conversion == 'X');
	int least = spec->precision < 0 ? 1 : spec->precision;
	long zeros = least > digits ? least - digits : 0;
	long prefix_len = (long)strlen(prefix);
	long pad = spec->width - prefix_len - zeros - digits;

	if (spec->zero && !spec->left && spec->precision < 0 && pad > 0) {
		zeros += pad;
		pad = 0;
	}
	if (!spec->left)
		emit_repeated(out, ' ', pad);
	emit(out, prefix, (size_t)prefix_len);
	emit_repeated(out, '0', zeros);
	emit(out, buf + DIGITS_MAX - digits, (size_t)digits);
	if (spec->left)
		emit_repeated(out, ' ', pad);
}

/* A decimal number or '*' at *fmt; a negative '*' comes back negative. */
static int parse_count(const char **fmt, va_list *args)
{
	enum { COUNT_MAX = 1 << 16 }; /* more is a broken format, not a wish */
	int value = 0;

	if (**fmt == '*') {
		(*fmt)++;
		value = va_arg(*args, int);
		return MAX(MIN(value, COUNT_MAX), -COUNT_MAX);
	}
	for (; char_is_digit(**fmt); (*fmt)++)
		value = MIN(value * 10 + (**fmt - '0'), COUNT_MAX);
	return value;
}

static void parse_flags(const char **fmt, struct spec *spec)
{
	for (;; (*fmt)++) {
		switch (**fmt) {
		case '-':
			spec->left = true;
			break;
		case '0':
			spec->zero = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		case '#':
			spec->alternate = true;
			break;
		default:
			return;
		}
	}
}

static enum length parse_length(const char **fmt)
{
	switch (**fmt) {
	case 'h':
		(*fmt)++;
		if (**fmt != 'h')
			return LEN_SHORT;
		(*fmt)++;
		return LEN_CHAR;
	case 'l':
		(*fmt)++;
		if (**fmt == 'l')
			(*fmt)++;
		return LEN_LONG;
	case 'z':
	case 'j':
	case 't':
		(*fmt)++;
		return LEN_LONG;
	default:
		return LEN_INT;
	}
}

/* Reads what follows a '%', leaving *fmt behind it. */
static struct spec parse_spec(const char **fmt, va_list *args)
{
	struct spec spec = {.precision = -1};

	parse_flags(fmt, &spec);
	spec.width = parse_count(fmt, args);
	if (spec.width < 0) {
		spec.left = true;
		spec.width = -spec.width;
	}
	if (**fmt == '.') {
		(*fmt)++;
		spec.precision = parse_count(fmt, args);
		if (spec.precision < 0) /* a negative '*' counts as none given */
			spec.precision = -1;
	}
	spec.length = parse_length(fmt);
	spec.conversion = **fmt;
	if (spec.conversion)
		(*fmt)++;
	return spec;
}

static int64_t signed_arg(enum length length, va_list *args)
{
	static_assert(sizeof(long) == sizeof(long long) && sizeof(long) == sizeof(size_t),
		"l, ll, z, j and t are one width here");

	switch (length) {
	case LEN_CHAR:
		return (signed char)va_arg(*args, int);
	case LEN_SHORT:
		return (short)va_arg(*args, int);
	case LEN_INT:
		return va_arg(*args, int);
	case LEN_LONG:
		break;
	}
	return va_arg(*args, long);
}

static uint64_t unsigned_arg(enum length length, va_list *args)
{
	switch (length) {
	case LEN_CHAR:
		return (unsigned char)va_arg(*args, unsigned);
	case LEN_SHORT:
		return (unsigned short)va_arg(*args, unsigned);
	case LEN_INT:
		return va_arg(*args, unsigned);
	case LEN_LONG:
		break;
	}
	return va_arg(*args, unsigned long);
}

static void emit_signed(struct out *out, const struct spec *spec, int64_t value)
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	const char *sign = "";

	if (value < 0)
		sign = "-";
	else if (spec->plus)
		sign = "+";
	else if (spec->space)
		sign = " ";
	emit_number(out, spec, magnitude, 10, sign);
}

static void emit_unsigned(struct out *out, const struct spec *spec, uint64_t value)
{
	bool marked = spec->alternate && value != 0;

	switch (spec->conversion) {
	case 'x':
		emit_number(out, spec, value, 16, marked ? "0x" : "");
		break;
	case 'X':
		emit_number(out, spec, value, 16, marked ? "0X" : "");
		break;
	case 'o':
		emit_number(out, spec, value, 8, marked ? "0" : "");
		break;
	default:
		emit_number(out, spec, value, 10, "");
	}
}

static void emit_pointer(struct out *out, const struct spec *spec, const void *pointer)
{
	struct spec hex = *spec;

	hex.precision = POINTER_DIGITS;
	emit_number(out, &hex, (uintptr_t)pointer, 16, "0x");
}

static void emit_string(struct out *out, const struct spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	emit_text(out, spec, s, spec->precision < 0 ? strlen(s) : strnlen(s, spec->precision));
}

/* One conversion; `start` is its '%' and `end` what follows it, for the one that is unknown. */
static void emit_conversion(struct out *out, const struct spec *spec, va_list *args,
	const char *start, const char *end)
{
	char c;

	switch (spec->conversion) {
	case 'd':
	case 'i':
		emit_signed(out, spec, signed_arg(spec->length, args));
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		emit_unsigned(out, spec, unsigned_arg(spec->length, args));
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		emit_text(out, spec, &c, 1);
		break;
	case 's':
		emit_string(out, spec, va_arg(*args, const char *));
		break;
	case 'p':
		emit_pointer(out, spec, va_arg(*args, const void *));
		break;
	case '%':
		emit(out, "%", 1);
		break;
	default:
		emit(out, start, (size_t)(end - start));
	}
}

size_t fmt_vformat(fmt_sink *sink, void *ctx, const char *fmt, va_list args)
{
	struct out out = {.sink = sink, .ctx = ctx};
	va_list rest; /* a va_list parameter may be a pointer already: take a real one */

	va_copy(rest, args);
	while (*fmt) {
		const char *start = fmt;
		struct spec spec;

		while (*fmt && *fmt != '%')
			fmt++;
		emit(&out, start, (size_t)(fmt - start));
		if (!*fmt)
			break;
		start = fmt++;
		spec = parse_spec(&fmt, &rest);
		emit_conversion(&out, &spec, &rest, start, fmt);
	}
	va_end(rest);
	return out.len;
}

size_t fmt_format(fmt_sink *sink, void *ctx, const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = fmt_vformat(sink, ctx, fmt, args);
	va_end(args);
	return len;
}

/* ---- Into a buffer ---- */

struct buffer {
	char *at;
	size_t room; /* not counting the terminator */
};

static void buffer_sink(void *ctx, const char *text, size_t len)
{
	struct buffer *buffer = ctx;
	size_t fits = MIN(len, buffer->room);

	memcpy(buffer->at, text, fits);
	buffer->at += fits;
	buffer->room -= fits;
}

static void discard_sink(void *ctx UNUSED, const char *text UNUSED, size_t len UNUSED)
{
}

size_t vsnformat(char *buf, size_t size, const char *fmt, va_list args)
{
	struct buffer buffer = {.at = buf, .room = size - 1};
	size_t len;

	if (!size)
		return fmt_vformat(discard_sink, NULL, fmt, args);
	len = fmt_vformat(buffer_sink, &buffer, fmt, args);
	*buffer.at = '\0';
	return len;
}

size_t snformat(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = vsnformat(buf, size, fmt, args);
	va_end(args);
	return len;
}
