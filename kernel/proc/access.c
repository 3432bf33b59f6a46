// SPDX-License-Identifier: MIT
/*
 * Who may look into another process.
 *
 * Spec    man 2 ptrace, "Ptrace access mode checking"
 */
#include "proc/access.h"

#include <linux/capability.h>

#include "proc/cred.h"
#include "proc/proc.h"

int proc_check_access(struct proc *p)
{
	const struct cred *me = cred_current(), *it;
	bool may;

	if (p == proc_current())
		return 0;
	it = proc_get_cred(p);
	may = me->uid == it->euid && me->uid == it->suid && me->uid == it->uid &&
	      me->gid == it->egid && me->gid == it->sgid && me->gid == it->gid &&
	      !(it->cap_permitted & ~me->cap_permitted) &&
	      (READ_ONCE(p->flags) & PROC_DUMPABLE);
	cred_put(it);
	return may || capable(CAP_SYS_PTRACE) ? 0 : -EPERM;
}
