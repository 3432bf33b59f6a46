# SPDX-License-Identifier: MIT
#
# Flags that every C file gets, in a kernel or in a host program, and the rule that a change of
# flags rebuilds what was built with the old ones.

LD := ld.lld
NM := nm

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	    -Wimplicit-fallthrough \
	    -Werror=incompatible-pointer-types -Werror=return-type -Werror=implicit-function-declaration

CFLAGS_ALL := -std=gnu17 -g -Ikernel -fno-strict-aliasing -fno-common $(WARNINGS)

# In a host program <sys/stat.h> is the host's, though kernel/sys has a stat.h too.
CFLAGS_HOSTED := $(subst -Ikernel ,-iquote kernel ,$(CFLAGS_ALL))

# What a kernel of any hardware architecture is compiled with; kernel/arch/<arch>/flags.mk adds
# the machine's own, and its folder is where "arch_types.h" and "arch_inline.h" come from.
CFLAGS_KERNEL := $(CFLAGS_ALL) -Ikernel/arch/$(ARCH) -ffreestanding -fpie -fvisibility=hidden -fno-omit-frame-pointer \
		 -fno-asynchronous-unwind-tables -fstack-protector-strong -Wframe-larger-than=2048

# A release kernel is optimised as one program: calls from file to file are inlined, which saves a tenth of
# the instructions of most system calls. clang's objects then hold LLVM's code, and the machine's is made
# by the linker, each file for itself and kept in the cache below; gcc's has no such cache, and is left out.
# Functions that call none keep no frame, which saves a hundredth: a trap in one shows its caller's caller.
LTO_clang    := -flto=thin
LDFLAGS_LTO  := --thinlto-cache-dir=$(BUILD)/lto --thinlto-cache-policy=cache_size_bytes=256m
CFLAGS_release := -O2 -momit-leaf-frame-pointer $(if $(findstring clang,$(CC)),$(LTO_clang))
CFLAGS_UBSAN   := -fsanitize=undefined
CFLAGS_debug   := -O1 -DDEBUG $(CFLAGS_UBSAN)

# KASAN calls the checker for each access (outlined), so the shadow's address is known only to
# mm/kasan.c. Stacks and globals are guarded by guard pages instead of red zones.
CFLAGS_KASAN_clang := -fsanitize=kernel-address -mllvm -asan-instrumentation-with-call-threshold=0 \
		      -mllvm -asan-stack=0 -mllvm -asan-globals=0
CFLAGS_KASAN_gcc   := -fsanitize=kernel-address --param asan-instrumentation-with-call-threshold=0 \
		      --param asan-stack=0 --param asan-globals=0
CFLAGS_kasan := $(CFLAGS_debug) -DKASAN $(CFLAGS_KASAN_$(if $(findstring gcc,$(CC)),gcc,clang))

# What the compiler calls by itself has to be there when the last code has been made.
CFLAGS_kernel/lib/string.c := -fno-lto

# The checker itself.
CFLAGS_kernel/mm/kasan.c := -fno-sanitize=all

CFLAGS_VARIANT := $(CFLAGS_$(firstword $(subst -, ,$(VARIANT)))) $(if $(filter 0,$(TESTS)),,-DTESTS)

# $(call stamp,file,text): a file that changes only when the text does. Depend on it.
define stamp
$(shell mkdir -p $(dir $(1)); \
	printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $(1) || printf '%s\n' '$(subst ','\'',$(2))' >$(1))$(1)
endef
