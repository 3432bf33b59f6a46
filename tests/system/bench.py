# SPDX-License-Identifier: MIT
"""What bench/ measures and what must not get worse unnoticed."""
from cases import Program

Program("bench.start_grows_little", "the start takes at most 5 % more instructions with 16 GiB than with 128 MiB; "
        "the way into and out of a system call stays below 60",
        command=["bench/run", "--check"], expect=[r"ratio [01]\.\d+", r"takes \d+ instructions, limit 60"], timeout=600)
