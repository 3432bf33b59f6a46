# SPDX-License-Identifier: MIT
#
# What an x86-64 kernel is compiled with. No vector registers (they belong to user programs
# until something asks for them), no red zone (an interrupt would write over it), and a stack
# protector whose value is a global because %gs means the per-CPU data of this kernel.

CFLAGS_ARCH  := -m64 -march=x86-64 -mno-mmx -mno-sse -mno-sse2 -mno-80387 -msoft-float \
		-mno-red-zone -mstack-protector-guard=global
# The image is one piece: everything in it is reached by %rip. gcc takes that for granted in a
# position-independent executable, clang has to be told, or it goes through a table of addresses.
CFLAGS_ARCH  += $(if $(findstring clang,$(CC)),-fdirect-access-external-data)
ASFLAGS_ARCH := -m64
LDFLAGS_ARCH := -m elf_x86_64

# Runs before the image is relocated: the checkers' own data is not usable yet, and nothing may be inlined
# from where that is not known.
CFLAGS_kernel/arch/x86_64/early.c := -fno-stack-protector -fno-sanitize=all -fno-lto
