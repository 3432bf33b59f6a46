// SPDX-License-Identifier: MIT
/*
 * torus-sim: runs the kernel's own tests on the simulated machine, each under many seeds.
 *
 *     torus-sim --test 'mm.*' --seeds 1..100      every matching test, 100 schedules each
 *     torus-sim --test mm.split --seed 17         one run, its whole output (this is a replay)
 *     torus-sim --planted                         proves that planted bugs are found and replay
 *
 * Each run is one test under one seed in a process of its own, forked from this one before the
 * machine exists: no run can disturb another, a crash costs one run, and the machine needs no
 * way back to its start. The addresses of everything are fixed (memory.c, flags.mk) and the
 * host's clock is never asked, so a run is a function of the test, the seed and the options.
 * `schedule` lines carry a hash of every decision; --verify runs each seed twice and compares.
 *
 * Prints `ok area.name (N seeds)`, or `not ok area.name: why` with the seed and the command that
 * replays it after `#` lines with the end of its output; closes with `N passed, N failed`.
 */
#include "arch/sim/sim_priv.h"

#include "debug/exit.h"
#include "lib/test.h"
#include "mm/kmap.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_JOBS = 8,
	OUTPUT_MAX = 256 * 1024, /* the end of a run's output that is kept */
	NAME_LEN = 128,
	ERROR_EXIT = 99, /* of a sanitizer */
	TAIL_LINES = 40,
};

SET_DECLARE(const struct sim_planted, sim_planted);

static struct {
	struct sim_options run;
	uint64_t first_seed, last_seed;
	const char *pattern;
	unsigned jobs;
	unsigned timeout; /* seconds of the host, for one run */
	bool verify, planted, list;
	unsigned divisor;	   /* of the rounds of long tests */
	const char *extra; /* more words for the kernel's command line */
} opt = {
	.run = {.nr_cpus = 4, .mem_bytes = 64 * MIB, .max_steps = 2000000000, .max_seconds = 20000},
	.first_seed = 1,
	.last_seed = 1,
	.pattern = "*",
	.jobs = 2,
	.timeout = 300,
	.divisor = 100,
	.extra = "",
};

/* Read by the sanitizers' runtimes at their start. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:abort_on_error=0:exitcode=99:detect_stack_use_after_return=0:"
	       "fast_unwind_on_fatal=1:handle_abort=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1:exitcode=99";
}

/* ---- One run ---- */

struct job {
	pid_t pid; /* 0: free */
	int fd;
	uint64_t seed;
	time_t started;
	char *output; /* OUTPUT_MAX */
	size_t len;
};

/* What a finished run came to. */
struct result {
	bool is_ok, is_skipped;
	char why[512];
	char schedule[80];
};

static NORETURN void run_child(const char *test, uint64_t seed)
{
	static char cmdline[512];
	struct arch_context boot;
	vaddr_t bottom, top;

	sim.opt = opt.run;
	sim.opt.seed = seed;
	snprintf(cmdline, sizeof(cmdline), "test=%s test_divisor=%u exit=qemu panic=0 %s", test,
		opt.divisor, opt.extra);
	sim.opt.cmdline = cmdline;
	sim_interleave_init();
	sim_memory_init();
	if (kstack_alloc(&bottom, &top))
		_exit(ERROR_EXIT);
	arch_layout.boot_stack_bottom = bottom;
	arch_layout.boot_stack_top = top;
	arch_context_init(&boot, bottom, top, sim_kmain, NULL);
	sim_jump(&sim.host_sp, boot.sp);
	_exit(ERROR_EXIT); /* nobody comes back here */
}

static void start(struct job *job, const char *test, uint64_t seed)
{
	int pipe_fds[2];

	if (pipe(pipe_fds)) {
		perror("torus-sim: pipe");
		exit(2);
	}
	fflush(stdout);
	job->pid = fork();
	if (job->pid < 0) {
		perror("torus-sim: fork");
		exit(2);
	}
	if (job->pid == 0) {
		dup2(pipe_fds[1], STDOUT_FILENO);
		dup2(pipe_fds[1], STDERR_FILENO);
		close(pipe_fds[0]);
		close(pipe_fds[1]);
		run_child(test, seed);
	}
	close(pipe_fds[1]);
	job->fd = pipe_fds[0];
	job->seed = seed;
	job->started = time(NULL);
	job->len = 0;
	if (!job->output)
		job->output = malloc(OUTPUT_MAX + 1);
}

/* Reads what there is; false at the end. Of too much output the older half is dropped. */
static bool read_some(struct job *job)
{
	ssize_t n;

	if (job->len == OUTPUT_MAX) {
		memmove(job->output, job->output + OUTPUT_MAX / 2, OUTPUT_MAX / 2);
		job->len = OUTPUT_MAX / 2;
	}
	n = read(job->fd, job->output + job->len, OUTPUT_MAX - job->len);
	if (n > 0)
		job->len += (size_t)n;
	job->output[job->len] = '\0';
	return n > 0;
}

/* Copies the rest of the first line that starts with `prefix`. */
static bool line_after(const char *text, const char *prefix, char *out, size_t size)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, prefix, strlen(prefix)) == 0) {
			line += strlen(prefix);
			snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
			return true;
		}
	}
	return false;
}

static void judge(const struct job *job, const char *test, int status, struct result *r)
{
	char ok[NAME_LEN + 8], not_ok[NAME_LEN + 16], skip[NAME_LEN + 8], rest[128];

	memset(r, 0, sizeof(*r));
	snprintf(ok, sizeof(ok), "ok %s", test);
	snprintf(not_ok, sizeof(not_ok), "not ok %s: ", test);
	snprintf(skip, sizeof(skip), "skip %s: ", test);
	line_after(job->output, "schedule ", r->schedule, sizeof(r->schedule));
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OK) {
		r->is_ok = line_after(job->output, ok, rest, sizeof(rest));
		r->is_skipped = line_after(job->output, skip, r->why, sizeof(r->why));
		if (!r->is_ok && !r->is_skipped)
			snprintf(r->why, sizeof(r->why), "ended without a result");
	} else if (!line_after(job->output, not_ok, r->why, sizeof(r->why)) &&
		!line_after(job->output, "not ok: ", r->why, sizeof(r->why))) {
		const char *panic = strstr(job->output, "panic: ");
		const char *asan = strstr(job->output, "ERROR: AddressSanitizer: ");

		if (asan)
			snprintf(r->why, sizeof(r->why), "%.*s", (int)strcspn(asan + 7, "\n"), asan + 7);
		else if (panic)
			snprintf(r->why, sizeof(r->why), "%.*s", (int)strcspn(panic, "\n"), panic);
		else if (WIFSIGNALED(status))
			snprintf(r->why, sizeof(r->why), "%s (limit: %u s)",
				strsignal(WTERMSIG(status)), opt.timeout);
		else
			snprintf(r->why, sizeof(r->why), "exit status %d", WEXITSTATUS(status));
	}
}

static void finish(struct job *job, const char *test, struct result *r)
{
	int status;

	close(job->fd);
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	job->pid = 0;
	judge(job, test, status, r);
}

/* The run from its start to its end, alone. */
static void run_one(struct job *job, const char *test, uint64_t seed, struct result *r)
{
	start(job, test, seed);
	while (read_some(job))
		;
	finish(job, test, r);
}

/* ---- One test under many seeds ---- */

static void print_tail(const char *output)
{
	const char *at = output + strlen(output);

	for (unsigned lines = 0; at > output && lines <= TAIL_LINES; at--)
		lines += at[-1] == '\n';
	while (*at) {
		size_t len = strcspn(at, "\n");

		printf("# %.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

static const char *strategy_name(void)
{
	static const char *const names[] = {"mix", "random", "pct"};

	return names[opt.run.strategy];
}

static void print_replay(const char *test, uint64_t seed)
{
	printf("# replay: build/sim/debug/torus-sim --test %s --seed %lu --cpus %u --mem %lu --strategy %s "
	       "--steps %lu --divisor %u%s%s%s\n",
		test, seed, opt.run.nr_cpus, opt.run.mem_bytes / MIB, strategy_name(), opt.run.max_steps,
		opt.divisor,
		*opt.extra ? " --append '" : "", opt.extra, *opt.extra ? "'" : "");
}

struct totals {
	unsigned passed, failed, skipped;
};

/* Runs the seeds, opt.jobs at a time, until one fails. */
struct campaign {
	const char *test;
	uint64_t next, last;
	unsigned nr_done;
	bool has_failed;
	uint64_t failed_seed;
	struct result failure, latest;
	char *output; /* of the failure */
};

static void take_result(struct campaign *c, struct job *job)
{
	struct result r;

	finish(job, c->test, &r);
	c->nr_done++;
	c->latest = r;
	if (r.is_ok || r.is_skipped)
		return;
	/* The smallest failing seed is told, whichever process was faster. */
	if (c->has_failed && c->failed_seed < job->seed)
		return;
	c->has_failed = true;
	c->failed_seed = job->seed;
	c->failure = r;
	free(c->output);
	c->output = strdup(job->output);
}

static void wait_for_jobs(struct campaign *c, struct job *jobs)
{
	struct pollfd fds[MAX_JOBS];

	for (unsigned i = 0; i < opt.jobs; i++)
		fds[i] = (struct pollfd){.fd = jobs[i].pid ? jobs[i].fd : -1, .events = POLLIN};
	poll(fds, opt.jobs, 1000);
	for (unsigned i = 0; i < opt.jobs; i++) {
		if (!jobs[i].pid)
			continue;
		if (fds[i].revents && !read_some(&jobs[i]))
			take_result(c, &jobs[i]);
		else if (time(NULL) - jobs[i].started > (time_t)opt.timeout)
			kill(jobs[i].pid, SIGKILL);
	}
}

static void run_campaign(struct campaign *c, struct job *jobs)
{
	unsigned running;

	do {
		running = 0;
		for (unsigned i = 0; i < opt.jobs; i++) {
			if (!jobs[i].pid && !c->has_failed && c->next <= c->last)
				start(&jobs[i], c->test, c->next++);
			running += jobs[i].pid != 0;
		}
		if (running)
			wait_for_jobs(c, jobs);
	} while (running);
}

/* Runs the seed again and says whether it was the same run. */
static bool is_same_again(struct job *job, const char *test, uint64_t seed, const char *schedule)
{
	struct result again;

	run_one(job, test, seed, &again);
	return *schedule && strcmp(again.schedule, schedule) == 0;
}

static void run_test(const char *test, struct job *jobs, struct totals *totals)
{
	struct campaign c = {.test = test, .next = opt.first_seed, .last = opt.last_seed};

	run_campaign(&c, jobs);
	if (c.has_failed) {
		print_tail(c.output);
		print_replay(test, c.failed_seed);
		printf("not ok %s: seed %lu: %s\n", test, c.failed_seed, c.failure.why);
		totals->failed++;
	} else if (c.latest.is_skipped) {
		printf("skip %s: %s\n", test, c.latest.why);
		totals->skipped++;
	} else if (opt.verify && !is_same_again(&jobs[0], test, opt.last_seed, c.latest.schedule)) {
		printf("not ok %s: seed %lu ran differently the second time\n", test, opt.last_seed);
		totals->failed++;
	} else {
		printf("ok %s (%u seeds)\n", test, c.nr_done);
		totals->passed++;
	}
	free(c.output);
}

static bool is_wanted(const char *name)
{
	/* Planted bugs are failures on purpose: only for who names them. */
	if (strncmp(name, "planted.", 8) == 0 && strncmp(opt.pattern, "planted.", 8) != 0)
		return false;
	return fnmatch(opt.pattern, name, 0) == 0;
}

static void run_all(struct job *jobs, struct totals *totals)
{
	char name[NAME_LEN];

	SET_FOREACH(const struct test, test, tests)
	{
		snprintf(name, sizeof(name), "%s.%s", test->area, test->name);
		if (!is_wanted(name))
			continue;
		if (opt.list)
			printf("%s\n", name);
		else
			run_test(name, jobs, totals);
	}
}

/* One run with its whole output: what a replay is for. */
static int run_visibly(struct job *job)
{
	char name[NAME_LEN];

	SET_FOREACH(const struct test, test, tests)
	{
		struct result r;

		snprintf(name, sizeof(name), "%s.%s", test->area, test->name);
		if (fnmatch(opt.pattern, name, 0) != 0)
			continue;
		run_one(job, name, opt.first_seed, &r);
		fwrite(job->output, 1, job->len, stdout);
		return r.is_ok || r.is_skipped ? 0 : 1;
	}
	fprintf(stderr, "torus-sim: no test is called %s\n", opt.pattern);
	return 2;
}

/* ---- Planted bugs ---- */

/* What went wrong with the proof, or NULL. */
static const char *prove(const struct sim_planted *p, struct job *jobs, char *note, size_t size)
{
	char bug[NAME_LEN], correct[NAME_LEN];
	struct campaign c = {.test = bug, .next = 1, .last = p->max_seeds};
	struct campaign twin = {.test = correct, .next = 1, .last = p->max_seeds};

	if (p->max_steps)
		opt.run.max_steps = p->max_steps;
	snprintf(bug, sizeof(bug), "planted.%s", p->bug);
	snprintf(correct, sizeof(correct), "planted.%s", p->correct);
	run_campaign(&c, jobs);
	if (!c.has_failed)
		return "was not found";
	snprintf(note, size, "found by seed %lu of at most %u: %s", c.failed_seed, p->max_seeds,
		c.failure.why);
	if (!strstr(c.output, p->report)) {
		print_tail(c.output);
		return "was reported as something else";
	}
	free(c.output);
	if (!is_same_again(&jobs[0], bug, c.failed_seed, c.failure.schedule))
		return "did not replay";
	run_campaign(&twin, jobs);
	if (twin.has_failed) {
		print_tail(twin.output);
		print_replay(correct, twin.failed_seed);
		return "its correct twin failed too";
	}
	return NULL;
}

static void prove_planted(struct job *jobs, struct totals *totals)
{
	uint64_t usual_steps = opt.run.max_steps;

	SET_FOREACH(const struct sim_planted, p, sim_planted)
	{
		char note[700] = "";
		const char *wrong;

		opt.run.max_steps = usual_steps;
		wrong = prove(p, jobs, note, sizeof(note));

		printf("# %s\n", note);
		if (wrong)
			printf("not ok planted.%s: %s\n", p->bug, wrong);
		else
			printf("ok planted.%s\n", p->bug);
		totals->passed += !wrong;
		totals->failed += !!wrong;
	}
}

/* ---- The command line ---- */

static NORETURN void usage(int status)
{
	printf("torus-sim [--test PATTERN] [--seed N | --seeds A..B] [options]\n"
	       "  --test PATTERN    tests whose area.name matches (*: all)\n"
	       "  --seed N          one run, its whole output\n"
	       "  --seeds A..B      each test under these seeds\n"
	       "  --verify          the last seed runs twice and must take the same schedule\n"
	       "  --planted         finds the planted bugs, replays them, clears their correct twins\n"
	       "  --cpus N          simulated CPUs, 1..%d (4)\n"
	       "  --mem MIB         simulated memory (64)\n"
	       "  --strategy S      random, pct, or mix: by the seed's parity (mix)\n"
	       "  --steps N         more steps are a livelock (2000000000)\n"
	       "  --timeout S       more seconds of the host for one run are a failure (300)\n"
	       "  --jobs N          runs at a time, 1..%d (2)\n"
	       "  --append WORDS    for the kernel's command line\n"
	       "  --divisor N       long tests make 1/N of their rounds (100)\n"
	       "  --trace           print every change of CPU (with --seed)\n"
	       "  --list            names only\n",
		SIM_MAX_CPUS, MAX_JOBS);
	exit(status);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (*end || end == text || n < min || n > max) {
		fprintf(stderr, "torus-sim: %s is not a number between %lu and %lu\n", text, min, max);
		exit(2);
	}
	return n;
}

static void set_seeds(const char *text)
{
	char *end;

	opt.first_seed = strtoull(text, &end, 0);
	if (strncmp(end, "..", 2) != 0)
		usage(2);
	opt.last_seed = number(end + 2, opt.first_seed, UINT64_MAX);
}

static void set_strategy(const char *text)
{
	if (strcmp(text, "random") == 0)
		opt.run.strategy = SIM_RANDOM;
	else if (strcmp(text, "pct") == 0)
		opt.run.strategy = SIM_PCT;
	else if (strcmp(text, "mix") == 0)
		opt.run.strategy = SIM_MIX;
	else
		usage(2);
}

/* Returns whether one seed is to be shown. */
static bool parse_options(int argc, char **argv)
{
	enum { MIN_MEM_MIB = 16, MAX_MEM_MIB = 4096 };
	static const struct option options[] = {{"test", 1, NULL, 't'}, {"seed", 1, NULL, 's'},
		{"seeds", 1, NULL, 'S'}, {"verify", 0, NULL, 'v'}, {"planted", 0, NULL, 'p'},
		{"cpus", 1, NULL, 'c'}, {"mem", 1, NULL, 'm'}, {"strategy", 1, NULL, 'g'},
		{"steps", 1, NULL, 'n'}, {"timeout", 1, NULL, 'o'}, {"jobs", 1, NULL, 'j'},
		{"append", 1, NULL, 'a'}, {"divisor", 1, NULL, 'd'}, {"trace", 0, NULL, 'T'}, {"list", 0, NULL, 'l'},
		{"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
	bool is_one = false;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 't': opt.pattern = optarg; break;
		case 's': opt.first_seed = opt.last_seed = number(optarg, 0, UINT64_MAX); is_one = true; break;
		case 'S': set_seeds(optarg); break;
		case 'v': opt.verify = true; break;
		case 'p': opt.planted = true; break;
		case 'c': opt.run.nr_cpus = (unsigned)number(optarg, 1, SIM_MAX_CPUS); break;
		case 'm': opt.run.mem_bytes = number(optarg, MIN_MEM_MIB, MAX_MEM_MIB) * MIB; break;
		case 'g': set_strategy(optarg); break;
		case 'n': opt.run.max_steps = number(optarg, 1, UINT64_MAX); break;
		case 'o': opt.timeout = (unsigned)number(optarg, 1, UINT32_MAX); break;
		case 'j': opt.jobs = (unsigned)number(optarg, 1, MAX_JOBS); break;
		case 'd': opt.divisor = (unsigned)number(optarg, 1, UINT32_MAX); break;
		case 'a': opt.extra = optarg; break;
		case 'T': opt.run.trace = true; break;
		case 'l': opt.list = true; break;
		default: usage(o == 'h' ? 0 : 2);
		}
	}
	if (optind < argc)
		usage(2);
	return is_one && !opt.verify;
}

/* The host's own mappings (libraries, heap) at the same addresses in every run. */
static void without_randomisation(char **argv)
{
	int now = personality(0xffffffff); /* asks only */

	if (now < 0 || (now & ADDR_NO_RANDOMIZE))
		return;
	if (personality((unsigned long)now | ADDR_NO_RANDOMIZE) >= 0)
		execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	static struct job jobs[MAX_JOBS];
	struct totals totals = {0};

	without_randomisation(argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (parse_options(argc, argv) && !opt.planted && !opt.list)
		return run_visibly(&jobs[0]);
	if (opt.planted)
		prove_planted(jobs, &totals);
	else
		run_all(jobs, &totals);
	if (!opt.list)
		printf("%u passed, %u failed\n", totals.passed, totals.failed);
	return totals.failed != 0;
}
