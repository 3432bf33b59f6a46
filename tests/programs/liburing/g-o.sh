#!/bin/bash
# within: 900
# results: ^(?P<is>PASS|FAIL|SKIP) (?P<name>\S+)
set -- '[g-o].*'
. /tests/liburing/tests.bash
