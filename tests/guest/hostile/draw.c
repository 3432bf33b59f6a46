// SPDX-License-Identifier: MIT
/*
 * Chance: what the arguments of a hostile call are. A letter says what kind a well-meaning program
 * would pass; mostly something near that is drawn, for what is nowhere near is refused at once and
 * proves little. Everything follows from one state, so that a walk can be walked again.
 */
#include "hostile.h"

#include <sys/ioctl.h>
#include <termios.h>

uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t below(uint64_t *state, uint64_t count)
{
	return draw(state) % count;
}
#define ONE_OF(state, set) ((set)[below(state, sizeof(set) / sizeof(*(set)))])
/* ---- What arguments are drawn from ---- */

static const uint64_t bad_pointers[] = {
	0,
	1,
	4095,
	ARENA - 1,
	ARENA + ARENA_SIZE - 1,
	ARENA + ARENA_SIZE - 8,
	ARENA + ARENA_SIZE - 16,
	ARENA + ARENA_SIZE,
	READ_ONLY,
	READ_ONLY + 4090,
	FORBIDDEN,
	BEYOND_FILE + 4088,
	BEYOND_FILE + 4096,
	FLICKERING,
	FLICKERING + 4090,
	FLICKERING + 64,
	0x7ffffffff000,
	0x7fffffffeff8,
	0x7fffffffffff,
	0x800000000000,
	0x8000000000000000,
	0xffff7fffffffffff,
	0xffff800000000000,
	0xffff888000000000,
	0xffffffff80000000,
	0xffffffff81000000,
	0xffffffffff600000,
	0xfffffffffffff000,
	-8ULL,
	-1ULL,
};

static const uint64_t sizes[] = {
	0,
	1,
	2,
	3,
	4,
	7,
	8,
	12,
	16,
	24,
	32,
	40,
	48,
	64,
	88,
	100,
	128,
	144,
	255,
	256,
	511,
	1024,
	4095,
	4096,
	4097,
	8192,
	0x10000,
	0x10001,
	0x100000,
	0x7fffefff,
	0x7ffff000,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x7ffffffff000,
	0x800000000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	-4096ULL,
	-4095ULL,
	-8ULL,
	-1ULL,
};

static const char *const paths[] = {
	"",
	".",
	"..",
	"/",
	"file",
	"file/",
	"file/x",
	"dir",
	"dir/",
	"dir/../file",
	"dir/below",
	"link",
	"loop",
	"dangling",
	"fifo",
	"sock",
	"new",
	"new2",
	"dir/new",
	"script",
	"badelf",
	"smallelf",
	"/proc",
	"/proc/self/fd",
	"/proc/self/fd/7",
	"/proc/self/status",
	"/proc/self/cwd",
	"/proc/self/exe/x",
	"/proc/thread-self",
	"tmpfs",
	"proc",
	"user.a",
	"security.b",
	"trusted.c",
	"system.posix_acl_access",
	"././././/././/.",
	"\xff\xfe\n",
};

static const uint32_t ioctls[] = {
	TCGETS,
	TCSETS,
	TCSETSW,
	TCSETSF,
	TCGETA,
	TCSETA,
	TCSBRK,
	TCXONC,
	TCFLSH,
	TIOCSCTTY,
	TIOCGPGRP,
	TIOCSPGRP,
	TIOCOUTQ,
	TIOCGWINSZ,
	TIOCSWINSZ,
	TIOCMGET,
	FIONREAD,
	TIOCPKT,
	FIONBIO,
	TIOCNOTTY,
	TIOCSETD,
	TIOCGETD,
	TIOCSBRK,
	TIOCGSID,
	TIOCGPTN,
	TIOCSPTLCK,
	TIOCGPTPEER,
	TIOCGEXCL,
	TIOCEXCL,
	TIOCNXCL,
	FIONCLEX,
	FIOCLEX,
	FIOASYNC,
	FIOQSIZE,
	0x541b,
	0x5421,
	0x8901,
	0x8902,
	0x8903,
	0x8904,
	0x80086601,
	0x40086602,
	0x5401,
	0,
	0xffffffff,
};

uint64_t draw_pointer(uint64_t *s)
{
	if (below(s, 3) == 0)
		return ONE_OF(s, bad_pointers);
	return ARENA + below(s, ARENA_SIZE) / (below(s, 4) ? 64 : 1) * (below(s, 4) ? 8 : 1) %
			       ARENA_SIZE;
}

uint64_t draw_descriptor(uint64_t *s)
{
	static const int64_t odd[] = {
		-1, -2, AT_FDCWD, INT_MAX, INT_MIN, 1024, 1 << 20, 0x100000003};

	return below(s, 8) ? below(s, OPENED) : (uint64_t)ONE_OF(s, odd);
}

uint64_t draw_size(uint64_t *s)
{
	return below(s, 2) ? below(s, 200) : ONE_OF(s, sizes);
}

uint64_t draw_flags(uint64_t *s)
{
	switch (below(s, 6)) {
	case 0:
		return 0;
	case 1:
		return below(s, 16);
	case 2:
		return 1ULL << below(s, 33);
	case 3:
		return 1ULL << below(s, 20) | 1ULL << below(s, 20);
	case 4:
		return below(s, 64) << below(s, 28);
	default:
		return draw(s);
	}
}

uint64_t draw_path(uint64_t *s)
{
	char *to;

	if (below(s, 8) == 0)
		return draw_pointer(s);
	to = (char *)ARENA + below(s, 6) * 0x1400;
	__asm__("" : "+r"(to));  /* gcc sees no object there */
	if (below(s, 20) == 0) { /* too long, or not terminated before the end of the mapping */
		size_t len = below(s, 2) ? 4094 + below(s, 4) : 254 + below(s, 3);

		to = (char *)ARENA + ARENA_SIZE - len - below(s, 2);
		__asm__("" : "+r"(to));
		memset(to, below(s, 2) ? 'a' : '/', len);
		if (to + len < (char *)ARENA + ARENA_SIZE)
			to[len] = 0;
	} else {
		const char *path = ONE_OF(s, paths);

		memcpy(to, path, strlen(path) + 1);
	}
	return (uint64_t)to;
}

static uint64_t an_argument(uint64_t *s, char letter)
{
	switch (letter) {
	case 'd':
		return draw_descriptor(s);
	case 'a':
		return below(s, 3) ? (uint64_t)AT_FDCWD : draw_descriptor(s);
	case 'u':
		return draw_size(s);
	case 'x':
	case 'O':
		return draw_flags(s);
	case 'o':
		return below(s, 2) ? below(s, 010000) : draw_flags(s);
	case 'P':
		return below(s, 8) ? below(s, 8) : draw_flags(s);
	case 'M':
		return below(s, 2) ? below(s, 4) | 0x20 | draw_flags(s) : draw_flags(s);
	case 'C':
		return below(s, 2) ? draw_flags(s) : draw_flags(s) | draw_flags(s) | SIGCHLD;
	case 'S':
		return below(s, 8) ? below(s, 68) : draw_flags(s);
	case 'l':
		return below(s, 2) ? below(s, 3) * 4096 : ONE_OF(s, sizes);
	case 's':
		return draw_path(s);
	case 'p':
	case 'b':
	case 'w':
		return draw_pointer(s);
	default:
		break;
	}
	switch (below(s, 5)) {
	case 0:
		return draw_pointer(s);
	case 1:
		return draw_size(s);
	case 2:
		return draw_descriptor(s);
	case 3:
		return draw_path(s);
	default:
		return draw_flags(s);
	}
}

/* What the pointer points to: words that are pointers, sizes, descriptors and small numbers. */
static void fill_structure(uint64_t *s, uint64_t pointer)
{
	uint64_t words[16];
	size_t len = sizeof(words);

	for (size_t i = 0; i < 16; i++) {
		switch (below(s, 8)) {
		case 0:
		case 1:
			words[i] = draw_pointer(s);
			break;
		case 2:
			words[i] = draw_size(s);
			break;
		case 3:
			words[i] = draw_descriptor(s) | below(s, 3) << 32;
			break;
		case 4:
			words[i] = draw_flags(s);
			break;
		default:
			words[i] = below(s, 3);
		}
	}
	if (pointer < ARENA || pointer >= ARENA + ARENA_SIZE)
		return;
	if (len > ARENA + ARENA_SIZE - pointer)
		len = ARENA + ARENA_SIZE - pointer;
	memcpy((void *)pointer, words, len);
}

void draw_arguments(uint64_t *s, const struct call *call, uint64_t args[6])
{
	const char *letters = call->letters;
	bool changes_mappings =
		letters[0] == 'p' &&
		(strstr(call->name, "map") || strstr(call->name, "lock") ||
			strstr(call->name, "mprotect") || strstr(call->name, "madvise"));

	for (int i = 0; i < 6; i++) {
		if (*letters && *letters != '*')
			args[i] = an_argument(s, *letters++);
		else
			args[i] = an_argument(s, '*');
		if (below(s, 2) && args[i] >= ARENA && args[i] < ARENA + ARENA_SIZE &&
			call->letters[i < 4 ? i : 0] != 's')
			fill_structure(s, args[i]);
	}
	if (changes_mappings && below(s, 8))
		args[0] = TO_TARGETS + below(s, 16) * 4096 + (below(s, 8) ? 0 : 8);
	if (call->nr == __NR_ioctl && below(s, 4))
		args[1] = ONE_OF(s, ioctls);
	if ((call->nr == __NR_fcntl || call->nr == __NR_prctl || call->nr == __NR_futex) &&
		below(s, 8))
		args[1 - (call->nr == __NR_prctl)] = below(s, 45);
	if (call->nr == __NR_fcntl && below(s, 2))
		args[1] = 1024 + below(s, 16);
}
