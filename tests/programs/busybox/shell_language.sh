#!/bin/bash
# within: 600
# results: ^(?P<name>ash-\S+): (?P<is>ok|fail)$
set -- 'ash-[a-l]* ash-[pq]*'
. /tests/busybox/ash.bash
