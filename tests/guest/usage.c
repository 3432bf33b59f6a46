// SPDX-License-Identifier: MIT
/*
 * proc(5): what processes use and others may see of it: bytes moved (io), timers, pages that were
 * referenced (clear_refs), unix sockets (net/unix).
 */
#include "guest.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { OTHER_USER = 1000 };

static mode_t mode_of(const char *path)
{
	struct stat st;

	CHECK_OK(lstat(path, &st));
	return st.st_mode;
}

/* ---- /proc/PID/io ---- */

struct io {
	long rchar, wchar, syscr, syscw;
};

static struct io io_of(const char *path)
{
	struct io io;
	char text[300];

	CHECK_OK(get_file(path, text, sizeof(text)));
	CHECK_EQ(sscanf(text, "rchar: %ld\nwchar: %ld\nsyscr: %ld\nsyscw: %ld\n", &io.rchar,
			 &io.wchar, &io.syscr, &io.syscw),
		4);
	CHECK(strstr(text, "\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"));
	return io;
}

static int zero, null_, file, other, pipes[2], sockets[2];
static char buf[4096];
static struct iovec two[2] = {{buf, 100}, {buf + 100, 50}};

static void open_files(void)
{
	zero = CHECK_OK(open("/dev/zero", O_RDONLY));
	null_ = CHECK_OK(open("/dev/null", O_WRONLY));
	file = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));
	other = CHECK_OK(open("other", O_RDWR | O_CREAT, 0600));
	CHECK_OK(pipe2(pipes, O_NONBLOCK));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	CHECK_EQ(pwrite(file, buf, 1000, 0), 1000);
}

/*
 * What the statements count, in bytes and calls. Looking counts, too: its calls and what it reads are
 * taken off.
 */
#define COUNTED(want_rchar, want_wchar, want_syscr, want_syscw, ...)                           \
	do {                                                                                   \
		struct io a_ = io_of("/proc/self/io"), b_ = io_of("/proc/self/io"), c_;        \
		long text_ = b_.rchar - a_.rchar, calls_ = b_.syscr - a_.syscr;                \
		__VA_ARGS__;                                                                   \
		c_ = io_of("/proc/self/io");                                                   \
		/* a count may have got a digit more */                                        \
		CHECK(c_.rchar - b_.rchar - text_ - (want_rchar) >= 0);                        \
		CHECK(c_.rchar - b_.rchar - text_ - (want_rchar) <= 4);                        \
		CHECK_EQ(c_.wchar - b_.wchar, want_wchar);                                     \
		CHECK_EQ(c_.syscr - b_.syscr - calls_, want_syscr);                            \
		CHECK_EQ(c_.syscw - b_.syscw, want_syscw);                                     \
	} while (0)

TEST(usage, io_counts_bytes_and_calls)
{
	off_t end = 1000;

	open_files();
	COUNTED(0, 0, 0, 0, );
	COUNTED(1000, 0, 1, 0, CHECK_EQ(read(zero, buf, 1000), 1000));
	COUNTED(0, 0, 1, 0, CHECK_EQ(read(zero, buf, 0), 0));
	COUNTED(0, 77, 0, 1, CHECK_EQ(write(null_, buf, 77), 77));
	COUNTED(10, 0, 1, 0, CHECK_EQ(pread(file, buf, 10, 0), 10));
	COUNTED(0, 500, 0, 1, CHECK_EQ(pwrite(file, buf, 500, 0), 500));
	COUNTED(150, 0, 1, 0, CHECK_EQ(readv(zero, two, 2), 150));
	COUNTED(0, 150, 0, 1, CHECK_EQ(writev(null_, two, 2), 150));
	COUNTED(150, 0, 1, 0, CHECK_EQ(preadv(zero, two, 2, 0), 150));
	COUNTED(100, 100, 1, 1, CHECK_EQ(sendfile(other, file, &(off_t){0}, 100), 100));
	COUNTED(0, 0, 1, 1, CHECK_EQ(sendfile(other, file, &end, 100), 0));
	COUNTED(100, 100, 1, 1,
		CHECK_EQ(copy_file_range(file, &(off_t){0}, other, NULL, 100, 0), 100));
	COUNTED(0, 0, 0, 0, CHECK_EQ(splice(file, &(off_t){0}, pipes[1], NULL, 100, 0), 100));
	COUNTED(0, 0, 0, 0, CHECK_EQ(send(sockets[0], buf, 50, 0), 50));
	COUNTED(0, 0, 0, 0, CHECK_EQ(recv(sockets[1], buf, 10, 0), 10));
	COUNTED(10, 0, 1, 0, CHECK_EQ(read(sockets[1], buf, 10), 10));
	COUNTED(0, 50, 0, 1, CHECK_EQ(write(sockets[0], buf, 50), 50));
}

/* A call counts when it gets as far as the file. */
TEST(usage, io_counts_calls_that_fail)
{
	open_files();
	COUNTED(0, 0, 1, 0, CHECK_ERRNO(read(pipes[0], buf, 10), EAGAIN));
	COUNTED(0, 0, 0, 0, CHECK_ERRNO(read(99, buf, 10), EBADF));
	COUNTED(0, 0, 0, 0, CHECK_ERRNO(read(null_, buf, 10), EBADF));
	COUNTED(0, 0, 1, 0, CHECK_ERRNO(read(zero, (void *)8, 10), EFAULT));
	COUNTED(0, 0, 0, 0, CHECK_ERRNO(read(zero, (void *)-4096l, 10), EFAULT));
	COUNTED(0, 0, 0, 1, CHECK_ERRNO(write(file, (void *)8, 10), EFAULT));
	COUNTED(0, 0, 0, 0, CHECK_ERRNO(pread(zero, buf, 2, -1), EINVAL));
	COUNTED(0, 0, 0, 0, CHECK_ERRNO(pread(pipes[0], buf, 2, 0), ESPIPE));
	COUNTED(0, 0, 1, 0, CHECK_ERRNO(readv(99, two, 2), EBADF));
	COUNTED(0, 0, 1, 0, CHECK_ERRNO(readv(null_, two, 2), EBADF));
	COUNTED(0, 0, 0, 1, CHECK_ERRNO(writev(99, two, 2), EBADF));
	COUNTED(0, 0, 1, 0, CHECK_ERRNO(readv(zero, two, 2000), EINVAL));
	COUNTED(0, 0, 0, 0, CHECK_ERRNO(preadv(zero, two, 2, -1), EINVAL));
	COUNTED(0, 0, 1, 0, CHECK_ERRNO(preadv(pipes[0], two, 2, 0), ESPIPE));
	COUNTED(0, 0, 0, 0, CHECK_ERRNO(sendfile(99, file, NULL, 100), EBADF));
	COUNTED(0, 0, 0, 0, CHECK_ERRNO(copy_file_range(file, NULL, 99, NULL, 1, 0), EBADF));
	COUNTED(0, 0, 0, 0, CHECK_EQ(copy_file_range(file, NULL, other, NULL, 0, 0), 0));
}

static void *read_some(void *arg)
{
	CHECK_EQ(read(zero, buf, 1000), 1000);
	CHECK_EQ(io_of("/proc/thread-self/io").rchar, 1000);
	return arg;
}

TEST(usage, io_is_of_threads_and_of_children_waited_for)
{
	pthread_t thread;
	struct io io;
	long before;
	pid_t pid;

	open_files();
	before = io_of("/proc/self/io").syscr;
	CHECK_EQ(pthread_create(&thread, NULL, read_some, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	io = io_of("/proc/self/io");
	CHECK(io.rchar >= 1000);
	CHECK(io.syscr > before + 1);

	COUNTED(
		1000, 10, 1, 1, pid = CHECK_OK(fork()); if (pid == 0) {
			CHECK_EQ(read(zero, buf, 1000), 1000);
			CHECK_EQ(write(null_, buf, 10), 10);
			_exit(0);
		} EXPECT_CHILD(pid, 0));
	COUNTED(
		0, 0, 0, 0, pid = CHECK_OK(fork()); if (pid == 0) {
			CHECK_EQ(read(zero, buf, 1000), 1000);
			_exit(0);
		} CHECK_OK(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT)));
	EXPECT_CHILD(pid, 0);
}

TEST(usage, io_is_private)
{
	char path[40];
	int fd;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		for (;;)
			pause();
	CHECK_EQ(mode_of("/proc/self/io"), S_IFREG | 0400);
	CHECK_EQ(mode_of("/proc/thread-self/io"), S_IFREG | 0400);
	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	fd = CHECK_OK(open(path, O_RDONLY));
	IN_CHILD(CHECK_OK(setuid(OTHER_USER));
		 CHECK_ERRNO(open("/proc/1/io", O_RDONLY), EACCES);
		 CHECK_ERRNO(read(fd, buf, 10), EACCES));
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_OK(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT));
	CHECK_EQ(io_of(path).rchar, 0); /* a zombie's */
	EXPECT_KILLED(pid, SIGKILL);
}

/* ---- /proc/PID/timers ---- */

static int new_timer(int clock, int notify, int *id)
{
	struct sigevent e = {.sigev_signo = SIGUSR1, .sigev_notify = notify};

	e.sigev_value.sival_ptr = (void *)0x1234;
	if (notify == SIGEV_THREAD_ID)
		e.sigev_notify_thread_id = getpid();
	return (int)syscall(SYS_timer_create, clock, &e, id);
}

static void show_timers(void)
{
	char me[20], line[100], *at;
	FILE *f = fopen("/proc/self/timers", "r");

	CHECK(f);
	snprintf(me, sizeof(me), ".%d\n", getpid());
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, me);
		if (at)
			strcpy(at, ".ME");
		line[strcspn(line, "\n")] = 0;
		SHOW("%s", line);
	}
	fclose(f);
}

TEST(usage, timers_are_listed)
{
	char text[300];
	int id[6];

	CHECK_EQ(mode_of("/proc/self/timers"), S_IFREG | 0444);
	CHECK(!exists("/proc/thread-self/timers"));
	CHECK_EQ(get_file("/proc/self/timers", text, sizeof(text)), 0);
	CHECK_OK(syscall(SYS_timer_create, CLOCK_REALTIME, NULL, &id[0]));
	CHECK_OK(new_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, &id[1]));
	CHECK_OK(new_timer(CLOCK_BOOTTIME, SIGEV_NONE, &id[2]));
	CHECK_OK(new_timer(CLOCK_PROCESS_CPUTIME_ID, SIGEV_THREAD, &id[3]));
	CHECK_OK(new_timer(CLOCK_THREAD_CPUTIME_ID, SIGEV_THREAD_ID, &id[4]));
	CHECK_OK(new_timer((int)(~0u << 3) | 1, SIGEV_SIGNAL, &id[5])); /* user time */
	show_timers();
	CHECK_OK(syscall(SYS_timer_delete, id[0]));
	CHECK_OK(syscall(SYS_timer_delete, id[4]));
	show_timers();
	IN_CHILD(CHECK_EQ(get_file("/proc/self/timers", text, sizeof(text)), 0));
	IN_CHILD(CHECK_OK(setuid(OTHER_USER)); CHECK_OK(open("/proc/1/timers", O_RDONLY)));
}

/* ---- /proc/PID/clear_refs ---- */

enum { PIECE = 65536, PAGE = 4096 };
#define ANONYMOUS ((char *)0x10000000)
#define MAPPED    ((char *)0x10100000)

/* The number of a line of smaps, in kB, of the region at this address. */
static long smaps(const char *start, const char *key)
{
	char line[300], first[20];
	FILE *f = fopen("/proc/self/smaps", "r");
	bool is_there = false;
	long value = -1;

	CHECK(f);
	snprintf(first, sizeof(first), "%lx-", (unsigned long)start);
	while (value < 0 && fgets(line, sizeof(line), f)) {
		is_there |= strncmp(line, first, strlen(first)) == 0;
		if (is_there && strncmp(line, key, strlen(key)) == 0)
			value = atol(line + strlen(key));
	}
	fclose(f);
	return value;
}

static void check_referenced(long anonymous, long mapped)
{
	CHECK_EQ(smaps(ANONYMOUS, "Referenced:"), anonymous);
	CHECK_EQ(smaps(MAPPED, "Referenced:"), mapped);
	CHECK_EQ(smaps(ANONYMOUS, "Rss:"), 64);
	CHECK_EQ(smaps(MAPPED, "Rss:"), 64);
}

static ssize_t clear_refs(const char *what)
{
	int fd = CHECK_OK(open("/proc/self/clear_refs", O_WRONLY)), error;
	ssize_t n = write(fd, what, strlen(what));

	error = errno;
	close(fd);
	errno = error;
	return n;
}

static void touch_all(void)
{
	memset(ANONYMOUS, 1, PIECE);
	memset(MAPPED, 1, PIECE);
}

TEST(usage, clear_refs_by_kind)
{
	int fd = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));

	CHECK_OK(ftruncate(fd, PIECE));
	CHECK_OK(mmap(ANONYMOUS, PIECE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	CHECK_OK(mmap(MAPPED, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0));
	touch_all();
	check_referenced(64, 64);
	CHECK_EQ(clear_refs("1"), 1);
	check_referenced(0, 0);
	ANONYMOUS[0] = 2;
	(void)*(volatile char *)(MAPPED + PAGE);
	check_referenced(4, 4);
	touch_all();
	CHECK_EQ(clear_refs("2"), 1);
	check_referenced(0, 64);
	touch_all();
	CHECK_EQ(clear_refs("3\n"), 2);
	check_referenced(64, 0);
	/* a fork changes nothing of it, and both note what they use */
	CHECK_EQ(clear_refs("1"), 1);
	IN_CHILD(CHECK_EQ(smaps(ANONYMOUS, "Referenced:"), 0); ANONYMOUS[PAGE] = 3;
		 CHECK_EQ(smaps(ANONYMOUS, "Referenced:"), 4));
	check_referenced(0, 0);
	CHECK_EQ(ANONYMOUS[PAGE], 1);
	check_referenced(4, 0);
}

TEST(usage, clear_refs_resets_the_peak)
{
	enum { BIG = 8 << 20, BIG_KB = 8000 };
	char *big = CHECK_OK(
		mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	memset(big, 1, BIG);
	CHECK_OK(munmap(big, BIG));
	CHECK(get_number("/proc/self/status", "VmHWM:") > BIG_KB);
	CHECK_EQ(clear_refs("5"), 1);
	CHECK(get_number("/proc/self/status", "VmHWM:") < BIG_KB);
	big = CHECK_OK(
		mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	memset(big, 1, BIG);
	CHECK(get_number("/proc/self/status", "VmHWM:") > BIG_KB);
}

TEST(usage, clear_refs_errors)
{
	static const char *const bad[] = {"0", "6", "x", "", "0x1", "-1", "1 2", "10"};
	static const char *const good[] = {"1\n", " 1", "1 ", "01", "+1"};

	CHECK_EQ(mode_of("/proc/self/clear_refs"), S_IFREG | 0200);
	CHECK_EQ(mode_of("/proc/thread-self/clear_refs"), S_IFREG | 0200);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_ERRNO(clear_refs(bad[i]), EINVAL);
	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK_EQ(clear_refs(good[i]), strlen(good[i]));
	CHECK_ERRNO(read(CHECK_OK(open("/proc/self/clear_refs", O_RDWR)), buf, 1), EINVAL);
	CHECK_ERRNO(write(CHECK_OK(open("/proc/self/io", O_RDWR)), buf, 1), EINVAL);
	CHECK_ERRNO(write(CHECK_OK(open("/proc/version", O_RDWR)), buf, 1), EIO);
	IN_CHILD(CHECK_OK(setuid(OTHER_USER));
		 CHECK_ERRNO(open("/proc/1/clear_refs", O_WRONLY), EACCES));
}

/* ---- Page tables ---- */

static long table_kb(void)
{
	return get_number("/proc/self/status", "VmPTE:");
}

/* One for each 2 MiB of which something is mapped, and few above. */
TEST(usage, page_tables_are_counted)
{
	enum { EACH = 2 << 20, NR = 32, KB = NR * 4, MORE_KB = 16 };
	char *at = CHECK_OK(mmap(NULL, (NR + 1) * EACH, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	long before = table_kb();

	CHECK(before > 0 && before < 1000);
	CHECK_OK(madvise(at, (NR + 1) * EACH, MADV_NOHUGEPAGE));
	at = (char *)(((uintptr_t)at + EACH - 1) / EACH * EACH);
	for (int i = 0; i < NR; i++)
		at[i * EACH] = 1;
	CHECK(table_kb() >= before + KB);
	CHECK(table_kb() <= before + KB + MORE_KB);
	IN_CHILD(CHECK(table_kb() >= before + KB));
	CHECK_OK(munmap(at, NR * EACH));
	CHECK(table_kb() <= before + MORE_KB);
}

/* ---- /proc/net/unix ---- */

/* How many lines there are of the socket; shows them without its address and number. */
static void show_socket(const char *what, int fd)
{
	char line[300], number[30], *at;
	FILE *f = fopen("/proc/net/unix", "r");
	struct stat st;
	int nr = 0;

	CHECK(f);
	CHECK_OK(fstat(fd, &st));
	snprintf(number, sizeof(number), " %lu", (unsigned long)st.st_ino);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, number);
		if (!at || (at[strlen(number)] != ' ' && at[strlen(number)] != '\n'))
			continue;
		CHECK_EQ(strcspn(line, ":"), 16);
		*at = 0;
		at += strlen(number);
		at[strcspn(at, "\n")] = 0;
		for (char *end = line + strlen(line); end[-1] == ' ';) /* numbers are 5 wide */
			*--end = 0;
		SHOW("%s%s N%s", what, line + 16, at);
		nr++;
	}
	fclose(f);
	CHECK_EQ(nr, 1);
}

/* name: with '@' for a leading NUL. */
static socklen_t name_of(struct sockaddr_un *a, const char *name)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(a->sun_path, name);
	if (*name != '@')
		return sizeof(*a);
	a->sun_path[0] = 0;
	return (socklen_t)(sizeof(a->sun_family) + strlen(name));
}

static int bound(int type, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = name_of(&a, name);
	int s = CHECK_OK(socket(AF_UNIX, type, 0));

	CHECK_OK(bind(s, (struct sockaddr *)&a, len));
	return s;
}

static int connected(int type, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = name_of(&a, name);
	int s = CHECK_OK(socket(AF_UNIX, type, 0));

	CHECK_OK(connect(s, (struct sockaddr *)&a, len));
	return s;
}

TEST(usage, unix_streams_are_listed)
{
	int fresh = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0)), l, c, s, pair[2];
	int packets = bound(SOCK_SEQPACKET, "@packets");

	show_socket("fresh", fresh);
	l = bound(SOCK_STREAM, "listens");
	show_socket("bound", l);
	CHECK_OK(listen(l, 5));
	show_socket("listens", l);
	c = connected(SOCK_STREAM, "listens");
	show_socket("connected", c);
	show_socket("listens", l);
	s = CHECK_OK(accept(l, NULL, NULL));
	show_socket("accepted", s);
	CHECK_OK(unlink("listens"));
	show_socket("listens", l);
	CHECK_OK(listen(packets, 1));
	show_socket("packets", packets);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	show_socket("pair", pair[0]);
	CHECK_OK(shutdown(pair[0], SHUT_WR));
	show_socket("shut", pair[0]);
	close(pair[0]);
	show_socket("alone", pair[1]);
}

/* What nobody accepted yet has no file, and so no number. */
TEST(usage, unix_streams_that_wait_are_listed)
{
	char line[300];
	FILE *f;
	int l = bound(SOCK_STREAM, "@waits");

	CHECK_OK(listen(l, 5));
	(void)connected(SOCK_STREAM, "@waits");
	f = fopen("/proc/net/unix", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strstr(line, " @waits") && strstr(line, " 00000000 0001 "))
			SHOW("%s", line + 16);
	}
	fclose(f);
}

TEST(usage, unix_datagrams_are_listed)
{
	struct sockaddr_un a;
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	int d = bound(SOCK_DGRAM, "@datagrams"), c, odd;

	show_socket("bound", d);
	c = connected(SOCK_DGRAM, "@datagrams");
	show_socket("connected", c);
	show_socket("its peer", d);
	CHECK_OK(connect(c, &none, sizeof(none)));
	show_socket("no longer", c);
	show_socket("its peer", d);
	close(connected(SOCK_DGRAM, "@datagrams"));
	show_socket("its peer", d);
	odd = CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	a = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "\0a\0b c"};
	CHECK_OK(bind(odd, (struct sockaddr *)&a, sizeof(a.sun_family) + 8));
	show_socket("odd", odd);
}

TEST(usage, net_is_a_folder_of_each_process)
{
	char line[100];
	struct stat st;
	FILE *f = fopen("/proc/net/unix", "r");

	CHECK(f && fgets(line, sizeof(line), f));
	CHECK_STREQ(line, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	CHECK_OK(lstat("/proc/net", &st));
	CHECK_EQ(st.st_mode, S_IFLNK | 0777);
	CHECK_EQ(st.st_size, strlen("self/net"));
	CHECK_OK(lstat("/proc/mounts", &st));
	CHECK_EQ(st.st_size, strlen("self/mounts"));
	CHECK_EQ(mode_of("/proc/self/net"), S_IFDIR | 0555);
	CHECK_EQ(mode_of("/proc/thread-self/net"), S_IFDIR | 0555);
	CHECK_EQ(mode_of("/proc/net/unix"), S_IFREG | 0444);
	IN_CHILD(CHECK_OK(setgid(OTHER_USER)); CHECK_OK(setuid(OTHER_USER));
		 CHECK_OK(open("/proc/1/net/unix", O_RDONLY));
		 CHECK_OK(stat("/proc/self/net/unix", &st)); CHECK_EQ(st.st_uid, 0));
}
