// SPDX-License-Identifier: MIT
/*
 * What kbench has no rows for: chains, a server's loop, submission threads, spawning and batches, by the
 * ring and beside it by system calls (bench/programs --ring). The tables, the rounds and the process for
 * each row are kbench's (kbench.h and kbench.c in ../shared/bench), whose other tables are empty here.
 *
 * Runs on any Linux kernel; what one lacks is skipped there.
 */
#include "kbench.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kernel/abi/torus.h"
#include "../tests/guest/ring.h"

#define DATA WORK "/data"

enum {
	ENTRIES = 256,
	FILE_PAGES = 256,
	MESSAGE = 64,
	MIB = 1 << 20,
	IDLE_MS = 1000 /* a submission thread that is used does not fall asleep */
};

static struct ring ring;
static _Alignas(PAGE) char buffer[ENTRIES * PAGE];

/* ---- What tests/guest/ring.h asks of the tests' runner ---- */

void guest_fail(const char *file, int line, const char *fmt, ...)
{
	char why[200];
	int len = snprintf(why, sizeof(why), "line %d: ", line);
	va_list args;

	(void)file;
	va_start(args, fmt);
	vsnprintf(why + len, sizeof(why) - (size_t)len, fmt, args);
	va_end(args);
	fail(why, 0);
}

void guest_skip(const char *fmt, ...)
{
	skip(fmt);
}

const char *errno_name(int error)
{
	return strerror(error);
}

static void close_ring(long n)
{
	ring_close(&ring);
}

static void submit(unsigned nr)
{
	CHECK_EQ(ring_submit(&ring, nr), nr);
}

static void expect(int res)
{
	CHECK_EQ(ring_take(&ring).res, res);
}

/* ---- A file opened, read and closed: as one chain, and by three calls ---- */

static void chain_setup(long n)
{
	int none = -1;

	close(make_file(DATA, PAGE));
	ring_open(&ring, 8, 0);
	CHECK_OK(ring_register(ring.fd, IORING_REGISTER_FILES, &none, 1));
}

static void chain_body(long n)
{
	for (long i = 0; i < n; i++) {
		ring_push(&ring, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
					 .flags = IOSQE_IO_LINK,
					 .fd = AT_FDCWD,
					 .addr = (uintptr_t)DATA,
					 .open_flags = O_RDONLY,
					 .file_index = 1});
		ring_push(&ring, (struct io_uring_sqe){.opcode = IORING_OP_READ,
					 .flags = IOSQE_IO_LINK | IOSQE_FIXED_FILE,
					 .addr = (uintptr_t)buffer,
					 .len = PAGE});
		ring_push(&ring,
			(struct io_uring_sqe){.opcode = IORING_OP_CLOSE, .file_index = 1});
		submit(3);
		expect(0);
		expect(PAGE);
		expect(0);
	}
}

static void file_setup(long n)
{
	close(make_file(DATA, PAGE));
}

static void file_body(long n)
{
	for (long i = 0; i < n; i++) {
		long fd = ok(sc4(SYS_openat, AT_FDCWD, (long)DATA, O_RDONLY, 0), "openat");

		is(sc3(SYS_read, fd, (long)buffer, PAGE), PAGE, "read");
		is(sc1(SYS_close, fd), 0, "close");
	}
}

/* ---- A server that answers each message of 64 bytes; its client makes system calls ---- */

static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = WORK "/socket"};
static int listener, client;

static void push_message(unsigned opcode, int fd)
{
	ring_push(&ring, (struct io_uring_sqe){.opcode = (uint8_t)opcode,
				 .fd = fd,
				 .addr = (uintptr_t)buffer,
				 .len = MESSAGE});
}

/* One io_uring_enter for each message: the answer goes out with the wish for the next one. */
static void serve_with(unsigned flags)
{
	int fd;

	ring_open(&ring, 8, flags);
	ring_push(&ring, (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = listener});
	submit(1);
	CHECK((fd = ring_take(&ring).res) >= 0);
	push_message(IORING_OP_RECV, fd);
	submit(1);
	while (ring_take(&ring).res == MESSAGE) {
		push_message(IORING_OP_SEND, fd);
		push_message(IORING_OP_RECV, fd);
		submit(2);
		expect(MESSAGE);
	}
}

static void serve_by_ring(void)
{
	serve_with(0);
}

static void serve_deferred(void)
{
	serve_with(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
}

static void serve_by_calls(void)
{
	int fd = (int)lib(accept(listener, NULL, NULL), "accept");

	while (sc3(SYS_read, fd, (long)buffer, MESSAGE) == MESSAGE)
		is(sc3(SYS_write, fd, (long)buffer, MESSAGE), MESSAGE, "the answer");
}

static void connect_to(void (*serve)(void))
{
	const struct sockaddr *name = (const struct sockaddr *)&address;

	unlink(address.sun_path);
	listener = (int)lib(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	client = (int)lib(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	lib(bind(listener, name, sizeof(address)), "bind");
	lib(listen(listener, 1), "listen");
	start_peer(serve);
	lib(connect(client, name, sizeof(address)), "connect");
}

static void ring_server_setup(long n)
{
	connect_to(serve_by_ring);
}

static void deferred_server_setup(long n)
{
	connect_to(serve_deferred);
}

static void call_server_setup(long n)
{
	connect_to(serve_by_calls);
}

static void client_body(long n)
{
	for (long i = 0; i < n; i++) {
		is(sc3(SYS_write, client, (long)buffer, MESSAGE), MESSAGE, "write");
		is(sc3(SYS_read, client, (long)buffer, MESSAGE), MESSAGE, "read");
	}
}

static void server_teardown(long n)
{
	/* The server has a copy of this end, made by fork. */
	lib(shutdown(client, SHUT_WR), "shutdown");
	close(client);
	close(listener);
	stop_peer();
}

/* ---- Round trips with a submission thread ---- */

static int file;

/* Kept for all rounds of a row, as its process ends with it: a profile has less of what is not the row. */
static void need_file(void)
{
	if (!file)
		file = make_file(DATA, FILE_PAGES * PAGE);
}

static void open_sqpoll(unsigned flags, unsigned cpu)
{
	need_file();
	ring = (struct ring){.p = {.flags = IORING_SETUP_SQPOLL | flags,
				     .sq_thread_idle = IDLE_MS,
				     .sq_thread_cpu = cpu}};
	ring_open_with(&ring, 8);
}

static void waiting_setup(long n)
{
	open_sqpoll(0, 0);
}

static int stay_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/*
 * One that polls needs a CPU for itself: while it spins on the thread's, that cannot run. Each has its own
 * from the first, or the row would say how soon a kernel parts them.
 */
static void polling_setup(long n)
{
	if (stay_on(1))
		skip("one CPU");
	lib(stay_on(0), "sched_setaffinity");
	open_sqpoll(IORING_SETUP_SQ_AFF, 1);
}

static void give_to_thread(struct io_uring_sqe entry)
{
	ring_push(&ring, entry);
	/* Pairs with the thread's, between saying that it sleeps and looking once more. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring_load(&ring, ring.p.sq_off.flags) & IORING_SQ_NEED_WAKEUP)
		CHECK_OK(ring_enter(ring.fd, 0, 0, IORING_ENTER_SQ_WAKEUP));
}

static void poll_for(int res)
{
	while (!ring_ready(&ring))
		__builtin_ia32_pause();
	expect(res);
}

static struct io_uring_sqe read_of_page(long i)
{
	return (struct io_uring_sqe){.opcode = IORING_OP_READ,
		.fd = file,
		.off = (uint64_t)(i % FILE_PAGES) * PAGE,
		.addr = (uintptr_t)(buffer + i % ENTRIES * PAGE),
		.len = PAGE};
}

static void nop_poll_body(long n)
{
	for (long i = 0; i < n; i++) {
		give_to_thread((struct io_uring_sqe){.opcode = IORING_OP_NOP});
		poll_for(0);
	}
}

static void read_poll_body(long n)
{
	for (long i = 0; i < n; i++) {
		give_to_thread(read_of_page(i));
		poll_for(PAGE);
	}
}

static void nop_wait_body(long n)
{
	for (long i = 0; i < n; i++) {
		give_to_thread((struct io_uring_sqe){.opcode = IORING_OP_NOP});
		expect(0);
	}
}

static void read_wait_body(long n)
{
	for (long i = 0; i < n; i++) {
		give_to_thread(read_of_page(i));
		expect(PAGE);
	}
}

/* ---- Reads of a file in memory, so many by each io_uring_enter ---- */

static void reading_setup(long n)
{
	need_file();
	ring_open(&ring, ENTRIES, 0);
}

static void reads(long n, unsigned batch)
{
	for (long i = 0; i < n; i += batch) {
		for (unsigned b = 0; b < batch; b++)
			ring_push(&ring, read_of_page(i + b));
		submit(batch);
		for (unsigned b = 0; b < batch; b++)
			expect(PAGE);
	}
}

static void reads_1(long n)
{
	reads(n, 1);
}

static void reads_4(long n)
{
	reads(n, 4);
}

static void reads_16(long n)
{
	reads(n, 16);
}

static void reads_64(long n)
{
	reads(n, 64);
}

static void reads_256(long n)
{
	reads(n, 256);
}

/* ---- A program started and waited for, by a parent that has touched so much in pages of 4 KiB ---- */

static char *argv[] = {"tiny", NULL}, *envp[] = {NULL};

/* Kept for all rounds of a row, like the file. */
static void resident(size_t mib)
{
	static char *map;

	make_tiny_program();
	if (map)
		return;
	map = mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		skip("not enough memory");
	madvise(map, mib * MIB, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < mib * MIB; at += PAGE)
		map[at] = 1;
}

static void resident_1m(long n)
{
	resident(1);
}

static void resident_64m(long n)
{
	resident(64);
}

static void resident_1g(long n)
{
	resident(1024);
}

/* Once for all rounds, too. */
static void spawn_ring_setup(size_t mib)
{
	int none = -1;

	if (ring.rings)
		return;
	ring_open(&ring, 8, 0);
	if (!ring_has_op(&ring, TORUS_OP_SPAWN))
		skip("no TORUS_OP_SPAWN");
	CHECK_OK(ring_register(ring.fd, IORING_REGISTER_FILES, &none, 1));
	resident(mib);
}

static void spawn_ring_1m(long n)
{
	spawn_ring_setup(1);
}

static void spawn_ring_64m(long n)
{
	spawn_ring_setup(64);
}

static void spawn_ring_1g(long n)
{
	spawn_ring_setup(1024);
}

/* The descriptor goes into slot 0, out of which it puts the one before. */
static void spawn_ring_body(long n)
{
	struct torus_spawn what = {
		.path = (uintptr_t)TINY, .argv = (uintptr_t)argv, .envp = (uintptr_t)envp};
	siginfo_t info;

	for (long i = 0; i < n; i++) {
		ring_push(&ring, (struct io_uring_sqe){.opcode = TORUS_OP_SPAWN,
					 .flags = IOSQE_IO_LINK,
					 .fd = AT_FDCWD,
					 .addr = (uintptr_t)&what,
					 .len = sizeof(what),
					 .file_index = 1});
		ring_push(&ring, (struct io_uring_sqe){.opcode = IORING_OP_WAITID,
					 .len = P_ALL,
					 .addr2 = (uintptr_t)&info,
					 .file_index = WEXITED});
		submit(2);
		expect(0);
		expect(0);
		is(info.si_status, 0, "the child failed");
	}
}

static void wait_for(pid_t pid)
{
	int status;

	is(sc4(SYS_wait4, pid, (long)&status, 0, 0), pid, "wait4");
	is(status, 0, "the child failed");
}

static void spawn_posix_body(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t pid;
		int err = posix_spawn(&pid, TINY, NULL, NULL, argv, envp);

		if (err)
			fail("posix_spawn", err);
		wait_for(pid);
	}
}

static void spawn_fork_body(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t pid = (pid_t)ok(sc0(SYS_fork), "fork");

		if (pid == 0) {
			execve(TINY, argv, envp);
			_exit(1);
		}
		wait_for(pid);
	}
}

/* ---- The table ---- */

const struct test basic_tests[1], ipc_tests[1], process_tests[1], memory_tests[1],
	file_tests[1], net_tests[1];

const struct test uring_tests[] = {
	{"open_read_close_ring", "op", 1000, chain_setup, chain_body, close_ring},
	{"open_read_close_calls", "op", 1000, file_setup, file_body, NULL},
	{"server_rt_ring", "op", 1000, ring_server_setup, client_body, server_teardown},
	{"server_rt_deferred", "op", 1000, deferred_server_setup, client_body, server_teardown},
	{"server_rt_calls", "op", 1000, call_server_setup, client_body, server_teardown},
	{"sqpoll_nop_poll", "op", 1000, polling_setup, nop_poll_body, close_ring},
	{"sqpoll_read_4k_poll", "op", 1000, polling_setup, read_poll_body, close_ring},
	{"sqpoll_nop_wait", "op", 1000, waiting_setup, nop_wait_body, close_ring},
	{"sqpoll_read_4k_wait", "op", 1000, waiting_setup, read_wait_body, close_ring},
	{"read_4k_by_1", "op", 1024, reading_setup, reads_1, close_ring},
	{"read_4k_by_4", "op", 1024, reading_setup, reads_4, close_ring},
	{"read_4k_by_16", "op", 1024, reading_setup, reads_16, close_ring},
	{"read_4k_by_64", "op", 1024, reading_setup, reads_64, close_ring},
	{"read_4k_by_256", "op", 1024, reading_setup, reads_256, close_ring},
	{"spawn_ring_1m", "op", 50, spawn_ring_1m, spawn_ring_body, NULL},
	{"spawn_ring_64m", "op", 50, spawn_ring_64m, spawn_ring_body, NULL},
	{"spawn_ring_1g", "op", 50, spawn_ring_1g, spawn_ring_body, NULL},
	{"spawn_posix_1m", "op", 50, resident_1m, spawn_posix_body, NULL},
	{"spawn_posix_64m", "op", 50, resident_64m, spawn_posix_body, NULL},
	{"spawn_posix_1g", "op", 50, resident_1g, spawn_posix_body, NULL},
	{"spawn_fork_1m", "op", 10, resident_1m, spawn_fork_body, NULL},
	{"spawn_fork_64m", "op", 10, resident_64m, spawn_fork_body, NULL},
	{"spawn_fork_1g", "op", 4, resident_1g, spawn_fork_body, NULL},
	{NULL, NULL, 0, NULL, NULL, NULL}};
