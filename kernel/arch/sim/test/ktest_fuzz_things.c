// SPDX-License-Identifier: MIT
/*
 * The fuzzer of rings (ktest_fuzz.c): what a victim has, and what a byte names.
 *
 * The structures that calls read are written once, eight of each kind, most of them sensible. A record may
 * overwrite any of them.
 */
#include "arch/sim/test/fuzz.h"

#include "lib/string.h"

#include <asm/signal.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/un.h>

#include "abi/socket.h"

struct vector {
	uint64_t at, len;
};

enum {
	EACH = 8, /* of a kind */
	VECTORS = 4,
	FDS = 8,
	LISTENER = 10, /* among the descriptors */
	UNCONNECTED = 20,
};

/* ---- Where each kind is ---- */

enum {
	VECTORS_OFF = 0,
	VECTORS_SIZE = VECTORS * sizeof(struct vector),
	MSGS_OFF = VECTORS_OFF + EACH * VECTORS_SIZE,
	MSGS_SIZE = 64,
	TIMES_OFF = MSGS_OFF + EACH * MSGS_SIZE,
	TIMES_SIZE = 16,
	NAMES_OFF = TIMES_OFF + EACH * TIMES_SIZE,
	ADDRS_OFF = NAMES_OFF + NR_NAMES * NAME_SIZE,
	ADDRS_SIZE = 32,
	EVENTS_OFF = ADDRS_OFF + EACH * ADDRS_SIZE,
	EVENTS_SIZE = 16,
	WAITVS_OFF = EVENTS_OFF + EACH * EVENTS_SIZE,
	WAITVS_SIZE = 3 * sizeof(struct futex_waitv),
	HOWS_OFF = WAITVS_OFF + EACH * WAITVS_SIZE,
	HOWS_SIZE = 32,
	SPAWNS_OFF = HOWS_OFF + EACH * HOWS_SIZE,
	SPAWNS_SIZE = 128,
	ACTIONS_OFF = SPAWNS_OFF + EACH * SPAWNS_SIZE,
	ACTIONS_SIZE = 4 * sizeof(struct torus_file_action),
	LIMITS_OFF = ACTIONS_OFF + EACH * ACTIONS_SIZE,
	LIMITS_SIZE = 2 * sizeof(struct torus_limit),
	CONTROLS_OFF = LIMITS_OFF + EACH * LIMITS_SIZE,
	CONTROLS_SIZE = 32,
	FDS_OFF = CONTROLS_OFF + EACH * CONTROLS_SIZE,
	FDS_SIZE = FDS * sizeof(int),
	ARGV_OFF = FDS_OFF + EACH * FDS_SIZE,
	ARGV_SIZE = 32,
	THINGS_SIZE = ARGV_OFF + ARGV_SIZE,
};
static_assert(THINGS_SIZE <= GROUPS_AT - THINGS_AT, "they have their place");

#define THING(kind, i) (THINGS_AT + kind##_OFF + (i)*kind##_SIZE)

enum { NAMES_SIZE = NAME_SIZE };

static const char names[NR_NAMES][NAME_SIZE] = {"a", "b", "d", "d/x", "d/y", "s", "fifo",
	"sock", ".", "", "d/../a", "none/x", PROGRAM, "user.x", "user.y", "trusted.z"};

static const struct __kernel_timespec times[EACH] = {{0, 1000}, {0, 20000}, {0, 0}, {0, 300000},
	{1000, 0}, {-1, 0}, {0, 2000000000}, {0, 100}};

static const struct sockaddr_un addrs[EACH] = {{AF_UNIX, "\0fuzz"}, {AF_UNIX, "sock"},
	{AF_UNIX, "\0other"}, {AF_UNIX, ""}, {AF_UNSPEC, ""}, {AF_UNIX, "a"}, {99, "x"},
	{AF_UNIX, "none/s"}};

/* ---- Writing them ---- */

void fuzz_put(uint64_t at, const void *from, size_t len)
{
	while (!sim_store(at, from, len))
		;
}

#define PUT(at, type, ...) fuzz_put(at, &(type){__VA_ARGS__}, sizeof(type))

static uint64_t data_at(unsigned i)
{
	return DATA_AT + i % 64 * 0x300;
}

static void put_vectors(unsigned i)
{
	static const uint16_t lens[] = {8, 100, 0, 4096, 5000, 1, 16, 300};

	for (unsigned k = 0; k < VECTORS; k++)
		PUT(THING(VECTORS, i) + k * sizeof(struct vector), struct vector,
			i == EACH - 1 && k == 2 ? NOWHERE : data_at(i * VECTORS + k),
			lens[(i + k) % ARRAY_LEN(lens)]);
}

/* A message with vectors; every second one with a name, every fourth with descriptors. */
static void put_message(unsigned i)
{
	struct {
		uint64_t name;
		uint32_t name_len, pad;
		uint64_t iov, nr_iov, control, control_len;
		uint32_t flags, pad2;
	} msg = {
		.name = i & 1 ? THING(ADDRS, i / 2) : 0,
		.name_len = i & 1 ? 8 : 0,
		.iov = THING(VECTORS, i),
		.nr_iov = i % (VECTORS + 1),
		.control = i & 2 ? THING(CONTROLS, i) : 0,
		.control_len = i & 2 ? 24 : 0,
	};
	struct {
		uint64_t len;
		int32_t level, type, fd[2];
	} control = {.len = 24,
		.level = SOL_SOCKET,
		.type = SCM_RIGHTS,
		.fd = {FIRST_RING + (int)i % NR_RINGS, 4 + (int)i}};

	static_assert(sizeof(msg) == 56, "struct msghdr");
	fuzz_put(THING(MSGS, i), &msg, sizeof(msg));
	fuzz_put(THING(CONTROLS, i), &control, sizeof(control));
}

static void put_waits(unsigned i)
{
	for (unsigned k = 0; k < 3; k++)
		PUT(THING(WAITVS, i) + k * sizeof(struct futex_waitv), struct futex_waitv,
			.uaddr = DATA_AT + 4 * (i + k), .flags = 2 /* FUTEX2_SIZE_U32 */);
}

static void put_spawn(unsigned i)
{
	static const struct torus_file_action actions[EACH] = {
		{.action = TORUS_FILE_DUP, .fd = 1, .from = 5},
		{.action = TORUS_FILE_OPEN,
			.fd = 3,
			.from = AT_FDCWD,
			.flags = O_RDWR | O_CREAT,
			.path = THINGS_AT + NAMES_OFF,
			.mode = 0600},
		{.action = TORUS_FILE_CLOSE, .fd = 9},
		{.action = TORUS_FILE_INHERIT, .fd = 2, .from = 4},
		{.action = TORUS_FILE_CHDIR, .path = THINGS_AT + NAMES_OFF + 2 * NAME_SIZE},
		{.action = TORUS_FILE_FCHDIR, .fd = 15},
		{.action = TORUS_FILE_CLOSE_FROM, .fd = 10},
		{.action = TORUS_FILE_DUP, .fd = FIRST_RING + 1, .from = FIRST_RING}};
	struct torus_spawn s = {.flags = i == 0 ? 0 : 1u << (i + 1),
		.path = THING(NAMES, 12),
		.argv = THING(ARGV, 0),
		.envp = THING(ARGV, 0) + 16,
		.actions = THING(ACTIONS, i),
		.nr_actions = i % 5,
		.limits = THING(LIMITS, i),
		.nr_limits = i == 3,
		.sigmask = i,
		.sigdefault = -1ul,
		.exit_signal = i == 5 ? SIGUSR1 : 0,
		.pid = i & 1 ? data_at(i) : 0};

	if (i == EACH - 1)
		s.path = THING(NAMES, 11); /* none */
	fuzz_put(THING(SPAWNS, i), &s, sizeof(s));
	for (unsigned k = 0; k < 4; k++)
		fuzz_put(THING(ACTIONS, i) + k * sizeof(actions[0]), &actions[(i + k) % EACH],
			sizeof(actions[0]));
	PUT(THING(LIMITS, i), struct torus_limit, .resource = 7, .soft = 30, .hard = 60);
}

static void put_things(void)
{
	for (unsigned i = 0; i < EACH; i++) {
		put_vectors(i);
		put_message(i);
		put_waits(i);
		put_spawn(i);
		fuzz_put(THING(TIMES, i), &times[i], sizeof(times[i]));
		fuzz_put(THING(ADDRS, i), &addrs[i], ADDRS_SIZE);
		PUT(THING(EVENTS, i), struct epoll_event,
			i == 7 ? EPOLLIN | EPOLLET : EPOLLIN << i % 4, i);
		PUT(THING(HOWS, i), struct open_how, .flags = O_RDWR | (i & 1 ? O_CREAT : 0),
			.mode = i & 1 ? 0600 : 0, .resolve = i >= 4 ? 1ul << i : 0);
		for (unsigned k = 0; k < FDS; k++)
			sim_store32(THING(FDS, i) + k * 4,
				k == 7 ? (uint32_t)-1 : (i * 5 + k * 3) % NR_FDS);
	}
	for (unsigned i = 0; i < NR_NAMES; i++)
		fuzz_put(THING(NAMES, i), names[i], NAME_SIZE);
	PUT(THING(ARGV, 0), uint64_t, THING(NAMES, 0));
}

static void map(uint64_t at, size_t size, int prot)
{
	(void)SIM_CALL(__NR_mmap, at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		(uint64_t)-1, 0);
}

void fuzz_make_memory(void)
{
	map(FUZZ_AT, FUZZ_END - FUZZ_AT, PROT_READ | PROT_WRITE);
	map(READ_ONLY, PAGE_SIZE, PROT_READ);
	map(FORBIDDEN, PAGE_SIZE, PROT_NONE);
	put_things();
}

/* ---- Descriptors ---- */

#define NAME(i) THING(NAMES, i)

/* Numbers 0 to OPENED - 1; some stay free. */
void fuzz_make_files(void)
{
	uint64_t at = DATA_AT;
	int64_t epoll;

	(void)SIM_CALL(__NR_pipe2, at, 0);                               /* 0 1 */
	(void)SIM_CALL(__NR_pipe2, at, O_NONBLOCK);                      /* 2 3 */
	(void)SIM_CALL(__NR_socketpair, AF_UNIX, SOCK_STREAM, 0, at);    /* 4 5 */
	(void)SIM_CALL(__NR_socketpair, AF_UNIX, SOCK_DGRAM, 0, at);     /* 6 7 */
	(void)SIM_CALL(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, at); /* 8 9 */
	(void)SIM_CALL(__NR_socket, AF_UNIX, SOCK_STREAM, 0);            /* 10: listens */
	(void)SIM_CALL(__NR_bind, 10, THING(ADDRS, 0), 7);
	(void)SIM_CALL(__NR_listen, 10, 2);
	(void)SIM_CALL(__NR_eventfd2, 0, 0);                     /* 11 */
	(void)SIM_CALL(__NR_timerfd_create, CLOCK_MONOTONIC, 0); /* 12 */
	epoll = SIM_CALL(__NR_epoll_create1, 0);                 /* 13 */
	for (uint64_t fd = 0; fd < 12; fd += 4)
		(void)SIM_CALL(
			__NR_epoll_ctl, (uint64_t)epoll, EPOLL_CTL_ADD, fd, THING(EVENTS, 0));
	(void)SIM_CALL(__NR_mkdir, NAME(2), 0700);
	(void)SIM_CALL(__NR_open, NAME(0), O_RDWR | O_CREAT, 0600); /* 14 */
	(void)SIM_CALL(__NR_write, 14, THINGS_AT, 3000);
	(void)SIM_CALL(__NR_lseek, 14, 0, 0);
	(void)SIM_CALL(__NR_open, NAME(2), O_RDONLY | O_DIRECTORY); /* 15 */
	sim_store32(at, 1u << (SIGUSR2 - 1));
	sim_store32(at + 4, 0);
	(void)SIM_CALL(__NR_signalfd4, (uint64_t)-1, at, 8, 0); /* 16 */
	(void)SIM_CALL(__NR_inotify_init1, 0);                  /* 17 */
	(void)SIM_CALL(__NR_inotify_add_watch, 17, NAME(8), 0xfff);
	(void)SIM_CALL(__NR_pidfd_open, (uint64_t)SIM_CALL(__NR_getpid, 0), 0); /* 18 */
	(void)SIM_CALL(__NR_memfd_create, NAME(0), 0);                          /* 19 */
	(void)SIM_CALL(__NR_socket, AF_UNIX, SOCK_STREAM, 0);                   /* 20 */
	(void)SIM_CALL(__NR_open, NAME(8), O_PATH);                             /* 21 */
	(void)SIM_CALL(__NR_symlink, NAME(0), NAME(5));
	(void)SIM_CALL(__NR_mknod, NAME(6), 010600, 0);
	(void)SIM_CALL(__NR_open, NAME(6), O_RDWR); /* 22 */
}

/* ---- Bytes ---- */

enum { FIRST_WRONG = 0xe8 }; /* of the bytes that mean pointers */

static uint64_t wrong_pointer(uint8_t byte)
{
	const struct fuzz_ring *r = &fuzz_rings[byte % NR_RINGS];

	switch (byte & 7) {
	case 0:
		return 0;
	case 1:
		return READ_ONLY + 8;
	case 2:
		return FORBIDDEN - 8;
	case 3:
		return NOWHERE;
	case 4:
		return r->queues;
	case 5:
		return r->entries;
	case 6:
		return 0xffff800000001000;
	default:
		return FUZZ_END - 4;
	}
}

static uint64_t number(uint8_t byte)
{
	static const uint32_t numbers[] = {8, 1, 2, 3, 0, 16, 64, 100, 512, 1000, 4096, 5000,
		8192, 0x10000, 0x7fffffff, UINT32_MAX};

	return numbers[byte % ARRAY_LEN(numbers)];
}

static uint64_t offset(uint8_t byte)
{
	static const uint64_t offsets[] = {0, 0, UINT64_MAX, 1, 100, 4096, 5000, INT64_MAX};

	return offsets[byte % ARRAY_LEN(offsets)];
}

static uint64_t descriptor(uint8_t byte)
{
	static const int others[] = {-1, AT_FDCWD, 1000, INT32_MIN};

	return (uint32_t)(byte >= 0xf8 ? others[byte % ARRAY_LEN(others)] : byte % NR_FDS);
}

/* One bit, or none. */
static uint64_t bit(uint8_t byte)
{
	return byte ? 1ul << (byte - 1) % 32 : 0;
}

/*
 *   0-9     that number                      c  a few             n  a length       o  an offset
 *   f d k   a descriptor, a directory's, a socket's               u  a name of a request
 *   l K R   one that listens, one that may connect, a ring's
 *   b       a buffer                         w  a futex           r  a bit
 *   v m t p s S  vectors, a message, a time, a path, an address of a socket, its length
 *   e W h P x D  an event, futexes to wait for, open_how, a spawn, an attribute, descriptors
 *   i       a slot for a direct descriptor   B  the byte itself
 */
uint64_t fuzz_draw(char letter, uint8_t byte)
{
	if (letter >= '0' && letter <= '9')
		return byte >= FIRST_WRONG ? byte : (uint64_t)(letter - '0');
	if (byte >= FIRST_WRONG && strchr("bwvmtpsehWPxD", letter))
		return wrong_pointer(byte);
	switch (letter) {
	case 'c':
		return byte % 5;
	case 'n':
		return number(byte);
	case 'o':
		return offset(byte);
	case 'f':
		return descriptor(byte);
	case 'd':
		return byte < 0x80 ? (uint32_t)AT_FDCWD : descriptor(byte);
	case 'k':
		return byte < 0xc0 ? 4 + byte % 7 : descriptor(byte);
	case 'l':
		return byte < 0x80 ? LISTENER : descriptor(byte);
	case 'K':
		return byte < 0x80 ? UNCONNECTED : descriptor(byte);
	case 'R':
		return byte < 0xc0 ? FIRST_RING + byte % NR_RINGS : descriptor(byte);
	case 'u':
		return byte % 16;
	case 'b':
		return data_at(byte);
	case 'w':
		return DATA_AT + byte % EACH * 4;
	case 'r':
		return bit(byte);
	case 'v':
		return THING(VECTORS, byte % EACH);
	case 'm':
		return THING(MSGS, byte % EACH);
	case 't':
		return THING(TIMES, byte % EACH);
	case 'p':
		return THING(NAMES, byte % NR_NAMES);
	case 's':
		return THING(ADDRS, byte % EACH);
	case 'S':
		return byte ? byte % 40 : 7;
	case 'e':
		return THING(EVENTS, byte % EACH);
	case 'W':
		return THING(WAITVS, byte % EACH);
	case 'h':
		return THING(HOWS, byte % EACH);
	case 'P':
		return THING(SPAWNS, byte % EACH);
	case 'x':
		return THING(NAMES, 13 + byte % 3);
	case 'D':
		return THING(FDS, byte % EACH);
	case 'i':
		return byte < 0x80 ? 0 : byte == 0xff ? IORING_FILE_INDEX_ALLOC : 1 + byte % 8;
	default:
		return byte;
	}
}
