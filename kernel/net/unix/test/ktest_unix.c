// SPDX-License-Identifier: MIT
/* Unix sockets without programs: bytes, ends, files in flight and cycles of them. */
#include <asm/poll.h>

#include "ipc/eventfd.h"
#include "irq/work.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "net/socket.h"
#include "ops/rw.h"
#include "sync/test/team.h"

static void make_pair(int type, struct file *f[2])
{
	struct socket *sock[2];

	EXPECT_EQ(socket_create_pair(AF_UNIX, type, 0, sock), 0);
	EXPECT_EQ(socket_open_file(sock[0], 0, &f[0]), 0);
	EXPECT_EQ(socket_open_file(sock[1], 0, &f[1]), 0);
}

static int64_t put(struct file *f, const void *bytes, size_t len)
{
	struct iter it;

	iter_init_kernel(&it, (void *)(uintptr_t)bytes, len);
	return f->ops->write(f, &it, NULL);
}

static int64_t get(struct file *f, void *bytes, size_t len)
{
	struct iter it;

	iter_init_kernel(&it, bytes, len);
	return f->ops->read(f, &it, NULL);
}

/* Sends one byte and a file. */
static int64_t put_file(struct file *to, struct file *carried)
{
	struct control_files *files = mem_alloc(sizeof(*files) + sizeof(files->files[0]), 0);
	struct control_send control = {.files = files};
	struct socket_msg m = {.control_in = &control};
	struct socket *s = socket_of(to);
	struct iter it;
	char c = 'f';
	int64_t n;

	if (!files)
		return -ENOMEM;
	files->nr = 1;
	files->files[0] = carried;
	file_get(carried);
	iter_init_kernel(&it, &c, 1);
	m.iter = &it;
	n = s->ops->send(s, &m);
	control_fini(&control);
	return n;
}

TEST(unix, streams_glue_and_datagrams_do_not)
{
	struct file *f[2];
	char buf[100];

	make_pair(SOCK_STREAM, f);
	EXPECT_EQ(get(f[0], buf, 1), -EAGAIN);
	EXPECT_EQ(put(f[0], "abc", 3), 3);
	EXPECT_EQ(put(f[0], "de", 2), 2);
	EXPECT_EQ(get(f[1], buf, 4), 4);
	EXPECT_EQ(memcmp(buf, "abcd", 4), 0);
	EXPECT_EQ(f[1]->ops->poll(f[1]) & (POLLIN | POLLOUT | POLLHUP), POLLIN | POLLOUT);
	EXPECT_EQ(get(f[1], buf, 100), 1);
	file_put(f[0]);
	EXPECT_EQ(get(f[1], buf, 100), 0);
	EXPECT_EQ(put(f[1], "x", 1), -EPIPE);
	EXPECT(f[1]->ops->poll(f[1]) & POLLHUP);
	file_put(f[1]);

	make_pair(SOCK_DGRAM, f);
	EXPECT_EQ(put(f[0], "abc", 3), 3);
	EXPECT_EQ(put(f[0], "", 0), 0);
	EXPECT_EQ(put(f[0], "de", 2), 2);
	EXPECT_EQ(get(f[1], buf, 2), 2); /* cut */
	EXPECT_EQ(get(f[1], buf, 100), 0);
	EXPECT_EQ(get(f[1], buf, 100), 2);
	file_put(f[0]);
	EXPECT_EQ(put(f[1], "x", 1), -ECONNREFUSED);
	EXPECT_EQ(put(f[1], "x", 1), -ENOTCONN);
	file_put(f[1]);

	make_pair(SOCK_SEQPACKET, f);
	EXPECT_EQ(put(f[0], "abc", 3), 3);
	EXPECT_EQ(get(f[1], buf, 2), 2);
	EXPECT_EQ(get(f[1], buf, 2), -EAGAIN);
	file_put(f[1]);
	EXPECT_EQ(get(f[0], buf, 2), 0);
	file_put(f[0]);
}

TEST(unix, unread_bytes_reset_the_sender)
{
	struct file *f[2];
	char c;

	make_pair(SOCK_STREAM, f);
	EXPECT_EQ(put(f[0], "abc", 3), 3);
	file_put(f[1]);
	EXPECT_EQ(get(f[0], &c, 1), -ECONNRESET);
	EXPECT_EQ(get(f[0], &c, 1), 0);
	file_put(f[0]);
}

TEST(unix, a_full_stream_says_so_and_recovers)
{
	static char block[8192];
	struct file *f[2];
	int64_t n, in = 0, out = 0;

	make_pair(SOCK_STREAM, f);
	while ((n = put(f[0], block, sizeof(block))) > 0)
		in += n;
	EXPECT_EQ(n, -EAGAIN);
	EXPECT(!(f[0]->ops->poll(f[0]) & POLLOUT));
	while ((n = get(f[1], block, sizeof(block))) > 0)
		out += n;
	EXPECT_EQ(in, out);
	EXPECT(f[0]->ops->poll(f[0]) & POLLOUT);
	file_put(f[0]);
	file_put(f[1]);
}

/* ---- Files in flight ---- */

static bool is_released; /* [a] */

static void note_release(struct file *f UNUSED)
{
	atomic_store(&is_released, true);
}

static const struct file_ops witness_ops = {.name = "witness", .release = note_release};

/* A file whose end can be seen. */
static struct file *make_witness(void)
{
	struct file *f = NULL;

	is_released = false;
	EXPECT_EQ(file_open_anonymous(&f, &witness_ops, "witness", NULL, 0, FILE_READ), 0);
	return f;
}

TEST(unix, files_end_with_the_queue_they_are_on)
{
	struct file *f[2], *w = make_witness();

	make_pair(SOCK_STREAM, f);
	EXPECT_EQ(put_file(f[0], w), 1);
	file_put(w);
	EXPECT(!is_released);
	file_put(f[0]);
	EXPECT(!is_released); /* it can still be received */
	file_put(f[1]);
	EXPECT(is_released);
}

TEST(unix, a_socket_that_only_carries_itself_is_collected)
{
	struct file *f[2], *w = make_witness();

	make_pair(SOCK_STREAM, f);
	EXPECT_EQ(put_file(f[0], f[1]), 1); /* on its own queue */
	EXPECT_EQ(put_file(f[0], w), 1);
	file_put(w);
	file_put(f[1]);
	EXPECT(!is_released);
	file_put(f[0]);
	AWAIT(atomic_load(&is_released));
}

TEST(unix, a_ring_of_carried_sockets_is_collected)
{
	struct file *a[2], *b[2], *c[2], *w = make_witness();

	make_pair(SOCK_DGRAM, a);
	make_pair(SOCK_STREAM, b);
	make_pair(SOCK_STREAM, c);
	/* b[1] is carried on a[1]'s queue and a[1] on b[1]'s */
	EXPECT_EQ(put_file(a[0], b[1]), 1);
	EXPECT_EQ(put_file(b[0], a[1]), 1);
	EXPECT_EQ(put_file(b[0], w), 1);
	file_put(w);
	file_put(a[1]);
	file_put(b[1]);
	/* c's queue can be reached: what it carries stays */
	EXPECT_EQ(put_file(c[0], a[0]), 1);
	file_put(a[0]);
	file_put(b[0]);
	assert(sleep_ns(NS_PER_MS) == 0);
	file_put(c[0]);
	file_put(c[1]);
	AWAIT(atomic_load(&is_released));
}

TEST(unix, carried_sockets_that_can_be_reached_stay)
{
	struct file *a[2], *b[2], *w = make_witness();

	make_pair(SOCK_STREAM, a);
	make_pair(SOCK_STREAM, b);
	EXPECT_EQ(put_file(a[0], b[1]), 1); /* a[1] is open: b[1] can be received */
	EXPECT_EQ(put_file(b[0], w), 1);
	EXPECT_EQ(put_file(b[0], b[1]), 1); /* and carries itself */
	file_put(w);
	file_put(b[1]);
	file_put(b[0]);
	assert(sleep_ns(5 * NS_PER_MS) == 0);
	EXPECT(!is_released);
	file_put(a[0]);
	file_put(a[1]);
	AWAIT(atomic_load(&is_released));
}

/* ---- Races ---- */

static struct {
	struct file *f[2];
	unsigned long rounds;
	uint64_t sum_in, sum_out; /* [a] */
} s;

static void send_numbers(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		struct iter it;

		iter_init_kernel(&it, &i, sizeof(i));
		EXPECT_EQ(rw_write(s.f[0], &it, NULL), 8);
		atomic_add(&s.sum_in, i);
	}
}

static void receive_numbers(void *arg UNUSED)
{
	for (;;) {
		unsigned long n;
		struct iter it;
		int64_t got;

		iter_init_kernel(&it, &n, sizeof(n));
		got = rw_read(s.f[1], &it, NULL);
		if (got <= 0) {
			EXPECT_EQ(got, 0);
			return;
		}
		EXPECT_EQ(got, 8);
		atomic_add(&s.sum_out, n);
	}
}

TEST(unix, nothing_is_lost_among_many)
{
	struct team readers, writers;

	s.rounds = test_rounds(2000);
	s.sum_in = s.sum_out = 0;
	make_pair(SOCK_SEQPACKET, s.f);
	team_start(&readers, 3, receive_numbers, NULL);
	team_start(&writers, 3, send_numbers, NULL);
	team_join(&writers);
	AWAIT(atomic_load(&s.sum_out) == s.sum_in);
	file_put(s.f[0]);
	team_join(&readers);
	file_put(s.f[1]);
}

static void close_end(void *arg)
{
	file_put(arg);
}

static void send_and_close(void *arg)
{
	struct file *f = arg;

	(void)put_file(f, f);
	(void)put(f, "abc", 3);
	file_put(f);
}

TEST(unix, both_ends_may_close_while_files_travel)
{
	s.rounds = test_rounds(300);
	for (unsigned long i = 0; i < s.rounds; i++) {
		struct file *f[2], *w = make_witness();
		struct team t = {0};

		make_pair(i % 2 ? SOCK_STREAM : SOCK_DGRAM, f);
		EXPECT_EQ(put_file(f[1], w), 1);
		file_put(w);
		team_add(&t, send_and_close, f[0]);
		team_add(&t, i % 3 ? close_end : send_and_close, f[1]);
		team_join(&t);
		/* two sockets may be left that carry each other: any release collects them */
		make_pair(SOCK_STREAM, f);
		file_put(f[0]);
		file_put(f[1]);
		AWAIT(atomic_load(&is_released));
	}
}
