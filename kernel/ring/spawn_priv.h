// SPDX-License-Identifier: MIT
/*
 * TORUS_OP_SPAWN: the plan that is made at submission (spawn.c), and the child that follows it
 * (spawn_steps.c).
 */
#pragma once

#include "abi/torus.h"
#include "proc/spawn.h"

/* All that is asked for, in kernel memory. */
struct spawn_plan {
	struct spawn spawn;
	struct torus_spawn want;
	int dirfd;
	char *path;
	struct exec_args *args;
	struct torus_file_action *actions;
	char **names; /* of the actions; NULL: it has none */
	struct torus_limit *limits;
	uint32_t *groups;
	struct fdtable *files; /* the maker's, while it waits for the child */
};

/* spawn.become, in the child: all its steps, and its program. */
int spawn_become(struct spawn *s);
