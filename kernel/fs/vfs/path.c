// SPDX-License-Identifier: MIT
/*
 * Path names at large: copied from programs, looked up, written out again.
 *
 * The walking itself is walk.c's; operations on names are names.c's; opening is open.c's.
 *
 * Spec    man 7 path_resolution; man 2 getcwd
 */
#include "fs/vfs/path.h"

#include "fs/vfs/attr_query.h"
#include "fs/vfs/super_priv.h"
#include "fs/vfs/walk_priv.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/given.h"
#include "proc/proc.h"

#include <linux/limits.h>

void path_get(const struct path *p)
{
	mount_get(p->mnt);
	dentry_get(p->dentry);
}

void path_put(const struct path *p)
{
	/* the dentry first: the mount keeps its filesystem */
	dentry_put(p->dentry);
	mount_put(p->mnt);
}

/* ---- Names from programs ---- */

int name_read(char *to, uptr from, size_t size)
{
	const char *text =
		UNLIKELY(uthread_current()->given_input != NULL) ? given_text(from) : NULL;
	size_t len;

	if (LIKELY(!text))
		return user_read_string(to, from, size);
	len = strlen(text);
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(to, text, len + 1);
	return (int)len;
}

int pathname_read(struct pathname *out, uptr from, bool allow_empty)
{
	int len = name_read(out->here, from, sizeof(out->here));

	out->text = out->here;
	if (UNLIKELY(len == -ENAMETOOLONG)) {
		out->text = mem_alloc(PATH_MAX, 0);
		if (!out->text)
			return -ENOMEM;
		len = name_read(out->text, from, PATH_MAX);
	}
	if (len == 0 && !allow_empty)
		len = -ENOENT;
	if (len < 0) {
		pathname_free(out);
		return len;
	}
	out->len = (size_t)len;
	return 0;
}

void pathname_free(struct pathname *n)
{
	if (UNLIKELY(n->text != n->here))
		mem_free(n->text);
}

/* ---- Lookups ---- */

int path_lookup(int dirfd, const char *name, unsigned flags, struct path *out)
{
	struct walk w;
	int err;

	walk_init(&w, dirfd, name, strlen(name), flags);
	err = walk_run_to_pause(&w);
	if (!err) {
		*out = w.held;
		w.held.dentry = NULL;
	}
	walk_fini(&w);
	return err;
}

int path_lookup_user(int dirfd, uptr name, unsigned flags, struct path *out)
{
	struct pathname path;
	int err = pathname_read(&path, name, flags & LOOKUP_EMPTY);

	if (err)
		return err;
	err = path_lookup(dirfd, path.text, flags, out);
	pathname_free(&path);
	return err;
}

int path_lookup_as(
	const struct cred *c, int dirfd, const char *name, unsigned flags, struct path *out)
{
	struct walk w;
	int err;

	walk_init(&w, dirfd, name, strlen(name), flags);
	w.cred = c;
	err = walk_run_to_pause(&w);
	if (!err) {
		*out = w.held;
		w.held.dentry = NULL;
	}
	walk_fini(&w);
	return err;
}

int path_get_attr(int dirfd, const char *name, unsigned flags, struct kstat *out)
{
	struct walk w;
	int err;

	walk_init(&w, dirfd, name, strlen(name), flags);
	do {
		struct inode *i;

		err = walk_run(&w);
		if (err)
			break;
		i = w.at.dentry->inode;
		if (LIKELY(!i->ops->getattr)) {
			inode_get_attr(i, out);
			err = walk_stop(&w) ? 0 : -EAGAIN;
		} else {
			err = walk_pause(&w);
			if (!err)
				inode_get_attr(w.held.dentry->inode, out);
		}
	} while (err == -EAGAIN);
	walk_fini(&w);
	return err;
}

int path_lookup_parent(int dirfd, const char *name, unsigned flags, bool is_dir,
	struct parent_path *out) NOT_ANALYSED /* comes back with dir locked */
{
	struct walk w;
	struct inode *dir;
	int err;

	walk_init(&w, dirfd, name, strlen(name), (flags & ~LOOKUP_FOLLOW) | LOOKUP_PARENT);
	err = walk_run_to_pause(&w);
	if (!err && w.last_type != LAST_NORMAL)
		err = -EEXIST; /* "/", ".", "..": they are there, for whoever wants to make one */
	if (err)
		goto end_walk;
	dir = w.held.dentry->inode;
	mutex_lock(&dir->lock);
	err = walk_lookup_locked(w.held.dentry, &w.last, &out->child);
	if (!err && !out->child->inode && w.last_is_dir && !is_dir) {
		dentry_put(out->child);
		err = -ENOENT;
	}
	if (err) {
		mutex_unlock(&dir->lock);
		goto end_walk;
	}
	out->dir = w.held;
	w.held.dentry = NULL;
end_walk:
	walk_fini(&w);
	return err;
}

void path_unlock_parent(struct parent_path *p) NOT_ANALYSED
{
	mutex_unlock(&p->dir.dentry->inode->lock);
	dentry_put(p->child);
	path_put(&p->dir);
}

/* ---- And back to text ---- */

struct text_end {
	char *start, *at;
	bool is_full, is_unreachable;
};

static void prepend(struct text_end *t, const char *what, size_t len)
{
	if ((size_t)(t->at - t->start) < len) {
		t->is_full = true;
		return;
	}
	t->at -= len;
	memcpy(t->at, what, len);
}

/* A name as it stands now; the sequence says afterwards whether it stood still. */
static void prepend_name(struct text_end *t, const struct dentry *d)
{
	const char *name = READ_ONCE(d->name);
	size_t len = READ_ONCE(d->name_len);

	if (name == d->short_name ? len >= DENTRY_SHORT_NAME : strnlen(name, len) < len)
		return; /* caught while it moved */
	prepend(t, name, len);
	prepend(t, "/", 1);
}

static bool is_deleted(const struct path *p)
{
	return p->dentry->flags & DENTRY_UNLINKED && p->dentry != p->mnt->root;
}

static void write_text(struct text_end *t, const struct path *p, const struct path *root)
{
	struct mount *m = p->mnt;
	struct dentry *d = p->dentry;
	bool is_empty = true;

	prepend(t, "", 1);
	if (is_deleted(p))
		prepend(t, " (deleted)", strlen(" (deleted)"));
	while (!(d == root->dentry && m == root->mnt) && !t->is_full) {
		if (d == m->root) {
			if (m->parent != m) {
				d = m->mountpoint;
				m = m->parent;
				continue;
			}
			/* the top, and not our root: man 2 getcwd */
			if (is_empty)
				prepend(t, "/", 1);
			t->is_unreachable = true;
			return;
		}
		if (d->parent == d)
			break;
		prepend_name(t, d);
		is_empty = false;
		d = d->parent;
	}
	if (is_empty)
		prepend(t, "/", 1);
}

static int make_text(const struct path *p, char *buf, size_t size, struct text_end *t)
{
	struct path root;
	bool is_true = false;

	rcu_read_lock();
	for (unsigned looks = 0; !is_true; looks++) {
		bool is_locked = looks >= TREE_LOOKS;
		uint32_t seq = tree_look(is_locked);

		fs_context_peek_root(fs_context_current(), &root);
		*t = (struct text_end){.start = buf, .at = buf + size};
		write_text(t, p, &root);
		is_true = tree_end_look(is_locked, seq);
	}
	rcu_read_unlock();
	return t->is_full ? -ENAMETOOLONG : 0;
}

int path_text(const struct path *p, char *buf, size_t size, char **out)
{
	struct text_end t;
	int err = make_text(p, buf, size, &t);

	if (!err)
		*out = t.at;
	return err;
}

int path_text_of_cwd(char *buf, size_t size, char **out)
{
	struct path cwd;
	struct text_end t;
	int err;

	fs_context_get_cwd(fs_context_current(), &cwd);
	err = is_deleted(&cwd) ? -ENOENT : make_text(&cwd, buf, size, &t);
	path_put(&cwd);
	if (err)
		return err;
	if (t.is_unreachable)
		prepend(&t, "(unreachable)", strlen("(unreachable)"));
	*out = t.at;
	return t.is_full ? -ENAMETOOLONG : 0;
}
