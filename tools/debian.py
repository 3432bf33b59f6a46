# SPDX-License-Identifier: MIT
"""Debian's packages without installing them: the kernel that is the oracle, and programs for root filesystems.

Downloaded by apt-get, unpacked by dpkg-deb, kept in $TORUS_CACHE (~/.cache/torus). No root needed.
"""
import glob
import hashlib
import os
import re
import subprocess
import sys
import tempfile

CACHE = os.environ.get("TORUS_CACHE") or os.path.expanduser("~/.cache/torus")
KERNEL_PACKAGE = "linux-image-cloud-amd64"
# What is installed here does not matter: it may be a version that nobody offers.
NOTHING_INSTALLED = ("-o", "Dir::State::status=/dev/null")


class Unavailable(Exception):
    """apt cannot give it; the text says what to do."""


def apt(*argv, cwd=None):
    try:
        done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as why:
        raise Unavailable(f"{argv[0]}: {why.strerror}") from why
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise Unavailable(f"{' '.join(argv)}: {last} (perhaps after: apt-get update)")
    return done.stdout


def asked(*argv):
    """apt-cache's answer. It takes a second or more each time, so it is kept until apt's lists change."""
    lists = "/var/lib/apt/lists"
    age = os.stat(lists).st_mtime_ns if os.path.exists(lists) else 0
    argv = ("apt-cache", *NOTHING_INSTALLED, *argv)
    path = os.path.join(CACHE, "answers", hashlib.sha256(repr((argv, age)).encode()).hexdigest()[:32])
    if os.path.exists(path):
        with open(path) as f:
            return f.read()
    text = apt(*argv)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False) as f:
        f.write(text)
    os.rename(f.name, path)
    return text


VERSIONS = {}  # what versions() has learned


def versions(packages):
    """{package: version} of the newest that apt knows; asked once, for all of them together: apt-cache takes a second."""
    fresh = sorted(set(packages) - set(VERSIONS))
    if fresh:
        shown = asked("show", "--no-all-versions", *fresh)
        for block in shown.split("\n\n"):
            field = dict(re.findall(r"^(Package|Version): (\S+)", block, re.M))
            if field:
                VERSIONS.setdefault(field["Package"], field["Version"])
    missing = [package for package in packages if package not in VERSIONS]
    if missing:
        raise Unavailable(f"apt-cache show {' '.join(missing)}: no version")
    return {package: VERSIONS[package] for package in packages}


def unpacked(package):
    """The folder that holds the package's files."""
    version = versions([package])[package]
    folder = os.path.join(CACHE, "packages", f"{package}_{version.replace(':', '%3a')}")
    if os.path.exists(folder):
        return folder
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    print(f"fetching {package} {version}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as scratch:
        # As root apt would download as another user, which may not write here.
        apt("apt-get", "download", "-q", *NOTHING_INSTALLED, "-o", "APT::Sandbox::User=root", package, cwd=scratch)
        deb, = glob.glob(os.path.join(scratch, "*.deb"))
        apt("dpkg-deb", "-x", deb, os.path.join(scratch, "files"))
        try:
            os.rename(os.path.join(scratch, "files"), folder)
        except OSError:  # somebody else was faster
            if not os.path.exists(folder):
                raise
    return folder


def source(package):
    """The folder of a source package with Debian's patches, whether or not this machine's apt lists sources."""
    folder = os.path.join(CACHE, "sources", package)
    if os.path.exists(folder):
        return folder
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    print(f"fetching the source of {package}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as scratch:
        listed = os.path.join(scratch, "sources.list")
        with open(listed, "w") as f:
            f.write("deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main\n")
        options = [f"-oDir::Etc::sourcelist={listed}", "-oDir::Etc::sourceparts=/dev/null", f"-oDir::State::lists={scratch}/lists",
                   f"-oDir::Cache={scratch}/cache", "-oAPT::Sandbox::User=root"]
        for part in ("lists/partial", "cache/archives/partial", "files"):
            os.makedirs(os.path.join(scratch, part))
        apt("apt-get", *options, "update")
        apt("apt-get", *options, "source", "-q", package, cwd=os.path.join(scratch, "files"))
        unpacked_to, = (place for place in glob.glob(os.path.join(scratch, "files", "*")) if os.path.isdir(place))
        try:
            os.rename(unpacked_to, folder)
        except OSError:  # somebody else was faster
            if not os.path.exists(folder):
                raise
    return folder


def dependencies(packages, without=()):
    """The packages and what they need at run time, each once; the first of alternatives. What `without` names is left out,
    and what only it needs."""
    found, fresh = set(), set(packages)
    while fresh:
        found |= fresh
        text = asked("depends", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances",
                     *sorted(fresh))
        fresh = set()
        either = False  # the line before said `|`: this one is its alternative
        for line in text.splitlines():
            match = re.match(r"^ ([ |])(?:Pre)?Depends: (\S+)", line)
            if not match:
                continue
            if not either and not match.group(2).startswith("<"):
                fresh.add(match.group(2))
            either = match.group(1) == "|"
        fresh -= found | set(without)
    return sorted(found)


def kernel():
    """(path of Debian's current cloud kernel, its version)."""
    depends = re.search(r"Depends: (linux-image-\S+)", asked("depends", KERNEL_PACKAGE))
    if not depends:
        raise Unavailable(f"apt-cache depends {KERNEL_PACKAGE}: names no image")
    folder = unpacked(depends.group(1))
    image, = glob.glob(os.path.join(folder, "boot", "vmlinuz-*"))
    return image, os.path.basename(folder)
