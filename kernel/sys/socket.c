// SPDX-License-Identifier: MIT
/* socket, socketpair, bind, connect, listen, accept, names, options, shutdown. */
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "ops/message.h"
#include "ops/socket.h"
#include "proc/proc.h"
#include "sys/syscall.h"

/* ---- Descriptors ---- */

static int reserve(int *fd)
{
	return fd_reserve(uthread_current()->files, 0, proc_rlimit(RLIMIT_NOFILE), fd);
}

static void unreserve(int fd)
{
	fd_unreserve(uthread_current()->files, fd);
}

static void install(int fd, struct file *f, int type_flags)
{
	fd_install(uthread_current()->files, fd, f, type_flags & SOCK_CLOEXEC);
}

static int check_type_flags(int type)
{
	return type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK) ? -EINVAL : 0;
}

/* Errors: EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOMEM, EPROTONOSUPPORT, ESOCKTNOSUPPORT. */
SYSCALL3(socket, int, family, int, type, int, protocol)
{
	struct socket *s;
	struct file *f;
	int fd, err;

	err = check_type_flags(type);
	if (!err)
		err = socket_create(family, type & SOCK_TYPE_MASK, protocol, &s);
	if (!err)
		err = socket_open_file(s, type & SOCK_NONBLOCK ? O_NONBLOCK : 0, &f);
	if (err)
		return err;
	err = reserve(&fd);
	if (err) {
		file_put(f);
		return err;
	}
	install(fd, f, type);
	return fd;
}

static int open_pair(struct socket *s[2], unsigned flags, struct file *f[2])
{
	int err = socket_open_file(s[0], flags, &f[0]);

	if (err) {
		s[1]->ops->release(s[1]);
		return err;
	}
	err = socket_open_file(s[1], flags, &f[1]);
	if (err)
		file_put(f[0]);
	return err;
}

SYSCALL4(socketpair, int, family, int, type, int, protocol, uptr, user_fds)
{
	struct socket *s[2];
	struct file *f[2];
	int fd[2], err;

	err = check_type_flags(type);
	if (err)
		return err;
	err = reserve(&fd[0]);
	if (err)
		return err;
	err = reserve(&fd[1]);
	if (err)
		goto unreserve_0;
	err = user_put(user_fds, fd);
	if (!err)
		err = socket_create_pair(family, type & SOCK_TYPE_MASK, protocol, s);
	if (!err)
		err = open_pair(s, type & SOCK_NONBLOCK ? O_NONBLOCK : 0, f);
	if (err)
		goto unreserve_1;
	install(fd[0], f[0], type);
	install(fd[1], f[1], type);
	return 0;

unreserve_1:
	unreserve(fd[1]);
unreserve_0:
	unreserve(fd[0]);
	return err;
}

/* ---- Names and connections ---- */

SYSCALL3(bind, int, fd, uptr, addr, int, len)
{
	struct socket_borrowed b;
	struct socket_addr a;
	int err = socket_borrow(fd, &b);

	if (err)
		return err;
	err = socket_addr_read(&a, addr, len);
	if (!err)
		err = b.socket->ops->bind ? b.socket->ops->bind(b.socket, &a) : -EOPNOTSUPP;
	fd_release(b.file);
	return err;
}

SYSCALL3(connect, int, fd, uptr, addr, int, len)
{
	struct socket_borrowed b;
	struct socket_addr a;
	struct socket_op o;
	int err = socket_borrow(fd, &b);

	if (err)
		return err;
	err = socket_addr_read(&a, addr, len);
	if (!err && !b.socket->ops->connect)
		err = -EOPNOTSUPP;
	if (err) {
		fd_release(b.file);
		return err;
	}
	socket_connect_prepare(&o, b, &a);
	return op_run(&o.op);
}

SYSCALL2(listen, int, fd, int, backlog)
{
	struct socket_borrowed b;
	int err = socket_borrow(fd, &b);

	if (err)
		return err;
	if ((unsigned)backlog > SOMAXCONN_DEFAULT)
		backlog = SOMAXCONN_DEFAULT;
	err = b.socket->ops->listen ? b.socket->ops->listen(b.socket, (unsigned)backlog)
				    : -EOPNOTSUPP;
	fd_release(b.file);
	return err;
}

/* Linux: what kind of file it is comes last (unix_error.accept_looks_at_the_socket_last). */
static int begin_accept(struct socket_borrowed *b, int *fd)
{
	int err = reserve(fd);

	if (err)
		return err;
	b->socket = socket_of(b->file.file);
	if (LIKELY(b->socket && b->socket->ops->accept))
		return 0;
	unreserve(*fd);
	return b->socket ? -EOPNOTSUPP : -ENOTSOCK;
}

static int64_t accept_common(int listener, uptr addr, uptr len, int flags)
{
	struct socket_borrowed b = {.file = fd_borrow(listener)};
	struct socket_op o;
	struct file *f;
	int64_t n;
	int fd, err;

	if (!b.file.file)
		return -EBADF;
	err = flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) ? -EINVAL : begin_accept(&b, &fd);
	if (err) {
		fd_release(b.file);
		return err;
	}
	socket_accept_prepare(&o, b);
	n = op_run(&o.op);
	if (!n)
		n = socket_open_accepted(o.accepted, flags, addr, len, &f);
	if (n) {
		unreserve(fd);
		return n;
	}
	install(fd, f, flags);
	return fd;
}

SYSCALL3(accept, int, fd, uptr, addr, uptr, len)
{
	return accept_common(fd, addr, len, 0);
}

/* Errors: EBADF, ENOTSOCK, EINVAL, EOPNOTSUPP, EMFILE, EAGAIN, EFAULT, ECONNABORTED. */
SYSCALL4(accept4, int, fd, uptr, addr, uptr, len, int, flags)
{
	return accept_common(fd, addr, len, flags);
}

static int64_t get_name(int fd, bool peer, uptr addr, uptr len)
{
	struct socket_borrowed b;
	struct socket_addr a;
	int err = socket_borrow(fd, &b);

	if (err)
		return err;
	err = b.socket->ops->get_name(b.socket, peer, &a);
	fd_release(b.file);
	return err ? err : socket_addr_write(&a, addr, len);
}

SYSCALL3(getsockname, int, fd, uptr, addr, uptr, len)
{
	return get_name(fd, false, addr, len);
}

SYSCALL3(getpeername, int, fd, uptr, addr, uptr, len)
{
	return get_name(fd, true, addr, len);
}

SYSCALL2(shutdown, int, fd, int, how)
{
	struct socket_borrowed b;
	int err = socket_borrow(fd, &b);

	if (err)
		return err;
	err = how < SHUT_RD || how > SHUT_RDWR ? -EINVAL
					       : b.socket->ops->shutdown(b.socket, how);
	fd_release(b.file);
	return err;
}

/* ---- Options ---- */

SYSCALL5(setsockopt, int, fd, int, level, int, name, uptr, value, int, len)
{
	struct socket_borrowed b;
	int err = len < 0 ? -EINVAL : socket_borrow(fd, &b);

	if (err)
		return err;
	err = socket_set_option(b.socket, level, name, value, len);
	fd_release(b.file);
	return err;
}

SYSCALL5(getsockopt, int, fd, int, level, int, name, uptr, value, uptr, len)
{
	struct socket_borrowed b;
	int err = socket_borrow(fd, &b);

	if (err)
		return err;
	err = socket_get_option(b.socket, level, name, value, len);
	fd_release(b.file);
	return err;
}
