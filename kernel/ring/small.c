// SPDX-License-Identifier: MIT
/*
 * Operations of a few lines: NOP, commands, messages to other rings, futexes; waiting for children and for
 * events of a set.
 *
 * Locks   ring->lock [l]; of two rings' locks the one at the lower address first
 * Spec    man 2 io_uring_enter; man 3 io_uring_prep_msg_ring, io_uring_prep_futex_wait
 */
#include <linux/futex.h>

#include "fs/vfs/epoll.h"
#include "ring/opcodes.h"
#include "ring/tables.h"
#include "sys/wait.h"

/* ---- Children ---- */

int ring_waitid_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->addr || sqe->buf_index || sqe->addr3 || sqe->rw_flags)
		return -EINVAL;
	r->wait.info = UPTR(sqe->addr2);
	r->wait.options = (int)sqe->file_index;
	return waitid_prepare(&r->wait.wait, (int)sqe->len, sqe->fd, r->wait.options);
}

int64_t ring_waitid_issue(struct req *r)
{
	struct op *op = &r->wait.wait.op;
	int64_t n = op->type->issue(op);

	if (n == OP_PARKED)
		return n;
	return waitid_finish(&r->wait.wait, n, r->wait.options, r->wait.info);
}

void op_clean(struct req *r)
{
	op_fini(&r->op);
}

/* ---- NOP ---- */

enum { NOP_RESULT, NOP_FLAGS, NOP_BUFFER }; /* words.w */

int nop_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	const uint32_t known = IORING_NOP_INJECT_RESULT | IORING_NOP_FILE |
			       IORING_NOP_FIXED_FILE | IORING_NOP_FIXED_BUFFER | IORING_NOP_TW |
			       IORING_NOP_CQE32;
	uint32_t flags = (uint32_t)sqe->rw_flags;

	if (flags & ~known)
		return -EINVAL;
	r->words.w[NOP_RESULT] = flags & IORING_NOP_INJECT_RESULT ? sqe->len : 0;
	r->words.w[NOP_FLAGS] = flags;
	r->words.w[NOP_BUFFER] = sqe->buf_index;
	if (flags & IORING_NOP_CQE32 && !ring_has_long_entries(r->ring))
		return -EINVAL;
	if (flags & IORING_NOP_CQE32)
		req_post_long(r);
	r->big[0] = sqe->off;
	r->big[1] = sqe->addr;
	return 0;
}

int64_t nop_issue(struct req *r)
{
	uint64_t flags = r->words.w[NOP_FLAGS];
	const struct ring_table *buffers = &r->ring->buffers;
	int err = 0;

	if (flags & IORING_NOP_FILE)
		err = req_get_file(r, flags & IORING_NOP_FIXED_FILE);
	if (!err && flags & IORING_NOP_FIXED_BUFFER &&
		!ring_table_look(buffers, (uint32_t)r->words.w[NOP_BUFFER]))
		err = -EFAULT;
	return err ? err : (int32_t)r->words.w[NOP_RESULT];
}

bool nop_suits(struct ring_batch *b UNUSED, const volatile struct io_uring_sqe *sqe,
	uint32_t word UNUSED)
{
	return !sqe->rw_flags;
}

int64_t nop_quick(struct ring_batch *b UNUSED, const volatile struct io_uring_sqe *sqe,
	uint32_t word UNUSED)
{
	return LIKELY(!sqe->rw_flags) ? 0 : RING_NOT_QUICK;
}

/* ---- Commands of drivers ---- */

/* man 2 io_uring_enter: IORING_OP_URING_CMD. Its flags, and that many buffers go with many answers. */
int uring_cmd_prepare(struct req *r UNUSED, const struct io_uring_sqe *sqe)
{
	const uint32_t known = IORING_URING_CMD_FIXED | IORING_URING_CMD_MULTISHOT;
	uint32_t flags = sqe->uring_cmd_flags;
	bool is_multishot = flags & IORING_URING_CMD_MULTISHOT,
	     has_group = sqe->flags & IOSQE_BUFFER_SELECT;

	if (sqe->__pad1 || flags & ~known || (flags & IORING_URING_CMD_FIXED && has_group))
		return -EINVAL;
	return is_multishot != has_group ? -EINVAL : 0;
}

/* No file here has any. */
int64_t uring_cmd_issue(struct req *r UNUSED)
{
	return -EOPNOTSUPP;
}

/* ---- Messages ---- */

enum { MSG_CMD, MSG_USER_DATA, MSG_RES, MSG_FLAGS, MSG_SOURCE, MSG_SLOT };

static int read_message(uint64_t *w, const struct io_uring_sqe *sqe)
{
	const uint32_t known = IORING_MSG_RING_CQE_SKIP | IORING_MSG_RING_FLAGS_PASS;

	if (sqe->buf_index || sqe->personality || sqe->msg_ring_flags & ~known)
		return -EINVAL;
	w[MSG_CMD] = sqe->addr;
	w[MSG_USER_DATA] = sqe->off;
	w[MSG_RES] = sqe->len;
	w[MSG_FLAGS] = sqe->msg_ring_flags;
	w[MSG_SOURCE] = sqe->addr3;
	w[MSG_SLOT] = sqe->file_index;
	return 0;
}

int msg_ring_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	return read_message(r->words.w, sqe);
}

/* Both locks, whichever has to be taken first. Ours is held. */
static void lock_other(struct ring *ours, struct ring *other) NOT_ANALYSED
{
	if (other > ours) {
		mutex_lock_nested(&other->lock, (uint64_t)(uintptr_t)other);
		return;
	}
	if (mutex_try_lock(&other->lock))
		return;
	mutex_unlock(&ours->lock);
	mutex_lock_nested(&other->lock, (uint64_t)(uintptr_t)other);
	mutex_lock_nested(&ours->lock, (uint64_t)(uintptr_t)ours);
}

static int64_t send_data(const uint64_t *w, struct ring *to)
{
	uint32_t flags = w[MSG_FLAGS] & IORING_MSG_RING_FLAGS_PASS ? (uint32_t)w[MSG_SLOT] : 0;

	if (w[MSG_SOURCE] || w[MSG_FLAGS] & IORING_MSG_RING_CQE_SKIP ||
		(w[MSG_SLOT] && !(w[MSG_FLAGS] & IORING_MSG_RING_FLAGS_PASS)))
		return -EINVAL;
	return ring_post(to, w[MSG_USER_DATA], (int32_t)w[MSG_RES], flags, NULL, true)
		       ? 0
		       : -EOVERFLOW;
}

static int64_t send_file(struct req *r, struct ring *to)
{
	const uint64_t *w = r->words.w;
	struct ring_node *node;
	int64_t n;

	if (w[MSG_RES] || to == r->ring)
		return -EINVAL;
	node = ring_table_get(&r->ring->files, (uint32_t)w[MSG_SOURCE]);
	if (!node)
		return -EBADF;
	file_get(node->file);
	n = ring_files_install(to, node->file, (uint32_t)w[MSG_SLOT]);
	ring_node_put(r->ring, node);
	if (n < 0 || w[MSG_FLAGS] & IORING_MSG_RING_CQE_SKIP)
		return n;
	return ring_post(to, w[MSG_USER_DATA], (int32_t)n, 0, NULL, true) ? n : -EOVERFLOW;
}

int64_t msg_ring_issue(struct req *r) NOT_ANALYSED
{
	struct ring *to = ring_of_file(r->file), *ours = r->ring;
	int64_t n;

	if (!to)
		return -EBADFD;
	if (to != ours)
		lock_other(ours, to);
	if (to->flags & IORING_SETUP_R_DISABLED)
		n = -EBADFD;
	else if (r->words.w[MSG_CMD] == IORING_MSG_DATA)
		n = send_data(r->words.w, to);
	else
		n = r->words.w[MSG_CMD] == IORING_MSG_SEND_FD ? send_file(r, to) : -EINVAL;
	if (to != ours) {
		ring_commit(to);
		mutex_unlock(&to->lock);
	}
	return n;
}

/* IORING_REGISTER_SEND_MSG_RING: by who has no ring. */
int64_t ring_send_message(uptr arg, unsigned nr)
{
	struct io_uring_sqe sqe;
	uint64_t w[MSG_SLOT + 1];
	struct file *f;
	struct ring *to;
	int64_t n;
	int err;

	if (nr != 1)
		return -EINVAL;
	if (user_get(sqe, arg))
		return -EFAULT;
	if (sqe.flags || sqe.opcode != IORING_OP_MSG_RING || read_message(w, &sqe) ||
		w[MSG_CMD] != IORING_MSG_DATA)
		return -EINVAL;
	f = ring_file_find(sqe.fd, false, &err);
	if (err)
		return err == -EOPNOTSUPP ? -EBADFD : err;
	to = ring_of_file(f);
	mutex_lock(&to->lock);
	n = to->flags & IORING_SETUP_R_DISABLED ? -EBADFD : send_data(w, to);
	ring_unlock(to);
	file_put(f);
	return n;
}

/* ---- Futexes ---- */

static int check_futex(const struct io_uring_sqe *sqe)
{
	uint32_t flags = (uint32_t)sqe->fd;

	if (sqe->len || sqe->rw_flags || sqe->buf_index || sqe->file_index)
		return -EINVAL;
	if (flags & ~(uint32_t)(FUTEX2_SIZE | FUTEX2_IS_PRIVATE) ||
		(flags & FUTEX2_SIZE) != FUTEX2_U32)
		return -EINVAL;
	/* words of 32 bits, so the value and the mask are too */
	return sqe->addr2 >> 32 || sqe->addr3 >> 32 || !sqe->addr3 ? -EINVAL : 0;
}

int ring_futex_wait_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err = check_futex(sqe);

	if (err)
		return err;
	return futex_wait_prepare(&r->futex, UPTR(sqe->addr), sqe->fd & FUTEX2_IS_PRIVATE,
		(uint32_t)sqe->addr2, (uint32_t)sqe->addr3, WAIT_FOREVER, false);
}

int ring_futex_waitv_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->fd || sqe->off || sqe->rw_flags || sqe->buf_index || sqe->file_index ||
		sqe->addr3)
		return -EINVAL;
	return futex_waitv_prepare(&r->futexes, UPTR(sqe->addr), sqe->len, WAIT_FOREVER, false);
}

int futex_wake_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err = check_futex(sqe);

	r->words.w[0] = sqe->addr;
	r->words.w[1] = sqe->addr2;
	r->words.w[2] = sqe->addr3;
	r->words.w[3] = sqe->fd & FUTEX2_IS_PRIVATE;
	return err;
}

int64_t futex_wake_issue(struct req *r)
{
	struct futex_key key;
	int err = futex_key_get(UPTR(r->words.w[0]), r->words.w[3], &key);

	if (err)
		return err;
	return futex_wake(&key, (int)r->words.w[1], (uint32_t)r->words.w[2]);
}

/* ---- Sets of files ---- */

int epoll_wait_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->off || sqe->rw_flags || sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	epoll_op_prepare(
		&r->epoll, (struct borrowed_file){0}, UPTR(sqe->addr), sqe->len, WAIT_FOREVER);
	return 0;
}

int64_t epoll_wait_issue(struct req *r)
{
	struct epoll_op *e = &r->epoll;
	int err;

	if (!e->op.is_begun) {
		err = epoll_check_room(e->events, e->max);
		if (err)
			return err;
		if (!epoll_is_set(r->file))
			return -EINVAL;
		e->set.file = r->file; /* the request's reference */
		e->op.is_begun = true;
	}
	return e->op.type->issue(&e->op);
}
