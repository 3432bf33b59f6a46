// SPDX-License-Identifier: MIT
/*
 * cat, ls, cp and ps of user/bin, and the twins of cat and cp: what they print, and how they end.
 */
#include <sys/socket.h>

#include "user.h"

/* ---- cat ---- */

TEST_BOTH(user, cat_writes_files_and_standard_input)
{
	put_file("a", "first\n");
	put_file("empty", "");
	RUN("typed\n", "cat", "a", "empty", "-", "a");
	EXPECT(0, "first\ntyped\nfirst\n", "");
	RUN("typed\n", "cat");
	EXPECT(0, "typed\n", "");
}

TEST_BOTH(user, cat_goes_on_after_an_error)
{
	put_file("a", "first\n");
	RUN("", "cat", "absent", "/", "a");
	EXPECT(1, "first\n", "cat: absent: ENOENT\ncat: /: EISDIR\n");
}

/* A file of many blocks, by blocks and, through a pipe, by pages. */
TEST_BOTH(user, cat_writes_every_byte_of_a_large_file)
{
	enum { SIZE = 1000003 };
	static unsigned char data[SIZE], back[SIZE];
	char *const argv[] = {"cat", "large", NULL};
	int fd, out, ends[2];
	size_t got = 0;
	ssize_t n;
	pid_t pid;

	for (unsigned i = 0; i < SIZE; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	fd = CHECK_OK(open("large", O_CREAT | O_RDWR, 0600));
	CHECK_EQ(write(fd, data, SIZE), SIZE);
	out = scratch();
	CHECK_EQ(status_of(start(argv, 0, out, 2)), 0);
	CHECK_EQ(pread(out, back, SIZE, 0), SIZE);
	CHECK_MEM(back, data, SIZE);

	memset(back, 0, SIZE);
	CHECK_OK(pipe2(ends, O_CLOEXEC));
	pid = start(argv, 0, ends[1], 2);
	close(ends[1]);
	while ((n = CHECK_OK(read(ends[0], back + got, SIZE - got))) > 0)
		got += (size_t)n;
	CHECK_EQ(status_of(pid), 0);
	CHECK_EQ(got, SIZE);
	CHECK_MEM(back, data, SIZE);
}

/* What was typed is written before more is typed. */
TEST_BOTH(user, cat_does_not_wait_for_more)
{
	char *const argv[] = {"cat", NULL};
	int in[2], out[2];
	char c[2];
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out));
	pid = start(argv, in[1], out[1], 2);
	close(in[1]);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(write(in[0], "x", 1), 1);
		CHECK_EQ(read(out[0], c, 2), 1);
	}
	close(in[0]);
	CHECK_EQ(status_of(pid), 0);
}

TEST_BOTH(user, cat_says_when_it_cannot_write)
{
	char *const argv[] = {"cat", "a", NULL};
	int full, err;

	put_file("a", "text");
	full = CHECK_OK(open("/dev/full", O_WRONLY | O_CLOEXEC));
	err = scratch();
	CHECK_EQ(status_of(start(argv, 0, full, err)), 1);
	read_back(err, said.err);
	CHECK_STREQ(said.err, "cat: standard output: ENOSPC\n");
}

/* ---- ls ---- */

static void at_noon(const char *path)
{
	struct timespec times[2] = {{1000000000, 0}, {1709208000, 0}}; /* 2024-02-29 12:00 */

	CHECK_OK(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

TEST(user, ls_sorts_names)
{
	need_programs();
	put_file("b", "");
	put_file("a", "");
	put_file(".hidden", "");
	CHECK_OK(mkdir("c", 0755));
	put_file("c/inside", "");
	RUN("", "ls");
	EXPECT(0, "a\nb\nc\n", "");
	RUN("", "ls", "-a", ".");
	EXPECT(0, ".\n..\n.hidden\na\nb\nc\n", "");
	RUN("", "ls", "c", "b", "absent", "a");
	EXPECT(1, "a\nb\n\nc:\ninside\n", "ls: absent: ENOENT\n");
	RUN("", "ls", "-x");
	EXPECT(2, "", "ls: no option -x; usage: ls [-a] [-l] [PATH...]\n");
}

TEST(user, ls_says_what_files_are)
{
	need_programs();
	umask(0);
	put_file("file", "12345");
	CHECK_OK(chmod("file", 04751));
	CHECK_OK(chown("file", 12, 345));
	CHECK_OK(chmod("file", 04751));
	CHECK_OK(symlink("file", "link"));
	CHECK_OK(mkdir("sub", 01777));
	CHECK_OK(mknod("null", S_IFCHR | 0666, 1 << 8 | 3));
	at_noon("file");
	at_noon("link");
	at_noon("null");
	RUN("", "ls", "-l", "file", "link", "null");
	EXPECT(0,
		"-rwsr-x--x   1    12   345          5 2024-02-29 12:00 file\n"
		"lrwxrwxrwx   1     0     0          4 2024-02-29 12:00 link -> file\n"
		"crw-rw-rw-   1     0     0    1,    3 2024-02-29 12:00 null\n",
		"");
	RUN("", "ls", "-l");
	CHECK(strstr(said.out, "drwxrwxrwt "));
	CHECK_EQ(said.status, 0);
}

/* More names than one getdents64 brings, more questions than the ring has entries. */
TEST(user, ls_of_a_large_folder)
{
	enum { NAMES = 3000 };
	char name[40], last[40] = "";
	unsigned nr = 0;

	need_programs();
	CHECK_OK(mkdir("large", 0755));
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "large/%u", i * 7919 % NAMES);
		put_file(name, "");
	}
	RUN("", "ls", "large");
	CHECK_EQ(said.status, 0);
	for (char *line = strtok(said.out, "\n"); line; line = strtok(NULL, "\n"), nr++) {
		CHECK(strcmp(last, line) < 0);
		strcpy(last, line);
	}
	CHECK_EQ(nr, NAMES);
	RUN("", "ls", "-l", "large");
	CHECK_STREQ(said.err, "");
	CHECK_EQ(said.status, 0);
}

/* ---- cp ---- */

TEST_BOTH(user, cp_copies_every_byte)
{
	static const unsigned sizes[] = {0, 1, 131072, 131073, 524288, 2000003};
	struct stat st;

	umask(022);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		put_large("from", sizes[i]);
		RUN("", "cp", "from", "to");
		EXPECT(0, "", "");
		expect_same("from", "to");
	}
	CHECK_OK(chmod("from", 0751));
	CHECK_OK(unlink("to"));
	RUN("", "cp", "from", "to");
	CHECK_OK(stat("to", &st));
	CHECK_EQ(st.st_mode & 0777, 0751);
}

TEST_BOTH(user, cp_into_a_folder)
{
	put_file("a", "one");
	put_file("b", "two");
	CHECK_OK(mkdir("to", 0755));
	RUN("", "cp", "a", "./b", "to");
	EXPECT(0, "", "");
	expect_same("a", "to/a");
	expect_same("b", "to/b");
	RUN("", "cp", "/proc/self/comm", "to"); /* a file without a length */
	EXPECT(0, "", "");
	RUN("", "cat", "to/comm");
	EXPECT(0, "cp\n", "");
}

TEST_BOTH(user, cp_refuses)
{
	put_file("a", "one");
	CHECK_OK(mkdir("folder", 0755));
	RUN("", "cp", "a");
	EXPECT(2, "", "cp: usage: cp FROM TO, or cp FROM... FOLDER\n");
	RUN("", "cp", "a", "a", "a");
	EXPECT(2, "", "cp: usage: cp FROM TO, or cp FROM... FOLDER\n");
	RUN("", "cp", "a", "./a");
	EXPECT(1, "", "cp: a and ./a are the same file\n");
	RUN("", "cat", "a");
	EXPECT(0, "one", "");
	RUN("", "cp", "absent", "b");
	EXPECT(1, "", "cp: absent: ENOENT\n");
	CHECK(!exists("b"));
	RUN("", "cp", "folder", "b");
	EXPECT(1, "", "cp: folder: EISDIR\n");
	RUN("", "cp", "a", "absent/b");
	EXPECT(1, "", "cp: absent/b: ENOENT\n");
	RUN("", "cp", "a", "/dev/full");
	EXPECT(1, "", "cp: /dev/full: ENOSPC\n");
}

/* ---- ps ---- */

TEST(user, ps_shows_every_process)
{
	enum { CHILDREN = 80 };
	pid_t pids[CHILDREN];
	char line[80];

	need_programs();
	for (unsigned i = 0; i < CHILDREN; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0)
			pause();
	}
	RUN("", "ps");
	CHECK_STREQ(said.err, "");
	CHECK_EQ(said.status, 0);
	CHECK(strncmp(said.out, "    PID  PARENT S    TIME NAME\n", 31) == 0);
	for (unsigned i = 0; i < CHILDREN; i++) {
		snprintf(line, sizeof(line), "%7d %7d ", pids[i], getpid());
		CHECK(strstr(said.out, line));
	}
	CHECK(strstr(said.out, " R    0:00 ps\n"));
	RUN("", "ps", "-x");
	EXPECT(2, "", "ps: no argument is known: -x; usage: ps\n");
}
