#!/bin/bash
# within: 300
# results: ^(?P<is>PASS|FAIL|SKIPPED|UNTESTED): (?P<name>.*)$
set -- 'bc'
. /tests/busybox/applets.bash
