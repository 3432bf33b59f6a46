// SPDX-License-Identifier: MIT
/*
 * ls [-a] [-l] [PATH...]: the names in folders, one a line, sorted; with -l what the files are.
 *
 * The names come by getdents64, which is no operation of io_uring: op_call() makes it one. What -l wants to
 * know of each of them is asked at once for all: as many statx requests as there are names, and one entering
 * of the kernel for each 64.
 *
 * Not here: columns, names of users and groups (they are numbers), orders but by name, time zones (it is UTC).
 *
 * Spec    POSIX.1-2024, ls; man 2 getdents64, statx
 */
#include <linux/stat.h>

#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "ring.h"

enum { ENTRIES = 64, NAMES_SIZE = 65536, LINK_SIZE = 4096 };

struct item {
	const char *name;
	struct statx st;
	char *target; /* of a symbolic link */
	struct reply stated, linked;
};

static bool wants_hidden, wants_long;

/* ---- Names ---- */

struct list {
	struct item **items; /* grows by doubling */
	size_t nr, max;
};

static void list_add(struct list *l, const char *name)
{
	struct item *item = take(sizeof(*item));

	if (l->nr == l->max) {
		struct item **old = l->items;

		l->max = l->max ? 2 * l->max : 64;
		l->items = take(l->max * sizeof(*l->items));
		if (old)
			memcpy(l->items, old, l->nr * sizeof(*l->items));
	}
	item->name = name;
	l->items[l->nr++] = item;
}

/* All names in the folder. The memory that the kernel fills with them is what they stay in. */
static int list_read(struct list *l, int dir)
{
	for (;;) {
		char *names = take(NAMES_SIZE);
		int n = ring_call(__NR_getdents64, dir, names, NAMES_SIZE);

		if (n <= 0)
			return n;
		for (int at = 0; at < n;) {
			struct dirent *entry = (struct dirent *)(void *)(names + at);

			if (wants_hidden || entry->name[0] != '.')
				list_add(l, entry->name);
			at += entry->len;
		}
	}
}

/* Shell's sort, with gaps that shrink by about 2.2. */
static void list_sort(struct list *l)
{
	for (size_t gap = l->nr / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
		for (size_t i = gap; i < l->nr; i++) {
			struct item *item = l->items[i];
			size_t j = i;

			for (; j >= gap && strcmp(l->items[j - gap]->name, item->name) > 0;
				j -= gap)
				l->items[j] = l->items[j - gap];
			l->items[j] = item;
		}
	}
}

/* ---- What they are ---- */

static bool is_type(const struct item *item, unsigned type)
{
	return (item->st.stx_mode & S_IFMT) == type;
}

static void ask(int dir, struct item **items, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		ring_tell(op_statx(dir, items[i]->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
				  &items[i]->st),
			&items[i]->stated);
	ring_finish();
	for (size_t i = 0; i < nr; i++) {
		struct item *item = items[i];

		if (item->stated.res < 0 || !is_type(item, S_IFLNK))
			continue;
		item->target = take(LINK_SIZE); /* zeroed, so the target ends */
		ring_tell(
			op_call(__NR_readlinkat, dir, item->name, item->target, LINK_SIZE - 1),
			&item->linked);
	}
	ring_finish();
}

/* The calendar date of a day since 1970: years begin in March, so the odd day is a year's last. */
static void print_time(int64_t seconds)
{
	int64_t days = seconds / 86400 - (seconds % 86400 < 0), of_day = seconds - days * 86400;
	int64_t from_0 = days + 719468; /* since 0000-03-01 */
	int64_t era = (from_0 >= 0 ? from_0 : from_0 - 146096) / 146097;
	int64_t day = from_0 - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	year += era * 400 + (month >= 10);
	day = of_year - (153 * month + 2) / 5 + 1;
	month += month < 10 ? 3 : -9;
	out("%04lld-%02lld-%02lld %02lld:%02lld", (long long)year, (long long)month,
		(long long)day, (long long)(of_day / 3600), (long long)(of_day / 60 % 60));
}

static void print_mode(unsigned mode)
{
	static const char types[16] = "?pc?d?b?-?l?s???";
	char text[] = "?rwxrwxrwx";

	text[0] = types[mode >> 12 & 15];
	for (unsigned bit = 0; bit < 9; bit++)
		if (!(mode & 0400 >> bit))
			text[1 + bit] = '-';
	if (mode & S_ISUID)
		text[3] = mode & 0100 ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & 0010 ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = mode & 0001 ? 't' : 'T';
	out("%s", text);
}

static void print_long(const struct item *item)
{
	const struct statx *st = &item->st;

	print_mode(st->stx_mode);
	out(" %3u %5u %5u ", st->stx_nlink, st->stx_uid, st->stx_gid);
	if (is_type(item, S_IFCHR) || is_type(item, S_IFBLK))
		out("%4u, %4u ", st->stx_rdev_major, st->stx_rdev_minor);
	else
		out("%10llu ", (unsigned long long)st->stx_size);
	print_time(st->stx_mtime.tv_sec);
	out(" %s", item->name);
	if (item->target && item->linked.res >= 0)
		out(" -> %s", item->target);
	out("\n");
}

/* Prints them, looked for in the folder `dir`; whether one could not be asked. */
static int print(int dir, const char *folder, struct item **items, size_t nr)
{
	int status = 0;

	if (wants_long)
		ask(dir, items, nr);
	for (size_t i = 0; i < nr; i++) {
		if (!wants_long) {
			out("%s\n", items[i]->name);
		} else if (items[i]->stated.res < 0) {
			complain("%s/%s: %s", folder, items[i]->name,
				error_text(items[i]->stated.res));
			status = 1;
		} else {
			print_long(items[i]);
		}
	}
	return status;
}

/* ---- Arguments ---- */

static int list_folder(const char *path)
{
	size_t mark = take_mark();
	struct list list = {0};
	int status = 1, err = 0;
	int dir = ring_await(op_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));

	if (dir >= 0)
		err = list_read(&list, dir);
	if (dir < 0 || err < 0) {
		complain("%s: %s", path, error_text(dir < 0 ? dir : err));
	} else {
		list_sort(&list);
		status = print(dir, path, list.items, list.nr);
	}
	if (dir >= 0)
		ring_await(op_close(dir));
	take_back(mark);
	return status;
}

/* Files first, then what is in each folder. A link to a folder is a folder, unless -l asks what it is. */
static int list_paths(char **paths, int nr)
{
	struct list files = {0}, folders = {0};
	int status = 0;

	for (int i = 0; i < nr; i++) {
		struct statx st;
		int err = ring_await(op_statx(AT_FDCWD, paths[i],
			wants_long ? AT_SYMLINK_NOFOLLOW : 0, STATX_TYPE, &st));

		if (err < 0) {
			complain("%s: %s", paths[i], error_text(err));
			status = 1;
		} else {
			list_add((st.stx_mode & S_IFMT) == S_IFDIR ? &folders : &files,
				paths[i]);
		}
	}
	list_sort(&files);
	list_sort(&folders);
	status |= print(AT_FDCWD, ".", files.items, files.nr);
	for (size_t i = 0; i < folders.nr; i++) {
		if (nr > 1)
			out("%s%s:\n", i || files.nr ? "\n" : "", folders.items[i]->name);
		status |= list_folder(folders.items[i]->name);
	}
	return status;
}

static bool take_options(const char *word)
{
	if (word[0] != '-' || !word[1])
		return false;
	for (const char *c = word + 1; *c; c++) {
		if (*c == 'a') {
			wants_hidden = true;
		} else if (*c == 'l') {
			wants_long = true;
		} else {
			complain("no option -%c; usage: ls [-a] [-l] [PATH...]", *c);
			quit(2);
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	int i = 1;
	char *here[] = {"."};

	ring_open(ENTRIES, 0);
	while (i < argc && take_options(argv[i]))
		i++;
	return i < argc ? list_paths(argv + i, argc - i) : list_paths(here, 1);
}
