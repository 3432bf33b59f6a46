// SPDX-License-Identifier: MIT
/*
 * .xz: a header, blocks of LZMA2, an index of the blocks, a footer.
 *
 * LZMA2 cuts a stream into chunks, each either bytes as they are or LZMA with its sizes before it.
 * LZMA predicts bit by bit: for each kind of bit in each context there is a probability, and a range coder
 * turns probable bits into fractions of a bit. What the bits spell are literals, matches, and
 * matches at one of the last four distances; 12 states remember the last few kinds.
 *
 * Filters before LZMA2 (x86 branches, delta) and SHA-256 checks are answered with -EINVAL.
 *
 * Spec    The .xz File Format 1.1.0 (numbers below are its sections); LZMA specification
 */
#include "lib/xz.h"

#include "lib/crc32.h"
#include "lib/endian.h"
#include "lib/string.h"

enum {
	STREAM_HEADER = 12, /* 2.1.1 */
	STREAM_FOOTER = 12,
	CHECK_NONE = 0, /* 2.1.1.2 */
	CHECK_CRC32 = 1,
	CHECK_CRC64 = 4,
	BLOCK_FILTERS = 0x03, /* 3.1.2: number of them, less one */
	BLOCK_RESERVED = 0x3c,
	BLOCK_HAS_PACKED = 0x40,
	BLOCK_HAS_PLAIN = 0x80,
	FILTER_LZMA2 = 0x21,  /* 5.3.1 */
	MAX_DICTIONARY = 40,  /* 5.3.1: 4 GiB - 1 */
	MAX_NUMBER_BYTES = 9, /* 1.2 */
	MIN_WINDOW = 4096,
};

/* LZMA's numbers. */
enum {
	STATES = 12,
	FIRST_STATE_AFTER_MATCH = 7,
	MAX_POS_STATES = 16,
	MAX_LITERAL_CONTEXTS = 16, /* LZMA2: lc + lp <= 4 */
	LITERAL_CODER = 0x300,
	MIN_MATCH = 2,
	LOW_LENGTHS = 8,    /* of 3 bits, in two ranges, */
	HIGH_LENGTHS = 256, /* and what is longer */
	DISTANCE_STATES = 4,
	DISTANCE_SLOTS = 64,
	FIRST_MODEL_SLOT = 4,
	END_MODEL_SLOT = 14,
	SPECIAL_DISTANCES = 128 - END_MODEL_SLOT + 1,
	ALIGN_BITS = 4,
	PROB_BITS = 11,
	PROB_INIT = 1 << (PROB_BITS - 1),
	PROB_SHIFT = 5,
	RANGE_INIT_BYTES = 5,
};
#define RANGE_TOP (1u << 24)

struct length_coder {
	uint16_t choice, choice2;
	uint16_t low[MAX_POS_STATES][LOW_LENGTHS], middle[MAX_POS_STATES][LOW_LENGTHS];
	uint16_t high[HIGH_LENGTHS];
};

/* All probabilities, and nothing else: they start with one value. */
struct probabilities {
	uint16_t is_match[STATES][MAX_POS_STATES];
	uint16_t is_repeat[STATES], is_repeat0[STATES], is_repeat1[STATES], is_repeat2[STATES];
	uint16_t is_repeat0_long[STATES][MAX_POS_STATES];
	uint16_t slot[DISTANCE_STATES][DISTANCE_SLOTS];
	uint16_t special[SPECIAL_DISTANCES], align[1 << ALIGN_BITS];
	struct length_coder match_length, repeat_length;
	uint16_t literal[MAX_LITERAL_CONTEXTS][LITERAL_CODER];
};

struct xz {
	const uint8_t *in;
	size_t size, at; /* of the chunk that is decoded: size is its end */

	uint32_t range, code;
	bool is_cut; /* more input was wanted than the chunk has */

	unsigned state, literal_context_bits, literal_pos_mask, pos_mask;
	uint32_t distance[4]; /* less one, as coded */
	bool needs_properties, needs_dictionary;
	struct window window;
	struct probabilities p;

	byte_sink *sink;
	void *ctx;
	unsigned check;
	uint32_t crc32;
	uint64_t crc64;
	uint64_t plain; /* bytes that came out of this block */
	uint64_t nr_blocks;
	uint32_t blocks_hash; /* of the sizes of all blocks: the index has to say the same */
};
const size_t xz_size = sizeof(struct xz);

/* ---- Checks ---- */

/* ECMA-182, polynomial c96c5795d7870f42 reflected; entry i is i shifted out of four bits. */
static uint64_t crc64_update(uint64_t crc, const uint8_t *p, size_t len)
{
	static const uint64_t table[16] = {0x0000000000000000, 0x7d9ba13851336649,
		0xfb374270a266cc92, 0x86ace348f355aadb, 0x64b62bcaebc387a1, 0x192d8af2baf0e1e8,
		0x9f8169ba49a54b33, 0xe21ac88218962d7a, 0xc96c5795d7870f42, 0xb4f7f6ad86b4690b,
		0x325b15e575e1c3d0, 0x4fc0b4dd24d2a599, 0xadda7c5f3c4488e3, 0xd041dd676d77eeaa,
		0x56ed3e2f9e224471, 0x2b769f17cf112238};

	for (; len; len--, p++) {
		crc ^= *p;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

static int sum_and_pass_on(void *ctx, const uint8_t *bytes, size_t len)
{
	struct xz *s = ctx;

	s->plain += len;
	if (s->check == CHECK_CRC32)
		s->crc32 = crc32_update(s->crc32, bytes, len);
	else if (s->check == CHECK_CRC64)
		s->crc64 = crc64_update(s->crc64, bytes, len);
	return s->sink(s->ctx, bytes, len);
}

/* ---- The range coder ---- */

static int range_start(struct xz *s)
{
	if (s->size - s->at < RANGE_INIT_BYTES || s->in[s->at] != 0)
		return -EINVAL;
	s->range = UINT32_MAX;
	s->code = be32_get(s->in + s->at + 1);
	s->at += RANGE_INIT_BYTES;
	s->is_cut = false;
	return 0;
}

static ALWAYS_INLINE void normalize(struct xz *s)
{
	if (s->range >= RANGE_TOP)
		return;
	s->range <<= 8;
	s->code <<= 8;
	if (LIKELY(s->at < s->size))
		s->code |= s->in[s->at++];
	else
		s->is_cut = true;
}

static ALWAYS_INLINE unsigned bit(struct xz *s, uint16_t *prob)
{
	uint32_t bound;

	normalize(s);
	bound = (s->range >> PROB_BITS) * *prob;
	if (s->code < bound) {
		s->range = bound;
		*prob = (uint16_t)(*prob + (((1u << PROB_BITS) - *prob) >> PROB_SHIFT));
		return 0;
	}
	s->range -= bound;
	s->code -= bound;
	*prob = (uint16_t)(*prob - (*prob >> PROB_SHIFT));
	return 1;
}

/* Bits of equal probability. */
static uint32_t direct_bits(struct xz *s, unsigned nr)
{
	uint32_t value = 0;

	while (nr--) {
		normalize(s);
		s->range >>= 1;
		value <<= 1;
		if (s->code >= s->range) {
			s->code -= s->range;
			value |= 1;
		}
	}
	return value;
}

/* A number of nr bits, highest first; each has a probability for every way to it. */
static ALWAYS_INLINE unsigned tree(struct xz *s, uint16_t *probs, unsigned nr)
{
	unsigned at = 1;

	for (unsigned i = 0; i < nr; i++)
		at = at << 1 | bit(s, &probs[at]);
	return at - (1u << nr);
}

static unsigned reverse_tree(struct xz *s, uint16_t *probs, unsigned nr)
{
	unsigned at = 1, value = 0;

	for (unsigned i = 0; i < nr; i++) {
		unsigned b = bit(s, &probs[at]);

		at = at << 1 | b;
		value |= b << i;
	}
	return value;
}

/* ---- LZMA ---- */

static void reset_state(struct xz *s)
{
	uint16_t *p = (uint16_t *)&s->p;

	for (size_t i = 0; i < sizeof(s->p) / sizeof(*p); i++)
		p[i] = PROB_INIT;
	s->state = 0;
	memset(s->distance, 0, sizeof(s->distance));
}

static int set_properties(struct xz *s, uint8_t byte)
{
	unsigned lc = byte % 9, lp = byte / 9 % 5, pb = byte / 45;

	if (pb > 4 || lc + lp > 4)
		return -EINVAL;
	s->literal_context_bits = lc;
	s->literal_pos_mask = (1u << lp) - 1;
	s->pos_mask = (1u << pb) - 1;
	return 0;
}

static int literal(struct xz *s)
{
	const struct window *w = &s->window;
	unsigned before = w->total ? window_get(w, 1) : 0, at = 1;
	unsigned lc = s->literal_context_bits;
	uint16_t *probs =
		s->p.literal[((w->total & s->literal_pos_mask) << lc) + (before >> (8 - lc))];

	if (s->state >= FIRST_STATE_AFTER_MATCH) {
		/* as long as the bits are those of the byte that a match would have had next */
		unsigned like, offset = 0x100;

		if (s->distance[0] >= w->total || s->distance[0] >= w->size)
			return -EINVAL;
		like = window_get(w, (size_t)s->distance[0] + 1);
		while (at < 0x100) {
			unsigned match_bit, b;

			like <<= 1;
			match_bit = like & offset;
			b = bit(s, &probs[offset + match_bit + at]);
			at = at << 1 | b;
			offset &= b ? match_bit : ~match_bit;
		}
	}
	while (at < 0x100)
		at = at << 1 | bit(s, &probs[at]);
	s->state = s->state < 4 ? 0 : s->state < 10 ? s->state - 3 : s->state - 6;
	return window_put(&s->window, (uint8_t)at);
}

static unsigned length(struct xz *s, struct length_coder *l, unsigned pos_state)
{
	if (!bit(s, &l->choice))
		return MIN_MATCH + tree(s, l->low[pos_state], 3);
	if (!bit(s, &l->choice2))
		return MIN_MATCH + LOW_LENGTHS + tree(s, l->middle[pos_state], 3);
	return MIN_MATCH + 2 * LOW_LENGTHS + tree(s, l->high, 8);
}

static uint32_t distance(struct xz *s, unsigned len)
{
	unsigned slot = tree(s, s->p.slot[MIN(len - MIN_MATCH, DISTANCE_STATES - 1u)], 6);
	unsigned bits = slot / 2 - 1;
	uint32_t value;

	if (slot < FIRST_MODEL_SLOT)
		return slot;
	value = (2 | (slot & 1)) << bits;
	if (slot < END_MODEL_SLOT)
		return value + reverse_tree(s, s->p.special + value - slot, bits);
	value += direct_bits(s, bits - ALIGN_BITS) << ALIGN_BITS;
	return value + reverse_tree(s, s->p.align, ALIGN_BITS);
}

/* One of the last four distances becomes the first of them. */
static void choose_repeat(struct xz *s)
{
	unsigned nr = 1;
	uint32_t chosen;

	if (bit(s, &s->p.is_repeat1[s->state]))
		nr = bit(s, &s->p.is_repeat2[s->state]) ? 3 : 2;
	chosen = s->distance[nr];
	for (; nr; nr--)
		s->distance[nr] = s->distance[nr - 1];
	s->distance[0] = chosen;
}

/* The length of what is to be copied from distance[0]. */
static unsigned match(struct xz *s, unsigned pos_state)
{
	bool was_literal = s->state < FIRST_STATE_AFTER_MATCH;
	unsigned len;

	if (!bit(s, &s->p.is_repeat[s->state])) {
		for (unsigned i = 3; i; i--)
			s->distance[i] = s->distance[i - 1];
		s->state = was_literal ? 7 : 10;
		len = length(s, &s->p.match_length, pos_state);
		s->distance[0] = distance(s, len);
		return len;
	}
	if (bit(s, &s->p.is_repeat0[s->state])) {
		choose_repeat(s);
	} else if (!bit(s, &s->p.is_repeat0_long[s->state][pos_state])) {
		s->state = was_literal ? 9 : 11;
		return 1;
	}
	s->state = was_literal ? 8 : 11;
	return length(s, &s->p.repeat_length, pos_state);
}

/* A chunk of LZMA: `plain` bytes out of exactly what is left of the input. */
static int lzma_chunk(struct xz *s, size_t plain)
{
	int err = range_start(s);

	while (plain && !err && !s->is_cut) {
		unsigned pos_state = (unsigned)s->window.total & s->pos_mask, len;

		if (!bit(s, &s->p.is_match[s->state][pos_state])) {
			err = literal(s);
			plain--;
			continue;
		}
		len = match(s, pos_state);
		if (len > plain)
			return -EINVAL;
		err = window_copy(&s->window, (uint64_t)s->distance[0] + 1, len);
		plain -= len;
	}
	if (err)
		return err;
	normalize(s);
	return s->is_cut || s->code || s->at != s->size ? -EINVAL : 0;
}

/* ---- LZMA2: 5.3.1 ---- */

enum {
	LZMA2_END = 0,
	LZMA2_PLAIN_AND_NEW = 1, /* dictionary reset */
	LZMA2_PLAIN = 2,
	LZMA2_LZMA = 0x80,
	LZMA2_RESET_STATE = 0xa0,
	LZMA2_PROPERTIES = 0xc0,
	LZMA2_NEW = 0xe0,
	LZMA2_SIZE_BITS = 0x1f, /* the highest of the size, less one, that comes out */
};

static int plain_chunk(struct xz *s, size_t len)
{
	int err;

	if (s->size - s->at < len)
		return -ENODATA;
	err = window_write(&s->window, s->in + s->at, len);
	s->at += len;
	return err;
}

static int prepare_lzma(struct xz *s, uint8_t control)
{
	int err = 0;

	if (control >= LZMA2_PROPERTIES) {
		if (s->at >= s->size)
			return -ENODATA;
		err = set_properties(s, s->in[s->at++]);
		s->needs_properties = false;
	} else if (s->needs_properties) {
		return -EINVAL;
	}
	if (control >= LZMA2_RESET_STATE)
		reset_state(s);
	return err;
}

static int packed_chunk(struct xz *s, uint8_t control, size_t end)
{
	size_t plain, packed;
	int err;

	if (end - s->at < 4)
		return -ENODATA;
	plain = ((size_t)(control & LZMA2_SIZE_BITS) << 16) + be16_get(s->in + s->at) + 1;
	packed = (size_t)be16_get(s->in + s->at + 2) + 1;
	s->at += 4;
	err = prepare_lzma(s, control);
	if (err)
		return err;
	if (end - s->at < packed)
		return -ENODATA;
	s->size = s->at + packed;
	err = lzma_chunk(s, plain);
	s->size = end;
	return err;
}

static int lzma2(struct xz *s)
{
	s->needs_dictionary = s->needs_properties = true;
	for (;;) {
		uint8_t control;
		size_t len;
		int err;

		if (s->at >= s->size)
			return -ENODATA;
		control = s->in[s->at++];
		if (control == LZMA2_END)
			return window_flush(&s->window);
		if (control >= LZMA2_NEW || control == LZMA2_PLAIN_AND_NEW) {
			s->needs_dictionary = false;
			s->needs_properties = true;
			s->window.total = 0;
		} else if (s->needs_dictionary ||
			   (control > LZMA2_PLAIN && control < LZMA2_LZMA)) {
			return -EINVAL;
		}
		if (control >= LZMA2_LZMA) {
			err = packed_chunk(s, control, s->size);
		} else {
			if (s->size - s->at < 2)
				return -ENODATA;
			len = (size_t)be16_get(s->in + s->at) + 1;
			s->at += 2;
			err = plain_chunk(s, len);
		}
		if (err)
			return err;
	}
}

/* ---- The container ---- */

/* 1.2: seven bits in each byte, lowest first; shortest form only. */
static int number(const uint8_t *data, size_t size, size_t *at, uint64_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < MAX_NUMBER_BYTES; i++) {
		uint8_t byte;

		if (*at >= size)
			return -ENODATA;
		byte = data[(*at)++];
		*out |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80))
			return byte == 0 && i ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* 2.1.1: the header of a stream; which check follows each block. */
static int stream_header(const uint8_t *data, size_t size, unsigned *check)
{
	static const uint8_t magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};

	if (size < STREAM_HEADER)
		return -ENODATA;
	if (memcmp(data, magic, sizeof(magic)) != 0 || data[6] != 0 ||
		le32_get(data + 8) != crc32(data + 6, 2))
		return -EINVAL;
	*check = data[7];
	return *check == CHECK_NONE || *check == CHECK_CRC32 || *check == CHECK_CRC64 ? 0
										      : -EINVAL;
}

struct block_header {
	size_t size;
	uint64_t packed, plain; /* UINT64_MAX: not said */
	uint64_t window;
};

/* 3.1. *at is at its first byte, which is not 0, and moves behind it. */
static int block_header(const uint8_t *data, size_t size, size_t *at, struct block_header *h)
{
	size_t start = *at, end, in = start + 2;
	uint64_t id = 0, properties = 0;
	uint8_t flags;
	int err = 0;

	*h = (struct block_header){
		.size = (data[start] + 1u) * 4, .packed = UINT64_MAX, .plain = UINT64_MAX};
	if (size - start < h->size)
		return -ENODATA;
	end = start + h->size - 4;
	flags = data[start + 1];
	if (le32_get(data + end) != crc32(data + start, h->size - 4) ||
		(flags & (BLOCK_RESERVED | BLOCK_FILTERS)))
		return -EINVAL;
	if (flags & BLOCK_HAS_PACKED)
		err = number(data, end, &in, &h->packed);
	if (!err && (flags & BLOCK_HAS_PLAIN))
		err = number(data, end, &in, &h->plain);
	err = err ? err : number(data, end, &in, &id);
	err = err ? err : number(data, end, &in, &properties);
	if (err || id != FILTER_LZMA2 || properties != 1 || in >= end ||
		data[in] > MAX_DICTIONARY)
		return -EINVAL;
	h->window = data[in] == MAX_DICTIONARY ? UINT32_MAX
					       : (2 | (data[in] & 1ull)) << (data[in] / 2 + 11);
	for (in++; in < end; in++)
		if (data[in])
			return -EINVAL;
	*at = end + 4;
	return 0;
}

/* What the index has to repeat. */
static void note_block(struct xz *s, uint64_t unpadded, uint64_t plain)
{
	uint64_t sizes[] = {unpadded, plain};

	s->blocks_hash = crc32_update(s->blocks_hash, sizes, sizeof(sizes));
	s->nr_blocks++;
}

static int block_check(struct xz *s)
{
	size_t len = s->check == CHECK_CRC32 ? 4 : s->check == CHECK_CRC64 ? 8 : 0;
	const uint8_t *at = s->in + s->at;

	if (s->size - s->at < len)
		return -ENODATA;
	s->at += len;
	if (s->check == CHECK_CRC32)
		return le32_get(at) == ~s->crc32 ? 0 : -EINVAL;
	if (s->check == CHECK_CRC64)
		return le64_get(at) == ~s->crc64 ? 0 : -EINVAL;
	return 0;
}

static int block(struct xz *s)
{
	size_t start = s->at, from;
	struct block_header h;
	uint64_t packed;
	int err = block_header(s->in, s->size, &s->at, &h);

	if (err)
		return err;
	if (h.window > s->window.size && h.plain > s->window.size)
		return -EINVAL;
	s->plain = 0;
	s->crc32 = ~0u;
	s->crc64 = ~0ull;
	from = s->at;
	err = lzma2(s);
	if (err)
		return err;
	packed = s->at - from;
	if ((h.packed != UINT64_MAX && h.packed != packed) ||
		(h.plain != UINT64_MAX && h.plain != s->plain))
		return -EINVAL;
	from = s->at;
	while ((s->at - start) % 4) { /* 3.3 */
		if (s->at >= s->size)
			return -ENODATA;
		if (s->in[s->at++])
			return -EINVAL;
	}
	err = block_check(s);
	note_block(s, s->at - start - (ALIGN_UP(from - start, 4) - (from - start)), s->plain);
	return err;
}

/* 4: the same sizes in the same order; then 2.1.2. */
static int index_and_footer(struct xz *s, const uint8_t *header)
{
	uint64_t nr, nr_blocks = s->nr_blocks, unpadded, plain;
	uint32_t hash = s->blocks_hash;
	size_t start = s->at++, len;
	int err = number(s->in, s->size, &s->at, &nr);

	if (err || nr != nr_blocks)
		return err ? err : -EINVAL;
	s->blocks_hash = 0;
	for (uint64_t i = 0; i < nr; i++) {
		err = number(s->in, s->size, &s->at, &unpadded);
		err = err ? err : number(s->in, s->size, &s->at, &plain);
		if (err)
			return err;
		note_block(s, unpadded, plain);
	}
	if (s->blocks_hash != hash)
		return -EINVAL;
	for (; (s->at - start) % 4; s->at++) {
		if (s->at >= s->size)
			return -ENODATA;
		if (s->in[s->at])
			return -EINVAL;
	}
	len = s->at - start;
	if (s->size - s->at < 4 + STREAM_FOOTER)
		return -ENODATA;
	if (le32_get(s->in + s->at) != crc32(s->in + start, len))
		return -EINVAL;
	s->at += 4;
	if (le32_get(s->in + s->at) != crc32(s->in + s->at + 4, 6) ||
		(le32_get(s->in + s->at + 4) + 1ull) * 4 != len + 4 ||
		memcmp(s->in + s->at + 8, header + 6, 2) != 0 || s->in[s->at + 10] != 'Y' ||
		s->in[s->at + 11] != 'Z')
		return -EINVAL;
	s->at += STREAM_FOOTER;
	return 0;
}

int xz_window_size(const uint8_t *data, size_t size, size_t *window)
{
	size_t at = STREAM_HEADER;
	struct block_header h;
	unsigned check;
	int err = stream_header(data, size, &check);

	if (err)
		return err;
	*window = MIN_WINDOW;
	if (size <= STREAM_HEADER)
		return -ENODATA;
	if (data[at] == 0)
		return 0; /* no block at all */
	err = block_header(data, size, &at, &h);
	if (!err)
		*window = MAX((size_t)MIN(h.window, h.plain), (size_t)MIN_WINDOW);
	return err;
}

int xz_unpack(struct xz *s, uint8_t *window, size_t window_size, const uint8_t *data,
	size_t size, size_t *used, byte_sink *sink, void *ctx)
{
	const uint8_t *header = data + *used;
	int err = stream_header(header, size - *used, &s->check);

	if (err)
		return err;
	s->in = data;
	s->size = size;
	s->at = *used + STREAM_HEADER;
	s->sink = sink;
	s->ctx = ctx;
	s->nr_blocks = 0;
	s->blocks_hash = 0;
	window_init(&s->window, window, window_size, sum_and_pass_on, s);
	while (!err && s->at < size && data[s->at] != 0) {
		err = block(s);
		if (err)
			(void)!window_flush(
				&s->window); /* what came before the damage counts */
	}
	if (!err)
		err = s->at < size ? index_and_footer(s, header) : -ENODATA;
	*used = s->at;
	return err;
}
