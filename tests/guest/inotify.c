// SPDX-License-Identifier: MIT
/* inotify: which events come, in which order, and how watches end. */
#include "guest.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The next event as "MASK NAME" in hexadecimal, "-" when there is none. */
static char text[4096];
static char events[8192];

/* All events there are, one after another: mask in hexadecimal, watch, name. */
static const char *read_all(int fd)
{
	size_t used = 0;
	ssize_t n;

	text[0] = '\0';
	while ((n = read(fd, events, sizeof(events))) > 0) {
		for (char *p = events; p < events + n;) {
			struct inotify_event *e = (struct inotify_event *)p;

			used += snprintf(text + used, sizeof(text) - used, "%x:%d:%s ", e->mask,
				e->wd, e->len ? e->name : "");
			p += sizeof(*e) + e->len;
		}
	}
	return text;
}

static void touch(const char *name)
{
	close(open(name, O_WRONLY | O_CREAT, 0644));
}

TEST(inotify, listing_and_truncation_by_name_are_told)
{
	char some[200];
	int fd = inotify_init1(IN_NONBLOCK), dir;

	CHECK_OK(mkdir("d", 0755));
	touch("f");
	CHECK(inotify_add_watch(fd, ".", IN_ACCESS | IN_MODIFY) > 0);
	CHECK(inotify_add_watch(fd, "d", IN_ACCESS) > 0);
	CHECK_OK(truncate("f", 10));
	SHOW("%s", read_all(fd));
	CHECK_OK(close(open("f", O_WRONLY | O_TRUNC)));
	SHOW("%s", read_all(fd));
	CHECK_OK(close(open("f", O_RDONLY | O_TRUNC)));
	SHOW("%s", read_all(fd));
	dir = CHECK_OK(open("d", O_RDONLY));
	CHECK_OK(syscall(SYS_getdents64, dir, some, sizeof(some)));
	SHOW("%s", read_all(fd));
	CHECK_EQ(syscall(SYS_getdents64, dir, some, sizeof(some)), 0);
	SHOW("%s", read_all(fd));
	CHECK_OK(lseek(dir, 0, SEEK_SET));
	CHECK_ERRNO(syscall(SYS_getdents64, dir, some, 1), EINVAL);
	SHOW("%s", read_all(fd));
	CHECK_OK(rmdir("d"));
	CHECK_ERRNO(syscall(SYS_getdents64, dir, some, sizeof(some)), ENOENT);
	SHOW("%s", read_all(fd));
}

TEST(inotify, a_directory_tells_of_its_files)
{
	int fd = inotify_init1(IN_NONBLOCK);

	CHECK(fd >= 0);
	CHECK_EQ(inotify_add_watch(fd, ".", IN_ALL_EVENTS), 1);
	int f = open("file", O_RDWR | O_CREAT, 0644);
	CHECK_EQ(write(f, "x", 1), 1);
	CHECK_EQ(pread(f, text, 1, 0), 1);
	CHECK_OK(ftruncate(f, 0));
	CHECK_OK(fchmod(f, 0600));
	CHECK_OK(close(f));
	CHECK_OK(mkdir("dir", 0755));
	CHECK_OK(symlink("file", "link"));
	CHECK_OK(link("file", "other"));
	CHECK_OK(unlink("file"));
	CHECK_OK(rmdir("dir"));
	SHOW("%s", read_all(fd));
	CHECK_ERRNO(read(fd, text, 1), EAGAIN);
}

/* Which of the two files were told of, in whatever order and however often: that differs between versions. */
static const char *told(int fd)
{
	const char *all = read_all(fd);
	static char said[40];

	snprintf(said, sizeof(said), "%s%s", strstr(all, "1:1:") ? "in accessed " : "",
		strstr(all, "2:2:") ? "out modified" : "");
	return said;
}

TEST(inotify, a_move_within_the_kernel_is_an_access_and_a_change)
{
	int in = CHECK_OK(open("in", O_RDWR | O_CREAT, 0644));
	int out = CHECK_OK(open("out", O_RDWR | O_CREAT, 0644));
	struct iovec v = {text, 4};
	int fd;

	CHECK_EQ(write(in, "abcdefgh", 8), 8);
	CHECK_EQ(lseek(in, 0, SEEK_SET), 0);
	fd = CHECK_OK(inotify_init1(IN_NONBLOCK));
	CHECK_EQ(inotify_add_watch(fd, "in", IN_ACCESS | IN_MODIFY), 1);
	CHECK_EQ(inotify_add_watch(fd, "out", IN_ACCESS | IN_MODIFY), 2);
	CHECK_EQ(sendfile(out, in, NULL, 4), 4);
	SHOW("sendfile %s", told(fd));
	CHECK_EQ(copy_file_range(in, NULL, out, NULL, 4, 0), 4);
	SHOW("copy_file_range %s", told(fd));
	CHECK_EQ(syscall(SYS_pwritev2, out, &v, 1, 0, 0, RWF_APPEND), 4);
	SHOW("pwritev2 %s", told(fd));
	CHECK_EQ(read(in, text, 4), 0);
	SHOW("read at the end %s", told(fd));
	CHECK_OK(fallocate(out, 0, 0, 100));
	SHOW("fallocate %s", told(fd));
}

TEST(inotify, a_file_tells_of_itself)
{
	int fd = inotify_init1(IN_NONBLOCK);

	touch("file");
	CHECK_EQ(inotify_add_watch(fd, "file", IN_ALL_EVENTS), 1);
	CHECK_OK(link("file", "other"));
	CHECK_OK(rename("file", "third"));
	CHECK_OK(truncate("third", 10));
	CHECK_OK(unlink("other"));
	CHECK_OK(unlink("third"));
	SHOW("%s", read_all(fd));
	CHECK_ERRNO(inotify_rm_watch(fd, 1), EINVAL);
}

TEST(inotify, an_open_file_is_gone_when_it_is_closed)
{
	int fd = inotify_init1(IN_NONBLOCK), f;

	touch("file");
	f = open("file", O_RDONLY);
	CHECK_EQ(inotify_add_watch(fd, "file", IN_DELETE_SELF | IN_ATTRIB | IN_CLOSE), 1);
	CHECK_OK(unlink("file"));
	SHOW("%s", read_all(fd));
	CHECK_OK(close(f));
	SHOW("%s", read_all(fd));
}

TEST(inotify, moves_have_a_cookie)
{
	int fd = inotify_init1(IN_NONBLOCK);
	struct inotify_event *e = (struct inotify_event *)events;
	uint32_t cookie;

	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("b", 0755));
	touch("a/file");
	touch("b/file");
	CHECK_EQ(inotify_add_watch(fd, "a", IN_MOVE), 1);
	CHECK_EQ(inotify_add_watch(fd, "b", IN_MOVE), 2);
	CHECK_OK(rename("a/file", "b/file"));
	CHECK_EQ(read(fd, events, sizeof(events)), 2 * (sizeof(*e) + 16));
	CHECK_EQ(e->mask, IN_MOVED_FROM);
	cookie = e->cookie;
	CHECK(cookie != 0);
	e = (struct inotify_event *)(events + sizeof(*e) + e->len);
	CHECK_EQ(e->mask, IN_MOVED_TO);
	CHECK_EQ(e->cookie, cookie);
	CHECK_EQ(e->wd, 2);
}

TEST(inotify, overwriting_rename_tells_everybody)
{
	int fd = inotify_init1(IN_NONBLOCK);

	touch("old");
	touch("new");
	CHECK_EQ(inotify_add_watch(fd, ".", IN_ALL_EVENTS), 1);
	CHECK_EQ(inotify_add_watch(fd, "old", IN_ALL_EVENTS), 2);
	CHECK_EQ(inotify_add_watch(fd, "new", IN_ALL_EVENTS), 3);
	CHECK_OK(rename("old", "new"));
	SHOW("%s", read_all(fd));
}

TEST(inotify, equal_events_are_one)
{
	int fd = inotify_init1(IN_NONBLOCK), f;

	touch("file");
	CHECK_EQ(inotify_add_watch(fd, "file", IN_MODIFY), 1);
	f = open("file", O_WRONLY);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(write(f, "x", 1), 1);
	SHOW("%s", read_all(fd));
}

TEST(inotify, oneshot_and_mask_flags)
{
	int fd = inotify_init1(IN_NONBLOCK);

	touch("file");
	CHECK_EQ(inotify_add_watch(fd, "file", IN_ATTRIB | IN_ONESHOT), 1);
	CHECK_OK(chmod("file", 0600));
	CHECK_OK(chmod("file", 0644));
	SHOW("%s", read_all(fd));
	CHECK_EQ(inotify_add_watch(fd, "file", IN_ATTRIB), 2);
	CHECK_EQ(inotify_add_watch(fd, "file", IN_OPEN | IN_MASK_ADD), 2);
	CHECK_OK(chmod("file", 0600));
	close(open("file", O_RDONLY));
	SHOW("%s", read_all(fd));
	CHECK_EQ(inotify_add_watch(fd, "file", IN_OPEN), 2);
	CHECK_OK(chmod("file", 0644));
	SHOW("%s", read_all(fd));
	CHECK_ERRNO(inotify_add_watch(fd, "file", IN_OPEN | IN_MASK_CREATE), EEXIST);
}

TEST(inotify, errors)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), p[2];

	CHECK_ERRNO(inotify_init1(1), EINVAL);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(inotify_add_watch(fd, "missing", IN_OPEN), ENOENT);
	CHECK_ERRNO(inotify_add_watch(fd, ".", 0), EINVAL);
	CHECK_ERRNO(inotify_add_watch(fd, ".", IN_MASK_ADD | IN_MASK_CREATE | IN_OPEN), EINVAL);
	CHECK_ERRNO(inotify_add_watch(-1, ".", IN_OPEN), EBADF);
	CHECK_OK(pipe(p));
	CHECK_ERRNO(inotify_add_watch(p[0], ".", IN_OPEN), EINVAL);
	CHECK_ERRNO(inotify_rm_watch(p[0], 1), EINVAL);
	CHECK_ERRNO(inotify_rm_watch(fd, 7), EINVAL);
	touch("file");
	CHECK_ERRNO(inotify_add_watch(fd, "file", IN_OPEN | IN_ONLYDIR), ENOTDIR);
	CHECK_ERRNO(read(fd, text, sizeof(text)), EAGAIN);
}

TEST(inotify, reading_polling_and_counting)
{
	int fd = inotify_init1(IN_NONBLOCK), n;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	CHECK_EQ(inotify_add_watch(fd, ".", IN_CREATE), 1);
	CHECK_EQ(poll(&p, 1, 0), 0);
	touch("a_name_of_twenty_one_");
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_OK(ioctl(fd, FIONREAD, &n));
	CHECK_EQ(n, 16 + 32);
	CHECK_ERRNO(read(fd, text, 47), EINVAL);
	CHECK_EQ(read(fd, text, 48), 48);
	CHECK_OK(inotify_rm_watch(fd, 1));
	CHECK_EQ(read(fd, text, 48), 16);
	CHECK_EQ(((struct inotify_event *)text)->mask, IN_IGNORED);
}

TEST(inotify, excl_unlink_is_silent_after_the_name)
{
	int fd = inotify_init1(IN_NONBLOCK), f;

	f = open("file", O_RDWR | O_CREAT, 0644);
	CHECK_EQ(inotify_add_watch(fd, ".", IN_MODIFY | IN_EXCL_UNLINK), 1);
	CHECK_EQ(write(f, "x", 1), 1);
	CHECK_OK(unlink("file"));
	CHECK_EQ(write(f, "x", 1), 1);
	SHOW("%s", read_all(fd));
}
