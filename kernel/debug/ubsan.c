// SPDX-License-Identifier: MIT
/*
 * The runtime of -fsanitize=undefined: the compiler calls one of these where an operation had
 * no defined result, with a description of the place. Each ends in a panic: undefined behaviour
 * in a kernel is a bug to be fixed, and a report that scrolls by would not fail a test.
 *
 * The layouts are the compilers' own: clang 14 compiler-rt ubsan_handlers.h, ubsan_value.h; gcc
 * 12 emits the same. Each handler is given a pointer to its static data, which begins with the
 * place (nonnull_return's is given the place as an operand), and then the operands.
 */
#ifdef DEBUG

#include "debug/panic.h"
#include "lib/fmt.h"

struct ubsan_place {
	const char *file;
	uint32_t line;
	uint32_t column;
};

enum { TYPE_INTEGER = 0, TYPE_IS_SIGNED = 1, VALUE_TEXT = 32, INLINE_VALUE_BITS = 64 };

struct ubsan_type {
	uint16_t kind;
	uint16_t info; /* integers: bit 0 signed, the rest log2 of the width in bits */
	char name[];   /* in quotes */
};

/* What every handler's data begins with; the types follow where a handler has them. */
struct ubsan_data {
	struct ubsan_place place;
	const struct ubsan_type *type;
	const struct ubsan_type *second_type;
};

struct ubsan_mismatch {
	struct ubsan_place place;
	const struct ubsan_type *type;
	uint8_t log_alignment;
	uint8_t kind;
};

/* An operand: itself if it fits a register, else a pointer to it. */
static const char *describe(const struct ubsan_type *type, const void *operand, char *text)
{
	uint64_t value = (uintptr_t)operand;
	unsigned bits = 1u << (type->info >> 1);
	int shift = (int)(INLINE_VALUE_BITS - bits);

	if (type->kind != TYPE_INTEGER || bits > INLINE_VALUE_BITS)
		snformat(text, VALUE_TEXT, "(a large value)");
	else if (type->info & TYPE_IS_SIGNED)
		snformat(text, VALUE_TEXT, "%lld",
			(long long)((int64_t)(value << shift) >> shift));
	else
		snformat(text, VALUE_TEXT, "%llu", (unsigned long long)value);
	return text;
}

#define UBSAN_PANIC(place_, fmt, ...)                                                          \
	panic("undefined behaviour: " fmt " (%s:%u:%u)", __VA_ARGS__, (place_)->file,          \
		(place_)->line, (place_)->column)

/*
 * The compilers' own signature of all of them: pointers, some of which carry a value.
 * Prototypes first, because the compiler is the only caller.
 */
#define HANDLER1(name_)                                                                        \
	void __ubsan_handle_##name_(void *data);                                               \
	void __ubsan_handle_##name_(void *data)
#define HANDLER2(name_)                                                                        \
	void __ubsan_handle_##name_(void *data, void *a);                                      \
	void __ubsan_handle_##name_(void *data, void *a)
#define HANDLER3(name_)                                                                        \
	void __ubsan_handle_##name_(void *data, void *a, void *b);                             \
	void __ubsan_handle_##name_(void *data, void *a, void *b)

static NORETURN void arithmetic(
	const struct ubsan_data *d, const void *a, char op, const void *b)
{
	char left[VALUE_TEXT], right[VALUE_TEXT];

	UBSAN_PANIC(&d->place, "%s %c %s does not fit %s", describe(d->type, a, left), op,
		describe(d->type, b, right), d->type->name);
}

HANDLER3(add_overflow)
{
	arithmetic(data, a, '+', b);
}

HANDLER3(sub_overflow)
{
	arithmetic(data, a, '-', b);
}

HANDLER3(mul_overflow)
{
	arithmetic(data, a, '*', b);
}

HANDLER3(divrem_overflow)
{
	arithmetic(data, a, '/', b);
}

HANDLER2(negate_overflow)
{
	const struct ubsan_data *d = data;
	char text[VALUE_TEXT];

	UBSAN_PANIC(
		&d->place, "-(%s) does not fit %s", describe(d->type, a, text), d->type->name);
}

HANDLER3(shift_out_of_bounds)
{
	const struct ubsan_data *d = data;
	char left[VALUE_TEXT], right[VALUE_TEXT];

	UBSAN_PANIC(&d->place, "shift of %s (%s) by %s", describe(d->type, a, left),
		d->type->name, describe(d->second_type, b, right));
}

HANDLER2(out_of_bounds)
{
	const struct ubsan_data *d = data;
	char text[VALUE_TEXT];

	UBSAN_PANIC(&d->place, "index %s out of %s", describe(d->second_type, a, text),
		d->type->name);
}

HANDLER2(vla_bound_not_positive)
{
	const struct ubsan_data *d = data;
	char text[VALUE_TEXT];

	UBSAN_PANIC(&d->place, "an array of %s elements", describe(d->type, a, text));
}

HANDLER2(load_invalid_value)
{
	const struct ubsan_data *d = data;
	char text[VALUE_TEXT];

	UBSAN_PANIC(&d->place, "loaded %s, which no %s is", describe(d->type, a, text),
		d->type->name);
}

HANDLER2(type_mismatch_v1)
{
	const struct ubsan_mismatch *d = data;
	const char *what = !a ? "null pointer"
			   : (uintptr_t)a & (((uintptr_t)1 << d->log_alignment) - 1)
				   ? "misaligned pointer"
				   : "pointer to too little room";

	UBSAN_PANIC(&d->place, "%s %p to %s", what, a, d->type->name);
}

HANDLER3(pointer_overflow)
{
	UBSAN_PANIC((struct ubsan_place *)data, "pointer %p moved to %p", a, b);
}

HANDLER2(nonnull_return_v1)
{
	(void)data; /* the function's attribute; `a` is the place of the return */
	UBSAN_PANIC((struct ubsan_place *)a, "%s", "null returned where that is not allowed");
}

HANDLER1(nonnull_arg)
{
	UBSAN_PANIC((struct ubsan_place *)data, "%s", "a null argument where none is allowed");
}

HANDLER1(builtin_unreachable)
{
	UBSAN_PANIC(
		(struct ubsan_place *)data, "%s", "reached what was said to be unreachable");
}

HANDLER1(missing_return)
{
	UBSAN_PANIC(
		(struct ubsan_place *)data, "%s", "the end of a function that returns a value");
}

HANDLER1(invalid_builtin)
{
	UBSAN_PANIC((struct ubsan_place *)data, "%s", "zero passed to a bit-counting builtin");
}

#endif
