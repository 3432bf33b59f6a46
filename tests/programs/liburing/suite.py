# SPDX-License-Identifier: MIT
"""liburing's own tests and examples, from Debian's source package, made by this machine's compiler."""
import concurrent.futures
import glob
import os
import shutil

import debian

SAYS = "liburing's own tests (each program of test/ in Debian's source, by its exit status) and its examples: io_uring"
PACKAGES = ["libc6", "libstdc++6", "util-linux", "coreutils", "dash", "bash", "grep", "sed", "diffutils", "mount"]
MEMORY = "1G"
FULL = True


def compile_all(folder, out):
    """Each test and example as a program of its own, with the library in it."""
    flags = ["-w", "-O2", "-s", "-D_GNU_SOURCE", "-D__SANE_USERSPACE_TYPES__", f"-I{folder}/src/include", "-include", f"{folder}/config-host.h",
             "-DLIBURING_BUILD_TEST"]
    library = [f"{folder}/src/{name}.c" for name in ("setup", "queue", "register", "syscall", "version") if os.path.exists(f"{folder}/src/{name}.c")]
    helpers = f"{folder}/test/helpers.c"
    jobs = []
    for path in sorted(glob.glob(f"{folder}/test/*.c") + glob.glob(f"{folder}/test/*.cc") + glob.glob(f"{folder}/examples/*.c")):
        if path == helpers:
            continue
        name, kind = os.path.splitext(os.path.basename(path))
        place = f"{out}/{os.path.basename(os.path.dirname(path))}"
        os.makedirs(place, exist_ok=True)
        jobs.append(["g++" if kind == ".cc" else "gcc", *flags, "-o", f"{place}/{name}", path, *objects(folder, flags, library + [helpers]), "-lpthread"])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda argv: debian.apt(*argv), jobs))


MADE = {}


def objects(folder, flags, sources):
    """The library and the tests' helpers, compiled once."""
    for path in sources:
        if path not in MADE:
            MADE[path] = os.path.splitext(path)[0] + ".made.o"
            debian.apt("gcc", *flags, "-c", "-o", MADE[path], path)
    return [MADE[path] for path in sources]


def files():
    source = debian.source("liburing")
    made = os.path.join(source, "torus")
    if not os.path.exists(made):
        scratch = source + ".making"
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(source, scratch)
        debian.apt("sh", "./configure", cwd=scratch)
        compile_all(scratch, f"{scratch}/torus")
        os.rename(f"{scratch}/torus", made)
        shutil.rmtree(scratch)
    return {"/liburing": made}
