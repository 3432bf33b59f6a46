#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 1800
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_socket test_socketserver
