// SPDX-License-Identifier: MIT
/*
 * The reader of newc archives: a state machine over bytes, because what a decompressor gives
 * comes in pieces that know nothing of headers.
 *
 *     BETWEEN -> HEADER -> NAME -> DATA or TARGET -> PADDING -> HEADER ...
 *        ^                  | TRAILER!!!
 *        +------------------+
 */
#include "fs/cpio.h"

#include "abi/stat.h"
#include "lib/string.h"

enum { BETWEEN, HEADER, NAME, TARGET, DATA, PADDING };
enum { FIELDS = 13, FIELD_DIGITS = 8, MAGIC_LENGTH = 6, ALIGNMENT = 4 };

static const char trailer[] = "TRAILER!!!";

void cpio_init(struct cpio *c, const struct cpio_ops *ops, void *ctx)
{
	c->ops = ops;
	c->ctx = ctx;
	c->state = BETWEEN;
	c->offset = 0;
	c->want = c->have = 0;
}

bool cpio_is_between(const struct cpio *c)
{
	return c->state == BETWEEN || (c->state == HEADER && c->have == 0);
}

static size_t padding_at(uint64_t offset)
{
	return (size_t)(-offset & (ALIGNMENT - 1));
}

static void expect(struct cpio *c, int state, size_t want)
{
	c->state = state;
	c->want = want;
	c->have = 0;
}

static void skip_to_header(struct cpio *c)
{
	if (padding_at(c->offset))
		expect(c, PADDING, padding_at(c->offset));
	else
		expect(c, HEADER, CPIO_HEADER);
}

static bool parse_field(const char *digits, uint32_t *out)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < FIELD_DIGITS; i++) {
		int d = char_digit_value(digits[i]);

		if (d < 0)
			return false;
		value = value << 4 | (uint32_t)d;
	}
	*out = value;
	return true;
}

static int parse_header(struct cpio *c)
{
	struct cpio_entry *e = &c->entry;
	uint32_t name_size, check;
	uint32_t *const fields[FIELDS] = {&e->ino, &e->mode, &e->uid, &e->gid, &e->nlink,
		&e->mtime, &e->size, &e->dev_major, &e->dev_minor, &e->rdev_major,
		&e->rdev_minor, &name_size, &check};

	if (memcmp(c->text, "07070", MAGIC_LENGTH - 1) ||
		(c->text[5] != '1' && c->text[5] != '2'))
		return -EINVAL;
	for (unsigned i = 0; i < FIELDS; i++)
		if (!parse_field(c->text + MAGIC_LENGTH + i * FIELD_DIGITS, fields[i]))
			return -EINVAL;
	if (name_size < 1 || name_size > CPIO_PATH_MAX ||
		(S_ISLNK(e->mode) && e->size >= CPIO_PATH_MAX))
		return -EINVAL;
	c->is_checked = c->text[5] == '2';
	c->check = check;
	c->sum = 0;
	expect(c, NAME, name_size + padding_at(c->offset + name_size));
	c->size = name_size; /* until the name is there */
	return 0;
}

static int give_entry(struct cpio *c)
{
	int err = c->ops->entry(c->ctx, &c->entry);

	if (err)
		return err;
	if (c->size) {
		expect(c, DATA, c->size);
		return 0;
	}
	err = c->ops->end(c->ctx);
	skip_to_header(c);
	return err;
}

static int parse_name(struct cpio *c)
{
	size_t name_size = c->size;

	memcpy(c->name, c->text, name_size);
	if (c->name[name_size - 1] || strnlen(c->name, name_size) != name_size - 1 ||
		name_size < 2)
		return -EINVAL;
	c->entry.name = c->name;
	c->entry.target = NULL;
	c->size = c->entry.size;
	if (str_equal(c->name, trailer)) {
		c->state = BETWEEN;
		return c->ops->archive_end(c->ctx);
	}
	if (S_ISLNK(c->entry.mode)) {
		if (!c->size)
			return -EINVAL;
		expect(c, TARGET, c->size);
		return 0;
	}
	return give_entry(c);
}

static int parse_target(struct cpio *c)
{
	c->text[c->entry.size] = '\0';
	if (strlen(c->text) != c->entry.size)
		return -EINVAL;
	c->entry.target = c->text;
	c->size = 0;
	return give_entry(c);
}

static int finish_data(struct cpio *c)
{
	if (c->is_checked && c->sum != c->check)
		return -EINVAL;
	skip_to_header(c);
	return c->ops->end(c->ctx);
}

/* All that the state wanted is there. */
static int step(struct cpio *c)
{
	switch (c->state) {
	case HEADER:
		return parse_header(c);
	case NAME:
		return parse_name(c);
	case TARGET:
		return parse_target(c);
	case DATA:
		return finish_data(c);
	case PADDING:
		expect(c, HEADER, CPIO_HEADER);
	}
	return 0;
}

/* Takes some of the bytes for the state, at most what it wants. */
static int64_t take(struct cpio *c, const uint8_t *bytes, size_t len)
{
	size_t n = MIN(len, c->want);
	int err = 0;

	if (c->state == DATA) {
		for (size_t i = 0; c->is_checked && i < n; i++)
			c->sum += bytes[i];
		err = c->ops->data(c->ctx, bytes, n);
	} else if (c->state != PADDING) {
		memcpy(c->text + c->have, bytes, n);
	}
	c->have += n;
	c->want -= n;
	c->offset += n;
	return err ? err : (int64_t)n;
}

/* Zeroes between archives; false at what is neither that nor a header. */
static bool leave_between(struct cpio *c, uint8_t byte)
{
	if (byte == '0' && !padding_at(c->offset)) {
		expect(c, HEADER, CPIO_HEADER);
		return true;
	}
	return byte == 0;
}

int64_t cpio_feed(struct cpio *c, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		int64_t n;
		int err = 0;

		if (c->state == BETWEEN) {
			if (!leave_between(c, bytes[at]))
				break;
			if (c->state == BETWEEN) {
				at++;
				c->offset++;
			}
			continue;
		}
		n = take(c, bytes + at, len - at);
		if (n < 0)
			return n;
		at += (size_t)n;
		if (!c->want)
			err = step(c);
		if (err)
			return err;
	}
	return (int64_t)at;
}
