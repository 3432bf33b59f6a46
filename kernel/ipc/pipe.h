// SPDX-License-Identifier: MIT
/*
 * Pipes and FIFOs: what others need of them. Inside: pipe_priv.h.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/base.h"

struct inode;

/* Two files, [0] to read and [1] to write. flags: O_NONBLOCK, O_DIRECT. -ENOMEM, -ENFILE. */
MUST_CHECK int pipe_create(struct file *out[2], unsigned flags);

/*
 * Opens a FIFO's file: what inode_ops.open, or a filesystem without one, gets for S_IFIFO. f has
 * mode, flags and inode, and gets ops and private_data. It is attached to the FIFO from now on, and
 * file_put detaches it. Never waits for a peer: who may wait (the open has neither O_NONBLOCK nor
 * both directions) parks on pipe_fifo_queue() until pipe_fifo_has_peer().
 * Returns  0; -ENXIO (O_WRONLY | O_NONBLOCK and no reader); -ENOMEM (or the user has too many)
 */
MUST_CHECK int pipe_fifo_open(struct inode *inode, struct file *f);
/* Whether the other side has been opened since, or was open before. */
bool pipe_fifo_has_peer(struct file *f);
/*
 * The open gives up: nobody can meet the file any more, which only file_put is left for. False: it has
 * a peer, whose open is over, so this one must succeed too.
 */
MUST_CHECK bool pipe_fifo_leave(struct file *f);
struct waitq *pipe_fifo_queue(struct file *f);

/* fcntl F_GETPIPE_SZ and F_SETPIPE_SZ: bytes; -EBADF (no pipe), -EINVAL, -EPERM, -EBUSY, -ENOMEM. */
int64_t pipe_get_size(struct file *f);
int64_t pipe_set_size(struct file *f, uint64_t bytes);
/* What the unprivileged may ask for: /proc/sys/fs/pipe-max-size. Rounded up to a power of two of pages; -EINVAL. */
extern uint32_t pipe_max_bytes;
MUST_CHECK int pipe_set_max_bytes(uint64_t bytes);
/* Pages that the pipes of one user may have: /proc/sys/fs/pipe-user-pages-soft and -hard. 0: any. */
extern uint64_t pipe_user_soft, pipe_user_hard;

/* The current thread wrote to what nobody reads. */
void pipe_send_sigpipe(void);
