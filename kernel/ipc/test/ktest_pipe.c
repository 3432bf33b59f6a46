// SPDX-License-Identifier: MIT
/* Pipes and eventfds without programs: slots, packets, sizes, ends, readers and writers in a race. */
#include <asm/poll.h>
#include <linux/fcntl.h>

#include "fs/vfs/inode.h"
#include "ipc/eventfd.h"
#include "ipc/pipe.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "ops/rw.h"
#include "sync/test/team.h"

static char buf[65536 + 4096];

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

TEST(pipe, bytes_come_out_as_they_went_in)
{
	struct file *f[2];

	EXPECT_EQ(pipe_create(f, 0), 0);
	EXPECT_EQ(get(f[0], buf, 1), -EAGAIN);
	for (int i = 0; i < 100; i++) {
		char c = (char)i;

		EXPECT_EQ(put(f[1], &c, 1), 1);
	}
	EXPECT_EQ(get(f[0], buf, sizeof(buf)), 100);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(buf[i], (char)i);
	EXPECT_EQ(f[0]->inode->ino, f[1]->inode->ino);
	file_put(f[1]);
	EXPECT_EQ(get(f[0], buf, 1), 0);
	EXPECT_EQ(f[0]->ops->poll(f[0]), POLLHUP);
	file_put(f[0]);
}

TEST(pipe, small_writes_are_all_or_nothing)
{
	struct file *f[2];
	int64_t n, total = 0;

	EXPECT_EQ(pipe_create(f, O_NONBLOCK), 0);
	while ((n = put(f[1], buf, 4095)) > 0)
		total += n;
	EXPECT_EQ(n, -EAGAIN);
	EXPECT_EQ(total, 16 * 4095);
	EXPECT_EQ(put(f[1], buf, 1), 1); /* behind the last slot's bytes */
	EXPECT_EQ(put(f[1], buf, 1), -EAGAIN);
	EXPECT(!(f[1]->ops->poll(f[1]) & POLLOUT));
	EXPECT_EQ(get(f[0], buf, 4095), 4095);
	EXPECT(f[1]->ops->poll(f[1]) & POLLOUT);
	EXPECT_EQ(put(f[1], buf, 2 * 4096), 4096); /* longer ones go as far as there is room */
	file_put(f[0]);
	EXPECT_EQ(put(f[1], buf, 1), -EPIPE);
	EXPECT(f[1]->ops->poll(f[1]) & POLLERR);
	file_put(f[1]);
}

TEST(pipe, packets_keep_their_borders)
{
	struct file *f[2];

	EXPECT_EQ(pipe_create(f, O_DIRECT), 0);
	EXPECT_EQ(put(f[1], "abc", 3), 3);
	EXPECT_EQ(put(f[1], "defg", 4), 4);
	EXPECT_EQ(get(f[0], buf, 2), 2); /* the rest of the packet is gone */
	EXPECT_EQ(get(f[0], buf, 100), 4);
	EXPECT_EQ(memcmp(buf, "defg", 4), 0);
	EXPECT_EQ(get(f[0], buf, 1), -EAGAIN);
	file_put(f[0]);
	file_put(f[1]);
}

TEST(pipe, size_changes_keep_what_is_in_it)
{
	struct file *f[2];

	EXPECT_EQ(pipe_create(f, 0), 0);
	EXPECT_EQ(pipe_get_size(f[0]), 65536);
	memset(buf, 'x', sizeof(buf));
	EXPECT_EQ(put(f[1], buf, 4096), 4096);
	EXPECT_EQ(get(f[0], buf, 4096), 4096); /* the ring no longer begins at slot 0 */
	EXPECT_EQ(put(f[1], buf, 65536), 65536);
	EXPECT_EQ(pipe_set_size(f[0], 4096), -EBUSY);
	EXPECT_EQ(pipe_set_size(f[0], 65537), 131072);
	EXPECT_EQ(put(f[1], "y", 1), 1);
	EXPECT_EQ(get(f[0], buf, sizeof(buf)), 65537);
	EXPECT_EQ(buf[65535], 'x');
	EXPECT_EQ(buf[65536], 'y');
	EXPECT_EQ(pipe_set_size(f[0], 0), 4096);
	EXPECT_EQ(pipe_set_size(f[0], 1ul << 31 | 1), -EINVAL);
	file_put(f[0]);
	file_put(f[1]);
}

/* ---- Races ---- */

static struct {
	struct file *f[2];
	unsigned long rounds;
	uint64_t sum_in, sum_out; /* [a] */
} s;

static void write_numbers(void *arg)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		uint64_t n[3] = {i, i * 3, (uintptr_t)arg};
		struct iter it;

		iter_init_kernel(&it, n, sizeof(n));
		EXPECT_EQ(rw_write(s.f[1], &it, NULL), (int64_t)sizeof(n));
		atomic_add(&s.sum_in, i);
	}
}

static void read_numbers(void *arg UNUSED)
{
	for (;;) {
		uint64_t n[3];
		struct iter it;
		int64_t got;

		iter_init_kernel(&it, n, sizeof(n));
		got = rw_read(s.f[0], &it, NULL);
		if (got == 0)
			return;
		EXPECT_EQ(got, (int64_t)sizeof(n)); /* PIPE_BUF: never torn */
		EXPECT_EQ(n[1], n[0] * 3);
		atomic_add(&s.sum_out, n[0]);
	}
}

TEST(pipe, nothing_is_lost_or_torn_among_many)
{
	struct team readers, writers;

	s.rounds = test_rounds(2000);
	s.sum_in = s.sum_out = 0;
	EXPECT_EQ(pipe_create(s.f, 0), 0);
	EXPECT_EQ(pipe_set_size(s.f[0], 4096), 4096);
	team_start(&readers, 3, read_numbers, NULL);
	team_start(&writers, 3, write_numbers, NULL);
	team_join(&writers);
	file_put(s.f[1]);
	team_join(&readers);
	file_put(s.f[0]);
	EXPECT_EQ(s.sum_in, s.sum_out);
}

/* ---- eventfd ---- */

TEST(eventfd, counts_and_is_a_semaphore)
{
	struct file *f;
	uint64_t n = 3;

	EXPECT_EQ(eventfd_create(&f, 2, 0), 0);
	EXPECT_EQ(put(f, &n, 8), 8);
	EXPECT_EQ(get(f, &n, 8), 8);
	EXPECT_EQ(n, 5ul);
	EXPECT_EQ(get(f, &n, 8), -EAGAIN);
	EXPECT_EQ(get(f, &n, 7), -EINVAL);
	n = UINT64_MAX;
	EXPECT_EQ(put(f, &n, 8), -EINVAL);
	n = UINT64_MAX - 1;
	EXPECT_EQ(put(f, &n, 8), 8);
	n = 1;
	EXPECT_EQ(put(f, &n, 8), -EAGAIN);
	EXPECT_EQ(f->ops->poll(f), POLLIN);
	file_put(f);
	EXPECT_EQ(eventfd_create(&f, 2, 1 /* EFD_SEMAPHORE */), 0);
	EXPECT_EQ(get(f, &n, 8), 8);
	EXPECT_EQ(n, 1ul);
	EXPECT_EQ(get(f, &n, 8), 8);
	EXPECT_EQ(get(f, &n, 8), -EAGAIN);
	file_put(f);
}
