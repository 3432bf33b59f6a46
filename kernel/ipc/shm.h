// SPDX-License-Identifier: MIT
/*
 * System V shared memory: segments, which have an id and perhaps a key, and live until they are removed
 * and nobody has them attached.
 *
 * An id or a flag is the program's here; errors are those of the system calls.
 */
#pragma once

#include "ipc/sysv.h"
#include "lib/base.h"

struct map_req;
struct uthread;
struct vmspace;

/*
 * The segments of a namespace.
 */
struct shm_space {
	struct sysv_table table;
	uint64_t total_pages;  /* [L] of all segments, as they were asked for */
	uint64_t max_bytes;    /* [a] kernel.shmmax: of one */
	uint64_t max_pages;    /* [a] kernel.shmall: of all */
	uint64_t max_segments; /* [a] kernel.shmmni */
	uint32_t is_forced;    /* [a] kernel.shm_rmid_forced */
};

void shm_space_init(struct shm_space *s);

/* shmget: the id. */
MUST_CHECK int shm_get(struct shm_space *s, int key, size_t size, unsigned flags);
/*
 * Maps all of a segment as req says (its place, VM_READ and so on) into the current address space, for who has
 * these rights: shmat.
 */
MUST_CHECK int shm_attach(
	struct shm_space *s, int id, struct map_req *req, unsigned rights, vaddr_t *out);
/* What is left of one attach that began here: shmdt. */
MUST_CHECK int shm_detach(struct vmspace *vm, vaddr_t at);

/* shmctl's commands. */
MUST_CHECK int shm_remove(struct shm_space *s, int id);
MUST_CHECK int shm_set(
	struct shm_space *s, int id, uint32_t uid, uint32_t gid, uint32_t rights);
MUST_CHECK int shm_lock(struct shm_space *s, int id, bool is_locked);

/* What a segment is, at one moment. */
struct shm_facts {
	int id, key;
	uint32_t uid, gid, cuid, cgid;
	uint32_t mode; /* rights, SHM_DEST, SHM_LOCKED */
	uint64_t size; /* bytes */
	uint64_t resident_pages;
	uint64_t nr_attached;
	int64_t attach_time, detach_time, change_time; /* seconds */
	int creator_pid, last_pid;
};
enum shm_by { SHM_BY_ID, SHM_BY_INDEX, SHM_BY_INDEX_ANY /* also who may not read it */ };
MUST_CHECK int shm_stat(struct shm_space *s, int id, enum shm_by by, struct shm_facts *out);
/* For /proc: the first at or after *index, which becomes its index. False: no more. */
bool shm_next(struct shm_space *s, uint64_t *index, struct shm_facts *out);

struct shm_usage {
	unsigned nr;
	int highest_index;
	uint64_t total_pages, resident_pages;
};
void shm_get_usage(struct shm_space *s, struct shm_usage *out);

/* kernel.shm_rmid_forced: when it becomes so, what nobody has any more goes at once. */
void shm_set_forced(struct shm_space *s, bool is_forced);
/* kernel.shm_next_id: of the next segment; -1: it need not be a certain one. */
int shm_get_wanted_id(struct shm_space *s);
void shm_set_wanted_id(struct shm_space *s, int id);

/* The current thread ends: what it made has no maker from now on. */
void shm_leave(struct uthread *u);
