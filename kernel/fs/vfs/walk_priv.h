// SPDX-License-Identifier: MIT
/*
 * One walk along a path name. The story is in walk.c.
 */
#pragma once

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "lib/base.h"

enum walk_last { LAST_NORMAL, LAST_DOT, LAST_DOTDOT, LAST_NONE /* "/", or empty */ };

struct walk {
	/* Asked for: [I] from walk_init on. */
	int dirfd;
	unsigned flags; /* LOOKUP_* */
	const char *name;
	size_t name_len;
	const struct cred *cred;

	/* Where it is. Under RCU without references, but for `held`. */
	struct path at;
	struct path root;          /* no references */
	struct path held;          /* references from the last pause, or both NULL */
	struct borrowed_file base; /* of dirfd */
	const char *begin;	   /* where the text in memory begins */
	const char *rest, *end;    /* what is left of it */
	uint32_t seq;
	unsigned nr_runs; /* that were begun, also by those who did not believe what one saw */
	bool is_running;  /* under RCU */
	bool is_locked;   /* dentry_lock is held instead of trusting the sequence */
	uint8_t nr_links; /* symlinks followed */

	/* With LOOKUP_PARENT: the last component, and whether slashes follow it. */
	struct name_key last;
	enum walk_last last_type;
	bool last_is_dir;

	/* Symlinks: the text that the rest is in, once there was one. */
	char *buffer;
};

/* `name` must stay until walk_fini. */
void walk_init(struct walk *w, int dirfd, const char *name, size_t len, unsigned flags);
void walk_fini(struct walk *w);

/*
 * Walks to the end, or with LOOKUP_PARENT to the directory of the last component. After success
 * it is running: under RCU at w->at, with no reference. 0 or an error; not running then.
 */
MUST_CHECK int walk_run(struct walk *w);
/* The same, paused there: with references in w->held. */
MUST_CHECK int walk_run_to_pause(struct walk *w);
/*
 * Ends running, with references in w->held. -EAGAIN: the ground moved; w is not running, and
 * walk_run begins again.
 */
MUST_CHECK int walk_pause(struct walk *w);
/* Ends running without references; whether what was seen may be believed. */
bool walk_stop(struct walk *w);
/* Runs again from what is held. */
void walk_resume(struct walk *w);
/*
 * Follows a symlink found as the last component (or looked up by the caller; held by `link`, whose
 * reference is taken over) below w->held: the rest of the walk is its target. Not running before
 * and after; then walk_continue.
 */
MUST_CHECK int walk_follow_last(struct walk *w, struct dentry *link);
MUST_CHECK int walk_continue(struct walk *w);

/* The child of a directory that is not in the cache, by the filesystem; with a reference, maybe negative. */
MUST_CHECK int walk_lookup_slow(
	struct dentry *dir, const struct name_key *key, struct dentry **out);
MUST_CHECK int walk_lookup_locked(
	struct dentry *dir, const struct name_key *key, struct dentry **out);

/* Copies a path's ends without references; a consistent pair. Under RCU. */
void fs_context_peek_root(struct fs_context *fs, struct path *out);
void fs_context_peek_cwd(struct fs_context *fs, struct path *out);
