// SPDX-License-Identifier: MIT
/*
 * What a program has without a libc: arguments, output, messages, memory, an end.
 *
 * A program is a function main(). Text is formatted by the kernel's own formatter (kernel/lib/fmt.h), strings
 * are kernel/lib/string.h.
 */
#pragma once

#include "lib/base.h"

extern const char *program_name; /* of argv[0] the last part */
extern char **environ;           /* the environment: "NAME=value" strings, its end NULL */

int main(int argc, char **argv);

/* ---- Standard output, collected until there is much, out_flush, or the end ---- */

void out(const char *fmt, ...) PRINTF_LIKE(1, 2);
void out_bytes(const void *bytes, size_t len);
/* 0, or what the first write that failed said. */
int out_flush(void);

/* ---- Messages ---- */

/* "NAME: text" on standard error. */
void complain(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* "ENOENT" for -ENOENT. */
const char *error_text(long error);
/* A result that is no error; otherwise says "NAME: what: ENOENT" and ends the program with status 1. */
int must(int result, const char *what);
/* The same in the set-up, when there is no ring to speak through. */
void must_begin(long result, const char *what);

/* Writes what was collected, and ends. */
NORETURN void quit(int status);

/* ---- Memory ---- */

/*
 * Zeroed, aligned to 16, never given back. A page of it costs something when it is touched. Ends the program
 * when 64 MiB are used up.
 */
void *take(size_t size);
/* take_back() takes back all that was taken since take_mark(). */
size_t take_mark(void);
void take_back(size_t mark);
/* As take(), for good. */
void *keep(size_t size);

/* ---- Bytes from one file to another ---- */

/*
 * Copies what is left of `from`: by pages where one of them is a pipe, otherwise reading a block while the one
 * before it is written. Returns 0 or an error; *who is then the descriptor that was at fault.
 */
int pump(int from, int to, int *who);
/* Writes all of it, at the file's position. */
int write_all(int fd, const void *bytes, size_t len);
