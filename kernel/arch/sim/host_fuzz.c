// SPDX-License-Identifier: MIT
/*
 * torus-sim --corpus DIR: runs the inputs of a folder, and changes of them for as long as it is told.
 *
 *     each file    one run of opt.pattern's test, in the schedule in which it was found
 *     --seconds N  then N seconds of changed inputs: one that takes an edge which none before took is kept,
 *                  and changed in its turn
 *     --keep DIR   what was new is written there, as files; and what failed, made small, as failed-*
 *
 *     --fit KIB    of the folder only those that together reach the most, in so many bytes
 *     --list       at the end, the functions that none has entered
 *
 * Inputs that fail are made small by leaving records out and clearing bytes while the failure is the same.
 */
#include "arch/sim/fuzz_input.h"
#include "arch/sim/host_runs.h"
#include "debug/panic.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_INPUTS = 4096, MAX_FAILURES = 32, WHY_LEN = 256 };

static struct fuzz_input *inputs[MAX_INPUTS];
static unsigned nr_inputs;
static uint8_t *taken; /* edges, by any input so far */
static unsigned nr_taken;

static char failures[MAX_FAILURES][WHY_LEN]; /* kinds, as plain_why() has them */
static unsigned nr_failures;
static unsigned nr_runs;

/* ---- Files ---- */

static size_t bytes_of(const struct fuzz_input *in)
{
	return sizeof(in->head) + in->nr * sizeof(in->record[0]);
}

bool fuzz_load(struct fuzz_input *in, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return false;
	memset(in, 0, sizeof(*in));
	n = fread(&in->head, 1, sizeof(in->head), f);
	in->nr = (unsigned)fread(in->record, sizeof(in->record[0]), FUZZ_RECORDS, f);
	fclose(f);
	return n == sizeof(in->head) && in->nr;
}

static void keep(const struct fuzz_input *in, const char *prefix)
{
	const uint8_t *bytes = (const uint8_t *)in;
	uint64_t hash = 0xcbf29ce484222325ul; /* FNV-1a */
	char path[512];
	FILE *f;

	if (!opt.keep)
		return;
	for (size_t i = 0; i < bytes_of(in); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ul;
	snprintf(path, sizeof(path), "%s/%s%016lx", opt.keep, prefix, hash);
	f = fopen(path, "wb");
	if (!f) {
		perror(path);
		exit(2);
	}
	fwrite(bytes, 1, bytes_of(in), f);
	fclose(f);
	printf("# kept %s\n", path);
}

/* ---- One run ---- */

static void run(struct job *job, const struct fuzz_input *in, struct result *r)
{
	opt.run.input = in;
	job_run(job, opt.pattern, in->head.seed, r);
	opt.run.input = NULL;
	nr_runs++;
}

/* Whether it took an edge that was not taken; counts it. */
static bool is_new(void)
{
	const uint8_t *reached = fuzz_reached();
	unsigned before = nr_taken;

	for (size_t i = 0; i < fuzz_nr_edges(); i++)
		if (reached[i] && !taken[i]) {
			taken[i] = 1;
			nr_taken++;
		}
	return nr_taken != before;
}

static void add(const struct fuzz_input *in)
{
	if (nr_inputs == MAX_INPUTS)
		return;
	inputs[nr_inputs] = malloc(sizeof(*in));
	*inputs[nr_inputs++] = *in;
}

/* ---- Failures ---- */

/* Without numbers: two runs that fail in the same way differ in them. */
static void plain_why(const struct result *r, char out[WHY_LEN])
{
	size_t n = 0;

	for (const char *c = r->why; *c && n < WHY_LEN - 1; c++)
		if (!strchr("0123456789abcdef", *c))
			out[n++] = *c;
	out[n] = '\0';
}

static bool fails_so(struct job *job, const struct fuzz_input *in, const char *why)
{
	char plain[WHY_LEN];
	struct result r;

	run(job, in, &r);
	plain_why(&r, plain);
	return !r.is_ok && strcmp(plain, why) == 0;
}

/* Tries the change: stays if it fails as before. */
#define TRY_CHANGE(change)                                                                     \
	do {                                                                                   \
		struct fuzz_input tried_ = *in;                                                \
		struct fuzz_input *t = &tried_;                                                \
		if ((change) && memcmp(t, in, sizeof(*in)) != 0 && fails_so(job, t, why))      \
			*in = tried_;                                                          \
	} while (0)

static void make_small(struct job *job, struct fuzz_input *in, const char *why)
{
	for (unsigned nr = FUZZ_RECORDS / 2; nr; nr /= 2)
		for (unsigned at = in->nr; at-- > 0;)
			TRY_CHANGE(fuzz_without(t, at, nr));
	TRY_CHANGE((t->head.end_after = 0, true));
	TRY_CHANGE((t->head.moment = 0, t->head.nth_moment = 0, true));
	TRY_CHANGE((t->head.nth_allocation = 0, true));
	for (unsigned i = 0; i < in->nr; i++) {
		TRY_CHANGE((t->record[i].who = 0, true));
		TRY_CHANGE((t->record[i].who &= 15, true));
		for (unsigned k = 1; k < FUZZ_BYTES; k++)
			TRY_CHANGE((t->record[i].byte[k] = 0, true));
	}
}

/* Tells of a failure, unless one like it was told. */
static void tell(struct job *job, const struct fuzz_input *failed, const struct result *r)
{
	struct fuzz_input small = *failed;
	char why[WHY_LEN];
	struct result again;

	plain_why(r, why);
	for (unsigned i = 0; i < nr_failures; i++)
		if (strcmp(failures[i], why) == 0)
			return;
	if (nr_failures < MAX_FAILURES)
		strcpy(failures[nr_failures++], why);
	keep(failed, "whole-");
	make_small(job, &small, why);
	run(job, &small, &again);
	print_tail(job->output);
	printf("# %u records of %u\n", small.nr, failed->nr);
	for (unsigned i = 0; i < small.nr; i++) {
		printf("# who %02x what %2u:", small.record[i].who, small.record[i].what % 64);
		for (unsigned k = 0; k < FUZZ_BYTES; k++)
			printf(" %02x", small.record[i].byte[k]);
		printf("\n");
	}
	keep(&small, "failed-");
	printf("not ok %s: %s\n", opt.pattern, r->why);
}

/* ---- The folder, and what comes of it ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_input(const struct dirent *d)
{
	return d->d_name[0] != '.' && strcmp(d->d_name, "README.md") != 0;
}

static int by_size(const void *a, const void *b)
{
	const struct fuzz_input *const *x = a, *const *y = b;

	return (int)(*x)->nr - (int)(*y)->nr;
}

/* All of the folder, small ones first: they are the ones to keep. */
static unsigned load_folder(struct fuzz_input **in)
{
	struct dirent **names;
	int nr = scandir(opt.corpus, &names, is_input, by_name);
	unsigned nr_loaded = 0;
	char path[512];

	if (nr < 0) {
		perror(opt.corpus);
		exit(2);
	}
	for (int i = 0; i < nr && nr_loaded < MAX_INPUTS; i++) {
		snprintf(path, sizeof(path), "%s/%s", opt.corpus, names[i]->d_name);
		in[nr_loaded] = malloc(sizeof(**in));
		if (in[nr_loaded] && fuzz_load(in[nr_loaded], path))
			nr_loaded++;
		else
			printf("# %s is no input\n", path);
	}
	qsort(in, nr_loaded, sizeof(*in), by_size);
	return nr_loaded;
}

static void run_one(struct job *job, const struct fuzz_input *in)
{
	struct result r;

	run(job, in, &r);
	if (!r.is_ok) {
		tell(job, in, &r);
	} else if (is_new()) {
		if (!opt.fit)
			keep(in, "");
		add(in);
	}
}

/* ---- The best of a folder ---- */

static unsigned count_new(const uint8_t *reached)
{
	unsigned nr = 0;

	for (size_t i = 0; i < fuzz_nr_edges(); i++)
		nr += reached[i] && !taken[i];
	return nr;
}

/* Which of them gives the most for its bytes. */
static unsigned find_best(struct fuzz_input **in, uint8_t **reached, unsigned nr)
{
	unsigned best = nr;
	double best_worth = 0;

	for (unsigned i = 0; i < nr; i++) {
		double worth = count_new(reached[i]) / (double)bytes_of(in[i]);

		if (worth > best_worth) {
			best_worth = worth;
			best = i;
		}
	}
	return best;
}

/* Keeps those that together reach the most in opt.fit KiB. */
static void keep_best(struct job *job)
{
	static uint8_t *reached[MAX_INPUTS];
	size_t left = opt.fit * 1024ul;
	struct result r;
	unsigned best;

	for (unsigned i = 0; i < nr_inputs; i++) {
		run(job, inputs[i], &r);
		reached[i] = malloc(fuzz_nr_edges());
		memcpy(reached[i], fuzz_reached(), fuzz_nr_edges());
	}
	memset(taken, 0, fuzz_nr_edges());
	while ((best = find_best(inputs, reached, nr_inputs)) < nr_inputs &&
		bytes_of(inputs[best]) <= left) {
		left -= bytes_of(inputs[best]);
		keep(inputs[best], "");
		for (size_t i = 0; i < fuzz_nr_edges(); i++)
			taken[i] |= reached[best][i];
	}
	nr_taken = 0;
	for (size_t i = 0; i < fuzz_nr_edges(); i++)
		nr_taken += taken[i];
	printf("# %u edges in %u KiB\n", nr_taken, opt.fit);
}

/* A change of one of those that reached something, or a new one. */
static void run_change(struct job *job, uint64_t seed)
{
	struct fuzz_input in;
	const struct fuzz_input *other;

	if (!nr_inputs || seed % 16 == 0) {
		fuzz_draw_input(&in, seed);
	} else {
		in = *inputs[seed * 0x2545f4914f6cdd1dul % nr_inputs];
		other = inputs[seed % nr_inputs];
		fuzz_change_input(&in, other, seed);
	}
	run_one(job, &in);
}

static void print_unreached(void)
{
	for (size_t i = 0; i < fuzz_nr_edges(); i++) {
		uint64_t at = fuzz_function_of_edge(i);
		char name[100];

		if (!at || taken[i])
			continue;
		symbol_describe(at, name, sizeof(name));
		printf("unreached %.*s\n", (int)strcspn(name, "+"), name);
	}
}

static void pass(const char *what, unsigned nr, const char *of, unsigned *nr_passed)
{
	printf("ok %s.%s: %u %s\n", opt.pattern, what, nr, of);
	(*nr_passed)++;
}

unsigned fuzz_run(struct job *job)
{
	static struct fuzz_input *files[MAX_INPUTS];
	time_t begun = time(NULL);
	unsigned nr_files = load_folder(files), nr_passed = 0;

	taken = calloc(1, fuzz_nr_edges() + 1);
	if (fuzz_share_reached() || !taken) {
		printf("torus-sim: no memory\n");
		return 1;
	}
	for (unsigned i = 0; i < nr_files; i++)
		run_one(job, files[i]);
	printf("# %u inputs, %u of %zu edges\n", nr_files, nr_taken, fuzz_nr_edges());
	if (opt.fit)
		keep_best(job);
	if (!nr_failures)
		pass("corpus", nr_files, "inputs", &nr_passed);
	for (uint64_t seed = opt.first_seed; time(NULL) - begun < (time_t)opt.seconds; seed++)
		run_change(job, seed);
	if (!nr_failures && opt.seconds)
		pass("changes", nr_runs - nr_files, "runs", &nr_passed);
	printf("# %u inputs, %u edges\n", nr_inputs, nr_taken);
	if (opt.list)
		print_unreached();
	printf("%u passed, %u failed\n", nr_passed, nr_failures);
	return nr_failures;
}
