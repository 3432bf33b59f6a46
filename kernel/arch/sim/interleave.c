// SPDX-License-Identifier: MIT
/*
 * The seeded scheduler of CPUs: what makes a run of many CPUs one deterministic sequence.
 *
 * All simulated CPUs share one host thread. Every plain access (instrumentation), every atomic
 * and lock (lib/interleave.h) and every change of the interrupt flag is a *step*; a step counts
 * sim_countdown down, and when it is used up decide() draws from the seeded generator which CPU
 * goes on, and for how many steps. So a step costs one decrement, and any two accesses of one
 * CPU may have any number of another's between them. Which interrupts are delivered follows
 * from the same sequence, because virtual time is a function of the steps.
 *
 * Two strategies (a seed's parity chooses with SIM_MIX):
 *
 *   RANDOM  each decision picks evenly among the CPUs that can run. The mean number of steps
 *           between decisions is itself drawn per seed, from 2 to 2048: bugs that need many
 *           changes want it short, bugs that need one long delay want it long.
 *   PCT     the CPU with the best priority runs, always; at change points it falls below all
 *           others. A bug that needs d ordered events is then found with probability at least
 *           1/(n k^(d-1)) (Burckhardt et al., A Randomized Scheduler with Probabilistic
 *           Guarantees of Finding Bugs, ASPLOS 2010). Every decision of ours is a
 *           change point, for ever, so that a CPU which spins on another's progress ends.
 *
 * A CPU that spins (arch_cpu_relax) asks for the others: it is not chosen again at once if
 * another can run, and PCT lowers it.
 *
 * When every CPU waits, time jumps to the first timer. When none is armed either, nothing can
 * ever happen again: that is how a lost wake-up and a deadlock of sleepers look, and the run
 * ends with a report. A run that goes past its step bound is a livelock and ends the same way.
 *
 * Nothing here depends on an address or on the host's time.
 */
#include "arch/sim/sim_priv.h"

struct sim sim;
struct cpu *sim_this_cpu;
struct thread *sim_this_thread;

/* Steps until the next decision. */
static int64_t sim_countdown = INT64_MAX;

enum {
	RELAX_STEPS = 16,        /* what one turn of a spinning loop is worth */
	RELAX_ALONE_STEPS = 256, /* the same when nobody else can run: only time can end it */
	MAX_MEAN_STRIDE_LOG = 11,
	PATIENCE = 64,                 /* turns of spinning loops that a held CPU stays held */
	NOTE_INTERRUPT = SIM_MAX_CPUS, /* in the hash; below are CPUs */
};

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static uint64_t next_random(void)
{
	uint64_t z = sim.rng += 0x9e3779b97f4a7c15ul;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebul;
	return z ^ (z >> 31);
}

uint64_t sim_random(uint64_t bound)
{
	return next_random() % bound;
}

uint64_t sim_seed(void)
{
	return sim.opt.seed;
}

void sim_interleave_init(void)
{
	/* Counter rates that hardware has: 1 GHz, a common TSC, the arm generic timer. */
	static const uint64_t rates[] = {1000000000, 2599998000, 62500000};
	static const uint64_t ns_per_step[] = {20, 20, 60, 200};

	sim.rng = sim.opt.seed * 0x2545f4914f6cdd1dul + 1;
	sim.hz = rates[sim_random(ARRAY_LEN(rates))];
	sim.ticks_per_step = MAX(1ul,
		ns_per_step[sim_random(ARRAY_LEN(ns_per_step))] * (sim.hz / 1000000) / 1000);
	sim.now = 1000 + sim_random(sim.hz);
	sim.strategy = sim.opt.strategy;
	if (sim.strategy == SIM_MIX)
		sim.strategy = sim.opt.seed & 1 ? SIM_RANDOM : SIM_PCT;
	sim.mean_stride = 1ul << (1 + sim_random(MAX_MEAN_STRIDE_LOG));
	sim.pct_lowest = UINT64_MAX / 2;
	for (unsigned i = 0; i < SIM_MAX_CPUS; i++) {
		sim.cpu[i].deadline = SIM_NEVER;
		sim.cpu[i].priority = sim.pct_lowest + 1 + sim_random(UINT64_MAX / 4);
	}
	sim.self = &sim.cpu[0];
	sim_countdown = sim.stride = 1;
}

void sim_account(void)
{
	uint64_t done = (uint64_t)(sim.stride - sim_countdown);

	sim.stride = sim_countdown;
	sim.steps += done;
	sim.now += done * sim.ticks_per_step;
	if (sim.steps > sim.opt.max_steps && !sim.is_frozen)
		sim_report("livelock: %lu steps and no end", sim.steps);
}

void sim_freeze(void)
{
	sim.is_frozen = true;
	sim_account();
	sim_countdown = sim.stride = INT64_MAX;
}

bool sim_has_event(const struct sim_cpu *c)
{
	return c->ipi_pending || c->nmi_pending || c->irq_pending || c->deadline <= sim.now;
}

static bool can_run(const struct sim_cpu *c)
{
	return c->cpu && !c->is_stopped && (!c->is_waiting || sim_has_event(c));
}

uint64_t sim_timer_earliest(void)
{
	uint64_t first = SIM_NEVER;

	for (unsigned i = 0; i < sim.opt.nr_cpus; i++)
		if (sim.cpu[i].cpu && !sim.cpu[i].is_stopped)
			first = MIN(first, sim.cpu[i].deadline);
	return first;
}

/* A CPU that can run, other than `not` and the one held; NULL if there is none. */
static struct sim_cpu *choose_free(const struct sim_cpu * not )
{
	struct sim_cpu *ready[SIM_MAX_CPUS], *best = NULL;
	unsigned nr = 0;

	for (unsigned i = 0; i < sim.opt.nr_cpus; i++) {
		struct sim_cpu *c = &sim.cpu[i];

		if (c == not || c == sim.held || !can_run(c))
			continue;
		ready[nr++] = c;
		if (!best || c->priority > best->priority)
			best = c;
	}
	if (sim.strategy == SIM_PCT || nr < 2)
		return best;
	return ready[sim_random(nr)];
}

/* A CPU that can run, other than `not`; NULL if there is none. */
static struct sim_cpu *choose(const struct sim_cpu * not )
{
	struct sim_cpu *c = choose_free(not );

	if (c || !sim.held)
		return c;
	sim.held = NULL;
	return choose_free(not );
}

static void lower(struct sim_cpu *c)
{
	c->priority = sim.pct_lowest--;
}

/* Folds one decision into the hash (FNV-1a, 64 bits at a time). */
static void note(uint64_t what)
{
	sim.hash = (sim.hash ^ (sim.steps << 8 | what)) * 0x100000001b3ul;
	sim.hash ^= sim.hash >> 29;
}

/* Continues `next`; returns when somebody continues this CPU. */
static void switch_to(struct sim_cpu *next)
{
	struct sim_cpu *me = sim.self;
	void *load = next->sp;

	note((uint64_t)(next - sim.cpu));
	sim.switches++;
	if (sim.opt.trace)
		sim_say("step %lu: cpu %lu -> %lu\n", sim.steps, me - sim.cpu, next - sim.cpu);
	sim.self = next;
	sim_this_cpu = next->cpu;
	sim_this_thread = next->cpu->current;
	next->sp = NULL;
	sim_jump(&me->sp, load);
}

static void draw_stride(void)
{
	sim.stride = sim_countdown = 1 + (int64_t)sim_random(2 * sim.mean_stride);
}

/* The countdown is used up. `is_spinning`: this CPU waits for another. */
static void decide(bool is_spinning)
{
	struct sim_cpu *next;

	sim_account();
	if (sim.is_frozen) {
		sim_countdown = sim.stride = INT64_MAX;
		return;
	}
	if (sim.strategy == SIM_PCT)
		lower(sim.self);
	draw_stride();
	next = choose(is_spinning ? sim.self : NULL);
	if (next && next != sim.self)
		switch_to(next);
	sim_deliver();
}

static ALWAYS_INLINE void step(void)
{
	if (UNLIKELY(--sim_countdown <= 0))
		decide(false);
}

void sim_interleave(void)
{
	sim_moment_step();
	step();
}

void sim_relax(void)
{
	bool is_alone;

	if (sim.held && sim.patience-- == 0)
		sim.held = NULL; /* it may have what is waited for */
	is_alone = !choose(sim.self);
	if (sim.is_frozen)
		sim_report("a report needs a lock that is held");
	sim_countdown = 0;
	sim_account();
	sim.now += (is_alone ? RELAX_ALONE_STEPS : RELAX_STEPS) * sim.ticks_per_step;
	sim.steps += RELAX_STEPS;
	decide(true);
}

uint64_t sim_counter_read(void)
{
	step();
	sim_account();
	return sim.now++;
}

/* Time goes to the next timer, or the run ends: nothing else can wake anybody. */
static void jump_to_timer(void)
{
	uint64_t first = sim_timer_earliest();

	if (first == SIM_NEVER)
		sim_report("hang: every CPU is idle and no timer is armed");
	sim.now = MAX(sim.now, first);
	if (sim.now / sim.hz > sim.opt.max_seconds)
		sim_report("hang: %lu virtual seconds and only timers fire", sim.now / sim.hz);
}

void sim_resume_elsewhere(void)
{
	struct sim_cpu *me = sim.self, *next;

	sim_account();
	while (!(next = choose(NULL)))
		jump_to_timer();
	draw_stride();
	if (next != me)
		switch_to(next);
}

/* ---- Interrupts ---- */

void sim_release_cpu(void)
{
	sim.held = NULL;
}

void sim_interrupt_elsewhere(unsigned irq)
{
	struct sim_cpu *others[SIM_MAX_CPUS], *other;
	unsigned nr = 0;

	for (unsigned i = 0; i < sim.opt.nr_cpus; i++)
		if (&sim.cpu[i] != sim.self && sim.cpu[i].cpu && !sim.cpu[i].is_stopped)
			others[nr++] = &sim.cpu[i];
	if (!nr) {
		sim.self->irq_pending |= BIT(irq);
		return;
	}
	other = others[sim_random(nr)];
	other->irq_pending |= BIT(irq);
	sim.held = sim.self;
	sim.patience = PATIENCE;
	sim_account();
	draw_stride();
	switch_to(other);
	sim_deliver();
}

static void deliver_nmi(struct sim_cpu *me, struct arch_frame *f)
{
	bool irq_on = me->irq_on;

	me->nmi_pending = false;
	me->irq_on = false;
	trap_nmi(f);
	me->irq_on = irq_on; /* an NMI never changes threads, so `me` is still this CPU */
}

/* One of the pending interrupts; the order among them is the generator's. */
static void deliver_one(struct sim_cpu *me, struct arch_frame *f)
{
	unsigned kinds[3], nr = 0, kind, irq = 0;
	enum { TIMER, IPI, DEVICE };
	struct arch_frame *outer;

	if (me->deadline <= sim.now)
		kinds[nr++] = TIMER;
	if (me->ipi_pending)
		kinds[nr++] = IPI;
	if (me->irq_pending)
		kinds[nr++] = DEVICE;
	kind = kinds[nr == 1 ? 0 : sim_random(nr)];

	note(NOTE_INTERRUPT + kind);
	me->irq_on = false;
	if (kind == TIMER)
		me->deadline = SIM_NEVER;
	if (kind == IPI)
		me->ipi_pending = false;
	if (kind == DEVICE) {
		irq = (unsigned)__builtin_ctzll(me->irq_pending);
		me->irq_pending &= me->irq_pending - 1;
	}
	outer = trap_interrupt_enter(f);
	if (kind == TIMER)
		trap_timer();
	else if (kind == IPI)
		trap_ipi();
	else
		trap_irq(irq);
	trap_interrupt_exit(outer);
	sim.self->irq_on = true; /* perhaps on another CPU than we came from */
}

NOINLINE void sim_deliver(void)
{
	struct arch_frame f = {
		.pc = (vaddr_t)__builtin_return_address(0),
		.sp = (vaddr_t)&f,
		.fp = (vaddr_t)__builtin_frame_address(0),
	};

	for (;;) {
		struct sim_cpu *me = sim.self;

		if (sim.is_frozen)
			return;
		f.was_irq_enabled = me->irq_on;
		if (me->nmi_pending)
			deliver_nmi(me, &f);
		else if (me->irq_on && sim_has_event(me))
			deliver_one(me, &f);
		else
			return;
	}
}

/* ---- What clang calls before each plain access ---- */

/* Nobody else looks at our own stack but through pointers they load from elsewhere. */
static ALWAYS_INLINE void access_at(const void *addr)
{
	if (((vaddr_t)addr ^ (vaddr_t)__builtin_frame_address(0)) & ~(SIM_STACK_SLOT - 1))
		step();
}

#define COVERAGE_CALLBACK(name)                                                                \
	void name(void *addr);                                                                 \
	void name(void *addr)                                                                  \
	{                                                                                      \
		access_at(addr);                                                               \
	}
COVERAGE_CALLBACK(__sanitizer_cov_load1)
COVERAGE_CALLBACK(__sanitizer_cov_load2)
COVERAGE_CALLBACK(__sanitizer_cov_load4)
COVERAGE_CALLBACK(__sanitizer_cov_load8)
COVERAGE_CALLBACK(__sanitizer_cov_load16)
COVERAGE_CALLBACK(__sanitizer_cov_store1)
COVERAGE_CALLBACK(__sanitizer_cov_store2)
COVERAGE_CALLBACK(__sanitizer_cov_store4)
COVERAGE_CALLBACK(__sanitizer_cov_store8)
COVERAGE_CALLBACK(__sanitizer_cov_store16)
