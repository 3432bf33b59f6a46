#!/bin/sh
# within: 1500
# results: ^(?P<is>ok|not ok) \d+ - (?P<name>\w+)
# It refuses to run as root.
chown -R 1000:1000 /uv
cd /uv
exec setpriv --reuid 1000 --regid 1000 --clear-groups ./uv_run_tests
