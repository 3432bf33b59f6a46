// SPDX-License-Identifier: MIT
/*
 * The reader of newc archives: in pieces of any size the same entries, and hostile archives end in an
 * error without a wrong access.
 */
// LINK: fs/cpio.c lib/string.c lib/str.c lib/random.c lib/fmt.c
// FLAGS: -DLIB_STRING_PREFIX
#include "fs/cpio.h"

#include "abi/stat.h"
#include "lib/fmt.h"
#include "lib/random.h"
#include "lib/string.h"
#include "lib/test.h"

void *malloc(size_t size);
void free(void *object);

enum { ARCHIVE_MAX = 4096, LOG_MAX = 512 };

struct seen {
	char log[LOG_MAX];
	uint64_t nr_data;
};

static void note(struct seen *s, const char *text)
{
	(void)!str_append(s->log, text, sizeof(s->log));
}

static int on_entry(void *ctx, const struct cpio_entry *e)
{
	note(ctx, e->name);
	if (e->target) {
		note(ctx, "->");
		note(ctx, e->target);
	}
	return 0;
}

static int on_data(void *ctx, const uint8_t *bytes UNUSED, size_t len)
{
	((struct seen *)ctx)->nr_data += len;
	return 0;
}

static int on_end(void *ctx)
{
	char text[32];

	snformat(text, sizeof(text), ":%lu ", ((struct seen *)ctx)->nr_data);
	note(ctx, text);
	((struct seen *)ctx)->nr_data = 0;
	return 0;
}

static int on_archive_end(void *ctx)
{
	note(ctx, "| ");
	return 0;
}

static const struct cpio_ops ops = {
	.entry = on_entry, .data = on_data, .end = on_end, .archive_end = on_archive_end};

static size_t pad(char *to, size_t at)
{
	while (at % 4)
		to[at++] = 0;
	return at;
}

static size_t add(char *to, size_t at, const char *name, unsigned mode, const char *data)
{
	size_t name_size = strlen(name) + 1, size = strlen(data);

	at += snformat(to + at, CPIO_HEADER + 1,
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, mode, 0, 0, 1,
		5, (unsigned)size, 0, 0, 0, 0, (unsigned)name_size, 0);
	memcpy(to + at, name, name_size);
	at = pad(to, at + name_size);
	memcpy(to + at, data, size);
	return pad(to, at + size);
}

static size_t make_archive(char *to)
{
	size_t n = 0;

	n = add(to, n, "etc", S_IFDIR | 0755, "");
	n = add(to, n, "etc/passwd", S_IFREG | 0644, "root:x:0:0");
	n = add(to, n, "sh", S_IFLNK | 0777, "busybox");
	n = add(to, n, "TRAILER!!!", 0, "");
	for (unsigned i = 0; i < 8; i++)
		to[n++] = 0;
	n = add(to, n, "second", S_IFREG | 0644, "x");
	return add(to, n, "TRAILER!!!", 0, "");
}

TEST(cpio, entries_are_the_same_in_pieces_of_any_size)
{
	static char archive[ARCHIVE_MAX];
	size_t size = make_archive(archive);
	struct cpio *c = malloc(sizeof(*c));

	for (size_t piece = 1; piece <= size; piece++) {
		struct seen s = {{0}, 0};

		cpio_init(c, &ops, &s);
		for (size_t at = 0; at < size; at += piece) {
			size_t n = MIN(piece, size - at);

			EXPECT_EQ(cpio_feed(c, (const uint8_t *)archive + at, n), (long long)n);
		}
		EXPECT(cpio_is_between(c));
		EXPECT_STREQ(s.log, "etc:0 etc/passwd:10 sh->busybox:0 | second:1 | ");
	}
	free(c);
}

TEST(cpio, what_follows_an_archive_is_left_alone)
{
	static char archive[ARCHIVE_MAX];
	size_t size = make_archive(archive);
	struct cpio *c = malloc(sizeof(*c));
	struct seen s = {{0}, 0};

	archive[size] = 0x1f;
	cpio_init(c, &ops, &s);
	EXPECT_EQ(cpio_feed(c, (const uint8_t *)archive, size + 1), (long long)size);
	free(c);
}

TEST(cpio, bad_headers_are_refused)
{
	static char archive[ARCHIVE_MAX];
	struct cpio *c = malloc(sizeof(*c));
	struct seen s = {{0}, 0};
	/* offset in the header, and what is put there */
	static const struct {
		unsigned at;
		const char *text;
	} bad[] = {{0, "070707"}, {6, "0000000g"}, {94, "00000000"}, {94, "00001001"},
		{94, "ffffffff"}};

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		size_t size = make_archive(archive);

		memcpy(archive + bad[i].at, bad[i].text, strlen(bad[i].text));
		cpio_init(c, &ops, &s);
		EXPECT_EQ(cpio_feed(c, (const uint8_t *)archive, size), -EINVAL);
	}
	free(c);
}

TEST(cpio, random_damage_is_harmless)
{
	static char archive[ARCHIVE_MAX];
	struct cpio *c = malloc(sizeof(*c));
	struct random r;

	random_seed(&r, 3);
	for (unsigned round = 0; round < 20000; round++) {
		size_t size = make_archive(archive), at = 0;
		struct seen s = {{0}, 0};
		static const char digits[] = "0123456789abcdef";

		for (unsigned i = 0; i < 4; i++)
			archive[random_below(&r, size)] = digits[random_below(&r, 16)];
		cpio_init(c, &ops, &s);
		while (at < size) {
			int64_t n = cpio_feed(c, (const uint8_t *)archive + at,
				MIN(size - at, (size_t)random_below(&r, 200) + 1));

			if (n <= 0)
				break;
			at += (size_t)n;
		}
	}
	free(c);
}
