// SPDX-License-Identifier: MIT
/*
 * One process per test and seed, and the judgement of what it printed.
 *
 * The child is forked before the machine exists, so every run starts from the same state. Its
 * output comes through a pipe; how it ended and which lines it printed make the result. Among
 * the seeds of a campaign that fail at about the same time, the smallest is told.
 */
#include "arch/sim/host_runs.h"

#include "debug/exit.h"
#include "mm/kmap.h"

#include <errno.h>
#include <poll.h>
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OUTPUT_MAX = 256 * 1024, /* the end of a run's output that is kept */
	ERROR_EXIT = 99,         /* of a sanitizer */
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

static NORETURN void run_child(const char *test, uint64_t seed)
{
	static char cmdline[512];
	struct arch_context boot;
	vaddr_t bottom, top;

	sim.opt = opt.run;
	sim.opt.seed = seed;
	snprintf(cmdline, sizeof(cmdline), "test=%s test_divisor=%u panic=0 %s", test,
		opt.divisor, opt.extra);
	sim.opt.cmdline = cmdline;
	__sanitizer_set_death_callback(sim_say_schedule);
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
	char ok[SIM_NAME_LEN + 8], not_ok[SIM_NAME_LEN + 16], skip[SIM_NAME_LEN + 8], rest[128];

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
			snprintf(r->why, sizeof(r->why), "%.*s", (int)strcspn(asan + 7, "\n"),
				asan + 7);
		else if (panic)
			snprintf(r->why, sizeof(r->why), "%.*s", (int)strcspn(panic, "\n"),
				panic);
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

void job_run(struct job *job, const char *test, uint64_t seed, struct result *r)
{
	start(job, test, seed);
	while (read_some(job))
		;
	finish(job, test, r);
}

/* ---- One test under many seeds ---- */

static void take_result(struct campaign *c, struct job *job)
{
	struct result r;

	finish(job, c->test, &r);
	c->nr_done++;
	if (job->seed == c->last)
		c->last_result = r;
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
	struct pollfd fds[SIM_MAX_JOBS];

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

void campaign_run(struct campaign *c, struct job *jobs)
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

bool job_is_same_again(struct job *job, const char *test, uint64_t seed, const char *schedule)
{
	struct result again;

	job_run(job, test, seed, &again);
	return *schedule && strcmp(again.schedule, schedule) == 0;
}
