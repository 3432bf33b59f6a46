// SPDX-License-Identifier: MIT
/*
 * io_uring_setup: a ring, its memory, its file; and its end.
 *
 * The memory that programs map is pages of ours, in one piece each for the queues and the entries. It
 * lives as long as anybody maps it, refers to the ring, or has a request in it. When the file is gone
 * a worker cancels what is in flight: the last reference may go anywhere, with any lock held.
 *
 * Spec    man 2 io_uring_setup
 */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/resource.h>

#include "fs/vfs/fdtable.h"
#include "irq/work.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "ring/tables.h"
#include "sys/syscall.h"

/* ---- Memory ---- */

int ring_memory_alloc(struct ring_memory *m, size_t size)
{
	unsigned order = 0;
	int err;

	m->size = ALIGN_UP(size, PAGE_SIZE);
	while (PAGE_SIZE << order < m->size)
		order++;
	err = order > PAGE_MAX_ORDER ? -ENOMEM : page_alloc(&m->page, order, PAGE_ALLOC_ZERO);
	if (err)
		return err;
	page_split(m->page);
	m->at = page_to_virt(m->page);
	for (size_t i = m->size >> PAGE_SHIFT; i < 1ul << order; i++)
		page_put(m->page + i); /* more than was asked for */
	return 0;
}

void ring_memory_free(struct ring_memory *m)
{
	for (size_t i = 0; m->page && i < m->size >> PAGE_SHIFT; i++)
		page_put(m->page + i);
	m->page = NULL;
}

static struct ring *ring_of_source(struct page_source *s)
{
	return container_of(s, struct ring, source);
}

static int page_of(const struct ring_memory *m, uint64_t offset, struct page **out)
{
	if (offset >= m->size)
		return -EFAULT;
	*out = m->page + (offset >> PAGE_SHIFT);
	page_get(*out);
	return 0;
}

/* The offsets of mmap are megabytes apart: each region begins at one of them. */
static int get_page(
	struct page_source *s, uint64_t index, bool is_write UNUSED, struct page **out)
{
	struct ring *ring = ring_of_source(s);
	uint64_t offset = index << PAGE_SHIFT, base = offset & IORING_OFF_MMAP_MASK;

	switch (base) {
	case IORING_OFF_SQ_RING:
	case IORING_OFF_CQ_RING:
		return page_of(&ring->rings, offset - base, out);
	case IORING_OFF_SQES:
		return page_of(&ring->sqes, offset - base, out);
	case IORING_MAP_OFF_PARAM_REGION:
		return ring_region_get_page(ring, index, out);
	default:
		return ring_groups_get_page(ring, index, out);
	}
}

static void source_get(struct page_source *s)
{
	ring_get(ring_of_source(s));
}

static void source_put(struct page_source *s)
{
	ring_put(ring_of_source(s));
}

static const struct page_source_ops source_ops = {
	.get_page = get_page, .get = source_get, .put = source_put};

/* ---- Life ---- */

void ring_get(struct ring *ring)
{
	refcount_get(&ring->refs);
}

static void destroy(struct ring *ring)
{
	for (struct req *r = ring->free; r;) {
		struct req *next = r->next;

		mem_free(r);
		r = next;
	}
	while (!list_is_empty(&ring->overflow))
		mem_free(list_pop_head(&ring->overflow, struct ring_overflow, link));
	if (ring->user)
		user_release(ring->user);
	mem_free(ring->by_user_data);
	ring_sqpoll_fini(ring);
	ring_groups_fini(ring);
	ring_region_fini(ring);
	ring_memory_free(&ring->rings);
	ring_memory_free(&ring->sqes);
	mem_free(ring);
}

void ring_put(struct ring *ring)
{
	if (refcount_put(&ring->refs))
		destroy(ring);
}

/* The file is gone, and with it whoever could want a completion. */
static void die(struct ring *ring)
{
	struct ring_task *owner;

	ring_sqpoll_stop(ring, NULL);
	mutex_lock(&ring->lock);
	(void)ring_cancel_all(ring, NULL);
	ring_unregister_all(ring);
	owner = ring->owner;
	ring->owner = NULL;
	ring_unlock(ring);
	ring_run_woken(ring);
	if (owner)
		ring_task_put(owner);
	ring_put(ring); /* the file's */
}

static struct llist dead; /* [a] rings whose files are gone */

static void bury(struct work *w UNUSED)
{
	llist_for_each_safe(ring, llist_take_all(&dead), struct ring, dead_link) die(ring);
}

static struct work burial = WORK_INIT(bury);

static void ring_release(struct file *f)
{
	struct ring *ring = f->private_data;

	WRITE_ONCE(ring->is_dead, true);
	llist_push(&dead, &ring->dead_link);
	work_queue(&burial);
}

/* ---- The file ---- */

static uint32_t ring_poll(struct file *f)
{
	struct ring *ring = f->private_data;
	const struct ring_shared *s = ring->shared;
	uint32_t events = 0;

	if (READ_ONCE(s->sq_tail) - READ_ONCE(ring->sq_head) < ring->sq_entries)
		events |= POLLOUT | POLLWRNORM;
	if (ring_nr_ready(ring) || (!ring->sqpoll && !llist_is_empty(&ring->woken)) ||
		!list_is_empty(&ring->overflow))
		events |= POLLIN | POLLRDNORM;
	return events;
}

static struct waitq *ring_waitq(struct file *f, uint32_t events UNUSED)
{
	struct ring *ring = f->private_data;

	return &ring->cq_wait;
}

static int ring_map(struct file *f, uint32_t *vm_flags UNUSED, struct page_source **out)
{
	struct ring *ring = f->private_data;

	*out = &ring->source;
	return 0;
}

static int ring_fdinfo(struct file *f, char *buf, size_t size)
{
	struct ring *ring = f->private_data;
	const struct ring_shared *s = ring->shared;

	return (int)snformat(buf, size,
		"SqMask:\t0x%x\nSqHead:\t%u\nSqTail:\t%u\nCachedSqHead:\t%u\nCqMask:\t0x%x\n"
		"CqHead:\t%u\nCqTail:\t%u\nCachedCqTail:\t%u\nSQEs:\t%u\nCQEs:\t%u\n"
		"SqThread:\t-1\nSqThreadCpu:\t-1\nUserFiles:\t%u\nUserBufs:\t%u\nPollList:\n"
		"CqOverflowList:\n",
		ring->sq_mask, READ_ONCE(s->sq_head), READ_ONCE(s->sq_tail), ring->sq_head,
		ring->cq_mask, READ_ONCE(s->cq_head), READ_ONCE(s->cq_tail), ring->cq_tail,
		READ_ONCE(s->sq_tail) - ring->sq_head, ring_nr_ready(ring), ring->files.nr,
		ring->buffers.nr);
}

static const struct file_ops ring_file_ops = {
	.name = "[io_uring]",
	.poll = ring_poll,
	.waitq = ring_waitq,
	.map = ring_map,
	.fdinfo = ring_fdinfo,
	.release = ring_release,
};

struct ring *ring_of_file(struct file *f)
{
	return f->ops == &ring_file_ops ? f->private_data : NULL;
}

/* ---- Making one ---- */

static int check_flags(uint32_t flags)
{
	const uint32_t needs_coop = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN;

	if (flags & ~RING_SETUP_FLAGS)
		return -EINVAL;
	if (flags & IORING_SETUP_TASKRUN_FLAG && !(flags & needs_coop))
		return -EINVAL;
	if (flags & IORING_SETUP_SQ_AFF && !(flags & IORING_SETUP_SQPOLL))
		return -EINVAL;
	if (flags & IORING_SETUP_SQPOLL && flags & (needs_coop | IORING_SETUP_TASKRUN_FLAG))
		return -EINVAL;
	if (flags & IORING_SETUP_DEFER_TASKRUN && !(flags & IORING_SETUP_SINGLE_ISSUER))
		return -EINVAL;
	return 0;
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

/* man 2 io_uring_setup: how many entries the queues have. */
static int choose_sizes(uint32_t entries, struct io_uring_params *p)
{
	const bool may_clamp = p->flags & IORING_SETUP_CLAMP;
	uint32_t cq = p->cq_entries;

	if (!entries || (entries > RING_MAX_ENTRIES && !may_clamp))
		return -EINVAL;
	p->sq_entries = power_of_two(MIN(entries, (uint32_t)RING_MAX_ENTRIES));
	if (!(p->flags & IORING_SETUP_CQSIZE)) {
		p->cq_entries = 2 * p->sq_entries;
		return 0;
	}
	if (!cq || (cq > 2 * RING_MAX_ENTRIES && !may_clamp))
		return -EINVAL;
	p->cq_entries = power_of_two(MIN(cq, 2u * RING_MAX_ENTRIES));
	return p->cq_entries < p->sq_entries ? -EINVAL : 0;
}

/* The queues' places in their memory, for the program and for us. */
static int make_memory(struct ring *ring, struct io_uring_params *p)
{
	bool has_array = !(p->flags & IORING_SETUP_NO_SQARRAY);
	size_t cqes = (size_t)p->cq_entries * sizeof(struct io_uring_cqe) << ring->cqe_shift;
	size_t array = sizeof(struct ring_shared) + cqes;
	int err = ring_memory_alloc(
		&ring->rings, array + (has_array ? p->sq_entries * sizeof(uint32_t) : 0));

	if (!err)
		err = ring_memory_alloc(&ring->sqes, (size_t)p->sq_entries << ring->sqe_shift);
	if (err)
		return err;
	ring->shared = ring->rings.at;
	ring->cqes = (void *)((char *)ring->rings.at + sizeof(struct ring_shared));
	ring->sq_array = has_array ? (void *)((char *)ring->rings.at + array) : NULL;
	ring->sq_entries = ring->shared->sq_entries = p->sq_entries;
	ring->cq_entries = ring->shared->cq_entries = p->cq_entries;
	ring->sq_mask = ring->shared->sq_mask = p->sq_entries - 1;
	ring->cq_mask = ring->shared->cq_mask = p->cq_entries - 1;
	p->sq_off = (struct io_sqring_offsets){
		.head = offsetof(struct ring_shared, sq_head),
		.tail = offsetof(struct ring_shared, sq_tail),
		.ring_mask = offsetof(struct ring_shared, sq_mask),
		.ring_entries = offsetof(struct ring_shared, sq_entries),
		.flags = offsetof(struct ring_shared, sq_flags),
		.dropped = offsetof(struct ring_shared, sq_dropped),
		.array = has_array ? (uint32_t)array : 0,
	};
	p->cq_off = (struct io_cqring_offsets){
		.head = offsetof(struct ring_shared, cq_head),
		.tail = offsetof(struct ring_shared, cq_tail),
		.ring_mask = offsetof(struct ring_shared, cq_mask),
		.ring_entries = offsetof(struct ring_shared, cq_entries),
		.overflow = offsetof(struct ring_shared, cq_overflow),
		.cqes = sizeof(struct ring_shared),
		.flags = offsetof(struct ring_shared, cq_flags),
	};
	return 0;
}

static int create(struct io_uring_params *p, struct ring **out)
{
	struct ring *ring = mem_alloc(sizeof(*ring), SLAB_ZERO);
	int err;

	if (!ring)
		return -ENOMEM;
	refcount_init(&ring->refs, 1);
	mutex_init(&ring->lock, RANK_RING, "ring");
	spinlock_init(&ring->cq_lock, RANK_RING_CQ, "ring cq");
	page_source_init(&ring->source, &source_ops);
	waitq_init(&ring->cq_wait);
	list_init(&ring->ready);
	list_init(&ring->drained);
	list_init(&ring->active);
	list_init(&ring->timeouts);
	list_init(&ring->overflow);
	ring->flags = p->flags;
	if (!capable(CAP_IPC_LOCK)) {
		ring->user = cred_current()->user;
		user_hold(ring->user);
	}
	ring->sqe_shift = p->flags & IORING_SETUP_SQE128 ? 7 : 6;
	ring->cqe_shift = p->flags & IORING_SETUP_CQE32 ? 1 : 0;
	err = make_memory(ring, p);
	if (err) {
		destroy(ring);
		return err;
	}
	*out = ring;
	return 0;
}

/* The ring whose workers this one is to share: all of a process share them here. */
static int check_attach(const struct io_uring_params *p)
{
	struct file *f;
	int err;

	if (!(p->flags & IORING_SETUP_ATTACH_WQ))
		return 0;
	err = fd_get_file(uthread_current()->files, (int)p->wq_fd, false, &f);
	if (err)
		return -ENXIO;
	err = ring_of_file(f) ? 0 : -EINVAL;
	file_put(f);
	return err;
}

/* The descriptor, when everything else is there: from then on the program has the ring. */
static int64_t open_ring(struct ring *ring, struct ring_task *task)
{
	struct fdtable *files = uthread_current()->files;
	struct file *f;
	int fd, err = fd_reserve(files, 0, proc_rlimit(RLIMIT_NOFILE), &fd);

	if (err)
		return err;
	err = file_open_anonymous(&f, &ring_file_ops, "[io_uring]", ring, O_RDWR | O_CLOEXEC,
		FILE_READ | FILE_WRITE | FILE_STREAM | FILE_NOT_SENT);
	if (err) {
		fd_unreserve(files, fd);
		return err;
	}
	ring->file = f;
	if (ring->flags & IORING_SETUP_SINGLE_ISSUER &&
		!(ring->flags & IORING_SETUP_R_DISABLED)) {
		refcount_get(&task->refs);
		ring->owner = task;
	}
	fd_install(files, fd, f, true);
	return fd;
}

SYSCALL2(io_uring_setup, uint32_t, entries, uptr, user_params)
{
	struct io_uring_params p;
	struct ring_task *task;
	struct ring *ring;
	int64_t fd;
	int err;

	if (user_get(p, user_params))
		return -EFAULT;
	if (p.resv[0] || p.resv[1] || p.resv[2])
		return -EINVAL;
	err = check_flags(p.flags);
	if (!err)
		err = choose_sizes(entries, &p);
	if (!err)
		err = check_attach(&p);
	if (!err)
		err = ring_task_get(&task);
	if (!err)
		err = create(&p, &ring);
	if (err)
		return err;
	p.features = RING_FEATURES;
	fd = user_put(user_params, p);
	if (!fd && p.flags & IORING_SETUP_SQPOLL)
		fd = ring_sqpoll_start(ring, task, &p);
	if (!fd)
		fd = open_ring(ring, task);
	if (fd < 0) {
		ring_sqpoll_stop(ring, NULL);
		ring_put(ring);
	}
	return fd;
}
