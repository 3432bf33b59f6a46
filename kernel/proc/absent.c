// SPDX-License-Identifier: MIT
/*
 * Until open files, futexes and timers are all there: what processes call of them, weak. Goes then.
 */
#include "fs/vfs/fdtable.h"
#include "ipc/futex.h"
#include "lib/assert.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "proc/ptimer.h"
#include "proc/signal_priv.h"

#define ABSENT panic("open files are not there yet")

WEAK void futex_wake_user(uptr at UNUSED)
{
	ABSENT;
}
WEAK void robust_list_exit(void)
{
}
WEAK void ptimers_exec(struct proc *p UNUSED)
{
}
WEAK void ptimers_fini(struct proc *p UNUSED)
{
}
WEAK void ptimer_signal_taken(struct ptimer *t UNUSED, siginfo_t *info UNUSED)
{
	ABSENT;
}

WEAK int fdtable_create(struct fdtable **out UNUSED)
{
	ABSENT;
}
WEAK int fdtable_copy(struct fdtable *from UNUSED, struct fdtable **out UNUSED)
{
	ABSENT;
}
WEAK void fdtable_get(struct fdtable *t UNUSED)
{
	ABSENT;
}
WEAK void fdtable_put(struct fdtable *t UNUSED)
{
	ABSENT;
}
WEAK void fdtable_close_on_exec(struct fdtable *t UNUSED)
{
	ABSENT;
}
WEAK int fd_reserve(struct fdtable *t UNUSED, int min UNUSED, uint64_t limit UNUSED, int *fd UNUSED)
{
	ABSENT;
}
WEAK void fd_unreserve(struct fdtable *t UNUSED, int fd UNUSED)
{
	ABSENT;
}
WEAK void fd_install(struct fdtable *t UNUSED, int fd UNUSED, struct file *f UNUSED, bool close_on_exec UNUSED)
{
	ABSENT;
}
WEAK int fd_get_cloexec(struct fdtable *t UNUSED, int fd UNUSED, bool *on UNUSED)
{
	ABSENT;
}
WEAK void file_get(struct file *f UNUSED)
{
	ABSENT;
}
WEAK int inode_deny_write(struct inode *i UNUSED)
{
	ABSENT;
}
WEAK void inode_allow_write(struct inode *i UNUSED)
{
	ABSENT;
}
WEAK int file_open_anonymous(struct file **out UNUSED, const struct file_ops *ops UNUSED,
	const char *name UNUSED, void *private_data UNUSED, unsigned flags UNUSED, unsigned mode UNUSED)
{
	ABSENT;
}
