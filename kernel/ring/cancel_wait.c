// SPDX-License-Identifier: MIT
/*
 * IORING_REGISTER_SYNC_CANCEL: cancels, and returns when what was cancelled has ended.
 *
 * Locks   ring->lock [l], given back while it waits
 * Spec    man 2 io_uring_register
 */
#include "lib/atomic.h"
#include "ring/tables.h"
#include "sys/timeout.h"

static int read_cancel(uptr arg, struct req_cancel *what, uint64_t *deadline_ns)
{
	struct ring_sync_cancel_reg reg;
	uint64_t ns;

	if (user_get(reg, arg))
		return -EFAULT;
	if (reg.flags & ~(uint32_t)RING_CANCEL_FLAGS || reg.pad2[0] || reg.pad2[1] ||
		reg.pad2[2])
		return -EINVAL;
	for (unsigned i = 0; i < ARRAY_LEN(reg.pad); i++) {
		if (reg.pad[i])
			return -EINVAL;
	}
	*what = (struct req_cancel){
		.user_data = reg.addr, .fd = reg.fd, .flags = reg.flags, .opcode = reg.opcode};
	*deadline_ns = WAIT_FOREVER;
	if (reg.timeout.tv_sec == -1 && reg.timeout.tv_nsec == -1)
		return 0;
	if (timeout_from_parts(reg.timeout.tv_sec, reg.timeout.tv_nsec, &ns))
		ns = 0; /* Linux looks at it only when it waits: it is over then */
	*deadline_ns = clock_deadline_ns(ns);
	return 0;
}

/*
 * Until something ended, or for a little while: a request that skips its completion tells nobody.
 * The lock is given back meanwhile.
 */
static int wait_for_an_end(
	struct ring *ring, struct ring_task *task, uint64_t deadline_ns) NOT_ANALYSED
{
	uint64_t soon = MIN(deadline_ns, clock_deadline_ns(10 * NS_PER_MS));
	uint32_t tail = READ_ONCE(ring->cq_tail);
	int err;

	ring_unlock(ring);
	ring_task_begin_wait(task, ring);
	err = WAIT_EVENT(&ring->cq_wait, WAIT_SIGNAL, soon,
		READ_ONCE(ring->cq_tail) != tail || ring_task_has_work(task, ring));
	ring_task_end_wait(task, ring);
	mutex_lock(&ring->lock);
	if (err == -ETIMEDOUT)
		return clock_monotonic_ns() >= deadline_ns ? -ETIME : 0;
	return err;
}

int64_t ring_cancel_and_wait(struct ring *ring, uptr arg)
{
	struct req_cancel what;
	struct ring_task *task;
	uint64_t deadline_ns;
	int64_t n = read_cancel(arg, &what, &deadline_ns);

	if (!n)
		n = ring_task_get(&task);
	if (n)
		return n;
	n = ring_cancel(ring, &what, NULL);
	if (n != -EALREADY)
		return n;
	while (n == -EALREADY) {
		int err = wait_for_an_end(ring, task, deadline_ns);

		if (err)
			return err;
		n = ring_cancel(ring, &what, NULL);
		/* a wait that always finds work to do would not look */
		if (n == -EALREADY && wait_is_interrupted(WAIT_SIGNAL))
			return -EINTR;
	}
	return n == -ENOENT || n > 0 ? 0 : n;
}
