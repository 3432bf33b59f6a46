// SPDX-License-Identifier: MIT
/*
 * Very many processes and threads. crowd.sleepers= on the kernel's command line makes more of them;
 * what one of them costs is printed.
 */
#include "guest.h"

#include <grp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <linux/futex.h>

enum { USER = 1003, SLEEPERS = 400 };

static void allow(const char *path, long at_least)
{
	char text[32];
	int fd;

	if (get_file(path, text, sizeof(text)) > 0 && atol(text) >= at_least)
		return;
	fd = CHECK_OK(open(path, O_WRONLY));
	snprintf(text, sizeof(text), "%ld", at_least);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_OK(close(fd));
}

static void become_user(void)
{
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
		_exit(CHILD_FAILED);
}

/* Until he has no process that counts: he may have this one and another then. */
static void end_users_processes(void)
{
	struct rlimit two = {2, 2};

	for (int tries = 0; tries < 200; tries++) {
		int status;
		pid_t pid = CHECK_OK(fork());

		if (pid == 0) {
			if (setrlimit(RLIMIT_NPROC, &two))
				_exit(CHILD_FAILED);
			become_user();
			kill(-1, SIGKILL);
			pid = fork();
			if (pid == 0)
				_exit(0);
			_exit(pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : 1);
		}
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		while (waitpid(-1, NULL, WNOHANG) > 0) {
		}
		if (status == 0)
			return;
		sleep_ms(
			10); /* the dead must be fetched, those without a parent by process 1 */
	}
	FAIL("processes of the user come faster than they go");
}

/* A user forks for ever: the others go on, and he can be stopped. */
TEST_WITHIN(crowd, fork_bomb_of_a_user, 120)
{
	struct rlimit limit = {60, 60};
	pid_t bomb = CHECK_OK(fork());

	if (bomb == 0) {
		CHECK_OK(setrlimit(RLIMIT_NPROC, &limit));
		become_user();
		for (;;)
			(void)!fork();
	}
	for (int i = 0; i < 20; i++) {
		IN_CHILD(execve("/proc/self/exe", (char *[]){"x", "--helper", NULL}, NULL));
		sleep_ms(10);
	}
	end_users_processes();
	CHECK_ERRNO(waitpid(bomb, NULL, 0), ECHILD);
	IN_CHILD(become_user(); CHECK_OK(setrlimit(RLIMIT_NPROC, &limit)); IN_CHILD());
}

int guest_helper(int argc, char **argv)
{
	return argc && argv ? argc : 0;
}

static long free_bytes(void)
{
	return get_number("/proc/meminfo", "MemFree") * 1024;
}

TEST_WITHIN(crowd, sleeping_processes, 600)
{
	long nr = word_of_cmdline("crowd.sleepers=", SLEEPERS), before, after;
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	int gate[2], here[2];
	char c;

	CHECK_OK(setrlimit(RLIMIT_NPROC, &none));
	allow("/proc/sys/kernel/pid_max", nr + 2000);
	allow("/proc/sys/kernel/threads-max", nr + 2000);
	CHECK_OK(pipe(gate));
	CHECK_OK(pipe(here));
	before = free_bytes();
	for (long i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0)
			FAIL("process %ld: %s", i, errno_name(errno));
		if (pid == 0) {
			close(gate[1]);
			(void)!write(here[1], "x", 1);
			(void)!read(gate[0], &c, 1);
			_exit(0);
		}
	}
	for (long i = 0; i < nr; i++)
		CHECK_EQ(read(here[0], &c, 1), 1);
	after = free_bytes();
	close(gate[1]);
	for (long i = 0; i < nr; i++)
		CHECK(wait(NULL) > 0);
	CHECK_ERRNO(wait(NULL), ECHILD);
	if (nr > SLEEPERS) {
		printf("# crowd: %ld processes slept, %ld bytes each\n", nr,
			(before - after) / nr);
		fflush(stdout);
	}
}

static int gate_word;

static void *sleep_at_gate(void *arg)
{
	__atomic_add_fetch((int *)arg, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&gate_word, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &gate_word, FUTEX_WAIT_PRIVATE, 0, NULL);
	return NULL;
}

TEST_WITHIN(crowd, sleeping_threads, 600)
{
	long nr = word_of_cmdline("crowd.sleepers=", SLEEPERS), before, after;
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	pthread_t *threads;
	pthread_attr_t attr;
	static int here;

	CHECK_OK(setrlimit(RLIMIT_NPROC, &none));
	allow("/proc/sys/kernel/pid_max", nr + 2000);
	allow("/proc/sys/kernel/threads-max", nr + 2000);
	nr = nr < 30000 ? nr : 30000; /* two mappings each: vm.max_map_count */
	threads = calloc(nr, sizeof(*threads));
	CHECK(threads);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	before = free_bytes();
	for (long i = 0; i < nr; i++) {
		int err = pthread_create(&threads[i], &attr, sleep_at_gate, &here);

		if (err)
			FAIL("thread %ld: %s", i, errno_name(err));
	}
	while (__atomic_load_n(&here, __ATOMIC_SEQ_CST) < nr)
		sleep_ms(10);
	after = free_bytes();
	__atomic_store_n(&gate_word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &gate_word, FUTEX_WAKE_PRIVATE, INT32_MAX);
	for (long i = 0; i < nr; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	if (nr > SLEEPERS) {
		printf("# crowd: %ld threads slept, %ld bytes each\n", nr,
			(before - after) / nr);
		fflush(stdout);
	}
}
