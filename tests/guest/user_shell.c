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
	SHELL("nothing 2>e; cat e; cd absent 2>e; cat e; test a b c 2>/dev/null; break 2>e; "
	      "cat e");
	EXPECT(0, "sh: nothing: ENOENT\nsh: absent: ENOENT\nsh: break: there is no loop\n", "");
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
	SHELL("sh -c 'exit 3' & X=$!; false & wait $X; echo $?; wait $X; echo $?; wait x");
	EXPECT(2, "3\n127\n", "sh: wait: wants numbers of processes\n");
	SHELL("cat a & cat a & cat a & cat a & wait; echo end");
	EXPECT(0, "one\none\none\none\nend\n", "");
}

/* Those that nobody waits for make room for others when they have ended. */
TEST(user_shell, more_jobs_than_have_a_place)
{
	need_spawn();
	put_file("a", "one\n");
	CHECK_OK(mkfifo("fifo", 0600));
	SHELL("for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6 7 8; do\n"
	      "sh -c 'cat a >fifo' & cat <fifo >out; done; done; cat out");
	EXPECT(0, "one\n", "");
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

TEST(user_shell, if_chooses)
{
	need_spawn();
	put_file("a", "one\n");
	SHELL("if true; then echo yes; else echo no; fi\n"
	      "if false; then echo yes; else echo no; fi");
	EXPECT(0, "yes\nno\n", "");
	SHELL("if false; then echo 1; elif cat absent; then echo 2\n"
	      "elif cat a; then echo 3; else echo 4; fi");
	EXPECT(0, "one\n3\n", "cat: absent: ENOENT\n");
	SHELL("if false; then echo; fi; echo $?; ! if true; then false; fi; echo $?");
	EXPECT(0, "0\n0\n", "");
	SHELL("false || if true; then echo in; fi && echo out; echo if then fi");
	EXPECT(0, "in\nout\nif then fi\n", "");
	SHELL("if # comment\n true\n\nthen echo a |\\\n cat\n echo b & wait; fi\necho c");
	EXPECT(0, "a\nb\nc\n", "");
	SHELL("if true; then if false; then echo 1; else echo 2; fi; echo 3; fi");
	EXPECT(0, "2\n3\n", "");
}

TEST(user_shell, loops)
{
	need_spawn();
	SHELL("for i in a 'b  c' $NONE d; do echo $i; done; echo $i");
	EXPECT(0, "a\nb  c\nd\nd\n", "");
	SHELL("for i in; do echo $i; done; echo $?; for i in 1; do false; done; echo $?");
	EXPECT(0, "0\n1\n", "");
	SHELL("X=; until [ \"$X\" = xxx ]; do X=${X}x; echo $X; done; echo $?");
	EXPECT(0, "x\nxx\nxxx\n0\n", "");
	SHELL("while [ ! -e a ]; do cat >a; done; while false; do echo never; done; ls");
	EXPECT(0, "a\n", "");
	SHELL("for i in 1 2 3 4; do if [ $i = 2 ]; then continue; fi\n"
	      "if [ $i = 4 ]; then break; fi; echo $i; done");
	EXPECT(0, "1\n3\n", "");
	SHELL("for i in 1 2; do for j in a b; do if [ $j = b ]; then break; fi\n"
	      "echo $i$j; done; done; break");
	EXPECT(1, "1a\n2a\n", "sh: break: there is no loop\n");
	SHELL("while true; do exit 3; done");
	EXPECT(3, "", "");
}

/* What a round takes it gives back: these would take 72 MB, and 64 MiB are all there is. */
TEST(user_shell, loops_need_no_more_and_more_memory)
{
	enum { ROUNDS = 60 };
	char many[2 * ROUNDS + 1] = "", text[1000];

	need_spawn();
	for (unsigned i = 0; i < ROUNDS; i++)
		strcat(many, " x");
	snprintf(text, sizeof(text),
		"X=0123456789; for i in 1 2 3 4 5 6 7 8 9 10 11; do X=$X$X; done\n"
		"for i in%s; do for j in%s; do : $X; done; done; echo end",
		many, many);
	SHELL(text);
	EXPECT(0, "end\n", "");
}

TEST(user_shell, asks)
{
	static const struct {
		const char *words;
		int status;
	} questions[] = {{"", 1}, {"x", 0}, {"''", 1}, {"-n ''", 1}, {"-n x", 0}, {"-z ''", 0},
		{"-e absent", 1}, {"-e sub", 0}, {"-f sub", 1}, {"-d sub", 0}, {"-f a", 0},
		{"-d a", 1}, {"a = a", 0}, {"a = b", 1}, {"a != b", 0}, {"! a = a", 1},
		{"! -f sub", 0}, {"! ''", 0}};
	char text[80];

	need_spawn();
	put_file("a", "");
	CHECK_OK(mkdir("sub", 0755));
	for (unsigned i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		snprintf(text, sizeof(text), "test %s", questions[i].words);
		SHELL(text);
		EXPECT(questions[i].status, "", "");
		snprintf(text, sizeof(text), "[ %s ]", questions[i].words);
		SHELL(text);
		EXPECT(questions[i].status, "", "");
	}
	SHELL("[ a");
	CHECK_EQ(said.status, 2);
	SHELL("test a is b");
	CHECK_EQ(said.status, 2);
	CHECK(strstr(said.err, "sh: test: knows "));
}

TEST(user_shell, mistakes_in_structures)
{
	static char *const texts[][2] = {
		{"if true; echo; fi", "then is missing"},
		{"if true; then; fi", "a command is missing"},
		{"if true; then fi", "this cannot stand here"},
		{"done", "this cannot stand here"},
		{"if true; then echo; done", "fi is missing"},
		{"while true; do echo; fi", "done is missing"},
		{"for a b; do echo; done", "in is missing"},
		{"for 1 in b; do echo; done", "behind for stands the name of a variable"},
		{"if true; then echo; fi | cat", "this cannot stand here"},
		{"if true; then echo; fi >x", "this cannot stand here"},
		{"if true; then echo; fi &",
			"a control structure does not go to the background"},
		{"while true", "the text ends inside a control structure"},
		{"if true &&", "the text ends inside a control structure"},
		{"for i in a", "the text ends inside a control structure"},
	};

	need_spawn();
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char want[120];

		SHELL(texts[i][0]);
		snprintf(want, sizeof(want), "sh: syntax: %s\n", texts[i][1]);
		EXPECT(2, "", want);
	}
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
	RUN("echo a\\\nb \\\n c\necho 'two\nlines' \"on\\\ne\"\necho end \\\n", "sh");
	EXPECT(0, "ab c\ntwo\nlines one\nend\n", "");
	RUN("echo before\necho 'open\necho on", "sh");
	EXPECT(2, "before\n", "sh: syntax: a quote is not closed\n");
	RUN("echo first\nfor i in 1 2\ndo\n echo $i\ndone; echo last\nif true", "sh");
	EXPECT(2, "first\n1\n2\nlast\n",
		"sh: syntax: the text ends inside a control structure\n");
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
	type(master, "for i in 1 2; do\n");
	wait_for(master, "> ");
	type(master, "cat; done\n");
	wait_for(master, "done\r\n");
	type(master, "line\n");
	wait_for(master, "line\r\nline\r\n");
	type(master, "\003"); /* the loop, too */
	wait_for(master, "$ ");
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
