// SPDX-License-Identifier: MIT
/* sendmsg(2), recvmsg(2) and their plural: what of a message is not as it should be. */
#include "unix.h"

#include <sys/mman.h>

union fd_space {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

static void *const nowhere = (void *)8;

static unsigned nr_open(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What cannot be copied is lost, and its descriptors are not left behind with somebody who heard of none. */
TEST(unix_message, bad_buffer_brings_no_descriptor)
{
	union fd_space control;
	struct iovec iov = {nowhere, 9};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	unsigned before;
	int fd[2];

	pair(fd, SOCK_DGRAM);
	before = nr_open();
	send_fd(fd[0], 0);
	CHECK_ERRNO(recvmsg(fd[1], &msg, 0), EFAULT);
	CHECK_EQ(nr_open(), before);
	CHECK_ERRNO(recvmsg(fd[1], &msg, MSG_DONTWAIT), EAGAIN);
}

/* Bytes that came before a descriptor's are good; it stays with its own. */
TEST(unix_message, bad_buffer_leaves_a_streams_descriptor)
{
	char buf[2];
	union fd_space control;
	struct iovec iov[2] = {{buf, 2}, {nowhere, 3}};
	struct msghdr msg = {.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "ab", 2), 2);
	send_fd(fd[0], 0);
	CHECK_EQ(recvmsg(fd[1], &msg, 0), 2);
	CHECK_EQ(msg.msg_controllen, 0);
	CHECK(recv_fd(fd[1], 0, NULL) > 2);
}

/* A message of which a part was sent is counted, and the last. */
TEST(unix_message, partial_one_ends_sendmmsg)
{
	enum { LEN = 131072 };
	char *m = mmap(
		NULL, LEN + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec first[2] = {{m, LEN}, {nowhere, 1000}}, second = {"zz", 2};
	struct mmsghdr msgs[2] = {{.msg_hdr = {.msg_iov = first, .msg_iovlen = 2}},
		{.msg_hdr = {.msg_iov = &second, .msg_iovlen = 1}}};
	int fd[2];

	CHECK(m != MAP_FAILED);
	pair(fd, SOCK_STREAM);
	set_option(fd[0], SO_SNDBUF, 400000);
	CHECK_EQ(syscall(SYS_sendmmsg, fd[0], msgs, 2, MSG_DONTWAIT), 1);
	CHECK(msgs[0].msg_len > 0 && msgs[0].msg_len <= LEN);
	CHECK_EQ(msgs[1].msg_len, 0);
}

TEST(unix_message, address_of_no_length_is_none)
{
	struct sockaddr_un un;
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_EQ(sendto(fd[0], "x", 1, 0, (struct sockaddr *)&un, 0), 1);
	CHECK_EQ(sendto(fd[0], "x", 1, 0, nowhere, 0), 1);
	CHECK_ERRNO(sendto(fd[0], "x", 1, 0, (struct sockaddr *)&un, 2), EISCONN);
	CHECK_ERRNO(sendto(fd[0], "x", 1, 0, (struct sockaddr *)&un, -1), EINVAL);
	pair(fd, SOCK_DGRAM);
	CHECK_EQ(sendto(fd[0], "x", 1, 0, (struct sockaddr *)&un, 0), 1);
}

TEST(unix_message, control_that_is_nowhere)
{
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_controllen = 20};
	int fd[2];

	pair(fd, SOCK_STREAM);
	/* not by the C library, which copies it */
	CHECK_ERRNO(syscall(SYS_sendmsg, fd[0], &msg, 0), EFAULT);
	msg.msg_control = nowhere;
	CHECK_ERRNO(syscall(SYS_sendmsg, fd[0], &msg, 0), EFAULT);
}

static int claim(int fd, pid_t pid, uid_t uid, gid_t gid)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(struct ucred)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_CREDENTIALS}};
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct ucred cred = {pid, uid, gid};

	memcpy(CMSG_DATA(&control.head), &cred, sizeof(cred));
	return (int)sendmsg(fd, &msg, 0);
}

TEST(unix_message, credentials_of_nobody)
{
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_EQ(claim(fd[0], getpid(), 5, 6), 1);
	CHECK_ERRNO(claim(fd[0], getpid(), (uid_t)-1, getgid()), EINVAL);
	CHECK_ERRNO(claim(fd[0], getpid(), getuid(), (gid_t)-1), EINVAL);
}

/* man 2 recvmmsg names no limit; each of these is an end. */
TEST(unix_message, as_many_as_are_asked_for)
{
	static struct mmsghdr msgs[2000];
	int fd[2];

	pair(fd, SOCK_STREAM);
	close(fd[0]);
	CHECK_EQ(syscall(SYS_recvmmsg, fd[1], msgs, 2000, 0, NULL), 2000);
}

/* What can be copied only in part stays, all of it. */
TEST(unix_message, bad_buffer_leaves_a_streams_message)
{
	enum { LEN = 6000, PAGE = 4096 };
	static char sent[LEN], got[LEN];
	char *m = mmap(
		NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = m + PAGE - 100;
	int fd[2];

	CHECK(m != MAP_FAILED);
	CHECK_OK(munmap(m + PAGE, PAGE));
	for (unsigned i = 0; i < LEN; i++)
		sent[i] = (char)(i * 7 + i / 256);
	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], sent, LEN), LEN);
	CHECK_ERRNO(read(fd[1], end, LEN), EFAULT);
	CHECK_ERRNO(recv(fd[1], end, LEN, MSG_PEEK), EFAULT);
	CHECK_EQ(read(fd[1], got, 1), 1);
	CHECK_ERRNO(recv(fd[1], end, LEN, 0), EFAULT);
	CHECK_EQ(read(fd[1], got + 1, LEN), LEN - 1);
	CHECK_MEM(got, sent, LEN);
	/* behind one that was copied */
	CHECK_EQ(write(fd[0], sent, 50), 50);
	CHECK_EQ(write(fd[0], sent, LEN), LEN);
	CHECK_EQ(read(fd[1], end, LEN), 50);
	CHECK_MEM(end, sent, 50);
	CHECK_EQ(read(fd[1], got, LEN), LEN);
	CHECK_MEM(got, sent, LEN);
}

/* recvmsg without room for a byte, but for control messages; the descriptor that came, or -1. */
static int recv_nothing(int from, int flags, int *msg_flags)
{
	union fd_space control;
	struct msghdr msg = {.msg_control = &control, .msg_controllen = sizeof(control)};
	int fd = -1;

	CHECK_EQ(recvmsg(from, &msg, flags), 0);
	if (msg.msg_controllen)
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(int));
	*msg_flags = msg.msg_flags;
	return fd;
}

TEST(unix_message, stream_gives_descriptors_without_room_for_bytes)
{
	int fd[2], flags;
	char c;

	pair(fd, SOCK_STREAM);
	send_fd(fd[0], 0);
	send_fd(fd[0], 0);
	CHECK(recv_nothing(fd[1], MSG_PEEK, &flags) > fd[1]);
	CHECK(recv_nothing(fd[1], 0, &flags) > fd[1]);
	CHECK_EQ(flags, 0);
	CHECK_EQ(recv_nothing(fd[1], 0, &flags), -1);
	CHECK_EQ(flags, 0);
	CHECK_EQ(recv_fd(fd[1], 0, NULL), -1);
	/* read(2) does not ask for bytes, recv(2) takes no descriptors */
	CHECK_EQ(read(fd[1], &c, 0), 0);
	CHECK(recv_nothing(fd[1], MSG_PEEK, &flags) > fd[1]);
	CHECK_EQ(recv(fd[1], &c, 0, 0), 0);
	CHECK_EQ(recv_fd(fd[1], 0, NULL), -1);
}

TEST(unix_message, stream_says_who_wrote_without_room_for_bytes)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct sockaddr_un un;
	struct msghdr msg = {.msg_control = &control,
		.msg_controllen = sizeof(control),
		.msg_name = &un,
		.msg_namelen = sizeof(un)};
	struct ucred cred;
	int l = listener("l"), c = sock(SOCK_STREAM), a;

	CHECK_OK(bind_to(c, "c"));
	CHECK_OK(connect_to(c, "l"));
	a = CHECK_OK(accept(l, NULL, NULL));
	set_option(a, SO_PASSCRED, 1);
	CHECK_EQ(write(c, "x", 1), 1);
	CHECK_EQ(recvmsg(a, &msg, 0), 0);
	CHECK_EQ(msg.msg_controllen, sizeof(control));
	memcpy(&cred, CMSG_DATA(&control.head), sizeof(cred));
	CHECK_EQ(cred.pid, getpid());
	CHECK_STREQ(un.sun_path, "c");
	CHECK_EQ(msg.msg_flags, 0);
	CHECK_EQ(read(a, &control, 2), 1);
}
