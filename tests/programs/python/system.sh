#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_sys test_site test_platform test_uuid test_pwd test_grp test_spwd test_crypt test_syslog test_locale
