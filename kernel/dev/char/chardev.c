// SPDX-License-Identifier: MIT
/*
 * The list of character devices. Registered at start and never removed, so a lookup needs the
 * lock only against another registration.
 *
 * Locks   chardevs_lock  RANK_CHARDEV
 */
#include "dev/char/chardev.h"

#include <linux/fcntl.h>

#include "sync/spinlock.h"

static struct irqlock chardevs_lock = IRQLOCK_INIT(RANK_CHARDEV, "character devices");
static struct list chardevs = LIST_INIT(chardevs); /* [chardevs_lock] to write; grows only */

static struct chardev *find(uint32_t major, uint32_t minor) MUST_HOLD(chardevs_lock)
{
	list_for_each (d, &chardevs, struct chardev, link)
		if (d->major == major && minor - d->first_minor < d->nr_minors)
			return d;
	return NULL;
}

int chardev_register(struct chardev *dev)
{
	int err = 0;

	irqlock_lock(&chardevs_lock);
	if (find(dev->major, dev->first_minor))
		err = -EBUSY;
	else
		list_add_tail(&chardevs, &dev->link);
	irqlock_unlock(&chardevs_lock);
	return err;
}

void chardev_for_each(void (*fn)(const struct chardev *dev, void *ctx), void *ctx)
{
	/* Entries are never removed: what the list shows after a look without the lock is there. */
	list_for_each (d, &chardevs, struct chardev, link)
		fn(d, ctx);
}

int chardev_open(struct inode *inode, struct file *f)
{
	uint32_t minor = dev_minor(inode->rdev);
	struct chardev *d;

	irqlock_lock(&chardevs_lock);
	d = find(dev_major(inode->rdev), minor);
	irqlock_unlock(&chardevs_lock);
	if (!d)
		return -ENXIO;
	f->ops = d->ops;
	if (d->ops->seek)
		f->mode |= FILE_SEEK;
	return d->open ? d->open(d, minor, f) : 0;
}
