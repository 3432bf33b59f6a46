// SPDX-License-Identifier: MIT
/* tty_ioctl(4), credentials(7): controlling terminals, who is in front, and what a hang-up tells whom. */
#include "pty.h"

/* From now on the leader of a session whose terminal is the slave. */
static void lead_session(void)
{
	CHECK_EQ(setsid(), getpid());
	CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
}

/* Runs the statements as such. */
#define IN_SESSION(...) IN_CHILD(lead_session(); __VA_ARGS__)

TEST(pty_jobs, controlling_terminal)
{
	open_pair();
	IN_SESSION(int fd = CHECK_OK(open("/dev/tty", O_RDWR)); CHECK_EQ(write(fd, "hi", 2), 2);
		   pid_t pg; CHECK_OK(ioctl(fd, TIOCGPGRP, &pg)); CHECK_EQ(pg, getpgrp());
		   CHECK_OK(ioctl(fd, TIOCGSID, &pg)); CHECK_EQ(pg, getsid(0)));
	CHECK_SCREEN("hi");
}

TEST(pty_jobs, without_a_controlling_terminal)
{
	IN_CHILD(setsid(); CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO));
	open_pair();
	IN_CHILD(CHECK_ERRNO(ioctl(slave, TIOCSCTTY, 0), EPERM)); /* no session leader */
}

TEST(pty_jobs, first_terminal_becomes_the_controlling_one)
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
TEST(pty_jobs, openpty_leaves_a_leader_without_a_terminal)
{
	int zero = 0;

	IN_CHILD(setsid(); master = CHECK_OK(open("/dev/ptmx", O_RDWR));
		 CHECK_OK(ioctl(master, TIOCSPTLCK, &zero));
		 slave = CHECK_OK(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
		 CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		 CHECK_OK(close(master))); /* is the end of nobody's session */
}

TEST(pty_jobs, interrupt_character_signals_the_foreground)
{
	pid_t pid;

	open_pair();
	pid = CHECK_OK(fork());
	if (pid == 0) {
		lead_session();
		CHECK_EQ(write(slave, "r", 1), 1);
		for (;;)
			pause();
	}
	CHECK_SCREEN("r");
	type("\003");
	EXPECT_KILLED(pid, SIGINT);
	CHECK_SCREEN("^C");
}

TEST(pty_jobs, background_read_is_stopped)
{
	int status;
	pid_t leader;

	open_pair();
	leader = CHECK_OK(fork());
	if (leader == 0) {
		lead_session();
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
	CHECK_SCREEN("g");
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
TEST(pty_jobs, background_is_stopped_whatever_others_ignored)
{
	open_pair();
	IN_SESSION(for (int i = 0; i < 50; i++) {
		IN_CHILD(for (int sig = 1; sig <= 64; sig++) signal(sig, SIG_IGN));
		stops_by(i % 2 ? SIGTTIN : SIGTTOU);
	});
}

TEST(pty_jobs, background_write_needs_tostop)
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
	CHECK_SCREEN("b");
}

TEST(pty_jobs, orphaned_group_gets_eio)
{
	int status, p[2], end[2];
	char c;
	pid_t leader;

	open_pair();
	CHECK_OK(pipe(p));
	CHECK_OK(pipe(end));
	leader = CHECK_OK(fork());
	if (leader == 0) {
		setsid();
		signal(SIGHUP, SIG_IGN);
		CHECK_OK(ioctl(slave, TIOCSCTTY, 0));
		if (fork() == 0) {
			pid_t parent = getpid();

			setpgid(0, 0);
			if (fork() == 0) {
				while (getppid() == parent) /* then the group is orphaned */
					sleep_ms(1);
				c = read(slave, &c, 1) < 0 && errno == EIO ? 'y' : 'n';
				CHECK_EQ(write(p[1], &c, 1), 1);
				_exit(0);
			}
			_exit(0);
		}
		wait(&status);
		CHECK_EQ(read(end[0], &c, 1), 1); /* its end would be a hang-up */
		_exit(0);
	}
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
	CHECK_EQ(write(end[1], "e", 1), 1);
	EXPECT_CHILD(leader, 0);
}

TEST(pty_jobs, leader_exit_hangs_up)
{
	pid_t leader;
	int p[2];
	char c;

	open_pair();
	CHECK_OK(pipe(p));
	leader = CHECK_OK(fork());
	if (leader == 0) {
		lead_session();
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
	CHECK_SCREEN("x");
	IN_SESSION(CHECK_OK(open("/dev/tty", O_RDWR)));
}

static bool can_be_opened(const char *path)
{
	int fd = open(path, O_RDWR);

	return fd >= 0 && close(fd) == 0;
}

/* Who is not in front, or leads no session, learns of a hang-up from its shell. */
TEST(pty_jobs, master_closed_tells_the_leader)
{
	pid_t leader, pid;
	int p[2];
	char c;

	open_pair();
	CHECK_OK(pipe(p));
	leader = CHECK_OK(fork());
	if (leader == 0) {
		close(master);
		lead_session();
		signal(SIGHUP, SIG_IGN);
		pid = CHECK_OK(fork());
		if (pid == 0) {
			signal(SIGHUP, SIG_DFL);
			CHECK_EQ(write(p[1], "r", 1), 1);
			(void)!read(slave, &c, 1); /* Linux: EIO for who waits, 0 later */
			CHECK_EQ(read_after_hangup(&c), 0);
			CHECK_ERRNO(write(slave, "x", 1), EIO);
			for (int i = 0; i < 1000 && can_be_opened("/dev/tty"); i++)
				sleep_ms(5);
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

TEST(pty_jobs, setsid_leaves_the_terminal)
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
	CHECK_SCREEN("s");
}

TEST(pty_jobs, notty)
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
TEST(pty_jobs, sessions_in_turn)
{
	open_pair();
	for (int i = 0; i < 30; i++)
		IN_SESSION(for (int j = 0; j < 3; j++) if (fork() == 0) _exit(j););
	CHECK_EQ(write(slave, "x", 1), 1);
	CHECK_SCREEN("x");
}

TEST(pty_jobs, vhangup)
{
	open_pair();
	IN_SESSION(char c; signal(SIGHUP, SIG_IGN); CHECK_OK(syscall(SYS_vhangup));
		   CHECK_EQ(read(slave, &c, 1), 0); CHECK_ERRNO(write(slave, "x", 1), EIO);
		   CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO));
}

/* A line, other than a pty, hangs up with its session; it can be opened again. */
TEST(pty_jobs, serial_line_hangs_up_with_its_session)
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
TEST(pty_jobs, console_is_no_controlling_terminal)
{
	IN_CHILD(CHECK_OK(setsid()); CHECK_OK(open("/dev/console", O_RDWR));
		 CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO));
}

TEST(pty_jobs, suspend_character)
{
	int status;
	pid_t leader;

	open_pair();
	leader = CHECK_OK(fork());
	if (leader == 0) {
		lead_session();
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
	CHECK_SCREEN("r");
	type("\032");
	EXPECT_CHILD(leader, 0);
}
