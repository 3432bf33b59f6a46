# SPDX-License-Identifier: MIT
SAYS = "programs of Debian's that use io_uring: qemu-io and qemu-img, plocate, MariaDB"
PACKAGES = ["base-files", "base-passwd", "bash", "coreutils", "dash", "findutils", "gawk", "grep", "libc-bin", "mariadb-server-core", "mariadb-client-core", "mariadb-common",
            "plocate", "procps", "qemu-utils", "sed", "util-linux"]
WITHOUT = ["python3", "python3.11", "perl-modules-5.36"]
MEMORY = "1G"
FULL = True
