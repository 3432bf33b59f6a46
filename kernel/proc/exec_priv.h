// SPDX-License-Identifier: MIT
/*
 * The parts of exec: the arguments (exec_args.c), the plan of an ELF file (elf_plan.c, pure), loading
 * by that plan (elf.c), credentials (exec_cred.c), and the order of it all (exec.c).
 */
#pragma once

#include "lib/base.h"
#include "proc/exec_plan.h"
#include "proc/proc_priv.h"

struct cred;
struct file;
struct vmspace;

/* ---- exec_args.c ---- */

enum {
	ARGS_INLINE_PAGES = 4,
	ARGS_INLINE_STRINGS = 64,
	ARGS_PREFIXES =
		16, /* strings that scripts put in front: at most three each, five deep */
};

/*
 * The strings of a new program, in kernel memory: argv, envp, the file's name, one after another
 * with their NULs, as they will be on the stack. What scripts put in front of argv is kept apart.
 */
struct exec_args {
	char **pages; /* each of PAGE_SIZE; inline_pages or memory of its own */
	char *inline_pages[ARGS_INLINE_PAGES];
	size_t nr_pages, max_pages;
	size_t used;       /* bytes in the pages */
	size_t limit;      /* of bytes, pointers already taken off */
	uint32_t *offsets; /* of each string in the pages; inline or memory of its own */
	uint32_t inline_offsets[ARGS_INLINE_STRINGS];
	unsigned nr_strings, max_strings;
	unsigned nr_argv, nr_envp; /* of those strings: argv first, then envp, then the name */
	bool drops_first;          /* argv[0] is replaced by the prefixes */
	char *prefixes[ARGS_PREFIXES]; /* the last is the first argument */
	unsigned nr_prefixes;
	size_t prefix_bytes;
};

void exec_args_init(struct exec_args *a);
void exec_args_fini(struct exec_args *a);
struct exec_params;
/* Copies everything in. -E2BIG, -EFAULT, -ENOMEM. */
MUST_CHECK int exec_args_read(
	struct exec_args *a, const struct exec_params *params, const char *name);
/* In front of what is left of argv; a copy is made. */
MUST_CHECK int exec_args_push(struct exec_args *a, const char *text, size_t len);
void exec_args_drop_first(struct exec_args *a);
static inline unsigned exec_args_argc(const struct exec_args *a)
{
	return a->nr_argv - a->drops_first + a->nr_prefixes;
}
size_t exec_args_bytes(const struct exec_args *a);
/*
 * Puts the strings at `at` (exec_args_bytes long) of the current address space, and the
 * addresses of argv and envp, each list with its NULL, into pointers. *name: where the file's name is.
 */
MUST_CHECK int exec_args_write(
	struct exec_args *a, vaddr_t at, uint64_t *pointers, vaddr_t *name);

/* ---- elf.c ---- */

/* One file being loaded: the program, or its interpreter. */
struct elf_file {
	struct file *file;
	struct elf_plan plan;
	Elf64_Phdr *headers; /* memory of its own, or in head */
	bool owns_headers;
	uint64_t bias; /* added to the file's own addresses */
	char head[EXEC_HEAD_SIZE];
	size_t head_len;
};

struct exec {
	const struct exec_params *params;
	struct elf_file program;
	struct elf_file *interp; /* memory of its own; NULL: there is none */
	char *name;              /* what was asked for: AT_EXECFN, comm; memory of its own */
	char *script_name; /* the file that runs now, when it is not `name`; memory of its own */
	bool is_unreachable; /* the name is of a descriptor that exec closes */
	struct exec_args args;
	struct vmspace *vm; /* the new one */
	struct cred *cred;  /* the new ones; NULL: they stay */
	bool is_secure;     /* AT_SECURE */
	bool hides_memory;  /* the program may be run and not read: not dumpable */
	vaddr_t stack_top, entry;
	uint64_t stack_limit;
	bool is_random; /* addresses are */
};

/* Reads program headers and the interpreter: everything that may fail without harm. */
MUST_CHECK int elf_prepare(struct exec *x);
/* Maps all into x->vm, which is new and nobody uses. An error means that the program cannot run. */
MUST_CHECK int elf_map(struct exec *x);
/* Fills what is left: the ends of bss pages, the stack. The current thread uses x->vm. *sp. */
MUST_CHECK int elf_finish(struct exec *x, vaddr_t *sp);
void elf_file_fini(struct elf_file *f);

/* ---- exec.c ---- */
/* Opens a regular file that the caller may execute; nobody may write it until file_put. */
MUST_CHECK int exec_open_file(int dirfd, const char *name, int at_flags, struct file **out);
/* Up to len bytes from the start; how many there are. */
MUST_CHECK int64_t exec_read_head(struct file *f, void *to, size_t len);
/* The bytes at offset, all of them: -EIO when the file is shorter. */
MUST_CHECK int exec_read(struct file *f, void *to, size_t len, uint64_t offset);

/* ---- exec_cred.c ---- */
/* x->cred and x->is_secure from the program's file. -ENOMEM, -EPERM. */
MUST_CHECK int exec_cred_prepare(struct exec *x);
