# SPDX-License-Identifier: MIT
"""Each allocation of the start made to fail, one boot for each."""
from cases import Program

Program("failalloc.start", "each allocation of the start fails once: the kernel gets ready without it, or says what it was",
        command=["tests/failalloc"], needs="debug", expect=[r"panics and says why"], timeout=900)
