// SPDX-License-Identifier: MIT
/*
 * What the files of this folder share: a ring, a request, and the steps of a request's life.
 *
 *     SQE -> prepare -> [chain, drain] -> issue -> parked ... woken -> issue -> complete -> CQE
 *                                            `-> on a fiber ----------------'
 *
 * A request is an entry of the submission queue on its way. Whoever works on requests has the ring's
 * lock; wake-ups come from anywhere and only put a request on the list of its owner (task.c).
 *
 * Locks   ring->lock  RANK_RING [l]  requests, tables, what is submitted
 *         ring->map_lock  RANK_RING_MAP [m]  also by page faults: what a program maps
 */
#pragma once

#include "abi/io_uring.h"
#include "abi/torus.h"
#include "fs/vfs/file.h"
#include "irq/work.h"
#include "lib/base.h"
#include "lib/list.h"
#include "lib/llist.h"
#include "lib/refcount.h"
#include "mm/page_source.h"
#include "ops/epoll.h"
#include "ops/futex.h"
#include "ops/op.h"
#include "ops/poll_file.h"
#include "ops/rw.h"
#include "ops/socket.h"
#include "ops/wait.h"
#include "proc/fiber.h"
#include "proc/proc.h"
#include "ring/ring.h"
#include "sched/thread.h"
#include "sync/mutex.h"
#include "time/timer.h"

struct req;
struct ring;

enum { RING_MAX_ENTRIES = 32768, RING_FDS = 16 /* IORING_REGISTER_RING_FDS, of a thread */ };

/* ---- What is known: for those who check, and for those who ask (IORING_REGISTER_QUERY) ---- */

#define RING_SETUP_FLAGS                                                                       \
	(IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF |                     \
		IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_ATTACH_WQ |            \
		IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |                            \
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SQE128 |  \
		IORING_SETUP_CQE32 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | \
		IORING_SETUP_NO_MMAP | IORING_SETUP_REGISTERED_FD_ONLY |                       \
		IORING_SETUP_NO_SQARRAY | IORING_SETUP_HYBRID_IOPOLL |                         \
		IORING_SETUP_CQE_MIXED | IORING_SETUP_SQE_MIXED)
#define RING_FEATURES                                                                          \
	(IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |            \
		IORING_FEAT_RW_CUR_POS | IORING_FEAT_CUR_PERSONALITY | IORING_FEAT_FAST_POLL | \
		IORING_FEAT_POLL_32BITS | IORING_FEAT_SQPOLL_NONFIXED | IORING_FEAT_EXT_ARG |  \
		IORING_FEAT_NATIVE_WORKERS | IORING_FEAT_RSRC_TAGS | IORING_FEAT_CQE_SKIP |    \
		IORING_FEAT_LINKED_FILE | IORING_FEAT_REG_REG_RING | IORING_FEAT_MIN_TIMEOUT | \
		IORING_FEAT_RECVSEND_BUNDLE | IORING_FEAT_NO_IOWAIT)
enum {
	RING_ENTER_FLAGS = IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP |
			   IORING_ENTER_SQ_WAIT | IORING_ENTER_EXT_ARG |
			   IORING_ENTER_REGISTERED_RING | IORING_ENTER_ABS_TIMER |
			   IORING_ENTER_EXT_ARG_REG | IORING_ENTER_NO_IOWAIT,
	RING_SQE_FLAGS = IOSQE_FIXED_FILE | IOSQE_IO_DRAIN | IOSQE_IO_LINK | IOSQE_IO_HARDLINK |
			 IOSQE_ASYNC | IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS,
};

/* ---- What programs and the kernel both write ---- */

/* The offsets are told by io_uring_setup; nothing else depends on them. */
struct ring_shared {
	uint32_t sq_head, sq_tail, cq_head, cq_tail;
	uint32_t sq_mask, cq_mask, sq_entries, cq_entries;
	uint32_t sq_dropped, sq_flags, cq_flags, cq_overflow;
	uint32_t pad[4];
};

/* Pages that the kernel and programs see, one by one: pages.c. */
struct ring_pages {
	struct page **page; /* NULL: none */
	size_t nr;
	struct user *
		user; /* whose RLIMIT_MEMLOCK they count against, one reference; NULL: nobody's */
	bool is_pinned; /* the program's own; else the kernel's */
};

/* The same in one piece, for us: memory.c. All zero: none. */
struct ring_memory {
	struct page *page;       /* the kernel's own; NULL: the program's */
	struct ring_pages users; /* IORING_SETUP_NO_MMAP */
	bool is_mapped;          /* `at` is in the kernel's own mappings: they lie apart */
	void *at;
	size_t size; /* whole pages */
};

/* What IORING_REGISTER_RESIZE_RINGS replaces: the queues, and with NO_MMAP where their heads and tails are. */
struct ring_queues {
	struct ring_memory rings, sqes;
	struct ring_shared *shared; /* in `rings`, with NO_MMAP; or the ring's head */
	uint32_t sq_entries, sq_mask, cq_entries, cq_mask;
	uint32_t *sq_array;        /* NULL: IORING_SETUP_NO_SQARRAY */
	struct io_uring_cqe *cqes; /* of 32 bytes: every second one; or some of two */
};

/* ---- Tables: files.c, buffers.c ---- */

/*
 * A registered thing: a file or memory. Requests under way hold it when its slot has got another one;
 * when the last has ended its tag is posted.
 */
struct ring_node {
	uint32_t refs; /* [l] the slot, and the requests that use it */
	bool is_file;  /* [I] */
	uint64_t tag;  /* [I] 0: nobody is told */
	union {
		struct file *file; /* [I] one reference */
		struct ring_buffer *buffer;
	};
};

struct ring_table {
	struct ring_node **nodes;                  /* [l] NULL: not registered */
	unsigned nr;                               /* [l] */
	unsigned alloc_from, alloc_to, alloc_next; /* [l] IORING_REGISTER_FILE_ALLOC_RANGE */
};

/* ---- Requests ---- */

enum req_flags {
	REQ_LINK = 1,         /* the next of its chain follows when it has succeeded */
	REQ_HARD_LINK = 2,    /* or in any case */
	REQ_SKIP_SUCCESS = 4, /* IOSQE_CQE_SKIP_SUCCESS */
	REQ_SKIP_CHAIN = 8,   /* nor are the rest of a failed chain told of */
	REQ_FAILED = 16,      /* its result breaks the chain */
	REQ_CANCELLED = 32,   /* by somebody, while it could not be taken back at once */
	REQ_BUFFER_SELECT = 64,
	REQ_HAS_BUFFER = 128, /* of a group: buf_id */
	REQ_MULTISHOT = 256,  /* goes on after a completion */
	REQ_NO_WAIT = 512,    /* -EAGAIN is its result */
	REQ_DRAIN = 1024,     /* starts when all before it have ended */
	REQ_IS_DONE =
		2048, /* completed; its memory waits until the list of woken ones is gone through */
	REQ_IS_PARKED = 4096, /* issued, and waits for a wake-up */
	REQ_ON_FIBER = 8192,
	REQ_NOT_COUNTED = 16384, /* its completion is none that a timeout counts */
	REQ_POLL_FIRST = 32768,  /* waits until it is ready before the first try */
};

/* What a filter made of an entry that is not to be issued as it is; an error fails it at once. */
enum req_verdict {
	REQ_ANSWERED = 1, /* big[0] is its result */
	REQ_ASKS = 2,     /* a supervisor is asked when its turn comes */
};

struct req_poll {
	struct poll_file_op wait; /* [l] begins with the op */
	uint32_t cmd;             /* [I] IORING_POLL_* */
	uint64_t old_user_data, new_user_data; /* [I] POLL_REMOVE */
};

struct req_timeout {
	struct op op;
	struct timer timer;
	struct waiter was_set;  /* on clock_was_set, if it is a time of day that is waited for */
	uint32_t flags;         /* [l] IORING_TIMEOUT_*; the timer reads it */
	uint32_t count, counted_from; /* [l] completions to wait for; ring->nr_counted before */
	bool has_counted;       /* [l] they were there before its time had come */
	uint32_t repeats;       /* [l] IORING_TIMEOUT_MULTISHOT: how often still; 0: for ever */
	uint64_t ns;            /* [l] relative or absolute, by flags; the timer reads it */
	struct list_node link;  /* [l] ring->timeouts */
	struct req *target_req; /* [l] LINK_TIMEOUT: what it is for; NULL: that has ended */
	uint64_t old_user_data; /* [I] TIMEOUT_REMOVE */
};

struct req_rw {
	struct op op;
	struct iter iter;
	int64_t pos;
	size_t len;               /* [I] asked for */
	size_t done;              /* [l] written by earlier tries */
	size_t chosen;            /* [l] of a buffer of a group, by the last try */
	uptr addr;                /* [I] */
	uint32_t rw_flags;        /* [I] RWF_* */
	struct ring_node *buffer; /* [l] the one it uses */
};

struct req_net {
	struct op op;
	uptr addr;    /* [I] of the bytes, of struct msghdr, of accept's address; [l] chosen */
	uint32_t len; /* [l] of the bytes */
	uint32_t limit;        /* [I] of a buffer of a group: no more than this; 0: all */
	uint32_t done;         /* [l] moved by earlier tries */
	uint32_t msg_flags;    /* [I] MSG_*; accept: SOCK_* */
	union {
		int32_t slot;  /* [I] accept: a direct descriptor, + 1; 0: a number */
		uint32_t left; /* [l] multishot receive: it ends after so much; 0: no end */
	};
	uint16_t flags;        /* [I] IORING_RECVSEND_*, IORING_ACCEPT_* */
	bool has_notification; /* [l] of SEND_ZC: it was begun */
	int32_t error;         /* [I] of memory that the entry names: its result */
	union {
		struct req_msg *msg; /* [I] what only some need; NULL */
		uptr addr_len;       /* [I] accept */
	};
	struct ring_node *buffer; /* [l] IORING_RECVSEND_FIXED_BUF; NULL */
};

struct req_cancel {
	uint64_t user_data;
	int32_t fd;
	uint32_t flags; /* IORING_ASYNC_CANCEL_* */
	uint8_t opcode;
};

/* A request that is a system call: it runs on a fiber. */
struct req_call {
	struct fiber_job job;
	uint64_t nr, a[6];
	int64_t result;
	union {
		struct given_input *kept; /* [l] because it had to wait for its turn; NULL */
		struct spawn_plan *plan;  /* [I] of a spawn */
	};
	struct ring_node *input;  /* [l] a second registered file: splice reads from it */
	bool is_done;             /* before the fiber gave the CPU back */
	struct file *opened[2];   /* by a call whose descriptors are direct ones */
	int32_t slot;             /* the result becomes a direct descriptor, + 1 */
};

struct req_wait {
	struct wait_op wait;
	uptr info;   /* [I] */
	int options; /* [I] */
};

struct req_words { /* for small ones */
	uint64_t w[6];
};

/*
 *   [I] by prepare    [l] ring->lock    [a] atomic
 */
struct req {
	/* all zero when it is created */
	const struct ring_opcode *type; /* [I] NULL: not decoded, nothing to clean */
	struct req *next;               /* [l] of its chain */
	struct file *file;              /* [l] one reference, or node's */
	struct ring_node *node;         /* [l] a registered file; NULL */
	struct req *timeout;            /* [l] its linked timeout, armed; NULL */
	const struct cred *cred;        /* [I] of a personality; NULL */
	struct req **hash_at;           /* [l] ring->by_user_data; NULL: not in it */
	union {
		uint64_t big[2];     /* [l] of a completion of 32 bytes */
		struct req_ask *ask; /* [l] with REQ_ASKS, until it begins: supervise.c */
	};
	uint32_t cqe_flags;             /* [l] */
	int16_t error; /* [I] its entry was wrong: it fails with its chain; or enum req_verdict */
	uint16_t buf_id;                /* [l] */
	uint16_t nr_bufs; /* [l] chosen with REQ_HAS_BUFFER; 0: out of their group already */
	uint8_t is_listed; /* [a] woken, and on the list of its owner */
	bool is_due;       /* [l] on that list because it begins, not because it was woken */

	/* and those that then get their values */
	int32_t fd;                /* [I] as it was given */
	struct ring *ring;         /* [I] */
	struct ring_task *task;    /* [I] whose it is; counted there */
	uint64_t user_data;        /* [l] */
	uint8_t opcode, sqe_flags; /* [I] */
	uint16_t flags;            /* [l] REQ_* */
	uint16_t buf_group;        /* [I] */
	struct llist_node work;    /* of the list of woken ones */
	struct list_node link;     /* [l] ring->active; or drained, ready */
	struct req *hash_next;     /* [l] */
	union {
		struct op op; /* of those that park: all begin with it */
		struct req_rw rw;
		struct req_net net;
		struct req_poll poll;
		struct req_timeout timer;
		struct req_cancel cancel;
		struct req_call call;
		struct req_words words;
		struct req_wait wait;
		struct futex_wait_op futex;
		struct futex_waitv_op futexes;
		struct epoll_op epoll;
	};
};

static_assert(sizeof(struct req) <= 384, "a million of them fit in 400 MiB");

enum ring_opcode_flags {
	OPCODE_FILE = 1,           /* fd must be open */
	OPCODE_BUFFERS = 2,        /* may be told IOSQE_BUFFER_SELECT */
	OPCODE_PARKS = 4,          /* has an op; may wait without a stack */
	OPCODE_IOPRIO = 8,         /* ioprio has a meaning of its own */
	OPCODE_CALL = 16,          /* a system call, on a fiber */
	OPCODE_POLLS = 32,         /* may be used on a ring with IORING_SETUP_IOPOLL */
	OPCODE_WIDE = 64,          /* its entries have 128 bytes, on any ring */
	OPCODE_DISK_PRIO = 128,    /* ioprio is one of ioprio_set() */
	OPCODE_NEEDS_NOBODY = 256, /* when woken, goes on also if its thread has ended */
	OPCODE_BOUNDED = 512,      /* a call that ends by itself, about files on a disk: workers.c */
	OPCODE_UNBOUNDED = 1024,   /* one that may wait for ever; with both: its file decides */
};

struct ring_opcode {
	const char *name; /* NULL: there is no such operation */
	uint32_t flags;
	/*
	 * Decodes and checks a copy of the entry, which the program can no longer change; takes what it
	 * needs. -errno. There is no file yet.
	 */
	int (*prepare)(struct req *r, const struct io_uring_sqe *sqe);
	/* A result, -errno, or OP_PARKED. NULL: op.type's. */
	int64_t (*issue)(struct req *r);
	/* Gives back what prepare and issue took. NULL: nothing. */
	void (*clean)(struct req *r);
	/* The system call that it is, for those who look at calls; and its arguments. -1: none. */
	int nr;
};
extern const struct ring_opcode ring_opcodes[TORUS_OP_LAST];

/* ---- A ring ---- */

struct ring_overflow {
	struct list_node link;
	uint64_t user_data;
	int32_t res;
	uint32_t flags;
	uint64_t big[2];
};

/*
 *   [I] immutable    [l] lock    [m] map_lock    [a] atomic
 */
struct ring {
	refcount refs; /* [a] its file, its mappings, its requests, those who use it */
	struct mutex lock;
	struct spinlock map_lock;
	uint32_t flags;             /* [I] IORING_SETUP_*, but R_DISABLED [l] */
	bool is_dead;               /* [l] the file is gone: completions go nowhere */
	struct ring_memory head;    /* [I] the page of `shared`; none with NO_MMAP */
	struct ring_shared *shared; /* [l] to change; others are RCU readers: resize.c */
	struct ring_queues q;       /* [l] + [m] */
	struct page_source source;  /* what mmap maps */
	struct ring_task *owner;    /* [l] SINGLE_ISSUER; NULL: nobody yet */

	/* submission */
	uint32_t sq_head;               /* [l] */
	unsigned sqe_shift;             /* [I] */
	struct req *chain, *chain_last; /* [l] being put together */
	struct list ready;              /* [l] requests whose turn has come */
	struct list drained;            /* [l] wait for all before them */
	unsigned
		nr_slow; /* [l] so many of the next get a request at once: the last needed one */
	bool no_drain;             /* [l] some completions are left out: man 2 io_uring_enter */
	bool drain_next;           /* [l] the last one was told to drain: so is the next */
	struct list active;        /* [l] issued and not completed */
	unsigned nr_begun;         /* [l] all that exist, but for those in `drained` */
	unsigned nr_reqs;          /* [l] whose memory exists; more than 0: they have a reference */
	struct req **by_user_data; /* [l] hash table */
	unsigned hash_bits, nr_active; /* [l] */
	uint64_t nr_tracked;           /* [l] that were ever active: cancel.c counts with it */
	struct list timeouts;          /* [l] those that count completions, too */
	struct req *free;              /* [l] some to be used again, by next */
	unsigned nr_free;              /* [l] */

	/* completion */
	unsigned cqe_shift;   /* [I] */
	uint32_t cq_tail;     /* [l] */
	uint32_t nr_counted;  /* [l] completions that timeouts count */
	uint32_t nr_timeouts; /* [l] that have ended by themselves: nobody waits longer */
	struct list overflow; /* [l] */
	bool has_posted;      /* [l] since the last commit */
	bool has_posted_async; /* [l] of these, one with IOSQE_ASYNC */
	struct waitq cq_wait;
	struct llist woken; /* [a] IORING_SETUP_DEFER_TASKRUN: instead of the owner's */
	uint32_t is_announced;        /* [a] that there are some is on its way to be told */
	struct llist_node announcing; /* on its way: task.c */

	/* registered */
	struct ring_table files, buffers; /* [l] */
	struct file *eventfd;             /* [l] + [m] to change; either to use */
	bool eventfd_async;               /* the same */
	struct file *file;                /* [I] its own, no reference; gone when is_dead */
	struct user *user;          /* [I] whose pinned memory is limited; NULL: CAP_IPC_LOCK */
	struct ring_groups *groups; /* [l] provided buffers; NULL: none ever */
	struct ring_region *region; /* [l] + [m] IORING_REGISTER_MEM_REGION; NULL */
	struct ring_restrictions *restrictions;   /* [l] NULL: none */
	struct ring_personalities *personalities; /* [l] NULL: none */
	uint32_t iowq_max[2];                     /* [l] to write; 0: not set */
	struct ring_sqpoll *sqpoll;               /* [I] after setup; NULL: programs enter */
	struct llist_node dead_link; /* when the file is gone, or all is: setup.c */
};

/* Whether completions may have 32 bytes. */
static inline bool ring_has_long_entries(const struct ring *ring)
{
	return ring->cqe_shift || ring->flags & IORING_SETUP_CQE_MIXED;
}
/* Its completion shows r->big, if its ring has room for that. */
static inline void req_post_long(struct req *r)
{
	if (r->ring->flags & IORING_SETUP_CQE_MIXED)
		r->cqe_flags |= IORING_CQE_F_32;
}

static inline struct req *req_of(struct op *op)
{
	return container_of(op, struct req, op);
}

/* ---- setup.c ---- */
void ring_get(struct ring *ring);
void ring_put(struct ring *ring);
/* NULL: the file is no ring. */
struct ring *ring_of_file(struct file *f);
/* The sizes of the queues, rounded up, in p. -EINVAL. */
MUST_CHECK int ring_choose_sizes(uint32_t entries, struct io_uring_params *p);

/* ---- fdinfo.c: file_ops.fdinfo ---- */
void ring_fdinfo(struct file *f, struct text *out);

/* ---- memory.c ---- */
/*
 * Memory for queues of the sizes and kinds that p has (ring->head, too, if there is none); p gets the
 * offsets. -ENOMEM; of the program's own: -EFAULT, -EINVAL.
 */
MUST_CHECK int ring_queues_create(
	struct ring *ring, struct io_uring_params *p, struct ring_queues *q);
/* Where its words about sizes are, the program sees these queues' from now on. */
void ring_queues_publish(struct ring *ring);
void ring_queues_free(struct ring_queues *q);
void ring_memory_free(struct ring_memory *m);
/* Whether ring_memory_free needs interrupts, and no spinlock. */
bool ring_memory_is_mapped(const struct ring *ring);
/* What mmap maps. */
extern const struct page_source_ops ring_source_ops;

/* ---- supervise.c: all with ring->lock ---- */
/* A filter's word about the call that an entry means. -errno; or 0, perhaps with an enum req_verdict. */
MUST_CHECK int req_judge(struct req *r, int nr, const uint64_t a[6]);
/* Its turn has come, with r->error an enum req_verdict: it ends, or somebody is asked. */
void req_take_verdict(struct req *r);
/* It ends with another result, never asked or no longer asking. */
void req_end_without_verdict(struct req *r, int64_t n);
void req_forget_verdict(struct req *r);
struct fiber_job *req_asking_job(const struct req *r); /* on a fiber, with REQ_ASKS */

/* ---- request.c: all with ring->lock ---- */
/* As a request does, for a while: the ring stays. The caller has a reference of it. */
void req_hold_ring(struct ring *ring);
void req_let_ring_go(struct ring *ring);
/* Of the current thread's task. NULL: no memory. */
struct req *req_create(struct ring *ring, struct ring_task *task);
/* Its turn has come: issues it now, or when the work on the ring is done. */
void req_queue(struct req *r);
/* Its turn has come, and nobody is before it on ring->ready. */
void req_begin(struct req *r);
/* What a completion says of a result of the kernel's own. */
int32_t req_result(int64_t n, bool is_cancelled);
/* The end: posts its completion, goes on with its chain, frees it. */
void req_complete(struct req *r, int64_t result);
/* One more completion of a request that goes on. False: there was no room, and it ends. */
bool req_post_more(struct req *r, int64_t result, uint32_t flags);
/* A request that was never issued: its references, and itself. */
void req_discard(struct req *r);
/* Runs what is ready, tells who waits for completions. Before the lock is given back. */
void ring_settle(struct ring *ring);
void ring_unlock(struct ring *ring) RELEASES(ring->lock); /* settles first */
/* A woken one goes on. */
void req_continue(struct req *r);
/* It goes on in its owner's process, soon: req_continue. Any context; it is on no such list. */
void req_list_for_owner(struct req *r);
/* The same, as op_leave_thread wants it. */
void req_woken(struct op *op, bool is_handover);
/*
 * How often an operation is tried before others get a chance: who feeds it as fast as it goes on would
 * keep its thread here for ever. Linux: so many completions of a multishot one.
 */
enum { REQ_TRIES = 32 };
static inline bool req_may_try(unsigned tries)
{
	return LIKELY(tries < REQ_TRIES) && !thread_is_killed();
}
/* It may not: it goes on later, as one that was woken. Returns OP_PARKED. */
int64_t req_try_later(struct req *r);
/* Cancels it, wherever it is: 0, -EALREADY (it ends soon, and its own completion tells), -ENOENT. */
int req_cancel(struct req *r);
/* Of one on a fiber: ends its waits. True: it was in line for a fiber still, and has ended. */
bool req_interrupt_call(struct req *r, bool is_kill);
/* On ring->active and in the hash; off both. */
void req_track(struct req *r);
void req_untrack(struct req *r);
/* One of this name on ring->active, of which is_it is true; NULL. */
typedef bool req_match(const struct req *r, const void *what);
struct req *req_find(struct ring *ring, uint64_t user_data, req_match *is_it, const void *what);
/* Where those of this name are, with others, if ring->by_user_data; to the head of another such list. */
struct req **req_bucket(const struct ring *ring, uint64_t user_data);
void req_move_to_bucket(struct req *r, struct req **bucket);
bool req_is_open(const struct req *r, const void *opcode); /* uint8_t; and not cancelled */
/*
 * The table of descriptors of who submitted it, for a look. That thread may leave it for another one meanwhile, and it may
 * end then: any other thread has a reference until req_put_files.
 */
struct fdtable *req_get_files(const struct req *r);
void req_put_files(const struct req *r, struct fdtable *files);
/* Takes the file that fd means now. -EBADF. */
MUST_CHECK int req_get_file(struct req *r, bool is_fixed);

/* Cancels a chain that was never begun: each with its own error, or -ECANCELED. */
void req_cancel_chain(struct req *r, bool is_silent);
/* Begins what is on ring->ready. */
void ring_run_ready(struct ring *ring);

/* ---- submit.c ---- */
/* Up to nr entries of the queue; how many were taken, or -errno when not even one could be. */
int64_t ring_submit(struct ring *ring, struct ring_task *task, unsigned nr);

/* ---- cq.c ---- */
/* One completion. False: lost for lack of memory, and counted. */
bool ring_post(struct ring *ring, uint64_t user_data, int32_t res, uint32_t flags,
	const uint64_t big[2], bool is_counted);
/* The same, but not when there is no room in the queue itself (multishot). */
bool ring_post_if_room(
	struct ring *ring, uint64_t user_data, int32_t res, uint32_t flags, bool is_counted);
/* What was posted becomes visible to who waits; timeouts that count are looked at. */
void ring_commit(struct ring *ring);
/* Requests were woken, and wait until somebody enters: who waits elsewhere is told. No lock held. */
void ring_announce(struct ring *ring);
/* Moves what overflowed into the queue as far as there is room. */
void ring_flush_overflow(struct ring *ring);
/* How many completions a program could take. */
unsigned ring_nr_ready(struct ring *ring);

/* ---- task.c ---- */
/*
 *   [I] immutable    [a] atomic    [t] its thread; when that has ended, nobody or leave.c
 *   [p] proc->lock
 */
struct ring_task {
	refcount
		refs; /* [a] the thread; who is rescued or buried; requests are counted below */
	struct uthread *
		user; /* [t] others: while it does not leave, or as RCU readers; NULL: orphan */
	struct thread *thread; /* [I] user->thread, for comparing: it may be gone */
	int pid_nr;   /* [I] of the process, for the trace */
	struct llist woken;   /* [a] requests that want to go on */
	uint32_t is_waiting;  /* [a] in io_uring_enter: it sees to them itself */
	const struct ring *awaited; /* [a] while is_waiting: the ring in which; NULL: none */
	uint32_t nr_requests; /* [a] that exist; and nr_spare */
	uint32_t nr_spare;    /* [t] counted for requests to come */
	struct waitq idle;    /* woken when nr_requests has become 0 */
	uint32_t nr_visitors; /* [a] fibers on their way that begin as its thread */
	uint32_t is_rescued;  /* [a] `rescue` is on its way */
	struct fiber_job rescue;
	struct work orphan_rescue;     /* the same for an orphan */
	struct llist_node rescue_link; /* on the list of the worker that starts `rescue` */
	struct list rings;             /* [t] struct ring_use: where it has submitted */
	struct fdtable *files; /* [t] one more reference: nobody borrows without counting */
	struct file *fds[RING_FDS]; /* [t] */
	bool is_leaving;            /* [t] others: with the lock of a ring that it used */
	struct proc *orphan_of; /* [a] its thread has ended before its requests; a reference */
	struct list_node orphan_link; /* [p] proc->ring_orphans */
	uint32_t is_buried;           /* [a] it is on its way there */
	struct llist_node burial_link; /* for its burial; then, for its memory's end */
};
/* Where a task has submitted. */
struct ring_use {
	struct list_node link; /* task->rings */
	struct ring *ring;     /* one reference */
};
void ring_use_forget(struct ring_use *use);
static inline bool ring_task_is_orphan(const struct ring_task *task)
{
	return atomic_load(&task->orphan_of) != NULL;
}
/* The current thread's, made if there is none. -ENOMEM. */
MUST_CHECK int ring_task_create(struct ring_task **out);
MUST_CHECK static inline int ring_task_get(struct ring_task **out)
{
	*out = uthread_current()->ring_task;
	return LIKELY(*out != NULL) ? 0 : ring_task_create(out);
}
/* Notes that it uses this ring. -ENOMEM. */
MUST_CHECK int ring_task_use(struct ring_task *task, struct ring *ring);
/* The same for one that it does not use yet, with the memory for it. */
void ring_task_add_use(struct ring_task *task, struct ring *ring, struct ring_use *use);
void ring_task_put(struct ring_task *task);
/*
 * Requests of this ring's own list go on: those of a ring whose file is gone, which are cancelled, until
 * there are none; others as ring_task_run has it.
 */
void ring_run_woken(struct ring *ring);
/*
 * Requests that were woken go on. Of the current thread's, and of this ring's own list (or NULL). All that
 * there are at the beginning; of those that come meanwhile perhaps not all, of which it is told.
 */
void ring_task_run(struct ring_task *task, struct ring *ring);
/* It waits for completions of this ring, and sees to what is woken; it no longer does. */
void ring_task_begin_wait(struct ring_task *task, const struct ring *ring);
void ring_task_end_wait(struct ring_task *task, struct ring *ring);
bool ring_task_has_work(struct ring_task *task, struct ring *ring);
/* A request exists: of the current thread's; is gone: of any's. */
void ring_task_take(struct ring_task *task);
void ring_task_give_back(struct ring_task *task);
/* The same for others that its thread is to wait for; by -1 only with a reference of one's own. */
void ring_task_count(struct ring_task *task, int by);
void ring_task_uncount(struct ring_task *task); /* by -1 */
/* A fiber is to begin as its thread, which does not end until it has. */
void ring_task_visit(struct ring_task *task);
void ring_task_end_visit(struct ring_task *task); /* with a reference of one's own */
/* Its woken requests go on without its thread. Any context. */
void ring_task_ask_for_rescue(struct ring_task *task);

/* ---- workers.c ---- */
/* The current process uses the ring: the limits that another one has set by it, if it has none of its own. */
void ring_workers_begin(const struct ring *ring);

/* ---- leave.c ---- */
/* ring_hooks.leave */
void ring_task_leave(struct uthread *u);
/* It has no thread and, perhaps, no requests any more: it goes, soon. With a reference of one's own. */
void ring_task_bury(struct ring_task *task);
/* Its last reference is gone. Any context. */
void ring_orphan_free(struct ring_task *task);
/* Cancels what the ended threads of the current process have left, and waits for the end of it. */
void ring_orphans_end(struct proc *p);

/* ---- sqpoll.c ---- */
/*
 * -EINVAL: no such CPU or ring to attach to, -ENXIO, -ENOMEM, -EAGAIN: RLIMIT_NPROC. Setup, before anybody
 * else has the ring.
 */
MUST_CHECK int ring_sqpoll_start(
	struct ring *ring, struct ring_task *task, const struct io_uring_params *p);
void ring_sqpoll_wake(struct ring *ring); /* any context; nothing without such a thread */
void ring_sqpoll_fini(struct ring *ring);
/* These three only with such a thread: it takes no entries any more; the task is its own; */
bool ring_sqpoll_is_over(const struct ring *ring);
bool ring_sqpoll_is_for(const struct ring *ring, const struct ring_task *task);
/* what its ring's entries are done with, for itself; NULL: what it has. With a reference. */
const struct cred *ring_sqpoll_get_cred(const struct ring *ring);
int ring_sqpoll_cpu(const struct ring *ring); /* -1: no such thread */
/* ring_hooks.end: the process's end soon. */
void ring_sqpoll_end(const struct proc *p);

/* ---- cancel.c ---- */
enum {
	RING_CANCEL_FLAGS = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD |
			    IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_FD_FIXED |
			    IORING_ASYNC_CANCEL_USERDATA | IORING_ASYNC_CANCEL_OP,
};
/* IORING_OP_ASYNC_CANCEL and its kin: how many, or -ENOENT, -EALREADY. [l] */
int64_t ring_cancel(
	struct ring *ring, const struct req_cancel *what, const struct req *not_this);
/*
 * Everything of this task (of an orphan: of all of its process), or with NULL of all. Whether something is
 * still to end by itself. [l]
 */
bool ring_cancel_all(struct ring *ring, const struct ring_task *task);
/* The calls of this task that are on fibers. Whether one is still to end. [l] */
bool ring_cancel_calls(struct ring *ring, const struct ring_task *task);

/* ---- timeout.c ---- */
int timeout_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t timeout_issue(struct req *r);
int link_timeout_prepare(struct req *r, const struct io_uring_sqe *sqe);
int timeout_remove_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t timeout_remove_issue(struct req *r);
void timeout_clean(struct req *r);
/* A timeout that was told so: that it runs out does not break its chain. */
bool timeout_is_success(const struct req *r);
/* Of a request that has just been parked: its linked timeout begins. */
void link_timeout_arm(struct req *r);
/* The request has ended: its linked timeout, armed or not, is cancelled. Gives what follows in the chain. */
void link_timeout_disarm(struct req *r);
/* After completions: those that waited for so many end. */
void timeouts_count(struct ring *ring);

/* ---- kept.c ---- */
/* A call that does not begin at once: what it is to read from the program is read now. -ENOMEM. */
MUST_CHECK int call_keep_input(struct req *r);

/* ---- poll.c ---- */
int poll_add_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t poll_add_issue(struct req *r);
int poll_remove_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t poll_remove_issue(struct req *r);
void poll_clean(struct req *r);
