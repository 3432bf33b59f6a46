// SPDX-License-Identifier: MIT
/*
 * The system-call door: from a number to a body.
 *
 * The table is made at link time from abi/syscalls.def. Each entry refers weakly to a body: a call
 * that nobody has written is NULL in it, and answers -ENOSYS as a Linux without it would.
 */
#include "sys/dispatch.h"

#include <asm/unistd.h>

#include "arch/arch.h"
#include "debug/log.h"
#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "proc/proc.h"
#include "sys/seccomp.h"
#include "sys/syscall.h"
#include "sys/trace.h"
#include "sys/user_dispatch.h"

#define SYSCALL(name, format)                                                                  \
	int64_t sys_##name(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,    \
		uint64_t a5) WEAK;
#include "abi/syscalls.def"
#undef SYSCALL

enum {
#define SYSCALL(name, format) syscall_count_##name,
#include "abi/syscalls.def"
#undef SYSCALL
	NR_LISTED,
};

#define SYSCALL(name, format) [__NR_##name] = sys_##name,
static const syscall_fn table[] = {
#include "abi/syscalls.def"
};
#undef SYSCALL

#define SYSCALL(name, format) [__NR_##name] = {#name, format},
const struct syscall_text syscall_texts[] = {
#include "abi/syscalls.def"
};
#undef SYSCALL

const unsigned nr_syscalls = ARRAY_LEN(table);

static uint64_t unknown_logged[BITMAP_WORDS(ARRAY_LEN(table))];

/* Absent calls are said once each, so that a program's odd behaviour can be explained. */
static NOINLINE int64_t absent(uint64_t nr)
{
	if (nr < ARRAY_LEN(table) && !bitmap_test_and_set_atomic(unknown_logged, (unsigned)nr))
		log_info("sys: %s: %s is not implemented", uthread_current()->comm,
			syscall_texts[nr].name ? syscall_texts[nr].name : "an unnamed call");
	return -ENOSYS;
}

int64_t sys_dispatch(uint64_t nr, const uint64_t a[SYSCALL_ARGS])
{
	if (nr >= ARRAY_LEN(table) || !table[nr])
		return absent(nr);
	return table[nr](a[0], a[1], a[2], a[3], a[4], a[5]);
}

/*
 * The policy point: whoever looks at a program's calls stands here and sees the number and the six
 * arguments before anything has been decoded or touched (docs/decisions/0016). A thread that nobody
 * looks at passes by with one test. What is refused is traced with its answer.
 */
static NOINLINE void syscall_looked_at(struct arch_frame *f, uint64_t nr, unsigned work)
{
	uint64_t a[SYSCALL_ARGS];

	for (unsigned i = 0; i < SYSCALL_ARGS; i++)
		a[i] = arch_syscall_arg(f, i);
	if (work & CALL_TRACED)
		trace_enter(nr, a);
	if ((!(work & CALL_DISPATCHED) || user_dispatch_allows(f)) &&
		(!(work & CALL_SECCOMP) || seccomp_allows(f)))
		arch_syscall_set_result(f, sys_dispatch(nr, a));
	if (work & CALL_TRACED)
		trace_leave(nr, a, arch_syscall_result(f));
}

void trap_syscall(struct arch_frame *f)
{
	uint64_t nr = (uint64_t)arch_syscall_nr(f);
	unsigned work = READ_ONCE(uthread_current()->call_work);

	if (UNLIKELY(work)) {
		syscall_looked_at(f, nr, work);
		return;
	}
	if (UNLIKELY(nr >= ARRAY_LEN(table) || !table[nr])) {
		arch_syscall_set_result(f, absent(nr));
		return;
	}
	arch_syscall_set_result(f, table[nr](arch_syscall_arg(f, 0), arch_syscall_arg(f, 1),
					   arch_syscall_arg(f, 2), arch_syscall_arg(f, 3),
					   arch_syscall_arg(f, 4), arch_syscall_arg(f, 5)));
}
