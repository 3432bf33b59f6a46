# SPDX-License-Identifier: MIT
"""Debian's own programs run as on Linux (tests/programs/README.md)."""
from cases import Program

RUN = "tests/programs/run"

Program("programs.smoke", "Debian's shells and tools do as on Linux", needs="release", lines=True, timeout=600,
        command=[RUN, "--smoke", "--kernel", "build/x86_64/release/torus"])
Program("programs.all", "every suite of Debian's programs does as on Linux", needs="debug", lines=True, slow=True, timeout=7200,
        command=[RUN, "--full", "--kernel", "build/x86_64/debug/torus"])
Program("programs.command", "./torus run passes bytes, statuses and job control through", needs="release", lines=True, timeout=900,
        command=["tests/programs/command"])
