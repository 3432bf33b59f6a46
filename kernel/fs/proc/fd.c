// SPDX-License-Identifier: MIT
/*
 * /proc/PID/fd and fdinfo: descriptors as links to what they refer to, and what is to be said of
 * each open file.
 */
#include <linux/fcntl.h>
#include "abi/stat.h"

#include "fs/proc/procfs_priv.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"

enum { PATH_SIZE = 4096, MAX_FD_DIGITS = 10 };

static const struct proc_entry fd_entry, fdinfo_entry;

/* The table of whom the node is about, with a reference. -ENOENT, -EACCES. */
static int table_of(const struct proc_node *n, struct fdtable **out)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return -ENOENT;
	err = proc_may_look(&w);
	if (err == 0) {
		*out = proc_whom_files(&w);
		if (!*out)
			err = -ENOENT;
	}
	proc_whom_put(&w);
	return err;
}

static int file_of(const struct proc_node *n, struct file **out)
{
	struct fdtable *files;
	int err = table_of(n, &files);

	if (err)
		return err;
	err = fd_get_file(files, (int)n->number, true, out);
	fdtable_put(files);
	return err ? -ENOENT : 0;
}

static void fill(const struct proc_node *dir, int fd, struct proc_node *out)
{
	out->entry = dir->entry->dir == &proc_fd_ops ? &fd_entry : &fdinfo_entry;
	out->number = (uint64_t)fd;
	out->pid = dir->pid;
	out->is_task = dir->is_task;
	pid_get(out->pid);
}

static int fd_lookup(
	const struct proc_node *dir, const char *name, size_t len, struct proc_node *out)
{
	struct fdtable *files;
	struct file *f;
	int64_t fd = 0;
	int err;

	if (len == 0 || len > MAX_FD_DIGITS || (name[0] == '0' && len > 1))
		return -ENOENT;
	for (size_t i = 0; i < len; i++) {
		if (!char_is_digit(name[i]))
			return -ENOENT;
		fd = fd * 10 + (name[i] - '0');
	}
	if (fd > INT32_MAX)
		return -ENOENT;
	err = table_of(dir, &files);
	if (err)
		return err;
	err = fd_get_file(files, (int)fd, true, &f);
	fdtable_put(files);
	if (err)
		return -ENOENT;
	file_put(f);
	fill(dir, (int)fd, out);
	return 0;
}

static int fd_next(const struct proc_node *dir, uint64_t *cursor, char *name, size_t size,
	struct proc_node *out)
{
	struct fdtable *files;
	int fd;

	if (table_of(dir, &files))
		return -ENOENT;
	fd = fdtable_next(files, (int)*cursor);
	fdtable_put(files);
	if (fd < 0)
		return -ENOENT;
	*cursor = (uint64_t)fd + 1;
	snformat(name, size, "%d", fd);
	fill(dir, fd, out);
	return 0;
}

const struct proc_dir_ops proc_fd_ops = {.lookup = fd_lookup, .next = fd_next};
const struct proc_dir_ops proc_fdinfo_ops = {.lookup = fd_lookup, .next = fd_next};

static int fd_readlink(const struct proc_node *n, char *buf, size_t size)
{
	struct file *f;
	char *whole, *text;
	int err = file_of(n, &f);

	if (err)
		return err;
	if (file_is_anonymous(f)) {
		err = (int)file_anonymous_name(f, buf, size);
		file_put(f);
		return err;
	}
	whole = mem_alloc(PATH_SIZE, 0);
	err = whole ? path_text(&(struct path){f->mount, f->dentry}, whole, PATH_SIZE, &text)
		    : -ENOMEM;
	if (err == 0) {
		size_t len = MIN(strlen(text), size - 1);

		memcpy(buf, text, len);
		buf[len] = '\0';
		err = (int)len;
	}
	mem_free(whole);
	file_put(f);
	return err;
}

/* The link's mode says what the descriptor is open for: man 5 proc. */
static void fd_getattr(const struct proc_node *n, struct kstat *out)
{
	enum { LINK_SIZE = 64 }; /* Linux: of every such link */
	struct file *f;

	out->size = LINK_SIZE;
	if (file_of(n, &f))
		return;
	out->mode = S_IFLNK | (f->mode & FILE_READ ? S_IRUSR | S_IXUSR : 0) |
		    (f->mode & FILE_WRITE ? S_IWUSR | S_IXUSR : 0);
	file_put(f);
}

static int fd_jump(const struct proc_node *n, struct mount **mnt, struct dentry **d)
{
	struct file *f;
	struct path p;
	int err = file_of(n, &f);

	if (err)
		return err;
	p = (struct path){f->mount, f->dentry};
	path_get(&p);
	*mnt = p.mnt;
	*d = p.dentry;
	file_put(f);
	return 0;
}

static int show_fdinfo(struct text *out, const struct proc_node *n)
{
	struct file *f;
	int err = file_of(n, &f);

	if (err)
		return err;
	text_add(out, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", f->pos, f->flags,
		f->mount->id, f->inode->ino);
	if (f->ops && f->ops->fdinfo)
		f->ops->fdinfo(f, out);
	file_put(f);
	return 0;
}

static const struct proc_entry fd_entry = {.mode = S_IFLNK | 0700,
	.readlink = fd_readlink,
	.jump = fd_jump,
	.getattr = fd_getattr};
static const struct proc_entry fdinfo_entry = {.mode = S_IFREG | 0444, .show = show_fdinfo};
