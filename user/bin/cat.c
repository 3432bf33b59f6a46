// SPDX-License-Identifier: MIT
/*
 * cat [FILE...]: writes files, or standard input (also as -), one after another.
 *
 * Spec    POSIX.1-2024, cat
 */
#include <linux/fcntl.h>

#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "ring.h"

enum { ENTRIES = 8, STDIN = 0, STDOUT = 1 };

static int cat(const char *path)
{
	bool is_stdin = str_equal(path, "-");
	int fd =
		is_stdin ? STDIN : ring_await(op_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0));
	int err = fd, who = fd;

	if (fd >= 0)
		err = pump(fd, STDOUT, &who);
	if (err < 0 && err != -EPIPE) /* nobody wants more */
		complain("%s: %s", who == STDOUT ? "standard output" : path, error_text(err));
	if (fd > 0)
		ring_await(op_close(fd));
	return err < 0;
}

int main(int argc, char **argv)
{
	int status = 0;

	ring_open(ENTRIES, 0);
	if (argc < 2)
		return cat("-");
	for (int i = 1; i < argc; i++)
		status |= cat(argv[i]);
	return status;
}
