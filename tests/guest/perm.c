// SPDX-License-Identifier: MIT
/* Who may do what to files: mode bits, umask(2), chmod(2), chown(2), sticky and set-id bits, capabilities(7). */
#include "guest.h"

#include <grp.h>
#include <sys/file.h>
#include <sys/prctl.h>

enum { USER = 1000, OTHER = 1001, GROUP = 2000 };

static void become(uid_t uid, gid_t gid)
{
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setresgid(gid, gid, gid));
	CHECK_OK(setresuid(uid, uid, uid));
}

static int mode(const char *path)
{
	struct stat st;

	CHECK_OK(stat(path, &st));
	return st.st_mode & 07777;
}

/* A file of USER:GROUP with these bits. */
static void file_of(const char *path, int bits)
{
	put_file(path, "abc");
	CHECK_OK(chown(path, USER, GROUP));
	CHECK_OK(chmod(path, bits));
}

TEST(perm, umask_applies_to_new_names)
{
	CHECK_EQ(umask(027), 022);
	CHECK_EQ(umask(01777), 027);
	CHECK_EQ(umask(027), 0777);
	CHECK_OK(close(open("f", O_CREAT | O_WRONLY, 0666)));
	CHECK_OK(mkdir("d", 0777));
	CHECK_OK(mkfifo("p", 0666));
	CHECK_EQ(mode("f"), 0640);
	CHECK_EQ(mode("d"), 0750);
	CHECK_EQ(mode("p"), 0640);
}

TEST(perm, chmod_sets_all_twelve_bits)
{
	put_file("f", "");
	CHECK_OK(chmod("f", 07777));
	CHECK_EQ(mode("f"), 07777);
	CHECK_OK(fchmodat(AT_FDCWD, "f", 0, 0));
	CHECK_EQ(mode("f"), 0);
	CHECK_OK(fchmod(CHECK_OK(open("f", O_RDONLY)), 0123));
	CHECK_EQ(mode("f"), 0123);
	CHECK_ERRNO(chmod("missing", 0), ENOENT);
}

TEST(perm, owner_class_decides_alone)
{
	file_of("f", 0077);
	become(USER, GROUP);
	CHECK_ERRNO(open("f", O_RDONLY), EACCES);
	CHECK_ERRNO(open("f", O_WRONLY), EACCES);
}

TEST(perm, group_class)
{
	file_of("f", 0640);
	become(OTHER, GROUP);
	CHECK_OK(open("f", O_RDONLY));
	CHECK_ERRNO(open("f", O_WRONLY), EACCES);
	CHECK_ERRNO(open("f", O_RDWR), EACCES);
}

TEST(perm, supplementary_groups_count)
{
	gid_t groups[] = {3000, GROUP};

	file_of("f", 0060);
	CHECK_OK(setgroups(2, groups));
	CHECK_OK(setresgid(5, 5, 5));
	CHECK_OK(setresuid(OTHER, OTHER, OTHER));
	CHECK_OK(open("f", O_RDWR));
}

TEST(perm, other_class)
{
	file_of("f", 0604);
	become(OTHER, OTHER);
	CHECK_OK(open("f", O_RDONLY));
	CHECK_ERRNO(open("f", O_WRONLY), EACCES);
}

TEST(perm, root_reads_and_writes_anything)
{
	file_of("f", 0);
	CHECK_OK(open("f", O_RDWR));
}

TEST(perm, directories_need_x_to_pass_and_w_to_change)
{
	CHECK_OK(mkdir("d", 0755));
	file_of("d/f", 0666);
	CHECK_OK(chown("d", USER, GROUP));
	CHECK_OK(chmod("d", 0754));
	IN_CHILD(become(OTHER, OTHER); CHECK_ERRNO(open("d/f", O_RDONLY), EACCES);
		 CHECK_OK(open("d", O_RDONLY)););
	CHECK_OK(chmod("d", 0711));
	IN_CHILD(become(OTHER, OTHER); CHECK_OK(open("d/f", O_RDONLY));
		 CHECK_ERRNO(open("d", O_RDONLY), EACCES); CHECK_ERRNO(unlink("d/f"), EACCES);
		 CHECK_ERRNO(open("d/g", O_CREAT | O_RDWR, 0600), EACCES);
		 CHECK_ERRNO(mkdir("d/h", 0700), EACCES);
		 CHECK_ERRNO(rename("d/f", "d/g"), EACCES););
}

TEST(perm, sticky_directory)
{
	CHECK_OK(mkdir("d", 0777));
	CHECK_OK(chmod("d", 01777));
	file_of("d/f", 0666);
	IN_CHILD(become(OTHER, OTHER); CHECK_ERRNO(unlink("d/f"), EPERM);
		 CHECK_ERRNO(rename("d/f", "d/g"), EPERM));
	IN_CHILD(become(USER, OTHER); CHECK_OK(unlink("d/f")));
	CHECK_OK(chown("d", OTHER, 0));
	file_of("d/f", 0666);
	IN_CHILD(become(OTHER, OTHER); CHECK_OK(unlink("d/f"))); /* the directory's owner may */
}

TEST(perm, only_the_owner_changes_mode)
{
	file_of("f", 0666);
	IN_CHILD(become(OTHER, GROUP); CHECK_ERRNO(chmod("f", 0600), EPERM));
	IN_CHILD(become(USER, OTHER); CHECK_OK(chmod("f", 0600)));
}

TEST(perm, chown_rules_of_the_unprivileged)
{
	gid_t groups[] = {3000};

	file_of("f", 0666);
	CHECK_OK(setgroups(1, groups));
	CHECK_OK(setresgid(GROUP, GROUP, GROUP));
	CHECK_OK(setresuid(USER, USER, USER));
	CHECK_ERRNO(chown("f", OTHER, -1), EPERM);
	CHECK_ERRNO(chown("f", -1, 4000), EPERM);
	CHECK_OK(chown("f", -1, 3000));
	CHECK_OK(chown("f", USER, GROUP));
	CHECK_OK(chown("f", -1, -1));
}

TEST(perm, chown_clears_set_id_bits)
{
	put_file("f", "");
	CHECK_OK(chmod("f", 06755));
	CHECK_OK(chown("f", USER, GROUP));
	CHECK_EQ(mode("f"), 0755);
	CHECK_OK(chmod("f", 02644)); /* without group execute it meant mandatory locking */
	CHECK_OK(chown("f", USER, GROUP));
	CHECK_EQ(mode("f"), 02644);
}

TEST(perm, write_clears_set_id_bits)
{
	file_of("f", 06777);
	IN_CHILD(become(OTHER, OTHER); int fd = CHECK_OK(open("f", O_WRONLY));
		 CHECK_EQ(write(fd, "x", 1), 1));
	CHECK_EQ(mode("f"), 0777);
}

TEST(perm, setgid_is_dropped_for_a_foreign_group)
{
	file_of("f", 0644);
	CHECK_OK(chown("f", USER, 4000));
	IN_CHILD(become(USER, GROUP); CHECK_OK(chmod("f", 02755)));
	CHECK_EQ(mode("f"), 0755);
}

TEST(perm, setgid_directory_gives_its_group)
{
	struct stat st;

	CHECK_OK(mkdir("d", 0777));
	CHECK_OK(chown("d", 0, GROUP));
	CHECK_OK(chmod("d", 02777));
	put_file("d/f", "");
	CHECK_OK(mkdir("d/sub", 0700));
	CHECK_OK(stat("d/f", &st));
	CHECK_EQ(st.st_gid, GROUP);
	CHECK_OK(stat("d/sub", &st));
	CHECK_EQ(st.st_gid, GROUP);
	CHECK_EQ(st.st_mode & 07777, 02700);
}

TEST(perm, new_files_belong_to_the_filesystem_ids)
{
	struct stat st;

	CHECK_OK(chmod(".", 0777));
	CHECK_EQ(syscall(SYS_setfsgid, GROUP), 0);
	CHECK_EQ(syscall(SYS_setfsuid, USER), 0);
	CHECK_EQ(syscall(SYS_setfsuid, -1), USER);
	put_file("f", "");
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_uid, USER);
	CHECK_EQ(st.st_gid, GROUP);
}

TEST(perm, access_uses_the_real_ids)
{
	file_of("f", 0600);
	CHECK_OK(chmod(".", 0755));
	CHECK_OK(setresuid(OTHER, USER, USER));
	CHECK_ERRNO(access("f", R_OK), EACCES);
	CHECK_OK(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
	CHECK_OK(open("f", O_RDONLY));
}

TEST(perm, opened_files_keep_working)
{
	char c;
	int fd;

	file_of("f", 0600);
	fd = CHECK_OK(open("f", O_RDONLY));
	become(OTHER, OTHER);
	CHECK_EQ(read(fd, &c, 1), 1);
}

TEST(perm, creating_mode_does_not_bind_the_creator)
{
	int fd = CHECK_OK(open("f", O_CREAT | O_RDWR, 0));

	CHECK_EQ(write(fd, "x", 1), 1);
}

TEST(perm, mknod_of_devices_is_for_root)
{
	CHECK_OK(chmod(".", 0777));
	become(USER, GROUP);
	CHECK_ERRNO(mknod("c", S_IFCHR | 0600, 0x103), EPERM);
	CHECK_OK(mknod("p", S_IFIFO | 0600, 0));
	CHECK_ERRNO(chroot("."), EPERM);
}

TEST(perm, link_to_files_of_others)
{
	char text[8];

	if (get_file("/proc/sys/fs/protected_hardlinks", text, sizeof(text)) < 0 ||
		text[0] != '1')
		SKIP("protected_hardlinks is not on");
	CHECK_OK(chmod(".", 0777));
	file_of("mine", 0644);
	become(OTHER, OTHER);
	CHECK_ERRNO(link("mine", "yours"), EPERM);
}

TEST(perm, capability_dac_override_alone)
{
	struct {
		uint32_t version;
		int pid;
	} head = {0x20080522, 0};
	struct {
		uint32_t effective, permitted, inheritable;
	} data[2] = {{1 << 1 /* DAC_OVERRIDE */, 1 << 1, 0}};

	file_of("f", 0);
	CHECK_OK(prctl(PR_SET_KEEPCAPS, 1));
	become(OTHER, OTHER);
	CHECK_ERRNO(open("f", O_RDWR), EACCES);
	CHECK_OK(syscall(SYS_capset, &head, data));
	CHECK_OK(open("f", O_RDWR));
	CHECK_ERRNO(chmod("f", 0600), EPERM);
}

TEST(perm, noatime_is_for_the_owner)
{
	file_of("f", 0666);
	IN_CHILD(become(OTHER, OTHER); CHECK_ERRNO(open("f", O_RDONLY | O_NOATIME), EPERM));
	IN_CHILD(become(USER, OTHER); CHECK_OK(open("f", O_RDONLY | O_NOATIME)));
}
