// SPDX-License-Identifier: MIT
/*
 * /proc/PID/maps, smaps, clear_refs, pagemap and mem: a process's memory, as text and as bytes.
 *
 * The regions are asked for a few at a time (struct region_walk), and only as far as is read: a reader
 * holds the address space for a few of them, and a change behind those is seen as it happens.
 *
 * Spec    man 5 proc
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include "abi/stat.h"

#include "dev/char/chardev.h"
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/file.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/page_source.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "mm/vmstats.h"
#include "proc/proc.h"

enum { PATH_SIZE = 4096, NAME_COLUMN = 73, PIECE = 512 };

/* ---- maps ---- */

static void show_region(struct text *out, const struct region *r, char *path)
{
	uint32_t dev = 0;
	uint64_t ino = 0;
	size_t start = out->len;
	const char *name = r->label;

	path[0] = '\0';
	if (r->source && r->source->ops->describe &&
		r->source->ops->describe(r->source, path, PATH_SIZE, &dev, &ino) == 0)
		name = path;
	text_add(out, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", r->start, r->end,
		r->flags & VM_READ ? 'r' : '-', r->flags & VM_WRITE ? 'w' : '-',
		r->flags & VM_EXEC ? 'x' : '-', r->flags & VM_SHARED ? 's' : 'p',
		r->source ? r->offset_pages << PAGE_SHIFT : 0, dev_major(dev), dev_minor(dev),
		ino);
	if (name && *name) {
		while (out->len - start < NAME_COLUMN && !out->is_short_of_memory)
			text_add_bytes(out, " ", 1);
		text_add_escaped(out, name, "\n");
	}
	text_add_bytes(out, "\n", 1);
}

struct shower {
	char path[PATH_SIZE];
	struct vm_region_stats stats[REGION_BATCH];
	struct region_walk walk;
};

typedef void region_shower(struct text *out, const struct region *r, struct shower *s);

/* proc_entry.show_records: a region is a record, the cursor the address behind the last. */
static int show_regions(struct text *out, const struct proc_node *n, uint64_t *cursor,
	size_t enough, bool with_stats, region_shower *show)
{
	const struct region *r;
	struct vmspace *vm;
	struct shower *s;
	int err = proc_node_vm(n, &vm);

	if (err || !vm)
		return err;
	s = mem_alloc(sizeof(*s), 0);
	if (s) {
		region_walk_start(&s->walk, vm, *cursor, with_stats ? s->stats : NULL);
		while (out->len < enough && (r = region_walk_next(&s->walk)) != NULL) {
			size_t start = out->len;

			show(out, r, s);
			if (!text_fits(out, start))
				break;
			*cursor = r->end;
		}
		region_walk_end(&s->walk);
	}
	mem_free(s);
	vmspace_put(vm);
	return s ? 0 : -ENOMEM;
}

static void maps_line(struct text *out, const struct region *r, struct shower *s)
{
	show_region(out, r, s->path);
}

int proc_show_maps(struct text *out, const struct proc_node *n, uint64_t *cursor, size_t enough)
{
	return show_regions(out, n, cursor, enough, false, maps_line);
}

/* ---- smaps ---- */

/*
 * The name at the left, and the number up to column NUMBER_END, whatever the name's length. By hand: each
 * region has two dozen of these.
 */
static void add_kib(struct text *out, const char *name, uint64_t bytes)
{
	enum { NUMBER_END = 24, MOST = 9999999 /* what fits behind the longest name */ };
	char line[] = "                         kB\n";
	uint64_t kib = bytes >> 10;
	size_t at = NUMBER_END;

	if (UNLIKELY(kib > MOST)) {
		text_add(out, "%-15s %8lu kB\n", name, kib);
		return;
	}
	do {
		line[--at] = (char)('0' + kib % 10);
		kib /= 10;
	} while (kib);
	memcpy(line, name, strlen(name));
	text_add_bytes(out, line, sizeof(line) - 1);
}

/* smaps_rollup alone says what the proportional part is of. */
struct parts {
	uint64_t file, shmem;
};

static void show_numbers(
	struct text *out, const struct vm_region_stats *s, const struct parts *parts)
{
	add_kib(out, "Rss:", s->resident);
	add_kib(out, "Pss:", s->proportional);
	add_kib(out, "Pss_Dirty:", s->proportional_dirty);
	if (parts) {
		add_kib(out, "Pss_Anon:", s->proportional_anonymous);
		add_kib(out, "Pss_File:", parts->file);
		add_kib(out, "Pss_Shmem:", parts->shmem);
	}
	add_kib(out, "Shared_Clean:", s->shared_clean);
	add_kib(out, "Shared_Dirty:", s->shared_dirty);
	add_kib(out, "Private_Clean:", s->private_clean);
	add_kib(out, "Private_Dirty:", s->private_dirty);
	add_kib(out, "Referenced:", s->referenced);
	add_kib(out, "Anonymous:", s->anonymous);
	add_kib(out, "LazyFree:", 0);
	add_kib(out, "AnonHugePages:", s->huge);
	add_kib(out, "ShmemPmdMapped:", 0);
	add_kib(out, "FilePmdMapped:", 0);
	add_kib(out, "Shared_Hugetlb:", 0);
	add_kib(out, "Private_Hugetlb:", 0);
	add_kib(out, "Swap:", 0);
	add_kib(out, "SwapPss:", 0);
	add_kib(out, "Locked:", s->locked);
}

static void show_flags(struct text *out, const struct region *r)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {{VM_READ, "rd"}, {VM_WRITE, "wr"}, {VM_EXEC, "ex"}, {VM_SHARED, "sh"},
		{VM_MAYREAD, "mr"}, {VM_MAYWRITE, "mw"}, {VM_MAYEXEC, "me"},
		{VM_GROWSDOWN, "gd"}, {VM_LOCKED, "lo"}, {VM_DONTFORK, "dc"},
		{VM_NORESERVE, "nr"}, {VM_WIPEONFORK, "wf"}, {VM_DONTDUMP, "dd"},
		{VM_HUGE, "hg"}, {VM_NOHUGE, "nh"}};

	text_add(out, "VmFlags: ");
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (r->flags & names[i].flag)
			text_add(out, "%s ", names[i].name);
	text_add(out, "\n");
}

static void smaps_block(struct text *out, const struct region *r, struct shower *s)
{
	show_region(out, r, s->path);
	add_kib(out, "Size:", r->end - r->start);
	add_kib(out, "KernelPageSize:", PAGE_SIZE);
	add_kib(out, "MMUPageSize:", PAGE_SIZE);
	show_numbers(out, region_walk_stats(&s->walk), NULL);
	text_add(out, "THPeligible:           0\n");
	show_flags(out, r);
}

int proc_show_smaps(
	struct text *out, const struct proc_node *n, uint64_t *cursor, size_t enough)
{
	return show_regions(out, n, cursor, enough, true, smaps_block);
}

int proc_show_smaps_rollup(struct text *out, const struct proc_node *n)
{
	struct vm_region_stats sum = {0}, stats[REGION_BATCH];
	struct parts parts = {0};
	const struct region *r;
	struct region_walk w;
	struct vmspace *vm;
	vaddr_t first = 0, end = 0;
	int err = proc_node_vm(n, &vm);

	if (err || !vm)
		return err ? err : -ESRCH;
	region_walk_start(&w, vm, 0, stats);
	while ((r = region_walk_next(&w)) != NULL) {
		const struct vm_region_stats *s = region_walk_stats(&w);

		first = first ? first : r->start;
		end = r->end;
		vm_region_stats_add(&sum, s);
		if (r->source) /* as pid_stat.c tells files from shared memory */
			*(r->source->ops->sync ? &parts.file : &parts.shmem) +=
				s->proportional - s->proportional_anonymous;
	}
	region_walk_end(&w);
	vmspace_put(vm);
	text_add(out,
		"%08lx-%08lx ---p 00000000 00:00 0                                  [rollup]\n",
		first, end);
	show_numbers(out, &sum, &parts);
	return 0;
}

/* ---- clear_refs ---- */

/* man 5 proc. What was written since (4) is not noted, so that is no kind: as before Linux 3.11. */
enum { CLEAR_ALL = 1, CLEAR_ANONYMOUS = 2, CLEAR_MAPPED = 3, CLEAR_PEAK = 5 };

static void clear_kind(struct vmspace *vm, int64_t kind)
{
	struct region r;

	if (kind == CLEAR_PEAK) {
		vmspace_forget_peak(vm);
		return;
	}
	for (vaddr_t at = 0; vmspace_next_region(vm, at, &r); at = r.end) {
		if (kind == CLEAR_ALL || (kind == CLEAR_MAPPED) == (r.source != NULL))
			vmspace_region_forget_use(vm, &r);
		vmspace_region_done(&r);
	}
}

int proc_write_clear_refs(const struct proc_node *n, char *text, size_t len UNUSED)
{
	struct vmspace *vm = NULL;
	struct proc_whom w;
	int64_t kind;
	int err;

	if (parse_s64(text_trimmed(text), 10, &kind) ||
		(kind != CLEAR_ALL && kind != CLEAR_ANONYMOUS && kind != CLEAR_MAPPED &&
			kind != CLEAR_PEAK))
		return -EINVAL;
	err = proc_whom_get(n, &w);
	if (err)
		return err;
	vm = proc_get_vm(w.proc);
	proc_whom_put(&w);
	if (vm) {
		clear_kind(vm, kind);
		vmspace_put(vm);
	}
	return 0;
}

/* ---- mem: the bytes themselves ---- */

static int64_t move_memory(struct file *f, struct iter *it, int64_t *pos, bool is_write)
{
	struct vmspace *vm;
	uint8_t piece[PIECE];
	int64_t done = 0;
	int err = proc_node_vm(proc_node_of_file(f), &vm);

	if (err)
		return err;
	if (!vm)
		return 0;
	while (it->left) {
		size_t n = MIN(sizeof(piece), it->left), moved;

		if (is_write) {
			n = iter_read(it, piece, n);
			moved = n ? vmspace_access(vm, (vaddr_t)*pos, piece, n, true, true) : 0;
		} else {
			n = vmspace_access(vm, (vaddr_t)*pos, piece, n, false, true);
			moved = iter_write(it, piece, n);
		}
		done += (int64_t)moved;
		*pos += (int64_t)moved;
		if (moved == 0 || moved < n || UNLIKELY(thread_is_killed()))
			break;
	}
	vmspace_put(vm);
	return done || !it->left ? done : -EIO;
}

static int64_t mem_read(struct file *f, struct iter *to, int64_t *pos)
{
	return move_memory(f, to, pos, false);
}

static int64_t mem_write(struct file *f, struct iter *from, int64_t *pos)
{
	return move_memory(f, from, pos, true);
}

/* Addresses are the positions: the whole range, also what would be negative. */
static int64_t mem_seek(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	f->pos = offset;
	return offset;
}

const struct file_ops proc_mem_ops = {.read = mem_read, .write = mem_write, .seek = mem_seek};

/* ---- pagemap: eight bytes for each page ---- */

#define PAGEMAP_PRESENT    BIT(63)
#define PAGEMAP_FILE       BIT(61)
#define PAGEMAP_EXCLUSIVE  BIT(56)
#define PAGEMAP_FRAME_MASK (BIT(55) - 1)

static uint64_t pagemap_entry(struct vmspace *vm, vaddr_t va)
{
	struct vm_page_info info;
	uint64_t entry;

	if (!vmspace_page_info(vm, va, &info))
		return 0;
	entry = PAGEMAP_PRESENT | (info.is_file ? PAGEMAP_FILE : 0) |
		(info.is_exclusive ? PAGEMAP_EXCLUSIVE : 0);
	return capable(CAP_SYS_ADMIN) ? entry | (info.pfn & PAGEMAP_FRAME_MASK) : entry;
}

static int64_t pagemap_read(struct file *f, struct iter *to, int64_t *pos)
{
	struct vmspace *vm;
	int64_t done = 0;
	int err;

	if (*pos % sizeof(uint64_t) || to->left % sizeof(uint64_t))
		return -EINVAL;
	err = proc_node_vm(proc_node_of_file(f), &vm);
	if (err || !vm)
		return err;
	while (to->left) {
		vaddr_t va = (vaddr_t)*pos / sizeof(uint64_t) << PAGE_SHIFT;
		uint64_t entry;

		if (va >= ARCH_USER_END)
			break;
		entry = pagemap_entry(vm, va);
		if (iter_write(to, &entry, sizeof(entry)) != sizeof(entry)) {
			done = done ? done : -EFAULT;
			break;
		}
		done += sizeof(entry);
		*pos += sizeof(entry);
		if (UNLIKELY(thread_is_killed()))
			break;
	}
	vmspace_put(vm);
	return done;
}

const struct file_ops proc_pagemap_ops = {.read = pagemap_read, .seek = mem_seek};
