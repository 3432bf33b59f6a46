#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 1800
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_threading test_thread test_threading_local test_queue test_sched test_concurrent_futures test_contextlib \
	test_gc test_weakref
