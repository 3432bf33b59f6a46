// SPDX-License-Identifier: MIT
/*
 * A victim of the walk: it puts itself into a sandbox (its own mounts, root and limits), opens one
 * descriptor of every kind, maps memory of every kind, and walks in several threads.
 */
#include "hostile.h"

#include <grp.h>
#include <pthread.h>
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

enum { LAST_ERRNO = 133 /* EHWPOISON */ };

struct board *board;

/* ---- Walking ---- */

void walk_of_calls(struct walk *w)
{
	uint64_t *s = &w->chance;
	size_t at = below(s, nr_hostile_calls), stride = 1 + below(s, nr_hostile_calls - 1);

	w->board->tid = syscall(SYS_gettid);
	for (int i = 0; i < CALLS_PER_THREAD; i++) {
		const struct call *call = &hostile_calls[at];
		uint64_t args[6];
		bool forks = call->nr == __NR_fork || call->nr == __NR_vfork ||
			     call->nr == __NR_clone || call->nr == __NR_clone3;
		long result;

		at = (at + stride) % nr_hostile_calls;
		if (i % nr_hostile_calls == nr_hostile_calls - 1)
			stride = 1 + below(s, nr_hostile_calls - 1);
		draw_arguments(s, call, args);
		if ((w->is_root && is_machine_wide(call->nr)) ||
			(is_final(call->nr) && below(s, 16)))
			continue;
		w->board->nr = call->nr;
		for (int k = 0; k < 6; k++)
			w->board->args[k] = args[k];
		result = call_raw(call->nr, args, forks);
		/* a seek on /proc/self/mem may end at any address */
		if (result < -LAST_ERRNO && result >= -4095 && call->nr != __NR_lseek) {
			board->wrong_nr = call->nr;
			board->wrong_result = result;
			board->wrong = true;
		}
		w->board->made++;
	}
	w->board->done = true;
}

static walk_fn *walk; /* what all threads do */

static void *walk_in_thread(void *arg)
{
	while (!board->set_up)
		usleep(100);
	walk(arg);
	return NULL;
}

/* Maps and unmaps two pages for ever. */
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

/* ---- The sandbox ---- */

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
		(void)!chown(".", USER, USER);
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

static bool is_fatal(int sig)
{
	static const int fatal[] = {
		SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		if (fatal[i] == sig)
			return true;
	return false;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = nothing};

	for (int sig = 1; sig < 65; sig++)
		if (!is_fatal(sig))
			sigaction(sig, &action, NULL);
}

_Noreturn void be_victim(uint64_t seed, unsigned number, walk_fn *how)
{
	static struct walk walks[THREADS];
	static uint64_t flicker_chance;
	bool is_root = number % 2 == 0;
	pthread_t thread;
	int fd, adj;

	walk = how;
	setsid();
	fill_sandbox(is_root);
	open_descriptors();
	fd = open("/proc/self/oom_score_adj", O_WRONLY);
	adj = fcntl(fd, F_DUPFD, OPENED); /* above those that are drawn */
	close(fd);
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
	if (!is_root && (setgroups(0, NULL) || setresgid(USER, USER, USER) ||
				setresuid(USER, USER, USER)))
		_exit(6);
	if (pthread_create(&thread, NULL, flicker, &flicker_chance))
		_exit(NO_THREADS);
	for (int i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, walk_in_thread, &walks[i]))
			_exit(NO_THREADS);
	if (write(adj, "0", 1) != 1) /* from here on memory may fail */
		_exit(8);
	close(adj);
	board->set_up = true; /* all walk, and a walk may be the end at any moment */
	walk(&walks[0]);
	for (int i = 1; i < THREADS; i++)
		while (!board->threads[i].done)
			usleep(1000);
	_exit(0);
}
