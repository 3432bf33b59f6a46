// SPDX-License-Identifier: MIT
/*
 * Options of level SOL_SOCKET; other levels, and what only one family knows, go to the family.
 *
 * Those that Linux only accepts where a network device is behind the socket are not here:
 * -ENOPROTOOPT, as for an option that does not exist.
 *
 * Spec    man 7 socket
 */
#include <asm/poll.h>
#include <linux/capability.h>
#include <linux/time_types.h>

#include "lib/atomic.h"
#include "net/socket.h"
#include "proc/cred.h"
#include "time/clock.h"

enum {
	BUF_MAX = 212992, /* net.core.wmem_max, rmem_max */
	SNDBUF_MIN = 4608,
	RCVBUF_MIN = 2304,
	PRIORITY_UNPRIVILEGED_MAX = 6,
};

/* Options that are one bit. 0: none of them. */
static uint32_t flag_of_option(int name)
{
	switch (name) {
	case SO_REUSEADDR:
		return SOCKET_REUSE_ADDR;
	case SO_KEEPALIVE:
		return SOCKET_KEEP_ALIVE;
	case SO_BROADCAST:
		return SOCKET_BROADCAST;
	case SO_OOBINLINE:
		return SOCKET_OOB_INLINE;
	case SO_REUSEPORT:
		return SOCKET_REUSE_PORT;
	case SO_DONTROUTE:
		return SOCKET_DONT_ROUTE;
	case SO_PASSCRED:
		return SOCKET_PASS_CRED;
	}
	return 0;
}

static void set_flag(struct socket *s, uint32_t flag, bool on)
{
	if (on)
		atomic_or(&s->flags, flag);
	else
		atomic_and(&s->flags, ~flag);
}

/* ---- Setting ---- */

/* man 7 socket: doubled, for what the kernel needs besides the bytes. */
static uint32_t buf_size(int value, bool is_forced, uint32_t least)
{
	uint32_t n = (uint32_t)value;

	if (is_forced)
		n = value < 0 ? 0 : MIN(n, (uint32_t)INT32_MAX / 2);
	else
		n = MIN(n, (uint32_t)BUF_MAX);
	return MAX(n * 2, least);
}

static void set_sndbuf(struct socket *s, uint32_t size)
{
	WRITE_ONCE(s->sndbuf, size);
	/* there may be room now; who finds none waits on */
	waitq_wake_all(&s->writable, POLLOUT | POLLWRNORM | POLLWRBAND);
}

static int set_buf(struct socket *s, int name, int value)
{
	bool is_forced = name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE;

	if (is_forced && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (name == SO_SNDBUF || name == SO_SNDBUFFORCE)
		set_sndbuf(s, buf_size(value, is_forced, SNDBUF_MIN));
	else
		WRITE_ONCE(s->rcvbuf, buf_size(value, is_forced, RCVBUF_MIN));
	return 0;
}

static int set_timeout(uint64_t *timeout, uptr value, int len)
{
	struct __kernel_old_timeval tv;

	if (len < (int)sizeof(tv))
		return -EINVAL;
	if (user_get(tv, value))
		return -EFAULT;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0)
		WRITE_ONCE(*timeout, 0);
	else if ((!tv.tv_sec && !tv.tv_usec) ||
		 (uint64_t)tv.tv_sec >= UINT64_MAX / NS_PER_SEC - 1)
		WRITE_ONCE(*timeout, WAIT_FOREVER);
	else
		WRITE_ONCE(*timeout,
			(uint64_t)tv.tv_sec * NS_PER_SEC + (uint64_t)tv.tv_usec * NS_PER_US);
	return 0;
}

struct linger_option {
	int on, seconds;
};

static int set_linger(struct socket *s, uptr value, int len)
{
	struct linger_option l;

	if (len < (int)sizeof(l))
		return -EINVAL;
	if (user_get(l, value))
		return -EFAULT;
	set_flag(s, SOCKET_LINGER, l.on);
	if (l.on)
		WRITE_ONCE(s->linger_s, l.seconds);
	return 0;
}

/* Linux: since 5.17 either is enough. */
static bool may_mark(void)
{
	return capable(CAP_NET_RAW) || capable(CAP_NET_ADMIN);
}

static int set_number(struct socket *s, int name, int value)
{
	switch (name) {
	case SO_RCVLOWAT:
		WRITE_ONCE(s->rcvlowat, value < 0 ? INT32_MAX : value ? (uint32_t)value : 1);
		return 0;
	case SO_PRIORITY:
		if ((value < 0 || value > PRIORITY_UNPRIVILEGED_MAX) && !may_mark())
			return -EPERM;
		WRITE_ONCE(s->priority, (uint32_t)value);
		return 0;
	case SO_MARK:
		if (!may_mark())
			return -EPERM;
		WRITE_ONCE(s->mark, (uint32_t)value);
		return 0;
	case SO_PEEK_OFF:
		if (s->family != AF_UNIX)
			return -EOPNOTSUPP;
		WRITE_ONCE(s->peek_off, value);
		return 0;
	}
	return -ENOPROTOOPT;
}

int socket_set_option(struct socket *s, int level, int name, uptr value, int len)
{
	uint32_t flag;
	int number;

	if (len < 0)
		return -EINVAL;
	if (level != SOL_SOCKET)
		return s->ops->set_option
			       ? s->ops->set_option(s, level, name, value, (unsigned)len)
			       : -EOPNOTSUPP;
	if (len < (int)sizeof(number))
		return -EINVAL;
	if (user_get(number, value))
		return -EFAULT;
	flag = flag_of_option(name);
	if (flag) {
		set_flag(s, flag, number);
		return 0;
	}
	switch (name) {
	case SO_SNDBUF:
	case SO_RCVBUF:
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		return set_buf(s, name, number);
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return set_timeout(&s->rcvtimeo_ns, value, len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return set_timeout(&s->sndtimeo_ns, value, len);
	case SO_LINGER:
		return set_linger(s, value, len);
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR:
	case SO_ACCEPTCONN:
		return -ENOPROTOOPT; /* only to be read */
	}
	return set_number(s, name, number);
}

/* ---- Reading ---- */

static int put(uptr value, unsigned *len, const void *from, size_t size)
{
	*len = MIN(*len, (unsigned)size);
	return user_write(value, from, *len);
}

static int put_timeout(uint64_t ns, uptr value, unsigned *len)
{
	struct __kernel_old_timeval tv = {0};

	if (ns != WAIT_FOREVER) {
		tv.tv_sec = (long)(ns / NS_PER_SEC);
		tv.tv_usec = (long)(ns % NS_PER_SEC / NS_PER_US);
	}
	return put(value, len, &tv, sizeof(tv));
}

static int put_peer_name(struct socket *s, uptr value, unsigned *len)
{
	struct socket_addr a;

	if (s->ops->get_name(s, true, &a))
		return -ENOTCONN;
	if (a.len < *len)
		return -EINVAL;
	return user_write(value, a.bytes, *len);
}

/* Options that are one number: whether it is one, and the number. */
static bool number_of_option(struct socket *s, int name, int *number)
{
	uint32_t flag = flag_of_option(name);

	switch (name) {
	case SO_TYPE:
		*number = s->type;
		break;
	case SO_DOMAIN:
		*number = s->family;
		break;
	case SO_PROTOCOL:
		*number = s->protocol;
		break;
	case SO_ERROR:
		*number = -socket_take_error(s);
		break;
	case SO_SNDBUF:
		*number = (int)s->sndbuf;
		break;
	case SO_RCVBUF:
		*number = (int)s->rcvbuf;
		break;
	case SO_RCVLOWAT:
		*number = (int)s->rcvlowat;
		break;
	case SO_SNDLOWAT:
		*number = 1;
		break;
	case SO_PRIORITY:
		*number = (int)s->priority;
		break;
	case SO_MARK:
		*number = (int)s->mark;
		break;
	case SO_PEEK_OFF:
		*number = s->peek_off;
		return s->family == AF_UNIX;
	case SO_ACCEPTCONN:
		*number = !!(s->flags & SOCKET_LISTENS);
		break;
	default:
		*number = !!(s->flags & flag);
		return flag;
	}
	return true;
}

static int get_option(struct socket *s, int level, int name, uptr value, unsigned *len)
{
	struct linger_option l;
	int number;

	if (level != SOL_SOCKET)
		return s->ops->get_option ? s->ops->get_option(s, level, name, value, len)
					  : -EOPNOTSUPP;
	if (number_of_option(s, name, &number))
		return put(value, len, &number, sizeof(number));
	switch (name) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return put_timeout(s->rcvtimeo_ns, value, len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return put_timeout(s->sndtimeo_ns, value, len);
	case SO_LINGER:
		l.on = !!(s->flags & SOCKET_LINGER);
		l.seconds = s->linger_s;
		return put(value, len, &l, sizeof(l));
	case SO_PEERNAME:
		return put_peer_name(s, value, len);
	}
	return s->ops->get_option ? s->ops->get_option(s, level, name, value, len)
				  : -ENOPROTOOPT;
}

int socket_get_option(struct socket *s, int level, int name, uptr value, uptr user_len)
{
	unsigned len;
	int room, err;

	if (user_get(room, user_len))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	len = (unsigned)room;
	err = get_option(s, level, name, value, &len);
	/* -ERANGE tells how much it takes (SO_PEERGROUPS) */
	if ((!err || err == -ERANGE) && user_put(user_len, len))
		return -EFAULT;
	return err;
}
