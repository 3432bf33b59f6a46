// SPDX-License-Identifier: MIT
/*
 * Archives as cpio -H newc makes them, read piece by piece. Input is hostile.
 *
 * Spec    Linux: Documentation/driver-api/early-userspace/buffer-format.rst; man 5 cpio
 */
#pragma once

#include "lib/base.h"

enum { CPIO_HEADER = 110, CPIO_PATH_MAX = 4096 };

struct cpio_entry {
	uint32_t ino, mode, uid, gid, nlink, mtime, size;
	uint32_t dev_major, dev_minor, rdev_major, rdev_minor;
	const char *name;   /* never empty */
	const char *target; /* of a symlink, else NULL */
};

/* Each may end the reading by an error. */
struct cpio_ops {
	int (*entry)(void *ctx, const struct cpio_entry *e);
	int (*data)(void *ctx, const uint8_t *bytes,
		size_t len);           /* of the entry before, in pieces */
	int (*end)(void *ctx);         /* all data of the entry have come */
	int (*archive_end)(void *ctx); /* hard links reach no further */
};

/* Memory of the caller's, 8 KiB and more. */
struct cpio {
	const struct cpio_ops *ops;
	void *ctx;
	int state;           /* cpio.c */
	uint64_t offset;     /* bytes read so far: everything is aligned to 4 */
	size_t want;         /* bytes the state still needs */
	size_t have;         /* of them collected in text */
	size_t size;         /* data that follow */
	uint32_t sum, check; /* 070702: of the data; what the header says */
	bool is_checked;
	struct cpio_entry entry;
	char name[CPIO_PATH_MAX + 4];
	char text[CPIO_PATH_MAX + 4];
};

void cpio_init(struct cpio *c, const struct cpio_ops *ops, void *ctx);
/*
 * Reads on. Between archives it stops at the first byte that is no padding and no header.
 *
 * Returns  how many bytes it took; -EINVAL (damaged), or what ops said
 */
MUST_CHECK int64_t cpio_feed(struct cpio *c, const uint8_t *bytes, size_t len);
/* Whether the input may end here. */
bool cpio_is_between(const struct cpio *c);
