// SPDX-License-Identifier: MIT
/*
 * sysfs: the filesystem of /sys, what the kernel has to say of its devices and of itself. Made as
 * /proc is, from tables (fs/proc/entry.h): nothing is kept, every look asks.
 *
 * Spec    man 5 sysfs; Linux: Documentation/ABI
 */
#include <linux/magic.h>

#include "fs/sys/sysfs_priv.h"
#include "mm/page.h"

static int show_one(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "1\n"); /* capabilities of files are looked at by exec */
	return 0;
}

static int show_word_size(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "%u\n", (unsigned)sizeof(long) * 8);
	return 0;
}

static int show_byte_order(struct text *out, const struct proc_node *n UNUSED)
{
	text_add(out, "little\n");
	return 0;
}

/* Folders that programs expect, with nothing of their kind in this machine. */
static const struct proc_entry no_entries[] = {{0}};

static const struct proc_entry system_entries[] = {
	{.name = "cpu",
		.mode = S_IFDIR | 0755,
		.children = sys_cpu_entries,
		.dir = &sys_cpu_ops},
	{0},
};
static const struct proc_entry devices_entries[] = {
	PROC_FOLDER("system", system_entries),
	PROC_FOLDER("virtual", sys_virtual_entries),
	{0},
};
static const struct proc_entry dev_entries[] = {
	PROC_FOLDER("block", no_entries),
	PROC_NAMES("char", 0755, &sys_char_ops),
	{0},
};
static const struct proc_entry kernel_entries[] = {
	PROC_TEXT("address_bits", 0444, show_word_size),
	PROC_TEXT("cpu_byteorder", 0444, show_byte_order),
	PROC_TEXT("fscaps", 0444, show_one),
	{0},
};
static const struct proc_entry root_entries[] = {
	PROC_FOLDER("block", no_entries),
	PROC_FOLDER("bus", no_entries),
	PROC_FOLDER("class", sys_class_entries),
	PROC_FOLDER("dev", dev_entries),
	PROC_FOLDER("devices", devices_entries),
	PROC_FOLDER("firmware", no_entries),
	PROC_FOLDER("fs", no_entries),
	PROC_FOLDER("kernel", kernel_entries),
	PROC_FOLDER("module", no_entries),
	{0},
};
static const struct proc_entry root = {.mode = S_IFDIR | 0555,
	.children = root_entries,
	.file_size = PAGE_SIZE,
	.keeps_negative = true};

static int sysfs_mount(const struct filesystem *fs, const char *source UNUSED,
	unsigned flags UNUSED, const char *data UNUSED, struct super **out)
{
	return proc_entry_mount(fs, &root, SYSFS_MAGIC, PAGE_SIZE, out);
}

static const struct filesystem sysfs = {.name = "sysfs", .mount = sysfs_mount};
SET_ADD(filesystems, sysfs);
