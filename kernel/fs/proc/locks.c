// SPDX-License-Identifier: MIT
/*
 * /proc/locks: what programs have locked, and who waits for it.
 */
#include <linux/fcntl.h>

#include "dev/char/chardev.h"
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/locks.h"

int proc_show_locks(struct text *out, const struct proc_node *n UNUSED)
{
	static const char *const kinds[] = {"FLOCK ", "POSIX ", "OFDLCK"};
	struct lock_info l;
	unsigned id = 0;

	for (unsigned i = 0; locks_get_info(i, &l); i++) {
		id += !l.is_waiting;
		text_add(out, "%u:%s %s ADVISORY  %s %d %02x:%02x:%lu %ld ", id,
			l.is_waiting ? " ->" : "", kinds[l.kind],
			l.type == F_RDLCK ? "READ " : "WRITE", l.pid, dev_major(l.dev),
			dev_minor(l.dev), l.ino, l.start);
		if (l.end == INT64_MAX)
			text_add(out, "EOF\n");
		else
			text_add(out, "%ld\n", l.end);
	}
	return 0;
}
