# SPDX-License-Identifier: MIT
"""gdb on a running kernel: the commands of tools/gdb work."""
from cases import Program

Program("debug.gdb", "gdb shows threads, locks, log and free pages of a stopped kernel", command=["tests/gdb"], needs="debug",
        expect=[r"== kps", r"1 running +cpu +0 +idle/000", r"blocked .* console +\w+\+\d+", r"== klocks", r"== klog 5",
                r"torus: ready", r"== kpages", r"zone 0: \d+ pages never touched, [1-9]\d* free", r"== bt 3", r"in \w+ \("],
        reject=[r"Python Exception", r"Error occurred"], slow=True)
