# SPDX-License-Identifier: MIT
SAYS = "stress-ng: every stressor that needs no disk and no network, with its own checks, and whether memory comes back"
PACKAGES = ["stress-ng", "bash", "coreutils", "sed", "libc-bin"]
WITHOUT = ["libegl-mesa0", "libgl1-mesa-dri", "libglvnd-core-dev", "libgl1"]  # no graphics card, so no LLVM
MEMORY = "1G"
FULL = True
