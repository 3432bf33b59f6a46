// SPDX-License-Identifier: MIT
/*
 * /proc/PID/net, where /proc/net leads: what sockets there are. There is one network for all
 * processes, so the same is seen in each of these folders, and it is root's.
 *
 * Spec    man 5 proc, /proc/net/unix; the columns are Linux's, as lsof, fuser and ss parse them
 */
#include <linux/net.h>

#include "abi/stat.h"
#include "fs/proc/procfs_priv.h"
#include "net/unix/unix.h"

enum { LISTENS = 0x10000 /* in the column Flags: Linux's SO_ACCEPTCON of its sockets */ };

static unsigned state_of(const struct unix_info *s)
{
	if (!s->ino)
		return SS_CONNECTING; /* not accepted yet */
	return s->is_connected ? SS_CONNECTED : SS_UNCONNECTED;
}

/* A path as it is; an abstract name with '@' for each NUL. */
static void add_name(struct text *out, const struct unix_info *s)
{
	bool is_abstract = s->name[0] == '\0';
	unsigned len = is_abstract ? s->name_len : s->name_len - 1; /* a path's own end */

	text_add(out, " ");
	for (unsigned i = 0; i < len; i++)
		text_add_bytes(out, s->name[i] ? &s->name[i] : "@", 1);
}

static int show_unix(struct text *out, const struct proc_node *n UNUSED)
{
	struct unix_sock *at = NULL;
	struct unix_info s;

	text_add(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	while (unix_info_next(&at, &s)) {
		/* Linux counts a socket's place in its table as well */
		text_add(out, "%016lx: %08X %08X %08X %04X %02X %5lu", s.id, s.refs + 1, 0u,
			s.is_listening ? (unsigned)LISTENS : 0, s.type, state_of(&s), s.ino);
		if (s.name_len)
			add_name(out, &s);
		text_add(out, "\n");
	}
	return 0;
}

static void of_root(const struct proc_node *n UNUSED, struct kstat *out)
{
	out->uid = out->gid = 0;
}

const struct proc_entry proc_net_entries[] = {
	{.name = "unix", .mode = S_IFREG | 0444, .show = show_unix, .getattr = of_root},
	{0},
};
