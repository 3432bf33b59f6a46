// SPDX-License-Identifier: MIT
/*
 * Words for tests of System V shared memory. Segments outlive who made them, so that each test removes its own.
 */
#pragma once

#include "guest.h"

#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>

enum { PAGE = 4096, USER = 1000, GROUP = 1001, OTHER = 2000, KEY = 0x70727573 };

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef SHM_DEST
#define SHM_DEST   01000
#define SHM_LOCKED 02000
#endif
#ifndef SHM_EXEC
#define SHM_EXEC 0100000
#endif

/* IPC_INFO's, which libc's shmctl passes through. */
struct limits {
	unsigned long max, min, mni, seg, all, unused[4];
};
struct usage {
	int used_ids;
	unsigned long total, resident, swapped, unused[2];
};

static inline int make_with(size_t size, int flags)
{
	return CHECK_OK(shmget(IPC_PRIVATE, size, flags | IPC_CREAT));
}

static inline int make(size_t size)
{
	return make_with(size, 0600);
}

static inline char *attach_at(int id, void *at, int flags)
{
	return CHECK_OK((char *)shmat(id, at, flags));
}

static inline char *attach(int id)
{
	return attach_at(id, NULL, 0);
}

static inline void discard(int id)
{
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
}

static inline struct shmid_ds stat_of(int id)
{
	struct shmid_ds ds;

	CHECK_OK(shmctl(id, IPC_STAT, &ds));
	return ds;
}

static inline long nr_attached(int id)
{
	return (long)stat_of(id).shm_nattch;
}

static inline void become(uid_t uid, gid_t gid)
{
	CHECK_OK(setresgid(gid, gid, gid));
	CHECK_OK(setresuid(uid, uid, uid));
}

static inline void set_limit(int which, rlim_t value)
{
	struct rlimit r = {value, value};

	CHECK_OK(setrlimit(which, &r));
}

/* A number of /proc/sys: what it was; then it is `text`. */
static inline void set_number(const char *path, const char *text)
{
	int fd = CHECK_OK(open(path, O_WRONLY));

	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_OK(close(fd));
}

static inline void get_number_of(const char *path, char *buf, size_t size)
{
	CHECK(get_file(path, buf, size) > 0);
	buf[strcspn(buf, "\n")] = 0;
}
