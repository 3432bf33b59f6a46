// SPDX-License-Identifier: MIT
/*
 * Messages and addresses as programs describe them, for whichever door they come by. What a program
 * gives is read once; of what it is told the members are written one by one.
 */
#pragma once

#include "net/socket.h"
#include "uaccess/uaccess.h"

/* -EINVAL, -EFAULT. */
MUST_CHECK int socket_addr_read(struct socket_addr *a, uptr from, int len);
/* The address, cut to what *user_len says, and its whole length there. -EFAULT, -EINVAL. */
MUST_CHECK int socket_addr_write(const struct socket_addr *a, uptr to, uptr user_len);

/* Reads struct msghdr and checks it; the vector is the caller's to read. -EFAULT, -EINVAL, -EMSGSIZE. */
MUST_CHECK int message_read_header(struct user_msghdr *h, uptr msg);
/* Where a message with this header is sent to: man 2 sendmsg. Only if there is a name. */
MUST_CHECK int message_read_addr(const struct user_msghdr *h, struct socket_addr *a);
/* After recvmsg: the sender's address, the flags, and how long the control messages are. -EFAULT. */
MUST_CHECK int message_write_results(uptr msg, const struct user_msghdr *h,
	const struct socket_msg *m, const struct control_recv *control, unsigned flags);

/*
 * An accepted socket gets its file, and the program its address (where addr is not null). flags:
 * SOCK_NONBLOCK. A connection that cannot be handed over is closed, as on Linux.
 * Returns  -ENFILE, -ENOMEM, -ECONNABORTED, -EFAULT, -EINVAL
 */
MUST_CHECK int socket_open_accepted(
	struct socket *s, int flags, uptr addr, uptr len, struct file **out);
