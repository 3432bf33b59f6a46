// SPDX-License-Identifier: MIT
/*
 * strace=1: each system call as a line in the log, in the manner of strace:
 *
 *     [12] openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
 *     [12] read(3, "root:x:0:0:"..., 4096) = 812
 *
 * A call is shown when it returns, as then its buffers are known; one that does not return at once
 * because it waits is not held back for others. exit and its like are shown when they begin.
 * What arguments mean is one letter each in abi/syscalls.def.
 *
 * A request of a ring has two lines, which its user_data ties together:
 *
 *     [12] ring 0x5: openat(AT_FDCWD, "/etc/passwd", O_RDONLY)
 *     [12] ring 0x5: openat = 3
 *
 * with a registered file as "slot 7" (TORUS_FIXED_FILE).
 *
 * strace=WORD,... restricts it: a number is a process id, a name is a call.
 */
#include "sys/trace.h"

#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "abi/torus.h"
#include "arch/arch.h"
#include "debug/log.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sys/dispatch.h"
#include "uaccess/uaccess.h"

enum { MAX_PIDS = 8, MAX_NAMES = 16, STRING_SHOWN = 32, LINE_SIZE = 400 };

bool trace_is_on;

static struct {
	int pids[MAX_PIDS];
	unsigned nr_pids;
	const char *names[MAX_NAMES]; /* in the command line; end at ',' or NUL */
	unsigned nr_names;
} wanted; /* set before any program runs, then immutable */

/* ---- What is wanted ---- */

static size_t word_len(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != ',')
		n++;
	return n;
}

static int set_strace(const char *value)
{
	trace_is_on = true;
	if (strcmp(value, "1") == 0 || !*value)
		return 0;
	for (const char *s = value; *s;) {
		size_t len = word_len(s);
		bool is_number = len > 0 && s[0] >= '0' && s[0] <= '9';

		if (is_number && wanted.nr_pids < MAX_PIDS) {
			int pid = 0;

			for (size_t i = 0; i < len; i++)
				pid = pid * 10 + (s[i] - '0');
			wanted.pids[wanted.nr_pids++] = pid;
		} else if (!is_number && len > 0 && wanted.nr_names < MAX_NAMES) {
			wanted.names[wanted.nr_names++] = s;
		} else {
			return -EINVAL;
		}
		s += len;
		s += *s == ',';
	}
	return 0;
}
CMDLINE_WORD(
	strace, "strace", set_strace, "1, or process ids and call names: log system calls");

bool trace_wants(int pid)
{
	if (!trace_is_on || wanted.nr_pids == 0)
		return trace_is_on;
	for (unsigned i = 0; i < wanted.nr_pids; i++)
		if (wanted.pids[i] == pid)
			return true;
	return false;
}

static bool wants_call(const char *name)
{
	if (wanted.nr_names == 0)
		return true;
	for (unsigned i = 0; i < wanted.nr_names; i++) {
		size_t len = word_len(wanted.names[i]);

		if (strlen(name) == len && memcmp(name, wanted.names[i], len) == 0)
			return true;
	}
	return false;
}

/* ---- One line ---- */

struct line {
	char text[LINE_SIZE];
	size_t len;
	bool is_request; /* of a ring: a number may be a registered file's */
};

static void add(struct line *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void add(struct line *l, const char *fmt, ...)
{
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = vsnformat(l->text + l->len, sizeof(l->text) - l->len, fmt, args);
	va_end(args);
	l->len = MIN(l->len + n, sizeof(l->text) - 1);
}

static void add_byte(struct line *l, unsigned char c)
{
	if (c == '\n')
		add(l, "\\n");
	else if (c == '\t')
		add(l, "\\t");
	else if (c == '"' || c == '\\')
		add(l, "\\%c", c);
	else if (c < ' ' || c > '~')
		add(l, "\\%o", c);
	else
		add(l, "%c", c);
}

/* Up to len bytes from the program; a string ends at its NUL. */
static void add_bytes(struct line *l, uint64_t addr, uint64_t len, bool is_string)
{
	unsigned char bytes[STRING_SHOWN];
	size_t got = user_read_some(bytes, UPTR(addr), MIN(len, sizeof(bytes)));
	size_t i;

	if (addr == 0) {
		add(l, "NULL");
		return;
	}
	if (got == 0 && len > 0) {
		add(l, "%#lx", addr);
		return;
	}
	add(l, "\"");
	for (i = 0; i < got && !(is_string && bytes[i] == 0); i++)
		add_byte(l, bytes[i]);
	add(l, "\"%s", i < len && i == sizeof(bytes) ? "..." : "");
}

struct flag_name {
	uint64_t bit;
	const char *name;
};
#define FLAG(f)                                                                                \
	{                                                                                      \
		f, #f                                                                          \
	}

static void add_flags(
	struct line *l, uint64_t v, const struct flag_name *names, unsigned nr, bool is_first)
{
	for (unsigned i = 0; i < nr; i++) {
		if ((v & names[i].bit) != names[i].bit)
			continue;
		add(l, "%s%s", is_first ? "" : "|", names[i].name);
		v &= ~names[i].bit;
		is_first = false;
	}
	if (v || is_first)
		add(l, "%s%#lx", is_first ? "" : "|", v);
}

static void add_open_flags(struct line *l, uint64_t v)
{
	static const struct flag_name names[] = {FLAG(O_CREAT), FLAG(O_EXCL), FLAG(O_NOCTTY),
		FLAG(O_TRUNC), FLAG(O_APPEND), FLAG(O_NONBLOCK), FLAG(O_SYNC), FLAG(O_DSYNC),
		FLAG(O_DIRECT), FLAG(O_LARGEFILE), {O_TMPFILE, "O_TMPFILE"}, FLAG(O_DIRECTORY),
		FLAG(O_NOFOLLOW), FLAG(O_NOATIME), FLAG(O_CLOEXEC), FLAG(O_PATH)};
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

	add(l, "%s", modes[v & O_ACCMODE]);
	if (v & ~(uint64_t)O_ACCMODE)
		add_flags(l, v & ~(uint64_t)O_ACCMODE, names, ARRAY_LEN(names), false);
}

static void add_prot(struct line *l, uint64_t v)
{
	static const struct flag_name names[] = {FLAG(PROT_READ), FLAG(PROT_WRITE),
		FLAG(PROT_EXEC), FLAG(PROT_GROWSDOWN), FLAG(PROT_GROWSUP)};

	if (v)
		add_flags(l, v, names, ARRAY_LEN(names), true);
	else
		add(l, "PROT_NONE");
}

static void add_map_flags(struct line *l, uint64_t v)
{
	static const struct flag_name names[] = {{MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE"},
		FLAG(MAP_SHARED), FLAG(MAP_PRIVATE), FLAG(MAP_FIXED), FLAG(MAP_ANONYMOUS),
		FLAG(MAP_GROWSDOWN), FLAG(MAP_DENYWRITE), FLAG(MAP_LOCKED), FLAG(MAP_NORESERVE),
		FLAG(MAP_POPULATE), FLAG(MAP_STACK), FLAG(MAP_HUGETLB),
		FLAG(MAP_FIXED_NOREPLACE)};

	add_flags(l, v, names, ARRAY_LEN(names), true);
}

/* A descriptor, or another number with a sign. */
static void add_number(struct line *l, uint64_t v)
{
	if (l->is_request && v >> 31 == 1)
		add(l, "slot %u", (unsigned)v & ~TORUS_FIXED_FILE);
	else
		add(l, "%d", (int)v);
}

static void add_argument(
	struct line *l, char letter, const uint64_t *a, unsigned i, int64_t result)
{
	uint64_t v = a[i];

	switch (letter) {
	case 'd':
	case 'S':
		add_number(l, v);
		break;
	case 'a':
		if ((int)v == AT_FDCWD)
			add(l, "AT_FDCWD");
		else
			add(l, "%d", (int)v);
		break;
	case 'u':
		add(l, "%lu", v);
		break;
	case 'l':
		add(l, "%ld", (int64_t)v);
		break;
	case 'o':
		add(l, "0%o", (unsigned)v);
		break;
	case 's':
		add_bytes(l, v, PAGE_SIZE, true);
		break;
	case 'b':
		if (result >= 0)
			add_bytes(l, v, (uint64_t)result, false);
		else
			add(l, "%#lx", v);
		break;
	case 'w':
		add_bytes(l, v, a[i + 1], false);
		break;
	case 'O':
		add_open_flags(l, v);
		break;
	case 'P':
		add_prot(l, v);
		break;
	case 'M':
		add_map_flags(l, v);
		break;
	default:
		if (v == 0 && letter == 'p')
			add(l, "NULL");
		else
			add(l, "%#lx", v);
	}
}

static void add_arguments(
	struct line *l, const char *format, const uint64_t *a, int64_t result)
{
	add(l, "(");
	for (unsigned i = 0; format[i]; i++) {
		if (i)
			add(l, ", ");
		add_argument(l, format[i], a, i, result);
	}
	add(l, ")");
}

/* Of a result that is not there yet: -1. */
static void add_call(struct line *l, uint64_t nr, const uint64_t *a, int64_t result)
{
	const char *name = nr < nr_syscalls ? syscall_texts[nr].name : NULL;
	const char *format = name ? syscall_texts[nr].format : "*";

	if (*format == '*')
		format = "xxxxxx";
	if (name)
		add(l, "%s", name);
	else
		add(l, "syscall_%lu", nr);
	add_arguments(l, format, a, result);
}

static void begin_line(struct line *l)
{
	l->len = 0;
	l->is_request = false;
	add(l, "[%d] ", uthread_current()->tid_nr);
}

static void add_result(struct line *l, int64_t result)
{
	if (result < 0 && result > -MAX_ERRNO) {
		const char *name = errno_name((int)-result);

		add(l, " = -1 %s", name ? name : "?");
	} else if (result > (int64_t)UINT32_MAX) {
		add(l, " = %#lx", result);
	} else {
		add(l, " = %ld", result);
	}
}

static bool is_shown(uint64_t nr)
{
	return nr >= nr_syscalls || !syscall_texts[nr].name ||
	       wants_call(syscall_texts[nr].name);
}

/* Whether the call does not come back to the one who made it. */
static bool does_not_return(uint64_t nr)
{
	return nr == __NR_exit || nr == __NR_exit_group || nr == __NR_rt_sigreturn ||
	       nr == __NR_execve || nr == __NR_execveat;
}

void trace_enter(uint64_t nr, const uint64_t *a)
{
	struct line l;

	if (!is_shown(nr) || !does_not_return(nr))
		return;
	begin_line(&l);
	add_call(&l, nr, a, 0);
	log_info("%s", l.text);
}

void trace_leave(uint64_t nr, const uint64_t *a, int64_t result)
{
	struct line l;

	if (!is_shown(nr))
		return;
	begin_line(&l);
	if (does_not_return(nr))
		add(&l, "... %s", syscall_texts[nr].name);
	else
		add_call(&l, nr, a, result);
	add_result(&l, result);
	log_info("%s", l.text);
}

/* ---- Requests of rings ---- */

/* Its name; NULL: nobody wants to see it. */
static const char *begin_request_line(struct line *l, const struct trace_request *t)
{
	uint64_t nr = (uint64_t)t->nr;
	bool is_call = t->nr >= 0 && nr < nr_syscalls && syscall_texts[nr].name;
	const char *name = is_call ? syscall_texts[nr].name : t->operation;

	if (!trace_wants(t->pid) || !wants_call(name))
		return NULL;
	l->len = 0;
	l->is_request = true;
	add(l, "[%d] ring %#lx: ", t->pid, t->user_data);
	return name;
}

void trace_request_begin(const struct trace_request *t, const uint64_t *a)
{
	struct line l;
	const char *name = begin_request_line(&l, t);

	if (!name)
		return;
	if (t->nr >= 0)
		add_call(&l, (uint64_t)t->nr, a, -1);
	else
		add(&l, "%s", name);
	log_info("%s", l.text);
}

void trace_request_end(const struct trace_request *t, int64_t result)
{
	struct line l;
	const char *name = begin_request_line(&l, t);

	if (!name)
		return;
	add(&l, "%s", name);
	add_result(&l, result);
	log_info("%s", l.text);
}
