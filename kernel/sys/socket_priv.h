// SPDX-License-Identifier: MIT
/* Between socket.c (everything but messages) and message.c. */
#pragma once

#include "net/socket.h"
#include "uaccess/uaccess.h"

/* -EINVAL, -EFAULT. */
MUST_CHECK int socket_addr_read(struct socket_addr *a, uptr from, int len);
/* The address, cut to what *user_len says, and its whole length there. -EFAULT, -EINVAL. */
MUST_CHECK int socket_addr_write(const struct socket_addr *a, uptr to, uptr user_len);
