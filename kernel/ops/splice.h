// SPDX-License-Identifier: MIT
/*
 * splice, tee, sendfile and copy_file_range as operations.
 */
#pragma once

#include "fs/vfs/fdtable.h"
#include "ipc/splice.h"
#include "ops/op.h"

struct splice_op {
	struct op op;
	struct splice s;
	int64_t (*move)(struct splice *s); /* one of ipc/splice.h */
	bool may_wait_for_pipe;            /* without SPLICE_F_NONBLOCK */
	bool goes_on;                      /* until everything is moved (sendfile) */
	int64_t done;
};

/* The files are the caller's until the operation has ended. The result is bytes. */
void splice_prepare(struct splice_op *o, int64_t (*move)(struct splice *s), struct file *in,
	struct file *out, size_t len);
