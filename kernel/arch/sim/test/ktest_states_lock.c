// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): locks of files.
 */
#include "arch/sim/test/states.h"

#include <linux/fcntl.h>

static void lock_too(uintptr_t arg UNUSED)
{
	uint64_t fd = DO(open, STRING(states_file), O_RDWR);

	for (unsigned i = 0; i < 2; i++) {
		(void)DO(flock, fd, 2);
		sim_yield(2);
		(void)DO(flock, fd, 8);
	}
}

JOINT_OPERATION(file_lock)
{
	uint64_t fd = DO(open, STRING(states_file), O_RDWR | O_CREAT, 0600);
	uint64_t pid = child(lock_too, 0);

	for (unsigned i = 0; i < 2; i++) {
		(void)DO(flock, fd, 2); /* LOCK_EX */
		sim_yield(1);
		(void)DO(flock, fd, 8); /* LOCK_UN */
	}
	join(pid);
	(void)DO(unlink, STRING(states_file));
}

static void lock_range(uintptr_t arg UNUSED)
{
	uint64_t fd = DO(open, STRING(states_file), O_RDWR);
	struct flock range = {.l_type = F_WRLCK, .l_start = 10, .l_len = 10};

	(void)DO(fcntl, fd, F_SETLKW, OBJECT(range));
	sim_yield(3);
}

JOINT_OPERATION(range_lock)
{
	uint64_t fd = DO(open, STRING(states_file), O_RDWR | O_CREAT, 0600);
	struct flock range = {.l_type = F_WRLCK, .l_start = 15, .l_len = 20};
	uint64_t pid = child(lock_range, 0);

	(void)DO(fcntl, fd, F_SETLKW, OBJECT(range));
	range.l_len = 20;
	range.l_type = F_UNLCK;
	(void)DO(fcntl, fd, F_SETLK, OBJECT(range));
	join(pid);
	(void)DO(unlink, STRING(states_file));
}

/* A lock of an open file, that others see whatever process has it. */
JOINT_OPERATION(lock_of_an_open_file)
{
	uint64_t fd = DO(open, STRING(states_file), O_RDWR | O_CREAT, 0600);
	struct flock range = {.l_type = F_WRLCK, .l_start = 15, .l_len = 20};
	uint64_t pid = child(lock_range, 0);

	(void)DO(fcntl, fd, F_OFD_SETLKW, OBJECT(range));
	range.l_len = 5; /* the middle goes: two remain */
	range.l_start = 20;
	range.l_type = F_UNLCK;
	(void)DO(fcntl, fd, F_OFD_SETLK, OBJECT(range));
	range.l_start = 0;
	range.l_len = 0;
	(void)DO(fcntl, fd, F_OFD_SETLK, OBJECT(range));
	join(pid);
}

/* Two that lock two ranges in opposite orders: one is told, and gives way. */
static void lock_both(uint64_t fd, int64_t first, int64_t second)
{
	struct flock range = {.l_type = F_WRLCK, .l_start = first, .l_len = 1};
	int64_t err;

	(void)DO(fcntl, fd, F_SETLKW, OBJECT(range));
	sim_yield(1);
	range.l_start = second;
	err = ASK(fcntl, fd, F_SETLKW, OBJECT(range));
	if (err && err != -EDEADLK)
		states_give_up("fcntl", __LINE__, err);
	range.l_type = F_UNLCK;
	range.l_start = 0;
	range.l_len = 0;
	(void)DO(fcntl, fd, F_SETLK, OBJECT(range));
}

static void lock_backwards(uintptr_t arg UNUSED)
{
	lock_both(DO(open, STRING(states_file), O_RDWR), 1, 0);
}

JOINT_OPERATION(lock_deadlock)
{
	uint64_t fd = DO(open, STRING(states_file), O_RDWR | O_CREAT, 0600), pid;

	pid = child(lock_backwards, 0);
	lock_both(fd, 0, 1);
	join(pid);
}
