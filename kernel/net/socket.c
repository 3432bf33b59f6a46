// SPDX-License-Identifier: MIT
/*
 * Sockets: families, and a socket as a file. read and write are recv and send without
 * flags; what a socket's file does otherwise is its family's.
 */
#include "net/socket.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "lib/atomic.h"
#include "proc/proc.h"

enum { BUF_DEFAULT = 212992 /* net.core.wmem_default, rmem_default */ };

void socket_init(
	struct socket *s, const struct socket_ops *ops, int family, int type, int protocol)
{
	s->ops = ops;
	s->family = (uint16_t)family;
	s->type = (uint16_t)type;
	s->protocol = protocol;
	s->sndbuf = s->rcvbuf = BUF_DEFAULT;
	s->rcvlowat = 1;
	s->peek_off = -1;
	s->rcvtimeo_ns = s->sndtimeo_ns = WAIT_FOREVER;
	waitq_init(&s->readable);
	waitq_init(&s->writable);
}

int socket_take_error(struct socket *s)
{
	if (LIKELY(!atomic_load_relaxed(&s->error)))
		return 0;
	return -atomic_xchg(&s->error, 0);
}

static const struct socket_family *find_family(int family)
{
	SET_FOREACH (const struct socket_family, f, socket_families)
		if (f->family == family)
			return f;
	return NULL;
}

int socket_create(int family, int type, int protocol, struct socket **out)
{
	const struct socket_family *f;

	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= SOCK_MAX)
		return -EINVAL;
	f = find_family(family);
	return f ? f->create(type, protocol, out) : -EAFNOSUPPORT;
}

int socket_create_pair(int family, int type, int protocol, struct socket *out[2])
{
	int err = socket_create(family, type, protocol, &out[0]);

	if (err)
		return err;
	err = socket_create(family, type, protocol, &out[1]);
	if (err)
		goto release_0;
	err = find_family(family)->pair ? find_family(family)->pair(out[0], out[1])
					: -EOPNOTSUPP;
	if (!err)
		return 0;
	out[1]->ops->release(out[1]);
release_0:
	out[0]->ops->release(out[0]);
	return err;
}

/* ---- The file ---- */

static int64_t file_read(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct socket *s = f->private_data;
	struct socket_msg m = {
		.iter = to, .flags = READ_ONCE(f->flags) & O_NONBLOCK ? MSG_DONTWAIT : 0};
	uint32_t least = READ_ONCE(s->rcvlowat);
	int64_t n;

	if (!to->left) /* Linux: even where a datagram waits */
		return 0;
	n = s->ops->recv(s, &m);
	if (UNLIKELY(least > 1))
		to->goes_on = s->type == SOCK_STREAM && !m.is_ended && n > 0 && n < least;
	return n;
}

static int64_t file_write(struct file *f, struct iter *from, int64_t *pos UNUSED)
{
	struct socket *s = f->private_data;
	struct socket_msg m = {.iter = from, .is_retry = from->is_retry};

	from->is_retry = true;
	return s->ops->send(s, &m);
}

static uint32_t file_poll(struct file *f)
{
	struct socket *s = f->private_data;

	return s->ops->poll(s);
}

static struct waitq *file_waitq(struct file *f, uint32_t events)
{
	struct socket *s = f->private_data;

	return events & (POLLIN | POLLRDNORM) ? &s->readable : &s->writable;
}

/* Of a write: a read that waits is a receive (ops/socket.c). */
static uint64_t file_wait_limit(struct file *f, uint32_t events UNUSED)
{
	const struct socket *s = f->private_data;

	return READ_ONCE(s->sndtimeo_ns);
}

static int64_t file_ioctl(struct file *f, unsigned cmd, uintptr_t arg)
{
	struct socket *s = f->private_data;

	return s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
}

static void file_fdinfo(struct file *f, struct text *out)
{
	struct socket *s = f->private_data;

	if (s->ops->fdinfo)
		s->ops->fdinfo(s, out);
}

static void file_release(struct file *f)
{
	struct socket *s = f->private_data;

	s->ops->release(s);
}

static const struct file_ops socket_file_ops = {
	.name = "socket",
	.read = file_read,
	.write = file_write,
	.poll = file_poll,
	.waitq = file_waitq,
	.wait_limit = file_wait_limit,
	.ioctl = file_ioctl,
	.fdinfo = file_fdinfo,
	.release = file_release,
};

int socket_open_file(struct socket *s, unsigned flags, struct file **out)
{
	int err = file_open_anonymous(&s->file, &socket_file_ops, "socket", s,
		O_RDWR | (flags & O_NONBLOCK),
		FILE_READ | FILE_WRITE | FILE_STREAM | FILE_NEW_SOCKET);

	if (err)
		s->ops->release(s);
	else
		*out = s->file;
	return err;
}

struct socket *socket_of(const struct file *f)
{
	return f->ops == &socket_file_ops ? f->private_data : NULL;
}
