#!/bin/bash
# within: 3000
# results: ^(?P<is>PASS|FAIL|SKIPPED|UNTESTED): (?P<name>.*)$
set -- '[t-z]'
. /tests/busybox/applets.bash
