// SPDX-License-Identifier: MIT
/*
 * Control messages of level SOL_SOCKET: SCM_RIGHTS and SCM_CREDENTIALS.
 *
 * The program's buffer is copied once and then parsed. Writing goes straight to the program; a
 * bad address there cuts the message and is not an error, as on Linux.
 *
 * Spec    man 7 unix, man 3 cmsg, man 2 recv
 */
#include "net/control.h"

#include <linux/capability.h>
#include <linux/resource.h>

#include "fs/vfs/fdtable.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/socket.h"
#include "proc/proc.h"

enum { CONTROL_ALIGN = 8, CONTROL_MAX = 20480 + 256 /* net.core.optmem_max, and a little */ };

/* ---- Files ---- */

/*
 * A file may be a socket whose queue has messages with files, and so on, as deep as somebody likes.
 * So the end of a file that we put here puts nothing itself: it leaves that to us.
 */
void control_files_put(struct control_files *f)
{
	struct thread *me = arch_current();
	struct control_files *later = NULL, **outer = me->later_puts;

	if (!f)
		return;
	if (outer) {
		f->next = *outer;
		*outer = f;
		return;
	}
	me->later_puts = &later;
	while (f) {
		for (unsigned i = 0; i < f->nr; i++)
			file_put(f->files[i]);
		mem_free(f);
		f = later;
		if (f)
			later = f->next;
	}
	me->later_puts = NULL;
}

int control_files_copy(const struct control_files *f, struct control_files **out)
{
	struct control_files *copy = mem_alloc(sizeof(*f) + f->nr * sizeof(f->files[0]), 0);

	if (!copy)
		return -ENOMEM;
	copy->nr = f->nr;
	copy->user = NULL;
	for (unsigned i = 0; i < f->nr; i++) {
		copy->files[i] = f->files[i];
		file_get(copy->files[i]);
	}
	*out = copy;
	return 0;
}

/* ---- Reading ---- */

static int read_files(struct control_send *c, const char *data, size_t len)
{
	unsigned nr = (unsigned)(len / sizeof(int)), have = c->files ? c->files->nr : 0;
	struct control_files *f;

	if (nr > SCM_MAX_FD - have)
		return -EINVAL;
	if (nr == 0)
		return 0;
	f = mem_alloc(sizeof(*f) + (have + nr) * sizeof(f->files[0]), 0);
	if (!f)
		return -ENOMEM;
	f->nr = have;
	f->user = NULL;
	if (have)
		memcpy(f->files, c->files->files, have * sizeof(f->files[0]));
	mem_free(c->files);
	c->files = f;
	for (unsigned i = 0; i < nr; i++) {
		int fd, err;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		err = fd_get_file(uthread_current()->files, fd, true, &f->files[f->nr]);
		if (err)
			return err;
		if (f->files[f->nr++]->mode & FILE_NOT_SENT)
			return -EINVAL;
	}
	return 0;
}

/* man 7 unix: whose credentials a process may claim. */
static int read_cred(struct control_send *c, const char *data, size_t len)
{
	const struct cred *me = cred_current();
	struct user_ucred u;

	if (len != sizeof(u))
		return -EINVAL;
	memcpy(&u, data, sizeof(u));
	if (u.uid == UINT32_MAX || u.gid == UINT32_MAX) /* nobody has these */
		return -EINVAL;
	if (u.pid != proc_current()->pid->nr && !cred_has_cap(me, CAP_SYS_ADMIN))
		return -EPERM;
	if (u.uid != me->uid && u.uid != me->euid && u.uid != me->suid &&
		!cred_has_cap(me, CAP_SETUID))
		return -EPERM;
	if (u.gid != me->gid && u.gid != me->egid && u.gid != me->sgid &&
		!cred_has_cap(me, CAP_SETGID))
		return -EPERM;
	if (u.pid != proc_current()->pid->nr) {
		struct pid *pid;
		int err = pid_find(u.pid, &pid);

		if (err)
			return err;
		pid_put(pid);
	}
	c->cred = u;
	c->has_cred = true;
	return 0;
}

static int parse(struct control_send *c, const char *buf, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(struct user_cmsghdr)) {
		struct user_cmsghdr h;
		int err = 0;

		memcpy(&h, buf + at, sizeof(h));
		if (h.len < sizeof(h) || h.len > len - at)
			return -EINVAL;
		if (h.level == SOL_SOCKET) {
			if (h.type == SCM_RIGHTS)
				err = read_files(c, buf + at + sizeof(h), h.len - sizeof(h));
			else if (h.type == SCM_CREDENTIALS)
				err = read_cred(c, buf + at + sizeof(h), h.len - sizeof(h));
			else
				err = -EINVAL;
		}
		if (err)
			return err;
		if (ALIGN_UP(h.len, CONTROL_ALIGN) >= len - at)
			break;
		at += ALIGN_UP(h.len, CONTROL_ALIGN);
	}
	return 0;
}

int control_read(struct control_send *c, uptr from, size_t len)
{
	char *buf;
	int err;

	memset(c, 0, sizeof(*c));
	if (len == 0)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	buf = mem_alloc(len, 0);
	if (!buf)
		return -ENOBUFS;
	err = user_read(buf, from, len);
	if (!err)
		err = parse(c, buf, len);
	mem_free(buf);
	if (err)
		control_fini(c);
	return err;
}

void control_fini(struct control_send *c)
{
	control_files_put(c->files);
	c->files = NULL;
}

/* ---- Writing ---- */

void control_write(struct control_recv *c, int level, int type, const void *data, size_t len)
{
	struct user_cmsghdr h = {.len = sizeof(h) + len, .level = level, .type = type};
	size_t step;

	if (c->left < sizeof(h)) {
		c->is_cut = true;
		return;
	}
	if (c->left < h.len) {
		c->is_cut = true;
		h.len = c->left;
	}
	if (user_put(c->at, h) ||
		user_write(uptr_add(c->at, sizeof(h)), data, h.len - sizeof(h)))
		return;
	step = MIN((size_t)ALIGN_UP(h.len, CONTROL_ALIGN), c->left);
	c->at = uptr_add(c->at, step);
	c->left -= step;
	c->used += step;
}

/* One more descriptor, written to the program before it means anything. */
static int give_file(struct control_recv *c, unsigned i, struct file *f)
{
	struct fdtable *t = uthread_current()->files;
	int fd, err;

	err = fd_reserve(t, 0, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (err)
		return err;
	err = user_put(uptr_add(c->at, sizeof(struct user_cmsghdr) + i * sizeof(fd)), fd);
	if (err) {
		fd_unreserve(t, fd);
		return err;
	}
	file_get(f);
	fd_install(t, fd, f, c->close_on_exec);
	return 0;
}

void control_write_files(struct control_recv *c, struct control_files *f)
{
	size_t room = c->left > sizeof(struct user_cmsghdr)
			      ? (c->left - sizeof(struct user_cmsghdr)) / sizeof(int)
			      : 0;
	unsigned n = 0;

	while (n < f->nr && n < room && !give_file(c, n, f->files[n]))
		n++;
	if (n < f->nr)
		c->is_cut = true;
	if (n) {
		struct user_cmsghdr h = {.len = sizeof(h) + n * sizeof(int),
			.level = SOL_SOCKET,
			.type = SCM_RIGHTS};
		size_t step = MIN((size_t)ALIGN_UP(h.len, CONTROL_ALIGN), c->left);

		if (!user_put(c->at, h)) {
			c->at = uptr_add(c->at, step);
			c->left -= step;
			c->used += step;
		}
	}
	control_files_put(f);
}
