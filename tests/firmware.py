# SPDX-License-Identifier: MIT
"""What the firmware and the boot loader told the kernel, and how to make lies of it.

A case with `lie=function` is stopped at the kernel's first instruction, the function changes the
tables in the guest's memory, and the kernel runs on with them.

Spec: PVH start of day (xen/include/public/arch-x86/hvm/start_info.h); ACPI 6.5, 5.2.
"""
import subprocess

import gdbstub

LINKED_AT, LOADED_AT = 0xffffffff80000000, 0x100000  # kernel/arch/x86_64/kernel.lds
START_CMDLINE, START_RSDP, START_MEMMAP, START_ENTRIES = 24, 32, 40, 48  # struct hvm_start_info
START_MODULES, START_MODULE_LIST = 12, 16
ENTRY_SIZE = 24  # struct hvm_memmap_table_entry: u64 address, u64 size, u32 type, u32
SCRATCH = 0x60000  # low memory that neither the firmware nor the loader uses for its tables
TABLE_LENGTH, TABLE_CHECKSUM, TABLE_HEADER = 4, 9, 36
RSDP_RSDT, RSDP_CHECKSUM = 16, 8
MADT_ENTRIES = 44


class Firmware:
    def __init__(self, stub, start):
        self.stub, self.start = stub, start

    def get(self, address, size):
        return int.from_bytes(self.stub.read(address, size), "little")

    def put(self, address, value, size):
        self.stub.write(address, value.to_bytes(size, "little"))

    # The memory map.

    def memmap(self):
        """[(address, size, type)]"""
        at, count = self.get(self.start + START_MEMMAP, 8), self.get(self.start + START_ENTRIES, 4)
        return [(self.get(at + i * ENTRY_SIZE, 8), self.get(at + i * ENTRY_SIZE + 8, 8),
                 self.get(at + i * ENTRY_SIZE + 16, 4)) for i in range(count)]

    def set_memmap(self, entries):
        data = b"".join(address.to_bytes(8, "little") + size.to_bytes(8, "little") + kind.to_bytes(8, "little")
                        for address, size, kind in entries)
        for at in range(0, len(data), gdbstub.CHUNK):
            self.stub.write(SCRATCH + at, data[at:at + gdbstub.CHUNK])
        self.put(self.start + START_MEMMAP, SCRATCH, 8)
        self.put(self.start + START_ENTRIES, len(entries), 4)

    # ACPI.

    def rsdp(self):
        return self.get(self.start + START_RSDP, 8)

    def rsdt(self):
        return self.get(self.rsdp() + RSDP_RSDT, 4)

    def pointers(self):
        """Addresses of the RSDT's words, each of which points at a table."""
        length = self.get(self.rsdt() + TABLE_LENGTH, 4)
        return range(self.rsdt() + TABLE_HEADER, self.rsdt() + length, 4)

    def table(self, signature):
        for pointer in self.pointers():
            at = self.get(pointer, 4)
            if self.stub.read(at, 4) == signature.encode():
                return at
        raise OSError(f"the firmware has no {signature}")

    def madt_entries(self, kind):
        """Addresses of the MADT's entries of this type."""
        madt = self.table("APIC")
        at, end, found = madt + MADT_ENTRIES, madt + self.get(madt + TABLE_LENGTH, 4), []
        while at < end:
            if self.get(at, 1) == kind:
                found.append(at)
            at += self.get(at + 1, 1)
        return found

    def replace_table(self, old, signature, body):
        """Lists, in place of one of the firmware's tables, one of ours."""
        length = TABLE_HEADER + len(body)
        head = signature.encode() + length.to_bytes(4, "little") + bytes([1, 0]) + b"TORUS LIE".ljust(26)
        pointer = next(at for at in self.pointers() if self.stub.read(self.get(at, 4), 4) == old.encode())
        self.stub.write(SCRATCH, head + body)
        self.put(pointer, SCRATCH, 4)
        self.fix_checksum(SCRATCH)
        self.fix_checksum(self.rsdt())

    def fix_checksum(self, table):
        """Makes a changed table believable."""
        length = min(self.get(table + TABLE_LENGTH, 4), 4096)
        self.put(table + TABLE_CHECKSUM, 0, 1)
        self.put(table + TABLE_CHECKSUM, -sum(self.stub.read(table, length)) & 0xff, 1)

    def break_checksum(self, table):
        self.put(table + TABLE_CHECKSUM, (self.get(table + TABLE_CHECKSUM, 1) + 1) & 0xff, 1)


def first_instruction(kernel):
    """The physical address at which QEMU enters the kernel."""
    names = subprocess.run(["nm", kernel], check=True, stdout=subprocess.PIPE, text=True).stdout
    entry = next(line.split()[0] for line in names.splitlines() if line.endswith(" pvh_entry"))
    return int(entry, 16) - LINKED_AT + LOADED_AT


def tell(path, kernel, lie):
    """Lets a guest that waits for gdb at this socket run into the kernel, lied to."""
    stub = gdbstub.Stub(path)
    stub.run_to(first_instruction(kernel))
    lie(Firmware(stub, stub.register(gdbstub.RBX) & 0xffffffff))
    stub.go()
