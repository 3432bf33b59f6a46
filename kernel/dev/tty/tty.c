// SPDX-License-Identifier: MIT
/*
 * A terminal as a file: open, read, write, poll, and its end.
 *
 * Reads and writes go in pieces of PIECE bytes through the kernel's stack: tty->lock is held while a
 * piece is taken from the buffer or put into the ring, never while user memory is touched. What a
 * read has copied is consumed afterwards, so a bad address loses nothing.
 *
 * VMIN and VTIME of raw mode say when a read may end: read() answers -EAGAIN until then, and
 * wait_limit() tells the caller how long that may last.
 *
 * Locks   dev/tty/tty.h
 */
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <linux/capability.h>
#include <linux/fcntl.h>

#include "arch/arch.h"
#include "dev/tty/tty.h"
#include "fs/vfs/file.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "time/clock.h"

enum {
	PIECE = 256,
	DEFAULT_SPEED = 38400,
	WAKE_WRITER_BELOW = TTY_BUFFER_SIZE / 2,
};

/* ---- Life ---- */

/* What Linux's tty_std_termios has; stty calls it "sane". */
static const struct termios2 default_settings = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc =
		{
			[VINTR] = 'C' - '@',
			[VQUIT] = '\\' - '@',
			[VERASE] = 0x7f,
			[VKILL] = 'U' - '@',
			[VEOF] = 'D' - '@',
			[VMIN] = 1,
			[VSTART] = 'Q' - '@',
			[VSTOP] = 'S' - '@',
			[VSUSP] = 'Z' - '@',
			[VREPRINT] = 'R' - '@',
			[VDISCARD] = 'O' - '@',
			[VWERASE] = 'W' - '@',
			[VLNEXT] = 'V' - '@',
		},
	.c_ispeed = DEFAULT_SPEED,
	.c_ospeed = DEFAULT_SPEED,
};

void tty_init(struct tty *tty, const struct tty_driver *driver, unsigned index, uint32_t dev)
{
	refcount_init(&tty->refs, 1);
	tty->driver = driver;
	tty->index = index;
	tty->dev = dev;
	irqlock_init(&tty->lock, RANK_TTY_LINE, "tty");
	mutex_init(&tty->read_lock, RANK_TTY, "tty read");
	mutex_init(&tty->write_lock, RANK_TTY, "tty write");
	waitq_init(&tty->readable);
	waitq_init(&tty->writable);
	tty->settings = default_settings;
	tty->is_reset_on_open = true;
}

void tty_get(struct tty *tty)
{
	refcount_get(&tty->refs);
}

void tty_put(struct tty *tty)
{
	if (refcount_put(&tty->refs))
		tty->driver->free(tty);
}

/* An open file of a terminal. */
struct tty_file {
	struct tty *tty;        /* [I] a reference */
	uint32_t hang_ups;      /* [I] the terminal's when it was opened */
	bool survives_hang_ups; /* [I] */
};

static struct tty *tty_of(const struct file *f)
{
	const struct tty_file *tf = f->private_data;

	return tf->tty;
}

bool tty_file_is_hung_up(const struct file *f)
{
	const struct tty_file *tf = f->private_data;

	return tf->hang_ups != READ_ONCE(tf->tty->hang_ups) && !tf->survives_hang_ups;
}

void tty_file_survives_hang_ups(struct file *f)
{
	struct tty_file *tf = f->private_data;

	tf->survives_hang_ups = true;
}

/* ---- Open and close ---- */

int tty_open(struct tty *tty, struct file *f)
{
	struct tty_file *tf = mem_alloc(sizeof(*tf), 0);
	int err = 0;

	if (!tf)
		return -ENOMEM;
	irqlock_lock(&tty->lock);
	if (tty->is_exclusive && tty->nr_open && !capable(CAP_SYS_ADMIN)) {
		err = -EBUSY;
	} else {
		if (tty->nr_open++ == 0 && tty->is_reset_on_open) {
			tty->settings = default_settings;
			tty->is_flow_stopped = false;
		}
		*tf = (struct tty_file){.tty = tty, .hang_ups = tty->hang_ups};
	}
	irqlock_unlock(&tty->lock);
	if (err) {
		mem_free(tf);
		return err;
	}
	tty_get(tty);
	f->private_data = tf;
	f->ops = &tty_file_ops;
	f->mode |= FILE_STREAM | FILE_NO_LOCK_POS;
	tty_may_become_controlling(tty, f);
	return 0;
}

static void tty_release(struct file *f)
{
	struct tty *tty = tty_of(f);
	bool is_last;

	irqlock_lock(&tty->lock);
	is_last = --tty->nr_open == 0;
	if (is_last)
		tty->is_exclusive = false;
	irqlock_unlock(&tty->lock);
	if (is_last && tty->driver->close)
		tty->driver->close(tty);
	mem_free(f->private_data);
	tty_put(tty);
}

void tty_hang_up(struct tty *tty)
{
	irqlock_lock(&tty->lock);
	tty->hang_ups++;
	ldisc_flush_input(tty);
	tty->out.tail = tty->out.stop = tty->out.head;
	tty->is_flow_stopped = false;
	waitq_wake_all(&tty->readable, TTY_READABLE | POLLHUP | POLLERR);
	waitq_wake_all(&tty->writable, TTY_WRITABLE | POLLHUP | POLLERR);
	irqlock_unlock(&tty->lock);
}

/* ---- Reading ---- */

/* How many bytes a raw read of len waits for. */
static size_t wanted(const struct tty *tty, const struct file *f, size_t len)
{
	if (READ_ONCE(f->flags) & O_NONBLOCK)
		return 1;
	return MIN((size_t)tty->settings.c_cc[VMIN], len);
}

/*
 * Whether a read may take what there is; 0: yes, else its result. With VMIN and VTIME 0 a read
 * never waits and takes nothing when there is nothing.
 */
static int64_t may_read(const struct tty *tty, const struct file *f, size_t len)
{
	bool is_raw = !(tty->settings.c_lflag & ICANON);

	if (ldisc_can_read(tty, is_raw ? wanted(tty, f, len) : 1))
		return 0;
	if (tty_file_is_hung_up(f))
		return -ENODATA;
	if (is_raw && !tty->settings.c_cc[VMIN] && !tty->settings.c_cc[VTIME])
		return ldisc_can_read(tty, 1) ? 0 : -ENODATA;
	return -EAGAIN;
}

/* Copies out pieces until the line or the buffer ends. */
static int64_t read_pieces(struct tty *tty, struct file *f, struct iter *to)
{
	uint8_t piece[PIECE];
	size_t done = 0, n, copied, consume;
	bool is_end = false;
	int64_t err;

	while (!is_end) {
		irqlock_lock(&tty->lock);
		err = done ? 0 : may_read(tty, f, to->left);
		n = err ? 0
			: ldisc_peek(
				  tty, piece, MIN(sizeof(piece), to->left), &consume, &is_end);
		irqlock_unlock(&tty->lock);
		if (err)
			return err;
		if (n == 0 && !is_end)
			break;
		copied = iter_write(to, piece, n);
		irqlock_lock(&tty->lock);
		ldisc_consume(tty, copied == n ? consume : copied);
		irqlock_unlock(&tty->lock);
		done += copied;
		if (copied < n)
			return done ? (int64_t)done : -EFAULT;
	}
	return (int64_t)done;
}

/* Linux: who waits when the master closes is told so (EIO); later reads find the end. */
static int tty_read_lost(struct file *f)
{
	return READ_ONCE(tty_of(f)->is_master_gone) && tty_file_is_hung_up(f) ? -EIO : 0;
}

static int64_t tty_read(struct file *f, struct iter *to, int64_t *pos UNUSED)
{
	struct tty *tty = tty_of(f);
	int64_t n;

	if (tty_file_is_hung_up(f))
		return 0;
	n = tty_check_job(tty, SIGTTIN);
	if (n)
		return n;
	if (to->left == 0)
		return 0;
	mutex_lock(&tty->read_lock);
	n = read_pieces(tty, f, to);
	mutex_unlock(&tty->read_lock);
	return n == -ENODATA ? 0 : n;
}

/* How long a read that said -EAGAIN may wait (VTIME, tenths of a second); then it ends. */
static uint64_t tty_wait_limit(struct file *f, uint32_t events)
{
	struct tty *tty = tty_of(f);
	uint64_t limit = WAIT_FOREVER;
	unsigned min, time;

	if (!(events & POLLIN))
		return limit;
	irqlock_lock(&tty->lock);
	min = tty->settings.c_cc[VMIN];
	time = tty->settings.c_cc[VTIME];
	/* With a minimum the clock starts with the first byte. */
	if (!(tty->settings.c_lflag & ICANON) && time && (min == 0 || ldisc_can_read(tty, 1)))
		limit = time * (NS_PER_SEC / 10);
	irqlock_unlock(&tty->lock);
	return limit;
}

/* That time is over: what there is, less than VMIN, even nothing. */
static int64_t tty_read_expired(struct file *f, struct iter *to)
{
	struct tty *tty = tty_of(f);
	uint8_t piece[PIECE];
	size_t n, consume;
	bool is_end;

	mutex_lock(&tty->read_lock);
	irqlock_lock(&tty->lock);
	n = ldisc_peek(tty, piece, MIN(sizeof(piece), to->left), &consume, &is_end);
	irqlock_unlock(&tty->lock);
	n = iter_write(to, piece, n);
	irqlock_lock(&tty->lock);
	ldisc_consume(tty, n);
	irqlock_unlock(&tty->lock);
	mutex_unlock(&tty->read_lock);
	return (int64_t)n;
}

/* ---- Writing ---- */

static int64_t write_pieces(struct tty *tty, struct file *f, struct iter *from)
{
	uint8_t piece[PIECE];
	size_t done = 0, n, put;
	int64_t err = -EAGAIN;

	while (from->left) {
		n = iter_read(from, piece, MIN(sizeof(piece), from->left));
		if (n == 0)
			return done ? (int64_t)done : -EFAULT;
		irqlock_lock(&tty->lock);
		if (tty_file_is_hung_up(f))
			err = -EIO;
		put = err == -EIO ? 0 : ldisc_output(tty, piece, n);
		irqlock_unlock(&tty->lock);
		done += put;
		if (put < n) {
			iter_revert(from, n - put);
			return done ? (int64_t)done : err;
		}
	}
	return (int64_t)done;
}

static int64_t tty_write(struct file *f, struct iter *from, int64_t *pos UNUSED)
{
	struct tty *tty = tty_of(f);
	int64_t n;

	if (tty_file_is_hung_up(f))
		return -EIO;
	if (READ_ONCE(tty->settings.c_lflag) & TOSTOP) {
		n = tty_check_job(tty, SIGTTOU);
		if (n)
			return n;
	}
	mutex_lock(&tty->write_lock);
	n = write_pieces(tty, f, from);
	mutex_unlock(&tty->write_lock);
	return n;
}

/* ---- Waiting ---- */

static uint32_t tty_poll(struct file *f)
{
	struct tty *tty = tty_of(f);
	uint32_t events = 0;
	size_t min;

	irqlock_lock(&tty->lock);
	min = tty->settings.c_cc[VTIME] ? 1 : tty->settings.c_cc[VMIN];
	if (ldisc_can_read(tty, min))
		events |= POLLIN | POLLRDNORM;
	if (tty_file_is_hung_up(f)) /* nothing waits for it: Linux */
		events |= POLLHUP | POLLERR | POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
	else if (tty->out.head - tty->out.tail < WAKE_WRITER_BELOW && !tty->is_flow_stopped)
		events |= POLLOUT | POLLWRNORM;
	irqlock_unlock(&tty->lock);
	return events;
}

static struct waitq *tty_waitq(struct file *f, uint32_t events)
{
	struct tty *tty = tty_of(f);

	return events & POLLIN ? &tty->readable : &tty->writable;
}

static int64_t tty_file_ioctl(struct file *f, unsigned cmd, uintptr_t arg)
{
	int64_t result = tty_ioctl(tty_of(f), f, cmd, arg, false);

	return result == -TTY_ENOIOCTLCMD ? -ENOTTY : result;
}

const struct file_ops tty_file_ops = {
	.name = "tty",
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.waitq = tty_waitq,
	.ioctl = tty_file_ioctl,
	.release = tty_release,
	.wait_limit = tty_wait_limit,
	.read_expired = tty_read_expired,
	.read_lost = tty_read_lost,
};
