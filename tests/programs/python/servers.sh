#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
# Of the servers those of AF_UNIX; the runner takes every server for a need of the network.
exec python3.11 /tests/python/modules.py \
	'test_socketserver -u network -m *Unix*' 'test_asyncore -i *IPv4* -i *IPv6* -i *WithSend*'
