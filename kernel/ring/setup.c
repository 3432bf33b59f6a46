// SPDX-License-Identifier: MIT
/*
 * io_uring_setup: a ring, its file; and its end.
 *
 * A ring lives as long as anybody maps its memory, refers to it, or has a request in it. When the file
 * is gone a worker cancels what is in flight: the last reference may go anywhere, with any lock held.
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
#include "sync/rcu.h"
#include "sys/syscall.h"

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
	ring_queues_free(&ring->q);
	ring_memory_free(&ring->head);
	mem_free(ring);
}

static struct llist dead;   /* [a] rings whose files are gone */
static struct llist buried; /* [a] and those that nobody refers to, with mapped memory */
static struct work burial;

void ring_put(struct ring *ring)
{
	if (!refcount_put(&ring->refs))
		return;
	if (UNLIKELY(ring_memory_is_mapped(ring))) {
		llist_push(&buried, &ring->dead_link);
		work_queue(&burial);
	} else {
		destroy(ring);
	}
}

/* The file is gone, and with it whoever could want a completion. Whether some may yet be listed as woken. */
static bool die(struct ring *ring)
{
	ring_sqpoll_wake(ring);
	mutex_lock(&ring->lock);
	(void)ring_cancel_all(ring, NULL);
	ring_unregister_all(ring);
	ring_unlock(ring);
	ring_run_woken(ring);
	return ring->flags & IORING_SETUP_DEFER_TASKRUN && READ_ONCE(ring->nr_begun);
}

static void end_for_good(struct ring *ring)
{
	struct ring_task *owner;

	ring_run_woken(ring);
	mutex_lock(&ring->lock);
	owner = ring->owner;
	ring->owner = NULL;
	ring_unlock(ring);
	if (owner)
		ring_task_put(owner);
	ring_put(ring); /* the file's */
}

static void bury_dead(struct llist_node *rings)
{
	bool may_be_late = false;

	llist_for_each_safe(ring, rings, struct ring, dead_link) may_be_late |= die(ring);
	if (UNLIKELY(may_be_late))
		rcu_synchronize(); /* who had woken one has listed it by now; nobody looks there after us */
	llist_for_each_safe(ring, rings, struct ring, dead_link) end_for_good(ring);
}

static void bury(struct work *w UNUSED)
{
	bury_dead(llist_take_all(&dead));
	llist_for_each_safe(ring, llist_take_all(&buried), struct ring, dead_link)
		destroy(ring);
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
	const struct ring_shared *s;
	uint32_t events = 0;

	rcu_read_lock();
	s = rcu_load(ring->shared);
	if (READ_ONCE(s->sq_tail) - READ_ONCE(ring->sq_head) < ring->q.sq_entries)
		events |= POLLOUT | POLLWRNORM;
	if (ring_nr_ready(ring) || (!ring->sqpoll && !llist_is_empty(&ring->woken)) ||
		!list_is_empty(&ring->overflow))
		events |= POLLIN | POLLRDNORM;
	rcu_read_unlock();
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

static bool has_all(uint32_t flags, uint32_t both)
{
	return (flags & both) == both;
}

static int check_flags(uint32_t flags)
{
	const uint32_t needs_coop = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN;

	if (flags & ~RING_SETUP_FLAGS)
		return -EINVAL;
	if (flags & IORING_SETUP_REGISTERED_FD_ONLY && !(flags & IORING_SETUP_NO_MMAP))
		return -EINVAL;
	if (flags & IORING_SETUP_HYBRID_IOPOLL && !(flags & IORING_SETUP_IOPOLL))
		return -EINVAL;
	if (has_all(flags, IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED) ||
		has_all(flags, IORING_SETUP_SQE128 | IORING_SETUP_SQE_MIXED))
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
static int choose(uint32_t entries, struct io_uring_params *p)
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

/* A queue of mixed sizes has room for one of the large. */
int ring_choose_sizes(uint32_t entries, struct io_uring_params *p)
{
	int err = choose(entries, p);

	if (!err && ((p->flags & IORING_SETUP_SQE_MIXED && p->sq_entries < 2) ||
			    (p->flags & IORING_SETUP_CQE_MIXED && p->cq_entries < 2)))
		err = -EOVERFLOW;
	return err;
}

static int create(struct io_uring_params *p, struct ring **out)
{
	struct ring *ring = mem_alloc(sizeof(*ring), SLAB_ZERO);
	int err;

	if (!ring)
		return -ENOMEM;
	refcount_init(&ring->refs, 1);
	mutex_init(&ring->lock, RANK_RING, "ring");
	spinlock_init(&ring->map_lock, RANK_RING_MAP, "ring map");
	page_source_init(&ring->source, &ring_source_ops);
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
	err = ring_queues_create(ring, p, &ring->q);
	if (err) {
		destroy(ring);
		return err;
	}
	ring_queues_publish(ring);
	*out = ring;
	return 0;
}

/* The ring whose workers this one is to share: all of a process share them here. Threads: sqpoll.c. */
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

/* The ring is the file's from now on, if there is one. */
static int make_file(struct ring *ring, struct ring_task *task, struct file **out)
{
	int err = file_open_anonymous(out, &ring_file_ops, "[io_uring]", ring,
		O_RDWR | O_CLOEXEC, FILE_READ | FILE_WRITE | FILE_STREAM | FILE_NOT_SENT);

	if (err)
		return err;
	ring->file = *out;
	if (ring->flags & IORING_SETUP_SINGLE_ISSUER &&
		!(ring->flags & IORING_SETUP_R_DISABLED)) {
		refcount_get(&task->refs);
		ring->owner = task;
	}
	return 0;
}

/*
 * Its number, when everything else is there: from then on the program has the ring. Takes over the
 * file, unless it fails.
 */
static int64_t publish(struct ring *ring, struct ring_task *task,
	const struct io_uring_params *p, struct file *f)
{
	struct fdtable *files = uthread_current()->files;
	bool is_registered = p->flags & IORING_SETUP_REGISTERED_FD_ONLY;
	int fd = -1;
	int64_t n = 0;

	if (!is_registered)
		n = fd_reserve(files, 0, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (!n && p->flags & IORING_SETUP_SQPOLL)
		n = ring_sqpoll_start(ring, task, p);
	if (!n && is_registered)
		return ring_fds_add(task, f);
	if (!n)
		fd_install(files, fd, f, true);
	else if (fd >= 0)
		fd_unreserve(files, fd);
	return n ? n : fd;
}

static int64_t open_ring(struct ring *ring, struct ring_task *task,
	const struct io_uring_params *p, uptr user_params)
{
	struct file *f;
	int64_t n = user_put(user_params, *p);

	if (!n)
		n = make_file(ring, task, &f);
	if (n) {
		ring_put(ring);
		return n;
	}
	n = publish(ring, task, p, f);
	if (n < 0)
		file_put(f); /* the end of the ring, as when it is closed */
	return n;
}

SYSCALL2(io_uring_setup, uint32_t, entries, uptr, user_params)
{
	struct io_uring_params p;
	struct ring_task *task;
	struct ring *ring;
	int err;

	if (user_get(p, user_params))
		return -EFAULT;
	if (p.resv[0] || p.resv[1] || p.resv[2])
		return -EINVAL;
	err = check_flags(p.flags);
	if (!err)
		err = ring_choose_sizes(entries, &p);
	if (!err)
		err = check_attach(&p);
	if (!err)
		err = ring_task_get(&task);
	if (!err)
		err = create(&p, &ring);
	if (err)
		return err;
	p.features = RING_FEATURES;
	return open_ring(ring, task, &p, user_params);
}
