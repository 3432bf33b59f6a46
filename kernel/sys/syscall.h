// SPDX-License-Identifier: MIT
/*
 * The system-call door: how a body is written.
 *
 *     SYSCALL4(pread64, int, fd, uptr, buf, size_t, len, int64_t, pos)
 *     {
 *             ...
 *     }
 *
 * defines sys_pread64, which takes six registers and narrows the first four to the types named, so
 * that no body touches a register; a user pointer is built from its integer without a cast. The
 * result is the program's: a number, or -errno.
 *
 * abi/syscalls.def lists every call of Linux. A call whose body exists is linked into the table;
 * the others answer -ENOSYS and are logged once (sys/dispatch.c).
 *
 * A body decodes, finds objects and calls one function of the subsystem that owns them, or prepares
 * an operation and runs it (ops/op.h). Bodies are grouped by family: sys/file.c, sys/mem.c ...
 */
#pragma once

#include "lib/base.h"
#include "uaccess/uaccess.h"

typedef int64_t (*syscall_fn)(
	uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);

/* A register's low bytes as a typed argument. Both architectures are little endian. */
#define SYSARG(type, reg)                                                                      \
	({                                                                                     \
		uint64_t sysarg_in_ = (reg);                                                   \
		type sysarg_out_;                                                              \
		_Static_assert(sizeof(type) <= sizeof(sysarg_in_), "one register");            \
		__builtin_memcpy(&sysarg_out_, &sysarg_in_, sizeof(type));                     \
		sysarg_out_;                                                                   \
	})

#define SYSCALL_N(name, params, ...)                                                           \
	static ALWAYS_INLINE int64_t do_##name params;                                         \
	int64_t sys_##name(                                                                    \
		uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5); \
	int64_t sys_##name(                                                                    \
		uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)  \
	{                                                                                      \
		(void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;                    \
		return do_##name(__VA_ARGS__);                                                 \
	}                                                                                      \
	static ALWAYS_INLINE int64_t do_##name params

#define SYSCALL0(name)         SYSCALL_N(name, (void))
#define SYSCALL1(name, t0, n0) SYSCALL_N(name, (t0 n0), SYSARG(t0, a0))
#define SYSCALL2(name, t0, n0, t1, n1)                                                         \
	SYSCALL_N(name, (t0 n0, t1 n1), SYSARG(t0, a0), SYSARG(t1, a1))
#define SYSCALL3(name, t0, n0, t1, n1, t2, n2)                                                 \
	SYSCALL_N(name, (t0 n0, t1 n1, t2 n2), SYSARG(t0, a0), SYSARG(t1, a1), SYSARG(t2, a2))
#define SYSCALL4(name, t0, n0, t1, n1, t2, n2, t3, n3)                                         \
	SYSCALL_N(name, (t0 n0, t1 n1, t2 n2, t3 n3), SYSARG(t0, a0), SYSARG(t1, a1),          \
		SYSARG(t2, a2), SYSARG(t3, a3))
#define SYSCALL5(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                                 \
	SYSCALL_N(name, (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4), SYSARG(t0, a0), SYSARG(t1, a1),   \
		SYSARG(t2, a2), SYSARG(t3, a3), SYSARG(t4, a4))
#define SYSCALL6(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                         \
	SYSCALL_N(name, (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5), SYSARG(t0, a0),            \
		SYSARG(t1, a1), SYSARG(t2, a2), SYSARG(t3, a3), SYSARG(t4, a4),                \
		SYSARG(t5, a5))
