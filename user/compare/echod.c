// SPDX-License-Identifier: MIT
/*
 * user/bin/echod.c once more with liburing: one request accepts everybody, one for each client receives all it says
 * into buffers of its own, which are sent from where they lie.
 *
 * Each entry is marked with the slot of its client and with what was asked; completed() looks at the mark, as
 * there is nothing that a completion belongs to. What nobody waits for (shutting down, cancelling) completes as well, and
 * is passed over. A group of buffers is registered, filled and given back by hand.
 *
 * Unix sockets only.
 */
#include "server.h"

enum {
	ENTRIES = 256,
	CLIENTS = 256,
	BUFFERS = 8,
	SIZE = 2032, /* with its place in the queue 2 KiB: a client's buffers are whole pages */
};

enum { NOTHING, ACCEPT, CLOSE, RECEIVE, SEND, NR_KINDS };
#define MARK(slot, kind) ((__u64)(slot)*NR_KINDS + (kind))

struct client {
	struct io_uring_buf_ring *queue; /* of the buffers that are free */
	char *bytes;
	uint8_t held[BUFFERS]; /* those that are to be sent, a circle that begins at `first` */
	uint16_t len[BUFFERS]; /* of what is in a buffer */
	unsigned first, nr_held;
	bool is_listened_to, is_sending;
	bool is_over; /* it will say no more, or hears no more */
};
static struct client clients[CLIENTS];
static char memory[CLIENTS][BUFFERS * (SIZE + sizeof(struct io_uring_buf))]
	__attribute__((aligned(4096)));

static struct io_uring ring;
static struct server server = {
	.ring = &ring, .accept = MARK(0, ACCEPT), .close = MARK(0, CLOSE)};

static unsigned slot_of(const struct client *c)
{
	return (unsigned)(c - clients);
}

/* ---- Buffers ---- */

static char *buffer_at(const struct client *c, unsigned id)
{
	return c->bytes + id * SIZE;
}

static void free_buffer(struct client *c, unsigned id)
{
	io_uring_buf_ring_add(c->queue, buffer_at(c, id), SIZE, (unsigned short)id,
		io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(c->queue, 1);
}

static void make_buffers(struct client *c)
{
	struct io_uring_buf_reg group = {.ring_addr = (uintptr_t)memory[slot_of(c)],
		.ring_entries = BUFFERS,
		.bgid = (__u16)slot_of(c)};

	c->queue = (struct io_uring_buf_ring *)memory[slot_of(c)];
	c->bytes = memory[slot_of(c)] + BUFFERS * sizeof(struct io_uring_buf);
	io_uring_buf_ring_init(c->queue);
	must(io_uring_register_buf_ring(&ring, &group, 0), "buffers");
	for (unsigned id = 0; id < BUFFERS; id++)
		free_buffer(c, id);
}

static void hold(struct client *c, unsigned id, int len)
{
	c->held[(c->first + c->nr_held++) % BUFFERS] = (uint8_t)id;
	c->len[id] = (uint16_t)len;
}

static void free_first(struct client *c)
{
	free_buffer(c, c->held[c->first]);
	c->first = (c->first + 1) % BUFFERS;
	c->nr_held--;
}

/* ---- Asking ---- */

static void send_first(struct client *c)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 1);
	unsigned id = c->held[c->first];

	c->is_sending = true;
	io_uring_prep_send(
		sqe, (int)slot_of(c), buffer_at(c, id), c->len[id], MSG_WAITALL | MSG_NOSIGNAL);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data64(sqe, MARK(slot_of(c), SEND));
}

static void listen_to(struct client *c)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 1);

	c->is_listened_to = true;
	io_uring_prep_recv_multishot(sqe, (int)slot_of(c), NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
	sqe->buf_group = (__u16)slot_of(c);
	io_uring_sqe_set_data64(sqe, MARK(slot_of(c), RECEIVE));
}

static void stop_listening_to(struct client *c)
{
	struct io_uring_sqe *sqe = next_entry(&ring, 1);

	io_uring_prep_cancel64(sqe, MARK(slot_of(c), RECEIVE), 0);
	io_uring_sqe_set_data64(sqe, MARK(slot_of(c), NOTHING));
}

/* Looks at the client as it is now, and asks for what is missing. */
static void serve(struct client *c)
{
	if (c->nr_held && !c->is_sending)
		send_first(c);
	if (!c->is_over && !c->is_listened_to && c->nr_held < BUFFERS)
		listen_to(c);
	if (c->is_over && c->is_listened_to)
		stop_listening_to(c);
	if (c->is_over && !c->is_listened_to && !c->is_sending)
		server_close(&server, slot_of(c));
}

/* ---- Being answered ---- */

static void accepted(int slot)
{
	if (slot < 0)
		return;
	clients[slot].is_over = false;
	serve(&clients[slot]);
}

static void received(struct client *c, int res, unsigned flags)
{
	if (res > 0)
		hold(c, flags >> IORING_CQE_BUFFER_SHIFT, res);
	else if (res != -ENOBUFS)
		c->is_over = true;
	c->is_listened_to = flags & IORING_CQE_F_MORE;
	serve(c);
}

static void sent(struct client *c, int res)
{
	c->is_sending = false;
	free_first(c);
	if (res < 0) { /* it is gone, or reads no more */
		c->is_over = true;
		while (c->nr_held)
			free_first(c);
	}
	serve(c);
}

static void completed(__u64 mark, int res, unsigned flags)
{
	struct client *c = &clients[mark / NR_KINDS];

	switch (mark % NR_KINDS) {
	case ACCEPT:
		accepted(server_accepted(&server, res, flags));
		break;
	case CLOSE:
		server_closed(&server);
		break;
	case RECEIVE:
		received(c, res, flags);
		break;
	case SEND:
		sent(c, res);
		break;
	default:
		break;
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		complain("usage: echod WHERE");
		return 2;
	}
	must(io_uring_queue_init(ENTRIES, &ring, 0), "io_uring");
	for (unsigned slot = 0; slot < CLIENTS; slot++)
		make_buffers(&clients[slot]);
	server_start(&server, argv[1], CLIENTS);
	for (;;)
		deliver(&ring, completed);
}
