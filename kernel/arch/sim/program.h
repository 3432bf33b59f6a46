// SPDX-License-Identifier: MIT
/*
 * Words for tests of programs: process 1 is the test, its children are C functions, what they call
 * is the kernel's own. All of them may look at the test's variables, as if at shared memory.
 */
#pragma once

#include "arch/arch.h"
#include "arch/sim/sim.h"

#include <asm/unistd.h>

/*
 * Makes fn process 1, and waits for its return. A machine has one: once in a test, whose run is a
 * machine of its own.
 */
void sim_program(void (*fn)(void));
/*
 * Notes what the kernel has now; says later whether it has no more. What it has more of is a failure
 * of the test, which names `when`.
 */
void sim_note_holdings(void);
bool sim_check_holdings(const char *when);
/*
 * Runs round() `nr` times, by process 1, and compares what the kernel has then with what it had after
 * the first: objects of each slab cache (processes, ids, files, ...) and pages.
 */
void sim_rounds(void (*round)(void), unsigned nr);
/* The two together. */
void sim_program_rounds(void (*round)(void), unsigned nr);

/* ---- Processes and threads; a failure is the test's ---- */
int64_t sim_spawn(void (*fn)(uintptr_t arg), uintptr_t arg);
/* A thread of this process; fn ends with sim_exit. */
int64_t sim_thread(void (*fn)(uintptr_t arg), uintptr_t arg);
NORETURN void sim_exit_thread(void);
NORETURN void sim_exit_process(int status);
/* wait4 for this child; its status. */
int sim_wait(int64_t pid);
void sim_wait_all(void);
/*
 * A file that execve(2) takes: the process is fn(stack pointer) then, in fresh memory. fn calls
 * sim_after_exec first.
 */
void sim_make_program(const char *name, void (*fn)(uintptr_t sp));
void sim_after_exec(void);
void sim_yield(unsigned times);
/* kill(2), expected to work. */
void sim_kill(int64_t pid, int sig);
/* sigaction(2): handler(sig, siginfo, NULL). */
void sim_action(int sig, void (*handler)(int, void *, void *), uint64_t flags);

/* ---- Memory ---- */
uint64_t sim_map(size_t size);        /* private, zeroed, touched */
uint64_t sim_map_shared(size_t size); /* with children too */
/* At most SIM_SCRATCH bytes at an address that is this thread's until it has asked three times more. */
enum { SIM_SCRATCH = 512 };
uint64_t sim_scratch(const void *from, size_t len);
uint32_t sim_load32(uint64_t at);
void sim_store32(uint64_t at, uint32_t value);
bool sim_cmpxchg32(uint64_t at, uint32_t expected, uint32_t desired);
uint32_t sim_add32(uint64_t at, uint32_t n); /* what it was */
