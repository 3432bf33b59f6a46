// SPDX-License-Identifier: MIT
/*
 * Work for a thread, asked for from any context. Items of one queue run in order of their
 * queueing but several at a time when they block; an item may queue itself again.
 */
#pragma once

#include "lib/base.h"
#include "lib/list.h"
#include "time/timer.h"

struct work {
	struct list_node link; /* the queue's lock */
	void (*fn)(struct work *w);
	uint32_t state; /* [a] idle, queued, running, running and queued again */
};

#define WORK_INIT(f) { .fn = (f) }

void work_init_system(void); /* needs threads */
/* Returns whether it was not queued before. Any context. */
bool work_queue(struct work *w);
/* Returns when the item is neither queued nor running; sleeps. */
void work_flush(struct work *w);
/* Takes it off the queue if it has not started, else waits for its end. Sleeps. */
void work_cancel(struct work *w);
