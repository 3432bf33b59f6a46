// SPDX-License-Identifier: MIT
/*
 * Native AIO: io_setup, io_submit, io_getevents, io_pgetevents, io_cancel, io_destroy.
 *
 * Reads, writes and syncs are done when io_submit returns, as on Linux for files in memory and pipes: it is there
 * that a pipe is waited for. They are the bodies of the system calls that they mean. Requests of a ring would
 * give them nothing but a way to end later than Linux's. IOCB_CMD_POLL waits: ops/aio_poll.c.
 *
 * Linux says at once what is wrong with a request, and by its event what became of it.
 *
 * Spec    man 2 io_submit, linux/aio_abi.h
 */
#include <asm/unistd.h>
#include <linux/uio.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/inode.h"
#include "ipc/aio.h"
#include "ipc/eventfd.h"
#include "ops/aio_poll.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "sys/dispatch.h"
#include "sys/ioprio.h"
#include "sys/rw.h"
#include "sys/sigmask.h"
#include "sys/syscall.h"
#include "sys/timeout.h"

/* io_pgetevents: the UAPI headers lack it. */
struct aio_sigset {
	uint64_t mask, size;
};

/* ---- One request ---- */

static bool is_vector(const struct iocb *q)
{
	return q->aio_lio_opcode == IOCB_CMD_PREADV || q->aio_lio_opcode == IOCB_CMD_PWRITEV;
}

static bool is_write(const struct iocb *q)
{
	return q->aio_lio_opcode == IOCB_CMD_PWRITE || q->aio_lio_opcode == IOCB_CMD_PWRITEV;
}

/* What the call would say of its list of buffers before it does anything. */
static int check_buffers(const struct iocb *q)
{
	struct iovec v;

	if (!is_vector(q))
		return 0;
	if (q->aio_nbytes > UIO_MAXIOV)
		return -EINVAL;
	for (uint64_t i = 0; i < q->aio_nbytes; i++) {
		if (user_get(v, UPTR(q->aio_buf + i * sizeof(v))))
			return -EFAULT;
		if ((int64_t)v.iov_len < 0)
			return -EINVAL;
	}
	return 0;
}

static int check_transfer(const struct iocb *q, const struct file *f)
{
	int err = q->aio_flags & IOCB_FLAG_IOPRIO ? ioprio_check(q->aio_reqprio) : 0;

	if (!err)
		err = rw_check_flags(f, (unsigned)q->aio_rw_flags, is_write(q));
	if (err)
		return err;
	if (!(f->mode & (is_write(q) ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	if (S_ISDIR(f->inode->mode) || q->aio_offset < 0)
		return -EINVAL;
	return check_buffers(q);
}

static int64_t transfer(const struct iocb *q, const struct file *f)
{
	int64_t pos = q->aio_offset;

	return rw_call((int)q->aio_fildes, &(struct rw_call){
						   .at = UPTR(q->aio_buf),
						   .nr = q->aio_nbytes,
						   .pos = f->mode & FILE_STREAM ? NULL : &pos,
						   .flags = (unsigned)q->aio_rw_flags,
						   .is_write = is_write(q),
						   .is_one_buffer = !is_vector(q),
					   });
}

static int64_t sync(const struct iocb *q)
{
	const uint64_t a[SYSCALL_ARGS] = {q->aio_fildes};

	return sys_dispatch(
		q->aio_lio_opcode == IOCB_CMD_FSYNC ? __NR_fsync : __NR_fdatasync, a);
}

/* 0 with *result; or what is wrong with it. */
static int make(const struct iocb *q, const struct file *f, int64_t *result)
{
	int err;

	switch (q->aio_lio_opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PREADV:
	case IOCB_CMD_PWRITEV:
		err = check_transfer(q, f);
		if (!err)
			*result = transfer(q, f);
		return err;
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		if (q->aio_buf || q->aio_offset || q->aio_nbytes || q->aio_rw_flags)
			return -EINVAL;
		*result = sync(q);
		return *result == -EINVAL ? -EINVAL : 0; /* no such file can be synced */
	default:
		return -EINVAL;
	}
}

/* Others of the context may have been made: none of them is made again. */
static int64_t without_restart(int64_t n)
{
	return n <= -ERESTARTSYS && n >= -ERESTART_RESTARTBLOCK ? -EINTR : n;
}

/* The eventfd that counts its end; NULL: none is wanted. */
static int get_counter(const struct iocb *q, struct file **out)
{
	int err;

	*out = NULL;
	if (!(q->aio_flags & IOCB_FLAG_RESFD))
		return 0;
	err = fd_get_file(uthread_current()->files, (int)q->aio_resfd, false, out);
	if (!err && !eventfd_is(*out)) {
		file_put(*out);
		err = -EINVAL;
	}
	return err;
}

static int make_and_post(
	struct aio_context *c, const struct iocb *q, struct aio_poll_params *params)
{
	int64_t n;
	int err = make(q, params->file, &n);

	if (err)
		return err;
	params->event.res = without_restart(n);
	aio_post(c, &params->event);
	if (params->counter)
		(void)!eventfd_signal(params->counter, 1);
	return 0;
}

static int poll(struct aio_context *c, const struct iocb *q, struct aio_poll_params *params)
{
	if (q->aio_buf > UINT16_MAX || q->aio_offset || q->aio_nbytes || q->aio_rw_flags)
		return -EINVAL;
	params->events = (uint32_t)q->aio_buf;
	return aio_poll_submit(c, params);
}

static int submit_file(struct aio_context *c, const struct iocb *q, uptr at, struct file *f)
{
	const uint32_t key = 0; /* man 2 io_cancel looks at it */
	struct aio_poll_params params = {
		.event = {.data = q->aio_data, .obj = at.addr}, .file = f};
	int err = get_counter(q, &params.counter);

	if (err)
		return err;
	err = user_put(uptr_add(at, offsetof(struct iocb, aio_key)), key);
	if (!err)
		err = q->aio_lio_opcode == IOCB_CMD_POLL ? poll(c, q, &params)
							 : make_and_post(c, q, &params);
	if (params.counter)
		file_put(params.counter);
	return err;
}

static int submit_one(struct aio_context *c, uptr at)
{
	struct borrowed_file b;
	struct iocb q;
	int err;

	if (user_get(q, at))
		return -EFAULT;
	if (q.aio_reserved2 || (int64_t)q.aio_nbytes < 0)
		return -EINVAL;
	err = aio_reserve(c);
	if (err)
		return err;
	b = fd_borrow((int)q.aio_fildes);
	err = b.file ? submit_file(c, &q, at, b.file) : -EBADF;
	fd_release(b);
	if (err)
		aio_give_back(c);
	return err;
}

/* ---- The calls ---- */

/* Errors: EAGAIN, EFAULT, EINVAL, ENOMEM. */
SYSCALL2(io_setup, unsigned, nr, uptr, out)
{
	uint64_t id;
	int err;

	if (user_get(id, out))
		return -EFAULT;
	if (id || !nr)
		return -EINVAL;
	err = aio_create(nr, &id);
	if (!err && user_put(out, id)) {
		(void)!aio_destroy(id);
		err = -EFAULT;
	}
	return err;
}

SYSCALL1(io_destroy, uint64_t, id)
{
	return aio_destroy(id);
}

/* Errors: EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP, of the first request; later ones only end it. */
SYSCALL3(io_submit, uint64_t, id, long, nr, uptr, list)
{
	struct aio_context *c;
	int64_t done = 0;
	int err;

	if (nr < 0)
		return -EINVAL;
	err = aio_get(id, &c);
	if (err)
		return err;
	nr = MIN(nr, (long)c->nr);
	while (done < nr) {
		uint64_t at;

		err = user_get(at, uptr_add(list, (uintptr_t)done * sizeof(at)));
		if (!err)
			err = submit_one(c, UPTR(at));
		if (err)
			break;
		done++;
	}
	aio_put(c);
	return done ? done : err;
}

/* Until min events were taken. What was taken, if any. */
static int64_t take(
	struct aio_context *c, int64_t min, int64_t nr, uptr to, uint64_t deadline_ns)
{
	int64_t done = 0;
	int err = 0;

	for (;;) {
		uint32_t seen = aio_changes(c); /* before the look */
		int64_t n = aio_take(
			c, uptr_add(to, (uintptr_t)done * sizeof(struct io_event)), nr - done);

		if (n < 0)
			return done ? done : n;
		done += n;
		if (done >= min || err == -ETIMEDOUT)
			return done;
		if (err)
			return done ? done : -EINTR;
		err = WAIT_EVENT(&c->waitq, WAIT_SIGNAL, deadline_ns, aio_changes(c) != seen);
	}
}

/* Linux takes any numbers for a time; what is over is over at once. */
static int read_deadline(uptr timeout, uint64_t *deadline_ns)
{
	struct __kernel_timespec ts;
	uint64_t ns;

	*deadline_ns = WAIT_FOREVER;
	if (uptr_is_null(timeout))
		return 0;
	if (user_get(ts, timeout))
		return -EFAULT;
	if (timeout_from_parts(ts.tv_sec, ts.tv_nsec, &ns))
		ns = 0;
	*deadline_ns = ns == WAIT_FOREVER ? ns : clock_deadline_ns(ns);
	return 0;
}

static int64_t get_events(uint64_t id, long min, long nr, uptr events, uint64_t deadline_ns)
{
	struct aio_context *c;
	int64_t n = aio_get(id, &c);

	if (n)
		return n;
	n = min <= nr && min >= 0 ? take(c, min, nr, events, deadline_ns) : -EINVAL;
	aio_put(c);
	return n;
}

/* Errors: EFAULT, EINTR, EINVAL. */
SYSCALL5(io_getevents, uint64_t, id, long, min, long, nr, uptr, events, uptr, timeout)
{
	uint64_t deadline_ns;
	int err = read_deadline(timeout, &deadline_ns);

	return err ? err : get_events(id, min, nr, events, deadline_ns);
}

SYSCALL6(io_pgetevents, uint64_t, id, long, min, long, nr, uptr, events, uptr, timeout, uptr,
	sig)
{
	struct aio_sigset set = {0};
	uint64_t deadline_ns;
	int err = read_deadline(timeout, &deadline_ns);

	if (!err && !uptr_is_null(sig))
		err = user_get(set, sig);
	if (!err)
		err = sigmask_use(UPTR(set.mask), set.size);
	return err ? err : get_events(id, min, nr, events, deadline_ns);
}

/* Errors: EINPROGRESS: it is cancelled, and its event tells; EFAULT, EINVAL. */
SYSCALL3(io_cancel, uint64_t, id, uptr, request, uptr, event UNUSED)
{
	struct aio_context *c;
	uint32_t key;
	int err;

	if (user_get(key, uptr_add(request, offsetof(struct iocb, aio_key))))
		return -EFAULT;
	err = key ? -EINVAL : aio_get(id, &c);
	if (err)
		return err;
	err = aio_cancel(c, request.addr);
	aio_put(c);
	return err;
}
