// SPDX-License-Identifier: MIT
/*
 * The simulated machine from inside: one struct sim, which nothing but kernel/arch/sim touches.
 */
#pragma once

#include "arch/arch.h"
#include "arch/sim/sim.h"
#include "lib/base.h"

enum { SIM_MAX_CPUS = 16, SIM_NR_IRQS = 64, SIM_MSI_FIRST = 32 };

#define SIM_NEVER UINT64_MAX

/* How the next CPU is chosen; see interleave.c. */
enum sim_strategy { SIM_MIX, SIM_RANDOM, SIM_PCT };

/* What torus-sim was told, for one run. */
struct sim_options {
	uint64_t seed;
	unsigned nr_cpus;
	uint64_t mem_bytes;
	enum sim_strategy strategy;
	uint64_t max_steps;   /* more is a livelock */
	uint64_t max_seconds; /* of virtual time; more is a hang in which timers still fire */
	bool trace;           /* print every change of CPU */
	bool is_quiet;        /* only warnings of the kernel's log */
	const char *cmdline;
	const struct fuzz_input *input; /* fuzz.h; NULL: drawn from the seed */
};

/*
 * One simulated CPU. A CPU that is not sim.self lies at sp, in sim_swap(), on whatever stack
 * its thread has.
 */
struct sim_cpu {
	struct cpu *cpu; /* NULL: was never started */
	void *sp;
	bool is_waiting; /* in arch_cpu_wait */
	bool is_stopped;
	bool irq_on;
	bool ipi_pending;
	bool nmi_pending;
	uint64_t irq_pending; /* a bit per line */
	uint64_t deadline;    /* of its timer, SIM_NEVER when not armed */
	uint64_t priority;    /* SIM_PCT: the best runs */
};

struct sim {
	struct sim_options opt;
	struct sim_cpu cpu[SIM_MAX_CPUS];
	struct sim_cpu *self; /* the CPU that runs */
	struct sim_cpu *held; /* one that stands still, if others can go on; NULL */
	unsigned patience;    /* how long it does while others spin */
	void *host_sp;        /* where main() left, never continued */

	enum sim_strategy strategy;
	bool is_frozen;
	int64_t stride;       /* what sim_countdown was set to */
	uint64_t mean_stride; /* steps between decisions: the seed's taste for switching */
	uint64_t pct_lowest;  /* the next lower priority */

	uint64_t rng;
	uint64_t now; /* the counter */
	uint64_t hz;
	uint64_t ticks_per_step;
	uint64_t steps;
	uint64_t switches;
	uint64_t hash; /* of every decision so far */
};

extern struct sim sim;

/* interleave.c */
void sim_interleave_init(void);
void sim_resume_elsewhere(
	void); /* this CPU cannot go on: run another (it comes back when it can) */
bool sim_has_event(const struct sim_cpu *c);
void sim_deliver(void);            /* pending interrupts of this CPU, if it takes them */
void sim_account(void);            /* brings sim.now and sim.steps up to this moment */
uint64_t sim_timer_earliest(void); /* over all CPUs, SIM_NEVER for none */

/*
 * Pulls an interrupt line of another CPU, which goes on at once; this one stands still until
 * sim_release_cpu. Without another CPU it is this one's interrupt.
 */
void sim_interrupt_elsewhere(unsigned irq);
void sim_release_cpu(void);

/* user.c: the registers of a program, at the top of its thread's stack */
enum { SIM_FRAME_ROOM = ALIGN_UP(sizeof(struct arch_frame), 16ul) };

/* user_memory.c: touches user memory as a program does; false: a signal was sent */
bool sim_user_access(vaddr_t at, void *buf, size_t len, bool is_write);

/* moments.c: the running thread makes a step; it leaves its CPU */
void sim_moment_step(void);
void sim_moment_leave(const struct arch_context *from);

/* switch.c */
void sim_jump(void **save, void *load);
void *sim_stack_prepare(vaddr_t top, void (*entry)(void *), void *arg);
void sim_saved_registers(void *sp, vaddr_t *pc, vaddr_t *fp);

/* memory.c */
void sim_memory_init(void);

/* sim_main.c */
void sim_kmain(void *unused);

/* fuzz_input.c: at the end of a run */
void sim_save_reached(void);

/* devices.c */
void sim_say_schedule(void); /* what a replay is compared by; a sanitizer's last words too */
NORETURN void sim_exit(unsigned status);
