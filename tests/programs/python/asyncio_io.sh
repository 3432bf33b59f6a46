#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
# Not test_ssl, test_sendfile and test_sock_lowlevel: each of their tests makes a TCP connection. Nor
# test_drain_raises, which waits for ever for a server that cannot have its socket without a network.
A=test.test_asyncio.test_
exec python3.11 /tests/python/modules.py \
	${A}unix_events ${A}subprocess "${A}streams -i *drain_raises" "${A}server -m *unix*"
