// SPDX-License-Identifier: MIT
/*
 * The devices of major 1: null, zero, full, random, urandom, kmsg.
 *
 * Spec    man 4 null, full, random; Linux: Documentation/ABI/testing/dev-kmsg
 */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/random.h>

#include "abi/stat.h"
#include "debug/log.h"
#include "dev/char/chardev.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "security/random.h"
#include "time/clock.h"
#include "uaccess/iter.h"

enum {
	MEM_MAJOR = 1,
	MINOR_NULL = 3,
	MINOR_ZERO = 5,
	MINOR_FULL = 7,
	MINOR_RANDOM = 8,
	MINOR_URANDOM = 9,
	MINOR_KMSG = 11
};

/* ---- null, zero, full ---- */

static int64_t read_nothing(struct file *f UNUSED, struct iter *to UNUSED, int64_t *pos UNUSED)
{
	return 0;
}

static int64_t write_away(struct file *f UNUSED, struct iter *from, int64_t *pos UNUSED)
{
	size_t n = from->left;

	from->left = 0;
	return (int64_t)n;
}

static int64_t write_full(struct file *f UNUSED, struct iter *from UNUSED, int64_t *pos UNUSED)
{
	return -ENOSPC;
}

static int64_t read_zeroes(struct file *f UNUSED, struct iter *to, int64_t *pos UNUSED)
{
	size_t done = 0;

	/* large requests may be killed between two pieces */
	while (to->left) {
		size_t want = MIN(to->left, (size_t)MIB), n = iter_zero(to, want);

		done += n;
		if (n < want)
			return done ? (int64_t)done : -EFAULT;
		if (UNLIKELY(thread_is_killed()))
			break;
	}
	return (int64_t)done;
}

/* Linux: any seek succeeds and says 0. */
static int64_t seek_nowhere(struct file *f, int64_t offset UNUSED, int whence UNUSED)
{
	return f->pos = 0;
}

/* A private mapping is anonymous memory, a shared one is shared memory (man 4 zero). */
static int map_zero(struct file *f UNUSED, uint32_t *vm_flags UNUSED, struct page_source **out)
{
	*out = NULL;
	return 0;
}

static const struct file_ops null_ops = {
	.read = read_nothing, .write = write_away, .seek = seek_nowhere, .name = "null"};
static const struct file_ops zero_ops = {.read = read_zeroes,
	.write = write_away,
	.seek = seek_nowhere,
	.map = map_zero,
	.name = "zero"};
static const struct file_ops full_ops = {
	.read = read_zeroes, .write = write_full, .seek = seek_nowhere, .name = "full"};

/* ---- random, urandom: one generator (security/random.c) ---- */

enum { RANDOM_PIECE = 256, ENTROPY_BITS = 256 /* Linux: once seeded, always this many */ };

static int64_t read_random(struct file *f UNUSED, struct iter *to, int64_t *pos UNUSED)
{
	uint8_t bytes[RANDOM_PIECE];
	size_t done = 0;

	while (to->left) {
		size_t want = MIN(to->left, sizeof(bytes)), n;

		random_bytes(bytes, want);
		n = iter_write(to, bytes, want);
		done += n;
		if (n < want)
			return done ? (int64_t)done : -EFAULT;
		if (UNLIKELY(thread_is_killed()))
			break;
	}
	memset(bytes, 0, sizeof(bytes));
	compiler_barrier();
	return (int64_t)done;
}

static int64_t write_random(struct file *f UNUSED, struct iter *from, int64_t *pos UNUSED)
{
	uint8_t bytes[RANDOM_PIECE];
	size_t done = 0;

	while (from->left) {
		size_t want = MIN(from->left, sizeof(bytes)), n = iter_read(from, bytes, want);

		random_stir(bytes, n);
		done += n;
		if (n < want)
			return done ? (int64_t)done : -EFAULT;
		if (UNLIKELY(thread_is_killed()))
			break;
	}
	return (int64_t)done;
}

static int64_t add_entropy(uptr arg)
{
	uint8_t bytes[RANDOM_PIECE];
	int head[2]; /* struct rand_pool_info: bits, bytes */
	size_t left;

	if (user_get(head, arg))
		return -EFAULT;
	if (head[0] < 0 || head[1] < 0)
		return -EINVAL;
	arg = uptr_add(arg, sizeof(head));
	for (left = (size_t)head[1]; left;) {
		size_t n = MIN(left, sizeof(bytes));

		if (user_read(bytes, arg, n))
			return -EFAULT;
		random_stir(bytes, n);
		arg = uptr_add(arg, n);
		left -= n;
	}
	return 0;
}

static int64_t ioctl_random(struct file *f UNUSED, unsigned cmd, uintptr_t arg)
{
	int bits = ENTROPY_BITS;

	switch (cmd) {
	case RNDGETENTCNT:
		return user_put(UPTR(arg), bits);
	case RNDADDTOENTCNT:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		return user_get(bits, UPTR(arg)) ? -EFAULT : bits < 0 ? -EINVAL : 0;
	case RNDADDENTROPY:
		return capable(CAP_SYS_ADMIN) ? add_entropy(UPTR(arg)) : -EPERM;
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
	case RNDRESEEDCRNG:
		return capable(CAP_SYS_ADMIN)
			       ? 0
			       : -EPERM; /* the count is a constant; stirred all along */
	}
	return -EINVAL;
}

static const struct file_ops random_ops = {.read = read_random,
	.write = write_random,
	.ioctl = ioctl_random,
	.seek = seek_nowhere,
	.name = "random"};

/* ---- kmsg: one record of the log per read; a write is a line of the log ---- */

/* man 3 syslog; a program cannot speak as the kernel, facility 0: Linux, dev-kmsg */
enum { KMSG_LINE_MAX = 1024, FACILITY_USER = 1, FACILITY_MASK = 15 };

struct kmsg {
	struct mutex lock;          /* RANK_FILE_POS: one reader at a time */
	uint64_t seq;               /* [lock] the next record */
	struct log_line line;       /* [lock] */
	char record[KMSG_LINE_MAX]; /* [lock] */
};

/* "PRIORITY,SEQ,USEC,-;text" of the next record, which it steps over. -EAGAIN, -EPIPE. */
static int64_t next_record(struct kmsg *k)
{
	const struct log_line *l = &k->line;
	uint64_t first, next;
	size_t n;

	log_get_range(&first, &next);
	if (k->seq < first) {
		k->seq = first;
		return -EPIPE; /* records were overwritten: the next read goes on */
	}
	if (!log_get_line(k->seq, &k->line))
		return -EAGAIN;
	n = snformat(k->record, sizeof(k->record), "%u,%lu,%lu,-;%.*s\n", l->priority, k->seq,
		(uint64_t)(l->time_ns / NS_PER_US), (int)l->len, l->text);
	k->seq++;
	return (int64_t)MIN(n, sizeof(k->record) - 1);
}

static int64_t read_kmsg(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct kmsg *k = f->private_data;
	int64_t n;

	mutex_lock(&k->lock);
	n = next_record(k);
	if (n > (int64_t)to->left)
		n = -EINVAL;
	else if (n > 0 && iter_write(to, k->record, (size_t)n) != (size_t)n)
		n = -EFAULT;
	mutex_unlock(&k->lock);
	return n;
}

static int64_t write_kmsg(struct file *f UNUSED, struct iter *from, int64_t *pos UNUSED)
{
	size_t n = from->left, priority = FACILITY_USER << 3 | LOG_WARNING;
	char line[LOG_LINE_MAX], *text = line;

	if (n >= sizeof(line))
		return -EINVAL;
	if (iter_read(from, line, n) != n)
		return -EFAULT;
	line[n] = '\0';
	for (size_t i = n; i && line[i - 1] == '\n'; i--)
		line[i - 1] = '\0';
	if (line[0] == '<' && char_is_digit(line[1])) { /* "<6>": facility and level */
		size_t value = 0;

		for (text = line + 1; char_is_digit(*text); text++)
			value = value * 10 + (size_t)(*text - '0');
		if (*text == '>') {
			text++;
			priority = value >> 3 ? value : FACILITY_USER << 3 | value;
		} else {
			text = line;
		}
	}
	log_write_as(priority >> 3 & FACILITY_MASK, (enum log_level)(priority & 7), text);
	return (int64_t)n;
}

static int64_t seek_kmsg(struct file *f, int64_t offset, int whence)
{
	struct kmsg *k = f->private_data;
	uint64_t first, next;

	if (offset)
		return -ESPIPE;
	log_get_range(&first, &next);
	switch (whence) {
	case SEEK_SET:
		k->seq = first;
		return 0;
	case SEEK_DATA: /* after the last SYSLOG_ACTION_CLEAR */
		k->seq = MAX(first, log_get_cleared());
		return 0;
	case SEEK_END:
		k->seq = next;
		return 0;
	}
	return -EINVAL;
}

static void release_kmsg(struct file *f)
{
	mem_free(f->private_data);
}

static const struct file_ops kmsg_ops = {.read = read_kmsg,
	.write = write_kmsg,
	.seek = seek_kmsg,
	.release = release_kmsg,
	.name = "kmsg"};

/* ---- Opening and registering ---- */

static const struct {
	const char *name;
	uint32_t minor, mode;
	const struct file_ops *ops;
} devices[] = {
	{"null", MINOR_NULL, 0666, &null_ops},
	{"zero", MINOR_ZERO, 0666, &zero_ops},
	{"full", MINOR_FULL, 0666, &full_ops},
	{"random", MINOR_RANDOM, 0666, &random_ops},
	{"urandom", MINOR_URANDOM, 0666, &random_ops},
	{"kmsg", MINOR_KMSG, 0644, &kmsg_ops},
};

static int open_kmsg(struct file *f)
{
	struct kmsg *k = mem_alloc(sizeof(*k), SLAB_ZERO);

	if (!k)
		return -ENOMEM;
	mutex_init(&k->lock, RANK_FILE_POS, "kmsg");
	f->private_data = k;
	return 0;
}

static int open_mem(struct chardev *dev UNUSED, uint32_t minor, struct file *f)
{
	for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
		if (devices[i].minor == minor) {
			f->ops = devices[i].ops;
			f->mode |= FILE_NO_LOCK_POS | (minor == MINOR_KMSG ? 0 : FILE_NOWAIT);
			return minor == MINOR_KMSG ? open_kmsg(f) : 0;
		}
	return -ENXIO;
}

static const struct file_ops unopened_ops = {.name = "mem"};
static struct chardev mem_device = {.major = MEM_MAJOR,
	.first_minor = 0,
	.nr_minors = 256,
	.ops = &unopened_ops,
	.open = open_mem};

void mem_devices_init(void)
{
	if (chardev_register(&mem_device))
		panic("dev: major %u is taken", MEM_MAJOR);
	for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
		if (devtmpfs_create_node(devices[i].name, S_IFCHR | devices[i].mode,
			    dev_make(MEM_MAJOR, devices[i].minor)))
			panic("dev: no memory for device nodes");
}
