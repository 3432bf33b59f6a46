// SPDX-License-Identifier: MIT
/*
 * /proc as a filesystem: inodes from entries, names from tables, texts from shows.
 *
 * Names of processes are not kept: each lookup makes a new inode, as what it stands for may be gone or
 * be somebody else by then (DENTRY_NO_CACHE). Those of the system's tables are. What an open file or a working directory refers to stays
 * the process it was, by its struct pid, whose number is not reused while it is in use.
 *
 * Locks   text_file.lock, sleeping: one read or write of an open text at a time
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include "abi/stat.h"

#include "fs/proc/procfs.h"
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/file.h"
#include "lib/atomic.h"
#include "lib/fmt.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"

enum { NAME_SIZE = 32, MAX_WRITE = 4096, PROC_BLOCK_SIZE = 1024 };
enum { INO_ROOT = 1, MAX_PROC_NAME = 255 };

const struct proc_node *proc_node_of_file(const struct file *f)
{
	return proc_node_of(f->inode);
}

/* ---- Inodes ---- */

static const struct inode_ops node_inode_ops;
static const struct file_ops text_ops, dir_ops;

static const struct file_ops *ops_of(const struct proc_entry *e)
{
	if (S_ISDIR(e->mode))
		return &dir_ops;
	if (e->fops)
		return e->fops;
	return e->show || e->show_records || e->write ? &text_ops : NULL;
}

static const struct proc_entry *root_of(const struct super *s)
{
	return s->private_data;
}

/* Takes over the reference of n->pid. */
static int make_inode(struct super *s, const struct proc_node *n, struct inode **out)
{
	struct proc_node *copy = mem_alloc(sizeof(*copy), 0);
	struct inode *inode;
	int err = -ENOMEM;

	if (copy)
		err = inode_create(s, &node_inode_ops, n->entry->mode, &inode);
	if (err) {
		if (n->pid)
			pid_put(n->pid);
		mem_free(copy);
		return err;
	}
	*copy = *n;
	inode->private_data = copy;
	inode->ino = n->ino;
	inode->fops = ops_of(n->entry);
	if (inode->fops == &text_ops)
		inode->size = root_of(s)->file_size;
	if (S_ISDIR(n->entry->mode))
		inode->nlink = 2;
	*out = inode;
	return 0;
}

/* Files of a process belong to whom it runs as; to root when it must not be looked into. */
static void update_owner(struct inode *inode)
{
	const struct proc_node *n = proc_node_of(inode);
	struct proc_whom w;

	if (!n->pid || proc_whom_get(n, &w))
		return;
	inode->uid = inode->gid = 0;
	if (w.thread && (w.proc->flags & PROC_DUMPABLE)) {
		rcu_read_lock();
		inode->uid = rcu_load(w.thread->user->cred)->euid;
		inode->gid = rcu_load(w.thread->user->cred)->egid;
		rcu_read_unlock();
	}
	proc_whom_put(&w);
}

static void node_getattr(struct inode *inode, struct kstat *out)
{
	update_owner(inode);
	out->uid = inode->uid;
	out->gid = inode->gid;
	if (proc_node_of(inode)->entry->getattr)
		proc_node_of(inode)->entry->getattr(proc_node_of(inode), out);
}

static int node_setattr(struct inode *inode UNUSED, const struct iattr *attr)
{
	return attr->valid & (IATTR_MODE | IATTR_UID | IATTR_GID) ? -EPERM
								  : 0; /* O_TRUNC is harmless */
}

static void evict(struct inode *inode)
{
	struct proc_node *n = inode->private_data;

	if (n && n->pid)
		pid_put(n->pid);
	mem_free(n);
}

/* ---- Names ---- */

/* A number that stays the same for the same file of the same process. */
static uint64_t ino_of(
	const struct proc_node *dir, const struct proc_node *n, const char *name, size_t len)
{
	uint64_t h = dir->ino;

	for (size_t i = 0; i < len; i++)
		h = hash_u64(h ^ (uint8_t)name[i]);
	if (n->pid && !dir->pid)
		h ^= (uint64_t)n->pid->nr;
	return h >> 1;
}

static bool is_there(const struct proc_entry *e)
{
	return !e->is_there || e->is_there();
}

static int find(
	const struct proc_node *dir, const char *name, size_t len, struct proc_node *out)
{
	const struct proc_entry *e = dir->entry;
	int err = -ENOENT;

	*out = (struct proc_node){
		.pid = dir->pid, .is_task = dir->is_task, .number = dir->number};
	for (const struct proc_entry *c = e->children; c && c->name; c++) {
		if (strlen(c->name) != len || memcmp(c->name, name, len) != 0 || !is_there(c))
			continue;
		out->entry = c;
		if (out->pid)
			pid_get(out->pid);
		err = 0;
		break;
	}
	if (err && e->dir)
		err = e->dir->lookup(dir, name, len, out);
	if (err == 0)
		out->ino = ino_of(dir, out, name, len);
	return err;
}

/* A file of the system, always there under this name: something may be mounted on it. */
static bool is_lasting(const struct proc_node *dir, const struct proc_node *n)
{
	const struct proc_entry *c = dir->entry->children;

	if (dir->pid || !c || n->entry->is_there)
		return false;
	for (; c->name; c++)
		if (c == n->entry)
			return true;
	return false;
}

static int node_lookup(struct inode *inode, struct dentry *d)
{
	const struct proc_node *dir = proc_node_of(inode);
	bool is_kept = !(atomic_load_relaxed(&d->parent->flags) & DENTRY_NO_CACHE);
	struct proc_node n;
	struct inode *found;
	int err;

	atomic_fetch_or(&d->flags, DENTRY_NO_CACHE);
	/* Linux: a name that is not there is an error here, so that creating it says so too. */
	if (dir->pid && !proc_node_is_alive(dir))
		return -ENOENT;
	err = find(dir, d->name, d->name_len, &n);
	if (err == -ENOENT && root_of(inode->super)->keeps_negative)
		return 0;
	if (err)
		return err;
	is_kept &= is_lasting(dir, &n);
	err = make_inode(inode->super, &n, &found);
	if (err)
		return err;
	update_owner(found);
	dentry_set_inode(d, found);
	if (is_kept)
		atomic_fetch_and(&d->flags, ~(uint32_t)DENTRY_NO_CACHE);
	return 0;
}

/*
 * Positions in a folder: 0 and 1 are "." and "..", then the table's entries by their index, then,
 * from DIR_CURSOR on, the cursor of the names that come from the system.
 */
#define DIR_CURSOR (1l << 16)

static bool emit(struct file *f, struct dir_sink *sink, const char *name, int64_t next,
	uint64_t ino, uint32_t mode)
{
	enum { DT_SHIFT = 12 }; /* a directory entry's type is the mode's type bits */

	if (!sink->emit(sink, name, strlen(name), next, ino, mode >> DT_SHIFT))
		return false;
	f->pos = next;
	return true;
}

static int iterate_system(struct file *f, struct dir_sink *sink, const struct proc_node *dir)
{
	char name[NAME_SIZE];
	struct proc_node n;
	uint64_t cursor = (uint64_t)(f->pos - DIR_CURSOR);
	bool more;

	for (;;) {
		n = (struct proc_node){.pid = dir->pid, .is_task = dir->is_task};
		if (dir->entry->dir->next(dir, &cursor, name, sizeof(name), &n))
			return 0;
		more = emit(f, sink, name, DIR_CURSOR + (int64_t)cursor,
			ino_of(dir, &n, name, strlen(name)), n.entry->mode);
		if (n.pid)
			pid_put(n.pid);
		if (!more)
			return 0;
	}
}

static int dir_iterate(struct file *f, struct dir_sink *sink)
{
	const struct proc_node *dir = proc_node_of(f->inode);
	const struct proc_entry *children = dir->entry->children;

	if (dir->pid && !proc_node_is_alive(dir))
		return -ENOENT;
	if (f->pos == 0 && !emit(f, sink, ".", 1, dir->ino, S_IFDIR))
		return 0;
	if (f->pos == 1 && !emit(f, sink, "..", 2, f->dentry->parent->inode->ino, S_IFDIR))
		return 0;
	while (children && f->pos < DIR_CURSOR) {
		const struct proc_entry *c = &children[f->pos - 2];
		struct proc_node n = {.pid = dir->pid, .is_task = dir->is_task};

		if (!c->name)
			break;
		if (!is_there(c))
			f->pos++;
		else if (!emit(f, sink, c->name, f->pos + 1,
				 ino_of(dir, &n, c->name, strlen(c->name)), c->mode))
			return 0;
	}
	if (!dir->entry->dir)
		return 0;
	f->pos = MAX(f->pos, DIR_CURSOR);
	return iterate_system(f, sink, dir);
}

static const struct file_ops dir_ops = {.iterate = dir_iterate, .seek = file_seek_dir};

int procfs_get_pid(const struct file *f, struct pid **out)
{
	const struct proc_node *n;

	if (f->ops != &dir_ops)
		return -EBADF;
	n = proc_node_of_file(f);
	if (n->entry != &proc_pid_dir)
		return -EBADF;
	*out = n->pid;
	return 0;
}

/* ---- Links ---- */

static int node_readlink(struct inode *inode, char *buf, size_t size)
{
	const struct proc_node *n = proc_node_of(inode);

	return n->entry->readlink ? n->entry->readlink(n, buf, size) : -EINVAL;
}

static int node_jump(struct inode *inode, struct mount **mnt, struct dentry **d)
{
	const struct proc_node *n = proc_node_of(inode);

	return n->entry->jump ? n->entry->jump(n, mnt, d) : -ENOSYS;
}

/* ---- Texts ---- */

struct text_file {
	struct mutex lock;
	struct text text;
	bool is_made;
	/* Of a text of records: what the next one is, what of the text was read, and where that ended. */
	uint64_t cursor;
	size_t nr_read;
	int64_t pos;
};

static int node_open(struct inode *inode, struct file *f)
{
	struct text_file *tf;

	f->ops = inode->fops;
	if (f->ops != &text_ops)
		return 0;
	tf = mem_alloc(sizeof(*tf), SLAB_ZERO);
	if (!tf)
		return -ENOMEM;
	mutex_init(&tf->lock, RANK_PROC_TEXT, "proc text");
	f->private_data = tf;
	f->mode |= FILE_SEEK;
	return 0;
}

/* What Linux says of what a file cannot do, below a process and elsewhere. */
static int cannot(const struct proc_node *n)
{
	return n->pid ? -EINVAL : -EIO;
}

/* A read from the start makes the text anew. */
static int make_text(struct file *f, struct text_file *tf, int64_t pos)
{
	const struct proc_node *n = proc_node_of(f->inode);
	int err;

	if (tf->is_made && pos != 0)
		return 0;
	tf->text.len = 0;
	tf->text.is_short_of_memory = false;
	err = n->entry->show ? n->entry->show(&tf->text, n) : cannot(n);
	if (err == 0 && tf->text.is_short_of_memory)
		err = -ENOMEM;
	tf->is_made = err == 0;
	return err;
}

static int64_t read_whole(struct file *f, struct text_file *tf, struct iter *to, int64_t *pos)
{
	int64_t n = make_text(f, tf, *pos);
	size_t len;

	if (n == 0 && *pos < (int64_t)tf->text.len) {
		len = MIN(tf->text.len - (size_t)*pos, to->left);
		n = (int64_t)iter_write(to, tf->text.buf + *pos, len);
		if (n == 0 && len)
			n = -EFAULT;
		else
			*pos += n;
	}
	return n;
}

/* ---- Texts of records ---- */

/* The next records, in place of what was there. An error leaves it before them. */
static int make_records(struct file *f, struct text_file *tf, size_t enough)
{
	const struct proc_node *n = proc_node_of(f->inode);
	uint64_t cursor = tf->cursor;
	int err;

	tf->text.len = tf->nr_read = 0;
	tf->text.is_short_of_memory = false;
	err = n->entry->show_records(&tf->text, n, &cursor, enough);
	if (err == 0 && tf->text.is_short_of_memory)
		err = -ENOMEM;
	if (err)
		tf->text.len = 0;
	else
		tf->cursor = cursor;
	return err;
}

/*
 * Goes to pos. Where the last read ended nothing is to be done; anywhere else is found by making all
 * that is before it. At the end tf->pos stays below pos.
 */
static int seek_records(struct file *f, struct text_file *tf, int64_t pos)
{
	if (pos && pos == tf->pos)
		return 0;
	tf->cursor = 0;
	tf->pos = 0;
	tf->text.len = tf->nr_read = 0;
	while (tf->pos < pos) {
		int err = UNLIKELY(thread_is_killed()) ? -EINTR
						       : make_records(f, tf, PROC_RECORDS_MAX);

		if (err || !tf->text.len)
			return err;
		tf->nr_read = MIN(tf->text.len, (size_t)(pos - tf->pos));
		tf->pos += (int64_t)tf->nr_read;
	}
	return 0;
}

static int64_t give_records(struct text_file *tf, struct iter *to)
{
	size_t len = MIN(tf->text.len - tf->nr_read, to->left), n;

	if (!len)
		return 0;
	n = iter_write(to, tf->text.buf + tf->nr_read, len);
	tf->nr_read += n;
	tf->pos += (int64_t)n;
	return n ? (int64_t)n : -EFAULT;
}

/* What the last read left, and new records: no more than fit into a page, as on Linux. */
static int64_t read_records(struct file *f, struct text_file *tf, struct iter *to, int64_t *pos)
{
	int64_t n = seek_records(f, tf, *pos), more;

	if (n || tf->pos != *pos)
		return n;
	n = give_records(tf, to);
	if (n >= 0 && to->left && tf->nr_read == tf->text.len) {
		more = make_records(f, tf, to->left);
		more = more ? more : give_records(tf, to);
		n = n ? n + MAX(more, 0) : more;
	}
	*pos = tf->pos;
	return n;
}

static int64_t text_read(struct file *f, struct iter *to, int64_t *pos)
{
	struct text_file *tf = f->private_data;
	int64_t n;

	mutex_lock(&tf->lock);
	n = (proc_node_of(f->inode)->entry->show_records ? read_records : read_whole)(
		f, tf, to, pos);
	mutex_unlock(&tf->lock);
	return n;
}

static int64_t text_write(struct file *f, struct iter *from, int64_t *pos)
{
	const struct proc_node *n = proc_node_of(f->inode);
	size_t len = from->left;
	char *buf;
	int err;

	if (!n->entry->write)
		return cannot(n);
	if (len > MAX_WRITE)
		return -EINVAL;
	buf = mem_alloc(len + 1, 0);
	if (!buf)
		return -ENOMEM;
	if (iter_read(from, buf, len) != len) {
		mem_free(buf);
		return -EFAULT;
	}
	buf[len] = '\0';
	err = n->entry->write(n, buf, len);
	mem_free(buf);
	if (err)
		return err;
	*pos += (int64_t)len;
	return (int64_t)len;
}

static void text_release(struct file *f)
{
	struct text_file *tf = f->private_data;

	text_free(&tf->text);
	mem_free(tf);
}

static const struct file_ops text_ops = {
	.read = text_read,
	.write = text_write,
	.seek = file_seek_dir,
	.release = text_release,
};

static const struct inode_ops node_inode_ops = {
	.lookup = node_lookup,
	.readlink = node_readlink,
	.jump = node_jump,
	.getattr = node_getattr,
	.setattr = node_setattr,
	.open = node_open,
};

/* ---- The filesystem ---- */

static int proc_statfs(struct super *s, struct kstatfs *out)
{
	*out = (struct kstatfs){
		.type = s->magic, .block_size = PAGE_SIZE, .name_max = MAX_PROC_NAME};
	return 0;
}

static const struct super_ops proc_super_ops = {.evict = evict, .statfs = proc_statfs};

int proc_entry_mount(const struct filesystem *fs, const struct proc_entry *entry,
	uint32_t magic, uint32_t block_size, struct super **out)
{
	const struct proc_node n = {.entry = entry, .ino = INO_ROOT};
	struct inode *root;
	struct super *s;
	int err = super_create(fs, &proc_super_ops, magic, SUPER_NO_EXEC | SUPER_NO_DEV, &s);

	if (err)
		return err;
	s->block_size = block_size;
	s->private_data = (void *)(uintptr_t)entry;
	err = make_inode(s, &n, &root);
	if (err == 0)
		err = dentry_create_root(s, root, &s->root);
	if (err) {
		super_release(s);
		return err;
	}
	*out = s;
	return 0;
}

static int proc_mount(const struct filesystem *fs, const char *source UNUSED,
	unsigned flags UNUSED, const char *data UNUSED, struct super **out)
{
	return proc_entry_mount(fs, &proc_root, PROC_SUPER_MAGIC, PROC_BLOCK_SIZE, out);
}

static const struct filesystem procfs = {.name = "proc", .mount = proc_mount};
SET_ADD(filesystems, procfs);
