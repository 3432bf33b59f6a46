#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 1800
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_multiprocessing_main_handling test_multiprocessing_fork
