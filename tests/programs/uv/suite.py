# SPDX-License-Identifier: MIT
"""libuv's own tests, from Debian's source package, made by this machine's compiler."""
import glob
import os

import debian

SAYS = "libuv's own tests (run-tests, from Debian's source): event loops, pipes, processes, threads, files, signals, terminals"
PACKAGES = ["bash", "coreutils", "dash", "grep", "libc-bin", "libc6", "util-linux"]
MEMORY = "1G"
FULL = True

UNIX = ["async", "core", "dl", "fs", "getaddrinfo", "getnameinfo", "loop-watcher", "loop", "pipe", "poll", "process", "random-devurandom",
        "signal", "stream", "tcp", "thread", "tty", "udp", "proctitle", "linux-core", "linux-inotify", "linux-syscalls", "procfs-exepath",
        "random-getrandom", "random-sysctl-linux", "epoll"]


def build(folder, out):
    """The library, and the tests, some of which have parts of it in them."""
    argv = ["gcc", "-w", "-O2", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-D_LARGEFILE_SOURCE", f"-I{folder}/include", f"-I{folder}/src"]
    sources = glob.glob(f"{folder}/src/*.c") + [f"{folder}/src/unix/{name}.c" for name in UNIX]
    tests = [path for path in glob.glob(f"{folder}/test/*.c") if "benchmark" not in path and not path.endswith("-win.c")]
    os.makedirs(out, exist_ok=True)
    debian.apt(*argv, "-fPIC", "-shared", "-Wl,-soname,libuv.so.1", "-o", f"{out}/libuv.so.1", *sources, "-lpthread", "-ldl", "-lrt")
    debian.apt(*argv, "-DUSING_UV_SHARED", "-rdynamic", "-Wl,-rpath,$ORIGIN", "-o", f"{out}/uv_run_tests", *tests, f"{out}/libuv.so.1", "-lpthread")


def files():
    folder = debian.source("libuv1")
    out = os.path.join(folder, "torus")
    if not os.path.exists(f"{out}/uv_run_tests"):
        build(folder, out)
    return {"/uv": out, "/uv/test/fixtures": os.path.join(folder, "test/fixtures")}
