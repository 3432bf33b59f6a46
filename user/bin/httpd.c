// SPDX-License-Identifier: MIT
/*
 * httpd [--sqpoll] [--timeout SECONDS] WHERE FOLDER: serves the files of a folder by HTTP/1.1.
 * WHERE: user/lib/server.h
 *
 * Each client goes round in this circle; an arrow is a request to the kernel, and the function that is
 * called at its end:
 *
 *     receive ──> got ──> open ──> opened ──> statx ──> stated ──> read ──> filled ──> send ──> answered
 *        ^                  │ no such file        │                                              │  │
 *        │                  └──> a page that says so ──> send ──> answered                       │  │
 *        │                                        └─ larger than a block: send the head ─────────┘  │
 *        │                                           splice to a pipe, splice to the socket: spliced┤
 *        └──────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * A file that fits behind the head of its answer is read there, and head and file are sent as one. A larger
 * one goes by pages through a pipe, and no byte of it is ever seen here. Paths cannot leave the
 * folder: the kernel itself is told so (RESOLVE_BENEATH), whatever a name or a link may say.
 *
 * With --sqpoll a thread of the kernel takes the requests out of the queue, and this program looks at the
 * completions until there is one: it makes no system call from its first client on, and two CPUs are busy.
 *
 * What a request says and the head of an answer are text: httpd/http.h.
 *
 * Not here: methods but GET and HEAD, parts of files (Range), conditions, lists of folders, dates, TLS.
 *
 * Spec    RFC 9110, RFC 9112; man 2 openat2
 */
#include <linux/openat2.h>
#include <linux/stat.h>

#include "abi/socket.h"
#include "httpd/http.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "ring.h"
#include "server.h"

enum {
	ENTRIES = 256,
	CLIENTS = 256,
	REQUEST_SIZE = 4096, /* the longest that is read: its first line and its fields */
	HEAD_SIZE = 512,
	BODY_SIZE = 16384, /* files up to this are read, others spliced */
	PIPE_SIZE = 65536, /* what a pipe holds: man 7 pipe */
	TIMEOUT_S = 30,
	TIMEOUT_MAX_S = 86400
};

struct client {
	struct reply received, opened, stated, filled, sent, piped, spliced_in, spliced_out;

	char request[REQUEST_SIZE + 1]; /* what was received and not answered yet */
	unsigned len, head_len;         /* of that; of its first request with the empty line */
	struct http_request asked;

	int file; /* or -1 */
	struct statx st;
	uint64_t left;        /* of the file, not in the pipe yet */
	int pipe[2], in_pipe; /* made for the first large file; bytes that are in it */

	unsigned answer_len;
	char answer[HEAD_SIZE + BODY_SIZE];
};

static struct client clients[CLIENTS];
static struct __kernel_timespec patience = {.tv_sec = TIMEOUT_S};
static int root;

static int slot_of(const struct client *c)
{
	return (int)(c - clients);
}

static void parse(struct client *c);

/* ---- The end of an answer, and of a client ---- */

static void close_files(struct client *c)
{
	if (c->file >= 0)
		op_close(c->file);
	c->file = -1;
}

static void hang_up(struct client *c)
{
	close_files(c);
	if (c->pipe[0] >= 0) {
		op_close(c->pipe[0]);
		op_close(c->pipe[1]);
	}
	server_close((unsigned)slot_of(c));
}

static void receive(struct client *c)
{
	struct io_uring_sqe *sqe;

	ring_room(2);
	sqe = op_recv(slot_of(c), c->request + c->len, REQUEST_SIZE - c->len);
	sqe->flags |= IOSQE_IO_LINK;
	ring_tell(sqe, &c->received);
	op_at_most(&patience);
}

/* The next request may have come with the one that was answered. */
static void answered(struct client *c)
{
	close_files(c);
	if (!c->asked.keeps_alive)
		return hang_up(c);
	c->len -= c->head_len;
	memmove(c->request, c->request + c->head_len, c->len);
	parse(c);
}

/* ---- Answers ---- */

static void send(struct client *c, unsigned flags)
{
	ring_tell(op_send(slot_of(c), c->answer, c->answer_len,
			  flags | MSG_WAITALL | MSG_NOSIGNAL),
		&c->sent);
}

static void put_head(struct client *c, const char *status, const char *type, uint64_t len)
{
	c->answer_len =
		http_head(c->answer, HEAD_SIZE, status, type, len, c->asked.keeps_alive);
}

/* An answer that is only its status, as its page too. */
static void refuse(struct client *c, const char *status)
{
	put_head(c, status, "text/plain", strlen(status) + 1);
	if (!c->asked.is_head)
		c->answer_len += (unsigned)snformat(
			c->answer + c->answer_len, BODY_SIZE, "%s\n", status);
	c->left = 0;
	send(c, 0);
}

/* After a request that was not understood nobody knows where the next one begins. */
static void refuse_and_close(struct client *c, const char *status)
{
	c->asked.keeps_alive = false;
	refuse(c, status);
}

/* ---- A large file: file ──> pipe ──> socket ---- */

static void drain_pipe(struct client *c)
{
	ring_tell(on_slot(op_splice(c->pipe[0], -1, slot_of(c), -1, (unsigned)c->in_pipe)),
		&c->spliced_out);
}

static void fill_pipe(struct client *c)
{
	unsigned len = (unsigned)MIN(c->left, (uint64_t)PIPE_SIZE);

	ring_tell(op_splice(c->file, -1, c->pipe[1], -1, len), &c->spliced_in);
}

static void spliced_in(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, spliced_in);

	if (reply->res <=
		0) /* shorter than it was: the client is owed bytes that there are not */
		return hang_up(c);
	c->in_pipe = reply->res;
	c->left -= (unsigned)reply->res;
	drain_pipe(c);
}

static void spliced_out(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, spliced_out);

	if (reply->res <= 0)
		return hang_up(c);
	c->in_pipe -= reply->res;
	if (c->in_pipe)
		drain_pipe(c);
	else if (c->left)
		fill_pipe(c);
	else
		answered(c);
}

/* ---- Sending a file ---- */

static void sent(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, sent);

	if (reply->res != (int)c->answer_len)
		hang_up(c);
	else if (c->left)
		fill_pipe(c);
	else
		answered(c);
}

static void filled(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, filled);

	if (reply->res != (int)c->st.stx_size)
		return refuse_and_close(c, "500 Internal Server Error");
	c->answer_len += (unsigned)reply->res;
	send(c, 0);
}

/* The head of a large file. */
static void send_head(struct client *c)
{
	c->left = c->st.stx_size;
	send(c, MSG_MORE);
}

static void piped(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, piped);

	if (reply->res >= 0)
		return send_head(c);
	c->pipe[0] = -1;
	refuse_and_close(c, "503 Service Unavailable");
}

static void stated(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, stated);

	if (reply->res < 0 || (c->st.stx_mode & S_IFMT) != S_IFREG)
		return refuse(c, "403 Forbidden");
	put_head(c, "200 OK", http_type_of(c->asked.path), c->st.stx_size);
	c->left = 0;
	if (c->asked.is_head || c->st.stx_size == 0)
		send(c, 0);
	else if (c->st.stx_size > BODY_SIZE && c->pipe[0] < 0)
		ring_tell(op_pipe(c->pipe, O_CLOEXEC), &c->piped);
	else if (c->st.stx_size > BODY_SIZE)
		send_head(c);
	else
		ring_tell(op_read(c->file, c->answer + c->answer_len, (unsigned)c->st.stx_size,
				  0),
			&c->filled);
}

static void opened(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, opened);

	if (reply->res < 0)
		return refuse(c, http_status_of(reply->res));
	c->file = reply->res;
	ring_tell(op_statx(c->file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &c->st), &c->stated);
}

/* ---- A request ---- */

/* One whole request lies at the beginning. */
static void answer(struct client *c)
{
	static const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH};
	const char *status = http_request_read(c->request, &c->asked);

	if (status)
		return refuse(c, status);
	ring_tell(op_open_how(root, c->asked.path, &how, sizeof(how)), &c->opened);
}

static void parse(struct client *c)
{
	c->asked.is_head = false;
	c->request[c->len] = 0;
	c->head_len = http_request_len(c->request);
	if (c->head_len)
		answer(c);
	else if (strlen(c->request) < c->len)
		refuse_and_close(c, "400 Bad Request"); /* a zero byte */
	else if (c->len == REQUEST_SIZE)
		refuse_and_close(c, "431 Request Header Fields Too Large");
	else
		receive(c);
}

static void received(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, received);

	if (reply->res == -ECANCELED && c->len)
		return refuse_and_close(c, "408 Request Timeout");
	if (reply->res <= 0)
		return hang_up(c);
	c->len += (unsigned)reply->res;
	parse(c);
}

static void connected(unsigned slot)
{
	struct client *c = &clients[slot];

	c->received.then = received;
	c->opened.then = opened;
	c->stated.then = stated;
	c->filled.then = filled;
	c->sent.then = sent;
	c->piped.then = piped;
	c->spliced_in.then = spliced_in;
	c->spliced_out.then = spliced_out;
	c->file = c->pipe[0] = c->pipe[1] = -1;
	c->len = 0;
	receive(c);
}

/* ---- Arguments ---- */

static NORETURN void usage(void)
{
	complain("usage: httpd [--sqpoll] [--timeout SECONDS] WHERE FOLDER");
	quit(2);
}

static void set_patience(const char *word)
{
	uint64_t seconds;

	if (parse_u64(word, 10, &seconds) || !seconds || seconds > TIMEOUT_MAX_S)
		usage();
	patience.tv_sec = (int64_t)seconds;
}

int main(int argc, char **argv)
{
	bool is_polled = argc > 1 && str_equal(argv[1], "--sqpoll");
	int at = 1 + is_polled, listening;

	ring_open(ENTRIES, is_polled ? IORING_SETUP_SQPOLL : 0);
	if (argc > at + 1 && str_equal(argv[at], "--timeout")) {
		set_patience(argv[at + 1]);
		at += 2;
	}
	if (argc != at + 2)
		usage();
	root = must(ring_await(op_open(
			    AT_FDCWD, argv[at + 1], O_PATH | O_DIRECTORY | O_CLOEXEC, 0)),
		argv[at + 1]);
	listening = listen_at(argv[at]);
	server_start(listening, CLIENTS, connected);
	for (;;)
		ring_wait();
}
