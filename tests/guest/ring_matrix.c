// SPDX-License-Identifier: MIT
/*
 * The total ring: every system call there is, through both doors, with the same arguments.
 *
 * For each number two children are made in the same state: a filesystem of their own with a few files,
 * the same descriptors, the same memory. One makes calls, the other submits them (TORUS_OP_SYSCALL).
 * Arguments are drawn by the letters of kernel/abi/syscalls.def from what a program might pass, with the
 * same chance on both sides. After each call its result and the memory it may have written are noted, at the
 * end what became of descriptors, files and the working directory. All of it must be equal.
 *
 * A call that waits is ended after a while, on both sides. What is left out, or may differ, is listed here
 * with the reason.
 */
#include <dirent.h>
#include <linux/unistd.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "../../kernel/abi/torus.h"
#include "ring.h"

enum {
	ROUNDS = 12,
	WAIT_MS = 100,
	MOST_PATIENCE_MS = 25 * WAIT_MS,
	MATRIX_SECONDS = 200,
	FDS = 64,
	FIRST_FD = 10,
	RING_FD = FDS + 1,
	ROOT_FD
};
#define ARENA      ((unsigned char *)0x20000000)
#define ARENA_SIZE 8192
#define WAITS      (-100000) /* "result" of a call that had to be ended */
#define OWN_PID    (-100001) /* and of one that names the process */

static const struct call {
	int nr;
	const char *letters, *name;
} calls[] = {
#define SYSCALL(name, letters) {__NR_##name, letters, #name},
#include "../../kernel/abi/syscalls.def"
#undef SYSCALL
};

/* ---- What is not compared ---- */

/* About the thread that calls: the ring refuses them. docs/abi/ring.md */
static const int refused[] = {
	__NR_rt_sigreturn, __NR_sigaltstack, __NR_clone, __NR_clone3, __NR_fork, __NR_vfork,
	__NR_execve, __NR_execveat, __NR_exit, __NR_exit_group, __NR_restart_syscall,
	__NR_arch_prctl, __NR_set_thread_area, __NR_get_thread_area, __NR_set_tid_address,
	__NR_set_robust_list, __NR_rseq, __NR_prctl, __NR_personality, __NR_unshare, __NR_setns,
	__NR_seccomp, __NR_getcpu, __NR_sched_yield, __NR_rt_sigprocmask, __NR_rt_sigpending,
	__NR_rt_sigsuspend, __NR_rt_sigtimedwait, __NR_pause, __NR_setuid, __NR_setgid,
	__NR_setreuid, __NR_setregid, __NR_setresuid, __NR_setresgid, __NR_setfsuid,
	__NR_setfsgid, __NR_setgroups, __NR_capset, __NR_io_uring_setup, __NR_io_uring_enter,
	__NR_io_uring_register,
};

/* They are about the whole machine, or would end the child, or take its memory away. */
static const int left_out[] = {
	__NR_reboot, __NR_kexec_load, __NR_kexec_file_load, __NR_settimeofday,
	__NR_clock_settime, __NR_clock_adjtime, __NR_adjtimex, __NR_sethostname,
	__NR_setdomainname, __NR_swapon, __NR_swapoff, __NR_vhangup, __NR_acct, __NR_syslog,
	__NR_kill, __NR_tkill, __NR_tgkill, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo,
	__NR_ptrace, __NR_munmap, __NR_mremap, __NR_mprotect, __NR_pkey_mprotect, __NR_mmap,
	__NR_brk, __NR_close_range, __NR_remap_file_pages, __NR_setrlimit, __NR_prlimit64,
	__NR_sched_setaffinity, __NR_rt_sigaction,
	/* the timer that ends calls that wait */
	__NR_alarm, __NR_setitimer, __NR_getitimer,
};

/* What they tell is another thing each time: clocks, inode numbers, ids, counters of use. Only their errors are compared. */
static const int telling[] = {__NR_time, __NR_gettimeofday, __NR_clock_gettime, __NR_times,
	__NR_sysinfo, __NR_getrandom, __NR_getrusage, __NR_stat, __NR_fstat, __NR_lstat,
	__NR_newfstatat, __NR_statx, __NR_statfs, __NR_fstatfs, __NR_getdents, __NR_getdents64,
	__NR_timerfd_gettime, __NR_timerfd_settime, __NR_wait4, __NR_waitid, __NR_mincore,
	__NR_ustat, __NR_shmget};

static bool is_in(const int *set, size_t nr_set, int nr)
{
	for (size_t i = 0; i < nr_set; i++)
		if (set[i] == nr)
			return true;
	return false;
}
#define IS_IN(set, nr) is_in(set, sizeof(set) / sizeof((set)[0]), nr)

/* With these arguments it is about the calling thread, as for `refused`. */
static bool names_the_caller(int nr, const uint64_t a[6])
{
	switch (nr) {
	case __NR_sched_getaffinity:
	case __NR_sched_setparam:
	case __NR_sched_getparam:
	case __NR_sched_setscheduler:
	case __NR_sched_getscheduler:
	case __NR_sched_setattr:
	case __NR_sched_getattr:
	case __NR_sched_rr_get_interval:
	case __NR_get_robust_list:
		return (int)a[0] == 0;
	case __NR_getrusage:
		return (int)a[0] == 1; /* RUSAGE_THREAD */
	case __NR_futex:
		return (a[1] & 127) >= 6; /* with priority inheritance */
	case __NR_getpriority:
	case __NR_setpriority:
	case __NR_ioprio_get:
	case __NR_ioprio_set:
		return (int)a[1] == 0;
	default:
		return false;
	}
}

/* ---- What a child notes ---- */

struct notes {
	long result[ROUNDS];
	uint64_t memory[ROUNDS], args[ROUNDS][6];
	uint64_t descriptors, files;
	char cwd[200];
	int umask;
	bool is_whole;
};

static uint64_t hash_of(uint64_t h, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3;
	return h;
}

static uint64_t hash_of_descriptors(void)
{
	uint64_t h = 1;

	for (int fd = 0; fd < FDS; fd++) {
		struct stat st = {0};
		long words[5] = {fd, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL),
			lseek(fd, 0, SEEK_CUR), 0};

		if (fstat(fd, &st) == 0)
			words[4] = (long)st.st_mode << 32 | st.st_size;
		h = hash_of(h, words, sizeof(words));
	}
	return h;
}

static uint64_t hash_of_folder(const char *path, dev_t dev, int depth)
{
	uint64_t h = 0; /* a sum: in any order */
	DIR *d = depth ? opendir(path) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char name[600];
		struct stat st;
		uint64_t one;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (lstat(name, &st) || st.st_dev != dev)
			continue; /* what is mounted there has names of its own */
		one = hash_of(1, name, strlen(name));
		one = hash_of(one, &st.st_mode, sizeof(st.st_mode));
		if (!S_ISDIR(st.st_mode))
			one = hash_of(one, &st.st_size, sizeof(st.st_size));
		one = hash_of(one, &st.st_nlink, sizeof(st.st_nlink));
		h += one;
		if (S_ISDIR(st.st_mode))
			h += hash_of_folder(name, dev, depth - 1);
	}
	if (d)
		closedir(d);
	return h;
}

/* ---- The state in which both begin ---- */

static void move_fd(int from, int to)
{
	CHECK_EQ(dup2(from, to), to);
	close(from);
}

/* They outlive who made them: each child begins with none. */
static void remove_segments(void)
{
	struct shmid_ds ds;
	int last = CHECK_OK(shmctl(0, SHM_INFO, &ds));

	for (int i = 0; i <= last; i++) {
		int id = shmctl(i, SHM_STAT, &ds);

		if (id >= 0)
			CHECK_OK(shmctl(id, IPC_RMID, NULL));
	}
}

static void set_up(struct ring *r)
{
	int pair[2], null;

	remove_segments();
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mount("none", "m", "tmpfs", 0, NULL));
	CHECK_OK(chdir("m"));
	put_file("file", "0123456789");
	CHECK_OK(mkdir("dir", 0755));
	CHECK_OK(mkdir("dir/below", 0700));
	CHECK_OK(symlink("file", "link"));
	CHECK(mmap(ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == ARENA);
	memcpy(ARENA + 4096, "file\0dir\0new\0link\0dir/below\0/proc\0user.name\0nowhere/x", 53);
	move_fd(CHECK_OK(open("file", O_RDWR)), FIRST_FD);
	move_fd(CHECK_OK(open("dir", O_RDONLY)), FIRST_FD + 1);
	CHECK_OK(pipe2(pair, O_NONBLOCK));
	move_fd(pair[0], FIRST_FD + 2), move_fd(pair[1], FIRST_FD + 3);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	move_fd(pair[0], FIRST_FD + 4), move_fd(pair[1], FIRST_FD + 5);
	move_fd(CHECK_OK(eventfd(3, EFD_NONBLOCK)), FIRST_FD + 6);
	ring_open(r, 8, IORING_SETUP_CQE32);
	move_fd(r->fd, RING_FD);
	r->fd = RING_FD;
	move_fd(CHECK_OK(open(".", O_RDONLY)), ROOT_FD);
	CHECK_OK(null = open("/dev/null", O_RDWR));
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
}

/* ---- Arguments ---- */

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static const uint64_t numbers[] = {0, 1, 2, 3, 4, 8, 10, 16, 4096, 65536, 512, (uint64_t)-1};

static uint64_t draw_argument(char letter, uint64_t *state)
{
	static const int strings[] = {0, 5, 9, 13, 18, 28, 34, 44, 4};
	uint64_t chance = draw(state) >> 8;

	switch (letter) {
	case 's':
		return chance % 10 == 9 ? 0 : (uintptr_t)ARENA + 4096 + strings[chance % 9];
	case 'p':
	case 'b':
	case 'w':
		return chance % 5 == 4 ? 0 : (uintptr_t)ARENA + chance / 5 % 8 * 256;
	case 'a':
		return chance % 3 ? (uint64_t)AT_FDCWD : FIRST_FD + chance / 3 % 3;
	case 'd':
	case '*':
		if (chance % 2)
			return FIRST_FD + chance / 2 % 8; /* the last is closed */
		return numbers[chance / 2 % 12];
	default:
		return numbers[chance % 12];
	}
}

static void draw_arguments(const struct call *c, int round, uint64_t a[6])
{
	uint64_t state = (uint64_t)c->nr << 32 | (unsigned)round;
	size_t nr = *c->letters == '*' ? 6 : strlen(c->letters);

	for (size_t i = 0; i < 6; i++)
		a[i] = i < nr ? draw_argument(*c->letters == '*' ? '*' : c->letters[i], &state) : 0;
}

/* ---- The doors ---- */

static int patience_ms = WAIT_MS;
static volatile sig_atomic_t has_waited;

static void end_wait(int sig)
{
	(void)sig;
	has_waited = 1;
}

/* The timer comes again, should it have come a moment too early. */
static void set_timer(int ms)
{
	struct itimerval t = {{ms / 1000, ms % 1000 * 1000}, {ms / 1000, ms % 1000 * 1000}};

	setitimer(ITIMER_REAL, &t, NULL);
}

static long by_call(int nr, const uint64_t a[6])
{
	long n;

	has_waited = 0;
	set_timer(patience_ms);
	n = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	n = n < 0 ? -errno : n;
	set_timer(0);
	return has_waited && n == -EINTR ? WAITS : n;
}

static long take_result(struct ring *r, uint64_t user_data)
{
	for (;;) {
		unsigned head = *ring_word(r, r->p.cq_off.head);
		struct io_uring_cqe *cqe =
			(struct io_uring_cqe *)(void *)(r->rings + r->p.cq_off.cqes) +
			2 * (head & (r->p.cq_entries - 1));
		long result = cqe->res < 0 ? cqe->res : (long)cqe->big_cqe[0];
		struct ring_result got = ring_take(r);

		if (got.user_data == user_data)
			return result;
	}
}

static long by_ring(struct ring *r, int nr, const uint64_t a[6])
{
	struct io_uring_sqe *sqe = ring_sqe(r, TORUS_OP_SYSCALL, 1);
	int64_t until = now_ms() + patience_ms;

	sqe->fd = nr;
	sqe->ioprio = TORUS_SYSCALL_INDIRECT;
	sqe->off = (uintptr_t)a;
	CHECK_EQ(ring_submit(r, 0), 1);
	while (!ring_ready(r) && now_ms() < until)
		sched_yield();
	if (!ring_ready(r)) {
		ring_sqe(r, IORING_OP_ASYNC_CANCEL, 2)->addr = 1;
		CHECK_EQ(ring_submit(r, 0), 1);
		(void)take_result(r, 1);
		while (ring_ready(r))
			(void)ring_take(r);
		return WAITS;
	}
	return take_result(r, 1);
}

static _Noreturn void be_child(const struct call *c, bool asks_ring, struct notes *n)
{
	struct sigaction act = {.sa_handler = end_wait};
	struct stat st;
	struct ring r;

	set_up(&r);
	sigaction(SIGALRM, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t *a = n->args[i];
		long result;

		draw_arguments(c, i, a);
		if (names_the_caller(c->nr, a))
			continue;
		result = asks_ring ? by_ring(&r, c->nr, a) : by_call(c->nr, a);
		if (result == getpid())
			result = OWN_PID;
		if (IS_IN(telling, c->nr)) {
			n->result[i] = result < 0 ? result : 0;
			continue;
		}
		n->result[i] = result;
		n->memory[i] = hash_of(1, ARENA, ARENA_SIZE);
	}
	n->descriptors = hash_of_descriptors();
	if (syscall(SYS_getcwd, n->cwd, sizeof(n->cwd)) < 0)
		n->cwd[0] = '\0';
	n->umask = (int)umask(0);
	CHECK_OK(fchdir(ROOT_FD));
	CHECK_OK(stat(".", &st));
	n->files = hash_of_folder(".", st.st_dev, 4);
	n->is_whole = true;
	_exit(0);
}

/* ---- Comparing ---- */

static bool is_drawn(pid_t pid)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] == (uint64_t)pid)
			return true;
	return false;
}

/* As fork, but the child's number is none of those that are drawn: a call that names a process must not mean it. */
static pid_t fork_unnamed(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0 && is_drawn(getpid()))
			_exit(0);
		if (pid <= 0 || !is_drawn(pid))
			return pid;
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
	}
}

static void notes_of(const struct call *c, bool asks_ring, struct notes *n)
{
	pid_t pid;
	int status;

	memset(n, 0, sizeof(*n));
	CHECK_OK(pid = fork_unnamed());
	if (pid == 0)
		be_child(c, asks_ring, n);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (!n->is_whole)
		FAIL("%s %s: the child ended with %#x", c->name,
			asks_ring ? "by the ring" : "by the call", status);
}

/* Whether a call waited on one side only: the machine may be slow. */
static bool differ_in_waiting(const struct notes *a, const struct notes *b)
{
	for (int i = 0; i < ROUNDS; i++)
		if ((a->result[i] == WAITS) != (b->result[i] == WAITS))
			return true;
	return false;
}

/* Says what differs; whether something did. */
static bool compare(const struct call *c, const struct notes *theirs, const struct notes *ring)
{
	for (int i = 0; i < ROUNDS; i++) {
		const uint64_t *a = theirs->args[i];
		long here = ring->result[i], there = theirs->result[i];

		if (here == there && theirs->memory[i] == ring->memory[i])
			continue;
		printf("# %s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx), round %d: %ld by the ring, %ld by the call%s\n",
			c->name, a[0], a[1], a[2], a[3], a[4], a[5], i, here, there,
			here == there ? "; other memory" : "");
		return true;
	}
	if (theirs->descriptors != ring->descriptors || theirs->files != ring->files ||
		strcmp(theirs->cwd, ring->cwd) || theirs->umask != ring->umask) {
		printf("# %s: descriptors %lx, files %lx, in %s, umask %o by the ring; %lx, %lx, %s, %o by the call\n",
			c->name, ring->descriptors, ring->files, ring->cwd, ring->umask,
			theirs->descriptors, theirs->files, theirs->cwd, theirs->umask);
		return true;
	}
	return false;
}

TEST_WITHIN(ring_matrix, every_call_is_equal_through_both_doors, MATRIX_SECONDS)
{
	struct notes *n = mmap(NULL, 2 * sizeof(*n), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned nr_compared = 0, nr_different = 0;

	NEWER(has_calls());
	CHECK_OK(mkdir("m", 0755));
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const struct call *c = &calls[i];

		if (IS_IN(refused, c->nr) || IS_IN(left_out, c->nr))
			continue;
		patience_ms = WAIT_MS;
		do {
			notes_of(c, false, &n[0]), notes_of(c, true, &n[1]);
			patience_ms *= 5;
		} while (differ_in_waiting(&n[0], &n[1]) && patience_ms <= MOST_PATIENCE_MS);
		nr_different += compare(c, &n[0], &n[1]);
		nr_compared++;
	}
	printf("# %u calls, %u times each\n", nr_compared, ROUNDS);
	CHECK(nr_compared > 250);
	CHECK_EQ(nr_different, 0u);
}

TEST(ring_matrix, calls_about_the_caller_are_refused)
{
	struct ring r;

	NEWER(has_calls());
	ring_open(&r, 8, IORING_SETUP_CQE32);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const uint64_t a[6] = {0};

		CHECK_EQ(by_ring(&r, refused[i], a), -EINVAL);
	}
	ring_close(&r);
}
