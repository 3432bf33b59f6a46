// SPDX-License-Identifier: MIT
/*
 * Moving bytes between files without a program's memory in between: splice, tee, sendfile,
 * copy_file_range. Nothing here waits for the outside: ops/splice.c does.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/base.h"

/* One move. The positions are the caller's, or NULL: the file's own, or it has none. */
struct splice {
	struct file *in, *out;
	int64_t *in_pos, *out_pos;
	size_t left;            /* bytes still to move */
	struct file *waits_for; /* after -EAGAIN: whose waitq, for these events */
	uint32_t events;
};

/*
 * Each moves what it can now and returns how much, 0 at the end of the input, or an errno if nothing was
 * moved. Those with a pipe in their name need one there.
 */
int64_t splice_pipe_to_pipe(struct splice *s);
int64_t splice_tee(struct splice *s); /* the bytes stay in the first */
int64_t splice_file_to_pipe(struct splice *s);
int64_t splice_pipe_to_file(struct splice *s);
int64_t splice_file_to_file(struct splice *s);

bool splice_is_pipe(const struct file *f);
