// SPDX-License-Identifier: MIT
/*
 * Unix sockets as others may see them: one after another, for /proc/net/unix.
 */
#pragma once

#include "lib/base.h"

struct unix_sock;

enum { UNIX_NAME_MAX = 109 }; /* a path of 108 bytes, and its end */

struct unix_info {
	uint64_t id; /* the same as long as it lives; no address */
	unsigned refs, type;
	bool is_listening;
	bool is_connected;        /* has a peer, or (datagrams) is one's */
	uint64_t ino;             /* of its file; 0: not accepted yet */
	unsigned name_len;        /* 0: none */
	char name[UNIX_NAME_MAX]; /* a path, or abstract: NUL first; not terminated */
};

/*
 * The next socket after *at (NULL: the first) that has a file or will get one. *at holds a reference
 * until the next call. False: no more, and *at is NULL. Sleeps.
 */
bool unix_info_next(struct unix_sock **at, struct unix_info *out);
