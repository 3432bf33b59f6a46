// SPDX-License-Identifier: MIT
/*
 * The parts of the walk of hostile calls (tests/guest/hostile.c tells the story): which calls there
 * are, how an argument is drawn, and the victim that makes them.
 */
#pragma once

#include "../guest.h"

#include <linux/unistd.h>

/* ---- calls.c: what is called ---- */

struct call {
	int nr;
	const char *letters, *name; /* the letters of kernel/abi/syscalls.def, or "*" */
};

extern const struct call hostile_calls[];
extern const size_t nr_hostile_calls;

/* Whether root would change the whole machine by it, or processes that are not its own. */
bool is_machine_wide(int nr);
/* Whether it ends the thread or its walk: too often if it came at every turn. */
bool is_final(int nr);

/*
 * The call itself. What comes back 0 from fork and its like is a child, perhaps on no stack: with
 * `forks` it ends before it touches memory.
 */
long call_raw(long nr, const uint64_t args[6], bool forks);

/* ---- draw.c: chance ---- */

/* Where a victim has its memory, for draw_arguments to point at. */
#define ARENA       0x10000000UL /* 16 pages to read and write, then nothing */
#define ARENA_SIZE  0x10000UL
#define READ_ONLY   0x10020000UL /* one page, then nothing */
#define FORBIDDEN   0x10022000UL /* PROT_NONE */
#define BEYOND_FILE 0x10024000UL /* a page of a file, then one behind its end */
#define FLICKERING  0x10028000UL /* two pages that a thread maps and unmaps */
#define TO_TARGETS  0x10030000UL /* 16 pages for calls that change mappings */

enum { OPENED = 48 }; /* descriptors are below this */

/* A number from a sequence that its first state decides, and one below count. */
uint64_t draw(uint64_t *state);
uint64_t below(uint64_t *state, uint64_t count);

/* One of a kind: what it points to in the arena is written. */
uint64_t draw_pointer(uint64_t *state);
uint64_t draw_path(uint64_t *state);
uint64_t draw_descriptor(uint64_t *state);
uint64_t draw_size(uint64_t *state);
uint64_t draw_flags(uint64_t *state);
/* Six arguments by the call's letters; what they point to in the arena is written. */
void draw_arguments(uint64_t *state, const struct call *call, uint64_t args[6]);

/* ---- census.c: what is left behind ---- */

enum { SLABS = 128 };

struct census {
	long files, threads, mounts, free_kib; /* of the whole machine */
	int nr_slabs;
	struct slab_count {
		char name[40];
		long in_use;
	} slabs[SLABS];
};

void census_take(struct census *c);
/*
 * What there is more of than before, in words, after the kernel had time to give it back; NULL: nothing.
 * few: so many objects of one kind, and KiB, are no loss.
 */
const char *census_find_leak(const struct census *before, long few, long few_kib);

/* Ends every process that victims have left, and sees that none is counted any more. */
void sweep(void);

/* ---- victim.c ---- */

enum { USER = 1000, NO_THREADS = 7 }; /* of every other victim; its status without threads */

enum { THREADS = 3, CALLS_PER_THREAD = 1500 };

/* What a thread of a victim is at; the victim writes it, the test reads it. */
struct thread_board {
	volatile long made; /* calls */
	volatile int tid;
	volatile bool done;
	volatile long nr;
	volatile uint64_t args[6];
};

struct board {
	struct thread_board threads[THREADS];
	volatile long wrong_nr, wrong_result; /* neither a result nor an errno */
	volatile bool wrong, set_up;
};

extern struct board *board; /* shared memory; the test makes it */

/* What a thread of a victim does. */
struct walk {
	uint64_t chance;
	bool is_root;
	struct thread_board *board;
};
typedef void walk_fn(struct walk *w);
void walk_of_calls(struct walk *w);

/* Makes this process a victim, in the folder that the test made. Those with an even number are root. */
_Noreturn void be_victim(uint64_t seed, unsigned number, walk_fn *walk);

/* ---- rings.c ---- */
void walk_of_rings(struct walk *w);
bool has_new_rings(void); /* it is a kernel of this year */
