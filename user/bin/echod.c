// SPDX-License-Identifier: MIT
/*
 * echod WHERE: sends back what it gets, from any number of clients at once. WHERE: user/lib/server.h
 *
 * One request for each client receives all that it will ever send (multishot). The kernel fills one of the
 * client's buffers whenever bytes come, and says which; it is sent from where it lies, and is free again when
 * it is sent:
 *
 *     free ──> received ──> held, in order ──> sent ──> free
 *
 * A client that sends and never reads has soon filled its buffers. Its request ends then (-ENOBUFS), and a new one
 * is made when it has taken back some of what it said; others do not notice. (One group of buffers for
 * all clients would need less memory, and a few such clients would own all of it.)
 *
 * Spec    RFC 862; man 3 io_uring_prep_recv_multishot, io_uring_setup_buf_ring
 */
#include "abi/socket.h"
#include "ops.h"
#include "program.h"
#include "ring.h"
#include "server.h"

enum {
	ENTRIES = 256,
	CLIENTS = 256,
	BUFFERS = 8,
	SIZE = 2032, /* with its place in the queue 2 KiB: a client's buffers are whole pages */
};

struct client {
	struct reply received, sent;
	struct ring_buffers buffers;
	uint8_t held[BUFFERS]; /* those that are to be sent, a circle that begins at `first` */
	uint16_t len[BUFFERS]; /* of what is in a buffer */
	unsigned first, nr_held;
	bool is_listened_to, is_sending;
	bool is_over; /* it will say no more, or hears no more */
};
static struct client clients[CLIENTS];
static char memory[CLIENTS][BUFFERS * (SIZE + sizeof(struct io_uring_buf))] ALIGNED(4096);

static int slot_of(const struct client *c)
{
	return (int)(c - clients);
}

static void hold(struct client *c, unsigned id, int len)
{
	c->held[(c->first + c->nr_held++) % BUFFERS] = (uint8_t)id;
	c->len[id] = (uint16_t)len;
}

static void free_first(struct client *c)
{
	ring_buffer_free(&c->buffers, c->held[c->first]);
	c->first = (c->first + 1) % BUFFERS;
	c->nr_held--;
}

static void send_first(struct client *c)
{
	unsigned id = c->held[c->first];

	c->is_sending = true;
	ring_tell(op_send(slot_of(c), ring_buffer(&c->buffers, id), c->len[id],
			  MSG_WAITALL | MSG_NOSIGNAL),
		&c->sent);
}

static void listen_to(struct client *c)
{
	c->is_listened_to = true;
	ring_tell(op_recv_all(slot_of(c), &c->buffers), &c->received);
}

/* Looks at the client as it is now, and asks for what is missing. */
static void serve(struct client *c)
{
	if (c->nr_held && !c->is_sending)
		send_first(c);
	if (!c->is_over && !c->is_listened_to && c->nr_held < BUFFERS)
		listen_to(c);
	if (c->is_over && c->is_listened_to)
		op_cancel(&c->received);
	if (c->is_over && !c->is_listened_to && !c->is_sending)
		server_close((unsigned)slot_of(c));
}

static void received(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, received);

	if (reply->res > 0)
		hold(c, ring_buffer_id(reply), reply->res);
	else if (reply->res != -ENOBUFS)
		c->is_over = true;
	c->is_listened_to = !reply->is_here;
	serve(c);
}

static void sent(struct reply *reply)
{
	struct client *c = container_of(reply, struct client, sent);

	c->is_sending = false;
	free_first(c);
	if (reply->res < 0) { /* it is gone, or reads no more */
		c->is_over = true;
		while (c->nr_held)
			free_first(c);
	}
	serve(c);
}

static void opened(unsigned slot)
{
	clients[slot].is_over = false;
	serve(&clients[slot]);
}

int main(int argc, char **argv)
{
	ring_open(ENTRIES, 0);
	if (argc != 2) {
		complain("usage: echod WHERE");
		return 2;
	}
	for (unsigned slot = 0; slot < CLIENTS; slot++) {
		struct client *c = &clients[slot];

		c->received.then = received;
		c->sent.then = sent;
		ring_buffers_open(&c->buffers, (uint16_t)slot, memory[slot], BUFFERS, SIZE);
	}
	server_start(listen_at(argv[1]), CLIENTS, opened);
	for (;;)
		ring_wait();
}
