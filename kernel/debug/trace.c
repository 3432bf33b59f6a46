// SPDX-License-Identifier: MIT
/*
 * The ring of the last things that happened on each CPU, and printing it in the order of time.
 *
 * An entry is a format, three words and the counter; formatting waits until somebody reads.
 * Each CPU writes only its own ring, with interrupts off. A reader takes what it finds: a torn
 * entry in the report of a panic is better than a lock in the scheduler.
 */
#include "debug/trace.h"

#include "debug/log.h"

#ifdef DEBUG

#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/fmt.h"

struct trace_entry {
	uint64_t counter;
	const char *fmt; /* NULL: empty */
	uint64_t a, b, c;
};

struct trace_ring {
	uint32_t next; /* [c] index of the next slot, before masking */
	struct trace_entry entries[TRACE_RING_SIZE];
};

static PERCPU(struct trace_ring, trace_ring);

void trace_record(const char *fmt, uint64_t a, uint64_t b, uint64_t c)
{
	struct trace_ring *ring;
	bool were_enabled = arch_irq_save();
	uint32_t slot;

	ring = &percpu(trace_ring);
	slot = ring->next++ % TRACE_RING_SIZE;
	ring->entries[slot] = (struct trace_entry){arch_counter_read(), fmt, a, b, c};
	arch_irq_restore(were_enabled);
}

/* The entry `steps` before the CPU's youngest one; NULL beyond the oldest. */
static const struct trace_entry *entry_back(unsigned cpu, unsigned steps)
{
	struct trace_ring *ring = percpu_of(trace_ring, cpus[cpu]);
	uint32_t next = atomic_load_relaxed(&ring->next);
	const struct trace_entry *e;

	if (steps >= TRACE_RING_SIZE || steps >= next)
		return NULL;
	e = &ring->entries[(next - 1 - steps) % TRACE_RING_SIZE];
	return e->fmt ? e : NULL;
}

/* The youngest entry not passed yet; marks it passed. */
static const struct trace_entry *pop_youngest(uint16_t *passed, unsigned *cpu_out)
{
	const struct trace_entry *best = NULL;

	for (unsigned i = 0; i < cpu_count(); i++) {
		const struct trace_entry *e = entry_back(i, passed[i]);

		if (e && (!best || e->counter > best->counter)) {
			best = e;
			*cpu_out = i;
		}
	}
	if (best)
		passed[*cpu_out]++;
	return best;
}

static void print_entry(const struct trace_entry *e, unsigned cpu)
{
	char text[LOG_LINE_MAX / 2];

	snformat(text, sizeof(text), e->fmt, e->a, e->b, e->c);
	log_emergency("    %llu CPU %u %s", (unsigned long long)e->counter, cpu, text);
}

void trace_print_last(unsigned nr)
{
	static uint16_t
		passed[MAX_CPUS]; /* one printer at a time: panic, or the console's command */
	static struct {
		const struct trace_entry *e;
		unsigned cpu;
	} found[TRACE_RING_SIZE];
	unsigned count = 0;

	for (unsigned i = 0; i < MAX_CPUS; i++)
		passed[i] = 0;
	while (count < MIN(nr, (unsigned)TRACE_RING_SIZE)) {
		found[count].e = pop_youngest(passed, &found[count].cpu);
		if (!found[count].e)
			break;
		count++;
	}
	log_emergency("last %u trace entries, by the counter:", count);
	while (count--)
		print_entry(found[count].e, found[count].cpu);
}

#else

void trace_print_last(unsigned nr UNUSED)
{
	log_emergency("trace: not recorded in this build (DEBUG=1 records it)");
}

#endif
