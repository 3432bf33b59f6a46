// SPDX-License-Identifier: MIT
/*
 * System calls that mount by descriptors: open_tree, move_mount, fsopen, fsconfig, fsmount, fspick.
 *
 * Spec    linux/mount.h; man 2 of each (man7.org, 2025)
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/mount_ops.h"
#include "fs/vfs/path.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sys/file.h"
#include "sys/syscall.h"

#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/resource.h>

enum { NAME_MAX_SIZE = 256, VALUE_MAX_SIZE = 256, BLOB_MAX = 1 << 20 };

/* ---- Trees ---- */

#define TREE_FLAGS                                                                             \
	(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |                \
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)

SYSCALL3(open_tree, int, dirfd, uptr, name, unsigned, flags)
{
	struct path p;
	struct file *f;
	int err;

	if (flags & ~(unsigned)TREE_FLAGS ||
		(flags & (AT_RECURSIVE | OPEN_TREE_CLONE)) == AT_RECURSIVE)
		return -EINVAL;
	if (flags & OPEN_TREE_CLONE && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = path_lookup_user(dirfd, name,
		(flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			(flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
		&p);
	if (err)
		return err;
	err = flags & OPEN_TREE_CLONE ? vfs_clone_tree(&p, flags & AT_RECURSIVE, &f)
				      : path_open_at(&p, O_PATH, &f);
	path_put(&p);
	return err ? err : sys_give_fd(f, flags & OPEN_TREE_CLOEXEC);
}

#define MOVE_FLAGS                                                                             \
	(MOVE_MOUNT_F_SYMLINKS | MOVE_MOUNT_F_AUTOMOUNTS | MOVE_MOUNT_F_EMPTY_PATH |           \
		MOVE_MOUNT_T_SYMLINKS | MOVE_MOUNT_T_AUTOMOUNTS | MOVE_MOUNT_T_EMPTY_PATH)

SYSCALL5(move_mount, int, from_dirfd, uptr, from_name, int, to_dirfd, uptr, to_name, unsigned,
	flags)
{
	struct path from, to;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(unsigned)MOVE_FLAGS)
		return -EINVAL;
	err = path_lookup_user(from_dirfd, from_name,
		(flags & MOVE_MOUNT_F_SYMLINKS ? LOOKUP_FOLLOW : 0) |
			(flags & MOVE_MOUNT_F_EMPTY_PATH ? LOOKUP_EMPTY : 0),
		&from);
	if (err)
		return err;
	err = path_lookup_user(to_dirfd, to_name,
		(flags & MOVE_MOUNT_T_SYMLINKS ? LOOKUP_FOLLOW : 0) |
			(flags & MOVE_MOUNT_T_EMPTY_PATH ? LOOKUP_EMPTY : 0),
		&to);
	if (!err) {
		err = vfs_move_mount(&from, &to);
		path_put(&to);
	}
	path_put(&from);
	return err;
}

/* ---- Filesystems ---- */

/* A short string of the program's, memory of its own. -EFAULT, -EINVAL (too long), -ENOMEM. */
static int read_text(uptr from, size_t size, char **out)
{
	char *text = mem_alloc(size, 0);
	int len;

	if (!text)
		return -ENOMEM;
	len = user_read_string(text, from, size);
	if (len < 0) {
		mem_free(text);
		return len == -ENAMETOOLONG ? -EINVAL : len;
	}
	*out = text;
	return 0;
}

SYSCALL2(fsopen, uptr, type, unsigned, flags)
{
	struct file *f;
	char *name;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(unsigned)FSOPEN_CLOEXEC)
		return -EINVAL;
	err = read_text(type, PAGE_SIZE, &name);
	if (err)
		return err;
	err = fs_config_open(name, &f);
	mem_free(name);
	return err ? err : sys_give_fd(f, flags & FSOPEN_CLOEXEC);
}

SYSCALL3(fspick, int, dirfd, uptr, name, unsigned, flags)
{
	struct path p;
	struct file *f;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(unsigned)(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT |
				FSPICK_EMPTY_PATH))
		return -EINVAL;
	err = path_lookup_user(dirfd, name,
		(flags & FSPICK_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			(flags & FSPICK_EMPTY_PATH ? LOOKUP_EMPTY : 0),
		&p);
	if (err)
		return err;
	err = fs_config_pick(&p, &f);
	path_put(&p);
	return err ? err : sys_give_fd(f, flags & FSPICK_CLOEXEC);
}

/* What each command is given. */
static int check_config(unsigned cmd, bool has_key, bool has_value, int aux)
{
	bool is_ok;

	switch (cmd) {
	case FSCONFIG_SET_FLAG:
		is_ok = has_key && !has_value && !aux;
		break;
	case FSCONFIG_SET_STRING:
		is_ok = has_key && has_value && !aux;
		break;
	case FSCONFIG_SET_BINARY:
		is_ok = has_key && has_value && aux > 0 && aux <= BLOB_MAX;
		break;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		is_ok = has_key && has_value && (aux == AT_FDCWD || aux >= 0);
		break;
	case FSCONFIG_SET_FD:
		is_ok = has_key && !has_value && aux >= 0;
		break;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_RECONFIGURE:
		is_ok = !has_key && !has_value && !aux;
		break;
	default:
		return -EOPNOTSUPP;
	}
	return is_ok ? 0 : -EINVAL;
}

static int set_parameter(struct file *f, unsigned cmd, uptr key, uptr value)
{
	char *key_text, *value_text = NULL;
	int err;

	if (cmd != FSCONFIG_SET_FLAG && cmd != FSCONFIG_SET_STRING)
		return -EINVAL; /* no filesystem here has such a parameter */
	err = read_text(key, NAME_MAX_SIZE, &key_text);
	if (err)
		return err;
	if (cmd == FSCONFIG_SET_STRING)
		err = read_text(value, VALUE_MAX_SIZE, &value_text);
	if (!err)
		err = fs_config_set(f, key_text, value_text);
	mem_free(value_text);
	mem_free(key_text);
	return err;
}

SYSCALL5(fsconfig, int, fd, unsigned, cmd, uptr, key, uptr, value, int, aux)
{
	struct borrowed_file b;
	int err = -EINVAL;

	if (fd >= 0)
		err = check_config(cmd, !uptr_is_null(key), !uptr_is_null(value), aux);
	if (err)
		return err;
	b = fd_borrow(fd);
	if (!b.file)
		return -EBADF;
	if (cmd == FSCONFIG_CMD_CREATE)
		err = fs_config_create(b.file);
	else if (cmd == FSCONFIG_CMD_RECONFIGURE)
		err = fs_config_reconfigure(b.file);
	else
		err = set_parameter(b.file, cmd, key, value);
	fd_release(b);
	return err;
}

#define MOUNT_ATTRS                                                                            \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |        \
		MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

SYSCALL3(fsmount, int, fd, unsigned, flags, unsigned, attr)
{
	struct mount_change change = {.set = attr, .clear = MOUNT_ATTRS};
	struct borrowed_file b;
	struct file *f;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(unsigned)FSMOUNT_CLOEXEC || attr & ~(unsigned)MOUNT_ATTRS ||
		(attr & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME)
		return -EINVAL;
	b = fd_borrow(fd);
	if (!b.file)
		return -EBADF;
	err = fs_config_mount(b.file, &change, &f);
	fd_release(b);
	return err ? err : sys_give_fd(f, flags & FSMOUNT_CLOEXEC);
}
