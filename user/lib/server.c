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

/* A number up to `max` that ends at `end`; -1 if there is none. */
static int number(const char **at, int max, char end)
{
	int n = 0;

	if (!char_is_digit(**at))
		return -1;
	for (; char_is_digit(**at) && n <= max; ++*at)
		n = n * 10 + **at - '0';
	return n <= max && *(*at)++ == end ? n : -1;
}

static unsigned inet_address(union address *a, const char *where)
{
	const char *at = where;
	uint32_t host = 0;
	int port;

	for (unsigned i = 0; i < 4; i++) {
		int byte = number(&at, 255, i < 3 ? '.' : ':');

		must(byte < 0 ? -EINVAL : 0, where);
		host |= (uint32_t)byte << 8 * i; /* as it goes over the wire */
	}
	port = number(&at, 65535, 0);
	must(port < 0 ? -EINVAL : 0, where);
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
	bool is_full;
	void (*opened)(unsigned slot);
} server;

static void accept_all(void)
{
	server.is_full = false;
	ring_tell(op_accept_all(server.listening), &server.accepted);
}

static void accepted(struct reply *reply)
{
	if (reply->res >= 0)
		server.opened((unsigned)reply->res);
	else if (reply->res == -ENFILE)
		server.is_full = true;
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
	server.opened = opened;
	server.accepted.then = accepted;
	accept_all();
}

void server_close(unsigned slot)
{
	struct io_uring_sqe *sqe;

	ring_room(2);
	sqe = op_close_slot(slot);
	if (!server.is_full)
		return;
	sqe->flags |= IOSQE_IO_HARDLINK; /* the slot first, then whoever waits for one */
	accept_all();
}
