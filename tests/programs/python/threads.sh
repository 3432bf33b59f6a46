#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_threading test_thread test_threading_local test_threadedtempfile test_queue test_gc \
	test_weakref
