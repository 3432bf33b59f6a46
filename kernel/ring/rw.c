// SPDX-License-Identifier: MIT
/*
 * Reading and writing: READ, WRITE, READV, WRITEV, their forms with registered memory, and the read
 * that goes on (READ_MULTISHOT).
 *
 * One operation: try, and park on the file while there is nothing to do. The file's own position is used
 * under its lock, for the length of a try. A buffer of a group is chosen for each try and goes back if there was
 * nothing to read, so that a million waiting reads need none.
 *
 * Locks   ring->lock [l], then file->pos_lock
 * Spec    man 2 io_uring_enter
 */
#include <linux/fs.h>
#include <linux/poll.h>

#include "ring/opcodes.h"
#include "ring/tables.h"

enum { RWF_KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND };

static bool is_write(const struct req *r)
{
	return r->opcode == IORING_OP_WRITE || r->opcode == IORING_OP_WRITEV ||
	       r->opcode == IORING_OP_WRITE_FIXED || r->opcode == IORING_OP_WRITEV_FIXED;
}

static const struct op_type rw_type; /* below, with its functions */

/* ---- Decoding ---- */

static void prepare_common(struct req *r, const struct io_uring_sqe *sqe)
{
	r->rw.pos = (int64_t)sqe->off;
	r->rw.addr = UPTR(sqe->addr);
	r->rw.len = sqe->len;
	r->rw.rw_flags = (uint32_t)sqe->rw_flags;
	r->rw.buffer = NULL;
	r->rw.iter.segments = &r->rw.iter.one;
	r->rw.done = 0;
	op_init(&r->op, &rw_type);
}

int rw_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	prepare_common(r, sqe);
	if (r->flags & REQ_BUFFER_SELECT)
		return 0;
	return iter_init_user(&r->rw.iter, r->rw.addr, r->rw.len);
}

int rw_vector_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err;

	prepare_common(r, sqe);
	if (r->flags & REQ_BUFFER_SELECT) { /* one buffer: its iovec says how much of it */
		struct {
			uint64_t base, len;
		} iov;

		if (sqe->len != 1)
			return -EINVAL;
		if (user_get(iov, r->rw.addr))
			return -EFAULT;
		r->rw.len = iov.len;
		return 0;
	}
	err = iter_init_iovec(&r->rw.iter, r->rw.addr, sqe->len);
	r->rw.len = r->rw.iter.left;
	return err;
}

static int use_buffer(struct req *r, const struct io_uring_sqe *sqe)
{
	prepare_common(r, sqe);
	r->rw.buffer = ring_table_get(&r->ring->buffers, sqe->buf_index);
	return r->rw.buffer ? 0 : -EFAULT;
}

/* Not to be issued: what was taken goes back, as rw_clean is not called. */
static int put_buffer(struct req *r, int err)
{
	if (err && r->rw.buffer)
		ring_node_put(r->ring, r->rw.buffer);
	return err;
}

int rw_fixed_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err = use_buffer(r, sqe);

	if (!err)
		err = ring_buffer_iter(r->rw.buffer, &r->rw.iter, sqe->addr, sqe->len);
	return put_buffer(r, err);
}

int rw_fixed_vector_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err = use_buffer(r, sqe);

	if (!err)
		err = ring_buffer_iter_vector(r->rw.buffer, &r->rw.iter, r->rw.addr, sqe->len);
	r->rw.len = err ? 0 : r->rw.iter.left;
	return put_buffer(r, err);
}

int read_multishot_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	if (!(sqe->flags & IOSQE_BUFFER_SELECT) || sqe->len)
		return -EINVAL;
	prepare_common(r, sqe);
	r->flags |= REQ_MULTISHOT;
	return 0;
}

void rw_clean(struct req *r)
{
	op_fini(&r->op);
	iter_fini(&r->rw.iter);
	if (r->rw.buffer)
		ring_node_put(r->ring, r->rw.buffer);
	if (r->flags & REQ_HAS_BUFFER)
		ring_buffer_return(r);
}

/* ---- Doing ---- */

/* man 2 preadv2: EOPNOTSUPP */
static int check(const struct req *r)
{
	struct file *f = r->file;
	bool writes = is_write(r);

	if (!(f->mode & (writes ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	if (writes ? !f->ops->write : !f->ops->read)
		return -EINVAL;
	if (r->rw.rw_flags & ~(uint32_t)RWF_KNOWN)
		return -EOPNOTSUPP;
	if (r->rw.rw_flags & RWF_NOWAIT && !rw_may_nowait(f, writes))
		return -EOPNOTSUPP;
	if (r->ring->flags & IORING_SETUP_IOPOLL)
		return -EOPNOTSUPP; /* no file has a device behind it that could be asked */
	if (r->rw.rw_flags & RWF_HIPRI)
		return -EINVAL; /* a ring is polled, or it is not */
	if (r->opcode == IORING_OP_READ_MULTISHOT && !f->ops->waitq)
		return -EBADFD;
	return 0;
}

static int64_t sync_after(const struct req *r, int64_t n)
{
	int err = 0;

	if (n > 0 && r->rw.rw_flags & (RWF_SYNC | RWF_DSYNC) && r->file->ops->fsync)
		err = r->file->ops->fsync(r->file, !(r->rw.rw_flags & RWF_SYNC));
	return err ? err : n;
}

static int64_t move_at(struct req *r, int64_t *pos)
{
	struct file *f = r->file;
	struct iter *it = &r->rw.iter;
	int64_t end = FILE_POS_APPEND, *at = pos;

	if (*pos > INT64_MAX - (int64_t)it->left)
		return -EINVAL;
	if (!is_write(r))
		return rw_read_now(f, it, pos);
	if (r->rw.rw_flags & RWF_APPEND)
		at = &end;
	return sync_after(r, rw_write_now(f, it, at));
}

/* One try, at the request's position or the file's own. */
static int64_t try_move(struct req *r)
{
	struct file *f = r->file;
	int64_t n;

	if (f->mode & FILE_STREAM)
		return is_write(r) ? rw_write_now(f, &r->rw.iter, &r->rw.pos)
				   : rw_read_now(f, &r->rw.iter, &r->rw.pos);
	if (r->rw.pos != -1)
		return r->rw.pos < 0 ? -EINVAL : move_at(r, &r->rw.pos);
	mutex_lock(&f->pos_lock);
	n = move_at(r, &f->pos);
	mutex_unlock(&f->pos_lock);
	return n;
}

/* A read into a buffer of the group. -ENOBUFS */
static int64_t try_selected(struct req *r)
{
	uptr addr;
	size_t len = r->rw.len;
	int64_t n = ring_buffer_select(r, &addr, &len);

	if (n)
		return n;
	n = iter_init_user(&r->rw.iter, addr, len);
	if (!n)
		n = try_move(r);
	if (n < 0 || (n == 0 && r->flags & REQ_MULTISHOT))
		ring_buffer_return(r);
	r->rw.chosen = len;
	return n;
}

/*
 * O_NONBLOCK is for who calls: an entry waits without keeping anybody. It says only that what is left of a write is not
 * waited for.
 */
static bool may_wait(const struct req *r)
{
	bool has_done_enough = r->rw.done && READ_ONCE(r->file->flags) & O_NONBLOCK;

	return r->file->ops->waitq && !has_done_enough && !(r->rw.rw_flags & RWF_NOWAIT);
}

/* Whether there is more to do after n bytes: what can wait takes all of a write, but for sockets; multishot. */
static bool goes_on(struct req *r, int64_t n)
{
	if (n <= 0)
		return false;
	if (r->flags & REQ_MULTISHOT)
		return req_post_more(r, n, 0);
	if (!is_write(r) || !r->file->ops->waitq || S_ISSOCK(r->file->inode->mode))
		return false;
	r->rw.done += (size_t)n;
	return r->rw.iter.left;
}

/* It has read before, and there is neither a buffer nor anything to read. */
static bool is_dry(const struct req *r, unsigned tries)
{
	struct file *f = r->file;

	return r->flags & REQ_MULTISHOT && (tries || r->flags & REQ_IS_PARKED) &&
	       ring_buffer_is_out(r) && f->ops->poll &&
	       !(f->ops->poll(f) & (POLLIN | POLLERR | POLLHUP | POLLRDHUP));
}

static int64_t try_once(struct req *r, unsigned tries)
{
	if (UNLIKELY(is_dry(r, tries)))
		return -EAGAIN;
	return r->flags & REQ_BUFFER_SELECT ? try_selected(r) : try_move(r);
}

static int64_t op_issue(struct op *op)
{
	struct req *r = req_of(op);

	for (unsigned tries = 0; req_may_try(tries); tries++) {
		int64_t n = try_once(r, tries);

		if (goes_on(r, n))
			continue;
		if (n != -EAGAIN || !may_wait(r))
			return r->rw.done ? (int64_t)r->rw.done : n;
		if (op_park_on_file(op, r->file, is_write(r) ? POLLOUT : POLLIN))
			return OP_PARKED;
	}
	return req_try_later(r);
}

static int64_t op_interrupted(struct op *op)
{
	const struct req *r = req_of(op);

	return r->rw.done ? (int64_t)r->rw.done : -ERESTARTSYS;
}

static const struct op_type rw_type = {
	.name = "rw", .issue = op_issue, .interrupted = op_interrupted};

static bool is_short(const struct req *r, int64_t n)
{
	size_t wanted = r->flags & REQ_BUFFER_SELECT ? r->rw.chosen : r->rw.len;

	return n >= 0 && (size_t)n != wanted && !(r->flags & REQ_MULTISHOT);
}

int64_t rw_issue(struct req *r)
{
	int64_t n = r->flags & REQ_IS_PARKED ? 0 : check(r);

	if (!n)
		n = op_issue(&r->op);
	if (is_short(r, n)) /* which breaks its chain */
		r->flags |= REQ_FAILED;
	return n;
}

/* ---- At once: files that never have to wait ---- */

bool rw_suits(struct ring_batch *b UNUSED, const volatile struct io_uring_sqe *sqe,
	uint32_t word UNUSED)
{
	return !sqe->rw_flags && user_range_ok(UPTR(sqe->addr), sqe->len);
}

bool rw_fixed_suits(
	struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word UNUSED)
{
	struct ring_node *buffer = ring_table_look(&b->ring->buffers, sqe->buf_index);
	struct iter it = {.segments = &it.one};

	return buffer && !sqe->rw_flags && !ring_buffer_iter(buffer, &it, sqe->addr, sqe->len);
}

/* A file of which every read and write ends with its first try, and that may be asked. NULL. */
static inline struct file *quick_file(struct ring_batch *b,
	const volatile struct io_uring_sqe *sqe, uint32_t word, bool writes)
{
	struct file *f = ring_batch_file(b, sqe->fd, word);

	if (!f || f->ops->waitq || !(f->mode & (writes ? FILE_WRITE : FILE_READ)) ||
		!(writes ? f->ops->write != NULL : f->ops->read != NULL))
		return NULL;
	return f;
}

static NOINLINE int64_t move_from_own_position(struct file *f, struct iter *it, bool writes)
{
	int64_t n = -EINVAL;

	mutex_lock(&f->pos_lock);
	if (f->pos <= INT64_MAX - (int64_t)it->left)
		n = writes ? rw_write_now(f, it, &f->pos) : rw_read_now(f, it, &f->pos);
	mutex_unlock(&f->pos_lock);
	return n;
}

static inline int64_t move_quickly(struct file *f, struct iter *it, int64_t pos, bool writes)
{
	if (LIKELY(f->mode & FILE_STREAM || (pos >= 0 && pos <= INT64_MAX - (int64_t)it->left)))
		return writes ? rw_write_now(f, it, &pos) : rw_read_now(f, it, &pos);
	return pos == -1 ? move_from_own_position(f, it, writes) : -EINVAL;
}

static inline int64_t rw_quickly(struct ring_batch *b, const volatile struct io_uring_sqe *sqe,
	uint32_t word, bool writes)
{
	struct file *f = quick_file(b, sqe, word, writes);
	struct iter it;

	if (!f || sqe->rw_flags || iter_init_user(&it, UPTR(sqe->addr), sqe->len))
		return RING_NOT_QUICK;
	return move_quickly(f, &it, (int64_t)sqe->off, writes);
}

static inline int64_t rw_fixed_quickly(struct ring_batch *b,
	const volatile struct io_uring_sqe *sqe, uint32_t word, bool writes)
{
	struct file *f = quick_file(b, sqe, word, writes);
	struct ring_node *buffer = ring_table_look(&b->ring->buffers, sqe->buf_index);
	struct iter it = {.segments = &it.one};

	if (!f || !buffer || sqe->rw_flags ||
		ring_buffer_iter(buffer, &it, sqe->addr, sqe->len))
		return RING_NOT_QUICK;
	return move_quickly(f, &it, (int64_t)sqe->off, writes);
}

/* One for each opcode, which may not be looked at again. */
#define RW_QUICK(name, how, writes)                                                            \
	int64_t name##_quick(                                                                  \
		struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word)  \
	{                                                                                      \
		return how(b, sqe, word, writes);                                              \
	}
RW_QUICK(read, rw_quickly, false)
RW_QUICK(write, rw_quickly, true)
RW_QUICK(read_fixed, rw_fixed_quickly, false)
RW_QUICK(write_fixed, rw_fixed_quickly, true)
