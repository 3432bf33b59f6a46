// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): polls of native AIO, which nobody's thread waits for.
 */
#include "arch/sim/test/rings.h"

#include <linux/aio_abi.h>
#include <linux/poll.h>

#include "fs/vfs/epoll.h"

enum { REQUESTS = 4 };

/* A context, and in the program's memory what its calls need. */
struct sim_aio {
	uint64_t id, memory;
	uint64_t nr; /* requests so far */
};

static uint64_t load64(uint64_t at)
{
	return sim_load32(at) | (uint64_t)sim_load32(at + 4) << 32;
}

static void make_context(struct sim_aio *a)
{
	a->memory = MAP(PAGE_SIZE, MAP_PRIVATE);
	a->nr = 0;
	(void)DO(io_setup, REQUESTS, a->memory);
	a->id = load64(a->memory);
}

static uint64_t iocb_at(const struct sim_aio *a, uint64_t nr)
{
	return a->memory + 512 + nr * sizeof(struct iocb);
}

/* The next request: a poll of fd, counted by an eventfd (0: none). */
static void submit_poll(struct sim_aio *a, uint64_t fd, uint64_t counter)
{
	const struct iocb q = {.aio_data = a->nr,
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = POLLIN,
		.aio_flags = counter ? IOCB_FLAG_RESFD : 0,
		.aio_resfd = (uint32_t)counter};
	uint64_t at = iocb_at(a, a->nr++), list = a->memory + 8 * a->nr;

	store_bytes(at, &q, sizeof(q));
	store_bytes(list, &at, sizeof(at));
	EXPECT_EQ(DO(io_submit, a->id, 1, list), 1);
}

/* Waits for the next event: of this request, with this result. */
static void expect_event(const struct sim_aio *a, uint64_t nr, uint64_t res)
{
	uint64_t to = a->memory + 256;

	EXPECT_EQ(DO(io_getevents, a->id, 1, 1, to, 0), 1);
	EXPECT_EQ(load64(to + offsetof(struct io_event, data)), nr);
	EXPECT_EQ(load64(to + offsetof(struct io_event, res)), res);
}

JOINT_OPERATION(aio_poll)
{
	uint64_t fd[2], pid;
	struct sim_aio a;

	make_pipe(fd, 0);
	make_context(&a);
	submit_poll(&a, fd[0], 0);
	(void)DO(close, fd[0]); /* the request has the file */
	pid = sure_child(write_byte, fd[1]);
	expect_event(&a, 0, POLLIN);
	(void)DO(io_destroy, a.id);
	join(pid);
}

OPERATION(aio_poll_cancelled)
{
	uint64_t fd[2], counter;
	struct sim_aio a;

	make_pipe(fd, 0);
	counter = DO(eventfd2, 0, 0);
	make_context(&a);
	submit_poll(&a, fd[0], counter);
	submit_poll(&a, fd[0], 0);
	EXPECT_EQ(ASK(io_cancel, a.id, iocb_at(&a, 0), 0), -EINPROGRESS);
	EXPECT_EQ(ASK(io_cancel, a.id, iocb_at(&a, 0), 0), -EINVAL);
	expect_event(&a, 0, 0);
	EXPECT_EQ(DO(read, counter, a.memory + 256, 8), 8);
	(void)DO(io_destroy, a.id);
}

/* Of several kinds of files; one is woken at once. */
static void leave_polls(struct sim_aio *a)
{
	uint64_t fd[2], set = DO(epoll_create1, 0), counter = DO(eventfd2, 0, 0);
	struct epoll_event e = {.events = EPOLLIN};

	make_pipe(fd, 0);
	make_context(a);
	(void)DO(epoll_ctl, set, EPOLL_CTL_ADD, fd[0], OBJECT(e));
	submit_poll(a, set, counter);
	submit_poll(a, fd[0], counter);
	submit_poll(a, counter, 0);
	(void)DO(write, fd[1], a->memory, 1);
}

OPERATION(aio_polls_destroyed)
{
	struct sim_aio a;

	leave_polls(&a);
	(void)DO(io_destroy, a.id);
}

OPERATION(aio_polls_left)
{
	struct sim_aio a;

	leave_polls(&a);
	sim_yield(2);
}

/* A thread's polls wait on without it. */
static struct sim_aio shared;
static uint64_t shared_pipe;

static void poll_and_end(uintptr_t arg UNUSED)
{
	submit_poll(&shared, shared_pipe, 0);
}

JOINT_OPERATION(aio_poll_of_thread)
{
	uint64_t fd[2], word = MAP(PAGE_SIZE, MAP_PRIVATE);
	uint32_t value;

	make_pipe(fd, 0);
	shared_pipe = fd[0];
	make_context(&shared);
	(void)helper(
		THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, poll_and_end, 0, word);
	while ((value = sim_load32(word)))
		wait_futex(word, value);
	(void)DO(write, fd[1], word, 1);
	if (states_is_undisturbed())
		expect_event(&shared, 0, POLLIN);
	(void)DO(io_destroy, shared.id);
}

/* While one sits in io_getevents, and its poll is woken perhaps. */
static void get_events(uintptr_t arg UNUSED)
{
	TRY(io_getevents, shared.id, 1, 1, shared.memory + 256, 0);
}

JOINT_OPERATION(aio_destroyed_meanwhile)
{
	uint64_t fd[2], word = MAP(PAGE_SIZE, MAP_PRIVATE);
	uint32_t value;

	make_pipe(fd, 0);
	make_context(&shared);
	submit_poll(&shared, fd[0], 0);
	(void)helper(THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, get_events, 0, word);
	(void)DO(write, fd[1], word, 1);
	(void)DO(io_destroy, shared.id);
	while ((value = sim_load32(word)))
		wait_futex(word, value);
}
