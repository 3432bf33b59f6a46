# SPDX-License-Identifier: MIT
SAYS = "terminals: job control of bash, dash and busybox under expect; tmux, screen, script, htop, less, line editing"
IMAGE = "debian"
PACKAGES = ["bash", "bsdutils", "busybox-static", "coreutils", "dash", "expect", "gawk", "grep", "less", "libc-bin", "ncurses-base", "ncurses-bin", "procps", "htop", "screen", "sed",
            "tmux", "util-linux", "vim-tiny"]
