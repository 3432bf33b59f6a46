// SPDX-License-Identifier: MIT
/*
 * Words for operations that are tried at each of their states (ktest_states.c).
 *
 * An operation is a small program that waits for the outside world somewhere, with helpers (other
 * processes, other threads) that make it go on, and that knows what must come out. OPERATION(name)
 * { ... } makes tests of it: fail.NAME, kill.NAME and signal.NAME, of its first thread.
 * JOINT_OPERATION(name) { ... } has helpers, and makes three more, in which the same comes to each of
 * those: fail_helper.NAME and so on; and two, kill_meanwhile.NAME and signal_meanwhile.NAME, in which it
 * comes to one of them while anybody is at each of his steps.
 *
 * Without its helper an operation must end: what it waited for says so (an end of file, an error, a lock that is
 * handed on), or it never does on Linux either; then the helper is a sure_child.
 */
#pragma once

#include "arch/sim/program.h"
#include "lib/test.h"

#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/sched.h>

/* What OPERATION's tests are: op in a process of its own, many times. */
void states_fail(void (*op)(void));
void states_kill(void (*op)(void));
void states_signal(void (*op)(void));
void states_fail_helper(void (*op)(void));
void states_kill_helper(void (*op)(void));
void states_signal_helper(void (*op)(void));
void states_kill_meanwhile(void (*op)(void));
void states_signal_meanwhile(void (*op)(void));

#define STATES_TEST(area, name)                                                                \
	TEST(area, name)                                                                       \
	{                                                                                      \
		states_##area(name);                                                           \
	}
#define OPERATION(name)                                                                        \
	static void name(void);                                                                \
	STATES_TEST(fail, name)                                                                \
	STATES_TEST(kill, name)                                                                \
	STATES_TEST(signal, name)                                                              \
	static void name(void)

#define JOINT_OPERATION(name)                                                                  \
	static void name(void);                                                                \
	STATES_TEST(fail_helper, name)                                                         \
	STATES_TEST(kill_helper, name)                                                         \
	STATES_TEST(signal_helper, name)                                                       \
	STATES_TEST(kill_meanwhile, name)                                                      \
	STATES_TEST(signal_meanwhile, name)                                                    \
	OPERATION(name)

/* ---- Calls of an operation ---- */

/*
 * A failed call ends the calling process. That is right when its allocation was made to fail, or when
 * another was killed or has failed, and the error tells of it.
 */
NORETURN void states_give_up(const char *call, int line, int64_t err);
/* Whether the call is to be made again: interrupted by a signal that is tried. */
bool states_is_interrupted(int64_t result);
/* Nobody was killed and nothing made to fail: helpers must have got what they were to get. */
bool states_is_undisturbed(void);

/* A helper was killed or has failed: who waits for it gets less. */
bool states_is_deserted(void);

#define EXPECT_WHOLE(a, b)                                                                     \
	do {                                                                                   \
		long long whole_ = (long long)(a), expected_ = (long long)(b);                 \
		if (whole_ != expected_ && !states_is_deserted())                              \
			test_fail(__FILE__, __LINE__, "%s is %lld, expected %lld", #a, whole_, \
				expected_);                                                    \
	} while (0)

/* A call and its result. Interrupted, it is made again. */
#define ASK(nr, ...)                                                                           \
	({                                                                                     \
		int64_t ask_;                                                                  \
		do                                                                             \
			ask_ = SIM_CALL(__NR_##nr, __VA_ARGS__);                               \
		while (states_is_interrupted(ask_));                                           \
		ask_;                                                                          \
	})

/* One that must work. */
#define DO(nr, ...)                                                                            \
	({                                                                                     \
		int64_t do_ = ASK(nr, __VA_ARGS__);                                            \
		if (do_ < 0)                                                                   \
			states_give_up(#nr, __LINE__, do_);                                    \
		(uint64_t) do_;                                                                \
	})

/* One whose result is no matter: it may find nobody. */
#define TRY(nr, ...) ((void)SIM_CALL(__NR_##nr, __VA_ARGS__))

/* Memory of the operation, touched by the kernel. */
#define MAP(size, kind)                                                                        \
	DO(mmap, 0, size, PROT_READ | PROT_WRITE, (kind) | MAP_ANONYMOUS | MAP_POPULATE,       \
		(uint64_t)-1, 0)

/* A string or a variable of the test, in the program's memory for a call or two. */
#define STRING(s) sim_scratch(s, sizeof(s))
#define OBJECT(o) sim_scratch(&(o), sizeof(o))

/* A helper by clone(2); tid_at: where its number is until it ends, or 0. It ends when fn returns. */
uint64_t helper(uint64_t flags, void (*fn)(uintptr_t), uintptr_t arg, uint64_t tid_at);
/* Its flags, for a thread of the operation's process. */
enum { THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD };
/* A child, and its end. */
uint64_t child(void (*fn)(uintptr_t), uintptr_t arg);
/* The same; if it is killed or fails, fn is begun anew by another. */
uint64_t sure_child(void (*fn)(uintptr_t), uintptr_t arg);
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
