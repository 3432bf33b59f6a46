// SPDX-License-Identifier: MIT
/*
 * IOCB_CMD_POLL: a request of native AIO that waits for a file.
 */
#pragma once

#include "ipc/aio.h"
#include "lib/base.h"

struct file;

struct aio_poll_params {
	struct io_event event; /* but for res */
	uint32_t events;       /* POLL* */
	struct file *file;
	struct file *counter;  /* an eventfd that counts its end; NULL */
};

/*
 * It has begun, in a place that was reserved, and posts its event when the file is ready, perhaps already. Takes
 * references of its own.
 * Returns  0; -EAGAIN: no memory; -EINVAL: the file is not ready and will never be, or the context is destroyed
 */
MUST_CHECK int aio_poll_submit(struct aio_context *c, const struct aio_poll_params *params);
