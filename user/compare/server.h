// SPDX-License-Identifier: MIT
/*
 * user/lib/server.c once more: listening, and one request that accepts all connections, each into a slot.
 *
 * A slot is shut down before it is closed. On Linux before 6.13 a file leaves its slot only when all requests end
 * that began earlier, those of other slots too; so one client that reads nothing would keep others from seeing their
 * end. Here the file goes when nobody uses it.
 *
 * Whom the request accepts when all slots are taken, it turns away; the others wait in the queue.
 */
#pragma once

#include <stddef.h>
#include <sys/un.h>

#include "hosted.h"

struct server {
	struct io_uring *ring;
	__u64 accept, close; /* marks of its requests; 0 is a mark that nobody looks at */
	int listening;
	unsigned slots, nr_taken; /* taken: from being accepted to having been closed */
	bool is_full;             /* nobody is accepted until a slot is free */
};

/* Listens at ./path or @name. */
static inline int listen_at(const char *where)
{
	enum { BACKLOG = 128 };
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = strlen(where);
	int fd;

	if (where[0] != '@' && !strchr(where, '/'))
		must(-EINVAL, where);
	if (len >= sizeof(a.sun_path))
		must(-ENAMETOOLONG, where);
	memcpy(a.sun_path, where, len);
	if (where[0] == '@')
		a.sun_path[0] = 0; /* abstract: the name is what follows, without an end */
	else
		len++;
	len += offsetof(struct sockaddr_un, sun_path);
	fd = must_libc(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), where);
	must_libc(bind(fd, (struct sockaddr *)&a, (socklen_t)len), where);
	must_libc(listen(fd, BACKLOG), where);
	return fd;
}

static inline void server_accept(struct server *s)
{
	struct io_uring_sqe *sqe = next_entry(s->ring, 1);

	s->is_full = false;
	io_uring_prep_multishot_accept_direct(sqe, s->listening, NULL, NULL, 0);
	io_uring_sqe_set_data64(sqe, s->accept);
}

static inline void server_start(struct server *s, const char *where, unsigned slots)
{
	s->listening = listen_at(where);
	s->slots = slots;
	must(io_uring_register_files_sparse(s->ring, slots), "slots");
	server_accept(s);
}

/*
 * What the request that accepts has said: the slot of a new client, or -1 if there is none. What is heard of a
 * full table may be old: if a slot was closed since, nobody else may come to close one.
 */
static inline int server_accepted(struct server *s, int res, unsigned flags)
{
	if (res >= 0)
		s->nr_taken++;
	else if (res == -ENFILE)
		s->is_full = s->nr_taken == s->slots;
	else if (res != -ECONNABORTED)
		complain("accept: %s", error_text(res));
	if (!(flags & IORING_CQE_F_MORE) && !s->is_full)
		server_accept(s);
	return res < 0 ? -1 : res;
}

static inline void server_close(struct server *s, unsigned slot)
{
	struct io_uring_sqe *sqe = next_entry(s->ring, 2);

	io_uring_prep_shutdown(sqe, (int)slot, SHUT_RDWR);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK;
	io_uring_sqe_set_data64(sqe, 0);
	sqe = io_uring_get_sqe(s->ring);
	io_uring_prep_close_direct(sqe, slot);
	io_uring_sqe_set_data64(sqe, s->close);
}

/* A slot is free: Linux shuts down on a thread of its own, so this is not known when it is asked for. */
static inline void server_closed(struct server *s)
{
	s->nr_taken--;
	if (s->is_full)
		server_accept(s);
}
