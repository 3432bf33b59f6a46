# SPDX-License-Identifier: MIT
SAYS = "terminals: job control of bash, dash and busybox under expect; tmux, script, less, line editing"
IMAGE = "debian"
PACKAGES = ["bash", "bsdutils", "busybox-static", "coreutils", "dash", "expect", "less", "libc-bin", "ncurses-base", "ncurses-bin", "procps",
            "tmux", "util-linux", "vim-tiny"]
