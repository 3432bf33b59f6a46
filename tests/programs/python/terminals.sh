#!/bin/sh
# SPDX-License-Identifier: MIT
# within: 3000
# results: ^= (?P<name>\S+) (?P<is>\S+)$
# With a controlling terminal, which is not the standard output: that would make line feeds into two characters.
python3.11 -c '
import pty
pty.spawn(["sh", "-c", "exec python3.11 /tests/python/modules.py test_ioctl test_curses test_readline test_getpass test_openpty >/tmp/result 2>&1"])
' </dev/null
cat /tmp/result
