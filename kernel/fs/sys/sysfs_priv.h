// SPDX-License-Identifier: MIT
/*
 * The tables of /sys.
 */
#pragma once

#include "fs/proc/entry.h"

extern const struct proc_entry sys_cpu_entries[]; /* cpu.c: devices/system/cpu */
extern const struct proc_dir_ops sys_cpu_ops;     /* cpu.c: cpu0 and so on, beside them */
extern const struct proc_dir_ops sys_cache_ops;   /* cache.c: .../cpuN/cache */
bool sys_cache_is_there(void);
extern const struct proc_entry sys_class_entries[];   /* device.c: class */
extern const struct proc_entry sys_virtual_entries[]; /* device.c: devices/virtual */
extern const struct proc_dir_ops sys_char_ops;        /* device.c: dev/char */
