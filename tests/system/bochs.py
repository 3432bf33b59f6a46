# SPDX-License-Identifier: MIT
"""The same kernel in Bochs, by GRUB: CPU features that QEMU 7.2 does not emulate, and CPUs that lack
what QEMU has. Bochs has no exit device, so a boot counts when the log has said it."""
from cases import Boot

MODELS = (
    ("corei7_skylake_x", 1, "x2APIC, PCID, INVPCID, TSC deadline, 1 GiB pages, AVX-512", [r"x2apic|x2APIC", r"TSC deadline"], False),
    ("corei7_skylake_x", 2, "the same, with 2 CPUs", [r"smp: 2 of 2"], False),
    ("athlon64_clawhammer", 1, "the first 64-bit CPU", [r"apic: xAPIC"], False),
    ("core2_penryn_t9600", 2, "2 CPUs without 1 GiB pages and x2APIC", [r"smp: 2 of 2"], True),
    ("ryzen", 2, "an AMD CPU", [r"smp: 2 of 2"], True),
    ("corei7_haswell_4770", 4, "4 CPUs with x2APIC", [r"smp: 4 of 4"], True),
)

for model, cpus, says, expect, slow in MODELS:
    ready = rf"torus: ready, {cpus} CPUs"
    Boot(f"bochs.{model}_{cpus}", f"Bochs: {says}", route="bochs", variant="release", cpu=model, cpus=cpus, timeout=600,
         expect=[*expect, ready], until=ready, reject=[r"panic:"], slow=slow)

# What touches the machine. Not the rest: at 50 million instructions a second, a thread that polls every
# 100 us with real-time priority, as tests of mutexes have, leaves no time for the others.
MACHINE_TESTS = "x86.*,context.*,fixup.*,fpu.*,interrupt.*,nmi.*,page.*,protection.*,pte.*,layout.*,backtrace.*,irq.*,timer.*,mm.*"
Boot("bochs.ktests", "debug kernel in Bochs, 1 CPU", route="bochs", cpu="corei7_skylake_x", timeout=1500,
     kernel_tests=MACHINE_TESTS, until=r"^\d+ passed, \d+ failed")
