# SPDX-License-Identifier: MIT
#
# What the simulated machine is compiled with, beside what tools/sim.mk gives every host program.
#
# clang calls __sanitizer_cov_load<n>/store<n> (interleave.c) before every plain access of generic
# code, so that another CPU or an interrupt may come between any two of them. clang 14 emits them
# only beside some other coverage: here a flag for each edge, by which a fuzzer sees what an input
# reached (fuzz_input.c), and the places of those edges. The machine itself is not instrumented: it is
# the hardware. gcc has no such callbacks: with CC=gcc only atomics, locks and the interrupt flag are
# points where CPUs change places.
#
# Linked at fixed addresses, so that no address differs between two runs of one seed.

comma := ,
SIM_COVERAGE := $(if $(findstring gcc,$(CC)),,-fsanitize-coverage=edge,inline-bool-flag,pc-table,trace-loads,trace-stores)
CFLAGS_SIM   := -fno-pie -fno-builtin $(SIM_COVERAGE)
# A kernel's linker script names the bounds of the PERCPU variables; here they are a section's.
LDFLAGS_SIM  := -no-pie -Wl,--defsym=__percpu_start=__start_percpu,--defsym=__percpu_end=__stop_percpu

# The machine: no instrumentation, and the host's functions may be known to the compiler.
$(foreach f,$(wildcard kernel/arch/sim/*.c),$(eval CFLAGS_$(f) := -D_GNU_SOURCE \
	$(if $(SIM_COVERAGE),-fno-sanitize-coverage=edge$(comma)inline-bool-flag$(comma)trace-loads$(comma)trace-stores)))
