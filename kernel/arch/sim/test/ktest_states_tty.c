// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): pseudo-terminals.
 */
#include "arch/sim/test/states.h"

#include <asm/ioctls.h>
#include <linux/fcntl.h>

static const char type[] = "devpts", ptmx[] = "/folder/ptmx", slave_name[] = "/folder/0",
		  line[] = "hello\n";

struct pair {
	uint64_t master, slave;
};

static struct pair make_pair(void)
{
	struct pair p;

	(void)DO(mkdir, STRING(states_folder), 0700);
	(void)DO(mount, STRING(type), STRING(states_folder), STRING(type), 0, 0);
	p.master = DO(open, STRING(ptmx), O_RDWR | O_NOCTTY);
	(void)DO(ioctl, p.master, TIOCSPTLCK, sim_scratch(&(int){0}, sizeof(int)));
	p.slave = DO(open, STRING(slave_name), O_RDWR | O_NOCTTY);
	return p;
}

static void type_line(uintptr_t master)
{
	sim_yield(2);
	(void)DO(write, master, STRING("hel"), 3);
	(void)DO(write, master, STRING("lo\n"), 3);
}

JOINT_OPERATION(tty_read)
{
	struct pair p = make_pair();
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE), pid = sure_child(type_line, p.master), n = 0;

	EXPECT_WHOLE(DO(read, p.slave, at, 100), sizeof(line) - 1);
	while (n < sizeof(line)) /* the echo, with a carriage return */
		n += DO(read, p.master, at, 100);
	join(pid);
}

static void read_screen(uintptr_t master)
{
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE), sum = 0;
	int64_t n;

	TRY(close, states_other_end);
	while (sum < BULK && (n = ASK(read, master, at, 1000)) > 0)
		sum += (uint64_t)n;
}

JOINT_OPERATION(tty_write)
{
	struct pair p = make_pair();
	uint64_t from = MAP(BULK, MAP_PRIVATE), pid;

	states_other_end = p.slave;
	pid = sure_child(read_screen, p.master);
	for (uint64_t done = 0; done < BULK;)
		done += DO(write, p.slave, from, BULK - done);
	(void)DO(ioctl, p.slave, 0x5409, 1); /* TCSBRK: waits until all is out */
	(void)DO(close, p.slave); /* the end, for who reads in the place of another */
	join(pid);
}

static void close_master(uintptr_t master)
{
	sim_yield(2);
	TRY(close, master);
}

/* The other end goes while we wait: that is the end of the file. */
JOINT_OPERATION(tty_hangup)
{
	struct pair p = make_pair();
	uint64_t pid = child(close_master, p.master);
	int64_t n;

	(void)DO(close, p.master);
	n = ASK(read, p.slave, STRING(line), 5);
	if (n != 0 && n != -EIO)
		states_give_up("read", __LINE__, n);
	join(pid);
}

/* A session with a terminal: its end hangs it up. */
static void lead_a_session(uintptr_t slave)
{
	TRY(setsid, 0);
	TRY(ioctl, slave, TIOCSCTTY, 0);
	sim_yield(2);
}

JOINT_OPERATION(tty_session)
{
	struct pair p = make_pair();
	uint64_t pid = child(lead_a_session, p.slave);

	(void)DO(write, p.master, STRING("\3"), 1); /* VINTR: SIGINT to its foreground */
	join(pid);
	(void)DO(close, p.slave);
	(void)DO(close, p.master);
}
