#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 1800
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_os test_posix test_select test_poll test_epoll test_selectors test_mmap test_fcntl test_ioctl \
	test_resource test_time test_eof
