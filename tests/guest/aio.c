// SPDX-License-Identifier: MIT
/* io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2): by bare calls, and the ring as libaio reads it. */
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "guest.h"

/* libaio's idea of what is at the context's address. */
struct aio_ring {
	unsigned id, nr, head, tail, magic, compat, incompat, header_length;
	struct io_event events[];
};

static long io_setup(unsigned nr, aio_context_t *c)
{
	return syscall(SYS_io_setup, nr, c);
}

static long io_submit(aio_context_t c, long nr, struct iocb **list)
{
	return syscall(SYS_io_submit, c, nr, list);
}

static long io_getevents(
	aio_context_t c, long min, long nr, struct io_event *e, struct timespec *t)
{
	return syscall(SYS_io_getevents, c, min, nr, e, t);
}

static struct iocb request(int opcode, int fd, const void *buf, size_t len, int64_t at)
{
	return (struct iocb){.aio_data = 77,
		.aio_lio_opcode = (uint16_t)opcode,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = len,
		.aio_offset = at};
}

/* One request: its event's res, or -errno of the submission. */
static long run(aio_context_t c, struct iocb q)
{
	struct iocb *list[] = {&q};
	struct io_event e;

	q.aio_key = 99;
	if (io_submit(c, 1, list) != 1)
		return -errno;
	CHECK_EQ(q.aio_key, 0);
	CHECK_EQ(io_getevents(c, 1, 1, &e, NULL), 1);
	CHECK_EQ(e.data, 77);
	CHECK_EQ(e.obj, (uintptr_t)&q);
	CHECK_EQ(e.res2, 0);
	return (long)e.res;
}

static aio_context_t context(unsigned nr)
{
	aio_context_t c = 0;

	CHECK_OK(io_setup(nr, &c));
	return c;
}

TEST(aio, contexts)
{
	aio_context_t c = 1, *read_only;
	struct io_event e;

	CHECK_ERRNO(io_setup(1, &c), EINVAL);
	CHECK_ERRNO(io_setup(1, NULL), EFAULT);
	c = 0;
	CHECK_ERRNO(io_setup(0, &c), EINVAL);
	CHECK_ERRNO(io_setup(1u << 31, &c), EAGAIN);
	CHECK_ERRNO(io_setup(1u << 30, &c), EINVAL);
	CHECK_ERRNO(io_setup(65537, &c), EAGAIN);
	read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_ERRNO(io_setup(1, read_only), EFAULT);
	c = context(1);
	CHECK(c != 0);
	CHECK_ERRNO(syscall(SYS_io_destroy, c + 1), EINVAL);
	CHECK_ERRNO(io_submit(c + 4096, 0, NULL), EINVAL);
	CHECK_ERRNO(io_submit(c, -1, NULL), EINVAL);
	CHECK_EQ(io_submit(c, 0, NULL), 0);
	CHECK_ERRNO(io_getevents(c, 2, 1, &e, NULL), EINVAL);
	CHECK_ERRNO(io_getevents(c, -1, 1, &e, NULL), EINVAL);
	CHECK_ERRNO(io_getevents(c, 0, 1, &e, (void *)8), EFAULT);
	CHECK_EQ(io_getevents(c, 0, 1, &e, NULL), 0);
	IN_CHILD(CHECK_ERRNO(io_submit(c, 0, NULL), EINVAL));
	CHECK_OK(syscall(SYS_io_destroy, c));
	CHECK_ERRNO(syscall(SYS_io_destroy, c), EINVAL);
	CHECK_ERRNO(io_getevents(c, 0, 1, &e, NULL), EINVAL);
}

static long number_in(const char *path)
{
	char text[32] = {0};
	int fd = (int)CHECK_OK(open(path, O_RDONLY));

	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK_OK(close(fd));
	return atol(text);
}

TEST(aio, contexts_are_counted)
{
	long before = number_in("/proc/sys/fs/aio-nr");
	aio_context_t c = context(100);

	CHECK_EQ(number_in("/proc/sys/fs/aio-nr"), before + 100);
	CHECK_EQ(number_in("/proc/sys/fs/aio-max-nr"), 65536);
	CHECK_OK(syscall(SYS_io_destroy, c));
	IN_CHILD(context(50));
	for (int i = 0; i < 1000 && number_in("/proc/sys/fs/aio-nr") != before; i++)
		sleep_ms(10); /* a context may end a little after its process */
	CHECK_EQ(number_in("/proc/sys/fs/aio-nr"), before);
}

TEST(aio, reads_and_writes)
{
	aio_context_t c = context(8);
	char buf[16] = {0}, more[4] = {0};
	struct iovec v[2] = {{buf, 3}, {more, 3}};
	int fd = (int)CHECK_OK(open("f", O_RDWR | O_CREAT, 0600)), p[2];

	CHECK_EQ(run(c, request(IOCB_CMD_PWRITE, fd, "0123456789", 10, 0)), 10);
	CHECK_EQ(run(c, request(IOCB_CMD_PREAD, fd, buf, 4, 3)), 4);
	CHECK_MEM(buf, "3456", 4);
	CHECK_EQ(run(c, request(IOCB_CMD_PREAD, fd, buf, 4, 100)), 0);
	CHECK_EQ(run(c, request(IOCB_CMD_PREADV, fd, v, 2, 1)), 6);
	CHECK_MEM(more, "456", 3);
	CHECK_EQ(run(c, request(IOCB_CMD_PWRITEV, fd, v, 2, 8)), 6);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 14);
	CHECK_EQ(run(c, request(IOCB_CMD_FSYNC, fd, NULL, 0, 0)), 0);
	CHECK_EQ(run(c, request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0)), 0);
	CHECK_OK(pipe(p));
	CHECK_EQ(run(c, request(IOCB_CMD_PWRITE, p[1], "ab", 2, 0)), 2);
	CHECK_EQ(run(c, request(IOCB_CMD_PREAD, p[0], buf, 4, 5)), 2);
	CHECK_OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
	CHECK_EQ(run(c, request(IOCB_CMD_PREAD, p[0], buf, 4, 0)), -EAGAIN);
}

TEST(aio, what_is_wrong_is_not_submitted)
{
	aio_context_t c = context(8);
	struct iocb good, bad, *list[] = {&good, &bad};
	struct io_event e[4];
	char buf[4];
	int fd = (int)CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
	int ro = (int)CHECK_OK(open("f", O_RDONLY));

	CHECK_EQ(run(c, request(IOCB_CMD_PREAD, 99, buf, 4, 0)), -EBADF);
	CHECK_EQ(run(c, request(IOCB_CMD_PWRITE, ro, buf, 4, 0)), -EBADF);
	CHECK_EQ(run(c, request(IOCB_CMD_PREAD, fd, buf, 4, -1)), -EINVAL);
	CHECK_EQ(run(c, request(IOCB_CMD_PREAD, fd, buf, (size_t)-1, 0)), -EINVAL);
	CHECK_EQ(run(c, request(77, fd, buf, 4, 0)), -EINVAL);
	CHECK_EQ(run(c, request(IOCB_CMD_PREADV, fd, (void *)8, 1, 0)), -EFAULT);
	CHECK_EQ(run(c, request(IOCB_CMD_PREADV, fd, buf, 2000, 0)), -EINVAL);
	CHECK_EQ(run(c, request(IOCB_CMD_FSYNC, fd, buf, 0, 0)), -EINVAL);
	CHECK_EQ(run(c, request(IOCB_CMD_PWRITE, fd, (void *)8, 4, 0)),
		-EFAULT); /* its result */
	good = request(IOCB_CMD_PREAD, fd, buf, 4, 0);
	good.aio_reserved2 = 1;
	CHECK_EQ(run(c, good), -EINVAL);
	good.aio_reserved2 = 0;
	good.aio_flags = IOCB_FLAG_RESFD;
	good.aio_resfd = 99;
	CHECK_EQ(run(c, good), -EBADF);
	good.aio_resfd = (uint32_t)fd;
	CHECK_EQ(run(c, good), -EINVAL);
	good.aio_flags = IOCB_FLAG_IOPRIO;
	good.aio_reqprio = (int16_t)(7 << 13); /* no such class */
	CHECK_EQ(run(c, good), -EINVAL);
	good.aio_reqprio = 2 << 13 | 4;
	CHECK_EQ(run(c, good), 0);
	good.aio_flags = 0;
	bad = good;
	bad.aio_fildes = 99;
	CHECK_EQ(io_submit(c, 2, list), 1);
	CHECK_EQ(io_getevents(c, 1, 4, e, NULL), 1);
	CHECK_ERRNO(io_submit(c, 1, (void *)8), EFAULT);
	list[0] = (void *)8;
	CHECK_ERRNO(io_submit(c, 1, list), EFAULT);
}

TEST(aio, an_eventfd_counts)
{
	aio_context_t c = context(8);
	struct iocb q, *list[] = {&q, &q, &q};
	struct io_event e[4];
	uint64_t n;
	char buf[4];
	int fd = (int)CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
	int ev = (int)CHECK_OK(eventfd(0, 0));

	q = request(IOCB_CMD_PREAD, fd, buf, 4, 0);
	q.aio_flags = IOCB_FLAG_RESFD;
	q.aio_resfd = (uint32_t)ev;
	CHECK_EQ(io_submit(c, 3, list), 3);
	CHECK_EQ(read(ev, &n, 8), 8);
	CHECK_EQ(n, 3);
	CHECK_EQ(io_getevents(c, 3, 4, e, NULL), 3);
}

TEST(aio, the_ring_is_read_directly)
{
	aio_context_t c = context(8);
	struct aio_ring *ring = (void *)c;
	struct iocb q, *list[64];
	struct timespec none = {0};
	struct io_event e[300];
	unsigned nr;
	char buf[4];
	int fd = (int)CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
	long done = 0, n;

	CHECK_EQ(ring->magic, 0xa10a10a1);
	CHECK_EQ(ring->compat, 1);
	CHECK_EQ(ring->incompat, 0);
	CHECK_EQ(ring->header_length, sizeof(*ring));
	CHECK_EQ(ring->head, 0);
	CHECK_EQ(ring->tail, 0);
	nr = ring->nr;
	SHOW("places: %u", nr);
	q = request(IOCB_CMD_PREAD, fd, buf, 4, 0);
	for (int i = 0; i < 64; i++)
		list[i] = &q;
	while ((n = io_submit(c, 64, list)) > 0)
		done += n;
	CHECK_EQ(errno, EAGAIN);            /* all places are taken */
	CHECK(done >= 8 && done <= nr - 1); /* Linux keeps some for each CPU */
	CHECK_EQ(ring->tail, (unsigned)done);
	CHECK_EQ(ring->events[5].data, 77);
	ring->head = 10; /* as libaio takes them */
	CHECK_EQ(io_submit(c, 5, list), 5);
	CHECK_EQ(io_getevents(c, 1, 300, e, &none), done - 5);
	CHECK_EQ(ring->head, ring->tail);
	CHECK_EQ(ring->tail, (unsigned)(done + 5) % nr);
	CHECK_EQ(io_getevents(c, 1, 300, e, &none), 0);
}

static void *submit_later(void *arg)
{
	static char buf[4];
	struct iocb q = request(IOCB_CMD_PREAD, open("f", O_RDONLY), buf, 4, 0);
	struct iocb *list[] = {&q};

	wait_until_sleeping(getpid());
	CHECK_EQ(io_submit(*(aio_context_t *)arg, 1, list), 1);
	return NULL;
}

static void nothing(int sig)
{
}

TEST(aio, waiting_for_events)
{
	aio_context_t c = context(8);
	struct timespec short_time = {0, 20000000};
	struct sigaction act = {.sa_handler = nothing};
	struct io_event e[4];
	pthread_t t;
	pid_t pid;

	CHECK_OK(close((int)CHECK_OK(open("f", O_RDWR | O_CREAT, 0600))));
	CHECK_EQ(io_getevents(c, 1, 4, e, &short_time), 0);
	CHECK_EQ(pthread_create(&t, NULL, submit_later, &c), 0);
	CHECK_EQ(io_getevents(c, 1, 4, e, NULL), 1);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_OK(sigaction(SIGALRM, &act, NULL));
	pid = send_when_asleep(SIGALRM);
	CHECK_ERRNO(io_getevents(c, 1, 4, e, NULL), EINTR);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(syscall(SYS_io_pgetevents, c, 1L, 4L, e, &short_time, NULL), 0);
	CHECK_EQ(pthread_create(&t, NULL, submit_later, &c), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_ERRNO(io_getevents(c, 1, 4, (void *)8, NULL), EFAULT);
	CHECK_EQ(io_getevents(c, 1, 4, e, NULL), 1);
}

struct slow_read {
	aio_context_t c;
	int pipe[2];
	char buf[4];
	volatile pid_t reader;
};

static void *submit_slow_read(void *arg)
{
	struct slow_read *s = arg;
	struct iocb q = request(IOCB_CMD_PREAD, s->pipe[0], s->buf, 1, 0);
	struct iocb *list[] = {&q};

	announce_sleep(&s->reader);
	CHECK_EQ(io_submit(s->c, 1, list), 1);
	return NULL;
}

static void *write_later(void *arg)
{
	const struct slow_read *s = arg;

	sleep_ms(60);
	CHECK_EQ(write(s->pipe[1], "x", 1), 1);
	return NULL;
}

/* And its end leaves what is at the address of the ring then alone. */
TEST(aio, destroying_waits_for_requests)
{
	struct slow_read s = {.c = context(8)};
	pthread_t reader, writer;

	CHECK_OK(pipe(s.pipe));
	CHECK_EQ(pthread_create(&reader, NULL, submit_slow_read, &s), 0);
	wait_until_asleep(&s.reader);
	CHECK_EQ(pthread_create(&writer, NULL, write_later, &s), 0);
	CHECK_OK(syscall(SYS_io_destroy, s.c));
	CHECK_EQ(s.buf[0], 'x');
	CHECK_EQ(pthread_join(reader, NULL), 0);
	CHECK_EQ(pthread_join(writer, NULL), 0);
}

/* What every call like preadv2 checks of its flags is said at once. */
TEST(aio, flags_of_reads_and_writes)
{
	aio_context_t c = context(8);
	int fd = (int)CHECK_OK(open("f", O_RDWR | O_CREAT, 0600)), p[2];
	struct iocb q = request(IOCB_CMD_PWRITE, fd, "abcd", 4, 0);
	struct iovec v = {(void *)"efgh", 4};
	char buf[16];

	CHECK_OK(pipe(p));
	q.aio_rw_flags = RWF_APPEND;
	CHECK_EQ(run(c, q), 4);
	CHECK_EQ(run(c, q), 4);
	q = request(IOCB_CMD_PWRITEV, fd, &v, 1, 0);
	q.aio_rw_flags = RWF_APPEND | RWF_DSYNC;
	CHECK_EQ(run(c, q), 4);
	CHECK_EQ(run(c, request(IOCB_CMD_PREAD, fd, buf, 16, 0)), 12);
	CHECK_MEM(buf, "abcdabcdefgh", 12);
	q.aio_rw_flags = 1 << 20;
	CHECK_EQ(run(c, q), -EOPNOTSUPP);
	q = request(IOCB_CMD_PREAD, fd, buf, 16, 0);
	q.aio_rw_flags = RWF_HIPRI;
	CHECK_EQ(run(c, q), 12);
	q.aio_rw_flags = RWF_NOWAIT;
	CHECK_EQ(run(c, q), -EOPNOTSUPP); /* tmpfs */
	q = request(IOCB_CMD_PREAD, 99, buf, 16, 0);
	q.aio_rw_flags = 1 << 20;
	CHECK_EQ(run(c, q), -EBADF);
	q.aio_fildes = (uint32_t)p[1];
	CHECK_EQ(run(c, q), -EOPNOTSUPP); /* not EBADF: it cannot be read */
}

TEST(aio, nothing_can_be_cancelled)
{
	aio_context_t c = context(8);
	struct iocb q = {0};
	struct io_event e;

	CHECK_ERRNO(syscall(SYS_io_cancel, c, &q, &e), EINVAL);
	q.aio_key = 1;
	CHECK_ERRNO(syscall(SYS_io_cancel, c, &q, &e), EINVAL);
	CHECK_ERRNO(syscall(SYS_io_cancel, c, (void *)8, &e), EFAULT);
}
