// SPDX-License-Identifier: MIT
/*
 * The fuzzer of rings: an input (arch/sim/fuzz.h) is a program that uses and misuses io_uring.
 *
 *     process 1   runs a small input and this one once as it is, notes what the kernel has, runs it as its head says (an
 *                 allocation fails, it is killed at a moment or after a time), and compares
 *     the victim  up to three threads and a child, each of which takes its own records in their order;
 *                 all have the same rings, descriptors and memory
 *
 * A record makes a ring, puts an entry into one, enters, registers, takes completions, writes where the kernel
 * reads, moves bytes so that requests wake, closes, unmaps, puts a filter on calls, answers for a supervisor, becomes
 * another user, ends a thread. Nothing is right or wrong about the
 * results: what must not be is a panic, a report of a sanitizer, a lock out of order, a thread that cannot be
 * killed, and anything that is left when all have ended.
 *
 * A record means the same whatever is around it, as far as that can be: torus-sim makes new inputs by leaving out,
 * doubling and exchanging them.
 */
#include "arch/sim/test/fuzz.h"

#include "irq/work.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/fail.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "sched/thread.h"
#include "time/clock.h"

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <linux/wait.h>

#include "abi/socket.h"

enum {
	THREADS = 3,
	CHILD = 3, /* the one who is a process of its own */
	WHO = 4,
	ENTRIES_ENTERED = 63, /* the record that adds an entry and submits it */
	LOOK_EVERY_NS = 100000,
	END_UNIT_NS = 4000,
	END_AT_LAST_NS = 40 * NS_PER_MS,
};
#define FOLDER "/fuzz"

struct fuzz_ring fuzz_rings[NR_RINGS];
static const struct fuzz_input *input;
static bool is_disturbed;   /* the head counts */
static struct proc *victim; /* one reference; NULL: none yet */
static struct thread *victim_thread;

/* ---- What may come between ---- */

static bool is_victims(const struct thread *t)
{
	return t->user ? t->user->pid_nr != 1 : str_equal(t->name, "ring");
}

static void strike(void)
{
	signal_kernel_proc(victim, SIGKILL);
}

static void become_victim(void)
{
	static const enum sim_moment kinds[] = {[FUZZ_STEP] = MOMENT_STEP,
		[FUZZ_LEAVE] = MOMENT_LEAVE,
		[FUZZ_ANY] = MOMENT_ANY};
	const struct fuzz_head *head = &input->head;
	unsigned moment = head->moment % FUZZ_MOMENTS;

	victim = proc_current();
	proc_get(victim);
	victim_thread = arch_current();
	thread_get(victim_thread);
	if (!is_disturbed)
		return;
	if (head->nth_allocation)
		fail_arm_for(head->nth_allocation, is_victims);
	if (moment)
		sim_moment_arm(kinds[moment], head->nth_moment, strike);
}

static void forget_victim(void)
{
	(void)fail_disarm();
	(void)sim_moment_disarm();
	if (!victim)
		return;
	thread_put(victim_thread);
	proc_put(victim);
	victim = NULL;
}

/* ---- Queues ---- */

static void add_entry(struct fuzz_ring *r, const uint8_t *byte)
{
	uint32_t index = r->sq_tail & (r->p.sq_entries - 1);
	size_t size = r->p.flags & IORING_SETUP_SQE128 ? 128 : 64;
	struct io_uring_sqe e = fuzz_entry(byte);

	fuzz_put(r->entries + index * size, &e, sizeof(e));
	if (!(r->p.flags & IORING_SETUP_NO_SQARRAY))
		sim_store32(r->queues + r->p.sq_off.array + index * sizeof(uint32_t), index);
	sim_store32(r->queues + r->p.sq_off.tail, ++r->sq_tail);
	r->nr_new++;
}

static void enter(struct fuzz_ring *r, const uint8_t *b)
{
	static const uint32_t ways[] = {IORING_ENTER_GETEVENTS, 0,
		IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, IORING_ENTER_SQ_WAKEUP,
		IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT};
	struct ring_getevents_arg arg = {.ts = b[3] == 0xff ? 0 : fuzz_draw('t', b[3]),
		.min_wait_usec = b[4] >= 0x80 ? b[4] : 0};
	uint32_t flags = ways[b[2] % ARRAY_LEN(ways)], nr = b[0] ? b[0] % 32 : r->nr_new;

	if (b[5])
		flags ^= 1u << b[5] % 9;
	r->nr_new = 0;
	(void)SIM_CALL(__NR_io_uring_enter, (uint64_t)fuzz_fd_of(r), nr, b[1] % 4,
		flags | IORING_ENTER_EXT_ARG, sim_scratch(&arg, sizeof(arg)), sizeof(arg));
}

static void take_completions(struct fuzz_ring *r)
{
	r->cq_head = sim_load32(r->queues + r->p.cq_off.tail);
	sim_store32(r->queues + r->p.cq_off.head, r->cq_head);
	(void)SIM_CALL(__NR_io_uring_enter, (uint64_t)fuzz_fd_of(r), 0, 0,
		IORING_ENTER_GETEVENTS, 0, 0);
}

/* ---- Memory that the kernel reads ---- */

static uint32_t word_of(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void meddle(struct fuzz_ring *r, const uint8_t *b)
{
	uint32_t value = word_of(b + 2);

	switch (b[0] % 4) {
	case 0: /* heads, tails, masks, flags */
		sim_store32(r->queues + b[1] % 16 * 4,
			b[6] & 1 ? value : sim_load32(r->queues + b[1] % 16 * 4) + b[2] % 16);
		return;
	case 1:
		if (!(r->p.flags & IORING_SETUP_NO_SQARRAY))
			sim_store32(r->queues + r->p.sq_off.array + b[1] % r->p.sq_entries * 4u,
				b[6] & 1 ? value : b[2] % 16);
		return;
	case 2: /* an entry that may be looked at just now */
		sim_store32(r->entries + b[1] % 64 * 4u, value);
		return;
	default:
		sim_store32(THINGS_AT + (b[1] | (uint64_t)b[6] << 8) % 0x1000 * 4, value);
	}
}

/* Buffers into a group, by its ring in our memory. */
static void provide(const uint8_t *b)
{
	uint64_t group = GROUPS_AT + b[0] % NR_GROUPS * GROUP_SIZE;
	uint32_t tail = sim_load32(group + 12) >> 16, mask = b[3] ? (1u << b[3] % 7) - 1 : 63;

	for (unsigned i = 0; i < 1u + b[1] % 8; i++, tail++) {
		struct {
			uint64_t at;
			uint32_t len;
			uint16_t id;
		} __attribute__((packed)) buf = {fuzz_draw('b', (uint8_t)(b[2] + i)),
			(uint32_t)fuzz_draw('n', b[4]), (uint16_t)tail};

		fuzz_put(group + (tail & mask) * 16, &buf, 14);
	}
	fuzz_put(group + 14, &(uint16_t){(uint16_t)tail}, 2);
}

static void change_memory(struct fuzz_ring *r, const uint8_t *b)
{
	uint64_t at = DATA_AT + b[1] % 24 * PAGE_SIZE, size = (1 + b[2] % 3) * PAGE_SIZE;

	if (b[1] == 0xff)
		at = r->queues;
	switch (b[0] % 4) {
	case 0:
		(void)SIM_CALL(__NR_mmap, at, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1, 0);
		return;
	case 1:
		(void)SIM_CALL(__NR_madvise, at, size, MADV_DONTNEED);
		return;
	case 2:
		(void)SIM_CALL(
			__NR_mprotect, at, size, b[3] & 1 ? PROT_READ : PROT_READ | PROT_WRITE);
		return;
	default:
		if (b[3] >= 0xf0)
			(void)SIM_CALL(__NR_munmap, at, size);
	}
}

/* ---- Descriptors ---- */

/* What wakes requests: bytes, connections, an event, a word. */
static void move_bytes(const uint8_t *b)
{
	uint64_t fd = fuzz_draw('f', b[1]), data = fuzz_draw('b', b[2]);

	switch (b[0] % 10) {
	case 0:
	case 1:
		(void)SIM_CALL(__NR_pwritev2, fd, fuzz_draw('v', b[2]), 1, (uint64_t)-1,
			(uint64_t)-1, RWF_NOWAIT);
		return;
	case 2:
		(void)SIM_CALL(__NR_preadv2, fd, fuzz_draw('v', b[2]), 2, (uint64_t)-1,
			(uint64_t)-1, RWF_NOWAIT);
		return;
	case 3:
		(void)SIM_CALL(__NR_sendto, fuzz_draw('k', b[1]), data, fuzz_draw('n', b[3]),
			MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
		return;
	case 4:
		(void)SIM_CALL(__NR_recvfrom, fuzz_draw('k', b[1]), data, fuzz_draw('n', b[3]),
			MSG_DONTWAIT, 0, 0);
		return;
	case 5:
		(void)SIM_CALL(__NR_connect,
			(uint64_t)SIM_CALL(
				__NR_socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0),
			fuzz_draw('s', b[2]), fuzz_draw('S', b[3]));
		return;
	case 6:
		(void)SIM_CALL(__NR_futex, fuzz_draw('w', b[2]), FUTEX_WAKE, b[3] % 4);
		return;
	case 7:
		(void)SIM_CALL(__NR_sendmsg, fuzz_draw('k', b[1]), fuzz_draw('m', b[2]),
			MSG_DONTWAIT | MSG_NOSIGNAL);
		return;
	case 8:
		(void)SIM_CALL(__NR_kill, (uint64_t)SIM_CALL(__NR_getpid, 0),
			b[3] & 1 ? SIGUSR1 : SIGUSR2);
		return;
	default:
		(void)SIM_CALL(__NR_epoll_ctl, 13, 1 + b[3] % 3, fd, fuzz_draw('e', b[2]));
	}
}

static void change_files(struct fuzz_ring *r, const uint8_t *b)
{
	switch (b[0] % 4) {
	case 0:
		(void)SIM_CALL(__NR_close, fuzz_draw('f', b[1]));
		return;
	case 1:
		(void)SIM_CALL(__NR_close, (uint64_t)fuzz_fd_of(r));
		return;
	case 2:
		(void)SIM_CALL(__NR_dup2, fuzz_draw('f', b[1]), fuzz_draw('f', b[2]));
		return;
	default:
		(void)SIM_CALL(__NR_shutdown, fuzz_draw('k', b[1]), b[2] % 3);
	}
}

/* ---- Records ---- */

static void end(const uint8_t *b)
{
	switch (b[0] % 16) {
	case 0:
		sim_exit_thread();
	case 1:
		sim_exit_process(0);
	case 2:
		sim_kill(SIM_CALL(__NR_getpid, 0), SIGKILL);
		return;
	case 3:
		(void)SIM_CALL(__NR_execve, sim_scratch(PROGRAM, sizeof(PROGRAM)),
			sim_scratch(&(uint64_t){0}, 8), sim_scratch(&(uint64_t){0}, 8));
		return;
	default: /* too often if it always were so */
		return;
	}
}

static void wait_first(unsigned long_enough)
{
	enum { YIELDS = 12, UNIT_NS = 20000 };
	struct __kernel_timespec ts = {.tv_nsec = (long_enough - YIELDS + 1) * UNIT_NS};

	if (long_enough >= YIELDS)
		(void)SIM_CALL(__NR_nanosleep, sim_scratch(&ts, sizeof(ts)), 0);
	else if (long_enough >= YIELDS / 2)
		sim_yield(1);
}

static void take_record(const struct fuzz_record *rec)
{
	static const uint8_t none[FUZZ_BYTES];
	struct fuzz_ring *r = &fuzz_rings[rec->who >> 2 & 3];
	const uint8_t *b = rec->byte;

	wait_first(rec->who >> 4);
	if (!r->is_made)
		fuzz_setup(r, none);
	if (!r->is_made)
		return;
	switch (rec->what % 64) {
	case 0 ... 24:
		add_entry(r, b);
		return;
	case 25:
		fuzz_rights(r, b);
		return;
	case 26 ... 27:
		fuzz_supervise(b);
		return;
	case 28 ... 34:
		enter(r, b);
		return;
	case 35 ... 37:
		take_completions(r);
		return;
	case 38 ... 44:
		fuzz_register(r, b);
		return;
	case 45 ... 47:
		fuzz_setup(r, b);
		return;
	case 48 ... 50:
		meddle(r, b);
		return;
	case 51 ... 52:
		provide(b);
		return;
	case 53 ... 58:
		move_bytes(b);
		return;
	case 59 ... 60:
		change_files(r, b);
		return;
	case 61:
		change_memory(r, b);
		return;
	case 62:
		end(b);
		return;
	case ENTRIES_ENTERED:
	default:
		add_entry(r, b);
		enter(r, none);
	}
}

static void take_records(uintptr_t who);

/* Who takes this record, when it is the first of his. */
static void start_helper(unsigned who)
{
	if (who == CHILD)
		(void)sim_clone(SIGCHLD, take_records, who, 0, 0, 0);
	else
		(void)sim_clone(
			CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
			take_records, who, 0, 0, 0);
}

static void take_records(uintptr_t who)
{
	bool is_started[WHO] = {true};

	for (unsigned i = 0; i < input->nr; i++) {
		const struct fuzz_record *rec = &input->record[i];

		if (who == 0 && !is_started[rec->who % WHO]) {
			is_started[rec->who % WHO] = true;
			start_helper(rec->who % WHO);
		}
		if (rec->who % WHO == who)
			take_record(rec);
	}
	if (who && who != CHILD)
		sim_exit_thread();
}

/* ---- A run ---- */

static void ignore(int sig UNUSED, void *info UNUSED, void *context UNUSED)
{
}

static void be_victim(uintptr_t arg UNUSED)
{
	(void)SIM_CALL(__NR_setpgid, 0, 0);
	(void)SIM_CALL(__NR_chdir, sim_scratch(FOLDER, sizeof(FOLDER)));
	sim_action(SIGUSR1, ignore, SA_RESTART);
	sim_action(SIGUSR2, ignore, 0);
	sim_action(SIGPIPE, ignore, SA_RESTART);
	sim_action(SIGIO, ignore, SA_RESTART);
	fuzz_make_memory();
	fuzz_make_files();
	become_victim();
	take_records(0);
}

static void be_spawned(uintptr_t sp UNUSED)
{
	(void)SIM_CALL(__NR_sched_yield, 0);
	(void)SIM_CALL(__NR_getppid, 0);
}

/* Until it ends, or until it is to be ended. */
static void wait_for(int64_t pid)
{
	uint64_t units = is_disturbed ? input->head.end_after : 0, begun = clock_monotonic_ns(),
		 limit = units ? units * units * END_UNIT_NS : END_AT_LAST_NS;
	struct __kernel_timespec ts = {.tv_nsec = LOOK_EVERY_NS};

	while (SIM_CALL(__NR_wait4, (uint64_t)pid, 0, WNOHANG | __WALL) == 0) {
		if (clock_monotonic_ns() - begun > limit)
			return;
		(void)SIM_CALL(__NR_nanosleep, sim_scratch(&ts, sizeof(ts)), 0);
	}
}

static void run_once(void)
{
	int64_t pid;

	memset(fuzz_rings, 0, sizeof(fuzz_rings));
	sim_make_program(PROGRAM, be_spawned);
	EXPECT_EQ(SIM_CALL(__NR_mount, sim_scratch("tmpfs", 6),
			  sim_scratch(FOLDER, sizeof(FOLDER)), sim_scratch("tmpfs", 6), 0, 0),
		0);
	pid = sim_spawn(be_victim, 0);
	(void)SIM_CALL(__NR_setpgid, (uint64_t)pid, (uint64_t)pid); /* it may be late */
	wait_for(pid);
	(void)SIM_CALL(__NR_kill, (uint64_t)-pid, SIGKILL);
	sim_wait_all();
	forget_victim();
	EXPECT_EQ(
		SIM_CALL(__NR_umount2, sim_scratch(FOLDER, sizeof(FOLDER)), 2 /* MNT_DETACH */),
		0);
	/* and what was put on it: the run before may have been cut off earlier */
	(void)SIM_CALL(__NR_unlink, sim_scratch(PROGRAM, sizeof(PROGRAM)));
	/* the next end of any socket frees those that only sockets had */
	(void)SIM_CALL(__NR_close, (uint64_t)SIM_CALL(__NR_socket, AF_UNIX, SOCK_DGRAM, 0));
}

/* What is made once, by whoever is the first to need it: a ring, and a call by it. */
static const struct fuzz_input first = {
	.record = {{.what = ENTRIES_ENTERED, .byte = {0xff}}, {.what = ENTRIES_ENTERED}},
	.nr = 2,
};

static void run_input(void)
{
	EXPECT_EQ(SIM_CALL(__NR_mkdir, sim_scratch(FOLDER, sizeof(FOLDER)), 0700), 0);
	input = &first;
	run_once();
	input = sim_fuzz_input();
	run_once();
	sim_note_holdings();
	is_disturbed = true;
	run_once();
	(void)sim_check_holdings("");
}

static void block(struct work *w UNUSED)
{
	(void)sleep_ns(NS_PER_MS);
}

/* As many workers as stay when there is nothing to do: later none is more. */
static void make_workers(void)
{
	static struct work items[] = {WORK_INIT(block), WORK_INIT(block), WORK_INIT(block),
		WORK_INIT(block), WORK_INIT(block), WORK_INIT(block)};

	for (unsigned i = 0; i < ARRAY_LEN(items); i++)
		(void)work_queue(&items[i]);
	for (unsigned i = 0; i < ARRAY_LEN(items); i++)
		work_flush(&items[i]);
}

TEST(fuzz, ring)
{
	REQUIRE(sim_moments_init() == 0);
	make_workers();
	sim_program(run_input);
}
