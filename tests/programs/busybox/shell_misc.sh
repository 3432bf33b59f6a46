#!/bin/bash
# within: 600
# results: ^(?P<name>ash-\S+): (?P<is>ok|fail)$
set -- 'ash-misc'
. /tests/busybox/ash.bash
