# SPDX-License-Identifier: MIT
#
# Builds, runs and tests Torus. `make help` lists the targets; each idea has a file of its own:
#
#     Makefile            the settings, the targets that people type
#     tools/flags.mk      compilers, warnings, variants, what makes objects go stale
#     tools/kernel.mk     ARCH=x86_64, aarch64: objects, links and the symbol table in the image
#     tools/sim.mk        ARCH=sim: the simulated machine, one host program
#     tools/host.mk       unit tests, one host program each
#     tools/guest.mk      guest tests, static Linux programs
#     tools/user.mk       the programs of user/
#
# Sources are found, not listed: kernel/<folder>/**/*.c of every generic folder, and all of
# kernel/arch/$(ARCH)/. A file named ktest_*.c is in debug builds (and with TESTS=1), a file
# named test_*.c is a host unit test, and nothing else under a test/ folder is in a kernel.

ARCH  ?= x86_64
CC    := $(if $(filter default,$(origin CC)),clang,$(CC))
SMP   ?= 4
V     ?= 0
TESTS ?= 0
DEBUG ?= $(if $(filter sim,$(ARCH)),1,0)

VARIANT := $(if $(filter 0,$(DEBUG)),release,$(if $(filter kasan,$(DEBUG)),kasan,debug))
VARIANT := $(VARIANT)$(if $(filter 0,$(TESTS)),,-tests)$(if $(findstring gcc,$(CC)),-gcc)
BUILD   := build/$(ARCH)/$(VARIANT)

# Without -j on the command line, use every CPU: what is slow is the compiler, not the machine.
ifeq ($(filter -j%,$(MAKEFLAGS))$(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(V),0)
Q  := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif

.PHONY: all objects run test test-full debug iso lint bench host-tests packages clean help
.DELETE_ON_ERROR:
.SUFFIXES:
all:

include tools/flags.mk
include $(if $(filter sim,$(ARCH)),tools/sim.mk,tools/kernel.mk)
include tools/host.mk
include tools/guest.mk
include tools/user.mk

all: $(IMAGE)
objects: $(OBJS)

# ---- What people type ----

run:
	$(Q)tools/need build run
	$(Q)$(MAKE) all
	$(Q)./torus run --bare --kernel $(IMAGE) --smp $(SMP) $(RUN)

debug:
	$(Q)./torus debug --smp $(SMP) $(RUN)

iso:
	$(Q)tools/need build image
	$(Q)$(MAKE) all
	$(Q)./torus image --kernel $(IMAGE)

test:
	$(Q)./torus test $(if $(T),'$(T)')

test-full:
	$(Q)./torus test --full $(if $(T),'$(T)')

bench:
	$(Q)tools/need build run bench
	$(Q)./torus bench
	$(Q)bench/programs

lint:
	$(Q)tools/need lint
	$(Q)tools/lint

packages:
	$(Q)tools/need --list

clean:
	rm -rf build

help:
	@echo 'make               the kernel: build/$(ARCH)/torus'
	@echo 'make run           build it and boot it in QEMU, serial line on this terminal'
	@echo 'make test          lint, host unit tests, simulated machine, boots (T=pattern: only those)'
	@echo 'make test-full     the same and everything slow'
	@echo 'make debug         the debug kernel in QEMU, stopped, with gdb attached'
	@echo 'make iso           a hybrid ISO for BIOS and UEFI'
	@echo 'make lint bench    the checkers / the benchmarks'
	@echo 'make objects       compile without linking'
	@echo 'make packages      the Debian packages that all this needs, and why'
	@echo 'make clean'
	@echo 'settings           RUN="options of ./torus run" ARCH=x86_64|sim DEBUG=0|1|kasan CC=clang|gcc TESTS=1 SMP=n V=1'

print-%:
	@echo '$($*)'
