// SPDX-License-Identifier: MIT
/*
 * user/bin/httpd.c once more with liburing: the same circle for each client, the same requests to the kernel.
 *
 * A client waits for one thing at a time, so it is the mark of its entries, and `then` says which function goes on;
 * a time limit and a close are marked as nobody's. What HTTP says is linked from user/bin/httpd/.
 *
 * io_uring of Linux 6.1 makes no pipes and binds no sockets: pipe2() and listen_at() are calls.
 *
 * Unix sockets only.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "httpd/http.h"
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
	void (*then)(struct client *c, int res); /* what it waits for has ended */

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

enum { NOBODY, ACCEPT, CLOSE }; /* marks that are no client's address */

static struct io_uring ring;
static struct server server = {.ring = &ring, .accept = ACCEPT, .close = CLOSE};
static struct client clients[CLIENTS];
static struct __kernel_timespec patience = {.tv_sec = TIMEOUT_S};
static int root;

static int slot_of(const struct client *c)
{
	return (int)(c - clients);
}

static void parse(struct client *c);

/* ---- Entries, and who hears of their end ---- */

static void tell(
	struct io_uring_sqe *sqe, struct client *c, void (*then)(struct client *c, int res))
{
	c->then = then;
	io_uring_sqe_set_data(sqe, c);
}

static void close_file(int fd)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 1);

	io_uring_prep_close(sqe, fd);
	io_uring_sqe_set_data64(sqe, NOBODY);
}

/* ---- The end of an answer, and of a client ---- */

static void close_files(struct client *c)
{
	if (c->file >= 0)
		close_file(c->file);
	c->file = -1;
}

static void hang_up(struct client *c)
{
	close_files(c);
	if (c->pipe[0] >= 0) {
		close_file(c->pipe[0]);
		close_file(c->pipe[1]);
	}
	server_close(&server, (unsigned)slot_of(c));
}

static void received(struct client *c, int res);

static void receive(struct client *c)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 2);

	io_uring_prep_recv(sqe, slot_of(c), c->request + c->len, REQUEST_SIZE - c->len, 0);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK;
	tell(sqe, c, received);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_link_timeout(sqe, &patience, 0);
	io_uring_sqe_set_data64(sqe, NOBODY);
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

/* ---- A large file: file ──> pipe ──> socket ---- */

static void fill_pipe(struct client *c);
static void drained(struct client *c, int res);

static void drain_pipe(struct client *c)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 1);

	io_uring_prep_splice(sqe, c->pipe[0], -1, slot_of(c), -1, (unsigned)c->in_pipe, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	tell(sqe, c, drained);
}

static void drained(struct client *c, int res)
{
	if (res <= 0)
		return hang_up(c);
	c->in_pipe -= res;
	if (c->in_pipe)
		drain_pipe(c);
	else if (c->left)
		fill_pipe(c);
	else
		answered(c);
}

static void pipe_filled(struct client *c, int res)
{
	if (res <= 0) /* shorter than it was: the client is owed bytes that there are not */
		return hang_up(c);
	c->in_pipe = res;
	c->left -= (unsigned)res;
	drain_pipe(c);
}

static void fill_pipe(struct client *c)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 1);
	unsigned len = c->left < PIPE_SIZE ? (unsigned)c->left : PIPE_SIZE;

	io_uring_prep_splice(sqe, c->file, -1, c->pipe[1], -1, len, 0);
	tell(sqe, c, pipe_filled);
}

/* ---- Answers ---- */

static void sent(struct client *c, int res)
{
	if (res != (int)c->answer_len)
		hang_up(c);
	else if (c->left)
		fill_pipe(c);
	else
		answered(c);
}

static void send_answer(struct client *c, int flags)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 1);

	io_uring_prep_send(
		sqe, slot_of(c), c->answer, c->answer_len, flags | MSG_WAITALL | MSG_NOSIGNAL);
	sqe->flags |= IOSQE_FIXED_FILE;
	tell(sqe, c, sent);
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
		c->answer_len += (unsigned)snprintf(
			c->answer + c->answer_len, BODY_SIZE, "%s\n", status);
	c->left = 0;
	send_answer(c, 0);
}

/* After a request that was not understood nobody knows where the next one begins. */
static void refuse_and_close(struct client *c, const char *status)
{
	c->asked.keeps_alive = false;
	refuse(c, status);
}

static void filled(struct client *c, int res)
{
	if (res != (int)c->st.stx_size)
		return refuse_and_close(c, "500 Internal Server Error");
	c->answer_len += (unsigned)res;
	send_answer(c, 0);
}

static void send_small(struct client *c)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 1);

	io_uring_prep_read(
		sqe, c->file, c->answer + c->answer_len, (unsigned)c->st.stx_size, 0);
	tell(sqe, c, filled);
}

/* Its head goes first. */
static void send_large(struct client *c)
{
	if (c->pipe[0] < 0 && pipe2(c->pipe, O_CLOEXEC) < 0) {
		c->pipe[0] = -1;
		return refuse_and_close(c, "503 Service Unavailable");
	}
	c->left = c->st.stx_size;
	send_answer(c, MSG_MORE);
}

static void stated(struct client *c, int res)
{
	if (res < 0 || !S_ISREG(c->st.stx_mode))
		return refuse(c, "403 Forbidden");
	put_head(c, "200 OK", http_type_of(c->asked.path), c->st.stx_size);
	c->left = 0;
	if (c->asked.is_head || c->st.stx_size == 0)
		send_answer(c, 0);
	else if (c->st.stx_size > BODY_SIZE)
		send_large(c);
	else
		send_small(c);
}

static void opened(struct client *c, int res)
{
	struct io_uring_sqe *sqe;

	if (res < 0)
		return refuse(c, http_status_of(res));
	c->file = res;
	sqe = next_entry(&ring, 1);
	io_uring_prep_statx(sqe, c->file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &c->st);
	tell(sqe, c, stated);
}

/* ---- A request ---- */

/* One whole request lies at the beginning. */
static void answer(struct client *c)
{
	static struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH};
	const char *status = http_request_read(c->request, &c->asked);
	struct io_uring_sqe *sqe;

	if (status)
		return refuse(c, status);
	sqe = next_entry(&ring, 1);
	io_uring_prep_openat2(sqe, root, c->asked.path, &how);
	tell(sqe, c, opened);
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

static void received(struct client *c, int res)
{
	if (res == -ECANCELED && c->len)
		return refuse_and_close(c, "408 Request Timeout");
	if (res <= 0)
		return hang_up(c);
	c->len += (unsigned)res;
	parse(c);
}

static void accepted(int slot)
{
	struct client *c = &clients[slot];

	if (slot < 0)
		return;
	c->file = c->pipe[0] = c->pipe[1] = -1;
	c->len = 0;
	receive(c);
}

static void completed(__u64 mark, int res, unsigned flags)
{
	struct client *c = (struct client *)(uintptr_t)mark;

	if (mark == ACCEPT)
		accepted(server_accepted(&server, res, flags));
	else if (mark == CLOSE)
		server_closed(&server);
	else if (mark != NOBODY)
		c->then(c, res);
}

/* ---- Arguments ---- */

static _Noreturn void usage(void)
{
	complain("usage: httpd [--sqpoll] [--timeout SECONDS] WHERE FOLDER");
	exit(2);
}

static void set_patience(const char *word)
{
	char *end;
	long seconds = strtol(word, &end, 10);

	if (*end || seconds <= 0 || seconds > TIMEOUT_MAX_S)
		usage();
	patience.tv_sec = seconds;
}

int main(int argc, char **argv)
{
	bool is_polled = argc > 1 && strcmp(argv[1], "--sqpoll") == 0;
	int at = 1 + is_polled;

	if (argc > at + 1 && strcmp(argv[at], "--timeout") == 0) {
		set_patience(argv[at + 1]);
		at += 2;
	}
	if (argc != at + 2)
		usage();
	root = must_libc(open(argv[at + 1], O_PATH | O_DIRECTORY | O_CLOEXEC), argv[at + 1]);
	must(io_uring_queue_init(ENTRIES, &ring, is_polled ? IORING_SETUP_SQPOLL : 0),
		"io_uring");
	server_start(&server, argv[at], CLIENTS);
	for (;;)
		deliver(&ring, completed);
}
