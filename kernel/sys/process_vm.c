// SPDX-License-Identifier: MIT
/*
 * Another process's memory, a vector at a time.
 *
 * Bytes go through one kernel page: the two address spaces are never locked at once, and a fault
 * in one cannot wait for the other.
 *
 * Spec    man 2 process_vm_readv
 */
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/access.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "uaccess/iter.h"

#include <linux/uio.h>

static int find_memory(int pid, struct vmspace **out)
{
	struct thread *t;
	int err = uthread_find(pid, &t);

	if (err)
		return err;
	err = proc_check_access(t->user->proc);
	if (!err) {
		*out = proc_get_vm(t->user->proc);
		err = *out ? 0 : -ESRCH; /* it is ending */
	}
	thread_put(t);
	return err;
}

struct transfer {
	struct vmspace *vm;
	struct iter local;
	bool is_write; /* into vm */
	char *page;
};

/* One remote range; bytes moved, short at the first bad address on either side. */
static size_t move_range(struct transfer *t, vaddr_t addr, size_t len)
{
	size_t done = 0;

	while (done < len && t->local.left) {
		size_t want = len - done < PAGE_SIZE ? len - done : PAGE_SIZE, got;

		want = MIN(want, t->local.left);
		if (t->is_write) {
			got = iter_read(&t->local, t->page, want);
			got = vmspace_access(t->vm, addr + done, t->page, got, true, false);
		} else {
			got = vmspace_access(t->vm, addr + done, t->page, want, false, false);
			got = iter_write(&t->local, t->page, got);
		}
		done += got;
		if (got < want)
			break;
	}
	return done;
}

static int64_t move_all(struct transfer *t, const struct iovec *remote, size_t nr)
{
	size_t done = 0;

	for (size_t i = 0; i < nr && t->local.left; i++) {
		size_t len = MIN((size_t)remote[i].iov_len, t->local.left);
		size_t got = move_range(t, (vaddr_t)remote[i].iov_base, remote[i].iov_len);

		done += got;
		if (got < len)
			return done ? (int64_t)done : -EFAULT;
	}
	return (int64_t)done;
}

static int read_remote(uptr from, size_t nr, struct iovec **out)
{
	struct iovec *v;
	int err;

	if (nr > ITER_MAX_SEGMENTS)
		return -EINVAL;
	v = mem_alloc(nr * sizeof(*v), 0);
	if (!v)
		return -ENOMEM;
	err = user_read(v, from, nr * sizeof(*v));
	for (size_t i = 0; i < nr && !err; i++)
		if ((int64_t)v[i].iov_len < 0)
			err = -EINVAL;
	if (err)
		mem_free(v);
	else
		*out = v;
	return err;
}

static int64_t transfer(struct transfer *t, int pid, const struct iovec *remote, size_t nr)
{
	int64_t result;
	int err = find_memory(pid, &t->vm);

	if (err)
		return err;
	t->page = mem_alloc(PAGE_SIZE, 0);
	result = t->page ? move_all(t, remote, nr) : -ENOMEM;
	mem_free(t->page);
	vmspace_put(t->vm);
	return result;
}

static int64_t process_vm(
	int pid, uptr lvec, size_t nr_local, uptr rvec, size_t nr_remote, bool is_write)
{
	struct transfer t = {.is_write = is_write};
	struct iovec *remote;
	int64_t result = 0;
	int err;

	err = iter_init_iovec(&t.local, lvec, nr_local);
	if (err)
		return err;
	if (t.local.left && nr_remote) {
		err = read_remote(rvec, nr_remote, &remote);
		result = err ? err : transfer(&t, pid, remote, nr_remote);
		if (!err)
			mem_free(remote);
	}
	iter_fini(&t.local);
	return result;
}

SYSCALL6(process_vm_readv, int, pid, uptr, lvec, size_t, nr_local, uptr, rvec, size_t,
	nr_remote, unsigned long, flags)
{
	return flags ? -EINVAL : process_vm(pid, lvec, nr_local, rvec, nr_remote, false);
}

SYSCALL6(process_vm_writev, int, pid, uptr, lvec, size_t, nr_local, uptr, rvec, size_t,
	nr_remote, unsigned long, flags)
{
	return flags ? -EINVAL : process_vm(pid, lvec, nr_local, rvec, nr_remote, true);
}
