// SPDX-License-Identifier: MIT
/*
 * Instances of tmpfs: mount options and limits.
 *
 * Spec    man 5 tmpfs; Linux: Documentation/filesystems/tmpfs.rst
 */
#include <linux/magic.h>

#include "abi/stat.h"
#include "fs/tmpfs/tmpfs_priv.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"

enum { NAME_LENGTH_MAX = 255, DEFAULT_MODE = 01777, ROOTFS_MODE = 0755, OPTION_MAX = 64 };

/*
 * What the options say; a bit in `given` for each that was named.
 */
struct options {
	uint64_t max_pages, max_inodes;
	uint32_t mode, uid, gid;
	unsigned given;
};
enum { GAVE_SIZE = 1, GAVE_INODES = 2, GAVE_MODE = 4, GAVE_UID = 8, GAVE_GID = 16 };

static uint64_t total_pages(void)
{
	struct page_stats stats;

	page_get_stats(&stats);
	return stats.total;
}

/* "50%" of RAM, or bytes with a suffix; 0 is no limit. */
static int parse_pages(const char *value, uint64_t unit, uint64_t *out)
{
	const char *at = value;
	uint64_t n;

	if (parse_take_size(&at, &n))
		return -EINVAL;
	if (*at == '%' && !at[1])
		n = total_pages() * n / 100;
	else if (*at)
		return -EINVAL;
	else
		n = DIV_ROUND_UP(n, unit);
	*out = n ? n : UINT64_MAX;
	return 0;
}

static int parse_u32(const char *value, unsigned base, uint32_t max, uint32_t *out)
{
	uint64_t n;

	if (parse_u64(value, base, &n) || n > max)
		return -EINVAL;
	*out = (uint32_t)n;
	return 0;
}

/* One "name=value". */
static int parse_option(struct options *o, const char *name, const char *value)
{
	if (str_equal(name, "size")) {
		o->given |= GAVE_SIZE;
		return parse_pages(value, PAGE_SIZE, &o->max_pages);
	}
	if (str_equal(name, "nr_blocks")) {
		o->given |= GAVE_SIZE;
		return parse_pages(value, 1, &o->max_pages);
	}
	if (str_equal(name, "nr_inodes")) {
		o->given |= GAVE_INODES;
		return parse_pages(value, 1, &o->max_inodes);
	}
	if (str_equal(name, "mode")) {
		o->given |= GAVE_MODE;
		return parse_u32(value, 8, 07777, &o->mode);
	}
	if (str_equal(name, "uid")) {
		o->given |= GAVE_UID;
		return parse_u32(value, 10, UINT32_MAX - 1, &o->uid);
	}
	if (str_equal(name, "gid")) {
		o->given |= GAVE_GID;
		return parse_u32(value, 10, UINT32_MAX - 1, &o->gid);
	}
	if (str_equal(name, "inode64") || str_equal(name, "inode32"))
		return *value ? -EINVAL : 0; /* numbers are 64 bits and small: both hold */
	return -EINVAL;
}

static int parse_options(struct options *o, const char *data)
{
	char one[OPTION_MAX];

	while (data && *data) {
		const char *end = strchr(data, ',');
		size_t len = end ? (size_t)(end - data) : strlen(data);
		char *value;
		int err;

		if (len >= sizeof(one))
			return -EINVAL;
		memcpy(one, data, len);
		one[len] = '\0';
		data += len + (end != NULL);
		if (!len)
			continue;
		value = strchr(one, '=');
		if (value)
			*value++ = '\0';
		err = parse_option(o, one, value ? value : "");
		if (err)
			return err;
	}
	return 0;
}

/* ---- Operations ---- */

static int statfs(struct super *s, struct kstatfs *out)
{
	const struct tmpfs *fs = tmpfs_of(s);
	uint64_t pages = atomic_load_relaxed(&fs->max_pages),
		 used = atomic_load_relaxed(&fs->used_pages),
		 inodes = atomic_load_relaxed(&fs->max_inodes),
		 used_inodes = atomic_load_relaxed(&fs->used_inodes);

	out->type = TMPFS_MAGIC;
	out->block_size = PAGE_SIZE;
	out->name_max = NAME_LENGTH_MAX;
	if (pages != UINT64_MAX) {
		out->blocks = pages;
		out->free_blocks = out->available_blocks = pages > used ? pages - used : 0;
	}
	if (inodes != UINT64_MAX) {
		out->files = inodes;
		out->free_files = inodes > used_inodes ? inodes - used_inodes : 0;
	}
	return 0;
}

static int remount(struct super *s, unsigned flags UNUSED, const char *data)
{
	struct tmpfs *fs = tmpfs_of(s);
	struct options o = {0};
	int err;

	err = parse_options(&o, data);
	if (err)
		return err;
	/* Linux: a limit cannot go below what is used, nor appear where there was none */
	if (o.given & GAVE_SIZE &&
		(o.max_pages < atomic_load_relaxed(&fs->used_pages) ||
			(fs->max_pages == UINT64_MAX && o.max_pages != UINT64_MAX)))
		return -EINVAL;
	if (o.given & GAVE_INODES &&
		(o.max_inodes < atomic_load_relaxed(&fs->used_inodes) ||
			(fs->max_inodes == UINT64_MAX && o.max_inodes != UINT64_MAX)))
		return -EINVAL;
	if (o.given & GAVE_SIZE)
		atomic_store_relaxed(&fs->max_pages, o.max_pages);
	if (o.given & GAVE_INODES)
		atomic_store_relaxed(&fs->max_inodes, o.max_inodes);
	return 0;
}

static int show_options(struct super *s, char *buf, size_t size)
{
	const struct tmpfs *fs = tmpfs_of(s);
	size_t len = 0;

	buf[0] = '\0';
	if (fs->max_pages != UINT64_MAX && fs->max_pages != total_pages() / 2)
		len = snformat(buf, size, ",size=%luk", fs->max_pages * (PAGE_SIZE / KIB));
	if (fs->max_inodes != UINT64_MAX && fs->max_inodes != total_pages() / 2 && len < size)
		len += snformat(buf + len, size - len, ",nr_inodes=%lu", fs->max_inodes);
	if (fs->mode != DEFAULT_MODE && len < size)
		len += snformat(buf + len, size - len, ",mode=%o", fs->mode);
	if (fs->uid && len < size)
		len += snformat(buf + len, size - len, ",uid=%u", fs->uid);
	if (fs->gid && len < size)
		len += snformat(buf + len, size - len, ",gid=%u", fs->gid);
	if (len < size)
		len += snformat(buf + len, size - len, ",inode64");
	return len < size ? (int)len : -ENAMETOOLONG;
}

static void unmount(struct super *s)
{
	mem_free(tmpfs_of(s));
}

static const struct super_ops super_ops = {
	.evict = tmpfs_evict,
	.statfs = statfs,
	.show_options = show_options,
	.remount = remount,
	.unmount = unmount,
};

/* ---- Mounting ---- */

static int create_root(struct super *s)
{
	struct tmpfs *fs = tmpfs_of(s);
	struct inode *root;
	int err;

	err = tmpfs_new_inode(s, NULL, S_IFDIR | fs->mode, 0, &root);
	if (err)
		return err;
	root->uid = fs->uid;
	root->gid = fs->gid;
	return dentry_create_root(s, root, &s->root);
}

int tmpfs_create_super(
	const struct filesystem *fs, unsigned flags, const char *data, struct super **out)
{
	struct options o = {.max_pages = total_pages() / 2,
		.max_inodes = total_pages() / 2,
		.mode = DEFAULT_MODE};
	struct tmpfs *t;
	struct super *s;
	int err;

	if (str_equal(fs->name, "rootfs"))
		o.mode = ROOTFS_MODE;
	err = parse_options(&o, data);
	if (err)
		return err;
	t = mem_alloc(sizeof(*t), SLAB_ZERO);
	if (!t)
		return -ENOMEM;
	*t = (struct tmpfs){.max_pages = o.max_pages,
		.max_inodes = o.max_inodes,
		.mode = o.mode,
		.uid = o.uid,
		.gid = o.gid};
	err = super_create(fs, &super_ops, TMPFS_MAGIC, flags | SUPER_KEEPS_NAMES, &s);
	if (err) {
		mem_free(t);
		return err;
	}
	s->private_data = t;
	err = create_root(s);
	if (err) {
		super_release(s); /* calls unmount */
		return err;
	}
	*out = s;
	return 0;
}

static int mount(const struct filesystem *fs, const char *source UNUSED, unsigned flags,
	const char *data, struct super **out)
{
	return tmpfs_create_super(fs, flags, data, out);
}

void tmpfs_init(void)
{
	tmpfs_init_inodes();
	tmpfs_init_memfd();
}

static const struct filesystem tmpfs = {.name = "tmpfs", .mount = mount};
SET_ADD(filesystems, tmpfs);
static const struct filesystem rootfs = {.name = "rootfs", .mount = mount};
SET_ADD(filesystems, rootfs);
