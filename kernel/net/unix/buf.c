// SPDX-License-Identifier: MIT
/*
 * Messages of unix sockets, and the room they take.
 *
 * A message is charged to its sender until it has been read. The charge is Linux's in spirit: the
 * bytes and what it costs to keep them, so that many small messages fill a buffer, too.
 */
#include <asm/poll.h>

#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/unix/unix_priv.h"
#include "proc/proc.h"

enum { OVERHEAD = 256, OVERFLOW_ID = 65534 /* kernel.overflowuid */ };

static void fill_cred(
	struct unix_buf *b, const struct unix_sock *to, const struct socket_msg *m)
{
	const struct cred *c;

	if (m->control_in && m->control_in->has_cred) {
		b->cred = m->control_in->cred;
		b->has_cred = true;
	} else if (UNLIKELY(((READ_ONCE(b->sender->base.flags) | READ_ONCE(to->base.flags)) &
				    SOCKET_PASS_CRED) ||
			    /* not accepted yet: nobody can have asked for them */
			    !READ_ONCE(to->base.file))) {
		c = cred_current();
		b->cred = (struct user_ucred){unix_current_pid(), c->uid, c->gid};
		b->has_cred = true;
	}
}

int unix_buf_create(
	struct unix_sock *sender, struct socket_msg *m, size_t len, struct unix_buf **out)
{
	struct unix_buf *b = mem_alloc(sizeof(*b) + len, 0);

	if (!b)
		return -ENOMEM;
	if (iter_read(m->iter, b->data, len) < len) {
		mem_free(b);
		return -EFAULT;
	}
	list_node_init(&b->link);
	b->files = NULL;
	b->len = (uint32_t)len;
	b->offset = 0;
	b->charge = 0;
	b->has_cred = false;
	unix_get(sender);
	b->sender = sender;
	*out = b;
	return 0;
}

void unix_buf_queue(struct unix_sock *to, struct unix_buf *b, const struct socket_msg *m)
{
	fill_cred(b, to, m);
	b->charge = b->len + OVERHEAD;
	atomic_add_relaxed(&b->sender->wmem, b->charge);
	list_add_tail(&to->recvq, &b->link);
	WRITE_ONCE(to->nr_queued, to->nr_queued + 1);
	if (b->files)
		WRITE_ONCE(to->nr_files, to->nr_files + b->files->nr);
}

static void uncharge(struct unix_sock *s, uint32_t charge)
{
	atomic_sub(&s->wmem, charge);
	/* the atomic operation orders it before this look; who queues looks at wmem afterwards */
	if (waitq_has_waiters(&s->base.writable) && unix_is_writable(s))
		handover_wake(
			&s->base.hint, &s->base.writable, POLLOUT | POLLWRNORM | POLLWRBAND);
}

void unix_buf_destroy(struct unix_buf *b)
{
	control_files_put(b->files);
	if (LIKELY(b->charge))
		uncharge(b->sender, b->charge);
	unix_put(b->sender);
	mem_free(b);
}

void unix_deliver_cred(struct unix_sock *u, const struct unix_buf *b, struct socket_msg *m)
{
	static const struct user_ucred end, nobody = {0, OVERFLOW_ID, OVERFLOW_ID};
	const struct user_ucred *cred = &end;

	if (!(READ_ONCE(u->base.flags) & SOCKET_PASS_CRED))
		return;
	if (!m->control_out) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	if (b)
		cred = b->has_cred ? &b->cred : &nobody;
	control_write(m->control_out, SOL_SOCKET, SCM_CREDENTIALS, cred, sizeof(*cred));
}

void unix_deliver_files(struct control_files *files, struct socket_msg *m)
{
	if (m->control_out) {
		control_write_files(m->control_out, files);
		return;
	}
	m->out_flags |= MSG_CTRUNC;
	control_files_put(files);
}
