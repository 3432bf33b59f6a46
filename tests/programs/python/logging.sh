#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	'test_logging -i *listen*' # those wait for ever for a thread that could not make a socket
