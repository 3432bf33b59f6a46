// SPDX-License-Identifier: MIT
/* sysfs(5): what programs read below /sys. */
#include "guest.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static char text[4097];

static void mount_it(void)
{
	if (!exists("/sys/kernel"))
		CHECK_OK(mount("sysfs", "/sys", "sysfs", 0, NULL));
}

static const char *get(const char *path)
{
	if (get_file(path, text, sizeof(text)) < 0)
		FAIL("%s: %s", path, errno_name(errno));
	return text;
}

static const char *target(const char *path)
{
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	if (n < 0)
		FAIL("%s: %s", path, errno_name(errno));
	text[n] = 0;
	return text;
}

TEST(sysfs, is_mounted)
{
	struct statfs fs;

	mount_it();
	CHECK_OK(statfs("/sys", &fs));
	CHECK_EQ(fs.f_type, 0x62656572);
	CHECK_EQ(fs.f_bsize, 4096);
	CHECK(strstr(get("/proc/filesystems"), "nodev\tsysfs\n"));
	for (int i = 0; i < 9; i++)
		CHECK(exists((const char *[]){"/sys/block", "/sys/bus", "/sys/class",
			"/sys/dev/block", "/sys/dev/char", "/sys/devices/system/cpu",
			"/sys/devices/virtual", "/sys/fs", "/sys/module"}[i]));
}

TEST(sysfs, cpus)
{
	char want[20];
	int n = (int)sysconf(_SC_NPROCESSORS_CONF);

	mount_it();
	snprintf(want, sizeof(want), n > 1 ? "0-%d\n" : "0\n", n - 1);
	CHECK_STREQ(get("/sys/devices/system/cpu/online"), want);
	CHECK_STREQ(get("/sys/devices/system/cpu/possible"), want);
	CHECK_STREQ(get("/sys/devices/system/cpu/present"), want);
	CHECK(exists("/sys/devices/system/cpu/offline"));
	CHECK(atoi(get("/sys/devices/system/cpu/kernel_max")) >= n - 1);
	CHECK(exists("/sys/devices/system/cpu/cpu0"));
	snprintf(want, sizeof(want), "cpu%d", n);
	CHECK_OK(chdir("/sys/devices/system/cpu"));
	CHECK(!exists(want));
	CHECK(!exists("cpu00"));
	CHECK(!exists("cpu"));
}

TEST(sysfs, topology)
{
	static const char *const files[] = {"core_cpus", "core_cpus_list", "core_id",
		"physical_package_id", "thread_siblings", "thread_siblings_list"};
	static const char *const others[] = {"core_siblings", "core_siblings_list",
		"package_cpus", "package_cpus_list", "die_cpus", "die_cpus_list", "die_id"};

	mount_it();
	CHECK_OK(chdir("/sys/devices/system/cpu/cpu0/topology"));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		SHOW("%s: %s", files[i], strtok((char *)get(files[i]), "\n"));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		CHECK(exists(others[i])); /* what they say is up to the machine */
}

TEST(sysfs, caches)
{
	static const char *const files[] = {"level", "type", "size", "coherency_line_size",
		"number_of_sets", "ways_of_associativity", "physical_line_partition",
		"shared_cpu_list", "shared_cpu_map"};
	char name[80];

	mount_it();
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "/sys/devices/system/cpu/cpu1/cache/index%d", i);
		SHOW("%d is there: %d", i, exists(name));
		if (chdir(name))
			continue;
		for (size_t f = 0; f < sizeof(files) / sizeof(*files); f++) {
			SHOW("%s is there: %d", files[f], exists(files[f]));
			if (exists(files[f]))
				SHOW("%s: %s", files[f], strtok((char *)get(files[f]), "\n"));
		}
	}
}

TEST(sysfs, devices)
{
	struct stat st, dev;

	mount_it();
	CHECK_STREQ(get("/sys/class/mem/null/dev"), "1:3\n");
	CHECK_STREQ(target("/sys/class/mem/null"), "../../devices/virtual/mem/null");
	CHECK_STREQ(target("/sys/dev/char/1:3"), "../../devices/virtual/mem/null");
	CHECK_STREQ(target("/sys/devices/virtual/mem/null/subsystem"), "../../../../class/mem");
	CHECK_STREQ(get("/sys/dev/char/1:3/uevent"),
		"MAJOR=1\nMINOR=3\nDEVNAME=null\nDEVMODE=0666\n");
	CHECK_STREQ(get("/sys/class/tty/console/dev"), "5:1\n");
	CHECK_STREQ(
		get("/sys/class/tty/console/uevent"), "MAJOR=5\nMINOR=1\nDEVNAME=console\n");
	CHECK_STREQ(get("/sys/class/tty/tty/uevent"),
		"MAJOR=5\nMINOR=0\nDEVNAME=tty\nDEVMODE=0666\n");
	CHECK_STREQ(get("/sys/class/tty/console/active"), "ttyS0\n");
	CHECK_STREQ(get("/sys/class/tty/ttyS0/dev"), "4:64\n");
	CHECK_OK(stat("/sys/class/mem/zero/", &st));
	CHECK_OK(stat("/sys/devices/virtual/mem/zero", &dev));
	CHECK_EQ(st.st_ino, dev.st_ino);
	CHECK(!exists("/sys/dev/char/1:999"));
	CHECK(!exists("/sys/class/mem/nothing"));
}

TEST(sysfs, folders_list_what_can_be_looked_up)
{
	static const char *const folders[] = {"/sys/class/mem", "/sys/class/tty",
		"/sys/dev/char", "/sys/devices/virtual/mem", "/sys/devices/system/cpu"};
	struct dirent *e;
	struct stat st;

	mount_it();
	for (int i = 0; i < 5; i++) {
		DIR *dir = opendir(folders[i]);
		int seen = 0;

		CHECK(dir);
		while ((e = readdir(dir))) {
			CHECK_OK(fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW));
			if (e->d_name[0] != '.')
				CHECK_EQ(st.st_ino, e->d_ino);
			seen++;
		}
		CHECK(seen > 3);
		closedir(dir);
	}
}

TEST(sysfs, files_are_texts_of_a_page)
{
	struct stat st;
	char c;
	int fd;

	mount_it();
	CHECK_OK(stat("/sys/devices/system/cpu/online", &st));
	CHECK_EQ(st.st_size, 4096);
	CHECK_EQ(st.st_mode, S_IFREG | 0444);
	fd = CHECK_OK(open("/sys/devices/system/cpu/online", O_RDONLY));
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, '0');
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK_EQ(pread(fd, &c, 1, 4000), 0);
	CHECK_STREQ(get("/sys/kernel/fscaps"), "1\n");
}

TEST(sysfs, cannot_be_changed)
{
	mount_it();
	CHECK_ERRNO(open("/sys/newfile", O_CREAT | O_RDWR, 0600), EACCES);
	CHECK_ERRNO(mkdir("/sys/d", 0700), EPERM);
	CHECK_ERRNO(unlink("/sys/devices/system/cpu/online"), EPERM);
	CHECK_ERRNO(rmdir("/sys/class"), EPERM);
	CHECK_ERRNO(symlink("x", "/sys/link"), EPERM);
}
