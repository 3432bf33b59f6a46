// SPDX-License-Identifier: MIT
/*
 * Zstandard: a frame of blocks, each with literals and sequences.
 *
 * A sequence says: so many literals, then a match of this length at that offset. The literals are
 * one Huffman-coded string for the whole block; the three numbers of the sequences are coded by
 * three finite state machines (FSE) over one string of bits. Both strings are read from their last
 * bit backwards: the encoder wrote them the other way round.
 *
 * What a block's header leaves out it has from the block before: Huffman code, tables, the last three
 * offsets.
 *
 * Spec    RFC 8878 (numbers below are its sections)
 */
#include "lib/zstd.h"

#include "lib/bits.h"
#include "lib/endian.h"
#include "lib/string.h"
#include "lib/xxhash.h"

#define MAGIC      0xfd2fb528u /* 3.1.1 */
#define SKIP_MAGIC 0x184d2a50u /* 3.1.2: and the 15 after it */

enum {
	MAX_BLOCK = 128 * 1024, /* 3.1.1.2.4 */
	MIN_WINDOW = 1024,
	MAX_HUFFMAN_BITS = 11, /* 4.2.1 */
	MAX_WEIGHTS = 255,     /* the last symbol's is not written */
	WEIGHT_LOG = 6,        /* 4.2.1.2: accuracy of the table for weights */
	MAX_LOG = 9,           /* 3.1.1.3.2.1: of the tables for sequences; offsets 8 */
	OFFSET_LOG = 8,
	LITERAL_CODES = 36, /* 3.1.1.3.2.1.1 */
	MATCH_CODES = 53,
	OFFSET_CODES = 32, /* offsets of up to 4 GiB */
	MIN_LOG = 5,       /* 4.1.1 */
};

/* Bits that are read from the last backwards. */
struct bits {
	const uint8_t *from;
	int64_t left; /* bits before the place; below 0: more was read than there is */
};

struct fse_entry {
	uint16_t base; /* of the next state */
	uint8_t symbol, nr_bits;
};

struct fse {
	struct fse_entry entry[1 << MAX_LOG];
	unsigned log;
	bool is_there;
};

struct huffman {
	struct {
		uint8_t symbol, nr_bits;
	} entry[1 << MAX_HUFFMAN_BITS];
	unsigned log;
	bool is_there;
};

struct zstd {
	struct window window;
	byte_sink *sink;
	void *ctx;
	struct xxhash sum;
	uint64_t plain; /* bytes that came out of the frame */
	struct huffman huffman;
	struct fse weights, literal_lengths, offsets, match_lengths;
	uint64_t offset[3]; /* the last ones */
	size_t max_block;
	size_t nr_literals;
	uint8_t literals[MAX_BLOCK];
};
const size_t zstd_size = sizeof(struct zstd);

static int sum_and_pass_on(void *ctx, const uint8_t *bytes, size_t len)
{
	struct zstd *s = ctx;

	s->plain += len;
	xxhash_update(&s->sum, bytes, len);
	return s->sink(s->ctx, bytes, len);
}

/* ---- Bits ---- */

/* The last byte's highest one says where the bits end. */
static int bits_start(struct bits *b, const uint8_t *from, size_t len)
{
	if (!len || !from[len - 1])
		return -EINVAL;
	b->from = from;
	b->left = (int64_t)(len - 1) * 8 + bits_highest(from[len - 1]);
	return 0;
}

/* The n <= 32 bits from bit `at` on; before the first there are zeroes. */
static uint64_t bits_at(const struct bits *b, int64_t at, unsigned n)
{
	uint64_t value = 0;
	int64_t first = at < 0 ? 0 : at, last = at + n - 1;

	if (last < 0)
		return 0;
	for (int64_t byte = last / 8; byte >= first / 8; byte--)
		value = value << 8 | b->from[byte];
	value >>= first % 8;
	if (at < 0)
		value <<= -at;
	return value & ((1ull << n) - 1);
}

static uint64_t take(struct bits *b, unsigned n)
{
	if (!n)
		return 0;
	b->left -= n;
	return bits_at(b, b->left, n);
}

/* ---- FSE: 4.1 ---- */

/* 4.1.1: how often each symbol comes, -1 being less than once. *at moves behind it. */
static int read_counts(const uint8_t *in, size_t size, size_t *at, int16_t *count, unsigned *nr,
	unsigned max_nr, unsigned max_log, unsigned *log)
{
	uint64_t pos = 0, end = (size - *at) * 8;
	const uint8_t *from = in + *at;
	int left;

#define PEEK(n) /* the next n <= 16 bits, lowest first */                                      \
	({                                                                                     \
		uint32_t peek_ = 0;                                                            \
		for (unsigned k_ = 0; k_ < 3 && pos / 8 + k_ < size - *at; k_++)               \
			peek_ |= (uint32_t)from[pos / 8 + k_] << (8 * k_);                     \
		peek_ >> (pos % 8) & ((1u << (n)) - 1);                                        \
	})

	*log = PEEK(4) + MIN_LOG;
	pos = 4;
	if (*log > max_log)
		return -EINVAL;
	left = (1 << *log) + 1;
	for (*nr = 0; left > 1;) {
		unsigned bits = bits_highest((uint64_t)left) + 1, value, few, limit;

		if (*nr >= max_nr)
			return -EINVAL;
		/* a value below `few` is one bit shorter */
		value = PEEK(bits);
		few = (1u << bits) - 1 - (unsigned)left;
		limit = 1u << (bits - 1);
		if ((value & (limit - 1)) < few) {
			value &= limit - 1;
			pos += bits - 1;
		} else {
			if (value >= limit)
				value -= few;
			pos += bits;
		}
		count[(*nr)++] = (int16_t)((int)value - 1);
		left -= value ? (int)value - 1 : 1;
		if (value == 1) { /* count 0: more of them follow, by two bits each time */
			unsigned more;

			do {
				more = PEEK(2);
				pos += 2;
				if (*nr + more > max_nr || pos > end)
					return pos > end ? -ENODATA : -EINVAL;
				memset(count + *nr, 0, more * sizeof(*count));
				*nr += more;
			} while (more == 3);
		}
		if (pos > end)
			return -ENODATA;
	}
#undef PEEK
	if (left != 1)
		return -EINVAL;
	*at += (pos + 7) / 8;
	return 0;
}

/* 4.1.1: symbols are spread over the states; then each state says what the next one is. */
static int fse_build(struct fse *t, const int16_t *count, unsigned nr, unsigned log)
{
	unsigned size = 1u << log, high = size, at = 0, mask = size - 1;
	unsigned step = (size >> 1) + (size >> 3) + 3;
	uint16_t next[256];

	t->is_there = false;
	t->log = log;
	for (unsigned i = 0; i < nr; i++) {
		next[i] = (uint16_t)(count[i] < 0 ? 1 : count[i]);
		if (count[i] < 0)
			t->entry[--high].symbol = (uint8_t)i;
	}
	for (unsigned i = 0; i < nr; i++)
		for (int k = 0; k < count[i]; k++) {
			t->entry[at].symbol = (uint8_t)i;
			do
				at = (at + step) & mask;
			while (at >= high);
		}
	if (at != 0)
		return -EINVAL;
	for (unsigned i = 0; i < size; i++) {
		unsigned state = next[t->entry[i].symbol]++;
		unsigned nr_bits = log - bits_highest(state);

		t->entry[i].nr_bits = (uint8_t)nr_bits;
		t->entry[i].base = (uint16_t)((state << nr_bits) - size);
	}
	t->is_there = true;
	return 0;
}

static void fse_one_symbol(struct fse *t, uint8_t symbol)
{
	t->log = 0;
	t->entry[0] = (struct fse_entry){.symbol = symbol};
	t->is_there = true;
}

static unsigned fse_next(const struct fse *t, unsigned state, struct bits *b)
{
	const struct fse_entry *e = &t->entry[state];

	return e->base + (unsigned)take(b, e->nr_bits);
}

/* ---- Huffman: 4.2 ---- */

/* 4.2.1.2: two states in turn, until the bits are used up. */
static int read_weights(
	struct zstd *s, const uint8_t *in, size_t len, uint8_t *weight, unsigned *nr)
{
	int16_t count[MAX_HUFFMAN_BITS + 2];
	unsigned nr_counts, log, state[2];
	struct bits b;
	size_t at = 0;
	int err = read_counts(
		in, len, &at, count, &nr_counts, ARRAY_LEN(count), WEIGHT_LOG, &log);

	err = err ? err : fse_build(&s->weights, count, nr_counts, log);
	if (err || at >= len)
		return -EINVAL;
	err = bits_start(&b, in + at, len - at);
	if (err)
		return err;
	state[0] = (unsigned)take(&b, log);
	state[1] = (unsigned)take(&b, log);
	if (b.left < 0)
		return -EINVAL;
	for (unsigned turn = 0; *nr < MAX_WEIGHTS; turn ^= 1) {
		weight[(*nr)++] = s->weights.entry[state[turn]].symbol;
		state[turn] = fse_next(&s->weights, state[turn], &b);
		if (b.left < 0) { /* the other one has the last */
			if (*nr >= MAX_WEIGHTS)
				return -EINVAL;
			weight[(*nr)++] = s->weights.entry[state[turn ^ 1]].symbol;
			return 0;
		}
	}
	return -EINVAL;
}

/* From weights, without that of the last symbol: 4.2.1. */
static int huffman_build(struct huffman *h, uint8_t *weight, unsigned nr)
{
	unsigned sum = 0, at = 0, rest;

	h->is_there = false;
	for (unsigned i = 0; i < nr; i++) {
		if (weight[i] > MAX_HUFFMAN_BITS)
			return -EINVAL;
		sum += weight[i] ? 1u << (weight[i] - 1) : 0;
	}
	if (!sum)
		return -EINVAL;
	h->log = bits_highest(sum) + 1;
	rest = (1u << h->log) - sum;
	if (h->log > MAX_HUFFMAN_BITS || !bits_is_pow2(rest))
		return -EINVAL;
	weight[nr++] = (uint8_t)(bits_highest(rest) + 1);
	for (unsigned w = 1; w <= h->log; w++)
		for (unsigned i = 0; i < nr; i++)
			for (unsigned k = 0; weight[i] == w && k < 1u << (w - 1); k++, at++) {
				h->entry[at].symbol = (uint8_t)i;
				h->entry[at].nr_bits = (uint8_t)(h->log + 1 - w);
			}
	h->is_there = true;
	return 0;
}

/* 4.2.1.1: the description of a code. *at moves behind it. */
static int read_huffman(struct zstd *s, const uint8_t *in, size_t size, size_t *at)
{
	uint8_t weight[MAX_WEIGHTS + 1];
	unsigned nr = 0, len;
	int err = 0;

	if (*at >= size)
		return -EINVAL;
	len = in[(*at)++];
	if (len >= 128) { /* as they are, four bits each */
		nr = len - 127;
		len = (nr + 1) / 2;
		if (size - *at < len)
			return -EINVAL;
		for (unsigned i = 0; i < nr; i++)
			weight[i] = in[*at + i / 2] >> (i % 2 ? 0 : 4) & 15;
	} else {
		if (size - *at < len)
			return -EINVAL;
		err = read_weights(s, in + *at, len, weight, &nr);
	}
	*at += len;
	return err ? err : huffman_build(&s->huffman, weight, nr);
}

static int huffman_stream(
	const struct huffman *h, const uint8_t *in, size_t len, uint8_t *out, size_t nr)
{
	struct bits b;
	int err = bits_start(&b, in, len);

	for (size_t i = 0; i < nr && !err; i++) {
		uint64_t index = bits_at(&b, b.left - h->log, h->log);

		out[i] = h->entry[index].symbol;
		b.left -= h->entry[index].nr_bits;
		if (b.left < 0)
			return -EINVAL;
	}
	return err ? err : b.left ? -EINVAL : 0;
}

/* 4.2.2: four strings, of which the first three have equal lengths, and the sizes of these before. */
static int four_streams(struct zstd *s, const uint8_t *in, size_t len)
{
	size_t each = (s->nr_literals + 3) / 4, at = 6, size[4], sum = at;

	if (len < at || 3 * each > s->nr_literals)
		return -EINVAL;
	for (unsigned i = 0; i < 3; i++)
		sum += size[i] = le16_get(in + 2 * i);
	if (sum > len)
		return -EINVAL;
	size[3] = len - sum;
	for (unsigned i = 0; i < 4; i++) {
		size_t nr = i < 3 ? each : s->nr_literals - 3 * each;
		int err = huffman_stream(
			&s->huffman, in + at, size[i], s->literals + i * each, nr);

		if (err)
			return err;
		at += size[i];
	}
	return 0;
}

/* ---- Literals: 3.1.1.3.1 ---- */

enum { LITERALS_RAW, LITERALS_ONE_BYTE, LITERALS_PACKED, LITERALS_PACKED_AGAIN };

static int plain_literals(struct zstd *s, const uint8_t *in, size_t size, size_t *at,
	unsigned type, unsigned format)
{
	static const uint8_t header_len[] = {1, 2, 1, 3};
	size_t len = header_len[format], nr;
	uint32_t header = 0;

	if (size - *at < len)
		return -EINVAL;
	for (unsigned i = 0; i < len; i++)
		header |= (uint32_t)in[*at + i] << (8 * i);
	*at += len;
	nr = header >> (len == 1 ? 3 : 4);
	if (nr > s->max_block || size - *at < (type == LITERALS_RAW ? nr : 1))
		return -EINVAL;
	s->nr_literals = nr;
	if (type == LITERALS_RAW) {
		memcpy(s->literals, in + *at, nr);
		*at += nr;
	} else {
		memset(s->literals, in[*at], nr);
		*at += 1;
	}
	return 0;
}

static int packed_literals(struct zstd *s, const uint8_t *in, size_t size, size_t *at,
	unsigned type, unsigned format)
{
	static const uint8_t header_len[] = {3, 3, 4, 5}, size_bits[] = {10, 10, 14, 18};
	unsigned len = header_len[format], bits = size_bits[format];
	uint64_t header = 0, mask = (1u << bits) - 1;
	size_t end;
	int err = 0;

	if (size - *at < len)
		return -EINVAL;
	for (unsigned i = 0; i < len; i++)
		header |= (uint64_t)in[*at + i] << (8 * i);
	*at += len;
	s->nr_literals = header >> 4 & mask;
	if (s->nr_literals > s->max_block || size - *at < (header >> (4 + bits) & mask))
		return -EINVAL;
	end = *at + (header >> (4 + bits) & mask);
	if (type == LITERALS_PACKED)
		err = read_huffman(s, in, end, at);
	if (err || !s->huffman.is_there)
		return -EINVAL;
	err = format == 0 ? huffman_stream(&s->huffman, in + *at, end - *at, s->literals,
				    s->nr_literals)
			  : four_streams(s, in + *at, end - *at);
	*at = end;
	return err;
}

static int read_literals(struct zstd *s, const uint8_t *in, size_t size, size_t *at)
{
	unsigned type, format;

	if (*at >= size)
		return -EINVAL;
	type = in[*at] & 3;
	format = in[*at] >> 2 & 3;
	return type < LITERALS_PACKED ? plain_literals(s, in, size, at, type, format)
				      : packed_literals(s, in, size, at, type, format);
}

/* ---- Sequences: 3.1.1.3.2 ---- */

/* 3.1.1.3.2.1.1: what a code starts at, and how many bits are added. */
static const uint32_t literal_base[LITERAL_CODES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096,
	8192, 16384, 32768, 65536};
static const uint8_t literal_extra[LITERAL_CODES] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint32_t match_base[MATCH_CODES] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39,
	41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771,
	65539};
static const uint8_t match_extra[MATCH_CODES] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8,
	9, 10, 11, 12, 13, 14, 15, 16};

/* 3.1.1.3.2.2: the tables that need not be sent. */
static const int16_t literal_default[LITERAL_CODES] = {4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1,
	1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1};
static const int16_t match_default[MATCH_CODES] = {1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, -1, -1, -1, -1, -1, -1, -1};
static const int16_t offset_default[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1};

struct code_kind {
	const int16_t *normal;
	uint8_t nr_normal, normal_log, nr, max_log;
};
static const struct code_kind literal_kind = {
	literal_default, LITERAL_CODES, 6, LITERAL_CODES, MAX_LOG};
static const struct code_kind offset_kind = {
	offset_default, ARRAY_LEN(offset_default), 5, OFFSET_CODES, OFFSET_LOG};
static const struct code_kind match_kind = {
	match_default, MATCH_CODES, 6, MATCH_CODES, MAX_LOG};

enum { TABLE_NORMAL, TABLE_ONE_SYMBOL, TABLE_SENT, TABLE_AGAIN };

static int read_table(struct fse *t, const struct code_kind *kind, unsigned mode,
	const uint8_t *in, size_t size, size_t *at)
{
	int16_t count[MATCH_CODES];
	unsigned nr, log;
	int err;

	switch (mode) {
	case TABLE_NORMAL:
		return fse_build(t, kind->normal, kind->nr_normal, kind->normal_log);
	case TABLE_ONE_SYMBOL:
		if (*at >= size || in[*at] >= kind->nr)
			return -EINVAL;
		fse_one_symbol(t, in[(*at)++]);
		return 0;
	case TABLE_SENT:
		err = read_counts(in, size, at, count, &nr, kind->nr, kind->max_log, &log);
		return err ? -EINVAL : fse_build(t, count, nr, log);
	default:
		return t->is_there ? 0 : -EINVAL;
	}
}

/* 3.1.1.5: values 1 to 3 mean one of the last offsets. */
static uint64_t resolve_offset(struct zstd *s, uint64_t value, bool has_literals)
{
	uint64_t offset;
	unsigned which;

	if (value > 3) {
		offset = value - 3;
		which = 2;
	} else {
		which = (unsigned)value - has_literals;
		offset = which == 3 ? s->offset[0] - 1 : s->offset[which];
	}
	if (which >= 2)
		s->offset[2] = s->offset[1];
	if (which >= 1)
		s->offset[1] = s->offset[0];
	s->offset[0] = offset;
	return offset;
}

struct sequence_states {
	unsigned literal, offset, match;
};

static int run_sequences(struct zstd *s, struct bits *b, unsigned nr, size_t *used)
{
	struct sequence_states st = {.literal = (unsigned)take(b, s->literal_lengths.log)};
	size_t made = 0;

	st.offset = (unsigned)take(b, s->offsets.log);
	st.match = (unsigned)take(b, s->match_lengths.log);
	for (unsigned i = 0; i < nr; i++) {
		unsigned literal = s->literal_lengths.entry[st.literal].symbol,
			 code = s->offsets.entry[st.offset].symbol,
			 match = s->match_lengths.entry[st.match].symbol;
		uint64_t offset = (1ull << code) + take(b, code);
		size_t match_len = match_base[match] + take(b, match_extra[match]);
		size_t nr_literals = literal_base[literal] + take(b, literal_extra[literal]);
		int err;

		if (i + 1 < nr) {
			st.literal = fse_next(&s->literal_lengths, st.literal, b);
			st.match = fse_next(&s->match_lengths, st.match, b);
			st.offset = fse_next(&s->offsets, st.offset, b);
		}
		made += nr_literals + match_len;
		if (b->left < 0 || nr_literals > s->nr_literals - *used || made > s->max_block)
			return -EINVAL;
		err = window_write(&s->window, s->literals + *used, nr_literals);
		*used += nr_literals;
		offset = resolve_offset(s, offset, nr_literals != 0);
		err = err ? err : window_copy(&s->window, offset, match_len);
		if (err)
			return err;
	}
	return b->left || made + s->nr_literals - *used > s->max_block ? -EINVAL : 0;
}

/* 3.1.1.3.2.1: how many, and how each table comes. */
static int sequences(struct zstd *s, const uint8_t *in, size_t size, size_t *at, size_t *used)
{
	unsigned nr, modes;
	struct bits b;
	int err;

	if (*at >= size)
		return -EINVAL;
	nr = in[(*at)++];
	if (nr == 0)
		return *at == size ? 0 : -EINVAL;
	if (nr >= 128) {
		unsigned more = nr == 255 ? 2 : 1;

		if (size - *at < more)
			return -EINVAL;
		nr = nr == 255 ? le16_get(in + *at) + 0x7f00u : (nr - 128) << 8 | in[*at];
		*at += more;
	}
	if (*at >= size)
		return -EINVAL;
	modes = in[(*at)++];
	if (modes & 3)
		return -EINVAL;
	err = read_table(&s->literal_lengths, &literal_kind, modes >> 6, in, size, at);
	err = err ? err : read_table(&s->offsets, &offset_kind, modes >> 4 & 3, in, size, at);
	err = err ? err
		  : read_table(&s->match_lengths, &match_kind, modes >> 2 & 3, in, size, at);
	err = err ? err : bits_start(&b, in + *at, size - *at);
	return err ? err : run_sequences(s, &b, nr, used);
}

/* ---- Blocks and frames ---- */

static int packed_block(struct zstd *s, const uint8_t *in, size_t size)
{
	size_t at = 0, used = 0;
	int err = read_literals(s, in, size, &at);

	err = err ? err : sequences(s, in, size, &at, &used);
	return err ? err : window_write(&s->window, s->literals + used, s->nr_literals - used);
}

enum { BLOCK_RAW, BLOCK_ONE_BYTE, BLOCK_PACKED };

/* 3.1.1.2: one block; *is_last. */
static int block(struct zstd *s, const uint8_t *data, size_t size, size_t *at, bool *is_last)
{
	unsigned header, type;
	size_t len, in;
	int err;

	if (size - *at < 3)
		return -ENODATA;
	header = data[*at] | (unsigned)data[*at + 1] << 8 | (unsigned)data[*at + 2] << 16;
	*at += 3;
	*is_last = header & 1;
	type = header >> 1 & 3;
	len = header >> 3;
	in = type == BLOCK_ONE_BYTE ? 1 : len;
	if (len > s->max_block || type > BLOCK_PACKED)
		return -EINVAL;
	if (size - *at < in)
		return -ENODATA;
	if (type == BLOCK_RAW)
		err = window_write(&s->window, data + *at, len);
	else if (type == BLOCK_ONE_BYTE)
		err = window_fill(&s->window, data[*at], len);
	else
		err = packed_block(s, data + *at, len);
	*at += in;
	return err;
}

struct frame_header {
	size_t len;
	uint64_t window, plain; /* plain UINT64_MAX: not said */
	bool has_sum, is_skipped;
};

enum { FRAME_SUM = 4, FRAME_RESERVED = 8, FRAME_SINGLE = 32 };

/* 3.1.1.1 and 3.1.2 */
static int frame_header(const uint8_t *data, size_t size, struct frame_header *h)
{
	static const uint8_t dictionary_len[] = {0, 1, 2, 4}, plain_len[] = {0, 2, 4, 8};
	unsigned flags, nr_plain;
	size_t at = 5;

	*h = (struct frame_header){.plain = UINT64_MAX};
	if (size < 8)
		return -ENODATA;
	if ((le32_get(data) & ~15u) == SKIP_MAGIC) {
		h->len = 8 + (size_t)le32_get(data + 4);
		h->is_skipped = true;
		return h->len > size ? -ENODATA : 0;
	}
	flags = data[4];
	if (le32_get(data) != MAGIC || (flags & FRAME_RESERVED))
		return -EINVAL;
	nr_plain = plain_len[flags >> 6];
	if (!nr_plain && (flags & FRAME_SINGLE))
		nr_plain = 1;
	h->has_sum = flags & FRAME_SUM;
	h->len = at + !(flags & FRAME_SINGLE) + dictionary_len[flags & 3] + nr_plain;
	if (size < h->len)
		return -ENODATA;
	if (!(flags & FRAME_SINGLE)) {
		h->window = 1ull << (10 + (data[at] >> 3));
		h->window += h->window / 8 * (data[at++] & 7);
	}
	for (unsigned i = 0; i < dictionary_len[flags & 3]; i++)
		if (data[at++]) /* 0: none */
			return -EINVAL;
	if (nr_plain) {
		h->plain = 0;
		for (unsigned i = 0; i < nr_plain; i++)
			h->plain |= (uint64_t)data[at + i] << (8 * i);
		h->plain += nr_plain == 2 ? 256 : 0;
	}
	if (flags & FRAME_SINGLE)
		h->window = h->plain;
	h->window = MAX(h->window, (uint64_t)MIN_WINDOW);
	return 0;
}

int zstd_window_size(const uint8_t *data, size_t size, size_t *window)
{
	struct frame_header h;
	int err = frame_header(data, size, &h);

	*window = h.is_skipped ? MIN_WINDOW
			       : MAX((size_t)MIN(h.window, h.plain), (size_t)MIN_WINDOW);
	return err;
}

static int finish(struct zstd *s, const struct frame_header *h, const uint8_t *data,
	size_t size, size_t *at)
{
	if (h->plain != UINT64_MAX && s->plain != h->plain)
		return -EINVAL;
	if (!h->has_sum)
		return 0;
	if (size - *at < 4)
		return -ENODATA;
	*at += 4;
	return le32_get(data + *at - 4) == (uint32_t)xxhash_final(&s->sum) ? 0 : -EINVAL;
}

int zstd_unpack(struct zstd *s, uint8_t *window, size_t window_size, const uint8_t *data,
	size_t size, size_t *used, byte_sink *sink, void *ctx)
{
	struct frame_header h;
	bool is_last = false;
	int err = frame_header(data + *used, size - *used, &h), flushed;

	if (err)
		return err;
	*used += h.len;
	if (h.is_skipped)
		return 0;
	if (MIN(h.window, h.plain) > window_size)
		return -EINVAL;
	window_init(&s->window, window, window_size, sum_and_pass_on, s);
	s->sink = sink;
	s->ctx = ctx;
	xxhash_init(&s->sum);
	s->plain = 0;
	s->huffman.is_there = false;
	s->literal_lengths.is_there = s->offsets.is_there = s->match_lengths.is_there = false;
	s->offset[0] = 1; /* 3.1.1.5 */
	s->offset[1] = 4;
	s->offset[2] = 8;
	s->max_block = (size_t)MIN(h.window, (uint64_t)MAX_BLOCK);
	while (!err && !is_last)
		err = block(s, data, size, used, &is_last);
	flushed = window_flush(&s->window); /* what came before the damage counts */
	err = err ? err : flushed;
	return err ? err : finish(s, &h, data, size, used);
}
