// SPDX-License-Identifier: MIT
/*
 * Memory is out: who took it ends, and nobody else. Each test has a bystander, a small process that must
 * be alive and working afterwards.
 */
#include "guest.h"

#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>

enum { PAGE = 4096, CHUNK = 1 << 20, MIB = 1 << 20 };

static volatile long *work;

static long total_mib(void)
{
	struct sysinfo info;

	CHECK_OK(sysinfo(&info));
	return info.totalram * info.mem_unit / MIB;
}

static void set_adj(int adj)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", adj);
	put_file("/proc/self/oom_score_adj", text);
}

/* Touches so many MiB, and tells through the count how far it is. */
static void take(long mib, volatile long *taken)
{
	for (long i = 0; i < mib; i++) {
		char *at = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (at == MAP_FAILED)
			_exit(CHILD_FAILED);
		for (long byte = 0; byte < CHUNK; byte += PAGE)
			at[byte] = 1;
		(*taken)++;
	}
}

static pid_t start_bystander(void)
{
	pid_t pid;

	work = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(work != MAP_FAILED);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		take(8, &work[1]);
		for (;;) {
			work[0]++;
			sleep_ms(5);
		}
	}
	while (!work[0])
		sleep_ms(5);
	return pid;
}

static void check_bystander(pid_t pid)
{
	long before = work[0];

	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	for (int tries = 0; tries < 400 && work[0] < before + 5; tries++)
		sleep_ms(10);
	CHECK(work[0] >= before + 5);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

static pid_t start_taker(int adj, long mib, int slot, bool stays)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		set_adj(adj);
		take(mib, &work[slot]);
		while (stays)
			pause();
		_exit(0);
	}
	return pid;
}

static void wait_for(int slot, long mib)
{
	while (work[slot] < mib)
		sleep_ms(10);
}

TEST_WITHIN(oom, who_takes_all_is_killed, 120)
{
	pid_t bystander = start_bystander();
	pid_t hog = start_taker(0, 2 * total_mib(), 2, true);

	EXPECT_KILLED(hog, SIGKILL);
	check_bystander(bystander);
}

TEST_WITHIN(oom, the_adjustment_decides_who_is_next, 180)
{
	pid_t bystander = start_bystander();
	long much = total_mib() / 2, little = total_mib() / 6;
	pid_t large = start_taker(0, much, 2, true), favoured, unloved;

	wait_for(2, much);
	unloved = start_taker(1000, little, 3, true);
	wait_for(3, little);
	favoured = start_taker(-500, 2 * total_mib(), 4, true); /* it takes the rest */
	EXPECT_KILLED(unloved, SIGKILL);
	CHECK_EQ(waitpid(large, NULL, WNOHANG),
		0); /* what the other had is enough for a while */
	EXPECT_KILLED(large, SIGKILL);
	CHECK_EQ(waitpid(favoured, NULL, WNOHANG), 0);
	EXPECT_KILLED(favoured, SIGKILL);
	check_bystander(bystander);
}

/* Each page read costs a page table, and no page: what has no size in memory counts as well. */
TEST_WITHIN(oom, who_takes_page_tables_is_killed, 180)
{
	const uint64_t step = 2 << 20;
	pid_t bystander = start_bystander(), hog = CHECK_OK(fork());

	if (hog == 0) {
		uint64_t len = step * (total_mib() * MIB / PAGE) * 3 / 2;
		volatile char *at = mmap(NULL, len, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (at == MAP_FAILED)
			_exit(CHILD_FAILED);
		madvise((void *)at, len, MADV_NOHUGEPAGE);
		for (uint64_t byte = 0; byte < len; byte += step)
			(void)at[byte];
		_exit(0);
	}
	EXPECT_KILLED(hog, SIGKILL);
	check_bystander(bystander);
}

/* A thread of it that sleeps in the kernel, and children that share its memory, do not keep it. */
TEST_WITHIN(oom, memory_that_two_processes_share_comes_back, 120)
{
	pid_t bystander = start_bystander(), hog;

	hog = CHECK_OK(fork());
	if (hog == 0) {
		pid_t vforked = vfork(); /* the child runs in our memory, and we wait for it */

		if (vforked == 0) {
			take(2 * total_mib(), &work[2]);
			_exit(0);
		}
		pause();
	}
	EXPECT_KILLED(hog, SIGKILL);
	check_bystander(bystander);
}

TEST_WITHIN(oom, a_full_tmpfs_is_no_reason_to_kill, 120)
{
	static char block[CHUNK];
	pid_t bystander = start_bystander();
	int fd = CHECK_OK(open("full", O_WRONLY | O_CREAT, 0600));
	struct statfs fs;
	long written = 0, n;

	memset(block, 'x', sizeof(block));
	while ((n = write(fd, block, sizeof(block))) > 0)
		written += n;
	CHECK_EQ(errno, ENOSPC);
	CHECK(written / MIB > total_mib() / 4);
	CHECK_OK(statfs(".", &fs));
	CHECK(fs.f_bfree < 2);
	CHECK_OK(close(fd));
	CHECK_OK(unlink("full"));
	CHECK_OK(statfs(".", &fs));
	CHECK(fs.f_bfree > fs.f_blocks / 2);
	check_bystander(bystander);
}
