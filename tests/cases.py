# SPDX-License-Identifier: MIT
"""The words in which tests/system/*.py declare what must be seen.

A case is data: what is started, what its output must say and must not say, how it ends. A file
declares cases by calling these at its top level; tests/run collects and runs them.
"""
import os
from dataclasses import dataclass, field

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# How a guest may end (kernel/debug/exit.h through QEMU's exit device), for Boot.status.
EXIT_OK, EXIT_FAILED, EXIT_PANIC, EXIT_HUNG = 33, 35, 37, 39
POWERED_OFF = 0

CASES = []


@dataclass
class Case:
    name: str  # area.behaviour_in_words, unique
    says: str  # the same as a sentence, for the line that is printed
    slow: bool = False  # only in `make test-full`
    timeout: int = 240  # seconds; generous, machines are slow and shared
    expect: list = field(default_factory=list)  # regular expressions, in this order in the output
    reject: list = field(default_factory=list)  # must not be anywhere in the output
    status: object = None  # exit status; None: not looked at
    lines: bool = False  # its ok/not ok lines are tests of their own and are counted

    def __post_init__(self):
        if any(case.name == self.name for case in CASES):
            raise ValueError(f"two cases are called {self.name}")
        if not (self.expect or self.lines or self.status is not None):
            raise ValueError(f"{self.name} expects nothing, so it cannot fail")
        CASES.append(self)


@dataclass
class Boot(Case):
    """A kernel in an emulator."""
    variant: str = "debug"  # release, debug, kasan, release-tests, debug-gcc, ...
    route: str = "pvh"  # pvh: QEMU -kernel; bios, uefi: GRUB from an ISO; bochs: the ISO in Bochs
    machine: str = "q35"
    cpus: int = 1
    memory: str = "128M"
    append: str = ""
    cpu: str = None  # QEMU's -cpu, or Bochs' cpu model
    until: str = None  # when this is seen in the log the machine is switched off: success so far
    send: list = field(default_factory=list)  # (regular expression, text): when seen, type text
    extra: list = field(default_factory=list)  # more arguments for QEMU
    uses_exit: bool = True  # exit=qemu: the end of a test and of a panic ends the emulator
    lie: object = None  # function(Firmware): changes the boot tables before the kernel sees them; PVH only
    kernel_tests: str = None  # test= pattern; implies lines, and EXIT_OK

    def __post_init__(self):
        if self.kernel_tests:
            self.lines = True
        super().__post_init__()


@dataclass
class Program(Case):
    """A program on the host; {T} in the command becomes the pattern of `make test T=`, or '*'."""
    command: list = field(default_factory=list)
    needs: str = None  # "sim", or the variant of the kernel that must be built first
    status: object = 0
