# SPDX-License-Identifier: MIT
"""Torus boots by every route, on every machine, with little and much memory, and says so.

Debug kernels where the point is that nothing is wrong, the release kernel where the point is size.
"""
from cases import EXIT_OK, EXIT_PANIC, POWERED_OFF, Boot

BAD = [r"panic:", r"watchdog:"]


def ready(cpus):
    return rf"torus: ready, {cpus} CPUs"


def boots(name, says, cpus=1, expect=(), **more):
    """A boot that comes up with so many CPUs and has said `expect` before."""
    Boot(name, says, cpus=cpus, until=ready(cpus), expect=[*expect, ready(cpus)], reject=more.pop("reject", BAD), **more)


# ---- By every protocol and firmware ----

for machine in ("q35", "pc", "microvm"):
    boots(f"boot.pvh_{machine}", f"boots by PVH on {machine} with 2 CPUs", cpus=2, machine=machine,
          expect=[r"boot: PVH", r"machine: 2 CPUs.* by ACPI"])

for route, firmware in (("bios", "SeaBIOS"), ("uefi", "OVMF")):
    boots(f"boot.grub_{route}", f"GRUB starts it by Multiboot2 under {firmware}, and hands the screen on", cpus=2,
          route=route, memory="256M", expect=[r"boot: Multiboot2 by GRUB", r"boot: frame buffer \d+x\d+, (24|32) bits, at"])

boots("boot.release", "the release kernel boots with 2 CPUs", variant="release", cpus=2)
boots("boot.release_gcc", "the release kernel that gcc built boots with 2 CPUs", variant="release-gcc", cpus=2)
boots("boot.debug_gcc", "the debug kernel that gcc built boots with 2 CPUs", variant="debug-gcc", cpus=2, slow=True)
Boot("boot.initrd", "an initial RAM disk that is no archive is found, said to be damaged, and nothing starts", extra=["-initrd", __file__],
     expect=[r"boot: initrd of \d+ KiB at", ready(1), r"initramfs: damaged", r"panic: init: no program to start"], status=EXIT_PANIC)

# ---- CPUs: how many, which ----

for cpus in (1, 4, 8):
    boots(f"boot.cpus_{cpus}", f"brings up {cpus} CPUs", cpus=cpus, expect=[rf"smp: {cpus} of {cpus} CPUs are running"])
boots("boot.cpus_32", "brings up 32 CPUs", cpus=32, memory="512M", variant="release", slow=True, timeout=600)

for model, says in (("qemu64", "QEMU's oldest 64-bit CPU"), ("Nehalem", "a CPU of 2008"), ("EPYC", "an AMD CPU of 2017"),
                    ("max,-rdrand,-smap,-smep,-umip,-pdpe1gb,-xsave", "a CPU without what can be done without")):
    boots(f"boot.cpu_{model.split(',')[0].lower()}{'_bare' if ',' in model else ''}", f"boots on {says}", cpus=2, cpu=model)
Boot("boot.cpu_32bit", "a CPU without 64-bit mode is told so", cpu="qemu32", until="lacks 64-bit mode",
     expect=[r"torus: this CPU lacks 64-bit mode"])
Boot("boot.cpu_no_nx", "a CPU without no-execute pages is told so", cpu="max,-nx", until="lacks 64-bit mode",
     expect=[r"no-execute pages"])

# ---- Memory ----

for size in ("16M", "32M", "3500M", "5G", "16G", "64G"):
    boots(f"boot.memory_{size}", f"boots with {size} of memory", memory=size, variant="release",
          expect=[r"mm: \d+ MiB free"])
boots("boot.memory_16M_debug", "the debug kernel boots with 16M of memory and 2 CPUs", memory="16M", cpus=2)

# ---- What the machine lacks ----

# (The firmware's MP table lists one CPU of each socket.)
boots("boot.no_acpi", "boots without ACPI tables, by the MP table", machine="pc,acpi=off", cpus=2, extra=["-smp", "2,sockets=2"],
      expect=[r"acpi: no RSDP", r"machine: 2 CPUs.* by MP table"])
boots("boot.no_hpet", "boots without HPET", machine="q35,hpet=off", cpus=2, expect=[r"TSC .* by (PM timer|PIT)"])
boots("boot.no_pit", "boots on microvm without PIC, PIT and battery clock", cpus=2,
      machine="microvm,pic=off,pit=off,rtc=off", expect=[r"machine: 2 CPUs"])
boots("boot.split_apic_ids", "CPUs whose APIC numbers have gaps come up", cpus=6, extra=["-smp", "6,sockets=2,cores=3"])

boots("boot.places_for_cpus", "places for CPUs to be plugged in are none", cpus=2, extra=["-smp", "2,maxcpus=4"],
      expect=[r"smp: 2 of 2 CPUs are running"])

# ---- Command line ----

LONG = " ".join(f"word{number}={'x' * 40}" for number in range(84))
boots("boot.words_unknown", "unknown and malformed words are reported and ignored", cpus=2,
      append="frobnicate frob=1 maxcpus=many loglevel=loud panic=now mem=fish =x console=tty9 quiet=5 -- init words",
      expect=[r'unknown word "frobnicate" is left'])
boots("boot.words_long", "a command line of 4,000 characters is read to its last word", append=LONG + " nosmp",
      extra=["-smp", "2"], expect=[r'unknown word "word83', r"smp: 1 of 2 CPUs"], reject=[*BAD, r"cmdline: longer"])
boots("boot.words_maxcpus", "maxcpus= leaves CPUs alone", append="maxcpus=2", extra=["-smp", "4"], cpus=2,
      expect=[r"smp: 2 of 4 CPUs"])
boots("boot.words_nosmp", "nosmp starts no other CPU", append="nosmp", extra=["-smp", "4"], expect=[r"smp: 1 of 4 CPUs"])
boots("boot.words_mem", "mem= limits the memory", memory="256M", append="mem=64M", expect=[r"mm: 6[0-4] MiB of memory"])
boots("boot.words_nokaslr", "nokaslr runs where it was linked", append="nokaslr")
boots("boot.words_nox2apic", "nox2apic is accepted", append="nox2apic", cpus=2, expect=[r"apic: xAPIC"])
boots("boot.words_debug", "loglevel=8 prints the memory map", append="loglevel=8", expect=[r"boot: memory 0+-[0-9a-f]+ usable"])
Boot("boot.words_quiet", "quiet prints errors only, and the console still comes", append="quiet", until="torus> ",
     expect=[r"torus> "], reject=[r"torus: ready"])
Boot("boot.panic_restarts", "panic=1 restarts a second after a panic", append="crash=panic panic=1", status=POWERED_OFF,
     variant="release", expect=[r"panic: crash on request", r"restarting in 1 s"], uses_exit=False)

# ---- The kernel's own console ----

Boot("boot.console", "the console answers, and switches off by ACPI", cpus=2, status=POWERED_OFF,
     send=[("torus> ", "threads\r"), (r"idle/001.*[^$]*torus> ", "off\r")], expect=[r"idle/000", r"idle/001"], reject=BAD)
Boot("boot.console_reboot", "the console's reboot restarts the machine", cpus=2, status=POWERED_OFF,
     send=[("torus> ", "reboot\r")], expect=[r"torus> reboot"], reject=BAD)
Boot("boot.console_panic", "the console's panic ends with panic's status", cpus=2, status=EXIT_PANIC,
     send=[("torus> ", "panic\r")], expect=[r"panic: "])

# ---- The tests inside the kernel ----

# By instructions instead of time: what it says of fairness and of sleeping does not depend on the host.
Boot("boot.ktests_1cpu", "debug kernel, 1 CPU", kernel_tests="all", status=EXIT_OK, timeout=900, memory="256M",
     extra=["-icount", "shift=0,sleep=off"])
Boot("boot.ktests_4cpu", "debug kernel, 4 CPUs", cpus=4, memory="256M", kernel_tests="all", status=EXIT_OK, timeout=600)
Boot("boot.ktests_kasan", "KASAN kernel, 4 CPUs", variant="kasan", cpus=4, memory="256M", kernel_tests="all", status=EXIT_OK,
     timeout=900)
Boot("boot.ktests_release", "release kernel, 4 CPUs", variant="release-tests", cpus=4, memory="256M", kernel_tests="all",
     status=EXIT_OK, timeout=600)
Boot("boot.ktests_8cpu", "debug kernel, 8 CPUs", cpus=8, memory="512M", kernel_tests="all", status=EXIT_OK, timeout=1200,
     slow=True)
Boot("boot.ktests_gcc", "debug kernel built by gcc, 4 CPUs", variant="debug-gcc", cpus=4, memory="256M", kernel_tests="all",
     status=EXIT_OK, timeout=900, slow=True)
