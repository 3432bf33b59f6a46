// SPDX-License-Identifier: MIT
/*
 * Sleeping until a clock shows a time.
 */
#pragma once

#include "lib/base.h"
#include "ops/op.h"

/*
 *   [I] by prepare
 */
struct sleep_op {
	struct op op;
	int clock;   /* [I] */
	uint64_t at; /* [I] what it is to show */
};
/* 0 when the time has come; -ERESTARTNOHAND. -EINVAL, -EOPNOTSUPP: nobody sleeps by this clock. */
MUST_CHECK int sleep_op_prepare(struct sleep_op *s, int clock, uint64_t at);
