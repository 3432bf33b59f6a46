// SPDX-License-Identifier: MIT
/*
 * Unpacking the initramfs.
 *
 * What the loader left is one or more archives one behind the other, each plain or in gzip, xz
 * or Zstandard, with zeroes between. Everything goes through the same functions as a program's
 * calls, relative to the root that process 1 has.
 *
 * Entries that cannot be made are logged and passed over; a damaged archive ends the unpacking and
 * leaves what was made. Directories get their times last, because filling them changes them.
 *
 * Spec    Linux: Documentation/driver-api/early-userspace/buffer-format.rst
 */
#include "fs/initramfs.h"

#include <linux/fcntl.h>

#include "abi/stat.h"
#include "arch/bootinfo.h"
#include "debug/log.h"
#include "dev/char/chardev.h"
#include "fs/cpio.h"
#include "fs/vfs/path.h"
#include "lib/inflate.h"
#include "lib/list.h"
#include "lib/string.h"
#include "lib/xz.h"
#include "lib/zstd.h"
#include "mm/kmap.h"
#include "mm/page.h"
#include "mm/phys.h"
#include "mm/slab.h"
#include "time/clock.h"

enum { PERMISSIONS = 07777, LINK_BUCKETS = 64 };
#define PIECE (256 * KIB) /* of a file: then the archive's pages behind it are given back */

/* A file with several names, known by its number in the archive. */
struct hard_link {
	struct list_node link;
	uint32_t ino, dev_major, dev_minor;
	char name[];
};

struct dir_time {
	struct list_node link;
	uint32_t mtime;
	char name[];
};

struct unpacker {
	struct cpio cpio;
	struct file *file; /* being filled; NULL: its data are passed over */
	uint32_t mtime;    /* of it */
	uint64_t nr_entries, nr_failed;
	struct list hard_links[LINK_BUCKETS];
	struct list dir_times;
	const uint8_t *kept; /* the archive's part not yet given back; NULL: not ours */
	bool is_plain;	     /* on_data() gets the archive itself, nothing decompressed */
};

/* ---- Attributes ---- */

static void set_attributes(const struct path *p, const struct cpio_entry *e)
{
	struct iattr attr = {
		.valid = IATTR_UID | IATTR_GID | IATTR_CTIME, .uid = e->uid, .gid = e->gid};

	(void)!vfs_setattr(p, &attr); /* by root: only memory could be out */
	if (S_ISLNK(e->mode))
		return;
	attr = (struct iattr){.valid = IATTR_MODE | IATTR_CTIME, .mode = e->mode & PERMISSIONS};
	(void)!vfs_setattr(p, &attr);
}

static void set_mtime(const struct path *p, uint32_t mtime)
{
	struct iattr attr = {
		.valid = IATTR_ATIME | IATTR_MTIME | IATTR_ATIME_SET | IATTR_MTIME_SET,
		.atime.sec = mtime,
		.mtime.sec = mtime};

	(void)!vfs_setattr(p, &attr);
}

static int look_up(const char *name, struct path *out)
{
	return path_lookup(AT_FDCWD, name, 0, out);
}

/* ---- Entries ---- */

static struct list *bucket_of(struct unpacker *u, const struct cpio_entry *e)
{
	return &u->hard_links[(e->ino ^ e->dev_minor) % LINK_BUCKETS];
}

/* Under which name the file came before; NULL if it is the first, which is noted. */
static const char *find_hard_link(struct unpacker *u, const struct cpio_entry *e)
{
	struct hard_link *h;
	size_t size = strlen(e->name) + 1;

	list_for_each (it, bucket_of(u, e), struct hard_link, link)
		if (it->ino == e->ino && it->dev_major == e->dev_major &&
			it->dev_minor == e->dev_minor)
			return it->name;
	h = mem_alloc(sizeof(*h) + size, 0);
	if (!h)
		return NULL; /* the next name will be a file of its own */
	h->ino = e->ino;
	h->dev_major = e->dev_major;
	h->dev_minor = e->dev_minor;
	memcpy(h->name, e->name, size);
	list_add_tail(bucket_of(u, e), &h->link);
	return NULL;
}

/* What is there under the name and is of another kind makes room, as on Linux. */
static void remove_other_kind(const struct cpio_entry *e)
{
	struct path p;
	uint32_t mode;

	if (look_up(e->name, &p))
		return;
	mode = p.dentry->inode->mode;
	path_put(&p);
	if ((mode & S_IFMT) == (e->mode & S_IFMT) && !S_ISLNK(mode))
		return;
	if (S_ISDIR(mode))
		(void)!vfs_rmdir(AT_FDCWD, e->name);
	else
		(void)!vfs_unlink(AT_FDCWD, e->name);
}

static int make_file(struct unpacker *u, const struct cpio_entry *e)
{
	struct open_how_kernel how = {
		.flags = O_WRONLY | O_CREAT | O_LARGEFILE, .mode = e->mode & PERMISSIONS};
	const char *other = e->nlink > 1 ? find_hard_link(u, e) : NULL;
	struct path p;
	int err;

	if (other) {
		(void)!vfs_unlink(AT_FDCWD, e->name);
		err = vfs_link(AT_FDCWD, other, AT_FDCWD, e->name, 0);
		if (err || !e->size)
			return err;
	} else {
		how.flags |= O_TRUNC;
	}
	err = path_open(AT_FDCWD, e->name, &how, &u->file);
	if (err)
		return err;
	u->mtime = e->mtime;
	p = (struct path){u->file->mount, u->file->dentry};
	set_attributes(&p, e);
	return 0;
}

static void note_dir_time(struct unpacker *u, const struct cpio_entry *e)
{
	size_t size = strlen(e->name) + 1;
	struct dir_time *d = mem_alloc(sizeof(*d) + size, 0);

	if (!d)
		return; /* it keeps the present time */
	d->mtime = e->mtime;
	memcpy(d->name, e->name, size);
	list_add_tail(&u->dir_times, &d->link);
}

static int make_other(struct unpacker *u, const struct cpio_entry *e)
{
	struct path p;
	int err;

	if (S_ISDIR(e->mode)) {
		err = vfs_mkdir(AT_FDCWD, e->name, e->mode & PERMISSIONS);
		if (err == -EEXIST)
			err = 0;
	} else if (S_ISLNK(e->mode)) {
		err = vfs_symlink(e->target, AT_FDCWD, e->name);
	} else {
		err = vfs_mknod(
			AT_FDCWD, e->name, e->mode, dev_make(e->rdev_major, e->rdev_minor));
		if (err == -EEXIST)
			err = 0;
	}
	if (err)
		return err;
	err = look_up(e->name, &p);
	if (err)
		return err;
	set_attributes(&p, e);
	if (S_ISDIR(e->mode))
		note_dir_time(u, e);
	else
		set_mtime(&p, e->mtime);
	path_put(&p);
	return 0;
}

static int on_entry(void *ctx, const struct cpio_entry *e)
{
	struct unpacker *u = ctx;
	int err;

	u->nr_entries++;
	remove_other_kind(e);
	err = S_ISREG(e->mode) ? make_file(u, e) : make_other(u, e);
	if (err) {
		u->nr_failed++;
		log_warning("initramfs: %s: error %d", e->name, -err);
	}
	return err == -ENOMEM || err == -ENOSPC ? err : 0;
}

/* A plain archive is read once, upwards: with little RAM, files and archive need not fit together. */
static void give_back(struct unpacker *u, const uint8_t *read)
{
	const uint8_t *end = (const uint8_t *)ALIGN_DOWN((uintptr_t)read, PAGE_SIZE);

	if (!u->kept || !u->is_plain || end <= u->kept)
		return;
	page_give_late(virt_to_phys(u->kept), virt_to_phys(end));
	u->kept = end;
}

static int on_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct unpacker *u = ctx;

	while (u->file && len) {
		struct iter from;
		int64_t n;

		iter_init_kernel(&from, (void *)(uintptr_t)bytes, MIN(len, PIECE));
		n = u->file->ops->write(u->file, &from, &u->file->pos);
		if (n <= 0) {
			log_warning("initramfs: cannot write: error %d", (int)-n);
			return n ? (int)n : -EIO;
		}
		bytes += n;
		len -= (size_t)n;
		give_back(u, bytes);
	}
	return 0;
}

static int on_end(void *ctx)
{
	struct unpacker *u = ctx;
	struct path p;

	if (!u->file)
		return 0;
	p = (struct path){u->file->mount, u->file->dentry};
	set_mtime(&p, u->mtime);
	file_put(u->file);
	u->file = NULL;
	return 0;
}

static int on_archive_end(void *ctx)
{
	struct unpacker *u = ctx;
	struct hard_link *h;

	for (unsigned i = 0; i < LINK_BUCKETS; i++)
		while ((h = list_pop_head(&u->hard_links[i], struct hard_link, link)))
			mem_free(h);
	return 0;
}

static const struct cpio_ops unpack_ops = {
	.entry = on_entry, .data = on_data, .end = on_end, .archive_end = on_archive_end};

/* ---- Archives ---- */

static int feed_cpio(void *ctx, const uint8_t *bytes, size_t len)
{
	struct unpacker *u = ctx;
	int64_t n = cpio_feed(&u->cpio, bytes, len);

	return n < 0 ? (int)n : n < (int64_t)len ? -EINVAL : 0;
}

static int unpack_gzip(struct unpacker *u, const uint8_t *data, size_t size, size_t *at)
{
	struct inflate *state = mem_alloc(inflate_size, 0);
	int err;

	if (!state)
		return -ENOMEM;
	err = inflate_gzip(state, data, size, at, feed_cpio, u);
	mem_free(state);
	return err;
}

/* The window is as large as whoever packed the archive chose: xz -6 takes 8 MiB, zstd -19 as much. */
static int alloc_window(size_t size, void **window)
{
	int err = kmap_alloc(window, size, "initramfs");

	if (err)
		log_err("initramfs: no memory for a window of %zu KiB", size >> 10);
	return err;
}

static int unpack_xz(struct unpacker *u, const uint8_t *data, size_t size, size_t *at)
{
	struct xz *state;
	void *window;
	size_t window_size;
	int err = xz_window_size(data + *at, size - *at, &window_size);

	err = err ? err : alloc_window(window_size, &window);
	if (err)
		return err;
	state = mem_alloc(xz_size, 0);
	err = state ? xz_unpack(state, window, window_size, data, size, at, feed_cpio, u)
		    : -ENOMEM;
	mem_free(state);
	kmap_free(window);
	return err;
}

static int unpack_zstd(struct unpacker *u, const uint8_t *data, size_t size, size_t *at)
{
	struct zstd *state;
	void *window;
	size_t window_size;
	int err = zstd_window_size(data + *at, size - *at, &window_size);

	err = err ? err : alloc_window(window_size, &window);
	if (err)
		return err;
	state = mem_alloc(zstd_size, 0);
	err = state ? zstd_unpack(state, window, window_size, data, size, at, feed_cpio, u)
		    : -ENOMEM;
	mem_free(state);
	kmap_free(window);
	return err;
}

struct packing {
	uint8_t magic[4], magic_len;
	int (*unpack)(struct unpacker *u, const uint8_t *data, size_t size, size_t *at);
};
static const struct packing packings[] = {{{0x1f, 0x8b}, 2, unpack_gzip},
	{{0xfd, '7', 'z', 'X'}, 4, unpack_xz}, {{0x28, 0xb5, 0x2f, 0xfd}, 4, unpack_zstd}};

/* NULL: not packed. */
static const struct packing *packing_of(const uint8_t *data, size_t size)
{
	for (unsigned i = 0; i < ARRAY_LEN(packings); i++)
		if (size >= packings[i].magic_len &&
			memcmp(data, packings[i].magic, packings[i].magic_len) == 0)
			return &packings[i];
	return NULL;
}

static int unpack_all(struct unpacker *u, const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (at < size) {
		const struct packing *packing = packing_of(data + at, size - at);
		uint64_t offset = u->cpio.offset;
		int64_t n;
		int err;

		if (packing && cpio_is_between(&u->cpio)) {
			cpio_init(&u->cpio, &unpack_ops,
				u); /* alignment counts from its own start */
			err = packing->unpack(u, data, size, &at);
			if (err)
				return err;
			cpio_init(&u->cpio, &unpack_ops, u);
			u->cpio.offset = at;
			continue;
		}
		u->is_plain = true;
		n = cpio_feed(&u->cpio, data + at, size - at);
		u->is_plain = false;
		if (n < 0)
			return (int)n;
		at += (size_t)n;
		if (u->cpio.offset == offset) /* nothing that is known */
			return -EINVAL;
	}
	return cpio_is_between(&u->cpio) ? 0 : -ENODATA;
}

static void finish(struct unpacker *u)
{
	struct dir_time *d;
	struct path p;

	(void)on_archive_end(u);
	if (u->file)
		file_put(u->file);
	while ((d = list_pop_head(&u->dir_times, struct dir_time, link))) {
		if (!look_up(d->name, &p)) {
			set_mtime(&p, d->mtime);
			path_put(&p);
		}
		mem_free(d);
	}
}

static int unpack(const uint8_t *data, size_t size, bool is_given_back)
{
	struct unpacker *u = mem_alloc(sizeof(*u), SLAB_ZERO);
	int err;

	if (!u)
		return -ENOMEM;
	u->kept = is_given_back ? data : NULL;
	for (unsigned i = 0; i < LINK_BUCKETS; i++)
		list_init(&u->hard_links[i]);
	list_init(&u->dir_times);
	cpio_init(&u->cpio, &unpack_ops, u);
	err = unpack_all(u, data, size);
	finish(u);
	if (err)
		log_err("initramfs: damaged after %lu entries: error %d", u->nr_entries, -err);
	else
		log_info("initramfs: %lu entries, %lu failed", u->nr_entries, u->nr_failed);
	if (is_given_back)
		page_give_late(virt_to_phys(u->kept), virt_to_phys(data) + size);
	mem_free(u);
	return err == -ENODATA ? -EINVAL : err;
}

int initramfs_unpack_memory(const void *data, size_t size)
{
	return unpack(data, size, false);
}

/* What is there without an archive, and before it: as in Linux's built-in one. */
static int make_built_in(void)
{
	static const struct {
		const char *name;
		uint32_t mode, dev;
	} entries[] = {{"/dev", S_IFDIR | 0755, 0},
		{"/dev/console", S_IFCHR | 0600, 5 << 8 | 1}, {"/root", S_IFDIR | 0700, 0}};

	for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
		int err = S_ISDIR(entries[i].mode) ? vfs_mkdir(AT_FDCWD, entries[i].name,
							     entries[i].mode & PERMISSIONS)
						   : vfs_mknod(AT_FDCWD, entries[i].name,
							     entries[i].mode, entries[i].dev);

		if (err && err != -EEXIST)
			return err;
	}
	return 0;
}

int initramfs_unpack(void)
{
	paddr_t start = bootinfo.initrd_start, end = bootinfo.initrd_end;
	int err = make_built_in();

	if (err || start == end)
		return err;
	return unpack(phys_to_virt(start), end - start, true);
}
