// SPDX-License-Identifier: MIT
/*
 * What a call's arguments point to, kept from the submission until its turn comes: IORING_FEAT_SUBMIT_STABLE.
 * A call that begins at once reads for itself; one that has to wait, in a chain or for a fiber, finds it here.
 * Calls by number (TORUS_OP_SYSCALL) read when they run: nobody
 * knows what their arguments are.
 */
#include <linux/eventpoll.h>
#include <linux/limits.h>
#include <linux/openat2.h>

#include "mm/slab.h"
#include "ops/message.h"
#include "proc/given.h"
#include "ring/ring_priv.h"

struct call_input {
	struct given_input given; /* first: r->call.kept */
	char room[];              /* for the bytes, then for each name PATH_MAX */
};

/* Which of the arguments are names; -1: none. */
static void find_names(const struct req *r, int at[2])
{
	at[0] = 1;
	at[1] = -1;
	switch (r->opcode) {
	case IORING_OP_OPENAT:
	case IORING_OP_OPENAT2:
	case IORING_OP_STATX:
	case IORING_OP_UNLINKAT:
	case IORING_OP_MKDIRAT:
	case IORING_OP_FSETXATTR:
	case IORING_OP_FGETXATTR:
		break;
	case IORING_OP_RENAMEAT:
	case IORING_OP_LINKAT:
		at[1] = 3;
		break;
	case IORING_OP_SYMLINKAT:
		at[0] = 0;
		at[1] = 2;
		break;
	case IORING_OP_SETXATTR:
	case IORING_OP_GETXATTR:
		at[1] = 0;
		break;
	default:
		at[0] = -1;
		break;
	}
}

/* Which of the arguments points to how many bytes; 0: none, or too many for the call. */
static size_t find_bytes(const struct req *r, unsigned *at)
{
	const uint64_t *a = r->call.a;

	switch (r->opcode) {
	case IORING_OP_OPENAT2:
		*at = 2;
		return sizeof(struct open_how);
	case IORING_OP_SETXATTR:
	case IORING_OP_FSETXATTR:
		*at = 2;
		return a[3] <= XATTR_SIZE_MAX ? a[3] : 0;
	case IORING_OP_EPOLL_CTL:
		*at = 3;
		return sizeof(struct epoll_event);
	case IORING_OP_BIND:
		*at = 1;
		return a[2] <= SOCKET_ADDR_MAX ? a[2] : 0;
	default:
		return 0;
	}
}

/* What cannot be read now is the call's to refuse. */
static void keep_bytes(const struct req *r, struct call_input *k, unsigned at, size_t size)
{
	uptr from = UPTR(r->call.a[at]);
	int err = r->opcode == IORING_OP_OPENAT2
			  ? user_read_struct(k->room, size, from, r->call.a[3])
			  : user_read(k->room, from, size);

	k->given.at = from;
	k->given.size = size;
	k->given.bytes = err ? NULL : k->room;
}

static void keep_name(struct given_name *name, uptr from, char *room)
{
	int len = user_read_string(room, from, PATH_MAX);

	*name = (struct given_name){from, len < 0 ? NULL : room};
}

int call_keep_input(struct req *r)
{
	struct call_input *k;
	unsigned nr_names, bytes_at = 0;
	size_t size;
	int at[2];

	find_names(r, at);
	size = find_bytes(r, &bytes_at);
	if ((at[0] < 0 && !size) || r->call.kept)
		return 0;
	nr_names = (at[0] >= 0) + (at[1] >= 0);
	k = mem_alloc(sizeof(*k) + size + nr_names * PATH_MAX, 0);
	if (!k)
		return -ENOMEM;
	k->given = (struct given_input){0};
	r->call.kept = &k->given;
	for (unsigned i = 0; i < nr_names; i++)
		keep_name(&k->given.name[i], UPTR(r->call.a[at[i]]),
			k->room + size + i * PATH_MAX);
	if (size)
		keep_bytes(r, k, bytes_at, size);
	return 0;
}
