#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 1800
# results: ^= (?P<name>\S+) (?P<is>\S+)$
exec python3.11 /tests/python/modules.py \
	test_io test_fileio test_bufio test_file test_largefile test_tempfile test_shutil test_glob test_posixpath \
	test_genericpath test_pathlib test_stat test_fileinput test_filecmp test_zipfile test_mailbox test_dbm \
	test_sqlite3
