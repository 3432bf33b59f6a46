// SPDX-License-Identifier: MIT
/*
 * System calls: the twelve of extended attributes; by path, by path without following, by descriptor.
 *
 * Spec    man 2 setxattr, getxattr, listxattr, removexattr
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "fs/vfs/xattr.h"
#include "mm/slab.h"
#include "proc/given.h"
#include "sys/syscall.h"

#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/xattr.h>

/* A name with its NUL; empty or too long: -ERANGE. */
static int read_name(char name[XATTR_NAME_MAX + 1], uptr from)
{
	int len = name_read(name, from, XATTR_NAME_MAX + 1);

	if (len == -ENAMETOOLONG || len == 0)
		return -ERANGE;
	return len < 0 ? len : 0;
}

/* ---- The place: by one of three ways, then one of four acts on it ---- */

struct act {
	int64_t (*fn)(const struct path *p, struct act *a);
	char name[XATTR_NAME_MAX + 1];
	uptr buf;
	size_t size;
	void *value; /* set: the kernel's copy; NULL: remove */
	int flags;
};

static int64_t at_path(uptr name, unsigned lookup, struct act *a)
{
	struct path p;
	int64_t n = path_lookup_user(AT_FDCWD, name, lookup, &p);

	if (n)
		return n;
	n = a->fn(&p, a);
	path_put(&p);
	return n;
}

static int64_t at_fd(int fd, struct act *a)
{
	struct borrowed_file b = fd_borrow(fd);
	struct path p;
	int64_t n;

	if (!b.file)
		return -EBADF;
	p = (struct path){b.file->mount, b.file->dentry};
	n = a->fn(&p, a);
	fd_release(b);
	return n;
}

/* ---- Set and remove ---- */

static int64_t do_set(const struct path *p, struct act *a)
{
	return vfs_setxattr(p, a->name, a->value, a->size, (unsigned)a->flags);
}

/* 0 and a->value to be freed, or an error. */
static int prepare_set(struct act *a, uptr name, uptr value, size_t size, int flags)
{
	int err;

	*a = (struct act){.fn = do_set, .size = size, .flags = flags};
	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = read_name(a->name, name);
	if (err)
		return err;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	a->value = mem_alloc(size ? size : 1, 0);
	if (!a->value)
		return -ENOMEM;
	err = given_read(a->value, value, size);
	if (err)
		mem_free(a->value);
	return err;
}

static int64_t set_at(uptr path, unsigned lookup, uptr name, uptr value, size_t size, int flags)
{
	struct act a;
	int64_t err = prepare_set(&a, name, value, size, flags);

	if (err)
		return err;
	err = at_path(path, lookup, &a);
	mem_free(a.value);
	return err;
}

/* man 2 setxattr. Errors: E2BIG, EEXIST, EFAULT, EINVAL, ENODATA, ENOSPC, ENOTSUP, EPERM, ERANGE, and stat's. */
SYSCALL5(setxattr, uptr, path, uptr, name, uptr, value, size_t, size, int, flags)
{
	return set_at(path, LOOKUP_FOLLOW, name, value, size, flags);
}

SYSCALL5(lsetxattr, uptr, path, uptr, name, uptr, value, size_t, size, int, flags)
{
	return set_at(path, 0, name, value, size, flags);
}

SYSCALL5(fsetxattr, int, fd, uptr, name, uptr, value, size_t, size, int, flags)
{
	struct act a;
	int64_t err = prepare_set(&a, name, value, size, flags);

	if (err)
		return err;
	err = at_fd(fd, &a);
	mem_free(a.value);
	return err;
}

static int prepare_remove(struct act *a, uptr name)
{
	*a = (struct act){.fn = do_set, .flags = XATTR_REPLACE};
	return read_name(a->name, name);
}

/* man 2 removexattr. Errors: ENODATA, ENOTSUP, ERANGE, and stat's. */
SYSCALL2(removexattr, uptr, path, uptr, name)
{
	struct act a;
	int err = prepare_remove(&a, name);

	return err ? err : at_path(path, LOOKUP_FOLLOW, &a);
}

SYSCALL2(lremovexattr, uptr, path, uptr, name)
{
	struct act a;
	int err = prepare_remove(&a, name);

	return err ? err : at_path(path, 0, &a);
}

SYSCALL2(fremovexattr, int, fd, uptr, name)
{
	struct act a;
	int err = prepare_remove(&a, name);

	return err ? err : at_fd(fd, &a);
}

/* ---- Get and list ---- */

/* What both do: a buffer of the kernel's, filled and copied out; -E2BIG when even the largest is short. */
static int64_t fetch(const struct path *p, struct act *a, size_t max, bool is_list)
{
	size_t size = MIN(a->size, max);
	void *buf = NULL;
	int64_t n;
	int err;

	if (size) {
		buf = mem_alloc(size, 0);
		if (!buf)
			return -ENOMEM;
	}
	n = is_list ? vfs_listxattr(p, buf, size) : vfs_getxattr(p, a->name, buf, size);
	if (n > 0 && size) {
		err = user_write(a->buf, buf, (size_t)n);
		if (err)
			n = err;
	} else if (n == -ERANGE && size >= max) {
		n = -E2BIG;
	}
	mem_free(buf);
	return n;
}

static int64_t do_get(const struct path *p, struct act *a)
{
	return fetch(p, a, XATTR_SIZE_MAX, false);
}

static int64_t do_list(const struct path *p, struct act *a)
{
	return fetch(p, a, XATTR_LIST_MAX, true);
}

static int prepare_get(struct act *a, uptr name, uptr buf, size_t size)
{
	*a = (struct act){.fn = do_get, .buf = buf, .size = size};
	return read_name(a->name, name);
}

/* man 2 getxattr. Errors: E2BIG, EFAULT, ENODATA, ENOTSUP, ERANGE, and stat's. */
SYSCALL4(getxattr, uptr, path, uptr, name, uptr, buf, size_t, size)
{
	struct act a;
	int err = prepare_get(&a, name, buf, size);

	return err ? err : at_path(path, LOOKUP_FOLLOW, &a);
}

SYSCALL4(lgetxattr, uptr, path, uptr, name, uptr, buf, size_t, size)
{
	struct act a;
	int err = prepare_get(&a, name, buf, size);

	return err ? err : at_path(path, 0, &a);
}

SYSCALL4(fgetxattr, int, fd, uptr, name, uptr, buf, size_t, size)
{
	struct act a;
	int err = prepare_get(&a, name, buf, size);

	return err ? err : at_fd(fd, &a);
}

/* man 2 listxattr. Errors: E2BIG, EFAULT, ERANGE, and stat's. */
SYSCALL3(listxattr, uptr, path, uptr, buf, size_t, size)
{
	struct act a = {.fn = do_list, .buf = buf, .size = size};

	return at_path(path, LOOKUP_FOLLOW, &a);
}

SYSCALL3(llistxattr, uptr, path, uptr, buf, size_t, size)
{
	struct act a = {.fn = do_list, .buf = buf, .size = size};

	return at_path(path, 0, &a);
}

SYSCALL3(flistxattr, int, fd, uptr, buf, size_t, size)
{
	struct act a = {.fn = do_list, .buf = buf, .size = size};

	return at_fd(fd, &a);
}
