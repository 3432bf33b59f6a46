// SPDX-License-Identifier: MIT
/*
 * IORING_FEAT_SUBMIT_STABLE: what an entry points to may change as soon as it is submitted, also when it
 * has to wait for its turn in a chain.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "ring.h"

enum { HELD = 1, CALL };

/* A read that waits, and behind it what is put in next. */
struct held {
	struct ring r;
	int fd[2];
	char c;
};

static void hold(struct held *h)
{
	CHECK_OK(pipe(h->fd));
	ring_open(&h->r, 8, 0);
	ring_read_byte(&h->r, h->fd[0], &h->c, HELD)->flags = IOSQE_IO_LINK;
}

static void submit(struct held *h)
{
	CHECK_EQ(ring_submit(&h->r, 0), 2);
	CHECK_EQ(ring_ready(&h->r), 0);
}

/* Its result. */
static int let_go(struct held *h)
{
	struct ring_result result;

	CHECK_EQ(write(h->fd[1], "x", 1), 1);
	RING_EXPECT(&h->r, HELD, 1);
	result = ring_take(&h->r);
	CHECK_EQ(result.user_data, CALL);
	ring_close(&h->r);
	return result.res;
}

TEST(ring_kept, how_to_open)
{
	struct open_how how = {.flags = O_RDWR | O_CREAT, .mode = 0600};
	char name[8] = "file";
	struct stat st;
	struct held h;

	hold(&h);
	(void)ring_push(&h.r, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT2,
				      .fd = AT_FDCWD,
				      .addr = (uintptr_t)name,
				      .len = sizeof(how),
				      .off = (uintptr_t)&how,
				      .user_data = CALL});
	submit(&h);
	memset(&how, 0xff, sizeof(how));
	memset(name, 0, sizeof(name));
	CHECK_OK(let_go(&h));
	CHECK_OK(stat("file", &st));
	CHECK_EQ(st.st_mode & 0777, 0600);
}

TEST(ring_kept, attribute)
{
	char name[16] = "trusted.name", value[16] = "value", got[16];
	struct held h;
	int fd;

	CHECK_OK(fd = open("file", O_RDWR | O_CREAT, 0600));
	hold(&h);
	(void)ring_push(&h.r, (struct io_uring_sqe){.opcode = IORING_OP_FSETXATTR,
				      .fd = fd,
				      .addr = (uintptr_t)name,
				      .addr2 = (uintptr_t)value,
				      .len = 5,
				      .user_data = CALL});
	submit(&h);
	memset(value, 'x', sizeof(value));
	memset(name, 'y', sizeof(name));
	CHECK_EQ(let_go(&h), 0);
	CHECK_EQ(fgetxattr(fd, "trusted.name", got, sizeof(got)), 5);
	CHECK(!memcmp(got, "value", 5));
}

TEST(ring_kept, event_to_watch_for)
{
	struct epoll_event e = {.events = EPOLLOUT, .data.u64 = 77};
	struct held h;
	int set;

	CHECK_OK(set = epoll_create1(0));
	hold(&h);
	(void)ring_push(&h.r, (struct io_uring_sqe){.opcode = IORING_OP_EPOLL_CTL,
				      .fd = set,
				      .addr = (uintptr_t)&e,
				      .len = EPOLL_CTL_ADD,
				      .off = (unsigned)h.fd[1],
				      .user_data = CALL});
	submit(&h);
	memset(&e, 0, sizeof(e));
	CHECK_EQ(let_go(&h), 0);
	CHECK_EQ(epoll_wait(set, &e, 1, 0), 1);
	CHECK_EQ(e.events, EPOLLOUT);
	CHECK_EQ(e.data.u64, 77);
}

TEST(ring_kept, address_to_bind_to)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "socket"};
	struct stat st;
	struct held h;
	int fd;

	NEWER(kernel_has_op(IORING_OP_BIND));
	CHECK_OK(fd = socket(AF_UNIX, SOCK_STREAM, 0));
	hold(&h);
	(void)ring_push(&h.r, (struct io_uring_sqe){.opcode = IORING_OP_BIND,
				      .fd = fd,
				      .addr = (uintptr_t)&a,
				      .addr2 = sizeof(a),
				      .user_data = CALL});
	submit(&h);
	strcpy(a.sun_path, "other");
	CHECK_EQ(let_go(&h), 0);
	CHECK_OK(stat("socket", &st));
}

/* The workers are all asleep: it stands in line for one. */
TEST(ring_kept, name_of_a_call_that_stands_in_line)
{
	enum { SLEEPERS = 300 };
	static char bytes[SLEEPERS];
	char name[8] = "dir";
	unsigned nr_done = 0;
	struct stat st;
	struct ring r;
	int fd[2];

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	ring_open(&r, 512, 0);
	for (unsigned i = 0; i < SLEEPERS; i++)
		(void)ring_push(&r, (struct io_uring_sqe){.opcode = TORUS_OP_SYSCALL,
					    .fd = __NR_read,
					    .off = (unsigned)fd[0],
					    .addr = (uintptr_t)&bytes[i],
					    .len = 1,
					    .user_data = HELD});
	(void)ring_push(&r, (struct io_uring_sqe){.opcode = IORING_OP_MKDIRAT,
				    .fd = AT_FDCWD,
				    .addr = (uintptr_t)name,
				    .len = 0700,
				    .user_data = CALL});
	CHECK_EQ(ring_submit(&r, 0), SLEEPERS + 1);
	CHECK_EQ(ring_ready(&r), 0);
	strcpy(name, "other");
	CHECK_EQ(write(fd[1], bytes, SLEEPERS), SLEEPERS);
	while (nr_done <= SLEEPERS) {
		struct ring_result result = ring_take(&r);

		CHECK_EQ(result.res, result.user_data == CALL ? 0 : 1);
		nr_done++;
	}
	CHECK_OK(stat("dir", &st));
	CHECK_ERRNO(stat("other", &st), ENOENT);
	ring_close(&r);
}
