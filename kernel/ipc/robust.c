// SPDX-License-Identifier: MIT
/*
 * Robust locks: a thread tells where its list of held locks begins (set_robust_list), and when it
 * ends the kernel marks each with FUTEX_OWNER_DIED and wakes a waiter.
 *
 * The list is the program's memory and may be anything: it is walked so many steps and no
 * further, and every bad address ends the walk.
 *
 * Spec    man 2 get_robust_list; linux/futex.h: struct robust_list_head
 */
#include <linux/futex.h>

#include "ipc/futex.h"
#include "proc/proc.h"

enum { ENTRY_IS_PI = 1 }; /* the low bit of a pointer in the list */

/* Reads a pointer of the list; the lock's kind is split off. */
static int read_entry(uptr at, uintptr_t *entry, bool *is_pi)
{
	if (user_get(*entry, at))
		return -EFAULT;
	*is_pi = *entry & ENTRY_IS_PI;
	*entry &= ~(uintptr_t)ENTRY_IS_PI;
	return 0;
}

/* One lock that the list names. is_pending: it was being taken or released. */
static int mark_died(uptr at, bool is_pi, bool is_pending)
{
	uint32_t word, seen, tid = (uint32_t)uthread_current()->tid_nr;

	if (!IS_ALIGNED(at.addr, sizeof(word)) || user_load32(&word, at))
		return -EFAULT;
	for (;;) {
		if (is_pending && !is_pi && !word) {
			futex_wake_user(at); /* released, but nobody was told */
			return 0;
		}
		if ((word & FUTEX_TID_MASK) != tid)
			return 0;
		if (user_cmpxchg32(at, word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen))
			return -EFAULT;
		if (seen == word)
			break;
		word = seen;
	}
	if (!is_pi && (word & FUTEX_WAITERS))
		futex_wake_user(at);
	return 0;
}

static void walk(uptr head)
{
	struct robust_list_head h;
	uintptr_t entry, next, pending;
	bool is_pi, next_is_pi, pending_is_pi;

	if (user_get(h, head) || read_entry(head, &entry, &is_pi) ||
		read_entry(uptr_add(head, offsetof(struct robust_list_head, list_op_pending)),
			&pending, &pending_is_pi))
		return;
	for (unsigned left = ROBUST_LIST_LIMIT; entry != head.addr && left; left--) {
		/* before the lock is given away, and its memory perhaps with it */
		int err = read_entry(UPTR(entry), &next, &next_is_pi);

		if (entry != pending &&
			mark_died(UPTR(entry + (uintptr_t)h.futex_offset), is_pi, false))
			return;
		if (err)
			return;
		entry = next;
		is_pi = next_is_pi;
	}
	if (pending)
		(void)mark_died(UPTR(pending + (uintptr_t)h.futex_offset), pending_is_pi, true);
}

void robust_list_exit(void)
{
	struct uthread *u = uthread_current();

	futex_pi_exit();
	if (u->robust_list.addr)
		walk(u->robust_list);
	u->robust_list = UPTR_NULL;
}
