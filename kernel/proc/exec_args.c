// SPDX-License-Identifier: MIT
/*
 * The arguments and the environment of a new program.
 *
 * They come from the old program's memory and go to the new one's, which does not exist yet: so they
 * are copied into kernel pages first, each string once, in the order in which the new stack has
 * them. Where each begins is remembered, so that writing the pointers needs no second look at them.
 *
 * Limits as on Linux: a string has at most 128 KiB with its NUL; all strings and their pointers
 * together a quarter of the stack's limit, at most 6 MiB, and 128 KiB in any case.
 *
 * Spec    man 2 execve, "Limits on size of arguments and environment"
 */
#include <linux/binfmts.h>
#include <linux/limits.h>
#include <linux/resource.h>

#include "lib/string.h"
#include "mm/slab.h"
#include "proc/exec_priv.h"
#include "proc/spawn.h"

enum {
	MAX_BYTES = 6 << 20, /* Linux: 3/4 of _STK_LIM */
	STACK_PARTS = 4,
	POINTER_SIZE = sizeof(uint64_t),
};

void exec_args_init(struct exec_args *a)
{
	a->pages = a->inline_pages;
	a->max_pages = ARGS_INLINE_PAGES;
	a->nr_pages = 0;
	a->used = 0;
	a->offsets = a->inline_offsets;
	a->max_strings = ARGS_INLINE_STRINGS;
	a->nr_strings = a->nr_argv = a->nr_envp = 0;
	a->drops_first = false;
	a->nr_prefixes = 0;
	a->prefix_bytes = 0;
	a->limit = MIN(proc_rlimit(RLIMIT_STACK) / STACK_PARTS, (uint64_t)MAX_BYTES);
	a->limit = MAX(a->limit, (size_t)ARG_MAX);
}

void exec_args_fini(struct exec_args *a)
{
	for (size_t i = 0; i < a->nr_pages; i++)
		mem_free(a->pages[i]);
	if (a->pages != a->inline_pages)
		mem_free(a->pages);
	if (a->offsets != a->inline_offsets)
		mem_free(a->offsets);
	for (unsigned i = 0; i < a->nr_prefixes; i++)
		mem_free(a->prefixes[i]);
}

/* ---- Growing ---- */

/* Memory for twice as many elements, with the old ones copied. */
static void *grow(void *old, bool is_inline, size_t old_bytes)
{
	void *bigger = mem_alloc(2 * old_bytes, 0);

	if (!bigger)
		return NULL;
	memcpy(bigger, old, old_bytes);
	if (!is_inline)
		mem_free(old);
	return bigger;
}

static int add_page(struct exec_args *a)
{
	char *page;

	if (a->nr_pages == a->max_pages) {
		char **bigger = grow(a->pages, a->pages == a->inline_pages,
			a->max_pages * sizeof(a->pages[0]));

		if (!bigger)
			return -ENOMEM;
		a->pages = bigger;
		a->max_pages *= 2;
	}
	page = mem_alloc(PAGE_SIZE, 0);
	if (!page)
		return -ENOMEM;
	a->pages[a->nr_pages++] = page;
	return 0;
}

/* A string begins here; its pointer counts against the limit. */
static int begin_string(struct exec_args *a)
{
	if (a->limit < POINTER_SIZE)
		return -E2BIG;
	a->limit -= POINTER_SIZE;
	if (a->nr_strings == a->max_strings) {
		uint32_t *bigger = grow(a->offsets, a->offsets == a->inline_offsets,
			a->max_strings * sizeof(a->offsets[0]));

		if (!bigger)
			return -ENOMEM;
		a->offsets = bigger;
		a->max_strings *= 2;
	}
	a->offsets[a->nr_strings++] = (uint32_t)a->used;
	return 0;
}

/* Where the next byte goes, and how much room is there. */
static int room(struct exec_args *a, char **to, size_t *len)
{
	size_t in_page = a->used & PAGE_MASK;

	if (a->used == a->nr_pages * PAGE_SIZE) {
		int err = add_page(a);

		if (err)
			return err;
	}
	*to = a->pages[a->used / PAGE_SIZE] + in_page;
	*len = PAGE_SIZE - in_page;
	return 0;
}

static int account(struct exec_args *a, size_t len)
{
	if (len > a->limit)
		return -E2BIG;
	a->limit -= len;
	a->used += len;
	return 0;
}

/* ---- Copying in ---- */

static int add_user_string(struct exec_args *a, uptr from)
{
	size_t done = 0;
	int err = begin_string(a);

	while (!err) {
		char *to;
		size_t len;
		int n;

		err = room(a, &to, &len);
		if (err)
			break;
		n = user_read_string(to, uptr_add(from, done), len);
		if (n >= 0) {
			done += (size_t)n + 1;
			return done > MAX_ARG_STRLEN ? -E2BIG : account(a, (size_t)n + 1);
		}
		if (n != -ENAMETOOLONG)
			return n;
		done += len;
		err = done >= MAX_ARG_STRLEN ? -E2BIG : account(a, len);
	}
	return err;
}

static int add_string(struct exec_args *a, const char *from)
{
	size_t left = strlen(from) + 1;
	int err = begin_string(a);

	while (!err && left) {
		char *to;
		size_t len;

		err = room(a, &to, &len);
		if (err)
			break;
		len = MIN(len, left);
		memcpy(to, from, len);
		err = account(a, len);
		from += len;
		left -= len;
	}
	return err;
}

static int add_list(
	struct exec_args *a, uptr list, const char *const *kernel_list, unsigned *nr)
{
	int err = 0;

	*nr = 0;
	for (;; ++*nr) {
		uint64_t pointer;

		if (kernel_list) {
			if (!kernel_list[*nr])
				return 0;
			err = add_string(a, kernel_list[*nr]);
		} else {
			if (uptr_is_null(list))
				return 0; /* Linux: as an empty list. man 2 execve, NOTES */
			if (user_get(pointer, uptr_add(list, *nr * POINTER_SIZE)))
				return -EFAULT;
			if (!pointer)
				return 0;
			err = add_user_string(a, UPTR(pointer));
		}
		if (err)
			return err;
	}
}

static int add_lists(struct exec_args *a, const struct exec_params *params)
{
	int err = add_list(a, params->argv, params->argv_kernel, &a->nr_argv);

	if (!err && !a->nr_argv) { /* Linux 5.18: nobody finds argv[0] missing */
		err = add_string(a, "");
		a->nr_argv = 1;
	}
	if (!err)
		err = add_list(a, params->envp, params->envp_kernel, &a->nr_envp);
	return err;
}

/* All of `from`, which is as new afterwards. */
static void take_over(struct exec_args *a, struct exec_args *from)
{
	*a = *from;
	if (a->pages == from->inline_pages)
		a->pages = a->inline_pages;
	if (a->offsets == from->inline_offsets)
		a->offsets = a->inline_offsets;
	exec_args_init(from);
}

int exec_args_read(struct exec_args *a, const struct exec_params *params, const char *name)
{
	int err = 0;

	if (params->args)
		take_over(a, params->args);
	else
		err = add_lists(a, params);
	return err ? err : add_string(a, name);
}

int exec_args_keep(uptr argv, uptr envp, struct exec_args **out)
{
	const struct exec_params params = {.argv = argv, .envp = envp};
	struct exec_args *a = mem_alloc(sizeof(*a), 0);
	int err;

	if (!a)
		return -ENOMEM;
	exec_args_init(a);
	err = add_lists(a, &params);
	if (err) {
		exec_args_free(a);
		return err;
	}
	*out = a;
	return 0;
}

void exec_args_free(struct exec_args *a)
{
	if (!a)
		return;
	exec_args_fini(a);
	mem_free(a);
}

int exec_args_push(struct exec_args *a, const char *text, size_t len)
{
	char *copy;

	if (a->nr_prefixes == ARGS_PREFIXES || len + 1 + POINTER_SIZE > a->limit)
		return -E2BIG;
	copy = mem_alloc(len + 1, 0);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	a->limit -= len + 1 + POINTER_SIZE;
	a->prefix_bytes += len + 1;
	a->prefixes[a->nr_prefixes++] = copy;
	return 0;
}

/* The first argument goes: a prefix, when there is one. */
void exec_args_drop_first(struct exec_args *a)
{
	if (!a->nr_prefixes) {
		a->drops_first = true;
		return;
	}
	a->prefix_bytes -= strlen(a->prefixes[--a->nr_prefixes]) + 1;
	mem_free(a->prefixes[a->nr_prefixes]);
}

/* ---- Copying out ---- */

/* Bytes of a dropped argv[0]: what follows it is the next string, for a name always comes last. */
static size_t dropped_bytes(const struct exec_args *a)
{
	return a->drops_first ? a->offsets[1] : 0;
}

size_t exec_args_bytes(const struct exec_args *a)
{
	return a->prefix_bytes + a->used - dropped_bytes(a);
}

static int write_prefixes(struct exec_args *a, vaddr_t at, uint64_t **pointers)
{
	for (unsigned i = a->nr_prefixes; i-- > 0;) {
		size_t len = strlen(a->prefixes[i]) + 1;

		if (user_write(UPTR(at), a->prefixes[i], len))
			return -EFAULT;
		*(*pointers)++ = at;
		at += len;
	}
	return 0;
}

int exec_args_write(struct exec_args *a, vaddr_t at, uint64_t *pointers, vaddr_t *name)
{
	size_t done = dropped_bytes(a), len;
	vaddr_t base = at + a->prefix_bytes - done;

	if (write_prefixes(a, at, &pointers))
		return -EFAULT;
	for (; done < a->used; done += len) {
		size_t in_page = done & PAGE_MASK;

		len = MIN(a->used - done, PAGE_SIZE - in_page);
		if (user_write(UPTR(base + done), a->pages[done / PAGE_SIZE] + in_page, len))
			return -EFAULT;
	}
	for (unsigned i = a->drops_first; i < a->nr_argv; i++)
		*pointers++ = base + a->offsets[i];
	*pointers++ = 0;
	for (unsigned i = 0; i < a->nr_envp; i++)
		*pointers++ = base + a->offsets[a->nr_argv + i];
	*pointers = 0;
	*name = base + a->offsets[a->nr_argv + a->nr_envp];
	return 0;
}
