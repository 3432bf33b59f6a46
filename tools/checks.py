# SPDX-License-Identifier: MIT
"""What the checkers share: the files of the tree, comments removed, and self-tests.

A checker is a function from a tree to a list of problems ("file:line: what is wrong"). Each has planted
violations: trees that it must complain about, and one that it must accept, so that a
checker that cannot fail is noticed (`tools/lint selftest`).
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Tree:
    """The files under version control (or not ignored by it), by their path from the root."""

    def __init__(self, root=ROOT):
        self.root = root
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if listed.returncode == 0:
            names = {name for name in listed.stdout.split("\0") if name}
        else:
            names = {os.path.relpath(os.path.join(folder, name), root)
                     for folder, _, files in os.walk(root) for name in files}
        self.files = sorted(name for name in names if os.path.isfile(os.path.join(root, name)))
        self.texts = {}

    def text(self, path):
        if path not in self.texts:
            with open(os.path.join(self.root, path), errors="replace") as f:
                self.texts[path] = f.read()
        return self.texts[path]

    def code(self, path):
        return strip_comments(self.text(path))

    def find(self, *patterns):
        """Paths that match one of these regular expressions."""
        return [path for path in self.files if any(re.search(pattern, path) for pattern in patterns)]


def strip_comments(text):
    """C text with comments and the insides of strings blanked; line numbers stay."""
    def blank(match):
        piece = match.group(0)
        if piece.startswith("/"):
            return re.sub(r"[^\n]", " ", piece)
        return piece[0] + " " * (len(piece) - 2) + piece[-1] if len(piece) > 1 else piece
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def self_test(name, check, good, plants):
    """True if `check` accepts the files `good` and complains about each plant as it must.

    plants is [(files, part of the complaint)]; its files are added to, or replace, the good ones.
    """
    fine = True
    for files, complaint in [({}, None)] + plants:
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**good, **files}.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w") as f:
                    f.write(text)
            problems = check(Tree(root))
        if complaint is None and problems:
            print(f"{name}: complains about a tree without fault:", *problems, sep="\n    ")
            fine = False
        if complaint is not None and not any(complaint in problem for problem in problems):
            print(f"{name}: does not notice a planted violation ({complaint}); it said:", *problems, sep="\n    ")
            fine = False
    return fine


def main(name, check, good, plants):
    """The body of a checker: no argument checks this tree, --self-test the checker."""
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(0 if self_test(name, check, good, plants) else 1)
    if sys.argv[1:]:
        sys.exit(f"usage: tools/{name} [--self-test]")
    problems = check(Tree())
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(1 if problems else 0)
