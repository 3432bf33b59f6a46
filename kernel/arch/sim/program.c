// SPDX-License-Identifier: MIT
/*
 * Process 1 of a test, and what tests of programs need beside system calls (program.h).
 *
 * What leaked is looked for by counting: the objects of each cache, the pages that no cache has, and
 * what is accounted (memory that was promised, what user 0 has of limited things). The first round is not counted, since what is made once (tables that grow, the first slab of a
 * thing) stays. What goes later, by RCU or a work item, is waited for.
 */
#include "arch/sim/program.h"

#include "arch/arch.h"
#include "ipc/futex.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "mm/commit.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "sched/thread.h"
#include "sync/rcu.h"
#include "sync/waitq.h"
#include "time/clock.h"
#include "time/timer.h"
#include "uaccess/uaccess.h"

#include <elf.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <string.h>

/* ---- Process 1 ---- */

static void (*program)(void);
static struct waitq through = WAITQ_INIT(through);
static bool is_through;
static uint64_t scratch; /* of every process, at the same address */

enum { SCRATCH_THREADS = 64, SCRATCH_TURNS = 4 };
enum { SCRATCH_SIZE = SCRATCH_TURNS * SIM_SCRATCH * SCRATCH_THREADS };

static void run_first(uintptr_t arg UNUSED)
{
	scratch = sim_map(SCRATCH_SIZE);
	program();
	WRITE_ONCE(is_through, true);
	waitq_wake_all(&through, 0);
	for (;;)
		(void)SIM_CALL(__NR_pause); /* the end of process 1 is the machine's */
}

static void become_first(void *arg UNUSED)
{
	struct vmspace *vm;

	if (proc_adopt_init() || vmspace_create(&vm))
		sim_report("no process 1");
	proc_current()->vm = vm; /* as exec would */
	vmspace_use(vm);
	sim_become_program(run_first, 0);
}

void sim_program(void (*fn)(void))
{
	program = fn;
	REQUIRE(thread_spawn("first", become_first, NULL) == 0);
	(void)WAIT_EVENT(&through, WAIT_BOUNDED, WAIT_FOREVER, READ_ONCE(is_through));
}

/* ---- What the kernel has ---- */

enum { MAX_CACHES = 128, SETTLE_TRIES = 50, FIRST_TRIES = 4 };

struct holdings {
	unsigned nr;
	uint64_t objects[MAX_CACHES];
	const char *name[MAX_CACHES];
	uint64_t pages;             /* neither free nor of a cache */
	uint64_t committed;         /* pages, by the accounting of private memory */
	uint64_t waiters;           /* counted by the buckets of futexes */
	uint64_t root[USER_COUNTS]; /* counted for user 0: enum user_count */
};

static struct holdings noted; /* of process 1 alone: too large for a stack */

static void count_cache(
	const char *name, size_t size UNUSED, uint64_t in_use, uint64_t pages, void *ctx)
{
	struct holdings *h = ctx;

	h->name[h->nr] = name;
	h->objects[h->nr++] = in_use;
	h->pages -= pages;
}

static void count_holdings(struct holdings *h)
{
	struct page_stats stats;

	rcu_barrier();
	(void)slab_shrink();
	page_drain_caches();
	page_get_stats(&stats);
	h->nr = 0;
	h->pages = stats.total - stats.free;
	slab_for_each_cache(count_cache, h);
	h->committed = vm_committed();
	h->waiters = futex_nr_waiters();
	for (unsigned i = 0; i < USER_COUNTS; i++)
		h->root[i] = atomic_load_relaxed(&user_root.count[i]);
}

/* What there was of cache i, which may be new since. */
static uint64_t objects_noted(unsigned i)
{
	return i < noted.nr ? noted.objects[i] : 0;
}

/* Whether nothing is more than it was. */
static bool has_settled(struct holdings *is)
{
	count_holdings(is);
	for (unsigned i = 0; i < is->nr; i++)
		if (is->objects[i] > objects_noted(i))
			return false;
	for (unsigned i = 0; i < USER_COUNTS; i++)
		if (is->root[i] > noted.root[i])
			return false;
	return is->pages <= noted.pages && is->committed <= noted.committed &&
	       is->waiters <= noted.waiters;
}

static void expect_no_more(const char *when, const char *what, uint64_t is, uint64_t was)
{
	if (is > was)
		test_fail(__FILE__, __LINE__, "leak%s: %s: %llu, before: %llu", when, what,
			(unsigned long long)is, (unsigned long long)was);
}

void sim_note_holdings(void)
{
	for (unsigned i = 0; i < FIRST_TRIES; i++)
		if (sleep_ns(NS_PER_MS))
			break;
	count_holdings(&noted);
}

static void say_thread(struct thread *t, void *ctx UNUSED)
{
	sim_say("# thread %u %s is %s\n", t->id, t->name, thread_state_name(t->state));
}

bool sim_check_holdings(const char *when)
{
	static const char *const counts[USER_COUNTS] = {"processes", "queued signals",
		"pages of pipes", "inotify instances", "inotify watches", "epoll watches",
		"files in flight"};
	static struct holdings is;

	for (unsigned i = 0; i < SETTLE_TRIES; i++)
		if (has_settled(&is))
			return true;
		else if (sleep_ns(NS_PER_MS))
			break;
	thread_for_each(say_thread, NULL);
	for (unsigned i = 0; i < is.nr; i++)
		expect_no_more(when, is.name[i], is.objects[i], objects_noted(i));
	for (unsigned i = 0; i < USER_COUNTS; i++)
		expect_no_more(when, counts[i], is.root[i], noted.root[i]);
	expect_no_more(when, "pages", is.pages, noted.pages);
	expect_no_more(when, "waiters of futexes", is.waiters, noted.waiters);
	expect_no_more(when, "committed pages", is.committed, noted.committed);
	return false;
}

void sim_rounds(void (*round)(void), unsigned nr)
{
	round();
	sim_note_holdings();
	for (unsigned i = 0; i < nr; i++)
		round();
	(void)sim_check_holdings("");
}

static void (*the_round)(void);
static unsigned nr_rounds;

static void run_rounds(void)
{
	sim_rounds(the_round, nr_rounds);
}

void sim_program_rounds(void (*round)(void), unsigned nr)
{
	the_round = round;
	nr_rounds = nr;
	sim_program(run_rounds);
}

/* ---- Processes ---- */

int64_t sim_spawn(void (*fn)(uintptr_t arg), uintptr_t arg)
{
	int64_t pid = sim_clone(SIGCHLD, fn, arg, 0, 0, 0);

	EXPECT_GT(pid, 0);
	return pid;
}

int64_t sim_thread(void (*fn)(uintptr_t arg), uintptr_t arg)
{
	int64_t tid = sim_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
					CLONE_THREAD | CLONE_SYSVSEM,
		fn, arg, 0, 0, 0);

	EXPECT_GT(tid, 0);
	return tid;
}

void sim_exit_thread(void)
{
	(void)SIM_CALL(__NR_exit, 0);
	sim_report("exit returned");
}

void sim_exit_process(int status)
{
	(void)SIM_CALL(__NR_exit_group, (uint64_t)status);
	sim_report("exit_group returned");
}

int sim_wait(int64_t pid)
{
	uint64_t at = sim_scratch(&(int){0}, sizeof(int));
	int64_t got;

	do
		got = SIM_CALL(__NR_wait4, (uint64_t)pid, at, __WALL);
	while (got == -EINTR);
	EXPECT_EQ(got, pid);
	return (int)sim_load32(at);
}

void sim_wait_all(void)
{
	int64_t got;

	do
		got = SIM_CALL(__NR_wait4, (uint64_t)-1, 0, __WALL);
	while (got > 0 || got == -EINTR);
	EXPECT_EQ(got, -ECHILD);
}

/* ---- exec ---- */

#define IMAGE_AT 0x10000000ul

/* The one segment is the headers themselves; the entry is where the host has the function. */
void sim_make_program(const char *name, void (*fn)(uintptr_t sp))
{
	struct image {
		Elf64_Ehdr head;
		Elf64_Phdr segment;
	} image = {
		.head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				 ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = (uintptr_t)fn,
			.e_phoff = offsetof(struct image, segment),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1},
		.segment = {.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_vaddr = IMAGE_AT,
			.p_filesz = sizeof(image),
			.p_memsz = sizeof(image),
			.p_align = PAGE_SIZE},
	};
	int64_t fd = SIM_CALL(__NR_open, sim_scratch(name, strlen(name) + 1),
		O_CREAT | O_WRONLY | O_TRUNC, 0700);

	EXPECT_GE(fd, 0);
	EXPECT_EQ(SIM_CALL(__NR_write, (uint64_t)fd, sim_scratch(&image, sizeof(image)),
			  sizeof(image)),
		(int64_t)sizeof(image));
	EXPECT_EQ(SIM_CALL(__NR_close, (uint64_t)fd), 0);
}

/* Twice: the first try's allocation may be one that a test makes fail. */
void sim_after_exec(void)
{
	int64_t at = -ENOMEM;

	for (unsigned i = 0; i < 2 && at == -ENOMEM; i++)
		at = SIM_CALL(__NR_mmap, scratch, SCRATCH_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1, 0);
	EXPECT_EQ(at, (int64_t)scratch);
}

void sim_yield(unsigned times)
{
	while (times--)
		(void)SIM_CALL(__NR_sched_yield, 0);
}

void sim_kill(int64_t pid, int sig)
{
	EXPECT_EQ(SIM_CALL(__NR_kill, (uint64_t)pid, (uint64_t)sig), 0);
}

void sim_action(int sig, void (*handler)(int, void *, void *), uint64_t flags)
{
	struct ksigaction action = {.handler = (uintptr_t)handler, .flags = SA_SIGINFO | flags};

	EXPECT_EQ(SIM_CALL(__NR_rt_sigaction, (uint64_t)sig,
			  sim_scratch(&action, sizeof(action)), 0, sizeof(uint64_t)),
		0);
}

/* ---- Memory ---- */

static uint64_t map(size_t size, uint64_t kind)
{
	int64_t at = SIM_CALL(__NR_mmap, 0, size, PROT_READ | PROT_WRITE,
		kind | MAP_ANONYMOUS | MAP_POPULATE, (uint64_t)-1, 0);

	EXPECT_GT(at, 0);
	return (uint64_t)at;
}

uint64_t sim_map(size_t size)
{
	return map(size, MAP_PRIVATE);
}

uint64_t sim_map_shared(size_t size)
{
	return map(size, MAP_SHARED);
}

/* A failed access was a signal, whose handler has run: the instruction is begun again. */
static void load(void *to, uint64_t from, size_t len)
{
	while (!sim_load(to, from, len))
		;
}

static void store(uint64_t to, const void *from, size_t len)
{
	while (!sim_store(to, from, len))
		;
}

uint64_t sim_scratch(const void *from, size_t len)
{
	static uint8_t turn[SCRATCH_THREADS];
	unsigned mine = (unsigned)uthread_current()->tid_nr % SCRATCH_THREADS;
	uint64_t at =
		scratch + (SCRATCH_TURNS * mine + turn[mine]++ % SCRATCH_TURNS) * SIM_SCRATCH;

	store(at, from, len);
	return at;
}

uint32_t sim_load32(uint64_t at)
{
	uint32_t value;

	load(&value, at, sizeof(value));
	return value;
}

void sim_store32(uint64_t at, uint32_t value)
{
	store(at, &value, sizeof(value));
}

bool sim_cmpxchg32(uint64_t at, uint32_t expected, uint32_t desired)
{
	uint32_t old = 0;

	while (user_cmpxchg32(UPTR(at), expected, desired, &old))
		(void)sim_load32(at);
	return old == expected;
}

uint32_t sim_add32(uint64_t at, uint32_t n)
{
	uint32_t was;

	do
		was = sim_load32(at);
	while (!sim_cmpxchg32(at, was, was + n));
	return was;
}
