// SPDX-License-Identifier: MIT
/*
 * What the tests of unix sockets share: sockets with names, pairs, descriptors that travel.
 */
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "guest.h"

static inline struct sockaddr_un name_of(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
	return un;
}

static inline int bind_to(int fd, const char *path)
{
	struct sockaddr_un un = name_of(path);

	return bind(fd, (struct sockaddr *)&un, sizeof(un));
}

static inline int connect_to(int fd, const char *path)
{
	struct sockaddr_un un = name_of(path);

	return connect(fd, (struct sockaddr *)&un, sizeof(un));
}

static inline int sock(int type)
{
	return CHECK_OK(socket(AF_UNIX, type, 0));
}

static inline int listener(const char *path)
{
	int fd = sock(SOCK_STREAM);

	CHECK_OK(bind_to(fd, path));
	CHECK_OK(listen(fd, 5));
	return fd;
}

static inline void set_option(int fd, int name, int value)
{
	CHECK_OK(setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)));
}

static inline int get_option(int fd, int name)
{
	int value;
	socklen_t len = sizeof(value);

	CHECK_OK(getsockopt(fd, SOL_SOCKET, name, &value, &len));
	return value;
}

static inline ssize_t send_to(int fd, const char *path, const void *buf, size_t len, int flags)
{
	struct sockaddr_un un = name_of(path);

	return sendto(fd, buf, len, flags, (struct sockaddr *)&un, sizeof(un));
}

static inline void pair(int fd[2], int type)
{
	CHECK_OK(socketpair(AF_UNIX, type, 0, fd));
}

static inline void send_fd(int to, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	CHECK_EQ(sendmsg(to, &msg, 0), 1);
}

/* The descriptor that came; -1 for none. */
static inline int recv_fd(int from, int flags, int *msg_flags)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int) * 4)];
	} control;
	char c;
	struct iovec iov = {&c, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *head;
	int fd = -1;

	CHECK_EQ(recvmsg(from, &msg, flags), 1);
	head = CMSG_FIRSTHDR(&msg);
	if (head && head->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(head), sizeof(int));
	if (msg_flags)
		*msg_flags = msg.msg_flags;
	return fd;
}
