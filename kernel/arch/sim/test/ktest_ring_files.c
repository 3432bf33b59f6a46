// SPDX-License-Identifier: MIT
/*
 * Rings and the table of descriptors of their thread, by seeds: it gets another table while fibers look for a file
 * in it. Who looks in one that has ended is found by the checks of memory.
 */
#include "arch/sim/test/rings.h"

#include <linux/poll.h>
#include <linux/time_types.h>

enum { ROUNDS = 4, SOON_NS = 20000 };

/* A call on a fiber that ends by itself, and after it a request that looks for its file: there. */
static void add_chain(struct sim_ring *r, uint64_t time_at, int fd)
{
	struct __kernel_timespec ts = {.tv_nsec = 1 + (int64_t)sim_random(SOON_NS)};

	store_bytes(time_at, &ts, sizeof(ts));
	ADD(r, .opcode = TORUS_OP_SYSCALL, .fd = __NR_nanosleep, .off = time_at,
		.flags = IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS, .user_data = 1);
	ADD(r, .opcode = IORING_OP_POLL_ADD, .fd = fd, .poll32_events = POLLOUT,
		.user_data = 2);
	submit(r);
}

static void leave_tables(void)
{
	uint64_t fd[2], time_at = MAP(PAGE_SIZE, MAP_PRIVATE);
	struct sim_ring r, other; /* whose fibers do not wait for each other */

	make_ring(&r, 0);
	make_ring(&other, 0);
	make_pipe(fd, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		add_chain(&r, time_at, (int)fd[1]);
		(void)DO(unshare, CLONE_FILES);
		/* its fiber shares the new table, which is left, too */
		add_chain(&other, time_at, (int)fd[1]);
		(void)DO(unshare, CLONE_FILES);
		EXPECT_EQ(DONE(&r, 2), POLLOUT);
		EXPECT_EQ(DONE(&other, 2), POLLOUT);
	}
	end_ring(&other);
	end_ring(&r);
}

TEST(simring, tables_are_left_while_fibers_look)
{
	sim_program(leave_tables);
}
