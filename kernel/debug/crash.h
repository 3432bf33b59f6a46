// SPDX-License-Identifier: MIT
/*
 * Crashes on purpose: `crash=NAME` on the command line does one bad thing at the end of start,
 * so that a test can recognise the report. `crash=` with any other word logs that there is
 * none.
 */
#pragma once

/* For kmain's end. Returns if none was requested. Needs interrupts on, threads. */
void crash_if_requested(void);
