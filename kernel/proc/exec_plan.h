// SPDX-License-Identifier: MIT
/*
 * What exec reads out of a file: pure functions (elf_plan.c, script.c), tested on the host.
 */
#pragma once

#include <linux/elf.h>

#include "arch/arch.h"
#include "lib/base.h"

enum {
	EXEC_HEAD_SIZE = 1024, /* what is read of a file at first */
	ELF_MAX_HEADERS = 4096 / sizeof(Elf64_Phdr), /* Linux: they fit one page */
};

/* Where the parts of an ELF file go, relative to its own addresses. */
struct elf_plan {
	uint16_t type; /* ET_EXEC or ET_DYN */
	unsigned nr_headers;
	uint64_t headers_offset; /* in the file */
	uint64_t entry;
	uint64_t start, end; /* all PT_LOAD segments, whole pages */
	uint64_t align;      /* the largest p_align */
	uint64_t headers_at; /* the program headers in memory; 0: in no segment */
	uint64_t brk;        /* the end of the last segment's memory */
	uint64_t code_start, code_end, data_start, data_end;
	bool stack_is_exec;       /* PT_GNU_STACK with PF_X */
	const Elf64_Phdr *interp; /* PT_INTERP, or NULL */
};

/* Whether these bytes begin a file that is ELF and for this machine, and where its headers are:
 * -ENOEXEC. */
MUST_CHECK int elf_check_head(const void *head, size_t len, struct elf_plan *out);
/* The rest of the plan. -ENOEXEC: no segment; -EINVAL: a segment that cannot be mapped. */
MUST_CHECK int elf_plan_segments(struct elf_plan *plan, const Elf64_Phdr *headers);

/* The first line of a script. -ENOEXEC: it is none. Pure. */
struct script_line {
	const char *name, *arg; /* in the head; arg_len 0: no argument */
	size_t name_len, arg_len;
};
MUST_CHECK int script_parse(const char *head, size_t len, struct script_line *out);
