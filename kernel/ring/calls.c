// SPDX-License-Identifier: MIT
/*
 * Requests that are system calls: those that name files by paths, change them, or make descriptors.
 *
 * The entry's fields become the call's number and arguments, which is all there is to prepare; what
 * the call checks and does is its body in sys/, run on a fiber, because it may block. A file that is
 * registered is given to the fiber under a number of its own (FD_GIVEN). Only an open and a
 * plain statx of what is in memory have no need of one.
 *
 * Locks   ring->lock [l]; the fiber has none while the call runs
 * Spec    man 2 io_uring_enter, and that of each call
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "ring/opcodes.h"
#include "ring/tables.h"
#include "sys/dispatch.h"
#include "sys/open.h"
#include "sys/splice.h"

/* Which fields of an entry an operation has no meaning for: they must be 0. */
enum unused {
	NO_OFF = 1,
	NO_ADDR = 2,
	NO_LEN = 4,
	NO_FLAGS = 8,
	NO_INDEX = 16,
	NO_SPLICE = 32,
	NO_FIXED = 64
};

static int check_unused(const struct io_uring_sqe *sqe, unsigned unused)
{
	if ((unused & NO_OFF && sqe->off) || (unused & NO_ADDR && sqe->addr) ||
		(unused & NO_LEN && sqe->len) || (unused & NO_FLAGS && sqe->rw_flags) ||
		(unused & NO_INDEX && sqe->buf_index) ||
		(unused & NO_SPLICE && sqe->splice_fd_in))
		return -EINVAL;
	return unused & NO_FIXED && sqe->flags & IOSQE_FIXED_FILE ? -EBADF : 0;
}

void call_begin(struct req *r, uint64_t nr)
{
	r->call.nr = nr;
	r->call.slot = 0;
	r->call.kept = NULL;
	r->call.input = NULL;
}

static void set_call(
	struct req *r, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
	call_begin(r, (uint64_t)nr);
	r->call.a[0] = a0;
	r->call.a[1] = a1;
	r->call.a[2] = a2;
	r->call.a[3] = a3;
	r->call.a[4] = a4;
	r->call.a[5] = 0;
}

#define PREPARE(name, unused, nr, a0, a1, a2, a3, a4)                                          \
	int name##_prepare(struct req *r, const struct io_uring_sqe *sqe)                      \
	{                                                                                      \
		set_call(r, nr, (uint64_t)(a0), (uint64_t)(a1), (uint64_t)(a2),                \
			(uint64_t)(a3), (uint64_t)(a4));                                       \
		return check_unused(sqe, unused);                                              \
	}

/* ---- Open files ---- */

PREPARE(sync_file_range, NO_ADDR | NO_INDEX | NO_SPLICE, __NR_sync_file_range, sqe->fd,
	sqe->off, sqe->len, sqe->sync_range_flags, 0)
PREPARE(fallocate, NO_FLAGS | NO_INDEX | NO_SPLICE, __NR_fallocate, sqe->fd, sqe->len, sqe->off,
	sqe->addr, 0)
PREPARE(fadvise, NO_INDEX | NO_SPLICE, __NR_fadvise64, sqe->fd, sqe->off,
	sqe->addr ? sqe->addr : sqe->len, sqe->fadvise_advice, 0)
PREPARE(shutdown, NO_OFF | NO_ADDR | NO_FLAGS | NO_INDEX | NO_SPLICE, __NR_shutdown, sqe->fd,
	sqe->len, 0, 0, 0)
PREPARE(ftruncate, NO_FLAGS | NO_ADDR | NO_LEN | NO_INDEX | NO_SPLICE, __NR_ftruncate, sqe->fd,
	sqe->off, 0, 0, 0)
PREPARE(bind, NO_LEN | NO_FLAGS | NO_INDEX | NO_SPLICE, __NR_bind, sqe->fd, sqe->addr,
	sqe->addr2, 0, 0)
PREPARE(listen, NO_ADDR | NO_OFF | NO_FLAGS | NO_INDEX | NO_SPLICE, __NR_listen, sqe->fd,
	sqe->len, 0, 0, 0)
PREPARE(fsetxattr, 0, __NR_fsetxattr, sqe->fd, sqe->addr, sqe->addr2, sqe->len,
	sqe->xattr_flags)
PREPARE(fgetxattr, NO_FLAGS, __NR_fgetxattr, sqe->fd, sqe->addr, sqe->addr2, sqe->len, 0)

int fsync_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	set_call(r, sqe->fsync_flags & IORING_FSYNC_DATASYNC ? __NR_fdatasync : __NR_fsync,
		(uint64_t)sqe->fd, 0, 0, 0, 0);
	if (sqe->fsync_flags & ~IORING_FSYNC_DATASYNC)
		return -EINVAL;
	return check_unused(sqe, NO_ADDR | NO_INDEX | NO_SPLICE);
}

/* ---- Paths ---- */

PREPARE(statx, NO_INDEX | NO_SPLICE | NO_FIXED, __NR_statx, sqe->fd, sqe->addr,
	sqe->statx_flags, sqe->len, sqe->addr2)
PREPARE(renameat, NO_INDEX | NO_SPLICE | NO_FIXED, __NR_renameat2, sqe->fd, sqe->addr,
	(int32_t)sqe->len, sqe->addr2, sqe->rename_flags)
PREPARE(unlinkat, NO_OFF | NO_LEN | NO_INDEX | NO_SPLICE | NO_FIXED, __NR_unlinkat, sqe->fd,
	sqe->addr, sqe->unlink_flags, 0, 0)
PREPARE(mkdirat, NO_OFF | NO_FLAGS | NO_INDEX | NO_SPLICE | NO_FIXED, __NR_mkdirat, sqe->fd,
	sqe->addr, sqe->len, 0, 0)
PREPARE(symlinkat, NO_LEN | NO_FLAGS | NO_INDEX | NO_SPLICE | NO_FIXED, __NR_symlinkat,
	sqe->addr, sqe->fd, sqe->addr2, 0, 0)
PREPARE(linkat, NO_INDEX | NO_SPLICE | NO_FIXED, __NR_linkat, sqe->fd, sqe->addr,
	(int32_t)sqe->len, sqe->addr2, sqe->hardlink_flags)
PREPARE(setxattr, NO_FIXED, __NR_setxattr, sqe->addr3, sqe->addr, sqe->addr2, sqe->len,
	sqe->xattr_flags)
PREPARE(getxattr, NO_FLAGS | NO_FIXED, __NR_getxattr, sqe->addr3, sqe->addr, sqe->addr2,
	sqe->len, 0)

/* ---- What makes descriptors ---- */

/* man 2 io_uring_enter: file_index; a direct descriptor has no close-on-exec. */
static int use_slot(struct req *r, const struct io_uring_sqe *sqe, bool is_cloexec)
{
	r->call.slot = (int32_t)sqe->file_index;
	return r->call.slot && is_cloexec ? -EINVAL : 0;
}

int openat_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	uint32_t flags = sqe->open_flags;
	int err = check_unused(sqe, NO_INDEX | NO_FIXED);

	set_call(r, __NR_openat, (uint64_t)sqe->fd, sqe->addr, flags, sqe->len, 0);
	return err ? err : use_slot(r, sqe, flags & O_CLOEXEC);
}

int openat2_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	struct open_how how;
	int err = check_unused(sqe, NO_INDEX | NO_FIXED);

	set_call(r, __NR_openat2, (uint64_t)sqe->fd, sqe->addr, sqe->addr2, sqe->len, 0);
	if (!err && sqe->len < sizeof(how))
		err = -EINVAL;
	if (!err && sqe->file_index)
		err = user_get(how, UPTR(sqe->addr2));
	if (err)
		return err;
	return use_slot(r, sqe, sqe->file_index && how.flags & O_CLOEXEC);
}

int socket_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err = check_unused(sqe, NO_ADDR | NO_FLAGS | NO_INDEX);

	set_call(r, __NR_socket, (uint64_t)sqe->fd, sqe->off, sqe->len, 0, 0);
	return err ? err : use_slot(r, sqe, sqe->off & SOCK_CLOEXEC);
}

int pipe_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err = check_unused(sqe, NO_OFF | NO_LEN | NO_INDEX | NO_FIXED);

	if (sqe->fd)
		return -EINVAL;
	set_call(r, __NR_pipe2, sqe->addr, (uint32_t)sqe->rw_flags, 0, 0, 0);
	return err ? err : use_slot(r, sqe, (uint32_t)sqe->rw_flags & O_CLOEXEC);
}

int close_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err = check_unused(sqe, NO_OFF | NO_ADDR | NO_LEN | NO_FLAGS | NO_INDEX | NO_FIXED);

	set_call(r, __NR_close, (uint64_t)sqe->fd, 0, 0, 0, 0);
	r->call.slot = (int32_t)sqe->file_index;
	if (!err && sqe->file_index && sqe->fd)
		err = -EINVAL;
	return err;
}

/* ---- Others ---- */

PREPARE(madvise, NO_INDEX | NO_SPLICE, __NR_madvise, sqe->addr, sqe->off ? sqe->off : sqe->len,
	sqe->fadvise_advice, 0, 0)
PREPARE(epoll_ctl, NO_INDEX | NO_SPLICE, __NR_epoll_ctl, sqe->fd, sqe->len, sqe->off, sqe->addr,
	0)

int ring_splice_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	set_call(r, __NR_splice, (uint64_t)sqe->splice_fd_in, sqe->splice_off_in,
		(uint64_t)sqe->fd, sqe->off, sqe->len);
	r->call.a[CALL_SPLICE_FLAGS] = sqe->splice_flags;
	return 0;
}

int tee_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	set_call(r, __NR_tee, (uint64_t)sqe->splice_fd_in, (uint64_t)sqe->fd, sqe->len,
		sqe->splice_flags, 0);
	return sqe->splice_off_in || sqe->off ? -EINVAL : 0;
}

/* ---- Doing ---- */

unsigned call_file_at(const struct req *r)
{
	if (r->opcode == IORING_OP_SPLICE)
		return 2;
	return r->opcode == IORING_OP_TEE ? 1 : 0;
}

/* The flags of a call that reads from a second file; NULL: it is none. */
static uint64_t *splice_flags(struct req *r)
{
	if (r->opcode == IORING_OP_SPLICE)
		return &r->call.a[CALL_SPLICE_FLAGS];
	return r->opcode == IORING_OP_TEE ? &r->call.a[CALL_TEE_FLAGS] : NULL;
}

/* The registered file that is not the request's own: splice and tee read from it. */
static int give_input(struct req *r)
{
	uint64_t *flags = splice_flags(r);
	struct ring_node *node;

	if (!flags || !(*flags & SPLICE_F_FD_IN_FIXED))
		return 0;
	*flags &= ~(uint64_t)SPLICE_F_FD_IN_FIXED;
	node = ring_table_get(&r->ring->files, (uint32_t)r->call.a[0]);
	if (!node)
		return -EBADF;
	r->call.input = node;
	r->call.a[0] = FD_GIVEN + 1;
	return 0;
}

static int64_t run_splice(struct req_call *c)
{
	int64_t in_pos = (int64_t)c->a[1], out_pos = (int64_t)c->a[3];

	return splice_fds((int)c->a[0], in_pos == -1 ? NULL : &in_pos, (int)c->a[2],
		out_pos == -1 ? NULL : &out_pos, (size_t)c->a[4], (unsigned)c->a[5]);
}

/* What the call opens is not for the table of descriptors. */
static bool opens_directly(const struct req *r)
{
	return r->call.slot && r->opcode != IORING_OP_CLOSE;
}

/* The call's body; who may not wait asks for an openat only (opens_here). */
static int64_t dispatch(const struct req *r, struct uthread *u, bool may_wait)
{
	const uint64_t *a = r->call.a;
	int64_t n;

	u->given_input = r->call.kept;
	if (may_wait)
		n = sys_dispatch(r->call.nr, a);
	else
		n = openat_now((int)a[0], UPTR(a[1]), (unsigned)a[2]);
	u->given_input = NULL;
	return n;
}

static int64_t make_call(struct req *r, bool may_wait)
{
	struct uthread *u = uthread_current();
	int64_t n;

	if (READ_ONCE(r->flags) & REQ_CANCELLED) /* while it was in line for a fiber */
		return -EINTR;
	u->given[0] = r->file;
	u->given[1] = r->call.input ? r->call.input->file : NULL;
	u->takes_files = opens_directly(r);
	if (r->opcode == TORUS_OP_SPAWN)
		n = spawn_run(r);
	else if (r->opcode == IORING_OP_SPLICE)
		n = run_splice(&r->call);
	else
		n = dispatch(r, u, may_wait);
	for (unsigned i = 0; i < FDS_TAKEN && u->takes_files; i++) {
		r->call.opened[i] = n >= 0 ? u->taken[i] : NULL;
		u->taken[i] = NULL;
	}
	u->nr_reserved = 0;
	u->takes_files = false;
	u->given[0] = u->given[1] = NULL;
	return n;
}

/* pipe2 with two direct descriptors, whose slots the program is told instead of numbers. */
static int64_t install_two(struct req *r, int64_t n)
{
	struct req_call *c = &r->call;
	uint32_t slot = (uint32_t)c->slot;
	int32_t slots[2];
	int64_t got[2];

	got[0] = ring_files_install(r->ring, c->opened[0], slot);
	if (got[0] < 0) {
		file_put(c->opened[1]);
		return got[0];
	}
	got[1] = ring_files_install(
		r->ring, c->opened[1], slot == IORING_FILE_INDEX_ALLOC ? slot : slot + 1);
	slots[0] = slot == IORING_FILE_INDEX_ALLOC ? (int32_t)got[0] : (int32_t)slot - 1;
	slots[1] = slot == IORING_FILE_INDEX_ALLOC ? (int32_t)got[1] : (int32_t)slot;
	if (got[1] >= 0 && user_put(UPTR(c->a[0]), slots))
		got[1] = -EFAULT;
	if (got[1] >= 0)
		return n;
	(void)!ring_files_remove(r->ring, (uint32_t)slots[0]);
	return got[1];
}

/* man 2 io_uring_enter, IOSQE_IO_LINK: what moves less than it was asked for breaks its chain. */
static bool is_short(const struct req *r, int64_t n)
{
	if (n < 0)
		return false;
	if (r->opcode == IORING_OP_SPLICE)
		return (uint64_t)n != r->call.a[4];
	return r->opcode == IORING_OP_TEE && (uint64_t)n != r->call.a[2];
}

/* The result of a call that is over; in a thread of the process, under the lock. */
static int64_t finish(struct req *r, int64_t n)
{
	r->big[0] = (uint64_t)n; /* whole, if the completion has room */
	if (is_short(r, n))
		r->flags |= REQ_FAILED;
	if (n < 0 || !opens_directly(r))
		return n;
	if (r->opcode == IORING_OP_PIPE)
		return install_two(r, n);
	return ring_files_install(r->ring, r->call.opened[0], (uint32_t)r->call.slot);
}

/* ---- Running ---- */

static void run(struct fiber_job *job)
{
	struct req *r = container_of(job, struct req, call.job);
	struct ring *ring = r->ring;
	int64_t n = make_call(r, true);

	if (arch_current()->lender) { /* which has the lock, and waits */
		r->call.result = n;
		r->call.is_done = true;
		return;
	}
	fiber_drop_cred(job); /* what follows it in its chain begins here */
	ring_get(ring);
	mutex_lock(&ring->lock);
	req_complete(r, finish(r, n));
	ring_unlock(ring);
	ring_put(ring);
}

/*
 * What is in memory is opened by the thread that asks for it, without a fiber. Whether it has been; *n is the
 * result.
 */
static bool opens_here(struct req *r, int64_t *n)
{
	if (r->opcode != IORING_OP_OPENAT || r->sqe_flags & IOSQE_ASYNC || r->cred ||
		uthread_current() != r->task->user || fiber_is_current())
		return false;
	*n = make_call(r, false);
	return *n != -EAGAIN;
}

/* man 2 io_uring_enter, IORING_OP_CLOSE: a ring is closed by its system call alone. */
static bool is_ring(const struct req *r, int fd)
{
	struct fdtable *files = req_get_files(r);
	struct file *f;
	bool is_one;
	int err = fd_get_file(files, fd, false, &f);

	req_put_files(r, files);
	if (err)
		return false;
	is_one = ring_of_file(f) != NULL;
	file_put(f);
	return is_one;
}

/* All fibers have work: it stands in line for one, and the program may use its memory again (kept.c). */
static int wait_in_line(struct req *r)
{
	int err = call_keep_input(r);

	return err ? err : fiber_start(&r->call.job);
}

static enum fiber_kind kind_of(const struct req *r)
{
	uint32_t flags = r->type->flags & (OPCODE_BOUNDED | OPCODE_UNBOUNDED);

	if (!flags)
		return FIBER_UNLIMITED;
	if (flags == OPCODE_BOUNDED)
		return FIBER_BOUNDED;
	if (flags == OPCODE_UNBOUNDED || !r->file)
		return FIBER_UNBOUNDED;
	return S_ISREG(r->file->inode->mode) || S_ISBLK(r->file->inode->mode) ? FIBER_BOUNDED
									      : FIBER_UNBOUNDED;
}

int64_t call_issue(struct req *r)
{
	struct req_call *c = &r->call;
	int64_t n;
	int err;

	if (r->opcode == IORING_OP_CLOSE && c->slot)
		return ring_files_remove(r->ring, (uint32_t)c->slot - 1);
	if (r->opcode == IORING_OP_CLOSE && is_ring(r, (int)c->a[0]))
		return -EBADF;
	if (r->node) /* registered: by the number that the fiber is given */
		c->a[call_file_at(r)] = FD_GIVEN;
	err = give_input(r);
	if (err)
		return err;
	if (opens_here(r, &n))
		return finish(r, n);
	c->is_done = false;
	c->job = (struct fiber_job){
		.run = run, .kind = kind_of(r), .as = r->task->user, .cred = r->cred};
	r->cred = NULL; /* the job's */
	r->flags |= REQ_ON_FIBER;
	req_track(r);
	err = fiber_lend(&c->job);
	if (UNLIKELY(err == -EBUSY))
		err = wait_in_line(r);
	if (!err && !c->is_done)
		return OP_PARKED;
	if (!err)
		return finish(r, c->result);
	r->cred = c->job.cred;
	return err;
}

void call_clean(struct req *r)
{
	mem_free(r->call.kept);
	if (r->call.input)
		ring_node_put(r->ring, r->call.input);
}
