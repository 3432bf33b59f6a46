// SPDX-License-Identifier: MIT
/*
 * /proc/PID/mounts, mountinfo and mountstats: the mounts a process sees.
 *
 * Spec    man 5 proc
 */
#include <linux/mount.h>

#include "dev/char/chardev.h"
#include "fs/proc/procfs_priv.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"

enum { PATH_SIZE = 4096, OPTIONS_SIZE = 512 };

static const char special[] = " \t\n\\#";

static void add_flags(struct text *out, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {{MS_NOSUID, ",nosuid"}, {MS_NODEV, ",nodev"}, {MS_NOEXEC, ",noexec"},
		{MS_NOATIME, ",noatime"}, {MS_NODIRATIME, ",nodiratime"},
		{MS_RELATIME, ",relatime"}, {MS_NOSYMFOLLOW, ",nosymfollow"}};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (flags & names[i].flag)
			text_add(out, "%s", names[i].name);
}

static void add_super_options(struct text *out, struct super *s)
{
	char *options = s->ops->show_options ? mem_alloc(OPTIONS_SIZE, SLAB_ZERO) : NULL;

	if (options && s->ops->show_options(s, options, OPTIONS_SIZE) >= 0)
		text_add(out, "%s", options);
	mem_free(options);
}

/* Where it is mounted, as the reader sees it. False: outside his root. */
static bool add_place(struct text *out, struct mount *m, char *buf)
{
	struct path p = {.mnt = m, .dentry = m->root};
	char *text;

	if (path_text(&p, buf, PATH_SIZE, &text) || text[0] != '/')
		return false;
	text_add_escaped(out, text, special);
	return true;
}

static const char *read_write(uint32_t flags)
{
	return flags & MS_RDONLY ? "ro" : "rw";
}

static void mounts_line(struct text *out, struct mount *m, char *buf)
{
	size_t start = out->len;

	text_add_escaped(out, m->source ? m->source : "none", special);
	text_add(out, " ");
	if (!add_place(out, m, buf)) {
		out->len = start;
		return;
	}
	text_add(out, " %s %s", m->super->fs->name,
		read_write(m->flags | (m->super->flags & SUPER_RDONLY)));
	add_flags(out, m->flags);
	add_super_options(out, m->super);
	text_add(out, " 0 0\n");
}

/* The path of the mount's root inside its filesystem. */
static void add_root(struct text *out, struct mount *m, char *buf)
{
	char *at = buf + PATH_SIZE;

	*--at = '\0';
	if (m->super->flags & SUPER_INTERNAL) { /* a namespace's file */
		text_add(out, "%s", m->root->inode->link);
		return;
	}
	for (struct dentry *d = m->root; d != d->super->root; d = d->parent) {
		if ((size_t)(at - buf) < d->name_len + 1)
			break;
		at -= d->name_len;
		memcpy(at, d->name, d->name_len);
		*--at = '/';
	}
	text_add_escaped(out, *at ? at : "/", special);
}

static void mountinfo_line(struct text *out, struct mount *m, char *buf)
{
	size_t start = out->len;

	text_add(out, "%u %u %u:%u ", m->id, m->parent->id, dev_major(m->super->dev),
		dev_minor(m->super->dev));
	add_root(out, m, buf);
	text_add(out, " ");
	if (!add_place(out, m, buf)) {
		out->len = start;
		return;
	}
	text_add(out, " %s", read_write(m->flags));
	add_flags(out, m->flags);
	if (m->propagation & MS_SHARED)
		text_add(out, " shared:%u", m->peer_group);
	if ((m->propagation & MS_SLAVE) && m->master)
		text_add(out, " master:%u", m->master->peer_group);
	if (m->propagation & MS_UNBINDABLE)
		text_add(out, " unbindable");
	text_add(out, " - %s ", m->super->fs->name);
	text_add_escaped(out, m->source ? m->source : "none", special);
	text_add(out, " %s", read_write(m->super->flags));
	add_super_options(out, m->super);
	text_add(out, "\n");
}

static void mountstats_line(struct text *out, struct mount *m, char *buf)
{
	size_t start = out->len;

	text_add(out, "device ");
	text_add_escaped(out, m->source ? m->source : "none", special);
	text_add(out, " mounted on ");
	if (add_place(out, m, buf))
		text_add(out, " with fstype %s\n", m->super->fs->name);
	else
		out->len = start;
}

struct walk {
	struct text *out;
	char *buf;
	void (*line)(struct text *out, struct mount *m, char *buf);
};

static void one(struct mount *m, void *ctx)
{
	struct walk *w = ctx;

	w->line(w->out, m, w->buf);
}

static int show(struct text *out, const struct proc_node *n,
	void (*line)(struct text *, struct mount *, char *))
{
	struct walk w = {.out = out, .line = line};
	struct proc_whom whom;
	struct fs_context *fs;
	struct path root;
	int err = proc_whom_get(n, &whom);

	if (err)
		return err;
	fs = proc_whom_fs(&whom);
	proc_whom_put(&whom);
	if (!fs)
		return -EINVAL;
	fs_context_get_root(fs, &root);
	fs_context_put(fs);
	w.buf = mem_alloc(PATH_SIZE, 0);
	if (w.buf)
		mount_for_each_beside(root.mnt, one, &w);
	mem_free(w.buf);
	path_put(&root);
	return w.buf ? 0 : -ENOMEM;
}

int proc_show_mounts(struct text *out, const struct proc_node *n)
{
	return show(out, n, mounts_line);
}

int proc_show_mountinfo(struct text *out, const struct proc_node *n)
{
	return show(out, n, mountinfo_line);
}

int proc_show_mountstats(struct text *out, const struct proc_node *n)
{
	return show(out, n, mountstats_line);
}
