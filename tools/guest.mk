# SPDX-License-Identifier: MIT
#
# Guest tests: each tests/guest/<area>.c becomes a static Linux program build/guest/<area>, with the
# files of the folder tests/guest/<area>/ if there is one, and tests/guest/init.c the process 1 that runs them. musl, because its programs are small and ask
# little of a kernel; the ABI's own headers (linux/, asm/) come from linux-libc-dev.

GUEST_CC     := musl-gcc
GUEST_FLAGS  := -std=gnu17 -D_GNU_SOURCE -O2 -g0 -Wall -Wextra -Wno-unused-parameter -fno-pie -pthread
GUEST_ABI    := build/guest/include
GUEST_STAMP  := $(call stamp,build/guest/flags,$(GUEST_CC) $(GUEST_FLAGS))
GUEST_PARTS  := tests/guest/init.c tests/guest/guest.c
GUEST_TESTS  := $(sort $(filter-out $(GUEST_PARTS),$(wildcard tests/guest/*.c)))
GUEST_PROGS  := $(GUEST_TESTS:tests/guest/%.c=build/guest/%)

$(GUEST_ABI):
	@mkdir -p $@
	@ln -sfn /usr/include/linux $@/linux
	@ln -sfn /usr/include/asm-generic $@/asm-generic
	@ln -sfn /usr/include/x86_64-linux-gnu/asm $@/asm

# The objects of an area's own folder: $(call guest_folder,hostile)
guest_folder = $(patsubst tests/guest/%.c,build/guest/parts/%.o,$(sort $(wildcard tests/guest/$(1)/*.c)))

build/guest/%.o: tests/guest/%.c $(GUEST_STAMP) | $(GUEST_ABI)
	$(call say,GUESTCC,$@)
	$(Q)$(GUEST_CC) $(GUEST_FLAGS) -idirafter $(GUEST_ABI) -MMD -MP -c -o $@ $<

build/guest/parts/%.o: tests/guest/%.c $(GUEST_STAMP) | $(GUEST_ABI)
	$(call say,GUESTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_FLAGS) -idirafter $(GUEST_ABI) -MMD -MP -c -o $@ $<

build/guest/init: build/guest/init.o
	$(Q)$(GUEST_CC) -static -no-pie -s -o $@ $^

.SECONDEXPANSION:
$(GUEST_PROGS): build/guest/%: build/guest/%.o build/guest/guest.o $$(call guest_folder,$$*)
	$(Q)$(GUEST_CC) -static -no-pie -pthread -s -o $@ $^

-include $(wildcard build/guest/*.d build/guest/parts/*/*.d)

guest: build/guest/init $(GUEST_PROGS)
.PHONY: guest
.SECONDARY:

# ---- user/init, process 1 of ./torus run -- PROGRAM: for any Linux kernel as well ----

build/user/init: user/init/init.c $(GUEST_STAMP)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_FLAGS) -static -no-pie -s -o $@ $<

# ---- tests/programs/init, process 1 of the machine that runs Debian's programs ----

build/programs/init: tests/programs/init.c $(GUEST_STAMP)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_FLAGS) -static -no-pie -s -o $@ $<

programs: build/programs/init
.PHONY: programs

# ---- bench/ring.c with kbench's tables and rounds: where that lies, bench/programs says ----

KBENCH := ../shared/bench

build/bench/ring: bench/ring.c tests/guest/ring.h kernel/abi/torus.h kernel/abi/io_uring.h $(KBENCH)/kbench.c $(KBENCH)/kbench.h $(GUEST_STAMP) | $(GUEST_ABI)
	$(call say,GUESTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_FLAGS) -I$(KBENCH) -idirafter $(GUEST_ABI) -static -no-pie -o $@ bench/ring.c $(KBENCH)/kbench.c
