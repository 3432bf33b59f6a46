// SPDX-License-Identifier: MIT
/*
 * Who a process is: user and group ids, groups, capabilities, and what they do to each other.
 */
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

/* The calls themselves: libc's wrappers change every thread, and hide what the kernel says. */
static long k_setuid(unsigned uid)
{
	return syscall(SYS_setuid, uid);
}
static long k_setresuid(unsigned r, unsigned e, unsigned s)
{
	return syscall(SYS_setresuid, r, e, s);
}
static long k_setreuid(unsigned r, unsigned e)
{
	return syscall(SYS_setreuid, r, e);
}

static void check_ids(unsigned r, unsigned e, unsigned s)
{
	uid_t a, b, c;

	CHECK_OK(getresuid(&a, &b, &c));
	CHECK_EQ(a, r);
	CHECK_EQ(b, e);
	CHECK_EQ(c, s);
}

static unsigned long long effective(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	CHECK_OK(syscall(SYS_capget, &h, d));
	return d[0].effective | (unsigned long long)d[1].effective << 32;
}

static unsigned long long permitted(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	CHECK_OK(syscall(SYS_capget, &h, d));
	return d[0].permitted | (unsigned long long)d[1].permitted << 32;
}

TEST(cred, root_sets_all_three)
{
	CHECK_OK(k_setuid(1000));
	check_ids(1000, 1000, 1000);
	CHECK_ERRNO(k_setuid(0), EPERM);
	CHECK_OK(k_setuid(1000));
	CHECK_ERRNO(k_setuid(-1u), EINVAL);
}

TEST(cred, saved_id_comes_back)
{
	CHECK_OK(k_setresuid(1000, 1001, 1002));
	CHECK_OK(k_setuid(1002));
	check_ids(1000, 1002, 1002);
	CHECK_OK(k_setuid(1000));
	check_ids(1000, 1000, 1002);
	CHECK_ERRNO(k_setuid(1001), EPERM);
	CHECK_OK(k_setresuid(-1u, 1002, -1u));
	check_ids(1000, 1002, 1002);
}

TEST(cred, setreuid_saves_when_it_should)
{
	CHECK_OK(k_setreuid(1000, -1u));
	check_ids(1000, 0, 0);
	CHECK_OK(k_setreuid(-1u, 1000));
	check_ids(1000, 1000, 0);
	CHECK_OK(k_setreuid(-1u, 0));
	check_ids(1000, 0, 0);
	CHECK_OK(k_setreuid(-1u, 1001));
	check_ids(1000, 1001, 1001);
	CHECK_ERRNO(k_setreuid(1002, -1u), EPERM);
	CHECK_OK(k_setreuid(1001, 1000));
	check_ids(1001, 1000, 1000);
}

TEST(cred, fsuid_gives_the_old_one_always)
{
	CHECK_EQ(setfsuid(1000), 0);
	CHECK_EQ(setfsuid(-1), 1000);
	CHECK_EQ(setfsuid(0), 1000);
	CHECK_OK(k_setuid(1000));
	CHECK_EQ(setfsuid(77), 1000);
	CHECK_EQ(setfsuid(-1), 1000);
	CHECK_EQ(setfsgid(5), 0);
}

TEST(cred, group_ids)
{
	gid_t a, b, c;

	CHECK_OK(syscall(SYS_setresgid, 10, 11, 12));
	CHECK_OK(getresgid(&a, &b, &c));
	CHECK_EQ(getgid(), 10);
	CHECK_EQ(getegid(), 11);
	CHECK_EQ(a, 10);
	CHECK_EQ(b, 11);
	CHECK_EQ(c, 12);
	CHECK_OK(k_setuid(1000));
	CHECK_OK(syscall(SYS_setgid, 12));
	CHECK_EQ(getegid(), 12);
	CHECK_ERRNO(syscall(SYS_setgid, 11), EPERM);
	CHECK_OK(syscall(SYS_setregid, 12, 10));
	CHECK_OK(getresgid(&a, &b, &c));
	CHECK_EQ(a, 12);
	CHECK_EQ(b, 10);
	CHECK_EQ(c, 10);
}

TEST(cred, groups_are_sorted_and_counted)
{
	gid_t in[5] = {9, 3, 7, 3, 1}, out[8];

	CHECK_OK(syscall(SYS_setgroups, 5, in));
	CHECK_EQ(syscall(SYS_getgroups, 0, NULL), 5);
	CHECK_ERRNO(syscall(SYS_getgroups, 4, out), EINVAL);
	CHECK_ERRNO(syscall(SYS_getgroups, -1, out), EINVAL);
	CHECK_EQ(syscall(SYS_getgroups, 8, out), 5);
	CHECK_EQ(out[0], 1);
	CHECK_EQ(out[1], 3);
	CHECK_EQ(out[4], 9);
	CHECK_ERRNO(syscall(SYS_setgroups, 65537, in), EINVAL);
	CHECK_ERRNO(syscall(SYS_setgroups, 1, NULL), EFAULT);
	CHECK_OK(syscall(SYS_setgroups, 0, NULL));
	CHECK_EQ(syscall(SYS_getgroups, 8, out), 0);
	CHECK_OK(k_setuid(1000));
	CHECK_ERRNO(syscall(SYS_setgroups, 0, NULL), EPERM);
}

TEST(cred, leaving_root_loses_capabilities)
{
	unsigned long long all = permitted();

	CHECK(all != 0);
	CHECK_OK(k_setresuid(1000, 1000, 0));
	CHECK_EQ(effective(), 0);
	CHECK_EQ(permitted(), all);
	CHECK_OK(k_setresuid(-1u, 0, -1u));
	CHECK_EQ(effective(), all);
	CHECK_OK(k_setresuid(1000, 1000, 1000));
	CHECK_EQ(permitted(), 0);
}

TEST(cred, keepcaps_keeps_the_permitted)
{
	unsigned long long all = permitted();

	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 0);
	CHECK_OK(prctl(PR_SET_KEEPCAPS, 1));
	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 1);
	CHECK_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
	CHECK_OK(k_setresuid(1000, 1000, 1000));
	CHECK_EQ(permitted(), all);
	CHECK_EQ(effective(), 0);
}

TEST(cred, capset_only_takes_away)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2], none[2] = {{0}};

	CHECK_OK(syscall(SYS_capget, &h, d));
	d[0].effective &= ~(1u << CAP_KILL);
	CHECK_OK(syscall(SYS_capset, &h, d));
	CHECK_EQ(effective() >> CAP_KILL & 1, 0);
	d[0].effective |= 1u << CAP_KILL;
	CHECK_OK(syscall(SYS_capset, &h, d));
	d[0].permitted &= ~(1u << CAP_KILL);
	CHECK_ERRNO(syscall(SYS_capset, &h, d), EPERM); /* effective without permitted */
	CHECK_OK(syscall(SYS_capset, &h, none));
	CHECK_ERRNO(syscall(SYS_capset, &h, d), EPERM);
	h.version = 1;
	CHECK_ERRNO(syscall(SYS_capget, &h, d), EINVAL);
	CHECK_EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
	h.version = 1;
	CHECK_OK(syscall(SYS_capget, &h, NULL));
	h.pid = -1;
	CHECK_ERRNO(syscall(SYS_capget, &h, d), EINVAL);
	h.pid = 99999;
	CHECK_ERRNO(syscall(SYS_capget, &h, d), ESRCH);
	CHECK_ERRNO(syscall(SYS_capset, &h, d), EPERM);
}

TEST(cred, bounding_and_ambient)
{
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_KILL), 1);
	CHECK_OK(prctl(PR_CAPBSET_DROP, CAP_KILL));
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_KILL), 0);
	CHECK_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
	CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
	CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
	CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0), EINVAL);
	CHECK_OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	CHECK_ERRNO(prctl(PR_CAP_AMBIENT, 9, 0, 0, 0), EINVAL);
}

TEST(cred, securebits_lock)
{
	CHECK_EQ(prctl(PR_GET_SECUREBITS), 0);
	CHECK_OK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
	CHECK_ERRNO(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED), EPERM);
	CHECK_ERRNO(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT), EPERM);
	CHECK_EQ(prctl(PR_GET_SECUREBITS), SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
}

TEST(cred, changing_ids_hides_memory)
{
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	CHECK_OK(k_setresuid(-1u, 1000, -1u));
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	int sig = -1;
	CHECK_OK(prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(sig, 0);
}

TEST(cred, no_new_privs_stays)
{
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
}

TEST(cred, nproc_limits_a_user_and_not_root)
{
	struct rlimit few = {3, 3};
	int status, nr = 0;
	pid_t children[10];

	CHECK_OK(setrlimit(RLIMIT_NPROC, &few));
	pid_t root = fork();
	CHECK(root >= 0);
	if (!root)
		_exit(0);
	CHECK_EQ(waitpid(root, &status, 0), root);
	CHECK_OK(k_setuid(4321));
	for (; nr < 10; nr++) {
		pid_t child = fork();

		if (child < 0)
			break;
		if (!child) {
			pause();
			_exit(0);
		}
		children[nr] = child;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(nr, 2); /* and this one */
	while (nr-- > 0) { /* gone, as others count this user's, too */
		CHECK_OK(kill(children[nr], SIGKILL));
		EXPECT_KILLED(children[nr], SIGKILL);
	}
}
