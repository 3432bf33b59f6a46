// SPDX-License-Identifier: MIT
/* memfd_create(2) and its seals (man 2 fcntl, "File Sealing"). */
#include "guest.h"

#include <sys/mman.h>

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int make(unsigned flags)
{
	int fd = CHECK_OK(syscall(SYS_memfd_create, "name", flags));

	CHECK_EQ(write(fd, "hello", 5), 5);
	return fd;
}

TEST(memfd, is_a_file_without_a_name)
{
	struct stat st;
	char link[100], path[40], buf[8];
	int fd = make(0);
	ssize_t n;

	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0777);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(pread(fd, buf, 8, 1), 4);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = CHECK_OK(readlink(path, link, 99));
	link[n] = 0;
	CHECK_STREQ(link, "/memfd:name (deleted)");
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | 0100000);
}

TEST(memfd, flags)
{
	char name[300];

	CHECK_EQ(fcntl(make(MFD_CLOEXEC), F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(syscall(SYS_memfd_create, "x", 0x100), EINVAL);
	CHECK_ERRNO(syscall(SYS_memfd_create, (void *)8, 0), EFAULT);
	memset(name, 'n', sizeof(name));
	name[250] = 0;
	CHECK_ERRNO(syscall(SYS_memfd_create, name, 0), EINVAL);
	name[249] = 0;
	CHECK_OK(syscall(SYS_memfd_create, name, 0));
}

TEST(memfd, without_allow_sealing_is_sealed_against_seals)
{
	int fd = make(0);

	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
}

TEST(memfd, seals_of_other_files)
{
	int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600)), p[2];

	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL); /* tmpfs */
	CHECK_OK(pipe(p));
	CHECK_ERRNO(fcntl(p[0], F_GET_SEALS), EINVAL);
}

TEST(memfd, seal_shrink_and_grow)
{
	int fd = make(MFD_ALLOW_SEALING);

	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	CHECK_ERRNO(ftruncate(fd, 2), EPERM);
	CHECK_OK(ftruncate(fd, 10));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	CHECK_ERRNO(ftruncate(fd, 20), EPERM);
	CHECK_ERRNO(pwrite(fd, "x", 1, 4096), EPERM);
	CHECK_EQ(pwrite(fd, "x", 1, 9), 1);
	CHECK_ERRNO(fallocate(fd, 0, 0, 100), EPERM);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
}

TEST(memfd, seal_write)
{
	int fd = make(MFD_ALLOW_SEALING);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_OK(munmap(p, 4096));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK_ERRNO(write(fd, "x", 1), EPERM);
	CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, 4096, PROT_READ | PROT_WRITE), EACCES);
	CHECK_ERRNO(fallocate(fd, 3, 0, 4096), EPERM);
}

TEST(memfd, seal_future_write)
{
	int fd = make(MFD_ALLOW_SEALING);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK_OK(fcntl(fd, F_ADD_SEALS, 0x10 /* F_SEAL_FUTURE_WRITE */));
	p[0] = 'J';
	CHECK_ERRNO(write(fd, "x", 1), EPERM);
	CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
}

TEST(memfd, seal_seal_is_the_last)
{
	int fd = make(MFD_ALLOW_SEALING);

	CHECK_OK(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), ALL_SEALS);
	fd = make(MFD_ALLOW_SEALING);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
}

TEST(memfd, sealing_needs_a_writable_descriptor)
{
	char path[40];
	int fd = make(MFD_ALLOW_SEALING), ro;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = CHECK_OK(open(path, O_RDONLY));
	CHECK_ERRNO(fcntl(ro, F_ADD_SEALS, F_SEAL_GROW), EPERM);
}

TEST(memfd, shared_over_fork)
{
	int fd = make(0);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	IN_CHILD(p[0] = 'J');
	CHECK_EQ(p[0], 'J');
}
