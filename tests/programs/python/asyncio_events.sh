#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
A=test.test_asyncio.test_
exec python3.11 /tests/python/modules.py \
	${A}events
