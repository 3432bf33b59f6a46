// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states (states.h): waiting for several, and files that count.
 */
#include "arch/sim/test/states.h"

#include <linux/eventpoll.h>
#include <linux/poll.h>
#include <linux/time.h>

#include "abi/socket.h"

/* ---- Waiting for several ---- */

static void note_nothing(int sig UNUSED, void *info UNUSED, void *context UNUSED)
{
}

JOINT_OPERATION(epoll)
{
	uint64_t fd[2], ep = DO(epoll_create1, 0), at, pid;
	struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data = 7};

	make_pipe(fd, 0);
	(void)DO(epoll_ctl, ep, EPOLL_CTL_ADD, fd[0], OBJECT(e));
	pid = sure_child(write_byte, fd[1]);
	at = MAP(PAGE_SIZE, MAP_PRIVATE);
	EXPECT_EQ(DO(epoll_wait, ep, at, 4, (uint64_t)-1), 1);
	EXPECT_EQ(sim_load32(at), EPOLLIN);
	EXPECT_WHOLE(DO(epoll_wait, ep, at, 4, 0), 0);
	join(pid);
}

static void epoll_wait_too(uintptr_t ep)
{
	uint64_t at = MAP(PAGE_SIZE, MAP_PRIVATE);

	EXPECT_EQ(DO(epoll_wait, ep, at, 4, (uint64_t)-1), 1);
}

/* A wake-up is one waiter's, but the event stays: each is told in turn. */
JOINT_OPERATION(epoll_by_two)
{
	uint64_t fd[2], ep = DO(epoll_create1, 0), at = MAP(PAGE_SIZE, MAP_PRIVATE), waiter,
			writer;
	struct epoll_event e = {.events = EPOLLIN};

	make_pipe(fd, 0);
	(void)DO(epoll_ctl, ep, EPOLL_CTL_ADD, fd[0], OBJECT(e));
	waiter = child(epoll_wait_too, ep);
	writer = sure_child(write_byte, fd[1]);
	EXPECT_EQ(DO(epoll_wait, ep, at, 4, (uint64_t)-1), 1);
	join(waiter);
	join(writer);
}

JOINT_OPERATION(poll)
{
	uint64_t a[2], b[2], at, pid;
	struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};

	make_pipe(a, 0);
	make_sockets(b, SOCK_STREAM);
	p[0].fd = (int)a[0];
	p[1].fd = (int)b[0];
	pid = sure_child(write_byte, b[1]);
	at = STRING(p);
	EXPECT_EQ(DO(poll, at, 2, (uint64_t)-1), 1);
	EXPECT_EQ(sim_load32(at + 12) >> 16, POLLIN);
	join(pid);
}

JOINT_OPERATION(epoll_of_epolls)
{
	uint64_t fd[2], in, out, at, pid;
	struct epoll_event e = {.events = EPOLLIN};

	make_sockets(fd, SOCK_STREAM);
	in = DO(epoll_create1, 0);
	out = DO(epoll_create1, 0);
	(void)DO(epoll_ctl, out, EPOLL_CTL_ADD, in, OBJECT(e));
	(void)DO(epoll_ctl, in, EPOLL_CTL_ADD, fd[0], OBJECT(e));
	pid = sure_child(write_byte, fd[1]);
	at = MAP(PAGE_SIZE, MAP_PRIVATE);
	EXPECT_EQ(DO(epoll_wait, out, at, 4, (uint64_t)-1), 1);
	EXPECT_EQ(DO(epoll_wait, in, at, 4, 0), 1);
	(void)DO(close, fd[0]);
	join(pid);
}

JOINT_OPERATION(eventfd)
{
	uint64_t fd = DO(eventfd2, 0, 0), pid = sure_child(write_byte, fd);

	EXPECT_EQ(DO(read, fd, sim_scratch(&(uint64_t){0}, 8), 8), 8);
	join(pid);
}

OPERATION(timerfd)
{
	struct __kernel_itimerspec its = {.it_value.tv_nsec = 20000};
	uint64_t fd = DO(timerfd_create, CLOCK_MONOTONIC, 0);

	(void)DO(timerfd_settime, fd, 0, OBJECT(its), 0);
	EXPECT_EQ(DO(read, fd, sim_scratch(&(uint64_t){0}, 8), 8), 8);
}

/* The sets are one word each here. */
JOINT_OPERATION(select)
{
	uint64_t fd[2], set, at, pid;

	make_pipe(fd, 0);
	pid = sure_child(write_byte, fd[1]);
	set = BIT(fd[0]);
	do {
		at = OBJECT(set);
	} while (states_is_interrupted(SIM_CALL(__NR_select, fd[0] + 1, at, 0, 0, 0)));
	EXPECT_EQ(sim_load32(at), BIT(fd[0]));
	join(pid);
}

/* A mask for the time of the call alone: the signal of the child ends it, or came before. */
static void pselect_or_ppoll(bool is_poll)
{
	uint64_t set = BIT(SIGUSR2 - 1), none = 0, at, pid;
	struct {
		uint64_t at, size;
	} mask = {.size = sizeof(none)};
	int64_t err;

	sim_action(SIGUSR2, note_nothing, 0);
	(void)DO(rt_sigprocmask, SIG_BLOCK, OBJECT(set), 0, sizeof(set));
	pid = sure_child(signal_parent, DO(getpid, 0));
	at = mask.at = OBJECT(none);
	err = is_poll ? SIM_CALL(__NR_ppoll, 0, 0, 0, at, sizeof(none))
		      : SIM_CALL(__NR_pselect6, 0, 0, 0, 0, 0, OBJECT(mask));
	if (err != -EINTR)
		states_give_up("pselect6", __LINE__, err);
	join(pid);
}

JOINT_OPERATION(pselect)
{
	pselect_or_ppoll(false);
}

JOINT_OPERATION(ppoll)
{
	pselect_or_ppoll(true);
}
