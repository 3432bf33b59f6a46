// SPDX-License-Identifier: MIT
/*
 * What the shell does itself: because it changes the shell (cd, exit, export, unset), asks it (jobs, wait), or is
 * too small for a process (echo, pwd, true, false, :). test, break and continue are in control.c.
 *
 * Spec    POSIX.1-2024, Shell Command Language, 2.15
 */
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "sh.h"

enum { PATH_SIZE = 4096, LINE_SIZE = 65536 };

static int say(const int fds[NR_STANDARD], int to, const char *text)
{
	return write_all(fds[to], text, strlen(text)) < 0;
}

int say_failure(const int fds[NR_STANDARD], const char *name, const char *why)
{
	char line[PATH_SIZE + 64];

	(void)snformat(line, sizeof(line), "sh: %s: %s\n", name, why);
	(void)say(fds, STDERR, line);
	return 1;
}

static int cd(int argc, char **argv, const int fds[NR_STANDARD])
{
	const char *home = var_get("HOME", 4), *to = argc > 1 ? argv[1] : home ? home : "/";
	int err = ring_call(__NR_chdir, to);

	return err < 0 ? say_failure(fds, to, error_text(err)) : 0;
}

static int pwd(int argc, char **argv, const int fds[NR_STANDARD])
{
	char path[PATH_SIZE];
	int len = ring_call(__NR_getcwd, path, PATH_SIZE - 1);

	(void)argc;
	if (len < 0)
		return say_failure(fds, argv[0], error_text(len));
	path[len - 1] = '\n';
	path[len] = 0;
	return say(fds, STDOUT, path);
}

static int echo(int argc, char **argv, const int fds[NR_STANDARD])
{
	static char line[LINE_SIZE];
	size_t len = 0;
	bool has_end = argc < 2 || !str_equal(argv[1], "-n");

	for (int i = has_end ? 1 : 2; i < argc && len < sizeof(line) - 1; i++)
		len += snformat(line + len, sizeof(line) - len, "%s%s", argv[i],
			i < argc - 1 ? " " : "");
	len = MIN(len, sizeof(line) - 1);
	if (has_end)
		line[len++] = '\n';
	return write_all(fds[STDOUT], line, len) < 0;
}

static int do_exit(int argc, char **argv, const int fds[NR_STANDARD])
{
	uint64_t status = (uint64_t)last_status;

	if (argc > 1 && parse_u64(argv[1], 10, &status)) {
		(void)say_failure(fds, argv[0], "that is no number");
		status = STATUS_MISUSE;
	}
	quit((int)(status & 255));
}

static int export(int argc, char **argv, const int fds[NR_STANDARD])
{
	(void)fds;
	for (int i = 1; i < argc; i++)
		if (is_assignment(argv[i])) /* a name alone: every variable is handed on */
			var_set(argv[i]);
	return 0;
}

static int unset(int argc, char **argv, const int fds[NR_STANDARD])
{
	(void)fds;
	for (int i = 1; i < argc; i++)
		var_unset(argv[i]);
	return 0;
}

static int do_jobs(int argc, char **argv, const int fds[NR_STANDARD])
{
	(void)argc;
	(void)argv;
	jobs_print(fds[STDOUT], false);
	return 0;
}

static int do_wait(int argc, char **argv, const int fds[NR_STANDARD])
{
	int status = 0;

	if (argc == 1)
		jobs_wait_all();
	for (int i = 1; i < argc; i++) {
		uint64_t pid;

		if (parse_u64(argv[i], 10, &pid) || pid > INT32_MAX) {
			(void)say_failure(fds, "wait", "wants numbers of processes");
			return STATUS_MISUSE;
		}
		status = job_wait_for((int)pid);
	}
	return status;
}

static int do_true(int argc, char **argv, const int fds[NR_STANDARD])
{
	(void)argc;
	(void)argv;
	(void)fds;
	return 0;
}

static int do_false(int argc, char **argv, const int fds[NR_STANDARD])
{
	return !do_true(argc, argv, fds);
}

builtin_fn *builtin_find(const char *name)
{
	static const struct {
		const char *name;
		builtin_fn *run;
	} builtins[] = {{"cd", cd}, {"pwd", pwd}, {"echo", echo}, {"exit", do_exit},
		{"export", export}, {"unset", unset}, {"jobs", do_jobs}, {"wait", do_wait},
		{"true", do_true}, {"false", do_false}, {":", do_true}, {"test", test},
		{"[", test}, {"break", leave_loop}, {"continue", leave_loop}};

	for (unsigned i = 0; i < ARRAY_LEN(builtins); i++)
		if (str_equal(builtins[i].name, name))
			return builtins[i].run;
	return NULL;
}
