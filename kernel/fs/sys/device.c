// SPDX-License-Identifier: MIT
/*
 * Devices in /sys: every node that the kernel made in devtmpfs is a folder in
 * devices/virtual/CLASS, a link in class/CLASS, and one in dev/char by its number.
 *
 * What a folder is about is proc_node.number, the device's number; its name is looked up when it is
 * needed. The class follows from the major number, as Linux's drivers have it.
 *
 * Spec    Linux: Documentation/admin-guide/sysfs-rules, ABI/testing/sysfs-uevent
 */
#include <linux/major.h>

#include "arch/arch.h"
#include "dev/char/chardev.h"
#include "dev/char/rtc.h"
#include "fs/sys/sysfs_priv.h"
#include "lib/fmt.h"
#include "lib/string.h"

enum { TYPE_MASK = S_IFMT, NAME_SIZE = 32, CONSOLE_NUMBER = TTYAUX_MAJOR << 8 | 1 };

/* ---- Finding ---- */

static const char *class_of(uint32_t dev)
{
	switch (dev_major(dev)) {
	case MEM_MAJOR:
		return "mem";
	case TTY_MAJOR:
	case TTYAUX_MAJOR:
		return "tty";
	case RTC_MAJOR:
		return "rtc";
	default:
		return "misc";
	}
}

static bool is_of_class(const struct device_node *d, const char *class)
{
	return S_ISCHR(d->mode) && !strchr(d->name, '/') &&
	       strcmp(class_of(d->dev), class) == 0;
}

static bool find_by_number(uint32_t dev, struct device_node *out)
{
	for (unsigned i = 0; devtmpfs_get_node(i, out); i++)
		if (out->dev == dev && S_ISCHR(out->mode))
			return true;
	return false;
}

static bool find_by_name(
	const char *class, const char *name, size_t len, struct device_node *out)
{
	for (unsigned i = 0; devtmpfs_get_node(i, out); i++)
		if (is_of_class(out, class) && strlen(out->name) == len &&
			memcmp(out->name, name, len) == 0)
			return true;
	return false;
}

/* ---- One device ---- */

static int show_dev(struct text *out, const struct proc_node *n)
{
	text_add(
		out, "%u:%u\n", dev_major((uint32_t)n->number), dev_minor((uint32_t)n->number));
	return 0;
}

static int show_uevent(struct text *out, const struct proc_node *n)
{
	struct device_node d;

	if (!find_by_number((uint32_t)n->number, &d))
		return -ENODEV;
	text_add(out, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", dev_major(d.dev), dev_minor(d.dev),
		d.name);
	if ((d.mode & 0006) != 0) /* for all: not devtmpfs's own choice */
		text_add(out, "DEVMODE=%#o\n", d.mode & ~(uint32_t)TYPE_MASK);
	return 0;
}

static int readlink_subsystem(const struct proc_node *n, char *buf, size_t size)
{
	return (int)snformat(buf, size, "../../../../class/%s", class_of((uint32_t)n->number));
}

/* Where the console's output goes: /sys/class/tty/console/active. */
static int show_active(struct text *out, const struct proc_node *n UNUSED)
{
	int port = arch_console_port();

	if (port >= 0)
		text_add(out, "ttyS%d\n", port);
	else
		text_add(out, "\n");
	return 0;
}

#define DEVICE_ENTRIES                                                                         \
	PROC_TEXT("dev", 0444, show_dev), PROC_LINK("subsystem", readlink_subsystem),          \
		PROC_TEXT("uevent", 0444, show_uevent)

static const struct proc_entry device_entries[] = {DEVICE_ENTRIES, {0}};
static const struct proc_entry console_entries[] = {
	DEVICE_ENTRIES, PROC_TEXT("active", 0444, show_active), {0}};
static const struct proc_entry device_dir = {
	.mode = S_IFDIR | 0755, .children = device_entries};
static const struct proc_entry console_dir = {
	.mode = S_IFDIR | 0755, .children = console_entries};

/* ---- Links to it ---- */

static int link_with(const char *up, const struct proc_node *n, char *buf, size_t size)
{
	struct device_node d;

	if (!find_by_number((uint32_t)n->number, &d))
		return -ENODEV;
	return (int)snformat(
		buf, size, "../../%sdevices/virtual/%s/%s", up, class_of(d.dev), d.name);
}

static int readlink_device(const struct proc_node *n, char *buf, size_t size)
{
	return link_with("", n, buf, size);
}

static const struct proc_entry device_link = {
	.mode = S_IFLNK | 0777, .readlink = readlink_device};

/* ---- Folders of them: class/CLASS and devices/virtual/CLASS, whose names are the classes ---- */

static const struct proc_dir_ops folder_ops, class_ops;

static void fill(
	const struct proc_node *dir, const struct device_node *d, struct proc_node *out)
{
	out->number = d->dev;
	if (dir->entry->dir == &class_ops)
		out->entry = &device_link;
	else
		out->entry = d->dev == CONSOLE_NUMBER ? &console_dir : &device_dir;
}

static int class_lookup(
	const struct proc_node *dir, const char *name, size_t len, struct proc_node *out)
{
	struct device_node d;

	if (!find_by_name(dir->entry->name, name, len, &d))
		return -ENOENT;
	fill(dir, &d, out);
	return 0;
}

static int class_next(const struct proc_node *dir, uint64_t *cursor, char *name, size_t size,
	struct proc_node *out)
{
	struct device_node d;

	while (devtmpfs_get_node((unsigned)(*cursor)++, &d)) {
		if (!is_of_class(&d, dir->entry->name))
			continue;
		fill(dir, &d, out);
		snformat(name, size, "%s", d.name);
		return 0;
	}
	return -ENOENT;
}

static const struct proc_dir_ops folder_ops = {.lookup = class_lookup, .next = class_next};
static const struct proc_dir_ops class_ops = {.lookup = class_lookup, .next = class_next};

const struct proc_entry sys_virtual_entries[] = {
	PROC_NAMES("mem", 0755, &folder_ops),
	PROC_NAMES("misc", 0755, &folder_ops),
	PROC_NAMES("rtc", 0755, &folder_ops),
	PROC_NAMES("tty", 0755, &folder_ops),
	{0},
};
const struct proc_entry sys_class_entries[] = {
	PROC_NAMES("mem", 0755, &class_ops),
	PROC_NAMES("misc", 0755, &class_ops),
	PROC_NAMES("rtc", 0755, &class_ops),
	PROC_NAMES("tty", 0755, &class_ops),
	{0},
};

/* ---- dev/char ---- */

static int char_lookup(
	const struct proc_node *dir UNUSED, const char *name, size_t len, struct proc_node *out)
{
	char number[NAME_SIZE];
	struct device_node d;

	for (unsigned i = 0; devtmpfs_get_node(i, &d); i++) {
		size_t n = snformat(
			number, sizeof(number), "%u:%u", dev_major(d.dev), dev_minor(d.dev));

		if (!S_ISCHR(d.mode) || n != len || memcmp(number, name, len) != 0)
			continue;
		out->entry = &device_link;
		out->number = d.dev;
		return 0;
	}
	return -ENOENT;
}

static int char_next(const struct proc_node *dir UNUSED, uint64_t *cursor, char *name,
	size_t size, struct proc_node *out)
{
	struct device_node d;

	while (devtmpfs_get_node((unsigned)(*cursor)++, &d)) {
		if (!S_ISCHR(d.mode))
			continue;
		out->entry = &device_link;
		out->number = d.dev;
		snformat(name, size, "%u:%u", dev_major(d.dev), dev_minor(d.dev));
		return 0;
	}
	return -ENOENT;
}

const struct proc_dir_ops sys_char_ops = {.lookup = char_lookup, .next = char_next};
