// SPDX-License-Identifier: MIT
/*
 * sh and storm of user/bin, and the twin of storm: processes from nothing.
 */
#include <poll.h>
#include <sys/ioctl.h>

#include "user.h"

static void need_spawn(void)
{
	NEWER(has_spawn());
	CHECK_OK(setenv("PATH", "/nowhere:/bin", 1));
}

#define SHELL(text) RUN("", "sh", "-c", text)

TEST(user_shell, words)
{
	need_spawn();
	SHELL("echo a  'b  c' \"d  $X\" e\\ f # comment");
	EXPECT(0, "a b  c d   e f\n", "");
	SHELL("X='1 2' Y=$X; echo $X \"$Y\" '$X' ${X}3 \\$X $ $Z \"$Z\" end");
	EXPECT(0, "1 2 1 2 $X 1 23 $X $  end\n", "");
	SHELL("echo 'two\nlines'\necho more");
	EXPECT(0, "two\nlines\nmore\n", "");
	SHELL("false; echo $?; true; echo $? \"<$?>\"");
	EXPECT(0, "1\n0 <0>\n", "");
	SHELL("echo -n no end");
	EXPECT(0, "no end", "");
	SHELL("");
	EXPECT(0, "", "");
}

TEST(user_shell, lists)
{
	need_spawn();
	SHELL("true && echo yes || echo no; false && echo yes || echo no; ! false && echo not");
	EXPECT(0, "yes\nno\nnot\n", "");
	SHELL("false || false");
	EXPECT(1, "", "");
	SHELL("exit 7; echo unreached");
	EXPECT(7, "", "");
}

TEST(user_shell, programs_and_their_ends)
{
	need_spawn();
	put_file("a", "one\n");
	SHELL("cat a");
	EXPECT(0, "one\n", "");
	SHELL("cat absent; echo $?");
	EXPECT(0, "1\n", "cat: absent: ENOENT\n");
	SHELL("no_such_program; echo $?; ./a; echo $?; ./absent/x; echo $?");
	EXPECT(0, "127\n126\n127\n",
		"sh: no_such_program: ENOENT\nsh: ./a: EACCES\nsh: ./absent/x: ENOENT\n");
	SHELL("cat a; cat absent");
	EXPECT(1, "one\n", "cat: absent: ENOENT\n");
}

TEST(user_shell, redirections)
{
	need_spawn();
	put_file("a", "one\n");
	SHELL("cat <a >b; cat a >>b; echo three >>b; cat b");
	EXPECT(0, "one\none\nthree\n", "");
	SHELL("cat absent 2>e; cat absent >o 2>&1; cat o e; >made; ls");
	EXPECT(0, "cat: absent: ENOENT\ncat: absent: ENOENT\na\nb\ne\nmade\no\n", "");
	SHELL("cat absent 2>&1 >o; cat o; echo err >&2");
	EXPECT(0, "cat: absent: ENOENT\n", "err\n");
	SHELL("cat <absent; echo $?; echo x >/; echo $?");
	EXPECT(0, "1\n1\n", "sh: absent: ENOENT\nsh: /: EISDIR\n");
}

TEST(user_shell, pipelines)
{
	need_spawn();
	put_file("a", "one\n");
	SHELL("cat a | cat | cat; echo built in | cat; cat a | false; echo $?; false | cat; "
	      "echo $?");
	EXPECT(0, "one\nbuilt in\n1\n0\n", "");
	put_large("large", 1000003);
	SHELL("cat large | cat | cat | cat >copy; cp large other; ls -l copy other");
	CHECK_STREQ(said.err, "");
	CHECK(strstr(said.out, "1000003 "));
	expect_same("large", "copy");
	SHELL("nothing | cat; echo $?; cat a | nothing; echo $?");
	EXPECT(0, "0\n127\n", "sh: nothing: ENOENT\nsh: nothing: ENOENT\n");
	SHELL("cat large | true; echo $?"); /* cat gets SIGPIPE, the shell does not */
	EXPECT(0, "0\n", "");
	SHELL("echo a|cat|cat|cat|cat|cat|cat|cat|cat|cat|cat|cat|cat|cat|cat|cat|cat");
	EXPECT(2, "", "sh: syntax: too many commands in a pipeline\n");
}

TEST(user_shell, jobs)
{
	need_spawn();
	SHELL("cat <fifo & echo said; wait; echo waited");
	EXPECT(0, "said\nwaited\n", "sh: fifo: ENOENT\n");
	put_file("a", "one\n");
	SHELL("cat a >b & wait; cat b; jobs");
	EXPECT(0, "one\n", "");
	CHECK_OK(mkfifo("fifo", 0600));
	SHELL("sh -c 'cat <fifo' >b & jobs; echo through >fifo; wait; cat b; jobs");
	EXPECT(0, "[1] running  sh -c 'cat <fifo' >b\nthrough\n", "");
	SHELL("cat & wait; echo $?"); /* what is typed is not for the background */
	EXPECT(0, "0\n", "");
	SHELL("cat a & cat a & cat a & cat a & wait; echo end");
	EXPECT(0, "one\none\none\none\nend\n", "");
}

TEST(user_shell, changes_itself)
{
	need_spawn();
	CHECK_OK(mkdir("sub", 0755));
	put_file("sub/inside", "");
	SHELL("cd sub && ls && cd .. && ls; cd absent; echo $?; cd / && pwd");
	EXPECT(0, "inside\nsub\n1\n/\n", "sh: absent: ENOENT\n");
	SHELL("NAME=value; sh -c 'echo $NAME'; NAME=other sh -c 'echo $NAME'; unset NAME; sh "
	      "-c 'echo =$NAME='");
	EXPECT(0, "value\nother\n==\n", "");
	SHELL("PATH=/nowhere; ls");
	EXPECT(127, "", "sh: ls: ENOENT\n");
	SHELL("sh -c 'exit 3'; echo $?; sh -c 'exit 300' ; echo $?");
	EXPECT(0, "3\n44\n", "");
}

TEST(user_shell, mistakes)
{
	need_spawn();
	SHELL("echo 'open");
	EXPECT(2, "", "sh: syntax: a quote is not closed\n");
	SHELL("echo a |\necho b; |\necho c");
	EXPECT(0, "c\n",
		"sh: syntax: a command is missing\nsh: syntax: a command is missing\n");
	SHELL("(echo)");
	EXPECT(2, "", "sh: syntax: a command is missing\n");
	SHELL("echo >; echo a &&");
	EXPECT(2, "", "sh: syntax: a word is missing\n");
	SHELL("true && false &");
	EXPECT(2, "", "sh: syntax: behind && and || nothing goes to the background\n");
	RUN("", "sh", "-c");
	EXPECT(2, "", "sh: usage: sh [FILE], sh -c TEXT\n");
	RUN("", "sh", "absent");
	EXPECT(1, "", "sh: absent: ENOENT\n");
}

TEST(user_shell, reads_lines)
{
	need_spawn();
	put_file("script", "echo first\nX=1\necho $X\nexit 4\necho unreached\n");
	RUN("", "sh", "script");
	EXPECT(4, "first\n1\n", "");
	RUN("echo first\nX=1\necho $X", "sh");
	EXPECT(0, "first\n1\n", "");
}

/* Leaves nothing open in the programs that it runs. */
TEST(user_shell, hands_on_three_descriptors)
{
	need_spawn();
	SHELL("ls /proc/self/fd | cat | cat");
	EXPECT(0, "0\n1\n2\n3\n4\n", ""); /* 3 is ls's ring, 4 the folder */
}

/* ---- On a terminal ---- */

static char screen[TEXT_SIZE];
static size_t screen_len;

static void wait_for(int fd, const char *text)
{
	const char *at;

	while (!(at = strstr(screen, text))) {
		ssize_t n = CHECK_OK(
			read(fd, screen + screen_len, sizeof(screen) - 1 - screen_len));

		screen_len += (size_t)n;
		screen[screen_len] = 0;
	}
	at += strlen(text);
	screen_len -= (size_t)(at - screen);
	memmove(screen, at, screen_len + 1);
}

static void type(int fd, const char *text)
{
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

TEST(user_shell, on_a_terminal)
{
	int master, slave, nr, unlock = 0;
	char name[40];
	char *const argv[] = {"sh", NULL};
	pid_t pid;

	need_spawn();
	master = CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
	CHECK_OK(ioctl(master, TIOCSPTLCK, &unlock));
	CHECK_OK(ioctl(master, TIOCGPTN, &nr));
	snprintf(name, sizeof(name), "/dev/pts/%d", nr);
	slave = CHECK_OK(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(setsid());
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		become(argv, slave, slave, slave);
	}
	wait_for(master, "$ ");
	type(master, "echo typed\n");
	wait_for(master, "\ntyped\r\n$ ");
	type(master, "cat\n");
	wait_for(master, "cat\r\n");
	type(master, "line\n");
	wait_for(master, "line\r\nline\r\n");
	type(master, "\003"); /* ^C ends cat, not the shell */
	wait_for(master, "$ ");
	type(master, "echo $?\n");
	wait_for(master, "\n130\r\n$ ");
	type(master, "cat /proc/version >x &\n");
	wait_for(master, "sh: [1] ");
	wait_for(master, "$ ");
	type(master, "wait; echo all\n");
	wait_for(master, "\nall\r\n$ ");
	type(master, "exit 5\n");
	CHECK_EQ(status_of(pid), 5);
}

/* ---- storm ---- */

TEST_WITHIN(user_shell, storm, 60)
{
	unsigned nr = 0;

	need_spawn();
	RUN("", "storm", "150", "/bin/sh", "-c", "true");
	CHECK_STREQ(said.err, "");
	CHECK_EQ(said.status, 0);
	CHECK_EQ(sscanf(said.out, "%u processes in ", &nr), 1);
	CHECK_EQ(nr, 150);
	RUN("", "storm", "3", "/bin/sh", "-c", "false");
	CHECK_STREQ(said.err, "storm: 3 failed\n");
	CHECK_EQ(said.status, 1);
	RUN("", "storm", "1", "/bin/absent");
	CHECK_STREQ(said.err, "storm: /bin/absent: ENOENT\nstorm: 1 failed\n");
	CHECK_EQ(said.status, 1);
	RUN("", "storm", "x", "/bin/sh");
	EXPECT(2, "", "storm: usage: storm N PROGRAM [ARGUMENT...]\n");
}

TEST_WITHIN(user_shell, storm_liburing, 60)
{
	unsigned nr = 0;

	need_twins();
	RUN("", "storm", "150", TWINS "/cat", "/dev/null");
	CHECK_STREQ(said.err, "");
	CHECK_EQ(said.status, 0);
	CHECK_EQ(sscanf(said.out, "%u processes in ", &nr), 1);
	CHECK_EQ(nr, 150);
	RUN("", "storm", "2", TWINS "/cat", "absent");
	CHECK_STREQ(said.err, "cat: absent: ENOENT\ncat: absent: ENOENT\nstorm: 2 failed\n");
	CHECK_EQ(said.status, 1);
	RUN("", "storm", "1", "/bin/absent");
	CHECK_STREQ(said.err, "storm: /bin/absent: ENOENT\nstorm: 1 failed\n");
	CHECK_EQ(said.status, 1);
	RUN("", "storm", "x", "/bin/sh");
	EXPECT(2, "", "storm: usage: storm N PROGRAM [ARGUMENT...]\n");
}
