# SPDX-License-Identifier: MIT
"""Boot tables that lie. The kernel says so and goes on with what is left."""
from cases import Boot
from firmware import MADT_ENTRIES, RSDP_CHECKSUM, START_CMDLINE, START_ENTRIES, START_MEMMAP, START_MODULE_LIST, \
    START_MODULES, START_RSDP, TABLE_HEADER, TABLE_LENGTH

USABLE, RESERVED = 1, 2
LOCAL_APIC, MISSING_APIC_ID = 0, 0x77
NOWHERE = 0xffff_fff0


def lied_to(name, says, lie, expect, cpus=2, until=r"torus: ready, \d+ CPUs", **more):
    Boot(f"hostile.{name}", says, lie=lie, cpus=cpus, expect=[*expect, until], until=until, reject=[r"panic:"], **more)


# ---- The memory map ----

def overlapping(fw):
    fw.set_memmap(fw.memmap() + [(0x400000, 0x100000, RESERVED), (0x480000, 0x200000, USABLE), (0x300000, 0x800000, USABLE)])


def wrapping(fw):
    fw.set_memmap(fw.memmap() + [(0xffff_ffff_ffff_0000, 0x20000, USABLE), (0x100000, 0xffff_ffff_ffff_f000, USABLE)])


def far_away(fw):
    fw.set_memmap(fw.memmap() + [(1 << 60, 1 << 40, USABLE)])


def unsorted(fw):
    fw.set_memmap(fw.memmap()[::-1] + [(0x123, 0x456, USABLE)])


def too_many(fw):
    fw.put(fw.start + START_ENTRIES, 0xffff_ffff, 4)


def no_map(fw):
    fw.put(fw.start + START_MEMMAP, 0, 8)
    fw.put(fw.start + START_ENTRIES, 0, 4)


def map_nowhere(fw):
    fw.put(fw.start + START_MEMMAP, 1 << 52, 8)


def crumbs(fw):
    """A thousand ranges of one and a half pages."""
    fw.set_memmap(fw.memmap() + [(0x2000000 + i * 0x3000, 0x1800, RESERVED) for i in range(1000)])


lied_to("memmap_overlaps", "ranges that overlap: the stricter one holds", overlapping, [r"\d+ overlaps"])
lied_to("memmap_wraps", "ranges that wrap around are dropped", wrapping, [r"memory map: [12] ranges wrapped"])
lied_to("memmap_far", "memory beyond what a CPU can address is cut off", far_away, [r"1 out of reach"])
lied_to("memmap_unsorted", "ranges in any order are sorted", unsorted, [r"mm: 12\d MiB of memory"])
lied_to("memmap_too_long", "a count of four billion ranges is bounded", too_many, [r"PVH memory map of 4294967295 entries"])
lied_to("memmap_absent", "without a memory map 16 MiB are assumed", no_map, [r"boot: no memory map: using 1-16 MiB"])
lied_to("memmap_nowhere", "a memory map outside memory is not followed", map_nowhere,
        [r"memory map lies outside memory", r"boot: no memory map"])
lied_to("memmap_crumbs", "a thousand scraps of memory are survived", crumbs, [r"torus|too many"])


# ---- The rest of the start information ----

def cmdline_nowhere(fw):
    fw.put(fw.start + START_CMDLINE, NOWHERE, 8)


def cmdline_endless(fw):
    """Up to the last byte below 4 GiB, where the kernel's first tables end."""
    fw.stub.write(NOWHERE, b"x" * 16)
    fw.put(fw.start + START_CMDLINE, NOWHERE, 8)


def cmdline_beyond(fw):
    """Below 4 GiB lies a good one; the pointer has 64 bits."""
    fw.put(fw.start + START_CMDLINE + 4, 1, 4)


def initrd_nowhere(fw):
    at = 0x70000
    for offset, value in ((0, 1 << 50), (8, 1 << 20), (16, 0), (24, 0)):
        fw.put(at + offset, value, 8)
    fw.put(fw.start + START_MODULES, 1, 4)
    fw.put(fw.start + START_MODULE_LIST, at, 8)


def bad_magic(fw):
    fw.put(fw.start, 0, 4)


lied_to("cmdline_nowhere", "a command line outside memory is not followed", cmdline_nowhere, [r"boot: PVH"])
lied_to("cmdline_endless", "a command line that runs into the end of what is mapped is cut there", cmdline_endless,
        [r'command line "x{16}"'])
lied_to("cmdline_beyond", "a command line above 4 GiB is not looked for below", cmdline_beyond, [r'command line ""'])
lied_to("initrd_nowhere", "an initial RAM disk outside memory is ignored", initrd_nowhere, [r"initrd at .* ignored"])
lied_to("bad_magic", "start information without its magic number is not believed", bad_magic, [r"makes no sense"])


# ---- ACPI ----

def no_rsdp(fw):
    fw.put(fw.start + START_RSDP, NOWHERE, 8)


def rsdp_sum(fw):
    at = fw.rsdp() + RSDP_CHECKSUM
    fw.put(at, fw.get(at, 1) ^ 1, 1)


def rsdt_sum(fw):
    fw.break_checksum(fw.rsdt())


def rsdt_points_nowhere(fw):
    for pointer in fw.pointers():
        fw.put(pointer, NOWHERE, 4)
    fw.fix_checksum(fw.rsdt())


def rsdt_of_itself(fw):
    for pointer in fw.pointers():
        fw.put(pointer, fw.rsdt(), 4)
    fw.fix_checksum(fw.rsdt())


def madt_sum(fw):
    fw.break_checksum(fw.table("APIC"))


def madt_cut(fw):
    table = fw.table("APIC")
    fw.put(table + TABLE_LENGTH, MADT_ENTRIES + 5, 4)
    fw.fix_checksum(table)


def madt_huge(fw):
    fw.put(fw.table("APIC") + TABLE_LENGTH, 0xffff_ffff, 4)


def madt_tiny(fw):
    fw.put(fw.table("APIC") + TABLE_LENGTH, TABLE_HEADER - 1, 4)


def madt_endless(fw):
    """An entry of length 0: who adds it up never gets on."""
    table = fw.table("APIC")
    fw.put(fw.madt_entries(LOCAL_APIC)[1] + 1, 0, 1)
    fw.fix_checksum(table)


def madt_absent_cpu(fw):
    fw.put(fw.madt_entries(LOCAL_APIC)[1] + 3, MISSING_APIC_ID, 1)
    fw.fix_checksum(fw.table("APIC"))


def madt_double_cpu(fw):
    first, second = fw.madt_entries(LOCAL_APIC)[:2]
    fw.put(second + 3, fw.get(first + 3, 1), 1)
    fw.fix_checksum(fw.table("APIC"))


def hpet_nowhere(fw):
    table = fw.table("HPET")
    fw.put(table + 44, 0xdead_beef_f000, 8)  # IA-PC HPET 3.2.4: base address
    fw.fix_checksum(table)


def fadt_cut(fw):
    table = fw.table("FACP")
    fw.put(table + TABLE_LENGTH, 40, 4)
    fw.fix_checksum(table)


def dsdt_garbage(fw):
    dsdt = fw.get(fw.table("FACP") + 40, 4)  # ACPI 6.5, 5.2.9
    fw.stub.write(dsdt + TABLE_HEADER, b"_S5_\x12\xff\xff\xff" * 16)
    fw.fix_checksum(dsdt)


def spcr(fw, port):
    """Microsoft SPCR 1.10: a 16550 at this I/O port, 115200 baud. And no console= on the command line."""
    body = bytearray(44)
    body[4:6], body[8:16], body[22] = b"\x01\x08", port.to_bytes(8, "little"), 7
    fw.replace_table("WAET", "SPCR", bytes(body))
    fw.put(fw.start + START_CMDLINE, 0, 8)


def spcr_here(fw):
    spcr(fw, 0x3f8)


def spcr_nowhere(fw):
    spcr(fw, 0x2f8)


def spcr_beyond(fw):
    spcr(fw, 0x1_0000_03f8)


ONE_CPU = [r"smp: 1 of \d CPUs"]
lied_to("rsdp_nowhere", "an RSDP outside memory is searched for elsewhere", no_rsdp, [r"machine: "])
lied_to("rsdp_sum", "an RSDP with a wrong sum is not believed", rsdp_sum, [r"acpi: no RSDP", r"machine: "])
lied_to("rsdt_sum", "an RSDT with a wrong sum is not believed", rsdt_sum, [r"wrong sum of table RSDT", r"machine: "])
lied_to("rsdt_nowhere", "tables outside memory are not followed", rsdt_points_nowhere, [r"acpi: no table at", r"machine: "])
lied_to("rsdt_loop", "an RSDT that lists itself is no loop", rsdt_of_itself, [r"machine: "])
lied_to("madt_sum", "a MADT with a wrong sum is ignored", madt_sum, [r"wrong sum of table APIC", r"machine: "])
lied_to("madt_cut", "a MADT that ends inside an entry", madt_cut, [r"MADT is broken", r"machine: "])
lied_to("madt_huge", "a MADT of 4 GiB is not read", madt_huge, [r"acpi: .*", r"machine: "])
lied_to("madt_tiny", "a MADT shorter than its head is not read", madt_tiny, [r"acpi: .*", r"machine: "])
lied_to("madt_endless", "a MADT entry of length 0 ends the table", madt_endless, [r"MADT is broken", r"machine: "])
lied_to("madt_absent_cpu", "a CPU that is listed and not there is left out", madt_absent_cpu,
        [r"hardware id 119 does not start", *ONE_CPU])
# The kernel's own test looks whether anything is left of it.
lied_to("madt_absent_cpu_between", "a CPU that is not there leaves no trace, and the next one takes its number", madt_absent_cpu,
        [r"hardware id 119 does not start", r"smp: 2 of 3 CPUs"], cpus=3, append="test=smp.*", until=r"\d+ passed, 0 failed")
lied_to("madt_double_cpu", "a CPU that is listed twice is one CPU", madt_double_cpu, [r"listed twice", *ONE_CPU])
lied_to("hpet_nowhere", "an HPET where nothing is does not set the clock", hpet_nowhere, [r"TSC .* by (PM timer|PIT)"])
lied_to("fadt_cut", "a FADT of 40 bytes", fadt_cut, [r"machine: 2 CPUs"])
lied_to("dsdt_garbage", "a DSDT whose S5 package makes no sense", dsdt_garbage, [r"S5 unknown", r"machine: 2 CPUs"])
lied_to("spcr_here", "the port that the SPCR names is used", spcr_here, [r"console: the firmware's, at port 0x3f8"])
lied_to("spcr_nowhere", "an SPCR whose port does not answer is not followed", spcr_nowhere, [r"0x2f8, does not answer"])
lied_to("spcr_beyond", "an SPCR whose port is none is not followed", spcr_beyond, [r"machine: 2 CPUs"])
