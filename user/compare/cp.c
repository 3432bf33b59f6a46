// SPDX-License-Identifier: MIT
/*
 * user/bin/cp.c once more with liburing: the same chains of read and write in registered memory.
 *
 * What is asked for once for each file is done by libc's calls, as one does it with liburing. There a completion
 * calls the function that its reply names; here it has a mark, which says what has ended:
 *
 *     user/lib                                       here
 *     ring_tell(entry, &b->written)                  io_uring_sqe_set_data64(sqe, MARK(b, WRITE))
 *     reply->then(reply) ──> container_of            completed() ──> blocks[mark / 2]
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "hosted.h"

enum { ENTRIES = 16, BLOCKS = 4, PIECE = 128 * 1024, PATH_SIZE = 4096 };
enum { READ, WRITE };
#define MARK(b, what) (2 * (__u64)((b)-blocks) + (what))

struct block {
	char *bytes;
	uint64_t at;  /* where in the file */
	unsigned len; /* of this piece, still to be written */
	int nr_read;
};

static struct {
	int from, to;
	uint64_t next, end; /* what no block has taken yet */
	unsigned nr_busy;   /* blocks that have a piece */
	int error;
	bool is_from; /* whose fault it was */
} job;

static struct io_uring ring;
static struct block blocks[BLOCKS];
static char bytes[BLOCKS][PIECE] __attribute__((aligned(4096)));

/* ---- A file of known length ---- */

static void write_block(struct block *b)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring); /* never full: two for each block */

	io_uring_prep_write_fixed(sqe, job.to, b->bytes, b->len, b->at, 0);
	io_uring_sqe_set_data64(sqe, MARK(b, WRITE));
}

/* Asks for the piece that is next, if there is one. */
static void block_next(struct block *b)
{
	struct io_uring_sqe *sqe;

	if (job.next >= job.end || job.error)
		return;
	b->at = job.next;
	b->len = (unsigned)(job.end - job.next < PIECE ? job.end - job.next : PIECE);
	job.next += b->len;
	job.nr_busy++;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read_fixed(sqe, job.from, b->bytes, b->len, b->at, 0);
	sqe->flags |= IOSQE_IO_LINK;
	io_uring_sqe_set_data64(sqe, MARK(b, READ));
	write_block(b);
}

static void fail(int error, bool is_from)
{
	if (!job.error) {
		job.error = error;
		job.is_from = is_from;
	}
}

/* The end of a chain. */
static void block_written(struct block *b, int done)
{
	job.nr_busy--;
	if (b->nr_read < 0)
		return fail(b->nr_read, true);
	if (b->nr_read == 0)
		return; /* the file has become shorter */
	if (done == -ECANCELED) {
		b->len = (unsigned)b->nr_read; /* a short read: that is to be written */
		done = 0;
	} else if (done <= 0) {
		return fail(done ? done : -EIO, false);
	}
	b->len -= (unsigned)done;
	b->bytes += done;
	b->at += (unsigned)done;
	if (b->len) {
		job.nr_busy++;
		return write_block(b);
	}
	b->bytes = bytes[b - blocks];
	block_next(b);
}

static void completed(__u64 mark, int res, unsigned flags)
{
	struct block *b = &blocks[mark / 2];

	(void)flags;
	if (mark % 2 == READ)
		b->nr_read = res;
	else
		block_written(b, res);
}

static void copy_blocks(uint64_t size)
{
	job.next = 0;
	job.end = size;
	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i].bytes = bytes[i];
		block_next(&blocks[i]);
	}
	while (job.nr_busy)
		deliver(&ring, completed);
}

/* ---- What has no length ---- */

static void copy_stream(void)
{
	ssize_t n = 0, done;

	while (!job.error && (n = read(job.from, bytes[0], PIECE)) > 0)
		for (char *at = bytes[0]; n && !job.error; at += done, n -= done) {
			done = write(job.to, at, (size_t)n);
			if (done < 0)
				fail(-errno, false);
		}
	if (n < 0)
		fail(-errno, true);
}

/* ---- Names ---- */

static int copy_open(const char *from, const char *to, const struct stat *st)
{
	job.error = 0;
	if (S_ISREG(st->st_mode) && st->st_size)
		copy_blocks((uint64_t)st->st_size);
	else
		copy_stream();
	if (job.error)
		complain("%s: %s", job.is_from ? from : to, error_text(job.error));
	return job.error != 0;
}

/* Whether they are one file, which opening the copy would empty. */
static bool is_same(const struct stat *a, const char *to)
{
	struct stat b;

	return stat(to, &b) == 0 && a->st_ino == b.st_ino && a->st_dev == b.st_dev;
}

static int copy_from(const char *from, const char *to)
{
	struct stat st;
	int status;

	if (fstat(job.from, &st) < 0 || S_ISDIR(st.st_mode)) {
		complain("%s: %s", from, error_text(S_ISDIR(st.st_mode) ? -EISDIR : -errno));
		return 1;
	}
	if (is_same(&st, to)) {
		complain("%s and %s are the same file", from, to);
		return 1;
	}
	job.to = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, st.st_mode & 0777);
	if (job.to < 0) {
		complain("%s: %s", to, error_text(-errno));
		return 1;
	}
	status = copy_open(from, to, &st);
	close(job.to);
	return status;
}

static int copy(const char *from, const char *to)
{
	int status;

	job.from = open(from, O_RDONLY | O_CLOEXEC);
	if (job.from < 0) {
		complain("%s: %s", from, error_text(-errno));
		return 1;
	}
	status = copy_from(from, to);
	close(job.from);
	return status;
}

static int copy_into(const char *from, const char *folder)
{
	const char *slash = strrchr(from, '/');
	char to[PATH_SIZE];

	if (snprintf(to, sizeof(to), "%s/%s", folder, slash ? slash + 1 : from) < PATH_SIZE)
		return copy(from, to);
	complain("%s: %s", from, error_text(-ENAMETOOLONG));
	return 1;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int main(int argc, char **argv)
{
	struct iovec buffer = {bytes, sizeof(bytes)};
	bool into = argc > 2 && is_folder(argv[argc - 1]);
	int status = 0;

	must(io_uring_queue_init(ENTRIES, &ring, 0), "io_uring");
	must(io_uring_register_buffers(&ring, &buffer, 1), "memory");
	if (argc < 3 || (argc > 3 && !into)) {
		complain("usage: cp FROM TO, or cp FROM... FOLDER");
		return 2;
	}
	for (int i = 1; i < argc - 1; i++)
		status |= into ? copy_into(argv[i], argv[argc - 1]) : copy(argv[i], argv[2]);
	return status;
}
