# SPDX-License-Identifier: MIT
#
# Generic sources that the simulated machine leaves out, and what stands in for them.

SIM_EXCLUDE := \
	$(filter-out kernel/boot/smp.c kernel/boot/words.c,$(wildcard kernel/boot/*.c)) \
	$(filter-out kernel/dev/char/% kernel/dev/tty/%,$(wildcard kernel/dev/*.c kernel/dev/*/*.c kernel/dev/*/*/*.c)) \
	kernel/lib/string.c \
	kernel/mm/pgtable.c kernel/mm/kmap.c kernel/mm/direct.c kernel/mm/kstack.c kernel/mm/kasan.c \
	kernel/mm/test/ktest_tables.c kernel/mm/test/ktest_kmap.c \
	kernel/debug/symbols.c kernel/debug/ubsan.c kernel/debug/crash.c kernel/debug/console.c kernel/debug/commands.c

# boot/          sim_main.c: a start list of its own, without firmware tables; smp.c is the kernel's
# dev/           no buses; dev/char and dev/tty are the kernel's
# lib/string.c   the host's memcpy and friends, which ASan watches
# mm/...         hardware tables: memory.c (arena, stacks)
# debug/...      symbols.c here reads the program's own ELF; the host has a UBSan runtime
