// SPDX-License-Identifier: MIT
/*
 * user/bin/cat.c once more, as a hosted program with liburing, so that the two can be laid side by side.
 *
 * The same requests in the same order: pages through a pipe, otherwise the next block is read while one is
 * written. What user/lib has a name for stands here in full: an entry is asked for, prepared and given a mark
 * (user_data); a completion is waited for, looked at, and marked as seen; and as either of the two requests may
 * end first, both are collected.
 *
 *     user/lib                       liburing
 *     op_read(...)                   io_uring_get_sqe, io_uring_prep_read
 *     ring_tell(entry, &reply)       io_uring_sqe_set_data
 *     ring_wait()                    io_uring_submit_and_wait, io_uring_for_each_cqe, io_uring_cq_advance
 */
#include <fcntl.h>

#include "hosted.h"

enum { ENTRIES = 8, BLOCK = 128 * 1024 };

struct reply {
	int res;
	bool is_here;
};

static struct io_uring ring;
static char blocks[2][BLOCK];

static struct io_uring_sqe *entry_for(struct reply *reply)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring); /* never full: two at a time */

	reply->is_here = false;
	return sqe;
}

static void completed(__u64 mark, int res, unsigned flags)
{
	struct reply *reply = (struct reply *)(uintptr_t)mark;

	(void)flags;
	reply->res = res;
	reply->is_here = true;
}

static int await(const struct reply *reply)
{
	while (!reply->is_here)
		deliver(&ring, completed);
	return reply->res;
}

/* ---- One file to another ---- */

/* -EINVAL before anything has moved: neither is a pipe. */
static int by_splice(int from, int to)
{
	struct reply spliced;
	bool moved = false;

	do {
		struct io_uring_sqe *sqe = entry_for(&spliced);

		io_uring_prep_splice(sqe, from, -1, to, -1, BLOCK, 0);
		io_uring_sqe_set_data(sqe, &spliced);
		moved |= await(&spliced) > 0;
	} while (spliced.res > 0);
	return spliced.res == -EINVAL && moved ? -EIO : spliced.res;
}

static void ask_read(int fd, char *block, struct reply *reply)
{
	struct io_uring_sqe *sqe = entry_for(reply);

	io_uring_prep_read(sqe, fd, block, BLOCK, (__u64)-1);
	io_uring_sqe_set_data(sqe, reply);
}

static void ask_write(int fd, const char *bytes, int len, struct reply *reply)
{
	struct io_uring_sqe *sqe = entry_for(reply);

	io_uring_prep_write(sqe, fd, bytes, (unsigned)len, (__u64)-1);
	io_uring_sqe_set_data(sqe, reply);
}

/* Until all of it is written, of which the first write was asked for. */
static int finish_write(int fd, const char *bytes, int len, struct reply *put)
{
	for (int done = 0;;) {
		int n = await(put);

		if (n < 0)
			return n;
		done += n;
		if (done == len)
			return 0;
		ask_write(fd, bytes + done, len - done, put);
	}
}

static int pump(int from, int to, int *who)
{
	struct reply got, put;
	unsigned turn = 0;
	int len, err = by_splice(from, to);

	*who = err == -EPIPE ? to : from;
	if (err != -EINVAL)
		return err;
	ask_read(from, blocks[0], &got);
	while ((len = await(&got)) > 0) {
		ask_write(to, blocks[turn], len, &put);
		ask_read(from, blocks[!turn], &got);
		err = finish_write(to, blocks[turn], len, &put);
		if (err) {
			*who = to;
			await(&got); /* which still points into our stack */
			return err;
		}
		turn = !turn;
	}
	return len;
}

static int cat(const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct reply opened = {STDIN_FILENO, true};
	int err, who;

	if (!is_stdin) {
		struct io_uring_sqe *sqe = entry_for(&opened);

		io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
		io_uring_sqe_set_data(sqe, &opened);
	}
	err = who = await(&opened);
	if (err >= 0)
		err = pump(opened.res, STDOUT_FILENO, &who);
	if (err < 0 && err != -EPIPE)
		complain("%s: %s", who == STDOUT_FILENO ? "standard output" : path,
			error_text(err));
	if (opened.res > 0)
		close(opened.res);
	return err < 0;
}

int main(int argc, char **argv)
{
	int status = 0;

	must(io_uring_queue_init(ENTRIES, &ring, 0), "io_uring");
	if (argc < 2)
		return cat("-");
	for (int i = 1; i < argc; i++)
		status |= cat(argv[i]);
	return status;
}
