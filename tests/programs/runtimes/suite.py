# SPDX-License-Identifier: MIT
"""Languages whose runtimes ask much of a kernel: threads that are preempted by signals, guard pages, collectors that protect and unmap memory."""
import os
import subprocess

import debian

SAYS = "the runtimes of Java, Go, JavaScript, Ruby, PHP, Erlang and Guile; sqlite and redis"
PACKAGES = ["bash", "dash", "coreutils", "diffutils", "grep", "sed", "procps", "libc-bin", "openjdk-17-jdk-headless", "nodejs", "ruby", "php-cli", "erlang-base", "guile-3.0",
            "sqlite3", "redis-server", "redis-tools", "fzf", "restic"]
WITHOUT = ["ca-certificates-java", "ca-certificates", "lsb-base", "ruby-rubygems", "rake", "ruby-test-unit", "ruby-net-telnet", "ruby-xmlrpc", "ruby-sdbm",
           "bundler", "python3", "fonts-lato", "psmisc"]
MEMORY = "3G"
FULL = True

HERE = os.path.dirname(os.path.abspath(__file__))


def go_root(folder):
    """Debian's Go, whose packages are laid over each other."""
    tree = os.path.join(folder, "tree")
    if not os.path.exists(tree):
        os.makedirs(tree + ".new", exist_ok=True)
        for package in ("golang-1.19-src", "golang-1.19-go"):
            debian.apt("cp", "-a", debian.unpacked(package) + "/.", tree + ".new")
        os.rename(tree + ".new", tree)
    return os.path.join(tree, "usr/lib/go-1.19")


def files():
    """The program of go.sh, made by Debian's Go from its packages."""
    folder = os.path.join(debian.CACHE, "go")
    root, program, source = go_root(folder), os.path.join(folder, "works"), os.path.join(HERE, "works.go")
    if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
        env = {**os.environ, "GOROOT": root, "GOCACHE": os.path.join(folder, "cache"), "GO111MODULE": "off", "CGO_ENABLED": "0"}
        subprocess.run([f"{root}/bin/go", "build", "-o", program, source], env=env, check=True)
    return {"/go": program}
