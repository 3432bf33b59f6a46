// SPDX-License-Identifier: MIT
/*
 * devpts: a filesystem whose files are the slaves of pseudo-terminals. Each mount of it is an
 * instance with numbers of its own.
 */
#pragma once

#include "lib/base.h"

struct dentry;
struct devpts;
struct super;
struct tty;

/* The instance that this filesystem is; NULL: it is another kind. */
struct devpts *devpts_of(struct super *s);
void devpts_get(struct devpts *d);
void devpts_put(struct devpts *d);
MUST_CHECK int devpts_new_index(struct devpts *d, unsigned *index); /* -ENOSPC */
void devpts_free_index(struct devpts *d, unsigned index);
/* The node of a slave, owned by the current process's fsuid; *node gets a reference. */
MUST_CHECK int devpts_add(
	struct devpts *d, unsigned index, struct tty *slave, struct dentry **node);
/* The master is closed: the name goes. The caller keeps its reference. */
void devpts_remove(struct devpts *d, struct dentry *node);
