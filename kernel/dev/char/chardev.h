// SPDX-License-Identifier: MIT
/*
 * Character devices: from a major and minor number to a driver, and the nodes of devtmpfs.
 */
#pragma once

#include "fs/vfs/inode.h"
#include "lib/base.h"
#include "lib/list.h"

/* Linux's 32-bit dev_t as stat and mknod show it: man 3 makedev. */
static inline uint32_t dev_make(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}
static inline uint32_t dev_major(uint32_t dev)
{
	return dev >> 8 & 0xfff;
}
static inline uint32_t dev_minor(uint32_t dev)
{
	return (dev & 0xff) | (dev >> 12 & ~0xffu);
}

/*
 * A driver's range of minors. Static memory of the driver; registered once, for ever.
 */
struct chardev {
	uint32_t major, first_minor, nr_minors;
	const char *name; /* in /proc/devices; NULL: that of ops */
	const struct file_ops *ops;
	/* Readies an open file: private_data, mode bits, other ops. NULL: nothing to do. */
	int (*open)(struct chardev *dev, uint32_t minor, struct file *f);
	struct list_node link;
};
/* -EBUSY: the numbers are taken. */
MUST_CHECK int chardev_register(struct chardev *dev);
/* Calls fn on each, the list held still: /proc/devices. */
void chardev_for_each(void (*fn)(const struct chardev *dev, void *ctx), void *ctx);
/* file_open calls it for S_IFCHR: sets f->ops. -ENXIO. */
MUST_CHECK int chardev_open(struct inode *inode, struct file *f);

/*
 * A node in devtmpfs: "null", "pts/ptmx"; folders appear as needed. type S_IFCHR or S_IFBLK.
 * Any time after devtmpfs_init; sleeps.
 */
MUST_CHECK int devtmpfs_create_node(const char *name, uint32_t mode, uint32_t dev);
MUST_CHECK int devtmpfs_remove_node(const char *name);
/* A node that the kernel made. */
struct device_node {
	struct list_node link;
	uint32_t mode, dev;
	char name[32];
};
/* The n-th; false: there are no more. */
bool devtmpfs_get_node(unsigned n, struct device_node *out);

void devtmpfs_init(void);    /* before the first node; needs tmpfs_init and vfs_init */
void mem_devices_init(void); /* dev/char/mem.c: null zero full random urandom kmsg */
