#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the processor: the rest.
. /tests/stress/each.bash
each membarrier memcpy mergesort misaligned nop opcode peterson pkey plugin prefetch priv-instr qsort radixsort rdrand regs rotate \
	rseq shellsort skiplist sparsematrix str stream syncload tree tsc tsearch vdso vecfp vecmath vecshuf vecwide waitcpu \
	wcs x86cpuid x86syscall zlib
