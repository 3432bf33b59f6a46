// SPDX-License-Identifier: MIT
/*
 * What pipes, poll and epoll need of descriptor tables and limits until those are in the tree: weak, so
 * that the real ones win. Goes when fs/vfs/file.c, fdtable.c and proc/rlimit.c are there.
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/file.h"
#include "proc/proc.h"

WEAK int file_open_anonymous(struct file **out UNUSED, const struct file_ops *ops UNUSED,
	const char *name UNUSED, void *private_data UNUSED, unsigned flags UNUSED,
	unsigned mode UNUSED)
{
	return -ENOSYS;
}

WEAK int file_open_same(struct file **out UNUSED, struct file *f UNUSED,
	void *private_data UNUSED, unsigned flags UNUSED, unsigned mode UNUSED)
{
	return -ENOSYS;
}

WEAK int fd_reserve(
	struct fdtable *t UNUSED, int min UNUSED, uint64_t limit UNUSED, int *fd UNUSED)
{
	return -ENOSYS;
}

WEAK void fd_unreserve(struct fdtable *t UNUSED, int fd UNUSED)
{
}

WEAK void fd_install(struct fdtable *t UNUSED, int fd UNUSED, struct file *f UNUSED,
	bool close_on_exec UNUSED)
{
}

WEAK struct borrowed_file fd_borrow(int fd UNUSED)
{
	return (struct borrowed_file){0};
}

WEAK uint64_t proc_rlimit(unsigned which UNUSED)
{
	return 0;
}
