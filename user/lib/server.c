// SPDX-License-Identifier: MIT
/*
 * Listening and accepting.
 *
 * One request accepts all connections (multishot). Each is put into a slot of the ring's own table, so it never
 * has a descriptor: requests name the slot, nothing is looked up or counted for them.
 *
 * Spec    man 7 unix, man 7 ip; man 3 io_uring_prep_multishot_accept_direct
 */
#include "server.h"

#include <linux/in.h>
#include <linux/un.h>

#include "abi/socket.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "ops.h"
#include "program.h"

enum { BACKLOG = 128 };

/* ---- Addresses ---- */

union address {
	struct sockaddr_un un;
	struct sockaddr_in in;
	unsigned short family;
};

static unsigned unix_address(union address *a, const char *where)
{
	size_t len = strlen(where);

	if (len >= sizeof(a->un.sun_path))
		must(-ENAMETOOLONG, where);
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, where, len);
	if (where[0] == '@')
		a->un.sun_path[0] = 0; /* abstract: the name is what follows, without an end */
	else
		len++;
	return (unsigned)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* A number up to `max` that ends at `end`, or the end of the program. */
static uint32_t take_number(const char **at, uint64_t max, char end, const char *where)
{
	uint64_t n;

	if (parse_take_u64(at, 10, &n) || n > max || **at != end)
		must(-EINVAL, where);
	++*at;
	return (uint32_t)n;
}

static unsigned inet_address(union address *a, const char *where)
{
	const char *at = where;
	uint32_t host = 0, port;

	for (unsigned i = 0; i < 4; i++) /* as it goes over the wire */
		host |= take_number(&at, 255, i < 3 ? '.' : ':', where) << 8 * i;
	port = take_number(&at, 65535, 0, where);
	a->in.sin_family = AF_INET;
	a->in.sin_addr.s_addr = host;
	a->in.sin_port = (uint16_t)(port << 8 | port >> 8);
	return sizeof(a->in);
}

int listen_at(const char *where)
{
	union address a = {0};
	bool is_unix = strchr(where, '/') || where[0] == '@';
	unsigned len = is_unix ? unix_address(&a, where) : inet_address(&a, where);
	int fd = must(ring_await(op_socket(a.family, SOCK_STREAM | SOCK_CLOEXEC, 0)), where);

	must(ring_await(op_bind(fd, &a, len)), where);
	must(ring_await(op_listen(fd, BACKLOG)), where);
	return fd;
}

/* ---- Connections ---- */

static struct {
	struct reply accepted;
	int listening;
	unsigned slots, nr_open; /* open: from being accepted to being closed */
	bool is_full;            /* nobody is accepted until a slot is closed */
	void (*opened)(unsigned slot);
} server;

static void accept_all(void)
{
	server.is_full = false;
	ring_tell(op_accept_all(server.listening), &server.accepted);
}

/* What is heard of a full table may be old: if a slot was closed since, nobody else may come to close one. */
static void accepted(struct reply *reply)
{
	if (reply->res >= 0) {
		server.nr_open++;
		server.opened((unsigned)reply->res);
	} else if (reply->res == -ENFILE)
		server.is_full = server.nr_open == server.slots;
	else if (reply->res != -ECONNABORTED)
		complain("accept: %s", error_text(reply->res));
	if (reply->is_here && !server.is_full)
		accept_all();
}

void server_start(int listening, unsigned slots, void (*opened)(unsigned slot))
{
	struct io_uring_rsrc_register table = {
		.nr = slots, .flags = IORING_RSRC_REGISTER_SPARSE};

	must(ring_register(IORING_REGISTER_FILES2, &table, sizeof(table)), "slots");
	server.listening = listening;
	server.slots = slots;
	server.opened = opened;
	server.accepted.then = accepted;
	accept_all();
}

void server_close(unsigned slot)
{
	struct io_uring_sqe *sqe;

	ring_room(2);
	sqe = op_close_slot(slot);
	server.nr_open--;
	if (!server.is_full)
		return;
	sqe->flags |= IOSQE_IO_HARDLINK; /* the slot first, then whoever waits for one */
	accept_all();
}
