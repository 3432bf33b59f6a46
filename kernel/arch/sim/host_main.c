// SPDX-License-Identifier: MIT
/*
 * torus-sim: runs the kernel's own tests on the simulated machine, each under many seeds.
 *
 *     torus-sim --test 'mm.*' --seeds 1..100      every matching test, 100 schedules each
 *     torus-sim --test mm.split --seed 17         one run, its whole output (this is a replay)
 *     torus-sim --planted                         proves that planted bugs are found and replay
 *     torus-sim --test fuzz.ring --corpus DIR     inputs of a fuzzer (host_fuzz.c)
 *
 * Each run is one test under one seed in a process of its own, forked from this one before the
 * machine exists: no run can disturb another, a crash costs one run, and the machine needs no
 * way back to its start. The addresses of everything are fixed (memory.c, flags.mk) and the
 * host's clock is never asked, so a run is a function of the test, the seed and the options.
 * `schedule` lines carry a hash of every decision; --verify runs each seed twice and compares.
 *
 * Prints `ok area.name: N seeds`, or `not ok area.name: why` with the seed and the command
 * that replays it after `#` lines with the end of its output; closes with `N passed, N failed`.
 */
#include "arch/sim/fuzz.h"
#include "arch/sim/host_runs.h"

#include "lib/test.h"

#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

enum { TAIL_LINES = 40 };
#define PLANTED_AREA "planted."

SET_DECLARE(const struct sim_planted, sim_planted);

struct host_options opt = {
	.run = {.nr_cpus = 4,
		.mem_bytes = 64 * MIB,
		.max_steps = 2000000000,
		.max_seconds = 20000},
	.first_seed = 1,
	.last_seed = 1,
	.pattern = "*",
	.jobs = 2,
	.timeout = 300,
	.divisor = 100,
	.extra = "",
};

/* ---- One test under many seeds ---- */

/* Prints the end of a failed run's output, or a report in it from its first line on. */
void print_tail(const char *output)
{
	static const char *const reports[] = {"ERROR: AddressSanitizer", "panic: ", "sim: "};
	const char *at = output + strlen(output);

	for (unsigned lines = 0; at > output && lines <= TAIL_LINES; at--)
		lines += at[-1] == '\n';
	for (unsigned i = 0; i < ARRAY_LEN(reports); i++) {
		const char *report = strstr(output, reports[i]);

		if (report && report < at)
			at = report;
	}
	for (unsigned lines = 0; *at && lines < TAIL_LINES; lines++) {
		size_t len = strcspn(at, "\n");

		if (strncmp(at, "Shadow bytes", strlen("Shadow bytes")) == 0)
			return; /* the rest of ASan's report helps nobody here */
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
	printf("# replay: build/sim/debug/torus-sim --test %s --seed %lu --cpus %u --mem %lu "
	       "--strategy %s "
	       "--steps %lu --divisor %u%s%s%s\n",
		test, seed, opt.run.nr_cpus, opt.run.mem_bytes / MIB, strategy_name(),
		opt.run.max_steps, opt.divisor, *opt.extra ? " --append '" : "", opt.extra,
		*opt.extra ? "'" : "");
}

struct totals {
	unsigned passed, failed, skipped;
};

static void run_test(const char *test, struct job *jobs, struct totals *totals)
{
	struct campaign c = {.test = test, .next = opt.first_seed, .last = opt.last_seed};

	campaign_run(&c, jobs);
	if (c.has_failed) {
		print_tail(c.output);
		print_replay(test, c.failed_seed);
		printf("not ok %s: seed %lu: %s\n", test, c.failed_seed, c.failure.why);
		totals->failed++;
	} else if (c.last_result.is_skipped) {
		printf("skip %s: %s\n", test, c.last_result.why);
		totals->skipped++;
	} else if (opt.verify &&
		   !job_is_same_again(&jobs[0], test, opt.last_seed, c.last_result.schedule)) {
		printf("not ok %s: seed %lu ran differently the second time\n", test,
			opt.last_seed);
		totals->failed++;
	} else {
		printf("ok %s: %u seeds\n", test, c.nr_done);
		totals->passed++;
	}
	free(c.output);
}

static bool is_wanted(const char *name)
{
	/* Planted bugs are failures on purpose. */
	if (!opt.bugs && strncmp(name, PLANTED_AREA, strlen(PLANTED_AREA)) == 0)
		return false;
	return fnmatch(opt.pattern, name, 0) == 0;
}

static void run_all(struct job *jobs, struct totals *totals)
{
	char name[SIM_NAME_LEN];

	SET_FOREACH (const struct test, test, tests) {
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
	char name[SIM_NAME_LEN];

	SET_FOREACH (const struct test, test, tests) {
		struct result r;

		snprintf(name, sizeof(name), "%s.%s", test->area, test->name);
		if (fnmatch(opt.pattern, name, 0) != 0)
			continue;
		job_run(job, name, opt.first_seed, &r);
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
	char bug[SIM_NAME_LEN], correct[SIM_NAME_LEN];
	struct campaign c = {.test = bug, .next = 1, .last = p->max_seeds};
	struct campaign twin = {.test = correct, .next = 1, .last = p->max_seeds};

	if (p->max_steps)
		opt.run.max_steps = p->max_steps;
	snprintf(bug, sizeof(bug), PLANTED_AREA "%s", p->bug);
	snprintf(correct, sizeof(correct), PLANTED_AREA "%s", p->correct);
	campaign_run(&c, jobs);
	if (!c.has_failed)
		return "was not found";
	snprintf(note, size, "found by seed %lu of at most %u: %s", c.failed_seed, p->max_seeds,
		c.failure.why);
	if (!strstr(c.output, p->report)) {
		print_tail(c.output);
		return "was reported as something else";
	}
	free(c.output);
	if (!job_is_same_again(&jobs[0], bug, c.failed_seed, c.failure.schedule))
		return "did not replay";
	campaign_run(&twin, jobs);
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

	SET_FOREACH (const struct sim_planted, p, sim_planted) {
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

/* ---- Every allocation of the start made to fail once ---- */

/* A start that lost an allocation may do without, or stop and say what there was no memory for.
 */
static bool is_good_end(const struct job *job, const struct result *r)
{
	const char *panic = strstr(job->output, "panic: ");

	char why[256];

	if (r->is_ok || !panic)
		return r->is_ok;
	snprintf(why, sizeof(why), "%.*s", (int)strcspn(panic, "\n"), panic);
	return strstr(why, "no memory") != NULL;
}

static void sweep_start(struct job *job, struct totals *totals)
{
	static const char test[] = "sim.probing_a_bad_address_is_an_error";
	unsigned nr_survived = 0;
	char words[64];
	struct result r;

	opt.extra = words;
	for (unsigned nth = 1;; nth++) {
		snprintf(words, sizeof(words), "failalloc=%u", nth);
		job_run(job, test, opt.first_seed, &r);
		if (!strstr(job->output, "failalloc: this allocation fails")) {
			printf("# the start and one test make %u allocations; without one, %u "
			       "of "
			       "these still ended well, the others said what they lacked\n",
				nth - 1, nr_survived);
			printf("%s start.survives_or_names_every_failed_allocation%s\n",
				nth > 1 ? "ok" : "not ok",
				nth > 1 ? "" : ": none was made to fail");
			totals->passed += nth > 1;
			totals->failed += nth == 1;
			return;
		}
		nr_survived += r.is_ok;
		if (!is_good_end(job, &r)) {
			print_tail(job->output);
			print_replay(test, opt.first_seed);
			printf("not ok start.survives_or_names_every_failed_allocation: "
			       "number %u: %s\n",
				nth, r.why);
			totals->failed++;
			return;
		}
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
	       "  --planted         finds the planted bugs, replays them, clears their correct "
	       "twins\n"
	       "  --fail-start      each allocation of the start made to fail, one per run\n"
	       "  --bugs            --test may mean area planted too\n"
	       "  --cpus N          simulated CPUs, 1..%d (4)\n"
	       "  --mem MIB         simulated memory (64)\n"
	       "  --strategy S      random, pct, or mix: by the seed's parity (mix)\n"
	       "  --steps N         more steps are a livelock (2000000000)\n"
	       "  --timeout S       more seconds of the host for one run are a failure (300)\n"
	       "  --jobs N          runs at a time, 1..%d (2)\n"
	       "  --append WORDS    for the kernel's command line\n"
	       "  --divisor N       long tests make 1/N of their rounds (100)\n"
	       "  --trace           print every change of CPU (with --seed)\n"
	       "  --input FILE      what a fuzzed test takes, with --seed\n"
	       "  --corpus DIR      the fuzzed test with each file of a folder ...\n"
	       "  --seconds N       ... and with changes of them, so long (0)\n"
	       "  --keep DIR        where inputs go that reached something new, or failed\n"
	       "  --fit KIB         of the folder: what reaches the most in so many bytes\n"
	       "  --list            names only\n",
		SIM_MAX_CPUS, SIM_MAX_JOBS);
	exit(status);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (*end || end == text || n < min || n > max) {
		fprintf(stderr, "torus-sim: %s is not a number between %lu and %lu\n", text,
			min, max);
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

static void set_input(const char *path)
{
	static struct fuzz_input input;

	if (!fuzz_load(&input, path)) {
		fprintf(stderr, "torus-sim: %s is no input\n", path);
		exit(2);
	}
	opt.run.input = &input;
}

/* Those of inputs (host_fuzz.c), and what is none. */
static void set_fuzz_option(int o)
{
	switch (o) {
	case 'i':
		set_input(optarg);
		break;
	case 'C':
		opt.corpus = optarg;
		break;
	case 'N':
		opt.seconds = (unsigned)number(optarg, 0, UINT32_MAX);
		break;
	case 'k':
		opt.keep = optarg;
		break;
	case 'F':
		opt.fit = (unsigned)number(optarg, 1, UINT32_MAX);
		break;
	default:
		usage(o == 'h' ? 0 : 2);
	}
}

/* Returns whether one seed is to be shown. */
static bool parse_options(int argc, char **argv)
{
	enum { MIN_MEM_MIB = 16, MAX_MEM_MIB = 4096 };
	static const struct option options[] = {{"test", 1, NULL, 't'}, {"seed", 1, NULL, 's'},
		{"seeds", 1, NULL, 'S'}, {"verify", 0, NULL, 'v'}, {"planted", 0, NULL, 'p'},
		{"bugs", 0, NULL, 'b'}, {"fail-start", 0, NULL, 'f'}, {"cpus", 1, NULL, 'c'},
		{"mem", 1, NULL, 'm'}, {"strategy", 1, NULL, 'g'}, {"steps", 1, NULL, 'n'},
		{"timeout", 1, NULL, 'o'}, {"jobs", 1, NULL, 'j'}, {"append", 1, NULL, 'a'},
		{"divisor", 1, NULL, 'd'}, {"trace", 0, NULL, 'T'}, {"list", 0, NULL, 'l'},
		{"input", 1, NULL, 'i'}, {"corpus", 1, NULL, 'C'}, {"seconds", 1, NULL, 'N'},
		{"keep", 1, NULL, 'k'}, {"fit", 1, NULL, 'F'}, {"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	bool is_one = false;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 't':
			opt.pattern = optarg;
			break;
		case 's':
			opt.first_seed = opt.last_seed = number(optarg, 0, UINT64_MAX);
			is_one = true;
			break;
		case 'S':
			set_seeds(optarg);
			break;
		case 'v':
			opt.verify = true;
			break;
		case 'p':
			opt.planted = true;
			break;
		case 'b':
			opt.bugs = true;
			break;
		case 'f':
			opt.fail_start = true;
			break;
		case 'c':
			opt.run.nr_cpus = (unsigned)number(optarg, 1, SIM_MAX_CPUS);
			break;
		case 'm':
			opt.run.mem_bytes = number(optarg, MIN_MEM_MIB, MAX_MEM_MIB) * MIB;
			break;
		case 'g':
			set_strategy(optarg);
			break;
		case 'n':
			opt.run.max_steps = number(optarg, 1, UINT64_MAX);
			break;
		case 'o':
			opt.timeout = (unsigned)number(optarg, 1, UINT32_MAX);
			break;
		case 'j':
			opt.jobs = (unsigned)number(optarg, 1, SIM_MAX_JOBS);
			break;
		case 'd':
			opt.divisor = (unsigned)number(optarg, 1, UINT32_MAX);
			break;
		case 'a':
			opt.extra = optarg;
			break;
		case 'T':
			opt.run.trace = true;
			break;
		case 'l':
			opt.list = true;
			break;
		default:
			set_fuzz_option(o);
		}
	}
	if (optind < argc)
		usage(2);
	return is_one && !opt.verify && !opt.planted && !opt.fail_start && !opt.list &&
	       !opt.corpus;
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
	static struct job jobs[SIM_MAX_JOBS];
	struct totals totals = {0};

	without_randomisation(argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (parse_options(argc, argv))
		return run_visibly(&jobs[0]);
	if (opt.corpus)
		return fuzz_run(&jobs[0]) != 0;
	if (opt.planted)
		prove_planted(jobs, &totals);
	else if (opt.fail_start)
		sweep_start(&jobs[0], &totals);
	else
		run_all(jobs, &totals);
	if (!opt.list)
		printf("%u passed, %u failed\n", totals.passed, totals.failed);
	return totals.failed != 0;
}
