// SPDX-License-Identifier: MIT
/*
 * io_uring_register: what a ring is told once. Finds the ring, checks who asks, and hands each operation
 * to whoever keeps its thing; the small ones are here.
 *
 * Locks   ring->lock [l] for the whole call; SYNC_CANCEL gives it back while it waits, CLONE_BUFFERS to
 *         take two in order
 * Spec    man 2 io_uring_register
 */
#include <linux/time.h>

#include "fs/vfs/fdtable.h"
#include "ipc/eventfd.h"
#include "lib/atomic.h"
#include "proc/proc.h"
#include "ring/tables.h"
#include "sys/syscall.h"
#include "sys/timeout.h"

/* ---- Files and buffers: the forms of arguments ---- */

static int register_with_tags(struct ring *ring, bool is_file, uptr arg, unsigned size)
{
	struct io_uring_rsrc_register reg;

	if (size != sizeof(reg))
		return -EINVAL;
	if (user_get(reg, arg))
		return -EFAULT;
	if (!reg.nr || reg.resv2 || reg.flags & ~IORING_RSRC_REGISTER_SPARSE ||
		(reg.flags && reg.data))
		return -EINVAL;
	return is_file ? ring_files_register(ring, UPTR(reg.data), reg.nr, UPTR(reg.tags))
		       : ring_buffers_register(ring, UPTR(reg.data), reg.nr, UPTR(reg.tags));
}

static int64_t update_with_tags(struct ring *ring, bool is_file, uptr arg, unsigned size)
{
	struct io_uring_rsrc_update2 up;
	struct ring_update u;

	if (size != sizeof(up))
		return -EINVAL;
	if (user_get(up, arg))
		return -EFAULT;
	if (!up.nr || up.resv || up.resv2)
		return -EINVAL;
	u = (struct ring_update){up.offset, up.nr, UPTR(up.data), UPTR(up.tags)};
	return is_file ? ring_files_update(ring, uthread_current()->files, &u)
		       : ring_buffers_update(ring, &u);
}

static int64_t update_files(struct ring *ring, uptr arg, unsigned nr)
{
	struct io_uring_rsrc_update up;
	struct ring_update u;

	if (!nr)
		return -EINVAL;
	if (user_get(up, arg))
		return -EFAULT;
	if (up.resv)
		return -EINVAL;
	u = (struct ring_update){up.offset, nr, UPTR(up.data), UPTR_NULL};
	return ring_files_update(ring, uthread_current()->files, &u);
}

static int set_file_range(struct ring *ring, uptr arg)
{
	struct io_uring_file_index_range range;
	uint32_t end;

	if (user_get(range, arg))
		return -EFAULT;
	if (__builtin_add_overflow(range.off, range.len, &end))
		return -EOVERFLOW;
	return range.resv ? -EINVAL : ring_files_set_range(ring, range.off, range.len);
}

/* ---- An eventfd ---- */

/* Not while ring_announce signals the old one. */
static void change_eventfd(struct ring *ring, struct file *f, bool is_async)
{
	spinlock_lock(&ring->map_lock);
	ring->eventfd_async = is_async;
	WRITE_ONCE(ring->eventfd, f);
	spinlock_unlock(&ring->map_lock);
}

static int set_eventfd(struct ring *ring, uptr arg, bool is_async)
{
	struct file *f;
	int32_t fd;
	int err;

	if (ring->eventfd)
		return -EBUSY;
	if (user_get(fd, arg))
		return -EFAULT;
	err = fd_get_file(uthread_current()->files, fd, false, &f);
	if (err)
		return err;
	if (!eventfd_is(f)) {
		file_put(f);
		return -EINVAL;
	}
	change_eventfd(ring, f, is_async);
	return 0;
}

static int drop_eventfd(struct ring *ring)
{
	struct file *f = ring->eventfd;

	if (!f)
		return -ENXIO;
	change_eventfd(ring, NULL, false);
	file_put(f);
	return 0;
}

/* ---- Two rings ---- */

static bool is_foreign(const struct ring *ring)
{
	return ring->owner && ring->owner != uthread_current()->ring_task;
}

static void lock_two(struct ring *a, struct ring *b) NOT_ANALYSED
{
	struct ring *first = a < b ? a : b, *second = a < b ? b : a;

	mutex_lock_nested(&first->lock, (uintptr_t)first);
	mutex_lock_nested(&second->lock, (uintptr_t)second);
}

static int clone_from(struct ring *ring, struct ring *from,
	const struct io_uring_clone_buffers *c) NOT_ANALYSED
{
	int err;

	if (from == ring)
		return ring_buffers_clone(ring, ring, c);
	ring_unlock(ring);
	lock_two(ring, from);
	err = is_foreign(from) ? -EEXIST : ring_buffers_clone(ring, from, c);
	mutex_unlock(&from->lock);
	return err;
}

static int clone_buffers(struct ring *ring, uptr arg)
{
	struct io_uring_clone_buffers c;
	struct file *f;
	int err;

	if (user_get(c, arg))
		return -EFAULT;
	if (c.flags & ~(IORING_REGISTER_SRC_REGISTERED | IORING_REGISTER_DST_REPLACE))
		return -EINVAL;
	if (!(c.flags & IORING_REGISTER_DST_REPLACE) && ring->buffers.nodes)
		return -EBUSY;
	if (c.pad[0] || c.pad[1] || c.pad[2])
		return -EINVAL;
	f = ring_file_find((int)c.src_fd, c.flags & IORING_REGISTER_SRC_REGISTERED, &err);
	if (err)
		return err;
	err = clone_from(ring, ring_of_file(f), &c);
	file_put(f);
	return err;
}

/* ---- The rest ---- */

static int set_clock(uptr arg)
{
	struct io_uring_clock_register reg;

	if (user_get(reg, arg))
		return -EFAULT;
	if (reg.resv[0] || reg.resv[1] || reg.resv[2])
		return -EINVAL;
	if (reg.clockid != CLOCK_MONOTONIC && reg.clockid != CLOCK_BOOTTIME)
		return -EINVAL;
	return 0; /* both stand still with the machine: they are one here */
}

static int enable(struct ring *ring)
{
	struct ring_task *task;

	if (!(ring->flags & IORING_SETUP_R_DISABLED))
		return -EBADFD;
	if (ring->flags & IORING_SETUP_SINGLE_ISSUER && !ring->owner) {
		int err = ring_task_get(&task);

		if (err)
			return err;
		refcount_get(&task->refs);
		ring->owner = task;
	}
	WRITE_ONCE(ring->flags, ring->flags & ~IORING_SETUP_R_DISABLED);
	ring_sqpoll_wake(ring);
	return 0;
}

void ring_unregister_all(struct ring *ring)
{
	ring_table_destroy(ring, &ring->files);
	ring_table_destroy(ring, &ring->buffers);
	(void)!drop_eventfd(ring);
	ring_rights_fini(ring);
}

/* ---- The call ---- */

/* What each operation wants of `arg` and `nr`, apart from what it looks at itself. */
enum {
	NO_ARG = 1,
	SOME_ARG = 2, /* else -EINVAL */
	NO_NR = 4,
	ONE = 8,
	NON_NULL = 16, /* else -EFAULT */
};

static const uint8_t shapes[RING_REGISTER_OPS] = {
	[IORING_REGISTER_BUFFERS] = NON_NULL,
	[IORING_UNREGISTER_BUFFERS] = NO_ARG | NO_NR,
	[IORING_REGISTER_FILES] = NON_NULL,
	[IORING_UNREGISTER_FILES] = NO_ARG | NO_NR,
	[IORING_REGISTER_EVENTFD] = ONE,
	[IORING_REGISTER_EVENTFD_ASYNC] = ONE,
	[IORING_UNREGISTER_EVENTFD] = NO_ARG | NO_NR,
	[IORING_REGISTER_PERSONALITY] = NO_ARG | NO_NR,
	[IORING_UNREGISTER_PERSONALITY] = NO_ARG,
	[IORING_REGISTER_ENABLE_RINGS] = NO_ARG | NO_NR,
	[IORING_REGISTER_IOWQ_AFF] = SOME_ARG,
	[IORING_UNREGISTER_IOWQ_AFF] = NO_ARG | NO_NR,
	[IORING_REGISTER_IOWQ_MAX_WORKERS] = SOME_ARG,
	[IORING_REGISTER_PBUF_RING] = SOME_ARG | ONE,
	[IORING_UNREGISTER_PBUF_RING] = SOME_ARG | ONE,
	[IORING_REGISTER_SYNC_CANCEL] = SOME_ARG | ONE,
	[IORING_REGISTER_FILE_ALLOC_RANGE] = SOME_ARG | NO_NR,
	[IORING_REGISTER_PBUF_STATUS] = SOME_ARG | ONE,
	[IORING_REGISTER_NAPI] = SOME_ARG | ONE,
	[IORING_UNREGISTER_NAPI] = ONE,
	[IORING_REGISTER_ZCRX_IFQ] = SOME_ARG | ONE,
	[IORING_REGISTER_CLOCK] = SOME_ARG | NO_NR,
	[IORING_REGISTER_CLONE_BUFFERS] = SOME_ARG | ONE,
	[IORING_REGISTER_RESIZE_RINGS] = SOME_ARG | ONE,
	[IORING_REGISTER_MEM_REGION] = SOME_ARG | ONE,
};

static int check_shape(unsigned op, uptr arg, unsigned nr)
{
	unsigned shape = shapes[op];

	if (shape & NON_NULL && uptr_is_null(arg))
		return -EFAULT;
	if ((shape & NO_ARG && !uptr_is_null(arg)) || (shape & SOME_ARG && uptr_is_null(arg)) ||
		(shape & NO_NR && nr) || (shape & ONE && nr != 1))
		return -EINVAL;
	return 0;
}

static int64_t do_register(struct ring *ring, unsigned op, uptr arg, unsigned nr)
{
	switch (op) {
	case IORING_REGISTER_BUFFERS:
		return ring_buffers_register(ring, arg, nr, UPTR_NULL);
	case IORING_UNREGISTER_BUFFERS:
		return ring_buffers_unregister(ring);
	case IORING_REGISTER_FILES:
		return ring_files_register(ring, arg, nr, UPTR_NULL);
	case IORING_UNREGISTER_FILES:
		return ring_files_unregister(ring);
	case IORING_REGISTER_EVENTFD:
	case IORING_REGISTER_EVENTFD_ASYNC:
		return set_eventfd(ring, arg, op == IORING_REGISTER_EVENTFD_ASYNC);
	case IORING_UNREGISTER_EVENTFD:
		return drop_eventfd(ring);
	case IORING_REGISTER_FILES_UPDATE:
		return update_files(ring, arg, nr);
	case IORING_REGISTER_PROBE:
		return ring_probe(arg, nr);
	case IORING_REGISTER_PERSONALITY:
		return ring_personality_register(ring);
	case IORING_UNREGISTER_PERSONALITY:
		return ring_personality_unregister(ring, nr);
	case IORING_REGISTER_RESTRICTIONS:
		return ring_restrictions_register(ring, arg, nr);
	case IORING_REGISTER_ENABLE_RINGS:
		return enable(ring);
	case IORING_REGISTER_FILES2:
	case IORING_REGISTER_BUFFERS2:
		return register_with_tags(ring, op == IORING_REGISTER_FILES2, arg, nr);
	case IORING_REGISTER_FILES_UPDATE2:
	case IORING_REGISTER_BUFFERS_UPDATE:
		return update_with_tags(ring, op == IORING_REGISTER_FILES_UPDATE2, arg, nr);
	case IORING_REGISTER_IOWQ_AFF:
		return nr ? ring_workers_check_cpus(arg, nr) : -EINVAL;
	case IORING_UNREGISTER_IOWQ_AFF:
		return 0;
	case IORING_REGISTER_IOWQ_MAX_WORKERS:
		return nr == 2 ? ring_workers_limit(ring, arg) : -EINVAL;
	case IORING_REGISTER_RING_FDS:
		return ring_fds_register(arg, nr);
	case IORING_UNREGISTER_RING_FDS:
		return ring_fds_unregister(arg, nr);
	case IORING_REGISTER_PBUF_RING:
		return ring_groups_register(ring, arg);
	case IORING_UNREGISTER_PBUF_RING:
		return ring_groups_unregister(ring, arg);
	case IORING_REGISTER_SYNC_CANCEL:
		return ring_cancel_and_wait(ring, arg);
	case IORING_REGISTER_FILE_ALLOC_RANGE:
		return set_file_range(ring, arg);
	case IORING_REGISTER_PBUF_STATUS:
		return ring_groups_status(ring, arg);
	case IORING_REGISTER_CLOCK:
		return set_clock(arg);
	case IORING_REGISTER_CLONE_BUFFERS:
		return clone_buffers(ring, arg);
	case IORING_REGISTER_RESIZE_RINGS:
		return ring_resize(ring, arg);
	case IORING_REGISTER_MEM_REGION:
		return ring_region_register(ring, arg);
	case IORING_REGISTER_QUERY:
		return ring_query(arg, nr);
	case IORING_REGISTER_NAPI:
	case IORING_UNREGISTER_NAPI:
	case IORING_REGISTER_ZCRX_IFQ:
	case IORING_REGISTER_ZCRX_CTRL:
		return -EOPNOTSUPP; /* as a Linux whose network cannot be polled */
	default:
		return -EINVAL; /* as a Linux that was built without it, or is older */
	}
}

int64_t ring_register(struct ring *ring, unsigned op, uptr arg, unsigned nr)
{
	int err;

	if (UNLIKELY(is_foreign(ring)))
		return -EEXIST;
	if (!ring_may_register(ring, op))
		return -EACCES;
	err = check_shape(op, arg, nr);
	return err ? err : do_register(ring, op, arg, nr);
}

/* Errors: EBADF, EOPNOTSUPP (no ring), EEXIST (another thread's), EACCES (restricted), and each one's own. */
SYSCALL4(io_uring_register, int, fd, unsigned, opcode, uptr, arg, unsigned, nr)
{
	unsigned op = opcode & ~IORING_REGISTER_USE_REGISTERED_RING;
	struct ring *ring;
	struct file *f;
	int64_t n;
	int err;

	if (op >= RING_REGISTER_OPS)
		return -EINVAL;
	if (fd == -1 && op == IORING_REGISTER_QUERY) /* these two need no ring */
		return ring_query(arg, nr);
	if (fd == -1 && op == IORING_REGISTER_SEND_MSG_RING)
		return ring_send_message(arg, nr);
	f = ring_file_find(fd, opcode & IORING_REGISTER_USE_REGISTERED_RING, &err);
	if (err)
		return err;
	ring = ring_of_file(f);
	mutex_lock(&ring->lock);
	n = ring_register(ring, op, arg, nr);
	ring_unlock(ring);
	file_put(f);
	return n;
}
