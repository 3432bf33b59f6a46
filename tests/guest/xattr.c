// SPDX-License-Identifier: MIT
/* Extended attributes of files in memory: trusted names, which tmpfs keeps, and those it does not. */
#include <linux/limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "guest.h"

static void make_file(void)
{
	int fd = CHECK_OK(open("f", O_CREAT | O_RDWR, 0644));

	close(fd);
}

TEST(xattr, set_get_and_remove)
{
	char buf[16] = "";

	make_file();
	CHECK_ERRNO(getxattr("f", "trusted.a", buf, sizeof(buf)), ENODATA);
	CHECK_OK(setxattr("f", "trusted.a", "value", 5, 0));
	CHECK_EQ(getxattr("f", "trusted.a", NULL, 0), 5);
	CHECK_EQ(getxattr("f", "trusted.a", buf, sizeof(buf)), 5);
	CHECK_EQ(memcmp(buf, "value", 5), 0);
	CHECK_ERRNO(getxattr("f", "trusted.a", buf, 4), ERANGE);
	CHECK_OK(setxattr("f", "trusted.a", "", 0, 0));
	CHECK_EQ(getxattr("f", "trusted.a", buf, sizeof(buf)), 0);
	CHECK_OK(removexattr("f", "trusted.a"));
	CHECK_ERRNO(removexattr("f", "trusted.a"), ENODATA);
}

TEST(xattr, create_and_replace)
{
	make_file();
	CHECK_ERRNO(setxattr("f", "trusted.a", "1", 1, XATTR_REPLACE), ENODATA);
	CHECK_OK(setxattr("f", "trusted.a", "1", 1, XATTR_CREATE));
	CHECK_ERRNO(setxattr("f", "trusted.a", "2", 1, XATTR_CREATE), EEXIST);
	CHECK_OK(setxattr("f", "trusted.a", "3", 1, XATTR_REPLACE));
	CHECK_ERRNO(setxattr("f", "trusted.a", "3", 1, 4), EINVAL);
}

/* Whether a list of names, each with its NUL, has this one. */
static bool has_name(const char *list, ssize_t size, const char *name)
{
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(list + at) + 1)
		if (strcmp(list + at, name) == 0)
			return true;
	return false;
}

TEST(xattr, listing)
{
	char list[256];
	ssize_t size;

	make_file();
	CHECK_OK(setxattr("f", "trusted.one", "1", 1, 0));
	CHECK_OK(setxattr("f", "trusted.two", "2", 1, 0));
	size = CHECK_OK(listxattr("f", list, sizeof(list)));
	CHECK(has_name(list, size, "trusted.one"));
	CHECK(has_name(list, size, "trusted.two"));
	CHECK_EQ(listxattr("f", NULL, 0), size);
	CHECK_ERRNO(listxattr("f", list, (size_t)size - 1), ERANGE);
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_EQ(listxattr("f", list, sizeof(list)), 0);
		 CHECK_ERRNO(getxattr("f", "trusted.one", list, sizeof(list)), ENODATA);
		 CHECK_ERRNO(setxattr("f", "trusted.one", "2", 1, 0), EPERM););
}

TEST(xattr, names_and_sizes)
{
	static char big[XATTR_SIZE_MAX + 1];
	char name[300];

	make_file();
	CHECK_ERRNO(setxattr("f", "", "1", 1, 0), ERANGE);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	CHECK_ERRNO(setxattr("f", name, "1", 1, 0), ERANGE);
	CHECK_ERRNO(setxattr("f", "noprefix", "1", 1, 0), EOPNOTSUPP);
	CHECK_ERRNO(setxattr("f", "user.a", "1", 1, 0), EOPNOTSUPP);
	CHECK_ERRNO(getxattr("f", "user.a", name, sizeof(name)), EOPNOTSUPP);
	CHECK_ERRNO(setxattr("f", "trusted.a", big, sizeof(big), 0), E2BIG);
	CHECK_ERRNO(setxattr("missing", "trusted.a", "1", 1, 0), ENOENT);
	CHECK_ERRNO(setxattr("f", "trusted.a", (void *)1, 1, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_setxattr, "f", 1, "1", 1, 0), EFAULT);
}

TEST(xattr, of_links_and_descriptors)
{
	char buf[16];
	int fd;

	make_file();
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(setxattr("l", "trusted.a", "file", 4, 0));
	CHECK_ERRNO(lgetxattr("l", "trusted.a", buf, sizeof(buf)), ENODATA);
	CHECK_OK(lsetxattr("l", "trusted.a", "l", 1, 0));
	CHECK_EQ(lgetxattr("l", "trusted.a", buf, sizeof(buf)), 1);
	CHECK_EQ(getxattr("l", "trusted.a", buf, sizeof(buf)), 4);
	CHECK(llistxattr("l", NULL, 0) > 0);
	fd = CHECK_OK(open("f", O_RDONLY));
	CHECK_EQ(fgetxattr(fd, "trusted.a", buf, sizeof(buf)), 4);
	CHECK_OK(fsetxattr(fd, "trusted.b", "x", 1, 0));
	CHECK(flistxattr(fd, NULL, 0) > 0);
	CHECK_OK(fremovexattr(fd, "trusted.a"));
	CHECK_ERRNO(getxattr("f", "trusted.a", buf, sizeof(buf)), ENODATA);
	CHECK_OK(lremovexattr("l", "trusted.a"));
	fd = CHECK_OK(open("f", O_PATH));
	CHECK_ERRNO(fgetxattr(fd, "trusted.b", buf, sizeof(buf)), EBADF);
	CHECK_ERRNO(fgetxattr(-1, "trusted.b", buf, sizeof(buf)), EBADF);
}
