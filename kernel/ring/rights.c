// SPDX-License-Identifier: MIT
/*
 * Who may do what with a ring: restrictions, which forbid it operations for ever; personalities, as
 * which it may do them.
 *
 * Restrictions are told to a ring that is disabled, and hold from the moment it is enabled.
 *
 * Locks   ring->lock [l]
 * Spec    man 2 io_uring_register: IORING_REGISTER_RESTRICTIONS, IORING_REGISTER_PERSONALITY
 */
#include "fs/proc/entry.h"
#include "lib/bitmap.h"
#include "lib/idr.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "ring/tables.h"

/* ---- Restrictions ---- */

enum {
	RESTRICTIONS_MOST = IORING_RESTRICTION_LAST + RING_REGISTER_OPS + TORUS_OP_LAST,
};

struct ring_restrictions {
	BITMAP(register_ops, RING_REGISTER_OPS);
	BITMAP(sqe_ops, TORUS_OP_LAST);
	uint8_t flags_allowed, flags_required;
};

static int note(struct ring_restrictions *rs, const struct io_uring_restriction *one)
{
	switch (one->opcode) {
	case IORING_RESTRICTION_REGISTER_OP:
		if (one->register_op >= RING_REGISTER_OPS)
			return -EINVAL;
		bitmap_set(rs->register_ops, one->register_op);
		return 0;
	case IORING_RESTRICTION_SQE_OP:
		if (one->sqe_op >= TORUS_OP_LAST)
			return -EINVAL;
		bitmap_set(rs->sqe_ops, one->sqe_op);
		return 0;
	case IORING_RESTRICTION_SQE_FLAGS_ALLOWED:
		rs->flags_allowed = one->sqe_flags;
		return 0;
	case IORING_RESTRICTION_SQE_FLAGS_REQUIRED:
		rs->flags_required = one->sqe_flags;
		return 0;
	default:
		return -EINVAL;
	}
}

int ring_restrictions_register(struct ring *ring, uptr arg, unsigned nr)
{
	struct ring_restrictions *rs;
	int err = 0;

	if (!(ring->flags & IORING_SETUP_R_DISABLED))
		return -EBADFD;
	if (ring->restrictions)
		return -EBUSY;
	if (uptr_is_null(arg) || nr > RESTRICTIONS_MOST)
		return -EINVAL;
	rs = mem_alloc(sizeof(*rs), SLAB_ZERO);
	if (!rs)
		return -ENOMEM;
	for (unsigned i = 0; !err && i < nr; i++) {
		struct io_uring_restriction one;

		err = user_get(one, uptr_add(arg, i * sizeof(one)));
		if (!err)
			err = note(rs, &one);
	}
	if (err)
		mem_free(rs);
	else
		ring->restrictions = rs;
	return err;
}

int ring_check_restrictions(const struct ring *ring, const struct io_uring_sqe *sqe)
{
	const struct ring_restrictions *rs = ring->restrictions;

	if (!bitmap_test(rs->sqe_ops, sqe->opcode))
		return -EACCES;
	if ((sqe->flags & rs->flags_required) != rs->flags_required)
		return -EACCES;
	if (sqe->flags & ~(rs->flags_allowed | rs->flags_required))
		return -EACCES;
	return 0;
}

bool ring_may_register(const struct ring *ring, unsigned op)
{
	return !ring->restrictions || ring->flags & IORING_SETUP_R_DISABLED ||
	       bitmap_test(ring->restrictions->register_ops, op);
}

/* ---- Personalities ---- */

enum { PERSONALITY_LAST = 0xffff /* sqe->personality */ };

struct ring_personalities {
	struct idr ids; /* of const struct cred, each one reference */
};

int64_t ring_personality_register(struct ring *ring)
{
	const struct cred *cred = cred_current();
	uint64_t id;
	int err;

	if (!ring->personalities) {
		ring->personalities = mem_alloc(sizeof(*ring->personalities), 0);
		if (!ring->personalities)
			return -ENOMEM;
		idr_init(&ring->personalities->ids, 1, PERSONALITY_LAST, &mem_allocator);
	}
	err = idr_alloc_cyclic(&ring->personalities->ids, (void *)(uintptr_t)cred, &id);
	if (err)
		return err == -ENOSPC ? -EBUSY : err;
	cred_get(cred);
	return (int64_t)id;
}

int ring_personality_unregister(struct ring *ring, unsigned id)
{
	const struct cred *cred = NULL;

	if (ring->personalities && id >= 1 && id <= PERSONALITY_LAST)
		cred = idr_free(&ring->personalities->ids, id);
	if (!cred)
		return -EINVAL;
	cred_put(cred);
	return 0;
}

int ring_get_personality(struct ring *ring, unsigned id, const struct cred **out)
{
	const struct cred *cred =
		ring->personalities ? idr_lookup(&ring->personalities->ids, id) : NULL;

	if (!cred)
		return -EINVAL;
	cred_get(cred);
	*out = cred;
	return 0;
}

static void show_personality(struct text *out, uint64_t id, const struct cred *c)
{
	text_add(out, "%5llu\n\tUid:\t%u\t\t%u\t\t%u\t\t%u\n\tGid:\t%u\t\t%u\t\t%u\t\t%u\n",
		(unsigned long long)id, c->uid, c->euid, c->suid, c->fsuid, c->gid, c->egid,
		c->sgid, c->fsgid);
	text_add(out, "\tGroups:\t");
	for (unsigned i = 0; i < c->nr_groups; i++)
		text_add(out, i ? " %u" : "%u", c->groups[i]);
	text_add(out, "\n\tCapEff:\t%016llx\n", (unsigned long long)c->cap_effective);
}

void ring_personalities_show(const struct ring *ring, struct text *out)
{
	const struct cred *c;
	uint64_t id = 0;

	if (!ring->personalities || !idr_find(&ring->personalities->ids, &id))
		return;
	text_add(out, "Personalities:\n");
	for (id = 0; (c = idr_find(&ring->personalities->ids, &id)); id++)
		show_personality(out, id, c);
}

void ring_rights_fini(struct ring *ring)
{
	const struct cred *cred;
	uint64_t id = 0;

	mem_free(ring->restrictions);
	ring->restrictions = NULL;
	if (!ring->personalities)
		return;
	while ((cred = idr_find(&ring->personalities->ids, &id)) != NULL) {
		(void)idr_free(&ring->personalities->ids, id);
		cred_put(cred);
	}
	idr_fini(&ring->personalities->ids);
	mem_free(ring->personalities);
	ring->personalities = NULL;
}
