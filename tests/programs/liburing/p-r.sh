#!/bin/bash
# within: 900
# results: ^(?P<is>PASS|FAIL|SKIP) (?P<name>\S+)
set -- 'p[^o].*|[qr].*'
. /tests/liburing/tests.bash
