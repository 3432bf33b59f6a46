# SPDX-License-Identifier: MIT
"""Packs a program of the host, and what it needs to run, into an initramfs for ./torus run.

What a program needs is read from its own headers, as its loader will: the interpreter of a script
(#!), the loader of a dynamic program (PT_INTERP), its libraries (DT_NEEDED) and theirs. What a
program opens by itself while it runs (plug-ins, data) is for --rootfs or --add.

Spec: System V ABI, chapter 5, "Program Header" and "Dynamic Section"; man 8 ld.so
"""
import glob
import os
import shutil
import struct
import subprocess

import archive
import debian

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_NEEDED, DT_STRTAB, DT_RPATH, DT_RUNPATH = 0, 1, 5, 15, 29
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EXIT_MARK = b"\x1etorus-exit "  # user/init/init.c


class Missing(Exception):
    """Something to pack is not there."""


def elf(path):
    """(loader or None, [needed], [run paths]) of an ELF program; None for another file."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:5] != b"\x7fELF\x02":
        return None
    offset, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    heads = [struct.unpack_from("<IIQQQQQQ", data, offset + i * size) for i in range(count)]
    loads = [(head[3], head[2], head[5]) for head in heads if head[0] == PT_LOAD]  # address, place in the file, bytes
    loader, tags = None, []
    for kind, _, place, _, _, length, _, _ in heads:
        if kind == PT_INTERP:
            loader = data[place:place + length].rstrip(b"\0").decode()
        elif kind == PT_DYNAMIC:
            tags = [struct.unpack_from("<qQ", data, at) for at in range(place, place + length, 16)]
    strings = 0
    for tag, value in tags:
        if tag == DT_STRTAB:
            strings = next((value - address + at for address, at, length in loads if address <= value < address + length), 0)

    def text(at):
        return data[strings + at:data.index(b"\0", strings + at)].decode()

    ended = tags[:next((i for i, (tag, _) in enumerate(tags) if tag == DT_NULL), len(tags))]
    return (loader, [text(value) for tag, value in ended if tag == DT_NEEDED],
            [part for tag, value in ended if tag in (DT_RPATH, DT_RUNPATH) for part in text(value).split(":")])


def library_folders():
    """Where ld.so looks: its configuration, then the defaults."""
    found = []
    for conf in sorted(glob.glob("/etc/ld.so.conf.d/*.conf")):
        with open(conf) as f:
            found += [line.strip() for line in f if line.startswith("/")]
    return found + ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]


def add_file(out, path):
    """A file of the host under its own name, whatever links lead to it. False if it is there already."""
    name = os.path.normpath(path).lstrip("/")
    if name in out.names:
        return False
    out.copy(name, os.path.realpath(path))
    return True


def add_program(out, path):
    """The program and what it needs."""
    if not os.path.exists(path):
        raise Missing(f"there is no {path}")
    if not add_file(out, path):
        return
    with open(path, "rb") as f:
        head = f.readline(256)
    if head.startswith(b"#!"):
        words = head[2:].decode().split()
        add_program(out, words[0])
        if os.path.basename(words[0]) == "env" and len(words) > 1:
            add_program(out, shutil.which(words[-1]) or words[-1])
        return
    parts = elf(path)
    if parts is None:
        return
    loader, needed, run_paths = parts
    if loader:
        add_program(out, loader)
    origin = os.path.dirname(os.path.realpath(path))
    folders = [folder.replace("$ORIGIN", origin).replace("${ORIGIN}", origin) for folder in run_paths] + library_folders()
    for name in needed:
        place = next((os.path.join(folder, name) for folder in folders if os.path.exists(os.path.join(folder, name))), None)
        if place is None:
            raise Missing(f"{path} needs {name}, which is nowhere in {', '.join(folders)}")
        add_program(out, place)


def add_busybox(out):
    """Debian's static busybox, its applets as links in /bin."""
    path = os.path.join(debian.unpacked("busybox-static"), "bin/busybox")
    out.copy("bin/busybox", path)
    applets = subprocess.run([path, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            out.link(f"bin/{applet}", "busybox")


def environment():
    words = {"PATH": PATH, "HOME": "/root", "TERM": os.environ.get("TERM", "vt100"), "USER": "root", "LOGNAME": "root"}
    return [f"{name}={value}" for name, value in words.items()]


def add_base(out):
    """What any root filesystem of ours has."""
    for folder in ("proc", "sys", "run", "etc", "bin", "mnt"):
        out.folder(folder)
    out.folder("tmp", 0o1777)
    out.folder("root", 0o700)
    out.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    out.file("etc/group", b"root:x:0:\ntty:x:5:\nnogroup:x:65534:\n")


def initramfs(*, init, argv=(), rootfs=None, stdin=None, exact=False, add=()):
    """The archive's bytes. argv empty: a shell, or what the root filesystem starts itself."""
    argv = list(argv)
    own_init = rootfs and not argv
    out = archive.Archive()
    if rootfs:
        (out.tree if os.path.isdir(rootfs) else out.tar)(rootfs)
    else:
        add_base(out)
    if "dev/console" not in out.names:
        out.console()
    if argv and not rootfs:
        path = argv[0] if "/" in argv[0] else shutil.which(argv[0])
        if path is None:
            raise Missing(f"no program {argv[0]} on this machine's PATH")
        path = os.path.abspath(path)
        argv[0] = path
        add_program(out, path)
        if "bin/sh" not in out.names:
            add_program(out, "/bin/sh")  # system(3), popen(3)
    elif not rootfs:
        add_busybox(out)
        argv = ["/bin/sh", "-l"]
    for word in add:
        host, _, guest = word.partition(":")
        guest = (guest or os.path.abspath(host)).lstrip("/")
        if os.path.isdir(host):
            for here, _, files in os.walk(host):
                for name in files:
                    path = os.path.join(here, name)
                    out.copy(os.path.normpath(os.path.join(guest, os.path.relpath(path, host))), path)
        else:
            out.copy(guest, host)
    if not own_init:
        out.copy("torus/init", init)
        out.file("torus/argv", b"".join(os.fsencode(word) + b"\0" for word in argv))
        out.file("torus/environ", b"".join(os.fsencode(word) + b"\0" for word in environment()))
        if stdin is not None:
            out.file("torus/stdin", stdin)
        if exact:
            out.file("torus/exact", b"")
    return out.bytes()
