# SPDX-License-Identifier: MIT
SAYS = "fio: its engines for files, io_uring with its options first, and what it verifies"
PACKAGES = ["base-files", "base-passwd", "bash", "coreutils", "dash", "fio", "gawk", "grep", "libc-bin", "procps", "sed", "util-linux"]
WITHOUT = ["python3", "python3.11", "perl-modules-5.36"]
MEMORY = "1G"
FULL = True
