// SPDX-License-Identifier: MIT
/*
 * io_uring's memory: registered buffers, which are pinned; provided buffers, as lists and as rings.
 */
#include "ring.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

static int register_buffer(struct ring *r, void *base, size_t len)
{
	struct iovec iov = {base, len};

	return ring_register(r->fd, IORING_REGISTER_BUFFERS, &iov, 1);
}

static int unregister_buffers(struct ring *r)
{
	return ring_register(r->fd, IORING_UNREGISTER_BUFFERS, NULL, 0);
}

/* A file with `nr` pages, whose bytes are known. */
static int make_file(size_t nr)
{
	int fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char page[PAGE];

	for (size_t i = 0; i < nr; i++) {
		for (size_t k = 0; k < PAGE; k++)
			page[k] = (char)(i * 7 + k * 13 + (k >> 8));
		CHECK_EQ(write(fd, page, PAGE), PAGE);
	}
	return fd;
}

static int run_fixed(struct ring *r, unsigned op, int fd, void *at, unsigned len, uint64_t off,
	unsigned index)
{
	ring_next_rw(r, op, fd, at, len, off)->buf_index = (unsigned short)index;
	return ring_run(r).res;
}

/* ---- Registered buffers ---- */

TEST(ring_buffers, reads_and_writes_by_the_buffer)
{
	int fd = make_file(8), out = CHECK_OK(open("g", O_RDWR | O_CREAT, 0600));
	char *p = map_pages(8), want[8 * PAGE], got[8 * PAGE];
	struct ring r;

	ring_open(&r, 4, 0);
	CHECK_EQ(register_buffer(&r, p + 100, 7 * PAGE), 0);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + 200, 6 * PAGE, 3, 0), 6 * PAGE);
	CHECK_EQ(pread(fd, want, 6 * PAGE, 3), 6 * PAGE);
	CHECK_MEM(p + 200, want, 6 * PAGE);
	CHECK_EQ(p[199], 0);
	CHECK_EQ(p[200 + 6 * PAGE], 0);
	CHECK_EQ(run_fixed(&r, IORING_OP_WRITE_FIXED, out, p + 300, 5 * PAGE, 0, 0), 5 * PAGE);
	CHECK_EQ(pread(out, got, 5 * PAGE, 0), 5 * PAGE);
	CHECK_MEM(got, want + 100, 5 * PAGE);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + 100, 7 * PAGE, 0, 0), 7 * PAGE);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + 99, 10, 0, 0), -EFAULT);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + 100, 7 * PAGE + 1, 0, 0), -EFAULT);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + 7 * PAGE, 101, 0, 0), -EFAULT);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + 7 * PAGE, 100, 0, 0), 100);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + 100, 1, 0, 1), -EFAULT);
	CHECK_EQ(unregister_buffers(&r), 0);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + 100, 1, 0, 0), -EFAULT);
	ring_close(&r);
}

TEST(ring_buffers, errors_of_registering)
{
	struct iovec iov[2] = {{0}};
	char *p = map_pages(4), *hole = map_pages(3);
	struct ring r;

	ring_open(&r, 4, 0);
	CHECK_OK(munmap(hole + PAGE, PAGE));
	CHECK_ERRNO(unregister_buffers(&r), ENXIO);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_BUFFERS, NULL, 1), EFAULT);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_BUFFERS, iov, 0), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_BUFFERS, iov, 16385), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_BUFFERS, (void *)8, 1), EFAULT);
	CHECK_ERRNO(register_buffer(&r, p, 0), EFAULT);
	CHECK_ERRNO(register_buffer(&r, p, (1ul << 30) + 1), EFAULT);
	CHECK_ERRNO(register_buffer(&r, (void *)-4096ul, 8192), EOVERFLOW);
	CHECK_ERRNO(register_buffer(&r, hole, 3 * PAGE), EFAULT);
	CHECK_ERRNO(register_buffer(&r, (void *)PAGE, PAGE), EFAULT);
	CHECK_OK(mprotect(hole, PAGE, PROT_READ));
	CHECK_ERRNO(register_buffer(&r, hole, PAGE), EFAULT);
	iov[0] = (struct iovec){p, PAGE};
	iov[1] = (struct iovec){hole, PAGE};
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_BUFFERS, iov, 2), EFAULT);
	CHECK_EQ(register_buffer(&r, p, 4 * PAGE), 0);
	CHECK_ERRNO(register_buffer(&r, p, 4 * PAGE), EBUSY);
	CHECK_ERRNO(ring_register(r.fd, IORING_UNREGISTER_BUFFERS, NULL, 1), EINVAL);
	CHECK_EQ(unregister_buffers(&r), 0);
	ring_close(&r);
}

TEST(ring_buffers, pages_stay_when_they_are_unmapped)
{
	int fd = make_file(2), out = CHECK_OK(open("g", O_RDWR | O_CREAT, 0600));
	char *p = map_pages(2), got[PAGE];
	struct ring r;

	ring_open(&r, 4, 0);
	memset(p, 'a', 2 * PAGE);
	CHECK_EQ(register_buffer(&r, p, 2 * PAGE), 0);
	CHECK_OK(munmap(p, 2 * PAGE));
	CHECK_EQ(run_fixed(&r, IORING_OP_WRITE_FIXED, out, p, PAGE, 0, 0), PAGE);
	CHECK_EQ(pread(out, got, PAGE, 0), PAGE);
	CHECK_EQ(got[0], 'a');
	CHECK_EQ(got[PAGE - 1], 'a');
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p, PAGE, 0, 0), PAGE);
	ring_close(&r);
}

static void expect_seen(struct ring *r, char *p, int fd)
{
	char want[PAGE];

	memset(p, 0, PAGE);
	CHECK_EQ(run_fixed(r, IORING_OP_READ_FIXED, fd, p, PAGE, 0, 0), PAGE);
	CHECK_EQ(pread(fd, want, PAGE, 0), PAGE);
	CHECK_MEM(p, want, PAGE);
}

TEST(ring_buffers, a_pinned_page_stays_the_program_s_own)
{
	int fd = make_file(1);
	char *p = map_pages(1);
	struct ring r;

	ring_open(&r, 4, 0);
	CHECK_EQ(p[0], 0); /* the zero page is there first */
	CHECK_EQ(register_buffer(&r, p, PAGE), 0);
	expect_seen(&r, p, fd);
	CHECK_OK(mprotect(p, PAGE, PROT_READ));
	CHECK_OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	expect_seen(&r, p, fd);
	p = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map_pages(1));
	CHECK(p != MAP_FAILED);
	CHECK_EQ(unregister_buffers(&r), 0);
	CHECK_EQ(register_buffer(&r, p, PAGE), 0);
	expect_seen(&r, p, fd);
	ring_close(&r);
}

TEST(ring_buffers, fork_leaves_pinned_pages_to_the_parent)
{
	int fd = make_file(1), go[2];
	char *p = map_pages(3), c;
	struct ring r;
	pid_t child;

	CHECK_OK(pipe(go));
	ring_open(&r, 4, 0);
	memset(p, 'a', 3 * PAGE);
	CHECK_EQ(register_buffer(&r, p + PAGE, PAGE), 0);
	child = CHECK_OK(fork());
	if (child == 0) {
		CHECK_EQ(read(go[0], &c, 1), 1);
		for (int i = 0; i < 3 * PAGE; i++)
			CHECK_EQ(p[i], 'a'); /* what it was at the fork */
		memset(p, 'c', 3 * PAGE);
		_exit(0);
	}
	expect_seen(&r, p + PAGE, fd);
	p[0] = 'b';
	CHECK_EQ(write(go[1], "x", 1), 1);
	EXPECT_CHILD(child, 0);
	expect_seen(&r, p + PAGE, fd);
	CHECK_EQ(p[2 * PAGE], 'a');
	ring_close(&r);
}

TEST(ring_buffers, memory_that_is_shared)
{
	int fd = make_file(1), mem = CHECK_OK((int)syscall(SYS_memfd_create, "m", 0));
	char *p, got[PAGE], want[PAGE];
	struct ring r;

	CHECK_OK(ftruncate(mem, PAGE));
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	ring_open(&r, 4, 0);
	CHECK_EQ(register_buffer(&r, p, PAGE), 0);
	expect_seen(&r, p, fd);
	IN_CHILD(CHECK_EQ(pread(fd, want, PAGE, 0), PAGE); CHECK_MEM(p, want, PAGE););
	(void)got;
	ring_close(&r);
}

TEST(ring_buffers, large_pages)
{
	size_t size = 8u << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = make_file(4);
	struct ring r;

	CHECK(p != MAP_FAILED);
	memset(p, 1, size);
	ring_open(&r, 4, 0);
	CHECK_EQ(register_buffer(&r, p + 5, size - 10), 0);
	CHECK_OK(munmap(p, PAGE));
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + (2u << 20) - PAGE, 4 * PAGE, 0, 0),
		4 * PAGE);
	CHECK_EQ(run_fixed(
			 &r, IORING_OP_READ_FIXED, fd, p + size - 4 * PAGE, 4 * PAGE - 5, 0, 0),
		4 * PAGE - 5);
	CHECK_EQ((unsigned char)p[(2u << 20) - PAGE + 1], 13);
	ring_close(&r);
}

TEST(ring_buffers, locked_memory_is_limited)
{
	struct rlimit few = {4 * PAGE, 4 * PAGE};
	char *p = map_pages(16);
	struct ring r, other;

	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &few));
	ring_open(&r, 4, 0);
	CHECK_EQ(register_buffer(&r, p, 16 * PAGE), 0); /* CAP_IPC_LOCK */
	ring_close(&r);
	CHECK_OK(setresuid(1234, 1234, 1234));
	ring_open(&r, 1, 0);
	ring_open(&other, 1, 0);
	CHECK_ERRNO(register_buffer(&r, p, 16 * PAGE), ENOMEM);
	CHECK_EQ(register_buffer(&r, p, 3 * PAGE), 0);
	CHECK_ERRNO(register_buffer(&other, p, 2 * PAGE), ENOMEM);
	CHECK_EQ(unregister_buffers(&r), 0);
	CHECK_EQ(register_buffer(&other, p, 2 * PAGE), 0);
	ring_close(&r);
	ring_close(&other);
}

TEST(ring_buffers, updates_sparse_tables_and_tags)
{
	struct io_uring_rsrc_register reg = {.nr = 4, .flags = IORING_RSRC_REGISTER_SPARSE};
	struct io_uring_rsrc_update2 up = {.offset = 2, .nr = 2};
	char *p = map_pages(2);
	struct iovec iov[2] = {{p, PAGE}, {p + PAGE, 0}};
	uint64_t tags[2] = {70, 0};
	struct ring_result got;
	int fd = make_file(1);
	struct ring r;

	up.data = (uintptr_t)iov;
	up.tags = (uintptr_t)tags;
	ring_open(&r, 4, 0);
	CHECK_ERRNO(
		ring_register(r.fd, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), ENXIO);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_BUFFERS2, &reg, sizeof(reg)), 0);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), 1);
	iov[1].iov_len = PAGE;
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), 2);
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 70);
	CHECK_EQ(got.res, 0);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p + PAGE, 10, 0, 3), 10);
	CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, fd, p, 10, 0, 0), -EFAULT);
	up.offset = 3;
	CHECK_ERRNO(
		ring_register(r.fd, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), EINVAL);
	up.offset = -1U;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)),
		EOVERFLOW);
	up.offset = 0;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_BUFFERS_UPDATE, &up, 8), EINVAL);
	iov[0] = (struct iovec){NULL, 0};
	CHECK_ERRNO(
		ring_register(r.fd, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), EINVAL);
	ring_close(&r);
}

/* Linux has it since 6.12 and 6.14. */
TEST(ring_buffers, tables_are_cloned)
{
	struct io_uring_clone_buffers c = {0};
	char *p = map_pages(2), *q = map_pages(1);
	struct iovec iov[3] = {{p, PAGE}, {NULL, 0}, {p + PAGE, PAGE}};
	int fd = make_file(1);
	struct ring a, b;

	ring_open(&a, 4, 0);
	ring_open(&b, 4, 0);
	CHECK_EQ(ring_register(a.fd, IORING_REGISTER_BUFFERS, iov, 3), 0);
	c.src_fd = (unsigned)a.fd;
	NEWER(!ring_register(b.fd, IORING_REGISTER_CLONE_BUFFERS, &c, 1));
	CHECK_EQ(unregister_buffers(&a), 0);
	CHECK_EQ(run_fixed(&b, IORING_OP_READ_FIXED, fd, p, 10, 0, 0), 10);
	CHECK_EQ(run_fixed(&b, IORING_OP_READ_FIXED, fd, p, 10, 0, 1), -EFAULT);
	CHECK_EQ(run_fixed(&b, IORING_OP_READ_FIXED, fd, p + PAGE, 10, 0, 2), 10);
	CHECK_ERRNO(ring_register(b.fd, IORING_REGISTER_CLONE_BUFFERS, &c, 1), EBUSY);
	c.flags = IORING_REGISTER_DST_REPLACE;
	CHECK_ERRNO(ring_register(b.fd, IORING_REGISTER_CLONE_BUFFERS, &c, 1), ENXIO);
	CHECK_EQ(register_buffer(&a, q, PAGE), 0);
	c.dst_off = 1;
	CHECK_ERRNO(ring_register(b.fd, IORING_REGISTER_CLONE_BUFFERS, &c, 1), EINVAL);
	c.nr = 1;
	CHECK_EQ(ring_register(b.fd, IORING_REGISTER_CLONE_BUFFERS, &c, 1), 0);
	CHECK_EQ(run_fixed(&b, IORING_OP_READ_FIXED, fd, p, 10, 0, 0), 10);
	CHECK_EQ(run_fixed(&b, IORING_OP_READ_FIXED, fd, q, 10, 0, 1), 10);
	c.nr = 2;
	CHECK_ERRNO(ring_register(b.fd, IORING_REGISTER_CLONE_BUFFERS, &c, 1), EINVAL);
	c.nr = 1;
	c.src_off = 1;
	CHECK_ERRNO(ring_register(b.fd, IORING_REGISTER_CLONE_BUFFERS, &c, 1), EOVERFLOW);
	c.src_fd = (unsigned)fd;
	CHECK_ERRNO(ring_register(b.fd, IORING_REGISTER_CLONE_BUFFERS, &c, 1), EOPNOTSUPP);
	ring_close(&a);
	ring_close(&b);
}

/* Linux has it since 6.15. */
TEST(ring_buffers, vectors_within_a_buffer)
{
	int fd = make_file(4);
	char *p = map_pages(6), want[4 * PAGE];
	struct iovec iov[4];
	struct ring r;

	ring_open(&r, 4, 0);
	NEWER(ring_has_op(&r, IORING_OP_READV_FIXED));
	CHECK_OK(munmap(p + 2 * PAGE, PAGE)); /* so that its pages are hardly one piece */
	CHECK(mmap(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	CHECK_EQ(register_buffer(&r, p, 6 * PAGE), 0);
	iov[0] = (struct iovec){p + 5 * PAGE - 10, 20};
	iov[1] = (struct iovec){p + 7, 0};
	iov[2] = (struct iovec){p + 100, 2 * PAGE};
	iov[3] = (struct iovec){p + 6 * PAGE - 1, 1};
	CHECK_EQ(run_fixed(&r, IORING_OP_READV_FIXED, fd, iov, 4, 1, 0), 2 * PAGE + 21);
	CHECK_EQ(pread(fd, want, sizeof(want), 1), sizeof(want) - 1);
	CHECK_MEM(p + 5 * PAGE - 10, want, 20);
	CHECK_MEM(p + 100, want + 20, 2 * PAGE);
	CHECK_EQ(p[6 * PAGE - 1], want[2 * PAGE + 20]);
	iov[3].iov_len = 2;
	CHECK_EQ(run_fixed(&r, IORING_OP_READV_FIXED, fd, iov, 4, 1, 0), -EFAULT);
	iov[3].iov_len = 1;
	CHECK_EQ(run_fixed(&r, IORING_OP_WRITEV_FIXED, fd, iov, 4, 0, 0), 2 * PAGE + 21);
	CHECK_EQ(pread(fd, want, 20, 0), 20);
	CHECK_MEM(p + 5 * PAGE - 10, want, 20);
	ring_close(&r);
}

/* Debian's kernel waits in the call until the read has ended: for ever. */
TEST(ring_buffers, a_parked_read_keeps_its_buffer)
{
	struct io_uring_rsrc_register reg = {.nr = 1};
	struct ring_result got;
	char *p = map_pages(1);
	struct iovec iov = {p, PAGE};
	uint64_t tag = 70;
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	NEWER(ring_has_op(&r, IORING_OP_READV_FIXED));
	reg.data = (uintptr_t)&iov;
	reg.tags = (uintptr_t)&tag;
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_BUFFERS2, &reg, sizeof(reg)), 0);
	ring_next_rw(&r, IORING_OP_READ_FIXED, fd[0], p, 4, 0);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(unregister_buffers(&r), 0);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(fd[1], "abcd", 4), 4);
	for (int i = 0; i < 2; i++) {
		got = ring_take(&r);
		CHECK_EQ(got.res, got.user_data == 70 ? 0 : 4);
	}
	CHECK_MEM(p, "abcd", 4);
	/* and when the program ends before */
	CHECK_EQ(register_buffer(&r, p, PAGE), 0);
	ring_next_rw(&r, IORING_OP_READ_FIXED, fd[0], p, 4, 0);
	CHECK_EQ(ring_submit(&r, 0), 1);
}

/* ---- Provided buffers: a list ---- */

static int provide(
	struct ring *r, void *at, unsigned len, int nr, unsigned group, unsigned first)
{
	ring_next_rw(r, IORING_OP_PROVIDE_BUFFERS, nr, at, len, first)->buf_group =
		(unsigned short)group;
	return ring_run(r).res;
}

static struct ring_result read_selected(struct ring *r, int fd, unsigned len, unsigned group)
{
	struct io_uring_sqe *sqe = ring_next_rw(r, IORING_OP_READ, fd, NULL, len, 0);

	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = (unsigned short)group;
	return ring_run(r);
}

static unsigned id_of(struct ring_result result)
{
	CHECK(result.flags & IORING_CQE_F_BUFFER);
	return result.flags >> IORING_CQE_BUFFER_SHIFT;
}

static int remove_buffers(struct ring *r, int nr, unsigned group)
{
	ring_next(r, IORING_OP_REMOVE_BUFFERS, nr)->buf_group = (unsigned short)group;
	return ring_run(r).res;
}

TEST(ring_buffers, a_list_gives_one_after_another)
{
	struct ring_result got;
	char memory[4][16];
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	CHECK_EQ(read_selected(&r, fd[0], 16, 5).res, -ENOBUFS);
	CHECK_EQ(remove_buffers(&r, 1, 5), -ENOENT);
	CHECK_EQ(provide(&r, memory, 16, 3, 5, 10), 0);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(write(fd[1], "0123456789abcdefghijklmn", 20), 20);
		got = read_selected(&r, fd[0], i ? 4 : 0, 5);
		CHECK_EQ(got.res, i ? 4 : 16);
		CHECK_EQ(id_of(got), 10 + i);
		CHECK_MEM(memory[i], "0123456789abcdef", (size_t)got.res);
		if (!i)
			CHECK_EQ(read(fd[0], memory[3], 4), 4);
		else
			CHECK_EQ(read(fd[0], memory[3], 16), 16);
	}
	CHECK_EQ(remove_buffers(&r, 5, 5), 1);
	CHECK_EQ(remove_buffers(&r, 5, 5), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(read_selected(&r, fd[0], 16, 5).res, -ENOBUFS);
	ring_close(&r);
}

TEST(ring_buffers, errors_of_lists)
{
	char memory[64];
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 4, 0);
	CHECK_EQ(provide(&r, memory, 16, 0, 5, 0), -E2BIG);
	CHECK_EQ(provide(&r, memory, 16, -1, 5, 0), -E2BIG);
	CHECK_EQ(provide(&r, (void *)-4096ul, 16, 1000, 5, 0), -EOVERFLOW);
	CHECK_EQ(provide(&r, (void *)(1ul << 62), 16, 1, 5, 0), -EFAULT);
	CHECK_EQ(provide(&r, memory, 16, 1, 5, 65536), -E2BIG);
	CHECK_EQ(provide(&r, memory, 16, 4, 5, 65534), -EINVAL);
	CHECK_EQ(remove_buffers(&r, 0, 5), -EINVAL);
	sqe = ring_next(&r, IORING_OP_REMOVE_BUFFERS, 1);
	sqe->len = 1;
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	sqe = ring_next_rw(&r, IORING_OP_WRITE, 1, memory, 1, 0);
	sqe->flags = IOSQE_BUFFER_SELECT;
	CHECK_EQ(ring_run(&r).res, -EOPNOTSUPP);
	ring_close(&r);
}

TEST(ring_buffers, a_waiting_read_takes_its_buffer_when_there_is_something)
{
	struct ring_result got;
	struct io_uring_sqe *sqe;
	char memory[2][16];
	struct ring r;
	int fd[2], other[2];

	CHECK_OK(pipe(fd));
	CHECK_OK(pipe(other));
	ring_open(&r, 4, 0);
	CHECK_EQ(provide(&r, memory[0], 16, 1, 5, 1), 0);
	for (int i = 0; i < 2; i++) {
		sqe = ring_next_rw(&r, IORING_OP_READ, i ? other[0] : fd[0], NULL, 16, 0);
		sqe->flags = IOSQE_BUFFER_SELECT;
		sqe->buf_group = 5;
		sqe->user_data = (unsigned)i;
	}
	CHECK_EQ(ring_submit(&r, 0), 2);
	CHECK_EQ(write(other[1], "x", 1), 1);
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 1);
	CHECK_EQ(got.res, 1);
	CHECK_EQ(id_of(got), 1);
	CHECK_EQ(memory[0][0], 'x');
	CHECK_EQ(write(fd[1], "y", 1), 1);
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 0);
	CHECK_EQ(got.res, -ENOBUFS);
	ring_close(&r);
}

/* ---- Provided buffers: a ring ---- */

static int register_group(
	struct ring *r, void *at, unsigned entries, unsigned group, unsigned flags)
{
	struct ring_buf_reg reg = {.ring_addr = (uintptr_t)at,
		.ring_entries = entries,
		.bgid = (unsigned short)group,
		.flags = (unsigned short)flags};

	return ring_register(r->fd, IORING_REGISTER_PBUF_RING, &reg, 1);
}

static int unregister_group(struct ring *r, unsigned group)
{
	struct ring_buf_reg reg = {.bgid = (unsigned short)group};

	return ring_register(r->fd, IORING_UNREGISTER_PBUF_RING, &reg, 1);
}

/* The next entry of a ring of `entries`. */
static void put_buffer(
	struct io_uring_buf_ring *br, unsigned entries, void *at, unsigned len, unsigned id)
{
	unsigned short tail = br->tail;
	struct io_uring_buf *buf = &br->bufs[tail & (entries - 1)];

	buf->addr = (uintptr_t)at;
	buf->len = len;
	buf->bid = (unsigned short)id;
	__atomic_store_n(&br->tail, (unsigned short)(tail + 1), __ATOMIC_RELEASE);
}

TEST(ring_buffers, errors_of_rings)
{
	struct ring_buf_reg reg = {.bgid = 1, .resv = {1}};
	char *p = map_pages(2), c[16];
	struct ring r;

	ring_open(&r, 4, 0);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PBUF_RING, NULL, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PBUF_RING, &reg, 2), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PBUF_RING, &reg, 1), EINVAL);
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PBUF_RING, (void *)8, 1), EFAULT);
	CHECK_ERRNO(register_group(&r, p, 3, 1, 0), EINVAL);
	CHECK_ERRNO(register_group(&r, p, 65536, 1, 0), EINVAL);
	CHECK_ERRNO(register_group(&r, p + 16, 8, 1, 0), EINVAL);
	CHECK_ERRNO(register_group(&r, NULL, 8, 1, 0), EFAULT);
	CHECK_ERRNO(register_group(&r, p, 8, 1, 1u << 9), EINVAL);
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(register_group(&r, p, 512, 1, 0), EFAULT);
	CHECK_ERRNO(unregister_group(&r, 101), ENOENT);
	CHECK_EQ(register_group(&r, p, 8, 1, 0), 0);
	CHECK_ERRNO(register_group(&r, p, 8, 1, 0), EEXIST);
	CHECK_EQ(provide(&r, c, 16, 1, 1, 0), -EINVAL);
	CHECK_EQ(remove_buffers(&r, 1, 1), -EINVAL);
	CHECK_EQ(provide(&r, c, 16, 1, 2, 0), 0);
	CHECK_ERRNO(register_group(&r, p, 8, 2, 0), EEXIST);
	CHECK_ERRNO(unregister_group(&r, 2), EINVAL);
	CHECK_EQ(unregister_group(&r, 1), 0);
	CHECK_EQ(register_group(&r, p, 256, 1, 0), 0);
	CHECK_EQ(register_group(&r, p, 256, 101, 0), 0);
	CHECK_EQ(unregister_group(&r, 101), 0);
	CHECK_ERRNO(unregister_group(&r, 101), ENOENT);
	ring_close(&r);
}

TEST(ring_buffers, a_ring_gives_one_after_another_and_wraps)
{
	struct io_uring_buf_ring *br = (void *)map_pages(1);
	struct ring_result got;
	char memory[4][16];
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	CHECK_EQ(register_group(&r, br, 4, 7, 0), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(read_selected(&r, fd[0], 16, 7).res, -ENOBUFS);
	CHECK_EQ(read(fd[0], memory, 16), 1);
	for (unsigned i = 0; i < 11; i++) {
		char c = (char)('a' + i);

		put_buffer(br, 4, memory[i & 3], 16, 100 + i);
		CHECK_EQ(write(fd[1], &c, 1), 1);
		got = read_selected(&r, fd[0], 0, 7);
		CHECK_EQ(got.res, 1);
		CHECK_EQ(id_of(got), 100 + i);
		CHECK_EQ(memory[i & 3][0], c);
	}
	put_buffer(br, 4, (void *)8, 16, 1); /* nothing is mapped there */
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(read_selected(&r, fd[0], 0, 7).res, -EFAULT);
	ring_close(&r);
}

TEST(ring_buffers, the_tail_may_say_anything)
{
	struct io_uring_buf_ring *br = (void *)map_pages(1);
	struct ring_result got;
	char memory[16];
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	CHECK_EQ(register_group(&r, br, 4, 7, 0), 0);
	put_buffer(br, 4, memory, 16, 1);
	br->tail = 60000;
	for (int i = 0; i < 300; i++) {
		CHECK_EQ(write(fd[1], "x", 1), 1);
		got = read_selected(&r, fd[0], 1, 7);
		CHECK(got.res == 1 || got.res == -EFAULT || got.res == 0 ||
			got.res == -ENOBUFS);
	}
	ring_close(&r);
}

/* Linux has it since 6.4. */
TEST(ring_buffers, the_kernel_has_the_memory_of_a_ring)
{
	struct io_uring_buf_ring *br;
	struct ring_result got;
	char memory[16];
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	NEWER(!register_group(&r, NULL, 512, 3, IOU_PBUF_RING_MMAP));
	CHECK_EQ(register_group(&r, NULL, 4, 4, IOU_PBUF_RING_MMAP), 0);
	br = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd,
		(off_t)(IORING_OFF_PBUF_RING | 3u << IORING_OFF_PBUF_SHIFT));
	CHECK(br != MAP_FAILED);
	br->bufs[300].bid = 5; /* the second page */
	put_buffer(br, 512, memory, 16, 9);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	got = read_selected(&r, fd[0], 0, 3);
	CHECK_EQ(got.res, 1);
	CHECK_EQ(id_of(got), 9);
	CHECK_EQ(unregister_group(&r, 3), 0);
	br->bufs[300].bid = 6; /* ours as long as it is mapped */
	CHECK_EQ(register_group(&r, NULL, 512, 3, IOU_PBUF_RING_MMAP), 0);
	ring_close(&r);
	br->bufs[300].bid = 7;
}

/* Linux has it since 6.8. */
TEST(ring_buffers, the_head_of_a_ring_is_told)
{
	struct io_uring_buf_ring *br = (void *)map_pages(1);
	struct io_uring_buf_status status = {.buf_group = 7};
	char memory[16];
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	CHECK_EQ(register_group(&r, br, 4, 7, 0), 0);
	NEWER(!ring_register(r.fd, IORING_REGISTER_PBUF_STATUS, &status, 1));
	CHECK_EQ(status.head, 0);
	put_buffer(br, 4, memory, 16, 9);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(read_selected(&r, fd[0], 0, 7).res, 1);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_PBUF_STATUS, &status, 1), 0);
	CHECK_EQ(status.head, 1);
	status.resv[7] = 1;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PBUF_STATUS, &status, 1), EINVAL);
	status = (struct io_uring_buf_status){.buf_group = 8};
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_PBUF_STATUS, &status, 1), ENOENT);
	ring_close(&r);
}

/* Linux has it since 6.12. */
TEST(ring_buffers, a_buffer_is_used_bit_by_bit)
{
	struct io_uring_buf_ring *br = (void *)map_pages(1);
	struct ring_result got;
	char memory[16];
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 4, 0);
	NEWER(!register_group(&r, br, 4, 7, IOU_PBUF_RING_INC));
	put_buffer(br, 4, memory, 16, 9);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(write(fd[1], "abcd", 4), 4);
		got = read_selected(&r, fd[0], i == 3 ? 0 : 4, 7);
		CHECK_EQ(got.res, 4);
		CHECK_EQ(id_of(got), 9);
		CHECK_EQ(!(got.flags & IORING_CQE_F_BUF_MORE), i == 3);
	}
	CHECK_MEM(memory, "abcdabcdabcdabcd", 16);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(read_selected(&r, fd[0], 0, 7).res, -ENOBUFS);
	ring_close(&r);
}

/* Linux has it since 6.12; what it does where nothing was moved, since 6.20. */
TEST(ring_buffers, no_more_of_a_buffer_is_used_than_was_filled)
{
	struct io_uring_buf_ring *br = (void *)map_pages(1);
	struct ring_result got;
	struct io_uring_sqe *sqe;
	char memory[32];
	int fd[2], message[2];
	struct ring r;

	CHECK_OK(pipe(fd));
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, message));
	ring_open(&r, 4, 0);
	NEWER(!register_group(&r, br, 4, 7, IOU_PBUF_RING_INC));
	put_buffer(br, 4, memory, 16, 9);
	put_buffer(br, 4, memory + 16, 16, 10);
	CHECK_OK(close(fd[1]));
	got = read_selected(&r, fd[0], 0, 7); /* the end of the file */
	CHECK_EQ(got.res, 0);
	CHECK(!(got.flags & IORING_CQE_F_BUFFER));
	sqe = ring_next(&r, IORING_OP_READ_MULTISHOT, fd[0]);
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = 7;
	got = ring_run(&r);
	CHECK_EQ(got.res, 0);
	CHECK(!(got.flags & IORING_CQE_F_BUFFER));
	CHECK_EQ(write(message[1], memory, 24), 24);
	sqe = ring_next(&r, IORING_OP_RECV, message[0]);
	sqe->msg_flags = MSG_TRUNC;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = 7;
	got = ring_run(&r);
	CHECK_EQ(got.res, 24); /* of which 16 had room */
	CHECK_EQ(id_of(got), 9);
	CHECK_EQ(br->bufs[1].len, 16);
	ring_close(&r);
}

/* Linux has it since 6.10. */
TEST(ring_buffers, a_bundle_fills_several)
{
	struct io_uring_buf_ring *br = (void *)map_pages(1);
	struct ring_result got;
	struct io_uring_sqe *sqe;
	char memory[4][4];
	struct ring r;
	int fd[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	ring_open(&r, 4, 0);
	NEWER(r.p.features & IORING_FEAT_RECVSEND_BUNDLE);
	CHECK_EQ(register_group(&r, br, 4, 7, 0), 0);
	for (unsigned i = 0; i < 4; i++)
		put_buffer(br, 4, memory[i], 4, i);
	CHECK_EQ(write(fd[1], "0123456789", 10), 10);
	for (unsigned i = 0; i < 2; i++) {
		sqe = ring_next(&r, IORING_OP_RECV, fd[0]);
		sqe->flags = IOSQE_BUFFER_SELECT;
		sqe->buf_group = 7;
		sqe->ioprio = IORING_RECVSEND_BUNDLE;
		got = ring_run(&r);
		CHECK_EQ(got.res, i ? 2 : 10);
		CHECK_EQ(id_of(got), i ? 3 : 0);
		if (!i) {
			CHECK_MEM(memory, "0123456789", 10);
			CHECK_EQ(write(fd[1], "ab", 2), 2);
		}
	}
	CHECK_MEM(memory[3], "ab", 2);
	ring_close(&r);
}

/* ---- The region of waits: Linux has it since 6.13 ---- */

static int enter_reg(struct ring *r, unsigned wait, uintptr_t offset)
{
	return (int)syscall(SYS_io_uring_enter, r->fd, 0, wait,
		IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | IORING_ENTER_EXT_ARG_REG,
		offset, sizeof(struct io_uring_reg_wait));
}

TEST(ring_buffers, waits_are_described_in_a_region)
{
	struct io_uring_region_desc desc = {.size = PAGE, .flags = IORING_MEM_REGION_TYPE_USER};
	struct io_uring_mem_region_reg reg = {.flags = IORING_MEM_REGION_REG_WAIT_ARG};
	struct io_uring_reg_wait *waits = (void *)map_pages(1);
	struct ring r;

	ring_open(&r, 4, IORING_SETUP_R_DISABLED);
	reg.region_uptr = (uintptr_t)&desc;
	desc.user_addr = (uintptr_t)waits;
	NEWER(!ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1));
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1), EBUSY);
	CHECK_EQ(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0), 0);
	waits[1] =
		(struct io_uring_reg_wait){.ts.tv_nsec = 2000000, .flags = IORING_REG_WAIT_TS};
	CHECK_ERRNO(enter_reg(&r, 1, sizeof(*waits)), ETIME);
	waits[1].ts.tv_sec = -1; /* as without a region: over at once */
	waits[1].min_wait_usec = 1;
	CHECK_ERRNO(enter_reg(&r, 2, sizeof(*waits)), ETIME);
	CHECK_ERRNO(enter_reg(&r, 1, PAGE), EFAULT);
	CHECK_ERRNO(enter_reg(&r, 1, PAGE - 8), EFAULT);
	CHECK_ERRNO(enter_reg(&r, 1, -64ul), EFAULT);
	waits[1].flags = 1u << 30;
	CHECK_ERRNO(enter_reg(&r, 1, sizeof(*waits)), EINVAL);
	ring_close(&r);
}

TEST(ring_buffers, errors_of_regions)
{
	struct io_uring_region_desc desc = {.size = PAGE};
	struct io_uring_mem_region_reg reg = {0};
	unsigned *p;
	struct ring r;

	ring_open(&r, 4, 0);
	reg.region_uptr = (uintptr_t)&desc;
	desc.size = PAGE + 1;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1), EINVAL);
	desc.size = 2 * PAGE;
	reg.flags = IORING_MEM_REGION_REG_WAIT_ARG;
	CHECK_ERRNO(
		ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1), EINVAL); /* enabled */
	reg.flags = 0;
	NEWER(!ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1));
	CHECK_EQ(desc.mmap_offset, IORING_MAP_OFF_PARAM_REGION);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd,
		(off_t)desc.mmap_offset);
	CHECK(p != MAP_FAILED);
	p[PAGE / sizeof(*p)] = 5;
	CHECK_EQ(p[0], 0);
	ring_close(&r);
	ring_open(&r, 4, 0);
	desc = (struct io_uring_region_desc){
		.size = PAGE, .flags = IORING_MEM_REGION_TYPE_USER};
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1), EFAULT);
	desc.user_addr = 8;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1), EINVAL);
	desc.user_addr = PAGE; /* nothing is there */
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1), EFAULT);
	reg.region_uptr = 8;
	CHECK_ERRNO(ring_register(r.fd, IORING_REGISTER_MEM_REGION, &reg, 1), EFAULT);
	ring_close(&r);
}

/* ---- Bad input ---- */

struct meddler {
	struct io_uring_buf_ring *br;
	char *memory;
	volatile bool is_over;
};

static void *meddle(void *arg)
{
	struct meddler *m = arg;

	for (unsigned i = 1; !m->is_over; i++) {
		struct io_uring_buf *buf = &m->br->bufs[i & 7];

		buf->addr = i % 5 ? (uintptr_t)m->memory + i % 64 : i * 0x123456789ul;
		buf->len = i % 3 ? 16 : i * 77777u;
		buf->bid = (unsigned short)i;
		m->br->tail = (unsigned short)(i * (i % 11 ? 1 : 257));
		if (i % 16 == 0)
			(void)madvise(m->memory, PAGE, MADV_DONTNEED);
	}
	return NULL;
}

TEST_WITHIN(ring_buffers, a_ring_that_changes_while_it_is_read, 60)
{
	struct meddler m = {.br = (void *)map_pages(1), .memory = map_pages(1)};
	int fd[2], file = make_file(2);
	struct ring r;
	pthread_t t;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	CHECK_EQ(register_group(&r, m.br, 8, 7, 0), 0);
	CHECK_EQ(register_buffer(&r, m.memory, PAGE), 0);
	CHECK_EQ(pthread_create(&t, NULL, meddle, &m), 0);
	for (int i = 0; i < 2000; i++) {
		struct ring_result got;

		CHECK_EQ(write(fd[1], "abcdefgh", 8), 8);
		got = read_selected(&r, i & 1 ? fd[0] : file, (unsigned)i % 20, 7);
		CHECK(got.res >= 0 || got.res == -EFAULT || got.res == -ENOBUFS);
		CHECK_EQ(run_fixed(&r, IORING_OP_READ_FIXED, file, m.memory, PAGE, 0, 0), PAGE);
		if (i % 100 == 0)
			IN_CHILD((void)0);
		while (CHECK_OK(fcntl(fd[0], F_SETFL, O_NONBLOCK)),
			read(fd[0], (char[64]){0}, 64) > 0)
			;
		CHECK_OK(fcntl(fd[0], F_SETFL, 0));
	}
	m.is_over = true;
	CHECK_EQ(pthread_join(t, NULL), 0);
	ring_close(&r);
}
