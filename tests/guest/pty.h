// SPDX-License-Identifier: MIT
/*
 * A pseudo-terminal of the test's own: what is typed at its master, what its slave reads, what the screen
 * shows.
 */
#pragma once

#include "guest.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static void open_pair(void)
{
	int n, zero = 0;
	char name[30];

	master = CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_OK(ioctl(master, TIOCSPTLCK, &zero));
	CHECK_OK(ioctl(master, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	slave = CHECK_OK(open(name, O_RDWR | O_NOCTTY));
}

static void flags(tcflag_t set, tcflag_t clear)
{
	struct termios t;

	CHECK_OK(tcgetattr(slave, &t));
	t.c_lflag = (t.c_lflag | set) & ~clear;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
}

static void type(const char *text)
{
	CHECK_EQ(write(master, text, strlen(text)), strlen(text));
}

/* For what must come, and for what must not. */
enum { LONG_MS = 10000, A_WHILE_MS = 50 };

/* What the master shows until it is so much, and in a while then, as a string. */
static inline const char *screen(size_t expected)
{
	static char buf[2000];
	struct pollfd p = {master, POLLIN, 0};
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(buf) - 1 &&
		poll(&p, 1, len < expected ? LONG_MS : A_WHILE_MS) == 1 &&
		(p.revents & POLLIN)) {
		n = read(master, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	buf[len] = 0;
	return buf;
}

#define CHECK_SCREEN(text) CHECK_STREQ(screen(strlen(text)), text)

static inline const char *line(void)
{
	static char buf[5000];
	ssize_t n = CHECK_OK(read(slave, buf, sizeof(buf) - 1));

	buf[n] = 0;
	return buf;
}

/* A read of the slave once it has been hung up, which may be a little after those who waited were told of it. */
static inline ssize_t read_after_hangup(char *c)
{
	ssize_t n = -1;

	for (int i = 0; i < 1000 && (n = read(slave, c, 1)) < 0 && errno == EIO; i++)
		poll(NULL, 0, 5);
	return n;
}

static inline bool is_ready_within(int ms)
{
	struct pollfd p = {slave, POLLIN, 0};

	return poll(&p, 1, ms) == 1;
}
