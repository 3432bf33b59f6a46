// SPDX-License-Identifier: MIT
/*
 * signalfd: a read takes signals of a set that are pending for the thread that reads, or its
 * process, whoever made the file. Poll looks the same way, and waits on the queue of the process that
 * polls (signal_waitq).
 *
 * Spec    man 2 signalfd, linux/signalfd.h
 */
#include "ipc/signalfd.h"

#include <asm/poll.h>
#include <linux/fcntl.h>
#include <linux/signalfd.h>

#include "fs/proc/entry.h"
#include "fs/vfs/file.h"
#include "lib/atomic.h"
#include "lib/fmt.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/siginfo.h"
#include "proc/signal.h"

struct signalfd {
	uint64_t set; /* [a] */
};

static_assert(sizeof(struct signalfd_siginfo) == 128, "linux/signalfd.h");

static void convert_sender(const siginfo_t *info, struct signalfd_siginfo *out)
{
	out->ssi_pid = (uint32_t)info->si_pid;
	out->ssi_uid = info->si_uid;
}

static void convert_value(const siginfo_t *info, struct signalfd_siginfo *out)
{
	out->ssi_ptr = (uintptr_t)info->si_ptr;
	out->ssi_int = info->si_int;
}

static void convert_fault(const siginfo_t *info, struct signalfd_siginfo *out)
{
	out->ssi_addr = (uintptr_t)info->si_addr;
	if (info->si_signo == SIGBUS &&
		(info->si_code == BUS_MCEERR_AR || info->si_code == BUS_MCEERR_AO))
		out->ssi_addr_lsb = (uint16_t)info->si_addr_lsb;
}

/* Each kind of siginfo has its fields: those of the others stay zero. */
static void convert(const siginfo_t *info, struct signalfd_siginfo *out)
{
	*out = (struct signalfd_siginfo){
		.ssi_signo = (uint32_t)info->si_signo,
		.ssi_errno = info->si_errno,
		.ssi_code = info->si_code,
	};
	switch (siginfo_layout(info->si_signo, info->si_code)) {
	case SIGINFO_RT:
		convert_value(info, out);
		FALLTHROUGH;
	case SIGINFO_KILL:
		convert_sender(info, out);
		break;
	case SIGINFO_TIMER:
		out->ssi_tid = (uint32_t)info->si_tid;
		out->ssi_overrun = (uint32_t)info->si_overrun;
		convert_value(info, out);
		break;
	case SIGINFO_POLL:
		out->ssi_band = (uint32_t)info->si_band;
		out->ssi_fd = info->si_fd;
		break;
	case SIGINFO_FAULT:
		convert_fault(info, out);
		break;
	case SIGINFO_CHILD:
		convert_sender(info, out);
		out->ssi_status = info->si_status;
		out->ssi_utime = (uint64_t)info->si_utime;
		out->ssi_stime = (uint64_t)info->si_stime;
		break;
	case SIGINFO_CALL:
		out->ssi_call_addr = (uintptr_t)info->si_call_addr;
		out->ssi_syscall = info->si_syscall;
		out->ssi_arch = info->si_arch;
		break;
	}
}

static int64_t signalfd_read(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct signalfd *s = f->private_data;
	int64_t done = 0;
	siginfo_t info;

	if (to->left < sizeof(struct signalfd_siginfo))
		return -EINVAL;
	while (to->left >= sizeof(struct signalfd_siginfo)) {
		struct signalfd_siginfo out;

		if (signal_take(atomic_load_relaxed(&s->set), &info))
			break;
		convert(&info, &out);
		if (iter_write(to, &out, sizeof(out)) < sizeof(out))
			return done ? done : -EFAULT;
		done += (int64_t)sizeof(out);
	}
	return done ? done : -EAGAIN;
}

static uint32_t signalfd_poll(struct file *f)
{
	struct signalfd *s = f->private_data;

	/* Linux: events.none_says_normal_data */
	return signal_pending_set() & atomic_load_relaxed(&s->set) ? POLLIN : 0;
}

static struct waitq *signalfd_waitq(struct file *f UNUSED, uint32_t events UNUSED)
{
	return signal_waitq(proc_current());
}

static void signalfd_fdinfo(struct file *f, struct text *out)
{
	struct signalfd *s = f->private_data;

	text_add(out, "sigmask:\t%016llx\n", (unsigned long long)atomic_load_relaxed(&s->set));
}

static void signalfd_release(struct file *f)
{
	mem_free(f->private_data);
}

static const struct file_ops signalfd_ops = {
	.name = "[signalfd]",
	.read = signalfd_read,
	.seek = file_seek_nowhere,
	.poll = signalfd_poll,
	.waitq = signalfd_waitq,
	.fdinfo = signalfd_fdinfo,
	.release = signalfd_release,
};

static uint64_t readable_set(uint64_t set)
{
	return set & ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP));
}

int signalfd_create(struct file **out, uint64_t set, unsigned flags)
{
	struct signalfd *s = mem_alloc(sizeof(*s), 0);
	int err;

	if (!s)
		return -ENOMEM;
	s->set = readable_set(set);
	err = file_open_anonymous(out, &signalfd_ops, signalfd_ops.name, s,
		O_RDWR | (flags & O_NONBLOCK), FILE_READ | FILE_WRITE | FILE_STREAM);
	if (err)
		mem_free(s);
	return err;
}

int signalfd_set(struct file *f, uint64_t set)
{
	struct signalfd *s = f->private_data;

	if (f->ops != &signalfd_ops)
		return -EINVAL;
	atomic_store(&s->set, readable_set(set));
	waitq_wake_all(signal_waitq(proc_current()), 0);
	return 0;
}
