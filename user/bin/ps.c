// SPDX-License-Identifier: MIT
/*
 * ps: every process: its number, its parent's, its state, the CPU time it has used, its name.
 *
 * For each process a chain of three requests: open /proc/PID/stat into a slot of the ring's table, read it,
 * close it. A chain goes on without us, so 32 processes are 96 requests and one entering of the kernel:
 *
 *     open ──link──> read ──hard link──> close
 *
 * If the process is gone by then, the open fails and the link cancels the rest. A read that brings fewer
 * bytes than there was room for has failed as far as a link is concerned, so the second one is hard: it
 * closes in any case.
 *
 * Spec    man 5 proc_pid_stat; man 7 io_uring, IOSQE_IO_HARDLINK
 */
#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "ring.h"

enum {
	BATCH = 32, /* processes at once: each has a slot */
	ENTRIES = 128,
	NAMES_SIZE = 32768,
	STAT_SIZE = 1024,
	PATH_SIZE = 32,
	TICKS_A_SECOND = 100 /* USER_HZ */
};

struct process {
	char path[PATH_SIZE], stat[STAT_SIZE];
	struct reply read;
};
static struct process batch[BATCH];

static uint64_t number_at(const char **at)
{
	uint64_t n = 0;

	while (**at == ' ')
		++*at;
	for (; char_is_digit(**at); ++*at)
		n = n * 10 + (uint64_t)(**at - '0');
	return n;
}

static void skip_words(const char **at, unsigned nr)
{
	while (nr--) {
		while (**at == ' ')
			++*at;
		while (**at && **at != ' ')
			++*at;
	}
}

/* 12 (a name) S 1 ...: the name may hold anything, so it ends at the last parenthesis. */
static void print(const struct process *p)
{
	const char *name = strchr(p->stat, '('), *end = strrchr(p->stat, ')'), *at = p->stat;
	uint64_t pid = number_at(&at), parent, seconds;
	char state;

	if (!name || !end)
		return;
	at = end + 1;
	state = at[0] && at[1] ? at[1] : '?';
	skip_words(&at, 1);
	parent = number_at(&at);
	skip_words(&at, 9); /* up to utime, the 14th */
	seconds = number_at(&at);
	seconds = (seconds + number_at(&at)) / TICKS_A_SECOND;
	out("%7llu %7llu %c %4llu:%02llu %.*s\n", (unsigned long long)pid,
		(unsigned long long)parent, state, (unsigned long long)(seconds / 60),
		(unsigned long long)(seconds % 60), (int)(end - name - 1), name + 1);
}

static void ask(int proc, struct process *p, unsigned slot)
{
	struct io_uring_sqe *sqe;

	memset(p->stat, 0, sizeof(p->stat));
	ring_room(3);
	sqe = into_slot(op_open(proc, p->path, O_RDONLY, 0), slot);
	sqe->flags |= IOSQE_IO_LINK;
	sqe = on_slot(op_read((int)slot, p->stat, STAT_SIZE - 1, 0));
	sqe->flags |= IOSQE_IO_HARDLINK;
	ring_tell(sqe, &p->read);
	op_close_slot(slot);
}

static void print_batch(int proc, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		ask(proc, &batch[i], i);
	ring_finish();
	for (unsigned i = 0; i < nr; i++)
		if (batch[i].read.res > 0) /* or it has ended since */
			print(&batch[i]);
}

static bool is_process(const char *name)
{
	return char_is_digit(*name) && strlen(name) + sizeof("/stat") <= PATH_SIZE;
}

int main(int argc, char **argv)
{
	static char names[NAMES_SIZE];
	struct io_uring_rsrc_register slots = {
		.nr = BATCH, .flags = IORING_RSRC_REGISTER_SPARSE};
	unsigned nr = 0;
	int proc, n;

	ring_open(ENTRIES, 0);
	if (argc > 1) {
		complain("no argument is known: %s; usage: ps", argv[1]);
		return 2;
	}
	must(ring_register(IORING_REGISTER_FILES2, &slots, sizeof(slots)), "slots");
	proc = must(
		ring_await(op_open(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)),
		"/proc");
	out("    PID  PARENT S    TIME NAME\n");
	while ((n = must(ring_call(__NR_getdents64, proc, names, NAMES_SIZE), "/proc")) > 0) {
		for (int at = 0; at < n;) {
			struct dirent *entry = (struct dirent *)(void *)(names + at);

			at += entry->len;
			if (!is_process(entry->name))
				continue;
			(void)str_copy(batch[nr].path, entry->name, PATH_SIZE);
			(void)str_append(batch[nr].path, "/stat", PATH_SIZE);
			if (++nr < BATCH)
				continue;
			print_batch(proc, nr);
			nr = 0;
		}
	}
	print_batch(proc, nr);
	return 0;
}
