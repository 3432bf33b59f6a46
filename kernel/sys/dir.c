// SPDX-License-Identifier: MIT
/*
 * System calls: getdents64, getdents.
 *
 * Entries are laid out in a page of the kernel's and copied out when it is full, so that a
 * directory is read with one copy per page and the program's memory is touched between entries,
 * not within one.
 *
 * Spec    man 2 getdents
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/notify.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sys/syscall.h"

#include <linux/stat.h>

/* man 2 getdents: struct linux_dirent64, struct linux_dirent; the name follows */
struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
} PACKED;
struct dirent_old {
	uint64_t ino;
	uint64_t off;
	uint16_t len;
	char name[]; /* and the type in the last byte */
} PACKED;

enum { GATHER_SIZE = 4096 };

struct gather {
	struct dir_sink sink;
	bool is_old;
	uptr to;
	size_t left; /* of the program's buffer, less what `used` will take */
	size_t copied, used;
	int err;
	char *buf; /* GATHER_SIZE */
};

static int copy_out(struct gather *g)
{
	int err = user_write(uptr_add(g->to, g->copied), g->buf, g->used);

	if (!err) {
		g->copied += g->used;
		g->used = 0;
	}
	return err;
}

static bool emit(struct dir_sink *sink, const char *name, size_t len, int64_t next_pos,
	uint64_t ino, unsigned type)
{
	struct gather *g = container_of(sink, struct gather, sink);
	size_t head = g->is_old ? sizeof(struct dirent_old) + 1 : sizeof(struct dirent64);
	size_t size = ALIGN_UP(head + len + 1, sizeof(uint64_t));

	if (size > g->left) {
		if (!g->copied && !g->used)
			g->err = -EINVAL; /* not even one fits */
		return false;
	}
	if (size > GATHER_SIZE - g->used) {
		g->err = copy_out(g);
		if (g->err)
			return false;
	}
	if (g->is_old) {
		struct dirent_old *d = (struct dirent_old *)(g->buf + g->used);

		*d = (struct dirent_old){
			.ino = ino, .off = (uint64_t)next_pos, .len = (uint16_t)size};
		memcpy(d->name, name, len);
		memset(d->name + len, 0, size - sizeof(*d) - len);
		((char *)d)[size - 1] = (char)type;
	} else {
		struct dirent64 *d = (struct dirent64 *)(g->buf + g->used);

		/* zeroes up to the end first: the padding is the program's to see */
		*(uint64_t *)(g->buf + g->used + size - sizeof(uint64_t)) = 0;
		d->ino = ino;
		d->off = next_pos;
		d->len = (uint16_t)size;
		d->type = (uint8_t)type;
		memcpy(d->name, name, len);
		d->name[len] = '\0';
	}
	g->used += size;
	g->left -= size;
	return true;
}

static int64_t read_dir(struct file *f, struct gather *g)
{
	bool is_removed;
	int err;

	if (!f->ops->iterate)
		return -ENOTDIR;
	g->buf = mem_alloc(GATHER_SIZE, 0);
	if (!g->buf)
		return -ENOMEM;
	mutex_lock(&f->pos_lock);
	mutex_lock(&f->inode->lock);
	is_removed = f->dentry->flags & DENTRY_CANT_MOUNT;
	err = is_removed ? -ENOENT : f->ops->iterate(f, &g->sink);
	mutex_unlock(&f->inode->lock);
	mutex_unlock(&f->pos_lock);
	if (!err && g->used && !g->err)
		g->err = copy_out(g);
	if (!is_removed)
		notify_file(f, IN_ACCESS);
	inode_accessed(f->mount, f->inode, f->flags);
	mem_free(g->buf);
	if (g->copied)
		return (int64_t)g->copied;
	return err ? err : g->err;
}

static int64_t getdents_of(int fd, uptr to, unsigned size, bool is_old)
{
	struct borrowed_file b = fd_borrow(fd);
	struct gather g = {.sink = {.emit = emit}, .is_old = is_old, .to = to, .left = size};
	int64_t n;

	if (!b.file)
		return -EBADF;
	n = read_dir(b.file, &g);
	fd_release(b);
	return n;
}

/* man 2 getdents. Errors: EBADF, EFAULT, EINVAL, ENOENT, ENOTDIR. */
SYSCALL3(getdents64, int, fd, uptr, to, unsigned, size)
{
	return getdents_of(fd, to, size, false);
}

SYSCALL3(getdents, int, fd, uptr, to, unsigned, size)
{
	return getdents_of(fd, to, size, true);
}
