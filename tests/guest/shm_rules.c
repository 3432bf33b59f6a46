// SPDX-License-Identifier: MIT
/*
 * System V shared memory: who may, what is limited, and what /proc shows (man 7 sysvipc, man 5 proc).
 */
#include "shm.h"

#include <pthread.h>
#include <sys/mman.h>

/* ---- Who may ---- */

static int make_of(uid_t uid, gid_t gid, int mode)
{
	struct shmid_ds ds = {.shm_perm = {.uid = uid, .gid = gid, .mode = mode}};
	int id = make(PAGE);

	CHECK_OK(shmctl(id, IPC_SET, &ds));
	return id;
}

static void expect_rights(int id, int read_error, int write_error)
{
	int error = shmat(id, NULL, SHM_RDONLY) == (void *)-1 ? errno : 0;

	CHECK_EQ(error, read_error);
	error = shmat(id, NULL, 0) == (void *)-1 ? errno : 0;
	CHECK_EQ(error, write_error);
	error = shmctl(id, IPC_STAT, &(struct shmid_ds){0}) ? errno : 0;
	CHECK_EQ(error, read_error);
	error = shmctl(id, SHM_STAT, &(struct shmid_ds){0}) < 0 ? errno : 0;
	CHECK_EQ(error, read_error);
	CHECK_EQ(shmctl(id, SHM_STAT_ANY, &(struct shmid_ds){0}), id);
}

TEST(shm_rules, mode_is_of_owner_group_and_others)
{
	int owner = make_of(USER, OTHER, 0600), owner_r = make_of(USER, OTHER, 0466),
	    group = make_of(OTHER, GROUP, 0060), group_r = make_of(OTHER, GROUP, 0646),
	    others = make_of(OTHER, OTHER, 0006), others_r = make_of(OTHER, OTHER, 0774),
	    others_w = make_of(OTHER, OTHER, 0772), none = make_of(USER, GROUP, 0007);

	IN_CHILD({
		gid_t also = GROUP;

		CHECK_OK(setgroups(1, &also));
		become(USER, USER);
		expect_rights(owner, 0, 0);
		expect_rights(owner_r, 0, EACCES);
		expect_rights(group, 0, 0);
		expect_rights(group_r, 0, EACCES);
		expect_rights(others, 0, 0);
		expect_rights(others_r, 0, EACCES);
		expect_rights(others_w, EACCES, EACCES);
		expect_rights(none, EACCES, EACCES);
		CHECK_ERRNO(shmat(others, NULL, SHM_EXEC), EACCES);
		CHECK_ERRNO(shmat(others, NULL, SHM_EXEC | SHM_RDONLY), EACCES);
	});
	expect_rights(none, 0, 0); /* CAP_IPC_OWNER */
	CHECK_OK((char *)shmat(none, NULL, SHM_EXEC));
	IN_CHILD({ /* the creator counts as the owner, its group as the group */
		CHECK_OK(setgroups(0, NULL));
		CHECK_OK(setresgid(USER, USER, 0));
		CHECK_OK(setresuid(OTHER + 1, OTHER + 1, OTHER + 1));
		expect_rights(group, EACCES, EACCES);
		expect_rights(others, 0, 0);
	});
	discard(owner);
	discard(owner_r);
	discard(group);
	discard(group_r);
	discard(others);
	discard(others_r);
	discard(others_w);
	discard(none);
}

TEST(shm_rules, the_creator_has_the_owners_rights)
{
	int pipe_of[2], id;
	struct shmid_ds ds = {.shm_perm = {.uid = OTHER, .gid = OTHER, .mode = 0600}};

	CHECK_OK(pipe(pipe_of));
	IN_CHILD({
		become(USER, GROUP);
		id = make(PAGE);
		CHECK_OK(shmctl(id, IPC_SET, &ds));
		expect_rights(id, 0, 0);
		CHECK_OK(shmctl(id, IPC_SET, &ds)); /* may still change it */
		CHECK_EQ(write(pipe_of[1], &id, sizeof(id)), sizeof(id));
	});
	CHECK_EQ(read(pipe_of[0], &id, sizeof(id)), sizeof(id));
	IN_CHILD({
		become(OTHER, OTHER);
		expect_rights(id, 0, 0);
		CHECK_OK(shmctl(id, IPC_SET, &ds));
		ds.shm_perm.mode = 0060;
		CHECK_OK(shmctl(id, IPC_SET, &ds));
		expect_rights(id, EACCES, EACCES);
	});
	IN_CHILD({ /* of the creator's group */
		become(OTHER + 1, GROUP);
		expect_rights(id, 0, 0);
		CHECK_ERRNO(shmctl(id, IPC_SET, &ds), EPERM);
		CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
		CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EPERM);
		CHECK_ERRNO(shmctl(id, SHM_UNLOCK, NULL), EPERM);
	});
	IN_CHILD({
		become(OTHER, OTHER);
		discard(id);
	});
}

TEST(shm_rules, getting_by_key_asks_for_the_modes_rights)
{
	struct shmid_ds ds = {.shm_perm = {.uid = OTHER, .gid = OTHER, .mode = 0004}};
	int id = CHECK_OK(shmget(KEY, PAGE, IPC_CREAT | 0600));

	CHECK_OK(shmctl(id, IPC_SET, &ds));
	IN_CHILD({
		become(USER, USER);
		CHECK_EQ(shmget(KEY, PAGE, 0), id);
		CHECK_EQ(shmget(KEY, PAGE, 0400), id);
		CHECK_EQ(shmget(KEY, PAGE, 0004), id);
		CHECK_EQ(shmget(KEY, PAGE, IPC_CREAT | 0040), id);
		CHECK_ERRNO(shmget(KEY, PAGE, 0600), EACCES);
		CHECK_ERRNO(shmget(KEY, PAGE, 0002), EACCES);
		CHECK_ERRNO(shmget(KEY, PAGE, 0100), EACCES);
		CHECK_ERRNO(shmget(KEY, PAGE + 1, 0600), EINVAL);
		CHECK_ERRNO(shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	});
	CHECK_EQ(shmget(KEY, PAGE, 0777), id);
	discard(id);
}

/* ---- SHM_LOCK ---- */

TEST(shm_rules, locking_shows_in_the_mode)
{
	int id = make(PAGE);

	CHECK_OK(shmctl(id, SHM_LOCK, NULL));
	CHECK_EQ(stat_of(id).shm_perm.mode, 0600 | SHM_LOCKED);
	CHECK_OK(shmctl(id, SHM_LOCK, NULL));
	CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
	CHECK_EQ(stat_of(id).shm_perm.mode, 0600);
	CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
	CHECK_OK(shmctl(id, SHM_LOCK, NULL));
	discard(id); /* locked as it is */
}

TEST(shm_rules, locking_counts_against_the_users_limit)
{
	IN_CHILD({
		int a = 0, b = 0;

		set_limit(RLIMIT_MEMLOCK, 4 * PAGE + 100);
		become(USER, USER);
		a = make(3 * PAGE);
		b = make(PAGE + 1);
		CHECK_OK(shmctl(a, SHM_LOCK, NULL));
		CHECK_OK(shmctl(a, SHM_LOCK, NULL)); /* counts once */
		CHECK_ERRNO(shmctl(b, SHM_LOCK, NULL), ENOMEM);
		CHECK_EQ(stat_of(b).shm_perm.mode, 0600);
		IN_CHILD(CHECK_ERRNO(shmctl(b, SHM_LOCK, NULL), ENOMEM));
		CHECK_OK(shmctl(a, SHM_UNLOCK, NULL));
		CHECK_OK(shmctl(b, SHM_LOCK, NULL));
		discard(b); /* gives it back, too */
		CHECK_OK(shmctl(a, SHM_LOCK, NULL));
		discard(a);
	});
}

TEST(shm_rules, locking_with_no_limit_left)
{
	IN_CHILD({
		int id = 0;

		set_limit(RLIMIT_MEMLOCK, 0);
		CHECK_OK(shmctl(id = make(PAGE), SHM_LOCK, NULL)); /* CAP_IPC_LOCK */
		discard(id);
		become(USER, USER);
		id = make(PAGE);
		CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EPERM);
		CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
		discard(id);
	});
}

TEST(shm_rules, attaching_when_all_is_to_be_locked)
{
	IN_CHILD({
		int id = 0;
		char *p;
		unsigned char there[8] = {0};

		set_limit(RLIMIT_MEMLOCK, 4 * PAGE);
		become(USER, USER);
		CHECK_OK(mlockall(MCL_FUTURE));
		id = make(8 * PAGE);
		CHECK_ERRNO(shmat(id, NULL, 0), EAGAIN);
		CHECK_EQ(nr_attached(id), 0);
		discard(id);
		id = make(2 * PAGE);
		p = attach(id);
		CHECK_OK(mincore(p, 2 * PAGE, there));
		CHECK_EQ(there[0] & there[1] & 1, 1);
		discard(id);
	});
}

/* ---- Limits ---- */

TEST(shm_rules, limits_can_be_set)
{
	char max[32], all[32], mni[32], text[64];
	struct limits l;
	struct usage use;
	int id;

	get_number_of("/proc/sys/kernel/shmmax", max, sizeof(max));
	get_number_of("/proc/sys/kernel/shmall", all, sizeof(all));
	get_number_of("/proc/sys/kernel/shmmni", mni, sizeof(mni));
	CHECK_STREQ(max, "18446744073692774399");
	CHECK_STREQ(all, "18446744073692774399");
	CHECK_STREQ(mni, "4096");

	set_number("/proc/sys/kernel/shmmax", "8192");
	id = make(8192);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 8193, 0600), EINVAL);
	CHECK_OK(shmctl(0, IPC_INFO, (void *)&l));
	CHECK_EQ(l.max, 8192);
	set_number("/proc/sys/kernel/shmmax", max);

	CHECK_OK(shmctl(0, SHM_INFO, (void *)&use));
	snprintf(text, sizeof(text), "%lu", use.total + 1);
	set_number("/proc/sys/kernel/shmall", text);
	CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE + 1, 0600), ENOSPC);
	discard(make(PAGE));
	set_number("/proc/sys/kernel/shmall", all);

	snprintf(text, sizeof(text), "%d", use.used_ids);
	set_number("/proc/sys/kernel/shmmni", text);
	CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE, 0600), ENOSPC);
	CHECK_ERRNO(shmget(KEY, PAGE, IPC_CREAT | 0600), ENOSPC);
	CHECK_ERRNO(shmget(KEY, PAGE, 0600), ENOENT);
	discard(id);
	discard(make(PAGE));
	set_number("/proc/sys/kernel/shmmni", mni);
}

static int write_error(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), error;

	if (fd < 0)
		return errno;
	error = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return error;
}

TEST(shm_rules, limits_refuse_what_is_none)
{
	CHECK_EQ(write_error("/proc/sys/kernel/shmmni", "32769"), EINVAL);
	CHECK_EQ(write_error("/proc/sys/kernel/shmmni", "-1"), EINVAL);
	CHECK_EQ(write_error("/proc/sys/kernel/shm_rmid_forced", "2"), EINVAL);
	CHECK_EQ(write_error("/proc/sys/kernel/shm_next_id", "-1"), EINVAL);
	CHECK_EQ(write_error("/proc/sys/kernel/shmmax", "many"), EINVAL);
	IN_CHILD({
		become(USER, USER);
		CHECK_EQ(write_error("/proc/sys/kernel/shmmax", "1"), EACCES);
		CHECK_EQ(write_error("/proc/sys/kernel/shm_rmid_forced", "1"), EACCES);
	});
}

TEST(shm_rules, next_id_is_used_once)
{
	char text[32];
	int wanted = 77 << 15 | 500, id, next;

	get_number_of("/proc/sys/kernel/shm_next_id", text, sizeof(text));
	CHECK_STREQ(text, "-1");
	snprintf(text, sizeof(text), "%d", wanted);
	set_number("/proc/sys/kernel/shm_next_id", text);
	id = make(PAGE);
	CHECK_EQ(id, wanted);
	get_number_of("/proc/sys/kernel/shm_next_id", text, sizeof(text));
	CHECK_STREQ(text, "-1");
	snprintf(text, sizeof(text), "%d", wanted);
	set_number("/proc/sys/kernel/shm_next_id", text);
	next = make(PAGE); /* that place is taken: the next one */
	CHECK_EQ(next, wanted + 1);
	CHECK_EQ(shmctl(0, SHM_INFO, (void *)&(struct usage){0}), 501);
	discard(next);
	discard(id);
	id = make(PAGE);
	CHECK(id != wanted && id != wanted + 1);
	discard(id);
}

TEST(shm_rules, promised_memory_is_counted)
{
	char mode[32], unreserved[32], text[32];
	int id;

	get_number_of("/proc/sys/vm/overcommit_memory", mode, sizeof(mode));
	CHECK_ERRNO(shmget(IPC_PRIVATE, 1ul << 40, 0600), ENOMEM); /* no machine has that */
	id = make_with(1ul << 40, SHM_NORESERVE | 0600);
	discard(id);
	IN_CHILD({
		unsigned long limit =
			(unsigned long)get_number("/proc/meminfo", "CommitLimit:");

		set_number("/proc/sys/vm/overcommit_memory", "2");
		id = shmget(IPC_PRIVATE, limit << 10, 0600);
		snprintf(text, sizeof(text), "%s", id < 0 ? errno_name(errno) : "made");
		id = shmget(IPC_PRIVATE, limit << 10, SHM_NORESERVE | 0600);
		snprintf(unreserved, sizeof(unreserved), "%s",
			id < 0 ? errno_name(errno) : "made");
		set_number("/proc/sys/vm/overcommit_memory", mode);
		CHECK_STREQ(text, "ENOMEM");
		CHECK_STREQ(unreserved, "ENOMEM"); /* no exception in this mode */
	});
}

/* ---- kernel.shm_rmid_forced ---- */

TEST(shm_rules, forced_removal_is_by_the_last_detach_or_the_makers_end)
{
	int id, kept = 0, kept_attached = 0, fd[2], ids[2];
	char *p;

	CHECK_OK(pipe(fd));
	kept = make(PAGE); /* its maker lives */
	IN_CHILD({
		ids[0] = make(PAGE);
		ids[1] = make(PAGE);
		CHECK_EQ(write(fd[1], ids, sizeof(ids)), sizeof(ids));
	});
	CHECK_EQ(read(fd[0], ids, sizeof(ids)), sizeof(ids));
	p = attach(ids[1]);
	CHECK_EQ(nr_attached(ids[0]), 0); /* their maker is gone, and they are there */
	set_number("/proc/sys/kernel/shm_rmid_forced", "1");
	CHECK_ERRNO(shmctl(ids[0], IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	CHECK_EQ(nr_attached(ids[1]), 1);
	CHECK_OK(shmdt(p));
	CHECK_ERRNO(shmctl(ids[1], IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	CHECK_EQ(nr_attached(kept), 0);

	id = make(PAGE);
	p = attach(id);
	CHECK_OK(shmdt(p));
	CHECK_ERRNO(shmctl(id, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	IN_CHILD({
		ids[0] = make(PAGE);
		ids[1] = kept_attached = make(PAGE);
		CHECK_EQ(write(fd[1], ids, sizeof(ids)), sizeof(ids));
		p = attach(ids[1]);
		IN_CHILD(CHECK_OK(shmdt(p)));
		CHECK_EQ(nr_attached(ids[1]), 1);
	});
	CHECK_EQ(read(fd[0], ids, sizeof(ids)), sizeof(ids));
	CHECK_ERRNO(shmctl(ids[0], IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	CHECK_ERRNO(shmctl(ids[1], IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	set_number("/proc/sys/kernel/shm_rmid_forced", "0");
	discard(kept);
}

/* The maker is a thread. */
static void *make_one(void *id)
{
	*(int *)id = shmget(IPC_PRIVATE, PAGE, 0600);
	return NULL;
}

TEST(shm_rules, forced_removal_by_the_end_of_a_thread)
{
	pthread_t thread;
	int id = -1;

	set_number("/proc/sys/kernel/shm_rmid_forced", "1");
	CHECK_EQ(pthread_create(&thread, NULL, make_one, &id), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK(id >= 0);
	for (int i = 0; i < 1000 && shmctl(id, IPC_STAT, &(struct shmid_ds){0}) == 0; i++)
		sleep_ms(10); /* who joins is told a little before the end */
	CHECK_ERRNO(shmctl(id, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	set_number("/proc/sys/kernel/shm_rmid_forced", "0");
}

/* ---- /proc ---- */

/* The line of the segment in a table; its numbers that differ between runs as letters. */
static void find_line(const char *path, const char *part, char *line, size_t size)
{
	char text[16384], *at, *start;

	CHECK(get_file(path, text, sizeof(text)) > 0);
	at = strstr(text, part);
	if (!at)
		FAIL("no %s in %s", part, path);
	for (start = at; start > text && start[-1] != '\n'; start--)
		;
	at[strcspn(at, "\n")] = 0;
	CHECK((size_t)snprintf(line, size, "%s", start) < size);
}

TEST(shm_rules, sysvipc_lists_segments)
{
	int id = CHECK_OK(shmget(KEY, 5 * PAGE + 7, IPC_CREAT | 0640));
	struct shmid_ds ds;
	char line[512], want[512];
	char *p = attach(id);

	p[0] = p[2 * PAGE] = 1;
	ds = stat_of(id);
	find_line("/proc/sysvipc/shm", "key", line, sizeof(line));
	SHOW("%s", line);
	snprintf(want, sizeof(want), "%d ", KEY);
	find_line("/proc/sysvipc/shm", want, line, sizeof(line));
	snprintf(want, sizeof(want),
		"%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10llu %10llu %10llu %21lu "
		"%21lu",
		KEY, id, 0640, 5ul * PAGE + 7, getpid(), getpid(), 1ul, 0, 0, 0, 0,
		(unsigned long long)ds.shm_atime, (unsigned long long)ds.shm_dtime,
		(unsigned long long)ds.shm_ctime, 2ul * PAGE, 0ul);
	CHECK_STREQ(line, want);
	CHECK_OK(shmctl(id, SHM_LOCK, NULL));
	discard(id);
	snprintf(want, sizeof(want), "%10d %10d  %4o ", 0, id, 0640 | SHM_DEST | SHM_LOCKED);
	find_line("/proc/sysvipc/shm", want, line, sizeof(line));
	CHECK_OK(shmdt(p));
}

TEST(shm_rules, sysvipc_is_read_in_pieces)
{
	enum { MANY = 200 };
	int ids[MANY], fd, lines = 0, before = 0;
	char piece[100], text[65536];
	ssize_t n, len = 0;

	CHECK(get_file("/proc/sysvipc/shm", text, sizeof(text)) > 0);
	for (char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		before++;
	for (int i = 0; i < MANY; i++)
		ids[i] = make(PAGE);
	fd = CHECK_OK(open("/proc/sysvipc/shm", O_RDONLY));
	while ((n = CHECK_OK(read(fd, piece, sizeof(piece)))) > 0) {
		memcpy(text + len, piece, (size_t)n);
		len += n;
		for (ssize_t i = 0; i < n; i++)
			lines += piece[i] == '\n';
	}
	text[len] = 0;
	CHECK_EQ(lines, before + MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(piece, sizeof(piece), " %10d ", ids[i]);
		CHECK(strstr(text, piece));
		discard(ids[i]);
	}
}

TEST(shm_rules, maps_name_the_segment)
{
	int id = CHECK_OK(shmget(0xabc, 3 * PAGE, IPC_CREAT | 0600));
	char *p = attach(id), *ro = attach_at(id, NULL, SHM_RDONLY), line[512], want[128];

	CHECK_OK(munmap(p, PAGE));
	snprintf(want, sizeof(want), "%lx-", (unsigned long)p + PAGE);
	find_line("/proc/self/maps", want, line, sizeof(line));
	snprintf(want, sizeof(want), "%lx-%lx rw-s 00001000 00:01 %d ", (unsigned long)p + PAGE,
		(unsigned long)p + 3 * PAGE, id);
	line[strlen(want)] = line[strlen(want)] ? line[strlen(want)] : 0;
	CHECK(strncmp(line, want, strlen(want)) == 0);
	CHECK(strstr(line, "/SYSV00000abc (deleted)"));
	SHOW("%s", strchr(line, '/'));
	snprintf(want, sizeof(want), "%lx-", (unsigned long)ro);
	find_line("/proc/self/maps", want, line, sizeof(line));
	CHECK(strstr(line, " r--s 00000000 "));
	discard(id);
	find_line("/proc/self/maps", want, line, sizeof(line));
	SHOW("%s", strchr(line, '/')); /* the name stays */
}
