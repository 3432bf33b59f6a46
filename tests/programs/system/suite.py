# SPDX-License-Identifier: MIT
SAYS = "tools that look at the system and change it: procps, util-linux, psmisc, lsof, htop, su, sudo, sysctl"
IMAGE = "debian"
PACKAGES = ["base-files", "bash", "bsdutils", "coreutils", "dash", "expect", "findutils", "gawk", "grep", "hostname", "htop", "libc-bin", "libpam-modules", "libpam-runtime",
            "login", "lsof", "mount", "ncurses-base", "ncurses-bin", "passwd", "procps", "psmisc", "sed", "sudo", "sysvinit-utils", "tmux", "util-linux",
            "util-linux-extra"]
