#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the address spaces: the rest.
. /tests/stress/each.bash
each msync msyncmany munmap numa null oom-pipe pagemove pageswap physpage randlist readahead remap rmap \
	secretmem shm stack stackmmap swap tlb-shootdown tmpfs userfaultfd vm vm-addr vm-rw vm-segv vm-splice watchdog zero resources
