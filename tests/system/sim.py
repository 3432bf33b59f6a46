# SPDX-License-Identifier: MIT
"""The simulated machine runs the in-kernel tests under many schedules."""
from cases import Program

Program("sim.tests", "the in-kernel tests in the simulated machine", needs="sim", lines=True, timeout=600,
        command=["build/sim/debug/torus-sim", "--test", "{T}"])
