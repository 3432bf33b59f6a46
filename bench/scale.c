// SPDX-License-Identifier: MIT
/*
 * How costs grow, as process 1 of a machine under -icount (bench/run scale): fork with more and more
 * memory touched, and what a sleeping process and a sleeping thread keep of the machine's memory.
 *
 * Prints `scale: name unit value` lines, then `scale: done`. Runs on any Linux kernel as well.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MIB = 1 << 20,
	PAGE = 4096,
	HUGE_PAGE = 2 * MIB,
	ROUNDS = 5,
	SLEEPERS = 1000,
	STACK = 1024
};

static uint64_t counter(void)
{
	return __builtin_ia32_rdtsc();
}

static void must(int is_fine, const char *what)
{
	if (is_fine)
		return;
	perror(what);
	printf("scale: failed\n");
	exit(1);
}

/* ---- fork ---- */

static char *touch(size_t size, int advice)
{
	char *map = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *from = (char *)(((uintptr_t)map + HUGE_PAGE - 1) & -(uintptr_t)HUGE_PAGE);

	must(map != MAP_FAILED, "mmap");
	madvise(from, size, advice);
	for (size_t at = 0; at < size; at += PAGE)
		from[at] = 1;
	return map;
}

static uint64_t one_child(int is_exec)
{
	char *argv[] = {"leave", NULL};
	uint64_t start = counter();
	pid_t pid = fork();
	int status;

	must(pid >= 0, "fork");
	if (pid == 0) {
		if (is_exec)
			execv("/init", argv);
		_exit(is_exec);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0, "the child");
	return counter() - start;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure_fork(const char *what, const char *pages, unsigned mib, int is_exec)
{
	uint64_t steps[ROUNDS];

	one_child(is_exec);
	for (int i = 0; i < ROUNDS; i++)
		steps[i] = one_child(is_exec);
	qsort(steps, ROUNDS, sizeof(steps[0]), by_value);
	printf("scale: %s_%uM_%s insn/op %llu\n", what, mib, pages,
		(unsigned long long)steps[ROUNDS / 2]);
}

static void forks(unsigned mib, const char *pages, int advice)
{
	size_t size = (size_t)mib * MIB;
	char *map = touch(size, advice);

	measure_fork("fork_exit", pages, mib, 0);
	measure_fork("fork_exec", pages, mib, 1);
	munmap(map, size + HUGE_PAGE);
}

/* ---- Sleepers ---- */

static long free_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	must(f != NULL, "/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static int sleeper(void *arg)
{
	(void)arg;
	while (syscall(SYS_pause))
		;
	return 0;
}

/* Of the second thousand: the first one fills what is left half empty in caches. */
static void report(const char *name, int (*make)(int))
{
	long before = 0;

	for (int i = 0; i < 2 * SLEEPERS; i++) {
		if (i == SLEEPERS) {
			sleep(1);
			before = free_kib();
		}
		must(make(i) > 0, name);
	}
	sleep(1);
	printf("scale: %s bytes %ld\n", name, (before - free_kib()) * 1024 / SLEEPERS);
}

static pid_t pids[2 * SLEEPERS];
static char *stacks;

static int make_process(int i)
{
	pids[i] = fork();
	if (pids[i] == 0)
		_exit(sleeper(NULL));
	return pids[i];
}

static void processes(void)
{
	report("sleeping_process", make_process);
	for (int i = 0; i < 2 * SLEEPERS; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < 2 * SLEEPERS; i++)
		waitpid(pids[i], NULL, 0);
}

static int make_thread(int i)
{
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		    CLONE_SYSVSEM;

	return clone(sleeper, stacks + (i + 1) * STACK, flags, NULL);
}

static void threads(void)
{
	stacks = mmap(NULL, 2 * SLEEPERS * STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(stacks != MAP_FAILED, "stacks");
	memset(stacks, 0, 2 * SLEEPERS * STACK);
	report("sleeping_thread", make_thread);
}

int main(int argc, char **argv)
{
	static const unsigned sizes[] = {1, 64, 1024};

	if (argc > 0 && strcmp(argv[0], "leave") == 0)
		return 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	processes();
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		forks(sizes[i], "4k", MADV_NOHUGEPAGE);
		forks(sizes[i], "2M", MADV_HUGEPAGE);
	}
	threads();
	printf("scale: done\n");
	sync();
	return reboot(RB_AUTOBOOT);
}
