// SPDX-License-Identifier: MIT
/*
 * /dev/console over the port of last resort, until there is a terminal: bytes go out with a carriage
 * return before each newline, as a terminal's ONLCR does; reading polls.
 */
#include <linux/poll.h>

#include "abi/stat.h"
#include "arch/arch.h"
#include "dev/char/chardev.h"
#include "lib/string.h"
#include "sched/thread.h"
#include "time/clock.h"
#include "time/timer.h"
#include "uaccess/iter.h"

enum { CONSOLE_MAJOR = 5, CONSOLE_MINOR = 1, PIECE = 256 };

#define POLL_NS (10 * NS_PER_MS)

static int64_t write_console(struct file *f UNUSED, struct iter *from, int64_t *pos UNUSED)
{
	char in[PIECE], out[2 * PIECE];
	int64_t done = 0;

	while (from->left) {
		size_t want = MIN(from->left, sizeof(in)), n = iter_read(from, in, want),
		       len = 0;

		for (size_t i = 0; i < n; i++) {
			if (in[i] == '\n')
				out[len++] = '\r';
			out[len++] = in[i];
		}
		arch_console_write(out, len);
		done += (int64_t)n;
		if (n < want)
			return done ? done : -EFAULT;
	}
	return done;
}

static int64_t read_console(struct file *f UNUSED, struct iter *to, int64_t *pos UNUSED)
{
	int64_t done = 0;
	int key;

	while (to->left) {
		char c;

		key = arch_console_read();
		if (key < 0 && done)
			break;
		if (key < 0) {
			if (sleep_ns(POLL_NS))
				return -EINTR;
			continue;
		}
		c = key == '\r' ? '\n' : (char)key;
		arch_console_write(c == '\n' ? "\r\n" : &c, c == '\n' ? 2 : 1);
		if (iter_write(to, &c, 1) != 1)
			return done ? done : -EFAULT;
		done++;
		if (c == '\n')
			break;
	}
	return done;
}

static const struct file_ops console_ops = {
	.read = read_console, .write = write_console, .name = "console"};

static int open_console(struct chardev *dev UNUSED, uint32_t minor UNUSED, struct file *f)
{
	f->mode |= FILE_STREAM;
	return 0;
}

static struct chardev console_device = {.major = CONSOLE_MAJOR,
	.first_minor = CONSOLE_MINOR,
	.nr_minors = 1,
	.ops = &console_ops,
	.open = open_console};

void console_device_init(void)
{
	if (chardev_register(&console_device) ||
		devtmpfs_create_node(
			"console", S_IFCHR | 0600, dev_make(CONSOLE_MAJOR, CONSOLE_MINOR)))
		panic("dev: no console");
}
