#!/bin/bash
# within: 600
# results: ^(?P<is>ok|not ok) \d+ - (?P<name>\w+)
set -- '^fs_'
. /tests/uv/tests.bash
