// SPDX-License-Identifier: MIT
/* credentials(7), capabilities(7), getrlimit(2), setsid(2), setpgid(2), uname(2), sysinfo(2), getrandom(2). */
#include "guest.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void expect_uids(uid_t r, uid_t e, uid_t s)
{
	uid_t ruid, euid, suid;

	CHECK_OK(getresuid(&ruid, &euid, &suid));
	CHECK_EQ(ruid, r);
	CHECK_EQ(euid, e);
	CHECK_EQ(suid, s);
}

static struct __user_cap_data_struct caps_of_self(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	CHECK_OK(syscall(SYS_capget, &head, data));
	return data[0];
}

TEST(ids, setuid_of_root_sets_all)
{
	CHECK_OK(setuid(1000));
	expect_uids(1000, 1000, 1000);
	CHECK_ERRNO(setuid(0), EPERM);
	CHECK_OK(setuid(1000));
}

TEST(ids, seteuid_can_go_back)
{
	CHECK_OK(seteuid(1000));
	expect_uids(0, 1000, 0);
	CHECK_ERRNO(setuid(2000), EPERM);
	CHECK_OK(seteuid(0));
	expect_uids(0, 0, 0);
}

TEST(ids, setreuid_rules)
{
	CHECK_OK(setreuid(1000, 2000));
	expect_uids(1000, 2000, 2000);
	CHECK_OK(setreuid(2000, 1000));
	expect_uids(2000, 1000, 1000);
	CHECK_ERRNO(setreuid(-1, 3000), EPERM);
}

TEST(ids, setresuid_rules)
{
	CHECK_OK(setresuid(1, 2, 3));
	CHECK_OK(setresuid(3, -1, 1));
	expect_uids(3, 2, 1);
	CHECK_ERRNO(setresuid(-1, 4, -1), EPERM);
	CHECK_OK(setresuid(-1, -1, -1));
}

TEST(ids, groups)
{
	gid_t list[3] = {30, 10, 20}, got[8];

	CHECK_OK(setgroups(3, list));
	CHECK_EQ(getgroups(0, NULL), 3);
	CHECK_EQ(getgroups(8, got), 3);
	CHECK_EQ(got[0], 10);
	CHECK_EQ(got[2], 30);
	CHECK_ERRNO(getgroups(2, got), EINVAL);
	CHECK_ERRNO(syscall(SYS_setgroups, 65537, list), EINVAL);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(setgroups(0, NULL), EPERM);
}

TEST(ids, setgid_rules)
{
	gid_t r, e, s;

	CHECK_OK(setresgid(1, 2, 3));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(setgid(3));
	CHECK_OK(getresgid(&r, &e, &s));
	CHECK_EQ(r, 1);
	CHECK_EQ(e, 3);
	CHECK_EQ(s, 3);
	CHECK_ERRNO(setgid(5), EPERM);
}

TEST(ids, dropping_root_drops_capabilities)
{
	CHECK_EQ(caps_of_self().effective, ~0U);
	CHECK_OK(seteuid(1000));
	CHECK_EQ(caps_of_self().effective, 0);
	CHECK_EQ(caps_of_self().permitted, ~0U);
	CHECK_OK(seteuid(0));
	CHECK_EQ(caps_of_self().effective, ~0U);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_EQ(caps_of_self().permitted, 0);
}

TEST(ids, keepcaps)
{
	CHECK_OK(prctl(PR_SET_KEEPCAPS, 1));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_EQ(caps_of_self().effective, 0);
	CHECK_EQ(caps_of_self().permitted, ~0U);
}

TEST(ids, capset_rules)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{1, 1, 0}};

	CHECK_OK(syscall(SYS_capset, &head, data));
	CHECK_EQ(caps_of_self().permitted, 1);
	data[0].permitted = 3;
	CHECK_ERRNO(syscall(SYS_capset, &head, data), EPERM);
	data[0] = (struct __user_cap_data_struct){2, 1, 0};
	CHECK_ERRNO(syscall(SYS_capset, &head, data), EPERM);
	head.version = 1;
	CHECK_ERRNO(syscall(SYS_capget, &head, data), EINVAL);
	CHECK_EQ(head.version, _LINUX_CAPABILITY_VERSION_3);
	head = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, -1};
	CHECK_ERRNO(syscall(SYS_capget, &head, data), EINVAL);
	head.pid = 999999;
	CHECK_ERRNO(syscall(SYS_capget, &head, data), ESRCH);
}

TEST(ids, bounding_set)
{
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN), 1);
	CHECK_OK(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN), 0);
	CHECK_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
	CHECK_EQ(prctl(PR_GET_SECUREBITS), 0);
}

TEST(ids, rlimit_get_and_set)
{
	struct rlimit limit = {100, 200};

	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(limit.rlim_cur, 100);
	CHECK_EQ(limit.rlim_max, 200);
	limit = (struct rlimit){300, 200};
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
	CHECK_OK(setresuid(1000, 1000, 1000));
	limit = (struct rlimit){100, 300};
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
	limit = (struct rlimit){200, 200};
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_ERRNO(syscall(SYS_getrlimit, 16, &limit), EINVAL);
	CHECK_ERRNO(syscall(SYS_getrlimit, 0, 8L), EFAULT);
}

TEST(ids, rlimit_defaults)
{
	struct rlimit limit;

	CHECK_OK(getrlimit(RLIMIT_STACK, &limit));
	CHECK_EQ(limit.rlim_cur, 8 << 20);
	CHECK_EQ(limit.rlim_max, RLIM_INFINITY);
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(limit.rlim_cur, 1024);
	CHECK_EQ(limit.rlim_max, 4096);
	CHECK_OK(getrlimit(RLIMIT_CORE, &limit));
	CHECK_EQ(limit.rlim_cur, 0);
	CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &limit));
	CHECK_EQ(limit.rlim_cur, 8 << 20);
}

TEST(ids, prlimit_of_another)
{
	struct rlimit limit = {50, 60}, old;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		raise(SIGSTOP);
		CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
		_exit(limit.rlim_cur);
	}
	CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
	CHECK_OK(prlimit(pid, RLIMIT_NOFILE, &limit, &old));
	CHECK_EQ(old.rlim_cur, 1024);
	kill(pid, SIGCONT);
	EXPECT_CHILD(pid, 50);
	CHECK_ERRNO(prlimit(999999, RLIMIT_NOFILE, NULL, &old), ESRCH);
}

TEST(ids, nofile_limits_descriptors)
{
	struct rlimit limit = {20, 20};
	int fd;

	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	while ((fd = dup(0)) >= 0)
		CHECK(fd < 20);
	CHECK_EQ(errno, EMFILE);
	CHECK_ERRNO(dup2(0, 20), EBADF);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 20), EINVAL);
	CHECK_ERRNO(open("/", O_RDONLY), EMFILE);
	CHECK_ERRNO(pipe((int[2]){0}), EMFILE);
}

TEST(ids, fsize_limit)
{
	struct rlimit limit = {100, 100};
	int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
	char big[200] = "";
	pid_t pid;

	CHECK_OK(setrlimit(RLIMIT_FSIZE, &limit));
	CHECK_EQ(write(fd, big, 200), 100);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		(void)!write(fd, "x", 1);
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGXFSZ);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_ERRNO(write(fd, "x", 1), EFBIG);
	CHECK_ERRNO(ftruncate(fd, 101), EFBIG);
}

TEST(ids, nproc_limit)
{
	struct rlimit limit = {3, 3};
	int n = 0;
	pid_t pid;

	CHECK_OK(setrlimit(RLIMIT_NPROC, &limit));
	CHECK_OK(setresuid(5555, 5555, 5555));
	while ((pid = fork()) > 0 && n < 10)
		n++;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 2);
}

TEST(ids, cpu_limit)
{
	struct rlimit limit = {1, 5};
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_OK(setrlimit(RLIMIT_CPU, &limit));
		for (;;) {
		}
	}
	EXPECT_KILLED(pid, SIGXCPU);
}

static volatile int nr_xcpu;

static void count_xcpu(int sig)
{
	(void)sig;
	nr_xcpu++;
}

TEST(ids, cpu_limit_soft_then_hard)
{
	struct rlimit limit = {1, 3}, now;
	int p[2], n = 0;
	char c;
	pid_t pid;

	CHECK_OK(pipe(p));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		int seen = 0;

		signal(SIGXCPU, count_xcpu);
		CHECK_OK(setrlimit(RLIMIT_CPU, &limit));
		for (;;) {
			if (nr_xcpu == seen)
				continue;
			seen = nr_xcpu;
			CHECK_OK(getrlimit(RLIMIT_CPU, &now));
			CHECK_EQ(now.rlim_cur, 1 + seen); /* moved on by a second each time */
			CHECK_EQ(now.rlim_max, 3);
			CHECK_EQ(write(p[1], "x", 1), 1);
		}
	}
	close(p[1]);
	while (read(p[0], &c, 1) == 1)
		n++;
	EXPECT_KILLED(pid, SIGKILL);
	CHECK_EQ(n, 2);
}

TEST(ids, cpu_limit_of_a_child_starts_anew)
{
	struct rlimit limit = {1, RLIM_INFINITY};
	pid_t pid;

	CHECK_OK(setrlimit(RLIMIT_CPU, &limit));
	pid = CHECK_OK(fork());
	if (pid == 0)
		for (;;) {
		}
	EXPECT_KILLED(pid, SIGXCPU);
	limit.rlim_cur = RLIM_INFINITY;
	CHECK_OK(setrlimit(RLIMIT_CPU, &limit));
}

/* What is over already is over at once. */
TEST(ids, cpu_limit_of_zero)
{
	struct rlimit limit = {0, RLIM_INFINITY};
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_OK(setrlimit(RLIMIT_CPU, &limit));
		for (;;) {
		}
	}
	EXPECT_KILLED(pid, SIGXCPU);
}

TEST(ids, realtime_limit)
{
	struct rlimit limit = {100000, RLIM_INFINITY};
	struct sched_param param = {.sched_priority = 1};
	pid_t pid;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("a second CPU is needed to go on meanwhile");
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(setrlimit(RLIMIT_RTTIME, &limit));
		CHECK_OK(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param));
		for (int i = 0; i < 10; i++) /* waiting is what it is about */
			sleep_ms(20);
		for (;;) {
		}
	}
	EXPECT_KILLED(pid, SIGXCPU);
}

static void burn_ms(int ms)
{
	struct timespec now, end;

	CHECK_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end));
	end.tv_nsec += ms * 1000000L;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	do {
		CHECK_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
}

/* Who has no real-time policy has all the time, and its children. */
TEST(ids, realtime_limit_of_zero)
{
	struct rlimit limit = {0, 0};
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_OK(setrlimit(RLIMIT_RTTIME, &limit));
		burn_ms(50);
		for (int i = 0; i < 10; i++) {
			pid = CHECK_OK(fork());
			if (pid == 0) {
				burn_ms(20);
				_exit(0);
			}
			EXPECT_CHILD(pid, 0);
		}
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
}

TEST(ids, setsid_makes_a_session)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_EQ(setsid(), getpid());
		CHECK_EQ(getsid(0), getpid());
		CHECK_EQ(getpgrp(), getpid());
		CHECK_ERRNO(setsid(), EPERM);
		CHECK_ERRNO(setpgid(0, 0) == 0 ? 0 : -1, EPERM);
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
	CHECK_ERRNO(setsid(), EPERM); /* a group leader */
}

TEST(ids, setpgid_rules)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		pause();
		_exit(0);
	}
	CHECK_EQ(getpgid(pid), getpgrp());
	CHECK_ERRNO(setpgid(pid, 999999), EPERM);
	CHECK_ERRNO(setpgid(pid, -1), EINVAL);
	CHECK_ERRNO(setpgid(999999, 0), ESRCH);
	CHECK_ERRNO(setpgid(1, 0), ESRCH);
	CHECK_OK(setpgid(pid, 0));
	CHECK_EQ(getpgid(pid), pid);
	CHECK_OK(setpgid(pid, getpgrp()));
	CHECK_ERRNO(getpgid(999999), ESRCH);
	CHECK_ERRNO(getsid(999999), ESRCH);
	kill(pid, SIGKILL);
	EXPECT_KILLED(pid, SIGKILL);
}

TEST(ids, setpgid_after_exec_is_eacces)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		execl("/proc/self/exe", "ids", "no.such*", NULL);
		_exit(1);
	}
	pid_t other = CHECK_OK(vfork());
	if (other == 0) {
		execl("/proc/self/exe", "ids", "--helper", NULL);
		_exit(1);
	}
	/* Linux lets the parent of vfork go on a little before it counts as exec */
	for (int i = 0; i < 1000 && setpgid(other, 0) == 0; i++)
		sleep_ms(2);
	CHECK_ERRNO(setpgid(other, 0), EACCES);
	EXPECT_CHILD(other, 0);
	EXPECT_CHILD(pid, 0);
}

TEST(ids, uname)
{
	struct utsname u;

	CHECK_OK(uname(&u));
	CHECK_STREQ(u.sysname, "Linux");
	CHECK_STREQ(u.machine, "x86_64");
	CHECK(u.release[0] >= '5' && u.release[0] <= '9');
	CHECK_ERRNO(syscall(SYS_uname, 8L), EFAULT);
}

TEST(ids, hostname)
{
	struct utsname u;
	char name[65];

	CHECK_OK(sethostname("torus-test", 10));
	CHECK_OK(uname(&u));
	CHECK_STREQ(u.nodename, "torus-test");
	memset(name, 'x', 65);
	CHECK_ERRNO(sethostname(name, 65), EINVAL);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(sethostname("a", 1), EPERM);
}

TEST(ids, sysinfo)
{
	struct sysinfo si;

	CHECK_OK(sysinfo(&si));
	CHECK(si.totalram * si.mem_unit > 100UL << 20);
	CHECK(si.freeram <= si.totalram);
	CHECK(si.procs >= 2);
}

TEST(ids, getrandom)
{
	char a[32] = "", b[32] = "";

	CHECK_EQ(getrandom(a, 32, 0), 32);
	CHECK_EQ(getrandom(b, 32, GRND_NONBLOCK), 32);
	CHECK(memcmp(a, b, 32) != 0);
	CHECK_ERRNO(getrandom(a, 32, 8), EINVAL);
	CHECK_ERRNO(getrandom(a, 32, 6), EINVAL); /* RANDOM and INSECURE */
	CHECK_ERRNO(syscall(SYS_getrandom, 8L, 32L, 0), EFAULT);
	CHECK_EQ(getrandom(a, 0, 0), 0);
}
