// SPDX-License-Identifier: MIT
/*
 * Operations at each of their states: the engine. An operation (states.h) is run in a process of its
 * own, and one thread of it is struck, in three ways:
 *
 *     fail.NAME   its process' n-th allocation fails, for n = 1, 2, ... until there is none: the
 *                 call says so
 *     kill.NAME   its process is killed at the thread's n-th moment (sim.h): the others end too
 *     signal.NAME the same with a signal that it handles: what was interrupted is done again, or
 *                 goes on, and the result is the same
 *
 * and after each run the kernel has nothing that it had not before. The thread is the operation's
 * first; in fail_helper.NAME and so on each of its helpers in turn, by the order in which they were made;
 * in kill_meanwhile.NAME and signal_meanwhile.NAME one of all, by the seed, while anybody (who wakes it, a timer's
 * interrupt) is at his n-th step.
 *
 * The moments at which it leaves its CPU (asleep, waiting for a lock, preempted) are few: every run
 * of the test tries them all. Those in between are thousands: each seed tries every `stripe`-th of
 * them, the next seed those beside, so that as many seeds as a stripe is long (about 20; 40 for helpers) have tried all.
 */
#include "arch/sim/test/states.h"

#include "lib/atomic.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "sched/thread.h"
#include "time/clock.h"

#include <linux/sched.h>
#include <linux/wait.h>

#include "abi/socket.h"

enum {
	STEPS_PER_SEED = 40,
	HELPER_STEPS_PER_SEED = 20,
	MAX_LEAVES = 300,
	MAX_ALLOCATIONS = 400,
	MAX_HELPERS = 8,
	LEFT_OVER = 99
};
/*
 * The killed are gone without somebody's timer. Of the machine's time, which passes some hundred times
 * faster than the work is done, and unfairly.
 */
#define GONE_WITHIN_NS (500 * NS_PER_MS)
enum { OOM_NEVER = -1000 /* <linux/oom.h>: OOM_SCORE_ADJ_MIN */ };

enum way { PLAIN, FAIL, KILL, HANDLE };

static void (*operation)(void);
static enum way way;
static unsigned role;        /* who is struck: 0 the first thread, n the n-th helper */
static enum sim_moment kind; /* KILL, HANDLE */
static uint64_t nth;         /* allocation or moment; 0: none */
static bool is_complete;     /* the last run came to its end */
static unsigned nr_handled;

/* Who is struck, with references; NULL: has not begun. */
static struct proc *victim;
static struct thread *victim_thread;
static uint64_t struck_ns; /* when; 0: not yet */

static struct {
	void (*fn)(uintptr_t arg);
	uintptr_t arg;
	bool is_thread;
} helpers[MAX_HELPERS];
static uint32_t nr_helpers; /* [a] */

/* ---- Who is struck ---- */

static bool has_struck(void)
{
	return way == FAIL ? fail_has_fired() : sim_moment_has_come();
}

bool states_is_interrupted(int64_t result)
{
	return result == -EINTR && way == HANDLE;
}

bool states_is_undisturbed(void)
{
	return (way != KILL && way != FAIL) || !has_struck();
}

bool states_is_deserted(void)
{
	return role && !states_is_undisturbed();
}

/* What a call may say after somebody else has gone. */
static bool tells_of_an_end(int64_t err)
{
	switch (err) {
	case -EPIPE:
	case -ECONNRESET:
	case -ECONNREFUSED:
	case -ENOTCONN:
	case -ESRCH:
	case -ECHILD:
	case -EIO:
	case -ECANCELED: /* a request whose chain broke, or whose thread has ended */
		return true;
	}
	return false;
}

static bool tells_of_memory(int64_t err)
{
	return err == -ENOMEM || err == -EAGAIN || err == -ENOBUFS || err == -ENOLCK ||
	       err == -EOWNERDEAD || err == -ENXIO; /* of a ring: its submission thread */
}

void states_give_up(const char *call, int line, int64_t err)
{
	bool is_victim = proc_current() == victim;

	if (states_is_undisturbed() ||
		!(is_victim && way == FAIL ? tells_of_memory(err) : tells_of_an_end(err)))
		test_fail(__FILE__, line, "%s: %lld%s", call, (long long)err,
			states_is_undisturbed() ? "" : ", somebody was struck");
	sim_exit_process(LEFT_OVER);
}

/* Its threads and fibers, the thread that starts fibers in their place, and the workers that end what they leave. */
static bool is_victims(const struct thread *t)
{
	return t->user ? t->user->proc == victim
		       : str_equal(t->name, "ring") || str_equal(t->name, "worker");
}

/* Between the two nothing of the first thread's process fails. */
void states_pause_failing(void)
{
	if (way == FAIL && !role)
		fail_arm(0);
}

void states_go_on_failing(void)
{
	if (way == FAIL && !role)
		fail_arm_for(nth, is_victims);
}

/* From the interrupt of a moment. */
static void strike(void)
{
	struck_ns = clock_monotonic_ns();
	if (way == KILL)
		signal_kernel_proc(victim, SIGKILL);
	else if (role)
		(void)!signal_send_thread(victim_thread, SIGUSR1, NULL); /* has room for it */
	else
		signal_kernel_proc(victim, SIGUSR1);
}

/* The running thread is the one. Who has no memory is killed himself, and nobody else. */
static void become_victim(void)
{
	victim = proc_current();
	proc_get(victim);
	victim_thread = arch_current();
	thread_get(victim_thread);
	victim->oom_score_adj = 0;
	if (way == FAIL)
		fail_arm_for(nth, is_victims);
	else
		sim_moment_arm(kind, nth, strike);
}

static void forget_victim(void)
{
	if (!victim)
		return;
	thread_put(victim_thread);
	proc_put(victim);
	victim = NULL;
}

/* ---- Helpers ---- */

static void run_helper(uintptr_t index)
{
	if (index + 1 == role)
		become_victim();
	helpers[index].fn(helpers[index].arg);
	if (helpers[index].is_thread)
		sim_exit_thread();
}

/* A new one, not yet made. */
static uintptr_t add_helper(void (*fn)(uintptr_t), uintptr_t arg, bool is_thread)
{
	uintptr_t index = atomic_fetch_add(&nr_helpers, 1u);

	if (index >= MAX_HELPERS)
		sim_report("too many helpers");
	helpers[index].fn = fn;
	helpers[index].arg = arg;
	helpers[index].is_thread = is_thread;
	return index;
}

static uint64_t clone(uint64_t flags, void (*fn)(uintptr_t), uintptr_t arg, uint64_t tid_at)
{
	struct proc *p = proc_current();
	int16_t adj = p->oom_score_adj;
	int64_t tid;

	p->oom_score_adj = OOM_NEVER; /* the child's too */
	tid = sim_clone(flags, fn, arg, tid_at, tid_at, 0);
	p->oom_score_adj = adj;
	if (tid < 0)
		states_give_up("clone", __LINE__, tid);
	return (uint64_t)tid;
}

uint64_t helper(uint64_t flags, void (*fn)(uintptr_t), uintptr_t arg, uint64_t tid_at)
{
	return clone(flags, run_helper, add_helper(fn, arg, flags & CLONE_THREAD), tid_at);
}

uint64_t child(void (*fn)(uintptr_t), uintptr_t arg)
{
	return helper(SIGCHLD, fn, arg, 0);
}

/* Has a child do it; if it did not, does it itself, with the descriptors that were its. */
static void look_after(uintptr_t index)
{
	int64_t pid = sim_clone(SIGCHLD, run_helper, index, 0, 0, 0);

	EXPECT_GT(pid, 0);
	if (sim_wait(pid) || !states_is_undisturbed())
		helpers[index].fn(helpers[index].arg);
}

uint64_t sure_child(void (*fn)(uintptr_t), uintptr_t arg)
{
	uintptr_t index = add_helper(fn, arg, false);
	bool may_be_lost = role == index + 1 && way != HANDLE;

	return clone(SIGCHLD, may_be_lost ? look_after : run_helper, index, 0);
}

void join(uint64_t pid)
{
	(void)DO(wait4, pid, 0, 0, 0);
}

/* ---- One run ---- */

static void note_signal(int sig UNUSED, void *info UNUSED, void *context UNUSED)
{
	nr_handled++;
}

void states_note_end(void)
{
	is_complete = true;
}

static void run_operation(uintptr_t arg UNUSED)
{
	TRY(setpgid, 0, 0);
	if (way == HANDLE)
		sim_action(SIGUSR1, note_signal, sim_random(2) ? SA_RESTART : 0);
	if (role)
		proc_current()->oom_score_adj = OOM_NEVER;
	else
		become_victim();
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

/* How the first process may end that did not come to its end, after somebody was struck. */
static bool is_good_end(int status)
{
	bool is_own = victim && !(role && !helpers[role - 1].is_thread);

	if (!has_struck() || way == HANDLE)
		return false;
	if (is_own && way == KILL)
		return status == SIGKILL;
	if (is_own)
		return status == LEFT_OVER << 8 || status == SIGSEGV || status == SIGKILL;
	return status == LEFT_OVER << 8 || status == SIGPIPE;
}

/*
 * Its other processes are of its group, and process 1's when it has ended. Whether the moment or the
 * failure came.
 */
static bool run_once(void)
{
	uint64_t struck;
	int64_t pid;
	int status;
	bool has_come;

	is_complete = false;
	struck_ns = 0;
	nr_helpers = 0;
	pid = sim_spawn(run_operation, 0);
	status = sim_wait(pid);
	struck = READ_ONCE(struck_ns);
	if (way == KILL && !role && struck)
		EXPECT_LE(clock_monotonic_ns() - struck, GONE_WITHIN_NS);
	if (kind == MOMENT_ANY)
		(void)sim_moment_disarm(); /* what comes later is not its */
	TRY(kill, (uint64_t)-pid, SIGKILL);
	sim_wait_all();
	EXPECT(is_complete || is_good_end(status));
	if (is_complete && way == HANDLE)
		EXPECT_EQ(status, 0);
	has_come = way == FAIL ? fail_disarm() : sim_moment_disarm();
	forget_victim();
	clean_up();
	return has_come;
}

/* The same, and nothing is left of it. Ends a series at its first leak. */
static bool try_nth(uint64_t n)
{
	static const char *const names[] = {"", "allocation", "kill", "signal"};
	static const char *const kinds[] = {[MOMENT_STEP] = "step",
		[MOMENT_LEAVE] = "leaving",
		[MOMENT_ANY] = "anybody's step"};
	char when[64];
	bool has_come;

	nth = n;
	has_come = run_once();
	snformat(when, sizeof(when), " after %s %llu (%s) of thread %u", names[way],
		(unsigned long long)n, way == FAIL ? "in order" : kinds[kind], role);
	return sim_check_holdings(when) && has_come;
}

/* Once undisturbed, which also makes what is made once. How many moments it has. */
static uint64_t run_plainly(enum sim_moment k)
{
	way = PLAIN;
	nth = 0;
	kind = k;
	(void)run_once();
	sim_note_holdings();
	return sim_moment_count();
}

/* ---- The series ---- */

static enum way wanted;

static void each_failure(void)
{
	(void)run_plainly(MOMENT_STEP);
	way = FAIL;
	for (uint64_t n = 1; n < MAX_ALLOCATIONS; n++)
		if (!try_nth(n))
			return;
	test_fail(__FILE__, __LINE__, "there is no end of allocations");
}

/* `tries` steps of nr, and in other runs those beside them. */
static void each_step(uint64_t nr, unsigned tries)
{
	uint64_t stripe = MAX(nr / tries, 1ul);

	for (uint64_t n = 1 + sim_seed() % stripe; n <= 2 * nr && try_nth(n); n += stripe)
		;
}

static void each_moment(unsigned tries)
{
	uint64_t nr = run_plainly(MOMENT_STEP);

	way = wanted;
	kind = MOMENT_LEAVE;
	for (uint64_t n = 1; n < MAX_LEAVES && try_nth(n); n++)
		;
	kind = MOMENT_STEP;
	each_step(nr, tries);
}

static void strike_role(unsigned tries)
{
	if (wanted == FAIL)
		each_failure();
	else
		each_moment(tries);
}

static void strike_first(void)
{
	strike_role(STEPS_PER_SEED);
}

static void strike_helpers(void)
{
	unsigned nr;

	(void)run_plainly(MOMENT_STEP);
	nr = nr_helpers;
	EXPECT_GT(nr, 0);
	for (role = 1; role <= nr; role++)
		strike_role(MAX(HELPER_STEPS_PER_SEED / nr, 1u));
}

/* Who is struck is the seed's choice. */
static void strike_meanwhile(void)
{
	uint64_t nr;

	(void)run_plainly(MOMENT_ANY);
	role = (unsigned)sim_random(nr_helpers + 1);
	nr = run_plainly(MOMENT_ANY);
	way = wanted;
	each_step(nr, HELPER_STEPS_PER_SEED);
}

static void try_all(void (*op)(void), enum way w, void (*series)(void))
{
	operation = op;
	wanted = w;
	REQUIRE(sim_moments_init() == 0);
	sim_program(series);
}

void states_fail(void (*op)(void))
{
	try_all(op, FAIL, strike_first);
}

void states_kill(void (*op)(void))
{
	try_all(op, KILL, strike_first);
}

void states_signal(void (*op)(void))
{
	try_all(op, HANDLE, strike_first);
}

void states_fail_helper(void (*op)(void))
{
	try_all(op, FAIL, strike_helpers);
}

void states_kill_helper(void (*op)(void))
{
	try_all(op, KILL, strike_helpers);
}

void states_signal_helper(void (*op)(void))
{
	try_all(op, HANDLE, strike_helpers);
}

void states_kill_meanwhile(void (*op)(void))
{
	try_all(op, KILL, strike_meanwhile);
}

void states_signal_meanwhile(void (*op)(void))
{
	try_all(op, HANDLE, strike_meanwhile);
}
