// SPDX-License-Identifier: MIT
/*
 * Running a pipeline.
 *
 * All its programs are spawned at once: one request each, which says everything about the new process (its files,
 * its signals, its environment), so nothing of the shell is copied to be thrown away.
 *
 *     pipes, files, where the program is ──> spawn ──> spawned ──> the job's processes ──> ended (jobs.c)
 *
 * The shell opens what is redirected, because the same must be there for its own commands, which run when all
 * programs do. What it has opened it closes again, and every descriptor of its own is closed by exec.
 *
 * Spec    POSIX.1-2024, Shell Command Language, 2.7 to 2.9; abi/torus.h
 */
#include <asm/signal.h>
#include <linux/stat.h>

#include "lib/fmt.h"
#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "sh.h"

enum { PATH_SIZE = 1024, ACTIONS = NR_STANDARD };
#define PATH_DEFAULT  "/bin:/usr/bin"
#define SIGNAL_BIT(n) (1ull << ((n)-1))

struct stage {
	char **argv;
	unsigned argc;
	int fds[NR_STANDARD]; /* what becomes its descriptors 0 to 2 */
	int status;
	builtin_fn *builtin;

	struct job *job;
	struct reply spawned;
	struct torus_spawn spawn;
	struct torus_file_action actions[ACTIONS];
	char program[PATH_SIZE]; /* where it is */
	int32_t pid;
	bool is_last;
};

static unsigned nr_spawning;

/* ---- Descriptors that the shell opens for others ---- */

static int opened[STAGES_MAX * 8];
static unsigned nr_opened;

static int note_opened(int fd)
{
	if (fd >= 0)
		opened[nr_opened++] = fd;
	return fd;
}

static void close_opened(void)
{
	while (nr_opened)
		op_close(opened[--nr_opened]);
}

static int open_redirect(const struct stage *s, const struct redirect *r, const char *target)
{
	static const int flags[] = {
		[REDIRECT_IN] = O_RDONLY,
		[REDIRECT_OUT] = O_WRONLY | O_CREAT | O_TRUNC,
		[REDIRECT_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
	};

	if (nr_opened == ARRAY_LEN(opened))
		return -EMFILE;
	if (r->kind != REDIRECT_DUP)
		return note_opened(ring_await(
			op_open(AT_FDCWD, target, flags[r->kind] | O_CLOEXEC, 0666)));
	if (target[0] < '0' || target[0] > '2' || target[1])
		return -EBADF;
	/* A number of its own, so that the order in which they take their places does not matter. */
	return note_opened(
		ring_call(__NR_fcntl, s->fds[target[0] - '0'], F_DUPFD_CLOEXEC, NR_STANDARD));
}

static bool redirect(struct stage *s, const struct redirect *r)
{
	for (; r; r = r->next) {
		char *target = expand(r->target->raw);
		int fd = target ? open_redirect(s, r, target) : -ENOENT;

		if (fd < 0) {
			complain("%s: %s", target ? target : r->target->raw, error_text(fd));
			return false;
		}
		s->fds[r->fd] = fd;
	}
	return true;
}

/* ---- A program ---- */

/* Whether this is a program that may be run: 0, or why not. */
static int check_program(const char *path)
{
	struct statx st;
	int err = ring_await(op_statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st));

	if (err < 0)
		return err;
	return (st.stx_mode & S_IFMT) == S_IFREG && st.stx_mode & 0111 ? 0 : -EACCES;
}

/* Looks into the folders of PATH, unless a folder is named. The best of the reasons why it is not found. */
static int find_program(struct stage *s)
{
	const char *folder = var_get("PATH", 4), *end;
	int err = -ENOENT;

	if (strchr(s->argv[0], '/')) {
		(void)str_copy(s->program, s->argv[0], sizeof(s->program));
		return 0; /* spawn says what is wrong with it */
	}
	for (folder = folder ? folder : PATH_DEFAULT; folder; folder = *end ? end + 1 : NULL) {
		int now;

		end = strchr(folder, ':');
		end = end ? end : folder + strlen(folder);
		(void)snformat(s->program, sizeof(s->program), "%.*s%s%s", (int)(end - folder),
			folder, end > folder ? "/" : "", s->argv[0]);
		now = check_program(s->program);
		if (!now)
			return 0;
		if (now != -ENOENT && now != -ENOTDIR)
			err = now;
	}
	return err;
}

static void not_run(struct stage *s, int error)
{
	s->status = error == -ENOENT || error == -ENOTDIR ? STATUS_NOT_FOUND
							  : STATUS_NOT_EXECUTABLE;
	(void)say_failure(s->fds, s->argv[0], error_text(error));
}

static void spawned(struct reply *reply)
{
	struct stage *s = container_of(reply, struct stage, spawned);

	nr_spawning--;
	if (reply->res < 0)
		not_run(s, reply->res);
	else
		job_add(s->job, reply->res, s->is_last);
}

static void add_action(struct stage *s, unsigned action, int fd, int from, const char *path)
{
	s->actions[s->spawn.nr_actions++] = (struct torus_file_action){
		.action = action, .fd = fd, .from = from, .path = (uintptr_t)path};
}

/* A command in the background reads nothing of what is typed, and ^C is not for it. */
static void start_program(struct stage *s, const struct command *c, bool is_background)
{
	s->spawn = (struct torus_spawn){
		.flags = TORUS_SPAWN_SIGDEFAULT,
		.sigdefault = SIGNAL_BIT(SIGPIPE),
		.path = (uintptr_t)s->program,
		.argv = (uintptr_t)s->argv,
		.envp = (uintptr_t)vars_environment(c->assignments),
		.actions = (uintptr_t)s->actions,
		.pid = (uintptr_t)&s->pid,
	};
	if (!is_background)
		s->spawn.sigdefault |= SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT);
	else if (s->fds[STDIN] == STDIN)
		add_action(s, TORUS_FILE_OPEN, STDIN, AT_FDCWD, "/dev/null");
	for (int fd = 0; fd < NR_STANDARD; fd++)
		if (s->fds[fd] != fd)
			add_action(s, TORUS_FILE_DUP, fd, s->fds[fd], NULL);
	s->spawned.then = spawned;
	nr_spawning++;
	ring_tell(op_spawn(AT_FDCWD, &s->spawn), &s->spawned);
}

/* ---- A pipeline ---- */

static int assign(const struct word *assignments)
{
	for (; assignments; assignments = assignments->next)
		var_set(expand(assignments->raw));
	return 0;
}

/* Joins each command to the next. */
static int make_pipes(struct stage *stages, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		int ends[2], err;

		for (int fd = 0; fd < NR_STANDARD; fd++)
			if (stages[i].fds[fd] < 0)
				stages[i].fds[fd] = fd;
		if (i == nr - 1)
			break;
		err = ring_await(op_pipe(ends, O_CLOEXEC));
		if (err < 0)
			return err;
		stages[i].fds[STDOUT] = note_opened(ends[1]);
		stages[i + 1].fds[STDIN] = note_opened(ends[0]);
	}
	return 0;
}

static void prepare(struct stage *s, const struct command *c, const struct pipeline *p)
{
	int err;

	s->argv = expand_all(c->words, &s->argc);
	s->builtin = s->argc ? builtin_find(s->argv[0]) : NULL;
	s->is_last = !c->next;
	if (!redirect(s, c->redirects)) {
		s->builtin = NULL;
		s->status = 1;
	} else if (s->argc && !s->builtin) {
		err = find_program(s);
		if (err)
			not_run(s, err);
		else
			start_program(s, c, p->is_background);
	} else if (!s->argc) {
		s->status = assign(c->assignments);
	}
}

static void run_stages(struct stage *stages, unsigned nr, const struct pipeline *p)
{
	unsigned i = 0;

	for (const struct command *c = p->commands; c; c = c->next)
		prepare(&stages[i++], c, p);
	while (nr_spawning)
		ring_wait();
	for (i = 0; i < nr; i++) {
		struct stage *s = &stages[i];

		if (s->builtin)
			s->status = s->builtin((int)s->argc, s->argv, s->fds);
	}
	close_opened();
}

static int run_pipeline(const struct pipeline *p)
{
	struct job *job = job_new(p);
	struct stage *stages, *last;
	unsigned nr = 0;
	int err, status;

	if (!job)
		return 1;
	for (const struct command *c = p->commands; c; c = c->next)
		nr++;
	stages = take(nr * sizeof(*stages));
	last = &stages[nr - 1];
	for (unsigned i = 0; i < nr; i++) {
		stages[i].job = job;
		for (int fd = 0; fd < NR_STANDARD; fd++)
			stages[i].fds[fd] = -1;
	}
	err = make_pipes(stages, nr);
	if (err < 0) {
		complain("pipe: %s", error_text(err));
		close_opened();
		return job_wait(job) + 1;
	}
	run_stages(stages, nr, p);
	if (p->is_background && job->nr) {
		job->pid = last_pid = last->pid;
		if (is_interactive)
			complain("[%u] %d", job_number(job), last_pid);
		return 0;
	}
	status = job_wait(job);
	return last->pid && last->status == 0 ? status : last->status;
}

void run_list(const struct pipeline *list)
{
	for (; list && !is_leaving(); list = list->next) {
		if ((list->when == RUN_IF_OK && last_status) ||
			(list->when == RUN_IF_FAILED && !last_status))
			continue;
		last_status = list->control ? run_control(list->control) : run_pipeline(list);
		if (list->is_negated)
			last_status = !last_status;
	}
}
