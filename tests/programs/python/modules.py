# SPDX-License-Identifier: MIT
"""Runs modules of CPython's tests by its own runner, and prints an answer for each test.

    python3.11 modules.py test_os 'test_socket -m *Unix*'

A word is a module, perhaps with options of the runner. `= test.test_os.FileTests.test_access ok` is
what tests/programs/run compares; what failed is followed by its traceback. Each module has a process
and a time limit of its own, and writes each answer as it comes: what dies has told what it did.
"""
import os
import subprocess
import sys
import time

SECONDS_EACH = 2900
SECONDS_STUCK = 2800  # a module may take no longer; then the runner shows where every thread is
TAIL = 3000  # of the output of a module that died
ANSWERS = "/tmp/answers"


def write(test, word, error=""):
    """Opened each time: tests look for file descriptors that are left open."""
    with open(ANSWERS, "a", errors="backslashreplace") as f:
        f.write(f"= {test.id().replace(' ', '_')} {word}\n" + "".join(f"  {line}\n" for line in error.splitlines()))


def module_main():
    """One module, in this process, as `python -m test` runs it; its result class also writes answers."""
    from test import libregrtest
    from test.support import testresult

    class Answers(testresult.RegressionTestResult):
        word, error = None, ""

        def startTest(self, test):
            super().startTest(test)
            self.word, self.error = "ok", ""

        def stopTest(self, test):
            super().stopTest(test)
            write(test, self.word, self.error)
            self.word = None

        def note(self, test, word, error=None):
            text = "".join(self._exc_info_to_string(error, test)) if error else ""
            if self.word is None:  # setUpClass or setUpModule
                write(test, word, text)
            else:
                self.word, self.error = word, self.error + text

        def addError(self, test, err):
            self.note(test, "error", err)
            super().addError(test, err)

        def addFailure(self, test, err):
            self.note(test, "failure", err)
            super().addFailure(test, err)

        def addUnexpectedSuccess(self, test):
            self.note(test, "failure")
            super().addUnexpectedSuccess(test)

        def addSkip(self, test, reason):
            self.note(test, "skipped")
            super().addSkip(test, reason)

        def addSubTest(self, test, subtest, err):
            if err:
                self.note(test, "failure" if issubclass(err[0], test.failureException) else "error", err)
            super().addSubTest(test, subtest, err)

    testresult.RegressionTestResult = Answers
    libregrtest.main()


def status_of(child, answers, deadline):
    """Waits for it, and prints its answers as they come."""
    while True:
        try:
            return child.wait(1)
        except subprocess.TimeoutExpired:
            print(answers.read(), end="", flush=True)
        if time.monotonic() > deadline:
            child.kill()
            child.wait()
            return "timeout"


def run(words):
    module, begin = words.split()[0], time.monotonic()
    argv = [sys.executable, __file__, "-v", "-u", "curses", f"--timeout={SECONDS_STUCK}", *words.split()]
    with open(f"/tmp/{module}.out", "w+b") as out, open(ANSWERS, "w+") as answers:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        status = status_of(child, answers, begin + SECONDS_EACH)
        print(answers.read(), end="")
        has_run = status in (0, 2)  # 2: some tests failed, as shown
        print(f"= {module} {'ran' if has_run else status}")
        print(f"# {module}: {time.monotonic() - begin:.0f} s", flush=True)
        if not has_run:
            out.seek(max(0, out.seek(0, os.SEEK_END) - TAIL))
            print("\n".join("  " + line for line in out.read().decode(errors="replace").splitlines()), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["-v"]:
        module_main()
    else:
        for each in sys.argv[1:]:
            run(each)
