#!/bin/bash
# within: 900
# results: ^(?P<is>PASS|FAIL|SKIP) (?P<name>\S+)
set -- '[0-9abc].*'
. /tests/liburing/tests.bash
