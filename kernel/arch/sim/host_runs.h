// SPDX-License-Identifier: MIT
/*
 * Between host_main.c (what was asked for) and host_runs.c (processes): what torus-sim was
 * told, one run and its result, and one test under many seeds.
 */
#pragma once

#include "arch/sim/sim_priv.h"

#include <sys/types.h>
#include <time.h>

enum { SIM_MAX_JOBS = 8, SIM_NAME_LEN = 128 };

struct host_options {
	struct sim_options run;
	uint64_t first_seed, last_seed;
	const char *pattern;
	unsigned jobs;
	unsigned timeout; /* seconds of the host, for one run */
	unsigned divisor; /* of the rounds of long tests */
	bool verify, planted, fail_start, bugs, list;
	const char *extra; /* more words for the kernel's command line */
	const char *corpus, *keep; /* host_fuzz.c; NULL: none */
	unsigned seconds, fit;
};
extern struct host_options opt;

/* One process. */
struct job {
	pid_t pid; /* 0: free */
	int fd;
	uint64_t seed;
	time_t started;
	char *output; /* its end, terminated */
	size_t len;
};

/* What a finished run came to. */
struct result {
	bool is_ok, is_skipped;
	char why[512];
	char schedule[80];
};

/* One test under the seeds next..last, until one fails. */
struct campaign {
	const char *test;
	uint64_t next, last;
	unsigned nr_done;
	bool has_failed;
	uint64_t failed_seed;
	struct result failure, last_result; /* of failed_seed; of seed `last` */
	char *output;                       /* of the failure; the caller frees it */
};

/* The run from its start to its end, alone. */
void job_run(struct job *job, const char *test, uint64_t seed, struct result *r);
/* Runs the seeds, opt.jobs at a time, until one fails. */
void campaign_run(struct campaign *c, struct job *jobs);
/* Runs the seed again and says whether it took the same schedule. */
bool job_is_same_again(struct job *job, const char *test, uint64_t seed, const char *schedule);

/* host_main.c: the end of a failed run's output, or a report in it. */
void print_tail(const char *output);

/* host_fuzz.c: an input from a file; the inputs of opt.corpus and changes of them. How many kinds of failures. */
struct fuzz_input;
bool fuzz_load(struct fuzz_input *in, const char *path);
unsigned fuzz_run(struct job *job);
