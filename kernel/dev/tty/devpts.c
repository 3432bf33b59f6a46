// SPDX-License-Identifier: MIT
/*
 * devpts: one folder with a node for each pseudo-terminal that exists, and ptmx, which makes new
 * ones. Its names are the dentry tree (SUPER_KEEPS_NAMES).
 *
 * Options of mount(2): uid=, gid= (owner of new nodes; else whoever opens the master), mode= (600),
 * ptmxmode= (000), max= (how many at once). newinstance is accepted: each mount is one.
 *
 * Locks   lock [d] irq, RANK_EVENT: which numbers are taken
 * Spec    Linux: filesystems/devpts.rst
 */
#include "dev/tty/devpts.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/major.h>
#include "abi/stat.h"

#include "dev/char/chardev.h"
#include "dev/tty/pty.h"
#include "dev/tty/tty.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "lib/bitmap.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"

enum {
	MAX_PTYS = 4096, /* Linux: NR_UNIX98_PTY_DEFAULT */
	DEFAULT_MODE = 0600,
	PTMX_MINOR = 2,
	ROOT_MODE = 0755,
	DEVPTS_BLOCK_SIZE = 1024,
	FIRST_INODE = 3, /* of pty 0; the root is 1 and ptmx 2 */
};

/*
 *   [I] immutable   [d] lock   [a] atomic
 */
struct devpts {
	refcount refs;       /* [a] the super's and each pair's */
	struct super *super; /* [I] while it is mounted */
	struct irqlock lock;
	BITMAP(used, MAX_PTYS); /* [d] */
	unsigned nr_used;       /* [d] */
	struct options {
		bool has_uid, has_gid;
		uint32_t uid, gid, mode, ptmx_mode;
		unsigned max;
	} options; /* [I] but for remount, which changes words one by one */
};

static const struct super_ops devpts_super_ops;

struct devpts *devpts_of(struct super *s)
{
	return s->ops == &devpts_super_ops ? s->private_data : NULL;
}

void devpts_get(struct devpts *d)
{
	refcount_get(&d->refs);
}

void devpts_put(struct devpts *d)
{
	if (refcount_put(&d->refs))
		mem_free(d);
}

/* ---- Numbers ---- */

int devpts_new_index(struct devpts *d, unsigned *index)
{
	int err = -ENOSPC;
	size_t bit;

	irqlock_lock(&d->lock);
	bit = bitmap_find_zero(d->used, MAX_PTYS, 0);
	if (bit < MAX_PTYS && d->nr_used < d->options.max) {
		bitmap_set(d->used, bit);
		d->nr_used++;
		*index = (unsigned)bit;
		err = 0;
	}
	irqlock_unlock(&d->lock);
	return err;
}

void devpts_free_index(struct devpts *d, unsigned index)
{
	irqlock_lock(&d->lock);
	bitmap_clear(d->used, index);
	d->nr_used--;
	irqlock_unlock(&d->lock);
}

/* ---- Nodes ---- */

static int node_open(struct inode *inode, struct file *f)
{
	struct tty *slave = inode->private_data;

	return slave ? pty_open_slave(slave, f) : pty_open_master(f);
}

static int node_setattr(struct inode *inode, const struct iattr *attr)
{
	inode_set_attr_simple(inode, attr);
	return 0;
}

static const struct inode_ops node_ops = {.open = node_open, .setattr = node_setattr};
static const struct inode_ops root_ops = {.setattr = node_setattr};

static int new_node(struct devpts *d, const char *name, uint32_t mode, uint32_t rdev,
	uint64_t ino, struct inode **out)
{
	struct inode *inode;
	int err = inode_create(d->super, &node_ops, S_IFCHR | mode, &inode);

	if (err)
		return err;
	inode->rdev = rdev;
	inode->ino = ino;
	*out = inode;
	inode_get(inode);
	err = dentry_add(d->super->root, name, inode);
	if (err)
		inode_put(inode);
	return err;
}

int devpts_add(struct devpts *d, unsigned index, struct tty *slave, struct dentry **node)
{
	const struct cred *cred = cred_current();
	struct inode *inode;
	char name[12];
	size_t len = snformat(name, sizeof(name), "%u", index);
	int err = new_node(d, name, d->options.mode, slave->dev, FIRST_INODE + index, &inode);

	if (err)
		return err;
	inode->uid = d->options.has_uid ? d->options.uid : cred->fsuid;
	inode->gid = d->options.has_gid ? d->options.gid : cred->fsgid;
	inode->private_data = slave; /* alive while the name is: the master keeps it */
	inode_put(inode);
	*node = dentry_find(d->super->root, name, len);
	return *node ? 0 : -ENOMEM;
}

void devpts_remove(struct devpts *d UNUSED, struct dentry *node)
{
	dentry_drop(node);
}

/* ---- The folder: ".", "..", ptmx, then the numbers in use ---- */

static bool emit(struct file *f, struct dir_sink *sink, const char *name, int64_t next,
	uint64_t ino, unsigned type)
{
	if (!sink->emit(sink, name, strlen(name), next, ino, type))
		return false;
	f->pos = next;
	return true;
}

static int iterate(struct file *f, struct dir_sink *sink)
{
	enum { DT_CHR = 2, DT_DIR = 4 };
	struct devpts *d = f->inode->super->private_data;
	char name[12];
	size_t index;

	if (f->pos == 0 && !emit(f, sink, ".", 1, 1, DT_DIR))
		return 0;
	if (f->pos == 1 && !emit(f, sink, "..", 2, 1, DT_DIR))
		return 0;
	if (f->pos == 2 && !emit(f, sink, "ptmx", FIRST_INODE, 2, DT_CHR))
		return 0;
	for (;;) {
		irqlock_lock(&d->lock);
		index = bitmap_find_one(d->used, MAX_PTYS, (size_t)f->pos - FIRST_INODE);
		irqlock_unlock(&d->lock);
		if (index >= MAX_PTYS)
			return 0;
		snformat(name, sizeof(name), "%zu", index);
		if (!emit(f, sink, name, FIRST_INODE + (int64_t)index + 1, FIRST_INODE + index,
			    DT_CHR))
			return 0;
	}
}

static const struct file_ops dir_ops = {.iterate = iterate, .seek = file_seek_dir};

/* ---- Options ---- */

static int set_option(struct options *o, const char *word, size_t len)
{
	static const struct {
		const char *key;
		unsigned base;
	} keys[] = {{"uid=", 10}, {"gid=", 10}, {"mode=", 8}, {"ptmxmode=", 8}, {"max=", 10}};
	const char *at;
	uint64_t v;
	unsigned i;

	if (len == strlen("newinstance") && strncmp(word, "newinstance", len) == 0)
		return 0;
	for (i = 0; i < ARRAY_LEN(keys); i++)
		if (str_has_prefix(word, keys[i].key))
			break;
	if (i == ARRAY_LEN(keys))
		return -EINVAL;
	at = word + strlen(keys[i].key);
	if (parse_take_u64(&at, keys[i].base, &v) || at != word + len || v > UINT32_MAX)
		return -EINVAL;
	switch (i) {
	case 0:
		o->uid = (uint32_t)v;
		o->has_uid = true;
		break;
	case 1:
		o->gid = (uint32_t)v;
		o->has_gid = true;
		break;
	case 2:
		o->mode = v & 07777;
		break;
	case 3:
		o->ptmx_mode = v & 07777;
		break;
	default:
		if (v > MAX_PTYS)
			return -EINVAL;
		o->max = (unsigned)v;
	}
	return 0;
}

static int parse_options(struct options *o, const char *data)
{
	*o = (struct options){.mode = DEFAULT_MODE, .max = MAX_PTYS};
	while (data && *data) {
		const char *end = strchr(data, ',');
		size_t len = end ? (size_t)(end - data) : strlen(data);
		int err = len ? set_option(o, data, len) : 0;

		if (err)
			return err;
		data += len + (end != NULL);
	}
	return 0;
}

static int devpts_show_options(struct super *s, char *buf, size_t size)
{
	const struct options *o = &((struct devpts *)s->private_data)->options;
	size_t n = 0;

	if (o->has_uid)
		n += snformat(buf + n, size - MIN(n, size), ",uid=%u", o->uid);
	if (o->has_gid)
		n += snformat(buf + n, size - MIN(n, size), ",gid=%u", o->gid);
	n += snformat(buf + n, size - MIN(n, size), ",mode=%03o,ptmxmode=%03o", o->mode,
		o->ptmx_mode);
	return n < size ? 0 : -ENAMETOOLONG;
}

/* ---- The filesystem ---- */

static int devpts_remount(struct super *s, unsigned flags UNUSED, const char *data)
{
	struct devpts *d = s->private_data;
	struct options o;
	int err = parse_options(&o, data);

	if (err)
		return err;
	d->options = o;
	return 0;
}

static int devpts_statfs(struct super *s, struct kstatfs *out)
{
	*out = (struct kstatfs){.type = s->magic, .block_size = PAGE_SIZE, .name_max = 255};
	return 0;
}

static void devpts_unmount(struct super *s)
{
	devpts_put(s->private_data);
}

static const struct super_ops devpts_super_ops = {
	.statfs = devpts_statfs,
	.show_options = devpts_show_options,
	.remount = devpts_remount,
	.unmount = devpts_unmount,
};

static int fill(struct devpts *d)
{
	struct inode *root, *ptmx;
	int err = inode_create(d->super, &root_ops, S_IFDIR | ROOT_MODE, &root);

	if (err)
		return err;
	root->ino = 1;
	root->nlink = 2;
	root->fops = &dir_ops;
	err = dentry_create_root(d->super, root, &d->super->root);
	if (err)
		return err;
	err = new_node(
		d, "ptmx", d->options.ptmx_mode, dev_make(TTYAUX_MAJOR, PTMX_MINOR), 2, &ptmx);
	if (err == 0)
		inode_put(ptmx);
	return err;
}

static int devpts_mount(const struct filesystem *fs, const char *source UNUSED,
	unsigned flags UNUSED, const char *data, struct super **out)
{
	struct devpts *d = mem_alloc(sizeof(*d), SLAB_ZERO);
	int err;

	if (!d)
		return -ENOMEM;
	refcount_init(&d->refs, 1);
	irqlock_init(&d->lock, RANK_EVENT, "devpts");
	err = parse_options(&d->options, data);
	if (err == 0)
		err = super_create(fs, &devpts_super_ops, DEVPTS_SUPER_MAGIC,
			SUPER_KEEPS_NAMES | SUPER_NO_EXEC, &d->super);
	if (err) {
		mem_free(d);
		return err;
	}
	d->super->private_data = d;
	d->super->block_size = DEVPTS_BLOCK_SIZE;
	err = fill(d);
	if (err) {
		super_release(d->super); /* unmounts: d goes with it */
		return err;
	}
	*out = d->super;
	return 0;
}

static const struct filesystem devpts = {.name = "devpts", .mount = devpts_mount};
SET_ADD(filesystems, devpts);
