// SPDX-License-Identifier: MIT
/*
 * DEFLATE by canonical Huffman codes.
 *
 * A code of up to FAST_BITS bits is found by one look into a table indexed by the next bits; a
 * longer one goes on bit by bit through the counts of each length (RFC 1951 3.2.2: codes of one
 * length are consecutive numbers). Output goes through a window of 64 KiB of which one half is handed
 * to the sink whenever it is full, so that the last 32 KiB are always there to copy from.
 *
 * Spec    RFC 1951, RFC 1952
 */
#include "lib/inflate.h"

#include "lib/crc32.h"
#include "lib/endian.h"
#include "lib/string.h"

enum {
	MAX_BITS = 15, /* of a code; RFC 1951 3.2.7 */
	FAST_BITS = 10,
	MAX_LITERALS = 288,  /* literals, end of block, lengths: 3.2.6 */
	USED_LITERALS = 286, /* 286 and 287 have codes and no meaning */
	MAX_DISTANCES = 32,
	USED_DISTANCES = 30,
	MAX_LENGTH_CODES = 19,
	END_OF_BLOCK = 256,
	WINDOW = 64 * 1024,
	HISTORY = 32 * 1024, /* the largest distance */
};

struct huffman {
	uint16_t fast[1 << FAST_BITS]; /* symbol << 4 | length; 0: longer, or no code */
	uint16_t count[MAX_BITS + 1];  /* codes of each length */
	uint16_t symbol[MAX_LITERALS]; /* by length, then by value */
};

struct inflate {
	const uint8_t *in;
	size_t size, at;
	uint64_t bits; /* not yet consumed, the next one lowest */
	unsigned nr_bits;
	bool is_cut; /* more bits were wanted than there are */

	byte_sink *sink;
	void *ctx;
	size_t out;     /* where the next byte goes in the window */
	size_t sent;    /* bytes below it that the sink has had */
	uint64_t total; /* bytes made so far, for distances */

	uint32_t crc;
	struct huffman literals, distances;
	uint8_t lengths[MAX_LITERALS + MAX_DISTANCES];
	uint8_t window[WINDOW];
};
const size_t inflate_size = sizeof(struct inflate);

/* ---- Bits ---- */

static void refill(struct inflate *s)
{
	while (s->nr_bits <= 56 && s->at < s->size) {
		s->bits |= (uint64_t)s->in[s->at++] << s->nr_bits;
		s->nr_bits += 8;
	}
}

/* The next n <= 16 bits as a number. Beyond the end zeroes, and is_cut is set. */
static unsigned take(struct inflate *s, unsigned n)
{
	unsigned value;

	if (s->nr_bits < n) {
		refill(s);
		if (s->nr_bits < n) {
			s->is_cut = true;
			s->nr_bits = n;
		}
	}
	value = (unsigned)(s->bits & ((1ull << n) - 1));
	s->bits >>= n;
	s->nr_bits -= n;
	return value;
}

/* ---- Codes ---- */

static unsigned reverse(unsigned code, unsigned len)
{
	unsigned r = 0;

	for (; len; len--, code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

/*
 * A code from the length of each symbol. False: more codes than fit, or fewer than a complete code
 * has, unless there is at most one (RFC 1951 3.2.7: one distance code of one bit).
 */
static bool huffman_build(struct huffman *h, const uint8_t *lengths, unsigned nr)
{
	uint16_t offset[MAX_BITS + 2], next[MAX_BITS + 1];
	unsigned code = 0, nr_codes = 0;
	int left = 1;

	memset(h->count, 0, sizeof(h->count));
	memset(h->fast, 0, sizeof(h->fast));
	for (unsigned i = 0; i < nr; i++)
		h->count[lengths[i]]++;
	nr_codes = nr - h->count[0];
	h->count[0] = 0;
	offset[1] = 0;
	for (unsigned len = 1; len <= MAX_BITS; len++) {
		left = left * 2 - h->count[len];
		if (left < 0)
			return false;
		offset[len + 1] = (uint16_t)(offset[len] + h->count[len]);
		code = (code + h->count[len - 1]) << 1;
		next[len] = (uint16_t)code;
	}
	if (left > 0 && nr_codes > 1)
		return false;
	for (unsigned i = 0; i < nr; i++) {
		unsigned len = lengths[i];

		if (!len)
			continue;
		h->symbol[offset[len]++] = (uint16_t)i;
		if (len <= FAST_BITS)
			for (unsigned at = reverse(next[len], len); at < 1u << FAST_BITS;
				at += 1u << len)
				h->fast[at] = (uint16_t)(i << 4 | len);
		next[len]++;
	}
	return true;
}

/* The next symbol; -EINVAL for bits that are no code. */
static int decode(struct inflate *s, const struct huffman *h)
{
	int code = 0, first = 0, index = 0;
	unsigned entry;

	if (s->nr_bits < MAX_BITS)
		refill(s);
	entry = h->fast[s->bits & ((1u << FAST_BITS) - 1)];
	if (entry && (entry & 15) <= s->nr_bits) {
		s->bits >>= entry & 15;
		s->nr_bits -= entry & 15;
		return (int)(entry >> 4);
	}
	for (unsigned len = 1; len <= MAX_BITS; len++) {
		int count = h->count[len];

		code |= (int)take(s, 1);
		if (s->is_cut)
			return -ENODATA;
		if (code - count < first)
			return h->symbol[index + (code - first)];
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return -EINVAL;
}

/* ---- Output ---- */

static int flush(struct inflate *s)
{
	size_t len = s->out - s->sent;
	int err;

	if (!len)
		return 0;
	s->crc = crc32_update(s->crc, s->window + s->sent, len);
	err = s->sink(s->ctx, s->window + s->sent, len);
	s->sent = s->out;
	return err;
}

/* Room for one more byte: the history moves to the front when the window is full. */
static int make_room(struct inflate *s)
{
	int err;

	if (s->out < WINDOW)
		return 0;
	err = flush(s);
	memmove(s->window, s->window + WINDOW - HISTORY, HISTORY);
	s->out = s->sent = HISTORY;
	return err;
}

static int put(struct inflate *s, uint8_t byte)
{
	int err = make_room(s);

	s->window[s->out++] = byte;
	s->total++;
	return err;
}

static int copy_back(struct inflate *s, unsigned distance, unsigned len)
{
	if (distance > s->total || distance > HISTORY)
		return -EINVAL;
	while (len--) {
		int err = make_room(s);

		if (err)
			return err;
		s->window[s->out] = s->window[s->out - distance];
		s->out++;
		s->total++;
	}
	return 0;
}

/* ---- Blocks ---- */

static int stored_block(struct inflate *s)
{
	unsigned len;
	int err = 0;

	(void)take(s, s->nr_bits & 7); /* to the next byte */
	len = take(s, 16);
	if (take(s, 16) != (len ^ 0xffff) && !s->is_cut)
		return -EINVAL;
	while (len-- && !err) {
		uint8_t byte = (uint8_t)take(s, 8);

		if (s->is_cut)
			return -ENODATA;
		err = put(s, byte);
	}
	return s->is_cut ? -ENODATA : err;
}

/* RFC 1951 3.2.5: base values and extra bits of length symbols 257.. and distances. */
static const uint16_t length_base[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31,
	35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra[] = {
	0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_base[] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t distance_extra[] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7,
	8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

static int match(struct inflate *s, int symbol)
{
	unsigned len = (unsigned)symbol - END_OF_BLOCK - 1, distance;

	if (len >= ARRAY_LEN(length_base))
		return -EINVAL;
	len = length_base[len] + take(s, length_extra[len]);
	symbol = decode(s, &s->distances);
	if (symbol < 0)
		return symbol;
	if (symbol >= USED_DISTANCES)
		return -EINVAL;
	distance = distance_base[symbol] + take(s, distance_extra[symbol]);
	return s->is_cut ? -ENODATA : copy_back(s, distance, len);
}

static int coded_block(struct inflate *s)
{
	for (;;) {
		int symbol = decode(s, &s->literals), err;

		if (symbol < 0)
			return symbol;
		if (symbol == END_OF_BLOCK)
			return 0;
		err = symbol < END_OF_BLOCK ? put(s, (uint8_t)symbol) : match(s, symbol);
		if (err)
			return err;
	}
}

static int fixed_block(struct inflate *s)
{
	/* RFC 1951 3.2.6 */
	memset(s->lengths, 8, 144);
	memset(s->lengths + 144, 9, 112);
	memset(s->lengths + 256, 7, 24);
	memset(s->lengths + 280, 8, 8);
	if (!huffman_build(&s->literals, s->lengths, MAX_LITERALS))
		return -EINVAL;
	memset(s->lengths, 5, MAX_DISTANCES);
	if (!huffman_build(&s->distances, s->lengths, MAX_DISTANCES))
		return -EINVAL;
	return coded_block(s);
}

/* The lengths of both codes, themselves coded: RFC 1951 3.2.7. */
static int read_lengths(struct inflate *s, unsigned nr)
{
	unsigned at = 0;

	while (at < nr) {
		int symbol = decode(s, &s->literals);
		unsigned repeat;
		uint8_t value = 0;

		if (symbol < 0)
			return symbol;
		if (symbol < 16) {
			s->lengths[at++] = (uint8_t)symbol;
			continue;
		}
		if (symbol == 16) {
			if (!at)
				return -EINVAL;
			value = s->lengths[at - 1];
			repeat = 3 + take(s, 2);
		} else {
			repeat = symbol == 17 ? 3 + take(s, 3) : 11 + take(s, 7);
		}
		if (s->is_cut)
			return -ENODATA;
		if (repeat > nr - at)
			return -EINVAL;
		memset(s->lengths + at, value, repeat);
		at += repeat;
	}
	return 0;
}

static int dynamic_block(struct inflate *s)
{
	static const uint8_t order[MAX_LENGTH_CODES] = {
		16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	unsigned nr_literals = take(s, 5) + 257, nr_distances = take(s, 5) + 1,
		 nr = take(s, 4) + 4;
	int err;

	if (nr_literals > USED_LITERALS || nr_distances > USED_DISTANCES)
		return s->is_cut ? -ENODATA : -EINVAL;
	memset(s->lengths, 0, MAX_LENGTH_CODES);
	for (unsigned i = 0; i < nr; i++)
		s->lengths[order[i]] = (uint8_t)take(s, 3);
	if (s->is_cut)
		return -ENODATA;
	if (!huffman_build(&s->literals, s->lengths, MAX_LENGTH_CODES))
		return -EINVAL;
	err = read_lengths(s, nr_literals + nr_distances);
	if (err)
		return err;
	if (!s->lengths[END_OF_BLOCK] ||
		!huffman_build(&s->distances, s->lengths + nr_literals, nr_distances) ||
		!huffman_build(&s->literals, s->lengths, nr_literals))
		return -EINVAL;
	return coded_block(s);
}

static int inflate_blocks(struct inflate *s)
{
	unsigned is_last;
	int err;

	do {
		is_last = take(s, 1);
		switch (take(s, 2)) {
		case 0:
			err = stored_block(s);
			break;
		case 1:
			err = fixed_block(s);
			break;
		case 2:
			err = dynamic_block(s);
			break;
		default:
			err = -EINVAL;
		}
		if (s->is_cut)
			err = -ENODATA;
	} while (!err && !is_last);
	return err;
}

int inflate(struct inflate *s, const uint8_t *data, size_t size, size_t *used,
	byte_sink *sink, void *ctx)
{
	int err, flushed;

	s->in = data;
	s->size = size;
	s->at = *used;
	s->bits = 0;
	s->nr_bits = 0;
	s->is_cut = false;
	s->sink = sink;
	s->ctx = ctx;
	s->out = s->sent = 0;
	s->total = 0;
	s->crc = ~0u;
	err = inflate_blocks(s);
	flushed = flush(s);             /* what came before the damage counts */
	*used = s->at - s->nr_bits / 8; /* whole bytes that were looked at and not used */
	return err ? err : flushed;
}

/* ---- gzip: RFC 1952 2.3 ---- */

enum { GZIP_HEADER = 10, GZIP_TRAILER = 8, GZIP_DEFLATE = 8 };
enum { GZIP_HCRC = 2, GZIP_EXTRA = 4, GZIP_NAME = 8, GZIP_COMMENT = 16, GZIP_RESERVED = 0xe0 };

static bool skip_string(const uint8_t *data, size_t size, size_t *at)
{
	const uint8_t *end = *at < size ? memchr(data + *at, 0, size - *at) : NULL;

	if (end)
		*at = (size_t)(end - data) + 1;
	return end;
}

static int skip_header(const uint8_t *data, size_t size, size_t *at)
{
	uint8_t flags;

	if (size - *at < GZIP_HEADER)
		return -ENODATA;
	flags = data[*at + 3];
	if (data[*at] != 0x1f || data[*at + 1] != 0x8b || data[*at + 2] != GZIP_DEFLATE ||
		flags & GZIP_RESERVED)
		return -EINVAL;
	*at += GZIP_HEADER;
	if (flags & GZIP_EXTRA) {
		if (size - *at < 2)
			return -ENODATA;
		*at += 2u + le16_get(data + *at);
		if (*at > size)
			return -ENODATA;
	}
	if ((flags & GZIP_NAME && !skip_string(data, size, at)) ||
		(flags & GZIP_COMMENT && !skip_string(data, size, at)))
		return -ENODATA;
	if (flags & GZIP_HCRC)
		*at += 2;
	return *at > size ? -ENODATA : 0;
}

int inflate_gzip(struct inflate *s, const uint8_t *data, size_t size, size_t *used,
	byte_sink *sink, void *ctx)
{
	int err;

	err = skip_header(data, size, used);
	if (!err)
		err = inflate(s, data, size, used, sink, ctx);
	if (err)
		return err;
	if (size - *used < GZIP_TRAILER)
		return -ENODATA;
	if (le32_get(data + *used) != ~s->crc ||
		le32_get(data + *used + 4) != (uint32_t)s->total)
		return -EINVAL;
	*used += GZIP_TRAILER;
	return 0;
}
