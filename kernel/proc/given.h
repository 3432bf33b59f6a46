// SPDX-License-Identifier: MIT
/*
 * What a program gave earlier: a call that had to wait for its turn as a request of a ring has read what its
 * arguments point to when it was submitted, and finds it here (man 7 io_uring: what an entry points to may go
 * then). A child being spawned has its names so, too.
 */
#pragma once

#include "lib/base.h"
#include "uaccess/uaccess.h"

/* What stood at this address then. */
struct given_name {
	uptr at;
	const char *text; /* NULL: none */
};

/* uthread.given_input */
struct given_input {
	struct given_name name[2];
	uptr at; /* of the bytes */
	size_t size;
	const void *bytes; /* NULL: none */
};

/* The current thread was given exactly this, which is copied. */
bool given_bytes(void *to, uptr from, size_t size);
/* That, or what is there now. -EFAULT. */
MUST_CHECK int given_read(void *to, uptr from, size_t size);
/* The text at this address; NULL: it was not given one. */
const char *given_text(uptr from);
