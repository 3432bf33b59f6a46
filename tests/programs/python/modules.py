# SPDX-License-Identifier: MIT
"""Runs modules of CPython's tests by its own runner, and prints an answer for each test.

    python3 modules.py test_os test_pty

`= test.test_os.FileTests.test_access ok` is what tests/programs/run compares; what failed is
followed by its traceback. Each module has a process and a time limit of its own.
"""
import os
import subprocess
import sys
import xml.etree.ElementTree as xml

SECONDS_EACH = 1500
SECONDS_STUCK = 1400  # a module may take no longer; then the runner shows where every thread is
TAIL = 3000  # of the output of a module that died


def answer(case):
    """ok, or what else became of a test, and the runner's words about it."""
    for word in ("error", "failure", "skipped"):
        node = case.find(word)
        if node is not None:
            return word, "".join(node.itertext())
    return "ok", ""


def show(results):
    for case in xml.parse(results).iter("testcase"):
        word, why = answer(case)
        name = case.get("name").split()[0]
        print(f"= {name} {word}", flush=True)
        if word in ("error", "failure"):
            print("\n".join("  " + line for line in why.splitlines()), flush=True)


def run(module):
    results = f"/tmp/{module}.xml"
    argv = [sys.executable, "-m", "test", "-v", f"--timeout={SECONDS_STUCK}", f"--junit-xml={results}", module]
    with open(f"/tmp/{module}.out", "w+b") as out:
        try:
            status = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=SECONDS_EACH).returncode
        except subprocess.TimeoutExpired:
            status = "timeout"
        if os.path.exists(results):
            show(results)
        has_run = status in (0, 2) and os.path.exists(results)  # 2: some tests failed, as shown
        print(f"= {module} {'ran' if has_run else status}", flush=True)
        if not has_run:
            out.seek(max(0, out.seek(0, os.SEEK_END) - TAIL))
            print("\n".join("  " + line for line in out.read().decode(errors="replace").splitlines()), flush=True)


for each in sys.argv[1:]:
    run(each)
