// SPDX-License-Identifier: MIT
/*
 * Inputs of fuzzed runs: drawn, changed, and what they reached.
 *
 * Nothing here knows what a byte means. Drawn bytes are often small, because to most fields that says "the
 * usual"; and runs of records often have the same thread and ring.
 *
 * What a run reached is a byte for each edge of the kernel's control flow, which clang's instrumentation keeps
 * (flags.mk). A run's end copies them to memory that the host's process shares with its runs.
 */
#include "arch/sim/fuzz_input.h"

#include <string.h>
#include <sys/mman.h>

/* ---- Chance: splitmix64, as in interleave.c, with a state of its own ---- */

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ul;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebul;
	return z ^ (z >> 31);
}

static unsigned below(uint64_t *state, unsigned bound)
{
	return (unsigned)(draw(state) % bound);
}

static uint8_t draw_byte(uint64_t *s)
{
	switch (below(s, 8)) {
	case 0 ... 3:
		return 0;
	case 4:
		return (uint8_t)below(s, 8);
	case 5:
		return (uint8_t)below(s, 32);
	case 6:
		return (uint8_t)(1u << below(s, 8));
	default:
		return (uint8_t)draw(s);
	}
}

static void draw_record(uint64_t *s, struct fuzz_record *r, const struct fuzz_record *before)
{
	r->who = before && below(s, 4) ? before->who & 15 : (uint8_t)(draw(s) & draw(s) & 15);
	r->who |= (uint8_t)(below(s, 4) ? 0 : draw(s) & 0xf0);
	r->what = (uint8_t)draw(s);
	for (unsigned i = 0; i < FUZZ_BYTES; i++)
		r->byte[i] = draw_byte(s);
	r->byte[0] = (uint8_t)draw(s); /* which operation */
}

static void draw_head(uint64_t *s, struct fuzz_head *h)
{
	*h = (struct fuzz_head){.seed = (uint16_t)draw(s)};
	switch (below(s, 6)) {
	case 0:
		h->end_after = (uint8_t)draw(s);
		break;
	case 1:
		h->moment = FUZZ_STEP;
		h->nth_moment = below(s, 1u << below(s, 15));
		break;
	case 2:
		h->moment = (uint8_t)(1 + below(s, FUZZ_MOMENTS - 1));
		h->nth_moment = below(s, 1u << below(s, 12));
		break;
	case 3:
		h->nth_allocation = (uint16_t)(1 + below(s, 1u << below(s, 10)));
		break;
	}
}

void fuzz_draw_input(struct fuzz_input *in, uint64_t seed)
{
	uint64_t s = seed;

	memset(in, 0, sizeof(*in));
	draw_head(&s, &in->head);
	in->nr = 4 + below(&s, FUZZ_RECORDS - 3);
	for (unsigned i = 0; i < in->nr; i++)
		draw_record(&s, &in->record[i], i ? &in->record[i - 1] : NULL);
}

/* ---- Changes ---- */

static void leave_out(struct fuzz_input *in, unsigned at, unsigned nr)
{
	memmove(&in->record[at], &in->record[at + nr],
		(in->nr - at - nr) * sizeof(in->record[0]));
	in->nr -= nr;
}

/* Makes room at `at`, as much as there is. */
static unsigned make_room(struct fuzz_input *in, unsigned at, unsigned nr)
{
	nr = MIN(nr, (unsigned)FUZZ_RECORDS - in->nr);
	memmove(&in->record[at + nr], &in->record[at], (in->nr - at) * sizeof(in->record[0]));
	in->nr += nr;
	return nr;
}

static void insert_from(struct fuzz_input *in, const struct fuzz_input *other, uint64_t *s)
{
	unsigned from = below(s, other->nr), nr = 1 + below(s, other->nr - from),
		 at = below(s, in->nr + 1);

	nr = make_room(in, at, nr);
	memmove(&in->record[at], &other->record[from], nr * sizeof(in->record[0]));
}

static void change_byte(struct fuzz_input *in, uint64_t *s)
{
	struct fuzz_record *r = &in->record[below(s, in->nr)];
	uint8_t *byte = (uint8_t *)r + below(s, sizeof(*r));

	switch (below(s, 4)) {
	case 0:
		*byte ^= (uint8_t)(1u << below(s, 8));
		return;
	case 1:
		*byte = (uint8_t)(*byte + below(s, 7) - 3);
		return;
	default:
		*byte = below(s, 2) ? draw_byte(s) : (uint8_t)draw(s);
	}
}

static void change_once(struct fuzz_input *in, const struct fuzz_input *other, uint64_t *s)
{
	struct fuzz_input copy;
	unsigned at = below(s, in->nr);

	switch (below(s, 16)) {
	case 0:
		draw_head(s, &in->head);
		return;
	case 1:
		in->head.seed = (uint16_t)draw(s);
		return;
	case 2:
	case 3:
		if (make_room(in, at, 1))
			draw_record(s, &in->record[at], &in->record[at + 1]);
		return;
	case 4:
	case 5:
		if (in->nr > 1)
			leave_out(in, at, 1 + below(s, MIN(in->nr - at, in->nr - 1)));
		return;
	case 6:
	case 7:
		insert_from(in, other, s);
		return;
	case 8:
		copy = *in;
		insert_from(in, &copy, s);
		return;
	case 9: /* somebody else's, or another ring's */
		in->record[at].who ^= (uint8_t)(draw(s) & 15);
		return;
	default:
		change_byte(in, s);
	}
}

void fuzz_change_input(struct fuzz_input *in, const struct fuzz_input *other, uint64_t seed)
{
	uint64_t s = seed;

	for (unsigned i = 1u << below(&s, 4); i; i--)
		change_once(in, other, &s);
}

bool fuzz_without(struct fuzz_input *in, unsigned at, unsigned nr)
{
	if (at + nr > in->nr || nr >= in->nr)
		return false;
	leave_out(in, at, nr);
	return true;
}

/* ---- A run's input ---- */

const struct fuzz_input *sim_fuzz_input(void)
{
	static struct fuzz_input drawn;

	if (sim.opt.input)
		return sim.opt.input;
	fuzz_draw_input(&drawn, sim.opt.seed);
	return &drawn;
}

/* ---- What it reached ---- */

/* The section of the instrumentation's flags; gcc has none. */
extern uint8_t edges_start[] __asm__("__start___sancov_bools") __attribute__((weak));
extern uint8_t edges_end[] __asm__("__stop___sancov_bools") __attribute__((weak));

/* Their addresses, in the same order: an even one out of two is where; bit 0 of the other says a function begins. */
extern uint64_t places[][2] __asm__("__start___sancov_pcs") __attribute__((weak));

static uint8_t *reached; /* by the run that ended last; shared with it */

size_t fuzz_nr_edges(void)
{
	return (size_t)(edges_end - edges_start);
}

uint64_t fuzz_function_of_edge(size_t i)
{
	return places[i][1] & 1 ? places[i][0] : 0;
}

const uint8_t *fuzz_reached(void)
{
	return reached;
}

int fuzz_share_reached(void)
{
	reached = mmap(NULL, fuzz_nr_edges() + 1, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reached == MAP_FAILED)
		reached = NULL;
	return reached ? 0 : -ENOMEM;
}

void sim_save_reached(void)
{
	if (reached)
		memcpy(reached, edges_start, fuzz_nr_edges());
}
