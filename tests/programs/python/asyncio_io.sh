#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
# Not test_ssl, test_sendfile and test_sock_lowlevel: each of their tests makes a TCP connection.
A=test.test_asyncio.test_
exec python3.11 /tests/python/modules.py \
	${A}unix_events ${A}subprocess ${A}streams "${A}server -m *unix*"
