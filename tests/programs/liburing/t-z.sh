#!/bin/bash
# within: 900
# results: ^(?P<is>PASS|FAIL|SKIP) (?P<name>\S+)
set -- '[t-z].*'
. /tests/liburing/tests.bash
