#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_popen test_wait3 test_wait4 test_fork1 test_pipes test_atexit test_runpy
