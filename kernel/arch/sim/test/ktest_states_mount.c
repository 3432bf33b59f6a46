// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): mounts. An operation that ends early leaves what it
 * mounted on /folder, and the engine unmounts that.
 */
#include "arch/sim/test/states.h"

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>

static const char type[] = "tmpfs", options[] = "size=1m,mode=700", top[] = "/",
		  moving[] = "/folder/m";

static void mount_folder(void)
{
	(void)DO(mkdir, STRING(states_folder), 0700);
	(void)DO(mount, STRING(type), STRING(states_folder), STRING(type), 0, STRING(options));
}

OPERATION(mount)
{
	uint64_t fd;

	mount_folder();
	fd = DO(open, STRING(states_inside), O_RDWR | O_CREAT, 0600);
	(void)DO(mount, 0, STRING(states_folder), 0, MS_REMOUNT | MS_NOEXEC, 0);
	(void)DO(umount2, STRING(states_folder), 2); /* MNT_DETACH: the file stays */
	EXPECT_EQ(DO(write, fd, STRING(type), 3), 3);
}

/* What is mounted in one of two places that share appears in the other too. */
OPERATION(mount_that_propagates)
{
	mount_folder();
	(void)DO(mount, 0, STRING(states_folder), 0, MS_SHARED, 0);
	(void)DO(mkdir, STRING(states_inside), 0700);
	(void)DO(mkdir, STRING(moving), 0700);
	(void)DO(mount, STRING(states_inside), STRING(states_inside), 0, MS_BIND, 0);
	(void)DO(mount, STRING(type), STRING(moving), STRING(type), 0, 0);
	(void)DO(mount, 0, STRING(states_folder), 0, MS_PRIVATE | MS_REC, 0);
	(void)DO(mount, STRING(moving), STRING(states_inside), 0, MS_MOVE, 0);
	(void)DO(umount2, STRING(states_folder), 2);
}

OPERATION(mount_by_descriptors)
{
	static const char key[] = "mode", value[] = "700";
	uint64_t fs = DO(fsopen, STRING(type), 0), fd, copy;

	(void)DO(mkdir, STRING(states_folder), 0700);
	(void)DO(fsconfig, fs, FSCONFIG_SET_STRING, STRING(key), STRING(value), 0);
	(void)DO(fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
	fd = DO(fsmount, fs, 0, 0);
	(void)DO(move_mount, fd, STRING(""), AT_FDCWD, STRING(states_folder),
		MOVE_MOUNT_F_EMPTY_PATH);
	copy = DO(open_tree, AT_FDCWD, STRING(states_folder), OPEN_TREE_CLONE);
	(void)DO(close, fd);
	(void)DO(move_mount, copy, STRING(""), AT_FDCWD, STRING(states_folder),
		MOVE_MOUNT_F_EMPTY_PATH);
	(void)DO(open_tree, AT_FDCWD, STRING(top), OPEN_TREE_CLONE | AT_RECURSIVE);
	(void)DO(umount2, STRING(states_folder), 2);
	(void)DO(umount2, STRING(states_folder), 2);
}

/* A namespace of its own goes with its last process. */
static void mount_in_private(uintptr_t arg UNUSED)
{
	(void)DO(mount, STRING(type), STRING(states_folder), STRING(type), 0, 0);
}

JOINT_OPERATION(mount_namespace)
{
	uint64_t pid;

	(void)DO(mkdir, STRING(states_folder), 0700);
	(void)DO(unshare, 0x20000); /* CLONE_NEWNS */
	(void)DO(mount, 0, STRING(top), 0, MS_PRIVATE | MS_REC, 0);
	pid = child(mount_in_private, 0);
	join(pid);
}
