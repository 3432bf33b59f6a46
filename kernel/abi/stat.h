/* SPDX-License-Identifier: MIT */
/*
 * <linux/stat.h> with its S_IS* macros also where the host's libc has been seen (ARCH=sim, host
 * tests): there the header leaves them to libc, which is not ours to include.
 */
#pragma once

#ifndef __KERNEL__
#define __KERNEL__
#include <linux/stat.h>
#undef __KERNEL__
#else
#include <linux/stat.h>
#endif
