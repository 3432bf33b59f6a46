// SPDX-License-Identifier: MIT
/*
 * Contexts of native AIO.
 *
 * The ring lies in memory that both sides write: the program moves the head, we write events and the tail. What
 * we depend on, the tail and the number of places, is kept here; the head is taken modulo the places. Who spoils
 * his ring spoils his events. Its pages are ours, too: events come from any thread, and it may be unmapped.
 *
 * A context belongs to a process, and goes with its memory. It lives as long as somebody uses it. Who destroys
 * it cancels what waits, and waits until all requests are over.
 *
 * Locks   proc->lock [p]   which contexts a process has
 *         context->lock [c]  RANK_AIO: the ring, and what waits: files are asked and programs' memory is
 *         touched under it
 */
#include "ipc/aio.h"

#include "arch/cpu.h"
#include "lib/atomic.h"
#include "mm/page.h"
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
};

uint64_t aio_max = AIO_MAX_FIRST, aio_count;

/* ---- The ring ---- */

static struct aio_ring *ring_of(const struct aio_context *c)
{
	return page_to_virt(c->pages[0]);
}

/* An event lies in one page: it has 32 bytes, as what is before the first has. */
static struct io_event *place_of(const struct aio_context *c, uint32_t place)
{
	size_t at = sizeof(struct aio_ring) + place * sizeof(struct io_event);

	return (void *)((char *)page_to_virt(c->pages[at >> PAGE_SHIFT]) + at % PAGE_SIZE);
}

/* How many events are in it, from *head on. */
static uint32_t look(const struct aio_context *c, uint32_t *head)
{
	/* pairs with libaio's barrier: it has read the places, then moved the head */
	*head = atomic_load_acquire(&ring_of(c)->head) % c->nr;
	return (c->tail + c->nr - *head) % c->nr;
}

uint32_t aio_changes(const struct aio_context *c)
{
	return atomic_load(&c->changes);
}

static void tell(struct aio_context *c)
{
	atomic_add(&c->changes, 1);
	waitq_wake_all(&c->waitq, 0);
}

int aio_reserve(struct aio_context *c)
{
	uint32_t head;
	int err = 0;

	mutex_lock(&c->lock);
	if (c->is_dead)
		err = -EINVAL;
	else if (look(c, &head) + c->nr_begun >= c->nr - 1)
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

void aio_post_locked(struct aio_context *c, const struct io_event *e)
{
	c->nr_begun--;
	*place_of(c, c->tail) = *e;
	c->tail = (c->tail + 1) % c->nr;
	/* pairs with libaio's barrier: the tail, then the event before it */
	atomic_store_release(&ring_of(c)->tail, c->tail);
	tell(c);
}

void aio_post(struct aio_context *c, const struct io_event *e)
{
	mutex_lock(&c->lock);
	aio_post_locked(c, e);
	mutex_unlock(&c->lock);
}

/* How many from this place on do not reach beyond the last place, or their page. */
static uint32_t in_one_piece(const struct aio_context *c, uint32_t place, uint32_t nr)
{
	uintptr_t at = (uintptr_t)place_of(c, place) % PAGE_SIZE;

	nr = MIN(nr, c->nr - place);
	return MIN(nr, (uint32_t)((PAGE_SIZE - at) / sizeof(struct io_event)));
}

static int64_t take_locked(struct aio_context *c, uptr to, int64_t nr) MUST_HOLD(c->lock)
{
	uint32_t head, there = look(c, &head), done = 0;

	there = (uint32_t)MIN((int64_t)there, nr);
	while (done < there) {
		uint32_t n = in_one_piece(c, head, there - done);

		if (user_write(uptr_add(to, done * sizeof(struct io_event)), place_of(c, head),
			    n * sizeof(struct io_event)))
			return -EFAULT;
		head = (head + n) % c->nr;
		done += n;
	}
	if (done) /* pairs with libaio's look at it: the places are read */
		atomic_store_release(&ring_of(c)->head, head);
	return done;
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

static size_t nr_pages(const struct aio_context *c)
{
	return c->size >> PAGE_SHIFT;
}

static void free_context(struct aio_context *c)
{
	for (size_t i = 0; c->pages && i < nr_pages(c) && c->pages[i]; i++)
		page_put(c->pages[i]);
	mem_free(c->pages);
	mem_free(c);
}

void aio_put(struct aio_context *c)
{
	if (refcount_put(&c->refs))
		free_context(c);
}

static void end_waiting(struct aio_context *c)
{
	struct list over;

	list_init(&over);
	mutex_lock(&c->lock);
	c->is_dead = true;
	while (!list_is_empty(&c->waiting)) {
		struct aio_request *r = list_pop_head(&c->waiting, struct aio_request, link);

		if (r->type->cancel(r))
			list_add_tail(&over, &r->link);
	}
	mutex_unlock(&c->lock);
	while (!list_is_empty(&over)) {
		struct aio_request *r = list_pop_head(&over, struct aio_request, link);

		r->type->free(r);
	}
}

/* Its process has it no more. When it returns nothing waits in it. */
static void die(struct aio_context *c)
{
	end_waiting(c);
	atomic_sub(&aio_count, (uint64_t)c->wanted);
	tell(c);
	/* those that had been woken end by themselves */
	(void)!WAIT_EVENT(
		&c->waitq, WAIT_BOUNDED, WAIT_FOREVER, atomic_load(&c->nr_requests) == 0);
}

static int get_pages(struct aio_context *c, struct page_source *s)
{
	int err = 0;

	c->pages = mem_alloc(nr_pages(c) * sizeof(struct page *), SLAB_ZERO);
	if (!c->pages)
		return -ENOMEM;
	for (size_t i = 0; !err && i < nr_pages(c); i++)
		err = s->ops->get_page(s, i, true, &c->pages[i]);
	return err;
}

static int map_ring(struct aio_context *c)
{
	struct map_req req = {
		.size = c->size, .flags = VM_READ | VM_WRITE | VM_SHARED | VM_MAY_ALL};
	vaddr_t at;
	int err = pagecache_create_shared(nr_pages(c), &req.source);

	if (err)
		return err;
	err = get_pages(c, req.source);
	if (!err) {
		*ring_of(c) = (struct aio_ring){.nr = c->nr,
			.magic = AIO_RING_MAGIC,
			.compat_features = 1,
			.header_length = sizeof(struct aio_ring)};
		err = vmspace_map(arch_current()->vm, &req, &at);
	}
	req.source->ops->put(req.source); /* the region has its own */
	if (!err)
		c->at = at;
	return err;
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
	list_init(&c->waiting);
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
	free_context(c);
	return err;
}

static struct aio_context *find_locked(const struct proc *p, uint64_t id)
{
	return rbtree_object(rbtree_find(&p->aio, &id, compare), struct aio_context, node);
}

/* Linux looks there for its number: who has unmapped his ring has lost his context. */
static bool is_mapped(uint64_t id)
{
	uint32_t ignored;

	return !user_load32(&ignored, UPTR(id));
}

int aio_get(uint64_t id, struct aio_context **out)
{
	struct proc *p = proc_current();

	if (!is_mapped(id))
		return -EINVAL;
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

	if (!is_mapped(id))
		return -EINVAL;
	irqlock_lock(&p->lock);
	c = find_locked(p, id);
	if (c)
		rbtree_erase(&p->aio, &c->node);
	irqlock_unlock(&p->lock);
	if (!c)
		return -EINVAL;
	die(c);
	(void)!vmspace_unmap(arch_current()->vm, c->at, c->size);
	/* man 2 io_destroy: blocks until all are completed; who is killed need not know of calls */
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

/* ---- Requests that wait ---- */

void aio_request_init(struct aio_request *r, const struct aio_request_type *type,
	struct aio_context *c, const struct io_event *e)
{
	r->type = type;
	r->context = c;
	r->event = *e;
	list_node_init(&r->link);
	refcount_get(&c->refs);
	atomic_add(&c->nr_requests, 1);
}

void aio_request_fini(struct aio_request *r)
{
	struct aio_context *c = r->context;

	atomic_sub(&c->nr_requests, 1);
	tell(c);
	aio_put(c);
}

static struct aio_request *find_waiting(struct aio_context *c, uint64_t obj) MUST_HOLD(c->lock)
{
	list_for_each (r, &c->waiting, struct aio_request, link) {
		if (r->event.obj == obj)
			return r;
	}
	return NULL;
}

int aio_cancel(struct aio_context *c, uint64_t obj)
{
	struct aio_request *r;
	bool is_over = false;

	mutex_lock(&c->lock);
	r = find_waiting(c, obj);
	if (r) {
		list_remove(&r->link);
		is_over = r->type->cancel(r);
	}
	mutex_unlock(&c->lock);
	if (is_over)
		r->type->free(r);
	return r ? -EINPROGRESS : -EINVAL;
}
