// SPDX-License-Identifier: MIT
/*
 * Bytes from one file to another.
 *
 * Through a pipe they go by splice: pages change hands, and no byte is touched. Otherwise two blocks take
 * turns, and one entering of the kernel reads the next and writes the one before:
 *
 *     read 0 | write 0, read 1 | write 1, read 0 | ...
 *
 * Both requests are there at once, so a terminal that is slow to be read does not keep back what it said last.
 */
#include "ops.h"
#include "program.h"
#include "ring.h"

#define BLOCK (128 * KIB)

static char blocks[2][BLOCK] ALIGNED(4096);

/* -EINVAL before anything has moved: neither is a pipe. */
static int by_splice(int from, int to)
{
	int n, moved = 0;

	do {
		n = ring_await(op_splice(from, -1, to, -1, BLOCK));
		moved |= n > 0;
	} while (n > 0);
	return n == -EINVAL && moved ? -EIO : n;
}

int pump(int from, int to, int *who)
{
	struct reply written = {0};
	int err = by_splice(from, to), len, next;

	*who = err == -EPIPE ? to : from;
	if (err != -EINVAL)
		return err;
	len = ring_await(op_read(from, blocks[0], BLOCK, -1));
	for (unsigned turn = 0; len > 0; turn = !turn, len = next) {
		ring_tell(op_write(to, blocks[turn], (unsigned)len, -1), &written);
		next = ring_await(op_read(from, blocks[!turn], BLOCK, -1));
		err = ring_until(&written);
		if (err >= 0 && err < len)
			err = write_all(to, blocks[turn] + err, (size_t)(len - err));
		if (err < 0) {
			*who = to;
			return err;
		}
	}
	return len;
}
