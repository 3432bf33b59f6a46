// SPDX-License-Identifier: MIT
/*
 * The shell's parts: text becomes a list of pipelines (parse.c), words become arguments (expand.c), commands
 * become processes and jobs (run.c, jobs.c) or are done by the shell itself (builtin.c, and what controls others: control.c).
 */
#pragma once

#include "lib/base.h"
#include "ring.h"

enum { STDIN, STDOUT, STDERR, NR_STANDARD };
enum {
	STATUS_MISUSE = 2,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
	STATUS_SIGNAL = 128
};

/* ---- What was written ---- */

struct word {
	char *raw; /* with its quotes and dollars */
	struct word *next;
};

struct redirect {
	enum { REDIRECT_IN, REDIRECT_OUT, REDIRECT_APPEND, REDIRECT_DUP } kind;
	int fd; /* 0 to 2 */
	struct word *target;
	struct redirect *next;
};

struct command {
	struct word *assignments, *words;
	struct redirect *redirects;
	struct command *next; /* that reads what this one writes */
};

struct pipeline {
	struct command *commands; /* or NULL: it is a control structure */
	struct control *control;
	enum {
		RUN_ALWAYS,
		RUN_IF_OK,
		RUN_IF_FAILED
	} when; /* by the status of what ran before */
	bool is_negated, is_background;
	const char *text; /* as it was written, for jobs */
	size_t len;
	struct pipeline *next;
};

/* if condition; then body; else otherwise; fi. `elif` is another one, in otherwise. */
struct control {
	enum { CONTROL_IF, CONTROL_WHILE, CONTROL_UNTIL, CONTROL_FOR } kind;
	struct pipeline *condition, *body, *otherwise;
	struct word *name, *words; /* for name in words */
};

enum parsed {
	PARSED,
	PARSED_WRONG, /* a mistake, which was complained of */
	/* The text ends too early, and *at stays where the line began. */
	PARSED_IN_QUOTE,
	PARSED_IN_CONTROL
};

static inline bool parsed_to_early_end(enum parsed result)
{
	return result >= PARSED_IN_QUOTE;
}

/*
 * The pipelines up to the end of a line, or of the line that ends a control structure; *at is then the beginning of the
 * next. NULL for an empty line. Lives in take()n memory.
 */
enum parsed parse_line(const char **at, struct pipeline **list);
void complain_of_syntax(const char *what);

/* ---- Words and variables ---- */

extern int last_status; /* $? */
extern int last_pid;    /* $! */

void vars_init(char **environment);
/* "NAME=value"; for good. */
void var_set(const char *text);
void var_set_to(const char *name, const char *value);
void var_unset(const char *name);
/* The value, or NULL. */
const char *var_get(const char *name, size_t len);
bool is_name(const char *text);
bool is_assignment(const char *text);
/* All variables and these, for a program; every variable is handed on. */
char **vars_environment(const struct word *assignments);

/* A word without its quotes, with the values of its variables; NULL for nothing at all (an empty variable). */
char *expand(const char *raw);
/* All of them, its end NULL. */
char **expand_all(const struct word *words, unsigned *nr);

/* ---- Jobs ---- */

enum { STAGES_MAX = 16, JOBS_MAX = 64 };

struct process {
	struct reply ended;
	struct job *job;
	int pidfd, status;
	bool is_last;      /* its status is the job's */
	uint64_t info[16]; /* a siginfo_t */
};

struct job {
	struct process processes[STAGES_MAX];
	unsigned nr, nr_running;
	int last_status;
	int pid; /* of the last one, when it is in the background */
	bool is_used, is_background;
	char text[80];
};

/* A place for one, perhaps of one that has ended and was not waited for; or NULL with a complaint. */
struct job *job_new(const struct pipeline *p);
/* A process, by its descriptor, belongs to the job from now on; the last one's status is the job's. */
void job_add(struct job *job, int pidfd, bool is_last);
/* Until it has ended; its status. It is gone then. */
int job_wait(struct job *job);
/* The same for the one in the background whose last process this is; STATUS_NOT_FOUND if there is none. */
int job_wait_for(int pid);
void jobs_wait_all(void);
/* A line for each, to the descriptor; those that have ended are forgotten. With `only_ended` no others. */
void jobs_print(int fd, bool only_ended);
unsigned job_number(const struct job *job);

/* ---- Running ---- */

extern bool is_interactive;

/* What the shell does itself, in its own process, with these for descriptors 0 to 2; its status. */
typedef int builtin_fn(int argc, char **argv, const int fds[NR_STANDARD]);
builtin_fn *builtin_find(const char *name);
/* "sh: NAME: why" on the command's standard error; 1. */
int say_failure(const int fds[NR_STANDARD], const char *name, const char *why);

/* Runs them, one after the other; the last status is last_status. */
void run_list(const struct pipeline *list);
/* The status. */
int run_control(const struct control *c);
/* Whether a break or a continue ends what is being run, as far as its loop. */
bool is_leaving(void);
builtin_fn leave_loop; /* break and continue */
builtin_fn test;       /* test and [ */
