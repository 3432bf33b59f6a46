// SPDX-License-Identifier: MIT
/* unix(7): credentials that travel with bytes, and what may be read together. */
#include "unix.h"

struct seen {
	struct ucred cred;
	char buf[16];
	bool has_cred;
};

static ssize_t recv_cred(int fd, struct seen *s, size_t len, int flags)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(struct ucred)) * 3];
	} control;
	struct iovec iov = {s->buf, len};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &msg, flags);
	struct cmsghdr *head = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);

	s->has_cred = head && head->cmsg_type == SCM_CREDENTIALS;
	if (s->has_cred)
		memcpy(&s->cred, CMSG_DATA(head), sizeof(s->cred));
	return n;
}

/* Nobody can know yet whether they will be asked for. */
TEST(unix_cred, come_with_bytes_sent_before_accept)
{
	int l = listener("l"), c = sock(SOCK_STREAM), a;
	struct seen s;

	CHECK_OK(connect_to(c, "l"));
	CHECK_EQ(write(c, "x", 1), 1);
	a = CHECK_OK(accept(l, NULL, NULL));
	set_option(a, SO_PASSCRED, 1);
	CHECK_EQ(recv_cred(a, &s, 8, 0), 1);
	CHECK(s.has_cred);
	CHECK_EQ(s.cred.pid, getpid());
	CHECK_EQ(s.cred.uid, getuid());
	CHECK_EQ(s.cred.gid, getgid());
}

/* Writes "ab" as itself and then, when `to` says so, "cd" as another process. */
static pid_t two_writers(int fd, int gap_ms)
{
	pid_t pid = CHECK_OK(fork());

	if (!pid) {
		wait_until_sleeping(getppid());
		CHECK_EQ(write(fd, "ab", 2), 2);
		IN_CHILD(sleep_ms((unsigned)gap_ms); CHECK_EQ(write(fd, "cd", 2), 2));
		_exit(0);
	}
	return pid;
}

TEST(unix_cred, of_two_writers_are_not_mixed_by_waiting_for_all)
{
	struct seen s;
	pid_t pid;
	int fd[2];

	pair(fd, SOCK_STREAM);
	set_option(fd[1], SO_PASSCRED, 1);
	pid = two_writers(fd[0], 100);
	CHECK_EQ(recv_cred(fd[1], &s, 4, MSG_WAITALL), 2);
	CHECK_EQ(s.cred.pid, pid);
	CHECK_EQ(recv_cred(fd[1], &s, 4, MSG_DONTWAIT), 2);
	CHECK(s.cred.pid != pid && s.cred.pid != 0);
	CHECK_MEM(s.buf, "cd", 2);
	EXPECT_CHILD(pid, 0);
}

TEST(unix_cred, of_one_writer_may_come_in_pieces)
{
	struct seen s;
	pid_t pid;
	int fd[2];

	pair(fd, SOCK_STREAM);
	set_option(fd[1], SO_PASSCRED, 1);
	CHECK_OK(pid = fork());
	if (!pid) {
		for (int i = 0; i < 3; i++) {
			sleep_ms(30);
			CHECK_EQ(write(fd[0], "ab", 2), 2);
		}
		_exit(0);
	}
	CHECK_EQ(recv_cred(fd[1], &s, 6, MSG_WAITALL), 6);
	CHECK_EQ(s.cred.pid, pid);
	EXPECT_CHILD(pid, 0);
}

/* Without SO_PASSCRED nobody is named, and all bytes are one. */
TEST(unix_cred, of_two_writers_do_not_matter_to_who_does_not_ask)
{
	char buf[4];
	pid_t pid;
	int fd[2];

	pair(fd, SOCK_STREAM);
	pid = two_writers(fd[0], 30);
	CHECK_EQ(recv(fd[1], buf, 4, MSG_WAITALL), 4);
	CHECK_MEM(buf, "abcd", 4);
	EXPECT_CHILD(pid, 0);
}

TEST(unix_cred, of_the_end)
{
	struct iovec iov = {(char[1]){0}, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct seen s;
	int fd[2];

	pair(fd, SOCK_STREAM);
	set_option(fd[1], SO_PASSCRED, 1);
	CHECK_EQ(write(fd[0], "ab", 2), 2);
	CHECK_OK(close(fd[0]));
	CHECK_EQ(recv_cred(fd[1], &s, 8, MSG_WAITALL), 2);
	CHECK_EQ(s.cred.pid, getpid());
	CHECK_EQ(recv_cred(fd[1], &s, 8, 0), 0);
	CHECK(s.has_cred);
	SHOW("pid %d uid %d gid %d", s.cred.pid, s.cred.uid, s.cred.gid);
	CHECK_EQ(recvmsg(fd[1], &msg, 0), 0);
	SHOW("flags %#x", msg.msg_flags);
	iov.iov_len = 0;
	CHECK_EQ(recv_cred(fd[1], &s, 0, MSG_PEEK), 0);
	CHECK(s.has_cred);
	pair(fd, SOCK_SEQPACKET);
	set_option(fd[1], SO_PASSCRED, 1);
	CHECK_OK(close(fd[0]));
	CHECK_EQ(recv_cred(fd[1], &s, 8, 0), 0);
	CHECK(!s.has_cred);
	pair(fd, SOCK_DGRAM);
	set_option(fd[1], SO_PASSCRED, 1);
	CHECK_OK(shutdown(fd[1], SHUT_RD));
	CHECK_EQ(recv_cred(fd[1], &s, 8, 0), 0);
	CHECK(!s.has_cred);
}
