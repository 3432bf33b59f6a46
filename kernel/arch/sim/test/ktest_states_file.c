// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): files and memory.
 */
#include "arch/sim/test/states.h"

#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

/* ---- Files ---- */

OPERATION(files_come_and_go)
{
	uint64_t fd, at = MAP(BULK, MAP_PRIVATE);

	(void)DO(mkdir, STRING(states_folder), 0700);
	fd = DO(open, STRING(states_inside), O_RDWR | O_CREAT, 0600);
	for (uint64_t done = 0; done < BULK;)
		done += DO(pwrite64, fd, at, BULK - done, done);
	(void)DO(rename, STRING(states_inside), STRING(states_moved));
	EXPECT_EQ(DO(pread64, fd, at, 100, PAGE_SIZE), 100);
	(void)DO(ftruncate, fd, 100);
	(void)DO(unlink, STRING(states_moved));
	(void)DO(rmdir, STRING(states_folder));
}

static void make_file(uintptr_t arg UNUSED)
{
	(void)DO(open, STRING(states_file), O_RDWR | O_CREAT, 0600);
	(void)DO(unlink, STRING(states_file));
}

JOINT_OPERATION(inotify)
{
	uint64_t fd = DO(inotify_init1, 0), at = MAP(PAGE_SIZE, MAP_PRIVATE), pid;

	(void)DO(inotify_add_watch, fd, sim_scratch("/", 2), 0x100); /* IN_CREATE */
	pid = sure_child(make_file, 0);
	EXPECT_GE(DO(read, fd, at, PAGE_SIZE),
		16); /* its name, or that there was no memory for it */
	join(pid);
}

OPERATION(names)
{
	static const char name[] = "trusted.name";
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE), fd;

	(void)DO(mkdir, STRING(states_folder), 0700);
	(void)DO(symlink, STRING(states_moved), STRING(states_inside));
	EXPECT_EQ(DO(readlink, STRING(states_inside), at, PAGE_SIZE), sizeof(states_moved) - 1);
	(void)DO(mknod, STRING(states_moved), 0100600, 0);
	(void)DO(link, STRING(states_moved), STRING(states_file));
	(void)DO(setxattr, STRING(states_file), STRING(name), at, 100, 0);
	EXPECT_EQ(DO(getxattr, STRING(states_moved), STRING(name), at, PAGE_SIZE), 100);
	fd = DO(open, STRING(states_folder), O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(DO(getdents64, fd, at, PAGE_SIZE), 24 * 3);
	(void)DO(renameat2, AT_FDCWD, STRING(states_inside), AT_FDCWD, STRING(states_file),
		RENAME_EXCHANGE);
	(void)DO(renameat2, AT_FDCWD, STRING(states_file), AT_FDCWD, STRING(states_inside),
		RENAME_WHITEOUT);
	(void)DO(unlink, STRING(states_file));
	(void)DO(unlink, STRING(states_inside));
}

OPERATION(copy_between_files)
{
	uint64_t in = DO(open, STRING(states_moved), O_RDWR | O_CREAT, 0600), out, pipe[2], n;
	uint64_t from = MAP(PAGE_SIZE, MAP_PRIVATE);

	out = DO(open, STRING(states_file), O_RDWR | O_CREAT, 0600);
	(void)DO(fallocate, in, 0, 0, BULK);
	(void)DO(pwrite64, in, from, PAGE_SIZE, PAGE_SIZE);
	for (uint64_t done = 0; done < BULK; done += n)
		n = DO(copy_file_range, in, 0, out, 0, BULK - done, 0);
	(void)DO(lseek, in, 0, 0);
	make_pipe(pipe, 0);
	EXPECT_GT(DO(sendfile, pipe[1], in, 0, PAGE_SIZE), 0);
	EXPECT_GT(DO(splice, pipe[0], 0, out, 0, PAGE_SIZE, 0), 0);
	(void)DO(fallocate, out, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, BULK / 2);
}

/* ---- Memory ---- */

JOINT_OPERATION(memory)
{
	uint64_t at = DO(mmap, 0, 16 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	uint64_t pid, fd[2];

	make_pipe(fd, 0);
	/* the kernel brings the pages in, so that a failure is an errno */
	(void)DO(madvise, at, 16 * PAGE_SIZE, 23); /* MADV_POPULATE_WRITE */
	pid = child(do_nothing, 0);
	(void)DO(mprotect, at + 4 * PAGE_SIZE, PAGE_SIZE, PROT_READ);
	at = DO(mremap, at, 3 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE);
	(void)DO(madvise, at, PAGE_SIZE, 4); /* MADV_DONTNEED */
	(void)DO(munmap, at + PAGE_SIZE, PAGE_SIZE);
	join(pid);
}
