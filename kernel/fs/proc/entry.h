// SPDX-License-Identifier: MIT
/*
 * Filesystems whose files are made when they are looked at: /proc, and /sys (fs/sys). Every file and
 * folder is a struct proc_entry in a constant table, and an inode of it is a struct proc_node, the
 * entry together with whom or what it is about.
 *
 * An entry is exactly one of: a text (show or show_records, perhaps write), a folder with a table of
 * its own (children), a folder whose names come from the system (dir), a link (readlink, jump), or a
 * file with operations of its own (fops).
 */
#pragma once

#include "abi/stat.h"
#include "fs/vfs/inode.h"
#include "lib/base.h"

struct cpumask;
struct file;
struct kstat;
struct pid;
struct proc_node;

/* ---- Text that grows ---- */

struct text {
	char *buf;
	size_t len, size;
	bool is_short_of_memory; /* what follows is lost: the read fails with -ENOMEM */
};
void text_add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_add_bytes(struct text *t, const char *s, size_t len);
/* With the bytes of `special`, and those that are no text, as \ooo: names in mounts and maps. */
void text_add_escaped(struct text *t, const char *s, const char *special);
/* As Linux shows sets of CPUs: "f" or "ff,ffffffff" of nr bits, and "0-3,7". */
void text_add_mask(struct text *t, const struct cpumask *mask, unsigned nr);
void text_add_list(struct text *t, const struct cpumask *mask, unsigned nr);
void text_free(struct text *t);
/*
 * Whether the record that begins at `start` may stay in a text of records. If not it is taken out again.
 */
bool text_fits(struct text *t, size_t start);
/* What a program wrote, without the space around it: cut in place. */
char *text_trimmed(char *text);

/* ---- Entries ---- */

struct proc_dir_ops {
	/* The name's node: fills entry, and pid or number, of *out. -ENOENT. */
	int (*lookup)(const struct proc_node *dir, const char *name, size_t len,
		struct proc_node *out);
	/*
	 * The next name at or after *cursor, which moves on (0 at first); its node in *out as for
	 * lookup. -ENOENT: no more.
	 */
	int (*next)(const struct proc_node *dir, uint64_t *cursor, char *name, size_t size,
		struct proc_node *out);
};

/* A setting that is a variable. */
struct proc_number {
	uint64_t *value; /* [a] */
	uint64_t min, max;
};

/* What one read makes of a text of records, unless a single one is longer: Linux's page. */
enum { PROC_RECORDS_MAX = 4096 };

struct proc_entry {
	const char *name;
	uint32_t mode; /* with the type */
	int (*show)(struct text *out, const struct proc_node *n);
	/*
	 * Instead of show, where the text is long and most of it may never be read: it is made as it is
	 * read. Adds records from *cursor on (0: the first), which moves on, until there are `enough`
	 * bytes or the next one does not fit (text_fits). None: that was the end.
	 */
	int (*show_records)(
		struct text *out, const struct proc_node *n, uint64_t *cursor, size_t enough);
	int (*write)(const struct proc_node *n, char *text, size_t len); /* NUL-terminated */
	const struct proc_entry *children; /* ends with a name of NULL */
	const struct proc_dir_ops *dir;    /* before children, where both are */
	int (*readlink)(const struct proc_node *n, char *buf, size_t size); /* length */
	int (*jump)(const struct proc_node *n, struct mount **mnt, struct dentry **d);
	void (*getattr)(
		const struct proc_node *n, struct kstat *out); /* what is not as usual */
	const struct file_ops *fops;
	const struct proc_number *number; /* show and write are about this */
	uint32_t file_size; /* of a root: what stat says of every text; 0 in /proc */
	bool keeps_negative; /* of a root: a name that is not there is no error of its folder (/sys) */
	bool (*is_there)(void); /* NULL: always */
};

/*
 * What an inode of /proc is about. Folders below hand pid and number on.
 */
struct proc_node {
	const struct proc_entry *entry;
	struct pid *pid; /* a process, or in task/ a thread; a reference; NULL: the system */
	bool is_task;    /* pid is a thread's */
	uint64_t number; /* a descriptor in fd/, an address in map_files/ */
	uint64_t ino;
};

static inline const struct proc_node *proc_node_of(const struct inode *inode)
{
	return inode->private_data;
}
/* Of an open file in /proc. */
const struct proc_node *proc_node_of_file(const struct file *f);

/* For filesystem.mount: an instance whose root is this entry. */
MUST_CHECK int proc_entry_mount(const struct filesystem *fs, const struct proc_entry *root,
	uint32_t magic, uint32_t block_size, struct super **out);

/* ---- How tables are written ---- */

#define PROC_TEXT(name_, mode_, show_)                                                         \
	{                                                                                      \
		.name = name_, .mode = S_IFREG | (mode_), .show = show_                        \
	}
#define PROC_RECORDS(name_, mode_, show_)                                                      \
	{                                                                                      \
		.name = name_, .mode = S_IFREG | (mode_), .show_records = show_                \
	}
#define PROC_SETTING(name_, mode_, show_, write_)                                              \
	{                                                                                      \
		.name = name_, .mode = S_IFREG | (mode_), .show = show_, .write = write_       \
	}
#define PROC_FOLDER(name_, children_)                                                          \
	{                                                                                      \
		.name = name_, .mode = S_IFDIR | 0555, .children = children_                   \
	}
#define PROC_NAMES(name_, mode_, dir_)                                                         \
	{                                                                                      \
		.name = name_, .mode = S_IFDIR | (mode_), .dir = dir_                          \
	}
#define PROC_LINK(name_, readlink_)                                                            \
	{                                                                                      \
		.name = name_, .mode = S_IFLNK | 0777, .readlink = readlink_                   \
	}
#define PROC_JUMP(name_, readlink_, jump_)                                                     \
	{                                                                                      \
		.name = name_, .mode = S_IFLNK | 0777, .readlink = readlink_, .jump = jump_    \
	}
#define PROC_FILE(name_, mode_, fops_)                                                         \
	{                                                                                      \
		.name = name_, .mode = S_IFREG | (mode_), .fops = fops_                        \
	}
