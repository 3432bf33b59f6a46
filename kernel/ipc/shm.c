// SPDX-License-Identifier: MIT
/*
 * System V shared memory: segments, and how often they are attached.
 *
 * A segment is a page cache with an id. Each region that maps it counts as one attach, as on Linux: mm tells of
 * regions that come and go (page_source_ops.attach, detach), so that fork, exec, exit and munmap of a part
 * need nothing of their own here.
 *
 *     shmget -> in the table -> shmctl(IPC_RMID) -> no key, SHM_DEST -> last detach -> out of the table
 *                    |                 nobody has it attached ----------------^
 *                    +-- is_forced: last detach, or its maker's end ----------^
 *
 * Out of the table it has no id, and nobody maps it; its pages go with the last reference, which may be that of
 * somebody who looks at regions (/proc/PID/maps).
 *
 * Locks   space->table.lock [L]   a segment's facts; taken inside of vm->lock by attach and detach
 * Spec    man 2 shmget, shmop, shmctl; man 5 proc for kernel.shm*; Linux 6.1 where they say nothing
 *
 * Rejected: a file of tmpfs for each, as Linux has it. It would be an inode, a dentry and an open file
 * for every attach, to answer what a page cache answers.
 */
#include "ipc/shm.h"

#include <linux/capability.h>
#include <asm/mman.h>
#include <linux/resource.h>

#include "abi/shm.h"
#include "ipc/ipc_ns.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/fmt.h"
#include "mm/commit.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "time/clock.h"

/*
 * Linux's huge pages, of which none are set aside: their default size, which is also the one that can be named,
 * and who may have them (vm.hugetlb_shm_group).
 */
enum { HUGE_SHIFT = 21, HUGE_GROUP = 0 };
/* Linux: the internal tmpfs; the first anonymous number, as of shared anonymous memory. */
enum { SHARED_DEVICE = 1 };

struct segment {
	struct sysv_object object;
	struct shm_space *space; /* [I] */
	refcount refs;           /* [a] the table's, and of each who has its source */
	struct pagecache cache;
	size_t size;          /* [I] bytes, as they were asked for */
	uint64_t nr_promised; /* [I] pages accounted as a whole; 0: each as it comes */
	int name;             /* [I] the key that it was made with */
	bool is_removed;      /* [L] SHM_DEST */
	uint64_t nr_attached; /* [L] */
	int64_t attach_time, detach_time, change_time; /* [L] seconds; 0: never */
	int creator_pid;                               /* [I] */
	int last_pid;                                  /* [L] */
	struct uthread *maker; /* [L] to be compared; NULL: it has ended */
	struct user *locker;   /* [L] who locked it, with a reference; NULL: it is not */
};

struct ipc_ns ipc_ns_root;

void ipc_ns_init(void)
{
	shm_space_init(&ipc_ns_root.shm);
}

struct ipc_ns *ipc_ns_current(void)
{
	return uthread_current()->ipc_ns;
}

void shm_space_init(struct shm_space *s)
{
	sysv_table_init(&s->table, "shared memory");
	s->max_bytes = s->max_pages = SHM_LIMIT;
	s->max_segments = SHM_SEGMENTS;
}

static struct segment *segment_of(struct sysv_object *o)
{
	return container_of(o, struct segment, object);
}

static struct segment *segment_at(struct page_source *s)
{
	return container_of(s, struct segment, cache.source);
}

static uint64_t pages_of(const struct segment *g)
{
	return DIV_ROUND_UP(g->size, PAGE_SIZE);
}

static int64_t now(void)
{
	return clock_realtime_ns() / (int64_t)NS_PER_SEC;
}

/* 0: a kernel thread, which may be the last to leave an address space. */
static int current_pid(void)
{
	const struct uthread *u = uthread_current();

	return u ? u->pid_nr : 0;
}

/* ---- Life ---- */

static void unlock_memory(struct segment *g)
{
	if (!g->locker)
		return;
	user_uncharge_nr(g->locker, USER_LOCKED_SEGMENTS, pages_of(g));
	user_release(g->locker);
	g->locker = NULL;
}

static void segment_put(struct segment *g)
{
	if (!refcount_put(&g->refs))
		return;
	debug_assert(!g->nr_attached && !g->locker);
	pagecache_fini(&g->cache);
	vm_uncommit(g->nr_promised);
	mem_free(g);
}

/*
 * Out of the table if nobody has it any more. The caller puts what it returns, with the lock given back: then all
 * its pages go.
 */
static struct segment *remove_unused_locked(struct shm_space *s, struct segment *g)
	MUST_HOLD(s->table.lock)
{
	if (g->nr_attached || !(g->is_removed || READ_ONCE(s->is_forced)))
		return NULL;
	sysv_remove_locked(&s->table, &g->object);
	s->total_pages -= pages_of(g);
	unlock_memory(g);
	return g;
}

static void put_if(struct segment *g)
{
	if (g)
		segment_put(g);
}

/* ---- Its pages ---- */

static int charge(struct pagecache *pc UNUSED, uint64_t nr)
{
	return vm_commit(nr) ? -ENOSPC : 0; /* as tmpfs */
}

static void uncharge(struct pagecache *pc UNUSED, uint64_t nr)
{
	vm_uncommit(nr);
}

/* SHM_NORESERVE: promised one by one. */
static const struct pagecache_ops unreserved_ops = {.charge = charge, .uncharge = uncharge};

static void source_get(struct page_source *s)
{
	refcount_get(&segment_at(s)->refs);
}

static void source_put(struct page_source *s)
{
	segment_put(segment_at(s));
}

static void source_attach(struct page_source *s)
{
	struct segment *g = segment_at(s);

	mutex_lock(&g->space->table.lock);
	g->nr_attached++;
	g->attach_time = now();
	g->last_pid = current_pid();
	mutex_unlock(&g->space->table.lock);
}

static void source_detach(struct page_source *source)
{
	struct segment *g = segment_at(source), *gone;
	struct shm_space *s = g->space;

	mutex_lock(&s->table.lock);
	g->nr_attached--;
	g->detach_time = now();
	g->last_pid = current_pid();
	gone = remove_unused_locked(s, g);
	mutex_unlock(&s->table.lock);
	put_if(gone); /* the region still has its reference */
}

static int source_punch(struct page_source *s, uint64_t first, uint64_t nr)
{
	return pagecache_punch(&segment_at(s)->cache, (int64_t)(first << PAGE_SHIFT),
		(int64_t)((first + nr) << PAGE_SHIFT));
}

static int source_describe(
	struct page_source *s, char *path, size_t size, uint32_t *dev, uint64_t *ino)
{
	const struct segment *g = segment_at(s);

	*dev = SHARED_DEVICE;
	*ino = (unsigned)g->object.id;
	return snformat(path, size, "/SYSV%08x (deleted)", (unsigned)g->name) < size
		       ? 0
		       : -ENAMETOOLONG;
}

static const struct page_source_ops source_ops = {
	.get_page = pagecache_source_get_page,
	.find_pages = pagecache_source_find_pages,
	.punch = source_punch,
	.get = source_get,
	.put = source_put,
	.attach = source_attach,
	.detach = source_detach,
	.describe = source_describe,
};

/* ---- shmget ---- */

/* Linux without huge pages: who may not have them is told so, and the others that there are none. */
static int refuse_huge(unsigned flags)
{
	unsigned shift = flags >> SHM_HUGE_SHIFT & SHM_HUGE_MASK;

	if (shift && shift != HUGE_SHIFT)
		return -EINVAL;
	return capable(CAP_IPC_LOCK) || cred_in_group(cred_current(), HUGE_GROUP) ? -ENOMEM
										  : -EPERM;
}

static int segment_create(
	struct shm_space *s, size_t size, unsigned flags, struct segment **out)
{
	bool is_reserved =
		!(flags & SHM_NORESERVE) || READ_ONCE(vm_overcommit_mode) == OVERCOMMIT_NEVER;
	uint64_t pages = DIV_ROUND_UP(size, PAGE_SIZE);
	struct segment *g;

	if (flags & SHM_HUGETLB)
		return refuse_huge(flags);
	if (size > INT64_MAX)
		return -EINVAL; /* as of a file */
	if (is_reserved && vm_commit(pages))
		return -ENOMEM;
	g = mem_alloc(sizeof(*g), SLAB_ZERO);
	if (!g) {
		vm_uncommit(is_reserved ? pages : 0);
		return -ENOMEM;
	}
	g->space = s;
	refcount_init(&g->refs, 1);
	pagecache_init(&g->cache, &source_ops, is_reserved ? NULL : &unreserved_ops, NULL);
	g->cache.size = (int64_t)size;
	g->size = size;
	g->nr_promised = is_reserved ? pages : 0;
	g->change_time = now();
	g->creator_pid = current_pid();
	*out = g;
	return 0;
}

static int make_locked(struct shm_space *s, int key, size_t size, unsigned flags)
	MUST_HOLD(s->table.lock)
{
	struct uthread *me = uthread_current();
	uint64_t pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	struct segment *g;
	int err;

	if (size < SHM_SIZE_MIN || size > atomic_load_relaxed(&s->max_bytes))
		return -EINVAL;
	if (pages << PAGE_SHIFT < size || s->total_pages + pages < pages ||
		s->total_pages + pages > atomic_load_relaxed(&s->max_pages))
		return -ENOSPC;
	err = segment_create(s, size, flags, &g);
	if (err)
		return err;
	err = sysv_add_locked(
		&s->table, &g->object, key, flags, atomic_load_relaxed(&s->max_segments));
	if (err) {
		segment_put(g);
		return err;
	}
	g->name = key;
	g->maker = me->as ? me->as : me;
	WRITE_ONCE(g->maker->has_made_segments, true);
	s->total_pages += pages;
	return g->object.id;
}

static int get_locked(struct shm_space *s, int key, size_t size, unsigned flags)
	MUST_HOLD(s->table.lock)
{
	struct sysv_object *o;
	int err = sysv_look_up_locked(&s->table, key, flags, &o);

	if (err)
		return err;
	if (!o)
		return make_locked(s, key, size, flags);
	if (segment_of(o)->size < size)
		return -EINVAL;
	err = sysv_check_rights(o, flags & SYSV_RIGHTS);
	return err ? err : o->id;
}

int shm_get(struct shm_space *s, int key, size_t size, unsigned flags)
{
	int result;

	mutex_lock(&s->table.lock);
	result = get_locked(s, key, size, flags);
	mutex_unlock(&s->table.lock);
	return result;
}

/* ---- shmat, shmdt ---- */

/* Holds it as if it were attached, so that it stays while it is mapped. */
static int hold(struct shm_space *s, int id, unsigned rights, struct segment **out)
{
	struct sysv_object *o;
	int err;

	mutex_lock(&s->table.lock);
	err = sysv_find_allowed_locked(&s->table, id, rights, &o);
	if (!err) {
		*out = segment_of(o);
		(*out)->nr_attached++;
	}
	mutex_unlock(&s->table.lock);
	return err;
}

static void let_go(struct shm_space *s, struct segment *g)
{
	struct segment *gone;

	mutex_lock(&s->table.lock);
	g->nr_attached--;
	gone = remove_unused_locked(s, g);
	mutex_unlock(&s->table.lock);
	put_if(gone);
}

int shm_attach(struct shm_space *s, int id, struct map_req *req, unsigned rights, vaddr_t *out)
{
	struct segment *g;
	int err = hold(s, id, rights, &g);

	if (err)
		return err;
	req->size = g->size;
	req->source = &g->cache.source;
	if ((req->map_flags & MAP_FIXED_NOREPLACE) && req->addr + g->size < req->addr)
		err = -EINVAL;
	else
		err = vmspace_map(arch_current()->vm, req, out);
	let_go(s, g);
	return err == -EEXIST ? -EINVAL : err; /* man 2 shmat: an address that is taken */
}

int shm_detach(struct vmspace *vm, vaddr_t at)
{
	return IS_ALIGNED(at, PAGE_SIZE) ? vmspace_unmap_source(vm, at, &source_ops) : -EINVAL;
}

/* ---- shmctl ---- */

int shm_remove(struct shm_space *s, int id)
{
	struct segment *gone = NULL;
	struct sysv_object *o;
	int err;

	mutex_lock(&s->table.lock);
	err = sysv_find_owned_locked(&s->table, id, CAP_SYS_ADMIN, &o);
	if (!err) {
		segment_of(o)->is_removed = true;
		sysv_forget_key_locked(&s->table, o);
		gone = remove_unused_locked(s, segment_of(o));
	}
	mutex_unlock(&s->table.lock);
	put_if(gone);
	return err;
}

int shm_set(struct shm_space *s, int id, uint32_t uid, uint32_t gid, uint32_t rights)
{
	struct sysv_object *o;
	int err;

	mutex_lock(&s->table.lock);
	err = sysv_find_owned_locked(&s->table, id, CAP_SYS_ADMIN, &o);
	if (!err)
		err = sysv_set_owner(o, uid, gid, rights);
	if (!err)
		segment_of(o)->change_time = now();
	mutex_unlock(&s->table.lock);
	return err;
}

/* Nothing is swapped here: what is locked counts, and is where it is in any case. */
static int lock_memory(struct segment *g)
{
	bool may_lock = capable(CAP_IPC_LOCK);
	uint64_t limit = proc_rlimit(RLIMIT_MEMLOCK);
	struct user *u;

	if (!may_lock && !limit)
		return -EPERM;
	if (g->locker)
		return 0;
	u = user_get_current();
	if (!user_charge_nr(u, USER_LOCKED_SEGMENTS, pages_of(g),
		    may_lock ? UINT64_MAX : limit >> PAGE_SHIFT)) {
		user_release(u);
		return -ENOMEM;
	}
	g->locker = u;
	return 0;
}

int shm_lock(struct shm_space *s, int id, bool is_locked)
{
	struct sysv_object *o;
	int err;

	mutex_lock(&s->table.lock);
	err = sysv_find_owned_locked(&s->table, id, CAP_IPC_LOCK, &o);
	if (!err && is_locked)
		err = lock_memory(segment_of(o));
	else if (!err)
		unlock_memory(segment_of(o));
	mutex_unlock(&s->table.lock);
	return err;
}

static void get_facts(const struct segment *g, struct shm_facts *out)
{
	*out = (struct shm_facts){.id = g->object.id,
		.key = g->object.key,
		.uid = g->object.uid,
		.gid = g->object.gid,
		.cuid = g->object.cuid,
		.cgid = g->object.cgid,
		.mode = g->object.rights | (g->is_removed ? SHM_DEST : 0) |
			(g->locker ? SHM_LOCKED : 0),
		.size = g->size,
		.resident_pages = READ_ONCE(g->cache.nr_pages),
		.nr_attached = g->nr_attached,
		.attach_time = g->attach_time,
		.detach_time = g->detach_time,
		.change_time = g->change_time,
		.creator_pid = g->creator_pid,
		.last_pid = g->last_pid};
}

int shm_stat(struct shm_space *s, int id, enum shm_by by, struct shm_facts *out)
{
	struct sysv_object *o;
	int err = -EINVAL;

	mutex_lock(&s->table.lock);
	o = by == SHM_BY_ID ? sysv_find_locked(&s->table, id)
			    : sysv_find_index_locked(&s->table, id);
	if (o)
		err = by == SHM_BY_INDEX_ANY ? 0 : sysv_check_rights(o, 0444);
	if (!err)
		get_facts(segment_of(o), out);
	mutex_unlock(&s->table.lock);
	return err;
}

bool shm_next(struct shm_space *s, uint64_t *index, struct shm_facts *out)
{
	struct sysv_object *o;

	mutex_lock(&s->table.lock);
	o = sysv_next_locked(&s->table, index);
	if (o)
		get_facts(segment_of(o), out);
	mutex_unlock(&s->table.lock);
	return o != NULL;
}

void shm_get_usage(struct shm_space *s, struct shm_usage *out)
{
	struct sysv_object *o;

	*out = (struct shm_usage){0};
	mutex_lock(&s->table.lock);
	for (uint64_t i = 0; (o = sysv_next_locked(&s->table, &i)) != NULL; i++)
		out->resident_pages += READ_ONCE(segment_of(o)->cache.nr_pages);
	out->nr = s->table.nr;
	out->highest_index = sysv_highest_index_locked(&s->table);
	out->total_pages = s->total_pages;
	mutex_unlock(&s->table.lock);
}

/* ---- Settings, and segments without a maker ---- */

/*
 * Those that `maker` made have no maker from now on; NULL: those that have none are looked at again. With
 * is_forced they go if nobody has them. One at a time: pages are given back without the lock.
 */
static void disown(struct shm_space *s, const struct uthread *maker)
{
	struct segment *gone;
	uint64_t index = 0;

	do {
		struct sysv_object *o;

		gone = NULL;
		mutex_lock(&s->table.lock);
		for (; !gone && (o = sysv_next_locked(&s->table, &index)) != NULL; index++) {
			struct segment *g = segment_of(o);

			if (g->maker != maker)
				continue;
			g->maker = NULL;
			gone = remove_unused_locked(s, g);
		}
		mutex_unlock(&s->table.lock);
		put_if(gone);
	} while (gone);
}

void shm_leave(struct uthread *u)
{
	if (READ_ONCE(u->has_made_segments))
		disown(&u->ipc_ns->shm, u);
}

void shm_set_forced(struct shm_space *s, bool is_forced)
{
	WRITE_ONCE(s->is_forced, is_forced);
	if (is_forced)
		disown(s, NULL);
}

int shm_get_wanted_id(struct shm_space *s)
{
	return READ_ONCE(s->table.wanted_id);
}

void shm_set_wanted_id(struct shm_space *s, int id)
{
	mutex_lock(&s->table.lock);
	s->table.wanted_id = id;
	mutex_unlock(&s->table.lock);
}
