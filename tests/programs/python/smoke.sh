#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_json test_struct test_array test_hashlib test_zlib test_bz2 test_lzma test_random \
	test_datetime test_re test_csv
