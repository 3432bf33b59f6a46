// SPDX-License-Identifier: MIT
/*
 * Walking: from a path name to a dentry on a mount.
 *
 * A walk runs under RCU and takes no reference and no lock while every name on its way is in
 * the dentry cache; at its end it takes one reference (or none: stat reads the inode right
 * there). What it saw is true if dentry_seq did not change from its beginning to its end, and
 * that includes its errors; otherwise it begins again. After some attempts it holds dentry_lock
 * instead, under which nothing moves, so that a storm of renames cannot starve it.
 *
 *     running --- walk_pause ---> paused (holds references on where it is) --- walk_resume ---> running
 *
 * It pauses to sleep: to ask a filesystem for a name, a right or a symlink's target. What a
 * pause held is put when the next pause holds something else.
 *
 * Symlinks. The rest of the text is always one string: a symlink's target is put in front of it, in a
 * buffer in which the text stands at the end. So there is no stack of links, and "the last
 * component" needs no memory of where it came from.
 *
 *     a/link/b/c   link -> ../x        rest: "../x" "/b/c"
 *
 * Locks   none held while running (RCU, or dentry_lock after many attempts); none while paused.
 * Spec    POSIX.1-2024 4.16 Pathname Resolution; man 7 path_resolution, symlink; man 2 openat2
 */
#include "fs/vfs/walk_priv.h"

#include "fs/vfs/permission_priv.h"
#include "fs/vfs/super_priv.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"

#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>

enum { MAX_LINKS = 40 /* man 7 path_resolution */ };

#define LOOKUP_SCOPED (LOOKUP_BENEATH | LOOKUP_IN_ROOT)

/* ---- Running and pausing ---- */

static void start_running(struct walk *w)
{
	rcu_read_lock();
	w->seq = tree_look(w->is_locked);
	w->is_running = true;
}

/* Whether nothing moved while it ran. */
static bool end_running(struct walk *w)
{
	bool is_true = tree_end_look(w->is_locked, w->seq);

	w->is_running = false;
	rcu_read_unlock();
	return is_true;
}

static void let_go(struct walk *w)
{
	if (w->held.dentry) {
		path_put(&w->held);
		w->held.dentry = NULL;
	}
}

bool walk_stop(struct walk *w)
{
	return end_running(w);
}

int walk_pause(struct walk *w)
{
	struct path now = w->at;
	bool has_dentry = dentry_try_get(now.dentry);
	bool has_mount = has_dentry && mount_try_get(now.mnt);

	if (LIKELY(end_running(w) && has_mount)) {
		let_go(w);
		w->held = now;
		return 0;
	}
	if (has_dentry)
		dentry_put(now.dentry);
	if (has_mount)
		mount_put(now.mnt);
	return -EAGAIN;
}

void walk_resume(struct walk *w)
{
	start_running(w);
	w->at = w->held;
}

/* ---- Beginning ---- */

void walk_init(struct walk *w, int dirfd, const char *name, size_t len, unsigned flags)
{
	w->dirfd = dirfd;
	w->flags = flags;
	w->name = name;
	w->name_len = len;
	w->cred = cred_current();
	w->held.dentry = NULL;
	w->base.file = NULL;
	w->base.is_counted = false;
	w->is_running = false;
	w->nr_runs = 0;
	w->buffer = NULL;
}

void walk_fini(struct walk *w)
{
	let_go(w);
	if (w->base.file)
		fd_release(w->base);
	if (w->buffer)
		mem_free(w->buffer);
}

/* The directory a relative path begins at; running. */
static int set_start(struct walk *w)
{
	struct fs_context *fs = fs_context_current();
	bool is_absolute = w->name_len && w->name[0] == '/';

	w->root.dentry = NULL;
	if (w->flags & LOOKUP_BENEATH && is_absolute)
		return -EXDEV;
	if (is_absolute && !(w->flags & LOOKUP_IN_ROOT)) {
		fs_context_peek_root(fs, &w->root);
		w->at = w->root;
		return 0;
	}
	if (w->dirfd == AT_FDCWD) {
		fs_context_peek_cwd(fs, &w->at);
	} else {
		w->at = (struct path){w->base.file->mount, w->base.file->dentry};
		if (w->name_len && !S_ISDIR(w->base.file->inode->mode))
			return -ENOTDIR;
	}
	if (w->flags & LOOKUP_SCOPED)
		w->root = w->at;
	return 0;
}

static int find_base(struct walk *w)
{
	bool is_absolute = w->name_len && w->name[0] == '/' && !(w->flags & LOOKUP_IN_ROOT);

	if (w->dirfd == AT_FDCWD || is_absolute || w->base.file)
		return 0;
	w->base = fd_borrow_path(w->dirfd);
	return w->base.file ? 0 : -EBADF;
}

static void need_root(struct walk *w)
{
	if (!w->root.dentry)
		fs_context_peek_root(fs_context_current(), &w->root);
}

/* ---- Steps; running ---- */

/* What may be searched by its mode is; a filesystem's own rule may sleep. */
static int may_search(struct walk *w)
{
	struct inode *dir = w->at.dentry->inode;
	int err;

	if (LIKELY(inode_everyone_may_search(dir)))
		return 0;
	if (!dir->ops->permission)
		return inode_permission_mode(w->cred, dir, MAY_EXEC);
	err = walk_pause(w);
	if (err)
		return err;
	err = inode_permission_as(w->cred, w->held.dentry->inode, MAY_EXEC);
	walk_resume(w);
	return err;
}

static int cross_mounts(struct walk *w)
{
	struct mount *m;

	while (UNLIKELY(w->at.dentry->flags & DENTRY_MOUNTED) &&
		(m = mount_find_rcu(w->at.mnt, w->at.dentry))) {
		if (w->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
		w->at = (struct path){m, m->root};
	}
	return 0;
}

static int step_up(struct walk *w)
{
	need_root(w);
	for (;;) {
		struct mount *m = w->at.mnt;
		struct dentry *d = w->at.dentry;

		if (d == w->root.dentry && m == w->root.mnt) {
			if (w->flags & LOOKUP_BENEATH)
				return -EXDEV;
			break;
		}
		if (d != m->root) {
			/* a directory that was renamed out of a bind mount has no way up in it */
			if (m->root != m->super->root && !dentry_is_below(d, m->root))
				return -ENOENT;
			w->at.dentry = d->parent;
			break;
		}
		if (m->parent == m)
			break;
		if (w->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
		w->at = (struct path){m->parent, m->mountpoint};
	}
	return cross_mounts(w);
}

/*
 * The rest becomes `text` followed by what was left. The room in front of the rest is used while
 * there is enough; otherwise the text moves to a larger buffer.
 */
static int put_in_front(struct walk *w, const char *text, size_t len)
{
	size_t left = (size_t)(w->end - w->rest), size;
	char *buffer, *to;

	if (w->buffer && w->rest >= w->buffer && (size_t)(w->rest - w->buffer) >= len) {
		to = w->buffer + (w->rest - w->buffer) - len;
		memcpy(to, text, len);
		w->begin = w->rest = to;
		return 0;
	}
	size = left + 2 * len + 64; /* room for another like it */
	buffer = mem_alloc(size, 0);
	if (!buffer)
		return -ENOMEM;
	to = buffer + size - left - len;
	memcpy(to, text, len);
	memcpy(to + len, w->rest, left);
	mem_free(w->buffer);
	w->buffer = buffer;
	w->begin = w->rest = to;
	w->end = buffer + size;
	return 0;
}

/* Running, in the directory of a symlink with this target: the walk goes on with it. */
static int follow_text(struct walk *w, const char *text, size_t len)
{
	if (!len)
		return -ENOENT;
	if (text[0] == '/') {
		if (w->flags & LOOKUP_BENEATH)
			return -EXDEV;
		need_root(w);
		if (w->flags & LOOKUP_NO_XDEV && w->root.mnt != w->at.mnt)
			return -EXDEV;
		w->at = w->root;
	}
	return put_in_front(w, text, len);
}

static int count_link(struct walk *w, const struct mount *m)
{
	if (w->nr_links++ >= MAX_LINKS || w->flags & LOOKUP_NO_SYMLINKS ||
		m->flags & MS_NOSYMFOLLOW)
		return -ELOOP;
	return 0;
}

/* Paused at the link's directory; the filesystem says where it goes. Afterwards running. */
static int ask_link(struct walk *w, struct inode *link)
{
	struct path target;
	char *text;
	int err = -ENOSYS;

	if (link->ops->jump)
		err = link->ops->jump(link, &target.mnt, &target.dentry);
	if (!err) {
		if (w->flags & LOOKUP_NO_MAGIC)
			err = -ELOOP;
		else if (w->flags & LOOKUP_SCOPED ||
			 (w->flags & LOOKUP_NO_XDEV && target.mnt != w->held.mnt))
			err = -EXDEV;
		if (err) {
			path_put(&target);
			return err;
		}
		let_go(w);
		w->held = target;
		walk_resume(w);
		return 0;
	}
	if (err != -ENOSYS)
		return err;
	if (link->link) {
		walk_resume(w);
		return follow_text(w, link->link, strlen(link->link));
	}
	if (!link->ops->readlink)
		return -EINVAL;
	text = mem_alloc(PATH_MAX, 0);
	if (!text)
		return -ENOMEM;
	err = link->ops->readlink(link, text, PATH_MAX);
	if (err >= 0) {
		walk_resume(w);
		err = follow_text(w, text, (size_t)err);
	}
	mem_free(text);
	return err;
}

static int follow_link(struct walk *w, struct dentry *d, struct inode *link)
{
	int err = count_link(w, w->at.mnt);

	if (err)
		return err;
	if (LIKELY(link->link)) {
		inode_accessed(w->at.mnt, link, 0);
		return follow_text(w, link->link, strlen(link->link));
	}
	if (!dentry_try_get(d))
		return -EAGAIN;
	err = walk_pause(w);
	if (!err)
		err = ask_link(w, link);
	if (w->is_running && err) {
		(void)end_running(w);
		dentry_put(d);
		return err;
	}
	if (!w->is_running) {
		dentry_put(d);
		return err;
	}
	/* put while paused: the put may sleep */
	err = walk_pause(w);
	dentry_put(d);
	if (err)
		return err;
	walk_resume(w);
	return 0;
}

/* The name is not in the cache, or must be asked for: paused, then there. */
static int step_slow(struct walk *w, const struct name_key *key)
{
	struct dentry *d;
	int err;

	if (w->flags & LOOKUP_CACHED)
		return -EAGAIN;
	err = walk_pause(w);
	if (err)
		return err;
	err = walk_lookup_slow(w->held.dentry, key, &d);
	if (err)
		return err;
	/* held becomes the child, which has its parent's reference in it */
	w->at = (struct path){w->held.mnt, d};
	dentry_put(w->held.dentry);
	w->held.dentry = d;
	walk_resume(w);
	return 0;
}

static bool is_usable(struct dentry *d)
{
	const struct inode *dir;

	if (LIKELY(!(d->flags & DENTRY_REVALIDATE)))
		return true;
	dir = d->parent->inode;
	return dir->ops->revalidate(d);
}

enum { STEP_IS_LAST = 1, STEP_HAS_SLASH = 2 };

static int step_down(struct walk *w, const struct name_key *key, unsigned how)
{
	struct path dir = w->at;
	struct dentry *d = dentry_find_rcu(dir.dentry, key);
	struct inode *i;
	int err;

	if (LIKELY(d && is_usable(d))) {
		w->at.dentry = d;
	} else if (!d && dentry_keeps_names(dir.dentry)) {
		return -ENOENT;
	} else {
		err = step_slow(w, key);
		if (err)
			return err;
		d = w->at.dentry;
	}
	i = rcu_load(d->inode); /* pairs with rcu_publish in dentry_set_inode */
	if (!i)
		return -ENOENT;
	if (S_ISLNK(i->mode)) {
		if (how == STEP_IS_LAST && !(w->flags & LOOKUP_FOLLOW)) {
			if (w->flags & LOOKUP_DIRECTORY)
				return -ENOTDIR;
			return 0;
		}
		w->at = (struct path){dir.mnt, d->parent};
		return follow_link(w, d, i);
	}
	err = cross_mounts(w);
	if (err)
		return err;
	if (how != STEP_IS_LAST && !S_ISDIR(w->at.dentry->inode->mode))
		return -ENOTDIR;
	return 0;
}

static enum walk_last type_of(const struct name_key *key)
{
	if (LIKELY(key->text[0] != '.' || key->len > 2))
		return LAST_NORMAL;
	if (key->len == 1)
		return LAST_DOT;
	return key->text[1] == '.' ? LAST_DOTDOT : LAST_NORMAL;
}

static const char *skip_slashes(const char *p, const char *end)
{
	while (p < end && *p == '/')
		p++;
	return p;
}

/* Running, until the end of the text. */
static int walk_components(struct walk *w)
{
	w->last_type = LAST_NONE;
	for (;;) {
		struct name_key key;
		enum walk_last type;
		const char *p;
		unsigned how;
		int err;

		w->rest = skip_slashes(w->rest, w->end);
		if (w->rest == w->end)
			break;
		err = may_search(w);
		if (err)
			return err;
		p = name_key_scan(&key, w->begin, w->rest, w->end);
		if (key.len > NAME_MAX)
			return -ENAMETOOLONG;
		how = p < w->end ? STEP_HAS_SLASH : 0;
		w->rest = p;
		if (p == w->end || skip_slashes(p, w->end) == w->end)
			how |= STEP_IS_LAST;
		type = type_of(&key);
		if (how & STEP_IS_LAST && w->flags & LOOKUP_PARENT) {
			w->last = key;
			w->last_type = type;
			w->last_is_dir = how & STEP_HAS_SLASH;
			return 0;
		}
		if (type == LAST_NORMAL)
			err = step_down(w, &key, how);
		else if (type == LAST_DOTDOT)
			err = step_up(w);
		if (err)
			return err;
	}
	if (w->flags & LOOKUP_DIRECTORY && !S_ISDIR(w->at.dentry->inode->mode))
		return -ENOTDIR;
	return 0;
}

/* An error that was seen while running is true only if nothing moved. */
static int settle(struct walk *w, int err)
{
	if (err && w->is_running && !end_running(w))
		return -EAGAIN;
	return err;
}

static int run_once(struct walk *w)
{
	int err = find_base(w);

	if (err)
		return err;
	mem_free(w->buffer); /* of a run before: the text is not in it */
	w->buffer = NULL;
	w->begin = w->rest = w->name;
	w->end = w->name + w->name_len;
	w->nr_links = 0;
	start_running(w);
	if (!w->name_len && !(w->flags & LOOKUP_EMPTY))
		err = -ENOENT;
	else
		err = set_start(w);
	if (!err)
		err = walk_components(w);
	return settle(w, err);
}

int walk_run(struct walk *w)
{
	int err;

	do {
		w->is_locked = w->nr_runs++ >= TREE_LOOKS;
		err = run_once(w);
	} while (err == -EAGAIN && !(w->flags & LOOKUP_CACHED));
	return err;
}

int walk_run_to_pause(struct walk *w)
{
	int err;

	do {
		err = walk_run(w);
		if (!err)
			err = walk_pause(w);
	} while (err == -EAGAIN && !(w->flags & LOOKUP_CACHED));
	return err;
}

int walk_continue(struct walk *w)
{
	return settle(w, walk_components(w));
}

int walk_follow_last(struct walk *w, struct dentry *link)
{
	int err = count_link(w, w->held.mnt);

	w->rest = skip_slashes(w->last.text + w->last.len, w->end);
	if (!err)
		err = ask_link(w, link->inode);
	if (!err) {
		err = walk_pause(w);
	} else if (w->is_running) {
		(void)end_running(w);
	}
	dentry_put(link);
	if (!err)
		walk_resume(w);
	return err;
}

/* ---- Asking the filesystem ---- */

int walk_lookup_locked(struct dentry *dir, const struct name_key *key, struct dentry **out)
{
	struct dentry *d = dentry_find_key(dir, key);
	bool is_good = false;
	int err;

	if (d) {
		rcu_read_lock();
		is_good = is_usable(d);
		rcu_read_unlock();
	}
	if (is_good) {
		*out = d;
		return 0;
	}
	if (d) {
		dentry_drop(d);
		dentry_put(d);
	}
	if (dir->flags & DENTRY_CANT_MOUNT)
		return -ENOENT; /* removed meanwhile */
	err = dentry_create(dir, key, &d);
	if (err)
		return err;
	if (!dentry_keeps_names(dir)) {
		err = dir->inode->ops->lookup(dir->inode, d);
		if (err) {
			dentry_put(d);
			return err;
		}
		dentry_add_to_cache(d);
	}
	*out = d;
	return 0;
}

int walk_lookup_slow(struct dentry *dir, const struct name_key *key, struct dentry **out)
{
	int err;

	mutex_lock(&dir->inode->lock);
	err = walk_lookup_locked(dir, key, out);
	mutex_unlock(&dir->inode->lock);
	return err;
}
