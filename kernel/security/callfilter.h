// SPDX-License-Identifier: MIT
/*
 * Filters of system calls: programs of classic BPF that look at a call's number and arguments and
 * answer what becomes of it. A filter never changes; it refers to the older ones of its thread,
 * which are asked as well. Threads share them: a tree that grows at its leaves.
 *
 * Spec    man 2 seccomp; Linux: Documentation/networking/filter.rst (the instructions)
 */
#pragma once

#include "lib/base.h"
#include "lib/refcount.h"
#include "uaccess/uaccess.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

/*
 *   [I] immutable once it is attached
 */
struct call_filter {
	refcount refs;
	refcount users; /* threads that have it, and newer ones that have users; 0: nobody's any more */
	struct call_listener *listener; /* [I] security/supervise.h; its own; NULL: none */
	struct call_filter *older; /* [I] one reference; NULL: the first */
	struct call_filter *jump;  /* [I] a much older one: call_filter_chain; NULL: the first */
	bool is_logged;            /* [I] SECCOMP_FILTER_FLAG_LOG */
	unsigned nr_filters;       /* [I] with the older ones */
	unsigned nr_instructions;  /* [I] of all of them, and CALL_FILTER_COST for each */
	unsigned len;              /* [I] */
	struct sock_filter code[]; /* [I] */
};

enum {
	CALL_FILTER_COST = 4,      /* so that many short ones come to an end too */
	CALL_FILTER_TOTAL = 32768, /* Linux: 256 KiB of instructions on the way to the first */
};

/* From a program's array of len instructions. -EINVAL: not one that may run; -EFAULT, -ENOMEM. */
MUST_CHECK int call_filter_create(uptr code, unsigned len, struct call_filter **out);
void call_filter_get(struct call_filter *f);
void call_filter_put(struct call_filter *f); /* NULL is fine */
/*
 * A thread has it, or has it no more, beside the thread's reference. A new filter has one user. The last one's
 * going is told to the listeners of f and of older ones that nobody has then.
 */
void call_filter_use(struct call_filter *f);
void call_filter_unuse(struct call_filter *f);
/* Whether f may come before `older`. -ENOMEM: too many instructions in all. */
MUST_CHECK int call_filter_check(const struct call_filter *f, const struct call_filter *older);
/* Puts f, which nobody sees yet, before `older`, whose reference and use it takes over. Checked. */
void call_filter_chain(struct call_filter *f, struct call_filter *older);
/* Whether `of` is f or newer, and comes after it. NULL comes before all. */
bool call_filter_is_before(const struct call_filter *f, const struct call_filter *of);
/* The strictest of the answers of f and all older ones, the newest of equals; *by gave it. */
uint32_t call_filter_ask(
	struct call_filter *f, const struct seccomp_data *call, struct call_filter **by);
