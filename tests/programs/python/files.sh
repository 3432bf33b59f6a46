#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_fileio test_bufio test_file test_largefile test_tempfile test_glob test_posixpath \
	test_genericpath test_stat test_fileinput test_filecmp test_unicode_file test_unicode_file_functions
