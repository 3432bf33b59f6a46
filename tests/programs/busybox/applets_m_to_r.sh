#!/bin/bash
# within: 1800
# results: ^(?P<is>PASS|FAIL|SKIPPED|UNTESTED): (?P<name>.*)$
set -- '[m-r]'
. /tests/busybox/applets.bash
