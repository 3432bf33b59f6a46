# SPDX-License-Identifier: MIT
"""Writes initramfs archives: cpio in the "newc" format, as Linux' buffer-format document describes it.

Whoever runs this, the files belong to root, unless the tree says otherwise.
"""
import os
import stat
import tarfile

DIRECTORY, REGULAR, LINK, CHARACTER = 0o040000, 0o100000, 0o120000, 0o020000


class Archive:
    """Entries in order; add() makes missing parent folders. bytes() ends it."""

    def __init__(self):
        self.parts, self.names, self.inode = [], set(), 0

    def entry(self, name, mode, data=b"", device=(0, 0), owner=(0, 0), mtime=0, links=1):
        self.inode += 1
        path = name.encode(errors="surrogateescape") + b"\0"
        fields = [self.inode, mode, *owner, links, mtime, len(data), 0, 0, *device, len(path), 0]
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self.parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]
        self.names.add(name)

    def parents(self, name):
        folder = os.path.dirname(name)
        if folder and folder not in self.names:
            self.parents(folder)
            self.entry(folder, DIRECTORY | 0o755)

    def folder(self, name, mode=0o755):
        self.parents(name)
        if name not in self.names:
            self.entry(name, DIRECTORY | mode)

    def file(self, name, data, mode=0o644):
        self.parents(name)
        self.entry(name, REGULAR | mode, data)

    def copy(self, name, path):
        with open(path, "rb") as f:
            self.file(name, f.read(), 0o755 if os.access(path, os.X_OK) else 0o644)

    def link(self, name, target):
        self.parents(name)
        self.entry(name, LINK | 0o777, target.encode())

    def console(self):
        """What a kernel opens for process 1 before it has mounted anything."""
        self.folder("dev")
        self.entry("dev/console", CHARACTER | 0o600, device=(5, 1))
        if "dev/null" not in self.names:
            self.entry("dev/null", CHARACTER | 0o666, device=(1, 3))

    def tree(self, root):
        """Everything below a folder of the host; devices only if whoever runs this could make them there."""
        for here, folders, files in os.walk(root):
            for item in sorted(folders + files):
                path = os.path.join(here, item)
                name, st = os.path.relpath(path, root), os.lstat(path)
                if name in self.names:
                    continue
                if stat.S_ISLNK(st.st_mode):
                    self.entry(name, st.st_mode, os.fsencode(os.readlink(path)), mtime=int(st.st_mtime))
                elif stat.S_ISREG(st.st_mode):
                    with open(path, "rb") as f:
                        self.entry(name, st.st_mode, f.read(), mtime=int(st.st_mtime))
                elif stat.S_ISSOCK(st.st_mode):
                    continue
                else:
                    self.entry(name, st.st_mode, device=(os.major(st.st_rdev), os.minor(st.st_rdev)))

    def tar(self, path):
        kinds = {tarfile.DIRTYPE: DIRECTORY, tarfile.SYMTYPE: LINK, tarfile.CHRTYPE: CHARACTER, tarfile.BLKTYPE: 0o060000,
                 tarfile.FIFOTYPE: 0o010000}
        with tarfile.open(path) as tar:
            for member in tar:
                name = os.path.normpath(member.name).lstrip("/")
                if name == "." or name in self.names:
                    continue
                self.parents(name)
                if member.isfile() or member.islnk():
                    kind, data = REGULAR, tar.extractfile(member).read()  # a hard link becomes a copy
                else:
                    kind, data = kinds[member.type], member.linkname.encode() if member.issym() else b""
                self.entry(name, kind | member.mode & 0o7777, data, (member.devmajor, member.devminor),
                           (member.uid, member.gid), int(member.mtime))

    def bytes(self):
        self.entry("TRAILER!!!", 0)
        return b"".join(self.parts)
