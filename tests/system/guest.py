# SPDX-License-Identifier: MIT
"""The guest tests: Linux programs on Torus (tests/guest/README.md). Whether Linux says the same needs
Debian's kernel package, so that comparison belongs to the slow suite."""
from cases import Program

RUN = "tests/guest/run"

for variant, cpus, is_slow in (("release", 1, True), ("release", 2, False), ("release", 4, True),
                               ("debug", 1, True), ("debug", 2, False), ("debug", 4, True), ("kasan", 2, True)):
    Program(f"guest.{variant}_{cpus}", f"Linux programs on the {variant} kernel, CPUs: {cpus}", needs=variant, lines=True,
            slow=is_slow, timeout=900, command=[RUN, "--no-oracle", "--variant", variant, "--smp", str(cpus),
                                                "--append", "hostile.seconds=2", "--kernel", f"build/x86_64/{variant}/torus"] + ["--heavy"] * is_slow)
Program("guest.as_linux", "each guest test ends on Torus as it does on Debian's kernel", needs="debug", lines=True, slow=True,
        timeout=1800, command=[RUN, "--heavy", "--kernel", "build/x86_64/debug/torus"])
Program("guest.never_idle", "a real-time thread leaves time to others on an only CPU that has worked since power-on", needs="release", lines=True,
        timeout=300, command=[RUN, "--no-oracle", "--variant", "release", "--smp", "1", "--kernel", "build/x86_64/release/torus",
                              "process.a_realtime*"])
Program("guest.silent", "a server under SQPOLL makes no system calls while it serves", needs="release", timeout=300, expect=[r"0 while it served"],
        command=["tests/guest/silent", "--variant", "release", "--kernel", "build/x86_64/release/torus"])
for variant, seed in (("debug", 1), ("kasan", 2)):
    Program(f"guest.hostile_{variant}", f"every system call with hostile arguments, and rings, ten minutes each on the {variant} kernel",
            needs=variant, lines=True, slow=True, timeout=2500,
            command=[RUN, "--no-oracle", "--variant", variant, "--smp", "2", "--timeout", "2400", "--kernel", f"build/x86_64/{variant}/torus",
                     "--append", f"hostile.seconds=600 hostile.seed={seed}", "hostile"])
for slow, seconds in ((False, 5), (True, 600)):
    Program("guest.hostile_starved" + "_long" * slow, "hostile calls and rings while one of 1500 allocations fails: no report, nothing left behind",
            needs="debug", lines=True, slow=slow, timeout=2500,
            command=[RUN, "--no-oracle", "--smp", "2", "--timeout", "2400", "--kernel", "build/x86_64/debug/torus",
                     "--append", f"failsome=1500 hostile.seed=5 hostile.seconds={seconds}", "hostile.walk*", "hostile.victims*"])
Program("guest.hostile_again", "the same hostile calls twenty times over leave nothing behind", needs="debug", lines=True, slow=True, timeout=900,
        command=[RUN, "--no-oracle", "--smp", "4", "--timeout", "800", "--kernel", "build/x86_64/debug/torus",
                 "--append", "hostile.again=60 hostile.seed=3", "hostile.victims_leave*"])
Program("guest.midway", "memory unmapped midway through calls, a second for each", needs="debug", lines=True, slow=True, timeout=300,
        command=[RUN, "--no-oracle", "--smp", "4", "--kernel", "build/x86_64/debug/torus", "--append", "midway.ms=1000", "midway"])
Program("guest.deep", "folders a hundred thousand deep and wide", needs="debug", lines=True, slow=True, timeout=900,
        command=[RUN, "--no-oracle", "--timeout", "800", "-m", "1G", "--kernel", "build/x86_64/debug/torus",
                 "--append", "deep.depth=100000 deep.names=100000", "deep"])
Program("guest.ring_million", "a million requests that wait, in less than 512 MiB, cancelled and left behind", needs="release", lines=True, slow=True,
        timeout=900, command=[RUN, "--no-oracle", "--variant", "release", "--timeout", "800", "-m", "640M", "--kernel", "build/x86_64/release/torus",
                              "--append", "ring.many=1000000", "ring_many.*"])
Program("guest.crowd", "a hundred thousand sleeping processes", needs="release", lines=True, slow=True, timeout=900,
        command=[RUN, "--no-oracle", "--variant", "release", "--timeout", "800", "-m", "10G", "--kernel", "build/x86_64/release/torus",
                 "--append", "crowd.sleepers=100000", "crowd"])
Program("guest.bochs_cpu", "registers, vectors up to AVX-512 and traps of programs, in Bochs", needs="release", lines=True,
        timeout=900, command=[RUN, "--no-oracle", "--bochs", "corei7_skylake_x", "--variant", "release", "--smp", "1",
                              "--kernel", "build/x86_64/release/torus", "cpu"])
Program("guest.bochs_turns", "paths are found although names move, in Bochs on 2 CPUs that take short turns", needs="release", lines=True,
        timeout=900, command=[RUN, "--no-oracle", "--bochs", "corei7_skylake_x", "--variant", "release", "--smp", "2",
                              "--kernel", "build/x86_64/release/torus", "path.links_are_followed_while*"])
Program("guest.bochs", "Linux programs in Bochs on 2 CPUs: x2APIC, TSC deadline, AVX-512", needs="release", lines=True,
        slow=True, timeout=3600, command=[RUN, "--no-oracle", "--bochs", "corei7_skylake_x", "--variant", "release", "--smp", "2",
                                          "--timeout", "3500", "--kernel", "build/x86_64/release/torus"])
