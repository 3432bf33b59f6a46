#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
# What needs no network: every other class begins with a socket of AF_INET.
exec python3.11 /tests/python/modules.py \
	'test_socket -m *Unix* -m *SCMRights* -m *GeneralModuleTests* -m *SocketPairTest* -m *AbstractNamespace* -m *SendRecvFds* -m *Constant*'
