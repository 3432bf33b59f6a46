// SPDX-License-Identifier: MIT
/*
 * ioctl(2) on a terminal: settings in the three structures that history left, the window's size,
 * queues, flow, modem lines. What concerns sessions and process groups is in job.c.
 *
 * Spec    man 2 ioctl_tty
 */
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <linux/capability.h>
#include <linux/tty.h>

#include "dev/tty/tty.h"
#include "fs/vfs/file.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sync/waitq.h"
#include "time/clock.h"
#include "time/timer.h"
#include "uaccess/uaccess.h"

enum { BREAK_NS_PER_TENTH = 100000000, BREAK_TENTHS_DEFAULT = 250, OLD_CC = 8 /* NCC */ };

/* ---- Speeds ---- */

static const uint32_t speeds[] = {
	0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
static const uint32_t more_speeds[] = {/* B57600 on */ 57600, 115200, 230400, 460800, 500000,
	576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};

/* The rate of a CBAUD code; `other` for BOTHER. */
static uint32_t speed_of(uint32_t code, uint32_t other)
{
	if (code == BOTHER)
		return other;
	if (!(code & CBAUDEX))
		return speeds[code & 15];
	code = (code & ~(uint32_t)CBAUDEX) - 1;
	return code < ARRAY_LEN(more_speeds) ? more_speeds[code] : 0;
}

static void fill_in_speeds(struct termios2 *t)
{
	uint32_t in = (t->c_cflag >> IBSHIFT) & CBAUD;

	t->c_ospeed = speed_of(t->c_cflag & CBAUD, t->c_ospeed);
	t->c_ispeed = in == B0 ? t->c_ospeed : speed_of(in, t->c_ispeed);
}

/* ---- Settings ---- */

static struct termios2 get_settings(struct tty *tty)
{
	struct termios2 t;

	irqlock_lock(&tty->lock);
	t = tty->settings;
	irqlock_unlock(&tty->lock);
	return t;
}

/* Waits until the wire has sent everything. -ERESTARTSYS. */
static int drain(struct tty *tty)
{
	uint32_t hang_ups = READ_ONCE(tty->hang_ups);
	int err = 0;

	for (;;) {
		bool is_sent;

		irqlock_lock(&tty->lock);
		is_sent = tty->hang_ups != hang_ups || !tty->driver->is_sent ||
			  (tty->out.head == tty->out.tail && tty->driver->is_sent(tty));
		irqlock_unlock(&tty->lock);
		if (is_sent)
			return 0;
		if (err == -EINTR)
			return -ERESTARTSYS;
		/* The last bytes leave the UART without an interrupt that says so. */
		err = WAIT_EVENT(&tty->writable, WAIT_SIGNAL,
			clock_monotonic_ns() + 2 * NS_PER_MS, false);
	}
}

enum when { NOW, DRAINED, FLUSHED }; /* TCSANOW, TCSADRAIN, TCSAFLUSH */

/* What is set in tty->locked stays as it was: bits of the flags, whole characters. Locked. */
static void keep_what_is_locked(const struct tty *tty, struct termios2 *t)
{
	const struct termios2 *old = &tty->settings;
	const struct termios *by = &tty->locked;

	t->c_iflag = (t->c_iflag & ~by->c_iflag) | (old->c_iflag & by->c_iflag);
	t->c_oflag = (t->c_oflag & ~by->c_oflag) | (old->c_oflag & by->c_oflag);
	t->c_cflag = (t->c_cflag & ~by->c_cflag) | (old->c_cflag & by->c_cflag);
	t->c_lflag = (t->c_lflag & ~by->c_lflag) | (old->c_lflag & by->c_lflag);
	for (unsigned i = 0; i < ARRAY_LEN(t->c_cc); i++) {
		if (by->c_cc[i])
			t->c_cc[i] = old->c_cc[i];
	}
}

static int64_t set_settings(struct tty *tty, struct termios2 *t, enum when when)
{
	struct termios2 old;
	int err = tty_check_job(tty, SIGTTOU);

	if (err == 0 && when != NOW)
		err = drain(tty);
	if (err)
		return err;
	fill_in_speeds(t);
	irqlock_lock(&tty->lock);
	if (when == FLUSHED)
		ldisc_flush_input(tty);
	old = tty->settings;
	t->c_line = old.c_line;
	keep_what_is_locked(tty, t);
	tty->settings = *t;
	ldisc_settings_changed(tty, &old);
	irqlock_unlock(&tty->lock);
	return 0;
}

/* struct termios is termios2 without the two speeds. */
static int64_t set_from_user(struct tty *tty, uptr arg, size_t size, enum when when)
{
	struct termios2 t = get_settings(tty);

	if (user_read(&t, arg, size))
		return -EFAULT;
	return set_settings(tty, &t, when);
}

static int64_t get_locked(struct tty *tty, uptr arg)
{
	struct termios locked;

	irqlock_lock(&tty->lock);
	locked = tty->locked;
	irqlock_unlock(&tty->lock);
	return user_put(arg, locked);
}

static int64_t set_locked(struct tty *tty, uptr arg)
{
	struct termios locked;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (user_get(locked, arg))
		return -EFAULT;
	irqlock_lock(&tty->lock);
	tty->locked = locked;
	irqlock_unlock(&tty->lock);
	return 0;
}

static int64_t get_old(struct tty *tty, uptr arg)
{
	struct termios2 t = get_settings(tty);
	struct termio old = {
		.c_iflag = (unsigned short)t.c_iflag,
		.c_oflag = (unsigned short)t.c_oflag,
		.c_cflag = (unsigned short)t.c_cflag,
		.c_lflag = (unsigned short)t.c_lflag,
		.c_line = t.c_line,
	};

	memcpy(old.c_cc, t.c_cc, OLD_CC);
	return user_put(arg, old);
}

/* Only the low halves of the flags and the first characters exist in it. */
static int64_t set_old(struct tty *tty, uptr arg, enum when when)
{
	struct termios2 t = get_settings(tty);
	struct termio old;

	if (user_get(old, arg))
		return -EFAULT;
	t.c_iflag = (t.c_iflag & 0xffff0000) | old.c_iflag;
	t.c_oflag = (t.c_oflag & 0xffff0000) | old.c_oflag;
	t.c_cflag = (t.c_cflag & 0xffff0000) | old.c_cflag;
	t.c_lflag = (t.c_lflag & 0xffff0000) | old.c_lflag;
	memcpy(t.c_cc, old.c_cc, OLD_CC);
	return set_settings(tty, &t, when);
}

/* ---- Window, queues, flow ---- */

static int64_t set_winsize(struct tty *tty, uptr arg)
{
	struct winsize size;

	if (user_get(size, arg))
		return -EFAULT;
	irqlock_lock(&tty->lock);
	if (memcmp(&size, &tty->winsize, sizeof(size)) != 0) {
		tty->winsize = size;
		tty_signal_foreground(tty, SIGWINCH);
	}
	irqlock_unlock(&tty->lock);
	return 0;
}

static int64_t get_winsize(struct tty *tty, uptr arg)
{
	struct winsize size;

	irqlock_lock(&tty->lock);
	size = tty->winsize;
	irqlock_unlock(&tty->lock);
	return user_put(arg, size);
}

static int64_t flush(struct tty *tty, uintptr_t which)
{
	int err = tty_check_job(tty, SIGTTOU);

	if (err)
		return err;
	if (which != TCIFLUSH && which != TCOFLUSH && which != TCIOFLUSH)
		return -EINVAL;
	irqlock_lock(&tty->lock);
	if (which != TCOFLUSH)
		ldisc_flush_input(tty);
	if (which != TCIFLUSH)
		ldisc_flush_output(tty);
	tty->driver->start(tty);
	irqlock_unlock(&tty->lock);
	return 0;
}

static int64_t flow(struct tty *tty, uintptr_t action)
{
	int err = tty_check_job(tty, SIGTTOU);
	uint8_t c;

	if (err)
		return err;
	irqlock_lock(&tty->lock);
	switch (action) {
	case TCOOFF:
		ldisc_stop(tty);
		break;
	case TCOON:
		ldisc_start(tty);
		break;
	case TCIOFF:
	case TCION: /* tell the other side */
		c = tty->settings.c_cc[action == TCIOFF ? VSTOP : VSTART];
		if (c && tty->out.head - tty->out.tail < TTY_BUFFER_SIZE) {
			tty->out.bytes[tty->out.head++ % TTY_BUFFER_SIZE] = c;
			tty->driver->start(tty);
		}
		break;
	default:
		err = -EINVAL;
	}
	irqlock_unlock(&tty->lock);
	return err;
}

static int64_t put_int(uptr arg, int value)
{
	return user_put(arg, value);
}

static int64_t queued(struct tty *tty, uptr arg, bool is_input)
{
	size_t n;

	irqlock_lock(&tty->lock);
	n = is_input ? ldisc_readable(tty) : tty->out.head - tty->out.tail;
	irqlock_unlock(&tty->lock);
	return put_int(arg, (int)n);
}

/* TCSBRK with 0 and TCSBRKP: a break of so many tenths of a second. */
static int64_t send_break(struct tty *tty, unsigned tenths)
{
	int err = tty_check_job(tty, SIGTTOU);

	if (err == 0)
		err = drain(tty);
	if (err || !tty->driver->send_break)
		return err;
	irqlock_lock(&tty->lock);
	tty->driver->send_break(tty, true);
	irqlock_unlock(&tty->lock);
	err = sleep_ns((uint64_t)tenths * BREAK_NS_PER_TENTH);
	irqlock_lock(&tty->lock);
	tty->driver->send_break(tty, false);
	irqlock_unlock(&tty->lock);
	return err;
}

/* A byte as if it had been typed. */
static int64_t type_byte(struct tty *tty, uptr arg)
{
	uint8_t c;

	if (tty != proc_current()->tty && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (user_get(c, arg))
		return -EFAULT;
	(void)tty_receive(tty, &c, 1);
	return 0;
}

static int64_t set_exclusive(struct tty *tty, bool on)
{
	irqlock_lock(&tty->lock);
	tty->is_exclusive = on;
	irqlock_unlock(&tty->lock);
	return 0;
}

static int64_t set_discipline(uptr arg)
{
	int which;

	if (user_get(which, arg))
		return -EFAULT;
	return which == N_TTY ? 0 : -EINVAL;
}

/* TIOCSSOFTCAR: whether the line counts as connected without a carrier. */
static int64_t set_local(struct tty *tty, uptr arg)
{
	struct termios2 t = get_settings(tty);
	int on;

	if (user_get(on, arg))
		return -EFAULT;
	t.c_cflag = on ? t.c_cflag | CLOCAL : t.c_cflag & ~(tcflag_t)CLOCAL;
	return set_settings(tty, &t, NOW);
}

static int64_t settings_ioctl(struct tty *tty, unsigned cmd, uptr arg)
{
	struct termios2 t = get_settings(tty);

	switch (cmd) {
	case TCGETS:
		return user_write(arg, &t, sizeof(struct termios));
	case TCGETS2:
		return user_put(arg, t);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_from_user(
			tty, arg, sizeof(struct termios), (enum when)(cmd - TCSETS));
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_from_user(tty, arg, sizeof(t), (enum when)(cmd - TCSETS2));
	case TCGETA:
		return get_old(tty, arg);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return set_old(tty, arg, (enum when)(cmd - TCSETA));
	case TIOCGLCKTRMIOS:
		return get_locked(tty, arg);
	case TIOCSLCKTRMIOS:
		return set_locked(tty, arg);
	case TIOCGSOFTCAR:
		return put_int(arg, (t.c_cflag & CLOCAL) != 0);
	case TIOCSSOFTCAR:
		return set_local(tty, arg);
	default:
		return -TTY_ENOIOCTLCMD;
	}
}

static int64_t line_ioctl(struct tty *tty, unsigned cmd, uintptr_t arg)
{
	int err;

	switch (cmd) {
	case TIOCGWINSZ:
		return get_winsize(tty, UPTR(arg));
	case TIOCSWINSZ:
		return set_winsize(tty, UPTR(arg));
	case TIOCOUTQ:
		return queued(tty, UPTR(arg), false);
	case FIONREAD:
		return queued(tty, UPTR(arg), true);
	case TCFLSH:
		return flush(tty, arg);
	case TCXONC:
		return flow(tty, arg);
	case TCSBRK:
		if (arg == 0)
			return send_break(tty, BREAK_TENTHS_DEFAULT / 100);
		err = tty_check_job(tty, SIGTTOU);
		return err ? err : drain(tty); /* tcdrain */
	case TCSBRKP:
		return send_break(tty, arg ? (unsigned)arg : BREAK_TENTHS_DEFAULT / 100);
	case TIOCSTI:
		return type_byte(tty, UPTR(arg));
	case TIOCEXCL:
	case TIOCNXCL:
		return set_exclusive(tty, cmd == TIOCEXCL);
	case TIOCGEXCL:
		return put_int(UPTR(arg), tty->is_exclusive);
	case TIOCGETD:
		return put_int(UPTR(arg), N_TTY);
	case TIOCSETD:
		return set_discipline(UPTR(arg));
	case TIOCGDEV: {
		uint32_t dev = tty->dev;

		return user_put(UPTR(arg), dev);
	}
	default:
		return -TTY_ENOIOCTLCMD;
	}
}

int64_t tty_ioctl(struct tty *tty, struct file *f, unsigned cmd, uintptr_t arg, bool is_master)
{
	int64_t result;

	if (!is_master && tty_file_is_hung_up(f))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	result = settings_ioctl(tty, cmd, UPTR(arg));
	if (result == -TTY_ENOIOCTLCMD)
		result = line_ioctl(tty, cmd, arg);
	if (result == -TTY_ENOIOCTLCMD)
		result = tty_job_ioctl(tty, f, cmd, arg, is_master);
	return result;
}
