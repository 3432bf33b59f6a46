// SPDX-License-Identifier: MIT
/* Descriptor tables: numbers, growth, copies, and lookups beside threads that close and open. */
#include <linux/fcntl.h>

#include "fs/vfs/fdtable_priv.h"
#include "lib/random.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "sync/test/team.h"

enum { ALIVE = 0x600d, LOOKERS = 3, CHANGERS = 2, ROUNDS = 300, NUMBERS = 3 };

/* What a test file points to; counts its releases. */
struct thing {
	uint32_t state;        /* [a] ALIVE until released */
	uint32_t *nr_released; /* [a] */
};

static void release(struct file *f)
{
	struct thing *t = f->private_data;

	atomic_store(&t->state, 0u);
	atomic_add(t->nr_released, 1u);
	mem_free(t);
}

static const struct file_ops thing_ops = {.release = release, .name = "test"};

static struct file *open_thing(uint32_t *nr_released)
{
	struct thing *t = mem_alloc(sizeof(*t), 0);
	struct file *f;

	assert(t);
	*t = (struct thing){.state = ALIVE, .nr_released = nr_released};
	assert(!file_open_anonymous(&f, &thing_ops, "test", t, O_RDWR, FILE_READ | FILE_WRITE));
	return f;
}

static int put_in(struct fdtable *t, struct file *f, bool close_on_exec)
{
	int fd;

	assert(!fd_reserve(t, 0, 1 << 16, &fd));
	fd_install(t, fd, f, close_on_exec);
	return fd;
}

TEST(fdtable, the_lowest_number_is_given)
{
	uint32_t nr_released = 0;
	struct fdtable *t;
	int fd;

	REQUIRE(!fdtable_create(&t));
	for (int i = 0; i < 200; i++)
		EXPECT_EQ(put_in(t, open_thing(&nr_released), false), i);
	EXPECT_EQ(fd_close(t, 70), 0);
	EXPECT_EQ(fd_close(t, 70), -EBADF);
	EXPECT_EQ(fd_close(t, 5), 0);
	EXPECT_EQ(fd_close(t, -1), -EBADF);
	EXPECT_EQ(fd_close(t, 100000), -EBADF);
	EXPECT_EQ(put_in(t, open_thing(&nr_released), false), 5);
	EXPECT_EQ(put_in(t, open_thing(&nr_released), false), 70);
	EXPECT_EQ(put_in(t, open_thing(&nr_released), false), 200);
	EXPECT_EQ(fd_reserve(t, 0, 201, &fd), -EMFILE);
	EXPECT_EQ(fd_reserve(t, 1000, 2000, &fd), 0);
	EXPECT_EQ(fd, 1000);
	fd_unreserve(t, 1000);
	EXPECT_EQ(fdtable_next(t, 201), -1);
	fdtable_put(t);
	EXPECT_EQ(nr_released, 203);
}

TEST(fdtable, a_copy_has_the_same_files_and_exec_closes_those_marked)
{
	uint32_t nr_released = 0;
	struct fdtable *t, *copy;
	bool on;
	int fd;

	REQUIRE(!fdtable_create(&t));
	for (int i = 0; i < 100; i++)
		put_in(t, open_thing(&nr_released), i % 2);
	EXPECT_EQ(fd_reserve(t, 0, 1000, &fd), 0); /* reserved only: not copied */
	REQUIRE(!fdtable_copy(t, &copy));
	fd_unreserve(t, fd);
	fdtable_close_on_exec(copy);
	EXPECT_EQ(fd_get_cloexec(copy, 1, &on), -EBADF);
	EXPECT_EQ(fd_get_cloexec(copy, 2, &on), 0);
	EXPECT(!on);
	fdtable_close_range(copy, 50, ~0u, false);
	EXPECT_EQ(fdtable_next(copy, 49), -1);
	EXPECT_EQ(fdtable_next(copy, 47), 48);
	fdtable_put(copy);
	EXPECT_EQ(nr_released, 0);
	fdtable_put(t);
	EXPECT_EQ(nr_released, 100);
}

static struct {
	struct fdtable *table;
	uint32_t is_over;     /* [a] */
	uint32_t nr_opened;   /* [a] */
	uint32_t nr_released; /* [a] */
	uint32_t nr_bad;      /* [a] */
	uint32_t next_seed;   /* [a] */
} s;

static void look(void *arg UNUSED)
{
	unsigned fd = 0;

	while (!atomic_load(&s.is_over)) {
		struct file *f = fdtable_get_rcu(s.table, fd++ % NUMBERS);

		if (!f) {
			arch_cpu_relax();
			continue;
		}
		if (atomic_load(&((struct thing *)f->private_data)->state) != ALIVE)
			atomic_add(&s.nr_bad, 1u);
		file_put(f);
	}
}

static void change(void *arg UNUSED)
{
	unsigned long rounds = test_rounds(ROUNDS);
	struct random r;

	random_seed(&r, atomic_fetch_add(&s.next_seed, 1u));
	for (unsigned long i = 0; i < rounds; i++) {
		int fd = (int)random_below(&r, NUMBERS);

		if (random_one_in(&r, 2)) {
			(void)!fd_close(s.table, fd);
		} else {
			struct file *f = open_thing(&s.nr_released);

			atomic_add(&s.nr_opened, 1u);
			if (fd_replace(s.table, fd, f, 64, false))
				file_put(f);
		}
	}
}

TEST(fdtable, a_lookup_never_gives_a_file_that_is_gone)
{
	struct team lookers, changers;

	s = (__typeof__(s)){.next_seed = 1};
	REQUIRE(!fdtable_create(&s.table));
	fdtable_get(s.table); /* shared, as by two threads */
	team_start(&lookers, LOOKERS, look, NULL);
	team_start(&changers, CHANGERS, change, NULL);
	team_join(&changers);
	atomic_store(&s.is_over, 1u);
	team_join(&lookers);
	fdtable_put(s.table);
	fdtable_put(s.table);
	EXPECT_EQ(s.nr_bad, 0);
	EXPECT_EQ(s.nr_opened, s.nr_released);
	rcu_barrier();
}
