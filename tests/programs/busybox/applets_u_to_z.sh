#!/bin/bash
# within: 1200
# results: ^(?P<is>PASS|FAIL|SKIPPED|UNTESTED): (?P<name>.*)$
set -- '[u-z]'
. /tests/busybox/applets.bash
