# SPDX-License-Identifier: MIT
"""Torus boots by every route, on every machine, and says so."""
from cases import EXIT_OK, Boot

READY = r"torus: ready"

for machine in ("q35", "pc", "microvm"):
    Boot(f"boot.pvh_{machine}", f"boots by PVH on {machine} with 2 CPUs", machine=machine, cpus=2,
         until=READY, expect=[READY], reject=["panic"])

for cpus in (1, 4, 8):
    Boot(f"boot.cpus_{cpus}", f"brings up {cpus} CPUs", cpus=cpus, until=READY, expect=[READY], reject=["panic"])

Boot("boot.release", "the release kernel boots with 2 CPUs", variant="release", cpus=2, until=READY, expect=[READY],
     reject=["panic"])
Boot("boot.release_gcc", "the release kernel that gcc built boots", variant="release-gcc", cpus=2, until=READY,
     expect=[READY], reject=["panic"])

for route, firmware in (("bios", "SeaBIOS"), ("uefi", "OVMF")):
    Boot(f"boot.grub_{route}", f"GRUB starts it by Multiboot2 under {firmware}", route=route, cpus=2, memory="256M",
         until=READY, expect=[READY], reject=["panic"])

Boot("boot.ktests_1cpu", "debug kernel, 1 CPU", kernel_tests="all", status=EXIT_OK, timeout=600)
Boot("boot.ktests_4cpu", "debug kernel, 4 CPUs", cpus=4, memory="256M", kernel_tests="all", status=EXIT_OK, timeout=600)
Boot("boot.ktests_kasan", "KASAN kernel, 4 CPUs", variant="kasan", cpus=4, memory="256M", kernel_tests="all", status=EXIT_OK,
     timeout=900)
