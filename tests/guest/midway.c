// SPDX-License-Identifier: MIT
/*
 * Memory that goes away while the kernel copies from or to it. A thread maps and unmaps the pages in
 * which the arguments of calls lie. A call then has done nothing and says EFAULT, or has done a part
 * and says how much; it takes nothing away that is lost, and what it opened it closes.
 *
 * Which of the two comes is chance; what never may come fails. midway.ms= is how long a call is tried.
 */
#include "guest.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>

#define PAGES ((char *)0x20000000ul)
enum { PAGE = 4096, STEADY = 1, MOVING = 2, MILLISECONDS = 100, A_FEW = 10 };

static volatile bool is_over;
static int file, folder, p[2], s[2], set, timer_fd;

/* After the steady page come two that are there or not, writable or not. */
static void *move_pages(void *arg)
{
	char *at = PAGES + STEADY * PAGE;
	unsigned turn = 0;

	while (!is_over) {
		size_t len = PAGE * (1 + turn % 2);

		mmap(at, 2 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memset(at, 0, PAGE);
		for (unsigned i = 0; i < turn % 7 * 20; i++)
			sched_yield();
		if (turn++ % 5)
			munmap(at + (turn % 3 == 0) * PAGE, len > PAGE ? 2 * PAGE : PAGE);
		else
			mprotect(at, len, turn % 2 ? PROT_NONE : PROT_READ);
	}
	return arg;
}

/* ---- Calls: at is where they write to or read from, in the last steady bytes or beyond ---- */

static void steady_iov(struct iovec *iov, char *at)
{
	static char own[100];

	iov[0] = (struct iovec){own, sizeof(own)};
	iov[1] = (struct iovec){at, 5000};
	iov[2] = (struct iovec){own, sizeof(own)};
}

static long call_read(char *at)
{
	lseek(file, 0, SEEK_SET);
	return read(file, at, 6000);
}

static long call_readv(char *at)
{
	struct iovec iov[3];

	steady_iov(iov, at);
	return preadv(file, iov, 3, 10);
}

static long call_write(char *at)
{
	lseek(file, 0, SEEK_SET);
	return write(file, at, 6000);
}

static long call_writev(char *at)
{
	struct iovec iov[3];

	steady_iov(iov, at);
	return pwritev(file, iov, 3, 10);
}

/* Here the array of the pieces itself goes away. */
static long call_iov(char *at)
{
	return syscall(SYS_writev, file, at, 3);
}

static long call_pipe_bytes(char *at)
{
	static char in[70000];
	long put, got;

	fcntl(p[1], F_SETFL, O_NONBLOCK);
	put = write(p[1], at, 9000);
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	got = read(p[0], in, sizeof(in));
	if (put > 0)
		CHECK_EQ(got, put); /* what went in comes out */
	return put;
}

static long call_pipe_read(char *at)
{
	static char out[8192];
	long got, put, rest = 0, n;

	put = write(p[1], out, sizeof(out));
	got = read(p[0], at, sizeof(out));
	while ((n = read(p[0], out, sizeof(out))) > 0)
		rest += n;
	CHECK_EQ(put, (got > 0 ? got : 0) + rest); /* what did not come is still there */
	return got;
}

static long call_getdents(char *at)
{
	lseek(folder, 0, SEEK_SET);
	return syscall(SYS_getdents64, folder, at, 4096);
}

static long call_poll(char *at)
{
	return poll((void *)at, 20, 0);
}

static long call_select(char *at)
{
	return select(p[1] + 1, (void *)at, (void *)(at + 128), NULL, &(struct timeval){0, 0});
}

static long call_futex(char *at)
{
	struct timespec soon = {0, 1000};

	return syscall(SYS_futex, at, 128 /* WAIT, private */, 0, &soon, NULL, 0);
}

static long call_futex_timeout(char *at)
{
	static int word;

	*(volatile char *)PAGES = 0;
	return syscall(SYS_futex, &word, 128, 1, at, NULL, 0);
}

static long call_sigaltstack(char *at)
{
	return sigaltstack(NULL, (void *)at);
}

static long call_sigaction(char *at)
{
	return syscall(SYS_rt_sigaction, SIGUSR1, NULL, at, 8);
}

static long call_sigprocmask(char *at)
{
	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, at, 8);
}

static long call_recvmsg(char *at)
{
	struct iovec iov = {at, 3000};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	static char out[3000];

	CHECK_EQ(send(s[0], out, sizeof(out), MSG_DONTWAIT), sizeof(out));
	long n = recvmsg(s[1], &msg, MSG_DONTWAIT);

	while (recv(s[1], out, sizeof(out), MSG_DONTWAIT) > 0)
		;
	return n;
}

static long call_recvmsg_header(char *at)
{
	static char out[10];
	long n;

	CHECK_EQ(send(s[0], out, sizeof(out), MSG_DONTWAIT), sizeof(out));
	n = syscall(SYS_recvmsg, s[1], at, MSG_DONTWAIT);
	while (recv(s[1], out, sizeof(out), MSG_DONTWAIT) > 0)
		;
	return n;
}

static long call_sendmsg(char *at)
{
	struct iovec iov = {at, 3000};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	static char in[8000];
	long put = sendmsg(s[0], &msg, MSG_DONTWAIT), got = 0, n;

	while ((n = recv(s[1], in, sizeof(in), MSG_DONTWAIT)) > 0)
		got += n;
	CHECK_EQ(put > 0 ? put : 0, got);
	return put;
}

/* The descriptor arrives where its number cannot be written. */
static long call_receive_file(char *at)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, c;
	struct iovec iov = {"x", 1}, to = {&c, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	int got = -1;
	long n;

	*h = (struct cmsghdr){CMSG_LEN(sizeof(int)), 0, SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(h), &file, sizeof(file));
	CHECK_EQ(sendmsg(s[0], &msg, MSG_DONTWAIT), 1);
	msg = (struct msghdr){
		.msg_iov = &to, .msg_iovlen = 1, .msg_control = at, .msg_controllen = 64};
	n = recvmsg(s[1], &msg, MSG_DONTWAIT);
	for (int fd = 40; fd < 60; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			got = fd;
	for (int fd = timer_fd + 1; fd < 40; fd++)
		close(fd); /* whether it was told or not: below that all are the test's */
	CHECK_EQ(got, -1);
	return n;
}

static long call_two_descriptors(char *at)
{
	long n = syscall(SYS_pipe2, at, 0);

	if (n == 0) {
		for (int fd = timer_fd + 1; fd < timer_fd + 3; fd++)
			CHECK_OK(close(fd)); /* the lowest two */
	}
	return n;
}

static long call_two_sockets(char *at)
{
	long n = syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, at);

	if (n == 0) {
		CHECK_OK(close(timer_fd + 1));
		CHECK_OK(close(timer_fd + 2));
	}
	return n;
}

static long call_stat(char *at)
{
	return syscall(SYS_newfstatat, AT_FDCWD, ".", at, 0);
}

static long call_path(char *at)
{
	return access(at, F_OK);
}

static long call_getcwd(char *at)
{
	return syscall(SYS_getcwd, at, 200);
}

static long call_readlink(char *at)
{
	return readlink("/proc/self/exe", at, 200);
}

static long call_epoll(char *at)
{
	struct epoll_event e = {.events = EPOLLOUT};
	long n;

	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, p[1], &e));
	n = epoll_wait(set, (void *)at, 4, 0);
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_DEL, p[1], NULL));
	return n;
}

static long call_epoll_ctl(char *at)
{
	long n = epoll_ctl(set, EPOLL_CTL_ADD, p[1], (void *)at);

	if (n == 0)
		CHECK_OK(epoll_ctl(set, EPOLL_CTL_DEL, p[1], NULL));
	return n;
}

static long call_timer_create(char *at)
{
	return syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, at);
}

static long call_timerfd(char *at)
{
	return syscall(SYS_timerfd_gettime, timer_fd, at);
}

static long call_nanosleep(char *at)
{
	return syscall(SYS_nanosleep, at, NULL);
}

static long call_getrandom(char *at)
{
	return syscall(SYS_getrandom, at, 5000, 0);
}

static long call_uname(char *at)
{
	return syscall(SYS_uname, at);
}

static long call_sysinfo(char *at)
{
	return syscall(SYS_sysinfo, at);
}

static long call_affinity(char *at)
{
	return syscall(SYS_sched_getaffinity, 0, 128, at);
}

static long call_prlimit(char *at)
{
	return syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, at);
}

static long call_ioctl(char *at)
{
	return syscall(SYS_ioctl, p[0], 0x541b /* FIONREAD */, at);
}

static long call_getsockopt(char *at)
{
	socklen_t len = 64;

	return syscall(SYS_getsockopt, s[0], SOL_SOCKET, SO_PEERCRED, at, &len);
}

static long call_sendfile(char *at)
{
	static char in[100];
	long n = syscall(SYS_sendfile, p[1], file, at, 50);

	while (read(p[0], in, sizeof(in)) > 0)
		;
	return n;
}

static long call_process_vm(char *at)
{
	struct iovec here = {at, 5000}, there = {&file, 5000};

	return process_vm_readv(getpid(), &here, 1, &there, 1, 0);
}

static long call_wait(char *at)
{
	pid_t pid = vfork();
	long n;

	if (pid == 0)
		_exit(0);
	n = syscall(SYS_wait4, pid, at, 0, at + 16);
	if (n < 0)
		CHECK_EQ(errno, EFAULT);
	CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD); /* it is gone, told or not */
	errno = EFAULT;
	return n;
}

/* A program that exits with 0: ELF header, one program header, mov $60, %eax; xor %edi, %edi; syscall. */
static void write_program(void)
{
	static const uint8_t code[] = {0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05};
	uint64_t image[17] = {0x00010102464c457f, 0, 0x00000001003e0002, 0x400078, 64, 0,
		0x0038004000000000, 1, 0x0000000500000001, 0, 0x400000, 0x400000, 136, 136,
		4096};
	int fd = CHECK_OK(open("program", O_WRONLY | O_CREAT, 0755));

	memcpy(&image[15], code, sizeof(code));
	CHECK_EQ(write(fd, image, sizeof(image)), sizeof(image));
	CHECK_OK(close(fd));
}

/* The arguments of a program. What starts ends at once; what does not start says why. */
static long call_execve(char *at)
{
	static volatile int error;
	int status;
	pid_t pid;

	error = 0;
	pid = vfork();
	if (pid == 0) {
		execve("program", (char **)at, (char **)(at + 64));
		error = errno;
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	errno = error;
	return error ? -1 : 0;
}

/* ---- The test ---- */

static int count_descriptors(void)
{
	int nr = 0;

	for (int fd = 0; fd < 200; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void open_things(void)
{
	static char content[8192];

	file = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(write(file, content, sizeof(content)), sizeof(content));
	for (int i = 0; i < 30; i++) {
		char name[40];

		snprintf(name, sizeof(name), "some name or other %d", i);
		put_file(name, "");
	}
	folder = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
	CHECK_OK(pipe2(p, O_NONBLOCK));
	CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	set = CHECK_OK(epoll_create1(0));
	timer_fd = CHECK_OK(timerfd_create(CLOCK_MONOTONIC, 0));
}

static bool is_expected(int error)
{
	static const int expected[] = {EFAULT, EAGAIN, ETIMEDOUT, EINVAL, ENOENT, EBADF,
		ENAMETOOLONG, E2BIG, EMSGSIZE};

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		if (expected[i] == error)
			return true;
	return false;
}

static void try(long (*call)(char *))
{
	int64_t end = now_ms() + word_of_cmdline("midway.ms=", MILLISECONDS);
	long nr = 0, faults = 0;
	pthread_t mover;
	int before;

	CHECK(mmap(PAGES, (STEADY + MOVING) * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == PAGES);
	open_things();
	before = count_descriptors();
	is_over = false;
	CHECK_EQ(pthread_create(&mover, NULL, move_pages, NULL), 0);
	while (nr < A_FEW || now_ms() < end) {
		char *at = PAGES + STEADY * PAGE - 8 * (nr % 33) + (nr % 4 == 0) * PAGE;

		if (call(at) < 0) {
			if (!is_expected(errno))
				FAIL("%s", errno_name(errno));
			faults += errno == EFAULT;
		}
		nr++;
	}
	is_over = true;
	CHECK_EQ(pthread_join(mover, NULL), 0);
	CHECK_EQ(count_descriptors(), before);
}

TEST(midway, read)
{
	try(call_read);
}

TEST(midway, readv)
{
	try(call_readv);
}

TEST(midway, write)
{
	try(call_write);
}

TEST(midway, writev)
{
	try(call_writev);
}

TEST(midway, iov)
{
	try(call_iov);
}

TEST(midway, pipe_bytes)
{
	try(call_pipe_bytes);
}

TEST(midway, pipe_read)
{
	try(call_pipe_read);
}

TEST(midway, getdents)
{
	try(call_getdents);
}

TEST(midway, poll)
{
	try(call_poll);
}

TEST(midway, select)
{
	try(call_select);
}

TEST(midway, futex)
{
	try(call_futex);
}

TEST(midway, futex_timeout)
{
	try(call_futex_timeout);
}

TEST(midway, sigaltstack)
{
	try(call_sigaltstack);
}

TEST(midway, sigaction)
{
	try(call_sigaction);
}

TEST(midway, sigprocmask)
{
	try(call_sigprocmask);
}

TEST(midway, recvmsg)
{
	try(call_recvmsg);
}

TEST(midway, recvmsg_header)
{
	try(call_recvmsg_header);
}

TEST(midway, sendmsg)
{
	try(call_sendmsg);
}

TEST(midway, receive_file)
{
	try(call_receive_file);
}

TEST(midway, two_descriptors)
{
	try(call_two_descriptors);
}

TEST(midway, two_sockets)
{
	try(call_two_sockets);
}

TEST(midway, stat)
{
	try(call_stat);
}

TEST(midway, path)
{
	try(call_path);
}

TEST(midway, getcwd)
{
	try(call_getcwd);
}

TEST(midway, readlink)
{
	try(call_readlink);
}

TEST(midway, epoll)
{
	try(call_epoll);
}

TEST(midway, epoll_ctl)
{
	try(call_epoll_ctl);
}

TEST(midway, timer_create)
{
	try(call_timer_create);
}

TEST(midway, timerfd)
{
	try(call_timerfd);
}

TEST(midway, nanosleep)
{
	try(call_nanosleep);
}

TEST(midway, getrandom)
{
	try(call_getrandom);
}

TEST(midway, uname)
{
	try(call_uname);
}

TEST(midway, sysinfo)
{
	try(call_sysinfo);
}

TEST(midway, affinity)
{
	try(call_affinity);
}

TEST(midway, prlimit)
{
	try(call_prlimit);
}

TEST(midway, ioctl)
{
	try(call_ioctl);
}

TEST(midway, getsockopt)
{
	try(call_getsockopt);
}

TEST(midway, sendfile)
{
	try(call_sendfile);
}

TEST(midway, process_vm)
{
	try(call_process_vm);
}

TEST(midway, wait)
{
	try(call_wait);
}

TEST(midway, execve)
{
	write_program();
	try(call_execve);
}
