#!/bin/bash
# within: 900
# results: ^(?P<is>PASS|FAIL|SKIP) (?P<name>\S+)
set -- 'po.*'
. /tests/liburing/tests.bash
