// SPDX-License-Identifier: MIT
/*
 * What there is in the kernel, counted: before and after something that should leave nothing behind.
 *
 * Caches keep some of what is given back, and the kernel gives back some of it later (RCU, workers). So a
 * census is taken again for a while until it shows no loss, and a few objects more are none: a
 * leak grows with what was done.
 */
#include "hostile.h"

#include <grp.h>
#include <sys/resource.h>

enum {
	SETTLE_MS = 4000,
	STEP_MS = 100,
	ROUGHLY = 1000 /* objects, where not each is counted */
};

static void count_slabs(struct census *c)
{
	static char text[65536];
	char *line = text;

	c->nr_slabs = 0;
	if (get_file("/proc/slabinfo", text, sizeof(text)) <= 0)
		return;
	while ((line = strchr(line, '\n')) && c->nr_slabs < SLABS) {
		struct slab_count *s = &c->slabs[c->nr_slabs];
		size_t name_len = strcspn(++line, ":"), at;

		/* "name in_use all size ...": a name may have spaces, so from the colon back */
		if (*line == '#' || !line[name_len])
			continue;
		at = name_len;
		for (int columns = 0; columns < 5 && at; columns++) {
			while (at && line[at - 1] == ' ')
				at--;
			while (at && line[at - 1] != ' ')
				at--;
		}
		s->in_use = strtol(line + at, NULL, 10);
		while (at && line[at - 1] == ' ')
			at--;
		snprintf(s->name, sizeof(s->name), "%.*s", (int)at, line);
		c->nr_slabs++;
	}
}

static long count_lines(const char *path)
{
	static char text[65536];
	long nr = 0;

	if (get_file(path, text, sizeof(text)) <= 0)
		return 0;
	for (char *at = text; (at = strchr(at, '\n')); at++)
		nr++;
	return nr;
}

static long count_files(void)
{
	char text[200];

	return get_file("/proc/sys/fs/file-nr", text, sizeof(text)) > 0 ? atol(text) : 0;
}

/* Linux counts on each CPU, and tells of files by the dozen, of objects as of slabs that a CPU has. */
static bool each_is_counted(void)
{
	static enum { UNKNOWN, NO, YES } answer;

	if (answer == UNKNOWN) {
		long before = count_files();
		int fd = CHECK_OK(open("/dev/null", O_RDONLY));

		answer = count_files() == before + 1 ? YES : NO;
		CHECK_OK(close(fd));
	}
	return answer == YES;
}

void census_take(struct census *c)
{
	char text[200], *slash;

	c->files = each_is_counted() ? count_files() : 0;
	c->threads = 0;
	if (get_file("/proc/loadavg", text, sizeof(text)) > 0 && (slash = strchr(text, '/')))
		c->threads = atol(slash + 1);
	c->mounts = count_lines("/proc/self/mounts");
	c->free_kib = get_number("/proc/meminfo", "MemFree");
	count_slabs(c);
}

/* The objects of a cache that came since, or 0. */
static long grown(const struct census *before, const struct slab_count *now)
{
	for (int i = 0; i < before->nr_slabs; i++)
		if (!strcmp(before->slabs[i].name, now->name))
			return now->in_use - before->slabs[i].in_use;
	return 0;
}

/* The first thing of which there is more than before; NULL: nothing. */
static const char *compare(
	const struct census *before, const struct census *now, long few, long few_kib)
{
	static char why[200];

	if (now->files > before->files)
		snprintf(why, sizeof(why), "%ld open files, were %ld", now->files,
			before->files);
	else if (now->threads > before->threads + 2) /* workers come and go */
		snprintf(why, sizeof(why), "%ld threads, were %ld", now->threads,
			before->threads);
	else if (now->mounts > before->mounts)
		snprintf(why, sizeof(why), "%ld mounts, were %ld", now->mounts, before->mounts);
	else if (now->free_kib + few_kib < before->free_kib)
		snprintf(why, sizeof(why), "%ld KiB are free, were %ld", now->free_kib,
			before->free_kib);
	else {
		for (int i = 0; i < now->nr_slabs; i++) {
			long more = grown(before, &now->slabs[i]);

			if (more > few) {
				snprintf(why, sizeof(why), "%ld more objects \"%s\"", more,
					now->slabs[i].name);
				return why;
			}
		}
		return NULL;
	}
	return why;
}

const char *census_find_leak(const struct census *before, long few, long few_kib)
{
	static struct census now;
	const char *why = NULL;

	if (!each_is_counted())
		few += ROUGHLY;
	for (int waited = 0; waited < SETTLE_MS; waited += STEP_MS) {
		census_take(&now);
		why = compare(before, &now, few, few_kib);
		if (!why)
			return NULL;
		sleep_ms(STEP_MS);
	}
	return why;
}

void sweep(void)
{
	struct rlimit two = {2, 2};
	int status;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		if (setgroups(0, NULL) || setresgid(USER, USER, USER) ||
			setresuid(USER, USER, USER))
			_exit(1);
		kill(-1, SIGKILL); /* but this one */
		_exit(0);
	}
	for (int waited = 0; waited < 500; waited++) {
		pid_t ended;

		do {
			ended = waitpid(-1, &status, WNOHANG | __WALL);
		} while (ended > 0);
		if (ended < 0) /* no children are left, that one neither */
			break;
		sleep_ms(20);
	}
	/* Nobody of that user is left: he may have this one and another, and what is more is too many. */
	pid = CHECK_OK(fork());
	if (pid == 0) {
		if (setrlimit(RLIMIT_NPROC, &two) || setresuid(USER, USER, USER))
			_exit(1);
		for (int tries = 0; tries < 500; tries++, sleep_ms(20)) {
			pid_t child = fork();

			if (child == 0)
				_exit(0);
			if (child > 0)
				_exit(waitpid(child, NULL, 0) == child ? 0 : 2);
		}
		_exit(3);
	}
	EXPECT_CHILD(pid, 0);
}
