// SPDX-License-Identifier: MIT
/* pty(7), termios(3): the line discipline as seen through a pseudo-terminal, and the ends of both sides. */
#include "pty.h"

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
	CHECK(!is_ready_within(A_WHILE_MS));
	type("\r");
	CHECK_STREQ(line(), "hello\n");
	CHECK_SCREEN("hello\r\n");
}

TEST(pty, output_maps_newline)
{
	open_pair();
	CHECK_EQ(write(slave, "a\nb\n", 4), 4);
	CHECK_SCREEN("a\r\nb\r\n");
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
	CHECK_SCREEN("abc\b \bd\r\n");
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
	CHECK_SCREEN("ab\t\b\b\b\b\b\bc\r\n");
	type("\t\t\177\177\n");
	CHECK_STREQ(line(), "\n");
	CHECK_SCREEN("\t\t\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\r\n");
	CHECK_OK(tcgetattr(slave, &t));
	t.c_oflag &= ~OPOST;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	type("abc\t\177\n");
	CHECK_STREQ(line(), "abc\n");
	CHECK_SCREEN("abc\t\b\b\b\b\b\n");
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
	CHECK_SCREEN("^A\r\n");
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
	CHECK_SCREEN("");
	CHECK_EQ(write(slave, "\n", 1), 1);
	CHECK_SCREEN("\n");
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
	wait_until_sleeping(pid);
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
		CHECK_EQ(read_after_hangup(&c), 0);
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
		for (int i = 0; i < 1000 && p.revents != (POLLIN | POLLERR | POLLHUP); i++) {
			sleep_ms(5);
			CHECK_EQ(poll(&p, 1, -1), 1);
		}
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
		wait_until_sleeping(getppid());
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

/* Until the slave can be written to, or cannot. */
static void wait_for_room(bool is_there)
{
	struct pollfd p = {slave, POLLOUT, 0};

	while ((poll(&p, 1, 0) == 1) != is_there)
		sleep_ms(1);
}

TEST(pty, flow_control)
{
	open_pair();
	CHECK_EQ(write(slave, "a", 1), 1);
	type("\023");
	wait_for_room(false); /* Linux takes what is typed when it has time */
	CHECK_OK(fcntl(slave, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(write(slave, "x", 1), EAGAIN);
	CHECK_SCREEN("a");
	type("\021");
	wait_for_room(true);
	CHECK_EQ(write(slave, "y", 1), 1);
	CHECK_SCREEN("y");
}

TEST(pty, noecho)
{
	open_pair();
	flags(0, ECHO);
	type("secret\n");
	CHECK_STREQ(line(), "secret\n");
	CHECK_SCREEN("");
}

TEST(pty, tcflush_discards)
{
	open_pair();
	type("abc\n");
	CHECK(is_ready_within(LONG_MS));
	CHECK_OK(tcflush(slave, TCIFLUSH));
	CHECK(!is_ready_within(A_WHILE_MS));
}

static void wait_for_screen(void)
{
	struct pollfd p = {master, POLLIN, 0};

	CHECK_EQ(poll(&p, 1, -1), 1);
}

TEST(pty, interrupt_keeps_output)
{
	open_pair();
	CHECK_EQ(write(slave, "written", 7), 7);
	wait_for_screen(); /* Linux hands it to the master by a worker */
	type("\003");
	CHECK_SCREEN("written^C");
	CHECK_EQ(write(slave, "more", 4), 4);
	wait_for_screen();
	CHECK_OK(tcflush(slave, TCOFLUSH));
	CHECK_SCREEN("more");
}

TEST(pty, fionread_and_long_line)
{
	static char big[6000];
	int n;

	open_pair();
	type("abcd\n");
	CHECK(is_ready_within(LONG_MS));
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

/* Who asks for one of the two names of an event is told, too. */
TEST(pty, normal_data_is_waited_for)
{
	struct pollfd p;
	pid_t pid;

	open_pair();
	p = (struct pollfd){slave, POLLRDNORM, 0};
	CHECK_OK(pid = fork());
	if (!pid) {
		wait_until_sleeping(getppid());
		type("x\n");
		_exit(0);
	}
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(p.revents, POLLRDNORM);
	EXPECT_CHILD(pid, 0);
}
