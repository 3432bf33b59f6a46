// SPDX-License-Identifier: MIT
/* epoll sets: triggers, sets in sets, files that are closed while they are watched. */
#include <asm/poll.h>

#include "fs/vfs/epoll.h"
#include "ipc/eventfd.h"
#include "lib/test.h"
#include "sync/test/team.h"
#include "uaccess/iter.h"

static void add_to(struct file *f, uint64_t n)
{
	struct iter it;

	iter_init_kernel(&it, &n, sizeof(n));
	EXPECT_EQ(f->ops->write(f, &it, NULL), 8);
}

static void take_from(struct file *f)
{
	struct iter it;
	uint64_t n;

	iter_init_kernel(&it, &n, sizeof(n));
	EXPECT_EQ(f->ops->read(f, &it, NULL), 8);
}

static int control(struct file *set, int op, struct file *f, uint32_t events)
{
	struct epoll_event e = {.events = events, .data = 7};

	return epoll_control(set, op, 3, f, &e);
}

static bool is_ready(struct file *set)
{
	return set->ops->poll(set) & POLLIN;
}

TEST(epoll, a_set_is_ready_when_a_file_in_it_is)
{
	struct file *set, *f;

	EXPECT_EQ(epoll_create(&set), 0);
	EXPECT_EQ(eventfd_create(&f, 0, 0), 0);
	EXPECT_EQ(control(set, EPOLL_CTL_MOD, f, EPOLLIN), -ENOENT);
	EXPECT_EQ(control(set, EPOLL_CTL_ADD, f, EPOLLIN), 0);
	EXPECT_EQ(control(set, EPOLL_CTL_ADD, f, EPOLLIN), -EEXIST);
	EXPECT(!is_ready(set));
	add_to(f, 1);
	EXPECT(is_ready(set));
	take_from(f);
	EXPECT(!is_ready(set));
	add_to(f, 1);
	EXPECT_EQ(control(set, EPOLL_CTL_DEL, f, 0), 0);
	EXPECT(!is_ready(set));
	EXPECT_EQ(control(set, EPOLL_CTL_ADD, f, EPOLLIN), 0);
	EXPECT(is_ready(set)); /* what holds already counts */
	file_put(f);
	EXPECT(!is_ready(set)); /* the last reference is gone, and it left the set */
	EXPECT_EQ(control(set, EPOLL_CTL_ADD, set, EPOLLIN), -EINVAL);
	file_put(set);
}

TEST(epoll, sets_in_sets_end_at_a_depth_and_make_no_loop)
{
	struct file *set[7], *f;

	EXPECT_EQ(eventfd_create(&f, 0, 0), 0);
	for (unsigned i = 0; i < ARRAY_LEN(set); i++)
		EXPECT_EQ(epoll_create(&set[i]), 0);
	EXPECT_EQ(control(set[0], EPOLL_CTL_ADD, f, EPOLLIN), 0);
	/* from the inside, and from the outside */
	EXPECT_EQ(control(set[1], EPOLL_CTL_ADD, set[0], EPOLLIN), 0);
	EXPECT_EQ(control(set[3], EPOLL_CTL_ADD, set[2], EPOLLIN), 0);
	EXPECT_EQ(control(set[2], EPOLL_CTL_ADD, set[1], EPOLLIN), 0);
	EXPECT_EQ(control(set[4], EPOLL_CTL_ADD, set[3], EPOLLIN), 0);
	EXPECT_EQ(control(set[5], EPOLL_CTL_ADD, set[4], EPOLLIN), -ELOOP);
	EXPECT_EQ(control(set[0], EPOLL_CTL_ADD, set[3], EPOLLIN), -ELOOP);
	EXPECT(!is_ready(set[4]));
	add_to(f, 1);
	EXPECT(is_ready(set[4]));
	file_put(set[2]);
	EXPECT(!is_ready(set[4]));
	file_put(f);
	for (unsigned i = 0; i < ARRAY_LEN(set); i++)
		if (i != 2)
			file_put(set[i]);
}

/* ---- Closing a file, closing a set, and waking, all at once ---- */

static struct {
	struct file *set, *file;
	unsigned long rounds;
} s;

static void put_set(void *arg UNUSED)
{
	file_put(s.set);
}

static void put_file(void *arg UNUSED)
{
	file_put(s.file);
}

static void signal_file(void *arg)
{
	struct file *f = arg;

	EXPECT_EQ(eventfd_signal(f, 1), 0);
	file_put(f);
}

TEST(epoll, file_set_and_wake_up_may_end_together)
{
	s.rounds = test_rounds(300);
	for (unsigned long i = 0; i < s.rounds; i++) {
		struct team t = {0};

		EXPECT_EQ(epoll_create(&s.set), 0);
		EXPECT_EQ(eventfd_create(&s.file, 0, 0), 0);
		EXPECT_EQ(
			control(s.set, EPOLL_CTL_ADD, s.file, EPOLLIN | EPOLLOUT | EPOLLET), 0);
		file_get(s.file);
		team_add(&t, signal_file, s.file);
		team_add(&t, put_set, NULL);
		team_add(&t, put_file, NULL);
		team_join(&t);
	}
}
