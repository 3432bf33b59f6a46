// SPDX-License-Identifier: MIT
/*
 * <linux/shm.h>, which includes libc's <unistd.h> and cannot be used here: what of it has no
 * other header, with its values.
 */
#pragma once

#include <asm/shmbuf.h>
#include <linux/ipc.h>

#include "lib/base.h"

enum {
	SHM_HUGETLB = 04000,
	SHM_NORESERVE = 010000,
	SHM_HUGE_SHIFT = 26,
	SHM_HUGE_MASK = 0x3f,
};
enum { SHM_RDONLY = 010000, SHM_RND = 020000, SHM_REMAP = 040000, SHM_EXEC = 0100000 };
enum { SHM_LOCK = 11, SHM_UNLOCK = 12, SHM_STAT = 13, SHM_INFO = 14, SHM_STAT_ANY = 15 };
enum { SHM_DEST = 01000, SHM_LOCKED = 02000 }; /* in a mode: man 2 shmctl */

#define SHM_LIMIT (UINT64_MAX - (1ul << 24)) /* SHMMAX, and SHMALL */
enum { SHM_SIZE_MIN = 1 /* SHMMIN */, SHM_SEGMENTS = 4096 /* SHMMNI */ };

struct shm_info {
	int used_ids;
	uint64_t shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

static_assert(sizeof(struct shmid64_ds) == 112, "asm-generic/shmbuf.h");
static_assert(sizeof(struct shm_info) == 48, "linux/shm.h");
