// SPDX-License-Identifier: MIT
/*
 * The ring's two queues, as they lie in memory that the kernel shares with us.
 *
 *     entries        we write at tail, the kernel takes at head
 *     completions    the kernel writes at tail, we take at head
 *
 * Who moves a tail does so after what stands before it (release), and who takes looks at the tail first
 * (acquire); nothing else is needed. Our own tail is kept here and shown by publish() only: with
 * IORING_SETUP_SQPOLL the kernel takes what it sees, and a chain must not be seen by halves.
 *
 * Spec    man 7 io_uring, man 2 io_uring_setup, io_uring_enter
 */
#include "ring.h"

#include <asm/unistd.h>
#include <linux/mman.h>

#include "arch.h"
#include "lib/string.h"
#include "program.h"

/* How long the kernel's thread looks in vain before it sleeps (IORING_SETUP_SQPOLL). */
enum { SQ_IDLE_MS = 10000 };

static struct {
	int fd;
	bool is_polled;      /* IORING_SETUP_SQPOLL */
	unsigned tail;       /* of the entries, with those that the kernel was not shown yet */
	unsigned nr_pending; /* requests whose reply is not here */

	struct io_uring_sqe *sqes;
	unsigned *sq_head, *sq_tail, *sq_flags, sq_entries;
	struct io_uring_cqe *cqes;
	unsigned *cq_head, *cq_tail, cq_mask;
} ring;

static unsigned load(const unsigned *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static void store(unsigned *at, unsigned value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

/* ---- Set-up ---- */

static char *map(size_t size, uint64_t offset)
{
	long at = arch_syscall(__NR_mmap, 0, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_POPULATE, (uint64_t)ring.fd, offset);

	must_begin(at, "io_uring: mmap");
	return (char *)at;
}

void ring_open(unsigned entries, unsigned flags)
{
	struct io_uring_params p = {.flags = flags, .sq_thread_idle = SQ_IDLE_MS};
	char *at;

	ring.is_polled = flags & IORING_SETUP_SQPOLL;
	p.flags |= IORING_SETUP_NO_SQARRAY | IORING_SETUP_SUBMIT_ALL;
	if (!ring.is_polled)
		p.flags |= IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
	ring.fd = (int)arch_syscall(__NR_io_uring_setup, entries, (uint64_t)&p, 0, 0, 0, 0);
	must_begin(ring.fd, "io_uring_setup");

	at = map(p.cq_off.cqes + p.cq_entries * sizeof(*ring.cqes), IORING_OFF_SQ_RING);
	ring.sq_head = (unsigned *)(at + p.sq_off.head);
	ring.sq_tail = (unsigned *)(at + p.sq_off.tail);
	ring.sq_flags = (unsigned *)(at + p.sq_off.flags);
	ring.sq_entries = p.sq_entries;
	ring.cq_head = (unsigned *)(at + p.cq_off.head);
	ring.cq_tail = (unsigned *)(at + p.cq_off.tail);
	ring.cq_mask = p.cq_entries - 1;
	ring.cqes = (struct io_uring_cqe *)(at + p.cq_off.cqes);
	ring.sqes =
		(struct io_uring_sqe *)map(p.sq_entries * sizeof(*ring.sqes), IORING_OFF_SQES);
}

int ring_register(unsigned op, const void *arg, unsigned nr)
{
	return (int)arch_syscall(
		__NR_io_uring_register, (uint64_t)ring.fd, op, (uint64_t)arg, nr, 0, 0);
}

/* ---- Asking ---- */

static unsigned nr_free(void)
{
	return ring.sq_entries - (ring.tail - load(ring.sq_head));
}

/* Shows the kernel what was written, and enters if that is needed for it, or to wait. */
static void enter(unsigned nr_wait)
{
	unsigned flags = nr_wait ? IORING_ENTER_GETEVENTS : 0;
	long err;

	store(ring.sq_tail, ring.tail);
	if (ring.is_polled) {
		/* Its thread: the flag, then a last look at the tail. We: the tail, then the flag. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (load(ring.sq_flags) & IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
	}
	if (!flags && (ring.is_polled || ring.tail == load(ring.sq_head)))
		return;
	err = arch_syscall(__NR_io_uring_enter, (uint64_t)ring.fd,
		ring.tail - load(ring.sq_head), nr_wait, flags, 0, 0);
	if (err < 0 && err != -EINTR && err != -EAGAIN && err != -EBUSY)
		must_begin(err, "io_uring_enter");
}

void ring_submit(void)
{
	do {
		enter(0);
	} while (!ring.is_polled && ring.tail != load(ring.sq_head));
}

void ring_room(unsigned nr)
{
	while (nr_free() < nr) {
		ring_submit();
		arch_relax();
	}
}

struct io_uring_sqe *ring_sqe(unsigned opcode, int fd)
{
	struct io_uring_sqe *sqe;

	ring_room(1);
	sqe = &ring.sqes[ring.tail++ & (ring.sq_entries - 1)];
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = (uint8_t)opcode;
	sqe->fd = fd;
	return sqe;
}

struct io_uring_sqe *ring_tell(struct io_uring_sqe *sqe, struct reply *reply)
{
	reply->is_here = false;
	sqe->user_data = (uintptr_t)reply;
	ring.nr_pending++;
	return sqe;
}

/* ---- Being answered ---- */

/* All that is there. The head is looked up again each time: what is called may have taken some. */
static bool deliver(void)
{
	unsigned head;
	bool any = false;

	while ((head = *ring.cq_head) != load(ring.cq_tail)) {
		struct io_uring_cqe *cqe = &ring.cqes[head & ring.cq_mask];
		struct reply *reply = (struct reply *)(uintptr_t)cqe->user_data;
		int32_t res = cqe->res;
		uint32_t flags = cqe->flags;

		store(ring.cq_head, head + 1);
		any = true;
		if (!reply)
			continue;
		reply->res = res;
		reply->flags = flags;
		if (!(flags & IORING_CQE_F_MORE)) {
			reply->is_here = true;
			ring.nr_pending--;
		}
		if (reply->then)
			reply->then(reply);
	}
	return any;
}

void ring_wait(void)
{
	bool is_there = *ring.cq_head != load(ring.cq_tail);

	enter(is_there || ring.is_polled ? 0 : 1);
	while (!deliver()) {
		if (!ring.is_polled || load(ring.sq_flags) & IORING_SQ_CQ_OVERFLOW)
			enter(1);
		else
			arch_relax();
	}
}

int ring_until(const struct reply *reply)
{
	while (!reply->is_here)
		ring_wait();
	return reply->res;
}

int ring_await(struct io_uring_sqe *sqe)
{
	struct reply reply = {0};

	ring_tell(sqe, &reply);
	return ring_until(&reply);
}

void ring_finish(void)
{
	ring_submit();
	while (ring.nr_pending)
		ring_wait();
}

/* ---- Buffers ---- */

void ring_buffers_open(
	struct ring_buffers *b, uint16_t group, void *memory, uint16_t nr, uint32_t size)
{
	struct io_uring_buf_reg reg = {
		.ring_addr = (uint64_t)memory, .ring_entries = nr, .bgid = group};

	*b = (struct ring_buffers){
		.queue = memory,
		.bytes = (char *)memory + nr * sizeof(struct io_uring_buf),
		.nr = nr,
		.size = size,
		.group = group,
	};
	must_begin(ring_register(IORING_REGISTER_PBUF_RING, &reg, 1), "buffers");
	for (unsigned id = 0; id < nr; id++)
		ring_buffer_free(b, id);
}

void ring_buffer_free(struct ring_buffers *b, unsigned id)
{
	struct io_uring_buf *slot = &b->queue->bufs[b->tail & (b->nr - 1)];

	slot->addr = (uint64_t)ring_buffer(b, id);
	slot->len = b->size;
	slot->bid = (uint16_t)id;
	__atomic_store_n(&b->queue->tail, ++b->tail, __ATOMIC_RELEASE);
}
