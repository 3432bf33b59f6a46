// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states: the engine. An operation (states.h) is run in a process of its
 * own, in three ways:
 *
 *     fail.NAME   its first thread's n-th allocation fails, for n = 1, 2, ... until there is none: the
 *                 call says so
 *     kill.NAME   it is killed at its n-th moment (sim.h): the others end too
 *     signal.NAME the same with a signal that it handles: what was interrupted is done again, or
 *                 goes on, and the result is the same
 *
 * and after each run the kernel has nothing that it had not before.
 *
 * The moments at which it leaves its CPU (asleep, waiting for a lock, preempted) are few: every run
 * of the test tries them all. Those in between are thousands: each seed tries every `stripe`-th of
 * them, the next seed those beside, so that as many seeds as a stripe is long (about 20) have tried all.
 */
#include "arch/sim/test/states.h"

#include "lib/fmt.h"
#include "mm/fail.h"
#include "proc/proc.h"
#include "proc/signal.h"

#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/wait.h>

#include "abi/socket.h"

enum { STEPS_PER_SEED = 40, MAX_LEAVES = 300, MAX_ALLOCATIONS = 400, LEFT_OVER = 99 };
enum { OOM_NEVER = -1000 /* <linux/oom.h>: OOM_SCORE_ADJ_MIN */ };

enum way { PLAIN, FAIL, KILL, HANDLE };

static void (*operation)(void);
static enum way way;
static enum sim_moment kind; /* KILL, HANDLE */
static uint64_t nth;         /* allocation or moment; 0: none */
static struct proc *victim;  /* the operation's, with a reference */
static bool has_fired;       /* FAIL */
static bool is_complete;     /* the last run came to its end */
static unsigned nr_handled;

/* ---- Calls of an operation ---- */

void states_give_up(const char *call, int line, int64_t err)
{
	if (way == FAIL)
		has_fired = fail_disarm();
	if (!has_fired ||
		(err != -ENOMEM && err != -EAGAIN && err != -ENOBUFS && err != -ENOLCK))
		test_fail(__FILE__, line, "%s: %lld%s", call, (long long)err,
			has_fired ? ", an allocation failed" : "");
	sim_exit_process(LEFT_OVER);
}

bool states_is_interrupted(int64_t result)
{
	return result == -EINTR && way == HANDLE;
}

bool states_is_undisturbed(void)
{
	return way != KILL && !has_fired;
}

/* Who has no memory is killed himself, and not a helper that he waits for. */
uint64_t child(void (*fn)(uintptr_t), uintptr_t arg)
{
	int64_t pid;

	victim->oom_score_adj = OOM_NEVER;
	pid = sim_clone(SIGCHLD, fn, arg, 0, 0, 0);
	victim->oom_score_adj = 0;
	if (pid < 0)
		states_give_up("clone", __LINE__, pid);
	return (uint64_t)pid;
}

void join(uint64_t pid)
{
	(void)DO(wait4, pid, 0, 0, 0);
}

void get_pair(uint64_t at, uint64_t fd[2])
{
	fd[0] = sim_load32(at);
	fd[1] = sim_load32(at + 4);
}

void make_pipe(uint64_t fd[2], unsigned flags)
{
	uint64_t at = sim_scratch(&(uint64_t){0}, 8);

	(void)DO(pipe2, at, flags);
	get_pair(at, fd);
}

void make_sockets(uint64_t fd[2], unsigned type)
{
	uint64_t at = sim_scratch(&(uint64_t){0}, 8);

	(void)DO(socketpair, AF_UNIX, type, 0, at);
	get_pair(at, fd);
}

void wait_futex(uint64_t word, uint32_t value)
{
	int64_t err = SIM_CALL(__NR_futex, word, FUTEX_WAIT, value, 0);

	if (err && err != -EAGAIN && err != -EINTR)
		states_give_up("futex", __LINE__, err);
}

void states_pause_failing(void)
{
	fail_arm(0);
}

void states_go_on_failing(void)
{
	fail_arm(way == FAIL ? nth : 0);
}

/* ---- Children and names ---- */

const char states_fifo[6] = "/fifo", states_file[6] = "/file", states_folder[8] = "/folder",
	   states_inside[10] = "/folder/x", states_moved[7] = "/moved";

void write_bulk(uintptr_t fd)
{
	uint64_t from = sim_map(BULK);

	for (uint64_t done = 0; done < BULK;) {
		int64_t n = SIM_CALL(__NR_write, fd, from, MIN(BULK - done, 5000ul));

		if (n <= 0)
			return;
		done += (uint64_t)n;
	}
}

uint64_t states_other_end;

void read_to_end(uintptr_t fd)
{
	uint64_t to = sim_map(PAGE_SIZE), sum = 0;
	int64_t n;

	TRY(close, states_other_end);
	while ((n = SIM_CALL(__NR_read, fd, to, 1000)) > 0)
		sum += (uint64_t)n;
	if (states_is_undisturbed())
		sim_exit_process(sum == BULK ? 0 : 1);
}

void write_byte(uintptr_t fd)
{
	sim_yield(2);
	TRY(write, fd, sim_scratch("12345678", 8), 8);
}

void do_nothing(uintptr_t arg UNUSED)
{
}

void sleep_for_ever(uintptr_t arg UNUSED)
{
	for (;;)
		TRY(pause, 0);
}

void make_calls(uintptr_t arg UNUSED)
{
	for (;;)
		TRY(getppid, 0);
}

void signal_parent(uintptr_t pid)
{
	sim_yield(2);
	TRY(kill, pid, SIGUSR2);
}

/* ---- One run ---- */

static void note_signal(int sig UNUSED, void *info UNUSED, void *context UNUSED)
{
	nr_handled++;
}

/* From the interrupt of a moment. */
static void signal_victim(void)
{
	signal_kernel_proc(victim, way == KILL ? SIGKILL : SIGUSR1);
}

void states_note_end(void)
{
	if (way == FAIL)
		has_fired = fail_disarm();
	is_complete = true;
}

static void run_operation(uintptr_t arg UNUSED)
{
	TRY(setpgid, 0, 0);
	if (way == HANDLE)
		sim_action(SIGUSR1, note_signal, sim_random(2) ? SA_RESTART : 0);
	victim = proc_current();
	proc_get(victim);
	if (way == FAIL)
		fail_arm(nth);
	else
		sim_moment_arm(kind, nth, signal_victim);
	operation();
	states_note_end();
}

/* What an operation may leave: names, mounts, and sockets that the next end of any socket frees. */
static void clean_up(void)
{
	while (SIM_CALL(__NR_umount2, STRING(states_folder), 2 /* MNT_DETACH */) == 0)
		;
	TRY(unlink, STRING(states_fifo));
	TRY(unlink, STRING(states_file));
	TRY(unlink, STRING(states_moved));
	TRY(unlink, STRING(states_inside));
	TRY(rmdir, STRING(states_folder));
	TRY(close, (uint64_t)SIM_CALL(__NR_socket, AF_UNIX, SOCK_DGRAM, 0));
}

/* Its other processes are of its group, and process 1's when it has ended. Whether the moment or the failure came. */
static bool run_once(void)
{
	int64_t pid;
	int status;
	bool has_come;

	is_complete = has_fired = false;
	pid = sim_spawn(run_operation, 0);
	status = sim_wait(pid);
	has_come = sim_moment_disarm();
	proc_put(victim);
	TRY(kill, (uint64_t)-pid, SIGKILL);
	sim_wait_all();
	if (way == FAIL && fail_disarm()) /* it was killed for it */
		has_fired = true;
	clean_up();
	if (way == KILL)
		EXPECT(is_complete || status == SIGKILL);
	else if (way != FAIL || !has_fired)
		EXPECT(is_complete && status == 0);
	else
		EXPECT(is_complete || status == LEFT_OVER << 8 || status == SIGSEGV ||
			status == SIGKILL);
	return way == FAIL ? has_fired : has_come;
}

/* The same, and nothing is left of it. Ends a series at its first leak. */
static bool try_nth(uint64_t n)
{
	static const char *const names[] = {"", "allocation", "kill", "signal"};
	char when[64];
	bool has_come;

	nth = n;
	has_come = run_once();
	snformat(when, sizeof(when), " after %s %llu%s", names[way], (unsigned long long)n,
		way == FAIL            ? ""
		: kind == MOMENT_LEAVE ? " (leaving)"
				       : " (step)");
	return sim_check_holdings(when) && has_come;
}

/* Once undisturbed, which also makes what is made once. How many moments it has. */
static uint64_t run_plainly(void)
{
	way = PLAIN;
	nth = 0;
	kind = MOMENT_STEP;
	(void)run_once();
	sim_note_holdings();
	return sim_moment_count();
}

/* ---- The series ---- */

static void each_failure(void)
{
	(void)run_plainly();
	way = FAIL;
	for (uint64_t n = 1; n < MAX_ALLOCATIONS; n++)
		if (!try_nth(n))
			return;
	test_fail(__FILE__, __LINE__, "there is no end of allocations");
}

static enum way wanted; /* of each_moment */

static void each_moment(void)
{
	uint64_t nr_steps = run_plainly(), stripe = MAX(nr_steps / STEPS_PER_SEED, 1ul);

	way = wanted;
	kind = MOMENT_LEAVE;
	for (uint64_t n = 1; n < MAX_LEAVES && try_nth(n); n++)
		;
	kind = MOMENT_STEP;
	for (uint64_t n = 1 + sim_seed() % stripe; n <= 2 * nr_steps && try_nth(n); n += stripe)
		;
}

void states_fail(void (*op)(void))
{
	operation = op;
	sim_program(each_failure);
}

static void try_moments(void (*op)(void), enum way w)
{
	operation = op;
	wanted = w;
	REQUIRE(sim_moments_init() == 0);
	sim_program(each_moment);
}

void states_kill(void (*op)(void))
{
	try_moments(op, KILL);
}

void states_signal(void (*op)(void))
{
	try_moments(op, HANDLE);
}
