// SPDX-License-Identifier: MIT
/*
 * Words that several operations use (states.h): descriptors, and what helpers do.
 *
 * A helper that is itself killed or failed ends early. One that cannot know of it (a wake-up, a byte
 * for which the operation holds the other end too) is a sure_child, and may be run twice.
 */
#include "arch/sim/test/states.h"

#include <linux/fcntl.h>
#include <linux/futex.h>

#include "abi/socket.h"

void get_pair(uint64_t at, uint64_t fd[2])
{
	fd[0] = sim_load32(at);
	fd[1] = sim_load32(at + 4);
}

void make_pipe(uint64_t fd[2], unsigned flags)
{
	uint64_t at = sim_scratch(&(uint64_t){0}, 8);

	(void)DO(pipe2, at, flags);
	get_pair(at, fd);
}

void make_sockets(uint64_t fd[2], unsigned type)
{
	uint64_t at = sim_scratch(&(uint64_t){0}, 8);

	(void)DO(socketpair, AF_UNIX, type, 0, at);
	get_pair(at, fd);
}

void wait_futex(uint64_t word, uint32_t value)
{
	int64_t err = SIM_CALL(__NR_futex, word, FUTEX_WAIT, value, 0);

	if (err && err != -EAGAIN && err != -EINTR)
		states_give_up("futex", __LINE__, err);
}

/* ---- Children and names ---- */

const char states_fifo[6] = "/fifo", states_file[6] = "/file", states_folder[8] = "/folder",
	   states_inside[10] = "/folder/x", states_moved[7] = "/moved";

void write_bulk(uintptr_t fd)
{
	uint64_t from = MAP(BULK, MAP_PRIVATE);

	for (uint64_t done = 0; done < BULK;) {
		int64_t n = ASK(write, fd, from, MIN(BULK - done, 5000ul));

		if (n <= 0)
			return;
		done += (uint64_t)n;
	}
}

uint64_t states_other_end;

void read_to_end(uintptr_t fd)
{
	uint64_t to = MAP(PAGE_SIZE, MAP_PRIVATE), sum = 0;
	int64_t n;

	TRY(close, states_other_end);
	while ((n = ASK(read, fd, to, 1000)) > 0)
		sum += (uint64_t)n;
	if (states_is_undisturbed())
		sim_exit_process(sum == BULK ? 0 : 1);
}

void write_byte(uintptr_t fd)
{
	sim_yield(2);
	(void)DO(write, fd, sim_scratch("12345678", 8), 8);
}

void do_nothing(uintptr_t arg UNUSED)
{
}

void sleep_for_ever(uintptr_t arg UNUSED)
{
	for (;;)
		TRY(pause, 0);
}

void make_calls(uintptr_t arg UNUSED)
{
	for (;;)
		TRY(getppid, 0);
}

void signal_parent(uintptr_t pid)
{
	sim_yield(2);
	(void)DO(kill, pid, SIGUSR2);
}
