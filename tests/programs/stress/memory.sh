#!/bin/bash
# within: 280
# results: ^(?P<name>[a-z0-9-]+( memory)?): (?P<is>ok|skip|fail|leak)$
# Stressors of the address spaces and what is mapped.
. /tests/stress/each.bash
args_of[bigheap]='--bigheap-growth 64k --vm-bytes 64m'
each bad-altstack bigheap brk dev-shm env madvise malloc mcontend memfd memhotplug memrate memthrash mincore mlock \
	mlockmany mmap mmapaddr mmapfixed mmapfork mmaphuge mmapmany mprotect mremap
