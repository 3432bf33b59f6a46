// SPDX-License-Identifier: MIT
/*
 * Terminals: a serial line or the slave side of a pty, with a line discipline between the wire
 * and the programs.
 *
 *     wire -> tty_receive -> ldisc_input -> input buffer -> read(2)
 *                                 | echo
 *     wire <- driver <------- output ring <- ldisc_output <- write(2)
 *
 * The wire is a UART (dev/tty/serial.c) or the master's file (dev/tty/pty.c). Both put bytes
 * in by tty_receive and take them out of the ring by tty_take_output; the driver's `start` is
 * told when there is something to take.
 *
 * Locks   tty->lock    [l] irq, RANK_TTY_LINE: both buffers, settings, who owns the terminal.
 *                      Input arrives in interrupts, so everything short is done under it.
 *         read_lock, write_lock   sleeping, RANK_TTY: one reader and one writer at a time, as
 *                      they copy from and to user memory between steps under tty->lock
 *         proc->tty is under the tree lock of proc/proc.h, which is taken inside tty->lock. It is
 *                      no reference: tty->session stands for one, and no process refers to a
 *                      terminal that is not its session's.
 */
#pragma once

#include <asm/termbits.h>
#include <asm/termios.h>
#include <linux/poll.h>

#include "lib/base.h"
#include "lib/bitmap.h"
#include "lib/refcount.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

struct file;
struct inode;
struct pid;
struct proc;
struct tty;

/* What a wake-up says has come: who polls may ask for one of the two only. */
#define TTY_READABLE (POLLIN | POLLRDNORM)
#define TTY_WRITABLE (POLLOUT | POLLWRNORM)

enum { TTY_BUFFER_SIZE = 4096 }; /* a power of two: N_TTY_BUF_SIZE, which programs know */

struct tty_driver {
	const char *name; /* "ttyS" */
	/* What programs write while flow is stopped waits with them, not in the ring (pty). */
	bool is_stopped_at_writers;
	/* A line to the outside: it is hung up when its session's leader ends (not a pty). */
	bool is_line;
	/* There are bytes in the output ring, or flow is no longer stopped. Locked. */
	void (*start)(struct tty *tty);
	/* The settings changed from *old: the line's speed and so on. Locked. NULL: no matter. */
	void (*settings_changed)(struct tty *tty, const struct termios2 *old);
	/* Whether what was taken from the ring has left the machine. NULL: at once. Locked. */
	bool (*is_sent)(struct tty *tty);
	/* Room in the input buffer again after tty_receive took less than it was given. Locked. */
	void (*unthrottle)(struct tty *tty);
	void (*send_break)(struct tty *tty, bool on); /* locked; NULL: nothing happens */
	void (*close)(struct tty *tty); /* no file refers to it any more; unlocked */
	void (*free)(struct tty *tty);  /* nor anything else */
};

/* One direction's bytes on the way to the wire. Indices run freely. */
struct tty_ring {
	uint8_t bytes[TTY_BUFFER_SIZE];
	uint32_t head, tail;
	uint32_t stop; /* while flow is stopped: what was written before can still be taken */
};

/*
 * What came from the wire, edited. Indices run freely: tail <= line_end <= head. In canonical mode
 * only [tail, line_end) can be read; a set bit in `ends` ends a line there, and where the end was
 * typed as EOF the byte is not part of it (`is_eof`).
 */
struct tty_input {
	uint8_t bytes[TTY_BUFFER_SIZE];
	BITMAP(ends, TTY_BUFFER_SIZE);
	BITMAP(is_eof, TTY_BUFFER_SIZE);
	uint32_t head, tail, line_end;
	uint32_t column;      /* of the cursor */
	uint32_t line_column; /* where the line being typed begins */
	bool is_literal;      /* the next byte is taken as it is (LNEXT) */
	bool is_erasing;      /* inside \\.../ of ECHOPRT */
};

/*
 *   [I] immutable   [l] lock   [a] atomic
 */
struct tty {
	refcount refs;                   /* [a] */
	const struct tty_driver *driver; /* [I] */
	unsigned index;                  /* [I] */
	uint32_t dev;                    /* [I] major and minor */
	void *driver_data;               /* [I] */
	struct irqlock lock;
	struct mutex read_lock, write_lock;
	struct termios2 settings;        /* [l] */
	struct termios locked;           /* [l] what of settings stays: bits that are set */
	struct winsize winsize;          /* [l] */
	struct tty_input in;             /* [l] */
	struct tty_ring out;             /* [l] */
	struct waitq readable, writable; /* programs' side */
	struct pid *session;             /* [l] whose controlling terminal it is; a reference */
	struct pid *foreground;          /* [l] the process group in front; a reference */
	uint32_t nr_open;                /* [l] */
	bool is_flow_stopped;            /* [l] by ^S or TCXONC */
	uint32_t hang_ups;     /* [l] files opened before the last are of no use any more */
	bool is_exclusive;     /* [l] TIOCEXCL */
	bool is_throttled;     /* [l] tty_receive took less than it was given */
	bool is_reset_on_open; /* [I] settings start anew with the first open (not the console) */
	/* pty only */
	bool is_master_gone;   /* [l] closed, for good */
	bool is_packet_mode;   /* [l] TIOCPKT */
	uint8_t packet_events; /* [l] TIOCPKT_* the master has not read */
};

/* Fills in everything but the driver's own; refs is 1. */
void tty_init(struct tty *tty, const struct tty_driver *driver, unsigned index, uint32_t dev);
void tty_get(struct tty *tty);
void tty_put(struct tty *tty);

/* ---- For the wire's side ---- */

enum tty_input_kind { TTY_NORMAL, TTY_BREAK, TTY_PARITY, TTY_OVERRUN };
/* Bytes that came; how many were taken. The rest is offered again after unthrottle. Any context. */
size_t tty_receive(struct tty *tty, const uint8_t *bytes, size_t len);
/* One byte with something wrong about it. Any context. */
void tty_receive_error(struct tty *tty, uint8_t byte, enum tty_input_kind kind);
/* Up to size bytes out of the ring; 0 while flow is stopped. Locked. */
size_t tty_take_output(struct tty *tty, uint8_t *buf, size_t size);
/* The wire is gone (modem, master closed): reads end, writes fail. Any context. */
void tty_hang_up(struct tty *tty);

/* ---- For files: tty.c ---- */

/* Opens the terminal as f: exclusive use, controlling terminal. Takes a reference. */
MUST_CHECK int tty_open(struct tty *tty, struct file *f);
extern const struct file_ops tty_file_ops;
/* Of /dev/console: a hang-up of the line leaves this file alone. */
void tty_file_survives_hang_ups(struct file *f);
/* Whether the line hung up since the file was opened: reads end, all else fails. */
bool tty_file_is_hung_up(const struct file *f);

/* ---- Line discipline: ldisc.c. All locked. ---- */

/* Takes a byte from the wire: edits, echoes, signals. False: no room, offer it again. */
bool ldisc_input(struct tty *tty, uint8_t c);
/* Puts program output into the ring, as OPOST says; how many bytes of buf went in. */
size_t ldisc_output(struct tty *tty, const uint8_t *buf, size_t len);
/* How many bytes a read would get now; in canonical mode of the first line. */
size_t ldisc_readable(const struct tty *tty);
/* Whether a read can end now: a line, or min bytes. */
bool ldisc_can_read(const struct tty *tty, size_t min);
/* Copies up to size readable bytes without consuming them; *is_end: a line ended with the last, or by
 * an EOF right behind it, which ldisc_consume takes too. */
size_t ldisc_peek(
	const struct tty *tty, uint8_t *buf, size_t size, size_t *consume, bool *is_end);
void ldisc_consume(struct tty *tty, size_t nr);
void ldisc_flush_input(struct tty *tty);
void ldisc_flush_output(struct tty *tty);
void ldisc_settings_changed(struct tty *tty, const struct termios2 *old);
/* Stops and starts output, as ^S and ^Q, or for a program. */
void ldisc_stop(struct tty *tty);
void ldisc_start(struct tty *tty);

/* ---- Who owns it: job.c ---- */

/*
 * Before a background process reads (SIGTTIN) or changes it (SIGTTOU). 0: go on. -EIO: it is
 * orphaned or ignores the signal; -ERESTARTSYS: the signal was sent.
 */
MUST_CHECK int tty_check_job(struct tty *tty, int sig);
void tty_signal_foreground(struct tty *tty, int sig); /* locked */
/* open(2) without O_NOCTTY: becomes the session's terminal if that is possible. */
void tty_may_become_controlling(struct tty *tty, struct file *f);
/* The session of a line that is gone gets SIGHUP and SIGCONT, and has no terminal any more. */
void tty_hang_up_session(struct tty *tty);
int64_t tty_job_ioctl(struct tty *tty, struct file *f, unsigned cmd, uintptr_t arg,
	bool is_master); /* -ENOIOCTLCMD */
/* The current process's terminal with a reference, or NULL. */
struct tty *tty_of_current(void);
/* proc_leave_session: a session leader ends, and with it who may use its terminal. */
void tty_session_leader_exits(struct proc *p);

/* ---- ioctl.c ---- */
/* What slave and master share: settings, size, queues. is_master: asked of the master's file. */
int64_t tty_ioctl(struct tty *tty, struct file *f, unsigned cmd, uintptr_t arg, bool is_master);
enum { TTY_ENOIOCTLCMD = 515 }; /* inside this folder only: not mine, ask the next */
