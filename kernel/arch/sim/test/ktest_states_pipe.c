// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): pipes.
 */
#include "arch/sim/test/states.h"

#include <linux/fcntl.h>

/* ---- Pipes ---- */

JOINT_OPERATION(pipe_read)
{
	uint64_t fd[2], to = MAP(PAGE_SIZE, MAP_PRIVATE), pid, n, sum = 0;

	make_pipe(fd, 0);
	(void)DO(fcntl, fd[1], F_SETPIPE_SZ, PAGE_SIZE);
	pid = child(write_bulk, fd[1]);
	(void)DO(close, fd[1]);
	while ((n = DO(read, fd[0], to, 3000)))
		sum += n;
	EXPECT_WHOLE(sum, BULK);
	join(pid);
}

JOINT_OPERATION(pipe_write)
{
	uint64_t fd[2], from = MAP(BULK, MAP_PRIVATE), pid;

	make_pipe(fd, 0);
	(void)DO(fcntl, fd[1], F_SETPIPE_SZ, PAGE_SIZE);
	states_other_end = fd[1];
	pid = child(read_to_end, fd[0]);
	(void)DO(close, fd[0]);
	for (uint64_t done = 0; done < BULK;)
		done += DO(write, fd[1], from, BULK - done);
	(void)DO(close, fd[1]);
	EXPECT_WHOLE(sim_wait((int64_t)pid), 0);
}

JOINT_OPERATION(splice_and_tee)
{
	uint64_t a[2], b[2], to = MAP(PAGE_SIZE, MAP_PRIVATE), pid, n, sum = 0;

	make_pipe(a, 0);
	make_pipe(b, 0);
	pid = child(write_bulk, a[1]);
	(void)DO(close, a[1]);
	while ((n = DO(tee, a[0], b[1], PAGE_SIZE, 0))) {
		for (uint64_t done = 0; done < n;)
			done += DO(read, b[0], to, n - done);
		for (uint64_t done = 0; done < n;)
			done += DO(splice, a[0], 0, b[1], 0, n - done, 0);
		for (uint64_t done = 0; done < n;)
			done += DO(read, b[0], to, n - done);
		sum += n;
	}
	EXPECT_WHOLE(sum, BULK);
	join(pid);
}

static void open_writing(uintptr_t arg UNUSED)
{
	uint64_t fd = DO(open, STRING(states_fifo), O_WRONLY);

	(void)DO(write, fd, sim_scratch("x", 1), 1);
}

JOINT_OPERATION(fifo_open)
{
	uint64_t fd, pid;

	(void)DO(mknod, STRING(states_fifo), 0010600, 0);
	pid = sure_child(open_writing, 0);
	fd = DO(open, STRING(states_fifo), O_RDONLY);
	EXPECT_WHOLE(DO(read, fd, sim_scratch("", 1), 1), 1);
	join(pid);
	(void)DO(unlink, STRING(states_fifo));
}

/* Pages of the program's own, and of a file, as the pipe's. */
JOINT_OPERATION(vmsplice_and_sendfile)
{
	uint64_t fd[2], from = MAP(BULK, MAP_PRIVATE), pid, file, n;
	struct {
		uint64_t at, len;
	} iov = {from, BULK / 2};

	file = DO(open, STRING(states_file), O_RDWR | O_CREAT, 0600);
	for (uint64_t done = 0; done < BULK / 2;)
		done += DO(write, file, from, BULK / 2 - done);
	(void)DO(lseek, file, 0, 0);
	make_pipe(fd, 0);
	(void)DO(fcntl, fd[1], F_SETPIPE_SZ, PAGE_SIZE);
	states_other_end = fd[1];
	pid = child(read_to_end, fd[0]);
	(void)DO(close, fd[0]);
	for (; iov.len; iov.at += n, iov.len -= n)
		n = DO(vmsplice, fd[1], OBJECT(iov), 1, 0);
	for (uint64_t done = 0; done < BULK / 2; done += n)
		n = DO(sendfile, fd[1], file, 0, BULK / 2 - done);
	(void)DO(close, fd[1]);
	EXPECT_WHOLE(sim_wait((int64_t)pid), 0);
}
