// SPDX-License-Identifier: MIT
/*
 * Programs of the simulated machine, by real system calls: memory, pipes, children, waiting,
 * signals.
 */
#include "arch/sim/program.h"

#include "lib/atomic.h"
#include "lib/string.h"
#include "lib/test.h"
#include "proc/signal.h"

#include <linux/time.h>

enum { ECHILD_STATUS = 7, KILL_EVERY_NS = 50000 };

/* ---- A child that writes, a parent that reads and waits ---- */

static void writer(uintptr_t fds)
{
	int fd[2];
	char text[] = "from the child";
	uint64_t at = sim_map(PAGE_SIZE);

	EXPECT(sim_load(fd, fds, sizeof(fd)));
	EXPECT(sim_store(at, text, sizeof(text)));
	EXPECT_EQ(
		SIM_CALL(__NR_write, (uint64_t)fd[1], at, sizeof(text)), (int64_t)sizeof(text));
	(void)SIM_CALL(__NR_exit_group, ECHILD_STATUS);
}

static void parent(void)
{
	uint64_t at = sim_map(2 * PAGE_SIZE);
	char text[32];
	int fd[2], status;
	int64_t pid;

	EXPECT_EQ(SIM_CALL(__NR_getpid, 0), 1);
	EXPECT_EQ(SIM_CALL(__NR_pipe2, at, 0), 0);
	EXPECT(sim_load(fd, at, sizeof(fd)));
	pid = sim_clone(SIGCHLD, writer, at, 0, 0, 0);
	EXPECT_GT(pid, 1);
	EXPECT_EQ(SIM_CALL(__NR_read, (uint64_t)fd[0], at + PAGE_SIZE, sizeof(text)), 15);
	EXPECT(sim_load(text, at + PAGE_SIZE, 15));
	EXPECT(str_equal(text, "from the child"));
	EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)-1, at, 0, 0), pid);
	EXPECT(sim_load(&status, at, sizeof(status)));
	EXPECT_EQ(status, ECHILD_STATUS << 8);
	EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)-1, at, 0, 0), -ECHILD);
}

TEST(program, a_child_writes_and_is_waited_for)
{
	sim_program(parent);
}

/* ---- Signals: a handler runs inside a call that is then interrupted, or made again ---- */

static unsigned nr_handled;
static unsigned is_back; /* [a] the read has been interrupted */

static void handler(int sig, void *info, void *context UNUSED)
{
	EXPECT_EQ(sig, SIGUSR1);
	EXPECT_EQ(((const siginfo_t *)info)->si_signo, SIGUSR1);
	nr_handled++;
	EXPECT_EQ(SIM_CALL(__NR_getpid, 0), 1);
}

/* One signal may come before the read begins to wait, and then interrupts nothing. */
static void killer(uintptr_t arg UNUSED)
{
	struct __kernel_timespec ts = {.tv_nsec = KILL_EVERY_NS};
	uint64_t at = sim_scratch(&ts, sizeof(ts));

	do {
		(void)SIM_CALL(__NR_kill, 1, SIGUSR1);
		(void)SIM_CALL(__NR_nanosleep, at, 0);
	} while (!atomic_load_acquire(&is_back)); /* pairs with the release in handles() */
	(void)SIM_CALL(__NR_exit_group, 0);
}

static void handles(void)
{
	struct ksigaction action = {.handler = (uintptr_t)handler, .flags = SA_SIGINFO};
	uint64_t at = sim_map(PAGE_SIZE);
	int fd[2];

	EXPECT(sim_store(at, &action, sizeof(action)));
	EXPECT_EQ(SIM_CALL(__NR_rt_sigaction, SIGUSR1, at, 0, sizeof(uint64_t)), 0);
	EXPECT_EQ(SIM_CALL(__NR_kill, 1, SIGUSR1), 0);
	EXPECT_EQ(nr_handled, 1);
	EXPECT_EQ(SIM_CALL(__NR_pipe2, at, 0), 0);
	EXPECT(sim_load(fd, at, sizeof(fd)));
	EXPECT_GT(sim_clone(SIGCHLD, killer, 0, 0, 0, 0), 0);
	EXPECT_EQ(SIM_CALL(__NR_read, (uint64_t)fd[0], at, 8), -EINTR);
	atomic_store_release(&is_back, 1u);
	EXPECT_GE(nr_handled, 2);
}

TEST(program, a_handler_interrupts_a_read)
{
	nr_handled = is_back = 0;
	sim_program(handles);
}

/* ---- A bad address is the program's end, and nobody else's ---- */

static void stores_badly(uintptr_t at)
{
	int x = 1;

	(void)sim_store(at, &x, sizeof(x));
	test_fail(__FILE__, __LINE__, "a store to nowhere returned");
}

static void survives(void)
{
	uint64_t at = sim_map(PAGE_SIZE);
	int status;
	int64_t pid = sim_clone(SIGCHLD, stores_badly, 8, 0, 0, 0);

	EXPECT_EQ(SIM_CALL(__NR_wait4, (uint64_t)pid, at, 0, 0), pid);
	EXPECT(sim_load(&status, at, sizeof(status)));
	EXPECT_EQ(status & 0x7f, SIGSEGV);
}

TEST(program, a_bad_store_kills_its_process)
{
	sim_program(survives);
}
