// SPDX-License-Identifier: MIT
/*
 * System call kcmp: whether two processes share something of the kernel's.
 *
 * The order that it tells is that of scrambled addresses: the same as long as the kernel runs, and
 * it says nothing about where things lie.
 *
 * Spec    man 2 kcmp
 */
#include <linux/kcmp.h>

#include "fs/vfs/fdtable.h"
#include "lib/atomic.h"
#include "proc/access.h"
#include "proc/proc.h"
#include "security/random.h"
#include "sys/syscall.h"

enum { IS_EQUAL, IS_LESS, IS_GREATER };

static uint64_t
	key; /* [a] odd once it is set: multiplying by it keeps different what is different */

static uint64_t scramble(const void *p)
{
	uint64_t k = atomic_load_relaxed(&key), fresh; /* nothing else comes with it */

	if (!k) {
		fresh = random_u64() | 1;
		if (atomic_cmpxchg_relaxed(&key, &k, fresh))
			k = fresh;
	}
	return (uintptr_t)p * k;
}

static int64_t compare(const void *a, const void *b)
{
	uint64_t x = scramble(a), y = scramble(b);

	return x == y ? IS_EQUAL : x < y ? IS_LESS : IS_GREATER;
}

/* The file of a thread's descriptor, to be compared only. -EBADF. */
static int file_of(struct thread *t, unsigned long fd, const struct file **out)
{
	struct fdtable *files = proc_get_files(t->user->proc);
	struct file *f;
	int err = -EBADF;

	if (!files)
		return err;
	if (fd <= INT32_MAX)
		err = fd_get_file(files, (int)fd, true, &f);
	fdtable_put(files);
	if (err)
		return err;
	*out = f;
	file_put(f);
	return 0;
}

static int64_t compare_files(
	struct thread *a, unsigned long fd_a, struct thread *b, unsigned long fd_b)
{
	const struct file *file_a, *file_b;
	int err = file_of(a, fd_a, &file_a);

	if (!err)
		err = file_of(b, fd_b, &file_b);
	return err ? err : compare(file_a, file_b);
}

static int64_t compare_threads(
	struct thread *a, struct thread *b, int type, unsigned long fd_a, unsigned long fd_b)
{
	const struct uthread *ua = a->user, *ub = b->user;

	if (proc_check_access(ua->proc) || proc_check_access(ub->proc))
		return -EPERM;
	switch (type) {
	case KCMP_FILE:
		return compare_files(a, fd_a, b, fd_b);
	case KCMP_VM:
		return compare(READ_ONCE(ua->proc->vm), READ_ONCE(ub->proc->vm));
	case KCMP_FILES:
		return compare(READ_ONCE(ua->files), READ_ONCE(ub->files));
	case KCMP_FS:
		return compare(READ_ONCE(ua->fs), READ_ONCE(ub->fs));
	case KCMP_SIGHAND:
		return compare(READ_ONCE(ua->proc->signals.actions),
			READ_ONCE(ub->proc->signals.actions));
	case KCMP_IO:
	case KCMP_SYSVSEM:
		return IS_EQUAL; /* nobody has any */
	case KCMP_EPOLL_TFD:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

/* Errors: EBADF, EINVAL, EPERM, ESRCH. */
SYSCALL5(kcmp, int, pid_a, int, pid_b, int, type, unsigned long, fd_a, unsigned long, fd_b)
{
	struct thread *a, *b;
	int64_t result = uthread_find(pid_a, &a);

	if (result)
		return result;
	result = uthread_find(pid_b, &b);
	if (!result) {
		result = compare_threads(a, b, type, fd_a, fd_b);
		thread_put(b);
	}
	thread_put(a);
	return result;
}
