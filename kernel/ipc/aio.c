// SPDX-License-Identifier: MIT
/*
 * Contexts of native AIO.
 *
 * The ring lies in memory of the program, which both sides write: the program moves the head, we write events
 * and the tail. What we depend on, the tail and the number of places, is kept here; the head is taken modulo
 * the places. Who spoils his ring spoils his events.
 *
 * A context belongs to a process, and goes with its memory. It lives as long as a call uses it. Dead, nothing
 * is written to its ring any more: other memory may be there. Who destroys it waits until its requests are over.
 *
 * Locks   proc->lock [p]   which contexts a process has
 *         context->lock [c]  RANK_AIO: the ring; programs' memory is touched under it
 */
#include "ipc/aio.h"

#include "arch/cpu.h"
#include "lib/atomic.h"
#include "lib/rbtree.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "sched/sched.h"

/* As libaio declares it. */
struct aio_ring {
	uint32_t id, nr, head, tail, magic, compat_features, incompat_features, header_length;
	struct io_event events[];
};

static_assert(sizeof(struct aio_ring) == 32, "libaio: struct aio_ring");

#define AIO_RING_MAGIC 0xa10a10a1u /* libaio: AIO_RING_MAGIC */
enum {
	AIO_MAX_FIRST = 65536,  /* man 5 proc: /proc/sys/fs/aio-max-nr */
	BYTES_MAX = 0x10000000, /* Linux: of a ring's events */
	PLACES_PER_CPU = 4,     /* Linux: at least so many */
	TAKE_AT_ONCE = 8,
};

uint64_t aio_max = AIO_MAX_FIRST, aio_count;

/*
 *   [I] immutable    [p] proc->lock    [c] lock    [a] atomic
 */
struct aio_context {
	refcount refs;
	struct rbtree_node node; /* [p] proc->aio, by `at` */
	uint64_t at;             /* [I] */
	size_t size;             /* [I] of the mapping */
	uint32_t nr;             /* [I] places; one is always free */
	uint32_t wanted;         /* [I] as io_setup said: what is counted */
	struct mutex lock;
	bool is_dead;      /* [c] */
	uint32_t tail;     /* [c] */
	uint32_t nr_begun; /* [c] places that were reserved and not posted to */
	uint32_t changes;  /* [a] */
	struct waitq waitq;
};

/* ---- The ring ---- */

static uptr word_at(const struct aio_context *c, size_t offset)
{
	return UPTR(c->at + offset);
}

static uptr place_at(const struct aio_context *c, uint32_t place)
{
	return word_at(c, sizeof(struct aio_ring) + place * sizeof(struct io_event));
}

/* How many events are in it, from *head on. -EFAULT. */
static int look(const struct aio_context *c, uint32_t *head, uint32_t *nr)
{
	if (user_get(*head, word_at(c, offsetof(struct aio_ring, head))))
		return -EFAULT;
	*head %= c->nr;
	*nr = (c->tail + c->nr - *head) % c->nr;
	return 0;
}

unsigned aio_places(const struct aio_context *c)
{
	return c->nr;
}

uint32_t aio_changes(const struct aio_context *c)
{
	return atomic_load(&c->changes);
}

struct waitq *aio_waitq(struct aio_context *c)
{
	return &c->waitq;
}

static void tell(struct aio_context *c)
{
	atomic_add(&c->changes, 1);
	waitq_wake_all(&c->waitq, 0);
}

int aio_reserve(struct aio_context *c)
{
	uint32_t head, used;
	int err;

	mutex_lock(&c->lock);
	err = c->is_dead ? -EINVAL : look(c, &head, &used);
	if (!err && used + c->nr_begun >= c->nr - 1)
		err = -EAGAIN;
	c->nr_begun += !err;
	mutex_unlock(&c->lock);
	return err;
}

void aio_give_back(struct aio_context *c)
{
	mutex_lock(&c->lock);
	c->nr_begun--;
	mutex_unlock(&c->lock);
	tell(c);
}

void aio_post(struct aio_context *c, const struct io_event *e)
{
	mutex_lock(&c->lock);
	c->nr_begun--;
	/* a program that has unmapped its ring loses the event */
	if (!c->is_dead && !user_write(place_at(c, c->tail), e, sizeof(*e))) {
		c->tail = (c->tail + 1) % c->nr;
		atomic_fence(); /* pairs with libaio's: the tail, then the event before it */
		(void)!user_put(word_at(c, offsetof(struct aio_ring, tail)), c->tail);
	}
	mutex_unlock(&c->lock);
	tell(c);
}

/* Up to `nr` from this place on, which do not reach beyond the last place. */
static int copy_events(const struct aio_context *c, uint32_t place, uint32_t nr, uptr to)
{
	struct io_event some[TAKE_AT_ONCE];

	if (user_read(some, place_at(c, place), nr * sizeof(some[0])) ||
		user_write(to, some, nr * sizeof(some[0])))
		return -EFAULT;
	return 0;
}

static int64_t take_locked(struct aio_context *c, uptr to, int64_t nr)
{
	uint32_t head, there, done = 0;
	int err = look(c, &head, &there);

	there = (uint32_t)MIN((int64_t)there, nr);
	while (!err && done < there) {
		uint32_t n = MIN(there - done, c->nr - head);

		n = MIN(n, (uint32_t)TAKE_AT_ONCE);
		err = copy_events(c, head, n, uptr_add(to, done * sizeof(struct io_event)));
		head = (head + n) % c->nr;
		done += n;
	}
	if (!err && done)
		err = user_put(word_at(c, offsetof(struct aio_ring, head)), head);
	return err ? -EFAULT : (int64_t)done;
}

int64_t aio_take(struct aio_context *c, uptr to, int64_t nr)
{
	int64_t n = -EINVAL;

	mutex_lock(&c->lock);
	if (!c->is_dead)
		n = take_locked(c, to, nr);
	mutex_unlock(&c->lock);
	return n;
}

/* ---- Life ---- */

static bool count(uint32_t nr)
{
	uint64_t old = atomic_load_relaxed(&aio_count);

	do {
		if (old + nr > READ_ONCE(aio_max))
			return false;
	} while (!atomic_cmpxchg(&aio_count, &old, old + nr));
	return true;
}

void aio_put(struct aio_context *c)
{
	if (refcount_put(&c->refs))
		mem_free(c);
}

/* Its process has it no more. */
static void die(struct aio_context *c)
{
	mutex_lock(&c->lock);
	c->is_dead = true;
	mutex_unlock(&c->lock);
	atomic_sub(&aio_count, (uint64_t)c->wanted);
	tell(c);
}

static int map_ring(struct aio_context *c)
{
	struct map_req req = {
		.size = c->size, .flags = VM_READ | VM_WRITE | VM_SHARED | VM_MAY_ALL};
	struct vmspace *vm = arch_current()->vm;
	const struct aio_ring ring = {.nr = c->nr,
		.magic = AIO_RING_MAGIC,
		.compat_features = 1,
		.header_length = sizeof(ring)};
	vaddr_t at;
	int err = pagecache_create_shared(c->size >> PAGE_SHIFT, &req.source);

	if (err)
		return err;
	err = vmspace_map(vm, &req, &at);
	req.source->ops->put(req.source); /* the region has its own */
	if (err)
		return err;
	c->at = at;
	err = user_write(UPTR(at), &ring, sizeof(ring));
	if (err)
		(void)!vmspace_unmap(vm, at, c->size);
	return err ? -ENOMEM : 0;
}

/* Linux: twice what was asked for, two more, and what the last page has room for. */
static int choose_size(struct aio_context *c, unsigned nr)
{
	unsigned places = MAX(nr, cpu_count() * (unsigned)PLACES_PER_CPU) * 2;

	if (places > BYTES_MAX / sizeof(struct io_event))
		return -EINVAL;
	if (!places || nr > READ_ONCE(aio_max))
		return -EAGAIN;
	c->wanted = nr;
	c->size = ALIGN_UP(
		sizeof(struct aio_ring) + (places + 2) * sizeof(struct io_event), PAGE_SIZE);
	c->nr = (uint32_t)((c->size - sizeof(struct aio_ring)) / sizeof(struct io_event));
	return 0;
}

static bool is_before(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return container_of(a, const struct aio_context, node)->at <
	       container_of(b, const struct aio_context, node)->at;
}

static int compare(const void *id, const struct rbtree_node *node)
{
	uint64_t at = container_of(node, const struct aio_context, node)->at;

	return *(const uint64_t *)id < at ? -1 : *(const uint64_t *)id > at;
}

int aio_create(unsigned nr, uint64_t *id)
{
	struct aio_context *c = mem_alloc(sizeof(*c), SLAB_ZERO);
	struct proc *p = proc_current();
	int err;

	if (!c)
		return -ENOMEM;
	refcount_init(&c->refs, 1);
	mutex_init(&c->lock, RANK_AIO, "aio");
	waitq_init(&c->waitq);
	err = choose_size(c, nr);
	if (!err && !count(c->wanted))
		err = -EAGAIN;
	if (err)
		goto free;
	err = map_ring(c);
	if (err)
		goto uncount;
	*id = c->at;
	irqlock_lock(&p->lock);
	rbtree_insert(&p->aio, &c->node, is_before);
	irqlock_unlock(&p->lock);
	return 0;

uncount:
	atomic_sub(&aio_count, (uint64_t)c->wanted);
free:
	mem_free(c);
	return err;
}

static struct aio_context *find_locked(const struct proc *p, uint64_t id)
{
	return rbtree_object(rbtree_find(&p->aio, &id, compare), struct aio_context, node);
}

int aio_get(uint64_t id, struct aio_context **out)
{
	struct proc *p = proc_current();

	irqlock_lock(&p->lock);
	*out = find_locked(p, id);
	if (*out)
		refcount_get(&(*out)->refs);
	irqlock_unlock(&p->lock);
	return *out ? 0 : -EINVAL;
}

int aio_destroy(uint64_t id)
{
	struct proc *p = proc_current();
	struct aio_context *c;

	irqlock_lock(&p->lock);
	c = find_locked(p, id);
	if (c)
		rbtree_erase(&p->aio, &c->node);
	irqlock_unlock(&p->lock);
	if (!c)
		return -EINVAL;
	die(c);
	(void)!vmspace_unmap(arch_current()->vm, c->at, c->size);
	/* man 2 io_destroy: blocks until they are completed; who is killed need not know */
	(void)!WAIT_EVENT(&c->waitq, WAIT_KILLABLE, WAIT_FOREVER, READ_ONCE(c->nr_begun) == 0);
	aio_put(c);
	return 0;
}

void aio_end(struct proc *p)
{
	while (UNLIKELY(!rbtree_is_empty(&p->aio))) {
		struct aio_context *c;

		irqlock_lock(&p->lock);
		c = rbtree_object(rbtree_first(&p->aio), struct aio_context, node);
		rbtree_erase(&p->aio, &c->node);
		irqlock_unlock(&p->lock);
		die(c);
		aio_put(c);
	}
}
