// SPDX-License-Identifier: MIT
/*
 * What the machine calls in folders that are still being written: weak, so that theirs win.
 */
#include "arch/arch.h"
#include "lib/assert.h"
#include "mm/vmspace.h"
#include "time/vdso.h"

WEAK bool trap_page_fault(struct arch_frame *f UNUSED, const struct trap_info *info UNUSED)
{
	return false;
}

WEAK void trap_user(struct arch_frame *f, const struct trap_info *info)
{
	trap_fault(f, info);
}

WEAK void trap_user_return(struct arch_frame *f UNUSED)
{
	panic("uaccess: a thread with signals, and nothing that delivers them");
}

WEAK void vmspace_switch(struct vmspace *prev UNUSED, struct vmspace *next UNUSED)
{
}

WEAK int vdso_map(struct vmspace *vm)
{
	vm->vdso = 0; /* there is none yet */
	return 0;
}
