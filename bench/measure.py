# SPDX-License-Identifier: MIT
"""Boots a kernel so that its instructions are counted, and reads what it says.

One CPU and `-icount shift=0,sleep=off`: guest time advances by one nanosecond for each instruction
and by nothing else, an idle guest jumps to its next timer, and the time stamp counter runs at
1 GHz. So a difference of two reads of it is a number of instructions, the same on any host.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import qemu  # noqa: E402

# Without ERMS a kernel copies by words: QEMU counts each step of a string instruction, so a copy by
# bytes would cost eight times what it does on hardware. Without LA57, page tables have four levels.
CPU = "max,-erms,-fsrm,-la57"
ICOUNT = ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2024-01-01,clock=vm"]
READY = re.compile(r"torus: ready.*?(\d+) counts since entry")
ENDED = re.compile(r"\d+ passed, \d+ failed\n")
SECONDS = 300


def command(kernel, *, memory, append, machine="q35", extra=()):
    return qemu.command(kernel=kernel, machine=machine, memory=memory, cpus=1, cpu=CPU, accel="tcg",
                        append=f"exit=qemu {append}".strip(), serial="stdio,id=serial,signal=off",
                        extra=ICOUNT + list(extra))


def boot(kernel, *, memory="128M", append="", until=READY, machine="q35", extra=()):
    """Runs until the serial line matches, or the guest ends. Returns (output, match or None)."""
    argv = command(kernel, memory=memory, append=append, machine=machine, extra=extra)
    with tempfile.TemporaryFile() as out:
        running = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        deadline, match = time.monotonic() + SECONDS, None
        try:
            while not match and time.monotonic() < deadline:
                ended = running.poll() is not None
                out.seek(0)
                text = out.read().decode(errors="replace").replace("\r", "")
                match = until.search(text) if "\n" in text[text.rfind("torus: ready"):] or ended else None
                if ended:
                    break
                time.sleep(0.05)
        finally:
            running.terminate()
            running.wait()
    return text, match
