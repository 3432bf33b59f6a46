// SPDX-License-Identifier: MIT
/*
 * Registered files: a table of files that requests name by an index (IOSQE_FIXED_FILE), without the
 * costs of a descriptor; and direct descriptors, which exist only there.
 *
 *     IORING_REGISTER_FILES, FILES2, FILES_UPDATE(2)    from descriptors
 *     IORING_OP_OPENAT, SOCKET, ACCEPT ... file_index   ring_files_install, ring_files_remove
 *     IORING_OP_FILES_UPDATE                            as FILES_UPDATE, or each into a free slot
 *     IORING_OP_FIXED_FD_INSTALL                        the other way: a descriptor of a slot's file
 *
 * A ring is no such file: it would keep itself alive.
 *
 * Locks   ring->lock [l]
 * Spec    man 2 io_uring_register, man 2 io_uring_enter
 */
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "fs/vfs/fdtable.h"
#include "proc/proc.h"
#include "ring/opcodes.h"
#include "ring/tables.h"

enum { FILES_MOST = 1 << 20 /* Linux: IORING_MAX_FIXED_FILES */, NO_FILE = -1 };

/* The file of a descriptor, with a reference, if a table may have it. -EBADF. */
static int get_file(struct fdtable *files, int fd, struct file **out)
{
	int err = fd_get_file(files, fd, false, out);

	if (!err && ring_of_file(*out)) {
		file_put(*out);
		err = -EBADF;
	}
	return err;
}

/* Takes over the file. -ENOMEM. */
static int set_slot(struct ring *ring, unsigned index, struct file *f, uint64_t tag)
{
	struct ring_node *node = ring_node_create(true, f, tag);

	if (!node) {
		file_put(f);
		return -ENOMEM;
	}
	ring_table_set(ring, &ring->files, index, node);
	return 0;
}

/* ---- Registering ---- */

static int fill_slot(struct ring *ring, unsigned index, uptr fds, uptr tags)
{
	int32_t fd = NO_FILE;
	struct file *f;
	uint64_t tag;
	int err = ring_read_tag(tags, index, &tag);

	if (!err && !uptr_is_null(fds))
		err = user_get(fd, uptr_add(fds, index * sizeof(fd)));
	if (err)
		return err;
	if (fd == NO_FILE)
		return tag ? -EINVAL : 0;
	err = get_file(uthread_current()->files, fd, &f);
	return err ? err : set_slot(ring, index, f, tag);
}

int ring_files_register(struct ring *ring, uptr fds, unsigned nr, uptr tags)
{
	struct ring_table *t = &ring->files;
	int err;

	if (t->nodes)
		return -EBUSY;
	if (!nr)
		return -EINVAL;
	if (nr > FILES_MOST || nr > proc_rlimit(RLIMIT_NOFILE))
		return -EMFILE;
	err = ring_table_create(t, nr);
	for (unsigned i = 0; !err && i < nr; i++)
		err = fill_slot(ring, i, fds, tags);
	if (err && t->nodes) {
		ring_table_forget_tags(t);
		ring_table_destroy(ring, t);
	}
	t->alloc_next = 0;
	return err;
}

int ring_files_unregister(struct ring *ring)
{
	if (!ring->files.nodes)
		return -ENXIO;
	ring_table_destroy(ring, &ring->files);
	return 0;
}

int ring_files_set_range(struct ring *ring, uint32_t from, uint32_t len)
{
	struct ring_table *t = &ring->files;
	uint32_t end;

	if (__builtin_add_overflow(from, len, &end))
		return -EOVERFLOW;
	if (end > t->nr)
		return -EINVAL;
	t->alloc_from = t->alloc_next = from;
	t->alloc_to = end;
	return 0;
}

/* ---- Updating ---- */

static int update_slot(
	struct ring *ring, struct fdtable *files, const struct ring_update *u, unsigned i)
{
	unsigned index = u->offset + i;
	struct file *f;
	uint64_t tag;
	int32_t fd;
	int err = ring_read_tag(u->tags, i, &tag);

	if (err || user_get(fd, uptr_add(u->data, i * sizeof(fd))))
		return -EFAULT;
	if (tag && (fd == IORING_REGISTER_FILES_SKIP || fd == NO_FILE))
		return -EINVAL;
	if (fd == IORING_REGISTER_FILES_SKIP)
		return 0;
	(void)ring_table_clear(ring, &ring->files, index);
	if (fd == NO_FILE)
		return 0;
	err = get_file(files, fd, &f);
	return err ? err : set_slot(ring, index, f, tag);
}

int64_t ring_files_update(struct ring *ring, struct fdtable *files, const struct ring_update *u)
{
	uint32_t end;

	if (__builtin_add_overflow(u->offset, u->nr, &end))
		return -EOVERFLOW;
	if (!ring->files.nodes)
		return -ENXIO;
	if (end > ring->files.nr)
		return -EINVAL;
	for (unsigned i = 0; i < u->nr; i++) {
		int err = update_slot(ring, files, u, i);

		if (err)
			return i ? (int64_t)i : err;
	}
	return u->nr;
}

/* ---- Direct descriptors ---- */

static bool find_free(const struct ring_table *t, unsigned from, unsigned to, unsigned *out)
{
	for (unsigned i = from; i < to; i++) {
		if (!t->nodes[i]) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* From where the last one was given out, or given up; round the range. -ENFILE. */
static int choose_slot(const struct ring_table *t, unsigned *out)
{
	unsigned next = t->alloc_next;

	if (!t->nodes)
		return -ENFILE;
	if (next < t->alloc_from || next > t->alloc_to)
		next = t->alloc_from;
	if (find_free(t, next, t->alloc_to, out) || find_free(t, t->alloc_from, next, out))
		return 0;
	return -ENFILE;
}

int64_t ring_files_install(struct ring *ring, struct file *f, uint32_t slot)
{
	struct ring_table *t = &ring->files;
	bool is_chosen = slot == IORING_FILE_INDEX_ALLOC;
	unsigned index = slot - 1;
	int err = is_chosen ? choose_slot(t, &index) : 0;

	if (!err && ring_of_file(f))
		err = -EBADF;
	if (!err && !t->nodes)
		err = -ENXIO;
	if (!err && index >= t->nr)
		err = -EINVAL;
	if (err) {
		file_put(f);
		return err;
	}
	err = set_slot(ring, index, f, 0);
	return err ? err : is_chosen ? (int64_t)index : 0;
}

int ring_files_remove(struct ring *ring, uint32_t index)
{
	struct ring_table *t = &ring->files;

	if (!t->nodes)
		return -ENXIO;
	if (index >= t->nr)
		return -EINVAL;
	return ring_table_clear(ring, t, index) ? 0 : -EBADF;
}

/* ---- IORING_OP_FILES_UPDATE ---- */

enum { W_DATA, W_OFFSET, W_NR };

int files_update_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->flags & (IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT) || sqe->rw_flags ||
		sqe->splice_fd_in || !sqe->len)
		return -EINVAL;
	r->words.w[W_DATA] = sqe->addr;
	r->words.w[W_OFFSET] = (uint32_t)sqe->off;
	r->words.w[W_NR] = sqe->len;
	return 0;
}

/* One descriptor's file into a free slot, whose number takes the descriptor's place. */
static int install_one(struct ring *ring, struct fdtable *files, uptr at)
{
	struct file *f;
	int64_t slot;
	int32_t fd;
	int err;

	if (user_get(fd, at))
		return -EFAULT;
	err = get_file(files, fd, &f);
	if (err)
		return err;
	slot = ring_files_install(ring, f, IORING_FILE_INDEX_ALLOC);
	if (slot < 0)
		return (int)slot;
	fd = (int32_t)slot;
	if (!user_put(at, fd))
		return 0;
	(void)!ring_files_remove(ring, (uint32_t)slot);
	return -EFAULT;
}

static int64_t install_each(struct ring *ring, struct fdtable *files, uptr fds, unsigned nr)
{
	if (!ring->files.nodes)
		return -ENXIO;
	for (unsigned i = 0; i < nr; i++) {
		int err = install_one(ring, files, uptr_add(fds, i * sizeof(int32_t)));

		if (err)
			return i ? (int64_t)i : err;
	}
	return nr;
}

int64_t files_update_issue(struct req *r)
{
	struct fdtable *files = req_get_files(r);
	struct ring_update u = {.offset = (uint32_t)r->words.w[W_OFFSET],
		.nr = (uint32_t)r->words.w[W_NR],
		.data = UPTR(r->words.w[W_DATA])};
	int64_t n;

	if (u.offset == IORING_FILE_INDEX_ALLOC)
		n = install_each(r->ring, files, u.data, u.nr);
	else
		n = ring_files_update(r->ring, files, &u);
	req_put_files(r, files);
	return n;
}

/* ---- IORING_OP_FIXED_FD_INSTALL ---- */

int fixed_fd_install_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->off || sqe->addr || sqe->len || sqe->buf_index || sqe->splice_fd_in ||
		sqe->addr3)
		return -EINVAL;
	if (!(sqe->flags & IOSQE_FIXED_FILE))
		return -EBADF;
	if (sqe->rw_flags & ~IORING_FIXED_FD_NO_CLOEXEC)
		return -EINVAL;
	if (sqe->personality) /* a descriptor is made with the credentials of its thread */
		return -EPERM;
	r->words.w[0] = sqe->rw_flags;
	return 0;
}

int64_t fixed_fd_install_issue(struct req *r)
{
	const struct proc *p = r->task->user->proc;
	uint64_t limit = READ_ONCE(p->rlimits[RLIMIT_NOFILE].soft);
	struct fdtable *files = req_get_files(r);
	int fd, err = fd_reserve(files, 0, limit, &fd);

	if (!err) {
		file_get(r->file);
		fd_install(files, fd, r->file, !(r->words.w[0] & IORING_FIXED_FD_NO_CLOEXEC));
	}
	req_put_files(r, files);
	return err ? err : fd;
}
