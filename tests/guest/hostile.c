// SPDX-License-Identifier: MIT
/*
 * Hostile calls: every system call number with arguments that a well-meaning program never passes,
 * from several threads at once. What is proved is what does not happen: no report of the kernel,
 * no process that a SIGKILL does not end, no answer that is neither a result nor an errno.
 *
 * The test forks one short-lived victim after the other. A victim puts itself into a sandbox (its
 * own mounts, root and limits), opens one descriptor of every kind, maps memory of every kind and
 * starts its threads. Each thread walks the numbers in an order of its own; an argument is drawn
 * by the letter that kernel/abi/syscalls.def gives it. All is drawn from (seed, victim, thread),
 * so a victim makes the same calls again; how its threads interleave is the scheduler's affair.
 *
 * The test watches the victim's board: a thread that stands still gets a signal, a victim in
 * which nothing moves is killed, and one that does not die of that fails the test, which then
 * tells the call. The words hostile.seconds=, hostile.seed= and hostile.victim= of the kernel's
 * command line make the walk longer, different, or begin at one victim.
 *
 * Another walk is through rings (io_uring): entries that nobody would submit, and memory that is shared
 * with the kernel and changes while it reads (hostile/rings.c).
 *
 * Half of the victims are root, where calls that would change the machine for everybody are left
 * out, half are a user, to whom nothing is spared.
 */
#include "guest.h"
#include "hostile/hostile.h"

#include <sys/mman.h>
#include <sys/ptrace.h>

/* ---- Watching ---- */

enum { LOOK_MS = 5, LOOKS_STILL = 50, LOOKS_OF_DYING = 4000, LOOKS_AT_MOST = 2000 };

/* What the threads that have not finished were in, for a failure. */
static const char *last_calls(void)
{
	static char text[400];
	int len = 0;

	for (int i = 0; i < THREADS; i++) {
		struct thread_board *t = &board->threads[i];

		if (!t->done)
			len += snprintf(text + len, sizeof(text) - len,
				" %ld(%lx, %lx, %lx, %lx, %lx, %lx)", t->nr, t->args[0],
				t->args[1], t->args[2], t->args[3], t->args[4], t->args[5]);
	}
	return text;
}

/*
 * Whether the victim has ended. A thread of it that asked to be traced has made this process its
 * tracer: its stops and its end come here, and before its end has been fetched the victim's
 * does not come. What else comes are children that it gave to its parent.
 */
static bool has_ended(pid_t victim, int *status)
{
	pid_t pid;

	while ((pid = waitpid(-1, status, WNOHANG | __WALL)) > 0) {
		if (WIFSTOPPED(*status))
			ptrace(PTRACE_DETACH, pid, 0, 0);
		else if (pid == victim)
			return true;
	}
	return false;
}

/* Signals threads that stand still. Whether anything has moved since the last look. */
static bool look_at(pid_t victim, long seen[THREADS])
{
	bool moved = false;

	for (int i = 0; i < THREADS; i++) {
		struct thread_board *t = &board->threads[i];
		long made = t->made;

		if (made != seen[i])
			moved = true;
		else if (!t->done && t->tid)
			syscall(SYS_tgkill, victim, t->tid, SIGUSR1);
		seen[i] = made;
	}
	return moved;
}

static long watch(uint64_t seed, unsigned number, pid_t victim)
{
	long seen[THREADS] = {0}, made = 0;
	int status, still = 0, dying = 0;

	for (int looks = 0; !has_ended(victim, &status); looks++) {
		sleep_ms(LOOK_MS);
		if (dying && ++dying > LOOKS_OF_DYING)
			FAIL("seed %lu victim %u does not die; it was in%s", seed, number,
				last_calls());
		if (!board->set_up || look_at(victim, seen))
			still = 0;
		else if (++still > LOOKS_STILL && !dying)
			dying = !kill(victim, SIGKILL);
		if (looks > LOOKS_AT_MOST && !dying)
			dying = !kill(victim, SIGKILL);
	}
	/*
	 * As a user it may get a signal that a child of an earlier one sends to everybody, or have
	 * no room for threads: those who were stopped stay, and count.
	 */
	if (!board->set_up && number % 2 && WIFEXITED(status) &&
		WEXITSTATUS(status) == NO_THREADS)
		sweep();
	else if (!board->set_up && !(number % 2 && WIFSIGNALED(status)))
		FAIL("victim %u did not get ready: status 0x%x", number, status);
	if (board->wrong)
		FAIL("seed %lu victim %u: call %ld returned %ld", seed, number, board->wrong_nr,
			board->wrong_result);
	for (int i = 0; i < THREADS; i++)
		made += board->threads[i].made;
	return made;
}

enum { A_DAY = 86400, SECONDS = 10, SWEEP_AFTER = 20, ROUNDS = 3 };

static void prepare(void)
{
	put_file("/proc/self/oom_score_adj", "-1000"); /* failsome= is for victims */
	mkdir("/tmp/hostile.box", 0777);
	CHECK_OK(chdir("/tmp/hostile.box"));
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	CHECK(board != MAP_FAILED);
}

/* One victim from its birth to its end; the calls that it made. */
static long run_victim(uint64_t seed, unsigned number, walk_fn *walk)
{
	pid_t victim;

	memset(board, 0, sizeof(*board));
	victim = CHECK_OK(fork());
	if (victim == 0)
		be_victim(seed, number, walk);
	return watch(seed, number, victim);
}

static void walk_for_a_while(walk_fn *walk, const char *of_what)
{
	uint64_t seed = word_of_cmdline("hostile.seed=", 1);
	unsigned number = word_of_cmdline("hostile.victim=", 0);
	unsigned last = number + word_of_cmdline("hostile.victims=", UINT_MAX / 2);
	int64_t end = now_ms() + 1000 * word_of_cmdline("hostile.seconds=", SECONDS);
	unsigned victims = 0;
	long made = 0;

	prepare();
	for (; now_ms() < end && number < last; number++, victims++) {
		made += run_victim(seed, number, walk);
		if (victims % SWEEP_AFTER == SWEEP_AFTER - 1)
			sweep(); /* a child that somebody has stopped would stay for ever */
	}
	printf("# hostile: seed %lu: %u victims, up to %u, made %ld %s\n", seed, victims,
		number, made, of_what);
	fflush(stdout);
}

TEST_WITHIN(hostile, walk_of_every_call, A_DAY)
{
	walk_for_a_while(walk_of_calls, "calls");
}

TEST_WITHIN(hostile, walk_of_rings, A_DAY)
{
	walk_for_a_while(walk_of_rings, "turns");
}

/* hostile.again= victims in each round. */
static void expect_nothing_left(walk_fn *walk)
{
	static struct census before;
	uint64_t seed = word_of_cmdline("hostile.seed=", 1);
	unsigned victims = word_of_cmdline("hostile.again=", 2);
	const char *leak = NULL;

	prepare();
	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned number = 0; number < victims; number++)
			run_victim(seed, number, walk);
		sweep();
		if (round == 0) { /* caches are warm */
			sleep_ms(500);
			census_take(&before);
		}
	}
	/* what is freed later, by workers and after grace periods, is no leak */
	for (int tries = 0; tries < 20; tries++) {
		leak = census_find_leak(&before, 100 + victims, 4096 + 16 * victims);
		if (!leak)
			break;
		sleep_ms(500);
	}
	if (leak)
		FAIL("after %d rounds of %u victims of seed %lu: %s", ROUNDS - 1, victims, seed,
			leak);
}

/* The same victims again and again leave no more behind than once. */
TEST_WITHIN(hostile, victims_leave_nothing_behind, A_DAY)
{
	expect_nothing_left(walk_of_calls);
}

TEST_WITHIN(hostile, victims_with_rings_leave_nothing_behind, A_DAY)
{
	NEWER(has_new_rings()); /* Debian's ends rings when their time has come */
	expect_nothing_left(walk_of_rings);
}

/* ---- What the walk has found ---- */

TEST(hostile, microseconds_beyond_64_bits)
{
	struct timeval tv = {LONG_MAX, LONG_MAX};
	long timer[4] = {1, LONG_MAX, 1, LONG_MAX};

	CHECK_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, &tv), EINVAL);
	CHECK_ERRNO(syscall(SYS_setitimer, 0, timer, NULL), EINVAL);
}

TEST(hostile, futex_command_below_zero)
{
	int word = 0;

	CHECK_ERRNO(syscall(SYS_futex, &word, -386, 1, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(syscall(SYS_futex, &word, INT_MIN, 1, NULL, NULL, 0), ENOSYS);
}

TEST(hostile, end_signal_that_is_none)
{
	uint64_t args[6] = {79};
	int status;
	long pid = call_raw(__NR_clone, args, true);

	CHECK(pid > 0);
	CHECK_EQ(syscall(SYS_wait4, pid, &status, 0x40000000 /* __WALL */, NULL), pid);
	CHECK_EQ(status, 0);
}
