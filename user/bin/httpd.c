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
 * Not here: methods but GET and HEAD, parts of files (Range), conditions, lists of folders, dates, TLS.
 *
 * Spec    RFC 9110, RFC 9112; man 2 openat2
 */
#include <linux/openat2.h>
#include <linux/stat.h>

#include "abi/socket.h"
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
	bool is_head, keeps_alive;
	const char *path;

	int file; /* or -1 */
	struct statx st;
	uint64_t left;        /* of the file, not in the pipe yet */
	int pipe[2], in_pipe; /* made for the first large file; bytes that are in it */

	unsigned answer_len;
	char answer[HEAD_SIZE + BODY_SIZE];
};
#define INDEX "index.html" /* the file that stands for its folder */

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
	if (!c->keeps_alive)
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
	c->answer_len = (unsigned)snformat(c->answer, HEAD_SIZE,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n", status,
		type, (unsigned long long)len,
		str_has_prefix(status, "405") ? "Allow: GET, HEAD\r\n" : "",
		c->keeps_alive ? "" : "Connection: close\r\n");
}

/* An answer that is only its status, as its page too. */
static void refuse(struct client *c, const char *status)
{
	put_head(c, status, "text/plain", strlen(status) + 1);
	if (!c->is_head)
		c->answer_len += (unsigned)snformat(
			c->answer + c->answer_len, BODY_SIZE, "%s\n", status);
	c->left = 0;
	send(c, 0);
}

/* After a request that was not understood nobody knows where the next one begins. */
static void refuse_and_close(struct client *c, const char *status)
{
	c->keeps_alive = false;
	refuse(c, status);
}

static const char *type_of(const char *path)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {{".html", "text/html"}, {".txt", "text/plain"}, {".css", "text/css"},
		{".js", "text/javascript"}, {".json", "application/json"},
		{".png", "image/png"}, {".svg", "image/svg+xml"}};
	const char *dot = strrchr(path, '.');

	for (unsigned i = 0; dot && i < ARRAY_LEN(types); i++)
		if (str_equal(dot, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
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
	put_head(c, "200 OK", type_of(c->path), c->st.stx_size);
	c->left = 0;
	if (c->is_head || c->st.stx_size == 0)
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

static const char *status_of(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -ENAMETOOLONG:
		return "404 Not Found";
	case -EACCES:
	case -EPERM:
	case -ELOOP:
	case -EXDEV: /* the path leaves the folder */
	case -ENXIO: /* a FIFO, a socket */
		return "403 Forbidden";
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return "503 Service Unavailable";
	default:
		return "500 Internal Server Error";
	}
}

static void opened(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, opened);

	if (reply->res < 0)
		return refuse(c, status_of(reply->res));
	c->file = reply->res;
	ring_tell(op_statx(c->file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &c->st), &c->stated);
}

/* ---- A request ---- */

/* Takes the escapes of a path out of it, in place. False: it is malformed, or would end early. */
static bool decode(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++) {
		char c = *from;

		if (c == '?' || c == '#')
			break;
		if (c == '%') {
			int high = char_digit_value(from[1]);
			int low = high < 0 ? -1 : char_digit_value(from[2]);

			if (low < 0 || !(high | low))
				return false;
			c = (char)(high << 4 | low);
			from += 2;
		}
		*to++ = c;
	}
	*to = 0;
	return true;
}

/* Ends the line that begins at `at`; where the next one begins. */
static char *cut_line(char *at)
{
	char *end = strstr(at, "\r\n");

	*end = 0;
	return end + 2;
}

static char *cut_word(char *at)
{
	char *space = strchr(at, ' ');

	if (!space)
		return NULL;
	*space = 0;
	return space + 1;
}

/* If the line is the field of this name (in small letters): its value. */
static const char *value_of(const char *line, const char *name)
{
	while (*name && char_to_lower(*line) == *name)
		line++, name++;
	if (*name || *line != ':')
		return NULL;
	for (line++; *line == ' ' || *line == '\t'; line++)
		;
	return line;
}

static bool says(const char *value, const char *word)
{
	for (; *value && *word && char_to_lower(*value) == *word; value++, word++)
		;
	return !*word && (!*value || *value == ' ' || *value == ',');
}

/* The fields that matter here. False: the request must be refused. */
static bool read_fields(struct client *c, char *at, bool needs_host)
{
	unsigned nr_hosts = 0;

	while (*at != '\r') {
		char *line = at;
		const char *value;

		at = cut_line(at);
		if (*line == ' ' || *line == '\t' || !strchr(line, ':'))
			return false;
		nr_hosts += value_of(line, "host") != NULL;
		value = value_of(line, "connection");
		if (value && says(value, "close"))
			c->keeps_alive = false;
		value = value_of(line, "content-length");
		if (value_of(line, "transfer-encoding") || (value && !says(value, "0")))
			c->keeps_alive = false; /* what follows is a body, which nobody reads */
	}
	return nr_hosts == 1 || (!needs_host && nr_hosts == 0);
}

/* One whole request lies at the beginning: METHOD PATH HTTP/1.x, fields, an empty line. */
static void answer(struct client *c)
{
	static const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH};
	char *method = c->request, *fields = cut_line(method);
	char *path = cut_word(method), *version = path ? cut_word(path) : NULL, *end;
	bool is_old = version && str_equal(version, "HTTP/1.0");

	c->is_head = str_equal(method, "HEAD");
	c->keeps_alive = !is_old;
	if (!version || !(is_old || str_equal(version, "HTTP/1.1")) || path[0] != '/' ||
		!read_fields(c, fields, !is_old) || !decode(path))
		return refuse_and_close(c, "400 Bad Request");
	if (!c->is_head && !str_equal(method, "GET"))
		return refuse(c, "405 Method Not Allowed");
	end = path + strlen(path);
	if (end[-1] == '/')
		memcpy(end, INDEX,
			sizeof(INDEX)); /* there is room: the version and two ends of lines stood there */
	while (*path == '/')
		path++;
	c->path = path;
	ring_tell(op_open_how(root, c->path, &how, sizeof(how)), &c->opened);
}

/* Where the first request ends, if all of it is there: behind an empty line. */
static unsigned find_end(const struct client *c)
{
	const char *end = strstr(c->request, "\r\n\r\n");

	return end ? (unsigned)(end + 4 - c->request) : 0;
}

static void parse(struct client *c)
{
	c->is_head = false;
	c->request[c->len] = 0;
	c->head_len = find_end(c);
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
