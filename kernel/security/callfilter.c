// SPDX-License-Identifier: MIT
/*
 * Filters of system calls: what programs are accepted, and how they run.
 *
 * The machine has an accumulator A, an index X and 16 words of memory, and jumps only forward, so a
 * program ends. It is checked once, and then runs without checks: every jump lands inside, the last
 * instruction returns, no word of memory is read that was not written on every way to it.
 *
 * Rejected: translating to machine code. Filters are some tens of instructions.
 */
#include "security/callfilter.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "security/supervise.h"
#include "uaccess/uaccess.h"

enum { SHIFT_MASK = 31 };

/* ---- The check ---- */

#define ONE(code)  [code] = true
#define BOTH(code) [code | BPF_K] = true, [code | BPF_X] = true

/* What Linux accepts of classic BPF here: loads of whole words, no remainder. */
static const bool is_known[] = {
	ONE(BPF_LD | BPF_W | BPF_ABS),
	ONE(BPF_LD | BPF_W | BPF_LEN),
	ONE(BPF_LD | BPF_IMM),
	ONE(BPF_LD | BPF_MEM),
	ONE(BPF_LDX | BPF_W | BPF_LEN),
	ONE(BPF_LDX | BPF_IMM),
	ONE(BPF_LDX | BPF_MEM),
	ONE(BPF_ST),
	ONE(BPF_STX),
	BOTH(BPF_ALU | BPF_ADD),
	BOTH(BPF_ALU | BPF_SUB),
	BOTH(BPF_ALU | BPF_MUL),
	BOTH(BPF_ALU | BPF_DIV),
	BOTH(BPF_ALU | BPF_AND),
	BOTH(BPF_ALU | BPF_OR),
	BOTH(BPF_ALU | BPF_XOR),
	BOTH(BPF_ALU | BPF_LSH),
	BOTH(BPF_ALU | BPF_RSH),
	ONE(BPF_ALU | BPF_NEG),
	ONE(BPF_JMP | BPF_JA),
	BOTH(BPF_JMP | BPF_JEQ),
	BOTH(BPF_JMP | BPF_JGT),
	BOTH(BPF_JMP | BPF_JGE),
	BOTH(BPF_JMP | BPF_JSET),
	ONE(BPF_RET | BPF_K),
	ONE(BPF_RET | BPF_A),
	ONE(BPF_MISC | BPF_TAX),
	ONE(BPF_MISC | BPF_TXA),
};

static bool is_operand_ok(const struct sock_filter *i)
{
	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return i->k < sizeof(struct seccomp_data) && IS_ALIGNED(i->k, sizeof(uint32_t));
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return i->k < BPF_MEMWORDS;
	case BPF_ALU | BPF_DIV | BPF_K:
		return i->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return i->k <= SHIFT_MASK;
	default:
		return true;
	}
}

/* `left` instructions follow. */
static bool is_jump_ok(const struct sock_filter *i, unsigned left)
{
	if (BPF_CLASS(i->code) != BPF_JMP)
		return true;
	return BPF_OP(i->code) == BPF_JA ? i->k < left : i->jt < left && i->jf < left;
}

/* Words that are written on every way to each instruction, in `seen`: all bits at first. */
static bool is_memory_written(const struct sock_filter *code, unsigned len, uint16_t *seen)
{
	uint16_t written = 0;

	for (unsigned at = 0; at < len; at++) {
		const struct sock_filter *i = &code[at];

		written &= seen[at];
		switch (BPF_CLASS(i->code)) {
		case BPF_ST:
		case BPF_STX:
			written |= (uint16_t)BIT(i->k);
			break;
		case BPF_LD:
		case BPF_LDX:
			if (BPF_MODE(i->code) == BPF_MEM && !(written & BIT(i->k)))
				return false;
			break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA) {
				seen[at + 1 + i->k] &= written;
			} else {
				seen[at + 1 + i->jt] &= written;
				seen[at + 1 + i->jf] &= written;
			}
			written = UINT16_MAX; /* what follows is reached by a jump */
			break;
		}
	}
	return true;
}

static int check(const struct sock_filter *code, unsigned len)
{
	uint16_t *seen;
	bool is_ok;

	for (unsigned at = 0; at < len; at++) {
		const struct sock_filter *i = &code[at];

		if (i->code >= ARRAY_LEN(is_known) || !is_known[i->code] || !is_operand_ok(i) ||
			!is_jump_ok(i, len - at - 1))
			return -EINVAL;
	}
	if (BPF_CLASS(code[len - 1].code) != BPF_RET)
		return -EINVAL;
	seen = mem_alloc(len * sizeof(*seen), 0);
	if (!seen)
		return -ENOMEM;
	memset(seen, 0xff, len * sizeof(*seen));
	is_ok = is_memory_written(code, len, seen);
	mem_free(seen);
	return is_ok ? 0 : -EINVAL;
}

/* ---- The life of a filter ---- */

int call_filter_create(uptr code, unsigned len, struct call_filter **out)
{
	struct call_filter *f;
	int err;

	assert(len > 0 && len <= BPF_MAXINSNS);
	f = mem_alloc(sizeof(*f) + len * sizeof(f->code[0]), 0);
	if (!f)
		return -ENOMEM;
	*f = (struct call_filter){.len = len};
	refcount_init(&f->refs, 1);
	refcount_init(&f->users, 1);
	err = user_read(f->code, code, len * sizeof(f->code[0]));
	if (!err)
		err = check(f->code, len);
	if (err) {
		mem_free(f);
		return err;
	}
	*out = f;
	return 0;
}

void call_filter_get(struct call_filter *f)
{
	refcount_get(&f->refs);
}

void call_filter_put(struct call_filter *f)
{
	while (f && refcount_put(&f->refs)) {
		struct call_filter *older = f->older;

		mem_free(f->listener);
		mem_free(f);
		f = older;
	}
}

void call_filter_use(struct call_filter *f)
{
	refcount_get(&f->users);
}

void call_filter_unuse(struct call_filter *f)
{
	for (; f && refcount_put(&f->users); f = f->older) {
		if (f->listener)
			call_listener_hang_up(f->listener);
	}
}

static unsigned nr_instructions(const struct call_filter *f)
{
	return f ? f->nr_instructions : 0;
}

int call_filter_check(const struct call_filter *f, const struct call_filter *older)
{
	return nr_instructions(older) + f->len > CALL_FILTER_TOTAL ? -ENOMEM : 0;
}

/*
 * Where a jump leads: as far as two jumps of the one before it, when those are equally long, or to the one before it.
 * So any older one is reached in steps as few as the logarithm of how many there are (a skew binary number).
 */
static struct call_filter *choose_jump(struct call_filter *older)
{
	struct call_filter *to = older ? older->jump : NULL;

	if (!to || !to->jump)
		return older;
	return older->nr_filters - to->nr_filters == to->nr_filters - to->jump->nr_filters
		       ? to->jump
		       : older;
}

void call_filter_chain(struct call_filter *f, struct call_filter *older)
{
	f->nr_instructions = nr_instructions(older) + f->len + CALL_FILTER_COST;
	f->nr_filters = older ? older->nr_filters + 1 : 1;
	f->older = older;
	f->jump = choose_jump(older);
}

bool call_filter_is_before(const struct call_filter *f, const struct call_filter *of)
{
	if (!f)
		return true;
	while (of && of->nr_filters > f->nr_filters)
		of = of->jump && of->jump->nr_filters >= f->nr_filters ? of->jump : of->older;
	return of == f;
}

/* ---- Asking ---- */

static uint32_t calculate(unsigned op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return a / b; /* the caller has looked at b */
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & SHIFT_MASK);
	case BPF_RSH:
		return a >> (b & SHIFT_MASK);
	default:
		return -a; /* BPF_NEG */
	}
}

static bool compare(unsigned op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return a & b; /* BPF_JSET */
	}
}

/* A value: of the call, of the program's memory, or the instruction's own. */
static uint32_t load(
	const struct sock_filter *i, const struct seccomp_data *call, const uint32_t *memory)
{
	uint32_t word;

	switch (BPF_MODE(i->code)) {
	case BPF_ABS:
		memcpy(&word, (const char *)call + i->k, sizeof(word));
		return word;
	case BPF_MEM:
		return memory[i->k];
	case BPF_LEN:
		return sizeof(*call);
	default:
		return i->k; /* BPF_IMM */
	}
}

static uint32_t run(const struct sock_filter *i, const struct seccomp_data *call)
{
	uint32_t a = 0, x = 0, operand, memory[BPF_MEMWORDS];

	for (;; i++) {
		operand = BPF_SRC(i->code) == BPF_X ? x : i->k;
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			a = load(i, call, memory);
			break;
		case BPF_LDX:
			x = load(i, call, memory);
			break;
		case BPF_ST:
			memory[i->k] = a;
			break;
		case BPF_STX:
			memory[i->k] = x;
			break;
		case BPF_ALU:
			if (BPF_OP(i->code) == BPF_DIV && !operand)
				return SECCOMP_RET_KILL_THREAD; /* Linux: the program returns 0 */
			a = calculate(BPF_OP(i->code), a, operand);
			break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA)
				i += i->k;
			else
				i += compare(BPF_OP(i->code), a, operand) ? i->jt : i->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(i->code) == BPF_A ? a : i->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(i->code) == BPF_TAX)
				x = a;
			else
				a = x;
		}
	}
}

uint32_t call_filter_ask(
	struct call_filter *f, const struct seccomp_data *call, struct call_filter **by)
{
	uint32_t strictest = SECCOMP_RET_ALLOW;

	*by = f;
	for (; f; f = f->older) {
		uint32_t answer = run(f->code, call);

		/* <linux/seccomp.h>: as signed numbers they are ordered */
		if ((int32_t)(answer & SECCOMP_RET_ACTION_FULL) <
			(int32_t)(strictest & SECCOMP_RET_ACTION_FULL)) {
			strictest = answer;
			*by = f;
		}
	}
	return strictest;
}
