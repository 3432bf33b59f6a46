# SPDX-License-Identifier: MIT
"""Counts the instructions that each function of the kernel executes, by the plugin of count.c."""
import bisect
import os
import subprocess
import tempfile

import measure

ROOT = measure.ROOT
LINKED_AT, LOADED_AT = 0xffffffff80000000, 0x100000  # kernel.lds
PLUGIN = os.path.join(ROOT, "build/bench/count.so")


def build_plugin():
    source = os.path.join(ROOT, "bench/count.c")
    if not os.path.exists(PLUGIN) or os.path.getmtime(PLUGIN) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(PLUGIN), exist_ok=True)
        subprocess.run(["clang", "-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden",
                        "-o", PLUGIN, source], check=True)


def symbols(kernel):
    """Sorted [(address, name)] of the functions."""
    names = subprocess.run(["nm", "-n", kernel], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {}
    for line in names.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in "tT" and not words[2].startswith("."):
            found[int(words[0], 16)] = words[2].partition(".llvm.")[0]
    return sorted(found.items())


def add_up(path, table, is_start_counted=True):
    """{function: instructions}. What runs where the kernel is loaded, its start, may later be programs."""
    starts, sums = [address for address, _ in table], {}
    with open(path) as f:
        for line in f:
            address, count = int(line.split()[0], 16), int(line.split()[1])
            if address < LINKED_AT:
                if not is_start_counted:
                    continue
                address += LINKED_AT - LOADED_AT
            at = bisect.bisect_right(starts, address) - 1
            name = table[at][1] if at >= 0 else f"{address:#x}"
            sums[name] = sums.get(name, 0) + count
    return sums


def by_function(kernel, *, memory="128M", append="", until=measure.ENDED):
    """{function: instructions} of a boot with one CPU. No test runs, but the kernel ends: an idle one would go on."""
    build_plugin()
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "counts")
        measure.boot(kernel, memory=memory, append=f"nokaslr test=none.at_all {append}", until=until, extra=["-plugin", f"{PLUGIN},out={out}"])
        return add_up(out, symbols(kernel))
