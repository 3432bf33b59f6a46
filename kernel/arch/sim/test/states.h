// SPDX-License-Identifier: MIT
/*
 * Words for operations that are tried at each of their states (ktest_states.c).
 *
 * An operation is a small program that waits for the outside world somewhere, with other processes
 * that make it go on, and that knows what must come out. OPERATION(name) { ... } makes tests of it:
 * fail.NAME, kill.NAME and signal.NAME.
 */
#pragma once

#include "arch/sim/program.h"
#include "lib/test.h"

#include <asm/signal.h>
#include <linux/mman.h>

/* What OPERATION's tests are: op in a process of its own, many times. */
void states_fail(void (*op)(void));
void states_kill(void (*op)(void));
void states_signal(void (*op)(void));

#define OPERATION(name)                                                                        \
	static void name(void);                                                                \
	TEST(fail, name)                                                                       \
	{                                                                                      \
		states_fail(name);                                                             \
	}                                                                                      \
	TEST(kill, name)                                                                       \
	{                                                                                      \
		states_kill(name);                                                             \
	}                                                                                      \
	TEST(signal, name)                                                                     \
	{                                                                                      \
		states_signal(name);                                                           \
	}                                                                                      \
	static void name(void)

/* ---- Calls of an operation ---- */

/* A failed call ends the operation; that is right when an allocation was made to fail. */
NORETURN void states_give_up(const char *call, int line, int64_t err);
/* Whether the call is to be made again: interrupted by a signal that is tried. */
bool states_is_interrupted(int64_t result);
/* Nobody was killed and nothing made to fail: helpers must have got what they were to get. */
bool states_is_undisturbed(void);

/* A call that must work. Interrupted, it is made again. */
#define DO(nr, ...)                                                                            \
	({                                                                                     \
		int64_t do_;                                                                   \
		do                                                                             \
			do_ = SIM_CALL(__NR_##nr, __VA_ARGS__);                                \
		while (states_is_interrupted(do_));                                            \
		if (do_ < 0)                                                                   \
			states_give_up(#nr, __LINE__, do_);                                    \
		(uint64_t) do_;                                                                \
	})

/* What others do to an operation is not what is made to fail or killed: it may find nobody. */
#define TRY(nr, ...) ((void)SIM_CALL(__NR_##nr, __VA_ARGS__))

/* Memory of the operation, touched by the kernel. */
#define MAP(size, kind)                                                                        \
	DO(mmap, 0, size, PROT_READ | PROT_WRITE, (kind) | MAP_ANONYMOUS | MAP_POPULATE,       \
		(uint64_t)-1, 0)

/* A string or a variable of the test, in the program's memory for a call or two. */
#define STRING(s) sim_scratch(s, sizeof(s))
#define OBJECT(o) sim_scratch(&(o), sizeof(o))

/* A child of the operation, and its end. */
uint64_t child(void (*fn)(uintptr_t), uintptr_t arg);
void join(uint64_t pid);
void get_pair(uint64_t at, uint64_t fd[2]);
void make_pipe(uint64_t fd[2], unsigned flags);
void make_sockets(uint64_t fd[2], unsigned type); /* AF_UNIX */
/* FUTEX_WAIT, with the answers that it may have. */
void wait_futex(uint64_t word, uint32_t value);
/* The operation's last step, if that is not its return: what exec made of it. */
void states_note_end(void);
/* An allocation that is not the operation's, between the two. */
void states_pause_failing(void);
void states_go_on_failing(void);

/* ---- Children and names that several use ---- */

enum { BULK = 6 * PAGE_SIZE };
void write_bulk(uintptr_t fd); /* BULK bytes, in pieces; ends with an error */
/* Closes states_other_end and reads to the end, and exits with 0 if that was BULK bytes. */
void read_to_end(uintptr_t fd);
extern uint64_t states_other_end;
void write_byte(uintptr_t fd); /* after a while */
void do_nothing(uintptr_t arg);
void sleep_for_ever(uintptr_t arg);
void make_calls(uintptr_t arg);    /* for ever */
void signal_parent(uintptr_t pid); /* SIGUSR2, after a while */

extern const char states_fifo[6], states_file[6], states_folder[8], states_inside[10],
	states_moved[7];
