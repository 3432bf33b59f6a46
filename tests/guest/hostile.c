// SPDX-License-Identifier: MIT
/*
 * Hostile calls: every system call number with arguments that a well-meaning program never passes,
 * from several threads at once. What is proved is what does not happen: no report of the kernel,
 * no process that a SIGKILL does not end, no answer that is neither a result nor an errno.
 *
 * The test forks one short-lived victim after the other. A victim puts itself into a sandbox (its
 * own mounts, root and limits), opens one descriptor of every kind, maps memory of every kind and
 * starts its threads. Each thread walks the numbers in an order of its own; an argument is drawn
 * by the letter that kernel/abi/syscalls.def gives it. All is drawn from (seed, victim, thread),
 * so a victim makes the same calls again; how its threads interleave is the scheduler's affair.
 *
 * The test watches the victim's board: a thread that stands still gets a signal, a victim in
 * which nothing moves is killed, and one that does not die of that fails the test, which then
 * tells the call. The words hostile.seconds=, hostile.seed= and hostile.victim= of the kernel's
 * command line make the walk longer, different, or begin at one victim.
 *
 * Half of the victims are root, where calls that would change the machine for everybody are left
 * out (`spares`), half are a user, to whom nothing is spared.
 */
#include "guest.h"

#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <termios.h>

#include <linux/unistd.h>

/* ---- The calls ---- */

static const struct call {
	int nr;
	const char *letters, *name;
} calls[] = {
#define SYSCALL(name, letters) {__NR_##name, letters, #name},
#include "../../kernel/abi/syscalls.def"
#undef SYSCALL
	{335, "*", "335"}, /* in the gap before 424, and beyond the last */
	{423, "*", "423"},
	{460, "*", "460"},
	{512, "*", "512"}, /* x32's own */
	{547, "*", "547"},
	{100000, "*", "100000"},
	{-1, "*", "-1"},
	{INT_MIN, "*", "INT_MIN"},
	{0x40000000, "dbu", "x32 read"},
	{0x40000009, "puPMdx", "x32 mmap"},
};
#define NR_CALLS (sizeof(calls) / sizeof(*calls))

enum { THREADS = 3, CALLS_PER_THREAD = 1500, LAST_ERRNO = 133 /* EHWPOISON */ };

/* What root does to the whole machine or to processes that are not its own. */
static const int machine_wide[] = {
	__NR_reboot,
	__NR_kexec_load,
	__NR_kexec_file_load,
	__NR_settimeofday,
	__NR_clock_settime,
	__NR_clock_adjtime,
	__NR_adjtimex,
	__NR_sethostname,
	__NR_setdomainname,
	__NR_swapon,
	__NR_swapoff,
	__NR_vhangup,
	__NR_acct,
	__NR_syslog,
	__NR_setrlimit,
	__NR_prlimit64,
	__NR_kill,
	__NR_tkill,
	__NR_tgkill,
	__NR_rt_sigqueueinfo,
	__NR_rt_tgsigqueueinfo,
	__NR_pidfd_send_signal,
	__NR_sched_setscheduler,
	__NR_sched_setparam,
	__NR_sched_setattr,
	__NR_sched_setaffinity,
	__NR_setpriority,
	__NR_ptrace,
	__NR_process_vm_writev,
	__NR_process_madvise,
	__NR_process_mrelease,
	__NR_bpf,
	__NR_mknod,
	__NR_mknodat,
	__NR_iopl,
	__NR_ioperm,
	__NR_quotactl,
	__NR_quotactl_fd,

	__NR_pidfd_getfd,
};

/* These end the thread or its walk too often if they come at every turn. */
static const int final[] = {
	__NR_exit,
	__NR_exit_group,
	__NR_rt_sigreturn,
	__NR_execve,
	__NR_execveat,
	__NR_pause,
	__NR_seccomp,
	__NR_landlock_restrict_self,
	__NR_munmap,
	__NR_rt_sigsuspend,
	__NR_close_range,
	__NR_arch_prctl,
	__NR_mprotect,
	__NR_pkey_mprotect,
	__NR_mremap,
};

static bool is_among(int nr, const int *set, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (set[i] == nr)
			return true;
	return false;
}
#define IS_AMONG(nr, set) is_among(nr, set, sizeof(set) / sizeof(*(set)))

/* ---- Chance ---- */

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t count)
{
	return draw(state) % count;
}
#define ONE_OF(state, set) ((set)[below(state, sizeof(set) / sizeof(*(set)))])

/* ---- What arguments are drawn from ---- */

#define ARENA       0x10000000UL /* 16 pages to read and write, then nothing */
#define ARENA_SIZE  0x10000UL
#define READ_ONLY   0x10020000UL /* one page, then nothing */
#define FORBIDDEN   0x10022000UL /* PROT_NONE */
#define BEYOND_FILE 0x10024000UL /* a page of a file, then one behind its end */
#define FLICKERING  0x10028000UL /* two pages that a thread maps and unmaps */
#define TO_TARGETS  0x10030000UL /* 16 pages for calls that change mappings */

static const uint64_t bad_pointers[] = {
	0,
	1,
	4095,
	ARENA - 1,
	ARENA + ARENA_SIZE - 1,
	ARENA + ARENA_SIZE - 8,
	ARENA + ARENA_SIZE - 16,
	ARENA + ARENA_SIZE,
	READ_ONLY,
	READ_ONLY + 4090,
	FORBIDDEN,
	BEYOND_FILE + 4088,
	BEYOND_FILE + 4096,
	FLICKERING,
	FLICKERING + 4090,
	FLICKERING + 64,
	0x7ffffffff000,
	0x7fffffffeff8,
	0x7fffffffffff,
	0x800000000000,
	0x8000000000000000,
	0xffff7fffffffffff,
	0xffff800000000000,
	0xffff888000000000,
	0xffffffff80000000,
	0xffffffff81000000,
	0xffffffffff600000,
	0xfffffffffffff000,
	-8ULL,
	-1ULL,
};

static const uint64_t sizes[] = {
	0,
	1,
	2,
	3,
	4,
	7,
	8,
	12,
	16,
	24,
	32,
	40,
	48,
	64,
	88,
	100,
	128,
	144,
	255,
	256,
	511,
	1024,
	4095,
	4096,
	4097,
	8192,
	0x10000,
	0x10001,
	0x100000,
	0x7fffefff,
	0x7ffff000,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x7ffffffff000,
	0x800000000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	-4096ULL,
	-4095ULL,
	-8ULL,
	-1ULL,
};

static const char *const paths[] = {
	"",
	".",
	"..",
	"/",
	"file",
	"file/",
	"file/x",
	"dir",
	"dir/",
	"dir/../file",
	"dir/below",
	"link",
	"loop",
	"dangling",
	"fifo",
	"sock",
	"new",
	"new2",
	"dir/new",
	"script",
	"badelf",
	"smallelf",
	"/proc",
	"/proc/self/fd",
	"/proc/self/fd/7",
	"/proc/self/status",
	"/proc/self/cwd",
	"/proc/self/exe/x",
	"/proc/thread-self",
	"tmpfs",
	"proc",
	"user.a",
	"security.b",
	"trusted.c",
	"system.posix_acl_access",
	"././././/././/.",
	"\xff\xfe\n",
};

static const uint32_t ioctls[] = {
	TCGETS,
	TCSETS,
	TCSETSW,
	TCSETSF,
	TCGETA,
	TCSETA,
	TCSBRK,
	TCXONC,
	TCFLSH,
	TIOCSCTTY,
	TIOCGPGRP,
	TIOCSPGRP,
	TIOCOUTQ,
	TIOCGWINSZ,
	TIOCSWINSZ,
	TIOCMGET,
	FIONREAD,
	TIOCPKT,
	FIONBIO,
	TIOCNOTTY,
	TIOCSETD,
	TIOCGETD,
	TIOCSBRK,
	TIOCGSID,
	TIOCGPTN,
	TIOCSPTLCK,
	TIOCGPTPEER,
	TIOCGEXCL,
	TIOCEXCL,
	TIOCNXCL,
	FIONCLEX,
	FIOCLEX,
	FIOASYNC,
	FIOQSIZE,
	0x541b,
	0x5421,
	0x8901,
	0x8902,
	0x8903,
	0x8904,
	0x80086601,
	0x40086602,
	0x5401,
	0,
	0xffffffff,
};

enum { OPENED = 48 }; /* descriptors are below this */

static uint64_t a_pointer(uint64_t *s)
{
	if (below(s, 3) == 0)
		return ONE_OF(s, bad_pointers);
	return ARENA + below(s, ARENA_SIZE) / (below(s, 4) ? 64 : 1) * (below(s, 4) ? 8 : 1) %
			       ARENA_SIZE;
}

static uint64_t a_descriptor(uint64_t *s)
{
	static const int64_t odd[] = {
		-1, -2, AT_FDCWD, INT_MAX, INT_MIN, 1024, 1 << 20, 0x100000003};

	return below(s, 8) ? below(s, OPENED) : (uint64_t)ONE_OF(s, odd);
}

static uint64_t a_size(uint64_t *s)
{
	return below(s, 2) ? below(s, 200) : ONE_OF(s, sizes);
}

static uint64_t some_flags(uint64_t *s)
{
	switch (below(s, 6)) {
	case 0:
		return 0;
	case 1:
		return below(s, 16);
	case 2:
		return 1ULL << below(s, 33);
	case 3:
		return 1ULL << below(s, 20) | 1ULL << below(s, 20);
	case 4:
		return below(s, 64) << below(s, 28);
	default:
		return draw(s);
	}
}

static uint64_t a_path(uint64_t *s)
{
	char *to;

	if (below(s, 8) == 0)
		return a_pointer(s);
	to = (char *)ARENA + below(s, 6) * 0x1400;
	__asm__("" : "+r"(to));  /* gcc sees no object there */
	if (below(s, 20) == 0) { /* too long, or not terminated before the end of the mapping */
		size_t len = below(s, 2) ? 4094 + below(s, 4) : 254 + below(s, 3);

		to = (char *)ARENA + ARENA_SIZE - len - below(s, 2);
		__asm__("" : "+r"(to));
		memset(to, below(s, 2) ? 'a' : '/', len);
		if (to + len < (char *)ARENA + ARENA_SIZE)
			to[len] = 0;
	} else {
		const char *path = ONE_OF(s, paths);

		memcpy(to, path, strlen(path) + 1);
	}
	return (uint64_t)to;
}

static uint64_t an_argument(uint64_t *s, char letter)
{
	switch (letter) {
	case 'd':
		return a_descriptor(s);
	case 'a':
		return below(s, 3) ? (uint64_t)AT_FDCWD : a_descriptor(s);
	case 'u':
		return a_size(s);
	case 'x':
	case 'O':
		return some_flags(s);
	case 'o':
		return below(s, 2) ? below(s, 010000) : some_flags(s);
	case 'P':
		return below(s, 8) ? below(s, 8) : some_flags(s);
	case 'M':
		return below(s, 2) ? below(s, 4) | 0x20 | some_flags(s) : some_flags(s);
	case 'C':
		return below(s, 2) ? some_flags(s) : some_flags(s) | some_flags(s) | SIGCHLD;
	case 'S':
		return below(s, 8) ? below(s, 68) : some_flags(s);
	case 'l':
		return below(s, 2) ? below(s, 3) * 4096 : ONE_OF(s, sizes);
	case 's':
		return a_path(s);
	case 'p':
	case 'b':
	case 'w':
		return a_pointer(s);
	default:
		break;
	}
	switch (below(s, 5)) {
	case 0:
		return a_pointer(s);
	case 1:
		return a_size(s);
	case 2:
		return a_descriptor(s);
	case 3:
		return a_path(s);
	default:
		return some_flags(s);
	}
}

/* What the pointer points to: words that are pointers, sizes, descriptors and small numbers. */
static void fill_structure(uint64_t *s, uint64_t pointer)
{
	uint64_t words[16];
	size_t len = sizeof(words);

	for (size_t i = 0; i < 16; i++) {
		switch (below(s, 8)) {
		case 0:
		case 1:
			words[i] = a_pointer(s);
			break;
		case 2:
			words[i] = a_size(s);
			break;
		case 3:
			words[i] = a_descriptor(s) | below(s, 3) << 32;
			break;
		case 4:
			words[i] = some_flags(s);
			break;
		default:
			words[i] = below(s, 3);
		}
	}
	if (pointer < ARENA || pointer >= ARENA + ARENA_SIZE)
		return;
	if (len > ARENA + ARENA_SIZE - pointer)
		len = ARENA + ARENA_SIZE - pointer;
	memcpy((void *)pointer, words, len);
}

static void draw_arguments(uint64_t *s, const struct call *call, uint64_t args[6])
{
	const char *letters = call->letters;
	bool changes_mappings =
		letters[0] == 'p' &&
		(strstr(call->name, "map") || strstr(call->name, "lock") ||
			strstr(call->name, "mprotect") || strstr(call->name, "madvise"));

	for (int i = 0; i < 6; i++) {
		if (*letters && *letters != '*')
			args[i] = an_argument(s, *letters++);
		else
			args[i] = an_argument(s, '*');
		if (below(s, 2) && args[i] >= ARENA && args[i] < ARENA + ARENA_SIZE &&
			call->letters[i < 4 ? i : 0] != 's')
			fill_structure(s, args[i]);
	}
	if (changes_mappings && below(s, 8))
		args[0] = TO_TARGETS + below(s, 16) * 4096 + (below(s, 8) ? 0 : 8);
	if (call->nr == __NR_ioctl && below(s, 4))
		args[1] = ONE_OF(s, ioctls);
	if ((call->nr == __NR_fcntl || call->nr == __NR_prctl || call->nr == __NR_futex) &&
		below(s, 8))
		args[1 - (call->nr == __NR_prctl)] = below(s, 45);
	if (call->nr == __NR_fcntl && below(s, 2))
		args[1] = 1024 + below(s, 16);
}

/*
 * The call itself. What comes back 0 from fork and its like is a child, perhaps on no stack: it
 * ends before it touches memory.
 */
static long call_raw(long nr, const uint64_t a[6], bool forks)
{
	register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4],
			      r9 __asm__("r9") = a[5];
	register uint64_t r12 __asm__("r12") = forks;
	long result;

	__asm__ volatile(
		"syscall\n"
		"	test %%rax, %%rax\n"
		"	jnz 1f\n"
		"	test %%r12, %%r12\n"
		"	jz 1f\n"
		"	mov $60, %%eax\n" /* exit */
		"	xor %%edi, %%edi\n"
		"	syscall\n"
		"	ud2\n"
		"1:"
		: "=a"(result)
		: "0"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9), "r"(r12)
		: "rcx", "r11", "memory");
	return result;
}

/* ---- The board, which the victim writes and the test reads ---- */

struct thread_board {
	volatile long made; /* calls */
	volatile int tid;
	volatile bool done;
	volatile long nr;
	volatile uint64_t args[6];
};

static struct board {
	struct thread_board threads[THREADS];
	volatile long wrong_nr, wrong_result; /* neither a result nor an errno */
	volatile bool wrong, set_up;
} * board;

/* ---- A victim ---- */

struct walk {
	uint64_t chance;
	bool is_root;
	struct thread_board *board;
};

static void walk(struct walk *w)
{
	uint64_t *s = &w->chance;
	size_t at = below(s, NR_CALLS), stride = 1 + below(s, NR_CALLS - 1);

	w->board->tid = syscall(SYS_gettid);
	for (int i = 0; i < CALLS_PER_THREAD; i++) {
		const struct call *call = &calls[at];
		uint64_t args[6];
		bool forks = call->nr == __NR_fork || call->nr == __NR_vfork ||
			     call->nr == __NR_clone || call->nr == __NR_clone3;
		long result;

		at = (at + stride) % NR_CALLS;
		if (i % NR_CALLS == NR_CALLS - 1)
			stride = 1 + below(s, NR_CALLS - 1);
		draw_arguments(s, call, args);
		if ((w->is_root && IS_AMONG(call->nr, machine_wide)) ||
			(IS_AMONG(call->nr, final) && below(s, 16)))
			continue;
		w->board->nr = call->nr;
		for (int k = 0; k < 6; k++)
			w->board->args[k] = args[k];
		result = call_raw(call->nr, args, forks);
		if (result < -LAST_ERRNO && result >= -4095) {
			board->wrong_nr = call->nr;
			board->wrong_result = result;
			board->wrong = true;
		}
		w->board->made++;
	}
	w->board->done = true;
}

static void *walk_in_thread(void *arg)
{
	walk(arg);
	return NULL;
}

static void *flicker(void *arg)
{
	for (;;) {
		mmap((void *)FLICKERING, 8192, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*(volatile char *)arg = 0;
		munmap((void *)(FLICKERING + below(arg, 2) * 4096), 4096);
		usleep(100);
	}
	return NULL;
}

static void map_at(uint64_t at, size_t size, int prot, int fd)
{
	if (mmap((void *)at, size, prot, (fd < 0 ? MAP_ANONYMOUS : 0) | MAP_PRIVATE | MAP_FIXED,
		    fd, 0) == MAP_FAILED)
		_exit(3);
}

/* A program that exits with 0: ELF header, one program header, mov $60, %eax; xor %edi, %edi; syscall. */
static void write_elf(const char *path, bool damaged)
{
	static const uint8_t code[] = {0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05};
	uint64_t image[17] = {0x00010102464c457f, 0, 0x00000001003e0002, 0x400078, 64, 0,
		0x0038004000000000, 1, 0x0000000500000001, 0, 0x400000, 0x400000, 136, 136,
		4096};
	int fd;

	memcpy(&image[15], code, sizeof(code));
	if (damaged)
		image[13] = 0x7fffffffffff;
	fd = open(path, O_WRONLY | O_CREAT, 0755);
	(void)!write(fd, image, sizeof(image));
	close(fd);
}

static void fill_sandbox(bool is_root)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "sock"};
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount("box", ".", "tmpfs", 0, "size=8m") < 0)
		_exit(4);
	if (chdir("../hostile.box") < 0 && chdir("/tmp/hostile.box") < 0)
		_exit(4);
	mkdir("dir", 0777);
	mkdir("proc", 0777);
	put_file("file", "some content\n");
	put_file("dir/below", "");
	chmod("file", 0666);
	put_file("script", "#!/smallelf\n");
	chmod("script", 0755);
	(void)!symlink("file", "link");
	(void)!symlink("loop", "loop");
	(void)!symlink("nowhere", "dangling");
	mkfifo("fifo", 0666);
	/* of the sandbox: root victims change modes and owners */
	(void)mknod("null", S_IFCHR | 0666, makedev(1, 3));
	(void)mknod("zero", S_IFCHR | 0666, makedev(1, 5));
	(void)mknod("full", S_IFCHR | 0666, makedev(1, 7));
	(void)mknod("urandom", S_IFCHR | 0666, makedev(1, 9));
	write_elf("smallelf", false);
	write_elf("badelf", true);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)!bind(fd, (void *)&name, sizeof(name));
	close(fd);
	(void)mount("proc", "proc", "proc", 0, NULL);
	if (!is_root)
		(void)!chown(".", 1000, 1000);
}

/* One of every kind, above 2. What a kernel lacks leaves no hole: numbers are drawn anyhow. */
static void open_descriptors(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0hostile"};
	sigset_t set;
	int pair[2], fd;

	for (fd = 3; fd < 100; fd++)
		close(fd);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	(void)!pipe(pair);
	(void)!pipe2(pair, O_NONBLOCK);
	(void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	(void)!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
	(void)!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	(void)!bind(fd, (void *)&name, sizeof(sa_family_t) + 8);
	(void)!listen(fd, 3);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	(void)!connect(fd, (void *)&name, sizeof(sa_family_t) + 8);
	socket(AF_UNIX, SOCK_DGRAM, 0);
	epoll_create1(0);
	eventfd(0, 0);
	eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE);
	timerfd_create(CLOCK_MONOTONIC, 0);
	signalfd(-1, &set, 0);
	inotify_init1(IN_NONBLOCK);
	syscall(SYS_memfd_create, "hostile", 2);
	syscall(SYS_pidfd_open, getpid(), 0);
	open("null", O_RDWR);
	open("zero", O_RDWR);
	open("full", O_RDWR);
	open("urandom", O_RDONLY);
	fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0 && !unlockpt(fd))
		open(ptsname(fd), O_RDWR | O_NOCTTY | O_NONBLOCK);
	open("/proc/self/maps", O_RDONLY);
	open("/proc/self/mem", O_RDWR);
	open("/proc/self/pagemap", O_RDONLY);
	open("/proc/self/oom_score_adj", O_RDWR);
	open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	open("file", O_RDWR);
	open("file", O_RDWR | O_APPEND);
	open("file", O_RDONLY);
	open("file", O_PATH);
	open("dir", O_RDONLY | O_DIRECTORY);
	open("dir", O_PATH);
	open(".", O_RDWR | O_TMPFILE, 0600);
	open("fifo", O_RDWR | O_NONBLOCK);
}

static void set_limits(void)
{
	static const struct {
		int what;
		rlim_t limit;
	} limits[] = {{RLIMIT_AS, 192 << 20}, {RLIMIT_FSIZE, 2 << 20}, {RLIMIT_NOFILE, 64},
		{RLIMIT_NPROC, 64}, {RLIMIT_CORE, 0}, {RLIMIT_MEMLOCK, 1 << 20}};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit limit = {limits[i].limit, limits[i].limit};

		setrlimit(limits[i].what, &limit);
	}
}

static void nothing(int sig)
{
	(void)sig;
}

static void catch_signals(void)
{
	static const int fatal[] = {
		SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	struct sigaction action = {.sa_handler = nothing};

	for (int sig = 1; sig < 65; sig++)
		if (!IS_AMONG(sig, fatal))
			sigaction(sig, &action, NULL);
}

static _Noreturn void be_victim(uint64_t seed, unsigned number)
{
	static struct walk walks[THREADS];
	static uint64_t flicker_chance;
	bool is_root = number % 2 == 0;
	pthread_t thread;
	int fd;

	setsid();
	fill_sandbox(is_root);
	open_descriptors();
	map_at(ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE, -1);
	map_at(READ_ONLY, 4096, PROT_READ, -1);
	map_at(FORBIDDEN, 4096, PROT_NONE, -1);
	map_at(TO_TARGETS, ARENA_SIZE, PROT_READ | PROT_WRITE, -1);
	fd = open("file", O_RDWR);
	map_at(BEYOND_FILE, 8192, PROT_READ | PROT_WRITE, fd);
	close(fd);
	fd = open("null", O_RDWR);
	for (int to = 0; to < 3; to++)
		dup2(fd, to);
	close(fd);
	if (chroot(".") < 0)
		_exit(5);
	set_limits();
	catch_signals();
	for (int i = 0; i < THREADS; i++) {
		uint64_t mix = seed * 1000003 + number * 101 + i;

		walks[i] = (struct walk){draw(&mix), is_root, &board->threads[i]};
	}
	if (!is_root && (setgroups(0, NULL) || setresgid(1000, 1000, 1000) ||
				setresuid(1000, 1000, 1000)))
		_exit(6);
	if (pthread_create(&thread, NULL, flicker, &flicker_chance))
		_exit(7);
	for (int i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, walk_in_thread, &walks[i]))
			_exit(7);
	board->set_up = true;
	walk(&walks[0]);
	for (int i = 1; i < THREADS; i++)
		while (!board->threads[i].done)
			usleep(1000);
	_exit(0);
}

/* ---- The test ---- */

enum { LOOK_MS = 5, LOOKS_STILL = 50, LOOKS_OF_DYING = 4000, LOOKS_AT_MOST = 2000 };

/* What the threads that have not finished were in, for a failure. */
static const char *last_calls(void)
{
	static char text[400];
	int len = 0;

	for (int i = 0; i < THREADS; i++) {
		struct thread_board *t = &board->threads[i];

		if (!t->done)
			len += snprintf(text + len, sizeof(text) - len,
				" %ld(%lx, %lx, %lx, %lx, %lx, %lx)", t->nr, t->args[0],
				t->args[1], t->args[2], t->args[3], t->args[4], t->args[5]);
	}
	return text;
}

/* Signals threads that stand still. Whether anything has moved since the last look. */
static bool look_at(pid_t victim, long seen[THREADS])
{
	bool moved = false;

	for (int i = 0; i < THREADS; i++) {
		struct thread_board *t = &board->threads[i];
		long made = t->made;

		if (made != seen[i])
			moved = true;
		else if (!t->done && t->tid)
			syscall(SYS_tgkill, victim, t->tid, SIGUSR1);
		seen[i] = made;
	}
	return moved;
}

static long watch(uint64_t seed, unsigned number, pid_t victim)
{
	long seen[THREADS] = {0}, made = 0;
	int status, still = 0, dying = 0;

	for (int looks = 0; waitpid(victim, &status, WNOHANG) != victim; looks++) {
		sleep_ms(LOOK_MS);
		if (dying && ++dying > LOOKS_OF_DYING)
			FAIL("seed %lu victim %u does not die; it was in%s", seed, number,
				last_calls());
		if (look_at(victim, seen))
			still = 0;
		else if (++still > LOOKS_STILL && !dying)
			dying = !kill(victim, SIGKILL);
		if (looks > LOOKS_AT_MOST && !dying)
			dying = !kill(victim, SIGKILL);
	}
	/* as a user it may get a signal that a child of an earlier one sends to everybody */
	if (!board->set_up && !(number % 2 && WIFSIGNALED(status)))
		FAIL("victim %u did not get ready: status 0x%x", number, status);
	if (board->wrong)
		FAIL("seed %lu victim %u: call %ld returned %ld", seed, number, board->wrong_nr,
			board->wrong_result);
	for (int i = 0; i < THREADS; i++)
		made += board->threads[i].made;
	return made;
}

static uint64_t word_of_cmdline(const char *key, uint64_t otherwise)
{
	char text[2048], *at;

	if (get_file("/proc/cmdline", text, sizeof(text)) < 0)
		return otherwise;
	at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 0) : otherwise;
}

enum { A_DAY = 86400, SECONDS = 10 };

TEST_WITHIN(hostile, walk_of_every_call, A_DAY)
{
	uint64_t seed = word_of_cmdline("hostile.seed=", 1);
	unsigned number = word_of_cmdline("hostile.victim=", 0);
	unsigned last = number + word_of_cmdline("hostile.victims=", UINT_MAX / 2);
	int64_t end = now_ms() + 1000 * word_of_cmdline("hostile.seconds=", SECONDS);
	unsigned victims = 0;
	long made = 0;

	mkdir("/tmp/hostile.box", 0777);
	CHECK_OK(chdir("/tmp/hostile.box"));
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	CHECK(board != MAP_FAILED);
	for (; now_ms() < end && number < last; number++, victims++) {
		pid_t victim;

		memset(board, 0, sizeof(*board));
		victim = CHECK_OK(fork());
		if (victim == 0)
			be_victim(seed, number);
		made += watch(seed, number, victim);
	}
	printf("# hostile: seed %lu: %u victims, up to %u, made %ld calls\n", seed, victims,
		number, made);
	fflush(stdout);
}

/* ---- What the walk has found ---- */

TEST(hostile, microseconds_beyond_64_bits)
{
	struct timeval tv = {LONG_MAX, LONG_MAX};
	long timer[4] = {1, LONG_MAX, 1, LONG_MAX};

	CHECK_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, &tv), EINVAL);
	CHECK_ERRNO(syscall(SYS_setitimer, 0, timer, NULL), EINVAL);
}

TEST(hostile, futex_command_below_zero)
{
	int word = 0;

	CHECK_ERRNO(syscall(SYS_futex, &word, -386, 1, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(syscall(SYS_futex, &word, INT_MIN, 1, NULL, NULL, 0), ENOSYS);
}

TEST(hostile, end_signal_that_is_none)
{
	uint64_t args[6] = {79};
	int status;
	long pid = call_raw(__NR_clone, args, true);

	CHECK(pid > 0);
	CHECK_EQ(syscall(SYS_wait4, pid, &status, 0x40000000 /* __WALL */, NULL), pid);
	CHECK_EQ(status, 0);
}
