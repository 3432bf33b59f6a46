// SPDX-License-Identifier: MIT
/*
 * The end: what is printed when the kernel cannot go on, and what happens then.
 *
 * panic() (lib/assert.h) stops the other CPUs by NMI and prints, once: the reason, registers if
 * a trap brought us here, a symbolised backtrace of every CPU, the held locks, the last trace
 * entries. Then, as the command line said: exit=qemu ends the emulator with EXIT_PANIC, panic=N
 * restarts after N seconds (negative: at once), else it halts.
 */
#pragma once

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/base.h"

/* panic with the registers of the trap that is the reason. */
NORETURN void panic_frame(const struct arch_frame *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

enum { BACKTRACE_DEPTH = 32 };
/* Prints the chain of callers from this frame pointer on, by log_emergency, symbolised. */
void backtrace_print(vaddr_t pc, vaddr_t fp);
/* The same for return addresses that were captured before; pc may be 0. */
void backtrace_print_captured(vaddr_t pc, const vaddr_t *trace, unsigned nr);
/* Fills return addresses; for lock and slab records, and tests. */
unsigned backtrace_capture(vaddr_t fp, vaddr_t *out, unsigned max);

/* "page_alloc+0x3c"; an unknown address gives "0x...". Any context. */
void symbol_describe(vaddr_t addr, char *buf, size_t size);
/* The address of a symbol, 0 if there is none. */
vaddr_t symbol_find(const char *name);

bool panic_in_progress(void);
/* The status that an emulator ends with; EXIT_PANIC unless the watchdog says EXIT_HUNG. */
void panic_set_exit_status(unsigned status);
