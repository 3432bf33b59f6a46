// SPDX-License-Identifier: MIT
/*
 * System V shared memory: what shmget, shmat, shmdt and shmctl do (man 2 of each). Who may, limits and /proc are
 * in shm_rules.c.
 */
#include "shm.h"

#include <pthread.h>
#include <sys/mman.h>

/* ---- The memory ---- */

TEST(shm, is_shared_and_begins_with_zeroes)
{
	int id = make(2 * PAGE);
	char *p = attach(id), *q = attach(id);

	for (int i = 0; i < 2 * PAGE; i++)
		CHECK_EQ(p[i], 0);
	CHECK(p != q);
	strcpy(p + PAGE - 2, "across");
	CHECK_STREQ(q + PAGE - 2, "across");
	IN_CHILD(strcpy(attach(id), "of a child"));
	CHECK_STREQ(p, "of a child");
	CHECK_OK(shmdt(p));
	CHECK_STREQ(q, "of a child");
	CHECK_OK(shmdt(q));
	p = attach(id);
	CHECK_STREQ(p, "of a child");
	discard(id);
}

TEST(shm, is_whole_pages)
{
	int id = make(PAGE + 1);
	char *p = attach(id);

	CHECK_EQ(stat_of(id).shm_segsz, PAGE + 1);
	p[2 * PAGE - 1] = 'x';
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_OK(shmdt(p));
	CHECK_EQ(attach(id)[2 * PAGE - 1], 'x');
	discard(id);
}

TEST(shm, detached_memory_is_gone)
{
	int id = make(PAGE);
	volatile char *p = attach(id);
	pid_t pid;

	p[0] = 1;
	CHECK_OK(shmdt((char *)p));
	pid = CHECK_OK(fork());
	if (pid == 0)
		_exit(p[0]);
	EXPECT_KILLED(pid, SIGSEGV);
	discard(id);
}

TEST(shm, grown_by_mremap_is_a_bus_error_beyond_the_segment)
{
	int id = make(PAGE);
	volatile char *p = attach(id);
	pid_t pid;

	p = CHECK_OK((char *)mremap((char *)p, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	p[PAGE - 1] = 1;
	pid = CHECK_OK(fork());
	if (pid == 0)
		_exit(p[PAGE]);
	EXPECT_KILLED(pid, SIGBUS);
	CHECK_EQ(nr_attached(id), 1);
	discard(id);
}

TEST(shm, calls_take_it_as_memory)
{
	int id = make(PAGE), fd[2];
	char *p = attach(id), *ro = attach_at(id, NULL, SHM_RDONLY);

	CHECK_OK(pipe(fd));
	CHECK_EQ(write(fd[1], "bytes", 5), 5);
	CHECK_ERRNO(read(fd[0], ro, 5), EFAULT);
	CHECK_EQ(read(fd[0], p, 5), 5);
	CHECK_MEM(ro, "bytes", 5);
	CHECK_EQ(write(fd[1], ro, 5), 5);
	discard(id);
}

TEST(shm, advice_can_make_holes)
{
	int id = make(2 * PAGE);
	char *p = attach(id);

	memset(p, 'x', 2 * PAGE);
	CHECK_OK(madvise(p, PAGE, MADV_DONTNEED));
	CHECK_EQ(p[0], 'x');
	CHECK_OK(madvise(p, PAGE, MADV_REMOVE));
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[PAGE], 'x');
	CHECK_OK(msync(p, 2 * PAGE, MS_SYNC));
	discard(id);
}

static void *wait_on(void *word)
{
	syscall(SYS_futex, word, 0 /* FUTEX_WAIT */, 0, NULL, NULL, 0);
	return NULL;
}

TEST(shm, futexes_are_found_at_every_address)
{
	int id = make(PAGE);
	int *p = (int *)attach(id), *q = (int *)attach(id);
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		wait_on(p);
		_exit(0);
	}
	wait_until_sleeping(pid);
	*q = 1;
	CHECK_EQ(syscall(SYS_futex, q, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0), 1);
	EXPECT_CHILD(pid, 0);
	discard(id);
}

/* ---- shmget ---- */

TEST(shm, a_key_names_one_segment)
{
	int id = CHECK_OK(shmget(KEY, 100, IPC_CREAT | IPC_EXCL | 0600)), other;

	CHECK_EQ(shmget(KEY, 100, 0), id);
	CHECK_EQ(shmget(KEY, 100, IPC_CREAT | 0600), id);
	CHECK_EQ(shmget(KEY, 0, 0), id);
	CHECK_EQ(shmget(KEY, 99, 0777), id);
	CHECK_ERRNO(shmget(KEY, 101, 0), EINVAL);
	CHECK_ERRNO(shmget(KEY, 101, IPC_CREAT), EINVAL);
	CHECK_ERRNO(shmget(KEY, 100, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_ERRNO(shmget(KEY, 101, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_EQ(shmget(KEY, 100, IPC_EXCL), id);
	CHECK_ERRNO(shmget(KEY + 1, 100, 0), ENOENT);
	CHECK_ERRNO(shmget(KEY + 1, 0, 0), ENOENT);
	CHECK_ERRNO(shmget(KEY + 1, 100, IPC_EXCL), ENOENT);
	other = make(100);
	CHECK(other != id);
	discard(other);
	discard(id);
	CHECK_ERRNO(shmget(KEY, 100, 0), ENOENT);
	id = CHECK_OK(shmget(-5, 1, IPC_CREAT | 0600));
	CHECK_EQ(shmget(-5, 1, 0), id);
	discard(id);
}

TEST(shm, private_segments_need_no_flag)
{
	int a = CHECK_OK(shmget(IPC_PRIVATE, 1, 0600)),
	    b = CHECK_OK(shmget(IPC_PRIVATE, 1, IPC_EXCL | IPC_CREAT | 0600));

	CHECK(a != b);
	discard(a);
	discard(b);
}

TEST(shm, sizes)
{
	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERRNO(shmget(KEY, 0, IPC_CREAT | 0600), EINVAL);
	CHECK_ERRNO(syscall(SYS_shmget, IPC_PRIVATE, ~0ul, 0600), EINVAL);
	CHECK_ERRNO(syscall(SYS_shmget, IPC_PRIVATE, ~0ul - (1ul << 24) + 1, 0600), EINVAL);
	CHECK_ERRNO(syscall(SYS_shmget, IPC_PRIVATE, ~0ul - (1ul << 24), 0600), EINVAL);
	CHECK_ERRNO(syscall(SYS_shmget, IPC_PRIVATE, 1ul << 63, 0600), EINVAL);
	CHECK_ERRNO(syscall(SYS_shmget, IPC_PRIVATE, 1ul << 62, 0600), ENOMEM);
	discard(make(1));
}

TEST(shm, flags_of_get)
{
	int id = make_with(PAGE, 07777 & ~SHM_HUGETLB & ~IPC_EXCL & ~IPC_CREAT);

	/* 04000 is SHM_HUGETLB, and of the mode's bits nine are kept */
	CHECK_EQ(stat_of(id).shm_perm.mode, 0777);
	discard(id);
	id = make_with(PAGE, 0x8000 | SHM_NORESERVE | 0640);
	CHECK_EQ(stat_of(id).shm_perm.mode, 0640);
	discard(id);
}

TEST(shm, huge_pages_there_are_none)
{
	char none[32];

	get_number_of("/proc/sys/vm/nr_hugepages", none, sizeof(none));
	CHECK_STREQ(none, "0");
	CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE, SHM_HUGETLB | 0600), ENOMEM);
	CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE, SHM_HUGETLB | 21 << 26 | 0600), ENOMEM);
	CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE, SHM_HUGETLB | 20 << 26 | 0600), EINVAL);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, SHM_HUGETLB | 0600), EINVAL);
	IN_CHILD({
		CHECK_OK(setgroups(0, NULL));
		become(USER, USER); /* RLIMIT_MEMLOCK does not help */
		CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE, SHM_HUGETLB | 0600), EPERM);
		CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE, SHM_HUGETLB | 20 << 26 | 0600), EINVAL);
	});
	IN_CHILD({
		become(USER, 0); /* vm.hugetlb_shm_group */
		CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE, SHM_HUGETLB | 0600), ENOMEM);
	});
	/* who finds one that is there asks for nothing */
	{
		int id = CHECK_OK(shmget(KEY, PAGE, IPC_CREAT | 0600));

		CHECK_EQ(shmget(KEY, PAGE, SHM_HUGETLB), id);
		discard(id);
	}
}

/* ---- shmctl: what a segment says of itself ---- */

TEST(shm, facts_of_a_new_segment)
{
	time_t before = time(NULL);
	int id = CHECK_OK(shmget(KEY, 5000, IPC_CREAT | 0641));
	struct shmid_ds ds = stat_of(id);

	CHECK_EQ(ds.shm_perm.__key, KEY);
	CHECK_EQ(ds.shm_perm.uid, 0);
	CHECK_EQ(ds.shm_perm.cgid, 0);
	CHECK_EQ(ds.shm_perm.mode, 0641);
	CHECK_EQ(ds.shm_perm.__seq, id >> 15);
	CHECK_EQ(ds.shm_segsz, 5000);
	CHECK_EQ(ds.shm_atime, 0);
	CHECK_EQ(ds.shm_dtime, 0);
	CHECK(ds.shm_ctime >= before && ds.shm_ctime <= time(NULL));
	CHECK_EQ(ds.shm_cpid, getpid());
	CHECK_EQ(ds.shm_lpid, 0);
	CHECK_EQ(ds.shm_nattch, 0);
	discard(id);
	IN_CHILD({
		CHECK_OK(setresgid(GROUP, GROUP, GROUP));
		CHECK_OK(setresuid(OTHER, USER, OTHER));
		id = make(1);
		ds = stat_of(id);
		CHECK_EQ(ds.shm_perm.uid, USER); /* the effective one */
		CHECK_EQ(ds.shm_perm.cuid, USER);
		CHECK_EQ(ds.shm_perm.gid, GROUP);
		CHECK_EQ(ds.shm_perm.cgid, GROUP);
		discard(id);
	});
}

TEST(shm, attaching_and_detaching_leave_a_trace)
{
	time_t start = time(NULL);
	int id = make(PAGE);
	struct shmid_ds ds;
	char *p;
	pid_t pid;

	pid = CHECK_OK(fork());
	if (pid == 0) {
		p = attach(id);
		ds = stat_of(id);
		CHECK_EQ(ds.shm_lpid, getpid());
		CHECK_EQ(ds.shm_nattch, 1);
		CHECK(ds.shm_atime >= start);
		CHECK_EQ(ds.shm_dtime, 0);
		_exit(0); /* and is detached by that */
	}
	EXPECT_CHILD(pid, 0);
	ds = stat_of(id);
	CHECK_EQ(ds.shm_lpid, pid);
	CHECK_EQ(ds.shm_nattch, 0);
	CHECK(ds.shm_dtime >= ds.shm_atime);
	CHECK(ds.shm_cpid == getpid());
	p = attach(id);
	CHECK_EQ(stat_of(id).shm_lpid, getpid());
	CHECK_OK(shmdt(p));
	discard(id);
}

TEST(shm, set_changes_owner_and_mode)
{
	int id = make(PAGE);
	struct shmid_ds ds = {.shm_perm = {.uid = USER, .gid = GROUP, .mode = 0177777}};

	ds.shm_segsz = 77;
	CHECK_OK(shmctl(id, IPC_SET, &ds));
	ds = stat_of(id);
	CHECK_EQ(ds.shm_perm.uid, USER);
	CHECK_EQ(ds.shm_perm.gid, GROUP);
	CHECK_EQ(ds.shm_perm.cuid, 0);
	CHECK_EQ(ds.shm_perm.cgid, 0);
	CHECK_EQ(ds.shm_perm.mode, 0777);
	CHECK_EQ(ds.shm_segsz, PAGE);
	ds.shm_perm.uid = (uid_t)-1;
	CHECK_ERRNO(shmctl(id, IPC_SET, &ds), EINVAL);
	ds.shm_perm.uid = 0;
	ds.shm_perm.gid = (gid_t)-1;
	CHECK_ERRNO(shmctl(id, IPC_SET, &ds), EINVAL);
	CHECK_EQ(stat_of(id).shm_perm.uid, USER);
	discard(id);
}

TEST(shm, bad_arguments_of_control)
{
	int id = make(PAGE);
	struct shmid_ds ds = {0};
	void *bad = (void *)8;

	CHECK_ERRNO(shmctl(-1, IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id, -1, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id, 99, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id, 0x100 | IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id, 4, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id ^ 1 << 20, IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id ^ 1 << 20, IPC_RMID, NULL), EINVAL);
	CHECK_ERRNO(shmctl(id ^ 1 << 20, IPC_SET, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id ^ 1 << 20, IPC_SET, bad), EFAULT);
	CHECK_ERRNO(shmctl(id ^ 1 << 20, SHM_LOCK, NULL), EINVAL);
	CHECK_ERRNO(shmctl(id ^ 1 << 20, SHM_UNLOCK, NULL), EINVAL);
	CHECK_ERRNO(shmctl(INT_MAX, IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id, IPC_STAT, bad), EFAULT);
	CHECK_ERRNO(shmctl(id, IPC_SET, bad), EFAULT);
	CHECK_ERRNO(shmctl(id & 0x7fff, SHM_STAT, bad), EFAULT);
	CHECK_ERRNO(shmctl(0, IPC_INFO, bad), EFAULT);
	CHECK_ERRNO(shmctl(0, SHM_INFO, bad), EFAULT);
	CHECK_ERRNO(shmctl(-1, IPC_INFO, &ds), EINVAL);
	CHECK_ERRNO(shmctl(0x7fff, SHM_STAT, &ds), EINVAL);
	CHECK_ERRNO(shmctl(0x7fff, SHM_STAT_ANY, &ds), EINVAL);
	discard(id);
	CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
	CHECK_ERRNO(shmat(id, NULL, 0), EINVAL);
	CHECK_ERRNO(shmat(-1, NULL, 0), EINVAL);
	CHECK_ERRNO(shmat(INT_MIN, NULL, 0), EINVAL);
}

TEST(shm, info_tells_limits_and_use)
{
	int id = make(3 * PAGE), highest, again;
	struct usage before, after;
	struct limits l;
	char *p;

	highest = CHECK_OK(shmctl(0, IPC_INFO, (void *)&l));
	CHECK(highest >= (id & 0x7fff));
	CHECK_EQ(l.max, ~0ul - (1ul << 24));
	CHECK_EQ(l.all, ~0ul - (1ul << 24));
	CHECK_EQ(l.min, 1);
	CHECK_EQ(l.mni, 4096);
	CHECK_EQ(l.seg, 4096);
	CHECK_EQ(shmctl(0, SHM_INFO, (void *)&before), highest);
	p = attach(id);
	p[0] = p[PAGE] = 1;
	again = make(PAGE + 1);
	CHECK_OK(shmctl(12345, SHM_INFO, (void *)&after)); /* the id does not matter */
	CHECK_EQ(after.used_ids - before.used_ids, 1);
	CHECK_EQ(after.total - before.total, 2);
	CHECK_EQ(after.resident - before.resident, 2);
	CHECK_EQ(after.swapped, 0);
	discard(again);
	discard(id);
	CHECK_OK(shmctl(0, SHM_INFO, (void *)&after));
	CHECK_EQ(after.used_ids, before.used_ids); /* still attached */
	CHECK_OK(shmdt(p));
	CHECK_OK(shmctl(0, SHM_INFO, (void *)&after));
	CHECK_EQ(after.used_ids, before.used_ids - 1);
	CHECK_EQ(after.total, before.total - 3);
}

TEST(shm, stat_by_index_gives_the_id)
{
	int a = make(PAGE), b = make(2 * PAGE), id;
	struct shmid_ds ds;
	unsigned found = 0;
	int highest = CHECK_OK(shmctl(0, SHM_INFO, (void *)&(struct usage){0}));

	for (int i = 0; i <= highest; i++) {
		id = shmctl(i, SHM_STAT, &ds);
		if (id == a && ds.shm_segsz == PAGE)
			found |= 1;
		if (id == b && ds.shm_segsz == 2 * PAGE)
			found |= 2;
		CHECK_EQ(shmctl(i, SHM_STAT_ANY, &ds), id);
	}
	CHECK_EQ(found, 3);
	CHECK_EQ(shmctl(b, SHM_STAT, &ds), b); /* of an id the index counts */
	CHECK_EQ(shmctl(b ^ 1 << 20, SHM_STAT, &ds), b);
	discard(a);
	discard(b);
	CHECK_ERRNO(shmctl(b & 0x7fff, SHM_STAT, &ds), EINVAL);
}

TEST(shm, an_id_is_not_given_again_soon)
{
	int first = make(1), id = first;
	bool came_back = false;

	for (int i = 0; i < 300; i++) {
		discard(id);
		CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
		id = make(1);
		came_back |= id == first;
		CHECK(id > first);
	}
	CHECK(!came_back);
	CHECK(id >> 15 > first >> 15); /* the index came round, the sequence number went up */
	SHOW("in %d rounds", (id >> 15) - (first >> 15));
	discard(id);
}

/* ---- shmat ---- */

TEST(shm, address_is_free_unaligned_or_taken)
{
	int id = make(2 * PAGE);
	char *room = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;

	CHECK(room != MAP_FAILED);
	CHECK_ERRNO(shmat(id, room, 0), EINVAL);
	CHECK_ERRNO(shmat(id, room + 7 * PAGE, 0), EINVAL);
	CHECK_OK(munmap(room + 4 * PAGE, 2 * PAGE));
	CHECK_ERRNO(shmat(id, room + 4 * PAGE + 1, 0), EINVAL);
	CHECK_ERRNO(shmat(id, room + 3 * PAGE, 0), EINVAL);
	CHECK_ERRNO(shmat(id, room + 5 * PAGE, 0), EINVAL);
	CHECK_EQ(nr_attached(id), 0);
	p = attach_at(id, room + 4 * PAGE, 0);
	CHECK_EQ(p - room, 4 * PAGE);
	CHECK_OK(shmdt(p));
	p = attach_at(id, room + 4 * PAGE + 123, SHM_RND);
	CHECK_EQ(p - room, 4 * PAGE);
	CHECK_ERRNO(shmat(id, p + 123, SHM_RND), EINVAL);
	CHECK_EQ(nr_attached(id), 1);
	discard(id);
}

TEST(shm, remap_replaces_what_is_there)
{
	int id = make(2 * PAGE), other = make(PAGE);
	char *room = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0),
	     *p;

	CHECK(room != MAP_FAILED);
	memset(room, 'r', 4 * PAGE);
	p = attach_at(id, room + PAGE, SHM_REMAP);
	CHECK_EQ(p - room, PAGE);
	CHECK_EQ(p[0], 0);
	CHECK_EQ(room[0], 'r');
	CHECK_EQ(room[3 * PAGE], 'r');
	CHECK_EQ(nr_attached(id), 1);
	attach_at(other, p + PAGE, SHM_REMAP); /* over half of the first */
	CHECK_EQ(nr_attached(id), 1);
	CHECK_EQ(nr_attached(other), 1);
	CHECK_OK(shmdt(p));
	CHECK_EQ(nr_attached(id), 0);
	CHECK_EQ(nr_attached(other), 1);
	CHECK_ERRNO(shmat(id, NULL, SHM_REMAP), EINVAL);
	CHECK_ERRNO(shmat(id, (void *)100, SHM_REMAP | SHM_RND), EINVAL);
	CHECK_ERRNO(shmat(id, (void *)100, SHM_REMAP), EINVAL);
	discard(id);
	discard(other);
}

TEST(shm, addresses_that_cannot_be)
{
	int id = make(2 * PAGE);

	CHECK_ERRNO(shmat(id, (void *)~0xffful, 0), EINVAL); /* it would come round */
	CHECK_ERRNO(shmat(id, (void *)(1ul << 60), 0), ENOMEM);
	CHECK_ERRNO(shmat(id, (void *)0xffff800000000000, 0), ENOMEM);
	CHECK_EQ(nr_attached(id), 0);
	IN_CHILD({
		become(USER, USER);
		CHECK_ERRNO(shmat(id, (void *)PAGE, 0), EACCES);
	});
	discard(id);
}

TEST(shm, an_address_that_rounds_to_none)
{
	int id = make_with(PAGE, 0666);

	IN_CHILD({
		become(USER, USER);
		/* the lowest address is one all the same: vm.mmap_min_addr */
		CHECK_ERRNO(shmat(id, (void *)100, SHM_RND), EPERM);
		CHECK_ERRNO(shmat(id, (void *)PAGE, 0), EPERM);
	});
	discard(id);
}

TEST(shm, read_only_cannot_become_writable)
{
	int id = make(PAGE);
	char *p = attach_at(id, NULL, SHM_RDONLY);
	pid_t pid;

	CHECK_ERRNO(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
	CHECK_OK(mprotect(p, PAGE, PROT_NONE));
	CHECK_OK(mprotect(p, PAGE, PROT_READ));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		*(volatile char *)p = 1;
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
	discard(id);
}

TEST(shm, is_executed_when_that_was_asked_for)
{
	static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov eax, 42; ret */
	int id = make_with(PAGE, 0700);
	char *p = attach_at(id, NULL, SHM_EXEC), *plain = attach(id);
	pid_t pid;

	memcpy(p, code, sizeof(code));
	CHECK_EQ(((int (*)(void))p)(), 42);
	pid = CHECK_OK(fork());
	if (pid == 0)
		_exit(((int (*)(void))plain)());
	EXPECT_KILLED(pid, SIGSEGV);
	CHECK_OK(mprotect(plain, PAGE, PROT_READ | PROT_EXEC));
	CHECK_EQ(((int (*)(void))plain)(), 42);
	discard(id);
}

TEST(shm, unknown_flags_of_attach_are_ignored)
{
	int id = make(PAGE);

	CHECK_OK(shmdt(attach_at(id, NULL, 0x40000000 | IPC_CREAT | 0777)));
	discard(id);
}

/* ---- How often it is attached ---- */

TEST(shm, attaches_are_counted_by_mapping)
{
	int id = make(6 * PAGE);
	char *p = attach(id), *q = attach(id), *r;

	CHECK_EQ(nr_attached(id), 2);
	CHECK_OK(munmap(p + 2 * PAGE, PAGE)); /* two pieces are left */
	CHECK_EQ(nr_attached(id), 3);
	CHECK_OK(munmap(p, 2 * PAGE));
	CHECK_EQ(nr_attached(id), 2);
	CHECK_OK(mprotect(q + PAGE, PAGE, PROT_READ)); /* three */
	CHECK_EQ(nr_attached(id), 4);
	CHECK_OK(mprotect(q + PAGE, PAGE, PROT_READ | PROT_WRITE)); /* never joined again */
	CHECK_EQ(nr_attached(id), 4);
	CHECK_OK(shmdt(q)); /* all pieces of one */
	CHECK_EQ(nr_attached(id), 1);
	CHECK_OK(shmdt(p)); /* whose beginning is gone */
	CHECK_EQ(nr_attached(id), 0);
	p = attach(id);
	r = CHECK_OK((char *)mremap(
		p, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 0x10000000));
	CHECK_EQ(nr_attached(id), 1);
	CHECK_ERRNO(shmdt(p), EINVAL);
	CHECK_OK(shmdt(r));
	p = attach(id);
	CHECK_OK((char *)mremap(p, 0, 6 * PAGE, MREMAP_MAYMOVE)); /* one more */
	CHECK_EQ(nr_attached(id), 2);
	CHECK_OK((char *)mremap(p, 6 * PAGE, PAGE, 0));
	CHECK_EQ(nr_attached(id), 2);
	CHECK_OK(madvise(p, PAGE, MADV_DONTFORK));
	IN_CHILD(CHECK_EQ(nr_attached(id), 3));
	CHECK_EQ(nr_attached(id), 2);
	discard(id);
}

TEST(shm, the_beginning_was_unmapped)
{
	int id = make(4 * PAGE);
	char *p = attach(id);

	CHECK_OK(munmap(p, PAGE));
	CHECK_ERRNO(shmdt(p + PAGE), EINVAL);
	CHECK_EQ(nr_attached(id), 1);
	CHECK_OK(shmdt(p));
	CHECK_EQ(nr_attached(id), 0);
	discard(id);
}

TEST(shm, fork_exec_and_exit_count)
{
	int id = make(PAGE), go[2], done[2];
	char c, *p = attach(id);
	pid_t pid;

	CHECK_OK(pipe(go));
	CHECK_OK(pipe(done));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		char *const argv[] = {"/proc/self/exe", "--helper", "wait", NULL},
			    *envp[] = {NULL};

		CHECK_EQ(write(done[1], "f", 1), 1);
		CHECK_EQ(read(go[0], &c, 1), 1);
		CHECK_OK(dup2(go[0], 0));
		CHECK_OK(dup2(done[1], 1));
		execve(argv[0], argv, envp);
		_exit(9);
	}
	CHECK_EQ(read(done[0], &c, 1), 1);
	CHECK_EQ(nr_attached(id), 2);
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK_EQ(read(done[0], &c, 1), 1); /* the other program runs */
	CHECK_EQ(c, 'e');
	CHECK_EQ(nr_attached(id), 1);
	CHECK_EQ(write(go[1], "x", 1), 1);
	EXPECT_CHILD(pid, 0);
	pid = CHECK_OK(fork());
	if (pid == 0)
		for (;;)
			pause();
	CHECK_EQ(nr_attached(id), 2);
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
	CHECK_EQ(nr_attached(id), 1);
	pid = CHECK_OK(vfork());
	if (pid == 0)
		_exit(nr_attached(id) == 1 ? 0 : 1);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(nr_attached(id), 1);
	CHECK_OK(shmdt(p));
	discard(id);
}

int guest_helper(int argc, char **argv)
{
	char c;

	(void)argc;
	(void)argv;
	CHECK_EQ(write(1, "e", 1), 1);
	CHECK_EQ(read(0, &c, 1), 1);
	return 0;
}

TEST(shm, a_failed_attach_does_not_count)
{
	int id = make(64 * PAGE);

	IN_CHILD({
		set_limit(RLIMIT_AS, 1);
		CHECK_ERRNO(shmat(id, NULL, 0), ENOMEM);
	});
	CHECK_EQ(nr_attached(id), 0);
	discard(id);
}

/* ---- shmdt ---- */

TEST(shm, detaching_what_is_not_attached)
{
	int id = make(2 * PAGE);
	char *p = attach(id),
	     *other = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK_ERRNO(shmdt(p + 1), EINVAL);
	CHECK_ERRNO(shmdt(p + PAGE), EINVAL);
	CHECK_ERRNO(shmdt(other), EINVAL);
	CHECK_ERRNO(shmdt(NULL), EINVAL);
	CHECK_ERRNO(shmdt((void *)~0xffful), EINVAL);
	CHECK_OK(shmdt(p));
	CHECK_ERRNO(shmdt(p), EINVAL);
	discard(id);
}

TEST(shm, detaching_leaves_neighbours)
{
	int id = make(2 * PAGE), other = make(2 * PAGE);
	char *room = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;

	CHECK(room != MAP_FAILED);
	p = attach_at(id, room, SHM_REMAP);
	attach_at(other, room + 2 * PAGE, SHM_REMAP);
	attach_at(id, room + 4 * PAGE, SHM_REMAP);
	CHECK_EQ(nr_attached(id), 2);
	CHECK_OK(shmdt(p));
	CHECK_EQ(nr_attached(id), 1);
	CHECK_EQ(nr_attached(other), 1);
	CHECK_OK(shmdt(p + 4 * PAGE));
	CHECK_OK(shmdt(p + 2 * PAGE));
	CHECK_EQ(nr_attached(id), 0);
	CHECK_EQ(nr_attached(other), 0);
	discard(id);
	discard(other);
}

/* ---- Removing ---- */

TEST(shm, a_removed_segment_lives_until_the_last_detach)
{
	int id = CHECK_OK(shmget(KEY, PAGE, IPC_CREAT | 0600)), other;
	char *p = attach(id), *q;

	strcpy(p, "still");
	discard(id);
	CHECK_EQ(stat_of(id).shm_perm.mode, 0600 | SHM_DEST);
	CHECK_EQ(stat_of(id).shm_perm.__key, IPC_PRIVATE);
	CHECK_ERRNO(shmget(KEY, PAGE, 0), ENOENT);
	other = CHECK_OK(shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	CHECK(other != id);
	q = attach(id); /* by its id it can still be had */
	CHECK_STREQ(q, "still");
	discard(id); /* nor is it wrong to say it again */
	CHECK_OK(shmdt(p));
	CHECK_EQ(nr_attached(id), 1);
	CHECK_OK(shmdt(q));
	CHECK_ERRNO(shmctl(id, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	CHECK_ERRNO(shmat(id, NULL, 0), EINVAL);
	discard(other);
}

TEST(shm, an_exit_is_a_last_detach)
{
	int id = make(PAGE);

	IN_CHILD({
		attach(id);
		discard(id);
		CHECK_EQ(nr_attached(id), 1);
	});
	CHECK_ERRNO(shmctl(id, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
}

/* ---- Many at once ---- */

static void come_and_go(int id)
{
	for (int i = 0; i < 200; i++) {
		char *p = shmat(id, NULL, 0);

		if (p == (void *)-1) {
			CHECK(errno == EINVAL || errno == EIDRM);
			return;
		}
		++*(volatile char *)p;
		if (i % 16 == 3)
			munmap(p + PAGE, PAGE);
		CHECK_OK(shmdt(p));
	}
}

TEST_WITHIN(shm, many_come_and_go_while_it_is_removed, 60)
{
	enum { PROCESSES = 4, ROUNDS = 5 };
	pid_t pids[PROCESSES];
	struct usage before, after;

	CHECK_OK(shmctl(0, SHM_INFO, (void *)&before));
	for (int round = 0; round < ROUNDS; round++) {
		int id = make(3 * PAGE);

		for (int i = 0; i < PROCESSES; i++) {
			pids[i] = CHECK_OK(fork());
			if (pids[i] == 0) {
				come_and_go(id);
				_exit(0);
			}
		}
		sleep_ms((unsigned)round * 2);
		discard(id);
		for (int i = 0; i < PROCESSES; i++)
			EXPECT_CHILD(pids[i], 0);
		CHECK_ERRNO(shmctl(id, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	}
	CHECK_OK(shmctl(0, SHM_INFO, (void *)&after));
	CHECK_EQ(after.used_ids, before.used_ids);
	CHECK_EQ(after.total, before.total);
}

static void *take_key(void *unused)
{
	(void)unused;
	for (int i = 0; i < 300; i++) {
		int id = shmget(KEY + 7, PAGE, IPC_CREAT | 0600);

		CHECK(id >= 0);
		if (shmctl(id, IPC_RMID, NULL))
			CHECK(errno == EINVAL || errno == EIDRM);
	}
	return NULL;
}

TEST(shm, a_key_is_made_and_removed_by_many)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, take_key, NULL), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_ERRNO(shmget(KEY + 7, PAGE, 0), ENOENT);
}

TEST(shm, thousands_of_segments)
{
	enum { MANY = 3000 };
	static int ids[MANY];

	for (int i = 0; i < MANY; i++)
		ids[i] = CHECK_OK(shmget(KEY + 100 + i, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	for (int i = 0; i < MANY; i += 7)
		CHECK_EQ(shmget(KEY + 100 + i, 0, 0), ids[i]);
	for (int i = 0; i < MANY; i++)
		discard(ids[i]);
	CHECK_ERRNO(shmget(KEY + 100, 0, 0), ENOENT);
}
