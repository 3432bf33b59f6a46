#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the processor: instructions, vectors, caches, locks between threads.
. /tests/stress/each.bash
each atomic branch bsearch cache cacheline context cpu cpu-online crypt dekker far-branch flushcache fp fp-error funccall \
	funcret goto hash heapsort hsearch icache ipsec-mb jpeg judy l1cache list llc-affinity lockbus longjmp lsearch matrix \
	matrix-3d
