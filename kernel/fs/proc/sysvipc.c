// SPDX-License-Identifier: MIT
/*
 * /proc/sysvipc: the objects of the reader's namespace, and /proc/sys/kernel/shm*: their limits.
 *
 * Spec    man 5 proc
 */
#include "abi/shm.h"
#include "abi/stat.h"
#include "fs/proc/procfs_priv.h"
#include "ipc/ipc_ns.h"
#include "lib/parse.h"
#include "mm/page.h"

/* ---- sysvipc/ ---- */

static const char shm_head[] =
	"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid"
	"  cgid      atime      dtime      ctime                   rss                  swap\n";

static void show_segment(struct text *out, const struct shm_facts *f)
{
	text_add(out,
		"%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lu %10lu %10lu %21lu "
		"%21lu\n",
		f->key, f->id, f->mode, f->size, (unsigned)f->creator_pid,
		(unsigned)f->last_pid, f->nr_attached, f->uid, f->gid, f->cuid, f->cgid,
		(uint64_t)f->attach_time, (uint64_t)f->detach_time, (uint64_t)f->change_time,
		f->resident_pages * PAGE_SIZE, 0ul /* swapped */);
}

/* A record is a line; the cursor, but for the first, the index after the last, and one for the head. */
static int show_segments(
	struct text *out, const struct proc_node *n UNUSED, uint64_t *cursor, size_t enough)
{
	struct shm_space *s = &ipc_ns_current()->shm;
	struct shm_facts facts;
	uint64_t index;

	if (!*cursor) {
		text_add_bytes(out, shm_head, sizeof(shm_head) - 1);
		*cursor = 1;
	}
	for (index = *cursor - 1; out->len < enough && shm_next(s, &index, &facts);) {
		size_t start = out->len;

		show_segment(out, &facts);
		if (!text_fits(out, start))
			break;
		*cursor = ++index + 1;
	}
	return 0;
}

const struct proc_entry proc_sysvipc_entries[] = {
	PROC_RECORDS("shm", 0444, show_segments),
	{0},
};

/* ---- sys/kernel/ ---- */

int proc_show_shm_forced(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%u\n", READ_ONCE(ipc_ns_current()->shm.is_forced));
	return 0;
}

int proc_write_shm_forced(const struct proc_node *n UNUSED, char *text, size_t len UNUSED)
{
	uint64_t value;

	if (parse_u64(text_trimmed(text), 10, &value) || value > 1)
		return -EINVAL;
	shm_set_forced(&ipc_ns_current()->shm, value);
	return 0;
}

int proc_show_shm_next_id(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%d\n", shm_get_wanted_id(&ipc_ns_current()->shm));
	return 0;
}

int proc_write_shm_next_id(const struct proc_node *n UNUSED, char *text, size_t len UNUSED)
{
	uint64_t value;

	if (parse_u64(text_trimmed(text), 10, &value) || value > INT32_MAX)
		return -EINVAL;
	shm_set_wanted_id(&ipc_ns_current()->shm, (int)value);
	return 0;
}
