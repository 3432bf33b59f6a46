// SPDX-License-Identifier: MIT
/* proc(5): what programs read there, in the form in which they read it. */
#include "guest.h"

#include <dirent.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

static char text[65536];

static const char *get(const char *path)
{
	if (get_file(path, text, sizeof(text)) < 0)
		FAIL("%s: %s", path, errno_name(errno));
	return text;
}

static void has(const char *path, const char *part)
{
	if (!strstr(get(path), part))
		FAIL("%s has no \"%s\"", path, part);
}

TEST(proc, self_is_a_link)
{
	char buf[30], want[30];
	ssize_t n = CHECK_OK(readlink("/proc/self", buf, 29));

	buf[n] = 0;
	snprintf(want, sizeof(want), "%d", getpid());
	CHECK_STREQ(buf, want);
	n = CHECK_OK(readlink("/proc/thread-self", buf, 29));
	buf[n] = 0;
	snprintf(want, sizeof(want), "%d/task/%d", getpid(), getpid());
	CHECK_STREQ(buf, want);
}

TEST(proc, stat_fields)
{
	int pid, ppid, pgrp, session;
	char comm[20], state;

	CHECK_OK(prctl(PR_SET_NAME, "a b) c"));
	CHECK_EQ(sscanf(get("/proc/self/stat"), "%d (%15[^)]) c) %c %d %d %d", &pid, comm,
			 &state, &ppid, &pgrp, &session),
		6);
	CHECK_EQ(pid, getpid());
	CHECK_STREQ(comm, "a b");
	CHECK_EQ(state, 'R');
	CHECK_EQ(ppid, getppid());
	CHECK_EQ(pgrp, getpgrp());
	CHECK_EQ(session, getsid(0));
	char *at = strrchr(text, ')');
	int fields = 2;
	for (; *at; at++)
		fields += *at == ' ';
	CHECK_EQ(fields, 52);
}

TEST(proc, status_lines)
{
	static const char *const keys[] = {"Name:\tproc\n", "State:\tR (running)\n", "Tgid:\t",
		"PPid:\t", "TracerPid:\t0\n", "Uid:\t0\t0\t0\t0\n", "Gid:\t0\t0\t0\t0\n",
		"VmSize:\t", "VmRSS:\t", "Threads:\t1\n", "SigBlk:\t", "CapEff:\t",
		"NoNewPrivs:\t0", "Cpus_allowed:\t", "voluntary_ctxt_switches:\t"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		has("/proc/self/status", keys[i]);
}

TEST(proc, status_signals)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	signal(SIGTERM, SIG_IGN);
	has("/proc/self/status", "SigBlk:\t0000000000000200\n");
	has("/proc/self/status", "SigPnd:\t0000000000000200\n");
	has("/proc/self/status", "SigIgn:\t0000000000004000\n");
}

TEST(proc, cmdline_and_comm)
{
	CHECK_STREQ(get("/proc/self/comm"), "proc\n");
	CHECK_STREQ(get("/proc/self/cmdline"), "/tests/proc");
	put_file("/proc/self/comm", "newname");
	CHECK_STREQ(get("/proc/self/comm"), "newname\n");
	CHECK_STREQ(get("/proc/1/comm"), "init\n");
}

TEST(proc, environ)
{
	ssize_t n = get_file("/proc/self/environ", text, sizeof(text));

	CHECK(n > 10);
	CHECK_STREQ(text, "PATH=/bin:/sbin:/usr/bin");
}

TEST(proc, maps_format)
{
	char *p = mmap(NULL, 8192, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0), want[100];
	FILE *f;
	char lines[300];
	unsigned long from, to, offset, last = 0;
	char perms[5];

	snprintf(want, sizeof(want), "%lx-%lx r--s 00000000 ", (unsigned long)p,
		(unsigned long)p + 8192);
	for (char *c = want; *c; c++)
		;
	has("/proc/self/maps", strchr(want, ' '));
	f = fopen("/proc/self/maps", "r");
	while (fgets(lines, sizeof(lines), f)) {
		CHECK_EQ(sscanf(lines, "%lx-%lx %4s %lx", &from, &to, perms, &offset), 4);
		CHECK(from >= last && to > from);
		last = to;
	}
	has("/proc/self/maps", "/tests/proc\n");
	has("/proc/self/maps", "[stack]\n");
	has("/proc/self/maps", "[vdso]\n");
	has("/proc/self/maps", "/dev/zero (deleted)\n");
}

TEST(proc, smaps)
{
	has("/proc/self/smaps", "Rss: ");
	has("/proc/self/smaps", "Private_Dirty: ");
	has("/proc/self/smaps", "VmFlags: ");
}

TEST(proc, smaps_has_columns)
{
	enum { WIDTH = 27 };
	char line[300];
	FILE *f = fopen("/proc/self/smaps", "r");
	int nr = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, " kB\n")) {
			CHECK_EQ(strlen(line), WIDTH + 1);
			nr++;
		}
	CHECK(nr > 40);
	fclose(f);
}

/* So many regions, each a page: every other one may be read. */
static char *many_regions(int nr)
{
	char *p = mmap(NULL, nr * 4096ul, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	for (int i = 0; i < nr; i += 2)
		CHECK_OK(mprotect(p + i * 4096ul, 4096, PROT_READ));
	return p;
}

/* A read gives as many whole regions as fit into a page; what is behind them is looked at later. */
static void is_made_as_it_is_read(const char *path)
{
	enum { NR = 200 };
	char *p = many_regions(NR), gone[40];
	int fd = CHECK_OK(open(path, O_RDONLY));
	ssize_t n = CHECK_OK(read(fd, text, sizeof(text) - 1)), len = n;

	CHECK(n > 0 && n <= 4096);
	CHECK_EQ(text[n - 1], '\n');
	text[n] = 0;
	snprintf(gone, sizeof(gone), "%lx-", (unsigned long)p + (NR - 1) * 4096ul);
	CHECK(!strstr(text, gone));
	CHECK_OK(munmap(p + (NR - 1) * 4096ul, 4096));
	while ((n = CHECK_OK(read(fd, text, sizeof(text) - 1))) > 0) {
		text[n] = 0;
		CHECK(!strstr(text, gone));
		len += n;
	}
	CHECK(len > NR * 40);
	CHECK_EQ(read(fd, text, sizeof(text)), 0);
	CHECK_OK(close(fd));
}

TEST(proc, maps_are_made_as_they_are_read)
{
	is_made_as_it_is_read("/proc/self/maps");
}

TEST(proc, smaps_are_made_as_they_are_read)
{
	is_made_as_it_is_read("/proc/self/smaps");
}

/* However it is read, in small pieces or from anywhere, the text is the same. */
TEST(proc, maps_by_pieces_and_positions)
{
	static char piece[1000], pieces[sizeof(text)];
	ssize_t len, n, at = 0;
	int fd;

	many_regions(300);
	len = CHECK_OK(get_file("/proc/self/maps", text, sizeof(text)));
	fd = CHECK_OK(open("/proc/self/maps", O_RDONLY));
	while ((n = CHECK_OK(read(fd, pieces + at, 100))) > 0)
		at += n;
	CHECK_EQ(at, len);
	CHECK(memcmp(text, pieces, len) == 0);
	for (at = len - 1; at > 0; at -= 777) {
		n = CHECK_OK(pread(fd, piece, sizeof(piece), at));
		CHECK(n > 0);
		CHECK(memcmp(piece, text + at, n) == 0);
	}
	CHECK_EQ(pread(fd, piece, sizeof(piece), len), 0);
	CHECK_EQ(pread(fd, piece, sizeof(piece), len + 10000), 0);
	CHECK_EQ(lseek(fd, 5000, SEEK_SET), 5000);
	n = CHECK_OK(read(fd, piece, sizeof(piece)));
	CHECK(n > 0 && memcmp(piece, text + 5000, n) == 0);
	CHECK_ERRNO(lseek(fd, 0, SEEK_END), EINVAL);
	CHECK_OK(lseek(fd, 0, SEEK_SET));
	CHECK_ERRNO(read(fd, (void *)1, 100), EFAULT);
	CHECK_EQ(read(fd, piece, 20), 20);
	CHECK(memcmp(piece, text, 20) == 0);
}

static long status_kib(const char *key)
{
	const char *at = strstr(get("/proc/self/status"), key);

	return at ? atol(at + strlen(key)) : -1;
}

static long statm_shared(void)
{
	long n[3] = {0};

	sscanf(get("/proc/self/statm"), "%ld %ld %ld", n, n + 1, n + 2);
	return n[2];
}

static bool is_near(long got, long want, long margin)
{
	return labs(got - want) <= margin;
}

/* What is mapped and not touched is not counted, nor is a private copy of a file's page. */
TEST(proc, resident_pages_are_counted_by_what_they_belong_to)
{
	enum {
		PAGES = 1024,
		TOUCHED = 512,
		LAG = 128 /* Linux counts in batches for each thread */
	};
	int fd = CHECK_OK(memfd_create("m", 0));
	long shmem, anon, shared;
	char *p, *q;

	CHECK_OK(ftruncate(fd, PAGES * 4096));
	shmem = status_kib("RssShmem:");
	anon = status_kib("RssAnon:");
	shared = statm_shared();
	p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	for (int i = 0; i < TOUCHED; i++)
		p[i * 4096] = q[i * 4096] = 1;
	CHECK(is_near(status_kib("RssShmem:") - shmem, TOUCHED * 4, LAG * 4));
	CHECK(is_near(status_kib("RssAnon:") - anon, TOUCHED * 4, LAG * 4));
	CHECK(is_near(statm_shared() - shared, TOUCHED, LAG));
}

TEST(proc, statm_has_seven_numbers)
{
	long n[7];

	CHECK_EQ(sscanf(get("/proc/self/statm"), "%ld %ld %ld %ld %ld %ld %ld", n, n + 1, n + 2,
			 n + 3, n + 4, n + 5, n + 6),
		7);
	CHECK(n[0] > n[1] && n[1] > 0);
}

TEST(proc, mem_reads_and_writes)
{
	static char target[] = "original";
	char buf[9] = "";
	int fd = CHECK_OK(open("/proc/self/mem", O_RDWR));

	CHECK_EQ(pread(fd, buf, 8, (off_t)target), 8);
	CHECK_STREQ(buf, "original");
	CHECK_EQ(pwrite(fd, "changed!", 8, (off_t)target), 8);
	CHECK_STREQ(target, "changed!");
	CHECK_ERRNO(pread(fd, buf, 8, 8), EIO);
}

TEST(proc, fd_folder)
{
	struct dirent *entry;
	char link[100];
	int fd = CHECK_OK(dup2(CHECK_OK(open("/dev/null", O_RDONLY)), 30)), seen = 0;
	DIR *dir = opendir("/proc/self/fd");
	ssize_t n;

	CHECK(dir);
	while ((entry = readdir(dir)))
		seen += atoi(entry->d_name) == fd;
	CHECK_EQ(seen, 1);
	n = CHECK_OK(readlink("/proc/self/fd/30", link, 99));
	link[n] = 0;
	CHECK_STREQ(link, "/dev/null");
	CHECK_OK(pipe((int[2]){0}));
	has("/proc/self/fdinfo/30", "pos:\t0\n");
	has("/proc/self/fdinfo/30", "flags:\t0100000\n");
}

TEST(proc, pipe_link_has_the_inode)
{
	struct stat st;
	char path[40], link[60], want[60];
	int fd[2];
	ssize_t n;

	CHECK_OK(pipe(fd));
	CHECK_OK(fstat(fd[0], &st));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
	n = CHECK_OK(readlink(path, link, 59));
	link[n] = 0;
	snprintf(want, sizeof(want), "pipe:[%lu]", (unsigned long)st.st_ino);
	CHECK_STREQ(link, want);
}

TEST(proc, exe_cwd_root)
{
	char link[100];
	ssize_t n = CHECK_OK(readlink("/proc/self/exe", link, 99));

	link[n] = 0;
	CHECK_STREQ(link, "/tests/proc");
	CHECK(exists("/proc/self/cwd/."));
	CHECK(exists("/proc/self/root/proc"));
}

TEST(proc, task_folder)
{
	char path[60];

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
	CHECK_STREQ(get(path), "proc\n");
	CHECK(!exists("/proc/self/task/1/comm"));
}

TEST(proc, listing_has_processes)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int init = 0, me = 0;

	while ((entry = readdir(dir))) {
		init += atoi(entry->d_name) == 1;
		me += atoi(entry->d_name) == getpid();
	}
	CHECK_EQ(init, 1);
	CHECK_EQ(me, 1);
}

TEST(proc, dead_process_is_gone)
{
	char path[40], c;
	siginfo_t si;
	int fd;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(0);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = CHECK_OK(open(path, O_RDONLY));
	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	has(path, ") Z ");
	EXPECT_CHILD(pid, 0);
	CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
	CHECK_ERRNO(read(fd, &c, 1), ESRCH);
}

TEST(proc, system_files)
{
	has("/proc/meminfo", "MemTotal: ");
	has("/proc/meminfo", "MemAvailable: ");
	has("/proc/cpuinfo", "processor\t: 0\n");
	has("/proc/cpuinfo", "flags\t\t: ");
	has("/proc/stat", "cpu  ");
	has("/proc/stat", "\nbtime ");
	has("/proc/version", "Linux version ");
	has("/proc/filesystems", "nodev\ttmpfs\n");
	has("/proc/self/mounts", " /proc proc ");
	has("/proc/self/mountinfo", " / ");
	has("/proc/devices", "Character devices:\n");
	has("/proc/cmdline", "console=ttyS0");
	CHECK(atof(get("/proc/uptime")) > 0);
	CHECK_EQ(sscanf(get("/proc/loadavg"), "%*f %*f %*f %*d/%*d %*d%n", &(int){0}), 0);
}

TEST(proc, sysctl_files)
{
	CHECK_STREQ(get("/proc/sys/kernel/ostype"), "Linux\n");
	CHECK(atoi(get("/proc/sys/kernel/pid_max")) >= 32768);
	CHECK(atoi(get("/proc/sys/fs/file-max")) > 0);
	CHECK(atoi(get("/proc/sys/vm/overcommit_memory")) >= 0);
	CHECK_EQ(strlen(get("/proc/sys/kernel/random/boot_id")), 37);
	CHECK_EQ(atoi(get("/proc/sys/fs/pipe-max-size")), 1048576);
}

TEST(proc, sysctl_numbers_take_effect)
{
	int fd[2];

	put_file("/proc/sys/fs/pipe-max-size", "5000");
	CHECK_STREQ(get("/proc/sys/fs/pipe-max-size"), "8192\n");
	CHECK_OK(pipe(fd));
	IN_CHILD(CHECK_OK(setuid(1000));
		 CHECK_ERRNO(fcntl(fd[0], F_SETPIPE_SZ, 1 << 20), EPERM));
	put_file("/proc/sys/fs/pipe-max-size", "1048576");
	IN_CHILD(CHECK_OK(setuid(1000));
		 CHECK_EQ(fcntl(fd[0], F_SETPIPE_SZ, 1 << 20), 1 << 20));
	CHECK_STREQ(get("/proc/sys/fs/inotify/max_queued_events"), "16384\n");
	CHECK_STREQ(get("/proc/sys/vm/mmap_min_addr"), "65536\n");
	CHECK_STREQ(get("/proc/sys/kernel/sched_rr_timeslice_ms"), "100\n");
}

/* The functions have other names on each kernel; which there are is not asked. */
TEST(proc, stack_and_wchan_name_where_it_waits)
{
	char path[64], text[64];
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		for (;;)
			pause();
	}
	wait_until_sleeping(pid);
	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	CHECK_OK(get_file(path, text, sizeof(text)));
	CHECK(text[0] != '0' && !strchr(text, '\n') && !strchr(text, '+'));
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_OK(get_file(path, text, sizeof(text)));
		 CHECK_STREQ(text, "0"));
	CHECK_STREQ(get("/proc/self/wchan"), "0");
	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	CHECK(strncmp(get(path), "[<0>] ", 6) == 0);
	IN_CHILD({
		int fd;

		CHECK_OK(setuid(1000));
		CHECK_ERRNO(open(path, O_RDONLY), EACCES);
		CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
		fd = CHECK_OK(open("/proc/self/stack", O_RDONLY));
		CHECK_ERRNO(read(fd, text, sizeof(text)), EACCES);
	});
}

/* man 2 syslog: what is below the console's level is shown there. */
TEST(proc, printk_is_the_consoles_level)
{
	char before[64], text[64];
	int level;

	CHECK(get_file("/proc/sys/kernel/printk", before, sizeof(before)) > 0);
	CHECK_EQ(sscanf(before, "%d\t%*d\t%*d\t%*d%n", &level, &(int){0}), 1);
	CHECK_OK(syscall(SYS_syslog, 8, NULL, 3));
	CHECK(get_file("/proc/sys/kernel/printk", text, sizeof(text)) > 0);
	CHECK_EQ(atoi(text), 3);
	CHECK_STREQ(strchr(text, '\t'), strchr(before, '\t'));
	put_file("/proc/sys/kernel/printk", "5\n");
	CHECK_EQ(atoi(get("/proc/sys/kernel/printk")), 5);
	put_file("/proc/sys/kernel/printk", before);
	CHECK_EQ(atoi(get("/proc/sys/kernel/printk")), level);
}

static void check_link_mode(int fd, mode_t mode)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_OK(lstat(path, &st));
	CHECK_EQ(st.st_mode, S_IFLNK | mode);
	CHECK_EQ(st.st_size, 64);
}

/* lsof shows them as r, w and u. */
TEST(proc, links_of_descriptors_say_how_they_are_open)
{
	int fd[2];

	check_link_mode(CHECK_OK(open("/", O_RDONLY)), 0500);
	check_link_mode(CHECK_OK(open("f", O_WRONLY | O_CREAT, 0600)), 0300);
	check_link_mode(CHECK_OK(open("f", O_RDWR)), 0700);
	check_link_mode(CHECK_OK(open("f", O_PATH)), 0000);
	CHECK_OK(pipe(fd));
	check_link_mode(fd[0], 0500);
	check_link_mode(fd[1], 0300);
	CHECK_OK(dup2(CHECK_OK(open("f", O_RDWR)), fd[0]));
	check_link_mode(fd[0], 0700);
}

TEST(proc, mounts_show_options_of_filesystems)
{
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mount("here", "m", "tmpfs", 0, "size=64k,nr_inodes=10,mode=700,uid=3,gid=4"));
	has("/proc/self/mounts",
		" tmpfs rw,relatime,size=64k,nr_inodes=10,mode=700,uid=3,gid=4");
	has("/proc/self/mountinfo",
		" - tmpfs here rw,size=64k,nr_inodes=10,mode=700,uid=3,gid=4");
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_NOSUID, "size=128k"));
	has("/proc/self/mounts", " tmpfs rw,nosuid,relatime,size=128k,nr_inodes=10,mode=700");
}

/* man 4 kmsg; a program cannot speak as the kernel: its facility is `user`, 1, if it says 0. */
TEST(proc, kmsg_keeps_facility_and_level)
{
	static const struct {
		const char *text, *start;
	} lines[] = {{"<7>guest\n", "15,"}, {"<30>guest\n", "30,"}, {"<31>guest\n", "31,"}};
	char record[1024];
	int fd = CHECK_OK(open("/dev/kmsg", O_RDWR | O_NONBLOCK));

	for (int i = 0; i < 3; i++) {
		CHECK_OK(lseek(fd, 0, SEEK_END));
		CHECK_OK(write(fd, lines[i].text, strlen(lines[i].text)));
		do { /* the kernel may have said something meanwhile */
			memset(record, 0, sizeof(record));
			CHECK_OK(read(fd, record, sizeof(record) - 1));
		} while (!strstr(record, ";guest\n"));
		CHECK(strncmp(record, lines[i].start, strlen(lines[i].start)) == 0);
	}
	CHECK_OK(syscall(SYS_syslog, 5, NULL, 0)); /* clear */
	CHECK_OK(lseek(fd, 0, SEEK_DATA));
	CHECK_ERRNO(read(fd, record, sizeof(record)), EAGAIN);
	CHECK_OK(lseek(fd, 0, SEEK_SET));
	CHECK(read(fd, record, sizeof(record)) > 0);
}

TEST(proc, slabinfo_has_sixteen_words_a_line)
{
	char line[512];
	FILE *f = fopen("/proc/slabinfo", "r");
	unsigned n = 0;

	CHECK(f && fgets(line, sizeof(line), f) && fgets(line, sizeof(line), f));
	for (; fgets(line, sizeof(line), f); n++) {
		unsigned words = 0;

		for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n"))
			words++;
		CHECK_EQ(words, 16);
	}
	CHECK(n > 10);
}

TEST(proc, caches_are_dropped_on_request)
{
	char number[2] = "1";

	for (; number[0] <= '3'; number[0]++)
		put_file("/proc/sys/vm/drop_caches", number);
	CHECK_ERRNO(
		write(CHECK_OK(open("/proc/sys/vm/drop_caches", O_WRONLY)), "x", 1), EINVAL);
	CHECK(exists("/proc/self/stat"));
}

TEST(proc, can_be_mounted_on)
{
	CHECK_OK(mount("here", "/proc/tty", "tmpfs", 0, NULL));
	CHECK_OK(mkdir("/proc/tty/inside", 0700));
	CHECK(!exists("/proc/tty/ldiscs"));
	CHECK_OK(umount("/proc/tty"));
	CHECK(exists("/proc/tty/ldiscs"));
	CHECK(!exists("/proc/tty/inside"));
	CHECK_OK(mount("/proc/version", "/proc/uptime", NULL, MS_BIND, NULL));
	has("/proc/uptime", "Linux version ");
	CHECK_OK(umount("/proc/uptime"));
	CHECK(atof(get("/proc/uptime")) > 0);
}

TEST(proc, stat_tells_user_from_idle)
{
	unsigned long user, system, idle, user_after, system_after, idle_after;
	struct timespec now;
	double end = 1;

	CHECK_EQ(sscanf(get("/proc/stat"), "cpu  %lu %*u %lu %lu", &user, &system, &idle), 3);
	do { /* a second, or more: of a machine that stands still no tick is counted */
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
		end = (double)now.tv_sec + 1;
		do {
			for (volatile int i = 0; i < 1000000; i++)
				;
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
		} while ((double)now.tv_sec < end);
		sscanf(get("/proc/stat"), "cpu  %lu %*u %lu %lu", &user_after, &system_after,
			&idle_after);
	} while (user_after - user < 20); /* hundredths */
	CHECK(user_after >= user && system_after >= system && idle_after >= idle);
	do {
		sleep_ms(200);
		sscanf(get("/proc/stat"), "cpu  %*u %*u %*u %lu", &idle);
	} while (idle <= idle_after);
}

TEST(proc, tables_of_the_system)
{
	has("/proc/consoles", "ttyS0 ");
	has("/proc/tty/drivers",
		"/dev/tty             /dev/tty        5       0 system:/dev/tty\n");
	has("/proc/tty/drivers",
		"pty_slave            /dev/pts      136 0-1048575 pty:slave\n");
	has("/proc/tty/ldiscs", "n_tty       0\n");
	has("/proc/slabinfo", "slabinfo - version: 2.1\n# name            <active_objs> ");
	has("/proc/zoneinfo", "Node 0, zone ");
	has("/proc/meminfo", "\nSlab: ");
	CHECK_OK(get_file("/proc/diskstats", text, sizeof(text)));
	has("/proc/vmstat", "nr_free_pages ");
	has("/proc/swaps", "Filename\t\t\t\tType");
}

TEST(proc, what_a_thread_does)
{
	char path[60], want[40];
	int p[2];
	pid_t pid;

	CHECK_OK(pipe(p));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		char c;

		(void)!read(p[0], &c, 1);
		_exit(0);
	}
	wait_until_sleeping(pid);
	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	snprintf(want, sizeof(want), "0 0x%x 0x", p[0]);
	CHECK(strstr(get(path), want) == text);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	snprintf(want, sizeof(want), "%d ", pid);
	CHECK_STREQ(get(path), want);
	snprintf(path, sizeof(path), "/proc/%d/sched", pid);
	has(path, ", #threads: 1)\n");
	has(path, "\nnr_voluntary_switches ");
	CHECK_EQ(write(p[1], "x", 1), 1);
	EXPECT_CHILD(pid, 0);
}

TEST(proc, settings_of_a_process)
{
	put_file("/proc/self/oom_adj", "15");
	CHECK_STREQ(get("/proc/self/oom_score_adj"), "1000\n");
	put_file("/proc/self/oom_score_adj", "500");
	CHECK_STREQ(get("/proc/self/oom_adj"), "8\n");
	put_file("/proc/self/timerslack_ns", "123456");
	CHECK_STREQ(get("/proc/self/timerslack_ns"), "123456\n");
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 123456);
}

TEST(proc, cannot_be_changed)
{
	CHECK_ERRNO(open("/proc/newfile", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK_ERRNO(mkdir("/proc/d", 0700), ENOENT);
	CHECK_ERRNO(unlink("/proc/version"), EPERM);
	CHECK_ERRNO(rmdir("/proc/self/fd"), EPERM);
}

TEST(proc, limits_and_oom)
{
	has("/proc/self/limits", "Max open files            1024                 4096          "
				 "       files     \n");
	CHECK_STREQ(get("/proc/self/oom_score_adj"), "0\n");
	put_file("/proc/self/oom_score_adj", "500");
	CHECK_STREQ(get("/proc/self/oom_score_adj"), "500\n");
}

TEST(proc, pagemap_and_reading_in_pieces)
{
	char buf[5];
	int fd = CHECK_OK(open("/proc/self/status", O_RDONLY));

	CHECK_EQ(read(fd, buf, 5), 5);
	CHECK_MEM(buf, "Name:", 5);
	CHECK_EQ(pread(fd, buf, 5, 6), 5);
	CHECK_MEM(buf, "proc\n", 5);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
}

static void show_link(const char *what, int fd)
{
	char path[40], link[64] = {0};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", (int)CHECK_OK(fd));
	CHECK_OK(readlink(path, link, sizeof(link) - 1));
	SHOW("%s: %s", what, link);
}

TEST(proc, links_of_files_without_a_name)
{
	struct {
		unsigned words[30];
	} ring = {{0}};
	sigset_t none;

	sigemptyset(&none);
	show_link("epoll", epoll_create1(0));
	show_link("eventfd", eventfd(0, 0));
	show_link("signalfd", signalfd(-1, &none, 0));
	show_link("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
	show_link("inotify", inotify_init1(0));
	show_link("pidfd", (int)syscall(SYS_pidfd_open, getpid(), 0));
	show_link("fsopen", (int)syscall(SYS_fsopen, "tmpfs", 0));
	show_link("io_uring", (int)syscall(SYS_io_uring_setup, 1, &ring));
}
