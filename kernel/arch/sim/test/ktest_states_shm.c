// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): System V shared memory. What an operation that ends early
 * has made goes with its maker: kernel.shm_rmid_forced.
 */
#include "arch/sim/test/states.h"

#include "abi/shm.h"
#include "ipc/ipc_ns.h"

enum { KEY = 0x6b6579, RIGHTS = 0600, SIZE = 2 * PAGE_SIZE };

static uint64_t make(uint64_t key)
{
	shm_set_forced(&ipc_ns_root.shm, true);
	return DO(shmget, key, SIZE, IPC_CREAT | RIGHTS);
}

/* One attach after another, in pieces, and one left for the end of the process. */
OPERATION(shm_in_pieces)
{
	uint64_t id = make(KEY), at = DO(shmat, id, 0, 0), again, buf;

	sim_store32(at + PAGE_SIZE, 7);
	again = DO(shmat, id, 0, SHM_RDONLY);
	EXPECT_EQ(sim_load32(again + PAGE_SIZE), 7);
	(void)DO(munmap, at, PAGE_SIZE); /* of which the rest is half */
	(void)DO(mprotect, again + PAGE_SIZE, PAGE_SIZE, PROT_NONE);
	(void)DO(shmctl, id, SHM_LOCK, 0);
	buf = sim_scratch(&(struct shmid64_ds){0}, sizeof(struct shmid64_ds));
	(void)DO(shmctl, id, IPC_STAT, buf);
	EXPECT_EQ(sim_load32(buf + offsetof(struct shmid64_ds, shm_nattch)), 3);
	(void)DO(shmdt, at);
	(void)DO(shmctl, id, IPC_RMID, 0);
	(void)DO(shmdt, again);
	EXPECT_EQ(ASK(shmat, id, 0, 0), -EINVAL);
	(void)DO(shmat, make(IPC_PRIVATE), 0, 0);
}

/* A child finds the segment by its key, and the last of both to detach takes it along. */
static void store_in_segment(uintptr_t value)
{
	uint64_t id = DO(shmget, KEY, 0, 0), at = DO(shmat, id, 0, 0);

	sim_store32(at, (uint32_t)value);
	(void)DO(shmdt, at);
}

JOINT_OPERATION(shm_with_child)
{
	uint64_t id = make(KEY), at = DO(shmat, id, 0, 0), pid = child(store_in_segment, 5);

	join(pid);
	EXPECT_WHOLE(sim_load32(at), 5);
	(void)DO(shmctl, id, IPC_RMID, 0);
}

/* Threads that share its attaches, and are its makers. */
static void make_and_leave(uintptr_t at)
{
	uint64_t mine = DO(shmat, make(IPC_PRIVATE), 0, 0);

	sim_store32(mine, sim_load32(at));
	TRY(shmdt, mine);
	(void)make(IPC_PRIVATE);
}

JOINT_OPERATION(shm_of_threads)
{
	uint64_t word = MAP(PAGE_SIZE, MAP_PRIVATE), at = DO(shmat, make(IPC_PRIVATE), 0, 0);

	uint32_t value;

	(void)helper(
		THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, make_and_leave, at, word);
	while ((value = sim_load32(word)))
		wait_futex(word, value);
	TRY(shmdt, at);
}
