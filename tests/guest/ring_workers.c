// SPDX-License-Identifier: MIT
/*
 * io_uring_register: how many of a process' requests may block at once (IORING_REGISTER_IOWQ_MAX_WORKERS), and
 * where (IOWQ_AFF).
 */
#include "ring.h"

#include <sched.h>
#include <sys/stat.h>

TEST(ring_workers, limits_are_told_and_set)
{
	uint32_t max[2] = {0, 0};
	struct ring r;

	ring_open(&r, 4, 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, max, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, NULL, 2), EINVAL);
	CHECK_ERRNO(
		ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, (void *)8, 2), EFAULT);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, max, 2), 0);
	CHECK(max[0] > 0 && max[1] > 0);
	SHOW("bounded %u", max[0]);
	max[0] = 3;
	max[1] = 5;
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, max, 2), 0);
	max[0] = max[1] = 0;
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, max, 2), 0);
	CHECK_EQ(max[0], 3);
	CHECK_EQ(max[1], 5);
	max[0] = -1U;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, max, 2), EINVAL);
	ring_close(&r);
}

static void set_limits(const struct ring *r, uint32_t bounded, uint32_t unbounded)
{
	uint32_t max[2] = {bounded, unbounded};

	CHECK_EQ(ring_register(r->fd, IORING_REGISTER_IOWQ_MAX_WORKERS, max, 2), 0);
}

/* Opens it for reading, which waits for a writer; on Linux with a worker, or it would not wait. */
static void put_open_of_fifo(struct ring *r, const char *name, uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_OPENAT, user_data);

	CHECK_OK(mkfifo(name, 0600));
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)name;
	sqe->flags = IOSQE_ASYNC;
}

static void wait_for_reader(const char *name)
{
	int fd;

	while ((fd = open(name, O_WRONLY | O_NONBLOCK)) < 0) {
		CHECK_EQ(errno, ENXIO);
		sched_yield();
	}
}

TEST(ring_workers, no_more_bounded_requests_than_workers)
{
	struct ring r;

	ring_open(&r, 8, 0);
	set_limits(&r, 1, 0);
	put_open_of_fifo(&r, "a", 1);
	put_open_of_fifo(&r, "b", 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	sleep_ms(50);
	CHECK_ERRNO(open("b", O_WRONLY | O_NONBLOCK), ENXIO); /* has not begun */
	wait_for_reader("a");
	CHECK_EQ(ring_take(&r).user_data, 1u);
	wait_for_reader("b");
	CHECK_EQ(ring_take(&r).user_data, 2u);
	set_limits(&r, 2, 0);
	put_open_of_fifo(&r, "c", 3);
	put_open_of_fifo(&r, "d", 4);
	CHECK_EQ(ring_submit(&r, 0), 2);
	wait_for_reader("d");
	CHECK_EQ(ring_take(&r).user_data, 4u);
	wait_for_reader("c");
	CHECK_EQ(ring_take(&r).user_data, 3u);
	ring_close(&r);
}

TEST(ring_workers, more_workers_begin_what_waits)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct ring r;

	NEWER(has_calls()); /* on Linux: when another request comes, or one ends */
	ring_open(&r, 8, 0);
	set_limits(&r, 1, 0);
	for (unsigned i = 0; i < 4; i++)
		put_open_of_fifo(&r, names[i], i);
	CHECK_EQ(ring_submit(&r, 0), 4);
	set_limits(&r, 3, 0);
	wait_for_reader("c");
	CHECK_EQ(ring_take(&r).user_data, 2u);
	wait_for_reader("d"); /* in its place */
	CHECK_EQ(ring_take(&r).user_data, 3u);
	wait_for_reader("a");
	CHECK_EQ(ring_take(&r).user_data, 0u);
	wait_for_reader("b");
	CHECK_EQ(ring_take(&r).user_data, 1u);
	ring_close(&r);
}

static void put_read_call(struct ring *r, int fd, char *to, uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, TORUS_OP_SYSCALL, user_data);

	sqe->fd = __NR_read;
	sqe->off = (uint64_t)fd;
	sqe->addr = (uintptr_t)to;
	sqe->len = 1;
}

TEST(ring_workers, no_more_unbounded_requests_than_workers)
{
	struct io_uring_sqe *sqe;
	struct ring r, other;
	int a[2], b[2];
	char c[2];

	NEWER(has_calls());
	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	ring_open(&r, 8, 0);
	ring_open(&other, 8, 0);
	set_limits(&r, 1, 1);
	put_read_call(&r, a[0], &c[0], 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(write(b[1], "b", 1), 1);
	put_read_call(&other, b[0], &c[1], 2); /* they are the process', not the ring's */
	CHECK_EQ(ring_submit(&other, 0), 1);
	sqe = ring_sqe(&r, IORING_OP_MKDIRAT, 3);
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t) "d";
	sqe->len = 0700;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 3, 0); /* a bounded one has its own */
	sleep_ms(20);
	CHECK_EQ(ring_ready(&other), 0u);
	CHECK_EQ(write(a[1], "a", 1), 1);
	RING_EXPECT(&r, 1, 1);
	RING_EXPECT(&other, 2, 1);
	CHECK_EQ(c[0], 'a');
	CHECK_EQ(c[1], 'b');
	put_read_call(&r, a[0], &c[0], 4);
	put_read_call(&r, b[0], &c[1], 5); /* in line when it is cancelled */
	CHECK_EQ(ring_submit(&r, 0), 2);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 6)->addr = 5;
	CHECK_EQ(ring_submit(&r, 2), 1);
	RING_EXPECT(&r, 5, -ECANCELED);
	RING_EXPECT(&r, 6, 0);
	ring_close(&other);
	ring_close(&r); /* and one that waits ends with the process */
}

/* One after another through one worker: the next of a chain begins while the fiber of the last one ends. */
TEST(ring_workers, a_chain_goes_through_one_worker)
{
	static char name[8] = "x";
	struct ring r;

	ring_open(&r, 64, 0);
	set_limits(&r, 1, 1);
	put_open_of_fifo(&r, "f", 0);
	for (uint64_t i = 1; i < 20; i++) {
		struct io_uring_sqe *sqe =
			ring_sqe(&r, i & 1 ? IORING_OP_MKDIRAT : IORING_OP_UNLINKAT, i);

		sqe->fd = AT_FDCWD;
		sqe->addr = (uintptr_t)name;
		sqe->len = i & 1 ? 0700 : 0;
		sqe->unlink_flags = i & 1 ? 0 : AT_REMOVEDIR;
		sqe->flags = IOSQE_IO_LINK;
	}
	ring_sqe(&r, IORING_OP_NOP, 20);
	CHECK_EQ(ring_submit(&r, 0), 21);
	wait_for_reader("f");
	for (uint64_t i = 0; i < 21; i++) {
		struct ring_result got = ring_take(&r);

		CHECK_EQ(got.user_data, i);
		CHECK(got.res >= 0);
	}
	ring_close(&r);
}

TEST(ring_workers, affinity)
{
	unsigned long all = 1, none = 0;
	struct ring r;

	ring_open(&r, 4, 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_IOWQ_AFF, NULL, 8), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_IOWQ_AFF, &all, 0), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_IOWQ_AFF, (void *)8, 8), EFAULT);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_IOWQ_AFF, &all, sizeof(all)), 0);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_IOWQ_AFF, &none, sizeof(none)), 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_IOWQ_AFF, NULL, 1), EINVAL);
	CHECK_EQ(ring_register(r.fd, IORING_UNREGISTER_IOWQ_AFF, NULL, 0), 0);
	ring_close(&r);
}
