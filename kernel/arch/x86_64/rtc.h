// SPDX-License-Identifier: MIT
/*
 * The battery clock's registers and what they mean; split from rtc.c's port accesses for tests.
 */
#pragma once

#include "lib/base.h"

/* The registers as read, in the form that register B describes. */
struct rtc_registers {
	uint8_t second, minute, hour, day, month, year;
	uint8_t century; /* 0: no such register */
	uint8_t status_b;
};

/* Seconds since 1970 (UTC is assumed); -ENODEV when the registers hold no possible date. */
MUST_CHECK int rtc_decode(const struct rtc_registers *r, int64_t *seconds);
/* The opposite, in the form that r->status_b asks for; has_century: there is such a register. -EINVAL. */
MUST_CHECK int rtc_encode(int64_t seconds, bool has_century, struct rtc_registers *r);
