// SPDX-License-Identifier: MIT
/*
 * Names in numbers and depths that nobody needs: folders in folders by the ten thousand, a folder
 * of a hundred thousand names, links to links, mounts on mounts. Whatever the kernel does for each
 * of them it must not do on its stack, nor for ever with everything locked.
 */
#include "guest.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>

enum { DEPTH = 3000, NAMES = 5000 };

static void on_own_tmpfs(const char *options)
{
	CHECK_OK(mkdir("own", 0755));
	CHECK_OK(mount("own", "own", "tmpfs", 0, options));
	CHECK_OK(chdir("own"));
}

static void dig(int depth)
{
	for (int i = 0; i < depth; i++) {
		CHECK_OK(mkdir("d", 0755));
		CHECK_OK(chdir("d"));
	}
}

static void climb(int depth, bool removes)
{
	for (int i = 0; i < depth; i++) {
		CHECK_OK(chdir(".."));
		if (removes)
			CHECK_OK(rmdir("d"));
	}
}

TEST_WITHIN(deep, folders_in_folders, 120)
{
	static char buf[100000], path[PATH_MAX];
	struct stat st;
	int depth = word_of_cmdline("deep.depth=", DEPTH), top, bottom;

	on_own_tmpfs(NULL);
	top = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
	CHECK_OK(mkdir("other", 0755));
	dig(depth);
	put_file("file", "content");
	bottom = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(syscall(SYS_getcwd, buf, 100), ENAMETOOLONG);
	CHECK_ERRNO(syscall(SYS_getcwd, buf, sizeof(buf)), ENAMETOOLONG);
	CHECK_ERRNO(readlink("/proc/self/cwd", buf, sizeof(buf)), ENAMETOOLONG);
	for (size_t i = 0; i + 3 < sizeof(path); i += 3)
		memcpy(path + i, "../", 4);
	CHECK_OK(stat(path, &st)); /* 1365 of them */
	CHECK_ERRNO(renameat(top, "d", bottom, "round"), EINVAL);
	CHECK_ERRNO(renameat(bottom, "file", top, "d"), ENOTEMPTY);
	CHECK_OK(renameat(top, "d", top, "other/d"));
	CHECK_OK(fchdir(bottom));
	CHECK_EQ(get_file("file", buf, 100), 7);
	CHECK_OK(unlink("file"));
	climb(depth, true);
	CHECK(fstat(bottom, &st) == 0 && st.st_nlink == 0);
	CHECK_ERRNO(openat(bottom, "new", O_CREAT | O_WRONLY, 0600), ENOENT);
}

TEST_WITHIN(deep, tree_that_goes_with_its_filesystem, 120)
{
	int depth = word_of_cmdline("deep.depth=", DEPTH);

	on_own_tmpfs(NULL);
	dig(depth);
	put_file("file", "content");
	CHECK_OK(chdir("/tmp/deep.tree_that_goes_with_its_filesystem"));
	CHECK_OK(umount("own"));
	CHECK_OK(rmdir("own"));
}

TEST_WITHIN(deep, tree_that_goes_while_somebody_is_at_its_bottom, 120)
{
	int depth = word_of_cmdline("deep.depth=", DEPTH), bottom;

	on_own_tmpfs(NULL);
	dig(depth);
	bottom = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
	CHECK_OK(chdir("/tmp/deep.tree_that_goes_while_somebody_is_at_its_bottom"));
	CHECK_ERRNO(umount("own"), EBUSY);
	CHECK_OK(umount2("own", MNT_DETACH));
	CHECK_OK(faccessat(bottom, "../../..", F_OK, 0));
	CHECK_OK(close(bottom));
}

static void name_of(char *name, int i)
{
	sprintf(name, i % 3 ? "%d" : "%d.a name that is longer than most of the others are", i);
}

/* As rm -r does it: what was read is removed before more is read. */
TEST_WITHIN(deep, folder_of_very_many_names, 300)
{
	int names = word_of_cmdline("deep.names=", NAMES), nr = 0;
	bool *seen = calloc(names, sizeof(*seen));
	char name[80];
	struct dirent *e;
	DIR *dir;

	CHECK(seen);
	on_own_tmpfs("nr_inodes=0");
	put_file("file", "");
	CHECK_OK(mkdir("many", 0755));
	for (int i = 0; i < names; i++) {
		char path[100] = "many/";

		name_of(path + 5, i);
		CHECK_OK(link("file", path));
	}
	dir = opendir("many");
	CHECK(dir);
	CHECK_OK(chdir("many"));
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		nr = atoi(e->d_name);
		CHECK(nr >= 0 && nr < names && !seen[nr]);
		seen[nr] = true;
		CHECK_OK(unlink(e->d_name));
	}
	for (int i = 0; i < names; i++) {
		name_of(name, i);
		if (!seen[i])
			FAIL("%s was not read", name);
	}
	closedir(dir);
	CHECK_OK(chdir(".."));
	CHECK_OK(rmdir("many"));
}

TEST(deep, links_with_long_targets)
{
	static char target[PATH_MAX];
	char name[16], c[2];

	put_file("file", "x");
	for (int i = 0; i < 20; i++) {
		size_t len;

		for (len = 0; len < 4000; len += 2)
			memcpy(target + len, "./", 2);
		if (i)
			snprintf(target + len, 20, "l%d", i - 1);
		else
			strcpy(target + len, "file");
		snprintf(name, sizeof(name), "l%d", i);
		CHECK_OK(symlink(target, name));
	}
	CHECK_EQ(get_file("l19", c, 2), 1);
	memset(target, 'x', PATH_MAX - 1);
	CHECK_OK(symlink(target, "over")); /* to a name that cannot be */
	CHECK_ERRNO(open("over", O_RDONLY), ENAMETOOLONG);
}

TEST_WITHIN(deep, mounts_on_mounts, 120)
{
	enum { MOUNTS = 500 };

	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("m", 0755));
	for (int i = 0; i < MOUNTS; i++)
		CHECK_OK(mount("m", "m", "tmpfs", 0, NULL));
	for (int i = 0; i < MOUNTS / 2; i++)
		CHECK_OK(umount("m"));
	put_file("m/file", "x");
	CHECK_OK(umount2("m", MNT_DETACH));
	CHECK(!exists("m/file"));
}

TEST_WITHIN(deep, mounts_in_mounts, 120)
{
	enum { MOUNTS = 300 };

	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	for (int i = 0; i < MOUNTS; i++) {
		CHECK_OK(mkdir("m", 0755));
		CHECK_OK(mount("m", "m", "tmpfs", 0, NULL));
		CHECK_OK(chdir("m"));
	}
	IN_CHILD(CHECK_OK(unshare(CLONE_NEWNS)));
	CHECK_OK(chdir("/tmp/deep.mounts_in_mounts"));
	CHECK_ERRNO(umount("m"), EBUSY);
	CHECK_OK(umount2("m", MNT_DETACH));
	CHECK_OK(rmdir("m"));
}
