// SPDX-License-Identifier: MIT
/*
 * A namespace of System V's objects: their ids, their keys and their limits. Each thread has one
 * (uthread->ipc_ns), and a child its parent's.
 */
#pragma once

#include "ipc/shm.h"

struct ipc_ns {
	struct shm_space shm;
};

/* One until the issue that brings namespaces. */
extern struct ipc_ns ipc_ns_root;

void ipc_ns_init(void); /* before the first process; needs mem_alloc */
/* The current thread's. */
struct ipc_ns *ipc_ns_current(void);
