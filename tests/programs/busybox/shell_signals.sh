#!/bin/bash
# within: 600
# results: ^(?P<name>ash-\S+): (?P<is>ok|fail)$
set -- 'ash-signals ash-z_slow'
. /tests/busybox/ash.bash
