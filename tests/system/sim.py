# SPDX-License-Identifier: MIT
"""The simulated machine runs the in-kernel tests under many schedules (kernel/arch/sim/README.md)."""
from cases import Program

SIM = "build/sim/debug/torus-sim"

Program("sim.tests", "the in-kernel tests in the simulated machine, 8 schedules each", needs="sim", lines=True,
        timeout=900, command=[SIM, "--test", "{T}", "--seeds", "1..8", "--verify"])
Program("sim.planted", "planted bugs are found by seeds, replay, and their correct twins pass", needs="sim",
        timeout=600, expect=["found by seed", r"^\d+ passed, 0 failed$"], command=[SIM, "--planted"])
Program("sim.thousand_seeds", "random allocations on 4 CPUs end with every page back under 1,000 schedules",
        needs="sim", timeout=900, expect=[r": 1000 seeds$", "^1 passed, 0 failed$"],
        command=[SIM, "--test", "mm.random_allocations*", "--seeds", "1..1000"])
Program("sim.start_without_memory", "a start that lacks any one of its allocations goes on or says what it lacks",
        needs="sim", timeout=600, lines=True, command=[SIM, "--fail-start"])
Program("sim.fuzz", "inputs that use and misuse rings, and changes of them, leave nothing behind", needs="sim", lines=True,
        timeout=300, command=[SIM, "--test", "fuzz.ring", "--corpus", "tests/fuzz/ring", "--seconds", "20"])
Program("sim.fuzz_long", "the same for an hour, or FUZZ_SECONDS", needs="sim", lines=True, slow=True, timeout=100000,
        command=["sh", "-c", f"{SIM} --test fuzz.ring --corpus tests/fuzz/ring --seed $(date +%s)"
                             " --seconds ${FUZZ_SECONDS:-3600}"])
Program("sim.tests_many", "the in-kernel tests in the simulated machine, 500 schedules each", needs="sim", lines=True,
        slow=True, timeout=14400, command=[SIM, "--test", "{T}", "--seeds", "9..520"])
Program("sim.states_many", "operations failed, killed and interrupted, families and promises, 200 schedules each", needs="sim",
        lines=True, slow=True, timeout=7200,
        command=["sh", "-c", f"for t in fail kill signal family promise; do {SIM} --test \"$t[._]*\" --seeds 521..720 || exit; done"])
Program("sim.tests_cpus", "the in-kernel tests on 1, 2 and 8 simulated CPUs", needs="sim", slow=True, timeout=7200,
        expect=[r"^\d+ passed, 0 failed$"] * 3,
        command=["sh", "-c", f"for n in 1 2 8; do {SIM} --seeds 1..50 --cpus $n || exit; done"])
