// SPDX-License-Identifier: MIT
/* Calls that belong to no family: ioprio_set(2), kcmp(2), process_madvise(2), process_mrelease(2), pkey_alloc(2), get_robust_list(2). */
#include "guest.h"

#include <asm/unistd.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

enum {
	BE = IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT,
	IDLE = IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT,
	RT = IOPRIO_CLASS_RT << IOPRIO_CLASS_SHIFT
};

static long ioprio_get(int which, int who)
{
	return syscall(SYS_ioprio_get, which, who);
}

static long ioprio_set(int which, int who, int ioprio)
{
	return syscall(SYS_ioprio_set, which, who, ioprio);
}

static void become_nobody(void)
{
	CHECK_OK(setgid(65534));
	CHECK_OK(setuid(65534));
}

TEST(calls, ioprio_is_kept_and_inherited)
{
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PROCESS, 0), 0);
	CHECK_OK(ioprio_set(IOPRIO_WHO_PROCESS, 0, BE | 6));
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PROCESS, 0), BE | 6);
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PROCESS, getpid()), BE | 6);
	IN_CHILD(CHECK_EQ(ioprio_get(IOPRIO_WHO_PROCESS, 0), BE | 6));
	CHECK_OK(ioprio_set(IOPRIO_WHO_PROCESS, 0, IDLE));
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PROCESS, 0), IDLE);
	CHECK_OK(ioprio_set(IOPRIO_WHO_PROCESS, 0, 0));
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PROCESS, 0), 0);
}

TEST(calls, ioprio_of_a_group_is_the_best)
{
	pid_t pid = CHECK_OK(fork());

	if (!pid) {
		pause();
		_exit(0);
	}
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PGRP, 0), BE | 4); /* of nice 0 */
	CHECK_OK(ioprio_set(IOPRIO_WHO_PROCESS, 0, BE | 7));
	CHECK_OK(ioprio_set(IOPRIO_WHO_PROCESS, pid, BE | 2));
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PGRP, 0), BE | 2);
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PGRP, getpgrp()), BE | 2);
	CHECK_OK(ioprio_set(IOPRIO_WHO_PGRP, 0, RT | 3));
	CHECK_EQ(ioprio_get(IOPRIO_WHO_PROCESS, pid), RT | 3);
	CHECK_OK(kill(pid, SIGKILL));
}

TEST(calls, ioprio_errors)
{
	CHECK_ERRNO(ioprio_get(0, 0), EINVAL);
	CHECK_ERRNO(ioprio_get(4, 0), EINVAL);
	CHECK_ERRNO(ioprio_get(IOPRIO_WHO_PROCESS, 999999), ESRCH);
	CHECK_ERRNO(ioprio_get(IOPRIO_WHO_PGRP, 999999), ESRCH);
	CHECK_ERRNO(ioprio_get(IOPRIO_WHO_USER, 4321), ESRCH);
	CHECK_ERRNO(ioprio_set(IOPRIO_WHO_PROCESS, 999999, BE), ESRCH);
	CHECK_ERRNO(ioprio_set(IOPRIO_WHO_PROCESS, 0, 3), EINVAL);
	CHECK_ERRNO(ioprio_set(IOPRIO_WHO_PROCESS, 0, 4 << IOPRIO_CLASS_SHIFT), EINVAL);
	CHECK_ERRNO(ioprio_set(9, 0, BE | 1), EINVAL);
	CHECK_ERRNO(ioprio_set(IOPRIO_WHO_PROCESS, 0, 7 << IOPRIO_CLASS_SHIFT), EINVAL);
	IN_CHILD(become_nobody(); CHECK_ERRNO(ioprio_set(IOPRIO_WHO_PROCESS, 0, RT | 1), EPERM);
		 CHECK_ERRNO(ioprio_set(IOPRIO_WHO_PROCESS, 1, BE | 1), EPERM);
		 CHECK_OK(ioprio_set(IOPRIO_WHO_PROCESS, 0, BE | 1));
		 CHECK_OK(ioprio_set(IOPRIO_WHO_PROCESS, 0, IDLE)));
}

static long compare(pid_t a, pid_t b, int type, unsigned long x, unsigned long y)
{
	return syscall(SYS_kcmp, a, b, type, x, y);
}

static void *compare_with_a_thread(void *arg)
{
	pid_t me = gettid(), it = *(pid_t *)arg;

	CHECK_EQ(compare(me, it, KCMP_VM, 0, 0), 0);
	CHECK_EQ(compare(me, it, KCMP_FILES, 0, 0), 0);
	CHECK_EQ(compare(me, it, KCMP_FS, 0, 0), 0);
	CHECK_EQ(compare(me, it, KCMP_SIGHAND, 0, 0), 0);
	return NULL;
}

TEST(calls, kcmp_threads_share)
{
	pid_t me = gettid();
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, compare_with_a_thread, &me), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
}

TEST(calls, kcmp_processes_do_not_but_for_files)
{
	int fd = CHECK_OK(dup(0)), other = CHECK_OK(open("/dev/null", O_RDONLY));
	pid_t me = getpid(), pid = CHECK_OK(fork());
	long order;

	if (!pid) {
		pause();
		_exit(0);
	}
	CHECK_EQ(compare(me, me, KCMP_FILE, 0, fd), 0);
	CHECK_EQ(compare(me, pid, KCMP_FILE, other, other), 0);
	order = compare(me, me, KCMP_FILE, 0, other);
	CHECK(order == 1 || order == 2);
	CHECK_EQ(compare(me, me, KCMP_FILE, other, 0), 3 - order);
	CHECK(compare(me, pid, KCMP_VM, 0, 0) > 0);
	CHECK(compare(me, pid, KCMP_FILES, 0, 0) > 0);
	CHECK(compare(me, pid, KCMP_FS, 0, 0) > 0);
	CHECK(compare(me, pid, KCMP_SIGHAND, 0, 0) > 0);
	CHECK_EQ(compare(me, pid, KCMP_SYSVSEM, 0, 0), 0);
	CHECK_OK(kill(pid, SIGKILL));
}

TEST(calls, kcmp_errors)
{
	pid_t me = getpid();

	CHECK_ERRNO(compare(me, 999999, KCMP_VM, 0, 0), ESRCH);
	CHECK_ERRNO(compare(999999, me, KCMP_VM, 0, 0), ESRCH);
	CHECK_ERRNO(compare(me, me, 99, 0, 0), EINVAL);
	CHECK_ERRNO(compare(me, me, KCMP_FILE, 0, 999), EBADF);
	IN_CHILD(become_nobody(); CHECK_ERRNO(compare(getpid(), 1, KCMP_VM, 0, 0), EPERM));
}

static long advise(int pidfd, const struct iovec *v, size_t n, int advice, unsigned flags)
{
	return syscall(SYS_process_madvise, pidfd, v, n, advice, flags);
}

TEST(calls, process_madvise)
{
	char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v[2] = {{p, 4096}, {p + 8192, 8192}};
	pid_t pid = CHECK_OK(fork());
	int fd;

	if (!pid) {
		pause();
		_exit(0);
	}
	fd = CHECK_OK(syscall(SYS_pidfd_open, pid, 0));
	CHECK_EQ(advise(fd, v, 2, MADV_COLD, 0), 12288);
	CHECK_EQ(advise(fd, v, 0, MADV_COLD, 0), 0);
	CHECK_ERRNO(advise(fd, v, 2, MADV_COLD, 1), EINVAL);
	CHECK_ERRNO(advise(fd, v, 2, MADV_DONTNEED, 0), EINVAL);
	CHECK_ERRNO(advise(0, v, 2, MADV_COLD, 0), EBADF);
	CHECK_ERRNO(advise(-1, v, 2, MADV_COLD, 0), EBADF);
	CHECK_ERRNO(advise(fd, (void *)8, 2, MADV_COLD, 0), EFAULT);
	CHECK_ERRNO(advise(fd, v, 2000, MADV_COLD, 0), EINVAL);
	v[0].iov_base = p + 1;
	CHECK_ERRNO(advise(fd, v, 2, MADV_COLD, 0), EINVAL);
	v[0].iov_base = NULL;
	CHECK_ERRNO(advise(fd, v, 2, MADV_COLD, 0), ENOMEM);
	v[0].iov_base = p;
	v[1].iov_base = NULL;
	CHECK_EQ(advise(fd, v, 2, MADV_COLD, 0), 4096);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_OK(waitpid(pid, NULL, 0));
	CHECK_ERRNO(advise(fd, v, 1, MADV_COLD, 0), ESRCH);
}

TEST(calls, process_madvise_rights)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v = {p, 4096};
	int fd = CHECK_OK(syscall(SYS_pidfd_open, 1, 0));

	IN_CHILD(become_nobody(); CHECK_ERRNO(advise(fd, &v, 1, MADV_COLD, 0), EACCES);
		 fd = CHECK_OK(syscall(SYS_pidfd_open, getpid(), 0));
		 CHECK_ERRNO(advise(fd, &v, 1, MADV_COLD, 0), EPERM));
}

static long release(int pidfd, unsigned flags)
{
	return syscall(__NR_process_mrelease, pidfd, flags);
}

TEST(calls, process_mrelease)
{
	enum { SIZE = 16 << 20 };
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int fd;

	memset(p, 1, SIZE);
	for (int i = 0; i < 20; i++) { /* it may have ended before we come */
		pid = CHECK_OK(fork());
		if (!pid) {
			memset(p, 2, SIZE);
			pause();
			_exit(0);
		}
		fd = CHECK_OK(syscall(SYS_pidfd_open, pid, 0));
		CHECK_ERRNO(release(fd, 0), EINVAL); /* it does not end */
		CHECK_ERRNO(release(fd, 1), EINVAL);
		CHECK_OK(kill(pid, SIGKILL));
		if (release(fd, 0))
			CHECK(errno == ESRCH || errno == EAGAIN);
		EXPECT_KILLED(pid, SIGKILL);
		CHECK_ERRNO(release(fd, 0), ESRCH);
		close(fd);
	}
	for (int i = 0; i < SIZE; i += 4096)
		CHECK_EQ(p[i], 1); /* ours, which they shared after fork */
	CHECK_ERRNO(release(0, 0), EBADF);
	CHECK_ERRNO(release(-1, 0), EBADF);
}

static _Noreturn int sleep_until_killed(void *unused)
{
	for (;;)
		pause();
}

TEST(calls, process_mrelease_spares_who_lives)
{
	static char stack[16384] __attribute__((aligned(16)));
	int pid = CHECK_OK(
		clone(sleep_until_killed, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	int fd = CHECK_OK(syscall(SYS_pidfd_open, pid, 0));

	CHECK_OK(kill(pid, SIGKILL));
	if (release(fd, 0) == 0 || (errno != EINVAL && errno != ESRCH))
		FAIL("the memory of a process that lives was taken");
	EXPECT_KILLED(pid, SIGKILL);
}

TEST(calls, protection_keys)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_OK(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ, -1));
	CHECK_ERRNO(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ, 9), EINVAL);
	CHECK_ERRNO(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ, 99), EINVAL);
	CHECK_ERRNO(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_pkey_alloc, 0, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_pkey_free, 9), EINVAL);
	CHECK_ERRNO(syscall(SYS_pkey_free, -1), EINVAL);
}

TEST(calls, robust_list_of_another)
{
	void *head;
	size_t len;

	CHECK_OK(syscall(SYS_get_robust_list, 1, &head, &len));
	CHECK_EQ(len, 24);
	CHECK_ERRNO(syscall(SYS_get_robust_list, 999999, &head, &len), ESRCH);
	IN_CHILD(become_nobody();
		 CHECK_ERRNO(syscall(SYS_get_robust_list, 1, &head, &len), EPERM));
}
