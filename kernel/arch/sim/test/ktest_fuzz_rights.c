// SPDX-License-Identifier: MIT
/*
 * The fuzzer of rings (ktest_fuzz.c): what a victim may do. Filters of calls, and who supervises them, at a
 * descriptor of its own; other users, whose rings, requests and personalities meet those of the first.
 *
 * A filter is about one call that an entry may mean, and allows all others: the victim goes on.
 */
#include "arch/sim/test/fuzz.h"

#include "lib/string.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

enum { USER = 1000, NOBODY = (uint32_t)-1 };

/* ---- Filters ---- */

static const uint16_t filtered[] = {__NR_read, __NR_write, __NR_openat, __NR_close, __NR_poll,
	__NR_nanosleep, __NR_getppid, __NR_preadv2, __NR_pwritev2, __NR_recvfrom, __NR_sendto,
	__NR_recvmsg, __NR_sendmsg, __NR_accept4, __NR_connect, __NR_socket, __NR_fsync,
	__NR_statx, __NR_splice, __NR_futex, __NR_futex_waitv, __NR_mkdirat, __NR_unlinkat,
	__NR_pipe2, __NR_epoll_ctl, __NR_pread64, __NR_openat2, __NR_fallocate, __NR_waitid,
	__NR_shutdown, __NR_madvise, __NR_epoll_wait};

static const uint32_t answers[] = {SECCOMP_RET_USER_NOTIF, SECCOMP_RET_USER_NOTIF,
	SECCOMP_RET_USER_NOTIF, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ERRNO | 1,
	SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_TRAP,
	SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_KILL_THREAD};

static void put_filter(const uint8_t *b)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filtered[b[1] % ARRAY_LEN(filtered)], 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answers[b[2] % ARRAY_LEN(answers)]),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = ARRAY_LEN(code)};
	uint64_t flags = b[3] ? b[3] & 0x3f : SECCOMP_FILTER_FLAG_NEW_LISTENER;
	uint64_t at = sim_scratch(code, sizeof(code));
	int64_t fd;

	memcpy(&prog.filter, &at, sizeof(at));
	fd = SIM_CALL(
		__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, sim_scratch(&prog, sizeof(prog)));
	if (fd <= 0 || !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return;
	(void)SIM_CALL(__NR_dup2, (uint64_t)fd, SUPERVISOR);
	(void)SIM_CALL(__NR_close, (uint64_t)fd);
}

/* ---- The supervisor, who is anybody that comes along ---- */

static bool is_somebody_waiting(void)
{
	struct {
		int fd;
		short events, revents;
	} p = {SUPERVISOR, POLLIN, 0};

	return SIM_CALL(__NR_poll, sim_scratch(&p, sizeof(p)), 1, 0) == 1;
}

static void hear(const uint8_t *b)
{
	static const struct seccomp_notif none;

	if (b[2] < 0xf0 && !is_somebody_waiting())
		return; /* it would wait until somebody comes */
	fuzz_put(NOTICE_AT, &none, sizeof(none));
	(void)SIM_CALL(__NR_ioctl, SUPERVISOR, SECCOMP_IOCTL_NOTIF_RECV,
		b[3] >= 0xf0 ? fuzz_draw('b', b[3]) : NOTICE_AT);
}

/* Of the one that was heard last, or of another. */
static uint64_t notice_id(const uint8_t *b)
{
	uint64_t id = sim_load32(NOTICE_AT) | (uint64_t)sim_load32(NOTICE_AT + 4) << 32;

	return id + (b[2] >= 0xc0 ? b[2] % 4 - 2ul : 0);
}

static void answer(const uint8_t *b)
{
	struct seccomp_notif_resp r = {
		.id = notice_id(b), .flags = b[3] & 1 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};

	if (!(b[3] & 1)) {
		r.val = b[3] & 2 ? b[4] : 0;
		r.error = b[3] & 4 ? -(int32_t)(b[4] % 133) : 0;
	}
	(void)SIM_CALL(
		__NR_ioctl, SUPERVISOR, SECCOMP_IOCTL_NOTIF_SEND, sim_scratch(&r, sizeof(r)));
}

static void give(const uint8_t *b)
{
	struct seccomp_notif_addfd a = {.id = notice_id(b),
		.flags = b[3] & 3,
		.srcfd = (uint32_t)fuzz_draw(b[3] & 4 ? 'R' : 'f', b[4]),
		.newfd = b[3] & SECCOMP_ADDFD_FLAG_SETFD ? (uint32_t)fuzz_draw('f', b[5]) : 0,
		.newfd_flags = b[6] & 1 ? 02000000 /* O_CLOEXEC */ : 0};

	(void)SIM_CALL(
		__NR_ioctl, SUPERVISOR, SECCOMP_IOCTL_NOTIF_ADDFD, sim_scratch(&a, sizeof(a)));
}

/* ---- Users ---- */

/* Also back: the first user stays the saved one, but with `for_good`. */
static void become(uint32_t user, bool for_good)
{
	uint64_t saved = for_good ? user : NOBODY;

	(void)SIM_CALL(__NR_setresgid, saved, user, saved);
	(void)SIM_CALL(__NR_setresuid, saved, user, saved);
}

static void drop_capability(const uint8_t *b)
{
	static const uint8_t some[] = {CAP_IPC_LOCK, CAP_SYS_NICE, CAP_DAC_OVERRIDE,
		CAP_SYS_ADMIN, CAP_SYS_RESOURCE, CAP_CHOWN, CAP_KILL, CAP_SETUID};

	(void)SIM_CALL(__NR_prctl, PR_CAPBSET_DROP, some[b[2] % ARRAY_LEN(some)], 0, 0, 0);
}

static void limit(const uint8_t *b)
{
	static const uint8_t which[] = {
		6 /* NPROC */, 7 /* NOFILE */, 8 /* MEMLOCK */, 1 /* FSIZE */, 9 /* AS */};
	uint64_t pair[2] = {b[3] < 0x80 ? b[3] % 64 : b[3] * PAGE_SIZE, UINT64_MAX};

	if (which[b[2] % ARRAY_LEN(which)] == 7)
		pair[1] = 1024;
	(void)SIM_CALL(__NR_prlimit64, 0, which[b[2] % ARRAY_LEN(which)],
		sim_scratch(pair, sizeof(pair)), 0);
}

void fuzz_rights(struct fuzz_ring *r, const uint8_t *b)
{
	switch (b[0] % 16) {
	case 0 ... 3:
		put_filter(b);
		return;
	case 4:
		(void)SIM_CALL(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		return;
	case 5 ... 7:
		become(b[1] & 1 ? 0 : USER + b[1] % 4, b[2] >= 0xc0);
		return;
	case 8 ... 9: /* whose personality an entry names: as somebody else, and back */
		become(USER, false);
		(void)SIM_CALL(__NR_io_uring_register, (uint64_t)fuzz_fd_of(r),
			IORING_REGISTER_PERSONALITY, 0, 0);
		become(0, false);
		return;
	case 10:
		(void)SIM_CALL(__NR_fchmodat, (uint64_t)fuzz_draw('d', 0), fuzz_draw('p', b[1]),
			b[2] & 1 ? 0600 : 0777);
		return;
	case 11:
		(void)SIM_CALL(__NR_fchownat, (uint64_t)fuzz_draw('d', 0), fuzz_draw('p', b[1]),
			USER + b[2] % 4, USER, 0);
		return;
	case 12:
		drop_capability(b);
		return;
	case 13:
		limit(b);
		return;
	case 14:
		(void)SIM_CALL(__NR_setgroups, b[1] % 3, fuzz_draw('b', b[2]));
		return;
	default:
		(void)SIM_CALL(__NR_close, SUPERVISOR);
	}
}

void fuzz_supervise(const uint8_t *b)
{
	switch (b[0] % 8) {
	case 0:
		give(b);
		return;
	case 1:
		answer(b);
		return;
	case 2:
		hear(b);
		return;
	default: /* all of it */
		hear(b);
		if (b[5] >= 0x80)
			give(b);
		answer(b);
	}
}
