#!/bin/bash
# within: 900
# results: ^(?P<is>PASS|FAIL|SKIP) (?P<name>\S+)
set -- 's[^q].*'
. /tests/liburing/tests.bash
