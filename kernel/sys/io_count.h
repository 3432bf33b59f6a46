// SPDX-License-Identifier: MIT
/*
 * Counting what the current thread reads and writes by system calls, for /proc/PID/io. As on Linux it is
 * read, write, their families, sendfile and copy_file_range that count: not what sockets are sent, nor
 * what splice moves; and a call that got as far as the file, whatever came of it.
 */
#pragma once

#include "lib/base.h"
#include "proc/proc.h"

/* Both return n: what the call says. */
static inline int64_t count_read(int64_t n)
{
	struct io_counts *io = &uthread_current()->io;

	io->syscr++;
	if (n > 0)
		io->rchar += (uint64_t)n;
	return n;
}

static inline int64_t count_write(int64_t n)
{
	struct io_counts *io = &uthread_current()->io;

	io->syscw++;
	if (n > 0)
		io->wchar += (uint64_t)n;
	return n;
}
