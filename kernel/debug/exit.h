// SPDX-License-Identifier: MIT
/*
 * How a test run tells its status to whoever started the emulator. With exit=qemu on the
 * command line, QEMU's isa-debug-exit device at port 0xf4 turns a write of v into exit status
 * 2v + 1; Bochs and real machines have no such device, and the closing log line tells.
 */
#pragma once

enum exit_status {
	EXIT_OK = 0x10,     /* QEMU ends with 33 */
	EXIT_FAILED = 0x11, /* 35: tests failed */
	EXIT_PANIC = 0x12,  /* 37 */
	EXIT_HUNG = 0x13,   /* 39: the watchdog gave up */
};
