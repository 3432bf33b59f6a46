// SPDX-License-Identifier: MIT
/*
 * The battery clock as a device.
 */
#pragma once

enum { RTC_MAJOR = 254 /* Linux: the first that it gives out dynamically */ };

void rtc_device_init(void); /* after devtmpfs_init: /dev/rtc0 */
