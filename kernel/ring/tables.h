// SPDX-License-Identifier: MIT
/*
 * What is registered with a ring: files, memory, groups of buffers, restrictions, identities.
 */
#pragma once

#include "ring/ring_priv.h"

struct ring_buffer;
struct text;

/* ---- pages.c ---- */
/* The current program's pages from addr on; or zeroed ones. -EFAULT, -ENOMEM, -EINTR. */
MUST_CHECK int ring_pages_pin(
	const struct ring *ring, struct ring_pages *p, uint64_t addr, size_t nr);
MUST_CHECK int ring_pages_alloc(const struct ring *ring, struct ring_pages *p, size_t nr);
void ring_pages_free(struct ring_pages *p); /* all zero: nothing */

/* ---- table.c; all [l] ---- */
/* NULL: no memory. Takes over what it is for. */
struct ring_node *ring_node_create(bool is_file, void *what, uint64_t tag);
void ring_node_put(struct ring *ring, struct ring_node *node);
/* What the slot has, with a reference for a request; NULL: nothing. */
struct ring_node *ring_table_get(struct ring_table *t, uint32_t index);
/* The same without one: while the lock is held, and nothing is done that may change the table. */
static inline struct ring_node *ring_table_look(const struct ring_table *t, uint32_t index)
{
	return index < t->nr ? t->nodes[index] : NULL;
}
MUST_CHECK int ring_table_create(struct ring_table *t, unsigned nr); /* -ENOMEM */
void ring_table_destroy(struct ring *ring, struct ring_table *t);
/* Empties a slot: whether it had something. */
bool ring_table_clear(struct ring *ring, struct ring_table *t, unsigned index);
/* Takes over the caller's reference. */
void ring_table_set(
	struct ring *ring, struct ring_table *t, unsigned index, struct ring_node *node);
/* A registration failed: nobody is told of what is taken back. */
void ring_table_forget_tags(struct ring_table *t);
/* The tag for the index-th entry; 0 without an array. -EFAULT. */
MUST_CHECK int ring_read_tag(uptr tags, unsigned index, uint64_t *tag);
/* Slots [offset, offset + nr) get what the arrays describe; tags may be null. */
struct ring_update {
	uint32_t offset, nr;
	uptr data, tags;
};

/* ---- files.c ---- */
MUST_CHECK int ring_files_register(struct ring *ring, uptr fds, unsigned nr, uptr tags);
MUST_CHECK int ring_files_unregister(struct ring *ring);
MUST_CHECK int ring_files_set_range(struct ring *ring, uint32_t from, uint32_t len);
/* How many slots were done, or -errno when not even one was. */
int64_t ring_files_update(
	struct ring *ring, struct fdtable *files, const struct ring_update *u);
/*
 * A direct descriptor: slot - 1, or one of its own choice with IORING_FILE_INDEX_ALLOC. Takes over the
 * file. The result of the request: 0, the slot chosen, or -errno.
 */
int64_t ring_files_install(struct ring *ring, struct file *f, uint32_t slot);
MUST_CHECK int ring_files_remove(struct ring *ring, uint32_t index);
int files_update_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t files_update_issue(struct req *r);
int fixed_fd_install_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t fixed_fd_install_issue(struct req *r);

/* ---- buffers.c ---- */
MUST_CHECK int ring_buffers_register(struct ring *ring, uptr iovs, unsigned nr, uptr tags);
MUST_CHECK int ring_buffers_unregister(struct ring *ring);
int64_t ring_buffers_update(struct ring *ring, const struct ring_update *u);
/* IORING_REGISTER_CLONE_BUFFERS; both rings locked. */
MUST_CHECK int ring_buffers_clone(
	struct ring *to, struct ring *from, const struct io_uring_clone_buffers *c);
void ring_buffer_put(struct ring_buffer *b);
/* Where the program has it. */
void ring_buffer_range(const struct ring_buffer *b, uint64_t *addr, size_t *len);
/* The iter covers [addr, addr + len) of the node's memory, as long as the node is held. -EFAULT. */
MUST_CHECK int ring_buffer_iter(
	struct ring_node *node, struct iter *it, uint64_t addr, size_t len);
/* The same for a struct iovec array whose elements are within it. Also -EINVAL, -ENOMEM. */
MUST_CHECK int ring_buffer_iter_vector(
	struct ring_node *node, struct iter *it, uptr iov, size_t nr);

/* ---- groups.c: provided buffers ---- */
/*
 * The group is there, and empty. One that goes on (multishot) then waits until there is something to take before it
 * ends for want of a buffer: there may be one by that time.
 */
bool ring_buffer_is_out(const struct req *r);
/*
 * Chooses one of the request's group: its place and size (at most *len, unless that is 0). -ENOBUFS.
 * The lock is held until it is committed, returned or kept.
 */
MUST_CHECK int ring_buffer_select(struct req *r, uptr *addr, size_t *len);
/* As many as it takes for max bytes (0: as many as there are), for a bundle. it: iter_fini. -ENOBUFS. */
MUST_CHECK int ring_buffers_select(struct req *r, struct iter *it, size_t max);
/* What was chosen is used: so many bytes of it. The flags of the completion. */
uint32_t ring_buffer_commit(struct req *r, int32_t used);
/* Nothing was done with it: it goes back. */
void ring_buffer_return(struct req *r);
/* The request waits with its buffer half full: it leaves the group now, and is committed later. */
void ring_buffer_keep(struct req *r);
int provide_buffers_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t provide_buffers_issue(struct req *r);
int remove_buffers_prepare(struct req *r, const struct io_uring_sqe *sqe);
int64_t remove_buffers_issue(struct req *r);
/* IORING_REGISTER_PBUF_RING, UNREGISTER_PBUF_RING, PBUF_STATUS. */
MUST_CHECK int ring_groups_register(struct ring *ring, uptr arg);
MUST_CHECK int ring_groups_unregister(struct ring *ring, uptr arg);
MUST_CHECK int ring_groups_status(struct ring *ring, uptr arg);
/* When nobody maps the ring any more. */
void ring_groups_fini(struct ring *ring);
/* What mmap sees at IORING_OFF_PBUF_RING and beyond, by pages of the ring's offsets. No lock. -EFAULT. */
MUST_CHECK int ring_groups_get_page(struct ring *ring, uint64_t index, struct page **out);
/* Whether one of a group begins there. No lock. */
bool ring_groups_begin_at(struct ring *ring, uint64_t index);

/* ---- region.c ---- */
/* IORING_REGISTER_MEM_REGION */
MUST_CHECK int ring_region_register(struct ring *ring, uptr arg);
/* The argument of IORING_ENTER_EXT_ARG_REG at this offset. -EFAULT. */
MUST_CHECK int ring_region_get_wait(
	struct ring *ring, uint64_t offset, struct io_uring_reg_wait *out);
/* What mmap sees at IORING_MAP_OFF_PARAM_REGION. No lock. -EFAULT. */
MUST_CHECK int ring_region_get_page(struct ring *ring, uint64_t index, struct page **out);
bool ring_region_is_mapped(struct ring *ring); /* or can be: it is not the program's own */
void ring_region_fini(struct ring *ring); /* when nobody maps the ring any more */

/* ---- workers.c ---- */
/* IORING_REGISTER_IOWQ_MAX_WORKERS, IORING_REGISTER_IOWQ_AFF; [l] */
MUST_CHECK int ring_workers_limit(struct ring *ring, uptr arg);
MUST_CHECK int ring_workers_check_cpus(uptr arg, unsigned len);

/* ---- rights.c; all [l] ---- */
MUST_CHECK int ring_restrictions_register(struct ring *ring, uptr arg, unsigned nr);
/* Whether restrictions, which there are, allow this entry. 0, -EACCES. */
MUST_CHECK int ring_check_restrictions(const struct ring *ring, const struct io_uring_sqe *sqe);
bool ring_may_register(const struct ring *ring, unsigned op);
/* The id of the current credentials, or -errno. */
int64_t ring_personality_register(struct ring *ring);
MUST_CHECK int ring_personality_unregister(struct ring *ring, unsigned id);
/* The credentials of a personality, with a reference. -EINVAL. */
MUST_CHECK int ring_get_personality(struct ring *ring, unsigned id, const struct cred **out);
/* For fdinfo. [l] */
void ring_personalities_show(const struct ring *ring, struct text *out);
void ring_rights_fini(struct ring *ring);

/* ---- query.c ---- */
MUST_CHECK int ring_probe(uptr arg, unsigned nr);
MUST_CHECK int ring_query(uptr arg, unsigned nr);

/* ---- ring_fds.c: the current thread's ---- */
int64_t ring_fds_register(uptr arg, unsigned nr);
int64_t ring_fds_unregister(uptr arg, unsigned nr);
/* The file, whose reference it takes over, gets a number. -EBUSY. */
int64_t ring_fds_add(struct ring_task *task, struct file *f);
/* The ring's file, by descriptor or by registered number, with a reference; NULL and an errno. */
struct file *ring_file_find(int fd, bool is_registered, int *err);

/* ---- small.c ---- */
int64_t ring_send_message(uptr arg, unsigned nr);

/* ---- cancel_wait.c ---- */
int64_t ring_cancel_and_wait(struct ring *ring, uptr arg);

/* ---- resize.c ---- */
MUST_CHECK int ring_resize(struct ring *ring, uptr arg);

/* ---- register.c ---- */
/* io_uring_register(2). [l]; gives the lock back in between where it says so. */
int64_t ring_register(struct ring *ring, unsigned op, uptr arg, unsigned nr);
/* The file is gone: what is registered goes, too, but for what is mapped. [l] */
void ring_unregister_all(struct ring *ring);

/* ---- policy.c ---- */
/* Filters look at the call that the entry is (docs/decisions/0016). 0, or its result. */
MUST_CHECK int ring_policy(struct req *r, const struct io_uring_sqe *sqe);
/* strace=: a line when it is submitted, and one for each completion. Only if trace_is_on. */
void ring_trace_begin(const struct req *r, const struct io_uring_sqe *sqe);
void ring_trace_end(const struct req *r, int64_t result);
