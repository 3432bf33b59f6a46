#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_cmd_line test_cmd_line_script test_utf8_mode test_c_locale_coercion
