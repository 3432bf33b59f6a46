# SPDX-License-Identifier: MIT
"""A root filesystem of Debian packages as they are, unpacked, without what only an installation would add."""
import os
import stat

import archive
import debian

# Needed to install packages, not to run what is in them.
WITHOUT = {"dpkg", "debconf", "usrmerge", "usr-is-merged", "init-system-helpers", "install-info", "adduser", "debianutils", "passwd",
           "tzdata", "util-linux-extra", "gcc-12-base", "libaudit-common"}
# Nothing that runs reads them.
DROPPED = ("usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/", "usr/share/lintian/", "usr/share/bug/",
           "usr/share/bash-completion/", "usr/share/menu/", "usr/share/pixmaps/", "usr/lib/systemd/")
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")  # man 7 hier; Debian 12: links into /usr


class System(archive.Archive):
    """Packages laid over each other, with /bin, /sbin and /lib in /usr."""

    def tree_at(self, guest, root):
        """What is below `root` on the host, below `guest` there."""
        for here, folders, files in os.walk(root):
            for item in sorted(folders + files):
                path = os.path.join(here, item)
                name = os.path.normpath(os.path.join(guest, os.path.relpath(path, root)))
                if name.partition("/")[0] in MERGED:
                    name = "usr/" + name
                if name in self.names or (name + "/").startswith(DROPPED):
                    continue
                self.add(name, path, os.lstat(path))

    def add(self, name, path, st):
        self.parents(name)
        if stat.S_ISLNK(st.st_mode):
            self.entry(name, st.st_mode, os.fsencode(os.readlink(path)), mtime=int(st.st_mtime))
        elif stat.S_ISREG(st.st_mode):
            with open(path, "rb") as f:
                self.entry(name, st.st_mode, f.read(), mtime=int(st.st_mtime))
        elif stat.S_ISDIR(st.st_mode):
            self.entry(name, st.st_mode, mtime=int(st.st_mtime))


def system(packages):
    """The archive with these packages, accounts, and an empty /tests."""
    out = System()
    for folder in MERGED:
        out.folder(f"usr/{folder}")
        out.link(folder, f"usr/{folder}")
    out.console()
    for folder in ("proc", "sys", "run", "etc", "mnt", "tests", "var"):
        out.folder(folder)
    out.folder("tmp", 0o1777)
    out.folder("root", 0o700)
    out.file("etc/passwd", b"root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
             b"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nuser:x:1000:1000:A User:/tmp:/bin/bash\n")
    out.file("etc/group", b"root:x:0:\ndaemon:x:1:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n")
    out.file("etc/hosts", b"127.0.0.1 localhost\n::1 localhost\n")
    out.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files\nservices: files\n")
    out.file("etc/hostname", b"torus\n")
    out.file("etc/shells", b"/bin/sh\n/bin/bash\n")
    debian.versions(packages)
    for package in packages:
        out.tree_at("", debian.unpacked(package))
    links(out)
    return out


def links(out):
    """What the packages' installation scripts would have made."""
    for name, target in (("usr/bin/awk", "gawk"), ("usr/bin/sh", "dash"), ("usr/bin/python3", "python3.11"), ("usr/bin/which", "which.debianutils")):
        if name not in out.names and f"usr/bin/{target}" in out.names:
            out.link(name, target)
    loader = "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    if loader in out.names and "usr/lib64/ld-linux-x86-64.so.2" not in out.names:
        out.link("usr/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
