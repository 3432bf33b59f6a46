// SPDX-License-Identifier: MIT
/*
 * What Torus' ring can do beyond io_uring: operations at the top of the number space, told by
 * IORING_REGISTER_PROBE like any other. docs/abi/ring.md
 */
#pragma once

#include <linux/types.h>

/*
 * How filters of system calls, supervisors and the trace see in an argument what a call could not have said. A
 * registered file (IOSQE_FIXED_FILE) is its slot with the bit that no descriptor has, the upper half 0; an offset of
 * IORING_OP_SPLICE, where splice() has an address, is its value with the bit that no address has, and NULL none.
 */
#define TORUS_FIXED_FILE    (1U << 31)
#define TORUS_SPLICE_OFFSET (1ULL << 63)

/*
 * Any system call, by its number. The call runs as if the thread that submits had made it at the moment
 * the request begins; its result is the completion's. Those whose meaning is the calling thread itself
 * (its stack, its signal mask, its credentials, its end ...) are -EINVAL: see docs/abi/ring.md.
 *
 *     fd            the number
 *     ioprio        TORUS_SYSCALL_*
 *     off           argument 0, or with TORUS_SYSCALL_INDIRECT the address of all six, as 64-bit words
 *     addr          1
 *     len, rw_flags 2, the low half in len
 *     addr3         3
 *     __pad2[0]     4
 *     file_index    5, as 32 bits without sign
 *
 * A result above 2^31 - 1 (of mmap, say) is that number; all of it is in big_cqe[0] where completions
 * have 32 bytes (IORING_SETUP_CQE32).
 *
 * The words of TORUS_SYSCALL_INDIRECT are read when the entry is submitted; what the arguments point to
 * when the request begins.
 */
#define TORUS_OP_SYSCALL 254

#define TORUS_SYSCALL_INDIRECT (1U << 0)

/*
 * A new process that runs a program, made from nothing: no fork, no copy of anybody's page tables. It is
 * a child of the thread that submits. The request ends when the program is about to run its first
 * instruction, with a descriptor for the process (man 2 pidfd_open), which is closed by exec, or with the
 * errno that stopped it; nothing is left of the child then, and nobody is told of it.
 *
 *     fd            the directory in which the program's path begins, as in execveat(), after the steps
 *     addr          struct torus_spawn
 *     len           its size, as the program knows it: what is not given is 0
 *     file_index    0, a slot + 1 for the descriptor, or IORING_FILE_INDEX_ALLOC; as in ACCEPT
 *
 * All that the structure points to is read when the entry is submitted, so it may be used again after
 * that. The program, and the files and directories of the actions, are looked for by the child.
 *
 * Unless said otherwise the child has what a child of vfork() that calls execveat() at once would have:
 * descriptors that stay open across exec, working directory, mask of signals, what is ignored, limits,
 * group, session, credentials, filters.
 *
 * The steps come in this order: SETSID, PGROUP, LIMITS, SIGDEFAULT, the file actions one after another,
 * GROUPS, GID, UID, NO_NEW_PRIVS, the program; SIGMASK is what it begins with. The child takes them, so
 * numbers of descriptors are its own, but for INHERIT's. A filter of system calls is asked about clone()
 * when the entry is submitted, and in the child about each step as the call it means: signals, INHERIT
 * and a DUP of a descriptor to itself mean none.
 */
#define TORUS_OP_SPAWN 253
#define TORUS_OP_LAST  255 /* one more than the highest */

#define TORUS_SPAWN_PGROUP       (1U << 0) /* setpgid(0, pgroup) */
#define TORUS_SPAWN_SETSID       (1U << 1) /* setsid() */
#define TORUS_SPAWN_SIGMASK      (1U << 2) /* sigmask is blocked, instead of what the thread blocks */
#define TORUS_SPAWN_SIGDEFAULT   (1U << 3) /* those in sigdefault are not ignored */
#define TORUS_SPAWN_GROUPS       (1U << 4) /* setgroups(nr_groups, groups) */
#define TORUS_SPAWN_GID          (1U << 5) /* setresgid(gid, gid, gid) */
#define TORUS_SPAWN_UID          (1U << 6) /* setresuid(uid, uid, uid) */
#define TORUS_SPAWN_NO_NEW_PRIVS (1U << 7) /* man 2 prctl: PR_SET_NO_NEW_PRIVS */
#define TORUS_SPAWN_CLEAN        (1U << 8) /* no descriptors but those of the file actions */
#define TORUS_SPAWN_ALL          ((1U << 9) - 1)

struct torus_spawn {
	__u32 flags;        /* TORUS_SPAWN_* */
	__u32 at_flags;     /* execveat's: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */
	__u64 path;         /* the program: char * */
	__u64 argv;         /* char **, its end NULL */
	__u64 envp;         /* the same */
	__u64 actions;      /* struct torus_file_action *, nr_actions of them */
	__u64 limits;       /* struct torus_limit *, nr_limits of them */
	__u32 nr_actions;   /* at most TORUS_SPAWN_ACTIONS_MAX */
	__u32 nr_limits;    /* at most TORUS_SPAWN_LIMITS_MAX */
	__u64 sigmask;
	__u64 sigdefault;
	__s32 pgroup;
	__u32 exit_signal;  /* what the parent gets at its end; 0: SIGCHLD */
	__u32 uid;
	__u32 gid;
	__u64 groups;       /* __u32 *, nr_groups of them */
	__u32 nr_groups;
	__u32 reserved;     /* 0 */
	__u64 namespaces;   /* CLONE_NEW*, as in clone3() */
	__u64 pid;          /* __s32 *: the child's number is written there; or 0 */
};

#define TORUS_SPAWN_ACTIONS_MAX 1024
#define TORUS_SPAWN_LIMITS_MAX  16
#define TORUS_SPAWN_SIZE_FIRST  120 /* of the structure as it is here; a smaller one is EINVAL */

#define TORUS_FILE_OPEN    0 /* openat(from, path, flags, mode), as descriptor fd */
#define TORUS_FILE_CLOSE   1 /* close(fd), which may be closed already */
#define TORUS_FILE_DUP     2 /* dup2(from, fd); if they are equal fd stays open across exec */
#define TORUS_FILE_INHERIT 3 /* from, a descriptor of who submits, as fd; for TORUS_SPAWN_CLEAN */
#define TORUS_FILE_CHDIR   4 /* chdir(path) */
#define TORUS_FILE_FCHDIR  5 /* fchdir(fd) */
#define TORUS_FILE_CLOSE_FROM 6 /* close_range(fd, ~0, 0) */

struct torus_file_action {
	__u32 action;       /* TORUS_FILE_* */
	__s32 fd;
	__s32 from;
	__u32 flags;
	__u64 path;         /* char * */
	__u32 mode;
	__u32 reserved;     /* 0 */
};

struct torus_limit {
	__u32 resource;     /* RLIMIT_* */
	__u32 reserved;     /* 0 */
	__u64 soft;
	__u64 hard;
};
