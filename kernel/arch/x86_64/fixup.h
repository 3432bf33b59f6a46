// SPDX-License-Identifier: MIT
/*
 * Instructions that are allowed to fault: a row in section .fixups says where to go on instead.
 *
 *     __asm__ volatile("1: mov (%1), %0; 2:" X86_FIXUP("1b", "2b") : ...);
 *
 * Both addresses are stored relative to their own word, so the table needs no relocation. The
 * registers are as they were at the faulting instruction: preset the result to "failed".
 */
#pragma once

#define X86_FIXUP(from, to)                                                                    \
	"\n.pushsection .fixups, \"a\"\n.balign 4\n.long " from " - .\n.long " to              \
	" - .\n.popsection\n"
