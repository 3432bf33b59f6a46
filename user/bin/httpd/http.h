// SPDX-License-Identifier: MIT
/*
 * HTTP as text: what a request says, and the head of an answer. Nothing here asks the kernel for anything, so the
 * server with liburing (user/compare/httpd.c) is linked with the same.
 *
 * Spec    RFC 9110, RFC 9112
 */
#pragma once

#include "lib/base.h"

struct http_request {
	const char *path; /* of a file; for a folder, of its index.html */
	bool is_head;     /* HEAD: an answer without its body */
	bool keeps_alive; /* the client may ask more */
};

/* The length of the first request in a text, with the empty line behind it; 0 when that has not come. */
unsigned http_request_len(const char *text);

/*
 * Reads a whole request, and cuts the text into strings while it does.
 *
 * Returns  NULL, or the status to refuse it with; after a 400 nobody knows where the next request begins, and
 *          keeps_alive is false
 */
const char *http_request_read(char *text, struct http_request *r);

/* The head of an answer into to[size]. Returns its length. */
unsigned http_head(char *to, size_t size, const char *status, const char *type, uint64_t len,
	bool keeps_alive);

/* What a file is, by its name. */
const char *http_type_of(const char *path);
/* The status for an error that opening it met. */
const char *http_status_of(int error);
