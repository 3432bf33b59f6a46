// SPDX-License-Identifier: MIT
/*
 * pidfd: a file that holds a struct pid. It becomes readable when the process has ended, and stays so.
 *
 * Spec    man 2 pidfd_open; man 5 proc: /proc/PID/fdinfo
 */
#include "proc/pidfd.h"

#include <linux/fcntl.h>
#include <linux/poll.h>

#include "fs/proc/entry.h"
#include "fs/vfs/file.h"
#include "lib/fmt.h"
#include "proc/proc_priv.h"

static uint32_t pidfd_poll(struct file *f)
{
	struct pid *pid = f->private_data;
	const struct proc *p;
	uint32_t events = 0;

	irqlock_lock(&proc_tree_lock);
	p = proc_of_pid_locked(pid);
	if (!p || (p->flags & PROC_ZOMBIE))
		events = POLLIN | POLLRDNORM;
	irqlock_unlock(&proc_tree_lock);
	return events;
}

static struct waitq *pidfd_waitq(struct file *f, uint32_t events UNUSED)
{
	return &((struct pid *)f->private_data)->exited;
}

static void pidfd_release(struct file *f)
{
	pid_put(f->private_data);
}

static void pidfd_fdinfo(struct file *f, struct text *out)
{
	struct pid *pid = f->private_data;
	int nr;

	irqlock_lock(&proc_tree_lock);
	nr = proc_of_pid_locked(pid) ? pid->nr : -1;
	irqlock_unlock(&proc_tree_lock);
	text_add(out, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
	.waitq = pidfd_waitq,
	.release = pidfd_release,
	.fdinfo = pidfd_fdinfo,
	.name = "[pidfd]",
};

int pidfd_open_file(struct pid *pid, unsigned flags, struct file **out)
{
	int err;

	pid_get(pid);
	err = file_open_anonymous(out, &pidfd_ops, pidfd_ops.name, pid, O_RDWR | flags,
		FILE_READ | FILE_WRITE | FILE_STREAM);
	if (err)
		pid_put(pid);
	return err;
}

int pidfd_get_pid(const struct file *f, struct pid **out)
{
	if (f->ops != &pidfd_ops)
		return -EBADF;
	*out = f->private_data;
	return 0;
}
