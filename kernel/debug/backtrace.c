// SPDX-License-Identifier: MIT
/*
 * Who called whom, by frame pointers: every kernel function keeps one
 * (-fno-omit-frame-pointer), so no tables are needed and the walk works in any context.
 * arch_backtrace_step reads carefully and stops where the chain leaves the kernel.
 */
#include "debug/panic.h"

#include "debug/log.h"

enum { SYMBOL_TEXT = 96 };

unsigned backtrace_capture(vaddr_t fp, vaddr_t *out, unsigned max)
{
	unsigned nr = 0;

	while (nr < max && arch_backtrace_step(&fp, &out[nr]))
		nr++;
	return nr;
}

/*
 * A return address is behind its call: naming the byte before it names the caller even when the
 * call was the last instruction of a function (a call of something that does not return).
 */
static void print_return(vaddr_t address)
{
	char text[SYMBOL_TEXT];

	symbol_describe(address - 1, text, sizeof(text));
	log_emergency("    %p %s", (void *)address, text);
}

void backtrace_print_captured(vaddr_t pc, const vaddr_t *trace, unsigned nr)
{
	char text[SYMBOL_TEXT];

	if (pc) {
		symbol_describe(pc, text, sizeof(text));
		log_emergency("    %p %s", (void *)pc, text);
	}
	for (unsigned i = 0; i < nr; i++)
		print_return(trace[i]);
	if (nr == BACKTRACE_DEPTH)
		log_emergency("    ... (more)");
}

void backtrace_print(vaddr_t pc, vaddr_t fp)
{
	vaddr_t trace[BACKTRACE_DEPTH];

	backtrace_print_captured(pc, trace, backtrace_capture(fp, trace, BACKTRACE_DEPTH));
}
