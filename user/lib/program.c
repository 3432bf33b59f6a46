// SPDX-License-Identifier: MIT
/*
 * From the first instruction to the last: arguments, output, messages, memory.
 *
 * Memory is a large array of zeroes of which the kernel provides a page when it is touched, so taking some
 * is an addition and asks nobody.
 */
#include "program.h"

#include <asm/unistd.h>

#include "arch.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "ops.h"
#include "ring.h"

enum { OUT_SIZE = 32768, LINE_SIZE = 1024, STDERR = 2, ALIGNMENT = 16 };
#define MEMORY_SIZE (64 * MIB)

const char *program_name;
char **environ;

/* ---- Begin and end ---- */

void start(uint64_t *stack);
void start(uint64_t *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

	environ = argv + argc + 1;
	program_name = argc == 0 ? "?" : slash ? slash + 1 : argv[0];
	quit(main(argc, argv));
}

void quit(int status)
{
	int err = out_flush();

	if (err && err != -EPIPE)
		complain("standard output: %s", error_text(err));
	for (;;) /* the one call that no other thread can make for us */
		arch_syscall(__NR_exit_group, (uint64_t)(err && !status ? 1 : status), 0, 0, 0,
			0, 0);
}

/* ---- Output ---- */

static struct {
	char text[OUT_SIZE];
	size_t len;
	int error;
} output;

int write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		int n = ring_await(op_write(fd, at, (unsigned)MIN(len, GIB), -1));

		if (n < 0)
			return n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int out_flush(void)
{
	size_t len = output.len;

	output.len = 0;
	if (len && !output.error)
		output.error = write_all(1, output.text, len);
	return output.error;
}

void out_bytes(const void *bytes, size_t len)
{
	const char *from = bytes;

	while (len) {
		size_t n = MIN(len, sizeof(output.text) - output.len);

		memcpy(output.text + output.len, from, n);
		output.len += n;
		from += n;
		len -= n;
		if (output.len == sizeof(output.text))
			(void)out_flush();
	}
}

static void to_output(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	out_bytes(text, len);
}

void out(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fmt_vformat(to_output, NULL, fmt, args);
	va_end(args);
}

/* ---- Messages ---- */

const char *error_text(long error)
{
	const char *name = errno_name((int)-error);

	return name ? name : "unknown error";
}

void complain(const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;
	size_t len = snformat(line, sizeof(line) - 1, "%s: ", program_name);

	va_start(args, fmt);
	len += vsnformat(line + len, sizeof(line) - 1 - len, fmt, args);
	va_end(args);
	len = MIN(len, sizeof(line) - 2);
	line[len++] = '\n';
	(void)out_flush(); /* in the order in which it was said */
	(void)write_all(STDERR, line, len);
}

int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	complain("%s: %s", what, error_text(result));
	quit(1);
}

void must_begin(long result, const char *what)
{
	char line[LINE_SIZE];
	size_t len;

	if (result >= 0)
		return;
	len = snformat(
		line, sizeof(line), "%s: %s: %s\n", program_name, what, error_text(result));
	arch_syscall(__NR_write, STDERR, (uint64_t)line, len, 0, 0, 0);
	arch_syscall(__NR_exit_group, 1, 0, 0, 0, 0, 0);
}

/* ---- Memory ---- */

/* What is taken grows from one end, what is kept from the other. */
static char memory[MEMORY_SIZE] ALIGNED(4096);
static size_t taken, kept_from = MEMORY_SIZE;

static size_t aligned(size_t size)
{
	size = ALIGN_UP(MIN(size, MEMORY_SIZE), (size_t)ALIGNMENT);
	if (size > kept_from - taken) {
		complain("out of memory");
		quit(1);
	}
	return size;
}

void *take(size_t size)
{
	char *at = memory + taken;

	taken += aligned(size);
	return at;
}

size_t take_mark(void)
{
	return taken;
}

void take_back(size_t mark)
{
	memset(memory + mark, 0, taken - mark);
	taken = mark;
}

void *keep(size_t size)
{
	kept_from -= aligned(size);
	return memory + kept_from;
}
