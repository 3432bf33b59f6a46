#!/bin/bash
# within: 1200
# results: ^(?P<is>PASS|FAIL|SKIPPED|UNTESTED): (?P<name>.*)$
set -- '[t]'
. /tests/busybox/applets.bash
