# SPDX-License-Identifier: MIT
"""Starts what a case declares, watches its output, and ends it.

A guest that does not end in time is asked, through QEMU's monitor, for the registers of all CPUs and
gets an NMI, which makes the kernel print every CPU's backtrace into the log; then it is killed.
"""
import hashlib
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time

import cases
import firmware
import qemu

ROOT = qemu.ROOT
LOGS = os.path.join(ROOT, "build/test")
POLL_SECONDS = 0.05
LAST_WORDS_SECONDS = 4  # for the NMI's backtraces to reach the log
iso_lock = threading.Lock()


def show(argv):
    return " ".join(shlex.quote(word) for word in argv)


def start(case, pattern):
    """Runs the case. Returns (output, exit status or a word, command that repeats it, log file)."""
    os.makedirs(LOGS, exist_ok=True)
    log = os.path.join(LOGS, case.name + ".log")
    if isinstance(case, cases.Program):
        return program(case, pattern, log)
    if case.route == "bochs":
        return bochs(case, log)
    return guest(case, pattern, log)


def read(log):
    with open(log, errors="replace") as f:
        return f.read()


def program(case, pattern, log):
    argv = [word.replace("{T}", pattern or "*") for word in case.command]
    with open(log, "wb") as out:
        try:
            status = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                    timeout=case.timeout).returncode
        except subprocess.TimeoutExpired:
            status = f"no end after {case.timeout} s"
    return read(log), status, show(argv), log


def iso(case, append):
    """The ISO of this kernel and command line; made once."""
    kernel = os.path.join(ROOT, "build/x86_64", case.variant, "torus")
    name = hashlib.sha256(append.encode()).hexdigest()[:12]
    out = os.path.join(ROOT, "build/test", f"{case.variant}-{name}.iso")
    with iso_lock:
        if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(kernel):
            subprocess.run([sys.executable, os.path.join(ROOT, "tools/torus.py"), "image", "--kernel", kernel,
                            "--append", append, "-o", out], check=True, stdout=subprocess.DEVNULL)
    return out


def words(case, pattern):
    """The kernel command line of a case."""
    append = ("exit=qemu " if case.uses_exit else "") + case.append
    if case.kernel_tests:
        wanted = pattern if pattern and pattern != case.name else case.kernel_tests
        append += f" test={wanted}"
    return append


def guest(case, pattern, log):
    append = words(case, pattern)
    media = ({"kernel": os.path.join(ROOT, "build/x86_64", case.variant, "torus"), "append": "console=ttyS0 " + append}
             if case.route == "pvh" else {"iso": iso(case, append)})
    with tempfile.TemporaryDirectory() as scratch:
        monitor = os.path.join(scratch, "monitor")
        argv = qemu.command(machine=case.machine, memory=case.memory, cpus=case.cpus, cpu=case.cpu,
                            uefi=case.route == "uefi", accel="tcg", serial="stdio,id=serial,signal=off",
                            extra=case.extra, **media)
        gdb = os.path.join(scratch, "gdb")
        if case.lie:
            argv += ["-S", "-gdb", f"unix:{gdb},server=on,wait=off"]
        quiet = ["-monitor", f"unix:{monitor},server=on,wait=off"]
        with open(log, "wb") as out, open(log + ".stderr", "wb") as err:
            running = subprocess.Popen(argv + quiet, stdin=subprocess.PIPE, stdout=out, stderr=err)
            try:
                if case.lie:
                    firmware.tell(gdb, media["kernel"], case.lie)
                status = watch(case, running, log, monitor)
            finally:
                running.kill()
                running.wait()
    output = read(log)
    errors = read(log + ".stderr")
    return output + (f"\nQEMU: {errors}" if errors and not output else ""), status, show(argv), log


def watch(case, running, log, monitor):
    """Waits for the end of the machine; types what the case says; switches it off at case.until."""
    deadline = time.monotonic() + case.timeout
    to_send = list(case.send)
    typed_at = 0
    while running.poll() is None:
        if time.monotonic() > deadline:
            last_words(log, monitor)
            return f"no end after {case.timeout} s"
        if to_send or case.until:
            text = read(log)
            match = to_send and re.compile(to_send[0][0], re.M).search(text, typed_at)
            if match:
                typed_at = match.end()
                running.stdin.write(to_send.pop(0)[1].encode())
                running.stdin.flush()
            if case.until and not to_send and re.search(case.until, text, re.M):
                return "switched off"
        time.sleep(POLL_SECONDS)
    return running.returncode


def last_words(log, monitor):
    """Registers of every CPU beside the log, and an NMI, whose report the kernel adds to its log."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(LAST_WORDS_SECONDS)
            line.connect(monitor)
            line.sendall(b"info registers -a\nnmi\n")
            time.sleep(LAST_WORDS_SECONDS)
            with open(log + ".registers", "wb") as f:
                f.write(line.recv(1 << 20))
    except OSError:
        pass


def bochs(case, log):
    """Bochs has no exit device, so the case says until what."""
    append = f"{case.append} test={case.kernel_tests}" if case.kernel_tests else case.append
    config = log + ".bochsrc"
    memory = int(case.memory.rstrip("M"))
    open(log, "wb").close()
    with open(config, "w") as f:
        f.write(qemu.bochs_config(iso=iso(case, append.strip()), log=log, memory_mib=memory, cpus=case.cpus,
                                  model=case.cpu or "corei7_skylake_x"))
    argv = qemu.bochs_command(config)
    with open(log + ".stderr", "wb") as err:
        running = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=err, stderr=err)
        try:
            status = watch(case, running, log, "/nonexistent")
        finally:
            running.kill()
            running.wait()
    return read(log), status, show(argv), log
