// SPDX-License-Identifier: MIT
/*
 * What a filesystem is to be, said bit by bit: the descriptors of fsopen(2) and fspick(2).
 *
 *     fsopen --> COLLECTING --create--> CREATED --mount (fsmount)--> PICKED --reconfigure--> PICKED
 *                    |                                                  ^
 *                    +--create fails--> FAILED            fspick -------+
 *
 * Parameters are kept as the text of mount(2)'s last argument, which the filesystem reads when it
 * is created: an unknown one is refused then, and not when it is set as by some filesystems of
 * Linux.
 *
 * Locks   c->lock [c]  RANK_FS_CONFIG: outside of all that mounting takes
 * Spec    linux/mount.h; man 2 fsopen, fsconfig, fsmount, fspick
 */
#include "fs/vfs/file.h"
#include "fs/vfs/mount_ops.h"
#include "fs/vfs/mount_priv.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/mount.h>

enum { OPTIONS_SIZE = 4096 /* mount(2)'s page */ };

enum phase { COLLECTING, CREATED, PICKED, FAILED };

/*
 *   [I] immutable   [c] lock
 */
struct fs_config {
	struct mutex lock;
	const struct filesystem *fs; /* [I] */
	enum phase phase;            /* [c] */
	struct super *super;         /* [c] CREATED and PICKED: one claim */
	unsigned set, cleared;       /* [c] MS_* that were said */
	char *source;                /* [c] or NULL */
	size_t used;                 /* [c] bytes of options */
	char options[OPTIONS_SIZE];  /* [c] with a NUL */
};

static void config_release(struct file *f)
{
	struct fs_config *c = f->private_data;

	if (c->super)
		super_release(c->super);
	mem_free(c->source);
	mem_free(c);
}

/* Words about errors would be read here; there are never any. */
static int64_t config_read(struct file *f UNUSED, struct iter *to UNUSED, int64_t *pos UNUSED)
{
	return -ENODATA;
}

static const struct file_ops config_ops = {
	.read = config_read,
	.release = config_release,
	.name = "[fscontext]",
};

static int config_create(const struct filesystem *fs, struct super *s, struct file **out)
{
	struct fs_config *c = mem_alloc(sizeof(*c), SLAB_ZERO);
	int err;

	if (!c)
		return -ENOMEM;
	mutex_init(&c->lock, RANK_FS_CONFIG, "fs config");
	c->fs = fs;
	c->phase = s ? PICKED : COLLECTING;
	err = file_open_anonymous(out, &config_ops, "[fscontext]", c, O_RDWR,
		FILE_READ | FILE_WRITE | FILE_STREAM);
	if (err) {
		mem_free(c);
		return err;
	}
	if (s)
		super_claim(s);
	c->super = s;
	return 0;
}

int fs_config_open(const char *type, struct file **out)
{
	const struct filesystem *fs = filesystem_find(type);

	return fs ? config_create(fs, NULL, out) : -ENODEV;
}

int fs_config_pick(const struct path *p, struct file **out)
{
	if (p->dentry != p->mnt->root)
		return -EINVAL;
	return config_create(p->mnt->super->fs, p->mnt->super, out);
}

static struct fs_config *config_of(struct file *f)
{
	return f->ops == &config_ops ? f->private_data : NULL;
}

/* ---- Parameters ---- */

static const struct {
	const char *word;
	unsigned set, clear;
} flag_words[] = {
	{"ro", MS_RDONLY, 0},
	{"rw", 0, MS_RDONLY},
	{"sync", MS_SYNCHRONOUS, 0},
	{"async", 0, MS_SYNCHRONOUS},
	{"dirsync", MS_DIRSYNC, 0},
	{"lazytime", MS_LAZYTIME, 0},
	{"nolazytime", 0, MS_LAZYTIME},
};

static bool set_flag(struct fs_config *c, const char *key)
{
	for (unsigned i = 0; i < ARRAY_LEN(flag_words); i++) {
		if (!str_equal(flag_words[i].word, key))
			continue;
		c->set = (c->set & ~flag_words[i].clear) | flag_words[i].set;
		c->cleared = (c->cleared & ~flag_words[i].set) | flag_words[i].clear;
		return true;
	}
	return false;
}

static int set_source(struct fs_config *c, const char *value)
{
	size_t size;

	if (!value || c->source)
		return -EINVAL;
	size = strlen(value) + 1;
	c->source = mem_alloc(size, 0);
	if (!c->source)
		return -ENOMEM;
	memcpy(c->source, value, size);
	return 0;
}

static void append(struct fs_config *c, const char *text, size_t len)
{
	memcpy(c->options + c->used, text, len);
	c->used += len;
	c->options[c->used] = '\0';
}

static int add_option(struct fs_config *c, const char *key, const char *value)
{
	size_t key_len = strlen(key), value_len = value ? strlen(value) : 0;

	if (strchr(key, ',') || (value && strchr(value, ',')))
		return -EINVAL;
	if (key_len + value_len + sizeof(",=") > OPTIONS_SIZE - c->used)
		return -EINVAL;
	if (c->used)
		append(c, ",", 1);
	append(c, key, key_len);
	if (value) {
		append(c, "=", 1);
		append(c, value, value_len);
	}
	return 0;
}

int fs_config_set(struct file *f, const char *key, const char *value)
{
	struct fs_config *c = config_of(f);
	int err = 0;

	if (!c)
		return -EINVAL;
	mutex_lock(&c->lock);
	if (c->phase != COLLECTING && c->phase != PICKED)
		err = -EBUSY;
	else if (str_equal(key, "source"))
		err = set_source(c, value);
	else if (!set_flag(c, key))
		err = add_option(c, key, value);
	mutex_unlock(&c->lock);
	return err;
}

/* ---- What is done with them ---- */

int fs_config_create(struct file *f)
{
	struct fs_config *c = config_of(f);
	int err = -EBUSY;

	if (!c)
		return -EINVAL;
	mutex_lock(&c->lock);
	if (c->phase == COLLECTING) {
		err = capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
		if (!err)
			err = c->fs->mount(c->fs, c->source, c->set,
				c->used ? c->options : NULL, &c->super);
		c->phase = err ? FAILED : CREATED;
	}
	mutex_unlock(&c->lock);
	return err;
}

static void forget(struct fs_config *c)
{
	c->used = 0;
	c->set = c->cleared = 0;
	mem_free(c->source);
	c->source = NULL;
}

int fs_config_reconfigure(struct file *f)
{
	struct fs_config *c = config_of(f);
	unsigned flags;
	int err = -EBUSY;

	if (!c)
		return -EINVAL;
	mutex_lock(&c->lock);
	if (c->phase == PICKED) {
		mutex_lock(&mount_lock);
		flags = (c->super->flags & SUPER_RDONLY ? MS_RDONLY : 0);
		flags = (flags & ~c->cleared) | c->set;
		err = super_reconfigure(c->super, flags, c->used ? c->options : NULL);
		mutex_unlock(&mount_lock);
		forget(c);
		if (err)
			c->phase = FAILED;
	}
	mutex_unlock(&c->lock);
	return err;
}

int fs_config_mount(struct file *f, const struct mount_change *change, struct file **out)
{
	struct fs_config *c = config_of(f);
	int err;

	if (!c)
		return -EINVAL;
	mutex_lock(&c->lock);
	if (!c->super)
		err = -EINVAL;
	else if (c->phase != CREATED)
		err = -EBUSY;
	else
		err = vfs_open_mount(c->super, c->source ? c->source : "none", change, out);
	if (!err) {
		forget(c);
		c->phase = PICKED;
	}
	mutex_unlock(&c->lock);
	return err;
}
