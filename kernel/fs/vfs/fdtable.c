// SPDX-License-Identifier: MIT
/*
 * Descriptor tables.
 *
 *     table -> array -> files[fd], and two bitmaps: in use (or reserved), close-on-exec
 *
 * Who changes a table is one of the threads that hold it; others (proc, pidfd_getfd) only look.
 * With one holder (refs == 1) nothing can change under the current thread's system call:
 * fd_borrow then takes no reference and fd_reserve and fd_install no lock. A second holder
 * appears only by a clone of that very thread, or as a looker, who always takes the lock.
 *
 * With several, lookups run under RCU: load the file, try to get a reference, look again. A file
 * taken out of such a table is marked FILE_RCU_FREE, so that its memory outlasts lookups under
 * way; out of a table with one holder it is not, and most files never wait for a grace period.
 *
 * The first 64 numbers lie in the table's own memory. Larger arrays replace the old one, which
 * RCU frees, because lookups may be in it.
 *
 * Locks   t->lock  RANK_FD
 */
#include "fs/vfs/fdtable_priv.h"

#include "fs/vfs/inode.h"
#include "fs/vfs/locks.h"
#include "fs/vfs/notify.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"

enum {
	FIRST_SIZE = 64,
	MAX_SIZE = 1 << 18, /* an array is one piece of memory, at most 4 MiB */
	CLOSE_BATCH = 32,
};

static size_t array_bytes(unsigned size)
{
	return sizeof(struct fdarray) + size * sizeof(struct file *) + size / 4;
}

static void array_init(struct fdarray *a, unsigned size)
{
	a->size = size;
	a->open = (uint64_t *)&a->files[size];
	a->cloexec = a->open + size / 64;
}

static bool is_shared(struct fdtable *t)
{
	return refcount_read(&t->refs) != 1;
}

static struct fdarray *first_array(struct fdtable *t)
{
	return (struct fdarray *)(t + 1);
}

static void free_array(struct rcu_head *head)
{
	mem_free(container_of(head, struct fdarray, rcu));
}

/* ---- Tables ---- */

int fdtable_create(struct fdtable **out)
{
	struct fdtable *t = mem_alloc(sizeof(*t) + array_bytes(FIRST_SIZE), SLAB_ZERO);

	if (!t)
		return -ENOMEM;
	refcount_init(&t->refs, 1);
	irqlock_init(&t->lock, RANK_FD, "descriptors");
	t->array = first_array(t);
	array_init(t->array, FIRST_SIZE);
	*out = t;
	return 0;
}

static unsigned highest_used(const struct fdarray *a)
{
	for (unsigned w = a->size / 64; w-- > 0;)
		if (a->open[w])
			return w * 64 + 63;
	return 0;
}

/* Room for number fd. Nothing held; a looker may hold the lock meanwhile. */
static int grow(struct fdtable *t, unsigned fd)
{
	struct fdarray *a, *old;
	unsigned size = FIRST_SIZE;

	while (size <= fd)
		size *= 2;
	if (size > MAX_SIZE)
		return -EMFILE;
	a = mem_alloc(array_bytes(size), SLAB_ZERO);
	if (!a)
		return -ENOMEM;
	array_init(a, size);
	irqlock_lock(&t->lock);
	old = t->array;
	if (old->size >= size) { /* another thread was faster */
		irqlock_unlock(&t->lock);
		mem_free(a);
		return 0;
	}
	memcpy(a->files, old->files, old->size * sizeof(struct file *));
	memcpy(a->open, old->open, old->size / 8);
	memcpy(a->cloexec, old->cloexec, old->size / 8);
	rcu_publish(t->array, a); /* pairs with the rcu_load in lookups */
	irqlock_unlock(&t->lock);
	if (old != first_array(t))
		rcu_call(&old->rcu, free_array);
	return 0;
}

/* The numbers that refer to files, without those only reserved. */
static void copy_locked(struct fdtable *to, struct fdtable *from) MUST_HOLD(from->lock)
{
	const struct fdarray *a = from->array;
	struct fdarray *b = to->array;

	for (unsigned w = 0; w < MIN(a->size, b->size) / 64; w++) {
		for (uint64_t bits = a->open[w]; bits; bits &= bits - 1) {
			unsigned fd = w * 64 + (unsigned)__builtin_ctzll(bits);

			if (!a->files[fd])
				continue;
			file_get(a->files[fd]);
			b->files[fd] = a->files[fd];
			bitmap_set(b->open, fd);
		}
		b->cloexec[w] = a->cloexec[w] & b->open[w];
	}
	to->first_free = 0;
}

int fdtable_copy(struct fdtable *from, struct fdtable **out)
{
	struct fdtable *t;
	int err;

	err = fdtable_create(&t);
	if (err)
		return err;
	for (;;) {
		unsigned highest;

		irqlock_lock(&from->lock);
		highest = highest_used(from->array);
		if (highest < t->array->size) {
			copy_locked(t, from);
			irqlock_unlock(&from->lock);
			*out = t;
			return 0;
		}
		irqlock_unlock(&from->lock);
		err = grow(t, highest);
		if (err) {
			fdtable_put(t);
			return err;
		}
	}
}

void fdtable_get(struct fdtable *t)
{
	refcount_get(&t->refs);
}

static void close_file(struct file *f, const struct fdtable *t)
{
	if (f->ops->flush)
		f->ops->flush(f);
	if (UNLIKELY(atomic_load_relaxed(&f->inode->locks)))
		locks_descriptor_closed(f, t);
	notify_closed(f, t);
	file_put(f);
}

void fdtable_put(struct fdtable *t)
{
	struct fdarray *a = t->array;

	if (!refcount_put(&t->refs))
		return;
	for (unsigned w = 0; w < a->size / 64; w++)
		for (uint64_t bits = a->open[w]; bits; bits &= bits - 1) {
			struct file *f = a->files[w * 64 + (unsigned)__builtin_ctzll(bits)];

			if (f)
				close_file(f, t);
		}
	if (a != first_array(t))
		mem_free(a);
	mem_free(t);
}

/* ---- Lookups ---- */

static struct file *get_locked(struct fdtable *t, unsigned fd)
{
	struct file *f;

	irqlock_lock(&t->lock);
	f = fd < t->array->size ? t->array->files[fd] : NULL;
	if (f)
		file_get(f);
	irqlock_unlock(&t->lock);
	return f;
}

/* One look. NULL with *again: the number was closed, and perhaps given to another file, meanwhile. */
static inline struct file *look_rcu(struct fdtable *t, unsigned fd, bool *again)
{
	struct fdarray *a;
	struct file *f;

	rcu_read_lock();
	a = rcu_load(t->array);
	f = LIKELY(fd < a->size) ? rcu_load(a->files[fd]) : NULL;
	*again = f && UNLIKELY(!refcount_try_get(&f->refs));
	if (!f || *again) {
		rcu_read_unlock();
		return NULL;
	}
	*again = UNLIKELY(rcu_load(t->array) != a || rcu_load(a->files[fd]) != f);
	rcu_read_unlock();
	return f;
}

/* The rare case has a function of its own, so that the other one keeps no registers for it. */
static NOINLINE struct file *look_rcu_again(struct fdtable *t, unsigned fd, struct file *f)
{
	bool again;

	do {
		if (f)
			file_put(f);
		f = look_rcu(t, fd, &again);
	} while (again);
	return f;
}

struct file *fdtable_get_rcu(struct fdtable *t, unsigned fd)
{
	bool again;
	struct file *f = look_rcu(t, fd, &again);

	return LIKELY(!again) ? f : look_rcu_again(t, fd, f);
}

/* A fiber may have been given files that no table names (FD_GIVEN). */
static NOINLINE struct borrowed_file borrow_given(unsigned fd)
{
	struct borrowed_file b = {0};

	if (fd - FD_GIVEN < FDS_GIVEN)
		b.file = uthread_current()->given[fd - FD_GIVEN];
	return b;
}

/* What a number means in the table of the current thread alone. */
static inline struct file *look(const struct fdtable *t, unsigned fd)
{
	const struct fdarray *a = t->array;

	return LIKELY(fd < a->size) ? a->files[fd] : NULL;
}

static inline struct borrowed_file borrow(struct fdtable *t, unsigned fd)
{
	struct borrowed_file b;

	if (LIKELY(!is_shared(t))) {
		b.file = look(t, fd);
		b.is_counted = false;
	} else {
		b.file = fdtable_get_rcu(t, fd);
		b.is_counted = b.file != NULL;
	}
	return LIKELY(b.file) ? b : borrow_given(fd);
}

struct borrowed_file fd_borrow(int fd)
{
	struct borrowed_file b = borrow(uthread_current()->files, (unsigned)fd);

	if (UNLIKELY(b.file && b.file->mode & FILE_PATH)) {
		fd_release(b);
		b = (struct borrowed_file){0};
	}
	return b;
}

struct borrowed_file fd_borrow_path(int fd)
{
	return borrow(uthread_current()->files, (unsigned)fd);
}

static NOINLINE struct file *get_given(unsigned fd)
{
	struct file *f = borrow_given(fd).file;

	if (f)
		file_get(f);
	return f;
}

/* The current thread's own, with a reference. */
static inline struct file *get_own(struct fdtable *t, unsigned fd)
{
	struct file *f;

	if (is_shared(t)) {
		f = fdtable_get_rcu(t, fd);
	} else {
		f = look(t, fd);
		if (f)
			file_get(f);
	}
	return LIKELY(f) ? f : get_given(fd);
}

int fd_get_file(struct fdtable *t, int fd, bool allow_path, struct file **out)
{
	struct uthread *u = uthread_current();
	struct file *f = LIKELY(u && t == u->files) ? get_own(t, (unsigned)fd)
						    : get_locked(t, (unsigned)fd);

	if (!f)
		return -EBADF;
	if (f->mode & FILE_PATH && !allow_path) {
		file_put(f);
		return -EBADF;
	}
	*out = f;
	return 0;
}

/* ---- Numbers ---- */

/* The lowest free number at or after `at`, within the array; its size when there is none. */
static inline size_t find_free(const struct fdarray *a, size_t at)
{
	uint64_t free = ~a->open[at / 64] & ~0ull << at % 64;

	if (LIKELY(free))
		return ALIGN_DOWN(at, (size_t)64) + (size_t)__builtin_ctzll(free);
	return bitmap_find_zero(a->open, a->size, at);
}

/* Takes the lowest number, or says which was too large for the array. */
static int reserve_locked(struct fdtable *t, unsigned min, uint64_t limit, unsigned *fd)
{
	struct fdarray *a = t->array;
	size_t at = MAX(min, t->first_free);

	at = LIKELY(at < a->size) ? find_free(a, at) : at;
	*fd = (unsigned)at;
	if (at >= limit)
		return -EMFILE;
	if (at >= a->size)
		return -EAGAIN;
	bitmap_set(a->open, at);
	bitmap_clear(a->cloexec, at);
	if (min <= t->first_free)
		t->first_free = (unsigned)at + 1;
	return 0;
}

/* No number of the table: the file is for who takes it. */
static int reserve_taken(int *fd)
{
	struct uthread *u = uthread_current();

	for (int i = 0; i < FDS_TAKEN; i++) {
		if (u->nr_reserved & 1u << i)
			continue;
		u->nr_reserved |= 1u << i;
		*fd = FD_TAKEN + i;
		return 0;
	}
	return -EMFILE;
}

int fd_reserve(struct fdtable *t, int min, uint64_t limit, int *fd)
{
	unsigned at;
	int err;

	if (UNLIKELY(is_shared(t) && uthread_current() && uthread_current()->takes_files))
		return reserve_taken(fd);
	limit = MIN(limit, (uint64_t)INT32_MAX);
	for (;;) {
		if (LIKELY(!is_shared(t))) {
			err = reserve_locked(t, (unsigned)min, limit, &at);
		} else {
			irqlock_lock(&t->lock);
			err = reserve_locked(t, (unsigned)min, limit, &at);
			irqlock_unlock(&t->lock);
		}
		if (err != -EAGAIN)
			break;
		err = grow(t, at);
		if (err)
			return err;
	}
	if (!err)
		*fd = (int)at;
	return err;
}

static void release_number(struct fdtable *t, unsigned fd)
{
	bitmap_clear(t->array->open, fd);
	if (fd < t->first_free)
		t->first_free = fd;
}

void fd_unreserve(struct fdtable *t, int fd)
{
	if (UNLIKELY(fd >= FD_TAKEN)) {
		uthread_current()->nr_reserved &= ~(1u << (fd - FD_TAKEN));
		return;
	}
	irqlock_lock(&t->lock);
	debug_assert(!t->array->files[fd]);
	release_number(t, (unsigned)fd);
	irqlock_unlock(&t->lock);
}

/* Locks only a table that others see. */
void fd_install(struct fdtable *t, int fd, struct file *f, bool close_on_exec) NOT_ANALYSED
{
	bool lock = is_shared(t);

	if (UNLIKELY(fd >= FD_TAKEN)) {
		uthread_current()->taken[fd - FD_TAKEN] = f;
		return;
	}
	if (UNLIKELY(lock))
		irqlock_lock(&t->lock);
	debug_assert(bitmap_test(t->array->open, (size_t)fd) && !t->array->files[fd]);
	if (close_on_exec)
		bitmap_set(t->array->cloexec, (size_t)fd);
	rcu_publish(t->array->files[fd], f);
	if (UNLIKELY(lock))
		irqlock_unlock(&t->lock);
}

/* The file leaves the slot; lookups without a lock may still be at it if the table is shared. */
static struct file *take_out(struct fdtable *t, unsigned fd) MUST_HOLD(t->lock)
{
	struct file *f = fd < t->array->size ? t->array->files[fd] : NULL;

	if (!f)
		return NULL;
	if (is_shared(t))
		atomic_or(&f->mode, (uint32_t)FILE_RCU_FREE);
	atomic_store_release(
		&t->array->files[fd], NULL); /* pairs with the rcu_load in fdtable_get_rcu */
	return f;
}

int fd_close(struct fdtable *t, int fd)
{
	struct file *f;

	irqlock_lock(&t->lock);
	f = take_out(t, (unsigned)fd);
	if (f)
		release_number(t, (unsigned)fd);
	irqlock_unlock(&t->lock);
	if (!f)
		return -EBADF;
	close_file(f, t);
	return 0;
}

int fd_replace(struct fdtable *t, int fd, struct file *f, uint64_t limit, bool close_on_exec)
{
	struct file *old = NULL;
	int err = 0;

	if (fd < 0 || (uint64_t)fd >= limit)
		return -EBADF;
	irqlock_lock(&t->lock);
	while ((unsigned)fd >= t->array->size) {
		irqlock_unlock(&t->lock);
		err = grow(t, (unsigned)fd);
		if (err)
			return err;
		irqlock_lock(&t->lock);
	}
	old = take_out(t, (unsigned)fd);
	if (!old && bitmap_test(t->array->open, (size_t)fd)) {
		err = -EBUSY; /* man 2 dup2: being opened by another thread */
	} else {
		bitmap_set(t->array->open, (size_t)fd);
		if (close_on_exec)
			bitmap_set(t->array->cloexec, (size_t)fd);
		else
			bitmap_clear(t->array->cloexec, (size_t)fd);
		rcu_publish(t->array->files[fd], f);
	}
	irqlock_unlock(&t->lock);
	if (old)
		close_file(old, t);
	return err;
}

/* ---- Close-on-exec, and closing many ---- */

int fd_get_cloexec(struct fdtable *t, int fd, bool *on)
{
	int err = -EBADF;

	irqlock_lock(&t->lock);
	if ((unsigned)fd < t->array->size && t->array->files[fd]) {
		*on = bitmap_test(t->array->cloexec, (size_t)fd);
		err = 0;
	}
	irqlock_unlock(&t->lock);
	return err;
}

int fd_set_cloexec(struct fdtable *t, int fd, bool on)
{
	int err = -EBADF;

	irqlock_lock(&t->lock);
	if ((unsigned)fd < t->array->size && t->array->files[fd]) {
		if (on)
			bitmap_set(t->array->cloexec, (size_t)fd);
		else
			bitmap_clear(t->array->cloexec, (size_t)fd);
		err = 0;
	}
	irqlock_unlock(&t->lock);
	return err;
}

/* Closes what lies in [*first, last], and on exec only what is marked; a batch at a time. */
static void close_many(struct fdtable *t, unsigned first, unsigned last, bool only_marked)
{
	struct file *batch[CLOSE_BATCH];
	unsigned n;

	do {
		const struct fdarray *a;

		n = 0;
		irqlock_lock(&t->lock);
		a = t->array;
		for (size_t fd = first; n < CLOSE_BATCH; fd++) {
			struct file *f;

			fd = bitmap_find_one(only_marked ? a->cloexec : a->open, a->size, fd);
			if (fd >= a->size || fd > last)
				break;
			first = (unsigned)fd + 1;
			f = take_out(t, (unsigned)fd);
			if (!f)
				continue;
			bitmap_clear(a->cloexec, fd);
			release_number(t, (unsigned)fd);
			batch[n++] = f;
		}
		irqlock_unlock(&t->lock);
		for (unsigned i = 0; i < n; i++)
			close_file(batch[i], t);
	} while (n == CLOSE_BATCH);
}

void fdtable_close_on_exec(struct fdtable *t)
{
	close_many(t, 0, UINT32_MAX, true);
}

void fdtable_close_range(struct fdtable *t, unsigned first, unsigned last, bool cloexec_only)
{
	if (!cloexec_only) {
		close_many(t, first, last, false);
		return;
	}
	irqlock_lock(&t->lock);
	if (first < t->array->size) {
		last = MIN(last, t->array->size - 1);
		for (unsigned fd = first; fd <= last; fd++)
			if (t->array->files[fd])
				bitmap_set(t->array->cloexec, fd);
	}
	irqlock_unlock(&t->lock);
}

int fdtable_next(struct fdtable *t, int fd)
{
	int found = -1;

	irqlock_lock(&t->lock);
	for (size_t at = (size_t)MAX(fd, 0); at < t->array->size; at++) {
		at = bitmap_find_one(t->array->open, t->array->size, at);
		if (at < t->array->size && t->array->files[at]) {
			found = (int)at;
			break;
		}
	}
	irqlock_unlock(&t->lock);
	return found;
}
