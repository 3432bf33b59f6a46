// SPDX-License-Identifier: MIT
/* Files of tmpfs through path names, as the kernel itself uses them: contents, holes, names, archives. */
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "abi/stat.h"
#include "fs/initramfs.h"
#include "fs/vfs/path.h"
#include "lib/fmt.h"
#include "lib/random.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"

static struct file *open_file(const char *name, unsigned flags)
{
	struct open_how_kernel how = {.flags = flags | O_LARGEFILE, .mode = 0644};
	struct file *f = NULL;
	int err = path_open(AT_FDCWD, name, &how, &f);

	EXPECT_EQ(err, 0);
	return err ? NULL : f;
}

static int64_t put(struct file *f, int64_t pos, const void *bytes, size_t len)
{
	struct iter it;

	iter_init_kernel(&it, (void *)(uintptr_t)bytes, len);
	return f->ops->write(f, &it, &pos);
}

static int64_t get(struct file *f, int64_t pos, void *bytes, size_t len)
{
	struct iter it;

	iter_init_kernel(&it, bytes, len);
	return f->ops->read(f, &it, &pos);
}

static int set_size(struct file *f, int64_t size)
{
	struct iattr attr = {.valid = IATTR_SIZE, .size = size};
	int err;

	mutex_lock(&f->inode->lock);
	err = f->inode->ops->setattr(f->inode, &attr);
	mutex_unlock(&f->inode->lock);
	return err;
}

TEST(files, a_file_has_what_was_written_to_it)
{
	char buf[16] = {0};
	struct file *f = open_file("/t1", O_RDWR | O_CREAT | O_TRUNC);

	REQUIRE(f);
	EXPECT_EQ(put(f, 0, "hello world", 11), 11);
	EXPECT_EQ(f->inode->size, 11);
	EXPECT_EQ(get(f, 6, buf, sizeof(buf)), 5);
	EXPECT_EQ(memcmp(buf, "world", 5), 0);
	EXPECT_EQ(get(f, 11, buf, sizeof(buf)), 0);
	EXPECT_EQ(f->inode->blocks, 8);
	file_put(f);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/t1"), 0);
}

TEST(files, holes_read_as_zeroes_and_are_found)
{
	char buf[4] = {1, 1, 1, 1};
	struct file *f = open_file("/t2", O_RDWR | O_CREAT | O_TRUNC);

	REQUIRE(f);
	EXPECT_EQ(put(f, 5 * PAGE_SIZE + 10, "x", 1), 1);
	EXPECT_EQ(f->inode->blocks, 8);
	EXPECT_EQ(get(f, PAGE_SIZE, buf, 4), 4);
	EXPECT(!buf[0] && !buf[3]);
	EXPECT_EQ(f->ops->seek(f, 0, SEEK_DATA), 5 * PAGE_SIZE);
	EXPECT_EQ(f->ops->seek(f, 5 * PAGE_SIZE, SEEK_HOLE), 5 * PAGE_SIZE + 11);
	EXPECT_EQ(f->ops->seek(f, 5 * PAGE_SIZE + 11, SEEK_DATA), -ENXIO);
	EXPECT_EQ(put(f, 0, "a", 1), 1);
	EXPECT_EQ(f->ops->seek(f, 0, SEEK_HOLE), PAGE_SIZE);
	EXPECT_EQ(
		f->ops->fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE_SIZE),
		0);
	EXPECT_EQ(f->ops->seek(f, 0, SEEK_DATA), 5 * PAGE_SIZE);
	EXPECT_EQ(f->ops->fallocate(f, 0, 0, 8 * PAGE_SIZE), 0);
	EXPECT_EQ(f->inode->size, 8 * PAGE_SIZE);
	EXPECT_EQ(f->inode->blocks, 64);
	file_put(f);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/t2"), 0);
}

enum { MODEL_SIZE = 40000, MODEL_ROUNDS = 2000 };

static void change(struct file *f, uint8_t *model, int64_t *size, struct random *r)
{
	int64_t at = (int64_t)random_below(r, MODEL_SIZE - 9000);
	size_t len = random_below(r, 9000);
	static uint8_t bytes[9000];

	switch (random_below(r, 8)) {
	case 0:
		at = (int64_t)random_below(r, MODEL_SIZE);
		EXPECT_EQ(set_size(f, at), 0);
		if (at < *size)
			memset(model + at, 0, (size_t)(*size - at));
		*size = at;
		break;
	case 1:
		if (!len)
			break;
		EXPECT_EQ(f->ops->fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
				  (int64_t)len),
			0);
		memset(model + at, 0, len);
		break;
	default:
		random_fill(r, bytes, len);
		EXPECT_EQ(put(f, at, bytes, len), (int64_t)len);
		memcpy(model + at, bytes, len);
		if (len && at + (int64_t)len > *size)
			*size = at + (int64_t)len;
	}
}

TEST(files, a_page_cache_equals_an_array_of_bytes)
{
	uint8_t *model = mem_alloc(MODEL_SIZE, SLAB_ZERO), *seen = mem_alloc(MODEL_SIZE, 0);
	struct file *f = open_file("/t3", O_RDWR | O_CREAT | O_TRUNC);
	unsigned long rounds = test_rounds(MODEL_ROUNDS);
	int64_t size = 0;
	struct random r;

	REQUIRE(f && model && seen);
	random_seed(&r, 7);
	for (unsigned long i = 0; i < rounds; i++) {
		change(f, model, &size, &r);
		EXPECT_EQ(f->inode->size, size);
		EXPECT_EQ(get(f, 0, seen, MODEL_SIZE), size);
		REQUIRE(!memcmp(seen, model, (size_t)size));
	}
	file_put(f);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/t3"), 0);
	mem_free(model);
	mem_free(seen);
}

struct names {
	struct dir_sink sink;
	char text[256];
	unsigned limit;
};

static bool note_name(struct dir_sink *sink, const char *name, size_t len, int64_t next UNUSED,
	uint64_t ino UNUSED, unsigned type UNUSED)
{
	struct names *n = container_of(sink, struct names, sink);
	char one[32] = {0};

	if (!n->limit)
		return false;
	n->limit--;
	memcpy(one, name, MIN(len, sizeof(one) - 1));
	(void)str_append(n->text, one, sizeof(n->text));
	(void)str_append(n->text, " ", sizeof(n->text));
	return true;
}

static void list_names(struct file *f, struct names *n, unsigned limit)
{
	*n = (struct names){.sink.emit = note_name, .limit = limit};
	mutex_lock(&f->inode->lock);
	EXPECT_EQ(f->ops->iterate(f, &n->sink), 0);
	mutex_unlock(&f->inode->lock);
}

TEST(files, reading_a_directory_goes_on_where_it_was_whatever_is_removed)
{
	struct names n;
	struct file *f;

	REQUIRE(!vfs_mkdir(AT_FDCWD, "/d", 0755));
	for (const char *const *name =
			(const char *const[]){"/d/a", "/d/b", "/d/c", "/d/e", NULL};
		*name; name++)
		EXPECT_EQ(vfs_mknod(AT_FDCWD, *name, S_IFREG | 0600, 0), 0);
	f = open_file("/d", O_RDONLY | O_DIRECTORY);
	REQUIRE(f);
	EXPECT_EQ(f->inode->size, 6 * 20);
	list_names(f, &n, 4);
	EXPECT_STREQ(n.text, ". .. a b ");
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/d/b"), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/d/c"), 0);
	EXPECT_EQ(vfs_rename(AT_FDCWD, "/d/a", AT_FDCWD, "/d/z", 0), 0);
	list_names(f, &n, 10);
	EXPECT_STREQ(n.text, "e z ");
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, "/d"), -ENOTEMPTY);
	EXPECT_EQ(vfs_rename(AT_FDCWD, "/d/z", AT_FDCWD, "/d/e", 0), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/d/e"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, "/d"), 0);
	file_put(f);
}

TEST(files, hard_links_are_names_of_one_file)
{
	struct file *f = open_file("/l1", O_RDWR | O_CREAT | O_EXCL), *g;

	REQUIRE(f);
	EXPECT_EQ(vfs_link(AT_FDCWD, "/l1", AT_FDCWD, "/l2", 0), 0);
	EXPECT_EQ(f->inode->nlink, 2);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/l1"), 0);
	EXPECT_EQ(f->inode->nlink, 1);
	g = open_file("/l2", O_RDONLY);
	REQUIRE(g);
	EXPECT(g->inode == f->inode);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/l2"), 0);
	EXPECT_EQ(f->inode->nlink, 0);
	file_put(f);
	file_put(g);
}

TEST(files, devices_answer)
{
	char buf[8] = {1, 1};
	struct file *f;

	EXPECT_EQ(vfs_mknod(AT_FDCWD, "/zero", S_IFCHR | 0666, 1 << 8 | 5), 0);
	EXPECT_EQ(vfs_mknod(AT_FDCWD, "/none", S_IFCHR | 0666, 200 << 8), 0);
	f = open_file("/zero", O_RDWR);
	REQUIRE(f);
	EXPECT_EQ(get(f, 0, buf, 8), 8);
	EXPECT(!buf[0] && !buf[1]);
	EXPECT_EQ(put(f, 0, buf, 8), 8);
	file_put(f);
	EXPECT_EQ(
		path_open(AT_FDCWD, "/none", &(struct open_how_kernel){.flags = O_RDONLY}, &f),
		-ENXIO);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/zero"), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/none"), 0);
}

/* One entry of a newc archive, appended to buf. */
static size_t add_entry(
	char *buf, size_t at, const char *name, unsigned mode, unsigned nlink, const char *data)
{
	size_t name_size = strlen(name) + 1, size = strlen(data);

	at += snformat(buf + at, 111,
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 7, mode, 0, 0,
		nlink, 1000, (unsigned)size, 0, 1, 0, 0, (unsigned)name_size, 0);
	memcpy(buf + at, name, name_size);
	for (at += name_size; at % 4; at++)
		buf[at] = 0;
	memcpy(buf + at, data, size);
	for (at += size; at % 4; at++)
		buf[at] = 0;
	return at;
}

TEST(files, an_archive_becomes_files_folders_and_links)
{
	char *buf = mem_alloc(4096, SLAB_ZERO), text[8] = {0};
	struct file *f;
	size_t n = 0;

	REQUIRE(buf);
	n = add_entry(buf, n, "i", S_IFDIR | 0750, 2, "");
	n = add_entry(buf, n, "i/one", S_IFREG | 0640, 2, "");
	n = add_entry(buf, n, "i/two", S_IFREG | 0640, 2, "content");
	n = add_entry(buf, n, "i/link", S_IFLNK | 0777, 1, "two");
	n = add_entry(buf, n, "TRAILER!!!", 0, 1, "");
	EXPECT_EQ(initramfs_unpack_memory(buf, n), 0);
	f = open_file("/i/link", O_RDONLY);
	REQUIRE(f);
	EXPECT_EQ(get(f, 0, text, 8), 7);
	EXPECT_STREQ(text, "content");
	EXPECT_EQ(f->inode->nlink, 2);
	EXPECT_EQ(f->inode->mode, S_IFREG | 0640);
	EXPECT_EQ(f->inode->mtime.sec, 1000);
	file_put(f);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/i/one"), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/i/two"), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/i/link"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, "/i"), 0);
	mem_free(buf);
}
