# SPDX-License-Identifier: MIT
SAYS = "scripts for dash, bash and busybox; coreutils, findutils, grep, sed, gawk, util-linux"
IMAGE = "debian"
PACKAGES = ["base-files", "bash", "bsdextrautils", "bsdutils", "busybox-static", "coreutils", "dash", "diffutils", "expect", "findutils", "gawk", "grep",
            "ncurses-base", "ncurses-bin", "procps", "sed", "tmux", "util-linux", "tar", "gzip", "hostname", "libc-bin", "mount", "ncal",
            "sysvinit-utils", "uuid-runtime"]
