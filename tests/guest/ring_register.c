// SPDX-License-Identifier: MIT
/*
 * io_uring_register: files, direct descriptors, eventfd, probe, restrictions, personalities, and the
 * small ones. tests/guest/ring_buffers.c has memory, ring_workers.c the limits of workers.
 */
#include "ring.h"

#include <pthread.h>
#include <sched.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- The call ---- */

TEST(ring_register, errors_of_the_call)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 4, 0);
	CHECK_OK(pipe(fd));
	CHECK_ERRNO(ring_register(r.fd, 1000, NULL, 0), EINVAL);
	CHECK_ERRNO(ring_register(999, IORING_UNREGISTER_FILES, NULL, 0), EBADF);
	CHECK_ERRNO(ring_register(fd[0], IORING_UNREGISTER_FILES, NULL, 0), EOPNOTSUPP);
	CHECK_ERRNO(ring_register(-1, 1000, NULL, 0), EINVAL);
	CHECK_ERRNO(ring_register(-1, IORING_UNREGISTER_FILES, NULL, 0), EBADF);
	ring_close(&r);
}

/* ---- Files ---- */

TEST(ring_register, files_are_used_by_index)
{
	int fd[2], table[3];
	struct ring r;
	char c = 0;

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	memcpy(table, (int[]){-1, fd[0], fd[1]}, sizeof(table));
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES, table, 3), 0);
	CHECK_OK(close(fd[0]));
	CHECK_OK(close(fd[1]));
	ring_next_rw(&r, IORING_OP_WRITE, 2, "x", 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, 1);
	ring_next_rw(&r, IORING_OP_READ, 1, &c, 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, 1);
	CHECK_EQ(c, 'x');
	ring_next_rw(&r, IORING_OP_READ, 0, &c, 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, -EBADF);
	ring_next_rw(&r, IORING_OP_READ, 3, &c, 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, -EBADF);
	CHECK_EQ(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0), 0);
	ring_next_rw(&r, IORING_OP_READ, 1, &c, 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, -EBADF);
	ring_close(&r);
}

TEST(ring_register, errors_of_files)
{
	struct rlimit few = {64, 64};
	int fd[2], table[2];
	struct ring r;

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	memcpy(table, fd, sizeof(table));
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0), ENXIO);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES, table, 0), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES, NULL, 1), EFAULT);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES, (void *)8, 1), EFAULT);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES, table, 1u << 21), EMFILE);
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &few));
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES, table, 65), EMFILE);
	table[1] = 60;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES, table, 2), EBADF);
	table[1] = r.fd;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES, table, 2), EBADF);
	table[1] = fd[1];
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES, table, 2), 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES, table, 2), EBUSY);
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_FILES, table, 0), EINVAL);
	ring_close(&r);
}

TEST(ring_register, files_are_updated)
{
	int fd[2], table[4] = {-1, -1, -1, -1};
	struct io_uring_rsrc_update up = {0};
	struct ring r;
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	up.data = (uintptr_t)table;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 1), ENXIO);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES, table, 4), 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 0), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, NULL, 1), EFAULT);
	up.offset = 3;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 2), EINVAL);
	up.offset = -1U;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 2), EOVERFLOW);
	up.offset = 1;
	table[0] = fd[1];
	table[1] = 99; /* no descriptor: what came before it counts */
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 2), 1);
	table[0] = 99;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 1), EBADF);
	ring_next_rw(&r, IORING_OP_WRITE, 1, "x", 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, -EBADF); /* the slot was emptied before */
	table[0] = fd[1];
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 1), 1);
	table[0] = IORING_REGISTER_FILES_SKIP;
	table[1] = fd[0];
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 2), 2);
	ring_next_rw(&r, IORING_OP_WRITE, 1, "x", 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, 1);
	ring_next_rw(&r, IORING_OP_READ, 2, &c, 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, 1);
	up.resv = 1;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &up, 2), EINVAL);
	ring_close(&r);
}

TEST(ring_register, tags_are_told_when_a_file_is_free)
{
	int fd[2], table[2];
	uint64_t tags[2] = {70, 71};
	struct io_uring_rsrc_register reg = {.nr = 2};
	struct io_uring_rsrc_update2 up = {.nr = 1};
	struct ring_result got;
	struct ring r;

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	memcpy(table, fd, sizeof(table));
	reg.data = (uintptr_t)table;
	reg.tags = (uintptr_t)tags;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, 1), EINVAL);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)), 0);
	table[0] = -1;
	tags[0] = 72;
	up.data = (uintptr_t)table;
	up.tags = (uintptr_t)tags;
	CHECK_ERRNO(
		ring_register(r.fd, IORING_REGISTER_FILES_UPDATE2, &up, sizeof(up)), EINVAL);
	tags[0] = 0;
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE2, &up, sizeof(up)), 1);
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 70);
	CHECK_EQ(got.res, 0);
	ring_close(&r);
}

TEST(ring_register, a_tag_waits_for_the_request_that_uses_the_file)
{
	struct io_uring_rsrc_register reg = {.nr = 1};
	struct ring_result got;
	uint64_t tag = 70;
	int fd[2];
	struct ring r;
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	reg.data = (uintptr_t)&fd[0];
	reg.tags = (uintptr_t)&tag;
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)), 0);
	ring_next_rw(&r, IORING_OP_READ, 0, &c, 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE,
			 &(struct io_uring_rsrc_update){.data = (uintptr_t) & (int){-1}}, 1),
		1);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	for (unsigned i = 0; i < 2; i++) {
		got = ring_take(&r);
		CHECK_EQ(got.res, got.user_data == 70 ? 0 : 1);
	}
	CHECK_EQ(ring_ready(&r), 0);
	ring_close(&r);
}

TEST(ring_register, sparse_tables)
{
	struct io_uring_rsrc_register reg = {.nr = 8, .flags = IORING_RSRC_REGISTER_SPARSE};
	struct ring r;
	int fd = 0;

	ring_open(&r, 4, 0);
	reg.data = (uintptr_t)&fd;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)), EINVAL);
	reg.data = 0;
	reg.resv2 = 1;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)), EINVAL);
	reg.resv2 = 0;
	reg.flags = 2;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)), EINVAL);
	reg.flags = IORING_RSRC_REGISTER_SPARSE;
	reg.nr = 0;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)), EINVAL);
	reg.nr = 8;
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)), 0);
	CHECK_EQ(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0), 0);
	ring_close(&r);
}

/* ---- Direct descriptors ---- */

static int open_direct(struct ring *r, const char *path, unsigned slot)
{
	struct io_uring_sqe *sqe = ring_next(r, IORING_OP_OPENAT, AT_FDCWD);

	sqe->addr = (uintptr_t)path;
	sqe->open_flags = O_RDONLY;
	sqe->file_index = slot;
	return ring_run(r).res;
}

static int close_direct(struct ring *r, unsigned slot)
{
	ring_next(r, IORING_OP_CLOSE, 0)->file_index = slot;
	return ring_run(r).res;
}

static void make_sparse(struct ring *r, unsigned nr)
{
	struct io_uring_rsrc_register reg = {.nr = nr, .flags = IORING_RSRC_REGISTER_SPARSE};

	CHECK_EQ(ring_register(r->fd, IORING_REGISTER_FILES2, &reg, sizeof(reg)), 0);
}

TEST(ring_register, direct_descriptors_have_their_slots)
{
	struct ring r;
	char c;

	put_file("f", "x");
	ring_open(&r, 4, 0);
	CHECK_EQ(open_direct(&r, "f", 1), -ENXIO);
	CHECK_EQ(open_direct(&r, "f", IORING_FILE_INDEX_ALLOC), -ENFILE);
	CHECK_EQ(close_direct(&r, 1), -ENXIO);
	make_sparse(&r, 2);
	CHECK_EQ(open_direct(&r, "f", 3), -EINVAL);
	CHECK_EQ(close_direct(&r, 3), -EINVAL);
	CHECK_EQ(close_direct(&r, 1), -EBADF);
	CHECK_EQ(open_direct(&r, "f", 2), 0);
	CHECK_EQ(open_direct(&r, "f", 2), 0); /* takes the place of the other */
	ring_next_rw(&r, IORING_OP_READ, 1, &c, 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, 1);
	CHECK_EQ(close_direct(&r, 2), 0);
	CHECK_EQ(close_direct(&r, 2), -EBADF);
	ring_close(&r);
}

TEST(ring_register, slots_are_chosen_in_order_and_within_the_range)
{
	struct io_uring_file_index_range range = {.off = 2, .len = 3};
	struct ring r;

	put_file("f", "x");
	ring_open(&r, 4, 0);
	make_sparse(&r, 6);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(open_direct(&r, "f", IORING_FILE_INDEX_ALLOC), i);
	CHECK_EQ(open_direct(&r, "f", IORING_FILE_INDEX_ALLOC), -ENFILE);
	CHECK_EQ(close_direct(&r, 2), 0);
	CHECK_EQ(close_direct(&r, 4), 0);
	CHECK_EQ(open_direct(&r, "f", IORING_FILE_INDEX_ALLOC), 3);
	CHECK_EQ(open_direct(&r, "f", IORING_FILE_INDEX_ALLOC), 1);
	for (unsigned i = 1; i <= 6; i++)
		CHECK_EQ(close_direct(&r, i), 0);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), 0);
	for (int i = 2; i < 5; i++)
		CHECK_EQ(open_direct(&r, "f", IORING_FILE_INDEX_ALLOC), i);
	CHECK_EQ(open_direct(&r, "f", IORING_FILE_INDEX_ALLOC), -ENFILE);
	CHECK_EQ(open_direct(&r, "f", 1), 0); /* outside of it by name */
	range.len = 5;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), EINVAL);
	range.off = -1U;
	CHECK_ERRNO(
		ring_register(r.fd, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), EOVERFLOW);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILE_ALLOC_RANGE, NULL, 0), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 1), EINVAL);
	ring_close(&r);
}

static int update_by_entry(struct ring *r, int *fds, unsigned nr, unsigned offset)
{
	ring_next_rw(r, IORING_OP_FILES_UPDATE, -1, fds, nr, offset);
	return ring_run(r).res;
}

TEST(ring_register, files_are_updated_by_an_entry)
{
	int fds[2], table[2];
	struct ring r;
	char c;

	CHECK_OK(pipe(fds));
	ring_open(&r, 4, 0);
	CHECK_EQ(update_by_entry(&r, fds, 2, 0), -ENXIO);
	make_sparse(&r, 3);
	CHECK_EQ(update_by_entry(&r, fds, 0, 0), -EINVAL);
	CHECK_EQ(update_by_entry(&r, fds, 2, 2), -EINVAL);
	CHECK_EQ(update_by_entry(&r, fds, 1, 2), 1);
	memcpy(table, fds, sizeof(table));
	CHECK_EQ(update_by_entry(&r, table, 2, IORING_FILE_INDEX_ALLOC), 2);
	CHECK_EQ(table[0], 0);
	CHECK_EQ(table[1], 1);
	memcpy(table, fds, sizeof(table));
	CHECK_EQ(update_by_entry(&r, table, 2, IORING_FILE_INDEX_ALLOC), -ENFILE);
	ring_next_rw(&r, IORING_OP_WRITE, 1, "x", 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, 1);
	ring_next_rw(&r, IORING_OP_READ, 2, &c, 1, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, 1);
	ring_close(&r);
}

/* Linux has it since 6.8. */
TEST(ring_register, a_direct_descriptor_becomes_one_of_the_process)
{
	struct io_uring_sqe *sqe;
	struct ring_result got;
	struct ring r;
	char c;

	put_file("f", "x");
	ring_open(&r, 4, 0);
	NEWER(ring_has_op(&r, IORING_OP_FIXED_FD_INSTALL));
	make_sparse(&r, 2);
	CHECK_EQ(open_direct(&r, "f", 2), 0);
	ring_next(&r, IORING_OP_FIXED_FD_INSTALL, 1);
	CHECK_EQ(ring_run(&r).res, -EBADF);
	ring_next(&r, IORING_OP_FIXED_FD_INSTALL, 0)->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(ring_run(&r).res, -EBADF);
	ring_next(&r, IORING_OP_FIXED_FD_INSTALL, 1)->flags = IOSQE_FIXED_FILE;
	got = ring_run(&r);
	CHECK(got.res > 0);
	CHECK_EQ(fcntl(got.res, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(got.res, &c, 1), 1);
	sqe = ring_next(&r, IORING_OP_FIXED_FD_INSTALL, 1);
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->rw_flags = IORING_FIXED_FD_NO_CLOEXEC;
	got = ring_run(&r);
	CHECK(got.res > 0);
	CHECK_EQ(fcntl(got.res, F_GETFD), 0);
	ring_close(&r);
}

/* ---- An eventfd ---- */

TEST(ring_register, an_eventfd_counts_completions)
{
	int event = CHECK_OK(eventfd(0, EFD_NONBLOCK)), bad = 99, ring_fd;
	struct ring r;
	uint64_t n;

	ring_open(&r, 4, 0);
	ring_fd = r.fd;
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0), ENXIO);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_EVENTFD, &bad, 1), EBADF);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_EVENTFD, &ring_fd, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_EVENTFD, &event, 2), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_EVENTFD, NULL, 1), EFAULT);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_EVENTFD, &event, 1), 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_EVENTFD, &event, 1), EBUSY);
	CHECK_ERRNO(read(event, &n, sizeof(n)), EAGAIN);
	ring_next(&r, IORING_OP_NOP, -1);
	CHECK_EQ(ring_run(&r).res, 0);
	CHECK_EQ(read(event, &n, sizeof(n)), sizeof(n));
	CHECK_EQ(n, 1);
	*ring_word(&r, r.p.cq_off.flags) = IORING_CQ_EVENTFD_DISABLED;
	ring_next(&r, IORING_OP_NOP, -1);
	CHECK_EQ(ring_run(&r).res, 0);
	CHECK_ERRNO(read(event, &n, sizeof(n)), EAGAIN);
	*ring_word(&r, r.p.cq_off.flags) = 0;
	CHECK_EQ(ring_register(r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0), 0);
	ring_next(&r, IORING_OP_NOP, -1);
	CHECK_EQ(ring_run(&r).res, 0);
	CHECK_ERRNO(read(event, &n, sizeof(n)), EAGAIN);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_EVENTFD_ASYNC, &event, 1), 0);
	ring_next(&r, IORING_OP_NOP, -1);
	CHECK_EQ(ring_run(&r).res, 0);
	CHECK_ERRNO(read(event, &n, sizeof(n)), EAGAIN); /* it was not asynchronous */
	ring_next(&r, IORING_OP_NOP, -1)->flags = IOSQE_ASYNC;
	CHECK_EQ(ring_run(&r).res, 0);
	CHECK_EQ(poll(&(struct pollfd){event, POLLIN, 0}, 1, -1), 1);
	CHECK_EQ(read(event, &n, sizeof(n)), sizeof(n));
	CHECK_EQ(n, 1);
	ring_close(&r);
}

/* ---- Probe ---- */

TEST(ring_register, probe_wants_zeroes)
{
	struct {
		struct io_uring_probe probe;
		struct io_uring_probe_op ops[256];
	} p = {0};
	struct ring r;

	ring_open(&r, 4, 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PROBE, NULL, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PROBE, &p, 257), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PROBE, (void *)8, 1), EFAULT);
	p.ops[3].op = 1;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PROBE, &p, 4), EINVAL);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_PROBE, &p, 3), 0);
	CHECK_EQ(p.probe.ops_len, 3);
	CHECK_EQ(p.ops[2].op, 2);
	CHECK_EQ(p.ops[2].flags, IO_URING_OP_SUPPORTED);
	CHECK_EQ(p.ops[3].op, 1);
	memset(&p, 0, sizeof(p));
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_PROBE, &p, 256), 0);
	CHECK_EQ(p.probe.ops_len, p.probe.last_op + 1);
	CHECK(ring_has_op(&r, IORING_OP_READ));
	CHECK(!ring_has_op(&r, 200));
	ring_close(&r);
}

/* ---- Restrictions ---- */

TEST(ring_register, restrictions_hold_once_it_is_enabled)
{
	struct io_uring_restriction rs[4] = {
		{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP},
		{.opcode = IORING_RESTRICTION_REGISTER_OP,
			.register_op = IORING_REGISTER_PROBE},
		{.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_ASYNC},
		{.opcode = 9},
	};
	int table[1] = {-1};
	struct ring r;

	ring_open(&r, 4, IORING_SETUP_R_DISABLED);
	ring_next(&r, IORING_OP_NOP, -1);
	CHECK_ERRNO(ring_submit(&r, 0), EBADFD);
	r.to_submit = 1; /* it is still there */
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, rs, 4), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, NULL, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, rs, 1000), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, (void *)8, 1), EFAULT);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, rs, 3), 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, rs, 3), EBUSY);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_FILES, table, 1), 0); /* not yet */
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0), 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0), EACCES);
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0), EACCES);
	CHECK(ring_has_op(&r, IORING_OP_NOP));
	CHECK_EQ(ring_run(&r).res, 0);
	ring_next(&r, IORING_OP_NOP, -1)->flags = IOSQE_IO_LINK;
	CHECK_EQ(ring_run(&r).res, -EACCES);
	ring_next(&r, IORING_OP_NOP, -1)->flags = IOSQE_ASYNC;
	CHECK_EQ(ring_run(&r).res, 0);
	ring_next(&r, IORING_OP_FSYNC, 0);
	CHECK_EQ(ring_run(&r).res, -EACCES);
	ring_close(&r);
}

TEST(ring_register, required_flags_are_required)
{
	struct io_uring_restriction rs[2] = {
		{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP},
		{.opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_ASYNC},
	};
	struct ring r;

	ring_open(&r, 4, IORING_SETUP_R_DISABLED);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, rs, 2), 0);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0), 0);
	ring_next(&r, IORING_OP_NOP, -1);
	CHECK_EQ(ring_run(&r).res, -EACCES);
	ring_next(&r, IORING_OP_NOP, -1)->flags = IOSQE_ASYNC;
	CHECK_EQ(ring_run(&r).res, 0);
	ring_close(&r);
	ring_open(&r, 4, 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, rs, 2), EBADFD);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0), EBADFD);
	ring_close(&r);
}

/* ---- Personalities ---- */

TEST(ring_register, a_personality_is_who_one_was)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	int id;

	put_file("f", "x");
	CHECK_OK(chmod("f", 0600));
	ring_open(&r, 4, 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 1), EINVAL);
	id = CHECK_OK(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 0));
	CHECK_EQ(id, 1);
	CHECK_EQ(CHECK_OK(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 0)), 2);
	CHECK_OK(setresuid(1000, 1000, 1000));
	sqe = ring_next(&r, IORING_OP_OPENAT, AT_FDCWD);
	sqe->addr = (uintptr_t) "f";
	CHECK_EQ(ring_run(&r).res, -EACCES);
	sqe = ring_next(&r, IORING_OP_OPENAT, AT_FDCWD);
	sqe->addr = (uintptr_t) "f";
	sqe->personality = (unsigned short)id;
	CHECK(ring_run(&r).res > 0);
	CHECK_EQ(ring_register(r.fd, IORING_UNREGISTER_PERSONALITY, NULL, (unsigned)id), 0);
	CHECK_ERRNO(
		ring_register(r.fd, IORING_UNREGISTER_PERSONALITY, NULL, (unsigned)id), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_PERSONALITY, NULL, 0), EINVAL);
	sqe = ring_next(&r, IORING_OP_NOP, -1);
	sqe->personality = (unsigned short)id;
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	ring_close(&r);
}

TEST(ring_register, a_personality_connects)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "s"};
	int l = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
	struct ring r;
	int id;

	CHECK_OK(bind(l, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK_OK(listen(l, 4));
	CHECK_OK(chmod("s", 0700));
	ring_open(&r, 4, 0);
	CHECK_OK(setresuid(1000, 1000, 0));
	id = CHECK_OK(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 0));
	CHECK_OK(setresuid(0, 0, 0));
	for (int i = 0; i < 2; i++) {
		int fd = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
		struct io_uring_sqe *sqe = ring_next(&r, IORING_OP_CONNECT, fd);

		sqe->addr = (uintptr_t)&addr;
		sqe->off = sizeof(addr);
		sqe->personality = (unsigned short)(i ? id : 0);
		CHECK_EQ(ring_run(&r).res, i ? -EACCES : 0);
	}
	ring_close(&r);
}

/*
 * A long entry that is done with a personality, of user 1000, by a thread that is root: gigabytes into a mebibyte,
 * of which the first byte shows that it has begun.
 */
enum { VECTORS = 1024, VECTOR_SIZE = 1 << 20 };
struct long_read {
	struct ring r;
	struct iovec v[VECTORS];
	char *buf; /* shared: not 0 before it has begun */
};

static void prepare_long_read(struct long_read *l)
{
	struct io_uring_sqe *sqe;
	int id;

	l->buf = mmap(
		NULL, VECTOR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(l->buf != MAP_FAILED);
	memset(l->buf, 1, VECTOR_SIZE);
	for (unsigned i = 0; i < VECTORS; i++)
		l->v[i] = (struct iovec){l->buf, VECTOR_SIZE};
	ring_open(&l->r, 4, 0);
	CHECK_OK(syscall(SYS_setresuid, 1000, 1000, 0)); /* of this thread alone */
	id = CHECK_OK(ring_register(l->r.fd, IORING_REGISTER_PERSONALITY, NULL, 0));
	CHECK_OK(syscall(SYS_setresuid, 0, 0, 0));
	sqe = ring_next_rw(&l->r, IORING_OP_READV, CHECK_OK(open("/dev/zero", O_RDONLY)), l->v,
		VECTORS, 0);
	sqe->personality = (unsigned short)id;
}

static void wait_until_begun(const struct long_read *l)
{
	while (__atomic_load_n(&l->buf[0], __ATOMIC_ACQUIRE))
		sched_yield();
}

/* Others see who it is: user 1000 may not signal root, whatever root does as user 1000. */
TEST(ring_register, a_personality_is_not_who_one_is_to_others)
{
	static struct long_read l;
	pid_t root = getpid(), other;
	char *is_over;

	prepare_long_read(&l);
	is_over = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(is_over != MAP_FAILED);
	other = CHECK_OK(fork());
	if (!other) {
		CHECK_OK(setresuid(1000, 1000, 1000));
		wait_until_begun(&l);
		while (!__atomic_load_n(is_over, __ATOMIC_ACQUIRE))
			CHECK_ERRNO(kill(root, 0), EPERM);
		_exit(0);
	}
	CHECK(ring_run(&l.r).res > 0);
	__atomic_store_n(is_over, 1, __ATOMIC_RELEASE);
	EXPECT_CHILD(other, 0);
	ring_close(&l.r);
}

struct releaser {
	const struct long_read *l;
	int fd;
};

static void *release_when_begun(void *arg)
{
	const struct releaser *rel = arg;

	wait_until_begun(rel->l);
	CHECK_EQ(write(rel->fd, "x", 1), 1);
	return NULL;
}

static void put_call(struct ring *r, int nr, uint64_t a0, const void *a1, unsigned a2)
{
	struct io_uring_sqe *sqe = ring_next(r, TORUS_OP_SYSCALL, nr);

	sqe->off = a0;
	sqe->addr = (uintptr_t)a1;
	sqe->len = a2;
}

/* A call that stood in line begins meanwhile, and is its thread's. */
TEST(ring_register, a_personality_is_of_its_entry_alone)
{
	uint32_t max[2] = {1, 1};
	static struct long_read l;
	struct releaser rel;
	pthread_t thread;
	struct ring r;
	int fd[2];
	char c;

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, max, 2));
	put_call(&r, __NR_read, (unsigned)fd[0], &c, 1);
	put_call(&r, __NR_geteuid, 0, NULL, 0);
	CHECK_EQ(ring_submit(&r, 0), 2);
	prepare_long_read(&l);
	rel = (struct releaser){&l, fd[1]};
	CHECK_EQ(pthread_create(&thread, NULL, release_when_begun, &rel), 0);
	CHECK(ring_run(&l.r).res > 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(ring_take(&r).res, 1);
	CHECK_EQ(ring_take(&r).res, 0); /* root */
	ring_close(&r);
	ring_close(&l.r);
}

/* ---- Registered rings ---- */

TEST(ring_register, a_ring_has_a_number_of_its_thread)
{
	struct io_uring_rsrc_update up[2] = {{.offset = -1U}, {.offset = 5}};
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	up[0].data = up[1].data = (unsigned)r.fd;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RING_FDS, up, 0), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RING_FDS, up, 17), EINVAL);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_RING_FDS, up, 2), 2);
	CHECK_EQ(up[0].offset, 0);
	CHECK_EQ(up[1].offset, 5);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RING_FDS, &up[1], 1), EBUSY);
	up[0].offset = 16;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RING_FDS, up, 1), EINVAL);
	up[0] = (struct io_uring_rsrc_update){.offset = 6, .data = (unsigned)fd[0]};
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RING_FDS, up, 1), EOPNOTSUPP);
	up[0].data = 99;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_RING_FDS, up, 1), EBADF);
	ring_next(&r, IORING_OP_NOP, -1);
	CHECK_EQ(ring_enter(5, 1, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_REGISTERED_RING), 1);
	CHECK_EQ(ring_ready(&r), 1);
	CHECK_ERRNO(ring_enter(7, 0, 0, IORING_ENTER_REGISTERED_RING), EBADF);
	CHECK_ERRNO(ring_enter(16, 0, 0, IORING_ENTER_REGISTERED_RING), EINVAL);
	up[1].data = 0;
	CHECK_EQ(ring_register(r.fd, IORING_UNREGISTER_RING_FDS, &up[1], 1), 1);
	CHECK_ERRNO(ring_enter(5, 0, 0, IORING_ENTER_REGISTERED_RING), EBADF);
	CHECK_EQ(ring_register(r.fd, IORING_UNREGISTER_RING_FDS, &up[1], 1), 1);
	up[1].data = 1;
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_RING_FDS, &up[1], 1), EINVAL);
	ring_close(&r);
}

/* Linux has it since 6.3. */
TEST(ring_register, registering_by_the_number_of_a_ring)
{
	struct io_uring_rsrc_update up = {.offset = 3};
	int table[1] = {-1};
	struct ring r;

	ring_open(&r, 4, 0);
	NEWER(r.p.features & IORING_FEAT_REG_REG_RING);
	up.data = (unsigned)r.fd;
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_RING_FDS, &up, 1), 1);
	CHECK_EQ(ring_register(3, IORING_REGISTER_FILES | IORING_REGISTER_USE_REGISTERED_RING,
			 table, 1),
		0);
	CHECK_ERRNO(
		ring_register(4, IORING_REGISTER_FILES | IORING_REGISTER_USE_REGISTERED_RING,
			table, 1),
		EBADF);
	CHECK_ERRNO(
		ring_register(16, IORING_REGISTER_FILES | IORING_REGISTER_USE_REGISTERED_RING,
			table, 1),
		EINVAL);
	ring_close(&r);
}

/* ---- Cancelling ---- */

TEST(ring_register, cancelling_at_once)
{
	struct io_uring_sync_cancel_reg reg = {.addr = 7, .fd = -1};
	struct ring_result got;
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	reg.timeout.tv_sec = reg.timeout.tv_nsec = -1;
	ring_open(&r, 4, 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), ENOENT);
	ring_next_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0)->user_data = 7;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), 0);
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 7);
	CHECK_EQ(got.res, -ECANCELED);
	ring_next_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0)->user_data = 8;
	CHECK_EQ(ring_submit(&r, 0), 1);
	reg.flags = IORING_ASYNC_CANCEL_FD;
	reg.fd = fd[0];
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), 0);
	CHECK_EQ(ring_take(&r).user_data, 8);
	reg.fd = 99;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), EBADF);
	reg.flags = 1u << 20;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), EINVAL);
	reg.flags = 0;
	reg.pad[3] = 1;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, NULL, 1), EINVAL);
	ring_close(&r);
}

/* ---- Whose it is ---- */

static void *enable_and_register(void *arg)
{
	struct ring *r = arg;
	int table[1] = {-1};

	CHECK_EQ(ring_register(r->fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0), 0);
	CHECK_EQ(ring_register(r->fd, IORING_REGISTER_FILES, table, 1), 0);
	return NULL;
}

static void *register_only(void *arg)
{
	struct ring *r = arg;
	int table[1] = {-1};

	CHECK_ERRNO(ring_register(r->fd, IORING_REGISTER_FILES, table, 1), EEXIST);
	return NULL;
}

TEST(ring_register, a_ring_of_one_thread_is_no_other_s)
{
	struct ring r;
	pthread_t t;

	ring_open(&r, 4, IORING_SETUP_SINGLE_ISSUER);
	CHECK_EQ(pthread_create(&t, NULL, register_only, &r), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	ring_close(&r);
	ring_open(&r, 4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_R_DISABLED);
	CHECK_EQ(pthread_create(&t, NULL, enable_and_register, &r), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0), EEXIST);
	ring_close(&r);
}

TEST(ring_register, a_child_has_the_ring_of_its_parent)
{
	struct ring r;

	ring_open(&r, 4, 0);
	IN_CHILD(ring_sqe(&r, IORING_OP_NOP, 7); CHECK_EQ(ring_submit(&r, 0), 1););
	CHECK_EQ(ring_take(&r).user_data, 7);
	ring_close(&r);
}

/* A ring may have the socket registered that would carry it: they would keep each other alive. */
TEST(ring_register, a_ring_is_not_sent_over_a_socket)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	struct ring r;
	int fd[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	ring_open(&r, 4, 0);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &r.fd, sizeof(int));
	CHECK_ERRNO(sendmsg(fd[0], &msg, 0), EINVAL);
	ring_close(&r);
}

/* ---- Newer than Debian's kernel ---- */

TEST(ring_register, clocks)
{
	struct io_uring_clock_register reg = {.clockid = CLOCK_BOOTTIME};
	struct ring r;

	ring_open(&r, 4, 0);
	NEWER(!ring_register(r.fd, IORING_REGISTER_CLOCK, &reg, 0));
	reg.clockid = CLOCK_REALTIME;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_CLOCK, &reg, 0), EINVAL);
	reg.clockid = CLOCK_MONOTONIC;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_CLOCK, &reg, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_CLOCK, NULL, 0), EINVAL);
	reg.resv[2] = 1;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_CLOCK, &reg, 0), EINVAL);
	ring_close(&r);
}

TEST(ring_register, queries_need_no_ring)
{
	struct io_uring_query_opcode ops = {0};
	struct io_uring_query_hdr q[2] = {
		{.query_data = (uintptr_t)&ops, .size = sizeof(ops)},
		{.query_op = 77, .query_data = (uintptr_t)&ops, .size = sizeof(ops)},
	};
	struct ring r;

	q[0].next_entry = (uintptr_t)&q[1];
	NEWER(!ring_register(-1, IORING_REGISTER_QUERY, q, 0));
	CHECK_EQ(q[0].result, 0);
	CHECK_EQ(q[0].size, sizeof(ops));
	CHECK_EQ(q[1].result, -EOPNOTSUPP);
	CHECK_EQ(ops.nr_request_opcodes, RING_OPS);
	CHECK(ops.nr_register_opcodes > IORING_REGISTER_QUERY);
	ring_open(&r, 4, 0);
	CHECK_EQ(ops.feature_flags, r.p.features);
	q[1].next_entry = (uintptr_t)&q[0];
	q[1].result = 0;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_QUERY, q, 0), ERANGE);
	ring_close(&r);
}

/* Network cards that are polled, and receiving from them without copies. */
TEST(ring_register, what_needs_a_device_is_not_supported)
{
	uint64_t arg[16] = {0};
	struct ring r;

	ring_open(&r, 4, 0);
	NEWER(ring_register(r.fd, IORING_REGISTER_ZCRX_CTRL, arg, 0) < 0 &&
		errno == EOPNOTSUPP);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_NAPI, arg, 1), EOPNOTSUPP);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_NAPI, NULL, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_ZCRX_IFQ, arg, 1), EOPNOTSUPP);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_ZCRX_IFQ, arg, 2), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, RING_REGISTER_OPS, NULL, 0), EINVAL);
	ring_close(&r);
}

TEST(ring_register, messages_by_who_has_no_ring)
{
	struct io_uring_sqe sqe = {.opcode = IORING_OP_MSG_RING, .off = 7, .len = 42};
	struct ring_result got;
	struct ring r;

	ring_open(&r, 4, 0);
	sqe.fd = r.fd;
	NEWER(!ring_register(-1, IORING_REGISTER_SEND_MSG_RING, &sqe, 1));
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 7);
	CHECK_EQ(got.res, 42);
	CHECK_ERRNO(ring_register(-1, IORING_REGISTER_SEND_MSG_RING, &sqe, 2), EINVAL);
	CHECK_ERRNO(ring_register(-1, IORING_REGISTER_SEND_MSG_RING, NULL, 1), EFAULT);
	sqe.fd = 99;
	CHECK_ERRNO(ring_register(-1, IORING_REGISTER_SEND_MSG_RING, &sqe, 1), EBADF);
	sqe.fd = r.fd;
	sqe.addr = IORING_MSG_SEND_FD;
	CHECK_ERRNO(ring_register(-1, IORING_REGISTER_SEND_MSG_RING, &sqe, 1), EINVAL);
	ring_close(&r);
}
