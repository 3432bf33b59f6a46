// SPDX-License-Identifier: MIT
/*
 * echod and httpd of user/bin, and their twins, asked by clients of all kinds.
 */
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "user.h"

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

/* Connected, as soon as somebody listens there. */
static int connect_to(const char *path)
{
	struct sockaddr_un a = address_of(path);
	int fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	while (connect(fd, (void *)&a, sizeof(a)) < 0) {
		CHECK(errno == ENOENT || errno == ECONNREFUSED);
		sleep_ms(5);
	}
	return fd;
}

static void send_all(int fd, const void *data, size_t len)
{
	for (const char *at = data; len;) {
		ssize_t n = CHECK_OK(send(fd, at, len, MSG_NOSIGNAL));

		at += n;
		len -= (size_t)n;
	}
}

static void receive_all(int fd, void *data, size_t len)
{
	for (char *at = data; len;) {
		ssize_t n = CHECK_OK(recv(fd, at, len, 0));

		CHECK(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

static void expect_end(int fd)
{
	char c;

	CHECK_EQ(recv(fd, &c, 1, 0), 0);
	close(fd);
}

/* A server that the test's end kills. */
#define SERVE(...) (void)start((char *const[]){__VA_ARGS__, NULL}, 0, 1, 2)

TEST_BOTH(user_server, servers_refuse)
{
	RUN("", "echod");
	EXPECT(2, "", "echod: usage: echod WHERE\n");
	RUN("", "echod", "absent/socket");
	EXPECT(1, "", "echod: absent/socket: ENOENT\n");
	RUN("", "echod", "1.2.3:4");
	EXPECT(1, "", "echod: 1.2.3:4: EINVAL\n");
	put_file("taken", "");
	RUN("", "echod", "./taken");
	EXPECT(1, "", "echod: ./taken: EADDRINUSE\n");
	RUN("", "httpd", "./web");
	EXPECT(2, "", "httpd: usage: httpd [--sqpoll] [--timeout SECONDS] WHERE FOLDER\n");
	RUN("", "httpd", "--timeout", "soon", "./web", ".");
	EXPECT(2, "", "httpd: usage: httpd [--sqpoll] [--timeout SECONDS] WHERE FOLDER\n");
	RUN("", "httpd", "./web", "taken");
	EXPECT(1, "", "httpd: taken: ENOTDIR\n");
}

/* ---- echod ---- */

TEST_BOTH(user_server, echo_comes_back)
{
	int fd;
	char c[6];

	SERVE("echod", "./echo");
	fd = connect_to("echo");
	send_all(fd, "hello", 5);
	receive_all(fd, c, 5);
	CHECK_MEM(c, "hello", 5);
	CHECK_OK(shutdown(fd, SHUT_WR));
	expect_end(fd);
}

/* A megabyte to and fro at once, which is more than sockets and buffers hold. */
static void echo_much(int fd, unsigned size)
{
	static char data[1 << 20], back[1 << 20];
	pid_t pid;

	for (unsigned i = 0; i < size; i++)
		data[i] = (char)(i * 7 + i / 251);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		send_all(fd, data, size);
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	receive_all(fd, back, size);
	CHECK_MEM(back, data, size);
	expect_end(fd);
	EXPECT_CHILD(pid, 0);
}

TEST_BOTH(user_server, echo_of_much)
{
	SERVE("echod", "./echo");
	echo_much(connect_to("echo"), 1 << 20);
}

/* A hundred clients that all want something, and some that send and never read. */
TEST_BOTH(user_server, echo_to_a_hundred_clients)
{
	enum { CLIENTS = 100, GREEDY = 10 };
	int fds[CLIENTS];
	char c[8];
	static char much[4096];

	SERVE("echod", "./echo");
	for (unsigned i = 0; i < CLIENTS; i++) {
		fds[i] = connect_to("echo");
		if (i < GREEDY) {
			while (send(fds[i], much, sizeof(much), MSG_DONTWAIT) > 0)
				;
			continue;
		}
		snprintf(c, sizeof(c), "%7u", i);
		send_all(fds[i], c, sizeof(c));
	}
	for (unsigned i = GREEDY; i < CLIENTS; i++) {
		receive_all(fds[i], c, sizeof(c));
		CHECK_EQ(atoi(c), i);
	}
	echo_much(connect_to("echo"), 300000);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fds[i]);
	echo_much(connect_to("echo"), 300000);
}

/* A client that is served; who is accepted while all slots are taken is turned away, and comes again. */
static int connect_until_served(void)
{
	for (;;) {
		int fd = connect_to("echo");
		char c = 'c';

		if (send(fd, &c, 1, MSG_NOSIGNAL) == 1 && recv(fd, &c, 1, 0) == 1)
			return fd;
		close(fd);
		sleep_ms(5);
	}
}

/* More than it has slots for: the others come in when somebody leaves. */
TEST_BOTH(user_server, echo_to_more_than_it_has_room_for)
{
	enum { CLIENTS = 300 };
	int fds[CLIENTS];

	SERVE("echod", "./echo");
	for (unsigned i = 0; i < CLIENTS; i++)
		fds[i] = connect_to("echo");
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fds[i]);
	echo_much(connect_until_served(), 1000);
}

/* ---- httpd ---- */

struct answer {
	unsigned status, len;
	bool closes;
	char head[1024];
};

/* The head of an answer, from a socket of which nothing more is read. */
static struct answer read_head(int fd)
{
	struct answer a = {0};
	const char *at;

	for (size_t n = 0; !strstr(a.head, "\r\n\r\n"); n++) {
		CHECK(n < sizeof(a.head) - 1);
		receive_all(fd, a.head + n, 1);
	}
	CHECK_EQ(sscanf(a.head, "HTTP/1.1 %u ", &a.status), 1);
	at = strstr(a.head, "\r\nContent-Length: ");
	CHECK(at && sscanf(at + 18, "%u", &a.len) == 1);
	a.closes = strstr(a.head, "\r\nConnection: close\r\n");
	return a;
}

static void ask(int fd, const char *path)
{
	char text[200];

	send_all(fd, text,
		(size_t)snprintf(
			text, sizeof(text), "GET %s HTTP/1.1\r\nHost: here\r\n\r\n", path));
}

/* The body is this text. */
static void expect_text(int fd, const struct answer *a, const char *text)
{
	char body[100];

	CHECK_EQ(a->len, strlen(text));
	receive_all(fd, body, a->len);
	CHECK_MEM(body, text, a->len);
}

static void expect_file(int fd, const struct answer *a, const char *path)
{
	static char got[1 << 20], want[1 << 20];
	int file = CHECK_OK(open(path, O_RDONLY));

	CHECK_EQ(a->status, 200);
	CHECK(a->len <= sizeof(got));
	CHECK_EQ(read(file, want, sizeof(want)), a->len);
	receive_all(fd, got, a->len);
	CHECK_MEM(got, want, a->len);
	close(file);
}

static void make_web(void)
{
	CHECK_OK(mkdir("www", 0755));
	CHECK_OK(mkdir("www/sub", 0755));
	CHECK_OK(mkdir("www/a b", 0755));
	put_file("secret", "not for you\n");
	put_file("www/index.html", "<p>here\n");
	put_file("www/sub/index.html", "<p>below\n");
	put_file("www/a b/c.txt", "blank\n");
	put_file("www/empty", "");
	put_large("www/block", 16384);
	put_large("www/large", 1000003);
	CHECK_OK(symlink("../secret", "www/out"));
	CHECK_OK(symlink("sub", "www/in"));
	CHECK_OK(mkfifo("www/fifo", 0644));
}

static const struct {
	const char *request; /* up to the version */
	unsigned status;
	const char *body;
} requests[] = {
	{"GET /", 200, "<p>here\n"},
	{"GET /index.html?a=b", 200, "<p>here\n"},
	{"GET /sub/", 200, "<p>below\n"},
	{"GET /in/index.html", 200, "<p>below\n"},
	{"GET /a%20b/c.txt", 200, "blank\n"},
	{"GET /sub/../index.html", 200, "<p>here\n"},
	{"GET /empty", 200, ""},
	{"GET /absent", 404, "404 Not Found\n"},
	{"GET /index.html/x", 404, "404 Not Found\n"},
	{"GET /sub", 403, "403 Forbidden\n"},
	{"GET /fifo", 403, "403 Forbidden\n"},
	{"GET /../secret", 403, "403 Forbidden\n"},
	{"GET /%2e%2e/secret", 403, "403 Forbidden\n"},
	{"GET /out", 403, "403 Forbidden\n"},
	{"GET //../secret", 403, "403 Forbidden\n"},
	{"POST /", 405, "405 Method Not Allowed\n"},
	{"GET /%4", 400, "400 Bad Request\n"},
	{"GET /a%00b", 400, "400 Bad Request\n"},
	{"GET index.html", 400, "400 Bad Request\n"},
	{"GET", 400, "400 Bad Request\n"},
};

static void ask_everything(const char *where)
{
	int fd = connect_to(where);

	for (unsigned i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		struct answer a;
		char text[200];

		send_all(fd, text,
			(size_t)snprintf(text, sizeof(text),
				"%s HTTP/1.1\r\nHost: here\r\n\r\n", requests[i].request));
		a = read_head(fd);
		CHECK_EQ(a.status, requests[i].status);
		expect_text(fd, &a, requests[i].body);
		CHECK_EQ(a.closes, a.status == 400);
		if (a.closes) {
			expect_end(fd);
			fd = connect_to(where);
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		struct answer a;

		ask(fd, "/large");
		a = read_head(fd);
		expect_file(fd, &a, "www/large");
		ask(fd, "/block");
		a = read_head(fd);
		expect_file(fd, &a, "www/block");
	}
	close(fd);
}

TEST_BOTH(user_server, http_files_and_refusals)
{
	make_web();
	SERVE("httpd", "./web", "www");
	ask_everything("web");
}

TEST_BOTH(user_server, http_by_a_thread_of_the_kernel)
{
	make_web();
	SERVE("httpd", "--sqpoll", "./web", "www");
	ask_everything("web");
}

TEST_BOTH(user_server, http_heads)
{
	static const char old[] = "GET / HTTP/1.0\r\n\r\n",
			  head[] = "HEAD / HTTP/1.1\r\nHost: here\r\n\r\n",
			  last[] = "GET / HTTP/1.1\r\nhost:here\r\nCONNECTION: Close\r\n\r\n",
			  none[] = "GET / HTTP/1.1\r\n\r\n",
			  twice[] = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
	static const struct {
		const char *text;
		unsigned status;
		bool has_body, closes;
	} heads[] = {{head, 200, false, false}, {old, 200, true, true}, {last, 200, true, true},
		{none, 400, true, true}, {twice, 400, true, true}};
	struct answer a;
	char body[100];

	make_web();
	SERVE("httpd", "./web", "www");
	for (unsigned i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		int fd = connect_to("web");

		send_all(fd, heads[i].text, strlen(heads[i].text));
		a = read_head(fd);
		CHECK_EQ(a.status, heads[i].status);
		CHECK_EQ(a.closes, heads[i].closes);
		if (heads[i].has_body)
			receive_all(fd, body, a.len);
		if (a.closes) {
			expect_end(fd);
			continue;
		}
		ask(fd, "/");
		a = read_head(fd);
		CHECK_EQ(a.status, 200);
		CHECK(strstr(a.head, "\r\nContent-Type: text/html\r\n"));
		close(fd);
	}
}

/* Several requests in one piece, and one in many. */
TEST_BOTH(user_server, http_requests_in_any_pieces)
{
	static const char three[] =
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /absent HTTP/1.1\r\nHost: a\r\n\r\n"
		"GET /sub/ HTTP/1.1\r\nHost: a\r\n\r\n";
	struct answer a;
	int fd;

	make_web();
	SERVE("httpd", "./web", "www");
	fd = connect_to("web");
	send_all(fd, three, sizeof(three) - 1);
	a = read_head(fd);
	expect_text(fd, &a, "<p>here\n");
	a = read_head(fd);
	expect_text(fd, &a, "404 Not Found\n");
	a = read_head(fd);
	expect_text(fd, &a, "<p>below\n");
	for (unsigned i = 0; i < sizeof(three) - 1; i++) {
		send_all(fd, three + i, 1);
		if (i % 7 == 0)
			sched_yield();
	}
	for (unsigned i = 0; i < 3; i++) {
		char body[100];

		a = read_head(fd);
		receive_all(fd, body, a.len);
	}
	close(fd);
}

TEST_BOTH(user_server, http_half_a_request_and_none)
{
	static char much[5000];
	struct answer a;
	int half, none, long_one;

	make_web();
	SERVE("httpd", "--timeout", "3", "./web", "www");
	memset(much, 'x', sizeof(much));
	long_one = connect_to("web");
	(void)!send(long_one, much, 4096, MSG_NOSIGNAL);
	half = connect_to("web");
	none = connect_to("web");
	send_all(half, "GET / HT", 8);
	a = read_head(long_one);
	CHECK_EQ(a.status, 431);
	a = read_head(half);
	CHECK_EQ(a.status, 408);
	expect_end(none);
}

/* Clients that leave in the middle of an answer; the pipe of a large file is theirs. */
TEST_BOTH(user_server, http_clients_that_leave)
{
	struct answer a;
	char c[10];

	make_web();
	SERVE("httpd", "./web", "www");
	for (unsigned i = 0; i < 30; i++) {
		int fd = connect_to("web");

		ask(fd, i % 3 ? "/large" : "/block");
		if (i % 2)
			receive_all(fd, c, sizeof(c));
		close(fd);
	}
	for (unsigned i = 0; i < 3; i++) {
		int fd = connect_to("web");

		ask(fd, "/large");
		a = read_head(fd);
		expect_file(fd, &a, "www/large");
		close(fd);
	}
}

TEST_BOTH(user_server, http_to_a_hundred_clients)
{
	enum { CLIENTS = 100 };
	int fds[CLIENTS];

	make_web();
	SERVE("httpd", "./web", "www");
	for (unsigned i = 0; i < CLIENTS; i++)
		fds[i] = connect_to("web");
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < CLIENTS; i++)
			ask(fds[i], i % 10 ? "/block" : "/large");
		for (unsigned i = 0; i < CLIENTS; i++) {
			struct answer a = read_head(fds[i]);

			expect_file(fds[i], &a, i % 10 ? "www/block" : "www/large");
		}
	}
}

/* For tests/guest/silent, which reads the kernel's trace: a call that says where we are. */
static void mark(pid_t server, const char *what)
{
	char text[60];

	snprintf(text, sizeof(text), "server-%d-%s", server, what);
	CHECK_ERRNO(access(text, F_OK), ENOENT);
}

TEST(user_server, sqpoll_needs_no_system_call)
{
	char *const argv[] = {"httpd", "--sqpoll", "./web", "www", NULL};
	struct answer a;
	pid_t server;
	int fd;

	need_programs();
	make_web();
	server = start(argv, 0, 1, 2);
	fd = connect_to("web");
	ask(fd, "/"); /* when it answers, its set-up is over */
	a = read_head(fd);
	expect_text(fd, &a, "<p>here\n");
	close(fd);
	mark(server, "begins");
	ask_everything("web");
	mark(server, "ends");
}
