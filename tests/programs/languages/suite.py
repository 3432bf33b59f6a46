# SPDX-License-Identifier: MIT
SAYS = "perl, gcc, tcc, make and binutils: programs are compiled, linked, run and looked at"
PACKAGES = ["libc-bin", "perl", "gcc", "tcc", "make", "libc6-dev", "binutils", "bash", "dash", "coreutils", "grep", "sed", "diffutils"]
MEMORY = "2G"
FULL = True
