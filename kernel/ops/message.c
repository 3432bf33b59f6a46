// SPDX-License-Identifier: MIT
/*
 * Decoding of addresses and of struct msghdr; what accept and recvmsg tell.
 *
 * Spec    man 2 sendmsg, recvmsg, accept
 */
#include "ops/message.h"

#include <linux/fcntl.h>

#include "proc/given.h"
#include "uaccess/iter.h"

#define MEMBER(msg, member) uptr_add(msg, offsetof(struct user_msghdr, member))

/* ---- Addresses ---- */

int socket_addr_read(struct socket_addr *a, uptr from, int len)
{
	if (len < 0 || len > SOCKET_ADDR_MAX)
		return -EINVAL;
	a->len = (unsigned)len;
	a->family = AF_UNSPEC;
	return given_read(a->bytes, from, a->len);
}

int socket_addr_write(const struct socket_addr *a, uptr to, uptr user_len)
{
	int room;

	if (user_get(room, user_len))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (user_write(to, a->bytes, MIN((unsigned)room, a->len)))
		return -EFAULT;
	return user_put(user_len, a->len);
}

/* ---- struct msghdr ---- */

int message_read_header(struct user_msghdr *h, uptr msg)
{
	if (user_get(*h, msg))
		return -EFAULT;
	if (!h->name)
		h->name_len = 0;
	if (h->name_len < 0)
		return -EINVAL;
	return h->iov_len > ITER_MAX_SEGMENTS ? -EMSGSIZE : 0;
}

int message_read_addr(const struct user_msghdr *h, struct socket_addr *a)
{
	return socket_addr_read(a, UPTR(h->name), MIN(h->name_len, (int)SOCKET_ADDR_MAX));
}

int message_write_results(uptr msg, const struct user_msghdr *h, const struct socket_msg *m,
	const struct control_recv *control, unsigned flags)
{
	uint32_t out_flags = m->out_flags | (flags & MSG_CMSG_CLOEXEC);
	uint64_t used = control->used;

	if (control->is_cut)
		out_flags |= MSG_CTRUNC;
	if (h->name && socket_addr_write(m->addr, UPTR(h->name), MEMBER(msg, name_len)))
		return -EFAULT;
	if (user_put(MEMBER(msg, flags), out_flags))
		return -EFAULT;
	return user_put(MEMBER(msg, control_len), used);
}

/* ---- Accepting ---- */

int socket_open_accepted(struct socket *s, int flags, uptr addr, uptr len, struct file **out)
{
	struct socket_addr a;
	struct file *f;
	int err = socket_open_file(s, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0, &f);

	if (err)
		return err;
	if (!uptr_is_null(addr)) {
		err = s->ops->get_name(s, true, &a) ? -ECONNABORTED : 0;
		if (!err)
			err = socket_addr_write(&a, addr, len);
		if (err) {
			file_put(f);
			return err;
		}
	}
	*out = f;
	return 0;
}
