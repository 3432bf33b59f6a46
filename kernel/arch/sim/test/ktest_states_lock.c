// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): locks of files.
 */
#include "arch/sim/test/states.h"

#include <linux/fcntl.h>

static void lock_too(uintptr_t arg UNUSED)
{
	int64_t fd = SIM_CALL(__NR_open, STRING(states_file), O_RDWR);

	for (unsigned i = 0; fd >= 0 && i < 2; i++) {
		if (SIM_CALL(__NR_flock, (uint64_t)fd, 2))
			return;
		sim_yield(2);
		TRY(flock, (uint64_t)fd, 8);
	}
}

OPERATION(file_lock)
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
	int64_t fd = SIM_CALL(__NR_open, STRING(states_file), O_RDWR);
	struct flock range = {.l_type = F_WRLCK, .l_start = 10, .l_len = 10};

	if (fd < 0 || SIM_CALL(__NR_fcntl, (uint64_t)fd, F_SETLKW, OBJECT(range)))
		return;
	sim_yield(3);
}

OPERATION(range_lock)
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
OPERATION(lock_of_an_open_file)
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
	do
		err = SIM_CALL(__NR_fcntl, fd, F_SETLKW, OBJECT(range));
	while (states_is_interrupted(err));
	if (err && err != -EDEADLK)
		states_give_up("fcntl", __LINE__, err);
	range.l_type = F_UNLCK;
	range.l_start = 0;
	range.l_len = 0;
	(void)DO(fcntl, fd, F_SETLK, OBJECT(range));
}

static void lock_backwards(uintptr_t arg UNUSED)
{
	struct flock range = {.l_type = F_WRLCK, .l_start = 1, .l_len = 1};
	int64_t fd = SIM_CALL(__NR_open, STRING(states_file), O_RDWR);

	if (fd < 0 || SIM_CALL(__NR_fcntl, (uint64_t)fd, F_SETLKW, OBJECT(range)))
		return;
	sim_yield(1);
	range.l_start = 0;
	TRY(fcntl, (uint64_t)fd, F_SETLKW, OBJECT(range));
}

OPERATION(lock_deadlock)
{
	uint64_t fd = DO(open, STRING(states_file), O_RDWR | O_CREAT, 0600), pid;

	pid = child(lock_backwards, 0);
	lock_both(fd, 0, 1);
	join(pid);
}
