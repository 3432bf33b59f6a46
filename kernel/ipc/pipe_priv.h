// SPDX-License-Identifier: MIT
/*
 * A pipe's inside, for pipe.c, fifo.c and splice.c.
 *
 * The bytes lie in pages, in a ring of slots: slot[tail & mask] is read next, slot[head & mask]
 * is filled next. A slot is a piece of a page with one reference. The last slot takes more
 * bytes behind its own as long as its page is the pipe's own and it is no packet.
 */
#pragma once

#include "fs/vfs/file.h"
#include "ipc/handover.h"
#include "lib/base.h"
#include "mm/page.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

enum {
	PIPE_DEFAULT_SLOTS = 16, /* 64 KiB; man 7 pipe */
	PIPE_SMALL_SLOTS = 2,    /* of a user beyond his soft limit */
	PIPE_SPARE_PAGES = 2,
};

enum pipe_slot_flags {
	PIPE_SLOT_OWN = 1,    /* the page is only ours: it may be appended to, and used again */
	PIPE_SLOT_PACKET = 2, /* one read takes it, and no more (O_DIRECT) */
};

struct pipe_slot {
	struct page *page;
	uint16_t offset; /* of the first byte */
	uint16_t len;    /* 1 to PAGE_SIZE */
	uint16_t flags;
};

/*
 *   [l] lock      [r] lock to write, read anywhere      [f] fifo.c's lock
 */
struct pipe {
	struct mutex lock;         /* RANK_PIPE */
	uint32_t head;             /* [r] slots ever filled */
	uint32_t tail;             /* [r] slots ever emptied */
	uint32_t mask;             /* [r] slots - 1, a power of two minus one */
	uint32_t readers, writers; /* [r] open files of each kind */
	uint32_t nr_spare;         /* [l] */
	bool is_tail_busy; /* [l] splice.c writes the first slot to a file: nobody else reads it */
	struct pipe_slot *slots;              /* [l] `few`, or memory of its own */
	struct page *spare[PIPE_SPARE_PAGES]; /* [l] */
	struct waitq readable, writable;
	struct handover_hint reader_hint, writer_hint;
	uint32_t reader_opens, writer_opens; /* [r] opens so far */
	struct inode *fifo; /* [I] where files find us. No reference: our files have one */
	struct user *user;  /* [I] whose pages the slots count as; one reference */
	uint32_t files;     /* [f] open files; anonymous: two, less the closed */
	struct pipe_slot few[PIPE_DEFAULT_SLOTS];
};

extern const struct file_ops pipe_ops;

/* -ENFILE: the user is at his hard limit. -ENOMEM. */
MUST_CHECK int pipe_alloc(struct pipe **out);
void pipe_free(struct pipe *p);
/* fifo.c: an open file less; frees the pipe, or takes it off its inode, with the last. */
void pipe_put(struct pipe *p);

static inline bool pipe_is_empty(const struct pipe *p)
{
	return READ_ONCE(p->head) == READ_ONCE(p->tail);
}
static inline bool pipe_is_full(const struct pipe *p)
{
	return READ_ONCE(p->head) - READ_ONCE(p->tail) > READ_ONCE(p->mask);
}
static inline struct pipe_slot *pipe_slot_at(struct pipe *p, uint32_t n)
{
	return &p->slots[n & p->mask];
}
/* The pipe of a file, or NULL. */
static inline struct pipe *pipe_of(const struct file *f)
{
	return f->ops == &pipe_ops ? f->private_data : NULL;
}

/* Drops the page of a slot, or keeps it for the next write. */
void pipe_release_slot(struct pipe *p, struct pipe_slot *s) MUST_HOLD(p->lock);
/* After the lock is released: bytes came, room came. */
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
