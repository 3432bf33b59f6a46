# SPDX-License-Identifier: MIT
"""CPython's own tests, from Debian's package, for what a kernel does."""
SAYS = "Python 3.11's own tests (libpython3.11-testsuite): files, processes, signals, threads, terminals, memory, asyncio"
PACKAGES = ["python3.11", "libpython3.11-testsuite", "python3-distutils", "media-types", "netbase", "tzdata", "coreutils", "bash", "dash", "libc-bin", "ncurses-base"]
MEMORY = "2G"
FULL = True
