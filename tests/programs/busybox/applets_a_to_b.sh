#!/bin/bash
# within: 600
# results: ^(?P<is>PASS|FAIL|SKIPPED|UNTESTED): (?P<name>.*)$
set -- '[ab][^c]|[^a-z]'
. /tests/busybox/applets.bash
