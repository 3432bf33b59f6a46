// SPDX-License-Identifier: MIT
/*
 * Jobs: the processes of a pipeline, and how they ended.
 *
 * Each process has a request that ends when the process does (WAITID on its descriptor), so all of them are
 * waited for at once, those in the background too, and nothing has to be asked: whoever waits for anything
 * hears of a job's end on the way. There is no SIGCHLD here.
 */
#include <asm/siginfo.h>

#include "lib/fmt.h"
#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "sh.h"

static_assert(sizeof(siginfo_t) <= sizeof(((struct process *)0)->info), "room for it");

static struct job jobs[JOBS_MAX];

unsigned job_number(const struct job *job)
{
	return (unsigned)(job - jobs) + 1;
}

static struct job *find_place(void)
{
	for (struct job *job = jobs; job < jobs + JOBS_MAX; job++)
		if (!job->is_used)
			return job;
	for (struct job *job = jobs; job < jobs + JOBS_MAX; job++)
		if (job->is_background && !job->nr_running)
			return job;
	return NULL;
}

struct job *job_new(const struct pipeline *p)
{
	struct job *job = find_place();

	if (!job) {
		complain("too many jobs");
		return NULL;
	}
	memset(job, 0, sizeof(*job));
	job->is_used = true;
	job->is_background = p->is_background;
	(void)snformat(job->text, sizeof(job->text), "%.*s", (int)p->len, p->text);
	return job;
}

static void ended(struct reply *reply)
{
	struct process *process = container_of(reply, struct process, ended);
	const siginfo_t *info = (const void *)process->info;

	if (reply->res < 0)
		process->status = STATUS_NOT_FOUND;
	else
		process->status =
			info->si_status + (info->si_code == CLD_EXITED ? 0 : STATUS_SIGNAL);
	process->job->nr_running--;
	if (process->is_last)
		process->job->last_status = process->status;
	op_close(process->pidfd);
}

void job_add(struct job *job, int pidfd, bool is_last)
{
	struct process *process = &job->processes[job->nr++];

	process->is_last = is_last;
	process->job = job;
	process->pidfd = pidfd;
	process->ended.then = ended;
	job->nr_running++;
	ring_tell(op_wait(pidfd, process->info), &process->ended);
}

int job_wait(struct job *job)
{
	while (job->nr_running)
		ring_wait();
	job->is_used = false;
	return job->last_status;
}

int job_wait_for(int pid)
{
	for (struct job *job = jobs; job < jobs + JOBS_MAX; job++)
		if (job->is_used && job->is_background && job->pid == pid)
			return job_wait(job);
	return STATUS_NOT_FOUND;
}

void jobs_wait_all(void)
{
	for (struct job *job = jobs; job < jobs + JOBS_MAX; job++)
		if (job->is_used && job->is_background)
			(void)job_wait(job);
}

void jobs_print(int fd, bool only_ended)
{
	for (struct job *job = jobs; job < jobs + JOBS_MAX; job++) {
		char line[160];
		size_t len;

		if (!job->is_used || !job->is_background || (only_ended && job->nr_running))
			continue;
		if (job->nr_running)
			len = snformat(line, sizeof(line), "[%u] running  %s\n",
				job_number(job), job->text);
		else
			len = snformat(line, sizeof(line), "[%u] ended, %d  %s\n",
				job_number(job), job->last_status, job->text);
		(void)write_all(fd, line, len);
		job->is_used = job->nr_running > 0;
	}
}
