// SPDX-License-Identifier: MIT
/* pty(7), termios(3), tty_ioctl(4): the line discipline as seen through a pseudo-terminal, and job control. */
#include "guest.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static void open_pair(void)
{
	int n, zero = 0;
	char name[30];

	master = CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_OK(ioctl(master, TIOCSPTLCK, &zero));
	CHECK_OK(ioctl(master, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	slave = CHECK_OK(open(name, O_RDWR | O_NOCTTY));
}

static void flags(tcflag_t set, tcflag_t clear)
{
	struct termios t;

	CHECK_OK(tcgetattr(slave, &t));
	t.c_lflag = (t.c_lflag | set) & ~clear;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
}

static void type(const char *text)
{
	CHECK_EQ(write(master, text, strlen(text)), strlen(text));
}

/* What the master shows within a while, as a string. */
static const char *screen(void)
{
	static char buf[2000];
	struct pollfd p = {master, POLLIN, 0};
	ssize_t len = 0, n;

	while (len < (ssize_t)sizeof(buf) - 1 && poll(&p, 1, 50) == 1 && (p.revents & POLLIN)) {
		n = read(master, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			break;
		len += n;
	}
	buf[len] = 0;
	return buf;
}

static const char *line(void)
{
	static char buf[5000];
	ssize_t n = CHECK_OK(read(slave, buf, sizeof(buf) - 1));

	buf[n] = 0;
	return buf;
}

static int ready(void)
{
	struct pollfd p = {slave, POLLIN, 0};

	return poll(&p, 1, 20);
}

TEST(pty, default_settings)
{
	struct termios t;
	struct winsize ws = {9, 9, 9, 9};

	open_pair();
	CHECK_OK(tcgetattr(slave, &t));
	CHECK_EQ(t.c_iflag, ICRNL | IXON);
	CHECK_EQ(t.c_oflag, OPOST | ONLCR);
	CHECK_EQ(t.c_cflag, CS8 | CREAD | B38400);
	CHECK_EQ(t.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
	CHECK_MEM(t.c_cc, "\003\034\177\025\004\0\001\0\021\023\032\0\022\017\027\026\0", 17);
	CHECK_OK(ioctl(slave, TIOCGWINSZ, &ws));
	CHECK_EQ(ws.ws_row, 0);
	CHECK(isatty(slave));
	CHECK(isatty(master));
}

TEST(pty, locked_settings_stay)
{
	struct termios t, now, locked = {.c_lflag = ECHO | ISIG, .c_oflag = ONLCR};

	open_pair();
	locked.c_cc[VINTR] = 1;
	CHECK_OK(ioctl(slave, TIOCGLCKTRMIOS, &now));
	CHECK_EQ(now.c_lflag | now.c_iflag | now.c_oflag | now.c_cflag, 0);
	CHECK_OK(ioctl(slave, TIOCSLCKTRMIOS, &locked));
	CHECK_OK(ioctl(slave, TIOCGLCKTRMIOS, &now));
	CHECK_EQ(now.c_lflag, ECHO | ISIG);
	CHECK_EQ(now.c_cc[VINTR], 1);
	CHECK_OK(tcgetattr(slave, &t));
	t.c_lflag = IEXTEN;
	t.c_oflag = 0;
	t.c_iflag = IGNBRK;
	t.c_cc[VINTR] = 'i';
	t.c_cc[VQUIT] = 'q';
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_OK(tcgetattr(slave, &now));
	CHECK_EQ(now.c_lflag, ECHO | ISIG | IEXTEN);
	CHECK_EQ(now.c_oflag, ONLCR);
	CHECK_EQ(now.c_iflag, IGNBRK);
	CHECK_EQ(now.c_cc[VINTR], 3);
	CHECK_EQ(now.c_cc[VQUIT], 'q');
	CHECK_ERRNO(ioctl(slave, TIOCSLCKTRMIOS, NULL), EFAULT);
	CHECK_OK(setuid(1000));
	CHECK_ERRNO(ioctl(slave, TIOCSLCKTRMIOS, NULL), EPERM);
	CHECK_OK(ioctl(slave, TIOCGLCKTRMIOS, &now));
}

TEST(pty, locked_until_unlocked)
{
	int n;
	char name[30];

	master = CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_OK(ioctl(master, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	CHECK_ERRNO(open(name, O_RDWR | O_NOCTTY), EIO);
	CHECK_OK(ioctl(master, TIOCGPTLCK, &n));
	CHECK_EQ(n, 1);
}

TEST(pty, canonical_line_and_echo)
{
	open_pair();
	type("hello");
	CHECK_EQ(ready(), 0);
	type("\r");
	CHECK_STREQ(line(), "hello\n");
	CHECK_STREQ(screen(), "hello\r\n");
}

TEST(pty, output_maps_newline)
{
	open_pair();
	CHECK_EQ(write(slave, "a\nb\n", 4), 4);
	CHECK_STREQ(screen(), "a\r\nb\r\n");
}

TEST(pty, one_line_at_a_time)
{
	char buf[3];

	open_pair();
	type("one\ntwo\n");
	CHECK_STREQ(line(), "one\n");
	CHECK_EQ(read(slave, buf, 2), 2);
	CHECK_MEM(buf, "tw", 2);
	CHECK_STREQ(line(), "o\n");
}

TEST(pty, erase_word_and_kill)
{
	open_pair();
	type("abc\177d\n");
	CHECK_STREQ(line(), "abd\n");
	CHECK_STREQ(screen(), "abc\b \bd\r\n");
	type("one two\027x\n");
	CHECK_STREQ(line(), "one x\n");
	type("junk\025ok\n");
	CHECK_STREQ(line(), "ok\n");
}

/* By the width that it had, also where no column is counted. */
TEST(pty, erase_of_a_tab)
{
	struct termios t;

	open_pair();
	type("ab\t\177c\n");
	CHECK_STREQ(line(), "abc\n");
	CHECK_STREQ(screen(), "ab\t\b\b\b\b\b\bc\r\n");
	type("\t\t\177\177\n");
	CHECK_STREQ(line(), "\n");
	CHECK_STREQ(screen(), "\t\t\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\r\n");
	CHECK_OK(tcgetattr(slave, &t));
	t.c_oflag &= ~OPOST;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	type("abc\t\177\n");
	CHECK_STREQ(line(), "abc\n");
	CHECK_STREQ(screen(), "abc\t\b\b\b\b\b\n");
}

/* The screen is full: the master has not read. */
TEST(pty, erase_of_tabs_without_room_to_show_it)
{
	char tabs[600], text[2001] = {0};

	open_pair();
	memset(tabs, '\t', sizeof(tabs));
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(write(master, tabs, sizeof(tabs)), sizeof(tabs));
		type("\025");
	}
	type("x\n");
	CHECK_STREQ(line(), "x\n");
	for (ssize_t n = sizeof(text) - 1; n == sizeof(text) - 1;)
		n = CHECK_OK(read(master, text, sizeof(text) - 1));
}

TEST(pty, erase_of_utf8)
{
	struct termios t;

	open_pair();
	CHECK_OK(tcgetattr(slave, &t));
	t.c_iflag |= IUTF8;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	type("a\xc3\xa4\177b\n");
	CHECK_STREQ(line(), "ab\n");
}

TEST(pty, end_of_file)
{
	char c;

	open_pair();
	type("\004");
	CHECK_EQ(read(slave, &c, 1), 0);
	type("ab\004");
	CHECK_STREQ(line(), "ab");
}

TEST(pty, literal_next)
{
	open_pair();
	type("\026\003x\n");
	CHECK_STREQ(line(), "\003x\n");
}

TEST(pty, echoctl_shows_control_characters)
{
	open_pair();
	type("\001\n");
	CHECK_STREQ(line(), "\001\n");
	CHECK_STREQ(screen(), "^A\r\n");
}

TEST(pty, raw_mode)
{
	struct termios t;
	char buf[8];

	open_pair();
	CHECK_OK(tcgetattr(slave, &t));
	cfmakeraw(&t);
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	type("x\r\003");
	CHECK_EQ(read(slave, buf, 8), 3);
	CHECK_MEM(buf, "x\r\003", 3);
	CHECK_STREQ(screen(), "");
	CHECK_EQ(write(slave, "\n", 1), 1);
	CHECK_STREQ(screen(), "\n");
}

TEST(pty, vmin_and_vtime)
{
	struct termios t;
	char buf[8];
	int64_t before;

	open_pair();
	CHECK_OK(tcgetattr(slave, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 1;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	before = now_ms();
	CHECK_EQ(read(slave, buf, 8), 0);
	CHECK(now_ms() - before >= 90);
	t.c_cc[VTIME] = 0;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ(read(slave, buf, 8), 0);
	t.c_cc[VMIN] = 3;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	pid_t pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(read(slave, buf, 8), 3);
		_exit(0);
	}
	type("ab");
	sleep_ms(20);
	type("c");
	EXPECT_CHILD(pid, 0);
}

TEST(pty, master_closed_is_hangup)
{
	struct pollfd p;
	char c;

	open_pair();
	close(master);
	CHECK_EQ(read(slave, &c, 1), 0);
	CHECK_ERRNO(write(slave, "x", 1), EIO);
	p = (struct pollfd){slave, POLLIN, 0};
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
}

static void ignore(int sig)
{
	(void)sig;
}

enum reader { NO_SESSION, OF_SESSION, LEADER_IGNORES, LEADER_HANDLES, READERS };
enum mode { CANONICAL, RAW, RAW_TIMED, MODES };

static void set_mode(enum mode mode)
{
	struct termios t;

	if (mode == CANONICAL)
		return;
	CHECK_OK(tcgetattr(slave, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = mode == RAW;
	t.c_cc[VTIME] = mode == RAW ? 0 : 100;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
}

static void become(enum reader who)
{
	struct sigaction sa = {.sa_handler = who == LEADER_HANDLES ? ignore : SIG_IGN};
	pid_t pid;

	if (who == NO_SESSION)
		return;
	CHECK_OK(setsid());
	CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
	CHECK_OK(sigaction(SIGHUP, &sa, NULL));
	if (who != OF_SESSION)
		return;
	pid = CHECK_OK(fork());
	if (pid) {
		EXPECT_CHILD(pid, 0);
		_exit(0);
	}
}

static void lose_master(enum reader who, enum mode mode)
{
	struct pollfd p = {.events = POLLIN | POLLOUT};
	pid_t pid, reader;
	int fd[2];
	char c;

	open_pair();
	CHECK_OK(pipe(fd));
	set_mode(mode);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(master);
		become(who);
		reader = getpid();
		CHECK_EQ(write(fd[1], &reader, sizeof(reader)), sizeof(reader));
		CHECK_ERRNO(read(slave, &c, 1), EIO);
		CHECK_EQ(read(slave, &c, 1), 0);
		p.fd = slave;
		CHECK_EQ(poll(&p, 1, 0), 1);
		CHECK_EQ(p.revents, POLLIN | POLLOUT | POLLERR | POLLHUP);
		_exit(0);
	}
	CHECK_EQ(read(fd[0], &reader, sizeof(reader)), sizeof(reader));
	wait_until_sleeping(reader);
	if (mode == CANONICAL)
		type("no line yet");
	sleep_ms(20);
	close(slave);
	close(master);
	EXPECT_CHILD(pid, 0);
	close(fd[0]);
	close(fd[1]);
}

/* Linux: EIO for who waits when the master closes, whoever it is; the end for who comes later. */
TEST(pty, master_closed_ends_a_waiting_read)
{
	for (enum reader who = 0; who < READERS; who++)
		for (enum mode mode = 0; mode < MODES; mode++)
			lose_master(who, mode);
}

TEST(pty, master_closed_wakes_poll_and_writers)
{
	struct pollfd p = {.events = POLLIN};
	char big[1000] = "";
	pid_t pid;

	open_pair();
	p.fd = slave;
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(master);
		CHECK_EQ(poll(&p, 1, -1), 1);
		CHECK(p.revents & POLLHUP); /* Linux: this alone at first, or all */
		sleep_ms(50);
		CHECK_EQ(poll(&p, 1, -1), 1);
		CHECK_EQ(p.revents, POLLIN | POLLERR | POLLHUP);
		_exit(0);
	}
	wait_until_sleeping(pid);
	close(slave);
	close(master);
	EXPECT_CHILD(pid, 0);

	open_pair();
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(master);
		while (write(slave, big, sizeof(big)) > 0)
			;
		CHECK_EQ(errno, EIO);
		_exit(0);
	}
	wait_until_sleeping(pid);
	close(slave);
	close(master);
	EXPECT_CHILD(pid, 0);
}

/* TIOCVHANGUP is no end of the other side: who waits finds the end, and the terminal lives. */
TEST(pty, hangup_on_request_is_the_end_for_a_waiting_read)
{
	char c, name[30];
	int n, fd;
	pid_t pid;

	open_pair();
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(read(slave, &c, 1), 0);
		CHECK_EQ(read(slave, &c, 1), 0);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_OK(ioctl(slave, TIOCVHANGUP));
	EXPECT_CHILD(pid, 0);
	CHECK_OK(ioctl(master, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	fd = CHECK_OK(open(name, O_RDWR | O_NOCTTY));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(read(master, &c, 1), 1);
}

TEST(pty, slave_closed_ends_a_waiting_read)
{
	struct pollfd p = {.events = POLLIN | POLLOUT};
	char c, name[30];
	int n, fd;
	pid_t pid;

	open_pair();
	p.fd = master;
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(slave);
		CHECK_ERRNO(read(master, &c, 1), EIO);
		CHECK_ERRNO(read(master, &c, 1), EIO);
		CHECK_EQ(poll(&p, 1, 0), 1);
		CHECK_EQ(p.revents, POLLOUT | POLLHUP);
		/* a new slave makes it whole again */
		CHECK_OK(ioctl(master, TIOCGPTN, &n));
		snprintf(name, sizeof(name), "/dev/pts/%d", n);
		fd = CHECK_OK(open(name, O_RDWR | O_NOCTTY));
		CHECK_OK(fcntl(master, F_SETFL, O_NONBLOCK));
		CHECK_ERRNO(read(master, &c, 1), EAGAIN);
		CHECK_EQ(poll(&p, 1, 0), 1);
		CHECK_EQ(p.revents, POLLOUT);
		CHECK_EQ(write(fd, "x", 1), 1);
		CHECK_EQ(read(master, &c, 1), 1);
		_exit(0);
	}
	wait_until_sleeping(pid);
	close(slave);
	EXPECT_CHILD(pid, 0);
}

/* The last descriptor of the slave goes with a session's leader; before the first one there is no end. */
TEST(pty, slave_closed_by_its_leaders_exit)
{
	pid_t pid;
	char c;
	int fd;

	open_pair();
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(master);
		CHECK_OK(setsid());
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		sleep_ms(50);
		_exit(0);
	}
	close(slave);
	CHECK_ERRNO(read(master, &c, 1), EIO);
	EXPECT_CHILD(pid, 0);
	fd = CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
	CHECK_ERRNO(read(fd, &c, 1), EAGAIN);
}

TEST(pty, slave_closed_is_eio)
{
	char c;

	open_pair();
	CHECK_EQ(write(slave, "x", 1), 1);
	close(slave);
	CHECK_EQ(read(master, &c, 1), 1);
	CHECK_ERRNO(read(master, &c, 1), EIO);
}

TEST(pty, window_size_and_sigwinch)
{
	struct winsize ws = {24, 80, 0, 0}, got;

	open_pair();
	CHECK_OK(ioctl(master, TIOCSWINSZ, &ws));
	CHECK_OK(ioctl(slave, TIOCGWINSZ, &got));
	CHECK_EQ(got.ws_row, 24);
	CHECK_EQ(got.ws_col, 80);
}

TEST(pty, flow_control)
{
	open_pair();
	CHECK_EQ(write(slave, "a", 1), 1);
	type("\023");
	sleep_ms(50); /* Linux takes what is typed when it has time */
	CHECK_OK(fcntl(slave, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(write(slave, "x", 1), EAGAIN);
	CHECK_STREQ(screen(), "a");
	type("\021");
	sleep_ms(50);
	CHECK_EQ(write(slave, "y", 1), 1);
	CHECK_STREQ(screen(), "y");
}

TEST(pty, noecho)
{
	open_pair();
	flags(0, ECHO);
	type("secret\n");
	CHECK_STREQ(line(), "secret\n");
	CHECK_STREQ(screen(), "");
}

TEST(pty, tcflush_discards)
{
	open_pair();
	type("abc\n");
	CHECK_EQ(ready(), 1);
	CHECK_OK(tcflush(slave, TCIFLUSH));
	CHECK_EQ(ready(), 0);
}

TEST(pty, interrupt_keeps_output)
{
	open_pair();
	CHECK_EQ(write(slave, "written", 7), 7);
	usleep(100000); /* Linux hands it to the master by a worker */
	type("\003");
	CHECK_STREQ(screen(), "written^C");
	CHECK_EQ(write(slave, "more", 4), 4);
	usleep(100000);
	CHECK_OK(tcflush(slave, TCOFLUSH));
	CHECK_STREQ(screen(), "more");
}

TEST(pty, fionread_and_long_line)
{
	static char big[6000];
	int n;

	open_pair();
	type("abcd\n");
	CHECK_EQ(ready(), 1);
	CHECK_OK(ioctl(slave, FIONREAD, &n));
	CHECK_EQ(n, 5);
	CHECK_STREQ(line(), "abcd\n");
	flags(0, ECHO);
	memset(big, 'x', 5000);
	CHECK_OK(fcntl(master, F_SETFL, O_NONBLOCK));
	(void)!write(master, big, 5000);
	type("\n");
	CHECK_EQ(strlen(line()), 4096); /* N_TTY_BUF_SIZE with the newline */
}

/* Runs the statements as leader of a session whose terminal is the slave. */
#define IN_SESSION(...)                                                                        \
	IN_CHILD(CHECK_EQ(setsid(), getpid()); CHECK_OK(ioctl(slave, TIOCSCTTY, 0));           \
		 __VA_ARGS__)

TEST(pty, controlling_terminal)
{
	open_pair();
	IN_SESSION(int fd = CHECK_OK(open("/dev/tty", O_RDWR)); CHECK_EQ(write(fd, "hi", 2), 2);
		   pid_t pg; CHECK_OK(ioctl(fd, TIOCGPGRP, &pg)); CHECK_EQ(pg, getpgrp());
		   CHECK_OK(ioctl(fd, TIOCGSID, &pg)); CHECK_EQ(pg, getsid(0)));
	CHECK_STREQ(screen(), "hi");
}

TEST(pty, without_a_controlling_terminal)
{
	IN_CHILD(setsid(); CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO));
	open_pair();
	IN_CHILD(CHECK_ERRNO(ioctl(slave, TIOCSCTTY, 0), EPERM)); /* no session leader */
}

TEST(pty, first_terminal_becomes_the_controlling_one)
{
	int n, zero = 0;
	char name[30];

	master = CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_OK(ioctl(master, TIOCSPTLCK, &zero));
	CHECK_OK(ioctl(master, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	IN_CHILD(setsid(); CHECK_OK(open(name, O_RDWR)); CHECK_OK(open("/dev/tty", O_RDWR)));
}

/* openpty(3) of glibc opens the master without O_NOCTTY, then the slave with it. */
TEST(pty, openpty_leaves_a_leader_without_a_terminal)
{
	int zero = 0;

	IN_CHILD(setsid(); master = CHECK_OK(open("/dev/ptmx", O_RDWR));
		 CHECK_OK(ioctl(master, TIOCSPTLCK, &zero));
		 slave = CHECK_OK(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
		 CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		 CHECK_OK(close(master))); /* is the end of nobody's session */
}

TEST(pty, interrupt_character_signals_the_foreground)
{
	pid_t pid;

	open_pair();
	pid = CHECK_OK(fork());
	if (pid == 0) {
		setsid();
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		CHECK_EQ(write(slave, "r", 1), 1);
		for (;;)
			pause();
	}
	CHECK_STREQ(screen(), "r");
	type("\003");
	EXPECT_KILLED(pid, SIGINT);
	CHECK_STREQ(screen(), "^C");
}

TEST(pty, background_read_is_stopped)
{
	int status;
	pid_t leader;

	open_pair();
	leader = CHECK_OK(fork());
	if (leader == 0) {
		setsid();
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		pid_t pid = CHECK_OK(fork());
		if (pid == 0) {
			char c;

			setpgid(0, 0);
			(void)!read(slave, &c, 1);
			_exit(0);
		}
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
		CHECK_OK(tcsetpgrp(slave, pid));
		CHECK_EQ(write(slave, "g", 1), 1);
		kill(-pid, SIGCONT);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		_exit(status);
	}
	CHECK_STREQ(screen(), "g");
	type("x\n");
	EXPECT_CHILD(leader, 0);
}

static void stops_by(int sig)
{
	int status;
	char c;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		setpgid(0, 0);
		if (sig == SIGTTIN)
			_exit(read(slave, &c, 1) < 0 ? errno : 0);
		flags(ECHO, 0);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(status, 0x7f | sig << 8);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
}

/* Whoever ignored these signals before is nobody's business. */
TEST(pty, background_is_stopped_whatever_others_ignored)
{
	open_pair();
	IN_SESSION(for (int i = 0; i < 50; i++) {
		IN_CHILD(for (int sig = 1; sig <= 64; sig++) signal(sig, SIG_IGN));
		stops_by(i % 2 ? SIGTTIN : SIGTTOU);
	});
}

TEST(pty, background_write_needs_tostop)
{
	open_pair();
	IN_SESSION(int status; pid_t pid = CHECK_OK(fork()); if (pid == 0) {
		setpgid(0, 0);
		CHECK_EQ(write(slave, "b", 1), 1);
		flags(TOSTOP, 0); /* stops here: changing settings always does */
		_exit(0);
	} CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		   CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU); kill(pid, SIGKILL);
		   CHECK_EQ(waitpid(pid, &status, 0), pid));
	CHECK_STREQ(screen(), "b");
}

TEST(pty, orphaned_group_gets_eio)
{
	int status, p[2];
	char c;
	pid_t leader;

	open_pair();
	CHECK_OK(pipe(p));
	leader = CHECK_OK(fork());
	if (leader == 0) {
		setsid();
		signal(SIGHUP, SIG_IGN);
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		if (fork() == 0) {
			setpgid(0, 0);
			if (fork() ==
				0) { /* its parent ends: orphaned group in the background */
				sleep_ms(100);
				c = read(slave, &c, 1) < 0 && errno == EIO ? 'y' : 'n';
				CHECK_EQ(write(p[1], &c, 1), 1);
				_exit(0);
			}
			_exit(0);
		}
		wait(&status);
		sleep_ms(300);
		_exit(0);
	}
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
	EXPECT_CHILD(leader, 0);
}

TEST(pty, leader_exit_hangs_up)
{
	pid_t leader;
	int p[2];
	char c;

	open_pair();
	CHECK_OK(pipe(p));
	leader = CHECK_OK(fork());
	if (leader == 0) {
		setsid();
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		if (fork() == 0) {
			close(p[0]);
			CHECK_EQ(write(p[1], "r", 1), 1);
			for (;;)
				pause(); /* SIGHUP ends it */
		}
		CHECK_EQ(read(p[0], &c, 1), 1);
		_exit(0);
	}
	EXPECT_CHILD(leader, 0);
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 0);
	/* the terminal itself goes on: it is its master's */
	CHECK_EQ(write(slave, "x", 1), 1);
	CHECK_STREQ(screen(), "x");
	IN_SESSION(CHECK_OK(open("/dev/tty", O_RDWR)));
}

/* Who is not in front, or leads no session, learns of a hang-up from its shell. */
TEST(pty, master_closed_tells_the_leader)
{
	pid_t leader, pid;
	int p[2];
	char c;

	open_pair();
	CHECK_OK(pipe(p));
	leader = CHECK_OK(fork());
	if (leader == 0) {
		close(master);
		setsid();
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		signal(SIGHUP, SIG_IGN);
		pid = CHECK_OK(fork());
		if (pid == 0) {
			signal(SIGHUP, SIG_DFL);
			CHECK_EQ(write(p[1], "r", 1), 1);
			(void)!read(slave, &c, 1); /* Linux: EIO for who waits, 0 later */
			CHECK_EQ(read(slave, &c, 1), 0);
			CHECK_ERRNO(write(slave, "x", 1), EIO);
			sleep_ms(50);
			CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
			_exit(0);
		}
		EXPECT_CHILD(pid, 0);
		_exit(0);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	wait_until_sleeping(leader);
	sleep_ms(50);
	close(master);
	EXPECT_CHILD(leader, 0);
}

TEST(pty, setsid_leaves_the_terminal)
{
	open_pair();
	IN_SESSION(int fd = CHECK_OK(open("/dev/tty", O_RDWR)); pid_t pid = CHECK_OK(fork());
		   if (pid == 0) {
			   CHECK_OK(setsid());
			   CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
			   pid_t group;
			   CHECK_ERRNO(ioctl(fd, TIOCGPGRP, &group), ENOTTY);
			   CHECK_ERRNO(ioctl(fd, TIOCSCTTY, 0), EPERM); /* another's */
			   CHECK_EQ(write(fd, "s", 1), 1);
			   _exit(0);
		   } EXPECT_CHILD(pid, 0);
		   CHECK_OK(open("/dev/tty", O_RDWR)));
	CHECK_STREQ(screen(), "s");
}

TEST(pty, notty)
{
	open_pair();
	IN_SESSION(pid_t pid = CHECK_OK(fork()); if (pid == 0) {
		CHECK_OK(ioctl(slave, TIOCNOTTY));
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		CHECK_ERRNO(ioctl(slave, TIOCNOTTY), ENOTTY);
		_exit(0);
	} EXPECT_CHILD(pid, 0);
		   signal(SIGHUP, SIG_IGN); CHECK_OK(ioctl(slave, TIOCNOTTY));
		   CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		   CHECK_OK(ioctl(slave, TIOCSCTTY, 0)); CHECK_OK(open("/dev/tty", O_RDWR)));
}

/* Many sessions come and go on one terminal: none leaves a reference behind or takes one too many. */
TEST(pty, sessions_in_turn)
{
	open_pair();
	for (int i = 0; i < 30; i++)
		IN_SESSION(for (int j = 0; j < 3; j++) if (fork() == 0) _exit(j););
	CHECK_EQ(write(slave, "x", 1), 1);
	CHECK_STREQ(screen(), "x");
}

TEST(pty, vhangup)
{
	open_pair();
	IN_SESSION(char c; signal(SIGHUP, SIG_IGN); CHECK_OK(syscall(SYS_vhangup));
		   CHECK_EQ(read(slave, &c, 1), 0); CHECK_ERRNO(write(slave, "x", 1), EIO);
		   CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO));
}

/* A line, other than a pty, hangs up with its session; it can be opened again. */
TEST(pty, serial_line_hangs_up_with_its_session)
{
	char c;
	int fd, other = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_NONBLOCK);
	struct termios t;

	if (other < 0 || tcgetattr(other, &t) < 0)
		SKIP("this machine has one serial line");
	IN_CHILD(CHECK_OK(setsid()); fd = CHECK_OK(open("/dev/ttyS1", O_RDWR | O_NONBLOCK));
		 CHECK_OK(open("/dev/tty", O_RDWR)));
	CHECK_EQ(read(other, &c, 1), 0);
	CHECK_ERRNO(write(other, "x", 1), EIO);
	CHECK_ERRNO(tcgetattr(other, &t), EIO);
	fd = CHECK_OK(open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_NONBLOCK));
	CHECK_OK(tcgetattr(fd, &t));
}

/* man 4 console: nobody's controlling terminal by being opened. */
TEST(pty, console_is_no_controlling_terminal)
{
	IN_CHILD(CHECK_OK(setsid()); CHECK_OK(open("/dev/console", O_RDWR));
		 CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO));
}

TEST(pty, suspend_character)
{
	int status;
	pid_t leader;

	open_pair();
	leader = CHECK_OK(fork());
	if (leader == 0) {
		setsid();
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		signal(SIGTTOU, SIG_IGN);
		pid_t pid = CHECK_OK(fork());
		if (pid == 0) {
			setpgid(0, 0);
			CHECK_OK(tcsetpgrp(slave, getpid()));
			CHECK_EQ(write(slave, "r", 1), 1);
			for (;;)
				pause();
		}
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
		kill(pid, SIGKILL);
		_exit(0);
	}
	CHECK_STREQ(screen(), "r");
	type("\032");
	EXPECT_CHILD(leader, 0);
}

/* Who asks for one of the two names of an event is told, too. */
TEST(pty, normal_data_is_waited_for)
{
	struct pollfd p;
	pid_t pid;

	open_pair();
	p = (struct pollfd){slave, POLLRDNORM, 0};
	CHECK_OK(pid = fork());
	if (!pid) {
		sleep_ms(50);
		type("x\n");
		_exit(0);
	}
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(p.revents, POLLRDNORM);
	EXPECT_CHILD(pid, 0);
}
