#!/bin/bash
# within: 1800
# results: ^(?P<is>PASS|FAIL|SKIPPED|UNTESTED): (?P<name>.*)$
set -- 's'
. /tests/busybox/applets.bash
