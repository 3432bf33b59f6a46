// SPDX-License-Identifier: MIT
/* Small settings of threads and of the system that have a call of their own. */
#include "guest.h"

#include <fcntl.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- personality ---- */

TEST(settings, personality_is_kept)
{
	CHECK_EQ(personality(0xffffffff), 0);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
	CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	IN_CHILD(CHECK_EQ(personality(0), ADDR_NO_RANDOMIZE));
	CHECK_EQ(personality(0), ADDR_NO_RANDOMIZE);
}

TEST(settings, personality_of_32_bits_has_another_machine)
{
	struct utsname u;

	CHECK_OK(uname(&u));
	CHECK_STREQ(u.machine, "x86_64");
	CHECK_EQ(personality(PER_LINUX32), 0);
	CHECK_OK(uname(&u));
	CHECK_STREQ(u.machine, "i686");
}

/* ---- sched_setattr: <linux/sched/types.h>, whose sched_param is musl's too ---- */

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static long set_attr(pid_t tid, struct attr *a)
{
	return syscall(SYS_sched_setattr, tid, a, 0);
}

TEST(settings, sched_attr_sets_policy_and_nice)
{
	struct attr a = {.size = sizeof(a), .policy = SCHED_BATCH, .nice = 5}, got;

	CHECK_OK(set_attr(0, &a));
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_OK(syscall(SYS_sched_getattr, 0, &got, sizeof(got), 0));
	CHECK_EQ(got.size, sizeof(got));
	CHECK_EQ(got.policy, SCHED_BATCH);
	CHECK_EQ(got.nice, 5);
	a = (struct attr){.size = sizeof(a), .policy = SCHED_FIFO, .priority = 7, .flags = 1};
	CHECK_OK(set_attr(0, &a));
	CHECK_OK(syscall(SYS_sched_getattr, 0, &got, sizeof(got), 0));
	CHECK_EQ(got.policy, SCHED_FIFO);
	CHECK_EQ(got.priority, 7);
	CHECK_EQ(got.flags, 1); /* SCHED_FLAG_RESET_ON_FORK */
	IN_CHILD(CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER));
}

TEST(settings, sched_attr_keeps_what_it_is_told_to)
{
	struct attr a = {.size = sizeof(a), .policy = SCHED_RR, .priority = 3};

	CHECK_OK(set_attr(0, &a));
	a = (struct attr){.size = sizeof(a), .flags = 8, .priority = 4}; /* KEEP_POLICY */
	CHECK_OK(set_attr(0, &a));
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_RR);
	a = (struct attr){.size = sizeof(a), .policy = SCHED_FIFO, .flags = 16 | 1};
	CHECK_OK(set_attr(0, &a));
	CHECK_OK(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0));
	CHECK_EQ(a.policy, SCHED_RR);
	CHECK_EQ(a.priority, 4);
	CHECK_EQ(a.flags, 1);
	a = (struct attr){.size = sizeof(a), .policy = 99, .flags = 16};
	CHECK_ERRNO(set_attr(0, &a), EINVAL);
}

TEST(settings, sched_attr_errors)
{
	struct {
		struct attr a;
		uint64_t more[4];
	} big = {.a = {.size = sizeof(big)}, .more = {1, 1, 1, 1}};
	struct attr a = {.size = sizeof(a), .policy = SCHED_FIFO};

	CHECK_ERRNO(set_attr(0, &a), EINVAL);
	a.policy = 99;
	CHECK_ERRNO(set_attr(0, &a), EINVAL);
	a = (struct attr){.size = sizeof(a), .flags = 1u << 30};
	CHECK_ERRNO(set_attr(0, &a), EINVAL);
	a = (struct attr){.size = sizeof(a)};
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	CHECK_ERRNO(set_attr(0, NULL), EINVAL);
	CHECK_ERRNO(set_attr(-1, &a), EINVAL);
	CHECK_ERRNO(set_attr(4000000, &a), ESRCH);
	a.size = 47;
	CHECK_ERRNO(set_attr(0, &a), E2BIG);
	CHECK(a.size >= 48);
	CHECK_ERRNO(set_attr(0, &big.a), E2BIG);
	CHECK(big.a.size < sizeof(big));
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &a, 47, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 1), EINVAL);
	IN_CHILD(a = (struct attr){.size = sizeof(a), .policy = SCHED_FIFO, .priority = 1};
		 CHECK_OK(setuid(1000)); CHECK_ERRNO(set_attr(0, &a), EPERM);
		 a = (struct attr){.size = sizeof(a), .nice = -1};
		 CHECK_ERRNO(set_attr(0, &a), EPERM););
}

/* ---- Threads ---- */

TEST(settings, robust_list_is_remembered)
{
	static struct {
		void *next;
		long offset;
		void *pending;
	} head = {.next = &head};
	void *got = NULL;
	size_t len = 0;

	CHECK_OK(syscall(SYS_set_robust_list, &head, sizeof(head)));
	CHECK_OK(syscall(SYS_get_robust_list, 0, &got, &len));
	CHECK(got == &head);
	CHECK_EQ(len, sizeof(head));
	CHECK_ERRNO(syscall(SYS_set_robust_list, &head, sizeof(head) - 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_get_robust_list, 4000000, &got, &len), ESRCH);
	CHECK_ERRNO(syscall(SYS_get_robust_list, 0, NULL, &len), EFAULT);
	IN_CHILD(CHECK_OK(setuid(1000));
		 CHECK_ERRNO(syscall(SYS_get_robust_list, 1, &got, &len), EPERM););
}

TEST(settings, a_queued_signal_for_one_thread)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE}, got;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	info.si_value.sival_int = 42;
	CHECK_OK(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, &info));
	CHECK_EQ(sigwaitinfo(&set, &got), SIGUSR1);
	CHECK_EQ(got.si_code, SI_QUEUE);
	CHECK_EQ(got.si_value.sival_int, 42);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, 1, gettid(), SIGUSR1, &info), ESRCH);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, 0, gettid(), SIGUSR1, &info), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), 65, &info), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, NULL), EFAULT);
	info.si_code = SI_USER;
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getppid(), getppid(), 0, &info), EPERM);
}

/* ---- The system ---- */

TEST(settings, domain_name)
{
	struct utsname before, u;

	CHECK_OK(uname(&before));
	CHECK_OK(setdomainname("torus.example", 13));
	CHECK_OK(uname(&u));
	CHECK_STREQ(u.domainname, "torus.example");
	CHECK_ERRNO(setdomainname("x", 65), EINVAL);
	CHECK_ERRNO(setdomainname((char *)1, 5), EFAULT);
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_ERRNO(setdomainname("x", 1), EPERM););
	CHECK_OK(setdomainname(before.domainname, strlen(before.domainname)));
}

TEST(settings, kernel_log)
{
	char buf[256];

	CHECK(klogctl(10, NULL, 0) > 0);
	CHECK(klogctl(3, buf, sizeof(buf)) >= 0);
	CHECK_ERRNO(klogctl(3, NULL, 10), EINVAL);
	CHECK_ERRNO(klogctl(3, buf, -1), EINVAL);
	CHECK_ERRNO(klogctl(8, NULL, 0), EINVAL);
	CHECK_ERRNO(klogctl(8, NULL, 9), EINVAL);
	CHECK_ERRNO(klogctl(11, NULL, 0), EINVAL);
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_ERRNO(klogctl(5, NULL, 0), EPERM);
		 CHECK_ERRNO(klogctl(8, NULL, 7), EPERM););
}

TEST(settings, time_of_day_is_for_the_capable)
{
	struct timeval tv = {.tv_sec = 1, .tv_usec = -1};
	struct timex tx = {0};

	CHECK_ERRNO(settimeofday(&tv, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_settimeofday, (void *)1, NULL), EFAULT);
	CHECK_OK(clock_adjtime(CLOCK_REALTIME, &tx));
	CHECK_ERRNO(clock_adjtime(CLOCK_MONOTONIC, &tx), EOPNOTSUPP);
	CHECK_ERRNO(clock_adjtime(99, &tx), EINVAL);
	IN_CHILD(tv.tv_usec = 0; CHECK_OK(setuid(1000));
		 CHECK_ERRNO(syscall(SYS_settimeofday, &tv, NULL), EPERM);
		 tx.modes = ADJ_SETOFFSET;
		 CHECK_ERRNO(clock_adjtime(CLOCK_REALTIME, &tx), EPERM);
		 CHECK_ERRNO(syscall(SYS_vhangup), EPERM););
}

/* ---- reboot ---- */

static long restart(unsigned magic, unsigned magic2, unsigned cmd, const void *arg)
{
	return syscall(SYS_reboot, magic, magic2, cmd, arg);
}

/* man 2 reboot. What succeeds is seen by every machine that ends; here is what must not end it. */
TEST(settings, restart_wants_the_magic_words)
{
	enum { NO_COMMAND = 0x12345678 };

	CHECK_ERRNO(restart(0, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, NULL), EINVAL);
	CHECK_ERRNO(restart(LINUX_REBOOT_MAGIC1, 0, LINUX_REBOOT_CMD_POWER_OFF, NULL), EINVAL);
	CHECK_ERRNO(
		restart(LINUX_REBOOT_MAGIC2, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_CMD_HALT, NULL),
		EINVAL);
	CHECK_ERRNO(
		restart(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, NO_COMMAND, NULL), EINVAL);
	CHECK_ERRNO(restart(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2C, LINUX_REBOOT_CMD_KEXEC,
			    NULL), /* none was loaded */
		EINVAL);
	CHECK_OK(restart(
		LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2A, LINUX_REBOOT_CMD_CAD_OFF, NULL));
	CHECK_OK(restart(
		LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2B, LINUX_REBOOT_CMD_CAD_ON, NULL));
	IN_CHILD(CHECK_OK(setuid(1000));
		 CHECK_ERRNO(restart(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
				     LINUX_REBOOT_CMD_CAD_ON, NULL),
			 EPERM);
		 CHECK_ERRNO(restart(0, 0, 0, NULL), EPERM););
}

TEST(settings, restart_reads_its_command_first)
{
	CHECK_ERRNO(restart(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART2,
			    (void *)1),
		EFAULT);
}

/* ---- mount_setattr ---- */

struct mount_attrs {
	uint64_t set, clear, propagation, userns;
};
enum { RDONLY = 1, NOEXEC = 8, ATIME_MASK = 0x70, NOATIME = 0x10, RECURSIVE = 0x8000 };

static long setattr(const char *name, unsigned flags, struct mount_attrs a)
{
	return syscall(SYS_mount_setattr, AT_FDCWD, name, flags, &a, sizeof(a));
}

static long set(const char *name, uint64_t set_bits, uint64_t clear)
{
	return setattr(name, 0, (struct mount_attrs){.set = set_bits, .clear = clear});
}

TEST(settings, mount_attributes)
{
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mount("none", "m", "tmpfs", 0, NULL));
	CHECK_OK(mkdir("m/inner", 0755));
	CHECK_OK(mount("none", "m/inner", "tmpfs", 0, NULL));
	CHECK_OK(set("m", RDONLY, 0));
	CHECK_ERRNO(mkdir("m/x", 0755), EROFS);
	CHECK_OK(mkdir("m/inner/x", 0755));
	CHECK_OK(set("m", 0, RDONLY));
	CHECK_OK(mkdir("m/x", 0755));
	CHECK_OK(setattr("m", RECURSIVE, (struct mount_attrs){.set = RDONLY}));
	CHECK_ERRNO(mkdir("m/inner/y", 0755), EROFS);
	CHECK_OK(setattr("m", RECURSIVE, (struct mount_attrs){.clear = RDONLY}));
	CHECK_OK(set("m", NOATIME, ATIME_MASK));
	CHECK_OK(setattr("m", 0, (struct mount_attrs){.propagation = MS_SHARED}));
	CHECK_OK(set("m", 0, 0));
}

TEST(settings, mount_attribute_errors)
{
	struct mount_attrs a = {.set = RDONLY};

	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("m", 0755));
	CHECK_ERRNO(set("m", RDONLY, 0), EINVAL);
	CHECK_OK(mount("none", "m", "tmpfs", 0, NULL));
	CHECK_ERRNO(set("m", 1u << 20 << 11, 0), EINVAL);
	CHECK_ERRNO(set("m", NOATIME, 0), EINVAL);
	CHECK_ERRNO(set("m", 0, NOATIME), EINVAL);
	CHECK_ERRNO(set("missing", RDONLY, 0), ENOENT);
	CHECK_ERRNO(setattr("m", 1, a), EINVAL);
	CHECK_ERRNO(setattr("m", 0, (struct mount_attrs){.propagation = MS_SHARED | MS_SLAVE}),
		EINVAL);
	CHECK_ERRNO(syscall(SYS_mount_setattr, AT_FDCWD, "m", 0, &a, 31), EINVAL);
	CHECK_ERRNO(syscall(SYS_mount_setattr, AT_FDCWD, "m", 0, &a, 100000), E2BIG);
	CHECK_ERRNO(syscall(SYS_mount_setattr, AT_FDCWD, "m", 0, NULL, sizeof(a)), EFAULT);
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_ERRNO(set("m", RDONLY, 0), EPERM););
}
