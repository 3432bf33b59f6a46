// SPDX-License-Identifier: MIT
/*
 * Rings as registered files of a thread (IORING_REGISTER_RING_FDS): a small number in place of a descriptor
 * for the calls that enter a ring, without the lookup.
 *
 * Locks   task->fds is its thread's own [t]
 * Spec    man 2 io_uring_register, man 3 io_uring_register_ring_fd
 */
#include "fs/vfs/fdtable.h"
#include "proc/proc.h"
#include "ring/tables.h"

int64_t ring_fds_add(struct ring_task *task, struct file *f)
{
	for (unsigned i = 0; i < RING_FDS; i++) {
		if (!task->fds[i]) {
			task->fds[i] = f;
			return i;
		}
	}
	return -EBUSY;
}

static int put_ring_file(struct ring_task *task, struct io_uring_rsrc_update *up)
{
	unsigned from = up->offset == UINT32_MAX ? 0 : up->offset;
	unsigned to = up->offset == UINT32_MAX ? RING_FDS : from + 1;
	struct file *f;
	int err;

	if (up->resv || from >= RING_FDS)
		return -EINVAL;
	err = fd_get_file(uthread_current()->files, (int)up->data, false, &f);
	if (err)
		return err;
	if (!ring_of_file(f)) {
		file_put(f);
		return -EOPNOTSUPP;
	}
	for (unsigned i = from; i < to; i++) {
		if (!task->fds[i]) {
			task->fds[i] = f;
			up->offset = i;
			return 0;
		}
	}
	file_put(f);
	return -EBUSY;
}

static void drop_ring_file(struct ring_task *task, unsigned index)
{
	struct file *f = task->fds[index];

	task->fds[index] = NULL;
	if (f)
		file_put(f);
}

static int add_ring_fd(struct ring_task *task, uptr at)
{
	struct io_uring_rsrc_update up;
	int err = user_get(up, at);

	if (!err)
		err = put_ring_file(task, &up);
	if (err)
		return err;
	err = user_put(at, up);
	if (err)
		drop_ring_file(task, up.offset);
	return err;
}

static int remove_ring_fd(struct ring_task *task, uptr at)
{
	struct io_uring_rsrc_update up;

	if (user_get(up, at))
		return -EFAULT;
	if (up.resv || up.data || up.offset >= RING_FDS)
		return -EINVAL;
	drop_ring_file(task, up.offset);
	return 0;
}

static int64_t change_ring_fds(uptr arg, unsigned nr, int (*change)(struct ring_task *, uptr))
{
	struct ring_task *task;
	int err;

	if (!nr || nr > RING_FDS)
		return -EINVAL;
	err = ring_task_get(&task);
	for (unsigned i = 0; !err && i < nr; i++) {
		err = change(task, uptr_add(arg, i * sizeof(struct io_uring_rsrc_update)));
		if (err)
			return i ? (int64_t)i : err;
	}
	return err ? err : (int64_t)nr;
}

int64_t ring_fds_register(uptr arg, unsigned nr)
{
	return change_ring_fds(arg, nr, add_ring_fd);
}

int64_t ring_fds_unregister(uptr arg, unsigned nr)
{
	return change_ring_fds(arg, nr, remove_ring_fd);
}

struct file *ring_file_find(int fd, bool is_registered, int *err)
{
	const struct ring_task *task = uthread_current()->ring_task;
	struct file *f = NULL;

	*err = -EINVAL;
	if (!is_registered) {
		*err = fd_get_file(uthread_current()->files, fd, false, &f);
	} else if (task && (unsigned)fd < RING_FDS) {
		f = task->fds[fd];
		*err = f ? 0 : -EBADF;
		if (f)
			file_get(f);
	}
	if (!*err && !ring_of_file(f)) {
		file_put(f);
		*err = -EOPNOTSUPP;
	}
	return *err ? NULL : f;
}
