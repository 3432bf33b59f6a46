// SPDX-License-Identifier: MIT
/*
 * Words for operations that have a ring: rings.h.
 */
#include "arch/sim/test/rings.h"

static uint64_t map_queue(const struct sim_ring *r, size_t size, uint64_t offset)
{
	return DO(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
		offset);
}

static void fetch(void *to, uint64_t from, size_t len)
{
	while (!sim_load(to, from, len))
		;
}

void store_bytes(uint64_t to, const void *from, size_t len)
{
	while (!sim_store(to, from, len))
		;
}

static size_t queues_size(const struct sim_ring *r)
{
	return r->p.cq_off.cqes + r->p.cq_entries * sizeof(struct io_uring_cqe) +
	       r->p.sq_entries * sizeof(uint32_t);
}

static size_t entries_size(const struct sim_ring *r)
{
	return r->p.sq_entries * sizeof(struct io_uring_sqe);
}

/* By what r->p says. */
static void set_up(struct sim_ring *r)
{
	uint64_t at = OBJECT(r->p);

	r->fd = DO(io_uring_setup, RING_ENTRIES, at);
	fetch(&r->p, at, sizeof(r->p));
	r->queues = map_queue(r, queues_size(r), IORING_OFF_SQ_RING);
	r->entries = map_queue(r, entries_size(r), IORING_OFF_SQES);
}

void make_ring(struct sim_ring *r, uint32_t setup_flags)
{
	*r = (struct sim_ring){.p.flags = setup_flags, .p.sq_thread_idle = 1};
	set_up(r);
}

void attach_ring(struct sim_ring *r, uint32_t setup_flags, const struct sim_ring *to)
{
	*r = (struct sim_ring){.p.flags = setup_flags | IORING_SETUP_ATTACH_WQ,
		.p.sq_thread_idle = 1,
		.p.wq_fd = (uint32_t)to->fd};
	set_up(r);
}

void end_ring(struct sim_ring *r)
{
	(void)DO(munmap, r->queues, queues_size(r));
	(void)DO(munmap, r->entries, entries_size(r));
	(void)DO(close, r->fd);
}

void add_entry(struct sim_ring *r, const struct io_uring_sqe *sqe)
{
	uint32_t index = r->sq_tail & (r->p.sq_entries - 1);

	store_bytes(r->entries + index * sizeof(*sqe), sqe, sizeof(*sqe));
	sim_store32(r->queues + r->p.sq_off.array + index * sizeof(uint32_t), index);
	sim_store32(r->queues + r->p.sq_off.tail, ++r->sq_tail);
	r->nr_new++;
}

void submit(struct sim_ring *r)
{
	uint64_t how = r->p.flags & IORING_SETUP_SQPOLL ? IORING_ENTER_SQ_WAKEUP : 0;
	uint64_t nr = DO(io_uring_enter, r->fd, r->nr_new, 0, how, 0, 0);

	if (nr != r->nr_new)
		states_give_up(
			"io_uring_enter", __LINE__, -EAGAIN); /* a chain ends there, too */
	r->nr_new = 0;
}

struct io_uring_cqe next_completion(struct sim_ring *r)
{
	uint32_t index = r->cq_head & (r->p.cq_entries - 1);
	struct io_uring_cqe cqe;

	while (sim_load32(r->queues + r->p.cq_off.tail) == r->cq_head)
		(void)DO(io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
	fetch(&cqe, r->queues + r->p.cq_off.cqes + index * sizeof(cqe), sizeof(cqe));
	sim_store32(r->queues + r->p.cq_off.head, ++r->cq_head);
	return cqe;
}

uint64_t completed(struct sim_ring *r, uint64_t name, int line)
{
	struct io_uring_cqe cqe = next_completion(r);

	if (cqe.res < 0)
		states_give_up("completion", line, cqe.res);
	if (cqe.user_data != name)
		test_fail(__FILE__, line, "completion of %llu, expected %llu", cqe.user_data,
			(unsigned long long)name);
	return (uint64_t)cqe.res;
}

void ends_with(struct sim_ring *r, uint64_t name, int result, int line)
{
	struct io_uring_cqe cqe = next_completion(r);

	if (cqe.res != result && cqe.res < 0)
		states_give_up("completion", line, cqe.res);
	if (cqe.user_data != name || cqe.res != result)
		test_fail(__FILE__, line, "completion of %llu: %d, expected %llu: %d",
			cqe.user_data, cqe.res, (unsigned long long)name, result);
}
