// SPDX-License-Identifier: MIT
/*
 * What /proc/PID/fdinfo says of a ring: its queues with what is in them, what is registered, what waits.
 *
 * Programs and debuggers parse it, so words and order are Linux'. Heads and tails are always there; the rest
 * needs ring->lock, and a file in /proc may be read by a request of this very ring, or while one of it goes on
 * for long: where somebody has the lock the lists are empty, as on Linux.
 *
 * Locks   ring->lock, tried only: the text's comes after it
 * Spec    man 5 proc; the format is Linux 6.1's
 */
#include "fs/proc/entry.h"
#include "fs/vfs/file.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "ring/opcodes.h"
#include "ring/tables.h"
#include "sync/rcu.h"

enum { PATH_SIZE = 4096, NAME_SIZE = 32 };

struct numbers {
	uint32_t sq_mask, sq_head, sq_tail, cached_sq_head;
	uint32_t cq_mask, cq_head, cq_tail, cached_cq_tail;
};

static struct numbers look(struct ring *ring)
{
	const struct ring_shared *s;
	struct numbers n;

	rcu_read_lock(); /* resize.c */
	s = rcu_load(ring->shared);
	n = (struct numbers){
		.sq_mask = ring->q.sq_mask,
		.sq_head = READ_ONCE(s->sq_head),
		.sq_tail = READ_ONCE(s->sq_tail),
		.cached_sq_head = ring->sq_head,
		.cq_mask = ring->q.cq_mask,
		.cq_head = READ_ONCE(s->cq_head),
		.cq_tail = READ_ONCE(s->cq_tail),
		.cached_cq_tail = ring->cq_tail,
	};
	rcu_read_unlock();
	return n;
}

/* ---- The queues; ring->lock held ---- */

/* In capitals, as Linux has its names. */
static void opcode_name(char *out, size_t size, unsigned opcode)
{
	const char *name = opcode < TORUS_OP_LAST ? ring_opcodes[opcode].name : NULL;
	size_t i = 0;

	for (name = name ? name : "invalid"; name[i] && i < size - 1; i++)
		out[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A')
							  : name[i];
	out[i] = '\0';
}

static void show_entry(const struct ring *ring, struct text *out, uint32_t index)
{
	size_t size = (size_t)1 << ring->sqe_shift;
	struct {
		struct io_uring_sqe sqe;
		uint64_t more[8];
	} e;
	char name[NAME_SIZE];

	memcpy(&e, (const char *)ring->q.sqes.at + index * size,
		size); /* the program writes there */
	opcode_name(name, sizeof(name), e.sqe.opcode);
	text_add(out,
		"%5u: opcode:%s, fd:%d, flags:%x, off:%llu, addr:0x%llx, rw_flags:0x%x, "
		"buf_index:%d "
		"user_data:%llu",
		index, name, e.sqe.fd, e.sqe.flags, (unsigned long long)e.sqe.off,
		(unsigned long long)e.sqe.addr, (unsigned)e.sqe.rw_flags, e.sqe.buf_index,
		(unsigned long long)e.sqe.user_data);
	for (unsigned i = 0; size == sizeof(e) && i < ARRAY_LEN(e.more); i++)
		text_add(out, ", e%u:0x%llx", i, (unsigned long long)e.more[i]);
	text_add(out, "\n");
}

static void show_submissions(const struct ring *ring, struct text *out, const struct numbers *n)
{
	uint32_t nr = MIN(n->sq_tail - n->sq_head, ring->q.sq_entries);

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t index = (n->sq_head + i) & ring->q.sq_mask;

		if (ring->q.sq_array)
			index = READ_ONCE(ring->q.sq_array[index]);
		if (index <= ring->q.sq_mask)
			show_entry(ring, out, index);
	}
}

static void show_completions(const struct ring *ring, struct text *out, const struct numbers *n)
{
	uint32_t nr = MIN(n->cq_tail - n->cq_head, ring->q.cq_entries);

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t index = (n->cq_head + i) & ring->q.cq_mask;
		const struct io_uring_cqe *cqe =
			&ring->q.cqes[(size_t)index << ring->cqe_shift];

		text_add(out, "%5u: user_data:%llu, res:%d, flag:%x", index,
			(unsigned long long)cqe->user_data, cqe->res, cqe->flags);
		if (ring->cqe_shift)
			text_add(out, ", extra1:%llu, extra2:%llu",
				(unsigned long long)cqe->big_cqe[0],
				(unsigned long long)cqe->big_cqe[1]);
		text_add(out, "\n");
	}
}

/* ---- What is registered; ring->lock held ---- */

/* The last name of its path; none for what is in no directory. */
static void show_file(const struct file *f, struct text *out)
{
	char *buf = file_is_anonymous(f) ? NULL : mem_alloc(PATH_SIZE, 0), *path;

	if (buf && path_text(&(struct path){f->mount, f->dentry}, buf, PATH_SIZE, &path) == 0)
		text_add(out, "%s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	mem_free(buf);
}

static void show_files(const struct ring *ring, struct text *out)
{
	for (unsigned i = 0; i < ring->files.nr; i++) {
		const struct ring_node *node = ring_table_look(&ring->files, i);

		text_add(out, "%5u: ", i);
		if (node)
			show_file(node->file, out);
		else
			text_add(out, "<none>");
		text_add(out, "\n");
	}
}

static void show_buffers(const struct ring *ring, struct text *out)
{
	for (unsigned i = 0; i < ring->buffers.nr; i++) {
		const struct ring_node *node = ring_table_look(&ring->buffers, i);
		uint64_t addr = 0;
		size_t len = 0;

		if (node)
			ring_buffer_range(node->buffer, &addr, &len);
		text_add(out, "%5u: 0x%llx/%u\n", i, (unsigned long long)addr, (unsigned)len);
	}
}

/* ---- What waits; ring->lock held ---- */

static void show_polls(const struct ring *ring, struct text *out)
{
	const unsigned polls = OPCODE_FILE | OPCODE_PARKS;

	list_for_each (r, &ring->active, struct req, link)
		if ((r->type->flags & polls) == polls)
			text_add(out, "  op=%d, task_works=%d\n", r->opcode,
				READ_ONCE(r->is_listed));
}

static void show_overflow(const struct ring *ring, struct text *out)
{
	list_for_each (o, &ring->overflow, struct ring_overflow, link)
		text_add(out, "  user_data=%llu, res=%d, flags=%x\n",
			(unsigned long long)o->user_data, o->res, o->flags);
}

void ring_fdinfo(struct file *f, struct text *out) NOT_ANALYSED
{
	struct ring *ring = ring_of_file(f);
	bool has_lock = mutex_try_lock(&ring->lock);
	struct numbers n = look(ring);

	text_add(out,
		"SqMask:\t0x%x\nSqHead:\t%u\nSqTail:\t%u\nCachedSqHead:\t%u\nCqMask:\t0x%x\n"
		"CqHead:\t%u\nCqTail:\t%u\nCachedCqTail:\t%u\nSQEs:\t%u\n",
		n.sq_mask, n.sq_head, n.sq_tail, n.cached_sq_head, n.cq_mask, n.cq_head,
		n.cq_tail, n.cached_cq_tail, n.sq_tail - n.sq_head);
	if (has_lock)
		show_submissions(ring, out, &n);
	text_add(out, "CQEs:\t%u\n", n.cq_tail - n.cq_head);
	if (has_lock)
		show_completions(ring, out, &n);
	text_add(out, "SqThread:\t-1\nSqThreadCpu:\t%d\nUserFiles:\t%u\n",
		ring_sqpoll_cpu(ring), READ_ONCE(ring->files.nr));
	if (has_lock)
		show_files(ring, out);
	text_add(out, "UserBufs:\t%u\n", READ_ONCE(ring->buffers.nr));
	if (has_lock) {
		show_buffers(ring, out);
		ring_personalities_show(ring, out);
	}
	text_add(out, "PollList:\n");
	if (has_lock)
		show_polls(ring, out);
	text_add(out, "CqOverflowList:\n");
	if (has_lock) {
		show_overflow(ring, out);
		ring_unlock(ring);
	}
}
