// SPDX-License-Identifier: MIT
/*
 * A process's place in the tree of files: root, working directory, umask.
 *
 * Walks read both paths under RCU without references: a consistent pair of mount and dentry by the
 * context's own sequence count. What a change replaces is put afterwards, and lives through the
 * grace period.
 *
 * Locks   fs->lock  irq, RANK_FS_CONTEXT, among those who change root and cwd
 */
#include "fs/vfs/super_priv.h"
#include "fs/vfs/walk_priv.h"
#include "mm/slab.h"
#include "proc/proc.h"

enum { DEFAULT_UMASK = 022 };

static struct irqlock all_lock = IRQLOCK_INIT(RANK_FS_CONTEXTS, "fs contexts");
static struct list all = LIST_INIT(all); /* [all_lock] link; without the kernel's */

struct fs_context fs_context_kernel = {
	.refs = 1,
	.lock = IRQLOCK_INIT(RANK_FS_CONTEXT, "fs context"),
	.umask = DEFAULT_UMASK,
};

struct fs_context *fs_context_current(void)
{
	struct uthread *u = uthread_current();

	return LIKELY(u && u->fs) ? u->fs : &fs_context_kernel;
}

static void peek(struct fs_context *fs, const struct path *from, struct path *out)
{
	uint32_t seq;

	do {
		seq = seq_read_begin(&fs->seq);
		out->mnt = READ_ONCE(from->mnt);
		out->dentry = READ_ONCE(from->dentry);
	} while (seq_read_retry(&fs->seq, seq));
}

void fs_context_peek_root(struct fs_context *fs, struct path *out)
{
	peek(fs, &fs->root, out);
}

void fs_context_peek_cwd(struct fs_context *fs, struct path *out)
{
	peek(fs, &fs->cwd, out);
}

void fs_context_get_root(struct fs_context *fs, struct path *out)
{
	irqlock_lock(&fs->lock);
	*out = fs->root;
	path_get(out);
	irqlock_unlock(&fs->lock);
}

void fs_context_get_cwd(struct fs_context *fs, struct path *out)
{
	irqlock_lock(&fs->lock);
	*out = fs->cwd;
	path_get(out);
	irqlock_unlock(&fs->lock);
}

static void replace(struct fs_context *fs, struct path *what, const struct path *p)
{
	struct path old;

	path_get(p);
	irqlock_lock(&fs->lock);
	seq_write_begin(&fs->seq);
	old = *what;
	WRITE_ONCE(what->mnt, p->mnt);
	WRITE_ONCE(what->dentry, p->dentry);
	seq_write_end(&fs->seq);
	irqlock_unlock(&fs->lock);
	if (old.dentry)
		path_put(&old);
}

void fs_context_set_root(struct fs_context *fs, const struct path *p)
{
	replace(fs, &fs->root, p);
}

void fs_context_set_cwd(struct fs_context *fs, const struct path *p)
{
	replace(fs, &fs->cwd, p);
}

int fs_context_copy(struct fs_context *from, struct fs_context **out)
{
	struct fs_context *fs = mem_alloc(sizeof(*fs), SLAB_ZERO);

	if (!fs)
		return -ENOMEM;
	refcount_init(&fs->refs, 1);
	fs->nr_threads = 1;
	irqlock_init(&fs->lock, RANK_FS_CONTEXT, "fs context");
	irqlock_lock(&from->lock);
	fs->root = from->root;
	fs->cwd = from->cwd;
	fs->umask = from->umask;
	fs->ns = from->ns;
	path_get(&fs->root);
	path_get(&fs->cwd);
	refcount_get(&fs->ns->refs);
	irqlock_unlock(&from->lock);
	irqlock_lock(&all_lock);
	list_add_tail(&all, &fs->link);
	irqlock_unlock(&all_lock);
	*out = fs;
	return 0;
}

void fs_context_share(struct fs_context *fs)
{
	refcount_get(&fs->refs);
	atomic_add(&fs->nr_threads, 1);
}

void fs_context_leave(struct fs_context *fs)
{
	atomic_sub(&fs->nr_threads, 1);
	fs_context_put(fs);
}

bool fs_context_is_shared(const struct fs_context *fs)
{
	return atomic_load(&fs->nr_threads) > 1;
}

void fs_context_get(struct fs_context *fs)
{
	refcount_get(&fs->refs);
}

void fs_context_put(struct fs_context *fs)
{
	if (!refcount_put(&fs->refs))
		return;
	irqlock_lock(&all_lock);
	list_remove(&fs->link);
	irqlock_unlock(&all_lock);
	path_put(&fs->cwd);
	path_put(&fs->root);
	mount_ns_put(fs->ns);
	mem_free(fs);
}

/* ---- Every context ---- */

/* Whether *what was `from`, and is `to` now; the references change hands outside the locks. */
static bool change_if_same(struct path *what, const struct path *from, const struct path *to)
{
	if (what->mnt != from->mnt || what->dentry != from->dentry)
		return false;
	path_get(to);
	WRITE_ONCE(what->mnt, to->mnt);
	WRITE_ONCE(what->dentry, to->dentry);
	return true;
}

static unsigned change_one(
	struct fs_context *fs, const struct path *from, const struct path *to)
{
	unsigned changed;

	irqlock_lock(&fs->lock);
	seq_write_begin(&fs->seq);
	changed = change_if_same(&fs->root, from, to);
	changed += change_if_same(&fs->cwd, from, to);
	seq_write_end(&fs->seq);
	irqlock_unlock(&fs->lock);
	return changed;
}

void fs_context_replace_everywhere(const struct path *from, const struct path *to)
{
	unsigned changed = change_one(&fs_context_kernel, from, to);

	irqlock_lock(&all_lock);
	list_for_each (fs, &all, struct fs_context, link)
		changed += change_one(fs, from, to);
	irqlock_unlock(&all_lock);
	while (changed--)
		path_put(from);
}

void fs_context_move(struct fs_context *fs, struct mount_ns *ns, const struct path *root,
	const struct path *cwd)
{
	struct path old_root, old_cwd;
	struct mount_ns *old_ns;

	irqlock_lock(&fs->lock);
	seq_write_begin(&fs->seq);
	old_root = fs->root;
	old_cwd = fs->cwd;
	old_ns = fs->ns;
	fs->root = *root;
	fs->cwd = *cwd;
	fs->ns = ns;
	seq_write_end(&fs->seq);
	irqlock_unlock(&fs->lock);
	path_put(&old_root);
	path_put(&old_cwd);
	mount_ns_put(old_ns);
}
