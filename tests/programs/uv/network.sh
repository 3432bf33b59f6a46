#!/bin/bash
# within: 600
# results: ^(?P<is>ok|not ok) \d+ - (?P<name>\w+)
set -- network
. /tests/uv/tests.bash
