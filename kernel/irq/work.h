// SPDX-License-Identifier: MIT
/*
 * Work for a thread, asked for from any context. Items start in the order of their queueing,
 * the next one when the one before it has ended or blocks. An item never runs twice at once; it
 * may queue itself again, and it must exist until it is idle again (work_flush).
 */
#pragma once

#include "lib/base.h"
#include "lib/list.h"

enum work_state { WORK_IDLE, WORK_QUEUED, WORK_RUNNING, WORK_RUNNING_AND_QUEUED };

/*
 *   [I] immutable      [q] the pool's lock; state is read by flushers without
 */
struct work {
	struct list_node link;      /* [q] */
	void (*fn)(struct work *w); /* [I] */
	uint32_t state;             /* [q] enum work_state */
};

#define WORK_INIT(f)                                                                           \
	{                                                                                      \
		.fn = (f)                                                                      \
	}

void work_init_system(void); /* needs threads */
/* Returns whether it was not queued before. Any context. */
bool work_queue(struct work *w);
/* Returns when the item is neither queued nor running; sleeps. */
void work_flush(struct work *w);
/* Takes it off the queue if it has not started, else waits for its end. Sleeps. */
void work_cancel(struct work *w);

/* ---- For the scheduler: a worker thread is about to block, or has gone on ---- */
void work_note_blocking(void);
void work_note_running(void);
