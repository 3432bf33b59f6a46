# SPDX-License-Identifier: MIT
"""What bench/ measures and what must not get worse unnoticed."""
from cases import Program

Program("bench.start_grows_little", "the start takes at most 5 % more instructions with 16 GiB than with 128 MiB",
        command=["bench/run", "--check"], expect=[r"ratio [01]\.\d+"], timeout=600)
