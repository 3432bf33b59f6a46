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


LIBRARY = ["src/setup", "src/queue", "src/register", "src/syscall", "src/version", "test/helpers"]


def compile_all(folder, out):
    """Each test and example as a program of its own, with the library and the tests' helpers in it."""
    flags = ["-w", "-O2", "-s", "-D_GNU_SOURCE", "-D__SANE_USERSPACE_TYPES__", f"-I{folder}/src/include", "-include", f"{folder}/config-host.h",
             "-DLIBURING_BUILD_TEST"]
    parts = [f"{folder}/{name}" for name in LIBRARY if os.path.exists(f"{folder}/{name}.c")]
    for part in parts:
        debian.apt("gcc", *flags, "-c", "-o", f"{part}.made.o", f"{part}.c")
    jobs = []
    for path in glob.glob(f"{folder}/test/*.c") + glob.glob(f"{folder}/test/*.cc") + glob.glob(f"{folder}/examples/*.c"):
        source, kind = os.path.splitext(path)
        place = f"{out}/{os.path.basename(os.path.dirname(path))}"
        os.makedirs(place, exist_ok=True)
        if source not in parts:
            jobs.append(["g++" if kind == ".cc" else "gcc", *flags, "-o", f"{place}/{os.path.basename(source)}", path,
                         *(f"{part}.made.o" for part in parts), "-lpthread"])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda argv: debian.apt(*argv), jobs))


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
