// SPDX-License-Identifier: MIT
/*
 * user/bin/cat.c once more, as a hosted program with liburing, so that the two can be laid side by side.
 *
 * The same requests in the same order: while a block is written the next one is read. What user/lib has a
 * name for stands here in full: an entry is asked for, prepared and given a mark (user_data); a completion is
 * waited for, looked at, and marked as seen; and as either of the two may come first, both are collected.
 *
 *     user/lib                       liburing
 *     op_read(...)                   io_uring_get_sqe, io_uring_prep_read
 *     ring_tell(entry, &reply)       io_uring_sqe_set_data
 *     ring_wait()                    io_uring_submit_and_wait, io_uring_for_each_cqe, io_uring_cq_advance
 *
 * Built where liburing's headers are: make user
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES = 8, BLOCK = 128 * 1024 };

struct reply {
	int res;
	bool is_here;
};

static struct io_uring ring;
static char blocks[2][BLOCK];

static struct io_uring_sqe *next_entry(struct reply *reply)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring); /* never full: two at a time */

	reply->is_here = false;
	return sqe;
}

static int await(const struct reply *reply)
{
	while (!reply->is_here) {
		struct io_uring_cqe *cqe;
		unsigned head, nr = 0;

		io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, cqe)
		{
			struct reply *to = io_uring_cqe_get_data(cqe);

			to->res = cqe->res;
			to->is_here = true;
			nr++;
		}
		io_uring_cq_advance(&ring, nr);
	}
	return reply->res;
}

static void ask_read(int fd, char *block, struct reply *reply)
{
	struct io_uring_sqe *sqe = next_entry(reply);

	io_uring_prep_read(sqe, fd, block, BLOCK, (__u64)-1);
	io_uring_sqe_set_data(sqe, reply);
}

static void ask_write(int fd, const char *bytes, int len, struct reply *reply)
{
	struct io_uring_sqe *sqe = next_entry(reply);

	io_uring_prep_write(sqe, fd, bytes, (unsigned)len, (__u64)-1);
	io_uring_sqe_set_data(sqe, reply);
}

static int pump(int from, int to)
{
	struct reply got, put;
	unsigned turn = 0;
	int len;

	ask_read(from, blocks[0], &got);
	while ((len = await(&got)) > 0) {
		ask_write(to, blocks[turn], len, &put);
		ask_read(from, blocks[!turn], &got);
		for (int done = 0;;) {
			int n = await(&put);

			if (n < 0) {
				await(&got); /* which still points into our stack */
				return n;
			}
			done += n;
			if (done == len)
				break;
			ask_write(to, blocks[turn] + done, len - done, &put);
		}
		turn = !turn;
	}
	return len;
}

static int cat(const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct io_uring_sqe *sqe;
	struct reply opened = {0};
	int err;

	if (!is_stdin) {
		sqe = next_entry(&opened);
		io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
		io_uring_sqe_set_data(sqe, &opened);
		await(&opened);
	}
	err = opened.res < 0 ? opened.res : pump(opened.res, STDOUT_FILENO);
	if (err < 0 && err != -EPIPE)
		fprintf(stderr, "cat: %s: %s\n", path, strerror(-err));
	if (opened.res > 0)
		close(opened.res);
	return err < 0;
}

int main(int argc, char **argv)
{
	int status = 0, err = io_uring_queue_init(ENTRIES, &ring, 0);

	if (err < 0) {
		fprintf(stderr, "cat: io_uring: %s\n", strerror(-err));
		return 1;
	}
	if (argc < 2)
		return cat("-");
	for (int i = 1; i < argc; i++)
		status |= cat(argv[i]);
	return status;
}
