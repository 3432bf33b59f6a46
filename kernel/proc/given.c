// SPDX-License-Identifier: MIT
/* See given.h. */
#include "proc/given.h"

#include "lib/string.h"
#include "proc/proc.h"

bool given_bytes(void *to, uptr from, size_t size)
{
	const struct given_input *given = uthread_current()->given_input;

	if (LIKELY(!given || !given->bytes) || given->at.addr != from.addr ||
		given->size != size)
		return false;
	memcpy(to, given->bytes, size);
	return true;
}

int given_read(void *to, uptr from, size_t size)
{
	return given_bytes(to, from, size) ? 0 : user_read(to, from, size);
}

const char *given_text(uptr from)
{
	const struct given_input *given = uthread_current()->given_input;

	for (unsigned i = 0; UNLIKELY(given != NULL) && i < ARRAY_LEN(given->name); i++) {
		if (given->name[i].text && given->name[i].at.addr == from.addr)
			return given->name[i].text;
	}
	return NULL;
}
