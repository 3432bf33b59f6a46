// SPDX-License-Identifier: MIT
/*
 * What this kernel's rings can do: IORING_REGISTER_PROBE of an operation each, IORING_REGISTER_QUERY as a
 * list of questions, for which no ring is needed.
 *
 * Locks   none
 * Spec    man 2 io_uring_register
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/signal.h"
#include "ring/tables.h"
#include "sched/thread.h"

/* ---- Probe ---- */

enum { PROBE_MOST = 256 };

static bool is_zero(const void *p, size_t size)
{
	const char *at = p;

	while (size && !*at)
		at++, size--;
	return !size;
}

static void fill(struct io_uring_probe *p, unsigned nr)
{
	nr = MIN(nr, (unsigned)TORUS_OP_LAST);
	p->last_op = TORUS_OP_LAST - 1;
	p->ops_len = (uint8_t)nr;
	for (unsigned i = 0; i < nr; i++) {
		p->ops[i].op = (uint8_t)i;
		p->ops[i].flags = ring_opcodes[i].name ? IO_URING_OP_SUPPORTED : 0;
	}
}

int ring_probe(uptr arg, unsigned nr)
{
	size_t size = sizeof(struct io_uring_probe) + nr * sizeof(struct io_uring_probe_op);
	struct io_uring_probe *p;
	int err;

	if (uptr_is_null(arg) || nr > PROBE_MOST)
		return -EINVAL;
	p = mem_alloc(size, 0);
	if (!p)
		return -ENOMEM;
	err = user_read(p, arg, size);
	if (!err && !is_zero(p, size))
		err = -EINVAL;
	if (!err) {
		fill(p, nr);
		err = user_write(arg, p, size);
	}
	mem_free(p);
	return err;
}

/* ---- Query ---- */

enum { QUERIES_MOST = 1000 };

static int answer_opcodes(struct io_uring_query_opcode *to)
{
	*to = (struct io_uring_query_opcode){
		.nr_request_opcodes = RING_OPS,
		.nr_register_opcodes = RING_REGISTER_OPS,
		.feature_flags = RING_FEATURES,
		.ring_setup_flags = RING_SETUP_FLAGS,
		.enter_flags = RING_ENTER_FLAGS,
		.sqe_flags = RING_SQE_FLAGS,
		.nr_query_opcodes = IO_URING_QUERY_OPCODES + 1,
	};
	return sizeof(*to);
}

/* The answer's size, or what is wrong with the question. */
static int answer(const struct io_uring_query_hdr *hdr, struct io_uring_query_opcode *to)
{
	if (hdr->query_op != IO_URING_QUERY_OPCODES)
		return -EOPNOTSUPP;
	if (hdr->resv[0] || hdr->resv[1] || hdr->resv[2] || hdr->result || !hdr->size)
		return -EINVAL;
	return answer_opcodes(to);
}

/* One question; *at becomes the next one's place. Only -EFAULT ends the list. */
static int handle(uptr *at)
{
	struct io_uring_query_opcode opcodes;
	struct io_uring_query_hdr hdr;
	int n;

	if (user_get(hdr, *at))
		return -EFAULT;
	n = answer(&hdr, &opcodes);
	hdr.result = MIN(n, 0);
	hdr.size = n < 0 ? 0 : MIN(hdr.size, (uint32_t)n);
	if (user_write(UPTR(hdr.query_data), &opcodes, hdr.size) || user_put(*at, hdr))
		return -EFAULT;
	*at = UPTR(hdr.next_entry);
	return 0;
}

int ring_query(uptr arg, unsigned nr)
{
	int err = nr ? -EINVAL : 0;

	for (unsigned i = 0; !err && !uptr_is_null(arg); i++) {
		err = handle(&arg);
		if (!err && i + 1 == QUERIES_MOST)
			err = -ERANGE;
		if (!err && thread_is_killed())
			err = -EINTR;
	}
	return err;
}
