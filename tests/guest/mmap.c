// SPDX-License-Identifier: MIT
/* mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), brk(2), mincore(2), mlock(2), msync(2), remap_file_pages(2). memfd: memfd.c. */
#include "guest.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define PAGE 4096UL
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf back;
static volatile sig_atomic_t fault_signal, fault_code;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	fault_signal = sig;
	fault_code = si->si_code;
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

	CHECK_OK(sigaction(SIGSEGV, &act, NULL));
	CHECK_OK(sigaction(SIGBUS, &act, NULL));
}

/* The signal that a read or a write of one byte causes, 0 for none. */
static int try_read(volatile char *p)
{
	fault_signal = 0;
	if (!sigsetjmp(back, 1))
		(void)*p;
	return fault_signal;
}

static int try_write(volatile char *p)
{
	fault_signal = 0;
	if (!sigsetjmp(back, 1))
		*p = *p;
	return fault_signal;
}

static char *map(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);

	if (p == MAP_FAILED)
		FAIL("mmap: %s", errno_name(errno));
	return p;
}

static int file_of_pages(int pages)
{
	int fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char page[PAGE];

	for (int i = 0; i < pages; i++) {
		memset(page, 'a' + i, PAGE);
		CHECK_EQ(write(fd, page, PAGE), PAGE);
	}
	return fd;
}

TEST(mmap, anonymous_memory_is_zero)
{
	char *p = map(16, RW, ANON);

	for (size_t i = 0; i < 16 * PAGE; i += 512)
		CHECK_EQ(p[i], 0);
	p[5 * PAGE] = 1;
	CHECK_EQ(p[5 * PAGE], 1);
	CHECK_OK(munmap(p, 16 * PAGE));
}

TEST(mmap, argument_errors)
{
	int fd = file_of_pages(1);

	CHECK_ERRNO((long)mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_mmap, NULL, PAGE, RW, MAP_PRIVATE, fd, 100L), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_mmap, NULL, -1UL, RW, ANON, -1, 0L), ENOMEM);
	CHECK_ERRNO(syscall(SYS_mmap, 100L, PAGE, RW, ANON | MAP_FIXED, -1, 0L), EINVAL);
	CHECK_ERRNO(syscall(SYS_mmap, 1L << 57, PAGE, RW, ANON | MAP_FIXED, -1, 0L), ENOMEM);
	CHECK_ERRNO(syscall(SYS_mmap, NULL, PAGE, RW, MAP_PRIVATE, fd, (1UL << 63) - PAGE),
		EOVERFLOW);
}

TEST(mmap, file_access_mode_is_checked)
{
	int r, w, fd = file_of_pages(1), p[2];

	close(fd);
	r = CHECK_OK(open("f", O_RDONLY));
	w = CHECK_OK(open("f", O_WRONLY));
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, w, 0), EACCES);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_SHARED, r, 0), EACCES);
	CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, r, 0) != MAP_FAILED);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r, 0) != MAP_FAILED);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE,
			    CHECK_OK(open(".", O_RDONLY)), 0),
		ENODEV);
	CHECK_OK(pipe(p));
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0), ENODEV);
}

TEST(mmap, mprotect_of_a_shared_readonly_file_is_eacces)
{
	int r;
	char *p;

	close(file_of_pages(1));
	r = CHECK_OK(open("f", O_RDONLY));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r, 0);
	CHECK_ERRNO(mprotect(p, PAGE, RW), EACCES);
}

TEST(mmap, private_writes_stay_private)
{
	char c;
	int fd = file_of_pages(2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

	p[0] = 'Z';
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK_EQ(c, 'a');
	CHECK_EQ(pwrite(fd, "Y", 1, PAGE), 1);
	CHECK_EQ(p[PAGE], 'Y'); /* Linux: untouched pages show the file */
}

TEST(mmap, shared_writes_reach_the_file)
{
	char c;
	int fd = file_of_pages(2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0),
	     *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);

	p[PAGE + 3] = 'Z';
	CHECK_EQ(pread(fd, &c, 1, PAGE + 3), 1);
	CHECK_EQ(c, 'Z');
	CHECK_EQ(q[3], 'Z');
	CHECK_EQ(pwrite(fd, "W", 1, 0), 1);
	CHECK_EQ(p[0], 'W');
	CHECK_OK(msync(p, 2 * PAGE, MS_SYNC));
}

TEST(mmap, mapping_outlives_the_descriptor)
{
	int fd = file_of_pages(1);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	CHECK_OK(unlink("f"));
	CHECK_EQ(p[0], 'a');
}

TEST(mmap, beyond_the_end_of_file_is_sigbus)
{
	int fd = file_of_pages(2);
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);

	catch_faults();
	CHECK_EQ(try_read(p + PAGE), 0);
	CHECK_EQ(try_read(p + 2 * PAGE), SIGBUS);
	CHECK_EQ(fault_code, BUS_ADRERR);
	CHECK_OK(ftruncate(fd, 100));
	CHECK_EQ(try_read(p), 0);
	CHECK_EQ(try_read(p + PAGE), SIGBUS);
	CHECK_EQ(p[99], 'a');
	CHECK_EQ(p[100], 0);
	CHECK_OK(ftruncate(fd, 4 * PAGE));
	CHECK_EQ(try_write(p + 3 * PAGE), 0);
}

TEST(mmap, read_into_memory_beyond_the_file_is_efault)
{
	int fd = file_of_pages(1), zero = CHECK_OK(open("/dev/zero", O_RDONLY));
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);

	ssize_t n = read(zero, p + PAGE - 10, 20);
	CHECK(n > 0 && n <= 10);
	CHECK_ERRNO(read(zero, p + PAGE, 20), EFAULT);
}

TEST(mmap, fork_copies_private_and_shares_shared)
{
	char *private = map(1, RW, ANON), *shared = map(1, RW, MAP_SHARED | MAP_ANONYMOUS);

	private[0] = shared[0] = 1;
	IN_CHILD(CHECK_EQ(private[0], 1); private[0] = 2; shared[0] = 2);
	CHECK_EQ(private[0], 1);
	CHECK_EQ(shared[0], 2);
}

TEST(mmap, copy_on_write_of_many_pages)
{
	size_t pages = 2000;
	char *p = map(pages, RW, ANON);

	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = i;
	IN_CHILD(for (size_t i = 0; i < pages; i++) {
		CHECK_EQ(p[i * PAGE], (char)i);
		p[i * PAGE] = 99;
	});
	for (size_t i = 0; i < pages; i++)
		CHECK_EQ(p[i * PAGE], (char)i);
}

TEST(mmap, munmap_of_parts)
{
	char *p = map(5, RW, ANON);

	catch_faults();
	CHECK_OK(munmap(p + 2 * PAGE, PAGE));
	CHECK_EQ(try_read(p + PAGE), 0);
	CHECK_EQ(try_read(p + 2 * PAGE), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_MAPERR);
	CHECK_EQ(try_read(p + 3 * PAGE), 0);
	CHECK_OK(munmap(p, 5 * PAGE));
	CHECK_OK(munmap(p, 5 * PAGE)); /* nothing there is no error */
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_munmap, 1UL << 63, PAGE), EINVAL);
}

TEST(mmap, fixed_replaces)
{
	char *p = map(3, RW, ANON);

	p[0] = p[PAGE] = p[2 * PAGE] = 7;
	CHECK(mmap(p + PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) == p + PAGE);
	CHECK_EQ(p[0], 7);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[2 * PAGE], 7);
}

TEST(mmap, fixed_noreplace)
{
	char *p = map(3, RW, ANON);

	CHECK_ERRNO((long)mmap(p, PAGE, RW, ANON | 0x100000, -1, 0), EEXIST);
	CHECK_OK(munmap(p, PAGE));
	CHECK(mmap(p, PAGE, RW, ANON | 0x100000, -1, 0) == p);
}

TEST(mmap, hint_is_used_when_free)
{
	char *p = map(3, RW, ANON);

	CHECK_OK(munmap(p, 3 * PAGE));
	CHECK(mmap(p + 10, PAGE, RW, ANON, -1, 0) == p);
	CHECK(mmap(p, PAGE, RW, ANON, -1, 0) != p);
}

TEST(mmap, low_addresses_are_refused_to_users)
{
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, ANON | MAP_FIXED, -1, 0), EPERM);
	CHECK(mmap((void *)0x20000, PAGE, RW, ANON | MAP_FIXED, -1, 0) == (void *)0x20000);
}

TEST(mmap, protections)
{
	char *p = map(4, RW, ANON);

	catch_faults();
	CHECK_OK(mprotect(p + PAGE, PAGE, PROT_READ));
	CHECK_OK(mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
	CHECK_EQ(try_write(p), 0);
	CHECK_EQ(try_read(p + PAGE), 0);
	CHECK_EQ(try_write(p + PAGE), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK_EQ(try_read(p + 2 * PAGE), SIGSEGV);
	CHECK_EQ(try_write(p + 3 * PAGE), 0);
	CHECK_OK(mprotect(p, 4 * PAGE, RW));
	CHECK_EQ(try_write(p + 2 * PAGE), 0);
}

TEST(mmap, mprotect_errors)
{
	char *p = map(3, RW, ANON);

	CHECK_ERRNO(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL);
	CHECK_ERRNO(syscall(SYS_mprotect, p, PAGE, 0x40), EINVAL);
	CHECK_OK(syscall(SYS_mprotect, p, 0, PROT_READ));
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
	catch_faults();
	CHECK_EQ(try_write(p), SIGSEGV); /* up to the hole it was done */
}

TEST(mmap, mprotect_keeps_contents)
{
	char *p = map(2, RW, ANON);

	p[0] = 5;
	CHECK_OK(mprotect(p, PAGE, PROT_NONE));
	CHECK_OK(mprotect(p, PAGE, PROT_READ));
	CHECK_EQ(p[0], 5);
}

TEST(mmap, execute)
{
	static const uint8_t code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
	char *p = map(1, RW, ANON);

	catch_faults();
	memcpy(p, code, sizeof(code));
	fault_signal = 0;
	if (!sigsetjmp(back, 1))
		((int (*)(void))p)();
	CHECK_EQ(fault_signal, SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK_OK(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	CHECK_EQ(((int (*)(void))p)(), 42);
}

TEST(mmap, system_calls_respect_protection)
{
	char *p = map(2, RW, ANON);
	int zero = CHECK_OK(open("/dev/zero", O_RDWR));

	CHECK_OK(mprotect(p + PAGE, PAGE, PROT_READ));
	CHECK_EQ(read(zero, p + PAGE - 8, 16), 8);
	CHECK_ERRNO(read(zero, p + PAGE, 16), EFAULT);
	CHECK_EQ(write(zero, p + PAGE, 16), 16);
}

TEST(mmap, mremap_grows_and_moves)
{
	char *p = map(2, RW, ANON), *q;

	p[0] = 1;
	p[PAGE] = 2;
	q = mremap(p, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK_EQ(q[0], 1);
	CHECK_EQ(q[PAGE], 2);
	CHECK_EQ(q[99 * PAGE], 0);
	p = mremap(q, 100 * PAGE, PAGE, 0);
	CHECK(p == q);
	catch_faults();
	CHECK_EQ(try_read(q + PAGE), SIGSEGV);
}

TEST(mmap, mremap_without_maymove_needs_room)
{
	char *p = map(3, RW, ANON);

	CHECK_ERRNO((long)mremap(p, PAGE, 2 * PAGE, 0), ENOMEM);
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK(mremap(p, PAGE, 2 * PAGE, 0) == p);
}

TEST(mmap, mremap_errors)
{
	char *p = map(3, RW, ANON);

	CHECK_ERRNO((long)mremap(p + 1, PAGE, PAGE, 0), EINVAL);
	CHECK_ERRNO((long)mremap(p, PAGE, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_mremap, p, PAGE, PAGE, 8, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_mremap, p, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
	CHECK_ERRNO(
		syscall(SYS_mremap, p, 2 * PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, p + PAGE),
		EINVAL);
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO((long)mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERRNO((long)mremap(p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), EFAULT);
}

TEST(mmap, mremap_fixed)
{
	char *p = map(1, RW, ANON), *target = map(3, RW, ANON);

	p[0] = 9;
	target[PAGE] = 1;
	CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE) ==
		target + PAGE);
	CHECK_EQ(target[PAGE], 9);
	catch_faults();
	CHECK_EQ(try_read(p), SIGSEGV);
}

TEST(mmap, mremap_dontunmap)
{
	char *p = map(1, RW, ANON), *q;

	p[0] = 3;
	q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | 4);
	CHECK(q != MAP_FAILED && q != p);
	CHECK_EQ(q[0], 3);
	CHECK_EQ(p[0], 0);
}

TEST(mmap, mremap_old_size_zero_duplicates_a_shared_mapping)
{
	char *p = map(1, RW, MAP_SHARED | MAP_ANONYMOUS),
	     *q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);

	CHECK(q != MAP_FAILED && q != p);
	q[7] = 1;
	CHECK_EQ(p[7], 1);
	p = map(1, RW, ANON);
	CHECK_ERRNO((long)mremap(p, 0, PAGE, MREMAP_MAYMOVE), EINVAL);
}

TEST(mmap, madvise_dontneed)
{
	int fd = file_of_pages(1);
	char *p = map(2, RW, ANON), *f = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);

	p[0] = p[PAGE] = 1;
	f[0] = 'Z';
	CHECK_OK(madvise(p, PAGE, MADV_DONTNEED));
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[PAGE], 1);
	CHECK_OK(madvise(f, PAGE, MADV_DONTNEED));
	CHECK_EQ(f[0], 'a');
}

TEST(mmap, madvise_errors)
{
	char *p = map(3, RW, ANON);

	CHECK_ERRNO(madvise(p, PAGE, 9999), EINVAL);
	CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	CHECK_OK(madvise(p, 0, MADV_DONTNEED));
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
	for (int advice = 0; advice <= 3; advice++)
		CHECK_OK(madvise(p, PAGE, advice));
}

TEST(mmap, madvise_remove_punches_a_hole)
{
	int fd = file_of_pages(2);
	char c, *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);

	CHECK_OK(madvise(p, PAGE, MADV_REMOVE));
	CHECK_EQ(pread(fd, &c, 1, 5), 1);
	CHECK_EQ(c, 0);
	CHECK_EQ(p[PAGE], 'b');
}

TEST(mmap, madvise_dontfork_and_wipeonfork)
{
	char *gone = map(1, RW, ANON), *wiped = map(1, RW, ANON);

	gone[0] = wiped[0] = 1;
	CHECK_OK(madvise(gone, PAGE, MADV_DONTFORK));
	CHECK_OK(madvise(wiped, PAGE, MADV_WIPEONFORK));
	IN_CHILD(catch_faults(); CHECK_EQ(try_read(gone), SIGSEGV); CHECK_EQ(wiped[0], 0));
	CHECK_EQ(wiped[0], 1);
	CHECK_OK(madvise(gone, PAGE, MADV_DOFORK));
	IN_CHILD(CHECK_EQ(gone[0], 1));
	CHECK_ERRNO(
		madvise(map(1, RW, MAP_SHARED | MAP_ANONYMOUS), PAGE, MADV_WIPEONFORK), EINVAL);
}

TEST(mmap, brk)
{
	char *old = (char *)syscall(SYS_brk, 0), *now;

	now = (char *)syscall(SYS_brk, old + 10 * PAGE);
	CHECK(now == old + 10 * PAGE);
	memset(old, 1, 10 * PAGE);
	CHECK((char *)syscall(SYS_brk, old) == old);
	CHECK((char *)syscall(SYS_brk, old + 10 * PAGE) == old + 10 * PAGE);
	CHECK_EQ(old[PAGE * 5], 0);
	CHECK((char *)syscall(SYS_brk, 1) == old + 10 * PAGE); /* refused: where it was */
	CHECK((char *)syscall(SYS_brk, -1) == old + 10 * PAGE);
}

TEST(mmap, brk_is_limited_by_rlimit_data)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	char *old = (char *)syscall(SYS_brk, 0);

	CHECK_OK(setrlimit(RLIMIT_DATA, &limit));
	CHECK((char *)syscall(SYS_brk, old + (4 << 20)) == old);
	CHECK_ERRNO((long)mmap(NULL, 4 << 20, RW, ANON, -1, 0), ENOMEM);
}

TEST(mmap, address_space_limit)
{
	struct rlimit limit = {64 << 20, 64 << 20};

	CHECK_OK(setrlimit(RLIMIT_AS, &limit));
	CHECK_ERRNO((long)mmap(NULL, 100 << 20, RW, ANON, -1, 0), ENOMEM);
	CHECK(mmap(NULL, 1 << 20, RW, ANON, -1, 0) != MAP_FAILED);
}

TEST(mmap, mincore)
{
	unsigned char there[4];
	char *p = map(4, RW, ANON);

	p[PAGE] = 1;
	CHECK_OK(mincore(p, 4 * PAGE, there));
	CHECK_EQ(there[0] & 1, 0);
	CHECK_EQ(there[1] & 1, 1);
	CHECK_ERRNO(mincore(p + 1, PAGE, there), EINVAL);
	CHECK_ERRNO(mincore(p, PAGE, (void *)8), EFAULT);
	CHECK_OK(munmap(p, 4 * PAGE));
	CHECK_ERRNO(mincore(p, PAGE, there), ENOMEM);
}

TEST(mmap, mlock)
{
	unsigned char there[4];
	char *p = map(4, RW, ANON);

	CHECK_OK(mlock(p, 4 * PAGE));
	CHECK_OK(mincore(p, 4 * PAGE, there));
	for (int i = 0; i < 4; i++)
		CHECK_EQ(there[i] & 1, 1);
	CHECK_EQ(get_number("/proc/self/status", "VmLck"), 16);
	CHECK_OK(munlock(p, 4 * PAGE));
	CHECK_EQ(get_number("/proc/self/status", "VmLck"), 0);
	CHECK_OK(munmap(p, PAGE));
	CHECK_ERRNO(mlock(p, 2 * PAGE), ENOMEM);
	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlockall(99), EINVAL);
	CHECK_ERRNO(syscall(SYS_mlock2, p, PAGE, 2), EINVAL);
}

TEST(mmap, mlock_limit)
{
	struct rlimit limit = {4 * PAGE, 4 * PAGE};
	char *p = map(10, RW, ANON);

	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(mlock(p, 4 * PAGE));
	CHECK_ERRNO(mlock(p, 5 * PAGE), ENOMEM);
	CHECK_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
	CHECK_OK(munlockall());
}

TEST(mmap, msync_errors)
{
	char *p = map(2, RW, MAP_SHARED | MAP_ANONYMOUS);

	CHECK_OK(msync(p, PAGE, MS_ASYNC));
	CHECK_ERRNO(msync(p, PAGE, MS_ASYNC | MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, 64), EINVAL);
	CHECK_OK(munmap(p, PAGE));
	CHECK_ERRNO(msync(p, PAGE, MS_SYNC), ENOMEM);
}

TEST(mmap, populate_faults_pages_in)
{
	unsigned char there[4];
	char *p = map(4, RW, ANON | MAP_POPULATE);

	CHECK_OK(mincore(p, 4 * PAGE, there));
	for (int i = 0; i < 4; i++)
		CHECK_EQ(there[i] & 1, 1);
}

TEST(mmap, growsdown)
{
	char *p = map(300, PROT_NONE, ANON), *top = p + 290 * PAGE;

	CHECK_OK(munmap(p, 300 * PAGE));
	CHECK(mmap(top, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0) == top);
	catch_faults();
	CHECK_EQ(try_write(top - 1), 0);
	CHECK_EQ(try_write(top - 20 * PAGE), 0);
}

TEST(mmap, stack_grows)
{
	char *deep;

	deep = __builtin_alloca(4 << 20);
	for (int i = 1023; i >= 0; i--)
		((volatile char *)deep)[i * 4096] = 1;
	CHECK_EQ(deep[0], 1);
}

TEST(mmap, stack_limit_kills)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
		char *deep = __builtin_alloca(4 << 20);
		for (int i = 1023; i >= 0; i--)
			((volatile char *)deep)[i * 4096] = 1;
		_exit(0);
	}
	EXPECT_KILLED(pid, SIGSEGV);
}

TEST(mmap, shared_validate)
{
	int fd = file_of_pages(1);

	CHECK(mmap(NULL, PAGE, RW, 3 /* SHARED_VALIDATE */, fd, 0) != MAP_FAILED);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, 3 | 0x80000 /* MAP_SYNC */, fd, 0), EOPNOTSUPP);
}

TEST(mmap, big_sparse_mapping)
{
	char *p = mmap(NULL, 1UL << 40, RW, ANON | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	p[0] = p[(1UL << 40) - 1] = 1;
	p[1UL << 35] = 2;
	CHECK_EQ(p[1UL << 35], 2);
	CHECK_OK(munmap(p, 1UL << 40));
}

TEST(mmap, many_regions)
{
	char *p = map(2000, RW, ANON);

	for (int i = 0; i < 2000; i += 2)
		CHECK_OK(mprotect(p + i * PAGE, PAGE, PROT_READ));
	catch_faults();
	for (int i = 0; i < 2000; i += 199)
		CHECK_EQ(try_write(p + i * PAGE), i % 2 ? 0 : SIGSEGV);
	CHECK_OK(mprotect(p, 2000 * PAGE, RW));
	CHECK_EQ(try_write(p), 0);
}

TEST(mmap, process_vm_readv_and_writev)
{
	char *p = map(1, RW, ANON), buf[8] = "";
	struct iovec local = {buf, 5}, remote = {p, 5};
	pid_t pid;

	strcpy(p, "mine");
	pid = CHECK_OK(fork());
	if (pid == 0) {
		strcpy(p, "kids");
		raise(SIGSTOP);
		_exit(strcmp(p, "mine2") == 0 ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, NULL, WUNTRACED), pid);
	CHECK_EQ(syscall(SYS_process_vm_readv, pid, &local, 1L, &remote, 1L, 0L), 5);
	CHECK_STREQ(buf, "kids");
	local = (struct iovec){"mine2", 6};
	remote.iov_len = 6;
	CHECK_EQ(syscall(SYS_process_vm_writev, pid, &local, 1L, &remote, 1L, 0L), 6);
	CHECK_ERRNO(syscall(SYS_process_vm_readv, pid, &local, 1L,
			    &(struct iovec){(void *)8, 5}, 1L, 0L),
		EFAULT);
	CHECK_ERRNO(syscall(SYS_process_vm_readv, 999999, &local, 1L, &remote, 1L, 0L), ESRCH);
	kill(pid, SIGCONT);
	EXPECT_CHILD(pid, 0);
}

TEST(mmap, memory_is_returned)
{
	for (int i = 0; i < 50; i++) {
		char *p = map(2000, RW, ANON);

		for (int j = 0; j < 2000; j += 7)
			p[j * PAGE] = 1;
		CHECK_OK(munmap(p, 2000 * PAGE));
	}
}

TEST(mmap, remap_file_pages)
{
	int fd = file_of_pages(4);
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	CHECK_OK(remap_file_pages(p, PAGE, 0, 3, 0));
	CHECK_OK(remap_file_pages(p + 3 * PAGE, PAGE, 0, 0, MAP_NONBLOCK));
	for (int i = 0; i < 4; i++)
		CHECK_EQ(p[i * PAGE], "dbca"[i]);
	p[0] = 'D';
	CHECK_EQ(pread(fd, p + PAGE, 1, 3 * PAGE), 1);
	CHECK_EQ(p[PAGE], 'D');
	CHECK_OK(remap_file_pages(p + 5, 2 * PAGE + 5, 0, 2, 0)); /* over a border, rounded */
	CHECK_EQ(p[0], 'c');
	CHECK_EQ(p[PAGE], 'D');
	CHECK_EQ(p[2 * PAGE], 'c');
	CHECK_OK(remap_file_pages(p, PAGE, 0, 9, 0));
	catch_faults();
	CHECK_EQ(try_read(p), SIGBUS);
	p = map(4, RW, MAP_SHARED | MAP_ANONYMOUS);
	p[2 * PAGE] = 'x';
	CHECK_OK(remap_file_pages(p, PAGE, 0, 2, 0));
	CHECK_EQ(p[0], 'x');
}

TEST(mmap, remap_file_pages_errors)
{
	int fd = file_of_pages(4);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);

	CHECK_ERRNO(remap_file_pages(p, PAGE, PROT_READ, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(p, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(p, PAGE - 1, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(p, -PAGE, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(p, PAGE, 0, -1, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(p, PAGE, 0, -1UL >> 12, 0), EOVERFLOW);
	CHECK_ERRNO(remap_file_pages(private, PAGE, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(map(1, RW, ANON), PAGE, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages((void *)PAGE, PAGE, 0, 0, 0), EINVAL);
	CHECK_OK(remap_file_pages(p, PAGE, 0, 3, ~MAP_NONBLOCK)); /* other flags are ignored */
	CHECK_EQ(p[0], 'd');
	CHECK_OK(mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
	CHECK_ERRNO(remap_file_pages(p, 3 * PAGE, 0, 0, 0), EINVAL);
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(remap_file_pages(p, 3 * PAGE, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(p + PAGE, PAGE, 0, 0, 0), EINVAL);
}
