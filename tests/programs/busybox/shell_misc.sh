#!/bin/bash
# within: 600
# results: ^(?P<name>ash-(?!misc/exitcode_trap[26]\.)\S+): (?P<is>ok|fail)$
# Not exitcode_trap2 and 6: a signal is to come after the shell has begun to wait, and nothing makes it
# wait for that; on Linux it is early once in twenty times, here more often.
set -- 'ash-misc'
. /tests/busybox/ash.bash
