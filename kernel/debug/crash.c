// SPDX-License-Identifier: MIT
/*
 * Crashes on purpose; tests/system recognises each by its report.
 *
 * They run in a thread of their own, whose stack has a guard page. Every function here does the
 * one bad thing that its name says, in a way that the compiler cannot see through (volatile,
 * NOINLINE), and returns if nothing stopped it.
 */
#include "debug/crash.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "lib/assert.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "mm/kmap.h"
#include "mm/slab.h"
#include "sched/thread.h"
#include "sync/preempt.h"
#include "sync/spinlock.h"

static const char *requested; /* [I] after the command line is read */

static void crash_panic(void)
{
	panic("crash on request");
}

static void crash_assert(void)
{
	volatile int one = 1;

	assert(one == 2);
}

static void crash_null(void)
{
	volatile uint32_t *volatile nowhere = NULL;

	*nowhere = 1;
}

static void crash_wildjump(void)
{
	static char data[] = "this is data";
	void (*volatile jump)(void) = (void (*)(void))(void *)data;

	jump();
}

static void crash_writetext(void)
{
	volatile uint8_t *text = (volatile uint8_t *)arch_layout.text_start;

	*text = 0;
}

static volatile unsigned endless = UINT32_MAX;

/* The frame is used after the call, so no loop is made of it. */
static NOINLINE unsigned recurse(unsigned depth)
{
	volatile char frame[256];

	if (depth == endless)
		return 0;
	frame[depth % sizeof(frame)] = (char)depth;
	return recurse(depth + 1) + (unsigned char)frame[depth % sizeof(frame)];
}

static void crash_stackoverflow(void)
{
	log_info("crash: recursion returned %u", recurse(0));
}

static void never_runs(void *arg UNUSED)
{
	arch_cpu_stop();
}

/* Continues a context whose stack is no longer mapped: the fault cannot be pushed either. */
static void crash_doublefault(void)
{
	static struct arch_context from, to;
	void *stack;

	if (kmap_alloc(&stack, KSTACK_SIZE, "crash"))
		return;
	arch_context_init(&to, (vaddr_t)stack, (vaddr_t)stack + KSTACK_SIZE, never_runs, NULL);
	kmap_free(stack);
	arch_irq_disable();
	arch_context_switch(&from, &to);
}

/* The wrong order: an inner lock, then an outer one. No hang is needed to see it. */
static void crash_deadlock(void)
{
	static struct irqlock outer = IRQLOCK_INIT(RANK_TEST_IRQ, "crash-outer");
	static struct irqlock inner = IRQLOCK_INIT(RANK_WAITQ, "crash-inner");

	irqlock_lock(&inner);
	irqlock_lock(&outer);
	irqlock_unlock(&outer);
	irqlock_unlock(&inner);
}

static void crash_uaf(void)
{
	volatile char *p = mem_alloc(64, 0);

	if (!p)
		return;
	*p = 1;
	mem_free((void *)p);
	log_info("crash: read %d from freed memory", p[8]);
}

static void crash_ubsan(void)
{
	volatile int big = INT32_MAX;
	volatile int shift = 40;

	log_info("crash: %d %d", big + 1, 1 << shift);
}

static void crash_hang(void)
{
	preempt_disable();
	for (;;)
		arch_cpu_relax();
}

static void crash_hardhang(void)
{
	arch_irq_disable();
	for (;;)
		arch_cpu_relax();
}

static const struct {
	const char *name;
	void (*run)(void);
} crashes[] = {
	{"panic", crash_panic},
	{"assert", crash_assert},
	{"null", crash_null},
	{"wildjump", crash_wildjump},
	{"writetext", crash_writetext},
	{"stackoverflow", crash_stackoverflow},
	{"doublefault", crash_doublefault},
	{"deadlock", crash_deadlock},
	{"uaf", crash_uaf},
	{"ubsan", crash_ubsan},
	{"hang", crash_hang},
	{"hardhang", crash_hardhang},
};

static void crash_main(void *arg UNUSED)
{
	for (unsigned i = 0; i < ARRAY_LEN(crashes); i++) {
		if (!str_equal(requested, crashes[i].name))
			continue;
		log_info("crash: %s", requested);
		crashes[i].run();
		log_err("crash: %s: nothing stopped it", requested);
		return;
	}
	log_err("crash: there is no %s", requested);
}

void crash_if_requested(void)
{
	struct thread *t;

	if (!requested)
		return;
	if (thread_create(&t, "crash", crash_main, NULL)) {
		log_err("crash: no memory for its thread");
		return;
	}
	thread_start(t);
	thread_join(t);
}

static int set_crash(const char *value)
{
	if (!*value)
		return -EINVAL;
	requested = value;
	return 0;
}
CMDLINE_WORD(crash, "crash", set_crash,
	"panic|assert|null|wildjump|writetext|stackoverflow|doublefault|deadlock|uaf|ubsan|"
	"hang|hardhang: "
	"do this at the end of start");
