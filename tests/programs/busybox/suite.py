# SPDX-License-Identifier: MIT
import os
import subprocess

import debian

SAYS = "busybox's own testsuite and that of its shell, with Debian's busybox-static"
IMAGE = "busybox"
PACKAGES = ["base-files", "bash", "busybox-static", "bzip2", "coreutils", "dash", "diffutils", "findutils", "gawk", "grep", "gzip", "libc-bin",
            "mount", "sed", "tar", "util-linux", "xz-utils"]
FULL = True
HELPERS = ("printenv", "recho", "zecho")  # programs that the tests of the shell call


def files():
    source = debian.source("busybox")
    tests = os.path.join(source, "shell/ash_test")
    for name in HELPERS:
        if not os.path.exists(os.path.join(tests, name)):
            subprocess.run(["musl-gcc", "-static", "-w", "-o", os.path.join(tests, name), os.path.join(tests, name + ".c")], check=True)
    return {"busybox/testsuite": os.path.join(source, "testsuite"), "busybox/ash_test": tests,
            "busybox/.config": os.path.join(source, "debian/config/pkg/static")}
