// SPDX-License-Identifier: MIT
/* unix(7), socket(2) and its calls: stream, datagram and packet sockets, names, passing descriptors and credentials. */
#include "unix.h"

#include <poll.h>
#include <sys/ioctl.h>

TEST(unix_socket, socket_errors)
{
	CHECK_ERRNO(socket(AF_UNIX, 99, 0), EINVAL);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 9), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_EQ(fcntl(sock(SOCK_STREAM | SOCK_CLOEXEC), F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(sock(SOCK_STREAM | SOCK_NONBLOCK), F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(listen(0, 1), ENOTSOCK);
	CHECK_ERRNO(listen(99, 1), EBADF);
}

TEST(unix_socket, stream_pair)
{
	char buf[16];
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "hello", 5), 5);
	CHECK_EQ(write(fd[0], " you", 4), 4);
	CHECK_EQ(read(fd[1], buf, 16), 9); /* no boundaries */
	CHECK_MEM(buf, "hello you", 9);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(read(fd[0], buf, 16), 1);
	close(fd[1]);
	CHECK_EQ(read(fd[0], buf, 16), 0);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(fd[0], "x", 1), EPIPE);
}

TEST(unix_socket, datagrams_keep_boundaries)
{
	char buf[16];
	int fd[2];

	pair(fd, SOCK_DGRAM);
	CHECK_EQ(send(fd[0], "abc", 3, 0), 3);
	CHECK_EQ(send(fd[0], "", 0, 0), 0);
	CHECK_EQ(send(fd[0], "defgh", 5, 0), 5);
	CHECK_EQ(recv(fd[1], buf, 2, 0), 2);
	CHECK_EQ(recv(fd[1], buf, 16, 0), 0);
	CHECK_EQ(recv(fd[1], buf, 3, MSG_TRUNC), 5);
	CHECK_ERRNO(recv(fd[1], buf, 3, MSG_DONTWAIT), EAGAIN);
}

TEST(unix_socket, seqpacket)
{
	char buf[16];
	int fd[2];

	pair(fd, SOCK_SEQPACKET);
	CHECK_EQ(send(fd[0], "abc", 3, 0), 3);
	CHECK_EQ(send(fd[0], "de", 2, 0), 2);
	CHECK_EQ(recv(fd[1], buf, 16, 0), 3);
	CHECK_EQ(recv(fd[1], buf, 16, 0), 2);
	close(fd[0]);
	CHECK_EQ(recv(fd[1], buf, 16, 0), 0);
}

TEST(unix_socket, peek_and_waitall)
{
	char buf[16];
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "abcd", 4), 4);
	CHECK_EQ(recv(fd[1], buf, 2, MSG_PEEK), 2);
	CHECK_EQ(recv(fd[1], buf, 4, MSG_PEEK), 4);
	CHECK_EQ(recv(fd[1], buf, 4, 0), 4);
	pid_t pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(recv(fd[1], buf, 4, MSG_WAITALL), 4);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(write(fd[0], "ab", 2), 2);
	sleep_ms(30);
	CHECK_EQ(write(fd[0], "cd", 2), 2);
	EXPECT_CHILD(pid, 0);
}

/* Whatever the length is, it waits for bytes, an error or the end; read(2) of nothing looks at none of them. */
TEST(unix_socket, receiving_nothing_waits)
{
	struct msghdr without = {0};
	pid_t pid;
	char c;
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_ERRNO(recv(fd[0], &c, 0, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(recv(fd[0], &c, 0, MSG_DONTWAIT | MSG_PEEK), EAGAIN);
	CHECK_ERRNO(recvmsg(fd[0], &without, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(read(fd[0], &c, 0), 0);
	CHECK_OK(pid = fork());
	if (!pid) {
		wait_until_sleeping(getppid());
		CHECK_EQ(write(fd[1], "a", 1), 1);
		_exit(0);
	}
	CHECK_EQ(recv(fd[0], &c, 0, 0), 0);
	CHECK_EQ(recv(fd[0], &c, 1, MSG_DONTWAIT), 1);
	EXPECT_CHILD(pid, 0);
	CHECK_OK(shutdown(fd[1], SHUT_WR));
	CHECK_EQ(recv(fd[0], &c, 0, 0), 0);
}

TEST(unix_socket, connect_and_accept)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	int l = listener("s"), c = sock(SOCK_STREAM), a;
	char buf[4];

	CHECK_OK(connect_to(c, "s"));
	CHECK_EQ(write(c, "hi", 2), 2); /* before it is accepted */
	a = CHECK_OK(accept(l, (struct sockaddr *)&un, &len));
	CHECK_EQ(len, 2);
	CHECK_EQ(un.sun_family, AF_UNIX);
	CHECK_EQ(read(a, buf, 4), 2);
	len = sizeof(un);
	CHECK_OK(getpeername(c, (struct sockaddr *)&un, &len));
	CHECK_STREQ(un.sun_path, "s");
	CHECK_EQ(len, 4);
	len = sizeof(un);
	CHECK_OK(getsockname(a, (struct sockaddr *)&un, &len));
	CHECK_STREQ(un.sun_path, "s");
}

TEST(unix_socket, accept_waits_and_flags)
{
	int l = listener("s"), a;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		wait_until_sleeping(getppid());
		int c = sock(SOCK_STREAM);
		CHECK_OK(connect_to(c, "s"));
		_exit(0);
	}
	a = CHECK_OK(accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	CHECK_EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(a, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(syscall(SYS_accept4, l, NULL, NULL, 1), EINVAL);
	EXPECT_CHILD(pid, 0);
	CHECK_OK(fcntl(l, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(accept(l, NULL, NULL), EAGAIN);
}

TEST(unix_socket, connect_errors)
{
	int c = sock(SOCK_STREAM), d = sock(SOCK_DGRAM);

	put_file("file", "");
	CHECK_ERRNO(connect_to(c, "missing"), ENOENT);
	CHECK_ERRNO(connect_to(c, "file"), ECONNREFUSED);
	CHECK_OK(bind_to(d, "d"));
	CHECK_ERRNO(connect_to(c, "d"), EPROTOTYPE);
	close(listener("gone"));
	CHECK_ERRNO(connect_to(c, "gone"), ECONNREFUSED);
	struct sockaddr_un un = name_of("x");
	CHECK_ERRNO(connect(c, (struct sockaddr *)&un, 1), EINVAL);
	un.sun_family = AF_INET;
	CHECK_ERRNO(connect(c, (struct sockaddr *)&un, sizeof(un)), EINVAL);
	CHECK_ERRNO(connect(c, (void *)8, sizeof(un)), EFAULT);
}

TEST(unix_socket, backlog_is_limited)
{
	int l = sock(SOCK_STREAM), fd;
	int n = 0;

	CHECK_OK(bind_to(l, "s"));
	CHECK_OK(listen(l, 2));
	do {
		fd = sock(SOCK_STREAM | SOCK_NONBLOCK);
	} while (connect_to(fd, "s") == 0 && ++n < 20);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 3);
}

TEST(unix_socket, bind_errors)
{
	int fd = sock(SOCK_STREAM);

	CHECK_ERRNO(bind_to(fd, "missing/s"), ENOENT);
	CHECK_OK(bind_to(fd, "s"));
	CHECK_ERRNO(bind_to(fd, "t"), EINVAL);
	CHECK_ERRNO(bind_to(sock(SOCK_STREAM), "s"), EADDRINUSE);
	CHECK_OK(chmod(".", 0755));
	IN_CHILD(CHECK_OK(setresuid(1000, 1000, 1000));
		 CHECK_ERRNO(bind_to(sock(SOCK_STREAM), "u"), EACCES));
}

TEST(unix_socket, socket_file)
{
	struct stat st;
	int fd = sock(SOCK_STREAM);

	umask(022);
	CHECK_OK(bind_to(fd, "s"));
	CHECK_OK(stat("s", &st));
	CHECK_EQ(st.st_mode, S_IFSOCK | 0755);
	CHECK_ERRNO(open("s", O_RDWR), ENXIO);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode, S_IFSOCK | 0777);
	close(fd);
	CHECK(exists("s"));
}

TEST(unix_socket, socket_file_has_the_sockets_mode)
{
	struct stat st;
	int fd = sock(SOCK_STREAM);

	umask(022);
	CHECK_OK(fchmod(fd, 0620));
	CHECK_OK(bind_to(fd, "s"));
	CHECK_OK(stat("s", &st));
	CHECK_EQ(st.st_mode, S_IFSOCK | 0600);
}

TEST(unix_socket, connect_needs_write_permission)
{
	listener("s");
	CHECK_OK(chmod(".", 0755));
	CHECK_OK(chmod("s", 0755));
	IN_CHILD(CHECK_OK(setresuid(1000, 1000, 1000));
		 CHECK_ERRNO(connect_to(sock(SOCK_STREAM), "s"), EACCES));
	CHECK_OK(chmod("s", 0777));
	IN_CHILD(CHECK_OK(setresuid(1000, 1000, 1000));
		 CHECK_OK(connect_to(sock(SOCK_STREAM), "s")));
}

TEST(unix_socket, abstract_names)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "\0torus-test"};
	socklen_t len = 2 + 11;
	int l = sock(SOCK_STREAM), c = sock(SOCK_STREAM);

	CHECK_OK(bind(l, (struct sockaddr *)&un, len));
	CHECK_OK(listen(l, 1));
	CHECK_OK(connect(c, (struct sockaddr *)&un, len));
	CHECK_ERRNO(bind(sock(SOCK_STREAM), (struct sockaddr *)&un, len), EADDRINUSE);
	CHECK_ERRNO(connect(sock(SOCK_STREAM), (struct sockaddr *)&un, len - 1), ECONNREFUSED);
	memset(&un, 0, sizeof(un));
	len = sizeof(un);
	CHECK_OK(getsockname(l, (struct sockaddr *)&un, &len));
	CHECK_EQ(len, 13);
	CHECK_MEM(un.sun_path, "\0torus-test", 11);
	close(l);
	l = sock(SOCK_STREAM);
	CHECK_OK(bind(l, (struct sockaddr *)&un, 13)); /* the name went with its socket */
}

TEST(unix_socket, autobind)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(un);
	int fd = sock(SOCK_STREAM);

	CHECK_OK(bind(fd, (struct sockaddr *)&un, 2));
	CHECK_OK(getsockname(fd, (struct sockaddr *)&un, &len));
	CHECK_EQ(len, 8);
	CHECK_EQ(un.sun_path[0], 0);
}

TEST(unix_socket, datagram_to_names)
{
	struct sockaddr_un un = name_of("a"), from;
	socklen_t len = sizeof(from);
	int a = sock(SOCK_DGRAM), b = sock(SOCK_DGRAM);
	char buf[8];

	CHECK_OK(bind_to(a, "a"));
	CHECK_OK(bind_to(b, "b"));
	CHECK_ERRNO(send(b, "x", 1, 0), ENOTCONN);
	CHECK_EQ(sendto(b, "hi", 2, 0, (struct sockaddr *)&un, sizeof(un)), 2);
	CHECK_EQ(recvfrom(a, buf, 8, 0, (struct sockaddr *)&from, &len), 2);
	CHECK_STREQ(from.sun_path, "b");
	CHECK_OK(connect_to(b, "a"));
	CHECK_EQ(send(b, "x", 1, 0), 1);
	un = name_of("missing");
	CHECK_ERRNO(sendto(b, "x", 1, 0, (struct sockaddr *)&un, sizeof(un)), ENOENT);
	close(a);
	CHECK_ERRNO(send(b, "x", 1, 0), ECONNREFUSED);
}

TEST(unix_socket, connected_datagram_refuses_others)
{
	struct sockaddr_un un = name_of("a");
	int a = sock(SOCK_DGRAM), b = sock(SOCK_DGRAM), c = sock(SOCK_DGRAM);

	CHECK_OK(bind_to(a, "a"));
	CHECK_OK(bind_to(b, "b"));
	CHECK_OK(connect_to(a, "b"));
	CHECK_ERRNO(sendto(c, "x", 1, 0, (struct sockaddr *)&un, sizeof(un)), EPERM);
	CHECK_ERRNO(connect_to(c, "a"), EPERM);
	CHECK_OK(connect_to(b, "a"));
}

TEST(unix_socket, shutdown)
{
	char c;
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "x", 1), 1);
	CHECK_OK(shutdown(fd[0], SHUT_WR));
	CHECK_ERRNO(write(fd[0], "x", 1), EPIPE);
	CHECK_EQ(read(fd[1], &c, 1), 1);
	CHECK_EQ(read(fd[1], &c, 1), 0);
	CHECK_EQ(write(fd[1], "y", 1), 1);
	CHECK_EQ(read(fd[0], &c, 1), 1);
	CHECK_ERRNO(shutdown(fd[0], 9), EINVAL);
	CHECK_OK(shutdown(sock(SOCK_STREAM), SHUT_RD));
	CHECK_OK(shutdown(fd[1], SHUT_RD));
	CHECK_ERRNO(write(fd[0], "x", 1), EPIPE);
}

TEST(unix_socket, msg_nosignal)
{
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	close(fd[1]);
	CHECK_ERRNO(send(fd[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		send(fd[0], "x", 1, 0);
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGPIPE);
}

TEST(unix_socket, unread_data_resets_the_peer)
{
	char c;
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "x", 1), 1);
	close(fd[1]);
	CHECK_ERRNO(read(fd[0], &c, 1), ECONNRESET);
	CHECK_EQ(read(fd[0], &c, 1), 0);
}

TEST(unix_socket, unconnected_stream)
{
	char c;
	int fd = sock(SOCK_STREAM);
	struct sockaddr_un un;
	socklen_t len = sizeof(un);

	CHECK_ERRNO(read(fd, &c, 1), EINVAL);
	CHECK_ERRNO(send(fd, &c, 1, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERRNO(accept(fd, NULL, NULL), EINVAL);
	CHECK_ERRNO(listen(fd, 1), EINVAL);
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&un, &len), ENOTCONN);
	CHECK_OK(getsockname(fd, (struct sockaddr *)&un, &len));
	CHECK_EQ(len, 2);
	CHECK_ERRNO(accept(sock(SOCK_DGRAM), NULL, NULL), EOPNOTSUPP);
}

TEST(unix_socket, poll_states)
{
	struct pollfd p;
	int fd[2], l = listener("s");
	char c;

	p = (struct pollfd){l, POLLIN | POLLOUT, 0};
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_OK(connect_to(sock(SOCK_STREAM), "s"));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	pair(fd, SOCK_STREAM);
	p = (struct pollfd){fd[0], POLLIN | POLLOUT | POLLRDHUP, 0};
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	CHECK_EQ(read(fd[0], &c, 1), 1);
	CHECK_OK(shutdown(fd[1], SHUT_WR));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT | POLLRDHUP);
	close(fd[1]);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
}

TEST(unix_socket, passing_a_descriptor)
{
	char buf[8];
	int fd[2], p[2], got;

	pair(fd, SOCK_STREAM);
	CHECK_OK(pipe(p));
	send_fd(fd[0], p[1]);
	close(p[1]);
	got = recv_fd(fd[1], 0, NULL);
	CHECK(got > 2);
	CHECK_EQ(fcntl(got, F_GETFD), 0);
	CHECK_EQ(write(got, "hi", 2), 2);
	CHECK_EQ(read(p[0], buf, 8), 2);
	close(got);
	CHECK_EQ(read(p[0], buf, 8), 0);
	send_fd(fd[0], p[0]);
	got = recv_fd(fd[1], MSG_CMSG_CLOEXEC, NULL);
	CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
}

TEST(unix_socket, descriptor_in_flight_stays_open)
{
	char c;
	int fd[2], p[2];

	pair(fd, SOCK_STREAM);
	CHECK_OK(pipe2(p, O_NONBLOCK));
	send_fd(fd[0], p[1]);
	close(p[1]);
	CHECK_ERRNO(read(p[0], &c, 1), EAGAIN); /* a writer is on its way */
	close(fd[0]);
	close(fd[1]);
	CHECK_EQ(read(p[0], &c, 1), 0);
}

TEST(unix_socket, sockets_that_carry_themselves_are_collected)
{
	char c;
	int p[2];

	CHECK_OK(pipe2(p, O_NONBLOCK));
	for (int i = 0; i < 20; i++) {
		int fd[2];

		pair(fd, SOCK_STREAM);
		send_fd(fd[0], fd[0]);
		send_fd(fd[0], fd[1]);
		if (i == 10)
			send_fd(fd[0], p[1]);
		close(fd[0]);
		close(fd[1]);
	}
	close(p[1]);
	for (int i = 0; i < 1000 && read(p[0], &c, 1) != 0; i++) {
		int fd[2];

		pair(fd, SOCK_STREAM); /* Linux collects when sockets close */
		send_fd(fd[0], fd[0]);
		close(fd[0]);
		close(fd[1]);
		sleep_ms(10);
	}
	CHECK_EQ(read(p[0], &c, 1), 0);
}

TEST(unix_socket, rights_without_room_are_dropped_and_told)
{
	char c;
	struct iovec iov = {&c, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int fd[2];

	pair(fd, SOCK_STREAM);
	send_fd(fd[0], 0);
	CHECK_EQ(recvmsg(fd[1], &msg, 0), 1);
	CHECK_EQ(msg.msg_flags, MSG_CTRUNC);
	send_fd(fd[0], 0);
	CHECK_EQ(read(fd[1], &c, 1), 1); /* read drops them without a word */
}

TEST(unix_socket, stream_read_stops_after_rights)
{
	char buf[16];
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "ab", 2), 2);
	send_fd(fd[0], 0);
	CHECK_EQ(write(fd[0], "cd", 2), 2);
	CHECK_EQ(read(fd[1], buf, 16), 3);
	CHECK_EQ(read(fd[1], buf, 16), 2);
}

TEST(unix_socket, bad_rights)
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
	int fd[2], bad = 99;

	pair(fd, SOCK_STREAM);
	memcpy(CMSG_DATA(&control.head), &bad, sizeof(int));
	CHECK_ERRNO(sendmsg(fd[0], &msg, 0), EBADF);
	control.head.cmsg_len = 3;
	CHECK_ERRNO(sendmsg(fd[0], &msg, 0), EINVAL);
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	control.head.cmsg_type = 99;
	CHECK_ERRNO(sendmsg(fd[0], &msg, 0), EINVAL);
}

TEST(unix_socket, peer_credentials)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_OK(getsockopt(fd[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	CHECK_EQ(cred.pid, getpid());
	CHECK_EQ(cred.uid, 0);
	int l = listener("s");
	pid_t pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(chmod("s", 0777));
		CHECK_OK(setresgid(2000, 2000, 2000));
		CHECK_OK(setresuid(1000, 1000, 1000));
		CHECK_OK(connect_to(sock(SOCK_STREAM), "s"));
		_exit(0);
	}
	int a = CHECK_OK(accept(l, NULL, NULL));
	CHECK_OK(getsockopt(a, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	CHECK_EQ(cred.pid, pid);
	CHECK_EQ(cred.uid, 1000);
	CHECK_EQ(cred.gid, 2000);
	EXPECT_CHILD(pid, 0);
}

TEST(unix_socket, passcred)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char c;
	struct iovec iov = {&c, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct ucred cred;
	int fd[2], on = 1;

	pair(fd, SOCK_DGRAM);
	CHECK_OK(setsockopt(fd[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	CHECK_EQ(write(fd[0], "x", 1), 1);
	CHECK_EQ(recvmsg(fd[1], &msg, 0), 1);
	CHECK_EQ(control.head.cmsg_type, SCM_CREDENTIALS);
	memcpy(&cred, CMSG_DATA(&control.head), sizeof(cred));
	CHECK_EQ(cred.pid, getpid());
}

TEST(unix_socket, options)
{
	int fd = sock(SOCK_STREAM), value = 0;
	socklen_t len = sizeof(value);

	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len));
	CHECK_EQ(value, SOCK_STREAM);
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &len));
	CHECK_EQ(value, AF_UNIX);
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len));
	CHECK_EQ(value, 0);
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	CHECK_EQ(value, 0);
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len));
	CHECK_EQ(value, 0);
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len));
	CHECK_EQ(value, 212992);
	value = 10000;
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)));
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len));
	CHECK_EQ(value, 20000);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, 2), EINVAL);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, 9999, &value, sizeof(value)), ENOPROTOOPT);
	CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 9999, &value, &len), ENOPROTOOPT);
	CHECK_ERRNO(getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &len), ENOTSOCK);
}

TEST(unix_socket, receive_timeout)
{
	struct timeval tv = {0, 20000};
	char c;
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_OK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	CHECK_ERRNO(read(fd[0], &c, 1), EAGAIN);
}

TEST(unix_socket, full_buffer)
{
	static char big[1 << 20];
	int fd[2], n = 0;
	struct pollfd p;

	pair(fd, SOCK_STREAM | SOCK_NONBLOCK);
	while (write(fd[0], big, 4096) > 0)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n > 10 && n < 200);
	p = (struct pollfd){fd[0], POLLOUT, 0};
	CHECK_EQ(poll(&p, 1, 0), 0);
	while (read(fd[1], big, sizeof(big)) > 0) {
	}
	CHECK_EQ(poll(&p, 1, 0), 1);
}

TEST(unix_socket, blocked_writer_goes_on)
{
	static char big[1 << 20];
	size_t got = 0;
	ssize_t n;
	int fd[2];
	pid_t pid;

	pair(fd, SOCK_STREAM);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(fd[1]);
		CHECK_EQ(write(fd[0], big, sizeof(big)), sizeof(big));
		_exit(0);
	}
	close(fd[0]);
	while ((n = read(fd[1], big, 5000)) > 0)
		got += n;
	CHECK_EQ(got, sizeof(big));
	EXPECT_CHILD(pid, 0);
}

TEST(unix_socket, too_long_a_datagram)
{
	static char big[300000];
	int fd[2];

	pair(fd, SOCK_DGRAM);
	CHECK_ERRNO(send(fd[0], big, sizeof(big), 0), EMSGSIZE);
}

TEST(unix_socket, datagram_queue_is_limited)
{
	int fd[2], n = 0;

	pair(fd, SOCK_DGRAM | SOCK_NONBLOCK);
	while (send(fd[0], "x", 1, 0) == 1)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n >= 10 && n < 1000);
}

TEST(unix_socket, several_messages_at_once)
{
	char bufs[3][4];
	struct iovec out[2] = {{"ab", 2}, {"cde", 3}},
		     in[3] = {{bufs[0], 4}, {bufs[1], 4}, {bufs[2], 4}};
	struct mmsghdr send_[2] = {{.msg_hdr = {.msg_iov = out, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = out + 1, .msg_iovlen = 1}}};
	struct mmsghdr recv_[3] = {{.msg_hdr = {.msg_iov = in, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = in + 1, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = in + 2, .msg_iovlen = 1}}};
	int fd[2];

	pair(fd, SOCK_DGRAM);
	CHECK_EQ(syscall(SYS_sendmmsg, fd[0], send_, 2, 0), 2);
	CHECK_EQ(send_[1].msg_len, 3);
	CHECK_EQ(syscall(SYS_recvmmsg, fd[1], recv_, 3, MSG_DONTWAIT, NULL), 2);
	CHECK_EQ(recv_[0].msg_len, 2);
	CHECK_EQ(recv_[1].msg_len, 3);
	CHECK_MEM(bufs[1], "cde", 3);
}

TEST(unix_socket, owner_by_ioctl)
{
	int fd[2], who = getpid(), got = 0;

	pair(fd, SOCK_STREAM);
	CHECK_OK(ioctl(fd[0], FIOGETOWN, &got));
	CHECK_EQ(got, 0);
	CHECK_OK(ioctl(fd[0], FIOSETOWN, &who));
	CHECK_OK(ioctl(fd[0], SIOCGPGRP, &got));
	CHECK_EQ(got, who);
	CHECK_EQ(fcntl(fd[0], F_GETOWN), who);
	who = -getpgrp();
	CHECK_OK(ioctl(fd[0], SIOCSPGRP, &who));
	CHECK_OK(ioctl(fd[0], FIOGETOWN, &got));
	CHECK_EQ(got, who);
	who = 0x7ffffff0;
	CHECK_ERRNO(ioctl(fd[0], FIOSETOWN, &who), ESRCH);
	CHECK_ERRNO(ioctl(fd[0], FIOSETOWN, 8), EFAULT);
	CHECK_ERRNO(ioctl(fd[0], FIOGETOWN, 8), EFAULT);
}

TEST(unix_socket, fionread)
{
	int fd[2], n;

	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "abcde", 5), 5);
	CHECK_OK(ioctl(fd[1], FIONREAD, &n));
	CHECK_EQ(n, 5);
	CHECK_ERRNO(lseek(fd[0], 0, SEEK_SET), ESPIPE);
}
