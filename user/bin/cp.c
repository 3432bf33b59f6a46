// SPDX-License-Identifier: MIT
/*
 * cp FROM TO, cp FROM... FOLDER: copies files.
 *
 * A file of known length is copied by several blocks at once. For each there is a chain of two requests, a
 * read and a write of the same registered memory at the same place; when a block has been written its
 * memory goes on to a place that nobody has taken yet:
 *
 *     block 0    read 0 ──> write 0    read 4 ──> write 4    ...
 *     block 1    read 1 ──> write 1    read 6 ──> write 6
 *     ...
 *
 * What has no length (a pipe, a terminal, a file of /proc) goes from front to back: pump().
 *
 * Not here: folders, links as links, modes beyond those of the file's creation, sparse files.
 *
 * Spec    POSIX.1-2024, cp; man 7 io_uring, IOSQE_IO_LINK: a short read breaks a chain
 */
#include <linux/stat.h>

#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "ring.h"

enum { ENTRIES = 16, BLOCKS = 4, PATH_SIZE = 4096 };
#define PIECE (128 * KIB)

struct block {
	struct reply read, written;
	char *bytes;
	uint64_t at;  /* where in the file */
	unsigned len; /* of this piece, still to be written */
};

static struct {
	int from, to;
	uint64_t next, end; /* what no block has taken yet */
	int error;
	bool is_from; /* whose fault it was */
} job;

static struct block blocks[BLOCKS];
static char bytes[BLOCKS][PIECE] ALIGNED(4096);

static struct io_uring_sqe *with_fixed_buffer(struct io_uring_sqe *sqe)
{
	sqe->opcode =
		sqe->opcode == IORING_OP_READ ? IORING_OP_READ_FIXED : IORING_OP_WRITE_FIXED;
	sqe->buf_index = 0; /* all blocks are one registered buffer */
	return sqe;
}

/* Asks for the piece that is next, if there is one. */
static void block_next(struct block *b)
{
	struct io_uring_sqe *sqe;

	if (job.next >= job.end || job.error)
		return;
	b->at = job.next;
	b->len = (unsigned)MIN(PIECE, job.end - job.next);
	job.next += b->len;
	ring_room(2);
	sqe = with_fixed_buffer(op_read(job.from, b->bytes, b->len, (int64_t)b->at));
	sqe->flags |= IOSQE_IO_LINK;
	ring_tell(sqe, &b->read);
	ring_tell(with_fixed_buffer(op_write(job.to, b->bytes, b->len, (int64_t)b->at)),
		&b->written);
}

static void fail(int error, bool is_from)
{
	if (!job.error)
		job = (__typeof__(job)){job.from, job.to, job.next, job.end, error, is_from};
}

/* The end of a chain: both replies are here, as they come in order. */
static void block_written(struct reply *reply)
{
	struct block *b = container_of(reply, struct block, written);
	int done = reply->res;

	if (b->read.res < 0)
		return fail(b->read.res, true);
	if (b->read.res == 0)
		return; /* the file has become shorter */
	if (done == -ECANCELED) {
		b->len = (unsigned)b->read.res; /* a short read: that is to be written */
		done = 0;
	} else if (done <= 0) {
		return fail(done ? done : -EIO, false);
	}
	b->len -= (unsigned)done;
	b->bytes += done;
	b->at += (unsigned)done;
	if (b->len) {
		ring_tell(op_write(job.to, b->bytes, b->len, (int64_t)b->at), &b->written);
		return;
	}
	b->bytes = bytes[b - blocks];
	block_next(b);
}

static void copy_blocks(uint64_t size)
{
	job.next = 0;
	job.end = size;
	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i].bytes = bytes[i];
		blocks[i].written.then = block_written;
		block_next(&blocks[i]);
	}
	ring_finish();
}

static int copy_open(const char *from, const char *to, const struct statx *st)
{
	int who;

	job.error = 0;
	if ((st->stx_mode & S_IFMT) == S_IFREG && st->stx_size) {
		copy_blocks(st->stx_size);
	} else {
		job.error = pump(job.from, job.to, &who);
		job.is_from = who == job.from;
	}
	if (job.error)
		complain("%s: %s", job.is_from ? from : to, error_text(job.error));
	return job.error != 0;
}

/* Whether they are one file, which opening the copy would empty. */
static bool is_same(const struct statx *a, const char *to)
{
	struct statx b;

	return ring_await(op_statx(AT_FDCWD, to, 0, STATX_BASIC_STATS, &b)) >= 0 &&
	       a->stx_ino == b.stx_ino && a->stx_dev_major == b.stx_dev_major &&
	       a->stx_dev_minor == b.stx_dev_minor;
}

static int copy(const char *from, const char *to)
{
	struct statx st;
	const char *why = from;
	int status = 1, err;

	err = job.from = ring_await(op_open(AT_FDCWD, from, O_RDONLY | O_CLOEXEC, 0));
	if (err >= 0)
		err = ring_await(op_statx(job.from, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st));
	if (err >= 0 && (st.stx_mode & S_IFMT) == S_IFDIR)
		err = -EISDIR;
	if (err >= 0 && is_same(&st, to)) {
		complain("%s and %s are the same file", from, to);
		goto close_from;
	}
	if (err >= 0) {
		why = to;
		err = job.to = ring_await(op_open(AT_FDCWD, to,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, st.stx_mode & 0777));
	}
	if (err < 0) {
		complain("%s: %s", why, error_text(err));
	} else {
		status = copy_open(from, to, &st);
		ring_await(op_close(job.to));
	}
close_from:
	if (job.from >= 0)
		ring_await(op_close(job.from));
	return status;
}

static int copy_into(const char *from, const char *folder)
{
	const char *slash = strrchr(from, '/');
	char to[PATH_SIZE];

	if (str_copy(to, folder, sizeof(to)) < 0 || str_append(to, "/", sizeof(to)) < 0 ||
		str_append(to, slash ? slash + 1 : from, sizeof(to)) < 0) {
		complain("%s: %s", from, error_text(-ENAMETOOLONG));
		return 1;
	}
	return copy(from, to);
}

static bool is_folder(const char *path)
{
	struct statx st;

	return ring_await(op_statx(AT_FDCWD, path, 0, STATX_TYPE, &st)) >= 0 &&
	       (st.stx_mode & S_IFMT) == S_IFDIR;
}

int main(int argc, char **argv)
{
	struct {
		void *base;
		size_t len;
	} buffer = {bytes, sizeof(bytes)}; /* struct iovec */
	bool into;
	int status = 0;

	ring_open(ENTRIES, 0);
	must(ring_register(IORING_REGISTER_BUFFERS, &buffer, 1), "memory");
	into = argc > 2 && is_folder(argv[argc - 1]);
	if (argc < 3 || (argc > 3 && !into)) {
		complain("usage: cp FROM TO, or cp FROM... FOLDER");
		return 2;
	}
	for (int i = 1; i < argc - 1; i++)
		status |= into ? copy_into(argv[i], argv[argc - 1]) : copy(argv[i], argv[2]);
	return status;
}
