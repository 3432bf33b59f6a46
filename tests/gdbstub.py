# SPDX-License-Identifier: MIT
"""A client of QEMU's gdb stub: stops a guest at an address and reads and writes its memory there.

Spec: "Debugging with GDB", appendix E, Remote Serial Protocol.
"""
import socket
import time

SECONDS = 60
CHUNK = 512  # bytes in one packet; the stub takes 4096 characters
RBX = 1  # number in gdb's order of x86-64 registers


class Stub:
    def __init__(self, path):
        deadline = time.monotonic() + SECONDS
        while True:
            self.line = socket.socket(socket.AF_UNIX)
            try:
                self.line.connect(path)
                break
            except OSError:
                self.line.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.line.settimeout(SECONDS)
        self.ask("qSupported")

    def send(self, text):
        data = text.encode()
        self.line.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xff))

    def receive(self):
        byte = self.line.recv(1)
        while byte not in (b"$", b""):  # acknowledgements
            byte = self.line.recv(1)
        data = b""
        while not data.endswith(b"#"):
            data += self.line.recv(1)
        self.line.recv(2)
        self.line.sendall(b"+")
        return data[:-1].decode()

    def ask(self, text):
        self.send(text)
        return self.receive()

    def run_to(self, address):
        """Runs the guest until it is about to execute this address."""
        if self.ask(f"Z1,{address:x},1") != "OK":
            raise OSError("the gdb stub takes no breakpoint")
        self.ask("c")
        self.ask(f"z1,{address:x},1")

    def register(self, number):
        """One of the general registers: they come first in the answer, 8 bytes each."""
        return int.from_bytes(bytes.fromhex(self.ask("g"))[8 * number:8 * number + 8], "little")

    def read(self, address, size):
        data = b""
        while len(data) < size:
            answer = self.ask(f"m{address + len(data):x},{min(CHUNK, size - len(data)):x}")
            if answer.startswith("E"):
                raise OSError(f"no memory at {address + len(data):#x}")
            data += bytes.fromhex(answer)
        return data

    def write(self, address, data):
        if self.ask(f"M{address:x},{len(data):x}:{data.hex()}") != "OK":
            raise OSError(f"no memory at {address:#x}")

    def go(self):
        """Lets the guest run and leaves it alone."""
        self.ask("D")
        self.line.close()
